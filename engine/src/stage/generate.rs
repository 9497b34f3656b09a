//! Generates a table's contract, tests and documentation, and keeps what people wrote.
//!
//! A proposal is verified, then merged three ways: with the contract as it was generated last, and as people have it now.
//! `proposals/<table>.json` keeps what was generated and every verdict, so that the next run can tell a person's edit
//! from the generator's own words. Where nothing changed nothing is written.

use async_trait::async_trait;
use contract::document::{Context, Contract, Test, TestSuite, VERSION, stated};
use contract::rule::{Mode, Rule, Source};
use serde_json::{Value as Json, json};

use super::artifacts::{self, Keys, StoredContract, read_json, read_text, to_text, update};
use super::trial::table_of;
use super::verify::{Verdict, Verified, verify};
use super::words::sentence;
use super::{docs, merge, suite};
use crate::generator::Generator;
use crate::lake::{Cost, Lake};
use crate::project::Project;
use crate::{Error, Result};

/// What was generated for a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Generated {
    /// The table.
    pub table: String,
    /// Its contract as it now stands in the store.
    pub contract: Contract,
    /// Its tests, compiled from that contract.
    pub suite: TestSuite,
    /// Its documentation.
    pub docs_markdown: String,
    /// What was proposed, kept and refused.
    pub verdicts: Vec<Verdict>,
    /// Parts of the stored contract that could not be read; they stay as they are.
    pub problems: Vec<String>,
    /// Where the artifacts lie that were written; none where nothing changed.
    pub artifacts: Vec<String>,
    /// What the queries cost.
    pub cost: Cost,
}

/// What would become of a stored contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where the contract lies, or will.
    pub file: String,
    /// Its text as it is stored; `None` where there is none yet.
    pub before: Option<String>,
    /// Its text as it would be stored.
    pub after: String,
}

/// Says whether a contract is to be stored, once it is known what would change.
#[async_trait]
pub trait Approval: Send + Sync {
    /// Whether the change is wanted. Nothing is stored where it is not.
    async fn approve(&self, change: Change) -> bool;
}

/// Every change is wanted.
struct Always;

#[async_trait]
impl Approval for Always {
    async fn approve(&self, _: Change) -> bool {
        true
    }
}

/// Proposes, verifies, merges with what people wrote, and stores contract, tests, documentation and proposals.
///
/// # Errors
/// A table of which no column is known; a stored contract or proposal that cannot be read: nothing is overwritten then.
pub async fn generate(
    project: &Project,
    lake: &dyn Lake,
    generator: &dyn Generator,
    context: &Context,
) -> Result<Generated> {
    // What is always wanted is always there.
    Ok(generate_if(project, lake, generator, context, &Always).await?.unwrap_or_default())
}

/// As [`generate`], if what it would change of the contract is approved; `None` where it is not, and nothing is stored.
///
/// # Errors
/// As [`generate`].
pub async fn generate_if(
    project: &Project,
    lake: &dyn Lake,
    generator: &dyn Generator,
    context: &Context,
    approval: &dyn Approval,
) -> Result<Option<Generated>> {
    let table = table_of(context);
    if context.schema.is_empty() {
        return Err(Error::input(
            format!("table {table}"),
            "has no data, and neither a contract nor a script says what its columns are",
            format!("write contracts/{}.json with its columns, or a catalog file, and run again", table.table),
        ));
    }
    let all = lake.catalog().tables().await?;
    let (store, keys) = (lake.store(), Keys::new(&table, &all));
    // Before any work: a contract that cannot be read stops its table and is left alone.
    let stored = artifacts::contract(store, &keys).await?;
    let last = read_json(store, &keys.proposals()).await?.unwrap_or_default();
    let stored_tests = match read_text(store, &keys.tests()).await? {
        Some(text) => stored_suite(&store.locate(&keys.tests()), &text)?,
        None => Vec::new(),
    };

    let proposal = generator.propose(context).await?;
    let notes = proposal.docs_markdown.clone();
    let Verified { contract: mut fresh, tests, mut verdicts, cost } = verify(project, lake, context, proposal).await?;
    let base = last.get("generated").filter(|value| value.is_object());
    if let Some((former, _)) = base.and_then(|base| Contract::from_value(base.clone()).ok()) {
        keep_in_force(&former, &mut fresh, &mut verdicts);
    }
    let fresh_value = fresh.to_value();

    let mut generated = Generated { table: table.to_string(), verdicts, cost, ..Generated::default() };
    let merged = |old: Option<&str>| -> Result<String> {
        let mine: Option<Json> = match old {
            Some(text) => Some(parsed(&store.locate(&keys.contract()), text)?),
            None => None,
        };
        let merged = merge::contract(base, mine.as_ref(), &fresh_value);
        // A person's own layout of the same content stays.
        Ok(match old {
            Some(old) if mine.as_ref() == Some(&merged) => old.to_owned(),
            _ => to_text(&merged),
        })
    };
    let contract = match stored.filter(StoredContract::is_yaml) {
        Some(stored) => {
            generated.problems = stored.problems.iter().map(ToString::to_string).collect();
            generated.problems.push(format!(
                "{} is in YAML, which only people write: what is kept and not yet in it is in {}",
                store.locate(&stored.key),
                store.locate(&keys.proposals())
            ));
            stored.contract
        }
        None => {
            let before = read_text(store, &keys.contract()).await?;
            let after = merged(before.as_deref())?;
            let change = Change { file: store.locate(&keys.contract()), before, after };
            if change.before.as_ref() != Some(&change.after) && !approval.approve(change).await {
                return Ok(None);
            }
            note(&mut generated, lake, &keys.contract(), update(store, &keys.contract(), &merged).await?);
            let gone = || Error::input(store.locate(&keys.contract()), "was deleted meanwhile", "run again");
            let stored = artifacts::contract(store, &keys).await?.ok_or_else(gone)?;
            generated.problems = stored.problems.iter().map(ToString::to_string).collect();
            stored.contract
        }
    };

    let free = free_tests(&last, &stored_tests, &tests);
    generated.suite = suite::compile(&contract, &stated::schema(context), &table, &all, free);
    generated.docs_markdown = docs::render(context, &contract, &notes)?;
    let proposals = json!({
        "version": VERSION,
        "table_name": context.table_name,
        "database": context.database,
        "generator": generator.name(),
        "script_hash": context.script_hash,
        "generated": fresh_value,
        "tests": tests.iter().map(Test::to_value).collect::<Vec<_>>(),
        "verdicts": generated.verdicts,
    });
    let documents = [
        (keys.tests(), generated.suite.to_json()),
        (keys.docs(), generated.docs_markdown.clone()),
        // Last, for it is the base of the next merge: a run that is killed before it is merged once more from the old one.
        (keys.proposals(), to_text(&proposals)),
    ];
    for (key, text) in documents {
        let written = update(store, &key, &|_| Ok(text.clone())).await?;
        note(&mut generated, lake, &key, written);
    }
    generated.contract = contract;
    Ok(Some(generated))
}

fn note(generated: &mut Generated, lake: &dyn Lake, key: &str, written: bool) {
    if written {
        generated.artifacts.push(lake.store().locate(key));
    }
}

fn parsed(place: &str, text: &str) -> Result<Json> {
    serde_json::from_str(text).map_err(|error| {
        Error::input(
            format!("{place}:{}", error.line()),
            format!("is not valid JSON: {error}"),
            "correct it, or restore it from its history, and run again",
        )
    })
}

/// The stored tests; a person may have added some of their own.
fn stored_suite(place: &str, text: &str) -> Result<Vec<Test>> {
    let suite = TestSuite::from_json(text).map_err(|error| {
        Error::input(place, error, "correct it, or delete it to have it compiled anew, and run again")
    })?;
    Ok(suite.0.tests)
}

/// A learned rule that is in force stays as it is, whatever today's data suggests: bad rows that got into the table must
/// not loosen the rule that should have kept them out. A person loosens it; the code's own rules follow the code.
fn keep_in_force(former: &Contract, fresh: &mut Contract, verdicts: &mut Vec<Verdict>) {
    let learned = |rule: &&Rule| matches!(rule.source, Source::Profile | Source::Llm) && rule.mode != Mode::Observe;
    for rule in former.rules().filter(learned) {
        let now = fresh.rules().find(|now| now.id == rule.id);
        if now.is_some_and(|now| now.source == Source::Code || (now.kind == rule.kind && now.mode == rule.mode)) {
            continue;
        }
        let suggested = match now {
            Some(now) if now.kind != rule.kind => format!("today's data suggests: {}", sentence(now)),
            Some(_) => "today's data alone would not put it into force".to_owned(),
            None => "today's data does not bear it out".to_owned(),
        };
        let list = match rule.column.as_ref().and_then(|column| fresh.columns.get_mut(column)) {
            Some(column) => &mut column.rules,
            None if rule.column.is_none() => &mut fresh.table_level_checks,
            // The column is gone.
            None => continue,
        };
        match list.iter_mut().find(|now| now.id == rule.id) {
            Some(now) => *now = rule.clone(),
            None => list.push(rule.clone()),
        }
        verdicts.retain(|verdict| verdict.id != rule.id);
        verdicts.push(Verdict {
            id: rule.id.clone(),
            what: sentence(rule),
            kept: true,
            reason: format!("in force since an earlier run and kept as it is; {suggested}"),
            evidence: rule.evidence.clone().unwrap_or_default(),
            violations: None,
        });
    }
    if fresh.primary_key.is_empty() {
        let keys = |rule: &&Rule| rule.kind.name() == "grain_uniqueness" || rule.kind.name() == "primary_key";
        if fresh.table_level_checks.iter().any(|rule| keys(&rule)) {
            fresh.primary_key.clone_from(&former.primary_key);
        }
    }
}

/// The tests that no rule stands for: as they were generated last, as people have them now, as they are generated anew.
fn free_tests(last: &Json, stored: &[Test], fresh: &[Test]) -> Vec<Test> {
    let values = |tests: &[Test]| tests.iter().map(Test::to_value).collect::<Vec<_>>();
    let base = last.get("tests").and_then(Json::as_array).cloned().unwrap_or_default();
    let mine: Vec<Test> = stored.iter().filter(|test| test.rule_id.is_none()).cloned().collect();
    let merged = merge::tests(&base, &values(&mine), &values(fresh));
    Test::list_from_value(&Json::Array(merged)).0
}
