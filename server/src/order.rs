//! The outermost layer, through which every message passes in the order of the wire.
//!
//! The router below runs handlers concurrently and so out of order. Here a notification about documents or the
//! workspace is applied before the next message is looked at, and a request takes along the snapshot of its moment.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::{self, BoxFuture};
use futures::{FutureExt, TryFutureExt};
use tower::Service;
use tower_lsp::ExitedError;
use tower_lsp::jsonrpc::{Error, Request, Response};

use crate::handlers::notifications;
use crate::session::{Session, Snapshot};

tokio::task_local! {
    static SNAPSHOT: Arc<Snapshot>;
}

/// The state of the session when the request arrived that the current task answers.
pub(crate) fn snapshot() -> Option<Arc<Snapshot>> {
    SNAPSHOT.try_with(Arc::clone).ok()
}

/// Applies notifications, and gives each request its snapshot and a fence against panics.
pub(crate) struct Ordered<S> {
    inner: S,
    session: Arc<Session>,
}

impl<S> Ordered<S> {
    pub(crate) fn new(inner: S, session: Arc<Session>) -> Self {
        Self { inner, session }
    }
}

impl<S> Service<Request> for Ordered<S>
where
    S: Service<Request, Response = Option<Response>, Error = ExitedError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match notifications::apply(&self.session, request) {
            None => future::ok(None).boxed(),
            Some(request) => {
                let id = request.id().cloned();
                let (request, asked) = self.session.notebooks.layout().ask(request);
                let answer = SNAPSHOT.scope(self.session.snapshot(), self.inner.call(request));
                let answer = fenced(answer, move || id.map(|id| Response::from_error(id, Error::internal_error())));
                answer.map_ok(move |answer| answer.map(|answer| asked.answer(answer))).boxed()
            }
        }
    }
}

/// Answers a request whose handler panicked; the panic itself is reported by the process's panic hook.
async fn fenced<F>(answer: F, otherwise: impl FnOnce() -> Option<Response>) -> F::Output
where
    F: Future<Output = Result<Option<Response>, ExitedError>>,
{
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| Ok(otherwise()))
}
