//! Filters that all rows of a frame have passed.

use std::rc::Rc;

use contract::expr::{ColumnId, Expr, ExprKind};
use rustc_hash::FxHashMap;

use super::FilterFact;
use crate::describe::describe;
use crate::expression::{self, conjuncts};
use crate::facts::JoinKind;
use crate::plan::{Field, NodeId, NodeKind, Origin, Plan};

/// More filters and joins of one frame than this are not told.
const MAX_FILTERS: usize = 512;

/// The filters of a frame, in order of execution: those on every way from its inputs, outside optional sides of joins.
pub(crate) fn filters(plan: &Plan, node: NodeId) -> Vec<FilterFact> {
    let fields = plan.node(node).map(|node| plan.known_fields(&node.schema)).unwrap_or_default();
    let mut facts: Vec<FilterFact> = Vec::new();
    for id in mandatory(plan, node) {
        let Some((predicate, range)) = predicate(plan, id) else { continue };
        let ranks = ranks(plan, predicate);
        let parts = conjuncts(predicate).into_iter().filter_map(|part| mapped(part, &fields)).collect();
        let mapped = mapped(predicate, &fields);
        facts.push(FilterFact { predicate: describe(predicate), mapped, parts, ranks, range });
    }
    facts
}

/// Filters of all outputs, each once, in order of execution.
pub(crate) fn filters_of_outputs(plan: &Plan) -> Vec<FilterFact> {
    let mut all: Vec<FilterFact> = Vec::new();
    for sink in plan.live_sinks() {
        for fact in filters(plan, sink.input) {
            if !all.iter().any(|known| known.predicate == fact.predicate && known.range == fact.range) {
                all.push(fact);
            }
        }
    }
    all
}

/// Whether all rows of a frame have passed a filter.
pub(super) fn holds(plan: &Plan, node: NodeId, filter: NodeId) -> bool {
    mandatory(plan, node).contains(&filter)
}

/// The predicates that all rows of a frame have passed, in order of execution, each with its call.
pub(crate) fn predicates(plan: &Plan, node: NodeId) -> Vec<(&Expr, crate::range::TextRange)> {
    mandatory(plan, node).into_iter().filter_map(|id| predicate(plan, id)).collect()
}

/// The filters that all rows of a frame have passed, and the joins in which all of them have found a partner, in order
/// of execution.
pub(crate) fn mandatory(plan: &Plan, node: NodeId) -> Vec<NodeId> {
    let mut memo: FxHashMap<NodeId, Rc<Vec<NodeId>>> = FxHashMap::default();
    for id in plan.ancestry(node) {
        let Some(current) = plan.node(id) else { continue };
        let shared = |input: &NodeId| memo.get(input).cloned().unwrap_or_default();
        let of = |input: &NodeId| shared(input).as_ref().clone();
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
            other => {
                memo.insert(id, other.inputs().first().map(shared).unwrap_or_default());
                continue;
            }
        };
        holding.sort();
        holding.dedup();
        holding.truncate(MAX_FILTERS);
        memo.insert(id, Rc::new(holding));
    }
    memo.get(&node).map(|holding| holding.as_ref().clone()).unwrap_or_default()
}

fn predicate(plan: &Plan, id: NodeId) -> Option<(&Expr, crate::range::TextRange)> {
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
