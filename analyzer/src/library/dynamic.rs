//! Methods of a DynamicFrame and the transforms of `awsglue.transforms`.

use std::rc::Rc;

use contract::expr::{BinaryOp, Expr, ExprKind};
use contract::types::DataType;
use indexmap::IndexMap;

use super::{bind, column, frame, types};
use crate::expression;
use crate::facts::JoinKind;
use crate::interpret::{Args, Interpreter};
use crate::plan::{Lookup, NodeId, SelectItem};
use crate::range::TextRange;
use crate::value::Value;

/// `Transform.apply(frame=…, …)`.
pub(crate) fn transform(interpreter: &mut Interpreter, name: &str, args: &Args) -> Value {
    if name == "Join" {
        let pick = |position: usize, keyword: &str| args.get(position, keyword).cloned().unwrap_or(Value::None);
        let (left, right) = (pick(0, "frame1"), pick(1, "frame2"));
        let (keys1, keys2) = (pick(2, "keys1"), pick(3, "keys2"));
        return join(interpreter, &left, &right, &keys1, &keys2, args.range);
    }
    let first = if name == "SelectFromCollection" { "dfc" } else { "frame" };
    let value = args.get(0, first).cloned().unwrap_or(Value::None);
    let Some(node) = interpreter.frame_of(&value, args.range) else {
        return interpreter.tainted("a transform of something unknown", &args.values());
    };
    let mut rest = if args.positional.is_empty() { args.clone() } else { args.skip(1) };
    rest.keywords.retain(|keyword| keyword.name != first);
    let method_name = match name {
        "ApplyMapping" => "apply_mapping",
        "SelectFields" => "select_fields",
        "DropFields" => "drop_fields",
        "RenameField" => "rename_field",
        "Filter" => "filter",
        "Map" => "map",
        "ResolveChoice" => "resolveChoice",
        "DropNullFields" => "drop_nulls",
        "Relationalize" => "relationalize",
        "UnnestFrame" => "unnest",
        "Unbox" => "unbox",
        "Spigot" => "spigot",
        "SplitFields" => "split_fields",
        "SplitRows" => "split_rows",
        "SelectFromCollection" => return Value::Dynamic(node),
        other => other,
    };
    method(interpreter, node, method_name, rest)
}

/// A method of a DynamicFrame.
pub(crate) fn method(interpreter: &mut Interpreter, node: NodeId, name: &str, args: Args) -> Value {
    let range = interpreter.here(args.range);
    match name {
        "toDF" => Value::Frame(node),
        "apply_mapping" => match args.find(0, "mappings") {
            Some((mappings, place)) => {
                let mappings = mappings.clone();
                apply_mapping(interpreter, node, &mappings, place, args.range)
            }
            None => Value::Dynamic(node),
        },
        "select_fields" => {
            if let Some(paths) = args.get(0, "paths") {
                bind::mention_names(interpreter, paths, node);
            }
            let names = args.get(0, "paths").map(|value| types::names(interpreter, value)).unwrap_or_default();
            let all = args.get(0, "paths").is_some_and(|paths| types::names_all(interpreter, paths));
            let mut items: Vec<SelectItem> = names
                .into_iter()
                .filter_map(|name| match interpreter.plan.lookup(node, None, &name) {
                    Lookup::Found(id) => {
                        let data_type = interpreter.plan.column_type(id);
                        Some(SelectItem::Column { expr: expression::resolved(&name, id, data_type, range), name })
                    }
                    Lookup::Missing => None,
                    _ => Some(SelectItem::Column { expr: expression::column(None, &name, range), name }),
                })
                .collect();
            if !all {
                items.push(SelectItem::Unknown);
            }
            Value::Dynamic(interpreter.plan.select(node, items, range))
        }
        "drop_fields" => {
            let names = args.get(0, "paths").map(|value| types::names(interpreter, value)).unwrap_or_default();
            match args.get(0, "paths").is_some_and(|paths| types::names_all(interpreter, paths)) {
                true => Value::Dynamic(drop_fields(interpreter, node, &names, range)),
                // What is not named here may be dropped as well.
                false => Value::Dynamic(interpreter.plan.select(node, vec![SelectItem::Unknown], range)),
            }
        }
        "rename_field" => {
            let from = args.get(0, "old_name").and_then(Value::exact_text).map(str::to_owned);
            let to = args.get(1, "new_name").and_then(Value::exact_text).map(str::to_owned);
            match (from, to) {
                (Some(from), Some(to)) => {
                    let (from, to) = (from.replace('`', ""), to.replace('`', ""));
                    let made = interpreter.plan.rename(node, &from, &to, range);
                    for (name, frame) in [(args.get(0, "old_name"), node), (args.get(1, "new_name"), made)] {
                        name.into_iter().for_each(|name| bind::mention_names(interpreter, name, frame));
                    }
                    Value::Dynamic(made)
                }
                _ => Value::Dynamic(interpreter.plan.select(node, vec![SelectItem::Unknown], range)),
            }
        }
        "filter" => {
            let predicate = match args.get(0, "f").cloned() {
                Some(function) => lambda_predicate(interpreter, node, &function, args.range),
                None => expression::opaque("a condition", Vec::new(), DataType::Boolean, range),
            };
            Value::Dynamic(interpreter.plan.filter(node, predicate, range))
        }
        "join" => {
            let pick = |position: usize, keyword: &str| args.get(position, keyword).cloned().unwrap_or(Value::None);
            let (keys1, keys2, other) = (pick(0, "paths1"), pick(1, "paths2"), pick(2, "frame2"));
            join(interpreter, &Value::Dynamic(node), &other, &keys1, &keys2, args.range)
        }
        "union" | "mergeDynamicFrame" => {
            let other =
                args.get(0, "stage_dynamic_frame").or_else(|| args.get(0, "other")).cloned().unwrap_or(Value::None);
            match interpreter.frame_of(&other, args.range) {
                Some(other) => Value::Dynamic(interpreter.plan.union_by_name(vec![node, other], range)),
                None => Value::Dynamic(node),
            }
        }
        "map" => {
            interpreter.call_arguments(&args);
            Value::Dynamic(interpreter.plan.select(node, vec![SelectItem::Unknown], range))
        }
        "resolveChoice" => resolve_choice(interpreter, node, &args),
        "drop_nulls" | "dropNullFields" => {
            // Fields that are NULL in every row go, which is not known before the run.
            Value::Dynamic(interpreter.plan.perhaps_without_nullable(node, range))
        }
        "relationalize" | "unnest" | "unbox" | "split_fields" | "split_rows" | "simplify_ddb_json" => {
            Value::Dynamic(interpreter.plan.opaque(vec![node], "a frame whose nesting is resolved by its data", range))
        }
        "coalesce" | "repartition" | "spigot" | "errorsAsDynamicFrame" | "cache" | "persist" | "select" => {
            Value::Dynamic(node)
        }
        "count" => Value::unknown("a number of rows"),
        "printSchema" | "show" => Value::None,
        // Some scripts call a DataFrame a dynamic frame.
        "withColumn" | "where" | "groupBy" | "dropDuplicates" | "createOrReplaceTempView" => {
            frame::method(interpreter, node, name, args)
        }
        _ => {
            let frame = Value::Dynamic(node);
            interpreter.tainted("a method of a DynamicFrame that is not modelled", &[&frame])
        }
    }
}

/// The frame without these fields. Fields of a DynamicFrame may differ in case only, as after a join.
fn drop_fields(interpreter: &mut Interpreter, mut node: NodeId, names: &[String], range: TextRange) -> NodeId {
    for name in names {
        let schema = interpreter.plan.schema(node);
        let alike = schema.fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
        node = match alike.clone().find(|field| field.name == *name) {
            Some(field) if alike.count() > 1 => interpreter.plan.drop_column_id(node, field.id, range),
            _ => interpreter.plan.drop_columns(node, std::slice::from_ref(name), range),
        };
    }
    node
}

/// `ApplyMapping`: exactly the mapped columns, renamed and cast. A dot in a target makes a field of a struct, unless a
/// backtick stands before it.
fn apply_mapping(
    interpreter: &mut Interpreter,
    node: NodeId,
    mappings: &Value,
    place: TextRange,
    range: TextRange,
) -> Value {
    let here = interpreter.here(range);
    let (entries, exact) = interpreter.iterate(mappings);
    let mut items: Vec<SelectItem> = Vec::new();
    let mut structs: IndexMap<String, (usize, Vec<(String, Expr)>)> = IndexMap::default();
    let mut targets: Vec<Value> = Vec::new();
    for entry in &entries {
        let parts: Vec<Option<String>> = match interpreter.heap.items(entry) {
            Some((parts, _)) => parts.iter().map(|part| part.exact_text().map(str::to_owned)).collect(),
            None => Vec::new(),
        };
        let (from, to, data_type) = match parts.as_slice() {
            [Some(from), _, Some(to), Some(data_type)] => (from, to, types::parse(data_type)),
            [Some(from), Some(to), Some(data_type)] => (from, to, types::parse(data_type)),
            [Some(from), Some(to)] => (from, to, None),
            _ => {
                items.push(SelectItem::Unknown);
                continue;
            }
        };
        let source_range = interpreter
            .heap
            .items(entry)
            .and_then(|(parts, _)| match parts.first() {
                Some(Value::Text(text)) => Some(column::place_of(interpreter, text, place)),
                _ => None,
            })
            .unwrap_or(here);
        let name = from.replace('`', "");
        // A mapping of a field that is not there yields nothing, without an error.
        if interpreter.plan.lookup(node, None, &name) == Lookup::Missing && !name.contains('.') {
            let schema = interpreter.plan.schema(node);
            bind::report_unknown(interpreter, &schema, &name, source_range);
            continue;
        }
        let operand = bind::bind(interpreter, node, &expression::column(None, &name, source_range));
        let expr = match data_type {
            Some(data_type) if data_type != operand.data_type => {
                let kind = ExprKind::Cast { operand: Box::new(operand), or_null: true };
                Expr { kind, data_type, span: expression::span(source_range) }
            }
            _ => operand,
        };
        match to.split_once('.') {
            Some((outer, field)) if !to.starts_with('`') => {
                let (_, fields) = structs.entry(outer.to_owned()).or_insert_with(|| {
                    items.push(SelectItem::Unknown);
                    (items.len() - 1, Vec::new())
                });
                fields.push((field.to_owned(), expr));
            }
            _ => {
                targets.extend(interpreter.heap.items(entry).and_then(|(mut parts, _)| match parts.len() {
                    4 => Some(parts.swap_remove(2)),
                    2 | 3 => Some(parts.swap_remove(1)),
                    _ => None,
                }));
                items.push(SelectItem::Column { name: to.replace('`', ""), expr });
            }
        }
    }
    for (name, (place, fields)) in structs {
        let data_type = match fields.iter().any(|(field, _)| field.contains('.')) {
            true => DataType::Unknown,
            false => {
                DataType::Struct(fields.iter().map(|(field, expr)| (field.clone(), expr.data_type.clone())).collect())
            }
        };
        let parts = fields.into_iter().map(|(_, expr)| expr).collect();
        if let Some(item) = items.get_mut(place) {
            *item = SelectItem::Column { name, expr: expression::opaque("a struct", parts, data_type, here) };
        }
    }
    if !exact {
        items.push(SelectItem::Unknown);
    }
    let made = interpreter.plan.select(node, items, here);
    for target in &targets {
        bind::mention_names(interpreter, target, made);
    }
    Value::Dynamic(made)
}

fn resolve_choice(interpreter: &mut Interpreter, node: NodeId, args: &Args) -> Value {
    let range = interpreter.here(args.range);
    let Some((specs, _)) = args.get(0, "specs").and_then(|specs| interpreter.heap.items(specs)) else {
        return Value::Dynamic(node);
    };
    let mut columns = Vec::new();
    for spec in specs {
        let Some((parts, true)) = interpreter.heap.items(&spec) else { continue };
        let [name, action] = parts.as_slice() else { continue };
        let (Some(name), Some(action)) = (name.exact_text(), action.exact_text()) else { continue };
        let Some(data_type) = action.strip_prefix("cast:").and_then(types::parse) else { continue };
        let operand = bind::bind(interpreter, node, &expression::column(None, name, range));
        let kind = ExprKind::Cast { operand: Box::new(operand), or_null: true };
        columns.push((name.to_owned(), Expr { kind, data_type, span: expression::span(range) }));
    }
    if columns.is_empty() {
        Value::Dynamic(node)
    } else {
        Value::Dynamic(interpreter.plan.with_columns(node, columns, range))
    }
}

/// The predicate of `lambda row: row["x"] > 0`, with the row as the frame's columns.
fn lambda_predicate(interpreter: &mut Interpreter, node: NodeId, function: &Value, range: TextRange) -> Expr {
    let here = interpreter.here(range);
    let Value::Function(closure) = function else {
        return expression::opaque("a Python function", Vec::new(), DataType::Boolean, here);
    };
    let outer = std::mem::replace(&mut interpreter.over_rows, true);
    let row = Value::Frame(node);
    let verdict = interpreter.call(&Value::Function(Rc::clone(closure)), Args::of(vec![row], range));
    interpreter.over_rows = outer;
    match verdict {
        Value::Column(column) => bind::bind(interpreter, node, &column.expr),
        _ => expression::opaque("a Python function", Vec::new(), DataType::Boolean, here),
    }
}

/// The equi-join of two DynamicFrames; a right column whose name the left has gets a dot in front.
fn join(
    interpreter: &mut Interpreter,
    left: &Value,
    right: &Value,
    keys1: &Value,
    keys2: &Value,
    range: TextRange,
) -> Value {
    let here = interpreter.here(range);
    let (Some(l), Some(r)) = (interpreter.frame_of(left, range), interpreter.frame_of(right, range)) else {
        return interpreter.tainted("a join with something unknown", &[left, right]);
    };
    let r = interpreter.plan.distinct_from(l, r, here);
    let (names1, names2) = (types::names(interpreter, keys1), types::names(interpreter, keys2));
    let mut conditions = Vec::new();
    for (a, b) in names1.iter().zip(&names2) {
        let a = bind::bind(interpreter, l, &column::by_name(a, here));
        let b = bind::bind(interpreter, r, &column::by_name(b, here));
        conditions.push(expression::binary(BinaryOp::Equal, a, b, here));
    }
    let condition = super::functions::all_of(conditions, here);
    let joined = interpreter.plan.join_on(l, r, condition, JoinKind::Inner, here);
    Value::Dynamic(interpreter.plan.prefix_clashes(joined, l, here))
}
