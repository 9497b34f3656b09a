//! What an editor waits for: each server with the same typing in the same files, and a project indexed from cold.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use serde_json::Value;

use super::{Arguments, Outcome, binary};
use crate::cache::Cache;
use crate::{editor, piece};

/// Jobs of the projects that are indexed from cold.
const INDEXED: [usize; 2] = [300, 1_000];

/// Measures ours, two that people use beside it, and one that does nothing, which tells what the wire takes.
///
/// A case that a server does not come to the end of is left out, with a remark; errors are of the files and the index.
pub(super) fn lsp(arguments: &Arguments) -> Result<Outcome> {
    let binary = binary(arguments)?;
    let cache = Cache::open()?;
    let program = |name: &str| cache.folder("language-servers").join("bin").join(name);
    let servers: [(&'static str, PathBuf, &[&str]); 4] = [
        ("nothing", std::env::current_exe()?, &["idle-server"]),
        ("de-copilot", binary.clone(), &["lsp"]),
        ("ruff", program("ruff"), &["server"]),
        // Its own start script names the folder in which it was installed before it came here.
        ("basedpyright", program("python"), &["-c", "from basedpyright.langserver import main; main()", "--stdio"]),
    ];
    let wanted = |name: &str| arguments.servers.is_empty() || arguments.servers.iter().any(|wanted| wanted == name);
    let mut measured: Vec<editor::Case> = Vec::new();
    for (name, program, options) in servers {
        if name != "nothing" && !wanted(name) {
            continue;
        }
        if program.starts_with(cache.folder("language-servers")) {
            piece::set_up(piece::named("python")?, &cache)?;
            piece::set_up(piece::named("language-servers")?, &cache)?;
        }
        let cases = editor::measure(name, &|| {
            let mut command = Command::new(&program);
            command.args(options);
            command
        });
        measured.extend(cases?);
    }
    let floor = |case: &editor::Case| measured.iter().find(|floor| floor.server == "nothing" && floor.is_like(case));
    let mut cases: Vec<Value> = measured.iter().map(|case| case.json(floor(case))).collect();
    if wanted("de-copilot") {
        for jobs in INDEXED {
            let mut command = Command::new(&binary);
            command.arg("lsp");
            cases.push(editor::index(command, jobs)?.json("de-copilot"));
        }
    }
    Ok(Outcome::Cases(cases))
}

/// Random edits of a soak.
const EDITS: usize = 100_000;

/// Types very long into one server.
pub(super) fn soak(arguments: &Arguments) -> Result<Outcome> {
    let mut command = Command::new(binary(arguments)?);
    command.arg("lsp");
    Ok(Outcome::Cases(vec![editor::soak(command, EDITS)?]))
}
