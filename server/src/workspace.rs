//! The jobs of the open projects, whether they are open or not: who reads and writes which table.
//!
//! Scripts are analyzed in the background, a few at a time, and of each one its interface is kept. What is known so far
//! is used at once; nothing waits for the rest.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use analyzer::{JobInterface, Parsed};
use contract::schema::TableName;
use futures::StreamExt;
use tokio::time::Instant;

use crate::document::Analyzed;
use crate::knowledge::{Key, Knowledge, KnownWorld, Place};
use crate::session::Snapshot;

/// A job of a project.
pub(crate) struct Job {
    /// Root of its project.
    pub(crate) root: Arc<Path>,
    /// Its file.
    pub(crate) script: Arc<Path>,
    /// Its file as from the root, as people are told it.
    pub(crate) name: String,
    /// The text that was analyzed.
    pub(crate) text: Arc<str>,
    /// What it shows to other jobs.
    pub(crate) interface: JobInterface,
    stamp: Option<(SystemTime, u64)>,
}

impl Job {
    /// A script as it is open in the editor.
    pub(crate) fn opened(place: &Place, analyzed: &Analyzed) -> Arc<Self> {
        let job = || {
            let (root, script) = (Arc::clone(&place.root), Arc::clone(&place.script));
            let interface = analyzer::interface(&analyzed.analysis);
            let name = shown(&script, &root);
            Arc::new(Self { root, script, name, text: Arc::clone(&analyzed.text), interface, stamp: None })
        };
        Arc::clone(analyzed.job.get_or_init(job))
    }
}

/// All jobs that have been looked at so far.
#[derive(Default)]
pub(crate) struct Workspace {
    jobs: RwLock<Jobs>,
    revision: AtomicU64,
}

/// Jobs by script.
#[derive(Default)]
struct Jobs {
    on_disk: BTreeMap<Arc<Path>, Arc<Job>>,
    /// Those that are open in the editor, as they are there.
    open: BTreeMap<Arc<Path>, Arc<Job>>,
}

impl Jobs {
    /// Each job once, in the order of the files: the text in the editor counts before that on disk.
    fn all(&self) -> impl Iterator<Item = &Arc<Job>> {
        // What is open was on disk when it was taken in; a script that has been deleted since is no job any more.
        self.on_disk.iter().map(|(script, job)| self.open.get(script).unwrap_or(job))
    }
}

/// How often it is told, at most, that interfaces have changed while many scripts are looked at.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// Rounds of questions that one script may cause: what it asks may depend on the answers before.
const MAX_ROUNDS: usize = 4;

impl Workspace {
    /// Changes whenever an interface changes.
    pub(crate) fn revision(&self) -> u64 {
        self.revision.load(Ordering::Relaxed)
    }

    /// All jobs, in the order of their files.
    pub(crate) fn all(&self) -> Vec<Arc<Job>> {
        self.those(|_| true)
    }

    /// The jobs of a project, in the order of their files, without the one of `except`.
    pub(crate) fn others(&self, root: &Path, except: &Path) -> Vec<Arc<Job>> {
        self.those(|job| &*job.root == root && &*job.script != except)
    }

    /// The jobs of a project that write a table.
    pub(crate) fn writers(&self, root: &Path, table: &TableName) -> Vec<Arc<Job>> {
        self.those(|job| job.interface.writes.iter().any(|(name, _)| name == table) && &*job.root == root)
    }

    /// The jobs of a project that read a table.
    pub(crate) fn readers(&self, root: &Path, table: &TableName) -> Vec<Arc<Job>> {
        self.those(|job| job.interface.reads.contains_key(table) && &*job.root == root)
    }

    fn those(&self, wanted: impl Fn(&Job) -> bool) -> Vec<Arc<Job>> {
        let jobs = self.jobs.read().unwrap_or_else(PoisonError::into_inner);
        jobs.all().filter(|job| wanted(job)).map(Arc::clone).collect()
    }

    /// Takes in those of the jobs that are open, as they are in the editor. True if other jobs see a difference.
    pub(crate) fn opened(&self, open: Vec<Arc<Job>>) -> bool {
        let mut jobs = self.jobs.write().unwrap_or_else(PoisonError::into_inner);
        let open = open.into_iter().filter(|job| jobs.on_disk.contains_key(&job.script));
        let open: BTreeMap<Arc<Path>, Arc<Job>> = open.map(|job| (Arc::clone(&job.script), job)).collect();
        let before = |script: &Arc<Path>| jobs.open.get(script).or_else(|| jobs.on_disk.get(script));
        let differs = |known: Option<&Arc<Job>>, job: Option<&Arc<Job>>| match (known, job) {
            (Some(known), Some(job)) => known.root != job.root || !known.interface.is_like(&job.interface),
            (known, job) => known.is_some() != job.is_some(),
        };
        let closed = jobs.open.keys().filter(|script| !open.contains_key(*script));
        let changed = open.iter().any(|(script, job)| differs(before(script), Some(job)))
            || closed.into_iter().any(|script| differs(jobs.open.get(script), jobs.on_disk.get(script)));
        jobs.open = open;
        if changed {
            self.revision.fetch_add(1, Ordering::Relaxed);
        }
        changed
    }

    /// Looks at the scripts of these projects that are new or have changed, and forgets those that are gone. Calls
    /// `changed` now and then while interfaces turn out to differ from what they were, and at the end if any did since.
    pub(crate) async fn index(
        &self,
        roots: BTreeSet<Arc<Path>>,
        knowledge: &Arc<Knowledge>,
        snapshot: &Arc<Snapshot>,
        changed: impl Fn(),
    ) {
        let mut present = HashMap::new();
        for root in roots {
            for script in knowledge.backend.scripts(&root).await {
                present.insert(Arc::<Path>::from(script), Arc::clone(&root));
            }
        }
        let gone = {
            let mut jobs = self.jobs.write().unwrap_or_else(PoisonError::into_inner);
            let before = jobs.on_disk.len();
            jobs.on_disk.retain(|script, _| present.contains_key(script));
            jobs.on_disk.len() < before
        };
        if gone {
            self.revision.fetch_add(1, Ordering::Relaxed);
            changed();
        }
        let mut scripts: Vec<_> = present.into_iter().collect();
        scripts.sort();
        // One processor is left to what people wait for.
        let at_once = std::thread::available_parallelism().map_or(1, |count| count.get().saturating_sub(1)).max(1);
        let looks = scripts.into_iter().map(|(script, root)| self.look_at(script, root, knowledge, snapshot));
        let mut looks = futures::stream::iter(looks).buffer_unordered(at_once);
        let (mut differs, mut told) = (false, Instant::now());
        while let Some(one) = looks.next().await {
            differs |= one;
            if differs && told.elapsed() >= TELL_EVERY {
                changed();
                (differs, told) = (false, Instant::now());
            }
        }
        if differs {
            changed();
        }
    }

    /// Analyzes a script unless it is as it was. True if its interface differs from what it was.
    async fn look_at(
        &self,
        script: Arc<Path>,
        root: Arc<Path>,
        knowledge: &Arc<Knowledge>,
        snapshot: &Arc<Snapshot>,
    ) -> bool {
        let stamp = tokio::fs::metadata(&script).await.ok().and_then(|file| Some((file.modified().ok()?, file.len())));
        let known = self.jobs.read().unwrap_or_else(PoisonError::into_inner).on_disk.get(&script).map(Arc::clone);
        if known.as_ref().is_some_and(|known| known.stamp == stamp && stamp.is_some() && known.root == root) {
            return false;
        }
        let Ok(text) = tokio::fs::read(&script).await else { return false };
        let text: Arc<str> = String::from_utf8_lossy(&text).into();
        let place = Place { root: Arc::clone(&root), script: Arc::clone(&script) };
        let Some(interface) = interface(&text, &place, knowledge, snapshot).await else { return false };
        let differs = known.is_none_or(|known| known.interface != interface);
        let name = shown(&script, &root);
        let job = Job { root, script: Arc::clone(&script), name, text, interface, stamp };
        self.jobs.write().unwrap_or_else(PoisonError::into_inner).on_disk.insert(script, Arc::new(job));
        if differs {
            self.revision.fetch_add(1, Ordering::Relaxed);
        }
        differs
    }
}

/// The interface of a script, with all that it asks answered; `None` where the analyzer failed on it.
async fn interface(
    text: &Arc<str>,
    place: &Place,
    knowledge: &Arc<Knowledge>,
    snapshot: &Arc<Snapshot>,
) -> Option<JobInterface> {
    let mut found = None;
    let mut parsed = None;
    for _ in 0..MAX_ROUNDS {
        let world = KnownWorld::new(Arc::clone(knowledge), Arc::clone(snapshot), Some(place.clone()), || false);
        let text = Arc::clone(text);
        let analyzed = tokio::task::spawn_blocking(move || {
            let work = || {
                let parsed = parsed.unwrap_or_else(|| Parsed::new(text));
                let interface = analyzer::interface(&parsed.analyze(&world));
                (parsed, interface)
            };
            let (parsed, interface) = analyzer::on_deep_stack(work)?.ok()?;
            Some((parsed, interface, world.into_asked()))
        });
        let (script, interface, asked) = analyzed.await.ok().flatten()?;
        parsed = Some(script);
        found = Some(interface);
        let keys = asked.iter().map(|(question, _)| Key::new(place, question));
        let missing: Vec<Key> = keys.filter(|key| !knowledge.has(key)).collect();
        if missing.is_empty() || !knowledge.ask(missing).await {
            break;
        }
    }
    found
}

/// A script as people know it: its path within the project.
pub(crate) fn shown(script: &Path, root: &Path) -> String {
    let path: PathBuf = script.strip_prefix(root).unwrap_or(script).to_owned();
    path.display().to_string()
}
