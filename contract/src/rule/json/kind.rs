//! A rule's kind out of its document and back. [`super::super::kinds::KINDS`] lists the keys.

use serde_json::{Value as Json, json};

use super::sentence;
use super::{EXPECTS, word};
use crate::document::fields::{Fields, Problems, plain_number};
use crate::rule::aggregate::FUNCTIONS;
use crate::rule::calendar::Calendar;
use crate::rule::kinds;
use crate::rule::{AggregateFunction, AsOf, Comparison, Duplicates, Expects, RuleKind};
use crate::schema::nearest;

/// Day-to-day deviation of the row count that the specification's example tolerates.
const DEFAULT_DEVIATION: f64 = 0.2;
/// Window of the specification's example.
const DEFAULT_WINDOW_DAYS: u32 = 7;

const DUPLICATES: &[(&str, Duplicates)] = &[("rows", Duplicates::Rows), ("values", Duplicates::Values)];
const COMPARISONS: &[(&str, Comparison)] = &[
    ("==", Comparison::Equal),
    ("=", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<>", Comparison::NotEqual),
    ("<", Comparison::Less),
    ("<=", Comparison::LessOrEqual),
    (">", Comparison::Greater),
    (">=", Comparison::GreaterOrEqual),
];

impl Comparison {
    /// Its symbol.
    pub fn symbol(self) -> &'static str {
        word(COMPARISONS, self)
    }
}

/// The kind of this name. Where a key is missing, or the name is unknown, a problem is told and the kind is
/// [`RuleKind::Unknown`].
pub(super) fn read(name: &str, fields: &mut Fields, column: Option<&str>) -> RuleKind {
    let unknown = || RuleKind::Unknown { name: name.to_owned() };
    let written = name.to_lowercase().replace([' ', '-'], "_");
    let Some(kind) = kinds::find(&written) else {
        let names = kinds::KINDS.iter().map(|kind| kind.name);
        let meant = nearest(&written, names).first().copied();
        let hint = meant.map(|kind| format!(" (did you mean `{kind}`?)")).unwrap_or_default();
        let message = format!("`{name}` is no rule type that this version knows{hint}: it is kept but not run");
        fields.problems().add(&fields.path_of("type"), message);
        return unknown();
    };
    let keys = fields.untaken();
    match known(kind.name, &written, fields, column) {
        Ok(kind) => kind,
        Err(missing) => {
            // What is kept is kept whole.
            fields.restore(keys);
            let message = format!("a rule of type {} needs {missing}; it is kept but not run", kind.name);
            fields.problems().add(fields.path(), message);
            unknown()
        }
    }
}

/// The kind, or the keys that are missing. `written` is the name as the document has it, perhaps another one for the kind.
fn known(name: &str, written: &str, fields: &mut Fields, column: Option<&str>) -> Result<RuleKind, &'static str> {
    let key_columns = |fields: &mut Fields, keys: &[&str]| {
        let found = keys.iter().find_map(|key| fields.texts(key));
        found.or_else(|| column.map(|column| vec![column.to_owned()])).filter(|columns| !columns.is_empty())
    };
    let values = |fields: &mut Fields| fields.list("values").filter(|values| !values.is_empty()).ok_or("`values`");
    Ok(match name {
        "not_null" => RuleKind::NotNull,
        "null_ratio" => RuleKind::NullRatio { max: fields.number("max").ok_or("`max`, a share from 0 to 1")? },
        "not_empty" => RuleKind::NotEmpty,
        "unique" => RuleKind::Unique,
        "primary_key" => {
            RuleKind::PrimaryKey { columns: key_columns(fields, &["columns", "grain"]).ok_or("`columns`")? }
        }
        "grain_uniqueness" => {
            RuleKind::GrainUniqueness { grain: key_columns(fields, &["grain", "columns"]).ok_or("`grain`")? }
        }
        "duplicate_count" => RuleKind::DuplicateCount {
            columns: key_columns(fields, &["columns"]).ok_or("`columns`")?,
            of: fields.choice("of", DUPLICATES).unwrap_or_default(),
            max: fields.count("max").unwrap_or_default(),
        },
        "distinct_count" => {
            let (min, max) = counts(fields)?;
            RuleKind::DistinctCount { min, max }
        }
        "min" => RuleKind::Min { value: fields.take_any(&["value", "min"]).ok_or("`value`")? },
        "max" => RuleKind::Max { value: fields.take_any(&["value", "max"]).ok_or("`value`")? },
        "range" | "range_soft" => match (fields.take("min"), fields.take("max")) {
            (None, None) => return Err("`min` or `max`"),
            (min, max) if name == "range_soft" => RuleKind::RangeSoft { min, max },
            (min, max) => RuleKind::Range { min, max },
        },
        "allowed_values" => RuleKind::AllowedValues { values: values(fields)? },
        "forbidden_values" => RuleKind::ForbiddenValues { values: values(fields)? },
        "regex" => RuleKind::Regex { pattern: fields.text("pattern").ok_or("`pattern`")? },
        "like" => RuleKind::Like { pattern: fields.text("pattern").ok_or("`pattern`")? },
        "length" => {
            let exact = fields.count("value");
            let (min, max) = if exact.is_some() { (exact, exact) } else { counts(fields)? };
            RuleKind::Length { min, max }
        }
        "type" => RuleKind::Type { data_type: fields.text("data_type") },
        "date_format" => RuleKind::DateFormat { format: fields.text("format").ok_or("`format`, such as yyyy-MM-dd")? },
        "not_in_future" => RuleKind::NotInFuture,
        "older_than_column" => RuleKind::OlderThanColumn {
            other: fields.text("other").ok_or("`other`, a column")?,
            min_days: fields.count("min_days").and_then(|days| u32::try_from(days).ok()),
        },
        "compare_columns" => RuleKind::CompareColumns {
            operator: fields.choice("operator", COMPARISONS).ok_or("`operator`, such as <=")?,
            other: fields.text("other").ok_or("`other`, a column")?,
        },
        "foreign_key" => foreign_key(fields)?,
        "row_count" => {
            let (min, max) = counts(fields)?;
            RuleKind::RowCount { min, max }
        }
        "row_count_anomaly" => row_count_anomaly(fields),
        "freshness" => RuleKind::Freshness {
            column: column.ok_or("`column`, the one that dates the rows")?.to_owned(),
            max_age_hours: fields.number("max_age_hours").ok_or("`max_age_hours`")?,
            calendar: Calendar::read(fields),
        },
        "column_set" => RuleKind::ColumnSet {
            columns: fields.texts("columns").filter(|columns| !columns.is_empty()).ok_or("`columns`")?,
            others: fields.flag("others").unwrap_or(false),
            ordered: fields.flag("ordered").unwrap_or(false),
        },
        "check_constraint" => {
            RuleKind::CheckConstraint { expression: fields.text("expression").ok_or("`expression`")? }
        }
        "aggregate" => aggregate(written, fields)?,
        "custom_sql" => {
            let (min, max) = (fields.number("min"), fields.number("max"));
            let bounded = min.is_some() || max.is_some();
            let told = if bounded { Expects::Value } else { Expects::NoRows };
            RuleKind::CustomSql {
                sql: fields.text("sql").ok_or("`sql`")?,
                expects: fields.choice("expects", EXPECTS).unwrap_or(told),
                min,
                max,
            }
        }
        _ => return Err("a newer version of the program"),
    })
}

/// The keys of a kind, in order; a null is left out.
pub(super) fn write(kind: &RuleKind) -> Vec<(&'static str, Json)> {
    let flag = |set: bool| if set { json!(true) } else { Json::Null };
    match kind {
        RuleKind::NotNull
        | RuleKind::NotEmpty
        | RuleKind::Unique
        | RuleKind::NotInFuture
        | RuleKind::Unknown { .. } => vec![],
        RuleKind::NullRatio { max } => vec![("max", plain_number(*max))],
        RuleKind::PrimaryKey { columns } => vec![("columns", json!(columns))],
        RuleKind::GrainUniqueness { grain } => vec![("grain", json!(grain))],
        RuleKind::DuplicateCount { columns, of, max } => {
            vec![("columns", json!(columns)), ("of", json!(word(DUPLICATES, *of))), ("max", json!(max))]
        }
        RuleKind::Min { value } | RuleKind::Max { value } => vec![("value", value.clone())],
        RuleKind::Range { min, max } | RuleKind::RangeSoft { min, max } => {
            vec![("min", json!(min)), ("max", json!(max))]
        }
        RuleKind::DistinctCount { min, max } | RuleKind::Length { min, max } | RuleKind::RowCount { min, max } => {
            vec![("min", json!(min)), ("max", json!(max))]
        }
        RuleKind::AllowedValues { values } | RuleKind::ForbiddenValues { values } => vec![("values", json!(values))],
        RuleKind::Regex { pattern } | RuleKind::Like { pattern } => vec![("pattern", json!(pattern))],
        RuleKind::Type { data_type } => vec![("data_type", json!(data_type))],
        RuleKind::DateFormat { format } => vec![("format", json!(format))],
        RuleKind::OlderThanColumn { other, min_days } => vec![("other", json!(other)), ("min_days", json!(min_days))],
        RuleKind::CompareColumns { operator, other } => {
            vec![("operator", json!(operator.symbol())), ("other", json!(other))]
        }
        RuleKind::ForeignKey { columns, ref_table, ref_columns, ref_where, as_of } => {
            let (column_key, ref_columns) = match ref_columns.as_slice() {
                [one] => ("ref_column", json!(one)),
                several => ("ref_columns", json!(several)),
            };
            let columns = if columns.is_empty() { Json::Null } else { json!(columns) };
            vec![
                ("columns", columns),
                ("ref_table", json!(ref_table)),
                (column_key, ref_columns),
                ("ref_where", json!(ref_where)),
                ("as_of", as_of.as_ref().map_or(Json::Null, AsOf::write)),
            ]
        }
        RuleKind::RowCountAnomaly { rule, max_deviation, window_days } => {
            vec![
                ("rule", json!(rule)),
                ("max_deviation", plain_number(*max_deviation)),
                ("window_days", json!(window_days)),
            ]
        }
        RuleKind::Freshness { column, max_age_hours, calendar } => vec![
            ("column", json!(column)),
            ("max_age_hours", plain_number(*max_age_hours)),
            ("calendar", calendar.write().unwrap_or_default()),
        ],
        RuleKind::ColumnSet { columns, others, ordered } => {
            vec![("columns", json!(columns)), ("others", flag(*others)), ("ordered", flag(*ordered))]
        }
        RuleKind::CheckConstraint { expression } => vec![("expression", json!(expression))],
        RuleKind::Aggregate { function, min, max, group_by } => {
            let share = if let AggregateFunction::Quantile(share) = function { json!(share) } else { Json::Null };
            let group_by = if group_by.is_empty() { Json::Null } else { json!(group_by) };
            vec![
                ("function", json!(function.name())),
                ("quantile", share),
                ("min", json!(min)),
                ("max", json!(max)),
                ("group_by", group_by),
            ]
        }
        RuleKind::CustomSql { sql, expects, min, max } => vec![
            ("sql", json!(sql)),
            ("expects", json!(word(EXPECTS, *expects))),
            ("min", min.map_or(Json::Null, plain_number)),
            ("max", max.map_or(Json::Null, plain_number)),
        ],
    }
}

/// Whole-number bounds; one of them at least.
fn counts(fields: &mut Fields) -> Result<(Option<u64>, Option<u64>), &'static str> {
    match (fields.count("min"), fields.count("max")) {
        (None, None) => Err("`min` or `max`"),
        bounds => Ok(bounds),
    }
}

fn foreign_key(fields: &mut Fields) -> Result<RuleKind, &'static str> {
    const NEEDED: &str = "`ref_table` and `ref_column`";
    let columns = fields.texts("columns").unwrap_or_default();
    let ref_table = fields.text("ref_table").ok_or(NEEDED)?;
    let named = fields.texts("ref_columns").or_else(|| fields.texts("ref_column"));
    // A composite key whose referenced columns have the same names need not repeat them.
    let ref_columns = named.or_else(|| (!columns.is_empty()).then(|| columns.clone())).ok_or(NEEDED)?;
    if columns.len().max(1) != ref_columns.len() {
        return Err("as many `ref_columns` as `columns`");
    }
    let ref_where = fields.text("ref_where");
    let as_of = match fields.take("as_of") {
        Some(value) => Some(as_of(value, &fields.path_of("as_of"), fields.problems())?),
        None => None,
    };
    Ok(RuleKind::ForeignKey { columns, ref_table, ref_columns, ref_where, as_of })
}

fn as_of(value: Json, path: &str, problems: &Problems) -> Result<AsOf, &'static str> {
    const NEEDED: &str =
        "in `as_of` either `snapshot`, or `column` with `snapshot`, or `column` with `valid_from` and `valid_to`";
    let mut fields = Fields::of(value, path, problems).ok_or(NEEDED)?;
    let (column, snapshot) = (fields.text("column"), fields.text("snapshot"));
    match (column, snapshot, fields.text("valid_from"), fields.text("valid_to")) {
        (None, Some(snapshot), None, None) => Ok(AsOf::Newest { snapshot }),
        (Some(column), Some(snapshot), None, None) => Ok(AsOf::Snapshot { column, snapshot }),
        (Some(column), None, Some(valid_from), Some(valid_to)) => Ok(AsOf::Validity { column, valid_from, valid_to }),
        _ => Err(NEEDED),
    }
}

impl AsOf {
    fn write(&self) -> Json {
        match self {
            AsOf::Newest { snapshot } => json!({ "snapshot": snapshot }),
            AsOf::Snapshot { column, snapshot } => json!({ "column": column, "snapshot": snapshot }),
            AsOf::Validity { column, valid_from, valid_to } => {
                json!({ "column": column, "valid_from": valid_from, "valid_to": valid_to })
            }
        }
    }
}

fn row_count_anomaly(fields: &mut Fields) -> RuleKind {
    let rule = fields.text("rule");
    let (share, days) = rule.as_deref().map(sentence::share_and_window).unwrap_or_default();
    let stated = fields.number("max_deviation").or(share);
    if let (Some(sentence), None) = (&rule, stated) {
        let message = format!(
            "no share such as 20% can be read out of {sentence:?}: {:.0} % are taken; state `max_deviation`",
            DEFAULT_DEVIATION * 100.0
        );
        fields.problems().add(&fields.path_of("rule"), message);
    }
    let window = fields.count("window_days").and_then(|days| u32::try_from(days).ok());
    RuleKind::RowCountAnomaly {
        max_deviation: stated.unwrap_or(DEFAULT_DEVIATION),
        window_days: window.or(days).unwrap_or(DEFAULT_WINDOW_DAYS),
        rule,
    }
}

/// An aggregate: `{"type": "aggregate", "function": "mean"}`, or its function as the type.
fn aggregate(written: &str, fields: &mut Fields) -> Result<RuleKind, &'static str> {
    let by_type = FUNCTIONS.iter().find(|(name, _)| *name == written).map(|(_, function)| *function);
    let function = by_type.or_else(|| fields.choice("function", FUNCTIONS));
    let function = match function.ok_or("`function`, such as mean")? {
        AggregateFunction::Quantile(_) => {
            let share =
                fields.number("quantile").or_else(|| fields.number("percentile").map(|percent| percent / 100.0));
            AggregateFunction::Quantile(share.ok_or("`quantile`, a share from 0 to 1")?)
        }
        function => function,
    };
    match (fields.take("min"), fields.take("max")) {
        (None, None) => Err("`min` or `max`"),
        (min, max) => {
            Ok(RuleKind::Aggregate { function, min, max, group_by: fields.texts("group_by").unwrap_or_default() })
        }
    }
}
