//! `textDocument/hover`: what stands under the cursor.

use tower_lsp::ls_types::{Hover, HoverContents, HoverParams, MarkupContent, MarkupKind};

use crate::handlers::View;
use crate::positions;

pub(crate) fn hover(view: &View, params: HoverParams) -> Option<Hover> {
    let (text, encoding) = (&view.document.text, view.client.encoding);
    let offset = positions::to_offset(text, params.text_document_position_params.position, encoding);
    let hover = analyzer::ide::hover(&view.analyzed.analysis, &view.analyzed.text, offset)?;
    Some(Hover {
        contents: HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value: hover.markdown }),
        range: Some(positions::to_range(text, hover.range, encoding)),
    })
}
