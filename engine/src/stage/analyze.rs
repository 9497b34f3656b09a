//! What the project's scripts mean, and how tables and jobs hang together.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use analyzer::{Analysis, Dataset, DatasetKind, Input, Output, Parsed, Question, World};
use contract::document::Contract;
use contract::schema::{TableName, TableSchema};
use indexmap::IndexMap;
use serde::Serialize;

use super::answers;
pub use super::answers::{contract, path, table};
use super::artifacts::{self, Keys};
use crate::lake::Lake;
use crate::project::{Layout, Project, Script, Scripts, Unknown};
use crate::{Error, Result};

/// Rounds of questions and answers of one script. Each round asks what the answers before it led to: an argument, the
/// table that it names, the module that reads that one.
const MAX_ROUNDS: usize = 20;

/// A job: its script and what that means.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The script.
    pub script: Script,
    /// What it means.
    pub analysis: Analysis,
    /// The tables that its datasets are, by the dataset's name; datasets that are no table are not in it.
    pub tables: IndexMap<String, TableName>,
}

/// All jobs of a project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Jobs {
    /// The jobs, sorted by path of the script.
    pub jobs: Vec<Job>,
    /// Scripts that could not be read, with why.
    pub unreadable: Vec<(PathBuf, String)>,
    /// What no script, setting or table says, with the setting that would.
    pub unknowns: Vec<Unknown>,
}

/// What a job reads and writes: tables as `database.table`, other datasets by their own names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JobLineage {
    /// The job.
    pub job: String,
    /// Its script, relative to the project's root.
    pub script: String,
    /// What it reads, in order of first read.
    pub reads: Vec<String>,
    /// What it writes, in order.
    pub writes: Vec<String>,
}

impl Job {
    /// The table that a dataset of the script is.
    pub fn table(&self, dataset: &Dataset) -> Option<&TableName> {
        self.tables.get(&dataset.name)
    }

    /// The table's name where the dataset is one, else the dataset's own.
    pub fn shown(&self, dataset: &Dataset) -> String {
        self.table(dataset).map_or_else(|| dataset.name.clone(), TableName::to_string)
    }
}

impl Jobs {
    /// The first job that writes a table, with the write.
    pub fn writer_of(&self, table: &TableName) -> Option<(&Job, &Output)> {
        self.jobs.iter().find_map(|job| {
            let writes = |output: &&Output| job.table(&output.dataset) == Some(table);
            Some((job, job.analysis.outputs.iter().find(writes)?))
        })
    }

    /// The jobs that read a table.
    pub fn readers_of(&self, table: &TableName) -> Vec<&Job> {
        let reads = |input: &Input, job: &Job| job.table(&input.dataset) == Some(table);
        self.jobs.iter().filter(|job| job.analysis.inputs.iter().any(|input| reads(input, job))).collect()
    }

    /// What each job reads and writes.
    pub fn lineage(&self) -> Vec<JobLineage> {
        let line = |job: &Job| {
            let mut writes: Vec<String> =
                job.analysis.outputs.iter().map(|output| job.shown(&output.dataset)).collect();
            writes.dedup();
            JobLineage {
                job: job.script.job_name.clone(),
                script: job.script.name.clone(),
                reads: job.analysis.inputs.iter().map(|input| job.shown(&input.dataset)).collect(),
                writes,
            }
        };
        self.jobs.iter().map(line).collect()
    }
}

/// Reads all scripts of the project. What a script's text does not say is answered from the settings, the catalog, the
/// stored contracts and the sibling modules; what nobody says is told with the setting that would.
///
/// # Errors
/// Script globs that are none, a baseline that cannot be read, and a catalog that cannot be listed. A script that cannot
/// be read is listed instead.
pub async fn analyze(project: &Project, lake: &dyn Lake) -> Result<Jobs> {
    let (scripts, policy) = (project.scripts()?, project.policy()?);
    let layout = scripts.layout();
    let mut jobs = Jobs { unreadable: scripts.unreadable.clone(), ..Jobs::default() };
    let mut shared = Shared::default();
    for script in &scripts.jobs {
        let mut analysis = ask_and_answer(project, lake, (&scripts, &layout), script, &mut shared).await;
        analysis.diagnostics = policy.apply(&script.name, &script.text, analysis.diagnostics);
        jobs.jobs.push(Job { script: script.clone(), analysis, tables: IndexMap::new() });
    }
    let tables = lake.catalog().tables().await?;
    for job in &mut jobs.jobs {
        job.tables = name_datasets(project, lake, job).await?;
    }
    jobs.unknowns = unknowns(project, &tables, &jobs.jobs);
    Ok(jobs)
}

/// Analyzes scripts, also such that no glob of the settings names, in their order.
///
/// # Errors
/// Script globs that are none, and a baseline that cannot be read.
pub async fn analyze_scripts(project: &Project, lake: &dyn Lake, named: &[Script]) -> Result<Vec<Analysis>> {
    let (scripts, policy, mut shared) = (project.scripts()?, project.policy()?, Shared::default());
    let layout = scripts.layout();
    let mut analyses = Vec::with_capacity(named.len());
    for script in named {
        let mut analysis = ask_and_answer(project, lake, (&scripts, &layout), script, &mut shared).await;
        analysis.diagnostics = policy.apply(&project.name_of(&script.path), &script.text, analysis.diagnostics);
        analyses.push(analysis);
    }
    Ok(analyses)
}

/// The tables of a project: those of the lake, those with a contract and those that a job writes. Sorted by name.
pub async fn tables(project: &Project, lake: &dyn Lake, jobs: &Jobs) -> Result<Vec<TableName>> {
    let mut tables = lake.catalog().tables().await?;
    for key in lake.store().list("contracts/").await? {
        let Some((name, _)) = key.strip_prefix("contracts/").and_then(|file| {
            file.rsplit_once('.').filter(|(_, extension)| matches!(*extension, "json" | "yaml" | "yml"))
        }) else {
            continue;
        };
        let known = |table: &TableName| Keys::new(table, &tables).name == name || table.table == name;
        if name.contains('/') || tables.iter().any(known) {
            continue;
        }
        let keys = Keys { name: name.to_owned() };
        // A contract that cannot be read is told where its table is generated, so its name is enough here.
        let stored = artifacts::contract(lake.store(), &keys).await.ok().flatten();
        let database = stored.and_then(|stored| stored.contract.database);
        let written = match name.split_once('.') {
            Some((database, table)) => TableName::new(database, table),
            None => TableName::new(database.as_deref().unwrap_or("default"), name),
        };
        tables.push(answers::lake_name(project, &written));
    }
    let written = jobs.jobs.iter().flat_map(|job| {
        job.analysis.outputs.iter().filter_map(|output| job.table(&output.dataset)).cloned().collect::<Vec<_>>()
    });
    tables.extend(written);
    tables.sort();
    tables.dedup();
    Ok(tables)
}

/// Answers that hold for every job.
#[derive(Default)]
struct Shared {
    tables: HashMap<TableName, Option<TableSchema>>,
    paths: HashMap<String, Option<TableSchema>>,
    contracts: HashMap<TableName, Option<Arc<Contract>>>,
    /// Files that are imported.
    modules: HashMap<PathBuf, Parsed>,
}

impl Shared {
    fn module(&mut self, path: &Path, scripts: &Scripts) -> Option<Parsed> {
        if let Some(known) = self.modules.get(path) {
            return Some(known.clone());
        }
        let module = Parsed::new(scripts.text(path)?);
        self.modules.insert(path.to_owned(), module.clone());
        Some(module)
    }
}

/// Answers for one script.
struct Known<'a> {
    shared: &'a Shared,
    modules: &'a HashMap<String, Option<Parsed>>,
    arguments: &'a HashMap<String, Option<String>>,
}

impl World for Known<'_> {
    fn table(&self, name: &TableName) -> Option<TableSchema> {
        self.shared.tables.get(name).cloned().flatten()
    }

    fn path(&self, path: &str) -> Option<TableSchema> {
        self.shared.paths.get(path).cloned().flatten()
    }

    fn contract(&self, name: &TableName) -> Option<Arc<Contract>> {
        self.shared.contracts.get(name).cloned().flatten()
    }

    fn module(&self, dotted: &str) -> Option<Parsed> {
        self.modules.get(dotted).cloned().flatten()
    }

    fn argument(&self, name: &str) -> Option<String> {
        self.arguments.get(name).cloned().flatten()
    }
}

/// Analyzes a script as often as its answers lead to further questions.
async fn ask_and_answer(
    project: &Project,
    lake: &dyn Lake,
    (scripts, layout): (&Scripts, &Layout),
    script: &Script,
    shared: &mut Shared,
) -> Analysis {
    let (mut modules, mut arguments) = (HashMap::new(), HashMap::new());
    let mut round = 0;
    let parsed = Parsed::new(script.text.as_str());
    loop {
        let world = Known { shared, modules: &modules, arguments: &arguments };
        // The analysis runs on a thread of its own; a runtime with several threads goes on meanwhile.
        let analysis = parsed.analyze(&world);
        round += 1;
        let mut asked_anew = false;
        for question in &analysis.questions {
            asked_anew |= match question {
                Question::Table(name) if !shared.tables.contains_key(name) => {
                    let answer = known_or_told(answers::table(project, lake, name).await);
                    shared.tables.insert(name.clone(), answer).is_none()
                }
                Question::Path(path) if !shared.paths.contains_key(path) => {
                    let answer = known_or_told(answers::path(project, lake, path).await);
                    shared.paths.insert(path.clone(), answer).is_none()
                }
                Question::Contract(name) if !shared.contracts.contains_key(name) => {
                    let answer = known_or_told(answers::contract(project, lake, name).await);
                    shared.contracts.insert(name.clone(), answer).is_none()
                }
                Question::Module(dotted) if !modules.contains_key(dotted) => {
                    let path = layout.module(&script.path, dotted);
                    let module = path.and_then(|path| shared.module(path, scripts));
                    modules.insert(dotted.clone(), module).is_none()
                }
                Question::Argument(name) if !arguments.contains_key(name) => {
                    let value = answers::argument(project, &script.job_name, name);
                    arguments.insert(name.clone(), value).is_none()
                }
                _ => false,
            };
        }
        if !asked_anew || round == MAX_ROUNDS {
            return analysis;
        }
    }
}

/// An answer; one that cannot be had is not known. The stage that works on the table tells the error.
fn known_or_told<T>(answer: Result<Option<T>>) -> Option<T> {
    answer.unwrap_or_else(|error: Error| {
        tracing::warn!("{error}");
        None
    })
}

/// The tables that a job's datasets are, by the dataset's name.
async fn name_datasets(project: &Project, lake: &dyn Lake, job: &Job) -> Result<IndexMap<String, TableName>> {
    let mut target = project.settings.jobs.targets.get(&job.script.job_name).map(|named| table_named(project, named));
    let mut found = IndexMap::new();
    for (dataset, written) in datasets(job) {
        let table = match (&dataset.kind, &dataset.database, &dataset.table, &dataset.path) {
            (DatasetKind::Catalog, database, Some(table), _) if !table.contains('<') => {
                let database = database.as_deref().unwrap_or("default");
                (!database.contains('<')).then(|| answers::lake_name(project, &TableName::new(database, table)))
            }
            (_, _, _, Some(path)) if !path.contains('<') => answers::table_at(project, lake, path).await?,
            _ => None,
        };
        // The configured target stands for what the script itself leaves open.
        if let Some(table) = table.or_else(|| if written { target.take() } else { None }) {
            found.insert(dataset.name.clone(), table);
        }
    }
    Ok(found)
}

/// What a job reads, then what it writes.
fn datasets(job: &Job) -> impl Iterator<Item = (&Dataset, bool)> {
    let inputs = job.analysis.inputs.iter().map(|input| (&input.dataset, false));
    inputs.chain(job.analysis.outputs.iter().map(|output| (&output.dataset, true)))
}

/// What no script, setting or table says, each once.
fn unknowns(project: &Project, tables: &[TableName], jobs: &[Job]) -> Vec<Unknown> {
    let is_written = |table: &TableName| {
        jobs.iter().any(|job| job.analysis.outputs.iter().any(|output| job.table(&output.dataset) == Some(table)))
    };
    let mut unknowns: Vec<Unknown> = Vec::new();
    let mut note = |unknown: Unknown| {
        if !unknowns.contains(&unknown) {
            unknowns.push(unknown);
        }
    };
    for job in jobs {
        let name = &job.script.job_name;
        for (dataset, written) in datasets(job) {
            match job.table(dataset) {
                // A table that a job writes comes into being when that job runs.
                Some(table) if tables.contains(table) || is_written(table) => {}
                Some(table) => note(elsewhere(project, tables, dataset, table)),
                None => unresolved(project, tables, name, dataset, written).into_iter().for_each(&mut note),
            }
        }
        for question in &job.analysis.questions {
            if let Question::Argument(argument) = question
                && answers::argument(project, name, argument).is_none()
            {
                note(missing_argument(project, name, argument));
            }
        }
    }
    unknowns
}

/// A table's name as a setting writes it.
fn table_named(project: &Project, written: &str) -> TableName {
    let (database, table) = written.split_once('.').unwrap_or(("default", written));
    answers::lake_name(project, &TableName::new(database, table))
}

/// A table that the lake does not have, at least not in the database that the script names.
fn elsewhere(project: &Project, tables: &[TableName], dataset: &Dataset, table: &TableName) -> Unknown {
    let written = dataset.database.as_deref().unwrap_or(&table.database);
    let same: Vec<&TableName> = tables.iter().filter(|known| known.table == table.table).collect();
    let meant = match same.as_slice() {
        [only] => only.database.clone(),
        _ => "DATABASE".to_owned(),
    };
    Unknown {
        what: format!("where {table} lies, for {} has no such table", project.settings.lake.root),
        setting: "lake.databases".into(),
        line: format!("{written} = \"{meant}\""),
    }
}

/// A dataset that is no table of the lake: a path that stands for no folder, or a name that the script leaves open.
fn unresolved(project: &Project, tables: &[TableName], job: &str, dataset: &Dataset, written: bool) -> Option<Unknown> {
    let path = dataset.path.as_deref().filter(|path| !path.contains('<'));
    match path {
        // An output elsewhere is no gap: the lake need not hold what a job exports.
        Some(path) if path.contains("://") && project.local_path(path).is_none() && !written => {
            let trimmed = path.trim_end_matches('/');
            let last = trimmed.rsplit('/').next().unwrap_or_default().to_lowercase();
            let same: Vec<&TableName> = tables.iter().filter(|table| table.table == last).collect();
            let folder = match same.as_slice() {
                // A table of the database `default` lies in the lake's folder itself.
                [only] if only.database == "default" => format!("{}/{}", project.settings.lake.root, only.table),
                [only] => format!("{}/{}/{}", project.settings.lake.root, only.database, only.table),
                _ => format!("{}/DATABASE/TABLE", project.settings.lake.root),
            };
            Some(Unknown {
                what: format!("where {path}, which {job} reads, lies on this machine"),
                setting: "locations".into(),
                line: format!("\"{trimmed}/\" = \"{folder}\""),
            })
        }
        None if written && !dataset.name.contains("<arg:") => Some(Unknown {
            what: format!("which table {job} writes, for its script does not say"),
            setting: "jobs.targets".into(),
            line: format!("{job} = \"DATABASE.TABLE\""),
        }),
        _ => None,
    }
}

fn missing_argument(project: &Project, job: &str, argument: &str) -> Unknown {
    let settings = &project.settings;
    let first = settings.environments.keys().next().map(String::as_str);
    let environment = Some(settings.environment.as_str()).filter(|name| !name.is_empty()).or(first).unwrap_or("dev");
    Unknown {
        what: format!("the value of the argument {argument} of {job}"),
        setting: format!("environments.{environment}.arguments"),
        line: format!("{argument} = \"VALUE\""),
    }
}
