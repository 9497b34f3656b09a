//! Columns meet a frame: names become identities, and a name that the frame certainly lacks becomes a diagnostic.

use contract::expr::{ColumnRef, Expr, ExprKind};
use contract::types::DataType;

use crate::expression;
use crate::facts::{Related, Severity};
use crate::interpret::{Interpreter, Mention};
use crate::plan::{Field, Lookup, NodeId, NodeKind, Schema};
use crate::range::TextRange;
use crate::value::Value;

/// The expression with every column resolved that can be.
pub(crate) fn bind(interpreter: &mut Interpreter, node: NodeId, expr: &Expr) -> Expr {
    let schema = interpreter.plan.schema(node);
    let mut bound = expr.clone();
    resolve(interpreter, &Scope { frame: node, other: None, schema: &schema }, &mut bound);
    bound
}

/// The same against both sides of a join.
pub(crate) fn bind_both(interpreter: &mut Interpreter, left: NodeId, right: NodeId, expr: &Expr) -> Expr {
    let mut schema = interpreter.plan.schema(left);
    let other = interpreter.plan.schema(right);
    schema.fields.extend(other.fields);
    schema.rests.extend(other.rests);
    let mut bound = expr.clone();
    resolve(interpreter, &Scope { frame: left, other: Some(right), schema: &schema }, &mut bound);
    bound
}

/// What names are looked up in: a frame, or both sides of a join.
struct Scope<'s> {
    frame: NodeId,
    other: Option<NodeId>,
    schema: &'s Schema,
}

/// The same for a filter or sort. Spark looks for a column that a select list has left out in the frame before it, so
/// `df.select("a").filter(col("b") > 0)` is valid where `df` has `b`, and so it is with a `distinct()`, a `limit` or an
/// `explode` between the two (Spark's rule `ResolveMissingReferences`).
pub(crate) fn bind_condition(interpreter: &mut Interpreter, node: NodeId, expr: &Expr) -> Expr {
    let mut condition = expr.clone();
    find_left_out(interpreter, node, &mut condition);
    bind(interpreter, node, &condition)
}

fn find_left_out(interpreter: &mut Interpreter, node: NodeId, expr: &mut Expr) {
    if let ExprKind::Column(reference) = &expr.kind
        && reference.id.is_none()
    {
        let (qualifier, name) = (reference.qualifier.clone(), reference.name.clone());
        let mut current = node;
        loop {
            let schema = interpreter.plan.schema(current);
            match find(interpreter, &schema, qualifier.as_deref(), &name) {
                Found::Missing => {}
                Found::Column(id) if current != node => {
                    let range = expression::range_of(expr).unwrap_or_default();
                    *expr = expression::resolved(&name, id, interpreter.plan.column_type(id), range);
                    return;
                }
                _ if current == node => return,
                // One of several there, or one that may be there: none of which is known to be missing.
                _ => {
                    let range = expression::range_of(expr).unwrap_or_default();
                    *expr = expression::opaque(&format!("column {name}"), Vec::new(), DataType::Unknown, range);
                    return;
                }
            }
            match interpreter.plan.node(current).map(|node| &node.kind) {
                Some(
                    NodeKind::Project { input }
                    | NodeKind::Filter { input, .. }
                    | NodeKind::Limit { input }
                    | NodeKind::Distinct { input, in_sql: false }
                    | NodeKind::DropDuplicates { input, .. }
                    | NodeKind::Explode { input }
                    | NodeKind::Resample { input },
                ) => current = *input,
                _ => return,
            }
        }
    }
    for child in expression::children_mut(expr) {
        find_left_out(interpreter, node, child);
    }
}

fn resolve(interpreter: &mut Interpreter, scope: &Scope, expr: &mut Expr) {
    if let ExprKind::Column(reference) = &expr.kind {
        let range = expression::range_of(expr).unwrap_or_default();
        let replacement = resolve_column(interpreter, scope.schema, reference, range);
        mention(interpreter, scope, replacement.as_ref().unwrap_or(expr), range);
        if let Some(replacement) = replacement {
            *expr = replacement;
        }
        return;
    }
    for child in expression::children_mut(expr) {
        resolve(interpreter, scope, child);
    }
    crate::expression::retype(expr);
}

/// Remembers that a column stands here, for those who ask what it is or which others could stand in its place.
fn mention(interpreter: &mut Interpreter, scope: &Scope, found: &Expr, range: TextRange) {
    let column = match &found.kind {
        ExprKind::Column(reference) => reference.id,
        // A field inside a column.
        ExprKind::Opaque { inputs, .. } => match inputs.as_slice() {
            [Expr { kind: ExprKind::Column(reference), .. }] => reference.id,
            _ => None,
        },
        _ => None,
    };
    let nullable = column.and_then(|id| scope.schema.field(id)?.nullable);
    interpreter
        .mention(range, Mention::Column { column, nullable, frame: scope.frame, other: scope.other, needed: true });
}

/// Remembers that texts of the script name columns of a frame: those that it makes, drops or renames.
pub(crate) fn mention_names(interpreter: &mut Interpreter, names: &Value, frame: NodeId) {
    match names {
        Value::Text(text) => {
            // Of a text that is put together, no place is the name.
            let place = super::column::place_of(interpreter, text, TextRange::default());
            mention_name(interpreter, &text.render(), place, frame);
        }
        Value::Object(_) | Value::Tuple(_) => {
            let items = match interpreter.heap.entries(names) {
                Some((entries, _)) => entries.into_iter().map(|(key, _)| key).collect(),
                None => interpreter.heap.items(names).map(|(items, _)| items).unwrap_or_default(),
            };
            for item in items.iter().filter(|item| matches!(item, Value::Text(_))) {
                mention_names(interpreter, item, frame);
            }
        }
        _ => {}
    }
}

/// Remembers that a column of a frame is named at a place.
pub(crate) fn mention_name(interpreter: &mut Interpreter, name: &str, place: TextRange, frame: NodeId) {
    let Some(column) = Some(place).filter(|place| !place.is_empty()).and_then(|_| interpreter.plan.known(frame, name))
    else {
        return;
    };
    let nullable = interpreter.plan.nullable(frame, column);
    interpreter.mention(place, Mention::Column { column: Some(column), nullable, frame, other: None, needed: false });
}

fn resolve_column(
    interpreter: &mut Interpreter,
    schema: &Schema,
    reference: &ColumnRef,
    range: TextRange,
) -> Option<Expr> {
    if let Some(id) = reference.id {
        // Under another name it is another column to Spark: of the two sides of a join, the one that has kept the name.
        let kept = |field: &&Field| {
            field.id != id && field.name.eq_ignore_ascii_case(&reference.name) && interpreter.plan.derives(field.id, id)
        };
        let renamed = schema.field(id).is_some_and(|field| !field.name.eq_ignore_ascii_case(&reference.name));
        if let Some(field) = schema.fields.iter().find(kept).filter(|_| renamed) {
            return Some(typed(interpreter, reference, field.id, range));
        }
        let present = schema.field(id).is_some()
            || schema.rests.iter().any(|rest| interpreter.plan.discovered(rest.source).any(|found| found == id));
        if present {
            return Some(typed(interpreter, reference, id, range));
        }
        // The frame that the column was taken from has since been changed: by its name it still is the same column.
        return match interpreter.plan.lookup_in(schema, None, &reference.name) {
            Lookup::Found(found) if interpreter.plan.derives(found, id) => {
                Some(typed(interpreter, reference, found, range))
            }
            _ => Some(typed(interpreter, reference, id, range)),
        };
    }
    let (qualifier, name) = (reference.qualifier.as_deref(), reference.name.as_str());
    match find(interpreter, schema, qualifier, name) {
        Found::Column(id) => Some(typed(interpreter, reference, id, range)),
        Found::Field(id, path) => {
            let column = typed(interpreter, &ColumnRef { qualifier: None, name: path.clone(), id: None }, id, range);
            let data_type = field_type(&column.data_type, &name_behind(name, qualifier, &path));
            Some(expression::opaque(&format!("field {name}"), vec![column], data_type, range))
        }
        Found::Ambiguous => {
            if interpreter.is_certain() && schema.is_complete() {
                interpreter.report(
                    "ambiguous-column",
                    Severity::Error,
                    range,
                    format!("Column `{name}` is ambiguous here: both sides of a join have it. Take it from one frame, or drop one of the two."),
                    Vec::new(),
                    Vec::new(),
                );
            }
            None
        }
        Found::Missing => {
            report_unknown(interpreter, schema, name, range);
            None
        }
        Found::Unknown => None,
    }
}

enum Found {
    Column(contract::expr::ColumnId),
    /// A field inside a column, whose own name is given.
    Field(contract::expr::ColumnId, String),
    Ambiguous,
    Missing,
    Unknown,
}

fn find(interpreter: &mut Interpreter, schema: &Schema, qualifier: Option<&str>, name: &str) -> Found {
    let mut outcome = lookup(interpreter, schema, qualifier, name);
    if matches!(outcome, Found::Missing | Found::Unknown) || name.contains('.') {
        if let Some(qualifier) = qualifier {
            // `a.x` may be field `x` of column `a`.
            if let Found::Column(id) = lookup(interpreter, schema, None, qualifier) {
                return Found::Field(id, qualifier.to_owned());
            }
        } else if let Some((first, rest)) = name.split_once('.') {
            let qualified = schema.has_qualifier(first);
            outcome = match lookup(interpreter, schema, Some(first), rest) {
                Found::Column(id) if qualified => Found::Column(id),
                other => match lookup(interpreter, schema, None, first) {
                    Found::Column(id) => Found::Field(id, first.to_owned()),
                    Found::Missing if !qualified => Found::Missing,
                    _ => other,
                },
            };
        }
    }
    outcome
}

fn lookup(interpreter: &mut Interpreter, schema: &Schema, qualifier: Option<&str>, name: &str) -> Found {
    match interpreter.plan.lookup_in(schema, qualifier, name) {
        Lookup::Found(id) => Found::Column(id),
        Lookup::Ambiguous(_) => Found::Ambiguous,
        Lookup::Unknown => Found::Unknown,
        Lookup::Missing => Found::Missing,
    }
}

fn typed(interpreter: &Interpreter, reference: &ColumnRef, id: contract::expr::ColumnId, range: TextRange) -> Expr {
    expression::resolved(&reference.name, id, interpreter.plan.column_type(id), range)
}

fn name_behind(name: &str, qualifier: Option<&str>, first: &str) -> String {
    match qualifier {
        Some(_) => name.to_owned(),
        None => name.strip_prefix(first).map(|rest| rest.trim_start_matches('.').to_owned()).unwrap_or_default(),
    }
}

/// The type of a field path inside a struct.
fn field_type(data_type: &DataType, path: &str) -> DataType {
    let mut current = data_type;
    for part in path.split('.') {
        current = match current {
            DataType::Struct(fields) => match fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(part)) {
                Some((_, field)) => field,
                None => return DataType::Unknown,
            },
            DataType::Map(_, value) => value,
            _ => return DataType::Unknown,
        };
    }
    current.clone()
}

/// Reports a column that the frame certainly lacks, with the nearest names.
pub(crate) fn report_unknown(interpreter: &mut Interpreter, schema: &Schema, name: &str, range: TextRange) {
    if !interpreter.is_certain() || !schema.is_complete() || schema.fields.is_empty() || range.is_empty() {
        return;
    }
    let names = schema.names();
    let suggestions = nearest(name, &names);
    let known = if names.len() <= 12 {
        names.join(", ")
    } else {
        format!("{} and {} more", names.iter().take(12).cloned().collect::<Vec<_>>().join(", "), names.len() - 12)
    };
    let message = match suggestions.first() {
        Some(best) => format!("Unknown column `{name}`. Did you mean `{best}`? The columns here are {known}."),
        None => format!("Unknown column `{name}`. The columns here are {known}."),
    };
    interpreter.report("unknown-column", Severity::Error, range, message, suggestions, Vec::<Related>::new());
}

/// Names within a few edits of a wanted one, nearest first.
pub(crate) fn nearest(wanted: &str, names: &[String]) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let limit = (wanted.chars().count() / 3).max(1);
    let mut scored: Vec<(usize, &String)> = names
        .iter()
        .map(|name| (strsim::osa_distance(&wanted, &name.to_lowercase()), name))
        .filter(|(distance, name)| {
            *distance <= limit || name.to_lowercase().contains(&wanted) || wanted.contains(&name.to_lowercase())
        })
        .collect();
    scored.sort();
    scored.into_iter().take(3).map(|(_, name)| name.clone()).collect()
}
