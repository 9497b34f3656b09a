//! JSON Schemas of the documents, for editors, reviewers and language models: what is written, and what is read without
//! a remark. They are generated into `schemas/`.

mod rule;

use schemars::schema_for;
use serde_json::{Value as Json, json};

use super::{Context, Profile, VERSION};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Every schema with the name of its file.
pub fn schemas() -> Vec<(&'static str, Json)> {
    vec![
        ("contract.schema.json", contract()),
        ("tests.schema.json", tests()),
        ("answer.schema.json", answer()),
        ("context.schema.json", schema_for!(Context).to_value()),
        ("profile.schema.json", schema_for!(Profile).to_value()),
    ]
}

/// `contracts/<table>.json`, and a generator's `data_quality`.
fn contract() -> Json {
    let mut schema = contract_object();
    frame(&mut schema, "Contract", "What must be true of a table.");
    schema["$defs"] = rule::definitions();
    schema
}

/// `tests/<table>.json`.
fn tests() -> Json {
    let mut schema = json!({
        "type": "object",
        "properties": {
            "version": version(),
            "table_name": text("The table."),
            "contract_hash": text("Hash of the contract that the tests were compiled from."),
            "tests": { "type": "array", "items": test(), "description": "The tests." }
        },
        "required": ["tests"]
    });
    frame(&mut schema, "Tests", "All tests of a table, compiled from one state of its contract.");
    schema
}

/// A generator's whole answer: contract, tests and documentation.
fn answer() -> Json {
    let mut schema = json!({
        "type": "object",
        "properties": {
            "data_quality": contract_object(),
            "tests": { "type": "array", "items": test() },
            "docs_markdown": text("Documentation of the table, Markdown.")
        },
        "required": ["data_quality", "tests", "docs_markdown"],
        "$defs": rule::definitions()
    });
    frame(&mut schema, "Answer", "What a generator answers: the contract, the tests and the documentation of a table.");
    schema
}

fn contract_object() -> Json {
    let rules = |about: &str| json!({ "type": "array", "items": { "$ref": "#/$defs/rule" }, "description": about });
    json!({
        "type": "object",
        "properties": {
            "version": version(),
            "table_name": text("The table."),
            "database": text("Its database."),
            "owner": text("Who answers for the table."),
            "description": text("What the table is, in a sentence."),
            "primary_key": texts("Key columns; empty where there is no key."),
            "freshness": {
                "type": "object",
                "description": "How often data arrives, and by when.",
                "properties": {
                    "frequency": {
                        "enum": ["hourly", "daily", "weekly", "monthly"],
                        "description": "How often data arrives."
                    },
                    "sla_hour_utc": {
                        "type": "integer", "minimum": 0, "maximum": 23,
                        "description": "Hour of the day, UTC, by which the data of the day before is there."
                    },
                    "column": text("The column that dates the rows; without it nothing is checked."),
                    "calendar": rule::calendar("The days on which data is expected.")
                }
            },
            "columns": {
                "type": "object",
                "description": "Columns in schema order.",
                "additionalProperties": {
                    "type": "object",
                    "properties": {
                        "type": text("Type, as Glue spells it."),
                        "nullable": { "type": "boolean", "description": "Whether NULL may occur." },
                        "description": text("What the column means."),
                        "rules": rules("What must hold for the column.")
                    },
                    "required": ["type"]
                }
            },
            "table_level_checks": rules("What must hold for the table.")
        },
        "required": ["table_name", "columns"]
    })
}

fn test() -> Json {
    json!({
        "type": "object",
        "properties": {
            "name": text("Name, unique within the tests."),
            "description": text("What it checks."),
            "sql": text("A read-only query in Athena's SQL."),
            "expects": {
                "enum": ["no_rows", "zero_count", "value"],
                "description": "What the query's result means: rows are violations, the number counts violations, or it is a value."
            },
            "min": { "type": "number", "description": "Lower bound of a value." },
            "max": { "type": "number", "description": "Upper bound of a value." },
            "rule": text("A predicate in rule text that must not be false for any row."),
            "stage": { "enum": ["pre_load", "post_load", "both"], "description": "When it runs." },
            "rule_id": text("The rule of the contract that it tests.")
        },
        "required": ["name"],
        "anyOf": [{ "required": ["sql"] }, { "required": ["rule"] }]
    })
}

fn frame(schema: &mut Json, title: &str, about: &str) {
    schema["$schema"] = json!(DRAFT);
    schema["title"] = json!(title);
    schema["description"] = json!(about);
}

fn version() -> Json {
    json!({ "type": "integer", "minimum": 0, "maximum": VERSION, "description": "Version of the document." })
}

fn text(about: &str) -> Json {
    json!({ "type": "string", "description": about })
}

fn texts(about: &str) -> Json {
    json!({ "type": "array", "items": { "type": "string" }, "description": about })
}
