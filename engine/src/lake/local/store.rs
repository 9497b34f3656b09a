//! An artifact store in a local folder.
//!
//! A write goes to a temporary file in the folder of its target, is flushed to disk and renamed, so that a reader sees
//! the old content or the new one and a killed process leaves at most a temporary file, which the next opening of the
//! store removes. Conditional writes compare the hash of the content while they hold an advisory lock.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::lake::{Artifact, ArtifactStore, Expected, Put};
use crate::{Error, Result};

/// Temporary files carry this prefix; [`ArtifactStore::list`] never shows them.
const TEMPORARY: &str = ".tmp-";
/// The advisory lock of the store, in its root.
const LOCK: &str = ".lock";
/// A temporary file older than this belongs to nobody who is still writing.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A folder of artifacts.
#[derive(Clone, Debug)]
pub struct LocalStore {
    root: PathBuf,
}

impl LocalStore {
    /// The store in this folder, which need not exist until something is written. Removes what killed writers left.
    pub fn open(root: impl Into<PathBuf>) -> Self {
        let store = Self { root: root.into() };
        remove_abandoned(&store.root, SystemTime::now());
        store
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The path of a key.
    ///
    /// # Errors
    /// A key that is empty or absolute, or that has a `.`, `..` or hidden part, is refused.
    pub fn path(&self, key: &str) -> Result<PathBuf> {
        let plain = |part: Component<'_>| match part {
            Component::Normal(name) => !name.to_string_lossy().starts_with('.'),
            _ => false,
        };
        if key.is_empty() || key.contains(['\\', '\0']) || !Path::new(key).components().all(plain) {
            return Err(Error::input(
                format!("artifact key {key:?}"),
                "leaves the artifact store",
                "use a relative path of plain names such as contracts/loans.json",
            ));
        }
        Ok(self.root.join(key))
    }

    fn write(&self, key: &str, content: &[u8], expected: &Expected) -> Result<Put> {
        let path = self.path(key)?;
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        let lock_path = self.root.join(LOCK);
        let lock_file = File::options().create(true).truncate(false).write(true).open(&lock_path);
        let mut lock = fd_lock::RwLock::new(lock_file.map_err(|error| unwritable(&lock_path, &error))?);
        let _guard = lock.write().map_err(|error| unwritable(&lock_path, &error))?;
        let current = read(&path)?.map(|artifact| artifact.version);
        let matches = match expected {
            Expected::Any => true,
            Expected::Absent => current.is_none(),
            Expected::Version(version) => current.as_ref() == Some(version),
        };
        if !matches {
            return Ok(Put::Conflict);
        }
        write_atomically(&path, content).map_err(|error| unwritable(&path, &error))?;
        Ok(Put::Written(version(content)))
    }
}

#[async_trait]
impl ArtifactStore for LocalStore {
    async fn get(&self, key: &str) -> Result<Option<Artifact>> {
        read(&self.path(key)?)
    }

    async fn put(&self, key: &str, content: &[u8], expected: Expected) -> Result<Put> {
        let (store, key, content) = (self.clone(), key.to_owned(), content.to_vec());
        let written = tokio::task::spawn_blocking(move || store.write(&key, &content, &expected)).await;
        written.map_err(|error| Error::environment("artifact store", error, "run again"))?
    }

    async fn put_file(&self, key: &str, file: &Path) -> Result<()> {
        let (path, file) = (self.path(key)?, file.to_owned());
        let copied = tokio::task::spawn_blocking(move || {
            let folder = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
            copy_atomically(&file, &path).map_err(|error| unwritable(&path, &error))
        });
        copied.await.map_err(|error| Error::environment("artifact store", error, "run again"))?
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let mut keys = Vec::new();
        collect_keys(&self.root, "", &mut keys)?;
        keys.retain(|key| key.starts_with(prefix));
        keys.sort();
        Ok(keys)
    }

    fn locate(&self, key: &str) -> String {
        self.root.join(key).display().to_string()
    }
}

/// Replaces a file's content as one step that survives a crash: temporary file in the same folder, flush, rename.
pub(crate) fn write_atomically(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// As [`write_atomically`], with the content of another file.
fn copy_atomically(from: &Path, to: &Path) -> std::io::Result<()> {
    let folder = to.parent().unwrap_or(Path::new("."));
    let mut copy = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(folder)?;
    std::io::copy(&mut File::open(from)?, copy.as_file_mut())?;
    copy.as_file().sync_all()?;
    copy.persist(to).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// Flushes a folder, so that a rename in it survives a crash.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

fn read(path: &Path) -> Result<Option<Artifact>> {
    match fs::read(path) {
        Ok(content) => Ok(Some(Artifact { version: version(&content), content })),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Error::io(path, &error)),
    }
}

fn version(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::environment(
        path.display(),
        format!("the artifact store cannot be written: {error}"),
        "check the folder's permissions and free space, or set another `store.root` in de-copilot.toml",
    )
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::environment(
        path.display(),
        format!("the artifact store cannot be read: {error}"),
        "check that it is a folder and its permissions, or set another `store.root` in de-copilot.toml",
    )
}

fn collect_keys(folder: &Path, prefix: &str, keys: &mut Vec<String>) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(folder, &error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let key = format!("{prefix}{name}");
        match entry.file_type().map_err(|error| Error::io(entry.path(), &error))? {
            kind if kind.is_dir() => collect_keys(&entry.path(), &format!("{key}/"), keys)?,
            _ => keys.push(key),
        }
    }
    Ok(())
}

/// Removes temporary files of writers that were killed. That it cannot is no reason to fail: they are harmless.
fn remove_abandoned(folder: &Path, now: SystemTime) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() {
            remove_abandoned(&entry.path(), now);
        } else if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            let age = metadata.modified().ok().and_then(|at| now.duration_since(at).ok());
            if age.is_some_and(|age| age >= ABANDONED) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn conditional_writes_lose_to_whoever_wrote_first() {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalStore::open(folder.path().join("store"));
        let Put::Written(first) = store.put("contracts/a.json", b"1", Expected::Absent).await.unwrap() else {
            panic!()
        };
        assert_eq!(store.put("contracts/a.json", b"2", Expected::Absent).await.unwrap(), Put::Conflict);
        let second = store.put("contracts/a.json", b"2", Expected::Version(first.clone())).await.unwrap();
        assert!(matches!(second, Put::Written(_)));
        assert_eq!(store.put("contracts/a.json", b"3", Expected::Version(first)).await.unwrap(), Put::Conflict);
        assert_eq!(store.get("contracts/a.json").await.unwrap().unwrap().content, b"2");
        assert_eq!(store.list("contracts/").await.unwrap(), ["contracts/a.json"]);
        assert_eq!(store.get("contracts/b.json").await.unwrap(), None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_many_racing_writers_exactly_one_creates() {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalStore::open(folder.path());
        let puts = (0..8u8).map(|i| {
            let store = store.clone();
            tokio::spawn(async move { store.put("x.json", &[i], Expected::Absent).await.unwrap() })
        });
        let outcomes = futures::future::join_all(puts).await;
        let written = outcomes.into_iter().filter(|put| matches!(put, Ok(Put::Written(_)))).count();
        assert_eq!(written, 1);
    }

    #[tokio::test]
    async fn keys_cannot_leave_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalStore::open(folder.path().join("store"));
        for key in ["../x", "/etc/x", "a/../../x", "", "a/./../b", ".lock", "a\\..\\b"] {
            let error = store.put(key, b"", Expected::Any).await.unwrap_err();
            assert!(error.to_string().contains("leaves the artifact store"), "{key}: {error}");
        }
    }

    #[tokio::test]
    async fn an_unwritable_store_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("store"), "a file, not a folder").unwrap();
        let store = LocalStore::open(folder.path().join("store"));
        let error = store.put("contracts/a.json", b"", Expected::Any).await.unwrap_err();
        assert!(matches!(&error, Error::Environment { next, .. } if next.contains("`store.root`")), "{error}");
    }

    #[test]
    fn leftovers_of_killed_writers_are_removed_once_old() {
        let folder = tempfile::tempdir().unwrap();
        let leftover = folder.path().join("contracts/.tmp-abc");
        fs::create_dir_all(leftover.parent().unwrap()).unwrap();
        fs::write(&leftover, "half").unwrap();
        remove_abandoned(folder.path(), SystemTime::now());
        assert!(leftover.exists());
        remove_abandoned(folder.path(), SystemTime::now() + ABANDONED * 2);
        assert!(!leftover.exists());
    }
}
