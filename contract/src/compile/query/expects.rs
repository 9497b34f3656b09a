//! What the result of a query means.

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Query, Select, SelectItem, SetExpr,
};

use super::{AGGREGATES, aggregates};
use crate::rule::Expects;

/// Whether the rows returned are violations, the one number returned counts them, or is a value: of which function.
pub(super) fn expectation(query: &Query) -> (Expects, Option<String>) {
    const NO_ROWS: (Expects, Option<String>) = (Expects::NoRows, None);
    let SetExpr::Select(select) = query.body.as_ref() else { return NO_ROWS };
    let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] = select.projection.as_slice()
    else {
        return NO_ROWS;
    };
    if grouped || select.having.is_some() || select.distinct.is_some() {
        return NO_ROWS;
    }
    let value = |name: String| (Expects::Value, Some(name));
    match item {
        Expr::Function(function) if function.over.is_none() => {
            let name = function.name.to_string().to_lowercase();
            match name.as_str() {
                "count" if select.selection.is_none() && !joins(select) && !derived(select) => value(name),
                "count" | "count_if" => (Expects::ZeroCount, None),
                "sum" if counts_cases(function) => (Expects::ZeroCount, None),
                name if AGGREGATES.contains(&name) => value(name.to_owned()),
                _ => NO_ROWS,
            }
        }
        // Arithmetic over aggregates, such as a ratio.
        item if aggregates(item) => value("an expression of aggregates".to_owned()),
        _ => NO_ROWS,
    }
}

fn joins(select: &Select) -> bool {
    select.from.len() > 1 || select.from.iter().any(|table| !table.joins.is_empty())
}

fn derived(select: &Select) -> bool {
    select.from.iter().any(|table| matches!(table.relation, sqlparser::ast::TableFactor::Derived { .. }))
}

/// `sum(CASE WHEN … THEN 1 ELSE 0 END)`.
fn counts_cases(function: &Function) -> bool {
    let FunctionArguments::List(arguments) = &function.args else { return false };
    matches!(arguments.args.as_slice(), [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Case { .. }))])
}
