//! An analysis for machines and for people.

mod json;
mod mermaid;
mod openlineage;
mod text;

pub use json::{SCHEMA_VERSION, json};
pub use mermaid::mermaid;
pub use openlineage::openlineage;
pub use text::text;
