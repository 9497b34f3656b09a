//! The demo's run: the stages of the pipeline, on the history first and then day by day on what arrives.

use std::path::{Path, PathBuf};
use std::time::Instant;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use contract::document::Profile;
use contract::schema::TableName;
use engine::generator::{self, Generator};
use engine::lake::Lake;
use engine::lake::local::LocalLake;
use engine::project::{FILE_NAME, Project};
use engine::stage::analyze::{JobLineage, Jobs, analyze};
use engine::stage::context::context;
use engine::stage::generate::{Generated, generate};
use engine::stage::history::record_profile;
use engine::stage::postload::{PostloadOptions, postload};
use engine::stage::preload::{PreloadOptions, preload, quarantined};
use engine::stage::profile::{ProfileOptions, profile};
use engine::{Error, Result};
use fixtures::planted::{Delivery, Planted};
use serde::Serialize;

use super::folder::clear;
use super::judge::{Judgement, Load, Seen, Tested, judge};
use crate::folder::lake_options;
use crate::output::counted;
use crate::progress::Spinner;

/// Deliveries are looked at in the morning after their day, when the contract says that they are there.
const MORNING: NaiveTime = match NaiveTime::from_hms_opt(7, 0, 0) {
    Some(time) => time,
    None => NaiveTime::MIN,
};

/// A run of the demo.
pub(crate) struct Finished {
    pub(super) out: PathBuf,
    pub(super) stages: Vec<Stage>,
    pub(super) lineage: Vec<JobLineage>,
    pub(super) generated: Vec<Generated>,
    pub(super) seen: Seen,
    pub(super) judgement: Judgement,
    pub(super) artifacts: Vec<String>,
}

impl Finished {
    /// 0 where all was found that these stages can find and nothing else was flagged, else 1.
    pub(crate) fn exit_code(&self) -> u8 {
        u8::from(!(self.judgement.is_right() && self.stages.iter().all(|stage| stage.ok)))
    }
}

/// One stage of the run.
#[derive(Serialize)]
pub(crate) struct Stage {
    pub(super) name: &'static str,
    pub(super) seconds: f64,
    /// Whether it could do its work, whatever it found.
    pub(super) ok: bool,
    #[serde(skip)]
    pub(super) summary: String,
}

/// Makes the data in `out`, which is the demo's, and runs all stages on it. `tell` hears of each stage as it ends.
///
/// # Errors
/// Options too small for the troubles, and whatever keeps a stage from its work.
pub(crate) async fn run(out: &Path, options: &fixtures::Options, tell: &dyn Fn(&Stage)) -> Result<Finished> {
    let mut stages = Stages { done: Vec::new(), tell, spinner: Spinner::new() };
    let planted = make_data(out, options, &mut stages).await?;
    let project = Project::load(&out.join(FILE_NAME))?;
    // The clock stands on the morning after the last day of the history.
    let lake = lake_on(&project, planted.history.1)?;

    let clock = stages.begin("analyze");
    let jobs = analyze(&project, &lake).await?;
    let lineage = jobs.lineage();
    stages.end("analyze", clock, jobs.unreadable.is_empty(), analyzed(&jobs));

    let clock = stages.begin("profile");
    let (mut profiles, mut rows) = (Vec::new(), 0);
    for table in lake.catalog().tables().await? {
        let profiled = profile(&lake, &table, &ProfileOptions::default()).await?;
        record_profile(&lake, &table, &profiled.profile).await?;
        rows += profiled.profile.row_count;
        profiles.push((table, profiled.profile));
    }
    let summary = format!("{}, {}, one scan each", counted(profiles.len() as u64, "table"), counted(rows, "row"));
    stages.end("profile", clock, true, summary);

    let generated = propose(&project, &lake, &jobs, &profiles, &mut stages).await?;

    let table = table_of(&planted)?;
    let mut seen = Seen::default();
    for one in &generated {
        if one.table == table.to_string() {
            seen.verdicts.extend(one.verdicts.iter().cloned());
            seen.rules.extend(one.contract.rules().cloned());
        }
    }
    take_in(&project, &table, &planted, &mut seen, &mut stages).await?;

    let judgement = judge(&planted, &seen);
    let artifacts = artifacts(&lake).await?;
    let stages = stages.done;
    Ok(Finished { out: out.to_owned(), stages, lineage, generated, seen, judgement, artifacts })
}

async fn make_data(out: &Path, options: &fixtures::Options, stages: &mut Stages<'_>) -> Result<Planted> {
    let clock = stages.begin("data");
    let (folder, options) = (out.to_owned(), *options);
    let made = tokio::task::spawn_blocking(move || {
        clear(&folder)?;
        fixtures::generate(&folder, &options).map_err(|error| match error {
            fixtures::Error::Options(problem) => Error::input("--rows, --days", problem, "choose larger ones"),
            fixtures::Error::File { path, source } => Error::io(path, &source),
            other => Error::environment(folder.display(), other, "run again"),
        })
    });
    let planted = made.await.map_err(|error| Error::environment(out.display(), error, "run again"))??;
    let (first, last) = planted.history;
    let summary = format!(
        "history {first} to {last}, {} to come, {} planted",
        counted(planted.deliveries.len() as u64, "day"),
        counted(planted.troubles.len() as u64, "trouble")
    );
    stages.end("data", clock, true, summary);
    Ok(planted)
}

async fn propose(
    project: &Project,
    lake: &LocalLake,
    jobs: &Jobs,
    profiles: &[(TableName, Profile)],
    stages: &mut Stages<'_>,
) -> Result<Vec<Generated>> {
    let clock = stages.begin("context");
    let mut contexts = Vec::new();
    for (table, profile) in profiles {
        stages.doing(format!("context {table}"));
        contexts.push(context(project, lake, jobs, profile).await?);
    }
    let summary = format!("{} stored by the hash of their scripts", counted(contexts.len() as u64, "context"));
    stages.end("context", clock, true, summary);

    let clock = stages.begin("generate");
    let generator: Box<dyn Generator> = generator::from_settings(&project.settings.generate);
    let mut generated = Vec::new();
    for context in &contexts {
        stages.doing(format!("generate {}.{}", context.database, context.table_name));
        generated.push(generate(project, lake, &*generator, context).await?);
    }
    let verdicts = generated.iter().flat_map(|one| &one.verdicts);
    let (kept, refused): (Vec<_>, Vec<_>) = verdicts.partition(|verdict| verdict.kept);
    let proposed = counted((kept.len() + refused.len()) as u64, "rule");
    stages.end("generate", clock, true, format!("{proposed} proposed, {} kept, {} refused", kept.len(), refused.len()));
    Ok(generated)
}

/// Loads each day's deliveries and tests the table after each.
async fn take_in(
    project: &Project,
    table: &TableName,
    planted: &Planted,
    seen: &mut Seen,
    stages: &mut Stages<'_>,
) -> Result<()> {
    let (mut before, mut after) = (0.0, 0.0);
    let mut errored = 0;
    for delivery in &planted.deliveries {
        let lake = lake_on(project, delivery.day)?;
        stages.doing(format!("preload {}", delivery.day));
        let clock = Instant::now();
        let mut partitions = Vec::new();
        for file in arrivals(delivery) {
            let loaded = preload(project, &lake, table, &project.root.join(file), &PreloadOptions::default()).await?;
            let rows = match loaded.already_loaded {
                true => Vec::new(),
                false => quarantined(&lake, &loaded).await?,
            };
            seen.loads.push(Load {
                day: delivery.day,
                file: file.to_owned(),
                input: loaded.input,
                good: loaded.good,
                stopped: loaded.stopped,
                loaded: loaded.loaded,
                already_loaded: loaded.already_loaded,
                quarantined: rows.into_iter().map(|row| (row.source_row, row.rule_names)).collect(),
            });
            if loaded.loaded && !loaded.already_loaded {
                partitions.extend(loaded.partitions);
            }
        }
        before += clock.elapsed().as_secs_f64();

        stages.doing(format!("postload {}", delivery.day));
        let clock = Instant::now();
        let options = PostloadOptions {
            run_id: Some(format!("demo-{}", delivery.day)),
            date: Some(delivery.day.to_string()),
            partitions: Some(partitions),
            ..PostloadOptions::default()
        };
        let run = postload(project, &lake, table, &options).await?;
        errored += run.count(engine::stage::postload::Status::Errored);
        seen.tests.push(Tested { day: delivery.day, run });
        after += clock.elapsed().as_secs_f64();
    }
    let counts = super::report::rows(&seen.loads);
    let summary = format!(
        "{} of {}: {} good, {} quarantined",
        counted(seen.loads.len() as u64, "load"),
        counted(counts.input, "row"),
        counts.good,
        counts.quarantined
    );
    stages.end_after("preload", before, true, summary);
    let tests: usize = seen.tests.iter().map(|tested| tested.run.tests.len()).sum();
    let queries: u64 = seen.tests.iter().map(|tested| tested.run.queries).sum();
    let days = counted(seen.tests.len() as u64, "day");
    let summary = format!("{} in {} over {days}", counted(tests as u64, "test"), counted(queries, "query"));
    stages.end_after("postload", after, errored == 0, summary);
    Ok(())
}

/// The files of a day in order: what arrives, then the corrected file, twice, for a load must happen once.
fn arrivals(delivery: &Delivery) -> impl Iterator<Item = &str> {
    let fixed = delivery.fixed.iter().flat_map(|file| [file, file]);
    delivery.files.iter().chain(fixed).map(String::as_str)
}

/// The lake with its clock on the morning after a day.
fn lake_on(project: &Project, day: NaiveDate) -> Result<LocalLake> {
    let morning: DateTime<Utc> = (day + Days::new(1)).and_time(MORNING).and_utc();
    let mut options = lake_options(project);
    options.now = Some(morning);
    LocalLake::open(options)
}

fn table_of(planted: &Planted) -> Result<TableName> {
    let parts = planted.table.split_once('.');
    let unnamed = || Error::input("planted.json", "names no table", "run the demo again");
    parts.map(|(database, table)| TableName::new(database, table)).ok_or_else(unnamed)
}

fn analyzed(jobs: &Jobs) -> String {
    let diagnostics: usize = jobs.jobs.iter().map(|job| job.analysis.diagnostics.len()).sum();
    let writes: usize = jobs.jobs.iter().map(|job| job.analysis.outputs.len()).sum();
    let (jobs, writes) = (counted(jobs.jobs.len() as u64, "job"), counted(writes as u64, "write"));
    format!("{jobs}, {writes}, {}", counted(diagnostics as u64, "problem"))
}

/// The paths of all that the store holds for people and programs.
async fn artifacts(lake: &LocalLake) -> Result<Vec<String>> {
    let keys = lake.store().list("").await?;
    Ok(keys.iter().map(|key| lake.store().locate(key)).collect())
}

/// The stages that are done, told as they end.
struct Stages<'a> {
    done: Vec<Stage>,
    tell: &'a dyn Fn(&Stage),
    spinner: Spinner,
}

impl Stages<'_> {
    fn begin(&self, name: &'static str) -> Instant {
        self.spinner.doing(name);
        Instant::now()
    }

    fn doing(&self, what: String) {
        self.spinner.doing(what);
    }

    fn end(&mut self, name: &'static str, clock: Instant, ok: bool, summary: String) {
        self.end_after(name, clock.elapsed().as_secs_f64(), ok, summary);
    }

    fn end_after(&mut self, name: &'static str, seconds: f64, ok: bool, summary: String) {
        self.spinner.done();
        let stage = Stage { name, seconds, ok, summary };
        (self.tell)(&stage);
        self.done.push(stage);
    }
}
