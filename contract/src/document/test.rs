//! Tests: the specification's `tests`. Stored as `tests/<table>.json`.

use serde_json::{Map, Value as Json, json};

use super::contract::keep;
use super::fields::{self, Fields, Problems};
use super::problem::{DocumentError, DocumentProblem};
use crate::rule::json::{EXPECTS, STAGES, word};
use crate::rule::{Expects, Stage};

/// All tests of a table, compiled from one state of its contract.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TestSuite {
    /// The table.
    pub table_name: String,
    /// Hash of the contract that the tests were compiled from; a runner refuses a stale one.
    pub contract_hash: String,
    /// The tests.
    pub tests: Vec<Test>,
}

/// One test: either a query or a row predicate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Test {
    /// Name, unique within the suite.
    pub name: String,
    /// What it checks, for people.
    pub description: String,
    /// A read-only query in Athena's SQL.
    pub sql: Option<String>,
    /// What the query's result means; told from its text.
    pub expects: Option<Expects>,
    /// Lower bound of the value, where the query returns one.
    pub min: Option<f64>,
    /// Upper bound of the value, where the query returns one.
    pub max: Option<f64>,
    /// A predicate in rule text that must not be false for any row.
    pub rule: Option<String>,
    /// When it runs.
    pub stage: Stage,
    /// The rule of the contract that it tests, where there is one.
    pub rule_id: Option<String>,
    /// Keys that this version does not know.
    pub extra: Map<String, Json>,
}

impl TestSuite {
    /// Reads `tests/<table>.json`: the object that this program writes, or the bare list of the specification, which
    /// carries no hash. What cannot be read is left aside and told; a newer version is refused.
    pub fn from_json(text: &str) -> Result<(Self, Vec<DocumentProblem>), DocumentError> {
        let (suite, mut problems) = Self::from_value(fields::parse(text)?)?;
        for problem in &mut problems {
            problem.line = super::problem::line_of(text, &problem.path);
        }
        Ok((suite, problems))
    }

    /// As [`TestSuite::from_json`], from YAML.
    pub fn from_yaml(text: &str) -> Result<(Self, Vec<DocumentProblem>), DocumentError> {
        let document = fields::parse_yaml(text)?;
        let (suite, mut problems) = Self::from_value(document.value)?;
        for problem in &mut problems {
            problem.line = document.lines.get(&problem.path).copied();
        }
        Ok((suite, problems))
    }

    fn from_value(value: Json) -> Result<(Self, Vec<DocumentProblem>), DocumentError> {
        let problems = Problems::default();
        let value = match value {
            Json::Array(tests) => json!({ "tests": tests }),
            value => value,
        };
        let Some(mut fields) = Fields::of(value, "", &problems) else {
            return Err(DocumentError::Shape(DocumentProblem {
                path: "document".to_owned(),
                line: None,
                message: "expected an object with `tests`, or a list of tests".to_owned(),
            }));
        };
        let suite = TestSuite {
            table_name: fields.text("table_name").unwrap_or_default(),
            contract_hash: fields.text("contract_hash").unwrap_or_default(),
            tests: Test::read_list(fields.list("tests").unwrap_or_default(), &problems),
        };
        Ok((suite, problems.found()))
    }

    /// The document as the store keeps it.
    pub fn to_json(&self) -> String {
        let tests: Vec<Json> = self.tests.iter().map(Test::to_value).collect();
        fields::pretty(&json!({
            "version": super::VERSION,
            "table_name": self.table_name,
            "contract_hash": self.contract_hash,
            "tests": tests,
        }))
    }
}

impl Test {
    /// Reads the specification's `tests` list out of parsed JSON, such as a generator's answer.
    pub fn list_from_value(tests: &Json) -> (Vec<Self>, Vec<DocumentProblem>) {
        let problems = Problems::default();
        let tests = Self::read_list(tests.as_array().cloned().unwrap_or_default(), &problems);
        (tests, problems.found())
    }

    fn read_list(tests: Vec<Json>, problems: &Problems) -> Vec<Self> {
        let numbered = tests.into_iter().enumerate();
        numbered.filter_map(|(index, test)| Self::read(test, &format!("tests[{index}]"), problems)).collect()
    }

    fn read(value: Json, path: &str, problems: &Problems) -> Option<Self> {
        let mut fields = Fields::of(value, path, problems)?;
        let (sql, rule) = (fields.text("sql"), fields.text("rule"));
        if sql.is_none() && rule.is_none() {
            problems.add(path, "a test needs `sql` or `rule`");
            return None;
        }
        let stage =
            fields.choice("stage", STAGES).unwrap_or(if sql.is_some() { Stage::PostLoad } else { Stage::PreLoad });
        Some(Test {
            name: fields.text("name").unwrap_or_else(|| path.to_owned()),
            description: fields.text("description").unwrap_or_default(),
            sql,
            expects: fields.choice("expects", EXPECTS),
            min: fields.number("min"),
            max: fields.number("max"),
            rule,
            stage,
            rule_id: fields.text("rule_id"),
            extra: fields.rest(),
        })
    }

    /// The test in the shape of the specification's section 3.2.
    pub fn to_value(&self) -> Json {
        let mut map = Map::new();
        map.insert("name".to_owned(), json!(self.name));
        map.insert("description".to_owned(), json!(self.description));
        for (key, text) in [("sql", &self.sql), ("rule", &self.rule)] {
            if let Some(text) = text {
                map.insert(key.to_owned(), json!(text));
            }
        }
        map.insert("stage".to_owned(), json!(word(STAGES, self.stage)));
        if let Some(expects) = self.expects {
            map.insert("expects".to_owned(), json!(word(EXPECTS, expects)));
        }
        for (key, bound) in [("min", self.min), ("max", self.max)] {
            if let Some(bound) = bound {
                map.insert(key.to_owned(), fields::plain_number(bound));
            }
        }
        if let Some(rule_id) = &self.rule_id {
            map.insert("rule_id".to_owned(), json!(rule_id));
        }
        keep(&mut map, &self.extra);
        Json::Object(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bare_list_of_the_specification_is_read_and_written_back_whole() {
        let list = r#"[
          {"name": "not_null_loan_id", "description": "loan_id must not be null.",
           "sql": "SELECT COUNT(*) AS null_count FROM analytics_db.loan_repayment_fact WHERE loan_id IS NULL",
           "stage": "post_load"},
          {"name": "preload_emi_amount_non_negative", "description": "Reject rows.", "rule": "emi_amount >= 0",
           "stage": "pre_load", "ticket": 12}
        ]"#;
        let (suite, problems) = TestSuite::from_json(list).unwrap();
        assert_eq!(problems, []);
        assert_eq!(suite.tests[1].stage, Stage::PreLoad);
        let original: Json = serde_json::from_str(list).unwrap();
        assert_eq!(json!(suite.tests.iter().map(Test::to_value).collect::<Vec<_>>()), original);
        let (again, _) = TestSuite::from_json(&suite.to_json()).unwrap();
        assert_eq!(again, suite);
    }

    #[test]
    fn a_test_without_anything_to_run_is_left_aside_and_told() {
        let (suite, problems) = TestSuite::from_json("{\"tests\": [\n{\"name\": \"a\"}]}").unwrap();
        assert_eq!(suite.tests, []);
        assert_eq!(problems[0].to_string(), "line 2, tests[0]: a test needs `sql` or `rule`");
    }
}
