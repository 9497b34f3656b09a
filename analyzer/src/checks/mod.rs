//! A job's facts held against the contract of the table that it writes.
//!
//! Of each part of a contract the script *proves* that it holds (with the assumptions named), *refutes* it, or leaves it
//! to be tested. What is refuted becomes a diagnostic; the rest is for reports, hovers and the impact of a change.

mod columns;
mod keys;
mod nulls;
mod stated;
mod values;

pub use stated::unstated;
pub(crate) use values::possible;

use contract::document::Contract;
use contract::expr::ColumnId;

use crate::facts::{Derived, Diagnostic, Output, Related, Severity};
use crate::plan::{Field, Origin, Placing, Plan, Sink};
use crate::range::TextRange;

/// What a script says of one part of a contract.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The diagnostic's stable code where it is refuted, such as `contract-type`.
    pub code: &'static str,
    /// The rule's id; `None` for what a contract says beside its rules: columns, types, the primary key.
    pub rule: Option<String>,
    /// The column that it speaks of, where it is one.
    pub column: Option<String>,
    /// What follows from the script.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub reason: String,
    /// The expression that decides it; the write where there is none.
    pub range: TextRange,
    /// Other places.
    pub related: Vec<Related>,
}

/// Whether a part of a contract holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds on every input that satisfies the assumptions.
    Proved {
        /// What must hold of the inputs.
        assumptions: Vec<String>,
    },
    /// It does not hold, or the script lets in what breaks it.
    Refuted,
    /// Nothing in the script decides it.
    MustBeTested,
    /// The same, of a rule that was taken from a script: what it rested on is gone.
    Stale,
}

/// Holds a write against the contract of its table.
pub fn check(plan: &Derived, output: &Output, contract: &Contract) -> Vec<Check> {
    let Some((sink, columns)) = matched(plan, output, contract) else { return Vec::new() };
    let job = Job { plan, output, sink, contract, columns };
    let mut checks = columns::check(&job);
    checks.extend(nulls::check(&job));
    checks.extend(keys::check(&job));
    checks.extend(values::check(&job));
    let from_code =
        |id: &str| contract.rules().any(|rule| rule.id == id && rule.source == contract::rule::Source::Code);
    for check in checks.iter_mut().filter(|check| check.verdict == Verdict::MustBeTested) {
        if job.output.columns_complete && check.rule.as_deref().is_some_and(from_code) {
            (check.code, check.verdict) = ("contract-stale", Verdict::Stale);
        }
    }
    checks
}

/// The diagnostics of the checks that are refuted or stale.
pub(crate) fn diagnostics(checks: &[Check], table: &str) -> Vec<Diagnostic> {
    let message = |check: &Check| match check.verdict {
        Verdict::Refuted => Some(format!("The contract of `{table}`: {}", check.reason)),
        Verdict::Stale => Some(format!(
            "The contract of `{table}` has the rule `{}` from a script, and this write does not bear it out: {}. Generate the contract anew, or make the rule your own by `\"source\": \"human\"`.",
            check.rule.as_deref().unwrap_or_default(),
            check.reason
        )),
        Verdict::Proved { .. } | Verdict::MustBeTested => None,
    };
    let diagnostic = |check: &Check| {
        Some(Diagnostic {
            code: check.code,
            severity: Severity::Warning,
            range: check.range,
            message: message(check)?,
            suggestions: Vec::new(),
            related: check.related.clone(),
        })
    };
    checks.iter().filter_map(diagnostic).collect()
}

/// A write and the contract that it is held against.
struct Job<'a> {
    plan: &'a Derived<'a>,
    output: &'a Output,
    sink: &'a Sink,
    contract: &'a Contract,
    /// The columns of the frame under the names that they have in the table.
    columns: Vec<Column>,
}

/// A written column.
struct Column {
    /// Its name in the table.
    name: String,
    field: Field,
}

impl Job<'_> {
    fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The columns of these names; `None` unless all are written.
    fn ids(&self, names: &[String]) -> Option<Vec<ColumnId>> {
        names.iter().map(|name| Some(self.column(name)?.field.id)).collect()
    }

    /// Where a column is computed; the write where it comes from a table as it is.
    fn place(&self, id: ColumnId) -> TextRange {
        match self.plan.column(id) {
            Some(column) if !column.range.is_empty() && matches!(column.origin, Origin::Computed(_)) => column.range,
            _ => self.output.range,
        }
    }

    fn check(&self, code: &'static str, verdict: Verdict, reason: String) -> Check {
        Check { code, rule: None, column: None, verdict, reason, range: self.output.range, related: Vec::new() }
    }
}

/// The sink of an output, and its columns by the table's names. `None` where the frame's columns are not the table's:
/// a merge may take any of them under other names.
fn matched<'p>(plan: &'p Plan, output: &Output, contract: &Contract) -> Option<(&'p Sink, Vec<Column>)> {
    let sink = plan.sinks.iter().find(|sink| sink.range == output.range && sink.dataset == output.dataset)?;
    let schema = &plan.node(output.node)?.schema;
    let fields = plan.known_fields(schema);
    let named = |name: &str, field: &Field| Column { name: name.to_owned(), field: field.clone() };
    let columns = match sink.placing {
        Placing::AsTheyAre | Placing::ByName => fields.iter().map(|field| named(&field.name, field)).collect(),
        Placing::ByPosition if schema.is_exact() && fields.len() == contract.columns.len() => {
            contract.columns.keys().zip(&fields).map(|(name, field)| named(name, field)).collect()
        }
        Placing::ByPosition | Placing::AsListed => return None,
    };
    Some((sink, columns))
}

fn proved(assumptions: &[String]) -> Verdict {
    Verdict::Proved { assumptions: assumptions.to_vec() }
}
