//! `textDocument/codeLens`: above each write what its contract says, how its tests went and who reads the table.

use analyzer::{Output, ide};
use contract::schema::TableName;
use tower_lsp::ls_types::{CodeLens, CodeLensParams, Command};

use crate::handlers::View;
use crate::positions;
use crate::workspace;

pub(crate) fn code_lens(view: &View, _: CodeLensParams) -> Option<Vec<CodeLens>> {
    let text = &view.document.text;
    let mut lenses = Vec::new();
    for output in &view.analyzed.analysis.outputs {
        let Some(table) = ide::table_name(&output.dataset) else { continue };
        let range = positions::to_range(text, output.range, view.client.encoding);
        let titles = [ide::contract_lens(&view.analyzed.analysis, output), downstream(view, output, &table)];
        lenses.extend(titles.into_iter().flatten().map(|title| CodeLens {
            range,
            // A command without a name is a text that nothing happens on.
            command: Some(Command { title, command: String::new(), arguments: None }),
            data: None,
        }));
    }
    Some(lenses)
}

fn downstream(view: &View, output: &Output, table: &TableName) -> Option<String> {
    let place = view.place.as_ref()?;
    let readers = view.workspace.readers(&place.root, table);
    let readers: Vec<_> = readers.into_iter().filter(|job| job.script != place.script).collect();
    let plan = &view.analyzed.analysis.plan;
    let broken = readers.iter().filter(|job| {
        let read = job.interface.reads.get(table);
        read.is_some_and(|read| !analyzer::breaks(plan, output, read, "").is_empty())
    });
    let broken = match broken.count() {
        0 => String::new(),
        count => format!(", {count} of them broken here"),
    };
    let names: Vec<String> = readers.iter().map(|job| workspace::shown(&job.script, &place.root)).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("downstream: {one}{broken}")),
        many => Some(format!("downstream: {} jobs{broken}", many.len())),
    }
}
