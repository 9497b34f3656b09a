//! Conversions: NULL where a value has no form in the other type.

use super::number::{as_double, exact, fit, rescale, whole};
use super::{EvalError, regex};
use crate::expr::parse::{date, timestamp};
use crate::expr::print::guards::text_shape;
use crate::types::DataType;
use crate::value::Value;
use chrono::{Days, NaiveDate};

/// Microseconds of a day.
pub(super) const DAY: i64 = 86_400_000_000;

/// A value in another type.
pub(super) fn cast(value: Value, to: &DataType) -> Result<Value, EvalError> {
    let impossible = || EvalError::Types(format!("{value:?} has no form as {to}"));
    let result = match (&value, to) {
        (Value::Null, _) | (_, DataType::Null | DataType::Unknown) => Some(value.clone()),
        (Value::Boolean(b), ty) if ty.is_integer() => Some(Value::Int((*b).into())),
        (Value::Boolean(_), DataType::Boolean) => Some(value.clone()),
        (Value::Boolean(b), ty) if ty.is_numeric() => Some(widen(Value::Int((*b).into()), ty)),
        (Value::Int(_) | Value::Decimal(..) | Value::Double(_), DataType::Boolean) => {
            Some(Value::Boolean(as_double(&value) != Some(0.0)))
        }
        (Value::Int(_) | Value::Decimal(..) | Value::Double(_), ty) if ty.is_numeric() => number(&value, ty),
        (Value::String(text), ty) => from_text(text, ty)?,
        (_, ty) if ty.is_text() => Some(text(&value)?),
        (Value::Date(_), DataType::Date) | (Value::Timestamp(_), DataType::Timestamp) => Some(value.clone()),
        (Value::Date(days), DataType::Timestamp) => Some(Value::Timestamp(midnight(*days))),
        (Value::Timestamp(micros), DataType::Date) => i32::try_from(micros.div_euclid(DAY)).ok().map(Value::Date),
        _ => return Err(impossible()),
    };
    Ok(result.unwrap_or(Value::Null))
}

/// A value in the common type of several, which holds it without loss.
pub(super) fn widen(value: Value, to: &DataType) -> Value {
    match (&value, to) {
        (Value::Int(_) | Value::Decimal(..), ty) if ty.is_floating() => {
            as_double(&value).map_or(Value::Null, Value::Double)
        }
        (Value::Int(_) | Value::Decimal(..), DataType::Decimal { .. }) => {
            exact(&value).and_then(|(n, scale)| fit(n, scale, to)).unwrap_or(Value::Null)
        }
        (Value::Date(days), DataType::Timestamp) => Value::Timestamp(midnight(*days)),
        _ => value,
    }
}

/// A value as text; an error for values whose text differs between engines.
pub(super) fn text(value: &Value) -> Result<Value, EvalError> {
    Ok(Value::String(match value {
        Value::Null => return Ok(Value::Null),
        Value::String(text) => text.clone(),
        Value::Boolean(value) => value.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Decimal(n, 0) => n.to_string(),
        Value::Decimal(n, scale) => {
            let digits = format!("{:0>width$}", n.unsigned_abs(), width = usize::from(*scale) + 1);
            let (whole, fraction) = digits.split_at(digits.len() - usize::from(*scale));
            format!("{}{whole}.{fraction}", if *n < 0 { "-" } else { "" })
        }
        Value::Date(days) => day(*days).map_or_else(String::new, |day| day.format("%Y-%m-%d").to_string()),
        other => return Err(EvalError::Types(format!("the text of {other:?} differs between engines"))),
    }))
}

/// The calendar day of a number of days since 1970-01-01.
pub(super) fn day(days: i32) -> Option<NaiveDate> {
    let epoch = NaiveDate::default();
    let distance = Days::new(days.unsigned_abs().into());
    if days < 0 { epoch.checked_sub_days(distance) } else { epoch.checked_add_days(distance) }
}

/// The first instant of a day.
pub(super) fn midnight(days: i32) -> i64 {
    i64::from(days) * DAY
}

/// A number in another number type: cut towards zero to a whole one, rounded half away from zero to a decimal.
fn number(value: &Value, to: &DataType) -> Option<Value> {
    match (value, to) {
        (Value::Double(n), DataType::Float) => Some(Value::Double(f64::from(*n as f32))),
        (_, DataType::Float) => as_double(value).map(|n| Value::Double(f64::from(n as f32))),
        (_, DataType::Double) => as_double(value).map(Value::Double),
        (Value::Double(n), DataType::Decimal { .. }) => {
            let (n, scale) = decimal(&format!("{n:e}"))?;
            fit(n, scale, to)
        }
        (Value::Double(n), _) => (n.abs() < 1e19).then(|| n.trunc() as i128).and_then(|n| whole(n, to)),
        (_, DataType::Decimal { .. }) => exact(value).and_then(|(n, scale)| fit(n, scale, to)),
        _ => exact(value).and_then(|(n, scale)| whole(n / 10i128.checked_pow(scale.into())?, to)),
    }
}

/// A text in another type, which it must have the shape of; blanks around it do not count.
fn from_text(text: &str, to: &DataType) -> Result<Option<Value>, EvalError> {
    if to.is_text() {
        return Ok(Some(Value::String(text.to_owned())));
    }
    let shape = text_shape(to).map_err(|error| EvalError::Types(error.to_string()))?;
    if !regex(shape)?.is_match(text) {
        return Ok(None);
    }
    let text = text.trim_matches(' ');
    Ok(match to {
        DataType::Boolean => Some(Value::Boolean(text.eq_ignore_ascii_case("true"))),
        DataType::Date => date(text).map(Value::Date),
        DataType::Timestamp => timestamp(text).map(Value::Timestamp),
        DataType::Decimal { .. } => decimal(text).and_then(|(n, scale)| fit(n, scale, to)),
        DataType::Float => text.parse().ok().map(|n: f32| Value::Double(n.into())),
        DataType::Double => text.parse().ok().map(Value::Double),
        ty => text.parse().ok().and_then(|n| whole(n, ty)),
    })
}

/// A decimal text, with or without an exponent, as an unscaled integer and a scale.
fn decimal(text: &str) -> Option<(i128, u8)> {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let n: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = i32::try_from(fraction.len()).ok()? - exponent.parse::<i32>().ok()?;
    match u8::try_from(scale) {
        Ok(scale) if scale <= 38 => Some((n, scale)),
        Ok(_) => Some((0, 0)),
        Err(_) if scale < 0 => Some((rescale(n, 0, u8::try_from(-scale).ok()?)?, 0)),
        Err(_) => Some((0, 0)),
    }
}
