//! What a folder that nobody prepared holds, and what it does not say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::scripts::{self, Scripts};
use super::settings::Settings;
use super::{FILE_NAME, reference};
use crate::{Error, Result};

/// How deep folders are searched.
const MAX_DEPTH: usize = 10;

/// What was found in a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Discovery {
    /// The proposed settings.
    pub settings: Settings,
    /// What could not be known.
    pub unknowns: Vec<Unknown>,
    /// How many data files were found.
    pub data_files: usize,
    /// The job scripts, relative to the folder.
    pub scripts: Vec<String>,
}

/// Something that the folder does not say, and the setting that would.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Unknown {
    /// What is not known.
    pub what: String,
    /// The setting's full name, such as `environments.dev.arguments`.
    pub setting: String,
    /// The line of TOML that would tell it.
    pub line: String,
}

impl Unknown {
    /// The section that the line belongs into: `environments.dev.arguments`, or `lake` for the setting `lake.root`.
    pub fn section(&self) -> &str {
        match self.setting.rsplit_once('.') {
            Some((section, key)) if self.line.starts_with(key) => section,
            _ => &self.setting,
        }
    }
}

impl Discovery {
    /// The `de-copilot.toml` that this discovery proposes, with what is not known as remarks above the setting.
    pub fn to_toml(&self) -> String {
        reference::example(&self.settings, &|setting| {
            let of_setting =
                |unknown: &&Unknown| section(&unknown.setting) == section(setting) && covers(setting, &unknown.setting);
            // One line of TOML may tell several things.
            let mut told: IndexMap<(&str, &str), Vec<&str>> = IndexMap::new();
            for unknown in self.unknowns.iter().filter(of_setting) {
                told.entry((unknown.section(), &unknown.line)).or_default().push(&unknown.what);
            }
            let notes: Vec<String> = told
                .into_iter()
                .map(|((section, line), what)| {
                    format!("Not known: {}. In [{section}] it would be: {line}", what.join("; "))
                })
                .collect();
            (!notes.is_empty()).then(|| notes.join("\n"))
        })
    }

    /// Writes [`Discovery::to_toml`] as a folder's `de-copilot.toml`, whole or not at all; the path of the file.
    ///
    /// # Errors
    /// A file that exists, which is left alone, and a folder that cannot be written.
    pub fn write(&self, dir: &Path) -> Result<PathBuf> {
        let file = dir.join(FILE_NAME);
        let temporary = tempfile::NamedTempFile::new_in(dir).map_err(|error| Error::io(dir, &error))?;
        std::fs::write(temporary.path(), self.to_toml()).map_err(|error| Error::io(temporary.path(), &error))?;
        temporary.persist_noclobber(&file).map_err(|error| Error::io(&file, &error.error))?;
        Ok(file)
    }
}

/// Searches a folder for data and scripts and proposes settings.
pub fn discover(dir: &Path) -> Result<Discovery> {
    let mut settings = Settings::default();
    let mut data = BTreeSet::new();
    // What an earlier run wrote is no data of the lake.
    find_data(dir, &dir.join(&settings.store.root), 0, &mut data);
    let scripts = scripts::find(dir, &settings.jobs.scripts)?;

    let mut unknowns = Vec::new();
    match lake_root(dir, &data) {
        Some(root) => settings.lake.root = root,
        None => unknowns.push(Unknown {
            what: "where the data lies, for there is no Parquet, CSV or JSON file here".into(),
            setting: "lake.root".into(),
            line: "root = \"path/to/the/data\"".into(),
        }),
    }
    if scripts.jobs.is_empty() {
        unknowns.push(Unknown {
            what: "which scripts write the tables, for no Python file here imports awsglue or pyspark".into(),
            setting: "jobs.scripts".into(),
            line: "scripts = [\"path/to/jobs/**/*.py\"]".into(),
        });
    } else {
        settings.jobs.scripts = script_globs(&scripts);
    }
    let scripts = scripts.jobs.into_iter().map(|script| script.name).collect();
    Ok(Discovery { settings, unknowns, data_files: data.len(), scripts })
}

/// The unknowns of one section, and of one setting within it or of any table below it.
fn covers(setting: &str, of: &str) -> bool {
    of == setting || of.strip_prefix(setting).is_some_and(|rest| rest.starts_with('.') && !setting.contains('.'))
}

fn section(setting: &str) -> &str {
    setting.split('.').next().unwrap_or(setting)
}

/// Collects the folders of tables: those of data files, without their Hive partition folders. Unreadable folders are
/// passed over; the lake names them when it reads a table.
fn find_data(dir: &Path, store: &Path, depth: usize, found: &mut BTreeSet<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(kind) = entry.file_type() else { continue };
        let foreign = scripts::is_foreign_folder(&name) || name.starts_with('_') || entry.path() == store;
        if kind.is_dir() && depth < MAX_DEPTH && !foreign {
            find_data(&entry.path(), store, depth + 1, found);
        } else if kind.is_file() && is_data(&name) {
            found.insert(entry.path());
        }
    }
}

fn is_data(name: &str) -> bool {
    let name = name.to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let tabular = [".parquet", ".csv", ".jsonl", ".ndjson"].iter().any(|ending| name.ends_with(ending));
    // A lone .json file is more often a setting than a table; only one that Spark or a producer numbered counts.
    let numbered = name.ends_with(".json") && name.bytes().any(|byte| byte.is_ascii_digit());
    (tabular || numbered) && !name.starts_with(['.', '_'])
}

/// The folder whose children are databases or tables, relative to `dir`: the common folder of all table folders, raised
/// so that two levels lie below it where the path has them.
fn lake_root(dir: &Path, data: &BTreeSet<PathBuf>) -> Option<String> {
    let tables: BTreeSet<PathBuf> = data.iter().filter_map(|file| table_folder(dir, file)).collect();
    let mut tables_iter = tables.iter();
    let mut common = tables_iter.next()?.clone();
    for table in tables_iter {
        while !table.starts_with(&common) {
            common.pop();
        }
    }
    let below = tables.iter().map(|table| table.components().count()).max()? - common.components().count();
    for _ in below..2 {
        if common.components().count() <= 1 {
            break;
        }
        common.pop();
    }
    let root = common.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
    Some(if root.is_empty() { ".".into() } else { root })
}

fn table_folder(dir: &Path, file: &Path) -> Option<PathBuf> {
    let folder = file.parent()?.strip_prefix(dir).ok()?;
    Some(folder.components().take_while(|part| !part.as_os_str().to_string_lossy().contains('=')).collect())
}

/// One glob per folder with jobs, so that scripts added later are found; the default where they lie at the root.
fn script_globs(scripts: &Scripts) -> Vec<String> {
    let tops: BTreeSet<&str> =
        scripts.jobs.iter().map(|script| script.name.split_once('/').map_or("", |(top, _)| top)).collect();
    if tops.contains("") {
        return Settings::default().jobs.scripts;
    }
    tops.into_iter().map(|top| format!("{top}/**/*.py")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        dir
    }

    fn root_of(files: &[&str]) -> String {
        let files: Vec<_> = files.iter().map(|name| (*name, "a\n1\n")).collect();
        discover(folder(&files).path()).unwrap().settings.lake.root
    }

    #[test]
    fn the_lake_is_the_folder_above_databases_and_tables() {
        assert_eq!(root_of(&["lake/raw/payments/1.csv", "lake/curated/loans/d=2024-01-01/1.csv"]), "lake");
        assert_eq!(root_of(&["lake/raw/payments/1.csv", "lake/raw/loans/1.csv"]), "lake");
        assert_eq!(root_of(&["lake/raw/payments/1.csv"]), "lake");
        assert_eq!(
            root_of(&["deep/down/lake/raw/payments/1.csv", "deep/down/lake/crm/people/1.csv"]),
            "deep/down/lake"
        );
    }

    #[test]
    fn a_folder_of_loose_files_is_a_lake_too() {
        assert_eq!(root_of(&["data/payments.csv", "data/customers.csv"]), "data");
        assert_eq!(root_of(&["payments.csv", "customers.csv"]), ".");
    }

    #[test]
    fn what_an_earlier_run_wrote_is_no_data() {
        let results = "de-copilot/results/payments/2024-01-01.json";
        assert_eq!(root_of(&["lake/raw/payments/1.csv", results]), "lake");
    }

    #[test]
    fn what_is_missing_is_told_with_the_line_that_would_tell_it() {
        let empty = folder(&[("notes.txt", "nothing")]);
        let discovery = discover(empty.path()).unwrap();
        let settings: Vec<&str> = discovery.unknowns.iter().map(|unknown| unknown.setting.as_str()).collect();
        assert_eq!(settings, ["lake.root", "jobs.scripts"]);
        let toml = discovery.to_toml();
        assert!(toml.contains("# Not known: where the data lies"), "{toml}");
        assert!(toml.contains("In [lake] it would be: root = \"path/to/the/data\""), "{toml}");
    }

    #[test]
    fn what_is_proposed_can_be_read_again() {
        let dir = folder(&[
            ("data/payments.csv", "id\n1\n"),
            ("jobs/etl.py", "from pyspark.sql import SparkSession\n"),
            ("jobs/shared.py", "X = 1\n"),
            ("venv/lib/site-packages/pyspark/x.py", "import pyspark\n"),
        ]);
        let discovery = discover(dir.path()).unwrap();
        assert_eq!(discovery.scripts, ["jobs/etl.py"]);
        let toml = discovery.to_toml();
        assert_eq!(super::super::parse::parse(&toml), Ok(discovery.settings), "{toml}");
    }
}
