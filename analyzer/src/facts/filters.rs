//! Filters that all rows of a frame have passed.

use std::collections::BTreeMap;
use std::rc::Rc;

use contract::expr::{ColumnId, Expr, ExprKind};
use indexmap::map::Entry;

use super::{Derived, FilterFact, Output};
use crate::condition::Condition;
use crate::describe::describe;
use crate::expression::{self, conjuncts};
use crate::facts::JoinKind;
use crate::ordered::IndexMap;
use crate::plan::{Field, NodeId, NodeKind, Origin, Plan};
use crate::range::TextRange;

/// More filters and joins of one frame than this are not told.
const MAX_FILTERS: usize = 512;

/// More filters of one frame that hold in some runs only are not told.
const MAX_CONDITIONAL: usize = 64;

/// The filters of a frame, in order of execution: those on the ways from its inputs, outside optional sides of joins.
/// One that is not on every way has the condition under which its way is taken.
pub(crate) fn filters(plan: &Derived, node: NodeId) -> Vec<FilterFact> {
    let fields = plan.node(node).map(|node| plan.known_fields(&node.schema)).unwrap_or_default();
    let mut passed: Vec<(NodeId, Option<Condition>)> = plan.mandatory(node).iter().map(|id| (*id, None)).collect();
    passed.extend(plan.conditional(node).iter().map(|(id, when)| (*id, Some(when.clone()))));
    passed.sort_by_key(|(id, _)| *id);
    let mut facts: Vec<FilterFact> = Vec::new();
    for (id, condition) in passed {
        let Some((predicate, range)) = predicate(plan, id) else { continue };
        let ranks = ranks(plan, predicate);
        let parts = conjuncts(predicate).into_iter().filter_map(|part| mapped(part, &fields)).collect();
        let mapped = mapped(predicate, &fields);
        facts.push(FilterFact { predicate: describe(predicate), mapped, parts, ranks, condition, range });
    }
    facts
}

/// Filters of all outputs, each once, in order of execution, with the conditions under which some output has them.
pub(crate) fn filters_of_outputs(outputs: &[Output]) -> Vec<FilterFact> {
    let mut facts: IndexMap<(TextRange, String), FilterFact> = IndexMap::default();
    for output in outputs {
        for filter in &output.filters {
            let condition = Condition::both(output.condition.as_ref(), filter.condition.as_ref());
            match facts.entry((filter.range, filter.predicate.clone())) {
                Entry::Vacant(entry) => drop(entry.insert(FilterFact { condition, ..filter.clone() })),
                Entry::Occupied(mut entry) => {
                    let known = entry.get_mut();
                    known.condition = Condition::either(known.condition.as_ref(), condition.as_ref());
                }
            }
        }
    }
    facts.into_values().collect()
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
    let mut holding = match &current.kind {
        // A filter of one arm, or of one part of a union, holds of all rows only if every other one has it too.
        NodeKind::Union { inputs } | NodeKind::Choice { inputs, .. } => {
            let mut arms = inputs.iter().map(|input| known(*input));
            let first = arms.next().unwrap_or_default();
            let rest: Vec<Rc<[NodeId]>> = arms.collect();
            let is_everywhere = |filter: &NodeId| rest.iter().all(|arm| is_among(plan, *filter, arm));
            first.iter().copied().filter(is_everywhere).collect()
        }
        kind => {
            let narrows = match kind {
                NodeKind::Filter { .. } => true,
                NodeKind::Join { how, .. } => matches!(how, JoinKind::Inner | JoinKind::LeftSemi),
                _ => false,
            };
            match (shaping(kind), narrows) {
                ([None, None], false) => return Rc::default(),
                ([Some(only), None] | [None, Some(only)], false) => return known(only),
                (inputs, _) => {
                    let mut holding: Vec<NodeId> = Vec::new();
                    inputs.into_iter().flatten().for_each(|input| holding.extend(known(input).iter()));
                    holding.extend(narrows.then_some(id));
                    holding
                }
            }
        }
    };
    holding.sort_unstable();
    holding.dedup();
    holding.truncate(MAX_FILTERS);
    holding.into()
}

/// What all rows have passed in some runs only, from what those of the inputs have; see [`Derived::conditional`].
pub(super) fn derive_conditional(
    plan: &Derived,
    id: NodeId,
    known: &dyn Fn(NodeId) -> Rc<[(NodeId, Condition)]>,
) -> Rc<[(NodeId, Condition)]> {
    let Some(current) = plan.node(id) else { return Rc::default() };
    let mut found: BTreeMap<NodeId, Option<Condition>> = BTreeMap::new();
    let mut add = |filter: NodeId, when: Condition| {
        let joined = match found.get(&filter) {
            Some(known) => known.as_ref().and_then(|known| known.or(&when)),
            None => Some(when),
        };
        found.insert(filter, joined);
    };
    match &current.kind {
        NodeKind::Choice { inputs, conditions } => {
            let always = plan.mandatory(id);
            // What all arms have under the same conditions does not depend on which of them it is.
            let shared = inputs.first().map(|input| known(*input));
            let shared = shared.filter(|shared| inputs.iter().all(|input| Rc::ptr_eq(&known(*input), shared)));
            shared.iter().flat_map(|shared| shared.iter()).for_each(|(filter, when)| add(*filter, when.clone()));
            for (input, when) in inputs.iter().zip(conditions) {
                for filter in plan.mandatory(*input).iter().filter(|filter| !is_among(plan, **filter, &always)) {
                    add(*filter, when.clone());
                }
                if shared.is_none() {
                    known(*input).iter().for_each(|(filter, inner)| add(*filter, when.and(inner)));
                }
            }
        }
        // Parts of a union that are filtered leave the others as they are.
        NodeKind::Union { .. } => return Rc::default(),
        kind => match shaping(kind) {
            [None, None] => return Rc::default(),
            [Some(only), None] | [None, Some(only)] => return known(only),
            [Some(left), Some(right)] => {
                for input in [left, right] {
                    known(input).iter().for_each(|(filter, when)| add(*filter, when.clone()));
                }
            }
        },
    }
    let found = found.into_iter().map(|(filter, when)| (filter, when.unwrap_or_else(Condition::unknown)));
    found.take(MAX_CONDITIONAL).collect()
}

/// The inputs whose filters all rows of a frame have passed; of a union or choice, none by itself.
fn shaping(kind: &NodeKind) -> [Option<NodeId>; 2] {
    match kind {
        NodeKind::Join { left, right, how, .. } => match how {
            JoinKind::Inner | JoinKind::Cross | JoinKind::LeftSemi => [Some(*left), Some(*right)],
            JoinKind::Left | JoinKind::LeftAnti => [Some(*left), None],
            JoinKind::Right => [None, Some(*right)],
            JoinKind::Full => [None, None],
        },
        // What is not understood may add rows of its own; made from one frame, it most likely shapes that one.
        NodeKind::Opaque { inputs, .. } if inputs.len() != 1 => [None, None],
        NodeKind::Union { .. } | NodeKind::Choice { .. } => [None, None],
        other => [other.only_input(), None],
    }
}

/// Whether a filter, or one that says the same, is among others.
fn is_among(plan: &Plan, filter: NodeId, others: &[NodeId]) -> bool {
    let words = |id: NodeId| predicate(plan, id).map(|(predicate, _)| describe(predicate));
    others.contains(&filter)
        || words(filter).is_some_and(|own| others.iter().any(|id| words(*id).as_ref() == Some(&own)))
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
