//! How long an analysis takes: of a job as it is opened, and after a letter has been typed, beside what the parser alone
//! takes for the same text.
//!
//! At its end it prints how many bytes a job takes that is not open, of which only the interface is kept.
#![allow(clippy::expect_used, reason = "a measuring program stops where it cannot go on")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measuring program reads its own size and prints"
)]

mod synthetic;

use std::hint::black_box;

use analyzer::{NoWorld, Parsed, analyze, interface};
use criterion::{BenchmarkId, Criterion};
use synthetic::Catalog;

/// The one of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn analysis(criterion: &mut Criterion) {
    for lines in [200, 1_000, 5_000] {
        let text = synthetic::job(lines);
        let mut group = criterion.benchmark_group("analyzer");
        group.sample_size(if lines > 1_000 { 20 } else { 50 });
        group.bench_function(BenchmarkId::new("parse", lines), |bencher| {
            bencher.iter(|| {
                let mut parser = tree_sitter::Parser::new();
                parser.set_language(&tree_sitter_python::LANGUAGE.into()).expect("the grammar fits the parser");
                black_box(parser.parse(&text, None))
            });
        });
        group.bench_function(BenchmarkId::new("cold", lines), |bencher| bencher.iter(|| analyze(&text, &NoWorld)));
        group.bench_function(BenchmarkId::new("cold_with_schemas", lines), |bencher| {
            bencher.iter(|| analyze(&text, &Catalog))
        });
        group.bench_function(BenchmarkId::new("edit", lines), |bencher| {
            let mut parsed = Parsed::new(text.clone());
            let at = text.find("\"amount\") * F.col").map_or(0, |at| at + 1);
            let mut longer = text.clone();
            longer.insert(at, 'x');
            let mut typed = false;
            bencher.iter(|| {
                // A letter of a column's name, typed and taken away again.
                typed = !typed;
                parsed = parsed.with_text(if typed { longer.as_str() } else { text.as_str() });
                parsed.analyze(&Catalog)
            });
        });
        group.bench_function(BenchmarkId::new("edit_chain", lines), |bencher| {
            let text = synthetic::chain(lines);
            let mut parsed = Parsed::new(text.as_str());
            let middle = text.len() / 2;
            let at = middle + text[middle..].find("step_").unwrap_or(0);
            let longer = format!("{}step_3.select(\"amont\")\n{}", &text[..at], &text[at..]);
            let mut typed = false;
            bencher.iter(|| {
                typed = !typed;
                parsed = parsed.with_text(if typed { longer.as_str() } else { text.as_str() });
                parsed.analyze(&Catalog)
            });
        });
        group.finish();
    }
}

/// Bytes of memory that one interface takes, among many of them.
fn closed_job(lines: usize) {
    const JOBS: usize = 500;
    let analysis = analyze(&synthetic::job(lines), &Catalog);
    let before = resident_bytes();
    let interfaces: Vec<_> = (0..JOBS).map(|_| interface(&analysis)).collect();
    let bytes = resident_bytes().saturating_sub(before) / interfaces.len();
    println!("closed job of {lines} lines: {bytes} bytes");
}

/// Memory of this process, where Linux tells it.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    pages * 4096
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    analysis(&mut criterion);
    criterion.final_summary();
    closed_job(1_000);
}
