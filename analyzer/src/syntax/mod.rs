//! Script text to syntax tree. Parsing never fails: what is not Python becomes [`ast::StmtKind::Nothing`] or
//! [`ast::ExprKind::Error`], and the rest of the file keeps its meaning.

pub(crate) mod ast;
mod expressions;
mod node;
mod sections;
mod statements;
mod strings;

use std::iter::zip;
use std::sync::Arc;

use tree_sitter::Parser;

use ast::{Block, LocalRange, Stmt, StmtKind};
use node::Node;
use sections::Section;

/// A script's syntax tree. What an edit leaves as it was is shared with the tree of the text before it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    /// Each with where it begins.
    sections: Vec<(u32, Arc<Parsed>)>,
}

/// A section that was parsed. It depends on the section's text alone.
#[derive(Debug)]
struct Parsed {
    length: usize,
    statements: Arc<[Stmt]>,
    has_errors: bool,
    /// The sections below each header, where the statement was taken apart; places count from the section's.
    blocks: Vec<Vec<(u32, Arc<Parsed>)>>,
}

/// The tree of a text. With the tree and the text before an edit, only what changed is parsed.
pub(crate) fn parse(text: &str, before: Option<(&Tree, &str)>) -> Tree {
    let mut parser = Parser::new();
    if parser.set_language(&tree_sitter_python::LANGUAGE.into()).is_err() {
        return Tree::default();
    }
    let (tree, old) = before.map_or((&[][..], ""), |(tree, text)| (&tree.sections, text));
    Tree { sections: parse_sections(&mut parser, text, 0, &sections::cut(text), (tree, old)) }
}

/// The tree of a text that is parsed in one piece, which that of its sections is held against.
#[cfg(test)]
pub(crate) fn parse_whole(text: &str) -> Tree {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).unwrap();
    let (statements, has_errors) = lower(&mut parser, text);
    let parsed = Parsed { length: text.len(), statements: statements.into(), has_errors, blocks: Vec::new() };
    Tree { sections: vec![(0, Arc::new(parsed))] }
}

impl Tree {
    /// The statements of the script.
    pub(crate) fn script(&self) -> Block {
        Block::of(self.sections.iter().map(|(start, section)| (*start, Arc::clone(&section.statements))).collect())
    }

    /// Whether the parser met something that is not Python.
    pub(crate) fn has_errors(&self) -> bool {
        self.sections.iter().any(|(_, section)| section.has_errors)
    }
}

/// Parses sections of a text that begins at `base`, where the sections' places count from another one. Those that were
/// there before, at the beginning or at the end of all, are taken from there.
fn parse_sections(
    parser: &mut Parser,
    text: &str,
    base: usize,
    sections: &[Section],
    (before, old): (&[(u32, Arc<Parsed>)], &str),
) -> Vec<(u32, Arc<Parsed>)> {
    let slice = |section: &Section| text.get(section.range.clone()).unwrap_or_default();
    let same = |((start, known), section): (&(u32, Arc<Parsed>), &Section)| {
        let start = *start as usize;
        old.get(start..start + known.length).is_some_and(|old| old == slice(section))
    };
    let front = zip(before, sections).take_while(|pair| same(*pair)).count();
    let (old_rest, new_rest) = (before.get(front..).unwrap_or_default(), sections.get(front..).unwrap_or_default());
    let back = zip(old_rest.iter().rev(), new_rest.iter().rev()).take_while(|pair| same(*pair)).count();
    let changed = old_rest.get(..old_rest.len() - back).unwrap_or_default();
    let known = |index: usize| match index.checked_sub(sections.len() - back) {
        Some(from_back) => before.get(before.len() - back + from_back),
        None => before.get(index).filter(|_| index < front),
    };
    let parsed = sections.iter().enumerate().map(|(index, section)| {
        let start = u32::try_from(section.range.start - base).unwrap_or(u32::MAX);
        let parsed = match known(index) {
            Some((_, known)) => Arc::clone(known),
            None => {
                // A long statement is likely to be the one that stood there before.
                let earlier = match changed {
                    [(start, known)] => old.get(*start as usize..).map(|old| (known.as_ref(), old)),
                    _ => None,
                };
                Arc::new(parse_section(parser, text, section, earlier))
            }
        };
        (start, parsed)
    });
    parsed.collect()
}

/// Parses one section: as a whole, or where it has blocks each of their sections by itself, and the headers with
/// nothing below them.
fn parse_section(parser: &mut Parser, text: &str, section: &Section, before: Option<(&Parsed, &str)>) -> Parsed {
    let written = text.get(section.range.clone()).unwrap_or_default();
    if !section.blocks.is_empty()
        && let Some(parsed) = parse_in_blocks(parser, written, text, section, before)
    {
        return parsed;
    }
    let (statements, has_errors) = lower(parser, written);
    Parsed { length: written.len(), statements: statements.into(), has_errors, blocks: Vec::new() }
}

/// `None` where the headers are none of a statement that has these blocks.
fn parse_in_blocks(
    parser: &mut Parser,
    written: &str,
    text: &str,
    section: &Section,
    before: Option<(&Parsed, &str)>,
) -> Option<Parsed> {
    let base = section.range.start;
    // The headers stay where they are; a zero stands for each block.
    let mut headers = written.as_bytes().to_vec();
    for block in &section.blocks {
        let first = block.first - base;
        let indentation = written.get(..first)?.rfind('\n')? + 1..first;
        for (at, byte) in headers.iter_mut().enumerate().take(block.range.end - base).skip(block.range.start - base) {
            if *byte != b'\n' && !indentation.contains(&at) {
                *byte = if at == first { b'0' } else { b' ' };
            }
        }
    }
    let (mut statements, mut has_errors) = lower(parser, std::str::from_utf8(&headers).ok()?);
    let [statement] = statements.as_mut_slice() else { return None };
    let mut blocks = Vec::new();
    for (index, block) in section.blocks.iter().enumerate() {
        let before = before.and_then(|(parsed, old)| Some((parsed.blocks.get(index)?.as_slice(), old)));
        let parsed = parse_sections(parser, text, base, &block.sections, before.unwrap_or((&[], "")));
        has_errors |= parsed.iter().any(|(_, section)| section.has_errors);
        let body = parsed.iter().map(|(start, section)| (*start, Arc::clone(&section.statements))).collect();
        let place = u32::try_from(block.first - base).ok()?;
        *bodies(&mut statement.kind)?.into_iter().find(|body| begins_at(body, place))? = Block::of(body);
        blocks.push(parsed);
    }
    statement.range = LocalRange::new(statement.range.start() as usize, written.trim_end().len());
    Some(Parsed { length: written.len(), statements: statements.into(), has_errors, blocks })
}

/// The blocks of a compound statement.
fn bodies(statement: &mut StmtKind) -> Option<Vec<&mut Block>> {
    Some(match statement {
        StmtKind::Function(def) => vec![&mut Arc::get_mut(def)?.body],
        StmtKind::Class(def) => vec![&mut Arc::get_mut(def)?.body],
        StmtKind::If { arms } => arms.iter_mut().map(|(_, body)| body).collect(),
        StmtKind::For { body, otherwise, .. } => vec![body, otherwise],
        StmtKind::While { body, .. } | StmtKind::With { body, .. } => vec![body],
        StmtKind::Try { body, handlers, otherwise, finally } => {
            let handlers = handlers.iter_mut().map(|handler| &mut handler.body);
            handlers.chain([body, otherwise, finally]).collect()
        }
        _ => return None,
    })
}

fn begins_at(block: &Block, place: u32) -> bool {
    block.statements().next().is_some_and(|first| first.range.start() == place)
}

/// The statements of a text, and whether the parser met something that is not Python.
fn lower(parser: &mut Parser, text: &str) -> (Vec<Stmt>, bool) {
    let Some(tree) = parser.parse(text, None) else { return (Vec::new(), true) };
    let root = Node::root(&tree);
    let mut statements = Vec::new();
    Lowering { text }.collect(root, 0, &mut statements);
    (statements, root.has_error())
}

/// Deeper nesting than this is cut off, so that no input exhausts the stack.
const MAX_DEPTH: usize = 600;

/// From the parser's nodes to the typed tree.
struct Lowering<'t> {
    text: &'t str,
}

impl<'t> Lowering<'t> {
    fn slice(&self, node: Node) -> &'t str {
        self.text.get(node.bytes()).unwrap_or("")
    }
}

fn range(node: Node) -> LocalRange {
    let bytes = node.bytes();
    LocalRange::new(bytes.start, bytes.end)
}
