//! Statements.

use std::rc::Rc;

use tree_sitter::Node;

use super::ast::{Block, ClassDef, Expr, ExprKind, FunctionDef, Stmt, StmtKind};
use super::expressions::binary_op;
use super::{Lowering, MAX_DEPTH, named_children, range};

impl Lowering<'_> {
    /// The statements directly under a node; statements inside an error are kept.
    pub(super) fn block(&self, node: Node, depth: usize) -> Block {
        let mut statements = Vec::new();
        self.collect(node, depth, &mut statements);
        statements.into()
    }

    fn collect(&self, node: Node, depth: usize, statements: &mut Vec<Stmt>) {
        if depth > MAX_DEPTH {
            return;
        }
        for child in named_children(node) {
            match child.kind() {
                "ERROR" => self.collect(child, depth + 1, statements),
                _ => statements.push(Stmt { kind: self.statement(child, depth), range: range(child) }),
            }
        }
    }

    fn statement(&self, node: Node, depth: usize) -> StmtKind {
        let expr = |node: Node| self.expr(node, depth + 1);
        let body = |name: &str| match self.field(node, name) {
            Some(body) => self.block(body, depth + 1),
            None => Rc::from([]),
        };
        match node.kind() {
            "expression_statement" => {
                let children = named_children(node);
                match children.as_slice() {
                    [only] => match only.kind() {
                        "assignment" => self.assignment(*only, depth),
                        "augmented_assignment" => self.augmented(*only, depth),
                        _ => StmtKind::Expr(expr(*only)),
                    },
                    many => StmtKind::Expr(Expr {
                        kind: ExprKind::Tuple(many.iter().map(|child| expr(*child)).collect()),
                        range: range(node),
                    }),
                }
            }
            "assignment" => self.assignment(node, depth),
            "augmented_assignment" => self.augmented(node, depth),
            "if_statement" => self.if_statement(node, depth),
            "for_statement" => match (self.field(node, "left"), self.field(node, "right")) {
                (Some(target), Some(iterable)) => StmtKind::For {
                    target: expr(target),
                    iterable: expr(iterable),
                    body: body("body"),
                    otherwise: self.else_block(node, depth),
                },
                _ => StmtKind::Nothing,
            },
            "while_statement" => match self.field(node, "condition") {
                Some(condition) => StmtKind::While { condition: expr(condition), body: body("body") },
                None => StmtKind::Nothing,
            },
            "try_statement" => self.try_statement(node, depth),
            "with_statement" => StmtKind::With { items: self.with_items(node, depth), body: body("body") },
            "function_definition" => StmtKind::Function(Rc::new(self.function(node, Vec::new(), depth))),
            "class_definition" => StmtKind::Class(Rc::new(self.class(node, Vec::new(), depth))),
            "decorated_definition" => {
                let decorators = named_children(node)
                    .into_iter()
                    .filter(|child| child.kind() == "decorator")
                    .filter_map(|decorator| decorator.named_child(0).map(expr))
                    .collect();
                match self.field(node, "definition") {
                    Some(definition) if definition.kind() == "class_definition" => {
                        StmtKind::Class(Rc::new(self.class(definition, decorators, depth)))
                    }
                    Some(definition) => StmtKind::Function(Rc::new(self.function(definition, decorators, depth))),
                    None => StmtKind::Nothing,
                }
            }
            "return_statement" => StmtKind::Return(named_children(node).first().map(|value| expr(*value))),
            "raise_statement" => StmtKind::Raise,
            "import_statement" => self.import(node),
            "import_from_statement" => self.import_from(node),
            "global_statement" | "nonlocal_statement" => {
                StmtKind::Global(named_children(node).iter().map(|name| self.slice(*name).to_owned()).collect())
            }
            "delete_statement" => StmtKind::Delete(named_children(node).into_iter().map(expr).collect()),
            "match_statement" => match self.field(node, "subject") {
                Some(subject) => StmtKind::Match { subject: expr(subject), arms: self.match_arms(node, depth) },
                None => StmtKind::Nothing,
            },
            "break_statement" => StmtKind::Break,
            "continue_statement" => StmtKind::Continue,
            "block" => StmtKind::If { arms: vec![(None, self.block(node, depth + 1))] },
            "print_statement"
            | "exec_statement"
            | "pass_statement"
            | "assert_statement"
            | "comment"
            | "future_import_statement" => StmtKind::Nothing,
            _ => StmtKind::Expr(expr(node)),
        }
    }

    fn assignment(&self, node: Node, depth: usize) -> StmtKind {
        let Some(left) = self.field(node, "left") else { return StmtKind::Nothing };
        let target = self.expr(left, depth + 1);
        let Some(right) = self.field(node, "right") else { return StmtKind::Declare { target, value: None } };
        if self.field(node, "type").is_some() {
            return StmtKind::Declare { target, value: Some(self.expr(right, depth + 1)) };
        }
        let mut targets = vec![target];
        let mut value = right;
        while value.kind() == "assignment" {
            let (Some(left), Some(right)) = (self.field(value, "left"), self.field(value, "right")) else { break };
            targets.push(self.expr(left, depth + 1));
            value = right;
        }
        StmtKind::Assign { targets, value: self.expr(value, depth + 1) }
    }

    fn augmented(&self, node: Node, depth: usize) -> StmtKind {
        let (Some(left), Some(op), Some(right)) =
            (self.field(node, "left"), self.field(node, "operator"), self.field(node, "right"))
        else {
            return StmtKind::Nothing;
        };
        StmtKind::AugAssign {
            target: self.expr(left, depth + 1),
            op: binary_op(self.slice(op)),
            value: self.expr(right, depth + 1),
        }
    }

    fn if_statement(&self, node: Node, depth: usize) -> StmtKind {
        let mut arms = Vec::new();
        let arm = |part: Node| {
            let condition = self.field(part, "condition").map(|condition| self.expr(condition, depth + 1));
            let body = self.field(part, "consequence").map_or(Rc::from([]), |body| self.block(body, depth + 1));
            (condition, body)
        };
        arms.push(arm(node));
        let mut cursor = node.walk();
        for alternative in node.children_by_field_name("alternative", &mut cursor) {
            match alternative.kind() {
                "elif_clause" => arms.push(arm(alternative)),
                _ => {
                    if let Some(body) = self.field(alternative, "body") {
                        arms.push((None, self.block(body, depth + 1)));
                    }
                }
            }
        }
        StmtKind::If { arms }
    }

    fn else_block(&self, node: Node, depth: usize) -> Block {
        self.field(node, "alternative")
            .and_then(|clause| self.field(clause, "body"))
            .map_or(Rc::from([]), |body| self.block(body, depth + 1))
    }

    fn try_statement(&self, node: Node, depth: usize) -> StmtKind {
        let mut handlers = Vec::new();
        let mut otherwise: Block = Rc::from([]);
        let mut finally: Block = Rc::from([]);
        for child in named_children(node) {
            let block = || {
                named_children(child)
                    .into_iter()
                    .find(|part| part.kind() == "block")
                    .map_or(Rc::from([]), |body| self.block(body, depth + 1))
            };
            match child.kind() {
                "except_clause" | "except_group_clause" => {
                    let alias = self.exception_name(child);
                    handlers.push((alias, block()));
                }
                "else_clause" => otherwise = block(),
                "finally_clause" => finally = block(),
                _ => {}
            }
        }
        let body = self.field(node, "body").map_or(Rc::from([]), |body| self.block(body, depth + 1));
        StmtKind::Try { body, handlers, otherwise, finally }
    }

    /// The name of `except Error as name`.
    fn exception_name(&self, clause: Node) -> Option<String> {
        let pattern = self.field(clause, "alias").or_else(|| {
            let value = self.field(clause, "value")?;
            (value.kind() == "as_pattern").then(|| self.field(value, "alias")).flatten()
        })?;
        Some(self.slice(pattern).to_owned())
    }

    fn with_items(&self, node: Node, depth: usize) -> Vec<(Expr, Option<Expr>)> {
        let mut items = Vec::new();
        for clause in named_children(node).into_iter().filter(|child| child.kind() == "with_clause") {
            for item in named_children(clause) {
                let Some(value) = self.field(item, "value") else { continue };
                let target = (value.kind() == "as_pattern")
                    .then(|| self.field(value, "alias").and_then(|alias| alias.named_child(0)))
                    .flatten();
                items.push((self.expr(value, depth + 1), target.map(|target| self.expr(target, depth + 1))));
            }
        }
        items
    }

    fn function(&self, node: Node, decorators: Vec<Expr>, depth: usize) -> FunctionDef {
        FunctionDef {
            name: self.field(node, "name").map(|name| self.slice(name).to_owned()).unwrap_or_default(),
            params: self.field(node, "parameters").map(|params| self.params(params, depth)).unwrap_or_default(),
            body: self.field(node, "body").map_or(Rc::from([]), |body| self.block(body, depth + 1)),
            decorators,
            range: range(node),
        }
    }

    fn class(&self, node: Node, decorators: Vec<Expr>, depth: usize) -> ClassDef {
        let bases = self.field(node, "superclasses").map(|list| {
            named_children(list)
                .into_iter()
                .filter(|base| base.kind() != "keyword_argument")
                .map(|base| self.expr(base, depth + 1))
                .collect()
        });
        ClassDef {
            name: self.field(node, "name").map(|name| self.slice(name).to_owned()).unwrap_or_default(),
            bases: bases.unwrap_or_default(),
            body: self.field(node, "body").map_or(Rc::from([]), |body| self.block(body, depth + 1)),
            decorators,
        }
    }

    fn import(&self, node: Node) -> StmtKind {
        // Several modules in one statement are rare; each becomes a name of one `from`-less import.
        let mut imports: Vec<(String, Option<String>)> =
            named_children(node).into_iter().map(|name| self.imported(name)).collect();
        match (imports.pop(), imports.is_empty()) {
            (Some((module, alias)), true) => StmtKind::Import { module, alias },
            (Some(last), false) => {
                imports.push(last);
                StmtKind::ImportFrom { module: String::new(), names: imports }
            }
            (None, _) => StmtKind::Nothing,
        }
    }

    fn import_from(&self, node: Node) -> StmtKind {
        let Some(module) = self.field(node, "module_name") else { return StmtKind::Nothing };
        let mut cursor = node.walk();
        let mut names: Vec<(String, Option<String>)> =
            node.children_by_field_name("name", &mut cursor).map(|name| self.imported(name)).collect();
        if named_children(node).iter().any(|child| child.kind() == "wildcard_import") {
            names.push(("*".to_owned(), None));
        }
        StmtKind::ImportFrom { module: self.slice(module).to_owned(), names }
    }

    fn imported(&self, node: Node) -> (String, Option<String>) {
        match (self.field(node, "name"), self.field(node, "alias")) {
            (Some(name), alias) => (self.slice(name).to_owned(), alias.map(|alias| self.slice(alias).to_owned())),
            (None, _) => (self.slice(node).to_owned(), None),
        }
    }

    fn match_arms(&self, node: Node, depth: usize) -> Vec<Block> {
        let Some(body) = self.field(node, "body") else { return Vec::new() };
        named_children(body)
            .into_iter()
            .filter(|clause| clause.kind() == "case_clause")
            .filter_map(|clause| self.field(clause, "consequence"))
            .map(|block| self.block(block, depth + 1))
            .collect()
    }
}
