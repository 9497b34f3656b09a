//! `demo`: the whole pipeline on data that it makes itself.

use std::path::PathBuf;

use engine::{Error, Result};

use crate::demo;
use crate::output::{self, Format};

/// Make a small lake with planted troubles, run every stage on it, and show what was found
///
/// Needs no account and no key. The folder is made anew by every run. The exit code is 0 where everything was found that
/// these stages can find and nothing else was flagged, else 1; the exit codes of the days' own tests, by severity,
/// stand in the table of deliveries.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  de-copilot demo --rows 100000 --seed 42 --out /tmp/demo --format json")]
pub(crate) struct Arguments {
    /// The folder to make
    #[arg(long, value_name = "DIR", visible_alias = "project", default_value = "demo-out")]
    out: PathBuf,
    /// Payments in history and incoming files together, approximately
    #[arg(long, default_value_t = fixtures::Options::default().rows)]
    rows: u64,
    /// Days of history and incoming files together
    #[arg(long, default_value_t = fixtures::Options::default().days)]
    days: u32,
    /// Another seed gives other values, places and counts, and the same troubles
    #[arg(long, default_value_t = fixtures::Options::default().seed)]
    seed: u64,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) async fn run(Arguments { out, rows, days, seed, format }: Arguments) -> Result<u8> {
    let mut lock = demo::prepare(&out)?;
    let Ok(_alone) = lock.try_write() else {
        return Err(Error::input(out.display(), "another demo runs there", "wait for it, or name another --out"));
    };
    let out = out.canonicalize().map_err(|error| Error::io(&out, &error))?;
    let tell = |stage: &demo::Stage| {
        if format == Format::Text {
            output::print(demo::stage_line(stage));
        }
    };
    let finished = demo::run(&out, &fixtures::Options { rows, days, seed }, &tell).await?;
    match format {
        Format::Text => output::print(demo::text(&finished)),
        Format::Json => output::json(&demo::json(&finished)),
    }
    Ok(finished.exit_code())
}
