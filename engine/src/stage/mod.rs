//! The stages of the pipeline: functions over a lake and a generator.
//!
//! [`pipeline`] runs them in order for one table or all: analyze, profile, context, generate, [`verify`], pre-load and
//! [`postload`]. Every stage says what it did, how long it took and what it cost.

pub mod artifacts;
pub mod pipeline;
pub mod postload;
pub mod profile;
pub mod verify;

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
