//! `textDocument/completion`: what could stand at the cursor.

use analyzer::ide::{self, ItemKind};
use tower_lsp::ls_types::{
    CompletionItem, CompletionItemKind, CompletionParams, CompletionResponse, CompletionTextEdit, TextEdit,
};

use crate::handlers::TextView;
use crate::positions;

pub(crate) fn completion(view: &TextView, params: CompletionParams) -> Option<CompletionResponse> {
    let (text, encoding) = (&view.document.text, view.client.encoding);
    let offset = positions::to_offset(text, params.text_document_position.position, encoding);
    let found = ide::complete(&view.document.parsed(), offset, &view.world, &view.tables)?;
    let range = positions::to_range(text, found.range, encoding);
    let items = found.items.into_iter().enumerate().map(|(position, item)| CompletionItem {
        kind: Some(match item.kind {
            ItemKind::Column => CompletionItemKind::FIELD,
            ItemKind::Table => CompletionItemKind::STRUCT,
            ItemKind::Database => CompletionItemKind::MODULE,
            ItemKind::Argument => CompletionItemKind::CONSTANT,
            ItemKind::Keyword => CompletionItemKind::PROPERTY,
        }),
        detail: Some(item.detail).filter(|detail| !detail.is_empty()),
        // Clients sort by the label otherwise, and columns have an order of their own.
        sort_text: Some(format!("{position:05}")),
        text_edit: Some(CompletionTextEdit::Edit(TextEdit { range, new_text: item.label.clone() })),
        label: item.label,
        ..CompletionItem::default()
    });
    Some(CompletionResponse::Array(items.collect()))
}
