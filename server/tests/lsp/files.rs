//! Files of a project that are no scripts.

use std::path::{Path, PathBuf};

use analyzer::Severity;
use async_trait::async_trait;
use serde_json::json;
use server::{Backend, Finding};

use crate::client::Client;

/// Finds each line that says `bad`, in the files of one project.
struct Reviewer {
    root: PathBuf,
}

#[async_trait]
impl Backend for Reviewer {
    async fn review(&self, root: &Path, file: &Path, text: &str) -> Vec<Finding> {
        assert_eq!(root, self.root);
        assert!(file.starts_with(root));
        let bad = text.lines().enumerate().filter(|(_, line)| line.contains("bad"));
        let finding = |(index, line): (usize, &str)| Finding {
            code: "settings",
            severity: Severity::Error,
            line: index + 1,
            message: line.trim().to_owned(),
        };
        bad.map(finding).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_reviewed_as_it_is_in_the_editor() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("project");
    std::fs::create_dir_all(&root).unwrap();
    std::fs::write(root.join("de-copilot.toml"), "").unwrap();
    let uri = format!("file://{}", root.join("de-copilot.toml").display());
    let (mut client, _) = Client::initialized(Reviewer { root }, json!({})).await;
    client.open(&uri, "[lake]\n  bad = 1  \n").await;
    let found = client.published(&uri, 1).await;
    assert_eq!(found[0]["message"], "bad = 1");
    assert_eq!(found[0]["severity"], 1);
    let on = |line: u32, from: u32, to: u32| json!({"start": {"line": line, "character": from}, "end": {"line": line, "character": to}});
    assert_eq!(found[0]["range"], on(1, 2, 9));

    client.edit(&uri, 2, &[([0, 0, 0, 0], "😀 = 1\n"), ([1, 6, 1, 6], " # bad")]).await;
    let found = client.published(&uri, 2).await;
    assert_eq!(found[0]["range"], on(1, 0, 12));
    assert_eq!(found[1]["range"], on(2, 2, 9));

    client.edit(&uri, 3, &[([0, 0, 9, 0], "")]).await;
    assert_eq!(client.published(&uri, 3).await, json!([]));
    // What is asked of scripts has an empty answer here.
    let document = json!({ "textDocument": { "uri": uri }, "position": { "line": 0, "character": 0 } });
    assert_eq!(client.ask("textDocument/hover", document).await, Ok(json!(null)));
    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": uri } })).await;
    let closed = client.wait_for(|message| {
        message["method"] == "textDocument/publishDiagnostics" && message["params"]["version"].is_null()
    });
    assert_eq!(closed.await["params"]["diagnostics"], json!([]));
}
