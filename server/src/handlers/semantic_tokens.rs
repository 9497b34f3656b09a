//! `textDocument/semanticTokens/full`: the words of SQL inside strings. The rest of a script is left to those who read
//! Python.

use analyzer::ide::{self, TokenKind};
use tower_lsp::ls_types::{
    SemanticToken, SemanticTokenType, SemanticTokens, SemanticTokensLegend, SemanticTokensParams, SemanticTokensResult,
};

use crate::handlers::View;
use crate::positions;

/// The types of tokens, in the order in which answers count them.
const TYPES: [(TokenKind, SemanticTokenType); 9] = [
    (TokenKind::Keyword, SemanticTokenType::KEYWORD),
    (TokenKind::Function, SemanticTokenType::FUNCTION),
    (TokenKind::Table, SemanticTokenType::CLASS),
    (TokenKind::Column, SemanticTokenType::PROPERTY),
    (TokenKind::Name, SemanticTokenType::VARIABLE),
    (TokenKind::Text, SemanticTokenType::STRING),
    (TokenKind::Number, SemanticTokenType::NUMBER),
    (TokenKind::Operator, SemanticTokenType::OPERATOR),
    (TokenKind::Comment, SemanticTokenType::COMMENT),
];

pub(crate) fn legend() -> SemanticTokensLegend {
    SemanticTokensLegend { token_types: TYPES.map(|(_, name)| name).to_vec(), token_modifiers: Vec::new() }
}

pub(crate) fn semantic_tokens(view: &View, _: SemanticTokensParams) -> Option<SemanticTokensResult> {
    // The numbers of an answer cannot be handed out to cells.
    if view.document.is_notebook() {
        return None;
    }
    let (text, encoding) = (&view.document.text, view.client.encoding);
    let mut data = Vec::new();
    let (mut line, mut start) = (0, 0);
    for (range, kind) in ide::sql_tokens(&view.analyzed.analysis, &view.analyzed.text) {
        let range = positions::to_range(text, range, encoding);
        let token_type = TYPES.iter().position(|(known, _)| *known == kind).unwrap_or_default();
        data.push(SemanticToken {
            delta_line: range.start.line - line,
            delta_start: range.start.character - if range.start.line == line { start } else { 0 },
            length: range.end.character.saturating_sub(range.start.character),
            token_type: u32::try_from(token_type).unwrap_or_default(),
            token_modifiers_bitset: 0,
        });
        (line, start) = (range.start.line, range.start.character);
    }
    // No answer leaves the words to those who have one.
    (!data.is_empty()).then_some(SemanticTokensResult::Tokens(SemanticTokens { result_id: None, data }))
}
