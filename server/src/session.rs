//! The one owner of what the client told us. Everybody else works on immutable snapshots of it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ropey::Rope;
use tokio::sync::{Notify, SetOnce};
use tower_lsp::ls_types::{
    DidChangeTextDocumentParams, DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, Uri,
};

use crate::backend::Backend;
use crate::document::Document;
use crate::files::OpenFile;
use crate::generation::Generations;
use crate::handlers::initialize::ClientProfile;
use crate::knowledge::Knowledge;
use crate::notebook::Notebooks;
use crate::workspace::Workspace;

/// What the client told us up to one message. Cloning shares the documents.
#[derive(Clone, Default)]
pub(crate) struct Snapshot {
    /// What the client can do, and what was agreed on with it.
    pub(crate) client: Arc<ClientProfile>,
    /// Workspace folders.
    pub(crate) folders: Vec<PathBuf>,
    /// Open scripts.
    pub(crate) documents: HashMap<Uri, Arc<Document>>,
    /// Open files that are no scripts.
    pub(crate) files: HashMap<Uri, Arc<OpenFile>>,
}

/// Owns the session's state. No method waits, and each one that changes something is short.
pub(crate) struct Session {
    snapshot: Mutex<Arc<Snapshot>>,
    /// What is known beyond the open text.
    pub(crate) knowledge: Arc<Knowledge>,
    /// What is known of jobs that need not be open.
    pub(crate) workspace: Arc<Workspace>,
    /// Contracts that are being generated.
    pub(crate) generations: Generations,
    /// Open notebooks.
    pub(crate) notebooks: Notebooks,
    /// Rings when documents, folders or answers changed.
    pub(crate) changed: Arc<Notify>,
    /// Rings when open files that are no scripts may have something else wrong with them.
    pub(crate) files_changed: Notify,
    /// Rings when files may have changed on disk.
    pub(crate) disk_changed: Notify,
    /// Rings when scripts that need not be open may have changed.
    pub(crate) jobs_changed: Notify,
    /// Rings when the client is ready for requests.
    pub(crate) client_ready: Notify,
    /// The client's process, once it has told.
    pub(crate) client_process: SetOnce<i32>,
}

impl Session {
    pub(crate) fn new(backend: impl Backend) -> Self {
        let changed = Arc::new(Notify::new());
        Self {
            snapshot: Mutex::default(),
            knowledge: Arc::new(Knowledge::new(backend, Arc::clone(&changed))),
            workspace: Arc::default(),
            generations: Generations::default(),
            notebooks: Notebooks::default(),
            changed,
            files_changed: Notify::new(),
            disk_changed: Notify::new(),
            jobs_changed: Notify::new(),
            client_ready: Notify::new(),
            client_process: SetOnce::new(),
        }
    }

    /// What the client told us up to now.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.lock())
    }

    pub(crate) fn initialize(&self, client: ClientProfile, folders: Vec<PathBuf>) {
        self.update(|snapshot| {
            snapshot.client = Arc::new(client);
            snapshot.folders = folders;
        });
    }

    pub(crate) fn open(&self, params: DidOpenTextDocumentParams) {
        let item = params.text_document;
        if let Some(file) = OpenFile::new(&item.uri, item.version, &item.text) {
            return self.update_files(|files| drop(files.insert(item.uri, Arc::new(file))));
        }
        let document = Document::new(item.uri.clone(), item.version, Rope::from_str(&item.text));
        self.update(|snapshot| replace(snapshot, &item.uri, Some(document)));
    }

    pub(crate) fn change(&self, params: &DidChangeTextDocumentParams) {
        let uri = &params.text_document.uri;
        let encoding = self.snapshot().client.encoding;
        if let Some(file) = self.snapshot().files.get(uri) {
            let edited = file.edited(params.text_document.version, &params.content_changes, encoding);
            return self.update_files(|files| drop(files.insert(uri.clone(), Arc::new(edited))));
        }
        self.update(|snapshot| match snapshot.documents.get(uri) {
            Some(document) => {
                let edited =
                    document.edited(params.text_document.version, &params.content_changes, snapshot.client.encoding);
                replace(snapshot, uri, Some(edited));
            }
            None => tracing::warn!("the client changed {} without opening it", uri.as_str()),
        });
    }

    pub(crate) fn close(&self, params: &DidCloseTextDocumentParams) {
        let uri = &params.text_document.uri;
        if self.snapshot().files.contains_key(uri) {
            return self.update_files(|files| drop(files.remove(uri)));
        }
        self.update(|snapshot| replace(snapshot, uri, None));
    }

    pub(crate) fn change_folders(&self, params: &DidChangeWorkspaceFoldersParams) {
        let path = |uri: &Uri| uri.to_file_path().map(|path| path.into_owned());
        self.update(|snapshot| {
            let removed: Vec<_> = params.event.removed.iter().filter_map(|folder| path(&folder.uri)).collect();
            snapshot.folders.retain(|folder| !removed.contains(folder));
            snapshot.folders.extend(params.event.added.iter().filter_map(|folder| path(&folder.uri)));
        });
        self.disk_changed.notify_one();
    }

    /// Has a document analyzed anew, unless the client has moved on from it.
    pub(crate) fn renew(&self, document: &Arc<Document>) {
        self.update(|snapshot| {
            if let Some(current) = snapshot.documents.get_mut(&document.uri)
                && Arc::ptr_eq(current, document)
            {
                *current = Arc::new(document.renewed());
            }
        });
    }

    fn update(&self, change: impl FnOnce(&mut Snapshot)) {
        change(Arc::make_mut(&mut self.lock()));
        self.changed.notify_one();
    }

    fn update_files(&self, change: impl FnOnce(&mut HashMap<Uri, Arc<OpenFile>>)) {
        change(&mut Arc::make_mut(&mut self.lock()).files);
        self.files_changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Snapshot>> {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts a document in the place of its earlier version, or closes it.
fn replace(snapshot: &mut Snapshot, uri: &Uri, document: Option<Document>) {
    let earlier = match document {
        Some(document) => snapshot.documents.insert(uri.clone(), Arc::new(document)),
        None => snapshot.documents.remove(uri),
    };
    if let Some(earlier) = earlier {
        earlier.supersede();
    }
}
