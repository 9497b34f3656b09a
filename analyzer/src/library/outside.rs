//! Python's standard library, boto3, Delta and everything else that is not Spark itself.

use super::{dataset, read, session, types, write};
use crate::facts::{Dataset, Mode};
use crate::interpret::{Args, Interpreter};
use crate::plan::{NodeId, Placing, Sink};
use crate::range::TextRange;
use crate::value::{ArgumentSource, Hole, Text, Value};

pub(crate) fn call(interpreter: &mut Interpreter, path: &str, args: Args) -> Value {
    let name = path.rsplit('.').next().unwrap_or(path);
    let root = path.split('.').next().unwrap_or(path);
    match (root, name) {
        ("os", "getenv") => match args.positional.first() {
            Some((key, _)) => session::argument(interpreter, ArgumentSource::Environment, key),
            None => interpreter.unknown_text(),
        },
        ("os" | "posixpath", "join") => join(interpreter, &args),
        ("os", "basename" | "dirname" | "normpath" | "abspath") => {
            let text = args.positional.first().map(|(value, _)| interpreter.to_text(value));
            match text.as_ref().and_then(|text| text.exact().map(str::to_owned)) {
                Some(path) => {
                    let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
                    Value::text(match name {
                        "basename" => file,
                        "dirname" => folder,
                        _ => path.as_str(),
                    })
                }
                None => interpreter.unknown_text(),
            }
        }
        ("sys", "exit") => Value::unknown(crate::interpret::EXITS),
        ("functools", "partial") => interpreter.partial(&args),
        ("functools", "reduce") => reduce(interpreter, &args),
        ("datetime", "timedelta") | ("dateutil", _) => Value::unknown("a time span"),
        ("datetime", "strptime" | "fromisoformat" | "fromtimestamp" | "datetime" | "date") => {
            match args.positional.first() {
                Some((Value::Text(text), _)) if text.exact().is_none() => Value::Text(text.clone()),
                _ => moment(matches!(name, "strptime" | "datetime")),
            }
        }
        ("datetime" | "time", "sleep" | "time" | "perf_counter" | "monotonic") => Value::unknown("a time"),
        ("datetime", "now" | "utcnow") => moment(true),
        ("datetime", _) => moment(false),
        ("time", _) => Value::Text(Text::hole(Hole::RunDate)),
        ("delta", "forPath" | "forName") => write::delta_table(interpreter, name, &args),
        ("threading", "Thread") => {
            let target = args.named("target").cloned();
            let (items, _) = match args.named("args").cloned() {
                Some(values) => interpreter.iterate(&values),
                None => (Vec::new(), true),
            };
            if let Some(target) = target {
                interpreter.call(&target, Args::of(items, args.range));
            }
            Value::unknown("a thread")
        }
        ("concurrent", "ThreadPoolExecutor") => Value::native("executor"),
        ("executor", "submit") => match args.positional.split_first() {
            Some(((function, _), _)) => interpreter.call(&function.clone(), args.skip(1)),
            None => Value::None,
        },
        ("executor", "map") => {
            let args = Args { positional: args.positional.clone(), ..Args::new(args.range) };
            interpreter.builtin("map", &args)
        }
        ("argparse", "ArgumentParser") => Value::native("argument_parser"),
        ("argument_parser", "parse_args") => session::arguments(interpreter, ArgumentSource::Job, None),
        ("argument_parser", "parse_known_args") => {
            let rest = Value::unknown("further arguments");
            Value::Tuple([session::arguments(interpreter, ArgumentSource::Job, None), rest].into())
        }
        ("argument_parser", "add_argument_group") => Value::native("argument_parser"),
        ("boto3", "client" | "resource") => match args.get(0, "service_name").and_then(Value::exact_text) {
            Some(service) => Value::native(format!("aws.{service}")),
            None => Value::unknown("an AWS client"),
        },
        ("boto3", "Session") => Value::native("boto3"),
        ("aws", "get_workflow_run_properties") => {
            let key = Value::text("RunProperties");
            let properties = session::arguments(interpreter, ArgumentSource::Workflow, None);
            interpreter.heap.dict(vec![(key, properties)], false)
        }
        ("aws", "get_secret_value") => {
            let hole = kept_under(interpreter, args.named("SecretId"), Hole::Secret);
            interpreter.heap.dict(vec![(Value::text("SecretString"), Value::Text(Text::hole(hole)))], false)
        }
        ("aws", "get_parameter") => {
            let hole = kept_under(interpreter, args.named("Name"), Hole::Parameter);
            let value = (Value::text("Value"), Value::Text(Text::hole(hole)));
            let parameter = interpreter.heap.dict(vec![value], false);
            interpreter.heap.dict(vec![(Value::text("Parameter"), parameter)], false)
        }
        ("copy", "copy" | "deepcopy") => args.get(0, "x").cloned().unwrap_or(Value::None),
        ("json", "dumps") | ("uuid", _) | ("hashlib", _) => interpreter.unknown_text(),
        ("json" | "yaml" | "ast", "loads" | "load" | "safe_load" | "literal_eval") => match args.positional.first() {
            Some((value, _)) => parsed(interpreter, &value.clone()),
            None => Value::unknown("text that is not known"),
        },
        ("re", "compile") => Value::native("re"),
        ("re", "match" | "search" | "fullmatch" | "findall" | "split" | "finditer")
        | ("urllib", "urlparse" | "urlsplit" | "unquote" | "unquote_plus") => {
            let hole = args.positional.iter().find_map(|(value, _)| interpreter.hole_of(value));
            Value::part_of(hole, "a part of a text")
        }
        ("typing", "cast") => args.get(1, "val").cloned().unwrap_or(Value::None),
        ("re", "sub") => match args.get(2, "string") {
            Some(Value::Text(text)) if text.exact().is_none() => Value::Text(text.clone()),
            _ => interpreter.unknown_text(),
        },
        ("pathlib", "Path") => args.positional.first().map_or(Value::None, |(value, _)| value.clone()),
        ("collections", "defaultdict" | "OrderedDict") => {
            let args = if name == "defaultdict" { args.skip(1) } else { args };
            interpreter.builtin("dict", &args)
        }
        ("aws", "list_objects" | "list_objects_v2") if path.starts_with("aws.s3") => listing(interpreter, &args),
        ("aws", "get_paginator") if path.starts_with("aws.s3") => Value::native("aws.s3.paginator"),
        ("aws", "paginate") if path.starts_with("aws.s3") => {
            let page = listing(interpreter, &args);
            interpreter.heap.list(vec![page], false)
        }
        ("aws", "get_object" | "download_file" | "download_fileobj") if path.starts_with("aws.s3") => {
            let bucket = args.get(0, "Bucket").cloned();
            let key = args.get(1, "Key").cloned();
            read_object(interpreter, bucket.as_ref(), key.as_ref(), args.range)
        }
        ("pandas" | "awswrangler", "read_csv" | "read_parquet" | "read_json" | "read_excel" | "read_orc") => {
            let format = name.trim_start_matches("read_");
            match args.positional.first().map(|(value, _)| value).or_else(|| args.named("path")).cloned() {
                Some(value @ (Value::Text(_) | Value::Choice(_))) => {
                    let mut nodes = Vec::new();
                    for text in dataset::texts(interpreter, Some(&value)).into_iter().flatten() {
                        // What lies on the worker's own disk is no dataset of the lake.
                        if !text.render().starts_with('/') {
                            let dataset = dataset::path(&text, Some(format.to_owned()));
                            nodes.push(read::scan(
                                interpreter,
                                dataset,
                                read::Extra::default(),
                                args.range,
                                args.range,
                            ));
                        }
                    }
                    let frames: Vec<Value> = nodes.into_iter().map(Value::Frame).collect();
                    interpreter.tainted("a pandas frame", &frames.iter().collect::<Vec<_>>())
                }
                _ => interpreter.tainted("a pandas frame", &args.values()),
            }
        }
        ("awswrangler", "to_parquet" | "to_csv" | "to_json") => {
            let frame = args.get(0, "df").cloned().unwrap_or(Value::None);
            if let Value::Unknown(unknown) = interpreter.tainted("", &[&frame]) {
                write_pandas(interpreter, unknown.frames, name, &args);
            }
            Value::None
        }
        ("pandas", _) => interpreter.tainted("a pandas frame", &args.values()),
        ("job", "commit") => {
            interpreter.plan.traits.commits = true;
            Value::None
        }
        ("job", _) | ("logging" | "logger", _) => Value::None,
        // A getter of another module, such as `get_job_argument("target")`, yields what the job is given under the name.
        _ if !super::is_library(root) && gives_argument(name) => match args.positional.first() {
            Some((key @ Value::Text(text), _)) if text.exact().is_some() => {
                let source = if name.contains("env") && !name.contains("glue") {
                    ArgumentSource::Environment
                } else {
                    ArgumentSource::Job
                };
                session::argument(interpreter, source, key)
            }
            _ => interpreter.tainted("the result of a helper that is not in the script", &args.values()),
        },
        _ => {
            interpreter.call_arguments(&args);
            // A helper that is handed the session, or a module that the caller did not supply.
            interpreter.tainted("the result of a helper that is not in the script", &args.values())
        }
    }
}

/// What a service keeps under a name; where an argument of the job is the name, the argument decides.
fn kept_under(interpreter: &Interpreter, name: Option<&Value>, hole: fn(String) -> Hole) -> Hole {
    match name.and_then(Value::exact_text) {
        Some(name) => hole(name.to_owned()),
        None => name.and_then(|name| interpreter.hole_of(name)).unwrap_or(Hole::Unknown),
    }
}

/// What a listing of S3 answers: keys that begin with its prefix.
fn listing(interpreter: &mut Interpreter, args: &Args) -> Value {
    let mut key = match args.named("Prefix").cloned() {
        Some(prefix) => interpreter.to_text(&prefix),
        None => Text::default(),
    };
    key.push(&Text::hole(Hole::Key));
    let mut entries = |name: &str, field: &str| {
        let entry = interpreter.heap.dict(vec![(Value::text(field), Value::Text(key.clone()))], false);
        (Value::text(name), interpreter.heap.list(vec![entry], false))
    };
    let found = vec![entries("Contents", "Key"), entries("CommonPrefixes", "Prefix")];
    interpreter.heap.dict(found, false)
}

/// An object of S3 that boto3 reads: `s3.get_object(Bucket=…, Key=…)`.
fn read_object(interpreter: &mut Interpreter, bucket: Option<&Value>, key: Option<&Value>, range: TextRange) -> Value {
    let mut path = Text::literal("s3://".to_owned(), None);
    for (position, part) in [bucket, key].into_iter().enumerate() {
        if position > 0 {
            path.push(&Text::literal("/".to_owned(), None));
        }
        path.push(&part.map_or(Text::hole(Hole::Unknown), |part| interpreter.to_text(part)));
    }
    let node = read::scan(interpreter, dataset::path(&path, None), read::Extra::default(), range, range);
    interpreter.tainted("an object of S3", &[&Value::Frame(node)])
}

/// `df.to_parquet(path)` of pandas, and `wr.s3.to_parquet(df, path=…)`.
pub(super) fn write_pandas(interpreter: &mut Interpreter, frames: Vec<NodeId>, name: &str, args: &Args) {
    let path = args.named("path").or_else(|| args.positional.first().map(|(value, _)| value)).cloned();
    // A buffer in memory is no dataset.
    let path = path.filter(|path| path.alternatives().iter().all(|path| matches!(path, Value::Text(_))));
    if path.is_none() {
        return;
    }
    let here = interpreter.here(args.range);
    let format = name.trim_start_matches("to_").to_owned();
    let table = args.named("table").map(|value| interpreter.to_text(value));
    let database = args.named("database").map(|value| interpreter.to_text(value));
    for text in dataset::texts(interpreter, path.as_ref()).into_iter().flatten() {
        let located = dataset::path(&text, Some(format.clone()));
        // What lies on the worker's own disk is no dataset of the lake.
        if located.name.starts_with('/') {
            continue;
        }
        let dataset = match &table {
            Some(table) => Dataset {
                path: located.path.clone(),
                format: located.format.clone(),
                ..dataset::catalog(database.as_ref(), Some(table))
            },
            None => located,
        };
        let mode = match args.named("mode").and_then(Value::exact_text) {
            Some("append") => Mode::Append,
            Some("overwrite" | "overwrite_partitions") | None => Mode::Overwrite,
            Some(_) => Mode::Unknown,
        };
        let partition_keys =
            args.named("partition_cols").map(|value| types::names_or_unknown(interpreter, value)).unwrap_or_default();
        let input = interpreter.plan.opaque(frames.clone(), "a pandas frame", here);
        let sink = Sink {
            input,
            registers_partitions: (!partition_keys.is_empty()).then_some(table.is_some()),
            dataset,
            mode,
            partition_keys,
            merge_keys: Vec::new(),
            dynamic_overwrite: Some(args.named("mode").and_then(Value::exact_text) == Some("overwrite_partitions")),
            placing: Placing::AsTheyAre,
            condition: None,
            range: here,
        };
        write::add(interpreter, sink);
    }
}

/// Whether a function's name says that it returns an argument, variable or parameter by name.
fn gives_argument(name: &str) -> bool {
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split('_').collect();
    let of_run = ["arg", "args", "argument", "env", "param", "parameter", "parameters", "option", "ssm", "job"];
    matches!(words.first(), Some(&("get" | "read" | "resolve" | "fetch")))
        && words.iter().any(|word| of_run.contains(word))
}

fn moment(timestamp: bool) -> Value {
    Value::Text(Text::hole(Hole::Moment { timestamp }))
}

/// `os.path.join`.
fn join(interpreter: &mut Interpreter, args: &Args) -> Value {
    let mut joined = Text::default();
    for (position, (value, _)) in args.positional.iter().enumerate() {
        let part = interpreter.to_text(value);
        if position > 0 && !joined.render().ends_with('/') {
            joined.push(&Text::literal("/".to_owned(), None));
        }
        joined.push(&part);
    }
    Value::Text(joined)
}

/// What text in JSON, YAML or Python's own notation says, where it is known and is JSON.
pub(crate) fn parsed(interpreter: &mut Interpreter, text: &Value) -> Value {
    match text.exact_text().and_then(|text| serde_json::from_str(text).ok()) {
        Some(json) => from_json(interpreter, &json),
        None => Value::part_of(interpreter.hole_of(text), "text that the run reads"),
    }
}

fn from_json(interpreter: &mut Interpreter, json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::None,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::text(text.clone()),
        serde_json::Value::Array(items) => {
            let items = items.iter().map(|item| from_json(interpreter, item)).collect();
            interpreter.heap.list(items, true)
        }
        serde_json::Value::Object(entries) => {
            let entries =
                entries.iter().map(|(key, value)| (Value::text(key.clone()), from_json(interpreter, value))).collect();
            interpreter.heap.dict(entries, true)
        }
    }
}

/// `functools.reduce(function, items, start)`.
fn reduce(interpreter: &mut Interpreter, args: &Args) -> Value {
    let (Some(function), Some(items)) = (args.get(0, "function").cloned(), args.get(1, "iterable").cloned()) else {
        return Value::unknown("a reduction");
    };
    let (items, exact) = interpreter.iterate(&items);
    let mut values = args.get(2, "initial").cloned().into_iter().chain(items);
    let Some(mut result) = values.next() else { return Value::unknown("a reduction of nothing") };
    for value in values {
        let next = interpreter.call(&function, Args::of(vec![result.clone(), value], args.range));
        result = if exact { next } else { interpreter.join(result, next, args.range) };
    }
    result
}
