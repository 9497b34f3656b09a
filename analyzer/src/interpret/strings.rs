//! Methods of strings, on what is known of them.

use super::eval::is_run_date;
use super::{Args, Interpreter, MAX_TEXT};
use crate::value::{Hole, Segment, Text, Value};

impl Interpreter<'_> {
    pub(super) fn text_method(&mut self, text: &Text, name: &str, args: &Args) -> Value {
        match self.text_result(text, name, args) {
            Value::Text(result) => self.bounded(result),
            other => other,
        }
    }

    fn text_result(&mut self, text: &Text, name: &str, args: &Args) -> Value {
        let unknown = || Value::Text(Text::hole(text.only_hole().cloned().unwrap_or(Hole::Unknown)));
        let first = args.positional.first().map(|(value, _)| value);
        if is_run_date(text) {
            return match name {
                "timestamp" | "total_seconds" | "weekday" | "isoweekday" => Value::unknown("a date of the run"),
                "split" | "isocalendar" => self.heap.list(vec![Value::Text(text.as_text())], false),
                "strftime" | "isoformat" | "ctime" => Value::Text(text.as_text()),
                "date" if text.moment().is_some() => Value::Text(Text::hole(Hole::Moment { timestamp: false })),
                _ => Value::Text(text.clone()),
            };
        }
        match name {
            "lower" | "casefold" => Value::Text(text.map_literals(str::to_lowercase)),
            "upper" => Value::Text(text.map_literals(str::to_uppercase)),
            "title" | "capitalize" => match text.exact() {
                Some(exact) => Value::text(capitalized(exact, name == "title")),
                None => unknown(),
            },
            "strip" | "lstrip" | "rstrip" => {
                let chars = match first {
                    None => Some(None),
                    Some(value) => value.exact_text().map(|chars| Some(chars.chars().collect::<Vec<char>>())),
                };
                match chars {
                    Some(chars) => Value::Text(strip(text, chars.as_deref(), name != "rstrip", name != "lstrip")),
                    None => unknown(),
                }
            }
            "removeprefix" | "removesuffix" => match (text.exact(), first.and_then(Value::exact_text)) {
                (Some(exact), Some(part)) if name == "removeprefix" => {
                    Value::text(exact.strip_prefix(part).unwrap_or(exact))
                }
                (Some(exact), Some(part)) => Value::text(exact.strip_suffix(part).unwrap_or(exact)),
                _ => Value::Text(text.clone()),
            },
            "replace" => {
                let to = args.positional.get(1).map(|(value, _)| self.to_text(value));
                match (first.and_then(Value::exact_text), to) {
                    (Some(from), Some(to)) if !from.is_empty() => {
                        let mut result = Text::default();
                        let parts = text.split(from, usize::MAX);
                        if to.length().saturating_mul(parts.len()) > MAX_TEXT {
                            return unknown();
                        }
                        for (position, part) in parts.iter().enumerate() {
                            if position > 0 {
                                result.push(&to);
                            }
                            result.push(part);
                        }
                        Value::Text(result)
                    }
                    _ => unknown(),
                }
            }
            "split" | "rsplit" => {
                let limit = match args.get(1, "maxsplit") {
                    Some(Value::Int(limit)) => usize::try_from(*limit).unwrap_or(usize::MAX),
                    _ => usize::MAX,
                };
                match (first, first.and_then(Value::exact_text)) {
                    (Some(_), Some(separator)) => {
                        let parts = if name == "rsplit" && limit != usize::MAX {
                            rsplit(text, separator, limit)
                        } else {
                            text.split(separator, limit)
                        };
                        // A hole may hold the separator itself, except where nothing but one argument is there.
                        let exact = text.exact().is_some() || parts.len() > 1;
                        self.heap.list(parts.into_iter().map(Value::Text).collect(), exact)
                    }
                    (None, _) => match text.exact() {
                        Some(exact) => {
                            let words = exact.split_whitespace().map(Value::text).collect();
                            self.heap.list(words, true)
                        }
                        None => self.heap.list(vec![Value::Text(text.clone())], false),
                    },
                    _ => self.heap.list(vec![unknown()], false),
                }
            }
            "splitlines" => match text.exact() {
                Some(exact) => {
                    let lines = exact.lines().map(Value::text).collect();
                    self.heap.list(lines, true)
                }
                None => self.heap.list(vec![unknown()], false),
            },
            "join" => match first {
                Some(collection) => {
                    let (items, exact) = self.iterate(collection);
                    if !exact {
                        return Value::Text(Text::hole(self.hole_of(collection).unwrap_or(Hole::Unknown)));
                    }
                    let mut joined = Text::default();
                    let mut length = text.length().saturating_mul(items.len());
                    for (position, item) in items.iter().enumerate() {
                        let item = self.to_text(item);
                        length = length.saturating_add(item.length());
                        if length > MAX_TEXT {
                            return unknown();
                        }
                        if position > 0 {
                            joined.push(text);
                        }
                        joined.push(&item);
                    }
                    Value::Text(joined)
                }
                None => unknown(),
            },
            "format" | "format_map" => self.format(text, args),
            "startswith" | "endswith" => self.affix(text, name == "startswith", first),
            "zfill" => match (text.exact(), first) {
                (Some(exact), Some(Value::Int(width))) => {
                    let width = usize::try_from(*width).unwrap_or(0).min(64);
                    Value::text(format!("{exact:0>width$}"))
                }
                _ => unknown(),
            },
            "isdigit" | "isnumeric" => match text.exact() {
                Some(exact) => Value::Bool(!exact.is_empty() && exact.chars().all(|c| c.is_ascii_digit())),
                None => Value::unknown("a condition"),
            },
            "encode" | "decode" | "expanduser" | "as_posix" => Value::Text(text.clone()),
            "count" | "find" | "index" => Value::unknown("a position"),
            _ => unknown(),
        }
    }

    fn affix(&self, text: &Text, start: bool, wanted: Option<&Value>) -> Value {
        let unknown = Value::unknown("a condition");
        let wanted: Vec<String> = match wanted {
            Some(value) => match self.heap.items(value) {
                Some((items, true)) => items.iter().filter_map(Value::exact_text).map(str::to_owned).collect(),
                _ => value.exact_text().map(str::to_owned).into_iter().collect(),
            },
            None => Vec::new(),
        };
        if wanted.is_empty() {
            return unknown;
        }
        let edge = if start { text.segments.first() } else { text.segments.last() };
        match edge {
            Some(Segment::Literal { text: literal, .. }) => {
                let holds =
                    wanted.iter().any(|part| if start { literal.starts_with(part) } else { literal.ends_with(part) });
                let long_enough = wanted.iter().all(|part| part.len() <= literal.len());
                if holds || long_enough || text.exact().is_some() { Value::Bool(holds) } else { unknown }
            }
            None => Value::Bool(false),
            Some(Segment::Hole(_)) => unknown,
        }
    }

    /// `template % values`.
    pub(super) fn percent(&mut self, template: &Text, values: &Value) -> Value {
        let mut arguments = match values {
            Value::Tuple(items) => items.to_vec(),
            other => vec![other.clone()],
        }
        .into_iter();
        let mut result = Text::default();
        let mut length = 0usize;
        for segment in &template.segments {
            let Segment::Literal { text, .. } = segment else {
                result.segments.push(segment.clone());
                continue;
            };
            let mut parts = text.split('%');
            result.push(&Text::literal(parts.next().unwrap_or("").to_owned(), None));
            while let Some(part) = parts.next() {
                if part.is_empty() {
                    // `%%` is one percent sign.
                    result.push(&Text::literal(format!("%{}", parts.next().unwrap_or("")), None));
                    continue;
                }
                let (name, part) = match part.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
                    Some((name, rest)) => (Some(name), rest),
                    None => (None, part),
                };
                let value = match name {
                    Some(name) => self.heap.entry(values, name),
                    None => arguments.next(),
                };
                let piece = value.map_or(Text::hole(Hole::Unknown), |value| self.to_text(&value));
                length = length.saturating_add(piece.length());
                if length > MAX_TEXT {
                    return self.unknown_text();
                }
                result.push(&piece);
                let behind = part.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
                let behind = behind.get(1..).unwrap_or("");
                result.push(&Text::literal(behind.to_owned(), None));
            }
        }
        Value::Text(result)
    }

    /// `template.format(…)`.
    fn format(&mut self, template: &Text, args: &Args) -> Value {
        let mut result = Text::default();
        let (mut next, mut length) = (0usize, 0usize);
        for segment in &template.segments {
            let Segment::Literal { text, .. } = segment else {
                result.segments.push(segment.clone());
                continue;
            };
            let mut rest = text.as_str();
            while let Some(open) = rest.find(['{', '}']) {
                result.push(&Text::literal(rest.get(..open).unwrap_or("").to_owned(), None));
                let tail = rest.get(open..).unwrap_or("");
                if tail.starts_with("{{") || tail.starts_with("}}") {
                    result.push(&Text::literal(tail.get(..1).unwrap_or("").to_owned(), None));
                    rest = tail.get(2..).unwrap_or("");
                    continue;
                }
                let Some(close) = tail.find('}') else { break };
                let field = tail.get(1..close).unwrap_or("");
                let name = field.split([':', '!']).next().unwrap_or("");
                let value = if name.is_empty() {
                    next += 1;
                    args.positional.get(next - 1).map(|(value, _)| value.clone())
                } else if let Ok(position) = name.parse::<usize>() {
                    args.positional.get(position).map(|(value, _)| value.clone())
                } else {
                    self.format_field(name, args)
                };
                let piece = value.map_or(Text::hole(Hole::Unknown), |value| self.to_text(&value));
                length = length.saturating_add(piece.length());
                if length > MAX_TEXT {
                    return self.unknown_text();
                }
                result.push(&piece);
                rest = tail.get(close + 1..).unwrap_or("");
            }
            result.push(&Text::literal(rest.to_owned(), None));
        }
        Value::Text(result)
    }

    /// `{name}`, `{name.attribute}` or `{name[key]}`.
    fn format_field(&mut self, field: &str, args: &Args) -> Option<Value> {
        let root = field.split(['.', '[']).next().unwrap_or(field);
        let value = match root.parse::<usize>() {
            Ok(position) => args.positional.get(position).map(|(value, _)| value.clone())?,
            Err(_) => args.named(root).cloned()?,
        };
        let path = field.get(root.len()..).unwrap_or("");
        match path.strip_prefix('[').and_then(|path| path.strip_suffix(']')) {
            Some(key) => Some(self.item(&value, &Value::text(key), args.range, args.range)),
            None => match path.strip_prefix('.') {
                Some(name) => Some(self.attribute(&value, name, args.range)),
                None => Some(value),
            },
        }
    }
}

fn capitalized(text: &str, every_word: bool) -> String {
    let mut start = true;
    text.chars()
        .map(|c| {
            let changed = if start { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
            start = every_word && !c.is_alphabetic();
            changed
        })
        .collect()
}

fn strip(text: &Text, chars: Option<&[char]>, left: bool, right: bool) -> Text {
    let stripped = |c: char| chars.map_or(c.is_whitespace(), |chars| chars.contains(&c));
    let mut result = text.clone();
    if left && let Some(Segment::Literal { text, at }) = result.segments.first_mut() {
        let kept = text.trim_start_matches(stripped);
        *at = at.and_then(|at| u32::try_from(text.len() - kept.len()).ok().map(|cut| at + cut));
        *text = kept.to_owned();
    }
    if right && let Some(Segment::Literal { text, .. }) = result.segments.last_mut() {
        *text = text.trim_end_matches(stripped).to_owned();
    }
    result
}

fn rsplit(text: &Text, separator: &str, limit: usize) -> Vec<Text> {
    let mut parts = text.split(separator, usize::MAX);
    let joint = Text::literal(separator.to_owned(), None);
    while parts.len() > limit + 1 {
        let second = parts.remove(1);
        if let Some(first) = parts.first_mut() {
            first.push(&joint);
            first.push(&second);
        }
    }
    parts
}
