//! `groupBy(…)` and the aggregates over it.

use std::rc::Rc;

use contract::expr::{Expr, ExprKind};
use contract::types::DataType;

use super::{bind, column, frame, functions, types};
use crate::expression;
use crate::facts::Severity;
use crate::interpret::{Args, Interpreter};
use crate::value::{Grouped, Value};

pub(crate) fn method(interpreter: &mut Interpreter, grouped: &Rc<Grouped>, name: &str, args: Args) -> Value {
    let range = interpreter.here(args.range);
    let mut aggregates = Vec::new();
    let mut named = Vec::new();
    let mut known = grouped.keys_known && !grouped.pivoted;
    match name {
        "agg" => {
            for (value, place) in frame::spread(interpreter, &args) {
                match &value {
                    Value::Column(column) => {
                        let expr = bind::bind(interpreter, grouped.input, &column.expr);
                        named.push((column::spark_name(column), column.named_at));
                        aggregates.push((column::spark_name(column), expr));
                    }
                    other => match interpreter.heap.entries(other) {
                        Some((entries, exact)) => {
                            known &= exact;
                            for (key, function) in entries {
                                let (Some(key), Some(function)) = (key.exact_text(), function.exact_text()) else {
                                    known = false;
                                    continue;
                                };
                                aggregates.push(aggregate(interpreter, grouped, function, key, place));
                            }
                        }
                        None => known = false,
                    },
                }
            }
            // A dict is a collection of its keys: `spread` has given them, not the entries.
            if let Some((value, place)) = args.positional.first()
                && let Some((entries, exact)) = interpreter.heap.entries(value)
            {
                aggregates.clear();
                known = grouped.keys_known && !grouped.pivoted && exact;
                for (key, function) in entries {
                    if let (Some(key), Some(function)) = (key.exact_text(), function.exact_text()) {
                        aggregates.push(aggregate(interpreter, grouped, function, key, *place));
                    }
                }
            }
        }
        "count" => {
            aggregates.push(("count".to_owned(), functions::function("count", Vec::new(), false, range)));
        }
        "sum" | "avg" | "mean" | "min" | "max" => {
            let names: Vec<String> =
                args.positional.iter().flat_map(|(value, _)| types::names(interpreter, value)).collect();
            if names.is_empty() {
                let schema = interpreter.plan.schema(grouped.input);
                known &= schema.is_complete();
                for field in schema.fields {
                    let data_type = interpreter.plan.column_type(field.id);
                    let is_key = grouped.keys.iter().any(|(key, _)| key.eq_ignore_ascii_case(&field.name));
                    match data_type {
                        DataType::Unknown => known = false,
                        DataType::TinyInt
                        | DataType::SmallInt
                        | DataType::Int
                        | DataType::BigInt
                        | DataType::Float
                        | DataType::Double
                        | DataType::Decimal { .. }
                            if !is_key =>
                        {
                            aggregates.push(aggregate(interpreter, grouped, name, &field.name, args.range));
                        }
                        _ => {}
                    }
                }
            }
            for column in names {
                aggregates.push(aggregate(interpreter, grouped, name, &column, args.range));
            }
        }
        "pivot" => {
            if let Some((value, place)) = args.positional.first() {
                let expr = column::to_expr(interpreter, value, *place);
                bind::bind(interpreter, grouped.input, &expr);
            }
            return Value::Grouped(Rc::new(Grouped { pivoted: true, ..grouped.as_ref().clone() }));
        }
        "applyInPandas" | "apply" | "cogroup" => {
            let frame = Value::Frame(grouped.input);
            let inputs = match interpreter.tainted("", &[&frame]) {
                Value::Unknown(unknown) => unknown.frames,
                _ => Vec::new(),
            };
            interpreter.call_arguments(&args);
            return Value::Frame(interpreter.plan.opaque(inputs, "rows that Python made", range));
        }
        _ => return interpreter.tainted("an aggregate that is not modelled", &[&Value::Frame(grouped.input)]),
    }
    if known && interpreter.is_certain() {
        for (_, expr) in &aggregates {
            if let Some(column) = ungrouped(expr, &grouped.keys) {
                report_ungrouped(interpreter, column);
            }
        }
    }
    if known {
        let made = interpreter.plan.aggregate(grouped.input, grouped.keys.clone(), aggregates, range);
        for (name, place) in named {
            bind::mention_name(interpreter, &name, place, made);
        }
        return Value::Frame(made);
    }
    Value::Frame(interpreter.plan.opaque(vec![grouped.input], "groups whose columns are not known", range))
}

/// A column of an aggregate's result that is neither aggregated nor a key; `None` in doubt.
pub(crate) fn ungrouped<'e>(expr: &'e Expr, keys: &[(String, Expr)]) -> Option<&'e Expr> {
    if keys.iter().any(|(_, key)| key == expr) {
        return None;
    }
    match &expr.kind {
        ExprKind::Column(reference) => {
            let id = reference.id?;
            // A key that is not understood may be this column.
            let settled = |key: &Expr| !matches!(key.kind, ExprKind::Opaque { .. });
            let same = |key: &Expr| matches!(&key.kind, ExprKind::Column(key) if key.id.is_none_or(|key| key == id));
            (keys.iter().all(|(_, key)| settled(key) && !same(key))).then_some(expr)
        }
        ExprKind::Aggregate { .. } | ExprKind::Opaque { .. } | ExprKind::Window { .. } => None,
        // Functions that are not in the table of functions may aggregate.
        ExprKind::Call { .. } => None,
        _ => expression::children(expr).into_iter().find_map(|child| ungrouped(child, keys)),
    }
}

pub(crate) fn report_ungrouped(interpreter: &mut Interpreter, column: &Expr) {
    let Some(range) = expression::range_of(column) else { return };
    let name = crate::describe::describe(column);
    let message = format!(
        "`{name}` is neither aggregated nor grouped by, so a group has no one value of it. Group by it, or take max(`{name}`) or first(`{name}`)."
    );
    interpreter.report("ungrouped-column", Severity::Error, range, message, Vec::new(), Vec::new());
}

/// `{"column": "function"}` and `.sum("column")`.
fn aggregate(
    interpreter: &mut Interpreter,
    grouped: &Grouped,
    function: &str,
    name: &str,
    place: crate::range::TextRange,
) -> (String, contract::expr::Expr) {
    let range = interpreter.here(place);
    let function = if function == "mean" { "avg" } else { function };
    if name == "*" {
        return (format!("{function}(1)"), functions::function(function, Vec::new(), false, range));
    }
    let operand = bind::bind(interpreter, grouped.input, &expression::column(None, name, range));
    let shown = match &operand.kind {
        ExprKind::Column(reference) => reference.name.clone(),
        _ => name.to_owned(),
    };
    (format!("{function}({shown})"), functions::function(function, vec![operand], false, range))
}
