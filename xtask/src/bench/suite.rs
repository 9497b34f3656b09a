//! What testing a wide table costs: the fused queries of its tests against one bare scan, and against a query per test.

use std::path::Path;

use anyhow::{Context, Result, bail};
use contract::compile::check::check;
use contract::compile::suite::{SuitePlan, Target, plan};
use contract::document::Contract;
use contract::expr::print::{Dialect, quote_name};
use contract::schema::{Column, Provenance, TableName, TableSchema};
use contract::types::DataType;
use serde_json::{Map, Value as Json, json};

use super::{Arguments, Figure, Outcome};
use crate::conformance::engines::{self, Build, Engine};
use crate::repository;

const DATABASE: &str = "bench";

/// The instant that the queries are bound to: 2026-03-01T12:00:00Z. The newest timestamp of the table is an hour before.
const NOW_MICROS: i64 = 1_772_366_400_000_000;

/// Rows of the table that the foreign key refers to.
const REFERENCED: u64 = 10_000;

/// How often the bare scan and the fused queries run; the fastest of each counts, so that the files are in memory.
const RUNS: usize = 3;

/// Heap of Trino, in 2^30 bytes.
const MEMORY_GB: u64 = 8;

/// Tests the 30 columns of `tests/conformance/wide_table.json` with its 60 rules, over so many rows, on the embedded
/// engine and on Trino.
///
/// Errors name the engine and the query that failed.
pub(super) fn suite(arguments: &Arguments) -> Result<Outcome> {
    let rows = arguments.rows;
    let file = repository::root().join("tests/conformance/wide_table.json");
    let table: Json = serde_json::from_str(&std::fs::read_to_string(&file)?)?;
    let schema = schema(&table["columns"])?;
    let document = json!({"table_name": "wide", "table_level_checks": table["rules"]});
    let (contract, problems) = Contract::from_value(document)?;
    if let Some(problem) = problems.first() {
        bail!("{}: {problem}", file.display());
    }
    let folder = tempfile::tempdir()?;
    let tables = tables(&schema, rows);
    engines::write(folder.path(), &request(folder.path(), &tables, &[]), Build::Release)?;
    let mut figures = Vec::new();
    for engine in [Engine::Datafusion, Engine::Trino] {
        let dialect = engine.dialect().context("it understands SQL")?;
        let checks = contract.rules().map(|rule| Ok((rule, check(rule, &schema)?)));
        let checks = checks.collect::<Result<Vec<_>>>()?;
        let fused = planned(&checks, dialect)?;
        let single = checks.iter().map(|check| planned(std::slice::from_ref(check), dialect));
        let single = single.collect::<Result<Vec<_>>>()?;

        let bare = bare(&schema, dialect);
        let mut questions = Vec::new();
        for run in 0..RUNS {
            questions.push(json!({"id": format!("bare {run}"), "sql": bare}));
            for (number, query) in fused.queries.iter().enumerate() {
                questions.push(json!({"id": format!("fused {number} {run}"), "sql": query.sql}));
            }
        }
        let alone = single.iter().flat_map(|plan| &plan.queries).enumerate();
        questions.extend(alone.map(|(number, query)| json!({"id": format!("single {number}"), "sql": query.sql})));
        let request = request(folder.path(), &tables, &questions);
        let answered = engines::answers(engine, folder.path(), &request, Build::Release)?;
        let (name, answered) = answered.iter().next().context("no engine answered")?;
        figures.extend(measured(name, &fused, &answered["answers"])?);
    }
    Ok(Outcome::Figures(figures))
}

/// The figures of one engine out of its answers.
fn measured(engine: &str, fused: &SuitePlan, answers: &Json) -> Result<Vec<Figure>> {
    let answers = answers.as_object().context("an engine answered nothing")?;
    let bare = fastest(engine, answers, "bare ")?;
    let each = (0..fused.queries.len()).map(|number| fastest(engine, answers, &format!("fused {number} ")));
    let each = each.collect::<Result<Vec<f64>>>()?;
    let scan = fused.queries.iter().position(|query| query.readings.len() > 10).context("no query is a fused scan")?;
    let scan = each.get(scan).copied().context("the scan was not asked")?;
    let single: Vec<f64> = answers
        .iter()
        .filter(|(id, _)| id.starts_with("single "))
        .map(|(id, answer)| seconds(engine, id, answer))
        .collect::<Result<_>>()?;
    let (suite, alone): (f64, f64) = (each.iter().sum(), single.iter().sum());
    let figure =
        |what: String, value: f64, unit: &str| Figure { name: format!("{engine}, {what}"), value, unit: unit.into() };
    Ok(vec![
        figure("bare scan of all columns".into(), bare, "s"),
        figure("fused scan".into(), scan, "s"),
        figure("fused scan to bare scan".into(), scan / bare, "×"),
        figure(format!("all tests in {} queries", each.len()), suite, "s"),
        figure("all tests to bare scan".into(), suite / bare, "×"),
        figure(format!("a query per test, {} queries", single.len()), alone, "s"),
        figure("a query per test to bare scan".into(), alone / bare, "×"),
    ])
}

fn fastest(engine: &str, answers: &Map<String, Json>, prefix: &str) -> Result<f64> {
    let runs = answers.iter().filter(|(id, _)| id.starts_with(prefix));
    let runs = runs.map(|(id, answer)| seconds(engine, id, answer)).collect::<Result<Vec<f64>>>()?;
    runs.into_iter().reduce(f64::min).with_context(|| format!("{engine} answered no `{prefix}`"))
}

fn seconds(engine: &str, id: &str, answer: &Json) -> Result<f64> {
    if let Some(error) = answer["error"].as_str() {
        bail!("{engine}, query `{id}`: {error}");
    }
    answer["seconds"].as_f64().with_context(|| format!("{engine} does not say how long `{id}` took"))
}

fn planned(checks: &[(&contract::rule::Rule, contract::compile::Check)], dialect: Dialect) -> Result<SuitePlan> {
    let target = Target {
        table: &TableName::new(DATABASE, "wide"),
        dialect,
        now_micros: Some(NOW_MICROS),
        restriction: &|_| None,
        resolve: &|name| TableName::new(DATABASE, name),
    };
    let plan = plan(&target, checks);
    match plan.refused.first() {
        None => Ok(plan),
        Some((rule, reason)) => bail!("{rule} cannot be asked of {dialect:?}: {reason}"),
    }
}

/// Reads every column and keeps one number of each: its NULLs, which no file answers from its metadata.
fn bare(schema: &TableSchema, dialect: Dialect) -> String {
    let nulls = schema.columns.iter().map(|column| {
        let name = quote_name(&column.name, dialect);
        format!("sum(CASE WHEN {name} IS NULL THEN 1 ELSE 0 END)")
    });
    format!("SELECT {} FROM {DATABASE}.wide", nulls.collect::<Vec<_>>().join(", "))
}

fn schema(columns: &Json) -> Result<TableSchema> {
    let columns = columns.as_object().context("`columns` is missing")?.iter().map(|(name, written)| {
        let data_type = DataType::parse(written.as_str().context("a type is no text")?)?;
        Ok(Column { name: name.clone(), data_type, nullable: None, comment: None, partition_key: false })
    });
    Ok(TableSchema { columns: columns.collect::<Result<_>>()?, provenance: Provenance::Catalog })
}

/// The wide table and the one that it refers to, as queries that make their rows: in each column one value in twenty or
/// fewer is NULL, and the rules hold.
fn tables(schema: &TableSchema, rows: u64) -> Vec<Json> {
    let columns = schema.columns.iter().enumerate().map(|(number, column)| {
        let (name, factor) = (&column.name, number + 1);
        let made = match (&column.data_type, name.as_str()) {
            (DataType::Double, "n9") => "1000000.0 - (i % 7) / 10.0".to_owned(),
            (DataType::Double, _) => format!("CASE WHEN (i * {factor}) % 23 > 0 THEN (i * {factor} % 99991) / 7.0 END"),
            (DataType::Date, _) => format!("arrow_cast(arrow_cast(19000 + i % {}, 'Int32'), 'Date32')", 365 * factor),
            (DataType::Timestamp, _) => {
                let micros = format!("{NOW_MICROS} - 3600000000 - (i * {factor} % 31536000) * 1000000");
                format!("arrow_cast({micros}, 'Timestamp(Microsecond, Some(\"UTC\"))')")
            }
            (_, "t8") => format!("'K' || CAST(i % {REFERENCED} AS varchar)"),
            (_, "t9") => "'P' || CAST(i AS varchar)".to_owned(),
            (_, "t0" | "t1" | "t2" | "t3" | "t4") => format!("substr('ABC', CAST(1 + (i / {factor}) % 3 AS int), 1)"),
            _ => format!("'Text ' || CAST(i * {factor} % 5000 AS varchar)"),
        };
        format!("{made} AS {name}")
    });
    let select = columns.collect::<Vec<_>>().join(", ");
    let typed = |columns: &[Column]| -> Vec<Json> {
        columns.iter().map(|column| json!({"name": column.name, "type": column.data_type.to_string()})).collect()
    };
    let series = |rows: u64| format!("generate_series(0, {}) AS series(i)", rows.saturating_sub(1));
    vec![
        json!({
            "name": "wide",
            "columns": typed(&schema.columns),
            "select": format!("SELECT {select} FROM {}", series(rows)),
        }),
        json!({
            "name": "dim",
            "columns": [{"name": "id", "type": "string"}],
            "select": format!("SELECT 'K' || CAST(i AS varchar) AS id FROM {}", series(REFERENCED)),
        }),
    ]
}

fn request(folder: &Path, tables: &[Json], questions: &[Json]) -> Json {
    json!({
        "folder": folder,
        "database": DATABASE,
        "memory_gb": MEMORY_GB,
        "tables": tables,
        "questions": questions,
    })
}
