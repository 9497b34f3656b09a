//! awsglue: the context's reads and writes, the transforms, `Job` and `getResolvedOptions`.

use super::{dataset, dynamic, frame, read, session, types, write};
use crate::facts::{Dataset, DatasetKind, Severity};
use crate::interpret::{Args, Interpreter};
use crate::value::{ArgumentSource, Object, SinkBuilder, Text, Value};

/// The transforms of `awsglue.transforms`.
const TRANSFORMS: [&str; 21] = [
    "ApplyMapping",
    "DropFields",
    "DropNullFields",
    "ErrorsAsDynamicFrame",
    "Filter",
    "FlatMap",
    "Join",
    "Map",
    "MapToCollection",
    "Relationalize",
    "RenameField",
    "ResolveChoice",
    "SelectFields",
    "SelectFromCollection",
    "Spigot",
    "SplitFields",
    "SplitRows",
    "Unbox",
    "UnnestFrame",
    "FillMissingValues",
    "FindMatches",
];

pub(crate) fn is_transform(name: &str) -> bool {
    TRANSFORMS.contains(&name)
}

/// A call on the GlueContext.
pub(crate) fn context(interpreter: &mut Interpreter, path: &str, args: Args) -> Value {
    match path {
        "create_dynamic_frame.from_catalog" | "create_dynamic_frame_from_catalog" => {
            from_catalog(interpreter, &args, true)
        }
        "create_data_frame.from_catalog" | "create_data_frame_from_catalog" => from_catalog(interpreter, &args, false),
        "create_dynamic_frame.from_options" | "create_dynamic_frame_from_options" | "create_dynamic_frame" => {
            from_options(interpreter, &args, true)
        }
        "create_data_frame.from_options" | "create_data_frame_from_options" => from_options(interpreter, &args, false),
        "create_dynamic_frame.from_rdd" | "create_dynamic_frame_from_rdd" => {
            let value = args.get(0, "data").cloned().unwrap_or(Value::None);
            match interpreter.frame_of(&value, args.range) {
                Some(node) => Value::Dynamic(node),
                None => Value::unknown("a resilient distributed dataset"),
            }
        }
        "write_dynamic_frame.from_catalog"
        | "write_dynamic_frame_from_catalog"
        | "write_data_frame.from_catalog"
        | "write_data_frame_from_catalog" => write::to_catalog(interpreter, &args),
        "write_dynamic_frame.from_options"
        | "write_dynamic_frame_from_options"
        | "write_data_frame.from_options"
        | "write_dynamic_frame"
        | "write_from_options"
        | "write_data_frame" => write::to_options(interpreter, &args),
        "write_dynamic_frame.from_jdbc_conf" | "write_dynamic_frame_from_jdbc_conf" | "write_from_jdbc_conf" => {
            write::to_jdbc(interpreter, &args)
        }
        "getSink" | "get_sink" => get_sink(interpreter, &args),
        "forEachBatch" => {
            interpreter.plan.traits.streams = true;
            write::for_each_batch(
                interpreter,
                args.get(0, "frame").cloned(),
                args.get(1, "batch_function").cloned(),
                args.range,
            )
        }
        "spark_session.sql" => session::call(interpreter, "spark.sql", args),
        "extract_jdbc_conf" => {
            // Where the connection leads is not in the script; its name stands for it.
            let name = args.get(0, "connection_name").cloned().unwrap_or(Value::None);
            let entries = ["url", "fullUrl"].map(|key| (Value::text(key), name.clone())).to_vec();
            interpreter.heap.dict(entries, false)
        }
        "purge_s3_path" | "purge_table" => {
            interpreter.plan.traits.clears = true;
            Value::None
        }
        "transition_s3_path" | "get_logger" | "setConf" => Value::None,
        "add_ingestion_time_columns" => args.get(0, "dataFrame").cloned().unwrap_or(Value::None),
        _ => interpreter.tainted("a method of the GlueContext that is not modelled", &args.values()),
    }
}

/// A call of something of the `awsglue` package.
pub(crate) fn library(interpreter: &mut Interpreter, path: &str, args: Args) -> Value {
    let parts: Vec<&str> = path.split('.').collect();
    match parts.as_slice() {
        [.., "GlueContext"] => Value::native("glue"),
        [.., "getResolvedOptions"] => session::arguments(interpreter, ArgumentSource::Job, args.get(1, "options")),
        [.., "Job"] => Value::native("job"),
        [.., "DynamicFrame", "fromDF"] => {
            let frame = args.get(0, "dataframe").cloned().unwrap_or(Value::None);
            match interpreter.frame_of(&frame, args.range) {
                Some(node) => Value::Dynamic(node),
                None => interpreter.tainted("a frame that is not known", &[&frame]),
            }
        }
        [.., "DynamicFrameCollection"] => interpreter.tainted("a collection of frames", &args.values()),
        [.., transform, "apply"] => dynamic::transform(interpreter, transform, &args),
        // A transform called without `.apply`.
        [.., transform] if is_transform(transform) => dynamic::transform(interpreter, transform, &args),
        _ => interpreter.tainted("a call of awsglue that is not modelled", &args.values()),
    }
}

fn from_catalog(interpreter: &mut Interpreter, args: &Args, dynamic: bool) -> Value {
    let args = &meant(
        interpreter,
        args,
        &[
            "database",
            "table_name",
            "redshift_tmp_dir",
            "transformation_ctx",
            "push_down_predicate",
            "additional_options",
            "catalog_id",
            "name_space",
            "catalogPartitionPredicate",
        ],
    );
    let database = args.get(0, "database").or_else(|| args.named("name_space")).cloned();
    let (table, place) = match args.find(1, "table_name") {
        Some((value, place)) => (Some(value.clone()), place),
        None => (None, args.range),
    };
    let pushdown = args
        .named("push_down_predicate")
        .or_else(|| args.named("catalogPartitionPredicate"))
        .map(|value| interpreter.to_text(value))
        .filter(|predicate| !predicate.render().is_empty() && predicate.render() != "None");
    let bookmark = bookmark(interpreter, args);
    let mut nodes = Vec::new();
    for database in dataset::texts(interpreter, database.as_ref()) {
        for table in dataset::texts(interpreter, table.as_ref()) {
            let dataset = dataset::catalog(database.as_ref(), table.as_ref());
            let extra =
                read::Extra { pushdown: pushdown.as_ref().map(Text::render), bookmark: bookmark.clone(), schema: None };
            let node = read::scan(interpreter, dataset, extra, place, args.range);
            // Only the partitions that it is true of are read.
            let kept = match &pushdown {
                Some(predicate) if predicate.has_literal() => {
                    frame::filter(interpreter, node, &Value::Text(predicate.clone()), args.range, args.range)
                }
                _ => Value::Frame(node),
            };
            nodes.push(kept.frame().unwrap_or(node));
        }
    }
    let value = read::joined(interpreter, nodes, args.range);
    as_dynamic(value, dynamic)
}

fn from_options(interpreter: &mut Interpreter, args: &Args, dynamic: bool) -> Value {
    let connection = args.get(0, "connection_type").cloned();
    let options = args.get(1, "connection_options").cloned().unwrap_or(Value::None);
    let entries = dataset::entries(interpreter, &options);
    let format = args.named("format").or_else(|| args.positional.get(2).map(|(value, _)| value)).cloned();
    let format = format.as_ref().and_then(Value::exact_text).map(str::to_lowercase);
    let kind = connection.as_ref().and_then(Value::exact_text).map(str::to_lowercase);
    let wanted = if is_file_connection(kind.as_deref()) { format.clone() } else { kind.clone() };
    let place = args.find(1, "connection_options").map_or(args.range, |(_, place)| place);
    let paths = dataset::option(&entries, "paths").or_else(|| dataset::option(&entries, "path")).cloned();
    let values: Vec<Option<Value>> = match paths.as_ref().and_then(|paths| interpreter.heap.items(paths)) {
        Some((items, _)) if !items.is_empty() => items.into_iter().map(Some).collect(),
        _ => vec![paths],
    };
    let mut union = Vec::new();
    for value in &values {
        let mut nodes = Vec::new();
        for text in dataset::texts(interpreter, value.as_ref()) {
            let found = dataset::by_format(interpreter, wanted.as_deref(), &entries, text.as_ref());
            let dataset = found.unwrap_or_else(|| unknown_dataset(wanted.clone()));
            let extra = read::Extra { bookmark: bookmark(interpreter, args), ..read::Extra::default() };
            nodes.push(match read::remote_query(interpreter, &dataset, &entries, args.range) {
                Some(node) => node,
                None => read::scan(interpreter, dataset, extra, place, args.range),
            });
        }
        let here = interpreter.here(args.range);
        union.push(interpreter.plan.choice(nodes, here));
    }
    let here = interpreter.here(args.range);
    let node = match union.as_slice() {
        [only] => *only,
        _ => interpreter.plan.union_by_name(union, here),
    };
    as_dynamic(Value::Frame(node), dynamic)
}

pub(crate) fn unknown_dataset(format: Option<String>) -> Dataset {
    Dataset {
        kind: DatasetKind::Other,
        database: None,
        table: None,
        path: None,
        name: crate::value::UNKNOWN_HOLE.to_owned(),
        format,
    }
}

pub(crate) fn is_file_connection(kind: Option<&str>) -> bool {
    matches!(kind, None | Some("s3" | "file" | "custom.spark" | "marketplace.spark" | "hudi" | "delta" | "iceberg"))
}

fn bookmark(interpreter: &Interpreter, args: &Args) -> Option<String> {
    args.named("transformation_ctx")
        .map(|value| interpreter.to_text(value).render())
        .filter(|context| !context.is_empty() && context != "None")
}

fn as_dynamic(value: Value, dynamic: bool) -> Value {
    match value {
        Value::Frame(node) if dynamic => Value::Dynamic(node),
        other => other,
    }
}

fn get_sink(interpreter: &mut Interpreter, args: &Args) -> Value {
    let options = args.named("options").cloned();
    let partition_keys = args
        .named("partitionKeys")
        .or_else(|| args.named("partition_keys"))
        .map(|value| types::names_or_unknown(interpreter, value))
        .unwrap_or_default();
    let updates_catalog = args.named("enableUpdateCatalog").map(|value| value.truth(&interpreter.heap).unwrap_or(true));
    let sink = SinkBuilder {
        connection_type: args.get(0, "connection_type").cloned(),
        path: args.named("path").cloned().or_else(|| {
            let entries = options.as_ref().map(|options| dataset::entries(interpreter, options))?;
            dataset::option(&entries, "path").cloned()
        }),
        partition_keys,
        updates_catalog,
        ..SinkBuilder::default()
    };
    Value::Object(interpreter.heap.add(Object::Sink(Box::new(sink))))
}

/// Reports a keyword that the call does not have, where one that it has is near, and takes it for that one, so that the
/// rest of the script is understood as it is meant.
pub(crate) fn meant(interpreter: &mut Interpreter, args: &Args, known: &'static [&'static str]) -> Args {
    interpreter.mention_call(args.range, known);
    let mut meant = args.clone();
    if args.open {
        return meant;
    }
    for keyword in &mut meant.keywords {
        if known.contains(&keyword.name.as_str()) || keyword.name_range.is_empty() {
            continue;
        }
        let names: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
        let suggestions = super::bind::nearest(&keyword.name, &names);
        // The call takes further keywords without a word, so only one that stands for a missing one is wrong.
        let Some(best) = suggestions.first().filter(|best| args.named(best).is_none()) else { continue };
        if interpreter.is_certain() {
            let message = format!("`{}` is no argument of this call. Did you mean `{best}`?", keyword.name);
            let best = vec![best.clone()];
            interpreter.report("misspelt-keyword", Severity::Error, keyword.name_range, message, best, Vec::new());
        }
        keyword.name.clone_from(best);
    }
    meant
}
