//! Errors name the file, line, setting or table, and the next step.

use std::path::PathBuf;

/// What a stage returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a stage could not do its work. The command line maps each kind to an exit code.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The person's input or configuration is wrong (exit code 2).
    #[error("{place}: {problem}\n  next: {next}")]
    Input {
        /// The file, line, setting or table.
        place: String,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        next: String,
    },
    /// The environment failed: disk, memory, network, a killed child (exit code 3).
    #[error("{place}: {problem}\n  next: {next}")]
    Environment {
        /// The file, process or service.
        place: String,
        /// What failed.
        problem: String,
        /// What to do.
        next: String,
    },
}

impl Error {
    /// An error of the person's input or configuration.
    pub fn input(place: impl ToString, problem: impl ToString, next: impl ToString) -> Self {
        Error::Input { place: place.to_string(), problem: problem.to_string(), next: next.to_string() }
    }

    /// An error of the environment.
    pub fn environment(place: impl ToString, problem: impl ToString, next: impl ToString) -> Self {
        Error::Environment { place: place.to_string(), problem: problem.to_string(), next: next.to_string() }
    }

    /// A failed operation on a file.
    pub fn io(path: impl Into<PathBuf>, error: &std::io::Error) -> Self {
        let path = path.into();
        let next = match error.kind() {
            std::io::ErrorKind::NotFound => "check the path",
            std::io::ErrorKind::PermissionDenied => "check the permissions of the file and its folder",
            std::io::ErrorKind::StorageFull => "free some disk space and run again",
            _ => "run again; if it stays, check the disk",
        };
        Error::environment(path.display(), error, next)
    }
}
