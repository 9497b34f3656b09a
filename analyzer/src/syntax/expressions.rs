//! Expressions.

use std::sync::Arc;

use super::ast::{
    Arg, ArgKind, BinaryOp, Block, Clause, CompareOp, Comprehension, ComprehensionKind, Expr, ExprKind, FunctionDef,
    Param, ParamKind, Stmt, StmtKind,
};
use super::node::{Children, Field, Kind, Node};
use super::{Lowering, MAX_DEPTH, range};

impl Lowering<'_> {
    pub(super) fn expr(&self, node: Node, depth: usize) -> Expr {
        let kind = if depth > MAX_DEPTH { ExprKind::Error } else { self.expr_kind(node, depth) };
        Expr { kind, range: range(node) }
    }

    fn expr_kind(&self, node: Node, depth: usize) -> ExprKind {
        match node.kind {
            Kind::Identifier | Kind::KeywordIdentifier | Kind::DottedName => {
                ExprKind::Name(self.slice(node).to_owned())
            }
            Kind::Integer => {
                let digits = self.slice(node).replace('_', "");
                digits.parse().map_or(ExprKind::Error, ExprKind::Int)
            }
            Kind::Float => self.slice(node).replace('_', "").parse().map_or(ExprKind::Error, ExprKind::Float),
            Kind::True => ExprKind::Bool(true),
            Kind::False => ExprKind::Bool(false),
            Kind::None => ExprKind::None,
            Kind::Ellipsis => ExprKind::Ellipsis,
            _ => self.compound(node, &node.children(), depth),
        }
    }

    /// An expression that is made of parts.
    fn compound(&self, node: Node, parts: &Children, depth: usize) -> ExprKind {
        let child = |field: Field| self.boxed(parts.field(field), node, depth);
        let first = || self.boxed(parts.named().next(), node, depth);
        let operator = || parts.field(Field::Operator).map(|op| self.slice(op));
        match node.kind {
            Kind::String | Kind::ConcatenatedString => self.string(node, parts, depth),
            Kind::List | Kind::ListPattern => ExprKind::List(self.exprs(parts, depth)),
            Kind::Tuple | Kind::ExpressionList | Kind::PatternList | Kind::TuplePattern => {
                ExprKind::Tuple(self.exprs(parts, depth))
            }
            Kind::Set => ExprKind::Set(self.exprs(parts, depth)),
            Kind::Dictionary => {
                let entry = |entry: Node| {
                    let parts = entry.children();
                    let expr = |node: Option<Node>| node.map(|node| self.expr(node, depth + 1));
                    match entry.kind {
                        Kind::Pair => Some((Some(expr(parts.field(Field::Key))?), expr(parts.field(Field::Value))?)),
                        Kind::DictionarySplat => Some((None, expr(parts.named().next())?)),
                        _ => None,
                    }
                };
                ExprKind::Dict(parts.named().filter_map(entry).collect())
            }
            Kind::ListComprehension => self.comprehension(parts, ComprehensionKind::List, depth),
            Kind::SetComprehension => self.comprehension(parts, ComprehensionKind::Set, depth),
            Kind::DictionaryComprehension => self.comprehension(parts, ComprehensionKind::Dict, depth),
            Kind::GeneratorExpression => self.comprehension(parts, ComprehensionKind::Generator, depth),
            Kind::Attribute => match parts.field(Field::Attribute) {
                Some(name) => ExprKind::Attribute {
                    object: child(Field::Object),
                    name: self.slice(name).to_owned(),
                    name_range: range(name),
                },
                None => ExprKind::Error,
            },
            Kind::Subscript => {
                let indices = parts.fields(Field::Subscript).map(|index| self.expr(index, depth + 1));
                let mut indices: Vec<Expr> = indices.collect();
                let index = match indices.pop() {
                    Some(only) if indices.is_empty() => only,
                    Some(last) => {
                        indices.push(last);
                        Expr { kind: ExprKind::Tuple(indices), range: range(node) }
                    }
                    None => Expr { kind: ExprKind::Error, range: range(node) },
                };
                ExprKind::Subscript { object: child(Field::Value), index: Box::new(index) }
            }
            Kind::Slice => self.slice_expr(parts, depth),
            Kind::Call => self.call(node, parts, depth),
            Kind::BinaryOperator => ExprKind::Binary {
                op: operator().map_or(BinaryOp::Other, binary_op),
                left: child(Field::Left),
                right: child(Field::Right),
            },
            Kind::BooleanOperator => ExprKind::Logical {
                and: operator() == Some("and"),
                left: child(Field::Left),
                right: child(Field::Right),
            },
            Kind::NotOperator => ExprKind::Not(child(Field::Argument)),
            Kind::UnaryOperator => match operator() {
                Some("-") => ExprKind::Negate(child(Field::Argument)),
                Some("~") => ExprKind::Invert(child(Field::Argument)),
                _ => ExprKind::Wrapped(child(Field::Argument)),
            },
            Kind::ComparisonOperator => self.comparison(parts, depth),
            Kind::ConditionalExpression => {
                let mut operands = parts.named();
                match (operands.next(), operands.next(), operands.next(), operands.next()) {
                    (Some(then), Some(condition), Some(otherwise), None) => {
                        let operand = |node: Node| Box::new(self.expr(node, depth + 1));
                        let condition = Box::new(self.condition(condition, depth));
                        ExprKind::Conditional { condition, then: operand(then), otherwise: operand(otherwise) }
                    }
                    _ => ExprKind::Error,
                }
            }
            Kind::Lambda => ExprKind::Lambda(Arc::new(self.lambda(node, parts, depth))),
            Kind::NamedExpression => match parts.field(Field::Name) {
                Some(name) => ExprKind::Walrus { name: self.slice(name).to_owned(), value: child(Field::Value) },
                None => ExprKind::Error,
            },
            Kind::ParenthesizedExpression | Kind::Type => match parts.named().next() {
                Some(_) if depth > MAX_DEPTH => ExprKind::Error,
                Some(inner) => self.expr_kind(inner, depth + 1),
                None => ExprKind::Error,
            },
            Kind::ListSplat | Kind::ListSplatPattern | Kind::DictionarySplat | Kind::ParenthesizedListSplat => {
                ExprKind::Starred(first())
            }
            Kind::Await | Kind::Yield => ExprKind::Wrapped(first()),
            Kind::AsPattern => first().kind,
            _ => ExprKind::Error,
        }
    }

    fn boxed(&self, node: Option<Node>, parent: Node, depth: usize) -> Box<Expr> {
        Box::new(match node {
            Some(node) => self.expr(node, depth + 1),
            None => Expr { kind: ExprKind::Error, range: range(parent) },
        })
    }

    fn exprs(&self, parts: &Children, depth: usize) -> Vec<Expr> {
        parts.named().map(|child| self.expr(child, depth + 1)).collect()
    }

    fn slice_expr(&self, parts: &Children, depth: usize) -> ExprKind {
        let mut bounds: [Option<Box<Expr>>; 3] = [None, None, None];
        let mut position = 0;
        for child in parts.all() {
            if child.kind == Kind::Colon {
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

    fn call(&self, node: Node, parts: &Children, depth: usize) -> ExprKind {
        let function = self.boxed(parts.field(Field::Function), node, depth);
        let Some(list) = parts.field(Field::Arguments) else {
            return ExprKind::Call { function, args: Vec::new() };
        };
        if list.kind == Kind::GeneratorExpression {
            let value = self.expr(list, depth + 1);
            return ExprKind::Call { function, args: vec![Arg { value, kind: ArgKind::Positional }] };
        }
        let argument = |arg: Node| {
            let (value, kind) = match arg.kind {
                Kind::KeywordArgument => {
                    let parts = arg.children();
                    let name = parts.field(Field::Name)?;
                    let kind = ArgKind::Keyword { name: self.slice(name).to_owned(), range: range(name) };
                    (parts.field(Field::Value)?, kind)
                }
                Kind::ListSplat => (arg.children().named().next()?, ArgKind::Rest),
                Kind::DictionarySplat => (arg.children().named().next()?, ArgKind::Keywords),
                _ => (arg, ArgKind::Positional),
            };
            Some(Arg { value: self.expr(value, depth + 1), kind })
        };
        ExprKind::Call { function, args: list.children().named().filter_map(argument).collect() }
    }

    fn comparison(&self, parts: &Children, depth: usize) -> ExprKind {
        let mut operands = Vec::new();
        let mut ops = Vec::new();
        for child in parts.all() {
            match compare_op(child.kind) {
                _ if child.is_named() => operands.push(self.expr(child, depth + 1)),
                Some(op) => ops.push(op),
                None => {}
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

    fn comprehension(&self, parts: &Children, kind: ComprehensionKind, depth: usize) -> ExprKind {
        let Some(body) = parts.field(Field::Body) else { return ExprKind::Error };
        let entry = body.children();
        let (element, value) = match (entry.field(Field::Key), entry.field(Field::Value)) {
            (Some(key), Some(value)) if body.kind == Kind::Pair => {
                (self.expr(key, depth + 1), Some(self.expr(value, depth + 1)))
            }
            _ => (self.expr(body, depth + 1), None),
        };
        let clause = |clause: Node| {
            let parts = clause.children();
            match clause.kind {
                Kind::ForInClause => Some(Clause::For {
                    target: self.expr(parts.field(Field::Left)?, depth + 1),
                    iterable: self.expr(parts.field(Field::Right)?, depth + 1),
                }),
                Kind::IfClause => Some(Clause::If(self.expr(parts.named().next()?, depth + 1))),
                _ => None,
            }
        };
        let clauses = parts.named().filter_map(clause).collect();
        ExprKind::Comprehension(Box::new(Comprehension { kind, element, value, clauses }))
    }

    fn lambda(&self, node: Node, parts: &Children, depth: usize) -> FunctionDef {
        let body = self.boxed(parts.field(Field::Body), node, depth);
        let statement = Stmt { range: body.range, kind: StmtKind::Return(Some(*body)) };
        FunctionDef {
            name: "<lambda>".to_owned(),
            params: parts.field(Field::Parameters).map(|params| self.params(params, depth)).unwrap_or_default(),
            body: Block::from_iter([statement]),
            decorators: Vec::new(),
            range: range(node),
        }
    }

    pub(super) fn params(&self, node: Node, depth: usize) -> Vec<Param> {
        let mut keyword_only = false;
        let mut params = Vec::new();
        for child in node.children().named() {
            let plain = if keyword_only { ParamKind::KeywordOnly } else { ParamKind::Plain };
            let parts = child.children();
            let default = parts.field(Field::Value).map(|value| self.expr(value, depth + 1));
            let (pattern, kind) = match child.kind {
                Kind::KeywordSeparator => {
                    keyword_only = true;
                    continue;
                }
                Kind::Identifier => (Some(child), plain),
                Kind::DefaultParameter | Kind::TypedDefaultParameter => (parts.field(Field::Name), plain),
                Kind::TypedParameter | Kind::ListSplatPattern | Kind::DictionarySplatPattern => (Some(child), plain),
                _ => continue,
            };
            let Some(mut pattern) = pattern else { continue };
            let mut kind = kind;
            while pattern.kind != Kind::Identifier {
                match pattern.kind {
                    Kind::ListSplatPattern => kind = ParamKind::Rest,
                    Kind::DictionarySplatPattern => kind = ParamKind::Keywords,
                    _ => {}
                }
                match pattern.children().named().next() {
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

fn compare_op(symbol: Kind) -> Option<CompareOp> {
    Some(match symbol {
        Kind::Equal => CompareOp::Equal,
        Kind::NotEqual | Kind::OldNotEqual => CompareOp::NotEqual,
        Kind::Less => CompareOp::Less,
        Kind::LessOrEqual => CompareOp::LessOrEqual,
        Kind::Greater => CompareOp::Greater,
        Kind::GreaterOrEqual => CompareOp::GreaterOrEqual,
        Kind::In => CompareOp::In,
        Kind::NotIn => CompareOp::NotIn,
        Kind::Is => CompareOp::Is,
        Kind::IsNot => CompareOp::IsNot,
        _ => return None,
    })
}
