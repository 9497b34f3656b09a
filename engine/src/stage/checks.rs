//! Runs checks on a table: fused into the fewest queries, and one by one where a fused query fails.

use std::collections::HashMap;

use contract::compile::Check;
use contract::compile::suite::{Known, Outcome, PlannedQuery, Target, judge, plan};
use contract::expr::Expr;
use contract::rule::Rule;
use contract::schema::TableName;

use super::resolve;
use crate::lake::{Cost, Lake, Limits, QueryResult};
use crate::project::Project;
use crate::{Error, Result};

/// Rows of a query from outside that are looked at; more say no more.
const MAX_ROWS: usize = 1_000;

/// A table whose checks are run, among all tables of its lake.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) project: &'a Project,
    pub(crate) lake: &'a dyn Lake,
    pub(crate) table: &'a TableName,
    pub(crate) all: &'a [TableName],
}

/// The outcome of each rule by its id. `restriction` limits the rows that are judged. One check that cannot be evaluated
/// is an outcome of its own and takes no other with it.
///
/// # Errors
/// Failures of the environment.
pub(crate) async fn run(
    subject: Subject<'_>,
    checks: &[(&Rule, Check)],
    restriction: Option<&Expr>,
    cost: &mut Cost,
) -> Result<HashMap<String, Outcome>> {
    let planned = |checks: &[(&Rule, Check)]| {
        let full = |name: &str| resolve(name, subject.table, subject.all);
        let target = Target {
            table: subject.table,
            dialect: subject.lake.engine().dialect(),
            now_micros: Some(subject.lake.now().timestamp_micros()),
            restriction: &|_| restriction.cloned(),
            resolve: &full,
        };
        plan(&target, checks)
    };
    let suite = planned(checks);
    let mut outcomes: HashMap<String, Outcome> =
        suite.refused.into_iter().map(|(id, message)| (id, Outcome::Errored { message })).collect();
    outcomes.extend(suite.settled);
    for query in suite.queries {
        match ask(subject, &query, cost).await {
            Ok(answer) => read(subject, &query, &answer, &mut outcomes),
            Err(error @ Error::Environment { .. }) if !query.untrusted => return Err(error),
            Err(error) if query.readings.len() == 1 => note(&query, &error, &mut outcomes),
            Err(_) => {
                let fused = |rule: &Rule| query.readings.iter().any(|reading| reading.rule_id == rule.id);
                for check in checks.iter().filter(|(rule, _)| fused(rule)) {
                    for single in planned(std::slice::from_ref(check)).queries {
                        match ask(subject, &single, cost).await {
                            Ok(answer) => read(subject, &single, &answer, &mut outcomes),
                            Err(error) => note(&single, &error, &mut outcomes),
                        }
                    }
                }
            }
        }
    }
    Ok(outcomes)
}

async fn ask(subject: Subject<'_>, query: &PlannedQuery, cost: &mut Cost) -> Result<QueryResult> {
    let engine = subject.lake.engine();
    let answer = match query.untrusted {
        true => engine.query_untrusted(&query.sql, &limits(subject)).await?,
        false => engine.query(&query.sql).await?,
    };
    cost.seconds += answer.cost.seconds;
    cost.bytes_scanned += answer.cost.bytes_scanned;
    Ok(answer)
}

/// What a query that a person or a model wrote may use: the lake's tables, and the settings' time and memory.
fn limits(subject: Subject<'_>) -> Limits {
    let limits = &subject.project.settings.limits;
    Limits {
        tables: subject.all.to_vec(),
        seconds: limits.query_seconds,
        memory_bytes: limits.memory_mb << 20,
        rows: MAX_ROWS,
    }
}

fn read(subject: Subject<'_>, query: &PlannedQuery, answer: &QueryResult, outcomes: &mut HashMap<String, Outcome>) {
    let known = Known { history: Vec::new(), now_micros: subject.lake.now().timestamp_micros() };
    for reading in &query.readings {
        outcomes.insert(reading.rule_id.clone(), judge(reading, &answer.rows, &known));
    }
}

fn note(query: &PlannedQuery, error: &Error, outcomes: &mut HashMap<String, Outcome>) {
    for reading in &query.readings {
        outcomes.insert(reading.rule_id.clone(), Outcome::Errored { message: error.to_string() });
    }
}
