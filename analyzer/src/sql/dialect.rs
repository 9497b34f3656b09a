//! Spark's SQL as the parser should read it: the parser's own dialect of it, with what that one lacks.

use std::any::TypeId;

use sqlparser::ast::Expr;
use sqlparser::dialect::{Dialect, SparkSqlDialect};
use sqlparser::parser::{Parser, ParserError};

/// Spark's dialect in which a backslash escapes a quote inside a text, as it does in Spark.
#[derive(Debug)]
pub(super) struct Spark;

const PARSERS_OWN: SparkSqlDialect = SparkSqlDialect {};

impl Dialect for Spark {
    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }

    fn dialect(&self) -> TypeId {
        PARSERS_OWN.dialect()
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        PARSERS_OWN.is_delimited_identifier_start(ch)
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        PARSERS_OWN.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        PARSERS_OWN.is_identifier_part(ch)
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        PARSERS_OWN.supports_filter_during_aggregation()
    }

    fn supports_group_by_expr(&self) -> bool {
        PARSERS_OWN.supports_group_by_expr()
    }

    fn supports_group_by_with_modifier(&self) -> bool {
        PARSERS_OWN.supports_group_by_with_modifier()
    }

    fn supports_lambda_functions(&self) -> bool {
        PARSERS_OWN.supports_lambda_functions()
    }

    fn supports_select_wildcard_except(&self) -> bool {
        PARSERS_OWN.supports_select_wildcard_except()
    }

    fn supports_struct_literal(&self) -> bool {
        PARSERS_OWN.supports_struct_literal()
    }

    fn supports_nested_comments(&self) -> bool {
        PARSERS_OWN.supports_nested_comments()
    }

    fn supports_create_table_using(&self) -> bool {
        PARSERS_OWN.supports_create_table_using()
    }

    fn supports_long_type_as_bigint(&self) -> bool {
        PARSERS_OWN.supports_long_type_as_bigint()
    }

    fn supports_values_as_table_factor(&self) -> bool {
        PARSERS_OWN.supports_values_as_table_factor()
    }

    fn require_interval_qualifier(&self) -> bool {
        PARSERS_OWN.require_interval_qualifier()
    }

    fn supports_bang_not_operator(&self) -> bool {
        PARSERS_OWN.supports_bang_not_operator()
    }

    fn supports_select_item_multi_column_alias(&self) -> bool {
        PARSERS_OWN.supports_select_item_multi_column_alias()
    }

    fn supports_cte_without_as(&self) -> bool {
        PARSERS_OWN.supports_cte_without_as()
    }

    fn supports_map_literal_with_angle_brackets(&self) -> bool {
        PARSERS_OWN.supports_map_literal_with_angle_brackets()
    }

    fn parse_infix(&self, parser: &mut Parser, expr: &Expr, precedence: u8) -> Option<Result<Expr, ParserError>> {
        PARSERS_OWN.parse_infix(parser, expr, precedence)
    }
}

/// A parser of a text.
pub(super) fn parser(sql: &str) -> Option<Parser<'static>> {
    Parser::new(&Spark).with_recursion_limit(super::MAX_DEPTH).try_with_sql(sql).ok()
}
