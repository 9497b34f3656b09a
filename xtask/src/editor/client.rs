//! A client that starts a language server and speaks to it over its pipes.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);

/// A client over the pipes of a server's process, which ends with it.
pub(crate) struct Client {
    process: Child,
    input: ChildStdin,
    messages: Receiver<(Instant, Value)>,
    /// What the server has said so far.
    pub(crate) seen: Vec<(Instant, Value)>,
    last_id: i64,
}

impl Client {
    pub(crate) fn start(mut command: Command, folder: &Path) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().with_context(|| format!("cannot start {program}"))?;
        let input = process.stdin.take().context("the server has no input")?;
        let output = process.stdout.take().context("the server has no output")?;
        let (sender, messages) = channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Ok(Some(message)) = read_message(&mut output) {
                if sender.send((Instant::now(), message)).is_err() {
                    break;
                }
            }
        });
        Ok(Self { process, input, messages, seen: Vec::new(), last_id: 0 })
    }

    pub(crate) fn initialize(&mut self, folder: &Path) -> Result<()> {
        let uri = format!("file://{}", folder.display());
        let capabilities = json!({
            "general": {"positionEncodings": ["utf-8", "utf-16"]},
            "textDocument": {"publishDiagnostics": {"versionSupport": true}}});
        let id = self.request(
            "initialize",
            json!({"processId": null, "rootUri": uri,
            "workspaceFolders": [{"uri": uri, "name": "project"}], "capabilities": capabilities}),
        )?;
        self.answered(id)?;
        self.notify("initialized", json!({}))
    }

    /// The memory that the process holds, or the most that it has held, in bytes; Linux tells it.
    pub(crate) fn memory(&self, which: Memory) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let name = match which {
            Memory::Now => "VmRSS:",
            Memory::Peak => "VmHWM:",
        };
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
    }

    fn send(&mut self, message: &Value) -> Result<()> {
        write_message(&mut self.input, message).context("the server takes no more input")
    }

    pub(crate) fn notify(&mut self, method: &str, params: Value) -> Result<()> {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
    }

    pub(crate) fn request(&mut self, method: &str, params: Value) -> Result<i64> {
        self.last_id += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params}))?;
        Ok(self.last_id)
    }

    /// Takes in one message that comes before `limit`. False if none came.
    fn read_one(&mut self, limit: Instant) -> Result<bool> {
        let Ok((at, message)) = self.messages.recv_timeout(limit.saturating_duration_since(Instant::now())) else {
            return Ok(false);
        };
        if message.get("method").is_some() && message.get("id").is_some() {
            self.send(&json!({"jsonrpc": "2.0", "id": message["id"], "result": null}))?;
        }
        self.seen.push((at, message));
        Ok(true)
    }

    /// Takes in what comes until a moment.
    pub(crate) fn read_until(&mut self, moment: Instant) -> Result<()> {
        while self.read_one(moment)? {}
        thread::sleep(moment.saturating_duration_since(Instant::now()));
        Ok(())
    }

    /// Waits until the server has said nothing for a while.
    pub(crate) fn settle(&mut self) -> Result<()> {
        self.settle_for(Duration::from_millis(1500))
    }

    /// Waits until the server has said nothing for so long.
    pub(crate) fn settle_for(&mut self, silence: Duration) -> Result<()> {
        let limit = Instant::now() + PATIENCE;
        while Instant::now() < limit && self.read_one(Instant::now() + silence)? {}
        Ok(())
    }

    /// When the first message came that is wanted, of those that came and those to come.
    pub(crate) fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> Result<Instant> {
        let limit = Instant::now() + PATIENCE;
        let mut next = 0;
        loop {
            if let Some((at, _)) = self.seen.iter().skip(next).find(|(_, message)| wanted(message)) {
                return Ok(*at);
            }
            next = self.seen.len();
            ensure!(self.read_one(limit)?, "the server did not answer within {} s", PATIENCE.as_secs());
        }
    }

    pub(crate) fn answered(&mut self, id: i64) -> Result<Instant> {
        self.wait_for(|message| message["id"] == id && message.get("method").is_none())
    }

    pub(crate) fn diagnostics_of(&mut self, uri: &str, version: i64) -> Result<Instant> {
        self.wait_for(|message| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == uri
                && message["params"]["version"].as_i64().is_some_and(|told| told >= version)
        })
    }

    /// The last diagnostics of a document.
    pub(crate) fn diagnostics(&self, uri: &str) -> Value {
        let of = |message: &&Value| {
            message["method"] == "textDocument/publishDiagnostics" && message["params"]["uri"] == uri
        };
        let last = self.seen.iter().rev().map(|(_, message)| message).find(of);
        last.map(|message| message["params"]["diagnostics"].clone()).unwrap_or_default()
    }
}

/// What is asked of a process's memory.
#[derive(Clone, Copy)]
pub(crate) enum Memory {
    Now,
    Peak,
}

impl Drop for Client {
    fn drop(&mut self) {
        // A server that is gone already is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read_message(input: &mut impl BufRead) -> Result<Option<Value>> {
    let mut length = 0;
    loop {
        let mut header = String::new();
        if input.read_line(&mut header)? == 0 {
            return Ok(None);
        }
        match header.trim().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    Ok(Some(serde_json::from_slice(&body)?))
}

fn write_message(output: &mut impl Write, message: &Value) -> Result<()> {
    let body = message.to_string();
    write!(output, "Content-Length: {}\r\n\r\n{body}", body.len())?;
    Ok(output.flush()?)
}

/// A server that does nothing: no diagnostics, no hover, no completion, at once. What it takes is what the wire takes.
pub(crate) fn idle_server(input: impl Read, mut output: impl Write) -> Result<()> {
    let mut input = BufReader::new(input);
    while let Some(message) = read_message(&mut input)? {
        let document = &message["params"]["textDocument"];
        match (message["method"].as_str(), message.get("id")) {
            (Some("initialize"), Some(id)) => {
                write_message(&mut output, &json!({"jsonrpc": "2.0", "id": id, "result": {"capabilities": {}}}))?;
            }
            (Some(_), Some(id)) => write_message(&mut output, &json!({"jsonrpc": "2.0", "id": id, "result": null}))?,
            (Some("textDocument/didOpen" | "textDocument/didChange"), None) => {
                let params = json!({"uri": document["uri"], "version": document["version"], "diagnostics": []});
                let message = json!({"jsonrpc": "2.0", "method": "textDocument/publishDiagnostics", "params": params});
                write_message(&mut output, &message)?;
            }
            (Some("exit"), _) => break,
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_idle_server_answers_what_the_client_waits_for() {
        let mut input = Vec::new();
        for message in [
            json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}),
            json!({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": {"uri": "file:///a", "version": 3}}}),
            json!({"jsonrpc": "2.0", "method": "exit"}),
        ] {
            write_message(&mut input, &message).unwrap();
        }
        let mut output = Vec::new();
        idle_server(&*input, &mut output).unwrap();
        let mut output = &*output;
        assert_eq!(read_message(&mut output).unwrap().unwrap()["id"], 1);
        assert_eq!(read_message(&mut output).unwrap().unwrap()["params"]["version"], 3);
    }
}
