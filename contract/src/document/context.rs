//! What a generator is told about a table, in the shape of the specification's section 3.1.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fields;
use super::problem::DocumentError;
use super::{CodeFacts, ColumnProfile, JobSummary};

/// The context of a table: schema, statistics and the job that writes it. Holds statistics and shapes, no rows.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Context {
    /// Version of the document.
    #[serde(default)]
    pub version: u32,
    /// The table.
    pub table_name: String,
    /// Its database.
    pub database: String,
    /// `raw`, `staging` or `curated`: as configured, else told from the database's name.
    pub layer: String,
    /// What the table is for, in a sentence.
    pub purpose: String,
    /// Columns, partition keys last.
    pub schema: Vec<ContextColumn>,
    /// Constraints that DDL, metadata or a former contract state.
    #[serde(default)]
    pub constraints: Vec<Constraint>,
    /// Rows.
    #[serde(default)]
    pub row_count: u64,
    /// Statistics per column.
    #[serde(default)]
    pub column_stats: IndexMap<String, ColumnProfile>,
    /// The job that writes the table; absent where no script does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_summary: Option<JobSummary>,
    /// SHA-256 of the script, hexadecimal; absent where no script writes the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script_hash: Option<String>,
    /// What the script says of the table; absent where no script writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<CodeFacts>,
}

/// A column as the context shows it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ContextColumn {
    /// Name.
    pub name: String,
    /// Type, as Glue spells it.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Whether NULL may occur: promised by a contract or proved by the script, else observed in the profile.
    pub nullable: bool,
    /// The catalog's comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether the column is a partition key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partition_key: bool,
}

/// A constraint that holds already.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Constraint {
    /// Name.
    pub name: String,
    /// Kind, such as `CHECK`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Predicate in rule text.
    pub expression: String,
}

impl Context {
    /// Reads the document; a newer version is refused.
    pub fn from_json(text: &str) -> Result<Self, DocumentError> {
        fields::parse_exact(text)
    }

    /// The document as the store keeps it.
    pub fn to_json(&self) -> String {
        fields::pretty(&serde_json::json!(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The context of the specification's section 3.1.
    const EXAMPLE: &str = r#"{
      "table_name": "loan_repayment_fact",
      "database": "analytics_db",
      "layer": "curated",
      "purpose": "Fact table with one row per loan repayment (EMI).",
      "schema": [{ "name": "loan_id", "type": "string", "nullable": false }],
      "constraints": [{ "name": "ck_emi_positive", "type": "CHECK", "expression": "emi_amount >= 0" }],
      "row_count": 125000,
      "column_stats": {
        "emi_amount": { "null_pct": 0.0, "min": 500.0, "max": 20000.0, "distinct_count": 1200, "p95": 15000.0 },
        "status": {
          "null_pct": 0.0, "distinct_count": 3,
          "top_values": [{ "value": "SUCCESS", "count": 110000 }, { "value": "FAILED", "count": 10000 }]
        }
      },
      "job_summary": {
        "job_name": "loan_repayments_etl",
        "inputs": ["raw_payments", "dim_loan"],
        "output": "loan_repayment_fact",
        "join_keys": [{ "left_table": "raw_payments", "right_table": "dim_loan", "columns": ["loan_id"] }],
        "filters": ["payment_status IN ('SUCCESS', 'FAILED', 'PENDING')"],
        "grain": ["loan_id", "payment_date"]
      }
    }"#;

    #[test]
    fn the_example_of_the_specification_is_read_and_written_back_whole() {
        let context = Context::from_json(EXAMPLE).unwrap();
        assert_eq!(context.column_stats["emi_amount"].p95, Some(15000.0));
        let written: serde_json::Value = serde_json::from_str(&context.to_json()).unwrap();
        let mut original: serde_json::Value = serde_json::from_str(EXAMPLE).unwrap();
        original["version"] = serde_json::json!(0);
        assert_eq!(written, original);
    }
}
