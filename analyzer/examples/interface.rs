//! What the analyzer says of many programs, for `cargo xtask oracle`.
//!
//! `interface < PROGRAMS > FACTS`: a JSON list of `{"id", "script", "tables": {"database.table": [[COLUMN, TYPE, IS_KEY]]}}`
//! becomes one of `{"id", "outputs": [{"name", "columns": [{"name", "type", "nullable", "sources"}], "complete", "grain"}],
//! "errors": [MESSAGE],
//! "warnings"}` in the same order.
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program of the test suite reads and prints")]

use std::collections::HashMap;
use std::error::Error;
use std::io::Read;
use std::sync::Arc;

use analyzer::{Analysis, Severity, World, analyze_uncaught};
use contract::document::Contract;
use contract::schema::{Column, Provenance, TableName, TableSchema};
use contract::types::DataType;
use serde_json::{Value as Json, json};

fn main() -> Result<(), Box<dyn Error>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let programs: Vec<Json> = serde_json::from_str(&text)?;
    let mut facts = Vec::with_capacity(programs.len());
    for program in &programs {
        let script = program["script"].as_str().ok_or("a program without a script")?;
        let analysis = analyze_uncaught(script, &Tables::read(&program["tables"])?);
        facts.push(facts_of(&program["id"], &analysis));
    }
    println!("{}", Json::from(facts));
    Ok(())
}

fn facts_of(id: &Json, analysis: &Analysis) -> Json {
    let outputs = analysis.outputs.iter().map(|output| {
        let columns = output.columns.as_ref().map(|columns| {
            let column = |column: &analyzer::OutputColumn| {
                let sources = column.sources.as_ref().map(|sources| {
                    sources.iter().map(|source| json!([source.input, source.column])).collect::<Vec<_>>()
                });
                json!({
                    "name": column.name,
                    "type": column.data_type.to_string(),
                    "nullable": column.nullable,
                    "sources": sources,
                })
            };
            columns.iter().map(column).collect::<Vec<_>>()
        });
        json!({
            "name": output.dataset.name,
            "columns": columns,
            "complete": output.columns_complete,
            "grain": {
                "columns": output.grain.columns,
                "certainty": output.grain.certainty.name(),
                "assumptions": output.grain.assumptions,
                "reason": output.grain.reason,
            },
        })
    });
    let diagnostics = |severity: Severity| {
        let found = analysis.diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity);
        found.map(|diagnostic| format!("{}: {}", diagnostic.code, diagnostic.message)).collect::<Vec<_>>()
    };
    json!({
        "id": id,
        "outputs": outputs.collect::<Vec<_>>(),
        "errors": diagnostics(Severity::Error),
        "warnings": diagnostics(Severity::Warning),
    })
}

/// The tables that a program may read, with the keys that their contracts promise.
struct Tables(HashMap<TableName, (TableSchema, Vec<String>)>);

impl Tables {
    fn read(tables: &Json) -> Result<Self, Box<dyn Error>> {
        let mut known = HashMap::new();
        for (name, columns) in tables.as_object().ok_or("`tables` is no object")? {
            let (database, table) = name.split_once('.').ok_or("a table without a database")?;
            let (mut schema, mut keys) = (Vec::new(), Vec::new());
            for column in columns.as_array().ok_or("a table without columns")? {
                let [name, data_type] = [0, 1].map(|place| column[place].as_str().unwrap_or_default());
                if column[2] == true {
                    keys.push(name.to_owned());
                }
                let data_type = DataType::parse(data_type)?;
                schema.push(Column {
                    name: name.into(),
                    data_type,
                    nullable: None,
                    comment: None,
                    partition_key: false,
                });
            }
            let schema = TableSchema { columns: schema, provenance: Provenance::Catalog };
            known.insert(TableName::new(database, table), (schema, keys));
        }
        Ok(Self(known))
    }
}

impl World for Tables {
    fn table(&self, name: &TableName) -> Option<TableSchema> {
        self.0.get(name).map(|(schema, _)| schema.clone())
    }

    fn contract(&self, name: &TableName) -> Option<Arc<Contract>> {
        let (_, keys) = self.0.get(name).filter(|(_, keys)| !keys.is_empty())?;
        Some(Arc::new(Contract { primary_key: keys.clone(), ..Contract::default() }))
    }
}
