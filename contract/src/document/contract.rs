//! The contract of a table: the specification's `data_quality`.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use super::fields::{self, Fields, Problems};
use super::problem::{DocumentError, DocumentProblem};
use crate::rule::{Calendar, Rule, RuleKind};

/// What must be true of a table. Stored as `contracts/<table>.json`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contract {
    /// The table.
    pub table_name: String,
    /// Its database, where stated.
    pub database: Option<String>,
    /// Who answers for the table.
    pub owner: Option<String>,
    /// What the table is, in a sentence.
    pub description: Option<String>,
    /// Key columns; empty where there is no key.
    pub primary_key: Vec<String>,
    /// How often data arrives.
    pub freshness: Option<Freshness>,
    /// Columns in schema order, each with its rules.
    pub columns: IndexMap<String, ColumnContract>,
    /// Rules of the whole table.
    pub table_level_checks: Vec<Rule>,
    /// Keys of the document that this version does not know, kept as they are.
    pub extra: Map<String, Json>,
}

/// A column's part of the contract.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnContract {
    /// Type, as Glue spells it.
    pub data_type: String,
    /// Whether NULL may occur.
    pub nullable: bool,
    /// What the column means.
    pub description: Option<String>,
    /// Its rules.
    pub rules: Vec<Rule>,
    /// Keys that this version does not know.
    pub extra: Map<String, Json>,
}

/// How often data arrives, and by when.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Freshness {
    /// `daily`, `hourly`, `weekly` or `monthly`.
    pub frequency: String,
    /// Hour of the day, UTC, by which the data is there.
    pub sla_hour_utc: Option<u8>,
    /// The column that dates the rows; the specification leaves it out, a check needs it.
    pub column: Option<String>,
    /// The days on which data is expected.
    pub calendar: Calendar,
    /// Keys that this version does not know.
    pub extra: Map<String, Json>,
}

impl Contract {
    /// Reads `contracts/<table>.json`, or a generator's whole answer (its `data_quality`). What cannot be read is left
    /// aside and told; a newer version is refused.
    pub fn from_json(text: &str) -> Result<(Self, Vec<DocumentProblem>), DocumentError> {
        let (contract, problems) = Self::from_value(fields::parse(text)?)?;
        let located = problems.into_iter().map(|mut problem| {
            problem.line = super::problem::line_of(text, &problem.path);
            problem
        });
        Ok((contract, located.collect()))
    }

    /// As [`Contract::from_json`], from YAML.
    pub fn from_yaml(text: &str) -> Result<(Self, Vec<DocumentProblem>), DocumentError> {
        let document = fields::parse_yaml(text)?;
        let (contract, mut problems) = Self::from_value(document.value)?;
        for problem in &mut problems {
            problem.line = document.lines.get(&problem.path).copied();
        }
        Ok((contract, problems))
    }

    /// As [`Contract::from_json`], from parsed JSON; problems have no line.
    pub fn from_value(value: Json) -> Result<(Self, Vec<DocumentProblem>), DocumentError> {
        let problems = Problems::default();
        let (value, path) = match value {
            Json::Object(mut map) if map.contains_key("data_quality") => {
                (map.shift_remove("data_quality").unwrap_or_default(), "data_quality")
            }
            value => (value, ""),
        };
        let contract = Fields::of(value, path, &problems).map(Self::read);
        let problems = problems.found();
        match contract {
            Some(contract) => Ok((contract, problems)),
            None => Err(DocumentError::Shape(DocumentProblem {
                path: if path.is_empty() { "document".to_owned() } else { path.to_owned() },
                line: None,
                message: "expected an object with table_name and columns".to_owned(),
            })),
        }
    }

    fn read(mut fields: Fields) -> Self {
        fields.take("version");
        let mut contract = Contract {
            table_name: fields.text("table_name").unwrap_or_default(),
            database: fields.text("database"),
            owner: fields.text("owner"),
            description: fields.text("description"),
            primary_key: fields.texts("primary_key").unwrap_or_default(),
            ..Contract::default()
        };
        if contract.table_name.is_empty() {
            fields.problems().add(fields.path(), "`table_name` is missing");
        }
        let problems = fields.problems().clone();
        if let Some(value) = fields.take("freshness") {
            contract.freshness = Fields::of(value, &fields.path_of("freshness"), &problems).map(Freshness::read);
        }
        if let Some(Json::Object(columns)) = fields.take("columns") {
            let base = fields.path_of("columns");
            for (name, value) in columns {
                if let Some(column) = Fields::of(value, &format!("{base}.{name}"), &problems) {
                    contract.columns.insert(name.clone(), ColumnContract::read(column, &name));
                }
            }
        }
        let checks = fields.list("table_level_checks").unwrap_or_default();
        contract.table_level_checks = read_rules(checks, None, &fields.path_of("table_level_checks"), &problems);
        contract.extra = fields.rest();
        contract.make_ids_unique();
        contract
    }

    /// The document as the store keeps it: pretty JSON with a final line end.
    pub fn to_json(&self) -> String {
        fields::pretty(&self.to_value())
    }

    /// The document in the shape of the specification's `data_quality`.
    pub fn to_value(&self) -> Json {
        let mut map = Map::new();
        map.insert("version".to_owned(), json!(super::VERSION));
        map.insert("table_name".to_owned(), json!(self.table_name));
        for (key, text) in [("database", &self.database), ("owner", &self.owner), ("description", &self.description)] {
            if let Some(text) = text {
                map.insert(key.to_owned(), json!(text));
            }
        }
        map.insert("primary_key".to_owned(), json!(self.primary_key));
        if let Some(freshness) = &self.freshness {
            map.insert("freshness".to_owned(), freshness.write());
        }
        let columns = self.columns.iter().map(|(name, column)| (name.clone(), column.write()));
        map.insert("columns".to_owned(), Json::Object(columns.collect()));
        let checks: Vec<Json> = self.table_level_checks.iter().map(|rule| rule.write(false)).collect();
        map.insert("table_level_checks".to_owned(), json!(checks));
        keep(&mut map, &self.extra);
        Json::Object(map)
    }

    /// SHA-256 of the document, hexadecimal: compiled tests carry it, and a runner refuses those of another state.
    pub fn hash(&self) -> String {
        Sha256::digest(self.to_value().to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// All rules: the columns' in schema order, then the table's.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.columns.values().flat_map(|column| &column.rules).chain(&self.table_level_checks)
    }

    /// Gives every rule an id of its own: a second rule of one id gets `_2`, and so on.
    pub fn make_ids_unique(&mut self) {
        let mut seen = std::collections::HashSet::new();
        let columns = self.columns.values_mut().flat_map(|column| &mut column.rules);
        for rule in columns.chain(&mut self.table_level_checks) {
            let base = rule.id.clone();
            let mut number = 2;
            while !seen.insert(rule.id.clone()) {
                rule.id = format!("{base}_{number}");
                number += 1;
            }
        }
    }
}

impl ColumnContract {
    fn read(mut fields: Fields, name: &str) -> Self {
        let rules = fields.list("rules").unwrap_or_default();
        let rules = read_rules(rules, Some(name), &fields.path_of("rules"), &fields.problems().clone());
        ColumnContract {
            data_type: fields.text("type").unwrap_or_else(|| "unknown".to_owned()),
            nullable: fields.flag("nullable").unwrap_or(true),
            description: fields.text("description"),
            rules,
            extra: fields.rest(),
        }
    }

    fn write(&self) -> Json {
        let mut map = Map::new();
        map.insert("type".to_owned(), json!(self.data_type));
        map.insert("nullable".to_owned(), json!(self.nullable));
        if let Some(description) = &self.description {
            map.insert("description".to_owned(), json!(description));
        }
        let rules: Vec<Json> = self.rules.iter().map(|rule| rule.write(true)).collect();
        map.insert("rules".to_owned(), json!(rules));
        keep(&mut map, &self.extra);
        Json::Object(map)
    }
}

impl Freshness {
    fn read(mut fields: Fields) -> Self {
        let hour = fields.count("sla_hour_utc");
        let sla_hour_utc = hour.and_then(|hour| u8::try_from(hour).ok()).filter(|hour| *hour < 24);
        if hour.is_some() && sla_hour_utc.is_none() {
            fields.problems().add(&fields.path_of("sla_hour_utc"), "expected an hour of the day, 0 to 23");
        }
        Freshness {
            frequency: fields.text("frequency").unwrap_or_else(|| "daily".to_owned()),
            sla_hour_utc,
            column: fields.text("column"),
            calendar: Calendar::read(&mut fields),
            extra: fields.rest(),
        }
    }

    /// The rule that holds a table to it, where a column dates the rows: the newest row is at most one period and the
    /// hour of delivery old, so the rows of a day are there by `sla_hour_utc` of the next one, or within it where no hour
    /// is stated.
    pub fn rule(&self) -> Option<Rule> {
        let period = match self.frequency.to_lowercase().as_str() {
            "hourly" => 1.0,
            "weekly" => 7.0 * 24.0,
            "monthly" => 31.0 * 24.0,
            "daily" => 24.0,
            _ => return None,
        };
        let column = self.column.clone()?;
        let max_age_hours = period + self.sla_hour_utc.map_or(24.0, f64::from);
        let kind = RuleKind::Freshness { column: column.clone(), max_age_hours, calendar: self.calendar.clone() };
        Some(Rule::new(kind, Some(&column)))
    }

    fn write(&self) -> Json {
        let mut map = Map::new();
        map.insert("frequency".to_owned(), json!(self.frequency));
        if let Some(hour) = self.sla_hour_utc {
            map.insert("sla_hour_utc".to_owned(), json!(hour));
        }
        if let Some(column) = &self.column {
            map.insert("column".to_owned(), json!(column));
        }
        if let Some(calendar) = self.calendar.write() {
            map.insert("calendar".to_owned(), calendar);
        }
        keep(&mut map, &self.extra);
        Json::Object(map)
    }
}

fn read_rules(rules: Vec<Json>, column: Option<&str>, path: &str, problems: &Problems) -> Vec<Rule> {
    let numbered = rules.into_iter().enumerate();
    numbered.filter_map(|(index, rule)| Rule::read(rule, column, &format!("{path}[{index}]"), problems)).collect()
}

/// Adds unknown keys back without overwriting known ones.
pub(super) fn keep(map: &mut Map<String, Json>, extra: &Map<String, Json>) {
    for (key, value) in extra {
        map.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Severity, Source};

    /// The `data_quality` of the specification's section 3.2.
    const EXAMPLE: &str = r#"{
      "table_name": "loan_repayment_fact",
      "owner": "data-eng-team",
      "description": "Fact table with one row per loan repayment.",
      "primary_key": ["loan_id", "payment_date"],
      "freshness": {"frequency": "daily", "sla_hour_utc": 6},
      "columns": {
        "loan_id": {"type": "string", "nullable": false, "rules": [
          {"type": "not_null"},
          {"type": "foreign_key", "ref_table": "dim_loan", "ref_column": "loan_id"}
        ]},
        "emi_amount": {"type": "double", "nullable": false, "rules": [
          {"type": "not_null"},
          {"type": "min", "value": 0.0},
          {"type": "range_soft", "min": 0.0, "max": 20000.0}
        ]}
      },
      "table_level_checks": [
        {"type": "grain_uniqueness", "grain": ["loan_id", "payment_date"], "description": "No duplicates."},
        {"type": "row_count_anomaly",
         "rule": "Row count should not deviate by more than 20% from a 7-day rolling average."}
      ]
    }"#;

    #[test]
    fn the_example_of_the_specification_reads_without_a_problem() {
        let (contract, problems) = Contract::from_json(EXAMPLE).unwrap();
        assert_eq!(problems, []);
        assert_eq!(contract.primary_key, ["loan_id", "payment_date"]);
        let ids: Vec<&str> = contract.rules().map(|rule| rule.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "not_null_loan_id",
                "foreign_key_loan_id",
                "not_null_emi_amount",
                "min_emi_amount",
                "range_soft_emi_amount",
                "grain_uniqueness_loan_id_payment_date",
                "row_count_anomaly"
            ]
        );
        let anomaly = contract.table_level_checks.last().unwrap();
        assert!(matches!(anomaly.kind, RuleKind::RowCountAnomaly { max_deviation: 0.2, window_days: 7, .. }));
        let soft = &contract.columns["emi_amount"].rules[2];
        assert_eq!((soft.severity, soft.source), (Severity::Warn, Source::Human));
    }

    #[test]
    fn a_contract_in_yaml_is_the_same_contract() {
        let text = "table_name: loan_repayment_fact\ncolumns:\n  emi_amount:\n    type: double\n    rules:\n\
            \x20     - type: min\n        value: 0.0\n      - {type: not_nul}\n";
        let (contract, problems) = Contract::from_yaml(text).unwrap();
        assert_eq!(contract.rules().next().map(|rule| rule.id.as_str()), Some("min_emi_amount"));
        assert!(
            problems[0].to_string().starts_with("line 8, columns.emi_amount.rules[1].type: `not_nul`"),
            "{problems:?}"
        );
        let (json, _) = Contract::from_json(EXAMPLE).unwrap();
        // JSON is YAML as well.
        assert_eq!(Contract::from_yaml(EXAMPLE).unwrap().0, json);
        assert!(Contract::from_yaml("version: 99").unwrap_err().to_string().contains("update de-copilot"));
    }

    #[test]
    fn writing_and_reading_again_changes_nothing() {
        let (contract, _) = Contract::from_json(EXAMPLE).unwrap();
        let (again, problems) = Contract::from_json(&contract.to_json()).unwrap();
        assert_eq!((again.hash(), problems), (contract.hash(), vec![]));
        assert_eq!(again, contract);
    }

    #[test]
    fn unknown_keys_and_kinds_are_kept_and_told_with_their_line() {
        let text = r#"{"table_name": "t", "tier": "gold", "columns": {"a": {"type": "int", "pii": true, "rules": [
            {"type": "not_nul", "ticket": 7},
            {"type": "min", "value": 0, "severity": "eror"},
            {"type": "sparkles", "level": 3}
        ]}}}"#;
        let (contract, problems) = Contract::from_json(text).unwrap();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "line 2, columns.a.rules[0].type: `not_nul` is no rule type that this version knows (did you mean `not_null`?): it is kept but not run",
                "line 3, columns.a.rules[1].severity: \"eror\" is none of warning, warn, error; did you mean `error`?",
                "line 4, columns.a.rules[2].type: `sparkles` is no rule type that this version knows: it is kept but not run",
            ]
        );
        let written = contract.to_value();
        assert_eq!(written["tier"], "gold");
        assert_eq!(written["columns"]["a"]["pii"], true);
        assert_eq!(written["columns"]["a"]["rules"][0], json!({"type": "not_nul", "ticket": 7}));
        assert_eq!(written["columns"]["a"]["rules"][2], json!({"type": "sparkles", "level": 3}));
    }

    #[test]
    fn a_newer_version_and_broken_json_are_refused_with_the_next_step() {
        let newer = Contract::from_json(r#"{"version": 99, "table_name": "t"}"#).unwrap_err().to_string();
        assert!(newer.contains("version 99") && newer.contains("update de-copilot"), "{newer}");
        let broken = Contract::from_json("{\n  \"table_name\": ,\n}").unwrap_err().to_string();
        assert!(broken.starts_with("line 2, column"), "{broken}");
        assert!(Contract::from_json("[1, 2]").unwrap_err().to_string().contains("expected an object"));
    }

    #[test]
    fn two_rules_of_one_kind_on_one_column_have_two_ids() {
        let text = r#"{"table_name": "t", "columns": {"a": {"type": "int", "rules": [
            {"type": "min", "value": 0}, {"type": "min", "value": 1, "severity": "warn"}]}}}"#;
        let (contract, _) = Contract::from_json(text).unwrap();
        let ids: Vec<&str> = contract.rules().map(|rule| rule.id.as_str()).collect();
        assert_eq!(ids, ["min_a", "min_a_2"]);
    }
}
