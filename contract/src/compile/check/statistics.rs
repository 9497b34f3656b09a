//! Rules about all rows together: counts, shares, statistics, ages, and the columns themselves.

use serde_json::Value as Json;

use super::rows::constant;
use super::{Check, Known, find, typed};
use crate::compile::bounds::Bounds;
use crate::expr::{Expr, ExprKind};
use crate::rule::{AggregateFunction, RuleKind, Verdict};
use crate::types::DataType;
use crate::value::Value;

impl Known<'_> {
    pub(super) fn statistic(&self, judged: Expr) -> Result<Check, String> {
        match &self.rule.kind {
            RuleKind::NullRatio { max } => {
                share("max", *max)?;
                Ok(Check::NullShare { column: self.column()?.0, max: *max, judged })
            }
            RuleKind::DistinctCount { min, max } => {
                ordered(min, max)?;
                Ok(Check::DistinctCount { column: self.column()?.1, bounds: Bounds::of_counts(*min, *max), judged })
            }
            RuleKind::RowCount { min, max } => {
                ordered(min, max)?;
                Ok(Check::RowCount { min: *min, max: *max, judged })
            }
            RuleKind::RowCountAnomaly { max_deviation, window_days, .. } => {
                if *max_deviation <= 0.0 || *window_days == 0 {
                    return Err("max_deviation and window_days must be larger than 0".to_owned());
                }
                if self.rule.filter.is_some() {
                    return Err("the history counts all rows: leave `where` out, or bound them by row_count".to_owned());
                }
                Ok(Check::RowCountHistory { max_deviation: *max_deviation, window_days: *window_days })
            }
            RuleKind::Freshness { column, max_age_hours, calendar } => {
                let dated = find(column, self.schema)?;
                if *max_age_hours <= 0.0 || !max_age_hours.is_finite() {
                    return Err(format!("max_age_hours must be larger than 0, found {max_age_hours}"));
                }
                if calendar.days_off.len() == 7 {
                    return Err("the calendar has no day on which data is expected".to_owned());
                }
                match dated.data_type {
                    DataType::Date | DataType::Timestamp | DataType::Unknown => Ok(Check::Age {
                        column: typed(dated),
                        max_age_hours: *max_age_hours,
                        calendar: calendar.clone(),
                        judged,
                    }),
                    _ => Err(format!("freshness needs a date or timestamp, {} is {}", dated.name, dated.data_type)),
                }
            }
            RuleKind::ColumnSet { columns, others, ordered } => {
                Ok(Check::Columns { problem: self.column_set(columns, *others, *ordered) })
            }
            RuleKind::Aggregate { function, min, max, group_by } => {
                self.aggregate(*function, (min, max), group_by, judged)
            }
            other => Err(format!("{} is no statistic", other.name())),
        }
    }

    fn aggregate(
        &self,
        function: AggregateFunction,
        (min, max): (&Option<Json>, &Option<Json>),
        group_by: &[String],
        judged: Expr,
    ) -> Result<Check, String> {
        let (name, column) = self.column()?;
        let extreme = matches!(function, AggregateFunction::Min | AggregateFunction::Max);
        let temporal = matches!(column.data_type, DataType::Date | DataType::Timestamp);
        if !(column.data_type.is_numeric() || (extreme && temporal)) {
            return Err(format!("{} is of numbers, {name} is {}", function.name(), column.data_type));
        }
        if let AggregateFunction::Quantile(at) = function {
            share("quantile", at)?;
        }
        // Means and sums are doubles; the extremes have the type of their column.
        let data_type = if extreme { column.data_type.clone() } else { DataType::Double };
        let bound = |value: &Option<Json>| match value {
            Some(value) => match constant(&name, &data_type, value)?.kind {
                ExprKind::Literal(value) => Ok(Some(value)),
                _ => Err(format!("{value} is no bound")),
            },
            None => Ok::<Option<Value>, String>(None),
        };
        Ok(Check::Aggregate {
            function,
            bounds: Bounds { min: bound(min)?, max: bound(max)? },
            column,
            group_by: self.columns(group_by)?,
            no_value: self.rule.on_null.unwrap_or(Verdict::Pass),
            judged,
        })
    }

    /// What is wrong with the table's columns. Names compare without regard to case.
    fn column_set(&self, wanted: &[String], others: bool, ordered: bool) -> Option<String> {
        let present: Vec<&str> = self.schema.columns.iter().map(|column| column.name.as_str()).collect();
        let within = |name: &str, names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let missing: Vec<&str> = wanted.iter().copied().filter(|name| !within(name, &present)).collect();
        let surplus: Vec<&str> = present.iter().copied().filter(|name| !within(name, &wanted)).collect();
        if !missing.is_empty() {
            return Some(format!("the table lacks {}", missing.join(", ")));
        }
        if !others && !surplus.is_empty() {
            return Some(format!("the table has {} as well", surplus.join(", ")));
        }
        let shared = present.iter().copied().filter(|name| within(name, &wanted));
        let in_order = shared.clone().zip(&wanted).all(|(found, wanted)| found.eq_ignore_ascii_case(wanted));
        (ordered && !in_order).then(|| format!("the order is {}", shared.collect::<Vec<_>>().join(", ")))
    }
}

fn share(key: &str, share: f64) -> Result<(), String> {
    if (0.0..=1.0).contains(&share) { Ok(()) } else { Err(format!("{key} is a share from 0 to 1, found {share}")) }
}

fn ordered(min: &Option<u64>, max: &Option<u64>) -> Result<(), String> {
    match (min, max) {
        (None, None) => Err("the rule needs `min` or `max`".to_owned()),
        (Some(min), Some(max)) if min > max => Err(format!("min {min} is larger than max {max}")),
        _ => Ok(()),
    }
}
