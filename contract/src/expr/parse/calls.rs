//! Calls: names and argument orders of Spark and Trino, brought to the table of functions.

use sqlparser::ast::{self, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::calendar::{as_day, as_timestamp};
use super::elaborate::Elaborator;
use super::{ExprErrorKind, Syntax};
use crate::expr::functions::{self, FunctionKind};
use crate::expr::{BinaryOp, Expr, ExprKind, Span, pattern};
use crate::types::DataType;
use crate::value::Value;

/// Functions of three arguments whose first one is a unit, as a text or as a bare word.
const TAKES_UNIT: [&str; 6] = ["datediff", "date_diff", "dateadd", "date_add", "timestampdiff", "timestampadd"];

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
        let mut trees = trees;
        // `percentile_cont(0.5) WITHIN GROUP (ORDER BY x)` names its operand behind.
        if let [ast::OrderByExpr { expr, .. }] = call.within_group.as_slice() {
            trees.insert(0, expr);
        }
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
            ("if" | "iff" | "iif", [condition, then]) => {
                let branch = (self.expr(condition), self.expr(then));
                return Expr::case(vec![branch], None).at(span);
            }
            ("if" | "iff" | "iif", [condition, then, otherwise]) => {
                let branch = (self.expr(condition), self.expr(then));
                let otherwise = self.expr(otherwise);
                return Expr::case(vec![branch], Some(otherwise)).at(span);
            }
            // TRY makes an error NULL, which all that this language has does already.
            ("try", [inner]) => return self.expr(inner),
            _ => {}
        }
        if let Some(collection) = self.collection(name, trees, span) {
            return collection;
        }
        let mut args: Vec<Expr> = trees
            .iter()
            .enumerate()
            .map(|(at, tree)| match tree {
                // `datediff(day, a, b)`: the unit is no column.
                ast::Expr::Identifier(unit) if at == 0 && trees.len() == 3 && TAKES_UNIT.contains(&name) => {
                    Expr::text(unit.value.clone())
                }
                tree => self.expr(tree),
            })
            .collect();
        if let Some(idiom) = self.idiom(name, &args, span) {
            return idiom;
        }
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
            (
                "to_date" | "try_to_date" | "to_timestamp" | "try_to_timestamp" | "date_parse" | "str_to_date",
                [text, format],
            ) => self.parse_by_format(name, text.clone(), format, span),
            ("date_format" | "to_char", [_, _]) => self.format_by(args, span),
            ("datediff" | "date_diff", [end, start]) => {
                let (end, start) = (as_day(end.clone()), as_day(start.clone()));
                self.call("days_between", vec![end, start], span)
            }
            ("date_diff" | "datediff" | "timestampdiff", [unit, start, end]) => {
                let unit = word(unit);
                self.difference(&unit, start.clone(), end.clone(), span)
            }
            ("date_add" | "dateadd" | "timestampadd", [unit, amount, date]) => {
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
            ("unix_timestamp" | "to_unix_timestamp" | "to_unixtime", [at]) => {
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

/// A unit given as a text or as a bare word.
fn word(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Literal(Value::String(text)) => text.to_ascii_lowercase(),
        ExprKind::Column(column) => column.name.to_ascii_lowercase(),
        _ => String::new(),
    }
}
