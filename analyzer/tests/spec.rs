//! Runs the pages of `tests/spec`: each case is a Python block with the facts that follow from it.
//!
//! `UPDATE_SPEC=1 cargo test -p analyzer --test spec` rewrites the expectations; review the difference like code.
#![expect(clippy::disallowed_methods, reason = "the pages are files, and a test may read them")]
#![expect(clippy::expect_used, clippy::panic, reason = "a page that cannot be read is a failure")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use analyzer::checks::Verdict;
use analyzer::{Analysis, Certainty, OutputColumn, Severity, World, analyze_uncaught};
use contract::document::Contract;
use contract::schema::{Column, Provenance, TableName, TableSchema};
use contract::types::DataType;

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

/// The scripts of a page, each with its heading and the tables that it knows.
fn cases(text: &str) -> Vec<(String, String, Tables)> {
    let mut cases = Vec::new();
    let (mut heading, mut tables) = (String::new(), Tables::default());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            if line.starts_with('#') {
                heading = line.trim_start_matches('#').trim().to_owned();
            }
            continue;
        };
        let block: String = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
        match language {
            "tables" => tables = Tables::parse(&block),
            "python" => cases.push((heading.clone(), block, tables.clone())),
            _ => {}
        }
    }
    cases
}

fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/spec");
    let mut pages: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the pages exist")
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages
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

/// The facts of a script, a line each.
fn facts(analysis: &Analysis, script: &str) -> String {
    let mut lines = Vec::new();
    for input in &analysis.inputs {
        let pushdown = input.pushdown.as_deref().map(|predicate| format!(" where {predicate}")).unwrap_or_default();
        lines.push(format!("reads {} {}{pushdown}", input.dataset.kind.name(), input.dataset.name));
    }
    for output in &analysis.outputs {
        output_facts(analysis, output, &mut lines);
    }
    for join in &analysis.joins {
        let keys: Vec<String> =
            join.left_columns.iter().zip(&join.right_columns).map(|(l, r)| format!("{l} = {r}")).collect();
        let fan_out = if join.fan_out { "may repeat rows" } else { "repeats no row" };
        let (left, right) = (join.left_inputs.join("+"), join.right_inputs.join("+"));
        lines.push(format!("{} join {left} with {right} on {}, {fan_out}", join.how.name(), keys.join(", ")));
        lines.extend(join.filters.iter().map(|filter| format!("  where {}", filter.predicate)));
    }
    for diagnostic in &analysis.diagnostics {
        assert!(analyzer::CODES.contains(&diagnostic.code), "{} is not among the codes", diagnostic.code);
        let place = diagnostic.range.slice(script).lines().next().unwrap_or("");
        let severity = diagnostic.severity.name();
        lines.push(format!("{severity}[{}] at `{place}`: {}", diagnostic.code, diagnostic.message));
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn output_facts(analysis: &Analysis, output: &analyzer::Output, lines: &mut Vec<String>) {
    let (kind, name) = (output.dataset.kind.name(), &output.dataset.name);
    lines.push(format!("writes {kind} {name} ({}, {})", output.mode.name(), output.rerun.effect));
    lines.extend(output.partition_keys.iter().map(|key| format!("  partitioned by {key}")));
    let further = analysis.plan.node(output.node).is_some_and(|node| !node.schema.is_complete());
    match &output.columns {
        None => lines.push("  columns unknown".to_owned()),
        Some(columns) => {
            for column in columns {
                let nullable = if column.nullable == Some(false) { " not null" } else { "" };
                let sources = column.sources.as_ref().map_or("?".to_owned(), |sources| {
                    sources.iter().map(|s| format!("{}.{}", s.input, s.column)).collect::<Vec<_>>().join(", ")
                });
                lines.push(format!("  {} {}{nullable} <- {sources}", column.name, column.data_type));
            }
            if !output.columns_complete {
                let more_or_fewer = if further { "  and further columns" } else { "  and perhaps not all of these" };
                lines.push(more_or_fewer.to_owned());
            }
        }
    }
    let grain = &output.grain;
    lines.push(match grain.certainty {
        Certainty::Unknown => format!("  grain unknown: {}", grain.reason),
        certainty => {
            let assumptions: String = grain.assumptions.iter().map(|a| format!("; if {a}")).collect();
            format!("  grain [{}] {}: {}{assumptions}", grain.columns.join(", "), certainty.name(), grain.reason)
        }
    });
    lines.extend(output.filters.iter().map(|filter| format!("  where {}", filter.predicate)));
    for check in &output.checks {
        let what = check.rule.as_deref().unwrap_or(check.code);
        let column = check.column.as_deref().map(|column| format!(" {column}")).unwrap_or_default();
        match &check.verdict {
            // The columns that stand above say so already.
            Verdict::Proved { .. } if matches!(check.code, "contract-column-missing" | "contract-type") => {}
            Verdict::Proved { assumptions } => {
                let assumptions: String = assumptions.iter().map(|a| format!("; if {a}")).collect();
                lines.push(format!("  proves {what}{column}{assumptions}"));
            }
            Verdict::MustBeTested => lines.push(format!("  leaves {what}{column} to be tested")),
            // A diagnostic, which stands below.
            Verdict::Refuted => {}
        }
    }
}

/// Tables that a page declares, a line each: `database.table: column type, column type key`.
#[derive(Clone, Default)]
struct Tables {
    tables: Vec<(TableName, TableSchema, Vec<String>)>,
    /// The contract of a table that the page gives as a document.
    contract: Option<Arc<Contract>>,
}

fn parse_contract(block: &str) -> Arc<Contract> {
    let (contract, problems) = Contract::from_json(block).expect("a contract");
    assert_eq!(problems, [], "the contract of a page is right");
    Arc::new(contract)
}

impl Tables {
    /// The same without some of the tables, by position.
    fn without(&self, hidden: impl Fn(usize) -> bool) -> Self {
        let kept = self.tables.iter().enumerate().filter(|(position, _)| !hidden(*position));
        Self { tables: kept.map(|(_, table)| table.clone()).collect(), contract: None }
    }

    fn parse(block: &str) -> Self {
        let tables = block.lines().map(|line| {
            let (name, columns) = line.split_once(": ").expect("`name: columns`");
            let (database, table) = name.split_once('.').expect("`database.table`");
            let mut keys = Vec::new();
            let columns = columns
                .split(", ")
                .map(|column| {
                    let mut words = column.split(' ');
                    let (name, data_type) = (words.next().expect("a name"), words.next().expect("a type"));
                    if words.next() == Some("key") {
                        keys.push(name.to_owned());
                    }
                    Column {
                        name: name.to_owned(),
                        data_type: DataType::parse(data_type).expect("a type"),
                        nullable: None,
                        comment: None,
                        partition_key: false,
                    }
                })
                .collect();
            (TableName::new(database, table), TableSchema { columns, provenance: Provenance::Catalog }, keys)
        });
        Self { tables: tables.collect(), contract: None }
    }
}

impl World for Tables {
    fn table(&self, name: &TableName) -> Option<TableSchema> {
        self.tables.iter().find(|(known, _, _)| known == name).map(|(_, schema, _)| schema.clone())
    }

    fn contract(&self, name: &TableName) -> Option<Arc<Contract>> {
        if let Some(contract) = self.contract.as_ref().filter(|contract| contract.table_name == name.table) {
            return Some(Arc::clone(contract));
        }
        let (_, _, keys) = self.tables.iter().find(|(known, _, keys)| known == name && !keys.is_empty())?;
        Some(Arc::new(Contract { primary_key: keys.clone(), ..Contract::default() }))
    }
}
