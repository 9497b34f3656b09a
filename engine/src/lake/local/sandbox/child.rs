//! The process that runs one query from outside.

use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::physical_plan::execute_stream;
use datafusion::sql::parser::Statement;
use futures::TryStreamExt;
use rlimit::Resource;

use super::{Answer, Request, guard, place};
use crate::lake::local::engine::{bytes_scanned, context, to_error};
use crate::lake::local::{Inner, LocalLakeOptions};
use crate::{Error, Result};

/// The stack of the thread that plans the query: enough for the deepest query that the guard lets through.
const STACK: usize = 64 << 20;
/// Address space for what is no data of the query: code that is loaded late, threads and the allocator's own.
const OVERHEAD: u64 = 512 << 20;

/// Reads a request from standard input, runs it and answers on standard output; the body of the hidden subcommand
/// [`super::SUBCOMMAND`]. Returns success even where the query is refused: the answer says so.
pub fn child_main() -> ExitCode {
    let mut input = Vec::new();
    let request = std::io::stdin()
        .lock()
        .read_to_end(&mut input)
        .ok()
        .and_then(|_| serde_json::from_slice::<Request>(&input).ok());
    let Some(request) = request else { return ExitCode::from(2) };
    let run = std::thread::Builder::new().stack_size(STACK).spawn(move || answer(&request));
    match run.map(std::thread::JoinHandle::join) {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        _ => ExitCode::from(3),
    }
}

/// Limits this process, runs the query and writes the answer; whether that could be written.
fn answer(request: &Request) -> bool {
    let (head, rows) = match limit(request).and_then(|()| execute(request)) {
        Ok((schema, batches, truncated, bytes_scanned)) => {
            (Answer::Rows { truncated, bytes_scanned }, Some((schema, batches)))
        }
        Err(Error::Input { place, problem, next } | Error::Environment { place, problem, next }) => {
            (Answer::Refused { place, problem, next }, None)
        }
    };
    let write = || -> std::result::Result<(), Box<dyn std::error::Error>> {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        serde_json::to_writer(&mut out, &head)?;
        out.write_all(b"\n")?;
        if let Some((schema, batches)) = rows {
            let mut writer = StreamWriter::try_new(&mut out, &schema)?;
            batches.iter().try_for_each(|batch| writer.write(batch))?;
            writer.finish()?;
        }
        Ok(out.flush()?)
    };
    write().is_ok()
}

/// Has the operating system kill or refuse what goes past the request's limits, and refuse to write files at all.
fn limit(request: &Request) -> Result<()> {
    let set = |resource: Resource, limit: u64| {
        resource.set(limit, limit).map_err(|error| {
            let problem = format!("cannot limit the query's resources: {error}");
            Error::environment("query process", problem, "check the limits of the surrounding shell or container")
        })
    };
    let mapped = address_space();
    set(Resource::CORE, 0)?;
    set(Resource::FSIZE, 0)?;
    set(Resource::CPU, request.seconds.saturating_mul(2).saturating_add(1))?;
    set(Resource::AS, mapped.saturating_add(request.memory_bytes).saturating_add(OVERHEAD))
}

/// The address space that this process has mapped already, in bytes.
fn address_space() -> u64 {
    const PAGE: u64 = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').next().and_then(|pages| pages.parse::<u64>().ok()).map_or(1 << 30, |pages| pages * PAGE)
}

type Rows = (SchemaRef, Vec<RecordBatch>, bool, u64);

fn execute(request: &Request) -> Result<Rows> {
    let statement = guard::parse(&request.sql)?;
    let options = LocalLakeOptions {
        memory_bytes: usize::try_from(request.memory_bytes).unwrap_or(usize::MAX),
        threads: Some(1),
        ..LocalLakeOptions::new(&request.root, "")
    };
    let inner = Arc::new(Inner::new(options, Some(request.tables.clone()))?);
    let context = context(&inner)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| Error::environment(place(&request.sql), error, "run again"))?;
    let rows = runtime.block_on(async {
        let state = context.state();
        let plan = state.statement_to_plan(Statement::Statement(Box::new(statement))).await?;
        let plan = state.create_physical_plan(&plan).await?;
        let schema = plan.schema();
        let mut stream = execute_stream(plan.clone(), context.task_ctx())?;
        let (mut batches, mut left, mut truncated) = (Vec::new(), request.rows, false);
        while let Some(batch) = stream.try_next().await? {
            truncated |= batch.num_rows() > left;
            let batch = batch.slice(0, batch.num_rows().min(left));
            left -= batch.num_rows();
            batches.push(batch);
            if truncated {
                break;
            }
        }
        Ok((schema, batches, truncated, bytes_scanned(plan.as_ref())))
    });
    rows.map_err(|error| to_error(&request.sql, error))
}
