//! The contract of a table: the specification's `data_quality`.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::rule::Rule;

/// What must be true of a table. Stored as `contracts/<table>.json`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contract {
    /// The table.
    pub table_name: String,
    /// Its database, where stated.
    pub database: Option<String>,
    /// Who answers for the table.
    pub owner: Option<String>,
    /// What the table is, in a sentence.
    pub description: Option<String>,
    /// Key columns; empty where there is no key.
    pub primary_key: Vec<String>,
    /// How often data arrives.
    pub freshness: Option<Freshness>,
    /// Columns in schema order, each with its rules.
    pub columns: IndexMap<String, ColumnContract>,
    /// Rules of the whole table.
    pub table_level_checks: Vec<Rule>,
    /// Keys of the document that this version does not know, kept as they are.
    pub extra: Map<String, Json>,
}

/// A column's part of the contract.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnContract {
    /// Type, as Glue spells it.
    pub data_type: String,
    /// Whether NULL may occur.
    pub nullable: bool,
    /// What the column means.
    pub description: Option<String>,
    /// Its rules.
    pub rules: Vec<Rule>,
    /// Keys that this version does not know.
    pub extra: Map<String, Json>,
}

/// How often data arrives, and by when.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Freshness {
    /// `daily`, `hourly`, `weekly` or `monthly`.
    pub frequency: String,
    /// Hour of the day, UTC, by which the data is there.
    pub sla_hour_utc: Option<u8>,
    /// The column that dates the rows; the specification leaves it out, a check needs it.
    pub column: Option<String>,
    /// Keys that this version does not know.
    pub extra: Map<String, Json>,
}
