//! `textDocument/definition`: where a column or frame is made; of a table its contract and the jobs that write it.

use analyzer::ide::{self, Place};
use contract::schema::TableName;
use ropey::Rope;
use tower_lsp::ls_types::{GotoDefinitionParams, GotoDefinitionResponse, Location, Position, Range, Uri};

use crate::handlers::View;
use crate::positions;

pub(crate) fn definition(view: &View, params: GotoDefinitionParams) -> Option<GotoDefinitionResponse> {
    let (text, encoding) = (&view.document.text, view.client.encoding);
    let offset = positions::to_offset(text, params.text_document_position_params.position, encoding);
    let mut locations = Vec::new();
    for place in ide::definition(&view.analyzed.analysis, offset) {
        match place {
            Place::Here(range) => {
                let range = positions::to_range(text, range, encoding);
                locations.push(Location { uri: view.document.uri.clone(), range });
            }
            Place::Table(name) => locations.extend(table(view, &name)),
        }
    }
    (!locations.is_empty()).then_some(GotoDefinitionResponse::Array(locations))
}

fn table(view: &View, name: &TableName) -> Vec<Location> {
    let Some(place) = &view.place else { return Vec::new() };
    let contract = view.knowledge.backend.contract_file(&place.root, name).and_then(Uri::from_file_path);
    let start = Position { line: 0, character: 0 };
    let contract = contract.map(|uri| Location { uri, range: Range { start, end: start } });
    let writers = view.workspace.writers(&place.root, name).into_iter().filter(|job| job.script != place.script);
    let writers = writers.filter_map(|job| {
        let (_, range) = job.interface.writes.iter().find(|(written, _)| written == name)?;
        let range = positions::to_range(&Rope::from_str(&job.text), *range, view.client.encoding);
        Some(Location { uri: Uri::from_file_path(&job.script)?, range })
    });
    contract.into_iter().chain(writers).collect()
}
