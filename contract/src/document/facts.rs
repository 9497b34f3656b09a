//! What a script says of the table that it writes, as far as it is sure: an extra key of the context.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Facts about one output of a script.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct CodeFacts {
    /// Columns that the script writes, in order.
    #[serde(default)]
    pub columns: IndexMap<String, CodeColumn>,
    /// Whether `columns` are all of them.
    #[serde(default)]
    pub columns_complete: bool,
    /// How sure the job summary's grain is: `proved`, `assumed` or `unknown`.
    #[serde(default)]
    pub grain_certainty: String,
    /// Why the grain holds or is not known.
    #[serde(default)]
    pub grain_reason: String,
    /// Filters that hold on the output, in rule text and in the names of its columns.
    #[serde(default)]
    pub filters: Vec<String>,
    /// Columns whose values the script looks up in another table.
    #[serde(default)]
    pub references: Vec<Reference>,
    /// Jobs that read the table.
    #[serde(default)]
    pub read_by: Vec<String>,
}

/// What a script says of a column.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct CodeColumn {
    /// Type, as Glue spells it; `unknown` where not known.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Whether NULL may occur; absent where not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nullable: Option<bool>,
    /// Base columns that it is computed from, `input.column`; absent where not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<Vec<String>>,
    /// The expression that makes it; absent where not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
}

/// A column that a join looks up.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Reference {
    /// The output's column.
    pub column: String,
    /// The table that it is looked up in.
    pub ref_table: String,
    /// The column there.
    pub ref_column: String,
    /// The kind of join: `inner` or `left`.
    pub how: String,
}
