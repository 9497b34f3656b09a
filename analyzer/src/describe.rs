//! Expressions as rule text for people: unqualified names, single quotes, `IN`, `IS NOT NULL`, `BETWEEN`.

use contract::expr::{BinaryOp, Expr, ExprKind};
use contract::value::Value;

/// An expression as rule text.
pub(crate) fn describe(expr: &Expr) -> String {
    print(expr, 0)
}

/// How tightly an operator binds; a weaker one inside a stronger one needs brackets.
fn strength(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Binary { op: BinaryOp::Or, .. } => 1,
        ExprKind::Binary { op: BinaryOp::And, .. } if between(expr).is_none() => 2,
        ExprKind::Not(inner) if is_negatable(inner) => 4,
        ExprKind::Not(_) => 3,
        ExprKind::Binary { op: BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Concat, .. } => 5,
        ExprKind::Binary {
            op: BinaryOp::Multiply | BinaryOp::DivideDouble | BinaryOp::DivideInteger | BinaryOp::Remainder,
            ..
        } => 6,
        ExprKind::Binary { .. } | ExprKind::IsNull(_) | ExprKind::InList { .. } | ExprKind::Like { .. } => 4,
        ExprKind::Negate(_) => 7,
        _ => 9,
    }
}

fn is_negatable(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::IsNull(_)
            | ExprKind::InList { .. }
            | ExprKind::Like { .. }
            | ExprKind::Binary { op: BinaryOp::Equal | BinaryOp::NullSafeEqual, .. }
    )
}

fn print(expr: &Expr, outer: u8) -> String {
    let own = strength(expr);
    let text = bare(expr, own);
    if own < outer { format!("({text})") } else { text }
}

fn bare(expr: &Expr, own: u8) -> String {
    let list = |items: &[Expr]| items.iter().map(|item| print(item, 0)).collect::<Vec<_>>().join(", ");
    match &expr.kind {
        ExprKind::Column(reference) => reference.name.clone(),
        ExprKind::Literal(value) => literal(value),
        ExprKind::Not(inner) => match &inner.kind {
            ExprKind::IsNull(operand) => format!("{} IS NOT NULL", print(operand, 5)),
            ExprKind::InList { operand, list: items } => format!("{} NOT IN ({})", print(operand, 5), list(items)),
            ExprKind::Like { operand, pattern } => format!("{} NOT LIKE {}", print(operand, 5), print(pattern, 5)),
            ExprKind::Binary { op: BinaryOp::Equal, left, right } => {
                format!("{} <> {}", print(left, 5), print(right, 5))
            }
            ExprKind::Binary { op: BinaryOp::NullSafeEqual, left, right } => {
                format!("{} IS DISTINCT FROM {}", print(left, 5), print(right, 5))
            }
            _ => format!("NOT {}", print(inner, 4)),
        },
        ExprKind::Negate(operand) => format!("-{}", print(operand, 8)),
        ExprKind::Binary { op, left, right } => {
            if let Some((operand, low, high)) = between(expr) {
                return format!("{} BETWEEN {} AND {}", print(operand, 5), print(low, 5), print(high, 5));
            }
            let symbol = match op {
                BinaryOp::And => "AND",
                BinaryOp::Or => "OR",
                BinaryOp::Equal => "=",
                BinaryOp::NullSafeEqual => "<=>",
                BinaryOp::Less => "<",
                BinaryOp::LessOrEqual => "<=",
                BinaryOp::Greater => ">",
                BinaryOp::GreaterOrEqual => ">=",
                BinaryOp::Add => "+",
                BinaryOp::Subtract => "-",
                BinaryOp::Multiply => "*",
                BinaryOp::DivideInteger => "DIV",
                BinaryOp::DivideDouble => "/",
                BinaryOp::Remainder => "%",
                BinaryOp::Concat => "||",
            };
            format!("{} {symbol} {}", print(left, own), print(right, own + u8::from(own > 3)))
        }
        ExprKind::IsNull(operand) => format!("{} IS NULL", print(operand, 5)),
        ExprKind::IsNan(operand) => format!("isnan({})", print(operand, 0)),
        ExprKind::InList { operand, list: items } => format!("{} IN ({})", print(operand, 5), list(items)),
        ExprKind::Like { operand, pattern } => format!("{} LIKE {}", print(operand, 5), print(pattern, 5)),
        ExprKind::Matches { operand, pattern } => {
            format!("{} RLIKE {}", print(operand, 5), literal(&Value::String(pattern.clone())))
        }
        ExprKind::Case { branches, otherwise } => {
            let mut text = "CASE".to_owned();
            for (when, then) in branches {
                text.push_str(&format!(" WHEN {} THEN {}", print(when, 0), print(then, 0)));
            }
            if let Some(otherwise) = otherwise {
                text.push_str(&format!(" ELSE {}", print(otherwise, 0)));
            }
            text.push_str(" END");
            text
        }
        ExprKind::Cast { operand, or_null } => {
            let name = if *or_null { "TRY_CAST" } else { "CAST" };
            format!("{name}({} AS {})", print(operand, 0), expr.data_type)
        }
        ExprKind::Call { function, args } => format!("{function}({})", list(args)),
        ExprKind::Aggregate { function, args, distinct } => match (args.as_slice(), distinct) {
            ([], _) => format!("{function}(*)"),
            (args, true) => format!("{function}(DISTINCT {})", list(args)),
            (args, false) => format!("{function}({})", list(args)),
        },
        ExprKind::Window { function, partition_by, order_by } => {
            let mut parts = Vec::new();
            if !partition_by.is_empty() {
                parts.push(format!("PARTITION BY {}", list(partition_by)));
            }
            if !order_by.is_empty() {
                let keys: Vec<String> = order_by
                    .iter()
                    .map(|(key, descending)| format!("{}{}", print(key, 0), if *descending { " DESC" } else { "" }))
                    .collect();
                parts.push(format!("ORDER BY {}", keys.join(", ")));
            }
            format!("{} OVER ({})", print(function, 0), parts.join(" "))
        }
        ExprKind::Opaque { reason, inputs } => {
            match (reason.strip_prefix("field "), reason.strip_prefix("subquery ")) {
                (Some(path), _) => path.to_owned(),
                (None, Some(text)) if text.starts_with("IN ") => {
                    format!("{} {text}", list(inputs.get(..1).unwrap_or_default()))
                }
                (None, Some(text)) => text.to_owned(),
                _ if reason.contains(' ') && inputs.is_empty() => format!("<{reason}>"),
                _ => format!("{}({})", reason.replace(' ', "_"), list(inputs)),
            }
        }
    }
}

/// The parts of `x >= low AND x <= high`.
fn between(expr: &Expr) -> Option<(&Expr, &Expr, &Expr)> {
    let ExprKind::Binary { op: BinaryOp::And, left, right } = &expr.kind else { return None };
    match (&left.kind, &right.kind) {
        (
            ExprKind::Binary { op: BinaryOp::GreaterOrEqual, left: a, right: low },
            ExprKind::Binary { op: BinaryOp::LessOrEqual, left: b, right: high },
        ) if a == b => Some((a, low, high)),
        _ => None,
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Boolean(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Double(value) => format!("{value:?}"),
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        other => format!("{other:?}"),
    }
}
