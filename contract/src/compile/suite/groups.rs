//! Statistics by group: those of equal groups over the same rows share a query.

use super::statistic::{approximate, statistic};
use super::{Asked, Measure, PlannedQuery, Target, bounded, column_names, conditions, print, reading, table_sql};
use crate::compile::check::Check;
use crate::expr::print::PrintError;
use crate::expr::{BinaryOp, Expr};
use crate::rule::{AggregateFunction, Verdict};
use crate::types::DataType;

/// Statistics that wait for their queries.
#[derive(Default)]
pub(super) struct Groups<'a> {
    groups: Vec<Vec<(Asked<'a>, &'a Check)>>,
}

impl<'a> Groups<'a> {
    pub(super) fn add(&mut self, asked: Asked<'a>, check: &'a Check) {
        let equal = |group: &&mut Vec<(Asked, &Check)>| {
            group
                .first()
                .is_some_and(|(first, known)| first.restriction == asked.restriction && rows(known) == rows(check))
        };
        match self.groups.iter_mut().find(equal) {
            Some(group) => group.push((asked, check)),
            None => self.groups.push(vec![(asked, check)]),
        }
    }

    pub(super) fn finish(self, target: &Target, refused: &mut Vec<(String, String)>) -> Vec<PlannedQuery> {
        let mut queries = Vec::new();
        for checks in self.groups {
            match query(target, &checks).and_then(bounded) {
                Ok(query) => queries.push(query),
                Err(error) => {
                    refused.extend(checks.iter().map(|(asked, _)| (asked.rule.id.clone(), error.to_string())));
                }
            }
        }
        queries
    }
}

/// Groups and judged rows of a check.
fn rows(check: &Check) -> Option<(&[Expr], &Expr)> {
    match check {
        Check::Aggregate { group_by, judged, .. } => Some((group_by, judged)),
        _ => None,
    }
}

fn query(target: &Target, checks: &[(Asked, &Check)]) -> Result<PlannedQuery, PrintError> {
    let (mut inner, mut outer, mut readings) = (Vec::new(), Vec::new(), Vec::new());
    let mut read: Vec<Expr> = Vec::new();
    let mut frame = None;
    for (index, (asked, check)) in checks.iter().enumerate() {
        let Check::Aggregate { function, column, group_by, judged, .. } = check else { continue };
        inner.push(format!("{} AS a{index}", statistic(target, *function, column, &Expr::boolean(true))?));
        let outside = outside(check, &format!("a{index}"), *function)?;
        outer.push(format!("sum(CASE WHEN {} THEN 1 ELSE 0 END) AS c{}", print(target, &outside)?, index + 1));
        readings.push(reading(asked.rule, Measure::Violations { violations: index + 1, judged: 0, errors: None }));
        read.push(column.clone());
        frame = Some((group_by, judged, asked.restriction.as_ref()));
    }
    let Some((group_by, judged, restriction)) = frame else { return Err(PrintError("no statistic".to_owned())) };
    let keys = group_by.iter().map(|key| super::keys::key(target, key)).collect::<Result<Vec<_>, _>>()?;
    let sql = format!(
        "SELECT count(*) AS c0, {} FROM (SELECT {} FROM {}{} GROUP BY {}) AS g",
        outer.join(", "),
        inner.join(", "),
        table_sql(target.table, target.dialect),
        conditions(target, restriction.into_iter().chain([judged]))?,
        keys.join(", "),
    );
    let columns = column_names(group_by.iter().chain(&read).chain(restriction).chain([judged]));
    Ok(PlannedQuery { sql, columns, restriction: restriction.cloned(), readings, ..PlannedQuery::default() })
}

/// The groups out of bounds, with their statistic.
pub(super) fn failing(
    target: &Target,
    check: &Check,
    restriction: Option<&Expr>,
    limit: u32,
) -> Result<String, PrintError> {
    let Check::Aggregate { function, column, group_by, judged, .. } = check else {
        return Err(PrintError("no statistic".to_owned()));
    };
    let keys = group_by.iter().map(|key| super::keys::key(target, key)).collect::<Result<Vec<_>, _>>()?;
    let names: Vec<String> = (0..keys.len()).map(|index| format!("k{index}")).collect();
    let named: Vec<String> = keys.iter().zip(&names).map(|(key, name)| format!("{key} AS {name}")).collect();
    let outside = outside(check, "a0", *function)?;
    Ok(format!(
        "SELECT {}, a0 FROM (SELECT {}, {} AS a0 FROM {}{} GROUP BY {}) AS g WHERE {} LIMIT {limit}",
        names.join(", "),
        named.join(", "),
        statistic(target, *function, column, &Expr::boolean(true))?,
        table_sql(target.table, target.dialect),
        conditions(target, restriction.into_iter().chain([judged]))?,
        keys.join(", "),
        print(target, &outside)?,
    ))
}

/// Whether a group's statistic, a column of this name, lies outside the bounds. It is never NULL.
fn outside(check: &Check, name: &str, function: AggregateFunction) -> Result<Expr, PrintError> {
    let Check::Aggregate { column, bounds, no_value, .. } = check else {
        return Err(PrintError("no statistic".to_owned()));
    };
    let (data_type, bounds) = match approximate(function) {
        true => (DataType::Double, bounds.of_twelve_digits()),
        false => (column.data_type.clone(), bounds.clone()),
    };
    let value = Expr::column(name, data_type);
    let low = bounds.min.iter().map(|min| Expr::binary(BinaryOp::Less, value.clone(), Expr::literal(min.clone())));
    let high = bounds.max.iter().map(|max| Expr::binary(BinaryOp::Greater, value.clone(), Expr::literal(max.clone())));
    let outside = Expr::or_else(Expr::or_all(low.chain(high)), *no_value == Verdict::Violate);
    Ok(match value.data_type.is_floating() {
        true => Expr::or_all([Expr::is_nan(value), outside]),
        false => outside,
    })
}
