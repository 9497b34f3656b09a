//! `cargo xtask conformance --list FILE`: the expressions of a list as SQL for every engine, or why one is refused.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use contract::compile::translate::{is_query, translate};
use contract::expr::parse::{Syntax, parse};
use contract::expr::print::{Dialect, to_sql};
use contract::schema::{Column, Provenance, TableSchema};
use contract::types::DataType;
use serde_json::{Map, Value, json};

use crate::output::{self, Format};

/// Larger lists are refused before they are parsed.
const MAX_LIST_BYTES: u64 = 64 * 1024 * 1024;

const ENGINES: [(&str, Dialect); 3] =
    [("trino", Dialect::Trino), ("spark", Dialect::Spark), ("datafusion", Dialect::DataFusion)];

/// An expression or a whole query, and the columns that it may name.
#[derive(Debug)]
struct Entry {
    id: String,
    expression: String,
    syntax: Syntax,
    columns: TableSchema,
}

/// Prints for each entry its SQL by engine, or why it is refused. True, because a refusal is an answer and no failure.
///
/// Errors name the file, and the entry that cannot be read.
pub(super) fn run(path: &Path, format: Format) -> Result<bool> {
    let entries = read(path).with_context(|| format!("the list {}", path.display()))?;
    let answers: Vec<(&str, Result<Vec<String>, String>)> =
        entries.iter().map(|entry| (entry.id.as_str(), answer(entry))).collect();
    match format {
        Format::Json => {
            let answers: Vec<Value> = answers.iter().map(|(id, answer)| as_json(id, answer)).collect();
            output::line(&format!("{:#}", Value::from(answers)));
        }
        Format::Text => {
            let refused: Vec<[String; 2]> = answers
                .iter()
                .filter_map(|(id, answer)| Some([(*id).to_owned(), answer.as_ref().err()?.clone()]))
                .collect();
            let (all, left) = (answers.len(), refused.len());
            if left > 0 {
                output::table(["refused", "why"], refused);
            }
            output::line(&format!("{} of {all} accepted", all - left));
        }
    }
    Ok(true)
}

/// The SQL of each engine in the order of [`ENGINES`], or the reason why not all of them have it.
fn answer(entry: &Entry) -> Result<Vec<String>, String> {
    let Entry { expression, syntax, columns, .. } = entry;
    if is_query(expression) {
        let translated = ENGINES.iter().map(|(_, dialect)| translate(expression, *syntax, columns, *dialect));
        return translated.collect::<Result<_, _>>().map_err(|refusal| refusal.to_string());
    }
    let expr = parse(expression, *syntax, columns).map_err(|error| error.to_string())?;
    let printed = ENGINES.iter().map(|(_, dialect)| to_sql(&expr, *dialect));
    printed.collect::<Result<_, _>>().map_err(|refusal| refusal.to_string())
}

/// How many of the published list are accepted, and which are refused and why: the key `list` of the report.
pub(super) fn summary() -> Result<Value> {
    let path = crate::repository::root().join("tests/conformance/expressions.json");
    let entries = read(&path).with_context(|| format!("the list {}", path.display()))?;
    let refused: Vec<Value> = entries
        .iter()
        .filter_map(|entry| Some(json!({"expression": entry.expression, "reason": answer(entry).err()?})))
        .collect();
    Ok(json!({"expressions": entries.len(), "accepted": entries.len() - refused.len(), "refused": refused}))
}

fn as_json(id: &str, answer: &Result<Vec<String>, String>) -> Value {
    match answer {
        Ok(texts) => {
            let named = ENGINES.iter().zip(texts).map(|((name, _), sql)| ((*name).to_owned(), json!(sql)));
            json!({"id": id, "accepted": true, "sql": named.collect::<Map<_, _>>()})
        }
        Err(reason) => json!({"id": id, "accepted": false, "reason": reason}),
    }
}

fn read(path: &Path) -> Result<Vec<Entry>> {
    let mut text = String::new();
    // One byte past the limit tells a list that is too large, however large it says it is.
    let read = File::open(path)?.take(MAX_LIST_BYTES + 1).read_to_string(&mut text)?;
    ensure!(read as u64 <= MAX_LIST_BYTES, "it has more than {MAX_LIST_BYTES} bytes; split it");
    entries(&text)
}

fn entries(text: &str) -> Result<Vec<Entry>> {
    let list: Value = serde_json::from_str(text).context("it is not JSON")?;
    let Value::Array(list) = list else { bail!("it is not a list of entries") };
    let mut ids = HashSet::new();
    let mut entries = Vec::with_capacity(list.len());
    for (place, value) in list.iter().enumerate() {
        // People find an entry by its id; where it has none, by its place, counted from 1.
        let named = value["id"].as_str().map_or_else(String::new, |id| format!(" ({id})"));
        let entry = entry(value).with_context(|| format!("entry {}{named}", place + 1))?;
        ensure!(ids.insert(entry.id.clone()), "entry {}{named}: another entry has this id", place + 1);
        entries.push(entry);
    }
    Ok(entries)
}

fn entry(value: &Value) -> Result<Entry> {
    let object = value.as_object().context("it is not an object")?;
    let text = |key: &str| match object.get(key) {
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(other) => Err(anyhow!("`{key}` is no text but {}", kind(other))),
        None => Err(anyhow!("`{key}` is missing")),
    };
    let syntax = match text("dialect")? {
        "spark" => Syntax::Spark,
        "trino" => Syntax::Trino,
        "unknown" => Syntax::Rule,
        other => bail!("`dialect` is `{other}`; write `spark`, `trino` or `unknown`"),
    };
    let columns = match object.get("columns") {
        Some(Value::Object(columns)) => columns.iter().map(|(name, ty)| column(name, ty)).collect::<Result<_>>()?,
        Some(other) => bail!("`columns` is no object but {}", kind(other)),
        None => bail!("`columns` is missing"),
    };
    Ok(Entry {
        id: text("id")?.to_owned(),
        expression: text("expression")?.to_owned(),
        syntax,
        columns: TableSchema { columns, provenance: Provenance::Catalog },
    })
}

fn column(name: &str, ty: &Value) -> Result<Column> {
    let ty = ty.as_str().with_context(|| format!("the type of column `{name}` is no text but {}", kind(ty)))?;
    let data_type = DataType::parse(ty).with_context(|| format!("column `{name}`"))?;
    Ok(Column { name: name.to_owned(), data_type, nullable: None, comment: None, partition_key: false })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(list: Value) -> Vec<Value> {
        let entries = entries(&list.to_string()).unwrap();
        entries.iter().map(|entry| as_json(&entry.id, &answer(entry))).collect()
    }

    fn error(text: &str) -> String {
        format!("{:#}", entries(text).unwrap_err())
    }

    #[test]
    fn an_accepted_entry_has_the_sql_of_each_engine_and_a_refused_one_the_reason() {
        let columns = json!({"n": "int", "name": "string"});
        let found = answers(json!([
            {"id": "a", "expression": "n >= 0", "dialect": "unknown", "columns": columns},
            {"id": "b", "expression": "SELECT * FROM t WHERE n < 0", "dialect": "trino", "columns": columns},
            {"id": "c", "expression": "initcap(name) = name", "dialect": "spark", "columns": columns},
            {"id": "d", "expression": "m >= 0", "dialect": "spark", "columns": columns},
            {"id": "e", "expression": "starts_with(name, 'A')", "dialect": "unknown", "columns": columns},
        ]));
        assert_eq!(found[0]["sql"]["trino"], "(\"n\" >= 0)");
        assert_eq!(found[0]["sql"]["spark"], "(`n` >= 0)");
        assert_eq!(found[0]["sql"]["datafusion"], "(\"n\" >= 0)");
        assert_eq!(found[1]["accepted"], true);
        assert!(found[1]["sql"]["spark"].as_str().unwrap().contains("`n` < 0"), "{}", found[1]);
        assert_eq!(found[4]["sql"]["trino"], "starts_with(\"name\", 'A')");
        // Spark 3.5 has no function of the other name.
        assert_eq!(found[4]["sql"]["spark"], "startswith(`name`, 'A')");
        for (refused, word) in [(&found[2], "initcap"), (&found[3], "`m`")] {
            assert_eq!(refused["accepted"], false);
            assert!(refused["reason"].as_str().unwrap().contains(word), "{refused}");
        }
    }

    #[test]
    fn what_spark_refuses_or_fails_on_is_spelled_otherwise() {
        let found = answers(json!([
            {"id": "a", "expression": "CASE WHEN NULL THEN 1 ELSE 2 END", "dialect": "unknown", "columns": {}},
            {"id": "b", "expression": "split_part('a', '@', 2)", "dialect": "unknown", "columns": {}},
        ]));
        assert_eq!(found[0]["sql"]["spark"], "(CASE WHEN cast(NULL AS boolean) THEN 1 ELSE 2 END)");
        // With ANSI mode on, `element_at` fails where there is no such part.
        let part = found[1]["sql"]["spark"].as_str().unwrap();
        assert!(part.starts_with("try_element_at(split('a', "), "{part}");
    }

    #[test]
    fn the_published_list_is_accepted_but_for_one_in_twenty() {
        let path = crate::repository::root().join("tests/conformance/expressions.json");
        let entries = read(&path).unwrap();
        let refused: Vec<String> =
            entries.iter().filter_map(|e| Some(format!("{}: {}", e.id, answer(e).err()?))).collect();
        assert!(entries.len() >= 300, "{} entries", entries.len());
        assert!(refused.len() * 20 <= entries.len(), "{} refused:\n{}", refused.len(), refused.join("\n"));
    }

    #[test]
    fn a_list_that_cannot_be_read_says_which_entry_and_why() {
        let good = r#"{"id": "a", "expression": "n > 0", "dialect": "spark", "columns": {"n": "int"}}"#;
        let cases = [
            ("not json", "it is not JSON"),
            ("{}", "it is not a list of entries"),
            ("[7]", "entry 1: it is not an object"),
            (r#"[{"id": "a", "dialect": "spark", "columns": {}}]"#, "entry 1 (a): `expression` is missing"),
            (r#"[{"id": 1, "expression": "1", "dialect": "spark", "columns": {}}]"#, "entry 1: `id` is no text"),
            (r#"[{"id": "a", "expression": "1", "dialect": "hive", "columns": {}}]"#, "`dialect` is `hive`"),
            (r#"[{"id": "a", "expression": "1", "dialect": "spark"}]"#, "entry 1 (a): `columns` is missing"),
            (
                r#"[{"id": "a", "expression": "1", "dialect": "spark", "columns": {"n": "number(1"}}]"#,
                "entry 1 (a): column `n`: `number(1` is no Glue type",
            ),
            (&format!("[{good}, {good}]"), "entry 2 (a): another entry has this id"),
        ];
        for (text, part) in cases {
            assert!(error(text).contains(part), "{text}: {}", error(text));
        }
        let missing = read(Path::new("no/such/list.json")).unwrap_err();
        assert!(missing.to_string().contains("No such file"), "{missing}");
    }
}
