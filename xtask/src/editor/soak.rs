//! `cargo xtask bench soak`: very many random edits, after which the server must know what it would know of the text had
//! it been opened as it is, and hold no more memory than before.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::client::{Client, Memory};
use super::{Project, script};
use crate::output;
use crate::random::Random;

/// What is typed and pasted: letters, halves of statements, what opens or closes something, and whole statements.
const PIECES: [&str; 16] = [
    "x",
    "é😀",
    " ",
    "\n",
    "\n    ",
    "#",
    "\"\"\"",
    "'",
    "(",
    ")",
    "step_3",
    "if flag:\n    ",
    "df = step_3.select('loan_id', 'amont')\n",
    ".withColumn('a', F.col('state') + 1)",
    "def f(df):\n    return df.filter(\"state = 'PAID'\")\n",
    "spark.sql(\"SELECT loan_id FROM raw_db.loans WHERE amount > 1\")\n",
];

/// Edits between two comparisons with the same text opened anew.
const COMPARED_EVERY: usize = 500;

/// Edits that are sent at once, at most, before the diagnostics are waited for.
const BURST: usize = 20;

/// The text is cut back to the first so many bytes when it has grown to twice as many.
const LENGTH: usize = 8_000;

/// Types and deletes at random, and gives back the figures.
pub(crate) fn soak(command: Command, edits: usize) -> Result<Value> {
    let project = Project::new(200, 20)?;
    let uri = format!("file://{}", project.script.display());
    let fresh = format!("file://{}", project.folder.path().join("jobs/fresh.py").display());
    let mut client = Client::start(command, project.folder.path())?;
    client.initialize(project.folder.path())?;
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    let mut text = script(200);
    let mut version = 1;
    let open = |uri: &str, version: i64, text: &str| json!({"textDocument": {"uri": uri, "languageId": "python", "version": version, "text": text}});
    client.notify("textDocument/didOpen", open(&uri, version, &text))?;
    client.diagnostics_of(&uri, version)?;
    client.settle()?;
    let start = Instant::now();
    let (mut made, mut compared, mut settled) = (0, 0, None);
    while made < edits {
        let burst = (1 + random.below(BURST)).min(edits - made);
        for _ in 0..burst {
            let (range, inserted) = edit(&mut random, &text);
            let change = json!({"range": {"start": position(&text, range.start), "end": position(&text, range.end)},
                "text": inserted});
            text.replace_range(range, &inserted);
            version += 1;
            let document = json!({"uri": uri, "version": version});
            client.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": [change]}))?;
        }
        client.diagnostics_of(&uri, version)?;
        let before = made / COMPARED_EVERY;
        made += burst;
        if made / COMPARED_EVERY > before || made == edits {
            client.settle_for(std::time::Duration::from_millis(150))?;
            let edited = client.diagnostics(&uri);
            client.notify("textDocument/didOpen", open(&fresh, version, &text))?;
            client.diagnostics_of(&fresh, version)?;
            client.settle_for(std::time::Duration::from_millis(150))?;
            let anew = client.diagnostics(&fresh);
            client.notify("textDocument/didClose", json!({"textDocument": {"uri": fresh}}))?;
            ensure!(
                edited == anew,
                "after {made} edits the diagnostics are {edited}, of the same text opened anew {anew}:\n{text}"
            );
            compared += 1;
            client.seen.clear();
            if settled.is_none() && made * 10 >= edits {
                settled = client.memory(Memory::Now);
            }
            output::error(&format!("{made} of {edits} edits"));
        }
    }
    let megabytes = |bytes: Option<u64>| bytes.map(|bytes| (bytes as f64 / 1e5).round() / 10.0);
    Ok(json!({
        "server": "de-copilot",
        "case": "soak",
        "lines": 200,
        "workspace_jobs": 20,
        "edits": edits,
        "compared": compared,
        "seconds": start.elapsed().as_secs_f64().round(),
        "mb_after_a_tenth": megabytes(settled),
        "mb_at_the_end": megabytes(client.memory(Memory::Now)),
        "peak_mb": megabytes(client.memory(Memory::Peak)),
    }))
}

/// A range of a text and what is put there.
fn edit(random: &mut Random, text: &str) -> (std::ops::Range<usize>, String) {
    let boundary = |at: usize| (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    if text.len() > 2 * LENGTH {
        return (boundary(LENGTH)..text.len(), script(200).lines().last().unwrap_or_default().to_owned());
    }
    let start = boundary(random.below(text.len() + 1));
    let length = match random.below(8) {
        0 => random.below(200),
        1..4 => random.below(8),
        _ => 0,
    };
    let inserted = (*random.one(&PIECES)).to_owned();
    (start..boundary((start + length).min(text.len())), inserted)
}

/// Line and byte, as the protocol wants it in UTF-8.
fn position(text: &str, at: usize) -> Value {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count();
    json!({"line": line, "character": at - before.rfind('\n').map_or(0, |newline| newline + 1)})
}
