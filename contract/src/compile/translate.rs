//! A whole query, written for one engine, as each engine accepts it with the same meaning.
//!
//! The frame of a query (tables, joins, groups, order) is kept and its names are quoted; every expression in it is
//! elaborated and printed as those of rules are. What an engine does not have is refused with what to write instead.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Cte, Distinct, Expr as Tree, Fetch, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    GroupByExpr, Ident, JoinConstraint, JoinOperator, LimitClause, ObjectName, ObjectNamePart, OrderByExpr,
    OrderByKind, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetOperator, TableAlias,
    TableFactor, TableWithJoins, Value, WildcardAdditionalOptions, WindowSpec, WindowType, visit_expressions,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::query::{aggregates, alias, check_bounds, column_name, substitute};
use crate::expr::parse::{self, Resolution, Scope, Syntax};
use crate::expr::print::{Dialect, quote_name, to_sql};
use crate::expr::{ColumnRef, functions};
use crate::schema::TableSchema;
use crate::types::DataType;

/// Why a query cannot be had on every engine, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Untranslatable(pub String);

fn refuse<T>(reason: impl Into<String>) -> Result<T, Untranslatable> {
    Err(Untranslatable(reason.into()))
}

/// Whether a text is a query rather than an expression: it begins with `SELECT`, `WITH` or a parenthesis before one.
pub fn is_query(text: &str) -> bool {
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let word: String = start.chars().take_while(char::is_ascii_alphabetic).collect();
    word.eq_ignore_ascii_case("select") || word.eq_ignore_ascii_case("with")
}

/// A read-only query, written in `syntax`, as SQL of an engine. `columns` are those of the tables that it reads, as far
/// as they are known; a name that is not among them is refused only where the query reads one table.
pub fn translate(sql: &str, syntax: Syntax, columns: &TableSchema, dialect: Dialect) -> Result<String, Untranslatable> {
    check_bounds(sql).map_err(|refusal| Untranslatable(refusal.to_string()))?;
    let mut parser = parse::parser(sql, syntax).map_err(|error| Untranslatable(error.to_string()))?;
    let mut query = parser.parse_query().map_err(|error| Untranslatable(parse::syntax_error(sql, &error).message))?;
    while parser.consume_token(&Token::SemiColon) {}
    if parser.peek_token_ref().token != Token::EOF {
        return refuse(format!("the query ends before `{}`; write a single SELECT", parser.peek_token_ref()));
    }
    let names = Names::of(&query);
    let translator = Translator { syntax, dialect, scope: QueryScope { columns, names } };
    translator.query(&mut query)?;
    Ok(query.to_string())
}

/// The tables that a query reads, each by its parts in lower case, without the names that the query itself makes.
pub fn relations(sql: &str, syntax: Syntax) -> Result<Vec<Vec<String>>, Untranslatable> {
    check_bounds(sql).map_err(|refusal| Untranslatable(refusal.to_string()))?;
    let mut parser = parse::parser(sql, syntax).map_err(|error| Untranslatable(error.to_string()))?;
    let query = parser.parse_query().map_err(|error| Untranslatable(parse::syntax_error(sql, &error).message))?;
    let own: Vec<String> =
        query.with.iter().flat_map(|with| &with.cte_tables).map(|cte| cte.alias.name.value.to_lowercase()).collect();
    let mut found = Vec::new();
    let _ = sqlparser::ast::visit_relations(&query, |name| {
        let parts: Vec<String> =
            name.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.to_lowercase()).collect();
        if !(found.contains(&parts) || parts.len() == 1 && own.contains(&parts[0])) {
            found.push(parts);
        }
        ControlFlow::<()>::Continue(())
    });
    Ok(found)
}

/// The names that a query itself makes, and how many tables it reads.
#[derive(Default)]
struct Names {
    made: Vec<String>,
    relations: usize,
}

impl Names {
    fn of(query: &Query) -> Names {
        let mut names = Names::default();
        names.add(query);
        names.relations += usize::from(query.with.is_some());
        let _ = sqlparser::ast::visit_relations(query, |_| {
            names.relations += 1;
            ControlFlow::<()>::Continue(())
        });
        names
    }

    /// Names of derived tables' columns, which are found through the query's text: a part of it names them.
    fn add(&mut self, query: &Query) {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.made.extend(cte.alias.columns.iter().map(|column| column.name.value.to_lowercase()));
            self.add(&cte.query);
        }
        self.body(&query.body);
    }

    fn body(&mut self, body: &SetExpr) {
        match body {
            SetExpr::Select(select) => {
                self.made.extend(select.projection.iter().filter_map(alias).map(|(name, _)| name));
                for table in &select.from {
                    let joined = table.joins.iter().map(|join| &join.relation);
                    for relation in std::iter::once(&table.relation).chain(joined) {
                        if let TableFactor::Derived { subquery, alias, .. } = relation {
                            self.made.extend(
                                alias.iter().flat_map(|alias| &alias.columns).map(|c| c.name.value.to_lowercase()),
                            );
                            self.add(subquery);
                        }
                    }
                }
            }
            SetExpr::Query(query) => self.add(query),
            SetExpr::SetOperation { left, right, .. } => {
                self.body(left);
                self.body(right);
            }
            _ => {}
        }
    }
}

/// The columns of a query: the known ones by their types, the others of unknown type where they may exist.
struct QueryScope<'a> {
    columns: &'a TableSchema,
    names: Names,
}

impl Scope for QueryScope<'_> {
    fn resolve(&self, qualifier: Option<&str>, name: &str) -> Resolution {
        // A column in front of the dot is a struct, unless a table has that name too.
        if qualifier.is_some_and(|q| {
            self.columns.column(q).is_some_and(|column| matches!(column.data_type, DataType::Struct(_)))
        }) {
            return Resolution::Missing;
        }
        let qualifier = qualifier.map(str::to_lowercase);
        let found = |name: &str, data_type: DataType| {
            let column = ColumnRef { qualifier: qualifier.clone(), name: name.to_owned(), id: None };
            Resolution::Column(column, data_type)
        };
        let folded = name.to_lowercase();
        match self.columns.column(name) {
            Some(column) => found(&column.name, column.data_type.clone()),
            None if self.names.made.contains(&folded) => found(&folded, DataType::Unknown),
            // A column of another table, or of a table that nothing is known of, unless it looks like a text.
            None if (self.names.relations > 1 || self.columns.columns.is_empty()) && is_plain(name) => {
                found(&folded, DataType::Unknown)
            }
            None => Resolution::Missing,
        }
    }

    fn names(&self) -> Vec<String> {
        self.columns.columns.iter().map(|column| column.name.clone()).collect()
    }
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        && name.chars().any(char::is_lowercase)
}

struct Translator<'a> {
    syntax: Syntax,
    dialect: Dialect,
    scope: QueryScope<'a>,
}

type Done = Result<(), Untranslatable>;

impl Translator<'_> {
    fn query(&self, query: &mut Query) -> Done {
        if !query.locks.is_empty() || query.for_clause.is_some() || !query.pipe_operators.is_empty() {
            return refuse("it is not one read-only query; write a single SELECT");
        }
        if let Some(with) = &mut query.with {
            if with.recursive {
                return refuse("Spark has no recursive query; compute the table in the job");
            }
            for Cte { alias, query, .. } in &mut with.cte_tables {
                self.alias(alias);
                // An explicit AS belongs behind the name here.
                alias.explicit = false;
                self.query(query)?;
            }
        }
        self.body(&mut query.body)?;
        if let Some(order_by) = &mut query.order_by {
            match &mut order_by.kind {
                OrderByKind::Expressions(keys) => keys.iter_mut().try_for_each(|key| self.order_key(key))?,
                OrderByKind::All(_) => return refuse("only Spark has ORDER BY ALL; name the columns"),
            }
        }
        if let Some(Fetch { with_ties: false, percent: false, quantity: Some(limit) }) = query.fetch.take() {
            query.limit_clause =
                Some(LimitClause::LimitOffset { limit: Some(limit), offset: None, limit_by: Vec::new() });
        }
        match &query.limit_clause {
            None | Some(LimitClause::LimitOffset { offset: None, .. }) => Ok(()),
            Some(_) => refuse("engines write OFFSET at different places; leave it out"),
        }
    }

    fn body(&self, body: &mut SetExpr) -> Done {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { op, left, right, .. } => {
                if *op == SetOperator::Minus {
                    *op = SetOperator::Except;
                }
                self.body(left)?;
                self.body(right)
            }
            SetExpr::Values(values) => {
                values.rows.iter_mut().flat_map(|row| &mut row.content).try_for_each(|cell| self.expr(cell))
            }
            _ => refuse("it is not one read-only query; write a single SELECT"),
        }
    }

    fn select(&self, select: &mut Select) -> Done {
        if select.into.is_some() {
            return refuse("SELECT INTO writes a table; write a single SELECT");
        }
        if select.qualify.is_some() {
            return refuse("Athena has no QUALIFY; filter the window function in an outer query");
        }
        if !select.lateral_views.is_empty() {
            return refuse("Athena has no LATERAL VIEW; test arrays with exists or array_contains");
        }
        if matches!(select.distinct, Some(Distinct::On(_))) || select.top.is_some() {
            return refuse("DISTINCT ON and TOP are not known everywhere; use row_number() in an inner query");
        }
        semi_joins(select)?;
        let aliases: indexmap::IndexMap<String, Tree> = select.projection.iter().filter_map(alias).collect();
        let is_column = |name: &str| self.scope.columns.column(name).is_some();
        if let Some(having) = &mut select.having {
            let names_aggregate = |tree: &Tree| aggregates(tree) || column_name(tree).is_none();
            substitute(having, &aliases, &names_aggregate);
        }
        select.projection.iter_mut().try_for_each(|item| self.item(item))?;
        select.from.iter_mut().try_for_each(|table| self.table_with_joins(table))?;
        if let Some(selection) = &mut select.selection {
            self.expr(selection)?;
        }
        match &mut select.group_by {
            GroupByExpr::Expressions(keys, modifiers) if modifiers.is_empty() => {
                for key in keys {
                    let computed = |tree: &Tree| !aggregates(tree) && column_name(tree).is_none();
                    if !column_name(key).is_some_and(is_column) {
                        substitute(key, &aliases, &computed);
                    }
                    if !is_position(key) {
                        self.expr(key)?;
                    }
                }
            }
            GroupByExpr::Expressions(..) => return refuse("ROLLUP and CUBE have no place in a test; group by columns"),
            GroupByExpr::All(_) => return refuse("Athena has no GROUP BY ALL; name the columns"),
        }
        if let Some(having) = &mut select.having {
            self.expr(having)?;
        }
        Ok(())
    }

    fn item(&self, item: &mut SelectItem) -> Done {
        match item {
            SelectItem::UnnamedExpr(tree) => {
                let name = column_name(tree).map(str::to_owned);
                self.expr(tree)?;
                // A column that needs a guard keeps its name.
                if let Some(name) = name
                    && !tree.to_string().ends_with(&self.quoted(&name).to_string())
                {
                    *item = SelectItem::ExprWithAlias { expr: tree.clone(), alias: self.quoted(&name) };
                }
                Ok(())
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                self.expr(expr)?;
                *alias = self.quoted(&alias.value);
                Ok(())
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                self.object(name)?;
                plain_star(options)
            }
            SelectItem::Wildcard(options) => plain_star(options),
            other => refuse(format!("`{other}` is not known everywhere; name the columns")),
        }
    }

    fn table_with_joins(&self, table: &mut TableWithJoins) -> Done {
        self.table(&mut table.relation)?;
        for join in &mut table.joins {
            self.table(&mut join.relation)?;
            let constraint = match &mut join.join_operator {
                JoinOperator::Join(constraint)
                | JoinOperator::Inner(constraint)
                | JoinOperator::Left(constraint)
                | JoinOperator::LeftOuter(constraint)
                | JoinOperator::Right(constraint)
                | JoinOperator::RightOuter(constraint)
                | JoinOperator::FullOuter(constraint)
                | JoinOperator::CrossJoin(constraint) => constraint,
                _ => return refuse(format!("`{join}` is not known everywhere; write a join with ON")),
            };
            match constraint {
                JoinConstraint::On(condition) => self.expr(condition)?,
                JoinConstraint::Using(columns) => columns.iter_mut().try_for_each(|column| self.object(column))?,
                JoinConstraint::Natural | JoinConstraint::None => {}
            }
        }
        Ok(())
    }

    fn table(&self, table: &mut TableFactor) -> Done {
        match table {
            TableFactor::Table { name, alias, args: None, version: None, sample: None, .. } => {
                self.object(name)?;
                alias.iter_mut().for_each(|alias| self.alias(alias));
                Ok(())
            }
            TableFactor::Derived { lateral: false, subquery, alias, .. } => {
                self.query(subquery)?;
                alias.iter_mut().for_each(|alias| self.alias(alias));
                Ok(())
            }
            TableFactor::NestedJoin { table_with_joins, .. } => self.table_with_joins(table_with_joins),
            TableFactor::UNNEST { .. } => refuse("Spark has no UNNEST; test arrays with contains or any_match"),
            other => refuse(format!("`{other}` is not known everywhere; read a table")),
        }
    }

    fn order_key(&self, key: &mut OrderByExpr) -> Done {
        if !is_position(&key.expr) {
            self.expr(&mut key.expr)?;
        }
        // Where NULLs stand is the language's own default, which engines do not share.
        if key.options.nulls_first.is_none() {
            let descending = key.options.asc == Some(false);
            key.options.nulls_first = Some(self.syntax != Syntax::Trino && !descending);
        }
        Ok(())
    }

    /// An expression of the query becomes the text that the engine's printer gives. Where it holds a subquery or a
    /// window, only its parts do.
    fn expr(&self, tree: &mut Tree) -> Done {
        match tree {
            Tree::Subquery(query) | Tree::Exists { subquery: query, .. } => return self.query(query),
            Tree::InSubquery { expr, subquery, .. } => {
                self.expr(expr)?;
                return self.query(subquery);
            }
            Tree::Function(function) if function.over.is_some() => {
                let sql = self.window(function)?;
                *tree = raw(sql);
                return Ok(());
            }
            tree if !has_own_scope(tree) => {
                let expr = parse::elaborate_strictly(tree, self.syntax, &self.scope)
                    .map_err(|error| Untranslatable(error.message))?;
                let sql = to_sql(&expr, self.dialect).map_err(|error| Untranslatable(error.to_string()))?;
                *tree = raw(sql);
                return Ok(());
            }
            _ => {}
        }
        match tree {
            Tree::Nested(inner) | Tree::IsNull(inner) | Tree::IsNotNull(inner) => self.expr(inner),
            Tree::UnaryOp { expr, .. } => self.expr(expr),
            Tree::BinaryOp { left, right, .. } => {
                self.expr(left)?;
                self.expr(right)
            }
            Tree::Between { expr, low, high, .. } => [expr, low, high].into_iter().try_for_each(|part| self.expr(part)),
            Tree::InList { expr, list, .. } => {
                self.expr(expr)?;
                list.iter_mut().try_for_each(|item| self.expr(item))
            }
            Tree::Case { operand, conditions, else_result, .. } => {
                operand.iter_mut().try_for_each(|part| self.expr(part))?;
                for when in conditions {
                    self.expr(&mut when.condition)?;
                    self.expr(&mut when.result)?;
                }
                else_result.iter_mut().try_for_each(|part| self.expr(part))
            }
            Tree::Function(Function { args: FunctionArguments::List(list), .. }) => {
                list.args.iter_mut().try_for_each(|arg| match arg {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(part)) => self.expr(part),
                    FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => Ok(()),
                    other => refuse(format!("`{other}` is no argument that every engine knows")),
                })
            }
            other => refuse(format!("a subquery or window within `{other}`; put it into a WITH query of its own")),
        }
    }

    /// A function over a window.
    fn window(&self, function: &mut Function) -> Result<String, Untranslatable> {
        let Some(WindowType::WindowSpec(mut spec)) = function.over.take() else {
            return refuse("a named window; write it out behind OVER");
        };
        let name = function.name.to_string().to_lowercase();
        let ranking = functions::find(&name).is_some_and(|f| f.kind == functions::FunctionKind::Window)
            || matches!(name.as_str(), "first_value" | "last_value" | "nth_value");
        let mut call = Tree::Function(function.clone());
        let call = if ranking {
            if let Tree::Function(Function { args: FunctionArguments::List(list), .. }) = &mut call {
                for arg in &mut list.args {
                    if let FunctionArg::Unnamed(FunctionArgExpr::Expr(part)) = arg {
                        self.expr(part)?;
                    }
                }
            }
            call.to_string()
        } else {
            self.expr(&mut call)?;
            call.to_string()
        };
        self.window_spec(&mut spec)?;
        Ok(format!("{call} OVER ({spec})"))
    }

    fn window_spec(&self, spec: &mut WindowSpec) -> Done {
        spec.partition_by.iter_mut().try_for_each(|key| self.expr(key))?;
        spec.order_by.iter_mut().try_for_each(|key| self.order_key(key))
    }

    fn alias(&self, alias: &mut TableAlias) {
        alias.name = self.quoted(&alias.name.value);
        alias.explicit = true;
        for column in &mut alias.columns {
            column.name = self.quoted(&column.name.value);
        }
    }

    fn object(&self, name: &mut ObjectName) -> Done {
        for part in &mut name.0 {
            match part {
                ObjectNamePart::Identifier(ident) => *ident = self.quoted(&ident.value),
                ObjectNamePart::Function(_) => return refuse("it computes a table's name; name the table"),
            }
        }
        Ok(())
    }

    /// A name in the engine's quotes, a known column as its schema spells it and others in lower case, as Glue has them.
    fn quoted(&self, name: &str) -> Ident {
        let known = self.scope.columns.column(name).map(|column| column.name.clone());
        Ident::new(quote_name(&known.unwrap_or_else(|| name.to_lowercase()), self.dialect))
    }
}

/// `a LEFT ANTI JOIN b ON …` keeps the rows of `a` without a match: `WHERE NOT EXISTS (SELECT 1 FROM b WHERE …)`, which
/// every engine has; a semi join those with one.
fn semi_joins(select: &mut Select) -> Done {
    let Select { from, selection, .. } = select;
    for table in from {
        let joins = std::mem::take(&mut table.joins);
        for join in joins {
            let (condition, negated) = match join.join_operator {
                JoinOperator::Anti(JoinConstraint::On(condition))
                | JoinOperator::LeftAnti(JoinConstraint::On(condition)) => (condition, true),
                JoinOperator::Semi(JoinConstraint::On(condition))
                | JoinOperator::LeftSemi(JoinConstraint::On(condition)) => (condition, false),
                JoinOperator::Anti(_)
                | JoinOperator::LeftAnti(_)
                | JoinOperator::Semi(_)
                | JoinOperator::LeftSemi(_) => {
                    return refuse("Athena has no ANTI and SEMI JOIN; write NOT EXISTS (SELECT 1 FROM …)");
                }
                _ => {
                    table.joins.push(join);
                    continue;
                }
            };
            let matched = format!("SELECT 1 FROM {} WHERE {condition}", join.relation);
            let subquery = Parser::new(&GenericDialect {})
                .try_with_sql(&matched)
                .and_then(|mut parser| parser.parse_query())
                .map_err(|error| Untranslatable(error.to_string()))?;
            let exists = Tree::Exists { subquery, negated };
            *selection = Some(match selection.take() {
                Some(before) => Tree::BinaryOp {
                    left: Box::new(Tree::Nested(Box::new(before))),
                    op: BinaryOperator::And,
                    right: Box::new(exists),
                },
                None => exists,
            });
        }
    }
    Ok(())
}

/// A text of SQL in the place of an expression: a name without quotes is written as it is.
fn raw(sql: String) -> Tree {
    Tree::Identifier(Ident::new(sql))
}

/// `GROUP BY 1`, `ORDER BY 2`.
fn is_position(tree: &Tree) -> bool {
    matches!(tree, Tree::Value(value) if matches!(value.value, Value::Number(..)))
}

fn plain_star(options: &WildcardAdditionalOptions) -> Done {
    if options.to_string().is_empty() { Ok(()) } else { refuse("Athena has no `* EXCEPT`; name the columns") }
}

/// Whether a subquery or a window stands in it.
fn has_own_scope(tree: &Tree) -> bool {
    visit_expressions(tree, |part| match part {
        Tree::Subquery(_) | Tree::Exists { .. } | Tree::InSubquery { .. } => ControlFlow::Break(()),
        Tree::Function(function) if function.over.is_some() => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Column, Provenance};

    fn columns() -> TableSchema {
        let known = [
            ("id", DataType::BigInt),
            ("status", DataType::String),
            ("amount", DataType::Double),
            ("day", DataType::Date),
        ];
        let column = |(name, data_type): (&str, DataType)| Column {
            name: name.to_owned(),
            data_type,
            nullable: None,
            comment: None,
            partition_key: false,
        };
        TableSchema { columns: known.into_iter().map(column).collect(), provenance: Provenance::Catalog }
    }

    fn check(syntax: Syntax, dialect: Dialect, sql: &str, expected: &str) {
        let found = translate(sql, syntax, &columns(), dialect).unwrap_or_else(|refused| format!("refused: {refused}"));
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn names_are_quoted_and_aliases_stand_for_what_they_name() {
        let sql = "select Id, count(*) as Cnt from Db.orders o group by id having cnt > 1 order by cnt desc";
        check(
            Syntax::Spark,
            Dialect::Trino,
            sql,
            "SELECT \"id\", count(*) AS \"cnt\" FROM \"db\".\"orders\" AS \"o\" GROUP BY \"id\" \
             HAVING (count(*) > 1) ORDER BY \"cnt\" DESC NULLS LAST",
        );
        check(
            Syntax::Spark,
            Dialect::Spark,
            sql,
            "SELECT `id`, count(*) AS `cnt` FROM `db`.`orders` AS `o` GROUP BY `id` \
             HAVING (count(*) > 1) ORDER BY `cnt` DESC NULLS LAST",
        );
    }

    #[test]
    fn expressions_take_the_engine_s_guards() {
        check(
            Syntax::Rule,
            Dialect::Trino,
            "SELECT * FROM t WHERE amount > 5 AND day >= '2024-01-01' AND status = \"OPEN\"",
            "SELECT * FROM \"t\" WHERE (((\"amount\" > 5 OR (is_nan(\"amount\") AND 5 IS NOT NULL)) \
             AND (\"day\" >= DATE '2024-01-01')) AND (\"status\" = 'OPEN'))",
        );
    }

    #[test]
    fn joins_subqueries_and_windows_keep_their_frame() {
        check(
            Syntax::Spark,
            Dialect::Trino,
            "SELECT * FROM a LEFT ANTI JOIN b ON a.id = b.id WHERE status = 'x'",
            "SELECT * FROM \"a\" WHERE (\"status\" = 'x') AND NOT EXISTS (SELECT 1 FROM \"b\" WHERE (\"a\".\"id\" = \"b\".\"id\"))",
        );
        check(
            Syntax::Trino,
            Dialect::Spark,
            "WITH d AS (SELECT id, row_number() OVER (PARTITION BY id ORDER BY day) AS rn FROM t) SELECT id FROM d WHERE rn > 1",
            "WITH `d` AS (SELECT `id`, row_number() OVER (PARTITION BY `id` ORDER BY `day` NULLS LAST) AS `rn` FROM `t`) \
             SELECT `id` FROM `d` WHERE (`rn` > 1)",
        );
        check(
            Syntax::Rule,
            Dialect::DataFusion,
            "SELECT count(*) FROM t WHERE id NOT IN (SELECT customer FROM u)",
            "SELECT count(*) FROM \"t\" WHERE \"id\" NOT IN (SELECT \"customer\" FROM \"u\")",
        );
    }

    #[test]
    fn what_is_no_query_of_every_engine_is_refused() {
        for (sql, reason) in [
            ("SELECT amuont FROM t", "there is no column `amuont`; did you mean `amount`?"),
            ("SELECT id FROM t; DROP TABLE t", "the query ends before"),
            ("SELECT id FROM t QUALIFY row_number() OVER (ORDER BY id) = 1", "QUALIFY"),
            ("SELECT id FROM t LATERAL VIEW explode(tags) x AS y", "LATERAL VIEW"),
            ("SELECT id FROM t LIMIT 1 OFFSET 2", "OFFSET"),
            ("SELECT crc32(status) FROM t", "`crc32` is refused"),
            ("DELETE FROM t", "not one read-only query"),
        ] {
            let refused = translate(sql, Syntax::Spark, &columns(), Dialect::Trino).unwrap_err().to_string();
            assert!(refused.contains(reason), "{sql}: {refused}");
        }
    }

    #[test]
    fn tables_are_named_without_those_of_the_query_itself() {
        let found = relations("WITH d AS (SELECT 1 FROM Db.T) SELECT * FROM d JOIN u ON true", Syntax::Rule).unwrap();
        assert_eq!(found, [vec!["db".to_owned(), "t".to_owned()], vec!["u".to_owned()]]);
    }
}
