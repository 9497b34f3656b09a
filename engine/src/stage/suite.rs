//! The tests of a contract, as `tests/<table>.json` keeps them: for each rule what it is before a load and after it, in
//! rule text and in Athena's SQL, for people and for runners of their own.
//!
//! This program itself judges rules by the contract, many in one scan; only tests without a rule run as their own SQL.

use contract::compile::suite::{Target, sample};
use contract::compile::{self, Check, NullKeys};
use contract::document::{Contract, Test, TestSuite};
use contract::expr::functions::COALESCE;
use contract::expr::print::{Dialect, PrintError, quote_name, to_sql, to_text};
use contract::expr::{Expr, ExprKind};
use contract::rule::{Calendar, Expects, Rule, Stage};
use contract::schema::{TableName, TableSchema};
use contract::types::DataType;
use contract::value::Value;

use super::resolve;
use super::words::sentence;

/// The suite of a contract: a test before the load and one after it for each rule that has such a stage, then `free`,
/// the tests that no rule stands for.
pub(super) fn compile(
    contract: &Contract,
    schema: &TableSchema,
    table: &TableName,
    all: &[TableName],
    free: Vec<Test>,
) -> TestSuite {
    let mut tests = Vec::new();
    for rule in contract.rules() {
        // A rule that cannot be compiled is told where it runs.
        let Ok(check) = compile::check(rule, schema) else { continue };
        let stage = check.stage(rule);
        if matches!(stage, Stage::PostLoad | Stage::Both)
            && let Ok(Some((sql, expects))) = sql(rule, &check, table, all)
        {
            tests.push(Test { sql: Some(sql), expects, ..test(rule, rule.id.clone(), Stage::PostLoad) });
        }
        if matches!(stage, Stage::PreLoad | Stage::Both)
            && let Check::Row { violation, .. } | Check::Type { violation, .. } = &check
        {
            let holds = to_text(&Expr::not(violation.clone()));
            tests.push(Test { rule: Some(holds), ..test(rule, format!("preload_{}", rule.id), Stage::PreLoad) });
        }
    }
    tests.extend(free);
    TestSuite { table_name: contract.table_name.clone(), contract_hash: contract.hash(), tests }
}

fn test(rule: &Rule, name: String, stage: Stage) -> Test {
    Test {
        name,
        description: rule.description.clone().unwrap_or_else(|| format!("{}.", sentence(rule))),
        stage,
        rule_id: Some(rule.id.clone()),
        ..Test::default()
    }
}

/// Failing values that a test shows.
const MAX_FAILING: u32 = 100;

/// A check as a query for Athena, with what its result means; `None` for checks that no query is.
fn sql(
    rule: &Rule,
    check: &Check,
    table: &TableName,
    all: &[TableName],
) -> Result<Option<(String, Option<Expects>)>, PrintError> {
    let name = |name: &str| quote_name(name, Dialect::Trino);
    let from = format!("{}.{}", name(&table.database), name(&table.table));
    let filter = |judged: &Expr| -> Result<Option<String>, PrintError> {
        if matches!(judged.kind, ExprKind::Literal(Value::Boolean(true))) {
            return Ok(None);
        }
        to_sql(selecting(judged), Dialect::Trino).map(Some)
    };
    let where_all = |parts: Vec<String>| match parts.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", parts.join(" AND ")),
    };
    Ok(match check {
        Check::Row { violation, .. } => {
            let violation = to_sql(selecting(violation), Dialect::Trino)?;
            let sql = format!("SELECT COUNT(*) AS violations FROM {from} WHERE {violation}");
            Some((sql, Some(Expects::ZeroCount)))
        }
        Check::Duplicates { columns, nulls, judged } => {
            let keys = columns.iter().map(|key| to_sql(key, Dialect::Trino)).collect::<Result<Vec<_>, _>>()?;
            let mut conditions: Vec<String> = filter(judged)?.into_iter().collect();
            let mut having = "COUNT(*) > 1".to_owned();
            match nulls {
                NullKeys::Ignore => conditions.extend(keys.iter().map(|key| format!("{key} IS NOT NULL"))),
                NullKeys::Compare => {}
                NullKeys::Violate => keys.iter().for_each(|key| having.push_str(&format!(" OR {key} IS NULL"))),
            }
            let (list, filter) = (keys.join(", "), where_all(conditions));
            let sql = format!("SELECT {list}, COUNT(*) AS cnt FROM {from}{filter} GROUP BY {list} HAVING {having}");
            Some((sql, Some(Expects::NoRows)))
        }
        Check::NullShare { column, max, judged } => {
            let nulls = format!("COUNT_IF({} IS NULL)", name(column));
            let filter = where_all(filter(judged)?.into_iter().collect());
            let having = format!("{nulls} > {max:?} * COUNT(*)");
            let sql = format!("SELECT {nulls} AS nulls, COUNT(*) AS row_count FROM {from}{filter} HAVING {having}");
            Some((sql, Some(Expects::NoRows)))
        }
        Check::RowCount { min, max, judged } => {
            let filter = where_all(filter(judged)?.into_iter().collect());
            let low = min.map(|min| format!("COUNT(*) < {min}"));
            let high = max.map(|max| format!("COUNT(*) > {max}"));
            let having: Vec<String> = low.into_iter().chain(high).collect();
            let sql = format!("SELECT COUNT(*) AS row_count FROM {from}{filter} HAVING {}", having.join(" OR "));
            Some((sql, Some(Expects::NoRows)))
        }
        Check::Age { column, max_age_hours, calendar, judged } if *calendar == Calendar::default() => {
            let minutes = (max_age_hours * 60.0).round();
            let filter = where_all(filter(judged)?.into_iter().collect());
            let day = column.data_type == DataType::Date;
            let column = to_sql(column, Dialect::Trino)?;
            // A day is over, and its data complete, when the next one begins.
            let over = if day { " + INTERVAL '1' DAY" } else { "" };
            let newest = format!("CAST(MAX({column}) AS timestamp){over}");
            let oldest =
                format!("CAST(current_timestamp AT TIME ZONE 'UTC' AS timestamp) - INTERVAL '{minutes}' MINUTE");
            let sql = format!("SELECT MAX({column}) AS newest FROM {from}{filter} HAVING {newest} < {oldest}");
            Some((sql, Some(Expects::NoRows)))
        }
        // A count for people; the rule holds it against its history.
        Check::RowCountHistory { .. } => Some((format!("SELECT COUNT(*) AS row_count FROM {from}"), None)),
        Check::Query { sql, expects, .. } => Some((sql.clone(), Some(*expects))),
        // What takes more than one look at the table is written as the rows or groups that violate it.
        _ => {
            let target = Target {
                table,
                dialect: Dialect::Trino,
                now_micros: None,
                restriction: &|_| None,
                resolve: &|name| resolve(name, table, all),
            };
            let failing = sample(&target, rule, check, &[], MAX_FAILING, false)?;
            failing.map(|failing| (failing.sql, Some(Expects::NoRows)))
        }
    })
}

/// A predicate that selects the same rows: where NULL does not select, `coalesce(…, FALSE)` need not stand.
fn selecting(predicate: &Expr) -> &Expr {
    match &predicate.kind {
        ExprKind::Call { function, args } if *function == COALESCE => match args.as_slice() {
            [inner, Expr { kind: ExprKind::Literal(Value::Boolean(false)), .. }] => inner,
            _ => predicate,
        },
        _ => predicate,
    }
}
