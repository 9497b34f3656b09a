//! The rows of the table of rule kinds.

use super::{Form, Key, Kind, Meaning, Subject, key, needs, own};

/// What comparisons of values mean. See `docs/semantics.md`.
const VALUES: Meaning = Meaning {
    null: "passes",
    nan: "violates",
    empty: "a value",
    blanks: "count",
    case: "counts",
    zone: "UTC",
    scale: "1.10 is 1.1",
    padding: "does not count",
};

/// What rules about presence mean.
const PRESENCE: Meaning = Meaning {
    null: "violates",
    nan: "passes unless `on_nan` says otherwise",
    empty: "passes",
    blanks: "",
    case: "",
    zone: "",
    scale: "",
    padding: "",
};

/// What rules about texts mean.
const TEXTS: Meaning = Meaning { nan: "", zone: "", scale: "", ..VALUES };

/// What rules about dates and timestamps mean.
const DATES: Meaning = Meaning { nan: "", empty: "", blanks: "", case: "", scale: "", padding: "", ..VALUES };

/// What rules about numbers and dates mean.
const ORDERED: Meaning = Meaning { empty: "", blanks: "", case: "", padding: "", ..VALUES };

/// What keys mean: rows are grouped by their values.
const KEYS: Meaning = Meaning { nan: "one value", empty: "one value", ..VALUES };

/// What rules about numbers of rows mean.
const NONE: Meaning = Meaning { null: "", nan: "", empty: "", blanks: "", case: "", zone: "", scale: "", padding: "" };

const LOW: Key = key("min", Form::Bound, "Lower bound, itself allowed.");
const HIGH: Key = key("max", Form::Bound, "Upper bound, itself allowed.");
const FEWEST: Key = key("min", Form::Count, "Fewest.");
const MOST: Key = key("max", Form::Count, "Most.");

/// All kinds, in the order of [`crate::rule::RuleKind`].
pub static KINDS: &[Kind] = &[
    Kind {
        name: "not_null",
        aliases: &["required"],
        subject: Subject::Value,
        holds: "No NULL.",
        keys: &[],
        ignores: &["on_null"],
        meaning: PRESENCE,
        example: r#"{"type": "not_null"}"#,
    },
    Kind {
        name: "null_ratio",
        aliases: &["null_share"],
        subject: Subject::Column,
        holds: "At most this share of the rows is NULL; without rows nothing is said.",
        keys: &[needs("max", Form::Share, "Largest share of NULLs, 0 to 1.")],
        ignores: &["on_null", "on_nan", "threshold"],
        meaning: Meaning { null: "is counted", nan: "passes", ..PRESENCE },
        example: r#"{"type": "null_ratio", "max": 0.05}"#,
    },
    Kind {
        name: "not_empty",
        aliases: &["not_blank"],
        subject: Subject::Value,
        holds: "No empty text and none of blanks only.",
        keys: &[],
        ignores: &["on_nan"],
        meaning: Meaning {
            empty: "violates",
            blanks: "a text of blanks violates, one of tabs does not",
            case: "",
            ..TEXTS
        },
        example: r#"{"type": "not_empty"}"#,
    },
    Kind {
        name: "unique",
        aliases: &[],
        subject: Subject::Key,
        holds: "No value twice. All rows of a value but one violate it.",
        keys: &[],
        ignores: &["on_nan"],
        meaning: Meaning { null: "is not compared", ..KEYS },
        example: r#"{"type": "unique"}"#,
    },
    Kind {
        name: "primary_key",
        aliases: &[],
        subject: Subject::Key,
        holds: "No NULL in a key column, no combination twice.",
        keys: &[own("columns", Form::Columns, "The key.")],
        ignores: &["on_nan"],
        meaning: Meaning { null: "violates", ..KEYS },
        example: r#"{"type": "primary_key", "columns": ["loan_id", "payment_date"]}"#,
    },
    Kind {
        name: "grain_uniqueness",
        aliases: &["compound_unique"],
        subject: Subject::Key,
        holds: "No combination twice.",
        keys: &[own("grain", Form::Columns, "The columns.")],
        ignores: &["on_nan"],
        meaning: Meaning { null: "one value", ..KEYS },
        example: r#"{"type": "grain_uniqueness", "grain": ["loan_id", "payment_date"]}"#,
    },
    Kind {
        name: "duplicate_count",
        aliases: &["duplicates"],
        subject: Subject::Column,
        holds: "At most so many duplicates.",
        keys: &[
            own("columns", Form::Columns, "The columns that are compared together."),
            key(
                "of",
                Form::Word(&["rows", "values"]),
                "`rows` (the default) counts all rows of a value but one, `values` the values that occur more than once.",
            ),
            key("max", Form::Count, "Most duplicates; 0 where absent."),
        ],
        ignores: &["on_null", "on_nan", "threshold"],
        meaning: Meaning { null: "is not compared", ..KEYS },
        example: r#"{"type": "duplicate_count", "columns": ["loan_id"], "of": "values", "max": 3}"#,
    },
    Kind {
        name: "distinct_count",
        aliases: &["n_unique"],
        subject: Subject::Column,
        holds: "The number of distinct values lies within bounds. It is counted exactly.",
        keys: &[FEWEST, MOST],
        ignores: &["on_null", "on_nan", "threshold"],
        meaning: Meaning { null: "is no value", ..KEYS },
        example: r#"{"type": "distinct_count", "min": 2, "max": 10}"#,
    },
    Kind {
        name: "min",
        aliases: &[],
        subject: Subject::Value,
        holds: "Every value is at least this.",
        keys: &[needs("value", Form::Bound, "The bound, itself allowed.")],
        ignores: &[],
        meaning: ORDERED,
        example: r#"{"type": "min", "value": 0}"#,
    },
    Kind {
        name: "max",
        aliases: &[],
        subject: Subject::Value,
        holds: "Every value is at most this.",
        keys: &[needs("value", Form::Bound, "The bound, itself allowed.")],
        ignores: &[],
        meaning: ORDERED,
        example: r#"{"type": "max", "value": "2030-12-31"}"#,
    },
    Kind {
        name: "range",
        aliases: &["between"],
        subject: Subject::Value,
        holds: "Every value lies between the two.",
        keys: &[LOW, HIGH],
        ignores: &[],
        meaning: ORDERED,
        example: r#"{"type": "range", "min": 0, "max": 100}"#,
    },
    Kind {
        name: "range_soft",
        aliases: &[],
        subject: Subject::Value,
        holds: "As `range`, but only warns unless `severity` says otherwise.",
        keys: &[LOW, HIGH],
        ignores: &[],
        meaning: ORDERED,
        example: r#"{"type": "range_soft", "min": 0.0, "max": 20000.0}"#,
    },
    Kind {
        name: "allowed_values",
        aliases: &["accepted_values"],
        subject: Subject::Value,
        holds: "Every value is one of these.",
        keys: &[needs(
            "values",
            Form::Values,
            "The values. A null among them allows NULL even where `on_null` does not.",
        )],
        ignores: &[],
        meaning: Meaning { empty: "must be listed", ..VALUES },
        example: r#"{"type": "allowed_values", "values": ["SUCCESS", "FAILED"]}"#,
    },
    Kind {
        name: "forbidden_values",
        aliases: &["rejected_values"],
        subject: Subject::Value,
        holds: "No value is one of these.",
        keys: &[needs(
            "values",
            Form::Values,
            "The values. A null among them makes NULL violate unless `on_null` says otherwise.",
        )],
        ignores: &[],
        meaning: Meaning { nan: "passes", empty: "passes unless listed", ..VALUES },
        example: r#"{"type": "forbidden_values", "values": ["N/A", "unknown"]}"#,
    },
    Kind {
        name: "regex",
        aliases: &["matches"],
        subject: Subject::Value,
        holds: "Some part of every text matches; `^` and `$` bind it to the ends.",
        keys: &[needs("pattern", Form::Text, "The regular expression; docs/semantics.md says which are accepted.")],
        ignores: &["on_nan"],
        meaning: Meaning { empty: "as the pattern says", case: "counts, unless the pattern begins with (?i)", ..TEXTS },
        example: r#"{"type": "regex", "pattern": "^LN-[0-9]{6}$"}"#,
    },
    Kind {
        name: "like",
        aliases: &[],
        subject: Subject::Value,
        holds: "Every text as a whole matches.",
        keys: &[needs("pattern", Form::Text, "`%` is any text, `_` one character, a backslash escapes.")],
        ignores: &["on_nan"],
        meaning: Meaning { empty: "as the pattern says", ..TEXTS },
        example: r#"{"type": "like", "pattern": "LN-%"}"#,
    },
    Kind {
        name: "length",
        aliases: &["text_length"],
        subject: Subject::Value,
        holds: "Every text has a number of characters within bounds; an emoji is one.",
        keys: &[FEWEST, MOST, key("value", Form::Count, "Read as both bounds.")],
        ignores: &["on_nan"],
        meaning: Meaning { empty: "has 0 characters", case: "", ..TEXTS },
        example: r#"{"type": "length", "min": 1, "max": 40}"#,
    },
    Kind {
        name: "type",
        aliases: &["parses_as"],
        subject: Subject::RawText,
        holds: "The raw text of an incoming file has the column's type. A table passes by its schema.",
        keys: &[key("data_type", Form::Text, "The type as Glue spells it; the column's own where absent.")],
        ignores: &["on_nan"],
        meaning: Meaning {
            null: "passes",
            nan: "violates: engines spell it differently",
            empty: "passes, as NULL does",
            blanks: "do not count",
            case: "does not count in true and false",
            zone: "a text with a zone violates",
            scale: "digits beyond the scale are rounded off",
            padding: "",
        },
        example: r#"{"type": "type", "data_type": "decimal(10,2)"}"#,
    },
    Kind {
        name: "date_format",
        aliases: &["valid_date", "is_valid_date", "valid_timestamp"],
        subject: Subject::Value,
        holds: "Every text is a day that exists, or a day and a time, in a format.",
        keys: &[needs(
            "format",
            Form::Text,
            "`yyyy`, `MM`, `dd`, `HH`, `mm`, `ss` (or `%Y`, `%m`, `%d`, `%H`, `%i`, `%s`) with separators.",
        )],
        ignores: &["on_nan"],
        meaning: Meaning {
            empty: "violates",
            blanks: "violate",
            case: "",
            zone: "a text with a zone violates",
            ..TEXTS
        },
        example: r#"{"type": "date_format", "format": "yyyy-MM-dd"}"#,
    },
    Kind {
        name: "not_in_future",
        aliases: &[],
        subject: Subject::Value,
        holds: "No date after the day of the run, no timestamp after its instant.",
        keys: &[],
        ignores: &["on_nan"],
        meaning: DATES,
        example: r#"{"type": "not_in_future"}"#,
    },
    Kind {
        name: "older_than_column",
        aliases: &["older_than"],
        subject: Subject::Row,
        holds: "Every date or timestamp lies before that of another column, or is the same.",
        keys: &[
            needs("other", Form::Column, "The other column."),
            key("min_days", Form::Count, "Whole days that must lie between the two at least."),
        ],
        ignores: &[],
        meaning: Meaning { null: "on either side passes", ..DATES },
        example: r#"{"type": "older_than_column", "other": "closed_on"}"#,
    },
    Kind {
        name: "compare_columns",
        aliases: &[],
        subject: Subject::Row,
        holds: "Every row's value compares so with that of another column.",
        keys: &[
            needs(
                "operator",
                Form::Word(&["=", "<>", "<", "<=", ">", ">="]),
                "How the rule's column compares with the other.",
            ),
            needs("other", Form::Column, "The other column."),
        ],
        ignores: &[],
        meaning: Meaning { null: "on either side passes", nan: "on either side violates", ..VALUES },
        example: r#"{"type": "compare_columns", "operator": "<=", "other": "principal"}"#,
    },
    Kind {
        name: "foreign_key",
        aliases: &["relationships"],
        subject: Subject::Key,
        holds: "The value, or the combination, occurs in another table.",
        keys: &[
            own("columns", Form::Columns, "The referencing columns."),
            needs("ref_table", Form::Text, "The referenced table, `table` or `database.table`."),
            key("ref_column", Form::Text, "The referenced column."),
            key("ref_columns", Form::Texts, "The referenced columns, in the order of `columns`."),
            key(
                "ref_where",
                Form::Text,
                "Rule text over the referenced table: only rows for which it is true can be referenced.",
            ),
            key(
                "as_of",
                Form::AsOf,
                "`{\"snapshot\": C}` the newest snapshot; `{\"column\": D, \"snapshot\": C}` that of the row's date; \
                 `{\"column\": D, \"valid_from\": F, \"valid_to\": T}` the version valid at it, from F on and before T.",
            ),
        ],
        ignores: &["on_nan"],
        meaning: Meaning {
            null: "in any of the columns passes",
            nan: "must be found",
            empty: "must be found",
            ..VALUES
        },
        example: r#"{"type": "foreign_key", "ref_table": "dim_loan", "ref_column": "loan_id"}"#,
    },
    Kind {
        name: "row_count",
        aliases: &[],
        subject: Subject::Table,
        holds: "The number of rows lies within bounds.",
        keys: &[FEWEST, MOST],
        ignores: &["on_null", "on_nan", "threshold"],
        meaning: NONE,
        example: r#"{"type": "row_count", "min": 1}"#,
    },
    Kind {
        name: "row_count_anomaly",
        aliases: &[],
        subject: Subject::Table,
        holds: "The number of rows stays near the average of the days before it. Without history nothing is said.",
        keys: &[
            key("rule", Form::Text, "A sentence out of which share and window are read, kept as it is."),
            key("max_deviation", Form::Share, "Largest deviation as a share of the average; 0.2 where absent."),
            key("window_days", Form::Count, "Days of the average; 7 where absent."),
        ],
        ignores: &["on_null", "on_nan", "threshold", "where"],
        meaning: NONE,
        example: r#"{"type": "row_count_anomaly", "max_deviation": 0.2, "window_days": 7}"#,
    },
    Kind {
        name: "freshness",
        aliases: &[],
        subject: Subject::Column,
        holds: "The newest row is at most so old. A date is over, and its rows complete, when the next one begins.",
        keys: &[
            own("column", Form::Column, "The date or timestamp that dates the rows."),
            needs("max_age_hours", Form::Number, "Largest age in hours."),
            key(
                "calendar",
                Form::Calendar,
                "`every_day`, `weekdays`, or `{\"days\": [\"mon\", …], \"holidays\": [\"2026-12-25\", …]}`: hours of other days do not count.",
            ),
        ],
        ignores: &["on_null", "on_nan", "threshold"],
        meaning: Meaning { null: "is passed over", ..DATES },
        example: r#"{"type": "freshness", "column": "created_at", "max_age_hours": 30, "calendar": "weekdays"}"#,
    },
    Kind {
        name: "column_set",
        aliases: &["columns"],
        subject: Subject::Table,
        holds: "The table has these columns and, unless `others` is true, no more. It reads no row.",
        keys: &[
            needs("columns", Form::Columns, "The columns."),
            key("others", Form::Flag, "Whether other columns may stand beside them."),
            key("ordered", Form::Flag, "Whether their order matters."),
        ],
        ignores: &["on_null", "on_nan", "threshold", "where", "scope"],
        meaning: Meaning { case: "does not count", ..NONE },
        example: r#"{"type": "column_set", "columns": ["loan_id", "amount"], "others": true}"#,
    },
    Kind {
        name: "check_constraint",
        aliases: &["check", "expression"],
        subject: Subject::Row,
        holds: "The predicate is not false for any row.",
        keys: &[needs("expression", Form::Predicate, "Rule text; docs/semantics.md says what it means.")],
        ignores: &["on_nan"],
        meaning: Meaning { null: "a predicate that is NULL passes", nan: "as the predicate says", ..VALUES },
        example: r#"{"type": "check_constraint", "expression": "paid <= principal OR status = 'FAILED'"}"#,
    },
    Kind {
        name: "aggregate",
        aliases: &["mean", "avg", "average", "sum", "stddev", "stdev", "median", "quantile", "percentile"],
        subject: Subject::Column,
        holds: "A statistic of the column lies within bounds, in the table or in each group. Without values nothing is said. \
                Median and quantile are approximate, the first 12 digits of sums and means count.",
        keys: &[
            needs(
                "function",
                Form::Word(&["min", "max", "mean", "sum", "stddev", "median", "quantile"]),
                "The statistic. `{\"type\": \"mean\"}` is read as well.",
            ),
            key("quantile", Form::Share, "The share of values below a quantile, 0 to 1."),
            LOW,
            HIGH,
            key("group_by", Form::Columns, "The columns that make the groups: a group out of bounds is a violation."),
        ],
        ignores: &["on_nan"],
        meaning: Meaning { null: "is passed over", nan: "is passed over; a result that is NaN violates", ..ORDERED },
        example: r#"{"type": "aggregate", "function": "mean", "min": 10, "max": 20, "group_by": ["country"]}"#,
    },
    Kind {
        name: "custom_sql",
        aliases: &["sql"],
        subject: Subject::Table,
        holds: "A read-only query returns no row, or a count of 0, or a value within bounds. Which of them is told from the query.",
        keys: &[
            needs("sql", Form::Query, "The query, in Athena's SQL."),
            key(
                "expects",
                Form::Word(&["no_rows", "zero_count", "value"]),
                "What the result means; told from the query where absent.",
            ),
            key("min", Form::Number, "Lower bound of a value."),
            key("max", Form::Number, "Upper bound of a value."),
        ],
        ignores: &["on_nan", "where", "scope"],
        meaning: Meaning { null: "a value that is NULL says nothing", ..NONE },
        example: r#"{"type": "custom_sql", "sql": "SELECT count(*) FROM loans WHERE paid > principal", "expects": "zero_count"}"#,
    },
];
