//! How rules, datasets and numbers are put into words, in every feature alike.

use contract::rule::{Rule, RuleKind};
use serde_json::Value as Json;

use crate::DatasetKind;

/// What a rule demands, in a few words: `min 0`, `one of "PAID", "OPEN"`.
pub(crate) fn rule(rule: &Rule) -> String {
    let list = |values: &[Json]| values.iter().map(Json::to_string).collect::<Vec<_>>().join(", ");
    let bounds = |min: &Option<Json>, max: &Option<Json>| match (min, max) {
        (Some(min), Some(max)) => format!("between {min} and {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "any range".to_owned(),
    };
    let words = match &rule.kind {
        RuleKind::NotNull => "not null".to_owned(),
        RuleKind::NullRatio { max } => format!("at most {} % NULL", max * 100.0),
        RuleKind::NotEmpty => "not empty".to_owned(),
        RuleKind::Unique => "unique".to_owned(),
        RuleKind::PrimaryKey { columns } => format!("primary key {}", columns.join(", ")),
        RuleKind::GrainUniqueness { grain } => format!("one row per {}", grain.join(", ")),
        RuleKind::Min { value } => format!("at least {value}"),
        RuleKind::Max { value } => format!("at most {value}"),
        RuleKind::Range { min, max } => bounds(min, max),
        RuleKind::RangeSoft { min, max } => format!("usually {}", bounds(min, max)),
        RuleKind::AllowedValues { values } => format!("one of {}", list(values)),
        RuleKind::Regex { pattern } => format!("matches `{pattern}`"),
        RuleKind::Type { data_type } => format!("readable as {}", data_type.as_deref().unwrap_or("its type")),
        RuleKind::ForeignKey { ref_table, ref_columns, .. } => format!("in {ref_table}.{}", ref_columns.join(", ")),
        RuleKind::Freshness { column, max_age_hours, .. } => format!("{column} at most {max_age_hours} hours old"),
        RuleKind::CheckConstraint { expression } => format!("`{expression}`"),
        RuleKind::Unknown { name } => format!("`{name}`, which this version does not know"),
        other => other.name().replace('_', " "),
    };
    match &rule.filter {
        Some(filter) => format!("{words} where `{filter}`"),
        None => words,
    }
}

/// What kind of dataset it is.
pub(crate) fn kind(kind: DatasetKind) -> &'static str {
    match kind {
        DatasetKind::Catalog => "catalog table",
        DatasetKind::S3 => "files",
        DatasetKind::Jdbc => "database table",
        DatasetKind::DynamoDb => "DynamoDB table",
        DatasetKind::Kafka => "stream",
        DatasetKind::Other => "dataset",
    }
}

/// A count with its thousands set apart.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// The line of a byte offset, from 1.
pub(crate) fn line(text: &str, offset: u32) -> usize {
    1 + text.bytes().take(offset as usize).filter(|byte| *byte == b'\n').count()
}
/// When something holds that does not hold in every run, as the end of a sentence.
pub(super) fn when(condition: Option<&crate::Condition>) -> String {
    condition.map(|condition| format!(", when `{condition}`")).unwrap_or_default()
}
