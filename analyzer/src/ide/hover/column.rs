//! A column: what it is, where it comes from, what is known of its values.

use contract::document::ColumnProfile;
use contract::expr::ColumnId;
use contract::schema::TableName;
use contract::types::DataType;

use super::View;
use crate::checks::Verdict;
use crate::describe::describe;
use crate::expression;
use crate::facts::{DatasetKind, lineage};
use crate::ide::words;
use crate::plan::{NodeId, NodeKind, Origin};

/// More steps of a column's history than this are not shown.
const MAX_STEPS: usize = 8;

pub(super) fn markdown(view: &View, written: &str, id: ColumnId, nullable: Option<bool>) -> String {
    let plan = &view.analysis.plan;
    let name = written.trim_matches('`');
    let data_type = match plan.column_type(id) {
        DataType::Unknown => "type not known".to_owned(),
        known => known.to_string(),
    };
    let nullable = match nullable {
        Some(false) => " · never NULL",
        Some(true) => " · may be NULL",
        None => "",
    };
    let mut text = format!("**`{name}`** · {data_type}{nullable}\n");
    text.push_str(&history(view, id));
    text.push_str(&base(view, id));
    text.push_str(&rules(view, id));
    text
}

/// The expressions that the column's values go through, back to the tables.
fn history(view: &View, id: ColumnId) -> String {
    let plan = &view.analysis.plan;
    let mut steps = Vec::new();
    let (mut pending, mut seen) = (vec![id], Vec::new());
    while let Some(id) = pending.pop() {
        if seen.contains(&id) || steps.len() == MAX_STEPS {
            continue;
        }
        seen.push(id);
        let Some(column) = plan.column(id) else { continue };
        match &column.origin {
            Origin::Base(scan) => {
                if let Some(dataset) = dataset_name(view, *scan) {
                    steps.push(format!("\nFrom `{dataset}`.`{}`\n", column.name));
                }
            }
            Origin::Computed(expr) => {
                let line = words::line(view.text, column.range.start);
                steps.push(format!("\n`{}` = `{}` (line {line})\n", column.name, describe(expr)));
                pending.extend(expression::column_ids(expr).into_iter().rev());
            }
            Origin::Same(source) => pending.push(*source),
            Origin::Either(sources) => pending.extend(sources.iter().rev()),
            Origin::Unknown => steps.push("\nWhere its values come from is not known\n".to_owned()),
        }
    }
    steps.concat()
}

fn dataset_name(view: &View, scan: NodeId) -> Option<String> {
    match &view.analysis.plan.node(scan)?.kind {
        NodeKind::Scan(scan) => Some(scan.dataset.name.clone()),
        _ => None,
    }
}

/// The catalog's comment, statistics and rules of the table's column whose values these are, cast or not.
fn base(view: &View, id: ColumnId) -> String {
    let plan = &view.analysis.plan;
    let base = lineage::passes_through(plan, id);
    let Some((column, Origin::Base(scan))) = plan.column(base).map(|column| (column, &column.origin)) else {
        return String::new();
    };
    let Some(NodeKind::Scan(scan)) = plan.node(*scan).map(|node| &node.kind) else { return String::new() };
    let (DatasetKind::Catalog, Some(database), Some(table)) =
        (scan.dataset.kind, &scan.dataset.database, &scan.dataset.table)
    else {
        return String::new();
    };
    let (name, answers) = (TableName::new(database, table), &view.analysis.answers);
    let mut text = String::new();
    let known = answers.tables.get(&name).and_then(|schema| schema.column(&column.name));
    if let Some(comment) = known.and_then(|column| column.comment.as_deref()) {
        text.push_str(&format!("\n{comment}\n"));
    }
    let profile = answers.profiles.get(&name);
    let find = |profile: &contract::document::Profile| {
        let mut found = profile.column_stats.iter();
        found.find(|(known, _)| known.eq_ignore_ascii_case(&column.name)).map(|(_, column)| column.clone())
    };
    if let Some((profile, statistics)) = profile.and_then(|profile| Some((profile, find(profile)?))) {
        text.push_str(&format!("\nIn `{}` on {}: {}\n", scan.dataset.name, profile.date, summary(&statistics)));
        text.push_str(&histogram(&statistics, profile.row_count));
    }
    let promised = answers.contracts.get(&name).and_then(|contract| {
        contract.columns.iter().find(|(known, _)| known.eq_ignore_ascii_case(&column.name)).map(|(_, column)| column)
    });
    for rule in promised.map(|column| column.rules.as_slice()).unwrap_or_default() {
        text.push_str(&format!("\n- {} in `{}`, by its contract\n", words::rule(rule), scan.dataset.name));
    }
    text
}

fn summary(statistics: &ColumnProfile) -> String {
    let mut parts = vec![format!("{} % NULL", rounded(statistics.null_pct))];
    if let Some(distinct) = statistics.distinct_count {
        let about = if statistics.distinct_exact { "" } else { "about " };
        parts.push(format!("{about}{} distinct", words::count(distinct)));
    }
    for (label, value) in [("min", &statistics.min), ("max", &statistics.max)] {
        if let Some(value) = value {
            parts.push(format!("{label} {value}"));
        }
    }
    if let Some(p95) = statistics.p95 {
        parts.push(format!("p95 {}", rounded(p95)));
    }
    parts.join(", ")
}

/// The most frequent values with a bar for each.
fn histogram(statistics: &ColumnProfile, rows: u64) -> String {
    const WIDTH: u64 = 20;
    const SHOWN: usize = 6;
    let most = statistics.top_values.first().map_or(0, |value| value.count).max(1);
    let values: Vec<String> = statistics.top_values.iter().take(SHOWN).map(|value| value.value.to_string()).collect();
    let width = values.iter().map(|value| value.chars().count()).max().unwrap_or(0);
    if values.is_empty() || rows == 0 {
        return String::new();
    }
    let lines = values.iter().zip(&statistics.top_values).map(|(label, value)| {
        let length = usize::try_from((value.count * WIDTH).div_ceil(most)).unwrap_or(0);
        let padding = " ".repeat(width - label.chars().count());
        format!("{label}{padding} {} {}\n", "█".repeat(length), words::count(value.count))
    });
    format!("\n```text\n{}```\n", lines.collect::<String>())
}

/// The rules of the tables that the column is written to.
fn rules(view: &View, id: ColumnId) -> String {
    let mut text = String::new();
    for output in &view.analysis.outputs {
        let Some(schema) = view.analysis.plan.node(output.node).map(|node| &node.schema) else { continue };
        let Some(field) = schema.field(id) else { continue };
        for check in output.checks.iter().filter(|check| check.rule.is_some()) {
            let of_field = check.column.as_deref().is_some_and(|column| column.eq_ignore_ascii_case(&field.name));
            if of_field {
                let verdict = match check.verdict {
                    Verdict::Proved { .. } => "proved here",
                    Verdict::Refuted => "refuted here",
                    Verdict::MustBeTested => "to be tested",
                    Verdict::Stale => "from a script, not borne out here",
                };
                let rule = check.rule.as_deref().unwrap_or_default();
                text.push_str(&format!("\n- `{rule}` of `{}`: {verdict}, {}\n", output.dataset.name, check.reason));
            }
        }
    }
    text
}

fn rounded(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
