//! What scripts do not say of the world around them, answered from a project and its lake: for the stages, which answer
//! all questions of an analysis, and for the editor, which asks them one by one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use analyzer::LastRun;
use contract::document::{Contract, Profile};
use contract::schema::{Column, Provenance, TableName, TableSchema};
use contract::types::DataType;

use super::artifacts::{self, Keys};
use super::history::{self, DayHistory};
use crate::Result;
use crate::lake::Lake;
use crate::project::Project;

/// The lake's name of a table that a script names: `[lake.databases]` says which database it means.
pub fn lake_name(project: &Project, name: &TableName) -> TableName {
    let databases = &project.settings.lake.databases;
    let meant = databases.iter().find(|(written, _)| written.eq_ignore_ascii_case(&name.database));
    meant.map_or_else(|| name.clone(), |(_, database)| TableName::new(database, &name.table))
}

/// Columns of a catalog table: the lake's, else those that its contract promises. `None` where neither knows it.
///
/// # Errors
/// A table of the lake, or a contract, that cannot be read.
pub async fn table(project: &Project, lake: &dyn Lake, name: &TableName) -> Result<Option<TableSchema>> {
    let name = lake_name(project, name);
    if lake.catalog().tables().await?.contains(&name) {
        return Ok(Some(lake.catalog().table(&name).await?.schema));
    }
    Ok(contract(project, lake, &name).await?.map(|contract| promised_schema(&contract)))
}

/// Columns of the files under a path, as a script spells it: those of the lake's table that lies there.
pub async fn path(project: &Project, lake: &dyn Lake, address: &str) -> Result<Option<TableSchema>> {
    let Some(name) = table_at(project, lake, address).await? else { return Ok(None) };
    Ok(Some(lake.catalog().table(&name).await?.schema))
}

/// The lake's table whose files lie at a path, as a script spells it: `[locations]` says which folder an `s3://` prefix
/// stands for. A path within the table's folder is the table's too.
pub async fn table_at(project: &Project, lake: &dyn Lake, address: &str) -> Result<Option<TableName>> {
    let local = project.local_path(address).or_else(|| {
        let path = Path::new(address.strip_prefix("file://").unwrap_or(address));
        (!address.contains("://")).then(|| project.root.join(path))
    });
    let Some(local) = local.map(|local| local.canonicalize().unwrap_or(local)) else { return Ok(None) };
    let tables = lake.catalog().tables().await?;
    // Nearly every path lies in the lake's folder, where its parts are the table's name. The others cost a look at each
    // table.
    if let Some(name) = name_in(&project.lake_root(), &local).filter(|name| tables.contains(name)) {
        return Ok(Some(name));
    }
    for name in tables {
        // A table that cannot be read has no say here; the stage that reads it tells what is wrong.
        let Ok(table) = lake.catalog().table(&name).await else { continue };
        let location = PathBuf::from(&table.location);
        if local.starts_with(location.canonicalize().unwrap_or(location)) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// The table that lies at `<database>/<table>` in the lake's folder.
fn name_in(root: &Path, local: &Path) -> Option<TableName> {
    let root = root.canonicalize().ok()?;
    let mut parts = local.strip_prefix(root).ok()?.components().map(|part| part.as_os_str().to_string_lossy());
    Some(TableName::new(&parts.next()?, &parts.next()?))
}

/// The stored contract of a catalog table. Parts of it that cannot be read are left aside.
///
/// # Errors
/// A contract that cannot be read, or that a newer program wrote.
pub async fn contract(project: &Project, lake: &dyn Lake, name: &TableName) -> Result<Option<Arc<Contract>>> {
    // A name that somebody is still typing.
    if name.table.is_empty() {
        return Ok(None);
    }
    let name = lake_name(project, name);
    let keys = Keys::new(&name, &lake.catalog().tables().await?);
    Ok(artifacts::contract(lake.store(), &keys).await?.map(|stored| Arc::new(stored.contract)))
}

/// The value of a job's argument in the chosen environment. Glue itself passes `JOB_NAME`.
pub fn argument(project: &Project, job: &str, name: &str) -> Option<String> {
    let configured = project.arguments(job).shift_remove(name);
    configured.or_else(|| (name == "JOB_NAME").then(|| job.to_owned()))
}

/// The tables of the lake, as scripts name them: `[lake.databases]` says how.
///
/// # Errors
/// A catalog that cannot be listed.
pub async fn tables(project: &Project, lake: &dyn Lake) -> Result<Vec<TableName>> {
    let written = |table: TableName| {
        let names = project.settings.lake.databases.iter().filter(|(_, meant)| **meant == table.database);
        let names: Vec<_> = names.map(|(written, _)| TableName::new(written, &table.table)).collect();
        if names.is_empty() { vec![table] } else { names }
    };
    Ok(lake.catalog().tables().await?.into_iter().flat_map(written).collect())
}

/// The file of a table's contract, as it lies in the project's artifact store.
pub fn contract_file(project: &Project, name: &TableName) -> Option<PathBuf> {
    let name = lake_name(project, name);
    // A table that shares its name is known by the long one, and then nothing lies under the short one.
    let keys = [name.to_string(), name.table].map(|name| Keys { name }.contracts());
    keys.into_iter().flatten().map(|key| project.store_root().join(key)).find(|file| file.is_file())
}

/// The newest profile of a table.
///
/// # Errors
/// A history that cannot be read.
pub async fn profile(project: &Project, lake: &dyn Lake, name: &TableName) -> Result<Option<Arc<Profile>>> {
    Ok(history::newest(lake, &lake_name(project, name), |day| day.profile).await?.map(Arc::new))
}

/// How the tests of a table went the last time.
///
/// # Errors
/// A history that cannot be read.
pub async fn last_run(project: &Project, lake: &dyn Lake, name: &TableName) -> Result<Option<Arc<LastRun>>> {
    let last = |day: DayHistory| {
        let (_, run) = day.runs.into_iter().max_by(|(_, a), (_, b)| a.started_at.cmp(&b.started_at))?;
        Some(LastRun { date: day.date, passed: run.passed, failed: run.failed.into_keys().collect() })
    };
    Ok(history::newest(lake, &lake_name(project, name), last).await?.map(Arc::new))
}

/// The columns that a contract promises, in its order. A type that cannot be read is unknown.
pub fn promised_schema(contract: &Contract) -> TableSchema {
    let columns = contract.columns.iter().map(|(name, column)| Column {
        name: name.clone(),
        data_type: DataType::parse(&column.data_type).unwrap_or_default(),
        nullable: Some(column.nullable),
        comment: column.description.clone(),
        partition_key: false,
    });
    TableSchema { columns: columns.collect(), provenance: Provenance::Contract }
}
