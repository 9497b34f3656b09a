//! What analyze, context and generate do on small real folders.

use std::collections::BTreeMap;
use std::path::Path;

use async_trait::async_trait;
use contract::document::{Context, Contract};
use contract::rule::{Mode, Rule, Severity, Source};
use contract::schema::TableName;
use serde_json::{Value as Json, json};

use super::analyze::{Jobs, analyze, tables};
use super::context::{context, without_data};
use super::generate::{Generated, generate};
use super::profile::{ProfileOptions, profile};
use super::resolve;
use crate::generator::{Generator, Proposal, from_settings};
use crate::lake::local::{LocalLake, LocalLakeOptions};
use crate::project::Project;
use crate::{Error, Result};

/// A project's folder, opened.
struct Opened {
    project: Project,
    lake: LocalLake,
    _folder: Option<tempfile::TempDir>,
}

fn open(root: &Path, now: &str) -> Opened {
    let project = Project::open(root).unwrap();
    let mut options = LocalLakeOptions::new(project.lake_root(), project.store_root());
    options.now = Some(now.parse().unwrap());
    Opened { lake: LocalLake::open(options).unwrap(), project, _folder: None }
}

/// A project of these files, at noon of a day in 2024.
fn folder(files: &[(&str, &str)]) -> Opened {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("lake")).unwrap();
    std::fs::write(folder.path().join("de-copilot.toml"), "[generate]\nmin_rows = 20\n").unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let opened = open(folder.path(), "2024-03-01T12:00:00Z");
    Opened { _folder: Some(folder), ..opened }
}

impl Opened {
    async fn context(&self, jobs: &Jobs, table: &str) -> Context {
        let name =
            resolve(table, &TableName::new("default", table), &tables(&self.project, &self.lake, jobs).await.unwrap());
        let profiled = profile(&self.lake, &name, &ProfileOptions::default()).await;
        let profile = profiled.map_or_else(|_| without_data(&self.lake, &name), |profiled| profiled.profile);
        context(&self.project, &self.lake, jobs, &profile).await.unwrap()
    }

    async fn try_generate(&self, table: &str, generator: &dyn Generator) -> Result<Generated> {
        let jobs = analyze(&self.project, &self.lake).await.unwrap();
        let context = self.context(&jobs, table).await;
        generate(&self.project, &self.lake, generator, &context).await
    }

    async fn generate(&self, table: &str) -> Generated {
        let builtin = from_settings(&self.project.settings.generate);
        self.try_generate(table, builtin.as_ref()).await.unwrap()
    }

    fn stored(&self, key: &str) -> String {
        std::fs::read_to_string(self.project.store_root().join(key)).unwrap()
    }

    fn store(&self, key: &str, text: &str) {
        let path = self.project.store_root().join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// A rule for tests: its id, how it is enforced, and who stated it.
fn enforced(rule: &Rule) -> (&str, Mode, Source) {
    (&rule.id, rule.mode, rule.source)
}

fn rule<'a>(generated: &'a Generated, id: &str) -> &'a Rule {
    generated.contract.rules().find(|rule| rule.id == id).unwrap_or_else(|| {
        let ids: Vec<&str> = generated.contract.rules().map(|rule| rule.id.as_str()).collect();
        panic!("no rule {id}; there are {ids:?}; verdicts {:#?}", generated.verdicts)
    })
}

fn refused<'a>(generated: &'a Generated, id: &str) -> &'a str {
    let verdict = generated.verdicts.iter().find(|verdict| verdict.id == id && !verdict.kept);
    &verdict.unwrap_or_else(|| panic!("{id} is not refused: {:#?}", generated.verdicts)).reason
}

/// The demo's folder on the morning after its history.
fn loans(seed: u64) -> Opened {
    let folder = tempfile::tempdir().unwrap();
    let planted = fixtures::generate(folder.path(), &fixtures::Options { rows: 6_000, days: 30, seed }).unwrap();
    let morning = format!("{}T07:00:00Z", planted.history.1 + chrono::Days::new(1));
    let opened = open(folder.path(), &morning);
    Opened { _folder: Some(folder), ..opened }
}

const FACT: &str = "loan_repayment_fact";

#[tokio::test]
async fn jobs_and_tables_hang_together_across_scripts() {
    let demo = loans(7);
    let jobs = analyze(&demo.project, &demo.lake).await.unwrap();
    assert_eq!(jobs.unknowns, []);
    let fact = TableName::new("analytics_db", FACT);
    let (writer, output) = jobs.writer_of(&fact).unwrap();
    assert_eq!(writer.script.job_name, "loan_repayments_etl");
    assert_eq!(output.grain.columns, ["loan_id", "payment_date"]);
    let readers: Vec<&str> = jobs.readers_of(&fact).into_iter().map(|job| job.script.job_name.as_str()).collect();
    assert_eq!(readers, ["delinquency_report", "monthly_customer_summary"]);
    let lineage: Vec<String> = jobs
        .lineage()
        .into_iter()
        .map(|line| format!("{} -> {} -> {}", line.reads.join(", "), line.job, line.writes.join(", ")))
        .collect();
    assert_eq!(
        lineage,
        [
            "analytics_db.loan_repayment_fact, ref_db.dim_loan -> delinquency_report -> s3://demo-reports/delinquency_report/",
            "raw_db.raw_payments, ref_db.dim_loan, ref_db.dim_customer -> loan_repayments_etl -> analytics_db.loan_repayment_fact",
            "analytics_db.loan_repayment_fact, ref_db.dim_customer -> monthly_customer_summary -> analytics_db.monthly_customer_summary",
        ]
    );
}

#[tokio::test]
async fn the_context_has_the_shape_of_the_specification() {
    let demo = loans(7);
    let jobs = analyze(&demo.project, &demo.lake).await.unwrap();
    let context = demo.context(&jobs, FACT).await;
    let stored: Json =
        serde_json::from_str(&demo.stored(&format!("contexts/{FACT}/{}.json", context.script_hash.clone().unwrap())))
            .unwrap();
    assert_eq!(stored["layer"], "curated");
    assert_eq!(stored["purpose"], "Fact table with one row per loan repayment (EMI).");
    let column = json!({"name": "loan_id", "type": "string", "nullable": false, "comment": "The loan that is repaid"});
    assert_eq!(stored["schema"][0], column);
    assert_eq!(stored["column_stats"]["status"]["distinct_count"], 3);
    assert_eq!(stored["column_stats"]["emi_amount"]["null_pct"], 0.0);
    assert_eq!(stored["row_count"].as_u64(), Some(context.row_count));
    assert_eq!(
        stored["job_summary"],
        json!({
            "job_name": "loan_repayments_etl",
            "inputs": ["raw_payments", "dim_loan", "dim_customer"],
            "output": FACT,
            "join_keys": [
                {"left_table": "raw_payments", "right_table": "dim_loan", "columns": ["loan_id"]},
                {"left_table": "raw_payments", "right_table": "dim_customer", "columns": ["customer_id"]}
            ],
            "filters": ["payment_status IN ('SUCCESS', 'FAILED', 'PENDING')"],
            "grain": ["loan_id", "payment_date"]
        })
    );
    // The filter reaches the output under the output's own name.
    assert_eq!(stored["facts"]["filters"], json!(["status IN ('SUCCESS', 'FAILED', 'PENDING')"]));
    assert_eq!(stored["facts"]["references"][0]["ref_table"], "ref_db.dim_loan");
    assert_eq!(Context::from_json(&context.to_json()).unwrap(), context);
}

#[tokio::test]
async fn what_code_states_or_later_days_bear_out_is_in_force_and_the_rest_is_observed() {
    for seed in [7, 8] {
        let demo = loans(seed);
        let generated = demo.generate(FACT).await;
        for (id, source) in [
            ("type_emi_amount", Source::Code),
            ("type_payment_date", Source::Code),
            ("allowed_values_status", Source::Code),
            ("foreign_key_loan_id", Source::Code),
            ("foreign_key_customer_id", Source::Code),
            ("grain_uniqueness_loan_id_payment_date", Source::Code),
            ("not_null_status", Source::Code),
            ("not_null_emi_amount", Source::Profile),
            ("min_emi_amount", Source::Profile),
        ] {
            let found = rule(&generated, id);
            assert_eq!(enforced(found), (id, Mode::Quarantine, source), "{:?}", found.evidence);
        }
        let learned = rule(&generated, "min_emi_amount").evidence.clone().unwrap();
        assert!(learned.contains("held on 6 days from 2024-01-11 to 2024-01-16"), "{learned}");
        assert_eq!(generated.contract.primary_key, ["loan_id", "payment_date"]);
        assert_eq!(generated.contract.freshness.as_ref().unwrap().frequency, "daily");

        // A smallest instalment that only the earlier days show is a coincidence.
        let reason = refused(&generated, "range_soft_emi_amount");
        assert!(reason.contains("coincidence of the earlier days: refuted by"), "{reason}");
        let range = rule(&generated, "range_soft_emi_amount");
        assert_eq!((range.mode, range.severity), (Mode::Observe, Severity::Warn));
        assert_eq!(
            range.kind,
            contract::rule::RuleKind::RangeSoft { min: Some(json!(500.0)), max: Some(json!(20000.0)) }
        );
        let others = generated.verdicts.iter().filter(|verdict| !verdict.kept).count();
        assert_eq!(others, 1, "{:#?}", generated.verdicts);
    }
}

#[tokio::test]
async fn tests_are_in_the_sql_of_athena_and_carry_the_hash_of_their_contract() {
    let demo = loans(7);
    let generated = demo.generate(FACT).await;
    let stored: Json = serde_json::from_str(&demo.stored(&format!("tests/{FACT}.json"))).unwrap();
    assert_eq!(stored["contract_hash"], generated.contract.hash());
    let sql = |name: &str| {
        let tests = stored["tests"].as_array().unwrap();
        let test = tests.iter().find(|test| test["name"] == name).unwrap_or_else(|| panic!("{name}: {tests:#?}"));
        test["sql"].as_str().or(test["rule"].as_str()).unwrap().to_owned()
    };
    assert_eq!(
        sql("grain_uniqueness_loan_id_payment_date"),
        "SELECT \"loan_id\", \"payment_date\", COUNT(*) AS cnt FROM \"analytics_db\".\"loan_repayment_fact\" \
         GROUP BY \"loan_id\", \"payment_date\" HAVING COUNT(*) > 1"
    );
    assert_eq!(
        sql("not_null_loan_id"),
        "SELECT COUNT(*) AS violations FROM \"analytics_db\".\"loan_repayment_fact\" WHERE (\"loan_id\" IS NULL)"
    );
    assert!(sql("foreign_key_loan_id").contains("\"ref_db\".\"dim_loan\""), "{}", sql("foreign_key_loan_id"));
    assert_eq!(sql("preload_not_null_loan_id"), "loan_id IS NOT NULL");
    let docs = demo.stored(&format!("docs/{FACT}.md"));
    assert!(docs.starts_with("# Table: loan_repayment_fact\n\nFact table with one row per loan repayment"), "{docs}");
    assert!(docs.contains("| One row per | loan_id, payment_date |"), "{docs}");
    assert!(docs.contains("- keeps rows with payment_status IN"), "{docs}");
}

#[tokio::test]
async fn a_second_run_with_nothing_changed_writes_nothing() {
    let demo = loans(7);
    let first = demo.generate(FACT).await;
    assert_eq!(first.artifacts.len(), 4);
    let files = |demo: &Opened| -> BTreeMap<String, (Vec<u8>, std::time::SystemTime)> {
        let root = demo.project.store_root();
        let all = glob::glob(&format!("{}/**/*.*", root.display())).unwrap().flatten().filter(|path| path.is_file());
        all.map(|path| {
            let modified = path.metadata().unwrap().modified().unwrap();
            (path.display().to_string(), (std::fs::read(&path).unwrap(), modified))
        })
        .collect()
    };
    let before = files(&demo);
    assert!(before.len() >= 5, "{:?}", before.keys());
    let second = demo.generate(FACT).await;
    assert_eq!(second.artifacts, Vec::<String>::new());
    assert_eq!(second.contract, first.contract);
    assert!(before == files(&demo), "files changed");
}

#[tokio::test]
async fn what_a_person_wrote_survives_and_the_rest_follows_the_data() {
    let demo = loans(7);
    demo.generate(FACT).await;
    let key = format!("contracts/{FACT}.json");
    let mut contract: Json = serde_json::from_str(&demo.stored(&key)).unwrap();
    contract["owner"] = json!("collections");
    contract["oncall"] = json!("#loans");
    let rules = contract["columns"]["emi_amount"]["rules"].as_array_mut().unwrap();
    rules.retain(|rule| rule["type"] != "not_null");
    rules.iter_mut().find(|rule| rule["type"] == "min").unwrap()["value"] = json!(1.0);
    rules.push(json!({"type": "max", "value": 50000, "owner": "me"}));
    demo.store(&key, &contract.to_string());
    let generated = demo.generate(FACT).await;
    let after: Json = serde_json::from_str(&demo.stored(&key)).unwrap();
    assert_eq!((&after["owner"], &after["oncall"]), (&json!("collections"), &json!("#loans")));
    let kinds: Vec<&str> = generated.contract.columns["emi_amount"].rules.iter().map(|rule| rule.kind.name()).collect();
    assert_eq!(kinds, ["type", "min", "range_soft", "max"]);
    assert_eq!(rule(&generated, "min_emi_amount").kind, contract::rule::RuleKind::Min { value: json!(1.0) });
    assert_eq!(rule(&generated, "max_emi_amount").source, Source::Human);
    // Tests follow the contract as people have it.
    assert!(generated.suite.tests.iter().any(|test| test.name == "max_emi_amount"));
}

#[tokio::test]
async fn bad_rows_that_got_in_do_not_loosen_the_rule_in_force() {
    let day = |amounts: &str| {
        let rows: String = (0..100).map(|i| format!("{i},{}\n", i % 40)).collect();
        format!("id,amount\n{rows}{amounts}")
    };
    let names: Vec<String> = (1..=10).map(|n| format!("lake/shop/sales/day=2024-02-{n:02}/a.csv")).collect();
    let clean = day("");
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), clean.as_str())).collect();
    let shop = folder(&files);
    let first = shop.generate("sales").await;
    assert_eq!(rule(&first, "min_amount").mode, Mode::Quarantine, "{:#?}", first.verdicts);

    let bad = shop.project.root.join("lake/shop/sales/day=2024-02-11");
    std::fs::create_dir_all(&bad).unwrap();
    std::fs::write(bad.join("a.csv"), day("101,-5\n")).unwrap();
    let second = shop.generate("sales").await;
    assert_eq!(rule(&second, "min_amount"), rule(&first, "min_amount"));
    let verdict = second.verdicts.iter().find(|verdict| verdict.id == "min_amount").unwrap();
    assert!(verdict.kept && verdict.reason.contains("today's data does not bear it out"), "{verdict:?}");
}

const PRODUCTS: &str = "product_id,name,price\n";

fn products(rows: usize) -> String {
    let mut text = PRODUCTS.to_owned();
    for i in 0..rows {
        text.push_str(&format!("P{i:04},thing {i},{}.5\n", i % 70));
    }
    text
}

#[tokio::test]
async fn a_table_without_a_job_gets_a_contract_and_a_key_that_was_counted() {
    let files = products(200);
    let shop = folder(&[("lake/ref/dim_product/p.csv", &files)]);
    let generated = shop.generate("dim_product").await;
    assert_eq!(generated.contract.primary_key, ["product_id"]);
    let key = rule(&generated, "grain_uniqueness_product_id");
    // Without days there is nothing to try it on.
    assert_eq!((key.mode, key.severity, key.source), (Mode::Observe, Severity::Warn, Source::Profile));
    assert_eq!(rule(&generated, "length_product_id").mode, Mode::Observe);

    // A sketch takes 200 values for 200 rows; counting finds the one that is twice.
    let twice = folder(&[("lake/ref/dim_product/p.csv", &format!("{files}P0007,again,1.5\n"))]);
    let generated = twice.generate("dim_product").await;
    assert_eq!(generated.contract.primary_key, Vec::<String>::new());
}

#[tokio::test]
async fn a_table_without_data_gets_its_contract_from_schema_and_code() {
    let script = "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n\
        p = spark.table('ref.dim_product').where(\"price >= 1 AND name IN ('a', 'b')\").dropDuplicates(['product_id'])\n\
        p.select('product_id', 'name').write.mode('overwrite').saveAsTable('mart.names')\n";
    let files = products(200);
    let shop = folder(&[("lake/ref/dim_product/p.csv", &files), ("jobs/names.py", script)]);
    let jobs = analyze(&shop.project, &shop.lake).await.unwrap();
    assert!(tables(&shop.project, &shop.lake, &jobs).await.unwrap().contains(&TableName::new("mart", "names")));
    let generated = shop.generate("names").await;
    let columns: Vec<&String> = generated.contract.columns.keys().collect();
    assert_eq!(columns, ["product_id", "name"]);
    assert_eq!(enforced(rule(&generated, "allowed_values_name")).1, Mode::Quarantine);
    assert_eq!(generated.contract.primary_key, ["product_id"]);
    assert!(generated.verdicts.iter().all(|verdict| verdict.kept && verdict.reason.contains("no data yet")));
}

#[tokio::test]
async fn a_contract_that_a_person_wrote_before_there_was_data_is_the_schema() {
    let shop = folder(&[]);
    let written = r#"{"table_name": "orders", "database": "mart", "primary_key": ["id"], "columns": {
        "id": {"type": "bigint", "nullable": false, "rules": [{"type": "not_null"}]},
        "paid": {"type": "double", "rules": [{"type": "check_constraint", "expression": "paid >= 0"}]}}}"#;
    shop.store("contracts/orders.json", written);
    let jobs = Jobs::default();
    assert_eq!(tables(&shop.project, &shop.lake, &jobs).await.unwrap(), [TableName::new("mart", "orders")]);
    let generated = shop.generate("orders").await;
    assert_eq!(generated.contract.primary_key, ["id"]);
    assert_eq!(rule(&generated, "check_constraint_paid_0").source, Source::Human);
    assert_eq!(rule(&generated, "type_paid").source, Source::Code);
    assert!(generated.suite.tests.iter().any(|test| test.name == "not_null_id"));
}

#[tokio::test]
async fn bad_input_is_told_with_its_place_and_nothing_is_overwritten() {
    let files = products(200);
    let shop = folder(&[("lake/ref/dim_product/p.csv", &files), ("lake/ref/empty/e.csv", "a,b\n")]);
    shop.store("contracts/dim_product.json", "{\n\"columns\": oops\n}");
    let builtin = from_settings(&shop.project.settings.generate);
    let jobs = Jobs::default();
    let profiled =
        profile(&shop.lake, &TableName::new("ref", "dim_product"), &ProfileOptions::default()).await.unwrap();
    let error = context(&shop.project, &shop.lake, &jobs, &profiled.profile).await.unwrap_err();
    assert!(
        matches!(&error, Error::Input { place, problem, .. }
        if place.ends_with("contracts/dim_product.json") && problem.contains("line 2")),
        "{error}"
    );
    let error = generate(
        &shop.project,
        &shop.lake,
        builtin.as_ref(),
        &Context {
            table_name: "dim_product".into(),
            database: "ref".into(),
            schema: vec![contract::document::context::ContextColumn {
                name: "a".into(),
                data_type: "int".into(),
                nullable: true,
                comment: None,
                partition_key: false,
            }],
            ..Context::default()
        },
    )
    .await
    .unwrap_err();
    assert!(error.to_string().contains("contracts/dim_product.json"), "{error}");
    assert_eq!(shop.stored("contracts/dim_product.json"), "{\n\"columns\": oops\n}");

    let empty = shop.generate("empty").await;
    assert_eq!(empty.contract.columns.len(), 2);
    assert!(empty.verdicts.iter().all(|verdict| verdict.kept), "{:#?}", empty.verdicts);

    let error = shop.try_generate("nowhere", builtin.as_ref()).await.unwrap_err();
    assert!(error.to_string().contains("neither a contract nor a script"), "{error}");
}

/// A generator that lies.
struct Liar(Json);

#[async_trait]
impl Generator for Liar {
    fn name(&self) -> &str {
        "liar"
    }

    async fn propose(&self, _: &Context) -> Result<Proposal> {
        let (contract, _) = Contract::from_value(self.0.clone()).unwrap();
        Ok(Proposal { contract, ..Proposal::default() })
    }
}

#[tokio::test]
async fn a_generator_that_lies_gets_nothing_past_the_data() {
    let files = products(200);
    let shop = folder(&[("lake/ref/dim_product/p.csv", &files)]);
    let liar = Liar(json!({"table_name": "something_else", "primary_key": ["price"], "columns": {
        "product_id": {"type": "bigint", "rules": [
            {"type": "foreign_key", "ref_table": "dim_nowhere", "ref_column": "id", "source": "code"},
            {"type": "not_null", "source": "code", "mode": "fail", "mute_until": "2999-01-01"},
            {"type": "regex", "pattern": "(?=x)"}]},
        "pirce": {"type": "double", "rules": [{"type": "min", "value": 0}]},
        "price": {"type": "double", "rules": [
            {"type": "min", "value": 10}, {"type": "max", "value": "abc"}, {"type": "unique"}]}
    }, "table_level_checks": [
        {"type": "check_constraint", "expression": "price >= 0"},
        {"type": "check_constraint", "expression": "discount >= 0"},
        {"type": "row_count", "min": 1000000},
        {"type": "sparkles"}]}));
    let generated = shop.try_generate("dim_product", &liar).await.unwrap();
    for (id, why) in [
        ("foreign_key_product_id", "the lake has no table"),
        ("regex_product_id", "look-around"),
        ("column_pirce", "did you mean price?"),
        ("min_price", "the table refutes it"),
        ("max_price", "is no double"),
        ("unique_price", "the table refutes it"),
        ("check_constraint_discount_0", "no column `discount`"),
        ("row_count", "the table refutes it"),
        ("sparkles", "no rule type"),
        ("primary_key", "no rule that bears it out"),
    ] {
        let reason = refused(&generated, id);
        assert!(reason.contains(why), "{id}: {reason}");
    }
    let kept: Vec<_> = generated.contract.rules().map(enforced).collect();
    let observed = |id| (id, Mode::Observe, Source::Llm);
    assert_eq!(kept, [observed("not_null_product_id"), observed("check_constraint_price_0")]);
    assert_eq!(rule(&generated, "not_null_product_id").mute_until, None);
    assert_eq!(generated.contract.table_name, "dim_product");
    assert_eq!(generated.contract.columns["product_id"].data_type, "string");
    let proposals: Json = serde_json::from_str(&shop.stored("proposals/dim_product.json")).unwrap();
    let kept = proposals["verdicts"].as_array().unwrap().iter().filter(|verdict| verdict["kept"] == true).count();
    assert_eq!((kept, &proposals["generator"]), (2, &json!("liar")));
}

#[tokio::test]
async fn files_of_a_project_are_reviewed_with_what_the_lake_knows() {
    let shop = folder(&[("lake/shop/orders/orders.csv", "id,state,amount\n1,NEW,2.5\n2,PAID,3.5\n")]);
    let contract = r#"{
  "version": 1,
  "table_name": "orders",
  "primary_key": ["id"],
  "columns": {
    "id": {"type": "string", "rules": []},
    "stat": {"type": "string", "rules": []},
    "amount": {
      "type": "double",
      "rules": [
        {"type": "not_null"},
        {"type": "range", "min": "low"},
        {"type": "regex", "pattern": "x"}
      ]
    }
  },
  "table_level_checks": [
    {"type": "check_constraint", "expression": "amount > amout"}
  ]
}
"#;
    let store = shop.project.store_root();
    let review = async |name: &str, text: &str| -> Vec<String> {
        let file = store.join(name);
        let kind = super::review::kind(&shop.project, &file).unwrap();
        let found = super::review::document(Some(&shop.lake), kind, &file, text).await;
        found.into_iter().map(|one| format!("{} {}: {}", one.line, one.code, one.message)).collect()
    };
    assert_eq!(
        review("contracts/orders.json", contract).await,
        [
            "6 contract-table: `id` is bigint in shop.orders, not string",
            "7 contract-table: `stat` is no column of shop.orders; did you mean `state`?",
            "12 contract-table: rule `range_amount` cannot be checked: \"low\" is no double, the type of amount",
            "13 contract-table: rule `regex_amount` cannot be checked: the rule judges text, amount is double",
            "18 contract-table: rule `check_constraint_amount_amout` cannot be checked: there is no column `amout`; did you mean `amount`?",
        ]
    );
    let unknown = contract.replace("\"regex\"", "\"regexx\"");
    let found = review("contracts/orders.json", &unknown).await;
    assert!(found[0].starts_with("13 contract-document: columns.amount.rules[2].type: `regexx`"), "{found:#?}");
    let broken = review("contracts/orders.json", "{\"a\": 1,\n oops}").await;
    assert!(broken[0].starts_with("2 contract-document: line 2, column 2: not valid JSON"), "{broken:?}");
    assert_eq!(review("contracts/elsewhere.json", contract).await, [""; 0], "nothing is known of that table");
    std::fs::create_dir_all(store.join("contracts")).unwrap();
    std::fs::write(store.join("contracts/orders.json"), contract).unwrap();
    let tests = "{\"version\": 1,\n\"table_name\": \"orders\",\n\"contract_hash\": \"00\",\n\"tests\": []}";
    assert_eq!(
        review("tests/orders.json", tests).await,
        [
            "3 tests-stale: compiled from another state of contracts/orders.json; run `de-copilot generate orders`, what people wrote into the contract stays",
        ]
    );
    let settings =
        super::review::settings("environment = \"prd\"\n[lake]\nroot = \"lake\"\n[environments.prod.arguments]\n");
    let settings: Vec<String> = settings.into_iter().map(|one| format!("{}: {}", one.line, one.message)).collect();
    assert_eq!(settings, ["1: no environment is called `prd`; did you mean `prod`?"]);
    assert_eq!(super::review::kind(&shop.project, &store.join("docs/orders.md")), None);
    assert_eq!(super::review::kind(&shop.project, Path::new("/elsewhere/contracts/orders.json")), None);
}
