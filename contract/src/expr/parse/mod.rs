//! Front ends: rule text, Spark SQL and Trino SQL into [`Expr`].
//!
//! sqlparser reads the text; elaboration resolves columns, types literals by what they stand beside, and chooses the
//! operator that the syntax means (`7 / 2` is 3 in Trino and 3.5 in Spark). [`parse`] is strict and says what is wrong;
//! [`elaborate`] is lenient and turns what it does not understand into [`super::ExprKind::Opaque`].

mod calendar;
mod calls;
mod collections;
mod dialect;
mod elaborate;
mod idioms;
pub(crate) mod literals;
mod names;
mod scope;
mod tokens;
mod types;

use sqlparser::ast;
use sqlparser::parser::{Parser, ParserOptions};
use sqlparser::tokenizer::Token;

pub use dialect::{RuleDialect, SparkDialect, TrinoDialect};
pub(crate) use literals::{beside, date, number, timestamp};
pub use scope::{AnyColumn, Resolution, Scope};

use super::{Expr, Span};
use elaborate::Elaborator;

/// Longer texts are refused before they are parsed.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Deeper nesting is refused while parsing.
pub const MAX_DEPTH: usize = 64;

/// The language that a text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Syntax {
    /// As people and models write rules: Spark's operators and functions, Trino's as well where the names differ.
    /// Single quotes are text; a double-quoted word is the column of that name if there is one, else text;
    /// backslashes are characters like any other.
    Rule,
    /// Spark SQL: backticks quote names, both quotes are text, a backslash escapes.
    Spark,
    /// Trino SQL: double quotes quote names, `7 / 2` is 3.
    Trino,
}

/// What kind of mistake a text has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExprErrorKind {
    /// It cannot be parsed.
    Syntax,
    /// It is too long or too deep.
    TooLarge,
    /// A column does not exist.
    UnknownColumn,
    /// A name fits several columns.
    AmbiguousColumn,
    /// A function does not exist, or not with so many arguments.
    UnknownFunction,
    /// Operands of types that do not go together.
    Types,
    /// It means different things on different engines, or cannot be had on all of them.
    Refused,
}

/// Why a text is no expression. The message says what to write instead where that is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExprError {
    /// The kind of mistake.
    pub kind: ExprErrorKind,
    /// What is wrong and what to do, for people.
    pub message: String,
    /// Where in the text.
    pub span: Span,
}

impl ExprError {
    pub(crate) fn new(kind: ExprErrorKind, message: impl Into<String>, span: Span) -> ExprError {
        ExprError { kind, message: message.into(), span }
    }
}

/// Reads an expression and checks it against the columns of a scope. The first mistake is returned.
pub fn parse(text: &str, syntax: Syntax, scope: &dyn Scope) -> Result<Expr, ExprError> {
    let (expr, mut errors) = parse_all(text, syntax, scope)?;
    if errors.is_empty() { Ok(expr) } else { Err(errors.swap_remove(0)) }
}

/// As [`parse`], but goes on after a mistake that is not one of syntax, and returns all of them in order of place.
pub fn parse_all(text: &str, syntax: Syntax, scope: &dyn Scope) -> Result<(Expr, Vec<ExprError>), ExprError> {
    let tree = parse_tree(text, syntax)?;
    let mut elaborator = Elaborator::new(syntax, scope, Some(text));
    let expr = elaborator.expr(&tree);
    elaborator.errors.sort_by_key(|error| error.span.start);
    Ok((expr, elaborator.errors))
}

/// Turns a tree of sqlparser's into an expression. What is not understood becomes opaque; nothing is an error.
pub fn elaborate(tree: &ast::Expr, syntax: Syntax, scope: &dyn Scope) -> Expr {
    Elaborator::new(syntax, scope, None).expr(tree)
}

/// As [`elaborate`], with byte ranges in the text that the tree was parsed from.
pub fn elaborate_in(text: &str, tree: &ast::Expr, syntax: Syntax, scope: &dyn Scope) -> Expr {
    Elaborator::new(syntax, scope, Some(text)).expr(tree)
}

/// As [`parse()`], of a tree that stands in a larger one. The first mistake is returned.
pub(crate) fn elaborate_strictly(tree: &ast::Expr, syntax: Syntax, scope: &dyn Scope) -> Result<Expr, ExprError> {
    let mut elaborator = Elaborator::new(syntax, scope, None);
    let expr = elaborator.expr(tree);
    if elaborator.errors.is_empty() { Ok(expr) } else { Err(elaborator.errors.swap_remove(0)) }
}

/// Reads an expression into sqlparser's tree, bounded in size and depth.
pub fn parse_tree(text: &str, syntax: Syntax) -> Result<ast::Expr, ExprError> {
    let mut parser = parser(text, syntax)?;
    let tree = parser.parse_expr().map_err(|error| syntax_error(text, &error))?;
    while parser.consume_token(&Token::SemiColon) {}
    match &parser.peek_token_ref().token {
        Token::EOF => Ok(tree),
        left_over => {
            let message = match left_over.to_string().to_uppercase().as_str() {
                "WHEN" | "THEN" | "ELSE" | "END" => {
                    "CASE is not whole; write CASE WHEN condition THEN value ELSE value END".to_owned()
                }
                _ => format!("the expression ends before `{left_over}`; join conditions by AND or OR"),
            };
            Err(ExprError::new(ExprErrorKind::Syntax, message, Span::default()))
        }
    }
}

/// A parser of this syntax over a text, bounded in size and depth.
pub fn parser(text: &str, syntax: Syntax) -> Result<Parser<'static>, ExprError> {
    if text.len() > MAX_TEXT_BYTES {
        let message = format!("the text has {} bytes; at most {MAX_TEXT_BYTES} are read", text.len());
        return Err(ExprError::new(ExprErrorKind::TooLarge, message, Span::default()));
    }
    let dialect: &'static dyn sqlparser::dialect::Dialect = match syntax {
        Syntax::Rule => &RuleDialect,
        Syntax::Spark => &SparkDialect,
        Syntax::Trino => &TrinoDialect,
    };
    let tokens = tokens::read(dialect, text).map_err(|error| syntax_error(text, &error))?;
    Ok(Parser::new(dialect)
        .with_recursion_limit(MAX_DEPTH)
        .with_options(ParserOptions::new().with_unescape(true))
        .with_tokens_with_locations(tokens))
}

/// Why a text could not be parsed. Templates of dbt and of shells are told apart, because they look like mistakes.
pub(crate) fn syntax_error(text: &str, error: &sqlparser::parser::ParserError) -> ExprError {
    use sqlparser::parser::ParserError;
    match error {
        ParserError::TokenizerError(_) | ParserError::ParserError(_)
            if ["{{", "{%", "${"].iter().any(|start| text.contains(start)) =>
        {
            let message = "it is a template; render it first, so that it names columns and values";
            ExprError::new(ExprErrorKind::Syntax, message, Span::default())
        }
        ParserError::RecursionLimitExceeded => {
            let message = format!("nested deeper than {MAX_DEPTH}; split it into several rules");
            ExprError::new(ExprErrorKind::TooLarge, message, Span::default())
        }
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
            ExprError::new(ExprErrorKind::Syntax, message.clone(), Span::default())
        }
    }
}
