//! What the language server asks: answers from the project's settings, its lake and its artifact store.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use analyzer::LastRun;
use analyzer::policy::{Accepted, Policy};
use async_trait::async_trait;
use contract::document::{Contract, Profile};
use contract::schema::{TableName, TableSchema};
use engine::generator;
use engine::lake::Lake;
use engine::lake::local::{LocalLake, LocalLakeOptions};
use engine::project::{FILE_NAME, Layout, Project};
use engine::stage::analyze::analyze;
use engine::stage::generate::{Approval, Change, generate_if};
use engine::stage::{answers, review};
use engine::{Error, Result};
use server::{Backend, BackendError, ContractChange, Finding, Generated, Health, Status, Watcher};

use crate::command::generate;
use crate::folder::lake_options;
use crate::output::counted;

type Answer<T> = std::result::Result<T, BackendError>;

/// For so long a folder without settings counts as looked at.
const LOOKED_AT: Duration = Duration::from_secs(30);

/// The projects of an editor's session, each opened when something of it is asked first, and again when its settings
/// change.
#[derive(Default)]
pub(crate) struct ProjectBackend {
    opened: Mutex<HashMap<PathBuf, Opened>>,
}

#[derive(Clone)]
struct Opened {
    /// Size and time of the settings file; absent where there is none.
    settings: Option<(u64, SystemTime)>,
    at: Instant,
    known: Result<Arc<Known>>,
}

/// A project as far as it can be opened.
struct Known {
    project: Project,
    lake: Result<LocalLake>,
    /// Its scripts as they were listed last, once somebody has asked.
    layout: Mutex<Arc<OnceLock<Layout>>>,
}

impl ProjectBackend {
    async fn open(&self, root: &Path) -> Result<Arc<Known>> {
        let before = self.opened.lock().unwrap_or_else(PoisonError::into_inner).get(root).cloned();
        let folder = root.to_owned();
        let opened = tokio::task::spawn_blocking(move || look_at(&folder, before)).await;
        let opened = opened.map_err(|error| Error::environment(root.display(), error, "restart the server"))?;
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).insert(root.to_owned(), opened.clone());
        opened.known
    }

    /// The project and its lake; nothing where there is no lake, which the status tells.
    async fn lake(&self, root: &Path) -> Result<Option<Arc<Known>>> {
        let known = self.open(root).await?;
        Ok(known.lake.is_ok().then_some(known))
    }
}

/// The project of a folder: as it was opened before where nothing has changed since.
fn look_at(root: &Path, before: Option<Opened>) -> Opened {
    let metadata = std::fs::metadata(root.join(FILE_NAME)).ok();
    let settings = metadata.and_then(|metadata| Some((metadata.len(), metadata.modified().ok()?)));
    if let Some(before) = before
        && before.settings == settings
        && (settings.is_some() || before.at.elapsed() < LOOKED_AT)
        && before.known.as_ref().is_ok_and(|known| known.lake.is_ok())
    {
        return before;
    }
    let project = match settings {
        Some(_) => Project::load(&root.join(FILE_NAME)),
        None => Project::propose(root),
    };
    let known = project.map(|project| {
        let lake = LocalLake::open(LocalLakeOptions { keep_listing: true, ..lake_options(&project) });
        Arc::new(Known { project, lake, layout: Mutex::default() })
    });
    Opened { settings, at: Instant::now(), known }
}

impl Known {
    fn lake(&self) -> Result<&dyn Lake> {
        self.lake.as_ref().map(|lake| lake as &dyn Lake).map_err(Clone::clone)
    }

    /// What `answer` makes of the scripts' layout. They are read on a thread that may block, by the first who asks.
    async fn of_layout<T: Send + 'static>(
        self: Arc<Self>,
        answer: impl FnOnce(&Project, &Layout) -> T + Send + 'static,
    ) -> Answer<T> {
        let asked = tokio::task::spawn_blocking(move || {
            let layout = Arc::clone(&self.layout.lock().unwrap_or_else(PoisonError::into_inner));
            let read = || self.project.scripts().unwrap_or_default().layout();
            answer(&self.project, layout.get_or_init(read))
        });
        Ok(asked.await?)
    }
}

#[async_trait]
impl Backend for ProjectBackend {
    fn files_changed(&self) {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        for known in opened.values().filter_map(|opened| opened.known.as_ref().ok()) {
            *known.layout.lock().unwrap_or_else(PoisonError::into_inner) = Arc::default();
            if let Ok(lake) = &known.lake {
                lake.forget_listing();
            }
        }
    }

    async fn table(&self, root: &Path, name: &TableName) -> Answer<Option<TableSchema>> {
        let Some(known) = self.lake(root).await? else { return Ok(None) };
        Ok(answers::table(&known.project, known.lake()?, name).await?)
    }

    async fn path(&self, root: &Path, path: &str) -> Answer<Option<TableSchema>> {
        let Some(known) = self.lake(root).await? else { return Ok(None) };
        Ok(answers::path(&known.project, known.lake()?, path).await?)
    }

    async fn contract(&self, root: &Path, name: &TableName) -> Answer<Option<Arc<Contract>>> {
        let Some(known) = self.lake(root).await? else { return Ok(None) };
        Ok(answers::contract(&known.project, known.lake()?, name).await?)
    }

    async fn profile(&self, root: &Path, name: &TableName) -> Answer<Option<Arc<Profile>>> {
        let Some(known) = self.lake(root).await? else { return Ok(None) };
        Ok(answers::profile(&known.project, known.lake()?, name).await?)
    }

    async fn last_run(&self, root: &Path, name: &TableName) -> Answer<Option<Arc<LastRun>>> {
        let Some(known) = self.lake(root).await? else { return Ok(None) };
        Ok(answers::last_run(&known.project, known.lake()?, name).await?)
    }

    async fn policy(&self, root: &Path) -> Answer<Policy> {
        let known = self.open(root).await?;
        Ok(tokio::task::spawn_blocking(move || known.project.policy()).await??)
    }

    async fn accept(&self, root: &Path, script: &Path, finding: Accepted) -> Answer<()> {
        let (known, script) = (self.open(root).await?, script.to_owned());
        let accept = move || known.project.accept([(known.project.name_of(&script).as_str(), vec![finding])]).map(drop);
        Ok(tokio::task::spawn_blocking(accept).await??)
    }

    async fn generate(&self, root: &Path, table: &TableName, watcher: &dyn Watcher) -> Answer<Option<Generated>> {
        let known = self.open(root).await?;
        let (project, lake) = (&known.project, known.lake()?);
        watcher.report("reading the jobs");
        let jobs = analyze(project, lake).await?;
        watcher.report("profiling, proposing and trying each proposal on the data");
        let generator = generator::from_settings(&project.settings.generate);
        let name = answers::lake_name(project, table);
        let context = generate::profiled(project, lake, &jobs, &name).await?;
        let generated = generate_if(project, lake, &*generator, &context, &Asked(watcher)).await?;
        let file = answers::contract_file(project, &name).unwrap_or_else(|| project.store_root());
        Ok(generated.map(|generated| Generated { file, summary: generate::summary(&generated) }))
    }

    async fn review(&self, root: &Path, file: &Path, text: &str) -> Vec<Finding> {
        let found = match self.open(root).await {
            // What is wrong with the settings on disk keeps the project shut, not those that are being written.
            _ if file == root.join(FILE_NAME) => review::settings(text),
            Err(_) => Vec::new(),
            Ok(known) => match review::kind(&known.project, file) {
                None => Vec::new(),
                Some(kind) => review::document(known.lake().ok(), kind, file, text).await,
            },
        };
        let finding = |found: review::Finding| Finding {
            code: found.code,
            severity: found.severity,
            line: found.line,
            message: found.message,
        };
        found.into_iter().map(finding).collect()
    }

    fn contract_file(&self, root: &Path, name: &TableName) -> Option<PathBuf> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner).get(root).cloned();
        answers::contract_file(&opened?.known.ok()?.project, name)
    }

    async fn tables(&self, root: &Path) -> Vec<TableName> {
        let tables = async {
            let Some(known) = self.lake(root).await? else { return Ok(Vec::new()) };
            answers::tables(&known.project, known.lake()?).await
        };
        // The status tells why a lake cannot be listed.
        tables.await.unwrap_or_default()
    }

    async fn scripts(&self, root: &Path) -> Vec<PathBuf> {
        let Ok(known) = self.open(root).await else { return Vec::new() };
        let jobs = known.of_layout(|_, layout| layout.jobs().map(Path::to_owned).collect());
        jobs.await.unwrap_or_default()
    }

    async fn argument(&self, root: &Path, script: &Path, name: &str) -> Answer<Option<String>> {
        let (known, script, name) = (self.open(root).await?, script.to_owned(), name.to_owned());
        known.of_layout(move |project, layout| answers::argument(project, &layout.job_name(&script), &name)).await
    }

    async fn module(&self, root: &Path, script: &Path, dotted: &str) -> Answer<Option<PathBuf>> {
        let (known, script, dotted) = (self.open(root).await?, script.to_owned(), dotted.to_owned());
        known.of_layout(move |_, layout| layout.module(&script, &dotted).map(Path::to_owned)).await
    }

    async fn status(&self, root: &Path) -> Status {
        match self.open(root).await {
            Err(error) => Status { health: Health::Error, message: error.to_string() },
            Ok(known) => match status(&known).await {
                Ok(status) => status,
                Err(error) => Status { health: Health::Error, message: error.to_string() },
            },
        }
    }
}

/// The person in front of the editor says whether a contract is stored.
struct Asked<'w>(&'w dyn Watcher);

#[async_trait]
impl Approval for Asked<'_> {
    async fn approve(&self, Change { file, before, after }: Change) -> bool {
        self.0.approve(ContractChange { file: file.into(), before: before.unwrap_or_default(), after }).await
    }
}

async fn status(known: &Known) -> Result<Status> {
    let lake = match &known.lake {
        Ok(lake) => lake,
        Err(error) => return Ok(Status { health: Health::Degraded, message: error.to_string() }),
    };
    let tables = lake.catalog().tables().await?.len();
    let contracts = lake.store().list("contracts/").await?.len();
    let settings = match &known.project.file {
        Some(file) => file.display().to_string(),
        None => format!("no {FILE_NAME}; `de-copilot init` writes one"),
    };
    let tables_line = match tables {
        0 => format!("no table in {}; `lake.root` says where the data lies", lake.root().display()),
        _ => format!("{} in {}", counted(tables as u64, "table"), lake.root().display()),
    };
    let contracts_line = match contracts {
        0 => "no contract yet; `de-copilot run` makes them".to_owned(),
        _ => format!("{} in {}", counted(contracts as u64, "contract"), known.project.store_root().display()),
    };
    let health = if tables == 0 { Health::Degraded } else { Health::Ok };
    Ok(Status { health, message: [settings, tables_line, contracts_line].join("\n") })
}
