//! The stages of the pipeline: functions over a lake and a generator.
//!
//! [`pipeline`] runs them in order for one table or all: analyze, profile, context, generate, [`verify`], pre-load and
//! [`postload`]. Every stage says what it did, how long it took and what it cost.

pub mod analyze;
pub mod answers;
pub mod artifacts;
mod checks;
pub mod context;
pub mod docs;
pub mod generate;
pub mod history;
mod merge;
pub mod pipeline;
pub mod postload;
pub mod preload;
pub mod profile;
mod queries;
pub mod review;
mod rules;
mod suite;
mod trial;
pub mod verify;
mod words;

use contract::schema::TableName;
use serde::Serialize;

use crate::lake::Cost;

/// What a stage did, for people and for machines.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageReport {
    /// The stage: `analyze`, `profile`, `context`, `generate`, `verify`, `preload` or `postload`.
    pub name: &'static str,
    /// The table that it worked on; `None` for a stage of the whole project.
    pub table: Option<String>,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// What its queries cost.
    pub cost: Cost,
    /// Whether it could do its work. A failed test is work done: see [`postload`].
    pub ok: bool,
    /// What it did, or why it could not, in a sentence.
    pub summary: String,
}

/// Follows a run.
pub trait Progress: Send + Sync {
    /// A stage begins.
    fn started(&self, stage: &'static str, table: Option<&TableName>) {
        let _ = (stage, table);
    }
    /// A stage ended.
    fn finished(&self, report: &StageReport) {
        let _ = report;
    }
}

/// A run that nobody follows.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {}

/// The full name of a table as a contract of the table `beside` writes it: `database.table`, or the bare name of a table
/// of the same database, else of the only database that has one.
pub fn resolve(written: &str, beside: &TableName, all: &[TableName]) -> TableName {
    if let Some((database, table)) = written.split_once('.') {
        return TableName::new(database, table);
    }
    let near = TableName::new(&beside.database, written);
    let mut same = all.iter().filter(|table| table.table == near.table);
    match (all.contains(&near), same.next(), same.next()) {
        (false, Some(only), None) => only.clone(),
        _ => near,
    }
}

#[cfg(test)]
mod tests;
