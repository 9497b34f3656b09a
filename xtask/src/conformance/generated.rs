//! Predicates made up at random, the same ones every time: what all engines take must mean one thing on all of them.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use contract::expr::parse::{Syntax, parse};
use contract::expr::print::{Dialect, to_sql};
use contract::schema::Column;
use contract::types::DataType;

use super::cases::{Asks, Case, Table};
use super::plan::{self, Finding};
use crate::random::Random;

/// How many texts are tried for one that all engines take.
const TRIES: usize = 20;

/// `count` predicates over the tables, with what the row evaluator says of each row.
///
/// Errors where nearly nothing of what is made up is accepted, for then the suite would show nothing.
pub(super) fn cases(tables: &BTreeMap<String, Table>, count: usize) -> Result<Vec<Case>> {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let filled: Vec<(&String, &Table)> = tables.iter().filter(|(_, table)| !table.rows.is_empty()).collect();
    let mut cases = Vec::new();
    for _ in 0..count * TRIES {
        if cases.len() == count {
            return Ok(cases);
        }
        let (name, table) = *random.one(&filled);
        let text = predicate(&mut random, &table.schema.columns, 2);
        let Ok(expr) = parse(&text, Syntax::Rule, &table.schema) else { continue };
        if [Dialect::Trino, Dialect::Spark, Dialect::DataFusion].iter().any(|dialect| to_sql(&expr, *dialect).is_err())
        {
            continue;
        }
        let unanswered = Asks::Predicate { expr: expr.clone(), holds: Vec::new(), unknown: Vec::new() };
        let case = Case { id: format!("generated {}: {text}", cases.len()), table: name.clone(), asks: unanswered };
        let Some(Finding::Rows { holds, unknown }) = plan::evaluated(&case, table) else {
            bail!("{}: the row evaluator cannot say what it is", case.id)
        };
        cases.push(Case { asks: Asks::Predicate { expr, holds, unknown }, ..case });
    }
    bail!("only {} of {count} predicates made up at random are accepted by all engines", cases.len())
}

fn predicate(random: &mut Random, columns: &[Column], depth: usize) -> String {
    if depth > 0 && random.below(2) == 0 {
        let [left, right] = [(); 2].map(|()| predicate(random, columns, depth - 1));
        return match random.below(7) {
            0 | 1 => format!("({left} AND {right})"),
            2 | 3 => format!("({left} OR {right})"),
            4 => format!("(NOT {left})"),
            5 => format!("({left} IS NOT TRUE)"),
            _ => format!("(CASE WHEN {left} THEN {right} ELSE {left} END)"),
        };
    }
    let column = random.one(columns);
    let name = &column.name;
    let op = *random.one(&["=", "<>", "<", "<=", ">", ">=", "<=>"]);
    let nullity = |random: &mut Random| format!("({name} IS {}NULL)", random.one(&["", "NOT "]));
    match &column.data_type {
        _ if random.below(8) == 0 => nullity(random),
        DataType::Boolean => format!("({name} {op} {})", random.one(&["TRUE", "FALSE", "NULL"])),
        DataType::Array(_) => {
            let text = random.one(&[
                "size({}) > 1",
                "array_contains({}, 'a')",
                "element_at({}, 1) = 'a'",
                "size(array_distinct({})) = 1",
            ]);
            format!("({})", text.replace("{}", name))
        }
        DataType::Date | DataType::Timestamp => format!("({})", time(random, columns, column, op)),
        data_type if data_type.is_text() => format!("({})", text(random, columns, name, op)),
        _ => format!("({} {op} {})", number(random, columns, name, 2), number(random, columns, name, 1)),
    }
}

fn number(random: &mut Random, columns: &[Column], name: &str, depth: usize) -> String {
    let literal = |random: &mut Random| {
        (*random.one(&["0", "1", "-1", "2", "1.5", "0.1", "1.10", "1e2", "2147483647", "NULL"])).to_owned()
    };
    let other = columns.iter().filter(|column| column.data_type.is_numeric()).collect::<Vec<_>>();
    let leaf = |random: &mut Random| match random.below(3) {
        0 => literal(random),
        1 => random.one(&other).name.clone(),
        _ => name.to_owned(),
    };
    if depth == 0 {
        return leaf(random);
    }
    let inner = number(random, columns, name, depth - 1);
    match random.below(9) {
        0 => format!("({inner} {} {})", random.one(&["+", "-", "*", "/", "%"]), leaf(random)),
        1 => format!("abs({inner})"),
        2 => format!("coalesce({inner}, {})", leaf(random)),
        3 => format!("nullif({inner}, {})", leaf(random)),
        4 => format!("greatest({inner}, {})", leaf(random)),
        5 => format!("cast({inner} AS {})", random.one(&["int", "bigint", "double", "decimal(12,2)", "string"])),
        6 => format!("(- {inner})"),
        _ => leaf(random),
    }
}

fn text(random: &mut Random, columns: &[Column], name: &str, op: &str) -> String {
    let others = columns.iter().filter(|column| column.data_type.is_text()).collect::<Vec<_>>();
    let changed = match random.below(12) {
        0 => format!("upper({name})"),
        1 => format!("trim({name})"),
        2 => format!("lower({name})"),
        3 => format!("substring({name}, {}, 2)", 1 + random.below(3)),
        4 => format!("concat({name}, {})", random.one(&others).name),
        5 => format!("replace({name}, 'a', 'bb')"),
        6 => format!("split_part({name}, '-', {})", 1 + random.below(2)),
        7 => format!("coalesce({name}, {})", random.one(&others).name),
        8 => format!("trim(LEADING 'a ' FROM {name})"),
        _ => name.to_owned(),
    };
    match random.below(9) {
        0 => format!("{changed} LIKE {}", random.one(&["'a%'", "'%b'", "'_'", "'%\\%'", "'%'", "''"])),
        1 => format!("{changed} RLIKE {}", random.one(&["'^a'", "'[a-z]+$'", "'^$'", "'^.$'", "'[0-9]'", "' '"])),
        2 => format!("length({changed}) {} {}", random.one(&["=", "<", ">"]), random.below(4)),
        3 => format!("{changed} IN ('a', 'A', '', 'ab')"),
        4 => format!(
            "cast({name} AS {}) IS NULL",
            random.one(&["int", "double", "date", "decimal(10,2)", "boolean", "timestamp"])
        ),
        5 => format!("starts_with({changed}, 'a')"),
        6 => format!("{changed} {op} {}", random.one(&others).name),
        _ => format!("{changed} {op} {}", random.one(&["'a'", "''", "' '", "'A'", "'é'", "'b'"])),
    }
}

fn time(random: &mut Random, columns: &[Column], column: &Column, op: &str) -> String {
    let same = columns.iter().filter(|other| other.data_type == column.data_type).collect::<Vec<_>>();
    let name = &column.name;
    let literal = match column.data_type {
        DataType::Date => *random.one(&["DATE '2026-03-01'", "DATE '1970-01-01'", "DATE '2024-02-29'"]),
        _ => *random.one(&[
            "TIMESTAMP '2026-03-01 00:00:00'",
            "TIMESTAMP '1970-01-01 00:00:00'",
            "TIMESTAMP '2026-03-29 02:30:00'",
        ]),
    };
    match random.below(9) {
        0 => format!(
            "{} {op} {}",
            format_args!("{}({name})", random.one(&["year", "month", "day"])),
            random.one(&["2026", "1", "3", "29"])
        ),
        1 => format!("cast({name} AS date) {op} DATE '2026-03-01'"),
        2 => format!("cast({name} AS timestamp) {op} TIMESTAMP '2026-03-01 00:00:00'"),
        3 => format!("datediff({name}, {}) {op} 0", random.one(&same).name),
        4 => format!("date_trunc('{}', {name}) {op} {literal}", random.one(&["month", "year", "day"])),
        5 => format!("date_add({name}, {}) {op} {literal}", random.below(40)),
        6 => format!("{name} {op} {}", random.one(&same).name),
        7 => format!("cast({name} AS string) LIKE '2026%'"),
        _ => format!("{name} {op} {literal}"),
    }
}
