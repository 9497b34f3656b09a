//! What a script does, derived from its plan: plain data for reports, editors and checks.

mod checks;
mod derived;
pub(crate) mod filters;
pub(crate) mod grain;
mod joins;
pub(crate) mod keys;
pub(crate) mod lineage;
mod writes;

use contract::types::DataType;

pub(crate) use checks::check;
pub use derived::Derived;
pub(crate) use filters::filters_of_outputs;
pub use grain::grain;
pub(crate) use joins::joins;
pub use lineage::sources;
pub(crate) use writes::{column as output_column, inputs, outputs};

use crate::checks::Check;
use crate::condition::Condition;
use crate::plan::NodeId;
use crate::range::TextRange;

/// What kind of store a dataset lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatasetKind {
    /// A table of the Glue Data Catalog.
    Catalog,
    /// Files under a path.
    S3,
    /// A table of a relational database.
    Jdbc,
    /// A DynamoDB table.
    DynamoDb,
    /// A Kafka topic or Kinesis stream.
    Kafka,
    /// Anything else.
    Other,
}

impl DatasetKind {
    /// As reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            DatasetKind::Catalog => "catalog",
            DatasetKind::S3 => "s3",
            DatasetKind::Jdbc => "jdbc",
            DatasetKind::DynamoDb => "dynamodb",
            DatasetKind::Kafka => "kafka",
            DatasetKind::Other => "other",
        }
    }
}

/// A table, path or stream that a script names. Unknown parts of a name stand as placeholders: `<arg:BUCKET>`,
/// `<env:NAME>`, `<workflow_prop:NAME>`, `<run_date>`, `<key>` for the rest of a key that a listing of S3 names, and `<?>` for what could not be followed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dataset {
    /// Where it lives.
    pub kind: DatasetKind,
    /// Database, for catalog and relational tables.
    pub database: Option<String>,
    /// Table, topic or stream.
    pub table: Option<String>,
    /// Path, for files and for tables that are also written to a path.
    pub path: Option<String>,
    /// Its one name: `database.table` for catalogs, the path for files, `dynamodb:TABLE`, `CONNECTION.TABLE`.
    pub name: String,
    /// File or table format, lower case: `parquet`, `csv`, `hudi`.
    pub format: Option<String>,
}

impl Dataset {
    /// Whether every part of the name is known or a named placeholder.
    pub fn is_resolved(&self) -> bool {
        !self.name.is_empty() && !self.name.contains(crate::value::UNKNOWN_HOLE)
    }

    /// The name that people use in a job summary: the bare table of a catalog, else the whole name.
    pub fn short_name(&self) -> &str {
        match (&self.kind, &self.table) {
            (DatasetKind::Catalog, Some(table)) => table,
            _ => &self.name,
        }
    }
}

/// A dataset that the script reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// What is read.
    pub dataset: Dataset,
    /// The call that reads it first.
    pub range: TextRange,
    /// Predicate that prunes partitions on reading, as written.
    pub pushdown: Option<String>,
    /// The bookmark's name (`transformation_ctx`), where the read takes part in job bookmarks.
    pub bookmark: Option<String>,
    /// When it is read, where that is not in every run.
    pub condition: Option<Condition>,
    /// The scan in the plan.
    pub node: NodeId,
}

/// What a write does to what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Adds rows.
    Append,
    /// Replaces the table, or partitions of it.
    Overwrite,
    /// Updates rows by key and inserts the others.
    Merge,
    /// Removes rows that a condition names.
    Delete,
    /// Changes rows that a condition names.
    Update,
    /// Fails where something is there.
    ErrorIfExists,
    /// Does nothing where something is there.
    Ignore,
    /// Not known from the script.
    Unknown,
}

impl Mode {
    /// As reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Append => "append",
            Mode::Overwrite => "overwrite",
            Mode::Merge => "merge",
            Mode::Delete => "delete",
            Mode::Update => "update",
            Mode::ErrorIfExists => "error",
            Mode::Ignore => "ignore",
            Mode::Unknown => "unknown",
        }
    }
}

/// What a second run of the same job does to the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rerun {
    /// `appends_again`, `replaces_partitions`, `replaces_table`, `merges`, `deletes`, `updates`, `fails`, `keeps` or
    /// `unknown`.
    pub effect: &'static str,
    /// Whether the table is then as after one run; `None` where that is not known.
    pub safe: Option<bool>,
    /// Why, in a sentence.
    pub reason: String,
}

/// A column of a base input.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnSource {
    /// Name of the input ([`Dataset::name`]).
    pub input: String,
    /// Column in it.
    pub column: String,
}

/// A column that the script writes.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputColumn {
    /// Name.
    pub name: String,
    /// Type; [`DataType::Unknown`] where not known.
    pub data_type: DataType,
    /// Whether NULL may occur; `None` where not known.
    pub nullable: Option<bool>,
    /// Base columns that its values are computed from; empty for constants and `count(*)`, `None` where not known.
    pub sources: Option<Vec<ColumnSource>>,
    /// The expression that makes it, in rule text; `None` where not known.
    pub expression: Option<String>,
    /// When it is there, where it is not in every run.
    pub condition: Option<Condition>,
}

/// How sure a grain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// Follows from the script for every input that satisfies the named assumptions.
    Proved,
    /// Promised by a contract or a write option, not by the script.
    Assumed,
    /// Not known.
    Unknown,
}

impl Certainty {
    /// As reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            Certainty::Proved => "proved",
            Certainty::Assumed => "assumed",
            Certainty::Unknown => "unknown",
        }
    }
}

/// The columns of which a frame has at most one row each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grain {
    /// Columns, by their names in the frame; empty where unknown.
    pub columns: Vec<String>,
    /// How sure.
    pub certainty: Certainty,
    /// What must hold of the inputs.
    pub assumptions: Vec<String>,
    /// Why it holds, or why it is not known.
    pub reason: String,
}

/// A predicate that all rows satisfy, at least under its condition.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterFact {
    /// In rule text, with unqualified names as they are at that point.
    pub predicate: String,
    /// The same in the names of the output's columns, where all of them reach it.
    pub mapped: Option<String>,
    /// Its conjuncts of which all columns reach the output, each in the names of the output's columns.
    pub parts: Vec<String>,
    /// Whether it compares the result of a window function, as deduplication does.
    pub ranks: bool,
    /// When rows have passed it, where that is not in every run.
    pub condition: Option<Condition>,
    /// The call that filters.
    pub range: TextRange,
}

/// A write.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// Name of this write within the script: the dataset's name, numbered where it is written more than once.
    pub id: String,
    /// What is written.
    pub dataset: Dataset,
    /// The call that writes.
    pub range: TextRange,
    /// How it treats what is there.
    pub mode: Mode,
    /// What a second run does.
    pub rerun: Rerun,
    /// Whether new partitions are registered in the catalog; `None` where not known or where there are none.
    pub registers_partitions: Option<bool>,
    /// Partition columns.
    pub partition_keys: Vec<String>,
    /// Keys that a merge matches rows by.
    pub merge_keys: Vec<String>,
    /// Columns; `None` where nothing is known.
    pub columns: Option<Vec<OutputColumn>>,
    /// Whether `columns` are what is written, neither more nor fewer.
    pub columns_complete: bool,
    /// The grain.
    pub grain: Grain,
    /// Filters that restrict it.
    pub filters: Vec<FilterFact>,
    /// Names of the inputs that its rows come from.
    pub inputs: Vec<String>,
    /// When it is written, where that is not in every run.
    pub condition: Option<Condition>,
    /// The frame that is written.
    pub node: NodeId,
    /// What the script says of the table's contract; empty where no contract is known.
    pub checks: Vec<Check>,
}

/// How a join treats rows without a partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JoinKind {
    /// Keeps pairs only.
    Inner,
    /// Keeps every left row.
    Left,
    /// Keeps every right row.
    Right,
    /// Keeps every row.
    Full,
    /// Every pair.
    Cross,
    /// Left rows that have a partner.
    LeftSemi,
    /// Left rows that have none.
    LeftAnti,
}

impl JoinKind {
    /// As reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            JoinKind::Inner => "inner",
            JoinKind::Left => "left",
            JoinKind::Right => "right",
            JoinKind::Full => "full",
            JoinKind::Cross => "cross",
            JoinKind::LeftSemi => "left_semi",
            JoinKind::LeftAnti => "left_anti",
        }
    }
}

impl Output {
    /// The filters that all its rows have passed, in every run that writes it.
    pub fn certain_filters(&self) -> impl Iterator<Item = &FilterFact> {
        self.filters.iter().filter(|filter| filter.condition.is_none())
    }
}

/// A join between base inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinFact {
    /// Base inputs of the left side that the keys come from; all of them where the join has no resolved key.
    pub left_inputs: Vec<String>,
    /// The same of the right side.
    pub right_inputs: Vec<String>,
    /// Key columns, by their base names on the left.
    pub left_columns: Vec<String>,
    /// Key columns, by their base names on the right, in the same order.
    pub right_columns: Vec<String>,
    /// Kind.
    pub how: JoinKind,
    /// Whether a left row may meet several right rows; `false` only where the script or a contract excludes it.
    pub fan_out: bool,
    /// Why.
    pub fan_out_reason: String,
    /// Filters inside the side that may stay without a partner.
    pub filters: Vec<FilterFact>,
    /// When the tables are joined, where that is not in every run.
    pub condition: Option<Condition>,
    /// The call.
    pub range: TextRange,
    /// The join in the plan.
    pub node: NodeId,
}

/// The codes of all diagnostics. They are stable: people name them in comments and settings.
pub const CODES: [&str; 28] = [
    "unknown-column",
    "ambiguous-column",
    "misspelt-keyword",
    "union-column-count",
    "column-as-condition",
    "ungrouped-column",
    "never-true",
    "not-in-null",
    "join-key-types",
    "bookmark-overwrite",
    "partial-overwrite",
    "append-again",
    "fan-out-merge",
    "contract-column-missing",
    "contract-column-surplus",
    "contract-type",
    "contract-not-null",
    "contract-grain",
    "contract-value",
    "contract-range",
    "contract-filter-admits",
    "contract-filter-drops",
    "contract-stale",
    "downstream-column",
    "downstream-value",
    "unused-frame",
    "unused-filter",
    "stale-annotation",
];

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// A habit; off by default.
    Hint,
    /// Data is at risk, or a contract is refuted.
    Warning,
    /// Spark refuses it.
    Error,
}

impl Severity {
    /// As reports spell it.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Hint => "hint",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// Another place that explains a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Related {
    /// Where.
    pub range: TextRange,
    /// What is there.
    pub message: String,
}

/// Something that is certainly wrong with the script.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// Stable name, such as `unknown-column`.
    pub code: &'static str,
    /// How bad.
    pub severity: Severity,
    /// Where.
    pub range: TextRange,
    /// What, and what to do about it.
    pub message: String,
    /// Texts that would repair it in place of the range's text, best first.
    pub suggestions: Vec<String>,
    /// Other places.
    pub related: Vec<Related>,
}
