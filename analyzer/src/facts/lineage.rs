//! Where a column's values come from.

use contract::expr::{ColumnId, Expr, ExprKind};
use rustc_hash::FxHashSet;

use super::ColumnSource;
use crate::expression;
use crate::plan::{NodeKind, Origin, Plan};

/// The base columns that a column's values are computed from, sorted; `None` where any of them is not known.
pub fn sources(plan: &Plan, id: ColumnId) -> Option<Vec<ColumnSource>> {
    let mut found = Vec::new();
    for base in base_columns(plan, id)? {
        let column = plan.column(base)?;
        let Origin::Base(scan) = column.origin else { return None };
        let NodeKind::Scan(scan) = &plan.node(scan)?.kind else { return None };
        found.push(ColumnSource { input: scan.dataset.name.clone(), column: column.name.clone() });
    }
    found.sort();
    found.dedup();
    Some(found)
}

/// The columns of scans that a column's values are computed from; `None` where any of them is not known.
pub(crate) fn base_columns(plan: &Plan, id: ColumnId) -> Option<Vec<ColumnId>> {
    let mut bases = Vec::new();
    let mut pending = vec![id];
    let mut seen: FxHashSet<ColumnId> = FxHashSet::default();
    while let Some(id) = pending.pop() {
        if !seen.insert(id) {
            continue;
        }
        match &plan.column(id)?.origin {
            Origin::Base(_) => bases.push(id),
            Origin::Same(source) => pending.push(*source),
            Origin::Either(sources) => pending.extend(sources),
            Origin::Computed(expr) if is_followed(expr) => pending.extend(expression::column_ids(expr)),
            Origin::Computed(_) | Origin::Unknown => return None,
        }
    }
    bases.sort();
    Some(bases)
}

/// The column that an expression passes through unchanged or cast, by identity.
pub(crate) fn passes_through(plan: &Plan, mut id: ColumnId) -> ColumnId {
    loop {
        let source = match plan.column(id).map(|column| &column.origin) {
            Some(Origin::Same(source)) => Some(*source),
            Some(Origin::Computed(Expr { kind: ExprKind::Cast { operand, .. }, .. })) => match &operand.kind {
                ExprKind::Column(reference) => reference.id,
                _ => None,
            },
            _ => None,
        };
        match source {
            Some(source) => id = source,
            None => return id,
        }
    }
}

/// Whether every column that an expression reads is known. A function that is not understood reads its arguments and
/// nothing else; a subquery or an unknown value may read anything.
fn is_followed(expr: &Expr) -> bool {
    if let ExprKind::Opaque { reason, inputs } = &expr.kind
        && inputs.is_empty()
        && (reason.contains("subquery") || reason.contains("not known"))
    {
        return false;
    }
    match &expr.kind {
        ExprKind::Column(reference) => reference.id.is_some(),
        _ => expression::children(expr).into_iter().all(is_followed),
    }
}
