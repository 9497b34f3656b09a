//! Loads of real files into real folders.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use contract::value::Value;
use datafusion::arrow::array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::lake::local::{LocalLake, LocalLakeOptions};
use crate::project::Settings;

/// The table `db.pay`: a key of loan and day, partitioned by day, loans that must be known.
const CATALOG: &str = r#"{"Table": {"StorageDescriptor": {"Columns": [
    {"Name": "loan_id", "Type": "string"}, {"Name": "amount", "Type": "double"}, {"Name": "status", "Type": "string"}]},
    "PartitionKeys": [{"Name": "day", "Type": "date"}]}}"#;
const CONTRACT: &str = r#"{"table_name": "pay", "columns": {
    "loan_id": {"type": "string", "rules": [{"type": "not_null"},
        {"type": "foreign_key", "ref_table": "loans", "ref_column": "loan_id", "stage": "both"}]},
    "amount": {"type": "double", "rules": [{"type": "not_null"}, {"type": "min", "value": 0}]},
    "status": {"type": "string", "rules": [{"type": "allowed_values", "values": ["OK", "FAILED"]},
        {"type": "not_null", "mode": "observe"}]}},
    "table_level_checks": [{"type": "grain_uniqueness", "grain": ["loan_id", "day"], "stage": "both"}]}"#;
const HEADER: &str = "loan_id,amount,status,day\n";

/// A project with a lake, in a folder of its own.
struct Folder {
    _dir: TempDir,
    project: Project,
}

impl Folder {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let mut settings = Settings::default();
        settings.preload.max_bad_share = 0.5;
        let folder = Self { _dir: dir, project: Project { root, settings, file: None } };
        let loans: String = (0..50).map(|i| format!("L{i}\n")).collect();
        folder
            .write("lake/_catalog/db.pay.json", CATALOG)
            .write("lake/db/loans/a.csv", format!("loan_id\n{loans}"))
            .write("de-copilot/contracts/pay.json", CONTRACT);
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = self.project.root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), content).unwrap();
        self
    }

    fn lake(&self) -> LocalLake {
        let options = LocalLakeOptions::new(self.project.lake_root(), self.project.store_root());
        LocalLake::open(LocalLakeOptions { threads: Some(2), ..options }).unwrap()
    }

    async fn load(&self, file: &str) -> Result<Preload> {
        let name = TableName::new("db", "pay");
        preload(&self.project, &self.lake(), &name, Path::new(file), &PreloadOptions::default()).await
    }

    /// Loads a file that must be readable.
    async fn loaded(&self, file: &str) -> Preload {
        let load = self.load(file).await.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(load.input, load.good + load.quarantined, "{load:?}");
        load
    }

    /// `row number: rules` of the quarantined rows.
    async fn quarantine(&self, load: &Preload) -> Vec<String> {
        let rows = quarantined(&self.lake(), load).await.unwrap();
        assert_eq!(rows.len() as u64, load.quarantined);
        rows.iter().map(|row| format!("{}: {}", row.source_row, row.rule_names.join(" "))).collect()
    }

    async fn count(&self, condition: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM db.pay WHERE {condition}");
        let answer = self.lake().engine_query(&sql).await;
        match answer.rows[0][0] {
            Value::Int(count) => count,
            ref other => panic!("{other:?}"),
        }
    }

    /// Files under the table's folder that a reader could take for data.
    fn leftovers(&self) -> Vec<String> {
        let mut files = Vec::new();
        collect(&self.path("lake/db/pay/x").parent().unwrap().join("_loading"), &mut files);
        files.retain(|name| name != ".lock");
        files
    }
}

impl LocalLake {
    async fn engine_query(&self, sql: &str) -> crate::lake::QueryResult {
        crate::lake::Lake::engine(self).query(sql).await.unwrap()
    }
}

fn collect(folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path().is_dir() {
            true => collect(&entry.path(), files),
            false => files.push(entry.file_name().to_string_lossy().into_owned()),
        }
    }
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

#[tokio::test]
async fn every_row_is_loaded_or_quarantined_with_its_reasons() {
    let folder = Folder::new().with_share(1.0);
    let rows = "L1,10.5,OK,2024-01-01\n\
                L2,-3,NOPE,2024-01-01\n\
                ,7,OK,2024-01-02\n\
                L3,12 500,OK,2024-01-02\n\
                L4,1,OK,31/01/2024\n\
                L5,1\n\
                L6,1,OK,2024-01-01,extra\n\
                L99,1,OK,2024-01-01\n\
                L1,11,OK,2024-01-01\n\
                L7,NaN,OK,2024-01-01\n\
                L8,,OK,2024-01-01\n\
                L9,5,,2024-01-02\n\
                L10, 6 ,OK, 2024-01-02\n";
    folder.write("in/a.csv", format!("{HEADER}{rows}"));
    let load = folder.loaded("in/a.csv").await;
    assert_eq!((load.input, load.good, load.loaded, load.date.as_str()), (13, 3, true, "2024-01-01"));
    let expected = [
        "2: min_amount allowed_values_status",
        "3: not_null_loan_id",
        "4: type_amount",
        "5: type_day",
        "6: unreadable_row",
        "7: unreadable_row",
        "8: foreign_key_loan_id",
        "9: grain_uniqueness_loan_id_day",
        "10: type_amount",
        "11: not_null_amount",
    ];
    assert_eq!(folder.quarantine(&load).await, expected);
    let counts = |id: &str| load.rules.iter().find(|rule| rule.rule_id == id).map(|rule| (rule.violations, rule.first));
    assert_eq!(counts("unreadable_row"), Some((2, 2)));
    assert_eq!(counts("type_amount"), Some((2, 2)));
    assert_eq!(counts("allowed_values_status"), Some((1, 0)));
    assert_eq!(counts("not_null_status"), Some((1, 0)), "observed only");
    assert_eq!(folder.count("amount = 6 AND day = DATE '2024-01-02'").await, 1);
    assert_eq!(folder.count("true").await, 3);
    let days: Vec<_> = load.partitions.iter().map(|part| (part.values["day"].clone().unwrap(), part.rows)).collect();
    assert_eq!(days, [("2024-01-01".to_owned(), 1), ("2024-01-02".to_owned(), 2)]);
    let rows = quarantined(&folder.lake(), &load).await.unwrap();
    assert_eq!((rows[2].columns["amount"].as_str(), rows[2].source_line), (Some("12 500"), Some(5)));
    assert!(rows[2].error_reason.starts_with("type_amount: violates: "), "{}", rows[2].error_reason);
    assert_eq!(rows[4].raw.as_deref(), Some("L5,1"));
    assert_eq!(folder.leftovers(), [] as [&str; 0]);
}

#[tokio::test]
async fn too_many_bad_rows_stop_the_load_until_the_file_is_corrected() {
    let folder = Folder::new();
    let bad = "L1,1,OK,2024-01-01\nL2,,OK,2024-01-01\nL3,,OK,2024-01-01\nL4,,OK,2024-01-01\n";
    folder.write("in/a.csv", format!("{HEADER}{bad}"));
    let load = folder.loaded("in/a.csv").await;
    assert!(!load.loaded && load.quarantined == 3);
    let stopped = load.stopped.clone().unwrap();
    assert!(stopped.contains("3 of 4 rows are bad (75.0 %)") && stopped.contains("preload.max_bad_share"), "{stopped}");
    assert_eq!(folder.quarantine(&load).await.len(), 3);
    assert_eq!((folder.count("true").await, folder.leftovers().len()), (0, 0));

    folder.write("in/a.csv", format!("{HEADER}{}", bad.replace(",,", ",2,")));
    let load = folder.loaded("in/a.csv").await;
    assert!(load.loaded && !load.already_loaded);
    let again = folder.loaded("in/a.csv").await;
    assert!(again.loaded && again.already_loaded && again.good == 4);
    assert_eq!(folder.count("true").await, 4);
    let records = loads(&folder.lake(), &TableName::new("db", "pay")).await.unwrap();
    assert_eq!(records.iter().map(|record| record.loaded).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn the_same_content_under_another_name_is_another_load() {
    let folder = Folder::new();
    let content = format!("{HEADER}L1,1,OK,2024-01-01\n");
    folder.write("in/a.csv", &content).write("in/a_resent.csv", &content);
    folder.loaded("in/a.csv").await;
    assert!(!folder.loaded("in/a_resent.csv").await.already_loaded);
    assert_eq!(folder.count("true").await, 2);
}

#[tokio::test]
async fn a_rule_in_mode_fail_stops_the_load() {
    let folder = Folder::new();
    let contract = CONTRACT.replace(r#"{"type": "min", "value": 0}"#, r#"{"type": "min", "value": 0, "mode": "fail"}"#);
    folder.write("de-copilot/contracts/pay.json", contract);
    let good = "L1,1,OK,2024-01-01\nL2,1,OK,2024-01-01\nL3,1,OK,2024-01-01\n";
    folder.write("in/a.csv", format!("{HEADER}{good}L4,-1,OK,2024-01-01\n"));
    let load = folder.loaded("in/a.csv").await;
    assert!(load.stopped.as_ref().is_some_and(|why| why.contains("1 rows violate min_amount")), "{load:?}");
    assert_eq!(folder.count("true").await, 0);
}

#[tokio::test]
async fn json_lines_and_gzip_are_accounted_for_like_csv() {
    let folder = Folder::new().with_share(1.0);
    let lines = "{\"loan_id\":\"L1\",\"amount\":1.5,\"status\":\"OK\",\"day\":\"2024-01-01\"}\n\
                 {\"loan_id\":\"L2\",\"amount\":\"x\",\"status\":\"OK\",\"day\":\"2024-01-01\"}\n\
                 {\"loan_id\":\"L3\",\n\
                 [1]\n\
                 \n\
                 {\"Loan_ID\":\"L4\",\"amount\":2,\"status\":\"OK\",\"day\":\"2024-01-01\",\"note\":\"ü\"}\n\
                 {\"loan_id\":\"L5\",\"amount\":NaN,\"status\":\"OK\",\"day\":\"2024-01-01\"}\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(lines.as_bytes()).unwrap();
    folder.write("in/a.jsonl.gz", gzip.finish().unwrap());
    let load = folder.loaded("in/a.jsonl.gz").await;
    assert_eq!((load.input, load.good), (6, 2));
    let expected = ["2: type_amount", "3: unreadable_row", "4: unreadable_row", "6: unreadable_row"];
    assert_eq!(folder.quarantine(&load).await, expected);
    assert!(load.notes.iter().any(|note| note.starts_with("note: in the file and not in the table")), "{load:?}");
    assert_eq!(folder.count("loan_id = 'L4'").await, 1);
}

#[tokio::test]
async fn parquet_keeps_its_types_and_loses_nothing_in_silence() {
    let folder = Folder::new();
    let day = |days: &[i32]| Arc::new(Date32Array::from(days.to_vec())) as ArrayRef;
    let texts = |values: &[&str]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let amounts: ArrayRef = Arc::new(Float64Array::from(vec![1.0, f64::NAN, f64::INFINITY]));
    let days = day(&[19_723, 19_723, 19_724]);
    let columns = vec![("loan_id", texts(&["L1", "L2", "L3"])), ("amount", amounts), ("day", days.clone())];
    folder.write("in/a.parquet", parquet(columns));
    let load = folder.loaded("in/a.parquet").await;
    assert_eq!(folder.quarantine(&load).await, ["2: min_amount"]);
    assert_eq!(load.notes, ["status: in the table and not in the file, so NULL"]);
    assert_eq!(folder.count("status IS NULL AND day = DATE '2024-01-02'").await, 1);

    // Whole numbers that a double cannot hold, and text where a number belongs.
    let amounts: ArrayRef = Arc::new(Int64Array::from(vec![5, (1 << 53) + 1]));
    let columns = vec![("loan_id", texts(&["L4", "L5"])), ("amount", amounts), ("day", day(&[19_723, 19_723]))];
    folder.write("in/b.parquet", parquet(columns));
    let load = folder.loaded("in/b.parquet").await;
    assert_eq!(folder.quarantine(&load).await, ["2: type_amount"]);
    let columns =
        vec![("loan_id", texts(&["L6", "L7"])), ("amount", texts(&["8.5", "n/a"])), ("day", day(&[19_723, 19_723]))];
    folder.write("in/c.parquet", parquet(columns));
    let load = folder.loaded("in/c.parquet").await;
    assert_eq!(folder.quarantine(&load).await, ["2: type_amount"]);
    assert_eq!(folder.count("amount = 8.5").await, 1);
}

#[tokio::test]
async fn files_that_are_no_data_are_refused_and_leave_nothing() {
    let folder = Folder::new();
    let whole = parquet(vec![("loan_id", Arc::new(StringArray::from(vec!["L1"; 5000])) as ArrayRef)]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(format!("{HEADER}{}", "L1,1,OK,2024-01-01\n".repeat(100_000)).as_bytes()).unwrap();
    let mut gzip = gzip.finish().unwrap();
    gzip.truncate(gzip.len() / 2);
    folder
        .write("in/cut.parquet", &whole[..whole.len() - 7])
        .write("in/cut.csv.gz", gzip)
        .write("in/other.csv", "a,b\n1,2\n")
        .write("in/twice.csv", "loan_id,Loan_ID\n1,2\n")
        .write("in/binary", b"\x00\x01\x02");
    let cases = [
        ("in/cut.parquet", "is no complete Parquet file"),
        ("in/cut.csv.gz", "cannot be read after"),
        ("in/other.csv", "has none of the columns of db.pay: a, b"),
        ("in/twice.csv", "names the column \"Loan_ID\" twice"),
        ("in/binary", "is neither Parquet, CSV nor JSON lines"),
        ("in/missing.csv", "No such file"),
        ("in", "Is a directory"),
    ];
    for (file, problem) in cases {
        let error = folder.load(file).await.unwrap_err().to_string();
        assert!(error.contains(problem) && error.contains("next: "), "{file}: {error}");
    }
    assert_eq!((folder.count("true").await, folder.leftovers().len()), (0, 0));
    folder.write("in/empty.csv", "").write("in/header.csv", HEADER);
    for file in ["in/empty.csv", "in/header.csv"] {
        let load = folder.loaded(file).await;
        assert_eq!((load.input, load.loaded), (0, true), "{file}");
    }
}

#[tokio::test]
async fn what_is_missing_says_what_to_do() {
    let folder = Folder::new();
    folder.write("in/a.csv", format!("{HEADER}L1,1,OK,2024-01-01\n"));
    folder.write("de-copilot/tests/pay.json", r#"{"table_name": "pay", "contract_hash": "old", "tests": []}"#);
    let error = folder.load("in/a.csv").await.unwrap_err().to_string();
    assert!(error.contains("another state") && error.contains("de-copilot generate pay"), "{error}");
    fs::remove_file(folder.path("de-copilot/tests/pay.json")).unwrap();
    fs::remove_file(folder.path("de-copilot/contracts/pay.json")).unwrap();
    let error = folder.load("in/a.csv").await.unwrap_err().to_string();
    assert!(error.contains("there is no contract of db.pay"), "{error}");
    let escaping = TableName::new("db", "../../etc");
    let lake = folder.lake();
    let error = preload(&folder.project, &lake, &escaping, Path::new("in/a.csv"), &PreloadOptions::default()).await;
    assert!(error.unwrap_err().to_string().contains("cannot be a path"));

    let mut inside = Folder::new();
    inside.project.settings.store.root = "lake/db/pay/store".into();
    inside.write("in/a.csv", HEADER);
    let error = inside.load("in/a.csv").await.unwrap_err().to_string();
    assert!(error.contains("quarantined rows would become rows of the table"), "{error}");

    let loose = Folder::new();
    loose.write("lake/pay.csv", "loan_id\nL1\n").write("in/a.csv", "loan_id\nL2\n");
    fs::remove_file(loose.path("lake/_catalog/db.pay.json")).unwrap();
    let name = TableName::new("default", "pay");
    let error = preload(&loose.project, &loose.lake(), &name, Path::new("in/a.csv"), &PreloadOptions::default()).await;
    assert!(error.unwrap_err().to_string().contains("a table that is one file cannot be loaded into"));
}

#[tokio::test]
async fn a_corrected_quarantine_file_loads_its_rows() {
    let folder = Folder::new();
    folder.write("in/a.csv", format!("{HEADER}L1,1,OK,2024-01-01\nL2,x,OK,2024-01-01\n"));
    let load = folder.loaded("in/a.csv").await;
    let text = fs::read_to_string(folder.path("de-copilot").join(load.quarantine.unwrap())).unwrap();
    folder.write("in/fixed.jsonl", text.replace("\"x\"", "\"2.5\""));
    let fixed = folder.loaded("in/fixed.jsonl").await;
    assert_eq!((fixed.good, fixed.notes.len()), (1, 0), "{fixed:?}");
    assert_eq!(folder.count("amount = 2.5").await, 1);
}

#[tokio::test]
async fn tables_of_text_stay_tables_of_text() {
    let folder = Folder::new();
    fs::remove_file(folder.path("lake/_catalog/db.pay.json")).unwrap();
    folder
        .write("lake/db/pay/a.csv", "loan_id,amount,status,day\nL1,1.5,OK,2024-01-01\n")
        .write("in/b.csv", "status,day,amount,loan_id\n\"OK\",2024-01-02,2,L2\n");
    let load = folder.loaded("in/b.csv").await;
    assert_eq!(load.good, 1);
    assert_eq!(folder.count("true").await, 2);
    assert_eq!(folder.count("day = DATE '2024-01-02' AND amount = 2").await, 1);
}

#[tokio::test]
async fn folders_of_the_incoming_file_give_partition_keys() {
    let folder = Folder::new();
    folder.write("in/day=2024-03-01/a.csv", "loan_id,amount,status\nL1,1,OK\n");
    let load = folder.loaded("in/day=2024-03-01/a.csv").await;
    assert_eq!((load.date.as_str(), load.good), ("2024-03-01", 1));
    assert_eq!(folder.count("day = DATE '2024-03-01'").await, 1);
}

/// Every state in which a process can die: after the split, after the record, and between two renames.
#[tokio::test]
async fn a_load_that_died_is_finished_or_thrown_away() {
    let folder = Folder::new();
    let rows: String = (0..20).map(|i| format!("L{i},1,OK,2024-01-{:02}\n", i % 4 + 1)).collect();
    folder.write("in/a.csv", format!("{HEADER}{rows}"));
    let table = folder.lake().table_of("pay").await;
    let lake = folder.lake();
    let keys = Keys { name: "pay".into() };
    let split = |load_id: &str| SplitRequest {
        table: table.clone(),
        file: folder.path("in/a.csv"),
        load_id: load_id.into(),
        rules: Vec::new(),
        now: lake.now(),
    };
    let reference = folder.loaded("in/a.csv").await;
    let wipe = || {
        fs::remove_dir_all(folder.path("lake/db/pay")).unwrap();
        fs::remove_file(folder.path("de-copilot").join(keys.load(&reference.load_id))).unwrap();
    };

    // Split, but not recorded: thrown away, and the load is made anew.
    wipe();
    lake.loader().split(split(&reference.load_id)).await.unwrap();
    assert_eq!(folder.count("true").await, 0);
    assert!(!folder.loaded("in/a.csv").await.already_loaded);
    assert_eq!((folder.count("true").await, folder.leftovers().len()), (20, 0));

    // Recorded, and one of four files renamed: readers see none, and the next run sees to the rest.
    let record = fs::read(folder.path("de-copilot").join(keys.load(&reference.load_id))).unwrap();
    wipe();
    lake.loader().split(split(&reference.load_id)).await.unwrap();
    fs::write(folder.path("de-copilot").join(keys.load(&reference.load_id)), record).unwrap();
    let waiting = folder.path("lake/db/pay/_loading").join(&reference.load_id).join("rows/day=2024-01-01");
    fs::rename(waiting, folder.path("lake/db/pay/day=2024-01-01")).unwrap();
    assert_eq!(folder.count("true").await, 0);
    assert!(folder.loaded("in/a.csv").await.already_loaded);
    assert_eq!((folder.count("true").await, folder.leftovers().len()), (20, 0));

    // The record was removed to load the file again: its rows are still there once.
    fs::remove_file(folder.path("de-copilot").join(keys.load(&reference.load_id))).unwrap();
    assert!(!folder.loaded("in/a.csv").await.already_loaded);
    assert_eq!(folder.count("true").await, 20);
}

/// Where the test below tells its child to load, as `PROJECT`.
const CHILD: &str = "DE_COPILOT_TEST_PRELOAD_CHILD";

#[tokio::test]
#[ignore = "the child process of `a_killed_load_is_completed_by_the_next_run`"]
async fn child_that_loads() {
    let root = PathBuf::from(std::env::var(CHILD).unwrap());
    let project = Project { root, settings: Settings::default(), file: None };
    let lake = LocalLake::open(LocalLakeOptions::new(project.lake_root(), project.store_root())).unwrap();
    let name = TableName::new("db", "pay");
    preload(&project, &lake, &name, Path::new("in/a.csv"), &PreloadOptions::default()).await.unwrap();
}

#[tokio::test]
async fn a_killed_load_is_completed_by_the_next_run() {
    let folder = Folder::new();
    // Many days, so that the renames of the commit take their time, too.
    let rows: String = (0..3_000).map(|i| format!("L{},{i},OK,{}\n", i % 50, day(i / 50))).collect();
    folder.write("in/a.csv", format!("{HEADER}{rows}L1,-1,OK,2024-01-01\n"));
    let mut kills = 0;
    let mut delay = Duration::from_millis(20);
    loop {
        let test = "stage::preload::tests::child_that_loads";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--ignored"])
            .env(CHILD, &folder.project.root)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(delay);
        let finished = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        // Whatever the moment, a reader sees all rows of the load or none.
        let seen = folder.count("true").await;
        assert!(seen == 0 || seen == 3_000, "{seen} rows after a kill at {delay:?}");
        if finished {
            break;
        }
        kills += 1;
        delay = delay * 3 / 2;
    }
    assert!(kills > 0);
    let load = folder.loaded("in/a.csv").await;
    assert_eq!((load.input, load.good, load.quarantined, load.already_loaded), (3_001, 3_000, 1, true));
    assert_eq!((folder.count("true").await, folder.leftovers().len()), (3_000, 0));
    assert_eq!(folder.quarantine(&load).await.len(), 1);
}

fn day(number: usize) -> String {
    let day = chrono::NaiveDate::from_ymd_opt(2020, 1, 1).unwrap() + chrono::Days::new(number as u64);
    day.to_string()
}

/// A line of a CSV file that may be anything.
fn line() -> impl Strategy<Value = String> {
    let cell = prop_oneof![
        Just("L1".to_owned()),
        Just("2024-01-01".to_owned()),
        Just("1.5".to_owned()),
        Just("OK".to_owned()),
        Just(String::new()),
        "[ -~]{0,6}",
        "\"[^\"]{0,5}\"",
        Just("ü\u{1F600}".to_owned()),
        "-?[0-9]{1,25}",
    ];
    let good = (0..50u32, 0..9u32).prop_map(|(loan, day)| format!("L{loan},1,OK,2024-01-0{}", day + 1));
    prop_oneof![2 => good, 3 => prop::collection::vec(cell, 1..6).prop_map(|cells| cells.join(","))]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a file holds, its rows are counted as a CSV reader counts them, and each is in the table or in quarantine.
    #[test]
    fn no_row_is_lost(lines in prop::collection::vec(line(), 0..60)) {
        let folder = Folder::new().with_share(1.0);
        let content = format!("{HEADER}{}", lines.join("\n"));
        folder.write("in/a.csv", &content);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(content.as_bytes());
        let records: Vec<csv::ByteRecord> = reader.byte_records().collect::<std::result::Result<_, _>>().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let load = folder.loaded("in/a.csv").await;
            assert_eq!(load.input, records.len() as u64);
            assert_eq!(folder.count("true").await as u64, load.good);
            let first: u64 = load.rules.iter().map(|rule| rule.first).sum();
            assert_eq!(first, load.quarantined, "every quarantined row has a first reason");
            let rows = quarantined(&folder.lake(), &load).await.unwrap();
            for row in &rows {
                let record = &records[row.source_row as usize - 1];
                let cell = |name: &str| row.columns.get(name).map(|cell| cell.as_str().unwrap_or_default().to_owned());
                if let Some(cell) = cell("loan_id") {
                    assert_eq!(cell, String::from_utf8_lossy(&record[0]));
                }
            }
        });
    }
}

impl Folder {
    fn with_share(mut self, share: f64) -> Self {
        self.project.settings.preload.max_bad_share = share;
        self
    }
}

impl LocalLake {
    async fn table_of(&self, table: &str) -> Table {
        crate::lake::Lake::catalog(self).table(&TableName::new("db", table)).await.unwrap()
    }
}
