//! What goes on while nobody asks: documents are checked, questions asked, and the client told.
//!
//! Each loop waits for a bell, so that many changes in a row cost one round. Requests to the client are awaited here
//! alone, and nothing else waits for these loops.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tower_lsp::Client;
use tower_lsp::ls_types::notification::Notification;
use tower_lsp::ls_types::{Diagnostic, Uri};

use crate::backend::Status;
use crate::document::{Analyzed, Document};
use crate::files;
use crate::generation;
use crate::handlers::{diagnostic, initialize};
use crate::knowledge::Key;
use crate::session::{Session, Snapshot};
use crate::workspace::Job;

/// How often the questions of open documents are asked again although no file is known to have changed.
const REFRESH_INTERVAL: Duration = Duration::from_secs(60);

/// `deCopilot/status`: how well the open projects are known. A notification to the client.
pub(crate) enum StatusChanged {}

impl Notification for StatusChanged {
    type Params = Status;
    const METHOD: &'static str = "deCopilot/status";
}

/// Runs until it is dropped.
pub(crate) async fn run(session: Arc<Session>, client: Client) {
    let status_outdated = Arc::new(Notify::new());
    let diagnostics_outdated = Notify::new();
    futures::join!(
        register_watchers(&session, &client),
        check_documents(&session, &client, &status_outdated, &diagnostics_outdated),
        refresh_answers(&session, &status_outdated, &diagnostics_outdated),
        index_jobs(&session, &status_outdated, &diagnostics_outdated),
        refresh_client(&session, &client, &diagnostics_outdated),
        report_status(&session, &client, &status_outdated),
        generation::run(&session, &client),
        files::run(&session, &client),
    );
}

/// Asks the client to watch the files that answers may rest on.
async fn register_watchers(session: &Session, client: &Client) {
    session.client_ready.notified().await;
    if session.snapshot().client.registers_watchers
        && let Err(error) = client.register_capability(initialize::watchers()).await
    {
        tracing::warn!("the client does not watch files, so changes on disk are seen late: {error}");
    }
}

/// Analyzes what changed, publishes diagnostics, and asks what analyses wanted to know.
async fn check_documents(
    session: &Arc<Session>,
    client: &Client,
    status_outdated: &Arc<Notify>,
    diagnostics_outdated: &Notify,
) {
    let mut published = Published::new();
    let mut asking = JoinSet::new();
    let mut projects = BTreeSet::new();
    loop {
        session.changed.notified().await;
        while asking.try_join_next().is_some() {}
        let snapshot = session.snapshot();

        let mut checks: FuturesUnordered<_> =
            snapshot.documents.values().map(|document| check(session, &snapshot, document)).collect();
        let mut all_stand = true;
        while let Some((document, verdict)) = checks.next().await {
            all_stand &= matches!(verdict, Verdict::Stands { .. });
            match verdict {
                Verdict::Superseded => {}
                Verdict::Outdated => {
                    session.renew(document);
                    diagnostics_outdated.notify_one();
                }
                Verdict::Stands { analyzed, missing } => {
                    // No client pulls what is wrong with a notebook: VS Code's asks for the documents of tabs alone.
                    if !snapshot.client.pulls_diagnostics || session.notebooks.has(&document.uri) {
                        publish(session, client, &snapshot, document, analyzed.as_deref(), &mut published).await;
                    }
                    if !missing.is_empty() {
                        let (knowledge, status_outdated) =
                            (Arc::clone(&session.knowledge), Arc::clone(status_outdated));
                        asking.spawn(async move {
                            knowledge.ask(missing).await;
                            status_outdated.notify_one();
                        });
                    }
                }
            }
        }
        if all_stand && session.workspace.opened(open_jobs(&snapshot, session)) {
            session.changed.notify_one();
            diagnostics_outdated.notify_one();
        }
        // Where all questions of a document were answered before it was opened, this is all that tells of its project.
        let open = roots(&snapshot, session);
        if open != projects {
            projects = open;
            session.jobs_changed.notify_one();
            status_outdated.notify_one();
        }
        let closed = published.extract_if(|uri, _| !snapshot.documents.contains_key(uri));
        for (uri, _) in closed {
            client.publish_diagnostics(uri, Vec::new(), None).await;
        }
    }
}

/// The open scripts, where there are several: what one of them breaks in another is seen before it is saved.
fn open_jobs(snapshot: &Snapshot, session: &Session) -> Vec<Arc<Job>> {
    if snapshot.documents.len() < 2 {
        return Vec::new();
    }
    let job = |document: &Arc<Document>| {
        let place = session.knowledge.place(document.path.as_ref()?)?;
        Some(Job::opened(&place, document.analysis_made()?))
    };
    snapshot.documents.values().filter_map(job).collect()
}

enum Verdict {
    /// The client has moved on; there is another round to come.
    Superseded,
    /// The analysis rests on answers that have changed.
    Outdated,
    /// The analysis rests on what is known; `missing` was never asked of the backend.
    Stands { analyzed: Option<Arc<Analyzed>>, missing: Vec<Key> },
}

async fn check<'d>(
    session: &Session,
    snapshot: &Arc<Snapshot>,
    document: &'d Arc<Document>,
) -> (&'d Arc<Document>, Verdict) {
    let knowledge = &session.knowledge;
    let Ok(analyzed) = document.analysis(knowledge, snapshot).await else {
        return (document, Verdict::Superseded);
    };
    let place = document.path.as_ref().and_then(|path| knowledge.place(path));
    let mut missing = Vec::new();
    if let (Some(place), Some(analyzed)) = (place, &analyzed) {
        for (question, revision) in &analyzed.asked {
            let key = Key::new(&place, question);
            if knowledge.revision(&key, snapshot) != *revision {
                return (document, Verdict::Outdated);
            }
            if !knowledge.has(&key) {
                missing.push(key);
            }
        }
    }
    (document, Verdict::Stands { analyzed, missing })
}

/// What was published last of each document: the revisions of analysis and workspace, the version, the diagnostics.
type Published = HashMap<Uri, ((u64, u64), i32, Vec<Diagnostic>)>;

/// Publishes the diagnostics of a document, unless the same were published before.
async fn publish(
    session: &Session,
    client: &Client,
    snapshot: &Snapshot,
    document: &Document,
    analyzed: Option<&Analyzed>,
    published: &mut Published,
) {
    let revisions = (document.analysis_revision, session.workspace.revision());
    let before = published.get(&document.uri);
    if before.is_some_and(|(known, _, _)| *known == revisions) || document.is_superseded() {
        return;
    }
    let place = document.path.as_ref().and_then(|path| session.knowledge.place(path));
    let found = analyzed.map(|analyzed| {
        let (client, workspace) = (&snapshot.client, &session.workspace);
        diagnostic::diagnostics(document, analyzed, client, workspace, &session.knowledge, place.as_ref())
    });
    let found = found.unwrap_or_default();
    let same = before.is_some_and(|(_, version, known)| *version == document.version && *known == found);
    published.insert(document.uri.clone(), (revisions, document.version, found.clone()));
    if !same {
        client.publish_diagnostics(document.uri.clone(), found, Some(document.version)).await;
    }
}

/// Asks the questions of open documents again when files may have changed.
async fn refresh_answers(session: &Session, status_outdated: &Notify, diagnostics_outdated: &Notify) {
    let mut clock = tokio::time::interval(REFRESH_INTERVAL);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    clock.tick().await;
    loop {
        tokio::select! {
            _ = clock.tick() => {}
            () = session.disk_changed.notified() => {}
        }
        session.knowledge.backend.files_changed();
        let snapshot = session.snapshot();
        let scripts = snapshot.documents.values().filter_map(|document| document.path.clone()).collect();
        session.knowledge.relocate(&scripts, &snapshot.folders).await;
        session.knowledge.refresh(questions(&snapshot, session)).await;
        for root in roots(&snapshot, session) {
            if session.knowledge.ask_policy(&root).await {
                renew_all(session, &root);
                diagnostics_outdated.notify_one();
            }
        }
        // Also where no answer changed: a project may have got another root.
        session.changed.notify_one();
        session.jobs_changed.notify_one();
        session.files_changed.notify_one();
        status_outdated.notify_one();
    }
}

/// Has the open documents of a project looked at anew.
fn renew_all(session: &Session, root: &Path) {
    for document in session.snapshot().documents.values() {
        let place = document.path.as_ref().and_then(|path| session.knowledge.place(path));
        if place.is_some_and(|place| *place.root == *root) {
            session.renew(document);
        }
    }
}

/// What the open documents have asked.
fn questions(snapshot: &Snapshot, session: &Session) -> HashSet<Key> {
    let keys = snapshot.documents.values().filter_map(|document| {
        let place = session.knowledge.place(document.path.as_ref()?)?;
        Some(document.analysis_made()?.asked.iter().map(move |(question, _)| Key::new(&place, question)))
    });
    keys.flatten().collect()
}

/// Looks at the jobs of the open projects when scripts may have changed.
async fn index_jobs(session: &Session, status_outdated: &Notify, diagnostics_outdated: &Notify) {
    loop {
        session.jobs_changed.notified().await;
        let snapshot = session.snapshot();
        let mut projects = roots(&snapshot, session);
        for folder in &snapshot.folders {
            if tokio::fs::try_exists(folder.join("de-copilot.toml")).await.unwrap_or(false) {
                projects.insert(Arc::from(folder.as_path()));
            }
        }
        let changed = || {
            session.changed.notify_one();
            diagnostics_outdated.notify_one();
        };
        session.workspace.index(projects, &session.knowledge, &snapshot, changed).await;
        status_outdated.notify_one();
    }
}

/// Has the client ask again for what it pulls: diagnostics, hints, lenses.
async fn refresh_client(session: &Session, client: &Client, outdated: &Notify) {
    loop {
        outdated.notified().await;
        let profile = Arc::clone(&session.snapshot().client);
        if profile.pulls_diagnostics
            && let Err(error) = client.workspace_diagnostic_refresh().await
        {
            tracing::warn!("the client did not pull diagnostics again: {error}");
        }
        if profile.refreshes_hints
            && let Err(error) = client.inlay_hint_refresh().await
        {
            tracing::warn!("the client did not ask for hints again: {error}");
        }
        if profile.refreshes_lenses
            && let Err(error) = client.code_lens_refresh().await
        {
            tracing::warn!("the client did not ask for lenses again: {error}");
        }
    }
}

/// Tells the client when the status of its projects changed, and lists their tables anew.
async fn report_status(session: &Session, client: &Client, outdated: &Notify) {
    let mut reported = None;
    loop {
        outdated.notified().await;
        let projects = roots(&session.snapshot(), session);
        let statuses = projects.iter().map(|root| session.knowledge.backend.status(root));
        let status = worst_first(futures::future::join_all(statuses).await);
        if !projects.is_empty() && reported.as_ref() != Some(&status) {
            client.send_notification::<StatusChanged>(status.clone()).await;
            reported = Some(status);
        }
        for root in projects {
            session.knowledge.list_tables(root).await;
        }
    }
}

/// Roots of the projects of open documents.
fn roots(snapshot: &Snapshot, session: &Session) -> BTreeSet<Arc<Path>> {
    let places = snapshot.documents.values().filter_map(|document| session.knowledge.place(document.path.as_ref()?));
    places.map(|place| place.root).collect()
}

/// One status for several projects: the worst health, and what each has to say.
fn worst_first(mut statuses: Vec<Status>) -> Status {
    statuses.sort_by_key(|status| std::cmp::Reverse(status.health));
    let health = statuses.first().map(|status| status.health).unwrap_or_default();
    let messages: Vec<_> = statuses.into_iter().map(|status| status.message).filter(|text| !text.is_empty()).collect();
    Status { health, message: messages.join("\n") }
}
