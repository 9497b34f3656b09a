//! `cargo xtask oracle`: Spark says whether what the analyzer says of programs is true.
//!
//! `tests/oracle` makes the programs, runs them under PySpark on rows made to contradict, and compares: columns, types,
//! sources by expression id, what is never NULL, and proved grain. An example of the analyzer says the facts.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde_json::{Map, Value};

use crate::cache::Cache;
use crate::output::Format;
use crate::{command, output, piece, repository};

/// What `cargo xtask oracle` understands.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which programs; all that need no folder where absent
    #[arg(value_enum)]
    kinds: Vec<Kind>,
    /// A folder of real scripts with an `index.json`, as the analyzer's example `corpus` reads it
    #[arg(long, required_if_eq("kinds", "corpus"))]
    scripts: Option<PathBuf>,
    /// How many programs of each kind that is made up
    #[arg(long, default_value_t = 200)]
    count: usize,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// The cases of tests/spec.
    Spec,
    /// Programs made up at random.
    Generated,
    /// Such programs with one name, key or step changed: what Spark then refuses, the analyzer must see.
    Mutants,
    /// Real scripts from `--scripts` that import only PySpark, awsglue and the standard library, without a network.
    Corpus,
}

/// What became of a program, in the order of the table.
const VERDICTS: [&str; 4] = ["agree", "differ", "unknown", "not run"];

/// A whole run of one kind; Spark starts once.
const LIMIT: Duration = Duration::from_secs(60 * 60);

/// Asks Spark and prints what it says. True where it contradicts nothing.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let kinds =
        if arguments.kinds.is_empty() { &[Kind::Spec, Kind::Generated, Kind::Mutants] } else { &*arguments.kinds };
    let cache = Cache::open()?;
    for name in ["python", "spark"] {
        piece::set_up(piece::named(name)?, &cache)?;
    }
    let interface = interface()?;
    let mut reports = Map::new();
    for kind in kinds {
        let name = format!("{kind:?}").to_lowercase();
        let folder = tempfile::tempdir()?;
        let report = folder.path().join("report.json");
        let python = piece::with_folders("{spark}/bin/python", &cache);
        let mut spark = match kind {
            Kind::Corpus => without_network(&python),
            _ => Command::new(python),
        };
        spark.arg(repository::root().join("tests/oracle/oracle.py")).arg(&name);
        match (kind, &arguments.scripts) {
            (Kind::Corpus, Some(folder)) => spark.arg(std::path::absolute(folder)?),
            _ => spark.arg(arguments.count.to_string()),
        };
        spark.arg(&interface).arg(&report);
        command::require(spark, &folder.path().join("log"), LIMIT).with_context(|| format!("asking about {name}"))?;
        reports.insert(name, serde_json::from_slice(&fs::read(&report)?)?);
    }
    let contradicted = reports.values().map(|report| count(report, "differ")).sum::<usize>();
    match arguments.format {
        Format::Json => output::line(&format!("{:#}", Value::from(reports))),
        Format::Text => print(&reports),
    }
    Ok(contradicted == 0)
}

/// The program in a network of its own, in which nothing is but itself: what other people wrote is run there.
fn without_network(program: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--net", program]);
    command
}

/// Builds the analyzer's example that says the facts.
fn interface() -> Result<PathBuf> {
    let mut build = Command::new(repository::cargo());
    build.args(["build", "--quiet", "--package", "analyzer", "--example", "interface"]);
    let built = build.current_dir(repository::root()).status().context("cannot start cargo")?;
    ensure!(built.success(), "the analyzer's example does not build");
    Ok(repository::binary("debug")?.with_file_name("examples").join("interface"))
}

fn programs(report: &Value) -> impl Iterator<Item = &Value> {
    report["programs"].as_array().into_iter().flatten()
}

fn count(report: &Value, verdict: &str) -> usize {
    programs(report).filter(|program| program["verdict"] == verdict).count()
}

/// A line for each program that Spark contradicts or that is not known, then a table.
fn print(reports: &Map<String, Value>) {
    for program in reports.values().flat_map(programs).filter(|program| program["verdict"] != "agree") {
        let why = program["why"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
        let [verdict, id] = ["verdict", "id"].map(|key| program[key].as_str().unwrap_or("?"));
        output::line(&format!("{verdict}: {id}\n  {}", why.join("\n  ")));
    }
    let rows = reports.iter().map(|(kind, report)| {
        let facts = programs(report).filter_map(|program| program["facts"].as_u64()).sum::<u64>();
        let [agree, differ, unknown, not_run] = VERDICTS.map(|verdict| count(report, verdict).to_string());
        [kind.clone(), agree, differ, unknown, not_run, facts.to_string()]
    });
    output::table(["programs", "agree", "differ", "unknown", "not run", "facts"], rows);
    let [agree, differ, unknown, not_run] =
        VERDICTS.map(|verdict| reports.values().map(|report| count(report, verdict)).sum::<usize>());
    output::line(&format!("{agree} passed, {differ} failed, {} skipped", unknown + not_run));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn programs_are_counted_by_verdict() {
        let report = json!({"programs": [{"verdict": "agree"}, {"verdict": "differ"}, {"verdict": "agree"}]});
        assert_eq!(VERDICTS.map(|verdict| count(&report, verdict)), [2, 1, 0, 0]);
    }
}
