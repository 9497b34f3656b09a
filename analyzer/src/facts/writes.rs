//! Inputs and outputs of the whole script.

use super::{
    Certainty, Dataset, Derived, Grain, Input, Mode, Output, OutputColumn, Rerun, filters, grain, joins, lineage,
};
use crate::condition::Condition;
use crate::describe::describe;
use crate::plan::{Field, NodeKind, Origin, Placing, Plan, Sink};

/// The datasets that are read, each once, in order of first read.
pub(crate) fn inputs(plan: &Plan) -> Vec<Input> {
    let mut inputs: Vec<Input> = Vec::new();
    for (id, node) in plan.nodes() {
        let NodeKind::Scan(scan) = &node.kind else { continue };
        if !plan.is_live(id) || plan.targets.contains(&id) {
            continue;
        }
        let same = |known: &&mut Input| known.dataset.name == scan.dataset.name && known.dataset.is_resolved();
        if let Some(known) = inputs.iter_mut().find(same) {
            known.condition = Condition::either(known.condition.as_ref(), node.condition.as_ref());
            continue;
        }
        inputs.push(Input {
            dataset: scan.dataset.clone(),
            range: node.range,
            pushdown: scan.pushdown.clone(),
            bookmark: scan.bookmark.clone(),
            condition: node.condition.clone(),
            node: id,
        });
    }
    inputs
}

/// The writes, in order of execution.
pub(crate) fn outputs(plan: &Derived) -> Vec<Output> {
    let mut outputs: Vec<Output> = Vec::new();
    for sink in plan.live_sinks() {
        let same = outputs.iter().filter(|output| output.dataset.name == sink.dataset.name).count();
        let id = if same == 0 { sink.dataset.name.clone() } else { format!("{}#{}", sink.dataset.name, same + 1) };
        outputs.push(output(plan, sink, id));
    }
    outputs
}

fn output(plan: &Derived, sink: &Sink, id: String) -> Output {
    let schema = plan.node(sink.input).map(|node| node.schema.clone()).unwrap_or_default();
    let fields = plan.known_fields(&schema);
    let columns: Vec<OutputColumn> = fields.iter().map(|field| column(plan, field)).collect();
    let known = schema.is_complete() || !columns.is_empty();
    Output {
        id,
        dataset: sink.dataset.clone(),
        range: sink.range,
        mode: sink.mode,
        rerun: rerun(plan, sink),
        registers_partitions: sink.registers_partitions,
        partition_keys: sink.partition_keys.clone(),
        merge_keys: sink.merge_keys.clone(),
        columns: known.then_some(columns),
        columns_complete: schema.is_exact(),
        grain: sink_grain(plan, sink),
        filters: filters::filters(plan, sink.input),
        inputs: joins::input_names(plan, sink.input),
        condition: sink.condition.clone(),
        node: sink.input,
        checks: Vec::new(),
    }
}

/// A column as reports show it.
pub(crate) fn column(plan: &Plan, field: &Field) -> OutputColumn {
    let expression = plan.column(field.id).and_then(|column| match &column.origin {
        Origin::Base(_) => Some(column.name.clone()),
        Origin::Computed(expr) => Some(describe(expr)),
        Origin::Same(source) => plan.column(*source).map(|source| source.name.clone()),
        Origin::Either(_) | Origin::Unknown => None,
    });
    OutputColumn {
        name: field.name.clone(),
        data_type: plan.column_type(field.id),
        nullable: field.nullable,
        sources: lineage::sources(plan, field.id),
        expression,
        condition: field.condition.clone(),
    }
}

/// The grain of what is written: the frame's, else what the write itself promises.
fn sink_grain(plan: &Derived, sink: &Sink) -> Grain {
    let frame = grain::grain(plan, sink.input);
    if frame.certainty == Certainty::Unknown && sink.mode == Mode::Merge && !sink.merge_keys.is_empty() {
        return Grain {
            columns: sink.merge_keys.clone(),
            certainty: Certainty::Assumed,
            assumptions: vec!["every writer of the table merges by this key".to_owned()],
            reason: "rows are merged by this key".to_owned(),
        };
    }
    frame
}

/// What a second run of the same job does.
fn rerun(plan: &Plan, sink: &Sink) -> Rerun {
    let verdict =
        |effect: &'static str, safe: Option<bool>, reason: &str| Rerun { effect, safe, reason: reason.to_owned() };
    let bookmarked = plan.scans(sink.input).iter().any(|(_, scan)| scan.bookmark.is_some());
    match sink.mode {
        Mode::Append if is_keyed_store(&sink.dataset) => {
            verdict("merges", Some(true), "an item of the same key is replaced")
        }
        Mode::Append if bookmarked => verdict(
            "appends_again",
            None,
            "rows are appended; job bookmarks, where they are enabled and the run before committed, keep the same input from being read again",
        ),
        Mode::Append if plan.traits.clears => verdict(
            "appends_again",
            None,
            "rows are appended; the job deletes or replaces something too, and it is not known whether that is what the run before wrote",
        ),
        Mode::Append => verdict("appends_again", Some(false), "the same rows are appended once more"),
        Mode::Overwrite if keeps_other_partitions(sink) => {
            verdict("replaces_partitions", Some(true), "the partitions that are written are replaced, the others stay")
        }
        Mode::Overwrite if sink.partition_keys.is_empty() => {
            verdict("replaces_table", Some(true), "what the run before wrote is replaced")
        }
        Mode::Overwrite if sink.dynamic_overwrite.is_none() => verdict(
            "unknown",
            Some(true),
            "a table in Hive's format keeps its other partitions, and one that Spark made with USING is replaced with all of them",
        ),
        Mode::Overwrite if sink.dynamic_overwrite == Some(true) => verdict(
            "replaces_table",
            Some(true),
            "the whole table is replaced, with all of its partitions: saveAsTable makes it anew",
        ),
        Mode::Overwrite => verdict(
            "replaces_table",
            Some(true),
            "the whole table is replaced, with all of its partitions: Spark's overwrite is static unless partitionOverwriteMode is dynamic",
        ),
        Mode::Merge => verdict("merges", Some(true), "rows of the same key are updated, not added"),
        Mode::Delete => verdict("deletes", Some(true), "rows that are gone already are deleted once more"),
        Mode::Update => verdict("updates", None, "the same rows are changed once more, from what the first run left"),
        Mode::ErrorIfExists => verdict("fails", Some(true), "the write fails where something is there already"),
        Mode::Ignore => verdict("keeps", Some(true), "nothing is written where something is there already"),
        Mode::Unknown => verdict("unknown", None, "the mode is not known from the script"),
    }
}

/// Whether an overwrite leaves the partitions that it does not write. What makes the table anew does not.
fn keeps_other_partitions(sink: &Sink) -> bool {
    let makes_anew =
        sink.dataset.kind == super::DatasetKind::Catalog && sink.dataset.format.as_deref() != Some("delta");
    sink.dynamic_overwrite == Some(true)
        && match sink.placing {
            Placing::AsTheyAre => !sink.partition_keys.is_empty() && !makes_anew,
            Placing::ByName | Placing::ByPosition | Placing::AsListed => true,
        }
}

fn is_keyed_store(dataset: &Dataset) -> bool {
    dataset.kind == super::DatasetKind::DynamoDb
}
