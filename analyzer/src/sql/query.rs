//! Queries: FROM, WHERE, GROUP BY, SELECT and set operations as plan nodes.

use crate::ordered::IndexMap;
use contract::expr::{BinaryOp, Expr, ExprKind};
use contract::types::DataType;
use sqlparser::ast::{
    self, GroupByExpr, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier,
    Spanned,
};

mod from;

use super::Source;
use super::expressions::Lowering;
use crate::expression;
use crate::facts::{Derived, JoinKind, Severity, filters};
use crate::interpret::Interpreter;
use crate::library;
use crate::plan::{Field, NodeId, NodeKind, SelectItem as Item, null_rejected};
use crate::range::TextRange;
use crate::value::Text;

/// Common table expressions in scope, by lower-case name.
pub(super) type Ctes = IndexMap<String, NodeId>;

/// The frame of a query.
pub(crate) fn query(interpreter: &mut Interpreter, source: &Source, query: &Query) -> NodeId {
    Planner { interpreter, source, depth: 0, ctes: Ctes::default() }.query(query)
}

/// The frame of a query inside an expression, which may name what the query around it has named. Names that it does not
/// have may be those of that query, so none is called wrong.
pub(super) fn subquery(
    interpreter: &mut Interpreter,
    source: &Source,
    query: &Query,
    ctes: &Ctes,
    depth: usize,
) -> NodeId {
    Planner { interpreter, source, depth, ctes: ctes.clone() }.query_uncertain(query)
}

/// The frame that a name means: a temporary view, or a table of the catalog.
pub(crate) fn table(interpreter: &mut Interpreter, source: &Source, name: &Text, place: TextRange) -> NodeId {
    let clean = name.map_literals(|literal| literal.replace('`', ""));
    if let Some(remote) = interpreter.remote.clone() {
        return library::scan_remote(interpreter, &remote, &clean, place, source.range);
    }
    if let Some(view) = interpreter.views.get(&clean.render().to_lowercase()) {
        return *view;
    }
    library::scan_table(interpreter, &clean, place, source.range)
}

struct Planner<'s, 'i, 'w> {
    interpreter: &'i mut Interpreter<'w>,
    source: &'s Source,
    depth: usize,
    /// Those that the query under way may name.
    ctes: Ctes,
}

impl Planner<'_, '_, '_> {
    fn range(&self, span: sqlparser::tokenizer::Span) -> TextRange {
        self.interpreter.here(self.source.range_of(span))
    }

    fn whole(&self) -> TextRange {
        self.interpreter.here(self.source.range)
    }

    fn opaque(&mut self, reason: &str) -> NodeId {
        let range = self.whole();
        self.interpreter.plan.opaque(Vec::new(), reason, range)
    }

    fn query(&mut self, query: &Query) -> NodeId {
        if self.depth > super::MAX_DEPTH || !self.interpreter.tick() {
            return self.opaque("a query nested too deeply");
        }
        self.depth += 1;
        let outer = self.ctes.clone();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let node = self.query(&cte.query);
            let node = self.column_aliases(node, &cte.alias);
            self.ctes.insert(self.source.restore(&cte.alias.name.value).to_lowercase(), node);
        }
        let mut node = self.set(&query.body);
        if query.limit_clause.is_some() || query.fetch.is_some() {
            let range = self.whole();
            node = self.interpreter.plan.same_schema(node, NodeKind::Limit { input: node }, range);
        }
        self.depth -= 1;
        self.ctes = outer;
        node
    }

    fn set(&mut self, body: &SetExpr) -> NodeId {
        let range = self.whole();
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                let left = self.set(left);
                let right = self.set(right);
                let right = self.interpreter.plan.distinct_from(left, right, range);
                match op {
                    SetOperator::Union => {
                        let by_name = matches!(set_quantifier, SetQuantifier::ByName | SetQuantifier::AllByName);
                        let all = matches!(set_quantifier, SetQuantifier::All | SetQuantifier::AllByName);
                        let union = if by_name {
                            self.interpreter.plan.union_by_name(vec![left, right], range)
                        } else {
                            self.interpreter.plan.union(vec![left, right], range)
                        };
                        if all {
                            return union;
                        }
                        self.interpreter.plan.distinct(union, true, range)
                    }
                    _ => self.interpreter.plan.distinct(left, true, range),
                }
            }
            SetExpr::Values(_) => self.interpreter.plan.add(NodeKind::Values, crate::plan::Schema::default(), range),
            _ => self.opaque("a query that is not understood"),
        }
    }

    fn select(&mut self, select: &Select) -> NodeId {
        let mut conditions = select.selection.as_ref().map(sql_conjuncts).unwrap_or_default();
        let mut node = self.from(select, &mut conditions);
        node = self.filter(node, select.selection.as_ref(), &conditions);
        node = self.project(node, select);
        if let Some(condition) = &select.qualify {
            // It sees the select list and what the list leaves out, and comes before DISTINCT.
            let place = self.range(condition.span());
            let lowered = self.lower(condition);
            let bound = library::bind_condition(self.interpreter, node, &lowered);
            node = self.interpreter.plan.filter(node, bound, place);
        }
        if select.distinct.is_some() {
            let range = self.whole();
            node = self.interpreter.plan.distinct(node, true, range);
        }
        node
    }

    /// WHERE; `IN` and `EXISTS` over a query are semi-joins, their negations anti-joins.
    /// `conditions` are those of the conjuncts of `whole` that no join has taken.
    fn filter(&mut self, mut node: NodeId, whole: Option<&ast::Expr>, conditions: &[&ast::Expr]) -> NodeId {
        let Some(whole) = whole else { return node };
        let mut plain: Option<Expr> = None;
        let range = self.range(whole.span());
        for conjunct in conditions {
            match conjunct {
                ast::Expr::InSubquery { expr, subquery, negated } => {
                    let operand = self.lower(expr);
                    let other = self.query(subquery);
                    let other = self.interpreter.plan.distinct_from(node, other, range);
                    let operand = library::bind(self.interpreter, node, &operand);
                    let schema = self.interpreter.plan.schema(other);
                    let how = if *negated { JoinKind::LeftAnti } else { JoinKind::LeftSemi };
                    if let (true, [only]) = (*negated, schema.fields.as_slice()) {
                        let place = self.range(expr.span());
                        self.check_not_in(other, only, place);
                    }
                    let condition = match schema.fields.as_slice() {
                        [only] => {
                            let data_type = self.interpreter.plan.column_type(only.id);
                            let column = expression::resolved(&only.name, only.id, data_type, range);
                            expression::binary(BinaryOp::Equal, operand, column, range)
                        }
                        _ => expression::opaque("a subquery", vec![operand], DataType::Boolean, range),
                    };
                    node = self.interpreter.plan.join_on(node, other, Some(condition), how, range);
                }
                ast::Expr::Exists { subquery, negated } => {
                    let how = if *negated { JoinKind::LeftAnti } else { JoinKind::LeftSemi };
                    if let Some(joined) = self.exists(node, subquery, how) {
                        node = joined;
                        continue;
                    }
                    let right = self.query_uncertain(subquery);
                    let right = self.interpreter.plan.distinct_from(node, right, range);
                    let condition = expression::opaque("a correlated subquery", Vec::new(), DataType::Boolean, range);
                    node = self.interpreter.plan.join_on(node, right, Some(condition), how, range);
                }
                other => {
                    let place = self.range(other.span());
                    let lowered = self.lower(other);
                    plain = Some(match plain {
                        None => lowered,
                        Some(before) => expression::binary(BinaryOp::And, before, lowered, place),
                    });
                }
            }
        }
        match plain {
            None => node,
            Some(predicate) => {
                let bound = library::bind(self.interpreter, node, &predicate);
                self.interpreter.plan.filter(node, bound, range)
            }
        }
    }

    /// `NOT IN` over a query that has a NULL is true of no row.
    fn check_not_in(&mut self, query: NodeId, column: &Field, range: TextRange) {
        let excluded = filters::predicates(&Derived::new(&self.interpreter.plan), query)
            .into_iter()
            .any(|(predicate, _)| null_rejected(predicate).contains(&column.id));
        if column.nullable == Some(false) || excluded {
            return;
        }
        let message = format!(
            "A single NULL in `{0}` and no row passes: `NOT IN` is then true of none. Use NOT EXISTS, or leave NULL out by `{0} IS NOT NULL` inside the query.",
            column.name
        );
        self.interpreter.report("not-in-null", Severity::Warning, range, message, Vec::new(), Vec::new());
    }

    /// `EXISTS` over a plain query as a semi-join: its conditions that name the query around it are the join's. `None`
    /// where the query is more than tables and conditions.
    fn exists(&mut self, outer: NodeId, query: &Query, how: JoinKind) -> Option<NodeId> {
        let SetExpr::Select(select) = query.body.as_ref() else { return None };
        let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
        if query.with.is_some() || query.limit_clause.is_some() || grouped || select.having.is_some() {
            return None;
        }
        let conditions = select.selection.as_ref().map(sql_conjuncts).unwrap_or_default();
        if conditions.iter().any(|one| matches!(one, ast::Expr::Exists { .. } | ast::Expr::InSubquery { .. })) {
            return None;
        }
        let range = self.range(query.span());
        let mut inner = self.from(select, &mut Vec::new());
        let mut correlated = Vec::new();
        for condition in conditions {
            let lowered = self.lower(condition);
            let bound = self.bind_inner(outer, inner, &lowered)?;
            if is_resolved(&bound) {
                let place = self.range(condition.span());
                inner = self.interpreter.plan.filter(inner, bound, place);
            } else {
                correlated.push(lowered);
            }
        }
        let inner = self.interpreter.plan.distinct_from(outer, inner, range);
        let mut condition: Option<Expr> = None;
        for one in correlated {
            let bound = self.bind_inner(outer, inner, &one)?;
            let bound = library::bind(self.interpreter, outer, &bound);
            condition = Some(match condition {
                None => bound,
                Some(before) => expression::binary(BinaryOp::And, before, bound, range),
            });
        }
        // An uncorrelated query passes all rows or none.
        let condition =
            condition.unwrap_or_else(|| expression::opaque("a subquery", Vec::new(), DataType::Boolean, range));
        Some(self.interpreter.plan.join_on(outer, inner, Some(condition), how, range))
    }

    /// A condition of an inner query with the columns resolved that are the inner query's own; `None` where it cannot be
    /// told whose a column is.
    fn bind_inner(&mut self, outer: NodeId, inner: NodeId, condition: &Expr) -> Option<Expr> {
        let mut bound = condition.clone();
        self.bind_own(outer, inner, &mut bound)?;
        Some(bound)
    }

    fn bind_own(&mut self, outer: NodeId, inner: NodeId, expr: &mut Expr) -> Option<()> {
        let ExprKind::Column(column) = &expr.kind else {
            for child in expression::children_mut(expr) {
                self.bind_own(outer, inner, child)?;
            }
            return Some(());
        };
        let (own, outside) = (self.interpreter.plan.schema(inner), self.interpreter.plan.schema(outer));
        let qualifier = column.qualifier.as_deref().or_else(|| column.name.split_once('.').map(|(first, _)| first));
        let is_own = match qualifier {
            Some(qualifier) if own.has_qualifier(qualifier) => true,
            Some(qualifier) if outside.has_qualifier(qualifier) => false,
            // A bare name is the inner query's where that one has it, which is not known of an open frame.
            _ if own.fields.iter().any(|field| field.name.eq_ignore_ascii_case(&column.name)) => true,
            _ if own.is_complete() => false,
            _ if outside.is_complete()
                && !outside.fields.iter().any(|field| field.name.eq_ignore_ascii_case(&column.name)) =>
            {
                true
            }
            _ => return None,
        };
        if is_own {
            *expr = library::bind(self.interpreter, inner, expr);
        }
        Some(())
    }

    /// A correlated query: its columns may be those of the query around it.
    fn query_uncertain(&mut self, query: &Query) -> NodeId {
        self.interpreter.set_uncertain(true);
        let node = self.query(query);
        self.interpreter.set_uncertain(false);
        node
    }

    fn lower(&mut self, expr: &ast::Expr) -> Expr {
        Lowering { source: self.source, interpreter: self.interpreter, ctes: &self.ctes, depth: self.depth }
            .expr(expr, 0)
    }

    fn project(&mut self, node: NodeId, select: &Select) -> NodeId {
        let range = self.whole();
        let mut items = Vec::new();
        let mut named: Vec<(String, TextRange)> = Vec::new();
        let mut input = node;
        for item in &select.projection {
            match item {
                SelectItem::Wildcard(_) => items.push(Item::Star(None)),
                SelectItem::QualifiedWildcard(kind, _) => items.push(match kind {
                    SelectItemQualifiedWildcardKind::ObjectName(name) => {
                        Item::Star(Some(self.source.restore(&name.to_string().replace('`', ""))))
                    }
                    SelectItemQualifiedWildcardKind::Expr(_) => Item::Unknown,
                }),
                SelectItem::ExprWithAliases { .. } => items.push(Item::Unknown),
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                    let lowered = self.lower(expr);
                    let bound = library::bind(self.interpreter, node, &lowered);
                    let name = match item {
                        SelectItem::ExprWithAlias { alias, .. } => {
                            let name = self.source.restore(&alias.value);
                            named.push((name.clone(), self.source.range_of(alias.span)));
                            name
                        }
                        _ => library::expression_name(&bound),
                    };
                    match super::form_of(expr) {
                        crate::value::ColumnForm::Explode if input == node => {
                            input = self.interpreter.plan.same_schema(node, NodeKind::Explode { input: node }, range);
                            items.push(Item::Column { name, expr: bound });
                        }
                        crate::value::ColumnForm::Unknown => {
                            if input == node {
                                let kind = NodeKind::Explode { input: node };
                                input = self.interpreter.plan.same_schema(node, kind, range);
                            }
                            items.push(Item::Unknown);
                        }
                        _ => items.push(Item::Column { name, expr: bound }),
                    }
                }
            }
        }
        let (keys, grouped) = match &select.group_by {
            GroupByExpr::Expressions(keys, _) => (keys.as_slice(), !keys.is_empty()),
            GroupByExpr::All(_) => return self.opaque_over(node, "GROUP BY ALL"),
        };
        let aggregates = items.iter().any(|item| matches!(item, Item::Column { expr, .. } if has_aggregate(expr)));
        let made = if grouped || aggregates {
            self.aggregate(node, keys, items, select.having.as_ref())
        } else {
            self.interpreter.plan.select(input, items, range)
        };
        for (name, place) in named {
            // What is no place of its own is the whole text.
            let place = Some(self.interpreter.here(place)).filter(|_| place != self.source.range);
            library::mention_name(self.interpreter, &name, place.unwrap_or_default(), made);
        }
        made
    }

    /// Reports a column of the select list that is neither aggregated nor grouped by, which Spark refuses.
    fn check_grouped(&mut self, items: &[Item], keys: &[(String, Expr)]) {
        if !self.interpreter.is_certain() {
            return;
        }
        for item in items {
            let Item::Column { expr, .. } = item else { continue };
            if let Some(column) = library::ungrouped(expr, keys) {
                library::report_ungrouped(self.interpreter, column);
            }
        }
    }

    fn opaque_over(&mut self, node: NodeId, reason: &str) -> NodeId {
        let range = self.whole();
        self.interpreter.plan.opaque(vec![node], reason, range)
    }

    fn aggregate(&mut self, node: NodeId, keys: &[ast::Expr], items: Vec<Item>, having: Option<&ast::Expr>) -> NodeId {
        let range = self.whole();
        let mut bound_keys: Vec<(String, Expr)> = Vec::new();
        let mut named: Vec<(String, TextRange)> = Vec::new();
        for key in keys {
            let by_position = match key {
                ast::Expr::Value(value) => match &value.value {
                    ast::Value::Number(digits, _) => {
                        digits.parse::<usize>().ok().and_then(|n| items.get(n.checked_sub(1)?))
                    }
                    _ => None,
                },
                // An alias of the select list, where the frame is not known to have such a column.
                ast::Expr::Identifier(ident) => {
                    let name = self.source.restore(&ident.value);
                    let schema = self.interpreter.plan.schema(node);
                    let known = self.interpreter.plan.known_fields(&schema);
                    let is_column = known.iter().any(|field| field.name.eq_ignore_ascii_case(&name));
                    items.iter().find(|item| {
                        matches!(item, Item::Column { name: alias, expr } if alias.eq_ignore_ascii_case(&name)
                            && (!is_column || matches!(expr.kind, ExprKind::Column(_))))
                    })
                }
                ast::Expr::Rollup(_) | ast::Expr::Cube(_) | ast::Expr::GroupingSets(_) => {
                    return self.opaque_over(node, "grouping sets");
                }
                _ => None,
            };
            let (name, expr) = match by_position {
                Some(Item::Column { name, expr }) => {
                    if let ast::Expr::Identifier(ident) = key {
                        named.push((name.clone(), self.range(ident.span)));
                    }
                    (name.clone(), expr.clone())
                }
                _ => {
                    let lowered = self.lower(key);
                    let bound = library::bind(self.interpreter, node, &lowered);
                    // The same expression in the select list gives the key its name.
                    let named = items.iter().find_map(|item| match item {
                        Item::Column { name, expr } if *expr == bound => Some(name.clone()),
                        _ => None,
                    });
                    (named.unwrap_or_else(|| library::expression_name(&bound)), bound)
                }
            };
            bound_keys.push((name, expr));
        }
        let aggregates: Vec<(String, Expr)> = items
            .iter()
            .filter_map(|item| match item {
                Item::Column { name, expr } if !bound_keys.iter().any(|(_, key)| key == expr) => {
                    Some((name.clone(), expr.clone()))
                }
                _ => None,
            })
            .collect();
        self.check_grouped(&items, &bound_keys);
        let key_count = bound_keys.len();
        let key_exprs: Vec<Expr> = bound_keys.iter().map(|(_, expr)| expr.clone()).collect();
        let grouped = self.interpreter.plan.aggregate(node, bound_keys, aggregates, range);
        for (name, place) in named {
            library::mention_name(self.interpreter, &name, place, grouped);
        }
        let mut result = grouped;
        if let Some(having) = having {
            // What HAVING computes over the group need not be a column of the result.
            let lowered = self.lower(having);
            let place = self.range(having.span());
            let bound = self.interpreter.uncertainly(|this| library::bind(this, grouped, &lowered));
            result = self.interpreter.plan.filter(grouped, bound, place);
        }
        let schema = self.interpreter.plan.schema(grouped);
        let mut next = key_count;
        let mut selected = Vec::new();
        for item in items {
            match item {
                Item::Column { name, expr } => {
                    let position = key_exprs.iter().position(|key| *key == expr).unwrap_or_else(|| {
                        next += 1;
                        next - 1
                    });
                    if let Some(field) = schema.fields.get(position) {
                        let data_type = self.interpreter.plan.column_type(field.id);
                        selected.push(Item::Column {
                            name,
                            expr: expression::resolved(&field.name, field.id, data_type, range),
                        });
                    }
                }
                other => selected.push(other),
            }
        }
        self.interpreter.plan.select(result, selected, range)
    }
}

fn has_aggregate(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Aggregate { .. } => true,
        ExprKind::Window { .. } => false,
        _ => expression::children(expr).into_iter().any(has_aggregate),
    }
}

/// Whether every column of an expression is known.
fn is_resolved(expr: &Expr) -> bool {
    let mut resolved = true;
    expression::for_each_column(expr, &mut |column| resolved &= column.id.is_some());
    resolved
}

fn sql_conjuncts(condition: &ast::Expr) -> Vec<&ast::Expr> {
    match condition {
        ast::Expr::BinaryOp { left, op: ast::BinaryOperator::And, right } => {
            let mut all = sql_conjuncts(left);
            all.extend(sql_conjuncts(right));
            all
        }
        ast::Expr::Nested(inner) => sql_conjuncts(inner),
        other => vec![other],
    }
}
