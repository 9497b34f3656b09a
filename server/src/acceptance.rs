//! Findings that somebody takes as known from the editor.

use std::path::PathBuf;

use analyzer::policy::Accepted;
use serde::{Deserialize, Serialize};

use crate::backend::BackendError;
use crate::session::Session;

/// The command of `workspace/executeCommand`, with one [`Wanted`] as its argument.
pub(crate) const COMMAND: &str = "deCopilot.acceptFinding";

/// A finding that is to be taken as known.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// Root of the project.
    pub(crate) root: PathBuf,
    pub(crate) script: PathBuf,
    /// The code of the diagnostic.
    pub(crate) code: String,
    /// The line of the script on which it begins.
    pub(crate) line: String,
}

/// Has a finding taken as known, and all scripts of its project looked at anew.
pub(crate) async fn accept(session: &Session, wanted: Wanted) -> Result<(), BackendError> {
    let finding = Accepted { code: wanted.code, line: wanted.line };
    session.knowledge.backend.accept(&wanted.root, &wanted.script, finding).await?;
    session.disk_changed.notify_one();
    Ok(())
}
