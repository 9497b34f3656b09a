//! `textDocument/rename`: a column under another name, in the script and in the contract of the tables that it is
//! written to. It is refused, with the reason, where that would change what the script does or break another job.

use std::path::Path;

use analyzer::ide::{self, Renaming};
use contract::document::Contract;
use contract::schema::TableName;
use ropey::Rope;
use tower_lsp::ls_types::{
    PrepareRenameResponse, RenameParams, TextDocumentPositionParams, TextEdit, Uri, WorkspaceEdit,
};

use crate::edits;
use crate::handlers::{TextView, View};
use crate::knowledge::Place;
use crate::positions;
use crate::workspace;

/// A refusal is its reason.
pub(crate) type Answer<T> = Option<Result<T, String>>;

pub(crate) fn prepare_rename(view: &View, params: TextDocumentPositionParams) -> Answer<PrepareRenameResponse> {
    let (text, encoding) = (&view.document.text, view.client.encoding);
    let offset = positions::to_offset(text, params.position, encoding);
    let range = ide::renamable(&view.analyzed.analysis, &view.analyzed.text, offset);
    Some(range.map(|range| PrepareRenameResponse::RangeWithPlaceholder {
        range: positions::to_range(text, range, encoding),
        placeholder: range.slice(&view.analyzed.text).to_owned(),
    }))
}

pub(crate) fn rename(view: &TextView, params: RenameParams) -> Answer<WorkspaceEdit> {
    Some(renamed(view, params))
}

fn renamed(view: &TextView, params: RenameParams) -> Result<WorkspaceEdit, String> {
    let (text, encoding) = (&view.document.text, view.client.encoding);
    let offset = positions::to_offset(text, params.text_document_position.position, encoding);
    let to = params.new_name.as_str();
    let renaming = ide::rename(&view.document.parsed(), &view.world, offset, to)?;
    let edit = |range| TextEdit { range: positions::to_range(text, range, encoding), new_text: to.to_owned() };
    let mut files = vec![(view.document.uri.clone(), renaming.places.iter().map(|place| edit(*place)).collect())];
    if let Some(place) = &view.place {
        for table in &renaming.tables {
            is_not_read(view, place, &renaming, table)?;
            files.extend(in_contract(view, &place.root, &renaming, table, to)?);
        }
    }
    let label = format!("Rename {} to {to}", renaming.from);
    // Edits of a notebook are handed out to its cells, which goes without a heading only.
    Ok(if view.client.confirms_edits && !view.document.is_notebook() {
        edits::to_be_confirmed(files, label)
    } else {
        edits::at_once(files)
    })
}

/// Other jobs that ask for the column would fail.
fn is_not_read(view: &TextView, place: &Place, renaming: &Renaming, table: &TableName) -> Result<(), String> {
    for job in view.workspace.readers(&place.root, table).iter().filter(|job| job.script != place.script) {
        let read = job.interface.reads.get(table);
        let column =
            read.and_then(|read| read.columns.iter().find(|(name, _)| name.eq_ignore_ascii_case(&renaming.from)));
        if let Some((name, range)) = column {
            let line = Rope::from_str(&job.text).byte_to_line(range.start as usize) + 1;
            let script = workspace::shown(&job.script, &place.root);
            return Err(format!("{script} reads {table}.{name} on line {line}; rename it there first."));
        }
    }
    Ok(())
}

/// The edit of the contract of a table, where it has one that speaks of the column.
fn in_contract(
    view: &TextView,
    root: &Path,
    renaming: &Renaming,
    table: &TableName,
    to: &str,
) -> Result<Option<(Uri, Vec<TextEdit>)>, String> {
    let file = view.knowledge.backend.contract_file(root, table).filter(|file| file.exists());
    let Some(file) = file else { return Ok(None) };
    let shown = workspace::shown(&file, root);
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{shown}: {error}"))?;
    let Ok((contract, problems)) = Contract::from_json(&text) else {
        return Err(format!("{shown} cannot be read as JSON, so `{}` cannot be renamed in it.", renaming.from));
    };
    let after = contract
        .with_column_renamed(&renaming.from, to)
        .map_err(|problems| format!("{shown}: {}.", problems.join("; ")))?;
    if after == contract {
        return Ok(None);
    }
    if !problems.is_empty() {
        return Err(format!("{shown} has problems, so it cannot be rewritten; mend them first."));
    }
    Ok(Uri::from_file_path(&file).map(|uri| (uri, vec![edits::changed_lines(&text, &after.to_json())])))
}
