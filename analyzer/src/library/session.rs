//! SparkSession, SparkContext, and where job arguments come from.

use contract::types::DataType;

use super::{column, dataset, read, types};
use crate::interpret::{Args, Interpreter, Mention};
use crate::plan::{Field, NodeKind, Origin, Schema};
use crate::range::TextRange;
use crate::value::{ArgumentSource, Hole, Object, Text, Value};

/// Reason of the value of a resilient distributed dataset, and of what its methods give.
pub(crate) const RDD: &str = "a resilient distributed dataset";

/// Names that hold the session or a context wherever they are not set in the script itself, such as parameters of a
/// helper and the variables of a notebook.
pub(crate) fn well_known(name: &str) -> Option<Value> {
    match name {
        "spark" | "spark_session" | "sparkSession" | "session" => Some(Value::native("spark")),
        "glueContext" | "glue_context" | "gluecontext" => Some(Value::native("glue")),
        "sc" | "spark_context" | "sparkContext" => Some(Value::native("spark_context")),
        // A star import may have brought them.
        "datetime" | "time" | "json" | "os" | "re" | "sys" | "boto3" => Some(Value::native(name)),
        _ => None,
    }
}

/// The value of a job argument, environment variable or workflow property.
pub(crate) fn argument(interpreter: &mut Interpreter, source: ArgumentSource, key: &Value) -> Value {
    let Value::Text(key) = key else { return interpreter.unknown_text() };
    let Some(name) = key.exact() else { return interpreter.unknown_text() };
    let name = name.trim_start_matches('-').to_owned();
    let hole = match source {
        ArgumentSource::Job => {
            mention(interpreter, source, &Value::Text(key.clone()));
            match interpreter.world.argument(&name) {
                Some(value) => return Value::text(value),
                None => Hole::Arg(name),
            }
        }
        ArgumentSource::Environment => Hole::Env(name),
        ArgumentSource::Workflow => Hole::WorkflowProp(name),
    };
    Value::Text(Text::hole(hole))
}

/// Remembers that a job argument is named here.
pub(crate) fn mention(interpreter: &mut Interpreter, source: ArgumentSource, key: &Value) {
    let (ArgumentSource::Job, Value::Text(text)) = (source, key) else { return };
    let Some(name) = text.exact().map(|name| name.trim_start_matches('-').to_owned()) else { return };
    let place = column::place_of(interpreter, text, TextRange::default());
    interpreter.mention(place, Mention::Argument(name.clone()));
    interpreter.arguments.insert(name);
}

/// The call of something of `pyspark`, the session or the context.
pub(crate) fn call(interpreter: &mut Interpreter, path: &str, args: Args) -> Value {
    let name = path.rsplit('.').next().unwrap_or(path);
    let range = interpreter.here(args.range);
    match path {
        "spark.sql" => match args.find(0, "sqlQuery") {
            Some((text, place)) => crate::sql::run(interpreter, &text.clone(), place),
            None => interpreter.tainted("a query that is not known", &args.values()),
        },
        "spark.table" | "spark.read.table" => read::table(interpreter, &args),
        "spark.createDataFrame" => create_data_frame(interpreter, &args),
        "spark.range" => {
            let id = interpreter.plan.add_column(
                "id",
                DataType::BigInt,
                Origin::Computed(crate::expression::opaque("range", Vec::new(), DataType::BigInt, range)),
                range,
            );
            let field =
                Field { name: "id".to_owned(), id, qualifiers: Vec::new(), nullable: Some(false), condition: None };
            Value::Frame(interpreter.plan.add(NodeKind::Values, Schema::closed(vec![field]), range))
        }
        "spark.conf.set" => {
            if let (Some(key), Some(value)) = (args.get(0, "key").and_then(Value::exact_text), args.get(1, "value")) {
                interpreter.settings.insert(key.to_owned(), value.clone());
            }
            Value::None
        }
        "spark.conf.get" => Value::unknown("a setting of the session"),
        "spark.stop" | "spark.catalog.clearCache" => Value::None,
        _ if name == "getOrCreate" && path.contains("SparkContext") => Value::native("spark_context"),
        _ if name == "getOrCreate" || name == "SparkSession" || name == "newSession" => Value::native("spark"),
        _ if name == "SparkContext" => Value::native("spark_context"),
        _ if name == "config" || path.contains("builder") => {
            if name == "config"
                && let (Some(key), Some(value)) = (args.get(0, "key").and_then(Value::exact_text), args.get(1, "value"))
            {
                interpreter.settings.insert(key.to_owned(), value.clone());
            }
            // Each call of a builder is the builder again.
            Value::native(path.rsplit_once('.').map_or(path, |(builder, _)| builder))
        }
        _ if name == "Row" => interpreter.tainted("a row", &args.values()),
        _ if path.starts_with("spark_context.") => interpreter.tainted(RDD, &args.values()),
        _ => interpreter.tainted("a library call that is not modelled", &args.values()),
    }
}

/// `spark.createDataFrame(data, schema)`: rows of the script itself, with columns as far as they are declared.
fn create_data_frame(interpreter: &mut Interpreter, args: &Args) -> Value {
    let range = interpreter.here(args.range);
    let names: Option<Vec<(String, DataType)>> = match args.get(1, "schema") {
        Some(Value::Type(DataType::Struct(fields))) => Some(fields.clone()),
        Some(Value::Text(text)) => text.exact().and_then(types::parse_ddl),
        Some(value) => match interpreter.heap.items(value) {
            Some((items, true)) => {
                items.iter().map(|item| item.exact_text().map(|name| (name.to_owned(), DataType::Unknown))).collect()
            }
            _ => None,
        },
        None => None,
    };
    let data = args.get(0, "data").cloned().unwrap_or(Value::None);
    if let Some(node) = data.frame() {
        return Value::Frame(node);
    }
    let inputs = match interpreter.tainted("", &[&data]) {
        Value::Unknown(unknown) => unknown.frames,
        _ => Vec::new(),
    };
    match names {
        Some(fields) => {
            let from = interpreter.heap.items(&data).is_some() && inputs.is_empty();
            let fields = fields
                .into_iter()
                .map(|(name, data_type)| {
                    let origin = if from {
                        Origin::Computed(crate::expression::opaque(
                            "a value of the script",
                            Vec::new(),
                            data_type.clone(),
                            range,
                        ))
                    } else {
                        Origin::Unknown
                    };
                    let id = interpreter.plan.add_column(&name, data_type, origin, range);
                    Field { name, id, qualifiers: Vec::new(), nullable: None, condition: None }
                })
                .collect();
            let kind = if inputs.is_empty() {
                NodeKind::Values
            } else {
                NodeKind::Opaque { inputs, reason: "rows that Python made".to_owned() }
            };
            Value::Frame(interpreter.plan.add(kind, Schema::closed(fields), range))
        }
        None => Value::Frame(interpreter.plan.opaque(inputs, "rows that Python made", range)),
    }
}

/// `getResolvedOptions(…)`, `get_workflow_run_properties(…)` and other mappings that the run fills.
pub(crate) fn arguments(interpreter: &mut Interpreter, source: ArgumentSource, names: Option<&Value>) -> Value {
    let (names, _) = names.and_then(|names| interpreter.heap.items(names)).unwrap_or_default();
    let mut entries = Vec::new();
    for name in names.into_iter().filter(|name| name.exact_text().is_some()) {
        let value = argument(interpreter, source, &name);
        entries.push((name, value));
    }
    let known = interpreter.heap.add(Object::Dict { entries, exact: false });
    Value::Arguments(source, Some(known))
}

/// A reader with one option more.
pub(crate) fn with_option(options: &[(String, Value)], name: &str, value: Value) -> Vec<(String, Value)> {
    let mut options: Vec<(String, Value)> =
        options.iter().filter(|(known, _)| !known.eq_ignore_ascii_case(name)).cloned().collect();
    options.push((name.to_owned(), value));
    options
}

/// Options that a call's keywords or a dict give.
pub(crate) fn options_of(interpreter: &Interpreter, args: &Args) -> Vec<(String, Value)> {
    let mut options: Vec<(String, Value)> =
        args.keywords.iter().map(|keyword| (keyword.name.clone(), keyword.value.clone())).collect();
    for (value, _) in &args.positional {
        options.extend(dataset::entries(interpreter, value));
    }
    options
}
