//! Rules as the specification's JSON: `{"type": "min", "value": 0}` and the keys that every rule may carry.

use serde_json::{Map, Value as Json, json};

use super::{Expects, Mode, Rule, RuleKind, Scope, Severity, Source, Stage, Threshold, Verdict};
use crate::document::fields::{Fields, Problems};
use crate::schema::nearest;

/// Every kind's name in a document, in the order of [`RuleKind`].
pub const KINDS: &[&str] = &[
    "not_null",
    "null_ratio",
    "not_empty",
    "unique",
    "primary_key",
    "grain_uniqueness",
    "min",
    "max",
    "range",
    "range_soft",
    "allowed_values",
    "regex",
    "type",
    "foreign_key",
    "row_count",
    "row_count_anomaly",
    "freshness",
    "check_constraint",
    "custom_sql",
];

const SEVERITIES: &[(&str, Severity)] =
    &[("warning", Severity::Warn), ("warn", Severity::Warn), ("error", Severity::Error)];
const MODES: &[(&str, Mode)] = &[("observe", Mode::Observe), ("quarantine", Mode::Quarantine), ("fail", Mode::Fail)];
const VERDICTS: &[(&str, Verdict)] = &[("pass", Verdict::Pass), ("violate", Verdict::Violate)];
const SOURCES: &[(&str, Source)] =
    &[("code", Source::Code), ("profile", Source::Profile), ("llm", Source::Llm), ("human", Source::Human)];
pub(crate) const EXPECTS: &[(&str, Expects)] = &[("no_rows", Expects::NoRows), ("zero_count", Expects::ZeroCount)];
pub(crate) const STAGES: &[(&str, Stage)] =
    &[("pre_load", Stage::PreLoad), ("post_load", Stage::PostLoad), ("both", Stage::Both)];

/// Day-to-day deviation of the row count that the specification's example tolerates.
const DEFAULT_DEVIATION: f64 = 0.2;
/// Window of the specification's example.
const DEFAULT_WINDOW_DAYS: u32 = 7;

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
            RuleKind::Min { .. } => "min",
            RuleKind::Max { .. } => "max",
            RuleKind::Range { .. } => "range",
            RuleKind::RangeSoft { .. } => "range_soft",
            RuleKind::AllowedValues { .. } => "allowed_values",
            RuleKind::Regex { .. } => "regex",
            RuleKind::Type { .. } => "type",
            RuleKind::ForeignKey { .. } => "foreign_key",
            RuleKind::RowCount { .. } => "row_count",
            RuleKind::RowCountAnomaly { .. } => "row_count_anomaly",
            RuleKind::Freshness { .. } => "freshness",
            RuleKind::CheckConstraint { .. } => "check_constraint",
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
        let columns = match &self.kind {
            RuleKind::PrimaryKey { columns } | RuleKind::GrainUniqueness { grain: columns } => columns.join("_"),
            RuleKind::CheckConstraint { expression } => expression.clone(),
            RuleKind::CustomSql { sql, .. } => sql.clone(),
            _ => self.column.clone().unwrap_or_default(),
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
        let column = column.map(str::to_owned).or_else(|| fields.text("column"));
        let kind = read_kind(&name, &mut fields, column.as_deref());
        let mut rule = Rule::new(kind, column.as_deref());
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
        rule.extra = fields.rest();
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
        for (key, value) in write_kind(&self.kind) {
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

fn read_kind(name: &str, fields: &mut Fields, column: Option<&str>) -> RuleKind {
    let unknown = || RuleKind::Unknown { name: name.to_owned() };
    let missing = |fields: &Fields, key: &str| {
        fields.problems().add(fields.path(), format!("a rule of type {name} needs `{key}`; it is kept but not run"));
        unknown()
    };
    let key_columns = |fields: &mut Fields, keys: &[&str]| {
        let found = keys.iter().find_map(|key| fields.texts(key));
        found.or_else(|| column.map(|column| vec![column.to_owned()])).filter(|columns| !columns.is_empty())
    };
    match name.to_lowercase().replace([' ', '-'], "_").as_str() {
        "not_null" => RuleKind::NotNull,
        "null_ratio" => match fields.number("max") {
            Some(max) => RuleKind::NullRatio { max },
            None => missing(fields, "max"),
        },
        "not_empty" => RuleKind::NotEmpty,
        "unique" => RuleKind::Unique,
        "primary_key" => match key_columns(fields, &["columns", "grain"]) {
            Some(columns) => RuleKind::PrimaryKey { columns },
            None => missing(fields, "columns"),
        },
        "grain_uniqueness" => match key_columns(fields, &["grain", "columns"]) {
            Some(grain) => RuleKind::GrainUniqueness { grain },
            None => missing(fields, "grain"),
        },
        "min" => match fields.take_any(&["value", "min"]) {
            Some(value) => RuleKind::Min { value },
            None => missing(fields, "value"),
        },
        "max" => match fields.take_any(&["value", "max"]) {
            Some(value) => RuleKind::Max { value },
            None => missing(fields, "value"),
        },
        kind @ ("range" | "range_soft" | "between") => match (fields.take("min"), fields.take("max")) {
            (None, None) => missing(fields, "min` or `max"),
            (min, max) if kind == "range_soft" => RuleKind::RangeSoft { min, max },
            (min, max) => RuleKind::Range { min, max },
        },
        "allowed_values" | "accepted_values" => match fields.list("values").filter(|values| !values.is_empty()) {
            Some(values) => RuleKind::AllowedValues { values },
            None => missing(fields, "values"),
        },
        "regex" => match fields.text("pattern") {
            Some(pattern) => RuleKind::Regex { pattern },
            None => missing(fields, "pattern"),
        },
        "type" => RuleKind::Type { data_type: fields.text("data_type") },
        "foreign_key" => match (fields.text("ref_table"), fields.text("ref_column")) {
            (Some(ref_table), Some(ref_column)) => RuleKind::ForeignKey { ref_table, ref_column },
            _ => missing(fields, "ref_table` and `ref_column"),
        },
        "row_count" => RuleKind::RowCount { min: fields.count("min"), max: fields.count("max") },
        "row_count_anomaly" => {
            let rule = fields.text("rule");
            let (share, days) = rule.as_deref().map(read_sentence).unwrap_or_default();
            RuleKind::RowCountAnomaly {
                max_deviation: fields.number("max_deviation").or(share).unwrap_or(DEFAULT_DEVIATION),
                window_days: fields
                    .count("window_days")
                    .and_then(|days| u32::try_from(days).ok())
                    .or(days)
                    .unwrap_or(DEFAULT_WINDOW_DAYS),
                rule,
            }
        }
        "freshness" => match (column.map(str::to_owned), fields.number("max_age_hours")) {
            (Some(column), Some(max_age_hours)) => RuleKind::Freshness { column, max_age_hours },
            _ => missing(fields, "column` and `max_age_hours"),
        },
        "check_constraint" | "check" => match fields.text("expression") {
            Some(expression) => RuleKind::CheckConstraint { expression },
            None => missing(fields, "expression"),
        },
        "custom_sql" => match fields.text("sql") {
            Some(sql) => {
                RuleKind::CustomSql { sql, expects: fields.choice("expects", EXPECTS).unwrap_or(Expects::NoRows) }
            }
            None => missing(fields, "sql"),
        },
        other => {
            let meant = nearest(other, KINDS.iter().copied()).first().copied();
            let hint = meant.map(|kind| format!(" (did you mean `{kind}`?)")).unwrap_or_default();
            let message = format!("`{name}` is no rule type that this version knows{hint}: it is kept but not run");
            fields.problems().add(&fields.path_of("type"), message);
            unknown()
        }
    }
}

fn write_kind(kind: &RuleKind) -> Vec<(&'static str, Json)> {
    match kind {
        RuleKind::NotNull | RuleKind::NotEmpty | RuleKind::Unique | RuleKind::Unknown { .. } => vec![],
        RuleKind::NullRatio { max } => vec![("max", json!(max))],
        RuleKind::PrimaryKey { columns } => vec![("columns", json!(columns))],
        RuleKind::GrainUniqueness { grain } => vec![("grain", json!(grain))],
        RuleKind::Min { value } | RuleKind::Max { value } => vec![("value", value.clone())],
        RuleKind::Range { min, max } | RuleKind::RangeSoft { min, max } => {
            vec![("min", json!(min)), ("max", json!(max))]
        }
        RuleKind::AllowedValues { values } => vec![("values", json!(values))],
        RuleKind::Regex { pattern } => vec![("pattern", json!(pattern))],
        RuleKind::Type { data_type } => vec![("data_type", json!(data_type))],
        RuleKind::ForeignKey { ref_table, ref_column } => {
            vec![("ref_table", json!(ref_table)), ("ref_column", json!(ref_column))]
        }
        RuleKind::RowCount { min, max } => vec![("min", json!(min)), ("max", json!(max))],
        RuleKind::RowCountAnomaly { rule, max_deviation, window_days } => {
            vec![("rule", json!(rule)), ("max_deviation", json!(max_deviation)), ("window_days", json!(window_days))]
        }
        RuleKind::Freshness { column, max_age_hours } => {
            vec![("column", json!(column)), ("max_age_hours", json!(max_age_hours))]
        }
        RuleKind::CheckConstraint { expression } => vec![("expression", json!(expression))],
        RuleKind::CustomSql { sql, expects } => {
            vec![("sql", json!(sql)), ("expects", json!(word(EXPECTS, *expects)))]
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

/// Share and window of a sentence such as the specification's "Row count should not deviate by more than 20% from a
/// 7-day rolling average."
fn read_sentence(sentence: &str) -> (Option<f64>, Option<u32>) {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let mut share = None;
    let mut days = None;
    for (index, word) in words.iter().enumerate() {
        let next = words.get(index + 1).copied().unwrap_or_default();
        let number = word.trim_end_matches(|c: char| !c.is_ascii_digit());
        if share.is_none() && (word.contains('%') || next.starts_with("percent") || next.starts_with('%')) {
            share = number.parse::<f64>().ok().map(|percent| percent / 100.0);
        }
        let (count, unit) = word.split_once('-').unwrap_or((word, next));
        if days.is_none() && unit.to_lowercase().starts_with("day") {
            days = count.parse().ok();
        }
        if days.is_none() && unit.to_lowercase().starts_with("week") {
            days = count.parse::<u32>().ok().map(|weeks| weeks * 7);
        }
    }
    (share, days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_of_the_specification_gives_share_and_window() {
        let sentence = "Row count should not deviate by more than 20% from a 7-day rolling average.";
        assert_eq!(read_sentence(sentence), (Some(0.2), Some(7)));
        assert_eq!(read_sentence("at most 15 percent off the 2-week mean"), (Some(0.15), Some(14)));
        assert_eq!(read_sentence("nothing to see"), (None, None));
    }
}
