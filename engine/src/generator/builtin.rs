//! The generator that needs no key and no network: it proposes what code and statistics suggest.

use async_trait::async_trait;
use contract::document::context::ContextColumn;
use contract::document::{ColumnContract, ColumnProfile, Context, Contract, Freshness, stated};
use contract::rule::{Calendar, Rule, RuleKind, Severity, Source};
use contract::types::DataType;
use serde_json::json;

use super::dating::{Frequency, dating_column, frequency};
use super::{Generator, Proposal, bounds};
use crate::Result;
use crate::project::settings::GenerateSettings;

/// Proposes from code facts and statistics alone. The same context gives the same proposal.
#[derive(Clone, Debug)]
pub struct Builtin {
    settings: GenerateSettings,
}

impl Builtin {
    /// A generator with these thresholds.
    pub fn new(settings: &GenerateSettings) -> Self {
        Self { settings: settings.clone() }
    }
}

#[async_trait]
impl Generator for Builtin {
    fn name(&self) -> &str {
        "builtin"
    }

    async fn propose(&self, context: &Context) -> Result<Proposal> {
        let stated = stated::rules(context);
        let mut contract = Contract {
            table_name: context.table_name.clone(),
            database: Some(context.database.clone()),
            owner: Some(self.settings.owner.clone()),
            description: Some(context.purpose.clone()),
            ..Contract::default()
        };
        for column in &context.schema {
            let of_column = |rule: &&Rule| rule.column.as_deref() == Some(column.name.as_str());
            let mut rules: Vec<Rule> = stated.iter().filter(of_column).cloned().collect();
            for rule in self.learned(context, column) {
                if !rules.iter().any(|known| covers(known, &rule)) {
                    rules.push(rule);
                }
            }
            rules.sort_by_key(|rule| order(&rule.kind));
            let described = ColumnContract {
                data_type: column.data_type.clone(),
                nullable: column.nullable,
                description: column.comment.clone(),
                rules,
                ..ColumnContract::default()
            };
            contract.columns.insert(column.name.clone(), described);
        }
        contract.table_level_checks = stated.into_iter().filter(|rule| rule.column.is_none()).collect();
        self.add_key(context, &mut contract);
        self.add_table_checks(context, &mut contract);
        Ok(Proposal { contract, ..Proposal::default() })
    }
}

impl Builtin {
    /// What a column's statistics suggest.
    fn learned(&self, context: &Context, column: &ContextColumn) -> Vec<Rule> {
        let rows = context.row_count;
        let Some(stats) = context.column_stats.get(&column.name) else { return Vec::new() };
        if rows < self.settings.min_rows.max(1) {
            return Vec::new();
        }
        let data_type = DataType::parse(&column.data_type).unwrap_or_default();
        let mut rules = Vec::new();
        let mut add = |kind: RuleKind, evidence: String| rules.push(learned(kind, Some(&column.name), evidence));
        if stats.null_pct == 0.0 {
            add(RuleKind::NotNull, format!("no NULL in {rows} rows"));
        } else if stats.null_pct < 50.0 {
            let max = tolerated_share(stats.null_pct);
            add(RuleKind::NullRatio { max }, format!("{:.2} % of {rows} rows are NULL", stats.null_pct));
        }
        if data_type.is_text() && stats.blank_pct == Some(0.0) && stats.null_pct < 100.0 {
            add(RuleKind::NotEmpty, format!("no blank text in {rows} rows"));
        }
        if data_type.is_numeric() {
            numeric(context, column, stats, &data_type, &mut add);
        }
        if data_type.is_text() {
            match self.few_values(stats, rows) {
                Some(values) => {
                    let evidence = format!("only {} values in {rows} rows", values.len());
                    add(RuleKind::AllowedValues { values }, evidence);
                }
                None => constant_length(stats, rows, &mut add),
            }
        }
        rules.extend(self.looked_up(context, &column.name));
        rules
    }

    /// The values of a column that has few, each of them often.
    fn few_values(&self, stats: &ColumnProfile, rows: u64) -> Option<Vec<serde_json::Value>> {
        /// Rows per value, on average, from which a list of values is more than a coincidence.
        const ROWS_PER_VALUE: u64 = 20;
        let count = stats.distinct_count.filter(|count| stats.distinct_exact && *count >= 1)?;
        let complete = stats.top_values.len() as u64 == count;
        let few = count <= self.settings.max_allowed_values && rows >= count * ROWS_PER_VALUE;
        (complete && few).then(|| stats.top_values.iter().map(|top| top.value.clone()).collect())
    }

    /// A column that the script looks up by a left join: the script does not say that it finds every value.
    fn looked_up(&self, context: &Context, column: &str) -> Vec<Rule> {
        let references = context.facts.iter().flat_map(|facts| &facts.references);
        let left = references.filter(|reference| reference.how != "inner" && reference.column == column);
        left.map(|reference| {
            let evidence = format!("the script looks it up in {} by a {} join", reference.ref_table, reference.how);
            let kind = RuleKind::reference(&reference.ref_table, &reference.ref_column);
            learned(kind, Some(column), evidence)
        })
        .collect()
    }

    /// The key: the script's grain, else a column that looks like an identifier and has about as many values as rows.
    fn add_key(&self, context: &Context, contract: &mut Contract) {
        if let Some(grain) = stated::grain(context) {
            let stated = contract.table_level_checks.iter().any(|rule| rule.id.starts_with("grain_uniqueness"));
            if !stated {
                let reason = context.facts.as_ref().map(|facts| facts.grain_reason.clone()).unwrap_or_default();
                let kind = RuleKind::GrainUniqueness { grain: grain.clone() };
                let mut rule = learned(kind, None, format!("the script suggests it: {reason}"));
                rule.description = Some(format!("No duplicate ({}) rows.", grain.join(", ")));
                contract.table_level_checks.push(rule);
            }
            contract.primary_key = grain;
            return;
        }
        if context.row_count < self.settings.min_rows.max(2) {
            return;
        }
        let candidates = context.schema.iter().filter(|column| is_key_like(context, column));
        let Some(best) = candidates.min_by_key(|column| identifier_rank(&context.table_name, &column.name)) else {
            return;
        };
        if identifier_rank(&context.table_name, &best.name) == NO_IDENTIFIER {
            return;
        }
        let kind = RuleKind::GrainUniqueness { grain: vec![best.name.clone()] };
        let evidence = format!("about as many values as the {} rows, none of them NULL", context.row_count);
        let mut rule = learned(kind, None, evidence);
        rule.description = Some(format!("No duplicate ({}) rows.", best.name));
        contract.table_level_checks.push(rule);
        contract.primary_key = vec![best.name.clone()];
    }

    fn add_table_checks(&self, context: &Context, contract: &mut Contract) {
        let rows = context.row_count;
        if rows >= self.settings.min_rows.max(1) {
            let (deviation, days) = (self.settings.row_count_deviation, self.settings.row_count_window_days);
            let sentence = format!(
                "Row count should not deviate by more than {}% from a {days}-day rolling average.",
                round(deviation * 100.0, 2)
            );
            let kind = RuleKind::RowCountAnomaly { rule: Some(sentence), max_deviation: deviation, window_days: days };
            let rule = learned(kind, None, "the project's setting `generate.row_count_deviation`".to_owned());
            contract.table_level_checks.push(Rule { severity: Severity::Warn, ..rule });
        }
        let Some(column) = dating_column(context) else { return };
        let Some(frequency) = frequency(context, column) else { return };
        let hour = self.settings.sla_hour_utc;
        contract.freshness = Some(Freshness {
            frequency: frequency.name().to_owned(),
            sla_hour_utc: Some(hour),
            column: Some(column.name.clone()),
            ..Freshness::default()
        });
        contract.table_level_checks.push(freshness_rule(&column.name, frequency, hour));
    }
}

/// A day's data is there by the hour of the next day, so the newest complete day is at most one period and these hours old.
fn freshness_rule(column: &str, frequency: Frequency, hour: u8) -> Rule {
    let max_age_hours = frequency.hours() + f64::from(hour);
    let kind = RuleKind::Freshness { column: column.to_owned(), max_age_hours, calendar: Calendar::default() };
    let evidence = format!("{column} shows new rows {}; they are due by {hour}:00 UTC", frequency.name());
    learned(kind, None, evidence)
}

/// A number that is never negative has a floor; what else its values show is a habit, which only warns.
fn numeric(
    context: &Context,
    column: &ContextColumn,
    stats: &ColumnProfile,
    data_type: &DataType,
    add: &mut impl FnMut(RuleKind, String),
) {
    let rows = context.row_count;
    let (Some(min), Some(max)) = (&stats.min, &stats.max) else { return };
    let (Some(low), Some(high)) = (min.as_f64(), max.as_f64()) else { return };
    if low >= 0.0 && stats.nan_pct.unwrap_or(0.0) == 0.0 {
        let zero = if data_type.is_integer() { json!(0) } else { json!(0.0) };
        add(RuleKind::Min { value: zero }, format!("no value of {rows} rows is negative"));
    }
    let counts_up = is_key_like(context, column) || identifier_rank(&context.table_name, &column.name) != NO_IDENTIFIER;
    if !counts_up && !column.partition_key {
        let evidence = format!("all values of {rows} rows lie from {low} to {high}");
        add(RuleKind::RangeSoft { min: Some(bounds::low(min)), max: Some(bounds::high(max)) }, evidence);
    }
}

/// Texts that all have one length, such as codes and formatted identifiers.
fn constant_length(stats: &ColumnProfile, rows: u64, add: &mut impl FnMut(RuleKind, String)) {
    if let Some((shortest, longest)) = stats.length.filter(|(shortest, longest)| shortest == longest && *shortest > 0) {
        let kind = RuleKind::Length { min: Some(shortest), max: Some(longest) };
        add(kind, format!("all texts of {rows} rows have {shortest} characters"));
    }
}

fn learned(kind: RuleKind, column: Option<&str>, evidence: String) -> Rule {
    Rule { source: Source::Profile, evidence: Some(evidence), ..Rule::new(kind, column) }
}

/// Whether a rule already says what another of the same column would.
fn covers(known: &Rule, rule: &Rule) -> bool {
    known.id == rule.id
        || (known.kind.name() == rule.kind.name() && !matches!(known.kind, RuleKind::CheckConstraint { .. }))
}

/// The order of a column's rules, as the specification's example has it.
fn order(kind: &RuleKind) -> u8 {
    match kind {
        RuleKind::Type { .. } => 0,
        RuleKind::NotNull | RuleKind::NullRatio { .. } => 1,
        RuleKind::NotEmpty => 2,
        RuleKind::Min { .. } | RuleKind::Max { .. } | RuleKind::Range { .. } => 3,
        RuleKind::RangeSoft { .. } => 4,
        RuleKind::AllowedValues { .. } => 5,
        RuleKind::ForeignKey { .. } => 7,
        _ => 6,
    }
}

/// Half as many NULLs again as were seen, and one percent more, rounded up to whole percents.
fn tolerated_share(null_pct: f64) -> f64 {
    ((null_pct * 1.5 + 1.0).ceil() / 100.0).min(1.0)
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}

/// Whether a column has, as far as a sketch can tell, a value of its own in each row.
fn is_key_like(context: &Context, column: &ContextColumn) -> bool {
    /// The sketch of distinct values errs by so much.
    const TOLERANCE: f64 = 0.05;
    let Some(stats) = context.column_stats.get(&column.name) else { return false };
    let Some(distinct) = stats.distinct_count else { return false };
    let data_type = DataType::parse(&column.data_type).unwrap_or_default();
    let rows = context.row_count as f64;
    let about = match stats.distinct_exact {
        true => distinct == context.row_count,
        false => (distinct as f64 - rows).abs() <= TOLERANCE * rows,
    };
    about && stats.null_pct == 0.0 && (data_type.is_text() || data_type.is_integer())
}

/// The rank of a name that does not look like an identifier's.
const NO_IDENTIFIER: u8 = 9;

/// How much a column's name looks like the identifier of its table; smaller is more.
fn identifier_rank(table: &str, column: &str) -> u8 {
    let stem = table.trim_start_matches("dim_").trim_start_matches("fact_").trim_start_matches("raw_");
    let singular = stem.trim_end_matches('s');
    let ends = |ending: &str| column.strip_suffix(ending).map(|rest| rest.trim_end_matches('_'));
    let of_table = ["id", "key", "code", "no", "number"]
        .iter()
        .filter_map(|ending| ends(ending))
        .any(|rest| rest == stem || rest == singular);
    match column {
        "id" | "uuid" | "key" => 0,
        _ if of_table => 1,
        _ if ["_id", "_key", "_uuid"].iter().any(|ending| column.ends_with(ending)) => 2,
        _ if ["_code", "_no", "_number"].iter().any(|ending| column.ends_with(ending)) => 3,
        _ => NO_IDENTIFIER,
    }
}
