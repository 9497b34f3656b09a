//! Rules as sentences, for verdicts, documentation and tests.

use contract::rule::{Rule, RuleKind};
use serde_json::Value as Json;

/// What a rule demands, in a sentence without a full stop.
pub(crate) fn sentence(rule: &Rule) -> String {
    let column = rule.column.as_deref().unwrap_or("the table");
    let text = match &rule.kind {
        RuleKind::NotNull => format!("{column} is never NULL"),
        RuleKind::NullRatio { max } => format!("at most {} % of {column} are NULL", percent(*max)),
        RuleKind::NotEmpty => format!("{column} is never blank"),
        RuleKind::Unique => format!("no value of {column} occurs twice"),
        RuleKind::PrimaryKey { columns } => format!("({}) identifies a row and is never NULL", columns.join(", ")),
        RuleKind::GrainUniqueness { grain } => format!("one row per ({})", grain.join(", ")),
        RuleKind::Min { value } => format!("{column} is at least {}", shown(value)),
        RuleKind::Max { value } => format!("{column} is at most {}", shown(value)),
        RuleKind::Range { min, max } => format!("{column} lies {}", between(min.as_ref(), max.as_ref())),
        RuleKind::RangeSoft { min, max } => format!("{column} usually lies {}", between(min.as_ref(), max.as_ref())),
        RuleKind::AllowedValues { values } => {
            let values: Vec<String> = values.iter().map(shown).collect();
            format!("{column} is one of {}", values.join(", "))
        }
        RuleKind::ForbiddenValues { values } => {
            let values: Vec<String> = values.iter().map(shown).collect();
            format!("{column} is none of {}", values.join(", "))
        }
        RuleKind::Regex { pattern } => format!("{column} matches {pattern}"),
        RuleKind::Like { pattern } => format!("{column} is like {pattern}"),
        RuleKind::Length { min, max } => {
            format!("{column} has {} characters", counted(*min, *max))
        }
        RuleKind::DateFormat { format } => format!("{column} is a date in the format {format}"),
        RuleKind::NotInFuture => format!("{column} is not in the future"),
        RuleKind::OlderThanColumn { other, min_days } => match min_days {
            Some(days) => format!("{column} lies {days} days or more before {other}"),
            None => format!("{column} is not after {other}"),
        },
        RuleKind::CompareColumns { operator, other } => format!("{column} {} {other}", operator.symbol()),
        RuleKind::DistinctCount { min, max } => format!("{column} has {} distinct values", counted(*min, *max)),
        RuleKind::DuplicateCount { columns, max, .. } => {
            format!("({}) has at most {max} duplicates", columns.join(", "))
        }
        RuleKind::ColumnSet { columns, .. } => format!("the table has the columns {}", columns.join(", ")),
        RuleKind::Aggregate { function, min, max, group_by } => {
            let groups = if group_by.is_empty() { String::new() } else { format!(" by {}", group_by.join(", ")) };
            format!("the {} of {column}{groups} lies {}", function.name(), between(min.as_ref(), max.as_ref()))
        }
        RuleKind::Type { data_type } => match data_type {
            Some(data_type) => format!("incoming text of {column} reads as {data_type}"),
            None => format!("incoming text of {column} reads as the column's type"),
        },
        RuleKind::ForeignKey { columns, ref_table, ref_columns, .. } => {
            let columns = if columns.is_empty() { column.to_owned() } else { format!("({})", columns.join(", ")) };
            match ref_columns.as_slice() {
                [one] => format!("every {columns} occurs in {ref_table}.{one}"),
                several => format!("every {columns} occurs in {ref_table} ({})", several.join(", ")),
            }
        }
        RuleKind::RowCount { min, max } => format!("the table has {} rows", counted(*min, *max)),
        RuleKind::RowCountAnomaly { max_deviation, window_days, .. } => {
            format!("the row count stays within {} % of its average over {window_days} days", percent(*max_deviation))
        }
        RuleKind::Freshness { column, max_age_hours, .. } => {
            format!("the newest {column} is at most {max_age_hours} hours old")
        }
        RuleKind::CheckConstraint { expression } => expression.clone(),
        RuleKind::CustomSql { sql, .. } => sql.clone(),
        RuleKind::Unknown { name } => match rule.column.as_deref() {
            Some(column) => format!("{name} of {column}"),
            None => name.clone(),
        },
    };
    match &rule.filter {
        Some(filter) => format!("{text}, where {filter}"),
        None => text,
    }
}

fn counted(min: Option<u64>, max: Option<u64>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "any number of".to_owned(),
    }
}

fn between(min: Option<&Json>, max: Option<&Json>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("from {} to {}", shown(min), shown(max)),
        (Some(min), None) => format!("at or above {}", shown(min)),
        (None, Some(max)) => format!("at or below {}", shown(max)),
        (None, None) => "anywhere".to_owned(),
    }
}

fn shown(value: &Json) -> String {
    match value {
        Json::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}

fn percent(share: f64) -> f64 {
    (share * 1e4).round() / 100.0
}
