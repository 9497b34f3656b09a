//! YAML as the JSON that the documents are read from, with the line of every value.
//!
//! Scalars follow YAML 1.2's core schema: `yes` and dates are texts, `0x10` is a number. Only what JSON can hold is read:
//! one document, keys that are scalars, no merge keys. Repeated keys are an error, because one of the two values would be
//! lost in silence.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};
use serde_json::{Map, Number, Value as Json};

use super::problem::DocumentError;

/// Values within values.
const MAX_DEPTH: usize = 64;
/// Values in all, those behind aliases counted each time: a few lines of aliases may stand for billions of values.
const MAX_VALUES: usize = 200_000;

/// A parsed document.
pub(crate) struct Document {
    /// Its value.
    pub(crate) value: Json,
    /// The line, from 1, of each value by its path, such as `columns.status.rules[0].values`.
    pub(crate) lines: HashMap<String, usize>,
}

/// Parses one document.
pub(crate) fn parse(text: &str) -> Result<Document, DocumentError> {
    let parser = Parser::new_from_str(text);
    let mut reader = Reader { parser, anchors: HashMap::new(), lines: HashMap::new(), values: 0 };
    let mut value = None;
    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => break,
            (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing, _) => {}
            (_, span) if value.is_some() => return Err(error(&span, "a second document stands in it; one is read")),
            (event, span) => value = Some(reader.value(event, &span, "", 0)?),
        }
    }
    Ok(Document { value: value.unwrap_or_default(), lines: reader.lines })
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// What anchors name, with how many values it holds.
    anchors: HashMap<usize, (Json, usize)>,
    lines: HashMap<String, usize>,
    values: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), DocumentError> {
        match self.parser.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(problem)) => Err(DocumentError::Syntax {
                format: "YAML",
                line: problem.marker().line(),
                column: problem.marker().col() + 1,
                message: problem.info().to_owned(),
            }),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// The value that an event begins.
    fn value(&mut self, event: Event<'a>, span: &Span, path: &str, depth: usize) -> Result<Json, DocumentError> {
        if depth > MAX_DEPTH {
            return Err(error(span, format!("values nest deeper than {MAX_DEPTH}")));
        }
        self.count(1, span)?;
        self.lines.insert(path.to_owned(), span.start.line());
        let before = self.values;
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                (anchor, if plain { scalar(&text) } else { Json::from(text.into_owned()) })
            }
            Event::SequenceStart(anchor, _) => (anchor, self.sequence(path, depth)?),
            Event::MappingStart(anchor, _) => (anchor, self.mapping(path, depth)?),
            Event::Alias(anchor) => {
                // An anchor within itself names nothing yet.
                let Some((value, size)) = self.anchors.get(&anchor).cloned() else {
                    return Err(error(span, "an alias names a value that holds it"));
                };
                self.count(size, span)?;
                return Ok(value);
            }
            _ => return Err(error(span, "expected a value")),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, (value.clone(), self.values - before + 1));
        }
        Ok(value)
    }

    fn sequence(&mut self, path: &str, depth: usize) -> Result<Json, DocumentError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Json::from(items)),
                (event, span) => {
                    items.push(self.value(event, &span, &format!("{path}[{}]", items.len()), depth + 1)?);
                }
            }
        }
    }

    fn mapping(&mut self, path: &str, depth: usize) -> Result<Json, DocumentError> {
        let mut members = Map::new();
        loop {
            let (name, span) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(Json::from(members)),
                (Event::Scalar(name, ..), span) => (name.into_owned(), span),
                (_, span) => return Err(error(&span, "a key is a text")),
            };
            if name == "<<" {
                return Err(error(&span, "merge keys (<<) are not read; write the values out"));
            }
            if members.contains_key(&name) {
                return Err(error(&span, format!("the key `{name}` stands here twice")));
            }
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let (event, span) = self.next()?;
            members.insert(name, self.value(event, &span, &path, depth + 1)?);
        }
    }

    fn count(&mut self, values: usize, span: &Span) -> Result<(), DocumentError> {
        self.values = self.values.saturating_add(values);
        if self.values <= MAX_VALUES {
            return Ok(());
        }
        Err(error(span, format!("it holds more than {MAX_VALUES} values")))
    }
}

/// A scalar without quotes, by the core schema (YAML 1.2.2, section 10.3.2). What JSON has no number for stays a text.
fn scalar(text: &str) -> Json {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Json::Null,
        "true" | "True" | "TRUE" => return Json::Bool(true),
        "false" | "False" | "FALSE" => return Json::Bool(false),
        _ => {}
    }
    let radix = |prefix: &str, radix: u32| {
        let digits = text.strip_prefix(prefix)?;
        let digits = digits.starts_with(|c: char| c.is_digit(radix)).then_some(digits)?;
        u64::from_str_radix(digits, radix).ok().map(Json::from)
    };
    if let Some(number) = radix("0x", 16).or_else(|| radix("0o", 8)) {
        return number;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let looks_like_one = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.contains(|c: char| c.is_ascii_digit())
        && unsigned.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    let number = match looks_like_one {
        true => text
            .parse::<i64>()
            .map(Json::from)
            .or_else(|_| text.parse::<u64>().map(Json::from))
            .ok()
            .or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64).map(Json::from)),
        false => None,
    };
    number.unwrap_or_else(|| Json::from(text))
}

fn error(span: &Span, message: impl Into<String>) -> DocumentError {
    DocumentError::Syntax {
        format: "YAML",
        line: span.start.line(),
        column: span.start.col() + 1,
        message: message.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(text: &str) -> String {
        parse(text).map(|document| document.value.to_string()).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn values_are_those_of_the_core_schema_and_know_their_lines() {
        let document =
            parse("a: 1\nb:\n  - yes\n  - '2'\n  - ~\n  - {c: 0x10, d: 1e2, e: 2026-01-01, f: .inf}\n").unwrap();
        let expected = json!({"a": 1, "b": ["yes", "2", null, {"c": 16, "d": 100.0, "e": "2026-01-01", "f": ".inf"}]});
        assert_eq!(document.value, expected);
        assert_eq!((document.lines["a"], document.lines["b[1]"], document.lines["b[3].c"]), (1, 4, 6));
    }

    #[test]
    fn what_would_be_lost_or_blow_up_is_refused_with_its_place() {
        assert_eq!(told("a: 1\na: 2\n"), "line 2, column 1: not valid YAML: the key `a` stands here twice");
        assert!(told("a: &x [*x]").contains("an alias names a value that holds it"));
        assert!(told("a: 1\n---\nb: 2\n").starts_with("line 3"));
        assert!(told("? [1, 2]\n: x\n").contains("a key is a text"));
        assert!(told("a: &x {b: 1}\nc:\n  <<: *x\n").contains("merge keys"));
        assert!(told("a: [1, 2\nb: 3").starts_with("line 2"));
        assert!(told(&"[".repeat(10_000)).starts_with("line 1"));
        assert!(told(&format!("{}1{}", "[".repeat(100), "]".repeat(100))).contains("nest deeper"));
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for n in 1..10 {
            let previous = vec![format!("*a{}", n - 1); 10].join(", ");
            bomb.push_str(&format!("a{n}: &a{n} [{previous}]\n"));
        }
        assert!(told(&bomb).contains("more than 200000 values"));
        assert_eq!(told("a: &x {b: 1}\nc: *x\n"), r#"{"a":{"b":1},"c":{"b":1}}"#);
        assert_eq!(told(""), "null");
    }
}
