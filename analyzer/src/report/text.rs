//! The lineage of each output as a tree, with its grain and what a second run does.

use termtree::Tree;

use crate::plan::{NodeId, NodeKind, Plan};
use crate::{Analysis, Certainty, Condition, Output};

/// A drawn report of a script for people, ending in a line break.
pub fn text(analysis: &Analysis, script: &str, job_name: &str) -> String {
    let mut report = format!("{job_name}  ({script})\n");
    if analysis.outputs.is_empty() {
        report.push_str("writes nothing that is known\n");
        for input in &analysis.inputs {
            report.push_str(&format!("reads {}{}\n", input.dataset.name, when(input.condition.as_ref())));
        }
    }
    for output in &analysis.outputs {
        report.push('\n');
        report.push_str(&output_tree(analysis, output).to_string());
    }
    if !analysis.diagnostics.is_empty() {
        report.push('\n');
    }
    for diagnostic in &analysis.diagnostics {
        report.push_str(&format!("{}[{}]: {}\n", diagnostic.severity.name(), diagnostic.code, diagnostic.message));
    }
    report
}

fn output_tree(analysis: &Analysis, output: &Output) -> Tree<String> {
    let format = output.dataset.format.as_deref().map(|format| format!(", {format}")).unwrap_or_default();
    let condition = when(output.condition.as_ref());
    let mut tree = Tree::new(format!("{} ({}{format}){condition}", output.dataset.name, output.mode.name()));
    tree.push(grain_line(output));
    if !output.partition_keys.is_empty() {
        tree.push(format!("partitioned by {}", output.partition_keys.join(", ")));
    }
    tree.push(format!("a second run: {}", output.rerun.reason));
    if let Some(columns) = &output.columns {
        let mut list = Tree::new(if output.columns_complete {
            "columns".to_owned()
        } else {
            "columns, not certainly these alone".to_owned()
        });
        for column in columns {
            let sources = match &column.sources {
                None => "not known from what".to_owned(),
                Some(sources) if sources.is_empty() => "from no column".to_owned(),
                Some(sources) => {
                    let names: Vec<String> =
                        sources.iter().map(|source| format!("{}.{}", source.input, source.column)).collect();
                    format!("from {}", names.join(", "))
                }
            };
            let condition = when(column.condition.as_ref());
            list.push(format!("{} {}  {sources}{condition}", column.name, column.data_type));
        }
        tree.push(list);
    }
    tree.push(node_tree(&analysis.plan, output.node, 0));
    tree
}

fn grain_line(output: &Output) -> String {
    let grain = &output.grain;
    match grain.certainty {
        Certainty::Unknown => format!("grain unknown: {}", grain.reason),
        certainty => {
            let assumptions = match grain.assumptions.as_slice() {
                [] => String::new(),
                some => format!(", if {}", some.join(" and ")),
            };
            let columns = if grain.columns.is_empty() { "one row".to_owned() } else { grain.columns.join(", ") };
            format!("grain {columns} ({}: {}{assumptions})", certainty.name(), grain.reason)
        }
    }
}

/// When something holds that does not hold in every run.
fn when(condition: Option<&Condition>) -> String {
    condition.map(|condition| format!(", when {condition}")).unwrap_or_default()
}

/// How a frame is made, projections left out.
fn node_tree(plan: &Plan, id: NodeId, depth: usize) -> Tree<String> {
    let Some(node) = plan.node(id) else { return Tree::new("?".to_owned()) };
    let label = match &node.kind {
        NodeKind::Project { input } | NodeKind::Instance { input } => return node_tree(plan, *input, depth),
        NodeKind::Scan(scan) => format!("read {}", scan.dataset.name),
        NodeKind::Values => "rows of the script".to_owned(),
        NodeKind::Filter { predicate, .. } => format!("where {}", crate::describe::describe(predicate)),
        NodeKind::Limit { .. } => "some rows".to_owned(),
        NodeKind::Join { how, keys, residual, .. } => {
            let name = |id| plan.column(id).map_or("?".to_owned(), |column| column.name.clone());
            let mut on: Vec<String> = keys
                .iter()
                .map(|(l, r)| if name(*l) == name(*r) { name(*l) } else { format!("{} = {}", name(*l), name(*r)) })
                .collect();
            on.extend(residual.iter().map(crate::describe::describe));
            format!("{} join on {}", how.name().replace('_', " "), on.join(", "))
        }
        NodeKind::Aggregate { keys, .. } => {
            let names: Vec<String> =
                keys.iter().map(|id| plan.column(*id).map_or("?".to_owned(), |column| column.name.clone())).collect();
            format!("group by {}", names.join(", "))
        }
        NodeKind::Distinct { .. } => "distinct rows".to_owned(),
        NodeKind::DropDuplicates { keys, .. } => {
            let names: Vec<String> =
                keys.iter().map(|id| plan.column(*id).map_or("?".to_owned(), |column| column.name.clone())).collect();
            format!("one row per {}", names.join(", "))
        }
        NodeKind::Union { .. } => "union".to_owned(),
        NodeKind::Choice { .. } => "one of".to_owned(),
        NodeKind::Explode { .. } => "exploded".to_owned(),
        NodeKind::Resample { .. } => "sample with replacement".to_owned(),
        NodeKind::Opaque { reason, .. } => format!("not understood: {reason}"),
    };
    let mut tree = Tree::new(label);
    if depth < 60 {
        for (position, input) in node.kind.inputs().into_iter().enumerate() {
            let mut part = node_tree(plan, input, depth + 1);
            if let NodeKind::Choice { conditions, .. } = &node.kind {
                part.root.push_str(&when(conditions.get(position)));
            }
            tree.push(part);
        }
    }
    tree
}
