//! `getSink`: a writer that is configured by calls and then given a frame.

use super::{dataset, glue, write};
use crate::facts::{DatasetKind, Mode};
use crate::interpret::{Args, Interpreter, Mention};
use crate::plan::{Placing, Sink};
use crate::range::TextRange;
use crate::value::{Object, ObjectId, SinkBuilder, Value};

pub(crate) fn method(interpreter: &mut Interpreter, id: ObjectId, name: &str, args: &Args) -> Value {
    if name == "writeFrame" {
        let frame = args.get(0, "dynamic_frame").cloned().unwrap_or(Value::None);
        if let Object::Sink(sink) = interpreter.heap.get(id) {
            let mut sink = sink.clone();
            sink.frame = interpreter.frame_of(&frame, args.range);
            write(interpreter, &sink, args.range);
        }
        return frame;
    }
    let Object::Sink(sink) = interpreter.heap.get_mut(id) else { return Value::None };
    match name {
        "setFormat" => sink.format = args.get(0, "format").cloned(),
        "setCatalogInfo" => {
            sink.database = args.get(0, "catalogDatabase").cloned();
            sink.table = args.get(1, "catalogTableName").cloned();
        }
        _ => {}
    }
    Value::None
}

fn write(interpreter: &mut Interpreter, sink: &SinkBuilder, range: TextRange) {
    let Some(input) = sink.frame else { return };
    let format = sink.format.as_ref().and_then(Value::exact_text).map(|format| match format {
        "glueparquet" => "parquet".to_owned(),
        other => other.to_lowercase(),
    });
    let kind = sink.connection_type.as_ref().and_then(Value::exact_text).map(str::to_lowercase);
    for path in dataset::texts(interpreter, sink.path.as_ref()) {
        let mut target = match (&path, glue::is_file_connection(kind.as_deref())) {
            (Some(path), true) => dataset::path(path, format.clone()),
            _ => glue::unknown_dataset(kind.clone()),
        };
        if sink.table.is_some() {
            let database = dataset::texts(interpreter, sink.database.as_ref()).into_iter().flatten().next();
            let table = dataset::texts(interpreter, sink.table.as_ref()).into_iter().flatten().next();
            let named = dataset::catalog(database.as_ref(), table.as_ref());
            target = crate::facts::Dataset {
                path: target.path,
                format: format.clone(),
                kind: DatasetKind::Catalog,
                ..named
            };
        }
        let registers = (!sink.partition_keys.is_empty()).then(|| sink.updates_catalog.unwrap_or(false));
        interpreter.mention(range, Mention::Target(interpreter.plan.sinks.len()));
        let sink = Sink {
            input,
            dataset: target,
            mode: Mode::Append,
            partition_keys: sink.partition_keys.clone(),
            merge_keys: Vec::new(),
            dynamic_overwrite: None,
            registers_partitions: registers,
            placing: Placing::AsTheyAre,
            condition: None,
            range: interpreter.here(range),
        };
        write::add(interpreter, sink);
    }
}
