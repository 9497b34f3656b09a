//! `textDocument/codeAction`: edits that repair a diagnostic or make a write safer.

use std::collections::HashMap;
use std::path::Path;

use analyzer::policy::Accepted;
use analyzer::{TextRange, ide};
use contract::schema::TableName;
use tower_lsp::ls_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeActionResponse, Command, Diagnostic,
    NumberOrString, Range, TextEdit, WorkspaceEdit,
};

use crate::acceptance;
use crate::generation::{COMMAND, Wanted};
use crate::handlers::View;
use crate::positions;
use crate::workspace;

pub(crate) fn code_action(view: &View, params: CodeActionParams) -> Option<CodeActionResponse> {
    let (text, encoding) = (&view.document.text, view.client.encoding);
    let wanted = |kind: &CodeActionKind| {
        let only = params.context.only.as_ref();
        only.is_none_or(|only| only.iter().any(|wanted| kind.as_str().starts_with(wanted.as_str())))
    };
    let within = positions::to_offsets(text, params.range, encoding);
    let within = TextRange::new(within.start, within.end);
    let mut response = CodeActionResponse::new();
    let told = told(view);
    for action in ide::actions(&view.analyzed.analysis, &view.analyzed.text, within) {
        let kind = if action.code.is_some() { CodeActionKind::QUICKFIX } else { CodeActionKind::REFACTOR };
        let repairs = |diagnostic: &analyzer::Diagnostic| {
            Some(diagnostic.code) == action.code && diagnostic.range == action.range
        };
        if !wanted(&kind) || (action.code.is_some() && !told.iter().any(repairs)) {
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
    if wanted(&CodeActionKind::QUICKFIX) {
        let touched = told.iter().filter(|told| told.range.start <= within.end && within.start <= told.range.end);
        response.extend(touched.filter_map(|diagnostic| acceptance(view, diagnostic)));
    }
    if wanted(&CodeActionKind::REFACTOR) {
        response.extend(generations(view, params.range));
    }
    Some(response)
}

/// The diagnostics of the script itself that its project wants to be told.
fn told(view: &View) -> Vec<analyzer::Diagnostic> {
    let diagnostics = view.analyzed.analysis.diagnostics.clone();
    let (policy, script) = match &view.place {
        Some(place) => (view.knowledge.policy(&place.root), workspace::shown(&place.script, &place.root)),
        None => Default::default(),
    };
    policy.apply(&script, &view.analyzed.text, diagnostics)
}

/// To take a finding as known, as the baseline of the project keeps it.
fn acceptance(view: &View, diagnostic: &analyzer::Diagnostic) -> Option<CodeActionOrCommand> {
    let place = view.place.as_ref()?;
    let Accepted { code, line } = Accepted::of(&view.analyzed.text, diagnostic);
    let title = format!("Accept {code} here as known");
    let wanted = acceptance::Wanted { root: place.root.to_path_buf(), script: place.script.to_path_buf(), code, line };
    let arguments = serde_json::to_value(wanted).ok().map(|wanted| vec![wanted]);
    Some(CodeActionOrCommand::CodeAction(CodeAction {
        title: title.clone(),
        kind: Some(CodeActionKind::QUICKFIX),
        command: Some(Command { title, command: acceptance::COMMAND.to_owned(), arguments }),
        ..CodeAction::default()
    }))
}

/// To have the contract of a table generated that is written on these lines, or generated anew where it has one.
fn generations(view: &View, within: Range) -> Vec<CodeActionOrCommand> {
    let Some(place) = &view.place else { return Vec::new() };
    let analysis = &view.analyzed.analysis;
    let touched = analysis.outputs.iter().filter(|output| {
        let written = positions::to_range(&view.document.text, output.range, view.client.encoding);
        written.start.line <= within.end.line && within.start.line <= written.end.line
    });
    let mut tables: Vec<TableName> = touched.filter_map(|output| ide::table_name(&output.dataset)).collect();
    tables.dedup();
    let action = |table: TableName| {
        let verb = if analysis.answers.contracts.contains_key(&table) { "Refresh" } else { "Generate" };
        let title = format!("{verb} the contract of {table}");
        CodeActionOrCommand::CodeAction(CodeAction {
            title: title.clone(),
            kind: Some(CodeActionKind::REFACTOR),
            command: Some(generation_of(title, &table, &place.root)),
            ..CodeAction::default()
        })
    };
    tables.into_iter().map(action).collect()
}

/// The command that has a contract generated.
pub(crate) fn generation_of(title: String, table: &TableName, root: &Path) -> Command {
    let wanted = Wanted { root: root.to_owned(), database: table.database.clone(), table: table.table.clone() };
    Command {
        title,
        command: COMMAND.to_owned(),
        arguments: serde_json::to_value(wanted).ok().map(|wanted| vec![wanted]),
    }
}
