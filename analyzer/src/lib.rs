//! What a Glue PySpark script means, from its text alone.
//!
//! This crate is pure: it does no input or output and knows neither tokio, AWS nor LSP. [`analyze`] never fails and never
//! panics: any bytes give facts plus diagnostics, and what cannot be known is unknown with a reason.
//!
//! Script text → syntax tree ([`syntax`]) → values ([`interpret`], [`library`], [`sql`]) → relational plan ([`plan`]) →
//! facts ([`facts`]). Everything that is reported is derived from the plan, never from the names of calls.

mod analysis;
mod annotations;
pub mod checks;
mod condition;
mod describe;
mod expression;
pub mod facts;
mod hints;
pub mod ide;
mod interface;
mod interpret;
mod library;
mod ordered;
pub mod plan;
pub mod policy;
mod range;
pub mod report;
mod sql;
mod suppression;
mod syntax;
mod value;
mod world;

pub use analysis::{Analysis, Parsed, analyze, analyze_uncaught, on_deep_stack};
pub use condition::Condition;
pub use facts::{
    CODES, Certainty, ColumnSource, Dataset, DatasetKind, Derived, Diagnostic, FilterFact, Grain, Input, JoinFact,
    JoinKind, Mode, Output, OutputColumn, Related, Rerun, Severity,
};
pub use interface::{Break, JobInterface, Offer, TableRead, interface};
pub use interpret::Mention;
pub use range::TextRange;
pub use sql::SqlText;
pub use world::{Answers, LastRun, NoWorld, Question, World};
