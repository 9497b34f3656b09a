//! Diagnostics that follow from the finished plan. Each is shown only where it is certain.

use crate::ordered::IndexSet;
use contract::expr::{BinaryOp, ColumnId, Expr, ExprKind};
use contract::types::DataType;
use contract::value::Value;

use super::{Dataset, DatasetKind, Derived, Diagnostic, JoinKind, Mode, Output, Severity, filters, lineage};
use crate::describe::describe;
use crate::expression::{self, conjuncts};
use crate::plan::{Field, NodeId, NodeKind, Origin, Plan, Sink, null_rejected};
use crate::range::TextRange;

/// Adds what is wrong with the writes, filters and joins of a plan.
pub(crate) fn check(plan: &Derived, outputs: &[Output], diagnostics: &mut IndexSet<Diagnostic>) {
    for (output, sink) in outputs.iter().zip(plan.live_sinks()) {
        let found = [
            bookmark_overwrite(plan, output, sink),
            partial_overwrite(plan, output, sink),
            append_again(plan, output, sink),
            fan_out(plan, output, sink),
        ];
        for (code, message) in found.into_iter().flatten() {
            diagnostics.insert(warning(code, output.range, message));
        }
    }
    for (_, node) in plan.nodes() {
        match &node.kind {
            NodeKind::Filter { input, predicate } => {
                for conjunct in conjuncts(predicate) {
                    let range = expression::range_of(conjunct).unwrap_or(node.range);
                    if let Some(message) = never_true(conjunct) {
                        diagnostics.insert(warning("never-true", range, message));
                    }
                    if let Some(message) = loses_nulls(plan, *input, conjunct, predicate) {
                        diagnostics.insert(warning("not-in-null", range, message));
                    }
                }
            }
            NodeKind::Join { keys, .. } => {
                for (left, right) in keys {
                    if let Some(message) = never_match(plan, *left, *right) {
                        diagnostics.insert(warning("join-key-types", node.range, message));
                    }
                }
            }
            _ => {}
        }
    }
}

fn warning(code: &'static str, range: TextRange, message: String) -> Diagnostic {
    Diagnostic { code, severity: Severity::Warning, range, message, suggestions: Vec::new(), related: Vec::new() }
}

/// A bookmarked read gives only what is new, and an overwrite keeps only that.
fn bookmark_overwrite(plan: &Plan, output: &Output, sink: &Sink) -> Option<(&'static str, String)> {
    if output.mode != Mode::Overwrite || !plan.traits.commits || sink.condition.is_some() {
        return None;
    }
    let (_, scan) = plan.scans(sink.input).into_iter().find(|(_, scan)| {
        scan.bookmark.is_some() && matches!(scan.dataset.kind, DatasetKind::Catalog | DatasetKind::S3)
    })?;
    let message = format!(
        "With job bookmarks enabled, `{}` gives only what is new since the last run, and this overwrite drops what earlier runs wrote.",
        scan.dataset.name
    );
    Some(("bookmark-overwrite", message))
}

/// Spark's static overwrite deletes all partitions, of which this write brings back only some.
fn partial_overwrite(plan: &Derived, output: &Output, sink: &Sink) -> Option<(&'static str, String)> {
    let versioned = matches!(sink.dataset.format.as_deref(), Some("iceberg" | "hudi" | "org.apache.hudi" | "delta"));
    if output.mode != Mode::Overwrite || sink.dynamic_overwrite != Some(false) || versioned || sink.condition.is_some()
    {
        return None;
    }
    let fields = plan.node(sink.input).map(|node| plan.known_fields(&node.schema))?;
    let (key, why) = sink.partition_keys.iter().find_map(|key| {
        let field = fields.iter().find(|field| field.name.eq_ignore_ascii_case(key))?;
        Some((key, one_value(plan, sink.input, field)?))
    })?;
    let message = format!(
        "This overwrite deletes every partition of `{}`, but writes only those where {why}. Set spark.sql.sources.partitionOverwriteMode to dynamic to keep the other values of `{key}`.",
        output.dataset.name
    );
    Some(("partial-overwrite", message))
}

/// Why a column has one value in all rows of a frame.
fn one_value(plan: &Derived, node: NodeId, field: &Field) -> Option<String> {
    let constant = |expr: &Expr| expression::column_ids(expr).is_empty() && !contains_column(expr);
    if let Some(Origin::Computed(expr)) = plan.column(field.id).map(|column| &column.origin)
        && constant(expr)
        && is_settled(expr)
    {
        return Some(format!("{} is {}", field.name, describe(expr)));
    }
    let base = lineage::passes_through(plan, field.id);
    for id in plan.ancestry(node) {
        let Some(NodeKind::Filter { predicate, .. }) = plan.node(id).map(|node| &node.kind) else { continue };
        for conjunct in conjuncts(predicate) {
            let ExprKind::Binary { op: BinaryOp::Equal, left, right } = &conjunct.kind else { continue };
            for (column, other) in [(left, right), (right, left)] {
                if let ExprKind::Column(reference) = &column.kind
                    && reference.id.is_some_and(|id| id == field.id || lineage::passes_through(plan, id) == base)
                    && constant(other)
                    && filters::holds(plan, node, id)
                {
                    return Some(describe(conjunct));
                }
            }
        }
    }
    None
}

/// Whether an expression without columns is one value: a constant or a date of the run, not a number by row.
fn is_settled(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(value) => *value != Value::Null,
        ExprKind::Call { function, args } => {
            !matches!(*function, "uuid" | "rand" | "randn" | "monotonically_increasing_id" | "input_file_name")
                && args.iter().all(is_settled)
        }
        ExprKind::Cast { operand, .. } => is_settled(operand),
        _ => false,
    }
}

fn contains_column(expr: &Expr) -> bool {
    let mut found = false;
    expression::for_each_column(expr, &mut |_| found = true);
    found
}

/// A retried run appends the same rows once more: nothing keeps the input from being read again.
fn append_again(plan: &Plan, output: &Output, sink: &Sink) -> Option<(&'static str, String)> {
    let traits = &plan.traits;
    let writes_files = matches!(output.dataset.kind, DatasetKind::Catalog | DatasetKind::S3 | DatasetKind::Jdbc)
        && !output.dataset.format.as_deref().is_some_and(|format| format.contains('.'));
    let kept_apart = traits.streams || traits.clears || sink.condition.is_some() || by_run(&output.dataset);
    if output.mode != Mode::Append || !writes_files || kept_apart {
        return None;
    }
    let scans = plan.scans(sink.input);
    let rereads = |dataset: &Dataset| {
        matches!(dataset.kind, DatasetKind::Catalog | DatasetKind::S3 | DatasetKind::Jdbc | DatasetKind::DynamoDb)
            && dataset.is_resolved()
            // The script itself chooses among the objects that a listing names, and may know which it has had.
            && !dataset.name.contains("<key>")
            && dataset.name != output.dataset.name
    };
    if scans.is_empty() || !scans.iter().all(|(_, scan)| scan.bookmark.is_none() && rereads(&scan.dataset)) {
        return None;
    }
    // What is already in the target may be left out by something that is not understood.
    let understood = plan.ancestry(sink.input).into_iter().all(|id| match plan.node(id).map(|node| &node.kind) {
        Some(NodeKind::Opaque { .. }) => false,
        Some(NodeKind::Filter { predicate, .. }) => !reads_the_run(predicate),
        Some(NodeKind::Join { how, .. }) => *how != JoinKind::LeftAnti,
        _ => true,
    });
    let first = scans.first().map(|(_, scan)| scan.dataset.name.as_str()).unwrap_or_default();
    let message = format!(
        "A run that is retried appends the rows of `{first}` to `{}` a second time: the read has no bookmark, and nothing is replaced or merged.",
        output.dataset.name
    );
    understood.then_some(("append-again", message))
}

/// Whether each run writes to a place of its own, or to one that is not known.
fn by_run(dataset: &Dataset) -> bool {
    !dataset.is_resolved() || dataset.name.contains("<run_date>") || dataset.name.contains("<key>")
}

/// Whether a predicate compares with something that only the run knows, such as a watermark.
fn reads_the_run(predicate: &Expr) -> bool {
    matches!(&predicate.kind, ExprKind::Opaque { inputs, .. } if inputs.is_empty())
        || matches!(&predicate.kind, ExprKind::Literal(Value::String(text)) if text.contains('<'))
        || expression::children(predicate).into_iter().any(reads_the_run)
}

/// Rows are merged by a key of the left side of a join that repeats them, because its right side is unique by more
/// columns than it is joined on.
fn fan_out(plan: &Derived, output: &Output, sink: &Sink) -> Option<(&'static str, String)> {
    if output.mode != Mode::Merge || sink.merge_keys.is_empty() {
        return None;
    }
    let schema = plan.node(sink.input).map(|node| node.schema.clone())?;
    let fields = plan.known_fields(&schema);
    let ids: Vec<ColumnId> = sink
        .merge_keys
        .iter()
        .map(|key| fields.iter().find(|field| field.name.eq_ignore_ascii_case(key)).map(|field| field.id))
        .collect::<Option<_>>()?;
    if plan.keys(sink.input).unique_on(&ids).is_some() {
        return None;
    }
    let mut current = sink.input;
    loop {
        match plan.node(current).map(|node| &node.kind)? {
            NodeKind::Project { input } | NodeKind::Filter { input, .. } => current = *input,
            NodeKind::Join { left, right, keys, how: JoinKind::Inner | JoinKind::Left, .. } => {
                let right_keys: Vec<ColumnId> = keys.iter().map(|(_, right)| *right).collect();
                let (left_facts, right_facts) = (plan.keys(*left), plan.keys(*right));
                left_facts.unique_on(&ids)?;
                if right_facts.keys.is_empty() || right_facts.unique_on(&right_keys).is_some() {
                    return None;
                }
                let message = format!(
                    "Rows are merged by {}, but the join before repeats them: {}.",
                    sink.merge_keys.join(", "),
                    right_facts.why_not_unique(plan, &right_keys)
                );
                return Some(("fan-out-merge", message));
            }
            _ => return None,
        }
    }
}

/// A comparison that no row satisfies.
fn never_true(conjunct: &Expr) -> Option<String> {
    let comparison = match &conjunct.kind {
        ExprKind::Not(inner) => inner,
        _ => conjunct,
    };
    let ExprKind::Binary { op, left, right } = &comparison.kind else { return None };
    let compares = matches!(
        op,
        BinaryOp::Equal | BinaryOp::Less | BinaryOp::LessOrEqual | BinaryOp::Greater | BinaryOp::GreaterOrEqual
    );
    if !compares {
        return None;
    }
    let text = describe(conjunct);
    for (operand, other) in [(left, right), (right, left)] {
        match &other.kind {
            ExprKind::Literal(Value::Null) => {
                return Some(format!(
                    "`{text}` is never true: nothing equals NULL, nor differs from it. Use isNull() or isNotNull()."
                ));
            }
            ExprKind::Literal(Value::String(constant)) if !casts(constant, &operand.data_type) => {
                return Some(format!(
                    "`{text}` is never true: {} is {}, and '{constant}' is none.",
                    describe(operand),
                    operand.data_type
                ));
            }
            _ => {}
        }
    }
    None
}

/// Whether Spark may cast a text to a type; `true` in doubt.
fn casts(text: &str, data_type: &DataType) -> bool {
    let text = text.trim();
    if text.contains('<') {
        return true;
    }
    match data_type {
        DataType::TinyInt
        | DataType::SmallInt
        | DataType::Int
        | DataType::BigInt
        | DataType::Float
        | DataType::Double
        | DataType::Decimal { .. } => text.trim_end_matches(['d', 'D', 'f', 'F']).parse::<f64>().is_ok(),
        DataType::Date | DataType::Timestamp => text.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-'),
        DataType::Boolean => {
            ["t", "true", "y", "yes", "1", "f", "false", "n", "no", "0"].contains(&text.to_lowercase().as_str())
        }
        _ => true,
    }
}

/// `NOT IN` is unknown, and so not true, where the column is NULL.
fn loses_nulls(plan: &Derived, input: NodeId, conjunct: &Expr, predicate: &Expr) -> Option<String> {
    let ExprKind::Not(inner) = &conjunct.kind else { return None };
    let ExprKind::InList { operand, .. } = &inner.kind else { return None };
    let ExprKind::Column(reference) = &operand.kind else { return None };
    let field = reference.id.and_then(|id| plan.node(input)?.schema.field(id));
    let tested = conjuncts(predicate).into_iter().any(|other| {
        matches!(&other.kind, ExprKind::Not(inner) if matches!(&inner.kind, ExprKind::IsNull(tested) if tested == operand))
    });
    if tested
        || field.is_some_and(|field| field.nullable == Some(false))
        || reference.id.is_some_and(|id| is_made_from_present(plan, input, id))
    {
        return None;
    }
    Some(format!(
        "Rows where `{0}` is NULL are lost here: `{1}` is not true of them. Add `{0} IS NULL` if they belong.",
        reference.name,
        describe(conjunct)
    ))
}

/// Whether a column is made from columns that a filter before has found not to be NULL, so that it most likely is not
/// either.
fn is_made_from_present(plan: &Derived, node: NodeId, column: ColumnId) -> bool {
    let Some(bases) = lineage::base_columns(plan, column).filter(|bases| !bases.is_empty()) else { return false };
    let present: Vec<ColumnId> = filters::predicates(plan, node)
        .into_iter()
        .flat_map(|(predicate, _)| null_rejected(predicate))
        .map(|id| lineage::passes_through(plan, id))
        .collect();
    bases.iter().all(|base| present.contains(base))
}

/// Keys of a join whose types have no value in common.
fn never_match(plan: &Plan, left: ColumnId, right: ColumnId) -> Option<String> {
    let (l, r) = (plan.column_type(left), plan.column_type(right));
    let (a, b) = (class(&l)?, class(&r)?);
    let apart = (a == Class::Time && matches!(b, Class::Number | Class::Truth))
        || (b == Class::Time && matches!(a, Class::Number | Class::Truth))
        || (a == Class::Nested) != (b == Class::Nested);
    let name = |id: ColumnId| plan.column(id).map(|column| column.name.clone()).unwrap_or_default();
    apart.then(|| {
        format!("`{}` is {l} and `{}` is {r}: no row of one side meets one of the other.", name(left), name(right))
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Class {
    Number,
    Text,
    Time,
    Truth,
    Nested,
}

fn class(data_type: &DataType) -> Option<Class> {
    Some(match data_type {
        DataType::TinyInt
        | DataType::SmallInt
        | DataType::Int
        | DataType::BigInt
        | DataType::Float
        | DataType::Double
        | DataType::Decimal { .. } => Class::Number,
        DataType::String | DataType::Varchar(_) | DataType::Char(_) => Class::Text,
        DataType::Date | DataType::Timestamp => Class::Time,
        DataType::Boolean => Class::Truth,
        DataType::Struct(_) | DataType::Array(_) | DataType::Map(..) => Class::Nested,
        _ => return None,
    })
}
