//! Which rules judge an incoming row, and what a violation is called.

use chrono::{DateTime, Utc};
use contract::compile::{self, Check};
use contract::document::{Contract, TestSuite};
use contract::expr::Expr;
use contract::rule::{Mode, Rule, RuleKind, Stage, Threshold};
use contract::schema::TableName;
use indexmap::IndexMap;

use crate::lake::Table;
use crate::lake::incoming::{IncomingCheck, IncomingRule};
use crate::stage::words::sentence;
use crate::stage::{resolve, rules};

/// The rules of a load.
#[derive(Clone, Debug, Default)]
pub(super) struct Chosen {
    /// What is judged: types first, then the contract's rules in its order.
    pub(super) rules: Vec<IncomingRule>,
    /// What a violation does, by rule id, in the same order.
    pub(super) settings: IndexMap<String, Setting>,
    /// Rules that cannot be judged before the load, with the reason.
    pub(super) notes: Vec<String>,
}

/// What a violation does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) mode: Mode,
    pub(super) threshold: Option<Threshold>,
}

/// The rules that judge incoming rows of a table.
pub(super) fn choose(
    contract: &Contract,
    suite: Option<&TestSuite>,
    table: &Table,
    all: &[TableName],
    now: DateTime<Utc>,
) -> Chosen {
    let own = own_rules(contract, suite, table);
    let today = now.format("%Y-%m-%d").to_string();
    let mut chosen = Chosen::default();
    let mut later = Chosen::default();
    for rule in &own {
        let check = match compile::check(rule, &table.schema) {
            Ok(check) => check,
            Err(error) => {
                chosen.notes.push(format!("{error}; it is not judged"));
                continue;
            }
        };
        if check.stage(rule) == Stage::PostLoad {
            continue;
        }
        let is_type = matches!(check, Check::Type { .. });
        let Some(check) = incoming(check, &table.name, all, now) else {
            chosen.notes.push(format!("{} judges no single row, so it is not judged before the load", rule.id));
            continue;
        };
        let mode = if rule.is_muted(&today) { Mode::Observe } else { mode(rule) };
        let part = if is_type { &mut chosen } else { &mut later };
        part.settings.insert(rule.id.clone(), Setting { mode, threshold: rule.threshold });
        let reason = format!("violates: {}", sentence(rule));
        part.rules.push(IncomingRule { id: rule.id.clone(), reason, check, quarantines: mode != Mode::Observe });
    }
    chosen.rules.extend(later.rules);
    chosen.settings.extend(later.settings);
    chosen
}

/// Whether so many violations are more than a rule tolerates.
pub(super) fn exceeds(violations: u64, input: u64, threshold: Option<Threshold>) -> bool {
    match threshold {
        None => violations > 0,
        Some(Threshold::Count(count)) => violations > count,
        Some(Threshold::Share(share)) => violations as f64 > share * input as f64,
    }
}

/// The contract's rules, a rule for the type of each column where none states it, and the pre-load tests that test no
/// rule.
fn own_rules(contract: &Contract, suite: Option<&TestSuite>, table: &Table) -> Vec<Rule> {
    let mut rules = rules::stated(contract, &table.schema);
    for column in &table.schema.columns {
        let typed = |rule: &Rule| {
            matches!(rule.kind, RuleKind::Type { data_type: None })
                && rule.column.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(&column.name))
        };
        if !rules.iter().any(typed) {
            let rule = Rule::new(RuleKind::Type { data_type: None }, Some(&column.name));
            rules.push(rules::unique(rule, &rules));
        }
    }
    let tests = suite.into_iter().flat_map(|suite| &suite.tests);
    for test in tests.filter(|test| test.rule_id.is_none() && test.stage != Stage::PostLoad) {
        if let Some(rule) = rules::of_test(test) {
            rules.push(rules::unique(rule, &rules));
        }
    }
    rules
}

/// A soft range only warns, so it keeps no row out.
fn mode(rule: &Rule) -> Mode {
    match rule.kind {
        RuleKind::RangeSoft { .. } => Mode::Observe,
        _ => rule.mode,
    }
}

/// What a check means for single rows; `None` for one that judges the table as a whole.
fn incoming(check: Check, own: &TableName, all: &[TableName], now: DateTime<Utc>) -> Option<IncomingCheck> {
    let bound = |expr: Expr| expr.bind_now(now.timestamp_micros());
    match check {
        Check::Row { violation, .. } => Some(IncomingCheck::Row(bound(violation))),
        Check::Type { column, data_type, violation } => Some(IncomingCheck::Type { column, data_type, violation }),
        Check::Duplicates { columns, nulls, judged } => {
            Some(IncomingCheck::Duplicates { columns: names(&columns), nulls, judged: bound(judged) })
        }
        // Which state of a dimension was valid is asked of the table, after the load.
        Check::ForeignKey(reference) if reference.as_of.is_some() => None,
        Check::ForeignKey(reference) => Some(IncomingCheck::ForeignKey {
            columns: names(&reference.columns).into_iter().zip(names(&reference.ref_columns)).collect(),
            ref_table: resolve(&reference.ref_table, own, all),
            ref_where: reference.ref_where.map(bound),
            nulls: reference.nulls,
            judged: bound(reference.judged),
        }),
        Check::DuplicateCount { .. }
        | Check::DistinctCount { .. }
        | Check::Aggregate { .. }
        | Check::Columns { .. }
        | Check::NullShare { .. }
        | Check::RowCount { .. }
        | Check::RowCountHistory { .. }
        | Check::Age { .. }
        | Check::Query { .. } => None,
    }
}

/// The names of key columns.
fn names(columns: &[Expr]) -> Vec<String> {
    columns.iter().flat_map(Expr::columns).map(|column| column.name.clone()).collect()
}
