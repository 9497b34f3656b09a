//! Printers: an expression as SQL for one engine ([`to_sql`]), or as rule text for people ([`to_text`]).

pub(crate) mod guards;
pub(crate) mod literal;
mod template;
mod text;

pub use literal::{quote_name, quote_text};
pub use text::to_text;

use super::functions::{self, Spelling};
use super::{BinaryOp, ColumnRef, Expr, ExprKind, pattern};
use crate::types::DataType;
use crate::value::Value;

/// The SQL of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Athena engine version 3, and Trino.
    Trino,
    /// Spark 3 with ANSI mode on or off.
    Spark,
    /// The embedded engine.
    DataFusion,
}

/// Why an expression has no SQL on an engine: the reason, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PrintError(pub String);

/// A column's name with its qualifier.
fn column_name(column: &ColumnRef, dialect: Dialect) -> String {
    let name = quote_name(&column.name, dialect);
    match &column.qualifier {
        Some(qualifier) => format!("{}.{name}", quote_name(qualifier, dialect)),
        None => name,
    }
}

/// As [`to_sql`] where only NULL and NaN are asked for: of a column, its bare name.
fn unguarded(expr: &Expr, dialect: Dialect) -> Result<String, PrintError> {
    match &expr.kind {
        ExprKind::Column(column) => Ok(column_name(column, dialect)),
        _ => to_sql(expr, dialect),
    }
}

/// The SQL whose value on the engine is what [`super::eval`] says, for every row.
pub fn to_sql(expr: &Expr, dialect: Dialect) -> Result<String, PrintError> {
    let print = |e: &Expr| to_sql(e, dialect);
    match &expr.kind {
        ExprKind::Column(column) => {
            let name = column_name(column, dialect);
            // The padding of char(n) is no part of the value, as in Spark's and Trino's comparisons.
            Ok(match (&expr.data_type, dialect) {
                (DataType::Char(_), Dialect::Trino) => format!("rtrim(cast({name} AS varchar))"),
                (DataType::Char(_), Dialect::Spark) => format!("rtrim({name})"),
                (DataType::Char(_), Dialect::DataFusion) => format!("rtrim({name}, ' ')"),
                (ty, _) if ty.is_floating() => guards::positive_nan(name, dialect),
                _ => name,
            })
        }
        ExprKind::Literal(value) => literal::literal(value, &expr.data_type, dialect),
        ExprKind::Not(e) => Ok(format!("(NOT {})", print(e)?)),
        ExprKind::Negate(e) => guards::negate(expr, &print(e)?, dialect),
        ExprKind::IsNull(e) => Ok(format!("({} IS NULL)", unguarded(e, dialect)?)),
        ExprKind::IsNan(e) => match &e.data_type {
            ty if ty.is_floating() || ty.is_open() => guards::is_nan(&unguarded(e, dialect)?, dialect),
            _ => Ok(literal::boolean(false).to_string()),
        },
        ExprKind::Binary { op, left, right } => binary(*op, left, right, expr, dialect),
        ExprKind::InList { operand, list } => in_list(operand, list, dialect),
        ExprKind::Like { operand, pattern } => {
            // A lone backslash of Trino's and DataFusion's ESCAPE is Spark's escaped one.
            let escape = if dialect == Dialect::Spark { "'\\\\'" } else { "'\\'" };
            Ok(format!("({} LIKE {} ESCAPE {escape})", print(operand)?, print(pattern)?))
        }
        ExprKind::Matches { operand, pattern } => {
            let portable = pattern::portable(pattern).map_err(|error| PrintError(error.to_string()))?;
            let function = if dialect == Dialect::Spark { "rlike" } else { "regexp_like" };
            // The embedded engine's planner makes LIKE of a plain text and forgets to escape its backslashes.
            let portable = match dialect {
                Dialect::DataFusion if portable.contains("\\\\") => format!("({portable})"),
                _ => portable,
            };
            Ok(format!("{function}({}, {})", print(operand)?, quote_text(&portable, dialect)))
        }
        ExprKind::Case { branches, otherwise } => {
            let mut sql = String::from("(CASE");
            let results = branches.iter().map(|(_, result)| result).chain(otherwise.as_deref());
            let mut results = guards::of_one_type(results, dialect)?.into_iter();
            for ((condition, _), result) in branches.iter().zip(&mut results) {
                // Spark refuses a NULL without a type as a condition.
                let condition = match &condition.kind {
                    ExprKind::Literal(Value::Null) => literal::literal(&Value::Null, &DataType::Boolean, dialect)?,
                    _ => print(condition)?,
                };
                sql.push_str(&format!(" WHEN {condition} THEN {result}"));
            }
            if let Some(otherwise) = results.next() {
                sql.push_str(&format!(" ELSE {otherwise}"));
            }
            sql.push_str(" END)");
            Ok(sql)
        }
        ExprKind::Cast { operand, .. } => guards::cast(operand, &print(operand)?, &expr.data_type, dialect),
        ExprKind::Call { function, args } => call(function, args, dialect),
        ExprKind::Aggregate { function, args, distinct } => aggregate(function, args, *distinct, dialect),
        ExprKind::Window { .. } => refuse("a window function needs other rows; write the query as custom_sql"),
        ExprKind::Opaque { reason, .. } => refuse(reason.clone()),
    }
}

/// The name of a type in an engine's `CAST`.
pub fn type_name(ty: &DataType, dialect: Dialect) -> Result<String, PrintError> {
    Ok(match (ty, dialect) {
        (DataType::String | DataType::Varchar(_) | DataType::Char(_), Dialect::Spark) => "string".to_string(),
        (DataType::String | DataType::Varchar(_) | DataType::Char(_), _) => "varchar".to_string(),
        (DataType::Int, Dialect::Trino) => "integer".to_string(),
        (DataType::Float, Dialect::Trino) => "real".to_string(),
        // Without its precision the embedded engine's type ends in the year 2262.
        (DataType::Timestamp, Dialect::Trino | Dialect::DataFusion) => "timestamp(6)".to_string(),
        (DataType::Binary, Dialect::Trino) => "varbinary".to_string(),
        (DataType::Binary, Dialect::DataFusion) => "bytea".to_string(),
        (DataType::Array(_) | DataType::Map(..) | DataType::Struct(_) | DataType::Null | DataType::Unknown, _) => {
            return refuse(format!("a cast to {ty} is not had on every engine"));
        }
        (ty, _) => ty.to_string(),
    })
}

fn refuse<T>(reason: impl Into<String>) -> Result<T, PrintError> {
    Err(PrintError(reason.into()))
}

fn binary(op: BinaryOp, left: &Expr, right: &Expr, whole: &Expr, dialect: Dialect) -> Result<String, PrintError> {
    match op {
        BinaryOp::And => Ok(format!("({} AND {})", to_sql(left, dialect)?, to_sql(right, dialect)?)),
        BinaryOp::Or => Ok(format!("({} OR {})", to_sql(left, dialect)?, to_sql(right, dialect)?)),
        BinaryOp::Concat => {
            let sides = [left, right].map(|e| concat_side(e, dialect));
            let [l, r] = sides;
            Ok(format!("({} || {})", l?, r?))
        }
        BinaryOp::Add
        | BinaryOp::Subtract
        | BinaryOp::Multiply
        | BinaryOp::DivideInteger
        | BinaryOp::DivideDouble
        | BinaryOp::Remainder => guards::arithmetic(op, left, right, &whole.data_type, dialect),
        _ => {
            if !left.data_type.is_comparable_with(&right.data_type) {
                return refuse(format!(
                    "a {} is compared with a {}; cast one of them",
                    left.data_type, right.data_type
                ));
            }
            let l = guards::comparable(left, &right.data_type, dialect)?;
            let r = guards::comparable(right, &left.data_type, dialect)?;
            guards::comparison(op, (left, &l), (right, &r), dialect)
        }
    }
}

fn concat_side(expr: &Expr, dialect: Dialect) -> Result<String, PrintError> {
    let sql = to_sql(expr, dialect)?;
    match &expr.data_type {
        ty if ty.is_text() || ty.is_open() => Ok(sql),
        _ => guards::cast(expr, &sql, &DataType::String, dialect),
    }
}

fn in_list(operand: &Expr, list: &[Expr], dialect: Dialect) -> Result<String, PrintError> {
    let floating = operand.data_type.is_floating() || list.iter().any(|item| item.data_type.is_floating());
    let constant =
        |item: &Expr| matches!(&item.kind, ExprKind::Literal(v) if !matches!(v, Value::Double(d) if d.is_nan()));
    if list.is_empty() {
        // Nothing is in an empty list, not even NULL.
        return Ok(literal::boolean(false).to_string());
    }
    // Membership is a disjunction of equalities; where NaN may meet NaN it is written as one.
    // The embedded engine's IN tells the two zeros apart, its `=` does not.
    if (floating && (dialect == Dialect::DataFusion || !list.iter().all(constant)))
        || list.iter().any(|i| i.data_type != list[0].data_type && !i.data_type.is_open())
    {
        let parts = list
            .iter()
            .map(|item| binary(BinaryOp::Equal, operand, item, operand, dialect))
            .collect::<Result<Vec<_>, _>>()?;
        return Ok(format!("({})", parts.join(" OR ")));
    }
    let items =
        list.iter().map(|item| guards::comparable(item, &operand.data_type, dialect)).collect::<Result<Vec<_>, _>>()?;
    let operand = guards::comparable(operand, &list[0].data_type, dialect)?;
    Ok(format!("({operand} IN ({}))", items.join(", ")))
}

fn call(name: &str, args: &[Expr], dialect: Dialect) -> Result<String, PrintError> {
    let Some(function) = functions::find(name) else { return refuse(format!("there is no function `{name}`")) };
    match spelling(function, dialect) {
        Spelling::Template(text) => template::fill(text, name, args, dialect),
        Spelling::Refused(why) => refuse(format!("`{name}` is refused: {why}")),
    }
}

fn aggregate(name: &str, args: &[Expr], distinct: bool, dialect: Dialect) -> Result<String, PrintError> {
    if name == "count" && args.is_empty() {
        return Ok("count(*)".to_string());
    }
    let sql = call(name, args, dialect)?;
    match sql.split_once('(') {
        Some((function, rest)) if distinct => Ok(format!("{function}(DISTINCT {rest}")),
        _ => Ok(sql),
    }
}

fn spelling(function: &functions::Function, dialect: Dialect) -> Spelling {
    // What one engine refuses is refused on all: a rule has one meaning or none.
    for spelling in [function.trino, function.spark, function.datafusion] {
        if let Spelling::Refused(_) = spelling {
            return spelling;
        }
    }
    match dialect {
        Dialect::Trino => function.trino,
        Dialect::Spark => function.spark,
        Dialect::DataFusion => function.datafusion,
    }
}
