//! A data lake behind small traits: its catalog, its query engine, its loader, its artifact store and its clock.
//!
//! [`local`] is a folder of Parquet, CSV and JSON with an embedded engine.

pub mod incoming;
pub mod local;

use std::path::Path;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use contract::expr::Expr;
use contract::schema::{TableName, TableSchema};
use contract::value::Value;
use serde_json::{Number, Value as Json};

use crate::Result;

/// Everything a stage may reach.
pub trait Lake: Send + Sync {
    /// The tables and their schemas.
    fn catalog(&self) -> &dyn Catalog;
    /// The engine that runs queries over them.
    fn engine(&self) -> &dyn QueryEngine;
    /// What takes incoming files into tables.
    fn loader(&self) -> &dyn incoming::Loader;
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
    /// Some rows of a table for which a predicate is true: these columns, and the file of each in a last one, `$path`.
    async fn rows_where(
        &self,
        table: &TableName,
        columns: &[String],
        predicate: &Expr,
        limit: usize,
    ) -> Result<QueryResult>;
    /// The bytes that a scan of these columns reads from these files of a table; of no columns, what counting rows reads.
    async fn bytes_of(&self, table: &Table, columns: &[String], files: &[&DataFile]) -> Result<u64>;
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
    /// Writes the whole content of a file, whatever its size and whatever stands at the key, or nothing.
    async fn put_file(&self, key: &str, file: &Path) -> Result<()>;
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

/// A cell as JSON. Numbers that JSON does not know, decimals, dates and times are texts that read back as what they were.
pub fn json_of(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(flag) => Json::Bool(*flag),
        Value::Int(number) => Json::from(*number),
        Value::Double(number) => Number::from_f64(*number).map_or_else(|| Json::from(number.to_string()), Json::Number),
        Value::Decimal(unscaled, scale) => Json::from(decimal(*unscaled, *scale)),
        Value::String(text) => Json::from(text.as_str()),
        Value::Binary(bytes) => Json::from(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
        Value::Date(days) => Json::from(NaiveDate::from_epoch_days(*days).map(|date| date.to_string())),
        Value::Timestamp(micros) => {
            let instant = DateTime::from_timestamp_micros(*micros);
            Json::from(instant.map(|instant| instant.naive_utc().format("%Y-%m-%d %H:%M:%S%.f").to_string()))
        }
        Value::Array(elements) => Json::Array(elements.iter().map(json_of).collect()),
        Value::Map(entries) => {
            let pair = |(key, value): &(Value, Value)| Json::Array(vec![json_of(key), json_of(value)]);
            Json::Array(entries.iter().map(pair).collect())
        }
        Value::Struct(fields) => {
            Json::Object(fields.iter().map(|(name, value)| (name.clone(), json_of(value))).collect())
        }
    }
}

fn decimal(unscaled: i128, scale: u8) -> String {
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    let sign = if unscaled < 0 { "-" } else { "" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
