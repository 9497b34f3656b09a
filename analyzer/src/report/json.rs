//! The JSON of `de-copilot analyze --format json`.

use serde_json::{Value, json};

use crate::{
    Analysis, Condition, Dataset, Diagnostic, FilterFact, Grain, Input, JoinFact, Output, OutputColumn, TextRange,
};

/// Version of the report's shape; it grows when a key changes its meaning, not when one is added.
pub const SCHEMA_VERSION: u32 = 1;

/// The report of one script. Ranges are byte offsets.
pub fn json(analysis: &Analysis, script: &str, job_name: &str) -> Value {
    json!({
        "schema_version": SCHEMA_VERSION,
        "script": script,
        "job_name": job_name,
        "inputs": analysis.inputs.iter().map(input).collect::<Vec<_>>(),
        "outputs": analysis.outputs.iter().map(output).collect::<Vec<_>>(),
        "joins": analysis.joins.iter().map(join).collect::<Vec<_>>(),
        "filters": analysis.filters.iter().map(filter).collect::<Vec<_>>(),
        "diagnostics": analysis.diagnostics.iter().map(diagnostic).collect::<Vec<_>>(),
        "job_summary": analysis.job_summary(job_name),
    })
}

fn range(range: TextRange) -> Value {
    json!({ "start": range.start, "end": range.end })
}

/// The keys that inputs and outputs share.
fn dataset(dataset: &Dataset, place: TextRange) -> serde_json::Map<String, Value> {
    let mut object = serde_json::Map::new();
    object.insert("kind".to_owned(), json!(dataset.kind.name()));
    object.insert("database".to_owned(), json!(dataset.database));
    object.insert("table".to_owned(), json!(dataset.table));
    object.insert("path".to_owned(), json!(dataset.path));
    object.insert("name".to_owned(), json!(dataset.name));
    object.insert("format".to_owned(), json!(dataset.format));
    object.insert("range".to_owned(), range(place));
    object
}

/// When something holds; `null` where it is in every run.
fn when(condition: Option<&Condition>) -> Value {
    json!(condition.map(Condition::to_string))
}

fn input(input: &Input) -> Value {
    let mut object = dataset(&input.dataset, input.range);
    object.insert("pushdown".to_owned(), json!(input.pushdown));
    object.insert("bookmark".to_owned(), json!(input.bookmark));
    object.insert("condition".to_owned(), when(input.condition.as_ref()));
    Value::Object(object)
}

fn output(output: &Output) -> Value {
    let mut object = dataset(&output.dataset, output.range);
    object.insert("id".to_owned(), json!(output.id));
    object.insert("condition".to_owned(), when(output.condition.as_ref()));
    object.insert("mode".to_owned(), json!(output.mode.name()));
    let rerun = json!({ "effect": output.rerun.effect, "safe": output.rerun.safe, "reason": output.rerun.reason });
    object.insert("rerun".to_owned(), rerun);
    object.insert("registers_partitions".to_owned(), json!(output.registers_partitions));
    object.insert("partition_keys".to_owned(), json!(output.partition_keys));
    object.insert("merge_keys".to_owned(), json!(output.merge_keys));
    let columns = output.columns.as_ref().map(|columns| columns.iter().map(column).collect::<Vec<_>>());
    object.insert("columns".to_owned(), json!(columns));
    object.insert("columns_complete".to_owned(), json!(output.columns_complete));
    object.insert("grain".to_owned(), grain(&output.grain));
    object.insert("filters".to_owned(), json!(output.filters.iter().map(filter).collect::<Vec<_>>()));
    object.insert("inputs".to_owned(), json!(output.inputs));
    Value::Object(object)
}

fn column(column: &OutputColumn) -> Value {
    let sources = column.sources.as_ref().map(|sources| {
        sources.iter().map(|source| json!({ "input": source.input, "column": source.column })).collect::<Vec<_>>()
    });
    json!({
        "name": column.name,
        "type": column.data_type.to_string(),
        "nullable": column.nullable,
        "sources": sources,
        "expression": column.expression,
        "condition": when(column.condition.as_ref()),
    })
}

fn grain(grain: &Grain) -> Value {
    json!({
        "columns": grain.columns,
        "certainty": grain.certainty.name(),
        "assumptions": grain.assumptions,
        "reason": grain.reason,
    })
}

fn filter(filter: &FilterFact) -> Value {
    json!({
        "predicate": filter.predicate,
        "mapped": filter.mapped,
        "condition": when(filter.condition.as_ref()),
        "range": range(filter.range),
    })
}

fn join(join: &JoinFact) -> Value {
    json!({
        "left_inputs": join.left_inputs,
        "right_inputs": join.right_inputs,
        "left_columns": join.left_columns,
        "right_columns": join.right_columns,
        "how": join.how.name(),
        "fan_out": join.fan_out,
        "fan_out_reason": join.fan_out_reason,
        "filters": join.filters.iter().map(filter).collect::<Vec<_>>(),
        "condition": when(join.condition.as_ref()),
        "range": range(join.range),
    })
}

fn diagnostic(diagnostic: &Diagnostic) -> Value {
    let related: Vec<Value> = diagnostic
        .related
        .iter()
        .map(|related| json!({ "range": range(related.range), "message": related.message }))
        .collect();
    json!({
        "code": diagnostic.code,
        "severity": diagnostic.severity.name(),
        "range": range(diagnostic.range),
        "message": diagnostic.message,
        "suggestions": diagnostic.suggestions,
        "related": related,
    })
}
