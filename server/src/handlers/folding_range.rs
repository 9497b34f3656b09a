//! `textDocument/foldingRange`: blocks, calls and texts of several lines, imports, comments and cells.

use analyzer::ide::{self, FoldKind};
use tower_lsp::ls_types::{FoldingRange, FoldingRangeKind, FoldingRangeParams};

use crate::handlers::TextView;

pub(crate) fn folding_range(view: &TextView, _: FoldingRangeParams) -> Option<Vec<FoldingRange>> {
    // Editors fold the cells of a notebook on their own.
    if view.document.is_notebook() {
        return None;
    }
    let line = |line: usize| u32::try_from(line).unwrap_or(u32::MAX);
    let fold = |fold: ide::Fold| FoldingRange {
        start_line: line(fold.first),
        end_line: line(fold.last),
        kind: match fold.kind {
            FoldKind::Code => None,
            FoldKind::Imports => Some(FoldingRangeKind::Imports),
            FoldKind::Comment => Some(FoldingRangeKind::Comment),
            FoldKind::Region => Some(FoldingRangeKind::Region),
        },
        ..FoldingRange::default()
    };
    Some(ide::folds(view.document.parsed().text()).into_iter().map(fold).collect())
}
