//! Tests of tables in real folders.

use std::fs;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use tempfile::TempDir;

use super::*;
use crate::lake::local::{LocalLake, LocalLakeOptions};
use crate::project::Settings;

struct Folder {
    _dir: TempDir,
    project: Project,
    now: DateTime<Utc>,
}

impl Folder {
    /// A table `db.pay`, partitioned by day, with so many rows on the first days of 2024, and its contract.
    fn new(days: &[usize], contract: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let project = Project { root, settings: Settings::default(), file: None };
        let now = "2024-01-05T07:00:00Z".parse().unwrap();
        let folder = Self { _dir: dir, project, now };
        for (day, rows) in (1..).zip(days) {
            folder.day(day, *rows);
        }
        folder
            .write("lake/db/loans/a.csv", "loan_id\nL0\nL1\nL2\nL3\nL4\nL5\nL6\nL7\nL8\nL9\n")
            .write("de-copilot/contracts/pay.json", contract)
    }

    fn write(self, name: &str, content: &str) -> Self {
        let path = self.project.root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Writes a day, its rows numbered from 0.
    fn day(&self, day: usize, rows: usize) {
        let rows: String = (0..rows).map(|i| format!("L{i},{i}\n")).collect();
        let path = self.file(&format!("lake/db/pay/day=2024-01-{day:02}/a.csv"));
        fs::write(path, format!("loan_id,amount\n{rows}")).unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        let path = self.project.root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn lake(&self) -> LocalLake {
        let options = LocalLakeOptions::new(self.project.lake_root(), self.project.store_root());
        LocalLake::open(LocalLakeOptions { now: Some(self.now), ..options }).unwrap()
    }

    async fn test(&self, options: PostloadOptions) -> Run {
        postload(&self.project, &self.lake(), &TableName::new("db", "pay"), &options).await.unwrap()
    }

    async fn test_day(&self, day: usize) -> Run {
        let date = format!("2024-01-{day:02}");
        self.test(PostloadOptions { run_id: Some(date.clone()), date: Some(date), ..PostloadOptions::default() }).await
    }
}

/// `name: status` of every test.
fn outcomes(run: &Run) -> Vec<String> {
    run.tests.iter().map(|test| format!("{}: {:?}", test.name, test.status).to_lowercase()).collect()
}

fn outcome<'a>(run: &'a Run, name: &str) -> &'a TestResult {
    run.tests.iter().find(|test| test.name == name).unwrap_or_else(|| panic!("no {name} in {:?}", outcomes(run)))
}

const ROWS: &str = r#"{"table_name": "pay", "columns": {
    "loan_id": {"type": "string", "rules": [{"type": "not_null"}, {"type": "unique", "severity": "warn"},
        {"type": "foreign_key", "ref_table": "loans", "ref_column": "loan_id"}]},
    "amount": {"type": "bigint", "rules": [{"type": "min", "value": 0}, {"type": "max", "value": 8},
        {"type": "check_constraint", "expression": "amuont > 1"}]}}}"#;

#[tokio::test]
async fn rules_share_a_scan_and_each_has_its_result() {
    let folder = Folder::new(&[10, 10, 3], ROWS);
    let run = folder.test(PostloadOptions { samples: 2, ..PostloadOptions::default() }).await;
    let expected = [
        "not_null_loan_id: passed",
        "unique_loan_id: failed",
        "foreign_key_loan_id: passed",
        "min_amount: passed",
        "max_amount: failed",
        "check_constraint_amuont_1: errored",
    ];
    assert_eq!(outcomes(&run), expected);
    assert_eq!((run.row_count, run.queries, run.date.as_str()), (23, 4, "2024-01-03"));
    assert_eq!(run.worst(), Some(Severity::Error));
    let max = outcome(&run, "max_amount");
    assert_eq!(max.violations, Some(2));
    assert_eq!(max.samples[0]["amount"], 9);
    assert!(max.samples[0]["$path"].as_str().unwrap().ends_with("a.csv"), "{:?}", max.samples);
    assert_eq!(outcome(&run, "unique_loan_id").samples.len(), 2);
    assert!(outcome(&run, "check_constraint_amuont_1").message.contains("did you mean `amount`"));
    let stored = results(&folder.lake(), &TableName::new("db", "pay"), "2024-01-03").await.unwrap().unwrap();
    assert!(stored.runs[&run.run_id].tests.iter().all(|test| test.samples.is_empty()), "samples are not stored");
}

#[tokio::test]
async fn a_check_that_cannot_be_evaluated_takes_no_other_with_it() {
    let folder = Folder::new(&[10], ROWS).write("lake/db/loans/a.csv", "other\n1\n");
    let run = folder.test(PostloadOptions::default()).await;
    assert_eq!(outcome(&run, "foreign_key_loan_id").status, Status::Errored);
    assert_eq!(outcome(&run, "min_amount").status, Status::Passed);
    assert_eq!(run.worst_errored(), Some(Severity::Error));
}

#[tokio::test]
async fn tests_of_another_state_of_the_contract_are_refused() {
    let folder = Folder::new(&[1], ROWS)
        .write("de-copilot/tests/pay.json", r#"{"table_name": "pay", "contract_hash": "old", "tests": []}"#);
    let name = TableName::new("db", "pay");
    let error = postload(&folder.project, &folder.lake(), &name, &PostloadOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("de-copilot generate pay"), "{error}");
}

#[tokio::test]
async fn a_test_lends_its_rule_a_name_and_a_muted_rule_does_not_count() {
    let contract = r#"{"table_name": "pay", "columns": {"amount": {"type": "bigint", "rules": [
        {"type": "max", "value": 1, "mute_until": "2024-01-05"}]}}}"#;
    let tests = r#"[{"name": "amounts are small", "rule_id": "max_amount", "sql": "SELECT 1", "stage": "post_load"},
        {"name": "preload_max_amount", "rule_id": "max_amount", "rule": "amount <= 1", "stage": "pre_load"}]"#;
    let mut folder = Folder::new(&[5], contract).write("de-copilot/tests/pay.json", tests);
    let run = folder.test(PostloadOptions::default()).await;
    assert_eq!(outcomes(&run), ["amounts are small: failed"]);
    assert_eq!((run.worst(), run.tests[0].muted_until.as_deref()), (None, Some("2024-01-05")));
    folder.now = "2024-01-06T00:00:00Z".parse().unwrap();
    assert_eq!(folder.test(PostloadOptions::default()).await.worst(), Some(Severity::Error));
}

#[tokio::test]
async fn a_second_run_of_a_day_stands_beside_the_first() {
    let folder = Folder::new(&[5], ROWS);
    for id in ["a", "b", "a"] {
        folder.test(PostloadOptions { run_id: Some(id.into()), ..PostloadOptions::default() }).await;
    }
    let lake = folder.lake();
    let stored = results(&lake, &TableName::new("db", "pay"), "2024-01-01").await.unwrap().unwrap();
    assert_eq!(stored.runs.keys().collect::<Vec<_>>(), ["a", "b"]);
    let history = history::days(&lake, &TableName::new("db", "pay")).await.unwrap();
    assert_eq!(history["2024-01-01"].runs.len(), 2);
}

const DAILY: &str = r#"{"table_name": "pay", "primary_key": ["loan_id", "day"],
    "freshness": {"frequency": "daily", "sla_hour_utc": 6}, "columns": {}, "table_level_checks": [
    {"type": "grain_uniqueness", "grain": ["loan_id", "day"], "scope": "loaded_partitions"},
    {"type": "row_count_anomaly", "max_deviation": 0.2, "window_days": 3}]}"#;

#[tokio::test]
async fn a_doubled_day_fails_on_its_day_and_spoils_no_other() {
    let mut folder = Folder::new(&[10, 10, 11, 10], DAILY);
    let names = ["grain_uniqueness_loan_id_day", "row_count_anomaly", "freshness_day"];
    let all = |status: [&str; 3]| names.iter().zip(status).map(|(n, s)| format!("{n}: {s}")).collect::<Vec<_>>();
    assert_eq!(outcomes(&folder.test_day(4).await), all(["passed", "passed", "passed"]));

    folder.now = "2024-01-06T07:00:00Z".parse().unwrap();
    folder.day(5, 10);
    let resent = folder.file("lake/db/pay/day=2024-01-05/b.csv");
    fs::copy(folder.file("lake/db/pay/day=2024-01-05/a.csv"), &resent).unwrap();
    let run = folder.test_day(5).await;
    assert_eq!(outcomes(&run), all(["failed", "failed", "passed"]));
    assert_eq!(outcome(&run, "grain_uniqueness_loan_id_day").violations, Some(10));
    assert!(outcome(&run, "row_count_anomaly").message.contains("2024-01-05: 20 rows"), "{run:?}");

    // With the doubled day the average of the three days before would be 14.
    folder.now = "2024-01-07T07:00:00Z".parse().unwrap();
    folder.day(6, 10);
    assert_eq!(outcomes(&folder.test_day(6).await), all(["passed", "passed", "passed"]));

    // Once mended, the day counts again: a backfill spoils nothing.
    fs::remove_file(&resent).unwrap();
    assert_eq!(outcomes(&folder.test_day(5).await)[1], "row_count_anomaly: passed");
}

#[tokio::test]
async fn a_late_day_fails_until_it_is_there() {
    let mut folder = Folder::new(&[10, 10, 10], DAILY);
    folder.now = "2024-01-05T07:00:00Z".parse().unwrap();
    let run = folder.test_day(4).await;
    assert_eq!(outcome(&run, "row_count_anomaly").status, Status::Failed);
    assert_eq!(outcome(&run, "freshness_day").status, Status::Failed);
    folder.day(4, 10);
    folder.day(5, 10);
    folder.now = "2024-01-06T07:00:00Z".parse().unwrap();
    let run = folder.test_day(5).await;
    assert!(run.tests.iter().all(|test| test.status == Status::Passed), "{:?}", outcomes(&run));
}

#[tokio::test]
async fn loaded_partitions_are_all_that_is_read() {
    let contract = r#"{"table_name": "pay", "columns": {"amount": {"type": "bigint", "rules": [
        {"type": "max", "value": 5, "scope": "loaded_partitions"}]}}}"#;
    let folder = Folder::new(&[10, 3, 4], contract);
    let values = |day: &str| [("day".to_owned(), Some(day.to_owned()))].into_iter().collect();
    let partition = |day: &str| LoadedPartition { values: values(day), rows: 1 };
    let test = |days: Vec<LoadedPartition>| PostloadOptions { partitions: Some(days), ..PostloadOptions::default() };
    assert_eq!(folder.test(test(vec![partition("2024-01-02")])).await.worst(), None);
    let run = folder.test(test(vec![partition("2024-01-02"), partition("2024-01-01")])).await;
    assert_eq!(run.tests[0].violations, Some(4));
    let explained =
        explain(&folder.project, &folder.lake(), &TableName::new("db", "pay"), &test(vec![])).await.unwrap();
    let query = &explained.queries[0];
    assert_eq!((query.tests.as_slice(), query.files, query.of_files), (&["max_amount".to_owned()][..], 1, 3));
    assert_eq!(query.columns, ["amount", "day"]);
    assert!(query.bytes.is_some_and(|bytes| bytes > 0 && bytes == explained.bytes), "{explained:?}");
}
