//! Statistics of one table.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::fields;
use super::problem::DocumentError;

/// Statistics of a table at one moment, from one scan.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Profile {
    /// Version of the document.
    pub version: u32,
    /// The table.
    pub table_name: String,
    /// Its database.
    pub database: String,
    /// The date of the data, `YYYY-MM-DD`: the newest partition or the day of the profile.
    pub date: String,
    /// When the profile was taken, UTC, RFC 3339.
    pub profiled_at: String,
    /// Rows.
    pub row_count: u64,
    /// Data files read.
    pub file_count: u64,
    /// Their size in bytes.
    pub total_bytes: u64,
    /// Files that could not be read, with why; their rows are in no statistic.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable_files: Vec<String>,
    /// Per column, in schema order.
    pub column_stats: IndexMap<String, ColumnProfile>,
}

/// Statistics of a column. Absent where they do not apply to its type.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// Type, as Glue spells it; the specification leaves it out.
    #[serde(rename = "type", default, skip_serializing_if = "String::is_empty")]
    pub data_type: String,
    /// Share of NULLs in percent, 0 to 100.
    pub null_pct: f64,
    /// Share of NaNs in percent of all rows, 0 to 100; only for float and double.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nan_pct: Option<f64>,
    /// Smallest value, NaN aside: a number, or a date or timestamp as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Json>,
    /// Largest value, NaN aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Json>,
    /// Arithmetic mean, NaN aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// 95th percentile, approximate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95: Option<f64>,
    /// Distinct values that are not NULL; approximate unless [`ColumnProfile::distinct_exact`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct_count: Option<u64>,
    /// Whether the distinct count is exact.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub distinct_exact: bool,
    /// Share of texts that are empty or blank, in percent of all rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blank_pct: Option<f64>,
    /// Shortest and longest text in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<(u64, u64)>,
    /// Most frequent values with their counts, most frequent first; only for columns of few distinct values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub top_values: Vec<TopValue>,
}

/// A value and how often it occurs.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct TopValue {
    /// The value.
    pub value: Json,
    /// Its rows.
    pub count: u64,
}

impl Profile {
    /// Reads the document; a newer version is refused.
    pub fn from_json(text: &str) -> Result<Self, DocumentError> {
        fields::parse_exact(text)
    }

    /// The document as the store keeps it.
    pub fn to_json(&self) -> String {
        fields::pretty(&serde_json::json!(self))
    }
}
