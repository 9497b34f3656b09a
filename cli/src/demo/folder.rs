//! The demo's folder, which every run makes anew.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use engine::{Error, Result};
use fd_lock::RwLock;

/// Marks a folder as the demo's. It is written first and removed never, so that a run that was killed at any point
/// leaves a folder that the next one may clear.
const MARK: &str = ".de-copilot-demo";

/// What a run makes, and the next one removes.
const CONTENT: [&str; 8] =
    ["changes", "de-copilot", "de-copilot.toml", "fixed", "incoming", "jobs", "lake", "planted.json"];

/// Makes an empty folder for the demo, or clears the one of an earlier run. The lock is to be held while it is used.
///
/// # Errors
/// A folder that holds anything else, and one that cannot be written.
pub(crate) fn prepare(out: &Path) -> Result<RwLock<File>> {
    fs::create_dir_all(out).map_err(|error| unwritable(out, &error))?;
    let mark = out.join(MARK);
    let is_ours = mark.exists();
    if !is_ours && fs::read_dir(out).map_err(|error| Error::io(out, &error))?.next().is_some() {
        let next = "name an empty or a new folder with --out";
        return Err(Error::input(out.display(), "holds files that the demo did not make", next));
    }
    let file = File::options().create(true).truncate(false).write(true).open(&mark);
    let lock = RwLock::new(file.map_err(|error| unwritable(&mark, &error))?);
    Ok(lock)
}

/// Removes what an earlier run made.
///
/// # Errors
/// A file that cannot be removed.
pub(super) fn clear(out: &Path) -> Result<()> {
    for name in CONTENT {
        let path = out.join(name);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.or_else(
            |error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(Error::io(&path, &error)) },
        )?;
    }
    Ok(())
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    let problem = format!("the demo cannot write there: {error}");
    Error::environment(path.display(), problem, "name a folder that you may write with --out")
}
