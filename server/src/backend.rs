//! What the server cannot do itself, and asks of the program that runs it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use analyzer::policy::{Accepted, Policy};
use analyzer::{LastRun, Severity};
use async_trait::async_trait;
use contract::document::{Contract, Profile};
use contract::schema::{TableName, TableSchema};
use serde::{Deserialize, Serialize};

/// Why a question could not be answered now. It is logged; people read of it in [`Backend::status`].
pub type BackendError = Box<dyn std::error::Error + Send + Sync>;

/// Knowledge of a project that its scripts' text does not hold.
///
/// All methods are called in the background, never while somebody waits: the server keeps every answer and analyses
/// with what it has. It asks again, all questions asked so far, when a file is saved, when the editor reports that
/// files changed on disk, and about once a minute. It then says so by [`Backend::files_changed`]; what an implementation
/// has listed it may keep until then. Every answer comes in bounded time.
///
/// `Ok(None)` means that there is no such thing. `Err` means that it could not be found out: the server keeps the
/// answer that it had.
///
/// `root` is the root of a project: of the folders above the script, the nearest one that holds a `de-copilot.toml`,
/// but none above the workspace folder; without such a file the workspace folder; and the script's own folder where
/// the editor opened a single file. Calls come from several tasks at once. Blocking work belongs into
/// `tokio::task::spawn_blocking`.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// Files may have changed: what was listed is to be looked at again. Does not wait.
    fn files_changed(&self) {}

    /// Columns of a catalog table.
    async fn table(&self, root: &Path, name: &TableName) -> Result<Option<TableSchema>, BackendError> {
        let _ = (root, name);
        Ok(None)
    }

    /// Columns of the files under a path, as a script spells the path (`s3://bucket/prefix/`).
    async fn path(&self, root: &Path, path: &str) -> Result<Option<TableSchema>, BackendError> {
        let _ = (root, path);
        Ok(None)
    }

    /// The stored contract of a catalog table.
    async fn contract(&self, root: &Path, name: &TableName) -> Result<Option<Arc<Contract>>, BackendError> {
        let _ = (root, name);
        Ok(None)
    }

    /// The newest profile of a catalog table.
    async fn profile(&self, root: &Path, name: &TableName) -> Result<Option<Arc<Profile>>, BackendError> {
        let _ = (root, name);
        Ok(None)
    }

    /// How the tests of a catalog table went the last time.
    async fn last_run(&self, root: &Path, name: &TableName) -> Result<Option<Arc<LastRun>>, BackendError> {
        let _ = (root, name);
        Ok(None)
    }

    /// What is wrong with a file of the project that is no script, such as its settings or a contract, if its text were
    /// this; nothing of a file that is none of the project's.
    async fn review(&self, root: &Path, file: &Path, text: &str) -> Vec<Finding> {
        let _ = (root, file, text);
        Vec::new()
    }

    /// The file that holds the contract of a table, if there is one. Called on a thread that may block, so a look at the
    /// disk is fine and the network is not.
    fn contract_file(&self, root: &Path, name: &TableName) -> Option<PathBuf> {
        let _ = (root, name);
        None
    }

    /// The tables of the catalog, for completion.
    async fn tables(&self, root: &Path) -> Vec<TableName> {
        let _ = root;
        Vec::new()
    }

    /// The scripts of the project, so that readers and writers of a table are found that are not open.
    async fn scripts(&self, root: &Path) -> Vec<PathBuf> {
        let _ = root;
        Vec::new()
    }

    /// Value of a job argument of `script` in the environment that the project chose.
    async fn argument(&self, root: &Path, script: &Path, name: &str) -> Result<Option<String>, BackendError> {
        let _ = (root, script, name);
        Ok(None)
    }

    /// File of the module that `script` imports as `dotted` (`helpers.catalog`; a relative import keeps its dots),
    /// where it belongs to the project. The server reads it, or takes the editor's text where it is open there.
    async fn module(&self, root: &Path, script: &Path, dotted: &str) -> Result<Option<PathBuf>, BackendError> {
        let _ = (root, script, dotted);
        Ok(None)
    }

    /// What the project wants to be told of its scripts.
    async fn policy(&self, root: &Path) -> Result<Policy, BackendError> {
        let _ = root;
        Ok(Policy::default())
    }

    /// Takes a finding in a script as known: it is not told again. Asked on a person's request.
    async fn accept(&self, root: &Path, script: &Path, finding: Accepted) -> Result<(), BackendError> {
        let _ = (root, script, finding);
        Err("this server keeps no accepted findings".into())
    }

    /// Proposes a contract of a table, keeps what holds and stores it, if the watcher wants what would change; `None`
    /// where it does not. What people wrote in it stays. It may take long and may be dropped on the way: what is stored
    /// is whole at any time.
    async fn generate(
        &self,
        root: &Path,
        table: &TableName,
        watcher: &dyn Watcher,
    ) -> Result<Option<Generated>, BackendError> {
        let _ = (root, table);
        watcher.report("there is no generator");
        Err("this server has no generator".into())
    }

    /// How well the project is known, for the editor's status item. Asked after each round of questions.
    async fn status(&self, root: &Path) -> Status {
        let _ = root;
        Status::default()
    }
}

/// Something that is wrong with a file that is no script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of finding it is; the reference of diagnostics explains each.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

/// Who waits for a contract that is generated.
#[async_trait]
pub trait Watcher: Send + Sync {
    /// Is told each step.
    fn report(&self, step: &str);

    /// Says whether a contract is to be stored.
    async fn approve(&self, change: ContractChange) -> bool;
}

/// What would become of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractChange {
    /// Its file.
    pub file: PathBuf,
    /// Its text as it is stored; empty where there is none yet.
    pub before: String,
    /// Its text as it would be stored.
    pub after: String,
}

/// A contract that was generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Its file.
    pub file: PathBuf,
    /// What was kept and refused, in a sentence.
    pub summary: String,
}

/// How well a project is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Whether anything is amiss.
    pub health: Health,
    /// What is known, from where and how old; where something is amiss, what it is and which setting or command mends
    /// it. Plain text, a sentence a line.
    pub message: String,
}

/// Whether the editor should draw attention to a [`Status`]. The worst of several comes last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// All that the project names is known.
    #[default]
    Ok,
    /// Something is missing or old; features that need it are silent.
    Degraded,
    /// The project's settings or its catalog cannot be read.
    Error,
}

/// Knows nothing: scripts are read by their text alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBackend;

impl Backend for NoBackend {}
