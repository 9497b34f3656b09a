//! Notifications of documents and the workspace, which are applied at once and in order.

use serde::de::DeserializeOwned;
use serde_json::Value;
use tower_lsp::jsonrpc::Request;
use tower_lsp::ls_types::notification::{
    DidChangeNotebookDocument, DidChangeTextDocument, DidChangeWatchedFiles, DidChangeWorkspaceFolders,
    DidCloseNotebookDocument, DidCloseTextDocument, DidOpenNotebookDocument, DidOpenTextDocument,
    DidSaveNotebookDocument, DidSaveTextDocument, Notification, WorkDoneProgressCancel,
};

use tower_lsp::ls_types::WorkDoneProgressCancelParams;

use crate::session::Session;

/// Applies a notification that changes the session; gives back every other message.
pub(crate) fn apply(session: &Session, message: Request) -> Option<Request> {
    if message.id().is_some() || !APPLIED_HERE.contains(&message.method()) {
        return Some(message);
    }
    let (method, _, params) = message.into_parts();
    let params = params.unwrap_or_default();
    let applied = match &*method {
        DidOpenTextDocument::METHOD => decode(params).map(|params| session.open(params)),
        DidChangeTextDocument::METHOD => decode(params).map(|params| session.change(&params)),
        DidCloseTextDocument::METHOD => decode(params).map(|params| session.close(&params)),
        DidOpenNotebookDocument::METHOD => decode(params).map(|params| session.open(session.notebooks.open(params))),
        DidChangeNotebookDocument::METHOD => decode(params).map(|params| {
            let encoding = session.snapshot().client.encoding;
            session.notebooks.change(params, encoding).iter().for_each(|change| session.change(change));
        }),
        DidCloseNotebookDocument::METHOD => {
            decode(params).map(|params| session.close(&session.notebooks.close(params)))
        }
        DidChangeWorkspaceFolders::METHOD => decode(params).map(|params| session.change_folders(&params)),
        WorkDoneProgressCancel::METHOD => {
            decode(params).map(|params: WorkDoneProgressCancelParams| session.generations.stop(&params.token))
        }
        _ => {
            session.disk_changed.notify_one();
            Ok(())
        }
    };
    if let Err(error) = applied {
        tracing::warn!("the client sent {method} with parameters that are not its: {error}");
    }
    None
}

const APPLIED_HERE: [&str; 11] = [
    DidOpenTextDocument::METHOD,
    DidChangeTextDocument::METHOD,
    DidCloseTextDocument::METHOD,
    DidSaveTextDocument::METHOD,
    DidOpenNotebookDocument::METHOD,
    DidChangeNotebookDocument::METHOD,
    DidCloseNotebookDocument::METHOD,
    DidSaveNotebookDocument::METHOD,
    DidChangeWorkspaceFolders::METHOD,
    DidChangeWatchedFiles::METHOD,
    WorkDoneProgressCancel::METHOD,
];

fn decode<P: DeserializeOwned>(params: Value) -> Result<P, serde_json::Error> {
    serde_json::from_value(params)
}
