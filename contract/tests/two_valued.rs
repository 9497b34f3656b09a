//! Rules of one row are true or false on every row, and NULL and NaN mean what the rule says.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

use std::collections::HashMap;

use contract::compile::{Check, check};
use contract::document::Contract;
use contract::expr::eval::eval;
use contract::expr::print::{Dialect, to_sql};
use contract::rule::kinds::{self, Subject};
use contract::schema::{Column, Provenance, TableSchema};
use contract::types::DataType;
use contract::value::Value;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

const COLUMNS: [(&str, DataType); 6] = [
    ("number", DataType::Double),
    ("other", DataType::Double),
    ("text", DataType::String),
    ("padded", DataType::Char(4)),
    ("day", DataType::Date),
    ("at", DataType::Timestamp),
];

/// Every kind of rule of one row, on a column whose values it judges.
fn rules() -> Vec<Json> {
    vec![
        json!({"type": "not_null", "column": "text"}),
        json!({"type": "not_empty", "column": "padded"}),
        json!({"type": "min", "column": "number", "value": 0}),
        json!({"type": "max", "column": "at", "value": "2026-01-01"}),
        json!({"type": "range", "column": "number", "min": -1, "max": 1.5}),
        json!({"type": "range_soft", "column": "day", "min": "1970-01-01"}),
        json!({"type": "allowed_values", "column": "padded", "values": ["a", "b"]}),
        json!({"type": "forbidden_values", "column": "number", "values": [0, 1]}),
        json!({"type": "regex", "column": "text", "pattern": "^[a-z]+$"}),
        json!({"type": "like", "column": "padded", "pattern": "a%"}),
        json!({"type": "length", "column": "text", "min": 1, "max": 3}),
        json!({"type": "date_format", "column": "text", "format": "dd-MM-yyyy HH:mm:ss"}),
        json!({"type": "not_in_future", "column": "at"}),
        json!({"type": "not_in_future", "column": "day"}),
        json!({"type": "older_than_column", "column": "day", "other": "at"}),
        json!({"type": "older_than_column", "column": "at", "other": "day", "min_days": 2}),
        json!({"type": "compare_columns", "column": "number", "operator": "<>", "other": "other"}),
        json!({"type": "check_constraint", "column": "number", "expression": "number > 0 OR text = 'a'"}),
    ]
}

fn compiled(rule: &Json) -> Result<Check, String> {
    let column = |(name, data_type): (&str, DataType)| Column {
        name: name.to_owned(),
        data_type,
        nullable: None,
        comment: None,
        partition_key: false,
    };
    let schema = TableSchema { columns: COLUMNS.into_iter().map(column).collect(), provenance: Provenance::Catalog };
    let document = json!({"table_name": "t", "table_level_checks": [rule]});
    let (contract, problems) = Contract::from_value(document).unwrap();
    assert_eq!(problems, []);
    check(contract.rules().next().unwrap(), &schema).map_err(|error| error.to_string())
}

fn violates(rule: &Json, row: &HashMap<String, Value>) -> Value {
    let Ok(Check::Row { violation, .. }) = compiled(rule) else { panic!("{rule} is no rule of one row") };
    eval(&violation.bind_now(0), row).unwrap()
}

fn cell(data_type: DataType) -> BoxedStrategy<Value> {
    let null = Just(Value::Null);
    match data_type {
        DataType::Double => {
            let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MAX, 1.0, 1.5];
            prop_oneof![null, proptest::sample::select(odd.to_vec()).prop_map(Value::Double)].boxed()
        }
        DataType::Date => prop_oneof![null, (-800_000..3_000_000).prop_map(Value::Date)].boxed(),
        DataType::Timestamp => {
            prop_oneof![null, (-1_000_000_000_000_000i64..9_000_000_000_000_000).prop_map(Value::Timestamp)].boxed()
        }
        _ => {
            let odd = ["", " ", "\t", "a", "a ", "A", "b\n", "31-02-2026 00:00:00", "28-02-2026 23:59:59", "😀"];
            let odd = proptest::sample::select(odd.to_vec()).prop_map(|text| Value::String(text.to_owned()));
            prop_oneof![null, odd, ".{0,6}".prop_map(Value::String)].boxed()
        }
    }
}

fn row() -> impl Strategy<Value = HashMap<String, Value>> {
    COLUMNS
        .into_iter()
        .map(|(name, data_type)| cell(data_type).prop_map(move |value| (name.to_owned(), value)))
        .collect::<Vec<_>>()
        .prop_map(|cells| cells.into_iter().collect())
}

proptest! {
    #[test]
    fn a_rule_of_one_row_is_true_or_false_on_every_row(
        row in row(),
        index in 0..rules().len(),
        on_null in proptest::sample::select(vec![Json::Null, json!("pass"), json!("violate")]),
        on_nan in proptest::sample::select(vec![Json::Null, json!("pass"), json!("violate")]),
    ) {
        let mut rule = rules()[index].clone();
        let ignores = kinds::find(rule["type"].as_str().unwrap_or_default()).map_or(&[][..], |kind| kind.ignores);
        let stated = |key: &str, verdict: Json| if ignores.contains(&key) { Json::Null } else { verdict };
        let (on_null, on_nan) = (stated("on_null", on_null), stated("on_nan", on_nan));
        rule["on_null"] = on_null.clone();
        rule["on_nan"] = on_nan.clone();
        let answer = violates(&rule, &row);
        prop_assert!(matches!(answer, Value::Boolean(_)), "{rule}: {answer:?}");
        let kind = rule["type"].as_str().unwrap_or_default();
        let judged = &row[rule["column"].as_str().unwrap_or_default()];
        let said = |verdict: &Json| verdict.as_str().map(|verdict| Value::Boolean(verdict == "violate"));
        if *judged == Value::Null && !matches!(kind, "not_null" | "check_constraint") && kind != "compare_columns" {
            prop_assert_eq!(&answer, &said(&on_null).unwrap_or(Value::Boolean(false)), "{}", rule);
        }
        if matches!(judged, Value::Double(number) if number.is_nan()) && kind != "check_constraint" {
            let default = Value::Boolean(kind != "forbidden_values");
            let expected = said(&on_nan).unwrap_or(default);
            // The other side of a comparison may be NULL, which `on_null` judges where NaN does not.
            if kind != "compare_columns" || expected == Value::Boolean(true) {
                prop_assert_eq!(&answer, &expected, "{}", rule);
            }
        }
    }
}

#[test]
fn every_kind_of_one_row_is_tried_and_has_sql_on_every_engine() {
    let tried = rules();
    for kind in kinds::KINDS.iter().filter(|kind| matches!(kind.subject, Subject::Value | Subject::Row)) {
        assert!(tried.iter().any(|rule| rule["type"] == kind.name), "{} is not tried", kind.name);
    }
    for rule in tried {
        let Ok(Check::Row { violation, .. }) = compiled(&rule) else { panic!("{rule}") };
        for dialect in [Dialect::Trino, Dialect::Spark, Dialect::DataFusion] {
            if let Err(error) = to_sql(&violation, dialect) {
                panic!("{rule} on {dialect:?}: {error}");
            }
        }
    }
}

#[test]
fn planted_violations_are_found_and_clean_rows_are_not() {
    let text = |text: &str| Value::String(text.to_owned());
    let day = |day: &str| {
        Value::Date((day.parse::<chrono::NaiveDate>().unwrap() - chrono::NaiveDate::default()).num_days() as i32)
    };
    let cases = [
        (json!({"type": "not_empty", "column": "text"}), text("a"), text("  ")),
        (json!({"type": "allowed_values", "column": "padded", "values": ["a"]}), text("a   "), text("A   ")),
        (json!({"type": "forbidden_values", "column": "text", "values": ["N/A"]}), text("n/a"), text("N/A")),
        (json!({"type": "like", "column": "padded", "pattern": "ab"}), text("ab  "), text("abc ")),
        (json!({"type": "like", "column": "text", "pattern": "5\\%"}), text("5%"), text("5x")),
        (json!({"type": "length", "column": "padded", "max": 2}), text("ab  "), text("abc ")),
        (json!({"type": "length", "column": "text", "value": 1}), text("😀"), text("")),
        (
            json!({"type": "date_format", "column": "text", "format": "yyyy-MM-dd"}),
            text("2024-02-29"),
            text("2026-02-29"),
        ),
        (json!({"type": "date_format", "column": "text", "format": "%d.%m.%Y"}), text("01.12.2026"), text("1.12.2026")),
        (
            json!({"type": "date_format", "column": "text", "format": "yyyyMMdd HH"}),
            text("20260101 23"),
            text("20260101 24"),
        ),
        (
            json!({"type": "date_format", "column": "text", "format": "yyyy-MM-dd"}),
            text("2026-01-01"),
            text("2026-01-01\n"),
        ),
        (json!({"type": "not_in_future", "column": "day"}), day("1970-01-01"), day("1970-01-02")),
        (json!({"type": "not_in_future", "column": "at"}), Value::Timestamp(0), Value::Timestamp(1)),
        (json!({"type": "min", "column": "number", "value": 0}), Value::Double(-0.0), Value::Double(f64::NEG_INFINITY)),
    ];
    for (rule, clean, planted) in cases {
        let column = rule["column"].as_str().unwrap().to_owned();
        let found = |value: Value| violates(&rule, &HashMap::from([(column.clone(), value)]));
        assert_eq!((found(clean), found(planted)), (Value::Boolean(false), Value::Boolean(true)), "{rule}");
    }
    let pair = |rule: Json, left: Value, right: Value| {
        let names = [rule["column"].as_str().unwrap().to_owned(), rule["other"].as_str().unwrap().to_owned()];
        violates(&rule, &names.into_iter().zip([left, right]).collect())
    };
    let older = json!({"type": "older_than_column", "column": "day", "other": "at"});
    assert_eq!(pair(older.clone(), Value::Date(1), Value::Timestamp(86_400_000_000)), Value::Boolean(false));
    assert_eq!(pair(older, Value::Date(1), Value::Timestamp(86_399_999_999)), Value::Boolean(true));
    let days = json!({"type": "older_than_column", "column": "day", "other": "at", "min_days": 3});
    assert_eq!(pair(days.clone(), Value::Date(0), Value::Timestamp(3 * 86_400_000_000)), Value::Boolean(false));
    assert_eq!(pair(days, Value::Date(0), Value::Timestamp(3 * 86_400_000_000 - 1)), Value::Boolean(true));
}
