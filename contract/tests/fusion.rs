//! What fusing saves: a table of 30 columns with 60 tests, planned together and one by one.

use contract::compile::suite::{SuitePlan, Target, plan};
use contract::compile::{Check, check};
use contract::document::Contract;
use contract::expr::print::Dialect;
use contract::rule::Rule;
use contract::schema::{Column, Provenance, TableName, TableSchema};
use contract::types::DataType;
use serde_json::{Value as Json, json};

/// `n0` to `n9` are numbers, `t0` to `t9` texts, `d0` to `d4` dates and `s0` to `s4` timestamps.
fn schema() -> TableSchema {
    let named = |prefix: &str, count: usize, data_type: DataType| -> Vec<Column> {
        let column = |n: usize| Column {
            name: format!("{prefix}{n}"),
            data_type: data_type.clone(),
            nullable: None,
            comment: None,
            partition_key: false,
        };
        (0..count).map(column).collect()
    };
    let columns = [
        named("n", 10, DataType::Double),
        named("t", 10, DataType::String),
        named("d", 5, DataType::Date),
        named("s", 5, DataType::Timestamp),
    ];
    TableSchema { columns: columns.concat(), provenance: Provenance::Catalog }
}

fn rules() -> Vec<Json> {
    let each = |count: usize, rule: fn(usize) -> Json| -> Vec<Json> { (0..count).map(rule).collect() };
    let rules = [
        each(10, |n| json!({"type": "not_null", "column": format!("t{n}")})),
        each(5, |n| json!({"type": "not_null", "column": format!("d{n}")})),
        each(10, |n| json!({"type": "range", "column": format!("n{n}"), "min": 0, "max": 1e6})),
        each(5, |n| json!({"type": "null_ratio", "column": format!("n{n}"), "max": 0.1})),
        each(5, |n| json!({"type": "allowed_values", "column": format!("t{n}"), "values": ["A", "B", "C"]})),
        each(4, |n| json!({"type": "length", "column": format!("t{}", n + 5), "max": 40})),
        each(3, |n| json!({"type": "regex", "column": format!("t{}", n + 5), "pattern": "^[A-Z]"})),
        each(5, |n| json!({"type": "not_in_future", "column": format!("s{n}")})),
        each(2, |n| json!({"type": "compare_columns", "column": format!("n{n}"), "operator": "<=", "other": "n9"})),
        each(2, |n| json!({"type": "mean", "column": format!("n{n}"), "min": 1, "max": 1e5})),
        each(2, |n| json!({"type": "sum", "column": format!("n{n}"), "min": 1, "group_by": ["t0"]})),
        each(2, |n| json!({"type": "distinct_count", "column": format!("t{n}"), "max": 3})),
        vec![
            json!({"type": "primary_key", "columns": ["t9", "d0"]}),
            json!({"type": "foreign_key", "column": "t8", "ref_table": "dim", "ref_column": "id"}),
            json!({"type": "row_count", "min": 1}),
            json!({"type": "row_count_anomaly"}),
            json!({"type": "freshness", "column": "s0", "max_age_hours": 30}),
        ],
    ];
    rules.concat()
}

fn planned(checks: &[(&Rule, Check)], dialect: Dialect) -> SuitePlan {
    let target = Target {
        table: &TableName::new("db", "t"),
        dialect,
        now_micros: Some(0),
        restriction: &|_| None,
        resolve: &|name| TableName::new("db", name),
    };
    let plan = plan(&target, checks);
    assert_eq!(plan.refused, []);
    plan
}

fn columns_read(plan: &SuitePlan) -> usize {
    plan.queries.iter().map(|query| query.columns.len()).sum()
}

#[test]
fn sixty_tests_of_thirty_columns_take_four_queries() {
    let rules = rules();
    assert_eq!((schema().columns.len(), rules.len()), (30, 60));
    let (contract, problems) = Contract::from_value(json!({"table_name": "t", "table_level_checks": rules})).unwrap();
    assert_eq!(problems, []);
    for dialect in [Dialect::Trino, Dialect::Spark, Dialect::DataFusion] {
        let checks: Vec<_> = contract.rules().map(|rule| (rule, check(rule, &schema()).unwrap())).collect();
        let fused = planned(&checks, dialect);
        let single: Vec<SuitePlan> = checks.iter().map(|check| planned(std::slice::from_ref(check), dialect)).collect();
        let queries = single.iter().map(|plan| plan.queries.len()).sum::<usize>();
        let columns = single.iter().map(columns_read).sum::<usize>();
        // One scan of all columns, the key, the groups, the reference.
        assert_eq!((fused.queries.len(), columns_read(&fused)), (4, 36), "{dialect:?}");
        assert_eq!((queries, columns), (60, 63), "{dialect:?}");
        let answered: usize = fused.queries.iter().map(|query| query.readings.len()).sum();
        assert_eq!(answered, 60, "every test is answered once");
    }
}
