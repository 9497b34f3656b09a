//! Starting, ending, and what is not a message.

use serde_json::{Value, json};
use server::{Ended, NoBackend};

use crate::client::{Client, SCRIPT, at};

#[tokio::test(flavor = "multi_thread")]
async fn the_server_names_itself_and_offers_what_it_can() {
    let (_client, offer) = Client::initialized(NoBackend, json!({})).await;
    assert_eq!(offer["serverInfo"]["name"], "de-copilot");
    assert_eq!(offer["capabilities"]["positionEncoding"], "utf-16");
    assert_eq!(offer["capabilities"]["hoverProvider"], true);
    assert_eq!(offer["capabilities"]["diagnosticProvider"], Value::Null, "this client does not pull");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_before_initialize_are_refused() {
    let mut client = Client::connect(NoBackend);
    assert_eq!(client.ask("textDocument/hover", at("file:///a.py", 0, 0)).await, Err(-32002));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_request_is_refused_and_an_unknown_notification_ignored() {
    let (mut client, _) = Client::initialized(NoBackend, json!({})).await;
    client.tell("nobody/knows", json!({})).await;
    assert_eq!(client.ask("nobody/knows", json!({})).await, Err(-32601));
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_after_shutdown_is_an_end_in_order() {
    let (mut client, _) = Client::initialized(NoBackend, json!({})).await;
    assert_eq!(client.ask("shutdown", Value::Null).await, Ok(Value::Null));
    assert_eq!(client.ask("textDocument/hover", at("file:///a.py", 0, 0)).await, Err(-32600), "after shutdown");
    assert_eq!(client.exit().await, Ended::InOrder);
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_without_shutdown_is_an_error() {
    let (client, _) = Client::initialized(NoBackend, json!({})).await;
    let ended = client.exit().await;
    assert_eq!((ended, ended.exit_code()), (Ended::Abruptly, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_ends_when_its_input_closes() {
    let (client, _) = Client::initialized(NoBackend, json!({})).await;
    assert_eq!(client.hang_up().await, Ended::Abruptly);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_server_ends_when_the_clients_process_is_gone() {
    let mut editor = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    let mut client = Client::connect(NoBackend);
    client.ask("initialize", json!({ "capabilities": {}, "processId": editor.id() })).await.unwrap();
    editor.kill().unwrap();
    editor.wait().unwrap();
    assert_eq!(client.ended().await, Ended::Abruptly);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_message_is_answered_and_skipped() {
    let (mut client, _) = Client::initialized(NoBackend, json!({})).await;
    for (garbage, code) in [
        ("Content-Length: 12\r\n\r\n{\"jsonrpc\": ", -32700),
        ("Content-Length: 2\r\n\r\n[]", -32600),
        ("Content-Length: 19\r\n\r\n{\"jsonrpc\": \"2.0\"} ", -32600),
        ("Content-Length: twelve\r\n\r\n", -32700),
        ("no header at all\r\n\r\n", -32700),
        ("Content-Length: 5\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n\"\u{0}..\"", -32700),
    ] {
        client.send_raw(garbage.as_bytes()).await;
        let refusal = client.wait_for(|message| message.get("id") == Some(&Value::Null)).await;
        assert_eq!(refusal["error"]["code"], code, "to {garbage:?}");
    }
    assert_eq!(client.ask("shutdown", Value::Null).await, Ok(Value::Null), "the server goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_of_another_method_change_nothing() {
    let (mut client, _) = Client::initialized(NoBackend, json!({})).await;
    let uri = "file:///lending/etl.py";
    client.open(uri, SCRIPT).await;
    client.tell("textDocument/didChange", json!({ "textDocument": 7 })).await;
    client.tell("textDocument/didChange", json!({ "textDocument": { "uri": "no uri", "version": 2 } })).await;
    client.edit("file:///never/opened.py", 2, &[([0, 0, 0, 0], "x")]).await;
    assert_eq!(client.ask("textDocument/hover", json!({ "position": {} })).await, Err(-32602));
    assert!(client.ask("textDocument/hover", at(uri, 0, 0)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_a_surrogate_pair_does_not_lose_the_edit() {
    let (mut client, _) = Client::initialized(NoBackend, json!({})).await;
    let uri = "file:///lending/etl.py";
    client.open(uri, "# \n").await;
    let document = r#"{"uri":"file:///lending/etl.py","version":2}"#;
    let change = r##"{"text":"# \ud83d\nx = (\n"}"##;
    let params = format!(r#"{{"textDocument":{document},"contentChanges":[{change}]}}"#);
    let edit = format!(r#"{{"jsonrpc":"2.0","method":"textDocument/didChange","params":{params}}}"#);
    client.send_raw(format!("Content-Length: {}\r\n\r\n{edit}", edit.len()).as_bytes()).await;
    client.published(uri, 2).await;
}
