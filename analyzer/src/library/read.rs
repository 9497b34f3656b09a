//! Reads: `spark.read` in its forms, and the scans that every read ends in.

use std::rc::Rc;

use contract::schema::{Column, Provenance, TableName, TableSchema};
use contract::types::DataType;

use super::{dataset, session, types};
use crate::expression;
use crate::facts::{Dataset, DatasetKind};
use crate::interpret::{Args, Interpreter, Mention};
use crate::plan::{NodeId, Scan, SelectItem};
use crate::range::TextRange;
use crate::value::{Reader, Remote, Text, Value};

/// A method of `spark.read`.
pub(crate) fn method(interpreter: &mut Interpreter, reader: &Rc<Reader>, name: &str, args: Args) -> Value {
    let mut next = reader.as_ref().clone();
    match name {
        "format" => next.format = args.get(0, "source").cloned(),
        "option" => {
            if let (Some(Value::Text(key)), Some(value)) = (args.get(0, "key"), args.get(1, "value")) {
                next.options = session::with_option(&next.options, &key.render(), value.clone());
            }
        }
        "options" => next.options.extend(session::options_of(interpreter, &args)),
        "schema" => {
            next.schema = match args.get(0, "schema") {
                Some(Value::Type(data_type)) => Some(data_type.clone()),
                Some(value) => value.exact_text().and_then(types::parse_ddl).map(DataType::Struct),
                None => None,
            }
        }
        "table" => return table(interpreter, &args),
        "jdbc" => {
            let options = [("url", args.get(0, "url")), ("dbtable", args.get(1, "table"))];
            let options: Vec<(String, Value)> =
                options.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.clone()))).collect();
            next.options.extend(options);
            return load(interpreter, &next, Some("jdbc"), None, args.range);
        }
        "load" => {
            let format = next.format.clone();
            let format = format.as_ref().and_then(Value::exact_text).map(str::to_lowercase);
            next.options
                .extend(args.keywords.iter().filter(|k| k.name != "path").map(|k| (k.name.clone(), k.value.clone())));
            if let Some(keyword) = args.named("format").and_then(Value::exact_text) {
                let keyword = keyword.to_lowercase();
                return load(interpreter, &next, Some(&keyword), args.find(0, "path"), args.range);
            }
            return load(interpreter, &next, format.as_deref(), args.find(0, "path"), args.range);
        }
        "parquet" | "json" | "csv" | "orc" | "text" | "textFile" => {
            if let Some(Value::Type(schema)) = args.named("schema") {
                next.schema = Some(schema.clone());
            }
            let format = if name == "textFile" { "text" } else { name };
            let parameter = if matches!(name, "parquet" | "text") { "paths" } else { "path" };
            let target = args.find(0, parameter).or_else(|| args.find(0, "path"));
            if let Some((value, _)) = target
                && let Some(frames) = rows_of(value)
            {
                return in_memory(interpreter, &next, frames, args.range);
            }
            // `parquet(a, b)` reads both.
            if args.positional.len() > 1 && matches!(name, "parquet" | "orc" | "text") {
                let values = args.positional.iter().map(|(value, _)| value.clone()).collect();
                let paths = interpreter.heap.list(values, !args.open);
                let place = args.positional.first().map_or(args.range, |(_, place)| *place);
                return load(interpreter, &next, Some(format), Some((&paths, place)), args.range);
            }
            return load(interpreter, &next, Some(format), target, args.range);
        }
        _ => return interpreter.tainted("a reader method that is not modelled", &args.values()),
    }
    Value::Reader(Rc::new(next))
}

/// `spark.table(name)`: a temporary view, or a table of the catalog.
pub(crate) fn table(interpreter: &mut Interpreter, args: &Args) -> Value {
    let Some((value, place)) = args.find(0, "tableName") else { return Value::unknown("a table without a name") };
    let mut nodes = Vec::new();
    for text in dataset::texts(interpreter, Some(value)).into_iter().flatten() {
        let view = text.exact().and_then(|name| interpreter.views.get(&name.to_lowercase()).copied());
        nodes.push(match view {
            Some(view) => view,
            None => scan(interpreter, dataset::named_table(&text), Extra::default(), place, args.range),
        });
    }
    joined(interpreter, nodes, args.range)
}

/// What a scan knows beside its dataset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extra {
    pub pushdown: Option<String>,
    pub bookmark: Option<String>,
    /// The schema that the script gives.
    pub schema: Option<DataType>,
}

/// The scan of a dataset.
pub(crate) fn scan(
    interpreter: &mut Interpreter,
    dataset: Dataset,
    extra: Extra,
    place: TextRange,
    range: TextRange,
) -> NodeId {
    let mut schema = match &extra.schema {
        Some(DataType::Struct(fields)) => Some(TableSchema {
            columns: fields
                .iter()
                .map(|(name, data_type)| Column {
                    name: name.clone(),
                    data_type: data_type.clone(),
                    nullable: None,
                    comment: None,
                    partition_key: false,
                })
                .collect(),
            provenance: Provenance::Script,
        }),
        _ => None,
    };
    let mut promised_key = Vec::new();
    if let (DatasetKind::Catalog, Some(database), Some(table)) = (dataset.kind, &dataset.database, &dataset.table) {
        let name = TableName::new(database, table);
        schema = schema.or_else(|| interpreter.world.table(&name));
        interpreter.world.surroundings(&name);
        if let Some(contract) = interpreter.world.contract(&name) {
            promised_key = contract.primary_key.clone();
        }
    } else if let Some(path) = &dataset.path {
        schema = schema.or_else(|| interpreter.world.path(path));
    }
    let scan = Scan { dataset, pushdown: extra.pushdown, bookmark: extra.bookmark, promised_key };
    let node = interpreter.plan.scan(scan, schema.as_ref(), interpreter.here(range));
    interpreter.mention(place, Mention::Source(node));
    node
}

/// The frame of a query that a database answers, as far as it is understood: its tables are those of the connection.
pub(crate) fn remote_query(
    interpreter: &mut Interpreter,
    dataset: &Dataset,
    options: &[(String, Value)],
    range: TextRange,
) -> Option<NodeId> {
    if dataset.kind != DatasetKind::Jdbc {
        return None;
    }
    let text = match ["query", "sampleQuery"].iter().find_map(|name| dataset::option(options, name)) {
        Some(query) => interpreter.to_text(query),
        // `(SELECT …) AS t` stands in the place of a table.
        None => {
            let table = interpreter.to_text(dataset::option(options, "dbtable")?);
            if !table.render().trim_start().starts_with('(') {
                return None;
            }
            Text::literal("SELECT * FROM ".to_owned(), None).concat(&table)
        }
    };
    let connection = dataset::connection(interpreter, options);
    let remote = Remote { connection, database: dataset.database.clone(), format: dataset.format.clone() };
    let outer = interpreter.remote.replace(remote);
    let node = crate::sql::remote(interpreter, &text, range);
    interpreter.remote = outer;
    node
}

/// The frames that rows in memory come from, where a value is such rows: `spark.read.json(df.rdd.map(…))`.
fn rows_of(value: &Value) -> Option<Vec<NodeId>> {
    match value {
        Value::Frame(node) | Value::Dynamic(node) => Some(vec![*node]),
        Value::Unknown(unknown) if unknown.reason == session::RDD => Some(unknown.frames.clone()),
        _ => None,
    }
}

/// Text in memory that is parsed: nothing is read from outside.
fn in_memory(interpreter: &mut Interpreter, reader: &Reader, frames: Vec<NodeId>, range: TextRange) -> Value {
    let here = interpreter.here(range);
    let node = interpreter.plan.opaque(frames, "text in memory that is parsed", here);
    let Some(DataType::Struct(fields)) = &reader.schema else { return Value::Frame(node) };
    let items = fields
        .iter()
        .map(|(name, data_type)| SelectItem::Column {
            name: name.clone(),
            expr: expression::opaque("parsed text", Vec::new(), data_type.clone(), here),
        })
        .collect();
    Value::Frame(interpreter.plan.select(node, items, here))
}

fn load(
    interpreter: &mut Interpreter,
    reader: &Reader,
    format: Option<&str>,
    target: Option<(&Value, TextRange)>,
    range: TextRange,
) -> Value {
    let format =
        format.map(str::to_owned).or_else(|| reader.format.as_ref().and_then(Value::exact_text).map(str::to_lowercase));
    let (value, place) = match target {
        Some((value, place)) => (Some(value.clone()), place),
        None => (None, range),
    };
    let here = interpreter.here(range);
    let arms: Vec<Option<Value>> = match value {
        // Lists of paths of which one is read.
        Some(Value::Choice(arms)) if arms.iter().any(|arm| interpreter.heap.items(arm).is_some()) => {
            arms.iter().cloned().map(Some).collect()
        }
        value => vec![value],
    };
    let nodes = arms.iter().map(|arm| load_all(interpreter, reader, format.as_deref(), arm.as_ref(), (place, range)));
    let nodes: Vec<NodeId> = nodes.collect();
    Value::Frame(interpreter.plan.choice(nodes, here))
}

/// The rows of one path, or of all paths in a list: these are one input each, read together.
fn load_all(
    interpreter: &mut Interpreter,
    reader: &Reader,
    format: Option<&str>,
    value: Option<&Value>,
    (place, range): (TextRange, TextRange),
) -> NodeId {
    let values: Vec<Option<Value>> = match value.and_then(|value| interpreter.heap.items(value)) {
        Some((items, _)) if !items.is_empty() => items.into_iter().map(Some).collect(),
        _ => vec![value.cloned()],
    };
    let mut union = Vec::new();
    for value in &values {
        let mut nodes = Vec::new();
        for text in dataset::texts(interpreter, value.as_ref()) {
            let found = dataset::by_format(interpreter, format, &reader.options, text.as_ref());
            let dataset = found.unwrap_or_else(|| Dataset {
                kind: DatasetKind::Other,
                database: None,
                table: None,
                path: None,
                name: crate::value::UNKNOWN_HOLE.to_owned(),
                format: format.map(str::to_owned),
            });
            let schema = reader
                .schema
                .clone()
                .or_else(|| matches!(dataset.kind, DatasetKind::Kafka).then(|| kafka_schema(format)).flatten());
            let extra = Extra { schema, ..Extra::default() };
            nodes.push(match remote_query(interpreter, &dataset, &reader.options, range) {
                Some(node) => node,
                None => scan(interpreter, dataset, extra, place, range),
            });
        }
        let here = interpreter.here(range);
        union.push(interpreter.plan.choice(nodes, here));
    }
    match union.as_slice() {
        [only] => *only,
        _ => {
            let here = interpreter.here(range);
            interpreter.plan.union_by_name(union, here)
        }
    }
}

/// One frame of several that may be it.
pub(crate) fn joined(interpreter: &mut Interpreter, nodes: Vec<NodeId>, range: TextRange) -> Value {
    if nodes.is_empty() {
        return Value::unknown("a read whose target is not known");
    }
    let range = interpreter.here(range);
    Value::Frame(interpreter.plan.choice(nodes, range))
}

fn kafka_schema(format: Option<&str>) -> Option<DataType> {
    if format != Some("kafka") {
        return None;
    }
    let fields = [
        ("key", DataType::Binary),
        ("value", DataType::Binary),
        ("topic", DataType::String),
        ("partition", DataType::Int),
        ("offset", DataType::BigInt),
        ("timestamp", DataType::Timestamp),
        ("timestampType", DataType::Int),
    ];
    Some(DataType::Struct(fields.into_iter().map(|(name, data_type)| (name.to_owned(), data_type)).collect()))
}
