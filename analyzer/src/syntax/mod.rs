//! Script text to syntax tree. Parsing never fails: what is not Python becomes [`ast::StmtKind::Nothing`] or
//! [`ast::ExprKind::Error`], and the rest of the file keeps its meaning.

pub(crate) mod ast;
mod expressions;
mod statements;
mod strings;

use std::rc::Rc;

use tree_sitter::{Node, Parser, Tree};

/// The tree of a script; `None` where there is no parser, which is never.
pub(crate) fn parse(text: &str, before: Option<&Tree>) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).ok()?;
    parser.parse(text, before)
}

/// The statements of a script, and whether the parser met something that is not Python.
pub(crate) fn lower(text: &str, tree: Option<&Tree>) -> (ast::Block, bool) {
    let Some(tree) = tree else { return (Rc::from([]), true) };
    let root = tree.root_node();
    let lowering = Lowering { text };
    (lowering.block(root, 0), root.has_error())
}

/// Deeper nesting than this is cut off, so that no input exhausts the stack.
const MAX_DEPTH: usize = 600;

/// From tree-sitter's nodes, whose kinds are strings, to the typed tree.
struct Lowering<'t> {
    text: &'t str,
}

impl<'t> Lowering<'t> {
    fn slice(&self, node: Node) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or("")
    }

    /// A child by its field's name.
    fn field<'n>(&self, node: Node<'n>, name: &str) -> Option<Node<'n>> {
        node.child_by_field_name(name)
    }
}

/// The named children of a node, comments left out.
fn named_children(node: Node) -> Vec<Node> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| !child.is_extra()).collect()
}

fn range(node: Node) -> crate::range::TextRange {
    crate::range::TextRange::new(node.start_byte(), node.end_byte())
}
