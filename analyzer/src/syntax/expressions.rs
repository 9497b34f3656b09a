//! Expressions.

use std::rc::Rc;

use tree_sitter::Node;

use super::ast::{
    Arg, ArgKind, BinaryOp, Clause, CompareOp, Comprehension, ComprehensionKind, Expr, ExprKind, FunctionDef, Param,
    ParamKind, Stmt, StmtKind,
};
use super::{Lowering, MAX_DEPTH, named_children, range};

impl Lowering<'_> {
    pub(super) fn expr(&self, node: Node, depth: usize) -> Expr {
        let kind = if depth > MAX_DEPTH { ExprKind::Error } else { self.expr_kind(node, depth) };
        Expr { kind, range: range(node) }
    }

    fn expr_kind(&self, node: Node, depth: usize) -> ExprKind {
        let child = |name: &str| self.boxed(self.field(node, name), node, depth);
        match node.kind() {
            "identifier" | "keyword_identifier" | "dotted_name" => ExprKind::Name(self.slice(node).to_owned()),
            "string" | "concatenated_string" => self.string(node, depth),
            "integer" => {
                let digits = self.slice(node).replace('_', "");
                digits.parse().map_or(ExprKind::Error, ExprKind::Int)
            }
            "float" => self.slice(node).replace('_', "").parse().map_or(ExprKind::Error, ExprKind::Float),
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "none" => ExprKind::None,
            "ellipsis" => ExprKind::Ellipsis,
            "list" | "list_pattern" => ExprKind::List(self.exprs(node, depth)),
            "tuple" | "expression_list" | "pattern_list" | "tuple_pattern" => ExprKind::Tuple(self.exprs(node, depth)),
            "set" => ExprKind::Set(self.exprs(node, depth)),
            "dictionary" => ExprKind::Dict(
                named_children(node)
                    .into_iter()
                    .filter_map(|entry| match entry.kind() {
                        "pair" => Some((
                            Some(self.expr(self.field(entry, "key")?, depth + 1)),
                            self.expr(self.field(entry, "value")?, depth + 1),
                        )),
                        "dictionary_splat" => Some((None, self.expr(entry.named_child(0)?, depth + 1))),
                        _ => None,
                    })
                    .collect(),
            ),
            "list_comprehension" => self.comprehension(node, ComprehensionKind::List, depth),
            "set_comprehension" => self.comprehension(node, ComprehensionKind::Set, depth),
            "dictionary_comprehension" => self.comprehension(node, ComprehensionKind::Dict, depth),
            "generator_expression" => self.comprehension(node, ComprehensionKind::Generator, depth),
            "attribute" => match self.field(node, "attribute") {
                Some(name) => ExprKind::Attribute {
                    object: child("object"),
                    name: self.slice(name).to_owned(),
                    name_range: range(name),
                },
                None => ExprKind::Error,
            },
            "subscript" => {
                let mut cursor = node.walk();
                let mut indices: Vec<Expr> = node
                    .children_by_field_name("subscript", &mut cursor)
                    .map(|index| self.expr(index, depth + 1))
                    .collect();
                let index = match indices.pop() {
                    Some(only) if indices.is_empty() => only,
                    Some(last) => {
                        indices.push(last);
                        Expr { kind: ExprKind::Tuple(indices), range: range(node) }
                    }
                    None => Expr { kind: ExprKind::Error, range: range(node) },
                };
                ExprKind::Subscript { object: child("value"), index: Box::new(index) }
            }
            "slice" => self.slice_expr(node, depth),
            "call" => self.call(node, depth),
            "binary_operator" => ExprKind::Binary {
                op: self.field(node, "operator").map_or(BinaryOp::Other, |op| binary_op(self.slice(op))),
                left: child("left"),
                right: child("right"),
            },
            "boolean_operator" => ExprKind::Logical {
                and: self.field(node, "operator").is_some_and(|op| self.slice(op) == "and"),
                left: child("left"),
                right: child("right"),
            },
            "not_operator" => ExprKind::Not(child("argument")),
            "unary_operator" => match self.field(node, "operator").map(|op| self.slice(op)) {
                Some("-") => ExprKind::Negate(child("argument")),
                Some("~") => ExprKind::Invert(child("argument")),
                _ => ExprKind::Wrapped(child("argument")),
            },
            "comparison_operator" => self.comparison(node, depth),
            "conditional_expression" => {
                let parts = named_children(node);
                match parts.as_slice() {
                    [then, condition, otherwise] => ExprKind::Conditional {
                        then: Box::new(self.expr(*then, depth + 1)),
                        condition: Box::new(self.expr(*condition, depth + 1)),
                        otherwise: Box::new(self.expr(*otherwise, depth + 1)),
                    },
                    _ => ExprKind::Error,
                }
            }
            "lambda" => ExprKind::Lambda(Rc::new(self.lambda(node, depth))),
            "named_expression" => match self.field(node, "name") {
                Some(name) => ExprKind::Walrus { name: self.slice(name).to_owned(), value: child("value") },
                None => ExprKind::Error,
            },
            "parenthesized_expression" | "type" => match named_children(node).first() {
                Some(inner) => self.expr_kind(*inner, depth + 1),
                None => ExprKind::Error,
            },
            "list_splat" | "list_splat_pattern" | "dictionary_splat" | "parenthesized_list_splat" => {
                ExprKind::Starred(self.boxed(node.named_child(0), node, depth))
            }
            "await" | "yield" => ExprKind::Wrapped(self.boxed(node.named_child(0), node, depth)),
            "as_pattern" => self.boxed(node.named_child(0), node, depth).kind,
            _ => ExprKind::Error,
        }
    }

    fn boxed(&self, node: Option<Node>, parent: Node, depth: usize) -> Box<Expr> {
        Box::new(match node {
            Some(node) => self.expr(node, depth + 1),
            None => Expr { kind: ExprKind::Error, range: range(parent) },
        })
    }

    fn exprs(&self, node: Node, depth: usize) -> Vec<Expr> {
        named_children(node).into_iter().map(|child| self.expr(child, depth + 1)).collect()
    }

    fn slice_expr(&self, node: Node, depth: usize) -> ExprKind {
        let mut bounds: [Option<Box<Expr>>; 3] = [None, None, None];
        let mut position = 0;
        let mut cursor = node.walk();
        for child in node.children(&mut cursor) {
            if child.kind() == ":" {
                position += 1;
            } else if child.is_named()
                && let Some(bound) = bounds.get_mut(position)
            {
                *bound = Some(Box::new(self.expr(child, depth + 1)));
            }
        }
        let [start, stop, step] = bounds;
        ExprKind::Slice { start, stop, step }
    }

    fn call(&self, node: Node, depth: usize) -> ExprKind {
        let function = self.boxed(self.field(node, "function"), node, depth);
        let Some(list) = self.field(node, "arguments") else { return ExprKind::Call { function, args: Vec::new() } };
        if list.kind() == "generator_expression" {
            let value = self.expr(list, depth + 1);
            return ExprKind::Call { function, args: vec![Arg { value, kind: ArgKind::Positional }] };
        }
        let args = named_children(list)
            .into_iter()
            .filter_map(|arg| {
                let (value, kind) = match arg.kind() {
                    "keyword_argument" => {
                        let name = self.field(arg, "name")?;
                        let kind = ArgKind::Keyword { name: self.slice(name).to_owned(), range: range(name) };
                        (self.field(arg, "value")?, kind)
                    }
                    "list_splat" => (arg.named_child(0)?, ArgKind::Rest),
                    "dictionary_splat" => (arg.named_child(0)?, ArgKind::Keywords),
                    _ => (arg, ArgKind::Positional),
                };
                Some(Arg { value: self.expr(value, depth + 1), kind })
            })
            .collect();
        ExprKind::Call { function, args }
    }

    fn comparison(&self, node: Node, depth: usize) -> ExprKind {
        let mut operands = Vec::new();
        let mut ops = Vec::new();
        let mut cursor = node.walk();
        for child in node.children(&mut cursor) {
            if child.is_extra() {
                continue;
            }
            match compare_op(child.kind()) {
                Some(op) if !child.is_named() => ops.push(op),
                _ if child.is_named() => operands.push(self.expr(child, depth + 1)),
                _ => {}
            }
        }
        if operands.len() != ops.len() + 1 {
            return ExprKind::Error;
        }
        let mut operands = operands.into_iter();
        match operands.next() {
            Some(first) => ExprKind::Compare { first: Box::new(first), rest: ops.into_iter().zip(operands).collect() },
            None => ExprKind::Error,
        }
    }

    fn comprehension(&self, node: Node, kind: ComprehensionKind, depth: usize) -> ExprKind {
        let Some(body) = self.field(node, "body") else { return ExprKind::Error };
        let (element, value) = match (self.field(body, "key"), self.field(body, "value")) {
            (Some(key), Some(value)) if body.kind() == "pair" => {
                (self.expr(key, depth + 1), Some(self.expr(value, depth + 1)))
            }
            _ => (self.expr(body, depth + 1), None),
        };
        let clauses = named_children(node)
            .into_iter()
            .filter_map(|clause| match clause.kind() {
                "for_in_clause" => Some(Clause::For {
                    target: self.expr(self.field(clause, "left")?, depth + 1),
                    iterable: self.expr(self.field(clause, "right")?, depth + 1),
                }),
                "if_clause" => Some(Clause::If(self.expr(clause.named_child(0)?, depth + 1))),
                _ => None,
            })
            .collect();
        ExprKind::Comprehension(Box::new(Comprehension { kind, element, value, clauses }))
    }

    fn lambda(&self, node: Node, depth: usize) -> FunctionDef {
        let body = self.boxed(self.field(node, "body"), node, depth);
        let statement = Stmt { range: body.range, kind: StmtKind::Return(Some(*body)) };
        FunctionDef {
            name: "<lambda>".to_owned(),
            params: self.field(node, "parameters").map(|params| self.params(params, depth)).unwrap_or_default(),
            body: Rc::from([statement]),
            decorators: Vec::new(),
            range: range(node),
        }
    }

    pub(super) fn params(&self, node: Node, depth: usize) -> Vec<Param> {
        let mut keyword_only = false;
        let mut params = Vec::new();
        for child in named_children(node) {
            let plain = if keyword_only { ParamKind::KeywordOnly } else { ParamKind::Plain };
            let default = self.field(child, "value").map(|value| self.expr(value, depth + 1));
            let (pattern, kind) = match child.kind() {
                "keyword_separator" => {
                    keyword_only = true;
                    continue;
                }
                "identifier" => (Some(child), plain),
                "default_parameter" | "typed_default_parameter" => (self.field(child, "name"), plain),
                "typed_parameter" | "list_splat_pattern" | "dictionary_splat_pattern" => (Some(child), plain),
                _ => continue,
            };
            let Some(mut pattern) = pattern else { continue };
            let mut kind = kind;
            while pattern.kind() != "identifier" {
                match pattern.kind() {
                    "list_splat_pattern" => kind = ParamKind::Rest,
                    "dictionary_splat_pattern" => kind = ParamKind::Keywords,
                    _ => {}
                }
                match pattern.named_child(0) {
                    Some(inner) => pattern = inner,
                    None => break,
                }
            }
            keyword_only |= kind == ParamKind::Rest;
            params.push(Param { name: self.slice(pattern).to_owned(), kind, default });
        }
        params
    }
}

pub(super) fn binary_op(symbol: &str) -> BinaryOp {
    match symbol.trim_end_matches('=') {
        "+" => BinaryOp::Add,
        "-" => BinaryOp::Subtract,
        "*" => BinaryOp::Multiply,
        "/" => BinaryOp::Divide,
        "//" => BinaryOp::FloorDivide,
        "%" => BinaryOp::Remainder,
        "**" => BinaryOp::Power,
        "&" => BinaryOp::BitAnd,
        "|" => BinaryOp::BitOr,
        "^" => BinaryOp::BitXor,
        _ => BinaryOp::Other,
    }
}

fn compare_op(symbol: &str) -> Option<CompareOp> {
    Some(match symbol {
        "==" => CompareOp::Equal,
        "!=" | "<>" => CompareOp::NotEqual,
        "<" => CompareOp::Less,
        "<=" => CompareOp::LessOrEqual,
        ">" => CompareOp::Greater,
        ">=" => CompareOp::GreaterOrEqual,
        "in" => CompareOp::In,
        "not in" => CompareOp::NotIn,
        "is" => CompareOp::Is,
        "is not" => CompareOp::IsNot,
        _ => return None,
    })
}
