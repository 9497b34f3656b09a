//! Where engines differ from what is stated.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Map, Value as Json, json};

use super::cases::{Case, Table};
use super::engines::{self, Engine};
use super::list;
use super::plan::{self, Finding};
use crate::output;

/// How every engine answered every case.
pub(super) struct Report {
    cases: usize,
    engines: Vec<Row>,
}

/// One engine in one setting.
struct Row {
    name: String,
    version: String,
    agree: usize,
    /// The case, what is expected and what was found.
    differ: Vec<(String, Finding, Finding)>,
}

impl Row {
    fn new(name: &str, version: &str) -> Row {
        Row { name: name.to_owned(), version: version.to_owned(), agree: 0, differ: Vec::new() }
    }

    fn hold(&mut self, case: &Case, found: Finding) {
        let expected = plan::expected(case);
        match same(&expected, &found) {
            true => self.agree += 1,
            false => self.differ.push((case.id.clone(), expected, found)),
        }
    }
}

/// A number of violations that is not stated is not compared.
fn same(expected: &Finding, found: &Finding) -> bool {
    match (expected, found) {
        (Finding::Outcome { word, violations, .. }, Finding::Outcome { word: found, violations: counted, .. }) => {
            word == found && (violations.is_none() || violations == counted)
        }
        _ => expected == found,
    }
}

/// Asks the engines about the cases.
pub(super) fn of(tables: &BTreeMap<String, Table>, cases: &[Case], asked: &[Engine]) -> Result<Report> {
    let mut report = Report { cases: cases.len(), engines: Vec::new() };
    if asked.contains(&Engine::Rows) {
        let mut row = Row::new("rows", env!("CARGO_PKG_VERSION"));
        for case in cases {
            let table = tables.get(&case.table).context("a case without a table")?;
            if let Some(found) = plan::evaluated(case, table) {
                row.hold(case, found);
            }
        }
        report.engines.push(row);
    }
    let folder = tempfile::tempdir()?;
    let mut written = false;
    for engine in asked {
        let Some(dialect) = engine.dialect() else { continue };
        if !written {
            engines::write_tables(folder.path(), tables)?;
            written = true;
        }
        let plan = plan::plan(tables, cases, dialect)?;
        for answered in engines::ask(*engine, folder.path(), tables, &plan)? {
            let mut row = Row::new(&answered.name, &answered.version);
            for (place, case) in cases.iter().enumerate() {
                row.hold(case, plan.read(place, &answered.answers));
            }
            report.engines.push(row);
        }
    }
    Ok(report)
}

impl Report {
    /// Whether no engine differs anywhere.
    pub(super) fn agrees(&self) -> bool {
        self.engines.iter().all(|row| row.differ.is_empty())
    }

    /// `{"cases", "engines": {NAME: {"version", "agree", "differ": [CASE]}}, "list": {"expressions", "accepted",
    /// "refused": [{"expression", "reason"}]}}`; a case is `{"case", "expected", "found"}`.
    pub(super) fn to_json(&self) -> Result<Json> {
        let engines = self.engines.iter().map(|row| {
            let differ = row.differ.iter().map(|(case, expected, found)| {
                json!({"case": case, "expected": expected.to_string(), "found": found.to_string()})
            });
            let differ: Vec<Json> = differ.collect();
            (row.name.clone(), json!({"version": row.version, "agree": row.agree, "differ": differ}))
        });
        Ok(json!({"cases": self.cases, "engines": engines.collect::<Map<_, _>>(), "list": list::summary()?}))
    }

    /// A line for each difference, then a table of the engines.
    pub(super) fn print(&self) -> Result<()> {
        for row in &self.engines {
            for (case, expected, found) in &row.differ {
                output::line(&format!("{} differs on `{case}`\n  expected: {expected}\n  found:    {found}", row.name));
            }
        }
        let rows = self
            .engines
            .iter()
            .map(|row| [row.name.clone(), row.version.clone(), row.agree.to_string(), row.differ.len().to_string()]);
        output::table(["engine", "version", "agree", "differ"], rows);
        let (agree, differ) =
            self.engines.iter().fold((0, 0), |(agree, differ), row| (agree + row.agree, differ + row.differ.len()));
        output::line(&format!("{} cases, the engines together: {agree} passed, {differ} failed", self.cases));
        let list = list::summary()?;
        output::line(&format!("{} of {} published expressions accepted", list["accepted"], list["expressions"]));
        Ok(())
    }
}
