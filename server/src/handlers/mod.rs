//! A file for each method of the protocol: decode, call one function, encode.

pub(crate) mod diagnostic;
pub(crate) mod hover;
pub(crate) mod initialize;
pub(crate) mod notifications;

use std::sync::Arc;

use tower_lsp::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp::ls_types::Uri;

use crate::document::{Analyzed, Document};
use crate::handlers::initialize::ClientProfile;
use crate::order;
use crate::session::Session;

/// What a handler of a document's request works on; none of it changes.
pub(crate) struct View {
    /// The document as it was when the request arrived.
    pub(crate) document: Arc<Document>,
    /// Its analysis.
    pub(crate) analyzed: Arc<Analyzed>,
    /// What was agreed on with the client.
    pub(crate) client: Arc<ClientProfile>,
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
    let view = View { document: Arc::clone(&document), analyzed, client: Arc::clone(&snapshot.client) };
    match tokio::task::spawn_blocking(move || handler(&view, params)).await {
        Ok(_) if document.is_superseded() => Err(modified()),
        Ok(answer) => Ok(answer),
        Err(_) => Err(Error::internal_error()),
    }
}
