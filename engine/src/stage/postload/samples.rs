//! Some failing rows of each failed test, on demand.

use contract::compile::Check;
use contract::compile::suite;
use contract::expr::Expr;
use contract::value::Value;
use serde_json::{Map, Value as Json};

use super::execute::{limits, with_target};
use super::prepare::{Item, Prepared};
use super::{Run, Status};
use crate::lake::{Lake, QueryResult, json_of};
use crate::project::Project;
use crate::{Error, Result};

/// Adds failing rows to the failed tests. A sample that cannot be had is left out: the result stands without it.
pub(super) async fn add(project: &Project, lake: &dyn Lake, prepared: &Prepared, limit: u32, run: &mut Run) {
    for (item, test) in prepared.items.iter().zip(&mut run.tests) {
        if test.status != Status::Failed {
            continue;
        }
        if let Ok(Some(rows)) = sample(project, lake, prepared, item, limit).await {
            test.samples = rows.rows.iter().map(|row| object(&rows.columns, row)).collect();
        }
    }
}

async fn sample(
    project: &Project,
    lake: &dyn Lake,
    prepared: &Prepared,
    item: &Item,
    limit: u32,
) -> Result<Option<QueryResult>> {
    let Ok(check) = &item.check else { return Ok(None) };
    let engine = lake.engine();
    let failing = match check {
        Check::Row { violation, .. } => violation.clone(),
        Check::NullShare { column, judged, .. } => {
            let data_type = prepared.table.schema.column(column).map(|column| column.data_type.clone());
            let null = Expr::is_null(Expr::column(column, data_type.unwrap_or_default()));
            Expr::and_all([judged.clone(), null])
        }
        Check::Query { sql, .. } => {
            return engine.query_untrusted(sql, &limits(project, prepared, limit as usize)).await.map(Some);
        }
        _ => {
            let sample =
                with_target(lake, prepared, |target| suite::sample(target, &item.rule, check, &[], limit, false));
            let refused = |error| Error::input(&item.name, error, "correct the rule");
            let Some(sample) = sample.map_err(refused)? else { return Ok(None) };
            let answer = engine.query(&sample.sql).await?;
            return Ok(Some(QueryResult { columns: sample.columns, ..answer }));
        }
    };
    let restriction = prepared.restriction(item.rule.scope);
    let predicate = Expr::and_all(restriction.into_iter().chain([failing.bind_now(lake.now().timestamp_micros())]));
    let columns = columns_of(prepared, &predicate);
    engine.rows_where(&prepared.table.name, &columns, &predicate, limit as usize).await.map(Some)
}

/// The key, the partition keys and what the predicate reads.
fn columns_of(prepared: &Prepared, predicate: &Expr) -> Vec<String> {
    let keys = prepared.table.schema.columns.iter().filter(|column| column.partition_key).map(|column| &column.name);
    let reads = predicate.columns().into_iter().map(|column| &column.name);
    let mut columns: Vec<String> = Vec::new();
    for column in prepared.key.iter().chain(keys).chain(reads) {
        if prepared.table.schema.column(column).is_some() && !columns.contains(column) {
            columns.push(column.clone());
        }
    }
    columns
}

fn object(columns: &[String], row: &[Value]) -> Map<String, Json> {
    columns.iter().cloned().zip(row.iter().map(json_of)).collect()
}
