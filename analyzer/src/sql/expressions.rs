//! SQL expressions as [`Expr`]s.

use contract::expr::{BinaryOp, Expr, ExprKind};
use contract::types::DataType;
use contract::value::Value;
use sqlparser::ast::{
    self, BinaryOperator, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Spanned, UnaryOperator, WindowType,
};

use super::Source;
use super::query::{self, Ctes};
use crate::expression::{self, binary, literal, not, opaque};
use crate::interpret::Interpreter;
use crate::library;
use crate::range::TextRange;

/// From the parser's tree to ours, names not yet resolved.
pub(crate) struct Lowering<'s, 'i, 'w> {
    pub source: &'s Source,
    pub interpreter: &'i mut Interpreter<'w>,
    /// What a query inside the expression may name.
    pub ctes: &'s Ctes,
    /// How deep the query around the expression is nested.
    pub depth: usize,
}

impl Lowering<'_, '_, '_> {
    pub(crate) fn name(&self, ident: &Ident) -> String {
        self.source.restore(&ident.value)
    }

    fn range(&self, span: sqlparser::tokenizer::Span) -> TextRange {
        self.interpreter.here(self.source.range_of(span))
    }

    pub(crate) fn expr(&mut self, expr: &ast::Expr, depth: usize) -> Expr {
        let range = self.range(expr.span());
        if depth > super::MAX_DEPTH {
            return opaque("nested too deeply", Vec::new(), DataType::Unknown, range);
        }
        let next = depth + 1;
        match expr {
            // A double-quoted word is text in Spark.
            ast::Expr::Identifier(ident) if ident.quote_style == Some('"') => {
                literal(Value::String(self.name(ident)), range)
            }
            ast::Expr::Identifier(ident) => match ident.value.to_lowercase().as_str() {
                "current_date" | "current_timestamp" if ident.quote_style.is_none() => {
                    library::function(&ident.value, Vec::new(), false, range)
                }
                _ => expression::column(None, &self.name(ident), self.range(ident.span)),
            },
            ast::Expr::CompoundIdentifier(parts) => {
                let names: Vec<String> = parts.iter().map(|part| self.name(part)).collect();
                match names.as_slice() {
                    [qualifiers @ .., qualifier, name] if qualifiers.len() < 2 => {
                        let place = parts.last().map(|part| self.range(part.span)).unwrap_or(range);
                        match qualifiers.first() {
                            // `alias.struct.field` or `database.table.column`.
                            Some(first) => expression::column(Some(first), &format!("{qualifier}.{name}"), place),
                            None => expression::column(Some(qualifier), name, place),
                        }
                    }
                    _ => expression::column(None, &names.join("."), range),
                }
            }
            ast::Expr::Nested(inner) => self.expr(inner, next),
            ast::Expr::Value(value) => self.value(&value.value, range),
            ast::Expr::TypedString(typed) => {
                let operand = self.value(&typed.value.value, range);
                let data_type = self.data_type(&typed.data_type);
                cast(operand, data_type, false, range)
            }
            ast::Expr::BinaryOp { left, op, right } => {
                let (left, right) = (self.expr(left, next), self.expr(right, next));
                let op = match op {
                    BinaryOperator::And => BinaryOp::And,
                    BinaryOperator::Or => BinaryOp::Or,
                    BinaryOperator::Eq => BinaryOp::Equal,
                    BinaryOperator::NotEq => return not(binary(BinaryOp::Equal, left, right, range), range),
                    BinaryOperator::Lt => BinaryOp::Less,
                    BinaryOperator::LtEq => BinaryOp::LessOrEqual,
                    BinaryOperator::Gt => BinaryOp::Greater,
                    BinaryOperator::GtEq => BinaryOp::GreaterOrEqual,
                    BinaryOperator::Spaceship => BinaryOp::NullSafeEqual,
                    BinaryOperator::Plus => BinaryOp::Add,
                    BinaryOperator::Minus => BinaryOp::Subtract,
                    BinaryOperator::Multiply => BinaryOp::Multiply,
                    BinaryOperator::Divide => BinaryOp::DivideDouble,
                    BinaryOperator::Modulo => BinaryOp::Remainder,
                    BinaryOperator::StringConcat => BinaryOp::Concat,
                    other => return opaque(&other.to_string(), vec![left, right], DataType::Unknown, range),
                };
                binary(op, left, right, range)
            }
            ast::Expr::UnaryOp { op, expr } => {
                let operand = self.expr(expr, next);
                match op {
                    UnaryOperator::Not => not(operand, range),
                    UnaryOperator::Minus => {
                        let data_type = operand.data_type.clone();
                        Expr { kind: ExprKind::Negate(Box::new(operand)), data_type, span: expression::span(range) }
                    }
                    _ => operand,
                }
            }
            ast::Expr::IsNull(operand) => self.is_null(operand, next, range),
            ast::Expr::IsNotNull(operand) => not(self.is_null(operand, next, range), range),
            ast::Expr::IsTrue(operand) => {
                let truth = literal(Value::Boolean(true), range);
                binary(BinaryOp::NullSafeEqual, self.expr(operand, next), truth, range)
            }
            ast::Expr::IsFalse(operand) => {
                let truth = literal(Value::Boolean(false), range);
                binary(BinaryOp::NullSafeEqual, self.expr(operand, next), truth, range)
            }
            ast::Expr::IsNotDistinctFrom(a, b) => {
                binary(BinaryOp::NullSafeEqual, self.expr(a, next), self.expr(b, next), range)
            }
            ast::Expr::IsDistinctFrom(a, b) => {
                not(binary(BinaryOp::NullSafeEqual, self.expr(a, next), self.expr(b, next), range), range)
            }
            ast::Expr::InList { expr, list, negated } => {
                let operand = Box::new(self.expr(expr, next));
                let list = list.iter().map(|item| self.expr(item, next)).collect();
                negate_if(*negated, boolean(ExprKind::InList { operand, list }, range), range)
            }
            ast::Expr::Between { expr, negated, low, high } => {
                let operand = self.expr(expr, next);
                let from = binary(BinaryOp::GreaterOrEqual, operand.clone(), self.expr(low, next), range);
                let to = binary(BinaryOp::LessOrEqual, operand, self.expr(high, next), range);
                negate_if(*negated, binary(BinaryOp::And, from, to, range), range)
            }
            ast::Expr::Like { negated, expr, pattern, .. } => {
                let kind = ExprKind::Like {
                    operand: Box::new(self.expr(expr, next)),
                    pattern: Box::new(self.expr(pattern, next)),
                };
                negate_if(*negated, boolean(kind, range), range)
            }
            ast::Expr::RLike { negated, expr, pattern, .. } => {
                let operand = self.expr(expr, next);
                let matched = match self.expr(pattern, next).kind {
                    ExprKind::Literal(Value::String(pattern)) => {
                        boolean(ExprKind::Matches { operand: Box::new(operand), pattern }, range)
                    }
                    _ => opaque("rlike", vec![operand], DataType::Boolean, range),
                };
                negate_if(*negated, matched, range)
            }
            ast::Expr::Cast { kind, expr, data_type, .. } => {
                let operand = self.expr(expr, next);
                let data_type = self.data_type(data_type);
                cast(operand, data_type, matches!(kind, ast::CastKind::TryCast | ast::CastKind::SafeCast), range)
            }
            ast::Expr::Case { operand, conditions, else_result, .. } => {
                let operand = operand.as_ref().map(|operand| self.expr(operand, next));
                let branches = conditions
                    .iter()
                    .map(|when| {
                        let condition = self.expr(&when.condition, next);
                        let condition = match &operand {
                            Some(operand) => binary(BinaryOp::Equal, operand.clone(), condition, range),
                            None => condition,
                        };
                        (condition, self.expr(&when.result, next))
                    })
                    .collect();
                let otherwise = else_result.as_ref().map(|result| Box::new(self.expr(result, next)));
                let mut expr = Expr {
                    kind: ExprKind::Case { branches, otherwise },
                    data_type: DataType::Unknown,
                    span: expression::span(range),
                };
                expression::retype(&mut expr);
                expr
            }
            ast::Expr::Function(function) => self.function(function, next, range),
            ast::Expr::Extract { field, expr, .. } => {
                let operand = self.expr(expr, next);
                library::function(&field.to_string(), vec![operand], false, range)
            }
            ast::Expr::Ceil { expr, .. } => library::function("ceil", vec![self.expr(expr, next)], false, range),
            ast::Expr::Floor { expr, .. } => library::function("floor", vec![self.expr(expr, next)], false, range),
            ast::Expr::Trim { expr, .. } => library::function("trim", vec![self.expr(expr, next)], false, range),
            ast::Expr::Substring { expr, substring_from, substring_for, .. } => {
                let mut args = vec![self.expr(expr, next)];
                for bound in [substring_from, substring_for].into_iter().flatten() {
                    args.push(self.expr(bound, next));
                }
                library::function("substring", args, false, range)
            }
            ast::Expr::Position { expr, r#in } => {
                let args = vec![self.expr(expr, next), self.expr(r#in, next)];
                library::function("locate", args, false, range)
            }
            ast::Expr::CompoundFieldAccess { root, .. } => {
                opaque("an element", vec![self.expr(root, next)], DataType::Unknown, range)
            }
            ast::Expr::Subquery(query) => self.subquery("", query, Vec::new(), DataType::Unknown, range),
            ast::Expr::Exists { subquery, negated } => {
                let exists = self.subquery("EXISTS ", subquery, Vec::new(), DataType::Boolean, range);
                if *negated { not(exists, range) } else { exists }
            }
            ast::Expr::InSubquery { expr, subquery, negated } => {
                let operand = self.expr(expr, next);
                let within = self.subquery("IN ", subquery, vec![operand], DataType::Boolean, range);
                if *negated { not(within, range) } else { within }
            }
            other => opaque(&self.source.restore(&other.to_string()), Vec::new(), DataType::Unknown, range),
        }
    }

    /// A query inside an expression: its tables are read, and a value comes from its one column.
    fn subquery(
        &mut self,
        word: &str,
        query: &ast::Query,
        mut inputs: Vec<Expr>,
        data_type: DataType,
        range: TextRange,
    ) -> Expr {
        let node = query::subquery(self.interpreter, self.source, query, self.ctes, self.depth);
        let only = match self.interpreter.plan.node(node).map(|node| node.schema.fields.as_slice()) {
            Some([only]) => Some((only.name.clone(), only.id)),
            _ => None,
        };
        let data_type = match (data_type, only) {
            (data_type, Some((name, id))) => {
                let of_column = self.interpreter.plan.column_type(id);
                inputs.push(expression::resolved(&name, id, of_column.clone(), range));
                if data_type == DataType::Unknown { of_column } else { data_type }
            }
            (data_type, None) => data_type,
        };
        // Longer ones would hide what they stand in.
        const SHOWN: usize = 200;
        let text = self.source.restore(&query.to_string());
        let text = if text.chars().count() > SHOWN { "SELECT …".to_owned() } else { text };
        opaque(&format!("subquery {word}({text})"), inputs, data_type, range)
    }

    fn is_null(&mut self, operand: &ast::Expr, depth: usize, range: TextRange) -> Expr {
        let operand = Box::new(self.expr(operand, depth));
        boolean(ExprKind::IsNull(operand), range)
    }

    fn value(&self, value: &ast::Value, range: TextRange) -> Expr {
        match value {
            ast::Value::Number(digits, _) => match digits.parse::<i64>() {
                Ok(number) => literal(Value::Int(number), range),
                Err(_) => match digits.parse::<f64>() {
                    Ok(number) => literal(Value::Double(number), range),
                    Err(_) => opaque(digits, Vec::new(), DataType::Unknown, range),
                },
            },
            ast::Value::SingleQuotedString(text)
            | ast::Value::DoubleQuotedString(text)
            | ast::Value::EscapedStringLiteral(text)
            | ast::Value::TripleDoubleQuotedString(text)
            | ast::Value::TripleSingleQuotedString(text) => literal(Value::String(self.source.restore(text)), range),
            ast::Value::Boolean(value) => literal(Value::Boolean(*value), range),
            ast::Value::Null => literal(Value::Null, range),
            other => opaque(&other.to_string(), Vec::new(), DataType::Unknown, range),
        }
    }

    fn data_type(&self, data_type: &ast::DataType) -> DataType {
        library::parse_type(&data_type.to_string()).unwrap_or_default()
    }

    fn function(&mut self, function: &ast::Function, depth: usize, range: TextRange) -> Expr {
        let name = function.name.to_string();
        let mut distinct = false;
        let mut args = Vec::new();
        if let FunctionArguments::List(list) = &function.args {
            distinct = matches!(list.duplicate_treatment, Some(ast::DuplicateTreatment::Distinct));
            for arg in &list.args {
                let (FunctionArg::Unnamed(arg) | FunctionArg::Named { arg, .. } | FunctionArg::ExprNamed { arg, .. }) =
                    arg;
                match arg {
                    FunctionArgExpr::Expr(expr) => args.push(self.expr(expr, depth)),
                    // `count(t.*)` counts the rows in which no column is NULL, `count(*)` all of them.
                    FunctionArgExpr::Wildcard if !distinct => {}
                    _ => args.push(opaque("columns that are not known here", Vec::new(), DataType::Unknown, range)),
                }
            }
        }
        if name.eq_ignore_ascii_case("count")
            && matches!(args.as_slice(), [only] if matches!(only.kind, ExprKind::Literal(_)))
        {
            args.clear();
        }
        let call = library::function(&name, args, distinct, range);
        let Some(WindowType::WindowSpec(spec)) = &function.over else { return call };
        let partition_by = spec.partition_by.iter().map(|key| self.expr(key, depth)).collect();
        let order_by = spec
            .order_by
            .iter()
            .map(|key| {
                let descending = matches!(key.options.asc, Some(false));
                (self.expr(&key.expr, depth), descending)
            })
            .collect();
        let data_type = call.data_type.clone();
        let kind = ExprKind::Window { function: Box::new(call), partition_by, order_by };
        Expr { kind, data_type, span: expression::span(range) }
    }
}

fn boolean(kind: ExprKind, range: TextRange) -> Expr {
    Expr { kind, data_type: DataType::Boolean, span: expression::span(range) }
}

fn negate_if(negated: bool, expr: Expr, range: TextRange) -> Expr {
    if negated { not(expr, range) } else { expr }
}

fn cast(operand: Expr, data_type: DataType, or_null: bool, range: TextRange) -> Expr {
    Expr { kind: ExprKind::Cast { operand: Box::new(operand), or_null }, data_type, span: expression::span(range) }
}
