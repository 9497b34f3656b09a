//! Which rows of a batch violate which rules.

use std::sync::Arc;

use contract::expr::Expr;
use contract::expr::print::{Dialect, to_sql};
use contract::types::DataType;
use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType as Arrow, Field, Schema};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::SessionContext;

use super::across::RowSet;
use super::conform::{Typed, physical};
use super::source::{Origin, Source, SourceBatch};
use crate::lake::incoming::{IncomingCheck, IncomingRule, SplitRequest};
use crate::{Error, Result};

/// The rules of a load, ready to be evaluated on batches of all columns of the table.
pub(super) struct Judge {
    rules: Vec<Rule>,
}

struct Rule {
    id: String,
    quarantines: bool,
    check: Evaluated,
}

enum Evaluated {
    /// A predicate over the table's columns, and the places of those that it reads.
    Predicate { violation: Arc<dyn PhysicalExpr>, reads: Vec<usize> },
    /// The column at this place does not have its type.
    Misfit(usize),
    /// A predicate over the text of a column of the file.
    Text { position: usize, violation: Arc<dyn PhysicalExpr> },
    /// Found by comparing rows with others: the file's row numbers.
    Rows(RowSet),
    /// A type that the file's own column has by itself.
    Nothing,
}

/// The violations of one batch.
pub(super) struct Judged {
    /// By rule; `None` where no row violates it.
    pub(super) violations: Vec<Option<BooleanBuffer>>,
    /// Rows that are quarantined.
    pub(super) bad: BooleanBuffer,
}

impl Judge {
    /// `across` holds the rows that violate rules which compare rows, by the rule's place.
    ///
    /// # Errors
    /// A rule that the embedded engine cannot evaluate.
    pub(super) fn new(
        context: &SessionContext,
        request: &SplitRequest,
        source: &Source,
        schema: &Schema,
        mut across: Vec<(usize, RowSet)>,
    ) -> Result<Self> {
        let mut rules = Vec::with_capacity(request.rules.len());
        for (place, rule) in request.rules.iter().enumerate() {
            let check = match &rule.check {
                IncomingCheck::Row(violation) => predicate(context, rule, violation, schema)?,
                IncomingCheck::Type { column, data_type, violation } => {
                    type_check(context, rule, (column, data_type, violation), request, source, schema)?
                }
                IncomingCheck::Duplicates { .. } | IncomingCheck::ForeignKey { .. } => {
                    match across.iter().position(|(of, _)| *of == place) {
                        Some(found) => Evaluated::Rows(across.swap_remove(found).1),
                        None => Evaluated::Nothing,
                    }
                }
            };
            rules.push(Rule { id: rule.id.clone(), quarantines: rule.quarantines, check });
        }
        Ok(Self { rules })
    }

    /// Judges a batch. A row that is none violates nothing else, and a value without its column's type, which stands as
    /// NULL, violates only the rules about types.
    pub(super) fn judge(&self, raw: &SourceBatch, typed: &Typed) -> Result<Judged> {
        let readable = readable(raw);
        let mut bad = !&readable;
        let mut violations = Vec::with_capacity(self.rules.len());
        for rule in &self.rules {
            let found = self.violations(rule, raw, typed)?;
            let found = found.map(|found| &found & &readable).filter(|found| found.count_set_bits() > 0);
            if let (true, Some(found)) = (rule.quarantines, &found) {
                bad = &bad | found;
            }
            violations.push(found);
        }
        Ok(Judged { violations, bad })
    }

    fn violations(&self, rule: &Rule, raw: &SourceBatch, typed: &Typed) -> Result<Option<BooleanBuffer>> {
        let failed = |error: datafusion::error::DataFusionError| {
            Error::input(
                format!("rule {}", rule.id),
                format!("cannot be evaluated in rows {} to {}: {error}", raw.first + 1, raw.first + raw.rows as u64),
                "correct the rule or the rows; nothing was loaded",
            )
        };
        Ok(match &rule.check {
            Evaluated::Nothing => None,
            Evaluated::Misfit(place) => typed.misfits.get(*place).cloned().flatten().map(|found| truth(&found)),
            Evaluated::Rows(rows) => Some(rows.slice(raw.first, raw.rows)),
            Evaluated::Text { position, violation } => {
                let text =
                    raw.columns.get(*position).cloned().unwrap_or_else(|| super::source::constant(None, raw.rows));
                let found = text_batch(&rule.id, &text).and_then(|batch| evaluate(violation, &batch));
                Some(truth(&found.map_err(failed)?))
            }
            Evaluated::Predicate { violation, reads } => {
                let mut found = truth(&evaluate(violation, &typed.batch).map_err(failed)?);
                for misfit in reads.iter().filter_map(|place| typed.misfits.get(*place)?.as_ref()) {
                    found = &found & &!&truth(misfit);
                }
                Some(found)
            }
        })
    }
}

/// The rows of a batch that are rows.
pub(super) fn readable(raw: &SourceBatch) -> BooleanBuffer {
    let mut next = raw.broken.iter().map(|broken| broken.row).peekable();
    BooleanBuffer::collect_bool(raw.rows, |row| next.next_if(|broken| *broken == row).is_none())
}

/// Evaluates a predicate.
pub(super) fn evaluate(
    predicate: &Arc<dyn PhysicalExpr>,
    batch: &RecordBatch,
) -> datafusion::error::Result<BooleanArray> {
    let value = predicate.evaluate(batch)?.into_array(batch.num_rows())?;
    Ok(datafusion::common::cast::as_boolean_array(&value)?.clone())
}

/// Where a predicate is true: not where it is false, nor where it is NULL.
pub(super) fn truth(values: &BooleanArray) -> BooleanBuffer {
    match values.nulls() {
        Some(nulls) => values.values() & nulls.inner(),
        None => values.values().clone(),
    }
}

/// A contract's predicate over columns of the table.
pub(super) fn compile(
    context: &SessionContext,
    id: &str,
    predicate: &Expr,
    schema: &Schema,
) -> Result<Arc<dyn PhysicalExpr>> {
    let refused = |error: String| {
        Error::input(format!("rule {id}"), format!("cannot be evaluated before the load: {error}"), "correct the rule")
    };
    let sql = to_sql(predicate, Dialect::DataFusion).map_err(|error| refused(error.to_string()))?;
    physical(context, &sql, schema).map_err(|error| refused(error.to_string()))
}

fn predicate(context: &SessionContext, rule: &IncomingRule, violation: &Expr, schema: &Schema) -> Result<Evaluated> {
    let places = violation.columns().into_iter().filter_map(|column| place(schema, &column.name));
    let reads = places.collect();
    Ok(Evaluated::Predicate { violation: compile(context, &rule.id, violation, schema)?, reads })
}

/// A type of its own (a text that must be a date) is judged on the text; the column's own type by its conversion.
fn type_check(
    context: &SessionContext,
    rule: &IncomingRule,
    (column, data_type, violation): (&str, &DataType, &Expr),
    request: &SplitRequest,
    source: &Source,
    schema: &Schema,
) -> Result<Evaluated> {
    let own = request.table.schema.column(column).map(|column| &column.data_type);
    let Some(place) = place(schema, column) else { return Ok(Evaluated::Nothing) };
    if own == Some(data_type) {
        return Ok(Evaluated::Misfit(place));
    }
    let Some(Origin::Column(position)) = source.origins.get(place) else { return Ok(Evaluated::Nothing) };
    let text = Schema::new(vec![Field::new(column, Arrow::Utf8View, true)]);
    Ok(Evaluated::Text { position: *position, violation: compile(context, &rule.id, violation, &text)? })
}

/// The place of a column.
pub(super) fn place(schema: &Schema, column: &str) -> Option<usize> {
    schema.fields().iter().position(|field| field.name().eq_ignore_ascii_case(column))
}

/// The predicate of a type reads one column, whatever its name.
fn text_batch(column: &str, text: &ArrayRef) -> datafusion::error::Result<RecordBatch> {
    let text = cast(text, &Arrow::Utf8View)?;
    let schema = Arc::new(Schema::new(vec![Field::new(column, Arrow::Utf8View, true)]));
    Ok(RecordBatch::try_new(schema, vec![text])?)
}
