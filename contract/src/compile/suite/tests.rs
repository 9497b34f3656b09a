use serde_json::{Value as Json, json};

use super::*;
use crate::compile;
use crate::document::Contract;
use crate::schema::{Column, Provenance, TableSchema};
use crate::types::DataType;

const CONTRACT: &str = r#"{"table_name": "pay", "columns": {
    "id": {"type": "string", "rules": [{"type": "not_null"}, {"type": "unique"},
        {"type": "foreign_key", "ref_table": "loans", "ref_column": "loan_id"}]},
    "amount": {"type": "double", "rules": [{"type": "min", "value": 0, "threshold": {"share": 0.01}},
        {"type": "null_ratio", "max": 0.1}]}
}, "table_level_checks": [{"type": "row_count", "min": 1}, {"type": "row_count_anomaly"}]}"#;

fn schema(columns: &[(&str, DataType)]) -> TableSchema {
    let column = |(name, data_type): &(&str, DataType)| Column {
        name: (*name).to_owned(),
        data_type: data_type.clone(),
        nullable: None,
        comment: None,
        partition_key: false,
    };
    TableSchema { columns: columns.iter().map(column).collect(), provenance: Provenance::Catalog }
}

fn planned(dialect: Dialect) -> SuitePlan {
    let (contract, _) = Contract::from_json(CONTRACT).unwrap();
    let schema = schema(&[("id", DataType::String), ("amount", DataType::Double)]);
    let checks: Vec<_> = contract.rules().map(|rule| (rule, compile::check(rule, &schema).unwrap())).collect();
    let target = Target {
        table: &TableName::new("db", "pay"),
        dialect,
        now_micros: None,
        restriction: &|_| None,
        resolve: &|name| TableName::new("db", name),
    };
    plan(&target, &checks)
}

#[test]
fn seven_rules_take_three_queries() {
    let plan = planned(Dialect::Trino);
    assert_eq!(plan.refused, []);
    let ids: Vec<Vec<&str>> = plan
        .queries
        .iter()
        .map(|query| query.readings.iter().map(|reading| reading.rule_id.as_str()).collect())
        .collect();
    let fused = ["not_null_id", "min_amount", "null_ratio_amount", "row_count", "row_count_anomaly"];
    assert_eq!(ids, [fused.to_vec(), vec!["unique_id"], vec!["foreign_key_id"]]);
    assert_eq!(plan.queries[0].columns, ["id", "amount"]);
    assert_eq!(plan.queries[0].sql.matches("count(*)").count(), 1, "{}", plan.queries[0].sql);
}

#[test]
fn outcomes_are_read_by_position_and_threshold() {
    let plan = planned(Dialect::DataFusion);
    let known = Known { history: vec![100, 100], now_micros: 0 };
    let scan = &plan.queries[0];
    let outcome = |id: &str, row: &[Value]| {
        let reading = scan.readings.iter().find(|reading| reading.rule_id == id).unwrap();
        judge(reading, &[row.to_vec()], &known)
    };
    // NULL ids, all rows, amounts out of range, NULL amounts.
    let row = [Value::Int(0), Value::Int(130), Value::Int(1), Value::Int(20)];
    assert!(matches!(outcome("not_null_id", &row), Outcome::Passed { .. }));
    assert!(matches!(outcome("min_amount", &row), Outcome::Passed { .. }), "one of 130 is within one percent");
    assert!(matches!(outcome("null_ratio_amount", &row), Outcome::Failed { violations: Some(20), .. }));
    assert!(matches!(outcome("row_count", &row), Outcome::Passed { .. }));
    assert!(matches!(outcome("row_count_anomaly", &row), Outcome::Failed { .. }), "30 % off the average");
    let empty = [Value::Null, Value::Int(0), Value::Null, Value::Null];
    assert!(matches!(outcome("not_null_id", &empty), Outcome::Passed { .. }));
    assert!(matches!(outcome("null_ratio_amount", &empty), Outcome::Skipped { .. }));
    assert!(matches!(outcome("not_null_id", &[Value::Boolean(true)]), Outcome::Errored { .. }));
}

#[test]
fn without_history_nothing_is_said() {
    assert!(matches!(row_count_deviation(5, &[], 0.2, 7), Outcome::Skipped { .. }));
    assert!(matches!(row_count_deviation(0, &[0, 0], 0.2, 7), Outcome::Passed { .. }));
    assert!(matches!(row_count_deviation(200, &[100; 9], 0.2, 7), Outcome::Failed { .. }));
}

/// Plans rules of a table `db.t` of these columns; `restrict` gives the rows of a scope.
fn planned_of(document: Json, dialect: Dialect, restrict: &dyn Fn(Scope) -> Option<Expr>) -> (Vec<Rule>, SuitePlan) {
    let schema = schema(&[
        ("id", DataType::String),
        ("day", DataType::Date),
        ("amount", DataType::Double),
        ("fee", DataType::Decimal { precision: 10, scale: 2 }),
        ("country", DataType::Char(3)),
        ("day_part", DataType::String),
    ]);
    let (contract, problems) = Contract::from_value(document).unwrap();
    assert_eq!(problems, []);
    let rules: Vec<Rule> = contract.rules().cloned().collect();
    let checks: Vec<_> = rules.iter().map(|rule| (rule, compile::check(rule, &schema).unwrap())).collect();
    let target = Target {
        table: &TableName::new("db", "t"),
        dialect,
        now_micros: Some(0),
        restriction: restrict,
        resolve: &|name| TableName::new("db", name),
    };
    let plan = plan(&target, &checks);
    (rules, plan)
}

fn table_checks(checks: Json) -> Json {
    json!({"table_name": "t", "table_level_checks": checks})
}

fn asked(plan: &SuitePlan) -> Vec<Vec<&str>> {
    plan.queries.iter().map(|query| query.readings.iter().map(|r| r.rule_id.as_str()).collect()).collect()
}

#[test]
fn keys_of_equal_columns_share_one_query_with_distinct_counts() {
    let document = json!({"table_name": "t",
    "columns": {"id": {"type": "string", "rules": [{"type": "unique"}, {"type": "distinct_count", "min": 1}]}},
    "table_level_checks": [
        {"type": "primary_key", "columns": ["id"]},
        {"type": "duplicate_count", "columns": ["id"], "of": "values", "max": 3},
        {"type": "primary_key", "columns": ["day", "country"], "id": "pk"},
        {"type": "grain_uniqueness", "grain": ["country", "day"], "id": "grain"}
    ]});
    let (_, plan) = planned_of(document, Dialect::Trino, &|_| None);
    let ids = ["unique_id", "primary_key_id", "duplicate_count_id", "distinct_count_id"];
    assert_eq!(asked(&plan), [ids.to_vec(), vec!["pk", "grain"]]);
    let sql = &plan.queries[1].sql;
    assert!(
        sql.contains("GROUP BY rtrim(cast(\"country\" AS varchar)), \"day\""),
        "padding is no part of a key: {sql}"
    );
}

#[test]
fn distinct_counts_are_capped_and_scans_split_before_they_are_too_long() {
    let counts: Vec<_> = (0..12)
        .map(|n| json!({"type": "distinct_count", "column": "id", "min": 1, "where": format!("fee > {n}")}))
        .collect();
    let (_, plan) = planned_of(table_checks(counts.into()), Dialect::Trino, &|_| None);
    let distincts: Vec<usize> = plan.queries.iter().map(|q| q.sql.matches("count(DISTINCT").count()).collect();
    assert_eq!(distincts, [5, 5, 2]);

    let list = |n: usize| -> Vec<String> { (0..3_000).map(|value| format!("value {n} {value}")).collect() };
    let lists: Vec<_> = (0..8).map(|n| json!({"type": "allowed_values", "column": "id", "values": list(n)})).collect();
    let (rules, plan) = planned_of(table_checks(lists.into()), Dialect::Trino, &|_| None);
    assert!(plan.queries.len() > 1 && plan.queries.iter().all(|query| query.sql.len() <= MAX_BYTES));
    assert_eq!(asked(&plan).concat().len(), rules.len());

    let values: Vec<String> = (0..30_000).map(|value| format!("value {value}")).collect();
    let (_, plan) = planned_of(
        table_checks(json!([{"type": "allowed_values", "column": "id", "values": values}])),
        Dialect::Trino,
        &|_| None,
    );
    assert!(plan.queries.is_empty() && plan.refused[0].1.contains("Athena takes 262144"), "{:?}", plan.refused);
}

#[test]
fn keys_are_looked_at_by_partition_only_where_its_columns_belong_to_them() {
    let document = table_checks(json!([
        {"type": "not_null", "column": "id", "scope": "loaded_partitions"},
        {"type": "primary_key", "columns": ["id"], "scope": "loaded_partitions", "id": "whole"},
        {"type": "primary_key", "columns": ["id", "day_part"], "scope": "loaded_partitions", "id": "by_part"}
    ]));
    let part = Expr::equal(Expr::column("day_part", DataType::String), Expr::text("2026-01-01"));
    let loaded = |scope| (scope == Scope::LoadedPartitions).then(|| part.clone());
    let (_, plan) = planned_of(document, Dialect::Spark, &loaded);
    let restricted: Vec<_> = plan.queries.iter().map(|query| query.restriction.is_some()).collect();
    assert_eq!(
        (asked(&plan), restricted),
        (vec![vec!["not_null_id"], vec!["whole"], vec!["by_part"]], vec![true, false, true])
    );
}

#[test]
fn a_scope_reads_no_more_partitions_than_it_means() {
    let document = table_checks(json!([
        {"type": "not_null", "column": "id", "scope": "loaded_partitions"},
        {"type": "row_count", "min": 1, "scope": {"last_partitions": 3}},
        {"type": "not_null", "column": "day"}
    ]));
    let part = |day: &str| Expr::equal(Expr::column("day_part", DataType::String), Expr::text(day));
    let restrict = |scope| match scope {
        Scope::LoadedPartitions => Some(part("a")),
        Scope::LastPartitions(_) => Some(part("b")),
        Scope::Full => None,
    };
    let (_, plan) = planned_of(document, Dialect::DataFusion, &restrict);
    assert_eq!(
        plan.queries.iter().map(|query| query.sql.as_str()).collect::<Vec<_>>(),
        [
            "SELECT sum(CASE WHEN (\"id\" IS NULL) THEN 1 ELSE 0 END) AS c0, count(*) AS c1 \
             FROM \"db\".\"t\" WHERE (\"day_part\" = 'a')",
            "SELECT count(*) AS c0 FROM \"db\".\"t\" WHERE (\"day_part\" = 'b')",
            "SELECT sum(CASE WHEN (\"day\" IS NULL) THEN 1 ELSE 0 END) AS c0, count(*) AS c1 FROM \"db\".\"t\"",
        ]
    );
}

#[test]
fn statistics_pass_over_nan_and_groups_share_a_query() {
    let document = table_checks(json!([
        {"type": "mean", "column": "amount", "min": 1, "max": 2.5},
        {"type": "quantile", "quantile": 0.9, "column": "fee", "max": 7, "group_by": ["country"]},
        {"type": "aggregate", "function": "max", "column": "fee", "max": 9, "group_by": ["country"]}
    ]));
    let (_, plan) = planned_of(document, Dialect::Trino, &|_| None);
    assert_eq!(
        plan.queries.iter().map(|query| query.sql.as_str()).collect::<Vec<_>>(),
        [
            "SELECT avg((CASE WHEN (NOT coalesce(is_nan(\"amount\"), false)) THEN \"amount\" END)) AS c0 FROM \"db\".\"t\"",
            "SELECT count(*) AS c0, \
             sum(CASE WHEN (coalesce(is_nan(\"a0\"), false) OR coalesce((\"a0\" > 7.000000000007e0 OR (is_nan(\"a0\") AND 7.000000000007e0 IS NOT NULL)), false)) THEN 1 ELSE 0 END) AS c1, \
             sum(CASE WHEN coalesce((\"a1\" > 9), false) THEN 1 ELSE 0 END) AS c2 \
             FROM (SELECT approx_percentile(try_cast(\"fee\" AS double), 0.9) AS a0, max(\"fee\") AS a1 FROM \"db\".\"t\" \
             GROUP BY rtrim(cast(\"country\" AS varchar))) AS g",
        ]
    );
}

#[test]
fn a_predicate_that_fails_on_a_value_is_an_error_of_its_own() {
    let document = table_checks(json!([
        {"type": "check_constraint", "expression": "power(amount, 2) > 1", "id": "power"},
        {"type": "min", "column": "amount", "value": 0, "id": "min"}
    ]));
    let (_, plan) = planned_of(document, Dialect::Trino, &|_| None);
    let readings = &plan.queries[0].readings;
    let errors = |reading: &Reading| match reading.measure {
        Measure::Violations { errors, .. } => errors,
        _ => None,
    };
    assert_eq!((errors(&readings[0]), errors(&readings[1])), (Some(2), None));
    let row = [[0, 5, 1, 0].map(Value::Int).to_vec()];
    assert!(matches!(judge(&readings[0], &row, &Known::default()), Outcome::Errored { .. }));
    assert!(matches!(judge(&readings[1], &row, &Known::default()), Outcome::Passed { .. }));
}

#[test]
fn references_name_the_state_of_the_other_table() {
    let rule = |as_of: Json| {
        table_checks(json!([{"type": "foreign_key", "columns": ["id", "country"], "ref_table": "dim",
            "ref_where": "active", "as_of": as_of}]))
    };
    let sql = |as_of| planned_of(rule(as_of), Dialect::Trino, &|_| None).1.queries[0].sql.clone();
    let newest = sql(json!({"snapshot": "taken"}));
    assert!(
        newest
            .contains("AND \"taken\" = (SELECT max(\"taken\") FROM \"db\".\"dim\" WHERE coalesce(\"active\", false))"),
        "{newest}"
    );
    let validity = sql(json!({"column": "day", "valid_from": "f", "valid_to": "t"}));
    let condition = "((\"l\".\"k2\" >= \"r\".\"r2\") AND ((\"r\".\"r3\" IS NULL) OR (\"l\".\"k2\" < \"r\".\"r3\")))";
    assert!(validity.contains(condition), "{validity}");
    let (_, plan) = planned_of(rule(json!({"column": "day", "snapshot": "taken"})), Dialect::Trino, &|_| None);
    assert_eq!(plan.queries[0].columns, ["id", "country", "day"]);
    assert_eq!(plan.queries[0].references[0].1, ["id", "country", "taken", "active"]);
}

#[test]
fn values_are_held_against_their_bounds() {
    let measure = |value: Value| {
        let bounds = Bounds::of_numbers(Some(1.0), Some(2.0));
        let measure = Measure::Value {
            value: 0,
            bounds,
            what: "mean of a".to_owned(),
            no_value: Verdict::Pass,
            approximate: false,
        };
        judge(&Reading { rule_id: String::new(), measure, threshold: None }, &[vec![value]], &Known::default())
    };
    assert_eq!(
        measure(Value::Double(1.5)),
        Outcome::Passed { message: "the mean of a is 1.5, expected 1 to 2".to_owned() }
    );
    assert!(matches!(measure(Value::Double(f64::NAN)), Outcome::Failed { .. }));
    assert!(matches!(measure(Value::Null), Outcome::Skipped { .. }));
    assert!(matches!(measure(Value::String("x".to_owned())), Outcome::Errored { .. }));
}

#[test]
fn failing_rows_come_with_key_and_file() {
    let document = table_checks(json!([
        {"type": "min", "column": "amount", "value": 0},
        {"type": "primary_key", "columns": ["id"]},
        {"type": "row_count", "min": 1}
    ]));
    let (contract, _) = Contract::from_value(document).unwrap();
    let schema = schema(&[("id", DataType::String), ("amount", DataType::Double)]);
    let target = Target {
        table: &TableName::new("db", "t"),
        dialect: Dialect::Trino,
        now_micros: None,
        restriction: &|_| None,
        resolve: &|name| TableName::new("db", name),
    };
    let key = [Expr::column("id", DataType::String)];
    let samples: Vec<_> = contract
        .rules()
        .map(|rule| sample(&target, rule, &compile::check(rule, &schema).unwrap(), &key, 5, true).unwrap())
        .collect();
    let rows = samples[0].as_ref().unwrap();
    assert_eq!(rows.columns, ["id", "amount", "file"]);
    assert!(
        rows.sql.starts_with("SELECT \"id\", \"amount\", \"$path\" AS file FROM \"db\".\"t\" WHERE "),
        "{}",
        rows.sql
    );
    assert!(rows.sql.ends_with(" LIMIT 5"));
    let keys = samples[1].as_ref().unwrap();
    assert_eq!(
        keys.sql,
        "SELECT k0, n FROM (SELECT \"id\" AS k0, count(*) AS n FROM \"db\".\"t\" GROUP BY \"id\") AS g \
         WHERE n > 1 OR k0 IS NULL ORDER BY n DESC LIMIT 5"
    );
    assert_eq!(samples[2], None);
}
