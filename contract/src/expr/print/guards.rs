//! What makes an operator mean the same on engines that disagree: NaN, overflow, division by zero, casts.

use super::{Dialect, PrintError, literal, refuse, to_sql, type_name};
use crate::expr::build::common_type;
use crate::expr::{BinaryOp, Expr, ExprKind};
use crate::types::DataType;
use crate::value::Value;

/// A value beside one of another type, in a comparison or as another result of one expression: a decimal beside a double,
/// and a date beside a timestamp, are converted. The embedded engine would make decimals of doubles.
pub(super) fn comparable(expr: &Expr, other: &DataType, dialect: Dialect) -> Result<String, PrintError> {
    let sql = to_sql(expr, dialect)?;
    let exact = expr.data_type.is_numeric() && !expr.data_type.is_floating();
    if exact && other.is_floating() {
        return Ok(match &expr.kind {
            ExprKind::Literal(Value::Int(_)) => sql,
            _ => format!("cast({sql} AS double)"),
        });
    }
    if expr.data_type == DataType::Float && other != &DataType::Float {
        return Ok(format!("cast({sql} AS double)"));
    }
    if expr.data_type == DataType::Date && *other == DataType::Timestamp {
        return cast(expr, &sql, &DataType::Timestamp, dialect);
    }
    Ok(sql)
}

/// Values that are the results of one expression, each as their common type. Refused where there is none: engines that
/// take a text beside a number disagree about which of them is converted.
pub(super) fn of_one_type<'a>(
    results: impl Iterator<Item = &'a Expr> + Clone,
    dialect: Dialect,
) -> Result<Vec<String>, PrintError> {
    let common = common_type(results.clone());
    if common == DataType::Unknown && results.clone().all(|result| result.data_type != DataType::Unknown) {
        let types: Vec<String> = results.map(|result| result.data_type.to_string()).collect();
        return refuse(format!("its values are {}; cast them to one type", types.join(" and ")));
    }
    results.map(|result| comparable(result, &common, dialect)).collect()
}

/// A comparison in which NaN equals NaN and is larger than every number. Spark and DataFusion do so; Trino does not.
pub(super) fn comparison(
    op: BinaryOp,
    (left, l): (&Expr, &str),
    (right, r): (&Expr, &str),
    dialect: Dialect,
) -> Result<String, PrintError> {
    let floating = left.data_type.is_floating() || right.data_type.is_floating();
    if dialect != Dialect::Trino || !floating {
        return Ok(match (op, dialect) {
            (BinaryOp::NullSafeEqual, Dialect::Spark) => format!("({l} <=> {r})"),
            (BinaryOp::NullSafeEqual, _) => format!("({l} IS NOT DISTINCT FROM {r})"),
            (op, _) => format!("({l} {} {r})", symbol(op)?),
        });
    }
    // Only what is floating can be NaN, and a constant number is none.
    let may_be_nan =
        |e: &Expr| e.data_type.is_floating() && !matches!(&e.kind, ExprKind::Literal(Value::Double(d)) if !d.is_nan());
    let (left_nan, right_nan) = (may_be_nan(left), may_be_nan(right));
    Ok(match op {
        BinaryOp::Equal if left_nan && right_nan => format!("({l} = {r} OR (is_nan({l}) AND is_nan({r})))"),
        BinaryOp::NullSafeEqual => format!("({l} IS NOT DISTINCT FROM {r})"),
        BinaryOp::Less | BinaryOp::LessOrEqual | BinaryOp::Greater | BinaryOp::GreaterOrEqual => {
            let (small, small_nan, large, large_nan) = match op {
                BinaryOp::Less | BinaryOp::LessOrEqual => (l, left_nan, r, right_nan),
                _ => (r, right_nan, l, left_nan),
            };
            let strict = matches!(op, BinaryOp::Less | BinaryOp::Greater);
            let plain = format!("{l} {} {r}", symbol(op)?);
            match (large_nan, small_nan, strict) {
                (false, _, _) => format!("({plain})"),
                (true, true, true) => format!("({plain} OR (is_nan({large}) AND NOT is_nan({small})))"),
                (true, _, _) => format!("({plain} OR (is_nan({large}) AND {small} IS NOT NULL))"),
            }
        }
        op => format!("({l} {} {r})", symbol(op)?),
    })
}

/// Whether a floating value is NaN; false for NULL.
pub(super) fn is_nan(sql: &str, dialect: Dialect) -> Result<String, PrintError> {
    Ok(match dialect {
        Dialect::Trino => format!("coalesce(is_nan({sql}), false)"),
        Dialect::Spark => format!("isnan({sql})"),
        Dialect::DataFusion => format!("coalesce(isnan({sql}), false)"),
    })
}

/// Arithmetic of which overflow and division by zero are NULL, whatever the engine and its session do.
pub(super) fn arithmetic(
    op: BinaryOp,
    left: &Expr,
    right: &Expr,
    result: &DataType,
    dialect: Dialect,
) -> Result<String, PrintError> {
    for side in [left, right] {
        if !side.data_type.is_numeric() && !side.data_type.is_open() {
            return refuse(format!("arithmetic is for numbers; this is a {}", side.data_type));
        }
    }
    // Engines find no operator for a NULL without a type, or one of another type.
    if [left, right].iter().any(|side| matches!(side.kind, ExprKind::Literal(Value::Null))) && result.is_numeric() {
        return literal::literal(&Value::Null, result, dialect);
    }
    let floating = left.data_type.is_floating() || right.data_type.is_floating();
    let operand = |e: &Expr| -> Result<String, PrintError> {
        if op == BinaryOp::DivideDouble || floating { as_double(e, dialect) } else { to_sql(e, dialect) }
    };
    let (l, r) = (operand(left)?, operand(right)?);
    // A constant other than zero needs no guard.
    let zero = match &right.kind {
        ExprKind::Literal(Value::Int(n)) => *n == 0,
        ExprKind::Literal(Value::Decimal(n, _)) => *n == 0,
        ExprKind::Literal(Value::Double(d)) => *d == 0.0,
        _ => true,
    };
    let divisor = match (zero, floating || op == BinaryOp::DivideDouble, dialect) {
        (false, ..) => r.clone(),
        // To the embedded engine's nullif the negative zero is another number.
        (true, true, Dialect::DataFusion) => format!("(CASE WHEN {r} <> 0e0 THEN {r} END)"),
        (true, true, _) => format!("nullif({r}, 0e0)"),
        (true, false, _) => format!("nullif({r}, 0)"),
    };
    match op {
        BinaryOp::DivideDouble if floating => Ok(positive_nan(format!("({l} / {divisor})"), dialect)),
        BinaryOp::DivideDouble => Ok(format!("({l} / {divisor})")),
        BinaryOp::DivideInteger if !floating => match dialect {
            Dialect::Spark => Ok(format!("({l} div {divisor})")),
            Dialect::Trino | Dialect::DataFusion if result_is_whole(left, right) => {
                let quotient = format!("cast({l} AS bigint) / {divisor}");
                match &right.kind {
                    ExprKind::Literal(Value::Int(divisor)) if *divisor != -1 => Ok(format!("({quotient})")),
                    // The smallest number divided by -1 is an error on these engines.
                    _ => {
                        let negated = whole_or_decimal(
                            "-",
                            BinaryOp::Subtract,
                            "0",
                            &format!("cast({l} AS bigint)"),
                            &DataType::BigInt,
                            dialect,
                        )?;
                        Ok(format!("(CASE WHEN {r} = -1 THEN {negated} ELSE {quotient} END)"))
                    }
                }
            }
            _ => refuse("integer division is for whole numbers"),
        },
        BinaryOp::DivideInteger => refuse("integer division is for whole numbers"),
        BinaryOp::Remainder if zero && result.is_integer() => {
            Ok(format!("({l} % CASE WHEN {r} = -1 THEN 1 ELSE {divisor} END)"))
        }
        BinaryOp::Remainder if floating => Ok(positive_nan(format!("({l} % {divisor})"), dialect)),
        BinaryOp::Remainder => Ok(format!("({l} % {divisor})")),
        _ => {
            let sign = symbol(op)?;
            if floating {
                return Ok(positive_nan(format!("({l} {sign} {r})"), dialect));
            }
            whole_or_decimal(sign, op, &l, &r, result, dialect)
        }
    }
}

/// What a processor computes out of infinities is a NaN with a sign, which files then hold too and which the embedded
/// engine orders below all numbers.
pub(super) fn positive_nan(sql: String, dialect: Dialect) -> String {
    match dialect {
        Dialect::DataFusion => format!("nanvl({sql}, cast('NaN' AS double))"),
        _ => sql,
    }
}

/// A conversion that is compared with a constant is left out by the embedded engine's planner, and then it is not NULL
/// where the value does not fit; the planner does not look into `greatest`.
fn kept(conversion: String, dialect: Dialect) -> String {
    match dialect {
        Dialect::DataFusion => format!("greatest({conversion})"),
        _ => conversion,
    }
}

fn whole_or_decimal(
    sign: &str,
    op: BinaryOp,
    l: &str,
    r: &str,
    result: &DataType,
    dialect: Dialect,
) -> Result<String, PrintError> {
    if let DataType::Decimal { precision: 38, .. } = result {
        return refuse("the result has more than 38 digits; cast the operands to double or to smaller decimals");
    }
    match dialect {
        Dialect::Trino => Ok(format!("TRY({l} {sign} {r})")),
        Dialect::Spark => {
            let function = match op {
                BinaryOp::Add => "try_add",
                BinaryOp::Subtract => "try_subtract",
                _ => "try_multiply",
            };
            Ok(format!("{function}({l}, {r})"))
        }
        Dialect::DataFusion if result.is_integer() => {
            // DataFusion wraps around; nineteen digits hold every bigint, and their product every product.
            let wide = |sql: &str| format!("cast({sql} AS decimal(19,0))");
            Ok(kept(format!("try_cast({} {sign} {} AS {})", wide(l), wide(r), result), dialect))
        }
        Dialect::DataFusion => Ok(format!("({l} {sign} {r})")),
    }
}

/// Arithmetic negation; NULL where the smallest number has no counterpart.
pub(super) fn negate(whole: &Expr, sql: &str, dialect: Dialect) -> Result<String, PrintError> {
    let ty = &whole.data_type;
    if ty.is_floating() {
        return Ok(positive_nan(format!("(-{sql})"), dialect));
    }
    if !ty.is_integer() {
        return Ok(format!("(-{sql})"));
    }
    whole_or_decimal("-", BinaryOp::Subtract, "0", sql, ty, dialect)
}

/// A conversion that is NULL where the value has no such form, alike on every engine.
pub(super) fn cast(operand: &Expr, sql: &str, to: &DataType, dialect: Dialect) -> Result<String, PrintError> {
    use DataType::{Boolean, Date, Timestamp};
    let from = &operand.data_type;
    let name = type_name(to, dialect)?;
    let plain = format!("try_cast({sql} AS {name})");
    match (from, to) {
        (from, to) if from == to => Ok(sql.to_string()),
        (from, to) if from.is_text() && to.is_text() => Ok(sql.to_string()),
        (from, to) if from.is_text() => from_text(sql, to, dialect),
        (DataType::Null, _) => Ok(format!("cast(NULL AS {name})")),
        (Date, Timestamp) => Ok(match dialect {
            Dialect::Spark => format!("timestamp_micros(unix_date({sql}) * 86400000000L)"),
            Dialect::Trino => format!("cast({sql} AS timestamp(6))"),
            Dialect::DataFusion => format!("arrow_cast({sql}, 'Timestamp(Microsecond, None)')"),
        }),
        (Timestamp, Date) => Ok(match dialect {
            Dialect::Spark => {
                format!("date_from_unix_date(cast(floor(unix_micros({sql}) / 86400000000) AS int))")
            }
            _ => format!("cast({sql} AS date)"),
        }),
        (from, to) if from.is_integer() && (to.is_floating() || to.is_text()) => Ok(plain),
        (from, to) if from.is_integer() && to.is_numeric() => Ok(kept(plain, dialect)),
        (Boolean | Date, to) if to.is_text() => Ok(plain),
        // Towards zero, as Spark and DataFusion; Trino rounds.
        (from, to) if from.is_numeric() && to.is_integer() => Ok(match dialect {
            Dialect::Trino => format!("try_cast(truncate({sql}) AS {name})"),
            _ => kept(plain, dialect),
        }),
        (from, to) if from.is_numeric() && to.is_floating() => Ok(plain),
        (DataType::Decimal { .. }, DataType::Decimal { .. }) => Ok(kept(plain, dialect)),
        // By its shortest text, as Spark; the embedded engine would round the binary number.
        (DataType::Double, DataType::Decimal { scale, .. }) => Ok(match dialect {
            // It does not read texts of numbers that are smaller than the last digit.
            Dialect::DataFusion => format!(
                "(CASE WHEN abs({sql}) < 5e-{} THEN cast('0' AS {name}) ELSE try_cast(cast({sql} AS varchar) AS {name}) END)",
                scale + 1
            ),
            _ => plain,
        }),
        // With more digits Spark writes small numbers with an exponent, unless its session is in ANSI mode.
        (DataType::Decimal { scale: 0..=6, .. }, to) if to.is_text() => Ok(plain),
        (from, _) if from.is_open() => Ok(plain),
        _ => refuse(format!("a {from} is not cast to {to} alike everywhere")),
    }
}

/// A text as another type. What the text must look like is checked first, because engines accept different forms.
fn from_text(sql: &str, to: &DataType, dialect: Dialect) -> Result<String, PrintError> {
    let name = type_name(to, dialect)?;
    let matches = |shape: &str| {
        let function = if dialect == Dialect::Spark { "rlike" } else { "regexp_like" };
        format!("{function}({sql}, {})", literal::quote_text(shape, dialect))
    };
    let blanks_off = match dialect {
        Dialect::Trino => format!("trim(BOTH ' ' FROM {sql})"),
        Dialect::Spark => format!("trim({sql})"),
        Dialect::DataFusion => format!("btrim({sql}, ' ')"),
    };
    let converted = match (to, dialect) {
        // The zone in the text keeps Spark's session out of it.
        (DataType::Timestamp, Dialect::Spark) => format!(
            "try_cast(concat({blanks_off}, CASE WHEN length({blanks_off}) = 10 THEN ' 00:00:00Z' ELSE 'Z' END) AS timestamp)"
        ),
        (DataType::Timestamp, _) => format!("try_cast(replace({blanks_off}, 'T', ' ') AS {name})"),
        _ => format!("try_cast({blanks_off} AS {name})"),
    };
    Ok(format!("(CASE WHEN {} THEN {converted} END)", matches(text_shape(to)?)))
}

/// The texts that stand for a value of a type, blanks around them aside.
pub(crate) fn text_shape(to: &DataType) -> Result<&'static str, PrintError> {
    Ok(match to {
        ty if ty.is_integer() => "^ *[+-]?[0-9]+ *\\z",
        DataType::Decimal { .. } => "^ *[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+) *\\z",
        ty if ty.is_floating() => "^ *[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)? *\\z",
        DataType::Date => "^ *[0-9]{4}-[0-9]{2}-[0-9]{2} *\\z",
        DataType::Timestamp => "^ *[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?)? *\\z",
        DataType::Boolean => "^ *([tT][rR][uU][eE]|[fF][aA][lL][sS][eE]) *\\z",
        other => return refuse(format!("a text is not cast to {other} alike everywhere")),
    })
}

fn as_double(expr: &Expr, dialect: Dialect) -> Result<String, PrintError> {
    let sql = to_sql(expr, dialect)?;
    Ok(if expr.data_type == DataType::Double { sql } else { format!("cast({sql} AS double)") })
}

fn result_is_whole(left: &Expr, right: &Expr) -> bool {
    let whole = |ty: &DataType| ty.is_integer() || ty.is_open();
    whole(&left.data_type) && whole(&right.data_type)
}

fn symbol(op: BinaryOp) -> Result<&'static str, PrintError> {
    Ok(match op {
        BinaryOp::Equal => "=",
        BinaryOp::Less => "<",
        BinaryOp::LessOrEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterOrEqual => ">=",
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        other => return refuse(format!("{other:?} has no symbol of its own")),
    })
}
