//! What is wrong with the files of a project that are no scripts: its settings, its contracts and its compiled tests.

use std::path::Path;

use analyzer::Severity;
use contract::compile;
use contract::document::{Contract, DocumentError, DocumentProblem, TestSuite, line_in};
use contract::rule::{Rule, RuleKind};
use contract::schema::{TableName, TableSchema};
use contract::types::DataType;

use crate::lake::Lake;
use crate::project::parse::nearest;
use crate::project::{FILE_NAME, Project};
use crate::stage::artifacts::{self, Keys};

/// Something that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of finding it is; docs/diagnostics.md explains each.
    pub code: &'static str,
    /// How bad it is: an error where the file, or a part of it, has no effect.
    pub severity: Severity,
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

/// What a file of a project is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `de-copilot.toml`.
    Settings,
    /// A contract of the artifact store.
    Contract,
    /// The compiled tests of a table.
    Tests,
}

/// What a file is, by where it lies in the project; `None` of other files.
pub fn kind(project: &Project, file: &Path) -> Option<Kind> {
    let store = project.store_root();
    let lies_in = |folder: &str| file.parent() == Some(&store.join(folder));
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension {
        "toml" if file.file_name().is_some_and(|name| name == FILE_NAME) => Some(Kind::Settings),
        "json" | "yaml" | "yml" if lies_in("contracts") => Some(Kind::Contract),
        "json" if lies_in("tests") => Some(Kind::Tests),
        _ => None,
    }
}

/// What is wrong with the text of a settings file.
pub fn settings(text: &str) -> Vec<Finding> {
    let found = Project::problems(text).into_iter().map(|problem| Finding {
        code: "settings",
        severity: Severity::Error,
        line: problem.line,
        message: format!("{}; {}", problem.problem, problem.next),
    });
    found.collect()
}

/// What is wrong with the text of a contract or of tests, by itself and with what the lake knows of its table.
pub async fn document(lake: Option<&dyn Lake>, kind: Kind, file: &Path, text: &str) -> Vec<Finding> {
    let table = table_of(lake, file).await;
    match kind {
        Kind::Settings => settings(text),
        Kind::Contract => {
            let yaml = file.extension().is_some_and(|extension| extension != "json");
            let read = if yaml { Contract::from_yaml(text) } else { Contract::from_json(text) };
            match (read, lake, table) {
                (Err(error), _, _) => vec![unread("contract-document", &error)],
                (Ok((contract, problems)), Some(lake), Some((name, _))) => {
                    let mut found = parts("contract-document", &problems);
                    if let Ok(table) = lake.catalog().table(&name).await {
                        found.extend(against_table(&contract, &problems, &name, &table.schema, text));
                    }
                    found
                }
                (Ok((_, problems)), _, _) => parts("contract-document", &problems),
            }
        }
        Kind::Tests => match TestSuite::from_json(text) {
            Err(error) => vec![unread("tests-document", &error)],
            Ok((suite, problems)) => {
                let mut found = parts("tests-document", &problems);
                if let (Some(lake), Some((_, keys))) = (lake, table) {
                    found.extend(stale(lake, &keys, &suite, text).await);
                }
                found
            }
        },
    }
}

/// The table whose document has the name of this file.
async fn table_of(lake: Option<&dyn Lake>, file: &Path) -> Option<(TableName, Keys)> {
    let all = lake?.catalog().tables().await.ok()?;
    let name = file.file_stem()?.to_str()?;
    let keyed = all.iter().map(|table| (table.clone(), Keys::new(table, &all)));
    keyed.into_iter().find(|(_, keys)| keys.name == name)
}

fn unread(code: &'static str, error: &DocumentError) -> Finding {
    let line = match error {
        DocumentError::Syntax { line, .. } => *line,
        DocumentError::Version { .. } | DocumentError::Shape(_) => 1,
    };
    Finding { code, severity: Severity::Error, line, message: error.to_string() }
}

fn parts(code: &'static str, problems: &[DocumentProblem]) -> Vec<Finding> {
    let found = problems.iter().map(|problem| Finding {
        code,
        severity: Severity::Error,
        line: problem.line.unwrap_or(1),
        message: format!("{}: {}", problem.path, problem.message),
    });
    found.collect()
}

/// Columns and rules of a contract that its table cannot bear out, whatever its rows.
fn against_table(
    contract: &Contract,
    problems: &[DocumentProblem],
    name: &TableName,
    schema: &TableSchema,
    text: &str,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut warn = |line: usize, message: String| {
        found.push(Finding { code: "contract-table", severity: Severity::Warning, line, message });
    };
    let line = |path: &str| line_in(text, path).unwrap_or(1);
    for (column, stated) in &contract.columns {
        let path = format!("columns.{column}");
        match schema.columns.iter().find(|known| known.name.eq_ignore_ascii_case(column)) {
            None => {
                let near = match nearest(column, schema.columns.iter().map(|known| known.name.as_str())) {
                    Some(near) => format!("; did you mean `{near}`?"),
                    None => String::new(),
                };
                warn(line(&path), format!("`{column}` is no column of {name}{near}"));
                continue;
            }
            Some(known) => {
                let differs = DataType::parse(&stated.data_type)
                    .is_ok_and(|stated| stated != known.data_type && known.data_type != DataType::Unknown);
                if differs {
                    let message = format!("`{column}` is {} in {name}, not {}", known.data_type, stated.data_type);
                    warn(line(&path), message);
                }
            }
        }
        for (place, reason) in refusals(&stated.rules, &format!("{path}.rules"), problems, schema) {
            warn(line(&place), reason);
        }
    }
    for (place, reason) in refusals(&contract.table_level_checks, "table_level_checks", problems, schema) {
        warn(line(&place), reason);
    }
    found
}

/// Rules that cannot be checked on a table, each with its place in the document and the reason.
fn refusals(rules: &[Rule], list: &str, problems: &[DocumentProblem], schema: &TableSchema) -> Vec<(String, String)> {
    // Where something in the list could not be read, the rules behind it may have moved up.
    let all_read = !problems.iter().any(|problem| problem.path.starts_with(list));
    let place = |position: usize| if all_read { format!("{list}[{position}]") } else { list.to_owned() };
    let refused =
        rules.iter().enumerate().filter_map(|(position, rule)| Some((place(position), refused(rule, schema)?)));
    refused.collect()
}

/// Why a rule cannot be checked on a table. That a kind is none is told of the document.
fn refused(rule: &Rule, schema: &TableSchema) -> Option<String> {
    let error = compile::check(rule, schema).err().filter(|_| !matches!(rule.kind, RuleKind::Unknown { .. }))?;
    Some(format!("rule `{}` cannot be checked: {}", error.rule, error.reason))
}

/// Tests that were compiled from another state of the contract are not run.
async fn stale(lake: &dyn Lake, keys: &Keys, suite: &TestSuite, text: &str) -> Option<Finding> {
    let stored = artifacts::contract(lake.store(), keys).await.ok().flatten()?;
    if suite.contract_hash.is_empty() || suite.contract_hash == stored.contract.hash() {
        return None;
    }
    let message = format!(
        "compiled from another state of {}; run `de-copilot generate {}`, what people wrote into the contract stays",
        stored.key, keys.name
    );
    let line = line_in(text, "contract_hash").unwrap_or(1);
    Some(Finding { code: "tests-stale", severity: Severity::Error, line, message })
}
