//! Contracts that somebody asked to have generated: one after the other, in the background, with progress and a button to
//! stop. What would change is shown before it is stored.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use contract::schema::TableName;
use dashmap::DashMap;
use serde::{Deserialize, Serialize};
use similar::{ChangeTag, TextDiff};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, oneshot};
use tower_lsp::Client;
use tower_lsp::ls_types::{MessageActionItem, MessageType, ProgressToken, ShowDocumentParams, Uri};

use crate::backend::{BackendError, ContractChange, Generated, Watcher};
use crate::session::Session;

/// The command of `workspace/executeCommand`, with one [`Wanted`] as its argument.
pub(crate) const COMMAND: &str = "deCopilot.generateContract";

/// A table whose contract is wanted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// Root of the project.
    pub(crate) root: PathBuf,
    pub(crate) database: String,
    pub(crate) table: String,
}

/// What was asked for and is not done yet.
pub(crate) struct Generations {
    queue: UnboundedSender<Wanted>,
    queued: Mutex<Option<UnboundedReceiver<Wanted>>>,
    /// Bells that stop those under way, by the token of their progress.
    stops: DashMap<String, Arc<Notify>>,
    /// Holds what is shown and not stored, until the session ends.
    shown: OnceLock<TempDir>,
}

impl Default for Generations {
    fn default() -> Self {
        let (queue, queued) = unbounded_channel();
        Self { queue, queued: Mutex::new(Some(queued)), stops: DashMap::new(), shown: OnceLock::new() }
    }
}

impl Generations {
    /// Asks for a contract; does not wait.
    pub(crate) fn ask(&self, wanted: Wanted) {
        // The other end is there as long as the session is.
        let _ = self.queue.send(wanted);
    }

    /// Writes something that is only to be looked at; `None` where the machine has no room for it.
    async fn write(&self, name: &str, text: &str) -> Option<PathBuf> {
        if self.shown.get().is_none() {
            let folder = TempDir::with_prefix("de-copilot-").ok()?;
            // Another one that came first is as good.
            let _ = self.shown.set(folder);
        }
        let file = self.shown.get()?.path().join(name);
        tokio::fs::write(&file, text).await.ok().map(|()| file)
    }

    /// Stops the one that shows its progress under this token.
    pub(crate) fn stop(&self, token: &ProgressToken) {
        if let ProgressToken::String(token) = token
            && let Some(stop) = self.stops.get(token)
        {
            stop.notify_one();
        }
    }
}

/// Generates what is asked for. Runs until it is dropped; there is one for a session.
pub(crate) async fn run(session: &Session, client: &Client) {
    let queued = session.generations.queued.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut queued) = queued else { return };
    while let Some(wanted) = queued.recv().await {
        generate(session, client, &wanted).await;
        // The contract is there now, so what was asked of it is asked again.
        session.disk_changed.notify_one();
    }
}

async fn generate(session: &Session, client: &Client, wanted: &Wanted) {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let token = format!("generate-{}", LAST.fetch_add(1, Ordering::Relaxed));
    let table = TableName::new(&wanted.database, &wanted.table);
    let profile = Arc::clone(&session.snapshot().client);
    let stop = Arc::new(Notify::new());
    session.generations.stops.insert(token.clone(), Arc::clone(&stop));
    let shown =
        profile.shows_progress && client.create_work_done_progress(ProgressToken::String(token.clone())).await.is_ok();
    let progress = match shown {
        true => {
            let title = format!("Contract of {table}");
            Some(client.progress(ProgressToken::String(token.clone()), title).with_cancel_button().begin().await)
        }
        false => None,
    };

    let (words, mut said) = unbounded_channel();
    let watcher = Words(words);
    let mut work = session.knowledge.backend.generate(&wanted.root, &table, &watcher);
    let outcome = loop {
        tokio::select! {
            biased;
            () = stop.notified() => break None,
            Some(word) = said.recv() => match word {
                Word::Step(step) => {
                    if let Some(progress) = &progress {
                        progress.report_with_message(step, None).await;
                    }
                }
                Word::Asks(change, answer) => tokio::select! {
                    () = stop.notified() => break None,
                    // One that is gone does not wait for the answer.
                    wanted = confirm(session, client, &table, &change) => drop(answer.send(wanted)),
                }
            },
            done = &mut work => break Some(done),
        }
    };
    drop(work);
    session.generations.stops.remove(&token);
    if let Some(progress) = progress {
        progress.finish().await;
    }
    tell(client, &table, outcome, profile.shows_documents).await;
}

/// What a generation says on its way.
enum Word {
    Step(String),
    Asks(ContractChange, oneshot::Sender<bool>),
}

struct Words(UnboundedSender<Word>);

#[async_trait]
impl Watcher for Words {
    fn report(&self, step: &str) {
        // The other end is there as long as somebody waits.
        let _ = self.0.send(Word::Step(step.to_owned()));
    }

    async fn approve(&self, change: ContractChange) -> bool {
        let (answer, answered) = oneshot::channel();
        self.0.send(Word::Asks(change, answer)).is_ok() && answered.await.unwrap_or(false)
    }
}

/// Shows what would change, and asks whether it is to be stored. No answer is a no.
async fn confirm(session: &Session, client: &Client, table: &TableName, change: &ContractChange) -> bool {
    let file = change.file.display().to_string();
    let difference = TextDiff::from_lines(&change.before, &change.after);
    let count = |tag: ChangeTag| difference.iter_all_changes().filter(|line| line.tag() == tag).count();
    let (added, removed) = (count(ChangeTag::Insert), count(ChangeTag::Delete));
    let text = difference.unified_diff().header(&file, &file).to_string();
    if session.snapshot().client.shows_documents
        && let Some(shown) = session.generations.write(&format!("{table}.diff"), &text).await
    {
        show(client, &shown, false).await;
    }
    let question = match change.before.is_empty() {
        true => format!("{table}: a new contract of {added} lines in {file}"),
        false => format!("{table}: {added} lines added and {removed} removed in {file}"),
    };
    let button = |title: &str| MessageActionItem { title: title.to_owned(), properties: HashMap::new() };
    let buttons = vec![button(STORE), button("Discard")];
    let answer = client.show_message_request(MessageType::INFO, question, Some(buttons)).await;
    matches!(answer, Ok(Some(chosen)) if chosen.title == STORE)
}

/// The button that has a contract stored.
const STORE: &str = "Store";

async fn show(client: &Client, file: &Path, take_focus: bool) {
    let Some(uri) = Uri::from_file_path(file) else { return };
    let params = ShowDocumentParams { uri, external: None, take_focus: Some(take_focus), selection: None };
    if let Err(error) = client.show_document(params).await {
        tracing::warn!("the client did not show {}: {error}", file.display());
    }
}

async fn tell(
    client: &Client,
    table: &TableName,
    outcome: Option<Result<Option<Generated>, BackendError>>,
    shows_documents: bool,
) {
    match outcome {
        Some(Ok(None)) => {
            client.show_message(MessageType::INFO, format!("{table}: discarded, nothing is stored")).await
        }
        None => client.show_message(MessageType::INFO, format!("{table}: stopped, nothing half-written")).await,
        Some(Err(error)) => client.show_message(MessageType::ERROR, format!("{table}: {error}")).await,
        Some(Ok(Some(Generated { file, summary }))) => {
            client.show_message(MessageType::INFO, format!("{table}: {summary}")).await;
            if shows_documents {
                show(client, &file, true).await;
            }
        }
    }
}
