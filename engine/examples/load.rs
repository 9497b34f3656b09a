//! Times the stages that read data against one plain DataFusion query that reads the same columns of the same files once.
//!
//! `cargo run --release -p engine -p de-copilot --example load -- FOLDER ROWS`
//!
//! Makes the demo's data in FOLDER, runs `profile`, `generate`, `preload` and `postload` on it in this process, and
//! prints a JSON array with an object for each stage and table: `stage`, `table`, `rows`, `seconds`, and `scan_seconds`,
//! the better of two runs of the query. The query counts the NULLs of every column, which no file answers from its
//! metadata. What a stage does beyond reading (statistics, judging, writing good and quarantined rows) is in its ratio.
#![allow(clippy::print_stdout, reason = "a measuring program prints")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::execution::options::{CsvReadOptions, JsonReadOptions, ParquetReadOptions};
use datafusion::prelude::SessionContext;
use engine::generator;
use engine::lake::local::{LocalLake, LocalLakeOptions, sandbox};
use engine::lake::{Format, Lake};
use engine::project::{FILE_NAME, Project};
use engine::stage::postload::{PostloadOptions, postload};
use engine::stage::preload::{PreloadOptions, preload};
use engine::stage::profile::{ProfileOptions, profile};
use engine::stage::{analyze, context, generate};
use serde_json::{Value as Json, json};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // SQL from outside runs in a child process of the same program.
    if arguments.first().is_some_and(|first| first == sandbox::SUBCOMMAND) {
        return sandbox::child_main();
    }
    let (Some(folder), Some(Ok(rows))) = (arguments.first(), arguments.get(1).map(|rows| rows.parse())) else {
        println!("usage: load FOLDER ROWS");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(16 << 20).build();
    let measured = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(measure(Path::new(folder), rows)));
    match measured {
        Ok(stages) => {
            println!("{}", Json::from(stages));
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(folder: &Path, rows: u64) -> Result<Vec<Json>> {
    let planted = fixtures::generate(folder, &fixtures::Options { rows, ..Default::default() })?;
    let folder = folder.canonicalize()?;
    let project = Project::load(&folder.join(FILE_NAME))?;
    let lake = LocalLake::open(LocalLakeOptions {
        memory_bytes: usize::try_from(project.settings.limits.memory_mb << 20)?,
        ..LocalLakeOptions::new(project.lake_root(), project.store_root())
    })?;
    let mut stages = Vec::new();

    let mut profiles = Vec::new();
    for table in lake.catalog().tables().await? {
        let found = lake.catalog().table(&table).await?;
        let scan = scan(Path::new(&found.location), found.format).await?;
        let clock = Instant::now();
        let profiled = profile(&lake, &table, &ProfileOptions::default()).await?;
        stages.push(row("profile", &table.to_string(), profiled.profile.row_count, clock, scan));
        profiles.push((table, profiled.profile));
    }

    let jobs = analyze::analyze(&project, &lake).await?;
    let (table, known) =
        profiles.iter().find(|(table, _)| table.to_string() == planted.table).ok_or("no fact table")?;
    let history = lake.catalog().table(table).await?;
    let scanned = scan(Path::new(&history.location), history.format).await?;
    let known_rows = known.row_count;
    let clock = Instant::now();
    let known = context::context(&project, &lake, &jobs, known).await?;
    let generator = generator::from_settings(&project.settings.generate);
    generate::generate(&project, &lake, &*generator, &known).await?;
    stages.push(row("generate", &planted.table, known_rows, clock, scanned));

    let (mut input, mut seconds, mut scans) = (0, 0.0, 0.0);
    for file in planted.deliveries.iter().flat_map(|delivery| &delivery.files) {
        let file = folder.join(file);
        scans += scan(&file, format_of(&file)?).await?;
        let clock = Instant::now();
        input += preload(&project, &lake, table, &file, &PreloadOptions::default()).await?.input;
        seconds += clock.elapsed().as_secs_f64();
    }
    stages.push(stage("preload", &planted.table, input, seconds, scans));

    let loaded = lake.catalog().table(table).await?;
    let scanned = scan(Path::new(&loaded.location), loaded.format).await?;
    let clock = Instant::now();
    postload(&project, &lake, table, &PostloadOptions::default()).await?;
    stages.push(row("postload", &planted.table, known_rows + input, clock, scanned));
    Ok(stages)
}

/// The better of two runs of the plain query, in seconds.
async fn scan(path: &Path, format: Format) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..2 {
        let context = SessionContext::new();
        let address = path.to_str().ok_or("a path that is no text")?;
        let clock = Instant::now();
        let frame = match format {
            Format::Parquet => {
                // Two programs wrote the files, and each left its own Arrow type of texts in them: the first file's holds.
                let first = first_file(path)?;
                let first = context.read_parquet(first.to_str().ok_or("a path that is no text")?, Default::default());
                let schema = first.await?.schema().as_arrow().clone();
                context.read_parquet(address, ParquetReadOptions::default().schema(&schema)).await?
            }
            Format::Json => {
                let options = JsonReadOptions { file_extension: ".json", ..Default::default() };
                context.read_json(address, options).await?
            }
            Format::Csv => {
                let schema = text_columns(path)?;
                context.read_csv(address, CsvReadOptions::new().schema(&schema)).await?
            }
        };
        let names: Vec<String> = frame.schema().fields().iter().map(|field| field.name().clone()).collect();
        context.register_table("scanned", frame.into_view())?;
        let nulls = names.iter().map(|name| format!("sum(CASE WHEN \"{name}\" IS NULL THEN 1 ELSE 0 END)"));
        let nulls: Vec<String> = nulls.collect();
        context.sql(&format!("SELECT count(*), {} FROM scanned", nulls.join(", "))).await?.collect().await?;
        best = best.min(clock.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// The columns of a CSV file, or of the first in a folder, as text.
fn text_columns(path: &Path) -> Result<Schema> {
    let file = first_file(path)?;
    let text = std::io::BufReader::new(std::fs::File::open(file)?);
    let header = std::io::BufRead::lines(text).next().ok_or("an empty file")??;
    let fields: Vec<_> =
        header.split(',').map(|name| Arc::new(Field::new(name.trim_matches('"'), DataType::Utf8, true))).collect();
    Ok(Schema::new(fields))
}

fn first_file(path: &Path) -> Result<PathBuf> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    entries.sort();
    let visible = entries
        .iter()
        .find(|entry| entry.file_name().is_some_and(|name| !name.to_string_lossy().starts_with(['.', '_'])));
    first_file(visible.ok_or("an empty folder")?)
}

fn format_of(file: &Path) -> Result<Format> {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => Ok(Format::Csv),
        Some("json") => Ok(Format::Json),
        Some("parquet") => Ok(Format::Parquet),
        _ => Err(format!("{}: another format", file.display()).into()),
    }
}

fn row(name: &str, table: &str, rows: u64, clock: Instant, scan: f64) -> Json {
    stage(name, table, rows, clock.elapsed().as_secs_f64(), scan)
}

fn stage(name: &str, table: &str, rows: u64, seconds: f64, scan: f64) -> Json {
    json!({ "stage": name, "table": table, "rows": rows, "seconds": seconds, "scan_seconds": scan })
}
