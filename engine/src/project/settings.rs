//! The settings of `de-copilot.toml`.
//!
//! This is the one place where a setting is declared, documented and given its default. The checks of a file
//! ([`super::parse`]), the example that `init` writes and the reference page ([`super::reference`]) all come from the
//! JSON Schema of these types, whose descriptions are the doc comments below.

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};

/// All settings. Every one has a default that works on a folder.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The environment whose argument values are used, one of `[environments]`. Where it is empty, the first one.
    pub environment: String,
    /// Where the data lies.
    pub lake: LakeSettings,
    /// Where contracts, tests, documents and results are kept.
    pub store: StoreSettings,
    /// The Glue scripts.
    pub jobs: JobSettings,
    /// Argument values of the jobs, by environment: `[environments.dev]`.
    pub environments: IndexMap<String, EnvironmentSettings>,
    /// Where an `s3://` prefix that a script or the catalog names lies on this machine: a folder relative to this file.
    /// `"s3://my-lake/raw/" = "lake/raw_db"`.
    pub locations: IndexMap<String, String>,
    /// The layer of a database, `raw`, `staging` or `curated`, where its name does not say. `sales = "curated"`.
    pub layers: IndexMap<String, String>,
    /// What is to be loaded into a table: a folder or file, checked against the contract before the load.
    /// `"analytics_db.payments" = "incoming/payments"`.
    pub incoming: IndexMap<String, String>,
    /// The check of incoming rows before a load.
    pub preload: PreloadSettings,
    /// What is proposed for a table, and on what evidence.
    pub generate: GenerateSettings,
    /// What is told of scripts, and how bad it is taken to be.
    pub diagnostics: DiagnosticSettings,
    /// What a query may use.
    pub limits: LimitSettings,
}

/// Where the data lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LakeSettings {
    /// The folder of the lake, relative to this file: `<database>/<table>/` with Parquet, CSV or JSON files. A table
    /// that lies in it without a database folder belongs to the database `default`.
    pub root: String,
    /// Which of the lake's databases a script means by a database's name. `prod_sales = "sales"`.
    pub databases: IndexMap<String, String>,
}

/// Where contracts, tests, documents and results are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// The folder of the artifact store, relative to this file. It must not lie in a table's folder.
    pub root: String,
}

/// The Glue scripts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JobSettings {
    /// Which files are searched for jobs, as globs relative to this file. A Python file counts as a job only where it
    /// imports `awsglue` or `pyspark`; the others can be imported by jobs.
    pub scripts: Vec<String>,
    /// The table that a job writes, where its script does not say. `payments_etl = "analytics_db.payments"`.
    pub targets: IndexMap<String, String>,
}

/// Argument values of the jobs in one environment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EnvironmentSettings {
    /// Values that hold for every job, by argument name without the dashes. `DB = "analytics_db"`.
    pub arguments: IndexMap<String, String>,
    /// Values for one job, by job name; they win over `arguments`. `payments_etl = { TABLE = "payments" }`.
    pub jobs: IndexMap<String, IndexMap<String, String>>,
}

/// The check of incoming rows before a load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PreloadSettings {
    /// Largest share of bad rows, 0 to 1; above it the load stops.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_bad_share: f64,
}

/// What is proposed for a table, and on what evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GenerateSettings {
    /// Who proposes contracts. `builtin` needs no key and no network.
    pub generator: GeneratorName,
    /// Who answers for a table whose contract names nobody.
    pub owner: String,
    /// Fewest rows from which statistics suggest a rule; what the script proves is proposed with any number.
    pub min_rows: u64,
    /// Most distinct values that a column with a list of allowed values may have.
    pub max_allowed_values: u64,
    /// Largest tolerated deviation of a table's rows from their average, as a share: 0.2 is 20 %.
    #[schemars(range(min = 0.0))]
    pub row_count_deviation: f64,
    /// Days of that average.
    #[schemars(range(min = 2, max = 366))]
    pub row_count_window_days: u32,
    /// Hour of the day, UTC, by which daily data is there.
    #[schemars(range(min = 0, max = 23))]
    pub sla_hour_utc: u8,
}

/// The generators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GeneratorName {
    /// Proposes from code and statistics alone.
    #[default]
    Builtin,
}

/// What is told of scripts, and how bad it is taken to be. [docs/diagnostics.md](diagnostics.md) lists the codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DiagnosticSettings {
    /// How bad a diagnostic is, by its code: `error`, `warning`, `hint` or `off`. `append-again = "off"`.
    pub severities: IndexMap<String, SeverityName>,
    /// The same for the scripts of a folder, relative to this file; the longest folder wins.
    /// `"jobs/legacy" = { append-again = "off" }`.
    pub folders: IndexMap<String, IndexMap<String, SeverityName>>,
    /// The file of findings that are accepted, relative to this file: they are not told again. `de-copilot analyze
    /// --accept` writes it.
    pub baseline: String,
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeverityName {
    /// Spark refuses it.
    Error,
    /// Data is at risk, or a contract is refuted.
    Warning,
    /// A habit.
    Hint,
    /// Not told.
    Off,
}

/// What a query may use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Memory of the embedded engine, in megabytes; larger work spills to disk.
    #[schemars(range(min = 64))]
    pub memory_mb: u64,
    /// Wall-clock seconds of one query that a person or a model wrote.
    #[schemars(range(min = 1, max = 3600))]
    pub query_seconds: u64,
}

impl Default for LakeSettings {
    fn default() -> Self {
        Self { root: "lake".into(), databases: IndexMap::new() }
    }
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self { root: "de-copilot".into() }
    }
}

impl Default for JobSettings {
    fn default() -> Self {
        Self { scripts: vec!["**/*.py".into()], targets: IndexMap::new() }
    }
}

impl Default for PreloadSettings {
    fn default() -> Self {
        Self { max_bad_share: 0.1 }
    }
}

impl Default for GenerateSettings {
    fn default() -> Self {
        Self {
            generator: GeneratorName::Builtin,
            owner: "data-eng-team".into(),
            min_rows: 100,
            max_allowed_values: 25,
            row_count_deviation: 0.2,
            row_count_window_days: 7,
            sla_hour_utc: 6,
        }
    }
}

impl Default for DiagnosticSettings {
    fn default() -> Self {
        Self { severities: IndexMap::new(), folders: IndexMap::new(), baseline: "de-copilot-baseline.json".into() }
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self { memory_mb: 1024, query_seconds: 60 }
    }
}

/// The JSON Schema of the settings, without references.
pub fn schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<Settings>()
}
