//! `run`: the whole pipeline.

use engine::Result;
use engine::generator;
use engine::stage::pipeline::{self, RunOptions, RunReport};
use engine::stage::postload::Status;
use owo_colors::OwoColorize;

use super::init::unknowns_text;
use crate::folder::Folder;
use crate::output::{self, Common, Format, counted, verdict};
use crate::progress::Spinner;

/// Run everything, for some tables or all: analyze, profile, generate, load what arrives, test
///
/// A table that cannot be finished does not stop the others. The exit code is 1 where a test of severity `error` fails.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  de-copilot run --project my-project --format json")]
pub(crate) struct Arguments {
    /// `table` or `database.table`; all tables where none is named
    #[arg(value_name = "TABLE")]
    tables: Vec<String>,
    /// Identifies the run in the results; the same again replaces it
    #[arg(long, value_name = "ID")]
    run_id: Option<String>,
    #[command(flatten)]
    common: Common,
}

pub(super) async fn run(Arguments { tables, run_id, common }: Arguments) -> Result<u8> {
    let folder = Folder::open(&common.project)?;
    let options = RunOptions { tables, run_id };
    let generator = generator::from_settings(&folder.project.settings.generate);
    let spinner = Spinner::new();
    let report = pipeline::run(&folder.project, &folder.lake, &*generator, &options, &spinner).await?;
    drop(spinner);
    if report.tables.is_empty() {
        return Err(folder.no_table());
    }
    match common.format {
        Format::Json => output::json(&report),
        Format::Text => output::print(text(&report)),
    }
    for run in &report.tables {
        if let Some(error) = &run.error {
            output::note(format!("{} {}: {error}", "error:".red().bold(), run.table));
        }
    }
    Ok(report.exit_code())
}

fn text(report: &RunReport) -> String {
    let mut text = String::new();
    for stage in &report.stages {
        let mark = if stage.ok { "✓".green().to_string() } else { "✗".red().to_string() };
        let table = stage.table.as_ref().map(|table| format!("{table}: ")).unwrap_or_default();
        text.push_str(&format!("{mark} {:<9} {:>6.2} s  {table}{}\n", stage.name, stage.seconds, stage.summary));
    }
    let mut table = output::table(["table", "kept", "refused", "passed", "failed", "not run"]);
    for run in &report.tables {
        let kept = run.verdicts.iter().filter(|verdict| verdict.kept).count();
        let count = |status| run.postload.as_ref().map_or(0, |run| run.count(status));
        let (failed, errored) = (count(Status::Failed), count(Status::Errored));
        table.add_row([
            run.table.to_string().into(),
            kept.into(),
            (run.verdicts.len() - kept).into(),
            count(Status::Passed).into(),
            verdict(failed == 0, failed),
            verdict(errored == 0, errored),
        ]);
    }
    text.push_str(&format!("\n{table}\n"));
    for run in &report.tables {
        for test in run.postload.iter().flat_map(|run| &run.tests).filter(|test| test.status == Status::Failed) {
            let word =
                if test.severity == "warn" { "warning:".yellow().to_string() } else { "failed:".red().to_string() };
            text.push_str(&format!("{word} {} {}: {}\n", run.table, test.name, test.message));
        }
    }
    for note in report.tables.iter().filter_map(|run| run.postload.as_ref()).flat_map(|run| &run.notes) {
        text.push_str(&format!("{} {note}\n", "note:".yellow()));
    }
    text.push_str(&unknowns_text(&report.unknowns));
    text.push_str(&format!("\nwrote {}\n", counted(report.artifacts.len() as u64, "artifact")));
    report.artifacts.iter().for_each(|artifact| text.push_str(&format!("  {artifact}\n")));
    text
}
