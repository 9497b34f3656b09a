//! Edits in the order of the wire, requests on the text of their moment.

use serde_json::{Value, json};
use server::{Ended, NoBackend};

use crate::client::{CONTENT_MODIFIED, Catalog, Client, REQUEST_CANCELLED, SCRIPT, at_text};

const URI: &str = "file:///lending/etl.py";

#[tokio::test(flavor = "multi_thread")]
async fn two_edits_then_hover_answers_for_the_newest_text() {
    let (mut client, _) = Client::initialized(Catalog, json!({})).await;
    client.open(URI, "rows = spark.table('lending.a')\n").await;
    client.edit(URI, 2, &[([0, 29, 0, 29], "lpha")]).await;
    client.edit(URI, 3, &[([0, 28, 0, 32], "gamm")]).await;
    let answer = client.ask("textDocument/hover", at_text(URI, "rows = spark.table('lending.gamma')", "gamma")).await;
    assert!(answer.unwrap().to_string().contains("gamma"));
}

/// A client that writes for long before it reads fills both pipes. The server must go on reading, and lose nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_for_400_messages_loses_no_edit() {
    let (mut client, _) = Client::initialized(Catalog, json!({})).await;
    client.open(URI, "").await;
    let mut hovers = Vec::new();
    for number in 0..200_u32 {
        // Long enough that the answers and diagnostics of all of them fit into no pipe.
        let line = format!("frame_{number} = spark.table('lending.table_{number}')  # {}\n", "x".repeat(900));
        client.edit(URI, i64::from(number) + 2, &[([number, 0, number, 0], &line)]).await;
        hovers.push(client.request("textDocument/hover", hover_params(number)).await);
    }
    for hover in hovers {
        match client.answer(hover).await {
            Ok(_) => {}
            Err(code) => assert_eq!(code, CONTENT_MODIFIED, "an older text may have been edited meanwhile"),
        }
    }
    client.published(URI, 201).await;
    for number in [0, 137, 199] {
        let answer = client.ask("textDocument/hover", hover_params(number)).await.unwrap();
        assert!(answer.to_string().contains(&format!("table_{number}")), "line {number}: {answer}");
    }
}

fn hover_params(line: u32) -> Value {
    let column = format!("frame_{line} = spark.table('lending.ta").len();
    json!({ "textDocument": { "uri": URI }, "position": { "line": line, "character": column } })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_about_text_that_was_edited_meanwhile_is_content_modified() {
    let (mut client, _) = Client::initialized(NoBackend, json!({})).await;
    client.open(URI, &long_script()).await;
    let hover = client.request("textDocument/hover", at_text(URI, SCRIPT, "payments")).await;
    client.edit(URI, 2, &[([0, 0, 0, 0], "\n")]).await;
    assert_eq!(client.answer(hover).await, Err(CONTENT_MODIFIED));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_request_is_answered_so_and_the_next_one_works() {
    let (mut client, _) = Client::initialized(NoBackend, json!({})).await;
    client.open(URI, &long_script()).await;
    let hover = client.request("textDocument/hover", at_text(URI, SCRIPT, "payments")).await;
    client.tell("$/cancelRequest", json!({ "id": hover })).await;
    assert_eq!(client.answer(hover).await, Err(REQUEST_CANCELLED));
    assert!(client.ask("textDocument/hover", at_text(URI, SCRIPT, "payments")).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_document_is_forgotten() {
    let (mut client, _) = Client::initialized(Catalog, json!({})).await;
    client.open(URI, SCRIPT).await;
    client.published(URI, 1).await;
    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": URI } })).await;
    assert_eq!(client.ask("textDocument/hover", at_text(URI, SCRIPT, "payments")).await, Ok(Value::Null));
    let cleared = client.wait_for(|message| {
        message["method"] == "textDocument/publishDiagnostics" && message["params"]["version"].is_null()
    });
    assert_eq!(cleared.await["params"]["diagnostics"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_while_an_analysis_is_under_way() {
    let (mut client, _) = Client::initialized(NoBackend, json!({})).await;
    client.open(URI, &long_script()).await;
    client.request("textDocument/hover", at_text(URI, SCRIPT, "payments")).await;
    assert_eq!(client.ask("shutdown", Value::Null).await, Ok(Value::Null));
    assert_eq!(client.exit().await, Ended::InOrder);
}

/// A script that takes long enough to analyze that the next message arrives before the analysis ends.
fn long_script() -> String {
    let steps = (0..20_000).map(|number| format!("large_{number} = payments.filter(payments['amount'] > {number})\n"));
    SCRIPT.to_owned() + &steps.collect::<String>()
}
