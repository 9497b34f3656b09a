//! The artifact store's layout, and reading and writing its documents.

use contract::document::{Contract, DocumentProblem, TestSuite};
use contract::schema::TableName;
use serde_json::Value as Json;

use crate::lake::{ArtifactStore, Expected, Put};
use crate::{Error, Result};

/// How often a write is tried again on content that somebody else wrote meanwhile.
const MAX_CONFLICTS: usize = 8;

/// The keys of one table's artifacts. Where two tables share a name in different databases, both are known by
/// `<database>.<table>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The table's name in keys.
    pub name: String,
}

impl Keys {
    /// The keys of a table among all tables of the lake.
    pub fn new(table: &TableName, all: &[TableName]) -> Self {
        let shared = all.iter().any(|other| other.table == table.table && other.database != table.database);
        Self { name: if shared { table.to_string() } else { table.table.clone() } }
    }

    /// `contracts/<table>.json`.
    pub fn contract(&self) -> String {
        format!("contracts/{}.json", self.name)
    }

    /// Where the contract may lie: as this program writes it, or in YAML as people write it.
    pub fn contracts(&self) -> [String; 3] {
        ["json", "yaml", "yml"].map(|extension| format!("contracts/{}.{extension}", self.name))
    }

    /// `tests/<table>.json`.
    pub fn tests(&self) -> String {
        format!("tests/{}.json", self.name)
    }

    /// `docs/<table>.md`.
    pub fn docs(&self) -> String {
        format!("docs/{}.md", self.name)
    }

    /// `proposals/<table>.json`: what was proposed last, kept and refused, and the contract as it was generated.
    pub fn proposals(&self) -> String {
        format!("proposals/{}.json", self.name)
    }

    /// `contexts/<table>/<script-hash>.json`; a table that no script writes has `no-script`.
    pub fn context(&self, script_hash: Option<&str>) -> String {
        format!("contexts/{}/{}.json", self.name, script_hash.unwrap_or("no-script"))
    }

    /// `results/<table>/<date>.json`.
    pub fn results(&self, date: &str) -> String {
        format!("results/{}/{date}.json", self.name)
    }

    /// `stats-history/<table>/<date>.json`.
    pub fn stats(&self, date: &str) -> String {
        format!("stats-history/{}/{date}.json", self.name)
    }

    /// `quarantine/<table>/<date>/<load>.jsonl`: the rows that a load left out.
    pub fn quarantine(&self, date: &str, load_id: &str) -> String {
        format!("quarantine/{}/{date}/{load_id}.jsonl", self.name)
    }

    /// `loads/<table>/<load>.json`: what became of an incoming file.
    pub fn load(&self, load_id: &str) -> String {
        format!("loads/{}/{load_id}.json", self.name)
    }

    /// The prefix of a table's loads.
    pub fn loads(&self) -> String {
        format!("loads/{}/", self.name)
    }

    /// The prefix of a table's history of statistics.
    pub fn all_stats(&self) -> String {
        format!("stats-history/{}/", self.name)
    }
}

/// The text at a key; `None` where there is none.
pub async fn read_text(store: &dyn ArtifactStore, key: &str) -> Result<Option<String>> {
    let Some(artifact) = store.get(key).await? else { return Ok(None) };
    String::from_utf8(artifact.content).map(Some).map_err(|_| {
        Error::input(store.locate(key), "is not UTF-8", "restore it from its history, or delete it and run again")
    })
}

/// The JSON document at a key; `None` where there is none.
pub async fn read_json(store: &dyn ArtifactStore, key: &str) -> Result<Option<Json>> {
    let Some(text) = read_text(store, key).await? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        Error::input(
            format!("{}:{}", store.locate(key), error.line()),
            format!("is not valid JSON: {error}"),
            "correct it, or delete it and run again",
        )
    })
}

/// Writes text whatever stands there.
pub async fn write_text(store: &dyn ArtifactStore, key: &str, text: &str) -> Result<()> {
    store.put(key, text.as_bytes(), Expected::Any).await.map(|_| ())
}

/// Changes the document at a key: `change` gets what stands there and returns what shall stand there. Where somebody
/// else writes meanwhile, `change` is asked again with the new content. Unchanged content is not written; returns whether
/// anything was.
pub async fn update(
    store: &dyn ArtifactStore,
    key: &str,
    change: &(dyn Fn(Option<&str>) -> Result<String> + Send + Sync),
) -> Result<bool> {
    for _ in 0..MAX_CONFLICTS {
        let old = store.get(key).await?;
        let text = old.as_ref().map(|artifact| String::from_utf8_lossy(&artifact.content));
        let new = change(text.as_deref())?;
        if text.as_deref() == Some(new.as_str()) {
            return Ok(false);
        }
        let expected = old.map_or(Expected::Absent, |artifact| Expected::Version(artifact.version));
        if let Put::Written(_) = store.put(key, new.as_bytes(), expected).await? {
            return Ok(true);
        }
    }
    Err(Error::environment(store.locate(key), "is written by others all the time", "run again when they are done"))
}

/// A document as it is stored: indented, with a line end.
pub fn to_text(document: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

/// The document at a key, in exactly the shape that this program writes; `None` where there is none.
pub async fn read_document<T: serde::de::DeserializeOwned>(store: &dyn ArtifactStore, key: &str) -> Result<Option<T>> {
    let Some(text) = read_text(store, key).await? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        Error::input(
            format!("{}:{}", store.locate(key), error.line()),
            format!("cannot be read: {error}"),
            "restore it from its history, or delete it and run again",
        )
    })
}

/// A contract as it is stored.
#[derive(Clone, Debug)]
pub struct StoredContract {
    /// Its key: `contracts/<table>.json`, or `.yaml` or `.yml` where a person wrote it so.
    pub key: String,
    /// What it says.
    pub contract: Contract,
    /// Parts of it that could not be read; they stay as they are.
    pub problems: Vec<DocumentProblem>,
}

impl StoredContract {
    /// Whether only people write it: a program that wrote YAML anew would lose their remarks and layout.
    pub fn is_yaml(&self) -> bool {
        !self.key.ends_with(".json")
    }

    /// Its problems, each with the file and its line.
    pub fn notes(&self) -> Vec<String> {
        self.problems.iter().map(|problem| format!("{}: {problem}", self.key)).collect()
    }
}

/// A table's contract; `None` where there is none.
///
/// # Errors
/// A contract that cannot be read, and two of the same table.
pub async fn contract(store: &dyn ArtifactStore, keys: &Keys) -> Result<Option<StoredContract>> {
    let mut found: Option<(String, String)> = None;
    for key in keys.contracts() {
        let Some(text) = read_text(store, &key).await? else { continue };
        if let Some((other, _)) = &found {
            return Err(Error::input(
                store.locate(&key),
                format!("states the same table as {}", store.locate(other)),
                "keep one of the two",
            ));
        }
        found = Some((key, text));
    }
    let Some((key, text)) = found else { return Ok(None) };
    let read = if key.ends_with(".json") { Contract::from_json(&text) } else { Contract::from_yaml(&text) };
    let (contract, problems) = read.map_err(|error| {
        let next = "correct it, restore it from its history, or delete it and run `de-copilot generate`";
        Error::input(store.locate(&key), error, next)
    })?;
    Ok(Some(StoredContract { key, contract, problems }))
}

/// A table's tests; `None` where there are none.
pub async fn tests(store: &dyn ArtifactStore, keys: &Keys) -> Result<Option<TestSuite>> {
    let key = keys.tests();
    let Some(text) = read_text(store, &key).await? else { return Ok(None) };
    let next = "correct it, or delete it and run `de-copilot generate`";
    let suite = TestSuite::from_json(&text).map_err(|error| Error::input(store.locate(&key), error, next))?;
    Ok(Some(suite.0))
}

/// The tests, if they were compiled from this state of the contract; a bare list states none and is taken as it is.
pub fn fresh(store: &dyn ArtifactStore, keys: &Keys, stored: &StoredContract, suite: TestSuite) -> Result<TestSuite> {
    if suite.contract_hash.is_empty() || suite.contract_hash == stored.contract.hash() {
        return Ok(suite);
    }
    Err(Error::input(
        store.locate(&keys.tests()),
        format!("was compiled from another state of {}", store.locate(&stored.key)),
        format!("run `de-copilot generate {}`; what people wrote into the contract stays", keys.name),
    ))
}

/// The error of a table that nobody stated anything about.
pub fn no_contract(store: &dyn ArtifactStore, keys: &Keys, table: &TableName) -> Error {
    Error::input(
        store.locate(&keys.contract()),
        format!("there is no contract of {table}"),
        format!("run `de-copilot generate {table}`"),
    )
}
