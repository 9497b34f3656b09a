//! Joins in terms of base inputs, and whether they can repeat rows.

use super::{Derived, FilterFact, JoinFact, JoinKind, filters, grain, lineage};
use crate::condition::Condition;
use crate::expression::conjuncts;
use crate::plan::{NodeId, NodeKind, Origin, Plan};
use crate::value::UNKNOWN_HOLE;
use contract::expr::{BinaryOp, ColumnId, ColumnRef, Expr, ExprKind};
use rustc_hash::FxHashMap;

/// The joins that reach an output, or all where nothing is written, in order of execution. What one call makes for
/// several outputs is one join; two of one output are two, though they be alike.
pub(crate) fn joins(plan: &Derived) -> Vec<JoinFact> {
    let frames: Vec<Vec<NodeId>> = if plan.sinks.is_empty() {
        vec![plan.nodes().map(|(id, _)| id).collect()]
    } else {
        plan.live_sinks().iter().map(|sink| plan.ancestry(sink.input)).collect()
    };
    let mut made: FxHashMap<NodeId, Option<JoinFact>> = FxHashMap::default();
    let mut facts: Vec<JoinFact> = Vec::new();
    for reached in frames {
        let mut known = facts.iter_mut().collect::<Vec<_>>();
        let mut further = Vec::new();
        for id in reached {
            let Some(fact) = made.entry(id).or_insert_with(|| join(plan, id)) else { continue };
            let same = |known: &&mut JoinFact| {
                known.node == fact.node
                    || known.range == fact.range
                        && known.left_columns == fact.left_columns
                        && known.right_inputs == fact.right_inputs
            };
            match known.iter().position(same) {
                Some(place) => {
                    let known = known.swap_remove(place);
                    known.condition = Condition::either(known.condition.as_ref(), fact.condition.as_ref());
                }
                None => further.push(fact.clone()),
            }
        }
        facts.extend(further);
    }
    facts.sort_by_key(|fact| fact.node);
    facts
}

fn join(plan: &Derived, id: NodeId) -> Option<JoinFact> {
    let node = plan.node(id)?;
    let NodeKind::Join { left, right, how, keys, residual } = &node.kind else { return None };
    let mut left_columns = Vec::new();
    let mut right_columns = Vec::new();
    let mut left_inputs = Vec::new();
    let mut right_inputs = Vec::new();
    for (l, r) in keys {
        let (l, l_inputs) = base(plan, *l);
        let (r, r_inputs) = base(plan, *r);
        left_columns.push(l);
        right_columns.push(r);
        merge(&mut left_inputs, l_inputs);
        merge(&mut right_inputs, r_inputs);
    }
    for (l, r) in residual.iter().flat_map(conjuncts).filter_map(|conjunct| compared(plan, *left, *right, conjunct)) {
        for (column, columns, inputs) in
            [(l, &mut left_columns, &mut left_inputs), (r, &mut right_columns, &mut right_inputs)]
        {
            let (name, found) = match column.id {
                Some(id) => base(plan, id),
                None => (column.name.clone(), Vec::new()),
            };
            columns.push(name);
            merge(inputs, found);
        }
    }
    if left_inputs.is_empty() {
        merge(&mut left_inputs, input_names(plan, *left));
    }
    if right_inputs.is_empty() {
        merge(&mut right_inputs, input_names(plan, *right));
    }
    let inexact = keys.iter().find(|(l, r)| !grain::compares_exactly(plan, *l, *r));
    let right_keys: Vec<ColumnId> =
        keys.iter().filter(|(l, r)| grain::compares_exactly(plan, *l, *r)).map(|(_, r)| *r).collect();
    let right_facts = plan.keys(*right);
    let (fan_out, fan_out_reason) = match how {
        JoinKind::LeftSemi | JoinKind::LeftAnti => (false, "a semi-join repeats no row".to_owned()),
        _ => match right_facts.unique_on(&right_keys) {
            Some(key) => {
                let same_types = grain::same_types(plan, keys).map(|assumption| assumption.text().to_owned());
                let assumptions: Vec<String> = key.assumed().into_iter().chain(same_types).collect();
                let reason = match assumptions.as_slice() {
                    [] => format!("the right side is unique: {}", key.reason()),
                    assumptions => format!("the right side is unique, if {}", assumptions.join(" and ")),
                };
                (false, reason)
            }
            None => (
                true,
                match inexact {
                    Some((l, r)) => {
                        let [left, right] = [l, r].map(|id| plan.column_type(*id));
                        format!("a {left} may equal several values of a {right}")
                    }
                    None => right_facts.why_not_unique(plan, &right_keys),
                },
            ),
        },
    };
    let optional: Vec<FilterFact> = match how {
        JoinKind::Left | JoinKind::LeftAnti => filters::filters(plan, *right),
        JoinKind::Right => filters::filters(plan, *left),
        JoinKind::Full => filters::filters(plan, *left).into_iter().chain(filters::filters(plan, *right)).collect(),
        _ => Vec::new(),
    };
    Some(JoinFact {
        left_inputs,
        right_inputs,
        left_columns,
        right_columns,
        how: *how,
        fan_out,
        fan_out_reason,
        filters: optional,
        condition: node.condition.clone(),
        range: node.range,
        node: id,
    })
}

/// The columns of an equality that is no plain key: each side has a column, but converted, or not known to be there.
fn compared<'e>(
    plan: &Plan,
    left: NodeId,
    right: NodeId,
    conjunct: &'e Expr,
) -> Option<(&'e ColumnRef, &'e ColumnRef)> {
    let ExprKind::Binary { op: BinaryOp::Equal | BinaryOp::NullSafeEqual, left: one, right: other } = &conjunct.kind
    else {
        return None;
    };
    let (one, other) = (only_column(one)?, only_column(other)?);
    let is_of = |side: NodeId, column: &ColumnRef| column.id.map(|id| plan.has(side, id));
    let fits = |l: &ColumnRef, r: &ColumnRef| is_of(left, l) != Some(false) && is_of(right, r) != Some(false);
    if fits(one, other) {
        return Some((one, other));
    }
    fits(other, one).then_some((other, one))
}

/// The column of an expression that has one; of a name that is not known there is nothing to say.
fn only_column(expr: &Expr) -> Option<&ColumnRef> {
    let mut columns = expr.columns().into_iter();
    let only = columns.next().filter(|column| !column.name.contains(UNKNOWN_HOLE))?;
    columns.next().is_none().then_some(only)
}

/// The base column that a join key is, with its inputs; its own name where it is computed from several.
fn base(plan: &Plan, id: ColumnId) -> (String, Vec<String>) {
    let name = plan.column(id).map(|column| column.name.clone()).unwrap_or_default();
    let bases = lineage::base_columns(plan, id).unwrap_or_default();
    let mut inputs = Vec::new();
    for base in &bases {
        if let Some(Origin::Base(scan)) = plan.column(*base).map(|column| &column.origin)
            && let Some(NodeKind::Scan(scan)) = plan.node(*scan).map(|node| &node.kind)
            && !inputs.contains(&scan.dataset.name)
        {
            inputs.push(scan.dataset.name.clone());
        }
    }
    let column = lineage::passes_through(plan, id);
    let base_name = match bases.as_slice() {
        [_] => plan.column(column).map(|column| column.name.clone()),
        _ => None,
    };
    (base_name.unwrap_or(name), inputs)
}

/// Names of the inputs of a frame, each once.
pub(crate) fn input_names(plan: &Plan, node: NodeId) -> Vec<String> {
    let mut names = Vec::new();
    merge(&mut names, plan.scans(node).into_iter().map(|(_, scan)| scan.dataset.name.clone()).collect());
    names
}

fn merge(into: &mut Vec<String>, from: Vec<String>) {
    for name in from {
        if !into.contains(&name) {
            into.push(name);
        }
    }
}
