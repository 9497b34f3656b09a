//! A table or path that is read or written.

use contract::document::Contract;
use contract::schema::TableName;

use super::{View, frame};
use crate::checks::Verdict;
use crate::facts::{Dataset, DatasetKind, Output};
use crate::ide::words;
use crate::plan::{NodeId, NodeKind};

pub(super) fn source(view: &View, node: NodeId) -> Option<String> {
    let NodeKind::Scan(scan) = &view.analysis.plan.node(node)?.kind else { return None };
    let format = scan.dataset.format.as_deref().map(|format| format!(" · {format}")).unwrap_or_default();
    let mut text = format!("**`{}`** · {}{format}\n\n", scan.dataset.name, words::kind(scan.dataset.kind));
    text.push_str(&frame::columns(view, node));
    if !scan.promised_key.is_empty() {
        text.push_str(&format!("\nPrimary key by contract: {}\n", scan.promised_key.join(", ")));
    }
    if let Some(pushdown) = &scan.pushdown {
        text.push_str(&format!("\nPartitions where `{pushdown}`\n"));
    }
    text.push_str(&surroundings(view, &scan.dataset));
    Some(text)
}

pub(super) fn target(view: &View, output: &Output) -> String {
    let mut text = format!("**`{}`** · written, {}\n\n", output.dataset.name, output.mode.name());
    text.push_str(&frame::columns(view, output.node));
    text.push_str(&frame::grain(&output.grain));
    text.push_str(&format!("\nA second run: {}\n", output.rerun.reason));
    if !output.checks.is_empty() {
        let count = |wanted: fn(&Verdict) -> bool| output.checks.iter().filter(|check| wanted(&check.verdict)).count();
        text.push_str(&format!(
            "\nOf the contract, the script proves {}, refutes {} and leaves {} to be tested\n",
            count(|verdict| matches!(verdict, Verdict::Proved { .. })),
            count(|verdict| *verdict == Verdict::Refuted),
            count(|verdict| matches!(verdict, Verdict::MustBeTested | Verdict::Stale)),
        ));
    }
    text.push_str(&surroundings(view, &output.dataset));
    text
}

/// What is known of a catalog table beside its columns: contract, profile, last run of its tests.
fn surroundings(view: &View, dataset: &Dataset) -> String {
    let (DatasetKind::Catalog, Some(database), Some(table)) = (dataset.kind, &dataset.database, &dataset.table) else {
        return String::new();
    };
    let name = TableName::new(database, table);
    let answers = &view.analysis.answers;
    let mut text = String::new();
    if let Some(contract) = answers.contracts.get(&name) {
        text.push_str(&contract_summary(contract));
    }
    if let Some(profile) = answers.profiles.get(&name) {
        text.push_str(&format!("\nProfile of {}: {} rows\n", profile.date, words::count(profile.row_count)));
    }
    if let Some(run) = answers.runs.get(&name) {
        let failed = match run.failed.as_slice() {
            [] => "none failed".to_owned(),
            some => format!("failed: {}", some.join(", ")),
        };
        text.push_str(&format!("\nTests of {}: {} passed, {failed}\n", run.date, run.passed));
    }
    text
}

fn contract_summary(contract: &Contract) -> String {
    let mut text = String::from("\n**Contract**");
    if let Some(owner) = &contract.owner {
        text.push_str(&format!(" of {owner}"));
    }
    text.push_str(&format!(": {} rules\n", contract.rules().count()));
    if let Some(description) = &contract.description {
        text.push_str(&format!("\n{description}\n"));
    }
    if let Some(freshness) = &contract.freshness {
        let hour = freshness.sla_hour_utc.map(|hour| format!(", by {hour}:00 UTC")).unwrap_or_default();
        text.push_str(&format!("\nArrives {}{hour}\n", freshness.frequency));
    }
    text
}
