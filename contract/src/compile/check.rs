//! What one rule must count.
//!
//! A row rule becomes a violation predicate that is true or false for every row, never NULL: what NULL and NaN mean is
//! decided here, by the rule's `on_null` and `on_nan` or the default of its kind, and not by an engine.
//!
//! | kind | NULL | NaN | empty text |
//! |---|---|---|---|
//! | `not_null` | violates | passes | passes |
//! | `not_empty` | passes | – | violates, blanks too |
//! | `min`, `max`, `range`, `range_soft` | passes | violates | – |
//! | `allowed_values` | passes | violates | must be listed |
//! | `regex`, `check_constraint` | passes | as the expression says | as the expression says |
//! | `type` (text of an incoming file) | passes | passes | passes, as NULL does |
//! | `unique` | not compared | one value | one value |
//! | `grain_uniqueness` | one value | one value | one value |
//! | `primary_key` | violates | one value | one value |
//! | `foreign_key` | passes | – | must be found |

use serde_json::Value as Json;

use crate::expr::parse::{self, Syntax};
use crate::expr::{BinaryOp, Expr, pattern};
use crate::rule::{Expects, Rule, RuleKind, Stage, Verdict};
use crate::schema::{Column, TableSchema, nearest};
use crate::types::DataType;

/// What a rule must count.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    /// Rows for which the predicate is true violate the rule. It is never NULL, and includes the rule's `where`.
    Row {
        /// The violation.
        violation: Expr,
        /// The rows that are judged: the rule's `where`, or true.
        judged: Expr,
    },
    /// The raw text of a column must have a type. Only incoming files have raw text; a typed table passes by its schema.
    Type {
        /// The column.
        column: String,
        /// The type.
        data_type: DataType,
        /// The violation, over a column of the same name that holds the raw text.
        violation: Expr,
    },
    /// Rows that share their key with another row are surplus, all but one of each group.
    Duplicates {
        /// The key's columns.
        columns: Vec<String>,
        /// What a NULL in a key column means.
        nulls: NullKeys,
        /// The rows that are judged.
        judged: Expr,
    },
    /// Values that do not occur in another table violate the rule; NULLs pass.
    ForeignKey {
        /// The column.
        column: String,
        /// The referenced table as written, `table` or `database.table`.
        ref_table: String,
        /// The referenced column.
        ref_column: String,
        /// The rows that are judged.
        judged: Expr,
    },
    /// The share of NULLs of a column, 0 to 1, is at most this.
    NullShare {
        /// The column.
        column: String,
        /// The bound.
        max: f64,
        /// The rows that are judged.
        judged: Expr,
    },
    /// The number of judged rows lies within bounds.
    RowCount {
        /// Fewest rows.
        min: Option<u64>,
        /// Most rows.
        max: Option<u64>,
        /// The rows that are judged.
        judged: Expr,
    },
    /// The number of rows stays near the average of the window before it.
    RowCountHistory {
        /// Largest tolerated deviation as a share of the average.
        max_deviation: f64,
        /// Days of the window.
        window_days: u32,
    },
    /// The newest value of a column is at most this old.
    Age {
        /// A date or timestamp column.
        column: String,
        /// Hours.
        max_age_hours: f64,
    },
    /// A query of its own.
    Query {
        /// The query, as written.
        sql: String,
        /// What its result means.
        expects: Expects,
    },
}

/// What a NULL in a key column means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullKeys {
    /// The row is not compared.
    Ignore,
    /// NULL is a value like any other.
    Compare,
    /// The row violates the rule.
    Violate,
}

/// Why a rule cannot be checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule {rule}: {reason}")]
pub struct RuleError {
    /// The rule's id.
    pub rule: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl Check {
    /// The stage of a rule that states none: row rules run before the load and after it, all others after it.
    pub fn default_stage(&self) -> Stage {
        match self {
            Check::Row { .. } => Stage::Both,
            Check::Type { .. } => Stage::PreLoad,
            _ => Stage::PostLoad,
        }
    }

    /// When the rule runs.
    pub fn stage(&self, rule: &Rule) -> Stage {
        rule.stage.unwrap_or(self.default_stage())
    }
}

/// What a rule must count on a table of this schema. An error says what is wrong with the rule.
pub fn check(rule: &Rule, schema: &TableSchema) -> Result<Check, RuleError> {
    compile(rule, schema).map_err(|reason| RuleError { rule: rule.id.clone(), reason })
}

fn compile(rule: &Rule, schema: &TableSchema) -> Result<Check, String> {
    let judged = match &rule.filter {
        Some(text) => Expr::or_else(predicate(text, schema).map_err(|error| format!("where: {error}"))?, false),
        None => Expr::boolean(true),
    };
    let row = |violation: Expr| {
        let violation = match rule.filter {
            Some(_) => Expr::and_all([judged.clone(), violation]),
            None => violation,
        };
        Ok(Check::Row { violation, judged: judged.clone() })
    };
    match &rule.kind {
        RuleKind::NotNull => row(Expr::is_null(column(rule, schema)?.1)),
        RuleKind::NotEmpty => {
            let (name, text) = column(rule, schema)?;
            expect_text(&name, &text)?;
            let blank = Expr::equal(trimmed(text.clone())?, Expr::text(""));
            row(violation(rule, &text, blank, Verdict::Pass))
        }
        RuleKind::Min { value } => row(outside(rule, schema, Some(value), None)?),
        RuleKind::Max { value } => row(outside(rule, schema, None, Some(value))?),
        RuleKind::Range { min, max } | RuleKind::RangeSoft { min, max } => {
            row(outside(rule, schema, min.as_ref(), max.as_ref())?)
        }
        RuleKind::AllowedValues { values } => {
            let (name, operand) = column(rule, schema)?;
            let list = values.iter().map(|value| constant(&name, &operand.data_type, value));
            let listed = Expr::in_list(operand.clone(), list.collect::<Result<_, _>>()?);
            row(violation(rule, &operand, Expr::not(listed), Verdict::Violate))
        }
        RuleKind::Regex { pattern } => {
            let (name, operand) = column(rule, schema)?;
            expect_text(&name, &operand)?;
            pattern::portable(pattern).map_err(|error| error.to_string())?;
            let matched = Expr::matches(operand.clone(), pattern.as_str());
            row(violation(rule, &operand, Expr::not(matched), Verdict::Pass))
        }
        RuleKind::CheckConstraint { expression } => {
            let holds = predicate(expression, schema)?;
            let unknown_violates = rule.on_null == Some(Verdict::Violate);
            row(Expr::not(Expr::or_else(holds, !unknown_violates)))
        }
        RuleKind::Type { data_type } => {
            let (name, operand) = column(rule, schema)?;
            let data_type = match data_type {
                Some(text) => DataType::parse(text).map_err(|error| error.to_string())?,
                None => operand.data_type,
            };
            let raw = Expr::column(&name, DataType::String);
            let present = Expr::not(Expr::equal(trimmed(raw.clone())?, Expr::text("")));
            let unreadable = Expr::is_null(Expr::cast(raw, data_type.clone()));
            let violation = Expr::or_else(Expr::and_all([present, unreadable]), false);
            Ok(Check::Type { column: name, data_type, violation })
        }
        RuleKind::Unique => {
            let (name, _) = column(rule, schema)?;
            Ok(Check::Duplicates { columns: vec![name], nulls: NullKeys::Ignore, judged })
        }
        RuleKind::PrimaryKey { columns } => {
            Ok(Check::Duplicates { columns: known(columns, schema)?, nulls: NullKeys::Violate, judged })
        }
        RuleKind::GrainUniqueness { grain } => {
            Ok(Check::Duplicates { columns: known(grain, schema)?, nulls: NullKeys::Compare, judged })
        }
        RuleKind::ForeignKey { ref_table, ref_column } => Ok(Check::ForeignKey {
            column: column(rule, schema)?.0,
            ref_table: ref_table.clone(),
            ref_column: ref_column.clone(),
            judged,
        }),
        RuleKind::NullRatio { max } => {
            if !(0.0..=1.0).contains(max) {
                return Err(format!("max is a share from 0 to 1, found {max}"));
            }
            Ok(Check::NullShare { column: column(rule, schema)?.0, max: *max, judged })
        }
        RuleKind::RowCount { min, max } => {
            if min.is_none() && max.is_none() {
                return Err("row_count needs `min` or `max`".to_owned());
            }
            Ok(Check::RowCount { min: *min, max: *max, judged })
        }
        RuleKind::RowCountAnomaly { max_deviation, window_days, .. } => {
            if *max_deviation <= 0.0 || *window_days == 0 {
                return Err("max_deviation and window_days must be larger than 0".to_owned());
            }
            Ok(Check::RowCountHistory { max_deviation: *max_deviation, window_days: *window_days })
        }
        RuleKind::Freshness { column, max_age_hours } => {
            let dated = find(column, schema)?;
            match dated.data_type {
                DataType::Date | DataType::Timestamp | DataType::Unknown => {
                    Ok(Check::Age { column: dated.name.clone(), max_age_hours: *max_age_hours })
                }
                _ => Err(format!("freshness needs a date or timestamp, {} is {}", dated.name, dated.data_type)),
            }
        }
        RuleKind::CustomSql { sql, expects } => Ok(Check::Query { sql: sql.clone(), expects: *expects }),
        RuleKind::Unknown { name } => match nearest(name, crate::rule::json::KINDS.iter().copied()).first() {
            Some(kind) => Err(format!("`{name}` is no rule type that can be run; did you mean `{kind}`?")),
            None => Err(format!("`{name}` is no rule type that this version can run")),
        },
    }
}

/// Rule text as a predicate over the schema's columns.
fn predicate(text: &str, schema: &TableSchema) -> Result<Expr, String> {
    let predicate = parse::parse(text, Syntax::Rule, schema).map_err(|error| error.to_string())?;
    match predicate.data_type {
        DataType::Boolean | DataType::Unknown | DataType::Null => Ok(predicate),
        other => Err(format!("`{text}` is {other}, a rule needs true or false")),
    }
}

/// True where the operand lies outside the bounds.
fn outside(rule: &Rule, schema: &TableSchema, min: Option<&Json>, max: Option<&Json>) -> Result<Expr, String> {
    let (name, operand) = column(rule, schema)?;
    let bound = |op, value: &Json| {
        let bound = constant(&name, &operand.data_type, value)?;
        Ok::<_, String>(Expr::binary(op, operand.clone(), bound))
    };
    let low = min.map(|value| bound(BinaryOp::Less, value)).transpose()?;
    let high = max.map(|value| bound(BinaryOp::Greater, value)).transpose()?;
    let outside = Expr::or_all(low.into_iter().chain(high));
    Ok(violation(rule, &operand, outside, Verdict::Violate))
}

/// A two-valued violation: NULL as the rule says (else it passes), NaN as the rule says (else `on_nan`).
fn violation(rule: &Rule, operand: &Expr, violated: Expr, on_nan: Verdict) -> Expr {
    let null_violates = rule.on_null == Some(Verdict::Violate);
    let violated = Expr::or_else(violated, null_violates);
    if !matches!(operand.data_type, DataType::Float | DataType::Double) {
        return violated;
    }
    let nan = Expr::is_nan(operand.clone());
    match rule.on_nan.unwrap_or(on_nan) {
        Verdict::Violate => Expr::or_all([nan, violated]),
        Verdict::Pass => Expr::and_all([Expr::not(nan), violated]),
    }
}

/// A constant of the document as one of the column's type.
fn constant(column: &str, data_type: &DataType, value: &Json) -> Result<Expr, String> {
    let mismatch = || format!("{value} is no {data_type}, the type of {column}");
    let literal = match value {
        Json::String(text) => parse::beside(Expr::text(text.as_str()), data_type),
        Json::Bool(flag) => Expr::boolean(*flag),
        Json::Number(number) => {
            let text = number.to_string();
            let magnitude = parse::number(text.trim_start_matches('-')).ok_or_else(mismatch)?;
            let literal = Expr::literal(magnitude);
            let literal = if text.starts_with('-') { Expr::negate(literal) } else { literal };
            parse::beside(literal, data_type)
        }
        _ => return Err(mismatch()),
    };
    let fits = match data_type {
        DataType::Unknown => true,
        DataType::String | DataType::Char(_) | DataType::Varchar(_) => literal.data_type == DataType::String,
        DataType::Date => matches!(literal.data_type, DataType::Date | DataType::Timestamp),
        DataType::Timestamp | DataType::Boolean => literal.data_type == *data_type,
        numeric if numeric.is_numeric() => literal.data_type.is_numeric(),
        _ => false,
    };
    if fits { Ok(literal) } else { Err(mismatch()) }
}

fn trimmed(text: Expr) -> Result<Expr, String> {
    Expr::call("trim", vec![text]).ok_or_else(|| "the function table has no trim".to_owned())
}

fn expect_text(name: &str, operand: &Expr) -> Result<(), String> {
    match operand.data_type {
        DataType::String | DataType::Char(_) | DataType::Varchar(_) | DataType::Unknown => Ok(()),
        ref other => Err(format!("the rule judges text, {name} is {other}")),
    }
}

/// The rule's column, by its name in the schema.
fn column(rule: &Rule, schema: &TableSchema) -> Result<(String, Expr), String> {
    let name = rule.column.as_deref().ok_or_else(|| format!("a rule of type {} needs a column", rule.kind.name()))?;
    let column = find(name, schema)?;
    Ok((column.name.clone(), Expr::column(&column.name, column.data_type.clone())))
}

fn known(names: &[String], schema: &TableSchema) -> Result<Vec<String>, String> {
    if names.is_empty() {
        return Err("a key needs at least one column".to_owned());
    }
    names.iter().map(|name| find(name, schema).map(|column| column.name.clone())).collect()
}

fn find<'a>(name: &str, schema: &'a TableSchema) -> Result<&'a Column, String> {
    schema.column(name).ok_or_else(|| {
        let names = schema.columns.iter().map(|column| column.name.as_str());
        match nearest(name, names.clone()).first() {
            Some(near) => format!("there is no column `{name}`; did you mean `{near}`?"),
            None => format!("there is no column `{name}`; the columns are {}", names.collect::<Vec<_>>().join(", ")),
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
        ];
        for (column, rule, expected) in cases {
            let told = compiled(column, rule).unwrap_err().to_string();
            assert!(told.contains(expected), "{told}");
        }
    }
}
