//! Reads `de-copilot.toml`: every problem with its line and, for a name, the nearest valid one.

use std::ops::Range;

use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::settings::{Settings, schema};

/// Something wrong with a settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingProblem {
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub next: String,
}

/// The settings of a file's text, or all its problems, in the order of the file.
pub fn parse(text: &str) -> Result<Settings, Vec<SettingProblem>> {
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => return Err(vec![syntax_problem(text, &error)]),
    };
    let mut checker = Checker { text, problems: Vec::new() };
    checker.table(table.get_ref(), schema().as_value(), "");
    if !checker.problems.is_empty() {
        checker.problems.sort_by_key(|problem| problem.range.start);
        return Err(checker.problems);
    }
    toml::from_str(text).map_err(|error| vec![syntax_problem(text, &error)])
}

/// The candidate most like `name`, where one is close enough to be meant.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

fn syntax_problem(text: &str, error: &toml::de::Error) -> SettingProblem {
    let range = error.span().unwrap_or(0..0);
    SettingProblem {
        line: line_of(text, range.start),
        range,
        problem: error.message().to_owned(),
        next: "correct the line; docs/configuration.md shows every setting".into(),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

struct Checker<'a> {
    text: &'a str,
    problems: Vec<SettingProblem>,
}

impl Checker<'_> {
    fn table(&mut self, table: &DeTable<'_>, schema: &Json, path: &str) {
        let properties = schema.get("properties").and_then(Json::as_object);
        let additional = schema.get("additionalProperties").filter(|additional| additional.is_object());
        for (key, value) in table {
            let name: &str = key.get_ref();
            let inner = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            match properties.and_then(|properties| properties.get(name)).or(additional) {
                Some(schema) => self.value(value, schema, &inner),
                None => {
                    let valid: Vec<&str> =
                        properties.into_iter().flat_map(|map| map.keys().map(String::as_str)).collect();
                    let next = match nearest(name, valid.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("valid here: {}", valid.join(", ")),
                    };
                    self.report(key.span(), format!("unknown setting `{inner}`"), next);
                }
            }
        }
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, schema: &Json, path: &str) {
        let expected = schema.get("type").and_then(Json::as_str).unwrap_or("string");
        let found = value.get_ref();
        match (expected, found) {
            ("object", DeValue::Table(table)) => self.table(table, schema, path),
            ("array", DeValue::Array(items)) => {
                for item in items.iter() {
                    self.value(item, schema.get("items").unwrap_or(&Json::Null), path);
                }
            }
            ("string", DeValue::String(text)) => self.choice(text, value.span(), schema, path),
            ("boolean", DeValue::Boolean(_)) => {}
            ("integer", DeValue::Integer(_)) | ("number", DeValue::Integer(_) | DeValue::Float(_)) => {
                self.bounds(value, schema, path);
            }
            _ => self.report(
                value.span(),
                format!("`{path}` is {}, but must be {}", article(found.type_str()), article(type_name(expected))),
                format!("write {}", example_of(expected)),
            ),
        }
    }

    fn choice(&mut self, text: &str, span: Range<usize>, schema: &Json, path: &str) {
        let choices = choices(schema);
        if !choices.is_empty() && !choices.contains(&text) {
            let next = match nearest(text, choices.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("valid here: {}", choices.join(", ")),
            };
            self.report(span, format!("`{path}` cannot be `{text}`"), next);
        }
    }

    fn bounds(&mut self, value: &Spanned<DeValue<'_>>, schema: &Json, path: &str) {
        let text = self.text.get(value.span()).unwrap_or_default().replace('_', "");
        let Ok(number) = text.parse::<f64>() else { return };
        let (min, max) = (schema.get("minimum").and_then(Json::as_f64), schema.get("maximum").and_then(Json::as_f64));
        if min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max) || number.is_nan() {
            let next = match (min, max) {
                (Some(min), Some(max)) => format!("write a number from {min} to {max}"),
                (Some(min), None) => format!("write a number of at least {min}"),
                (_, Some(max)) => format!("write a number of at most {max}"),
                (None, None) => "write a number".into(),
            };
            self.report(value.span(), format!("`{path}` cannot be {text}"), next);
        }
    }

    fn report(&mut self, range: Range<usize>, problem: String, next: String) {
        self.problems.push(SettingProblem { line: line_of(self.text, range.start), range, problem, next });
    }
}

/// The values that an enumerated setting may have; empty where it is free text.
pub(super) fn choices(schema: &Json) -> Vec<&str> {
    let listed = schema.get("enum").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
    let documented = schema.get("oneOf").and_then(Json::as_array).into_iter().flatten();
    listed.chain(documented.filter_map(|one| one.get("const").and_then(Json::as_str))).collect()
}

fn type_name(json_type: &str) -> &str {
    match json_type {
        "object" => "table",
        other => other,
    }
}

fn article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

fn example_of(json_type: &str) -> &'static str {
    match json_type {
        "object" => "a table: `[name]` on a line of its own, or `{ key = \"value\" }`",
        "array" => "a list: `[\"one\", \"two\"]`",
        "boolean" => "`true` or `false`",
        "integer" => "a whole number",
        "number" => "a number",
        _ => "text in quotes: `\"text\"`",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let problems = parse(text).unwrap_err();
        problems.into_iter().map(|p| format!("{}: {}; {}", p.line, p.problem, p.next)).collect()
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(parse(""), Ok(Settings::default()));
    }

    #[test]
    fn an_unknown_setting_is_named_with_the_nearest_one() {
        assert_eq!(
            problems("[lake]\nroot = \"data\"\n\n[preload]\nmax_bad_shares = 0.5\n"),
            ["5: unknown setting `preload.max_bad_shares`; did you mean `max_bad_share`?"]
        );
        assert_eq!(problems("[zebra]\n").len(), 1);
    }

    #[test]
    fn a_wrong_type_or_value_is_named_with_its_line() {
        assert_eq!(
            problems(
                "[jobs]\nscripts = \"a.py\"\n[preload]\nmax_bad_share = 5\n[generate]\ngenerator = \"builtins\"\n"
            ),
            [
                "2: `jobs.scripts` is a string, but must be an array; write a list: `[\"one\", \"two\"]`",
                "4: `preload.max_bad_share` cannot be 5; write a number from 0 to 1",
                "6: `generate.generator` cannot be `builtins`; did you mean `builtin`?",
            ]
        );
    }

    #[test]
    fn text_that_is_no_toml_is_named_with_its_line() {
        let problems = parse("[lake]\nroot = data\n").unwrap_err();
        assert_eq!(problems[0].line, 2);
    }

    #[test]
    fn names_that_people_choose_are_free() {
        let settings =
            parse("[environments.dev.arguments]\nDB = \"sales\"\n[locations]\n\"s3://a/\" = \"b\"\n").unwrap();
        assert_eq!(settings.environments["dev"].arguments["DB"], "sales");
    }
}
