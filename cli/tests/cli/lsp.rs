//! The language server over the binary's own standard input and output, with answers from a project.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::{Folder, command};

struct Server {
    child: Child,
    messages: Receiver<Json>,
    heard: Vec<Json>,
    last_id: u64,
}

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(60);

impl Server {
    fn start(folder: &Folder) -> Self {
        let mut command = command(folder.path(), &["lsp", "--stdio"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || while read(&mut out).is_some_and(|message| sender.send(message).is_ok()) {});
        Self { child, messages, heard: Vec::new(), last_id: 0 }
    }

    fn send(&mut self, message: Json) {
        let body = message.to_string();
        write!(self.child.stdin.as_mut().unwrap(), "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    }

    /// The first message, of those that came and those to come, that is wanted.
    #[track_caller]
    fn wait_for(&mut self, wanted: impl Fn(&Json) -> bool) -> Json {
        let limit = Instant::now() + PATIENCE;
        let mut next = 0;
        loop {
            if let Some(message) = self.heard[next..].iter().find(|message| wanted(message)) {
                return message.clone();
            }
            next = self.heard.len();
            match self.messages.recv_timeout(limit.saturating_duration_since(Instant::now())) {
                Ok(message) => self.heard.push(message),
                Err(error) => panic!("{error}; the server last said {:#?}", self.heard.last()),
            }
        }
    }

    /// Takes in what the server has said by now.
    fn listen(&mut self) {
        self.heard.extend(self.messages.try_iter());
    }

    fn notify(&mut self, method: &str, params: Json) {
        self.send(json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Sends a request and gives back its result.
    fn call(&mut self, method: &str, params: Json) -> Json {
        self.last_id += 1;
        let id = self.last_id;
        self.send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        let answer = self.wait_for(|message| message["id"] == id && message["method"].is_null());
        assert!(answer["error"].is_null(), "{answer:#}");
        answer["result"].clone()
    }

    /// Begins a session in a folder.
    fn initialize(&mut self, root: &Path) {
        let folder = json!({"uri": uri(root), "name": "project"});
        let related = json!({"textDocument": {"publishDiagnostics": {"relatedInformation": true}}});
        self.call("initialize", json!({"processId": null, "capabilities": related, "workspaceFolders": [folder]}));
        self.notify("initialized", json!({}));
    }

    fn open(&mut self, script: &Path, text: &str) {
        let document = json!({"uri": uri(script), "languageId": "python", "version": 1, "text": text});
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
    }

    fn change(&mut self, script: &Path, version: i64, text: &str) {
        let document = json!({"uri": uri(script), "version": version});
        let changes = json!([{ "text": text }]);
        self.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": changes}));
    }

    /// Ends the session as the protocol wants it.
    fn end(mut self) {
        self.call("shutdown", Json::Null);
        self.notify("exit", Json::Null);
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

/// The next message of a server; none when it has ended.
fn read(out: &mut impl BufRead) -> Option<Json> {
    let (mut header, mut blank) = (String::new(), String::new());
    out.read_line(&mut header).ok()?;
    out.read_line(&mut blank).ok()?;
    let mut body = vec![0; header.trim().strip_prefix("Content-Length: ")?.parse().ok()?];
    out.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// A request's parameters for the place behind the first of these words in a text.
fn behind(script: &Path, text: &str, words: &str) -> Json {
    let offset = text.find(words).unwrap() + words.len();
    let line = text[..offset].matches('\n').count();
    let character = offset - text[..offset].rfind('\n').map_or(0, |line| line + 1);
    json!({"textDocument": {"uri": uri(script)}, "position": {"line": line, "character": character}})
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
    let mut server = Server::start(&folder);
    server.initialize(&root);
    server.open(&root.join("jobs/etl.py"), script);
    let published = server.wait_for(|message| {
        message["method"] == "textDocument/publishDiagnostics" && message["params"]["diagnostics"][0].is_object()
    });
    let diagnostic = &published["params"]["diagnostics"][0];
    assert_eq!(diagnostic["code"], "unknown-column");
    assert_eq!(diagnostic["range"]["start"]["line"], 2);
    let status = server.wait_for(|message| message["method"] == "deCopilot/status");
    assert_eq!(status["params"]["health"], "ok", "{status}");
    assert!(status["params"]["message"].as_str().unwrap().contains("1 table"), "{status}");
    server.end();
}

#[test]
fn the_demo_is_known_in_the_editor() {
    let folder = Folder::new(&[]);
    folder.run(&["demo", "--rows", "3000"]).exits(0);
    let root = folder.path().canonicalize().unwrap().join("demo-out");
    let script = root.join("jobs/loan_repayments_etl.py");
    let text = std::fs::read_to_string(&script).unwrap();
    let mut server = Server::start(&folder);
    server.initialize(&root);
    server.open(&script, &text);
    server.wait_for(|message| message["method"] == "deCopilot/status");

    // Answers come in the background, so a question is asked until its answer is there.
    let hover = |server: &mut Server, words: &str, wanted: &str| {
        let text_of = |server: &mut Server| {
            let hover = server.call("textDocument/hover", behind(&script, &text, words));
            hover["contents"]["value"].as_str().unwrap_or_default().to_owned()
        };
        until(|| Some(text_of(server)).filter(|text| text.contains(wanted)))
    };
    let column = hover(&mut server, "loans = dim_loan.select(\"loan_", "distinct");
    assert!(column.contains("In `ref_db.dim_loan` on 2024-01-17: 0 % NULL"), "{column}");
    let table = hover(&mut server, "table_name=\"loan_repayment", "Tests of");
    assert!(table.contains("Profile of 2024-01-16") && table.contains("Tests of 2024-01-30"), "{table}");

    let made = server.call("textDocument/definition", behind(&script, &text, "table_name=\"loan_repayment"));
    assert_eq!(made[0]["uri"], uri(&root.join("de-copilot/contracts/loan_repayment_fact.json")), "{made}");

    let edited = text.replace("table_name=\"dim_customer", "table_name=\"");
    server.change(&script, 2, &edited);
    let place = behind(
        &script,
        &edited,
        "dim_customer = glue_context.create_dynamic_frame.from_catalog(database=REF_DATABASE, table_name=\"",
    );
    let offered = until(|| {
        let items = server.call("textDocument/completion", place.clone());
        let labels: Vec<_> = items.as_array()?.iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect();
        Some(labels).filter(|labels| !labels.is_empty())
    });
    assert_eq!(offered, ["dim_customer", "dim_loan"]);

    let broken = std::fs::read_to_string(root.join("changes/loan_repayments_etl_v2.py")).unwrap();
    server.change(&script, 3, &broken);
    let published = server.wait_for(|message| {
        let found = message["params"]["diagnostics"].as_array();
        let breaks = |reader: &str| {
            found.is_some_and(|found| found.iter().any(|one| one["message"].as_str().unwrap().contains(reader)))
        };
        message["params"]["version"] == 3 && breaks("delinquency_report.py") && breaks("monthly_customer_summary.py")
    });
    let found = published["params"]["diagnostics"].as_array().unwrap();
    let of = |code: &str| found.iter().filter(|one| one["code"] == code).collect::<Vec<_>>();
    for code in [
        "contract-column-missing",
        "contract-column-surplus",
        "contract-type",
        "contract-grain",
        "contract-filter-drops",
    ] {
        assert_eq!(of(code).len(), 1, "{code} in {found:#?}");
    }
    let readers = of("downstream-column");
    assert_eq!(readers.len(), 2, "{readers:#?}");
    for (told, reader, line) in
        [(readers[0], "delinquency_report.py", 23), (readers[1], "monthly_customer_summary.py", 26)]
    {
        let related = &told["relatedInformation"][0]["location"];
        assert_eq!(related["uri"], uri(&root.join("jobs").join(reader)), "{told:#}");
        assert_eq!(related["range"]["start"]["line"], line, "{told:#}");
    }
    server.end();
}

#[test]
fn the_action_on_a_write_stores_a_contract_that_the_data_bears_out() {
    let script = "from pyspark.sql import SparkSession\n\
                  spark = SparkSession.builder.getOrCreate()\n\
                  payments = spark.table('raw.payments').select('loan_id', 'amount')\n\
                  payments.write.mode('overwrite').saveAsTable('raw.paid')\n";
    let rows: String = (0..200).map(|n| format!("L{n},{n}.5\n")).collect();
    let folder = Folder::new(&[
        ("de-copilot.toml", "[lake]\nroot = \"data\"\n"),
        ("data/raw/payments/1.csv", "loan_id,amount\nL1,2.5\n"),
        ("data/raw/paid/1.csv", &format!("loan_id,amount\n{rows}")),
        ("jobs/etl.py", script),
    ]);
    let root = folder.path().canonicalize().unwrap();
    let file = root.join("jobs/etl.py");
    let mut server = Server::start(&folder);
    server.initialize(&root);
    server.open(&file, script);
    server.wait_for(|message| message["method"] == "deCopilot/status");
    let place = behind(&file, script, "saveAs")["position"].clone();
    let actions = |server: &mut Server, title: &str| {
        let range = json!({ "start": place, "end": place });
        let context = json!({ "diagnostics": [] });
        let params = json!({ "textDocument": { "uri": uri(&file) }, "range": range, "context": context });
        let actions = server.call("textDocument/codeAction", params);
        actions.as_array()?.iter().find(|action| action["title"] == title).map(|action| action["command"].clone())
    };
    let command = until(|| actions(&mut server, "Generate the contract of raw.paid"));
    server.call("workspace/executeCommand", command.clone());
    let asked = |server: &mut Server, count: usize| {
        let questions = |server: &Server| {
            let asked = server.heard.iter().filter(|message| message["method"] == "window/showMessageRequest");
            asked.cloned().collect::<Vec<_>>()
        };
        until(|| {
            server.listen();
            questions(server).get(count).cloned()
        })
    };
    // Nothing is there until somebody has said so.
    let question = asked(&mut server, 0);
    assert!(!folder.at("de-copilot/contracts/paid.json").exists());
    server.send(json!({"jsonrpc": "2.0", "id": question["id"], "result": {"title": "Discard"}}));
    let told = server.wait_for(|message| message["method"] == "window/showMessage");
    assert!(told["params"]["message"].as_str().unwrap().contains("discarded"), "{told}");
    assert!(!folder.at("de-copilot/contracts/paid.json").exists());

    server.call("workspace/executeCommand", command);
    let question = asked(&mut server, 1);
    server.send(json!({"jsonrpc": "2.0", "id": question["id"], "result": {"title": "Store"}}));
    let told = server.wait_for(|message| {
        let text = message["params"]["message"].as_str().unwrap_or_default();
        message["method"] == "window/showMessage" && !text.contains("discarded")
    });
    assert!(told["params"]["message"].as_str().unwrap().contains(" kept, "), "{told}");
    let contract: Json = serde_json::from_str(&folder.read("de-copilot/contracts/paid.json")).unwrap();
    assert!(contract["columns"]["loan_id"]["rules"].is_array(), "{contract:#}");
    until(|| actions(&mut server, "Refresh the contract of raw.paid"));
    server.end();
}

#[test]
fn a_finding_is_taken_as_known_from_the_editor() {
    let script = "p = spark.table('raw.payments')\np.select('amout').show()\np.select('loan').show()\n";
    let folder = Folder::new(&[
        ("de-copilot.toml", "[lake]\nroot = \"data\"\n"),
        ("data/raw/payments/1.csv", "loan_id,amount\nL1,2.5\n"),
        ("jobs/etl.py", script),
    ]);
    let root = folder.path().canonicalize().unwrap();
    let file = root.join("jobs/etl.py");
    let mut server = Server::start(&folder);
    server.initialize(&root);
    server.open(&file, script);
    let count = |message: &Json| message["params"]["diagnostics"].as_array().map(Vec::len);
    server.wait_for(|message| count(message) == Some(2));
    let place = behind(&file, script, "amou")["position"].clone();
    let range = json!({ "start": place, "end": place });
    let params = json!({ "textDocument": { "uri": uri(&file) }, "range": range, "context": { "diagnostics": [], "only": ["quickfix"] } });
    let actions = server.call("textDocument/codeAction", params);
    let titles: Vec<&str> = actions.as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap()).collect();
    assert_eq!(
        titles,
        ["Replace with `amount`", "Ignore unknown-column on this line", "Accept unknown-column here as known"]
    );
    server.call("workspace/executeCommand", actions[2]["command"].clone());
    server.wait_for(|message| count(message) == Some(1));
    let baseline: Json = serde_json::from_str(&folder.read("de-copilot-baseline.json")).unwrap();
    assert_eq!(baseline["scripts"]["jobs/etl.py"][0]["line"], "p.select('amout').show()");
    server.end();
}

#[test]
fn settings_and_contracts_are_reviewed_as_they_are_typed() {
    let folder = Folder::new(&[
        ("de-copilot.toml", "[lake]\nroot = \"data\"\n"),
        ("data/raw/payments/1.csv", "loan_id,amount\nL1,2.5\n"),
    ]);
    let root = folder.path().canonicalize().unwrap();
    let mut server = Server::start(&folder);
    server.initialize(&root);
    let (settings, contract) = (root.join("de-copilot.toml"), root.join("de-copilot/contracts/payments.json"));
    server.open(&settings, "[lake]\nrot = \"data\"\n");
    server.open(&contract, "{\"table_name\": \"payments\",\n\"columns\": {\n\"amout\": {\"type\": \"double\"}}}\n");
    let mut told = |file: &Path, code: &str, line: u64, word: &str| {
        server.wait_for(|message| {
            let found = &message["params"]["diagnostics"][0];
            message["params"]["uri"] == uri(file)
                && found["code"] == code
                && found["range"]["start"]["line"] == line
                && found["message"].as_str().is_some_and(|text| text.contains(word))
        })
    };
    told(&settings, "settings", 1, "did you mean `root`?");
    told(&contract, "contract-table", 2, "did you mean `amount`?");
    server.end();
}

/// Asks again and again until there is an answer.
fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < limit, "the answer never came");
        std::thread::sleep(Duration::from_millis(50));
    }
}
