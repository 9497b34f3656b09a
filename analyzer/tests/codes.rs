//! The reference of diagnostics against the codes that the analyzer has.
#![expect(clippy::disallowed_methods, reason = "the reference is a file, and a test may read it")]

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_code_is_explained_and_nothing_else() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let reference = std::fs::read_to_string(repository.join("docs/diagnostics.md")).expect("the reference");
    let explained: BTreeSet<&str> = reference.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let known: BTreeSet<&str> = analyzer::CODES.iter().copied().collect();
    assert_eq!(explained, known);
}
