//! A data lake behind four small traits: its catalog, its query engine, its artifact store and its clock.
//!
//! [`local`] is a folder of Parquet, CSV and JSON with an embedded engine.

pub mod local;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use contract::schema::{TableName, TableSchema};
use contract::value::Value;

use crate::Result;

/// Everything a stage may reach.
pub trait Lake: Send + Sync {
    /// The tables and their schemas.
    fn catalog(&self) -> &dyn Catalog;
    /// The engine that runs queries over them.
    fn engine(&self) -> &dyn QueryEngine;
    /// Where contracts, tests, documents and results are kept.
    fn store(&self) -> &dyn ArtifactStore;
    /// The current instant; the one source of time of all stages.
    fn now(&self) -> DateTime<Utc>;
}

/// The tables of a lake.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// All tables, sorted by name. A table that cannot be read is listed too; [`Catalog::table`] says what is wrong.
    async fn tables(&self) -> Result<Vec<TableName>>;
    /// One table; an error lists the nearest names.
    async fn table(&self, name: &TableName) -> Result<Table>;
}

/// A table of the catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// Its columns, partition keys last.
    pub schema: TableSchema,
    /// A folder or an `s3://` prefix.
    pub location: String,
    /// How its files are written.
    pub format: Format,
    /// The catalog's comment.
    pub comment: Option<String>,
    /// Its data files, sorted by path.
    pub files: Vec<DataFile>,
    /// Files under its location that cannot be read, with the reason.
    pub unreadable: Vec<(String, String)>,
}

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values with a header line, gzip or not.
    Csv,
    /// One JSON object a line, gzip or not.
    Json,
}

/// A data file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// Its full path.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its partition's key values, in the order of the partition keys; `None` for `__HIVE_DEFAULT_PARTITION__`.
    pub partition: Vec<Option<String>>,
}

/// Runs read-only queries.
#[async_trait]
pub trait QueryEngine: Send + Sync {
    /// The SQL that it understands.
    fn dialect(&self) -> contract::expr::print::Dialect;
    /// Runs SQL that this program compiled itself. Tables are named `"database"."table"`.
    async fn query(&self, sql: &str) -> Result<QueryResult>;
    /// Runs SQL that came from outside (a person, a model): parsed, bounded, allow-listed, limited in time and memory.
    async fn query_untrusted(&self, sql: &str, limits: &Limits) -> Result<QueryResult>;
}

/// What a query from outside may use.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// The only tables that it may name.
    pub tables: Vec<TableName>,
    /// Wall-clock seconds.
    pub seconds: u64,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Result rows; more are cut and [`QueryResult::truncated`] is set.
    pub rows: usize,
}

/// The answer to a query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryResult {
    /// Column names.
    pub columns: Vec<String>,
    /// Rows, in the engine's order.
    pub rows: Vec<Vec<Value>>,
    /// Whether rows were cut at the limit.
    pub truncated: bool,
    /// What it cost.
    pub cost: Cost,
}

/// What a query cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Cost {
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Bytes read from files.
    pub bytes_scanned: u64,
}

/// Keeps artifacts. Keys are relative paths such as `contracts/loans.json`; a key that leaves the root is refused.
#[async_trait]
pub trait ArtifactStore: Send + Sync {
    /// The content with its version; `None` where there is none.
    async fn get(&self, key: &str) -> Result<Option<Artifact>>;
    /// Writes the whole content or nothing. With `expected`, only if the version in the store is still that one
    /// (`Expected::Absent`: only if there is none); otherwise the write is refused as [`Put::Conflict`] and nothing changes.
    async fn put(&self, key: &str, content: &[u8], expected: Expected) -> Result<Put>;
    /// Keys under a prefix, sorted.
    async fn list(&self, prefix: &str) -> Result<Vec<String>>;
    /// Where a key lies, for people: a path or an `s3://` address.
    fn locate(&self, key: &str) -> String;
}

/// Content with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The bytes.
    pub content: Vec<u8>,
    /// Opaque version: an ETag, or the hash of the content.
    pub version: String,
}

/// What must be in the store for a write to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Anything or nothing.
    Any,
    /// Nothing.
    Absent,
    /// This version.
    Version(String),
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// Written; the new version.
    Written(String),
    /// Somebody else wrote first.
    Conflict,
}
