//! The project's own tasks: `cargo xtask test` runs every test suite and sets up what it needs, `cargo xtask bench`
//! runs a benchmark, `cargo xtask conformance` asks every engine what rules and expressions mean.

mod bench;
mod cache;
mod command;
mod conformance;
mod counts;
mod editor;
mod oracle;
mod output;
mod piece;
mod random;
mod repository;
mod suite;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Test { list: true, .. } => Ok(test::list()),
        Task::Test { suites, .. } => test::run(&suites),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Conformance(arguments) => conformance::run(&arguments),
        Task::Oracle(arguments) => oracle::run(&arguments),
        Task::IdleServer => editor::idle_server(std::io::stdin(), std::io::stdout()).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            output::error(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "The project's own tasks")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Set up what the tests need, once, and run them all
    ///
    /// What is set up is kept in DE_COPILOT_CACHE, by default ~/.cache/de-copilot.
    Test {
        /// The suites to run; all of them by default
        suites: Vec<String>,
        /// List the suites and run none
        #[arg(long)]
        list: bool,
    },
    /// Run a benchmark on a release build and print its figures
    Bench(bench::Arguments),
    /// Ask every engine what rules and expressions mean, or print a list's expressions as SQL for each
    Conformance(conformance::Arguments),
    /// Ask Spark whether what the analyzer says of programs is true
    Oracle(oracle::Arguments),
    /// A language server that does nothing, for the benchmark `lsp`
    #[command(hide = true)]
    IdleServer,
}
