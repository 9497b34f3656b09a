//! Filters that all rows of a frame have passed.

use std::rc::Rc;

use contract::expr::{ColumnId, Expr, ExprKind};
use rustc_hash::FxHashSet;

use super::{Derived, FilterFact, Output};
use crate::describe::describe;
use crate::expression::{self, conjuncts};
use crate::facts::JoinKind;
use crate::plan::{Field, NodeId, NodeKind, Origin, Plan};
use crate::range::TextRange;

/// More filters and joins of one frame than this are not told.
const MAX_FILTERS: usize = 512;

/// The filters of a frame, in order of execution: those on every way from its inputs, outside optional sides of joins.
pub(crate) fn filters(plan: &Derived, node: NodeId) -> Vec<FilterFact> {
    let fields = plan.node(node).map(|node| plan.known_fields(&node.schema)).unwrap_or_default();
    let mut facts: Vec<FilterFact> = Vec::new();
    for id in plan.mandatory(node).iter() {
        let Some((predicate, range)) = predicate(plan, *id) else { continue };
        let ranks = ranks(plan, predicate);
        let parts = conjuncts(predicate).into_iter().filter_map(|part| mapped(part, &fields)).collect();
        let mapped = mapped(predicate, &fields);
        facts.push(FilterFact { predicate: describe(predicate), mapped, parts, ranks, range });
    }
    facts
}

/// Filters of all outputs, each once, in order of execution.
pub(crate) fn filters_of_outputs(outputs: &[Output]) -> Vec<FilterFact> {
    let mut known = FxHashSet::default();
    let filters = outputs.iter().flat_map(|output| &output.filters);
    filters.filter(|fact| known.insert((fact.range, fact.predicate.as_str()))).cloned().collect()
}

/// Whether all rows of a frame have passed a filter.
pub(super) fn holds(plan: &Derived, node: NodeId, filter: NodeId) -> bool {
    plan.mandatory(node).contains(&filter)
}

/// The predicates that all rows of a frame have passed, in order of execution, each with its call.
pub(crate) fn predicates<'p>(plan: &Derived<'p>, node: NodeId) -> Vec<(&'p Expr, TextRange)> {
    plan.mandatory(node).iter().filter_map(|id| predicate(plan.plan(), *id)).collect()
}

/// What all rows of a frame have passed, from what those of its inputs have; see [`Derived::mandatory`].
pub(super) fn derive(plan: &Plan, id: NodeId, known: &dyn Fn(NodeId) -> Rc<[NodeId]>) -> Rc<[NodeId]> {
    let Some(current) = plan.node(id) else { return Rc::default() };
    let of = |input: &NodeId| known(*input).to_vec();
    let mut holding = match &current.kind {
        NodeKind::Filter { input, .. } => {
            let mut holding = of(input);
            holding.push(id);
            holding
        }
        NodeKind::Join { left, right, how, .. } => {
            let mut holding = match how {
                JoinKind::Right | JoinKind::Full => Vec::new(),
                _ => of(left),
            };
            if matches!(how, JoinKind::Inner | JoinKind::Cross | JoinKind::Right | JoinKind::LeftSemi) {
                holding.extend(of(right));
            }
            if matches!(how, JoinKind::Inner | JoinKind::LeftSemi) {
                holding.push(id);
            }
            holding
        }
        // A filter of one arm, or of one part of a union, holds of all rows only if every other one has it too.
        NodeKind::Union { inputs } | NodeKind::Choice { inputs } => {
            let mut arms = inputs.iter().map(of);
            let first = arms.next().unwrap_or_default();
            let rest: Vec<Vec<NodeId>> = arms.collect();
            let same = |a: NodeId, b: NodeId| {
                a == b
                    || predicate(plan, a)
                        .zip(predicate(plan, b))
                        .is_some_and(|((a, _), (b, _))| describe(a) == describe(b))
            };
            first
                .into_iter()
                .filter(|filter| rest.iter().all(|arm| arm.iter().any(|other| same(*filter, *other))))
                .collect()
        }
        // What is not understood may add rows of its own; made from one frame, it most likely shapes that one.
        NodeKind::Opaque { inputs, .. } => match inputs.as_slice() {
            [only] => of(only),
            _ => Vec::new(),
        },
        other => return other.inputs().first().map(|input| known(*input)).unwrap_or_default(),
    };
    holding.sort_unstable();
    holding.dedup();
    holding.truncate(MAX_FILTERS);
    holding.into()
}

fn predicate(plan: &Plan, id: NodeId) -> Option<(&Expr, TextRange)> {
    let node = plan.node(id)?;
    match &node.kind {
        NodeKind::Filter { predicate, .. } => Some((predicate, node.range)),
        _ => None,
    }
}

/// Whether every column of a predicate is the result of a window function.
pub(crate) fn ranks(plan: &Plan, predicate: &Expr) -> bool {
    let ids = expression::column_ids(predicate);
    let is_window = |id: &ColumnId| {
        matches!(
            plan.column(*id).map(|column| &column.origin),
            Some(Origin::Computed(Expr { kind: ExprKind::Window { .. }, .. }))
        )
    };
    !ids.is_empty() && ids.iter().all(is_window)
}

/// A predicate in the names of these fields; `None` where a column of it is not among them.
fn mapped(predicate: &Expr, fields: &[Field]) -> Option<String> {
    let mut renamed = predicate.clone();
    rename(&mut renamed, &|id| fields.iter().find(|field| field.id == id).map(|field| field.name.clone()))?;
    Some(describe(&renamed))
}

fn rename(expr: &mut Expr, name_of: &dyn Fn(ColumnId) -> Option<String>) -> Option<()> {
    if let ExprKind::Column(reference) = &mut expr.kind {
        reference.name = name_of(reference.id?)?;
    }
    for child in expression::children_mut(expr) {
        rename(child, name_of)?;
    }
    Some(())
}
