//! Rules: one enum of kinds, and what every rule carries beside its kind.

pub mod aggregate;
pub mod calendar;
pub mod json;
pub mod kinds;
pub mod page;
pub mod reference;

pub use aggregate::AggregateFunction;
pub use calendar::Calendar;
pub use reference::AsOf;

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
    /// At most so many duplicates; NULLs are not compared.
    DuplicateCount {
        /// The columns that are compared together.
        columns: Vec<String>,
        /// What is counted.
        of: Duplicates,
        /// Most duplicates.
        max: u64,
    },
    /// The number of distinct values lies within bounds; NULL is no value.
    DistinctCount {
        /// Fewest distinct values.
        min: Option<u64>,
        /// Most distinct values.
        max: Option<u64>,
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
    /// No value is one of these.
    ForbiddenValues {
        /// The values.
        values: Vec<Json>,
    },
    /// Some part of every text matches.
    Regex {
        /// The regular expression.
        pattern: String,
    },
    /// Every text as a whole matches a pattern of `%` and `_`; a backslash escapes.
    Like {
        /// The pattern.
        pattern: String,
    },
    /// Every text has a number of characters within bounds.
    Length {
        /// Fewest characters.
        min: Option<u64>,
        /// Most characters.
        max: Option<u64>,
    },
    /// The raw text of an incoming file has the column's type.
    Type {
        /// The type, spelled as Glue does; the column's own where absent.
        data_type: Option<String>,
    },
    /// Every text is a date, or a date and time, in a format.
    DateFormat {
        /// The format, as Java (`yyyy-MM-dd`) or MySQL (`%Y-%m-%d`) spell it.
        format: String,
    },
    /// No date after the day of the run, no timestamp after its instant, both in UTC.
    NotInFuture,
    /// Every date or timestamp lies before that of another column, or is the same.
    OlderThanColumn {
        /// The other column.
        other: String,
        /// Whole days that must lie between the two at least.
        min_days: Option<u32>,
    },
    /// Every row's value compares with that of another column.
    CompareColumns {
        /// How the rule's column compares with the other one.
        operator: Comparison,
        /// The other column.
        other: String,
    },
    /// The value, or the combination, occurs in another table; a combination with a NULL passes.
    ForeignKey {
        /// The referencing columns; empty for the rule's own column.
        columns: Vec<String>,
        /// The referenced table, `table` or `database.table`.
        ref_table: String,
        /// The referenced columns, in the order of the referencing ones.
        ref_columns: Vec<String>,
        /// Rule text over the referenced table: only rows for which it is true can be referenced.
        ref_where: Option<String>,
        /// Which state of a dimension with history is referenced.
        as_of: Option<AsOf>,
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
        /// Largest tolerated age of the newest row, in hours of the calendar.
        max_age_hours: f64,
        /// The days on which data is expected; other days do not age it.
        calendar: Calendar,
    },
    /// The table has these columns.
    ColumnSet {
        /// Their names, in order.
        columns: Vec<String>,
        /// Whether other columns may stand beside them.
        others: bool,
        /// Whether their order matters.
        ordered: bool,
    },
    /// A statistic of a column lies within bounds, in the table or in each group. NULL and NaN are passed over.
    Aggregate {
        /// The statistic.
        function: AggregateFunction,
        /// Lower bound: a number, or for `min` and `max` a date or timestamp as text.
        min: Option<Json>,
        /// Upper bound.
        max: Option<Json>,
        /// The columns that make the groups; empty for the whole table.
        group_by: Vec<String>,
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
        /// Lower bound of the value, where the query returns one.
        min: Option<f64>,
        /// Upper bound of the value, where the query returns one.
        max: Option<f64>,
    },
    /// A kind that this version does not know: kept, shown and never run.
    Unknown {
        /// The `type` of the document.
        name: String,
    },
}

impl RuleKind {
    /// A reference of the rule's own column to a column of another table.
    pub fn reference(ref_table: &str, ref_column: &str) -> Self {
        RuleKind::ForeignKey {
            columns: Vec::new(),
            ref_table: ref_table.to_owned(),
            ref_columns: vec![ref_column.to_owned()],
            ref_where: None,
            as_of: None,
        }
    }
}

/// What a custom query's result means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expects {
    /// Each row returned is a violation.
    NoRows,
    /// The one number returned counts violations.
    ZeroCount,
    /// The one number returned is a value, which has bounds.
    Value,
}

/// What `duplicate_count` counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// Rows that could be deleted without losing a value: all but one of each group.
    #[default]
    Rows,
    /// Values that occur more than once.
    Values,
}

/// How two columns compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stage {
    /// On incoming rows, before they are written.
    PreLoad,
    /// On the table, after the load.
    #[default]
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

impl Rule {
    /// Whether its violations are not reported on a day, `YYYY-MM-DD`: up to and with `mute_until`.
    pub fn is_muted(&self, day: &str) -> bool {
        self.mute_until.as_deref().is_some_and(|until| day <= until)
    }
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
