//! FROM: tables, subqueries, joins and lateral views.

use contract::expr::BinaryOp;
use contract::types::DataType;
use sqlparser::ast::{self, JoinConstraint, JoinOperator, ObjectName, Select, Spanned, TableAlias, TableFactor};

use super::{Planner, table};
use crate::expression;
use crate::facts::JoinKind;
use crate::library;
use crate::plan::{NodeId, NodeKind, Schema, SelectItem as Item};

impl Planner<'_, '_, '_> {
    /// FROM with its joins and lateral views. Tables without a condition of their own are joined by those equalities of
    /// WHERE that name one column of each, as Spark joins them; these are taken from `conditions`.
    pub(super) fn from(&mut self, select: &Select, conditions: &mut Vec<&ast::Expr>) -> NodeId {
        let mut from: Option<NodeId> = None;
        for table in &select.from {
            let mut node = self.factor(&table.relation);
            for join in &table.joins {
                let right = self.factor(&join.relation);
                node = match is_unconditional(&join.join_operator) {
                    true => self.join_by_conditions(node, right, conditions),
                    false => self.join(node, right, &join.join_operator),
                };
            }
            from = Some(match from {
                None => node,
                Some(left) => self.join_by_conditions(left, node, conditions),
            });
        }
        let mut node = match from {
            Some(node) => node,
            None => {
                let range = self.whole();
                self.interpreter.plan.add(NodeKind::Values, crate::plan::Schema::default(), range)
            }
        };
        for view in &select.lateral_views {
            node = self.lateral_view(node, view);
        }
        node
    }

    /// The join of two tables that are listed side by side.
    fn join_by_conditions(&mut self, left: NodeId, right: NodeId, conditions: &mut Vec<&ast::Expr>) -> NodeId {
        let (one, other) = (self.interpreter.plan.schema(left), self.interpreter.plan.schema(right));
        let keys: Vec<&ast::Expr> =
            conditions.extract_if(.., |condition| compares_both(&one, &other, condition)).collect();
        let range = keys.first().map_or_else(|| self.whole(), |key| self.range(key.span()));
        let conditions = keys.into_iter().map(|key| self.lower(key)).collect::<Vec<_>>().into_iter();
        let condition = conditions.reduce(|all, key| expression::binary(BinaryOp::And, all, key, range));
        let how = if condition.is_some() { JoinKind::Inner } else { JoinKind::Cross };
        library::join_with(self.interpreter, left, right, condition, how, range)
    }

    fn factor(&mut self, factor: &TableFactor) -> NodeId {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let (node, bare) = self.named(name);
                let qualifier = alias.as_ref().map_or(bare, |alias| self.source.restore(&alias.name.value));
                let range = self.whole();
                let node = match alias {
                    Some(alias) => self.column_aliases(node, alias),
                    None => node,
                };
                self.interpreter.plan.alias(node, &qualifier, range)
            }
            TableFactor::Derived { subquery, alias, .. } => {
                let node = self.query(subquery);
                match alias {
                    Some(alias) => {
                        let node = self.column_aliases(node, alias);
                        let range = self.whole();
                        let name = self.source.restore(&alias.name.value);
                        self.interpreter.plan.alias(node, &name, range)
                    }
                    None => node,
                }
            }
            TableFactor::NestedJoin { table_with_joins, .. } => {
                let mut node = self.factor(&table_with_joins.relation);
                for join in &table_with_joins.joins {
                    let right = self.factor(&join.relation);
                    node = self.join(node, right, &join.join_operator);
                }
                node
            }
            _ => self.opaque("a table function"),
        }
    }

    /// The frame of a name and the name that qualifies its columns.
    fn named(&mut self, name: &ObjectName) -> (NodeId, String) {
        let parts: Vec<String> =
            name.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.clone()).collect();
        let bare = self.source.restore(parts.last().map_or("", String::as_str));
        let place = self.range(name.span());
        if let ([_], Some(node)) = (parts.as_slice(), self.ctes.get(&bare.to_lowercase())) {
            return (*node, bare);
        }
        // ``parquet.`path` `` reads files.
        if let [format, path] = parts.as_slice()
            && matches!(
                format.to_lowercase().as_str(),
                "parquet" | "csv" | "json" | "orc" | "delta" | "text" | "iceberg" | "hudi"
            )
            && (path.contains('/') || path.contains("hole_"))
        {
            let text = self.source.text(path);
            let node = library::scan_path(self.interpreter, &text, &format.to_lowercase(), place, self.source.range);
            return (node, bare);
        }
        let text = self.source.text(&parts.join("."));
        (table(self.interpreter, self.source, &text, place), bare)
    }

    /// `AS alias (a, b)`.
    pub(super) fn column_aliases(&mut self, node: NodeId, alias: &TableAlias) -> NodeId {
        if alias.columns.is_empty() {
            return node;
        }
        let range = self.whole();
        let schema = self.interpreter.plan.schema(node);
        if !schema.is_complete() || schema.fields.len() != alias.columns.len() {
            return self.interpreter.plan.select(node, vec![Item::Unknown], range);
        }
        let items = alias
            .columns
            .iter()
            .zip(&schema.fields)
            .map(|(column, field)| {
                let data_type = self.interpreter.plan.column_type(field.id);
                let name = self.source.restore(&column.name.value);
                Item::Column { name, expr: expression::resolved(&field.name, field.id, data_type, range) }
            })
            .collect();
        self.interpreter.plan.select(node, items, range)
    }

    fn join(&mut self, left: NodeId, right: NodeId, operator: &JoinOperator) -> NodeId {
        let (how, constraint) = match operator {
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => (JoinKind::Inner, constraint),
            JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => (JoinKind::Left, constraint),
            JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => (JoinKind::Right, constraint),
            JoinOperator::FullOuter(constraint) => (JoinKind::Full, constraint),
            JoinOperator::CrossJoin(constraint) => (JoinKind::Cross, constraint),
            JoinOperator::Semi(constraint) | JoinOperator::LeftSemi(constraint) => (JoinKind::LeftSemi, constraint),
            JoinOperator::Anti(constraint) | JoinOperator::LeftAnti(constraint) => (JoinKind::LeftAnti, constraint),
            _ => {
                let range = self.whole();
                return self.interpreter.plan.opaque(vec![left, right], "a join that is not understood", range);
            }
        };
        let range = self.whole();
        match constraint {
            JoinConstraint::On(condition) => {
                let range = self.range(condition.span());
                let condition = self.lower(condition);
                library::join_with(self.interpreter, left, right, Some(condition), how, range)
            }
            JoinConstraint::Using(names) => {
                let names: Vec<String> =
                    names.iter().map(|name| self.source.restore(&name.to_string().replace('`', ""))).collect();
                self.interpreter.plan.join_using(left, right, &names, how, range)
            }
            JoinConstraint::Natural => self.interpreter.plan.opaque(vec![left, right], "a natural join", range),
            JoinConstraint::None => {
                let how = if how == JoinKind::Inner { JoinKind::Cross } else { how };
                library::join_with(self.interpreter, left, right, None, how, range)
            }
        }
    }

    fn lateral_view(&mut self, node: NodeId, view: &ast::LateralView) -> NodeId {
        let range = self.range(view.lateral_view.span());
        let lowered = self.lower(&view.lateral_view);
        let bound = library::bind(self.interpreter, node, &lowered);
        let exploded = self.interpreter.plan.same_schema(node, NodeKind::Explode { input: node }, range);
        let names: Vec<String> = view.lateral_col_alias.iter().map(|alias| self.source.restore(&alias.value)).collect();
        if names.is_empty() {
            return self.interpreter.plan.select(exploded, vec![Item::Star(None), Item::Unknown], range);
        }
        let single = names.len() == 1;
        let columns = names
            .into_iter()
            .map(|name| {
                let expr = if single {
                    bound.clone()
                } else {
                    expression::opaque("an element", vec![bound.clone()], DataType::Unknown, range)
                };
                (name, expr)
            })
            .collect();
        self.interpreter.plan.with_columns(exploded, columns, range)
    }
}

/// Whether a join pairs all rows, so that only WHERE can tell which belong together.
fn is_unconditional(operator: &JoinOperator) -> bool {
    matches!(
        operator,
        JoinOperator::CrossJoin(JoinConstraint::None)
            | JoinOperator::Join(JoinConstraint::None)
            | JoinOperator::Inner(JoinConstraint::None)
    )
}

/// Whether a condition is an equality of a column of the one side with a column of the other.
fn compares_both(left: &Schema, right: &Schema, condition: &ast::Expr) -> bool {
    let ast::Expr::BinaryOp { left: one, op: ast::BinaryOperator::Eq, right: other } = condition else { return false };
    let in_left = |column: &ast::Expr| belongs(left, right, column);
    let in_right = |column: &ast::Expr| belongs(right, left, column);
    (in_left(one) && in_right(other)) || (in_right(one) && in_left(other))
}

/// Whether a column is certainly of this side: by its qualifier, or by its name where both sides are known.
fn belongs(side: &Schema, other: &Schema, column: &ast::Expr) -> bool {
    match column {
        ast::Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [qualifier, _] => side.has_qualifier(&qualifier.value) && !other.has_qualifier(&qualifier.value),
            _ => false,
        },
        ast::Expr::Identifier(name) => {
            let has = |schema: &Schema| schema.fields.iter().any(|field| field.name.eq_ignore_ascii_case(&name.value));
            side.is_complete() && other.is_complete() && has(side) && !has(other)
        }
        ast::Expr::Nested(inner) => belongs(side, other, inner),
        _ => false,
    }
}
