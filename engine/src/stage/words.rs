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
        RuleKind::Regex { pattern } => format!("{column} matches {pattern}"),
        RuleKind::Type { data_type } => match data_type {
            Some(data_type) => format!("incoming text of {column} reads as {data_type}"),
            None => format!("incoming text of {column} reads as the column's type"),
        },
        RuleKind::ForeignKey { ref_table, ref_column } => format!("every {column} occurs in {ref_table}.{ref_column}"),
        RuleKind::RowCount { min, max } => match (min, max) {
            (Some(min), Some(max)) => format!("the table has {min} to {max} rows"),
            (Some(min), None) => format!("the table has at least {min} rows"),
            (None, Some(max)) => format!("the table has at most {max} rows"),
            (None, None) => "the table has any number of rows".to_owned(),
        },
        RuleKind::RowCountAnomaly { max_deviation, window_days, .. } => {
            format!("the row count stays within {} % of its average over {window_days} days", percent(*max_deviation))
        }
        RuleKind::Freshness { column, max_age_hours } => {
            format!("the newest {column} is at most {max_age_hours} hours old")
        }
        RuleKind::CheckConstraint { expression } => expression.clone(),
        RuleKind::CustomSql { sql, .. } => sql.clone(),
        other => match rule.column.as_deref() {
            Some(column) => format!("{} of {column}", other.name()),
            None => other.name().to_owned(),
        },
    };
    match &rule.filter {
        Some(filter) => format!("{text}, where {filter}"),
        None => text,
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
