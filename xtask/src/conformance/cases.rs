//! The tables and cases of `tests/conformance`.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use contract::document::Contract;
use contract::expr::Expr;
use contract::expr::eval::eval;
use contract::expr::parse::{AnyColumn, Syntax, parse};
use contract::rule::Rule;
use contract::schema::{Column, Provenance, TableSchema};
use contract::types::DataType;
use contract::value::Value;
use serde_json::{Map, Value as Json, json};

use crate::repository;

/// Everything that is stated.
pub(super) struct Stated {
    pub(super) tables: BTreeMap<String, Table>,
    pub(super) cases: Vec<Case>,
}

/// Rows that all engines read from the same files.
pub(super) struct Table {
    pub(super) schema: TableSchema,
    /// The cells as they are written, for the program that writes the files.
    pub(super) written: Vec<Json>,
    /// The cells, for the row evaluator. The first one is the row's number.
    pub(super) rows: Vec<HashMap<String, Value>>,
}

/// One statement about the rows of a table.
pub(super) struct Case {
    /// `TOPIC: WORDS`.
    pub(super) id: String,
    pub(super) table: String,
    pub(super) asks: Asks,
}

/// What is asked, and what the answer must be.
pub(super) enum Asks {
    /// Which rows violate a rule of one row.
    Row { rule: Box<Rule>, violates: Vec<i64> },
    /// What becomes of a rule of all rows: `passed`, `failed`, `skipped` or `errored`, and the violations where counted.
    Table { rule: Box<Rule>, outcome: String, violations: Option<u64>, history: Vec<u64> },
    /// For which rows a predicate is true and for which it is NULL; for the others it is false.
    Predicate { expr: Expr, holds: Vec<i64>, unknown: Vec<i64> },
}

/// The instant of the run: 2026-03-01T12:00:00Z, in microseconds since 1970.
pub(super) const NOW_MICROS: i64 = 1_772_366_400_000_000;

/// Reads `tests/conformance/tables.json` and the cases beside it.
///
/// Errors name the file, and the table or case.
pub(super) fn read() -> Result<Stated> {
    let folder = repository::root().join("tests/conformance");
    let tables = document(&folder.join("tables.json"))?;
    let tables = tables.iter().map(|(name, table)| {
        Ok((name.clone(), self::table(table).with_context(|| format!("tests/conformance/tables.json, table {name}"))?))
    });
    let tables = tables.collect::<Result<BTreeMap<_, _>>>()?;
    let mut files: Vec<_> =
        fs::read_dir(folder.join("cases"))?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let topic = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for (words, case) in document(&file)? {
            let place = || format!("{}, case `{words}`", file.display());
            cases.push(self::case(format!("{topic}: {words}"), &case, &tables).with_context(place)?);
        }
    }
    Ok(Stated { tables, cases })
}

fn document(path: &Path) -> Result<Map<String, Json>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON object", path.display()))
}

fn table(table: &Json) -> Result<Table> {
    let columns = table["columns"].as_object().context("`columns` is missing")?;
    let columns = columns.iter().map(|(name, written)| {
        let data_type = DataType::parse(written.as_str().context("a type is no text")?)?;
        Ok(Column { name: name.clone(), data_type, nullable: None, comment: None, partition_key: false })
    });
    let schema = TableSchema { columns: columns.collect::<Result<_>>()?, provenance: Provenance::Catalog };
    let written = table["rows"].as_array().context("`rows` is missing")?.clone();
    let rows = written.iter().map(|row| {
        let cells = row.as_array().context("a row is no list")?;
        ensure!(cells.len() == schema.columns.len(), "{row} has another number of cells than there are columns");
        let named = schema.columns.iter().zip(cells);
        named.map(|(column, cell)| Ok((column.name.clone(), value(cell, &column.data_type)?))).collect()
    });
    let rows = rows.collect::<Result<_>>()?;
    Ok(Table { schema, written, rows })
}

/// A cell. Doubles that JSON has no number for, decimals, dates and timestamps are texts.
fn value(cell: &Json, data_type: &DataType) -> Result<Value> {
    Ok(match (cell, data_type) {
        (Json::Null, _) => Value::Null,
        (Json::Bool(truth), DataType::Boolean) => Value::Boolean(*truth),
        (Json::String(text), DataType::Float) => Value::Double(f64::from(text.parse::<f32>()?)),
        (Json::String(text), DataType::Double) => Value::Double(text.parse()?),
        (Json::Number(number), _) if data_type.is_integer() => Value::Int(number.as_i64().context("no whole number")?),
        (Json::String(text), _) if data_type.is_text() => Value::String(text.clone()),
        (Json::Array(items), DataType::Array(element)) => {
            Value::Array(items.iter().map(|item| value(item, element)).collect::<Result<_>>()?)
        }
        (Json::String(text), _) => {
            let cast = parse(&format!("cast('{text}' AS {data_type})"), Syntax::Rule, &AnyColumn)
                .map_err(|error| anyhow::anyhow!("{error}"))?;
            match eval(&cast, &HashMap::<String, Value>::new())? {
                Value::Null => bail!("`{text}` is no {data_type}"),
                value => value,
            }
        }
        _ => bail!("{cell} is no {data_type}"),
    })
}

fn case(id: String, case: &Json, tables: &BTreeMap<String, Table>) -> Result<Case> {
    let table = case["table"].as_str().context("`table` is missing")?.to_owned();
    let schema = &tables.get(&table).with_context(|| format!("there is no table {table}"))?.schema;
    let ids = |key: &str| -> Result<Vec<i64>> {
        let listed = case[key].as_array().map(Vec::as_slice).unwrap_or_default().iter();
        listed.map(|id| id.as_i64().with_context(|| format!("`{key}` lists no row numbers"))).collect()
    };
    let asks = match (&case["rule"], &case["expression"]) {
        (Json::Object(_), Json::Null) if case.get("violates").is_some() => {
            Asks::Row { rule: Box::new(rule(&case["rule"])?), violates: ids("violates")? }
        }
        (Json::Object(_), Json::Null) => Asks::Table {
            rule: Box::new(rule(&case["rule"])?),
            outcome: case["outcome"].as_str().context("neither `violates` nor `outcome` is stated")?.to_owned(),
            violations: case["violations"].as_u64(),
            history: case["history"].as_array().into_iter().flatten().filter_map(Json::as_u64).collect(),
        },
        (Json::Null, Json::String(text)) => {
            let syntax = match case["dialect"].as_str() {
                None => Syntax::Rule,
                Some("spark") => Syntax::Spark,
                Some("trino") => Syntax::Trino,
                Some(other) => bail!("`dialect` is {other}"),
            };
            let expr = parse(text, syntax, schema).map_err(|error| anyhow::anyhow!("{error}"))?;
            Asks::Predicate { expr, holds: ids("true")?, unknown: ids("null")? }
        }
        _ => bail!("it states neither a `rule` nor an `expression`"),
    };
    Ok(Case { id, table, asks })
}

/// A rule as a contract's `table_level_checks` holds it.
fn rule(rule: &Json) -> Result<Rule> {
    let (contract, problems) = Contract::from_value(json!({"table_name": "t", "table_level_checks": [rule]}))?;
    if let Some(problem) = problems.first() {
        bail!("{problem}");
    }
    contract.rules().next().cloned().context("it states no rule")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use contract::rule::kinds::KINDS;

    use super::*;

    #[test]
    fn each_kind_of_rule_is_seen_to_be_violated_and_to_hold() {
        let stated = read().unwrap();
        let mut seen: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
        for case in &stated.cases {
            let rows = stated.tables[&case.table].rows.len();
            let (rule, violated, holds) = match &case.asks {
                Asks::Row { rule, violates } => (rule, !violates.is_empty(), violates.len() < rows),
                Asks::Table { rule, outcome, .. } => (rule, outcome == "failed", outcome == "passed"),
                Asks::Predicate { .. } => continue,
            };
            let entry = seen.entry(rule.kind.name()).or_default();
            *entry = (entry.0 || violated, entry.1 || holds);
        }
        for kind in KINDS {
            assert_eq!(
                seen.get(kind.name),
                Some(&(true, true)),
                "{}: cases that violate it, and that do not",
                kind.name
            );
        }
    }
}
