//! Queries that group by a key: duplicates, and distinct values where the key is one column.

use super::scan::distinct_values;
use super::{Asked, Measure, PlannedQuery, Target, bounded, column_names, conditions, print, reading, table_sql};
use crate::compile::bounds::Bounds;
use crate::compile::check::{Check, NullKeys};
use crate::expr::Expr;
use crate::expr::print::{Dialect, PrintError};
use crate::rule::{Duplicates, Verdict};
use crate::types::DataType;

/// Keys that are grouped by: those of one set of columns over the same rows share a query.
#[derive(Default)]
pub(super) struct Keys<'a> {
    groups: Vec<(Group, Vec<(Asked<'a>, &'a Check)>)>,
}

#[derive(PartialEq)]
struct Group {
    columns: Vec<Expr>,
    judged: Expr,
    restriction: Option<Expr>,
}

impl<'a> Keys<'a> {
    pub(super) fn add(&mut self, asked: Asked<'a>, check: &'a Check) {
        let Some(group) = Group::of(&asked, check) else { return };
        match self.groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, checks)) => checks.push((asked, check)),
            None => self.groups.push((group, vec![(asked, check)])),
        }
    }

    /// Takes a distinct count whose column is the key of a group over the same rows.
    pub(super) fn takes_distinct(&mut self, asked: &Asked<'a>, check: &'a Check) -> bool {
        let Check::DistinctCount { column, judged, .. } = check else { return false };
        let group =
            Group { columns: vec![column.clone()], judged: judged.clone(), restriction: asked.restriction.clone() };
        match self.groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, checks)) => {
                checks.push((asked.clone(), check));
                true
            }
            None => false,
        }
    }

    pub(super) fn finish(self, target: &Target, refused: &mut Vec<(String, String)>) -> Vec<PlannedQuery> {
        let mut queries = Vec::new();
        for (group, checks) in self.groups {
            match query(target, &group, &checks).and_then(bounded) {
                Ok(query) => queries.push(query),
                Err(error) => {
                    refused.extend(checks.iter().map(|(asked, _)| (asked.rule.id.clone(), error.to_string())));
                }
            }
        }
        queries
    }
}

impl Group {
    fn of(asked: &Asked, check: &Check) -> Option<Self> {
        let (Check::Duplicates { columns, judged, .. } | Check::DuplicateCount { columns, judged, .. }) = check else {
            return None;
        };
        let mut columns = columns.clone();
        columns.sort_by_key(|column| column_names([column]));
        Some(Group { columns, judged: judged.clone(), restriction: asked.restriction.clone() })
    }
}

fn query(target: &Target, group: &Group, checks: &[(Asked, &Check)]) -> Result<PlannedQuery, PrintError> {
    let keys = group.columns.iter().map(|column| key(target, column)).collect::<Result<Vec<_>, _>>()?;
    // Where no check looks at keys with a NULL, they need not be grouped.
    let complete = checks.iter().all(|(_, check)| nulls(check) == NullKeys::Ignore);
    let present: Vec<Expr> = group.columns.iter().map(|column| Expr::is_not_null(column.clone())).collect();
    let filter = group.restriction.iter().chain([&group.judged]).chain(present.iter().filter(|_| complete));
    let filter = conditions(target, filter)?;
    let missing = match complete {
        true => None,
        false => {
            let nulls: Vec<String> = (0..keys.len()).map(|index| format!("k{index} IS NULL")).collect();
            Some(nulls.join(" OR "))
        }
    };
    let mut items: Vec<String> = Vec::new();
    let mut item = |sql: String| {
        items.iter().position(|known| *known == sql).unwrap_or_else(|| {
            items.push(sql);
            items.len() - 1
        })
    };
    let mut readings = Vec::new();
    for (asked, check) in checks {
        let measure = match check {
            Check::Duplicates { nulls, .. } => Measure::Violations {
                violations: item(format!("sum({})", surplus(*nulls, missing.as_deref()))),
                judged: item(match (nulls, &missing) {
                    (NullKeys::Ignore, Some(missing)) => format!("sum(CASE WHEN {missing} THEN 0 ELSE n END)"),
                    _ => "sum(n)".to_owned(),
                }),
                errors: None,
            },
            Check::DuplicateCount { of, max, columns, .. } => {
                let (what, counted) = match of {
                    Duplicates::Rows => ("duplicate rows", surplus(NullKeys::Ignore, missing.as_deref())),
                    Duplicates::Values => {
                        let twice = match &missing {
                            Some(missing) => format!("n > 1 AND NOT ({missing})"),
                            None => "n > 1".to_owned(),
                        };
                        ("values that occur more than once", format!("CASE WHEN {twice} THEN 1 ELSE 0 END"))
                    }
                };
                Measure::Value {
                    value: item(format!("coalesce(sum({counted}), 0)")),
                    bounds: Bounds::of_counts(None, Some(*max)),
                    what: format!("number of {what} of {}", column_names(columns).join(", ")),
                    no_value: Verdict::Pass,
                    approximate: false,
                }
            }
            Check::DistinctCount { column, bounds, .. } => Measure::Value {
                value: item(match &missing {
                    Some(missing) => format!("coalesce(sum(CASE WHEN {missing} THEN 0 ELSE 1 END), 0)"),
                    None => "count(*)".to_owned(),
                }),
                bounds: bounds.clone(),
                what: distinct_values(column),
                no_value: Verdict::Pass,
                approximate: false,
            },
            other => return Err(PrintError(format!("{other:?} is no key"))),
        };
        readings.push(reading(asked.rule, measure));
    }
    let named: Vec<String> = keys.iter().enumerate().map(|(index, key)| format!("{key} AS k{index}")).collect();
    let answers: Vec<String> = items.iter().enumerate().map(|(index, item)| format!("{item} AS c{index}")).collect();
    let sql = format!(
        "SELECT {} FROM (SELECT {}, count(*) AS n FROM {}{filter} GROUP BY {}) AS g",
        answers.join(", "),
        named.join(", "),
        table_sql(target.table, target.dialect),
        keys.join(", "),
    );
    let read = group.columns.iter().chain(&group.restriction).chain([&group.judged]);
    let columns = column_names(read);
    Ok(PlannedQuery { sql, columns, restriction: group.restriction.clone(), readings, ..PlannedQuery::default() })
}

fn nulls(check: &Check) -> NullKeys {
    match check {
        Check::Duplicates { nulls, .. } => *nulls,
        _ => NullKeys::Ignore,
    }
}

/// The rows of a group that violate a key.
fn surplus(nulls: NullKeys, missing: Option<&str>) -> String {
    match (nulls, missing) {
        (NullKeys::Violate, Some(missing)) => format!("CASE WHEN {missing} THEN n ELSE n - 1 END"),
        (NullKeys::Ignore, Some(missing)) => format!("CASE WHEN {missing} THEN 0 ELSE n - 1 END"),
        _ => "n - 1".to_owned(),
    }
}

/// A column as it is grouped by: zero and negative zero are one value.
pub(super) fn key(target: &Target, column: &Expr) -> Result<String, PrintError> {
    let sql = print(target, column)?;
    let signed_zero = matches!(column.data_type, DataType::Float | DataType::Double);
    Ok(if signed_zero && target.dialect == Dialect::DataFusion { format!("({sql} + 0e0)") } else { sql })
}

/// The keys that violate, each with how many rows it has, most first.
pub(super) fn failing(
    target: &Target,
    columns: &[Expr],
    nulls: NullKeys,
    filters: &[&Expr],
    limit: u32,
) -> Result<String, PrintError> {
    let keys = columns.iter().map(|column| key(target, column)).collect::<Result<Vec<_>, _>>()?;
    let present: Vec<Expr> = columns.iter().map(|column| Expr::is_not_null(column.clone())).collect();
    let complete = nulls == NullKeys::Ignore;
    let filter = conditions(target, filters.iter().copied().chain(present.iter().filter(|_| complete)))?;
    let names: Vec<String> = (0..keys.len()).map(|index| format!("k{index}")).collect();
    let named: Vec<String> = keys.iter().zip(&names).map(|(key, name)| format!("{key} AS {name}")).collect();
    let missing: String = match nulls {
        NullKeys::Violate => names.iter().map(|name| format!(" OR {name} IS NULL")).collect(),
        NullKeys::Ignore | NullKeys::Compare => String::new(),
    };
    Ok(format!(
        "SELECT {}, n FROM (SELECT {}, count(*) AS n FROM {}{filter} GROUP BY {}) AS g WHERE n > 1{missing} ORDER BY n DESC LIMIT {limit}",
        names.join(", "),
        named.join(", "),
        table_sql(target.table, target.dialect),
        keys.join(", "),
    ))
}
