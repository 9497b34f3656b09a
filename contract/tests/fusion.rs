//! What fusing saves: a table of 30 columns with 60 tests, planned together and one by one.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use contract::compile::suite::{SuitePlan, Target, plan};
use contract::compile::{Check, check};
use contract::document::Contract;
use contract::expr::print::Dialect;
use contract::rule::Rule;
use contract::schema::{Column, Provenance, TableName, TableSchema};
use contract::types::DataType;
use serde_json::{Value as Json, json};

/// `n0` to `n9` are numbers, `t0` to `t9` texts, `d0` to `d4` dates and `s0` to `s4` timestamps.
fn wide_table() -> Json {
    serde_json::from_str(include_str!("../../tests/conformance/wide_table.json")).unwrap()
}

fn schema(columns: &Json) -> TableSchema {
    let column = |(name, data_type): (&String, &Json)| Column {
        name: name.clone(),
        data_type: DataType::parse(data_type.as_str().unwrap()).unwrap(),
        nullable: None,
        comment: None,
        partition_key: false,
    };
    let columns = columns.as_object().unwrap().iter().map(column).collect();
    TableSchema { columns, provenance: Provenance::Catalog }
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
    let table = wide_table();
    let schema = schema(&table["columns"]);
    assert_eq!((schema.columns.len(), table["rules"].as_array().unwrap().len()), (30, 60));
    let document = json!({"table_name": "t", "table_level_checks": table["rules"]});
    let (contract, problems) = Contract::from_value(document).unwrap();
    assert_eq!(problems, []);
    for dialect in [Dialect::Trino, Dialect::Spark, Dialect::DataFusion] {
        let checks: Vec<_> = contract.rules().map(|rule| (rule, check(rule, &schema).unwrap())).collect();
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
