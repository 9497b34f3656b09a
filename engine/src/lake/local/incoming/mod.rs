//! Taking incoming files into the tables of a folder.

mod across;
mod conform;
mod judge;
mod quarantine;
mod source;
mod staging;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use async_trait::async_trait;
use contract::types::DataType;
use datafusion::arrow::array::{AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{Date32Type, Field, Schema};
use datafusion::prelude::SessionContext;
use indexmap::IndexMap;
use sha2::{Digest, Sha256};

use self::across::RowSet;
use self::conform::Conform;
use self::judge::Judge;
use self::quarantine::Quarantine;
use self::source::{Source, SourceBatch};
use self::staging::Staging;
use super::listing::loading_folder;
use super::{LocalLake, blocking};
use crate::lake::incoming::{Loader, Lock, Split, SplitRequest, UNREADABLE_ROW, Violations};
use crate::lake::{Cost, Table};
use crate::{Error, Result};

/// Batches that are read ahead while others are judged and written.
const READ_AHEAD: usize = 4;
/// The lock of a table's loads, in the folder of its loads.
const LOCK: &str = ".lock";

#[async_trait]
impl Loader for LocalLake {
    async fn fingerprint(&self, file: &Path) -> Result<String> {
        let path = file.to_owned();
        blocking(move || fingerprint(&path)).await
    }

    async fn lock(&self, table: &Table) -> Result<Lock> {
        let folder = loading_folder(&folder_of(table)?);
        blocking(move || {
            std::fs::create_dir_all(&folder).map_err(|error| staging::unwritable(&folder, &error))?;
            let path = folder.join(LOCK);
            let file = File::options().create(true).truncate(false).write(true).open(&path);
            let file = file.map_err(|error| staging::unwritable(&path, &error))?;
            file.lock().map_err(|error| staging::unwritable(&path, &error))?;
            Ok(Lock::new(file))
        })
        .await
    }

    async fn pending(&self, table: &Table) -> Result<Vec<String>> {
        let folder = folder_of(table)?;
        blocking(move || staging::pending(&folder)).await
    }

    async fn split(&self, request: SplitRequest) -> Result<Split> {
        let (folder, load_id) = (folder_of(&request.table)?, request.load_id.clone());
        let split = self.split_into(&folder, request).await;
        if split.is_err() {
            // What stays behind is in nobody's way: the next load throws it away.
            let _ = blocking(move || staging::discard(&folder, &load_id)).await;
        }
        split
    }

    async fn commit(&self, table: &Table, load_id: &str) -> Result<()> {
        let (folder, load_id) = (folder_of(table)?, load_id.to_owned());
        blocking(move || staging::commit(&folder, &load_id)).await
    }

    async fn discard(&self, table: &Table, load_id: &str) -> Result<()> {
        let (folder, load_id) = (folder_of(table)?, load_id.to_owned());
        blocking(move || staging::discard(&folder, &load_id)).await
    }
}

impl LocalLake {
    async fn split_into(&self, folder: &Path, request: SplitRequest) -> Result<Split> {
        let started = Instant::now();
        let loaded = self.inner.load(&request.table.name).await?;
        let fields = loaded.file_schema.fields().iter().chain(&loaded.partition_fields).cloned();
        let types = request.table.schema.columns.iter().map(|column| column.data_type.clone());
        let columns: Vec<(Arc<Field>, DataType)> = fields.zip(types).collect();
        let names: Vec<String> = columns.iter().map(|(field, _)| field.name().clone()).collect();
        let source = {
            let (file, name, names) = (request.file.clone(), request.table.name.clone(), names.clone());
            Arc::new(blocking(move || Source::open(&file, &name, &names)).await?)
        };
        let across = across::violations(self, &request, &source, &columns).await?;
        let passes = if across.is_some() { 2 } else { 1 };
        let keys = loaded.partition_fields.iter().map(|field| field.name().clone()).collect();
        let work = Work {
            context: self.context().clone(),
            folder: folder.to_owned(),
            request,
            source: source.clone(),
            columns,
            keys,
            across: across.unwrap_or_default(),
        };
        let mut split = blocking(move || work.run()).await?;
        (split.missing_columns, split.unknown_columns) = source.differences(&names);
        split.cost = Cost { seconds: started.elapsed().as_secs_f64(), bytes_scanned: source.bytes * passes };
        Ok(split)
    }
}

/// The one pass over a file.
struct Work {
    context: SessionContext,
    folder: PathBuf,
    request: SplitRequest,
    source: Arc<Source>,
    columns: Vec<(Arc<Field>, DataType)>,
    /// The names of the partition keys.
    keys: Vec<String>,
    across: Vec<(usize, RowSet)>,
}

impl Work {
    fn run(self) -> Result<Split> {
        let Self { context, folder, request, source, columns, keys, across } = self;
        let read: Vec<usize> = (0..source.schema.fields().len()).collect();
        let wanted: Vec<usize> = (0..columns.len()).collect();
        let conform = Conform::new(&context, &source, &columns, &wanted, &read)?;
        let judge = Judge::new(&context, &request, &source, &conform.schema, across)?;
        staging::begin(&folder, &request.load_id)?;
        let mut staging = Staging::new(&folder, &request.load_id, request.table.format, &conform.schema, &keys)?;
        let mut quarantine = Quarantine::new(&request, &source, staging::quarantine(&folder, &request.load_id));
        let mut split = Split {
            violations: request.rules.iter().map(|rule| (rule.id.clone(), Violations::default())).collect(),
            ..Split::default()
        };
        let mut days = Days::of(&request.table, &conform.schema);
        let mut batches = source.batches(&read)?;
        let (sender, receiver) = sync_channel::<Result<SourceBatch>>(READ_AHEAD);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                while let Some(batch) = batches.next().transpose() {
                    let last = batch.is_err();
                    if sender.send(batch).is_err() || last {
                        break;
                    }
                }
            });
            for raw in receiver {
                let raw = raw?;
                let typed = conform.apply(&raw).map_err(|error| {
                    Error::input(source.path.display(), error, "have the file delivered again; nothing was loaded")
                })?;
                split.input += raw.rows as u64;
                days.count(&typed.batch);
                let judged = judge.judge(&raw, &typed)?;
                for (counted, found) in split.violations.values_mut().zip(&judged.violations) {
                    counted.rows += found.as_ref().map_or(0, |found| found.count_set_bits() as u64);
                }
                if judged.bad.count_set_bits() == 0 {
                    staging.write(&typed.batch)?;
                    continue;
                }
                if !raw.broken.is_empty() {
                    split.violations.entry(UNREADABLE_ROW.to_owned()).or_default().rows += raw.broken.len() as u64;
                }
                staging.write(&good_rows(&typed.batch, &judged.bad, &source)?)?;
                quarantine.write(&raw, &judged.bad, &judged.violations, &mut split.violations)?;
            }
            Ok::<(), Error>(())
        })?;
        if let Some(place) = split.violations.get_index_of(UNREADABLE_ROW) {
            split.violations.move_index(place, 0);
        }
        split.quarantined = quarantine.rows;
        split.quarantine = quarantine.finish()?;
        split.partitions = staging.finish()?;
        split.good = split.partitions.iter().map(|partition| partition.rows).sum();
        split.days = days.by_text();
        Ok(split)
    }
}

fn good_rows(
    batch: &RecordBatch,
    bad: &datafusion::arrow::buffer::BooleanBuffer,
    source: &Source,
) -> Result<RecordBatch> {
    filter_record_batch(batch, &BooleanArray::new(!bad, None))
        .map_err(|error| Error::environment(source.path.display(), error, "run again"))
}

/// Counts rows by the table's first partition key that is a date.
struct Days {
    place: Option<usize>,
    counts: BTreeMap<i32, u64>,
}

impl Days {
    fn of(table: &Table, schema: &Schema) -> Self {
        let key = table.schema.columns.iter().find(|column| column.partition_key && column.data_type == DataType::Date);
        let place = key.and_then(|key| judge::place(schema, &key.name));
        Self { place, counts: BTreeMap::new() }
    }

    fn count(&mut self, batch: &RecordBatch) {
        let column = self.place.and_then(|place| batch.columns().get(place));
        let Some(days) = column.and_then(|column| column.as_primitive_opt::<Date32Type>()) else { return };
        for day in days.iter().flatten() {
            *self.counts.entry(day).or_default() += 1;
        }
    }

    fn by_text(self) -> IndexMap<String, u64> {
        let text = |(day, rows)| Some((chrono::NaiveDate::from_epoch_days(day)?.to_string(), rows));
        self.counts.into_iter().filter_map(text).collect()
    }
}

/// The folder of a table that can be loaded into.
fn folder_of(table: &Table) -> Result<PathBuf> {
    let folder = PathBuf::from(&table.location);
    if !folder.is_file() {
        return Ok(folder);
    }
    let stem = table.name.table.as_str();
    let own = folder.with_file_name(stem);
    Err(Error::input(
        folder.display(),
        format!("is the whole of {}: a table that is one file cannot be loaded into", table.name),
        format!("move the file into a folder of its own, {}", own.display()),
    ))
}

fn fingerprint(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(|error| Error::io(path, &error))?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut buffer).map_err(|error| Error::io(path, &error))?;
        if read == 0 {
            return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hash.update(buffer.get(..read).unwrap_or_default());
    }
}
