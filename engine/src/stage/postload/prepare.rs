//! What is to be checked: rules and tests of a table, and the rows that each judges.

use std::collections::HashMap;

use chrono::NaiveDate;
use contract::compile::{self, Check};
use contract::document::{Contract, Test, TestSuite};
use contract::expr::Expr;
use contract::expr::eval::eval;
use contract::rule::{Expects, Rule, RuleKind, Scope, Stage};
use contract::schema::{Column, TableName};
use contract::types::DataType;
use contract::value::Value;
use indexmap::{IndexMap, IndexSet};

use super::PostloadOptions;
use crate::Result;
use crate::lake::{DataFile, Lake, Table};
use crate::stage::artifacts::{self, Keys};
use crate::stage::rules;

/// The checks of a table.
pub(super) struct Prepared {
    pub(super) table: Table,
    /// All tables of the lake.
    pub(super) all: Vec<TableName>,
    pub(super) keys: Keys,
    pub(super) contract_hash: String,
    /// What is wrong with the contract's document.
    pub(super) notes: Vec<String>,
    /// The key's columns, for samples.
    pub(super) key: Vec<String>,
    /// The date of the data.
    pub(super) date: String,
    /// The days whose row count is judged: those loaded, and the date of the data.
    pub(super) days: Vec<String>,
    /// The checks, in the order of the results.
    pub(super) items: Vec<Item>,
    /// The partitions that each scope of the rules means; scopes that mean the whole table are not listed.
    scopes: Vec<(Scope, Partitions)>,
}

/// One check.
pub(super) struct Item {
    /// The name of its result.
    pub(super) name: String,
    pub(super) rule: Rule,
    /// What is counted, or why it cannot be.
    pub(super) check: std::result::Result<Check, String>,
}

/// Some partitions: for each the values of its keys.
struct Partitions(Vec<Vec<Option<String>>>);

pub(super) async fn prepare(lake: &dyn Lake, name: &TableName, options: &PostloadOptions) -> Result<Prepared> {
    let store = lake.store();
    let all = lake.catalog().tables().await?;
    let table = lake.catalog().table(name).await?;
    let keys = Keys::new(name, &all);
    let stored = artifacts::contract(store, &keys).await?;
    let stored = stored.ok_or_else(|| artifacts::no_contract(store, &keys, name))?;
    let suite = artifacts::tests(store, &keys).await?;
    let suite = suite.map(|suite| artifacts::fresh(store, &keys, &stored, suite)).transpose()?;
    let notes = stored.notes();
    let contract = stored.contract;
    let newest = || newest_day(&table).unwrap_or_else(|| lake.now().format("%Y-%m-%d").to_string());
    let date = options.date.clone().unwrap_or_else(newest);
    let loaded = loaded_partitions(&table, options, &date);
    let items = items(&contract, suite.as_ref(), &table);
    let mut days: IndexSet<String> = IndexSet::from([date.clone()]);
    if let (Some(day), Some(Partitions(loaded))) = (day_key(&table), &loaded) {
        days.extend(loaded.iter().filter_map(|values| values.get(day.0).cloned().flatten()));
    }
    let mut scopes: Vec<(Scope, Partitions)> =
        loaded.map(|loaded| (Scope::LoadedPartitions, loaded)).into_iter().collect();
    for item in &items {
        if let Scope::LastPartitions(count) = item.rule.scope
            && !scopes.iter().any(|(scope, _)| *scope == item.rule.scope)
        {
            scopes.extend(last_partitions(&table, count).map(|last| (item.rule.scope, last)));
        }
    }
    Ok(Prepared {
        key: contract.primary_key.clone(),
        contract_hash: contract.hash(),
        notes,
        items,
        days: days.into_iter().collect(),
        scopes,
        table,
        all,
        keys,
        date,
    })
}

/// The place among the partition keys, and the column, of the first one that is a date.
pub(super) fn day_key(table: &Table) -> Option<(usize, &Column)> {
    partition_keys(table).enumerate().find(|(_, column)| column.data_type == DataType::Date)
}

fn partition_keys(table: &Table) -> impl Iterator<Item = &Column> {
    table.schema.columns.iter().filter(|column| column.partition_key)
}

fn newest_day(table: &Table) -> Option<String> {
    let (place, _) = day_key(table)?;
    table.files.iter().filter_map(|file| file.partition.get(place).cloned().flatten()).max()
}

/// The checks of tests and rules: those of tests in their order, then rules that no test names.
fn items(contract: &Contract, suite: Option<&TestSuite>, table: &Table) -> Vec<Item> {
    let stated = rules::stated(contract, &table.schema);
    let mut items: Vec<Item> = Vec::new();
    let mut add = |name: &str, rule: &Rule| {
        let check = compile::check(rule, &table.schema);
        if check.as_ref().is_ok_and(|check| check.stage(rule) == Stage::PreLoad) {
            return;
        }
        items.push(Item { name: name.to_owned(), rule: rule.clone(), check: check.map_err(|error| error.reason) });
    };
    let tests = suite.map_or(&[][..], |suite| &suite.tests).iter();
    let tests: Vec<&Test> = tests.filter(|test| test.stage != Stage::PreLoad).collect();
    for test in &tests {
        match &test.rule_id {
            Some(id) => {
                if let Some(rule) = stated.iter().find(|rule| rule.id == *id) {
                    add(&test.name, rule);
                }
            }
            None => add(&test.name, &own_rule(test)),
        }
    }
    let named = |rule: &Rule| tests.iter().any(|test| test.rule_id.as_deref() == Some(&rule.id));
    for rule in stated.iter().filter(|rule| !named(rule)) {
        add(&rule.id, rule);
    }
    items
}

/// The rule that a test without one states.
fn own_rule(test: &Test) -> Rule {
    if let Some(rule) = rules::of_test(test) {
        return rule;
    }
    let sql = test.sql.clone().unwrap_or_default();
    let kind = RuleKind::CustomSql { sql, expects: test.expects.unwrap_or(Expects::NoRows), min: None, max: None };
    Rule { id: test.name.clone(), stage: Some(test.stage), ..Rule::new(kind, None) }
}

/// The newest partitions, so many of them.
fn last_partitions(table: &Table, count: u32) -> Option<Partitions> {
    partition_keys(table).next()?;
    let mut values: Vec<Vec<Option<String>>> = table.files.iter().map(|file| file.partition.clone()).collect();
    values.sort();
    values.dedup();
    let skipped = values.len().saturating_sub(count as usize);
    Some(Partitions(values.split_off(skipped)))
}

/// The partitions that were loaded; where that is not known, those of the date of the data.
fn loaded_partitions(table: &Table, options: &PostloadOptions, date: &str) -> Option<Partitions> {
    partition_keys(table).next()?;
    let loaded = options.partitions.as_deref().unwrap_or_default();
    if !loaded.is_empty() {
        let values = |values: &IndexMap<String, Option<String>>| {
            partition_keys(table).map(|key| values.get(&key.name).cloned().flatten()).collect()
        };
        return Some(Partitions(loaded.iter().map(|partition| values(&partition.values)).collect()));
    }
    let (place, _) = day_key(table)?;
    let of_date = |file: &&DataFile| file.partition.get(place).is_some_and(|value| value.as_deref() == Some(date));
    let mut values: Vec<_> = table.files.iter().filter(of_date).map(|file| file.partition.clone()).collect();
    values.sort();
    values.dedup();
    if values.is_empty() {
        let empty = partition_keys(table).enumerate().map(|(i, _)| (i == place).then(|| date.to_owned()));
        values.push(empty.collect());
    }
    Some(Partitions(values))
}

impl Partitions {
    /// The predicate that is true for the rows of these partitions.
    fn predicate(&self, table: &Table) -> Expr {
        let equals = |(column, value): (&Column, &Option<String>)| {
            let name = Expr::column(&column.name, column.data_type.clone());
            match value {
                Some(text) => Expr::equal(name, literal(text, &column.data_type)),
                None => Expr::is_null(name),
            }
        };
        let one = |values: &Vec<Option<String>>| Expr::and_all(partition_keys(table).zip(values).map(equals));
        Expr::or_all(self.0.iter().map(one))
    }
}

impl Prepared {
    /// The rows that a scope means; `None` for the whole table.
    pub(super) fn restriction(&self, scope: Scope) -> Option<Expr> {
        let found = self.scopes.iter().find(|(known, _)| *known == scope);
        found.map(|(_, partitions)| partitions.predicate(&self.table))
    }

    /// The data files of which a predicate over partition keys may be true; all where there is none.
    pub(super) fn files_of(&self, restriction: Option<&Expr>) -> Vec<&DataFile> {
        let reads = |file: &&DataFile| {
            let keys = partition_keys(&self.table).zip(&file.partition);
            let row: HashMap<String, Value> =
                keys.map(|(key, value)| (key.name.clone(), cell(value.as_deref(), &key.data_type))).collect();
            restriction.is_none_or(|restriction| !matches!(eval(restriction, &row), Ok(Value::Boolean(false))))
        };
        self.table.files.iter().filter(reads).collect()
    }
}

fn cell(value: Option<&str>, data_type: &DataType) -> Value {
    let Some(value) = value else { return Value::Null };
    eval(&literal(value, data_type), &HashMap::new()).unwrap_or(Value::Null)
}

/// A partition value as a constant of its key's type.
pub(super) fn literal(text: &str, data_type: &DataType) -> Expr {
    let value = match data_type {
        DataType::Date => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|day| Value::Date(day.to_epoch_days())),
        ty if ty.is_integer() => text.parse().ok().map(Value::Int),
        _ => None,
    };
    match value {
        Some(value) => Expr::literal(value),
        None if data_type.is_text() || data_type.is_open() => Expr::text(text),
        None => Expr::cast(Expr::text(text), data_type.clone()),
    }
}
