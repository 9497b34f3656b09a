//! Calls: names and argument orders of Spark and Trino, brought to the table of functions.

use sqlparser::ast::{self, BinaryOperator, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::elaborate::Elaborator;
use super::{ExprErrorKind, Syntax};
use crate::expr::functions::{self, FunctionKind, Nulls};
use crate::expr::{BinaryOp, Expr, ExprKind, Span, dates, pattern};
use crate::types::DataType;
use crate::value::Value;

impl Elaborator<'_> {
    /// A call of a table function by its canonical name or alias, its arguments checked.
    pub(super) fn call(&mut self, name: &str, args: Vec<Expr>, span: Span) -> Expr {
        let Some(function) = functions::find(name) else {
            let near = functions::nearest(name);
            let hint = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) };
            self.error(ExprErrorKind::UnknownFunction, format!("there is no function `{name}`{hint}"), span);
            return Expr::opaque(format!("function `{name}`"), args).at(span);
        };
        let (least, most) = function.arity;
        if args.len() < least || args.len() > most {
            let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
            let message = format!("`{name}` takes {wanted} arguments and got {}", args.len());
            self.error(ExprErrorKind::UnknownFunction, message, span);
            return Expr::opaque(format!("function `{name}` with other arguments"), args).at(span);
        }
        let args = self.day_of_timestamps(function, args);
        for at in function.constants {
            if let Some(arg) = args.get(*at)
                && !matches!(arg.kind, ExprKind::Literal(_))
            {
                let message = format!("argument {} of `{}` must be a constant", at + 1, function.name);
                self.error(ExprErrorKind::Refused, message, span);
            }
        }
        match function.kind {
            FunctionKind::Scalar => Expr::call(function.name, args),
            FunctionKind::Aggregate | FunctionKind::Window => Expr::aggregate(function.name, args, false),
        }
        .unwrap_or_else(|| Expr::opaque(format!("function `{name}`"), Vec::new()))
        .at(span)
    }

    pub(super) fn function(&mut self, call: &ast::Function, span: Span) -> Expr {
        let name = call.name.to_string().to_ascii_lowercase();
        let (trees, distinct) = match &call.args {
            FunctionArguments::None => (Vec::new(), false),
            FunctionArguments::Subquery(_) => return self.opaque("a subquery in a call", Vec::new(), span),
            FunctionArguments::List(list) => {
                let trees: Vec<&ast::Expr> = list
                    .args
                    .iter()
                    .filter_map(|arg| match arg {
                        FunctionArg::Unnamed(FunctionArgExpr::Expr(e)) => Some(e),
                        FunctionArg::Named { arg: FunctionArgExpr::Expr(e), .. } => Some(e),
                        _ => None,
                    })
                    .collect();
                (trees, matches!(list.duplicate_treatment, Some(ast::DuplicateTreatment::Distinct)))
            }
        };
        let expr = self.named_call(&name, &trees, span);
        let expr = self.filtered(expr, call, span);
        let expr = match expr.kind {
            ExprKind::Aggregate { function, args, .. } if distinct => {
                Expr { kind: ExprKind::Aggregate { function, args, distinct }, ..expr }
            }
            kind => Expr { kind, ..expr },
        };
        match &call.over {
            None => expr,
            Some(ast::WindowType::NamedWindow(_)) => self.opaque("a named window", vec![expr], span),
            Some(ast::WindowType::WindowSpec(window)) => {
                let data_type = expr.data_type.clone();
                let partition_by = self.all(&window.partition_by);
                let order_by =
                    window.order_by.iter().map(|key| (self.expr(&key.expr), key.options.asc == Some(false))).collect();
                let kind = ExprKind::Window { function: Box::new(expr), partition_by, order_by };
                Expr { kind, data_type, span }
            }
        }
    }

    /// `agg(x) FILTER (WHERE p)` is `agg(CASE WHEN p THEN x END)`; `percentile_cont(p) WITHIN GROUP (ORDER BY x)` is a
    /// quantile.
    fn filtered(&mut self, expr: Expr, call: &ast::Function, span: Span) -> Expr {
        let Some(condition) = &call.filter else { return expr };
        let condition = self.expr(condition);
        match expr.kind {
            ExprKind::Aggregate { function: "count", args, .. } if args.is_empty() => {
                self.call("count_if", vec![condition], span)
            }
            ExprKind::Aggregate { function, mut args, distinct } if !args.is_empty() => {
                let first = args.remove(0);
                args.insert(0, Expr::case(vec![(condition, first)], None));
                Expr { kind: ExprKind::Aggregate { function, args, distinct }, data_type: expr.data_type, span }
            }
            kind => self.opaque("FILTER stands behind aggregates", vec![Expr { kind, ..expr }], span),
        }
    }

    fn named_call(&mut self, name: &str, trees: &[&ast::Expr], span: Span) -> Expr {
        match (name, trees) {
            ("if" | "iff", [condition, then]) => {
                let branch = (self.expr(condition), self.expr(then));
                return Expr::case(vec![branch], None).at(span);
            }
            ("if" | "iff", [condition, then, otherwise]) => {
                let branch = (self.expr(condition), self.expr(then));
                let otherwise = self.expr(otherwise);
                return Expr::case(vec![branch], Some(otherwise)).at(span);
            }
            ("exists" | "any_match", [array, ast::Expr::Lambda(lambda)]) => {
                let array = self.expr(array);
                return self.any_equal(array, lambda, span);
            }
            // TRY makes an error NULL, which all that this language has does already.
            ("try", [inner]) => return self.expr(inner),
            _ => {}
        }
        let mut args: Vec<Expr> = trees.iter().map(|tree| self.expr(tree)).collect();
        match (name, args.as_slice()) {
            ("isnull", [e]) => Expr::is_null(e.clone()).at(span),
            ("isnotnull", [e]) => Expr::is_not_null(e.clone()).at(span),
            ("isnan" | "is_nan", [e]) => Expr::is_nan(e.clone()).at(span),
            ("rlike" | "regexp" | "regexp_like", [text, pattern]) => self.matches(text.clone(), pattern.clone(), span),
            ("try_add", [l, r]) => self.arithmetic(BinaryOp::Add, l.clone(), r.clone(), span),
            ("try_subtract", [l, r]) => self.arithmetic(BinaryOp::Subtract, l.clone(), r.clone(), span),
            ("try_multiply", [l, r]) => self.arithmetic(BinaryOp::Multiply, l.clone(), r.clone(), span),
            ("timestamp_micros", [Expr { kind: ExprKind::Literal(Value::Int(micros)), .. }]) => {
                Expr::literal(Value::Timestamp(*micros)).at(span)
            }
            ("mod", [l, r]) => self.arithmetic(BinaryOp::Remainder, l.clone(), r.clone(), span),
            ("nvl2", [e, then, otherwise]) => {
                Expr::case(vec![(Expr::is_not_null(e.clone()), then.clone())], Some(otherwise.clone())).at(span)
            }
            ("int" | "bigint" | "double" | "float" | "string" | "boolean" | "date" | "timestamp" | "decimal", [e]) => {
                let ty = DataType::parse(name).unwrap_or_default();
                Expr::cast(e.clone(), ty).at(span)
            }
            ("to_date" | "from_iso8601_date" | "try_to_date", [e]) => Expr::cast(e.clone(), DataType::Date).at(span),
            ("to_timestamp" | "try_to_timestamp" | "from_iso8601_timestamp", [e]) => {
                Expr::cast(e.clone(), DataType::Timestamp).at(span)
            }
            ("to_date" | "to_timestamp" | "try_to_timestamp" | "date_parse", [text, format]) => {
                self.parse_by_format(name, text.clone(), format, span)
            }
            ("date_format", [_, _]) => self.format_by(args, span),
            ("datediff" | "date_diff", [end, start]) => {
                let (end, start) = (as_day(end.clone()), as_day(start.clone()));
                self.call("days_between", vec![end, start], span)
            }
            ("date_diff" | "datediff" | "timestampdiff", [unit, start, end]) => {
                let unit = word(unit);
                self.difference(&unit, start.clone(), end.clone(), span)
            }
            ("date_add" | "dateadd", [unit, amount, date]) => {
                let unit = word(unit);
                self.shifted(date.clone(), &unit, amount.clone(), span)
            }
            ("date_add" | "dateadd", [date, days]) => self.shifted(date.clone(), "day", days.clone(), span),
            ("date_sub", [date, days]) => {
                let days = Expr::negate(days.clone());
                self.shifted(date.clone(), "day", days, span)
            }
            ("add_months", [date, months]) => self.shifted(date.clone(), "month", months.clone(), span),
            ("date_trunc", [unit, date]) => {
                let unit = word(unit);
                self.truncated(&unit, date.clone(), span)
            }
            ("trunc", [date, unit]) => {
                let unit = word(unit);
                self.truncated(&unit, date.clone(), span)
            }
            ("date_part" | "datepart", [unit, date]) => {
                let unit = word(unit);
                self.date_part(&unit, date.clone(), span)
            }
            ("dayofweek", [date]) => {
                // Spark's Sunday is 1; ISO's is 7.
                let iso = self.call("day_of_week", vec![date.clone()], span);
                let rest = Expr::binary(BinaryOp::Remainder, iso, Expr::int(7));
                Expr::binary(BinaryOp::Add, rest, Expr::int(1)).at(span)
            }
            ("weekday", [date]) => {
                let iso = self.call("day_of_week", vec![date.clone()], span);
                Expr::binary(BinaryOp::Subtract, iso, Expr::int(1)).at(span)
            }
            ("unix_timestamp" | "to_unixtime", [at]) => {
                let epoch = Expr::literal(Value::Timestamp(0));
                let at = as_timestamp(at.clone());
                self.call("seconds_between", vec![at, epoch], span)
            }
            ("contains", [collection, _]) => {
                let text = collection.data_type.is_text();
                self.call(if text { "contains_text" } else { "array_contains" }, args, span)
            }
            ("locate", [part, text]) => {
                let args = vec![text.clone(), part.clone()];
                self.call("instr", args, span)
            }
            ("position", [part, text]) => {
                let args = vec![text.clone(), part.clone()];
                self.call("instr", args, span)
            }
            ("element_at", [map, _]) if matches!(map.data_type, DataType::Map(..)) => self.call("map_get", args, span),
            ("regexp_extract", [_, _]) => {
                args.push(Expr::int(i64::from(self.syntax != Syntax::Trino)));
                self.regex_call("regexp_extract", args, span)
            }
            ("regexp_replace", [_, _]) => {
                args.push(Expr::text(""));
                self.regex_call("regexp_replace", args, span)
            }
            ("regexp_extract" | "regexp_replace", _) => self.regex_call(name, args, span),
            ("sha2", [text, bits]) if matches!(bits.kind, ExprKind::Literal(Value::Int(256 | 0))) => {
                self.call("sha256", vec![text.clone()], span)
            }
            ("percentile_cont" | "percentile_disc" | "percentile" | "median" | "approx_median", _) => {
                self.opaque("a quantile is an aggregate rule of its own: type `quantile`", args, span)
            }
            ("coalesce" | "nvl" | "ifnull" | "greatest" | "least" | "nullif", _) => {
                let known = args.iter().find(|e| !matches!(e.kind, ExprKind::Literal(_))).map(|e| e.data_type.clone());
                if let Some(ty) = known {
                    args = args.into_iter().map(|e| super::literals::beside(e, &ty)).collect();
                }
                self.call(name, args, span)
            }
            _ => self.call(name, args, span),
        }
    }

    /// `x -> x = value` over an array is membership; other lambdas are not understood.
    fn any_equal(&mut self, array: Expr, lambda: &ast::LambdaFunction, span: Span) -> Expr {
        if let ast::OneOrManyWithParens::One(parameter) = &lambda.params
            && let ast::Expr::BinaryOp { left, op: BinaryOperator::Eq, right } = &*lambda.body
        {
            let is_parameter = |e: &ast::Expr| matches!(e, ast::Expr::Identifier(i) if i.value == parameter.name.value);
            let value = match (is_parameter(left), is_parameter(right)) {
                (true, false) => Some(right),
                (false, true) => Some(left),
                _ => None,
            };
            if let Some(value) = value {
                let value = self.expr(value);
                return self.call("array_contains", vec![array, value], span);
            }
        }
        self.opaque("a lambda other than `x -> x = value`", vec![array], span)
    }

    fn regex_call(&mut self, name: &str, mut args: Vec<Expr>, span: Span) -> Expr {
        if let Some(ExprKind::Literal(Value::String(text))) = args.get(1).map(|e| &e.kind) {
            let text = self.regex_text(text);
            if let Err(error) = pattern::portable(&text) {
                self.error(ExprErrorKind::Refused, error.to_string(), span);
            }
            args[1] = Expr::text(text);
        }
        if name == "regexp_replace"
            && let Some(ExprKind::Literal(Value::String(text))) = args.get(2).map(|e| &e.kind)
            && text.contains(['$', '\\'])
        {
            self.error(
                ExprErrorKind::Refused,
                "engines spell groups in a replacement differently; use plain text",
                span,
            );
        }
        self.call(name, args, span)
    }

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
            _ => return self.opaque(format!("the part {unit} of a date is not understood"), vec![operand], span),
        };
        self.call(name, vec![operand], span)
    }

    fn truncated(&mut self, unit: &str, operand: Expr, span: Span) -> Expr {
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

    fn difference(&mut self, unit: &str, start: Expr, end: Expr, span: Span) -> Expr {
        let (per_unit, whole_days) = match unit.trim_end_matches('s') {
            "day" => (86_400, start.data_type == DataType::Date && end.data_type == DataType::Date),
            "week" => (7 * 86_400, false),
            "hour" => (3_600, false),
            "minute" => (60, false),
            "second" => (1, false),
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
    fn shifted(&mut self, date: Expr, unit: &str, amount: Expr, span: Span) -> Expr {
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

    fn parse_by_format(&mut self, name: &str, text: Expr, format: &Expr, span: Span) -> Expr {
        let ExprKind::Literal(Value::String(written)) = &format.kind else {
            return self.opaque("a date format must be a constant", vec![text, format.clone()], span);
        };
        let parsed = if name == "date_parse" { dates::from_mysql(written) } else { dates::from_java(written) };
        match parsed {
            Some(format) if format == "yyyy-MM-dd HH:mm:ss" => Expr::cast(text, DataType::Timestamp).at(span),
            Some(format) if dates::is_whole_date(&format) => {
                let day = self.call("parse_date", vec![text, Expr::text(format)], span);
                if name == "to_date" { day } else { Expr::cast(day, DataType::Timestamp).at(span) }
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

    fn format_by(&mut self, args: Vec<Expr>, span: Span) -> Expr {
        let Some(ExprKind::Literal(Value::String(written))) = args.get(1).map(|e| &e.kind) else {
            return self.opaque("a date format must be a constant", args, span);
        };
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
    fn day_of_timestamps(&mut self, function: &functions::Function, args: Vec<Expr>) -> Vec<Expr> {
        const OF_DAYS: [&str; 14] = [
            "year",
            "quarter",
            "month",
            "day",
            "day_of_week",
            "day_of_year",
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

    /// The plain text that a constant regular expression of `split` stands for.
    pub(super) fn plain_separator(&self, separator: &str) -> Option<String> {
        if self.syntax == Syntax::Trino {
            return Some(separator.to_string());
        }
        let unescaped = separator.strip_prefix('\\').unwrap_or(separator);
        let single = unescaped.chars().count() == 1;
        let special = |text: &str| text.contains(['.', '|', '(', '[', '{', '*', '+', '?', '^', '$', '\\']);
        match single {
            true if separator.len() == unescaped.len() && special(separator) => None,
            true => Some(unescaped.to_string()),
            false if special(separator) => None,
            false => Some(separator.to_string()),
        }
    }
}

/// A date of anything that holds one.
fn as_day(expr: Expr) -> Expr {
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
fn as_timestamp(expr: Expr) -> Expr {
    let expr = super::literals::beside(expr, &DataType::Timestamp);
    match expr.data_type {
        DataType::Timestamp | DataType::Unknown | DataType::Null => expr,
        _ => {
            let span = expr.span;
            Expr::cast(expr, DataType::Timestamp).at(span)
        }
    }
}

/// A unit given as a text or as a bare word.
fn word(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Literal(Value::String(text)) => text.to_ascii_lowercase(),
        ExprKind::Column(column) => column.name.to_ascii_lowercase(),
        _ => String::new(),
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
