//! The command line of DE Copilot: a thin layer over the engine's stages and the language server.

mod backend;
mod command;
mod demo;
mod folder;
mod lineage;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser;
use engine::Error;
use engine::lake::local::sandbox;

use command::Command;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Contracts, tests and documents for the tables of a data lake, from its Glue scripts and its data.
#[derive(Parser)]
#[command(name = "de-copilot", version, propagate_version = true, after_help = AFTER_HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Start with:
  de-copilot demo                   a small lake with planted troubles, and what is found of them
  de-copilot init && de-copilot run the same for your own folder

Exit codes: 0 fine, 1 checks failed, 2 bad input or configuration, 3 the environment failed, 130 interrupted.
DE_COPILOT_LOG sets what is logged to standard error, such as `debug` or `engine=trace`.";

/// The exit code that shells give a process that SIGINT ended.
const INTERRUPTED: u8 = 130;

/// Stack of the worker threads, in bytes: planning a query recurses deeply in a debug build. Reserved, not used.
const STACK: usize = 16 << 20;

fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    // The process that runs queries from outside limits itself before it does anything else.
    if matches!(command, Command::InternalQuery) {
        return sandbox::child_main();
    }
    log();
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build()
        .map_err(|error| Error::environment("threads", error, "check the limits of the shell or container"))
        .and_then(|runtime| {
            let ended = runtime.block_on(until_interrupted(command));
            // After Ctrl-C a thread may still be at work, and nobody waits for what it would yield.
            runtime.shutdown_background();
            ended
        });
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::error(&error);
            ExitCode::from(output::exit_code(&error))
        }
    }
}

/// Runs the command to its end or until Ctrl-C. Artifacts and loads are whole or absent at any instant, so leaving is safe.
async fn until_interrupted(command: Command) -> engine::Result<u8> {
    tokio::select! {
        ended = command.run() => ended,
        Ok(()) = tokio::signal::ctrl_c() => {
            output::note("interrupted; what is stored is whole, and the same command again does the rest");
            Ok(INTERRUPTED)
        }
    }
}

fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("DE_COPILOT_LOG");
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_env_filter(filter.unwrap_or_else(|_| "warn".into()))
        .init();
}
