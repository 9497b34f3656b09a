//! PySpark columns: operators, methods, windows.

use std::rc::Rc;

use contract::expr::{BinaryOp, Expr, ExprKind};
use contract::types::DataType;
use contract::value::Value as Constant;

use super::functions;
use crate::expression;
use crate::interpret::{Args, Interpreter};
use crate::range::TextRange;
use crate::syntax::ast;
use crate::value::{ColumnForm, ColumnValue, Text, Value, WindowSpec};

/// `col(name)`: a name, a qualified name or a star.
pub(crate) fn named(interpreter: &mut Interpreter, value: &Value, range: TextRange) -> Value {
    let Value::Text(text) = value else {
        return match value {
            Value::Column(column) => Value::Column(column.clone()),
            _ => unknown(Vec::new(), interpreter.here(range)),
        };
    };
    let name = text.render();
    let place = place_of(interpreter, text, range);
    if name == "*" || name.ends_with(".*") {
        let qualifier = name.strip_suffix(".*");
        return Value::Column(Rc::new(ColumnValue {
            expr: expression::column(qualifier, "*", place),
            name: None,
            named_at: TextRange::default(),
            form: ColumnForm::Star,
            descending: false,
        }));
    }
    Value::column(by_name(&name, place))
}

/// A column by its name as written, back quotes understood.
pub(crate) fn by_name(name: &str, range: TextRange) -> Expr {
    match name.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
        Some(inner) if !inner.contains('`') => expression::column(None, inner, range),
        _ if name.contains('`') => expression::column(None, &name.replace('`', ""), range),
        _ => expression::column(None, name, range),
    }
}

/// Where the letters of a text stand, else the whole expression.
pub(crate) fn place_of(interpreter: &Interpreter, text: &Text, range: TextRange) -> TextRange {
    match text.segments.as_slice() {
        [crate::value::Segment::Literal { text, at: Some(at) }] => {
            interpreter.here(TextRange::new(*at as usize, *at as usize + text.len()))
        }
        _ => interpreter.here(range),
    }
}

/// A column of which nothing is known but what it reads.
pub(crate) fn unknown(inputs: Vec<Expr>, range: TextRange) -> Value {
    Value::column(expression::opaque("a column that is not known from the script", inputs, DataType::Unknown, range))
}

/// An argument that PySpark takes as a column: a column, or a string that names one.
pub(crate) fn to_expr(interpreter: &mut Interpreter, value: &Value, range: TextRange) -> Expr {
    match value {
        Value::Column(column) => followed(&column.expr, range),
        Value::Text(_) => match named(interpreter, value, range) {
            Value::Column(column) => column.expr.clone(),
            _ => constant(value, range),
        },
        other => constant(other, interpreter.here(range)),
    }
}

/// An expression that a loop has made deeper than this is not followed any further.
const MAX_NESTING: usize = 400;

/// The same for one of more parts than this.
const MAX_PARTS: usize = 4096;

/// The expression, or only what it reads where it is too large to be followed.
fn followed(expr: &Expr, range: TextRange) -> Expr {
    let (parts, depth) = expression::extent(expr, MAX_PARTS);
    if parts < MAX_PARTS && depth < MAX_NESTING {
        return expr.clone();
    }
    let mut columns: Vec<Expr> = Vec::new();
    let mut pending = vec![expr];
    while let Some(part) = pending.pop() {
        if matches!(part.kind, ExprKind::Column(_)) && !columns.contains(part) {
            columns.push(part.clone());
        }
        if columns.len() > 64 {
            columns.clear();
            break;
        }
        pending.extend(expression::children(part));
    }
    let reason = if columns.is_empty() { "too large, and what it reads is not known" } else { "too large" };
    expression::opaque(reason, columns, DataType::Unknown, range)
}

/// An operand of an operator: a column, or a constant.
pub(crate) fn constant(value: &Value, range: TextRange) -> Expr {
    match value {
        Value::Column(column) => followed(&column.expr, range),
        other => match functions::constant_value(other) {
            Some(constant) => expression::literal(constant, letters(other).unwrap_or(range)),
            None => {
                let moment = match other {
                    Value::Text(text) => text.moment(),
                    _ => None,
                };
                let (reason, data_type) = match moment {
                    Some(true) => ("the time of the run", DataType::Timestamp),
                    Some(false) => ("the date of the run", DataType::Unknown),
                    None => ("a value that is not known from the script", DataType::Unknown),
                };
                expression::opaque(reason, Vec::new(), data_type, range)
            }
        },
    }
}

/// Where the letters of a text stand in the script.
fn letters(value: &Value) -> Option<TextRange> {
    let Value::Text(text) = value else { return None };
    match text.segments.as_slice() {
        [crate::value::Segment::Literal { text, at: Some(at) }] => {
            Some(TextRange::new(*at as usize, *at as usize + text.len()))
        }
        _ => None,
    }
}

/// `left op right` where one of them is a column.
pub(crate) fn binary(
    interpreter: &mut Interpreter,
    op: ast::BinaryOp,
    left: &Value,
    right: &Value,
    range: TextRange,
) -> Value {
    let range = interpreter.here(range);
    let (left, right) = (constant(left, range), constant(right, range));
    interpreter.spend(expression::extent(&left, MAX_PARTS).0 + expression::extent(&right, MAX_PARTS).0);
    let op = match op {
        ast::BinaryOp::Add => BinaryOp::Add,
        ast::BinaryOp::Subtract => BinaryOp::Subtract,
        ast::BinaryOp::Multiply => BinaryOp::Multiply,
        ast::BinaryOp::Divide => BinaryOp::DivideDouble,
        ast::BinaryOp::Remainder => BinaryOp::Remainder,
        ast::BinaryOp::BitAnd => BinaryOp::And,
        ast::BinaryOp::BitOr => BinaryOp::Or,
        _ => return Value::column(functions::function("power", vec![left, right], false, range)),
    };
    Value::column(expression::binary(op, left, right, range))
}

/// `left op right` where one of them is a column.
pub(crate) fn compare(
    interpreter: &mut Interpreter,
    op: ast::CompareOp,
    left: &Value,
    right: &Value,
    range: TextRange,
) -> Value {
    let range = interpreter.here(range);
    if interpreter.over_rows
        && let Some(column) = compare_rows(interpreter, op, left, right, range)
    {
        return column;
    }
    let (a, b) = (constant(left, range), constant(right, range));
    interpreter.spend(expression::extent(&a, MAX_PARTS).0 + expression::extent(&b, MAX_PARTS).0);
    let column = match op {
        ast::CompareOp::NotEqual => expression::not(expression::binary(BinaryOp::Equal, a, b, range), range),
        other => match Interpreter::sql_op(other) {
            Some(op) => expression::binary(op, a, b, range),
            None => return Value::unknown("a condition"),
        },
    };
    Value::column(column)
}

/// A comparison of Python values: `None` equals `None` and differs from everything else, and `in` is membership.
fn compare_rows(
    interpreter: &mut Interpreter,
    op: ast::CompareOp,
    left: &Value,
    right: &Value,
    range: TextRange,
) -> Option<Value> {
    let null_safe = |a: Expr, b: Expr| match (&a.kind, &b.kind) {
        (_, ExprKind::Literal(Constant::Null)) => boolean(ExprKind::IsNull(Box::new(a)), range),
        // Where the other side is a constant, a NULL is unequal to it and fails the filter as SQL's NULL does.
        _ => expression::binary(BinaryOp::Equal, a, b, range),
    };
    let differs = |a: Expr, b: Expr| match (&a.kind, &b.kind) {
        (_, ExprKind::Literal(Constant::Null)) => expression::not(boolean(ExprKind::IsNull(Box::new(a)), range), range),
        _ => expression::not(expression::binary(BinaryOp::NullSafeEqual, a, b, range), range),
    };
    let column = match op {
        ast::CompareOp::Equal | ast::CompareOp::Is => null_safe(constant(left, range), constant(right, range)),
        ast::CompareOp::NotEqual | ast::CompareOp::IsNot => differs(constant(left, range), constant(right, range)),
        ast::CompareOp::In | ast::CompareOp::NotIn => {
            let (Value::Column(_), Some((items, true))) = (left, interpreter.heap.items(right)) else {
                // `x in "ABC"` tests for a part of the text.
                let inputs = vec![constant(right, range), constant(left, range)];
                let contains = expression::opaque("contains", inputs, DataType::Boolean, range);
                let negated = op == ast::CompareOp::NotIn;
                return Some(Value::column(if negated { expression::not(contains, range) } else { contains }));
            };
            let list = items.iter().map(|item| constant(item, range)).collect();
            let found = boolean(ExprKind::InList { operand: Box::new(constant(left, range)), list }, range);
            if op == ast::CompareOp::In {
                found
            } else {
                // Python's `None not in [...]` is true.
                let missing = boolean(ExprKind::IsNull(Box::new(constant(left, range))), range);
                expression::binary(BinaryOp::Or, expression::not(found, range), missing, range)
            }
        }
        _ => return None,
    };
    Some(Value::column(column))
}

fn boolean(kind: ExprKind, range: TextRange) -> Expr {
    Expr { kind, data_type: DataType::Boolean, span: expression::span(range) }
}

pub(crate) fn negate(column: &ColumnValue, range: TextRange) -> Value {
    let data_type = column.expr.data_type.clone();
    let kind = ExprKind::Negate(Box::new(column.expr.clone()));
    Value::column(Expr { kind, data_type, span: expression::span(range) })
}

pub(crate) fn invert(column: &ColumnValue, range: TextRange) -> Value {
    Value::column(expression::not(column.expr.clone(), range))
}

/// `when(condition, value)`, alone or after another one.
pub(crate) fn when(interpreter: &mut Interpreter, before: Option<&Expr>, args: &Args) -> Value {
    let range = interpreter.here(args.range);
    let condition = args.get(0, "condition").map(|value| constant(value, range));
    let result = args.get(1, "value").map(|value| constant(value, range));
    let (Some(condition), Some(result)) = (condition, result) else { return unknown(Vec::new(), range) };
    let mut branches = match before.map(|expr| &expr.kind) {
        Some(ExprKind::Case { branches, .. }) => branches.clone(),
        _ => Vec::new(),
    };
    branches.push((condition, result));
    let mut expr = Expr {
        kind: ExprKind::Case { branches, otherwise: None },
        data_type: DataType::Unknown,
        span: expression::span(range),
    };
    expression::retype(&mut expr);
    Value::column(expr)
}

/// A method of a column.
pub(crate) fn method(interpreter: &mut Interpreter, column: &Rc<ColumnValue>, name: &str, args: Args) -> Value {
    let range = interpreter.here(args.range);
    let operand = followed(&column.expr, range);
    interpreter.spend(expression::extent(&operand, MAX_PARTS).0);
    let boolean = |kind: ExprKind| Expr { kind, data_type: DataType::Boolean, span: expression::span(range) };
    let argument = |position: usize| args.positional.get(position).map(|(value, _)| constant(value, range));
    match name {
        // `explode(map).alias("key", "value")` makes a column of each name.
        "alias" | "name" if args.positional.len() > 1 => {
            let expr = expression::opaque("generated columns", vec![operand], DataType::Unknown, range);
            Value::Column(Rc::new(ColumnValue {
                expr,
                name: None,
                named_at: TextRange::default(),
                form: ColumnForm::Unknown,
                descending: false,
            }))
        }
        "alias" | "name" => match args.get(0, "alias") {
            Some(Value::Text(text)) => Value::Column(Rc::new(ColumnValue {
                name: Some(text.render()),
                named_at: place_of(interpreter, text, args.range),
                ..column.as_ref().clone()
            })),
            _ => unknown(vec![operand], range),
        },
        "cast" | "astype" => {
            let data_type = match args.get(0, "dataType") {
                Some(Value::Type(data_type)) => data_type.clone(),
                Some(value) => value.exact_text().and_then(super::types::parse).unwrap_or_default(),
                None => DataType::Unknown,
            };
            let kind = ExprKind::Cast { operand: Box::new(operand), or_null: false };
            Value::column(Expr { kind, data_type, span: expression::span(range) })
        }
        "isNull" => Value::column(boolean(ExprKind::IsNull(Box::new(operand)))),
        "isNotNull" => Value::column(expression::not(boolean(ExprKind::IsNull(Box::new(operand))), range)),
        "isin" => {
            let mut list = Vec::new();
            let mut exact = !args.open;
            for (value, _) in &args.positional {
                match interpreter.heap.items(value) {
                    Some((items, all)) => {
                        exact &= all;
                        list.extend(items.iter().map(|item| constant(item, range)));
                    }
                    None => {
                        exact &= !matches!(value, Value::Unknown(_) | Value::Choice(_));
                        list.push(constant(value, range));
                    }
                }
            }
            if !exact || list.is_empty() {
                return Value::column(expression::opaque("isin", vec![operand], DataType::Boolean, range));
            }
            Value::column(boolean(ExprKind::InList { operand: Box::new(operand), list }))
        }
        "between" => match (argument(0), argument(1)) {
            (Some(low), Some(high)) => {
                let from = expression::binary(BinaryOp::GreaterOrEqual, operand.clone(), low, range);
                let to = expression::binary(BinaryOp::LessOrEqual, operand, high, range);
                Value::column(expression::binary(BinaryOp::And, from, to, range))
            }
            _ => unknown(vec![operand], range),
        },
        "eqNullSafe" => match argument(0) {
            Some(other) => Value::column(expression::binary(BinaryOp::NullSafeEqual, operand, other, range)),
            None => unknown(vec![operand], range),
        },
        "like" => match argument(0) {
            Some(pattern) => {
                Value::column(boolean(ExprKind::Like { operand: Box::new(operand), pattern: Box::new(pattern) }))
            }
            None => unknown(vec![operand], range),
        },
        "rlike" => match args.positional.first().and_then(|(value, _)| value.exact_text()) {
            Some(pattern) => {
                Value::column(boolean(ExprKind::Matches { operand: Box::new(operand), pattern: pattern.to_owned() }))
            }
            None => unknown(vec![operand], range),
        },
        "startswith" | "endswith" | "contains" => {
            let mut inputs = vec![operand];
            inputs.extend(argument(0));
            Value::column(expression::opaque(name, inputs, DataType::Boolean, range))
        }
        "substr" => {
            let inputs = std::iter::once(operand).chain(argument(0)).chain(argument(1)).collect();
            Value::column(functions::function("substring", inputs, false, range))
        }
        "when" => when(interpreter, Some(&operand), &args),
        "otherwise" => match (operand.kind, argument(0)) {
            (ExprKind::Case { branches, .. }, Some(otherwise)) => {
                let mut expr = Expr {
                    kind: ExprKind::Case { branches, otherwise: Some(Box::new(otherwise)) },
                    data_type: DataType::Unknown,
                    span: expression::span(range),
                };
                expression::retype(&mut expr);
                Value::column(expr)
            }
            _ => unknown(vec![column.expr.clone()], range),
        },
        "over" => match args.get(0, "window") {
            Some(Value::Window(spec)) => {
                let data_type = operand.data_type.clone();
                let kind = ExprKind::Window {
                    function: Box::new(operand),
                    partition_by: spec.partition_by.clone(),
                    order_by: spec.order_by.clone(),
                };
                Value::column(Expr { kind, data_type, span: expression::span(range) })
            }
            _ => unknown(vec![operand], range),
        },
        "desc" | "desc_nulls_last" | "desc_nulls_first" => {
            Value::Column(Rc::new(ColumnValue { descending: true, ..column.as_ref().clone() }))
        }
        "asc" | "asc_nulls_last" | "asc_nulls_first" => {
            Value::Column(Rc::new(ColumnValue { descending: false, ..column.as_ref().clone() }))
        }
        "getItem" | "getField" => match args.positional.first() {
            Some((key, _)) => get_item(column, key, range),
            None => unknown(vec![operand], range),
        },
        _ => unknown(vec![operand], range),
    }
}

/// An attribute of a column: a method, or a field of a struct.
pub(crate) fn attribute(column: &Rc<ColumnValue>, name: &str, range: TextRange) -> Option<Value> {
    const METHODS: [&str; 30] = [
        "alias",
        "name",
        "cast",
        "astype",
        "isNull",
        "isNotNull",
        "isin",
        "between",
        "eqNullSafe",
        "like",
        "ilike",
        "rlike",
        "startswith",
        "endswith",
        "contains",
        "substr",
        "when",
        "otherwise",
        "over",
        "desc",
        "desc_nulls_last",
        "desc_nulls_first",
        "asc",
        "asc_nulls_last",
        "asc_nulls_first",
        "getItem",
        "getField",
        "withField",
        "dropFields",
        "bitwiseAND",
    ];
    if METHODS.contains(&name) {
        return None;
    }
    Some(get_item(column, &Value::text(name), range))
}

/// A field, element or entry of a column.
pub(crate) fn get_item(column: &ColumnValue, key: &Value, range: TextRange) -> Value {
    let name = match key {
        Value::Text(text) => format!("field {}", text.render()),
        Value::Int(index) => format!("element {index}"),
        _ => "an element".to_owned(),
    };
    Value::Column(Rc::new(ColumnValue {
        expr: expression::opaque(&name, vec![column.expr.clone()], DataType::Unknown, range),
        name: match key {
            Value::Text(text) => Some(text.render()),
            _ => None,
        },
        named_at: TextRange::default(),
        form: ColumnForm::Plain,
        descending: false,
    }))
}

/// `expr(text)`.
pub(crate) fn from_sql(interpreter: &mut Interpreter, value: &Value, range: TextRange) -> Value {
    match value {
        Value::Text(text) => match super::sql_expression(interpreter, text, range) {
            Some(column) => Value::Column(Rc::new(column)),
            None => unknown(Vec::new(), interpreter.here(range)),
        },
        Value::Column(column) => Value::Column(column.clone()),
        _ => unknown(Vec::new(), interpreter.here(range)),
    }
}

/// `Window.partitionBy(…)` and its like.
pub(crate) fn window(interpreter: &mut Interpreter, spec: Option<&WindowSpec>, name: &str, args: &Args) -> Value {
    let mut spec = spec.cloned().unwrap_or_default();
    let mut columns = Vec::new();
    for (value, range) in &args.positional {
        let items = match interpreter.heap.items(value) {
            Some((items, _)) => items,
            None => vec![value.clone()],
        };
        for item in items {
            let descending = matches!(&item, Value::Column(column) if column.descending);
            columns.push((to_expr(interpreter, &item, *range), descending));
        }
    }
    match name {
        "partitionBy" => spec.partition_by = columns.into_iter().map(|(expr, _)| expr).collect(),
        "orderBy" => spec.order_by = columns,
        _ => {}
    }
    Value::Window(Rc::new(spec))
}

/// The name that Spark gives a column without an alias.
pub(crate) fn spark_name(column: &ColumnValue) -> String {
    column.name.clone().unwrap_or_else(|| expression_name(&column.expr))
}

/// The name that Spark gives an expression.
pub(crate) fn expression_name(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Column(reference) => match reference.name.rsplit_once('.') {
            Some((_, last)) if reference.id.is_none() => last.to_owned(),
            _ => reference.name.clone(),
        },
        ExprKind::Cast { operand, .. } => expression_name(operand),
        ExprKind::Literal(value) => match value {
            contract::value::Value::String(text) => text.clone(),
            contract::value::Value::Int(number) => number.to_string(),
            contract::value::Value::Null => "NULL".to_owned(),
            other => format!("{other:?}"),
        },
        ExprKind::Aggregate { function, args, distinct } => {
            let inner = match args.as_slice() {
                [] => "1".to_owned(),
                many => many.iter().map(expression_name).collect::<Vec<_>>().join(", "),
            };
            let distinct = if *distinct { "DISTINCT " } else { "" };
            format!("{function}({distinct}{inner})")
        }
        ExprKind::Call { function, args } => {
            format!("{function}({})", args.iter().map(expression_name).collect::<Vec<_>>().join(", "))
        }
        ExprKind::Opaque { reason, .. } if reason.starts_with("field ") => {
            let path = reason.trim_start_matches("field ");
            path.rsplit('.').next().unwrap_or(path).to_owned()
        }
        ExprKind::Opaque { reason, inputs } => {
            format!("{reason}({})", inputs.iter().map(expression_name).collect::<Vec<_>>().join(", "))
        }
        _ => super::describe(expr),
    }
}
