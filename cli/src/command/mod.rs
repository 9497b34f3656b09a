//! The commands: each one a file with its options and a function that runs it and returns the exit code.

mod analyze;
mod demo;
mod doctor;
pub(crate) mod generate;
mod init;
mod lsp;
mod preload;
mod profile;
mod run;
mod test;

use engine::Result;
use engine::lake::local::sandbox;

/// What `de-copilot` can do.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    Init(init::Arguments),
    Analyze(analyze::Arguments),
    Profile(profile::Arguments),
    Generate(generate::Arguments),
    Preload(preload::Arguments),
    Test(test::Arguments),
    Run(run::Arguments),
    Demo(demo::Arguments),
    Lsp(lsp::Arguments),
    Doctor(doctor::Arguments),
    /// Runs one query from outside within limits; started by this program itself
    #[command(name = sandbox::SUBCOMMAND, hide = true)]
    InternalQuery,
}

impl Command {
    /// Runs the command; the exit code of what it found.
    pub(crate) async fn run(self) -> Result<u8> {
        match self {
            Command::Init(arguments) => init::run(arguments).await,
            Command::Analyze(arguments) => analyze::run(arguments).await,
            Command::Profile(arguments) => profile::run(arguments).await,
            Command::Generate(arguments) => generate::run(arguments).await,
            Command::Preload(arguments) => preload::run(arguments).await,
            Command::Test(arguments) => test::run(arguments).await,
            Command::Run(arguments) => run::run(arguments).await,
            Command::Demo(arguments) => demo::run(arguments).await,
            Command::Lsp(arguments) => lsp::run(arguments).await,
            Command::Doctor(arguments) => doctor::run(arguments).await,
            // `main` runs it before there is a runtime.
            Command::InternalQuery => Ok(0),
        }
    }
}
