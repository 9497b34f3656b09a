//! What makes it happen: lakes, generators and the stages of the pipeline.
//!
//! All input and output goes through two traits: [`lake::Lake`] (catalog, query engine, artifact store, clock) and
//! [`generator::Generator`]. Stages are functions over them.

pub mod error;
pub mod generator;
pub mod lake;
pub mod project;
pub mod stage;

pub use error::{Error, Result};
