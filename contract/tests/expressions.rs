//! What share of the expressions that people write is accepted; the list lies in `tests/conformance`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may panic")]

use contract::expr::parse::{Syntax, parse};
use contract::expr::print::{Dialect, to_sql, to_text};
use contract::schema::{Column, Provenance, TableSchema};
use contract::types::DataType;
use serde_json::Value as Json;

const LIST: &str = include_str!("../../tests/conformance/expressions.json");

fn schema(columns: &Json) -> TableSchema {
    let columns = columns.as_object().unwrap().iter().map(|(name, ty)| Column {
        name: name.clone(),
        data_type: DataType::parse(ty.as_str().unwrap()).unwrap(),
        nullable: None,
        comment: None,
        partition_key: false,
    });
    TableSchema { columns: columns.collect(), provenance: Provenance::Catalog }
}

#[test]
fn nearly_all_listed_row_expressions_are_accepted_on_all_engines() {
    let entries: Vec<Json> = serde_json::from_str(LIST).unwrap();
    let mut refused = Vec::new();
    let mut accepted = 0;
    for entry in &entries {
        let text = entry["expression"].as_str().unwrap();
        if ["select", "with"].iter().any(|word| text.to_lowercase().starts_with(word)) {
            continue;
        }
        let syntax = match entry["dialect"].as_str().unwrap() {
            "spark" => Syntax::Spark,
            "trino" => Syntax::Trino,
            _ => Syntax::Rule,
        };
        let schema = schema(&entry["columns"]);
        let printed = parse(text, syntax, &schema).map_err(|error| error.to_string()).and_then(|expr| {
            let again = to_text(&expr);
            for dialect in [Dialect::Trino, Dialect::Spark, Dialect::DataFusion] {
                to_sql(&expr, dialect).map_err(|error| error.to_string())?;
            }
            let read = parse(&again, Syntax::Rule, &schema).map_err(|error| format!("{again}: {error}"))?;
            if read == expr { Ok(()) } else { Err(format!("is read back otherwise from {again}")) }
        });
        match printed {
            Ok(()) => accepted += 1,
            Err(reason) => refused.push(format!("{} {text}: {reason}", entry["id"])),
        }
    }
    let share = f64::from(accepted) / (f64::from(accepted) + refused.len() as f64);
    assert!(share >= 0.95, "{accepted} accepted, {} refused:\n{}", refused.len(), refused.join("\n"));
}
