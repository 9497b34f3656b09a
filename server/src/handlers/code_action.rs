//! `textDocument/codeAction`: edits that repair a diagnostic or make a write safer.

use std::collections::HashMap;
use std::path::Path;

use analyzer::policy::Accepted;
use analyzer::{TextRange, facts::Output, ide};
use contract::document::Contract;
use contract::rule::Rule;
use contract::schema::TableName;
use tower_lsp::ls_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeActionResponse, Command, Diagnostic,
    NumberOrString, Range, TextEdit, Uri, WorkspaceEdit,
};

use crate::acceptance;
use crate::edits;
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
        response.extend(statements(view, params.range));
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

/// To put into the contract of a table that is written on these lines what the script proves of it.
fn statements(view: &View, within: Range) -> Vec<CodeActionOrCommand> {
    let Some(place) = &view.place else { return Vec::new() };
    let analysis = &view.analyzed.analysis;
    let job = place.script.file_stem().unwrap_or_default().to_string_lossy();
    let action = |(table, output): (TableName, &Output)| {
        let contract = analysis.answers.contracts.get(&table)?;
        let written = |output: &Output| ide::table_name(&output.dataset).as_ref() == Some(&table);
        let elsewhere = view.workspace.writers(&place.root, &table).iter().any(|job| job.script != place.script);
        // What one write proves says nothing of the rows of another.
        if elsewhere || analysis.outputs.iter().filter(|output| written(output)).count() > 1 {
            return None;
        }
        let rules = analyzer::checks::unstated(output, contract, &job);
        let title = match rules.as_slice() {
            [] => return None,
            [rule] => format!("Add {} to the contract of {table}, as the script proves it", rule.id),
            rules => format!("Add to the contract of {table} the {} rules that the script proves", rules.len()),
        };
        let file = view.knowledge.backend.contract_file(&place.root, &table)?;
        let edit = with_rules(&std::fs::read_to_string(&file).ok()?, rules)?;
        Some(CodeActionOrCommand::CodeAction(CodeAction {
            title,
            kind: Some(CodeActionKind::REFACTOR),
            edit: Some(WorkspaceEdit {
                changes: Some(HashMap::from([(Uri::from_file_path(&file)?, vec![edit])])),
                ..WorkspaceEdit::default()
            }),
            ..CodeAction::default()
        }))
    };
    written_within(view, within).into_iter().filter_map(action).collect()
}

/// The edit that adds rules to a stored contract, of whole lines; `None` where its text is not as it is stored, so that
/// more than the rules would change.
fn with_rules(text: &str, rules: Vec<Rule>) -> Option<TextEdit> {
    let (mut contract, problems) = Contract::from_json(text).ok()?;
    if !problems.is_empty() || contract.to_json().trim_end() != text.trim_end() {
        return None;
    }
    for rule in rules {
        match rule.column.as_ref().map(|name| contract.columns.get_mut(name)) {
            Some(column) => column?.rules.push(rule),
            None => contract.table_level_checks.push(rule),
        }
    }
    contract.make_ids_unique();
    Some(edits::changed_lines(text, &contract.to_json()))
}

/// The tables that are written on these lines.
fn written_within(view: &View, within: Range) -> Vec<(TableName, &Output)> {
    let touched = view.analyzed.analysis.outputs.iter().filter(|output| {
        let written = positions::to_range(&view.document.text, output.range, view.client.encoding);
        written.start.line <= within.end.line && within.start.line <= written.end.line
    });
    touched.filter_map(|output| Some((ide::table_name(&output.dataset)?, output))).collect()
}

/// To have the contract of a table generated that is written on these lines, or generated anew where it has one.
fn generations(view: &View, within: Range) -> Vec<CodeActionOrCommand> {
    let Some(place) = &view.place else { return Vec::new() };
    let analysis = &view.analyzed.analysis;
    let mut tables: Vec<TableName> = written_within(view, within).into_iter().map(|(table, _)| table).collect();
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
