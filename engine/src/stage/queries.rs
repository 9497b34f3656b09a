//! Free SQL that somebody proposes as a test: mended for Athena, with full table names, over tables of the lake.

use std::ops::ControlFlow;

use contract::compile::query;
use contract::rule::Expects;
use contract::schema::{TableName, TableSchema, nearest};
use sqlparser::ast::{Ident, ObjectName, ObjectNamePart, visit_relations_mut};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use super::checks::Subject;
use super::resolve;

/// A query that can be run as a test.
pub(super) struct Mended {
    /// The query as Athena accepts it.
    pub(super) sql: String,
    /// What its result means.
    pub(super) expects: Expects,
    /// What was rewritten, for people.
    pub(super) repairs: Vec<String>,
}

/// Mends a query, or says why it is refused. Only a bounded query may return a value.
pub(super) fn mend(subject: Subject<'_>, schema: &TableSchema, sql: &str, bounded: bool) -> Result<Mended, String> {
    let column_type = |name: &str| schema.column(name).map(|column| column.data_type.clone());
    let read = if bounded { query::read_bounded } else { query::read };
    let read = read(sql, &column_type).map_err(|refusal| refusal.to_string())?;
    let mut reads_own = false;
    for written in &read.tables {
        let name = resolve(written, subject.table, subject.all);
        if name != *subject.table && !subject.all.contains(&name) {
            let names: Vec<String> = subject.all.iter().map(TableName::to_string).collect();
            let near = nearest(&name.to_string(), names.iter().map(String::as_str)).first().copied();
            let hint = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            return Err(format!("it reads {written}, which is not in the lake{hint}"));
        }
        reads_own |= name == *subject.table;
    }
    if !reads_own {
        return Err(format!("it does not read {}, the table that it shall test", subject.table));
    }
    let (sql, qualified) = qualify(subject, &read.sql, &read.tables)?;
    let mut repairs = read.repairs;
    repairs.extend(qualified);
    Ok(Mended { sql, expects: read.expects, repairs })
}

/// Puts the database in front of tables that stand without one: a query runs wherever its runner's default database is.
fn qualify(subject: Subject<'_>, sql: &str, tables: &[String]) -> Result<(String, Vec<String>), String> {
    if tables.iter().all(|table| table.contains('.')) {
        return Ok((sql.to_owned(), Vec::new()));
    }
    let mut statements = Parser::parse_sql(&GenericDialect {}, sql).map_err(|error| error.to_string())?;
    let mut repairs = Vec::new();
    let _ = visit_relations_mut(&mut statements, |relation: &mut ObjectName| {
        if let [ObjectNamePart::Identifier(ident)] = relation.0.as_slice() {
            let written = ident.value.to_lowercase();
            if tables.contains(&written) {
                let name = resolve(&written, subject.table, subject.all);
                repairs.push(format!("{written} is written as {name}"));
                let parts = [name.database, name.table].map(|part| ObjectNamePart::Identifier(Ident::new(part)));
                relation.0 = parts.to_vec();
            }
        }
        ControlFlow::<()>::Continue(())
    });
    repairs.dedup();
    let sql = statements.first().map(ToString::to_string).unwrap_or_default();
    Ok((sql, repairs))
}
