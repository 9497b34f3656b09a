//! Generators propose a contract, tests and documentation; nothing they say is accepted unchecked.

pub(crate) mod bounds;
pub mod builtin;
pub(crate) mod dating;

use async_trait::async_trait;
use contract::document::{Context, Contract, Test};

use crate::Result;
use crate::project::settings::{GenerateSettings, GeneratorName};

/// Proposes for a table what its context suggests. The built-in one needs no key; models come as further ones.
#[async_trait]
pub trait Generator: Send + Sync {
    /// Its name, as it stands in the evidence of what it proposes.
    fn name(&self) -> &str;
    /// A proposal, in the shape of the specification's section 3.2. It is input, not truth.
    async fn propose(&self, context: &Context) -> Result<Proposal>;
}

/// What a generator proposes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proposal {
    /// The contract (`data_quality`).
    pub contract: Contract,
    /// Concrete tests.
    pub tests: Vec<Test>,
    /// Documentation for people, Markdown; where it is empty the stage renders its own.
    pub docs_markdown: String,
}

/// The generator that the settings name.
pub fn from_settings(settings: &GenerateSettings) -> Box<dyn Generator> {
    match settings.generator {
        GeneratorName::Builtin => Box::new(builtin::Builtin::new(settings)),
    }
}
