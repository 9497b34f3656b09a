//! Rules that follow from a table's schema and from the script that writes it: stated or proved, not learned.

use super::Context;
use crate::expr::parse::{self, Syntax};
use crate::expr::print::to_text;
use crate::expr::{BinaryOp, Expr, ExprKind};
use crate::rule::{Rule, RuleKind, Source, Verdict};
use crate::schema::{Column, Provenance, TableSchema};
use crate::types::DataType;
use crate::value::Value;
use serde_json::{Value as Json, json};

/// The context's columns as a schema.
pub fn schema(context: &Context) -> TableSchema {
    let columns = context.schema.iter().map(|column| Column {
        name: column.name.clone(),
        data_type: DataType::parse(&column.data_type).unwrap_or_default(),
        nullable: Some(column.nullable),
        comment: column.comment.clone(),
        partition_key: column.partition_key,
    });
    TableSchema { columns: columns.collect(), provenance: Provenance::Catalog }
}

/// What schema and script say of the table, each rule once. Verification marks a proposed rule as the code's only where
/// it is one of these, whatever the proposal claims.
pub fn rules(context: &Context) -> Vec<Rule> {
    let schema = schema(context);
    let mut rules = Vec::new();
    let mut add = |rule: Rule| {
        if !rules.iter().any(|known: &Rule| known.id == rule.id) {
            rules.push(rule);
        }
    };
    for column in &schema.columns {
        if has_text_form(&column.data_type) {
            let evidence = format!("the schema says {}", column.data_type);
            add(stated(RuleKind::Type { data_type: None }, Some(&column.name), evidence));
        }
    }
    let (Some(facts), Some(summary)) = (&context.facts, &context.job_summary) else { return rules };
    let job = &summary.job_name;
    for (name, _) in facts.columns.iter().filter(|(_, column)| column.nullable == Some(false)) {
        if schema.column(name).is_some() {
            add(stated(RuleKind::NotNull, Some(name), format!("{job} writes no NULL here")));
        }
    }
    for filter in &facts.filters {
        let Ok(predicate) = parse::parse(filter, Syntax::Rule, &schema) else { continue };
        for part in conjuncts(&predicate) {
            from_filter(part, &format!("{job} keeps only rows with {}", to_text(part))).into_iter().for_each(&mut add);
        }
    }
    for reference in facts.references.iter().filter(|reference| reference.how == "inner") {
        let kind = RuleKind::reference(&reference.ref_table, &reference.ref_column);
        let evidence = format!("{job} keeps only rows whose {} it finds in {}", reference.column, reference.ref_table);
        add(stated(kind, Some(&reference.column), evidence));
    }
    if let Some(grain) = grain(context).filter(|_| facts.grain_certainty == "proved") {
        let evidence = format!("{job} writes one row per {}: {}", grain.join(", "), facts.grain_reason);
        let mut rule = stated(RuleKind::GrainUniqueness { grain: grain.clone() }, None, evidence);
        rule.description = Some(format!("No duplicate ({}) rows.", grain.join(", ")));
        add(rule);
    }
    rules
}

/// The grain that the script gives the table, in the names of the schema; `None` where it is not known.
pub fn grain(context: &Context) -> Option<Vec<String>> {
    let grain = context.job_summary.as_ref().map(|summary| &summary.grain).filter(|grain| !grain.is_empty())?;
    let schema = schema(context);
    grain.iter().map(|name| schema.column(name).map(|column| column.name.clone())).collect()
}

fn stated(kind: RuleKind, column: Option<&str>, evidence: String) -> Rule {
    Rule { source: Source::Code, evidence: Some(evidence), ..Rule::new(kind, column) }
}

/// Types that an incoming text may fail to have.
fn has_text_form(data_type: &DataType) -> bool {
    data_type.is_numeric() || matches!(data_type, DataType::Boolean | DataType::Date | DataType::Timestamp)
}

fn conjuncts(predicate: &Expr) -> Vec<&Expr> {
    match &predicate.kind {
        ExprKind::Binary { op: BinaryOp::And, left, right } => {
            conjuncts(left).into_iter().chain(conjuncts(right)).collect()
        }
        _ => vec![predicate],
    }
}

/// The rules that a filter's part is. A filter lets a row through only where it is true, so a NULL in a compared column
/// never gets through.
fn from_filter(part: &Expr, evidence: &str) -> Vec<Rule> {
    let typed = match &part.kind {
        ExprKind::InList { operand, list } => column(operand)
            .zip(list.iter().map(constant).collect())
            .map(|(column, values): (&str, Vec<Json>)| (column, RuleKind::AllowedValues { values })),
        ExprKind::Binary { op, left, right } => column(left).zip(constant(right)).and_then(|(column, value)| {
            let kind = match op {
                BinaryOp::Equal => RuleKind::AllowedValues { values: vec![value] },
                BinaryOp::GreaterOrEqual => RuleKind::Min { value },
                BinaryOp::LessOrEqual => RuleKind::Max { value },
                _ => return None,
            };
            Some((column, kind))
        }),
        ExprKind::Not(inner) => match &inner.kind {
            ExprKind::IsNull(operand) => {
                let kind = column(operand).map(|column| (column, RuleKind::NotNull));
                return kind
                    .map(|(column, kind)| stated(kind, Some(column), evidence.to_owned()))
                    .into_iter()
                    .collect();
            }
            _ => None,
        },
        _ => None,
    };
    match typed {
        Some((column, kind)) => vec![
            stated(kind, Some(column), evidence.to_owned()),
            stated(RuleKind::NotNull, Some(column), evidence.to_owned()),
        ],
        None if is_printable(part) => {
            let kind = RuleKind::CheckConstraint { expression: to_text(part) };
            vec![Rule { on_null: Some(Verdict::Violate), ..stated(kind, None, evidence.to_owned()) }]
        }
        None => Vec::new(),
    }
}

fn column(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Column(column) => Some(&column.name),
        _ => None,
    }
}

fn constant(expr: &Expr) -> Option<Json> {
    match &expr.kind {
        ExprKind::Literal(Value::Int(value)) => Some(json!(value)),
        ExprKind::Literal(Value::Double(value)) => Some(json!(value)),
        ExprKind::Literal(Value::Decimal(unscaled, scale)) => {
            Some(json!(*unscaled as f64 / 10f64.powi(i32::from(*scale))))
        }
        ExprKind::Literal(Value::String(text)) => Some(json!(text)),
        ExprKind::Literal(Value::Boolean(value)) => Some(json!(value)),
        _ => None,
    }
}

/// Whether all of an expression is understood, and the same whenever it is evaluated.
fn is_printable(expr: &Expr) -> bool {
    let mut known = true;
    expr.visit(&mut |part| {
        known &= !matches!(part.kind, ExprKind::Opaque { .. } | ExprKind::Window { .. } | ExprKind::Aggregate { .. });
    });
    known && expr.columns().iter().all(|column| !column.name.is_empty())
}
