//! Lenient reading of a JSON object: keys are taken one by one, what cannot be read becomes a problem, what is left
//! over is kept.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Map, Value as Json};

use super::VERSION;
use super::problem::{DocumentError, DocumentProblem};
use super::yaml;
use crate::schema::nearest;

/// Problems found so far, shared by all objects of a document.
#[derive(Clone, Default)]
pub(crate) struct Problems(Rc<RefCell<Vec<DocumentProblem>>>);

impl Problems {
    pub(crate) fn add(&self, path: &str, message: impl Into<String>) {
        let problem = DocumentProblem { path: path.to_owned(), line: None, message: message.into() };
        self.0.borrow_mut().push(problem);
    }

    /// The problems so far, in order.
    pub(crate) fn found(&self) -> Vec<DocumentProblem> {
        self.0.take()
    }
}

/// An object whose keys are taken one by one.
pub(crate) struct Fields {
    map: Map<String, Json>,
    path: String,
    problems: Problems,
}

impl Fields {
    /// The object at `path`; `None`, and a problem, where `value` is something else.
    pub(crate) fn of(value: Json, path: &str, problems: &Problems) -> Option<Self> {
        match value {
            Json::Object(map) => Some(Self { map, path: path.to_owned(), problems: problems.clone() }),
            other => {
                problems.add(path, format!("expected an object, found {}", kind(&other)));
                None
            }
        }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The path of a key of this object.
    pub(crate) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(crate) fn problems(&self) -> &Problems {
        &self.problems
    }

    /// Takes a key; JSON `null` counts as absent.
    pub(crate) fn take(&mut self, key: &str) -> Option<Json> {
        self.map.shift_remove(key).filter(|value| !value.is_null())
    }

    /// Takes the first of several spellings of a key.
    pub(crate) fn take_any(&mut self, keys: &[&str]) -> Option<Json> {
        keys.iter().find_map(|key| self.take(key))
    }

    fn read<T>(&mut self, key: &str, expected: &str, read: impl Fn(&Json) -> Option<T>) -> Option<T> {
        let value = self.take(key)?;
        let answer = read(&value);
        if answer.is_none() {
            self.problems.add(&self.path_of(key), format!("expected {expected}, found {}", kind(&value)));
            self.map.insert(key.to_owned(), value);
        }
        answer
    }

    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        self.read(key, "a text", |value| match value {
            Json::String(text) => Some(text.clone()),
            Json::Number(number) => Some(number.to_string()),
            _ => None,
        })
    }

    pub(crate) fn flag(&mut self, key: &str) -> Option<bool> {
        self.read(key, "true or false", |value| match value {
            Json::Bool(flag) => Some(*flag),
            Json::String(text) => text.to_lowercase().parse().ok(),
            _ => None,
        })
    }

    /// A number; a numeric text is read too, and `20%` is 0.2.
    pub(crate) fn number(&mut self, key: &str) -> Option<f64> {
        self.read(key, "a number", as_number)
    }

    pub(crate) fn count(&mut self, key: &str) -> Option<u64> {
        self.read(key, "a whole number, 0 or more", |value| match value {
            Json::Number(number) => {
                number.as_u64().or_else(|| number.as_f64().filter(|n| *n >= 0.0 && n.fract() == 0.0).map(|n| n as u64))
            }
            Json::String(text) => text.trim().parse().ok(),
            _ => None,
        })
    }

    /// A list of texts; one bare text is a list of one.
    pub(crate) fn texts(&mut self, key: &str) -> Option<Vec<String>> {
        self.read(key, "a list of texts", |value| match value {
            Json::String(text) => Some(vec![text.clone()]),
            Json::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            _ => None,
        })
    }

    pub(crate) fn list(&mut self, key: &str) -> Option<Vec<Json>> {
        self.read(key, "a list", |value| value.as_array().cloned())
    }

    /// A word out of a fixed choice, without regard to case, `-` and `_`.
    pub(crate) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let value = self.take(key)?;
        let word = value.as_str().map(|text| text.to_lowercase().replace('-', "_"));
        let found = word.as_deref().and_then(|word| choices.iter().find(|(name, _)| *name == word));
        if let Some((_, choice)) = found {
            return Some(*choice);
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let hint = word.and_then(|word| nearest(&word, names.iter().copied()).first().copied());
        let meant = hint.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        self.problems.add(&self.path_of(key), format!("{value} is none of {}{meant}", names.join(", ")));
        self.map.insert(key.to_owned(), value);
        None
    }

    /// All keys that nobody took yet, to [`Fields::restore`] them where what was taken is not understood.
    pub(crate) fn untaken(&self) -> Map<String, Json> {
        self.map.clone()
    }

    pub(crate) fn restore(&mut self, keys: Map<String, Json>) {
        self.map = keys;
    }

    /// The keys that nobody took.
    pub(crate) fn rest(self) -> Map<String, Json> {
        self.map
    }
}

/// Parses a document and refuses a newer version.
pub(crate) fn parse(text: &str) -> Result<Json, DocumentError> {
    let value: Json = serde_json::from_str(text).map_err(|error| DocumentError::Syntax {
        format: "JSON",
        line: error.line(),
        column: error.column(),
        message: error.to_string().split(" at line").next().unwrap_or_default().to_owned(),
    })?;
    check_version(&value)?;
    Ok(value)
}

/// As [`parse`], from YAML.
pub(crate) fn parse_yaml(text: &str) -> Result<yaml::Document, DocumentError> {
    let document = yaml::parse(text)?;
    check_version(&document.value)?;
    Ok(document)
}

fn check_version(value: &Json) -> Result<(), DocumentError> {
    match value.get("version").and_then(Json::as_u64) {
        Some(found) if found > u64::from(VERSION) => Err(DocumentError::Version { found, known: VERSION }),
        _ => Ok(()),
    }
}

/// Reads a document whose shape the serde derives of `T` give.
pub(crate) fn parse_exact<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, DocumentError> {
    serde_json::from_value(parse(text)?).map_err(|error| {
        DocumentError::Shape(DocumentProblem { path: "document".to_owned(), line: None, message: error.to_string() })
    })
}

/// Pretty JSON with a final line end: what the store keeps and a person reviews.
pub(crate) fn pretty(value: &Json) -> String {
    format!("{value:#}\n")
}

/// A number as people write it: a whole one without a point.
pub(crate) fn plain_number(number: f64) -> Json {
    if number.fract() == 0.0 && number.abs() < 1e15 { Json::from(number as i64) } else { Json::from(number) }
}

pub(crate) fn as_number(value: &Json) -> Option<f64> {
    match value {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => match text.trim().strip_suffix('%') {
            Some(percent) => percent.trim().parse::<f64>().ok().map(|percent| percent / 100.0),
            None => text.trim().parse().ok(),
        },
        _ => None,
    }
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
