//! Constants and names.

use chrono::{DateTime, NaiveDate, TimeDelta};

use super::{Dialect, PrintError, refuse, type_name};
use crate::types::DataType;
use crate::value::Value;

/// A name in the engine's quotes.
pub fn quote_name(name: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Spark => format!("`{}`", name.replace('`', "``")),
        Dialect::Trino | Dialect::DataFusion => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// A text constant. Spark's backslash escapes.
pub fn quote_text(text: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Spark => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        Dialect::Trino | Dialect::DataFusion => format!("'{}'", text.replace('\'', "''")),
    }
}

pub(super) fn boolean(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

pub(super) fn literal(value: &Value, ty: &DataType, dialect: Dialect) -> Result<String, PrintError> {
    Ok(match value {
        Value::Null if ty.is_open() => "NULL".to_string(),
        Value::Null => format!("cast(NULL AS {})", type_name(ty, dialect)?),
        Value::Boolean(b) => boolean(*b).to_string(),
        // The smallest number has no positive counterpart to negate.
        Value::Int(i64::MIN) => "(-9223372036854775807 - 1)".to_string(),
        Value::Int(n) if *n < 0 => format!("({n})"),
        Value::Int(n) => n.to_string(),
        Value::Decimal(n, scale) => decimal(*n, *scale, ty, dialect),
        Value::Double(d) => double(*d, dialect),
        Value::String(text) => quote_text(text, dialect),
        Value::Date(days) => format!("DATE '{}'", date_text(*days)?),
        Value::Timestamp(micros) => match dialect {
            // A constant of Spark's own TIMESTAMP syntax would depend on the session's zone.
            Dialect::Spark => format!("timestamp_micros({micros})"),
            Dialect::Trino => format!("TIMESTAMP '{}'", timestamp_text(*micros)?),
            // Its own TIMESTAMP syntax counts nanoseconds, which end in the year 2262.
            Dialect::DataFusion => format!("cast('{}' AS timestamp(6))", timestamp_text(*micros)?),
        },
        Value::Binary(bytes) => {
            let hex: String = bytes.iter().map(|b| format!("{b:02X}")).collect();
            format!("X'{hex}'")
        }
        Value::Array(_) | Value::Map(_) | Value::Struct(_) => {
            return refuse("a constant array, map or struct cannot be written alike everywhere");
        }
    })
}

/// `YYYY-MM-DD`.
pub(crate) fn date_text(days: i32) -> Result<String, PrintError> {
    let date = TimeDelta::try_days(i64::from(days)).and_then(|delta| NaiveDate::default().checked_add_signed(delta));
    match date {
        Some(date) => Ok(date.format("%Y-%m-%d").to_string()),
        None => refuse(format!("day {days} lies outside the calendar")),
    }
}

/// `YYYY-MM-DD HH:MM:SS[.ffffff]`.
pub(crate) fn timestamp_text(micros: i64) -> Result<String, PrintError> {
    match DateTime::from_timestamp_micros(micros) {
        Some(at) if micros.rem_euclid(1_000_000) == 0 => Ok(at.format("%Y-%m-%d %H:%M:%S").to_string()),
        Some(at) => Ok(at.format("%Y-%m-%d %H:%M:%S%.6f").to_string()),
        None => refuse(format!("microsecond {micros} lies outside the calendar")),
    }
}

/// A decimal's digits with its point.
pub(crate) fn decimal_text(n: i128, scale: u8) -> String {
    let sign = if n < 0 { "-" } else { "" };
    let digits = n.unsigned_abs().to_string();
    let scale = usize::from(scale);
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

fn decimal(n: i128, scale: u8, ty: &DataType, dialect: Dialect) -> String {
    let text = decimal_text(n, scale);
    match dialect {
        Dialect::Trino => format!("DECIMAL '{text}'"),
        // DataFusion reads a bare 0.1 as a double; Spark reads a bare 1 as an int.
        Dialect::Spark | Dialect::DataFusion => format!("cast('{text}' AS {ty})"),
    }
}

fn double(d: f64, dialect: Dialect) -> String {
    let special = if d.is_nan() {
        Some("NaN")
    } else if d.is_infinite() {
        Some(if d > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        None
    };
    match (special, dialect) {
        (Some("NaN"), Dialect::Trino) => "nan()".to_string(),
        (Some("Infinity"), Dialect::Trino) => "infinity()".to_string(),
        (Some(_), Dialect::Trino) => "(-infinity())".to_string(),
        (Some(name), _) => format!("cast('{name}' AS double)"),
        (None, _) if d.is_sign_negative() => format!("({d:e})"),
        (None, _) => format!("{d:e}"),
    }
}
