//! What the analyzer says of many programs, for `cargo xtask oracle`.
//!
//! `interface < PROGRAMS > FACTS`: a JSON list of `{"id", "script", "tables": {"database.table": [[COLUMN, TYPE, IS_KEY]]}}`,
//! which may also have `"paths": {PATH: [[COLUMN, TYPE, IS_KEY]]}` and `"arguments": PREFIX`, where every job argument has
//! the value PREFIX followed by its name in lower case. It becomes a list of `{"id", "inputs": [{"name", "kind", "path",
//! "columns": [[NAME, TYPE]], "complete"}], "outputs": [{"name", "columns": [{"name", "type", "nullable", "sources", "always"}], "complete",
//! "grain"}], "joins": [{"how", "left", "right"}], "errors": [MESSAGE], "warnings"}` in the same order.
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
        let analysis = analyze_uncaught(script, &Known::read(program)?);
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
                    "always": column.condition.is_none(),
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
    let inputs = analysis.inputs.iter().map(|input| {
        let fields = analysis.plan.node(input.node).map(|node| analysis.plan.known_fields(&node.schema));
        let column =
            |field: &analyzer::plan::Field| json!([field.name, analysis.plan.column_type(field.id).to_string()]);
        json!({
            "name": input.dataset.name,
            "kind": input.dataset.kind.name(),
            "path": input.dataset.path,
            "complete": analysis.plan.node(input.node).is_some_and(|node| node.schema.is_complete()),
            "columns": fields.unwrap_or_default().iter().map(column).collect::<Vec<_>>(),
        })
    });
    let joins = analysis
        .joins
        .iter()
        .map(|join| json!({"how": join.how.name(), "left": join.left_columns, "right": join.right_columns}));
    json!({
        "id": id,
        "inputs": inputs.collect::<Vec<_>>(),
        "joins": joins.collect::<Vec<_>>(),
        "outputs": outputs.collect::<Vec<_>>(),
        "errors": diagnostics(Severity::Error),
        "warnings": diagnostics(Severity::Warning),
    })
}

/// What a program may read, with the keys that contracts of its tables promise.
struct Known {
    tables: HashMap<TableName, (TableSchema, Vec<String>)>,
    paths: HashMap<String, TableSchema>,
    arguments: Option<String>,
}

impl Known {
    fn read(program: &Json) -> Result<Self, Box<dyn Error>> {
        let mut tables = HashMap::new();
        for (name, columns) in program["tables"].as_object().ok_or("`tables` is no object")? {
            let (database, table) = name.split_once('.').ok_or("a table without a database")?;
            tables.insert(TableName::new(database, table), schema(columns)?);
        }
        let mut paths = HashMap::new();
        for (path, columns) in program["paths"].as_object().into_iter().flatten() {
            paths.insert(path.clone(), schema(columns)?.0);
        }
        Ok(Self { tables, paths, arguments: program["arguments"].as_str().map(str::to_owned) })
    }
}

/// The columns of `[[COLUMN, TYPE, IS_KEY]]`, and the names of the keys.
fn schema(columns: &Json) -> Result<(TableSchema, Vec<String>), Box<dyn Error>> {
    let (mut schema, mut keys) = (Vec::new(), Vec::new());
    for column in columns.as_array().ok_or("a table without columns")? {
        let [name, data_type] = [0, 1].map(|place| column[place].as_str().unwrap_or_default());
        if column[2] == true {
            keys.push(name.to_owned());
        }
        let data_type = DataType::parse(data_type)?;
        schema.push(Column { name: name.into(), data_type, nullable: None, comment: None, partition_key: false });
    }
    Ok((TableSchema { columns: schema, provenance: Provenance::Catalog }, keys))
}

impl World for Known {
    fn table(&self, name: &TableName) -> Option<TableSchema> {
        self.tables.get(name).map(|(schema, _)| schema.clone())
    }

    fn path(&self, path: &str) -> Option<TableSchema> {
        self.paths.get(path).cloned()
    }

    fn contract(&self, name: &TableName) -> Option<Arc<Contract>> {
        let (_, keys) = self.tables.get(name).filter(|(_, keys)| !keys.is_empty())?;
        Some(Arc::new(Contract { primary_key: keys.clone(), ..Contract::default() }))
    }

    fn argument(&self, name: &str) -> Option<String> {
        self.arguments.as_ref().map(|prefix| format!("{prefix}{}", name.to_lowercase()))
    }
}
