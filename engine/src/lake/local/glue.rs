//! Catalog files: tables described in the shape of Glue's `GetTable` answer.
//!
//! `_catalog/<database>.<table>.json` under the lake's root holds one answer, `{"Table": {...}}` or the table alone.
//! Read are `Description`, `StorageDescriptor.Columns`, `PartitionKeys` and `StorageDescriptor.Location`. A location
//! that is an `s3://` address, or absent, means the folder `<database>/<table>`; any other is relative to the root.

use std::fs;
use std::path::{Path, PathBuf};

use contract::schema::{Column, TableName};
use contract::types::DataType;
use serde::Deserialize;

use super::listing;
use crate::{Error, Result};

/// The folder of catalog files, under the lake's root.
pub(crate) const FOLDER: &str = "_catalog";

/// What a catalog file says of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CatalogTable {
    /// Its columns, partition keys last, names in lower case.
    pub(crate) columns: Vec<Column>,
    /// Its comment.
    pub(crate) comment: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    table: RawTable,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawTable {
    description: Option<String>,
    storage_descriptor: RawStorage,
    #[serde(default)]
    partition_keys: Vec<RawColumn>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawStorage {
    #[serde(default)]
    columns: Vec<RawColumn>,
    location: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawColumn {
    name: String,
    r#type: Option<String>,
    comment: Option<String>,
    #[serde(default)]
    parameters: std::collections::HashMap<String, String>,
}

/// All catalog files: the table that each describes and the folder or file that it places the table at, if any exists.
pub(crate) fn files(root: &Path) -> Result<Vec<(TableName, PathBuf, Option<PathBuf>)>> {
    let folder = root.join(FOLDER);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for (name, path) in listing::entries(&folder)? {
        let Some((database, table)) = name.strip_suffix(".json").and_then(|stem| stem.split_once('.')) else {
            continue;
        };
        // A file that cannot be parsed still names its table; reading the table tells what is wrong.
        let location = parse(&path).ok().and_then(|raw| raw.storage_descriptor.location);
        let location = location.filter(|location| !location.contains("://")).map(|relative| root.join(relative));
        files.push((TableName::new(database, table), path, location));
    }
    Ok(files)
}

/// Reads a catalog file.
pub(crate) fn read(path: &Path) -> Result<CatalogTable> {
    let raw = parse(path)?;
    let mut columns = Vec::new();
    let keys = raw.partition_keys.into_iter().map(|column| (column, true));
    for (column, partition_key) in raw.storage_descriptor.columns.into_iter().map(|column| (column, false)).chain(keys)
    {
        // Glue keeps listing the dropped columns of an Iceberg table.
        if column.parameters.get("iceberg.field.current").is_some_and(|current| current == "false") {
            continue;
        }
        let spelled = column.r#type.as_deref().unwrap_or("string");
        let data_type = DataType::parse(spelled).map_err(|error| {
            Error::input(
                format!("{}, column {}", path.display(), column.name),
                error,
                "write the type as Glue does, for example decimal(10,2) or array<string>",
            )
        })?;
        columns.push(Column {
            name: column.name.to_lowercase(),
            data_type,
            nullable: None,
            comment: column.comment.filter(|comment| !comment.is_empty()),
            partition_key,
        });
    }
    Ok(CatalogTable { columns, comment: raw.description.filter(|text| !text.is_empty()) })
}

fn parse(path: &Path) -> Result<RawTable> {
    let text = fs::read_to_string(path).map_err(|error| Error::io(path, &error))?;
    let answer = serde_json::from_str::<Answer>(&text).map(|answer| answer.table);
    answer.or_else(|_| serde_json::from_str::<RawTable>(&text)).map_err(|error| {
        Error::input(
            path.display(),
            format!("is not the answer of Glue's GetTable: {error}"),
            "write what `aws glue get-table` prints, with StorageDescriptor.Columns",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_aws_glue_get_table_prints() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.json");
        let text = r#"{"Table": {"Name": "Loans", "DatabaseName": "db", "Description": "all loans",
            "StorageDescriptor": {"Columns": [{"Name": "Id", "Type": "bigint", "Comment": "key"},
              {"Name": "gone", "Type": "int", "Parameters": {"iceberg.field.current": "false"}},
              {"Name": "amount", "Type": "decimal(10,2)"}], "Location": "s3://bucket/loans/"},
            "PartitionKeys": [{"Name": "date", "Type": "date"}]}}"#;
        fs::write(&path, text).unwrap();
        let table = read(&path).unwrap();
        let columns: Vec<_> =
            table.columns.iter().map(|c| format!("{} {} {}", c.name, c.data_type, c.partition_key)).collect();
        assert_eq!(columns, ["id bigint false", "amount decimal(10,2) false", "date date true"]);
        assert_eq!(table.comment.as_deref(), Some("all loans"));
    }

    #[test]
    fn a_broken_catalog_file_says_what_it_should_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.json");
        fs::write(&path, r#"{"Columns": []}"#).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("aws glue get-table"));
    }
}
