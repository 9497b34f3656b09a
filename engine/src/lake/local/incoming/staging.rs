//! Where the good rows of a load wait, and how they become the table's.
//!
//! A load is written to `_loading/<load>/rows/…` in the table's folder, which no reader takes for data. Its files are
//! called `load-<load>-<number>`. To commit it, they are renamed into their partitions; while `_loading/<load>` exists,
//! the lake's listing passes over files of that name, so that they appear together when the folder goes. Every step can
//! be repeated after a crash.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{cast, take_record_batch};
use datafusion::arrow::datatypes::{DataType as Arrow, Schema, SchemaRef};
use datafusion::arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::arrow::{csv, json};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::file::properties::WriterProperties;
use indexmap::IndexMap;

use super::super::listing::{LOADING, loading_folder, partition_folder};
use super::super::store::sync_folder;
use crate::lake::Format;
use crate::lake::incoming::LoadedPartition;
use crate::{Error, Result};

/// Bytes of rows that all writers together hold in memory.
const BUFFERED_BYTES: usize = 128 << 20;
/// Partitions that are written to at a time; of more, the one that waited longest is closed.
const OPEN_FILES: usize = 64;
/// Largest row group in bytes.
const ROW_GROUP_BYTES: usize = 128 << 20;
/// The folder of the rows within that of a load.
const ROWS: &str = "rows";
/// The file of the quarantined rows within the folder of a load.
const QUARANTINE: &str = "quarantine.jsonl";

/// The path of a load's quarantined rows.
pub(super) fn quarantine(table: &Path, load_id: &str) -> PathBuf {
    loading_folder(table).join(load_id).join(QUARANTINE)
}

/// Makes the folder of a load.
pub(super) fn begin(table: &Path, load_id: &str) -> Result<()> {
    discard(table, load_id)?;
    let folder = loading_folder(table).join(load_id).join(ROWS);
    fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))
}

/// The loads that are neither committed nor discarded, and removes what is left of those that are.
pub(super) fn pending(table: &Path) -> Result<Vec<String>> {
    let mut pending = Vec::new();
    let folder = loading_folder(table);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(pending),
        Err(error) => return Err(Error::io(folder, &error)),
    };
    for entry in entries.flatten().filter(|entry| entry.path().is_dir()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        match name.starts_with('.') {
            true => fs::remove_dir_all(entry.path()).map_err(|error| unwritable(&entry.path(), &error))?,
            false => pending.push(name),
        }
    }
    pending.sort();
    Ok(pending)
}

/// Renames a load's files into the table and then shows them to readers.
pub(super) fn commit(table: &Path, load_id: &str) -> Result<()> {
    let folder = loading_folder(table).join(load_id);
    if !folder.exists() {
        return Ok(());
    }
    let rows = folder.join(ROWS);
    move_files(&rows, table)?;
    finish(table, load_id)
}

/// Removes a load's files, wherever they are.
pub(super) fn discard(table: &Path, load_id: &str) -> Result<()> {
    remove_files(table, &prefix(load_id))?;
    finish(table, load_id)
}

/// The folder of a load goes in one step, so that what is left of a killed removal is nobody's.
fn finish(table: &Path, load_id: &str) -> Result<()> {
    let loading = loading_folder(table);
    let (folder, gone) = (loading.join(load_id), loading.join(format!(".{load_id}")));
    if !folder.exists() {
        return Ok(());
    }
    if gone.exists() {
        fs::remove_dir_all(&gone).map_err(|error| unwritable(&gone, &error))?;
    }
    fs::rename(&folder, &gone).map_err(|error| unwritable(&folder, &error))?;
    sync_folder(&loading).map_err(|error| unwritable(&loading, &error))?;
    fs::remove_dir_all(&gone).map_err(|error| unwritable(&gone, &error))
}

fn move_files(from: &Path, to: &Path) -> Result<()> {
    if !from.exists() {
        return Ok(());
    }
    fs::create_dir_all(to).map_err(|error| unwritable(to, &error))?;
    for entry in fs::read_dir(from).map_err(|error| Error::io(from, &error))? {
        let entry = entry.map_err(|error| Error::io(from, &error))?;
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => move_files(&entry.path(), &target)?,
            false => fs::rename(entry.path(), &target).map_err(|error| unwritable(&target, &error))?,
        }
    }
    sync_folder(to).map_err(|error| unwritable(to, &error))
}

fn remove_files(folder: &Path, prefix: &str) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && name != LOADING && !name.starts_with(['.', '_']) {
            remove_files(&path, prefix)?;
        } else if !is_folder && name.starts_with(prefix) {
            fs::remove_file(&path).map_err(|error| unwritable(&path, &error))?;
        }
    }
    Ok(())
}

fn prefix(load_id: &str) -> String {
    format!("{}{load_id}-", super::super::listing::LOAD_PREFIX)
}

pub(super) fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::environment(
        path.display(),
        format!("the table cannot be written: {error}"),
        "check the folder's permissions and free space, and run again; nothing is lost",
    )
}

/// Writes good rows, a file for each partition, and counts them.
pub(super) struct Staging {
    folder: PathBuf,
    prefix: String,
    format: Format,
    /// The places of the partition keys among the table's columns, with their names.
    keys: Vec<(usize, String)>,
    /// The columns that stand in the files.
    own: Vec<usize>,
    schema: SchemaRef,
    converter: Option<RowConverter>,
    /// By the row of the partition's values; `None` for a table without partitions.
    partitions: IndexMap<Option<OwnedRow>, Partition>,
    files: usize,
    clock: u64,
}

struct Partition {
    values: IndexMap<String, Option<String>>,
    folder: PathBuf,
    writer: Option<Writer>,
    used: u64,
    rows: u64,
}

enum Writer {
    Parquet(Box<ArrowWriter<File>>),
    Csv(Box<csv::Writer<File>>, u64),
    Json(json::LineDelimitedWriter<BufWriter<File>>, u64),
}

impl Staging {
    /// `schema` holds the table's columns, `keys` names its partition keys.
    pub(super) fn new(table: &Path, load_id: &str, format: Format, schema: &Schema, keys: &[String]) -> Result<Self> {
        let place = |key: &String| Some((schema.index_of(key).ok()?, key.clone()));
        let keys: Vec<(usize, String)> = keys.iter().filter_map(place).collect();
        let is_key = |index: &usize| keys.iter().any(|(key, _)| key == index);
        let own: Vec<usize> = (0..schema.fields().len()).filter(|index| !is_key(index)).collect();
        let sort = |(index, _): &(usize, String)| SortField::new(schema.field(*index).data_type().clone());
        let converter = (!keys.is_empty()).then(|| RowConverter::new(keys.iter().map(sort).collect())).transpose();
        Ok(Self {
            folder: loading_folder(table).join(load_id).join(ROWS),
            prefix: prefix(load_id),
            format,
            schema: Arc::new(schema.project(&own).map_err(|error| unwritable(table, &error))?),
            converter: converter.map_err(|error| unwritable(table, &error))?,
            keys,
            own,
            partitions: IndexMap::new(),
            files: 0,
            clock: 0,
        })
    }

    /// Writes rows of the table.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let folder = self.folder.clone();
        let failed = |error: datafusion::arrow::error::ArrowError| unwritable(&folder, &error);
        let rows = batch.project(&self.own).map_err(failed)?;
        let Some(converter) = &self.converter else {
            return self.append(None, batch, 0, &rows);
        };
        let columns: Vec<ArrayRef> = self.keys.iter().map(|(index, _)| batch.column(*index).clone()).collect();
        let keys = converter.convert_columns(&columns).map_err(failed)?;
        let mut groups: IndexMap<OwnedRow, Vec<u32>> = IndexMap::new();
        let mut last: Option<(usize, usize)> = None;
        for index in 0..batch.num_rows() {
            let group = match last {
                Some((before, group)) if keys.row(before) == keys.row(index) => group,
                _ => {
                    let entry = groups.entry(keys.row(index).owned());
                    let group = entry.index();
                    entry.or_default();
                    group
                }
            };
            last = Some((index, group));
            if let Some((_, indices)) = groups.get_index_mut(group) {
                indices.push(index as u32);
            }
        }
        if groups.len() == 1 {
            return self.append(groups.into_keys().next(), batch, 0, &rows);
        }
        for (key, indices) in groups {
            let first = indices.first().copied().unwrap_or_default() as usize;
            let part = take_record_batch(&rows, &UInt32Array::from(indices)).map_err(failed)?;
            self.append(Some(key), batch, first, &part)?;
        }
        Ok(())
    }

    /// Closes all files; the partitions with their rows, as the files' own writers counted them.
    pub(super) fn finish(mut self) -> Result<Vec<LoadedPartition>> {
        let mut loaded = Vec::with_capacity(self.partitions.len());
        for (_, mut partition) in std::mem::take(&mut self.partitions) {
            partition.close()?;
            loaded.push(LoadedPartition { values: partition.values, rows: partition.rows });
        }
        loaded.sort_by(|a, b| a.values.values().cmp(b.values.values()));
        Ok(loaded)
    }

    /// Appends rows to the partition of `key`; the row at `sample` of `whole` has the partition's values.
    fn append(&mut self, key: Option<OwnedRow>, whole: &RecordBatch, sample: usize, rows: &RecordBatch) -> Result<()> {
        self.clock += 1;
        if !self.partitions.contains_key(&key) {
            let partition = self.partition(whole, sample)?;
            self.partitions.insert(key.clone(), partition);
        }
        let (clock, files, format) = (self.clock, self.files, self.format);
        let Some(partition) = self.partitions.get_mut(&key) else { return Ok(()) };
        partition.used = clock;
        if partition.writer.is_none() {
            let path = partition.folder.join(format!("{}{files:05}.{}", self.prefix, ending(format)));
            partition.writer = Some(Writer::create(&path, format, &self.schema)?);
            self.files += 1;
        }
        if let Some(writer) = &mut partition.writer {
            writer.write(rows).map_err(|error| unwritable(&partition.folder, &error))?;
        }
        self.bound()
    }

    /// The partition of a row.
    fn partition(&self, whole: &RecordBatch, row: usize) -> Result<Partition> {
        let mut values = IndexMap::new();
        let mut folder = self.folder.clone();
        for (index, name) in &self.keys {
            let cell = whole.column(*index).slice(row, 1);
            let text = cast(&cell, &Arrow::Utf8).map_err(|error| unwritable(&self.folder, &error))?;
            let text = datafusion::arrow::array::AsArray::as_string::<i32>(&text);
            let value = text.iter().next().flatten().filter(|value| !value.is_empty()).map(str::to_owned);
            folder.push(partition_folder(name, value.as_deref()));
            values.insert(name.clone(), value);
        }
        fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
        Ok(Partition { values, folder, writer: None, used: 0, rows: 0 })
    }

    /// Keeps memory and open files within bounds.
    fn bound(&mut self) -> Result<()> {
        let open = self.partitions.values().filter(|partition| partition.writer.is_some()).count();
        if open > OPEN_FILES {
            let waiting = self.partitions.values_mut().filter(|partition| partition.writer.is_some());
            if let Some(partition) = waiting.min_by_key(|partition| partition.used) {
                partition.close()?;
            }
        }
        if self.partitions.values().map(Partition::buffered).sum::<usize>() > BUFFERED_BYTES
            && let Some(partition) = self.partitions.values_mut().max_by_key(|partition| partition.buffered())
            && let Some(Writer::Parquet(writer)) = &mut partition.writer
        {
            writer.flush().map_err(|error| unwritable(&partition.folder, &error))?;
        }
        Ok(())
    }
}

impl Partition {
    fn buffered(&self) -> usize {
        match &self.writer {
            Some(Writer::Parquet(writer)) => writer.memory_size(),
            _ => 0,
        }
    }

    fn close(&mut self) -> Result<()> {
        if let Some(writer) = self.writer.take() {
            self.rows += writer.close().map_err(|error| unwritable(&self.folder, &error))?;
        }
        Ok(())
    }
}

type Written<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

impl Writer {
    fn create(path: &Path, format: Format, schema: &SchemaRef) -> Result<Self> {
        let file = File::create(path).map_err(|error| unwritable(path, &error))?;
        Ok(match format {
            Format::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::SNAPPY)
                    .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
                    .build();
                let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties));
                Writer::Parquet(Box::new(writer.map_err(|error| unwritable(path, &error))?))
            }
            // As Athena and this lake read it back.
            Format::Csv => {
                let builder = csv::WriterBuilder::new().with_timestamp_format("%Y-%m-%d %H:%M:%S%.f".to_owned());
                Writer::Csv(Box::new(builder.build(file)), 0)
            }
            Format::Json => Writer::Json(json::LineDelimitedWriter::new(BufWriter::new(file)), 0),
        })
    }

    fn write(&mut self, rows: &RecordBatch) -> Written<()> {
        match self {
            Writer::Parquet(writer) => writer.write(rows)?,
            Writer::Csv(writer, count) => {
                writer.write(rows)?;
                *count += rows.num_rows() as u64;
            }
            Writer::Json(writer, count) => {
                writer.write(rows)?;
                *count += rows.num_rows() as u64;
            }
        }
        Ok(())
    }

    /// Writes the file to disk; its rows.
    fn close(self) -> Written<u64> {
        match self {
            Writer::Parquet(mut writer) => {
                let metadata = writer.finish()?;
                writer.inner().sync_all()?;
                Ok(u64::try_from(metadata.file_metadata().num_rows())?)
            }
            Writer::Csv(writer, rows) => {
                writer.into_inner().sync_all()?;
                Ok(rows)
            }
            Writer::Json(mut writer, rows) => {
                writer.finish()?;
                let file = writer.into_inner().into_inner().map_err(std::io::IntoInnerError::into_error)?;
                file.sync_all()?;
                Ok(rows)
            }
        }
    }
}

fn ending(format: Format) -> &'static str {
    match format {
        Format::Parquet => "parquet",
        Format::Csv => "csv",
        Format::Json => "jsonl",
    }
}
