//! Tokens, where engines read more than sqlparser does.

use sqlparser::dialect::Dialect;
use sqlparser::parser::ParserError;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

/// The tokens of a text. A number with one of Spark's suffixes becomes one of that type: `1.5D` is `1.5e0`.
pub(super) fn read(dialect: &dyn Dialect, text: &str) -> Result<Vec<TokenWithSpan>, ParserError> {
    let tokens = Tokenizer::new(dialect, text).with_unescape(true).tokenize_with_location()?;
    let mut read: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for next in tokens {
        if let (Some(TokenWithSpan { token: Token::Number(number, false), .. }), Token::Word(word)) =
            (read.last_mut(), &next.token)
            && word.quote_style.is_none()
            && let Some(typed) = suffixed(number, &word.value)
        {
            *number = typed;
            continue;
        }
        read.push(next);
    }
    Ok(read)
}

/// A number and the word that follows it without a blank.
fn suffixed(number: &str, suffix: &str) -> Option<String> {
    let exponent = number.contains(['e', 'E']);
    match suffix.to_ascii_uppercase().as_str() {
        "D" if exponent => Some(number.to_owned()),
        "D" => Some(format!("{number}e0")),
        "F" => number.parse::<f32>().ok().map(|float| format!("{:e}", f64::from(float))),
        "BD" if number.contains('.') => Some(number.to_owned()),
        "BD" => Some(format!("{number}.")),
        "S" | "Y" if !exponent && !number.contains('.') => Some(number.to_owned()),
        _ => None,
    }
}
