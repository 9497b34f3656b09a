//! Diagnostics that follow from the finished plan. Each is shown only where it is certain.

use indexmap::IndexSet;

use super::{DatasetKind, Diagnostic, Mode, Output, Severity};
use crate::plan::{NodeKind, Plan};

/// Adds what is wrong with the writes.
pub(crate) fn check(plan: &Plan, outputs: &[Output], diagnostics: &mut IndexSet<Diagnostic>) {
    for (output, sink) in outputs.iter().zip(&plan.sinks) {
        if output.mode == Mode::Overwrite
            && let Some((_, scan)) = plan.scans(sink.input).into_iter().find(|(_, scan)| {
                scan.bookmark.is_some() && matches!(scan.dataset.kind, DatasetKind::Catalog | DatasetKind::S3)
            })
            && commits(plan)
        {
            diagnostics.insert(Diagnostic {
                code: "bookmark-overwrite",
                severity: Severity::Warning,
                range: output.range,
                message: format!(
                    "With job bookmarks enabled, `{}` gives only what is new since the last run, and this overwrite drops what earlier runs wrote.",
                    scan.dataset.name
                ),
                suggestions: Vec::new(),
                related: Vec::new(),
            });
        }
    }
}

/// Whether frames come from bookmarked reads at all; without one there is nothing to lose.
fn commits(plan: &Plan) -> bool {
    plan.nodes().any(|(_, node)| matches!(&node.kind, NodeKind::Scan(scan) if scan.bookmark.is_some()))
}
