//! A folder of Parquet, CSV and JSON-lines files as a lake, queried by DataFusion.
//!
//! # Which tables a folder holds
//!
//! | in the folder | table |
//! |---|---|
//! | `sales/orders/…`, files at any depth, with or without `key=value` partition folders | `sales.orders` |
//! | `orders.csv` in the root | `default.orders` |
//! | `data/orders.csv` beside files of other columns | `data.orders` |
//! | `orders/…` whose files share their columns, or that has partition folders | `default.orders` |
//! | `_catalog/sales.orders.json`, in the shape of Glue's `GetTable` | `sales.orders`, its types declared |
//!
//! Files are CSV with a header line (separated by comma, semicolon, tab or bar), JSON lines or Parquet; text may be
//! gzip. Names that start with `.` or `_`, `*.crc` and zero-byte files are no data. An empty CSV field is NULL.

mod discovery;
mod engine;
mod frequent;
mod glue;
mod incoming;
mod infer;
mod listing;
mod load;
mod provider;
pub mod sandbox;
mod store;
#[cfg(test)]
mod tests;
mod text;
mod text_source;
mod types;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use contract::schema::TableName;
use datafusion::prelude::SessionContext;

use self::discovery::{Found, discover};
use self::load::{LoadedTable, Memory, load};
pub use self::store::LocalStore;
use crate::lake::incoming::Loader;
use crate::lake::{ArtifactStore, Catalog, Lake, QueryEngine, Table};
use crate::{Error, Result};

/// How a folder is opened as a lake.
#[derive(Clone, Debug)]
pub struct LocalLakeOptions {
    /// The folder of data.
    pub root: PathBuf,
    /// The folder of artifacts.
    pub store: PathBuf,
    /// Memory in bytes that queries may hold before they spill to disk.
    pub memory_bytes: usize,
    /// Where queries spill; the system's temporary folder where absent.
    pub spill: Option<PathBuf>,
    /// Threads that a query uses; as many as the machine has where absent.
    pub threads: Option<usize>,
    /// The program that runs SQL from outside as `PROGRAM internal-query`; the running one where absent.
    pub program: Option<PathBuf>,
    /// The instant that [`Lake::now`] answers; the clock's where absent.
    pub now: Option<DateTime<Utc>>,
    /// Whether the folder is listed once, and again only after [`LocalLake::forget_listing`]; each time otherwise.
    pub keep_listing: bool,
}

impl LocalLakeOptions {
    /// A lake in `root` with its artifacts in `store`, and defaults for the rest: 1 GiB of memory, all threads.
    pub fn new(root: impl Into<PathBuf>, store: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            store: store.into(),
            memory_bytes: 1 << 30,
            spill: None,
            threads: None,
            program: None,
            now: None,
            keep_listing: false,
        }
    }
}

/// A folder as a lake.
pub struct LocalLake {
    inner: Arc<Inner>,
    context: SessionContext,
    store: LocalStore,
}

/// What the catalog and the query engine share.
#[derive(Debug)]
pub(crate) struct Inner {
    options: LocalLakeOptions,
    root: PathBuf,
    memory: Memory,
    /// The only tables that queries see; all where absent.
    visible: Option<Vec<TableName>>,
    listing: Mutex<Arc<OnceLock<Tables>>>,
}

type Tables = Result<Arc<BTreeMap<TableName, Found>>>;

impl LocalLake {
    /// Opens a folder.
    ///
    /// # Errors
    /// A root that does not exist or is no folder; a spill folder that cannot be written.
    pub fn open(options: LocalLakeOptions) -> Result<Self> {
        let store = LocalStore::open(&options.store);
        let inner = Arc::new(Inner::new(options, None)?);
        let context = engine::context(&inner)?;
        Ok(Self { inner, context, store })
    }

    /// Has the folder listed anew where the listing is kept.
    pub fn forget_listing(&self) {
        *self.inner.listing.lock().unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }

    /// The canonical path of the data folder.
    pub fn root(&self) -> &Path {
        &self.inner.root
    }
}

impl Lake for LocalLake {
    fn catalog(&self) -> &dyn Catalog {
        self
    }

    fn engine(&self) -> &dyn QueryEngine {
        self
    }

    fn loader(&self) -> &dyn Loader {
        self
    }

    fn store(&self) -> &dyn ArtifactStore {
        &self.store
    }

    fn now(&self) -> DateTime<Utc> {
        self.inner.options.now.unwrap_or_else(Utc::now)
    }
}

#[async_trait]
impl Catalog for LocalLake {
    async fn tables(&self) -> Result<Vec<TableName>> {
        let inner = self.inner.clone();
        blocking(move || Ok(inner.tables()?.keys().cloned().collect())).await
    }

    async fn table(&self, name: &TableName) -> Result<Table> {
        Ok(self.inner.load(name).await?.table)
    }
}

impl Inner {
    fn new(options: LocalLakeOptions, visible: Option<Vec<TableName>>) -> Result<Self> {
        let root = std::fs::canonicalize(&options.root).ok().filter(|root| root.is_dir()).ok_or_else(|| {
            Error::input(
                options.root.display(),
                "the lake's folder does not exist",
                "create it, or set `lake.root` in de-copilot.toml to the folder of the data",
            )
        })?;
        Ok(Self { options, root, memory: Memory::default(), visible, listing: Mutex::default() })
    }

    /// All tables, whether visible or not. The artifact store may lie in the lake's folder.
    fn tables(&self) -> Tables {
        let list = || {
            let store = std::fs::canonicalize(&self.options.store).ok();
            discover(&self.root, store.as_deref()).map(Arc::new)
        };
        if !self.options.keep_listing {
            return list();
        }
        let listing = Arc::clone(&self.listing.lock().unwrap_or_else(PoisonError::into_inner));
        listing.get_or_init(list).clone()
    }

    async fn load(self: &Arc<Self>, name: &TableName) -> Result<LoadedTable> {
        let (inner, name) = (self.clone(), name.clone());
        blocking(move || {
            let tables = inner.tables()?;
            let is_visible = |name: &TableName| inner.visible.as_ref().is_none_or(|visible| visible.contains(name));
            let found = tables.get(&name).filter(|_| is_visible(&name));
            let visible = || tables.keys().filter(|name| is_visible(name));
            let found = found.ok_or_else(|| unknown_table(&name, &inner.root, visible()))?;
            load(&inner.root, &name, found, &inner.memory)
        })
        .await
    }
}

/// Runs file work off the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::environment("file reader", error, "run again"))?
}

/// The error for a table that the lake does not have: the nearest names, or why the name cannot be one.
fn unknown_table<'a>(name: &TableName, root: &Path, known: impl Iterator<Item = &'a TableName>) -> Error {
    let shown = name.to_string();
    if [&name.database, &name.table].iter().any(|part| part.contains(['/', '\\', '\0']) || part.contains("..")) {
        let problem = "a table's name cannot be a path; it would leave the lake";
        return Error::input(format!("table {shown:?}"), problem, "name it as database.table");
    }
    let mut near: Vec<_> = known.map(|known| (strsim::jaro_winkler(&shown, &known.to_string()), known)).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let near: Vec<_> = near.iter().take(3).map(|(_, known)| known.to_string()).collect();
    let next = match near.is_empty() {
        true => format!("put data files under {}", root.join(&name.database).join(&name.table).display()),
        false => format!("did you mean {}?", near.join(", ")),
    };
    Error::input(format!("table {shown}"), format!("is not in the lake {}", root.display()), next)
}
