//! What PySpark, awsglue, boto3 and Python's standard library mean to a plan.
//!
//! A library value is a dotted path; calls are dispatched on it here, and methods of frames, columns and builders in the
//! modules below. What is not modelled yields an unknown value that keeps the frames it was given.

pub(crate) mod bind;
pub(crate) mod column;
mod dataset;
mod dynamic;
mod frame;
mod functions;
mod glue;
mod grouped;
mod outside;
mod read;
pub(crate) mod session;
pub(crate) mod sink;
mod types;
mod write;

use std::rc::Rc;

use crate::interpret::{Args, Interpreter};
use crate::plan::NodeId;
use crate::range::TextRange;
use crate::value::{ArgumentSource, Hole, Remote, Text, Value};

pub(crate) use bind::{bind, bind_condition, mention_name};
pub(crate) use column::expression_name;
pub(crate) use dataset::named_table;
pub(crate) use frame::join_with;
pub(crate) use functions::{function, result_type};
pub(crate) use grouped::{report_ungrouped, ungrouped};
pub(crate) use outside::parsed;
pub(crate) use types::parse as parse_type;
pub(crate) use write::{add as add_sink, merge_keys};

use crate::describe::describe;
use crate::sql::item as sql_expression;

/// Packages whose names are never those of sibling modules.
const LIBRARIES: [&str; 42] = [
    "pyspark",
    "awsglue",
    "boto3",
    "botocore",
    "sys",
    "os",
    "re",
    "json",
    "datetime",
    "time",
    "logging",
    "typing",
    "awswrangler",
    "ast",
    "functools",
    "itertools",
    "collections",
    "dataclasses",
    "argparse",
    "math",
    "random",
    "uuid",
    "hashlib",
    "pandas",
    "numpy",
    "delta",
    "concurrent",
    "threading",
    "builtins",
    "abc",
    "enum",
    "io",
    "string",
    "copy",
    "traceback",
    "decimal",
    "operator",
    "pathlib",
    "urllib",
    "requests",
    "yaml",
    "dateutil",
];

/// Whether a module belongs to a library.
pub(crate) fn is_library(module: &str) -> bool {
    let root = module.split('.').next().unwrap_or(module);
    LIBRARIES.contains(&root) || root == "__future__"
}

/// A name imported from a library module that is not on the list of libraries: some are known wherever they come from.
pub(crate) fn imported(module: &str, name: &str) -> Option<Value> {
    is_library(module).then(|| Value::native(format!("{module}.{name}")))
}

/// What `from module import *` exports under a name.
pub(crate) fn exported(module: &str, name: &str) -> Option<Value> {
    let known = match module {
        "pyspark.sql.functions" => functions::is_known(name),
        "pyspark.sql.types" => types::is_type_name(name),
        "pyspark.sql.window" | "pyspark.sql" => matches!(name, "Window" | "SparkSession" | "DataFrame" | "Row"),
        "awsglue.transforms" => glue::is_transform(name),
        "awsglue.utils" => name == "getResolvedOptions",
        "awsglue.context" => name == "GlueContext",
        "awsglue.dynamicframe" => name == "DynamicFrame",
        "awsglue.job" => name == "Job",
        "datetime" => matches!(name, "datetime" | "date" | "timedelta" | "timezone"),
        _ => false,
    };
    known.then(|| Value::native(format!("{module}.{name}")))
}

/// Whether a decorator makes a user-defined function.
pub(crate) fn is_udf(path: &str) -> bool {
    path.ends_with(".udf") || path.ends_with(".pandas_udf")
}

/// Attributes that are values, not methods.
pub(crate) fn is_data_attribute(name: &str) -> bool {
    matches!(name, "read" | "readStream" | "write" | "writeStream" | "columns" | "dtypes" | "schema" | "value" | "path")
}

/// The call of a library function.
pub(crate) fn call(interpreter: &mut Interpreter, path: &str, args: Args) -> Value {
    let name = path.rsplit('.').next().unwrap_or(path);
    if removes(name) {
        interpreter.plan.traits.clears = true;
    }
    if let Some(builtin) = path.strip_prefix("builtins.") {
        return interpreter.builtin(builtin, &args);
    }
    if path.starts_with("pyspark.sql.functions.") {
        return functions::call(interpreter, name, &args);
    }
    if path.starts_with("pyspark.sql.types.") || path.starts_with("types.") {
        return types::construct(interpreter, name, &args);
    }
    if path.starts_with("pyspark.sql.window.") || path.contains("Window.") {
        return column::window(interpreter, None, name, &args);
    }
    if let Some(rest) = path.strip_prefix("glue.") {
        return glue::context(interpreter, rest, args);
    }
    if path.starts_with("awsglue.") {
        return glue::library(interpreter, path, args);
    }
    if path == "spark"
        || path.starts_with("spark.")
        || path.starts_with("pyspark.")
        || path.starts_with("spark_context")
    {
        return session::call(interpreter, path, args);
    }
    outside::call(interpreter, path, args)
}

/// Whether a function's name says that it deletes data.
fn removes(name: &str) -> bool {
    let name = name.to_lowercase();
    ["delete", "purge", "truncate", "clear", "remove", "clean", "rmtree"].iter().any(|word| name.contains(word))
}

/// The call of a method of a library object.
pub(crate) fn method(interpreter: &mut Interpreter, receiver: &Value, name: &str, args: Args) -> Value {
    match receiver {
        Value::Frame(node) => frame::method(interpreter, *node, name, args),
        Value::Dynamic(node) => dynamic::method(interpreter, *node, name, args),
        Value::Column(column) => column::method(interpreter, column, name, args),
        Value::Grouped(grouped) => grouped::method(interpreter, grouped, name, args),
        Value::Window(spec) => column::window(interpreter, Some(spec), name, &args),
        Value::Reader(reader) => read::method(interpreter, reader, name, args),
        Value::Writer(writer) => write::method(interpreter, writer, name, args),
        Value::Merge(merge) => write::merge_method(interpreter, merge, name, args),
        Value::Type(data_type) => types::method(interpreter, data_type, name, &args),
        // An argument that may be absent still is what the job is given.
        Value::Arguments(_, known) => match (name, args.positional.first(), known) {
            ("get" | "getenv" | "pop", Some((key, range)), _) => {
                let key = key.clone();
                interpreter.item(receiver, &key, *range, args.range)
            }
            ("copy", _, _) => receiver.clone(),
            (_, _, Some(known)) => interpreter.collection_method(&Value::Object(*known), name, &args),
            _ => Value::unknown("job arguments"),
        },
        // `df.na.fill(…)` and its like.
        Value::Bound(bound) if matches!(bound.1.as_str(), "na" | "stat") => match &bound.0 {
            Value::Frame(node) => frame::missing_values(interpreter, *node, name, args),
            _ => interpreter.tainted("a method of a frame", &[receiver]),
        },
        Value::Bound(_) if is_cut(name) => match interpreter.hole_of(receiver) {
            Some(hole) => Value::part_of(Some(hole), "a part of something that the run decides"),
            None => interpreter.tainted("a method that is not known", &[receiver]),
        },
        Value::Bound(_) => interpreter.tainted("a method that is not known", &[receiver]),
        Value::Unknown(unknown) => unknown_method(interpreter, unknown.frames.clone(), receiver, name, args),
        _ => interpreter.tainted("a method that is not known", &args.values()),
    }
}

/// A method of something unknown. Methods that only frames have keep the lineage of the frames it may hold.
fn unknown_method(
    interpreter: &mut Interpreter,
    frames: Vec<NodeId>,
    receiver: &Value,
    name: &str,
    args: Args,
) -> Value {
    interpreter.call_arguments(&args);
    if removes(name) {
        interpreter.plan.traits.clears = true;
    }
    match name {
        "sql" => return session::call(interpreter, "spark.sql", args),
        "createOrReplaceTempView"
        | "toDF"
        | "withColumn"
        | "withColumnRenamed"
        | "dropDuplicates"
        | "unionByName"
        | "writeTo"
        | "select"
        | "selectExpr"
        | "groupBy" => {
            let range = interpreter.here(args.range);
            let node = interpreter.plan.opaque(frames, "a frame from a helper that is not in the script", range);
            return frame::method(interpreter, node, name, args);
        }
        // pandas has these too, but not on columns and frames of Spark.
        "filter" | "where" | "agg" | "join" | "union" | "crossJoin" | "orderBy"
            if matches!(args.positional.first(), Some((Value::Column(_) | Value::Frame(_), _))) =>
        {
            let range = interpreter.here(args.range);
            let node = interpreter.plan.opaque(frames, "a frame from a helper that is not in the script", range);
            return frame::method(interpreter, node, name, args);
        }
        "to_csv" | "to_parquet" | "to_json" | "to_excel" if !frames.is_empty() => {
            outside::write_pandas(interpreter, frames, name, &args);
            return Value::None;
        }
        _ => {}
    }
    if let (true, Some(hole)) = (is_cut(name), interpreter.hole_of(receiver)) {
        return Value::part_of(Some(hole), "a part of something that the run decides");
    }
    let mut values = args.values();
    values.push(receiver);
    let reason = match receiver {
        Value::Unknown(unknown) if unknown.reason == session::RDD => session::RDD,
        _ => "the result of a helper that is not in the script",
    };
    interpreter.tainted(reason, &values)
}

/// Methods that give a part of a text, a mapping or a match, or the same in other letters.
fn is_cut(name: &str) -> bool {
    matches!(
        name,
        "get"
            | "pop"
            | "items"
            | "keys"
            | "values"
            | "split"
            | "rsplit"
            | "splitlines"
            | "strip"
            | "lstrip"
            | "rstrip"
            | "lower"
            | "upper"
            | "title"
            | "replace"
            | "group"
            | "groups"
            | "groupdict"
            | "decode"
            | "encode"
            | "partition"
            | "rpartition"
            | "copy"
            | "geturl"
    )
}

/// An attribute of a library object; `None` where it is a method, or not known.
pub(crate) fn attribute(interpreter: &mut Interpreter, object: &Value, name: &str, range: TextRange) -> Option<Value> {
    match object {
        Value::Native(path) => Some(match (path.as_ref(), name) {
            ("os", "environ") => Value::Arguments(ArgumentSource::Environment, None),
            ("glue", "spark_session" | "sparkSession") => Value::native("spark"),
            ("spark" | "glue", "readStream") => {
                interpreter.plan.traits.streams = true;
                Value::Reader(Rc::default())
            }
            ("spark", "read") => Value::Reader(Rc::default()),
            ("spark", "sparkContext" | "_sc") | ("glue", "spark_context") => Value::native("spark_context"),
            ("glue", "read") => Value::Reader(Rc::default()),
            ("sys", "argv") => Value::native("sys.argv"),
            (path, name)
                if path.ends_with("Window")
                    && matches!(name, "unboundedPreceding" | "unboundedFollowing" | "currentRow") =>
            {
                Value::Int(0)
            }
            (path, name) => Value::native(format!("{path}.{name}")),
        }),
        Value::Frame(node) => frame::attribute(interpreter, *node, name, range),
        Value::Dynamic(_) => None,
        Value::Column(column) => column::attribute(column, name, interpreter.here(range)),
        Value::Type(data_type) => types::attribute(interpreter, data_type, name),
        Value::Text(text) if is_path_like(text) && matches!(name, "year" | "month" | "day" | "hour" | "minute") => {
            Some(object.clone())
        }
        Value::Text(text) => match name {
            "parent" | "name" | "stem" => text.exact().is_none().then(|| Value::Text(Text::hole(Hole::Unknown))),
            _ => None,
        },
        Value::Arguments(..) if !matches!(name, "get" | "keys" | "items" | "values" | "copy" | "pop" | "update") => {
            // `argparse`'s namespace.
            Some(interpreter.item(object, &Value::text(name), range, range))
        }
        Value::Unknown(unknown) => match name {
            "read" | "readStream" => {
                interpreter.plan.traits.streams |= name == "readStream";
                Some(Value::Reader(Rc::default()))
            }
            "write" | "writeStream" => {
                let range = interpreter.here(range);
                let node = interpreter.plan.opaque(unknown.frames.clone(), unknown.reason, range);
                frame::attribute(interpreter, node, name, range)
            }
            "create_dynamic_frame" | "create_data_frame" | "write_dynamic_frame" | "write_data_frame" => {
                Some(Value::native(format!("glue.{name}")))
            }
            "spark_session" => Some(Value::native("spark")),
            _ => None,
        },
        _ => None,
    }
}

/// `object[key]` of a library object.
pub(crate) fn item(
    interpreter: &mut Interpreter,
    object: &Value,
    key: &Value,
    key_range: TextRange,
    range: TextRange,
) -> Value {
    match object {
        Value::Frame(node) => frame::item(interpreter, *node, key, key_range, range),
        Value::Column(column) => column::get_item(column, key, interpreter.here(range)),
        Value::Native(path) if path.as_ref() == "collection" => Value::unknown("a part of a collection"),
        other => match interpreter.hole_of(other) {
            Some(hole) => Value::part_of(Some(hole), "an item of something unknown"),
            None => interpreter.tainted("an item of something unknown", &[other, key]),
        },
    }
}

fn is_path_like(text: &Text) -> bool {
    text.render() == Hole::RunDate.render()
}

/// The scan of a catalog table named in SQL.
pub(crate) fn scan_table(interpreter: &mut Interpreter, name: &Text, place: TextRange, range: TextRange) -> NodeId {
    read::scan(interpreter, dataset::named_table(name), read::Extra::default(), place, range)
}

/// The scan of a table named in a query that a database answers.
pub(crate) fn scan_remote(
    interpreter: &mut Interpreter,
    remote: &Remote,
    name: &Text,
    place: TextRange,
    range: TextRange,
) -> NodeId {
    let database = remote.database.clone().map(|database| Text::literal(database, None));
    let dataset = dataset::jdbc(remote.connection.as_ref(), Some(name), database.as_ref(), remote.format.clone());
    read::scan(interpreter, dataset, read::Extra::default(), place, range)
}

/// The scan of files named in SQL.
pub(crate) fn scan_path(
    interpreter: &mut Interpreter,
    path: &Text,
    format: &str,
    place: TextRange,
    range: TextRange,
) -> NodeId {
    let dataset = dataset::path(path, Some(format.to_owned()));
    read::scan(interpreter, dataset, read::Extra::default(), place, range)
}
