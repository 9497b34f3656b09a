//! The language server over the binary's own standard input and output, with answers from a project.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};

use serde_json::{Value as Json, json};

use crate::{Folder, command};

struct Server {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
    heard: Vec<Json>,
}

impl Server {
    fn start(folder: &Folder) -> Self {
        let mut command = command(folder.path(), &["lsp", "--stdio"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out, heard: Vec::new() }
    }

    fn send(&mut self, message: Json) {
        let body = message.to_string();
        write!(self.child.stdin.as_mut().unwrap(), "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    }

    /// The first message, of those that came and those to come, that is wanted.
    fn wait_for(&mut self, wanted: impl Fn(&Json) -> bool) -> Json {
        loop {
            if let Some(message) = self.heard.iter().find(|message| wanted(message)) {
                return message.clone();
            }
            let (mut header, mut blank) = (String::new(), String::new());
            self.out.read_line(&mut header).unwrap();
            self.out.read_line(&mut blank).unwrap();
            let length = header.trim().strip_prefix("Content-Length: ").unwrap().parse().unwrap();
            let mut body = vec![0; length];
            self.out.read_exact(&mut body).unwrap();
            self.heard.push(serde_json::from_slice(&body).unwrap());
        }
    }
}

#[test]
fn a_column_that_the_lake_does_not_have_is_underlined() {
    let script = "from pyspark.sql import SparkSession\n\
                  spark = SparkSession.builder.getOrCreate()\n\
                  spark.table('raw.payments').select('amout').show()\n";
    let folder = Folder::new(&[
        ("de-copilot.toml", "[lake]\nroot = \"data\"\n"),
        ("data/raw/payments/1.csv", "loan_id,amount\nL1,2.5\n"),
        ("jobs/etl.py", script),
    ]);
    let root = folder.path().canonicalize().unwrap();
    let uri = format!("file://{}", root.join("jobs/etl.py").display());
    let mut server = Server::start(&folder);
    server.send(json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "processId": null, "capabilities": {},
        "workspaceFolders": [{"uri": format!("file://{}", root.display()), "name": "x"}],
    }}));
    server.wait_for(|message| message["id"] == 1);
    server.send(json!({"jsonrpc": "2.0", "method": "initialized", "params": {}}));
    server.send(json!({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {
        "textDocument": {"uri": uri, "languageId": "python", "version": 1, "text": script}
    }}));
    let published = server.wait_for(|message| {
        message["method"] == "textDocument/publishDiagnostics" && message["params"]["diagnostics"][0].is_object()
    });
    let diagnostic = &published["params"]["diagnostics"][0];
    assert_eq!(diagnostic["code"], "unknown-column");
    assert_eq!(diagnostic["range"]["start"]["line"], 2);
    let status = server.wait_for(|message| message["method"] == "deCopilot/status");
    assert_eq!(status["params"]["health"], "ok", "{status}");
    assert!(status["params"]["message"].as_str().unwrap().contains("1 table"), "{status}");
    server.send(json!({"jsonrpc": "2.0", "id": 2, "method": "shutdown"}));
    server.wait_for(|message| message["id"] == 2);
    server.send(json!({"jsonrpc": "2.0", "method": "exit"}));
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}
