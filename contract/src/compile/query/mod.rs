//! Queries that people and models write as tests: told apart, and mended where Athena would refuse them.
//!
//! A query from outside is input, not truth. It is bounded before it is parsed, must be one read-only query, and is
//! rewritten to what Athena engine version 3 (Trino) accepts; what cannot be rewritten without guessing is refused with
//! the reason. Seen on Trino 476: an alias in `HAVING` or `GROUP BY`, a backtick and a double-quoted text are refused,
//! and so is a comparison of a date with a text.

mod expects;
mod size;

use std::ops::ControlFlow;

use indexmap::IndexMap;
use sqlparser::ast::{
    BinaryOperator, CastKind, DataType as SqlType, Expr, GroupByExpr, Ident, ObjectName, ObjectNamePart, Query, Select,
    SelectItem, SetExpr, Statement, TypedString, Value, ValueWithSpan, VisitMut, VisitorMut,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use crate::rule::Expects;
use crate::types::DataType;

use expects::expectation;
pub use size::check_bounds;

/// Athena refuses longer query strings.
pub const MAX_BYTES: usize = 262_144;
/// A query that may be run as a test.
#[derive(Clone, Debug, PartialEq)]
pub struct TestQuery {
    /// The query as Athena accepts it.
    pub sql: String,
    /// What its result means.
    pub expects: Expects,
    /// The function whose value it returns, where it returns one that needs bounds.
    pub value: Option<String>,
    /// The tables that it reads, as written: `table`, `database.table`.
    pub tables: Vec<String>,
    /// What was rewritten, for people; empty where nothing was.
    pub repairs: Vec<String>,
}

/// Why a query is no test that can be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}; {instead}")]
pub struct Refusal {
    /// What is wrong.
    pub reason: String,
    /// What to write instead.
    pub instead: String,
}

fn refuse<T>(reason: impl Into<String>, instead: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { reason: reason.into(), instead: instead.into() })
}

/// Reads a test query. `column_type` answers for the columns of the tables that it may read; with it, texts compared
/// with dates and numbers become literals of that type, and double-quoted texts become literals.
pub fn read(sql: &str, column_type: &dyn Fn(&str) -> Option<DataType>) -> Result<TestQuery, Refusal> {
    let query = read_bounded(sql, column_type)?;
    match &query.value {
        // A count of all rows is no count of violations: it is a value that somebody must bound.
        Some(what) if what == "count" => refuse(
            "it counts all rows, so a healthy table fails it",
            "count only the rows that violate, or state `min` or `max`",
        ),
        Some(what) => refuse(
            format!("it returns a value ({what}) and states no bounds"),
            "state `min` or `max`, select the rows that violate, or count them",
        ),
        None => Ok(query),
    }
}

/// As [`read`], and the query may return a value, for which its test or rule states bounds.
pub fn read_bounded(sql: &str, column_type: &dyn Fn(&str) -> Option<DataType>) -> Result<TestQuery, Refusal> {
    check_bounds(sql)?;
    let mut statements = match Parser::parse_sql(&GenericDialect {}, sql) {
        Ok(statements) => statements,
        Err(error) => return refuse(format!("it is not valid SQL: {error}"), "correct the query"),
    };
    let (Some(Statement::Query(mut query)), true) = (statements.pop(), statements.is_empty()) else {
        return refuse("it is not one read-only query", "write a single SELECT");
    };
    let mut mender = Mender { column_type, repairs: Vec::new(), ctes: Vec::new(), tables: Vec::new(), refusal: None };
    let _ = query.visit(&mut mender);
    if let Some(refusal) = mender.refusal {
        return Err(refusal);
    }
    let (expects, value) = expectation(&query);
    let mut tables = mender.tables;
    tables.sort();
    tables.dedup();
    Ok(TestQuery { sql: query.to_string(), expects, value, tables, repairs: mender.repairs })
}

/// Walks a query once: collects its tables, refuses what cannot stand and rewrites what Athena would refuse.
struct Mender<'a> {
    column_type: &'a dyn Fn(&str) -> Option<DataType>,
    repairs: Vec<String>,
    ctes: Vec<String>,
    tables: Vec<String>,
    refusal: Option<Refusal>,
}

impl Mender<'_> {
    fn stop(&mut self, reason: impl Into<String>, instead: impl Into<String>) -> ControlFlow<()> {
        self.refusal = Some(Refusal { reason: reason.into(), instead: instead.into() });
        ControlFlow::Break(())
    }

    fn repaired(&mut self, repair: String) {
        if !self.repairs.contains(&repair) {
            self.repairs.push(repair);
        }
    }

    fn mend_identifier(&mut self, ident: &mut Ident) {
        if ident.quote_style == Some('`') {
            self.repaired(format!("`{}` is quoted with double quotes: Athena refuses backticks", ident.value));
            ident.quote_style = Some('"');
        }
    }

    /// A text compared with a column of another type becomes a literal of that type.
    fn mend_comparison(&mut self, left: &Expr, right: &mut Expr) -> ControlFlow<()> {
        let Some(column) = column_name(left) else { return ControlFlow::Continue(()) };
        let Some(data_type) = (self.column_type)(column) else { return ControlFlow::Continue(()) };
        let Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) = right else {
            return ControlFlow::Continue(());
        };
        let text = text.clone();
        let literal = match data_type {
            DataType::Date => typed_string(SqlType::Date, &text),
            DataType::Timestamp => typed_string(SqlType::Timestamp(None, sqlparser::ast::TimezoneInfo::None), &text),
            DataType::TinyInt
            | DataType::SmallInt
            | DataType::Int
            | DataType::BigInt
            | DataType::Float
            | DataType::Double
            | DataType::Decimal { .. } => {
                if text.trim().parse::<f64>().is_err() {
                    return self.stop(
                        format!("it compares {column}, a {data_type}, with the text '{text}'"),
                        "compare it with a number",
                    );
                }
                Expr::value(Value::Number(text.trim().to_owned(), false))
            }
            _ => return ControlFlow::Continue(()),
        };
        self.repaired(format!("'{text}' is written as a {data_type}: Athena does not compare {column} with a text"));
        *right = literal;
        ControlFlow::Continue(())
    }
}

impl VisitorMut for Mender<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let Some(with) = &query.with {
            self.ctes.extend(with.cte_tables.iter().map(|cte| cte.alias.name.value.to_lowercase()));
        }
        if !matches!(
            query.body.as_ref(),
            SetExpr::Select(_) | SetExpr::SetOperation { .. } | SetExpr::Query(_) | SetExpr::Values(_)
        ) {
            return self.stop("it is not one read-only query", "write a single SELECT");
        }
        if !query.locks.is_empty() {
            return self.stop("it locks rows", "leave FOR UPDATE out");
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        if select.into.is_some() {
            return self.stop("SELECT INTO writes a table", "write a single SELECT");
        }
        if select.qualify.is_some() {
            return self.stop("Athena has no QUALIFY", "filter the window function in an outer query");
        }
        let aliases: IndexMap<String, Expr> = select.projection.iter().filter_map(alias).collect();
        if let Some(having) = &mut select.having {
            for name in substitute(having, &aliases, &|expr| aggregates(expr)) {
                self.repaired(format!("HAVING repeats the expression of `{name}`: Athena knows no alias there"));
            }
        }
        if let GroupByExpr::Expressions(keys, _) = &mut select.group_by {
            let unknown = |expr: &Expr| !aggregates(expr) && column_name(expr).is_none();
            for key in keys {
                for name in substitute(key, &aliases, &unknown) {
                    self.repaired(format!("GROUP BY repeats the expression of `{name}`: Athena knows no alias there"));
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<()> {
        for part in &mut relation.0 {
            match part {
                ObjectNamePart::Identifier(ident) => self.mend_identifier(ident),
                ObjectNamePart::Function(_) => return self.stop("it computes a table's name", "name the table"),
            }
        }
        let parts: Vec<String> =
            relation.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.to_lowercase()).collect();
        match parts.as_slice() {
            [name] if self.ctes.contains(name) => {}
            [] => return self.stop("it names no table", "name the table"),
            parts => self.tables.push(parts.join(".")),
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(ident) => {
                self.mend_identifier(ident);
                let literal = ident.quote_style == Some('"') && (self.column_type)(&ident.value).is_none();
                if literal && (self.column_type)(&ident.value.to_lowercase()).is_none() && !is_plain_name(&ident.value)
                {
                    let text = ident.value.clone();
                    self.repaired(format!("\"{text}\" is a text, so it stands in single quotes"));
                    *expr = Expr::value(Value::SingleQuotedString(text));
                }
            }
            Expr::CompoundIdentifier(parts) => parts.iter_mut().for_each(|ident| self.mend_identifier(ident)),
            Expr::Cast { kind: kind @ CastKind::DoubleColon, .. } => {
                *kind = CastKind::Cast;
                self.repaired("`::` is written as CAST: Athena does not know it".to_owned());
            }
            Expr::BinaryOp { left, op, right } if is_comparison(op) => {
                self.mend_comparison(left, right)?;
                self.mend_comparison(&right.clone(), left)?;
            }
            Expr::Between { expr: operand, low, high, .. } => {
                self.mend_comparison(operand, low)?;
                self.mend_comparison(operand, high)?;
            }
            Expr::Function(function) => {
                let name = function.name.to_string().to_lowercase();
                if let Some((_, athena)) = RENAMED.iter().find(|(spark, _)| *spark == name) {
                    self.repaired(format!("{name} is written as {athena}: Athena does not know it"));
                    function.name = ObjectName::from(vec![Ident::new(*athena)]);
                } else if let Some((_, instead)) = SPARK_ONLY.iter().find(|(spark, _)| *spark == name) {
                    return self.stop(format!("Athena has no function {name}"), *instead);
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Functions that Athena has under another name, with the same arguments and meaning.
const RENAMED: &[(&str, &str)] = &[
    ("nvl", "coalesce"),
    ("ifnull", "coalesce"),
    ("isnan", "is_nan"),
    ("size", "cardinality"),
    ("array_contains", "contains"),
];

/// Functions of Spark without a counterpart of the same arguments, and what to write.
const SPARK_ONLY: &[(&str, &str)] = &[
    ("datediff", "write date_diff('day', start, end)"),
    ("date_sub", "write date_add('day', -n, date)"),
    ("isnull", "write x IS NULL"),
    ("isnotnull", "write x IS NOT NULL"),
    ("unix_timestamp", "write to_unixtime(timestamp)"),
    ("rlike", "write regexp_like(text, pattern)"),
    ("instr", "write strpos(text, part)"),
    ("to_timestamp", "write try(date_parse(text, format))"),
    ("months_between", "write date_diff('month', start, end)"),
];

fn is_comparison(op: &BinaryOperator) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

/// A name that somebody may well give a column: quoting it then is no sign of a text.
fn is_plain_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == ' ')
}

pub(super) fn column_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Identifier(ident) => Some(&ident.value),
        Expr::CompoundIdentifier(parts) => parts.last().map(|ident| ident.value.as_str()),
        _ => None,
    }
}

fn typed_string(data_type: SqlType, text: &str) -> Expr {
    let value = ValueWithSpan::from(Value::SingleQuotedString(text.to_owned()));
    Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false })
}

pub(super) fn alias(item: &SelectItem) -> Option<(String, Expr)> {
    match item {
        SelectItem::ExprWithAlias { expr, alias } => Some((alias.value.to_lowercase(), expr.clone())),
        _ => None,
    }
}

const AGGREGATES: &[&str] = &[
    "count",
    "count_if",
    "sum",
    "min",
    "max",
    "avg",
    "stddev",
    "stddev_samp",
    "stddev_pop",
    "variance",
    "approx_distinct",
    "approx_percentile",
    "array_agg",
    "max_by",
    "min_by",
    "bool_and",
    "bool_or",
    "any_value",
    "arbitrary",
];

/// Whether an aggregate stands in the expression.
pub(super) fn aggregates(expr: &Expr) -> bool {
    let mut found = false;
    let _ = sqlparser::ast::visit_expressions(expr, |expr| {
        if let Expr::Function(function) = expr {
            found |= function.over.is_none() && AGGREGATES.contains(&function.name.to_string().to_lowercase().as_str());
        }
        ControlFlow::<()>::Continue(())
    });
    found
}

/// Replaces aliases by the expressions that they name, where `applies` says so; returns the names replaced.
pub(super) fn substitute(
    expr: &mut Expr,
    aliases: &IndexMap<String, Expr>,
    applies: &dyn Fn(&Expr) -> bool,
) -> Vec<String> {
    let mut replaced = Vec::new();
    let _ = sqlparser::ast::visit_expressions_mut(expr, |expr| {
        let Expr::Identifier(ident) = &*expr else { return ControlFlow::<()>::Continue(()) };
        let name = ident.value.to_lowercase();
        if let Some(named) = aliases.get(&name).filter(|named| applies(named)) {
            replaced.push(name);
            *expr = named.clone();
        }
        ControlFlow::Continue(())
    });
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(name: &str) -> Option<DataType> {
        match name {
            "loan_id" | "status" => Some(DataType::String),
            "payment_date" => Some(DataType::Date),
            "emi_amount" => Some(DataType::Double),
            _ => None,
        }
    }

    /// The query as mended, what is expected of its result, and how many things were rewritten; or why it is refused.
    fn check(sql: &str, expected: Result<(&str, Expects, usize), &str>) {
        let answer = read(sql, &types);
        let found = answer.as_ref().map(|q| (q.sql.as_str(), q.expects, q.repairs.len()));
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{:?}", answer.as_ref().map(|q| &q.repairs)),
            (Err(refusal), Err(reason)) => assert!(refusal.to_string().contains(reason), "{refusal}"),
            (found, expected) => panic!("{sql}\n  found {found:?}\n  expected {expected:?}"),
        }
    }

    #[test]
    fn the_tests_of_the_specification_run_on_athena() {
        check(
            "SELECT loan_id, payment_date, COUNT(*) AS cnt FROM analytics_db.loan_repayment_fact GROUP BY loan_id, payment_date HAVING cnt > 1",
            Ok((
                "SELECT loan_id, payment_date, COUNT(*) AS cnt FROM analytics_db.loan_repayment_fact GROUP BY loan_id, payment_date HAVING COUNT(*) > 1",
                Expects::NoRows,
                1,
            )),
        );
        check(
            "SELECT COUNT(*) AS null_count FROM analytics_db.loan_repayment_fact WHERE loan_id IS NULL;",
            Ok((
                "SELECT COUNT(*) AS null_count FROM analytics_db.loan_repayment_fact WHERE loan_id IS NULL",
                Expects::ZeroCount,
                0,
            )),
        );
    }

    #[test]
    fn what_only_spark_accepts_is_rewritten() {
        check(
            "SELECT * FROM `db`.t WHERE payment_date >= '2024-01-01' AND status = \"SUCCESS\" AND emi_amount > '5'",
            Ok((
                "SELECT * FROM \"db\".t WHERE payment_date >= DATE '2024-01-01' AND status = 'SUCCESS' AND emi_amount > 5",
                Expects::NoRows,
                4,
            )),
        );
        check("SELECT nvl(status, 'x') FROM t", Ok(("SELECT coalesce(status, 'x') FROM t", Expects::NoRows, 1)));
        check(
            "SELECT sum(CASE WHEN emi_amount < 0 THEN 1 ELSE 0 END) FROM t",
            Ok(("SELECT sum(CASE WHEN emi_amount < 0 THEN 1 ELSE 0 END) FROM t", Expects::ZeroCount, 0)),
        );
    }

    #[test]
    fn what_is_no_test_is_refused_with_the_reason() {
        check("DELETE FROM t", Err("not one read-only query"));
        check("SELECT 1; SELECT 2", Err("not one read-only query"));
        check("SELECT * INTO copy FROM t", Err("SELECT INTO"));
        check("SELECT max(emi_amount) FROM t", Err("states no bounds"));
        check("SELECT count(*) FROM t", Err("a healthy table fails it"));
        check("SELECT * FROM t WHERE emi_amount > 'abc'", Err("compare it with a number"));
        check("SELECT * FROM t WHERE datediff(payment_date, current_date) > 1", Err("date_diff('day'"));
        check("WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", Err("not"));
        check("not sql at all", Err("not valid SQL"));
        check("", Err("not one read-only query"));
    }

    #[test]
    fn bombs_are_refused_before_they_are_parsed() {
        let chain = format!("SELECT {} FROM t", vec!["1"; 100_000].join("+"));
        assert!(check_bounds(&chain).unwrap_err().to_string().contains("operators"));
        let nested = format!("SELECT {}1{} FROM t", "(".repeat(5_000), ")".repeat(5_000));
        assert!(check_bounds(&nested).unwrap_err().to_string().contains("nests"));
        let long = format!("SELECT '{}' FROM t", "x".repeat(MAX_BYTES));
        assert!(check_bounds(&long).unwrap_err().to_string().contains("bytes"));
    }

    #[test]
    fn tables_are_listed_without_the_names_of_the_query_itself() {
        let query = read("WITH dup AS (SELECT a FROM Db.T) SELECT * FROM dup JOIN u ON dup.a = u.a", &types).unwrap();
        assert_eq!(query.tables, ["db.t", "u"]);
    }
}
