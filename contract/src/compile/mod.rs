//! From rules to what an engine must count.
//!
//! [`check`](check::check) says what one rule must count; [`suite::plan`] asks for all rules of a table in the fewest
//! queries and reads the outcomes out of their answers; [`query`] handles the SQL that people and models write.

pub mod check;
pub mod query;
pub mod suite;

pub use check::{Check, NullKeys, RuleError, check};
