//! Statements.

use std::sync::Arc;

use super::ast::{Block, ClassDef, Expr, ExprKind, FunctionDef, Handler, Stmt, StmtKind};
use super::expressions::binary_op;
use super::node::{Children, Field, Kind, Node};
use super::{Lowering, MAX_DEPTH, range};
use crate::condition::Term;

impl Lowering<'_> {
    /// The statements directly under a node; statements inside an error are kept.
    pub(super) fn block(&self, node: Node, depth: usize) -> Block {
        let mut statements = Vec::new();
        self.collect(node, depth, &mut statements);
        statements.into_iter().collect()
    }

    pub(super) fn collect(&self, node: Node, depth: usize, statements: &mut Vec<Stmt>) {
        if depth > MAX_DEPTH {
            return;
        }
        for child in node.children().named() {
            match child.kind {
                Kind::Error => self.collect(child, depth + 1, statements),
                _ => statements.push(Stmt { kind: self.statement(child, depth), range: range(child) }),
            }
        }
    }

    fn statement(&self, node: Node, depth: usize) -> StmtKind {
        let expr = |node: Node| self.expr(node, depth + 1);
        let parts = node.children();
        let body = || self.body(&parts, Field::Body, depth);
        match node.kind {
            Kind::ExpressionStatement => {
                let mut named = parts.named();
                match (named.next(), named.next()) {
                    (Some(only), None) => match only.kind {
                        Kind::Assignment => self.assignment(only, depth),
                        Kind::AugmentedAssignment => self.augmented(only, depth),
                        _ => StmtKind::Expr(expr(only)),
                    },
                    _ => StmtKind::Expr(Expr {
                        kind: ExprKind::Tuple(parts.named().map(expr).collect()),
                        range: range(node),
                    }),
                }
            }
            Kind::Assignment => self.assignment(node, depth),
            Kind::AugmentedAssignment => self.augmented(node, depth),
            Kind::If => self.if_statement(&parts, depth),
            Kind::For => match (parts.field(Field::Left), parts.field(Field::Right)) {
                (Some(target), Some(iterable)) => StmtKind::For {
                    target: expr(target),
                    iterable: expr(iterable),
                    body: body(),
                    otherwise: parts
                        .field(Field::Alternative)
                        .map(|clause| self.body(&clause.children(), Field::Body, depth))
                        .unwrap_or_default(),
                },
                _ => StmtKind::Nothing,
            },
            Kind::While => match parts.field(Field::Condition) {
                Some(condition) => StmtKind::While { condition: expr(condition), body: body() },
                None => StmtKind::Nothing,
            },
            Kind::Try => self.try_statement(&parts, depth),
            Kind::With => StmtKind::With { items: self.with_items(&parts, depth), body: body() },
            Kind::FunctionDefinition => StmtKind::Function(Arc::new(self.function(node, &parts, Vec::new(), depth))),
            Kind::ClassDefinition => StmtKind::Class(Arc::new(self.class(&parts, Vec::new(), depth))),
            Kind::DecoratedDefinition => {
                let decorators = parts
                    .named()
                    .filter(|child| child.kind == Kind::Decorator)
                    .filter_map(|decorator| decorator.children().named().next().map(expr))
                    .collect();
                match parts.field(Field::Definition) {
                    Some(definition) if definition.kind == Kind::ClassDefinition => {
                        StmtKind::Class(Arc::new(self.class(&definition.children(), decorators, depth)))
                    }
                    Some(definition) => StmtKind::Function(Arc::new(self.function(
                        definition,
                        &definition.children(),
                        decorators,
                        depth,
                    ))),
                    None => StmtKind::Nothing,
                }
            }
            Kind::Return => StmtKind::Return(parts.named().next().map(expr)),
            Kind::Raise => StmtKind::Raise,
            Kind::Import => self.import(&parts),
            Kind::ImportFrom => self.import_from(&parts),
            Kind::Global | Kind::Nonlocal => {
                StmtKind::Global(parts.named().map(|name| self.slice(name).to_owned()).collect())
            }
            Kind::Delete => StmtKind::Delete(parts.named().map(expr).collect()),
            Kind::Match => match parts.field(Field::Subject) {
                Some(subject) => StmtKind::Match {
                    subject: expr(subject),
                    arms: self.match_arms(self.slice(subject), &parts, depth),
                },
                None => StmtKind::Nothing,
            },
            Kind::Break => StmtKind::Break,
            Kind::Continue => StmtKind::Continue,
            Kind::Block => StmtKind::If { arms: vec![(None, self.block(node, depth + 1))] },
            Kind::Print | Kind::Exec | Kind::Pass | Kind::Assert | Kind::Comment | Kind::FutureImport => {
                StmtKind::Nothing
            }
            _ => StmtKind::Expr(expr(node)),
        }
    }

    /// The block of a field.
    fn body(&self, parts: &Children, field: Field, depth: usize) -> Block {
        parts.field(field).map(|body| self.block(body, depth + 1)).unwrap_or_default()
    }

    fn assignment(&self, node: Node, depth: usize) -> StmtKind {
        let parts = node.children();
        let Some(left) = parts.field(Field::Left) else { return StmtKind::Nothing };
        let target = self.expr(left, depth + 1);
        let Some(right) = parts.field(Field::Right) else { return StmtKind::Declare { target, value: None } };
        if parts.field(Field::Type).is_some() {
            return StmtKind::Declare { target, value: Some(self.expr(right, depth + 1)) };
        }
        let mut targets = vec![target];
        let mut value = right;
        while value.kind == Kind::Assignment {
            let parts = value.children();
            let (Some(left), Some(right)) = (parts.field(Field::Left), parts.field(Field::Right)) else { break };
            targets.push(self.expr(left, depth + 1));
            value = right;
        }
        StmtKind::Assign { targets, value: self.expr(value, depth + 1) }
    }

    fn augmented(&self, node: Node, depth: usize) -> StmtKind {
        let parts = node.children();
        let (Some(left), Some(op), Some(right)) =
            (parts.field(Field::Left), parts.field(Field::Operator), parts.field(Field::Right))
        else {
            return StmtKind::Nothing;
        };
        StmtKind::AugAssign {
            target: self.expr(left, depth + 1),
            op: binary_op(self.slice(op)),
            value: self.expr(right, depth + 1),
        }
    }

    fn if_statement(&self, parts: &Children, depth: usize) -> StmtKind {
        let arm = |parts: &Children| {
            let condition = parts.field(Field::Condition).map(|condition| self.condition(condition, depth));
            (condition, self.body(parts, Field::Consequence, depth))
        };
        let mut arms = vec![arm(parts)];
        for alternative in parts.fields(Field::Alternative) {
            let parts = alternative.children();
            match alternative.kind {
                Kind::ElifClause => arms.push(arm(&parts)),
                _ if parts.field(Field::Body).is_some() => arms.push((None, self.body(&parts, Field::Body, depth))),
                _ => {}
            }
        }
        StmtKind::If { arms }
    }

    /// A condition with the term that it is true.
    pub(super) fn condition(&self, node: Node, depth: usize) -> (Expr, Term) {
        let mut bare = node;
        while bare.kind == Kind::ParenthesizedExpression
            && let Some(inner) = bare.children().named().next()
        {
            bare = inner;
        }
        let negated = match bare.kind {
            Kind::NotOperator => bare.children().field(Field::Argument),
            _ => None,
        };
        let term = Term::of(self.slice(negated.unwrap_or(bare)), negated.is_some());
        (self.expr(node, depth + 1), term)
    }

    fn try_statement(&self, parts: &Children, depth: usize) -> StmtKind {
        let mut handlers = Vec::new();
        let mut otherwise = Block::default();
        let mut finally = Block::default();
        for child in parts.named() {
            let block = |parts: &Children| {
                let body = parts.named().find(|part| part.kind == Kind::Block);
                body.map(|body| self.block(body, depth + 1)).unwrap_or_default()
            };
            match child.kind {
                Kind::ExceptClause | Kind::ExceptGroupClause => {
                    let parts = child.children();
                    handlers.push(Handler {
                        alias: self.exception_name(&parts),
                        when: Term::raised(self.caught(&parts)),
                        body: block(&parts),
                    });
                }
                Kind::ElseClause => otherwise = block(&child.children()),
                Kind::FinallyClause => finally = block(&child.children()),
                _ => {}
            }
        }
        StmtKind::Try { body: self.body(parts, Field::Body, depth), handlers, otherwise, finally }
    }

    /// The name of `except Error as name`.
    fn exception_name(&self, clause: &Children) -> Option<String> {
        let in_value = || {
            let value = clause.field(Field::Value).filter(|value| value.kind == Kind::AsPattern)?;
            value.children().field(Field::Alias)
        };
        let pattern = clause.field(Field::Alias).or_else(in_value)?;
        Some(self.slice(pattern).to_owned())
    }

    /// What an `except` catches, as written.
    fn caught(&self, clause: &Children) -> &str {
        let Some(value) = clause.field(Field::Value) else { return "" };
        let bare = if value.kind == Kind::AsPattern { value.children().named().next() } else { None };
        self.slice(bare.unwrap_or(value))
    }

    fn with_items(&self, parts: &Children, depth: usize) -> Vec<(Expr, Option<Expr>)> {
        let mut items = Vec::new();
        for clause in parts.named().filter(|child| child.kind == Kind::WithClause) {
            for item in clause.children().named() {
                let Some(value) = item.children().field(Field::Value) else { continue };
                let target = (value.kind == Kind::AsPattern)
                    .then(|| value.children().field(Field::Alias)?.children().named().next())
                    .flatten();
                items.push((self.expr(value, depth + 1), target.map(|target| self.expr(target, depth + 1))));
            }
        }
        items
    }

    fn function(&self, node: Node, parts: &Children, decorators: Vec<Expr>, depth: usize) -> FunctionDef {
        FunctionDef {
            name: parts.field(Field::Name).map(|name| self.slice(name).to_owned()).unwrap_or_default(),
            params: parts.field(Field::Parameters).map(|params| self.params(params, depth)).unwrap_or_default(),
            body: self.body(parts, Field::Body, depth),
            decorators,
            range: range(node),
        }
    }

    fn class(&self, parts: &Children, decorators: Vec<Expr>, depth: usize) -> ClassDef {
        let bases = parts.field(Field::Superclasses).map(|list| {
            let bases = list.children();
            let bases = bases.named().filter(|base| base.kind != Kind::KeywordArgument);
            bases.map(|base| self.expr(base, depth + 1)).collect()
        });
        ClassDef {
            name: parts.field(Field::Name).map(|name| self.slice(name).to_owned()).unwrap_or_default(),
            bases: bases.unwrap_or_default(),
            body: self.body(parts, Field::Body, depth),
            decorators,
        }
    }

    fn import(&self, parts: &Children) -> StmtKind {
        // Several modules in one statement are rare; each becomes a name of one `from`-less import.
        let mut imports: Vec<(String, Option<String>)> = parts.named().map(|name| self.imported(name)).collect();
        match (imports.pop(), imports.is_empty()) {
            (Some((module, alias)), true) => StmtKind::Import { module, alias },
            (Some(last), false) => {
                imports.push(last);
                StmtKind::ImportFrom { module: String::new(), names: imports }
            }
            (None, _) => StmtKind::Nothing,
        }
    }

    fn import_from(&self, parts: &Children) -> StmtKind {
        let Some(module) = parts.field(Field::ModuleName) else { return StmtKind::Nothing };
        let mut names: Vec<(String, Option<String>)> =
            parts.fields(Field::Name).map(|name| self.imported(name)).collect();
        if parts.named().any(|child| child.kind == Kind::WildcardImport) {
            names.push(("*".to_owned(), None));
        }
        StmtKind::ImportFrom { module: self.slice(module).to_owned(), names }
    }

    fn imported(&self, node: Node) -> (String, Option<String>) {
        let parts = node.children();
        match (parts.field(Field::Name), parts.field(Field::Alias)) {
            (Some(name), alias) => (self.slice(name).to_owned(), alias.map(|alias| self.slice(alias).to_owned())),
            (None, _) => (self.slice(node).to_owned(), None),
        }
    }

    fn match_arms(&self, subject: &str, parts: &Children, depth: usize) -> Vec<(Option<Term>, Block)> {
        let Some(body) = parts.field(Field::Body) else { return Vec::new() };
        let mut arms = Vec::new();
        for clause in body.children().named().filter(|clause| clause.kind == Kind::CaseClause) {
            let parts = clause.children();
            let Some(block) = parts.field(Field::Consequence) else { continue };
            let head = self.text.get(clause.bytes().start..block.bytes().start).unwrap_or("");
            arms.push((case_term(subject, head), self.block(block, depth + 1)));
        }
        arms
    }
}

/// When an arm of a `match` runs, from its `case PATTERN if GUARD:`; `None` where it always does.
fn case_term(subject: &str, head: &str) -> Option<Term> {
    let pattern = head.trim().strip_prefix("case").unwrap_or(head).trim();
    let pattern = pattern.rsplit_once(':').map_or(pattern, |(pattern, _)| pattern.trim_end());
    let is_literal = pattern.starts_with(['"', '\'', '-']) || pattern.starts_with(|c: char| c.is_ascii_digit());
    let is_plain = ![" if ", " as ", "|"].iter().any(|word| pattern.contains(word));
    match pattern {
        "_" => None,
        literal if is_literal && is_plain => Some(Term::of(&format!("{subject} == {literal}"), false)),
        pattern => Some(Term::of(&format!("{subject} matches {pattern}"), false)),
    }
}
