//! The one rule for which files of a folder are data, and what their Hive partition folders say.
//!
//! Spark, Athena and DataFusion disagree here (Spark reads files without an extension and skips dot-files, DataFusion
//! does the opposite), so every reader of a lake goes through [`list`]: names that start with `.` or `_`, `*.crc` and
//! zero-byte files are no data; everything else is, at any depth.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The folder name under which Hive and Spark store a NULL partition value.
const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// The folder in a table's folder where loads wait that are not the table's yet: `_loading/<load>/`.
pub(crate) const LOADING: &str = "_loading";

/// Files of a load are called `load-<load>-<number>`, where a load's id has no hyphen.
pub(crate) const LOAD_PREFIX: &str = "load-";

/// How deep folders are followed; deeper is taken for a loop of symbolic links.
const MAX_DEPTH: usize = 32;

/// The data files under a folder.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Data files, sorted by path.
    pub(crate) files: Vec<ListedFile>,
    /// Paths that cannot be data of this lake, with the reason.
    pub(crate) unreadable: Vec<(PathBuf, String)>,
}

/// A data file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedFile {
    /// Its path.
    pub(crate) path: PathBuf,
    /// Its size in bytes; never zero.
    pub(crate) bytes: u64,
    /// When it was last changed, in nanoseconds since the epoch; 0 where the file system does not say.
    pub(crate) modified: u128,
    /// The keys and values of its `key=value` folders, outermost first; the keys in lower case.
    pub(crate) partition: Vec<(String, Option<String>)>,
}

/// Lists the data files at or under `path`, which lies in the lake at `root` (both canonical).
pub(crate) fn list(root: &Path, path: &Path) -> Result<Listing> {
    let mut listing = Listing::default();
    walk(root, path, &mut Vec::new(), 0, &mut listing)?;
    let waiting = waiting_loads(path);
    if !waiting.is_empty() {
        listing.files.retain(|file| load_of(&file.path).is_none_or(|load| !waiting.contains(&load)));
    }
    listing.files.sort_by(|a, b| a.path.cmp(&b.path));
    listing.unreadable.sort();
    Ok(listing)
}

/// The folder of loads that are not the table's yet.
pub(crate) fn loading_folder(table: &Path) -> PathBuf {
    table.join(LOADING)
}

/// Loads of which some files may be in the table and others not: readers see none of them.
fn waiting_loads(table: &Path) -> HashSet<String> {
    let entries = fs::read_dir(loading_folder(table)).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with('.')).collect()
}

fn load_of(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_string_lossy();
    name.strip_prefix(LOAD_PREFIX)?.split_once('-').map(|(load, _)| load.to_owned())
}

/// Whether the listing rule skips a file or folder of this name.
pub(crate) fn is_hidden(name: &str) -> bool {
    name.starts_with(['.', '_']) || name.ends_with(".crc")
}

/// The key and value of a Hive partition folder such as `date=2024-01-01`.
pub(crate) fn partition_of(folder: &str) -> Option<(String, Option<String>)> {
    let (key, value) = folder.split_once('=')?;
    if key.is_empty() {
        return None;
    }
    let value = unescape(value);
    Some((key.to_lowercase(), (value != NULL_PARTITION && !value.is_empty()).then_some(value)))
}

/// The folder of a partition value, `key=value`, escaped as Hive does; the inverse of [`partition_of`].
pub(crate) fn partition_folder(key: &str, value: Option<&str>) -> String {
    match value {
        None | Some("") => format!("{key}={NULL_PARTITION}"),
        Some(value) => format!("{key}={}", escape(value)),
    }
}

/// The sorted names of a folder's entries. A name that is not UTF-8 comes with its replacement characters.
pub(crate) fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| Error::io(folder, &error))? {
        let entry = entry.map_err(|error| Error::io(folder, &error))?;
        entries.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    entries.sort();
    Ok(entries)
}

fn walk(
    root: &Path,
    path: &Path,
    partition: &mut Vec<(String, Option<String>)>,
    depth: usize,
    listing: &mut Listing,
) -> Result<()> {
    match fs::canonicalize(path) {
        Ok(target) if !target.starts_with(root) => {
            listing.unreadable.push((path.into(), "is a symbolic link that leaves the lake".into()));
            return Ok(());
        }
        Ok(_) => {}
        Err(error) => {
            listing.unreadable.push((path.into(), error.to_string()));
            return Ok(());
        }
    }
    let metadata = fs::metadata(path).map_err(|error| Error::io(path, &error))?;
    if metadata.is_file() {
        if metadata.len() > 0 {
            let modified = metadata.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
            listing.files.push(ListedFile {
                path: path.into(),
                bytes: metadata.len(),
                modified: modified.map_or(0, |at| at.as_nanos()),
                partition: partition.clone(),
            });
        }
        return Ok(());
    }
    if !metadata.is_dir() {
        return Ok(());
    }
    if depth == MAX_DEPTH {
        listing.unreadable.push((path.into(), format!("lies more than {MAX_DEPTH} folders deep")));
        return Ok(());
    }
    for (name, entry) in entries(path)? {
        if is_hidden(&name) {
            continue;
        }
        let key = if entry.is_dir() { partition_of(&name) } else { None };
        let pushed = key.is_some();
        partition.extend(key);
        walk(root, &entry, partition, depth + 1, listing)?;
        if pushed {
            partition.pop();
        }
    }
    Ok(())
}

/// Hive writes characters that a path cannot hold as `%` and two hexadecimal digits.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_control() || "\"#%'*/:=?\\{[]^".contains(c) {
            escaped.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_what_spark_would_read() {
        let lake = tempfile::tempdir().unwrap();
        let root = lake.path().canonicalize().unwrap();
        for name in [
            "_SUCCESS",
            ".part.crc",
            "a.csv.crc",
            "_temporary/x.csv",
            "run-1-part-r-00000",
            "d=1/e=__HIVE_DEFAULT_PARTITION__/b.csv",
        ] {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        fs::write(root.join("empty.csv"), "").unwrap();
        let listing = list(&root, &root).unwrap();
        let files: Vec<_> =
            listing.files.iter().map(|f| f.path.strip_prefix(&root).unwrap().to_str().unwrap()).collect();
        assert_eq!(files, ["d=1/e=__HIVE_DEFAULT_PARTITION__/b.csv", "run-1-part-r-00000"]);
        assert_eq!(listing.files[0].partition, [("d".into(), Some("1".into())), ("e".into(), None)]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_lake_is_told_and_not_followed() {
        let lake = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret.csv"), "a\n1\n").unwrap();
        let root = lake.path().canonicalize().unwrap();
        std::os::unix::fs::symlink(outside.path(), root.join("t")).unwrap();
        let listing = list(&root, &root).unwrap();
        assert!(listing.files.is_empty());
        assert_eq!(listing.unreadable, [(root.join("t"), "is a symbolic link that leaves the lake".to_owned())]);
    }

    #[test]
    fn partition_folders_escape_and_unescape() {
        assert_eq!(partition_of("ts=2024-01-01 10%3A00"), Some(("ts".into(), Some("2024-01-01 10:00".into()))));
        assert_eq!(partition_folder("ts", Some("10:00/5%")), "ts=10%3A00%2F5%25");
        assert_eq!(partition_of(&partition_folder("k", None)), Some(("k".into(), None)));
        assert_eq!(partition_of("plain"), None);
        assert_eq!(partition_of("k=50%"), Some(("k".into(), Some("50%".into()))));
    }
}
