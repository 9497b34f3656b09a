//! Writes: `df.write` in its forms, `write_dynamic_frame`, `writeTo`, Delta merges, streaming.

use std::rc::Rc;

use contract::expr::{BinaryOp, Expr, ExprKind};

use super::{bind, column, dataset, glue, session, types};
use crate::expression;
use crate::facts::{Dataset, Mode};
use crate::interpret::{Args, Interpreter, Mention};
use crate::plan::{NodeId, Placing, Sink};
use crate::range::TextRange;
use crate::value::{MergeBuilder, Text, Value, Writer};

/// `df.write`, `df.writeTo(…)` or `df.writeStream`.
pub(crate) fn writer(input: NodeId, target: Option<Value>) -> Value {
    Value::Writer(Rc::new(Writer {
        input,
        format: None,
        mode: None,
        options: Vec::new(),
        partition_by: Vec::new(),
        target,
        batch: None,
        placing: Placing::AsTheyAre,
    }))
}

/// The partition keys that an argument names, columns of what is written; `<?>` where there may be further ones.
fn keys_of(interpreter: &mut Interpreter, names: &Value, frame: NodeId) -> Vec<String> {
    bind::mention_names(interpreter, names, frame);
    types::names_or_unknown(interpreter, names)
}

/// A method of a writer.
pub(crate) fn method(interpreter: &mut Interpreter, writer: &Rc<Writer>, name: &str, args: Args) -> Value {
    let mut next = writer.as_ref().clone();
    match name {
        "format" | "using" => next.format = args.get(0, "source").cloned(),
        "mode" | "outputMode" => next.mode = args.get(0, "saveMode").cloned(),
        "option" | "tableProperty" => {
            if let (Some(Value::Text(key)), Some(value)) = (args.get(0, "key"), args.get(1, "value")) {
                next.options = session::with_option(&next.options, &key.render(), value.clone());
            }
        }
        "options" => next.options.extend(session::options_of(interpreter, &args)),
        "partitionBy" | "partitionedBy" => {
            next.partition_by =
                args.positional.iter().flat_map(|(value, _)| keys_of(interpreter, value, next.input)).collect();
            if args.open {
                next.partition_by.push(crate::value::UNKNOWN_HOLE.to_owned());
            }
        }
        "foreachBatch" => next.batch = args.get(0, "func").cloned(),
        "start" | "toTable" if next.batch.is_some() => {
            let batch = next.batch.clone();
            return for_each_batch(interpreter, Some(Value::Frame(next.input)), batch, args.range);
        }
        "save" | "start" | "parquet" | "json" | "csv" | "orc" | "text" => {
            let direct = matches!(name, "parquet" | "json" | "csv" | "orc" | "text").then(|| name.to_owned());
            let keyword = |name: &str| args.named(name).cloned();
            let format = direct
                .or_else(|| keyword("format").as_ref().and_then(Value::exact_text).map(str::to_lowercase))
                .or_else(|| next.format.as_ref().and_then(Value::exact_text).map(str::to_lowercase));
            next.mode = keyword("mode").or(next.mode);
            if let Some(keys) = keyword("partitionBy") {
                next.partition_by = keys_of(interpreter, &keys, next.input);
            }
            let (target, place) = match args.find(0, "path") {
                Some((value, place)) => (Some(value.clone()), place),
                None => (None, args.range),
            };
            for text in dataset::texts(interpreter, target.as_ref()) {
                let found = dataset::by_format(interpreter, format.as_deref(), &next.options, text.as_ref());
                let dataset = found.unwrap_or_else(|| glue::unknown_dataset(format.clone()));
                finish(interpreter, &next, dataset, name == "start", place, args.range);
            }
            return Value::None;
        }
        "saveAsTable" | "insertInto" | "toTable" => {
            let Some((value, place)) = args.find(0, "name").or_else(|| args.find(0, "tableName")) else {
                return Value::None;
            };
            let value = value.clone();
            if name == "insertInto" {
                let overwrite = args.get(1, "overwrite").and_then(|value| value.truth(&interpreter.heap));
                next.mode = Some(match overwrite {
                    Some(true) => Value::text("overwrite"),
                    _ => next.mode.unwrap_or(Value::text("append")),
                });
            }
            next.mode = args.named("mode").cloned().or(next.mode);
            next.placing = match next.mode.as_ref().map(mode_of) {
                _ if name == "insertInto" => Placing::ByPosition,
                Some(Mode::Append | Mode::Unknown) => Placing::ByName,
                _ => Placing::AsTheyAre,
            };
            let format =
                args.named("format").or(next.format.as_ref()).and_then(Value::exact_text).map(str::to_lowercase);
            for text in dataset::texts(interpreter, Some(&value)).into_iter().flatten() {
                let path = dataset::option(&next.options, "path").map(|value| interpreter.to_text(value).render());
                let dataset = Dataset { format: format.clone(), path, ..dataset::named_table(&text) };
                finish(interpreter, &next, dataset, name == "toTable", place, args.range);
            }
            return Value::None;
        }
        "jdbc" => {
            next.mode = args.get(2, "mode").cloned().or(next.mode);
            let connection = args.get(0, "url").map(|value| interpreter.to_text(value));
            let table = args.get(1, "table").map(|value| interpreter.to_text(value));
            let dataset = dataset::jdbc(connection.as_ref(), table.as_ref(), None, Some("jdbc".to_owned()));
            finish(interpreter, &next, dataset, false, args.range, args.range);
            return Value::None;
        }
        "append" | "create" | "replace" | "createOrReplace" | "overwritePartitions" | "overwrite" => {
            next.mode = Some(Value::text(match name {
                "append" => "append",
                "create" => "error",
                _ => "overwrite",
            }));
            if matches!(name, "append" | "overwrite" | "overwritePartitions") {
                next.placing = Placing::ByName;
            }
            if name == "overwritePartitions" {
                next.options = session::with_option(&next.options, "partitionOverwriteMode", Value::text("dynamic"));
            }
            let format = next.format.as_ref().and_then(Value::exact_text).map(str::to_lowercase);
            let target = next.target.clone();
            for text in dataset::texts(interpreter, target.as_ref()).into_iter().flatten() {
                let dataset = Dataset { format: format.clone(), ..dataset::named_table(&text) };
                finish(interpreter, &next, dataset, false, args.range, args.range);
            }
            return Value::None;
        }
        // What does not change where or how it is written.
        _ => {}
    }
    Value::Writer(Rc::new(next))
}

/// The write that a writer describes.
fn finish(
    interpreter: &mut Interpreter,
    writer: &Writer,
    dataset: Dataset,
    streaming: bool,
    place: TextRange,
    range: TextRange,
) {
    note_actions(interpreter, &writer.options);
    let format = dataset.format.clone().unwrap_or_default();
    let mut mode = match &writer.mode {
        None if streaming => Mode::Append,
        None => Mode::ErrorIfExists,
        Some(value) => mode_of(value),
    };
    let option = |name: &str| dataset::option(&writer.options, name).map(|value| interpreter.to_text(value).render());
    let mut merge_keys = Vec::new();
    let mut partition_keys = writer.partition_by.clone();
    if format == "hudi" || format == "org.apache.hudi" {
        let keys = option("hoodie.datasource.write.recordkey.field").unwrap_or_default();
        merge_keys = keys.split(',').map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()).collect();
        if partition_keys.is_empty() {
            let keys = option("hoodie.datasource.write.partitionpath.field").unwrap_or_default();
            partition_keys = keys
                .split(',')
                .map(|key| key.split(':').next().unwrap_or(key).trim().to_owned())
                .filter(|key| !key.is_empty())
                .collect();
        }
        let operation = option("hoodie.datasource.write.operation").unwrap_or_else(|| "upsert".to_owned());
        if mode == Mode::Append && operation == "upsert" {
            mode = Mode::Merge;
        } else {
            merge_keys.retain(|_| operation == "upsert");
        }
    }
    let setting = interpreter
        .settings
        .get("spark.sql.sources.partitionOverwriteMode")
        .map(|value| interpreter.to_text(value).render());
    let dynamic = option("partitionOverwriteMode").or(setting).map(|mode| mode.eq_ignore_ascii_case("dynamic"));
    let registers = match dataset.kind {
        _ if partition_keys.is_empty() => None,
        crate::facts::DatasetKind::Catalog => Some(true),
        _ => Some(false),
    };
    interpreter.mention(place, Mention::Target(interpreter.plan.sinks.len()));
    let sink = Sink {
        input: writer.input,
        dataset,
        mode,
        partition_keys,
        merge_keys,
        dynamic_overwrite: Some(dynamic.unwrap_or(false)),
        registers_partitions: registers,
        placing: writer.placing,
        condition: None,
        range: interpreter.here(range),
    };
    add(interpreter, sink);
}

/// Records a write.
pub(crate) fn add(interpreter: &mut Interpreter, sink: Sink) {
    let sink = Sink { condition: interpreter.plan.condition.clone(), ..sink };
    if !interpreter.plan.sinks.contains(&sink) {
        interpreter.plan.sinks.push(sink);
    }
}

fn mode_of(value: &Value) -> Mode {
    match value.exact_text().map(str::to_lowercase).as_deref() {
        Some("append") => Mode::Append,
        Some("overwrite" | "complete") => Mode::Overwrite,
        Some("ignore") => Mode::Ignore,
        Some("error" | "errorifexists" | "default") => Mode::ErrorIfExists,
        _ => Mode::Unknown,
    }
}

/// `write_dynamic_frame.from_options`.
pub(crate) fn to_options(interpreter: &mut Interpreter, args: &Args) -> Value {
    let args = &glue::meant(
        interpreter,
        args,
        &[
            "frame",
            "connection_type",
            "connection_options",
            "format",
            "format_options",
            "transformation_ctx",
            "accumulator_size",
            "frame_or_dfc",
        ],
    );
    let frame = args.get(0, "frame").or_else(|| args.named("frame_or_dfc")).cloned().unwrap_or(Value::None);
    let Some(input) = interpreter.frame_of(&frame, args.range) else { return frame };
    let kind = args.get(1, "connection_type").and_then(Value::exact_text).map(str::to_lowercase);
    let options = args.get(2, "connection_options").cloned().unwrap_or(Value::None);
    let place = args.find(2, "connection_options").map_or(args.range, |(_, place)| place);
    let entries = dataset::entries(interpreter, &options);
    note_actions(interpreter, &entries);
    let format = args.get(3, "format").and_then(Value::exact_text).map(|format| match format {
        "glueparquet" => "parquet".to_owned(),
        other => other.to_lowercase(),
    });
    let wanted = if glue::is_file_connection(kind.as_deref()) {
        format.or_else(|| kind.clone().filter(|kind| matches!(kind.as_str(), "hudi" | "delta" | "iceberg")))
    } else {
        kind.clone()
    };
    let partition_keys = dataset::option(&entries, "partitionKeys");
    let partition_keys = partition_keys.map(|keys| keys_of(interpreter, keys, input)).unwrap_or_default();
    let updates = dataset::option(&entries, "enableUpdateCatalog").and_then(|value| value.truth(&interpreter.heap));
    let path = dataset::option(&entries, "path").cloned();
    let marketplace_hudi = dataset::option(&entries, "hoodie.table.name").is_some();
    for text in dataset::texts(interpreter, path.as_ref()) {
        let found = dataset::by_format(interpreter, wanted.as_deref(), &entries, text.as_ref());
        let mut dataset = found.unwrap_or_else(|| glue::unknown_dataset(wanted.clone()));
        // A connector decides for itself what writing means.
        let connector = kind.clone().filter(|kind| kind.starts_with("custom.") || kind.starts_with("marketplace."));
        dataset.format = dataset.format.or(connector);
        if marketplace_hudi || dataset.format.as_deref() == Some("hudi") {
            let dataset = Dataset { format: Some("hudi".to_owned()), ..dataset };
            let writer = Writer {
                input,
                format: None,
                mode: Some(Value::text("append")),
                options: entries.clone(),
                partition_by: partition_keys.clone(),
                target: None,
                batch: None,
                placing: Placing::AsTheyAre,
            };
            finish(interpreter, &writer, dataset, false, place, args.range);
            continue;
        }
        let registers = (!partition_keys.is_empty()).then(|| updates.unwrap_or(false));
        interpreter.mention(place, Mention::Target(interpreter.plan.sinks.len()));
        let sink = Sink {
            input,
            dataset,
            mode: Mode::Append,
            partition_keys: partition_keys.clone(),
            merge_keys: Vec::new(),
            dynamic_overwrite: None,
            registers_partitions: registers,
            placing: Placing::AsTheyAre,
            condition: None,
            range: interpreter.here(args.range),
        };
        add(interpreter, sink);
    }
    frame
}

/// SQL that the database runs before or after the rows are there, which may remove what an earlier run wrote.
fn note_actions(interpreter: &mut Interpreter, options: &[(String, Value)]) {
    interpreter.plan.traits.clears |= ["preactions", "postactions"].iter().any(|name| {
        dataset::option(options, name).is_some_and(|value| match interpreter.to_text(value).exact() {
            Some(sql) => ["truncate", "delete", "drop", "merge"].iter().any(|word| sql.to_lowercase().contains(word)),
            None => true,
        })
    });
}

/// `write_dynamic_frame.from_catalog`.
pub(crate) fn to_catalog(interpreter: &mut Interpreter, args: &Args) -> Value {
    let args = &glue::meant(
        interpreter,
        args,
        &[
            "frame",
            "database",
            "table_name",
            "redshift_tmp_dir",
            "transformation_ctx",
            "additional_options",
            "catalog_id",
            "name_space",
        ],
    );
    let frame = args.get(0, "frame").cloned().unwrap_or(Value::None);
    let Some(input) = interpreter.frame_of(&frame, args.range) else { return frame };
    let database = args.get(1, "database").or_else(|| args.named("name_space")).cloned();
    let (table, place) = match args.find(2, "table_name") {
        Some((value, place)) => (Some(value.clone()), place),
        None => (None, args.range),
    };
    let options = args.named("additional_options").cloned().unwrap_or(Value::None);
    let entries = dataset::entries(interpreter, &options);
    note_actions(interpreter, &entries);
    let partition_keys = dataset::option(&entries, "partitionKeys");
    let partition_keys = partition_keys.map(|keys| keys_of(interpreter, keys, input)).unwrap_or_default();
    let updates = dataset::option(&entries, "enableUpdateCatalog").and_then(|value| value.truth(&interpreter.heap));
    for database in dataset::texts(interpreter, database.as_ref()) {
        for table in dataset::texts(interpreter, table.as_ref()) {
            interpreter.mention(place, Mention::Target(interpreter.plan.sinks.len()));
            let sink = Sink {
                input,
                dataset: dataset::catalog(database.as_ref(), table.as_ref()),
                mode: Mode::Append,
                partition_keys: partition_keys.clone(),
                merge_keys: Vec::new(),
                dynamic_overwrite: None,
                registers_partitions: (!partition_keys.is_empty()).then(|| updates.unwrap_or(false)),
                placing: Placing::AsTheyAre,
                condition: None,
                range: interpreter.here(args.range),
            };
            add(interpreter, sink);
        }
    }
    frame
}

/// `write_dynamic_frame.from_jdbc_conf`.
pub(crate) fn to_jdbc(interpreter: &mut Interpreter, args: &Args) -> Value {
    let frame = args.get(0, "frame").cloned().unwrap_or(Value::None);
    let Some(input) = interpreter.frame_of(&frame, args.range) else { return frame };
    let options = args.get(2, "connection_options").cloned().unwrap_or(Value::None);
    let entries = dataset::entries(interpreter, &options);
    note_actions(interpreter, &entries);
    let connection = args.get(1, "catalog_connection").map(|value| interpreter.to_text(value));
    let option = |name: &str| dataset::option(&entries, name).map(|value| interpreter.to_text(value));
    let dataset = dataset::jdbc(connection.as_ref(), option("dbtable").as_ref(), option("database").as_ref(), None);
    interpreter.mention(args.range, Mention::Target(interpreter.plan.sinks.len()));
    let sink = Sink {
        input,
        dataset,
        mode: Mode::Append,
        partition_keys: Vec::new(),
        merge_keys: Vec::new(),
        dynamic_overwrite: None,
        registers_partitions: None,
        placing: Placing::AsTheyAre,
        condition: None,
        range: interpreter.here(args.range),
    };
    add(interpreter, sink);
    frame
}

/// A batch function runs on frames of the stream.
pub(crate) fn for_each_batch(
    interpreter: &mut Interpreter,
    frame: Option<Value>,
    function: Option<Value>,
    range: TextRange,
) -> Value {
    if let Some(function) = function {
        let frame = frame.unwrap_or(Value::unknown("a batch"));
        interpreter.call(&function, Args::of(vec![frame, Value::unknown("a batch id")], range));
    }
    Value::None
}

/// `DeltaTable.forPath(…)` and what is built on it.
pub(crate) fn merge_method(interpreter: &mut Interpreter, merge: &Rc<MergeBuilder>, name: &str, args: Args) -> Value {
    let mut next = merge.as_ref().clone();
    match name {
        "alias" => {
            if let Some(Value::Text(alias)) = args.get(0, "aliasName") {
                let range = interpreter.here(args.range);
                next.target = interpreter.plan.alias(next.target, &alias.render(), range);
            }
        }
        "toDF" => {
            let scans: Vec<NodeId> = interpreter.plan.scans(next.target).into_iter().map(|(id, _)| id).collect();
            interpreter.plan.targets.retain(|target| !scans.contains(target));
            return Value::Frame(next.target);
        }
        "delete" | "update" => {
            let mode = if name == "delete" { Mode::Delete } else { Mode::Update };
            change(interpreter, next.target, mode, args.range);
            return Value::None;
        }
        "merge" => {
            let source = args.get(0, "source").cloned().unwrap_or(Value::None);
            next.source = interpreter.frame_of(&source, args.range);
            if let Some((condition, place)) = args.find(1, "condition") {
                let condition = condition.clone();
                if let Value::Column(condition) = column::from_sql(interpreter, &condition, place) {
                    next.condition = Some(condition.expr.clone());
                }
            }
        }
        "execute" => {
            if let Some(source) = next.source {
                merge_into(interpreter, next.target, source, next.condition.as_ref(), args.range);
            }
            return Value::None;
        }
        _ => {}
    }
    Value::Merge(Rc::new(next))
}

/// Records that rows of the table which `target` scans are removed or changed.
fn change(interpreter: &mut Interpreter, target: NodeId, mode: Mode, range: TextRange) {
    let Some(dataset) = interpreter.plan.scans(target).first().map(|(_, scan)| scan.dataset.clone()) else { return };
    interpreter.plan.traits.clears = true;
    let here = interpreter.here(range);
    let input = interpreter.plan.opaque(Vec::new(), "the rows that the table has", here);
    let sink = Sink {
        input,
        dataset,
        mode,
        partition_keys: Vec::new(),
        merge_keys: Vec::new(),
        dynamic_overwrite: None,
        registers_partitions: None,
        placing: Placing::AsListed,
        condition: None,
        range: here,
    };
    add(interpreter, sink);
}

/// Records a merge of `source` into the table that `target` scans.
pub(crate) fn merge_into(
    interpreter: &mut Interpreter,
    target: NodeId,
    source: NodeId,
    condition: Option<&Expr>,
    range: TextRange,
) {
    let Some(dataset) = interpreter.plan.scans(target).first().map(|(_, scan)| scan.dataset.clone()) else { return };
    let merge_keys = condition.map(|condition| merge_keys(condition, None)).unwrap_or_default();
    let here = interpreter.here(range);
    if let Some(condition) = condition {
        interpreter.uncertainly(|this| bind::bind_both(this, source, target, condition));
    }
    let sink = Sink {
        input: source,
        dataset,
        mode: Mode::Merge,
        partition_keys: Vec::new(),
        merge_keys,
        dynamic_overwrite: None,
        registers_partitions: None,
        placing: Placing::AsListed,
        condition: None,
        range: here,
    };
    add(interpreter, sink);
}

/// The table that a `DeltaTable` call names.
pub(crate) fn delta_table(interpreter: &mut Interpreter, name: &str, args: &Args) -> Value {
    let Some((value, place)) = args.find(1, if name == "forPath" { "path" } else { "tableOrViewName" }) else {
        return Value::unknown("a Delta table without a name");
    };
    let text: Text = interpreter.to_text(&value.clone());
    let mut dataset = if name == "forPath" { dataset::path(&text, None) } else { dataset::named_table(&text) };
    dataset.format = Some("delta".to_owned());
    let target = super::read::scan(interpreter, dataset, super::read::Extra::default(), place, args.range);
    interpreter.plan.targets.push(target);
    Value::Merge(Rc::new(MergeBuilder { target, source: None, condition: None }))
}

/// The columns of the target that a merge condition sets equal to columns of the source.
pub(crate) fn merge_keys(condition: &Expr, target: Option<&str>) -> Vec<String> {
    let mut keys = Vec::new();
    for conjunct in expression::conjuncts(condition) {
        let ExprKind::Binary { op: BinaryOp::Equal | BinaryOp::NullSafeEqual, left, right } = &conjunct.kind else {
            continue;
        };
        let (ExprKind::Column(left), ExprKind::Column(right)) = (&left.kind, &right.kind) else { continue };
        let of_target = |column: &contract::expr::ColumnRef| {
            target.is_some() && column.qualifier.as_deref().zip(target).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
        };
        let key = if of_target(right) { right } else { left };
        keys.push(key.name.rsplit('.').next().unwrap_or(&key.name).to_owned());
    }
    keys
}
