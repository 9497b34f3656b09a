//! Columns that must not be NULL, and where a NULL comes from.

use contract::expr::{ColumnId, Expr, ExprKind};
use contract::rule::RuleKind;
use contract::value::Value;

use super::{Check, Job, Verdict, proved};
use crate::expression;
use crate::facts::JoinKind;
use crate::plan::{NodeId, NodeKind, Origin, Plan};
use crate::range::TextRange;

pub(super) fn check(job: &Job) -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, column) in &job.contract.columns {
        let rule = column.rules.iter().find(|rule| rule.kind == RuleKind::NotNull);
        if column.nullable && rule.is_none() {
            continue;
        }
        let Some(written) = job.column(name) else { continue };
        let (verdict, reason, range) = judge(job, name, written.field.id, written.field.nullable);
        let check = job.check("contract-not-null", verdict, reason);
        let rule = rule.map(|rule| rule.id.clone());
        checks.push(Check { rule, column: Some(name.clone()), range: range.unwrap_or(check.range), ..check });
    }
    checks
}

fn judge(job: &Job, name: &str, id: ColumnId, nullable: Option<bool>) -> (Verdict, String, Option<TextRange>) {
    match (nullable, origin(job.plan, job.output.node, id)) {
        (Some(false), _) => (proved(&[]), format!("`{name}` is never NULL"), None),
        (Some(true), Some(source)) if !matched_by_contract(job, &source) => {
            let reason = format!("column `{name}` is promised to be not null, and {}.", source.reason);
            (Verdict::Refuted, reason, Some(source.range))
        }
        _ => (Verdict::MustBeTested, format!("nothing in the script keeps NULL out of `{name}`"), None),
    }
}

/// Where NULL comes into a column.
struct Source {
    range: TextRange,
    reason: String,
    /// The join that leaves rows without a partner, where it is one.
    join: Option<NodeId>,
}

/// Where the script itself lets NULL into a column of a frame; what the inputs hold is not known.
fn origin(plan: &Plan, node: NodeId, id: ColumnId) -> Option<Source> {
    let current = plan.node(node)?;
    let nullable = |node: NodeId, id: ColumnId| {
        plan.node(node).and_then(|node| node.schema.field(id)).is_some_and(|field| field.nullable == Some(true))
    };
    match &current.kind {
        NodeKind::Join { left, right, how, .. } => {
            let (from, pads) = match plan.has(*left, id) {
                true => (*left, matches!(how, JoinKind::Right | JoinKind::Full)),
                false if plan.has(*right, id) => (*right, matches!(how, JoinKind::Left | JoinKind::Full)),
                false => return None,
            };
            if nullable(from, id) || !pads {
                return origin(plan, from, id);
            }
            let reason = format!("the {} join here leaves it NULL in rows without a partner", how.name());
            Some(Source { range: current.range, reason, join: Some(node) })
        }
        NodeKind::Scan(_) => None,
        kind => {
            let inputs = kind.inputs();
            if let Some(input) = inputs.iter().find(|input| plan.has(**input, id)) {
                return origin(plan, *input, id);
            }
            let made = plan.column(id)?;
            let from = |id: ColumnId| {
                let input = inputs.iter().find(|input| nullable(**input, id))?;
                origin(plan, *input, id)
            };
            match &made.origin {
                Origin::Computed(expr) => in_expression(expr, made.range, &from),
                Origin::Same(source) => from(*source),
                Origin::Either(sources) => sources.iter().find_map(|source| from(*source)),
                Origin::Base(_) | Origin::Unknown => None,
            }
        }
    }
}

fn in_expression(expr: &Expr, made: TextRange, from: &dyn Fn(ColumnId) -> Option<Source>) -> Option<Source> {
    let place = expression::range_of(expr).unwrap_or(made);
    let here = |reason: &str| Some(Source { range: place, reason: reason.to_owned(), join: None });
    match &expr.kind {
        ExprKind::Literal(Value::Null) => here("NULL is written to it here"),
        ExprKind::Column(reference) => from(reference.id?),
        ExprKind::Case { branches, otherwise } => {
            let results = branches.iter().map(|(_, then)| then).chain(otherwise.as_deref());
            let inside = results.into_iter().find_map(|result| in_expression(result, place, from));
            inside.or_else(|| match otherwise {
                None => here("it is NULL where no branch applies: there is no `otherwise`"),
                Some(_) => None,
            })
        }
        ExprKind::Binary { .. } | ExprKind::Negate(_) | ExprKind::Cast { .. } => {
            expression::children(expr).into_iter().find_map(|child| in_expression(child, place, from))
        }
        _ => None,
    }
}

/// Whether the contract itself promises each row a partner: a foreign key on the join's column to the joined table.
fn matched_by_contract(job: &Job, source: &Source) -> bool {
    let Some(NodeKind::Join { right, keys, .. }) =
        source.join.and_then(|join| job.plan.node(join)).map(|node| &node.kind)
    else {
        return false;
    };
    let tables = job.plan.scans(*right);
    let refers = |rule: &contract::rule::Rule| match &rule.kind {
        RuleKind::ForeignKey { columns, ref_table, .. } => {
            let short = ref_table.rsplit('.').next().unwrap_or(ref_table);
            let mut columns = columns.iter().chain(&rule.column).filter_map(|column| job.column(column));
            tables.iter().any(|(_, scan)| scan.dataset.short_name().eq_ignore_ascii_case(short))
                && columns.any(|column| keys.iter().any(|(left, _)| *left == column.field.id))
        }
        _ => false,
    };
    job.contract.rules().any(refers)
}
