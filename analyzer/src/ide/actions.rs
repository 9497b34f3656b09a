//! Edits that repair a diagnostic or make a write safer.

use crate::facts::{Diagnostic, JoinFact, Mode};
use crate::plan::NodeKind;
use crate::{Analysis, TextRange};

/// Something that can be done at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// What it does, as a menu shows it.
    pub title: String,
    /// The code of the diagnostic that it repairs; `None` where there is nothing wrong.
    pub code: Option<&'static str>,
    /// Where that diagnostic is.
    pub range: TextRange,
    /// Ranges with the texts that take their places.
    pub edits: Vec<(TextRange, String)>,
    /// Whether it is what a person most likely wants.
    pub preferred: bool,
}

/// What can be done at the places that a range touches. `text` is the script that was analyzed.
pub fn actions(analysis: &Analysis, text: &str, range: TextRange) -> Vec<Action> {
    let touches = |other: TextRange| other.start <= range.end && range.start <= other.end;
    let mut actions = Vec::new();
    for diagnostic in analysis.diagnostics.iter().filter(|diagnostic| touches(diagnostic.range)) {
        actions.extend(replacements(diagnostic));
        if diagnostic.code == "contract-grain" {
            actions.extend(deduplication(analysis, text, diagnostic));
        }
        actions.extend(suppression(text, diagnostic));
    }
    for (output, sink) in analysis.outputs.iter().zip(&analysis.plan.sinks) {
        let is_static = output.mode == Mode::Overwrite && sink.dynamic_overwrite == Some(false);
        if is_static && !output.partition_keys.is_empty() && touches(output.range) {
            actions.extend(dynamic_overwrite(text, output.range));
        }
    }
    actions
}

/// The nearest names in the place of a wrong one.
fn replacements(diagnostic: &Diagnostic) -> impl Iterator<Item = Action> + '_ {
    diagnostic.suggestions.iter().enumerate().map(|(position, name)| Action {
        title: format!("Replace with `{name}`"),
        code: Some(diagnostic.code),
        range: diagnostic.range,
        edits: vec![(diagnostic.range, name.clone())],
        preferred: position == 0,
    })
}

/// `.dropDuplicates` on the keys, behind the frame that a join meets several times.
fn deduplication(analysis: &Analysis, text: &str, diagnostic: &Diagnostic) -> Option<Action> {
    let join = analysis.joins.iter().find(|join| join.range == diagnostic.range)?;
    let place = first_argument(text, join)?;
    let NodeKind::Join { right, keys, .. } = &analysis.plan.node(join.node)?.kind else { return None };
    let fields = analysis.plan.known_fields(&analysis.plan.node(*right)?.schema);
    let names: Option<Vec<String>> = keys
        .iter()
        .map(|(_, key)| fields.iter().find(|field| field.id == *key).map(|field| format!("{:?}", field.name)))
        .collect();
    let names = names.filter(|names| !names.is_empty())?.join(", ");
    let end = place.end as usize;
    Some(Action {
        title: format!("Keep one row per {names} before the join"),
        code: Some(diagnostic.code),
        range: diagnostic.range,
        edits: vec![(TextRange::new(end, end), format!(".dropDuplicates([{names}])"))],
        preferred: false,
    })
}

/// The first argument of `join(…)`, where it is a name or a chain of calls.
fn first_argument(text: &str, join: &JoinFact) -> Option<TextRange> {
    let call = join.range.slice(text);
    let open = call.find('(')? + 1;
    let (mut depth, mut end) = (0_usize, None);
    for (at, c) in call.char_indices().skip_while(|(at, _)| *at < open) {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth > 0 => depth -= 1,
            ')' | ',' if depth == 0 => {
                end = Some(at);
                break;
            }
            // Brackets in text would be miscounted, and a keyword is no frame.
            '=' | '#' if depth == 0 => return None,
            _ => {}
        }
    }
    let argument = call.get(open..end?)?;
    let start = join.range.start as usize + open + (argument.len() - argument.trim_start().len());
    let range = TextRange::new(start, start + argument.trim().len());
    (!range.is_empty()).then_some(range)
}

/// A comment at the end of the line that silences a diagnostic there.
fn suppression(text: &str, diagnostic: &Diagnostic) -> Option<Action> {
    let start = diagnostic.range.start as usize;
    let line = text.get(start..)?;
    let end = start + line.find('\n').unwrap_or(line.len());
    let end = if text.get(..end)?.ends_with('\r') { end - 1 } else { end };
    // Behind a backslash, or within a text of several lines, a comment would be no comment.
    let before = text.get(..end)?;
    if before.ends_with('\\') || super::cursor::cursor(text, end).in_string {
        return None;
    }
    Some(Action {
        title: format!("Ignore {} on this line", diagnostic.code),
        code: Some(diagnostic.code),
        range: diagnostic.range,
        edits: vec![(TextRange::new(end, end), format!("  # de-copilot: ignore[{}]", diagnostic.code))],
        preferred: false,
    })
}

/// An overwrite that replaces only the partitions that it writes.
fn dynamic_overwrite(text: &str, call: TextRange) -> Option<Action> {
    let dot = (call.start as usize).checked_sub(1).filter(|dot| text.as_bytes().get(*dot) == Some(&b'.'))?;
    Some(Action {
        title: "Overwrite only the partitions that are written".to_owned(),
        code: None,
        range: call,
        edits: vec![(TextRange::new(dot, dot), ".option(\"partitionOverwriteMode\", \"dynamic\")".to_owned())],
        preferred: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze;
    use crate::ide::fixture::{Lending, marked};

    /// Applies the action whose title begins so, at `$0`, and holds the script against what it must be then.
    fn check(script: &str, title: &str, expected: &str) {
        let (text, offset) = marked(script);
        let found = actions(&analyze(&text, &Lending), &text, TextRange::new(offset, offset));
        let titles: Vec<&str> = found.iter().map(|action| action.title.as_str()).collect();
        let action = found.iter().find(|action| action.title.starts_with(title));
        let action = action.unwrap_or_else(|| panic!("{title} is not among {titles:?}"));
        let mut edited = text.clone();
        for (range, new) in action.edits.iter().rev() {
            edited.replace_range(range.start as usize..range.end as usize, new);
        }
        assert_eq!(edited, expected);
    }

    fn check_none(script: &str) {
        let (text, offset) = marked(script);
        assert_eq!(actions(&analyze(&text, &Lending), &text, TextRange::new(offset, offset)), []);
    }

    const READ: &str = "p = spark.table('raw_db.payments')\n";

    #[test]
    fn a_column_name_is_corrected() {
        check(&format!("{READ}p.select('amo$0nt')\n"), "Replace with `amount`", &format!("{READ}p.select('amount')\n"));
    }

    #[test]
    fn a_diagnostic_is_ignored_by_a_comment_that_works() {
        let ignored = format!("{READ}p.select('amont')  # de-copilot: ignore[unknown-column]\n");
        check(&format!("{READ}p.select('amo$0nt')\n"), "Ignore unknown-column", &ignored);
        assert_eq!(analyze(&ignored, &Lending).diagnostics, []);
    }

    #[test]
    fn no_comment_is_offered_where_it_would_be_text() {
        let (text, offset) = marked("spark.sql('''SELECT amo$0nt\nFROM raw_db.payments''')\n");
        let found = actions(&analyze(&text, &Lending), &text, TextRange::new(offset, offset));
        assert!(found.iter().all(|action| !action.title.starts_with("Ignore")), "{found:?}");
    }

    #[test]
    fn an_overwrite_becomes_dynamic() {
        check(
            &format!("{READ}p.write.mode('overwrite').partitionBy('paid_on').pa$0rquet('s3://b/t/')\n"),
            "Overwrite only",
            &format!(
                "{READ}p.write.mode('overwrite').partitionBy('paid_on').option(\"partitionOverwriteMode\", \"dynamic\").parquet('s3://b/t/')\n"
            ),
        );
        check_none(&format!("{READ}p.write.mode('overwrite').pa$0rquet('s3://b/t/')\n"));
    }

    #[test]
    fn a_join_that_breaks_the_grain_is_deduplicated_before() {
        let job = |right: &str| {
            format!(
                "{READ}p = p.dropDuplicates(['loan_id']).withColumnRenamed('state', 'product')\nl = spark.table('ref_db.loans').select('product')\nq = p.join({right}, 'product').select('loan_id', F.col('product').alias('status'))\nq.write.saveAsTable('gold.fact')\n"
            )
        };
        check(
            &job("l").replace("p.join(", "p.jo$0in("),
            "Keep one row per \"product\"",
            &job("l.dropDuplicates([\"product\"])"),
        );
    }

    #[test]
    fn nothing_is_offered_where_nothing_is_wrong() {
        check_none(&format!("{READ}p.select('amo$0unt')\n"));
    }
}
