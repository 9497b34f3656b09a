//! What SQL from outside may be: one short, shallow, read-only query of known functions.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Query, Select, Statement, TableFactor, Visit, Visitor};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::place;
use crate::{Error, Result};

/// Longest text in bytes, most tokens, and deepest nesting of brackets and `CASE`.
const MAX_BYTES: usize = 64 << 10;
const MAX_TOKENS: usize = 4_000;
const MAX_DEPTH: usize = 40;
/// Most operators in all: an operator chain is parsed as a tree as deep as it is long.
const MAX_OPERATORS: usize = 400;

/// The functions that a query from outside may call: pure functions of their arguments, and the statement's own clock.
const FUNCTIONS: &[&str] = &[
    "abs",
    "acos",
    "approx_distinct",
    "approx_median",
    "approx_percentile_cont",
    "array_agg",
    "array_length",
    "asin",
    "atan",
    "atan2",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "btrim",
    "cardinality",
    "cbrt",
    "ceil",
    "char_length",
    "character_length",
    "chr",
    "coalesce",
    "concat",
    "concat_ws",
    "contains",
    "corr",
    "cos",
    "count",
    "covar_pop",
    "covar_samp",
    "cume_dist",
    "current_date",
    "current_timestamp",
    "date_bin",
    "date_part",
    "date_trunc",
    "degrees",
    "dense_rank",
    "ends_with",
    "exp",
    "factorial",
    "first_value",
    "floor",
    "from_unixtime",
    "gcd",
    "greatest",
    "grouping",
    "ifnull",
    "initcap",
    "isnan",
    "iszero",
    "lag",
    "last_value",
    "lcm",
    "lead",
    "least",
    "left",
    "length",
    "levenshtein",
    "ln",
    "log",
    "log10",
    "log2",
    "lower",
    "lpad",
    "ltrim",
    "make_date",
    "max",
    "md5",
    "mean",
    "median",
    "min",
    "nanvl",
    "now",
    "nth_value",
    "ntile",
    "nullif",
    "nvl",
    "nvl2",
    "octet_length",
    "percent_rank",
    "percentile_cont",
    "pi",
    "pow",
    "power",
    "radians",
    "rank",
    "regexp_count",
    "regexp_like",
    "regexp_match",
    "regexp_replace",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "row_number",
    "rpad",
    "rtrim",
    "sha256",
    "signum",
    "sin",
    "split_part",
    "sqrt",
    "starts_with",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "strpos",
    "substr",
    "substring",
    "sum",
    "tan",
    "to_char",
    "to_date",
    "to_timestamp",
    "to_unixtime",
    "today",
    "translate",
    "trim",
    "trunc",
    "upper",
    "var",
    "var_pop",
    "var_samp",
];

/// Bounds the text before anything recursive runs over it: its size, its tokens, their nesting and its operators.
pub(super) fn scan(sql: &str) -> Result<()> {
    let refuse = |problem: String| Err(Error::input(place(sql), problem, "write a shorter, flatter query"));
    if sql.len() > MAX_BYTES {
        return refuse(format!("is longer than {} KiB", MAX_BYTES >> 10));
    }
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize();
    let tokens = tokens.map_err(|error| Error::input(place(sql), error, "correct the SQL"))?;
    let (mut depth, mut deepest, mut operators, mut count) = (0usize, 0, 0, 0);
    for token in tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))) {
        count += 1;
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
            Token::Word(word) => match word.keyword {
                Keyword::CASE => depth += 1,
                Keyword::END => depth = depth.saturating_sub(1),
                Keyword::AND | Keyword::OR | Keyword::NOT | Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT => {
                    operators += 1;
                }
                Keyword::JOIN | Keyword::IS | Keyword::COLLATE => operators += 1,
                _ => {}
            },
            Token::Comma | Token::Number(..) | Token::SingleQuotedString(_) | Token::Period | Token::SemiColon => {}
            _ => operators += 1,
        }
        deepest = deepest.max(depth);
    }
    if count > MAX_TOKENS {
        return refuse(format!("has more than {MAX_TOKENS} words"));
    }
    if deepest > MAX_DEPTH {
        return refuse(format!("nests more than {MAX_DEPTH} levels deep"));
    }
    if operators > MAX_OPERATORS {
        return refuse(format!("has more than {MAX_OPERATORS} operators"));
    }
    Ok(())
}

/// Parses text that [`scan`] let through and refuses all but one read-only query of known functions.
pub(super) fn parse(sql: &str) -> Result<Statement> {
    scan(sql)?;
    let statements = Parser::parse_sql(&GenericDialect {}, sql);
    let mut statements = statements.map_err(|error| Error::input(place(sql), error, "correct the SQL"))?;
    let statement = match (statements.pop(), statements.is_empty()) {
        (Some(statement @ Statement::Query(_)), true) => statement,
        _ => return Err(Error::input(place(sql), "is not exactly one query", "write one SELECT")),
    };
    match statement.visit(&mut Guard { statements: 0 }) {
        ControlFlow::Continue(()) => Ok(statement),
        ControlFlow::Break(problem) => {
            Err(Error::input(place(sql), problem, "write one read-only SELECT over the allowed tables"))
        }
    }
}

struct Guard {
    statements: usize,
}

impl Visitor for Guard {
    type Break = String;

    fn pre_visit_statement(&mut self, _: &Statement) -> ControlFlow<String> {
        self.statements += 1;
        refuse(self.statements > 1, || "changes data".into())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        refuse(query.with.as_ref().is_some_and(|with| with.recursive), || "is recursive".into())?;
        refuse(!query.locks.is_empty(), || "locks rows".into())?;
        refuse(query.settings.is_some() || query.format_clause.is_some(), || "changes settings".into())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<String> {
        refuse(select.into.is_some(), || "writes a table".into())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<String> {
        let plain = match factor {
            TableFactor::Table { args, .. } => args.is_none(),
            TableFactor::Derived { .. } | TableFactor::NestedJoin { .. } => true,
            _ => false,
        };
        refuse(!plain, || format!("reads {factor}, which is no table"))
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<String> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        let name = function.name.to_string().to_lowercase();
        refuse(FUNCTIONS.binary_search(&name.as_str()).is_err(), || format!("calls {name}, which is not allowed"))
    }
}

fn refuse(when: bool, problem: impl FnOnce() -> String) -> ControlFlow<String> {
    if when { ControlFlow::Break(problem()) } else { ControlFlow::Continue(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_are_sorted_and_known_to_the_engine() {
        assert!(FUNCTIONS.is_sorted());
        let context = datafusion::prelude::SessionContext::new();
        let state = context.state();
        let known = |name: &&&str| {
            state.scalar_functions().contains_key(**name)
                || state.aggregate_functions().contains_key(**name)
                || state.window_functions().contains_key(**name)
        };
        let unknown: Vec<_> = FUNCTIONS.iter().filter(|name| !known(name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn ordinary_tests_pass() {
        for sql in [
            "SELECT loan_id, COUNT(*) AS cnt FROM db.t GROUP BY loan_id HAVING COUNT(*) > 1",
            "WITH a AS (SELECT 1 x) SELECT upper('a') FROM a JOIN db.t ON true WHERE x IN (SELECT id FROM db.u)",
        ] {
            parse(sql).unwrap_or_else(|error| panic!("{error}"));
        }
    }

    #[test]
    fn all_but_one_read_only_query_is_refused() {
        for (sql, why) in [
            ("SELECT 1; SELECT 2", "not exactly one query"),
            ("COPY t TO '/tmp/x'", "not exactly one query"),
            ("SET a = 1", "not exactly one query"),
            ("EXPLAIN SELECT 1", "not exactly one query"),
            ("CREATE TABLE x AS SELECT 1", "not exactly one query"),
            ("WITH x AS (INSERT INTO t VALUES (1) RETURNING 1) SELECT * FROM x", "changes data"),
            ("WITH RECURSIVE x AS (SELECT 1 UNION ALL SELECT * FROM x) SELECT * FROM x", "is recursive"),
            ("SELECT 1 INTO y FROM t", "writes a table"),
            ("SELECT * FROM read_csv('/etc/passwd')", "no table"),
            ("SELECT * FROM generate_series(1, 100)", "no table"),
            ("SELECT getenv('HOME')", "calls getenv"),
            ("SELECT input_file_name() FROM t", "calls input_file_name"),
        ] {
            let error = parse(sql).map(|statement| panic!("{sql} passed: {statement}")).unwrap_err().to_string();
            assert!(error.contains(why), "{sql}: {error}");
        }
    }

    #[test]
    fn nesting_and_chains_are_bounded_before_parsing() {
        let deep = format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000));
        let chain = format!("SELECT 1{}", "+1".repeat(10_000));
        let negations = format!("SELECT {} 1", "- ".repeat(10_000));
        let cases = format!("SELECT {} 1", "CASE WHEN ".repeat(5_000));
        for sql in [deep, chain, negations, cases, "x".repeat(100_000)] {
            assert!(scan(&sql).is_err(), "{}", &sql[..40]);
        }
    }
}
