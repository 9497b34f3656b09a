//! `textDocument/inlayHint`: what each transform does to columns and grain.

use analyzer::{TextRange, ide};
use tower_lsp::ls_types::{InlayHint, InlayHintLabel, InlayHintParams};

use crate::handlers::View;
use crate::positions;

pub(crate) fn inlay_hint(view: &View, params: InlayHintParams) -> Option<Vec<InlayHint>> {
    let (text, encoding) = (&view.document.text, view.client.encoding);
    let within = positions::to_offsets(text, params.range, encoding);
    let within = TextRange::new(within.start, within.end);
    let hints = ide::inlays(&view.analyzed.analysis, &view.analyzed.text, within);
    let hints = hints.into_iter().map(|hint| InlayHint {
        position: positions::to_position(text, usize::try_from(hint.offset).unwrap_or(usize::MAX), encoding),
        label: InlayHintLabel::String(hint.label),
        kind: None,
        text_edits: None,
        tooltip: None,
        padding_left: Some(true),
        padding_right: None,
        data: None,
    });
    Some(hints.collect())
}
