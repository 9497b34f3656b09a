//! The server as a whole, from its first message to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tower_lsp::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp::ls_types::{
    CodeActionParams, CodeActionResponse, CodeLens, CodeLensParams, CompletionParams, CompletionResponse,
    DocumentDiagnosticParams, DocumentDiagnosticReportResult, DocumentLink, DocumentLinkParams, DocumentSymbolParams,
    DocumentSymbolResponse, ExecuteCommandParams, FoldingRange, FoldingRangeParams, GotoDefinitionParams,
    GotoDefinitionResponse, Hover, HoverParams, InitializeParams, InitializeResult, InitializedParams, InlayHint,
    InlayHintParams, LSPAny, Location, PrepareRenameResponse, ReferenceParams, RenameParams, SemanticTokensParams,
    SemanticTokensResult, SignatureHelp, SignatureHelpParams, TextDocumentPositionParams, WorkspaceEdit,
    WorkspaceSymbolParams, WorkspaceSymbolResponse,
};
use tower_lsp::{LanguageServer, LspService};

use crate::acceptance;
use crate::backend::Backend;
use crate::background;
use crate::generation;
use crate::handlers::{
    code_action, code_lens, completion, definition, diagnostic, document_link, document_symbol, folding_range, hover,
    initialize, inlay_hint, on_document, on_text, references, rename, semantic_tokens, signature_help, symbol,
};
use crate::order::Ordered;
use crate::overview::{self, Lineage, TableContract};
use crate::session::Session;
use crate::wire;

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client sent `shutdown`, and then `exit` or the end of its input.
    InOrder,
    /// The client went away without `shutdown`: `exit` alone, the end of its input, or the end of its process.
    Abruptly,
}

impl Ended {
    /// The exit code that the protocol asks for.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::InOrder => 0,
            Self::Abruptly => 1,
        }
    }
}

/// Serves one client until it says `exit`, closes its end, or its process is gone.
///
/// Runs on a multi-threaded tokio runtime with time enabled. With `tokio::io::stdin()`, end the process by
/// `std::process::exit` afterwards: its reading thread cannot be interrupted, and dropping the runtime waits for it.
pub async fn serve<I, O>(input: I, output: O, backend: impl Backend) -> Ended
where
    I: AsyncRead + Unpin,
    O: AsyncWrite + Unpin + Send + 'static,
{
    let session = Arc::new(Session::new(backend));
    let shut_down = Arc::new(AtomicBool::new(false));
    let mut background = JoinSet::new();
    let (router, socket) = LspService::build(|client| {
        background.spawn(background::run(Arc::clone(&session), client));
        Router { session: Arc::clone(&session), shut_down: Arc::clone(&shut_down) }
    })
    .custom_method("deCopilot/lineage", Router::lineage)
    .custom_method("deCopilot/contracts", Router::contracts)
    .finish();
    tokio::select! {
        () = wire::run(input, output, Ordered::new(router, Arc::clone(&session)), socket, Arc::clone(&session)) => {}
        () = client_gone(&session) => tracing::warn!("the client's process is gone"),
    }
    if shut_down.load(Ordering::Relaxed) { Ended::InOrder } else { Ended::Abruptly }
}

/// Hands each method to its handler.
struct Router {
    session: Arc<Session>,
    shut_down: Arc<AtomicBool>,
}

impl Router {
    async fn lineage(&self) -> Result<Lineage> {
        Ok(overview::lineage(&self.session))
    }

    async fn contracts(&self) -> Result<Vec<TableContract>> {
        Ok(overview::contracts(&self.session).await)
    }
}

impl LanguageServer for Router {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        Ok(initialize::initialize(&self.session, params))
    }

    async fn initialized(&self, _: InitializedParams) {
        self.session.client_ready.notify_one();
        self.session.jobs_changed.notify_one();
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        let uri = params.text_document_position_params.text_document.uri.clone();
        on_document(&self.session, &uri, params, hover::hover).await
    }

    async fn diagnostic(&self, params: DocumentDiagnosticParams) -> Result<DocumentDiagnosticReportResult> {
        let uri = params.text_document.uri.clone();
        if self.session.notebooks.has(&uri) {
            return Ok(diagnostic::empty_report().into());
        }
        let report = on_document(&self.session, &uri, params, diagnostic::diagnostic).await?;
        Ok(report.unwrap_or_else(diagnostic::empty_report).into())
    }

    async fn completion(&self, params: CompletionParams) -> Result<Option<CompletionResponse>> {
        let uri = params.text_document_position.text_document.uri.clone();
        on_text(&self.session, &uri, params, completion::completion).await
    }

    async fn goto_definition(&self, params: GotoDefinitionParams) -> Result<Option<GotoDefinitionResponse>> {
        let uri = params.text_document_position_params.text_document.uri.clone();
        on_document(&self.session, &uri, params, definition::definition).await
    }

    async fn references(&self, params: ReferenceParams) -> Result<Option<Vec<Location>>> {
        let uri = params.text_document_position.text_document.uri.clone();
        on_document(&self.session, &uri, params, references::references).await
    }

    async fn prepare_rename(&self, params: TextDocumentPositionParams) -> Result<Option<PrepareRenameResponse>> {
        let uri = params.text_document.uri.clone();
        allowed(on_document(&self.session, &uri, params, rename::prepare_rename).await?)
    }

    async fn rename(&self, params: RenameParams) -> Result<Option<WorkspaceEdit>> {
        let uri = params.text_document_position.text_document.uri.clone();
        allowed(on_text(&self.session, &uri, params, rename::rename).await?)
    }

    async fn document_symbol(&self, params: DocumentSymbolParams) -> Result<Option<DocumentSymbolResponse>> {
        let uri = params.text_document.uri.clone();
        on_document(&self.session, &uri, params, document_symbol::document_symbol).await
    }

    async fn document_link(&self, params: DocumentLinkParams) -> Result<Option<Vec<DocumentLink>>> {
        let uri = params.text_document.uri.clone();
        on_document(&self.session, &uri, params, document_link::document_link).await
    }

    async fn signature_help(&self, params: SignatureHelpParams) -> Result<Option<SignatureHelp>> {
        let uri = params.text_document_position_params.text_document.uri.clone();
        on_document(&self.session, &uri, params, signature_help::signature_help).await
    }

    async fn symbol(&self, params: WorkspaceSymbolParams) -> Result<Option<WorkspaceSymbolResponse>> {
        Ok(symbol::symbol(&self.session, &params))
    }

    async fn semantic_tokens_full(&self, params: SemanticTokensParams) -> Result<Option<SemanticTokensResult>> {
        let uri = params.text_document.uri.clone();
        on_document(&self.session, &uri, params, semantic_tokens::semantic_tokens).await
    }

    async fn folding_range(&self, params: FoldingRangeParams) -> Result<Option<Vec<FoldingRange>>> {
        let uri = params.text_document.uri.clone();
        on_text(&self.session, &uri, params, folding_range::folding_range).await
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        let uri = params.text_document.uri.clone();
        on_document(&self.session, &uri, params, inlay_hint::inlay_hint).await
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        let uri = params.text_document.uri.clone();
        on_document(&self.session, &uri, params, code_action::code_action).await
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        let uri = params.text_document.uri.clone();
        on_document(&self.session, &uri, params, code_lens::code_lens).await
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<LSPAny>> {
        let [argument] = params.arguments.as_slice() else {
            return Err(Error::invalid_params("the command takes one argument"));
        };
        match params.command.as_str() {
            generation::COMMAND => self.session.generations.ask(argument_of(argument)?),
            acceptance::COMMAND => {
                let accepted = acceptance::accept(&self.session, argument_of(argument)?).await;
                accepted.map_err(|error| refused(error.to_string()))?;
            }
            other => return Err(Error::invalid_params(format!("no command is named {other}"))),
        }
        Ok(None)
    }

    async fn shutdown(&self) -> Result<()> {
        self.shut_down.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// The answer, or a refusal as an error that an editor shows.
fn allowed<T>(answer: rename::Answer<T>) -> Result<Option<T>> {
    answer.transpose().map_err(refused)
}

/// The request was right, and still it could not be done.
fn refused(why: String) -> Error {
    Error { code: ErrorCode::ServerError(REQUEST_FAILED), message: why.into(), data: None }
}

/// `RequestFailed` of the protocol.
const REQUEST_FAILED: i64 = -32803;

fn argument_of<T: DeserializeOwned>(argument: &LSPAny) -> Result<T> {
    serde_json::from_value(argument.clone()).map_err(|error| Error::invalid_params(error.to_string()))
}

/// Ends when the process that the client named has ended.
///
/// A process that cannot be seen from the start, as from another container, is not waited for.
async fn client_gone(session: &Session) {
    let process = *session.client_process.wait().await;
    if !is_alive(process) {
        std::future::pending::<()>().await;
    }
    while is_alive(process) {
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

#[cfg(unix)]
fn is_alive(process: i32) -> bool {
    let Some(process) = rustix::process::Pid::from_raw(process) else { return false };
    // A process of somebody else may not be signalled, but it is there.
    matches!(rustix::process::test_kill_process(process), Ok(()) | Err(rustix::io::Errno::PERM))
}

/// Elsewhere the end of the input alone tells.
#[cfg(not(unix))]
fn is_alive(_process: i32) -> bool {
    false
}
