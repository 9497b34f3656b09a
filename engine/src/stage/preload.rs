//! Incoming files before they become a table's rows: good rows are loaded, bad ones quarantined with their reasons.
//!
//! A load is one file with one content for one table, and happens once: its record in the store,
//! `loads/<table>/<load>.json`, says that it happened. The steps are: split the file (good rows stay where no reader
//! sees them), put the quarantined rows in their place, write the record, make the good rows the table's. A run that
//! finds a load split and not finished finishes it if its record says loaded, and throws it away if not; so whenever a
//! process dies, every row is in the table once or not at all.

mod rules;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Instant;

use contract::rule::Mode;
use contract::schema::TableName;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::artifacts::{self, Keys, StoredContract};
use crate::lake::incoming::{LoadedPartition, Loader, QuarantinedRow, Split, SplitRequest, UNREADABLE_ROW};
use crate::lake::{ArtifactStore, Cost, Expected, Lake, Table};
use crate::project::Project;
use crate::{Error, Result};

/// How a file is loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PreloadOptions {
    /// Largest share of bad rows, 0 to 1; the project's `[preload].max_bad_share` where absent.
    pub max_bad_share: Option<f64>,
}

/// What became of an incoming file. Its record in the store has the same shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preload {
    /// Identifies table, file and content.
    pub load_id: String,
    /// The table.
    pub table: TableName,
    /// The file, relative to the project's folder where it lies in it.
    pub file: String,
    /// The date of the data, `YYYY-MM-DD`: the day with most of the file's rows, or the day of the load.
    pub date: String,
    /// When it was judged, UTC, RFC 3339.
    pub at: String,
    /// Rows of the file; always `good + quarantined`.
    pub input: u64,
    /// Rows that no quarantining rule is violated by.
    pub good: u64,
    /// Rows that were set aside.
    pub quarantined: u64,
    /// Whether the good rows are in the table.
    pub loaded: bool,
    /// Whether they were there before, from the same file and content: nothing was done.
    pub already_loaded: bool,
    /// Why the load was stopped and what to do; nothing of the file is in the table then.
    pub stopped: Option<String>,
    /// The rules that were judged, in the order in which a row's reasons are listed.
    pub rules: Vec<RuleCount>,
    /// Where the good rows went.
    pub partitions: Vec<LoadedPartition>,
    /// The key of the quarantined rows in the store; absent where there are none.
    pub quarantine: Option<String>,
    /// What a person should know: columns that are missing or not the table's, rules that cannot be judged.
    pub notes: Vec<String>,
    /// What it cost.
    pub cost: Cost,
}

/// What a rule found in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleCount {
    /// The rule.
    pub rule_id: String,
    /// `observe`, `quarantine` or `fail`.
    pub mode: String,
    /// Rows that violate it.
    pub violations: u64,
    /// Rows of which it is the first reason, their `rule_name`.
    pub first: u64,
}

/// Loads one incoming file (CSV, JSON lines or Parquet; text may be gzip) into a table.
///
/// Rows are judged by the contract's rules of the stages `pre_load` and `both`, by the pre-load tests that are no rule's,
/// and always by the types of the table's columns, so that no text silently becomes NULL. A rule in mode `observe` only
/// counts, and so does a muted one. A rule in mode `fail` that is violated beyond its threshold, or a share of bad rows
/// above the limit, stops the load: nothing is loaded and all bad rows are quarantined.
///
/// # Errors
/// An unknown table, one without a contract, tests of another state of the contract, a file that cannot be read to its
/// end, a table or store that cannot be written. Nothing of the file is then in the table.
pub async fn preload(
    project: &Project,
    lake: &dyn Lake,
    table: &TableName,
    file: &Path,
    options: &PreloadOptions,
) -> Result<Preload> {
    let started = Instant::now();
    let (store, loader) = (lake.store(), lake.loader());
    let all = lake.catalog().tables().await?;
    let found = lake.catalog().table(table).await?;
    refuse_store_in_table(project, &found)?;
    let keys = Keys::new(table, &all);
    let stored = artifacts::contract(store, &keys).await?;
    let stored = stored.ok_or_else(|| artifacts::no_contract(store, &keys, table))?;
    let suite = artifacts::tests(store, &keys).await?;
    let suite = suite.map(|suite| artifacts::fresh(store, &keys, &stored, suite)).transpose()?;
    let notes = stored.notes();
    let StoredContract { contract, .. } = stored;
    let path = project.root.join(file);
    let name = shown(project, &path);

    let _lock = loader.lock(&found).await?;
    recover(store, loader, &keys, &found).await?;
    let content = loader.fingerprint(&path).await?;
    let load_id = id_of(table, &name, &content);
    if let Some(record) = record(store, &keys, &load_id).await?.filter(|record| record.loaded) {
        return Ok(Preload { already_loaded: true, cost: Cost::default(), ..record });
    }
    let mut chosen = rules::choose(&contract, suite.as_ref(), &found, &all, lake.now());
    chosen.notes.extend(notes);
    let request = SplitRequest {
        table: found.clone(),
        file: path.clone(),
        load_id: load_id.clone(),
        rules: chosen.rules.clone(),
        now: lake.now(),
    };
    let split = loader.split(request).await?;
    let bad_share = options.max_bad_share.unwrap_or(project.settings.preload.max_bad_share);
    let mut load = Preload {
        load_id,
        table: table.clone(),
        file: name,
        date: date_of(&split, lake),
        at: lake.now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        input: split.input,
        good: split.good,
        quarantined: split.quarantined,
        loaded: false,
        already_loaded: false,
        stopped: stop(&chosen, &split, bad_share, &path),
        rules: counts(&chosen, &split),
        partitions: split.partitions.clone(),
        quarantine: None,
        notes: chosen.notes,
        cost: split.cost,
    };
    load.notes.extend(column_notes(&split));
    let finished = finish(store, loader, &keys, &found, &split, &mut load, started).await;
    if finished.is_err() && !load.loaded {
        // Best effort: what stays behind has no record, so the next run throws it away.
        let _ = loader.discard(&found, &load.load_id).await;
    }
    finished.map(|()| load)
}

/// All rows that a load quarantined, in the order of the file.
///
/// # Errors
/// A quarantine file that somebody removed or broke.
pub async fn quarantined(lake: &dyn Lake, load: &Preload) -> Result<Vec<QuarantinedRow>> {
    let Some(key) = &load.quarantine else { return Ok(Vec::new()) };
    let store = lake.store();
    let missing = || Error::input(store.locate(key), "is not there", "restore it, or delete the load's record");
    let text = artifacts::read_text(store, key).await?.ok_or_else(missing)?;
    let row = |(line, text): (usize, &str)| {
        serde_json::from_str(text)
            .map_err(|error| Error::input(format!("{}:{}", store.locate(key), line + 1), error, "restore the file"))
    };
    text.lines().enumerate().map(row).collect()
}

/// The records of a table's loads, in the order in which they were judged.
pub async fn loads(lake: &dyn Lake, table: &TableName) -> Result<Vec<Preload>> {
    let store = lake.store();
    let keys = Keys::new(table, &lake.catalog().tables().await?);
    let mut loads = Vec::new();
    for key in store.list(&keys.loads()).await? {
        loads.extend(artifacts::read_document::<Preload>(store, &key).await?);
    }
    loads.sort_by(|a, b| (&a.at, &a.file).cmp(&(&b.at, &b.file)));
    Ok(loads)
}

/// Finishes the loads of runs that died: forward where the record says loaded, else back.
async fn recover(store: &dyn ArtifactStore, loader: &dyn Loader, keys: &Keys, table: &Table) -> Result<()> {
    for load_id in loader.pending(table).await? {
        match record(store, keys, &load_id).await? {
            Some(record) if record.loaded => loader.commit(table, &load_id).await?,
            _ => loader.discard(table, &load_id).await?,
        }
    }
    Ok(())
}

/// Puts everything in its place. The record is what decides: before it nothing is loaded, after it everything will be.
async fn finish(
    store: &dyn ArtifactStore,
    loader: &dyn Loader,
    keys: &Keys,
    table: &Table,
    split: &Split,
    load: &mut Preload,
    started: Instant,
) -> Result<()> {
    reconcile(split, &load.file)?;
    if let Some(rows) = &split.quarantine {
        let key = keys.quarantine(&load.date, &load.load_id);
        store.put_file(&key, rows).await?;
        load.quarantine = Some(key);
    }
    load.cost.seconds = started.elapsed().as_secs_f64();
    let record = Preload { loaded: load.stopped.is_none(), ..load.clone() };
    store.put(&keys.load(&load.load_id), artifacts::to_text(&record).as_bytes(), Expected::Any).await?;
    load.loaded = record.loaded;
    match load.loaded {
        true => loader.commit(table, &load.load_id).await?,
        false => loader.discard(table, &load.load_id).await?,
    }
    load.cost.seconds = started.elapsed().as_secs_f64();
    Ok(())
}

/// Every row that was read was written exactly once; the three counts come from the reader and the two writers.
fn reconcile(split: &Split, file: &str) -> Result<()> {
    if split.input == split.good + split.quarantined {
        return Ok(());
    }
    Err(Error::environment(
        file,
        format!(
            "{} rows were read, but {} good and {} quarantined ones written; nothing was loaded",
            split.input, split.good, split.quarantined
        ),
        "run again; if it stays, report it with the file",
    ))
}

/// Why the load must stop, with what to do.
fn stop(chosen: &rules::Chosen, split: &Split, max_bad_share: f64, path: &Path) -> Option<String> {
    let again = format!("correct {} and load it again", path.display());
    let failing = chosen.settings.iter().find(|(id, setting)| {
        let rows = split.violations.get(*id).map_or(0, |violations| violations.rows);
        setting.mode == Mode::Fail && rules::exceeds(rows, split.input, setting.threshold)
    });
    if let Some((id, _)) = failing {
        let rows = split.violations.get(id).map_or(0, |violations| violations.rows);
        return Some(format!("{rows} rows violate {id}, which stops a load; {again}, or change the rule's `mode`"));
    }
    let share = split.quarantined as f64 / split.input.max(1) as f64;
    (share > max_bad_share).then(|| {
        format!(
            "{} of {} rows are bad ({:.1} %), at most {:.1} % may be; {again}, or raise `preload.max_bad_share`",
            split.quarantined,
            split.input,
            share * 100.0,
            max_bad_share * 100.0
        )
    })
}

fn counts(chosen: &rules::Chosen, split: &Split) -> Vec<RuleCount> {
    let unreadable = split.violations.keys().filter(|id| *id == UNREADABLE_ROW);
    let count = |id: &String| {
        let violations = split.violations.get(id).copied().unwrap_or_default();
        let mode = chosen.settings.get(id).map_or(Mode::Quarantine, |setting| setting.mode);
        let mode = match mode {
            Mode::Observe => "observe",
            Mode::Quarantine => "quarantine",
            Mode::Fail => "fail",
        };
        RuleCount { rule_id: id.clone(), mode: mode.into(), violations: violations.rows, first: violations.first }
    };
    unreadable.chain(chosen.settings.keys()).map(count).collect()
}

fn column_notes(split: &Split) -> impl Iterator<Item = String> {
    let note =
        |columns: &[String], what: &str| (!columns.is_empty()).then(|| format!("{}: {what}", columns.join(", ")));
    let unknown = note(&split.unknown_columns, "in the file and not in the table, so not loaded");
    let missing = note(&split.missing_columns, "in the table and not in the file, so NULL");
    unknown.into_iter().chain(missing)
}

/// The day with most rows; the smallest of several.
fn date_of(split: &Split, lake: &dyn Lake) -> String {
    let usual = split.days.iter().max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0)));
    usual.map_or_else(|| lake.now().format("%Y-%m-%d").to_string(), |(day, _)| day.clone())
}

/// Table, file and content: the same content under another name is another load.
fn id_of(table: &TableName, file: &str, content: &str) -> String {
    let digest = Sha256::digest(format!("{table}\0{file}\0{content}"));
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

async fn record(store: &dyn ArtifactStore, keys: &Keys, load_id: &str) -> Result<Option<Preload>> {
    artifacts::read_document(store, &keys.load(load_id)).await
}

/// The file as reports name it: relative to the project where it lies in it, always with `/`.
fn shown(project: &Project, path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let root = project.root.canonicalize().unwrap_or_else(|_| project.root.clone());
    whole.strip_prefix(&root).unwrap_or(&whole).to_string_lossy().replace('\\', "/")
}

/// A store in the table's folder would make quarantined rows data of the table.
fn refuse_store_in_table(project: &Project, table: &Table) -> Result<()> {
    let store = absolute(&project.store_root());
    if store.starts_with(absolute(Path::new(&table.location))) {
        return Err(Error::input(
            store.display(),
            format!("lies in the folder of {}: quarantined rows would become rows of the table", table.name),
            "set `store.root` in de-copilot.toml to a folder outside of the lake's tables",
        ));
    }
    Ok(())
}

/// The canonical path, as far as it exists.
fn absolute(path: &Path) -> PathBuf {
    let existing = path.ancestors().find_map(|part| Some((part, part.canonicalize().ok()?)));
    match existing {
        Some((part, whole)) => path.strip_prefix(part).map_or_else(|_| path.to_owned(), |rest| whole.join(rest)),
        None => path.to_owned(),
    }
}
