//! `init`: looks at a folder and writes `de-copilot.toml`.

use engine::Result;
use engine::lake::Catalog;
use engine::lake::local::LocalLake;
use engine::project::{Project, Unknown};
use engine::stage::analyze;
use indexmap::IndexMap;
use owo_colors::OwoColorize;
use serde_json::json;

use crate::folder::lake_options;
use crate::output::{self, Common, Format, counted};

/// Look at a folder and write de-copilot.toml
///
/// Searches the folder for data files and Glue scripts, writes a documented de-copilot.toml with what it found, and
/// says what it could not know and which line would tell it. An existing file is left alone.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  cd my-project && de-copilot init && de-copilot run")]
pub(crate) struct Arguments {
    #[command(flatten)]
    common: Common,
}

pub(super) async fn run(Arguments { common }: Arguments) -> Result<u8> {
    let (project, mut discovery) = Project::discover(&common.project)?;
    let mut tables = Vec::new();
    if let Ok(lake) = LocalLake::open(lake_options(&project)) {
        tables = lake.tables().await?;
        discovery.unknowns.extend(analyze::analyze(&project, &lake).await?.unknowns);
    }
    let file = discovery.write(&project.root)?;
    let not_known = discovery.unknowns;
    match common.format {
        Format::Json => output::json(&json!({
            "file": file,
            "data_files": discovery.data_files,
            "tables": tables.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "scripts": discovery.scripts,
            "unknowns": not_known,
        })),
        Format::Text => {
            output::print(format!("wrote {}", file.display().bold()));
            output::print(format!("{} under {}", counted(tables.len() as u64, "table"), project.settings.lake.root));
            tables.iter().for_each(|table| output::print(format!("  {table}")));
            output::print(counted(discovery.scripts.len() as u64, "Glue script"));
            discovery.scripts.iter().for_each(|script| output::print(format!("  {script}")));
            output::print(unknowns_text(&not_known));
            output::print(format!("\nnext: {}", "de-copilot run".bold()));
        }
    }
    Ok(0)
}

/// What is not known, each with the line of `de-copilot.toml` that would tell it; empty where nothing is.
pub(super) fn unknowns_text(unknowns: &[Unknown]) -> String {
    if unknowns.is_empty() {
        return String::new();
    }
    let mut text = output::heading("Not known, and the line of de-copilot.toml that would tell it");
    // One line may tell several things, such as an argument that two jobs have.
    let mut lines: IndexMap<(&str, &str), Vec<&str>> = IndexMap::new();
    for unknown in unknowns {
        lines.entry((unknown.section(), &unknown.line)).or_default().push(&unknown.what);
    }
    for ((section, line), whats) in lines {
        whats.iter().for_each(|what| text.push_str(&format!("\n  {} {what}", "?".yellow())));
        text.push_str(&format!("\n      [{section}]\n      {line}"));
    }
    text.push('\n');
    text
}
