//! `textDocument/codeLens`: above each write what its contract says, how its tests went and who reads the table. Where
//! there is no contract, the lens has one generated.

use analyzer::{Derived, Offer, Output, ide};
use contract::schema::TableName;
use tower_lsp::ls_types::{CodeLens, CodeLensParams, Command};

use crate::handlers::View;
use crate::handlers::code_action::generation_of;
use crate::positions;

pub(crate) fn code_lens(view: &View, _: CodeLensParams) -> Option<Vec<CodeLens>> {
    let text = &view.document.text;
    let mut lenses = Vec::new();
    for output in &view.analyzed.analysis.outputs {
        let Some(table) = ide::table_name(&output.dataset) else { continue };
        let range = positions::to_range(text, output.range, view.client.encoding);
        // A command without a name is a text that nothing happens on.
        let text = |title: String| Command { title, command: String::new(), arguments: None };
        let analysis = &view.analyzed.analysis;
        let contract = ide::contract_lens(analysis, output).map(|title| match &view.place {
            Some(place) if !analysis.answers.contracts.contains_key(&table) => {
                generation_of(title, &table, &place.root)
            }
            _ => text(title),
        });
        let commands = [contract, downstream(view, output, &table).map(text)];
        lenses.extend(commands.into_iter().flatten().map(|command| CodeLens {
            range,
            command: Some(command),
            data: None,
        }));
    }
    Some(lenses)
}

fn downstream(view: &View, output: &Output, table: &TableName) -> Option<String> {
    let place = view.place.as_ref()?;
    let readers = view.workspace.readers(&place.root, table);
    let readers: Vec<_> = readers.into_iter().filter(|job| job.script != place.script).collect();
    let plan = Derived::new(&view.analyzed.analysis.plan);
    let broken = Offer::new(&plan, output).map_or(0, |offer| {
        let reads = readers.iter().filter_map(|job| job.interface.reads.get(table));
        reads.filter(|read| !offer.breaks(read, "").is_empty()).count()
    });
    let broken = match broken {
        0 => String::new(),
        count => format!(", {count} of them broken here"),
    };
    match readers.as_slice() {
        [] => None,
        [one] => Some(format!("downstream: {}{broken}", one.name)),
        many => Some(format!("downstream: {} jobs{broken}", many.len())),
    }
}
