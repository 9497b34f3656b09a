//! The words of SQL inside strings, for those who colour them.

use sqlparser::tokenizer::{Token, Whitespace};

use crate::{Analysis, Mention, TextRange};

/// What a word or sign is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A word of the language.
    Keyword,
    /// The name of a function.
    Function,
    /// The name of a table, its database included.
    Table,
    /// The name of a column.
    Column,
    /// Another name, such as an alias.
    Name,
    /// A text.
    Text,
    /// A number.
    Number,
    /// A sign.
    Operator,
    /// A comment.
    Comment,
}

/// Words of Spark's SQL that are no names, in alphabetical order:
/// <https://spark.apache.org/docs/3.5.4/sql-ref-ansi-compliance.html#sql-keywords-optional-disabled-by-default>, without
/// those that scripts use as names of columns.
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    "ALL", "ALTER", "AND", "ANTI", "AS", "ASC", "BETWEEN", "BY", "CASE", "CAST", "CLUSTER", "CREATE", "CROSS", "CUBE",
    "CURRENT", "DELETE", "DESC", "DISTINCT", "DISTRIBUTE", "DIV", "DROP", "ELSE", "END", "ESCAPE", "EXCEPT", "EXISTS",
    "FALSE", "FETCH", "FILTER", "FIRST", "FOLLOWING", "FOR", "FROM", "FULL", "GROUP", "GROUPING", "HAVING", "IF",
    "ILIKE", "IN", "INNER", "INSERT", "INTERSECT", "INTERVAL", "INTO", "IS", "JOIN", "LAST", "LATERAL", "LEFT", "LIKE",
    "LIMIT", "MATCHED", "MERGE", "MINUS", "NATURAL", "NOT", "NULL", "NULLS", "OFFSET", "ON", "OR", "ORDER", "OUTER",
    "OVER", "OVERWRITE", "PARTITION", "PARTITIONED", "PIVOT", "PRECEDING", "QUALIFY", "RANGE", "RECURSIVE", "REPLACE",
    "RIGHT", "RLIKE", "ROLLUP", "ROW", "ROWS", "SELECT", "SEMI", "SET", "SETS", "SORT", "TABLE", "TABLESAMPLE",
    "TBLPROPERTIES", "TEMPORARY", "THEN", "TRUE", "TRUNCATE", "UNBOUNDED", "UNION", "UNPIVOT", "UPDATE", "USING",
    "VALUES", "VIEW", "WHEN", "WHERE", "WINDOW", "WITH",
];

/// The words of all SQL texts of a script, in the order of the script; none crosses a line. `text` is the script that
/// was analyzed.
pub fn sql_tokens(analysis: &Analysis, text: &str) -> Vec<(TextRange, TokenKind)> {
    let mut found = Vec::new();
    let mut tables: Vec<TextRange> = Vec::new();
    for (place, mention) in &analysis.mentions {
        // A text that is a statement is itself the place of what it writes.
        if matches!(mention, Mention::Source(_) | Mention::Target(_)) && !analysis.sql.contains_key(place) {
            tables.push(*place);
        }
    }
    for sql in analysis.sql.values() {
        let tokens: Vec<(TextRange, Token)> =
            sql.tokens().into_iter().filter(|(_, token)| !matches!(token, Token::EOF)).collect();
        for (position, (range, token)) in tokens.iter().enumerate() {
            let mut behind = tokens.iter().skip(position + 1).map(|(_, token)| token);
            let next = behind.find(|token| !matches!(token, Token::Whitespace(_)));
            if let Some(kind) = kind(analysis, &tables, *range, token, next) {
                found.extend(lines(text, *range).map(|line| (line, kind)));
            }
        }
    }
    found.sort_by_key(|(range, _)| *range);
    found.dedup_by_key(|(range, _)| *range);
    found
}

fn kind(
    analysis: &Analysis,
    tables: &[TextRange],
    range: TextRange,
    token: &Token,
    next: Option<&Token>,
) -> Option<TokenKind> {
    Some(match token {
        Token::Word(word) => {
            let is_keyword =
                word.quote_style.is_none() && KEYWORDS.binary_search(&word.value.to_uppercase().as_str()).is_ok();
            match mentioned(analysis, tables, range) {
                Some(kind) => kind,
                None if is_keyword => TokenKind::Keyword,
                None if next == Some(&Token::LParen) => TokenKind::Function,
                None => TokenKind::Name,
            }
        }
        Token::Number(..) => TokenKind::Number,
        Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_)) => TokenKind::Comment,
        Token::Whitespace(_) => return None,
        Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => TokenKind::Text,
        Token::LParen | Token::RParen | Token::Comma | Token::Period | Token::SemiColon => return None,
        Token::LBracket | Token::RBracket | Token::LBrace | Token::RBrace => return None,
        _ => TokenKind::Operator,
    })
}

/// What the analyzer knows of a name: its own place, or that of a table whose name has several parts.
fn mentioned(analysis: &Analysis, tables: &[TextRange], range: TextRange) -> Option<TokenKind> {
    if let Some(Mention::Column { .. }) = analysis.mentions.get(&range) {
        return Some(TokenKind::Column);
    }
    let holds = |place: &TextRange| place.start <= range.start && range.end <= place.end;
    tables.iter().any(holds).then_some(TokenKind::Table)
}

/// The parts of a range that stand on one line each.
fn lines(text: &str, range: TextRange) -> impl Iterator<Item = TextRange> + '_ {
    let mut start = range.start as usize;
    range.slice(text).split_inclusive('\n').filter_map(move |line| {
        let part = TextRange::new(start, start + line.trim_end_matches(['\n', '\r']).len());
        start += line.len();
        (!part.is_empty()).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze;
    use crate::ide::fixture::Lending;

    fn check(script: &str, expected: &[&str]) {
        let tokens = sql_tokens(&analyze(script, &Lending), script);
        let shown: Vec<String> =
            tokens.iter().map(|(range, kind)| format!("{} {kind:?}", range.slice(script))).collect();
        assert_eq!(shown, expected, "in {script}");
    }

    #[test]
    fn the_words_are_in_order() {
        assert!(KEYWORDS.is_sorted(), "they are found by halving");
    }

    #[test]
    fn a_query_is_told_word_by_word() {
        check(
            "spark.sql(\"SELECT p.amount, upper(state) AS s FROM raw_db.payments p WHERE state <> 'x' -- all\")\n",
            &[
                "SELECT Keyword",
                "p Name",
                "amount Column",
                "upper Function",
                "state Column",
                "AS Keyword",
                "s Column",
                "FROM Keyword",
                "raw_db Table",
                "payments Table",
                "p Name",
                "WHERE Keyword",
                "state Column",
                "<> Operator",
                "'x' Text",
                "-- all Comment",
            ],
        );
    }

    #[test]
    fn holes_and_lines_are_respected() {
        check(
            "spark.sql(f\"\"\"select * from {table}\nwhere amount > 1 /* é\n 2 */\"\"\")\n",
            &[
                "select Keyword",
                "* Operator",
                "from Keyword",
                "where Keyword",
                "amount Column",
                "> Operator",
                "1 Number",
                "/* é Comment",
                " 2 */ Comment",
            ],
        );
    }

    #[test]
    fn conditions_of_a_filter_are_sql_too() {
        check(
            "p = spark.table('raw_db.payments').filter('amount is not null')\n",
            &["amount Column", "is Keyword", "not Keyword", "null Keyword"],
        );
        check("p = spark.table('raw_db.payments').select('amount')\n", &[]);
    }

    #[test]
    fn a_quote_that_is_not_closed_ends_it() {
        check("spark.sql(\"select 'a\")\n", &["select Keyword"]);
    }
}
