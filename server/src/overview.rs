//! The open projects as a whole, for pictures and lists: `deCopilot/lineage` and `deCopilot/contracts`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use analyzer::TextRange;
use contract::document::Contract;
use contract::rule::{Rule, Severity, Source};
use contract::schema::TableName;
use futures::StreamExt;
use serde::Serialize;
use tower_lsp::ls_types::{Range, Uri};

use crate::positions;
use crate::session::Session;
use crate::workspace::Job;

/// How many tables are asked about at a time.
const AT_A_TIME: usize = 8;

/// The answer to `deCopilot/lineage`.
#[derive(Serialize)]
pub(crate) struct Lineage {
    /// Jobs in the order of their files, as the editor or the disk has them.
    jobs: Vec<JobUse>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JobUse {
    /// Its file, as from the root of its project.
    name: String,
    root: PathBuf,
    uri: Uri,
    reads: Vec<TableUse>,
    writes: Vec<TableUse>,
}

/// A table that a job reads or writes.
#[derive(Serialize)]
struct TableUse {
    /// `database.table`.
    table: String,
    /// The call.
    range: Range,
    /// Columns that the job names of a table that it reads.
    columns: Vec<String>,
}

/// One of the answers to `deCopilot/contracts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TableContract {
    /// `database.table`.
    table: String,
    root: PathBuf,
    /// The file that holds it; absent where it is none on this machine.
    uri: Option<Uri>,
    rules: Vec<RuleState>,
    /// How its tests went the last time.
    last_run: Option<Run>,
}

#[derive(Serialize)]
struct Run {
    /// The date of the data, `YYYY-MM-DD`.
    date: String,
    passed: usize,
    failed: Vec<String>,
}

#[derive(Serialize)]
struct RuleState {
    id: String,
    column: Option<String>,
    /// `error` or `warn`.
    severity: &'static str,
    /// `code`, `profile`, `llm` or `human`.
    source: &'static str,
    description: Option<String>,
    evidence: Option<String>,
    /// Whether its test failed the last time.
    failed: bool,
}

/// What the jobs of the open projects read and write.
pub(crate) fn lineage(session: &Session) -> Lineage {
    let encoding = session.snapshot().client.encoding;
    let of_job = |job: Arc<Job>| {
        let range = |range: TextRange| positions::range_in(&job.text, range, encoding);
        let reads = job.interface.reads.iter().map(|(table, read)| TableUse {
            table: table.to_string(),
            range: range(read.range),
            columns: read.columns.keys().cloned().collect(),
        });
        let writes = job.interface.writes.iter().map(|(table, call)| TableUse {
            table: table.to_string(),
            range: range(*call),
            columns: Vec::new(),
        });
        Some(JobUse {
            name: job.name.clone(),
            root: job.root.to_path_buf(),
            uri: Uri::from_file_path(&job.script)?,
            reads: reads.collect(),
            writes: writes.collect(),
        })
    };
    Lineage { jobs: session.workspace.all().into_iter().filter_map(of_job).collect() }
}

/// The contracts of the tables that the open projects have or use, in the order of their names.
pub(crate) async fn contracts(session: &Session) -> Vec<TableContract> {
    let jobs = session.workspace.all();
    let mut roots: BTreeSet<PathBuf> = session.snapshot().folders.iter().cloned().collect();
    roots.extend(jobs.iter().map(|job| job.root.to_path_buf()));
    let mut tables: BTreeSet<(TableName, PathBuf)> = BTreeSet::new();
    for root in &roots {
        let listed = session.knowledge.backend.tables(root).await;
        tables.extend(listed.into_iter().map(|table| (table, root.clone())));
    }
    for job in &jobs {
        let used = job.interface.reads.keys().chain(job.interface.writes.iter().map(|(table, _)| table));
        tables.extend(used.map(|table| (table.clone(), job.root.to_path_buf())));
    }
    let asked =
        futures::stream::iter(tables).map(|(table, root)| async move { of_table(session, &table, &root).await });
    asked.buffered(AT_A_TIME).filter_map(std::future::ready).collect().await
}

async fn of_table(session: &Session, table: &TableName, root: &Path) -> Option<TableContract> {
    let backend = &session.knowledge.backend;
    let contract = backend.contract(root, table).await.ok()??;
    let run = backend.last_run(root, table).await.ok().flatten();
    let failed = run.as_ref().map(|run| run.failed.clone()).unwrap_or_default();
    Some(TableContract {
        table: table.to_string(),
        root: root.to_path_buf(),
        uri: backend.contract_file(root, table).and_then(Uri::from_file_path),
        rules: rules(&contract, &failed),
        last_run: run.map(|run| Run { date: run.date.clone(), passed: run.passed, failed: run.failed.clone() }),
    })
}

fn rules(contract: &Contract, failed: &[String]) -> Vec<RuleState> {
    let state = |rule: &Rule| RuleState {
        id: rule.id.clone(),
        column: rule.column.clone(),
        severity: match rule.severity {
            Severity::Error => "error",
            Severity::Warn => "warn",
        },
        source: match rule.source {
            Source::Code => "code",
            Source::Profile => "profile",
            Source::Llm => "llm",
            Source::Human => "human",
        },
        description: rule.description.clone(),
        evidence: rule.evidence.clone(),
        failed: failed.contains(&rule.id),
    };
    contract.rules().map(state).collect()
}
