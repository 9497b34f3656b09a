//! The history of a table: `stats-history/<table>/<date>.json`, a document for each date of the data.
//!
//! A document holds the last profile of its date and a summary of each run of the tests. A second run on one day adds to
//! the day's document, a backfill to those of its days; neither changes another day.

use std::collections::BTreeMap;

use contract::document::{Profile, VERSION};
use contract::schema::TableName;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::artifacts::{self, Keys};
use super::postload::{DayCount, Run, Status};
use crate::lake::Lake;
use crate::{Error, Result};

/// What is known of a table on one date of the data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DayHistory {
    /// Version of the document.
    pub version: u32,
    /// The table.
    pub table_name: String,
    /// The date of the data, `YYYY-MM-DD`.
    pub date: String,
    /// Rows of the whole table, when it was last tested or profiled with this as its newest date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_rows: Option<u64>,
    /// Rows of this day, where the table is partitioned by day and the count was held against history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<DayCount>,
    /// The last profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// Runs of the tests by run id.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub runs: IndexMap<String, RunSummary>,
}

/// How a run of the tests went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// When it began, UTC, RFC 3339.
    pub started_at: String,
    /// Rows of the table.
    pub row_count: u64,
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed, with what was found.
    pub failed: IndexMap<String, String>,
    /// Tests that could not be evaluated.
    pub errored: usize,
    /// Tests that could not apply yet.
    pub skipped: usize,
}

/// Keeps a profile under its date; an earlier one of the date gives way.
pub async fn record_profile(lake: &dyn Lake, table: &TableName, profile: &Profile) -> Result<()> {
    let keys = Keys::new(table, &lake.catalog().tables().await?);
    update(lake, &keys, table, &profile.date, &|day| {
        day.table_rows = Some(profile.row_count);
        day.profile = Some(profile.clone());
    })
    .await
}

/// Keeps a summary of a run under its date, and the row counts of the days that it judged under theirs.
pub(crate) async fn record_run(lake: &dyn Lake, keys: &Keys, table: &TableName, run: &Run) -> Result<()> {
    let failed = run.tests.iter().filter(|test| test.status == Status::Failed);
    let summary = RunSummary {
        started_at: run.started_at.clone(),
        row_count: run.row_count,
        passed: run.count(Status::Passed),
        failed: failed.map(|test| (test.name.clone(), test.message.clone())).collect(),
        errored: run.count(Status::Errored),
        skipped: run.count(Status::Skipped),
    };
    update(lake, keys, table, &run.date, &|day| {
        day.table_rows = Some(run.row_count);
        day.runs.insert(run.run_id.clone(), summary.clone());
    })
    .await?;
    for (date, count) in &run.days {
        update(lake, keys, table, date, &|day| day.day = Some(*count)).await?;
    }
    Ok(())
}

/// The documents of a table by date, oldest first.
pub async fn days(lake: &dyn Lake, table: &TableName) -> Result<BTreeMap<String, DayHistory>> {
    let keys = Keys::new(table, &lake.catalog().tables().await?);
    let prefix = keys.all_stats();
    let mut days = BTreeMap::new();
    for key in lake.store().list(&prefix).await? {
        if let Some(day) = artifacts::read_document::<DayHistory>(lake.store(), &key).await? {
            days.insert(day.date.clone(), day);
        }
    }
    Ok(days)
}

/// What the newest document that states it says: a day may hold a load without a profile.
///
/// # Errors
/// A history that cannot be read.
pub async fn newest<T>(lake: &dyn Lake, table: &TableName, of: impl Fn(DayHistory) -> Option<T>) -> Result<Option<T>> {
    let keys = Keys::new(table, &lake.catalog().tables().await?);
    for key in lake.store().list(&keys.all_stats()).await?.iter().rev() {
        let day = artifacts::read_document::<DayHistory>(lake.store(), key).await?;
        if let Some(found) = day.and_then(&of) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The rows of the whole table on the dates before one, newest first.
pub(crate) async fn table_counts(lake: &dyn Lake, keys: &Keys, before: &str) -> Result<Vec<u64>> {
    const MOST: usize = 400;
    let prefix = keys.all_stats();
    let mut dates = lake.store().list(&prefix).await?;
    dates.retain(|key| date_of(key, &prefix).is_some_and(|date| date < before));
    let mut counts = Vec::new();
    for key in dates.iter().rev().take(MOST) {
        let day = artifacts::read_document::<DayHistory>(lake.store(), key).await?;
        counts.extend(day.and_then(|day| day.table_rows));
    }
    Ok(counts)
}

/// Of these days those whose row count was found out of line and is still the same.
pub(crate) async fn anomalous_days(
    lake: &dyn Lake,
    keys: &Keys,
    counts: &BTreeMap<String, u64>,
) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (date, rows) in counts {
        let day = artifacts::read_document::<DayHistory>(lake.store(), &keys.stats(date)).await?;
        let count = day.and_then(|day| day.day);
        if count.is_some_and(|count| count.anomalous && count.rows == *rows) {
            found.push(date.clone());
        }
    }
    Ok(found)
}

async fn update(
    lake: &dyn Lake,
    keys: &Keys,
    table: &TableName,
    date: &str,
    change: &(dyn Fn(&mut DayHistory) + Send + Sync),
) -> Result<()> {
    let key = keys.stats(date);
    let place = lake.store().locate(&key);
    let change = |old: Option<&str>| {
        let mut day: DayHistory = match old {
            Some(text) => serde_json::from_str(text).map_err(|error| {
                let problem = format!("cannot be read: {error}");
                Error::input(format!("{place}:{}", error.line()), problem, "restore it, or delete it and run again")
            })?,
            None => DayHistory::default(),
        };
        day.version = VERSION;
        day.table_name = table.table.clone();
        day.date = date.to_owned();
        change(&mut day);
        Ok(artifacts::to_text(&day))
    };
    artifacts::update(lake.store(), &key, &change).await.map(drop)
}

fn date_of<'a>(key: &'a str, prefix: &str) -> Option<&'a str> {
    key.strip_prefix(prefix)?.strip_suffix(".json")
}
