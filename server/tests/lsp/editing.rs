//! What helps while typing: completion, navigation, actions, hints, and what an edit breaks in other jobs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contract::document::Contract;
use contract::schema::{TableName, TableSchema};
use contract::types::DataType;
use serde_json::{Value, json};
use server::{Backend, BackendError};
use tempfile::TempDir;

use crate::client::{Client, at_text, schema};

const WRITER: &str = "from pyspark.sql import functions as F
payments = spark.table('raw_db.payments')
paid = payments.filter(F.col('state') == 'PAID').withColumnRenamed('state', 'status')
paid.write.mode('overwrite').saveAsTable('gold.fact')
";

const READER: &str = "fact = spark.table('gold.fact')\nfact.select('amount').write.parquet('s3://reports/a/')\n";

/// A project on disk: a catalog of one table, a contract, a job that is open and one that is not.
struct Project {
    folder: TempDir,
}

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("de-copilot.toml", ""), ("writer.py", WRITER), ("reader.py", READER)] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Self { folder }
    }

    fn uri(&self, name: &str) -> String {
        format!("file://{}", self.folder.path().join(name).display())
    }

    /// A client that has opened the job that writes, once the other one is known to read from it.
    async fn opened(&self) -> Client {
        let backend = Files { folder: self.folder.path().to_owned() };
        let (mut client, _) = Client::initialized(backend, json!({})).await;
        client.open(&self.uri("writer.py"), WRITER).await;
        let uri = self.uri("writer.py");
        client
            .wait_for(|message| message["method"] == "deCopilot/status" || message["params"]["uri"] == uri.as_str())
            .await;
        for _ in 0..1000 {
            if lenses(&mut client, &uri).await.iter().any(|title| title.contains("downstream")) {
                return client;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the other job is not known to read the table");
    }
}

struct Files {
    folder: PathBuf,
}

#[async_trait]
impl Backend for Files {
    async fn table(&self, _: &Path, name: &TableName) -> Result<Option<TableSchema>, BackendError> {
        let payments =
            schema(&[("loan_id", DataType::String), ("amount", DataType::Double), ("state", DataType::String)]);
        Ok((name.table == "payments").then_some(payments))
    }

    async fn contract(&self, _: &Path, name: &TableName) -> Result<Option<Arc<Contract>>, BackendError> {
        let stored = fs::read_to_string(self.folder.join("contracts/fact.json"));
        let text = stored.unwrap_or_else(|_| r#"{"table_name": "fact", "columns": {}, "primary_key": []}"#.to_owned());
        let contract = Contract::from_json(&text)?.0;
        Ok((name.table == "fact").then(|| Arc::new(contract)))
    }

    fn contract_file(&self, root: &Path, name: &TableName) -> Option<PathBuf> {
        Some(root.join("contracts").join(format!("{}.json", name.table)))
    }

    async fn tables(&self, _: &Path) -> Vec<TableName> {
        vec![TableName::new("raw_db", "payments")]
    }

    async fn scripts(&self, _: &Path) -> Vec<PathBuf> {
        ["writer.py", "reader.py"].map(|name| self.folder.join(name)).into()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn completion_offers_the_columns_of_the_frame_in_place_of_the_word() {
    let project = Project::new();
    let mut client = project.opened().await;
    let uri = project.uri("writer.py");
    let text = format!("{WRITER}payments.select('amo')\n");
    client.edit(&uri, 2, &[([4, 0, 4, 0], "payments.select('amo')\n")]).await;
    let mut params = at_text(&uri, &text, "amo')");
    params["position"]["character"] = json!(20);
    let items = client.ask("textDocument/completion", params).await.unwrap();
    let labels: Vec<&str> = items.as_array().unwrap().iter().map(|item| item["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["loan_id", "amount", "state"]);
    let range = &items[1]["textEdit"]["range"];
    assert_eq!((&range["start"]["character"], &range["end"]["character"]), (&json!(17), &json!(20)));
}

#[tokio::test(flavor = "multi_thread")]
async fn definition_leads_to_the_contract_and_references_into_other_jobs() {
    let project = Project::new();
    let mut client = project.opened().await;
    let uri = project.uri("writer.py");
    let found = client.ask("textDocument/definition", at_text(&uri, WRITER, "gold.fact")).await.unwrap();
    assert_eq!(found[0]["uri"], project.uri("contracts/fact.json").as_str());
    let mut params = at_text(&uri, WRITER, "gold.fact");
    params["context"] = json!({ "includeDeclaration": true });
    let found = client.ask("textDocument/references", params).await.unwrap();
    let files: Vec<&Value> = found.as_array().unwrap().iter().map(|location| &location["uri"]).collect();
    assert_eq!(files, [uri.as_str(), project.uri("reader.py").as_str()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_breaks_another_job_is_marked_with_the_place_there() {
    let project = Project::new();
    let capabilities = json!({ "textDocument": { "publishDiagnostics": {
        "relatedInformation": true, "codeDescriptionSupport": true } } });
    let backend = Files { folder: project.folder.path().to_owned() };
    let (mut client, _) = Client::initialized(backend, capabilities).await;
    let uri = project.uri("writer.py");
    client.open(&uri, &WRITER.replace("paid.write", "paid.drop('amount').write")).await;
    let message = client.wait_for(|message| {
        let diagnostics = message["params"]["diagnostics"].as_array();
        diagnostics.is_some_and(|all| all.iter().any(|one| one["code"] == "downstream-column"))
    });
    let diagnostic = message.await["params"]["diagnostics"][0].clone();
    assert_eq!(diagnostic["message"], "reader.py reads column `amount` of `fact`, which is not written here.");
    let link = diagnostic["codeDescription"]["href"].as_str().unwrap();
    assert!(link.ends_with("docs/diagnostics.md#downstream-column"), "{link}");
    let related = &diagnostic["relatedInformation"][0]["location"];
    assert_eq!(related["uri"], project.uri("reader.py").as_str());
    assert_eq!(related["range"]["start"], json!({ "line": 1, "character": 13 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_reads_and_writes_is_its_outline_and_leads_to_contracts() {
    let project = Project::new();
    let mut client = project.opened().await;
    let uri = project.uri("writer.py");
    let document = json!({ "textDocument": { "uri": uri } });
    let symbols = client.ask("textDocument/documentSymbol", document.clone()).await.unwrap();
    let shown: Vec<String> =
        symbols.as_array().unwrap().iter().map(|one| format!("{} {}", one["detail"], one["name"])).collect();
    assert_eq!(shown, ["\"read\" \"raw_db.payments\"", "\"overwrite\" \"gold.fact\""]);
    let links = client.ask("textDocument/documentLink", document).await.unwrap();
    let targets: Vec<&str> = links.as_array().unwrap().iter().map(|link| link["target"].as_str().unwrap()).collect();
    let contract = |table: &str| format!("file://{}/contracts/{table}.json", project.folder.path().display());
    assert_eq!(targets, [contract("payments"), contract("fact")]);

    // The jobs of a project are found one after the other, in the background.
    let mut found = json!([]);
    for _ in 0..1000 {
        found = client.ask("workspace/symbol", json!({ "query": "FACT" })).await.unwrap();
        if found.as_array().is_some_and(|found| found.len() == 2) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let places: Vec<String> =
        found.as_array().unwrap().iter().map(|one| format!("{} {}", one["name"], one["containerName"])).collect();
    assert_eq!(places, ["\"gold.fact\" \"read by reader.py\"", "\"gold.fact\" \"written by writer.py\""]);
    assert_eq!(found[0]["location"]["range"]["start"], json!({ "line": 0, "character": 13 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_saved_yet_in_another_job_counts() {
    let project = Project::new();
    let mut client = project.opened().await;
    let (writer, reader) = (project.uri("writer.py"), project.uri("reader.py"));
    client.open(&reader, READER).await;
    client.edit(&reader, 2, &[([1, 13, 1, 19], "channel")]).await;
    let is_told = |message: &Value, wanted: bool| {
        let all = message["params"]["diagnostics"].as_array();
        let broken = |all: &Vec<Value>| all.iter().any(|one| one["message"].as_str().unwrap().contains("`channel`"));
        message["params"]["uri"] == writer.as_str() && all.is_some_and(|all| broken(all) == wanted)
    };
    client.wait_for(|message| is_told(message, true)).await;
    // Closed without saving it, the job is again what it is on disk.
    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": reader } })).await;
    client.wait_for(|message| is_told(message, false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_action_carries_its_edit() {
    let project = Project::new();
    let mut client = project.opened().await;
    let uri = project.uri("writer.py");
    client.edit(&uri, 2, &[([2, 30, 2, 35], "stat")]).await;
    let range = json!({ "start": { "line": 2, "character": 32 }, "end": { "line": 2, "character": 32 } });
    let params = json!({ "textDocument": { "uri": uri }, "range": range, "context": { "diagnostics": [] } });
    let actions = client.ask("textDocument/codeAction", params).await.unwrap();
    assert_eq!(actions[0]["title"], "Replace with `state`");
    assert_eq!(actions[0]["isPreferred"], true);
    assert_eq!(actions[0]["edit"]["changes"][&uri][0]["newText"], "state");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_script_proves_is_added_to_the_contract() {
    let project = Project::new();
    let text = r#"{"table_name": "fact", "columns": {
        "loan_id": {"type": "string", "nullable": true, "rules": []},
        "status": {"type": "string", "nullable": true, "rules": []}}}"#;
    let stored = Contract::from_json(text).unwrap().0.to_json();
    fs::create_dir(project.folder.path().join("contracts")).unwrap();
    fs::write(project.folder.path().join("contracts/fact.json"), &stored).unwrap();
    let mut client = project.opened().await;
    let mut params = at_text(&project.uri("writer.py"), WRITER, "saveAsTable");
    let place = params["position"].clone();
    params["range"] = json!({ "start": place, "end": place });
    params["context"] = json!({ "diagnostics": [] });
    let actions = client.ask("textDocument/codeAction", params.clone()).await.unwrap();
    let title = "Add to the contract of gold.fact the 2 rules that the script proves";
    let action = actions.as_array().unwrap().iter().find(|action| action["title"] == title);
    let action = action.unwrap_or_else(|| panic!("{actions:#}"));
    let edit = &action["edit"]["changes"][project.uri("contracts/fact.json")][0];
    let [start, end] = ["start", "end"].map(|end| edit["range"][end]["line"].as_u64().unwrap() as usize);
    let lines: Vec<&str> = stored.lines().collect();
    let changed =
        [lines[..start].join("\n").as_str(), edit["newText"].as_str().unwrap().trim_end(), &lines[end..].join("\n")]
            .join("\n");
    let (contract, problems) = Contract::from_json(&changed).unwrap();
    let ids: Vec<&str> = contract.columns["status"].rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!((ids, problems), (vec!["not_null_status", "allowed_values_status"], vec![]));
    assert!(changed.contains("writer keeps only rows with status = 'PAID'"), "{changed}");

    // Written by hand, more than the rules would change.
    fs::write(project.folder.path().join("contracts/fact.json"), text).unwrap();
    let actions = client.ask("textDocument/codeAction", params).await.unwrap();
    assert!(!actions.to_string().contains("that the script proves"), "{actions}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lineage_and_contracts_of_the_project_are_told() {
    let project = Project::new();
    let mut client = project.opened().await;
    let mut lineage = json!(null);
    for _ in 0..1000 {
        lineage = client.ask("deCopilot/lineage", json!(null)).await.unwrap();
        if lineage["jobs"].as_array().is_some_and(|jobs| jobs.len() == 2) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let [reader, writer] = [0, 1].map(|index| &lineage["jobs"][index]);
    assert_eq!((&reader["name"], &writer["name"]), (&json!("reader.py"), &json!("writer.py")), "{lineage:#}");
    assert_eq!(reader["reads"][0]["columns"], json!(["amount"]));
    assert_eq!(reader["reads"][0]["range"]["start"], json!({ "line": 0, "character": 13 }));
    assert_eq!(
        (&writer["writes"][0]["table"], &writer["uri"]),
        (&json!("gold.fact"), &json!(project.uri("writer.py")))
    );

    let text = r#"{"table_name": "fact", "columns": {"loan_id": {"type": "string", "nullable": false,
        "rules": [{"type": "not_null", "source": "code", "evidence": "said so"}]}}}"#;
    fs::create_dir(project.folder.path().join("contracts")).unwrap();
    fs::write(project.folder.path().join("contracts/fact.json"), text).unwrap();
    let contracts = client.ask("deCopilot/contracts", json!(null)).await.unwrap();
    let [fact] = contracts.as_array().unwrap().as_slice() else { panic!("{contracts:#}") };
    assert_eq!((&fact["table"], &fact["lastRun"]), (&json!("gold.fact"), &json!(null)));
    assert_eq!(fact["uri"], project.uri("contracts/fact.json"));
    let rule = json!({ "id": "not_null_loan_id", "column": "loan_id", "severity": "error", "source": "code",
        "description": null, "evidence": "said so", "failed": false });
    assert_eq!(fact["rules"], json!([rule]));
}

#[tokio::test(flavor = "multi_thread")]
async fn hints_stand_behind_calls_and_lenses_above_writes() {
    let project = Project::new();
    let mut client = project.opened().await;
    let uri = project.uri("writer.py");
    let range = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 9, "character": 0 } });
    let params = json!({ "textDocument": { "uri": uri }, "range": range });
    let hints = client.ask("textDocument/inlayHint", params).await.unwrap();
    let labels: Vec<&str> = hints.as_array().unwrap().iter().map(|hint| hint["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["3 columns", "+status string · −state"]);
    assert_eq!(lenses(&mut client, &uri).await, ["contract: 0 rules", "downstream: reader.py"]);
}

async fn lenses(client: &mut Client, uri: &str) -> Vec<String> {
    let lenses = client.ask("textDocument/codeLens", json!({ "textDocument": { "uri": uri } })).await.unwrap();
    let title = |lens: &Value| lens["command"]["title"].as_str().unwrap().to_owned();
    lenses.as_array().unwrap().iter().map(title).collect()
}

/// What `fact` is, with a rule on its column `status`.
fn fact_contract(project: &Project) -> String {
    let text = r#"{"table_name": "fact", "columns": {
        "loan_id": {"type": "string", "nullable": true, "rules": []},
        "status": {"type": "string", "nullable": true, "rules": [{"type": "not_null"}]}},
        "table_level_checks": [{"type": "check_constraint", "expression": "status <> 'OPEN'"}]}"#;
    let stored = Contract::from_json(text).unwrap().0.to_json();
    fs::create_dir(project.folder.path().join("contracts")).unwrap();
    fs::write(project.folder.path().join("contracts/fact.json"), &stored).unwrap();
    stored
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_is_renamed_in_the_script_and_in_the_contract() {
    let project = Project::new();
    fact_contract(&project);
    let mut client = project.opened().await;
    let writer = project.uri("writer.py");
    let place = at_text(&writer, WRITER, "status");
    let prepared = client.ask("textDocument/prepareRename", place.clone()).await.unwrap();
    assert_eq!(prepared["placeholder"], "status");

    let mut params = place;
    params["newName"] = json!("outcome");
    let edit = client.ask("textDocument/rename", params.clone()).await.unwrap();
    let changes = edit["changes"].as_object().unwrap();
    assert_eq!(changes[&writer].as_array().unwrap().len(), 1);
    let contract = &changes[&project.uri("contracts/fact.json")];
    assert!(contract[0]["newText"].as_str().unwrap().contains("outcome <> 'OPEN'"), "{contract:#}");

    // What another job reads is not renamed under it.
    let reads_status = READER.replace("amount", "status");
    client.open(&project.uri("reader.py"), &reads_status).await;
    for _ in 0..1000 {
        if client.ask("textDocument/rename", params.clone()).await == Err(-32803) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the renaming would break reader.py, and is offered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renaming_is_shown_before_it_is_applied_where_the_client_can() {
    let project = Project::new();
    let capabilities = json!({ "workspace": { "workspaceEdit": {
        "documentChanges": true, "changeAnnotationSupport": { "groupsOnLabel": true } } } });
    let backend = Files { folder: project.folder.path().to_owned() };
    let (mut client, _) = Client::initialized(backend, capabilities).await;
    let writer = project.uri("writer.py");
    client.open(&writer, WRITER).await;
    let mut params = at_text(&writer, WRITER, "status");
    params["newName"] = json!("outcome");
    let edit = client.ask("textDocument/rename", params).await.unwrap();
    assert_eq!(edit["changeAnnotations"]["confirm"]["needsConfirmation"], true);
    assert_eq!(edit["documentChanges"][0]["edits"][0]["annotationId"], "confirm");
    assert_eq!(edit["documentChanges"][0]["edits"][0]["newText"], "outcome");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_renamed_is_refused() {
    let project = Project::new();
    let mut client = project.opened().await;
    let writer = project.uri("writer.py");
    let place = at_text(&writer, WRITER, "functions");
    assert_eq!(client.ask("textDocument/prepareRename", place).await, Err(-32803), "a module is no column");
    let mut params = at_text(&writer, WRITER, "'state') == 'PAID'");
    params["position"]["character"] = json!(params["position"]["character"].as_u64().unwrap() + 1);
    params["newName"] = json!("outcome");
    assert_eq!(client.ask("textDocument/rename", params).await, Err(-32803), "the column is made elsewhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_in_strings_has_its_words_and_blocks_fold() {
    let script = "q = spark.sql(\n    \"\"\"select '😀', loan_id\n    from raw_db.payments\"\"\"\n)\nprint(q)\n";
    let project = Project::new();
    let backend = Files { folder: project.folder.path().to_owned() };
    let (mut client, offer) = Client::initialized(backend, json!({})).await;
    let uri = project.uri("writer.py");
    client.open(&uri, script).await;
    let document = json!({ "textDocument": { "uri": uri } });
    let tokens = client.ask("textDocument/semanticTokens/full", document.clone()).await.unwrap();
    let legend = &offer["capabilities"]["semanticTokensProvider"]["legend"]["tokenTypes"];
    let data: Vec<u64> = tokens["data"].as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect();
    let shown: Vec<(u64, u64, u64, &str)> = data
        .chunks(5)
        .map(|token| (token[0], token[1], token[2], legend[token[3] as usize].as_str().unwrap()))
        .collect();
    assert_eq!(
        shown,
        [
            (1, 7, 6, "keyword"),
            (0, 7, 4, "string"),
            (0, 6, 7, "property"),
            (1, 4, 4, "keyword"),
            (0, 5, 6, "class"),
            (0, 7, 8, "class"),
        ]
    );
    let folds = client.ask("textDocument/foldingRange", document).await.unwrap();
    assert_eq!(folds, json!([{ "startLine": 0, "endLine": 2 }]));
}
