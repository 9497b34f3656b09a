//! `cargo xtask conformance`: one rule means one thing on every engine.
//!
//! [`cases`] reads what `tests/conformance` states, [`generated`] adds predicates made up at random, [`plan`] spells each
//! case for each engine, [`engines`] asks them over the same Parquet files, and [`report`] holds the answers against what
//! is expected. With `--list`, [`list`] prints the expressions of a list as SQL for every engine and asks nobody.

mod cases;
pub(crate) mod engines;
mod generated;
mod list;
mod plan;
mod report;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::ValueEnum;

use crate::output::{self, Format};
use engines::Engine;

/// What `cargo xtask conformance` understands.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Print a list's expressions for every engine instead: a JSON list of {"id", "expression", "dialect":
    /// "spark|trino|unknown", "columns": {NAME: TYPE}}
    #[arg(long, value_name = "FILE", conflicts_with_all = ["engine", "case"])]
    list: Option<PathBuf>,
    /// The engines to ask; all where absent
    #[arg(long, value_enum, value_name = "NAME")]
    engine: Vec<Engine>,
    /// Only cases whose names contain this
    #[arg(long, value_name = "TEXT")]
    case: Option<String>,
    /// Predicates made up at random: 400 are enough for each kind of expression to meet each kind of column several times
    #[arg(long, value_name = "N", default_value_t = 400)]
    generated: usize,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Asks the engines and prints where they differ from what is stated. True where they do not.
///
/// Errors name the data file and case that cannot be read, or the engine that cannot be asked.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    if let Some(path) = &arguments.list {
        return list::run(path, arguments.format);
    }
    let stated = cases::read()?;
    let mut chosen = stated.cases;
    chosen.extend(generated::cases(&stated.tables, arguments.generated)?);
    if let Some(part) = &arguments.case {
        chosen.retain(|case| case.id.contains(part.as_str()));
        ensure!(!chosen.is_empty(), "no case has a name with `{part}` in it");
    }
    let asked: Vec<Engine> = match arguments.engine.as_slice() {
        [] => Engine::value_variants().to_vec(),
        some => some.to_vec(),
    };
    let report = report::of(&stated.tables, &chosen, &asked)?;
    match arguments.format {
        Format::Json => output::line(&format!("{:#}", report.to_json()?)),
        Format::Text => report.print()?,
    }
    Ok(report.agrees())
}
