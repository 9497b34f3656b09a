//! An open document in one version. It never changes: an edit makes another one.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use analyzer::{Analysis, Parsed, Question, TextRange};
use ropey::Rope;
use tokio::sync::OnceCell;
use tower_lsp::ls_types::{TextDocumentContentChangeEvent, Uri};

use crate::knowledge::{Knowledge, KnownWorld, next_revision};
use crate::positions::{self, Encoding};
use crate::session::Snapshot;

/// The text of an open document in one version, and its analysis once somebody wanted it.
pub(crate) struct Document {
    /// As the client names it.
    pub(crate) uri: Uri,
    /// The file, where the client's name is one of a file.
    pub(crate) path: Option<Arc<Path>>,
    /// The client's number of this version.
    pub(crate) version: i32,
    /// The text.
    pub(crate) text: Rope,
    /// Differs between any two texts.
    pub(crate) text_revision: u64,
    /// Differs between any two analyses.
    pub(crate) analysis_revision: u64,
    superseded: Arc<AtomicBool>,
    history: History,
    /// The text as the parser saw it, once it did.
    parsed: Arc<OnceLock<Parsed>>,
    analysis: OnceCell<Option<Arc<Analyzed>>>,
}

/// How a text came about, so that only what changed is parsed again.
#[derive(Clone, Default)]
struct History {
    /// The newest earlier version that was parsed, and each edit since: its place in what the edits before it left.
    since: Option<(Parsed, Vec<(TextRange, String)>)>,
}

/// Past so many edits, a text is parsed as a whole.
const MAX_EDITS: usize = 100;

/// An analysis and what it rests on.
pub(crate) struct Analyzed {
    /// The text that was analyzed.
    pub(crate) text: String,
    pub(crate) analysis: Analysis,
    /// What was asked, with the revision of each answer that was given.
    pub(crate) asked: Vec<(Question, u64)>,
}

/// The client has moved on from the version that was to be analyzed.
pub(crate) struct Superseded;

impl Document {
    pub(crate) fn new(uri: Uri, version: i32, text: Rope) -> Self {
        Self::with_history(uri, version, text, History::default())
    }

    fn with_history(uri: Uri, version: i32, text: Rope, history: History) -> Self {
        let path = uri.to_file_path().filter(|_| uri.scheme().as_str() == "file").map(|path| Arc::from(&*path));
        Self {
            uri,
            path,
            version,
            text,
            text_revision: next_revision(),
            analysis_revision: next_revision(),
            superseded: Arc::default(),
            history,
            parsed: Arc::default(),
            analysis: OnceCell::new(),
        }
    }

    /// The next version: the changes are applied one after the other, each to the result of the one before.
    pub(crate) fn edited(&self, version: i32, changes: &[TextDocumentContentChangeEvent], encoding: Encoding) -> Self {
        let mut text = self.text.clone();
        let mut history = match self.parsed.get() {
            Some(parsed) => History { since: Some((parsed.clone(), Vec::new())) },
            None => self.history.clone(),
        };
        for change in changes {
            let edit = apply(&mut text, change, encoding);
            match (edit, &mut history.since) {
                (Some(range), Some((_, edits))) if edits.len() < MAX_EDITS => edits.push((range, change.text.clone())),
                _ => history.since = None,
            }
        }
        Self::with_history(self.uri.clone(), version, text, history)
    }

    /// The same version, to be analyzed anew because something that it rests on has changed.
    pub(crate) fn renewed(&self) -> Self {
        Self {
            uri: self.uri.clone(),
            path: self.path.clone(),
            version: self.version,
            text: self.text.clone(),
            text_revision: self.text_revision,
            analysis_revision: next_revision(),
            superseded: Arc::clone(&self.superseded),
            history: self.history.clone(),
            parsed: Arc::clone(&self.parsed),
            analysis: OnceCell::new(),
        }
    }

    /// Tells whoever works on this version that nobody wants the result any more.
    pub(crate) fn supersede(&self) {
        self.superseded.store(true, Ordering::Relaxed);
    }

    /// Whether the client has moved on from this version.
    pub(crate) fn is_superseded(&self) -> bool {
        self.superseded.load(Ordering::Relaxed)
    }

    /// The analysis of this version, shared by all who ask for it; `None` where the analyzer failed on it.
    ///
    /// It ends early when the version is superseded, or when the last one who waits for it goes away.
    pub(crate) async fn analysis(
        &self,
        knowledge: &Arc<Knowledge>,
        snapshot: &Arc<Snapshot>,
    ) -> Result<Option<Arc<Analyzed>>, Superseded> {
        let analyzed = self.analysis.get_or_try_init(|| self.analyze(knowledge, snapshot)).await?;
        Ok(analyzed.clone())
    }

    /// The analysis, if it has been made.
    pub(crate) fn analysis_made(&self) -> Option<&Arc<Analyzed>> {
        self.analysis.get()?.as_ref()
    }

    async fn analyze(
        &self,
        knowledge: &Arc<Knowledge>,
        snapshot: &Arc<Snapshot>,
    ) -> Result<Option<Arc<Analyzed>>, Superseded> {
        let abandoned = RaisedOnDrop::default();
        let flags = (Arc::clone(&self.superseded), Arc::clone(&abandoned.0));
        let cancelled = move || flags.0.load(Ordering::Relaxed) || flags.1.load(Ordering::Relaxed);
        let place = match &self.path {
            Some(path) => Some(knowledge.locate(path, &snapshot.folders).await),
            None => None,
        };
        let world = KnownWorld::new(Arc::clone(knowledge), Arc::clone(snapshot), place, cancelled);
        let (text, history, parsed) = (self.text.clone(), self.history.clone(), Arc::clone(&self.parsed));
        let analyzed = tokio::task::spawn_blocking(move || {
            let parsed = parsed.get_or_init(|| history.parsed().unwrap_or_else(|| Parsed::new(text.to_string())));
            let analysis = parsed.analyze(&world);
            Arc::new(Analyzed { text: parsed.text().to_owned(), analysis, asked: world.into_asked() })
        })
        .await;
        if self.is_superseded() {
            return Err(Superseded);
        }
        // What panicked in there has been reported by the process's panic hook.
        Ok(analyzed.ok())
    }
}

impl History {
    fn parsed(&self) -> Option<Parsed> {
        let (before, edits) = self.since.as_ref()?;
        before.edited(edits.iter().map(|(range, text)| (*range, text.as_str())))
    }
}

/// A flag that goes up when its owner goes away.
#[derive(Default)]
struct RaisedOnDrop(Arc<AtomicBool>);

impl Drop for RaisedOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Changes the text, and says what range was replaced; `None` where all of it was.
fn apply(text: &mut Rope, change: &TextDocumentContentChangeEvent, encoding: Encoding) -> Option<TextRange> {
    let Some(range) = change.range else {
        *text = Rope::from_str(&change.text);
        return None;
    };
    let bytes = positions::to_offsets(text, range, encoding);
    let (start, end) = (text.byte_to_char(bytes.start), text.byte_to_char(bytes.end));
    text.remove(start..end);
    text.insert(start, &change.text);
    Some(TextRange::new(bytes.start, bytes.end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tower_lsp::ls_types::{Position, Range};

    use super::*;

    fn document(text: &str) -> Document {
        Document::new("file:///etl.py".parse().unwrap(), 1, Rope::from_str(text))
    }

    fn change(range: Option<(u32, u32, u32, u32)>, text: &str) -> TextDocumentContentChangeEvent {
        let range = range.map(|(line, character, end_line, end_character)| Range {
            start: Position { line, character },
            end: Position { line: end_line, character: end_character },
        });
        TextDocumentContentChangeEvent { range, range_length: None, text: text.to_owned() }
    }

    /// What the protocol says of a change, on UTF-16 units: lines, then units, clamped to the line without its break.
    fn expected(text: &str, change: &TextDocumentContentChangeEvent) -> String {
        let Some(range) = change.range else { return change.text.clone() };
        let units: Vec<u16> = text.encode_utf16().collect();
        let offset = |position: Position| {
            let mut starts = vec![0];
            for (index, unit) in units.iter().enumerate() {
                let ends_line = *unit == u16::from(b'\n')
                    || (*unit == u16::from(b'\r') && units.get(index + 1) != Some(&u16::from(b'\n')));
                if ends_line {
                    starts.push(index + 1);
                }
            }
            let line = position.line as usize;
            let Some(&start) = starts.get(line) else { return units.len() };
            let mut end = starts.get(line + 1).copied().unwrap_or(units.len());
            while end > start && [u16::from(b'\r'), u16::from(b'\n')].contains(&units[end - 1]) {
                end -= 1;
            }
            let at = (start + position.character as usize).min(end);
            let inside_pair = at < units.len() && (0xDC00..0xE000).contains(&units[at]);
            if inside_pair { at - 1 } else { at }
        };
        let (one, other) = (offset(range.start), offset(range.end));
        let (before, after) = (&units[..one.min(other)], &units[one.max(other)..]);
        String::from_utf16(before).unwrap() + &change.text + &String::from_utf16(after).unwrap()
    }

    fn text() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec!["a", "é", "e\u{301}", "😀", "\u{2028}", "\n", "\r\n", "\r", "\t", "col"]);
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    fn changes() -> impl Strategy<Value = Vec<TextDocumentContentChangeEvent>> {
        let range = prop::option::weighted(0.95, (0..8_u32, 0..10_u32, 0..8_u32, 0..10_u32));
        prop::collection::vec((range, text()).prop_map(|(range, text)| change(range, &text)), 0..8)
    }

    proptest! {
        #[test]
        fn any_sequence_of_changes_yields_the_clients_text(start in text(), steps in prop::collection::vec(changes(), 0..6)) {
            let (mut document, mut expected_text) = (document(&start), start);
            for changes in steps {
                document = document.edited(document.version + 1, &changes, Encoding::Utf16);
                for change in &changes {
                    expected_text = expected(&expected_text, change);
                }
                prop_assert_eq!(document.text.to_string(), expected_text.as_str());
                // Parsed now and then, as a server that does not come round to every version does.
                if let Some(parsed) = document.history.parsed() {
                    prop_assert_eq!(parsed.text(), expected_text.as_str());
                }
                if document.version % 2 == 0 {
                    document.parsed.get_or_init(|| Parsed::new(document.text.to_string()));
                }
            }
        }
    }

    #[test]
    fn only_a_file_has_a_path() {
        assert_eq!(document("").path.as_deref(), Some(Path::new("/etl.py")));
        let untitled = Document::new("untitled:Untitled-1".parse().unwrap(), 1, Rope::new());
        assert_eq!(untitled.path, None);
    }
}
