//! Open files of a project that are no scripts: its settings, contracts and compiled tests. The backend says what is
//! wrong with their text as it is in the editor; it is published, also to clients that pull what is wrong with scripts.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use ropey::Rope;
use tower_lsp::Client;
use tower_lsp::ls_types::{Diagnostic, TextDocumentContentChangeEvent, Uri};

use crate::backend::Finding;
use crate::document;
use crate::handlers::diagnostic;
use crate::handlers::initialize::ClientProfile;
use crate::positions::Encoding;
use crate::session::{Session, Snapshot};

/// An open file in one version.
pub(crate) struct OpenFile {
    pub(crate) uri: Uri,
    pub(crate) path: Arc<Path>,
    pub(crate) version: i32,
    pub(crate) text: Rope,
}

impl OpenFile {
    /// The file of a name, where it is one of the kinds that a backend may have something to say of.
    pub(crate) fn new(uri: &Uri, version: i32, text: &str) -> Option<Self> {
        let path = uri.to_file_path().filter(|_| uri.scheme().as_str() == "file")?;
        let extension = path.extension()?.to_str()?;
        let path = matches!(extension, "json" | "toml" | "yaml" | "yml").then(|| Arc::from(&*path))?;
        Some(Self { uri: uri.clone(), path, version, text: Rope::from_str(text) })
    }

    /// The next version.
    pub(crate) fn edited(&self, version: i32, changes: &[TextDocumentContentChangeEvent], encoding: Encoding) -> Self {
        let mut text = self.text.clone();
        for change in changes {
            document::apply(&mut text, change, encoding);
        }
        Self { uri: self.uri.clone(), path: Arc::clone(&self.path), version, text }
    }
}

/// Reviews open files whenever one of them, or something that they rest on, may have changed. Runs until it is dropped.
pub(crate) async fn run(session: &Session, client: &Client) {
    let mut published: HashMap<Uri, (i32, Vec<Diagnostic>)> = HashMap::new();
    loop {
        session.files_changed.notified().await;
        let snapshot = session.snapshot();
        for file in snapshot.files.values() {
            let found = review(session, &snapshot, file).await;
            let is_current = session.snapshot().files.get(&file.uri).is_some_and(|now| Arc::ptr_eq(now, file));
            let known = (file.version, found);
            if is_current && published.get(&file.uri) != Some(&known) {
                client.publish_diagnostics(file.uri.clone(), known.1.clone(), Some(file.version)).await;
                published.insert(file.uri.clone(), known);
            }
        }
        for (uri, _) in published.extract_if(|uri, _| !snapshot.files.contains_key(uri)) {
            client.publish_diagnostics(uri, Vec::new(), None).await;
        }
    }
}

async fn review(session: &Session, snapshot: &Snapshot, file: &OpenFile) -> Vec<Diagnostic> {
    let place = session.knowledge.locate(&file.path, &snapshot.folders).await;
    let found = session.knowledge.backend.review(&place.root, &file.path, &file.text.to_string()).await;
    found.into_iter().map(|finding| encode(&file.text, finding, &snapshot.client)).collect()
}

/// A finding stands on what is written on its line.
fn encode(text: &Rope, finding: Finding, client: &ClientProfile) -> Diagnostic {
    let index = finding.line.saturating_sub(1).min(text.len_lines().saturating_sub(1));
    let (start, line) = (text.line_to_byte(index), text.line(index).to_string());
    let indent = line.len() - line.trim_start().len();
    let range = analyzer::TextRange::new(start + indent.min(line.trim_end().len()), start + line.trim_end().len());
    let told = analyzer::Diagnostic {
        code: finding.code,
        severity: finding.severity,
        range,
        message: finding.message,
        suggestions: Vec::new(),
        related: Vec::new(),
    };
    diagnostic::encode(text, None, &told, client)
}
