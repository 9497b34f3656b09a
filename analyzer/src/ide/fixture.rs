//! What the tests of features share.

use std::sync::Arc;

use contract::document::{ColumnProfile, Contract, Profile, TopValue};
use contract::schema::{Column, Provenance, TableName, TableSchema};
use contract::types::DataType;

use crate::{LastRun, World};

/// Two tables, the contract of a third one, and one job argument.
pub(crate) struct Lending;

impl Lending {
    pub(crate) fn tables() -> Vec<TableName> {
        vec![TableName::new("raw_db", "payments"), TableName::new("ref_db", "loans")]
    }
}

impl World for Lending {
    fn table(&self, name: &TableName) -> Option<TableSchema> {
        let columns: &[(&str, &str)] = match name.table.as_str() {
            "payments" => &[("loan_id", "string"), ("amount", "string"), ("state", "string"), ("paid_on", "string")],
            "loans" => &[("loan_id", "string"), ("customer_id", "bigint"), ("product", "string")],
            _ => return None,
        };
        let column = |(name, data_type): &(&str, &str)| Column {
            name: (*name).to_owned(),
            data_type: DataType::parse(data_type).unwrap(),
            nullable: None,
            comment: (*name == "amount").then(|| "Amount in rupees".to_owned()),
            partition_key: false,
        };
        Some(TableSchema { columns: columns.iter().map(column).collect(), provenance: Provenance::Catalog })
    }

    fn contract(&self, name: &TableName) -> Option<Arc<Contract>> {
        let text = match name.table.as_str() {
            "loans" => r#"{"table_name": "loans", "primary_key": ["loan_id"], "columns": {}}"#,
            "fact" => {
                r#"{"table_name": "fact", "owner": "lending", "primary_key": ["loan_id"], "columns": {
                    "loan_id": {"type": "string", "nullable": false, "rules": [{"type": "not_null"}]},
                    "status": {"type": "string", "nullable": true, "rules": [
                        {"type": "allowed_values", "values": ["PAID", "OPEN"]}]}}}"#
            }
            _ => return None,
        };
        Some(Arc::new(Contract::from_json(text).unwrap().0))
    }

    fn profile(&self, name: &TableName) -> Option<Arc<Profile>> {
        if name.table != "payments" {
            return None;
        }
        let top = |value: &str, count| TopValue { value: value.into(), count };
        let state = ColumnProfile {
            null_pct: 2.5,
            distinct_count: Some(2),
            distinct_exact: true,
            top_values: vec![top("PAID", 1200), top("OPEN", 300)],
            ..ColumnProfile::default()
        };
        Some(Arc::new(Profile {
            date: "2026-03-01".to_owned(),
            row_count: 1540,
            column_stats: [("state".to_owned(), state)].into_iter().collect(),
            ..Profile::default()
        }))
    }

    fn last_run(&self, name: &TableName) -> Option<Arc<LastRun>> {
        let run = LastRun { date: "2026-03-01".to_owned(), passed: 3, failed: vec!["not_null_loan_id".to_owned()] };
        (name.table == "fact").then(|| Arc::new(run))
    }

    fn argument(&self, name: &str) -> Option<String> {
        (name == "TARGET").then(|| "gold".to_owned())
    }
}

/// A script without its `$0`, and the byte offset where that stood.
pub(crate) fn marked(script: &str) -> (String, usize) {
    let offset = script.find("$0").expect("a cursor");
    (script.replacen("$0", "", 1), offset)
}
