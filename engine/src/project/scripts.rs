//! The scripts of a project: which files are jobs, and which are modules that jobs import.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// The Python files of a project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scripts {
    /// Files that import `awsglue` or `pyspark`, sorted by path.
    pub jobs: Vec<Script>,
    /// Every Python file, sorted by path: what jobs may import.
    pub modules: Vec<Module>,
    /// Files that could not be read, with why.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// A Python file that jobs may import.
#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    /// Its path.
    pub path: PathBuf,
    /// Its dotted name from the project's root.
    pub dotted: String,
    /// Its text.
    pub text: String,
}

/// The script of one job.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// Its path.
    pub path: PathBuf,
    /// Its path relative to the project's root, with `/`.
    pub name: String,
    /// The job's name: the file name without its ending; with its folder where two scripts share it.
    pub job_name: String,
    /// Its text.
    pub text: String,
    /// SHA-256 of its text, hexadecimal.
    pub hash: String,
}

/// Where the Python files of a project lie and what its jobs are called, without their text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// Job names by the paths of their scripts.
    jobs: BTreeMap<PathBuf, String>,
    modules: BTreeSet<PathBuf>,
    /// The first module in the order of the paths with this dotted name.
    by_dotted: HashMap<String, PathBuf>,
    /// The first module in the order of the paths with this file name.
    by_stem: HashMap<String, PathBuf>,
}

impl Layout {
    /// The file that `script` imports as `dotted`. A relative import counts from the script's folder. Any other is looked
    /// for beside the script, in the folders above it and from the project's root; last by its bare file name, for Glue
    /// puts the files of `--extra-py-files` side by side.
    pub fn module(&self, script: &Path, dotted: &str) -> Option<&Path> {
        let name = dotted.trim_start_matches('.');
        let dots = dotted.len() - name.len();
        let inside: PathBuf = name.split('.').filter(|part| !part.is_empty()).collect();
        let at = |folder: &Path| {
            let base = folder.join(&inside);
            let file = self.modules.get(&base.with_extension("py"));
            file.or_else(|| self.modules.get(&base.join("__init__.py"))).map(PathBuf::as_path)
        };
        let mut folders = script.ancestors().skip(1);
        if dots > 0 {
            return at(folders.nth(dots - 1)?);
        }
        let by_dotted = || self.by_dotted.get(name).map(PathBuf::as_path);
        let by_stem = || self.by_stem.get(name.rsplit('.').next()?).map(PathBuf::as_path);
        folders.find_map(at).or_else(by_dotted).or_else(by_stem)
    }

    /// The job's name of a script: as it is among its siblings, else its file name without the ending.
    pub fn job_name(&self, script: &Path) -> String {
        self.jobs.get(script).cloned().unwrap_or_else(|| stem(script))
    }

    /// The scripts of the jobs, sorted.
    pub fn jobs(&self) -> impl Iterator<Item = &Path> {
        self.jobs.keys().map(PathBuf::as_path)
    }
}

impl Scripts {
    /// The files without their text.
    pub fn layout(&self) -> Layout {
        let mut layout = Layout::default();
        layout.jobs.extend(self.jobs.iter().map(|job| (job.path.clone(), job.job_name.clone())));
        for module in &self.modules {
            layout.modules.insert(module.path.clone());
            layout.by_dotted.entry(module.dotted.clone()).or_insert_with(|| module.path.clone());
            layout.by_stem.entry(stem(&module.path)).or_insert_with(|| module.path.clone());
        }
        layout
    }

    /// The text of a file.
    pub fn text(&self, path: &Path) -> Option<&str> {
        let found = self.modules.binary_search_by(|module| module.path.as_path().cmp(path)).ok()?;
        self.modules.get(found).map(|module| module.text.as_str())
    }
}

impl Script {
    /// The script in a file, named relative to `root` where it lies there.
    ///
    /// # Errors
    /// A file that cannot be read, or that is no text.
    pub fn read(root: &Path, path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Err(Error::input(path.display(), "is a folder", "name a script, or set `jobs.scripts` to a glob"));
        }
        let text = read_text(path)
            .map_err(|reason| Error::input(path.display(), reason, "name a Python script of a Glue job"))?;
        Ok(Self::new(root, path.to_path_buf(), text))
    }

    fn new(root: &Path, path: PathBuf, text: String) -> Self {
        let hash = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { name: name_in(root, &path), job_name: stem(&path), path, text, hash }
    }
}

/// Finds the scripts by globs relative to `root`. Hidden folders, virtual environments and build folders are passed over.
pub(super) fn find(root: &Path, globs: &[String]) -> Result<Scripts> {
    let mut paths = Vec::new();
    for pattern in globs {
        let full = format!("{}/{pattern}", glob::Pattern::escape(&root.to_string_lossy()));
        let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
        let matches = glob::glob_with(&full, options).map_err(|error| {
            Error::input(
                "`jobs.scripts`",
                format!("`{pattern}` is no glob: {}", error.msg),
                "write one like `jobs/**/*.py`",
            )
        })?;
        paths.extend(matches.flatten().filter(|path| path.is_file() && !is_foreign(root, path)));
    }
    paths.sort();
    paths.dedup();

    let mut scripts = Scripts::default();
    for path in paths {
        match read_text(&path) {
            Ok(text) => add(&mut scripts, root, path, text),
            Err(reason) => scripts.unreadable.push((path, reason)),
        }
    }
    name_apart(&mut scripts.jobs);
    Ok(scripts)
}

/// Whether a Python text is a job: some line imports `awsglue` or `pyspark`.
pub(super) fn is_job(text: &str) -> bool {
    text.lines().any(|line| {
        let mut words = line.split_whitespace();
        matches!(words.next(), Some("import" | "from"))
            && words
                .next()
                .and_then(|module| module.split(['.', ',']).next())
                .is_some_and(|module| module == "awsglue" || module == "pyspark")
    })
}

/// Whether a folder's name says that its content is not the project's own.
pub(super) fn is_foreign_folder(name: &str) -> bool {
    name.starts_with('.')
        || matches!(name, "node_modules" | "site-packages" | "__pycache__" | "target" | "venv" | "virtualenv" | "dist")
}

fn is_foreign(root: &Path, path: &Path) -> bool {
    let inside = path.strip_prefix(root).unwrap_or(path);
    inside
        .parent()
        .into_iter()
        .flat_map(Path::components)
        .any(|part| is_foreign_folder(&part.as_os_str().to_string_lossy()))
}

fn read_text(path: &Path) -> std::result::Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    if bytes.contains(&0) {
        return Err("is not a text file".into());
    }
    String::from_utf8(bytes).map_err(|error| format!("is not UTF-8 from byte {}", error.utf8_error().valid_up_to()))
}

fn add(scripts: &mut Scripts, root: &Path, path: PathBuf, text: String) {
    let dotted = name_in(root, &path).trim_end_matches(".py").trim_end_matches("/__init__").replace('/', ".");
    scripts.modules.push(Module { path: path.clone(), dotted, text: text.clone() });
    if is_job(&text) {
        scripts.jobs.push(Script::new(root, path, text));
    }
}

pub(super) fn name_in(root: &Path, path: &Path) -> String {
    match path.strip_prefix(root) {
        Ok(inside) => inside.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"),
        Err(_) => path.display().to_string(),
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Gives scripts that share a file name their path as job name.
fn name_apart(jobs: &mut [Script]) {
    let names: Vec<String> = jobs.iter().map(|job| job.job_name.clone()).collect();
    for job in jobs {
        if names.iter().filter(|name| **name == job.job_name).count() > 1 {
            job.job_name = job.name.trim_end_matches(".py").to_owned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_found_beside_the_script_above_it_and_by_file_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["jobs/etl.py", "jobs/near.py", "jobs/lib/__init__.py", "shared/names.py", "top.py"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "import pyspark\n").unwrap();
        }
        let layout = find(folder.path(), &["**/*.py".into()]).unwrap().layout();
        let script = folder.path().join("jobs/etl.py");
        let found = |dotted| {
            let module = layout.module(&script, dotted)?;
            Some(module.strip_prefix(folder.path()).unwrap().to_string_lossy().into_owned())
        };
        for (dotted, path) in [
            ("near", "jobs/near.py"),
            (".near", "jobs/near.py"),
            ("lib", "jobs/lib/__init__.py"),
            ("top", "top.py"),
            ("..top", "top.py"),
            ("shared.names", "shared/names.py"),
            ("names", "shared/names.py"),
        ] {
            assert_eq!(found(dotted).as_deref(), Some(path), "{dotted}");
        }
        assert_eq!(found("pandas"), None);
        assert_eq!(found(".top"), None);
    }
}
