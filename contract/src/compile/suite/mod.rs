//! All checks of a table in the fewest queries, and their outcomes out of the answers.
//!
//! Row rules, shares, counts, statistics and ages of the same rows share one scan, a scan for each scope; keys with
//! equal columns share one query, and so do statistics with equal groups; a foreign key takes one query, and a query of
//! a person's own stays itself. No query is longer than Athena takes or counts more distinct values than memory holds:
//! it is split before. A row rule whose predicate fails on one value is an error of its own, as far as the engine has
//! `TRY`; where a fused query fails as a whole, the runner plans its rules one by one, so that one bad value makes one
//! check an error and not all of them.

mod groups;
mod judge;
mod keys;
mod references;
mod sample;
mod scan;
mod statistic;

use serde::Serialize;

use super::bounds::Bounds;
use super::check::Check;
use super::query::MAX_BYTES;
use crate::expr::print::{Dialect, PrintError, quote_name, to_sql};
use crate::expr::{Expr, ExprKind};
use crate::rule::{Calendar, Expects, Rule, Scope, Threshold, Verdict};
use crate::schema::TableName;
use crate::value::Value;

pub use judge::{judge, row_count_deviation};
pub use sample::{Sample, sample};

/// The table whose checks are planned, and how.
pub struct Target<'a> {
    /// The table.
    pub table: &'a TableName,
    /// The engine that is asked.
    pub dialect: Dialect,
    /// The instant of the run, microseconds since 1970-01-01T00:00:00 UTC: all queries are bound to it. `None` leaves
    /// the clock to the engine.
    pub now_micros: Option<i64>,
    /// The rows that a scope means, as a predicate over partition columns; `None` for the whole table. Row-count history
    /// counts the rows of its rule's scope.
    pub restriction: &'a dyn Fn(Scope) -> Option<Expr>,
    /// The full name of a referenced table.
    pub resolve: &'a dyn Fn(&str) -> TableName,
}

/// Queries and what each answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SuitePlan {
    /// The queries.
    pub queries: Vec<PlannedQuery>,
    /// Rules whose outcome is known without a query: id and outcome.
    pub settled: Vec<(String, Outcome)>,
    /// Rules that cannot be asked in this dialect: id and reason.
    pub refused: Vec<(String, String)>,
}

/// One query and what its answer says of which rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlannedQuery {
    /// The query.
    pub sql: String,
    /// Whether a person or a model wrote it: it then runs under limits.
    pub untrusted: bool,
    /// The columns of the table that it reads; empty where that is not known, or where only rows are counted.
    pub columns: Vec<String>,
    /// The partitions that it reads, as a predicate over partition columns; `None` for all of them.
    pub restriction: Option<Expr>,
    /// Other tables that it reads, each with the columns.
    pub references: Vec<(TableName, Vec<String>)>,
    /// What the answer says.
    pub readings: Vec<Reading>,
}

/// How to read one rule's outcome out of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The rule.
    pub rule_id: String,
    /// What the answer's first row, or its rows, hold.
    pub measure: Measure,
    /// How much violation is tolerated.
    pub threshold: Option<Threshold>,
}

/// What an answer holds of a rule. Numbers are positions in the first row.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// Violations, and the rows judged.
    Violations {
        /// Position of the count of violations.
        violations: usize,
        /// Position of the count of judged rows.
        judged: usize,
        /// Position of the count of rows that could not be judged, where the engine tells.
        errors: Option<usize>,
    },
    /// NULLs, and the rows judged; the share has a bound.
    NullShare {
        /// Position of the count of NULLs.
        nulls: usize,
        /// Position of the count of judged rows.
        judged: usize,
        /// Largest tolerated share, 0 to 1.
        max: f64,
    },
    /// A number of rows within bounds.
    RowCount {
        /// Position of the count.
        rows: usize,
        /// Fewest.
        min: Option<u64>,
        /// Most.
        max: Option<u64>,
    },
    /// A number of rows, to be held against history by [`row_count_deviation`].
    RowCountHistory {
        /// Position of the count.
        rows: usize,
        /// Largest tolerated deviation as a share.
        max_deviation: f64,
        /// Days of the window.
        window_days: u32,
    },
    /// The newest date or timestamp, to be held against the clock.
    Age {
        /// Position of the newest value.
        newest: usize,
        /// Hours of the calendar.
        max_age_hours: f64,
        /// The days whose hours count.
        calendar: Calendar,
    },
    /// A value within bounds.
    Value {
        /// Position of the value.
        value: usize,
        /// The bounds.
        bounds: Bounds,
        /// What the value is, for people: `mean of amount`.
        what: String,
        /// What NULL says; passing is saying nothing.
        no_value: Verdict,
        /// Whether only the first twelve digits are held against the bounds: see [`Bounds::of_twelve_digits`].
        approximate: bool,
    },
    /// Each row returned is a violation.
    Rows,
}

/// What is known beside the answer of a query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Row counts of the days before, newest first, today's own left out.
    pub history: Vec<u64>,
    /// The instant of the run, microseconds since 1970-01-01T00:00:00 UTC.
    pub now_micros: i64,
}

/// What became of a check.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Passed {
        /// What was measured, for people.
        message: String,
    },
    /// It is violated.
    Failed {
        /// Violating rows, where rows are counted.
        violations: Option<u64>,
        /// What was measured and what was expected, for people.
        message: String,
    },
    /// Nothing can be said: no history yet, no rows to date.
    Skipped {
        /// Why.
        message: String,
    },
    /// It could not be run. Neither passed nor failed.
    Errored {
        /// Why.
        message: String,
    },
}

/// Plans the checks of a table: scans first, then keys, groups and references in the order of the rules.
pub fn plan(target: &Target, checks: &[(&Rule, Check)]) -> SuitePlan {
    let mut plan = SuitePlan::default();
    let mut scan = scan::Scan::default();
    let mut keys = keys::Keys::default();
    let mut groups = groups::Groups::default();
    for (rule, check) in checks {
        let asked = Asked { rule, restriction: restriction(target, rule, check) };
        match check {
            Check::Duplicates { .. } | Check::DuplicateCount { .. } => keys.add(asked, check),
            Check::Aggregate { group_by, .. } if !group_by.is_empty() => groups.add(asked, check),
            Check::ForeignKey(reference) => match references::query(target, &asked, reference) {
                Ok(query) => plan.queries.push(query),
                Err(error) => plan.refused.push((rule.id.clone(), error.to_string())),
            },
            Check::Query { sql, expects, bounds } => plan.queries.push(own_query(rule, sql, *expects, bounds)),
            Check::Columns { problem } => plan.settled.push((rule.id.clone(), settled(problem.as_deref()))),
            // Only raw text can have the wrong type.
            Check::Type { .. } => {}
            _ => scan.add(asked, check),
        }
    }
    // A column whose duplicates are looked for is grouped anyway, and its groups are its distinct values.
    scan.give_distincts_to(&mut keys);
    let mut queries = scan.finish(target, &mut plan.refused);
    queries.extend(keys.finish(target, &mut plan.refused));
    queries.extend(groups.finish(target, &mut plan.refused));
    queries.append(&mut plan.queries);
    plan.queries = queries;
    plan
}

/// A rule that is asked of some rows.
#[derive(Clone)]
struct Asked<'a> {
    rule: &'a Rule,
    restriction: Option<Expr>,
}

/// The rows that a rule reads. Two rows of one key may lie in two partitions, so keys are looked at by partition only
/// where the partition columns belong to the key.
fn restriction(target: &Target, rule: &Rule, check: &Check) -> Option<Expr> {
    let restriction = (target.restriction)(rule.scope)?;
    if let Check::Duplicates { columns, .. } | Check::DuplicateCount { columns, .. } = check {
        let key: Vec<_> = columns.iter().flat_map(|column| column.columns()).collect();
        let within = restriction
            .columns()
            .into_iter()
            .all(|column| key.iter().any(|key| key.name.eq_ignore_ascii_case(&column.name)));
        return within.then_some(restriction);
    }
    Some(restriction)
}

fn settled(problem: Option<&str>) -> Outcome {
    match problem {
        None => Outcome::Passed { message: "the table has the columns".to_owned() },
        Some(problem) => Outcome::Failed { violations: None, message: problem.to_owned() },
    }
}

fn own_query(rule: &Rule, sql: &str, expects: Expects, bounds: &Bounds) -> PlannedQuery {
    let measure = match expects {
        Expects::NoRows => Measure::Rows,
        Expects::ZeroCount => Measure::Violations { violations: 0, judged: 0, errors: None },
        Expects::Value => Measure::Value {
            value: 0,
            bounds: bounds.clone(),
            what: "the query's value".to_owned(),
            no_value: rule.on_null.unwrap_or(Verdict::Pass),
            approximate: false,
        },
    };
    let readings = vec![reading(rule, measure)];
    PlannedQuery { sql: sql.to_owned(), untrusted: true, readings, ..PlannedQuery::default() }
}

fn reading(rule: &Rule, measure: Measure) -> Reading {
    Reading { rule_id: rule.id.clone(), measure, threshold: rule.threshold }
}

/// An expression's SQL, bound to the instant of the run.
fn print(target: &Target, expr: &Expr) -> Result<String, PrintError> {
    match target.now_micros {
        Some(micros) => to_sql(&expr.clone().bind_now(micros), target.dialect),
        None => to_sql(expr, target.dialect),
    }
}

/// ` WHERE …` of the conditions that are not simply true.
fn conditions<'a>(target: &Target, parts: impl IntoIterator<Item = &'a Expr>) -> Result<String, PrintError> {
    let parts = parts.into_iter().filter(|part| !is_true(part));
    let parts = parts.map(|part| print(target, part)).collect::<Result<Vec<_>, _>>()?;
    Ok(if parts.is_empty() { String::new() } else { format!(" WHERE {}", parts.join(" AND ")) })
}

fn bounded(query: PlannedQuery) -> Result<PlannedQuery, PrintError> {
    match query.sql.len() {
        length if length > MAX_BYTES => {
            Err(PrintError(format!("the query has {length} bytes, Athena takes {MAX_BYTES}; state fewer values")))
        }
        _ => Ok(query),
    }
}

fn table_sql(table: &TableName, dialect: Dialect) -> String {
    format!("{}.{}", quote_name(&table.database, dialect), quote_name(&table.table, dialect))
}

/// The names of the columns that expressions read, each once, in order.
fn column_names<'a>(exprs: impl IntoIterator<Item = &'a Expr>) -> Vec<String> {
    let mut names = Vec::new();
    for column in exprs.into_iter().flat_map(Expr::columns) {
        if !names.contains(&column.name) {
            names.push(column.name.clone());
        }
    }
    names
}

fn both(left: Option<&Expr>, right: &Expr) -> Expr {
    match left {
        Some(left) if is_true(right) => left.clone(),
        Some(left) if !is_true(left) => Expr::and_all([left.clone(), right.clone()]),
        _ => right.clone(),
    }
}

fn is_true(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Literal(Value::Boolean(true)))
}

#[cfg(test)]
mod tests;
