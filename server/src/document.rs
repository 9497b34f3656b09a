//! An open document in one version. It never changes: an edit makes another one.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use analyzer::{Analysis, Parsed, Question};
use ropey::Rope;
use tokio::sync::OnceCell;
use tower_lsp::ls_types::{TextDocumentContentChangeEvent, Uri};

use crate::knowledge::{Knowledge, KnownWorld, next_revision};
use crate::positions::{self, Encoding};
use crate::session::Snapshot;
use crate::workspace::Job;

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
    /// The newest earlier version that was parsed: of this one, only what differs from it is.
    before: Option<Parsed>,
    /// The text as the parser saw it, once it did.
    parsed: Arc<OnceLock<Parsed>>,
    analysis: OnceCell<Option<Arc<Analyzed>>>,
}

/// An analysis and what it rests on.
pub(crate) struct Analyzed {
    /// The text that was analyzed.
    pub(crate) text: Arc<str>,
    pub(crate) analysis: Analysis,
    /// What was asked, with the revision of each answer that was given.
    pub(crate) asked: Vec<(Question, u64)>,
    /// The script as other jobs see it, once they look.
    pub(crate) job: OnceLock<Arc<Job>>,
}

/// The client has moved on from the version that was to be analyzed.
pub(crate) struct Superseded;

impl Document {
    pub(crate) fn new(uri: Uri, version: i32, text: Rope) -> Self {
        Self::after(None, uri, version, text)
    }

    /// Whether it is the code of a notebook.
    pub(crate) fn is_notebook(&self) -> bool {
        self.path.as_ref().is_some_and(|path| path.extension().is_some_and(|kind| kind == "ipynb"))
    }

    fn after(before: Option<Parsed>, uri: Uri, version: i32, text: Rope) -> Self {
        let path = uri.to_file_path().filter(|_| uri.scheme().as_str() == "file").map(|path| Arc::from(&*path));
        Self {
            uri,
            path,
            version,
            text,
            text_revision: next_revision(),
            analysis_revision: next_revision(),
            superseded: Arc::default(),
            before,
            parsed: Arc::default(),
            analysis: OnceCell::new(),
        }
    }

    /// The next version: the changes are applied one after the other, each to the result of the one before.
    pub(crate) fn edited(&self, version: i32, changes: &[TextDocumentContentChangeEvent], encoding: Encoding) -> Self {
        let mut text = self.text.clone();
        for change in changes {
            apply(&mut text, change, encoding);
        }
        let before = self.parsed.get().or(self.before.as_ref()).cloned();
        Self::after(before, self.uri.clone(), version, text)
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
            before: self.before.clone(),
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

    /// The text as the parser sees it.
    pub(crate) fn parsed(&self) -> Parsed {
        let parse = || match &self.before {
            Some(before) => before.with_text(self.text.to_string()),
            None => Parsed::new(self.text.to_string()),
        };
        self.parsed.get_or_init(parse).clone()
    }

    /// The analysis of this version, shared by all who ask for it; `None` where the analyzer failed on it.
    ///
    /// It ends early when the version is superseded, or when the last one who waits for it goes away.
    pub(crate) async fn analysis(
        self: &Arc<Self>,
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
        self: &Arc<Self>,
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
        let document = Arc::clone(self);
        let analyzed = tokio::task::spawn_blocking(move || {
            let work = || {
                let parsed = document.parsed();
                (Arc::clone(parsed.text()), parsed.analyze(&world))
            };
            let (text, analysis) = analyzer::on_deep_stack(work)?.ok()?;
            Some(Arc::new(Analyzed { text, analysis, asked: world.into_asked(), job: OnceLock::new() }))
        })
        .await;
        if self.is_superseded() {
            return Err(Superseded);
        }
        // What panicked in there has been reported by the process's panic hook.
        Ok(analyzed.ok().flatten())
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

/// Changes the text.
pub(crate) fn apply(text: &mut Rope, change: &TextDocumentContentChangeEvent, encoding: Encoding) {
    let Some(range) = change.range else {
        *text = Rope::from_str(&change.text);
        return;
    };
    let bytes = positions::to_offsets(text, range, encoding);
    let (start, end) = (text.byte_to_char(bytes.start), text.byte_to_char(bytes.end));
    text.remove(start..end);
    text.insert(start, &change.text);
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
