//! `test`: the tests of tables.

use contract::rule::Severity;
use contract::schema::TableName;
use engine::lake::Lake;
use engine::stage::artifacts::Keys;
use engine::stage::postload::{Explained, PostloadOptions, Run, Status, TestResult, explain, postload};
use engine::{Error, Result};
use indicatif::DecimalBytes;
use owo_colors::OwoColorize;
use serde_json::{Map, Value as Json, json};

use crate::folder::Folder;
use crate::output::{self, Common, Format, counted, verdict};
use crate::progress::Spinner;

/// Run the tests of tables in as few queries as possible, and keep the results
///
/// The exit code is 1 where a test of severity `error` fails.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  de-copilot test analytics_db.loan_repayment_fact --date 2024-01-17")]
pub(crate) struct Arguments {
    /// `table` or `database.table`; all tables that have tests where none is named
    #[arg(value_name = "TABLE")]
    tables: Vec<String>,
    /// The date of the data, YYYY-MM-DD, under which the results are kept; the newest one where absent
    #[arg(long)]
    date: Option<String>,
    /// Identifies the run; the same again replaces it
    #[arg(long, value_name = "ID")]
    run_id: Option<String>,
    /// Show the queries, what each tests and what it reads, and run none
    #[arg(long)]
    plan: bool,
    /// Show so many failing rows of each failed test; they are not kept
    #[arg(long, value_name = "N", default_value_t = 0)]
    samples: u32,
    #[command(flatten)]
    common: Common,
}

pub(super) async fn run(arguments: Arguments) -> Result<u8> {
    let Arguments { tables, date, run_id, plan, samples, common } = arguments;
    let folder = Folder::open(&common.project)?;
    let tables = if tables.is_empty() { with_contract(&folder).await? } else { folder.tables(&tables).await? };
    let options = PostloadOptions { run_id, date, samples, ..PostloadOptions::default() };
    let (mut code, mut documents) = (0, Vec::new());
    let spinner = Spinner::new();
    for table in tables {
        spinner.doing(format!("test {table}"));
        let done = one(&folder, &table, &options, plan).await;
        spinner.done();
        match done {
            // The others can still be tested; the exit code tells that one was not.
            Err(error) => {
                output::error(&error);
                code = code.max(output::exit_code(&error));
                documents.push(json!({ "table": table.to_string(), "error": error.to_string() }));
            }
            Ok(done) => {
                code = code.max(done.exit_code());
                match common.format {
                    Format::Json => documents.push(done.json(&table)),
                    Format::Text => output::print(done.text(&table)),
                }
            }
        }
    }
    if common.format == Format::Json {
        output::json(&documents);
    }
    Ok(code)
}

/// The tables that have a contract, and so tests.
async fn with_contract(folder: &Folder) -> Result<Vec<TableName>> {
    let all = folder.tables(&[]).await?;
    let contracts = folder.lake.store().list("contracts/").await?;
    let has_one = |table: &&TableName| Keys::new(table, &all).contracts().iter().any(|key| contracts.contains(key));
    let tables: Vec<_> = all.iter().filter(has_one).cloned().collect();
    if tables.is_empty() {
        let place = folder.project.store_root();
        return Err(Error::input(place.display(), "holds no contract", "run `de-copilot generate` first"));
    }
    Ok(tables)
}

/// What was asked for of one table.
enum Done {
    Run(Run),
    Plan(Explained),
}

async fn one(folder: &Folder, table: &TableName, options: &PostloadOptions, plan: bool) -> Result<Done> {
    let Folder { project, lake } = folder;
    match plan {
        true => explain(project, lake, table, options).await.map(Done::Plan),
        false => postload(project, lake, table, options).await.map(Done::Run),
    }
}

impl Done {
    /// 2 where a test of severity `error` could not be evaluated, 1 where one failed, else 0.
    fn exit_code(&self) -> u8 {
        match self {
            Done::Run(run) if run.worst_errored() == Some(Severity::Error) => 2,
            Done::Run(run) if run.worst() == Some(Severity::Error) => 1,
            _ => 0,
        }
    }

    fn json(&self, table: &TableName) -> Json {
        match self {
            Done::Run(run) => json!({ "table": table.to_string(), "run": run }),
            Done::Plan(plan) => json!({ "table": table.to_string(), "plan": plan }),
        }
    }

    fn text(&self, table: &TableName) -> String {
        match self {
            Done::Run(run) => run_text(table, run),
            Done::Plan(plan) => plan_text(table, plan),
        }
    }
}

fn run_text(name: &TableName, run: &Run) -> String {
    let mut text = format!(
        "{}  {}, {}: {} in {}, {} read in {:.2} s\n",
        name.bold(),
        run.date,
        counted(run.row_count, "row"),
        counted(run.tests.len() as u64, "test"),
        counted(run.queries, "query"),
        DecimalBytes(run.cost.bytes_scanned),
        run.cost.seconds
    );
    let mut table = output::table(["test", "", "severity", "violations", "what was found"]);
    for test in &run.tests {
        table.add_row([
            test.name.clone().into(),
            verdict(matches!(test.status, Status::Passed | Status::Skipped), word(test.status)),
            test.severity.clone().into(),
            test.violations.map_or(String::new(), |violations| violations.to_string()).into(),
            test.message.clone().into(),
        ]);
    }
    text.push_str(&format!("{table}\n"));
    run.tests.iter().for_each(|test| text.push_str(&samples_text(test)));
    text + &notes_text(&run.notes)
}

fn notes_text(notes: &[String]) -> String {
    notes.iter().map(|note| format!("{} {note}\n", "note:".yellow())).collect()
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Passed => "passed",
        Status::Failed => "FAILED",
        Status::Errored => "NOT RUN",
        Status::Skipped => "skipped",
    }
}

fn samples_text(test: &TestResult) -> String {
    if test.samples.is_empty() {
        return String::new();
    }
    let row = |row: &Map<String, Json>| format!("  {}\n", Json::Object(row.clone()));
    format!("rows that fail {}:\n{}", test.name, test.samples.iter().map(row).collect::<String>())
}

fn plan_text(name: &TableName, plan: &Explained) -> String {
    let queries = counted(plan.queries.len() as u64, "query");
    let (bytes, dollars) = (DecimalBytes(plan.bytes), plan.athena_dollars);
    let mut text = format!("{}  {}: {queries}, {bytes}, ${dollars:.5} on Athena\n", name.bold(), plan.date);
    for (number, query) in plan.queries.iter().enumerate() {
        let bytes = query.bytes.map_or("not known".to_owned(), |bytes| DecimalBytes(bytes).to_string());
        let files = format!("{} of {}", query.files, counted(query.of_files as u64, "file"));
        text.push_str(&format!("\n{} {}\n", format!("query {}", number + 1).bold(), query.tests.join(", ")));
        text.push_str(&format!("reads {bytes} of {files}; columns: {}\n{}\n", query.columns.join(", "), query.sql));
    }
    for (test, reason) in &plan.refused {
        text.push_str(&format!("{} {test}: {reason}\n", "not run:".yellow()));
    }
    text + &notes_text(&plan.notes)
}
