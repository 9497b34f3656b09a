//! What a job shows to other jobs: the tables that it reads and writes, and which columns and values it relies on.
//!
//! It is the firewall between jobs: while the interface of a job stays equal, nothing that depends on it is looked at
//! again.

use std::cell::RefCell;
use std::collections::BTreeMap;

use contract::expr::{BinaryOp, ColumnId, Expr, ExprKind};
use contract::schema::TableName;
use contract::value::Value;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::checks;
use crate::expression::conjuncts;
use crate::facts::{DatasetKind, Derived, Diagnostic, Output, Severity, lineage};
use crate::plan::{NodeId, NodeKind, Origin, Placing, Plan};
use crate::range::TextRange;
use crate::{Analysis, Mention, ide};

/// What other jobs may rely on, and what this one relies on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobInterface {
    /// Catalog tables that are read, each once, by name.
    pub reads: BTreeMap<TableName, TableRead>,
    /// Catalog tables that are written, with the call, in order of execution.
    pub writes: Vec<(TableName, TextRange)>,
}

impl JobInterface {
    /// Whether other jobs see no difference, wherever in the script it stands.
    pub fn is_like(&self, other: &JobInterface) -> bool {
        let reads = |interface: &JobInterface| interface.reads.len();
        let alike = |(name, read): (&TableName, &TableRead)| {
            other.reads.get(name).is_some_and(|known| {
                read.columns.keys().eq(known.columns.keys()) && read.values.keys().eq(known.values.keys())
            })
        };
        reads(self) == reads(other)
            && self.reads.iter().all(alike)
            && self.writes.iter().map(|(table, _)| table).eq(other.writes.iter().map(|(table, _)| table))
    }
}

/// What a job relies on of a table that it reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableRead {
    /// The call that reads it first.
    pub range: TextRange,
    /// Columns by name, each with the first place that names it.
    pub columns: BTreeMap<String, TextRange>,
    /// Texts that a column is compared with, by column, each with the call that does.
    pub values: BTreeMap<(String, String), TextRange>,
}

/// The interface of a job.
pub fn interface(analysis: &Analysis) -> JobInterface {
    let plan = &analysis.plan;
    let mut interface = JobInterface::default();
    for (_, node) in plan.nodes() {
        if let NodeKind::Scan(scan) = &node.kind
            && let Some(table) = ide::table_name(&scan.dataset)
        {
            interface.reads.entry(table).or_insert_with(|| TableRead { range: node.range, ..TableRead::default() });
        }
    }
    for (range, mention) in &analysis.mentions {
        let Mention::Column { column: Some(column), needed: true, .. } = mention else { continue };
        let Some((table, name)) = base(plan, *column) else { continue };
        if let Some(read) = interface.reads.get_mut(&table) {
            let place = read.columns.entry(name).or_insert(*range);
            *place = (*place).min(*range);
        }
    }
    for (_, node) in plan.nodes() {
        let NodeKind::Filter { predicate, .. } = &node.kind else { continue };
        for (column, value) in conjuncts(predicate).into_iter().flat_map(compared) {
            let Some((table, name)) = base(plan, lineage::passes_through(plan, column)) else { continue };
            if let Some(read) = interface.reads.get_mut(&table) {
                read.values.entry((name, value)).or_insert(node.range);
            }
        }
    }
    let tables = analysis.outputs.iter();
    interface.writes = tables.filter_map(|output| Some((ide::table_name(&output.dataset)?, output.range))).collect();
    interface
}

/// The table and name of a column that is a table's own.
fn base(plan: &Plan, mut column: ColumnId) -> Option<(TableName, String)> {
    loop {
        let found = plan.column(column)?;
        match found.origin {
            Origin::Same(source) if source != column => column = source,
            Origin::Base(scan) => {
                let NodeKind::Scan(scan) = &plan.node(scan)?.kind else { return None };
                return Some((ide::table_name(&scan.dataset)?, found.name.to_lowercase()));
            }
            _ => return None,
        }
    }
}

/// The column and the texts that a condition sets it equal to.
fn compared(condition: &Expr) -> Vec<(ColumnId, String)> {
    let column = |expr: &Expr| match &expr.kind {
        ExprKind::Column(reference) => reference.id,
        _ => None,
    };
    let text = |expr: &Expr| match &expr.kind {
        ExprKind::Literal(Value::String(text)) => Some(text.clone()),
        _ => None,
    };
    match &condition.kind {
        ExprKind::Binary { op: BinaryOp::Equal, left, right } => {
            let pair = column(left).zip(text(right)).or_else(|| column(right).zip(text(left)));
            pair.into_iter().collect()
        }
        ExprKind::InList { operand, list } => {
            let pairs = list.iter().filter_map(|item| column(operand).zip(text(item)));
            pairs.collect()
        }
        _ => Vec::new(),
    }
}

/// Something of another job that a write breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// The diagnostic, at the write or the column.
    pub diagnostic: Diagnostic,
    /// The place in the other job.
    pub range: TextRange,
}

/// A write as the jobs that read its table see it. What holds of the write is found out once for all of them.
pub struct Offer<'a> {
    plan: &'a Derived<'a>,
    output: &'a Output,
    /// Names of the columns, lower case.
    columns: FxHashSet<String>,
    /// The values that a column may have, by its name in lower case.
    possible: RefCell<FxHashMap<String, Option<Possible>>>,
}

/// All values that a column may have, and what decides it.
type Possible = (Vec<Value>, TextRange);

impl<'a> Offer<'a> {
    /// `None` where not all of what is written is known, so that nothing can be said of those who read it.
    pub fn new(plan: &'a Derived<'a>, output: &'a Output) -> Option<Self> {
        let sink = plan.sinks.iter().find(|sink| sink.range == output.range && sink.dataset == output.dataset);
        let by_name = sink.is_some_and(|sink| matches!(sink.placing, Placing::AsTheyAre | Placing::ByName));
        let catalog = output.dataset.kind == DatasetKind::Catalog;
        let columns = output.columns.as_ref().filter(|_| by_name && catalog && output.columns_complete)?;
        let columns = columns.iter().map(|column| column.name.to_lowercase()).collect();
        Some(Self { plan, output, columns, possible: RefCell::default() })
    }

    /// What the write breaks in a job that reads its table. `reader` is how that job is named to people.
    pub fn breaks(&self, read: &TableRead, reader: &str) -> Vec<Break> {
        let table = self.output.dataset.short_name();
        let broken = |code: &'static str, at: TextRange, message: String, range: TextRange| Break {
            diagnostic: Diagnostic {
                code,
                severity: Severity::Warning,
                range: at,
                message,
                suggestions: Vec::new(),
                related: Vec::new(),
            },
            range,
        };
        let mut found = Vec::new();
        for (name, range) in &read.columns {
            if !self.columns.contains(&name.to_lowercase()) {
                let message = format!("{reader} reads column `{name}` of `{table}`, which is not written here.");
                found.push(broken("downstream-column", self.output.range, message, *range));
            }
        }
        for ((name, value), range) in &read.values {
            let mut possible = self.possible.borrow_mut();
            let known = possible.entry(name.to_lowercase()).or_insert_with(|| {
                let field = field(self.plan, self.output.node, name)?;
                checks::possible(self.plan, self.output.node, field)
            });
            let Some((values, place)) = known else { continue };
            let written = |known: &Value| matches!(known, Value::String(text) if text == value);
            if values.iter().all(|value| matches!(value, Value::String(_) | Value::Null)) && !values.iter().any(written)
            {
                let message = format!(
                    "{reader} looks for {value:?} in column `{name}` of `{table}`, which is never written here."
                );
                let at = if place.is_empty() { self.output.range } else { *place };
                found.push(broken("downstream-value", at, message, *range));
            }
        }
        found
    }
}

fn field(plan: &Plan, node: NodeId, name: &str) -> Option<ColumnId> {
    let schema = &plan.node(node)?.schema;
    schema.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze;
    use crate::ide::fixture::Lending;

    const READER: &str = "f = spark.table('gold.fact')
paid = f.filter(\"status = 'PAID'\").select('loan_id', f.amount)
";

    fn check(writer: &str, expected: &[(&str, &str, &str)]) {
        let read = interface(&analyze(READER, &Lending)).reads.remove(&TableName::new("gold", "fact")).unwrap();
        let analysis = analyze(writer, &Lending);
        let plan = Derived::new(&analysis.plan);
        let found: Vec<Break> = analysis
            .outputs
            .iter()
            .filter_map(|output| Some(Offer::new(&plan, output)?.breaks(&read, "report.py")))
            .flatten()
            .collect();
        let shown: Vec<(&str, &str, &str)> = found
            .iter()
            .map(|one| (one.diagnostic.code, one.range.slice(READER), one.diagnostic.range.slice(writer)))
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn an_interface_names_columns_and_values_with_their_places() {
        let found = interface(&analyze(READER, &Lending));
        let read = &found.reads[&TableName::new("gold", "fact")];
        assert_eq!(read.columns.keys().collect::<Vec<_>>(), ["amount", "loan_id", "status"]);
        assert_eq!(read.columns["amount"].slice(READER), "amount");
        assert_eq!(read.values.keys().collect::<Vec<_>>(), [&("status".to_owned(), "PAID".to_owned())]);
        assert_eq!(found.writes, []);
    }

    #[test]
    fn interfaces_are_alike_wherever_things_stand() {
        let of = |text: &str| interface(&analyze(text, &Lending));
        assert!(of(READER).is_like(&of(&format!("import sys\n{READER}"))));
        assert!(!of(READER).is_like(&of(&READER.replace("PAID", "OPEN"))));
        assert!(!of(READER).is_like(&of(&READER.replace("'loan_id', ", ""))));
        assert!(!of(READER).is_like(&of(&format!("{READER}f.write.saveAsTable('gold.copy')\n"))));
    }

    #[test]
    fn a_column_that_is_no_longer_written_breaks_its_readers() {
        check(
            "p = spark.table('raw_db.payments').withColumnRenamed('state', 'status')\np.drop('amount').write.saveAsTable('gold.fact')\n",
            &[("downstream-column", "amount", "saveAsTable('gold.fact')")],
        );
    }

    #[test]
    fn a_value_that_is_never_written_breaks_those_who_look_for_it() {
        check(
            "p = spark.table('raw_db.payments').withColumnRenamed('state', 'status')\np.filter(\"status = 'OPEN'\").write.saveAsTable('gold.fact')\n",
            &[("downstream-value", "filter(\"status = 'PAID'\")", "filter(\"status = 'OPEN'\")")],
        );
    }

    #[test]
    fn what_is_still_written_breaks_nothing() {
        check(
            "p = spark.table('raw_db.payments').withColumnRenamed('state', 'status')\np.write.saveAsTable('gold.fact')\n",
            &[],
        );
        check("p = spark.table('elsewhere.t')\np.drop('amount').write.saveAsTable('gold.fact')\n", &[]);
        check("p = spark.table('raw_db.payments').select('loan_id')\np.write.insertInto('gold.fact')\n", &[]);
    }
}
