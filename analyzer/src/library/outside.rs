//! Python's standard library, boto3, Delta and everything else that is not Spark itself.

use super::{session, write};
use crate::interpret::{Args, Interpreter};
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
                _ => run_date(),
            }
        }
        ("datetime" | "time", "sleep" | "time" | "perf_counter" | "monotonic") => Value::unknown("a time"),
        ("datetime" | "time", _) => run_date(),
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
        ("argument_parser", "parse_args") => Value::Arguments(ArgumentSource::Job),
        ("argument_parser", "parse_known_args") => {
            let rest = Value::unknown("further arguments");
            Value::Tuple([Value::Arguments(ArgumentSource::Job), rest].into())
        }
        ("argument_parser", "add_argument_group") => Value::native("argument_parser"),
        ("boto3", "client" | "resource") => match args.get(0, "service_name").and_then(Value::exact_text) {
            Some(service) => Value::native(format!("aws.{service}")),
            None => Value::unknown("an AWS client"),
        },
        ("boto3", "Session") => Value::native("boto3"),
        ("aws", "get_workflow_run_properties") => {
            let key = Value::text("RunProperties");
            interpreter.heap.dict(vec![(key, Value::Arguments(ArgumentSource::Workflow))], false)
        }
        ("copy", "copy" | "deepcopy") => args.get(0, "x").cloned().unwrap_or(Value::None),
        ("json", "dumps") | ("uuid", _) | ("hashlib", _) => interpreter.unknown_text(),
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
        ("pandas", _) => interpreter.tainted("a pandas frame", &args.values()),
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

/// Whether a function's name says that it returns an argument, variable or parameter by name.
fn gives_argument(name: &str) -> bool {
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split('_').collect();
    let of_run = ["arg", "args", "argument", "env", "param", "parameter", "parameters", "option", "ssm", "job"];
    matches!(words.first(), Some(&("get" | "read" | "resolve" | "fetch")))
        && words.iter().any(|word| of_run.contains(word))
}

fn run_date() -> Value {
    Value::Text(Text::hole(Hole::RunDate))
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
