//! Taking incoming files into tables: split into good and quarantined rows, then all good rows at once or none.
//!
//! A load has an id. [`Loader::split`] writes its good rows where no reader of the table sees them;
//! [`Loader::commit`] makes them the table's and [`Loader::discard`] throws them away. Both can be repeated, so that
//! whoever finds a load that was split and not finished ([`Loader::pending`]) finishes it: forward where the load was
//! recorded in between, else back.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use contract::compile::NullKeys;
use contract::expr::Expr;
use contract::schema::TableName;
use contract::types::DataType;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{Cost, Table};
use crate::Result;

/// The name of the rule that a row breaks which is no row of its file at all: too few or too many fields, no JSON
/// object, not UTF-8.
pub const UNREADABLE_ROW: &str = "unreadable_row";

/// Takes incoming files into tables.
#[async_trait]
pub trait Loader: Send + Sync {
    /// SHA-256 of a file's bytes, hexadecimal.
    async fn fingerprint(&self, file: &Path) -> Result<String>;
    /// Keeps others from loading into the table until the lock is dropped or its process is gone. Waits for them.
    async fn lock(&self, table: &Table) -> Result<Lock>;
    /// Ids of the loads that were split and neither committed nor discarded.
    async fn pending(&self, table: &Table) -> Result<Vec<String>>;
    /// Reads a file once, judges its rows and writes the good ones aside.
    ///
    /// # Errors
    /// A file that cannot be read to its end, that has none of the table's columns, or a table that cannot be written:
    /// nothing then stays behind.
    async fn split(&self, request: SplitRequest) -> Result<Split>;
    /// Makes the good rows of a load the table's. Readers through this lake see all of them or none.
    async fn commit(&self, table: &Table, load_id: &str) -> Result<()>;
    /// Throws the rows of a load away.
    async fn discard(&self, table: &Table, load_id: &str) -> Result<()>;
}

/// A table's lock, held as long as this lives.
pub struct Lock(#[allow(dead_code)] Box<dyn Send + Sync>);

impl Lock {
    /// A lock that is given up when `held` is dropped.
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self(Box::new(held))
    }
}

/// What is to be split, and how.
#[derive(Clone, Debug)]
pub struct SplitRequest {
    /// The table that the rows are for.
    pub table: Table,
    /// CSV, JSON lines or Parquet; text may be gzip.
    pub file: PathBuf,
    /// Identifies the load: it becomes part of file names.
    pub load_id: String,
    /// The rules, in the order in which a row's reasons are listed.
    pub rules: Vec<IncomingRule>,
    /// What `current_timestamp` means in rules.
    pub now: DateTime<Utc>,
}

/// A rule about incoming rows.
#[derive(Clone, Debug)]
pub struct IncomingRule {
    /// Its id: the `rule_name` of the rows that it quarantines.
    pub id: String,
    /// What is wrong with a row that violates it, for people.
    pub reason: String,
    /// What violates it.
    pub check: IncomingCheck,
    /// Whether a violating row is quarantined, or only counted.
    pub quarantines: bool,
}

/// What violates a rule about incoming rows. Columns are the table's.
#[derive(Clone, Debug)]
pub enum IncomingCheck {
    /// Rows for which the predicate is true. It is never NULL.
    Row(Expr),
    /// Rows whose column does not have a type as it stands in the file; for the column's own type, in any file format.
    Type {
        /// The column.
        column: String,
        /// The type.
        data_type: DataType,
        /// True for a raw text that does not have the type; over a column of the same name that holds the text.
        violation: Expr,
    },
    /// Of judged rows with one key all but the first of the file, whatever else is wrong with the first. Rows that
    /// cannot be read, or whose key does not have its type, have no key.
    Duplicates {
        /// The key's columns.
        columns: Vec<String>,
        /// What a NULL in a key column means.
        nulls: NullKeys,
        /// The rows that are judged.
        judged: Expr,
    },
    /// Judged rows without a counterpart in another table.
    ForeignKey {
        /// Columns with the columns that they refer to.
        columns: Vec<(String, String)>,
        /// The table that they refer to.
        ref_table: TableName,
        /// The rows of that table that count.
        ref_where: Option<Expr>,
        /// What a NULL in one of the columns means.
        nulls: NullKeys,
        /// The rows that are judged.
        judged: Expr,
    },
}

/// What became of a file's rows.
#[derive(Clone, Debug, Default)]
pub struct Split {
    /// Rows read.
    pub input: u64,
    /// Rows written aside, as the writers of their files counted them.
    pub good: u64,
    /// Rows written to [`Split::quarantine`], as its writer counted them.
    pub quarantined: u64,
    /// Violations by rule, in the order of the request; [`UNREADABLE_ROW`] first where there are such rows.
    pub violations: IndexMap<String, Violations>,
    /// Where the good rows go.
    pub partitions: Vec<LoadedPartition>,
    /// Rows, good and bad, by the value of the table's first partition key that is a date.
    pub days: IndexMap<String, u64>,
    /// The quarantined rows, one JSON object a line; `None` where there are none. It lives until commit or discard.
    pub quarantine: Option<PathBuf>,
    /// Columns of the file that the table does not have, as the file names them.
    pub unknown_columns: Vec<String>,
    /// Columns of the table that the file does not have.
    pub missing_columns: Vec<String>,
    /// What it cost.
    pub cost: Cost,
}

/// How often a rule was violated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violations {
    /// Rows that violate it.
    pub rows: u64,
    /// Rows of which it is the first reason.
    pub first: u64,
}

/// Rows that went into one partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedPartition {
    /// Partition keys with their values, `None` for NULL; empty for a table without partitions.
    pub values: IndexMap<String, Option<String>>,
    /// Rows.
    pub rows: u64,
}

/// A row of a quarantine file: the columns as they stand in the incoming file, and why the row is here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuarantinedRow {
    /// The row's columns; empty for a row that cannot be read.
    #[serde(flatten)]
    pub columns: serde_json::Map<String, serde_json::Value>,
    /// All reasons, separated by `; `, each led by its rule.
    pub error_reason: String,
    /// The first rule that the row violates.
    pub rule_name: String,
    /// All rules that it violates.
    pub rule_names: Vec<String>,
    /// The file that it came from.
    pub source_file: String,
    /// The row's number in the file, from 1, a header line not counted.
    pub source_row: u64,
    /// The line on which it starts, from 1; `None` in files without lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_line: Option<u64>,
    /// The text of a row that cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
}
