//! The tables of a script as a Mermaid flowchart.

use indexmap::IndexSet;

use crate::Analysis;

/// A flowchart from inputs to outputs, ending in a line break.
pub fn mermaid(analysis: &Analysis, job_name: &str) -> String {
    let mut names: IndexSet<&str> = analysis.inputs.iter().map(|input| input.dataset.name.as_str()).collect();
    names.extend(analysis.outputs.iter().map(|output| output.dataset.name.as_str()));
    let mut chart = format!("%% {}\nflowchart LR\n", job_name.replace('\n', " "));
    for (index, name) in names.iter().enumerate() {
        chart.push_str(&format!("    n{index}[\"{}\"]\n", escape(name)));
    }
    let mut edges: IndexSet<(usize, usize)> = IndexSet::new();
    for output in &analysis.outputs {
        let Some(to) = names.get_index_of(output.dataset.name.as_str()) else { continue };
        for input in &output.inputs {
            if let Some(from) = names.get_index_of(input.as_str()) {
                edges.insert((from, to));
            }
        }
    }
    for (from, to) in edges {
        chart.push_str(&format!("    n{from} --> n{to}\n"));
    }
    chart
}

/// Mermaid reads `"`, `<` and `>` in labels as markup.
fn escape(name: &str) -> String {
    name.replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;")
}
