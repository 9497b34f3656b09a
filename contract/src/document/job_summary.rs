//! What a Glue job does, in the shape of the specification's `job_summary`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A job's inputs, output, joins, filters and grain.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct JobSummary {
    /// The job's name: the script's file name without its ending, unless configured.
    pub job_name: String,
    /// Names of the tables or paths that it reads, in order of first read.
    pub inputs: Vec<String>,
    /// The table that it writes; the first one where it writes several.
    pub output: Option<String>,
    /// Equality joins between base inputs.
    pub join_keys: Vec<JoinKey>,
    /// Filters that restrict the output, as SQL.
    pub filters: Vec<String>,
    /// Columns of which the output has one row each; empty where not known.
    pub grain: Vec<String>,
}

/// One equality join.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct JoinKey {
    /// Left base input.
    pub left_table: String,
    /// Right base input.
    pub right_table: String,
    /// The key, by its name in the left input.
    pub columns: Vec<String>,
    /// The key by its name in the right input, where that differs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub right_columns: Vec<String>,
}
