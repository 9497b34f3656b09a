//! The SQL of statistics. They agree between engines within a tolerance, not to the last digit.

use super::{Target, both, print};
use crate::expr::print::{Dialect, PrintError};
use crate::expr::{Expr, functions};
use crate::rule::AggregateFunction;
use crate::types::DataType;

/// Digits that a decimal may have for its sum to be exact: engines add ten and keep 38.
const MAX_EXACT_DIGITS: u8 = 28;

/// A statistic over the values of a column in the rows for which `judged` is true. NaN is passed over, and by quantiles
/// infinity too, because engines disagree about them. Sums and means of decimals are exact before they become doubles;
/// others, and all quantiles, are computed on doubles, which do not overflow.
pub(super) fn statistic(
    target: &Target,
    function: AggregateFunction,
    column: &Expr,
    judged: &Expr,
) -> Result<String, PrintError> {
    use AggregateFunction::{Max, Mean, Median, Min, Quantile, Stddev, Sum};
    let extreme = matches!(function, Min | Max);
    let mut counted = judged.clone();
    if column.data_type.is_floating() {
        let value = match function {
            Median | Quantile(_) => Expr::or_else(finite(column)?, false),
            _ => Expr::not(Expr::is_nan(column.clone())),
        };
        counted = both(Some(judged), &value);
    }
    let exact = matches!(function, Sum | Mean)
        && matches!(column.data_type, DataType::Decimal { precision, .. } if precision <= MAX_EXACT_DIGITS);
    let value = match extreme || exact || column.data_type == DataType::Double {
        true => column.clone(),
        false => Expr::cast(column.clone(), DataType::Double),
    };
    let value = if super::is_true(&counted) { value } else { Expr::case(vec![(counted, value)], None) };
    let value = print(target, &value)?;
    let quantile = |at: f64| match target.dialect {
        Dialect::Trino => format!("approx_percentile({value}, {at:?})"),
        Dialect::Spark => format!("percentile_approx({value}, {at:?}, 10000)"),
        Dialect::DataFusion => format!("approx_percentile_cont({value}, {at:?})"),
    };
    Ok(match function {
        Min => format!("min({value})"),
        Max => format!("max({value})"),
        Mean if exact => format!("CAST(sum({value}) AS double) / count({value})"),
        Sum if exact => format!("CAST(sum({value}) AS double)"),
        Mean => format!("avg({value})"),
        Sum => format!("sum({value})"),
        Stddev => format!("stddev_samp({value})"),
        Median => quantile(0.5),
        Quantile(at) => quantile(at),
    })
}

/// Whether engines agree only about its first digits, because they add in any order.
pub(super) fn approximate(function: AggregateFunction) -> bool {
    !matches!(function, AggregateFunction::Min | AggregateFunction::Max)
}

fn finite(column: &Expr) -> Result<Expr, PrintError> {
    debug_assert!(functions::find("is_finite").is_some());
    Expr::call("is_finite", vec![column.clone()]).ok_or_else(|| PrintError("there is no is_finite".to_owned()))
}
