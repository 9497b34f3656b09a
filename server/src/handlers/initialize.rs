//! `initialize`: what the client can do, what was agreed on, and what the server offers.

use std::path::PathBuf;

use tower_lsp::ls_types::{
    ClientCapabilities, InitializeParams, InitializeResult, OneOf, SaveOptions, ServerCapabilities, ServerInfo,
    TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions, TextDocumentSyncSaveOptions,
    WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities,
};

use crate::positions::Encoding;
use crate::session::Session;

/// What the client can do, as far as it changes what the server does.
#[derive(Debug, Default)]
pub(crate) struct ClientProfile {
    /// In what unit positions count.
    pub(crate) encoding: Encoding,
}

pub(crate) fn initialize(session: &Session, params: InitializeParams) -> InitializeResult {
    let profile = profile(&params.capabilities);
    let capabilities = capabilities(&profile);
    if let Some(process) = params.process_id.and_then(|id| i32::try_from(id).ok()) {
        // A second `initialize` is refused before it comes here, so the process is set once.
        session.client_process.set(process).ok();
    }
    session.initialize(profile, folders(&params));
    InitializeResult {
        capabilities,
        server_info: Some(ServerInfo {
            name: "de-copilot".to_owned(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }),
        ..InitializeResult::default()
    }
}

fn profile(client: &ClientCapabilities) -> ClientProfile {
    let encodings = client.general.as_ref().and_then(|general| general.position_encodings.as_deref());
    ClientProfile { encoding: Encoding::negotiate(encodings) }
}

fn capabilities(profile: &ClientProfile) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: Some(profile.encoding.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions { include_text: Some(false) })),
            ..TextDocumentSyncOptions::default()
        })),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            ..WorkspaceServerCapabilities::default()
        }),
        ..ServerCapabilities::default()
    }
}

/// Workspace folders; older clients name one root.
fn folders(params: &InitializeParams) -> Vec<PathBuf> {
    #[expect(deprecated, reason = "clients that know no workspace folders send the root alone")]
    let root = params.root_uri.as_ref();
    match &params.workspace_folders {
        Some(folders) => folders.iter().filter_map(|folder| folder.uri.to_file_path()).collect::<Vec<_>>(),
        None => root.and_then(|uri| uri.to_file_path()).into_iter().collect(),
    }
    .into_iter()
    .map(|path| path.into_owned())
    .collect()
}
