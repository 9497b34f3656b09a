//! The tests of a table after a load: fewest queries, a result per test, a history.

mod execute;
mod explain;
mod prepare;
mod row_counts;
mod samples;
#[cfg(test)]
mod tests;

use contract::rule::Severity;
use contract::schema::TableName;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

pub use self::explain::{Explained, ExplainedQuery, explain};
use super::artifacts::{self, Keys};
use super::history;
use crate::lake::incoming::LoadedPartition;
use crate::lake::{Cost, Lake};
use crate::project::Project;
use crate::{Error, Result};

/// What is tested.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PostloadOptions {
    /// Identifies the run in results; the instant of its start where absent.
    pub run_id: Option<String>,
    /// The date of the data, `YYYY-MM-DD`: the newest of the table's date partition, or the day of the run, where absent.
    pub date: Option<String>,
    /// The partitions that were loaded, for rules of the scope `loaded_partitions`; that of the date where absent.
    pub partitions: Option<Vec<LoadedPartition>>,
    /// Failing rows that are shown for each failed test. They are part of the answer and never stored.
    pub samples: u32,
}

/// How a test went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// What it checks holds.
    Passed,
    /// What it checks does not hold.
    Failed,
    /// It could not be evaluated; it is neither passed nor failed.
    Errored,
    /// It could not apply yet, such as a comparison with a history that is too short.
    Skipped,
}

/// The result of one test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestResult {
    /// Name of the test.
    pub name: String,
    /// The rule that it tests, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<String>,
    /// How it went.
    pub status: Status,
    /// `error` or `warn`.
    pub severity: String,
    /// Violating rows, where they can be counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub violations: Option<u64>,
    /// What was found, in a sentence.
    pub message: String,
    /// The day until which its failure is not reported, where that is not over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<String>,
    /// Some failing rows with their keys and, in `$path`, their file; only where they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Map<String, Json>>,
}

/// One run of a table's tests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Identifies the run; the same id again replaces it.
    pub run_id: String,
    /// The date of the data, `YYYY-MM-DD`.
    #[serde(default)]
    pub date: String,
    /// When it began, UTC, RFC 3339.
    pub started_at: String,
    /// Rows of the table.
    pub row_count: u64,
    /// Hash of the contract that was tested.
    pub contract_hash: String,
    /// Queries that were run.
    pub queries: u64,
    /// What they cost.
    pub cost: Cost,
    /// Results, in the order of the tests.
    pub tests: Vec<TestResult>,
    /// Rows by day, where the table is partitioned by day and its row count was held against history.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub days: IndexMap<String, DayCount>,
    /// What is wrong with the contract's document, each with its file and line: it was left aside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The rows of a day, and what was said of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCount {
    /// Rows.
    pub rows: u64,
    /// Whether the number was out of line; it then is in no later average, as long as it stays what it is.
    pub anomalous: bool,
}

/// The document `results/<table>/<date>.json`: the runs on one date of the data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Version of the document.
    pub version: u32,
    /// The table.
    pub table_name: String,
    /// The date of the data, `YYYY-MM-DD`.
    pub date: String,
    /// Runs by run id, in order.
    pub runs: IndexMap<String, Run>,
}

impl Run {
    /// How many tests have this status.
    pub fn count(&self, status: Status) -> usize {
        self.tests.iter().filter(|test| test.status == status).count()
    }

    /// The worst severity among failed tests that are not muted; `None` where none failed.
    pub fn worst(&self) -> Option<Severity> {
        self.worst_of(Status::Failed)
    }

    /// The worst severity among tests that could not be evaluated and are not muted.
    pub fn worst_errored(&self) -> Option<Severity> {
        self.worst_of(Status::Errored)
    }

    fn worst_of(&self, status: Status) -> Option<Severity> {
        let tests = self.tests.iter().filter(|test| test.status == status && test.muted_until.is_none());
        tests.map(|test| if test.severity == "warn" { Severity::Warn } else { Severity::Error }).max()
    }
}

/// Runs the tests of a table in the fewest queries and stores the results under the date of the data.
///
/// Every rule of the stages `post_load` and `both` is run once, compiled and fused with others; a test of
/// `tests/<table>.json` that names a rule lends its result the name. Tests of nobody's rule run as they are. Where a
/// fused query fails, its rules are asked one by one, and one that cannot be evaluated is neither passed nor failed.
///
/// # Errors
/// An unknown table, one without a contract, tests that were compiled from another state of it, an unwritable store.
pub async fn postload(project: &Project, lake: &dyn Lake, table: &TableName, options: &PostloadOptions) -> Result<Run> {
    let started_at = lake.now();
    let started = std::time::Instant::now();
    let prepared = prepare::prepare(lake, table, options).await?;
    let mut run = execute::run(project, lake, &prepared).await?;
    run.cost.seconds = started.elapsed().as_secs_f64();
    run.started_at = started_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    run.run_id = options.run_id.clone().unwrap_or_else(|| run.started_at.clone());
    store(lake, &prepared.keys, table, &run).await?;
    history::record_run(lake, &prepared.keys, table, &run).await?;
    if options.samples > 0 {
        samples::add(project, lake, &prepared, options.samples, &mut run).await;
    }
    Ok(run)
}

/// The stored results of a date; `None` where there are none.
pub async fn results(lake: &dyn Lake, table: &TableName, date: &str) -> Result<Option<Results>> {
    let keys = Keys::new(table, &lake.catalog().tables().await?);
    artifacts::read_document(lake.store(), &keys.results(date)).await
}

/// Adds a run to the results of its date. Other runs of the date stay, one of the same id is replaced.
async fn store(lake: &dyn Lake, keys: &Keys, table: &TableName, run: &Run) -> Result<()> {
    let key = keys.results(&run.date);
    let place = lake.store().locate(&key);
    let change = |old: Option<&str>| {
        let mut results: Results = match old {
            Some(text) => serde_json::from_str(text).map_err(|error| {
                let problem = format!("cannot be read: {error}");
                Error::input(format!("{place}:{}", error.line()), problem, "restore it, or delete it and run again")
            })?,
            None => Results { date: run.date.clone(), ..Results::default() },
        };
        results.version = contract::document::VERSION;
        results.table_name = table.table.clone();
        results.runs.insert(run.run_id.clone(), run.clone());
        Ok(artifacts::to_text(&results))
    };
    artifacts::update(lake.store(), &key, &change).await.map(drop)
}
