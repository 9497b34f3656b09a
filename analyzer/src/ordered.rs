//! Maps and sets that keep the order in which things came, hashed quickly: nobody chooses their keys to make them slow.

use rustc_hash::FxBuildHasher;

/// A map in order of insertion.
pub(crate) type IndexMap<K, V> = indexmap::IndexMap<K, V, FxBuildHasher>;

/// A set in order of insertion.
pub(crate) type IndexSet<T> = indexmap::IndexSet<T, FxBuildHasher>;
