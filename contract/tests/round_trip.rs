//! An expression that is printed and read again is the same one: exactly in rule text, and in what it means for every
//! row in the SQL of the engines, whose guards stay visible in the text.

use std::collections::HashMap;

use contract::expr::eval::eval;
use contract::expr::parse::{Syntax, parse};
use contract::expr::print::{Dialect, to_sql, to_text};
use contract::expr::{BinaryOp, Expr};
use contract::schema::{Column, Provenance, TableSchema};
use contract::types::DataType;
use contract::value::Value;
use proptest::prelude::*;

const COLUMNS: [(&str, DataType); 7] = [
    ("n", DataType::Int),
    ("big", DataType::BigInt),
    ("x", DataType::Double),
    ("amount", DataType::Decimal { precision: 12, scale: 2 }),
    ("order name", DataType::String),
    ("day", DataType::Date),
    ("at", DataType::Timestamp),
];

fn schema() -> TableSchema {
    let columns = COLUMNS.iter().map(|(name, data_type)| Column {
        name: name.to_string(),
        data_type: data_type.clone(),
        nullable: None,
        comment: None,
        partition_key: false,
    });
    TableSchema { columns: columns.collect(), provenance: Provenance::Catalog }
}

fn column(name: &str) -> Expr {
    let known = COLUMNS.iter().find(|(known, _)| *known == name);
    Expr::column(name, known.map(|(_, data_type)| data_type.clone()).unwrap_or_default())
}

fn number() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        Just(column("n")),
        Just(column("big")),
        (-5i64..=5).prop_map(Expr::int),
        Just(Expr::int(i64::MAX)),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let op = prop_oneof![
            Just(BinaryOp::Add),
            Just(BinaryOp::Subtract),
            Just(BinaryOp::Multiply),
            Just(BinaryOp::Remainder)
        ];
        (op, inner.clone(), inner).prop_map(|(op, l, r)| Expr::binary(op, l, r))
    })
}

fn text() -> impl Strategy<Value = Expr> {
    prop_oneof![
        Just(column("order name")),
        "[ -~é'\\\\%_]{0,6}".prop_map(Expr::text),
        Just(Expr::call("trim", vec![column("order name")]).unwrap_or_else(Expr::null)),
        Just(Expr::call("ltrim_characters", vec![column("order name"), Expr::text("0'")]).unwrap_or_else(Expr::null)),
    ]
}

fn comparison() -> impl Strategy<Value = Expr> {
    let op = || {
        prop_oneof![
            Just(BinaryOp::Equal),
            Just(BinaryOp::NullSafeEqual),
            Just(BinaryOp::Less),
            Just(BinaryOp::LessOrEqual),
            Just(BinaryOp::Greater),
            Just(BinaryOp::GreaterOrEqual)
        ]
    };
    prop_oneof![
        (op(), number(), number()).prop_map(|(op, l, r)| Expr::binary(op, l, r)),
        (op(), text(), text()).prop_map(|(op, l, r)| Expr::binary(op, l, r)),
        (op(), -1000i64..1000).prop_map(|(op, n)| {
            Expr::binary(op, column("amount"), Expr::literal(Value::Decimal(i128::from(n), 2)))
        }),
        (op(), -3i32..3).prop_map(|(op, d)| Expr::binary(op, column("x"), Expr::literal(Value::Double(f64::from(d))))),
        (op(), -400i32..40_000).prop_map(|(op, d)| Expr::binary(op, column("day"), Expr::literal(Value::Date(d)))),
        (op(), any::<i32>()).prop_map(|(op, at)| {
            Expr::binary(op, column("at"), Expr::literal(Value::Timestamp(i64::from(at) * 1_000)))
        }),
        (text(), "[a-c%_\\\\]{0,4}").prop_map(|(l, pattern)| {
            // A pattern's lone backslash at the end is no pattern.
            Expr::like(l, Expr::text(pattern.replace('\\', "\\\\")))
        }),
        (text(), prop_oneof![Just("^[a-z]+$"), Just("\\d{2}"), Just("a.c"), Just("a\\\\b")])
            .prop_map(|(l, pattern)| Expr::matches(l, pattern)),
        (number(), prop::collection::vec(-3i64..3, 1..4))
            .prop_map(|(e, list)| Expr::in_list(e, list.into_iter().map(Expr::int).collect())),
        text().prop_map(Expr::is_null),
        Just(Expr::is_nan(column("x"))),
    ]
}

fn condition() -> impl Strategy<Value = Expr> {
    comparison().prop_recursive(3, 16, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(l, r)| Expr::binary(BinaryOp::And, l, r)),
            (inner.clone(), inner.clone()).prop_map(|(l, r)| Expr::binary(BinaryOp::Or, l, r)),
            inner.clone().prop_map(Expr::not),
            inner.clone().prop_map(|e| Expr::or_else(e, false)),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| Expr::case(vec![(a, b)], Some(c))),
        ]
    })
}

fn row() -> impl Strategy<Value = HashMap<String, Value>> {
    let or_null = |value: BoxedStrategy<Value>| prop_oneof![1 => Just(Value::Null), 4 => value];
    let double = prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(0.0), -3f64..3f64];
    (
        or_null(prop_oneof![Just(i64::from(i32::MAX)), -5i64..5].prop_map(Value::Int).boxed()),
        or_null(prop_oneof![Just(i64::MIN), Just(i64::MAX), -5i64..5].prop_map(Value::Int).boxed()),
        or_null(double.prop_map(Value::Double).boxed()),
        or_null((-1000i128..1000).prop_map(|n| Value::Decimal(n, 2)).boxed()),
        or_null("[ a-c0-9é\\\\]{0,5}".prop_map(Value::String).boxed()),
        or_null((-400i32..40_000).prop_map(Value::Date).boxed()),
        or_null(any::<i32>().prop_map(|at| Value::Timestamp(i64::from(at) * 1_000)).boxed()),
    )
        .prop_map(|(n, big, x, amount, name, day, at)| {
            COLUMNS.iter().map(|(name, _)| name.to_string()).zip([n, big, x, amount, name, day, at]).collect()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rule_text_is_read_as_the_expression_that_was_written(expr in condition()) {
        let text = to_text(&expr);
        let read = parse(&text, Syntax::Rule, &schema());
        prop_assert_eq!(read.as_ref(), Ok(&expr), "{}", text);
    }

    #[test]
    fn sql_means_to_its_reader_what_the_expression_means(expr in condition(), row in row()) {
        let value = eval(&expr, &row);
        for (dialect, syntax) in [(Dialect::Trino, Syntax::Trino), (Dialect::Spark, Syntax::Spark)] {
            let sql = to_sql(&expr, dialect).unwrap();
            let read = parse(&sql, syntax, &schema()).map_err(|error| TestCaseError::fail(format!("{sql}: {error}")))?;
            prop_assert_eq!(eval(&read, &row), value.clone(), "{}", sql);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        for syntax in [Syntax::Rule, Syntax::Spark, Syntax::Trino] {
            if let Ok(expr) = parse(&text, syntax, &schema()) {
                let _ = to_sql(&expr, Dialect::DataFusion);
                let _ = eval(&expr, &HashMap::<String, Value>::new());
            }
        }
    }
}

#[test]
fn a_message_about_a_type_of_any_length_is_short() {
    for text in ["struct<".repeat(5_000), format!("int {}", "x".repeat(90_000)), "é".repeat(30_000)] {
        let message = DataType::parse(&text).unwrap_err().to_string();
        assert!(message.chars().count() < 400 && message.contains('…'), "{message}");
    }
}

#[test]
fn a_case_that_is_not_whole_is_told_as_one() {
    for text in ["amount > 0 AND CASE WHEN amount END", "CASE WHEN amount > 1 THEN 2"] {
        let message = contract::expr::parse::parse_tree(text, Syntax::Rule).unwrap_err().to_string();
        assert!(message.contains("CASE") || message.contains("END"), "{text}: {message}");
    }
}
