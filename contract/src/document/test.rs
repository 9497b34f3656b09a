//! Tests: the specification's `tests`. Stored as `tests/<table>.json`.

use serde_json::{Map, Value as Json};

use crate::rule::{Expects, Stage};

/// All tests of a table, compiled from one state of its contract.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TestSuite {
    /// The table.
    pub table_name: String,
    /// Hash of the contract that the tests were compiled from; a runner refuses a stale one.
    pub contract_hash: String,
    /// The tests.
    pub tests: Vec<Test>,
}

/// One test: either a query or a row predicate.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// Name, unique within the suite.
    pub name: String,
    /// What it checks, for people.
    pub description: String,
    /// A read-only query in Athena's SQL.
    pub sql: Option<String>,
    /// What the query's result means; told from its text.
    pub expects: Option<Expects>,
    /// A predicate in rule text that must not be false for any row.
    pub rule: Option<String>,
    /// When it runs.
    pub stage: Stage,
    /// The rule of the contract that it tests, where there is one.
    pub rule_id: Option<String>,
    /// Keys that this version does not know.
    pub extra: Map<String, Json>,
}
