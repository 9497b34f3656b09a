//! The reference page of rules, out of the table of kinds.

use std::fmt::Write;

use super::kinds::{Form, KINDS, Key, Kind, MODIFIERS, Subject};

const INTRO: &str = "# Rules

A contract states rules in a column's `rules` or in `table_level_checks`, in JSON or YAML. Each has a `type` and the keys below; other keys are kept as they are.
Where a rule speaks of texts that are expressions (`where`, `expression`, `ref_where`), [semantics.md](semantics.md) says what they mean on Spark, Athena and the embedded engine alike.

A violation is a row, a value or a group for which a rule does not hold. A rule passes where there is none, or no more than its `threshold`.
A rule that cannot be evaluated is an error: neither passed nor failed. A rule about which nothing can be said (no rows, no history) is skipped.
";

/// The page, Markdown: `docs/rules.md`.
pub fn page() -> String {
    let mut page = String::from(INTRO);
    page.push_str("\n## What every rule may carry\n\n");
    page.push_str(&keys(MODIFIERS));
    page.push_str(
        "\n## What NULL and its like mean\n\n\
         A dash: the question does not arise. Blanks or case that count make another value; padding that does not count is no part of it. `on_null` and `on_nan` say otherwise where a kind takes them.\n\
         Infinity is a number like any other, but quantiles pass over it. A date stands for its midnight; a timestamp is UTC, whatever the session's zone.\n\n\
         | kind | NULL | NaN | empty text | blanks around | case | time zone | decimal scale | `char(n)` padding |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for kind in KINDS {
        let told = &kind.meaning;
        let cells = [told.null, told.nan, told.empty, told.blanks, told.case, told.zone, told.scale, told.padding];
        let cells = cells.map(|cell| if cell.is_empty() { "–" } else { cell });
        let _ = writeln!(page, "| `{}` | {} |", kind.name, cells.join(" | "));
    }
    for (title, subjects) in FAMILIES {
        let _ = write!(page, "\n## {title}\n");
        for kind in KINDS.iter().filter(|kind| subjects.contains(&kind.subject)) {
            page.push_str(&section(kind));
        }
    }
    page
}

const FAMILIES: &[(&str, &[Subject])] = &[
    ("Rules of one row", &[Subject::Value, Subject::Row, Subject::RawText]),
    ("Rules of all rows", &[Subject::Key, Subject::Column, Subject::Table]),
];

fn section(kind: &Kind) -> String {
    let mut text = format!("\n### `{}`\n\n{}", kind.name, kind.holds);
    let stage = match kind.subject {
        Subject::Value | Subject::Row => "It runs before the load and after it.",
        Subject::RawText => "It runs before the load.",
        Subject::Key => "It runs before the load, within the incoming file, and after it.",
        Subject::Column | Subject::Table => "It runs after the load.",
    };
    let _ = write!(text, " {stage}");
    if !kind.aliases.is_empty() {
        let names: Vec<String> = kind.aliases.iter().map(|alias| format!("`{alias}`")).collect();
        let _ = write!(text, " Also read as {}.", names.join(", "));
    }
    text.push_str("\n\n");
    if !kind.ignores.is_empty() {
        let names: Vec<String> = kind.ignores.iter().map(|key| format!("`{key}`")).collect();
        let _ = write!(text, "It has no use for {}.\n\n", names.join(", "));
    }
    if !kind.keys.is_empty() {
        text.push_str(&keys(kind.keys));
        text.push('\n');
    }
    let _ = write!(text, "```json\n{}\n```\n", kind.example);
    text
}

fn keys(keys: &[Key]) -> String {
    let mut table = String::from("| key | value | |\n|---|---|---|\n");
    for key in keys {
        let needed = if key.required { " (needed)" } else { "" };
        let implied = if key.implied { " The rule's own column where absent." } else { "" };
        let _ = writeln!(table, "| `{}`{needed} | {} | {}{implied} |", key.name, value(key.form), key.about);
    }
    table
}

fn value(form: Form) -> String {
    match form {
        Form::Share => "number from 0 to 1".to_owned(),
        Form::Number => "number".to_owned(),
        Form::Count => "whole number".to_owned(),
        Form::Text => "text".to_owned(),
        Form::Column => "column".to_owned(),
        Form::Columns => "list of columns".to_owned(),
        Form::Predicate => "rule text".to_owned(),
        Form::Query => "query".to_owned(),
        Form::Flag => "true or false".to_owned(),
        Form::Bound => "number, or a date or timestamp as text".to_owned(),
        Form::Texts => "list of texts".to_owned(),
        Form::Values => "list".to_owned(),
        Form::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Form::Threshold => "`{\"count\": N}`, `{\"share\": 0 to 1}`".to_owned(),
        Form::Scope => "`full`, `loaded_partitions`, `{\"last_partitions\": N}`".to_owned(),
        Form::Day => "day, `YYYY-MM-DD`".to_owned(),
        Form::Calendar => "days".to_owned(),
        Form::AsOf => "object".to_owned(),
    }
}
