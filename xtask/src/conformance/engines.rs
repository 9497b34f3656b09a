//! The engines that are asked, each by a program that reads a request and writes its answers.
//!
//! A request is `{"folder", "database", "memory_gb", "tables": [{"name", "columns": [{"name", "type"}], "rows", "select"}],
//! "questions": [{"id", "sql", "parts"}]}`. Before any of them is asked, the embedded engine's program writes each table to
//! `folder/lake/<database>/<table>/`: its `rows`, or what the query `select` yields; all engines read these files. An
//! answer is `{"engines": {NAME: {"version", "answers": {ID: {"rows": [[CELL]], "seconds"} | {"error", "seconds"}}}}}`. A
//! cell is a JSON value; `{"double"}` and `{"decimal"}` hold texts, `{"date"}` days and `{"timestamp"}` microseconds
//! since 1970.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use contract::expr::print::Dialect;
use contract::value::Value;
use serde_json::{Map, Value as Json, json};

use super::cases::Table;
use super::plan::{Answer, DATABASE, Plan};
use crate::cache::Cache;
use crate::{command, piece, repository};

/// What may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// The row evaluator of `contract`, which is the meaning of an expression.
    Rows,
    /// The embedded engine.
    Datafusion,
    /// Spark as Glue runs it, with ANSI mode off and on, in two time zones.
    Spark,
    /// Trino, the engine of Athena.
    Trino,
}

/// What one engine, in one setting, answered.
pub(super) struct Answered {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) answers: HashMap<String, Answer>,
}

/// Past this an engine is stuck.
const LIMIT: Duration = Duration::from_secs(30 * 60);

impl Engine {
    /// What it understands; `None` for the row evaluator, which is asked no SQL.
    pub(crate) fn dialect(self) -> Option<Dialect> {
        match self {
            Engine::Rows => None,
            Engine::Datafusion => Some(Dialect::DataFusion),
            Engine::Spark => Some(Dialect::Spark),
            Engine::Trino => Some(Dialect::Trino),
        }
    }
}

/// How the embedded engine's program is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// As tests are.
    Debug,
    /// As it is shipped.
    Release,
}

/// Writes the Parquet files that all engines read.
pub(super) fn write_tables(folder: &Path, tables: &BTreeMap<String, Table>) -> Result<()> {
    write(folder, &request(folder, tables, &[]), Build::Debug)
}

/// Writes the Parquet files of a request, with a catalog entry for each table.
pub(crate) fn write(folder: &Path, request: &Json, build: Build) -> Result<()> {
    let file = folder.join("tables.json");
    fs::write(&file, request.to_string())?;
    let mut command = embedded(build)?;
    command.arg("write").arg(&file);
    command::require(command, &folder.join("tables.log"), LIMIT).map(|_| ())
}

/// Asks an engine; several answer where it is asked in several settings.
pub(super) fn ask(
    engine: Engine,
    folder: &Path,
    tables: &BTreeMap<String, Table>,
    plan: &Plan,
) -> Result<Vec<Answered>> {
    let answers = answers(engine, folder, &request(folder, tables, &plan.questions), Build::Debug)?;
    answers.iter().map(|(name, answered)| read(name, answered)).collect()
}

/// What an engine answers to a request: an object for each of its settings, as it came.
pub(crate) fn answers(engine: Engine, folder: &Path, request: &Json, build: Build) -> Result<Map<String, Json>> {
    let name = format!("{engine:?}").to_lowercase();
    let [file, answers, log] = ["request.json", "answers.json", "log"].map(|end| folder.join(format!("{name}.{end}")));
    fs::write(&file, request.to_string())?;
    let mut command = match engine {
        Engine::Rows => bail!("the row evaluator is asked no SQL"),
        Engine::Datafusion => {
            let mut command = embedded(build)?;
            command.arg("ask");
            command
        }
        Engine::Spark => python(&["spark"], "{spark}/bin/python", "spark.py")?,
        Engine::Trino => {
            let mut command = python(&["trino"], "{trino}/python/bin/python", "trino.py")?;
            command.env("TRINO_SERVER", Cache::open()?.folder("trino").join("server"));
            command
        }
    };
    command.arg(&file).arg(&answers);
    command::require(command, &log, LIMIT).with_context(|| format!("asking {name}"))?;
    let answers: Json =
        serde_json::from_slice(&fs::read(&answers)?).with_context(|| format!("the answers of {name}"))?;
    answers["engines"].as_object().cloned().context("the answers name no engine")
}

/// A program of `tests/conformance` with the Python of a piece, which is set up first.
fn python(pieces: &[&str], program: &str, script: &str) -> Result<Command> {
    let cache = Cache::open()?;
    for name in pieces {
        let piece = piece::named(name)?;
        for need in piece.needs {
            piece::set_up(piece::named(need)?, &cache)?;
        }
        piece::set_up(piece, &cache)?;
    }
    let mut command = Command::new(piece::with_folders(program, &cache));
    command.arg(repository::root().join("tests/conformance").join(script));
    Ok(command)
}

/// The embedded engine's program, an example of the crate that links it. `cargo run` would link it with other features
/// than the workspace's builds do, and so compile the engine anew.
fn embedded(build: Build) -> Result<Command> {
    let mut cargo = Command::new(repository::cargo());
    cargo.args(["build", "--quiet", "--package", "engine", "--package", "de-copilot", "--example", "conformance"]);
    let profile = match build {
        Build::Debug => "debug",
        Build::Release => {
            cargo.arg("--release");
            "release"
        }
    };
    let built = cargo.current_dir(repository::root()).status().context("cannot start cargo")?;
    ensure!(built.success(), "the embedded engine's example does not build");
    Ok(Command::new(repository::binary(profile)?.with_file_name("examples").join("conformance")))
}

fn request(folder: &Path, tables: &BTreeMap<String, Table>, questions: &[Json]) -> Json {
    let tables = tables.iter().map(|(name, table)| {
        let columns = table.schema.columns.iter();
        let columns = columns.map(|column| json!({"name": column.name, "type": column.data_type.to_string()}));
        json!({"name": name, "columns": columns.collect::<Vec<_>>(), "rows": table.written})
    });
    json!({"folder": folder, "database": DATABASE, "tables": tables.collect::<Vec<_>>(), "questions": questions})
}

fn read(name: &str, answered: &Json) -> Result<Answered> {
    let answers = answered["answers"].as_object().with_context(|| format!("{name} answers nothing"))?.iter();
    let answers = answers.map(|(id, answer)| {
        let read = match answer["error"].as_str() {
            Some(error) => Err(error.lines().next().unwrap_or_default().to_owned()),
            None => Ok(self::answer(&answer["rows"]).with_context(|| format!("{name}, {id}"))?),
        };
        Ok((id.clone(), read))
    });
    let version = answered["version"].as_str().unwrap_or("unknown").to_owned();
    Ok(Answered { name: name.to_owned(), version, answers: answers.collect::<Result<_>>()? })
}

fn answer(rows: &Json) -> Result<Vec<Vec<Value>>> {
    let rows = rows.as_array().context("no rows")?.iter();
    rows.map(|row| row.as_array().context("a row is no list")?.iter().map(cell).collect()).collect()
}

fn cell(cell: &Json) -> Result<Value> {
    Ok(match cell {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Boolean(*truth),
        Json::Number(number) => Value::Int(number.as_i64().context("no whole number")?),
        Json::String(text) => Value::String(text.clone()),
        Json::Object(tagged) => match tagged.iter().next() {
            Some((tag, Json::String(text))) if tag == "double" => Value::Double(text.parse()?),
            Some((tag, Json::String(text))) if tag == "decimal" => {
                let digits: String = text.chars().filter(|c| *c != '.').collect();
                let scale = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
                Value::Decimal(digits.parse()?, u8::try_from(scale)?)
            }
            Some((tag, Json::Number(days))) if tag == "date" => {
                Value::Date(i32::try_from(days.as_i64().context("no day")?)?)
            }
            Some((tag, Json::Number(micros))) if tag == "timestamp" => {
                Value::Timestamp(micros.as_i64().context("no instant")?)
            }
            _ => bail!("{cell} is no cell"),
        },
        Json::Array(_) => bail!("{cell} is no cell"),
    })
}
