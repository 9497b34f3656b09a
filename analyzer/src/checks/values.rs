//! Values: constants and filters against allowed values, ranges and conditions.

use contract::expr::parse::{self, Syntax};
use contract::expr::{BinaryOp, ColumnId, Expr, ExprKind};
use contract::rule::{Rule, RuleKind};
use contract::schema::{Column as SchemaColumn, Provenance, TableSchema};
use contract::types::DataType;
use contract::value::Value;
use serde_json::Value as Json;

use super::{Check, Job, Verdict, proved};
use crate::describe::describe;
use crate::expression::{self, conjuncts};
use crate::facts::{Derived, Mode, filters, lineage};
use crate::plan::{NodeId, Origin, Plan};
use crate::range::TextRange;

pub(super) fn check(job: &Job) -> Vec<Check> {
    let mut checks = Vec::new();
    for rule in job.contract.rules() {
        // A rule that speaks of some rows only is decided by nothing that holds of all.
        if rule.filter.is_some() {
            continue;
        }
        if let RuleKind::CheckConstraint { expression } = &rule.kind {
            checks.extend(constraint(job, rule, expression));
        }
        let Some(name) = &rule.column else { continue };
        let Some(column) = job.column(name) else { continue };
        match &rule.kind {
            RuleKind::AllowedValues { values } => checks.extend(allowed(job, rule, name, column.field.id, values)),
            RuleKind::Min { value } => checks.push(bounded(job, rule, name, column.field.id, Some(value), None)),
            RuleKind::Max { value } => checks.push(bounded(job, rule, name, column.field.id, None, Some(value))),
            RuleKind::Range { min, max } => {
                checks.push(bounded(job, rule, name, column.field.id, min.as_ref(), max.as_ref()));
            }
            _ => {}
        }
    }
    checks
}

fn allowed(job: &Job, rule: &Rule, name: &str, id: ColumnId, values: &[Json]) -> Vec<Check> {
    let of_rule = |check: Check| Check { rule: Some(rule.id.clone()), column: Some(name.to_owned()), ..check };
    let listed =
        |value: &Value| values.iter().map(|allowed| same(value, allowed)).reduce(either).unwrap_or(Some(false));
    let list = || values.iter().map(Json::to_string).collect::<Vec<_>>().join(", ");
    let (constants, only_constants) = constants(job.plan, id);
    let wrong = constants.iter().filter(|(value, _)| *value != Value::Null && listed(value) == Some(false));
    let mut checks: Vec<Check> = wrong
        .map(|(value, range)| {
            let reason = format!("column `{name}` may be {}, and {} is written to it here.", list(), spelled(value));
            let check = job.check("contract-value", Verdict::Refuted, reason);
            of_rule(Check { range: if range.is_empty() { job.place(id) } else { *range }, ..check })
        })
        .collect();
    if !checks.is_empty() {
        return checks;
    }
    if only_constants && constants.iter().all(|(value, _)| *value == Value::Null || listed(value) == Some(true)) {
        return vec![of_rule(job.check(
            "contract-value",
            proved(&[]),
            format!("`{name}` is one of the allowed values"),
        ))];
    }
    let Some((admitted, range)) = admitted(job.plan, job.output.node, id) else {
        let reason = format!("nothing in the script keeps other values out of `{name}`");
        return vec![of_rule(job.check("contract-value", Verdict::MustBeTested, reason))];
    };
    let surplus: Vec<String> = admitted.iter().filter(|value| listed(value) == Some(false)).map(spelled).collect();
    checks.push(of_rule(if surplus.is_empty() {
        Check {
            range,
            ..job.check("contract-value", proved(&[]), format!("a filter keeps other values out of `{name}`"))
        }
    } else {
        let reason =
            format!("column `{name}` may be {}, and the filter here also lets in {}.", list(), surplus.join(", "));
        Check { range, ..job.check("contract-filter-admits", Verdict::Refuted, reason) }
    }));
    let dropped: Vec<String> = values
        .iter()
        .filter(|allowed| {
            let found = admitted.iter().map(|value| same(value, allowed)).reduce(either).unwrap_or(Some(false));
            found == Some(false)
        })
        .map(Json::to_string)
        .collect();
    // A job that writes the table several times, or appends the rows of one value, leaves the others to other writes.
    let writes = job.plan.sinks.iter().filter(|sink| sink.dataset.name == job.sink.dataset.name).count();
    let slice = writes > 1 || (admitted.len() < 2 && job.sink.mode == Mode::Append);
    if !dropped.is_empty() && surplus.is_empty() && !slice {
        let reason = format!("column `{name}` may be {}, and the filter here drops {}.", list(), dropped.join(", "));
        checks.push(of_rule(Check { range, ..job.check("contract-filter-drops", Verdict::Refuted, reason) }));
    }
    checks
}

fn bounded(job: &Job, rule: &Rule, name: &str, id: ColumnId, min: Option<&Json>, max: Option<&Json>) -> Check {
    let (min, max) = (min.and_then(Json::as_f64), max.and_then(Json::as_f64));
    let words = match (min, max) {
        (Some(min), Some(max)) => format!("between {min} and {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        // Dates and timestamps: their constants are not compared here.
        (None, None) => String::new(),
    };
    let outside = |value: f64| min.is_some_and(|min| value < min) || max.is_some_and(|max| value > max);
    let (constants, only_constants) = constants(job.plan, id);
    let numbers: Vec<(f64, TextRange)> =
        constants.iter().filter_map(|(value, range)| Some((number(value)?, *range))).collect();
    let (lower, upper, filter) = interval(job, id);
    let check = if words.is_empty() {
        job.check("contract-range", Verdict::MustBeTested, format!("nothing in the script bounds `{name}`"))
    } else if let Some((value, range)) = numbers.iter().find(|(value, _)| outside(*value)) {
        let reason = format!("column `{name}` is promised to be {words}, and {value} is written to it here.");
        let range = if range.is_empty() { job.place(id) } else { *range };
        Check { range, ..job.check("contract-range", Verdict::Refuted, reason) }
    } else if only_constants && numbers.len() == constants.len() {
        job.check("contract-range", proved(&[]), format!("every value of `{name}` is {words}"))
    } else if let Some(range) = filter
        && (min.zip(upper).is_some_and(|(min, upper)| upper < min)
            || max.zip(lower).is_some_and(|(max, lower)| lower > max))
    {
        let reason = format!("column `{name}` is promised to be {words}, and the filter here lets in nothing of it.");
        Check { range, ..job.check("contract-filter-admits", Verdict::Refuted, reason) }
    } else if min.is_none_or(|min| lower.is_some_and(|lower| lower >= min))
        && max.is_none_or(|max| upper.is_some_and(|upper| upper <= max))
    {
        let range = filter.unwrap_or(job.output.range);
        Check { range, ..job.check("contract-range", proved(&[]), format!("filters keep `{name}` {words}")) }
    } else {
        job.check("contract-range", Verdict::MustBeTested, format!("nothing in the script keeps `{name}` {words}"))
    };
    Check { rule: Some(rule.id.clone()), column: Some(name.to_owned()), ..check }
}

/// A condition that the filters of the job contain word for word.
fn constraint(job: &Job, rule: &Rule, expression: &str) -> Option<Check> {
    let columns = job.contract.columns.iter().map(|(name, column)| SchemaColumn {
        name: name.clone(),
        data_type: DataType::parse(&column.data_type).unwrap_or_default(),
        nullable: None,
        comment: None,
        partition_key: false,
    });
    let schema = TableSchema { columns: columns.collect(), provenance: Provenance::Contract };
    let condition = parse::parse(expression, Syntax::Rule, &schema).ok()?;
    let held: Vec<(String, TextRange)> = filters::filters(job.plan, job.output.node)
        .into_iter()
        .filter_map(|fact| Some((fact.mapped?, fact.range)))
        .collect();
    let wanted: Vec<String> = conjuncts(&condition).into_iter().map(describe).collect();
    let parts: Vec<(String, TextRange)> = filters::predicates(job.plan, job.output.node)
        .into_iter()
        .flat_map(|(predicate, range)| {
            conjuncts(predicate).into_iter().map(move |part| (describe(part), range)).collect::<Vec<_>>()
        })
        .chain(held)
        .collect();
    let found = wanted.iter().map(|part| parts.iter().find(|(held, _)| held == part));
    let range = found.collect::<Option<Vec<_>>>()?.first().map(|(_, range)| *range)?;
    let reason = format!("a filter keeps out rows that are not {expression}");
    Some(Check { rule: Some(rule.id.clone()), range, ..job.check("contract-condition", proved(&[]), reason) })
}

/// The constants that a column may be, and whether it is nothing else.
fn constants(plan: &Plan, id: ColumnId) -> (Vec<(Value, TextRange)>, bool) {
    let mut found = Vec::new();
    let only = match plan.column(id).map(|column| (&column.origin, column.range)) {
        Some((Origin::Computed(expr), made)) => leaves(expr, made, &mut found),
        Some((Origin::Same(source), _)) => return constants(plan, *source),
        Some((Origin::Either(sources), _)) => {
            let mut only = true;
            for source in sources {
                let (more, all) = constants(plan, *source);
                found.extend(more);
                only &= all;
            }
            only
        }
        _ => false,
    };
    (found, only)
}

fn leaves(expr: &Expr, made: TextRange, found: &mut Vec<(Value, TextRange)>) -> bool {
    match &expr.kind {
        ExprKind::Literal(value) => {
            found.push((value.clone(), expression::range_of(expr).unwrap_or(made)));
            true
        }
        ExprKind::Case { branches, otherwise } => {
            let results = branches.iter().map(|(_, then)| then).chain(otherwise.as_deref());
            // Each of them, also behind one that is no constant.
            let mut only = true;
            for result in results {
                only &= leaves(result, made, found);
            }
            only
        }
        _ => false,
    }
}

/// All values that a column of a frame may have, NULL aside, and what decides it; `None` where others may occur.
pub(crate) fn possible(plan: &Derived, node: NodeId, id: ColumnId) -> Option<(Vec<Value>, TextRange)> {
    match constants(plan, id) {
        (values, true) => {
            let place = values.first().map(|(_, range)| *range).unwrap_or_default();
            Some((values.into_iter().map(|(value, _)| value).collect(), place))
        }
        _ => admitted(plan, node, id),
    }
}

/// The values that a filter on all rows lets into a column, and where it stands.
fn admitted(plan: &Derived, node: NodeId, id: ColumnId) -> Option<(Vec<Value>, TextRange)> {
    let wanted = lineage::passes_through(plan, id);
    let is_it = |expr: &Expr| match &expr.kind {
        ExprKind::Column(reference) => reference.id.is_some_and(|id| lineage::passes_through(plan, id) == wanted),
        _ => false,
    };
    let constant = |expr: &Expr| match &expr.kind {
        ExprKind::Literal(value) => Some(value.clone()),
        _ => None,
    };
    filters::predicates(plan, node).into_iter().rev().find_map(|(predicate, range)| {
        conjuncts(predicate).into_iter().find_map(|part| {
            let values = match &part.kind {
                ExprKind::InList { operand, list } if is_it(operand) => list.iter().map(constant).collect(),
                ExprKind::Binary { op: BinaryOp::Equal | BinaryOp::NullSafeEqual, left, right } => {
                    let other = if is_it(left) { right } else { Some(left).filter(|_| is_it(right))? };
                    constant(other).map(|value| vec![value])
                }
                _ => None,
            }?;
            Some((values, range))
        })
    })
}

/// The bounds that filters on all rows put on a column, and the last of them.
fn interval(job: &Job, id: ColumnId) -> (Option<f64>, Option<f64>, Option<TextRange>) {
    let wanted = lineage::passes_through(job.plan, id);
    let (mut lower, mut upper, mut place) = (None::<f64>, None::<f64>, None);
    for (predicate, range) in filters::predicates(job.plan, job.output.node) {
        for part in conjuncts(predicate) {
            let ExprKind::Binary { op, left, right } = &part.kind else { continue };
            let column = |expr: &Expr| match &expr.kind {
                ExprKind::Column(reference) => reference.id.map(|id| lineage::passes_through(job.plan, id)),
                _ => None,
            };
            let constant = |expr: &Expr| match &expr.kind {
                ExprKind::Literal(value) => number(value),
                _ => None,
            };
            let (value, below) = match (column(left) == Some(wanted), column(right) == Some(wanted), op) {
                (true, _, BinaryOp::Greater | BinaryOp::GreaterOrEqual) => (constant(right), false),
                (true, _, BinaryOp::Less | BinaryOp::LessOrEqual) => (constant(right), true),
                (_, true, BinaryOp::Greater | BinaryOp::GreaterOrEqual) => (constant(left), true),
                (_, true, BinaryOp::Less | BinaryOp::LessOrEqual) => (constant(left), false),
                _ => continue,
            };
            let Some(value) = value else { continue };
            place = Some(range);
            if below {
                upper = Some(upper.map_or(value, |known| known.min(value)));
            } else {
                lower = Some(lower.map_or(value, |known| known.max(value)));
            }
        }
    }
    (lower, upper, place)
}

/// Whether a constant is the value of a document; `None` where the two are not compared.
fn same(value: &Value, json: &Json) -> Option<bool> {
    match (value, json) {
        (Value::String(a), Json::String(b)) => Some(a == b),
        (Value::Boolean(a), Json::Bool(b)) => Some(a == b),
        (Value::Int(_) | Value::Double(_), Json::Number(b)) => Some(number(value) == b.as_f64()),
        _ => None,
    }
}

/// True where any is true, false where all are false.
fn either(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Double(number) => Some(*number),
        _ => None,
    }
}

fn spelled(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Int(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Boolean(value) => value.to_string(),
        other => format!("{other:?}"),
    }
}
