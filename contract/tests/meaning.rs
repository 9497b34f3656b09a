//! The meaning of operators and functions, as tables: an expression in rule text, and its value.

use std::collections::HashMap;

use contract::expr::ColumnRef;
use contract::expr::eval::{Row, eval};
use contract::expr::parse::{AnyColumn, Syntax, parse};
use contract::value::Value;

/// A row without columns.
struct Nothing;

impl Row for Nothing {
    fn cell(&self, _: &ColumnRef) -> Option<Value> {
        None
    }
}

fn value(text: &str, syntax: Syntax) -> String {
    let expr = match parse(text, syntax, &AnyColumn) {
        Ok(expr) => expr,
        Err(error) => return format!("refused: {error}"),
    };
    let value = match eval(&expr, &Nothing) {
        Ok(value) => value,
        Err(error) => return format!("error: {error}"),
    };
    match value {
        Value::Null => "NULL".to_string(),
        Value::Boolean(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Double(d) => format!("{d:?}"),
        Value::Decimal(n, scale) => format!("{n}e-{scale}"),
        Value::String(text) => format!("'{text}'"),
        Value::Date(days) => format!("day {days}"),
        Value::Timestamp(at) => format!("micro {at}"),
        other => format!("{other:?}"),
    }
}

fn check(syntax: Syntax, table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(value(text, syntax), *expected, "{text}");
    }
}

#[test]
fn logic_is_three_valued() {
    check(
        Syntax::Rule,
        &[
            ("NULL AND FALSE", "false"),
            ("NULL AND TRUE", "NULL"),
            ("NULL OR TRUE", "true"),
            ("NULL OR FALSE", "NULL"),
            ("NOT NULL", "NULL"),
            ("NULL = NULL", "NULL"),
            ("NULL <=> NULL", "true"),
            ("1 <=> NULL", "false"),
            ("NULL IN (NULL)", "NULL"),
            ("1 IN (2, NULL)", "NULL"),
            ("1 NOT IN (2, NULL)", "NULL"),
            ("1 IN (1, NULL)", "true"),
            ("NULL IS NULL", "true"),
            ("'' IS NULL", "false"),
            ("NULL IS DISTINCT FROM 1", "true"),
            ("(NULL) IS TRUE", "false"),
            ("(NULL) IS NOT FALSE", "true"),
            ("2 BETWEEN 1 AND NULL", "NULL"),
            ("0 BETWEEN 1 AND NULL", "false"),
            ("CASE WHEN NULL THEN 1 ELSE 2 END", "2"),
            ("CASE 3 WHEN 3 THEN 'x' END", "'x'"),
            ("coalesce(NULL, 2)", "2"),
            ("nullif(1, 1)", "NULL"),
            ("nullif(1, NULL)", "1"),
            ("if(1 > 2, 'a', 'b')", "'b'"),
            ("greatest(1, NULL, 3)", "3"),
            ("least(NULL, 2)", "2"),
        ],
    );
}

#[test]
fn nan_equals_nan_and_is_larger_than_every_number() {
    check(
        Syntax::Rule,
        &[
            ("CAST('1e400' AS double) > 1e300", "true"),
            ("0e0 = -0e0", "true"),
            ("1e0 / 0", "NULL"),
            ("isnan(NULL)", "false"),
        ],
    );
}

#[test]
fn arithmetic_is_null_where_engines_would_fail() {
    check(
        Syntax::Rule,
        &[
            ("7 / 2", "3.5"),
            ("7 DIV 2", "3"),
            ("-7 DIV 2", "-3"),
            ("1 / 0", "NULL"),
            ("1 % 0", "NULL"),
            ("-7 % 3", "-1"),
            ("2147483647 + 1", "NULL"),
            ("9223372036854775807 + 1", "NULL"),
            ("9223372036854775807 * 2", "NULL"),
            ("0.1 + 0.2", "3e-1"),
            ("1.10 = 1.1", "true"),
            ("1.5 * 2", "30e-1"),
            ("0.1 + 2e-1", "0.30000000000000004"),
            ("abs(-3)", "3"),
            ("floor(-1.5)", "-2e-0"),
            ("ceil(-1.5)", "-1e-0"),
            ("round(2.5)", "3e-0"),
            ("round(-2.5)", "-3e-0"),
            ("round(1.005, 2)", "101e-2"),
            ("sqrt(-1)", "NULL"),
            ("ln(0)", "NULL"),
            ("power(2, 10)", "1024.0"),
            ("5 & 4", "4"),
            ("floor(1e300)", "NULL"),
            ("floor(-2.5e0)", "-3"),
            ("abs(-2147483648)", "NULL"),
            ("-7 DIV 0", "NULL"),
        ],
    );
    check(Syntax::Trino, &[("7 / 2", "3"), ("7 / 2.0", "3.5")]);
    check(Syntax::Spark, &[("7 / 2", "3.5"), ("7 div 2", "3")]);
}

#[test]
fn casts_are_null_where_the_value_has_no_such_form() {
    check(
        Syntax::Rule,
        &[
            ("CAST('abc' AS int)", "NULL"),
            ("CAST('1.5' AS int)", "NULL"),
            ("CAST(' 1 ' AS int)", "1"),
            ("CAST('+7' AS bigint)", "7"),
            ("CAST('300' AS tinyint)", "NULL"),
            ("CAST(1.5 AS int)", "1"),
            ("CAST(-1.5 AS int)", "-1"),
            ("CAST(2.5e0 AS int)", "2"),
            ("CAST(1e300 AS bigint)", "NULL"),
            ("CAST('1e3' AS double)", "1000.0"),
            ("CAST('1d' AS double)", "NULL"),
            ("CAST('NaN' AS double)", "NULL"),
            ("CAST('12.345' AS decimal(5,2))", "1235e-2"),
            ("CAST('1234.5' AS decimal(5,2))", "NULL"),
            ("CAST(1.005 AS decimal(5,2))", "101e-2"),
            ("CAST('2026-02-30' AS date)", "NULL"),
            ("CAST('2026-02-28' AS date)", "day 20512"),
            ("CAST('20260228' AS date)", "NULL"),
            ("CAST('1970-01-02 00:00:01' AS timestamp)", "micro 86401000000"),
            ("CAST('1970-01-02T00:00:01.5' AS timestamp)", "micro 86401500000"),
            ("CAST('1970-01-01' AS timestamp)", "micro 0"),
            ("CAST('TRUE' AS boolean)", "true"),
            ("CAST('yes' AS boolean)", "NULL"),
            ("CAST(12 AS string)", "'12'"),
            ("CAST(DATE '2026-01-02' AS string)", "'2026-01-02'"),
        ],
    );
}

#[test]
fn texts_are_compared_by_their_code_points() {
    check(
        Syntax::Rule,
        &[
            ("'a' = 'A'", "false"),
            ("'A ' = 'A'", "false"),
            ("'Z' < 'a'", "true"),
            ("length('😀é')", "2"),
            ("upper('straße')", "'STRASSE'"),
            ("trim('  a\t ')", "'a\t'"),
            ("substring('abc', 2, 1)", "'b'"),
            ("concat('a', NULL)", "NULL"),
            ("'a' || 1", "'a1'"),
            ("replace('a-b-c', '-', '')", "'abc'"),
            ("position('c' IN 'abc')", "3"),
            ("instr('abc', 'x')", "0"),
            ("starts_with('abc', 'ab')", "true"),
            ("lpad('7', 3, '0')", "'007'"),
            ("lpad('1234', 3, '0')", "'123'"),
            ("split_part('a@b', '@', 2)", "'b'"),
            ("split_part('a', '@', 2)", "NULL"),
            ("size(split('a@b@', '@'))", "3"),
            ("size(split('', '@'))", "1"),
            ("size(split('a, b, c', ', '))", "3"),
            ("trim(LEADING '0' FROM '00100')", "'100'"),
            ("trim(TRAILING '0x' FROM '1x0x')", "'1'"),
            ("trim(BOTH '+-' FROM '+-1-2-')", "'1-2'"),
            ("split('a.b', '\\.')[1]", "'b'"),
            ("'10%' LIKE '10\\%'", "true"),
            ("'10x' LIKE '10\\%'", "false"),
            ("'a\nb' LIKE 'a%b'", "true"),
            ("'abc' LIKE '_b_'", "true"),
            ("'aXbXc' LIKE 'a%X%c'", "true"),
            ("'ABC' ILIKE 'abc'", "true"),
        ],
    );
    check(Syntax::Trino, &[("'a\\' LIKE 'a\\'", "true"), ("'50%' LIKE '50#%' ESCAPE '#'", "true")]);
    check(Syntax::Spark, &[(r"'it\'s'", "'it's'"), (r"'a\\b'", r"'a\b'"), (r#""x" = 'x'"#, "true")]);
}

#[test]
fn regular_expressions_find_a_part_and_end_at_the_very_end() {
    check(
        Syntax::Rule,
        &[
            ("'abc' RLIKE 'b'", "true"),
            ("'abc' RLIKE '^b'", "false"),
            ("'ab\n' RLIKE 'b$'", "false"),
            ("'٣' RLIKE '\\d'", "false"),
            ("'3' RLIKE '\\\\d'", "true"),
            ("regexp_like('AB', '(?i)ab')", "true"),
            ("regexp_extract('AB-1', '^([A-Z]+)-', 1)", "'AB'"),
            ("regexp_extract('x', '([0-9])', 1)", "NULL"),
            ("regexp_replace('a1b2', '[0-9]', '')", "'ab'"),
        ],
    );
}

#[test]
fn dates_have_no_zone_and_timestamps_are_utc() {
    check(
        Syntax::Rule,
        &[
            ("year(DATE '2026-11-24')", "2026"),
            ("quarter(DATE '2026-11-24')", "4"),
            ("dayofweek(DATE '2026-11-22')", "1"),
            ("day_of_week(DATE '2026-11-22')", "7"),
            ("hour(TIMESTAMP '1969-12-31 23:30:00')", "23"),
            ("year(TIMESTAMP '1969-12-31 23:30:00')", "1969"),
            ("CAST(TIMESTAMP '1969-12-31 23:30:00' AS date)", "day -1"),
            ("DATE '2026-01-31' + INTERVAL '1' MONTH = '2026-02-28'", "true"),
            ("DATE '2026-03-31' - INTERVAL 1 MONTH = '2026-02-28'", "true"),
            ("DATE '2026-01-01' + INTERVAL 30 DAYS = DATE '2026-01-31'", "true"),
            ("TIMESTAMP '2026-01-01 00:00:00' - INTERVAL '1' HOUR < '2026-01-01'", "true"),
            ("datediff(DATE '2026-01-03', DATE '2026-01-01')", "2"),
            ("date_diff('hour', TIMESTAMP '2026-01-01 00:00:00', TIMESTAMP '2026-01-01 01:59:59')", "1"),
            ("DATE '2026-01-03' - DATE '2026-01-01' > INTERVAL '1' DAY", "true"),
            ("date_trunc('month', DATE '2026-01-31') = '2026-01-01'", "true"),
            ("date_trunc('week', DATE '2026-11-24') = '2026-11-23'", "true"),
            ("last_day(DATE '2024-02-03') = '2024-02-29'", "true"),
            ("to_date('31.12.2026', 'dd.MM.yyyy') = '2026-12-31'", "true"),
            ("to_date('31.13.2026', 'dd.MM.yyyy')", "NULL"),
            ("date_format(DATE '2026-01-05', 'yyyy-MM')", "'2026-01'"),
            ("DATE '2026-01-01' < TIMESTAMP '2026-01-01 00:00:01'", "true"),
        ],
    );
}

#[test]
fn char_columns_are_read_without_their_padding() {
    let column = contract::expr::Expr::column("code", contract::types::DataType::Char(3));
    let row = HashMap::from([("code".to_string(), Value::String("A  ".to_string()))]);
    assert_eq!(eval(&column, &row), Ok(Value::String("A".to_string())));
}

#[test]
fn nan_is_ordered_above_infinity() {
    use contract::expr::{BinaryOp, Expr};
    let nan = || Expr::literal(Value::Double(f64::NAN));
    let infinity = || Expr::literal(Value::Double(f64::INFINITY));
    for (op, left, right, expected) in [
        (BinaryOp::Equal, nan(), nan(), true),
        (BinaryOp::Greater, nan(), infinity(), true),
        (BinaryOp::Less, nan(), infinity(), false),
        (BinaryOp::LessOrEqual, infinity(), nan(), true),
    ] {
        let expr = Expr::binary(op, left, right);
        assert_eq!(eval(&expr, &Nothing), Ok(Value::Boolean(expected)), "{op:?}");
    }
}

#[test]
fn idioms_of_one_engine_are_written_out_for_all() {
    check(
        Syntax::Rule,
        &[
            ("right('abcd', 2)", "'cd'"),
            ("right('a', 2)", "'a'"),
            ("left('abcd', 2)", "'ab'"),
            ("substring('abcd', -2)", "'cd'"),
            ("substring_index('a.b.c', '.', -1)", "'c'"),
            ("substring_index('a.b.c', '.', 1)", "'a'"),
            ("decode('B', 'A', 1, 'B', 2, 0)", "2"),
            ("decode(NULL, NULL, 1, 0)", "1"),
            ("isnull(NULL, 'x')", "'x'"),
            ("pmod(-7, 3)", "2"),
            ("trunc(-2.5e0)", "-2"),
            ("translate('a-b-c', '-c', '_')", "'a_b_'"),
            ("concat_ws('-', 'a', NULL, 3)", "'a-3'"),
            ("concat_ws(NULL, 'a')", "NULL"),
            ("md5('a')", "'0cc175b9c0f1b6a831c399e269772661'"),
            ("levenshtein('kitten', 'sitting')", "3"),
            ("octet_length('é')", "2"),
            ("'abc' ~* '^AB'", "true"),
            ("'abc' !~ '^AB'", "true"),
            ("regexp_like('ABC', '^ab', 'i')", "true"),
            ("'b' = ANY (ARRAY['a', 'b'])", "true"),
            ("'xa' LIKE ANY ('a%', '%a')", "true"),
            ("1 = 1 && 2 > 1;", "true"),
            ("month_ends(1)", "refused: there is no function `month_ends`"),
            ("{{ column }} > 0", "refused: it is a template; render it first, so that it names columns and values"),
        ],
    );
    check(Syntax::Spark, &[("1.5D", "1.5"), ("10BD", "10e-0"), ("5S", "5"), ("split('a@b', '@')[1]", "'b'")]);
    check(
        Syntax::Trino,
        &[
            ("element_at(split('a@b', '@'), 2)", "'b'"),
            ("to_hex(md5(to_utf8('a')))", "'0CC175B9C0F1B6A831C399E269772661'"),
            ("contains(ARRAY['a', 'b'], 'c')", "false"),
            ("from_unixtime(86400) = TIMESTAMP '1970-01-02 00:00:00'", "true"),
        ],
    );
}

#[test]
fn months_and_years_are_counted_where_they_are_full() {
    check(
        Syntax::Rule,
        &[
            ("date_diff('month', DATE '2026-01-31', DATE '2026-02-28')", "1"),
            ("date_diff('month', DATE '2026-01-30', DATE '2026-02-27')", "0"),
            ("date_diff('month', DATE '2026-03-15', DATE '2026-01-16')", "-1"),
            ("datediff(year, DATE '2008-02-29', DATE '2026-02-28')", "18"),
            ("datediff(year, DATE '2008-03-01', DATE '2026-02-28')", "17"),
            ("months_between(DATE '2026-02-28', DATE '2026-01-31')", "1.0"),
            ("months_between(DATE '2026-01-16', DATE '2026-01-01')", "0.4838709677419355"),
            ("dateadd(month, 1, DATE '2026-01-31') = '2026-02-28'", "true"),
            ("DATE '2026-01-31' - 30 = DATE '2026-01-01'", "true"),
            ("weekofyear(DATE '2027-01-01')", "53"),
            ("to_date('05.01.2026', 'DD.MM.YYYY') = DATE '2026-01-05'", "true"),
        ],
    );
}

/// A row whose only column is this one.
struct Only(Value);

impl Row for Only {
    fn cell(&self, _: &ColumnRef) -> Option<Value> {
        Some(self.0.clone())
    }
}

#[test]
fn each_element_counts_once_and_null_is_one() {
    let size = parse("size(array_distinct(tags))", Syntax::Rule, &AnyColumn).unwrap();
    let text = |text: &str| Value::String(text.to_owned());
    let tags = Value::Array(vec![text("b"), Value::Null, text("a"), text("b"), Value::Null]);
    assert_eq!(eval(&size, &Only(tags)), Ok(Value::Int(3)));
    assert_eq!(eval(&size, &Only(Value::Array(Vec::new()))), Ok(Value::Int(0)));
    assert_eq!(eval(&size, &Only(Value::Null)), Ok(Value::Null));
}
