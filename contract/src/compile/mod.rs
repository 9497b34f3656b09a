//! From rules to what an engine must count.
//!
//! [`check`](check::check) says what one rule must count; [`suite::plan`] asks for all rules of a table in the fewest
//! queries and [`suite::judge`] reads the outcomes out of their answers; [`query`] handles the SQL that people and models
//! write.

pub mod bounds;
pub mod check;
pub mod query;
pub mod suite;
pub mod translate;

pub use bounds::Bounds;
pub use check::{Check, ForeignKey, NullKeys, RuleError, check, check_among};
