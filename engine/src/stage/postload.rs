//! The tests of a table after a load: fewest queries, a result per test, a history.

use contract::rule::Severity;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::lake::Cost;

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
}

/// One run of a table's tests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Identifies the run; the same id again replaces it.
    pub run_id: String,
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

    /// The worst severity among failed tests; `None` where none failed.
    pub fn worst(&self) -> Option<Severity> {
        let failed = self.tests.iter().filter(|test| test.status == Status::Failed);
        failed.map(|test| if test.severity == "warn" { Severity::Warn } else { Severity::Error }).max()
    }
}
