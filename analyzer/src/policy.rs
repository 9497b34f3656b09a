//! What a project wants to be told: how bad it takes each diagnostic to be, and which findings it has accepted.

use std::collections::BTreeMap;

use crate::facts::{Diagnostic, Severity};

/// A project's choice for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It is not told.
    Off,
    /// It is told as this.
    As(Severity),
}

/// A finding that is there and may stay: it is known again by its code and its line, wherever the line moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The code of the diagnostic.
    pub code: String,
    /// The line of the script on which it begins, without the blanks around it.
    pub line: String,
}

/// What becomes of diagnostics before people see them. The default tells all but hints.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// By code.
    pub levels: BTreeMap<String, Level>,
    /// By folder or script, with `/` between its parts, and then by code. The longest that fits wins.
    pub folders: BTreeMap<String, BTreeMap<String, Level>>,
    /// By script. Each hides one finding.
    pub accepted: BTreeMap<String, Vec<Accepted>>,
}

impl Policy {
    /// The diagnostics that are to be told of a script, each as bad as the project takes it. `script` is its path within
    /// the project, `text` what was analyzed.
    pub fn apply(&self, script: &str, text: &str, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let mut accepted: Vec<&Accepted> = self.accepted.get(script).into_iter().flatten().collect();
        let mut told = Vec::with_capacity(diagnostics.len());
        for mut diagnostic in diagnostics {
            match self.level(script, diagnostic.code) {
                Some(Level::Off) => continue,
                Some(Level::As(severity)) => diagnostic.severity = severity,
                None if diagnostic.severity == Severity::Hint => continue,
                None => {}
            }
            if let Some(known) = accepted.iter().position(|known| known.is_of(text, &diagnostic)) {
                accepted.swap_remove(known);
                continue;
            }
            told.push(diagnostic);
        }
        told
    }

    fn level(&self, script: &str, code: &str) -> Option<Level> {
        let holds = |folder: &&String| {
            script
                .strip_prefix(folder.trim_end_matches('/'))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let folders = self.folders.iter().filter(|(folder, levels)| holds(folder) && levels.contains_key(code));
        let nearest = folders.max_by_key(|(folder, _)| folder.trim_end_matches('/').len());
        nearest.and_then(|(_, levels)| levels.get(code)).or_else(|| self.levels.get(code)).copied()
    }
}

impl Accepted {
    /// What accepts a diagnostic of a text.
    pub fn of(text: &str, diagnostic: &Diagnostic) -> Self {
        Self { code: diagnostic.code.to_owned(), line: line(text, diagnostic).to_owned() }
    }

    fn is_of(&self, text: &str, diagnostic: &Diagnostic) -> bool {
        self.code == diagnostic.code && self.line == line(text, diagnostic)
    }
}

fn line<'t>(text: &'t str, diagnostic: &Diagnostic) -> &'t str {
    let start = diagnostic.range.start as usize;
    let from = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    text.get(from..).and_then(|rest| rest.lines().next()).unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ide::fixture::Lending;

    const SCRIPT: &str = "p = spark.table('raw_db.payments')\np.select('amont')\np.select('stat')\n";

    fn told(policy: &Policy, script: &str, text: &str) -> Vec<(u32, Severity)> {
        let found = crate::analyze(text, &Lending).diagnostics;
        let told = policy.apply(script, text, found);
        told.iter().map(|diagnostic| (diagnostic.range.start, diagnostic.severity)).collect()
    }

    fn levels(level: Level) -> BTreeMap<String, Level> {
        BTreeMap::from([("unknown-column".to_owned(), level)])
    }

    #[test]
    fn the_nearest_folder_says_how_bad_a_code_is() {
        let policy = Policy {
            levels: levels(Level::As(Severity::Warning)),
            folders: BTreeMap::from([
                ("jobs".to_owned(), levels(Level::Off)),
                ("jobs/new/".to_owned(), levels(Level::As(Severity::Error))),
            ]),
            ..Policy::default()
        };
        let severities = |script: &str| told(&policy, script, SCRIPT).into_iter().map(|(_, severity)| severity).next();
        assert_eq!(severities("etl.py"), Some(Severity::Warning));
        assert_eq!(severities("jobs/etl.py"), None);
        assert_eq!(severities("jobs/new/etl.py"), Some(Severity::Error));
        assert_eq!(severities("jobs_old/etl.py"), Some(Severity::Warning), "another folder whose name begins alike");
    }

    #[test]
    fn an_accepted_finding_stays_accepted_where_its_line_moves_and_hides_one_finding_only() {
        let found = crate::analyze(SCRIPT, &Lending).diagnostics;
        let accepted = found.iter().take(1).map(|diagnostic| Accepted::of(SCRIPT, diagnostic)).collect();
        let policy = Policy { accepted: BTreeMap::from([("etl.py".to_owned(), accepted)]), ..Policy::default() };
        assert_eq!(told(&policy, "etl.py", SCRIPT).len(), 1);
        assert_eq!(told(&policy, "etl.py", &format!("import sys\n{SCRIPT}")).len(), 1, "it has moved");
        assert_eq!(told(&policy, "other.py", SCRIPT).len(), 2);
        let twice = format!("{SCRIPT}p.select('amont')\n");
        assert_eq!(told(&policy, "etl.py", &twice).len(), 2, "a second one of the kind is new");
    }
}
