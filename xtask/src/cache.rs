//! The folder that keeps what the tests need between runs: `DE_COPILOT_CACHE`, by default `~/.cache/de-copilot`.
//!
//! ```text
//! pieces/NAME/        a piece, whole: it is put there by a rename
//! pieces/NAME/.stamp  what it was made from; another stamp means that it is made anew
//! pieces/.NAME-*      a piece in the making, or what an interrupted run left of it
//! locks/NAME          held while a piece is made, so that two runs make it once
//! logs/NAME.log       the last output of a piece's installation or of a suite
//! ```

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fd_lock::RwLock;

const STAMP: &str = ".stamp";

/// The cache of one user.
pub(crate) struct Cache {
    root: PathBuf,
}

impl Cache {
    /// The cache that the environment names, its folders made.
    pub(crate) fn open() -> Result<Cache> {
        let root = match (env::var_os("DE_COPILOT_CACHE"), env::var_os("HOME")) {
            (Some(cache), _) if !cache.is_empty() => PathBuf::from(cache),
            (_, Some(home)) if !home.is_empty() => Path::new(&home).join(".cache/de-copilot"),
            _ => anyhow::bail!("neither DE_COPILOT_CACHE nor HOME is set: set DE_COPILOT_CACHE to a folder"),
        };
        Cache::at(&root)
    }

    fn at(root: &Path) -> Result<Cache> {
        for folder in ["pieces", "locks", "logs"] {
            let folder = root.join(folder);
            fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make {}: set DE_COPILOT_CACHE to another folder", folder.display()))?;
        }
        let root = fs::canonicalize(root).with_context(|| format!("cannot open {}", root.display()))?;
        Ok(Cache { root })
    }

    /// The folder of a piece, made or not.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.root.join("pieces").join(name)
    }

    /// The log of a piece or a suite.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.root.join("logs").join(format!("{name}.log"))
    }

    /// Runs `work` while no other process runs any for the same name.
    pub(crate) fn locked<T>(&self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let path = self.root.join("locks").join(name);
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut lock = RwLock::new(file);
        let _held = lock.write().with_context(|| format!("cannot lock {}", path.display()))?;
        work()
    }

    /// True if the piece is there and was made from `stamp`.
    pub(crate) fn has(&self, name: &str, stamp: &str) -> bool {
        fs::read_to_string(self.folder(name).join(STAMP)).is_ok_and(|found| found == stamp)
    }

    /// Makes a piece in a temporary folder that `fill` is given, and puts it in place of an older one when it is whole.
    ///
    /// Run it within [`Cache::locked`]: what other folders there are of this name were left by runs that were stopped.
    pub(crate) fn make(&self, name: &str, stamp: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let pieces = self.root.join("pieces");
        let prefix = format!(".{name}-");
        for left in fs::read_dir(&pieces)?.flatten() {
            if left.file_name().to_string_lossy().starts_with(&prefix) {
                fs::remove_dir_all(left.path()).with_context(|| format!("cannot remove {}", left.path().display()))?;
            }
        }
        let made = tempfile::Builder::new().prefix(&prefix).tempdir_in(&pieces)?;
        let folder = made.path().join("piece");
        fs::create_dir(&folder)?;
        fill(&folder)?;
        fs::write(folder.join(STAMP), stamp)?;
        let place = self.folder(name);
        if place.exists() {
            fs::rename(&place, made.path().join("older"))?;
        }
        fs::rename(&folder, &place).with_context(|| format!("cannot move a piece to {}", place.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_made_once_per_stamp() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::at(root.path()).unwrap();
        let make = |stamp: &str| cache.make("tool", stamp, |folder| Ok(fs::write(folder.join("file"), stamp)?));
        assert!(!cache.has("tool", "1"));
        make("1").unwrap();
        assert!(cache.has("tool", "1") && !cache.has("tool", "2"));
        make("2").unwrap();
        assert!(cache.has("tool", "2"));
        assert_eq!(fs::read_to_string(cache.folder("tool").join("file")).unwrap(), "2");
        assert_eq!(fs::read_dir(root.path().join("pieces")).unwrap().count(), 1, "nothing of the older one is left");
    }

    #[test]
    fn a_failure_leaves_the_older_piece_and_no_rest() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::at(root.path()).unwrap();
        cache.make("tool", "1", |_| Ok(())).unwrap();
        fs::create_dir(root.path().join("pieces/.tool-interrupted")).unwrap();
        let failed = cache.make("tool", "2", |_| anyhow::bail!("no network"));
        assert_eq!(failed.unwrap_err().to_string(), "no network");
        assert!(cache.has("tool", "1"));
        assert_eq!(fs::read_dir(root.path().join("pieces")).unwrap().count(), 1);
    }
}
