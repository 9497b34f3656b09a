//! The demo, small: what it finds, what it leaves, and a second run into the same folder.

use std::path::Path;

use serde_json::Value as Json;

use crate::Folder;

const SMALL: [&str; 7] = ["demo", "--out", "out", "--rows", "3000", "--format", "json"];

fn assert_all_is_found(report: &Json) {
    for trouble in report["planted"].as_array().unwrap() {
        assert!(trouble["found"] == true || trouble["stage"] == "drift", "{trouble:#}");
    }
    assert_eq!(report["false_alarms"].as_array().unwrap().len(), 0, "{:#}", report["false_alarms"]);
}

#[test]
fn it_finds_what_was_planted_again_and_again() {
    let folder = Folder::new(&[]);
    let report = folder.run(&SMALL).exits(0).json();
    assert_all_is_found(&report);
    let rows = |key: &str| report["rows"][key].as_u64().unwrap();
    assert!(rows("good") > 0 && rows("quarantined") > 0);
    assert_eq!(rows("input"), rows("good") + rows("quarantined"));
    for artifact in report["artifacts"].as_array().unwrap() {
        assert!(Path::new(artifact.as_str().unwrap()).is_file(), "{artifact}");
    }
    let again = folder.run(&SMALL).exits(0).json();
    assert_eq!(again["planted"], report["planted"]);
    assert_eq!(again["artifacts"], report["artifacts"]);
}

#[test]
fn it_tells_people_what_to_look_at_next() {
    let folder = Folder::new(&[]);
    let text = folder.run(&["demo", "--rows", "3000", "--seed", "11"]).exits(0).out;
    for words in
        ["✓ analyze", "✓ postload", "Planted against found", "0 false alarms", "contracts/loan_repayment_fact.json"]
    {
        assert!(text.contains(words), "`{words}` is missing in:\n{text}");
    }
    assert!(folder.at("demo-out/de-copilot/docs/loan_repayment_fact.md").is_file());
    let known = folder.run(&["doctor", "--project", "demo-out", "--format", "json"]).exits(0).json();
    for table in known["tables"].as_array().unwrap() {
        assert!(table["profiled_at"].is_string(), "the profile is found behind days without one: {table:#}");
    }
}
