//! What a write states of its table and the table's contract does not say.

use contract::document::{CodeColumn, CodeFacts, Context, Contract, JobSummary, context, stated};
use contract::rule::{Rule, RuleKind};

use crate::facts::Output;

/// The rules that the script proves of its table and that the contract lacks, each by `job` as its evidence. Those of
/// columns that the contract does not have are left out, and those that it states in other words or bounds.
///
/// They hold for what this write brings; where others write the table too, they say nothing of it.
pub fn unstated(output: &Output, contract: &Contract, job: &str) -> Vec<Rule> {
    let rules = stated::rules(&context(output, contract, job));
    rules.into_iter().filter(|rule| !matches!(rule.kind, RuleKind::Type { .. }) && !says(contract, rule)).collect()
}

/// The write as a generator would be told of it.
fn context(output: &Output, contract: &Contract, job: &str) -> Context {
    let column = |(name, column): (&String, &contract::document::ColumnContract)| context::ContextColumn {
        name: name.clone(),
        data_type: column.data_type.clone(),
        nullable: column.nullable,
        comment: None,
        partition_key: false,
    };
    let written = output.columns.iter().flatten().map(|column| {
        let facts =
            CodeColumn { data_type: column.data_type.to_string(), nullable: column.nullable, ..CodeColumn::default() };
        (column.name.to_lowercase(), facts)
    });
    let filters = output.certain_filters().filter(|filter| !filter.ranks).flat_map(|filter| filter.parts.clone());
    Context {
        table_name: contract.table_name.clone(),
        schema: contract.columns.iter().map(column).collect(),
        job_summary: Some(JobSummary {
            job_name: job.to_owned(),
            grain: output.grain.columns.clone(),
            ..JobSummary::default()
        }),
        facts: Some(CodeFacts {
            columns: written.collect(),
            columns_complete: output.columns_complete,
            grain_certainty: output.grain.certainty.name().to_owned(),
            grain_reason: output.grain.reason.clone(),
            filters: filters.collect(),
            ..CodeFacts::default()
        }),
        ..Context::default()
    }
}

/// Whether the contract says something of the kind already.
fn says(contract: &Contract, rule: &Rule) -> bool {
    let key = |columns: &[String]| {
        let mut columns: Vec<String> = columns.iter().map(|column| column.to_lowercase()).collect();
        columns.sort();
        columns
    };
    match (&rule.kind, &rule.column) {
        (RuleKind::NotNull, Some(column)) => {
            let promised = contract.columns.get(column).is_none_or(|column| !column.nullable);
            promised || contract.primary_key.contains(column) || has(contract, rule)
        }
        (RuleKind::GrainUniqueness { grain }, _) => {
            key(&contract.primary_key) == key(grain)
                || contract.rules().any(|known| match (&known.kind, &known.column) {
                    (RuleKind::GrainUniqueness { grain: other } | RuleKind::PrimaryKey { columns: other }, _) => {
                        key(other) == key(grain)
                    }
                    (RuleKind::Unique, Some(column)) => key(std::slice::from_ref(column)) == key(grain),
                    _ => false,
                })
        }
        (RuleKind::CheckConstraint { .. }, _) => contract.rules().any(|known| known.kind == rule.kind),
        (_, Some(column)) if !contract.columns.contains_key(column) => true,
        _ => has(contract, rule),
    }
}

/// Whether there is a rule of this kind on the same column, whatever its values are.
fn has(contract: &Contract, rule: &Rule) -> bool {
    let kind = std::mem::discriminant(&rule.kind);
    contract.rules().any(|known| std::mem::discriminant(&known.kind) == kind && known.column == rule.column)
}
