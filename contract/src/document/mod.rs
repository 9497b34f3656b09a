//! The JSON documents of the artifact store, in the shapes of the specification (sections 3.1 and 3.2).
//!
//! Documents are read leniently and written exactly; keys that this version does not know are kept.

pub mod context;
pub mod contract;
pub mod facts;
pub(crate) mod fields;
pub mod job_summary;
pub mod problem;
pub mod profile;
mod rename;
pub mod schema;
pub mod stated;
pub mod test;
pub(crate) mod yaml;

pub use context::Context;
pub use contract::{ColumnContract, Contract, Freshness};
pub use facts::{CodeColumn, CodeFacts, Reference};
pub use job_summary::{JobSummary, JoinKey};
pub use problem::{DocumentError, DocumentProblem, line_in};
pub use profile::{ColumnProfile, Profile, TopValue};
pub use test::{Test, TestSuite};

/// Version of every document that this program writes.
pub const VERSION: u32 = 1;
