//! From sqlparser's tree to a typed expression.

use sqlparser::ast::{self, BinaryOperator, CastKind, Spanned, UnaryOperator, Value as SqlValue};

use super::literals::{self, beside};
use super::scope::Scope;
use super::types::data_type;
use super::{ExprError, ExprErrorKind, Syntax};
use crate::expr::{BinaryOp, Expr, ExprKind, Span, pattern};
use crate::types::DataType;
use crate::value::Value;

pub(super) struct Elaborator<'a> {
    pub(super) syntax: Syntax,
    pub(super) scope: &'a dyn Scope,
    lines: Option<Lines<'a>>,
    pub(super) errors: Vec<ExprError>,
    /// Parameters of the lambda expressions around the current place.
    pub(super) parameters: Vec<String>,
}

impl<'a> Elaborator<'a> {
    pub(super) fn new(syntax: Syntax, scope: &'a dyn Scope, text: Option<&'a str>) -> Elaborator<'a> {
        Elaborator { syntax, scope, lines: text.map(Lines::new), errors: Vec::new(), parameters: Vec::new() }
    }

    pub(super) fn expr(&mut self, tree: &ast::Expr) -> Expr {
        let span = self.span(tree);
        let expr = self.unplaced(tree, span);
        if matches!(tree, ast::Expr::Nested(_)) { expr } else { expr.at(span) }
    }

    pub(super) fn all(&mut self, trees: &[ast::Expr]) -> Vec<Expr> {
        trees.iter().map(|tree| self.expr(tree)).collect()
    }

    pub(super) fn error(&mut self, kind: ExprErrorKind, message: impl Into<String>, span: Span) {
        self.errors.push(ExprError::new(kind, message, span));
    }

    /// What stands for something that is not understood: in a strict parse its reason is an error.
    pub(super) fn opaque(&mut self, reason: impl Into<String>, inputs: Vec<Expr>, span: Span) -> Expr {
        let reason = reason.into();
        self.error(ExprErrorKind::Refused, reason.clone(), span);
        Expr::opaque(reason, inputs)
    }

    fn unplaced(&mut self, tree: &ast::Expr, span: Span) -> Expr {
        use ast::Expr as E;
        match tree {
            E::Nested(inner) => self.expr(inner),
            E::Identifier(ident) => self.column(None, ident, span),
            E::CompoundIdentifier(parts) => self.compound(parts, span),
            E::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain, span),
            E::Value(value) => self.value(&value.value, span),
            E::TypedString(typed) => self.typed_string(typed, span),
            E::Prefixed { value, .. } => self.expr(value),
            E::UnaryOp { op, expr } => self.unary(*op, expr, span),
            E::BinaryOp { left, op, right } => self.binary(left, op, right, span),
            E::IsNull(e) => Expr::is_null(self.expr(e)),
            E::IsNotNull(e) => Expr::is_not_null(self.expr(e)),
            E::IsTrue(e) => Expr::or_else(self.expr(e), false),
            E::IsNotTrue(e) => Expr::not(Expr::or_else(self.expr(e), false)),
            E::IsFalse(e) => Expr::or_else(Expr::not(self.expr(e)), false),
            E::IsNotFalse(e) => Expr::not(Expr::or_else(Expr::not(self.expr(e)), false)),
            E::IsUnknown(e) => Expr::is_null(self.expr(e)),
            E::IsNotUnknown(e) => Expr::is_not_null(self.expr(e)),
            E::IsDistinctFrom(l, r) => Expr::not(self.compare(BinaryOp::NullSafeEqual, l, r, span)),
            E::IsNotDistinctFrom(l, r) => self.compare(BinaryOp::NullSafeEqual, l, r, span),
            E::InList { expr, list, negated } => {
                let operand = self.expr(expr);
                let items: Vec<Expr> =
                    self.all(list).into_iter().map(|item| beside(item, &operand.data_type)).collect();
                for item in &items {
                    self.check_comparable(&operand, item, span);
                }
                negate_if(*negated, Expr::in_list(operand, items).at(span))
            }
            E::Between { expr, negated, low, high } => {
                let (operand, low, high) = (self.expr(expr), self.expr(low), self.expr(high));
                let lower = self.comparison(BinaryOp::GreaterOrEqual, operand.clone(), low, span);
                let upper = self.comparison(BinaryOp::LessOrEqual, operand, high, span);
                negate_if(*negated, Expr::binary(BinaryOp::And, lower, upper).at(span))
            }
            E::Like { negated, any, expr, pattern, escape_char } => {
                let like = match (&**pattern, any) {
                    (E::Tuple(patterns), true) => {
                        let each = patterns
                            .iter()
                            .map(|pattern| self.like(expr, pattern, escape_char.as_ref(), span))
                            .collect();
                        self.like_each(each, true)
                    }
                    (E::Nested(pattern), true) => self.like(expr, pattern, escape_char.as_ref(), span),
                    (pattern, _) => self.like(expr, pattern, escape_char.as_ref(), span),
                };
                negate_if(*negated, like)
            }
            E::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. }
                if super::collections::array_of(right).is_some() =>
            {
                let operand = self.expr(left);
                let items = super::collections::array_of(right).unwrap_or_default();
                self.listed(operand, &items, span)
            }
            E::ILike { negated, any: false, expr, pattern, escape_char } => {
                let like = self.like(expr, pattern, escape_char.as_ref(), span);
                let lowered = match like.kind {
                    ExprKind::Like { operand, pattern } => match (lower(*operand), lower(*pattern)) {
                        (Some(operand), Some(pattern)) => Expr::like(operand, pattern),
                        _ => Expr::opaque("ILIKE", Vec::new()),
                    },
                    kind => Expr { kind, ..like },
                };
                negate_if(*negated, lowered)
            }
            E::RLike { negated, expr, pattern, .. } => {
                let operand = self.expr(expr);
                let pattern = self.expr(pattern);
                negate_if(*negated, self.matches(operand, pattern, span))
            }
            E::Cast { kind, expr, data_type, .. } => {
                let operand = self.expr(expr);
                let or_null = matches!(kind, CastKind::TryCast | CastKind::SafeCast);
                self.cast(operand, data_type, or_null, span)
            }
            E::Case { operand, conditions, else_result, .. } => {
                let operand = operand.as_ref().map(|e| self.expr(e));
                let mut branches = Vec::with_capacity(conditions.len());
                for when in conditions {
                    let condition = self.expr(&when.condition);
                    let condition = match &operand {
                        Some(operand) => self.comparison(BinaryOp::Equal, operand.clone(), condition, span),
                        None => condition,
                    };
                    branches.push((condition, self.expr(&when.result)));
                }
                let otherwise = else_result.as_ref().map(|e| self.expr(e));
                Expr::case(branches, otherwise)
            }
            E::Function(function) => self.function(function, span),
            E::Extract { field, expr, .. } => {
                let operand = self.expr(expr);
                self.date_part(&field.to_string(), operand, span)
            }
            E::Ceil { expr, .. } => {
                let operand = self.expr(expr);
                self.call("ceil", vec![operand], span)
            }
            E::Floor { expr, .. } => {
                let operand = self.expr(expr);
                self.call("floor", vec![operand], span)
            }
            E::Position { expr, r#in } => {
                let args = vec![self.expr(r#in), self.expr(expr)];
                self.call("instr", args, span)
            }
            E::Substring { expr, substring_from, substring_for, .. } => {
                let mut args = vec![self.expr(expr)];
                args.push(substring_from.as_ref().map_or_else(|| Expr::int(1), |e| self.expr(e)));
                args.extend(substring_for.as_ref().map(|e| self.expr(e)));
                match self.idiom("substring", &args, span) {
                    Some(end) => end,
                    None => self.call("substring", args, span),
                }
            }
            E::Trim { expr, trim_where, trim_what, .. } => {
                let operand = self.expr(expr);
                let set = trim_what.as_ref().map(|tree| self.expr(tree));
                let blanks = |set: &Expr| matches!(&set.kind, ExprKind::Literal(Value::String(what)) if what == " ");
                match (trim_where, set.filter(|set| !blanks(set))) {
                    (Some(ast::TrimWhereField::Leading), None) => self.call("ltrim", vec![operand], span),
                    (Some(ast::TrimWhereField::Trailing), None) => self.call("rtrim", vec![operand], span),
                    (_, None) => self.call("trim", vec![operand], span),
                    (Some(ast::TrimWhereField::Leading), Some(set)) => {
                        self.call("ltrim_characters", vec![operand, set], span)
                    }
                    (Some(ast::TrimWhereField::Trailing), Some(set)) => {
                        self.call("rtrim_characters", vec![operand, set], span)
                    }
                    (_, Some(set)) => self.call("trim_characters", vec![operand, set], span),
                }
            }
            E::AtTimeZone { timestamp, time_zone } => {
                let operand = self.expr(timestamp);
                match self.expr(time_zone).kind {
                    ExprKind::Literal(Value::String(zone)) if zone.eq_ignore_ascii_case("utc") => operand,
                    _ => self.opaque("timestamps have no zone here; all are UTC", vec![operand], span),
                }
            }
            E::Interval(_) => {
                self.opaque("an interval stands only beside + or - of a date or timestamp", Vec::new(), span)
            }
            E::Subquery(_) | E::InSubquery { .. } | E::Exists { .. } => self.opaque(
                "a rule sees one row and no other table; write the query as a custom_sql rule or use foreign_key",
                Vec::new(),
                span,
            ),
            other => {
                let reason = format!("`{other}` is not understood");
                self.opaque(reason, Vec::new(), span)
            }
        }
    }

    fn value(&mut self, value: &SqlValue, span: Span) -> Expr {
        match value {
            SqlValue::Number(text, _) => match literals::number(text) {
                Some(value) => Expr::literal(value),
                None => self.opaque(format!("the number {text} has more than 38 digits"), Vec::new(), span),
            },
            SqlValue::Boolean(b) => Expr::boolean(*b),
            SqlValue::Null => Expr::null(),
            SqlValue::SingleQuotedString(text)
            | SqlValue::DoubleQuotedString(text)
            | SqlValue::EscapedStringLiteral(text)
            | SqlValue::UnicodeStringLiteral(text)
            | SqlValue::SingleQuotedRawStringLiteral(text)
            | SqlValue::DoubleQuotedRawStringLiteral(text)
            | SqlValue::NationalStringLiteral(text)
            | SqlValue::TripleSingleQuotedString(text)
            | SqlValue::TripleDoubleQuotedString(text) => Expr::text(text.clone()),
            other => self.opaque(format!("the constant {other} is not understood"), Vec::new(), span),
        }
    }

    fn typed_string(&mut self, typed: &ast::TypedString, span: Span) -> Expr {
        let ty = data_type(&typed.data_type);
        let text = typed.value.clone().into_string().unwrap_or_default();
        let ty = ty.unwrap_or_default();
        let literal = match &ty {
            DataType::Decimal { .. } => beside(Expr::text(text.clone()), &ty),
            DataType::Date | DataType::Timestamp => beside(Expr::text(text.clone()), &ty),
            _ => Expr::cast(Expr::text(text.clone()), ty.clone()),
        };
        if literal.data_type == DataType::String {
            self.error(ExprErrorKind::Types, format!("'{text}' is no {ty}"), span);
        }
        literal
    }

    fn unary(&mut self, op: UnaryOperator, operand: &ast::Expr, span: Span) -> Expr {
        let inner = self.expr(operand);
        match op {
            UnaryOperator::Not | UnaryOperator::BangNot => Expr::not(inner),
            UnaryOperator::Minus => Expr::negate(inner),
            UnaryOperator::Plus => inner,
            other => self.opaque(format!("the operator {other} is not understood"), vec![inner], span),
        }
    }

    fn binary(&mut self, left: &ast::Expr, op: &BinaryOperator, right: &ast::Expr, span: Span) -> Expr {
        if let Some(moved) = self.moved_date(left, op, right, span).or_else(|| self.no_element(left, op, right, span)) {
            return moved;
        }
        let op = match op {
            BinaryOperator::And => BinaryOp::And,
            BinaryOperator::Or => BinaryOp::Or,
            BinaryOperator::Eq => BinaryOp::Equal,
            BinaryOperator::NotEq => return Expr::not(self.compare(BinaryOp::Equal, left, right, span)),
            BinaryOperator::Spaceship => BinaryOp::NullSafeEqual,
            BinaryOperator::Lt => BinaryOp::Less,
            BinaryOperator::LtEq => BinaryOp::LessOrEqual,
            BinaryOperator::Gt => BinaryOp::Greater,
            BinaryOperator::GtEq => BinaryOp::GreaterOrEqual,
            BinaryOperator::Plus => BinaryOp::Add,
            BinaryOperator::Minus => BinaryOp::Subtract,
            BinaryOperator::Multiply => BinaryOp::Multiply,
            BinaryOperator::Modulo => BinaryOp::Remainder,
            BinaryOperator::MyIntegerDivide | BinaryOperator::DuckIntegerDivide => BinaryOp::DivideInteger,
            BinaryOperator::StringConcat => BinaryOp::Concat,
            BinaryOperator::Divide => BinaryOp::DivideDouble,
            BinaryOperator::BitwiseAnd => {
                let args = vec![self.expr(left), self.expr(right)];
                return self.call("bitwise_and", args, span);
            }
            BinaryOperator::Regexp
            | BinaryOperator::Match
            | BinaryOperator::PGRegexMatch
            | BinaryOperator::PGRegexIMatch
            | BinaryOperator::PGRegexNotMatch
            | BinaryOperator::PGRegexNotIMatch => {
                let (operand, mut pattern) = (self.expr(left), self.expr(right));
                if let (
                    BinaryOperator::PGRegexIMatch | BinaryOperator::PGRegexNotIMatch,
                    ExprKind::Literal(Value::String(text)),
                ) = (op, &mut pattern.kind)
                {
                    text.insert_str(0, "(?i)");
                }
                let negated = matches!(op, BinaryOperator::PGRegexNotMatch | BinaryOperator::PGRegexNotIMatch);
                return negate_if(negated, self.matches(operand, pattern, span));
            }
            BinaryOperator::BitwiseXor | BinaryOperator::PGExp => {
                let inputs = vec![self.expr(left), self.expr(right)];
                return self.opaque("`^` is a power here and an exclusive or there; write power(x, 2)", inputs, span);
            }
            other => {
                let inputs = vec![self.expr(left), self.expr(right)];
                return self.opaque(format!("the operator {other} is not understood"), inputs, span);
            }
        };
        match op {
            BinaryOp::And | BinaryOp::Or => {
                let (left, right) = (self.expr(left), self.expr(right));
                for side in [&left, &right] {
                    if !matches!(side.data_type, DataType::Boolean) && !side.data_type.is_open() {
                        let message = format!("AND and OR join conditions; this one is a {}", side.data_type);
                        self.error(ExprErrorKind::Types, message, side.span);
                    }
                }
                Expr::binary(op, left, right)
            }
            BinaryOp::Add
            | BinaryOp::Subtract
            | BinaryOp::Multiply
            | BinaryOp::Remainder
            | BinaryOp::DivideInteger
            | BinaryOp::DivideDouble => {
                let (left, right) = (self.expr(left), self.expr(right));
                self.arithmetic(op, left, right, span)
            }
            BinaryOp::Concat => {
                let (left, right) = (self.expr(left), self.expr(right));
                Expr::binary(op, left, right)
            }
            _ => self.compare(op, left, right, span),
        }
    }

    pub(super) fn arithmetic(&mut self, op: BinaryOp, left: Expr, right: Expr, span: Span) -> Expr {
        let left = if right.data_type.is_floating() { beside(left, &right.data_type) } else { left };
        let right = if left.data_type.is_floating() { beside(right, &left.data_type) } else { right };
        let both_whole = left.data_type.is_integer() && right.data_type.is_integer();
        let dates = matches!((&left.data_type, &right.data_type), (DataType::Date, DataType::Date));
        if dates && op == BinaryOp::Subtract {
            return self.call("days_between", vec![left, right], span);
        }
        if left.data_type == DataType::Date && right.data_type.is_integer() {
            match op {
                BinaryOp::Add => return self.shifted(left, "day", right, span),
                BinaryOp::Subtract => return self.shifted(left, "day", Expr::negate(right), span),
                _ => {}
            }
        }
        let op = match op {
            BinaryOp::DivideDouble if both_whole && self.syntax == Syntax::Trino => BinaryOp::DivideInteger,
            op => op,
        };
        for side in [&left, &right] {
            if !side.data_type.is_numeric() && !side.data_type.is_open() {
                let message = format!("arithmetic is for numbers; this is a {}, cast it first", side.data_type);
                self.error(ExprErrorKind::Types, message, side.span);
            }
        }
        Expr::binary(op, left, right)
    }

    fn compare(&mut self, op: BinaryOp, left: &ast::Expr, right: &ast::Expr, span: Span) -> Expr {
        let (left, right) = (self.expr(left), self.expr(right));
        self.comparison(op, left, right, span)
    }

    pub(super) fn comparison(&mut self, op: BinaryOp, left: Expr, right: Expr, span: Span) -> Expr {
        let left = beside(left, &right.data_type);
        let right = beside(right, &left.data_type);
        self.check_comparable(&left, &right, span);
        Expr::binary(op, left, right).at(span)
    }

    pub(super) fn check_comparable(&mut self, left: &Expr, right: &Expr, span: Span) {
        if left.data_type.is_comparable_with(&right.data_type) {
            return;
        }
        let message = match (&left.kind, &right.kind) {
            (_, ExprKind::Literal(Value::String(text))) => {
                format!("'{text}' is no {}, which the other side is", left.data_type)
            }
            (_, ExprKind::Literal(Value::Int(n))) if left.data_type.is_text() => {
                format!("a text is compared with the number {n}; write '{n}', or cast the text to a number")
            }
            _ => format!("a {} is compared with a {}; cast one of them", left.data_type, right.data_type),
        };
        self.error(ExprErrorKind::Types, message, span);
    }

    fn like(
        &mut self,
        operand: &ast::Expr,
        pattern: &ast::Expr,
        escape: Option<&ast::ValueWithSpan>,
        span: Span,
    ) -> Expr {
        let (operand, pattern) = (self.expr(operand), self.expr(pattern));
        if !operand.data_type.is_text() && !operand.data_type.is_open() {
            self.error(ExprErrorKind::Types, format!("LIKE is for texts; this is a {}", operand.data_type), span);
        }
        // Without ESCAPE nothing escapes in Trino; in Spark and in rule text a backslash does.
        let escape = match escape.and_then(|e| e.value.clone().into_string()) {
            Some(text) => text.chars().next(),
            None if self.syntax == Syntax::Trino => None,
            None => Some('\\'),
        };
        let pattern = match (pattern.kind, escape) {
            (ExprKind::Literal(Value::String(text)), escape) => {
                Expr::text(with_backslash(&text, escape)).at(pattern.span)
            }
            (kind, Some('\\')) => Expr { kind, ..pattern },
            (kind, _) => {
                let pattern = Expr { kind, data_type: pattern.data_type, span: pattern.span };
                return self.opaque(
                    "a LIKE pattern with its own ESCAPE must be a constant",
                    vec![operand, pattern],
                    span,
                );
            }
        };
        Expr::like(operand, pattern).at(span)
    }

    pub(super) fn matches(&mut self, operand: Expr, pattern: Expr, span: Span) -> Expr {
        let ExprKind::Literal(Value::String(text)) = &pattern.kind else {
            return self.opaque("a regular expression must be a constant text", vec![operand, pattern], span);
        };
        let text = self.regex_text(text);
        if let Err(error) = pattern::portable(&text) {
            self.error(ExprErrorKind::Refused, error.to_string(), pattern.span);
        }
        if !operand.data_type.is_text() && !operand.data_type.is_open() {
            let message = format!("a regular expression is for texts; this is a {}", operand.data_type);
            self.error(ExprErrorKind::Types, message, span);
        }
        Expr::matches(operand, text).at(span)
    }

    /// In rule text people double backslashes as if it were Spark's: `'\\d'` is read as `\d`.
    pub(super) fn regex_text(&self, text: &str) -> String {
        if self.syntax == Syntax::Rule { text.replace("\\\\", "\\") } else { text.to_string() }
    }

    pub(super) fn cast(&mut self, operand: Expr, to: &ast::DataType, or_null: bool, span: Span) -> Expr {
        match data_type(to) {
            Some(ty) => Expr { kind: ExprKind::Cast { operand: Box::new(operand), or_null }, data_type: ty, span },
            None => self.opaque(format!("the type {to} is not understood"), vec![operand], span),
        }
    }

    /// sqlparser's spans count lines and characters; ours count bytes.
    pub(super) fn span(&self, tree: &impl Spanned) -> Span {
        let Some(lines) = &self.lines else { return Span::default() };
        let span = tree.span();
        match (lines.byte(span.start), lines.byte(span.end)) {
            (Some(start), Some(end)) if start <= end => Span { start, end },
            _ => Span::default(),
        }
    }
}

struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Lines<'a> {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Lines { text, starts }
    }

    fn byte(&self, at: sqlparser::tokenizer::Location) -> Option<u32> {
        let line = usize::try_from(at.line).ok()?.checked_sub(1)?;
        let column = usize::try_from(at.column).ok()?.checked_sub(1)?;
        let start = *self.starts.get(line)?;
        let rest = self.text.get(start..)?;
        let offset = rest.char_indices().nth(column).map_or(rest.len(), |(offset, _)| offset);
        u32::try_from(start + offset).ok()
    }
}

fn negate_if(negated: bool, expr: Expr) -> Expr {
    if negated { Expr::not(expr) } else { expr }
}

fn lower(expr: Expr) -> Option<Expr> {
    match &expr.kind {
        ExprKind::Literal(Value::String(text)) => Some(Expr::text(text.to_lowercase())),
        _ => Expr::call("lower", vec![expr]),
    }
}

/// A LIKE pattern of any escape character as one whose escape is the backslash.
fn with_backslash(pattern: &str, escape: Option<char>) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            match chars.next() {
                Some(next @ ('%' | '_' | '\\')) => out.extend(['\\', next]),
                Some(next) => out.push(next),
                None => out.push_str("\\\\"),
            }
        } else if c == '\\' {
            out.push_str("\\\\");
        } else {
            out.push(c);
        }
    }
    out
}
