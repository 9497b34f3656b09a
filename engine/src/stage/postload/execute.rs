//! Runs the queries of a suite and judges their answers.

use contract::compile::Check;
use contract::compile::suite::{self, Known, Outcome, PlannedQuery, SuitePlan, Target};
use contract::rule::{Rule, Severity};
use indexmap::IndexMap;

use super::prepare::{Item, Prepared, day_key};
use super::{Run, Status, TestResult, row_counts};
use crate::lake::{Cost, Lake, Limits, QueryResult};
use crate::project::Project;
use crate::stage::{history, resolve};
use crate::{Error, Result};

/// Rows that a query of a person's own may return; more are counted as so many.
const MAX_ROWS: usize = 10_000;

/// The plan of a suite. Row counts by day are not in it; see [`row_counts`].
pub(super) fn plan(lake: &dyn Lake, prepared: &Prepared) -> SuitePlan {
    let checks = |item: &'_ Item| Some((item.rule.clone(), item.check.clone().ok()?));
    let checks: Vec<(Rule, Check)> = planned(prepared).filter_map(checks).collect();
    let checks: Vec<(&Rule, Check)> = checks.iter().map(|(rule, check)| (rule, check.clone())).collect();
    plan_of(lake, prepared, &checks)
}

/// The items that queries of the plan answer.
fn planned(prepared: &Prepared) -> impl Iterator<Item = &Item> {
    let by_day = day_key(&prepared.table).is_some();
    prepared.items.iter().filter(move |item| !(by_day && is_history(item)))
}

pub(super) fn is_history(item: &Item) -> bool {
    matches!(item.check, Ok(Check::RowCountHistory { .. }))
}

fn plan_of(lake: &dyn Lake, prepared: &Prepared, checks: &[(&Rule, Check)]) -> SuitePlan {
    with_target(lake, prepared, |target| suite::plan(target, checks))
}

/// The table as the compiler of suites is told of it.
pub(super) fn with_target<T>(lake: &dyn Lake, prepared: &Prepared, ask: impl FnOnce(&Target) -> T) -> T {
    let name = &prepared.table.name;
    ask(&Target {
        table: name,
        dialect: lake.engine().dialect(),
        now_micros: Some(lake.now().timestamp_micros()),
        restriction: &|scope| prepared.restriction(scope),
        resolve: &|written| resolve(written, name, &prepared.all),
    })
}

/// Runs everything; the results in the order of the items.
pub(super) async fn run(project: &Project, lake: &dyn Lake, prepared: &Prepared) -> Result<Run> {
    let mut runner = Runner {
        project,
        lake,
        prepared,
        known: Known {
            history: history::table_counts(lake, &prepared.keys, &prepared.date).await?,
            now_micros: lake.now().timestamp_micros(),
        },
        outcomes: IndexMap::new(),
        queries: 0,
        cost: Cost::default(),
    };
    for item in &prepared.items {
        if let Err(reason) = &item.check {
            runner.outcomes.insert(item.rule.id.clone(), Outcome::Errored { message: reason.clone() });
        }
    }
    let plan = plan(lake, prepared);
    let refused = plan.refused.into_iter().map(|(id, message)| (id, Outcome::Errored { message }));
    runner.outcomes.extend(refused.chain(plan.settled));
    for query in &plan.queries {
        runner.ask(query).await;
    }
    let row_count = runner.row_count().await?;
    let days = row_counts::judge(&mut runner).await?;
    let Runner { mut outcomes, queries, cost, .. } = runner;
    let today = lake.now().format("%Y-%m-%d").to_string();
    let result = |item: &Item| {
        let unanswered = || Outcome::Errored { message: "no query answers it".to_owned() };
        result(item, outcomes.shift_remove(&item.rule.id).unwrap_or_else(unanswered), &today)
    };
    Ok(Run {
        date: prepared.date.clone(),
        row_count,
        contract_hash: prepared.contract_hash.clone(),
        notes: prepared.notes.clone(),
        tests: prepared.items.iter().map(result).collect(),
        queries,
        cost,
        days,
        ..Run::default()
    })
}

pub(super) struct Runner<'a> {
    pub(super) project: &'a Project,
    pub(super) lake: &'a dyn Lake,
    pub(super) prepared: &'a Prepared,
    pub(super) known: Known,
    /// By rule id.
    pub(super) outcomes: IndexMap<String, Outcome>,
    queries: u64,
    cost: Cost,
}

impl Runner<'_> {
    /// Runs a query and judges the rules that it answers. Where it fails as a whole, they are asked one by one.
    async fn ask(&mut self, query: &PlannedQuery) {
        match self.execute(query).await {
            Ok(answer) => self.judge(query, &answer),
            Err(error) if query.readings.len() == 1 => self.fail(query, &error),
            Err(_) => {
                let ids: Vec<String> = query.readings.iter().map(|reading| reading.rule_id.clone()).collect();
                for id in ids {
                    let item = self.prepared.items.iter().find(|item| item.rule.id == id);
                    let Some(Item { rule, check: Ok(check), .. }) = item else { continue };
                    let alone = plan_of(self.lake, self.prepared, &[(rule, check.clone())]);
                    for query in &alone.queries {
                        match self.execute(query).await {
                            Ok(answer) => self.judge(query, &answer),
                            Err(error) => self.fail(query, &error),
                        }
                    }
                }
            }
        }
    }

    async fn execute(&mut self, query: &PlannedQuery) -> Result<QueryResult> {
        self.queries += 1;
        let engine = self.lake.engine();
        let answer = match query.untrusted {
            true => engine.query_untrusted(&query.sql, &limits(self.project, self.prepared, MAX_ROWS)).await?,
            false => engine.query(&query.sql).await?,
        };
        self.cost.bytes_scanned += answer.cost.bytes_scanned;
        Ok(answer)
    }

    /// Runs a query of this program's own.
    pub(super) async fn query(&mut self, sql: String) -> Result<QueryResult> {
        self.execute(&PlannedQuery { sql, ..PlannedQuery::default() }).await
    }

    fn judge(&mut self, query: &PlannedQuery, answer: &QueryResult) {
        for reading in &query.readings {
            let outcome = suite::judge(reading, &answer.rows, &self.known);
            let outcome = match outcome {
                Outcome::Failed { violations, message } if answer.truncated => {
                    Outcome::Failed { violations, message: format!("{message}, at least") }
                }
                other => other,
            };
            self.outcomes.insert(reading.rule_id.clone(), outcome);
        }
    }

    fn fail(&mut self, query: &PlannedQuery, error: &Error) {
        let (Error::Input { problem, next, .. } | Error::Environment { problem, next, .. }) = error;
        for reading in &query.readings {
            let message = format!("could not be evaluated: {problem}; {next}");
            self.outcomes.insert(reading.rule_id.clone(), Outcome::Errored { message });
        }
    }

    /// The rows of the table.
    async fn row_count(&mut self) -> Result<u64> {
        let table = suite_table(self.prepared, self.lake);
        let answer = self.query(format!("SELECT count(*) AS n FROM {table}")).await?;
        Ok(first_count(&answer))
    }
}

/// What a query from outside may use: any table of the lake, within the project's limits.
pub(super) fn limits(project: &Project, prepared: &Prepared, rows: usize) -> Limits {
    let limits = &project.settings.limits;
    Limits { tables: prepared.all.clone(), seconds: limits.query_seconds, memory_bytes: limits.memory_mb << 20, rows }
}

/// The table's name in SQL.
pub(super) fn suite_table(prepared: &Prepared, lake: &dyn Lake) -> String {
    let quote = |name: &str| contract::expr::print::quote_name(name, lake.engine().dialect());
    let name = &prepared.table.name;
    format!("{}.{}", quote(&name.database), quote(&name.table))
}

pub(super) fn first_count(answer: &QueryResult) -> u64 {
    match answer.rows.first().and_then(|row| row.first()) {
        Some(contract::value::Value::Int(count)) => u64::try_from(*count).unwrap_or(0),
        _ => 0,
    }
}

fn result(item: &Item, outcome: Outcome, today: &str) -> TestResult {
    let (status, violations, message) = match outcome {
        Outcome::Passed { message } => (Status::Passed, Some(0), message),
        Outcome::Failed { violations, message } => (Status::Failed, violations, message),
        Outcome::Skipped { message } => (Status::Skipped, None, message),
        Outcome::Errored { message } => (Status::Errored, None, message),
    };
    TestResult {
        name: item.name.clone(),
        rule_id: Some(item.rule.id.clone()),
        status,
        severity: match item.rule.severity {
            Severity::Warn => "warn".to_owned(),
            Severity::Error => "error".to_owned(),
        },
        violations,
        message,
        muted_until: item.rule.mute_until.clone().filter(|_| item.rule.is_muted(today)),
        samples: Vec::new(),
    }
}
