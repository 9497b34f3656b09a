//! A language client for tests, talking to a server in the same process through a pipe.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contract::schema::{Column, Provenance, TableName, TableSchema};
use contract::types::DataType;
use serde_json::{Value, json};
use server::{Backend, BackendError, Ended};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::task::JoinHandle;

/// Bytes that a pipe holds before its writer must wait, as on Linux.
const PIPE_BYTES: usize = 64 * 1024;

/// How long the server may be silent before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) const CONTENT_MODIFIED: i64 = -32801;
pub(crate) const REQUEST_CANCELLED: i64 = -32800;

pub(crate) struct Client {
    to_server: DuplexStream,
    from_server: BufReader<DuplexStream>,
    /// Messages that were read while another was looked for.
    unread: VecDeque<Value>,
    server: JoinHandle<Ended>,
    last_id: i64,
}

impl Client {
    /// Connects to a new server.
    pub(crate) fn connect(backend: impl Backend) -> Self {
        let (to_server, input) = tokio::io::duplex(PIPE_BYTES);
        let (output, from_server) = tokio::io::duplex(PIPE_BYTES);
        let server = tokio::spawn(server::serve(input, output, backend));
        Self { to_server, from_server: BufReader::new(from_server), unread: VecDeque::new(), server, last_id: 0 }
    }

    /// Connects and initializes. Answers what the server offers.
    pub(crate) async fn initialized(backend: impl Backend, capabilities: Value) -> (Self, Value) {
        let mut client = Self::connect(backend);
        let offer = client.ask("initialize", json!({ "capabilities": capabilities })).await.unwrap();
        client.tell("initialized", json!({})).await;
        (client, offer)
    }

    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        self.to_server.write_all(bytes).await.unwrap();
    }

    async fn send(&mut self, message: &Value) {
        let body = message.to_string();
        self.send_raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
    }

    /// Sends a notification.
    pub(crate) async fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params })).await;
    }

    /// Sends a request without waiting for its answer.
    pub(crate) async fn request(&mut self, method: &str, params: Value) -> i64 {
        self.last_id += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params })).await;
        self.last_id
    }

    /// Answers a request of the server.
    pub(crate) async fn reply(&mut self, id: &Value, result: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": result })).await;
    }

    /// Sends a request and waits for its result, or for the code of its error.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Result<Value, i64> {
        let id = self.request(method, params).await;
        self.answer(id).await
    }

    /// Waits for the answer to a request: its result, or the code of its error.
    pub(crate) async fn answer(&mut self, id: i64) -> Result<Value, i64> {
        let message = self.wait_for(|message| message["id"] == id && message.get("method").is_none()).await;
        match message["error"]["code"].as_i64() {
            Some(code) => Err(code),
            None => Ok(message["result"].clone()),
        }
    }

    /// Waits for a message; others stay unread.
    pub(crate) async fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(message) = self.unread.iter().position(&wanted).and_then(|index| self.unread.remove(index)) {
            return message;
        }
        loop {
            let read = tokio::time::timeout(PATIENCE, self.read()).await;
            let message = read.expect("the server says nothing").expect("the server closed its output");
            if wanted(&message) {
                return message;
            }
            self.unread.push_back(message);
        }
    }

    /// Waits for the diagnostics that the server publishes of this version of a document.
    pub(crate) async fn published(&mut self, uri: &str, version: i64) -> Value {
        let message = self.wait_for(|message| {
            let params = &message["params"];
            message["method"] == "textDocument/publishDiagnostics"
                && params["uri"] == uri
                && params["version"] == version
        });
        message.await["params"]["diagnostics"].clone()
    }

    /// Reads a message; `None` at the end of the output.
    async fn read(&mut self) -> Option<Value> {
        let mut length = 0;
        loop {
            let mut header = String::new();
            if self.from_server.read_line(&mut header).await.unwrap() == 0 {
                return None;
            }
            match header.trim().strip_prefix("Content-Length: ") {
                Some(value) => length = value.parse().unwrap(),
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.from_server.read_exact(&mut body).await.unwrap();
        Some(serde_json::from_slice(&body).unwrap())
    }

    pub(crate) async fn open(&mut self, uri: &str, text: &str) {
        let item = json!({ "uri": uri, "languageId": "python", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": item })).await;
    }

    /// Edits a document; each change is a range (start and end as line and character) and the text to put there.
    pub(crate) async fn edit(&mut self, uri: &str, version: i64, changes: &[([u32; 4], &str)]) {
        let changes: Vec<_> = changes
            .iter()
            .map(|([line, character, end_line, end_character], text)| {
                let start = json!({ "line": line, "character": character });
                let end = json!({ "line": end_line, "character": end_character });
                json!({ "range": { "start": start, "end": end }, "text": text })
            })
            .collect();
        let document = json!({ "uri": uri, "version": version });
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes })).await;
    }

    /// Ends the session and answers how the server saw it end.
    pub(crate) async fn exit(mut self) -> Ended {
        self.tell("exit", Value::Null).await;
        self.server.await.unwrap()
    }

    /// Closes the input and answers how the server saw it end.
    pub(crate) async fn hang_up(self) -> Ended {
        drop(self.to_server);
        self.server.await.unwrap()
    }

    /// Waits for the server's end while the input stays open.
    pub(crate) async fn ended(self) -> Ended {
        self.server.await.unwrap()
    }
}

/// Parameters of a request about a position.
pub(crate) fn at(uri: &str, line: u32, character: u32) -> Value {
    json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": character } })
}

/// Parameters of a request about the first place of `needle` in `text`, in UTF-16 units.
pub(crate) fn at_text(uri: &str, text: &str, needle: &str) -> Value {
    let before = &text[..text.find(needle).unwrap()];
    let line = before.matches('\n').count();
    let character = before[before.rfind('\n').map_or(0, |newline| newline + 1)..].encode_utf16().count();
    at(uri, u32::try_from(line).unwrap(), u32::try_from(character).unwrap())
}

/// A catalog with the tables of a lender.
#[derive(Clone, Default)]
pub(crate) struct Catalog;

#[async_trait]
impl Backend for Catalog {
    async fn table(&self, _: &Path, name: &TableName) -> Result<Option<TableSchema>, BackendError> {
        let columns = match name.to_string().as_str() {
            "lending.raw_payments" => {
                schema(&[("payment_id", DataType::BigInt), ("loan_id", DataType::BigInt), ("amount", DataType::Double)])
            }
            "lending.dim_loan" => schema(&[("loan_id", DataType::BigInt), ("status", DataType::String)]),
            _ => return Ok(None),
        };
        Ok(Some(columns))
    }
}

pub(crate) fn schema(columns: &[(&str, DataType)]) -> TableSchema {
    let columns = columns.iter().map(|(name, data_type)| Column {
        name: (*name).to_owned(),
        data_type: data_type.clone(),
        nullable: None,
        comment: None,
        partition_key: false,
    });
    TableSchema { columns: columns.collect(), provenance: Provenance::Catalog }
}

/// A script that reads two tables and selects a column that neither has.
pub(crate) const SCRIPT: &str = r#"from awsglue.context import GlueContext
from pyspark.context import SparkContext

glue = GlueContext(SparkContext.getOrCreate())
payments = glue.create_dynamic_frame.from_catalog(database="lending", table_name="raw_payments").toDF()
loans = glue.create_dynamic_frame.from_catalog(database="lending", table_name="dim_loan").toDF()
joined = payments.join(loans, "loan_id")
result = joined.select("amout")
"#;

/// Shares a value with the backend that a test gave away.
pub(crate) type Shared<T> = Arc<std::sync::Mutex<T>>;
