//! A lake's table as DataFusion scans it.
//!
//! Files come from the lake's own listing, so partition pruning happens here; projection and filters go down into the
//! Parquet reader. A column that a file lacks reads as NULL, a narrower type is widened, names match without case.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, FileSource, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::datasource::{TableProvider, TableType};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::object_store::path::Path as StorePath;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr_adapter::{
    DefaultPhysicalExprAdapterFactory, PhysicalExprAdapter, PhysicalExprAdapterFactory,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use super::load::LoadedTable;
use super::text_source::TextSource;
use crate::lake::Format;

/// A table to scan.
#[derive(Debug)]
pub(crate) struct LakeTable {
    loaded: LoadedTable,
    schema: SchemaRef,
}

impl LakeTable {
    pub(crate) fn new(loaded: LoadedTable) -> Self {
        let fields = loaded.file_schema.fields().iter().chain(&loaded.partition_fields).cloned();
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Self { loaded, schema }
    }

    fn is_partition_filter(&self, filter: &Expr) -> bool {
        let keys = &self.loaded.partition_fields;
        let columns = filter.column_refs();
        !filter.is_volatile()
            && !columns.is_empty()
            && columns.iter().all(|column| keys.iter().any(|key| *key.name() == column.name))
    }

    /// The files whose partition values satisfy the filters, by evaluating them over one row per file.
    fn pruned_files(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<PartitionedFile>> {
        let keys: Vec<&Expr> = filters.iter().filter(|filter| self.is_partition_filter(filter)).collect();
        let keep = match conjunction(keys.into_iter().cloned()) {
            None => vec![true; self.loaded.table.files.len()],
            Some(filter) => self.evaluate_over_files(state, filter)?,
        };
        let files = self.loaded.table.files.iter().zip(&self.loaded.partition_values).zip(keep);
        let partitioned = files.filter(|(_, keep)| *keep).map(|((file, values), _)| {
            let mut partitioned = PartitionedFile::new("", file.bytes).with_partition_values(values.clone());
            partitioned.object_meta.location = StorePath::from_absolute_path(&file.path)?;
            Ok(partitioned)
        });
        partitioned.collect()
    }

    fn evaluate_over_files(&self, state: &dyn Session, filter: Expr) -> Result<Vec<bool>> {
        let column = |index: usize| -> Result<ArrayRef> {
            ScalarValue::iter_to_array(self.loaded.partition_values.iter().filter_map(|row| row.get(index)).cloned())
        };
        let files = self.loaded.table.files.len();
        if files == 0 {
            return Ok(Vec::new());
        }
        let columns = (0..self.loaded.partition_fields.len()).map(column).collect::<Result<Vec<_>>>()?;
        let schema = Arc::new(Schema::new(self.loaded.partition_fields.clone()));
        let batch = RecordBatch::try_new(schema.clone(), columns)?;
        let physical = state.create_physical_expr(filter, &DFSchema::try_from(schema)?)?;
        let verdicts = physical.evaluate(&batch)?.into_array(files)?;
        let verdicts = datafusion::common::cast::as_boolean_array(&verdicts)?;
        Ok(verdicts.iter().map(|verdict| verdict == Some(true)).collect())
    }
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let exact = |filter: &&Expr| match self.is_partition_filter(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(exact).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.pruned_files(state, filters)?;
        if files.is_empty() {
            let schema = datafusion::common::project_schema(&self.schema, projection)?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let table_schema = TableSchema::builder(self.loaded.file_schema.clone())
            .with_table_partition_cols(self.loaded.partition_fields.clone())
            .build();
        let source: Arc<dyn FileSource> = match self.loaded.table.format {
            Format::Parquet => {
                let options = state.table_options().parquet.clone();
                Arc::new(ParquetSource::new(table_schema).with_table_parquet_options(options))
            }
            format => Arc::new(TextSource::new(table_schema, format, &self.loaded)),
        };
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), source)
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .with_expr_adapter(Some(Arc::new(FoldedNames)))
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// Finds a table's columns in a file whatever the case of their names there.
#[derive(Debug)]
struct FoldedNames;

#[derive(Debug)]
struct FoldedAdapter {
    inner: Arc<dyn PhysicalExprAdapter>,
    stored: SchemaRef,
}

impl PhysicalExprAdapterFactory for FoldedNames {
    fn create(&self, table: SchemaRef, stored: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        let fold = |field: &Arc<datafusion::arrow::datatypes::Field>| {
            field.as_ref().clone().with_name(field.name().to_lowercase())
        };
        let folded = Schema::new(stored.fields().iter().map(fold).collect::<Vec<_>>());
        let inner = DefaultPhysicalExprAdapterFactory.create(table, Arc::new(folded))?;
        Ok(Arc::new(FoldedAdapter { inner, stored }))
    }
}

impl PhysicalExprAdapter for FoldedAdapter {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let unfold = |expr: Arc<dyn PhysicalExpr>| {
            let Some(column) = expr.downcast_ref::<Column>() else { return Ok(Transformed::no(expr)) };
            let Some(field) = self.stored.fields().get(column.index()) else { return Ok(Transformed::no(expr)) };
            let unfolded = Arc::new(Column::new(field.name(), column.index()));
            Ok::<_, DataFusionError>(Transformed::yes(unfolded as Arc<dyn PhysicalExpr>))
        };
        self.inner.rewrite(expr)?.transform(unfold).data()
    }
}
