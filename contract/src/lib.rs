//! What must be true of a table, and what that means on every engine.
//!
//! This crate is pure: it does no input or output and knows neither tokio, AWS nor LSP.
//!
//! - [`types`], [`schema`], [`value`]: Glue's column types, schemas and the values of cells.
//! - [`expr`]: the one expression language; front ends ([`expr::parse`]), printers ([`expr::print`]) and the row
//!   evaluator ([`expr::eval`]) that is the meaning all engines must reproduce.
//! - [`rule`]: the rule kinds and what each means on NULL and NaN.
//! - [`compile`]: from rules to what an engine must count.
//! - [`document`]: the JSON documents of the artifact store.

pub mod compile;
pub mod document;
pub mod expr;
pub mod rule;
pub mod schema;
pub mod types;
pub mod value;
