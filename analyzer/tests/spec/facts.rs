//! What an analysis says, in lines that people read.

use analyzer::checks::Verdict;
use analyzer::{Analysis, Certainty, Condition, FilterFact};

/// The facts of a script, a line each.
pub(crate) fn facts(analysis: &Analysis, script: &str) -> String {
    let mut lines = Vec::new();
    for input in &analysis.inputs {
        let pushdown = input.pushdown.as_deref().map(|predicate| format!(" where {predicate}")).unwrap_or_default();
        let when = when(input.condition.as_ref());
        lines.push(format!("reads {} {}{pushdown}{when}", input.dataset.kind.name(), input.dataset.name));
    }
    for output in &analysis.outputs {
        output_facts(analysis, output, &mut lines);
    }
    for join in &analysis.joins {
        let keys: Vec<String> =
            join.left_columns.iter().zip(&join.right_columns).map(|(l, r)| format!("{l} = {r}")).collect();
        let fan_out = if join.fan_out { "may repeat rows" } else { "repeats no row" };
        let (left, right) = (join.left_inputs.join("+"), join.right_inputs.join("+"));
        let when = when(join.condition.as_ref());
        lines.push(format!("{} join {left} with {right} on {}, {fan_out}{when}", join.how.name(), keys.join(", ")));
        lines.extend(join.filters.iter().map(filter_fact));
    }
    for diagnostic in &analysis.diagnostics {
        assert!(analyzer::CODES.contains(&diagnostic.code), "{} is not among the codes", diagnostic.code);
        let place = diagnostic.range.slice(script).lines().next().unwrap_or("");
        let severity = diagnostic.severity.name();
        lines.push(format!("{severity}[{}] at `{place}`: {}", diagnostic.code, diagnostic.message));
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// When something holds that does not hold in every run.
fn when(condition: Option<&Condition>) -> String {
    condition.map(|condition| format!(", when {condition}")).unwrap_or_default()
}

fn filter_fact(filter: &FilterFact) -> String {
    format!("  where {}{}", filter.predicate, when(filter.condition.as_ref()))
}

fn output_facts(analysis: &Analysis, output: &analyzer::Output, lines: &mut Vec<String>) {
    let (kind, name) = (output.dataset.kind.name(), &output.dataset.name);
    let (mode, effect) = (output.mode.name(), output.rerun.effect);
    lines.push(format!("writes {kind} {name} ({mode}, {effect}){}", when(output.condition.as_ref())));
    lines.extend(output.partition_keys.iter().map(|key| format!("  partitioned by {key}")));
    let further = analysis.plan.node(output.node).is_some_and(|node| !node.schema.is_complete());
    match &output.columns {
        None => lines.push("  columns unknown".to_owned()),
        Some(columns) => {
            for column in columns {
                let nullable = if column.nullable == Some(false) { " not null" } else { "" };
                let sources = column.sources.as_ref().map_or("?".to_owned(), |sources| {
                    sources.iter().map(|s| format!("{}.{}", s.input, s.column)).collect::<Vec<_>>().join(", ")
                });
                let sources = if sources.is_empty() { sources } else { format!(" {sources}") };
                let when = when(column.condition.as_ref());
                lines.push(format!("  {} {}{nullable} <-{sources}{when}", column.name, column.data_type));
            }
            if !output.columns_complete {
                let more_or_fewer = if further { "  and further columns" } else { "  and perhaps not all of these" };
                lines.push(more_or_fewer.to_owned());
            }
        }
    }
    let grain = &output.grain;
    lines.push(match grain.certainty {
        Certainty::Unknown => format!("  grain unknown: {}", grain.reason),
        certainty => {
            let assumptions: String = grain.assumptions.iter().map(|a| format!("; if {a}")).collect();
            format!("  grain [{}] {}: {}{assumptions}", grain.columns.join(", "), certainty.name(), grain.reason)
        }
    });
    lines.extend(output.filters.iter().map(filter_fact));
    for check in &output.checks {
        let what = check.rule.as_deref().unwrap_or(check.code);
        let column = check.column.as_deref().map(|column| format!(" {column}")).unwrap_or_default();
        match &check.verdict {
            // The columns that stand above say so already.
            Verdict::Proved { .. } if matches!(check.code, "contract-column-missing" | "contract-type") => {}
            Verdict::Proved { assumptions } => {
                let assumptions: String = assumptions.iter().map(|a| format!("; if {a}")).collect();
                lines.push(format!("  proves {what}{column}{assumptions}"));
            }
            Verdict::MustBeTested => lines.push(format!("  leaves {what}{column} to be tested")),
            // A diagnostic, which stands below.
            Verdict::Refuted | Verdict::Stale => {}
        }
    }
}
