//! How large a query from outside may be, told from its tokens before it is parsed.

use sqlparser::dialect::GenericDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::{MAX_BYTES, Refusal, refuse};

/// Parentheses, `CASE` and subqueries within one another.
const MAX_NESTING: usize = 40;
/// Operators in one query: a chain of them is as deep a tree as it is long.
const MAX_OPERATORS: usize = 1_000;

/// Refuses a text whose syntax tree would be too large or too deep, by looking at its tokens only.
pub fn check_bounds(sql: &str) -> Result<(), Refusal> {
    if sql.len() > MAX_BYTES {
        return refuse(format!("it has {} bytes, Athena takes {MAX_BYTES}", sql.len()), "split the query");
    }
    let tokens = match Tokenizer::new(&GenericDialect {}, sql).tokenize() {
        Ok(tokens) => tokens,
        Err(error) => return refuse(format!("it is not valid SQL: {error}"), "correct the query"),
    };
    let (mut nesting, mut operators) = (0usize, 0usize);
    for token in &tokens {
        match token {
            Token::LParen | Token::LBracket => nesting += 1,
            Token::RParen | Token::RBracket => nesting = nesting.saturating_sub(1),
            Token::Word(word) if word.quote_style.is_none() => match word.value.to_ascii_lowercase().as_str() {
                "case" => nesting += 1,
                "end" => nesting = nesting.saturating_sub(1),
                "and" | "or" | "not" | "union" | "intersect" | "except" | "join" => operators += 1,
                _ => {}
            },
            Token::Plus
            | Token::Minus
            | Token::Mul
            | Token::Div
            | Token::Mod
            | Token::StringConcat
            | Token::Eq
            | Token::Neq
            | Token::Lt
            | Token::Gt
            | Token::LtEq
            | Token::GtEq
            | Token::ExclamationMark
            | Token::Tilde
            | Token::Caret
            | Token::Pipe
            | Token::Ampersand
            | Token::DoubleColon
            | Token::Arrow => {
                operators += 1;
            }
            _ => {}
        }
        if nesting > MAX_NESTING {
            return refuse(format!("it nests more than {MAX_NESTING} levels"), "simplify the query");
        }
        if operators > MAX_OPERATORS {
            return refuse(format!("it has more than {MAX_OPERATORS} operators"), "use IN lists or split the query");
        }
    }
    Ok(())
}
