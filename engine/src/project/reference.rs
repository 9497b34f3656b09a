//! What people read about the settings: the reference page and the documented file that `init` writes.

use std::fmt::Write;

use serde_json::Value as Json;

use super::settings::{Settings, schema};

/// The reference page, Markdown: `docs/configuration.md`.
pub fn page() -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         `de-copilot.toml` lies at the root of a project. Every setting has a default that works on a folder; \
         `de-copilot init` writes a file with what it found there.\n\
         Paths are relative to the file. Secrets never stand in it.\n",
    );
    let schema = schema();
    let root = schema.as_value();
    page.push_str(&rows("", root));
    for (name, section) in sections(root) {
        let _ = write!(page, "\n## `[{name}]`\n\n{}\n", description(section));
        page.push_str(&rows(name, section));
    }
    page
}

/// A `de-copilot.toml` with these settings: what differs from the default is set, the rest stands in comments, each
/// setting below its documentation. `note` gives the remark that belongs above a setting, by its full name.
pub fn example(settings: &Settings, note: &dyn Fn(&str) -> Option<String>) -> String {
    let mut text = String::from("# Settings of DE Copilot. What is commented out is the default.\n");
    let schema = schema();
    let root = schema.as_value();
    let value = serde_json::to_value(settings).unwrap_or_default();
    let default = serde_json::to_value(Settings::default()).unwrap_or_default();
    for (name, property) in properties(root).filter(|(_, property)| !is_section(property)) {
        setting(&mut text, name, name, property, &value[name], &default[name], note);
    }
    for (name, section) in sections(root) {
        let _ = write!(text, "\n{}", comment(description(section)));
        if section.get("properties").is_none() {
            if let Some(note) = note(name) {
                text.push_str(&comment(&note));
            }
            open_table(&mut text, name, &value[name]);
            continue;
        }
        let _ = writeln!(text, "[{name}]");
        let (plain, maps): (Vec<_>, Vec<_>) = properties(section).partition(|(_, property)| !is_section(property));
        for (key, property) in plain {
            setting(&mut text, &format!("{name}.{key}"), key, property, &value[name][key], &default[name][key], note);
        }
        for (key, property) in maps {
            let full = format!("{name}.{key}");
            let _ = write!(text, "\n{}", comment(description(property)));
            if let Some(note) = note(&full) {
                text.push_str(&comment(&note));
            }
            open_table(&mut text, &full, &value[name][key]);
        }
    }
    text
}

fn rows(prefix: &str, section: &Json) -> String {
    let mut text = String::new();
    let named: Vec<_> =
        properties(section).filter(|(_, property)| !prefix.is_empty() || !is_section(property)).collect();
    if named.is_empty() {
        if let Some(value) = section.get("additionalProperties").filter(|value| value.get("properties").is_some()) {
            return rows(&format!("{prefix}.NAME"), value);
        }
        return text;
    }
    text.push_str("\n| setting | type | default | meaning |\n|---|---|---|---|\n");
    for (key, property) in named {
        let full = if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
        let default = match section.get("default").and_then(|default| default.get(key)).or(property.get("default")) {
            Some(default) if !default.as_object().is_some_and(|map| map.is_empty()) => {
                format!("`{}`", literal(default))
            }
            _ => String::new(),
        };
        let meaning = description(property).replace('\n', " ").replace('|', "\\|");
        let _ = writeln!(text, "| `{full}` | {} | {default} | {meaning} |", type_text(property));
    }
    text
}

fn setting(
    text: &mut String,
    full: &str,
    key: &str,
    property: &Json,
    value: &Json,
    default: &Json,
    note: &dyn Fn(&str) -> Option<String>,
) {
    text.push('\n');
    text.push_str(&comment(description(property)));
    if let Some(note) = note(full) {
        text.push_str(&comment(&note));
    }
    let mark = if value == default { "# " } else { "" };
    let _ = writeln!(text, "{mark}{key} = {}", literal(value));
}

/// A table whose keys people choose; tables within it follow it, each under its own header.
fn open_table(text: &mut String, name: &str, value: &Json) {
    let Some(entries) = value.as_object().filter(|map| !map.is_empty()) else {
        let _ = writeln!(text, "# [{name}]");
        return;
    };
    let (tables, plain): (Vec<_>, Vec<_>) = entries.iter().partition(|(_, value)| value.is_object());
    if !plain.is_empty() {
        let _ = writeln!(text, "[{name}]");
    }
    for (key, value) in plain {
        let _ = writeln!(text, "{} = {}", bare_or_quoted(key), literal(value));
    }
    for (key, value) in tables.into_iter().filter(|(_, value)| value.as_object().is_some_and(|map| !map.is_empty())) {
        open_table(text, &format!("{name}.{}", bare_or_quoted(key)), value);
    }
}

fn properties(schema: &Json) -> impl Iterator<Item = (&str, &Json)> {
    schema.get("properties").and_then(Json::as_object).into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

fn sections(root: &Json) -> impl Iterator<Item = (&str, &Json)> {
    properties(root).filter(|(_, property)| is_section(property))
}

fn is_section(property: &Json) -> bool {
    property.get("type").and_then(Json::as_str) == Some("object")
}

fn description(schema: &Json) -> &str {
    schema.get("description").and_then(Json::as_str).unwrap_or_default()
}

fn type_text(property: &Json) -> String {
    let choices = super::parse::choices(property);
    if !choices.is_empty() {
        return choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", ");
    }
    match property.get("type").and_then(Json::as_str) {
        Some("object") => "table".into(),
        Some("array") => "list".into(),
        Some(other) => other.into(),
        None => "text".into(),
    }
}

fn comment(text: &str) -> String {
    text.lines().map(|line| format!("# {line}\n")).collect()
}

/// A value as TOML. JSON's strings, numbers, booleans and lists are TOML's.
fn literal(value: &Json) -> String {
    match value {
        Json::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{} = {}", bare_or_quoted(key), literal(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn bare_or_quoted(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { key.to_owned() } else { Json::from(key).to_string() }
}
