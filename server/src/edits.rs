//! Edits of files that the client has perhaps not opened, in the form that it can show and apply.

use std::collections::HashMap;

use tower_lsp::ls_types::{
    AnnotatedTextEdit, ChangeAnnotation, ChangeAnnotationIdentifier, DocumentChanges, OneOf,
    OptionalVersionedTextDocumentIdentifier, Position, Range, TextDocumentEdit, TextEdit, Uri, WorkspaceEdit,
};

/// The edit of whole lines that makes one text of another.
pub(crate) fn changed_lines(before: &str, after: &str) -> TextEdit {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let start = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let rest = before.len().min(after.len()) - start;
    let end = before.iter().rev().zip(after.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let line = |line: usize| Position { line: u32::try_from(line).unwrap_or(u32::MAX), character: 0 };
    let changed = after.get(start..after.len() - end).unwrap_or_default();
    let new_text: String = changed.iter().flat_map(|line| [*line, "\n"]).collect();
    TextEdit { range: Range { start: line(start), end: line(before.len() - end) }, new_text }
}

/// Edits of several files that a client shows, under this heading, before it applies them.
pub(crate) fn to_be_confirmed(edits: Vec<(Uri, Vec<TextEdit>)>, label: String) -> WorkspaceEdit {
    const ID: &str = "confirm";
    let annotated = |text_edit| OneOf::Right(AnnotatedTextEdit { text_edit, annotation_id: ID.to_owned() });
    let edit = |(uri, edits): (Uri, Vec<TextEdit>)| TextDocumentEdit {
        text_document: OptionalVersionedTextDocumentIdentifier { uri, version: None },
        edits: edits.into_iter().map(annotated).collect(),
    };
    let annotation = ChangeAnnotation { label, needs_confirmation: Some(true), description: None };
    WorkspaceEdit {
        document_changes: Some(DocumentChanges::Edits(edits.into_iter().map(edit).collect())),
        change_annotations: Some(HashMap::from([(ChangeAnnotationIdentifier::from(ID), annotation)])),
        ..WorkspaceEdit::default()
    }
}

/// The same for a client that applies edits at once.
pub(crate) fn at_once(edits: Vec<(Uri, Vec<TextEdit>)>) -> WorkspaceEdit {
    WorkspaceEdit { changes: Some(edits.into_iter().collect()), ..WorkspaceEdit::default() }
}
