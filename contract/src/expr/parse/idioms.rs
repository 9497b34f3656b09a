//! Functions of one engine or another that are written out in functions that all of them have.

use super::elaborate::Elaborator;
use super::{ExprErrorKind, Syntax};
use crate::expr::{BinaryOp, Expr, ExprKind, Span};
use crate::types::DataType;
use crate::value::Value;

impl Elaborator<'_> {
    /// What a call means in other functions; `None` where it is none of these idioms.
    pub(super) fn idiom(&mut self, name: &str, args: &[Expr], span: Span) -> Option<Expr> {
        let expr = match (name, args) {
            ("isnull", [_, _]) | ("zeroifnull", [_]) => {
                let fallback = args.get(1).cloned().unwrap_or_else(|| Expr::int(0));
                let fallback = super::beside(fallback, &args[0].data_type);
                self.call("coalesce", vec![args[0].clone(), fallback], span)
            }
            ("equal_null", [l, r]) => self.comparison(BinaryOp::NullSafeEqual, l.clone(), r.clone(), span),
            ("nanvl", [x, y]) => {
                let y = super::beside(y.clone(), &x.data_type);
                Expr::case(vec![(Expr::is_nan(x.clone()), y)], Some(x.clone()))
            }
            ("try_divide", [l, r]) => self.arithmetic(BinaryOp::DivideDouble, l.clone(), r.clone(), span),
            ("pmod", [n, k]) => {
                let once = self.arithmetic(BinaryOp::Remainder, n.clone(), k.clone(), span);
                let sum = self.arithmetic(BinaryOp::Add, once, k.clone(), span);
                self.arithmetic(BinaryOp::Remainder, sum, k.clone(), span)
            }
            ("positive", [n]) => n.clone(),
            ("negative", [n]) => Expr::negate(n.clone()),
            ("nan", []) => Expr::literal(Value::Double(f64::NAN)),
            ("infinity", []) => Expr::literal(Value::Double(f64::INFINITY)),
            ("is_infinite", [x]) => {
                let finite = self.call("is_finite", vec![x.clone()], span);
                Expr::and_all([Expr::not(finite), Expr::not(Expr::is_nan(x.clone()))])
            }
            ("truncate" | "trunc", [n]) => {
                let negative = self.comparison(BinaryOp::Less, n.clone(), Expr::int(0), span);
                let (up, down) = (self.call("ceil", vec![n.clone()], span), self.call("floor", vec![n.clone()], span));
                Expr::case(vec![(negative, up)], Some(down))
            }
            ("decode", [operand, rest @ ..]) if rest.len() >= 2 => self.decoded(operand, rest, span),
            ("left", [text, length]) => self.call("substring", vec![text.clone(), Expr::int(1), length.clone()], span),
            ("right", [text, Expr { kind: ExprKind::Literal(Value::Int(length)), .. }]) => {
                self.last_characters(text, *length, span)
            }
            ("substring" | "substr", [text, Expr { kind: ExprKind::Literal(Value::Int(start)), .. }])
                if *start < 0 && self.syntax != Syntax::Trino =>
            {
                self.last_characters(text, start.saturating_neg(), span)
            }
            ("charindex", [part, text]) => self.call("instr", vec![text.clone(), part.clone()], span),
            ("lpad" | "rpad", [text, length]) => {
                self.call(name, vec![text.clone(), length.clone(), Expr::text(" ")], span)
            }
            ("substring_index", [text, separator, place]) => self.around(text, separator, place, span)?,
            ("element_at", [Expr { kind: ExprKind::Call { function: "split", args: split }, .. }, place]) => {
                self.split_place(split, place.clone(), span)?
            }
            ("regexp_like" | "rlike", [text, pattern, flags]) => match (&pattern.kind, &flags.kind) {
                (ExprKind::Literal(Value::String(pattern)), ExprKind::Literal(Value::String(flags)))
                    if matches!(flags.as_str(), "i" | "") =>
                {
                    let folding = if flags == "i" { "(?i)" } else { "" };
                    self.matches(text.clone(), Expr::text(format!("{folding}{pattern}")), span)
                }
                _ => self.opaque(
                    "of the flags of a regular expression only `i` is had everywhere",
                    vec![text.clone()],
                    span,
                ),
            },
            // Bytes of a text stand for the text itself: hashes are of its UTF-8, everywhere.
            ("to_utf8", [text]) => text.clone(),
            ("to_hex", [hash @ Expr { kind: ExprKind::Call { function: "md5" | "sha256", .. }, .. }]) => {
                self.call("upper", vec![hash.clone()], span)
            }
            ("concat_ws", [separator, parts @ ..]) if !parts.is_empty() => {
                let parts = parts.iter().map(|part| as_text(part.clone()));
                self.call("concat_ws", std::iter::once(separator.clone()).chain(parts).collect(), span)
            }
            ("bool_and" | "every", [condition]) => {
                let fails = Expr::not(condition.clone());
                self.over_rows(condition, fails, 0, BinaryOp::Equal, span)
            }
            ("bool_or" | "any" | "some", [condition]) => {
                self.over_rows(condition, condition.clone(), 0, BinaryOp::Greater, span)
            }
            ("percentile" | "percentile_cont" | "percentile_disc", [operand, share]) => {
                self.call("quantile", vec![operand.clone(), share.clone()], span)
            }
            ("median" | "approx_median", [operand]) => {
                let half = Expr::literal(Value::Double(0.5));
                self.call("quantile", vec![operand.clone(), half], span)
            }
            ("months_between", [end, start]) => self.months_between(end.clone(), start.clone(), span),
            ("make_date", [year, month, day]) => match (whole(year), whole(month), whole(day)) {
                (Some(year), Some(month), Some(day)) => {
                    let text = Expr::text(format!("{year:04}-{month:02}-{day:02}"));
                    super::beside(text, &DataType::Date)
                }
                _ => self.opaque("a date is made of constants only; write DATE '2024-01-01'", args.to_vec(), span),
            },
            ("timestamp_seconds", [seconds]) => self.call("from_seconds", vec![seconds.clone()], span),
            ("from_unixtime", [seconds]) if self.syntax == Syntax::Trino => {
                self.call("from_seconds", vec![seconds.clone()], span)
            }
            _ => return None,
        };
        Some(expr.at(span))
    }

    /// `decode(x, a, 1, b, 2, 0)`: NULL matches NULL.
    fn decoded(&mut self, operand: &Expr, rest: &[Expr], span: Span) -> Expr {
        let mut branches = Vec::new();
        let mut pairs = rest.chunks_exact(2);
        for pair in &mut pairs {
            let [wanted, result] = pair else { continue };
            let matched = self.comparison(BinaryOp::NullSafeEqual, operand.clone(), wanted.clone(), span);
            branches.push((matched, result.clone()));
        }
        Expr::case(branches, pairs.remainder().first().cloned())
    }

    /// The last so many characters of a text, all of them where there are fewer.
    fn last_characters(&mut self, text: &Expr, count: i64, span: Span) -> Expr {
        if !(1..=1000).contains(&count) {
            self.error(ExprErrorKind::Refused, "the end of a text has 1 to 1000 characters", span);
        }
        let pattern = Expr::text(format!("(?:.|\\n){{0,{count}}}$"));
        self.call("regexp_extract", vec![text.clone(), pattern, Expr::int(0)], span)
    }

    /// `substring_index(text, '@', 1)` is what stands before the first separator, and with -1 behind the last one.
    fn around(&mut self, text: &Expr, separator: &Expr, place: &Expr, span: Span) -> Option<Expr> {
        let ExprKind::Literal(Value::String(separator)) = &separator.kind else { return None };
        let mut characters = separator.chars();
        match (whole(place), characters.next(), characters.next()) {
            (Some(1), Some(_), _) => {
                Some(self.call("split_part", vec![text.clone(), Expr::text(separator.clone()), Expr::int(1)], span))
            }
            (Some(-1), Some(single), None) => {
                let pattern = Expr::text(format!("[^{}]*$", regex::escape(&single.to_string())));
                Some(self.call("regexp_extract", vec![text.clone(), pattern, Expr::int(0)], span))
            }
            _ => None,
        }
    }

    /// A condition over all rows of a group; NULL where none decides.
    fn over_rows(&mut self, condition: &Expr, counted: Expr, bound: i64, op: BinaryOp, span: Span) -> Expr {
        let judged = self.call("count", vec![condition.clone()], span);
        let any = Expr::binary(BinaryOp::Greater, judged, Expr::int(0));
        let count = self.call("count_if", vec![counted], span);
        Expr::case(vec![(any, Expr::binary(op, count, Expr::int(bound)))], None)
    }

    /// Months from one date to another: whole ones where the days of the month are the same or both the last, else with
    /// the days as thirty-firsts.
    fn months_between(&mut self, end: Expr, start: Expr, span: Span) -> Expr {
        for side in [&end, &start] {
            if side.data_type == DataType::Timestamp {
                self.error(
                    ExprErrorKind::Refused,
                    "months_between takes dates; cast timestamps to dates, or count days or seconds",
                    span,
                );
            }
        }
        let (end, start) = (super::calendar::as_day(end), super::calendar::as_day(start));
        let months = self.month_number(&end, &start, span);
        let day = |this: &mut Self, date: &Expr| this.call("day", vec![date.clone()], span);
        let (end_day, start_day) = (day(self, &end), day(self, &start));
        let last = |this: &mut Self, date: &Expr| {
            let last = this.call("last_day", vec![date.clone()], span);
            Expr::equal(date.clone(), last)
        };
        let both_last = Expr::and_all([last(self, &end), last(self, &start)]);
        let same = Expr::or_all([Expr::equal(end_day.clone(), start_day.clone()), both_last]);
        let days = Expr::binary(BinaryOp::Subtract, end_day, start_day);
        let share = Expr::binary(BinaryOp::DivideDouble, days, Expr::int(31));
        let share = Expr::case(vec![(same, Expr::literal(Value::Double(0.0)))], Some(share));
        Expr::binary(BinaryOp::Add, months, share)
    }

    /// The difference of two dates' calendar months, the days aside.
    fn month_number(&mut self, end: &Expr, start: &Expr, span: Span) -> Expr {
        let mut number = |date: &Expr| {
            let (year, month) =
                (self.call("year", vec![date.clone()], span), self.call("month", vec![date.clone()], span));
            let months = Expr::binary(BinaryOp::Multiply, year, Expr::int(12));
            Expr::binary(BinaryOp::Add, months, month)
        };
        let (end, start) = (number(end), number(start));
        Expr::binary(BinaryOp::Subtract, end, start)
    }

    /// Full months from one date to a later one, as Trino's `date_diff` counts them: the last day of a month completes
    /// one that began on a later day.
    pub(super) fn full_months(&mut self, start: Expr, end: Expr, span: Span) -> Expr {
        let mut forwards = |from: &Expr, to: &Expr| {
            let months = self.month_number(to, from, span);
            let day = |this: &mut Self, date: &Expr| this.call("day", vec![date.clone()], span);
            let earlier = Expr::binary(BinaryOp::Less, day(self, to), day(self, from));
            let last = self.call("last_day", vec![to.clone()], span);
            let incomplete = Expr::and_all([earlier, Expr::not(Expr::equal(to.clone(), last))]);
            let missing = Expr::case(vec![(incomplete, Expr::int(1))], Some(Expr::int(0)));
            Expr::binary(BinaryOp::Subtract, months, missing)
        };
        let (there, back) = (forwards(&start, &end), forwards(&end, &start));
        let ordered = Expr::binary(BinaryOp::LessOrEqual, start, end);
        Expr::case(vec![(ordered, there)], Some(Expr::negate(back)))
    }
}

/// A part of `concat_ws` as text, where it has a form that all engines write alike.
fn as_text(part: Expr) -> Expr {
    match part.data_type {
        DataType::TinyInt
        | DataType::SmallInt
        | DataType::Int
        | DataType::BigInt
        | DataType::Date
        | DataType::Boolean => Expr::cast(part, DataType::String),
        _ => part,
    }
}

fn whole(expr: &Expr) -> Option<i64> {
    match expr.kind {
        ExprKind::Literal(Value::Int(number)) => Some(number),
        _ => None,
    }
}
