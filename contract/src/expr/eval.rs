//! The row evaluator: the meaning that every engine must reproduce.
//!
//! It is three-valued and never fails on a value: what has no result (an overflow, a division by zero, a text that is
//! no number) is NULL. An error says that the expression cannot be evaluated on a row at all.

mod call;
mod cast;
mod number;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::BuildHasher;

use regex::Regex;

use super::{BinaryOp, ColumnRef, Expr, ExprKind, pattern};
use crate::types::DataType;
use crate::value::Value;

pub use number::as_double;

/// The cells of one row.
pub trait Row {
    /// The cell of a column; `None` where there is no such column.
    fn cell(&self, column: &ColumnRef) -> Option<Value>;
}

/// Cells by the names of their columns.
impl<S: BuildHasher> Row for HashMap<String, Value, S> {
    fn cell(&self, column: &ColumnRef) -> Option<Value> {
        self.get(&column.name).cloned()
    }
}

/// Why an expression has no value on any row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// The row has no such column.
    #[error("the row has no column `{0}`")]
    MissingColumn(String),
    /// It is not understood, or ranges over several rows, or over the time of the run.
    #[error("{0} cannot be evaluated on a row")]
    NotARow(String),
    /// Operands of types that do not go together, which elaboration refuses.
    #[error("{0}")]
    Types(String),
}

/// The value of an expression on a row, of the expression's type.
pub fn eval(expr: &Expr, row: &dyn Row) -> Result<Value, EvalError> {
    match &expr.kind {
        ExprKind::Column(column) => match (row.cell(column), &expr.data_type) {
            (None, _) => Err(EvalError::MissingColumn(column.name.clone())),
            // The padding of a char belongs to its storage, not to its value.
            (Some(Value::String(text)), DataType::Char(_)) => Ok(Value::String(text.trim_end_matches(' ').to_owned())),
            (Some(value), _) => Ok(value),
        },
        ExprKind::Literal(value) => Ok(value.clone()),
        ExprKind::Not(operand) => Ok(truth(&eval(operand, row)?)?.map_or(Value::Null, |b| Value::Boolean(!b))),
        ExprKind::Negate(operand) => Ok(number::negate(eval(operand, row)?, &expr.data_type)),
        ExprKind::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), left, right } => {
            let decides = *op == BinaryOp::Or;
            let (left, right) = (truth(&eval(left, row)?)?, truth(&eval(right, row)?)?);
            Ok(match (left, right) {
                (Some(b), _) | (_, Some(b)) if b == decides => Value::Boolean(decides),
                (Some(_), Some(_)) => Value::Boolean(!decides),
                _ => Value::Null,
            })
        }
        ExprKind::Binary { op, left, right } => binary(*op, &eval(left, row)?, &eval(right, row)?, &expr.data_type),
        ExprKind::IsNull(operand) => Ok(Value::Boolean(eval(operand, row)? == Value::Null)),
        ExprKind::IsNan(operand) => {
            Ok(Value::Boolean(matches!(eval(operand, row)?, Value::Double(number) if number.is_nan())))
        }
        ExprKind::InList { operand, list } => {
            let operand = eval(operand, row)?;
            let mut unknown = false;
            for item in list {
                match binary(BinaryOp::Equal, &operand, &eval(item, row)?, &DataType::Boolean)? {
                    Value::Boolean(true) => return Ok(Value::Boolean(true)),
                    Value::Null => unknown = true,
                    _ => {}
                }
            }
            Ok(if unknown { Value::Null } else { Value::Boolean(false) })
        }
        ExprKind::Like { operand, pattern } => match (eval(operand, row)?, eval(pattern, row)?) {
            (Value::String(text), Value::String(pattern)) => {
                regex(&like_pattern(&pattern)).map(|regex| Value::Boolean(regex.is_match(&text)))
            }
            _ => Ok(Value::Null),
        },
        ExprKind::Matches { operand, pattern } => match eval(operand, row)? {
            Value::String(text) => portable(pattern).map(|regex| Value::Boolean(regex.is_match(&text))),
            _ => Ok(Value::Null),
        },
        ExprKind::Case { branches, otherwise } => {
            for (condition, result) in branches {
                if truth(&eval(condition, row)?)? == Some(true) {
                    return Ok(cast::widen(eval(result, row)?, &expr.data_type));
                }
            }
            let otherwise = otherwise.as_ref().map_or(Ok(Value::Null), |otherwise| eval(otherwise, row))?;
            Ok(cast::widen(otherwise, &expr.data_type))
        }
        ExprKind::Cast { operand, .. } => cast::cast(eval(operand, row)?, &expr.data_type),
        ExprKind::Call { function, args } => {
            let args = args.iter().map(|arg| eval(arg, row)).collect::<Result<Vec<_>, _>>()?;
            call::call(function, args, &expr.data_type)
        }
        ExprKind::Aggregate { function, .. } => Err(EvalError::NotARow(format!("the aggregate {function}"))),
        ExprKind::Window { .. } => Err(EvalError::NotARow("a window".to_owned())),
        ExprKind::Opaque { reason, .. } => Err(EvalError::NotARow(reason.clone())),
    }
}

/// How two values that are not NULL are ordered: NaN equals itself and is larger than every number, texts are ordered by
/// code points, false comes before true, a date stands for its midnight. `None` where they cannot be compared.
pub fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Boolean(l), Value::Boolean(r)) => Some(l.cmp(r)),
        (Value::String(l), Value::String(r)) => Some(l.cmp(r)),
        (Value::Binary(l), Value::Binary(r)) => Some(l.cmp(r)),
        (Value::Date(l), Value::Date(r)) => Some(l.cmp(r)),
        (Value::Timestamp(l), Value::Timestamp(r)) => Some(l.cmp(r)),
        (Value::Date(l), Value::Timestamp(r)) => Some(cast::midnight(*l).cmp(r)),
        (Value::Timestamp(l), Value::Date(r)) => Some(l.cmp(&cast::midnight(*r))),
        (Value::Array(l), Value::Array(r)) => {
            let differing = l.iter().zip(r).map(|(l, r)| compare(l, r)).find(|order| *order != Some(Ordering::Equal));
            differing.unwrap_or(Some(l.len().cmp(&r.len())))
        }
        _ => number::compare(left, right),
    }
}

fn binary(op: BinaryOp, left: &Value, right: &Value, data_type: &DataType) -> Result<Value, EvalError> {
    let nulls = (*left == Value::Null, *right == Value::Null);
    if op == BinaryOp::NullSafeEqual && (nulls.0 || nulls.1) {
        return Ok(Value::Boolean(nulls.0 && nulls.1));
    }
    if nulls.0 || nulls.1 {
        return Ok(Value::Null);
    }
    let ordered = |holds: fn(Ordering) -> bool| match compare(left, right) {
        Some(order) => Ok(Value::Boolean(holds(order))),
        None => Err(EvalError::Types(format!("{left:?} and {right:?} cannot be compared"))),
    };
    match op {
        BinaryOp::Equal | BinaryOp::NullSafeEqual => ordered(Ordering::is_eq),
        BinaryOp::Less => ordered(Ordering::is_lt),
        BinaryOp::LessOrEqual => ordered(Ordering::is_le),
        BinaryOp::Greater => ordered(Ordering::is_gt),
        BinaryOp::GreaterOrEqual => ordered(Ordering::is_ge),
        BinaryOp::Concat => match (cast::text(left)?, cast::text(right)?) {
            (Value::String(left), Value::String(right)) => Ok(Value::String(left + &right)),
            _ => Ok(Value::Null),
        },
        _ => Ok(number::arithmetic(op, left, right, data_type)),
    }
}

fn truth(value: &Value) -> Result<Option<bool>, EvalError> {
    match value {
        Value::Boolean(value) => Ok(Some(*value)),
        Value::Null => Ok(None),
        other => Err(EvalError::Types(format!("{other:?} is no condition"))),
    }
}

/// A LIKE pattern, in which a backslash escapes, as a regular expression over the whole text.
fn like_pattern(pattern: &str) -> String {
    let mut out = String::from(r"(?s)\A");
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '\\' => out.push_str(&regex::escape(&chars.next().unwrap_or('\\').to_string())),
            c => out.push_str(&regex::escape(&c.to_string())),
        }
    }
    out + r"\z"
}

fn portable(text: &str) -> Result<Regex, EvalError> {
    regex(&pattern::portable(text).map_err(|error| EvalError::Types(error.to_string()))?)
}

fn regex(text: &str) -> Result<Regex, EvalError> {
    Regex::new(text).map_err(|error| EvalError::Types(error.to_string()))
}
