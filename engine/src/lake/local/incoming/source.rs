//! An incoming file as batches of rows, its columns as they stand in it.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use contract::schema::TableName;
use datafusion::arrow::array::{ArrayRef, StringArray, StringViewArray};
use datafusion::arrow::datatypes::{DataType as Arrow, Field, Schema, SchemaRef};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::super::listing;
use super::super::load::sniff;
use super::super::text::{self, Broken, RawReader};
use crate::lake::Format;
use crate::{Error, Result};

/// Rows that are read at a time.
pub(super) const BATCH_ROWS: usize = 8192;
/// Objects that are looked at for the keys of a JSON-lines file; later ones with other keys are read as well.
const JSON_SAMPLE: usize = 4096;
/// The columns of our own quarantine files, which are no columns of a corrected one.
const OWN_COLUMNS: [&str; 7] =
    ["error_reason", "rule_name", "rule_names", "source_file", "source_row", "source_line", "raw"];

/// An incoming file whose columns are matched with those of a table.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    /// `None` for an empty file.
    format: Option<Format>,
    /// The file's columns, named as in the file, with the types that they have there: text for CSV and JSON.
    pub(super) schema: SchemaRef,
    /// A CSV file without a header line, whose fields are these.
    headless: Option<Vec<String>>,
    /// For each column of the table, where its values come from.
    pub(super) origins: Vec<Origin>,
    /// Columns of the file that the table does not have.
    pub(super) unknown: Vec<String>,
    /// What the objects of a JSON file turned out to have; known after reading.
    seen: Mutex<Option<Seen>>,
}

/// Where the values of a column of the table come from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Origin {
    /// A column of the file.
    Column(usize),
    /// The `key=value` folder that the file lies in.
    Folder(Option<String>),
    /// Nowhere: the column is NULL.
    Absent,
}

#[derive(Debug)]
struct Seen {
    absent: BTreeSet<String>,
    others: BTreeSet<String>,
}

/// Rows as they stand in the file.
pub(super) struct SourceBatch {
    /// The number of the first row, from 0.
    pub(super) first: u64,
    pub(super) rows: usize,
    /// The chosen columns.
    pub(super) columns: Vec<ArrayRef>,
    /// The line on which each row starts, from 1; empty for Parquet.
    pub(super) lines: Vec<u64>,
    /// Rows that are none.
    pub(super) broken: Vec<Broken>,
}

/// The rows of a file.
pub(super) struct Batches {
    reader: Reader,
    source: Arc<Source>,
    first: u64,
}

enum Reader {
    Text(RawReader),
    Parquet(ParquetRecordBatchReader),
    Empty,
}

impl Source {
    /// Looks into a file.
    ///
    /// # Errors
    /// A file that cannot be read, that names a column twice, or that has none of the table's columns.
    pub(super) fn open(path: &Path, table: &TableName, columns: &[String]) -> Result<Self> {
        let metadata = std::fs::metadata(path).map_err(|error| Error::io(path, &error))?;
        if metadata.is_dir() {
            return Err(Error::input(path.display(), "is a folder", "name one file of it"));
        }
        let format = match metadata.len() {
            0 => None,
            _ => Some(sniff(path)?.ok_or_else(|| unreadable(path, "is neither Parquet, CSV nor JSON lines"))?),
        };
        let schema = match format {
            None => Schema::empty(),
            Some(Format::Parquet) => (**parquet(path)?.schema()).clone(),
            Some(format) => {
                let mut names = text::columns(path, format, JSON_SAMPLE)?;
                if format == Format::Json {
                    // The keys of an object are read without regard to case.
                    let mut seen = BTreeSet::new();
                    names.retain(|name| seen.insert(name.to_lowercase()));
                }
                let mut fields: Vec<Field> = names.iter().map(|name| Field::new(name, Arrow::Utf8View, true)).collect();
                if format == Format::Json {
                    // A key may occur for the first time after the sample.
                    let late = columns.iter().filter(|column| !names.iter().any(|name| same(name, column)));
                    fields.extend(late.map(|name| Field::new(name, Arrow::Utf8View, true)));
                }
                Schema::new(fields)
            }
        };
        let mut source = Self {
            path: path.to_owned(),
            bytes: metadata.len(),
            format,
            schema: Arc::new(schema),
            headless: None,
            origins: Vec::new(),
            unknown: Vec::new(),
            seen: Mutex::new(None),
        };
        source.match_columns(table, columns)?;
        Ok(source)
    }

    fn match_columns(&mut self, table: &TableName, columns: &[String]) -> Result<()> {
        let names: Vec<String> = self.schema.fields().iter().map(|field| field.name().clone()).collect();
        for (index, name) in names.iter().enumerate() {
            if names.iter().take(index).any(|earlier| same(earlier, name)) {
                return Err(unreadable(&self.path, &format!("names the column {name:?} twice")));
            }
        }
        let known = |name: &String| columns.iter().any(|column| same(name, column));
        if !names.is_empty() && !names.iter().any(known) {
            if self.format != Some(Format::Csv) || names.len() != columns.len() {
                let problem = format!("has none of the columns of {table}: {}", list(&names));
                let next = format!("name its columns as the table does: {}", list(columns));
                return Err(Error::input(self.path.display(), problem, next));
            }
            let fields: Vec<Field> = columns.iter().map(|name| Field::new(name, Arrow::Utf8View, true)).collect();
            (self.schema, self.headless) = (Arc::new(Schema::new(fields)), Some(columns.to_vec()));
        }
        let fields = self.schema.fields().clone();
        let folders = folders(&self.path);
        let origin = |column: &String| match fields.iter().position(|field| same(field.name(), column)) {
            Some(index) => Origin::Column(index),
            None => match folders.iter().find(|(key, _)| key == column) {
                Some((_, value)) => Origin::Folder(value.clone()),
                None => Origin::Absent,
            },
        };
        self.origins = columns.iter().map(origin).collect();
        let unknown = fields
            .iter()
            .map(|field| field.name())
            .filter(|name| !columns.iter().any(|column| same(name, column)) && !OWN_COLUMNS.contains(&name.as_str()));
        self.unknown = unknown.cloned().collect();
        Ok(())
    }

    /// Reads the file from its start, these columns of it.
    pub(super) fn batches(self: &Arc<Self>, columns: &[usize]) -> Result<Batches> {
        let reader = match self.format {
            None => Reader::Empty,
            Some(Format::Parquet) => {
                let builder = parquet(&self.path)?;
                let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied());
                let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
                Reader::Parquet(reader.map_err(|error| unreadable(&self.path, &error.to_string()))?)
            }
            Some(format) => {
                let fields = self.schema.fields();
                let name = |index: &usize| fields.get(*index).map(|field| field.name().clone());
                let names: Vec<String> = columns.iter().filter_map(name).collect();
                Reader::Text(match &self.headless {
                    Some(order) => RawReader::open_headless(&self.path, order, &names)?,
                    None => RawReader::open(&self.path, format, &names)?,
                })
            }
        };
        Ok(Batches { reader, source: self.clone(), first: 0 })
    }

    /// The table's columns that no row had, and the file's that the table does not have; all rows must have been read.
    pub(super) fn differences(&self, columns: &[String]) -> (Vec<String>, Vec<String>) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let never = |index: usize| {
            let name = self.schema.fields().get(index).map(|field| field.name());
            name.zip(seen.as_ref()).is_some_and(|(name, seen)| seen.absent.contains(name))
        };
        let missing = columns.iter().zip(&self.origins).filter(|(_, origin)| match origin {
            Origin::Column(index) => never(*index),
            Origin::Folder(_) => false,
            Origin::Absent => self.format.is_some(),
        });
        let missing = missing.map(|(column, _)| column.clone()).collect();
        let mut unknown = self.unknown.clone();
        let late = seen.iter().flat_map(|seen| &seen.others);
        unknown
            .extend(late.filter(|name| !self.unknown.contains(name) && !OWN_COLUMNS.contains(&name.as_str())).cloned());
        (missing, unknown)
    }
}

impl Batches {
    /// The next rows; `None` at the end.
    ///
    /// # Errors
    /// A file that cannot be read any further: cut off, damaged, not the compression that it begins with.
    pub(super) fn next(&mut self) -> Result<Option<SourceBatch>> {
        let path = &self.source.path;
        let batch = match &mut self.reader {
            Reader::Empty => None,
            Reader::Parquet(reader) => match reader.next().transpose() {
                Ok(Some(batch)) => Some(SourceBatch {
                    first: self.first,
                    rows: batch.num_rows(),
                    columns: batch.columns().to_vec(),
                    lines: Vec::new(),
                    broken: Vec::new(),
                }),
                Ok(None) => None,
                Err(error) => return Err(damaged(path, self.first, &error.to_string())),
            },
            Reader::Text(reader) => {
                let raw = reader.next_batch(BATCH_ROWS).map_err(|error| damaged(path, self.first, &error))?;
                raw.map(|raw| SourceBatch {
                    first: self.first,
                    rows: raw.lines.len(),
                    columns: raw
                        .columns
                        .iter()
                        .map(|cells| Arc::new(StringViewArray::from_iter(cells)) as ArrayRef)
                        .collect(),
                    lines: raw.lines,
                    broken: raw.broken,
                })
            }
        };
        match &batch {
            Some(batch) => self.first += batch.rows as u64,
            None => self.remember_keys(),
        }
        Ok(batch)
    }

    fn remember_keys(&self) {
        let Reader::Text(reader) = &self.reader else { return };
        let Some(keys) = reader.keys() else { return };
        // Only a reading of all columns tells which of them no object had.
        if keys.found.len() != self.source.schema.fields().len() {
            return;
        }
        let absent = self.source.schema.fields().iter().zip(&keys.found).filter(|(_, found)| !**found);
        let seen =
            Seen { absent: absent.map(|(field, _)| field.name().clone()).collect(), others: keys.others.clone() };
        *self.source.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    }
}

/// A column of one text throughout.
pub(super) fn constant(value: Option<&str>, rows: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter(std::iter::repeat_n(value, rows)))
}

/// The keys and values of the `key=value` folders above a file.
fn folders(path: &Path) -> Vec<(String, Option<String>)> {
    let names = path.parent().into_iter().flat_map(Path::components);
    names.filter_map(|part| listing::partition_of(&part.as_os_str().to_string_lossy())).collect()
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

fn list(names: &[String]) -> String {
    names.join(", ")
}

fn parquet(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    let file = File::open(path).map_err(|error| Error::io(path, &error))?;
    ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|error| unreadable(path, &format!("is no complete Parquet file: {error}")))
}

fn unreadable(path: &Path, problem: &str) -> Error {
    Error::input(path.display(), problem, "have the file delivered again; nothing of it was loaded")
}

fn damaged(path: &Path, rows: u64, problem: &str) -> Error {
    unreadable(path, &format!("cannot be read after {rows} rows: {problem}"))
}
