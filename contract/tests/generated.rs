//! What is generated from the table of rule kinds: `docs/rules.md` and `schemas/`.
//!
//! `UPDATE_GENERATED=1 cargo test -p contract --test generated` rewrites the files.
#![expect(clippy::disallowed_methods, reason = "the generated files are files, and a test may read them")]

use std::path::Path;

use contract::document::schema::schemas;
use contract::rule::page::page;

#[test]
fn the_page_of_rules_and_the_schemas_follow_the_types() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = vec![("docs/rules.md".to_owned(), page())];
    files.extend(schemas().into_iter().map(|(name, schema)| (format!("schemas/{name}"), format!("{schema:#}\n"))));
    let update = std::env::var("UPDATE_GENERATED").is_ok();
    let mut stale = Vec::new();
    for (name, text) in files {
        let path = root.join(&name);
        if update {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        } else if std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n") != text {
            stale.push(name);
        }
    }
    assert!(
        stale.is_empty(),
        "{} differ from the types: UPDATE_GENERATED=1 cargo test -p contract --test generated rewrites them",
        stale.join(", ")
    );
}
