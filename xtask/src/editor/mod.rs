//! `cargo xtask bench lsp`: how long an editor waits for a language server while somebody types.
//!
//! Typing is replayed open-loop: each key has its moment, whether or not the server has answered the one before, and the
//! clock of a key starts at that moment, so that what queues up counts. It stops at the diagnostics of that version of
//! the text or a later one, or at the answer to the request that was sent with the key.

mod client;
mod soak;

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

pub(crate) use client::idle_server;
pub(crate) use soak::soak;

use client::{Client, Memory};

use crate::output;

/// One measured case.
pub(crate) struct Case {
    pub(crate) server: &'static str,
    pub(crate) case: &'static str,
    pub(crate) lines: usize,
    pub(crate) workspace_jobs: usize,
    /// Milliseconds of each key, sorted.
    times: Vec<f64>,
}

/// Sizes of the script that is typed in, in lines, each with the number of other jobs of its project.
const SIZES: [(usize, usize); 5] = [(200, 0), (1_000, 0), (5_000, 0), (1_000, 300), (1_000, 1_000)];

/// Time between two keys: some 14 keys a second, faster than people type.
const KEY: Duration = Duration::from_millis(70);

/// What is typed again and again, and deleted from its end: on the way most of it is no Python.
const TYPED: &str = "typed = step_3.filter(F.col(\"state\") == \"PAID\").select(\"loan_id\", \"amont\")";

/// Keys of a case.
const EDITS: usize = 200;

/// Measures all cases of a server, which `command` starts in the project's folder.
pub(crate) fn measure(server: &'static str, command: &dyn Fn() -> Command) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (lines, jobs) in SIZES {
        let project = Project::new(lines, jobs)?;
        for case in ["diagnostics", "hover", "completion"] {
            output::error(&format!("{server}: {case} at {lines} lines, {jobs} other jobs"));
            match replay(command(), &project, case) {
                Ok(times) => cases.push(Case { server, case, lines, workspace_jobs: jobs, times }),
                // What the others take a quarter of an hour to show is not thrown away.
                Err(error) => output::error(&format!("{server}: {case} at {lines} lines is left out: {error:#}")),
            }
        }
    }
    Ok(cases)
}

impl Case {
    fn percentile(&self, share: f64) -> f64 {
        let last = self.times.len().saturating_sub(1);
        self.times.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
    }

    /// The figures; `floor` is the same case of the server that does nothing, which takes what the wire takes.
    pub(crate) fn json(&self, floor: Option<&Case>) -> Value {
        let rounded = |milliseconds: f64| (milliseconds * 1000.0).round() / 1000.0;
        let wire = floor.map_or(0.0, |floor| floor.percentile(0.5));
        json!({
            "server": self.server,
            "case": self.case,
            "lines": self.lines,
            "workspace_jobs": self.workspace_jobs,
            "p50_ms": rounded(self.percentile(0.5)),
            "p95_ms": rounded(self.percentile(0.95)),
            "p99_ms": rounded(self.percentile(0.99)),
            "max_ms": rounded(self.percentile(1.0)),
            "server_p95_ms": rounded((self.percentile(0.95) - wire).max(0.0)),
            "edits": self.times.len(),
        })
    }

    /// Whether both measure the same thing.
    pub(crate) fn is_like(&self, other: &Case) -> bool {
        (self.case, self.lines, self.workspace_jobs) == (other.case, other.lines, other.workspace_jobs)
    }
}

/// A project on disk.
struct Project {
    folder: tempfile::TempDir,
    script: PathBuf,
    text: String,
}

impl Project {
    /// A script of so many lines that writes a table, and so many other jobs that read it.
    fn new(lines: usize, jobs: usize) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let catalog = folder.path().join("lake/_catalog");
        std::fs::create_dir_all(&catalog)?;
        std::fs::create_dir(folder.path().join("jobs"))?;
        std::fs::write(folder.path().join("de-copilot.toml"), "[lake]\nroot = \"lake\"\n")?;
        let columns = ["loan_id", "customer_id", "amount", "state", "paid_on", "channel"];
        for (database, name) in [("raw_db", "payments"), ("raw_db", "loans"), ("gold", "fact")] {
            let columns: Vec<Value> = columns.iter().map(|column| json!({"Name": column, "Type": "string"})).collect();
            let table = json!({"Table": {
                "Name": name, "DatabaseName": database, "StorageDescriptor": {"Columns": columns} } });
            std::fs::write(catalog.join(format!("{database}.{name}.json")), table.to_string())?;
        }
        for job in 0..jobs {
            let text = format!(
                "from pyspark.sql import functions as F\n\nfact = spark.table(\"gold.fact\")\n\
                 report = fact.filter(\"state = 'PAID'\").groupBy(\"customer_id\").agg(F.sum(\"amount\").alias(\"total\"))\n\
                 report.write.mode(\"overwrite\").saveAsTable(\"gold.report_{job}\")\n"
            );
            std::fs::write(folder.path().join(format!("jobs/report_{job}.py")), text)?;
        }
        let text = script(lines);
        let script = folder.path().join("jobs/job.py");
        std::fs::write(&script, &text)?;
        Ok(Self { folder, script, text })
    }
}

/// A script as long ones are: steps that build on each other, one in a few a join, and a write at the end.
fn script(lines: usize) -> String {
    let mut text = "from pyspark.sql import functions as F\n\nloans = spark.table(\"raw_db.loans\")\n\
                    step_0 = spark.table(\"raw_db.payments\")\n"
        .to_owned();
    let mut step = 0;
    while text.lines().count() + 1 < lines {
        let next = match step % 4 {
            0 => format!(
                "step_{} = step_{step}.withColumn(\"value_{step}\", F.col(\"amount\").cast(\"double\") * 2)\n",
                step + 1
            ),
            1 => format!(
                "step_{} = step_{step}.filter((F.col(\"state\") == \"PAID\") & F.col(\"amount\").isNotNull())\n",
                step + 1
            ),
            2 => format!("step_{} = step_{step}.drop(\"value_{}\")\n", step + 1, step - 2),
            _ => format!(
                "step_{} = step_{step}.join(\n    loans.select(\"loan_id\"),\n    on=\"loan_id\",\n    how=\"left_semi\",\n)\n",
                step + 1
            ),
        };
        text.push_str(&next);
        step += 1;
    }
    text.push_str(&format!("step_{step}.write.mode(\"overwrite\").saveAsTable(\"gold.fact\")\n"));
    text
}

/// What a server needs to know a project that it has never seen.
pub(crate) struct Index {
    /// Jobs of the project.
    pub(crate) jobs: usize,
    /// From the opening of the script that breaks something in each job to the diagnostics that tell so of all.
    pub(crate) milliseconds: f64,
    /// The most memory that the process has held by then, where the system tells.
    pub(crate) peak_bytes: Option<u64>,
}

impl Index {
    /// The figures as a case.
    pub(crate) fn json(&self, server: &str) -> Value {
        let megabytes = self.peak_bytes.map(|bytes| (bytes as f64 / 1e5).round() / 10.0);
        json!({"server": server, "case": "index", "lines": 200, "workspace_jobs": self.jobs,
            "max_ms": self.milliseconds.round(), "peak_mb": megabytes})
    }
}

/// Opens the writer of a table that drops a column which all jobs of a project read, and waits until each is named.
pub(crate) fn index(command: Command, jobs: usize) -> Result<Index> {
    let project = Project::new(200, jobs)?;
    let uri = format!("file://{}", project.script.display());
    let text = project.text.replace(".write.mode", ".drop(\"amount\").write.mode");
    let mut client = Client::start(command, project.folder.path())?;
    let start = Instant::now();
    client.initialize(project.folder.path())?;
    let document = json!({"uri": uri, "languageId": "python", "version": 1, "text": text});
    client.notify("textDocument/didOpen", json!({ "textDocument": document }))?;
    let told = |message: &Value| {
        let found = message["params"]["diagnostics"].as_array();
        let broken = |found: &Vec<Value>| found.iter().filter(|one| one["code"] == "downstream-column").count();
        message["params"]["uri"] == uri && found.is_some_and(|found| broken(found) == jobs)
    };
    let done = client.wait_for(told)?;
    let milliseconds = done.duration_since(start).as_secs_f64() * 1e3;
    Ok(Index { jobs, milliseconds, peak_bytes: client.memory(Memory::Peak) })
}

/// Types into the script, and gives back the sorted times in milliseconds.
fn replay(command: Command, project: &Project, case: &str) -> Result<Vec<f64>> {
    let mut client = Client::start(command, project.folder.path())?;
    let uri = format!("file://{}", project.script.display());
    client.initialize(project.folder.path())?;
    client.notify(
        "textDocument/didOpen",
        json!({"textDocument":
        {"uri": uri, "languageId": "python", "version": 1, "text": project.text}}),
    )?;
    client.wait_for(|message| message["method"] == "textDocument/publishDiagnostics")?;
    // What the server looks up in the background is there by then, and a large project is indexed.
    client.settle()?;

    let line = project.text.lines().count() / 2;
    let line = project.text.lines().enumerate().skip(line).find(|(_, text)| text.starts_with("step_"));
    let line = line.context("the script has no step behind its middle")?.0;
    let mut version = 2;
    let insert = |at: usize, end: usize, text: &str, line: usize| json!({"range": {"start": {"line": line, "character": at}, "end": {"line": line, "character": end}}, "text": text});
    client.notify(
        "textDocument/didChange",
        json!({"textDocument": {"uri": uri, "version": version},
        "contentChanges": [insert(0, 0, "\n", line)]}),
    )?;
    client.diagnostics_of(&uri, version)?;

    let keys: Vec<char> = TYPED.chars().collect();
    let start = Instant::now() + KEY;
    let mut asked = Vec::new();
    for key in 0..EDITS {
        let due = start + KEY * u32::try_from(key).unwrap_or(u32::MAX);
        client.read_until(due)?;
        let step = key % (2 * keys.len());
        let (change, cursor) = match keys.get(step) {
            Some(character) => (insert(step, step, &character.to_string(), line), step + 1),
            None => {
                let at = 2 * keys.len() - step - 1;
                (insert(at, at + 1, "", line), at)
            }
        };
        version += 1;
        client.notify(
            "textDocument/didChange",
            json!({"textDocument": {"uri": uri, "version": version},
            "contentChanges": [change]}),
        )?;
        let position = match case {
            "hover" => Some(json!({"line": 3, "character": 2})),
            "completion" => Some(json!({"line": line, "character": cursor})),
            _ => None,
        };
        let id = match position {
            Some(position) => {
                let params = json!({"textDocument": {"uri": uri}, "position": position});
                Some(client.request(&format!("textDocument/{case}"), params)?)
            }
            None => None,
        };
        asked.push((due, version, id));
    }
    let mut times = Vec::new();
    for (due, version, id) in asked {
        let answered = match id {
            Some(id) => client.answered(id)?,
            None => client.diagnostics_of(&uri, version)?,
        };
        times.push(answered.saturating_duration_since(due).as_secs_f64() * 1e3);
    }
    same_as_fresh(&mut client, &uri, version, project)?;
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// Closes the document, opens the text as it is by then anew, and compares what is said of both.
fn same_as_fresh(client: &mut Client, uri: &str, version: i64, project: &Project) -> Result<()> {
    client.settle()?;
    let edited = client.diagnostics(uri);
    let mut lines: Vec<String> = project.text.lines().map(str::to_owned).collect();
    let half = lines.len() / 2;
    let at = lines.iter().enumerate().skip(half).find(|(_, text)| text.starts_with("step_")).map_or(half, |(at, _)| at);
    let step = EDITS % (2 * TYPED.len());
    let kept = if step <= TYPED.len() { step } else { 2 * TYPED.len() - step };
    lines.insert(at, TYPED.chars().take(kept).collect());
    let text = lines.join("\n") + "\n";
    client.notify("textDocument/didClose", json!({"textDocument": {"uri": uri}}))?;
    client.seen.clear();
    let version = version + 1;
    client.notify(
        "textDocument/didOpen",
        json!({"textDocument":
            {"uri": uri, "languageId": "python", "version": version, "text": text}}),
    )?;
    client.diagnostics_of(uri, version)?;
    client.settle()?;
    let fresh = client.diagnostics(uri);
    if edited != fresh {
        let all = |told: &Value| told.as_array().cloned().unwrap_or_default();
        let (edited, fresh) = (all(&edited), all(&fresh));
        let differs = edited.iter().zip(&fresh).find(|(one, other)| one != other);
        let (one, other) = differs.map_or((None, None), |(one, other)| (Some(one), Some(other)));
        bail!(
            "after the edits there are {} diagnostics, of the same text opened anew {}; the first that differ are {one:?} and {other:?}",
            edited.len(),
            fresh.len()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_has_the_length_that_was_asked_for() {
        for lines in [200, 1_000] {
            let found = script(lines).lines().count();
            assert!((lines..lines + 6).contains(&found), "{found}");
        }
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_times() {
        let times = (0..=100).map(f64::from).collect();
        let case = Case { server: "s", case: "hover", lines: 1, workspace_jobs: 0, times };
        assert_eq!((case.percentile(0.5), case.percentile(0.95), case.percentile(1.0)), (50.0, 95.0, 100.0));
    }
}
