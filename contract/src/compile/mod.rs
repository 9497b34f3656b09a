//! From rules to what an engine must count.

pub mod query;
