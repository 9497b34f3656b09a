//! The schema of a rule, out of the table of kinds.

use serde_json::{Map, Value as Json, json};

use crate::rule::kinds::{Form, KINDS, Key, Kind, MODIFIERS};

/// The definitions that `#/$defs/rule` needs: one of the kinds with its keys, and the keys that every rule may have;
/// other keys are allowed.
pub(super) fn definitions() -> Json {
    json!({
        "rule": {
            "allOf": [{ "$ref": "#/$defs/modifiers" }],
            "oneOf": KINDS.iter().map(of_kind).collect::<Vec<_>>()
        },
        "modifiers": { "type": "object", "properties": properties(MODIFIERS) }
    })
}

fn of_kind(kind: &Kind) -> Json {
    let mut properties = properties(kind.keys);
    properties.insert("type".to_owned(), json!({ "const": kind.name }));
    let required = kind.keys.iter().filter(|key| key.required).map(|key| key.name);
    let required: Vec<&str> = std::iter::once("type").chain(required).collect();
    json!({
        "title": kind.name,
        "description": kind.holds,
        "type": "object",
        "properties": properties,
        "required": required,
        "examples": [serde_json::from_str(kind.example).unwrap_or(Json::Null)]
    })
}

fn properties(keys: &[Key]) -> Map<String, Json> {
    keys.iter().map(|key| (key.name.to_owned(), of_key(key))).collect()
}

fn of_key(key: &Key) -> Json {
    let about = key.about;
    match key.form {
        Form::Share => json!({ "type": "number", "minimum": 0, "maximum": 1, "description": about }),
        Form::Number => json!({ "type": "number", "description": about }),
        Form::Count => json!({ "type": "integer", "minimum": 0, "description": about }),
        Form::Text | Form::Column | Form::Predicate | Form::Query => json!({ "type": "string", "description": about }),
        Form::Flag => json!({ "type": "boolean", "description": about }),
        Form::Bound => json!({ "type": ["number", "string"], "description": about }),
        Form::Texts | Form::Columns => json!({ "type": "array", "items": { "type": "string" }, "description": about }),
        Form::Values => json!({
            "type": "array",
            "minItems": 1,
            "items": { "type": ["string", "number", "boolean", "null"] },
            "description": about
        }),
        Form::Word(words) => json!({ "enum": words, "description": about }),
        Form::Threshold => json!({
            "description": about,
            "anyOf": [
                { "type": "object", "properties": { "count": { "type": "integer", "minimum": 0 } }, "required": ["count"] },
                { "type": "object", "properties": { "share": { "type": "number", "minimum": 0, "maximum": 1 } }, "required": ["share"] }
            ]
        }),
        Form::Scope => json!({
            "description": about,
            "anyOf": [
                { "enum": ["full", "loaded_partitions"] },
                {
                    "type": "object",
                    "properties": { "last_partitions": { "type": "integer", "minimum": 1 } },
                    "required": ["last_partitions"]
                }
            ]
        }),
        Form::Day => json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "description": about }),
        Form::Calendar => calendar(about),
        Form::AsOf => {
            let object = |names: &[&str]| {
                let properties: Map<String, Json> =
                    names.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect();
                json!({ "type": "object", "properties": properties, "required": names, "additionalProperties": false })
            };
            json!({
                "description": about,
                "oneOf": [object(&["snapshot"]), object(&["column", "snapshot"]), object(&["column", "valid_from", "valid_to"])]
            })
        }
    }
}

/// The days on which data is expected.
pub(super) fn calendar(about: &str) -> Json {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    json!({
        "description": about,
        "anyOf": [
            { "enum": ["every_day", "weekdays"] },
            {
                "type": "object",
                "properties": {
                    "days": { "type": "array", "items": { "enum": days } },
                    "holidays": { "type": "array", "items": { "type": "string" } }
                }
            }
        ]
    })
}
