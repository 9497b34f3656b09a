//! Dates and times: parts, intervals, differences and formats of Spark and Trino.

use sqlparser::ast::{self, BinaryOperator};

use super::Syntax;
use super::elaborate::Elaborator;
use crate::expr::functions::{self, Nulls};
use crate::expr::{BinaryOp, Expr, ExprKind, Span, dates};
use crate::types::DataType;
use crate::value::Value;

impl Elaborator<'_> {
    /// Parts of a date: for a timestamp those of its day, and of its time.
    pub(super) fn date_part(&mut self, unit: &str, operand: Expr, span: Span) -> Expr {
        let name = match unit.to_ascii_lowercase().trim_end_matches('s') {
            "year" => "year",
            "quarter" => "quarter",
            "month" => "month",
            "day" => "day",
            "hour" => "hour",
            "minute" => "minute",
            "second" => "second",
            "doy" | "day_of_year" | "dayofyear" => "day_of_year",
            "isodow" | "day_of_week" | "dow" => "day_of_week",
            "week" | "week_of_year" | "weekofyear" => "week_of_year",
            _ => return self.opaque(format!("the part {unit} of a date is not understood"), vec![operand], span),
        };
        self.call(name, vec![operand], span)
    }

    pub(super) fn truncated(&mut self, unit: &str, operand: Expr, span: Span) -> Expr {
        let timestamp = operand.data_type == DataType::Timestamp;
        let name = match unit {
            "year" | "yyyy" | "yy" => "trunc_year",
            "quarter" => "trunc_quarter",
            "month" | "mm" | "mon" => "trunc_month",
            "week" => "trunc_week",
            "hour" => return self.call("trunc_hour", vec![as_timestamp(operand)], span),
            "minute" => return self.call("trunc_minute", vec![as_timestamp(operand)], span),
            "day" | "dd" if timestamp => {
                return Expr::cast(Expr::cast(operand, DataType::Date), DataType::Timestamp).at(span);
            }
            "day" | "dd" => return operand,
            _ => return self.opaque(format!("a date cannot be cut to {unit}"), vec![operand], span),
        };
        let day = self.call(name, vec![operand], span);
        if timestamp { Expr::cast(day, DataType::Timestamp).at(span) } else { day }
    }

    pub(super) fn difference(&mut self, unit: &str, start: Expr, end: Expr, span: Span) -> Expr {
        let (per_unit, whole_days) = match unit.trim_end_matches('s') {
            "day" => (86_400, start.data_type == DataType::Date && end.data_type == DataType::Date),
            "week" => (7 * 86_400, false),
            "hour" => (3_600, false),
            "minute" => (60, false),
            "second" => (1, false),
            "month" | "quarter" | "year"
                if start.data_type != DataType::Timestamp && end.data_type != DataType::Timestamp =>
            {
                let months = self.full_months(as_day(start), as_day(end), span);
                return match unit.trim_end_matches('s') {
                    "month" => months,
                    "quarter" => Expr::binary(BinaryOp::DivideInteger, months, Expr::int(3)).at(span),
                    _ => Expr::binary(BinaryOp::DivideInteger, months, Expr::int(12)).at(span),
                };
            }
            "month" | "quarter" | "year" => {
                return self.opaque(
                    "months and years are counted between dates; cast timestamps to dates",
                    vec![start, end],
                    span,
                );
            }
            _ => return self.opaque(format!("the difference in {unit} is not understood"), vec![start, end], span),
        };
        if whole_days {
            return self.call("days_between", vec![end, start], span);
        }
        let seconds = self.call("seconds_between", vec![as_timestamp(end), as_timestamp(start)], span);
        if per_unit == 1 {
            seconds
        } else {
            Expr::binary(BinaryOp::DivideInteger, seconds, Expr::int(per_unit)).at(span)
        }
    }

    /// `date + n unit`: days and months of a date, anything up to weeks of a timestamp.
    pub(super) fn shifted(&mut self, date: Expr, unit: &str, amount: Expr, span: Span) -> Expr {
        let unit = unit.to_ascii_lowercase();
        let times = |amount: Expr, factor: i64| match (&amount.kind, factor) {
            (_, 1) => amount,
            (ExprKind::Literal(Value::Int(n)), _) => Expr::int(n.saturating_mul(factor)),
            _ => Expr::binary(BinaryOp::Multiply, amount, Expr::int(factor)),
        };
        let date = super::literals::beside(date, &DataType::Timestamp);
        let is_timestamp = date.data_type == DataType::Timestamp;
        match unit.trim_end_matches('s') {
            "day" if !is_timestamp => self.call("add_days", vec![date, amount], span),
            "week" if !is_timestamp => self.call("add_days", vec![date, times(amount, 7)], span),
            "month" if !is_timestamp => self.call("add_months", vec![date, amount], span),
            "quarter" if !is_timestamp => self.call("add_months", vec![date, times(amount, 3)], span),
            "year" if !is_timestamp => self.call("add_months", vec![date, times(amount, 12)], span),
            "week" => self.call("add_seconds", vec![date, times(amount, 604_800)], span),
            "day" => self.call("add_seconds", vec![date, times(amount, 86_400)], span),
            "hour" => self.call("add_seconds", vec![as_timestamp(date), times(amount, 3_600)], span),
            "minute" => self.call("add_seconds", vec![as_timestamp(date), times(amount, 60)], span),
            "second" => self.call("add_seconds", vec![as_timestamp(date), amount], span),
            _ => self.opaque(
                format!("{unit}s cannot be added to a timestamp alike everywhere; cast it to a date first"),
                vec![date, amount],
                span,
            ),
        }
    }

    /// `x + INTERVAL …`, `x - INTERVAL …` and `a - b > INTERVAL …`; `None` where no interval is involved.
    pub(super) fn moved_date(
        &mut self,
        left: &ast::Expr,
        op: &BinaryOperator,
        right: &ast::Expr,
        span: Span,
    ) -> Option<Expr> {
        let sign = match op {
            BinaryOperator::Plus => 1,
            BinaryOperator::Minus => -1,
            _ => return self.compared_interval(left, op, right, span),
        };
        let ast::Expr::Interval(interval) = strip(right) else { return None };
        let Some((amount, unit)) = amount_of(interval) else {
            let date = self.expr(left);
            return Some(self.opaque(format!("`{interval}` is not understood"), vec![date], span));
        };
        let date = self.expr(left);
        let amount = Expr::int(amount.saturating_mul(sign));
        Some(self.shifted(date, &unit, amount, span))
    }

    /// `a - b > INTERVAL '365' DAY` compares a number of days or seconds.
    fn compared_interval(
        &mut self,
        left: &ast::Expr,
        op: &BinaryOperator,
        right: &ast::Expr,
        span: Span,
    ) -> Option<Expr> {
        let op = match op {
            BinaryOperator::Lt => BinaryOp::Less,
            BinaryOperator::LtEq => BinaryOp::LessOrEqual,
            BinaryOperator::Gt => BinaryOp::Greater,
            BinaryOperator::GtEq => BinaryOp::GreaterOrEqual,
            BinaryOperator::Eq => BinaryOp::Equal,
            _ => return None,
        };
        let ast::Expr::Interval(interval) = strip(right) else { return None };
        let ast::Expr::BinaryOp { left: end, op: BinaryOperator::Minus, right: start } = strip(left) else {
            return None;
        };
        let (amount, unit) = amount_of(interval)?;
        let seconds_each = match unit.to_ascii_lowercase().trim_end_matches('s') {
            "week" => 604_800,
            "day" => 86_400,
            "hour" => 3_600,
            "minute" => 60,
            "second" => 1,
            _ => return None,
        };
        let (end, start) = (self.expr(end), self.expr(start));
        let days = end.data_type == DataType::Date && start.data_type == DataType::Date;
        let amount = amount.saturating_mul(seconds_each);
        let (difference, amount) = if days && amount % 86_400 == 0 {
            (self.call("days_between", vec![end, start], span), amount / 86_400)
        } else {
            (self.call("seconds_between", vec![as_timestamp(end), as_timestamp(start)], span), amount)
        };
        Some(Expr::binary(op, difference, Expr::int(amount)).at(span))
    }

    pub(super) fn parse_by_format(&mut self, name: &str, text: Expr, format: &Expr, span: Span) -> Expr {
        let ExprKind::Literal(Value::String(written)) = &format.kind else {
            return self.opaque("a date format must be a constant", vec![text, format.clone()], span);
        };
        let written = &self.oracle_format(written);
        let mysql = matches!(name, "date_parse" | "str_to_date");
        let parsed = if mysql { dates::from_mysql(written) } else { dates::from_java(written) };
        match parsed {
            Some(format) if format == "yyyy-MM-dd HH:mm:ss" => Expr::cast(text, DataType::Timestamp).at(span),
            Some(format) if dates::is_whole_date(&format) => {
                let day = self.call("parse_date", vec![text, Expr::text(format)], span);
                if matches!(name, "to_date" | "try_to_date" | "str_to_date") {
                    day
                } else {
                    Expr::cast(day, DataType::Timestamp).at(span)
                }
            }
            _ => self.opaque(
                format!(
                    "the date format {written} cannot be read alike everywhere; use yyyy, MM and dd with separators"
                ),
                vec![text],
                span,
            ),
        }
    }

    /// `YYYY-MM-DD` as other databases write it; in Spark these letters mean the year of a week and the day of a year.
    fn oracle_format(&self, format: &str) -> String {
        if self.syntax == Syntax::Rule && format.contains("YYYY") && !format.contains('d') {
            return format.replace("YYYY", "yyyy").replace("DD", "dd");
        }
        format.to_owned()
    }

    pub(super) fn format_by(&mut self, args: Vec<Expr>, span: Span) -> Expr {
        let Some(ExprKind::Literal(Value::String(written))) = args.get(1).map(|e| &e.kind) else {
            return self.opaque("a date format must be a constant", args, span);
        };
        let written = &self.oracle_format(written);
        let parsed = if written.contains('%') { dates::from_mysql(written) } else { dates::from_java(written) };
        match (parsed, args.into_iter().next()) {
            (Some(format), Some(date)) if dates::is_date_only(&format) => {
                self.call("format_date", vec![as_day(date), Expr::text(format)], span)
            }
            (_, date) => {
                self.opaque("only yyyy, MM and dd are written alike everywhere", date.into_iter().collect(), span)
            }
        }
    }

    /// What reads a day takes a timestamp's day, and what reads a time takes a date's midnight.
    pub(super) fn day_of_timestamps(&mut self, function: &functions::Function, args: Vec<Expr>) -> Vec<Expr> {
        const OF_DAYS: [&str; 15] = [
            "year",
            "quarter",
            "month",
            "day",
            "day_of_week",
            "day_of_year",
            "week_of_year",
            "trunc_year",
            "trunc_quarter",
            "trunc_month",
            "trunc_week",
            "last_day",
            "add_months",
            "add_days",
            "days_between",
        ];
        const OF_TIMES: [&str; 3] = ["hour", "minute", "second"];
        let of_days = OF_DAYS.contains(&function.name);
        let both = function.name == "days_between";
        let of_times = OF_TIMES.contains(&function.name);
        let position = function.nulls == Nulls::Propagate;
        args.into_iter()
            .enumerate()
            .map(|(i, arg)| match i {
                0 if of_days && position => as_day(arg),
                1 if both => as_day(arg),
                0 if of_times => as_timestamp(arg),
                _ => arg,
            })
            .collect()
    }
}

/// A date of anything that holds one.
pub(super) fn as_day(expr: Expr) -> Expr {
    let expr = super::literals::beside(expr, &DataType::Date);
    match expr.data_type {
        DataType::Date | DataType::Unknown | DataType::Null => expr,
        _ => {
            let span = expr.span;
            Expr::cast(expr, DataType::Date).at(span)
        }
    }
}

/// A timestamp of anything that holds one.
pub(super) fn as_timestamp(expr: Expr) -> Expr {
    let expr = super::literals::beside(expr, &DataType::Timestamp);
    match expr.data_type {
        DataType::Timestamp | DataType::Unknown | DataType::Null => expr,
        _ => {
            let span = expr.span;
            Expr::cast(expr, DataType::Timestamp).at(span)
        }
    }
}

fn strip(tree: &ast::Expr) -> &ast::Expr {
    match tree {
        ast::Expr::Nested(inner) => strip(inner),
        other => other,
    }
}

/// Amount and unit of an interval: `'7' day`, `7 days`, `'7 days'`.
fn amount_of(interval: &ast::Interval) -> Option<(i64, String)> {
    let text = match strip(&interval.value) {
        ast::Expr::Value(value) => match &value.value {
            ast::Value::Number(text, _) => text.clone(),
            other => other.clone().into_string()?,
        },
        ast::Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => match &**expr {
            ast::Expr::Value(value) => format!("-{}", value.value.to_string().trim_matches('\'')),
            _ => return None,
        },
        _ => return None,
    };
    match &interval.leading_field {
        Some(unit) if interval.last_field.is_none() => Some((text.trim().parse().ok()?, unit.to_string())),
        Some(_) => None,
        None => {
            let (amount, unit) = text.trim().split_once(' ')?;
            Some((amount.trim().parse().ok()?, unit.trim().to_string()))
        }
    }
}
