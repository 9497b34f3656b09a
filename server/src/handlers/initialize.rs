//! `initialize`: what the client can do, what was agreed on, and what the server offers.

use std::path::PathBuf;

use tower_lsp::ls_types::notification::{DidChangeWatchedFiles, Notification};
use tower_lsp::ls_types::{
    ClientCapabilities, CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CodeLensOptions,
    CompletionOptions, DiagnosticOptions, DiagnosticServerCapabilities, DidChangeWatchedFilesRegistrationOptions,
    DocumentLinkOptions, ExecuteCommandOptions, FileSystemWatcher, FoldingRangeProviderCapability, GlobPattern,
    HoverProviderCapability, InitializeParams, InitializeResult, Notebook, NotebookCellSelector,
    NotebookDocumentSyncOptions, NotebookSelector, OneOf, Registration, RenameOptions, SaveOptions,
    SemanticTokensFullOptions, SemanticTokensOptions, ServerCapabilities, ServerInfo, SignatureHelpOptions,
    TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions, TextDocumentSyncSaveOptions,
    WorkDoneProgressOptions, WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities,
};

use crate::acceptance;
use crate::generation;
use crate::handlers::semantic_tokens;
use crate::positions::Encoding;
use crate::session::Session;

/// What the client can do, as far as it changes what the server does.
#[derive(Debug, Default)]
pub(crate) struct ClientProfile {
    /// In what unit positions count.
    pub(crate) encoding: Encoding,
    /// Diagnostics are pulled. That takes a client which pulls again on request, as answers arrive in the background.
    pub(crate) pulls_diagnostics: bool,
    /// A diagnostic may point to other places.
    pub(crate) relates_diagnostics: bool,
    /// A diagnostic may link to its documentation.
    pub(crate) links_diagnostics: bool,
    /// The client watches files for us.
    pub(crate) registers_watchers: bool,
    /// Hints may be asked for again on request.
    pub(crate) refreshes_hints: bool,
    /// Lenses may be asked for again on request.
    pub(crate) refreshes_lenses: bool,
    /// The client shows how far something has come.
    pub(crate) shows_progress: bool,
    /// The client shows a document on request.
    pub(crate) shows_documents: bool,
    /// The client shows edits before it applies them, where it is asked to.
    pub(crate) confirms_edits: bool,
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

/// The files whose changes on disk the client should report: scripts and modules, settings, catalogs and contracts.
pub(crate) fn watchers() -> Vec<Registration> {
    let watcher =
        |pattern: &str| FileSystemWatcher { glob_pattern: GlobPattern::String(pattern.to_owned()), kind: None };
    let options = DidChangeWatchedFilesRegistrationOptions {
        watchers: ["**/*.py", "**/*.json", "**/de-copilot.toml"].map(watcher).into(),
    };
    vec![Registration {
        id: "files".to_owned(),
        method: DidChangeWatchedFiles::METHOD.to_owned(),
        register_options: serde_json::to_value(options).ok(),
    }]
}

fn profile(client: &ClientCapabilities) -> ClientProfile {
    let (general, window) = (client.general.as_ref(), client.window.as_ref());
    let (documents, workspace) = (client.text_document.as_ref(), client.workspace.as_ref());
    let pulled = documents.and_then(|documents| documents.diagnostic.as_ref());
    let published = documents.and_then(|documents| documents.publish_diagnostics.as_ref());
    let refreshed = workspace.and_then(|workspace| workspace.diagnostics.as_ref()?.refresh_support);
    let pulls_diagnostics = pulled.is_some() && refreshed == Some(true);
    // Of what is pulled, a client says so since 3.18 of the protocol; before, what holds of the one holds of the other.
    let relates_diagnostics = pulled
        .and_then(|pulled| pulled.related_information)
        .or(published.and_then(|published| published.related_information));
    let edited = workspace.and_then(|workspace| workspace.workspace_edit.as_ref());
    let confirms_edits = edited
        .is_some_and(|edited| edited.document_changes == Some(true) && edited.change_annotation_support.is_some());
    let watched = workspace.and_then(|workspace| workspace.did_change_watched_files.as_ref()?.dynamic_registration);
    ClientProfile {
        encoding: Encoding::negotiate(general.and_then(|general| general.position_encodings.as_deref())),
        pulls_diagnostics,
        confirms_edits,
        relates_diagnostics: relates_diagnostics == Some(true),
        links_diagnostics: published.and_then(|published| published.code_description_support) == Some(true),
        registers_watchers: watched == Some(true),
        refreshes_hints: workspace.and_then(|workspace| workspace.inlay_hint.as_ref()?.refresh_support) == Some(true),
        shows_progress: window.and_then(|window| window.work_done_progress) == Some(true),
        shows_documents: window.and_then(|window| window.show_document.as_ref()).is_some_and(|shown| shown.support),
        refreshes_lenses: workspace.and_then(|workspace| workspace.code_lens.as_ref()?.refresh_support) == Some(true),
    }
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
        notebook_document_sync: Some(OneOf::Left(NotebookDocumentSyncOptions {
            notebook_selector: vec![NotebookSelector::ByNotebook {
                notebook: Notebook::String("jupyter-notebook".to_owned()),
                cells: Some(vec![NotebookCellSelector { language: "python".to_owned() }]),
            }],
            save: Some(true),
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(["\"", "'", ".", "["].map(str::to_owned).into()),
            ..CompletionOptions::default()
        }),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        })),
        document_symbol_provider: Some(OneOf::Left(true)),
        workspace_symbol_provider: Some(OneOf::Left(true)),
        document_link_provider: Some(DocumentLinkOptions {
            resolve_provider: Some(false),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        }),
        signature_help_provider: Some(SignatureHelpOptions {
            trigger_characters: Some(["(", ","].map(str::to_owned).into()),
            ..SignatureHelpOptions::default()
        }),
        semantic_tokens_provider: Some(
            SemanticTokensOptions {
                legend: semantic_tokens::legend(),
                full: Some(SemanticTokensFullOptions::Bool(true)),
                ..SemanticTokensOptions::default()
            }
            .into(),
        ),
        folding_range_provider: Some(FoldingRangeProviderCapability::Simple(true)),
        inlay_hint_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX, CodeActionKind::REFACTOR]),
            ..CodeActionOptions::default()
        })),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: [generation::COMMAND, acceptance::COMMAND].map(str::to_owned).into(),
            ..ExecuteCommandOptions::default()
        }),
        code_lens_provider: Some(CodeLensOptions { resolve_provider: Some(false) }),
        diagnostic_provider: profile.pulls_diagnostics.then(|| {
            DiagnosticServerCapabilities::Options(DiagnosticOptions {
                identifier: Some("de-copilot".to_owned()),
                inter_file_dependencies: true,
                workspace_diagnostics: false,
                ..DiagnosticOptions::default()
            })
        }),
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
