//! Learning on some days and trying on the days after: what tells a rule from a coincidence.

use contract::document::{ColumnProfile, Context};
use contract::expr::Expr;
use contract::expr::parse::{self, Syntax};
use contract::expr::print::{quote_name, to_text};
use contract::rule::{Rule, RuleKind};
use contract::schema::{TableName, TableSchema};
use contract::types::DataType;
use contract::value::Value;
use serde_json::Value as Json;

use super::profile::DateRange;
use crate::Result;
use crate::generator::bounds;
use crate::generator::dating::dating_column;
use crate::lake::{Cost, Lake};

/// Fewest days to learn on, and fewest to try on.
const MIN_LEARNED_DAYS: usize = 5;
const MIN_TRIED_DAYS: usize = 3;
/// Fewest rows to try on: where none of 300 rows violates a rule, fewer than 1 % do, with 95 % confidence (3/n).
const MIN_TRIED_ROWS: u64 = 300;

/// The days of a table, cut into those to learn on and those to try on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Split {
    /// The rows of the earlier days.
    pub(super) earlier: DateRange,
    /// True for the rows of the later days.
    pub(super) later: Expr,
    /// The first and the last of the earlier days, and how many they are.
    pub(super) learned: (String, String, usize),
    /// The first and the last of the later days, and how many they are.
    pub(super) tried: (String, String, usize),
    /// Rows of the later days.
    pub(super) rows: u64,
}

impl Split {
    /// Whether days and rows are enough for a rule that held to be put into force.
    pub(super) fn bears_out(&self) -> bool {
        self.rows >= MIN_TRIED_ROWS
    }

    /// The days to learn on, for people.
    pub(super) fn learned_days(&self) -> String {
        let (first, last, days) = &self.learned;
        format!("{days} days from {first} to {last}")
    }

    /// The days to try on, for people.
    pub(super) fn tried_days(&self) -> String {
        let (first, last, days) = &self.tried;
        format!("{days} days from {first} to {last} ({} rows)", self.rows)
    }
}

/// Cuts a table's days: three fifths to learn on, the rest to try on. `None` where no column dates the rows or the days
/// are too few.
pub(super) async fn split(
    lake: &dyn Lake,
    context: &Context,
    schema: &TableSchema,
    cost: &mut Cost,
) -> Result<Option<Split>> {
    let Some(dating) = dating_column(context).and_then(|column| schema.column(&column.name)) else { return Ok(None) };
    let dialect = lake.engine().dialect();
    let (database, table) = (quote_name(&context.database, dialect), quote_name(&context.table_name, dialect));
    let column = quote_name(&dating.name, dialect);
    let instant = dating.data_type == DataType::Timestamp;
    let day = if instant { format!("CAST({column} AS DATE)") } else { column.clone() };
    let sql = format!(
        "SELECT CAST({day} AS VARCHAR) AS day, count(*) AS n FROM {database}.{table} \
         WHERE {column} IS NOT NULL GROUP BY CAST({day} AS VARCHAR) ORDER BY day"
    );
    let answer = lake.engine().query(&sql).await?;
    cost.seconds += answer.cost.seconds;
    cost.bytes_scanned += answer.cost.bytes_scanned;
    let days: Vec<(String, u64)> = answer
        .rows
        .into_iter()
        .filter_map(|row| match row.as_slice() {
            [Value::String(day), Value::Int(rows)] => Some((day.clone(), u64::try_from(*rows).ok()?)),
            _ => None,
        })
        .collect();
    let later_days = (days.len() * 2 / 5).max(MIN_TRIED_DAYS);
    let Some(learned_days) = days.len().checked_sub(later_days).filter(|days| *days >= MIN_LEARNED_DAYS) else {
        return Ok(None);
    };
    let (learned, tried) = days.split_at(learned_days);
    let ends = |days: &[(String, u64)]| Some((days.first()?.0.clone(), days.last()?.0.clone(), days.len()));
    let (Some(learned), Some(tried_ends)) = (ends(learned), ends(tried)) else { return Ok(None) };
    let name = to_text(&Expr::column(&dating.name, dating.data_type.clone()));
    let start = match instant {
        true => format!("{} 00:00:00", tried_ends.0),
        false => tried_ends.0.clone(),
    };
    let Ok(later) = parse::parse(&format!("{name} >= '{}'", start.replace('\'', "''")), Syntax::Rule, schema) else {
        return Ok(None);
    };
    let until = if instant { format!("{} 23:59:59.999999", learned.1) } else { learned.1.clone() };
    Ok(Some(Split {
        earlier: DateRange { column: dating.name.clone(), from: None, to: Some(until) },
        later,
        learned,
        rows: tried.iter().map(|(_, rows)| rows).sum(),
        tried: tried_ends,
    }))
}

/// The rule as it would have been learned on the earlier days: a bound or a list that the whole table shows becomes the
/// one that the earlier days show. A bound that is no extreme of the data is a claim and stays as it is.
pub(super) fn relearned(rule: &Rule, whole: Option<&ColumnProfile>, earlier: Option<&ColumnProfile>) -> Rule {
    let (Some(whole), Some(earlier)) = (whole, earlier) else { return rule.clone() };
    let extreme = |bound: &Json, whole: &Option<Json>, earlier: &Option<Json>, rounded: fn(&Json) -> Json| {
        let seen = whole.as_ref().is_some_and(|whole| same(bound, whole) || same(bound, &rounded(whole)));
        earlier.as_ref().filter(|_| seen).map_or_else(|| bound.clone(), rounded)
    };
    let low = |bound: &Json| extreme(bound, &whole.min, &earlier.min, bounds::low);
    let high = |bound: &Json| extreme(bound, &whole.max, &earlier.max, bounds::high);
    let kind = match &rule.kind {
        RuleKind::Min { value } => RuleKind::Min { value: low(value) },
        RuleKind::Max { value } => RuleKind::Max { value: high(value) },
        RuleKind::Range { min, max } => RuleKind::Range { min: min.as_ref().map(low), max: max.as_ref().map(high) },
        RuleKind::RangeSoft { min, max } => {
            RuleKind::RangeSoft { min: min.as_ref().map(low), max: max.as_ref().map(high) }
        }
        RuleKind::Length { min, max } => {
            let seen = whole.length.zip(earlier.length);
            let shortest = seen.filter(|(whole, _)| *min == Some(whole.0)).map(|(_, earlier)| earlier.0);
            let longest = seen.filter(|(whole, _)| *max == Some(whole.1)).map(|(_, earlier)| earlier.1);
            RuleKind::Length { min: shortest.or(*min), max: longest.or(*max) }
        }
        RuleKind::AllowedValues { values } => {
            let complete = |stats: &ColumnProfile| stats.distinct_count == Some(stats.top_values.len() as u64);
            let seen = |stats: &ColumnProfile, value: &Json| stats.top_values.iter().any(|top| same(&top.value, value));
            let observed = complete(whole) && values.iter().all(|value| seen(whole, value));
            match observed && complete(earlier) && !earlier.top_values.is_empty() {
                true => RuleKind::AllowedValues {
                    values: values.iter().filter(|value| seen(earlier, value)).cloned().collect(),
                },
                false => rule.kind.clone(),
            }
        }
        other => other.clone(),
    };
    Rule { kind, ..rule.clone() }
}

/// The table of a context.
pub(super) fn table_of(context: &Context) -> TableName {
    TableName::new(&context.database, &context.table_name)
}

fn same(left: &Json, right: &Json) -> bool {
    left == right || left.as_f64().zip(right.as_f64()).is_some_and(|(left, right)| left == right)
}
