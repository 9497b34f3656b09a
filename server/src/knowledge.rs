//! What the backend answered so far: the analyzer's world, as far as it is known now.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use analyzer::policy::Policy;
use analyzer::{LastRun, Parsed, Question, World};
use contract::document::{Contract, Profile};
use contract::schema::{TableName, TableSchema};
use dashmap::{DashMap, DashSet};
use futures::{FutureExt, StreamExt};
use tokio::sync::Notify;

use crate::backend::{Backend, BackendError};
use crate::session::Snapshot;

/// Questions that a backend is asked at once.
const CONCURRENT_QUESTIONS: usize = 8;

/// A number that no other state of a document or an answer has had.
pub(crate) fn next_revision() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(NEVER_KNOWN);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// Revision of an answer that was never there.
const NEVER_KNOWN: u64 = 0;

/// The answers, filled and refreshed in the background and read by analyses at any time.
pub(crate) struct Knowledge {
    pub(crate) backend: Arc<dyn Backend>,
    answers: DashMap<Key, Known>,
    under_way: DashSet<Key>,
    projects: DashMap<Arc<Path>, Arc<Path>>,
    tables: DashMap<Arc<Path>, Arc<Vec<TableName>>>,
    policies: DashMap<Arc<Path>, Arc<Policy>>,
    changed: Arc<Notify>,
}

/// Where a script stands.
#[derive(Clone)]
pub(crate) struct Place {
    /// Root of its project.
    pub(crate) root: Arc<Path>,
    /// The script.
    pub(crate) script: Arc<Path>,
}

/// A question together with what its answer depends on.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    root: Arc<Path>,
    /// For questions that each script of a project asks for itself.
    script: Option<Arc<Path>>,
    question: Question,
}

impl Key {
    pub(crate) fn new(place: &Place, question: &Question) -> Self {
        let script = match question {
            Question::Table(_)
            | Question::Path(_)
            | Question::Contract(_)
            | Question::Profile(_)
            | Question::LastRun(_) => None,
            Question::Module(_) | Question::Argument(_) => Some(Arc::clone(&place.script)),
        };
        Self { root: Arc::clone(&place.root), script, question: question.clone() }
    }
}

#[derive(Clone, PartialEq)]
enum Answer {
    Nothing,
    Schema(Arc<TableSchema>),
    Contract(Arc<Contract>),
    Profile(Arc<Profile>),
    LastRun(Arc<LastRun>),
    Value(Arc<str>),
    Module { path: PathBuf, script: Parsed },
}

#[derive(Clone)]
struct Known {
    answer: Answer,
    /// Changes when the answer changes, and only then.
    revision: u64,
}

impl Knowledge {
    /// Knows nothing yet. Rings `changed` whenever an answer changes, whoever asked.
    pub(crate) fn new(backend: impl Backend, changed: Arc<Notify>) -> Self {
        Self {
            backend: Arc::new(backend),
            answers: DashMap::new(),
            under_way: DashSet::new(),
            projects: DashMap::new(),
            tables: DashMap::new(),
            policies: DashMap::new(),
            changed,
        }
    }

    /// Where a script stands, if that has been found out.
    pub(crate) fn place(&self, script: &Arc<Path>) -> Option<Place> {
        let root = Arc::clone(self.projects.get(script)?.value());
        Some(Place { root, script: Arc::clone(script) })
    }

    /// Where a script stands, which takes a look at the folders above it the first time.
    pub(crate) async fn locate(&self, script: &Arc<Path>, folders: &[PathBuf]) -> Place {
        if let Some(place) = self.place(script) {
            return place;
        }
        let root: Arc<Path> = project_root(script, folders).await.into();
        if !self.policies.contains_key(&root) {
            self.ask_policy(&root).await;
        }
        self.projects.insert(Arc::clone(script), Arc::clone(&root));
        Place { root, script: Arc::clone(script) }
    }

    /// What a project wants to be told.
    pub(crate) fn policy(&self, root: &Path) -> Arc<Policy> {
        self.policies.get(root).map(|policy| Arc::clone(&policy)).unwrap_or_default()
    }

    /// Asks anew what a project wants to be told. True if that has changed.
    pub(crate) async fn ask_policy(&self, root: &Arc<Path>) -> bool {
        match self.backend.policy(root).await {
            Ok(policy) => {
                let before = self.policies.insert(Arc::clone(root), Arc::new(policy));
                before.as_ref() != self.policies.get(root).as_deref()
            }
            Err(error) => {
                tracing::warn!("what {} wants to be told: {error}", root.display());
                false
            }
        }
    }

    /// The tables of a project's catalog, as far as they have been listed.
    pub(crate) fn tables(&self, root: &Path) -> Arc<Vec<TableName>> {
        self.tables.get(root).map(|tables| Arc::clone(&tables)).unwrap_or_default()
    }

    /// Lists the tables of a project's catalog anew.
    pub(crate) async fn list_tables(&self, root: Arc<Path>) {
        let tables = self.backend.tables(&root).await;
        self.tables.insert(root, Arc::new(tables));
    }

    /// Whether an answer is there, be it that there is no such thing.
    pub(crate) fn has(&self, key: &Key) -> bool {
        self.answers.contains_key(key)
    }

    /// The revision of a question's answer, as an analysis would see it now.
    pub(crate) fn revision(&self, key: &Key, snapshot: &Snapshot) -> u64 {
        self.answer(key, snapshot).revision
    }

    /// Asks the backend. True if an answer changed.
    pub(crate) async fn ask(&self, keys: impl IntoIterator<Item = Key>) -> bool {
        let answers = futures::stream::iter(keys).map(|key| self.ask_one(key)).buffer_unordered(CONCURRENT_QUESTIONS);
        answers.fold(false, |any, changed| async move { any | changed }).await
    }

    /// Finds out anew where these scripts stand, and forgets where others do.
    pub(crate) async fn relocate(&self, scripts: &HashSet<Arc<Path>>, folders: &[PathBuf]) {
        self.projects.retain(|script, _| scripts.contains(script));
        for script in scripts {
            self.projects.insert(Arc::clone(script), project_root(script, folders).await.into());
        }
    }

    /// Forgets all answers but these, and asks for these anew. True if an answer changed.
    pub(crate) async fn refresh(&self, keys: HashSet<Key>) -> bool {
        self.answers.retain(|key, _| keys.contains(key));
        self.ask(keys).await
    }

    async fn ask_one(&self, key: Key) -> bool {
        if !self.under_way.insert(key.clone()) {
            return false;
        }
        let answer = AssertUnwindSafe(self.look_up(&key)).catch_unwind().await;
        let answer = answer.unwrap_or_else(|_| Err("the backend panicked".into()));
        let changed = match answer {
            Ok(answer) => self.keep(&key, answer),
            Err(error) => {
                tracing::warn!("{:?} of {}: {error}", key.question, key.root.display());
                // An entry, so that it is asked again with the next refresh and not at every keystroke.
                self.answers.entry(key.clone()).or_insert(Known { answer: Answer::Nothing, revision: NEVER_KNOWN });
                false
            }
        };
        self.under_way.remove(&key);
        changed
    }

    async fn look_up(&self, key: &Key) -> Result<Answer, BackendError> {
        let (backend, root) = (&self.backend, &*key.root);
        let script = key.script.as_deref().unwrap_or(root);
        let answer = match &key.question {
            Question::Table(name) => backend.table(root, name).await?.map(Arc::new).map(Answer::Schema),
            Question::Path(path) => backend.path(root, path).await?.map(Arc::new).map(Answer::Schema),
            Question::Contract(name) => backend.contract(root, name).await?.map(Answer::Contract),
            Question::Profile(name) => backend.profile(root, name).await?.map(Answer::Profile),
            Question::LastRun(name) => backend.last_run(root, name).await?.map(Answer::LastRun),
            Question::Argument(name) => {
                backend.argument(root, script, name).await?.map(|text| Answer::Value(text.into()))
            }
            Question::Module(dotted) => match backend.module(root, script, dotted).await? {
                Some(path) => {
                    let script = Parsed::new(tokio::fs::read_to_string(&path).await?);
                    Some(Answer::Module { path, script })
                }
                None => None,
            },
        };
        Ok(answer.unwrap_or(Answer::Nothing))
    }

    fn keep(&self, key: &Key, answer: Answer) -> bool {
        let mut known =
            self.answers.entry(key.clone()).or_insert(Known { answer: Answer::Nothing, revision: NEVER_KNOWN });
        let changed = known.answer != answer;
        if changed {
            *known = Known { answer, revision: next_revision() };
            self.changed.notify_one();
        }
        changed
    }

    /// The answer as of now; of a module that is open in the editor, the text there.
    fn answer(&self, key: &Key, snapshot: &Snapshot) -> Known {
        let Some(known) = self.answers.get(key).map(|known| known.clone()) else {
            return Known { answer: Answer::Nothing, revision: NEVER_KNOWN };
        };
        let Answer::Module { path, .. } = &known.answer else { return known };
        match snapshot.documents.values().find(|document| document.path.as_deref() == Some(path)) {
            Some(open) => {
                let answer = Answer::Module { path: path.clone(), script: open.parsed() };
                Known { answer, revision: open.text_revision }
            }
            None => known,
        }
    }
}

/// The nearest folder above the script with a `de-copilot.toml`, be it above its workspace folder: an editor may have
/// been started in the folder of the scripts. Else the workspace folder; else the script's own.
async fn project_root(script: &Path, folders: &[PathBuf]) -> PathBuf {
    for folder in script.ancestors().skip(1) {
        if tokio::fs::try_exists(folder.join("de-copilot.toml")).await.unwrap_or(false) {
            return folder.to_owned();
        }
    }
    let workspaces = folders.iter().filter(|folder| script.starts_with(folder));
    let workspace = workspaces.max_by_key(|folder| folder.as_os_str().len()).map(PathBuf::as_path);
    workspace.or_else(|| script.parent()).unwrap_or(script).to_owned()
}

/// The world of one analysis: what is known, each question answered alike however often it is asked.
pub(crate) struct KnownWorld<C> {
    knowledge: Arc<Knowledge>,
    snapshot: Arc<Snapshot>,
    place: Option<Place>,
    cancelled: C,
    asked: Mutex<HashMap<Question, Known>>,
}

impl<C: Fn() -> bool> KnownWorld<C> {
    /// The world as a script at `place` sees it. Without a place on disk nothing is known.
    pub(crate) fn new(knowledge: Arc<Knowledge>, snapshot: Arc<Snapshot>, place: Option<Place>, cancelled: C) -> Self {
        Self { knowledge, snapshot, place, cancelled, asked: Mutex::default() }
    }

    /// What was asked, and the revision of each answer that was given.
    pub(crate) fn into_asked(self) -> Vec<(Question, u64)> {
        let asked = self.asked.into_inner().unwrap_or_else(PoisonError::into_inner);
        asked.into_iter().map(|(question, known)| (question, known.revision)).collect()
    }

    fn ask(&self, question: Question) -> Answer {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let known = asked.entry(question).or_insert_with_key(|question| match &self.place {
            Some(place) => self.knowledge.answer(&Key::new(place, question), &self.snapshot),
            None => Known { answer: Answer::Nothing, revision: NEVER_KNOWN },
        });
        known.answer.clone()
    }
}

impl<C: Fn() -> bool + Sync> World for KnownWorld<C> {
    fn table(&self, name: &TableName) -> Option<TableSchema> {
        match self.ask(Question::Table(name.clone())) {
            Answer::Schema(schema) => Some(TableSchema::clone(&schema)),
            _ => None,
        }
    }

    fn path(&self, path: &str) -> Option<TableSchema> {
        match self.ask(Question::Path(path.to_owned())) {
            Answer::Schema(schema) => Some(TableSchema::clone(&schema)),
            _ => None,
        }
    }

    fn contract(&self, name: &TableName) -> Option<Arc<Contract>> {
        match self.ask(Question::Contract(name.clone())) {
            Answer::Contract(contract) => Some(contract),
            _ => None,
        }
    }

    fn profile(&self, name: &TableName) -> Option<Arc<Profile>> {
        match self.ask(Question::Profile(name.clone())) {
            Answer::Profile(profile) => Some(profile),
            _ => None,
        }
    }

    fn last_run(&self, name: &TableName) -> Option<Arc<LastRun>> {
        match self.ask(Question::LastRun(name.clone())) {
            Answer::LastRun(run) => Some(run),
            _ => None,
        }
    }

    fn module(&self, dotted: &str) -> Option<Parsed> {
        match self.ask(Question::Module(dotted.to_owned())) {
            Answer::Module { script, .. } => Some(script),
            _ => None,
        }
    }

    fn argument(&self, name: &str) -> Option<String> {
        match self.ask(Question::Argument(name.to_owned())) {
            Answer::Value(value) => Some(value.to_string()),
            _ => None,
        }
    }

    fn cancelled(&self) -> bool {
        (self.cancelled)()
    }
}
