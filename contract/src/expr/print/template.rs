//! Templates of the table of functions, filled with arguments.

use super::{Dialect, PrintError, guards, quote_name, quote_text, refuse, to_sql};
use crate::expr::{BinaryOp, Expr, ExprKind, dates, pattern};
use crate::types::DataType;
use crate::value::Value;

/// Fills `{0}` with the first argument's SQL, `{*}` with all, `{=}` with all as their common type, `{|}` with all joined
/// by `||`, `{:form}` with a form of the whole call, and `{0:form}` with a form of a constant's content: see [`constant`].
pub(super) fn fill(template: &str, function: &str, args: &[Expr], dialect: Dialect) -> Result<String, PrintError> {
    let mut sql = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        sql.push_str(before);
        let Some((hole, after)) = after.split_once('}') else { return refuse("an unclosed hole in a template") };
        rest = after;
        match hole {
            "*" | "|" => {
                let all = args.iter().map(|arg| to_sql(arg, dialect)).collect::<Result<Vec<_>, _>>()?;
                sql.push_str(&all.join(if hole == "*" { ", " } else { " || " }));
            }
            "=" => sql.push_str(&guards::of_one_type(args.iter(), dialect)?.join(", ")),
            ":nullif" => sql.push_str(&to_sql(&unless_equal(args)?, dialect)?),
            ":greatest" | ":least" => sql.push_str(&to_sql(&extreme(hole == ":greatest", args), dialect)?),
            ":round" => sql.push_str(&decimal_rounded(args, dialect)?),
            ":split" => sql.push_str(&part_of_text(args, dialect)?),
            hole => {
                let (index, form) = hole.split_once(':').unwrap_or((hole, ""));
                let index: usize = index.parse().map_err(|_| PrintError(format!("no hole {{{hole}}}")))?;
                let Some(arg) = args.get(index) else {
                    return refuse(format!("`{function}` lacks argument {}", index + 1));
                };
                if form.is_empty() {
                    sql.push_str(&to_sql(arg, dialect)?);
                } else {
                    sql.push_str(&constant(form, arg, args, dialect)?);
                }
            }
        }
    }
    sql.push_str(rest);
    check_constants(function, args)?;
    Ok(sql)
}

fn constant(form: &str, arg: &Expr, args: &[Expr], dialect: Dialect) -> Result<String, PrintError> {
    match form {
        "iso_date" => return iso_date(arg, args, dialect),
        "abs" | "ceil" | "floor" => return rounded(form, arg, dialect),
        _ => {}
    }
    let text = match &arg.kind {
        ExprKind::Literal(Value::String(text)) => text.clone(),
        ExprKind::Literal(Value::Int(n)) => n.to_string(),
        _ => return refuse("this argument must be a constant"),
    };
    let quote = |text: &str| quote_text(text, dialect);
    let portable = |text: &str| pattern::portable(text).map_err(|error| PrintError(error.to_string()));
    Ok(match form {
        "text" => text,
        "name" => quote_name(&text, dialect),
        "pattern" => quote(&portable(&text)?),
        // regexp_match gives groups only; the whole match becomes the first one.
        "group" => match &arg.kind {
            ExprKind::Literal(Value::Int(n)) => n.saturating_add(1).to_string(),
            _ => quote(&format!("({})", portable(&text)?)),
        },
        "regex" => quote(&regex::escape(&text)),
        "mysql" => quote(&dates::to_mysql(&text)),
        "java" => quote(&text),
        "strftime" => quote(&dates::to_strftime(&text)),
        "shape" => quote(&portable(&dates::shape(&text))?),
        other => return refuse(format!("no form {other}")),
    })
}

/// The first argument where it is not the second one.
fn unless_equal(args: &[Expr]) -> Result<Expr, PrintError> {
    let [value, unwanted] = args else { return refuse("nullif takes two arguments") };
    let equal = Expr::or_else(Expr::equal(value.clone(), unwanted.clone()), false);
    Ok(Expr::case(vec![(Expr::not(equal), value.clone())], None))
}

/// The largest or smallest argument that is not NULL; engines disagree on NULL, and Trino on NaN.
fn extreme(greatest: bool, args: &[Expr]) -> Expr {
    let better = if greatest { BinaryOp::GreaterOrEqual } else { BinaryOp::LessOrEqual };
    let pick = |left: Expr, right: &Expr| {
        let wins = Expr::binary(better, left.clone(), right.clone());
        let left_wins = Expr::binary(BinaryOp::Or, Expr::is_null(right.clone()), wins);
        Expr::case(vec![(left_wins, left)], Some(right.clone()))
    };
    match args.split_first() {
        Some((first, rest)) => rest.iter().fold(first.clone(), pick),
        None => Expr::null(),
    }
}

/// DataFusion's `round` of a decimal does not have the type that it announces, so that a comparison with it fails; a
/// conversion rounds alike, half away from zero.
fn decimal_rounded(args: &[Expr], dialect: Dialect) -> Result<String, PrintError> {
    let sql = args.iter().map(|arg| to_sql(arg, dialect)).collect::<Result<Vec<_>, _>>()?;
    match (sql.as_slice(), Expr::call("round", args.to_vec()).map(|e| e.data_type)) {
        ([operand, ..], Some(ty @ DataType::Decimal { .. })) => Ok(format!("cast({operand} AS {ty})")),
        _ => Ok(format!("round({})", sql.join(", "))),
    }
}

/// DataFusion's `split_part` is empty where there is no such part, and its array of an empty text has none at all.
fn part_of_text(args: &[Expr], dialect: Dialect) -> Result<String, PrintError> {
    let sql = args.iter().map(|arg| to_sql(arg, dialect)).collect::<Result<Vec<_>, _>>()?;
    match (sql.as_slice(), args.get(2).map(|place| &place.kind)) {
        ([text, separator, place], Some(ExprKind::Literal(Value::Int(1)))) => {
            Ok(format!("split_part({text}, {separator}, {place})"))
        }
        ([text, separator, place], _) => Ok(format!("array_element(string_to_array({text}, {separator}), {place})")),
        _ => refuse("split_part takes a text, a separator and a place"),
    }
}

/// Functions that need another guard for whole numbers than for others. The smallest whole number has no absolute value,
/// and a double beyond 64 bits, or NaN, no whole one: both are NULL.
fn rounded(function: &str, arg: &Expr, dialect: Dialect) -> Result<String, PrintError> {
    let sql = to_sql(arg, dialect)?;
    let smallest = match arg.data_type {
        DataType::TinyInt => "-128",
        DataType::SmallInt => "-32768",
        DataType::Int => "-2147483648",
        _ => "(-9223372036854775807 - 1)",
    };
    Ok(match function {
        "abs" if arg.data_type.is_integer() => format!("(CASE WHEN {sql} <> {smallest} THEN abs({sql}) END)"),
        "ceil" | "floor" if arg.data_type.is_integer() => sql,
        "ceil" | "floor" if arg.data_type.is_floating() => {
            format!("(CASE WHEN abs({sql}) < 9.2e18 THEN try_cast({function}({sql}) AS bigint) END)")
        }
        // The embedded engine keeps the type, which a larger whole part may not fit.
        "ceil" | "floor" if dialect == Dialect::DataFusion => match arg.data_type {
            DataType::Decimal { precision, scale } => {
                format!("{function}(cast({sql} AS decimal({},{scale})))", (precision + 1).min(38))
            }
            _ => format!("{function}({sql})"),
        },
        _ => format!("{function}({sql})"),
    })
}

/// A text of the second argument's date format as `YYYY-MM-DD`.
fn iso_date(text: &Expr, args: &[Expr], dialect: Dialect) -> Result<String, PrintError> {
    let Some(ExprKind::Literal(Value::String(format))) = args.get(1).map(|e| &e.kind) else {
        return refuse("a date format must be a constant");
    };
    let sql = to_sql(text, dialect)?;
    let part = |name: &str| dates::place(format, name).map(|at| format!("substr({sql}, {}, {})", at + 1, name.len()));
    match (part("yyyy"), part("MM"), part("dd")) {
        (Some(year), Some(month), Some(day)) => Ok(format!("concat({year}, '-', {month}, '-', {day})")),
        _ => refuse(format!("the date format {format} is not understood")),
    }
}

/// Constants that engines take in different ranges.
fn check_constants(function: &str, args: &[Expr]) -> Result<(), PrintError> {
    let number = |i: usize| match args.get(i).map(|e| &e.kind) {
        Some(ExprKind::Literal(Value::Int(n))) => Some(*n),
        _ => None,
    };
    let text = |i: usize| match args.get(i).map(|e| &e.kind) {
        Some(ExprKind::Literal(Value::String(text))) => Some(text.as_str()),
        _ => None,
    };
    match function {
        "substring" if number(1).is_some_and(|n| n < 1) => refuse("substring counts characters from 1"),
        "substring" if number(2).is_some_and(|n| n < 0) => refuse("a substring has no negative length"),
        "replace" if text(1).is_some_and(str::is_empty) => {
            refuse("engines differ in what they replace an empty text by")
        }
        "trim_characters" | "ltrim_characters" | "rtrim_characters" if text(1).is_some_and(str::is_empty) => {
            refuse("name the characters to trim")
        }
        "split_part" if number(2).is_some_and(|n| n < 1) => refuse("parts count from 1"),
        "array_distinct" if matches!(args, [Expr { data_type: DataType::Array(element), .. }] if element.is_floating()) => {
            refuse("engines differ in whether 0 and -0 are one element")
        }
        "element_at" if number(1).is_some_and(|n| n < 1) => refuse("elements count from 1"),
        "round" if number(1).is_some_and(|n| n < 0) => refuse("round takes a number of digits after the point"),
        _ => Ok(()),
    }
}
