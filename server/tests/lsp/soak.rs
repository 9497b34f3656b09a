//! However a text came about, it means the same.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::client::{Catalog, Client, SCRIPT};

const EDITED: &str = "file:///lending/edited.py";
const FRESH: &str = "file:///lending/fresh.py";

/// Text that people type into scripts, whole and torn.
const PIECES: [&str; 16] = [
    "",
    "\n",
    " ",
    "(",
    ")",
    "\"",
    "'",
    ".",
    "# 😀\n",
    "amount",
    "amout",
    "loan_id",
    ".select(\"amout\")",
    "    ",
    ".filter(col(\"amount\") > 0)",
    "\npayments = payments.drop(\"loan_id\")\n",
];

/// An edit of the text as it is then: where it starts and how much it replaces, both as shares of the text.
fn edit() -> impl Strategy<Value = (f64, f64, &'static str)> {
    (0.0..1.0, prop_oneof![3 => Just(0.0), 1 => 0.0..0.05], prop::sample::select(&PIECES[..]))
}

/// After each edit, the diagnostics are those of the same text opened fresh, by a client whose unit is the byte.
#[test]
fn random_edits_yield_the_diagnostics_of_a_fresh_analysis() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = ProptestConfig { cases: 24, ..ProptestConfig::default() };
    let edits = prop::collection::vec(edit(), 1..40);
    TestRunner::new(config)
        .run(&edits, |edits| {
            runtime.block_on(compare(&edits));
            Ok(())
        })
        .unwrap();
}

async fn compare(edits: &[(f64, f64, &str)]) {
    let capabilities = json!({
        "general": { "positionEncodings": ["utf-8"] },
        "textDocument": { "diagnostic": {} },
        "workspace": { "diagnostics": { "refreshSupport": true } },
    });
    let (mut client, _) = Client::initialized(Catalog, capabilities).await;
    client.open(EDITED, SCRIPT).await;
    client.wait_for(|message| message["method"] == "workspace/diagnostic/refresh").await;

    let mut text = SCRIPT.to_owned();
    for (version, (start, length, piece)) in (2..).zip(edits) {
        let (start, end) = (boundary(&text, *start), boundary(&text, start + length));
        let ([line, character], [end_line, end_character]) = (position(&text, start), position(&text, end));
        client.edit(EDITED, version, &[([line, character, end_line, end_character], piece)]).await;
        text.replace_range(start..end, piece);

        client.open(FRESH, &text).await;
        let (edited, fresh) = (diagnostics(&mut client, EDITED).await, diagnostics(&mut client, FRESH).await);
        assert_eq!(edited, fresh, "of\n{text}");
    }
}

async fn diagnostics(client: &mut Client, uri: &str) -> Value {
    let report = client.ask("textDocument/diagnostic", json!({ "textDocument": { "uri": uri } })).await.unwrap();
    report["items"].clone()
}

/// The character boundary at or before a share of the text.
fn boundary(text: &str, share: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a short text")]
    let offset = (text.len() as f64 * share.min(1.0)) as usize;
    (0..=offset).rev().find(|&offset| text.is_char_boundary(offset)).unwrap()
}

/// Line, and bytes within it.
fn position(text: &str, offset: usize) -> [u32; 2] {
    let before = &text[..offset];
    let line = before.matches('\n').count();
    let character = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1);
    [u32::try_from(line).unwrap(), u32::try_from(character).unwrap()]
}
