//! Constants: their texts, and what they become beside a typed operand.

use chrono::{NaiveDate, NaiveDateTime};

use crate::expr::{Expr, ExprKind};
use crate::types::DataType;
use crate::value::Value;

/// A number as written: whole, with a point (a decimal), or with an exponent (a double).
pub(crate) fn number(text: &str) -> Option<Value> {
    let text = text.trim_end_matches(['L', 'l']);
    if text.contains(['e', 'E']) {
        return text.parse().ok().map(Value::Double);
    }
    match text.split_once('.') {
        None => match text.parse::<i64>() {
            Ok(n) => Some(Value::Int(n)),
            Err(_) => text.parse::<i128>().ok().filter(fits_decimal).map(|n| Value::Decimal(n, 0)),
        },
        Some((whole, fraction)) => {
            let digits = format!("{whole}{fraction}");
            let scale = u8::try_from(fraction.len()).ok().filter(|scale| *scale <= 38)?;
            let unscaled = if digits.is_empty() { return None } else { digits.parse::<i128>().ok()? };
            Some(unscaled).filter(fits_decimal).map(|n| Value::Decimal(n, scale))
        }
    }
}

fn fits_decimal(n: &i128) -> bool {
    n.unsigned_abs() < 10u128.pow(38)
}

/// `YYYY-MM-DD` as days since 1970-01-01; one-digit months and days are read too, as all engines do.
pub(crate) fn date(text: &str) -> Option<i32> {
    let text = text.trim();
    let mut parts = text.splitn(3, '-');
    let year = parts.next().filter(|y| y.len() == 4)?;
    let (month, day) = (parts.next()?, parts.next()?);
    let short = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if !year.bytes().all(|b| b.is_ascii_digit()) || !short(month) || !short(day) {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

/// `YYYY-MM-DD`, then a blank or `T`, then `HH:MM[:SS[.ffffff]]`, then nothing or `Z`; or a date alone.
/// Microseconds since 1970-01-01T00:00:00.
pub(crate) fn timestamp(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Some(days) = date(text) {
        return Some(i64::from(days) * 86_400_000_000);
    }
    let text = text.strip_suffix(" UTC").or_else(|| text.strip_suffix('Z')).unwrap_or(text);
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .map(|at| at.and_utc().timestamp_micros())
}

/// A constant beside an operand of this type, as a constant of that type where it has such a form: a text beside a date
/// is a date, a decimal beside a double is a double. Everything else stays as it is.
pub(crate) fn beside(expr: Expr, ty: &DataType) -> Expr {
    let ExprKind::Literal(value) = &expr.kind else { return expr };
    let converted = match (value, ty) {
        (Value::String(text), DataType::Date) => match date(text) {
            Some(days) => Some(Value::Date(days)),
            None => timestamp(text).map(Value::Timestamp),
        },
        (Value::String(text), DataType::Timestamp) => timestamp(text).map(Value::Timestamp),
        (Value::String(text), DataType::Boolean) => match text.to_ascii_lowercase().as_str() {
            "true" => Some(Value::Boolean(true)),
            "false" => Some(Value::Boolean(false)),
            _ => None,
        },
        (Value::Int(flag @ (0 | 1)), DataType::Boolean) => Some(Value::Boolean(*flag == 1)),
        (Value::String(text), ty) if ty.is_floating() && special(text).is_some() => special(text).map(Value::Double),
        (Value::String(text), ty) if ty.is_numeric() => number(text.trim().trim_start_matches('+')).or_else(|| {
            let positive = number(text.trim().strip_prefix('-')?)?;
            match Expr::negate(Expr::literal(positive)).kind {
                ExprKind::Literal(value) => Some(value),
                _ => None,
            }
        }),
        (Value::Decimal(..), ty) if ty.is_floating() => crate::expr::eval::as_double(value).map(Value::Double),
        _ => None,
    };
    match converted {
        Some(value) => {
            let span = expr.span;
            let literal = Expr::literal(value).at(span);
            if ty.is_floating() { beside_once(literal, ty) } else { literal }
        }
        None => expr,
    }
}

/// What is no finite number, as engines and people write it.
fn special(text: &str) -> Option<f64> {
    match text.trim().to_ascii_lowercase().as_str() {
        "nan" => Some(f64::NAN),
        "inf" | "infinity" | "+infinity" => Some(f64::INFINITY),
        "-inf" | "-infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

fn beside_once(expr: Expr, ty: &DataType) -> Expr {
    match &expr.kind {
        ExprKind::Literal(Value::Decimal(..)) => beside(expr, ty),
        _ => expr,
    }
}
