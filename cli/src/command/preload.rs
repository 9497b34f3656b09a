//! `preload`: incoming files, split into good rows and quarantine.

use std::path::{Path, PathBuf};

use contract::schema::TableName;
use engine::lake::Lake;
use engine::stage::pipeline;
use engine::stage::preload::{Preload, PreloadOptions, preload};
use engine::{Error, Result};
use indicatif::HumanCount;
use owo_colors::OwoColorize;
use serde_json::json;

use crate::folder::Folder;
use crate::output::{self, Common, Format, counted, verdict};
use crate::progress::Spinner;

/// Split incoming files into good rows and quarantine, and load the good ones
///
/// Each file is one load and is loaded once: the same file again changes nothing, a corrected one is loaded. Where too
/// large a share of its rows is bad, the load stops (exit code 1) and nothing of the file is loaded.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  de-copilot preload analytics_db.loan_repayment_fact incoming/2024-01-17.csv incoming/2024-01-18.csv"
)]
pub(crate) struct Arguments {
    /// `table` or `database.table`
    table: String,
    /// CSV, JSON lines or Parquet, gzip or not; what `[incoming]` says of the table where none is named
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Largest share of bad rows, 0 to 1, instead of `[preload].max_bad_share`
    #[arg(long, value_name = "SHARE")]
    max_bad_share: Option<f64>,
    #[command(flatten)]
    common: Common,
}

pub(super) async fn run(Arguments { table, files, max_bad_share, common }: Arguments) -> Result<u8> {
    if max_bad_share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
        return Err(Error::input("--max-bad-share", "is no share", "write a number from 0 to 1"));
    }
    let folder = Folder::open(&common.project)?;
    let table = folder.one_table(&table).await?;
    let files = match files.is_empty() {
        true => arriving(&folder, &table).await?,
        false => files.iter().map(|file| existing(file)).collect::<Result<_>>()?,
    };
    let options = PreloadOptions { max_bad_share };
    let (mut code, mut documents) = (0, Vec::new());
    let spinner = Spinner::new();
    for file in files {
        spinner.doing(format!("preload {}", file.display()));
        let loaded = preload(&folder.project, &folder.lake, &table, &file, &options).await;
        spinner.done();
        match loaded {
            // The other files can still be loaded; the exit code tells that one was not.
            Err(error) => {
                output::error(&error);
                code = code.max(output::exit_code(&error));
                documents.push(json!({ "file": file, "error": error.to_string() }));
            }
            Ok(loaded) => {
                code = code.max(u8::from(loaded.stopped.is_some()));
                match common.format {
                    Format::Json => documents.push(json!(loaded)),
                    Format::Text => output::print(text(&folder, &loaded)),
                }
            }
        }
    }
    if common.format == Format::Json {
        output::json(&documents);
    }
    Ok(code)
}

/// The files that the settings name for a table.
async fn arriving(folder: &Folder, table: &TableName) -> Result<Vec<PathBuf>> {
    let all = folder.lake.catalog().tables().await?;
    let files = pipeline::incoming(&folder.project, table, &all)?;
    if files.is_empty() {
        let next = format!("name files, or set `\"{table}\" = \"path/to/files\"` under [incoming] in de-copilot.toml");
        return Err(Error::input(format!("table {table}"), "no setting says which files arrive for it", next));
    }
    Ok(files)
}

/// A file that was named from where the program runs; the project's own paths count from its folder.
fn existing(file: &Path) -> Result<PathBuf> {
    file.canonicalize().map_err(|error| Error::input(file.display(), error, "check the path"))
}

fn text(folder: &Folder, loaded: &Preload) -> String {
    let fate = match &loaded.stopped {
        _ if loaded.already_loaded => "loaded before, nothing to do".yellow().to_string(),
        Some(reason) => format!("{}: {reason}", "stopped".red()),
        None => "loaded".green().to_string(),
    };
    let mut text = format!(
        "{}  {} = {} good + {} quarantined, {fate}\n",
        loaded.file.bold(),
        counted(loaded.input, "row"),
        HumanCount(loaded.good),
        HumanCount(loaded.quarantined)
    );
    let violated: Vec<_> = loaded.rules.iter().filter(|rule| rule.violations > 0).collect();
    if !violated.is_empty() {
        let mut table = output::table(["rule", "mode", "rows"]);
        for rule in violated {
            table.add_row([
                rule.rule_id.clone().into(),
                rule.mode.clone().into(),
                verdict(rule.mode == "observe", rule.violations),
            ]);
        }
        text.push_str(&format!("{table}\n"));
    }
    loaded.notes.iter().for_each(|note| text.push_str(&format!("{} {note}\n", "note:".yellow())));
    if let Some(key) = &loaded.quarantine {
        text.push_str(&format!("quarantine: {}\n", folder.lake.store().locate(key)));
    }
    text
}
