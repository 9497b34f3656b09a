//! An open document in one version. It never changes: an edit makes another one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ropey::Rope;
use tower_lsp::ls_types::{TextDocumentContentChangeEvent, Uri};

use crate::positions::{self, Encoding};

/// The text of an open document in one version.
pub(crate) struct Document {
    /// As the client names it.
    pub(crate) uri: Uri,
    /// The client's number of this version.
    pub(crate) version: i32,
    /// The text.
    pub(crate) text: Rope,
    /// Set once a later version exists, or the document is closed.
    superseded: Arc<AtomicBool>,
}

impl Document {
    pub(crate) fn new(uri: Uri, version: i32, text: &str) -> Self {
        Self { uri, version, text: Rope::from_str(text), superseded: Arc::default() }
    }

    /// The next version: the changes are applied one after the other, each to the result of the one before.
    pub(crate) fn edited(&self, version: i32, changes: &[TextDocumentContentChangeEvent], encoding: Encoding) -> Self {
        let mut text = self.text.clone();
        for change in changes {
            apply(&mut text, change, encoding);
        }
        Self { uri: self.uri.clone(), version, text, superseded: Arc::default() }
    }

    /// Tells whoever works on this version that nobody wants the result any more.
    pub(crate) fn supersede(&self) {
        self.superseded.store(true, Ordering::Relaxed);
    }

    /// Whether the client has moved on from this version.
    pub(crate) fn is_superseded(&self) -> bool {
        self.superseded.load(Ordering::Relaxed)
    }
}

fn apply(text: &mut Rope, change: &TextDocumentContentChangeEvent, encoding: Encoding) {
    let Some(range) = change.range else {
        *text = Rope::from_str(&change.text);
        return;
    };
    let bytes = positions::to_offsets(text, range, encoding);
    let (start, end) = (text.byte_to_char(bytes.start), text.byte_to_char(bytes.end));
    text.remove(start..end);
    text.insert(start, &change.text);
}
