//! The whole pipeline for one table or all.

use std::path::{Path, PathBuf};
use std::time::Instant;

use contract::rule::Severity;
use contract::schema::TableName;
use serde::Serialize;

use super::analyze::{self, Jobs};
use super::artifacts::{self, Keys};
use super::postload::{PostloadOptions, Run, Status, postload};
use super::preload::{Preload, PreloadOptions, preload};
use super::profile::{ProfileOptions, profile};
use super::verify::Verdict;
use super::{Progress, StageReport, context, generate, history};
use crate::generator::Generator;
use crate::lake::incoming::LoadedPartition;
use crate::lake::{Cost, Lake};
use crate::project::{Project, Unknown};
use crate::{Error, Result};

/// What a run shall do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunOptions {
    /// Only these tables, `table` or `database.table`; all where empty.
    pub tables: Vec<String>,
    /// Identifies the run in results; the instant of its start where absent.
    pub run_id: Option<String>,
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RunReport {
    /// Every stage, in the order of their ends.
    pub stages: Vec<StageReport>,
    /// Every table, in the order of the catalog.
    pub tables: Vec<TableRun>,
    /// What the project does not say, with the setting that would.
    pub unknowns: Vec<Unknown>,
    /// Where the artifacts that were written lie.
    pub artifacts: Vec<String>,
}

/// What a run did for one table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableRun {
    /// The table.
    pub table: TableName,
    /// Rules and tests that were proposed, each kept or refused.
    pub verdicts: Vec<Verdict>,
    /// The incoming files that could be judged.
    pub preloads: Vec<Preload>,
    /// How its tests went; absent where they could not run.
    pub postload: Option<Run>,
    /// Why the table could not be finished: every stage and file that failed, a line each.
    pub error: Option<String>,
    /// Whether that is the environment's fault, not the input's.
    pub environment_failed: bool,
}

impl RunReport {
    /// The process exit code: 3 the environment failed, 2 bad input or tests that cannot be evaluated, 1 tests of
    /// severity `error` failed or a load was stopped, 0 fine.
    pub fn exit_code(&self) -> u8 {
        let worst = |of: fn(&Run) -> Option<Severity>| {
            self.tables.iter().any(|run| run.postload.as_ref().and_then(of) == Some(Severity::Error))
        };
        let stopped = self.tables.iter().flat_map(|run| &run.preloads).any(|load| load.stopped.is_some());
        match () {
            () if self.tables.iter().any(|run| run.environment_failed) => 3,
            () if self.tables.iter().any(|run| run.error.is_some()) || worst(Run::worst_errored) => 2,
            () if worst(Run::worst) || stopped => 1,
            () => 0,
        }
    }
}

/// Runs the pipeline: the scripts are analyzed once; then each table is profiled, its context stored, its contract,
/// tests and documentation generated, what `[incoming]` names for it loaded, and the table tested.
///
/// What fails for one table, or for one incoming file, is in the report and stops no other.
///
/// # Errors
/// A lake that cannot be listed, scripts that cannot be searched, and a table that is asked for and does not exist.
pub async fn run(
    project: &Project,
    lake: &dyn Lake,
    generator: &dyn Generator,
    options: &RunOptions,
    progress: &dyn Progress,
) -> Result<RunReport> {
    let mut report = RunReport::default();
    let clock = Instant::now();
    progress.started("analyze", None);
    let jobs = analyze::analyze(project, lake).await?;
    let summary = format!("{} jobs, {} scripts unreadable", jobs.jobs.len(), jobs.unreadable.len());
    end(&mut report.stages, progress, stage("analyze", None, clock, Cost::default(), Ok(summary)));
    report.unknowns = jobs.unknowns.clone();

    let all = analyze::tables(project, lake, &jobs).await?;
    let tables = chosen(&options.tables, &all)?;
    let run_id =
        options.run_id.clone().unwrap_or_else(|| lake.now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
    for table in tables {
        let mut work =
            Work { project, lake, generator, progress, jobs: &jobs, table: &table, run_id: &run_id, all: &all };
        let run = work.run(&mut report).await;
        report.tables.push(run);
    }
    report.artifacts.sort();
    report.artifacts.dedup();
    Ok(report)
}

/// One table on its way through the stages.
struct Work<'a> {
    project: &'a Project,
    lake: &'a dyn Lake,
    generator: &'a dyn Generator,
    progress: &'a dyn Progress,
    jobs: &'a Jobs,
    table: &'a TableName,
    run_id: &'a str,
    all: &'a [TableName],
}

impl Work<'_> {
    async fn run(&mut self, report: &mut RunReport) -> TableRun {
        let mut run = TableRun {
            table: self.table.clone(),
            verdicts: Vec::new(),
            preloads: Vec::new(),
            postload: None,
            error: None,
            environment_failed: false,
        };
        if let Err(error) = self.learn(report, &mut run).await {
            run.fail(&error);
        }
        let partitions = self.load(report, &mut run).await;
        match self.test(report, partitions).await {
            Ok(tested) => run.postload = tested,
            Err(error) => run.fail(&error),
        }
        run
    }

    /// Profile, context, contract, tests and documentation.
    async fn learn(&mut self, report: &mut RunReport, run: &mut TableRun) -> Result<()> {
        let (lake, table) = (self.lake, self.table);
        let clock = self.begin("profile");
        let profiled = match lake.catalog().tables().await?.contains(table) {
            true => profile(lake, table, &ProfileOptions::default()).await.map(Some),
            false => Ok(None),
        };
        let summary = |profiled: &Option<super::profile::Profiled>| match profiled {
            Some(profiled) => {
                let profile = &profiled.profile;
                let unreadable = match profile.unreadable_files.len() {
                    0 => String::new(),
                    files => format!(", {files} files cannot be read"),
                };
                format!("{} rows, {} columns{unreadable}", profile.row_count, profile.column_stats.len())
            }
            None => "no data yet".to_owned(),
        };
        let cost = profiled.as_ref().ok().and_then(Option::as_ref).map_or(Cost::default(), |profiled| profiled.cost);
        let outcome = profiled.as_ref().map(summary).map_err(Clone::clone);
        end(&mut report.stages, self.progress, stage("profile", Some(table), clock, cost, outcome));
        let profile = match profiled? {
            Some(profiled) => {
                history::record_profile(lake, table, &profiled.profile).await?;
                profiled.profile
            }
            None => context::without_data(lake, table),
        };

        let clock = self.begin("context");
        let known = context::context(self.project, lake, self.jobs, &profile).await;
        let summary = known.as_ref().map(|known| format!("{} columns", known.schema.len())).map_err(Clone::clone);
        end(&mut report.stages, self.progress, stage("context", Some(table), clock, Cost::default(), summary));
        let known = known?;

        let clock = self.begin("generate");
        let generated = generate::generate(self.project, lake, self.generator, &known).await;
        let summary = generated.as_ref().map_err(Clone::clone).map(|generated| {
            let kept = generated.verdicts.iter().filter(|verdict| verdict.kept).count();
            format!("{kept} rules and tests kept, {} refused", generated.verdicts.len() - kept)
        });
        let cost = generated.as_ref().map_or(Cost::default(), |generated| generated.cost);
        end(&mut report.stages, self.progress, stage("generate", Some(table), clock, cost, summary));
        let generated = generated?;
        report.artifacts.extend(generated.artifacts);
        run.verdicts = generated.verdicts;
        Ok(())
    }

    /// Loads the files that `[incoming]` names for the table; the partitions that were written.
    async fn load(&mut self, report: &mut RunReport, run: &mut TableRun) -> Vec<LoadedPartition> {
        let mut partitions = Vec::new();
        let files = match incoming(self.project, self.table, self.all) {
            Ok(files) => files,
            Err(error) => {
                run.fail(&error);
                return partitions;
            }
        };
        for file in files {
            let clock = self.begin("preload");
            let loaded = preload(self.project, self.lake, self.table, &file, &PreloadOptions::default()).await;
            let cost = loaded.as_ref().map_or(Cost::default(), |load| load.cost);
            let summary = loaded.as_ref().map(summary_of).map_err(Clone::clone);
            end(&mut report.stages, self.progress, stage("preload", Some(self.table), clock, cost, summary));
            match loaded {
                Ok(load) => {
                    if load.loaded && !load.already_loaded {
                        partitions.extend(load.partitions.iter().cloned());
                    }
                    report.artifacts.extend(load.quarantine.iter().map(|key| self.lake.store().locate(key)));
                    run.preloads.push(load);
                }
                Err(error) => run.fail(&error),
            }
        }
        partitions
    }

    /// Tests the table; `None` where it has no data or no contract, which the stages before have told.
    async fn test(&mut self, report: &mut RunReport, partitions: Vec<LoadedPartition>) -> Result<Option<Run>> {
        let (lake, table) = (self.lake, self.table);
        let keys = Keys::new(table, self.all);
        let has_contract = artifacts::contract(lake.store(), &keys).await.map_or(true, |stored| stored.is_some());
        if !has_contract || !lake.catalog().tables().await?.contains(table) {
            return Ok(None);
        }
        let clock = self.begin("postload");
        let options = PostloadOptions {
            run_id: Some(self.run_id.to_owned()),
            partitions: Some(partitions),
            ..PostloadOptions::default()
        };
        let tested = postload(self.project, lake, table, &options).await;
        let cost = tested.as_ref().map_or(Cost::default(), |run| run.cost);
        let summary = tested.as_ref().map_err(Clone::clone).map(|run| {
            let count = |status| run.count(status);
            format!(
                "{} passed, {} failed, {} not evaluated, in {} {}",
                count(Status::Passed),
                count(Status::Failed),
                count(Status::Errored),
                run.queries,
                if run.queries == 1 { "query" } else { "queries" }
            )
        });
        end(&mut report.stages, self.progress, stage("postload", Some(table), clock, cost, summary));
        let run = tested?;
        report.artifacts.extend([keys.results(&run.date), keys.stats(&run.date)].map(|key| lake.store().locate(&key)));
        Ok(Some(run))
    }

    fn begin(&self, name: &'static str) -> Instant {
        self.progress.started(name, Some(self.table));
        Instant::now()
    }
}

impl TableRun {
    fn fail(&mut self, error: &Error) {
        self.environment_failed |= matches!(error, Error::Environment { .. });
        let text = error.to_string();
        self.error = Some(self.error.take().map_or(text.clone(), |before| format!("{before}\n{text}")));
    }
}

/// The files that `[incoming]` names for a table, sorted by path: those of a folder at any depth, or the one named.
///
/// # Errors
/// A folder or file that does not exist.
pub fn incoming(project: &Project, table: &TableName, all: &[TableName]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for (written, path) in &project.settings.incoming {
        if named(written, all).contains(&table) {
            let path = project.root.join(path);
            if !path.exists() {
                return Err(Error::input(
                    format!("setting incoming.\"{written}\""),
                    format!("{} does not exist", path.display()),
                    "create it, or correct the setting in de-copilot.toml",
                ));
            }
            collect(&path, &mut files)?;
        }
    }
    files.sort();
    Ok(files)
}

/// Files at any depth; names that start with `.` or `_` are passed over, as everywhere in a lake.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(|error| Error::io(path, &error))? {
        let entry = entry.map_err(|error| Error::io(path, &error))?;
        if !entry.file_name().to_string_lossy().starts_with(['.', '_']) {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}

/// The tables that a name means: `database.table`, or `table` in any database.
fn named<'a>(written: &str, all: &'a [TableName]) -> Vec<&'a TableName> {
    let written = written.to_lowercase();
    all.iter().filter(|table| table.to_string() == written || table.table == written).collect()
}

/// The tables of a run, in the order of `all`.
fn chosen(written: &[String], all: &[TableName]) -> Result<Vec<TableName>> {
    let mut chosen: Vec<TableName> = Vec::new();
    for name in written {
        let found = named(name, all);
        if found.is_empty() {
            let known = all.iter().map(TableName::to_string).collect::<Vec<_>>();
            let near = contract::schema::nearest(name, known.iter().map(String::as_str));
            let next = match near.as_slice() {
                [] => format!("the tables are {}", known.join(", ")),
                near => format!("did you mean {}?", near.join(", ")),
            };
            return Err(Error::input(format!("table {name}"), "is not in the lake and no job writes it", next));
        }
        chosen.extend(found.into_iter().cloned());
    }
    Ok(all.iter().filter(|table| written.is_empty() || chosen.contains(table)).cloned().collect())
}

fn summary_of(load: &Preload) -> String {
    let counts = format!("{}: {} rows = {} good + {} quarantined", load.file, load.input, load.good, load.quarantined);
    match &load.stopped {
        _ if load.already_loaded => format!("{}: loaded before", load.file),
        Some(reason) => format!("{counts}; stopped: {reason}"),
        None => counts,
    }
}

fn stage(
    name: &'static str,
    table: Option<&TableName>,
    clock: Instant,
    cost: Cost,
    outcome: std::result::Result<String, Error>,
) -> StageReport {
    StageReport {
        name,
        table: table.map(TableName::to_string),
        seconds: clock.elapsed().as_secs_f64(),
        cost,
        ok: outcome.is_ok(),
        summary: outcome.unwrap_or_else(|error| error.to_string()),
    }
}

fn end(stages: &mut Vec<StageReport>, progress: &dyn Progress, report: StageReport) {
    progress.finished(&report);
    stages.push(report);
}
