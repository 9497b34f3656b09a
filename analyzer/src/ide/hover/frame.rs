//! A variable that holds a frame.

use super::View;
use crate::facts::{self, Certainty, Derived, Grain};
use crate::ide::words;
use crate::plan::NodeId;

pub(super) fn markdown(view: &View, name: &str, node: NodeId) -> String {
    let plan = Derived::new(&view.analysis.plan);
    let mut text = format!("**`{name}`** · data frame\n\n");
    text.push_str(&columns(view, node));
    text.push_str(&grain(&facts::grain(&plan, node)));
    let mut inputs: Vec<String> =
        plan.scans(node).into_iter().map(|(_, scan)| format!("`{}`", scan.dataset.name)).collect();
    inputs.dedup();
    if !inputs.is_empty() {
        text.push_str(&format!("\nFrom {}\n", inputs.join(", ")));
    }
    for filter in facts::filters::filters(&plan, node) {
        let line = words::line(view.text, filter.range.start);
        let when = words::when(filter.condition.as_ref());
        text.push_str(&format!("\nWhere `{}`{when} (line {line})\n", filter.predicate));
    }
    text
}

/// A table of the columns that are known.
pub(super) fn columns(view: &View, node: NodeId) -> String {
    let plan = &view.analysis.plan;
    let Some(schema) = plan.node(node).map(|node| &node.schema) else { return String::new() };
    let fields = plan.known_fields(schema);
    if fields.is_empty() {
        return "The columns are not known.\n".to_owned();
    }
    let mut text = "| column | type | from |\n|---|---|---|\n".to_owned();
    for field in &fields {
        let column = facts::output_column(plan, field);
        let sources = column.sources.unwrap_or_default();
        let from = sources.iter().map(|s| format!("{}.{}", s.input, s.column)).collect::<Vec<_>>().join(", ");
        let nullable = if column.nullable == Some(false) { " not null" } else { "" };
        text.push_str(&format!("| `{}` | {}{nullable} | {from} |\n", column.name, column.data_type));
    }
    if !schema.is_complete() {
        text.push_str("\nThere may be further columns.\n");
    }
    text
}

pub(super) fn grain(grain: &Grain) -> String {
    match grain.certainty {
        Certainty::Unknown => format!("\nGrain unknown: {}\n", grain.reason),
        certainty => {
            let assumptions = match grain.assumptions.as_slice() {
                [] => String::new(),
                some => format!(", if {}", some.join(" and ")),
            };
            format!("\nGrain {} ({}: {}{assumptions})\n", grain.columns.join(", "), certainty.name(), grain.reason)
        }
    }
}
