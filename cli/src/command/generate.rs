//! `generate`: a contract, tests and documentation for tables.

use contract::document::Context;
use contract::schema::TableName;
use engine::Result;
use engine::generator::{self, Generator};
use engine::lake::Lake;
use engine::project::Project;
use engine::stage::analyze::{Jobs, analyze};
use engine::stage::context::{context, without_data};
use engine::stage::generate::{Generated, generate};
use engine::stage::profile::{ProfileOptions, profile};
use engine::stage::verify::Verdict;
use owo_colors::OwoColorize;
use serde_json::{Value as Json, json};

use crate::folder::Folder;
use crate::output::{self, Common, Format, counted, verdict};
use crate::progress::Spinner;

/// Propose a contract, tests and documentation, and keep what holds
///
/// Profiles the tables, reads the jobs that write them, and runs every proposed rule and test on the data. What a person
/// wrote into a contract stays as it is.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  de-copilot generate analytics_db.loan_repayment_fact")]
pub(crate) struct Arguments {
    /// `table` or `database.table`; all tables where none is named
    #[arg(value_name = "TABLE")]
    tables: Vec<String>,
    #[command(flatten)]
    common: Common,
}

pub(super) async fn run(Arguments { tables, common }: Arguments) -> Result<u8> {
    let folder = Folder::open(&common.project)?;
    let spinner = Spinner::new();
    spinner.doing("analyze");
    let jobs = analyze(&folder.project, &folder.lake).await?;
    let tables = folder.tables_and_targets(&tables, &jobs).await?;
    let generator = generator::from_settings(&folder.project.settings.generate);
    let (mut code, mut documents) = (0, Vec::new());
    for table in tables {
        spinner.doing(format!("generate {table}"));
        let generated = one(&folder.project, &folder.lake, &jobs, &*generator, &table).await;
        spinner.done();
        match generated {
            // The others can still be generated; the exit code tells that one was not.
            Err(error) => {
                output::error(&error);
                code = code.max(output::exit_code(&error));
                documents.push(json!({ "table": table.to_string(), "error": error.to_string() }));
            }
            Ok(generated) if common.format == Format::Json => documents.push(json(&generated)),
            Ok(generated) => output::print(text(&generated)),
        }
    }
    if common.format == Format::Json {
        output::json(&documents);
    }
    Ok(code)
}

/// Profiles a table, and generates what belongs to it.
pub(crate) async fn one(
    project: &Project,
    lake: &dyn Lake,
    jobs: &Jobs,
    generator: &dyn Generator,
    table: &TableName,
) -> Result<Generated> {
    generate(project, lake, generator, &profiled(project, lake, jobs, table).await?).await
}

/// All that a generator is told of a table.
pub(crate) async fn profiled(project: &Project, lake: &dyn Lake, jobs: &Jobs, table: &TableName) -> Result<Context> {
    let profile = match lake.catalog().tables().await?.contains(table) {
        true => profile(lake, table, &ProfileOptions::default()).await?.profile,
        false => without_data(lake, table),
    };
    context(project, lake, jobs, &profile).await
}

fn json(generated: &Generated) -> Json {
    json!({
        "table": generated.table,
        "contract": generated.contract.to_value(),
        "tests": generated.suite.tests.iter().map(contract::document::Test::to_value).collect::<Vec<_>>(),
        "docs_markdown": generated.docs_markdown,
        "verdicts": generated.verdicts,
        "problems": generated.problems,
        "artifacts": generated.artifacts,
        "cost": generated.cost,
    })
}

/// What came of it, in a few words.
pub(crate) fn summary(generated: &Generated) -> String {
    let kept = generated.verdicts.iter().filter(|verdict| verdict.kept).count() as u64;
    let refused = generated.verdicts.len() as u64 - kept;
    let tests = counted(generated.suite.tests.len() as u64, "test");
    format!("{} kept, {refused} refused, {tests}", counted(kept, "proposal"))
}

fn text(generated: &Generated) -> String {
    let mut text = format!("{}  {}\n", generated.table.bold(), summary(generated));
    text.push_str(&verdicts(&generated.verdicts).to_string());
    text.push('\n');
    for problem in &generated.problems {
        text.push_str(&format!("{} the contract, {problem}\n", "left aside:".yellow()));
    }
    generated.artifacts.iter().for_each(|artifact| text.push_str(&format!("wrote {artifact}\n")));
    text
}

/// Kept and refused proposals with their reasons.
pub(super) fn verdicts(verdicts: &[Verdict]) -> comfy_table::Table {
    let mut table = output::table(["rule or test", "", "why"]);
    for one in verdicts {
        let word = if one.kept { "kept" } else { "refused" };
        table.add_row([one.id.clone().into(), verdict(one.kept, word), one.reason.clone().into()]);
    }
    table
}
