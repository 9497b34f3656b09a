//! What the run found, held against what was planted.
//!
//! A trouble counts as found only where the very rows, or the very day, were flagged for a reason that fits it. All else
//! that was flagged is a false alarm.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use contract::rule::{Rule, RuleKind};
use engine::stage::postload::{Run, Status};
use engine::stage::verify::Verdict;
use fixtures::planted::{FoundBy, Kind, Planted, Trouble};
use serde::Serialize;

/// What the run saw of the table.
#[derive(Default)]
pub(super) struct Seen {
    /// The contract's rules.
    pub(super) rules: Vec<Rule>,
    /// What was proposed, kept and refused.
    pub(super) verdicts: Vec<Verdict>,
    /// The loads, in order.
    pub(super) loads: Vec<Load>,
    /// The tests after each day's loads.
    pub(super) tests: Vec<Tested>,
}

/// What became of a delivered file.
pub(super) struct Load {
    pub(super) day: NaiveDate,
    pub(super) file: String,
    pub(super) input: u64,
    pub(super) good: u64,
    /// Why the load stopped.
    pub(super) stopped: Option<String>,
    /// Whether the good rows were written.
    pub(super) loaded: bool,
    /// Whether nothing was done, because the same load was done before.
    pub(super) already_loaded: bool,
    /// Quarantined rows by their number in the file, with the rules that each violates.
    pub(super) quarantined: BTreeMap<u64, Vec<String>>,
}

/// The tests of one day.
pub(super) struct Tested {
    pub(super) day: NaiveDate,
    pub(super) run: Run,
}

/// The verdict on the run.
#[derive(Serialize)]
pub(super) struct Judgement {
    pub(super) planted: Vec<Judged>,
    pub(super) false_alarms: Vec<FalseAlarm>,
}

/// A planted trouble, and whether it was found.
#[derive(Serialize)]
pub(super) struct Judged {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) stage: FoundBy,
    pub(super) day: Option<NaiveDate>,
    pub(super) rows: usize,
    pub(super) found: bool,
    /// By what it was found, or what was seen instead.
    pub(super) how: String,
}

/// Something that was flagged and is no planted trouble.
#[derive(Serialize, PartialEq, Debug)]
pub(super) struct FalseAlarm {
    pub(super) stage: FoundBy,
    pub(super) day: Option<NaiveDate>,
    pub(super) what: String,
}

/// Judges a run.
pub(super) fn judge(planted: &Planted, seen: &Seen) -> Judgement {
    let judged = |trouble: &Trouble| {
        let outcome = match trouble.stage {
            FoundBy::Verify => in_verdicts(trouble, seen),
            FoundBy::PreLoad => in_loads(trouble, planted, seen),
            FoundBy::PostLoad => in_tests(trouble, seen),
            FoundBy::Drift => Err("no stage of this run compares statistics over time".to_owned()),
        };
        Judged {
            id: trouble.id.clone(),
            kind: trouble.kind,
            stage: trouble.stage,
            day: trouble.day,
            rows: trouble.rows,
            found: outcome.is_ok(),
            how: outcome.unwrap_or_else(|instead| instead),
        }
    };
    let mut false_alarms = alarms_of_loads(planted, seen);
    false_alarms.extend(alarms_of_tests(planted, seen));
    Judgement { planted: planted.troubles.iter().map(judged).collect(), false_alarms }
}

impl Judgement {
    /// Whether all was found that these stages can find, and nothing else was flagged.
    pub(super) fn is_right(&self) -> bool {
        let found = |judged: &Judged| judged.found || judged.stage == FoundBy::Drift;
        self.planted.iter().all(found) && self.false_alarms.is_empty()
    }
}

/// A rule learned on the first days is refused because of the planted rows of the last ones.
fn in_verdicts(trouble: &Trouble, seen: &Seen) -> Result<String, String> {
    let column = trouble.column.as_deref().unwrap_or_default();
    let refused: Vec<&Verdict> = seen.verdicts.iter().filter(|v| !v.kept && v.id.ends_with(column)).collect();
    let rows = trouble.rows as u64;
    match refused.iter().find(|verdict| verdict.violations == Some(rows)) {
        Some(verdict) => Ok(format!("{} refused: {}", verdict.id, verdict.reason)),
        None if refused.is_empty() => Err(format!("no rule of {column} was refused")),
        None => {
            let counts = refused.iter().map(|v| format!("{} by {:?} rows", v.id, v.violations.unwrap_or(0)));
            Err(format!("refuted: {}", counts.collect::<Vec<_>>().join(", ")))
        }
    }
}

/// The planted rows of the file are in quarantine, each for a fitting reason; and the load with too many of them stops,
/// to be made good by the corrected file, once.
fn in_loads(trouble: &Trouble, planted: &Planted, seen: &Seen) -> Result<String, String> {
    let file = trouble.file.as_deref().unwrap_or_default();
    let load = seen.loads.iter().find(|load| load.file == file).ok_or("its file was not loaded")?;
    let mut reasons = BTreeSet::new();
    let mut missed = 0;
    for row in &trouble.row_numbers {
        let rules = load.quarantined.get(&(*row as u64)).into_iter().flatten();
        let fitting: Vec<&String> = rules.filter(|rule| is_fitting(trouble, rule, &seen.rules)).collect();
        missed += usize::from(fitting.is_empty());
        reasons.extend(fitting);
    }
    if missed > 0 {
        return Err(format!("{missed} of {} rows were not quarantined for it", trouble.rows));
    }
    let how = reasons.into_iter().cloned().collect::<Vec<_>>().join(", ");
    if trouble.kind != Kind::BadShare {
        return Ok(how);
    }
    if load.stopped.is_none() || load.loaded {
        return Err("the load did not stop".to_owned());
    }
    let fixed =
        planted.deliveries.iter().find_map(|delivery| delivery.fixed.as_deref().filter(|_| delivery.day == load.day));
    let replays: Vec<&Load> = seen.loads.iter().filter(|load| Some(load.file.as_str()) == fixed).collect();
    match replays.as_slice() {
        [first, again] if first.loaded && first.good == first.input && again.already_loaded => {
            Ok(format!("{how}; stopped, and loaded once when corrected"))
        }
        _ => Err("the corrected file was not loaded exactly once".to_owned()),
    }
}

/// A test of that day fails for a fitting reason.
fn in_tests(trouble: &Trouble, seen: &Seen) -> Result<String, String> {
    let tested = seen.tests.iter().find(|tested| Some(tested.day) == trouble.day).ok_or("the day was not tested")?;
    let failed = failed(&tested.run, &seen.rules);
    let fitting: Vec<_> = failed.iter().filter(|failure| fits_day(trouble, failure)).collect();
    // A doubled day is seen where its rows are counted twice, not only where there are too many.
    let proof = |failure: &&Failed| match trouble.kind {
        Kind::DoubledDay => is_uniqueness(failure.rule) && counts(failure.violations, trouble.rows as u64),
        _ => true,
    };
    if !fitting.iter().any(proof) {
        return Err("no fitting test failed on that day".to_owned());
    }
    Ok(fitting.iter().map(|failure| failure.name).collect::<Vec<_>>().join(", "))
}

struct Failed<'a> {
    name: &'a str,
    rule: Option<&'a Rule>,
    violations: Option<u64>,
    message: &'a str,
}

fn failed<'a>(run: &'a Run, rules: &'a [Rule]) -> Vec<Failed<'a>> {
    let failures = run.tests.iter().filter(|test| test.status == Status::Failed);
    failures
        .map(|test| Failed {
            name: &test.name,
            rule: test.rule_id.as_ref().and_then(|id| rules.iter().find(|rule| rule.id == *id)),
            violations: test.violations,
            message: &test.message,
        })
        .collect()
}

/// Whether a count of duplicates is that of rows which are there twice: the surplus rows, or all of them.
fn counts(violations: Option<u64>, rows: u64) -> bool {
    violations == Some(rows) || violations == Some(2 * rows)
}

/// Rows in quarantine that nobody planted or for no fitting reason, and loads that stopped without need.
fn alarms_of_loads(planted: &Planted, seen: &Seen) -> Vec<FalseAlarm> {
    let mut alarms = Vec::new();
    for load in &seen.loads {
        let troubles: Vec<&Trouble> = planted
            .troubles
            .iter()
            .filter(|trouble| trouble.stage == FoundBy::PreLoad && trouble.file.as_ref() == Some(&load.file))
            .collect();
        let alarm = |what: String| FalseAlarm { stage: FoundBy::PreLoad, day: Some(load.day), what };
        let mut wrong: BTreeMap<String, u64> = BTreeMap::new();
        for (row, rules) in &load.quarantined {
            let planted = troubles.iter().any(|trouble| {
                trouble.row_numbers.iter().any(|planted| *planted as u64 == *row)
                    && rules.iter().any(|rule| is_fitting(trouble, rule, &seen.rules))
            });
            if !planted {
                *wrong.entry(rules.join(", ")).or_default() += 1;
            }
        }
        alarms.extend(wrong.into_iter().map(|(rules, rows)| alarm(format!("{}: {rows} rows by {rules}", load.file))));
        if let Some(reason) = &load.stopped
            && !troubles.iter().any(|trouble| trouble.kind == Kind::BadShare)
        {
            alarms.push(alarm(format!("{} stopped: {reason}", load.file)));
        }
    }
    alarms
}

/// Tests that failed on a day for which nothing fitting was planted.
fn alarms_of_tests(planted: &Planted, seen: &Seen) -> Vec<FalseAlarm> {
    let mut alarms = Vec::new();
    for tested in &seen.tests {
        let troubles: Vec<&Trouble> = planted
            .troubles
            .iter()
            .filter(|trouble| trouble.stage == FoundBy::PostLoad && trouble.day == Some(tested.day))
            .collect();
        let failures = failed(&tested.run, &seen.rules).into_iter();
        let wrong = failures.filter(|failure| !troubles.iter().any(|trouble| fits_day(trouble, failure)));
        alarms.extend(wrong.map(|failure| FalseAlarm {
            stage: FoundBy::PostLoad,
            day: Some(tested.day),
            what: format!("{}: {}", failure.name, failure.message),
        }));
    }
    alarms
}

/// Whether a test that failed tells of this trouble of the day.
fn fits_day(trouble: &Trouble, failure: &Failed) -> bool {
    let kind = failure.rule.map(|rule| &rule.kind);
    let counts_rows = matches!(kind, Some(RuleKind::RowCount { .. } | RuleKind::RowCountAnomaly { .. }));
    match trouble.kind {
        Kind::DoubledDay => counts_rows || is_uniqueness(failure.rule),
        Kind::LateDay => counts_rows || matches!(kind, Some(RuleKind::Freshness { .. })),
        _ => false,
    }
}

fn is_uniqueness(rule: Option<&Rule>) -> bool {
    let kind = rule.map(|rule| &rule.kind);
    matches!(kind, Some(RuleKind::Unique | RuleKind::PrimaryKey { .. } | RuleKind::GrainUniqueness { .. }))
}

/// Whether a rule is one that such a row violates.
fn is_fitting(trouble: &Trouble, rule: &str, rules: &[Rule]) -> bool {
    let column = trouble.column.as_deref();
    // Values that do not have their column's type are found without a rule of the contract, too.
    if matches!(trouble.kind, Kind::WrongType | Kind::UnparsableDate) {
        return column.is_some_and(|column| rule == format!("type_{column}"));
    }
    let Some(rule) = rules.iter().find(|known| known.id == rule) else { return false };
    let of_column = rule.column.as_deref() == column;
    let bounds = matches!(rule.kind, RuleKind::Min { .. } | RuleKind::Max { .. } | RuleKind::Range { .. });
    let states = |expression: &str| column.is_some_and(|column| expression.contains(column));
    match (trouble.kind, &rule.kind) {
        (Kind::Duplicates, _) => is_uniqueness(Some(rule)),
        (Kind::Nulls | Kind::BadShare, RuleKind::PrimaryKey { columns }) => {
            column.is_some_and(|column| columns.iter().any(|key| key == column))
        }
        (Kind::Nulls | Kind::BadShare, RuleKind::NotNull) => of_column,
        (Kind::Orphans, RuleKind::ForeignKey { .. }) => of_column,
        (Kind::OutOfRange | Kind::Nan, RuleKind::CheckConstraint { expression }) => states(expression),
        (Kind::OutOfRange | Kind::Nan, _) if bounds => of_column,
        (Kind::Nan, RuleKind::NotNull | RuleKind::Type { .. }) => of_column,
        (Kind::NewStatus, RuleKind::AllowedValues { .. }) => of_column,
        (Kind::NewStatus, RuleKind::CheckConstraint { expression }) => states(expression),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A day of which the rows 3 and 5 of its file have a negative amount.
    fn planted() -> Planted {
        serde_json::from_value(serde_json::json!({
            "rows": 10, "days": 1, "seed": 1, "table": "db.t", "history": ["2024-01-01", "2024-01-02"],
            "deliveries": [{ "day": "2024-01-03", "files": ["a.csv"] }],
            "troubles": [{ "id": "out_of_range", "kind": "out_of_range", "stage": "pre_load", "what": "",
                "day": "2024-01-03", "rows": 2, "column": "amount", "file": "a.csv", "row_numbers": [3, 5] }],
        }))
        .unwrap()
    }

    fn seen(quarantined: &[(u64, &str)]) -> Seen {
        let rule = |kind, column| Rule::new(kind, Some(column));
        let load = Load {
            day: "2024-01-03".parse().unwrap(),
            file: "a.csv".into(),
            input: 10,
            good: 10 - quarantined.len() as u64,
            stopped: None,
            loaded: true,
            already_loaded: false,
            quarantined: quarantined.iter().map(|(row, rule)| (*row, vec![(*rule).to_owned()])).collect(),
        };
        let min = RuleKind::Min { value: 0.into() };
        Seen {
            rules: vec![rule(min.clone(), "amount"), rule(min, "fee"), rule(RuleKind::NotNull, "amount")],
            loads: vec![load],
            ..Seen::default()
        }
    }

    fn found(quarantined: &[(u64, &str)]) -> (bool, usize) {
        let judgement = judge(&planted(), &seen(quarantined));
        (judgement.planted[0].found, judgement.false_alarms.len())
    }

    #[test]
    fn a_trouble_is_found_where_all_its_rows_are_quarantined_for_it() {
        assert_eq!(found(&[(3, "min_amount"), (5, "min_amount")]), (true, 0));
        assert_eq!(found(&[(3, "min_amount")]), (false, 0));
    }

    #[test]
    fn rows_of_nobody_s_planting_are_false_alarms() {
        assert_eq!(found(&[(3, "min_amount"), (4, "min_amount"), (5, "min_amount")]), (true, 1));
    }

    #[test]
    fn the_right_rows_for_a_wrong_reason_are_not_found() {
        for rule in ["not_null_amount", "min_fee", "no_such_rule"] {
            assert_eq!(found(&[(3, rule), (5, rule)]), (false, 1), "{rule}");
        }
    }

    #[test]
    fn a_load_that_stops_without_need_is_a_false_alarm() {
        let mut seen = seen(&[(3, "min_amount"), (5, "min_amount")]);
        seen.loads[0].stopped = Some("too many".into());
        assert_eq!(judge(&planted(), &seen).false_alarms.len(), 1);
    }
}
