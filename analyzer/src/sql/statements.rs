//! Statements: queries, and those that write.
//!
//! Spark's DDL goes beyond what the parser knows (`USING x PARTITIONED BY`, `UPDATE SET *`), so the head of a statement
//! is read here, word by word, and only the query or condition inside it is given to the parser.

use super::{Source, dialect, expressions, query};
use crate::facts::{Dataset, Mode};
use crate::interpret::{Interpreter, Mention};
use crate::library;
use crate::plan::{NodeId, Placing, Sink};
use crate::value::{Text, Value};

pub(crate) fn run(interpreter: &mut Interpreter, source: &Source) -> Value {
    let words = words(&source.sql);
    let upper: Vec<String> = words.iter().map(|word| word.text.to_uppercase()).collect();
    let head: Vec<&str> = upper.iter().map(String::as_str).collect();
    match head.as_slice() {
        ["SELECT" | "WITH" | "(" | "FROM" | "VALUES", ..] => match select(interpreter, source) {
            Some(node) => Value::Frame(node),
            None => unparsed(interpreter, source),
        },
        ["INSERT", "INTO" | "OVERWRITE", ..] => insert(interpreter, source, &words, &head),
        ["CREATE", ..] => create(interpreter, source, &words, &head),
        ["MERGE", "INTO", ..] => merge(interpreter, source, &words, &head),
        ["DELETE", "FROM", _, ..] => change(interpreter, source, words.get(2), Mode::Delete),
        ["UPDATE", _, ..] if head.contains(&"SET") => change(interpreter, source, words.get(1), Mode::Update),
        ["SHOW" | "DESCRIBE" | "DESC" | "EXPLAIN", ..] => Value::unknown("a listing"),
        [first, ..] if is_statement(first) => {
            interpreter.plan.traits.clears |= matches!(*first, "DROP" | "DELETE" | "TRUNCATE" | "UPDATE" | "ALTER");
            Value::None
        }
        _ => unparsed(interpreter, source),
    }
}

fn is_statement(word: &str) -> bool {
    matches!(
        word,
        "ALTER"
            | "DROP"
            | "USE"
            | "SET"
            | "REFRESH"
            | "MSCK"
            | "ANALYZE"
            | "CACHE"
            | "UNCACHE"
            | "CALL"
            | "VACUUM"
            | "OPTIMIZE"
            | "TRUNCATE"
            | "DELETE"
            | "UPDATE"
            | "RESET"
            | "CLEAR"
    )
}

/// A query that is not understood may read anything.
fn unparsed(interpreter: &mut Interpreter, source: &Source) -> Value {
    let range = interpreter.here(source.range);
    Value::Frame(interpreter.plan.opaque(Vec::new(), "a query that is not understood", range))
}

pub(super) fn select(interpreter: &mut Interpreter, source: &Source) -> Option<NodeId> {
    let sql = source.sql.trim_end().trim_end_matches(';');
    let sql = without_versions(sql);
    let parsed = dialect::parser(&sql)?.parse_query().ok()?;
    Some(query::query(interpreter, source, &parsed))
}

/// The query without `[FOR] VERSION|TIMESTAMP AS OF …` behind its tables, each letter of it a blank: which version of a
/// table is read changes nothing of what this program says, and the parser does not know all ways of saying it.
fn without_versions(sql: &str) -> std::borrow::Cow<'_, str> {
    let words = words(sql);
    let is = |position: usize, wanted: &[&str]| {
        words.get(position).is_some_and(|word| wanted.iter().any(|wanted| word.text.eq_ignore_ascii_case(wanted)))
    };
    let mut blanks = Vec::new();
    for position in 1..words.len() {
        let versioned = is(position, &["VERSION", "SYSTEM_VERSION", "TIMESTAMP", "SYSTEM_TIME"])
            && is(position + 1, &["AS"])
            && is(position + 2, &["OF"])
            && !is(position - 1, &["SELECT", ",", "DISTINCT"]);
        if !versioned {
            continue;
        }
        let from = if is(position - 1, &["FOR"]) { position - 1 } else { position };
        // The version is a number, a text, a name or a call.
        let last = if is(position + 4, &["("]) { closing(&words, position + 4) } else { position + 3 };
        let end = words.get(last + 1).map_or(sql.len(), |next| next.start);
        blanks.extend(words.get(from).map(|word| word.start..end));
    }
    if blanks.is_empty() {
        return sql.into();
    }
    let blanked = sql.char_indices().map(|(position, letter)| {
        let inside = blanks.iter().any(|blank| blank.contains(&position));
        if inside && letter != '\n' { ' ' } else { letter }
    });
    blanked.collect::<String>().into()
}

/// `INSERT INTO|OVERWRITE [TABLE] name [PARTITION (…)] [(columns)] query`.
fn insert(interpreter: &mut Interpreter, source: &Source, words: &[Word], head: &[&str]) -> Value {
    let mut next = 2;
    if head.get(next) == Some(&"TABLE") {
        next += 1;
    }
    let overwrite = head.get(1) == Some(&"OVERWRITE");
    let Some(target) = words.get(next) else { return Value::None };
    let mut partition_keys: Vec<String> = Vec::new();
    let mut dynamic = Some(sets_dynamic_overwrite(interpreter));
    if head.get(next + 1) == Some(&"PARTITION") {
        let mut value = false;
        for word in bracketed(words, next + 2) {
            match word.text {
                "," => value = false,
                "=" => value = true,
                _ if value => {}
                key => partition_keys.push(key.replace('`', "")),
            }
        }
        let fixed = bracketed(words, next + 2).iter().filter(|word| word.text == "=").count();
        // What becomes of the partitions that the query does not yield depends on what made the table.
        dynamic = dynamic.filter(|dynamic| *dynamic).or((fixed == partition_keys.len()).then_some(true));
    }
    let Some(start) = query_start(words, next) else { return Value::None };
    let Some(input) = select(interpreter, &source.part(start, source.sql.len())) else {
        return unparsed(interpreter, source);
    };
    let mode = if overwrite { Mode::Overwrite } else { Mode::Append };
    let placing = match head.get(next + 1..next + 3) {
        Some(["BY", "NAME"]) => Placing::ByName,
        Some(["(", _]) if words.get(next + 1).is_some_and(|open| open.start < start) => Placing::AsListed,
        _ => Placing::ByPosition,
    };
    let dataset = target_dataset(source, target, None);
    write(interpreter, source, input, dataset, mode, (partition_keys, dynamic), placing);
    Value::None
}

/// `CREATE [OR REPLACE] TABLE|VIEW … AS query`.
fn create(interpreter: &mut Interpreter, source: &Source, words: &[Word], head: &[&str]) -> Value {
    let Some(kind) = head.iter().position(|word| matches!(*word, "TABLE" | "VIEW")) else { return Value::None };
    let replaces = head.iter().take(kind).any(|word| *word == "REPLACE");
    let mut next = kind + 1;
    let mut keeps = false;
    if head.get(next..next + 3) == Some(&["IF", "NOT", "EXISTS"]) {
        next += 3;
        keeps = true;
    }
    let Some(target) = words.get(next) else { return Value::None };
    let Some(query) = head.iter().enumerate().skip(next).find_map(|(position, word)| {
        (*word == "AS" && matches!(head.get(position + 1), Some(&("SELECT" | "WITH" | "(")))).then_some(position + 1)
    }) else {
        return Value::None;
    };
    let Some(start) = words.get(query).map(|word| word.start) else { return Value::None };
    let Some(input) = select(interpreter, &source.part(start, source.sql.len())) else {
        return unparsed(interpreter, source);
    };
    if head.get(kind) == Some(&"VIEW") {
        let name = source.restore(&target.text.replace('`', "")).to_lowercase();
        interpreter.views.insert(name, input);
        return Value::None;
    }
    let format = head
        .iter()
        .position(|word| *word == "USING")
        .and_then(|using| words.get(using + 1))
        .map(|word| word.text.to_lowercase());
    let partitioned = head.iter().take(query).position(|word| *word == "PARTITIONED");
    let partition_keys = partitioned
        .map(|partitioned| {
            let columns = bracketed(words, partitioned + 2);
            columns.into_iter().map(|word| word.text.replace('`', "")).filter(|word| word != ",").collect()
        })
        .unwrap_or_default();
    let mode = if replaces {
        Mode::Overwrite
    } else if keeps {
        Mode::Ignore
    } else {
        Mode::ErrorIfExists
    };
    let dataset = target_dataset(source, target, format);
    let partitions = (partition_keys, Some(sets_dynamic_overwrite(interpreter)));
    write(interpreter, source, input, dataset, mode, partitions, Placing::AsTheyAre);
    Value::None
}

/// `DELETE FROM table …` and `UPDATE table SET …`: the table's own rows are written back, changed.
fn change(interpreter: &mut Interpreter, source: &Source, target: Option<&Word>, mode: Mode) -> Value {
    interpreter.plan.traits.clears = true;
    let Some(target) = target else { return Value::None };
    let range = interpreter.here(source.range);
    let input = interpreter.plan.opaque(Vec::new(), "the rows that the table has", range);
    let dataset = target_dataset(source, target, None);
    write(interpreter, source, input, dataset, mode, (Vec::new(), None), Placing::AsListed);
    Value::None
}

/// `MERGE INTO target [AS] t USING source [AS] s ON condition WHEN …`.
fn merge(interpreter: &mut Interpreter, source: &Source, words: &[Word], head: &[&str]) -> Value {
    let Some(target) = words.get(2) else { return Value::None };
    let Some(using) = head.iter().position(|word| *word == "USING") else { return Value::None };
    let alias_at = |from: usize, to: usize| {
        words
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .rev()
            .find(|word| !word.text.eq_ignore_ascii_case("as"))
            .map(|word| word.text.to_owned())
    };
    let target_alias = alias_at(3, using);
    // The source is a name, or a query in brackets.
    let (input, after) = match words.get(using + 1) {
        Some(open) if open.text == "(" => {
            let close = closing(words, using + 1);
            let Some(end) = words.get(close).map(|word| word.start) else { return Value::None };
            (select(interpreter, &source.part(open.start + 1, end)), close + 1)
        }
        Some(name) => (Some(query::table(interpreter, source, &source.text(name.text), source.range)), using + 2),
        None => return Value::None,
    };
    let Some(mut input) = input else { return unparsed(interpreter, source) };
    let Some(on) = head.iter().enumerate().skip(after).find(|(_, word)| **word == "ON").map(|(position, _)| position)
    else {
        return Value::None;
    };
    let range = interpreter.here(source.range);
    if let Some(alias) = alias_at(after, on) {
        input = interpreter.plan.alias(input, &alias, range);
    }
    let end = head
        .iter()
        .enumerate()
        .skip(on)
        .find(|(_, word)| **word == "WHEN")
        .and_then(|(position, _)| words.get(position));
    let (Some(start), end) =
        (words.get(on + 1).map(|word| word.start), end.map_or(source.sql.len(), |word| word.start))
    else {
        return Value::None;
    };
    let part = source.part(start, end);
    let condition = dialect::parser(&part.sql).and_then(|mut parser| parser.parse_expr().ok()).map(|parsed| {
        expressions::Lowering { source: &part, interpreter, ctes: &query::Ctes::default(), depth: 0 }.expr(&parsed, 0)
    });
    let dataset = target_dataset(source, target, None);
    interpreter.mention(source.range, Mention::Target(interpreter.plan.sinks.len()));
    let merge_keys =
        condition.as_ref().map(|condition| library::merge_keys(condition, target_alias.as_deref())).unwrap_or_default();
    let sink = Sink {
        input,
        dataset,
        mode: Mode::Merge,
        partition_keys: Vec::new(),
        merge_keys,
        dynamic_overwrite: None,
        registers_partitions: None,
        placing: Placing::AsListed,
        condition: None,
        range,
    };
    library::add_sink(interpreter, sink);
    Value::None
}

/// Whether the session has overwrites keep the partitions that they do not write.
fn sets_dynamic_overwrite(interpreter: &Interpreter) -> bool {
    let setting = interpreter.settings.get("spark.sql.sources.partitionOverwriteMode");
    let mode = setting.map(|value| interpreter.to_text(value).render());
    mode.is_some_and(|mode| mode.eq_ignore_ascii_case("dynamic"))
}

fn write(
    interpreter: &mut Interpreter,
    source: &Source,
    input: NodeId,
    dataset: Dataset,
    mode: Mode,
    (partition_keys, dynamic_overwrite): (Vec<String>, Option<bool>),
    placing: Placing,
) {
    let registers_partitions = (!partition_keys.is_empty()).then_some(true);
    let range = interpreter.here(source.range);
    let sink = Sink {
        input,
        dataset,
        mode,
        partition_keys,
        merge_keys: Vec::new(),
        dynamic_overwrite,
        registers_partitions,
        placing,
        condition: None,
        range,
    };
    library::add_sink(interpreter, sink);
}

fn target_dataset(source: &Source, target: &Word, format: Option<String>) -> Dataset {
    let text: Text = source.text(&target.text.replace('`', ""));
    Dataset { format, ..library::named_table(&text) }
}

/// A word of SQL: a name with its dots, a bracket, a comma, a literal.
#[derive(Debug)]
struct Word<'s> {
    text: &'s str,
    start: usize,
}

/// The words of a statement, comments left out.
fn words(sql: &str) -> Vec<Word<'_>> {
    let bytes = sql.as_bytes();
    let mut words = Vec::new();
    let mut position = 0;
    let is_name = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'`' | b'$' | b'-' | b'/' | b':') || byte >= 0x80
    };
    while let Some(byte) = bytes.get(position).copied() {
        let rest = sql.get(position..).unwrap_or("");
        let length = match byte {
            b'-' if rest.starts_with("--") => {
                position += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            b'/' if rest.starts_with("/*") => {
                position += rest.find("*/").map_or(rest.len(), |end| end + 2);
                continue;
            }
            byte if byte.is_ascii_whitespace() => {
                position += 1;
                continue;
            }
            b'\'' | b'"' => quoted_length(rest, byte),
            b'`' | b'_' => name_length(rest, &is_name),
            byte if is_name(byte) => name_length(rest, &is_name),
            _ => 1,
        };
        let end = (position + length.max(1)).min(sql.len());
        match sql.get(position..end) {
            Some(text) => words.push(Word { text, start: position }),
            None => break,
        }
        position = end;
    }
    words
}

/// The length of a text from its opening to its closing quote; a backslash takes the next letter for a letter.
fn quoted_length(rest: &str, quote: u8) -> usize {
    let mut escaped = false;
    for (position, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            byte if byte == quote => return position + 1,
            _ => {}
        }
    }
    rest.len()
}

fn name_length(rest: &str, is_name: &dyn Fn(u8) -> bool) -> usize {
    let mut quoted = false;
    for (position, byte) in rest.bytes().enumerate() {
        if byte == b'`' {
            quoted = !quoted;
        } else if !quoted && !is_name(byte) {
            return position;
        }
    }
    rest.len()
}

/// Where the query of an INSERT starts.
fn query_start(words: &[Word], from: usize) -> Option<usize> {
    words
        .iter()
        .skip(from)
        .find(|word| matches!(word.text.to_uppercase().as_str(), "SELECT" | "WITH" | "VALUES" | "FROM"))
        .map(|word| word.start)
}

/// The words inside the bracket that opens at a position.
fn bracketed<'w, 's>(words: &'w [Word<'s>], open: usize) -> Vec<&'w Word<'s>> {
    let close = closing(words, open);
    words.get(open + 1..close).unwrap_or_default().iter().collect()
}

/// The bracket that closes the one at a position.
fn closing(words: &[Word], open: usize) -> usize {
    let mut depth = 0usize;
    for (position, word) in words.iter().enumerate().skip(open) {
        match word.text {
            "(" => depth += 1,
            ")" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return position;
                }
            }
            _ => {}
        }
    }
    words.len()
}
