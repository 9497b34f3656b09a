//! The table of rule kinds and the reader agree: what one states, the other reads and writes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

use contract::compile::check;
use contract::document::Contract;
use contract::rule::kinds::{KINDS, Kind, MODIFIERS, Subject};
use contract::rule::{Rule, RuleKind};
use contract::schema::{Column, Provenance, TableSchema};
use contract::types::DataType;
use serde_json::{Value as Json, json};

fn example(kind: &Kind) -> Json {
    serde_json::from_str(kind.example).unwrap_or_else(|error| panic!("{}: {error}", kind.name))
}

/// A contract with one rule on the column `c`, or on the table.
fn document(rule: Json, subject: Subject) -> Json {
    match subject {
        Subject::Table => json!({"table_name": "t", "columns": {}, "table_level_checks": [rule]}),
        _ => json!({"table_name": "t", "columns": {"c": {"type": "x", "nullable": true, "rules": [rule]}}}),
    }
}

fn written(contract: &Contract) -> Json {
    let value = contract.to_value();
    let columns = &value["columns"]["c"]["rules"][0];
    if columns.is_null() { value["table_level_checks"][0].clone() } else { columns.clone() }
}

fn read(rule: Json, subject: Subject) -> (Contract, Vec<String>) {
    let (contract, problems) = Contract::from_value(document(rule, subject)).unwrap();
    (contract, problems.iter().map(ToString::to_string).collect())
}

#[test]
fn every_example_is_read_without_a_problem_and_written_as_it_was() {
    for kind in KINDS {
        let rule = example(kind);
        let (contract, problems) = read(rule.clone(), kind.subject);
        assert_eq!(problems, Vec::<String>::new(), "{}", kind.name);
        let first: &Rule = contract.rules().next().unwrap();
        assert_eq!((first.kind.name(), first.extra.len()), (kind.name, 0));
        assert_eq!(written(&contract), rule, "{}", kind.name);
        for key in rule.as_object().unwrap().keys().filter(|key| *key != "type") {
            assert!(kind.keys.iter().any(|known| known.name == key), "{} does not list {key}", kind.name);
        }
    }
}

#[test]
fn without_a_key_that_it_needs_a_rule_is_kept_and_told() {
    for kind in KINDS {
        for key in kind.keys.iter().filter(|key| key.required) {
            let mut rule = example(kind);
            rule.as_object_mut().unwrap().remove(key.name);
            let (contract, problems) = read(rule.clone(), kind.subject);
            assert_eq!(problems.len(), 1, "{} without {}", kind.name, key.name);
            assert!(problems[0].contains(key.name) || key.name == "ref_table", "{problems:?}");
            assert!(matches!(contract.rules().next().unwrap().kind, RuleKind::Unknown { .. }));
            assert_eq!(written(&contract), rule, "what is not understood is kept");
        }
    }
}

#[test]
fn other_names_of_a_kind_are_read_and_its_own_is_written() {
    let mut aliases = 0;
    for kind in KINDS {
        for alias in kind.aliases {
            let mut rule = example(kind);
            rule["type"] = json!(alias);
            let by_function = kind.name == "aggregate";
            rule["quantile"] = if by_function { json!(0.5) } else { Json::Null };
            let (contract, problems) = read(rule, kind.subject);
            assert_eq!((problems, written(&contract)["type"].as_str()), (vec![], Some(kind.name)), "{alias}");
            aliases += 1;
        }
    }
    assert!(aliases > 10);
}

#[test]
fn a_misspelt_key_is_told_with_the_nearest_one_and_kept() {
    for (key, near) in [("treshold", "threshold"), ("severty", "severity"), ("on_nul", "on_null"), ("vaules", "values")]
    {
        let mut rule = json!({"type": "allowed_values", "values": ["a"]});
        rule[key] = json!("x");
        let (contract, problems) = read(rule, Subject::Value);
        assert_eq!(
            problems,
            [format!("columns.c.rules[0].{key}: a rule of type allowed_values has no `{key}`; did you mean `{near}`?")]
        );
        assert_eq!(written(&contract)[key], "x");
    }
    let (_, problems) = read(json!({"type": "not_null", "ticket": 7, "team": "x"}), Subject::Value);
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn every_modifier_is_read_and_written() {
    let rule = json!({
        "type": "min", "value": 1, "id": "mine", "severity": "warn", "mode": "observe", "threshold": {"share": 0.01},
        "scope": {"last_partitions": 3}, "where": "c > 1", "owner": "data-eng", "mute_until": "2026-12-31",
        "on_null": "pass", "on_nan": "violate", "stage": "both", "source": "profile", "evidence": "e", "description": "d"
    });
    let (contract, problems) = read(rule.clone(), Subject::Value);
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(written(&contract), rule);
    for key in MODIFIERS.iter().filter(|key| key.name != "column") {
        assert!(!rule[key.name].is_null(), "the test lacks {}", key.name);
    }
    let first = contract.rules().next().unwrap();
    assert!(first.is_muted("2026-12-31") && !first.is_muted("2027-01-01"));
}

#[test]
fn a_modifier_that_a_kind_has_no_use_for_is_told_and_kept() {
    let stated = json!({
        "on_null": "pass", "on_nan": "violate", "threshold": {"count": 3}, "where": "c > 1", "scope": "loaded_partitions"
    });
    for kind in KINDS {
        for modifier in ["on_null", "on_nan", "threshold", "where", "scope"] {
            let mut rule = example(kind);
            rule[modifier] = stated[modifier].clone();
            let (contract, problems) = read(rule, kind.subject);
            let told = problems.iter().any(|problem| problem.contains(&format!("`{modifier}` changes nothing")));
            assert_eq!(told, kind.ignores.contains(&modifier), "{} and {modifier}: {problems:?}", kind.name);
            assert_eq!(written(&contract)[modifier], stated[modifier], "{}", kind.name);
        }
    }
}

#[test]
fn every_example_compiles_on_a_table_that_has_its_columns() {
    let types = [
        ("amount", DataType::Double),
        ("principal", DataType::Double),
        ("paid", DataType::Double),
        ("text", DataType::String),
        ("status", DataType::String),
        ("country", DataType::String),
        ("loan_id", DataType::String),
        ("payment_date", DataType::Date),
        ("closed_on", DataType::Date),
        ("created_at", DataType::Timestamp),
    ];
    let column = |(name, data_type): (&str, DataType)| Column {
        name: name.to_owned(),
        data_type,
        nullable: None,
        comment: None,
        partition_key: false,
    };
    let schema = TableSchema { columns: types.into_iter().map(column).collect(), provenance: Provenance::Catalog };
    for kind in KINDS {
        // The column on which the example makes sense.
        let on = match kind.name {
            "min" | "range" | "range_soft" | "compare_columns" | "aggregate" => "amount",
            "max" | "not_in_future" | "older_than_column" => "payment_date",
            _ => "text",
        };
        let mut rule = example(kind);
        if rule["column"].is_null() {
            rule["column"] = json!(on);
        }
        let (contract, _) = Contract::from_value(json!({"table_name": "t", "table_level_checks": [rule]})).unwrap();
        if let Err(error) = check(contract.rules().next().unwrap(), &schema) {
            panic!("{}: {error}", kind.name);
        }
    }
}
