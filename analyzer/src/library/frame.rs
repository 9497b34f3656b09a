//! Methods of a Spark DataFrame.

use std::rc::Rc;

use contract::expr::{ColumnRef, Expr, ExprKind};
use contract::types::DataType;

use super::{bind, column, functions, types, write};
use crate::expression;
use crate::facts::{JoinKind, Severity};
use crate::interpret::{Args, Interpreter, Mention};
use crate::plan::SelectItem;
use crate::plan::{Lookup, NodeId, NodeKind, Schema};
use crate::range::TextRange;
use crate::value::{ColumnForm, Grouped, Object, Value};

/// Methods that a `df.name` is never a column for.
const METHODS: [&str; 96] = [
    "agg",
    "alias",
    "approxQuantile",
    "cache",
    "checkpoint",
    "coalesce",
    "collect",
    "corr",
    "count",
    "cov",
    "createGlobalTempView",
    "createOrReplaceGlobalTempView",
    "createOrReplaceTempView",
    "createTempView",
    "crossJoin",
    "crosstab",
    "cube",
    "describe",
    "distinct",
    "drop",
    "dropDuplicates",
    "drop_duplicates",
    "dropna",
    "exceptAll",
    "explain",
    "fillna",
    "filter",
    "first",
    "foreach",
    "foreachPartition",
    "freqItems",
    "groupBy",
    "groupby",
    "head",
    "hint",
    "intersect",
    "intersectAll",
    "isEmpty",
    "isLocal",
    "join",
    "limit",
    "localCheckpoint",
    "mapInPandas",
    "melt",
    "na",
    "observe",
    "orderBy",
    "persist",
    "printSchema",
    "randomSplit",
    "registerTempTable",
    "repartition",
    "repartitionByRange",
    "replace",
    "rollup",
    "sample",
    "sampleBy",
    "select",
    "selectExpr",
    "show",
    "sort",
    "sortWithinPartitions",
    "stat",
    "subtract",
    "summary",
    "tail",
    "take",
    "toDF",
    "toJSON",
    "toLocalIterator",
    "toPandas",
    "transform",
    "union",
    "unionAll",
    "unionByName",
    "unpersist",
    "unpivot",
    "where",
    "withColumn",
    "withColumns",
    "withColumnRenamed",
    "withColumnsRenamed",
    "withMetadata",
    "withWatermark",
    "writeTo",
    "pandas_api",
    "to",
    "isStreaming",
    "sparkSession",
    "storageLevel",
    "rdd",
    "schema",
    "columns",
    "dtypes",
    "write",
    "inputFiles",
];

/// An attribute of a frame: a value, a method (`None`), or a column.
pub(crate) fn attribute(interpreter: &mut Interpreter, node: NodeId, name: &str, range: TextRange) -> Option<Value> {
    match name {
        "write" | "writeStream" => {
            interpreter.plan.traits.streams |= name == "writeStream";
            Some(write::writer(node, None))
        }
        "columns" => {
            let schema = interpreter.plan.schema(node);
            let names = schema.names().into_iter().map(Value::text).collect();
            let further = interpreter.unknown_text();
            Some(columns_or_more(interpreter, names, schema.is_exact(), further))
        }
        "dtypes" => {
            let schema = interpreter.plan.schema(node);
            let pairs = schema
                .fields
                .iter()
                .map(|field| {
                    let data_type = interpreter.plan.column_type(field.id);
                    let data_type = match data_type {
                        DataType::Unknown => interpreter.unknown_text(),
                        known => Value::text(known.to_string()),
                    };
                    Value::Tuple([Value::text(field.name.clone()), data_type].into())
                })
                .collect();
            let further = Value::Tuple([interpreter.unknown_text(), interpreter.unknown_text()].into());
            Some(columns_or_more(interpreter, pairs, schema.is_exact(), further))
        }
        "schema" => {
            let schema = interpreter.plan.schema(node);
            let fields = schema.fields.iter().map(|field| (field.name.clone(), interpreter.plan.column_type(field.id)));
            Some(if schema.is_exact() {
                Value::Type(DataType::Struct(fields.collect()))
            } else {
                Value::unknown("the schema of a frame")
            })
        }
        "sparkSession" | "sql_ctx" => Some(Value::native("spark")),
        "rdd" => Some(interpreter.tainted(super::session::RDD, &[&Value::Frame(node)])),
        _ if METHODS.contains(&name) => None,
        _ => Some(column_of(interpreter, node, name, range)),
    }
}

/// A list with an item for each column. Where there may be further columns, their order is not known either: it is a
/// set then, with one item that stands for all of them.
fn columns_or_more(interpreter: &mut Interpreter, mut items: Vec<Value>, complete: bool, further: Value) -> Value {
    if complete {
        return interpreter.heap.list(items, true);
    }
    items.push(further);
    Value::Object(interpreter.heap.add(Object::Set { items, exact: false }))
}

/// `df[key]`.
pub(crate) fn item(
    interpreter: &mut Interpreter,
    node: NodeId,
    key: &Value,
    key_range: TextRange,
    range: TextRange,
) -> Value {
    match key {
        Value::Text(text) => {
            let place = column::place_of(interpreter, text, key_range);
            column_of(interpreter, node, &text.render(), place)
        }
        Value::Column(condition) => {
            let predicate = bind::bind(interpreter, node, &condition.expr);
            let here = interpreter.here(range);
            Value::Frame(interpreter.plan.filter(node, predicate, here))
        }
        Value::Int(position) => {
            let schema = interpreter.plan.schema(node);
            match usize::try_from(*position).ok().and_then(|position| schema.fields.get(position)) {
                Some(field) if schema.is_complete() => column_of(interpreter, node, &field.name, range),
                _ => column::unknown(Vec::new(), interpreter.here(range)),
            }
        }
        other => match interpreter.heap.items(other) {
            Some((items, _)) => {
                let args = Args::of(items, range);
                method(interpreter, node, "select", args)
            }
            None => column::unknown(Vec::new(), interpreter.here(range)),
        },
    }
}

/// `df.name`, resolved at once.
fn column_of(interpreter: &mut Interpreter, node: NodeId, name: &str, range: TextRange) -> Value {
    let unresolved = column::by_name(name, interpreter.here(range));
    Value::column(bind::bind(interpreter, node, &unresolved))
}

/// A method of a frame.
pub(crate) fn method(interpreter: &mut Interpreter, node: NodeId, name: &str, args: Args) -> Value {
    let range = interpreter.here(args.range);
    match name {
        "select" => select(interpreter, node, &args),
        "selectExpr" => {
            let mut columns = Vec::new();
            for (value, place) in spread(interpreter, &args) {
                columns.push((column::from_sql(interpreter, &value, place), place));
            }
            select_columns(interpreter, node, columns, args.range)
        }
        "withColumn" => {
            let name = args.get(0, "colName").map(|value| types::names(interpreter, value)).unwrap_or_default();
            let expr = args.get(1, "col").map(|value| column::constant(value, range));
            match (name.into_iter().next(), expr) {
                (Some(name), Some(expr)) => {
                    let made = add_column(interpreter, node, &name, &expr, args.get(1, "col"), args.range);
                    mention_made(interpreter, args.get(0, "colName"), &made)
                }
                _ => Value::Frame(open_projection(interpreter, node, range)),
            }
        }
        "withColumns" => {
            let mut columns = Vec::new();
            let entries = args.get(0, "colsMap").cloned().unwrap_or(Value::None);
            for (name, value) in super::dataset::entries(interpreter, &entries) {
                let expr = column::constant(&value, range);
                columns.push((name, bind::bind(interpreter, node, &expr)));
            }
            let made = Value::Frame(interpreter.plan.with_columns(node, columns, range));
            mention_made(interpreter, Some(&entries), &made)
        }
        "withColumnRenamed" => match (args.get(0, "existing"), args.get(1, "new")) {
            (Some(Value::Text(from)), Some(Value::Text(to))) => {
                let (from, to) = (from.render(), to.render());
                if is_hole(&from) || is_hole(&to) {
                    return Value::Frame(open_projection(interpreter, node, range));
                }
                let renamed = Value::Frame(interpreter.plan.rename(node, &from, &to, range));
                mention_made(interpreter, args.get(0, "existing"), &Value::Frame(node));
                mention_made(interpreter, args.get(1, "new"), &renamed)
            }
            _ => Value::Frame(open_projection(interpreter, node, range)),
        },
        "withColumnsRenamed" => {
            let entries = args.get(0, "colsMap").cloned().unwrap_or(Value::None);
            let mut node = node;
            for (from, to) in super::dataset::entries(interpreter, &entries) {
                if let Some(name) = to.exact_text() {
                    let before = node;
                    node = interpreter.plan.rename(node, &from, name, range);
                    mention_made(interpreter, Some(&entries), &Value::Frame(before));
                    mention_made(interpreter, Some(&to), &Value::Frame(node));
                }
            }
            Value::Frame(node)
        }
        "drop" => drop_columns(interpreter, node, &args),
        "filter" | "where" => match args.find(0, "condition") {
            Some((value, place)) => {
                let value = value.clone();
                filter(interpreter, node, &value, place, args.range)
            }
            None => Value::Frame(node),
        },
        "join" => join(interpreter, node, &args),
        "crossJoin" => match args.get(0, "other").cloned().and_then(|other| interpreter.frame_of(&other, args.range)) {
            Some(right) => {
                let right = interpreter.plan.distinct_from(node, right, range);
                Value::Frame(interpreter.plan.join_on(node, right, None, JoinKind::Cross, range))
            }
            None => Value::Frame(open_projection(interpreter, node, range)),
        },
        "groupBy" | "groupby" | "rollup" | "cube" => {
            let mut keys = Vec::new();
            let mut known = !args.open;
            for (value, place) in spread(interpreter, &args) {
                let column = match &value {
                    Value::Column(column) => column.as_ref().clone(),
                    Value::Text(_) => match column::named(interpreter, &value, place) {
                        Value::Column(column) => column.as_ref().clone(),
                        _ => continue,
                    },
                    _ => {
                        known = false;
                        continue;
                    }
                };
                let expr = bind::bind(interpreter, node, &column.expr);
                keys.push((column::spark_name(&column), expr));
            }
            let pivoted = matches!(name, "rollup" | "cube");
            Value::Grouped(Rc::new(Grouped { input: node, keys, pivoted, keys_known: known }))
        }
        "agg" => {
            let grouped = Grouped { input: node, keys: Vec::new(), pivoted: false, keys_known: true };
            super::grouped::method(interpreter, &Rc::new(grouped), "agg", args)
        }
        "distinct" => Value::Frame(interpreter.plan.distinct(node, false, range)),
        "dropDuplicates" | "drop_duplicates" => drop_duplicates(interpreter, node, &args),
        "union" | "unionAll" | "unionByName" => union(interpreter, node, name, &args),
        "sample" if replaces(interpreter, &args) => {
            Value::Frame(interpreter.plan.same_schema(node, NodeKind::Resample { input: node }, range))
        }
        "intersect" | "subtract" | "exceptAll" | "intersectAll" | "limit" | "sample" | "sampleBy" => {
            Value::Frame(interpreter.plan.same_schema(node, NodeKind::Limit { input: node }, range))
        }
        "randomSplit" => {
            let part = Value::Frame(interpreter.plan.same_schema(node, NodeKind::Limit { input: node }, range));
            interpreter.heap.list(vec![part.clone(), part], false)
        }
        "alias" => match args.get(0, "alias") {
            Some(Value::Text(alias)) => Value::Frame(interpreter.plan.alias(node, &alias.render(), range)),
            _ => Value::Frame(node),
        },
        "toDF" => to_df(interpreter, node, &args),
        "transform" => match args.get(0, "func").cloned() {
            Some(function) => {
                let mut inner = args.skip(1);
                inner.keywords.retain(|keyword| keyword.name != "func");
                inner.positional.insert(0, (Value::Frame(node), args.range));
                interpreter.call(&function, inner)
            }
            None => Value::Frame(node),
        },
        "createOrReplaceTempView"
        | "createTempView"
        | "registerTempTable"
        | "createOrReplaceGlobalTempView"
        | "createGlobalTempView" => {
            if let Some(Value::Text(view)) = args.get(0, "name") {
                interpreter.views.insert(view.render().to_lowercase(), node);
            }
            Value::None
        }
        "writeTo" => write::writer(node, args.get(0, "table").cloned()),
        "dropna" | "fillna" | "replace" => missing_values(interpreter, node, name, args),
        "cache"
        | "persist"
        | "unpersist"
        | "checkpoint"
        | "localCheckpoint"
        | "repartition"
        | "coalesce"
        | "hint"
        | "orderBy"
        | "sort"
        | "sortWithinPartitions"
        | "repartitionByRange"
        | "withWatermark"
        | "observe"
        | "to"
        | "withMetadata" => {
            if matches!(name, "orderBy" | "sort" | "sortWithinPartitions") {
                for (value, place) in spread(interpreter, &args) {
                    let expr = column::to_expr(interpreter, &value, place);
                    bind::bind_condition(interpreter, node, &expr);
                }
            }
            Value::Frame(node)
        }
        "count" | "isEmpty" => Value::unknown("a number of rows"),
        "show" | "printSchema" | "explain" | "foreach" | "foreachPartition" => {
            interpreter.call_arguments(&args);
            Value::None
        }
        "collect" | "take" | "head" | "first" | "tail" | "toLocalIterator" => Value::unknown("rows at run time"),
        "melt" | "unpivot" | "summary" | "describe" | "crosstab" | "mapInPandas" => {
            Value::Frame(interpreter.plan.opaque(vec![node], "a reshaped frame", range))
        }
        "toJSON" => interpreter.tainted(super::session::RDD, &[&Value::Frame(node)]),
        "toPandas" | "pandas_api" => interpreter.tainted("a pandas frame", &[&Value::Frame(node)]),
        _ => {
            let mut values = args.values();
            let frame = Value::Frame(node);
            values.push(&frame);
            interpreter.tainted("a method of a frame that is not modelled", &values)
        }
    }
}

/// Positional arguments with a single list of them spread.
pub(crate) fn spread(interpreter: &Interpreter, args: &Args) -> Vec<(Value, TextRange)> {
    let mut values = Vec::new();
    for (value, range) in &args.positional {
        match interpreter.heap.items(value) {
            Some((items, exact)) => {
                values.extend(items.into_iter().map(|item| (item, *range)));
                if !exact {
                    values.push((Value::unknown("further columns"), *range));
                }
            }
            None => values.push((value.clone(), *range)),
        }
    }
    if args.open {
        values.push((Value::unknown("further columns"), args.range));
    }
    values
}

fn select(interpreter: &mut Interpreter, node: NodeId, args: &Args) -> Value {
    let mut columns = Vec::new();
    for (value, place) in spread(interpreter, args) {
        let column = match &value {
            Value::Column(_) => value,
            Value::Text(_) => column::named(interpreter, &value, place),
            _ => Value::unknown("a column"),
        };
        columns.push((column, place));
    }
    select_columns(interpreter, node, columns, args.range)
}

/// Remembers the names in an argument as those of columns of a frame, which is given back.
fn mention_made(interpreter: &mut Interpreter, names: Option<&Value>, frame: &Value) -> Value {
    if let (Some(names), Value::Frame(node)) = (names, frame) {
        bind::mention_names(interpreter, names, *node);
    }
    frame.clone()
}

/// A select list over a frame.
pub(crate) fn select_columns(
    interpreter: &mut Interpreter,
    node: NodeId,
    columns: Vec<(Value, TextRange)>,
    range: TextRange,
) -> Value {
    let here = interpreter.here(range);
    let mut items = Vec::new();
    let mut named: Vec<(String, TextRange)> = Vec::new();
    let mut input = node;
    for (value, _) in columns {
        let Value::Column(column) = value else {
            items.push(SelectItem::Unknown);
            continue;
        };
        match column.form {
            ColumnForm::Star => {
                let qualifier = match &column.expr.kind {
                    ExprKind::Column(reference) => reference.qualifier.clone(),
                    _ => None,
                };
                items.push(SelectItem::Star(qualifier));
            }
            ColumnForm::Unknown => {
                bind::bind(interpreter, node, &column.expr);
                items.push(SelectItem::Unknown);
                if input == node {
                    input = interpreter.plan.same_schema(node, NodeKind::Explode { input: node }, here);
                }
            }
            ColumnForm::Plain | ColumnForm::Explode => {
                let name = column::spark_name(&column);
                let explode = column.form == ColumnForm::Explode;
                let name = if explode && column.name.is_none() { "col".to_owned() } else { name };
                let expr = bind::bind(interpreter, node, &column.expr);
                if is_hole(&name) {
                    items.push(SelectItem::Unknown);
                } else {
                    named.push((name.clone(), column.named_at));
                    items.push(SelectItem::Column { name, expr });
                }
                if explode && input == node {
                    input = interpreter.plan.same_schema(node, NodeKind::Explode { input: node }, here);
                }
            }
        }
    }
    let made = interpreter.plan.select(input, items, here);
    for (name, place) in named {
        bind::mention_name(interpreter, &name, place, made);
    }
    Value::Frame(made)
}

fn add_column(
    interpreter: &mut Interpreter,
    node: NodeId,
    name: &str,
    expr: &Expr,
    value: Option<&Value>,
    range: TextRange,
) -> Value {
    let here = interpreter.here(range);
    let explode = matches!(value, Some(Value::Column(column)) if column.form == ColumnForm::Explode);
    let bound = bind::bind(interpreter, node, expr);
    let input =
        if explode { interpreter.plan.same_schema(node, NodeKind::Explode { input: node }, here) } else { node };
    if is_hole(name) {
        return Value::Frame(open_projection(interpreter, input, here));
    }
    Value::Frame(interpreter.plan.with_columns(input, vec![(name.to_owned(), bound)], here))
}

/// The same rows, with columns that cannot be told.
fn open_projection(interpreter: &mut Interpreter, node: NodeId, range: TextRange) -> NodeId {
    interpreter.plan.select(node, vec![SelectItem::Unknown], range)
}

fn is_hole(name: &str) -> bool {
    name.contains(crate::value::UNKNOWN_HOLE)
}

fn drop_columns(interpreter: &mut Interpreter, node: NodeId, args: &Args) -> Value {
    let range = interpreter.here(args.range);
    let mut names = Vec::new();
    let mut node = node;
    for (value, _) in spread(interpreter, args) {
        match &value {
            Value::Text(text) => {
                bind::mention_names(interpreter, &value, node);
                names.push(text.render());
            }
            Value::Column(column) => {
                if let ExprKind::Column(reference) = &column.expr.kind {
                    match reference.id {
                        Some(id) => node = interpreter.plan.drop_column_id(node, id, range),
                        None => match reference.name.split_once('.') {
                            Some((qualifier, rest)) => {
                                if let Lookup::Found(id) = interpreter.plan.lookup(node, Some(qualifier), rest) {
                                    node = interpreter.plan.drop_column_id(node, id, range);
                                }
                            }
                            None => names.push(reference.name.clone()),
                        },
                    }
                }
            }
            _ => return Value::Frame(open_projection(interpreter, node, range)),
        }
    }
    if names.is_empty() { Value::Frame(node) } else { Value::Frame(interpreter.plan.drop_columns(node, &names, range)) }
}

/// `df.filter(condition)`, a column or SQL text.
pub(crate) fn filter(
    interpreter: &mut Interpreter,
    node: NodeId,
    value: &Value,
    place: TextRange,
    range: TextRange,
) -> Value {
    let here = interpreter.here(range);
    let expr = match value {
        Value::Column(column) => column.expr.clone(),
        Value::Text(_) => match column::from_sql(interpreter, value, place) {
            Value::Column(column) => column.expr.clone(),
            _ => expression::opaque("a condition", Vec::new(), DataType::Boolean, here),
        },
        _ => expression::opaque("a condition that is not known from the script", Vec::new(), DataType::Boolean, here),
    };
    let predicate = bind::bind_condition(interpreter, node, &expr);
    Value::Frame(interpreter.plan.filter(node, predicate, here))
}

fn drop_duplicates(interpreter: &mut Interpreter, node: NodeId, args: &Args) -> Value {
    let range = interpreter.here(args.range);
    let Some((subset, place)) = args.find(0, "subset").map(|(value, place)| (value.clone(), place)) else {
        return Value::Frame(interpreter.plan.distinct(node, false, range));
    };
    let names = interpreter.heap.items(&subset);
    let Some((items, exact)) = names else {
        return match subset {
            Value::None => Value::Frame(interpreter.plan.distinct(node, false, range)),
            _ => Value::Frame(interpreter.plan.same_schema(node, NodeKind::Limit { input: node }, range)),
        };
    };
    bind::mention_names(interpreter, &subset, node);
    let mut keys = Vec::new();
    let mut all_known = exact;
    for item in &items {
        let expr = column::to_expr(interpreter, item, place);
        // Of a name that several columns have, Spark takes all of them here.
        if let ExprKind::Column(reference) = &expr.kind
            && reference.id.is_none()
            && let Lookup::Ambiguous(columns) = interpreter.plan.lookup(node, None, &reference.name)
        {
            keys.extend(columns);
            continue;
        }
        match bind::bind(interpreter, node, &expr).kind {
            ExprKind::Column(ColumnRef { id: Some(id), .. }) => keys.push(id),
            _ => all_known = false,
        }
    }
    let kind = if all_known { NodeKind::DropDuplicates { input: node, keys } } else { NodeKind::Limit { input: node } };
    Value::Frame(interpreter.plan.same_schema(node, kind, range))
}

fn union(interpreter: &mut Interpreter, node: NodeId, name: &str, args: &Args) -> Value {
    let range = interpreter.here(args.range);
    let other = args.get(0, "other").cloned().unwrap_or(Value::None);
    let Some(other) = interpreter.frame_of(&other, args.range) else { return Value::Frame(node) };
    let other = interpreter.plan.distinct_from(node, other, range);
    if name == "unionByName" {
        return Value::Frame(interpreter.plan.union_by_name(vec![node, other], range));
    }
    let (left, right) = (interpreter.plan.schema(node), interpreter.plan.schema(other));
    if left.is_exact() && right.is_exact() && left.fields.len() != right.fields.len() && interpreter.is_certain() {
        interpreter.report(
            "union-column-count",
            Severity::Error,
            args.range,
            format!(
                "A union needs the same number of columns on both sides: the left has {}, the right {}.",
                left.fields.len(),
                right.fields.len()
            ),
            Vec::new(),
            Vec::new(),
        );
    }
    Value::Frame(interpreter.plan.union(vec![node, other], range))
}

fn to_df(interpreter: &mut Interpreter, node: NodeId, args: &Args) -> Value {
    let range = interpreter.here(args.range);
    let values = spread(interpreter, args);
    if values.is_empty() {
        return Value::Frame(node);
    }
    let schema = interpreter.plan.schema(node);
    let names: Option<Vec<String>> = values.iter().map(|(value, _)| value.exact_text().map(str::to_owned)).collect();
    match names {
        Some(names) if schema.is_exact() && names.len() == schema.fields.len() => {
            let items = names
                .into_iter()
                .zip(&schema.fields)
                .map(|(name, field)| {
                    let data_type = interpreter.plan.column_type(field.id);
                    SelectItem::Column { name, expr: expression::resolved(&field.name, field.id, data_type, range) }
                })
                .collect();
            let made = Value::Frame(interpreter.plan.select(node, items, range));
            for (value, _) in &values {
                mention_made(interpreter, Some(value), &made);
            }
            made
        }
        Some(names) => {
            // The columns are these, of which it is not known which is which.
            let items = names
                .into_iter()
                .map(|name| SelectItem::Column {
                    expr: expression::column(None, crate::value::UNKNOWN_HOLE, range),
                    name,
                })
                .collect();
            Value::Frame(interpreter.plan.select(node, items, range))
        }
        None => Value::Frame(open_projection(interpreter, node, range)),
    }
}

/// `dropna`, `fillna`, `na.fill`, `na.drop`, `replace`.
pub(crate) fn missing_values(interpreter: &mut Interpreter, node: NodeId, name: &str, args: Args) -> Value {
    let range = interpreter.here(args.range);
    match name {
        "dropna" | "drop" => {
            let subset = args.named("subset").or_else(|| args.positional.get(2).map(|(value, _)| value)).cloned();
            let names = subset.as_ref().map(|value| types::names(interpreter, value));
            mention_made(interpreter, subset.as_ref(), &Value::Frame(node));
            let how = args.get(0, "how").and_then(Value::exact_text).unwrap_or("any").to_owned();
            let names = match names {
                Some(names) => names,
                None if interpreter.plan.schema(node).is_complete() => interpreter.plan.schema(node).names(),
                None => Vec::new(),
            };
            if how != "any" || args.named("thresh").is_some() || names.is_empty() {
                return Value::Frame(interpreter.plan.same_schema(node, NodeKind::Limit { input: node }, range));
            }
            let conditions = names
                .iter()
                .map(|name| {
                    let operand = bind::bind(interpreter, node, &expression::column(None, name, range));
                    let test = functions::function("isnull", vec![operand], false, range);
                    expression::not(test, range)
                })
                .collect();
            match functions::all_of(conditions, range) {
                Some(predicate) => Value::Frame(interpreter.plan.filter(node, predicate, range)),
                None => Value::Frame(node),
            }
        }
        "fillna" | "fill" => {
            let value = args.get(0, "value").cloned().unwrap_or(Value::None);
            mention_made(interpreter, Some(&value), &Value::Frame(node));
            mention_made(interpreter, args.get(1, "subset"), &Value::Frame(node));
            let subset = args.get(1, "subset").map(|value| types::names(interpreter, value));
            let fills: Vec<(String, Value)> = match (interpreter.heap.entries(&value), subset) {
                (Some(_), _) => super::dataset::entries(interpreter, &value),
                (None, Some(names)) => names.into_iter().map(|name| (name, value.clone())).collect(),
                // Which columns are filled depends on their types.
                (None, None) => return Value::Frame(fill_by_type(interpreter, node, &value, range)),
            };
            let columns = fills
                .into_iter()
                .map(|(name, fill)| {
                    let operand = bind::bind(interpreter, node, &expression::column(None, &name, range));
                    let data_type = operand.data_type.clone();
                    let mut filled =
                        functions::function("coalesce", vec![operand, column::constant(&fill, range)], false, range);
                    filled.data_type = data_type;
                    (name, filled)
                })
                .collect();
            Value::Frame(interpreter.plan.with_columns(node, columns, range))
        }
        _ => Value::Frame(interpreter.plan.same_schema(node, NodeKind::Project { input: node }, range)),
    }
}

/// `fillna(value)`: the columns of the value's type are filled.
fn fill_by_type(interpreter: &mut Interpreter, node: NodeId, value: &Value, range: TextRange) -> NodeId {
    let schema: Schema = interpreter.plan.schema(node);
    let columns = schema
        .fields
        .iter()
        .filter_map(|field| {
            let data_type = interpreter.plan.column_type(field.id);
            let filled = match value {
                Value::Text(_) => matches!(data_type, DataType::String | DataType::Varchar(_) | DataType::Char(_)),
                Value::Bool(_) => data_type == DataType::Boolean,
                Value::Int(_) | Value::Float(_) => matches!(
                    data_type,
                    DataType::TinyInt
                        | DataType::SmallInt
                        | DataType::Int
                        | DataType::BigInt
                        | DataType::Float
                        | DataType::Double
                        | DataType::Decimal { .. }
                ),
                _ => false,
            };
            let operand = expression::resolved(&field.name, field.id, data_type.clone(), range);
            filled.then(|| {
                let mut expr =
                    functions::function("coalesce", vec![operand, column::constant(value, range)], false, range);
                expr.data_type = data_type;
                (field.name.clone(), expr)
            })
        })
        .collect();
    interpreter.plan.with_columns(node, columns, range)
}

/// `df.join(other, on, how)`.
fn join(interpreter: &mut Interpreter, left: NodeId, args: &Args) -> Value {
    let range = interpreter.here(args.range);
    let other = args.get(0, "other").cloned().unwrap_or(Value::None);
    let Some(right) = interpreter.frame_of(&other, args.range) else {
        return interpreter.tainted("a join with something unknown", &[&Value::Frame(left), &other]);
    };
    let how = match args.get(2, "how") {
        None => Some(JoinKind::Inner),
        Some(value) => value.exact_text().and_then(join_kind),
    };
    let Some(how) = how else {
        return Value::Frame(interpreter.plan.opaque(vec![left, right], "a join whose kind is not known", range));
    };
    let Some((on, place)) = args.find(1, "on").map(|(value, place)| (value.clone(), place)) else {
        let right = interpreter.plan.distinct_from(left, right, range);
        return Value::Frame(interpreter.plan.join_on(left, right, None, JoinKind::Cross, range));
    };
    let conditions: Vec<Value> = match interpreter.heap.items(&on) {
        Some((items, true)) => items,
        Some((items, false)) => items.into_iter().chain([Value::unknown("further keys")]).collect(),
        None => vec![on],
    };
    let names: Option<Vec<String>> = conditions
        .iter()
        .map(|value| match value {
            Value::Text(text) => Some(text.render()),
            _ => None,
        })
        .collect();
    if let Some(names) = names {
        for (name, value) in names.iter().zip(&conditions) {
            let place = match value {
                Value::Text(text) => column::place_of(interpreter, text, place),
                _ => place,
            };
            let mut column = None;
            for side in [left, right] {
                match interpreter.plan.lookup(side, None, name) {
                    Lookup::Found(id) => column = column.or(Some(id)),
                    Lookup::Missing => {
                        let schema = interpreter.plan.schema(side);
                        bind::report_unknown(interpreter, &schema, name, place);
                    }
                    _ => {}
                }
            }
            interpreter.mention(
                place,
                Mention::Column { column, nullable: None, frame: left, other: Some(right), needed: true },
            );
        }
        return Value::Frame(interpreter.plan.join_using(left, right, &names, how, range));
    }
    let exprs = conditions.iter().map(|value| column::constant(value, range)).collect();
    let condition = functions::all_of(exprs, range);
    Value::Frame(join_with(interpreter, left, right, condition, how, range))
}

/// A join on a condition over both sides; `df.column` of a frame joined with itself means the side it was taken from.
pub(crate) fn join_with(
    interpreter: &mut Interpreter,
    left: NodeId,
    right: NodeId,
    condition: Option<Expr>,
    how: JoinKind,
    range: TextRange,
) -> NodeId {
    let other = interpreter.plan.distinct_from(left, right, range);
    let bound = condition.map(|condition| bind::bind_both(interpreter, left, other, &condition));
    interpreter.plan.join_on(left, other, bound, how, range)
}

/// Whether `sample(withReplacement, fraction)` may draw a row twice; `sample(fraction)` does not.
fn replaces(interpreter: &Interpreter, args: &Args) -> bool {
    if args.named("withReplacement").is_none() && args.get(1, "fraction").is_none() {
        return false;
    }
    match args.get(0, "withReplacement") {
        Some(Value::Int(_) | Value::Float(_)) | None => false,
        Some(value) => value.truth(&interpreter.heap).unwrap_or(true),
    }
}

/// Spark's names of join kinds.
pub(crate) fn join_kind(name: &str) -> Option<JoinKind> {
    Some(match name.to_lowercase().replace('_', "").as_str() {
        "inner" => JoinKind::Inner,
        "left" | "leftouter" => JoinKind::Left,
        "right" | "rightouter" => JoinKind::Right,
        "full" | "outer" | "fullouter" => JoinKind::Full,
        "cross" => JoinKind::Cross,
        "semi" | "leftsemi" => JoinKind::LeftSemi,
        "anti" | "leftanti" => JoinKind::LeftAnti,
        _ => return None,
    })
}
