//! `workspace/symbol`: the tables that the jobs of the open projects read and write.

use contract::schema::TableName;
use tower_lsp::ls_types::{
    Location, OneOf, SymbolKind, Uri, WorkspaceSymbol, WorkspaceSymbolParams, WorkspaceSymbolResponse,
};

use crate::positions;
use crate::session::Session;
use crate::workspace::Job;

/// More symbols than this are not told; whoever asks types on.
const MAX_SYMBOLS: usize = 256;

pub(crate) fn symbol(session: &Session, params: &WorkspaceSymbolParams) -> Option<WorkspaceSymbolResponse> {
    let encoding = session.snapshot().client.encoding;
    let wanted = params.query.to_lowercase();
    let mut symbols = Vec::new();
    for job in session.workspace.all() {
        for (table, range, writes) in tables(&job) {
            let name = table.to_string();
            if !name.to_lowercase().contains(&wanted) {
                continue;
            }
            if symbols.len() == MAX_SYMBOLS {
                return Some(WorkspaceSymbolResponse::Nested(symbols));
            }
            let Some(uri) = Uri::from_file_path(&job.script) else { continue };
            let range = positions::range_in(&job.text, range, encoding);
            let verb = if writes { "written by" } else { "read by" };
            symbols.push(WorkspaceSymbol {
                name,
                kind: if writes { SymbolKind::EVENT } else { SymbolKind::STRUCT },
                tags: None,
                container_name: Some(format!("{verb} {}", job.name)),
                location: OneOf::Left(Location { uri, range }),
                data: None,
            });
        }
    }
    Some(WorkspaceSymbolResponse::Nested(symbols))
}

/// The tables of a job, each with its call and whether it is written there.
fn tables(job: &Job) -> impl Iterator<Item = (&TableName, analyzer::TextRange, bool)> {
    let writes = job.interface.writes.iter().map(|(table, range)| (table, *range, true));
    writes.chain(job.interface.reads.iter().map(|(table, read)| (table, read.range, false)))
}
