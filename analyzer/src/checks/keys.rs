//! Keys: the grain that a contract promises, and references to other tables.

use contract::expr::ColumnId;
use contract::rule::RuleKind;

use super::{Check, Job, Verdict, proved};
use crate::facts::{Derived, JoinKind, filters, lineage};
use crate::plan::{NodeId, NodeKind, Origin};
use crate::range::TextRange;

pub(super) fn check(job: &Job) -> Vec<Check> {
    let found = job.plan.keys(job.output.node);
    let mut checks: Vec<Check> = Vec::new();
    for (rule, columns) in promised(job) {
        let Some(ids) = job.ids(&columns) else { continue };
        let check = match (found.unique_on(&ids), repeating(job.plan, job.output.node, &ids)) {
            (Some(key), _) => job.check("contract-grain", proved(&key.assumed()), key.reason()),
            (None, Some((range, reason))) => {
                let promise = columns.join(", ");
                let reason = format!("one row per {promise} is promised, and {reason}.");
                Check { range, ..job.check("contract-grain", Verdict::Refuted, reason) }
            }
            (None, None) => job.check("contract-grain", Verdict::MustBeTested, found.why_not_unique(job.plan, &ids)),
        };
        checks.push(Check { rule, ..check });
    }
    checks.extend(references(job));
    checks
}

/// Each set of columns that is promised to be unique, once, with the first rule that says so.
fn promised(job: &Job) -> Vec<(Option<String>, Vec<String>)> {
    let mut sets: Vec<(Option<String>, Vec<String>)> = Vec::new();
    let mut add = |rule: Option<String>, columns: &[String]| {
        let same = |known: &[String]| columns.iter().all(|column| known.contains(column));
        if !columns.is_empty() && !sets.iter().any(|(_, known)| known.len() == columns.len() && same(known)) {
            sets.push((rule, columns.to_vec()));
        }
    };
    for rule in job.contract.rules() {
        match (&rule.kind, &rule.column) {
            (RuleKind::PrimaryKey { columns }, _) => add(Some(rule.id.clone()), columns),
            (RuleKind::GrainUniqueness { grain }, _) => add(Some(rule.id.clone()), grain),
            (RuleKind::Unique, Some(column)) => add(Some(rule.id.clone()), std::slice::from_ref(column)),
            _ => {}
        }
    }
    add(None, &job.contract.primary_key);
    sets
}

/// What certainly repeats these columns in some rows: a join that meets a row several times, or an exploded array, with
/// nothing behind it that keeps one row of each.
fn repeating(plan: &Derived, node: NodeId, columns: &[ColumnId]) -> Option<(TextRange, String)> {
    let mut current = node;
    loop {
        let node = plan.node(current)?;
        let all_in = |input: NodeId| columns.iter().all(|id| plan.has(input, *id));
        current = match &node.kind {
            NodeKind::Project { input } => *input,
            NodeKind::Filter { input, predicate } if !filters::ranks(plan, predicate) => *input,
            NodeKind::Explode { input } if all_in(*input) => {
                return Some((node.range, "an array is exploded into several rows here".to_owned()));
            }
            NodeKind::Join { left, how: JoinKind::LeftSemi | JoinKind::LeftAnti, .. } => *left,
            NodeKind::Join { left, right, keys, .. } => {
                if !all_in(*left) {
                    return None;
                }
                let by: Vec<ColumnId> = keys.iter().map(|(_, right)| *right).collect();
                let right_keys = plan.keys(*right);
                // Of a right side without any known key it is not known that it repeats rows.
                if right_keys.keys.is_empty() || right_keys.unique_on(&by).is_some() {
                    *left
                } else {
                    let tables: Vec<String> =
                        plan.scans(*right).iter().map(|(_, scan)| format!("`{}`", scan.dataset.name)).collect();
                    let reason = right_keys.why_not_unique(plan, &by);
                    let reason = format!("the join here with {} may repeat rows: {reason}", tables.join(", "));
                    return Some((node.range, reason));
                }
            }
            _ => return None,
        };
    }
}

/// Foreign keys: an inner join with the referenced table proves them.
fn references(job: &Job) -> Vec<Check> {
    let mut checks = Vec::new();
    for rule in job.contract.rules() {
        // Of references of several columns, and to some rows of the other table only, a join says nothing certain.
        let RuleKind::ForeignKey { columns, ref_table, ref_columns, ref_where: None, as_of: None } = &rule.kind else {
            continue;
        };
        let (Some(name), [ref_column]) = (columns.first().or(rule.column.as_ref()), ref_columns.as_slice()) else {
            continue;
        };
        let Some(column) = job.column(name) else { continue };
        let check = match joined_with(job, column.field.id, ref_table, ref_column) {
            Some(range) => {
                let reason = format!("the join here keeps only rows whose `{name}` is in `{ref_table}`");
                Check { range, ..job.check("contract-reference", proved(&[]), reason) }
            }
            None => {
                let reason = format!("no inner join with `{ref_table}` keeps other values of `{name}` out");
                job.check("contract-reference", Verdict::MustBeTested, reason)
            }
        };
        checks.push(Check { rule: Some(rule.id.clone()), column: Some(name.clone()), ..check });
    }
    checks
}

fn joined_with(job: &Job, column: ColumnId, ref_table: &str, ref_column: &str) -> Option<TextRange> {
    let plan = job.plan;
    let values = lineage::passes_through(plan, column);
    let is_referenced = |id: ColumnId| {
        let base = lineage::passes_through(plan, id);
        let Some(Origin::Base(scan)) = plan.column(base).map(|column| &column.origin) else { return false };
        let Some(NodeKind::Scan(scan)) = plan.node(*scan).map(|node| &node.kind) else { return false };
        let short = ref_table.rsplit('.').next().unwrap_or(ref_table);
        scan.dataset.short_name().eq_ignore_ascii_case(short)
            && plan.column(base).is_some_and(|base| base.name.eq_ignore_ascii_case(ref_column))
    };
    plan.mandatory(job.output.node).iter().find_map(|id| {
        let node = plan.node(*id)?;
        let NodeKind::Join { keys, .. } = &node.kind else { return None };
        let pairs = keys.iter().flat_map(|(left, right)| [(*left, *right), (*right, *left)]);
        let proves =
            |(one, other): (ColumnId, ColumnId)| lineage::passes_through(plan, one) == values && is_referenced(other);
        pairs.into_iter().any(proves).then_some(node.range)
    })
}
