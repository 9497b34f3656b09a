//! CSV and JSON-lines files as a DataFusion file source.
//!
//! A value that does not have its column's type, or a row that is none, stops the scan with the file and the line; the
//! lake then reads the column as text, or leaves the file out and lists it, and runs the query again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use contract::schema::TableName;
use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringViewArray};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileOpenFuture, FileOpener, FileScanConfig, FileSource};
use datafusion::datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::object_store::ObjectStore;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::PhysicalExpr;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder};
use futures::{FutureExt, StreamExt};

use super::infer::try_cast;
use super::load::LoadedTable;
use super::text::{self, RawBatch, RawReader};
use crate::lake::Format;

/// What a scan of text found out about its table.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Discovery {
    /// A value does not have the type that a sample of the column suggested.
    #[error("{path}, line {line}: column {column} holds {value:?}", path = path.display())]
    Misfit {
        /// The table.
        table: TableName,
        /// Whether the type was inferred, so that text can take its place.
        inferred: bool,
        /// The column.
        column: String,
        /// The type that the value does not have, as Glue spells it.
        data_type: String,
        /// The file.
        path: PathBuf,
        /// The line on which the row starts, from 1.
        line: u64,
        /// The value.
        value: String,
    },
    /// A file cannot be read.
    #[error("{path}: {reason}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Reads text files as typed columns.
#[derive(Clone)]
pub(crate) struct TextSource {
    table_schema: TableSchema,
    projection: SplitProjection,
    format: Format,
    table: TableName,
    inferred: bool,
    batch_size: usize,
    metrics: ExecutionPlanMetricsSet,
}

impl TextSource {
    pub(crate) fn new(table_schema: TableSchema, format: Format, loaded: &LoadedTable) -> Self {
        Self {
            projection: SplitProjection::unprojected(&table_schema),
            table_schema,
            format,
            table: loaded.table.name.clone(),
            inferred: loaded.inferred,
            batch_size: 8192,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl FileSource for TextSource {
    fn create_file_opener(
        &self,
        _: Arc<dyn ObjectStore>,
        _: &FileScanConfig,
        partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let schema = Arc::new(self.table_schema.file_schema().project(&self.projection.file_indices)?);
        let opener = TextOpener { source: self.clone(), schema, partition };
        ProjectionOpener::try_new(self.projection.clone(), Arc::new(opener), self.table_schema.file_schema())
    }

    fn table_schema(&self) -> &TableSchema {
        &self.table_schema
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(Self { batch_size, ..self.clone() })
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.table_schema.file_schema(), &merged);
        Ok(Some(Arc::new(Self { projection, ..self.clone() })))
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        match self.format {
            Format::Json => "json",
            _ => "csv",
        }
    }

    fn supports_repartitioning(&self) -> bool {
        false
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        datafusion::physical_plan::apply_expression_roots(self.projection.source.iter(), f)
    }
}

struct TextOpener {
    source: TextSource,
    schema: SchemaRef,
    partition: usize,
}

impl FileOpener for TextOpener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let path = PathBuf::from(format!("/{}", file.object_meta.location));
        let scanned = MetricBuilder::new(&self.source.metrics).counter("bytes_scanned", self.partition);
        scanned.add(usize::try_from(file.object_meta.size).unwrap_or(usize::MAX));
        let (source, schema) = (self.source.clone(), self.schema.clone());
        Ok(async move {
            let all = source.table_schema.file_schema();
            let mut reader = open(&path, source.format, all, &schema)?;
            let batches = std::iter::from_fn(move || match reader.next_batch(source.batch_size) {
                Ok(batch) => batch.map(|batch| typed(batch, &source, &schema, &path)),
                Err(reason) => Some(Err(Discovery::Unreadable { path: path.clone(), reason }.into())),
            });
            Ok(futures::stream::iter(batches).boxed())
        }
        .boxed())
    }
}

impl From<Discovery> for DataFusionError {
    fn from(discovery: Discovery) -> Self {
        DataFusionError::External(Box::new(discovery))
    }
}

/// Opens a file for some of the table's columns, whose names match those of the file without regard to case. A CSV file
/// whose first line names none of the table's columns has no header.
fn open(path: &Path, format: Format, table: &SchemaRef, wanted: &SchemaRef) -> Result<RawReader> {
    const JSON_LINES: usize = 4096;
    let external = |error: crate::Error| DataFusionError::External(Box::new(error));
    let own = text::columns(path, format, JSON_LINES).map_err(external)?;
    let find = |name: &str| own.iter().find(|own| own.to_lowercase() == *name).cloned();
    let names: Vec<String> =
        wanted.fields().iter().map(|f| find(f.name()).unwrap_or_else(|| f.name().clone())).collect();
    let headless = format == Format::Csv && !table.fields().iter().any(|field| find(field.name()).is_some());
    if headless {
        let order: Vec<String> = table.fields().iter().map(|field| field.name().clone()).collect();
        return RawReader::open_headless(path, &order, &names).map_err(external);
    }
    RawReader::open(path, format, &names).map_err(external)
}

fn typed(batch: RawBatch, source: &TextSource, schema: &SchemaRef, path: &Path) -> Result<RecordBatch> {
    let line = |row: usize| batch.lines.get(row).copied().unwrap_or_default();
    if let Some(broken) = batch.broken.first() {
        let reason = format!("line {} {}", line(broken.row), broken.reason);
        return Err(Discovery::Unreadable { path: path.into(), reason }.into());
    }
    let mut columns = Vec::with_capacity(schema.fields().len());
    for (field, cells) in schema.fields().iter().zip(&batch.columns) {
        let raw: ArrayRef = Arc::new(StringViewArray::from_iter(cells));
        let cast = try_cast(&raw, field.data_type())?;
        if cast.null_count() > raw.null_count()
            && let Some(row) = (0..raw.len()).find(|row| cast.is_null(*row) && raw.is_valid(*row))
        {
            return Err(Discovery::Misfit {
                table: source.table.clone(),
                inferred: source.inferred,
                column: field.name().clone(),
                data_type: super::types::from_arrow(field.data_type()).to_string(),
                path: path.into(),
                line: line(row),
                value: cells.get(row).cloned().flatten().unwrap_or_default(),
            }
            .into());
        }
        columns.push(cast);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.lines.len()));
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}
