//! `textDocument/diagnostic`, and the diagnostics that are published to clients that do not pull them.

use std::sync::Arc;

use analyzer::{Derived, Offer, Severity, TextRange, ide};
use ropey::Rope;
use tower_lsp::ls_types::{
    CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DocumentDiagnosticParams,
    DocumentDiagnosticReport, FullDocumentDiagnosticReport, Location, NumberOrString,
    RelatedFullDocumentDiagnosticReport, RelatedUnchangedDocumentDiagnosticReport, UnchangedDocumentDiagnosticReport,
    Uri,
};

use crate::document::{Analyzed, Document};
use crate::handlers::View;
use crate::handlers::initialize::ClientProfile;
use crate::knowledge::{Knowledge, Place};
use crate::positions;
use crate::workspace::{self, Job, Workspace};

/// Where the codes are explained; an anchor for each one.
const REFERENCE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/diagnostics.md");

/// The report, or that it is the one that the client has.
pub(crate) fn diagnostic(view: &View, params: DocumentDiagnosticParams) -> Option<DocumentDiagnosticReport> {
    let result_id = format!("{}-{}", view.document.analysis_revision, view.workspace.revision());
    if params.previous_result_id.as_ref() == Some(&result_id) {
        let unchanged_document_diagnostic_report = UnchangedDocumentDiagnosticReport { result_id };
        let report =
            RelatedUnchangedDocumentDiagnosticReport { related_documents: None, unchanged_document_diagnostic_report };
        return Some(report.into());
    }
    let place = view.place.as_ref();
    let items = diagnostics(&view.document, &view.analyzed, &view.client, &view.workspace, &view.knowledge, place);
    Some(full_report(FullDocumentDiagnosticReport { result_id: Some(result_id), items }))
}

/// The report on a document of which nothing is known.
pub(crate) fn empty_report() -> DocumentDiagnosticReport {
    full_report(FullDocumentDiagnosticReport::default())
}

/// The diagnostics of a script in the order of the text, as far as its project wants to be told: its own, then what it
/// breaks in the jobs that read its tables.
pub(crate) fn diagnostics(
    document: &Document,
    analyzed: &Analyzed,
    client: &ClientProfile,
    workspace: &Workspace,
    knowledge: &Knowledge,
    place: Option<&Place>,
) -> Vec<Diagnostic> {
    let (policy, script) = match place {
        Some(place) => (knowledge.policy(&place.root), workspace::shown(&place.script, &place.root)),
        None => Default::default(),
    };
    let own = policy.apply(&script, &analyzed.text, analyzed.analysis.diagnostics.clone());
    let mut diagnostics: Vec<Diagnostic> =
        own.iter().map(|diagnostic| encode(&document.text, Some(&document.uri), diagnostic, client)).collect();
    let Some(place) = place else { return diagnostics };
    for (broken, related) in downstream(analyzed, client, workspace, place) {
        for told in policy.apply(&script, &analyzed.text, vec![broken]) {
            let mut diagnostic = encode(&document.text, Some(&document.uri), &told, client);
            if client.relates_diagnostics {
                diagnostic.related_information = Some(related.iter().cloned().collect());
            }
            diagnostics.push(diagnostic);
        }
    }
    diagnostics
}

/// What the writes of a script break in other jobs, each with the place there that relies on it.
fn downstream(
    analyzed: &Analyzed,
    client: &ClientProfile,
    workspace: &Workspace,
    place: &Place,
) -> Vec<(analyzer::Diagnostic, Option<DiagnosticRelatedInformation>)> {
    let mut found = Vec::new();
    let plan = Derived::new(&analyzed.analysis.plan);
    for output in &analyzed.analysis.outputs {
        let Some(table) = ide::table_name(&output.dataset) else { continue };
        let Some(offer) = Offer::new(&plan, output) else { continue };
        for job in workspace.readers(&place.root, &table) {
            let Some(read) = job.interface.reads.get(&table).filter(|_| job.script != place.script) else { continue };
            for broken in offer.breaks(read, &job.name) {
                let related = related(&job, broken.range, client);
                found.push((broken.diagnostic, related));
            }
        }
    }
    found
}

fn related(job: &Arc<Job>, range: TextRange, client: &ClientProfile) -> Option<DiagnosticRelatedInformation> {
    let range = positions::range_in(&job.text, range, client.encoding);
    let message = format!("{} relies on it here", job.name);
    Some(DiagnosticRelatedInformation { location: Location { uri: Uri::from_file_path(&job.script)?, range }, message })
}

/// A diagnostic of a text; further places are in the document of `uri`.
pub(crate) fn encode(
    text: &Rope,
    uri: Option<&Uri>,
    diagnostic: &analyzer::Diagnostic,
    client: &ClientProfile,
) -> Diagnostic {
    let range = |range| positions::to_range(text, range, client.encoding);
    let related = diagnostic.related.iter().zip(uri.into_iter().cycle()).map(|(related, uri)| {
        let location = Location { uri: uri.clone(), range: range(related.range) };
        DiagnosticRelatedInformation { location, message: related.message.clone() }
    });
    let link = || format!("{REFERENCE}#{}", diagnostic.code).parse().ok().map(|href| CodeDescription { href });
    Diagnostic {
        range: range(diagnostic.range),
        severity: Some(match diagnostic.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Hint => DiagnosticSeverity::HINT,
        }),
        code: Some(NumberOrString::String(diagnostic.code.to_owned())),
        code_description: if client.links_diagnostics { link() } else { None },
        source: Some("de-copilot".to_owned()),
        message: diagnostic.message.clone(),
        related_information: client.relates_diagnostics.then(|| related.collect()),
        ..Diagnostic::default()
    }
}

fn full_report(full_document_diagnostic_report: FullDocumentDiagnosticReport) -> DocumentDiagnosticReport {
    RelatedFullDocumentDiagnosticReport { related_documents: None, full_document_diagnostic_report }.into()
}
