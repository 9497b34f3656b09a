//! The one place that prints. Colour goes to terminals only; a closed pipe ends the program quietly.

use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use comfy_table::{Cell, Color, ContentArrangement, Table, TableComponent, presets};
use engine::Error;
use owo_colors::OwoColorize;
use serde::Serialize;

/// What every command understands.
#[derive(clap::Args)]
pub(crate) struct Common {
    /// The project's folder: the one with de-copilot.toml, or any folder below it or without it
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) project: PathBuf,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Who reads the output.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Tables and trees for people
    Text,
    /// One JSON document
    Json,
}

/// Text to standard output, with a line end where it has none.
pub(crate) fn print(text: impl Display) {
    let text = text.to_string();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let mut out = anstream::stdout().lock();
    if let Err(error) = write!(out, "{text}{end}").and_then(|()| out.flush()) {
        // Nobody reads any more: that is how `| head` ends a program.
        std::process::exit(if error.kind() == ErrorKind::BrokenPipe { 0 } else { 3 });
    }
}

/// One JSON document to standard output.
pub(crate) fn json(document: &impl Serialize) {
    print(serde_json::to_string_pretty(document).unwrap_or_default());
}

/// An error to standard error: the place, the problem and the next step.
pub(crate) fn error(error: &Error) {
    note(format!("{} {error}", "error:".red().bold()));
}

/// A line to standard error, beside the output proper.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// The exit code of an error.
pub(crate) fn exit_code(error: &Error) -> u8 {
    match error {
        Error::Input { .. } => 2,
        Error::Environment { .. } => 3,
    }
}

/// An empty table under a header, its columns as wide as their content; the last one wraps on a terminal.
pub(crate) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .remove_style(TableComponent::HorizontalLines)
        .remove_style(TableComponent::MiddleIntersections)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    table
}

/// A cell that stands out where something is not well.
pub(crate) fn verdict(well: bool, text: impl ToString) -> Cell {
    Cell::new(text).fg(if well { Color::Green } else { Color::Red })
}

/// A heading between parts of a report.
pub(crate) fn heading(text: impl Display) -> String {
    format!("\n{}", text.to_string().bold())
}

/// A number with its noun in the right form: `1 row`, `2 rows`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = match number {
        1 => noun.to_owned(),
        _ => match noun.strip_suffix('y') {
            Some(stem) if !noun.ends_with("ey") && !noun.ends_with("ay") => format!("{stem}ies"),
            _ => format!("{noun}s"),
        },
    };
    format!("{} {plural}", indicatif::HumanCount(number))
}
