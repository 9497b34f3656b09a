//! The row evaluator: the meaning that every engine must reproduce.

use crate::value::Value;

/// A number as a double, rounded to the nearest; `None` where the value is no number.
pub fn as_double(value: &Value) -> Option<f64> {
    match value {
        Value::Int(n) => Some(*n as f64),
        Value::Double(n) => Some(*n),
        // By way of its text, which rounds once.
        Value::Decimal(n, scale) => format!("{n}e-{scale}").parse().ok(),
        _ => None,
    }
}
