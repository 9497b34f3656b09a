//! init, analyze, profile and doctor on small folders.

use serde_json::json;

use crate::{Ended, Folder, command};

const PAYMENTS: &str = "loan_id,amount,status\nL1,10.5,OK\nL2,20,OK\nL3,,FAILED\n";
const SCRIPT: &str = "\
import sys
from awsglue.context import GlueContext
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext

args = getResolvedOptions(sys.argv, [\"JOB_NAME\", \"TARGET\"])
glue = GlueContext(SparkContext())
payments = glue.create_dynamic_frame.from_catalog(database=\"raw\", table_name=\"payments\").toDF()
ok = payments.filter(\"status = 'OK'\").select(\"loan_id\", \"amount\").dropDuplicates([\"loan_id\"])
ok.write.mode(\"overwrite\").saveAsTable(f\"{args['TARGET']}.ok_payments\")
";

fn lending() -> Folder {
    Folder::new(&[("data/raw/payments/1.csv", PAYMENTS), ("jobs/etl.py", SCRIPT)])
}

#[test]
fn every_command_has_an_example_in_its_help() {
    let folder = Folder::new(&[]);
    for name in ["init", "analyze", "profile", "generate", "preload", "test", "run", "demo", "lsp", "doctor"] {
        let help = folder.run(&[name, "--help"]).exits(0).out;
        assert!(help.contains("Example"), "{name}:\n{help}");
        assert!(name == "lsp" || (help.contains("--format") && help.contains("--project")), "{name}:\n{help}");
    }
    let help = folder.run(&["--help"]).exits(0).out;
    assert!(help.contains("Exit codes") && !help.contains("internal-query"), "{help}");
    folder.run(&["profil"]).exits(2).tells(&["profile"]);
}

#[test]
fn init_writes_what_it_found_and_tells_what_it_could_not_know() {
    let folder = lending();
    let report = folder.run(&["init", "--format", "json"]).exits(0).json();
    assert_eq!(report["tables"], json!(["raw.payments"]));
    assert_eq!(report["scripts"], json!(["jobs/etl.py"]));
    let unknowns = report["unknowns"].as_array().unwrap();
    let argument = unknowns.iter().find(|unknown| unknown["what"].as_str().unwrap().contains("TARGET")).unwrap();
    assert!(argument["line"].as_str().unwrap().contains("TARGET"), "{argument}");
    let settings = folder.read("de-copilot.toml");
    assert!(settings.contains("root = \"data\""), "{settings}");
    let remark = "# Not known: the value of the argument TARGET of etl. In [environments.dev.arguments] it would be: TARGET = \"VALUE\"";
    assert!(settings.contains(remark), "{settings}");
    folder.run(&["init"]).exits(2).tells(&["de-copilot.toml", "exists already"]);
}

#[test]
fn what_init_asks_for_is_what_analyze_then_knows() {
    let folder = lending();
    folder.run(&["init"]).exits(0);
    let output =
        |folder: &Folder| folder.run(&["analyze", "--format", "json"]).exits(0).json()[0]["outputs"][0].clone();
    assert_eq!(output(&folder)["name"], "<arg:TARGET>.ok_payments");
    let settings = folder.read("de-copilot.toml") + "\n[environments.dev.arguments]\nTARGET = \"curated\"\n";
    folder.write("de-copilot.toml", settings);
    let output = output(&folder);
    assert_eq!(output["name"], "curated.ok_payments");
    assert_eq!(output["grain"]["columns"], json!(["loan_id"]));
    let types: Vec<_> = output["columns"].as_array().unwrap().iter().map(|column| &column["type"]).collect();
    assert_eq!(types, ["string", "double"]);
}

#[test]
fn analyze_reads_scripts_outside_any_project_by_their_text() {
    let folder = Folder::new(&[
        ("a/etl.py", SCRIPT),
        ("a/names.py", "TARGET = 'x'\n"),
        ("b/broken.py", "def (:\nimport pyspark\n"),
    ]);
    let reports = folder.run(&["analyze", "a/etl.py", "b/broken.py", "--format", "json"]).exits(0).json();
    assert_eq!(reports.as_array().unwrap().len(), 2);
    assert_eq!(reports[0]["script"], "a/etl.py");
    assert_eq!(reports[0]["inputs"][0]["name"], "raw.payments");
    assert_eq!(reports[1]["outputs"], json!([]));
    let text = folder.run(&["analyze", "a/etl.py"]).exits(0).out;
    assert!(text.contains("read raw.payments") && text.contains("grain loan_id"), "{text}");
    let chart = folder.run(&["analyze", "a/etl.py", "--format", "mermaid"]).exits(0).out;
    assert!(chart.contains("flowchart"), "{chart}");
    let events = folder.run(&["analyze", "a/etl.py", "--format", "openlineage"]).exits(0).json();
    assert_eq!(events[0]["job"]["name"], "etl");
    assert_eq!(events[0]["inputs"][0]["name"], "table/raw/payments");
}

#[test]
fn a_project_says_how_bad_a_finding_is_and_accepts_what_is_there() {
    let script = "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n\
                  rows = spark.table('raw.payments')\nrows.select('amout').show()\n";
    let settings = "[lake]\nroot = \"data\"\n";
    let folder = Folder::new(&[("data/raw/payments/1.csv", PAYMENTS), ("jobs/a.py", script), ("jobs/b.py", script)]);
    folder.write("de-copilot.toml", settings);
    let told = |folder: &Folder| {
        let reports = folder.run(&["analyze", "--format", "json"]).exits(0).json();
        let scripts = reports.as_array().unwrap().iter();
        scripts.map(|script| script["diagnostics"].as_array().unwrap().clone()).collect::<Vec<_>>()
    };
    let before = told(&folder);
    assert_eq!((before[0][0]["code"].as_str(), before[1].len()), (Some("unknown-column"), 1));

    let lower = "[diagnostics.folders.\"jobs/a.py\"]\nunknown-column = \"warning\"\n";
    folder.write("de-copilot.toml", format!("{settings}{lower}"));
    let severities: Vec<_> = told(&folder).iter().map(|found| found[0]["severity"].clone()).collect();
    assert_eq!(severities, ["warning", "error"]);
    folder.write("de-copilot.toml", format!("{settings}[diagnostics.severities]\nunknown-colum = \"off\"\n"));
    folder.run(&["analyze"]).exits(2).tells(&["de-copilot.toml:4", "did you mean `unknown-column`?"]);

    folder.write("de-copilot.toml", settings);
    let accepted = folder.run(&["analyze", "jobs/a.py", "--accept"]).exits(0).out;
    assert!(accepted.contains("1 finding accepted"), "{accepted}");
    assert_eq!(told(&folder).iter().map(Vec::len).collect::<Vec<_>>(), [0, 1], "only of the script that was named");
    assert!(folder.run(&["analyze", "--accept"]).exits(0).out.contains("1 finding accepted"), "the other one is new");
    assert!(folder.run(&["analyze", "--accept"]).exits(0).out.contains("0 findings"), "and then nothing is");
    folder.write("jobs/a.py", script.replace("'amout'", "'amout', 'stats'"));
    assert_eq!(told(&folder)[0].len(), 2, "another line is another finding");
    folder.write("de-copilot-baseline.json", "{}");
    folder.run(&["analyze"]).exits(2).tells(&["de-copilot-baseline.json", "--accept"]);
}

#[test]
fn profile_counts_what_is_there() {
    let folder = lending();
    let profiles = folder.run(&["profile", "payments", "--format", "json"]).exits(0).json();
    let profile = &profiles[0]["profile"];
    assert_eq!(profile["row_count"], 3);
    assert_eq!(profile["column_stats"]["amount"]["max"], 20.0);
    assert_eq!(profile["column_stats"]["status"]["top_values"][0], json!({ "value": "OK", "count": 2 }));
    let text = folder.run(&["profile"]).exits(0).out;
    assert!(text.contains("raw.payments") && text.contains("3 rows") && text.contains("67 % OK"), "{text}");
    assert!(!text.contains('\x1b'), "colour without a terminal: {text:?}");
    let known = folder.run(&["doctor", "--format", "json"]).exits(0).json();
    assert!(known["tables"][0]["profiled_at"].is_string(), "the profile is kept: {known:#}");
}

#[test]
fn doctor_says_what_is_known_and_what_would_help() {
    let folder = lending();
    let report = folder.run(&["doctor", "--format", "json"]).exits(0).json();
    assert_eq!(report["settings"], json!(null));
    assert_eq!(report["tables"][0]["table"], "raw.payments");
    assert_eq!(report["tables"][0]["schema_from"], "files");
    assert!(!report["unknowns"].as_array().unwrap().is_empty());
    let text = folder.run(&["doctor"]).exits(0).out;
    assert!(text.contains("de-copilot init") && text.contains("never"), "{text}");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let folder = lending();
    let mut child = command(folder.path(), &["profile"]);
    let mut child = child.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = Ended::of(child.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
}
