//! Hover and diagnostics, and the knowledge behind them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use analyzer::Severity;
use analyzer::policy::{Level, Policy};
use async_trait::async_trait;
use contract::schema::{TableName, TableSchema};
use contract::types::DataType;
use serde_json::{Value, json};
use server::{Backend, BackendError, Health, Status};
use tokio::sync::Notify;

use crate::client::{Catalog, Client, SCRIPT, Shared, at_text, schema};

const URI: &str = "file:///lending/etl.py";

#[tokio::test(flavor = "multi_thread")]
async fn hover_on_a_table_literal_shows_its_columns() {
    let (mut client, _) = Client::initialized(Catalog, json!({})).await;
    let text = hover_when_known(&mut client, "raw_payments").await;
    for expected in ["raw_payments", "payment_id", "bigint", "amount", "double"] {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hover_on_a_frame_shows_its_schema() {
    let (mut client, _) = Client::initialized(Catalog, json!({})).await;
    let text = hover_when_known(&mut client, "joined").await;
    for expected in ["loan_id", "amount", "status"] {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hover_on_nothing_is_silent() {
    let (mut client, _) = Client::initialized(Catalog, json!({})).await;
    client.open(URI, "\n\n").await;
    assert_eq!(client.ask("textDocument/hover", at_text(URI, "\n\n", "\n")).await, Ok(Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_column_is_published_at_its_place() {
    let (mut client, _) = Client::initialized(Catalog, json!({})).await;
    client.open(URI, SCRIPT).await;
    let diagnostic = unknown_column(&mut client, 1).await;
    assert_eq!(diagnostic["source"], "de-copilot");
    assert_eq!(diagnostic["severity"], 1);
    assert_eq!(underlined(SCRIPT, &diagnostic).trim_matches('"'), "amout");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repaired_column_is_published_as_repaired() {
    let (mut client, _) = Client::initialized(Catalog, json!({})).await;
    client.open(URI, SCRIPT).await;
    unknown_column(&mut client, 1).await;
    client.edit(URI, 2, &[([7, 0, 8, 0], "result = joined.select(\"amount\")\n")]).await;
    assert_eq!(client.published(URI, 2).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_can_pulls_diagnostics_and_is_told_when_to_pull_again() {
    let capabilities = json!({
        "textDocument": { "diagnostic": {} },
        "workspace": { "diagnostics": { "refreshSupport": true } },
    });
    let (mut client, offer) = Client::initialized(Catalog, capabilities).await;
    assert_eq!(offer["capabilities"]["diagnosticProvider"]["interFileDependencies"], true);
    client.open(URI, SCRIPT).await;
    // The tables are looked up in the background; then the server asks to pull again.
    client.wait_for(|message| message["method"] == "workspace/diagnostic/refresh").await;
    let document = json!({ "textDocument": { "uri": URI } });
    let report = client.ask("textDocument/diagnostic", document.clone()).await.unwrap();
    assert_eq!(report["items"][0]["code"], "unknown-column");

    let mut again = document;
    again["previousResultId"] = report["resultId"].clone();
    assert_eq!(client.ask("textDocument/diagnostic", again.clone()).await.unwrap()["kind"], "unchanged");
    client.edit(URI, 2, &[([0, 0, 0, 0], "\n")]).await;
    let report = client.ask("textDocument/diagnostic", again).await.unwrap();
    assert_eq!((&report["kind"], &report["items"][0]["range"]["start"]["line"]), (&json!("full"), &json!(8)));
}

#[tokio::test(flavor = "multi_thread")]
async fn places_count_in_the_unit_that_was_agreed_on() {
    // One emoji (two UTF-16 units, four bytes) and one combining accent (one unit, two bytes) stand before the column.
    let line = "result = joined.select('😀e\u{301}' , \"amout\")";
    let script = SCRIPT.replace("result = joined.select(\"amout\")", line);
    for (offered, unit_before) in [
        (json!({}), line.split("amout").next().unwrap().encode_utf16().count()),
        (json!({ "general": { "positionEncodings": ["utf-16", "utf-8"] } }), line.find("amout").unwrap()),
        (
            json!({ "general": { "positionEncodings": ["utf-32"] } }),
            line.split("amout").next().unwrap().chars().count(),
        ),
    ] {
        let (mut client, offer) = Client::initialized(Catalog, offered).await;
        client.open(URI, &script).await;
        let unknown = client.wait_for(|message| {
            let diagnostics = message["params"]["diagnostics"].as_array();
            diagnostics.is_some_and(|all| all.iter().any(|one| one["message"].as_str().unwrap().contains("amout")))
        });
        let diagnostics = unknown.await["params"]["diagnostics"].clone();
        let ours =
            diagnostics.as_array().unwrap().iter().find(|one| one["message"].as_str().unwrap().contains("amout"));
        let start = ours.unwrap()["range"]["start"]["character"].as_u64().unwrap();
        let quote = u64::try_from(unit_before).unwrap() - start;
        assert!(
            quote <= 1,
            "{}: the name starts at {unit_before}, not {start}",
            offer["capabilities"]["positionEncoding"]
        );
    }
}

/// A catalog that changes under the server.
#[derive(Clone, Default)]
struct ChangingCatalog {
    payments: Shared<Option<TableSchema>>,
}

#[async_trait]
impl Backend for ChangingCatalog {
    async fn table(&self, _: &Path, name: &TableName) -> Result<Option<TableSchema>, BackendError> {
        let payments = self.payments.lock().unwrap().clone();
        if name.table == "raw_payments" { Ok(payments) } else { Err("the catalog is not reachable".into()) }
    }

    async fn status(&self, root: &Path) -> Status {
        Status { health: Health::Degraded, message: format!("{}: the catalog is not reachable", root.display()) }
    }
}

const READ_ONE: &str = "rows = spark.table('lending.raw_payments').select('amout')\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_is_silent_and_a_save_looks_again() {
    let catalog = ChangingCatalog::default();
    let (mut client, _) = Client::initialized(catalog.clone(), json!({})).await;
    client.open(URI, READ_ONE).await;
    assert_eq!(client.published(URI, 1).await, json!([]), "no schema, no opinion");

    *catalog.payments.lock().unwrap() = Some(schema(&[("amount", DataType::Double)]));
    client.tell("textDocument/didSave", json!({ "textDocument": { "uri": URI } })).await;
    assert_eq!(client.published(URI, 1).await[0]["code"], "unknown-column");

    *catalog.payments.lock().unwrap() = Some(schema(&[("amout", DataType::Double)]));
    client.tell("workspace/didChangeWatchedFiles", json!({ "changes": [] })).await;
    assert_eq!(client.published(URI, 1).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_says_what_is_amiss() {
    let (mut client, _) = Client::initialized(ChangingCatalog::default(), json!({})).await;
    client.open(URI, READ_ONE).await;
    let status = client.wait_for(|message| message["method"] == "deCopilot/status").await;
    let expected = json!({ "health": "degraded", "message": "/lending: the catalog is not reachable" });
    assert_eq!(status["params"], expected);
}

/// A project that takes an unknown column for a warning, until somebody accepts what is there.
struct Lenient {
    accepts: Arc<AtomicBool>,
}

#[async_trait]
impl Backend for Lenient {
    async fn table(&self, root: &Path, name: &TableName) -> Result<Option<TableSchema>, BackendError> {
        Catalog.table(root, name).await
    }

    async fn policy(&self, _: &Path) -> Result<Policy, BackendError> {
        let level = match self.accepts.load(Ordering::Relaxed) {
            true => Level::Off,
            false => Level::As(Severity::Warning),
        };
        let levels = [("unknown-column".to_owned(), level)].into();
        Ok(Policy { levels, ..Policy::default() })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_says_how_bad_a_finding_is() {
    let accepts = Arc::new(AtomicBool::new(false));
    let (mut client, _) = Client::initialized(Lenient { accepts: Arc::clone(&accepts) }, json!({})).await;
    client.open(URI, READ_ONE).await;
    assert_eq!(client.published(URI, 1).await, json!([]), "no schema, no opinion");
    assert_eq!(client.published(URI, 1).await[0]["severity"], 2, "a warning");
    accepts.store(true, Ordering::Relaxed);
    client.tell("textDocument/didSave", json!({ "textDocument": { "uri": URI } })).await;
    assert_eq!(client.published(URI, 1).await, json!([]));
}

/// Two jobs in one folder, and a bell that rings when the second one is looked at.
struct TwoJobs {
    folder: PathBuf,
    second_looked_at: Arc<Notify>,
}

#[async_trait]
impl Backend for TwoJobs {
    async fn table(&self, root: &Path, name: &TableName) -> Result<Option<TableSchema>, BackendError> {
        if name.table == "dim_loan" {
            self.second_looked_at.notify_one();
        }
        Catalog.table(root, name).await
    }

    async fn scripts(&self, _: &Path) -> Vec<PathBuf> {
        vec![self.folder.join("first.py"), self.folder.join("second.py")]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_comes_although_the_index_has_asked_all_questions_of_a_document_before() {
    let folder = tempfile::tempdir().unwrap();
    let first = "spark.table('lending.raw_payments').select('amout').show()\n";
    std::fs::write(folder.path().join("de-copilot.toml"), "").unwrap();
    std::fs::write(folder.path().join("first.py"), first).unwrap();
    std::fs::write(folder.path().join("second.py"), "spark.table('lending.dim_loan').show()\n").unwrap();
    let second_looked_at = Arc::new(Notify::new());
    let jobs = TwoJobs { folder: folder.path().to_owned(), second_looked_at: Arc::clone(&second_looked_at) };

    let mut client = Client::connect(jobs);
    let root = format!("file://{}", folder.path().display());
    let folders = json!([{ "uri": root, "name": "lending" }]);
    client.ask("initialize", json!({ "capabilities": {}, "workspaceFolders": folders })).await.unwrap();
    client.tell("initialized", json!({})).await;
    second_looked_at.notified().await;
    let uri = format!("{root}/first.py");
    client.open(&uri, first).await;
    assert_eq!(client.published(&uri, 1).await[0]["code"], "unknown-column");
    client.wait_for(|message| message["method"] == "deCopilot/status").await;
}

/// Modules beside the script that asks.
struct Modules;

#[async_trait]
impl Backend for Modules {
    async fn table(&self, root: &Path, name: &TableName) -> Result<Option<TableSchema>, BackendError> {
        Catalog.table(root, name).await
    }

    async fn module(&self, _: &Path, script: &Path, dotted: &str) -> Result<Option<PathBuf>, BackendError> {
        let file = script.with_file_name(format!("{dotted}.py"));
        Ok(file.is_file().then_some(file))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_is_open_counts_with_its_unsaved_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let uri = |name: &str| format!("file://{}", file(name).display());
    std::fs::write(file("names.py"), "COLUMN = 'amout'\n").unwrap();
    let script = "from names import COLUMN\nrows = spark.table('lending.raw_payments').select(COLUMN)\n";

    let (mut client, _) = Client::initialized(Modules, json!({})).await;
    client.open(&uri("etl.py"), script).await;
    let found = |uri: String| {
        move |message: &Value| message["params"]["uri"] == uri.as_str() && message["params"]["diagnostics"] != json!([])
    };
    client.wait_for(found(uri("etl.py"))).await;
    client.open(&uri("names.py"), "COLUMN = 'amount'\n").await;
    assert_eq!(client.published(&uri("etl.py"), 1).await, json!([]), "the unsaved text is right");
}

/// A backend that fails in every way.
struct Broken;

#[async_trait]
impl Backend for Broken {
    async fn table(&self, _: &Path, name: &TableName) -> Result<Option<TableSchema>, BackendError> {
        if name.table == "raw_payments" { panic!("broken") } else { Err("broken".into()) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_fails_leaves_the_server_standing() {
    let (mut client, _) = Client::initialized(Broken, json!({})).await;
    client.open(URI, SCRIPT).await;
    client.wait_for(|message| message["method"] == "deCopilot/status").await;
    assert!(client.ask("textDocument/hover", at_text(URI, SCRIPT, "joined")).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_watched_where_the_client_can() {
    let capabilities = json!({ "workspace": { "didChangeWatchedFiles": { "dynamicRegistration": true } } });
    let (mut client, _) = Client::initialized(Catalog, capabilities).await;
    let request = client.wait_for(|message| message["method"] == "client/registerCapability").await;
    let watchers = request["params"]["registrations"][0]["registerOptions"]["watchers"].to_string();
    assert!(watchers.contains("de-copilot.toml"), "{watchers}");
}

/// Opens the script, waits until its tables are known, and hovers over `needle`.
async fn hover_when_known(client: &mut Client, needle: &str) -> String {
    client.open(URI, SCRIPT).await;
    unknown_column(client, 1).await;
    let hover = client.ask("textDocument/hover", at_text(URI, SCRIPT, needle)).await.unwrap();
    hover["contents"]["value"].as_str().unwrap_or_else(|| panic!("no hover on {needle}")).to_owned()
}

/// Waits for the diagnostic of the unknown column, which needs the tables to be known.
async fn unknown_column(client: &mut Client, version: i64) -> Value {
    loop {
        let diagnostics = client.published(URI, version).await;
        if let Some(found) = diagnostics.as_array().unwrap().iter().find(|one| one["code"] == "unknown-column") {
            return found.clone();
        }
    }
}

/// The text that a diagnostic underlines, of ASCII lines.
fn underlined<'t>(text: &'t str, diagnostic: &Value) -> &'t str {
    let place = |end: &str, field: &str| usize::try_from(diagnostic["range"][end][field].as_u64().unwrap()).unwrap();
    assert_eq!(place("start", "line"), place("end", "line"));
    let line = text.lines().nth(place("start", "line")).unwrap();
    &line[place("start", "character")..place("end", "character")]
}
