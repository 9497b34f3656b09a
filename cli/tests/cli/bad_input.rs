//! Input as it should not be: the error names the place and the next step, the rest is still done, nothing is half
//! written, and the next run completes.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

use crate::{Ended, Folder, command};

const GOOD: &str = "id,amount\n1,2.5\n2,3.5\n";

/// A lake with a good table beside whatever else the files make.
fn beside_a_good_table(files: &[(&str, &str)]) -> Folder {
    let folder = Folder::new(files);
    folder.write("lake/db/good/1.csv", GOOD);
    folder.write("de-copilot.toml", "[lake]\nroot = \"lake\"\n");
    folder
}

/// The profile that `de-copilot profile` printed of a table.
fn profile<'j>(profiles: &'j Json, table: &str) -> &'j Json {
    let found = profiles.as_array().unwrap().iter().find(|profile| profile["table"] == table);
    found.unwrap_or_else(|| panic!("{table} is missing in {profiles:#}"))
}

fn assert_good_table_is_profiled(profiles: &Json) {
    assert_eq!(profile(profiles, "db.good")["profile"]["row_count"], 2);
}

#[test]
fn a_missing_folder() {
    let folder = Folder::new(&[]);
    for name in ["init", "profile", "run", "doctor", "generate", "test"] {
        folder.run(&[name, "--project", "nowhere"]).exits(2).tells(&["nowhere", "--project"]);
    }
    folder.run(&["analyze", "nowhere.py"]).exits(2).tells(&["nowhere.py"]);
    folder.write("de-copilot.toml", "[lake]\nroot = \"nowhere\"\n");
    folder.run(&["run"]).exits(2).tells(&["nowhere", "`lake.root`"]);
}

#[test]
fn a_folder_without_data() {
    let folder = Folder::new(&[("notes.txt", "nothing"), ("lake/readme.md", "soon")]);
    folder.write("de-copilot.toml", "[lake]\nroot = \"lake\"\n");
    for name in ["profile", "run"] {
        folder.run(&[name]).exits(2).tells(&["holds no table", "`lake.root`"]);
    }
}

#[test]
fn settings_with_a_mistake() {
    let folder = beside_a_good_table(&[]);
    folder.write("de-copilot.toml", "[lake]\nrot = \"lake\"\n");
    folder.run(&["profile"]).exits(2).tells(&["de-copilot.toml:2", "unknown setting `lake.rot`", "`root`"]);
}

#[test]
fn tables_without_rows() {
    let described = r#"{"Table": {"Name": "planned", "DatabaseName": "db", "StorageDescriptor": {"Columns":
        [{"Name": "id", "Type": "bigint"}]}}}"#;
    let folder =
        beside_a_good_table(&[("lake/_catalog/db.planned.json", described), ("lake/db/header/1.csv", "id,amount\n")]);
    folder.write("lake/db/header/2.csv", "");
    let profiles = folder.run(&["profile", "--format", "json"]).exits(0).json();
    assert_good_table_is_profiled(&profiles);
    for table in ["db.planned", "db.header"] {
        assert_eq!(profile(&profiles, table)["profile"]["row_count"], 0);
    }
    folder.run(&["run"]).exits(0);
}

#[test]
fn a_table_that_does_not_exist_or_leaves_the_lake() {
    let folder = beside_a_good_table(&[]);
    folder.write("secret/1.csv", GOOD);
    folder.run(&["profile", "db.god"]).exits(2).tells(&["db.god", "did you mean db.good?"]);
    for name in ["../secret", "db.../secret", "db/../../secret", "/etc/passwd"] {
        folder.run(&["profile", name]).exits(2).tells(&["cannot be a path"]);
        folder.run(&["generate", name]).exits(2);
    }
}

#[test]
fn a_corrupt_parquet_file_among_good_ones() {
    let folder = Folder::new(&[]);
    let options = fixtures::Options { rows: 3_000, days: 30, seed: 7 };
    fixtures::generate(folder.path(), &options).unwrap();
    let table = folder.at("lake/analytics_db/loan_repayment_fact");
    let mut parts: Vec<_> = std::fs::read_dir(&table).unwrap().map(|entry| entry.unwrap().path()).collect();
    parts.sort();
    let broken = parts[3].join("part-00000.parquet");
    let bytes = std::fs::read(&broken).unwrap();
    std::fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();

    let profiles = folder.run(&["profile", "loan_repayment_fact", "--format", "json"]).exits(0).json();
    let profile = &profiles[0]["profile"];
    assert_eq!(profile["file_count"], parts.len() - 1);
    let unreadable = profile["unreadable_files"][0].as_str().unwrap();
    assert!(unreadable.contains(parts[3].file_name().unwrap().to_str().unwrap()), "{unreadable}");
    let advice = folder.run(&["doctor"]).exits(0).out;
    assert!(advice.contains("part-00000.parquet"), "{advice}");
}

#[test]
fn rows_of_other_lengths() {
    let folder = beside_a_good_table(&[("lake/db/ragged/1.csv", "id,amount\n1,2\n2\n3,4,5,6\n")]);
    let ended = folder.run(&["profile", "--format", "json"]);
    assert_good_table_is_profiled(&ended.json());
    let told = format!("{}{}", ended.out, ended.err);
    assert!(told.contains("ragged/1.csv"), "{told}");
}

#[test]
fn files_of_one_table_that_do_not_fit_together() {
    let folder = beside_a_good_table(&[("lake/db/mixed/a.json", "{\"id\": 1}\n"), ("lake/db/mixed/c.csv", "id\n3\n")]);
    folder.write("lake/db/mixed/b.json", "{\"id\": {\"part\": 1}}\n");
    let profiles = folder.run(&["profile", "--format", "json"]).exits(0).json();
    assert_good_table_is_profiled(&profiles);
    let mixed = &profile(&profiles, "db.mixed")["profile"];
    assert_eq!((&mixed["row_count"], &mixed["column_stats"]["id"]["type"]), (&json!(2), &json!("string")));
    assert!(mixed["unreadable_files"][0].as_str().unwrap().contains("c.csv"), "{mixed:#}");
}

#[test]
fn a_script_that_is_no_text() {
    let folder = beside_a_good_table(&[("jobs/good.py", "import pyspark\n")]);
    folder.write("jobs/binary.py", [0u8, 159, 146, 150]);
    folder.write("jobs/latin.py", b"import pyspark  # caf\xe9\n");
    let ended = folder.run(&["analyze", "--format", "json"]).exits(2);
    assert_eq!(ended.json()[0]["script"], "jobs/good.py");
    ended.tells(&["binary.py", "latin.py", "UTF-8"]);
    let named = folder.run(&["analyze", "jobs/binary.py", "jobs/good.py", "--format", "json"]).exits(2);
    assert_eq!(named.json().as_array().unwrap().len(), 1);
    named.tells(&["binary.py", "not a text file"]);
    folder.run(&["run"]).exits(0);
}

#[test]
fn a_store_that_cannot_be_written() {
    let folder = beside_a_good_table(&[("store", "a file, not a folder")]);
    folder.write("de-copilot.toml", "[lake]\nroot = \"lake\"\n[store]\nroot = \"store\"\n");
    folder.run(&["run"]).exits(3).tells(&["store", "`store.root`"]);
    assert_eq!(folder.read("store"), "a file, not a folder");
}

#[test]
fn a_demo_that_would_overwrite_somebody_s_files() {
    let folder = Folder::new(&[("mine/thesis.txt", "years of work")]);
    folder.run(&["demo", "--out", "mine"]).exits(2).tells(&["mine", "--out"]);
    assert_eq!(std::fs::read_dir(folder.at("mine")).unwrap().count(), 1);
    folder.run(&["demo", "--out", "small", "--rows", "10"]).exits(2).tells(&["use at least 3000"]);
}

/// Whatever a killed or interrupted run leaves behind, documents are whole and the next run does everything.
#[test]
fn a_run_that_is_killed_at_any_stage() {
    let folder = Folder::new(&[]);
    let arguments = ["demo", "--out", "demo", "--rows", "3000"];
    for (signal, stage) in [("KILL", "data"), ("INT", "data"), ("KILL", "profile"), ("INT", "generate")] {
        let mut child =
            command(folder.path(), &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Held until the end: a reader that goes away would end it too.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        lines.by_ref().map(Result::unwrap).find(|line| line.contains(stage)).unwrap();
        let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let ended = Ended::of(child.wait_with_output().unwrap());
        if signal == "INT" {
            ended.exits(130).tells(&["interrupted", "the same command again"]);
        } else {
            assert_eq!(ended.code, -1, "ended by itself: {}", ended.err);
        }
        assert_documents_are_whole(&folder.at("demo/de-copilot"));
    }
    folder.run(&arguments).exits(0);
}

fn assert_documents_are_whole(store: &std::path::Path) {
    let Ok(entries) = std::fs::read_dir(store) else { return };
    for entry in entries.map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            assert_documents_are_whole(&path);
        } else if path.extension().is_some_and(|ending| ending == "json") {
            serde_json::from_slice::<Json>(&std::fs::read(&path).unwrap()).unwrap();
        }
    }
}
