//! The documentation of a table, for people: `docs/<table>.md`.
//!
//! What comes from data, scripts, catalogs or a model is escaped: it can neither break the page nor bring HTML into it.
//! Columns that look personal show no values.

use contract::document::context::ContextColumn;
use contract::document::{ColumnProfile, Context, Contract};
use contract::rule::{Mode, Rule, RuleKind, Severity, Source};
use minijinja::{Environment, context};
use serde::Serialize;
use serde_json::Value as Json;

use super::profile::looks_personal;
use super::words::sentence;
use crate::{Error, Result};

const TEMPLATE: &str = include_str!("../../../prompts/table.md.jinja");
/// Most frequent values shown of a column.
const SHOWN_VALUES: usize = 5;

#[derive(Serialize)]
struct ColumnRow {
    name: String,
    r#type: String,
    nullable: bool,
    partition_key: bool,
    meaning: String,
    statistics: String,
}

#[derive(Serialize)]
struct RuleRow {
    id: String,
    what: String,
    effect: String,
    source: &'static str,
    evidence: String,
}

#[derive(Serialize)]
struct LineageRow {
    name: String,
    sources: String,
    expression: String,
}

/// Renders a table's documentation from its contract and what was known when that was generated. `notes` is a
/// generator's own Markdown; HTML in it is escaped.
pub fn render(about: &Context, contract: &Contract, notes: &str) -> Result<String> {
    let mut environment = Environment::new();
    environment.add_filter("md", |text: String| escape(&text));
    let columns: Vec<ColumnRow> = about.schema.iter().map(|column| column_row(about, contract, column)).collect();
    let summary = about.job_summary.clone().unwrap_or_default();
    let facts = about.facts.clone().unwrap_or_default();
    let joins: Vec<String> = summary
        .join_keys
        .iter()
        .map(|key| format!("{} with {} on {}", key.left_table, key.right_table, key.columns.join(", ")))
        .collect();
    let lineage: Vec<LineageRow> = facts
        .columns
        .iter()
        .map(|(name, column)| LineageRow {
            name: name.clone(),
            sources: column.sources.as_ref().map_or_else(|| "not known".to_owned(), |sources| sources.join(", ")),
            expression: column.expression.clone().unwrap_or_default(),
        })
        .collect();
    let freshness = contract.freshness.as_ref().map(|freshness| match freshness.sla_hour_utc {
        Some(hour) => format!("{}, by {hour}:00 UTC", freshness.frequency),
        None => freshness.frequency.clone(),
    });
    let data = context! {
        title => about.table_name,
        database => about.database,
        layer => about.layer,
        purpose => contract.description.as_deref().unwrap_or(&about.purpose),
        owner => contract.owner.as_deref().unwrap_or("nobody yet"),
        rows => about.row_count,
        primary_key => contract.primary_key,
        freshness => freshness,
        job => about.job_summary.as_ref().map(|summary| &summary.job_name),
        read_by => facts.read_by,
        notes => without_html(notes.trim()),
        columns => columns,
        rules => contract.rules().map(rule_row).collect::<Vec<_>>(),
        inputs => summary.inputs,
        joins => joins,
        filters => summary.filters,
        lineage => lineage,
    };
    let rendered = environment.render_str(TEMPLATE, data);
    let text = rendered.map_err(|error| Error::environment("prompts/table.md.jinja", error, "report it as a bug"))?;
    Ok(format!("{}\n", text.trim_end()))
}

fn column_row(about: &Context, contract: &Contract, column: &ContextColumn) -> ColumnRow {
    let promised = contract.columns.get(&column.name);
    let described = promised.and_then(|promised| promised.description.clone());
    ColumnRow {
        name: column.name.clone(),
        r#type: column.data_type.clone(),
        nullable: promised.map_or(column.nullable, |promised| promised.nullable),
        partition_key: column.partition_key,
        meaning: described.or_else(|| column.comment.clone()).unwrap_or_default(),
        statistics: match about.column_stats.get(&column.name).filter(|_| about.row_count > 0) {
            Some(stats) => statistics(stats, looks_personal(&column.name)),
            None => String::new(),
        },
    }
}

fn statistics(stats: &ColumnProfile, personal: bool) -> String {
    let mut parts = Vec::new();
    if stats.null_pct > 0.0 {
        parts.push(format!("{:.2} % NULL", stats.null_pct));
    }
    if let Some(count) = stats.distinct_count {
        let about = if stats.distinct_exact { "" } else { "about " };
        parts.push(format!("{about}{count} different"));
    }
    if personal {
        parts.push("values not kept: the column looks personal".to_owned());
        return parts.join("; ");
    }
    if let (Some(min), Some(max)) = (&stats.min, &stats.max) {
        parts.push(format!("{} to {}", plain(min), plain(max)));
    }
    if let Some(p95) = stats.p95 {
        parts.push(format!("95 % up to {}", (p95 * 100.0).round() / 100.0));
    }
    if let Some((shortest, longest)) = stats.length {
        parts.push(match shortest == longest {
            true => format!("{shortest} characters"),
            false => format!("{shortest} to {longest} characters"),
        });
    }
    if !stats.top_values.is_empty() {
        let shown =
            stats.top_values.iter().take(SHOWN_VALUES).map(|top| format!("{} ({})", plain(&top.value), top.count));
        parts.push(format!("most often {}", shown.collect::<Vec<_>>().join(", ")));
    }
    parts.join("; ")
}

fn rule_row(rule: &Rule) -> RuleRow {
    let effect = match (rule.mode, rule.severity) {
        (Mode::Observe, Severity::Warn) => "observed, warns",
        (Mode::Observe, Severity::Error) => "tested after the load",
        (Mode::Quarantine, _) => "keeps rows out",
        (Mode::Fail, _) => "stops the load",
    };
    let source = match rule.source {
        Source::Code => "code",
        Source::Profile => "profile",
        Source::Llm => "model",
        Source::Human => "a person",
    };
    let personal = rule.column.as_deref().is_some_and(looks_personal);
    let has_values = !matches!(
        rule.kind,
        RuleKind::NotNull | RuleKind::NullRatio { .. } | RuleKind::NotEmpty | RuleKind::Unique | RuleKind::Type { .. }
    );
    RuleRow {
        id: rule.id.clone(),
        what: match personal && has_values {
            true => format!("{}, values not shown", rule.kind.name()),
            false => rule.description.clone().unwrap_or_else(|| sentence(rule)),
        },
        effect: effect.to_owned(),
        source,
        evidence: if personal { String::new() } else { rule.evidence.clone().unwrap_or_default() },
    }
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Text within a paragraph or a table's cell: no Markdown, no HTML, one line.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '[' | ']' | '|' | '!' | '#' | '~' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Markdown without HTML, and with headings below those of the page.
fn without_html(markdown: &str) -> String {
    let escaped = markdown.replace('&', "&amp;").replace('<', "&lt;");
    let lines = escaped.lines().map(|line| match line.starts_with('#') {
        true => format!("##{line}"),
        false => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_brings_no_html_into_the_page_and_does_not_break_its_table() {
        let hostile = "<script>alert(1)</script> | `x` [a](javascript:b)\nnew row";
        let mut about = Context { table_name: "t".into(), row_count: 3, ..Context::default() };
        for name in ["status", "email"] {
            about.schema.push(ContextColumn {
                name: name.into(),
                data_type: "string".into(),
                nullable: true,
                comment: Some(hostile.into()),
                partition_key: false,
            });
            let top = contract::document::TopValue { value: hostile.into(), count: 3 };
            about.column_stats.insert(name.into(), ColumnProfile { top_values: vec![top], ..ColumnProfile::default() });
        }
        let page = render(&about, &Contract::default(), "# Notes\n<img src=x>").unwrap();
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        assert!(page.contains("### Notes"), "{page}");
        let row = page.lines().find(|line| line.starts_with("| status")).unwrap();
        assert_eq!(row.replace("\\|", "").matches('|').count(), 6, "{row}");
        let personal = page.lines().find(|line| line.starts_with("| email")).unwrap();
        assert!(personal.contains("looks personal") && !personal.contains("most often"), "{personal}");
    }
}
