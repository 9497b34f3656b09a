//! init, run, preload and test in a folder that nobody prepared.

use std::fmt::Write;

use serde_json::{Value as Json, json};

use crate::Folder;

const SCRIPT: &str = "\
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.getOrCreate()
orders = spark.read.option('header', True).csv('s3://shop-raw/orders/')
customers = spark.table('sales.customers')
paid = orders.filter(F.col('status').isin('PAID', 'SENT')).join(customers.select('customer_id'), 'customer_id')
paid.select('order_id', 'customer_id', 'amount', 'status').dropDuplicates(['order_id']) \\
    .write.mode('overwrite').saveAsTable('sales.paid_orders')
";

fn orders(ids: std::ops::Range<u32>) -> String {
    let mut csv = "order_id,customer_id,amount,status\n".to_owned();
    for id in ids {
        let status = if id % 3 == 0 { "SENT" } else { "PAID" };
        writeln!(csv, "O{id:05},C{:03},{}.50,{status}", id % 50, 10 + id % 90).unwrap();
    }
    csv
}

/// A shop's files as somebody left them.
fn shop() -> Folder {
    let mut customers = "customer_id,city\n".to_owned();
    (0..50).for_each(|id| writeln!(customers, "C{id:03},Pune").unwrap());
    Folder::new(&[
        ("data/sales/paid_orders/1.csv", &orders(0..300)),
        ("data/sales/customers/all.csv", &customers),
        ("glue/paid_orders.py", SCRIPT),
    ])
}

fn table<'j>(report: &'j Json, name: &str) -> &'j Json {
    let tables = report["tables"].as_array().unwrap().iter();
    let (database, bare) = name.split_once('.').unwrap();
    let found = tables.into_iter().find(|t| t["table"]["database"] == database && t["table"]["table"] == bare);
    found.unwrap_or_else(|| panic!("{name} is missing in {report:#}"))
}

#[test]
fn init_then_run_makes_a_contract_that_holds() {
    let folder = shop();
    let told = folder.run(&["init"]).exits(0).out;
    assert!(told.contains("s3://shop-raw/orders/"), "what is not known: {told}");
    let report = folder.run(&["run", "--format", "json"]).exits(0).json();
    let run = table(&report, "sales.paid_orders");
    assert_eq!(run["error"], json!(null));
    assert!(run["verdicts"].as_array().unwrap().iter().any(|verdict| verdict["kept"] == true));
    let contract: Json = serde_json::from_str(&folder.read("de-copilot/contracts/paid_orders.json")).unwrap();
    assert_eq!(contract["primary_key"], json!(["order_id"]));
    for name in ["tests/paid_orders.json", "docs/paid_orders.md", "contracts/customers.json"] {
        assert!(folder.at("de-copilot").join(name).is_file(), "{name}");
    }
    let again = folder.run(&["run"]).exits(0).out;
    assert!(again.contains("sales.paid_orders"), "{again}");
}

#[test]
fn what_a_person_wrote_into_a_contract_stays() {
    let folder = shop();
    folder.run(&["run"]).exits(0);
    let path = "de-copilot/contracts/paid_orders.json";
    let mut contract: Json = serde_json::from_str(&folder.read(path)).unwrap();
    contract["owner"] = json!("the shop's people");
    folder.write(path, contract.to_string());
    folder.run(&["generate", "paid_orders"]).exits(0);
    let contract: Json = serde_json::from_str(&folder.read(path)).unwrap();
    assert_eq!(contract["owner"], "the shop's people");
}

#[test]
fn bad_rows_of_an_incoming_file_are_set_aside_and_good_ones_loaded_once() {
    let folder = shop();
    folder.run(&["init"]).exits(0);
    folder.run(&["run"]).exits(0);
    let mut incoming = orders(300..400);
    incoming.push_str("O00400,C001,many,PAID\nO00401,C001,20.50,LOST\nO00399,C049,49.50,PAID\n");
    folder.write("today.csv", &incoming);
    let loads = folder.run(&["preload", "paid_orders", "today.csv", "--format", "json"]).exits(0).json();
    assert_eq!(
        (&loads[0]["input"], &loads[0]["good"], &loads[0]["quarantined"]),
        (&json!(103), &json!(100), &json!(3))
    );
    let rows = |folder: &Folder| {
        let profile = folder.run(&["profile", "paid_orders", "--format", "json"]).exits(0).json();
        profile[0]["profile"]["row_count"].as_u64().unwrap()
    };
    assert_eq!(rows(&folder), 400);
    let again = folder.run(&["preload", "paid_orders", "today.csv", "--format", "json"]).exits(0).json();
    assert_eq!(again[0]["already_loaded"], true);
    assert_eq!(rows(&folder), 400);
    folder.write("worse.csv", "order_id,customer_id,amount,status\nO00500,C001,1.5,LOST\nO00501,C001,x,PAID\n");
    let stopped = folder.run(&["preload", "paid_orders", "worse.csv"]).exits(1).out;
    assert!(stopped.contains("stopped") && stopped.contains("max_bad_share"), "{stopped}");
    folder.run(&["preload", "paid_orders", "tomorrow.csv"]).exits(2).tells(&["tomorrow.csv"]);
    assert_eq!(rows(&folder), 400);
}

#[test]
fn a_failed_test_is_the_exit_code() {
    let folder = shop();
    folder.run(&["run"]).exits(0);
    folder.run(&["test"]).exits(0);
    let plan = folder.run(&["test", "paid_orders", "--plan"]).exits(0).out;
    assert!(plan.contains("SELECT") && plan.contains("order_id"), "{plan}");
    let plan = folder.run(&["test", "paid_orders", "--plan", "--format", "json"]).exits(0).json();
    let plan = &plan[0]["plan"];
    let queries = plan["queries"].as_array().unwrap().len() as f64;
    // A small table costs what ten megabytes cost, for each query.
    assert!((plan["athena_dollars"].as_f64().unwrap() - queries * 0.00005).abs() < 1e-9, "{plan:#}");
    folder.write("data/sales/paid_orders/2.csv", orders(299..301));
    let failed = folder.run(&["test", "paid_orders", "--format", "json"]).exits(1).json();
    let tests = failed[0]["run"]["tests"].as_array().unwrap();
    assert!(tests.iter().any(|test| test["status"] == "failed" && test["violations"] == 1), "{failed:#}");
    folder.run(&["test", "nothing"]).exits(2).tells(&["nothing"]);
}

#[test]
fn the_advised_line_brings_the_tables_of_a_run_without_it_together() {
    let folder = Folder::new(&[
        ("data/paid/1.csv", &orders(0..300)),
        (
            "glue/report.py",
            "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\nspark.table('prod.paid').select('order_id').write.saveAsTable('prod.report')\n",
        ),
    ]);
    let told = folder.run(&["init"]).exits(0).out;
    assert!(told.contains("prod = \"default\""), "{told}");
    let before = folder.run(&["run", "--format", "json"]).exits(0).json();
    assert_eq!(table(&before, "prod.report")["error"], json!(null));
    let settings = folder.read("de-copilot.toml").replace("# [lake.databases]", "[lake.databases]\nprod = \"default\"");
    std::fs::write(folder.at("de-copilot.toml"), settings).unwrap();
    let after = folder.run(&["run", "--format", "json"]).exits(0).json();
    let names: Vec<String> = after["tables"].as_array().unwrap().iter().map(|run| run["table"].to_string()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(after["unknowns"], json!([]));
    assert_eq!(table(&after, "default.report")["error"], json!(null));
}

#[test]
fn a_contract_in_yaml_is_people_s_alone() {
    let folder = shop();
    folder.run(&["init"]).exits(0);
    let yaml = "\
version: 1
table_name: paid_orders
database: sales
columns:
  order_id: {type: string, nullable: false}
  status:
    type: string
    rules:
      # Refunds are booked elsewhere.
      - {type: allowed_values, values: [PAID], mode: quarantine}
";
    let place = folder.at("de-copilot/contracts/paid_orders.yaml");
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::write(&place, yaml).unwrap();
    let told = folder.run(&["generate", "paid_orders"]).exits(0).out;
    assert!(told.contains("only people write"), "{told}");
    assert_eq!(std::fs::read_to_string(&place).unwrap(), yaml, "its remark stays too");
    assert!(!folder.at("de-copilot/contracts/paid_orders.json").exists());
    let tested = folder.run(&["test", "paid_orders"]).exits(1).out;
    assert!(tested.contains("allowed_values") && tested.contains("100"), "{tested}");
    let all = folder.run(&["test"]).exits(1).out;
    assert!(all.contains("sales.paid_orders"), "a contract in YAML is one too: {all}");
    let known = folder.run(&["doctor", "--format", "json"]).exits(0).json();
    let fact = known["tables"].as_array().unwrap().iter().find(|t| t["table"] == "sales.paid_orders").unwrap();
    assert!(fact["contract"].as_str().unwrap().ends_with("paid_orders.yaml"));

    std::fs::write(folder.at("de-copilot/contracts/paid_orders.json"), "{}").unwrap();
    folder.run(&["generate", "paid_orders"]).exits(2).tells(&["paid_orders.yaml", "keep one of the two"]);
}

#[test]
fn what_a_contract_states_in_vain_is_told_with_its_line() {
    let folder = shop();
    folder.run(&["init"]).exits(0);
    let contract = r#"{
  "table_name": "paid_orders",
  "columns": {
    "status": {"type": "string", "rules": [
      {"type": "not_null", "severty": "warn"}
    ]}
  },
  "table_level_checks": [{"type": "row_count", "min": 1, "threshold": 3}]
}"#;
    let place = folder.at("de-copilot/contracts/paid_orders.json");
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::write(&place, contract).unwrap();
    let misspelt = "contracts/paid_orders.json: line 5, columns.status.rules[0].severty: a rule of type not_null has no \
                    `severty`; did you mean `severity`?";
    let in_vain = "line 8, table_level_checks[0].threshold: `threshold` changes nothing about a rule of type row_count";
    for arguments in [&["test", "paid_orders"][..], &["test", "paid_orders", "--plan"]] {
        let told = folder.run(arguments).exits(0).out;
        assert!(told.contains(misspelt) && told.contains(in_vain), "{told}");
    }
    let run = folder.run(&["test", "paid_orders", "--format", "json"]).exits(0).json();
    assert_eq!(run[0]["run"]["notes"].as_array().unwrap().len(), 2);
}
