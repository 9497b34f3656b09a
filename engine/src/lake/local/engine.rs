//! Queries over a folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use contract::expr::Expr;
use contract::expr::print::{Dialect, quote_name, to_sql};
use contract::schema::TableName;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType as Arrow, Field};
use datafusion::catalog::{CatalogProvider, CatalogProviderList, SchemaProvider};
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::TableProvider;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{SessionConfig, SessionContext};

use super::load::Memory;
use super::provider::LakeTable;
use super::text_source::Discovery;
use super::{Inner, LocalLake, blocking, sandbox, types};
use crate::lake::{Cost, DataFile, Format, Limits, QueryEngine, QueryResult, Table};
use crate::{Error, Result};

/// How often a query is run again after it found a column or a file to be other than its sample said.
const MAX_DISCOVERIES: usize = 100;

#[async_trait]
impl QueryEngine for LocalLake {
    fn dialect(&self) -> Dialect {
        Dialect::DataFusion
    }

    async fn query(&self, sql: &str) -> Result<QueryResult> {
        let started = Instant::now();
        let (batches, bytes_scanned) = self.batches(sql).await?;
        let mut result = to_rows(&batches, usize::MAX);
        result.cost = Cost { seconds: started.elapsed().as_secs_f64(), bytes_scanned };
        Ok(result)
    }

    async fn query_untrusted(&self, sql: &str, limits: &Limits) -> Result<QueryResult> {
        sandbox::run(&self.inner.options, sql, limits).await
    }

    async fn rows_where(
        &self,
        table: &TableName,
        columns: &[String],
        predicate: &Expr,
        limit: usize,
    ) -> Result<QueryResult> {
        let mut loaded = self.inner.load(table).await?;
        loaded.partition_fields.push(Arc::new(Field::new(PATH, Arrow::Utf8, false)));
        for (values, file) in loaded.partition_values.iter_mut().zip(&loaded.table.files) {
            values.push(ScalarValue::Utf8(Some(file.path.clone())));
        }
        let refused = |error| Error::input(table, error, "correct the rule");
        let condition = to_sql(predicate, Dialect::DataFusion).map_err(refused)?;
        let names = columns.iter().map(String::as_str).chain([PATH]);
        let names: Vec<String> = names.map(|name| quote_name(name, Dialect::DataFusion)).collect();
        let sql = format!("SELECT {} FROM sampled WHERE {condition} LIMIT {limit}", names.join(", "));
        let failed = |error| to_error(&sql, error);
        let context = self.empty_context();
        context.register_table("sampled", Arc::new(LakeTable::new(loaded))).map_err(failed)?;
        let batches = context.sql(&sql).await.map_err(failed)?.collect().await.map_err(failed)?;
        Ok(to_rows(&batches, limit))
    }

    async fn bytes_of(&self, table: &Table, columns: &[String], files: &[&DataFile]) -> Result<u64> {
        if table.format != Format::Parquet {
            return Ok(files.iter().map(|file| file.bytes).sum());
        }
        let (columns, files) =
            (columns.to_vec(), files.iter().map(|file| PathBuf::from(&file.path)).collect::<Vec<_>>());
        blocking(move || Ok(files.iter().map(|file| column_bytes(file, &columns)).sum())).await
    }
}

/// The name of the column that holds a row's file, as Athena calls it.
const PATH: &str = "$path";

/// The compressed bytes of some columns of a Parquet file; 0 for one that cannot be read, which no scan reads either.
fn column_bytes(path: &Path, columns: &[String]) -> u64 {
    let metadata = File::open(path).ok().and_then(|file| ArrowReaderMetadata::load(&file, Default::default()).ok());
    let Some(metadata) = metadata else { return 0 };
    let chunks = metadata.metadata().row_groups().iter().flat_map(|group| group.columns());
    let wanted = |name: Option<&String>| name.is_some_and(|name| columns.iter().any(|c| c.eq_ignore_ascii_case(name)));
    let sizes = chunks.filter(|chunk| wanted(chunk.column_path().parts().first())).map(|chunk| chunk.compressed_size());
    sizes.map(|size| u64::try_from(size).unwrap_or(0)).sum()
}

impl LocalLake {
    /// The batches that a query answers and the bytes that it read from files.
    ///
    /// A query that meets a damaged file, or a value that its column's sample did not show, is run again without the
    /// file or with the column as text; [`crate::lake::Table::unreadable`] and the table's schema then say so.
    pub(crate) async fn batches(&self, sql: &str) -> Result<(Vec<RecordBatch>, u64)> {
        for _ in 0..MAX_DISCOVERIES {
            let plan = self.context.state().create_logical_plan(sql).await.map_err(|error| to_error(sql, error))?;
            match self.execute(plan.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => self.learn(&plan, error).await.map_err(|error| to_error(sql, error))?,
            }
        }
        Err(Error::input(
            "lake",
            "too many files or columns turn out to be damaged",
            "repair the files that are listed",
        ))
    }

    /// The context of this lake's queries, for stages that build plans of their own.
    pub(crate) fn context(&self) -> &SessionContext {
        &self.context
    }

    /// A context of its own tables and of none of the lake's, within the same memory.
    pub(crate) fn empty_context(&self) -> SessionContext {
        let config = self.context.copied_config().with_create_default_catalog_and_schema(true);
        SessionContext::new_with_config_rt(config, self.context.runtime_env())
    }

    async fn execute(&self, plan: LogicalPlan) -> datafusion::error::Result<(Vec<RecordBatch>, u64)> {
        let plan = self.context.state().create_physical_plan(&plan).await?;
        let mut batches = collect(plan.clone(), self.context.task_ctx()).await?;
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(plan.schema()));
        }
        Ok((batches, bytes_scanned(plan.as_ref())))
    }

    /// Takes in what a failed query found out about its tables; gives the error back where that is nothing.
    async fn learn(&self, plan: &LogicalPlan, error: DataFusionError) -> datafusion::error::Result<()> {
        let memory = &self.inner.memory;
        match error.find_root() {
            DataFusionError::External(external) => match external.downcast_ref::<Discovery>() {
                Some(Discovery::Misfit { table, inferred: true, column, .. }) => memory.read_as_text(table, column),
                Some(Discovery::Unreadable { path, reason }) => memory.exclude(path, reason),
                _ => return Err(error),
            },
            DataFusionError::ParquetError(_) | DataFusionError::ArrowError(..) => {
                let mut found = false;
                for name in tables_of(plan)? {
                    let Ok(loaded) = self.inner.load(&name).await else { continue };
                    if loaded.table.format == Format::Parquet {
                        found |= exclude_damaged(loaded.table.files.iter().map(|file| Path::new(&file.path)), memory);
                    }
                }
                if !found {
                    return Err(error);
                }
            }
            _ => return Err(error),
        }
        Ok(())
    }
}

/// A context whose tables are those of the lake.
pub(crate) fn context(inner: &Arc<Inner>) -> Result<SessionContext> {
    let options = &inner.options;
    let disk = DiskManagerBuilder::default().with_mode(match (&options.spill, &inner.visible) {
        // A query from outside writes no files.
        (_, Some(_)) => DiskManagerMode::Disabled,
        (Some(folder), None) => DiskManagerMode::Directories(vec![folder.clone()]),
        (None, None) => DiskManagerMode::OsTmpDirectory,
    });
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(options.memory_bytes)))
        .with_disk_manager_builder(disk)
        .build_arc()
        .map_err(|error| {
            let place =
                options.spill.as_deref().map_or("temporary folder".into(), |folder| folder.display().to_string());
            Error::environment(place, error, "choose a folder that can be written for spilled data")
        })?;
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema("lake", super::discovery::DEFAULT_DATABASE)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false)
        .with_parquet_pruning(true);
    if let Some(threads) = options.threads {
        config = config.with_target_partitions(threads.max(1));
    }
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_catalog_list(Arc::new(Tables(inner.clone())))
        .build();
    let context = SessionContext::new_with_state(state);
    context.register_udaf(super::frequent::frequent_values());
    Ok(context)
}

/// A DataFusion error in the words of a person who wrote a query or a file.
pub(crate) fn to_error(sql: &str, error: DataFusionError) -> Error {
    let shown: String = sql.chars().take(200).collect();
    let place = format!("query {shown}");
    match error.find_root() {
        DataFusionError::External(external) => {
            if let Some(own) = external.downcast_ref::<Error>() {
                return own.clone();
            }
            match external.downcast_ref::<Discovery>() {
                Some(Discovery::Misfit { table, column, data_type, path, line, value, .. }) => Error::input(
                    format!("{}, line {line}", path.display()),
                    format!("column {column} holds {value:?}, which is no {data_type}"),
                    format!("correct the value, or declare {column} as string in _catalog/{table}.json"),
                ),
                Some(Discovery::Unreadable { path, reason }) => {
                    Error::input(path.display(), reason, "restore the file or move it out of the lake")
                }
                None => Error::environment(place, external, "run again"),
            }
        }
        DataFusionError::ResourcesExhausted(message) => Error::environment(
            place,
            format!("out of memory: {message}"),
            "raise `limits.memory_mb` in de-copilot.toml, or judge fewer columns at once",
        ),
        DataFusionError::SchemaError(problem, _) => Error::input(place, problem, "use one of the table's columns"),
        DataFusionError::SQL(problem, _) => Error::input(place, problem, "correct the SQL"),
        DataFusionError::Plan(problem) | DataFusionError::NotImplemented(problem) => {
            Error::input(place, problem, "correct the SQL")
        }
        DataFusionError::IoError(problem) => Error::environment(place, problem, "check the disk and its free space"),
        other => Error::input(place, other, "check the values that the query meets"),
    }
}

/// The rows of some batches, at most `limit`.
pub(crate) fn to_rows(batches: &[RecordBatch], limit: usize) -> QueryResult {
    let columns = batches.first().map(|batch| batch.schema().fields().iter().map(|f| f.name().clone()).collect());
    let total: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let rows = batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row))).take(limit);
    let cells = |(batch, row): (&RecordBatch, usize)| batch.columns().iter().map(|c| types::value(c, row)).collect();
    QueryResult {
        columns: columns.unwrap_or_default(),
        rows: rows.map(cells).collect(),
        truncated: total > limit,
        cost: Cost::default(),
    }
}

/// The bytes that a finished plan read from files.
pub(crate) fn bytes_scanned(plan: &dyn ExecutionPlan) -> u64 {
    let own = plan.metrics().and_then(|metrics| metrics.sum_by_name("bytes_scanned"));
    let own = own.map_or(0, |value| value.as_usize() as u64);
    own + plan.children().into_iter().map(|child| bytes_scanned(child.as_ref())).sum::<u64>()
}

fn tables_of(plan: &LogicalPlan) -> datafusion::error::Result<Vec<TableName>> {
    let mut names = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let database = scan.table_name.schema().unwrap_or(super::discovery::DEFAULT_DATABASE);
            names.push(TableName::new(database, scan.table_name.table()));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(names)
}

/// Reads Parquet files to the end and remembers those that cannot be; whether there was one.
fn exclude_damaged<'a>(paths: impl Iterator<Item = &'a Path>, memory: &Memory) -> bool {
    let read = |path: &Path| -> std::result::Result<(), String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
        builder
            .build()
            .map_err(|error| error.to_string())?
            .try_for_each(|batch| batch.map(drop).map_err(|error| format!("is damaged: {error}")))
    };
    let mut found = false;
    for path in paths {
        if let Err(reason) = read(path) {
            memory.exclude(path, &reason);
            found = true;
        }
    }
    found
}

/// The lake's databases and tables as DataFusion looks them up: found anew by each query, so never stale.
#[derive(Debug)]
struct Tables(Arc<Inner>);

#[derive(Debug)]
struct Database(Arc<Inner>, String);

impl CatalogProviderList for Tables {
    fn register_catalog(&self, _: String, _: Arc<dyn CatalogProvider>) -> Option<Arc<dyn CatalogProvider>> {
        None
    }

    fn catalog_names(&self) -> Vec<String> {
        vec!["lake".into()]
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        (name == "lake").then(|| Arc::new(Tables(self.0.clone())) as Arc<dyn CatalogProvider>)
    }
}

impl CatalogProvider for Tables {
    fn schema_names(&self) -> Vec<String> {
        let tables = self.0.tables().unwrap_or_default();
        let mut names: Vec<_> = tables.keys().map(|name| name.database.clone()).collect();
        names.dedup();
        names
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        Some(Arc::new(Database(self.0.clone(), name.to_owned())))
    }
}

#[async_trait]
impl SchemaProvider for Database {
    fn table_names(&self) -> Vec<String> {
        let tables = self.0.tables().unwrap_or_default();
        tables.keys().filter(|name| name.database == self.1).map(|name| name.table.clone()).collect()
    }

    async fn table(&self, name: &str) -> datafusion::error::Result<Option<Arc<dyn TableProvider>>> {
        let loaded = self.0.load(&TableName::new(&self.1, name)).await;
        let loaded = loaded.map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(Some(Arc::new(LakeTable::new(loaded))))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.table_names().iter().any(|table| table == name)
    }
}
