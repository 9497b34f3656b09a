//! The rows that violate a rule, on demand and up to a limit.

use super::{Target, column_names, conditions, groups, keys, print, references, restriction, table_sql};
use crate::compile::check::Check;
use crate::expr::Expr;
use crate::expr::print::{Dialect, PrintError};
use crate::rule::Rule;
use crate::types::DataType;

/// A query for failing rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The query.
    pub sql: String,
    /// What its columns hold, in order: names of the table's columns, then `rows` (how many rows share the values),
    /// `value` (the statistic of a group) or `file` (the file that holds the row), where there is one.
    pub columns: Vec<String>,
}

/// The query for up to `limit` failing rows of a rule: the table's `key`, the columns that the rule judges and, with
/// `with_file` on Athena and Spark, the file that holds each row. Duplicates, orphans and groups come by their values.
/// `None` for rules that have no failing rows, such as a row count.
pub fn sample(
    target: &Target,
    rule: &Rule,
    check: &Check,
    key: &[Expr],
    limit: u32,
    with_file: bool,
) -> Result<Option<Sample>, PrintError> {
    let restriction = restriction(target, rule, check);
    let by_value = |sql: String, columns: &[Expr], last: &str| {
        let columns = columns.iter().flat_map(|column| column_names([column])).chain([last.to_owned()]).collect();
        Ok(Some(Sample { sql, columns }))
    };
    match check {
        Check::Row { violation, .. } => rows(target, violation, restriction.as_ref(), key, limit, with_file).map(Some),
        Check::NullShare { column, judged, .. } => {
            let null = Expr::is_null(Expr::column(column, DataType::Unknown));
            let failing = super::both(Some(judged), &null);
            rows(target, &failing, restriction.as_ref(), key, limit, with_file).map(Some)
        }
        Check::Duplicates { columns, nulls, judged } => {
            let filters: Vec<&Expr> = restriction.iter().chain([judged]).collect();
            by_value(keys::failing(target, columns, *nulls, &filters, limit)?, columns, "rows")
        }
        Check::DuplicateCount { columns, judged, .. } => {
            let filters: Vec<&Expr> = restriction.iter().chain([judged]).collect();
            let nulls = crate::compile::check::NullKeys::Ignore;
            by_value(keys::failing(target, columns, nulls, &filters, limit)?, columns, "rows")
        }
        Check::ForeignKey(reference) => {
            let sql = references::failing(target, restriction.as_ref(), reference, limit)?;
            by_value(sql, &references::shown(reference), "rows")
        }
        Check::Aggregate { group_by, .. } if !group_by.is_empty() => {
            by_value(groups::failing(target, check, restriction.as_ref(), limit)?, group_by, "value")
        }
        _ => Ok(None),
    }
}

fn rows(
    target: &Target,
    failing: &Expr,
    restriction: Option<&Expr>,
    key: &[Expr],
    limit: u32,
    with_file: bool,
) -> Result<Sample, PrintError> {
    let judged = failing.columns().into_iter().map(|column| Expr::column(&column.name, DataType::Unknown));
    let mut shown: Vec<Expr> = Vec::new();
    for column in key.iter().cloned().chain(judged) {
        if !column_names(&shown).contains(&column_names([&column]).concat()) {
            shown.push(column);
        }
    }
    let mut items = shown.iter().map(|column| print(target, column)).collect::<Result<Vec<_>, _>>()?;
    let mut columns = column_names(&shown);
    let file = match target.dialect {
        Dialect::Trino => Some("\"$path\""),
        Dialect::Spark => Some("input_file_name()"),
        // Its files are listed by the lake and not by a column.
        Dialect::DataFusion => None,
    };
    if let Some(file) = file.filter(|_| with_file) {
        items.push(format!("{file} AS file"));
        columns.push("file".to_owned());
    }
    let filter = conditions(target, restriction.into_iter().chain([failing]))?;
    let table = table_sql(target.table, target.dialect);
    Ok(Sample { sql: format!("SELECT {} FROM {table}{filter} LIMIT {limit}", items.join(", ")), columns })
}
