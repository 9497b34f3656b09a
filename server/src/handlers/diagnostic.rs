//! `textDocument/diagnostic`, and the diagnostics that are published to clients that do not pull them.

use analyzer::{Analysis, Severity};
use tower_lsp::ls_types::{
    Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DocumentDiagnosticParams, DocumentDiagnosticReport,
    FullDocumentDiagnosticReport, Location, NumberOrString, RelatedFullDocumentDiagnosticReport,
    RelatedUnchangedDocumentDiagnosticReport, UnchangedDocumentDiagnosticReport,
};

use crate::document::Document;
use crate::handlers::View;
use crate::handlers::initialize::ClientProfile;
use crate::positions;

/// The report, or that it is the one that the client has.
pub(crate) fn diagnostic(view: &View, params: DocumentDiagnosticParams) -> Option<DocumentDiagnosticReport> {
    let result_id = view.document.analysis_revision.to_string();
    if params.previous_result_id.as_ref() == Some(&result_id) {
        let unchanged_document_diagnostic_report = UnchangedDocumentDiagnosticReport { result_id };
        let report =
            RelatedUnchangedDocumentDiagnosticReport { related_documents: None, unchanged_document_diagnostic_report };
        return Some(report.into());
    }
    let items = diagnostics(&view.document, &view.analyzed.analysis, &view.client);
    Some(full_report(FullDocumentDiagnosticReport { result_id: Some(result_id), items }))
}

/// The report on a document of which nothing is known.
pub(crate) fn empty_report() -> DocumentDiagnosticReport {
    full_report(FullDocumentDiagnosticReport::default())
}

/// The diagnostics of an analysis, in the order of the text. Hints are habits that nobody asked to be told about.
pub(crate) fn diagnostics(document: &Document, analysis: &Analysis, client: &ClientProfile) -> Vec<Diagnostic> {
    let shown = analysis.diagnostics.iter().filter(|diagnostic| diagnostic.severity > Severity::Hint);
    shown.map(|diagnostic| encode(document, diagnostic, client)).collect()
}

fn encode(document: &Document, diagnostic: &analyzer::Diagnostic, client: &ClientProfile) -> Diagnostic {
    let range = |range| positions::to_range(&document.text, range, client.encoding);
    let related = diagnostic.related.iter().map(|related| DiagnosticRelatedInformation {
        location: Location { uri: document.uri.clone(), range: range(related.range) },
        message: related.message.clone(),
    });
    Diagnostic {
        range: range(diagnostic.range),
        severity: Some(match diagnostic.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Hint => DiagnosticSeverity::HINT,
        }),
        code: Some(NumberOrString::String(diagnostic.code.to_owned())),
        source: Some("de-copilot".to_owned()),
        message: diagnostic.message.clone(),
        related_information: client.relates_diagnostics.then(|| related.collect()),
        ..Diagnostic::default()
    }
}

fn full_report(full_document_diagnostic_report: FullDocumentDiagnosticReport) -> DocumentDiagnosticReport {
    RelatedFullDocumentDiagnosticReport { related_documents: None, full_document_diagnostic_report }.into()
}
