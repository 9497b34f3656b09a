//! The rules that a contract states, written out.

use contract::document::{Contract, Freshness, Test};
use contract::rule::{Calendar, Rule, RuleKind};
use contract::schema::TableSchema;
use contract::types::DataType;

/// The rules of a contract, with those that it states outside of its lists: the key, and when data arrives.
pub(crate) fn stated(contract: &Contract, schema: &TableSchema) -> Vec<Rule> {
    let mut rules: Vec<Rule> = contract.rules().cloned().collect();
    let keyed = |rule: &Rule| match &rule.kind {
        RuleKind::PrimaryKey { columns } | RuleKind::GrainUniqueness { grain: columns } => {
            *columns == contract.primary_key
        }
        _ => false,
    };
    if !contract.primary_key.is_empty() && !rules.iter().any(keyed) {
        let rule = Rule::new(RuleKind::PrimaryKey { columns: contract.primary_key.clone() }, None);
        rules.push(unique(rule, &rules));
    }
    let dated = |rule: &Rule| matches!(rule.kind, RuleKind::Freshness { .. });
    if let Some(freshness) = contract.freshness.as_ref().filter(|_| !rules.iter().any(dated)) {
        rules.extend(freshness_rule(freshness, schema).map(|rule| unique(rule, &rules)));
    }
    rules
}

/// A test that is a predicate, as the rule that it states.
pub(crate) fn of_test(test: &Test) -> Option<Rule> {
    let kind = RuleKind::CheckConstraint { expression: test.rule.clone()? };
    let description = Some(test.description.clone()).filter(|text| !text.is_empty());
    Some(Rule { id: test.name.clone(), stage: Some(test.stage), description, ..Rule::new(kind, None) })
}

/// The rule with an id that none of the others has.
pub(crate) fn unique(mut rule: Rule, others: &[Rule]) -> Rule {
    let base = rule.id.clone();
    let mut number = 2;
    while others.iter().any(|other| other.id == rule.id) {
        rule.id = format!("{base}_{number}");
        number += 1;
    }
    rule
}

/// Data of a period is there when the hour of the agreement comes after its end. Without a column that dates the rows
/// nothing can be said: the first partition key that is a date is taken for it.
fn freshness_rule(freshness: &Freshness, schema: &TableSchema) -> Option<Rule> {
    let key = schema.columns.iter().find(|column| column.partition_key && column.data_type == DataType::Date);
    let column = freshness.column.clone().or_else(|| key.map(|key| key.name.clone()))?;
    let hours = match freshness.frequency.as_str() {
        "hourly" => 1.0,
        "weekly" => 7.0 * 24.0,
        "monthly" => 31.0 * 24.0,
        _ => 24.0,
    };
    let max_age_hours = hours + freshness.sla_hour_utc.map_or(hours, f64::from);
    let kind = RuleKind::Freshness { column: column.clone(), max_age_hours, calendar: Calendar::default() };
    Some(Rule::new(kind, Some(&column)))
}
