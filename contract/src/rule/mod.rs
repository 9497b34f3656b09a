//! Rules: one enum of kinds, and what every rule carries beside its kind.

pub mod json;

use serde_json::{Map, Value as Json};

/// Something that must be true of a table, as a contract states it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Stable identifier, unique within a contract: derived from kind and columns where the document has none.
    pub id: String,
    /// What must hold.
    pub kind: RuleKind,
    /// The column that the rule speaks of; `None` for rules of the whole table.
    pub column: Option<String>,
    /// How bad a violation is.
    pub severity: Severity,
    /// What a violation does to the load.
    pub mode: Mode,
    /// A predicate in rule text; only rows for which it is true are judged.
    pub filter: Option<String>,
    /// How much violation is tolerated; none where absent.
    pub threshold: Option<Threshold>,
    /// What a NULL in the judged column means; each kind has its own default.
    pub on_null: Option<Verdict>,
    /// What a NaN in the judged column means; each kind has its own default.
    pub on_nan: Option<Verdict>,
    /// When the rule runs; each kind has its own default.
    pub stage: Option<Stage>,
    /// Which rows of the table it judges after a load.
    pub scope: Scope,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Until which day (`YYYY-MM-DD`) its violations are not reported.
    pub mute_until: Option<String>,
    /// Who stated it.
    pub source: Source,
    /// Why it is believed, for people.
    pub evidence: Option<String>,
    /// What it means, for people.
    pub description: Option<String>,
    /// Keys of the document that this version does not know, kept as they are.
    pub extra: Map<String, Json>,
}

/// The kinds of rule. The `type` key of the document is the snake-case name of the variant.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleKind {
    /// No NULL.
    NotNull,
    /// At most this share (0 to 1) of NULLs.
    NullRatio {
        /// Largest tolerated share, 0 to 1.
        max: f64,
    },
    /// No empty and no blank text; NULL passes.
    NotEmpty,
    /// No value twice; NULLs are not compared.
    Unique,
    /// Key columns: none NULL, no combination twice.
    PrimaryKey {
        /// The key's columns.
        columns: Vec<String>,
    },
    /// No combination twice; the seed's `grain_uniqueness`.
    GrainUniqueness {
        /// The grain's columns.
        grain: Vec<String>,
    },
    /// Every value at least this.
    Min {
        /// The bound: a number, or a date or timestamp as text.
        value: Json,
    },
    /// Every value at most this.
    Max {
        /// The bound: a number, or a date or timestamp as text.
        value: Json,
    },
    /// Every value between the two, both included.
    Range {
        /// Lower bound.
        min: Option<Json>,
        /// Upper bound.
        max: Option<Json>,
    },
    /// As `range`, but only warns.
    RangeSoft {
        /// Lower bound.
        min: Option<Json>,
        /// Upper bound.
        max: Option<Json>,
    },
    /// Every value is one of these.
    AllowedValues {
        /// The values.
        values: Vec<Json>,
    },
    /// Some part of every text matches.
    Regex {
        /// The regular expression.
        pattern: String,
    },
    /// The raw text of an incoming file has the column's type.
    Type {
        /// The type, spelled as Glue does; the column's own where absent.
        data_type: Option<String>,
    },
    /// The value (or the combination) occurs in another table; NULL passes.
    ForeignKey {
        /// The referenced table, `table` or `database.table`.
        ref_table: String,
        /// The referenced column.
        ref_column: String,
    },
    /// The number of rows lies within bounds.
    RowCount {
        /// Fewest rows.
        min: Option<u64>,
        /// Most rows.
        max: Option<u64>,
    },
    /// The number of rows stays near its own history.
    RowCountAnomaly {
        /// The sentence of the document, such as the seed's.
        rule: Option<String>,
        /// Largest tolerated deviation as a share, 0.2 for 20 %.
        max_deviation: f64,
        /// Days of the rolling average.
        window_days: u32,
    },
    /// Data arrives in time.
    Freshness {
        /// The column that dates the rows.
        column: String,
        /// Largest tolerated age of the newest row, in hours.
        max_age_hours: f64,
    },
    /// A predicate that is not false for any row.
    CheckConstraint {
        /// Rule text.
        expression: String,
    },
    /// A read-only query. What it returns was told from its text and is stored.
    CustomSql {
        /// The query.
        sql: String,
        /// What its result means.
        expects: Expects,
    },
    /// A kind that this version does not know: kept, shown and never run.
    Unknown {
        /// The `type` of the document.
        name: String,
    },
}

/// What a custom query's result means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expects {
    /// Each row returned is a violation.
    NoRows,
    /// The one number returned counts violations.
    ZeroCount,
}

/// How bad a violation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Reported; the exit code stays 0.
    Warn,
    /// Reported; the exit code is 1.
    #[default]
    Error,
}

/// What a violation does to the load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Counted and reported; the row is loaded.
    Observe,
    /// The row goes to quarantine.
    #[default]
    Quarantine,
    /// The load stops.
    Fail,
}

/// How much violation is tolerated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// This many rows.
    Count(u64),
    /// This share of the judged rows, 0 to 1.
    Share(f64),
}

/// What an unjudgeable value counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The row passes.
    Pass,
    /// The row violates the rule.
    Violate,
}

/// When a rule runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// On incoming rows, before they are written.
    PreLoad,
    /// On the table, after the load.
    PostLoad,
    /// Both.
    Both,
}

/// Which rows a rule judges after a load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// The partitions that the load wrote.
    LoadedPartitions,
    /// The newest partitions, so many of them.
    LastPartitions(u32),
    /// The whole table.
    #[default]
    Full,
}

/// Who stated a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// The script's own meaning proves or implies it.
    Code,
    /// The profile suggests it.
    Profile,
    /// A language model proposed it.
    Llm,
    /// A person wrote it.
    #[default]
    Human,
}
