//! What was proposed is input, not truth: every rule and test is run, and tried to be refuted.
//!
//! A rule passes these, in order; the first that it fails refuses it, and the verdict says why:
//!
//! 1. It can be compiled over the table's schema; tables and columns that it names exist; free SQL is one read-only query
//!    that Athena accepts, mended where that needs no guess.
//! 2. It holds on the whole table. Keys are counted exactly.
//! 3. What it learned from the data on the earlier days holds on the days after. What does not is a coincidence: it is
//!    refused, learned again from all days, and only observed.
//!
//! In force (mode `quarantine`) are the rules that schema and script state, and the learned ones that held on enough
//! later days and rows. All others start as `observe`. Whether a rule is the script's is derived here, not believed.

use std::collections::HashMap;

use contract::compile::suite::Outcome;
use contract::compile::{self, Bounds, Check};
use contract::document::{ColumnContract, Context, Contract, Freshness, Test, stated};
use contract::rule::{Mode, Rule, RuleKind, Scope, Severity, Source, Stage, Threshold};
use contract::schema::{TableName, TableSchema};
use serde::{Deserialize, Serialize};

use super::checks::{self, Subject};
use super::profile::{ProfileOptions, profile};
use super::queries::{self, Mended};
use super::trial::{self, Split};
use super::words::sentence;
use crate::Result;
use crate::generator::Proposal;
use crate::generator::dating::dating_column;
use crate::lake::{Cost, Lake};
use crate::project::Project;

/// What became of one proposed rule or test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The rule's id or the test's name.
    pub id: String,
    /// What was proposed, in a sentence.
    pub what: String,
    /// Whether it is kept.
    pub kept: bool,
    /// Why it is kept or refused.
    pub reason: String,
    /// Why it was proposed.
    pub evidence: String,
    /// Rows of the table that violate it, where that was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub violations: Option<u64>,
}

/// What is left of a proposal, and what became of each of its parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verified {
    /// The contract with the rules that are kept.
    pub contract: Contract,
    /// The free SQL tests that are kept, as Athena accepts them.
    pub tests: Vec<Test>,
    /// Every proposed rule and test, kept or refused.
    pub verdicts: Vec<Verdict>,
    /// What the queries cost.
    pub cost: Cost,
}

/// Tries a proposal on the table.
///
/// # Errors
/// A lake that cannot be read. A proposal is never an error.
pub async fn verify(project: &Project, lake: &dyn Lake, context: &Context, proposal: Proposal) -> Result<Verified> {
    let table = trial::table_of(context);
    let all = lake.catalog().tables().await?;
    let subject = Subject { project, lake, table: &table, all: &all };
    let has_data = all.contains(&table) && context.row_count > 0;
    let schema = stated::schema(context);
    let mut verified = Verified::default();

    let Parts { mut contract, rules, queries } = take_apart(context, proposal, &schema, &mut verified.verdicts);
    let mut candidates = admit(subject, context, rules, &schema, &mut verified.verdicts).await?;
    if has_data {
        let checks: Vec<(&Rule, Check)> = candidates.iter().map(|c| (&c.rule, c.check.clone())).collect();
        let outcomes = checks::run(subject, &checks, None, &mut verified.cost).await?;
        candidates.retain_mut(|candidate| judge(candidate, outcomes.get(&candidate.rule.id), &mut verified.verdicts));
        try_later_days(subject, context, &schema, &mut candidates, &mut verified).await?;
    } else {
        for candidate in &mut candidates {
            candidate.reason = "there is no data yet to try it on".to_owned();
        }
    }
    for candidate in candidates {
        let Candidate { rule, place, reason, violations, .. } = candidate;
        let evidence = rule.evidence.clone().unwrap_or_default();
        verified.verdicts.push(Verdict {
            id: rule.id.clone(),
            what: sentence(&rule),
            kept: true,
            reason,
            evidence,
            violations,
        });
        match place.and_then(|column| contract.columns.get_mut(&column)) {
            Some(column) => {
                column.nullable &= !matches!(rule.kind, RuleKind::NotNull);
                column.rules.push(rule);
            }
            None => contract.table_level_checks.push(rule),
        }
    }
    settle_key_and_freshness(&mut contract, &mut verified.verdicts);
    verified.contract = contract;
    for query in queries {
        try_query(subject, &schema, has_data, query, &mut verified).await?;
    }
    Ok(verified)
}

/// The largest share of violations that a proposal may ask to tolerate.
const MAX_PROPOSED_TOLERANCE: f64 = 0.05;

/// A rule on its way through the trials.
struct Candidate {
    rule: Rule,
    /// The column whose list holds it; `None` for the table's.
    place: Option<String>,
    check: Check,
    /// Whether schema or script state it.
    stated: bool,
    reason: String,
    violations: Option<u64>,
}

impl Candidate {
    /// Whether a violation can keep rows out of the table.
    fn can_quarantine(&self) -> bool {
        let of_rows = matches!(
            self.check,
            Check::Row { .. } | Check::Type { .. } | Check::Duplicates { .. } | Check::ForeignKey(_)
        );
        of_rows && !matches!(self.rule.kind, RuleKind::RangeSoft { .. })
    }

    fn put_in_force(&mut self) {
        self.rule.mode = Mode::Quarantine;
        self.rule.severity = self.rule.kind.default_severity();
        // What only several rows show together runs after a load by default; to keep rows out it must run before it too.
        if matches!(self.check, Check::Duplicates { .. } | Check::ForeignKey { .. }) {
            self.rule.stage.get_or_insert(Stage::Both);
        }
    }

    /// After a load, what a partition's own rows decide need not be asked of the others again.
    fn narrow(&mut self, schema: &TableSchema) {
        let mut parts = schema.columns.iter().filter(|column| column.partition_key).peekable();
        let partitioned = parts.peek().is_some();
        let local = match &self.check {
            Check::Row { .. } | Check::ForeignKey(_) => partitioned,
            // Rows of one key lie in one partition only where the key holds all of the partition's columns.
            Check::Duplicates { columns, .. } => {
                let within = |name: &str| columns.iter().any(|column| column.column_name() == Some(name));
                partitioned && parts.all(|part| within(&part.name))
            }
            _ => false,
        };
        if local && self.rule.scope == Scope::Full {
            self.rule.scope = Scope::LoadedPartitions;
        }
    }

    /// Counted and reported only. A rule about rows that nothing bears out yet must not fail a run either.
    fn observe(&mut self) {
        self.rule.mode = Mode::Observe;
        if matches!(self.check, Check::Row { .. } | Check::Duplicates { .. } | Check::ForeignKey(_)) {
            self.rule.severity = Severity::Warn;
        }
    }
}

fn refuse(rule: &Rule, reason: impl Into<String>, violations: Option<u64>) -> Verdict {
    Verdict {
        id: rule.id.clone(),
        what: sentence(rule),
        kept: false,
        reason: reason.into(),
        evidence: rule.evidence.clone().unwrap_or_default(),
        violations,
    }
}

/// A proposal taken apart.
struct Parts {
    /// The contract without rules, over the table's own columns.
    contract: Contract,
    /// The rules, each with the column whose list holds it; `None` for the table's.
    rules: Vec<(Option<String>, Rule)>,
    /// The tests of free SQL.
    queries: Vec<Test>,
}

/// The proposal as a contract without rules over the table's own columns, its rules with their places, and its SQL tests.
fn take_apart(context: &Context, proposal: Proposal, schema: &TableSchema, verdicts: &mut Vec<Verdict>) -> Parts {
    let Proposal { contract: mut proposed, tests, .. } = proposal;
    proposed.make_ids_unique();
    let mut rules = Vec::new();
    let mut described = HashMap::new();
    for (name, mut column) in std::mem::take(&mut proposed.columns) {
        let Some(known) = schema.column(&name) else {
            let reason = match contract::schema::nearest(&name, schema.columns.iter().map(|c| c.name.as_str())).first()
            {
                Some(near) => format!("the table has no column {name}; did you mean {near}?"),
                None => format!("the table has no column {name}"),
            };
            verdicts.push(Verdict {
                id: format!("column_{name}"),
                what: format!("a column {name}, {}", column.data_type),
                kept: false,
                reason,
                evidence: String::new(),
                violations: None,
            });
            continue;
        };
        rules.extend(std::mem::take(&mut column.rules).into_iter().map(|rule| (Some(known.name.clone()), rule)));
        described.insert(known.name.clone(), column);
    }
    rules.extend(std::mem::take(&mut proposed.table_level_checks).into_iter().map(|rule| (None, rule)));

    let mut contract = Contract {
        table_name: context.table_name.clone(),
        database: Some(context.database.clone()),
        freshness: proposed.freshness.take(),
        primary_key: std::mem::take(&mut proposed.primary_key),
        owner: proposed.owner,
        description: proposed.description.filter(|text| !text.trim().is_empty()),
        ..Contract::default()
    };
    for column in &context.schema {
        let proposed = described.remove(&column.name).unwrap_or_default();
        contract.columns.insert(
            column.name.clone(),
            ColumnContract {
                data_type: column.data_type.clone(),
                nullable: column.nullable,
                description: proposed.description.or_else(|| column.comment.clone()),
                rules: Vec::new(),
                extra: proposed.extra,
            },
        );
    }
    let (queries, predicates): (Vec<Test>, Vec<Test>) = tests.into_iter().partition(|test| test.sql.is_some());
    rules.extend(predicates.into_iter().filter_map(|test| {
        let kind = RuleKind::CheckConstraint { expression: test.rule? };
        let rule = Rule {
            id: test.name,
            stage: Some(test.stage),
            description: Some(test.description).filter(|text| !text.is_empty()),
            source: Source::Llm,
            ..Rule::new(kind, None)
        };
        Some((None, rule))
    }));
    add_missing_key_rule(&contract, &mut rules);
    add_missing_freshness_rule(context, &contract, &mut rules);
    Parts { contract, rules, queries }
}

/// A primary key that is only named is tried as the rule that it implies.
fn add_missing_key_rule(contract: &Contract, rules: &mut Vec<(Option<String>, Rule)>) {
    let key = &contract.primary_key;
    if key.is_empty() || rules.iter().any(|(_, rule)| key_of(rule).is_some_and(|columns| same_columns(&columns, key))) {
        return;
    }
    let kind = RuleKind::GrainUniqueness { grain: key.clone() };
    let evidence = Some("the proposal names it as the primary key".to_owned());
    rules.push((None, Rule { source: Source::Llm, evidence, ..Rule::new(kind, None) }));
}

/// A freshness that states no check is tried as one over the column that dates the rows.
fn add_missing_freshness_rule(context: &Context, contract: &Contract, rules: &mut Vec<(Option<String>, Rule)>) {
    let Some(mut freshness) = contract.freshness.clone() else { return };
    if rules.iter().any(|(_, rule)| matches!(rule.kind, RuleKind::Freshness { .. })) {
        return;
    }
    let dating = || dating_column(context).map(|column| column.name.clone());
    freshness.column = freshness.column.or_else(dating);
    let Some(rule) = freshness.rule() else { return };
    let evidence = Some(format!("the proposal says that data comes {}", freshness.frequency));
    rules.push((None, Rule { source: Source::Llm, evidence, ..rule }));
}

/// Lets in the rules that can be compiled and that name only what exists.
async fn admit(
    subject: Subject<'_>,
    context: &Context,
    proposed: Vec<(Option<String>, Rule)>,
    schema: &TableSchema,
    verdicts: &mut Vec<Verdict>,
) -> Result<Vec<Candidate>> {
    let stated = stated::rules(context);
    let mut candidates: Vec<Candidate> = Vec::new();
    for (place, mut rule) in proposed {
        let own = stated.iter().find(|own| own.kind == rule.kind && own.column == rule.column);
        match own {
            Some(own) => {
                let (id, description) = (rule.id.clone(), rule.description.take().or_else(|| own.description.clone()));
                rule = Rule { id, description, ..own.clone() };
            }
            None => {
                if matches!(rule.source, Source::Code | Source::Human) {
                    rule.source = Source::Llm;
                }
                rule.mute_until = None;
                // A large enough tolerance would let any rule hold.
                rule.threshold = rule.threshold.filter(
                    |threshold| matches!(threshold, Threshold::Share(share) if *share <= MAX_PROPOSED_TOLERANCE),
                );
            }
        }
        let twin =
            |c: &&Candidate| c.rule.kind == rule.kind && c.rule.column == rule.column && c.rule.filter == rule.filter;
        if let Some(twin) = candidates.iter().find(twin) {
            verdicts.push(refuse(&rule, format!("{} says the same", twin.rule.id), None));
            continue;
        }
        let admitted = match check_references(subject, &rule, schema).await? {
            Some(reason) => Err(reason),
            None => mend_query(subject, schema, &mut rule)
                .and_then(|()| compile::check(&rule, schema).map_err(|error| error.reason)),
        };
        let check = match admitted {
            Ok(check) => check,
            Err(reason) => {
                verdicts.push(refuse(&rule, reason, None));
                continue;
            }
        };
        let mut candidate =
            Candidate { rule, place, check, stated: own.is_some(), reason: String::new(), violations: None };
        match candidate.stated {
            true => candidate.put_in_force(),
            false => candidate.observe(),
        }
        candidate.narrow(schema);
        candidates.push(candidate);
    }
    Ok(candidates)
}

/// Why a foreign key cannot be checked: the table or the column that it names is not there.
async fn check_references(subject: Subject<'_>, rule: &Rule, schema: &TableSchema) -> Result<Option<String>> {
    let RuleKind::ForeignKey { ref_table, .. } = &rule.kind else { return Ok(None) };
    let name = super::resolve(ref_table, subject.table, subject.all);
    if !subject.all.contains(&name) {
        let names: Vec<String> = subject.all.iter().map(TableName::to_string).collect();
        let near = contract::schema::nearest(&name.to_string(), names.iter().map(String::as_str));
        let hint = near.first().map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        return Ok(Some(format!("the lake has no table {name}{hint}")));
    }
    let referenced = subject.lake.catalog().table(&name).await?.schema;
    let known = |_: &str| Some(referenced.clone());
    Ok(compile::check_among(rule, schema, &known).err().map(|error| error.reason))
}

/// A rule of free SQL becomes the query as Athena accepts it.
fn mend_query(subject: Subject<'_>, schema: &TableSchema, rule: &mut Rule) -> std::result::Result<(), String> {
    let RuleKind::CustomSql { sql, min, max, .. } = &rule.kind else { return Ok(()) };
    let (min, max) = (*min, *max);
    let mended = queries::mend(subject, schema, sql, min.is_some() || max.is_some())?;
    if !mended.repairs.is_empty() {
        let evidence = rule.evidence.get_or_insert_default();
        evidence.push_str(&format!("; repaired: {}", mended.repairs.join("; ")));
    }
    rule.kind = RuleKind::CustomSql { sql: mended.sql, expects: mended.expects, min, max };
    Ok(())
}

/// What the whole table says of a rule; whether it is kept.
fn judge(candidate: &mut Candidate, outcome: Option<&Outcome>, verdicts: &mut Vec<Verdict>) -> bool {
    let stated = candidate.stated;
    candidate.reason = match outcome {
        None => "judged on the text of incoming files".to_owned(),
        Some(Outcome::Passed { message }) => format!("holds on the whole table: {message}"),
        Some(Outcome::Skipped { message }) => message.clone(),
        Some(Outcome::Errored { message }) => {
            verdicts.push(refuse(&candidate.rule, format!("it cannot be evaluated: {message}"), None));
            return false;
        }
        Some(Outcome::Failed { violations, message }) if stated => {
            candidate.violations = *violations;
            format!("the script states it, although {message}")
        }
        Some(Outcome::Failed { violations, message }) => {
            verdicts.push(refuse(&candidate.rule, format!("the table refutes it: {message}"), *violations));
            return false;
        }
    };
    if let Some(Outcome::Passed { .. }) = outcome {
        candidate.violations = Some(0).filter(|_| candidate.can_quarantine());
    }
    true
}

/// Learns on the earlier days, tries on the later ones, and puts into force what held.
async fn try_later_days(
    subject: Subject<'_>,
    context: &Context,
    schema: &TableSchema,
    candidates: &mut [Candidate],
    verified: &mut Verified,
) -> Result<()> {
    if candidates.iter().all(|candidate| candidate.stated) {
        return Ok(());
    }
    let Some(split) = trial::split(subject.lake, context, schema, &mut verified.cost).await? else { return Ok(()) };
    let options = ProfileOptions { range: Some(split.earlier.clone()), ..ProfileOptions::default() };
    let earlier = profile(subject.lake, subject.table, &options).await?;
    verified.cost.seconds += earlier.cost.seconds;
    verified.cost.bytes_scanned += earlier.cost.bytes_scanned;

    let mut relearned: HashMap<String, Rule> = HashMap::new();
    for candidate in candidates.iter().filter(|candidate| !candidate.stated) {
        let column = candidate.rule.column.as_deref().unwrap_or_default();
        let stats = (context.column_stats.get(column), earlier.profile.column_stats.get(column));
        let rule = trial::relearned(&candidate.rule, stats.0, stats.1);
        if rule.kind != candidate.rule.kind {
            relearned.insert(rule.id.clone(), rule);
        }
    }
    let checks: Vec<(&Rule, Check)> =
        relearned.values().filter_map(|rule| Some((rule, compile::check(rule, schema).ok()?))).collect();
    let outcomes = match checks.is_empty() {
        true => HashMap::new(),
        false => checks::run(subject, &checks, Some(&split.later), &mut verified.cost).await?,
    };
    for candidate in candidates.iter_mut().filter(|candidate| !candidate.stated) {
        let outcome = outcomes.get(&candidate.rule.id);
        match (relearned.get(&candidate.rule.id), outcome) {
            (Some(rule), Some(Outcome::Failed { violations, .. })) => {
                verified.verdicts.push(coincidence(rule, *violations, &split));
                candidate.reason = format!(
                    "what the {} showed was refuted by the days after: learned again from all days, and only observed",
                    split.learned_days()
                );
            }
            // It holds on all rows, and is what the earlier days alone would have taught.
            (None, _) if candidate.can_quarantine() && split.bears_out() => {
                candidate.put_in_force();
                let held = format!("learned on {}, held on {}", split.learned_days(), split.tried_days());
                candidate.rule.evidence = Some(match candidate.rule.evidence.take() {
                    Some(evidence) => format!("{evidence}; {held}"),
                    None => held.clone(),
                });
                candidate.reason = format!("{held}: in force");
            }
            _ => {}
        }
    }
    Ok(())
}

fn coincidence(rule: &Rule, violations: Option<u64>, split: &Split) -> Verdict {
    let rows = violations.map(|rows| format!("{rows} rows of the ")).unwrap_or_default();
    Verdict {
        id: rule.id.clone(),
        what: format!("{}, as learned on {}", sentence(rule), split.learned_days()),
        kept: false,
        reason: format!("a coincidence of the earlier days: refuted by {rows}{}", split.tried_days()),
        evidence: rule.evidence.clone().unwrap_or_default(),
        violations,
    }
}

/// The key and the freshness of a contract stand only with a rule that was kept.
fn settle_key_and_freshness(contract: &mut Contract, verdicts: &mut Vec<Verdict>) {
    let key = std::mem::take(&mut contract.primary_key);
    if contract.rules().any(|rule| key_of(rule).is_some_and(|columns| same_columns(&columns, &key))) {
        contract.primary_key = key;
    } else if !key.is_empty() {
        verdicts.push(Verdict {
            id: "primary_key".to_owned(),
            what: format!("({}) is the primary key", key.join(", ")),
            kept: false,
            reason: "no rule that bears it out is kept".to_owned(),
            evidence: String::new(),
            violations: None,
        });
    }
    let fresh = contract.rules().find_map(|rule| match &rule.kind {
        RuleKind::Freshness { column, .. } => Some(column.clone()),
        _ => None,
    });
    contract.freshness = contract
        .freshness
        .take()
        .zip(fresh)
        .map(|(freshness, column)| Freshness { column: freshness.column.or(Some(column)), ..freshness });
}

/// The columns of a rule that says that they identify a row.
fn key_of(rule: &Rule) -> Option<Vec<String>> {
    match &rule.kind {
        RuleKind::PrimaryKey { columns } | RuleKind::GrainUniqueness { grain: columns } => Some(columns.clone()),
        RuleKind::Unique => rule.column.clone().map(|column| vec![column]),
        _ => None,
    }
}

fn same_columns(left: &[String], right: &[String]) -> bool {
    let sorted = |names: &[String]| {
        let mut names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
        names.sort();
        names
    };
    sorted(left) == sorted(right)
}

/// Reads a test of free SQL, mends it and runs it under limits.
async fn try_query(
    subject: Subject<'_>,
    schema: &TableSchema,
    has_data: bool,
    test: Test,
    verified: &mut Verified,
) -> Result<()> {
    let sql = test.sql.clone().unwrap_or_default();
    let what = if test.description.is_empty() { sql.clone() } else { test.description.clone() };
    let mut verdict = Verdict {
        id: test.name.clone(),
        what,
        kept: false,
        reason: String::new(),
        evidence: String::new(),
        violations: None,
    };
    let (min, max) = (test.min, test.max);
    match queries::mend(subject, schema, &sql, min.is_some() || max.is_some()) {
        Err(reason) => verdict.reason = reason,
        Ok(Mended { sql, expects, repairs }) => {
            let kind = RuleKind::CustomSql { sql: sql.clone(), expects, min, max };
            let rule = Rule { id: test.name.clone(), ..Rule::new(kind, None) };
            let check = Check::Query { sql: sql.clone(), expects, bounds: Bounds::of_numbers(min, max) };
            let outcome = match has_data {
                true => checks::run(subject, &[(&rule, check)], None, &mut verified.cost).await?.remove(&rule.id),
                false => None,
            };
            let repaired = match repairs.is_empty() {
                true => String::new(),
                false => format!("; repaired: {}", repairs.join("; ")),
            };
            (verdict.kept, verdict.reason, verdict.violations) = match outcome {
                None => (true, format!("there is no data yet to run it on{repaired}"), None),
                Some(Outcome::Passed { message }) => (true, format!("holds: {message}{repaired}"), Some(0)),
                Some(Outcome::Skipped { message }) => (true, format!("{message}{repaired}"), None),
                Some(Outcome::Failed { violations, message }) => {
                    (false, format!("the table refutes it: {message}"), violations)
                }
                Some(Outcome::Errored { message }) => (false, format!("it cannot be run: {message}"), None),
            };
            if verdict.kept {
                let stage = if test.stage == Stage::PreLoad { Stage::PostLoad } else { test.stage };
                verified.tests.push(Test { sql: Some(sql), expects: Some(expects), rule: None, stage, ..test });
            }
        }
    }
    verified.verdicts.push(verdict);
    Ok(())
}
