//! The pages, their scripts and the tables that they declare.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use analyzer::World;
use contract::document::Contract;
use contract::schema::{Column, Provenance, TableName, TableSchema};
use contract::types::DataType;

/// The scripts of a page, each with its heading and the tables that it knows.
pub(crate) fn cases(text: &str) -> Vec<(String, String, Tables)> {
    let mut cases = Vec::new();
    let (mut heading, mut tables) = (String::new(), Tables::default());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            if line.starts_with('#') {
                heading = line.trim_start_matches('#').trim().to_owned();
            }
            continue;
        };
        let block: String = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
        match language {
            "tables" => tables = Tables::parse(&block),
            "python" => cases.push((heading.clone(), block, tables.clone())),
            _ => {}
        }
    }
    cases
}

pub(crate) fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/spec");
    let mut pages: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the pages exist")
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages
}

/// Tables that a page declares, a line each: `database.table: column type, column type key`.
#[derive(Clone, Default)]
pub(crate) struct Tables {
    pub(crate) tables: Vec<(TableName, TableSchema, Vec<String>)>,
    /// The contract of a table that the page gives as a document.
    pub(crate) contract: Option<Arc<Contract>>,
}

pub(crate) fn parse_contract(block: &str) -> Arc<Contract> {
    let (contract, problems) = Contract::from_json(block).expect("a contract");
    assert_eq!(problems, [], "the contract of a page is right");
    Arc::new(contract)
}

impl Tables {
    /// The same without some of the tables, by position.
    pub(crate) fn without(&self, hidden: impl Fn(usize) -> bool) -> Self {
        let kept = self.tables.iter().enumerate().filter(|(position, _)| !hidden(*position));
        Self { tables: kept.map(|(_, table)| table.clone()).collect(), contract: None }
    }

    pub(crate) fn parse(block: &str) -> Self {
        let tables = block.lines().map(|line| {
            let (name, columns) = line.split_once(": ").expect("`name: columns`");
            let (database, table) = name.split_once('.').expect("`database.table`");
            let mut keys = Vec::new();
            let columns = columns
                .split(", ")
                .map(|column| {
                    let mut words = column.split(' ');
                    let (name, data_type) = (words.next().expect("a name"), words.next().expect("a type"));
                    if words.next() == Some("key") {
                        keys.push(name.to_owned());
                    }
                    Column {
                        name: name.to_owned(),
                        data_type: DataType::parse(data_type).expect("a type"),
                        nullable: None,
                        comment: None,
                        partition_key: false,
                    }
                })
                .collect();
            (TableName::new(database, table), TableSchema { columns, provenance: Provenance::Catalog }, keys)
        });
        Self { tables: tables.collect(), contract: None }
    }
}

impl World for Tables {
    fn table(&self, name: &TableName) -> Option<TableSchema> {
        self.tables.iter().find(|(known, _, _)| known == name).map(|(_, schema, _)| schema.clone())
    }

    fn contract(&self, name: &TableName) -> Option<Arc<Contract>> {
        if let Some(contract) = self.contract.as_ref().filter(|contract| contract.table_name == name.table) {
            return Some(Arc::clone(contract));
        }
        let (_, _, keys) = self.tables.iter().find(|(known, _, keys)| known == name && !keys.is_empty())?;
        Some(Arc::new(Contract { primary_key: keys.clone(), ..Contract::default() }))
    }
}
