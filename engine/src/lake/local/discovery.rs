//! Which tables a folder holds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use contract::schema::TableName;

use super::load::{self, sniff};
use super::{glue, listing};
use crate::lake::Format;
use crate::{Error, Result};

/// The database of tables that lie directly in the lake's root.
pub(crate) const DEFAULT_DATABASE: &str = "default";

/// Where a table's data lies and what the catalog says of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// Its folder, or its one file. More than one where names collide once folded to lower case; none where only the
    /// catalog knows the table.
    pub(crate) locations: Vec<PathBuf>,
    /// The catalog file that describes it.
    pub(crate) catalog_file: Option<PathBuf>,
}

/// All tables of the lake at `root` (canonical), by name. `store` (canonical) is no data, wherever it lies.
pub(crate) fn discover(root: &Path, store: Option<&Path>) -> Result<BTreeMap<TableName, Found>> {
    if !root.is_dir() {
        return Err(Error::input(
            root.display(),
            "is not a folder",
            "set `lake.root` in de-copilot.toml to the data folder",
        ));
    }
    let mut tables = BTreeMap::new();
    for (name, path) in listing::entries(root)? {
        if listing::is_hidden(&name) || store == Some(&path) {
            continue;
        }
        if path.is_dir() {
            discover_folder(root, &name, &path, &mut tables)?;
        } else {
            add_file(DEFAULT_DATABASE, &name, &path, &mut tables);
        }
    }
    for (table, catalog_file, location) in glue::files(root)? {
        let found: &mut Found = tables.entry(table).or_default();
        found.catalog_file = Some(catalog_file);
        if let Some(location) = location {
            found.locations = vec![location];
        }
    }
    Ok(tables)
}

/// A folder of the root is a table where it has Hive partitions, or files that share their columns; else a database.
fn discover_folder(root: &Path, name: &str, folder: &Path, tables: &mut BTreeMap<TableName, Found>) -> Result<()> {
    if fs::canonicalize(folder).is_ok_and(|target| !target.starts_with(root)) {
        add(DEFAULT_DATABASE, name, folder, tables);
        return Ok(());
    }
    let entries = listing::entries(folder)?;
    let visible = || entries.iter().filter(|(name, _)| !listing::is_hidden(name));
    let (folders, files): (Vec<_>, Vec<_>) = visible().partition(|(_, path)| path.is_dir());
    let partitioned = folders.iter().any(|(name, _)| listing::partition_of(name).is_some());
    let paths: Vec<&Path> = files.iter().map(|(_, path)| path.as_path()).collect();
    let holds_data = files.iter().any(|(name, path)| is_data(name, path));
    if partitioned || (folders.is_empty() && holds_data && share_columns(&paths)) {
        add(DEFAULT_DATABASE, name, folder, tables);
        return Ok(());
    }
    for (table, path) in folders.into_iter().filter(|(_, path)| !holds_something_else(path)) {
        add(name, table, path, tables);
    }
    for (table, path) in files {
        add_file(name, table, path, tables);
    }
    Ok(())
}

/// Whether a folder holds files, but none of data: scripts, documents. An empty folder is a table without rows.
fn holds_something_else(folder: &Path) -> bool {
    let Ok(entries) = listing::entries(folder) else { return false };
    let mut files = entries.iter().filter(|(_, path)| path.is_file()).peekable();
    files.peek().is_some()
        && entries.iter().all(|(_, path)| path.is_file())
        && !files.any(|(name, path)| listing::is_hidden(name) || is_data(name, path))
}

/// Whether each file's columns all occur in the widest of the files. Files that cannot be read have no say.
fn share_columns(files: &[&Path]) -> bool {
    let columns = |path: &&Path| -> Option<Vec<String>> {
        let format = sniff(path).ok().flatten()?;
        let mut names = load::column_names(path, format).ok()?;
        names.iter_mut().for_each(|name| *name = name.to_lowercase());
        Some(names)
    };
    let all: Vec<_> = files.iter().filter_map(columns).filter(|names| !names.is_empty()).collect();
    let Some(widest) = all.iter().max_by_key(|names| names.len()) else { return true };
    all.iter().all(|names| names.iter().all(|name| widest.contains(name)))
}

fn add(database: &str, table: &str, path: &Path, tables: &mut BTreeMap<TableName, Found>) {
    tables.entry(TableName::new(database, table)).or_default().locations.push(path.into());
}

/// A loose file is a table where it is a data file; a README or a script beside the data is none.
fn add_file(database: &str, name: &str, path: &Path, tables: &mut BTreeMap<TableName, Found>) {
    let stem = name.split('.').next().unwrap_or(name);
    let empty = fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0);
    if is_data(name, path) && !empty {
        add(database, stem, path, tables);
    }
}

fn is_data(name: &str, path: &Path) -> bool {
    Format::of_name(name).is_some() || (!name.contains('.') && matches!(sniff(path), Ok(Some(_))))
}

impl Format {
    /// The format that a file's name tells, such as CSV for `a.csv.gz`; `None` for names that tell nothing.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match name.rsplit_once('.')?.1 {
            "parquet" | "parq" => Some(Format::Parquet),
            "csv" | "tsv" | "psv" => Some(Format::Csv),
            "json" | "jsonl" | "ndjson" => Some(Format::Json),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[(&str, &str)]) -> Vec<String> {
        let lake = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = lake.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let root = lake.path().canonicalize().unwrap();
        let tables = discover(&root, Some(&root.join("de-copilot"))).unwrap();
        tables.keys().map(ToString::to_string).collect()
    }

    #[test]
    fn a_prepared_lake_has_databases_and_tables() {
        let files =
            [("sales/Orders/d=1/a.csv", "id\n1\n"), ("sales/Orders/_SUCCESS", ""), ("crm/customers/a.json", "{}")];
        assert_eq!(names(&files), ["crm.customers", "sales.orders"]);
    }

    #[test]
    fn a_folder_that_nobody_prepared_has_tables_too() {
        let files = [
            ("loans.csv", "id\n1\n"),
            ("README.md", "read me"),
            ("data/customers.csv", "id,name\n1,a\n"),
            ("data/payments.csv", "payment,loan\n1,2\n"),
            ("events/1.json", "{\"a\":1}\n"),
            ("events/2.json", "{\"a\":1,\"b\":2}\n"),
            ("daily/date=2024-01-01/part-0", "a,b\n1,2\n"),
            ("jobs/etl.py", "import pyspark\n"),
            ("jobs/shared/names.py", "TARGET = 'x'\n"),
            ("de-copilot/results/loans/2024-01-01.json", "{}"),
        ];
        let expected = ["data.customers", "data.payments", "default.daily", "default.events", "default.loans"];
        assert_eq!(names(&files), expected);
    }
}
