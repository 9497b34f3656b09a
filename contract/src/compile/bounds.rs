//! Bounds of a value that a query returns.

use std::cmp::Ordering;
use std::fmt;

use crate::expr::eval::{as_double, compare};
use crate::expr::print::literal::{date_text, decimal_text, timestamp_text};
use crate::value::Value;

/// A lower and an upper bound, both allowed values themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bounds {
    /// Lower bound.
    pub min: Option<Value>,
    /// Upper bound.
    pub max: Option<Value>,
}

impl Bounds {
    /// Bounds of a number.
    pub fn of_numbers(min: Option<f64>, max: Option<f64>) -> Self {
        Self { min: min.map(Value::Double), max: max.map(Value::Double) }
    }

    /// Bounds of a count.
    pub fn of_counts(min: Option<u64>, max: Option<u64>) -> Self {
        let whole = |count: u64| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
        Self { min: min.map(whole), max: max.map(whole) }
    }

    /// Whether there is no bound at all.
    pub fn is_open(&self) -> bool {
        self.min.is_none() && self.max.is_none()
    }

    /// The bounds as they are held against a number computed out of many: engines add in any order, so that only the
    /// first twelve digits agree.
    #[must_use]
    pub fn of_twelve_digits(&self) -> Self {
        let moved = |bound: &Option<Value>, outwards: f64| {
            bound.as_ref().map(|bound| match as_double(bound) {
                Some(number) if number.is_finite() => Value::Double(number + outwards * number.abs() * 1e-12),
                _ => bound.clone(),
            })
        };
        Self { min: moved(&self.min, -1.0), max: moved(&self.max, 1.0) }
    }

    /// Whether a value lies within the bounds; NaN never does. `None` where it cannot be compared with them.
    pub fn hold(&self, value: &Value) -> Option<bool> {
        if matches!(value, Value::Double(number) if number.is_nan()) {
            return Some(false);
        }
        let against = |bound: &Option<Value>, wrong: Ordering| match bound {
            Some(bound) => compare(value, bound).map(|order| order != wrong),
            None => Some(true),
        };
        Some(against(&self.min, Ordering::Less)? && against(&self.max, Ordering::Greater)?)
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.min, &self.max) {
            (Some(min), Some(max)) => write!(f, "{} to {}", shown(min), shown(max)),
            (Some(min), None) => write!(f, "at least {}", shown(min)),
            (None, Some(max)) => write!(f, "at most {}", shown(max)),
            (None, None) => f.write_str("any"),
        }
    }
}

/// A value for people.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Decimal(number, scale) => decimal_text(*number, *scale),
        Value::Double(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Date(days) => date_text(*days).unwrap_or_else(|_| format!("day {days}")),
        Value::Timestamp(micros) => timestamp_text(*micros).unwrap_or_else(|_| format!("microsecond {micros}")),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_within_its_bounds_holds() {
        let bounds = Bounds { min: Some(Value::Int(1)), max: Some(Value::Decimal(250, 2)) };
        assert_eq!(bounds.hold(&Value::Double(2.5)), Some(true));
        assert_eq!(bounds.hold(&Value::Decimal(2501, 3)), Some(false));
        assert_eq!(bounds.hold(&Value::Double(f64::NAN)), Some(false));
        assert_eq!(bounds.hold(&Value::String("x".to_owned())), None);
        assert_eq!(bounds.to_string(), "1 to 2.50");
        let day = Bounds { min: Some(Value::Date(0)), max: None };
        assert_eq!((day.hold(&Value::Date(-1)), day.to_string().as_str()), (Some(false), "at least 1970-01-01"));
    }
}
