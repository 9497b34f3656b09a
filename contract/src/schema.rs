//! Table names and schemas, with where each piece of knowledge comes from.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::types::DataType;

/// A table's name. Glue folds names to lower case, so both parts are lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableName {
    /// The database.
    pub database: String,
    /// The table within it.
    pub table: String,
}

impl TableName {
    /// A name from its parts, folded to lower case.
    pub fn new(database: &str, table: &str) -> Self {
        Self { database: database.to_lowercase(), table: table.to_lowercase() }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.table)
    }
}

/// Where a schema comes from. A disagreement between two of them is shown, never merged in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// The deployed catalog (Glue, or the catalog of a folder).
    Catalog,
    /// Promised by a contract.
    Contract,
    /// Inferred from the data files themselves.
    Files,
    /// Inferred from the script that produces the table.
    Script,
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name, lower case for catalog tables.
    pub name: String,
    /// Type.
    pub data_type: DataType,
    /// Whether NULL may occur; `None` where nobody promised either (Glue's catalog never does).
    pub nullable: Option<bool>,
    /// The catalog's comment.
    pub comment: Option<String>,
    /// Whether the column is a partition key: its values stand in the path, not in the file.
    pub partition_key: bool,
}

/// The columns of a table, partition keys last, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSchema {
    /// Columns, partition keys last.
    pub columns: Vec<Column>,
    /// Where this schema comes from.
    pub provenance: Provenance,
}

impl TableSchema {
    /// The column of this name; names compare without regard to case, as Spark and Athena do.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }
}

/// Of these names the nearest to one that does not exist, best first, at most three; none that is not near.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let limit = (name.chars().count() / 3).max(2);
    let mut scored: Vec<(usize, &str)> = names
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&known.to_lowercase(), &name.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= limit || known.to_lowercase().contains(&name.to_lowercase()))
        .collect();
    scored.sort_by_key(|(distance, _)| *distance);
    scored.dedup_by_key(|(_, known)| *known);
    scored.into_iter().map(|(_, known)| known).take(3).collect()
}
