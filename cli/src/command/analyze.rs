//! `analyze`: what scripts read, join, filter and write.

use std::path::{Path, PathBuf};

use analyzer::policy::Accepted;
use engine::lake::Lake;
use engine::lake::local::{LocalLake, LocalLakeOptions};
use engine::project::settings::{JobSettings, Settings};
use engine::project::{FILE_NAME, Project, Script};
use engine::stage::analyze::{Job, Jobs, analyze, analyze_scripts};
use engine::{Error, Result};
use indexmap::IndexMap;
use owo_colors::OwoColorize;
use tempfile::TempDir;

use super::init::unknowns_text;
use crate::folder::lake_options;
use crate::output::counted;
use crate::{lineage, output};

/// What scripts read, join, filter and write, with column lineage and grain
///
/// Nothing is run. Schemas come from the project's lake, argument values from its settings; without them the text alone
/// is read. The JSON output is an array with one object for each script. How bad a finding is taken to be, and which
/// ones are accepted, stand under `[diagnostics]` in de-copilot.toml.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  de-copilot analyze jobs/loan_repayments_etl.py --format json")]
pub(crate) struct Arguments {
    /// Scripts; all scripts of the project where none is named
    #[arg(value_name = "SCRIPT")]
    scripts: Vec<PathBuf>,
    /// The project's folder; where scripts are named, that of the nearest de-copilot.toml above the first one
    #[arg(long, value_name = "DIR")]
    project: Option<PathBuf>,
    /// Accept the findings that are there: they are kept in the baseline file and not told again
    #[arg(long)]
    accept: bool,
    /// How the facts are told
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Lineage trees for people
    Text,
    /// An array with one object for each script
    Json,
    /// A flowchart for each script
    Mermaid,
    /// An array with an OpenLineage job event for each script
    #[value(name = "openlineage")]
    OpenLineage,
}

pub(super) async fn run(Arguments { scripts, project, accept, format }: Arguments) -> Result<u8> {
    let project = match (project, scripts.first()) {
        (Some(dir), _) => Project::open(&dir)?,
        (None, Some(script)) => project_above(script)?,
        (None, None) => Project::open(Path::new("."))?,
    };
    let lake = KnownLake::open(&project)?;
    let (mut code, mut readable) = (0, Vec::new());
    for script in read(&project, &scripts)? {
        match script {
            Ok(script) => readable.push(script),
            // The others can still be analyzed; the exit code tells that one was not.
            Err(error) => {
                output::error(&error);
                code = code.max(output::exit_code(&error));
            }
        }
    }
    let jobs = match scripts.is_empty() {
        true => analyze(&project, &lake.lake).await?,
        false => {
            let analyses = analyze_scripts(&project, &lake.lake, &readable).await?;
            let job = |(script, analysis)| Job { script, analysis, tables: IndexMap::new() };
            Jobs { jobs: readable.into_iter().zip(analyses).map(job).collect(), ..Jobs::default() }
        }
    };
    if accept {
        return self::accept(&project, &jobs).map(|()| code);
    }
    match format {
        Format::Json => output::json(&jobs.jobs.iter().map(json).collect::<Vec<_>>()),
        Format::Mermaid => {
            let charts = jobs.jobs.iter().map(|job| analyzer::report::mermaid(&job.analysis, &job.script.job_name));
            output::print(charts.collect::<Vec<_>>().join("\n"));
        }
        Format::OpenLineage => {
            let namespace = project.root.file_name().unwrap_or_default().to_string_lossy();
            let now = lake.lake.now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
            let event =
                |job: &Job| analyzer::report::openlineage(&job.analysis, &job.script.job_name, &namespace, &now);
            output::json(&jobs.jobs.iter().map(event).collect::<Vec<_>>());
        }
        Format::Text => {
            for job in &jobs.jobs {
                output::print(analyzer::report::text(&job.analysis, &job.script.name, &job.script.job_name));
            }
            if jobs.jobs.len() > 1 {
                output::print(format!("{}\n{}", "Across jobs".bold(), lineage::text(&jobs.lineage())));
            }
            output::print(unknowns_text(&jobs.unknowns));
        }
    }
    Ok(code)
}

/// Adds what is found to what was accepted before.
fn accept(project: &Project, jobs: &Jobs) -> Result<()> {
    let names: Vec<String> = jobs.jobs.iter().map(|job| project.name_of(&job.script.path)).collect();
    let found = names.iter().zip(&jobs.jobs);
    let found = found.map(|(name, job)| {
        let accepted = job.analysis.diagnostics.iter().map(|diagnostic| Accepted::of(&job.script.text, diagnostic));
        (name.as_str(), accepted.collect())
    });
    let (file, count) = project.accept(found)?;
    output::print(format!("{} accepted, kept in {}", counted(count as u64, "finding"), file.display()));
    Ok(())
}

fn json(job: &Job) -> serde_json::Value {
    analyzer::report::json(&job.analysis, &job.script.name, &job.script.job_name)
}

/// The scripts that were named, as they were named, or those of the project; an error for each one that is no text.
fn read(project: &Project, named: &[PathBuf]) -> Result<Vec<Result<Script>>> {
    if !named.is_empty() {
        let read = |path: &PathBuf| {
            let name = path.display().to_string();
            Script::read(&project.root, path).map(|script| Script { name, ..script })
        };
        return Ok(named.iter().map(read).collect());
    }
    let found = project.scripts()?;
    if found.jobs.is_empty() && found.unreadable.is_empty() {
        let next = "name scripts, or set `jobs.scripts` in de-copilot.toml";
        return Err(Error::input(project.root.display(), "no Python file here imports awsglue or pyspark", next));
    }
    let unreadable = found.unreadable.into_iter().map(|(path, reason)| {
        Err(Error::input(path.display(), reason, "correct it, or leave it out of `jobs.scripts`"))
    });
    Ok(unreadable.chain(found.jobs.into_iter().map(Ok)).collect())
}

/// The project of the nearest settings above a script; without any, the script's own folder with all defaults.
fn project_above(script: &Path) -> Result<Project> {
    let script = script.canonicalize().map_err(|error| Error::input(script.display(), error, "check the path"))?;
    let folders = script.ancestors().skip(1);
    match folders.map(|folder| folder.join(FILE_NAME)).find(|file| file.is_file()) {
        Some(file) => Project::load(&file),
        None => {
            // Its siblings and their packages are all that it can import; further down may lie anything.
            let jobs = JobSettings { scripts: vec!["*.py".into(), "*/*.py".into()], ..JobSettings::default() };
            let root = script.parent().unwrap_or(&script).to_path_buf();
            Ok(Project { root, settings: Settings { jobs, ..Settings::default() }, file: None })
        }
    }
}

/// The project's lake, or one without tables where there is none: a script can be read without its data.
struct KnownLake {
    lake: LocalLake,
    _empty: Option<TempDir>,
}

impl KnownLake {
    fn open(project: &Project) -> Result<Self> {
        if project.lake_root().is_dir() {
            return Ok(Self { lake: LocalLake::open(lake_options(project))?, _empty: None });
        }
        let empty = TempDir::new().map_err(|error| Error::io(std::env::temp_dir(), &error))?;
        let lake = LocalLake::open(LocalLakeOptions::new(empty.path(), project.store_root()))?;
        Ok(Self { lake, _empty: Some(empty) })
    }
}
