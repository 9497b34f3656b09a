//! Keys: the columns of which a frame has at most one row each.
//!
//! Every node derives the keys of its rows from those of its inputs, by the identity of columns. A key is a set of
//! columns; columns that are constant, or equal to another one, need not be in it. What a key rests on beyond the
//! script (a contract's primary key) is carried along as an assumption.

use std::rc::Rc;

use contract::expr::{BinaryOp, ColumnId, Expr, ExprKind};
use contract::types::DataType;
use rustc_hash::FxHashMap;

use super::keys::{Assumption, Key, Keys, MAX_COLUMNS, MAX_KEYS};
use super::{Certainty, Derived, Grain, JoinKind};
use crate::condition::Condition;
use crate::expression::conjuncts;
use crate::plan::{NodeId, NodeKind, Origin, Plan};

/// The grain of a frame.
pub fn grain(plan: &Derived, node: NodeId) -> Grain {
    let keys = plan.keys(node);
    let unknown =
        |reason: String| Grain { columns: Vec::new(), certainty: Certainty::Unknown, assumptions: Vec::new(), reason };
    let Some(schema) = plan.node(node).map(|node| &node.schema) else { return unknown(String::new()) };
    let fields = plan.known_fields(schema);
    let mut named: Vec<(Vec<String>, &Key)> = keys
        .keys
        .iter()
        .filter_map(|key| {
            let names: Option<Vec<String>> = key
                .columns
                .iter()
                .map(|id| {
                    let same = |field: &&crate::plan::Field| keys.are_equal(field.id, *id);
                    fields
                        .iter()
                        .find(|field| field.id == *id)
                        .or_else(|| fields.iter().find(same))
                        .map(|field| field.name.clone())
                })
                .collect();
            names.map(|names| (names, key))
        })
        .collect();
    named.sort_by_key(|(names, key)| (key.assumptions.len(), names.len()));
    match named.into_iter().next() {
        Some((columns, key)) => {
            Grain { columns, certainty: key.certainty(), assumptions: key.assumed(), reason: key.reason() }
        }
        None if keys.why_not.is_empty() => unknown("the columns of the key do not reach this frame".to_owned()),
        None => unknown(keys.why_not.clone()),
    }
}

/// The keys of a frame, from those of its inputs.
pub(super) fn derive(plan: &Plan, id: NodeId, known: &dyn Fn(NodeId) -> Rc<Keys>) -> Rc<Keys> {
    let Some(node) = plan.node(id) else { return Rc::default() };
    let of = |input: &NodeId| known(*input).as_ref().clone();
    let found = match &node.kind {
        NodeKind::Scan(scan) => {
            let columns: Option<Vec<ColumnId>> = scan
                .promised_key
                .iter()
                .map(|name| {
                    plan.known_fields(&node.schema).iter().find(|f| f.name.eq_ignore_ascii_case(name)).map(|f| f.id)
                })
                .collect();
            match columns {
                Some(columns) if !columns.is_empty() => Keys::of(Key {
                    assumptions: vec![Assumption::Promised(format!(
                        "`{}` keeps the primary key of its contract",
                        scan.dataset.short_name()
                    ))],
                    ..Key::new(columns, format!("the primary key of `{}`", scan.dataset.short_name()))
                }),
                _ => Keys::none(format!("nothing says which columns of `{}` are unique", scan.dataset.short_name())),
            }
        }
        NodeKind::Values => Keys::none("rows given by the script are not compared".to_owned()),
        NodeKind::Project { input } => match numbers(plan, *input, node).next() {
            Some(_) => numbered(plan, *input, node, of(input)),
            None => return known(*input),
        },
        NodeKind::Limit { input } => return known(*input),
        NodeKind::Filter { input, predicate } => filtered(plan, of(input), predicate),
        NodeKind::Aggregate { input, keys } => {
            let inner = of(input);
            let constants = inner.constants;
            Keys {
                keys: vec![Key::new(
                    keys.iter().copied().filter(|key| !constants.contains(key)).collect(),
                    match keys.is_empty() {
                        true => "one row in all".to_owned(),
                        false => format!("grouped by {}", names(plan, keys)),
                    },
                )],
                constants,
                equal: inner.equal,
                why_not: String::new(),
            }
        }
        NodeKind::DropDuplicates { input, keys } => {
            let mut inner = of(input);
            let columns: Vec<ColumnId> = keys.iter().copied().filter(|key| !inner.constants.contains(key)).collect();
            inner.add(Key::new(columns, format!("one row per {} is kept", names(plan, keys))));
            inner
        }
        NodeKind::Distinct { input, .. } => {
            let mut inner = of(input);
            if node.schema.is_complete() {
                let columns = node.schema.fields.iter().map(|field| field.id).collect();
                inner.add(Key::new(columns, "the rows are distinct".to_owned()));
            } else if inner.keys.is_empty() {
                inner.why_not = "the rows are distinct, but not all of their columns are known".to_owned();
            }
            inner
        }
        NodeKind::Join { left, right, how, keys, .. } => joined(plan, &known(*left), &known(*right), *how, keys),
        NodeKind::Union { .. } => Keys::none("a union may hold a row twice".to_owned()),
        NodeKind::Explode { .. } => Keys::none("exploding an array repeats rows".to_owned()),
        NodeKind::Resample { .. } => Keys::none("a sample with replacement may draw a row twice".to_owned()),
        NodeKind::Opaque { reason, .. } => {
            Keys::none(format!("it is made by something that is not understood: {reason}"))
        }
        NodeKind::Instance { input } => {
            let copies: FxHashMap<ColumnId, ColumnId> = plan
                .known_fields(&node.schema)
                .iter()
                .filter_map(|field| match plan.column(field.id)?.origin {
                    Origin::Same(source) => Some((source, field.id)),
                    _ => None,
                })
                .collect();
            let inner = of(input);
            let keys = inner
                .keys
                .into_iter()
                .filter_map(|key| {
                    let columns = key.columns.iter().map(|id| copies.get(id).copied()).collect::<Option<_>>()?;
                    let number = key.number.and_then(|number| copies.get(&number).copied());
                    Some(Key { columns, number, ..key })
                })
                .collect();
            Keys { keys, why_not: inner.why_not, ..Keys::default() }
        }
        NodeKind::Choice { inputs, conditions } => chosen(plan, node, inputs, conditions, known),
    };
    Rc::new(found)
}

/// A filter fixes columns to constants and to each other; `row_number() = 1` leaves one row per partition.
fn filtered(plan: &Plan, mut inner: Keys, predicate: &Expr) -> Keys {
    for conjunct in conjuncts(predicate) {
        let ExprKind::Binary { op, left, right } = &conjunct.kind else { continue };
        match ranked_first(plan, left, right, *op) {
            Some(First::Key(key)) => inner.add(key),
            Some(First::Column(number)) => {
                if let Some(columns) = row_number(plan, number) {
                    inner.fix(number);
                    for key in inner.keys.iter_mut().filter(|key| key.number == Some(number)) {
                        key.of_first_rows(first_reason(plan, &columns));
                    }
                }
            }
            _ => {}
        }
        if *op != BinaryOp::Equal {
            continue;
        }
        let id = |expr: &Expr| match &expr.kind {
            ExprKind::Column(reference) => reference.id,
            _ => None,
        };
        let is_constant = |expr: &Expr| matches!(expr.kind, ExprKind::Literal(_));
        match (id(left), id(right)) {
            (Some(a), Some(b))
                if inner.equal.len() < MAX_COLUMNS
                    && compares_exactly(plan, a, b)
                    && same_types(plan, &[(a, b)]).is_none() =>
            {
                inner.equal.push((a, b))
            }
            (Some(column), None) if is_constant(right) => fixed(plan, &mut inner, column, right),
            (None, Some(column)) if is_constant(left) => fixed(plan, &mut inner, column, left),
            _ => {}
        }
    }
    inner
}

/// A comparison with a constant leaves one value of the column, or may leave several: `text = 1` is true of `1` and of
/// `01`.
fn fixed(plan: &Plan, keys: &mut Keys, column: ColumnId, constant: &Expr) {
    match plan.column_type(column) {
        // Beside a text Spark compares a decimal as a double, which several decimals may be.
        DataType::Unknown if constant.data_type.is_text() => {
            keys.fix_if(column, &Assumption::Type(format!("{} is no decimal", names(plan, &[column]))));
        }
        DataType::Unknown => {}
        known if keeps_apart(&known, &constant.data_type) => keys.fix(column),
        _ => {}
    }
}

/// Whether a value of one column equals at most one value of the other, either way. Where a type is not known, this
/// rests on [`same_types`].
pub(crate) fn compares_exactly(plan: &Plan, a: ColumnId, b: ColumnId) -> bool {
    let (a, b) = (plan.column_type(a), plan.column_type(b));
    a.is_open() || b.is_open() || keeps_apart(&a, &b) && keeps_apart(&b, &a)
}

/// What is assumed of the keys of a join: that those of unknown type have the same one on both sides.
pub(crate) fn same_types(plan: &Plan, keys: &[(ColumnId, ColumnId)]) -> Option<Assumption> {
    let open = |id: ColumnId| plan.column_type(id).is_open();
    let open: Vec<ColumnId> = keys.iter().filter(|(l, r)| open(*l) || open(*r)).map(|(l, _)| *l).collect();
    let text = || format!("{} has the same type on both sides of the join", names(plan, &open));
    (!open.is_empty()).then(|| Assumption::Type(text()))
}

/// Whether all values of a type stay different ones where Spark converts them to compare with another type:
/// <https://spark.apache.org/docs/3.5.4/sql-ref-ansi-compliance.html#type-coercion>
fn keeps_apart(values: &DataType, other: &DataType) -> bool {
    use DataType::{BigInt, Boolean, Date, Decimal, Null, Timestamp};
    match (values, other) {
        (values, other) if values == other => true,
        (_, Null) => true,
        (values, other) if values.is_text() => other.is_text(),
        // Beside a text or a double these become doubles, which hold 15 digits.
        (Decimal { .. }, other) => other.is_integer() || matches!(other, Decimal { .. }),
        (BigInt, other) if other.is_floating() => false,
        (values, other) if values.is_numeric() => other.is_numeric() || other.is_text(),
        (Date | Timestamp, other) => other.is_text() || matches!(other, Date | Timestamp),
        (Boolean, other) => other.is_text(),
        _ => false,
    }
}

fn mirrored(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Less => BinaryOp::Greater,
        BinaryOp::LessOrEqual => BinaryOp::GreaterOrEqual,
        BinaryOp::Greater => BinaryOp::Less,
        BinaryOp::GreaterOrEqual => BinaryOp::LessOrEqual,
        other => other,
    }
}

/// What a comparison keeps that is true of the first row of each partition only.
fn ranked_first(plan: &Plan, left: &Expr, right: &Expr, op: BinaryOp) -> Option<First> {
    use contract::value::Value;
    let (expr, bound, op) = match (&left.kind, &right.kind) {
        (_, ExprKind::Literal(Value::Int(bound))) => (left, *bound, op),
        (ExprKind::Literal(Value::Int(bound)), _) => (right, *bound, mirrored(op)),
        _ => return None,
    };
    let first = matches!((op, bound), (BinaryOp::Equal | BinaryOp::LessOrEqual, 1) | (BinaryOp::Less, 2));
    if !first {
        return None;
    }
    match &expr.kind {
        ExprKind::Column(reference) => Some(First::Column(reference.id?)),
        _ => {
            let columns = partitions(expr)?;
            let reason = first_reason(plan, &columns);
            Some(First::Key(Key::new(columns, reason)))
        }
    }
}

/// What a comparison with 1 leaves.
enum First {
    /// The rows in which a column is 1, if it is a number that starts there.
    Column(ColumnId),
    /// One row per partition of a window in the comparison itself.
    Key(Key),
}

/// The partition columns of `row_number()` over a window.
fn partitions(expr: &Expr) -> Option<Vec<ColumnId>> {
    let ExprKind::Window { function, partition_by, .. } = &expr.kind else { return None };
    let ExprKind::Call { function: "row_number", .. } = &function.kind else { return None };
    let columns = partition_by.iter().map(|key| match &key.kind {
        ExprKind::Column(reference) => reference.id,
        _ => None,
    });
    columns.collect()
}

/// Where a projection numbers the rows of each partition, partition and number together are a key: a filter on the
/// number leaves one row per partition, unless something between the two repeats rows.
fn numbered(plan: &Plan, input: NodeId, node: &crate::plan::Node, mut inner: Keys) -> Keys {
    for (number, columns) in numbers(plan, input, node) {
        let reason = format!("row_number() counts the rows of each {}", names(plan, &columns));
        inner.keys.truncate(MAX_KEYS - 1);
        let key = Key::new(columns.into_iter().chain([number]).collect(), reason);
        inner.add(Key { number: Some(number), ..key });
    }
    inner
}

/// The columns of a projection that number the rows of partitions and that its input does not have, with the columns of
/// the partitions.
fn numbers<'p>(
    plan: &'p Plan,
    input: NodeId,
    node: &'p crate::plan::Node,
) -> impl Iterator<Item = (ColumnId, Vec<ColumnId>)> + 'p {
    let before = plan.node(input).map(|input| &input.schema);
    node.schema.fields.iter().filter_map(move |field| {
        let columns = row_number(plan, field.id)?;
        before.is_none_or(|schema| schema.field(field.id).is_none()).then_some((field.id, columns))
    })
}

fn first_reason(plan: &Plan, partitions: &[ColumnId]) -> String {
    format!("row_number() = 1 keeps one row per {}", names(plan, partitions))
}

/// The partition columns where a column is `row_number()` over a window.
fn row_number(plan: &Plan, column: ColumnId) -> Option<Vec<ColumnId>> {
    match &plan.column(column)?.origin {
        Origin::Computed(expr) => partitions(expr),
        _ => None,
    }
}

fn joined(plan: &Plan, left: &Keys, right: &Keys, how: JoinKind, keys: &[(ColumnId, ColumnId)]) -> Keys {
    if matches!(how, JoinKind::LeftSemi | JoinKind::LeftAnti) {
        return left.clone();
    }
    // A value that equals several ones of the other side tells nothing of its rows.
    let exact: Vec<_> = keys.iter().copied().filter(|(l, r)| compares_exactly(plan, *l, *r)).collect();
    let keys = exact.as_slice();
    let left_columns: Vec<ColumnId> = keys.iter().map(|(l, _)| *l).collect();
    let right_columns: Vec<ColumnId> = keys.iter().map(|(_, r)| *r).collect();
    // A join without keys matches every row, unless a side has one row in all.
    let right_unique = right.unique_on(&right_columns);
    let left_unique = left.unique_on(&left_columns);
    let mut result = Keys { why_not: String::new(), ..Keys::default() };
    if how == JoinKind::Inner {
        let certain = keys.iter().filter(|pair| same_types(plan, &[**pair]).is_none());
        result.equal = left.equal.iter().chain(&right.equal).chain(certain).copied().collect();
        result.constants = left.constants.iter().chain(&right.constants).copied().collect();
    } else if how == JoinKind::Left {
        result.equal = left.equal.clone();
        result.constants = left.constants.clone();
    }
    let kept = |side: &Keys, unique: &Key, result: &mut Keys| {
        for key in &side.keys {
            let mut assumptions = key.assumptions.clone();
            assumptions.extend(unique.assumptions.iter().filter(|a| !key.assumptions.contains(a)).cloned());
            result.add(key.kept_by_join(assumptions));
        }
    };
    if let Some(unique) = right_unique
        && matches!(how, JoinKind::Inner | JoinKind::Left)
    {
        kept(left, unique, &mut result);
    }
    if let Some(unique) = left_unique
        && matches!(how, JoinKind::Inner | JoinKind::Right)
    {
        kept(right, unique, &mut result);
    }
    // Both keys together are a key of the pairs, where no side is padded with NULLs that would merge rows.
    if result.keys.is_empty() && matches!(how, JoinKind::Inner | JoinKind::Cross | JoinKind::Left) {
        for a in &left.keys {
            for b in &right.keys {
                let mut columns = a.columns.clone();
                for id in &b.columns {
                    let determined = keys.iter().any(|(l, r)| r == id && columns.contains(l)) && how != JoinKind::Cross;
                    if !determined && !columns.contains(id) {
                        columns.push(*id);
                    }
                }
                let assumptions = a.assumptions.iter().chain(&b.assumptions).cloned().collect();
                let reason = "the keys of both sides of the join together".to_owned();
                result.add(Key { assumptions, ..Key::new(columns, reason) });
            }
        }
    }
    if let Some(assumption) = same_types(plan, keys) {
        for key in result.keys.iter_mut().filter(|key| !key.assumptions.contains(&assumption)) {
            key.assumptions.push(assumption.clone());
        }
        if how == JoinKind::Inner {
            result.swap(keys);
        }
    }
    if result.keys.is_empty() {
        result.why_not = match (left.keys.is_empty(), how) {
            (true, _) => left.why_not.clone(),
            (false, _) => {
                format!(
                    "a join on {} may repeat rows: {}",
                    names(plan, &left_columns),
                    right.why_not_unique(plan, &right_columns)
                )
            }
        };
    }
    result
}

/// Keys that hold whichever arm runs: those that every arm has, by name.
fn chosen(
    plan: &Plan,
    node: &crate::plan::Node,
    inputs: &[NodeId],
    conditions: &[Condition],
    known: &dyn Fn(NodeId) -> Rc<Keys>,
) -> Keys {
    let fields = plan.known_fields(&node.schema);
    let in_names = |input: &NodeId| -> Vec<(Vec<String>, Key)> {
        let Some(schema) = plan.node(*input).map(|node| &node.schema) else { return Vec::new() };
        let own = plan.known_fields(schema);
        known(*input)
            .keys
            .iter()
            .filter_map(|key| {
                let mut names = key
                    .columns
                    .iter()
                    .map(|id| own.iter().find(|field| field.id == *id).map(|field| field.name.to_lowercase()))
                    .collect::<Option<Vec<_>>>()?;
                names.sort();
                Some((names, key.clone()))
            })
            .collect()
    };
    let mut arms = inputs.iter().map(in_names);
    let first = arms.next().unwrap_or_default();
    let rest: Vec<Vec<(Vec<String>, Key)>> = arms.collect();
    // An arm without any key says why better than the condition does.
    let why_not = inputs.iter().map(|input| known(*input)).find(|keys| keys.keys.is_empty());
    // … and one that has a key says when it holds.
    let sometimes = inputs.iter().zip(conditions).find_map(|(input, when)| {
        let keys = known(*input);
        let key = keys.keys.iter().find(|key| key.assumptions.is_empty() && !key.columns.is_empty())?;
        let are = if key.columns.len() == 1 { "is" } else { "are together" };
        Some(format!("; {} {are} unique only when {when}", names(plan, &key.columns)))
    });
    let sometimes = sometimes.unwrap_or_default();
    let mut result = Keys::none(match why_not {
        Some(keys) => format!("{}{sometimes}", keys.why_not),
        None => format!("it depends on a condition which columns are unique{sometimes}"),
    });
    for (names, key) in first {
        let shared = rest.iter().all(|arm| arm.iter().any(|(other, _)| *other == names));
        let columns: Option<Vec<ColumnId>> = names
            .iter()
            .map(|name| fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.id))
            .collect();
        if let (true, Some(columns)) = (shared, columns) {
            let mut assumptions = key.assumptions.clone();
            for (_, other) in rest.iter().flatten().filter(|(other, _)| *other == names) {
                assumptions.extend(other.assumptions.iter().cloned());
            }
            assumptions.sort();
            assumptions.dedup();
            result.add(Key { assumptions, ..Key::new(columns, key.reason()) });
        }
    }
    result
}

/// Names of columns for people.
pub(crate) fn names(plan: &Plan, ids: &[ColumnId]) -> String {
    if ids.is_empty() {
        return "nothing".to_owned();
    }
    let names: Vec<String> =
        ids.iter().map(|id| format!("`{}`", plan.column(*id).map_or("?", |column| column.name.as_str()))).collect();
    names.join(", ")
}
