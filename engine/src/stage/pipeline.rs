//! The whole pipeline for one table or all.

use contract::rule::Severity;
use contract::schema::TableName;
use serde::Serialize;

use super::StageReport;
use super::postload::Run;
use super::verify::Verdict;
use crate::project::Unknown;

/// What a run shall do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunOptions {
    /// Only these tables, `table` or `database.table`; all where empty.
    pub tables: Vec<String>,
    /// Identifies the run in results; the instant of its start where absent.
    pub run_id: Option<String>,
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RunReport {
    /// Every stage, in the order of their ends.
    pub stages: Vec<StageReport>,
    /// Every table, in the order of the catalog.
    pub tables: Vec<TableRun>,
    /// What the project does not say, with the setting that would.
    pub unknowns: Vec<Unknown>,
    /// Where the artifacts that were written lie.
    pub artifacts: Vec<String>,
}

/// What a run did for one table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableRun {
    /// The table.
    pub table: TableName,
    /// Rules and tests that were proposed, each kept or refused.
    pub verdicts: Vec<Verdict>,
    /// How its tests went; absent where they could not run.
    pub postload: Option<Run>,
    /// Why the table could not be finished.
    pub error: Option<String>,
    /// Whether that is the environment's fault, not the input's.
    pub environment_failed: bool,
}

impl RunReport {
    /// The process exit code: 3 the environment failed, 2 bad input, 1 tests of severity `error` failed, 0 fine.
    pub fn exit_code(&self) -> u8 {
        let failed = |run: &TableRun| run.postload.as_ref().and_then(Run::worst) == Some(Severity::Error);
        match () {
            () if self.tables.iter().any(|run| run.environment_failed) => 3,
            () if self.tables.iter().any(|run| run.error.is_some()) => 2,
            () if self.tables.iter().any(failed) => 1,
            () => 0,
        }
    }
}
