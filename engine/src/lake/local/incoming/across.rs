//! Rules that compare a row with other rows: duplicates within the file, and foreign keys against the lake.
//!
//! One query over the file's key columns answers all of them, so that sorting and joining spill where memory is short;
//! what it returns are row numbers, kept as one bit per row.

use std::sync::Arc;

use contract::compile::NullKeys;
use contract::expr::Expr;
use contract::expr::print::{Dialect, quote_name, to_sql};
use contract::types::DataType;
use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, UInt64Array};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::datatypes::{DataType as Arrow, Field, Schema, SchemaRef, UInt64Type};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::prelude::SessionContext;
use futures::StreamExt;

use super::conform::Conform;
use super::judge::{compile, evaluate, place, readable, truth};
use super::source::{Origin, Source};
use crate::lake::incoming::{IncomingCheck, SplitRequest};
use crate::lake::local::LocalLake;
use crate::lake::local::engine::to_error;
use crate::lake::local::provider::LakeTable;
use crate::{Error, Result};

/// Numbers of rows, a bit for each.
#[derive(Debug, Default)]
pub(super) struct RowSet(Vec<u64>);

impl RowSet {
    fn insert(&mut self, row: u64) {
        let word = (row / 64) as usize;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= 1 << (row % 64);
        }
    }

    fn contains(&self, row: u64) -> bool {
        self.0.get((row / 64) as usize).is_some_and(|bits| bits >> (row % 64) & 1 == 1)
    }

    /// Which of `rows` rows from `first` on are in the set.
    pub(super) fn slice(&self, first: u64, rows: usize) -> BooleanBuffer {
        BooleanBuffer::collect_bool(rows, |row| self.contains(first + row as u64))
    }
}

/// The rows that violate rules which compare rows, by the rule's place; `None` where there is no such rule.
pub(super) async fn violations(
    lake: &LocalLake,
    request: &SplitRequest,
    source: &Arc<Source>,
    columns: &[(Arc<Field>, DataType)],
) -> Result<Option<Vec<(usize, RowSet)>>> {
    let mut questions = Vec::new();
    let all = Schema::new(columns.iter().map(|(field, _)| field.clone()).collect::<Vec<_>>());
    for (rule, incoming) in request.rules.iter().enumerate() {
        let (keys, judged, kind) = match &incoming.check {
            IncomingCheck::Duplicates { columns, nulls, judged } => (columns.clone(), judged, Kind::Duplicates(*nulls)),
            IncomingCheck::ForeignKey { columns, ref_table, ref_where, nulls, judged } => {
                let (keys, references): (Vec<_>, Vec<_>) = columns.iter().cloned().unzip();
                let name = format!("reference{}", questions.len());
                let provider = LakeTable::new(lake.inner.load(ref_table).await?);
                let provider = Arc::new(provider);
                (keys, judged, Kind::ForeignKey { name, provider, references, ref_where, nulls: *nulls })
            }
            IncomingCheck::Row(_) | IncomingCheck::Type { .. } => continue,
        };
        let keys = keys.iter().filter_map(|key| place(&all, key)).collect();
        questions.push(Question { rule, keys, judged, kind });
    }
    if questions.is_empty() {
        return Ok(None);
    }
    let context = lake.empty_context();
    let stream = KeyStream::new(&context, request, source, columns, &all, &questions)?;
    let table = StreamingTable::try_new(stream.schema.clone(), vec![Arc::new(stream)]);
    let place = source.path.display().to_string();
    let failed = |error| to_error(&format!("of the keys of {place}"), error);
    context.register_table("incoming", Arc::new(table.map_err(failed)?)).map_err(failed)?;
    for question in &questions {
        if let Kind::ForeignKey { name, provider, .. } = &question.kind {
            context.register_table(name.as_str(), provider.clone()).map_err(failed)?;
        }
    }
    let refused = |error: contract::expr::print::PrintError| Error::input(&place, error, "correct the rule");
    let sql = query(&questions).map_err(refused)?;
    let frame = context.sql(&sql).await.map_err(failed)?;
    let mut batches = frame.execute_stream().await.map_err(failed)?;
    let mut found: Vec<(usize, RowSet)> = questions.iter().map(|q| (q.rule, RowSet::default())).collect();
    while let Some(batch) = batches.next().await {
        collect(&batch.map_err(failed)?, &mut found);
    }
    Ok(Some(found))
}

struct Question<'a> {
    /// The rule's place.
    rule: usize,
    /// The places of the key's columns.
    keys: Vec<usize>,
    judged: &'a Expr,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Duplicates(NullKeys),
    ForeignKey {
        name: String,
        provider: Arc<LakeTable>,
        references: Vec<String>,
        ref_where: &'a Option<Expr>,
        nulls: NullKeys,
    },
}

/// The rows that violate at least one of the rules: their number, and a column per rule.
///
/// The reference is the left side of a right join, because the left side is the one that is held in memory.
fn query(questions: &[Question<'_>]) -> std::result::Result<String, contract::expr::print::PrintError> {
    let mut from = "incoming".to_owned();
    let mut verdicts = Vec::new();
    for (number, question) in questions.iter().enumerate() {
        let keys: Vec<String> = question.keys.iter().map(|key| format!("c{key}")).collect();
        let missing = keys.iter().map(|key| format!("{key} IS NULL")).collect::<Vec<_>>().join(" OR ");
        let verdict = match &question.kind {
            Kind::Duplicates(nulls) => {
                let over = format!("PARTITION BY j{number}, {} ORDER BY nr", keys.join(", "));
                from = format!("(SELECT *, row_number() OVER ({over}) AS n{number} FROM {from} AS b{number})");
                match nulls {
                    NullKeys::Ignore => format!("j{number} AND n{number} > 1 AND NOT ({missing})"),
                    NullKeys::Compare => format!("j{number} AND n{number} > 1"),
                    NullKeys::Violate => format!("j{number} AND (n{number} > 1 OR {missing})"),
                }
            }
            Kind::ForeignKey { name, references, ref_where, nulls, .. } => {
                let names: Vec<String> = references.iter().map(|r| quote_name(r, Dialect::DataFusion)).collect();
                let selected = names.iter().enumerate().map(|(i, r)| format!("{r} AS k{i}")).collect::<Vec<_>>();
                let mut conditions: Vec<String> = names.iter().map(|r| format!("{r} IS NOT NULL")).collect();
                if let Some(condition) = ref_where {
                    conditions.push(to_sql(condition, Dialect::DataFusion)?);
                }
                let on = keys.iter().enumerate().map(|(i, key)| format!("r{number}.k{i} = b{number}.{key}"));
                from = format!(
                    "(SELECT b{number}.*, r{number}.f AS f{number} FROM \
                     (SELECT DISTINCT {}, true AS f FROM {name} WHERE {}) AS r{number} \
                     RIGHT JOIN {from} AS b{number} ON {})",
                    selected.join(", "),
                    conditions.join(" AND "),
                    on.collect::<Vec<_>>().join(" AND "),
                );
                match nulls {
                    NullKeys::Violate => format!("j{number} AND f{number} IS NULL"),
                    NullKeys::Ignore | NullKeys::Compare => {
                        format!("j{number} AND f{number} IS NULL AND NOT ({missing})")
                    }
                }
            }
        };
        verdicts.push(verdict);
    }
    let columns: Vec<String> = verdicts.iter().enumerate().map(|(i, verdict)| format!("({verdict}) AS v{i}")).collect();
    let any: Vec<String> = (0..verdicts.len()).map(|i| format!("v{i}")).collect();
    Ok(format!(
        "SELECT nr, {} FROM (SELECT nr, {} FROM {from} AS judged) AS verdicts WHERE {}",
        any.join(", "),
        columns.join(", "),
        any.join(" OR ")
    ))
}

fn collect(batch: &RecordBatch, found: &mut [(usize, RowSet)]) {
    let Some(numbers) = batch.columns().first().and_then(|column| column.as_primitive_opt::<UInt64Type>()) else {
        return;
    };
    for ((_, rows), verdicts) in found.iter_mut().zip(batch.columns().iter().skip(1)) {
        let Some(verdicts) = verdicts.as_boolean_opt() else { continue };
        truth(verdicts).set_indices().for_each(|index| rows.insert(numbers.value(index)));
    }
}

/// The numbers (`nr`), key columns (`c3` for the table's fourth) and judged rows (`j0` for the first rule) of a file.
#[derive(Debug)]
struct KeyStream {
    schema: SchemaRef,
    source: Arc<Source>,
    read: Vec<usize>,
    keys: Vec<usize>,
    conform: Arc<Conform>,
    rules: Arc<Vec<KeyRule>>,
}

/// Which rows a rule judges, and the places of its key's columns.
#[derive(Debug)]
struct KeyRule {
    judged: Arc<dyn PhysicalExpr>,
    keys: Vec<usize>,
}

impl KeyStream {
    fn new(
        context: &SessionContext,
        request: &SplitRequest,
        source: &Arc<Source>,
        columns: &[(Arc<Field>, DataType)],
        all: &Schema,
        questions: &[Question<'_>],
    ) -> Result<Self> {
        let judged = questions.iter().flat_map(|question| question.judged.columns());
        let mut wanted: Vec<usize> = judged.filter_map(|column| place(all, &column.name)).collect();
        let mut keys: Vec<usize> = questions.iter().flat_map(|question| question.keys.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        wanted.extend(&keys);
        wanted.sort_unstable();
        wanted.dedup();
        let origin = |place: &usize| match source.origins.get(*place) {
            Some(Origin::Column(column)) => Some(*column),
            _ => None,
        };
        let mut read: Vec<usize> = wanted.iter().filter_map(origin).collect();
        read.sort_unstable();
        let conform = Conform::new(context, source, columns, &wanted, &read)?;
        let within = |place: &usize| wanted.iter().position(|wanted| wanted == place);
        let mut fields = vec![Arc::new(Field::new("nr", Arrow::UInt64, false))];
        for key in &keys {
            let field = columns.get(*key).map(|(field, _)| field.as_ref().clone().with_name(format!("c{key}")));
            fields.extend(field.map(Arc::new));
        }
        let mut rules = Vec::new();
        for (number, question) in questions.iter().enumerate() {
            let id = request.rules.get(question.rule).map_or("", |rule| rule.id.as_str());
            let judged = compile(context, id, question.judged, &conform.schema)?;
            rules.push(KeyRule { judged, keys: question.keys.iter().filter_map(within).collect() });
            fields.push(Arc::new(Field::new(format!("j{number}"), Arrow::Boolean, false)));
        }
        let keys = keys.iter().filter_map(within).collect();
        Ok(Self {
            schema: Arc::new(Schema::new(fields)),
            source: source.clone(),
            read,
            keys,
            conform: Arc::new(conform),
            rules: Arc::new(rules),
        })
    }
}

impl PartitionStream for KeyStream {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStream::builder(self.schema.clone(), 2);
        let sender = builder.tx();
        let (schema, source, read) = (self.schema.clone(), self.source.clone(), self.read.clone());
        let (keys, conform, rules) = (self.keys.clone(), self.conform.clone(), self.rules.clone());
        builder.spawn_blocking(move || {
            let external = |error: Error| DataFusionError::External(Box::new(error));
            let mut batches = source.batches(&read).map_err(external)?;
            while let Some(raw) = batches.next().map_err(external)? {
                let typed = conform.apply(&raw)?;
                let rows = raw.first..raw.first + raw.rows as u64;
                let mut columns: Vec<ArrayRef> = vec![Arc::new(UInt64Array::from_iter_values(rows))];
                columns.extend(keys.iter().filter_map(|key| typed.batch.columns().get(*key).cloned()));
                let readable = readable(&raw);
                for rule in rules.iter() {
                    let mut judged = &truth(&evaluate(&rule.judged, &typed.batch)?) & &readable;
                    for misfit in rule.keys.iter().filter_map(|key| typed.misfits.get(*key)?.as_ref()) {
                        judged = &judged & &!&truth(misfit);
                    }
                    columns.push(Arc::new(BooleanArray::new(judged, None)));
                }
                if sender.blocking_send(Ok(RecordBatch::try_new(schema.clone(), columns)?)).is_err() {
                    break;
                }
            }
            Ok(())
        });
        builder.build()
    }
}
