//! Runs the pages of `tests/spec`: each case is a Python block with the facts that follow from it.
//!
//! `UPDATE_SPEC=1 cargo test -p analyzer --test spec` rewrites the expectations; review the difference like code.
#![expect(clippy::disallowed_methods, reason = "the pages are files, and a test may read them")]
#![expect(clippy::expect_used, clippy::panic, reason = "a page that cannot be read is a failure")]

mod facts;
mod metamorphic;
mod pages;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use analyzer::{Analysis, Certainty, OutputColumn, Severity, analyze_uncaught};
use contract::types::DataType;

use facts::facts;
use pages::{Tables, cases, pages, parse_contract};

#[test]
fn every_case_of_every_page_holds() {
    let update = std::env::var("UPDATE_SPEC").is_ok();
    let mut failures = String::new();
    let mut cases = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a page is readable");
        let (rewritten, count, differences) = run_page(&text);
        cases += count;
        if update {
            std::fs::write(&page, rewritten).expect("a page is writable");
        } else if !differences.is_empty() {
            let _ = writeln!(failures, "{}:\n{differences}", page.display());
        }
    }
    assert!(cases > 0, "no case was found");
    assert!(failures.is_empty(), "{failures}\nUPDATE_SPEC=1 rewrites the expectations.");
}

#[test]
fn hiding_schemas_never_creates_a_fact() {
    let mut compared = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a page is readable");
        for (heading, script, tables) in cases(&text) {
            let full = analyze_uncaught(&script, &tables);
            let hidden = (0..tables.tables.len()).map(|one| tables.without(|position| position == one));
            for world in hidden.chain([tables.without(|_| true)]) {
                let place = format!("{}: {heading}", page.display());
                refines(&analyze_uncaught(&script, &world), &full, &place);
                compared += 1;
            }
        }
    }
    assert!(compared > 0, "no case knows a table");
}

/// Whether everything that is claimed with less knowledge is claimed with more.
fn refines(less: &Analysis, more: &Analysis, place: &str) {
    for diagnostic in less.diagnostics.iter().filter(|found| found.severity == Severity::Error) {
        assert!(more.diagnostics.contains(diagnostic), "{place}: {}", diagnostic.message);
    }
    assert_eq!(less.outputs.len(), more.outputs.len(), "{place}: the writes");
    // Nothing is true of the rows of a script that Spark refuses.
    if more.diagnostics.iter().any(|found| found.severity == Severity::Error) {
        return;
    }
    for (less, more) in less.outputs.iter().zip(&more.outputs) {
        assert_eq!(less.dataset, more.dataset, "{place}");
        if less.grain.certainty == Certainty::Proved && less.grain.assumptions.is_empty() {
            let key = &more.grain.columns;
            let kept = key.iter().all(|column| less.grain.columns.contains(column));
            assert!(
                more.grain.certainty == Certainty::Proved && kept,
                "{place}: {:?}, then {:?}",
                less.grain,
                more.grain
            );
        }
        for filter in &less.filters {
            assert!(
                more.filters.iter().any(|known| known.predicate == filter.predicate),
                "{place}: {} is no filter",
                filter.predicate
            );
        }
        assert!(!less.columns_complete || more.columns_complete, "{place}: the columns are no longer complete");
        let known = more.columns.iter().flatten();
        let named = |name: &str| known.clone().find(|column| column.name.eq_ignore_ascii_case(name));
        for column in less.columns.iter().flatten() {
            // A script that names a column which is not there names it wrongly, and is told so.
            let Some(same) = named(&column.name) else { continue };
            // A name is written in any letters where the table does not say which.
            let lower = |column: &OutputColumn| {
                let names = column.sources.iter().flatten();
                names.map(|source| (source.input.clone(), source.column.to_lowercase())).collect::<BTreeSet<_>>()
            };
            if column.sources.is_some() {
                assert!(same.sources.is_some(), "{place}: the sources of {}", column.name);
                assert_eq!(lower(column), lower(same), "{place}: the sources of {}", column.name);
            }
            if column.data_type != DataType::Unknown {
                assert_eq!(column.data_type, same.data_type, "{place}: the type of {}", column.name);
            }
            if column.nullable.is_some() {
                assert_eq!(column.nullable, same.nullable, "{place}: whether {} may be NULL", column.name);
            }
        }
    }
}

/// Runs a page; gives it back with its expectations rewritten, the number of cases, and what differs.
fn run_page(text: &str) -> (String, usize, String) {
    let mut page = String::new();
    let mut differences = String::new();
    let mut tables = Tables::default();
    let mut heading = "";
    let mut cases = 0;
    let mut script: Option<String> = None;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        page.push_str(line);
        page.push('\n');
        let Some(language) = line.strip_prefix("```") else {
            if line.starts_with('#') {
                heading = line.trim_start_matches('#').trim();
            }
            continue;
        };
        let block: String = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
        let mut kept = block.clone();
        match language {
            "tables" => tables = Tables::parse(&block),
            "contract" => tables.contract = Some(parse_contract(&block)),
            "python" => script = Some(block),
            "facts" => {
                let script = script.take().expect("facts follow a script");
                kept = facts(&analyze_uncaught(&script, &tables), &script);
                cases += 1;
                if kept != block {
                    let _ = writeln!(differences, "## {heading}\n--- expected\n{block}--- found\n{kept}");
                }
            }
            other => panic!("a block of an unknown kind: {other}"),
        }
        page.push_str(&kept);
        page.push_str("```\n");
    }
    (page, cases, differences)
}
