//! Contracts that somebody asked to have generated: one after the other, in the background, with progress and a button to
//! stop.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use contract::schema::TableName;
use dashmap::DashMap;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower_lsp::Client;
use tower_lsp::ls_types::{MessageType, ProgressToken, ShowDocumentParams, Uri};

use crate::backend::{BackendError, Generated};
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
}

impl Default for Generations {
    fn default() -> Self {
        let (queue, queued) = unbounded_channel();
        Self { queue, queued: Mutex::new(Some(queued)), stops: DashMap::new() }
    }
}

impl Generations {
    /// Asks for a contract; does not wait.
    pub(crate) fn ask(&self, wanted: Wanted) {
        // The other end is there as long as the session is.
        let _ = self.queue.send(wanted);
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

    let (steps, mut reported) = unbounded_channel::<String>();
    let report = move |step: &str| drop(steps.send(step.to_owned()));
    let mut work = session.knowledge.backend.generate(&wanted.root, &table, &report);
    let outcome = loop {
        tokio::select! {
            biased;
            () = stop.notified() => break None,
            Some(step) = reported.recv() => {
                if let Some(progress) = &progress {
                    progress.report_with_message(step, None).await;
                }
            }
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

async fn tell(
    client: &Client,
    table: &TableName,
    outcome: Option<Result<Generated, BackendError>>,
    shows_documents: bool,
) {
    match outcome {
        None => client.show_message(MessageType::INFO, format!("{table}: stopped, nothing half-written")).await,
        Some(Err(error)) => client.show_message(MessageType::ERROR, format!("{table}: {error}")).await,
        Some(Ok(Generated { file, summary })) => {
            client.show_message(MessageType::INFO, format!("{table}: {summary}")).await;
            if let Some(uri) = Uri::from_file_path(&file).filter(|_| shows_documents) {
                let params = ShowDocumentParams { uri, external: None, take_focus: Some(true), selection: None };
                if let Err(error) = client.show_document(params).await {
                    tracing::warn!("the client did not show {}: {error}", Path::new(&file).display());
                }
            }
        }
    }
}
