//! Notebooks by the protocol's notebook synchronization: their code cells are one script.

use std::path::Path;

use async_trait::async_trait;
use contract::schema::{TableName, TableSchema};
use contract::types::DataType;
use serde_json::{Value, json};
use server::{Backend, BackendError};

use crate::client::{Client, schema};

const NOTEBOOK: &str = "file:///lending/jobs/etl.ipynb";
const READ: &str = "vscode-notebook-cell:/lending/jobs/etl.ipynb#read";
const TEXT: &str = "vscode-notebook-cell:/lending/jobs/etl.ipynb#text";
const WRITE: &str = "vscode-notebook-cell:/lending/jobs/etl.ipynb#write";

struct Lake;

#[async_trait]
impl Backend for Lake {
    async fn table(&self, _: &Path, _: &TableName) -> Result<Option<TableSchema>, BackendError> {
        Ok(Some(schema(&[("loan_id", DataType::String), ("amount", DataType::Double)])))
    }
}

fn cell(uri: &str, kind: u8) -> Value {
    json!({ "kind": kind, "document": uri })
}

fn item(uri: &str, language: &str, text: &str) -> Value {
    json!({ "uri": uri, "languageId": language, "version": 1, "text": text })
}

async fn opened() -> Client {
    let (mut client, capabilities) = Client::initialized(Lake, json!({})).await;
    let selector = &capabilities["capabilities"]["notebookDocumentSync"]["notebookSelector"][0];
    assert_eq!(selector, &json!({ "notebook": "jupyter-notebook", "cells": [{ "language": "python" }] }));
    let notebook = json!({
        "uri": NOTEBOOK, "notebookType": "jupyter-notebook", "version": 1,
        "cells": [cell(READ, 2), cell(TEXT, 1), cell(WRITE, 2)],
    });
    let texts = json!([
        item(READ, "python", "%glue_version 4.0\ndf = spark.table('raw.payments')"),
        item(TEXT, "markdown", "# Heading\n"),
        item(WRITE, "python", "\ndf.select('amout').write.saveAsTable('gold.t')\ndf.show()"),
    ]);
    client.tell("notebookDocument/didOpen", json!({ "notebookDocument": notebook, "cellTextDocuments": texts })).await;
    client
}

/// What is published next for a cell, once that is something.
async fn told(client: &mut Client, uri: &str) -> Value {
    let about = |message: &Value| {
        message["params"]["uri"] == uri
            && message["params"]["diagnostics"].as_array().is_some_and(|all| !all.is_empty())
    };
    client.wait_for(about).await["params"]["diagnostics"][0].clone()
}

async fn change(client: &mut Client, version: i32, cells: Value) {
    let notebook = json!({ "uri": NOTEBOOK, "version": version });
    client
        .tell("notebookDocument/didChange", json!({ "notebookDocument": notebook, "change": { "cells": cells } }))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_is_told_of_its_cell_and_repaired_there() {
    let mut client = opened().await;
    let finding = told(&mut client, WRITE).await;
    let range = json!({ "start": { "line": 1, "character": 11 }, "end": { "line": 1, "character": 16 } });
    assert_eq!((&finding["code"], &finding["range"]), (&json!("unknown-column"), &range), "{finding}");

    let params = json!({ "textDocument": { "uri": WRITE }, "range": range, "context": { "diagnostics": [finding] } });
    let actions = client.ask("textDocument/codeAction", params).await.unwrap();
    let edit = &actions[0]["edit"]["changes"][WRITE][0];
    assert_eq!((&edit["newText"], &edit["range"]), (&json!("amount"), &range), "{actions}");
    assert_eq!(actions[0]["diagnostics"][0]["range"], range, "{actions}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_knows_what_the_cells_above_have_made() {
    let mut client = opened().await;
    told(&mut client, WRITE).await;
    let place = json!({ "textDocument": { "uri": WRITE }, "position": { "line": 2, "character": 1 } });
    let hover = client.ask("textDocument/hover", place.clone()).await.unwrap();
    assert!(hover["contents"]["value"].as_str().unwrap().contains("loan_id"), "{hover}");
    assert_eq!(hover["range"]["start"], json!({ "line": 2, "character": 0 }));

    let made = client.ask("textDocument/definition", place).await.unwrap();
    let range = json!({ "start": { "line": 1, "character": 11 }, "end": { "line": 1, "character": 32 } });
    assert_eq!((&made[0]["uri"], &made[0]["range"]), (&json!(READ), &range), "{made}");

    let place = json!({ "textDocument": { "uri": WRITE }, "position": { "line": 1, "character": 14 } });
    let items = client.ask("textDocument/completion", place).await.unwrap();
    assert_eq!(items[1]["textEdit"]["range"]["start"], json!({ "line": 1, "character": 11 }), "{items}");

    // Of what is in several cells, each is told its own.
    let all = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 9, "character": 0 } });
    for (cell, count) in [(READ, 1), (WRITE, 1)] {
        let params = json!({ "textDocument": { "uri": cell }, "range": all });
        let hints = client.ask("textDocument/inlayHint", params).await.unwrap();
        assert_eq!(hints.as_array().unwrap().len(), count, "{cell}: {hints}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cells_come_go_move_and_change() {
    let mut client = opened().await;
    told(&mut client, WRITE).await;

    // The text of a cell.
    let changes = json!([{ "range": { "start": { "line": 1, "character": 11 }, "end": { "line": 1, "character": 16 } }, "text": "loan" }]);
    change(
        &mut client,
        2,
        json!({ "textContent": [{ "document": { "uri": WRITE, "version": 2 }, "changes": changes }] }),
    )
    .await;
    let finding = told(&mut client, WRITE).await;
    assert!(finding["message"].as_str().unwrap().starts_with("Unknown column `loan`."), "{finding}");

    // A cell above, whose two lines move all below.
    let above = "vscode-notebook-cell:/lending/jobs/etl.ipynb#above";
    let array = json!({ "start": 0, "deleteCount": 0, "cells": [cell(above, 2)] });
    let opened = json!([item(above, "python", "# A note\ndf = 1")]);
    change(&mut client, 3, json!({ "structure": { "array": array, "didOpen": opened } })).await;
    let finding = told(&mut client, WRITE).await;
    assert_eq!(finding["range"]["start"], json!({ "line": 1, "character": 11 }));

    // Without the cell that reads, nothing is known of the frame, and nothing is told.
    let array = json!({ "start": 1, "deleteCount": 1 });
    change(&mut client, 4, json!({ "structure": { "array": array, "didClose": [{ "uri": READ }] } })).await;
    for cell in [WRITE, READ] {
        let cleared = client.wait_for(|message| message["params"]["uri"] == cell).await;
        assert_eq!(cleared["params"]["diagnostics"], json!([]));
    }

    let closed = json!({ "notebookDocument": { "uri": NOTEBOOK }, "cellTextDocuments": [{ "uri": WRITE }] });
    client.tell("notebookDocument/didClose", closed).await;
    let place = json!({ "textDocument": { "uri": WRITE }, "position": { "line": 2, "character": 1 } });
    assert_eq!(client.ask("textDocument/hover", place).await.unwrap(), Value::Null);
}
