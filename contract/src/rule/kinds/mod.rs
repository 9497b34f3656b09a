//! The table of rule kinds: their names, their keys, and what each means where engines and people disagree.
//!
//! The reader, the JSON Schemas and `docs/rules.md` follow it. A new kind is a variant of [`super::RuleKind`], a row
//! here, its keys in [`super::json`] and its meaning in [`crate::compile::check`].

/// A kind of rule.
#[derive(Debug)]
pub struct Kind {
    /// The `type` of the document.
    pub name: &'static str,
    /// Other names that are read and not written.
    pub aliases: &'static [&'static str],
    /// What it judges.
    pub subject: Subject,
    /// What must hold, in a sentence.
    pub holds: &'static str,
    /// Its keys beside those that every rule has.
    pub keys: &'static [Key],
    /// Those of [`MODIFIERS`] that it has no use for. A contract that states one is told so.
    pub ignores: &'static [&'static str],
    /// What it means where it is not obvious.
    pub meaning: Meaning,
    /// A rule of this kind, as JSON.
    pub example: &'static str,
}

/// What a kind judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A value of a column in one row: it runs before the load and after it.
    Value,
    /// The raw text of an incoming file: it runs before the load.
    RawText,
    /// Several columns of one row: it runs before the load and after it.
    Row,
    /// Keys: it runs before the load, within the incoming file, and after it.
    Key,
    /// All values of a column, or of several: it runs after the load.
    Column,
    /// The table: it runs after the load.
    Table,
}

/// A key of a kind.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub form: Form,
    /// Whether the rule cannot be run without it.
    pub required: bool,
    /// Whether the rule's own column stands for it where it is absent.
    pub implied: bool,
    /// What it says.
    pub about: &'static str,
}

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A number from 0 to 1.
    Share,
    /// A number.
    Number,
    /// A whole number, 0 or more.
    Count,
    /// A text.
    Text,
    /// True or false.
    Flag,
    /// A number, or a date or timestamp as text.
    Bound,
    /// The name of a column of the table.
    Column,
    /// Names of columns of the table.
    Columns,
    /// Rule text over the columns of the table.
    Predicate,
    /// A query, which may read the table.
    Query,
    /// A list of texts.
    Texts,
    /// A list of numbers, texts, truth values or null.
    Values,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `{"count": N}` or `{"share": 0 to 1}`.
    Threshold,
    /// `full`, `loaded_partitions` or `{"last_partitions": N}`.
    Scope,
    /// A day, `YYYY-MM-DD`.
    Day,
    /// Days on which data is expected.
    Calendar,
    /// The state of a dimension with history.
    AsOf,
}

/// What a kind means where engines and people disagree. An empty text: the question does not arise.
#[derive(Clone, Copy, Debug)]
pub struct Meaning {
    /// NULL in a judged column.
    pub null: &'static str,
    /// NaN.
    pub nan: &'static str,
    /// An empty text.
    pub empty: &'static str,
    /// Blanks in front of or behind a text.
    pub blanks: &'static str,
    /// Upper and lower case.
    pub case: &'static str,
    /// Time zones.
    pub zone: &'static str,
    /// Decimals that differ in trailing zeros.
    pub scale: &'static str,
    /// The padding of `char(n)`.
    pub padding: &'static str,
}

mod table;

pub use table::KINDS;

/// The kind of this name or alias.
pub fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name || kind.aliases.contains(&name))
}

const fn key(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, form, required: false, implied: false, about }
}

const fn needs(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, form, required: true, implied: false, about }
}

const fn own(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, form, required: false, implied: true, about }
}

/// The keys that every rule may have beside `type`.
pub static MODIFIERS: &[Key] = &[
    key("column", Form::Column, "The judged column, where the rule does not stand in a column's list."),
    key("id", Form::Text, "Unique within the contract; kind and columns where absent."),
    key("severity", Form::Word(&["error", "warn"]), "`error` (the default) fails the run, `warn` reports only."),
    key(
        "mode",
        Form::Word(&["observe", "quarantine", "fail"]),
        "What a violation does to a load: `observe` counts and loads the row, `quarantine` (the default) sets it aside, `fail` stops the load.",
    ),
    key("where", Form::Predicate, "Rule text: only rows for which it is true are judged; NULL is not true."),
    key("threshold", Form::Threshold, "How much violation is tolerated: so many rows, or a share of the judged rows."),
    key("on_null", Form::Word(&["pass", "violate"]), "What NULL means, where the kind's own way does not fit."),
    key("on_nan", Form::Word(&["pass", "violate"]), "What NaN means, where the kind's own way does not fit."),
    key("stage", Form::Word(&["pre_load", "post_load", "both"]), "When it runs; the kind's own stage where absent."),
    key(
        "scope",
        Form::Scope,
        "Which rows a run after a load reads: the partitions that the load wrote, the newest N, or all (the default). \
         Uniqueness is looked at by partition only where the partition columns belong to the key; otherwise all rows are read.",
    ),
    key("owner", Form::Text, "Who answers for it."),
    key("mute_until", Form::Day, "Until and with which day its violations are not reported."),
    key(
        "source",
        Form::Word(&["code", "profile", "llm", "human"]),
        "Who stated it: the script's own meaning, the profile, a language model, or a person (the default).",
    ),
    key("evidence", Form::Text, "Why it is believed."),
    key("description", Form::Text, "What it means, for people."),
];
