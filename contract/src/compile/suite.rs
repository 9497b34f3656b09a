//! All checks of a table in the fewest queries, and their outcomes out of the answers.
//!
//! Row rules, NULL shares, row counts and ages share one scan; duplicates and foreign keys take one query each; a query
//! of a person's own stays itself. Where a fused query fails as a whole, the runner plans its rules one by one, so that
//! one bad value makes one check an error and not all of them.

use serde::Serialize;

use super::check::{Check, NullKeys};
use crate::expr::print::{Dialect, PrintError, quote_name, to_sql};
use crate::expr::{Expr, ExprKind};
use crate::rule::{Expects, Rule, Threshold};
use crate::schema::TableName;
use crate::types::DataType;
use crate::value::Value;

/// Queries and what each answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SuitePlan {
    /// The queries.
    pub queries: Vec<PlannedQuery>,
    /// Rules that cannot be asked in this dialect: id and reason.
    pub refused: Vec<(String, String)>,
}

/// One query and what its answer says of which rule.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedQuery {
    /// The query.
    pub sql: String,
    /// Whether a person or a model wrote it: it then runs under limits.
    pub untrusted: bool,
    /// The columns of the table that it reads; empty where that is not known.
    pub columns: Vec<String>,
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
        /// Hours.
        max_age_hours: f64,
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

/// Plans the checks of a table. `restriction` is a predicate over its columns: only rows for which it is true are read.
/// `resolve` gives the full name of a referenced table. Row-count history counts the restricted rows.
pub fn plan(
    table: &TableName,
    checks: &[(&Rule, Check)],
    restriction: Option<&Expr>,
    resolve: &dyn Fn(&str) -> TableName,
    dialect: Dialect,
) -> SuitePlan {
    let mut plan = SuitePlan::default();
    let mut scan = Scan::new();
    for (rule, check) in checks {
        let planned = match check {
            Check::Duplicates { columns, nulls, judged } => {
                duplicates(table, columns, *nulls, &both(restriction, judged), dialect)
                    .map(|sql| Some(single(rule, sql, columns.clone())))
            }
            Check::ForeignKey { column, ref_table, ref_column, judged } => {
                let referenced = (resolve(ref_table), ref_column.as_str());
                orphans(table, column, &referenced, &both(restriction, judged), dialect)
                    .map(|sql| Some(single(rule, sql, vec![column.clone()])))
            }
            Check::Query { sql, expects } => Ok(Some(own_query(rule, sql, *expects))),
            // Only raw text can have the wrong type.
            Check::Type { .. } => Ok(None),
            _ => scan.add(rule, check, dialect).map(|()| None),
        };
        match planned {
            Ok(query) => plan.queries.extend(query),
            Err(error) => plan.refused.push((rule.id.clone(), error.to_string())),
        }
    }
    match scan.finish(table, restriction, dialect) {
        Ok(Some(query)) => plan.queries.insert(0, query),
        Ok(None) => {}
        Err(error) => plan.refused.extend(scan_ids(checks).map(|id| (id, error.to_string()))),
    }
    plan
}

/// The outcome of a rule, given the rows that its query returned.
pub fn judge(reading: &Reading, rows: &[Vec<Value>], known: &Known) -> Outcome {
    let count = |position: usize| match rows.first().and_then(|row| row.get(position)) {
        Some(Value::Int(count)) => u64::try_from(*count).ok(),
        // The sum over no rows.
        Some(Value::Null) => Some(0),
        _ => None,
    };
    let unreadable = || Outcome::Errored { message: "the query returned no count".to_owned() };
    match &reading.measure {
        Measure::Violations { violations, judged } => match (count(*violations), count(*judged)) {
            (Some(violations), Some(judged)) => tolerate(violations, judged, reading.threshold),
            _ => unreadable(),
        },
        Measure::NullShare { nulls, judged, max } => match (count(*nulls), count(*judged)) {
            (Some(_), Some(0)) => Outcome::Skipped { message: "no rows to judge".to_owned() },
            (Some(nulls), Some(judged)) => {
                let share = nulls as f64 / judged as f64;
                let message = format!("{:.2} % NULL, at most {:.2} %", share * 100.0, max * 100.0);
                passed_if(share <= *max, Some(nulls), message)
            }
            _ => unreadable(),
        },
        Measure::RowCount { rows, min, max } => match count(*rows) {
            Some(rows) => {
                let fits = min.is_none_or(|min| rows >= min) && max.is_none_or(|max| rows <= max);
                passed_if(fits, None, format!("{rows} rows, expected {}", bounds(*min, *max)))
            }
            None => unreadable(),
        },
        Measure::RowCountHistory { rows, max_deviation, window_days } => match count(*rows) {
            Some(rows) => row_count_deviation(rows, &known.history, *max_deviation, *window_days),
            None => unreadable(),
        },
        Measure::Age { newest, max_age_hours } => {
            let value = rows.first().and_then(|row| row.get(*newest));
            age(value, *max_age_hours, known.now_micros)
        }
        Measure::Rows => tolerate(rows.len() as u64, rows.len() as u64, reading.threshold),
    }
}

/// Holds a row count against the average of the newest `window_days` counts before it.
pub fn row_count_deviation(rows: u64, history: &[u64], max_deviation: f64, window_days: u32) -> Outcome {
    let window: Vec<f64> = history.iter().take(window_days as usize).map(|&count| count as f64).collect();
    if window.is_empty() {
        return Outcome::Skipped { message: "no earlier row counts to compare with".to_owned() };
    }
    let average = window.iter().sum::<f64>() / window.len() as f64;
    let deviation = if average == 0.0 {
        if rows == 0 { 0.0 } else { f64::INFINITY }
    } else {
        (rows as f64 - average).abs() / average
    };
    let message = format!(
        "{rows} rows, {:.0} % off the average {average:.0} of {} earlier days; at most {:.0} %",
        deviation * 100.0,
        window.len(),
        max_deviation * 100.0
    );
    passed_if(deviation <= max_deviation, None, message)
}

/// The scan that row rules share.
struct Scan {
    items: Vec<String>,
    readings: Vec<Reading>,
    columns: Vec<String>,
}

impl Scan {
    fn new() -> Self {
        Scan { items: Vec::new(), readings: Vec::new(), columns: Vec::new() }
    }

    fn add(&mut self, rule: &Rule, check: &Check, dialect: Dialect) -> Result<(), PrintError> {
        let measure = match check {
            Check::Row { violation, judged } => Measure::Violations {
                violations: self.count(violation, dialect)?,
                judged: self.count(judged, dialect)?,
            },
            Check::NullShare { column, max, judged } => {
                let null = Expr::is_null(Expr::column(column, DataType::Unknown));
                let nulls = self.count(&both(Some(judged), &null), dialect)?;
                Measure::NullShare { nulls, judged: self.count(judged, dialect)?, max: *max }
            }
            Check::RowCount { min, max, judged } => {
                Measure::RowCount { rows: self.count(judged, dialect)?, min: *min, max: *max }
            }
            Check::RowCountHistory { max_deviation, window_days } => Measure::RowCountHistory {
                rows: self.count(&Expr::boolean(true), dialect)?,
                max_deviation: *max_deviation,
                window_days: *window_days,
            },
            Check::Age { column, max_age_hours } => {
                self.read([column.clone()]);
                let newest = self.item(format!("max({})", quote_name(column, dialect)));
                Measure::Age { newest, max_age_hours: *max_age_hours }
            }
            Check::Type { .. } | Check::Duplicates { .. } | Check::ForeignKey { .. } | Check::Query { .. } => {
                return Ok(());
            }
        };
        self.readings.push(Reading { rule_id: rule.id.clone(), measure, threshold: rule.threshold });
        Ok(())
    }

    /// Counts the rows for which a predicate is true; equal counts are asked once.
    fn count(&mut self, predicate: &Expr, dialect: Dialect) -> Result<usize, PrintError> {
        if is_true(predicate) {
            return Ok(self.item("count(*)".to_owned()));
        }
        self.read(predicate.columns().into_iter().map(|column| column.name.clone()));
        let sql = to_sql(predicate, dialect)?;
        Ok(self.item(format!("sum(CASE WHEN {sql} THEN 1 ELSE 0 END)")))
    }

    fn item(&mut self, sql: String) -> usize {
        self.items.iter().position(|item| *item == sql).unwrap_or_else(|| {
            self.items.push(sql);
            self.items.len() - 1
        })
    }

    fn read(&mut self, columns: impl IntoIterator<Item = String>) {
        for column in columns {
            if !self.columns.contains(&column) {
                self.columns.push(column);
            }
        }
    }

    fn finish(
        self,
        table: &TableName,
        restriction: Option<&Expr>,
        dialect: Dialect,
    ) -> Result<Option<PlannedQuery>, PrintError> {
        if self.readings.is_empty() {
            return Ok(None);
        }
        let items: Vec<String> =
            self.items.iter().enumerate().map(|(index, item)| format!("{item} AS c{index}")).collect();
        let filter = match restriction {
            Some(restriction) => format!(" WHERE {}", to_sql(restriction, dialect)?),
            None => String::new(),
        };
        let sql = format!("SELECT {} FROM {}{filter}", items.join(", "), table_sql(table, dialect));
        Ok(Some(PlannedQuery { sql, untrusted: false, columns: self.columns, readings: self.readings }))
    }
}

fn scan_ids<'a>(checks: &'a [(&Rule, Check)]) -> impl Iterator<Item = String> + 'a {
    let fused = checks.iter().filter(|(_, check)| {
        !matches!(check, Check::Type { .. } | Check::Duplicates { .. } | Check::ForeignKey { .. } | Check::Query { .. })
    });
    fused.map(|(rule, _)| rule.id.clone())
}

fn single(rule: &Rule, sql: String, columns: Vec<String>) -> PlannedQuery {
    let measure = Measure::Violations { violations: 0, judged: 1 };
    let reading = Reading { rule_id: rule.id.clone(), measure, threshold: rule.threshold };
    PlannedQuery { sql, untrusted: false, columns, readings: vec![reading] }
}

fn own_query(rule: &Rule, sql: &str, expects: Expects) -> PlannedQuery {
    let measure = match expects {
        Expects::NoRows => Measure::Rows,
        Expects::ZeroCount => Measure::Violations { violations: 0, judged: 0 },
    };
    let reading = Reading { rule_id: rule.id.clone(), measure, threshold: rule.threshold };
    PlannedQuery { sql: sql.to_owned(), untrusted: true, columns: Vec::new(), readings: vec![reading] }
}

/// Surplus rows of each key, and rows whose key is NULL where that violates; beside them the rows judged.
fn duplicates(
    table: &TableName,
    columns: &[String],
    nulls: NullKeys,
    judged: &Expr,
    dialect: Dialect,
) -> Result<String, PrintError> {
    let keys: Vec<String> = columns.iter().map(|column| quote_name(column, dialect)).collect();
    let missing = keys.iter().map(|key| format!("{key} IS NULL")).collect::<Vec<_>>().join(" OR ");
    let mut conditions = Vec::new();
    if !is_true(judged) {
        conditions.push(to_sql(judged, dialect)?);
    }
    if nulls == NullKeys::Ignore {
        conditions.push(format!("NOT ({missing})"));
    }
    let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    let surplus = match nulls {
        NullKeys::Violate => format!("CASE WHEN {missing} THEN n ELSE n - 1 END"),
        NullKeys::Ignore | NullKeys::Compare => "n - 1".to_owned(),
    };
    let (list, table) = (keys.join(", "), table_sql(table, dialect));
    Ok(format!(
        "SELECT sum({surplus}) AS violations, sum(n) AS judged \
         FROM (SELECT {list}, count(*) AS n FROM {table}{filter} GROUP BY {list}) AS groups"
    ))
}

/// Rows whose value does not occur in the referenced column, and the rows judged. `NOT EXISTS`, since `NOT IN` finds
/// nothing once the other side holds a NULL.
fn orphans(
    table: &TableName,
    column: &str,
    (ref_table, ref_column): &(TableName, &str),
    judged: &Expr,
    dialect: Dialect,
) -> Result<String, PrintError> {
    let (column, ref_column) = (quote_name(column, dialect), quote_name(ref_column, dialect));
    let mut conditions = vec![format!("{column} IS NOT NULL")];
    if !is_true(judged) {
        conditions.push(to_sql(judged, dialect)?);
    }
    let (table, ref_table) = (table_sql(table, dialect), table_sql(ref_table, dialect));
    Ok(format!(
        "SELECT sum(CASE WHEN r.k IS NULL THEN l.n ELSE 0 END) AS violations, sum(l.n) AS judged \
         FROM (SELECT {column} AS k, count(*) AS n FROM {table} WHERE {} GROUP BY {column}) AS l \
         LEFT JOIN (SELECT DISTINCT {ref_column} AS k FROM {ref_table} WHERE {ref_column} IS NOT NULL) AS r ON l.k = r.k",
        conditions.join(" AND ")
    ))
}

fn table_sql(table: &TableName, dialect: Dialect) -> String {
    format!("{}.{}", quote_name(&table.database, dialect), quote_name(&table.table, dialect))
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

fn tolerate(violations: u64, judged: u64, threshold: Option<Threshold>) -> Outcome {
    let tolerated = match threshold {
        None => violations == 0,
        Some(Threshold::Count(count)) => violations <= count,
        Some(Threshold::Share(share)) => violations as f64 <= share * judged as f64,
    };
    let allowed = match threshold {
        None => String::new(),
        Some(Threshold::Count(count)) => format!(", at most {count}"),
        Some(Threshold::Share(share)) => format!(", at most {:.2} %", share * 100.0),
    };
    passed_if(tolerated, Some(violations), format!("{violations} of {judged} rows violate it{allowed}"))
}

fn passed_if(passed: bool, violations: Option<u64>, message: String) -> Outcome {
    if passed { Outcome::Passed { message } } else { Outcome::Failed { violations, message } }
}

fn age(newest: Option<&Value>, max_age_hours: f64, now_micros: i64) -> Outcome {
    const HOUR: f64 = 3_600_000_000.0;
    let micros = match newest {
        // A day is over, and its data complete, when the next one begins.
        Some(Value::Date(days)) => (i64::from(*days) + 1) * 86_400_000_000,
        Some(Value::Timestamp(micros)) => *micros,
        Some(Value::Null) | None => return Outcome::Skipped { message: "no rows to date".to_owned() },
        Some(_) => return Outcome::Errored { message: "the column holds no date or timestamp".to_owned() },
    };
    let hours = (now_micros - micros) as f64 / HOUR;
    let message = format!("the newest row is {:.1} hours old, at most {max_age_hours:.1}", hours.max(0.0));
    passed_if(hours <= max_age_hours, None, message)
}

fn bounds(min: Option<u64>, max: Option<u64>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "any number".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile;
    use crate::document::Contract;
    use crate::schema::{Column, Provenance, TableSchema};

    const CONTRACT: &str = r#"{"table_name": "pay", "columns": {
        "id": {"type": "string", "rules": [{"type": "not_null"}, {"type": "unique"},
            {"type": "foreign_key", "ref_table": "loans", "ref_column": "loan_id"}]},
        "amount": {"type": "double", "rules": [{"type": "min", "value": 0, "threshold": {"share": 0.01}},
            {"type": "null_ratio", "max": 0.1}]}
    }, "table_level_checks": [{"type": "row_count", "min": 1}, {"type": "row_count_anomaly"}]}"#;

    fn planned(dialect: Dialect) -> SuitePlan {
        let (contract, _) = Contract::from_json(CONTRACT).unwrap();
        let column = |name: &str, data_type| Column {
            name: name.to_owned(),
            data_type,
            nullable: None,
            comment: None,
            partition_key: false,
        };
        let columns = vec![column("id", DataType::String), column("amount", DataType::Double)];
        let schema = TableSchema { columns, provenance: Provenance::Catalog };
        let checks: Vec<_> = contract.rules().map(|rule| (rule, compile::check(rule, &schema).unwrap())).collect();
        plan(&TableName::new("db", "pay"), &checks, None, &|name| TableName::new("db", name), dialect)
    }

    #[test]
    fn seven_rules_take_three_queries() {
        let plan = planned(Dialect::Trino);
        assert_eq!(plan.refused, []);
        let ids: Vec<Vec<&str>> = plan
            .queries
            .iter()
            .map(|query| query.readings.iter().map(|reading| reading.rule_id.as_str()).collect())
            .collect();
        let fused = ["not_null_id", "min_amount", "null_ratio_amount", "row_count", "row_count_anomaly"];
        assert_eq!(ids, [fused.to_vec(), vec!["unique_id"], vec!["foreign_key_id"]]);
        assert_eq!(plan.queries[0].columns, ["id", "amount"]);
        assert_eq!(plan.queries[0].sql.matches("count(*)").count(), 1, "{}", plan.queries[0].sql);
    }

    #[test]
    fn outcomes_are_read_by_position_and_threshold() {
        let plan = planned(Dialect::DataFusion);
        let known = Known { history: vec![100, 100], now_micros: 0 };
        let scan = &plan.queries[0];
        let outcome = |id: &str, row: &[Value]| {
            let reading = scan.readings.iter().find(|reading| reading.rule_id == id).unwrap();
            judge(reading, &[row.to_vec()], &known)
        };
        // NULL ids, all rows, amounts out of range, NULL amounts.
        let row = [Value::Int(0), Value::Int(130), Value::Int(1), Value::Int(20)];
        assert!(matches!(outcome("not_null_id", &row), Outcome::Passed { .. }));
        assert!(matches!(outcome("min_amount", &row), Outcome::Passed { .. }), "one of 130 is within one percent");
        assert!(matches!(outcome("null_ratio_amount", &row), Outcome::Failed { violations: Some(20), .. }));
        assert!(matches!(outcome("row_count", &row), Outcome::Passed { .. }));
        assert!(matches!(outcome("row_count_anomaly", &row), Outcome::Failed { .. }), "30 % off the average");
        let empty = [Value::Null, Value::Int(0), Value::Null, Value::Null];
        assert!(matches!(outcome("not_null_id", &empty), Outcome::Passed { .. }));
        assert!(matches!(outcome("null_ratio_amount", &empty), Outcome::Skipped { .. }));
        assert!(matches!(outcome("not_null_id", &[Value::Boolean(true)]), Outcome::Errored { .. }));
    }

    #[test]
    fn without_history_nothing_is_said() {
        assert!(matches!(row_count_deviation(5, &[], 0.2, 7), Outcome::Skipped { .. }));
        assert!(matches!(row_count_deviation(0, &[0, 0], 0.2, 7), Outcome::Passed { .. }));
        assert!(matches!(row_count_deviation(200, &[100; 9], 0.2, 7), Outcome::Failed { .. }));
    }
}
