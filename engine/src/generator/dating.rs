//! Which column dates the rows of a table, and how often new ones come.

use chrono::NaiveDate;
use contract::document::Context;
use contract::document::context::ContextColumn;
use contract::types::DataType;

/// The column that says to which day a row belongs: a partition key that is a date, or a text of dates; else a date or
/// timestamp whose name says that it records the row's own time. Dates such as a birthday date nothing.
pub(crate) fn dating_column(context: &Context) -> Option<&ContextColumn> {
    let keys = || context.schema.iter().filter(|column| column.partition_key);
    let date_key = || keys().find(|column| is_date(column));
    let text_key = || keys().find(|column| is_text(column) && holds_dates(context, column));
    let recorded = || context.schema.iter().find(|column| is_time(column) && records_time(&column.name));
    date_key().or_else(text_key).or_else(recorded)
}

/// A rhythm in which data arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frequency {
    Daily,
    Weekly,
    Monthly,
}

impl Frequency {
    /// As contracts spell it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Frequency::Daily => "daily",
            Frequency::Weekly => "weekly",
            Frequency::Monthly => "monthly",
        }
    }

    /// Hours between two arrivals.
    pub(crate) fn hours(self) -> f64 {
        match self {
            Frequency::Daily => 24.0,
            Frequency::Weekly => 7.0 * 24.0,
            Frequency::Monthly => 31.0 * 24.0,
        }
    }
}

/// Fewest different days that show a rhythm.
const MIN_DAYS: u64 = 3;

/// How often new rows come: by the number of different days between the first one and the last. `None` where the column
/// is no date or timestamp, or the days are too few or too irregular.
pub(crate) fn frequency(context: &Context, column: &ContextColumn) -> Option<Frequency> {
    let stats = context.column_stats.get(&column.name)?;
    let day = |value: &Option<serde_json::Value>| {
        let text = value.as_ref()?.as_str()?;
        NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok()
    };
    let (first, last) = (day(&stats.min)?, day(&stats.max)?);
    let span = u64::try_from((last - first).num_days()).ok()? + 1;
    if !is_date(column) {
        // Timestamps differ within a day, so only their span says something.
        return (span >= MIN_DAYS).then_some(Frequency::Daily);
    }
    let days = stats.distinct_count?.max(1);
    let gap = span as f64 / days as f64;
    match gap {
        _ if days < MIN_DAYS => None,
        gap if gap <= 1.6 => Some(Frequency::Daily),
        gap if (5.0..9.0).contains(&gap) => Some(Frequency::Weekly),
        gap if (25.0..36.0).contains(&gap) => Some(Frequency::Monthly),
        _ => None,
    }
}

fn is_date(column: &ContextColumn) -> bool {
    matches!(DataType::parse(&column.data_type), Ok(DataType::Date))
}

fn is_time(column: &ContextColumn) -> bool {
    matches!(DataType::parse(&column.data_type), Ok(DataType::Date | DataType::Timestamp))
}

fn is_text(column: &ContextColumn) -> bool {
    DataType::parse(&column.data_type).is_ok_and(|data_type| data_type.is_text())
}

/// Whether the values that the profile kept of a text column are dates, spelled so that their order is that of time.
fn holds_dates(context: &Context, column: &ContextColumn) -> bool {
    let Some(stats) = context.column_stats.get(&column.name) else { return false };
    let is_day = |value: &serde_json::Value| {
        let text = value.as_str().unwrap_or_default();
        ["%Y-%m-%d", "%Y%m%d", "%Y/%m/%d"].iter().any(|format| NaiveDate::parse_from_str(text, format).is_ok())
    };
    // A profile lists the values of columns that have few; of the others the name and the length must do.
    let looks_so = || {
        let named = ["date", "day", "dt"].iter().any(|word| column.name.split('_').any(|part| part == *word));
        named && matches!(stats.length, Some((8, 8) | (10, 10)))
    };
    match stats.top_values.is_empty() {
        true => looks_so(),
        false => stats.top_values.iter().all(|top| is_day(&top.value)),
    }
}

fn records_time(name: &str) -> bool {
    const WHOLE: [&str; 8] = ["date", "day", "dt", "ds", "ts", "timestamp", "event_time", "event_date"];
    const STARTS: [&str; 8] = ["created", "updated", "inserted", "ingest", "load", "recorded", "processed", "modified"];
    WHOLE.contains(&name) || STARTS.iter().any(|start| name.starts_with(start))
}
