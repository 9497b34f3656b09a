//! What a project wants to be told of its scripts: `[diagnostics]` of the settings, and the baseline file.
//!
//! A baseline is `{"version": 1, "scripts": {SCRIPT: [{"code", "line"}]}}`: findings that were there when somebody accepted
//! them, each by its code and the text of its line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use analyzer::policy::{Accepted, Level, Policy};
use analyzer::{CODES, Severity};
use serde::{Deserialize, Serialize};

use super::Project;
use super::parse::{SettingProblem, nearest};
use super::settings::{DiagnosticSettings, SeverityName};
use crate::{Error, Result};

/// The newest version of a baseline that this program knows.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Baseline {
    version: u32,
    scripts: BTreeMap<String, Vec<Finding>>,
}

#[derive(Serialize, Deserialize)]
struct Finding {
    code: String,
    line: String,
}

impl Project {
    /// What is told of the scripts, and how bad it is taken to be.
    ///
    /// # Errors
    /// A baseline that cannot be read, or that a newer program wrote.
    pub fn policy(&self) -> Result<Policy> {
        let settings = &self.settings.diagnostics;
        let levels = |severities: &indexmap::IndexMap<String, SeverityName>| {
            severities.iter().map(|(code, severity)| (code.clone(), level(*severity))).collect()
        };
        Ok(Policy {
            levels: levels(&settings.severities),
            folders: settings.folders.iter().map(|(folder, own)| (folder.clone(), levels(own))).collect(),
            accepted: self.accepted()?,
        })
    }

    /// Accepts findings of scripts, by their path within the project, beside those that are accepted already. Answers the
    /// file and how many are new.
    ///
    /// # Errors
    /// As [`Project::policy`], and a file that cannot be written.
    pub fn accept<'a>(&self, scripts: impl IntoIterator<Item = (&'a str, Vec<Accepted>)>) -> Result<(PathBuf, usize)> {
        let (file, mut accepted, mut count) = (self.baseline(), self.accepted()?, 0);
        for (script, new) in scripts {
            count += new.len();
            if !new.is_empty() {
                accepted.entry(script.to_owned()).or_default().extend(new);
            }
        }
        let finding = |Accepted { code, line }| Finding { code, line };
        let scripts = accepted.into_iter().map(|(script, own)| (script, own.into_iter().map(finding).collect()));
        let baseline = Baseline { version: VERSION, scripts: scripts.collect() };
        let text = serde_json::to_string_pretty(&baseline).map_err(|error| {
            Error::environment(file.display(), error, "report this, it should be possible to write it")
        })?;
        let folder = file.parent().map(PathBuf::from).unwrap_or_default();
        let write = || -> std::io::Result<()> {
            let mut new = tempfile::NamedTempFile::new_in(&folder)?;
            std::io::Write::write_all(&mut new, format!("{text}\n").as_bytes())?;
            new.persist(&file).map(drop).map_err(|error| error.error)
        };
        write().map_err(|error| Error::io(&file, &error))?;
        Ok((file, count))
    }

    fn baseline(&self) -> PathBuf {
        self.root.join(&self.settings.diagnostics.baseline)
    }

    fn accepted(&self) -> Result<BTreeMap<String, Vec<Accepted>>> {
        let file = self.baseline();
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(Error::io(&file, &error)),
        };
        let next = "restore it from its history, or delete it and run `de-copilot analyze --accept`";
        let read: Baseline = serde_json::from_str(&text).map_err(|error| Error::input(file.display(), error, next))?;
        if read.version > VERSION {
            let problem = format!("has version {}, this program knows {VERSION}", read.version);
            return Err(Error::input(file.display(), problem, "update de-copilot"));
        }
        let accepted = |Finding { code, line }| Accepted { code, line };
        Ok(read.scripts.into_iter().map(|(script, own)| (script, own.into_iter().map(accepted).collect())).collect())
    }
}

fn level(severity: SeverityName) -> Level {
    match severity {
        SeverityName::Error => Level::As(Severity::Error),
        SeverityName::Warning => Level::As(Severity::Warning),
        SeverityName::Hint => Level::As(Severity::Hint),
        SeverityName::Off => Level::Off,
    }
}

/// A code of the settings that is none.
pub(super) fn unknown_code(settings: &DiagnosticSettings, text: &str) -> Option<SettingProblem> {
    let codes = settings.severities.keys().chain(settings.folders.values().flat_map(|own| own.keys()));
    let code = codes.into_iter().find(|code| !CODES.contains(&code.as_str()))?;
    let start = text.find(code.as_str()).unwrap_or(0);
    let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
    let next = match nearest(code, CODES.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "docs/diagnostics.md lists the codes".to_owned(),
    };
    let range = start..start + code.len();
    Some(SettingProblem { range, line, problem: format!("no diagnostic has the code `{code}`"), next })
}
