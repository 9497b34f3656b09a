//! The functions of the table, on one row's arguments.

use chrono::{Datelike, Months, NaiveDate};
use md5::Md5;
use sha2::{Digest, Sha256};

use super::cast::{DAY, day, widen};
use super::number::{as_double, exact, negate, rescale, whole};
use super::{EvalError, compare, portable};
use crate::expr::dates;
use crate::expr::functions::{self, Nulls};
use crate::types::DataType;
use crate::value::Value;

const SECOND: i64 = 1_000_000;

/// The value of a function, of the given type.
pub(super) fn call(name: &str, args: Vec<Value>, data_type: &DataType) -> Result<Value, EvalError> {
    let function = functions::find(name).ok_or_else(|| EvalError::NotARow(format!("`{name}`")))?;
    if function.nulls == Nulls::Propagate && args.contains(&Value::Null) {
        return Ok(Value::Null);
    }
    let result = match name {
        "coalesce" => args.into_iter().find(|arg| *arg != Value::Null),
        "nullif" => match args.as_slice() {
            [left, right] if compare(left, right).is_none_or(|order| order.is_ne()) => Some(left.clone()),
            _ => None,
        },
        "greatest" => args.into_iter().filter(|arg| *arg != Value::Null).reduce(|a, b| larger(a, b, true)),
        "least" => args.into_iter().filter(|arg| *arg != Value::Null).reduce(|a, b| larger(a, b, false)),
        "regexp_replace" | "regexp_extract" => matched(name, &args)?,
        "array_contains" => contains(&args),
        "element_at" | "map_get" | "field" => part(&args),
        _ => text_function(name, &args)
            .or_else(|| number_function(name, &args, data_type))
            .or_else(|| time_function(name, &args))
            .or_else(|| collection_function(name, &args))
            .ok_or_else(|| EvalError::NotARow(format!("`{name}`")))?,
    };
    Ok(result.map_or(Value::Null, |value| widen(value, data_type)))
}

/// The larger of two values, or the smaller one.
fn larger(left: Value, right: Value, largest: bool) -> Value {
    let order = compare(&left, &right);
    if order.is_some_and(|order| if largest { order.is_lt() } else { order.is_gt() }) { right } else { left }
}

/// Functions of text; the outer `None` where there is no such function.
fn text_function(name: &str, args: &[Value]) -> Option<Option<Value>> {
    let string = |text: String| Some(Value::String(text));
    let int = |n: usize| i64::try_from(n).ok().map(Value::Int);
    Some(match (name, args) {
        ("lower", [Value::String(s)]) => string(s.to_lowercase()),
        ("upper", [Value::String(s)]) => string(s.to_uppercase()),
        ("length", [Value::String(s)]) => int(s.chars().count()),
        ("trim", [Value::String(s)]) => string(s.trim_matches(' ').to_owned()),
        ("ltrim", [Value::String(s)]) => string(s.trim_start_matches(' ').to_owned()),
        ("rtrim", [Value::String(s)]) => string(s.trim_end_matches(' ').to_owned()),
        ("trim_characters", [Value::String(s), Value::String(set)]) => {
            string(s.trim_matches(|c| set.contains(c)).to_owned())
        }
        ("ltrim_characters", [Value::String(s), Value::String(set)]) => {
            string(s.trim_start_matches(|c| set.contains(c)).to_owned())
        }
        ("rtrim_characters", [Value::String(s), Value::String(set)]) => {
            string(s.trim_end_matches(|c| set.contains(c)).to_owned())
        }
        ("reverse", [Value::String(s)]) => string(s.chars().rev().collect()),
        ("substring", [Value::String(s), Value::Int(start), rest @ ..]) => {
            let length = match rest {
                [Value::Int(length)] => usize::try_from(*length).unwrap_or(0),
                _ => usize::MAX,
            };
            let skipped = usize::try_from(start.saturating_sub(1)).unwrap_or(0);
            string(s.chars().skip(skipped).take(length).collect())
        }
        ("replace", [Value::String(s), Value::String(from), Value::String(to)]) => {
            string(if from.is_empty() { s.clone() } else { s.replace(from.as_str(), to) })
        }
        ("concat", parts) => {
            let parts = parts.iter().map(super::cast::text).collect::<Result<Vec<_>, _>>().ok()?;
            string(
                parts
                    .iter()
                    .filter_map(|part| if let Value::String(s) = part { Some(s.as_str()) } else { None })
                    .collect(),
            )
        }
        ("instr", [Value::String(s), Value::String(part)]) => {
            int(s.find(part.as_str()).map_or(0, |at| s[..at].chars().count() + 1))
        }
        ("starts_with", [Value::String(s), Value::String(part)]) => Some(Value::Boolean(s.starts_with(part.as_str()))),
        ("ends_with", [Value::String(s), Value::String(part)]) => Some(Value::Boolean(s.ends_with(part.as_str()))),
        ("contains_text", [Value::String(s), Value::String(part)]) => Some(Value::Boolean(s.contains(part.as_str()))),
        ("lpad" | "rpad", [Value::String(s), Value::Int(length), Value::String(pad)]) => {
            let length = usize::try_from(*length).unwrap_or(0);
            let missing = length.saturating_sub(s.chars().count());
            let padding: String = pad.chars().cycle().take(if pad.is_empty() { 0 } else { missing }).collect();
            let whole = if name == "lpad" { padding + s } else { s.clone() + &padding };
            string(whole.chars().take(length).collect())
        }
        ("split_part", [Value::String(s), Value::String(separator), Value::Int(place)]) => {
            let place = usize::try_from(*place).ok().and_then(|place| place.checked_sub(1));
            place.and_then(|place| s.split(separator.as_str()).nth(place)).and_then(|part| string(part.to_owned()))
        }
        ("translate", [Value::String(s), Value::String(from), Value::String(to)]) => {
            let to: Vec<char> = to.chars().collect();
            let moved = |c: char| match from.chars().position(|known| known == c) {
                Some(place) => to.get(place).copied(),
                None => Some(c),
            };
            string(s.chars().filter_map(moved).collect())
        }
        ("concat_ws", [Value::String(separator), parts @ ..]) => {
            let parts =
                parts.iter().filter_map(|part| if let Value::String(s) = part { Some(s.as_str()) } else { None });
            string(parts.collect::<Vec<_>>().join(separator))
        }
        ("concat_ws", [..]) => None,
        ("levenshtein", [Value::String(s), Value::String(other)]) => int(strsim::levenshtein(s, other)),
        ("octet_length", [Value::String(s)]) => int(s.len()),
        ("md5", [Value::String(s)]) => {
            string(Md5::digest(s.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect())
        }
        ("sha256", [Value::String(s)]) => {
            string(Sha256::digest(s.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect())
        }
        ("format_date", [Value::Date(days), Value::String(format)]) => {
            day(*days).and_then(|day| string(day.format(&dates::to_strftime(format)).to_string()))
        }
        ("parse_date", [Value::String(s), Value::String(format)]) => parse_date(s, format),
        ("format_date" | "parse_date", [..]) => None,
        _ => return None,
    })
}

fn number_function(name: &str, args: &[Value], data_type: &DataType) -> Option<Option<Value>> {
    let double = |n: f64| Some(Value::Double(n));
    let first = args.first()?;
    Some(match name {
        "abs" => match first {
            Value::Int(n) if *n < 0 => Some(negate(first.clone(), data_type)),
            Value::Decimal(n, scale) => Some(Value::Decimal(n.checked_abs()?, *scale)),
            Value::Double(n) => double(n.abs()),
            other => Some(other.clone()),
        },
        "ceil" | "floor" => match first {
            Value::Double(n) => {
                let n = if name == "ceil" { n.ceil() } else { n.floor() };
                if n.abs() < 9.2e18 { whole(n as i128, &DataType::BigInt) } else { None }
            }
            other => exact(other).and_then(|(n, scale)| {
                let unit = 10i128.checked_pow(scale.into())?;
                let floor = n.div_euclid(unit);
                let n = if name == "ceil" && n.rem_euclid(unit) != 0 { floor + 1 } else { floor };
                if scale == 0 { Some(other.clone()) } else { Some(Value::Decimal(n, 0)) }
            }),
        },
        "round" => {
            let digits = if let Some(Value::Int(digits)) = args.get(1) { u8::try_from(*digits).ok()? } else { 0 };
            match first {
                Value::Decimal(n, scale) if *scale > digits => {
                    rescale(*n, *scale, digits).map(|n| Value::Decimal(n, digits))
                }
                Value::Double(n) => double(round(*n, digits)),
                other => Some(other.clone()),
            }
        }
        "sqrt" => as_double(first).filter(|n| *n >= 0.0 || n.is_nan()).and_then(|n| double(n.sqrt())),
        "power" => {
            as_double(first).zip(args.get(1).and_then(as_double)).and_then(|(n, exponent)| double(n.powf(exponent)))
        }
        "exp" => as_double(first).and_then(|n| double(n.exp())),
        "ln" => as_double(first).filter(|n| *n > 0.0 || n.is_nan()).and_then(|n| double(n.ln())),
        "sign" => match first {
            Value::Int(n) => Some(Value::Int(n.signum())),
            Value::Decimal(n, scale) => rescale(n.signum(), 0, *scale).map(|n| Value::Decimal(n, *scale)),
            Value::Double(n) if n.is_nan() || *n == 0.0 => double(*n),
            Value::Double(n) => double(n.signum()),
            _ => None,
        },
        "bitwise_and" => match args {
            [Value::Int(left), Value::Int(right)] => Some(Value::Int(left & right)),
            _ => None,
        },
        "is_finite" => as_double(first).map(|n| Value::Boolean(n.is_finite())),
        _ => return None,
    })
}

/// Half away from zero, on the number's shortest decimal text.
fn round(n: f64, digits: u8) -> f64 {
    let text = format!("{n}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let unscaled = u8::try_from(fraction.len()).ok().zip(format!("{whole}{fraction}").parse::<i128>().ok());
    match unscaled.and_then(|(scale, unscaled)| if scale > digits { rescale(unscaled, scale, digits) } else { None }) {
        Some(rounded) => format!("{rounded}e-{digits}").parse().unwrap_or(n),
        None => n,
    }
}

fn time_function(name: &str, args: &[Value]) -> Option<Option<Value>> {
    let int = |n: i64| Some(Value::Int(n));
    Some(match (name, args) {
        ("hour", [Value::Timestamp(at)]) => int(at.rem_euclid(DAY) / (3600 * SECOND)),
        ("minute", [Value::Timestamp(at)]) => int(at.rem_euclid(3600 * SECOND) / (60 * SECOND)),
        ("second", [Value::Timestamp(at)]) => int(at.rem_euclid(60 * SECOND) / SECOND),
        ("trunc_hour", [Value::Timestamp(at)]) => Some(Value::Timestamp(at - at.rem_euclid(3600 * SECOND))),
        ("trunc_minute", [Value::Timestamp(at)]) => Some(Value::Timestamp(at - at.rem_euclid(60 * SECOND))),
        ("add_seconds", [Value::Timestamp(at), Value::Int(seconds)]) => {
            seconds.checked_mul(SECOND).and_then(|micros| at.checked_add(micros)).map(Value::Timestamp)
        }
        ("from_seconds", [Value::Int(seconds)]) => (-62_135_596_800..=253_402_300_799)
            .contains(seconds)
            .then_some(Value::Timestamp(seconds.saturating_mul(SECOND))),
        ("seconds_between", [Value::Timestamp(end), Value::Timestamp(start)]) => int((end - start) / SECOND),
        ("add_days", [Value::Date(days), Value::Int(more)]) => {
            i32::try_from(i64::from(*days) + more).ok().map(Value::Date)
        }
        ("days_between", [Value::Date(end), Value::Date(start)]) => int(i64::from(*end) - i64::from(*start)),
        ("add_months", [Value::Date(days), Value::Int(months)]) => day(*days).and_then(|day| {
            let distance = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
            since_epoch(if *months < 0 { day.checked_sub_months(distance)? } else { day.checked_add_months(distance)? })
        }),
        (_, [Value::Date(days)]) => {
            let Some(day) = day(*days) else { return Some(None) };
            let weekday = i64::from(day.weekday().number_from_monday());
            let first_of = |month| NaiveDate::from_ymd_opt(day.year(), month, 1).and_then(since_epoch);
            match name {
                "year" => int(day.year().into()),
                "quarter" => int(day.quarter().into()),
                "month" => int(day.month().into()),
                "day" => int(day.day().into()),
                "day_of_week" => int(weekday),
                "day_of_year" => int(day.ordinal().into()),
                "week_of_year" => int(day.iso_week().week().into()),
                "trunc_year" => first_of(1),
                "trunc_quarter" => first_of(day.quarter() * 3 - 2),
                "trunc_month" => first_of(day.month()),
                "trunc_week" => i32::try_from(i64::from(*days) - (weekday - 1)).ok().map(Value::Date),
                "last_day" => day.with_day(1)?.checked_add_months(Months::new(1))?.pred_opt().and_then(since_epoch),
                _ => return None,
            }
        }
        _ => return None,
    })
}

fn since_epoch(day: NaiveDate) -> Option<Value> {
    i32::try_from(day.signed_duration_since(NaiveDate::default()).num_days()).ok().map(Value::Date)
}

/// A text of a fixed format, which [`dates::shape`] describes.
fn parse_date(text: &str, format: &str) -> Option<Value> {
    if !portable(&dates::shape(format)).ok()?.is_match(text) {
        return None;
    }
    let part = |name: &str| -> Option<u32> {
        let digits: String = text.chars().skip(dates::place(format, name)?).take(name.len()).collect();
        digits.parse().ok()
    };
    let year = i32::try_from(part("yyyy")?).ok().filter(|year| *year > 0)?;
    NaiveDate::from_ymd_opt(year, part("MM")?, part("dd")?).and_then(since_epoch)
}

fn matched(name: &str, args: &[Value]) -> Result<Option<Value>, EvalError> {
    let string = |text: &str| Some(Value::String(text.to_owned()));
    Ok(match (name, args) {
        ("regexp_replace", [Value::String(text), Value::String(pattern), Value::String(to)]) => {
            string(&portable(pattern)?.replace_all(text, regex::NoExpand(to)))
        }
        ("regexp_extract", [Value::String(text), Value::String(pattern), Value::Int(group)]) => {
            let found = portable(pattern)?.captures(text);
            let group = usize::try_from(*group).unwrap_or(usize::MAX);
            found.and_then(|found| found.get(group).and_then(|group| string(group.as_str())))
        }
        _ => None,
    })
}

fn contains(args: &[Value]) -> Option<Value> {
    let [Value::Array(items), wanted] = args else { return None };
    if items.iter().any(|item| compare(item, wanted).is_some_and(|order| order.is_eq())) {
        return Some(Value::Boolean(true));
    }
    (!items.contains(&Value::Null)).then_some(Value::Boolean(false))
}

fn part(args: &[Value]) -> Option<Value> {
    match args {
        [Value::Array(items), Value::Int(place)] => items.get(usize::try_from(*place).ok()?.checked_sub(1)?).cloned(),
        [Value::Map(entries), key] => entries.iter().find(|(k, _)| k == key).map(|(_, value)| value.clone()),
        [Value::Struct(fields), Value::String(name)] => {
            fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
        }
        _ => None,
    }
}

fn collection_function(name: &str, args: &[Value]) -> Option<Option<Value>> {
    let int = |n: usize| i64::try_from(n).ok().map(Value::Int);
    Some(match (name, args) {
        ("array_has_null", [Value::Array(items)]) => Some(Value::Boolean(items.contains(&Value::Null))),
        ("array_distinct", [Value::Array(items)]) => {
            let mut distinct: Vec<Value> = Vec::new();
            for item in items {
                let same = |known: &Value| known == item || compare(known, item).is_some_and(|order| order.is_eq());
                if !distinct.iter().any(same) {
                    distinct.push(item.clone());
                }
            }
            Some(Value::Array(distinct))
        }
        ("size", [Value::Array(items)]) => int(items.len()),
        ("size", [Value::Map(entries)]) => int(entries.len()),
        ("map_keys", [Value::Map(entries)]) => Some(Value::Array(entries.iter().map(|(key, _)| key.clone()).collect())),
        ("map_values", [Value::Map(entries)]) => {
            Some(Value::Array(entries.iter().map(|(_, value)| value.clone()).collect()))
        }
        _ => return None,
    })
}
