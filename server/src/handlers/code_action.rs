//! `textDocument/codeAction`: edits that repair a diagnostic or make a write safer.

use std::collections::HashMap;

use analyzer::{TextRange, ide};
use tower_lsp::ls_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeActionResponse, Diagnostic, NumberOrString,
    TextEdit, WorkspaceEdit,
};

use crate::handlers::View;
use crate::positions;

pub(crate) fn code_action(view: &View, params: CodeActionParams) -> Option<CodeActionResponse> {
    let (text, encoding) = (&view.document.text, view.client.encoding);
    let wanted = |kind: &CodeActionKind| {
        let only = params.context.only.as_ref();
        only.is_none_or(|only| only.iter().any(|wanted| kind.as_str().starts_with(wanted.as_str())))
    };
    let within = positions::to_offsets(text, params.range, encoding);
    let within = TextRange::new(within.start, within.end);
    let mut response = CodeActionResponse::new();
    for action in ide::actions(&view.analyzed.analysis, &view.analyzed.text, within) {
        let kind = if action.code.is_some() { CodeActionKind::QUICKFIX } else { CodeActionKind::REFACTOR };
        if !wanted(&kind) {
            continue;
        }
        let edits = action
            .edits
            .into_iter()
            .map(|(range, new_text)| TextEdit { range: positions::to_range(text, range, encoding), new_text });
        let place = positions::to_range(text, action.range, encoding);
        let repairs = |diagnostic: &&Diagnostic| {
            let code = match &diagnostic.code {
                Some(NumberOrString::String(code)) => Some(code.as_str()),
                _ => None,
            };
            code == action.code && diagnostic.range == place
        };
        let repaired: Vec<Diagnostic> = params.context.diagnostics.iter().filter(repairs).cloned().collect();
        response.push(CodeActionOrCommand::CodeAction(CodeAction {
            title: action.title,
            kind: Some(kind),
            diagnostics: Some(repaired).filter(|repaired| !repaired.is_empty()),
            edit: Some(WorkspaceEdit {
                changes: Some(HashMap::from([(view.document.uri.clone(), edits.collect())])),
                ..WorkspaceEdit::default()
            }),
            is_preferred: action.preferred.then_some(true),
            ..CodeAction::default()
        }));
    }
    Some(response)
}
