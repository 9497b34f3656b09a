//! Rules as the specification's JSON: `{"type": "min", "value": 0}` and the keys that every rule may carry.

mod calendar;
mod kind;
mod sentence;

use serde_json::{Map, Value as Json, json};

use super::kinds;
use super::{Expects, Mode, Rule, RuleKind, Scope, Severity, Source, Stage, Threshold, Verdict};
use crate::document::fields::{Fields, Problems};

const SEVERITIES: &[(&str, Severity)] =
    &[("warning", Severity::Warn), ("warn", Severity::Warn), ("error", Severity::Error)];
const MODES: &[(&str, Mode)] = &[("observe", Mode::Observe), ("quarantine", Mode::Quarantine), ("fail", Mode::Fail)];
const VERDICTS: &[(&str, Verdict)] = &[("pass", Verdict::Pass), ("violate", Verdict::Violate)];
const SOURCES: &[(&str, Source)] =
    &[("code", Source::Code), ("profile", Source::Profile), ("llm", Source::Llm), ("human", Source::Human)];
pub(crate) const EXPECTS: &[(&str, Expects)] =
    &[("no_rows", Expects::NoRows), ("zero_count", Expects::ZeroCount), ("value", Expects::Value)];
pub(crate) const STAGES: &[(&str, Stage)] =
    &[("pre_load", Stage::PreLoad), ("post_load", Stage::PostLoad), ("both", Stage::Both)];

impl RuleKind {
    /// The `type` of the document.
    pub fn name(&self) -> &str {
        match self {
            RuleKind::NotNull => "not_null",
            RuleKind::NullRatio { .. } => "null_ratio",
            RuleKind::NotEmpty => "not_empty",
            RuleKind::Unique => "unique",
            RuleKind::PrimaryKey { .. } => "primary_key",
            RuleKind::GrainUniqueness { .. } => "grain_uniqueness",
            RuleKind::DuplicateCount { .. } => "duplicate_count",
            RuleKind::DistinctCount { .. } => "distinct_count",
            RuleKind::Min { .. } => "min",
            RuleKind::Max { .. } => "max",
            RuleKind::Range { .. } => "range",
            RuleKind::RangeSoft { .. } => "range_soft",
            RuleKind::AllowedValues { .. } => "allowed_values",
            RuleKind::ForbiddenValues { .. } => "forbidden_values",
            RuleKind::Regex { .. } => "regex",
            RuleKind::Like { .. } => "like",
            RuleKind::Length { .. } => "length",
            RuleKind::Type { .. } => "type",
            RuleKind::DateFormat { .. } => "date_format",
            RuleKind::NotInFuture => "not_in_future",
            RuleKind::OlderThanColumn { .. } => "older_than_column",
            RuleKind::CompareColumns { .. } => "compare_columns",
            RuleKind::ForeignKey { .. } => "foreign_key",
            RuleKind::RowCount { .. } => "row_count",
            RuleKind::RowCountAnomaly { .. } => "row_count_anomaly",
            RuleKind::Freshness { .. } => "freshness",
            RuleKind::ColumnSet { .. } => "column_set",
            RuleKind::CheckConstraint { .. } => "check_constraint",
            RuleKind::Aggregate { .. } => "aggregate",
            RuleKind::CustomSql { .. } => "custom_sql",
            RuleKind::Unknown { name } => name,
        }
    }

    /// The severity of a rule of this kind that states none: a soft range only warns.
    pub fn default_severity(&self) -> Severity {
        match self {
            RuleKind::RangeSoft { .. } => Severity::Warn,
            _ => Severity::Error,
        }
    }
}

impl Rule {
    /// A rule of a kind with every other field at its default and the id that [`Rule::derived_id`] gives.
    pub fn new(kind: RuleKind, column: Option<&str>) -> Self {
        let mut rule = Self {
            id: String::new(),
            severity: kind.default_severity(),
            kind,
            column: column.map(str::to_owned),
            mode: Mode::default(),
            filter: None,
            threshold: None,
            on_null: None,
            on_nan: None,
            stage: None,
            scope: Scope::default(),
            owner: None,
            mute_until: None,
            source: Source::default(),
            evidence: None,
            description: None,
            extra: Map::new(),
        };
        rule.id = rule.derived_id();
        rule
    }

    /// The id of a rule that states none: its kind and its columns, such as `not_null_loan_id`.
    pub fn derived_id(&self) -> String {
        let column = self.column.clone().unwrap_or_default();
        let columns = match &self.kind {
            RuleKind::PrimaryKey { columns }
            | RuleKind::GrainUniqueness { grain: columns }
            | RuleKind::DuplicateCount { columns, .. } => columns.join("_"),
            RuleKind::ForeignKey { columns, .. } if !columns.is_empty() => columns.join("_"),
            RuleKind::CheckConstraint { expression } => expression.clone(),
            RuleKind::CustomSql { sql, .. } => sql.clone(),
            RuleKind::CompareColumns { other, .. } | RuleKind::OlderThanColumn { other, .. } => {
                format!("{column} {other}")
            }
            RuleKind::Aggregate { function, group_by, .. } => {
                format!("{} {column} {}", function.name(), group_by.join(" "))
            }
            _ => column,
        };
        let mut id = self.kind.name().to_owned();
        for word in columns.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(8) {
            id.push('_');
            id.push_str(&word.to_lowercase());
        }
        id
    }

    /// Reads a rule. `column` is the column whose list holds it. `None`, with a problem, where it is no object or
    /// names no type; a type that this version does not know is kept as [`RuleKind::Unknown`].
    pub(crate) fn read(value: Json, column: Option<&str>, path: &str, problems: &Problems) -> Option<Self> {
        let mut fields = Fields::of(value, path, problems)?;
        let Some(name) = fields.text("type") else {
            problems.add(path, "a rule needs a `type`, such as not_null");
            return None;
        };
        // A freshness in a column's list may be dated by another column.
        let stated = fields.text("column");
        let own = column.map(str::to_owned).or_else(|| stated.clone());
        let kind = kind::read(&name, &mut fields, stated.as_deref().or(column));
        if let (Some(listed), Some(stated)) = (column, &stated)
            && !listed.eq_ignore_ascii_case(stated)
            && !matches!(kind, RuleKind::Freshness { .. } | RuleKind::Unknown { .. })
        {
            let message = format!("the rule stands in the list of `{listed}` and judges that column");
            problems.add(&fields.path_of("column"), message);
        }
        let mut rule = Rule::new(kind, own.as_deref());
        if let Some(id) = fields.text("id") {
            rule.id = id;
        }
        if let Some(severity) = fields.choice("severity", SEVERITIES) {
            rule.severity = severity;
        }
        rule.mode = fields.choice("mode", MODES).unwrap_or_default();
        rule.filter = fields.text("where");
        rule.threshold = read_threshold(&mut fields);
        rule.on_null = fields.choice("on_null", VERDICTS);
        rule.on_nan = fields.choice("on_nan", VERDICTS);
        rule.stage = fields.choice("stage", STAGES);
        rule.scope = read_scope(&mut fields);
        rule.owner = fields.text("owner");
        rule.mute_until = fields.text("mute_until");
        rule.source = fields.choice("source", SOURCES).unwrap_or_default();
        rule.evidence = fields.text("evidence");
        rule.description = fields.text("description");
        let problems = fields.problems().clone();
        rule.extra = fields.rest();
        if let (RuleKind::Unknown { .. }, Some(_), Some(stated)) = (&rule.kind, column, stated) {
            rule.extra.insert("column".to_owned(), json!(stated));
        }
        tell_misspelt(&rule, path, &problems);
        tell_ignored(&rule, path, &problems);
        Some(rule)
    }

    /// The rule as JSON; fields at their default are left out. With `in_column` the column is the list's own.
    pub(crate) fn write(&self, in_column: bool) -> Json {
        let mut map = Map::new();
        let mut set = |key: &str, value: Json| {
            map.insert(key.to_owned(), value);
        };
        set("type", json!(self.kind.name()));
        if let (false, Some(column)) = (in_column, &self.column) {
            set("column", json!(column));
        }
        for (key, value) in kind::write(&self.kind) {
            if !value.is_null() {
                set(key, value);
            }
        }
        if self.id != self.derived_id() {
            set("id", json!(self.id));
        }
        if self.severity != self.kind.default_severity() {
            set("severity", json!(word(SEVERITIES, self.severity)));
        }
        if self.mode != Mode::default() {
            set("mode", json!(word(MODES, self.mode)));
        }
        match self.threshold {
            Some(Threshold::Count(count)) => set("threshold", json!({ "count": count })),
            Some(Threshold::Share(share)) => set("threshold", json!({ "share": share })),
            None => {}
        }
        match self.scope {
            Scope::Full => {}
            Scope::LoadedPartitions => set("scope", json!("loaded_partitions")),
            Scope::LastPartitions(count) => set("scope", json!({ "last_partitions": count })),
        }
        let texts = [("where", &self.filter), ("owner", &self.owner), ("mute_until", &self.mute_until)];
        for (key, text) in texts {
            if let Some(text) = text {
                set(key, json!(text));
            }
        }
        for (key, verdict) in [("on_null", self.on_null), ("on_nan", self.on_nan)] {
            if let Some(verdict) = verdict {
                set(key, json!(word(VERDICTS, verdict)));
            }
        }
        if let Some(stage) = self.stage {
            set("stage", json!(word(STAGES, stage)));
        }
        if self.source != Source::default() {
            set("source", json!(word(SOURCES, self.source)));
        }
        for (key, text) in [("evidence", &self.evidence), ("description", &self.description)] {
            if let Some(text) = text {
                set(key, json!(text));
            }
        }
        for (key, value) in &self.extra {
            map.entry(key.clone()).or_insert_with(|| value.clone());
        }
        Json::Object(map)
    }
}

/// The document's word for a choice: the last spelling listed is the one written.
pub(crate) fn word<T: Copy + PartialEq>(choices: &[(&'static str, T)], choice: T) -> &'static str {
    choices.iter().rev().find(|(_, value)| *value == choice).map_or("", |(name, _)| name)
}

/// Unknown keys are kept; one that is nearly the name of a key is told, because the rule then lacks what it states.
fn tell_misspelt(rule: &Rule, path: &str, problems: &Problems) {
    let Some(kind) = kinds::find(rule.kind.name()) else { return };
    let names = || kind.keys.iter().chain(kinds::MODIFIERS).map(|known| known.name);
    for key in rule.extra.keys().filter(|key| key.chars().count() > 3 && !names().any(|known| known == *key)) {
        let near = names().find(|known| strsim::damerau_levenshtein(known, &key.to_lowercase()) <= 2);
        if let Some(near) = near {
            let message = format!("a rule of type {} has no `{key}`; did you mean `{near}`?", kind.name);
            problems.add(&format!("{path}.{key}"), message);
        }
    }
}

/// A modifier that a kind has no use for is kept and told: who wrote it expects it to do something.
fn tell_ignored(rule: &Rule, path: &str, problems: &Problems) {
    let Some(kind) = kinds::find(rule.kind.name()) else { return };
    for key in kind.ignores {
        let stated = match *key {
            "on_null" => rule.on_null.is_some(),
            "on_nan" => rule.on_nan.is_some(),
            "threshold" => rule.threshold.is_some(),
            "where" => rule.filter.is_some(),
            "scope" => rule.scope != Scope::default(),
            _ => false,
        };
        if stated {
            let message = format!("`{key}` changes nothing about a rule of type {}; leave it out", kind.name);
            problems.add(&format!("{path}.{key}"), message);
        }
    }
}

fn read_threshold(fields: &mut Fields) -> Option<Threshold> {
    match fields.take("threshold")? {
        Json::Object(map) => match (map.get("count").and_then(Json::as_u64), map.get("share").and_then(Json::as_f64)) {
            (Some(count), _) => Some(Threshold::Count(count)),
            (None, Some(share)) => Some(Threshold::Share(share)),
            (None, None) => {
                fields.problems().add(&fields.path_of("threshold"), "expected {\"count\": N} or {\"share\": 0 to 1}");
                None
            }
        },
        Json::Number(number) => match number.as_u64() {
            Some(count) => Some(Threshold::Count(count)),
            None => number.as_f64().map(Threshold::Share),
        },
        Json::String(text) => {
            let share = crate::document::fields::as_number(&Json::String(text)).map(Threshold::Share);
            if share.is_none() {
                fields.problems().add(&fields.path_of("threshold"), "expected a share such as 5%");
            }
            share
        }
        _ => None,
    }
}

fn read_scope(fields: &mut Fields) -> Scope {
    match fields.take("scope") {
        None => Scope::default(),
        Some(Json::String(word)) if word == "full" => Scope::Full,
        Some(Json::String(word)) if word == "loaded_partitions" => Scope::LoadedPartitions,
        Some(value) => match value.get("last_partitions").and_then(Json::as_u64).and_then(|n| u32::try_from(n).ok()) {
            Some(count) => Scope::LastPartitions(count),
            None => {
                let message = "expected full, loaded_partitions or {\"last_partitions\": N}";
                fields.problems().add(&fields.path_of("scope"), message);
                Scope::default()
            }
        },
    }
}
