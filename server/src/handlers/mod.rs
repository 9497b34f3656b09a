//! A file for each method of the protocol: decode, call one function, encode.

pub(crate) mod code_action;
pub(crate) mod code_lens;
pub(crate) mod completion;
pub(crate) mod definition;
pub(crate) mod diagnostic;
pub(crate) mod document_link;
pub(crate) mod document_symbol;
pub(crate) mod folding_range;
pub(crate) mod hover;
pub(crate) mod initialize;
pub(crate) mod inlay_hint;
pub(crate) mod notifications;
pub(crate) mod references;
pub(crate) mod rename;
pub(crate) mod semantic_tokens;
pub(crate) mod signature_help;
pub(crate) mod symbol;

use std::sync::Arc;

use contract::schema::TableName;
use tower_lsp::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp::ls_types::Uri;

use crate::document::{Analyzed, Document};
use crate::handlers::initialize::ClientProfile;
use crate::knowledge::{Knowledge, KnownWorld, Place};
use crate::order;
use crate::session::Session;
use crate::workspace::Workspace;

/// What a handler of a document's request works on; none of it changes.
pub(crate) struct View {
    /// The document as it was when the request arrived.
    pub(crate) document: Arc<Document>,
    /// Its analysis.
    pub(crate) analyzed: Arc<Analyzed>,
    /// What was agreed on with the client.
    pub(crate) client: Arc<ClientProfile>,
    /// Where it stands, if it is a file.
    pub(crate) place: Option<Place>,
    /// What is known of tables, contracts and arguments.
    pub(crate) knowledge: Arc<Knowledge>,
    /// What is known of other jobs.
    pub(crate) workspace: Arc<Workspace>,
}

/// What a handler works on that needs the text alone, and not its analysis.
pub(crate) struct TextView {
    /// The document as it was when the request arrived.
    pub(crate) document: Arc<Document>,
    /// What was agreed on with the client.
    pub(crate) client: Arc<ClientProfile>,
    /// What is known, as an analysis of the document sees it.
    pub(crate) world: KnownWorld<Box<dyn Fn() -> bool + Send + Sync>>,
    /// The tables of the catalog.
    pub(crate) tables: Arc<Vec<TableName>>,
    /// Where it stands, if it is a file.
    pub(crate) place: Option<Place>,
    /// What is known of tables, contracts and arguments.
    pub(crate) knowledge: Arc<Knowledge>,
    /// What is known of other jobs.
    pub(crate) workspace: Arc<Workspace>,
}

/// Answers a request about a document by `handler`, which may compute but not wait.
///
/// A document that is not open, or that the analyzer failed on, yields the empty answer. An answer about a version
/// that the client has meanwhile edited would be about other text, so it becomes `ContentModified`.
pub(crate) async fn on_document<P, R>(session: &Session, uri: &Uri, params: P, handler: fn(&View, P) -> R) -> Result<R>
where
    P: Send + 'static,
    R: Default + Send + 'static,
{
    let snapshot = order::snapshot().unwrap_or_else(|| session.snapshot());
    let Some(document) = snapshot.documents.get(uri).map(Arc::clone) else { return Ok(R::default()) };
    let modified = || Error::new(ErrorCode::ContentModified);
    let analyzed = document.analysis(&session.knowledge, &snapshot).await.map_err(|_| modified())?;
    let Some(analyzed) = analyzed else { return Ok(R::default()) };
    let view = View {
        document: Arc::clone(&document),
        analyzed,
        client: Arc::clone(&snapshot.client),
        place: document.path.as_ref().and_then(|path| session.knowledge.place(path)),
        knowledge: Arc::clone(&session.knowledge),
        workspace: Arc::clone(&session.workspace),
    };
    match tokio::task::spawn_blocking(move || handler(&view, params)).await {
        Ok(_) if document.is_superseded() => Err(modified()),
        Ok(answer) => Ok(answer),
        Err(_) => Err(Error::internal_error()),
    }
}

/// Answers a request about a document's text, as [`on_document`] does one about its analysis.
pub(crate) async fn on_text<P, R>(session: &Session, uri: &Uri, params: P, handler: fn(&TextView, P) -> R) -> Result<R>
where
    P: Send + 'static,
    R: Default + Send + 'static,
{
    let snapshot = order::snapshot().unwrap_or_else(|| session.snapshot());
    let Some(document) = snapshot.documents.get(uri).map(Arc::clone) else { return Ok(R::default()) };
    let place = document.path.as_ref().and_then(|path| session.knowledge.place(path));
    let tables = place.as_ref().map(|place| session.knowledge.tables(&place.root)).unwrap_or_default();
    let superseded = Arc::clone(&document);
    let cancelled: Box<dyn Fn() -> bool + Send + Sync> = Box::new(move || superseded.is_superseded());
    let world = KnownWorld::new(Arc::clone(&session.knowledge), Arc::clone(&snapshot), place.clone(), cancelled);
    let view = TextView {
        document: Arc::clone(&document),
        client: Arc::clone(&snapshot.client),
        world,
        tables,
        place,
        knowledge: Arc::clone(&session.knowledge),
        workspace: Arc::clone(&session.workspace),
    };
    match tokio::task::spawn_blocking(move || handler(&view, params)).await {
        Ok(_) if document.is_superseded() => Err(Error::new(ErrorCode::ContentModified)),
        Ok(answer) => Ok(answer),
        Err(_) => Err(Error::internal_error()),
    }
}
