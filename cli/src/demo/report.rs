//! The demo's report: tables for people, one object for programs.

use std::collections::BTreeMap;

use comfy_table::{Cell, Color};
use engine::stage::generate::Generated;
use engine::stage::postload::{Run, Status};
use fixtures::planted::FoundBy;
use owo_colors::OwoColorize;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::judge::{Judged, Load, Tested};
use super::stages::{Finished, Stage};
use crate::output::{counted, heading, table, verdict};
use crate::{lineage, output};

/// Rows of all loads; a load that was done before counts once.
#[derive(Serialize)]
pub(super) struct Rows {
    pub(super) input: u64,
    pub(super) good: u64,
    pub(super) quarantined: u64,
}

pub(super) fn rows(loads: &[Load]) -> Rows {
    let done = || loads.iter().filter(|load| !load.already_loaded);
    Rows {
        input: done().map(|load| load.input).sum(),
        good: done().map(|load| load.good).sum(),
        quarantined: done().map(|load| load.quarantined.len() as u64).sum(),
    }
}

/// The report for programs.
pub(crate) fn json(finished: &Finished) -> Json {
    let verdicts = || finished.generated.iter().flat_map(|one| &one.verdicts);
    let kept = verdicts().filter(|verdict| verdict.kept).count();
    json!({
        "stages": finished.stages,
        "planted": finished.judgement.planted,
        "false_alarms": finished.judgement.false_alarms,
        "rows": rows(&finished.seen.loads),
        "rules": { "proposed": verdicts().count(), "kept": kept, "refused": verdicts().count() - kept },
        "artifacts": finished.artifacts,
    })
}

/// One line for a stage that has ended.
pub(crate) fn stage_line(stage: &Stage) -> String {
    let mark = if stage.ok { "✓".green().to_string() } else { "✗".red().to_string() };
    format!("{mark} {:<9} {:>6.2} s  {}", stage.name, stage.seconds, stage.summary)
}

/// The report for people, below the lines of the stages.
pub(crate) fn text(finished: &Finished) -> String {
    let mut text = heading("Jobs, from the tables that they read to those that they write");
    text.push_str(&format!("\n{}", lineage::text(&finished.lineage)));
    text.push_str(&heading("Proposed, and held against code and data"));
    text.push_str(&format!("\n{}\n", proposals(&finished.generated)));
    text.push_str(&refusals(&finished.generated));
    text.push_str(&heading("Deliveries, day by day"));
    text.push_str(&format!("\n{}\n", deliveries(&finished.seen.loads, &finished.seen.tests)));
    text.push_str(&heading("Planted against found"));
    text.push_str(&format!("\n{}\n", planted(&finished.judgement.planted)));
    text.push_str(&closing(finished));
    text
}

fn proposals(generated: &[Generated]) -> comfy_table::Table {
    let mut table = table(["table", "rules kept", "refused", "tests", "key"]);
    for one in generated {
        let kept = one.verdicts.iter().filter(|verdict| verdict.kept).count();
        table.add_row([
            one.table.clone(),
            kept.to_string(),
            (one.verdicts.len() - kept).to_string(),
            one.suite.tests.len().to_string(),
            one.contract.primary_key.join(", "),
        ]);
    }
    table
}

fn refusals(generated: &[Generated]) -> String {
    let refused = generated.iter().flat_map(|one| {
        let refused = one.verdicts.iter().filter(|verdict| !verdict.kept);
        refused.map(|verdict| format!("  {} {} of {}: {}\n", "✗".red(), verdict.id, one.table, verdict.reason))
    });
    refused.collect()
}

fn deliveries(loads: &[Load], tests: &[Tested]) -> comfy_table::Table {
    let mut table = table(["day", "file", "rows", "good", "bad", "by", "load", "tests", "exit"]);
    for tested in tests {
        let of_day: Vec<&Load> = loads.iter().filter(|load| load.day == tested.day).collect();
        for (place, load) in of_day.iter().enumerate() {
            let (loaded, what) = match load {
                load if load.already_loaded => (true, "done before"),
                load if load.stopped.is_some() => (false, "stopped"),
                _ => (true, "loaded"),
            };
            let last = place + 1 == of_day.len();
            let name = load.file.rsplit_once('/').map_or(load.file.as_str(), |(_, name)| name);
            let name = if load.file.starts_with("fixed/") { format!("{name}, corrected") } else { name.to_owned() };
            let mut row: Vec<Cell> = vec![
                if place == 0 { tested.day.to_string() } else { String::new() }.into(),
                name.into(),
                load.input.into(),
                load.good.into(),
                verdict(load.quarantined.is_empty(), load.quarantined.len()),
                by_rule(load).into(),
                verdict(loaded, what),
            ];
            row.extend(last.then(|| test_cells(&tested.run)).into_iter().flatten());
            table.add_row(row);
        }
        if of_day.is_empty() {
            let mut row: Vec<Cell> = vec![tested.day.to_string().into(), "nothing arrived".into()];
            row.extend((0..5).map(|_| Cell::new("")));
            row.extend(test_cells(&tested.run));
            table.add_row(row);
        }
    }
    table
}

/// The rules that a load's rows were quarantined for first, most frequent ones first.
fn by_rule(load: &Load) -> String {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for rules in load.quarantined.values() {
        *counts.entry(rules.first().map_or("", String::as_str)).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.into_iter().map(|(rule, _)| rule).collect::<Vec<_>>().join("\n")
}

fn test_cells(run: &Run) -> [Cell; 2] {
    let failed: Vec<&str> =
        run.tests.iter().filter(|test| test.status == Status::Failed).map(|test| test.name.as_str()).collect();
    let passed = format!("{} passed", run.count(Status::Passed));
    let text = if failed.is_empty() { passed } else { format!("{passed}, failed:\n{}", failed.join("\n")) };
    let code = u8::from(run.worst() == Some(contract::rule::Severity::Error));
    [verdict(failed.is_empty(), text), verdict(code == 0, code)]
}

fn planted(judged: &[Judged]) -> comfy_table::Table {
    let mut table = table(["trouble", "day", "rows", "for stage", "found", "how"]);
    for trouble in judged {
        let found = match (trouble.found, trouble.stage) {
            (true, _) => Cell::new("yes").fg(Color::Green),
            (false, FoundBy::Drift) => Cell::new("not looked for").fg(Color::DarkGrey),
            (false, _) => Cell::new("NO").fg(Color::Red),
        };
        table.add_row([
            Cell::new(&trouble.id),
            trouble.day.map_or(String::new(), |day| day.to_string()).into(),
            if trouble.rows == 0 { String::new() } else { trouble.rows.to_string() }.into(),
            stage_name(trouble.stage).into(),
            found,
            Cell::new(&trouble.how),
        ]);
    }
    table
}

fn stage_name(stage: FoundBy) -> &'static str {
    match stage {
        FoundBy::Verify => "verify",
        FoundBy::PreLoad => "pre-load",
        FoundBy::PostLoad => "post-load",
        FoundBy::Drift => "drift",
    }
}

fn closing(finished: &Finished) -> String {
    let looked_for = finished.judgement.planted.iter().filter(|judged| judged.stage != FoundBy::Drift);
    let (found, missed): (Vec<_>, Vec<_>) = looked_for.partition(|judged| judged.found);
    let alarms = &finished.judgement.false_alarms;
    let rows = rows(&finished.seen.loads);
    let seconds: f64 = finished.stages.iter().map(|stage| stage.seconds).sum();
    let mut text = format!(
        "\n{} of {} found, {}, in {seconds:.1} s\n",
        found.len(),
        counted((found.len() + missed.len()) as u64, "planted trouble"),
        counted(alarms.len() as u64, "false alarm")
    );
    for alarm in alarms {
        let day = alarm.day.map_or(String::new(), |day| format!("{day} "));
        text.push_str(&format!("  {} {}: {day}{}\n", "false alarm,".red(), stage_name(alarm.stage), alarm.what));
    }
    text.push_str(&format!(
        "{} came in: {} good + {} quarantined\n",
        counted(rows.input, "row"),
        rows.good,
        rows.quarantined
    ));
    text.push_str(&next_steps(finished));
    text
}

fn next_steps(finished: &Finished) -> String {
    let out = finished.out.display();
    let steps = [
        (
            format!("{out}/de-copilot/contracts/loan_repayment_fact.json"),
            "the contract, with the evidence of each rule",
        ),
        (format!("{out}/de-copilot/docs/loan_repayment_fact.md"), "the table's documentation"),
        (format!("{out}/de-copilot/quarantine/"), "the bad rows, each with its reasons"),
        (format!("{out}/planted.json"), "what was planted, row by row"),
        (format!("de-copilot doctor --project {out}"), "what is known of this lake"),
        (format!("de-copilot analyze --project {out}"), "lineage and grain of its jobs"),
        ("de-copilot init && de-copilot run".to_owned(), "the same for your own folder"),
    ];
    let width = steps.iter().map(|(what, _)| what.chars().count()).max().unwrap_or_default();
    let mut text = output::heading("Look at next");
    for (what, why) in steps {
        text.push_str(&format!("\n  {what:<width$}  {why}"));
    }
    text
}
