//! The configuration of a project: `de-copilot.toml`, its scripts and its lake.
//!
//! [`settings`] declares every setting once; [`parse`] reads a file; [`reference`] writes what people read about it;
//! [`discover`] proposes a file for a folder that nobody prepared.

pub mod discover;
pub mod parse;
pub mod policy;
pub mod reference;
mod scripts;
pub mod settings;

use std::path::{Path, PathBuf};

use contract::schema::TableName;
use indexmap::IndexMap;

pub use discover::{Discovery, Unknown};
pub use scripts::{Layout, Module, Script, Scripts};
pub use settings::Settings;

use crate::{Error, Result};

/// Name of the settings file.
pub const FILE_NAME: &str = "de-copilot.toml";

/// A folder with its settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    /// The folder; paths of the settings are relative to it.
    pub root: PathBuf,
    /// The settings.
    pub settings: Settings,
    /// The settings file; `None` where there is none and the settings were proposed from what the folder holds.
    pub file: Option<PathBuf>,
}

impl Project {
    /// The project of a folder: by the `de-copilot.toml` in it or in the nearest folder above it, else as
    /// [`discover`](discover::discover) proposes it for the folder itself.
    pub fn open(dir: &Path) -> Result<Self> {
        let dir = existing(dir)?;
        match dir.ancestors().map(|ancestor| ancestor.join(FILE_NAME)).find(|file| file.is_file()) {
            Some(file) => Self::load(&file),
            None => Self::propose(&dir),
        }
    }

    /// The project of a folder without settings, as [`discover`](discover::discover) proposes it.
    pub fn propose(dir: &Path) -> Result<Self> {
        Ok(Self { settings: discover::discover(dir)?.settings, root: dir.to_path_buf(), file: None })
    }

    /// The project of a settings file.
    pub fn load(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).map_err(|error| Error::io(file, &error))?;
        let settings = read(&text).map_err(|problems| settings_error(file, &problems))?;
        let root = file.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(Self { root, settings, file: Some(file.to_path_buf()) })
    }

    /// All that is wrong with the text of a settings file, in its order.
    pub fn problems(text: &str) -> Vec<parse::SettingProblem> {
        read(text).err().unwrap_or_default()
    }

    /// The project that [`Discovery::write`] would make of a folder, with what the folder shows.
    ///
    /// # Errors
    /// A path that is no folder, and a folder that has a settings file already.
    pub fn discover(dir: &Path) -> Result<(Self, Discovery)> {
        let root = existing(dir)?;
        let file = root.join(FILE_NAME);
        if file.exists() {
            return Err(Error::input(file.display(), "exists already", "edit it, or delete it and run `init` again"));
        }
        let discovery = discover::discover(&root)?;
        Ok((Self { settings: discovery.settings.clone(), root, file: None }, discovery))
    }

    /// The folder of the lake.
    pub fn lake_root(&self) -> PathBuf {
        self.root.join(&self.settings.lake.root)
    }

    /// The folder of the artifact store.
    pub fn store_root(&self) -> PathBuf {
        self.root.join(&self.settings.store.root)
    }

    /// The scripts that the settings name.
    pub fn scripts(&self) -> Result<Scripts> {
        scripts::find(&self.root, &self.settings.jobs.scripts)
    }

    /// The path of a script within the project, with `/`; as it is where it lies elsewhere.
    pub fn name_of(&self, script: &Path) -> String {
        scripts::name_in(&self.root, &script.canonicalize().unwrap_or_else(|_| script.to_path_buf()))
    }

    /// The argument values of a job in the chosen environment.
    pub fn arguments(&self, job: &str) -> IndexMap<String, String> {
        let chosen = &self.settings.environment;
        let environments = &self.settings.environments;
        let environment =
            if chosen.is_empty() { environments.first().map(|(_, first)| first) } else { environments.get(chosen) };
        let Some(environment) = environment else { return IndexMap::new() };
        let own = environment.jobs.get(job);
        environment.arguments.iter().chain(own.into_iter().flatten()).map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// The folder of this machine that an `s3://` path stands for, by the longest prefix of `[locations]`.
    pub fn local_path(&self, address: &str) -> Option<PathBuf> {
        let address = address.replacen("s3a://", "s3://", 1).replacen("s3n://", "s3://", 1);
        self.settings
            .locations
            .iter()
            .filter_map(|(prefix, folder)| {
                let rest = address.strip_prefix(prefix.trim_end_matches('/'))?;
                (rest.is_empty() || rest.starts_with('/')).then_some((prefix.len(), folder, rest))
            })
            .max_by_key(|(length, _, _)| *length)
            .map(|(_, folder, rest)| self.root.join(folder).join(rest.trim_matches('/')))
    }

    /// The layer of a table: as configured, else told from its database's name; `written` says whether a job writes it.
    pub fn layer(&self, table: &TableName, written: bool) -> String {
        if let Some(layer) = self.settings.layers.get(&table.database) {
            return layer.clone();
        }
        let has = |words: &[&str]| words.iter().any(|word| table.database.contains(word));
        match () {
            () if has(&["raw", "landing", "bronze", "source"]) => "raw",
            () if has(&["stag", "silver", "trusted", "clean"]) => "staging",
            () if has(&["curated", "gold", "analytics", "mart", "dwh", "warehouse"]) || written => "curated",
            () => "raw",
        }
        .into()
    }
}

/// The settings of a text, or all that is wrong with it.
fn read(text: &str) -> std::result::Result<Settings, Vec<parse::SettingProblem>> {
    let settings = parse::parse(text)?;
    let wrong =
        missing_environment(&settings, text).into_iter().chain(policy::unknown_code(&settings.diagnostics, text));
    let wrong: Vec<_> = wrong.collect();
    if wrong.is_empty() { Ok(settings) } else { Err(wrong) }
}

/// The chosen environment, where the settings have none of that name.
fn missing_environment(settings: &Settings, text: &str) -> Option<parse::SettingProblem> {
    let chosen = &settings.environment;
    if chosen.is_empty() || settings.environments.contains_key(chosen) {
        return None;
    }
    let line = text.lines().position(|line| line.trim_start().starts_with("environment")).unwrap_or(0);
    let start = text.split_inclusive('\n').take(line).map(str::len).sum();
    let names: Vec<&str> = settings.environments.keys().map(String::as_str).collect();
    let next = match parse::nearest(chosen, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("add a section `[environments.{chosen}.arguments]`"),
    };
    let problem = format!("no environment is called `{chosen}`");
    Some(parse::SettingProblem { range: start..start, line: line + 1, problem, next })
}

/// The canonical path of a folder that a person named.
fn existing(dir: &Path) -> Result<PathBuf> {
    let found = dir.canonicalize().ok().filter(|found| found.is_dir());
    found.ok_or_else(|| Error::input(dir.display(), "is no folder", "name the project's folder with --project"))
}

fn settings_error(file: &Path, problems: &[parse::SettingProblem]) -> Error {
    let Some((first, others)) = problems.split_first() else {
        return Error::input(file.display(), "is not valid", "correct the file");
    };
    let mut next = first.next.clone();
    for other in others {
        next.push_str(&format!("\n{}:{}: {}; {}", file.display(), other.line, other.problem, other.next));
    }
    Error::input(format!("{}:{}", file.display(), first.line), &first.problem, next)
}
