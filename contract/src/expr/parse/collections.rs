//! Arrays: lists of constants, and lambdas as far as every engine has them.

use sqlparser::ast::{self, BinaryOperator};

use super::elaborate::Elaborator;
use crate::expr::{BinaryOp, Expr, ExprKind, Span};
use crate::value::Value;

const LAMBDA: &str = "the embedded engine has no lambdas; of an element only `x = value`, `x <> value`, `x IN (…)`, \
                      `x IS NULL` and `x IS NOT NULL` are understood";

impl Elaborator<'_> {
    /// Calls that take an array as written, or a lambda; `None` where it is none of these.
    pub(super) fn collection(&mut self, name: &str, trees: &[&ast::Expr], span: Span) -> Option<Expr> {
        match (name, trees) {
            ("exists" | "any_match", [array, ast::Expr::Lambda(lambda)]) => {
                let array = self.expr(array);
                Some(self.some_element(array, lambda, false, span))
            }
            ("forall" | "all_match", [array, ast::Expr::Lambda(lambda)]) => {
                let array = self.expr(array);
                Some(Expr::not(self.some_element(array, lambda, true, span)))
            }
            ("none_match", [array, ast::Expr::Lambda(lambda)]) => {
                let array = self.expr(array);
                Some(Expr::not(self.some_element(array, lambda, false, span)))
            }
            ("contains" | "array_contains" | "list_contains", [list, item]) => {
                let listed = array_of(list)?;
                let operand = self.expr(item);
                Some(self.listed(operand, &listed, span))
            }
            ("arrays_overlap" | "array_overlap", [array, list]) => {
                let (array, listed) = match (array_of(array), array_of(list)) {
                    (None, Some(listed)) => (self.expr(array), listed),
                    (Some(listed), None) => (self.expr(list), listed),
                    _ => return None,
                };
                let items = listed.iter().map(|item| self.expr(item)).collect::<Vec<_>>();
                let found = items.into_iter().map(|item| self.call("array_contains", vec![array.clone(), item], span));
                Some(Expr::or_all(found.collect::<Vec<_>>()))
            }
            ("size" | "cardinality" | "array_size" | "array_length", [split]) => {
                let [text, separator] = arguments(split, &["split"])?[..] else { return None };
                let separator = self.expr(separator);
                let ExprKind::Literal(Value::String(separator)) = &separator.kind else { return None };
                let separator = self.plain_separator(separator).filter(|separator| !separator.is_empty())?;
                let text = self.expr(text);
                Some(self.number_of_parts(text, separator, span))
            }
            ("map_contains_key", [map, key]) => {
                let (map, key) = (self.expr(map), self.expr(key));
                let keys = self.call("map_keys", vec![map], span);
                Some(self.call("array_contains", vec![keys, key], span))
            }
            _ => None,
        }
    }

    /// `x = ANY (ARRAY[…])` and `x IN (…)` over constants.
    pub(super) fn listed(&mut self, operand: Expr, items: &[&ast::Expr], span: Span) -> Expr {
        let items: Vec<Expr> = items.iter().map(|item| super::beside(self.expr(item), &operand.data_type)).collect();
        for item in &items {
            self.check_comparable(&operand, item, span);
        }
        Expr::in_list(operand, items).at(span)
    }

    /// Whether an element has a property, or with `negated` lacks it; three-valued as membership is.
    fn some_element(&mut self, array: Expr, lambda: &ast::LambdaFunction, negated: bool, span: Span) -> Expr {
        let ast::OneOrManyWithParens::One(parameter) = &lambda.params else {
            return self.opaque(LAMBDA, vec![array], span);
        };
        let name = parameter.name.value.clone();
        let is_element = |tree: &ast::Expr| matches!(tree, ast::Expr::Identifier(ident) if ident.value == name);
        let (equal, values): (bool, Vec<&ast::Expr>) = match bare(&lambda.body) {
            ast::Expr::IsNull(tree) if is_element(tree) && !negated => return self.has_null(array, span),
            ast::Expr::IsNotNull(tree) if is_element(tree) && negated => return self.has_null(array, span),
            ast::Expr::BinaryOp { left, op: op @ (BinaryOperator::Eq | BinaryOperator::NotEq), right } => {
                let value = match (is_element(left), is_element(right)) {
                    (true, false) => right,
                    (false, true) => left,
                    _ => return self.opaque(LAMBDA, vec![array], span),
                };
                (*op == BinaryOperator::Eq, vec![&**value])
            }
            ast::Expr::InList { expr, list, negated } if is_element(expr) => (!*negated, list.iter().collect()),
            _ => return self.opaque(LAMBDA, vec![array], span),
        };
        if equal == negated {
            return self.opaque(LAMBDA, vec![array], span);
        }
        let found: Vec<Expr> = values
            .into_iter()
            .map(|value| {
                let value = self.expr(value);
                self.call("array_contains", vec![array.clone(), value], span)
            })
            .collect();
        Expr::or_all(found).at(span)
    }

    fn has_null(&mut self, array: Expr, span: Span) -> Expr {
        self.call("array_has_null", vec![array], span)
    }

    /// `size(filter(array, x -> …)) = 0`, as people ask whether no element has a property.
    pub(super) fn no_element(
        &mut self,
        left: &ast::Expr,
        op: &BinaryOperator,
        right: &ast::Expr,
        span: Span,
    ) -> Option<Expr> {
        let empty = match (op, self.constant(right)?) {
            (BinaryOperator::Eq, 0) | (BinaryOperator::Lt, 1) => true,
            (BinaryOperator::Gt | BinaryOperator::NotEq, 0) | (BinaryOperator::GtEq, 1) => false,
            _ => return None,
        };
        let [inner] = arguments(left, &["size", "cardinality", "array_size"])?[..] else { return None };
        let [array, ast::Expr::Lambda(lambda)] = arguments(inner, &["filter"])?[..] else { return None };
        let array = self.expr(array);
        // An element of which the property is NULL is left out, so the answer is NULL only for no array at all.
        let present = Expr::is_not_null(array.clone());
        let found = Expr::or_else(self.some_element(array, lambda, false, span), false);
        let found = if empty { Expr::not(found) } else { found };
        Some(Expr::case(vec![(present, found)], None).at(span))
    }

    fn constant(&mut self, tree: &ast::Expr) -> Option<i64> {
        let ast::Expr::Value(_) = tree else { return None };
        match self.expr(tree).kind {
            ExprKind::Literal(Value::Int(number)) => Some(number),
            _ => None,
        }
    }

    /// `element_at(split(text, separator), n)` and `split(text, separator)[n]`, n from 1.
    pub(super) fn split_place(&mut self, split: &[Expr], place: Expr, span: Span) -> Option<Expr> {
        let [text, separator] = split else { return None };
        let ExprKind::Literal(Value::String(separator)) = &separator.kind else { return None };
        let separator = self.plain_separator(separator)?;
        self.errors.retain(|error| !error.message.contains("split_part"));
        Some(self.call("split_part", vec![text.clone(), Expr::text(separator), place], span))
    }

    /// `size(split(text, separator))`: one more than the separators, and the separators are what is gone without them.
    fn number_of_parts(&mut self, text: Expr, separator: String, span: Span) -> Expr {
        let width = i64::try_from(separator.chars().count()).unwrap_or(i64::MAX);
        let without = self.call("replace", vec![text.clone(), Expr::text(separator), Expr::text("")], span);
        let [whole, without] = [text, without].map(|text| self.call("length", vec![text], span));
        let gone = Expr::binary(BinaryOp::Subtract, whole, without);
        let separators = if width == 1 { gone } else { Expr::binary(BinaryOp::DivideInteger, gone, Expr::int(width)) };
        Expr::binary(BinaryOp::Add, separators, Expr::int(1)).at(span)
    }

    /// `LIKE ANY (…)` and `LIKE ALL (…)`.
    pub(super) fn like_each(&mut self, patterns: Vec<Expr>, any: bool) -> Expr {
        let join = if any { BinaryOp::Or } else { BinaryOp::And };
        patterns.into_iter().reduce(|l, r| Expr::binary(join, l, r)).unwrap_or_else(|| Expr::boolean(!any))
    }
}

/// The items of `ARRAY['a', 'b']` and `array('a', 'b')`.
pub(super) fn array_of(tree: &ast::Expr) -> Option<Vec<&ast::Expr>> {
    match bare(tree) {
        ast::Expr::Array(array) => Some(array.elem.iter().collect()),
        call => arguments(call, &["array"]),
    }
}

/// The arguments of a call of one of these functions.
fn arguments<'a>(tree: &'a ast::Expr, names: &[&str]) -> Option<Vec<&'a ast::Expr>> {
    let ast::Expr::Function(ast::Function { name, args: ast::FunctionArguments::List(list), .. }) = bare(tree) else {
        return None;
    };
    let name = name.to_string().to_ascii_lowercase();
    let argument = |arg: &'a ast::FunctionArg| match arg {
        ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(tree)) => Some(tree),
        _ => None,
    };
    if names.contains(&name.as_str()) { list.args.iter().map(argument).collect() } else { None }
}

fn bare(tree: &ast::Expr) -> &ast::Expr {
    match tree {
        ast::Expr::Nested(inner) => bare(inner),
        other => other,
    }
}
