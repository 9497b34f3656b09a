//! `cargo xtask bench`: figures of a release build.

mod lsp;
mod suite;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use wait4::Wait4;

use crate::output::Format;
use crate::{output, repository};

/// What `cargo xtask bench` understands.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The benchmark
    #[arg(required_unless_present = "list")]
    name: Option<String>,
    /// List the benchmarks and run none
    #[arg(long)]
    list: bool,
    /// Rows of data, where the benchmark makes any
    #[arg(long, default_value_t = 100_000)]
    rows: u64,
    /// The program to measure; a release build is made where absent
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Of the benchmark `lsp` only these servers, separated by commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    servers: Vec<String>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

struct Benchmark {
    name: &'static str,
    about: &'static str,
    run: fn(&Arguments) -> Result<Outcome>,
}

/// What a benchmark found.
enum Outcome {
    Figures(Vec<Figure>),
    /// Objects of the same keys, each a case.
    Cases(Vec<Value>),
}

/// One measured number.
struct Figure {
    name: String,
    value: f64,
    unit: String,
}

const BENCHMARKS: &[Benchmark] = &[
    Benchmark { name: "demo", about: "the demo's time by stage and its peak memory", run: demo },
    Benchmark {
        name: "load",
        about: "the stages that read data, as ratios to one plain query that reads the same columns once",
        run: load,
    },
    Benchmark {
        name: "suite",
        about: "60 tests of a table of 30 columns, fused and one by one, against a bare scan, on two engines",
        run: suite::suite,
    },
    Benchmark {
        name: "analyzer",
        about: "how long it takes to understand a script, beside parsing it alone, and what a closed job takes",
        run: analyzer,
    },
    Benchmark {
        name: "lsp",
        about: "how long an editor waits for language servers while somebody types, and for a cold index",
        run: lsp::lsp,
    },
    Benchmark {
        name: "soak",
        about: "100,000 random edits: whether the server then knows what it knows of the text opened anew, and its memory",
        run: lsp::soak,
    },
];

/// Runs the named benchmark and prints its figures. True, because a figure is no verdict.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let Some(name) = arguments.name.as_ref().filter(|_| !arguments.list) else {
        output::table(["benchmark", "what it measures"], BENCHMARKS.iter().map(|b| [b.name.into(), b.about.into()]));
        return Ok(true);
    };
    let Some(benchmark) = BENCHMARKS.iter().find(|benchmark| benchmark.name == name) else {
        let known: Vec<&str> = BENCHMARKS.iter().map(|benchmark| benchmark.name).collect();
        bail!("no benchmark is named {name}; there are {}", known.join(", "));
    };
    match ((benchmark.run)(arguments)?, arguments.format) {
        (Outcome::Figures(figures), Format::Text) => {
            output::table(["figure", "value", "unit"], figures.into_iter().map(|f| [f.name, rounded(f.value), f.unit]))
        }
        (Outcome::Figures(figures), Format::Json) => {
            let figures: Vec<Value> =
                figures.iter().map(|f| json!({"name": f.name, "value": f.value, "unit": f.unit})).collect();
            output::line(&json!({"benchmark": name, "rows": arguments.rows, "figures": figures}).to_string());
        }
        (Outcome::Cases(cases), Format::Text) => {
            const SHOWN: [&str; 10] = [
                "server",
                "case",
                "lines",
                "workspace_jobs",
                "edits",
                "p50_ms",
                "p95_ms",
                "max_ms",
                "mb_after_a_tenth",
                "peak_mb",
            ];
            let text = |value: &Value| match value {
                Value::Null => String::new(),
                value => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            };
            output::table(SHOWN, cases.iter().map(|case| SHOWN.map(|key| text(&case[key]))));
        }
        (Outcome::Cases(cases), Format::Json) => output::line(&json!({"cases": cases}).to_string()),
    }
    Ok(true)
}

/// Three digits tell enough of a time; large numbers are whole.
fn rounded(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.3}") }
}

fn demo(arguments: &Arguments) -> Result<Outcome> {
    let (rows, binary) = (arguments.rows, binary(arguments)?);
    let out = tempfile::tempdir()?;
    let mut command = Command::new(binary);
    command.args(["demo", "--format", "json", "--rows", &rows.to_string(), "--out"]).arg(out.path());
    let measured = measure(command)?;
    let report: Value = serde_json::from_str(&measured.printed).context("the demo's report")?;
    let stages = report["stages"].as_array().context("the demo's report has no stages")?.iter();
    let stages = stages.map(|stage| {
        let name = stage["name"].as_str().unwrap_or("?").to_owned();
        Figure { name, value: stage["seconds"].as_f64().unwrap_or(f64::NAN), unit: "s".into() }
    });
    let mut figures = measured.figures();
    figures.extend(stages);
    Ok(Outcome::Figures(figures))
}

/// Runs the engine's example `load`, which is a program of its own because it needs the engine linked.
fn load(arguments: &Arguments) -> Result<Outcome> {
    let rows = arguments.rows;
    build(&["--package", "engine", "--package", "de-copilot", "--example", "load"])?;
    let out = tempfile::tempdir()?;
    let mut command = Command::new(repository::binary("release")?.with_file_name("examples").join("load"));
    command.arg(out.path()).arg(rows.to_string());
    let measured = measure(command)?;
    let stages: Vec<Value> = serde_json::from_str(&measured.printed).context(measured.printed.clone())?;
    let mut figures = measured.figures();
    for stage in stages {
        let [seconds, scan] = ["seconds", "scan_seconds"].map(|key| stage[key].as_f64().unwrap_or(f64::NAN));
        let name = |what: &str| {
            let text = |key: &str| stage[key].as_str().unwrap_or("?").to_owned();
            format!("{} {}, {what} of {} rows", text("stage"), text("table"), stage["rows"])
        };
        figures.push(Figure { name: name("time"), value: seconds, unit: "s".into() });
        figures.push(Figure { name: name("ratio to a scan"), value: seconds / scan, unit: "×".into() });
    }
    Ok(Outcome::Figures(figures))
}

/// Runs the analyzer's criterion benchmarks and reads the estimates that they leave.
fn analyzer(_: &Arguments) -> Result<Outcome> {
    let mut command = Command::new(repository::cargo());
    command.args(["bench", "--package", "analyzer", "--bench", "analysis"]).current_dir(repository::root());
    let printed = command.stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    ensure!(printed.status.success(), "the benchmarks failed");
    let estimates = repository::target()?.join("criterion").join("analyzer");
    let milliseconds = |case: &str, lines: u32| -> Result<f64> {
        let path = estimates.join(case).join(lines.to_string()).join("new/estimates.json");
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let estimates: Value = serde_json::from_str(&text).context("criterion's estimates")?;
        Ok(estimates["median"]["point_estimate"].as_f64().context("criterion's estimates have no median")? / 1e6)
    };
    let mut figures = Vec::new();
    for lines in [200, 1_000, 5_000] {
        let parse = milliseconds("parse", lines)?;
        figures.push(Figure { name: format!("parse alone, {lines} lines"), value: parse, unit: "ms".into() });
        for (case, what) in [("cold", "cold"), ("cold_with_schemas", "cold with schemas"), ("edit", "after an edit")] {
            let value = milliseconds(case, lines)?;
            figures.push(Figure { name: format!("{what}, {lines} lines"), value, unit: "ms".into() });
            let name = format!("{what}, {lines} lines, ratio to parse alone");
            figures.push(Figure { name, value: value / parse, unit: "×".into() });
        }
    }
    let printed = String::from_utf8_lossy(&printed.stdout);
    let bytes = printed.lines().find_map(|line| {
        let (job, bytes) = line.strip_prefix("closed job of ")?.split_once(" lines: ")?;
        Some((job.to_owned(), bytes.strip_suffix(" bytes")?.parse::<f64>().ok()?))
    });
    let (lines, bytes) = bytes.context("the benchmark tells no size of a closed job")?;
    figures.push(Figure { name: format!("closed job of {lines} lines"), value: bytes / 1e3, unit: "kB".into() });
    Ok(Outcome::Figures(figures))
}

/// The program to measure: the caller's, or a release build.
fn binary(arguments: &Arguments) -> Result<PathBuf> {
    if let Some(binary) = &arguments.binary {
        return binary.canonicalize().with_context(|| format!("{} is not there", binary.display()));
    }
    build(&["--package", "de-copilot"])?;
    repository::binary("release")
}

fn build(arguments: &[&str]) -> Result<()> {
    let status = Command::new(repository::cargo())
        .args(["build", "--release"])
        .args(arguments)
        .current_dir(repository::root())
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the release build failed");
    Ok(())
}

/// One run of a command.
struct Measured {
    seconds: f64,
    /// The most memory that the command, or any process that it started and waited for, held at a time.
    peak_bytes: u64,
    printed: String,
}

impl Measured {
    fn figures(&self) -> Vec<Figure> {
        let megabytes = self.peak_bytes as f64 / 1e6;
        vec![
            Figure { name: "wall clock".into(), value: self.seconds, unit: "s".into() },
            Figure { name: "peak memory".into(), value: megabytes, unit: "MB".into() },
        ]
    }
}

/// Runs a command whose standard output is small, and whose exit code may tell of findings (1) but of no failure.
fn measure(mut command: Command) -> Result<Measured> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut printed = tempfile::NamedTempFile::new()?;
    command.stdin(Stdio::null()).stdout(printed.reopen()?);
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start {program}"))?;
    let used = child.wait4().with_context(|| format!("cannot wait for {program}"))?;
    let seconds = start.elapsed().as_secs_f64();
    ensure!(matches!(used.status.code(), Some(0 | 1)), "{program}: {}", used.status);
    let mut text = String::new();
    std::io::Read::read_to_string(&mut printed, &mut text)?;
    Ok(Measured { seconds, peak_bytes: used.rusage.maxrss, printed: text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_memory_is_the_child_s_own() {
        let mut command = Command::new("python3");
        command.args(["-c", "block = bytearray(300_000_000); print('done')"]);
        let measured = measure(command).unwrap();
        assert_eq!(measured.printed, "done\n");
        assert!((300_000_000..400_000_000).contains(&measured.peak_bytes), "{}", measured.peak_bytes);
        assert!(measure(Command::new("true")).unwrap().peak_bytes < 100_000_000);
    }
}
