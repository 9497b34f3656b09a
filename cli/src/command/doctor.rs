//! `doctor`: what is known of a project, from where, how old, and what would make it better.

use chrono::{DateTime, Utc};
use contract::document::TestSuite;
use contract::schema::{Provenance, TableName};
use engine::Result;
use engine::lake::{Catalog, Lake, Limits};
use engine::project::Unknown;
use engine::stage::analyze;
use engine::stage::artifacts::{self, Keys, read_text};
use engine::stage::history::{self, DayHistory};
use indicatif::DecimalBytes;
use owo_colors::OwoColorize;
use serde::Serialize;

use super::init::unknowns_text;
use crate::folder::Folder;
use crate::output::{self, Common, Format, counted, verdict};

/// What is known, from where, how old, and what would make it better
///
/// Looks at settings, lake, scripts, artifact store and the query process, and changes nothing.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  de-copilot doctor --project my-project")]
pub(crate) struct Arguments {
    #[command(flatten)]
    common: Common,
}

/// The report.
#[derive(Serialize)]
struct Report {
    version: &'static str,
    settings: Option<String>,
    environment: Option<String>,
    lake: String,
    store: String,
    scripts: Vec<ScriptReport>,
    tables: Vec<TableReport>,
    unknowns: Vec<Unknown>,
    /// What does not work, or would make it better.
    advice: Vec<String>,
    #[serde(skip)]
    exit_code: u8,
}

#[derive(Serialize)]
struct ScriptReport {
    script: String,
    reads: Vec<String>,
    writes: Vec<String>,
    diagnostics: usize,
}

#[derive(Serialize)]
struct TableReport {
    table: String,
    /// Where the columns are known from: `catalog` or `files`; absent where the table cannot be read.
    schema_from: Option<Provenance>,
    columns: usize,
    files: usize,
    bytes: u64,
    unreadable: Vec<String>,
    contract: Option<String>,
    tests: Option<usize>,
    profiled_at: Option<String>,
    tested_at: Option<String>,
}

pub(super) async fn run(Arguments { common }: Arguments) -> Result<u8> {
    let folder = Folder::open(&common.project)?;
    let report = examine(&folder).await?;
    match common.format {
        Format::Json => output::json(&report),
        Format::Text => output::print(text(&report, folder.lake.now())),
    }
    Ok(report.exit_code)
}

async fn examine(folder: &Folder) -> Result<Report> {
    let Folder { project, lake } = folder;
    let jobs = analyze::analyze(project, lake).await?;
    let settings = &project.settings;
    let chosen = settings.environments.first().map(|(name, _)| name.clone());
    let mut report = Report {
        version: env!("CARGO_PKG_VERSION"),
        settings: project.file.as_ref().map(|file| file.display().to_string()),
        environment: if settings.environment.is_empty() { chosen } else { Some(settings.environment.clone()) },
        lake: lake.root().display().to_string(),
        store: project.store_root().display().to_string(),
        scripts: Vec::new(),
        tables: Vec::new(),
        unknowns: jobs.unknowns.clone(),
        advice: Vec::new(),
        exit_code: 0,
    };
    if report.settings.is_none() {
        report.advice.push("no de-copilot.toml, so all is guessed from the folder: de-copilot init writes one".into());
    }
    for (path, reason) in &jobs.unreadable {
        report.advice.push(format!("{} {reason}, so it is not analyzed: correct it", path.display()));
    }
    for job in &jobs.jobs {
        report.scripts.push(ScriptReport {
            script: job.script.name.clone(),
            reads: job.analysis.inputs.iter().map(|input| input.dataset.name.clone()).collect(),
            writes: job.analysis.outputs.iter().map(|output| output.dataset.name.clone()).collect(),
            diagnostics: job.analysis.diagnostics.len(),
        });
    }
    let names = lake.catalog().tables().await?;
    for name in &names {
        let table = table(folder, name, &names, &mut report).await?;
        report.tables.push(table);
    }
    check_query_process(folder, &mut report).await;
    Ok(report)
}

async fn table(folder: &Folder, name: &TableName, all: &[TableName], report: &mut Report) -> Result<TableReport> {
    let (store, keys) = (folder.lake.store(), Keys::new(name, all));
    let mut row = TableReport {
        table: name.to_string(),
        schema_from: None,
        columns: 0,
        files: 0,
        bytes: 0,
        unreadable: Vec::new(),
        contract: None,
        tests: None,
        profiled_at: None,
        tested_at: None,
    };
    match folder.lake.table(name).await {
        Err(error) => report.advice.push(error.to_string()),
        Ok(table) => {
            row.schema_from = Some(table.schema.provenance);
            row.columns = table.schema.columns.len();
            row.files = table.files.len();
            row.bytes = table.files.iter().map(|file| file.bytes).sum();
            row.unreadable = table.unreadable.iter().map(|(path, reason)| format!("{path}: {reason}")).collect();
            if table.files.is_empty() {
                report.advice.push(format!("{name} has no data: put files into {}", table.location));
            }
        }
    }
    for unreadable in &row.unreadable {
        report.advice.push(format!("{unreadable}; its rows are in no statistic and no test: mend or remove it"));
    }
    let stored = artifacts::contract(store, &keys).await.unwrap_or_else(|error| {
        report.advice.push(error.to_string());
        None
    });
    let tests = read_text(store, &keys.tests()).await?.and_then(|text| TestSuite::from_json(&text).ok());
    row.tests = tests.as_ref().map(|(suite, _)| suite.tests.len());
    match (&stored, &tests) {
        (None, _) => report.advice.push(format!("{name} has no contract: de-copilot generate {name}")),
        (Some(stored), Some((suite, _))) if suite.contract_hash != stored.contract.hash() => {
            report.advice.push(format!("the tests of {name} are older than its contract: de-copilot generate {name}"));
        }
        _ => {}
    }
    row.contract = stored.map(|stored| store.locate(&stored.key));
    let profiled = history::newest(&folder.lake, name, |day| Some(day.profile?.profiled_at)).await;
    row.profiled_at = profiled.unwrap_or_else(|error| {
        report.advice.push(error.to_string());
        None
    });
    let last_run = |day: DayHistory| day.runs.into_values().map(|run| run.started_at).max();
    // A history that cannot be read has been told of above.
    row.tested_at = history::newest(&folder.lake, name, last_run).await.ok().flatten();
    Ok(row)
}

/// Whether queries from outside can be run under their limits.
async fn check_query_process(folder: &Folder, report: &mut Report) {
    let limits = Limits { tables: Vec::new(), seconds: 20, memory_bytes: 256 << 20, rows: 1 };
    if let Err(error) = folder.lake.engine().query_untrusted("SELECT 1", &limits).await {
        report.exit_code = output::exit_code(&error).max(3);
        report.advice.push(format!("tests in SQL cannot run: {error}"));
    }
}

fn text(report: &Report, now: DateTime<Utc>) -> String {
    let mut text = format!("{} {}\n", "de-copilot".bold(), report.version);
    let settings = match (&report.settings, &report.environment) {
        (None, _) => "none; guessed from the folder".to_owned(),
        (Some(file), None) => file.clone(),
        (Some(file), Some(environment)) => format!("{file}, environment {environment}"),
    };
    text.push_str(&format!("settings  {settings}\nlake      {}\nstore     {}\n", report.lake, report.store));

    text.push_str(&output::heading(counted(report.tables.len() as u64, "table")));
    let mut table = output::table(["table", "columns", "data", "contract", "tests", "profiled", "tested"]);
    for row in &report.tables {
        let columns = match row.schema_from {
            Some(Provenance::Catalog) => format!("{} of the catalog", row.columns),
            Some(_) => format!("{} of the files", row.columns),
            None => "not readable".to_owned(),
        };
        table.add_row([
            row.table.clone().into(),
            verdict(row.schema_from.is_some(), columns),
            verdict(
                row.unreadable.is_empty(),
                format!("{} in {}", DecimalBytes(row.bytes), counted(row.files as u64, "file")),
            ),
            if row.contract.is_some() { "yes" } else { "none" }.into(),
            row.tests.map_or("none".to_owned(), |tests| tests.to_string()).into(),
            age(row.profiled_at.as_deref(), now).into(),
            age(row.tested_at.as_deref(), now).into(),
        ]);
    }
    text.push_str(&format!("\n{table}\n"));

    text.push_str(&output::heading(counted(report.scripts.len() as u64, "Glue script")));
    let mut table = output::table(["script", "reads", "writes", "problems"]);
    for script in &report.scripts {
        table.add_row([
            script.script.clone().into(),
            script.reads.join("\n").into(),
            script.writes.join("\n").into(),
            verdict(script.diagnostics == 0, script.diagnostics),
        ]);
    }
    text.push_str(&format!("\n{table}\n"));

    text.push_str(&unknowns_text(&report.unknowns));
    if !report.advice.is_empty() {
        text.push_str(&output::heading("What would make it better"));
        report.advice.iter().for_each(|advice| text.push_str(&format!("\n  {} {advice}", "-".yellow())));
    }
    text
}

/// How long ago, in the largest unit that tells it.
fn age(at: Option<&str>, now: DateTime<Utc>) -> String {
    let Some(at) = at.and_then(|at| DateTime::parse_from_rfc3339(at).ok()) else { return "never".into() };
    let passed = now.signed_duration_since(at);
    match (passed.num_days(), passed.num_hours(), passed.num_minutes()) {
        (0, 0, 0) => "just now".into(),
        (0, 0, minutes) => format!("{} ago", counted(minutes.unsigned_abs(), "minute")),
        (0, hours, _) => format!("{} ago", counted(hours.unsigned_abs(), "hour")),
        (days, _, _) => format!("{} ago", counted(days.unsigned_abs(), "day")),
    }
}
