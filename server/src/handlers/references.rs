//! `textDocument/references`: the other places of a column, frame or table; of a table those in other jobs too.

use analyzer::ide;
use ropey::Rope;
use tower_lsp::ls_types::{Location, ReferenceParams, Uri};

use crate::handlers::View;
use crate::positions;

pub(crate) fn references(view: &View, params: ReferenceParams) -> Option<Vec<Location>> {
    let (text, encoding) = (&view.document.text, view.client.encoding);
    let offset = positions::to_offset(text, params.text_document_position.position, encoding);
    let analysis = &view.analyzed.analysis;
    let here = ide::references(analysis, offset)
        .into_iter()
        .map(|range| Location { uri: view.document.uri.clone(), range: positions::to_range(text, range, encoding) });
    let mut locations: Vec<Location> = here.collect();
    if let (Some(table), Some(place)) = (ide::table_at(analysis, offset), &view.place) {
        for job in view.workspace.others(&place.root, &place.script) {
            let Some(uri) = Uri::from_file_path(&job.script) else { continue };
            let read = job.interface.reads.get(&table).map(|read| read.range);
            let writes = job.interface.writes.iter().filter(|(name, _)| *name == table).map(|(_, range)| *range);
            let text = Rope::from_str(&job.text);
            locations.extend(
                read.into_iter()
                    .chain(writes)
                    .map(|range| Location { uri: uri.clone(), range: positions::to_range(&text, range, encoding) }),
            );
        }
    }
    (!locations.is_empty()).then_some(locations)
}
