//! `textDocument/documentSymbol`: what a script reads and writes.

use analyzer::ide;
use tower_lsp::ls_types::{DocumentSymbol, DocumentSymbolParams, DocumentSymbolResponse, SymbolKind};

use crate::handlers::View;
use crate::positions;

pub(crate) fn document_symbol(view: &View, _: DocumentSymbolParams) -> Option<DocumentSymbolResponse> {
    let symbol = |entry: ide::Entry| {
        let range = positions::to_range(&view.document.text, entry.range, view.client.encoding);
        #[expect(deprecated, reason = "the field has no default")]
        DocumentSymbol {
            name: entry.name,
            detail: Some(entry.detail.to_owned()),
            kind: if entry.is_write { SymbolKind::EVENT } else { SymbolKind::STRUCT },
            tags: None,
            deprecated: None,
            range,
            selection_range: range,
            children: None,
        }
    };
    let symbols = ide::outline(&view.analyzed.analysis).into_iter().map(symbol).collect();
    Some(DocumentSymbolResponse::Nested(symbols))
}
