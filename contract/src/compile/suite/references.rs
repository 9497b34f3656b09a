//! Foreign keys: rows whose combination does not occur in another table.

use super::keys::key;
use super::{Asked, Measure, PlannedQuery, Target, bounded, column_names, conditions, print, reading, table_sql};
use crate::compile::check::{ForeignKey, NullKeys};
use crate::expr::print::{PrintError, quote_name};
use crate::expr::{BinaryOp, ColumnRef, Expr};
use crate::rule::AsOf;
use crate::schema::TableName;
use crate::types::DataType;

/// The query that counts orphans, and the rows judged.
pub(super) fn query(target: &Target, asked: &Asked, reference: &ForeignKey) -> Result<PlannedQuery, PrintError> {
    let joined = joined(target, asked.restriction.as_ref(), reference)?;
    let measure = Measure::Violations { violations: 0, judged: 1, errors: None };
    let own = reference.columns.iter().chain(own_date(reference)).chain(&asked.restriction).chain([&reference.judged]);
    let others = reference.ref_columns.iter().chain(other_dates(reference)).chain(&reference.ref_where);
    bounded(PlannedQuery {
        sql: format!("SELECT sum(CASE WHEN found = 0 THEN n ELSE 0 END) AS c0, sum(n) AS c1 FROM ({joined}) AS j"),
        columns: column_names(own),
        references: vec![((target.resolve)(&reference.ref_table), column_names(others))],
        restriction: asked.restriction.clone(),
        readings: vec![reading(asked.rule, measure)],
        ..PlannedQuery::default()
    })
}

/// The combinations without a counterpart, each with how many rows it has, most first.
pub(super) fn failing(
    target: &Target,
    restriction: Option<&Expr>,
    reference: &ForeignKey,
    limit: u32,
) -> Result<String, PrintError> {
    let joined = joined(target, restriction, reference)?;
    let names: Vec<String> = (0..sides(reference).len()).map(|index| format!("k{index}")).collect();
    let names = names.join(", ");
    Ok(format!("SELECT {names}, n FROM ({joined}) AS j WHERE found = 0 ORDER BY n DESC LIMIT {limit}"))
}

/// The columns of the table that [`failing`] shows.
pub(super) fn shown(reference: &ForeignKey) -> Vec<Expr> {
    sides(reference).into_iter().map(|(own, _)| own.clone()).collect()
}

/// Each combination of the table (`k0`, …) with its rows (`n`) and how often the other table has it (`found`). Both sides
/// are reduced to distinct combinations first, and matched by a join: `NOT IN` finds nothing once the other side holds a
/// NULL.
fn joined(target: &Target, restriction: Option<&Expr>, reference: &ForeignKey) -> Result<String, PrintError> {
    let sides = sides(reference);
    let named = |columns: &[&Expr], prefix: &str| -> Result<(String, String), PrintError> {
        let keys = columns.iter().map(|column| key(target, column)).collect::<Result<Vec<_>, _>>()?;
        let named: Vec<String> =
            keys.iter().enumerate().map(|(index, key)| format!("{key} AS {prefix}{index}")).collect();
        Ok((named.join(", "), keys.join(", ")))
    };
    let present = |columns: &[&Expr]| -> Vec<Expr> {
        columns.iter().map(|column| Expr::is_not_null((*column).clone())).collect()
    };
    let own: Vec<&Expr> = sides.iter().map(|(own, _)| *own).collect();
    let own_present = present(&own);
    let own_filter = restriction.into_iter().chain([&reference.judged]);
    let own_filter =
        conditions(target, own_filter.chain(own_present.iter().filter(|_| reference.nulls == NullKeys::Ignore)))?;
    let (own_named, own_keys) = named(&own, "k")?;
    let table = table_sql(target.table, target.dialect);

    let other: Vec<&Expr> = reference.ref_columns.iter().chain(other_dates(reference)).collect();
    let other_table = (target.resolve)(&reference.ref_table);
    let other_present = present(&reference.ref_columns.iter().collect::<Vec<_>>());
    let other_filter = conditions(target, reference.ref_where.iter().chain(&other_present))?;
    let newest = newest(target, reference, &other_table)?;
    let other_filter = match newest {
        Some(newest) => format!("{other_filter} AND {newest}"),
        None => other_filter,
    };
    let (other_named, _) = named(&other, "r")?;

    let side = |alias: &str, prefix: &str, index: usize, expr: &Expr| {
        let column = ColumnRef { qualifier: Some(alias.to_owned()), name: format!("{prefix}{index}"), id: None };
        // The inner query has taken the padding off.
        let data_type = if let DataType::Char(_) = expr.data_type { DataType::String } else { expr.data_type.clone() };
        Expr::column_ref(column, data_type)
    };
    let mut matches = Vec::new();
    for (index, (own, how)) in sides.iter().enumerate() {
        let own = side("l", "k", index, own);
        let referenced = |at: usize| side("r", "r", at, other[at]);
        matches.push(match how {
            Match::Equal(at) => Expr::equal(own, referenced(*at)),
            Match::Between(from, to) => {
                let begun = Expr::binary(BinaryOp::GreaterOrEqual, own.clone(), referenced(*from));
                let not_over = Expr::binary(BinaryOp::Less, own, referenced(*to));
                Expr::and_all([begun, Expr::or_all([Expr::is_null(referenced(*to)), not_over])])
            }
        });
    }
    let condition = print(target, &Expr::and_all(matches))?;
    let keys = own.len();
    let list = |alias: &str| -> Vec<String> {
        (0..keys)
            .map(|index| {
                format!("{}.{}", quote_name(alias, target.dialect), quote_name(&format!("k{index}"), target.dialect))
            })
            .collect()
    };
    let grouped = list("l").join(", ");
    let shown: Vec<String> =
        list("l").iter().enumerate().map(|(index, column)| format!("{column} AS k{index}")).collect();
    Ok(format!(
        "SELECT {}, l.n AS n, count(r.r0) AS found \
         FROM (SELECT {own_named}, count(*) AS n FROM {table}{own_filter} GROUP BY {own_keys}) AS l \
         LEFT JOIN (SELECT DISTINCT {other_named} FROM {}{other_filter}) AS r ON {condition} \
         GROUP BY {grouped}, l.n",
        shown.join(", "),
        table_sql(&other_table, target.dialect),
    ))
}

/// How a column of the row meets the referenced table's columns, by their positions.
enum Match {
    Equal(usize),
    Between(usize, usize),
}

/// The row's columns, and what each must meet: the key's, then the date of an `as_of`.
fn sides(reference: &ForeignKey) -> Vec<(&Expr, Match)> {
    let mut sides: Vec<(&Expr, Match)> =
        reference.columns.iter().enumerate().map(|(index, own)| (own, Match::Equal(index))).collect();
    let next = reference.ref_columns.len();
    match &reference.as_of {
        Some((AsOf::Snapshot { .. }, columns)) => sides.extend(columns.first().map(|own| (own, Match::Equal(next)))),
        Some((AsOf::Validity { .. }, columns)) => {
            sides.extend(columns.first().map(|own| (own, Match::Between(next, next + 1))));
        }
        Some((AsOf::Newest { .. }, _)) | None => {}
    }
    sides
}

fn own_date(reference: &ForeignKey) -> Option<&Expr> {
    match &reference.as_of {
        Some((AsOf::Snapshot { .. } | AsOf::Validity { .. }, columns)) => columns.first(),
        _ => None,
    }
}

/// The referenced table's columns that an `as_of` reads.
fn other_dates(reference: &ForeignKey) -> &[Expr] {
    match &reference.as_of {
        Some((AsOf::Snapshot { .. } | AsOf::Validity { .. }, columns)) => columns.get(1..).unwrap_or_default(),
        Some((AsOf::Newest { .. }, columns)) => columns,
        None => &[],
    }
}

/// The condition that a referenced row belongs to the newest snapshot.
fn newest(target: &Target, reference: &ForeignKey, other: &TableName) -> Result<Option<String>, PrintError> {
    let Some((AsOf::Newest { .. }, columns)) = &reference.as_of else { return Ok(None) };
    let Some(snapshot) = columns.first() else { return Ok(None) };
    let snapshot = print(target, snapshot)?;
    let filter = conditions(target, &reference.ref_where)?;
    let table = table_sql(other, target.dialect);
    Ok(Some(format!("{snapshot} = (SELECT max({snapshot}) FROM {table}{filter})")))
}
