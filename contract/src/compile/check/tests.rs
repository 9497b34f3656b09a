use serde_json::{Value as Json, json};

use super::*;
use crate::document::Contract;
use crate::expr::print::to_text;
use crate::schema::Provenance;

fn schema() -> TableSchema {
    let columns = [
        ("loan_id", DataType::String),
        ("amount", DataType::Double),
        ("fee", DataType::Decimal { precision: 10, scale: 2 }),
        ("paid_on", DataType::Date),
        ("instalment", DataType::Int),
        ("closed_at", DataType::Timestamp),
    ];
    let column = |(name, data_type): (&str, DataType)| Column {
        name: name.to_owned(),
        data_type,
        nullable: None,
        comment: None,
        partition_key: false,
    };
    TableSchema { columns: columns.into_iter().map(column).collect(), provenance: Provenance::Catalog }
}

/// The check of a rule on a column, or of the whole table where the column is empty.
fn compiled(column: &str, rule: Json) -> Result<Check, RuleError> {
    let document = match column {
        "" => json!({"table_name": "t", "table_level_checks": [rule]}),
        _ => json!({"table_name": "t", "columns": {column: {"type": "x", "rules": [rule]}}}),
    };
    let (contract, _) = Contract::from_value(document).unwrap();
    check(contract.rules().next().unwrap(), &schema())
}

fn violation_of(column: &str, rule: Json) -> String {
    match compiled(column, rule) {
        Ok(Check::Row { violation, .. } | Check::Type { violation, .. }) => to_text(&violation),
        Ok(other) => panic!("no row rule: {other:?}"),
        Err(error) => format!("refused: {error}"),
    }
}

#[test]
fn row_rules_become_violations_that_are_never_null() {
    let cases = [
        ("loan_id", json!({"type": "not_null"}), "loan_id IS NULL"),
        ("loan_id", json!({"type": "not_empty"}), "coalesce(trim(loan_id) = '', FALSE)"),
        ("instalment", json!({"type": "min", "value": 1}), "coalesce(instalment < 1, FALSE)"),
        ("fee", json!({"type": "max", "value": 9.5}), "coalesce(fee > 9.5, FALSE)"),
        ("paid_on", json!({"type": "min", "value": "2024-01-01"}), "coalesce(paid_on < DATE '2024-01-01', FALSE)"),
        (
            "loan_id",
            json!({"type": "allowed_values", "values": ["A", "B"]}),
            "coalesce(loan_id NOT IN ('A', 'B'), FALSE)",
        ),
        ("instalment", json!({"type": "min", "value": 1, "on_null": "violate"}), "coalesce(instalment < 1, TRUE)"),
    ];
    for (column, rule, expected) in cases {
        assert_eq!(violation_of(column, rule), expected);
    }
}

#[test]
fn rules_of_texts_and_dates_are_predicates_of_the_one_language() {
    let cases = [
        (
            "loan_id",
            json!({"type": "forbidden_values", "values": ["N/A", null]}),
            "loan_id IS NULL OR coalesce(loan_id IN ('N/A'), FALSE)",
        ),
        (
            "loan_id",
            json!({"type": "allowed_values", "values": ["A", null], "on_null": "violate"}),
            "loan_id IS NOT NULL AND coalesce(loan_id NOT IN ('A'), TRUE)",
        ),
        ("loan_id", json!({"type": "like", "pattern": "L\\_%"}), "coalesce(loan_id NOT LIKE 'L\\_%', FALSE)"),
        (
            "loan_id",
            json!({"type": "length", "min": 1, "max": 9}),
            "coalesce(length(loan_id) < 1 OR length(loan_id) > 9, FALSE)",
        ),
        (
            "loan_id",
            json!({"type": "date_format", "format": "dd/MM/yyyy HH:mm"}),
            "coalesce(CASE WHEN loan_id IS NOT NULL THEN NOT (loan_id RLIKE '^[0-9][0-9]\\/[0-9][0-9]\\/[0-9][0-9][0-9][0-9] ([01][0-9]|2[0-3])\\:[0-5][0-9]$' \
             AND TRY_CAST(concat(substring(loan_id, 7, 4), '-', substring(loan_id, 4, 2), '-', substring(loan_id, 1, 2)) AS date) \
             IS NOT NULL) END, FALSE)",
        ),
        ("paid_on", json!({"type": "not_in_future"}), "coalesce(paid_on > current_date(), FALSE)"),
        ("paid_on", json!({"type": "older_than_column", "other": "closed_at"}), "coalesce(paid_on > closed_at, FALSE)"),
        (
            "paid_on",
            json!({"type": "older_than_column", "other": "closed_at", "min_days": 3, "on_null": "violate"}),
            "coalesce(days_between(TRY_CAST(closed_at AS date), paid_on) < 3, TRUE)",
        ),
        (
            "amount",
            json!({"type": "compare_columns", "operator": "<=", "other": "fee"}),
            "isnan(amount) OR coalesce(NOT amount <= fee, FALSE)",
        ),
    ];
    for (column, rule, expected) in cases {
        assert_eq!(violation_of(column, rule), expected);
    }
}

#[test]
fn columns_are_judged_by_the_schema_alone() {
    let problem = |rule: Json| match compiled("", rule) {
        Ok(Check::Columns { problem }) => problem.unwrap_or_default(),
        other => panic!("no column set: {other:?}"),
    };
    let all = ["LOAN_ID", "amount", "fee", "paid_on", "instalment", "closed_at"];
    assert_eq!(problem(json!({"type": "column_set", "columns": all, "ordered": true})), "");
    assert_eq!(problem(json!({"type": "column_set", "columns": ["fee", "x"]})), "the table lacks x");
    let surplus = "the table has paid_on, instalment, closed_at as well";
    assert_eq!(problem(json!({"type": "column_set", "columns": ["fee", "amount", "loan_id"]})), surplus);
    let some = json!({"type": "column_set", "columns": ["fee", "amount"], "others": true, "ordered": true});
    assert_eq!(problem(some), "the order is amount, fee");
}

#[test]
fn a_reference_is_held_against_the_other_table_where_it_is_known() {
    let other = |name: &str| (name == "dim").then(schema);
    let checked = |rule: Json| {
        let document = json!({"table_name": "t", "columns": {"loan_id": {"type": "string", "rules": [rule]}}});
        let (contract, problems) = Contract::from_value(document).unwrap();
        assert_eq!(problems, []);
        let check = check_among(contract.rules().next().unwrap(), &schema(), &other);
        check.map(|_| ()).map_err(|error| error.to_string()).err().unwrap_or_default()
    };
    assert_eq!(checked(json!({"type": "foreign_key", "ref_table": "dim", "ref_column": "loan_id"})), "");
    assert_eq!(checked(json!({"type": "foreign_key", "ref_table": "unknown", "ref_column": "whatever"})), "");
    let near = checked(json!({"type": "foreign_key", "ref_table": "dim", "ref_column": "loan_ids"}));
    assert!(near.contains("dim: there is no column `loan_ids`; did you mean `loan_id`?"), "{near}");
    let types = checked(json!({"type": "foreign_key", "ref_table": "dim", "ref_column": "fee"}));
    assert!(types.contains("a string does not compare with the decimal(10,2)"), "{types}");
    let dated = json!({"type": "foreign_key", "ref_table": "dim", "ref_column": "loan_id", "ref_where": "amount > 0",
        "as_of": {"column": "paid_on", "valid_from": "paid_on", "valid_to": "fee"}});
    assert!(checked(dated).contains("as_of: a date does not compare with the decimal(10,2)"));
}

#[test]
fn a_nan_violates_a_range_unless_the_rule_says_otherwise() {
    let default = violation_of("amount", json!({"type": "min", "value": 0}));
    let passing = violation_of("amount", json!({"type": "min", "value": 0, "on_nan": "pass"}));
    assert_eq!(default, "isnan(amount) OR coalesce(amount < 0, FALSE)");
    assert_eq!(passing, "NOT isnan(amount) AND coalesce(amount < 0, FALSE)");
}

#[test]
fn where_restricts_what_is_judged() {
    let rule = json!({"type": "not_null", "where": "instalment > 1"});
    let Ok(Check::Row { violation, judged }) = compiled("paid_on", rule) else { panic!("a row rule") };
    assert_eq!(to_text(&judged), "coalesce(instalment > 1, FALSE)");
    assert_eq!(to_text(&violation), "coalesce(instalment > 1, FALSE) AND paid_on IS NULL");
}

#[test]
fn what_cannot_be_checked_says_why() {
    let cases = [
        ("loan_idd", json!({"type": "not_null"}), "did you mean `loan_id`?"),
        ("instalment", json!({"type": "min", "value": "abc"}), "\"abc\" is no int, the type of instalment"),
        ("paid_on", json!({"type": "max", "value": 7}), "7 is no date, the type of paid_on"),
        ("amount", json!({"type": "not_empty"}), "the rule judges text, amount is double"),
        ("", json!({"type": "check_constraint", "expression": "amuont >= 0"}), "did you mean `amount`?"),
        ("", json!({"type": "check_constraint", "expression": "amount + 1"}), "a rule needs true or false"),
        ("loan_id", json!({"type": "regex", "pattern": "(?=x)"}), "refused"),
        ("loan_id", json!({"type": "sparkles"}), "no rule type that this version can run"),
        ("", json!({"type": "freshness", "column": "loan_id", "max_age_hours": 3}), "needs a date or timestamp"),
        ("loan_id", json!({"type": "date_format", "format": "d.M.yy"}), "needs one year, month and day"),
        ("loan_id", json!({"type": "like", "pattern": "a\\b"}), "a backslash stands before %, _ or another backslash"),
        ("instalment", json!({"type": "not_in_future"}), "judges dates and timestamps, instalment is int"),
        (
            "amount",
            json!({"type": "compare_columns", "operator": "<", "other": "paid_on"}),
            "does not compare with date",
        ),
        ("loan_id", json!({"type": "sum", "max": 1}), "sum is of numbers, loan_id is string"),
        ("amount", json!({"type": "quantile", "quantile": 95, "max": 1}), "quantile is a share from 0 to 1, found 95"),
        ("", json!({"type": "custom_sql", "sql": "SELECT 1", "expects": "value"}), "state `min` or `max`"),
        ("", json!({"type": "row_count_anomaly", "where": "fee > 1"}), "leave `where` out"),
        ("instalment", json!({"type": "distinct_count", "min": 3, "max": 2}), "min 3 is larger than max 2"),
    ];
    for (column, rule, expected) in cases {
        let told = compiled(column, rule).unwrap_err().to_string();
        assert!(told.contains(expected), "{told}");
    }
}
