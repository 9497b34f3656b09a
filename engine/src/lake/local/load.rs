//! A table's schema and files, read from its folder and its catalog file.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use contract::schema::{Column, Provenance, TableName, TableSchema};
use contract::types::DataType;
use datafusion::arrow::datatypes::{DataType as Arrow, Field, FieldRef, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::parquet::arrow::arrow_reader::ArrowReaderMetadata;
use indexmap::IndexMap;

use super::discovery::Found;
use super::glue::{self, CatalogTable};
use super::listing::{self, ListedFile};
use super::text::{self, RawReader};
use super::types::{from_arrow, readable_as, to_arrow, widen};
use super::{glue::FOLDER as CATALOG_FOLDER, infer};
use crate::lake::{DataFile, Format, Table};
use crate::{Error, Result};

/// Bytes of text that are sampled from all files of a table together, and at least from each.
const SAMPLE_BYTES: u64 = 64 << 20;
const SAMPLE_BYTES_PER_FILE: u64 = 64 << 10;
/// Rows that a sample reads at a time.
const SAMPLE_ROWS: usize = 4096;

/// A table, ready to be scanned.
#[derive(Clone, Debug)]
pub(crate) struct LoadedTable {
    /// What the catalog answers.
    pub(crate) table: Table,
    /// The columns that stand in the files.
    pub(crate) file_schema: SchemaRef,
    /// The partition keys.
    pub(crate) partition_fields: Vec<FieldRef>,
    /// Each file's partition values, in the order of [`Table::files`].
    pub(crate) partition_values: Vec<Vec<ScalarValue>>,
    /// Whether the types were told from a sample and may turn out to be wrong.
    pub(crate) inferred: bool,
}

/// What was learned while reading: kept for the life of a lake, so that files are looked into once.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    contents: Mutex<HashMap<PathBuf, (u64, u128, Content)>>,
    damaged: Mutex<HashMap<PathBuf, (u128, String)>>,
    text_columns: Mutex<Vec<(TableName, String)>>,
}

/// What a file holds, or why it cannot be read.
type Content = std::result::Result<Arc<FileContent>, String>;

#[derive(Debug)]
struct FileContent {
    format: Format,
    columns: Vec<FileColumn>,
}

#[derive(Debug)]
struct FileColumn {
    name: String,
    data_type: DataType,
    /// The type in a Parquet file, which nested columns keep.
    stored: Option<Arrow>,
}

/// A column of the table in the making, with the file that first had it.
struct Merged {
    data_type: DataType,
    stored: Option<Arrow>,
    file: PathBuf,
}

impl Memory {
    /// Remembers that a file turned out to be damaged, so that the next load leaves it out and lists it.
    pub(crate) fn exclude(&self, path: &Path, reason: &str) {
        let modified = std::fs::metadata(path).and_then(|m| m.modified()).ok();
        let modified =
            modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok()).map_or(0, |at| at.as_nanos());
        lock(&self.damaged).insert(path.into(), (modified, reason.into()));
    }

    /// Remembers that a column holds values that its sample did not show, so that the next load reads it as text.
    pub(crate) fn read_as_text(&self, table: &TableName, column: &str) {
        lock(&self.text_columns).push((table.clone(), column.to_owned()));
    }

    fn damage(&self, file: &ListedFile) -> Option<String> {
        let damaged = lock(&self.damaged);
        damaged.get(&file.path).filter(|(modified, _)| *modified == file.modified).map(|(_, reason)| reason.clone())
    }

    fn is_text(&self, table: &TableName, column: &str) -> bool {
        lock(&self.text_columns).iter().any(|(t, c)| t == table && c == column)
    }

    fn content(&self, file: &ListedFile, sample: u64) -> Content {
        if let Some((bytes, modified, content)) = lock(&self.contents).get(&file.path)
            && (*bytes, *modified) == (file.bytes, file.modified)
        {
            return content.clone();
        }
        let content = look_into(&file.path, sample).map(Arc::new);
        lock(&self.contents).insert(file.path.clone(), (file.bytes, file.modified, content.clone()));
        content
    }
}

/// Reads a table's catalog file, lists its files and looks into each.
///
/// # Errors
/// Names that collide, a broken catalog file, columns whose types conflict (naming both files), no data and no catalog
/// entry. A single file that cannot be read is no error: it is listed in [`Table::unreadable`].
pub(crate) fn load(root: &Path, name: &TableName, found: &Found, memory: &Memory) -> Result<LoadedTable> {
    if let [first, second, ..] = found.locations.as_slice() {
        return Err(Error::input(
            name,
            format!("{} and {} are one name once folded to lower case", first.display(), second.display()),
            "rename one of them",
        ));
    }
    let catalog = found.catalog_file.as_deref().map(glue::read).transpose()?;
    let location = match found.locations.first() {
        Some(location) => location.clone(),
        None => root.join(&name.database).join(&name.table),
    };
    let listing = if location.exists() { listing::list(root, &location)? } else { listing::Listing::default() };
    let mut unreadable: Vec<_> =
        listing.unreadable.into_iter().map(|(path, reason)| (path.display().to_string(), reason)).collect();
    let readable = readable_files(listing.files, memory, &mut unreadable);
    let keys = partition_keys(catalog.as_ref(), &readable);
    let (files, partition_types) = partitioned(&keys, catalog.as_ref(), readable, &mut unreadable);
    if files.is_empty() && catalog.is_none() {
        return Err(no_data(name, &location, &unreadable));
    }

    let format = files.first().map_or(Format::Parquet, |(_, content, _)| content.format);
    let (columns, inferred) = match &catalog {
        Some(catalog) => (declared_columns(catalog, found, format, &files)?, false),
        None => (merged_columns(name, &keys, format, &files, memory)?, format != Format::Parquet),
    };
    let comments = catalog.as_ref().map(|catalog| &catalog.columns);
    let column = |(name, data_type, partition_key): (&String, DataType, bool)| Column {
        name: name.clone(),
        data_type,
        nullable: None,
        comment: comments.and_then(|all| all.iter().find(|c| c.name == *name)).and_then(|c| c.comment.clone()),
        partition_key,
    };
    let file_columns = columns.iter().map(|(name, merged)| (name, merged.data_type.clone(), false));
    let key_columns = keys.iter().zip(&partition_types).map(|(name, ty)| (name, ty.clone(), true));
    let schema = TableSchema {
        columns: file_columns.chain(key_columns).map(column).collect(),
        provenance: if catalog.is_some() { Provenance::Catalog } else { Provenance::Files },
    };
    let field = |(name, merged): (&String, &Merged)| {
        let arrow = merged.stored.clone().unwrap_or_else(|| to_arrow(&merged.data_type));
        Field::new(name, arrow, true)
    };
    let file_schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let partition_fields =
        keys.iter().zip(&partition_types).map(|(key, ty)| Arc::new(Field::new(key, to_arrow(ty), true))).collect();
    unreadable.sort();
    let data_file = |(file, _, _): &(ListedFile, Arc<FileContent>, Vec<ScalarValue>)| DataFile {
        path: file.path.display().to_string(),
        bytes: file.bytes,
        partition: keys.iter().map(|key| partition_value(file, key)).collect(),
    };
    Ok(LoadedTable {
        table: Table {
            name: name.clone(),
            schema,
            location: location.display().to_string(),
            format,
            comment: catalog.and_then(|catalog| catalog.comment),
            files: files.iter().map(data_file).collect(),
            unreadable,
        },
        file_schema,
        partition_fields,
        partition_values: files.into_iter().map(|(_, _, values)| values).collect(),
        inferred,
    })
}

/// The format of a file, from its name or else its first bytes; `None` where it is none that this lake reads.
pub(crate) fn sniff(path: &Path) -> Result<Option<Format>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if let Some(format) = Format::of_name(&name) {
        return Ok(Some(format));
    }
    let mut head = Vec::new();
    text::open(path)?.take(4096).read_to_end(&mut head).map_err(|error| Error::io(path, &error))?;
    Ok(match head.trim_ascii_start() {
        [b'P', b'A', b'R', b'1', ..] => Some(Format::Parquet),
        [b'{', ..] => Some(Format::Json),
        text if !text.is_empty() && !text.contains(&0) => Some(Format::Csv),
        _ => None,
    })
}

/// The columns of a file, as it names them.
pub(crate) fn column_names(path: &Path, format: Format) -> Result<Vec<String>> {
    const JSON_LINES: usize = 100;
    match format {
        Format::Parquet => {
            let broken = |error| Error::input(path.display(), error, "restore the file or move it out of the lake");
            Ok(parquet_schema(path).map_err(broken)?.fields().iter().map(|field| field.name().clone()).collect())
        }
        _ => text::columns(path, format, JSON_LINES),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn look_into(path: &Path, sample: u64) -> std::result::Result<FileContent, String> {
    let format = sniff(path).map_err(|error| problem(&error))?.ok_or("is neither Parquet, CSV nor JSON lines")?;
    let columns = match format {
        Format::Parquet => {
            let column = |field: &FieldRef| {
                let data_type = from_arrow(field.data_type());
                let nested = matches!(data_type, DataType::Array(_) | DataType::Map(..) | DataType::Struct(_));
                let stored = (nested || data_type == DataType::Unknown).then(|| field.data_type().clone());
                FileColumn { name: field.name().to_lowercase(), data_type, stored }
            };
            parquet_schema(path)?.fields().iter().map(column).collect()
        }
        _ => sample_text(path, format, sample)?,
    };
    let mut names: Vec<_> = columns.iter().map(|column: &FileColumn| column.name.as_str()).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("has two columns {:?} once names are folded to lower case", pair[0]));
    }
    Ok(FileContent { format, columns })
}

fn parquet_schema(path: &Path) -> std::result::Result<SchemaRef, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let metadata = ArrowReaderMetadata::load(&file, Default::default());
    metadata.map(|metadata| metadata.schema().clone()).map_err(|error| format!("is no complete Parquet file: {error}"))
}

/// Column names and types of a text file from its first `sample` bytes of cells.
fn sample_text(path: &Path, format: Format, sample: u64) -> std::result::Result<Vec<FileColumn>, String> {
    let names = text::columns(path, format, SAMPLE_ROWS).map_err(|error| problem(&error))?;
    let mut types = vec![DataType::Null; names.len()];
    let mut reader = RawReader::open(path, format, &names).map_err(|error| problem(&error))?;
    let mut seen = 0;
    while seen < sample
        && let Some(batch) = reader.next_batch(SAMPLE_ROWS)?
    {
        if let Some(broken) = batch.broken.first() {
            let line = batch.lines.get(broken.row).copied().unwrap_or_default();
            return Err(format!("line {line} {}", broken.reason));
        }
        for (ty, cells) in types.iter_mut().zip(&batch.columns) {
            *ty = infer::merge(ty, &infer::infer(cells));
            seen += cells.iter().flatten().map(|cell| cell.len() as u64 + 1).sum::<u64>();
        }
    }
    let column =
        |(name, data_type): (String, DataType)| FileColumn { name: name.to_lowercase(), data_type, stored: None };
    Ok(names.into_iter().zip(types).map(column).collect())
}

/// Looks into the files and keeps those that can be read and have the format of most.
fn readable_files(
    files: Vec<ListedFile>,
    memory: &Memory,
    unreadable: &mut Vec<(String, String)>,
) -> Vec<(ListedFile, Arc<FileContent>)> {
    let sample = (SAMPLE_BYTES / files.len().max(1) as u64).max(SAMPLE_BYTES_PER_FILE);
    let mut readable = Vec::new();
    for file in files {
        let content = match memory.damage(&file) {
            Some(reason) => Err(reason),
            None => memory.content(&file, sample),
        };
        match content {
            Ok(content) => readable.push((file, content)),
            Err(reason) => unreadable.push((file.path.display().to_string(), reason)),
        }
    }
    let count = |format| readable.iter().filter(|(_, content)| content.format == format).count();
    let usual = [Format::Json, Format::Csv, Format::Parquet].into_iter().max_by_key(|format| count(*format));
    readable.retain(|(file, content)| {
        let keep = Some(content.format) == usual;
        if !keep {
            let reason = format!("is {:?} among files of another format", content.format);
            unreadable.push((file.path.display().to_string(), reason));
        }
        keep
    });
    readable
}

fn partition_keys(catalog: Option<&CatalogTable>, files: &[(ListedFile, Arc<FileContent>)]) -> Vec<String> {
    match catalog {
        Some(catalog) => catalog.columns.iter().filter(|c| c.partition_key).map(|c| c.name.clone()).collect(),
        None => {
            files.first().map_or(Vec::new(), |(file, _)| file.partition.iter().map(|(key, _)| key.clone()).collect())
        }
    }
}

/// Types the partition values; a file that lies elsewhere, or whose value does not have the type, is unreadable.
#[allow(clippy::type_complexity)]
fn partitioned(
    keys: &[String],
    catalog: Option<&CatalogTable>,
    files: Vec<(ListedFile, Arc<FileContent>)>,
    unreadable: &mut Vec<(String, String)>,
) -> (Vec<(ListedFile, Arc<FileContent>, Vec<ScalarValue>)>, Vec<DataType>) {
    let key_type = |key: &String| match catalog.and_then(|c| c.columns.iter().find(|c| c.name == *key)) {
        Some(column) => column.data_type.clone(),
        None => {
            let values: Vec<_> = files.iter().map(|(file, _)| partition_value(file, key)).collect();
            infer::infer_partition(values.iter())
        }
    };
    let types: Vec<DataType> = keys.iter().map(key_type).collect();
    let mut kept = Vec::new();
    for (file, content) in files {
        let own: Vec<_> = file.partition.iter().map(|(key, _)| key).collect();
        let values: std::result::Result<Vec<_>, String> = if own.iter().copied().eq(keys) {
            file.partition.iter().zip(&types).map(|((key, value), ty)| scalar(key, value.as_deref(), ty)).collect()
        } else {
            Err(format!("lies under partition folders {own:?} where the table has {keys:?}"))
        };
        match values {
            Ok(values) => kept.push((file, content, values)),
            Err(reason) => unreadable.push((file.path.display().to_string(), reason)),
        }
    }
    (kept, types)
}

fn scalar(key: &str, value: Option<&str>, ty: &DataType) -> std::result::Result<ScalarValue, String> {
    let arrow = to_arrow(ty);
    let wrong = |_| format!("lies under {key}={} which is no {ty}", value.unwrap_or_default());
    match value {
        None => ScalarValue::try_from(&arrow).map_err(wrong),
        Some(value) => ScalarValue::try_from_string(value.to_owned(), &arrow).map_err(wrong),
    }
}

fn partition_value(file: &ListedFile, key: &str) -> Option<String> {
    file.partition.iter().find(|(k, _)| k == key).and_then(|(_, value)| value.clone())
}

/// The catalog's columns; a Parquet file that stores one of them as something else is an error.
fn declared_columns(
    catalog: &CatalogTable,
    found: &Found,
    format: Format,
    files: &[(ListedFile, Arc<FileContent>, Vec<ScalarValue>)],
) -> Result<IndexMap<String, Merged>> {
    let mut columns = IndexMap::new();
    let catalog_file = found.catalog_file.clone().unwrap_or_default();
    for column in catalog.columns.iter().filter(|column| !column.partition_key) {
        let mut stored = None;
        for (file, content, _) in files.iter().filter(|_| format == Format::Parquet) {
            let Some(own) = content.columns.iter().find(|own| own.name == column.name) else { continue };
            if !readable_as(&column.data_type, &own.data_type) {
                return Err(Error::input(
                    catalog_file.display(),
                    format!(
                        "column {} is {} here and {} in {}",
                        column.name,
                        column.data_type,
                        own.data_type,
                        file.path.display()
                    ),
                    "correct the type in the catalog file, or write the data file again",
                ));
            }
            stored = stored.or_else(|| own.stored.clone());
        }
        let merged = Merged { data_type: column.data_type.clone(), stored, file: catalog_file.clone() };
        columns.insert(column.name.clone(), merged);
    }
    Ok(columns)
}

/// The columns of all files, in order of first appearance, each as wide as its widest file.
fn merged_columns(
    name: &TableName,
    keys: &[String],
    format: Format,
    files: &[(ListedFile, Arc<FileContent>, Vec<ScalarValue>)],
    memory: &Memory,
) -> Result<IndexMap<String, Merged>> {
    let mut columns: IndexMap<String, Merged> = IndexMap::new();
    for (file, content, _) in files {
        // A key that stands in the path and in the file has the path's value, as in Hive.
        for own in content.columns.iter().filter(|own| !keys.contains(&own.name)) {
            let Some(merged) = columns.get_mut(&own.name) else {
                let (data_type, stored) = (own.data_type.clone(), own.stored.clone());
                columns.insert(own.name.clone(), Merged { data_type, stored, file: file.path.clone() });
                continue;
            };
            let text = (format != Format::Parquet).then_some(DataType::String);
            merged.data_type = widen(&merged.data_type, &own.data_type).or(text).ok_or_else(|| {
                Error::input(
                    format!("{name}, column {}", own.name),
                    format!(
                        "is {} in {} and {} in {}",
                        merged.data_type,
                        merged.file.display(),
                        own.data_type,
                        file.path.display()
                    ),
                    format!("write one of the files again, or move it out of the table; {CATALOG_FOLDER}/{name}.json can fix the type"),
                )
            })?;
            merged.stored = merged.stored.take().or_else(|| own.stored.clone());
        }
    }
    for (column, merged) in &mut columns {
        if merged.data_type == DataType::Null || memory.is_text(name, column) {
            (merged.data_type, merged.stored) = (DataType::String, None);
        }
    }
    Ok(columns)
}

fn no_data(name: &TableName, location: &Path, unreadable: &[(String, String)]) -> Error {
    let next =
        format!("put Parquet, CSV or JSON-lines files there, or describe the table in {CATALOG_FOLDER}/{name}.json");
    match unreadable.first() {
        None => Error::input(location.display(), "has no data files", next),
        Some((path, reason)) => Error::input(path, format!("{reason}; {name} has no file that can be read"), next),
    }
}

fn problem(error: &Error) -> String {
    match error {
        Error::Input { problem, .. } | Error::Environment { problem, .. } => problem.clone(),
    }
}
