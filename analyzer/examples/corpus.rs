//! Measures how much of a folder of real scripts the analyzer understands.
//!
//! `cargo run -p analyzer --example corpus -- FOLDER [--modules] [--format json] [--list names|diagnostics|facts]`
//!
//! FOLDER holds `index.json`, an array of objects whose `file` is a script's path in the folder. `--modules` lets scripts
//! import the Python files beside them. `--list` prints, instead of the totals, the unresolved names with the line of
//! their call, every diagnostic, or the JSON report of each script.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a measuring program reads files and the clock and prints"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use analyzer::plan::NodeKind;
use analyzer::{Analysis, Dataset, NoWorld, Parsed, TextRange, World, analyze_uncaught};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(folder) = arguments.iter().find(|argument| !argument.starts_with("--")) else {
        println!("usage: corpus FOLDER [--modules] [--format json] [--list names|diagnostics|facts]");
        return ExitCode::from(2);
    };
    let after = |flag: &str| {
        arguments.iter().position(|argument| argument == flag).and_then(|at| arguments.get(at + 1)).map(String::as_str)
    };
    let modules = arguments.iter().any(|argument| argument == "--modules");
    match measure(Path::new(folder), modules, after("--list"), after("--format") == Some("json")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("{message}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Default)]
struct Totals {
    scripts: usize,
    empty: usize,
    syntax_errors: usize,
    panics: usize,
    sources: Share,
    sinks: Share,
    placeholders: BTreeMap<&'static str, usize>,
    diagnostics: BTreeMap<&'static str, usize>,
    milliseconds: f64,
    slowest: (f64, String),
}

/// Calls whose target is known under every alternative, of all calls.
#[derive(Default)]
struct Share {
    resolved: usize,
    all: usize,
}

fn measure(folder: &Path, modules: bool, list: Option<&str>, as_json: bool) -> Result<(), String> {
    let index = folder.join("index.json");
    let index = std::fs::read_to_string(&index).map_err(|error| format!("{}: {error}", index.display()))?;
    let index: Vec<Value> = serde_json::from_str(&index).map_err(|error| format!("index.json: {error}"))?;
    let mut totals = Totals::default();
    let mut reports = Vec::new();
    for file in index.iter().filter_map(|entry| entry["file"].as_str()) {
        let path = folder.join(file);
        let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let text = String::from_utf8_lossy(&bytes);
        let text = if file.ends_with(".ipynb") { notebook(&text)? } else { text.into_owned() };
        let repository: PathBuf = Path::new(file).components().take(2).collect();
        let files = if modules { python_files(&folder.join(repository)) } else { Vec::new() };
        let world = Siblings { files, script: path };
        let start = Instant::now();
        let outcome = std::panic::catch_unwind(|| {
            if modules { analyze_uncaught(&text, &world) } else { analyze_uncaught(&text, &NoWorld) }
        });
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        let Ok(analysis) = outcome else {
            println!("{file}: a panic");
            totals.panics += 1;
            continue;
        };
        totals.add(&analysis, file, milliseconds);
        match list {
            Some("names") => print_unresolved(&analysis, file, &text),
            Some("diagnostics") => print_diagnostics(&analysis, file, &text),
            Some("facts") => reports.push(analyzer::report::json(&analysis, file, file)),
            _ => {}
        }
    }
    match list {
        Some("facts") => println!("{:#}", Value::Array(reports)),
        Some(_) => {}
        None if as_json => println!("{:#}", totals.json()),
        None => totals.print(),
    }
    Ok(())
}

/// The code of a notebook: its code cells one after the other, magics left out, a cell of SQL as the query that it is.
fn notebook(text: &str) -> Result<String, String> {
    let notebook: Value = serde_json::from_str(text).map_err(|error| format!("a notebook: {error}"))?;
    let mut code = String::new();
    for cell in notebook["cells"].as_array().into_iter().flatten() {
        if cell["cell_type"] != "code" {
            continue;
        }
        let source: String = match &cell["source"] {
            Value::String(source) => source.clone(),
            lines => lines.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
        };
        match source.trim_start().strip_prefix("%%") {
            Some(magic) => {
                if let Some(query) = magic.strip_prefix("sql") {
                    code.push_str(&format!("spark.sql(r\"\"\"{query}\"\"\")\n"));
                }
            }
            None => {
                let kept = source.lines().filter(|line| !line.trim_start().starts_with(['%', '!']));
                kept.for_each(|line| code.extend([line, "\n"]));
            }
        }
    }
    Ok(code)
}

impl Totals {
    fn add(&mut self, analysis: &Analysis, file: &str, milliseconds: f64) {
        self.scripts += 1;
        self.empty += usize::from(analysis.inputs.is_empty() && analysis.outputs.is_empty());
        self.syntax_errors += usize::from(analysis.has_syntax_errors);
        self.sources.count(&sources(analysis));
        self.sinks.count(&sinks(analysis));
        let names = analysis.inputs.iter().map(|input| &input.dataset.name);
        for name in names.chain(analysis.outputs.iter().map(|output| &output.dataset.name)) {
            for kind in ["<arg:", "<env:", "<workflow_prop:", "<run_date>", "<key>"] {
                *self.placeholders.entry(kind).or_default() += name.matches(kind).count();
            }
        }
        for diagnostic in &analysis.diagnostics {
            *self.diagnostics.entry(diagnostic.code).or_default() += 1;
        }
        self.milliseconds += milliseconds;
        if milliseconds > self.slowest.0 {
            self.slowest = (milliseconds, file.to_owned());
        }
    }

    fn json(&self) -> Value {
        json!({
            "scripts": self.scripts,
            "without_inputs_and_outputs": self.empty,
            "with_syntax_errors": self.syntax_errors,
            "panics": self.panics,
            "sources": { "resolved": self.sources.resolved, "all": self.sources.all },
            "sinks": { "resolved": self.sinks.resolved, "all": self.sinks.all },
            "placeholders": self.placeholders,
            "diagnostics": self.diagnostics,
            "milliseconds": self.milliseconds,
            "slowest": { "script": self.slowest.1, "milliseconds": self.slowest.0 },
        })
    }

    fn print(&self) {
        println!("{} scripts, {} panics, {} not all Python", self.scripts, self.panics, self.syntax_errors);
        println!("{} have neither input nor output", self.empty);
        println!("sources: {}", self.sources);
        println!("sinks:   {}", self.sinks);
        for (kind, count) in &self.placeholders {
            println!("  {kind} in {count} names");
        }
        for (code, count) in &self.diagnostics {
            println!("  {count} {code}");
        }
        println!("{:.0} ms in all; the slowest, {}, {:.0} ms", self.milliseconds, self.slowest.1, self.slowest.0);
    }
}

impl Share {
    fn count(&mut self, calls: &BTreeMap<TextRange, Vec<&Dataset>>) {
        self.all += calls.len();
        self.resolved += calls.values().filter(|datasets| datasets.iter().all(|dataset| dataset.is_resolved())).count();
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let percent = 100.0 * self.resolved as f64 / self.all.max(1) as f64;
        write!(formatter, "{} of {} calls fully resolved ({percent:.1} %)", self.resolved, self.all)
    }
}

/// The reading calls with every dataset that each may read.
fn sources(analysis: &Analysis) -> BTreeMap<TextRange, Vec<&Dataset>> {
    let mut calls: BTreeMap<TextRange, Vec<&Dataset>> = BTreeMap::new();
    for (id, node) in analysis.plan.nodes() {
        if let NodeKind::Scan(scan) = &node.kind
            && analysis.plan.is_live(id)
        {
            calls.entry(node.range).or_default().push(&scan.dataset);
        }
    }
    calls
}

/// The writing calls with every dataset that each may write.
fn sinks(analysis: &Analysis) -> BTreeMap<TextRange, Vec<&Dataset>> {
    let mut calls: BTreeMap<TextRange, Vec<&Dataset>> = BTreeMap::new();
    for output in &analysis.outputs {
        calls.entry(output.range).or_default().push(&output.dataset);
    }
    calls
}

fn print_unresolved(analysis: &Analysis, file: &str, text: &str) {
    for (what, calls) in [("source", sources(analysis)), ("sink", sinks(analysis))] {
        for (range, datasets) in calls {
            for dataset in datasets.iter().filter(|dataset| !dataset.is_resolved()) {
                println!("{file}:{} {what} {} {}", line_of(text, range), dataset.name, one_line(range.slice(text)));
            }
        }
    }
}

fn print_diagnostics(analysis: &Analysis, file: &str, text: &str) {
    for diagnostic in &analysis.diagnostics {
        let (severity, code) = (diagnostic.severity.name(), diagnostic.code);
        let line = line_of(text, diagnostic.range);
        println!("{file}:{line} {severity}[{code}] at `{}`", one_line(diagnostic.range.slice(text)));
        println!("    {}", diagnostic.message);
    }
}

fn line_of(text: &str, range: TextRange) -> usize {
    text.bytes().take(range.start as usize).filter(|byte| *byte == b'\n').count() + 1
}

fn one_line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().take(160).collect()
}

/// A world of the Python files of a script's repository, which lies in the folder under its first two names.
struct Siblings {
    files: Vec<PathBuf>,
    script: PathBuf,
}

impl World for Siblings {
    fn module(&self, dotted: &str) -> Option<Parsed> {
        let relative = dotted.trim_start_matches('.').replace('.', "/");
        let wanted = [format!("{relative}.py"), format!("{relative}/__init__.py")];
        // Jobs are packaged in many ways, so the module is the file of that name that is nearest to the script.
        let nearness = |path: &&PathBuf| {
            let shared = path.components().zip(self.script.components()).take_while(|(a, b)| a == b).count();
            (shared, std::cmp::Reverse(path.components().count()))
        };
        let candidates = wanted.iter().find_map(|wanted| {
            self.files.iter().filter(|path| path.ends_with(wanted) && **path != self.script).max_by_key(nearness)
        });
        std::fs::read_to_string(candidates?).ok().map(Parsed::new)
    }
}

/// The Python files under a folder, sorted.
fn python_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "py") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
