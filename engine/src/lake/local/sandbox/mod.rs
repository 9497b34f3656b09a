//! SQL from outside: checked before anything recursive touches it, then run in a process of its own.
//!
//! DataFusion gives way to four kinds of query: a deep chain of operators overflows the stack, a cross join does not
//! answer to cancellation, a string bomb and `array_agg` go past the memory pool. So the query runs in a child process
//! of the same program (`PROGRAM internal-query`) whose memory and processor time the operating system limits and that
//! is killed when its time is over. The request goes in as one JSON document on standard input; the answer comes out
//! on standard output as one JSON line and, where there are rows, an Arrow IPC stream.

mod child;
mod guard;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use contract::schema::TableName;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::ipc::reader::StreamReader;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub use self::child::child_main;
use super::LocalLakeOptions;
use super::engine::to_rows;
use crate::lake::{Limits, QueryResult};
use crate::{Error, Result};

/// The hidden subcommand under which the program calls [`child_main`].
pub const SUBCOMMAND: &str = "internal-query";

/// The largest answer in bytes; a query that returns more is refused.
const MAX_ANSWER: u64 = 64 << 20;

/// What the child is asked to do.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    root: PathBuf,
    sql: String,
    tables: Vec<TableName>,
    seconds: u64,
    memory_bytes: u64,
    rows: usize,
}

/// The first line of the child's answer.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    /// Rows follow.
    Rows { truncated: bool, bytes_scanned: u64 },
    /// The query was refused or failed: place, problem and next step.
    Refused { place: String, problem: String, next: String },
}

/// Runs a query from outside.
pub(super) async fn run(options: &LocalLakeOptions, sql: &str, limits: &Limits) -> Result<QueryResult> {
    guard::scan(sql)?;
    let started = Instant::now();
    let request = Request {
        root: options.root.clone(),
        sql: sql.to_owned(),
        tables: limits.tables.clone(),
        seconds: limits.seconds,
        memory_bytes: limits.memory_bytes,
        rows: limits.rows,
    };
    let deadline = Duration::from_secs(limits.seconds);
    let answer = match tokio::time::timeout(deadline, ask(options, &request)).await {
        Ok(answer) => answer?,
        Err(_) => {
            let problem = format!("took longer than {} s and was stopped", limits.seconds);
            return Err(Error::input(place(sql), problem, "read fewer rows, or join on a key"));
        }
    };
    let mut result = read_answer(sql, &answer)?;
    result.cost.seconds = started.elapsed().as_secs_f64();
    Ok(result)
}

/// Starts the child, which dies with the future, and returns what it wrote.
async fn ask(options: &LocalLakeOptions, request: &Request) -> Result<Vec<u8>> {
    let current = || std::env::current_exe().map_err(|error| Error::io("the program's own path", &error));
    let program = options.program.clone().map_or_else(current, Ok)?;
    let failed = |error: &std::io::Error| {
        let next = format!("check that this program can run `{SUBCOMMAND}`");
        Error::environment(program.display(), format!("the query process failed: {error}"), next)
    };
    let mut child = tokio::process::Command::new(&program)
        .arg(SUBCOMMAND)
        .env_clear()
        // Address space that an allocator reserves ahead would count as used, or be there beyond the limit.
        .env("MALLOC_ARENA_MAX", "2")
        .env("MIMALLOC_ARENA_RESERVE", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(&error))?;
    let input = serde_json::to_vec(request).map_err(|error| failed(&error.into()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A child that refuses before it has read everything closes its end; its answer tells why.
        let _ = stdin.write_all(&input).await;
    }
    let mut answer = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MAX_ANSWER + 1).read_to_end(&mut answer).await.map_err(|error| failed(&error))?;
    }
    if answer.len() as u64 > MAX_ANSWER {
        let problem = format!("returns more than {} MiB", MAX_ANSWER >> 20);
        return Err(Error::input(place(&request.sql), problem, "select fewer or shorter columns"));
    }
    let status = child.wait().await.map_err(|error| failed(&error))?;
    if !status.success() {
        let limit = request.memory_bytes >> 20;
        let problem = format!("needed more than its limits ({limit} MiB, {} s) and was stopped", request.seconds);
        return Err(Error::input(place(&request.sql), problem, "read fewer rows, or aggregate instead of collecting"));
    }
    Ok(answer)
}

fn read_answer(sql: &str, answer: &[u8]) -> Result<QueryResult> {
    let garbled = |error: &dyn std::fmt::Display| {
        Error::environment(place(sql), format!("the query process answered nonsense: {error}"), "run again")
    };
    let end = answer.iter().position(|byte| *byte == b'\n').unwrap_or(answer.len());
    let (head, rows) = answer.split_at(end);
    match serde_json::from_slice(head).map_err(|error| garbled(&error))? {
        Answer::Refused { place, problem, next } => Err(Error::input(place, problem, next)),
        Answer::Rows { truncated, bytes_scanned } => {
            let stream = rows.get(1..).unwrap_or_default();
            let reader = StreamReader::try_new(stream, None).map_err(|error| garbled(&error))?;
            let schema = reader.schema();
            let mut batches = reader.collect::<std::result::Result<Vec<_>, _>>().map_err(|error| garbled(&error))?;
            if batches.is_empty() {
                batches.push(RecordBatch::new_empty(schema));
            }
            let mut result = to_rows(&batches, usize::MAX);
            result.truncated = truncated;
            result.cost.bytes_scanned = bytes_scanned;
            Ok(result)
        }
    }
}

fn place(sql: &str) -> String {
    format!("query {}", sql.chars().take(200).collect::<String>())
}
