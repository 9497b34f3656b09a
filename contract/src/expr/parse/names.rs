//! Names: columns, fields of structs, elements of arrays and maps.

use sqlparser::ast;

use super::elaborate::Elaborator;
use super::scope::{self, Resolution};
use super::{ExprErrorKind, Syntax};
use crate::expr::{BinaryOp, Expr, ExprKind, Span};
use crate::types::DataType;
use crate::value::Value;

impl Elaborator<'_> {
    pub(super) fn column(&mut self, qualifier: Option<&ast::Ident>, ident: &ast::Ident, span: Span) -> Expr {
        let name = ident.value.as_str();
        if qualifier.is_none() && ident.quote_style.is_none() {
            match name.to_ascii_lowercase().as_str() {
                "current_date" | "current_timestamp" => return self.call(name, Vec::new(), span),
                "localtimestamp" => return self.call("current_timestamp", Vec::new(), span),
                // As Oracle and Redshift say it, unless there is such a column.
                "sysdate" | "systimestamp" if self.resolves_not(name) => {
                    return self.call("current_timestamp", Vec::new(), span);
                }
                _ if self.parameters.iter().any(|p| p == name) => {
                    return Expr::opaque(format!("lambda parameter `{name}`"), Vec::new());
                }
                _ => {}
            }
        }
        match self.scope.resolve(qualifier.map(|q| q.value.as_str()), name) {
            Resolution::Column(column, data_type) => Expr::column_ref(column, data_type),
            Resolution::Missing if self.syntax == Syntax::Rule && ident.quote_style == Some('"') => Expr::text(name),
            Resolution::Missing => {
                let mut message = scope::missing(name, self.scope);
                if self.syntax == Syntax::Trino && ident.quote_style == Some('"') {
                    message.push_str("; double quotes are for names, text stands in single quotes");
                }
                self.error(ExprErrorKind::UnknownColumn, message, span);
                unresolved(qualifier, name)
            }
            Resolution::Ambiguous(candidates) => {
                let message = format!("`{name}` may be {}; qualify it", candidates.join(" or "));
                self.error(ExprErrorKind::AmbiguousColumn, message, span);
                unresolved(qualifier, name)
            }
        }
    }

    /// `table.column`, `struct.field`, and longer chains of both.
    pub(super) fn compound(&mut self, parts: &[ast::Ident], span: Span) -> Expr {
        let [first, second, rest @ ..] = parts else {
            return parts
                .first()
                .map_or_else(|| Expr::opaque("an empty name", Vec::new()), |p| self.column(None, p, span));
        };
        let qualified = self.scope.resolve(Some(&first.value), &second.value);
        let plain = self.scope.resolve(None, &first.value);
        match (qualified, plain) {
            (Resolution::Column(column, data_type), _) => self.fields(Expr::column_ref(column, data_type), rest, span),
            (_, Resolution::Column(column, data_type)) => {
                self.fields(Expr::column_ref(column, data_type), &parts[1..], span)
            }
            _ if rest.len() == 1 && self.resolves(&second.value, &parts[2].value) => {
                self.column(Some(second), &parts[2], span)
            }
            _ => self.column(Some(first), second, span),
        }
    }

    fn resolves(&self, qualifier: &str, name: &str) -> bool {
        matches!(self.scope.resolve(Some(qualifier), name), Resolution::Column(..))
    }

    fn resolves_not(&self, name: &str) -> bool {
        matches!(self.scope.resolve(None, name), Resolution::Missing)
    }

    fn fields(&mut self, root: Expr, names: &[ast::Ident], span: Span) -> Expr {
        names.iter().fold(root, |parent, name| self.field(parent, &name.value, span))
    }

    fn field(&mut self, parent: Expr, name: &str, span: Span) -> Expr {
        if let DataType::Struct(fields) = &parent.data_type
            && !fields.iter().any(|(field, _)| field.eq_ignore_ascii_case(name))
        {
            let near = crate::schema::nearest(name, fields.iter().map(|(f, _)| f.as_str())).join(", ");
            self.error(ExprErrorKind::UnknownColumn, format!("there is no field `{name}`; nearest: {near}"), span);
        }
        self.call("field", vec![parent, Expr::text(name)], span)
    }

    pub(super) fn access(&mut self, root: &ast::Expr, chain: &[ast::AccessExpr], span: Span) -> Expr {
        let mut expr = self.expr(root);
        for access in chain {
            expr = match access {
                ast::AccessExpr::Dot(ast::Expr::Identifier(name)) => self.field(expr, &name.value, span),
                ast::AccessExpr::Subscript(ast::Subscript::Index { index }) => {
                    let index = self.expr(index);
                    self.subscript(expr, index, span)
                }
                other => {
                    let reason = format!("`{other}` is not understood");
                    self.opaque(reason, vec![expr], span)
                }
            };
        }
        expr
    }

    /// `a[i]`: of a map by key, of an array by place; Spark counts from 0, Trino from 1.
    fn subscript(&mut self, root: Expr, index: Expr, span: Span) -> Expr {
        if matches!(root.data_type, DataType::Map(..)) || matches!(index.data_type, DataType::String) {
            return self.call("map_get", vec![root, index], span);
        }
        let index = match (&index.kind, self.syntax) {
            (_, Syntax::Trino) => index,
            (ExprKind::Literal(Value::Int(n)), _) => Expr::int(n.saturating_add(1)),
            _ => Expr::binary(BinaryOp::Add, index, Expr::int(1)),
        };
        if let (ExprKind::Call { function: "split", args }, ExprKind::Literal(_)) = (&root.kind, &index.kind)
            && let Some(part) = self.split_place(args, index.clone(), span)
        {
            return part;
        }
        self.call("element_at", vec![root, index], span)
    }
}

fn unresolved(qualifier: Option<&ast::Ident>, name: &str) -> Expr {
    let column =
        crate::expr::ColumnRef { qualifier: qualifier.map(|q| q.value.clone()), name: name.to_string(), id: None };
    Expr::column_ref(column, DataType::Unknown)
}
