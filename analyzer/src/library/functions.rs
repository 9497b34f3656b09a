//! `pyspark.sql.functions`: a table of result types, and the functions that are more than a call.

use contract::expr::{BinaryOp, Expr, ExprKind};
use contract::types::DataType;
use contract::value::Value as Constant;

use crate::expression;
use crate::interpret::{Args, Interpreter};
use crate::range::TextRange;
use crate::value::{ColumnForm, ColumnValue, Value};

/// How a function's result type follows from its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Returns {
    /// The first argument's.
    First,
    /// The common type of all arguments.
    Common,
    /// The first argument's, widened as sums are.
    Sum,
    /// An array of the first argument's.
    ArrayOfFirst,
    /// The element of the first argument, an array.
    ElementOfFirst,
    /// A mean: a double, or a decimal with four more digits.
    Mean,
    String,
    Int,
    BigInt,
    Double,
    Boolean,
    Date,
    Timestamp,
    ArrayOfString,
    Binary,
    Unknown,
}

/// Aggregates.
const AGGREGATES: &[(&str, Returns)] = &[
    ("sum", Returns::Sum),
    ("avg", Returns::Mean),
    ("mean", Returns::Mean),
    ("min", Returns::First),
    ("max", Returns::First),
    ("count", Returns::BigInt),
    ("first", Returns::First),
    ("last", Returns::First),
    ("any_value", Returns::First),
    ("collect_list", Returns::ArrayOfFirst),
    ("collect_set", Returns::ArrayOfFirst),
    ("stddev", Returns::Double),
    ("stddev_samp", Returns::Double),
    ("stddev_pop", Returns::Double),
    ("variance", Returns::Double),
    ("var_samp", Returns::Double),
    ("var_pop", Returns::Double),
    ("approx_count_distinct", Returns::BigInt),
    ("median", Returns::Double),
    ("percentile_approx", Returns::First),
    ("approx_percentile", Returns::First),
    ("percentile", Returns::Double),
    ("corr", Returns::Double),
    ("covar_samp", Returns::Double),
    ("covar_pop", Returns::Double),
    ("skewness", Returns::Double),
    ("kurtosis", Returns::Double),
    ("max_by", Returns::First),
    ("min_by", Returns::First),
    ("bool_and", Returns::Boolean),
    ("bool_or", Returns::Boolean),
    ("every", Returns::Boolean),
    ("some", Returns::Boolean),
    ("count_if", Returns::BigInt),
    ("mode", Returns::First),
    ("grouping", Returns::Unknown),
];

/// Functions over a window only.
const WINDOW: &[(&str, Returns)] = &[
    ("row_number", Returns::Int),
    ("rank", Returns::Int),
    ("dense_rank", Returns::Int),
    ("ntile", Returns::Int),
    ("percent_rank", Returns::Double),
    ("cume_dist", Returns::Double),
    ("lag", Returns::First),
    ("lead", Returns::First),
    ("nth_value", Returns::First),
    ("first_value", Returns::First),
    ("last_value", Returns::First),
];

/// Scalar functions.
const SCALARS: &[(&str, Returns)] = &[
    ("abs", Returns::First),
    ("acos", Returns::Double),
    ("add_months", Returns::Date),
    ("array", Returns::ArrayOfFirst),
    ("array_contains", Returns::Boolean),
    ("array_distinct", Returns::First),
    ("array_except", Returns::First),
    ("array_join", Returns::String),
    ("array_max", Returns::ElementOfFirst),
    ("array_min", Returns::ElementOfFirst),
    ("array_position", Returns::BigInt),
    ("array_remove", Returns::First),
    ("array_sort", Returns::First),
    ("array_union", Returns::First),
    ("ascii", Returns::Int),
    ("asin", Returns::Double),
    ("atan", Returns::Double),
    ("atan2", Returns::Double),
    ("base64", Returns::String),
    ("bround", Returns::Unknown),
    ("cbrt", Returns::Double),
    ("ceil", Returns::BigInt),
    ("ceiling", Returns::BigInt),
    ("char_length", Returns::Int),
    ("coalesce", Returns::Common),
    ("concat", Returns::String),
    ("concat_ws", Returns::String),
    ("conv", Returns::String),
    ("cos", Returns::Double),
    ("crc32", Returns::BigInt),
    ("create_map", Returns::Unknown),
    ("current_date", Returns::Date),
    ("current_timestamp", Returns::Timestamp),
    ("now", Returns::Timestamp),
    ("date_add", Returns::Date),
    ("date_format", Returns::String),
    ("date_sub", Returns::Date),
    ("date_trunc", Returns::Timestamp),
    ("datediff", Returns::Int),
    ("date_diff", Returns::Int),
    ("day", Returns::Int),
    ("dayofmonth", Returns::Int),
    ("dayofweek", Returns::Int),
    ("dayofyear", Returns::Int),
    ("degrees", Returns::Double),
    ("element_at", Returns::ElementOfFirst),
    ("exp", Returns::Double),
    ("explode", Returns::ElementOfFirst),
    ("explode_outer", Returns::ElementOfFirst),
    ("flatten", Returns::ElementOfFirst),
    ("floor", Returns::BigInt),
    ("format_number", Returns::String),
    ("format_string", Returns::String),
    ("from_json", Returns::Unknown),
    ("from_unixtime", Returns::String),
    ("from_utc_timestamp", Returns::Timestamp),
    ("get_json_object", Returns::String),
    ("greatest", Returns::Common),
    ("hash", Returns::Int),
    ("hex", Returns::String),
    ("hour", Returns::Int),
    ("if", Returns::Unknown),
    ("ifnull", Returns::Common),
    ("initcap", Returns::String),
    ("input_file_name", Returns::String),
    ("instr", Returns::Int),
    ("isnan", Returns::Boolean),
    ("isnotnull", Returns::Boolean),
    ("isnull", Returns::Boolean),
    ("json_tuple", Returns::Unknown),
    ("last_day", Returns::Date),
    ("lcase", Returns::String),
    ("least", Returns::Common),
    ("left", Returns::String),
    ("length", Returns::Int),
    ("levenshtein", Returns::Int),
    ("locate", Returns::Int),
    ("log", Returns::Double),
    ("log10", Returns::Double),
    ("log1p", Returns::Double),
    ("log2", Returns::Double),
    ("lower", Returns::String),
    ("lpad", Returns::String),
    ("ltrim", Returns::String),
    ("make_date", Returns::Date),
    ("map_from_arrays", Returns::Unknown),
    ("map_keys", Returns::Unknown),
    ("map_values", Returns::Unknown),
    ("md5", Returns::String),
    ("minute", Returns::Int),
    ("month", Returns::Int),
    ("monotonically_increasing_id", Returns::BigInt),
    ("months_between", Returns::Double),
    ("nanvl", Returns::First),
    ("negative", Returns::First),
    ("next_day", Returns::Date),
    ("nullif", Returns::First),
    ("nvl", Returns::Common),
    ("nvl2", Returns::Unknown),
    ("overlay", Returns::String),
    ("pmod", Returns::First),
    ("posexplode", Returns::Unknown),
    ("posexplode_outer", Returns::Unknown),
    ("pow", Returns::Double),
    ("power", Returns::Double),
    ("quarter", Returns::Int),
    ("radians", Returns::Double),
    ("rand", Returns::Double),
    ("randn", Returns::Double),
    ("regexp_extract", Returns::String),
    ("regexp_replace", Returns::String),
    ("repeat", Returns::String),
    ("replace", Returns::String),
    ("reverse", Returns::First),
    ("right", Returns::String),
    ("rlike", Returns::Boolean),
    ("round", Returns::Unknown),
    ("rpad", Returns::String),
    ("rtrim", Returns::String),
    ("schema_of_json", Returns::String),
    ("second", Returns::Int),
    ("sequence", Returns::ArrayOfFirst),
    ("sha", Returns::String),
    ("sha1", Returns::String),
    ("sha2", Returns::String),
    ("shiftleft", Returns::First),
    ("sign", Returns::Double),
    ("signum", Returns::Double),
    ("sin", Returns::Double),
    ("size", Returns::Int),
    ("slice", Returns::First),
    ("sort_array", Returns::First),
    ("soundex", Returns::String),
    ("spark_partition_id", Returns::Int),
    ("split", Returns::ArrayOfString),
    ("sqrt", Returns::Double),
    ("struct", Returns::Unknown),
    ("named_struct", Returns::Unknown),
    ("substr", Returns::String),
    ("substring", Returns::String),
    ("substring_index", Returns::String),
    ("tan", Returns::Double),
    ("timestamp_seconds", Returns::Timestamp),
    ("to_date", Returns::Date),
    ("to_json", Returns::String),
    ("to_timestamp", Returns::Timestamp),
    ("to_utc_timestamp", Returns::Timestamp),
    ("transform", Returns::Unknown),
    ("translate", Returns::String),
    ("trim", Returns::String),
    ("trunc", Returns::Date),
    ("typeof", Returns::String),
    ("ucase", Returns::String),
    ("unbase64", Returns::Binary),
    ("unhex", Returns::Binary),
    ("unix_timestamp", Returns::BigInt),
    ("upper", Returns::String),
    ("uuid", Returns::String),
    ("weekofyear", Returns::Int),
    ("window", Returns::Unknown),
    ("xxhash64", Returns::BigInt),
    ("year", Returns::Int),
    ("zip_with", Returns::Unknown),
    ("arrays_zip", Returns::Unknown),
    ("aggregate", Returns::Unknown),
    ("exists", Returns::Boolean),
    ("filter", Returns::First),
    ("forall", Returns::Boolean),
];

/// Names of the module that are given a meaning of their own below.
const SPECIAL: &[&str] = &[
    "col",
    "column",
    "lit",
    "expr",
    "when",
    "udf",
    "pandas_udf",
    "broadcast",
    "desc",
    "asc",
    "desc_nulls_last",
    "desc_nulls_first",
    "asc_nulls_last",
    "asc_nulls_first",
    "countDistinct",
    "count_distinct",
    "sumDistinct",
    "approxCountDistinct",
    "toDegrees",
    "toRadians",
];

/// Whether the module exports a name.
pub(crate) fn is_known(name: &str) -> bool {
    SPECIAL.contains(&name) || entry(name).is_some()
}

/// What kind of function a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar,
    Aggregate,
    Window,
}

fn entry(name: &str) -> Option<(&'static str, Kind, Returns)> {
    let find = |table: &'static [(&'static str, Returns)]| table.iter().find(|(known, _)| *known == name).copied();
    if let Some((name, returns)) = find(AGGREGATES) {
        return Some((name, Kind::Aggregate, returns));
    }
    if let Some((name, returns)) = find(WINDOW) {
        return Some((name, Kind::Window, returns));
    }
    find(SCALARS).map(|(name, returns)| (name, Kind::Scalar, returns))
}

/// The result type of a function of the tables.
pub(crate) fn result_type(function: &str, args: &[Expr]) -> Option<DataType> {
    let (_, _, returns) = entry(function)?;
    let first = args.first().map(|arg| arg.data_type.clone()).unwrap_or_default();
    Some(match returns {
        Returns::First => first,
        Returns::Common => expression::common(args.iter().map(|arg| &arg.data_type)),
        Returns::Sum => match first {
            DataType::TinyInt | DataType::SmallInt | DataType::Int | DataType::BigInt => DataType::BigInt,
            DataType::Float | DataType::Double | DataType::String => DataType::Double,
            DataType::Decimal { precision, scale } => {
                DataType::Decimal { precision: precision.saturating_add(10).min(38), scale }
            }
            _ => DataType::Unknown,
        },
        Returns::Mean => match first {
            DataType::Decimal { precision, scale } => DataType::Decimal {
                precision: precision.saturating_add(4).min(38),
                scale: scale.saturating_add(4).min(38),
            },
            DataType::Unknown => DataType::Unknown,
            _ => DataType::Double,
        },
        Returns::ArrayOfFirst => DataType::Array(Box::new(first)),
        Returns::ElementOfFirst => match first {
            DataType::Array(element) => *element,
            DataType::Map(_, value) => *value,
            _ => DataType::Unknown,
        },
        Returns::String => DataType::String,
        Returns::Int => DataType::Int,
        Returns::BigInt => DataType::BigInt,
        Returns::Double => DataType::Double,
        Returns::Boolean => DataType::Boolean,
        Returns::Date => DataType::Date,
        Returns::Timestamp => DataType::Timestamp,
        Returns::ArrayOfString => DataType::Array(Box::new(DataType::String)),
        Returns::Binary => DataType::Binary,
        Returns::Unknown => DataType::Unknown,
    })
}

/// A call by name, from PySpark or from SQL text.
pub(crate) fn function(name: &str, args: Vec<Expr>, distinct: bool, range: TextRange) -> Expr {
    let lower = name.to_lowercase();
    let canonical = match lower.as_str() {
        "mean" => "avg",
        "lcase" => "lower",
        "ucase" => "upper",
        "substr" => "substring",
        other => other,
    };
    if matches!((canonical, args.as_slice()), ("isnull", [_])) {
        return is_null(args, false, range);
    }
    if matches!((canonical, args.as_slice()), ("isnotnull", [_])) {
        return is_null(args, true, range);
    }
    let Some((function, kind, _)) = entry(canonical) else {
        return expression::opaque(name, args, DataType::Unknown, range);
    };
    let data_type = result_type(function, &args).unwrap_or_default();
    let kind = match kind {
        Kind::Aggregate => ExprKind::Aggregate { function, args, distinct },
        Kind::Scalar | Kind::Window => ExprKind::Call { function, args },
    };
    Expr { kind, data_type, span: expression::span(range) }
}

fn is_null(args: Vec<Expr>, negated: bool, range: TextRange) -> Expr {
    let Some(operand) = args.into_iter().next() else {
        return expression::opaque("isnull", Vec::new(), DataType::Boolean, range);
    };
    let test =
        Expr { kind: ExprKind::IsNull(Box::new(operand)), data_type: DataType::Boolean, span: expression::span(range) };
    if negated { expression::not(test, range) } else { test }
}

/// The call of `pyspark.sql.functions.NAME`.
pub(crate) fn call(interpreter: &mut Interpreter, name: &str, args: &Args) -> Value {
    let range = interpreter.here(args.range);
    match name {
        "col" | "column" => match args.find(0, "col") {
            Some((value, place)) => super::column::named(interpreter, value, place),
            None => super::column::unknown(Vec::new(), range),
        },
        "lit" => match args.get(0, "col") {
            Some(Value::Column(column)) => Value::Column(column.clone()),
            Some(value) => Value::column(super::column::constant(value, range)),
            None => super::column::unknown(Vec::new(), range),
        },
        "expr" => match args.find(0, "str") {
            Some((value, place)) => super::column::from_sql(interpreter, value, place),
            None => super::column::unknown(Vec::new(), range),
        },
        "when" => super::column::when(interpreter, None, args),
        "broadcast" => args.get(0, "df").cloned().unwrap_or(Value::None),
        "udf" | "pandas_udf" => udf(interpreter, args),
        "desc" | "desc_nulls_last" | "desc_nulls_first" | "asc" | "asc_nulls_last" | "asc_nulls_first" => {
            let column = args.find(0, "col").map(|(value, place)| super::column::to_expr(interpreter, value, place));
            match column {
                Some(expr) => Value::Column(std::rc::Rc::new(ColumnValue {
                    expr,
                    name: None,
                    named_at: TextRange::default(),
                    form: ColumnForm::Plain,
                    descending: name.starts_with("desc"),
                })),
                None => super::column::unknown(Vec::new(), range),
            }
        }
        "countDistinct" | "count_distinct" => {
            let args = column_args(interpreter, args);
            Value::column(function("count", args, true, range))
        }
        "sumDistinct" | "sum_distinct" => {
            let args = column_args(interpreter, args);
            Value::column(function("sum", args, true, range))
        }
        "approxCountDistinct" => {
            let args = column_args(interpreter, args);
            Value::column(function("approx_count_distinct", args, false, range))
        }
        _ => {
            let values = function_args(interpreter, name, args);
            interpreter.spend(values.iter().map(|value| expression::extent(value, usize::MAX).0).sum());
            let form = match name {
                "explode" | "explode_outer" => ColumnForm::Explode,
                "posexplode" | "posexplode_outer" | "inline" | "json_tuple" | "stack" => ColumnForm::Unknown,
                _ => ColumnForm::Plain,
            };
            let expr = if matches!((name, values.as_slice()), ("count", [only]) if is_star(only)) {
                function("count", Vec::new(), false, range)
            } else {
                function(name, values, false, range)
            };
            Value::Column(std::rc::Rc::new(ColumnValue {
                expr,
                name: None,
                named_at: TextRange::default(),
                form,
                descending: false,
            }))
        }
    }
}

fn is_star(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Column(reference) => reference.name == "*",
        ExprKind::Literal(_) => true,
        _ => false,
    }
}

/// Arguments of a function: columns where PySpark takes a bare string for a column, constants elsewhere.
fn function_args(interpreter: &mut Interpreter, name: &str, args: &Args) -> Vec<Expr> {
    // The number of leading arguments that are columns; the others are constants.
    let columns = match name {
        "regexp_replace" | "regexp_extract" | "date_format" | "to_date" | "to_timestamp" | "from_json" | "date_add"
        | "date_sub" | "add_months" | "split" | "lpad" | "rpad" | "substring" | "instr" | "round" | "translate"
        | "unix_timestamp" | "from_unixtime" | "trunc" | "get_json_object" | "array_contains" | "sha2" | "repeat"
        | "lag" | "lead" | "bround" | "element_at" | "format_number" | "substring_index" | "ntile"
        | "percentile_approx" | "from_utc_timestamp" | "to_utc_timestamp" | "nth_value" | "array_join" | "first"
        | "last" | "slice" | "overlay" | "conv" | "next_day" | "window" | "array_position" | "array_remove"
        | "sort_array" => 1,
        "months_between" | "locate" => 2,
        "date_trunc" | "concat_ws" | "format_string" => 0,
        _ => usize::MAX,
    };
    let mut expanded: Vec<(Value, TextRange)> = Vec::new();
    for (value, range) in &args.positional {
        match interpreter.heap.items(value) {
            Some((items, _)) if args.positional.len() == 1 => {
                expanded.extend(items.into_iter().map(|item| (item, *range)));
            }
            _ => expanded.push((value.clone(), *range)),
        }
    }
    expanded.extend(args.keywords.iter().map(|keyword| (keyword.value.clone(), keyword.range)));
    expanded
        .iter()
        .enumerate()
        .map(|(position, (value, range))| {
            let late_column = matches!(name, "concat_ws" | "format_string" | "date_trunc") && position > 0;
            if position < columns || late_column || matches!(value, Value::Column(_)) {
                super::column::to_expr(interpreter, value, *range)
            } else {
                super::column::constant(value, *range)
            }
        })
        .collect()
}

fn column_args(interpreter: &mut Interpreter, args: &Args) -> Vec<Expr> {
    args.positional.iter().map(|(value, range)| super::column::to_expr(interpreter, value, *range)).collect()
}

/// `udf(function, type)`: a function of which the declared type is all that is known.
fn udf(interpreter: &mut Interpreter, args: &Args) -> Value {
    let (function, data_type) = match args.positional.first() {
        Some((value @ (Value::Function(_) | Value::Native(_)), _)) => {
            let declared = args.get(1, "returnType").cloned();
            (Some(value.clone()), declared)
        }
        // `@udf(returnType=…)` is called once more with the function.
        _ => (None, args.get(0, "returnType").cloned()),
    };
    if let Some(Value::Function(closure)) = &function {
        // The body works on Python values of a row; it has no frames.
        interpreter.mark_called(closure);
    }
    let data_type = match data_type {
        Some(Value::Type(data_type)) => data_type,
        Some(value) => value.exact_text().and_then(super::types::parse).unwrap_or_default(),
        None => DataType::String,
    };
    let name = match &function {
        Some(Value::Function(closure)) => closure.def.name.clone(),
        _ => "udf".to_owned(),
    };
    Value::Bound(std::rc::Rc::new((Value::Type(data_type), format!("udf {name}"))))
}

/// A conjunction of a list of conditions.
pub(crate) fn all_of(conditions: Vec<Expr>, range: TextRange) -> Option<Expr> {
    conditions.into_iter().reduce(|left, right| expression::binary(BinaryOp::And, left, right, range))
}

/// The constant of a Python value, where it is one.
pub(crate) fn constant_value(value: &Value) -> Option<Constant> {
    Some(match value {
        Value::None => Constant::Null,
        Value::Bool(value) => Constant::Boolean(*value),
        Value::Int(value) => Constant::Int(*value),
        Value::Float(value) => Constant::Double(*value),
        Value::Text(text) if text.moment().is_none() => Constant::String(text.render()),
        _ => return None,
    })
}
