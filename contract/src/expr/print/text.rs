//! Rule text: the canonical form for people, for documents and for `job_summary` filters.

use super::literal::{date_text, decimal_text, timestamp_text};
use crate::expr::{BinaryOp, Expr, ExprKind};
use crate::value::Value;

/// The expression as rule text: unqualified names, single quotes, `<>`, `NOT IN`, `IS NOT NULL` and `BETWEEN` restored.
/// Reading it again as [`crate::expr::parse::Syntax::Rule`] gives the same expression, unless part of it is opaque.
pub fn to_text(expr: &Expr) -> String {
    at_level(expr, 0)
}

const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARE: u8 = 4;
const ADD: u8 = 5;
const MULTIPLY: u8 = 6;
const ATOM: u8 = 7;

/// The text, in parentheses where its outermost operator binds more loosely than `level`.
fn at_level(expr: &Expr, level: u8) -> String {
    let (text, binds) = write(expr);
    if binds < level { format!("({text})") } else { text }
}

fn write(expr: &Expr) -> (String, u8) {
    match &expr.kind {
        ExprKind::Column(column) => (name(&column.name), ATOM),
        ExprKind::Literal(value) => literal(value),
        ExprKind::Not(inner) => negated(inner),
        ExprKind::Negate(e) => (format!("-{}", at_level(e, ATOM)), MULTIPLY),
        ExprKind::IsNull(e) => (format!("{} IS NULL", at_level(e, ADD)), COMPARE),
        ExprKind::IsNan(e) => (format!("isnan({})", to_text(e)), ATOM),
        ExprKind::InList { operand, list } => (format!("{} IN ({})", at_level(operand, ADD), joined(list)), COMPARE),
        ExprKind::Like { operand, pattern } => {
            (format!("{} LIKE {}", at_level(operand, ADD), at_level(pattern, ADD)), COMPARE)
        }
        ExprKind::Matches { operand, pattern } => {
            (format!("{} RLIKE {}", at_level(operand, ADD), regex_text(pattern)), COMPARE)
        }
        ExprKind::Binary { op: BinaryOp::And, left, right } => match between(left, right) {
            Some(text) => (text, COMPARE),
            None => (format!("{} AND {}", at_level(left, AND), at_level(right, AND + 1)), AND),
        },
        ExprKind::Binary { op, left, right } => {
            let (symbol, binds, right_binds) = operator(*op);
            (format!("{} {symbol} {}", at_level(left, left_level(binds)), at_level(right, right_binds)), binds)
        }
        ExprKind::Case { branches, otherwise } => {
            let mut text = String::from("CASE");
            for (condition, result) in branches {
                text.push_str(&format!(" WHEN {} THEN {}", to_text(condition), to_text(result)));
            }
            if let Some(otherwise) = otherwise {
                text.push_str(&format!(" ELSE {}", to_text(otherwise)));
            }
            text.push_str(" END");
            (text, ATOM)
        }
        ExprKind::Cast { operand, or_null } => {
            let function = if *or_null { "TRY_CAST" } else { "CAST" };
            (format!("{function}({} AS {})", to_text(operand), expr.data_type), ATOM)
        }
        ExprKind::Call { function: "field", args } => match args.as_slice() {
            [parent, Expr { kind: ExprKind::Literal(Value::String(field)), .. }] => {
                (format!("{}.{}", at_level(parent, ATOM), name(field)), ATOM)
            }
            _ => (format!("field({})", joined(args)), ATOM),
        },
        ExprKind::Call { function: function @ ("regexp_replace" | "regexp_extract"), args } => {
            let written: Vec<String> = args
                .iter()
                .enumerate()
                .map(|(i, arg)| match (&arg.kind, i) {
                    (ExprKind::Literal(Value::String(text)), 1) => regex_text(text),
                    _ => to_text(arg),
                })
                .collect();
            (format!("{function}({})", written.join(", ")), ATOM)
        }
        ExprKind::Call { function, args } => (format!("{function}({})", joined(args)), ATOM),
        ExprKind::Aggregate { function, args, distinct } => {
            let args = if args.is_empty() && *function == "count" { "*".to_string() } else { joined(args) };
            let distinct = if *distinct { "DISTINCT " } else { "" };
            (format!("{function}({distinct}{args})"), ATOM)
        }
        ExprKind::Window { function, partition_by, order_by } => {
            let mut parts = Vec::new();
            if !partition_by.is_empty() {
                parts.push(format!("PARTITION BY {}", joined(partition_by)));
            }
            if !order_by.is_empty() {
                let keys: Vec<String> = order_by
                    .iter()
                    .map(|(e, down)| format!("{}{}", to_text(e), if *down { " DESC" } else { "" }))
                    .collect();
                parts.push(format!("ORDER BY {}", keys.join(", ")));
            }
            (format!("{} OVER ({})", to_text(function), parts.join(" ")), ATOM)
        }
        ExprKind::Opaque { reason, .. } => (format!("<{reason}>"), ATOM),
    }
}

fn negated(inner: &Expr) -> (String, u8) {
    match &inner.kind {
        ExprKind::IsNull(e) => (format!("{} IS NOT NULL", at_level(e, ADD)), COMPARE),
        ExprKind::InList { operand, list } => {
            (format!("{} NOT IN ({})", at_level(operand, ADD), joined(list)), COMPARE)
        }
        ExprKind::Like { operand, pattern } => {
            (format!("{} NOT LIKE {}", at_level(operand, ADD), at_level(pattern, ADD)), COMPARE)
        }
        ExprKind::Binary { op: BinaryOp::Equal, left, right } => {
            (format!("{} <> {}", at_level(left, ADD), at_level(right, ADD)), COMPARE)
        }
        _ => (format!("NOT {}", at_level(inner, NOT + 1)), NOT),
    }
}

/// `x >= a AND x <= b` as `x BETWEEN a AND b`.
fn between(left: &Expr, right: &Expr) -> Option<String> {
    let ExprKind::Binary { op: BinaryOp::GreaterOrEqual, left: operand, right: low } = &left.kind else { return None };
    let ExprKind::Binary { op: BinaryOp::LessOrEqual, left: same, right: high } = &right.kind else { return None };
    (operand == same)
        .then(|| format!("{} BETWEEN {} AND {}", at_level(operand, ADD), at_level(low, ADD), at_level(high, ADD)))
}

/// Symbol, how tightly it binds, and what its right side must bind at least.
fn operator(op: BinaryOp) -> (&'static str, u8, u8) {
    match op {
        BinaryOp::Or => ("OR", OR, OR + 1),
        BinaryOp::And => ("AND", AND, AND + 1),
        BinaryOp::Equal => ("=", COMPARE, ADD),
        BinaryOp::NullSafeEqual => ("<=>", COMPARE, ADD),
        BinaryOp::Less => ("<", COMPARE, ADD),
        BinaryOp::LessOrEqual => ("<=", COMPARE, ADD),
        BinaryOp::Greater => (">", COMPARE, ADD),
        BinaryOp::GreaterOrEqual => (">=", COMPARE, ADD),
        BinaryOp::Add => ("+", ADD, MULTIPLY),
        BinaryOp::Subtract => ("-", ADD, MULTIPLY),
        BinaryOp::Multiply => ("*", MULTIPLY, ATOM),
        BinaryOp::DivideDouble => ("/", MULTIPLY, ATOM),
        BinaryOp::DivideInteger => ("DIV", MULTIPLY, ATOM),
        BinaryOp::Remainder => ("%", MULTIPLY, ATOM),
        // Parsers disagree on how tightly || binds, so it gets parentheses on both sides.
        BinaryOp::Concat => ("||", COMPARE, ATOM),
    }
}

/// What the left side must bind at least: arithmetic and logic associate to the left, comparisons do not.
fn left_level(binds: u8) -> u8 {
    if binds == COMPARE { ADD } else { binds }
}

fn joined(exprs: &[Expr]) -> String {
    exprs.iter().map(to_text).collect::<Vec<_>>().join(", ")
}

fn name(name: &str) -> String {
    let plain = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !RESERVED.contains(&name.to_ascii_uppercase().as_str());
    if plain { name.to_string() } else { format!("`{}`", name.replace('`', "``")) }
}

const RESERVED: [&str; 40] = [
    "ALL",
    "AND",
    "ARRAY",
    "AS",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CURRENT_DATE",
    "CURRENT_TIMESTAMP",
    "DATE",
    "DISTINCT",
    "DIV",
    "ELSE",
    "END",
    "EXISTS",
    "EXTRACT",
    "FALSE",
    "FROM",
    "GROUP",
    "HAVING",
    "IN",
    "INTERVAL",
    "IS",
    "LIKE",
    "NOT",
    "NULL",
    "OR",
    "ORDER",
    "POSITION",
    "RLIKE",
    "SELECT",
    "SUBSTRING",
    "THEN",
    "TIMESTAMP",
    "TRIM",
    "TRUE",
    "WHEN",
    "WHERE",
    "WITH",
];

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A reader halves backslashes that stand in pairs, so where a pattern has a pair all are doubled.
fn regex_text(pattern: &str) -> String {
    if pattern.contains("\\\\") { quoted(&pattern.replace('\\', "\\\\")) } else { quoted(pattern) }
}

fn literal(value: &Value) -> (String, u8) {
    let text = match value {
        Value::Null => "NULL".to_string(),
        Value::Boolean(b) => if *b { "TRUE" } else { "FALSE" }.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Decimal(n, 0) => format!("CAST('{n}' AS decimal(38,0))"),
        Value::Decimal(n, scale) => decimal_text(*n, *scale),
        Value::Double(d) if d.is_finite() => format!("{d:e}"),
        Value::Double(d) => format!("CAST('{d}' AS double)"),
        Value::String(text) => quoted(text),
        Value::Date(days) => format!("DATE '{}'", date_text(*days).unwrap_or_else(|_| days.to_string())),
        Value::Timestamp(at) => {
            format!("TIMESTAMP '{}'", timestamp_text(*at).unwrap_or_else(|_| at.to_string()))
        }
        other => format!("<{other:?}>"),
    };
    let binds = if text.starts_with('-') { MULTIPLY } else { ATOM };
    (text, binds)
}
