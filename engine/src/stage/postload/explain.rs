//! What testing a table takes: which query answers which test, and what it reads.

use contract::compile::suite::PlannedQuery;
use contract::schema::TableName;
use serde::Serialize;

use super::PostloadOptions;
use super::execute::{is_history, plan, suite_table};
use super::prepare::{Prepared, day_key, prepare};
use crate::Result;
use crate::lake::Lake;
use crate::project::Project;

/// The queries of a table's tests.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// The table.
    pub table: TableName,
    /// The date of the data that would be tested.
    pub date: String,
    /// The queries, in the order in which they run.
    pub queries: Vec<ExplainedQuery>,
    /// Tests that no query answers, with the reason.
    pub refused: Vec<(String, String)>,
    /// What is wrong with the contract's document, each with its file and line: it was left aside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Bytes that all queries read together.
    pub bytes: u64,
    /// What Athena would charge for them, in US dollars, by its list price of most regions.
    pub athena_dollars: f64,
}

/// Athena's price of a query that reads so many bytes, in US dollars, by the list price of most regions: 5 dollars per
/// terabyte, and at least for 10 megabytes. <https://aws.amazon.com/athena/pricing/>
fn athena_dollars(bytes: u64) -> f64 {
    bytes.max(10_000_000) as f64 / 1e12 * 5.0
}

/// A query and what it reads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedQuery {
    /// The query.
    pub sql: String,
    /// The tests that it answers.
    pub tests: Vec<String>,
    /// The columns of the table that it reads; empty where only rows are counted, or where that is not known.
    pub columns: Vec<String>,
    /// Data files of the table that it reads.
    pub files: usize,
    /// Data files that the table has.
    pub of_files: usize,
    /// Bytes of the table that it reads; `None` for a query of a person's own.
    pub bytes: Option<u64>,
    /// Whether a person or a model wrote it.
    pub untrusted: bool,
}

/// What `test --plan` shows: nothing is run.
///
/// # Errors
/// Those of [`super::postload`] that come before the first query.
pub async fn explain(
    _project: &Project,
    lake: &dyn Lake,
    table: &TableName,
    options: &PostloadOptions,
) -> Result<Explained> {
    let prepared = prepare(lake, table, options).await?;
    let mut explained = Explained {
        table: table.clone(),
        date: prepared.date.clone(),
        queries: Vec::new(),
        refused: Vec::new(),
        notes: prepared.notes.clone(),
        bytes: 0,
        athena_dollars: 0.0,
    };
    let refused = prepared.items.iter().filter_map(|item| Some((item.name.clone(), item.check.clone().err()?)));
    explained.refused.extend(refused);
    let plan = plan(lake, &prepared);
    for query in &plan.queries {
        explained.queries.push(read(lake, &prepared, query).await?);
    }
    let name = |(id, reason): &(String, String)| (name_of(&prepared, id), reason.clone());
    explained.refused.extend(plan.refused.iter().map(name));
    if let Some((_, key)) = day_key(&prepared.table) {
        let tests: Vec<String> =
            prepared.items.iter().filter(|item| is_history(item)).map(|item| item.name.clone()).collect();
        if !tests.is_empty() {
            explained.queries.push(ExplainedQuery {
                sql: format!("SELECT {0}, count(*) FROM {1} GROUP BY {0}", key.name, suite_table(&prepared, lake)),
                tests,
                columns: Vec::new(),
                files: prepared.table.files.len(),
                of_files: prepared.table.files.len(),
                bytes: Some(lake.engine().bytes_of(&prepared.table, &[], &prepared.files_of(None)).await?),
                untrusted: false,
            });
        }
    }
    explained.athena_dollars = explained.queries.iter().map(|query| athena_dollars(query.bytes.unwrap_or(0))).sum();
    explained.bytes = explained.queries.iter().filter_map(|query| query.bytes).sum();
    Ok(explained)
}

async fn read(lake: &dyn Lake, prepared: &Prepared, query: &PlannedQuery) -> Result<ExplainedQuery> {
    let table = &prepared.table;
    let files = prepared.files_of(query.restriction.as_ref());
    let bytes = match query.untrusted {
        true => None,
        false => Some(lake.engine().bytes_of(table, &query.columns, &files).await?),
    };
    Ok(ExplainedQuery {
        sql: query.sql.clone(),
        tests: query.readings.iter().map(|reading| name_of(prepared, &reading.rule_id)).collect(),
        columns: query.columns.clone(),
        files: files.len(),
        of_files: table.files.len(),
        bytes,
        untrusted: query.untrusted,
    })
}

fn name_of(prepared: &Prepared, id: &str) -> String {
    let item = prepared.items.iter().find(|item| item.rule.id == id);
    item.map_or_else(|| id.to_owned(), |item| item.name.clone())
}
