//! The scan that row rules, counts and statistics of the same rows share.

use super::keys::{self, Keys};
use super::statistic::{approximate, statistic};
use super::table_sql;
use super::{Asked, Measure, PlannedQuery, Reading, Target, both, bounded, column_names, conditions, is_true, print};
use crate::compile::check::Check;
use crate::compile::query::MAX_BYTES;
use crate::expr::print::{Dialect, PrintError};
use crate::expr::{BinaryOp, Expr, ExprKind, functions};
use crate::rule::Verdict;
use crate::types::DataType;

/// Exact counts of distinct values in one query: twenty over 1.5 million rows took more than 594 MB on Trino 476, five
/// did not.
const MAX_DISTINCTS: usize = 5;
/// Answers in one query: engines compile a projection into one method, which has a limit of its own.
const MAX_ITEMS: usize = 400;
/// What stands around the answers: `SELECT`, `FROM`, `WHERE`.
const FRAME_BYTES: usize = 1_024;

/// Checks that are answered by aggregates over rows of the table.
#[derive(Default)]
pub(super) struct Scan<'a> {
    checks: Vec<(Asked<'a>, &'a Check)>,
}

/// What the answers at these positions say.
type Read = Box<dyn Fn(&[usize]) -> Measure>;

/// One check's answers and how they are read.
struct Question {
    items: Vec<Item>,
    columns: Vec<String>,
    rule: (String, Option<crate::rule::Threshold>),
    read: Read,
}

/// One answer.
#[derive(Clone, PartialEq)]
struct Item {
    sql: String,
    distinct: bool,
}

impl<'a> Scan<'a> {
    pub(super) fn add(&mut self, asked: Asked<'a>, check: &'a Check) {
        self.checks.push((asked, check));
    }

    /// Leaves distinct counts to a query that groups by the column anyway.
    pub(super) fn give_distincts_to(&mut self, keys: &mut Keys<'a>) {
        self.checks.retain(|(asked, check)| !keys.takes_distinct(asked, check));
    }

    /// The queries: one for the rows that a scope means, unless it would be too long or count too many distinct values.
    /// Scopes don't share a scan: one rule over the whole table would have all others read all partitions.
    pub(super) fn finish(self, target: &Target, refused: &mut Vec<(String, String)>) -> Vec<PlannedQuery> {
        let mut queries: Vec<Draft> = Vec::new();
        for (asked, check) in &self.checks {
            let question = question(target, asked, check).and_then(|question| match question.length() {
                length if length > MAX_BYTES - FRAME_BYTES => Err(PrintError(format!(
                    "it takes {length} bytes of SQL, Athena takes {MAX_BYTES}; state fewer values"
                ))),
                _ => Ok(question),
            });
            match question {
                Ok(question) => {
                    let fits = |query: &&mut Draft| query.restriction == asked.restriction && query.has_room(&question);
                    match queries.iter_mut().find(fits) {
                        Some(query) => query.add(question),
                        None => {
                            let mut query = Draft { restriction: asked.restriction.clone(), ..Draft::default() };
                            query.add(question);
                            queries.push(query);
                        }
                    }
                }
                Err(error) => refused.push((asked.rule.id.clone(), error.to_string())),
            }
        }
        let mut planned = Vec::new();
        for query in queries {
            let ids: Vec<String> = query.readings.iter().map(|reading| reading.rule_id.clone()).collect();
            match query.finish(target) {
                Ok(query) => planned.push(query),
                Err(error) => refused.extend(ids.into_iter().map(|id| (id, error.to_string()))),
            }
        }
        planned
    }
}

fn question(target: &Target, asked: &Asked, check: &Check) -> Result<Question, PrintError> {
    let count = |predicate: &Expr| count(target, predicate);
    let mut read_columns: Vec<Expr> = Vec::new();
    let (items, read): (Vec<Item>, Read) = match check {
        Check::Row { violation, judged } => {
            read_columns.push(violation.clone());
            let mut items = vec![count(violation)?, count(judged)?];
            items.extend(errors(target, violation)?);
            (items, Box::new(|at| Measure::Violations { violations: at[0], judged: at[1], errors: at.get(2).copied() }))
        }
        Check::NullShare { column, max, judged } => {
            let null = Expr::is_null(Expr::column(column, DataType::Unknown));
            read_columns.extend([null.clone(), judged.clone()]);
            let max = *max;
            let items = vec![count(&both(Some(judged), &null))?, count(judged)?];
            (items, Box::new(move |at| Measure::NullShare { nulls: at[0], judged: at[1], max }))
        }
        Check::RowCount { min, max, judged } => {
            read_columns.push(judged.clone());
            let (min, max) = (*min, *max);
            (vec![count(judged)?], Box::new(move |at| Measure::RowCount { rows: at[0], min, max }))
        }
        Check::RowCountHistory { max_deviation, window_days } => {
            let (max_deviation, window_days) = (*max_deviation, *window_days);
            let items = vec![count(&Expr::boolean(true))?];
            (items, Box::new(move |at| Measure::RowCountHistory { rows: at[0], max_deviation, window_days }))
        }
        Check::Age { column, max_age_hours, calendar, judged } => {
            let value = chosen(column, judged);
            let item = plain(format!("max({})", print(target, &value)?));
            read_columns.push(value);
            let (max_age_hours, calendar) = (*max_age_hours, calendar.clone());
            let read = move |at: &[usize]| Measure::Age { newest: at[0], max_age_hours, calendar: calendar.clone() };
            (vec![item], Box::new(read))
        }
        Check::Aggregate { function, column, bounds, no_value, judged, .. } => {
            let item = plain(statistic(target, *function, column, judged)?);
            read_columns.extend([column.clone(), judged.clone()]);
            let what = format!("{} of {}", function.name(), column_names([column]).join(", "));
            (vec![item], value(bounds.clone(), what, *no_value, approximate(*function)))
        }
        Check::DistinctCount { column, bounds, judged } => {
            let value_sql = keys::key(target, &chosen(column, judged))?;
            read_columns.extend([column.clone(), judged.clone()]);
            let item = Item { sql: format!("count(DISTINCT {value_sql})"), distinct: true };
            (vec![item], value(bounds.clone(), distinct_values(column), Verdict::Pass, false))
        }
        other => return Err(PrintError(format!("{other:?} is no part of a scan"))),
    };
    let columns = column_names(&read_columns);
    Ok(Question { items, columns, rule: (asked.rule.id.clone(), asked.rule.threshold), read })
}

fn value(bounds: super::Bounds, what: String, no_value: Verdict, approximate: bool) -> Read {
    Box::new(move |at| Measure::Value {
        value: at[0],
        bounds: bounds.clone(),
        what: what.clone(),
        no_value,
        approximate,
    })
}

/// What a distinct count is called.
pub(super) fn distinct_values(column: &Expr) -> String {
    format!("number of distinct values of {}", column_names([column]).join(", "))
}

fn plain(sql: String) -> Item {
    Item { sql, distinct: false }
}

/// The column in rows for which a predicate is true, else NULL.
fn chosen(column: &Expr, judged: &Expr) -> Expr {
    if is_true(judged) { column.clone() } else { Expr::case(vec![(judged.clone(), column.clone())], None) }
}

/// The number of rows for which a predicate is true.
fn count(target: &Target, predicate: &Expr) -> Result<Item, PrintError> {
    if is_true(predicate) {
        return Ok(plain("count(*)".to_owned()));
    }
    let sql = tried(target, predicate)?;
    Ok(plain(format!("sum(CASE WHEN {sql} THEN 1 ELSE 0 END)")))
}

/// The number of rows on which a predicate that is never NULL fails, where the engine can tell and it can fail.
fn errors(target: &Target, predicate: &Expr) -> Result<Option<Item>, PrintError> {
    if target.dialect != Dialect::Trino || !may_fail(predicate) {
        return Ok(None);
    }
    Ok(Some(plain(format!("sum(CASE WHEN {} IS NULL THEN 1 ELSE 0 END)", tried(target, predicate)?))))
}

fn tried(target: &Target, predicate: &Expr) -> Result<String, PrintError> {
    let sql = print(target, predicate)?;
    Ok(if target.dialect == Dialect::Trino && may_fail(predicate) { format!("TRY({sql})") } else { sql })
}

/// Whether evaluating it on a row can fail: comparisons of columns and constants cannot.
fn may_fail(predicate: &Expr) -> bool {
    let mut found = false;
    predicate.visit(&mut |part| {
        found |= match &part.kind {
            ExprKind::Call { function, .. } => *function != functions::COALESCE,
            ExprKind::Cast { .. } | ExprKind::Negate(_) => true,
            ExprKind::Binary { op, .. } => matches!(
                op,
                BinaryOp::Add
                    | BinaryOp::Subtract
                    | BinaryOp::Multiply
                    | BinaryOp::DivideInteger
                    | BinaryOp::DivideDouble
                    | BinaryOp::Remainder
            ),
            _ => false,
        };
    });
    found
}

impl Question {
    fn length(&self) -> usize {
        self.items.iter().map(Item::length).sum()
    }
}

impl Item {
    /// Its bytes with name and comma.
    fn length(&self) -> usize {
        self.sql.len() + 12
    }
}

/// A query that still takes questions.
#[derive(Default)]
struct Draft {
    restriction: Option<Expr>,
    items: Vec<Item>,
    length: usize,
    columns: Vec<String>,
    readings: Vec<Reading>,
}

impl Draft {
    fn has_room(&self, question: &Question) -> bool {
        let new = question.items.iter().filter(|item| !self.items.contains(item));
        let (mut length, mut count, mut distincts) = (self.length, self.items.len(), self.distincts());
        for item in new {
            length += item.length();
            count += 1;
            distincts += usize::from(item.distinct);
        }
        length <= MAX_BYTES - FRAME_BYTES && count <= MAX_ITEMS && distincts <= MAX_DISTINCTS
    }

    fn distincts(&self) -> usize {
        self.items.iter().filter(|item| item.distinct).count()
    }

    /// Equal answers are asked once.
    fn add(&mut self, question: Question) {
        let mut positions = Vec::new();
        for item in question.items {
            let known = self.items.iter().position(|known| *known == item);
            positions.push(known.unwrap_or(self.items.len()));
            if known.is_none() {
                self.length += item.length();
                self.items.push(item);
            }
        }
        for column in question.columns {
            if !self.columns.contains(&column) {
                self.columns.push(column);
            }
        }
        let (rule_id, threshold) = question.rule;
        self.readings.push(Reading { rule_id, measure: (question.read)(&positions), threshold });
    }

    fn finish(self, target: &Target) -> Result<PlannedQuery, PrintError> {
        let items = self.items.iter().enumerate().map(|(index, item)| format!("{} AS c{index}", item.sql));
        let items = items.collect::<Vec<_>>().join(", ");
        let filter = conditions(target, self.restriction.as_ref())?;
        let mut columns = self.columns;
        for name in column_names(self.restriction.as_ref()) {
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
        bounded(PlannedQuery {
            sql: format!("SELECT {items} FROM {}{filter}", table_sql(target.table, target.dialect)),
            columns,
            restriction: self.restriction,
            readings: self.readings,
            ..PlannedQuery::default()
        })
    }
}
