//! Cases as SQL, and how to read what an engine answers.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, bail};
use contract::compile::check::{self, Check};
use contract::compile::suite::{self, Known, Outcome, Reading, Target};
use contract::compile::translate::translate;
use contract::expr::Expr;
use contract::expr::eval::eval;
use contract::expr::parse::Syntax;
use contract::expr::print::{Dialect, quote_name, to_sql};
use contract::rule::Rule;
use contract::schema::TableName;
use contract::value::Value;
use serde_json::{Value as Json, json};

use super::cases::{Asks, Case, NOW_MICROS, Table};

/// The database of the tables.
pub(super) const DATABASE: &str = "conformance";

/// Predicates in one query.
const PREDICATES: usize = 40;

/// What an engine answers to one question: the rows, or its error.
pub(super) type Answer = std::result::Result<Vec<Vec<Value>>, String>;

/// What is found of a case, or expected: comparable, and readable by people.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Finding {
    /// The rows for which a predicate is true, and those for which it is NULL.
    Rows { holds: Vec<i64>, unknown: Vec<i64> },
    /// What became of a rule of all rows.
    Outcome { word: String, violations: Option<u64>, message: String },
    /// It cannot be asked, or it failed.
    Error(String),
}

/// The cases of one dialect as questions.
pub(super) struct Plan {
    /// `{"id", "sql", "parts": [{"id", "sql"}]}`: where a question fails, its parts are asked one by one.
    pub(super) questions: Vec<Json>,
    /// By the place of the case.
    readers: Vec<Reader>,
}

enum Reader {
    /// In this column of the answer to a question, or in the second one of a question of its own.
    Flag { shared: String, column: usize, own: String },
    /// The answers of these questions.
    Outcome { questions: Vec<(String, Reading)>, known: Known },
    /// Known without asking.
    Settled(Finding),
}

/// What the case expects.
pub(super) fn expected(case: &Case) -> Finding {
    match &case.asks {
        Asks::Row { violates, .. } => Finding::Rows { holds: violates.clone(), unknown: Vec::new() },
        Asks::Predicate { holds, unknown, .. } => Finding::Rows { holds: holds.clone(), unknown: unknown.clone() },
        Asks::Table { outcome, violations, .. } => {
            Finding::Outcome { word: outcome.clone(), violations: *violations, message: String::new() }
        }
    }
}

/// What the row evaluator says; `None` for rules of all rows, which it does not judge.
pub(super) fn evaluated(case: &Case, table: &Table) -> Option<Finding> {
    let predicate = match predicate(case, table)? {
        Ok(predicate) => predicate,
        Err(error) => return Some(Finding::Error(error.to_string())),
    };
    let mut flags = Vec::new();
    for row in &table.rows {
        match eval(&predicate, row) {
            Ok(flag) => flags.push(vec![row.get("id").cloned().unwrap_or(Value::Null), flag]),
            Err(error) => return Some(Finding::Error(error.to_string())),
        }
    }
    Some(rows(&flags, 1))
}

/// The predicate that a case asks of each row, bound to the instant of the run.
fn predicate(case: &Case, table: &Table) -> Option<Result<Expr>> {
    let expr = match &case.asks {
        Asks::Predicate { expr, .. } => Ok(expr.clone()),
        Asks::Row { rule, .. } => match check::check(rule, &table.schema) {
            Ok(Check::Row { violation, .. } | Check::Type { violation, .. }) => Ok(violation),
            Ok(_) => Err(anyhow::anyhow!("it is no rule of one row: state its `outcome`")),
            Err(error) => Err(error.into()),
        },
        Asks::Table { .. } => return None,
    };
    Some(expr.map(|expr| expr.bind_now(NOW_MICROS)))
}

/// Spells the cases for a dialect.
pub(super) fn plan(tables: &BTreeMap<String, Table>, cases: &[Case], dialect: Dialect) -> Result<Plan> {
    let mut plan = Plan { questions: Vec::new(), readers: Vec::new() };
    let mut flags: BTreeMap<&str, Vec<(usize, String)>> = BTreeMap::new();
    for (place, case) in cases.iter().enumerate() {
        let table = tables.get(&case.table).context("a case without a table")?;
        let reader = match (&case.asks, predicate(case, table)) {
            (_, Some(predicate)) => match predicate.and_then(|predicate| Ok(to_sql(&predicate, dialect)?)) {
                Ok(sql) => {
                    let flag = format!("CASE WHEN {sql} THEN 1 WHEN NOT {sql} THEN 0 END");
                    flags.entry(&case.table).or_default().push((place, flag));
                    Reader::Settled(Finding::Error("it was not asked".into()))
                }
                Err(error) => Reader::Settled(Finding::Error(error.to_string())),
            },
            (Asks::Table { rule, history, .. }, None) => {
                outcome(&mut plan.questions, place, rule, history, tables, case, dialect)?
            }
            (_, None) => bail!("{}: it asks nothing", case.id),
        };
        plan.readers.push(reader);
    }
    for (table, flags) in flags {
        for (batch, flags) in flags.chunks(PREDICATES).enumerate() {
            let from = format!("{}.{}", quote_name(DATABASE, dialect), quote_name(table, dialect));
            let shared = format!("{table} {batch}");
            let mut parts = Vec::new();
            let mut select = vec!["id".to_owned()];
            for (column, (place, flag)) in flags.iter().enumerate() {
                let own = format!("case {place}");
                parts.push(json!({"id": own, "sql": format!("SELECT id, {flag} AS f FROM {from}")}));
                select.push(format!("{flag} AS f{column}"));
                if let Some(reader) = plan.readers.get_mut(*place) {
                    *reader = Reader::Flag { shared: shared.clone(), column: column + 1, own };
                }
            }
            let sql = format!("SELECT {} FROM {from}", select.join(", "));
            plan.questions.push(json!({"id": shared, "sql": sql, "parts": parts}));
        }
    }
    Ok(plan)
}

/// A rule of all rows as the suite of a table compiles it.
fn outcome(
    questions: &mut Vec<Json>,
    place: usize,
    rule: &Rule,
    history: &[u64],
    tables: &BTreeMap<String, Table>,
    case: &Case,
    dialect: Dialect,
) -> Result<Reader> {
    let error = |error: String| Ok(Reader::Settled(Finding::Error(error)));
    let schema_of = |name: &str| {
        let name = name.rsplit('.').next().unwrap_or(name);
        tables.get(name).map(|table| table.schema.clone())
    };
    let Some(schema) = schema_of(&case.table) else { bail!("{}: it has no table", case.id) };
    let check = match check::check_among(rule, &schema, &schema_of) {
        Ok(check) => check,
        Err(refused) => return error(refused.to_string()),
    };
    let name = TableName::new(DATABASE, &case.table);
    let target = Target {
        table: &name,
        dialect,
        now_micros: Some(NOW_MICROS),
        restriction: &|_| None,
        resolve: &|written| TableName::new(DATABASE, written.rsplit('.').next().unwrap_or(written)),
    };
    let planned = suite::plan(&target, &[(rule, check)]);
    if let Some((_, refused)) = planned.refused.first() {
        return error(refused.clone());
    }
    if let Some((_, settled)) = planned.settled.first() {
        return Ok(Reader::Settled(finding(settled)));
    }
    let mut readings = Vec::new();
    for (number, query) in planned.queries.into_iter().enumerate() {
        let sql = match query.untrusted {
            true => match translate(&query.sql, Syntax::Trino, &schema, dialect) {
                Ok(sql) => sql,
                Err(refused) => return error(refused.to_string()),
            },
            false => query.sql,
        };
        let id = format!("case {place}.{number}");
        questions.push(json!({"id": id, "sql": sql}));
        readings.extend(query.readings.into_iter().map(|reading| (id.clone(), reading)));
    }
    Ok(Reader::Outcome { questions: readings, known: Known { history: history.to_vec(), now_micros: NOW_MICROS } })
}

impl Plan {
    /// What an engine's answers say of the case at a place.
    pub(super) fn read(&self, place: usize, answers: &HashMap<String, Answer>) -> Finding {
        let answer = |id: &str| answers.get(id).cloned().unwrap_or_else(|| Err("it was not answered".into()));
        match self.readers.get(place) {
            Some(Reader::Flag { shared, column, own }) => match (answer(shared), answer(own)) {
                (Ok(shared), _) => rows(&shared, *column),
                (Err(_), Ok(own)) => rows(&own, 1),
                (Err(_), Err(error)) => Finding::Error(error),
            },
            Some(Reader::Outcome { questions, known }) => match questions.as_slice() {
                [(id, reading)] => match answer(id) {
                    Ok(rows) => finding(&suite::judge(reading, &rows, known)),
                    Err(error) => Finding::Error(error),
                },
                other => Finding::Error(format!("it takes {} readings, not one", other.len())),
            },
            Some(Reader::Settled(finding)) => finding.clone(),
            None => Finding::Error("it was not planned".into()),
        }
    }
}

fn finding(outcome: &Outcome) -> Finding {
    let (word, violations, message) = match outcome {
        Outcome::Passed { message } => ("passed", None, message),
        Outcome::Failed { violations, message } => ("failed", *violations, message),
        Outcome::Skipped { message } => ("skipped", None, message),
        Outcome::Errored { message } => ("errored", None, message),
    };
    Finding::Outcome { word: word.to_owned(), violations, message: message.clone() }
}

/// The rows whose flag in a column is true, and those where it is NULL, by the number in the first column.
fn rows(answer: &[Vec<Value>], column: usize) -> Finding {
    let (mut holds, mut unknown) = (Vec::new(), Vec::new());
    for row in answer {
        let (Some(Value::Int(id)), Some(flag)) = (row.first(), row.get(column)) else {
            return Finding::Error(format!("{row:?} is no row with its number and a flag"));
        };
        match flag {
            Value::Int(1) | Value::Boolean(true) => holds.push(*id),
            Value::Int(0) | Value::Boolean(false) => {}
            Value::Null => unknown.push(*id),
            other => return Finding::Error(format!("{other:?} is no flag")),
        }
    }
    holds.sort_unstable();
    unknown.sort_unstable();
    Finding::Rows { holds, unknown }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Finding::Rows { holds, unknown } if unknown.is_empty() => write!(f, "true for {holds:?}"),
            Finding::Rows { holds, unknown } => write!(f, "true for {holds:?}, NULL for {unknown:?}"),
            Finding::Outcome { word, violations, message } => {
                f.write_str(word)?;
                violations.map_or(Ok(()), |violations| write!(f, ", {violations} violations"))?;
                if message.is_empty() { Ok(()) } else { write!(f, ": {message}") }
            }
            Finding::Error(error) => write!(f, "error: {error}"),
        }
    }
}
