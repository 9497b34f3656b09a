//! What is shown when the pointer rests on a name.

use crate::facts::{self, Certainty, Grain};
use crate::plan::{NodeId, NodeKind, Scan};
use crate::{Analysis, Mention, TextRange};

/// A text for a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// The name that it is about.
    pub range: TextRange,
    /// Markdown.
    pub markdown: String,
}

/// What is known of the name at a byte offset: a variable that holds a frame, or the name of a table or path in a read
/// or write. `text` is the script that was analyzed.
pub fn hover(analysis: &Analysis, text: &str, offset: usize) -> Option<Hover> {
    let (range, mention) =
        analysis.mentions.iter().filter(|(range, _)| range.touches(offset)).min_by_key(|(range, _)| range.len())?;
    let markdown = match mention {
        Mention::Frame(node) => frame(analysis, range.slice(text), *node),
        Mention::Source(node) => match &analysis.plan.node(*node)?.kind {
            NodeKind::Scan(scan) => source(analysis, scan, *node),
            _ => return None,
        },
        Mention::Target(index) => target(analysis, *index)?,
    };
    Some(Hover { range: *range, markdown })
}

fn frame(analysis: &Analysis, name: &str, node: NodeId) -> String {
    let mut text = format!("**`{name}`** · data frame\n\n");
    text.push_str(&columns(analysis, node));
    text.push_str(&grain_line(&facts::grain(&analysis.plan, node)));
    let inputs: Vec<String> =
        analysis.plan.scans(node).into_iter().map(|(_, scan)| format!("`{}`", scan.dataset.name)).collect();
    if !inputs.is_empty() {
        let mut unique = inputs;
        unique.dedup();
        text.push_str(&format!("\nFrom {}\n", unique.join(", ")));
    }
    let filters = facts::filters(&analysis.plan, node);
    for filter in filters {
        text.push_str(&format!("\nWhere `{}`\n", filter.predicate));
    }
    text
}

fn source(analysis: &Analysis, scan: &Scan, node: NodeId) -> String {
    let format = scan.dataset.format.as_deref().map(|format| format!(" · {format}")).unwrap_or_default();
    let mut text = format!("**`{}`** · {}{format}\n\n", scan.dataset.name, kind(scan.dataset.kind));
    text.push_str(&columns(analysis, node));
    if !scan.promised_key.is_empty() {
        text.push_str(&format!("\nPrimary key by contract: {}\n", scan.promised_key.join(", ")));
    }
    if let Some(pushdown) = &scan.pushdown {
        text.push_str(&format!("\nPartitions where `{pushdown}`\n"));
    }
    text
}

fn target(analysis: &Analysis, index: usize) -> Option<String> {
    let output = analysis.outputs.get(index)?;
    let mut text = format!("**`{}`** · written, {}\n\n", output.dataset.name, output.mode.name());
    text.push_str(&columns(analysis, output.node));
    text.push_str(&grain_line(&output.grain));
    text.push_str(&format!("\nA second run: {}\n", output.rerun.reason));
    Some(text)
}

fn kind(kind: crate::DatasetKind) -> &'static str {
    match kind {
        crate::DatasetKind::Catalog => "catalog table",
        crate::DatasetKind::S3 => "files",
        crate::DatasetKind::Jdbc => "database table",
        crate::DatasetKind::DynamoDb => "DynamoDB table",
        crate::DatasetKind::Kafka => "stream",
        crate::DatasetKind::Other => "dataset",
    }
}

/// A table of the columns that are known.
fn columns(analysis: &Analysis, node: NodeId) -> String {
    let Some(schema) = analysis.plan.node(node).map(|node| &node.schema) else { return String::new() };
    let fields = analysis.plan.known_fields(schema);
    if fields.is_empty() {
        return "The columns are not known.\n".to_owned();
    }
    let mut text = "| column | type | from |\n|---|---|---|\n".to_owned();
    for field in &fields {
        let column = facts::output_column(&analysis.plan, field);
        let from = match &column.sources {
            None => String::new(),
            Some(sources) => sources.iter().map(|s| format!("{}.{}", s.input, s.column)).collect::<Vec<_>>().join(", "),
        };
        let nullable = if column.nullable == Some(false) { " not null" } else { "" };
        text.push_str(&format!("| `{}` | {}{nullable} | {from} |\n", column.name, column.data_type));
    }
    if !schema.is_complete() {
        text.push_str("\nThere may be further columns.\n");
    }
    text
}

fn grain_line(grain: &Grain) -> String {
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
