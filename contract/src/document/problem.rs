//! What is wrong with a document, with the place that a person can go to.

use std::fmt;

/// Why a document cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The text is not of its format.
    #[error("line {line}, column {column}: not valid {format}: {message}")]
    Syntax {
        /// `JSON` or `YAML`.
        format: &'static str,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// A newer program wrote it.
    #[error("the document has version {found}, this program knows versions up to {known}: update de-copilot")]
    Version {
        /// The document's version.
        found: u64,
        /// The newest version that this program knows.
        known: u32,
    },
    /// The document has another shape.
    #[error("{0}")]
    Shape(DocumentProblem),
}

/// Something in a document that was left aside or read another way; the rest of the document stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentProblem {
    /// Where, such as `columns.status.rules[0].values`.
    pub path: String,
    /// The line of that place, from 1; `None` where the document did not come as text.
    pub line: Option<usize>,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for DocumentProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}, {}: {}", self.path, self.message),
            None => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

/// The line, from 1, of a place of a document, spelt as [`DocumentProblem::path`] is; `None` where the text, JSON or
/// YAML, has no such place.
pub fn line_in(text: &str, path: &str) -> Option<usize> {
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => line_of(text, path),
        Err(_) => super::yaml::parse(text).ok()?.lines.get(path).copied(),
    }
}

/// The line on which the value at `path` starts; `text` is valid JSON.
pub(crate) fn line_of(text: &str, path: &str) -> Option<usize> {
    let mut scanner = Scanner { text: text.as_bytes(), at: 0, wanted: path, found: None };
    scanner.value(&mut String::new());
    let offset = scanner.found?;
    Some(1 + text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count())
}

/// Walks JSON that is known to be valid, spelling the path of each value as [`DocumentProblem::path`] does.
struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    wanted: &'a str,
    found: Option<usize>,
}

impl Scanner<'_> {
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn value(&mut self, path: &mut String) {
        let first = self.peek();
        if path == self.wanted {
            self.found = Some(self.at);
        }
        match first {
            Some(b'{') => self.members(path, b'}', |scanner, path, _| {
                let key = scanner.string();
                scanner.peek();
                scanner.at += 1; // the colon
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&key);
            }),
            Some(b'[') => self.members(path, b']', |_, path, index| path.push_str(&format!("[{index}]"))),
            Some(b'"') => {
                self.string();
            }
            _ => {
                while self.text.get(self.at).is_some_and(|byte| !matches!(byte, b',' | b'}' | b']')) {
                    self.at += 1;
                }
            }
        }
    }

    fn members(&mut self, path: &mut String, close: u8, name: impl Fn(&mut Self, &mut String, usize)) {
        self.at += 1;
        let length = path.len();
        for index in 0.. {
            match self.peek() {
                None => return,
                Some(byte) if byte == close => {
                    self.at += 1;
                    return;
                }
                Some(b',') => self.at += 1,
                Some(_) => {}
            }
            if self.found.is_some() || self.peek().is_none() {
                return;
            }
            name(self, path, index);
            self.value(path);
            path.truncate(length);
        }
    }

    fn string(&mut self) -> String {
        let start = self.at;
        self.at += 1;
        while let Some(&byte) = self.text.get(self.at) {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        let end = self.at.min(self.text.len());
        let raw = String::from_utf8_lossy(self.text.get(start..end).unwrap_or_default());
        serde_json::from_str(&raw).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_on_its_line() {
        let text = "{\n  \"a\": [1,\n    {\"b\": \"x,]\"},\n    {\"b\":\n 2}]\n}";
        assert_eq!(line_of(text, "a"), Some(2));
        assert_eq!(line_of(text, "a[1].b"), Some(3));
        assert_eq!(line_of(text, "a[2].b"), Some(5));
        assert_eq!(line_of(text, "a[3]"), None);
        assert_eq!(line_of(text, "c"), None);
        assert_eq!(line_in(text, "a[1].b"), Some(3));
        assert_eq!(line_in("a:\n  - 1\n  - b: 2\n", "a[1].b"), Some(3));
        assert_eq!(line_in("a: [", "a"), None);
    }
}
