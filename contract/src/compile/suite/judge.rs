//! Outcomes out of answers.

use super::{Known, Measure, Outcome, Reading};
use crate::compile::bounds::{Bounds, shown};
use crate::rule::{Calendar, Threshold, Verdict};
use crate::value::Value;

/// The outcome of a rule, given the rows that its query returned.
pub fn judge(reading: &Reading, rows: &[Vec<Value>], known: &Known) -> Outcome {
    let value = |position: usize| rows.first().and_then(|row| row.get(position));
    let count = |position: usize| value(position).and_then(as_count);
    let unreadable = || Outcome::Errored { message: "the query returned no count".to_owned() };
    match &reading.measure {
        Measure::Violations { violations, judged, errors } => {
            match (count(*violations), count(*judged), errors.map_or(Some(0), count)) {
                (Some(violations), Some(judged), Some(0)) => tolerate(violations, judged, reading.threshold),
                (Some(_), Some(judged), Some(errors)) => Outcome::Errored {
                    message: format!(
                        "{errors} of {judged} rows could not be judged: the rule's expression fails on them"
                    ),
                },
                _ => unreadable(),
            }
        }
        Measure::NullShare { nulls, judged, max } => match (count(*nulls), count(*judged)) {
            (Some(_), Some(0)) => Outcome::Skipped { message: "no rows to judge".to_owned() },
            (Some(nulls), Some(judged)) => {
                let share = nulls as f64 / judged as f64;
                let message = format!("{:.2} % NULL, at most {:.2} %", share * 100.0, max * 100.0);
                passed_if(share <= *max, Some(nulls), message)
            }
            _ => unreadable(),
        },
        Measure::RowCount { rows, min, max } => match count(*rows) {
            Some(rows) => {
                let fits = min.is_none_or(|min| rows >= min) && max.is_none_or(|max| rows <= max);
                passed_if(fits, None, format!("{rows} rows, expected {}", Bounds::of_counts(*min, *max)))
            }
            None => unreadable(),
        },
        Measure::RowCountHistory { rows, max_deviation, window_days } => match count(*rows) {
            Some(rows) => row_count_deviation(rows, &known.history, *max_deviation, *window_days),
            None => unreadable(),
        },
        Measure::Age { newest, max_age_hours, calendar } => {
            age(value(*newest), *max_age_hours, calendar, known.now_micros)
        }
        Measure::Value { value: position, bounds, what, no_value, approximate } => {
            bounded(value(*position).unwrap_or(&Value::Null), bounds, what, *no_value, *approximate)
        }
        Measure::Rows => tolerate(rows.len() as u64, rows.len() as u64, reading.threshold),
    }
}

/// Holds a row count against the average of the newest `window_days` counts before it.
pub fn row_count_deviation(rows: u64, history: &[u64], max_deviation: f64, window_days: u32) -> Outcome {
    let window: Vec<f64> = history.iter().take(window_days as usize).map(|&count| count as f64).collect();
    if window.is_empty() {
        return Outcome::Skipped { message: "no earlier row counts to compare with".to_owned() };
    }
    let average = window.iter().sum::<f64>() / window.len() as f64;
    let deviation = if average == 0.0 {
        if rows == 0 { 0.0 } else { f64::INFINITY }
    } else {
        (rows as f64 - average).abs() / average
    };
    let message = format!(
        "{rows} rows, {:.0} % off the average {average:.0} of {} earlier days; at most {:.0} %",
        deviation * 100.0,
        window.len(),
        max_deviation * 100.0
    );
    passed_if(deviation <= max_deviation, None, message)
}

/// A count; NULL is the sum over no rows, and some engines sum whole numbers to decimals.
fn as_count(value: &Value) -> Option<u64> {
    match value {
        Value::Int(count) => u64::try_from(*count).ok(),
        Value::Decimal(count, 0) => u64::try_from(*count).ok(),
        Value::Double(count) if *count >= 0.0 && count.fract() == 0.0 && *count < 1e15 => Some(*count as u64),
        Value::Null => Some(0),
        _ => None,
    }
}

fn bounded(value: &Value, bounds: &Bounds, what: &str, no_value: Verdict, approximate: bool) -> Outcome {
    if *value == Value::Null {
        return match no_value {
            Verdict::Pass => Outcome::Skipped { message: format!("there is no {what}: no value was judged") },
            Verdict::Violate => Outcome::Failed { violations: None, message: format!("there is no {what}") },
        };
    }
    let held = if approximate { bounds.of_twelve_digits().hold(value) } else { bounds.hold(value) };
    match held {
        Some(holds) => passed_if(holds, None, format!("the {what} is {}, expected {bounds}", shown(value))),
        None => Outcome::Errored { message: format!("the {what} is {}, which is no {bounds}", shown(value)) },
    }
}

fn tolerate(violations: u64, judged: u64, threshold: Option<Threshold>) -> Outcome {
    let tolerated = match threshold {
        None => violations == 0,
        Some(Threshold::Count(count)) => violations <= count,
        Some(Threshold::Share(share)) => violations as f64 <= share * judged as f64,
    };
    let allowed = match threshold {
        None => String::new(),
        Some(Threshold::Count(count)) => format!(", at most {count}"),
        Some(Threshold::Share(share)) => format!(", at most {:.2} %", share * 100.0),
    };
    passed_if(tolerated, Some(violations), format!("{violations} of {judged} rows violate it{allowed}"))
}

fn passed_if(passed: bool, violations: Option<u64>, message: String) -> Outcome {
    if passed { Outcome::Passed { message } } else { Outcome::Failed { violations, message } }
}

fn age(newest: Option<&Value>, max_age_hours: f64, calendar: &Calendar, now_micros: i64) -> Outcome {
    let micros = match newest {
        // A day is over, and its data complete, when the next one begins.
        Some(Value::Date(days)) => (i64::from(*days) + 1) * 86_400_000_000,
        Some(Value::Timestamp(micros)) => *micros,
        Some(Value::Null) | None => return Outcome::Skipped { message: "no rows to date".to_owned() },
        Some(_) => return Outcome::Errored { message: "the column holds no date or timestamp".to_owned() },
    };
    let hours = calendar.hours_between(micros, now_micros);
    let counted = if *calendar == Calendar::default() { "hours" } else { "hours of the calendar" };
    let message = format!("the newest row is {hours:.1} {counted} old, at most {max_age_hours:.1}");
    passed_if(hours <= max_age_hours, None, message)
}
