//! The folder that a command works on: its settings and its lake.

use std::path::Path;

use contract::schema::TableName;
use engine::lake::Lake;
use engine::lake::local::{LocalLake, LocalLakeOptions};
use engine::project::Project;
use engine::stage::analyze::{self, Jobs};
use engine::{Error, Result};

/// A project with its lake.
pub(crate) struct Folder {
    pub(crate) project: Project,
    pub(crate) lake: LocalLake,
}

impl Folder {
    /// The project of `dir` and its lake.
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let project = Project::open(dir)?;
        let lake = LocalLake::open(lake_options(&project))?;
        Ok(Self { project, lake })
    }

    /// The tables that somebody named, `table` or `database.table`; all tables of the lake where no name is given.
    ///
    /// # Errors
    /// A lake without tables, a name that no table has, and a bare name that tables of several databases share.
    pub(crate) async fn tables(&self, names: &[String]) -> Result<Vec<TableName>> {
        let known = self.lake.catalog().tables().await?;
        self.named(names, &known).await
    }

    /// As [`Folder::tables`], with the tables that are no data yet: those that a job writes or a contract promises.
    pub(crate) async fn tables_and_targets(&self, names: &[String], jobs: &Jobs) -> Result<Vec<TableName>> {
        let known = analyze::tables(&self.project, &self.lake, jobs).await?;
        self.named(names, &known).await
    }

    /// The one table that somebody named.
    pub(crate) async fn one_table(&self, name: &str) -> Result<TableName> {
        self.table(name, &self.lake.catalog().tables().await?).await
    }

    /// The error for a lake without tables.
    pub(crate) fn no_table(&self) -> Error {
        let next = "put CSV, JSON or Parquet files there as <database>/<table>/, or set `lake.root`";
        Error::input(self.lake.root().display(), "the lake holds no table", next)
    }

    async fn named(&self, names: &[String], known: &[TableName]) -> Result<Vec<TableName>> {
        if known.is_empty() {
            return Err(self.no_table());
        }
        if names.is_empty() {
            return Ok(known.to_vec());
        }
        let mut tables = Vec::new();
        for name in names {
            tables.push(self.table(name, known).await?);
        }
        Ok(tables)
    }

    async fn table(&self, name: &str, known: &[TableName]) -> Result<TableName> {
        let folded = name.to_lowercase();
        let named: Vec<_> = known.iter().filter(|table| table.table == folded || table.to_string() == folded).collect();
        match named.as_slice() {
            [table] => Ok((*table).clone()),
            [] => {
                let (database, table) = folded.split_once('.').unwrap_or(("default", &folded));
                let table = TableName::new(database, table);
                self.lake.catalog().table(&table).await.map(|table| table.name)
            }
            several => {
                let names: Vec<_> = several.iter().map(|table| table.to_string()).collect();
                let next = format!("say which one: {}", names.join(", "));
                Err(Error::input(format!("table {name}"), "several databases have it", next))
            }
        }
    }
}

/// How the project's settings open its lake.
pub(crate) fn lake_options(project: &Project) -> LocalLakeOptions {
    let memory = project.settings.limits.memory_mb.saturating_mul(1 << 20);
    LocalLakeOptions {
        memory_bytes: usize::try_from(memory).unwrap_or(usize::MAX),
        ..LocalLakeOptions::new(project.lake_root(), project.store_root())
    }
}
