//! A contract is generated on request, in the background, with progress and a way to stop.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use contract::schema::{TableName, TableSchema};
use serde_json::{Value, json};
use server::{Backend, BackendError, ContractChange, Generated, Watcher};

use crate::client::{Catalog, Client, at_text};

const URI: &str = "file:///lending/etl.py";
const SCRIPT: &str = "rows = spark.table('lending.raw_payments')\nrows.write.saveAsTable('gold.fact')\n";

/// Generates in two steps; for a table named `endless` the second one has no end, and for `broken` there is none. What is
/// stored of `fact` would change.
struct Generator;

#[async_trait]
impl Backend for Generator {
    async fn table(&self, root: &Path, name: &TableName) -> Result<Option<TableSchema>, BackendError> {
        Catalog.table(root, name).await
    }

    async fn generate(
        &self,
        root: &Path,
        table: &TableName,
        watcher: &dyn Watcher,
    ) -> Result<Option<Generated>, BackendError> {
        watcher.report("reading the jobs");
        tokio::task::yield_now().await;
        match table.table.as_str() {
            "endless" => std::future::pending().await,
            "broken" => Err("the catalog is not reachable".into()),
            name => {
                let file = root.join(PathBuf::from(format!("contracts/{name}.json")));
                let (before, after) = ("one\ntwo\n".to_owned(), "one\nthree\nfour\n".to_owned());
                let wanted = watcher.approve(ContractChange { file: file.clone(), before, after }).await;
                Ok(wanted.then(|| Generated { file, summary: "3 proposals kept".into() }))
            }
        }
    }
}

async fn connected() -> Client {
    let window = json!({ "workDoneProgress": true, "showDocument": { "support": true } });
    let (mut client, offer) = Client::initialized(Generator, json!({ "window": window })).await;
    let commands = &offer["capabilities"]["executeCommandProvider"]["commands"];
    assert_eq!(*commands, json!(["deCopilot.generateContract", "deCopilot.acceptFinding"]));
    client.open(URI, SCRIPT).await;
    client
}

async fn ask(client: &mut Client, table: &str) {
    let wanted = json!({ "root": "/lending", "database": "gold", "table": table });
    let params = json!({ "command": "deCopilot.generateContract", "arguments": [wanted] });
    assert_eq!(
        client.ask("workspace/executeCommand", params).await,
        Ok(Value::Null),
        "it does not wait for the contract"
    );
}

/// The token under which the progress is shown, once the client has agreed to show it.
async fn agree(client: &mut Client) -> Value {
    let asked = client.wait_for(|message| message["method"] == "window/workDoneProgress/create").await;
    client.reply(&asked["id"], Value::Null).await;
    asked["params"]["token"].clone()
}

/// Answers the question whether the contract is to be stored, once its difference has been shown; gives that back.
async fn answer(client: &mut Client, button: Value) -> String {
    let shown = client.wait_for(|message| message["method"] == "window/showDocument").await;
    client.reply(&shown["id"], json!({ "success": true })).await;
    let asked = client.wait_for(|message| message["method"] == "window/showMessageRequest").await;
    let question = asked["params"]["message"].as_str().unwrap();
    assert_eq!(question, "gold.fact: 2 lines added and 1 removed in /lending/contracts/fact.json");
    assert_eq!(asked["params"]["actions"], json!([{ "title": "Store" }, { "title": "Discard" }]));
    let file = shown["params"]["uri"].as_str().unwrap().strip_prefix("file://").unwrap();
    assert!(file.ends_with("gold.fact.diff"), "{file}");
    let difference = std::fs::read_to_string(file).unwrap();
    client.reply(&asked["id"], button).await;
    difference
}

async fn shown(client: &mut Client) -> Value {
    client.wait_for(|message| message["method"] == "window/showMessage").await["params"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_action_on_a_write_has_its_contract_generated_and_shown() {
    let mut client = connected().await;
    let place = at_text(URI, SCRIPT, "saveAsTable")["position"].clone();
    let range = json!({ "start": place, "end": place });
    let params = json!({ "textDocument": { "uri": URI }, "range": range, "context": { "diagnostics": [] } });
    let actions = client.ask("textDocument/codeAction", params).await.unwrap();
    let action = actions.as_array().unwrap().iter().find(|action| action["command"].is_object()).unwrap();
    assert_eq!(action["title"], "Generate the contract of gold.fact");
    let command = action["command"].clone();
    client.ask("workspace/executeCommand", command).await.unwrap();

    let token = agree(&mut client).await;
    let progress = async |client: &mut Client, kind: &str| {
        let told = client.wait_for(|message| message["method"] == "$/progress").await["params"].clone();
        assert_eq!((&told["token"], &told["value"]["kind"]), (&token, &json!(kind)), "{told}");
    };
    progress(&mut client, "begin").await;
    progress(&mut client, "report").await;
    let difference = answer(&mut client, json!({ "title": "Store" })).await;
    assert!(difference.ends_with(" one\n-two\n+three\n+four\n"), "{difference}");
    progress(&mut client, "end").await;
    assert_eq!(shown(&mut client).await, json!({ "type": 3, "message": "gold.fact: 3 proposals kept" }));
    let document = client.wait_for(|message| message["method"] == "window/showDocument").await;
    assert_eq!(document["params"]["uri"], "file:///lending/contracts/fact.json");
    client.reply(&document["id"], json!({ "success": true })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_takes_too_long_is_stopped_and_the_next_one_comes() {
    let mut client = connected().await;
    ask(&mut client, "endless").await;
    ask(&mut client, "fact").await;
    let token = agree(&mut client).await;
    client.wait_for(|message| message["params"]["value"]["kind"] == "report").await;
    client.tell("window/workDoneProgress/cancel", json!({ "token": token })).await;
    assert!(shown(&mut client).await["message"].as_str().unwrap().contains("gold.endless: stopped"));
    agree(&mut client).await;
    answer(&mut client, json!({ "title": "Store" })).await;
    assert!(shown(&mut client).await["message"].as_str().unwrap().contains("gold.fact: 3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_wanted_is_not_stored() {
    for button in [json!({ "title": "Discard" }), Value::Null] {
        let mut client = connected().await;
        ask(&mut client, "fact").await;
        agree(&mut client).await;
        answer(&mut client, button).await;
        let told = shown(&mut client).await;
        assert_eq!(told["message"], "gold.fact: discarded, nothing is stored");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn why_there_is_no_contract_is_told() {
    let mut client = connected().await;
    ask(&mut client, "broken").await;
    agree(&mut client).await;
    assert_eq!(shown(&mut client).await, json!({ "type": 1, "message": "gold.broken: the catalog is not reachable" }));
    for arguments in [json!([]), json!([{ "table": 7 }])] {
        let params = json!({ "command": "deCopilot.generateContract", "arguments": arguments });
        assert_eq!(client.ask("workspace/executeCommand", params).await, Err(-32602));
    }
}
