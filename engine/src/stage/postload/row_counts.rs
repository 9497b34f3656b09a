//! The row count of a day against the days before it, for tables that are partitioned by day.
//!
//! The counts come from the table as it is now, so that a backfill or a second run changes the days that it loads and no
//! others. A day whose count was found out of line is left out of later averages while its count stays what it was; only
//! when a whole window of days is out of line is that taken for the new level.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use contract::compile::Check;
use contract::compile::suite::{Outcome, row_count_deviation};
use contract::expr::print::{quote_name, to_sql};
use contract::expr::{BinaryOp, Expr};
use contract::types::DataType;
use contract::value::Value;
use indexmap::IndexMap;

use super::DayCount;
use super::execute::{Runner, is_history, suite_table};
use super::prepare::{day_key, literal};
use crate::Result;
use crate::stage::history;

/// Judges the row counts of the prepared days; the counts with what was said of them.
pub(super) async fn judge(runner: &mut Runner<'_>) -> Result<IndexMap<String, DayCount>> {
    let prepared = runner.prepared;
    let Some((_, key)) = day_key(&prepared.table) else { return Ok(IndexMap::new()) };
    let rules: Vec<_> = prepared.items.iter().filter(|item| is_history(item)).collect();
    let window = rules.iter().filter_map(|item| match &item.check {
        Ok(Check::RowCountHistory { window_days, .. }) => Some(*window_days),
        _ => None,
    });
    let Some(window) = window.max() else { return Ok(IndexMap::new()) };
    let counts = counts(runner, &key.name, &prepared.days, window).await?;
    let flagged = history::anomalous_days(runner.lake, &prepared.keys, &counts).await?;
    let mut days: IndexMap<String, DayCount> = IndexMap::new();
    for item in rules {
        let Ok(Check::RowCountHistory { max_deviation, window_days }) = &item.check else { continue };
        let mut worst: Option<Outcome> = None;
        for day in &prepared.days {
            let rows = counts.get(day).copied().unwrap_or(0);
            let before = baseline(day, &counts, &flagged, *window_days as usize);
            let outcome = row_count_deviation(rows, &before, *max_deviation, *window_days);
            let anomalous = matches!(outcome, Outcome::Failed { .. });
            let count = days.entry(day.clone()).or_insert(DayCount { rows, anomalous });
            count.anomalous |= anomalous;
            let outcome = dated(day, outcome);
            if worst.as_ref().is_none_or(|worst| rank(&outcome) > rank(worst)) {
                worst = Some(outcome);
            }
        }
        runner.outcomes.extend(worst.map(|outcome| (item.rule.id.clone(), outcome)));
    }
    Ok(days)
}

/// Rows by day, for the days judged and those that their windows may reach.
async fn counts(runner: &mut Runner<'_>, key: &str, judged: &[String], window: u32) -> Result<BTreeMap<String, u64>> {
    let dialect = runner.lake.engine().dialect();
    let parsed = judged.iter().filter_map(|day| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok());
    let (first, last) = (parsed.clone().min(), parsed.max());
    let mut condition = String::new();
    if let (Some(first), Some(last)) = (first, last) {
        // Twice the window for days that are out of line, and again for days without data, such as weekends.
        let from = first.checked_sub_days(Days::new(u64::from(window) * 4)).unwrap_or(first);
        let column = || Expr::column(key, DataType::Date);
        let bound = |op, day: NaiveDate| Expr::binary(op, column(), literal(&day.to_string(), &DataType::Date));
        let range = Expr::and_all([bound(BinaryOp::GreaterOrEqual, from), bound(BinaryOp::LessOrEqual, last)]);
        condition = to_sql(&range, dialect).map(|sql| format!(" WHERE {sql}")).unwrap_or_default();
    }
    let (name, table) = (quote_name(key, dialect), suite_table(runner.prepared, runner.lake));
    let answer =
        runner.query(format!("SELECT {name} AS d, count(*) AS n FROM {table}{condition} GROUP BY {name}")).await?;
    let row = |row: &Vec<Value>| match row.as_slice() {
        [Value::Date(day), Value::Int(rows)] => {
            Some((NaiveDate::from_epoch_days(*day)?.to_string(), u64::try_from(*rows).ok()?))
        }
        _ => None,
    };
    Ok(answer.rows.iter().filter_map(row).collect())
}

/// The counts that a day is held against, newest first.
fn baseline(day: &str, counts: &BTreeMap<String, u64>, flagged: &[String], window: usize) -> Vec<u64> {
    let before: Vec<(&String, u64)> =
        counts.range(..day.to_owned()).rev().take(window * 2).map(|(day, rows)| (day, *rows)).collect();
    let is_flagged = |day: &String| flagged.contains(day);
    let newest = before.iter().take(window);
    if newest.len() == window && newest.clone().all(|(day, _)| is_flagged(day)) {
        return newest.map(|(_, rows)| *rows).collect();
    }
    before.iter().filter(|(day, _)| !is_flagged(day)).take(window).map(|(_, rows)| *rows).collect()
}

fn dated(day: &str, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Passed { message } => Outcome::Passed { message: format!("{day}: {message}") },
        Outcome::Failed { violations, message } => Outcome::Failed { violations, message: format!("{day}: {message}") },
        other => other,
    }
}

fn rank(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Skipped { .. } => 0,
        Outcome::Passed { .. } => 1,
        Outcome::Errored { .. } => 2,
        Outcome::Failed { .. } => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(counts: &[u64]) -> BTreeMap<String, u64> {
        let day = |(index, rows): (usize, &u64)| (format!("2024-01-{:02}", index + 1), *rows);
        counts.iter().enumerate().map(day).collect()
    }

    #[test]
    fn a_day_that_was_out_of_line_is_in_no_average() {
        let counts = days(&[100, 100, 200, 100, 100]);
        let flagged = ["2024-01-03".to_owned()];
        assert_eq!(baseline("2024-01-05", &counts, &flagged, 3), [100, 100, 100]);
        assert_eq!(baseline("2024-01-05", &counts, &[], 3), [100, 200, 100]);
    }

    #[test]
    fn a_whole_window_out_of_line_is_the_new_level() {
        let counts = days(&[100, 100, 200, 200, 200]);
        let flagged: Vec<String> = (3..=5).map(|day| format!("2024-01-0{day}")).collect();
        assert_eq!(baseline("2024-01-05", &counts, &flagged, 3), [100, 100]);
        assert_eq!(baseline("2024-01-06", &counts, &flagged, 3), [200, 200, 200]);
    }
}
