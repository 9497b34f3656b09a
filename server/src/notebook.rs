//! Notebooks: the code cells of one are one script to everybody else, and places go to and fro here.
//!
//! A notebook is opened as a document of its own name, whose text is that of its code cells one below the other. A
//! request about a cell is asked about that document with its lines moved, and every answer and notification on its way
//! out has the lines moved back, for the cell that they fall into.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ropey::Rope;
use serde_json::{Map, Value, json};
use tower_lsp::jsonrpc::{Request, Response};
use tower_lsp::ls_types::{
    DidChangeNotebookDocumentParams, DidChangeTextDocumentParams, DidCloseNotebookDocumentParams,
    DidCloseTextDocumentParams, DidOpenNotebookDocumentParams, DidOpenTextDocumentParams, NotebookCell,
    NotebookCellKind, TextDocumentContentChangeEvent, TextDocumentIdentifier, TextDocumentItem, Uri,
    VersionedTextDocumentIdentifier,
};

use crate::document;
use crate::positions::Encoding;

/// Magics whose cells are Python all the same.
const PYTHON_MAGICS: [&str; 6] = ["%%capture", "%%prun", "%%time", "%%timeit", "%%python", "%%pyspark"];

/// The open notebooks.
#[derive(Default)]
pub(crate) struct Notebooks {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: HashMap<Uri, Notebook>,
    /// Where the cells of all of them are.
    layout: Arc<Layout>,
}

/// A notebook, its cells in order.
struct Notebook {
    uri: Uri,
    cells: Vec<Cell>,
    /// The texts of cells by their names.
    texts: HashMap<Uri, (String, Rope)>,
    /// Where the code cells stand in the script.
    spans: Vec<Span>,
    /// Cells that are there no more, of which nothing is to be told any longer.
    gone: Vec<Uri>,
    is_closed: bool,
}

struct Cell {
    uri: Uri,
    is_code: bool,
}

/// Where the code cells of notebooks stand in their scripts, as of one moment.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    cells: Vec<Span>,
    /// Notebooks with cells that they had.
    gone: Vec<(String, String)>,
}

/// The lines of a cell in the script of its notebook.
#[derive(Clone, Debug)]
struct Span {
    notebook: String,
    cell: String,
    first: u64,
    end: u64,
}

impl Notebooks {
    /// The document that stands for a notebook that is opened.
    pub(crate) fn open(&self, params: DidOpenNotebookDocumentParams) -> DidOpenTextDocumentParams {
        let opened = params.notebook_document;
        let texts = params.cell_text_documents.into_iter().map(text_of).collect();
        let cells = opened.cells.into_iter().map(Cell::of).collect();
        let uri = opened.uri.clone();
        let mut notebook = Notebook { uri, cells, texts, spans: Vec::new(), gone: Vec::new(), is_closed: false };
        let text_document = TextDocumentItem {
            uri: opened.uri.clone(),
            language_id: "python".to_owned(),
            version: opened.version,
            text: notebook.read(),
        };
        let mut state = self.lock();
        state.open.retain(|_, notebook| !notebook.is_closed);
        state.open.insert(opened.uri, notebook);
        state.lay_out();
        DidOpenTextDocumentParams { text_document }
    }

    /// The change of the document that stands for a notebook; `None` where it is not open.
    pub(crate) fn change(
        &self,
        params: DidChangeNotebookDocumentParams,
        encoding: Encoding,
    ) -> Option<DidChangeTextDocumentParams> {
        let mut state = self.lock();
        let notebook = state.open.get_mut(&params.notebook_document.uri)?;
        let change = params.change.cells?;
        if let Some(structure) = change.structure {
            let start = (structure.array.start as usize).min(notebook.cells.len());
            let end = start.saturating_add(structure.array.delete_count as usize).min(notebook.cells.len());
            let cells = structure.array.cells.unwrap_or_default();
            let removed = notebook.cells.splice(start..end, cells.into_iter().map(Cell::of));
            notebook.gone.extend(removed.map(|cell| cell.uri));
            notebook.gone.retain(|gone| notebook.cells.iter().all(|cell| cell.uri != *gone));
            notebook.texts.extend(structure.did_open.unwrap_or_default().into_iter().map(text_of));
            for closed in structure.did_close.unwrap_or_default() {
                notebook.texts.remove(&closed.uri);
            }
        }
        for changed in change.text_content.unwrap_or_default() {
            if let Some((_, text)) = notebook.texts.get_mut(&changed.document.uri) {
                changed.changes.iter().for_each(|change| document::apply(text, change, encoding));
            }
        }
        for data in change.data.unwrap_or_default() {
            if let Some(cell) = notebook.cells.iter_mut().find(|cell| cell.uri == data.document) {
                *cell = Cell::of(data);
            }
        }
        let whole = TextDocumentContentChangeEvent { range: None, range_length: None, text: notebook.read() };
        state.lay_out();
        let text_document = VersionedTextDocumentIdentifier {
            uri: params.notebook_document.uri,
            version: params.notebook_document.version,
        };
        Some(DidChangeTextDocumentParams { text_document, content_changes: vec![whole] })
    }

    pub(crate) fn close(&self, params: DidCloseNotebookDocumentParams) -> DidCloseTextDocumentParams {
        let mut state = self.lock();
        if let Some(notebook) = state.open.get_mut(&params.notebook_document.uri) {
            notebook.is_closed = true;
            notebook.spans.clear();
            notebook.gone.extend(notebook.cells.drain(..).map(|cell| cell.uri));
        }
        state.lay_out();
        DidCloseTextDocumentParams { text_document: TextDocumentIdentifier { uri: params.notebook_document.uri } }
    }

    /// Where the cells are now.
    pub(crate) fn layout(&self) -> Arc<Layout> {
        Arc::clone(&self.lock().layout)
    }

    /// Whether a document stands for a notebook.
    pub(crate) fn has(&self, uri: &Uri) -> bool {
        self.lock().open.contains_key(uri)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn lay_out(&mut self) {
        let gone = self.open.values().flat_map(|notebook| {
            notebook.gone.iter().map(|cell| (notebook.uri.as_str().to_owned(), cell.as_str().to_owned()))
        });
        let cells = self.open.values().flat_map(|notebook| &notebook.spans).cloned().collect();
        self.layout = Arc::new(Layout { cells, gone: gone.collect() });
    }
}

impl Cell {
    fn of(cell: NotebookCell) -> Self {
        Self { uri: cell.document, is_code: cell.kind == NotebookCellKind::CODE }
    }
}

fn text_of(item: TextDocumentItem) -> (Uri, (String, Rope)) {
    (item.uri, (item.language_id, Rope::from_str(&item.text)))
}

impl Notebook {
    /// The cells that are Python, with their texts.
    fn code(&self) -> impl Iterator<Item = (&Cell, String)> {
        self.cells.iter().filter(|cell| cell.is_code).filter_map(|cell| {
            let (language, text) = self.texts.get(&cell.uri)?;
            (language == "python").then(|| (cell, without_magics(&text.to_string())))
        })
    }

    /// The script, and where its cells stand in it from now on.
    fn read(&mut self) -> String {
        let (mut script, mut spans, mut first) = (String::new(), Vec::new(), 0);
        for (cell, text) in self.code() {
            let end = first + text.matches('\n').count() as u64;
            let (notebook, cell) = (self.uri.as_str().to_owned(), cell.uri.as_str().to_owned());
            spans.push(Span { notebook, cell, first, end });
            script.push_str(&text);
            first = end;
        }
        self.spans = spans;
        script
    }
}

/// A cell's text as Python, with a line end at its end: magics and shell commands are comments of the same length.
fn without_magics(text: &str) -> String {
    let first = text.lines().map(str::trim_start).find(|line| !line.is_empty()).unwrap_or_default();
    let magic = first.split_whitespace().next().filter(|word| word.starts_with("%%"));
    let is_python = magic.is_none_or(|magic| PYTHON_MAGICS.contains(&magic));
    let mut script = String::with_capacity(text.len() + 1);
    // Whether a text in each kind of three quotes has begun and not ended.
    let mut within = [false; 2];
    for line in text.split_inclusive('\n') {
        let code = line.trim_start();
        let start = script.len();
        // A line within a text of several lines is no magic.
        let inside = within.contains(&true);
        if !code.is_empty() && (!is_python || (code.starts_with(['%', '!']) && !inside)) {
            let indent = line.len() - code.len();
            script.extend(line.get(..indent));
            script.push('#');
            script.extend(code.chars().skip(1));
        } else {
            script.push_str(line);
        }
        for (within, quotes) in within.iter_mut().zip([r#"""""#, "'''"]) {
            *within ^= script.get(start..).unwrap_or_default().matches(quotes).count() % 2 == 1;
        }
    }
    // A carriage return alone is no line end to the analyzer's tools, but one to an editor.
    if !script.ends_with('\n') {
        script.push('\n');
    }
    script
}

impl Layout {
    /// A request about a cell becomes one about its notebook; the answer is to go through [`Layout::answer`].
    pub(crate) fn ask(self: &Arc<Self>, request: Request) -> (Request, Asked) {
        let cell = request.params().and_then(|params| params["textDocument"]["uri"].as_str());
        let Some(span) = self.cells.iter().find(|span| Some(span.cell.as_str()) == cell).cloned() else {
            return (request, Asked { layout: Arc::clone(self), cell: None });
        };
        let (method, id, params) = request.into_parts();
        let mut params = params.unwrap_or_default();
        params["textDocument"]["uri"] = json!(span.notebook);
        for place in ["position", "range", "context"] {
            if let Some(place) = params.get_mut(place) {
                each_line(place, &mut |line| Some(line + span.first));
            }
        }
        let request = Request::build(method).params(params);
        let request = match id {
            Some(id) => request.id(id).finish(),
            None => request.finish(),
        };
        (request, Asked { layout: Arc::clone(self), cell: Some(span) })
    }

    /// What the server says of its own accord: of notebooks, a message for each of their cells.
    pub(crate) fn tell(self: &Arc<Self>, request: Request) -> Vec<Request> {
        if (self.cells.is_empty() && self.gone.is_empty()) || request.id().is_some() {
            return vec![request];
        }
        let (method, _, params) = request.into_parts();
        let mut params = params.unwrap_or_default();
        let uri = params["uri"].as_str().unwrap_or_default().to_owned();
        let cells: Vec<&Span> = self.cells.iter().filter(|span| span.notebook == uri).collect();
        let gone: Vec<&String> =
            self.gone.iter().filter(|(notebook, _)| *notebook == uri).map(|(_, cell)| cell).collect();
        if cells.is_empty() && gone.is_empty() {
            Asked { layout: Arc::clone(self), cell: None }.encode(&mut params);
            return vec![Request::build(method).params(params).finish()];
        }
        let told = |span: &Span| {
            let mut params = params.clone();
            Asked { layout: Arc::clone(self), cell: Some(span.clone()) }.encode(&mut params["diagnostics"]);
            params["uri"] = json!(span.cell);
            if let Some(map) = params.as_object_mut() {
                map.remove("version");
            }
            Request::build(method.clone()).params(params).finish()
        };
        let nothing =
            |cell: &String| Request::build(method.clone()).params(json!({ "uri": cell, "diagnostics": [] })).finish();
        cells.into_iter().map(told).chain(gone.into_iter().map(nothing)).collect()
    }

    fn cell_at(&self, notebook: &str, line: u64) -> Option<&Span> {
        self.cells.iter().find(|span| span.notebook == notebook && (span.first..span.end).contains(&line))
    }
}

/// What an answer is about.
#[derive(Debug)]
pub(crate) struct Asked {
    layout: Arc<Layout>,
    /// The cell that the request named.
    cell: Option<Span>,
}

impl Asked {
    /// The answer with its places in cells.
    pub(crate) fn answer(&self, response: Response) -> Response {
        if self.layout.cells.is_empty() {
            return response;
        }
        let (id, result) = response.into_parts();
        let result = result.map(|mut result| {
            self.encode(&mut result);
            result
        });
        Response::from_parts(id, result)
    }

    /// Moves all places in a value. False where it is about another cell than the one that was asked about.
    fn encode(&self, value: &mut Value) -> bool {
        match value {
            Value::Array(items) => {
                items.retain_mut(|item| self.encode(item));
                true
            }
            Value::Object(map) => match map.get("uri").and_then(Value::as_str) {
                Some(uri) => {
                    let uri = uri.to_owned();
                    self.locate(map, &uri);
                    true
                }
                None => {
                    if let Some(Value::Object(changes)) = map.get_mut("changes") {
                        self.distribute(changes);
                    }
                    self.encode_fields(map)
                }
            },
            _ => true,
        }
    }

    /// A location in a notebook is one in a cell.
    fn locate(&self, map: &mut Map<String, Value>, uri: &str) {
        let line = map.get("range").and_then(|range| range["start"]["line"].as_u64()).unwrap_or_default();
        let Some(span) = self.layout.cell_at(uri, line) else { return };
        map.insert("uri".to_owned(), json!(span.cell));
        if let Some(range) = map.get_mut("range") {
            each_line(range, &mut |line| span.line(line));
        }
    }

    /// Edits of a notebook are edits of the cells that they fall into.
    fn distribute(&self, changes: &mut Map<String, Value>) {
        let notebooks: Vec<String> =
            changes.keys().filter(|uri| self.layout.cells.iter().any(|span| span.notebook == **uri)).cloned().collect();
        for notebook in notebooks {
            let Some(Value::Array(edits)) = changes.remove(&notebook) else { continue };
            for mut edit in edits {
                let line = edit["range"]["start"]["line"].as_u64().unwrap_or_default();
                let Some(span) = self.layout.cell_at(&notebook, line) else { continue };
                each_line(&mut edit["range"], &mut |line| span.line(line));
                let of_cell = changes.entry(span.cell.clone()).or_insert_with(|| json!([]));
                of_cell.as_array_mut().into_iter().for_each(|edits| edits.push(edit.clone()));
            }
        }
    }

    /// Places that name no document are in the one that was asked about.
    fn encode_fields(&self, map: &mut Map<String, Value>) -> bool {
        let mut here = true;
        for (name, field) in map.iter_mut() {
            match (&self.cell, name.as_str()) {
                (_, "changes" | "data" | "arguments") => {}
                (Some(span), "range" | "selectionRange" | "insert" | "replace" | "position") => {
                    let start = field.get("start").unwrap_or(field)["line"].as_u64();
                    here &= start.is_some_and(|line| (span.first..span.end).contains(&line));
                    here &= each_line(field, &mut |line| span.line(line));
                }
                _ => drop(self.encode(field)),
            }
        }
        here
    }
}

impl Span {
    /// The line within the cell. The end of its last line is the start of the line behind it.
    fn line(&self, line: u64) -> Option<u64> {
        (self.first..=self.end).contains(&line).then(|| line - self.first)
    }
}

/// Moves every `line` in a value. False where one has no place to go, which then stays.
fn each_line(value: &mut Value, moved: &mut dyn FnMut(u64) -> Option<u64>) -> bool {
    let mut all = true;
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| all &= each_line(item, moved)),
        Value::Object(map) => {
            for (name, field) in map.iter_mut() {
                match (name.as_str(), field.as_u64()) {
                    ("line", Some(line)) => match moved(line) {
                        Some(line) => *field = json!(line),
                        None => all = false,
                    },
                    _ => all &= each_line(field, moved),
                }
            }
        }
        _ => {}
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magics_are_comments_of_the_same_length() {
        let check = |cell: &str, script: &str| assert_eq!(without_magics(cell), script);
        check("%glue_version 4.0\nx = 1", "#glue_version 4.0\nx = 1\n");
        check("  !pip install x\n", "  #pip install x\n");
        check("%%configure\n{\n  \"a\": 1\n}\n", "#%configure\n#\n  #a\": 1\n#\n");
        check("%%time\ndf.show()", "#%time\ndf.show()\n");
        check("q = '''\n%a\n'''\n%x", "q = '''\n%a\n'''\n#x\n");
        check("", "\n");
    }
}
