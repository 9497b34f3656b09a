#![allow(warnings)]
#[path = "../benches/synthetic.rs"]
mod synthetic;
use std::time::Instant;
fn main() {
    let rounds: usize = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(5);
    for lines in [200, 1000, 5000] {
        let text = synthetic::job(lines);
        let mut p = f64::MAX;
        let mut c = f64::MAX;
        let mut k = f64::MAX;
        for _ in 0..rounds {
            let t = Instant::now();
            let mut parser = tree_sitter::Parser::new();
            parser.set_language(&tree_sitter_python::LANGUAGE.into()).unwrap();
            let tree = parser.parse(&text, None).unwrap();
            p = p.min(t.elapsed().as_secs_f64() * 1e3);
            let t = Instant::now();
            let a = analyzer::analyze(&text, &analyzer::NoWorld);
            c = c.min(t.elapsed().as_secs_f64() * 1e3);
            let t = Instant::now();
            let b = analyzer::analyze(&text, &synthetic::Catalog);
            k = k.min(t.elapsed().as_secs_f64() * 1e3);
            if lines == 200 {
                println!("{:?}", b.diagnostics.iter().map(|d| &d.message).collect::<Vec<_>>());
                println!("outs {} ins {} joins {}", b.outputs.len(), b.inputs.len(), b.joins.len());
            }
        }
        println!(
            "{} lines {} bytes parse {p:.2} ms cold {c:.2} ms ({:.1}x) catalog {k:.2} ms ({:.1}x)",
            text.lines().count(),
            text.len(),
            c / p,
            k / p
        );
    }
}
