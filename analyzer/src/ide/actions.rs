//! Edits that repair a diagnostic or make a write safer.

use contract::expr::ColumnId;

use crate::checks::{Check, Verdict};
use crate::facts::{Diagnostic, JoinFact, Mode, Output};
use crate::plan::{Field, NodeId, NodeKind};
use crate::{Analysis, Mention, TextRange};

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
        match diagnostic.code {
            "contract-grain" => actions.extend(deduplication(analysis, text, diagnostic)),
            "contract-type" => actions.extend(cast(analysis, text, diagnostic)),
            "ambiguous-column" => actions.extend(qualified(analysis, text, diagnostic)),
            _ => {}
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

/// A column that two sides of a join have, taken from one of the frames that were joined, or by its alias in SQL.
fn qualified(analysis: &Analysis, text: &str, diagnostic: &Diagnostic) -> Vec<Action> {
    let name = diagnostic.range.slice(text);
    let Some(Mention::Column { frame, .. }) = analysis.mentions.get(&diagnostic.range) else { return Vec::new() };
    let Some(schema) = analysis.plan.node(*frame).map(|node| &node.schema) else { return Vec::new() };
    let meant = schema.fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
    let action = |field: &Field| {
        let (range, new) = match field.qualifiers.first() {
            Some(alias) => (diagnostic.range, format!("{alias}.{name}")),
            None => {
                // The literal with its quotes, in the place of which a column can stand.
                let (start, end) = (diagnostic.range.start as usize, diagnostic.range.end as usize);
                let quote = text.get(..start)?.chars().next_back().filter(|quote| matches!(quote, '"' | '\''))?;
                let before = text.get(..start - 1)?.trim_end();
                let is_alone = text.get(end..)?.starts_with(quote)
                    && before.ends_with(['(', ',', '['])
                    && !before.ends_with("col(");
                let frame = is_alone.then(|| frame_with(analysis, text, start, field.id))??;
                (TextRange::new(start - 1, end + 1), format!("{frame}[{quote}{name}{quote}]"))
            }
        };
        Some(Action {
            title: format!("Take it from one side: `{new}`"),
            code: Some(diagnostic.code),
            range: diagnostic.range,
            edits: vec![(range, new)],
            preferred: false,
        })
    };
    meant.filter_map(action).collect()
}

/// The variable before a place that holds a frame with a column, as it is still called there.
fn frame_with<'t>(analysis: &Analysis, text: &'t str, before: usize, column: ColumnId) -> Option<&'t str> {
    let frames = || {
        analysis.mentions.iter().filter_map(|(range, mention)| match mention {
            Mention::Frame(node) if (range.end as usize) < before => Some((*range, range.slice(text), *node)),
            _ => None,
        })
    };
    let has = |node: NodeId| analysis.plan.node(node).is_some_and(|node| node.schema.field(column).is_some());
    let latest = |name: &str| frames().filter(|(_, known, _)| *known == name).max_by_key(|(range, ..)| *range);
    let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
    frames()
        .filter(|(_, name, node)| is_name(name) && has(*node) && latest(name).is_some_and(|(.., last)| last == *node))
        .min_by_key(|(range, ..)| *range)
        .map(|(_, name, _)| name)
}

/// The type that the contract promises: behind the call that computes the column, or before the write.
fn cast(analysis: &Analysis, text: &str, diagnostic: &Diagnostic) -> Option<Action> {
    let told = |output: &&Output| output.checks.iter().any(|check| is_told(check, diagnostic));
    let output = analysis.outputs.iter().find(told)?;
    let name = output.checks.iter().find(|check| is_told(check, diagnostic))?.column.as_ref()?;
    let contract = analysis.answers.contracts.get(&super::table_name(&output.dataset)?)?;
    let promised = &contract.columns.iter().find(|(column, _)| column.eq_ignore_ascii_case(name))?.1.data_type;
    let written = diagnostic.range.slice(text);
    let end = diagnostic.range.end as usize;
    let edits = if diagnostic.range == output.range {
        let dot = text.get(..output.range.start as usize)?.rfind(".write")?;
        let between = text.get(dot + ".write".len()..output.range.start as usize)?;
        if between.contains('=') && !between.contains('(') || between.contains("\n\n") {
            return None;
        }
        let col = ["functions as F", "functions as f"].iter().find(|import| text.contains(**import));
        let col = col.and_then(|import| import.chars().next_back()).map(|alias| format!("{alias}.col"))?;
        vec![(TextRange::new(dot, dot), format!(".withColumn(\"{name}\", {col}(\"{name}\").cast(\"{promised}\"))"))]
    } else if analysis.sql.values().any(|sql| sql.covers(diagnostic.range)) {
        let whole = closed(text, diagnostic.range);
        vec![(whole, format!("CAST({} AS {promised})", whole.slice(text)))]
    } else if written.ends_with(')') && written.starts_with(|c: char| c.is_alphabetic()) {
        vec![(TextRange::new(end, end), format!(".cast(\"{promised}\")"))]
    } else {
        return None;
    };
    Some(Action {
        title: format!("Cast `{name}` to {promised}, as the contract promises"),
        code: Some(diagnostic.code),
        range: diagnostic.range,
        edits,
        preferred: true,
    })
}

/// A range with the brackets behind it that close those in it: the places of calls in SQL end before.
fn closed(text: &str, range: TextRange) -> TextRange {
    let count = |sign: char| range.slice(text).matches(sign).count();
    let open = count('(').saturating_sub(count(')'));
    let behind = text.get(range.end as usize..).unwrap_or("");
    let closing = behind.bytes().take(open).take_while(|byte| *byte == b')').count();
    TextRange::new(range.start as usize, range.end as usize + closing)
}

fn is_told(check: &Check, diagnostic: &Diagnostic) -> bool {
    check.code == diagnostic.code
        && check.range == diagnostic.range
        && check.verdict == Verdict::Refuted
        && diagnostic.message.ends_with(&check.reason)
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
    fn an_ambiguous_column_is_taken_from_one_side() {
        let job = |column: &str| {
            format!(
                "{READ}l = spark.table('ref_db.loans')\nq = p.join(l, p.loan_id == l.loan_id)\nq.select({column}, 'product').show()\n"
            )
        };
        check(&job("'loan$0_id'"), "Take it from one side: `p['loan_id']`", &job("p['loan_id']"));
        check(&job("'loan$0_id'"), "Take it from one side: `l['loan_id']`", &job("l['loan_id']"));
        let query = |column: &str| {
            format!(
                "spark.sql(\"SELECT {column} FROM raw_db.payments p JOIN ref_db.loans l ON p.loan_id = l.loan_id\")\n"
            )
        };
        check(&query("loan$0_id"), "Take it from one side: `l.loan_id`", &query("l.loan_id"));
    }

    #[test]
    fn the_type_that_the_contract_promises_is_cast_to() {
        let job = |status: &str, write: &str| {
            format!(
                "from pyspark.sql import functions as F\n{READ}q = p.select('loan_id', {status}.alias('status'))\nq{write}.write.mode('overwrite').saveAsTable('gold.fact')\n"
            )
        };
        let title = "Cast `status` to string, as the contract promises";
        check(&job("F.length('st$0ate')", ""), title, &job("F.length('state').cast(\"string\")", ""));
        let as_it_is = |cast: &str| {
            format!(
                "from pyspark.sql import functions as F\nl = spark.table('ref_db.loans').select('loan_id', 'customer_id').withColumnRenamed('customer_id', 'status')\nl{cast}.write.mode('overwrite').saveAs$0Table('gold.fact')\n"
            )
        };
        let cast = ".withColumn(\"status\", F.col(\"status\").cast(\"string\"))";
        check(&as_it_is(""), title, &as_it_is(cast).replace("$0", ""));
        let query = |status: &str| {
            format!(
                "spark.sql(\"SELECT loan_id, {status} AS status FROM raw_db.payments\").write.saveAsTable('gold.fact')\n"
            )
        };
        check(&query("length(st$0ate)"), title, &query("CAST(length(state) AS string)"));
    }

    #[test]
    fn nothing_is_offered_where_nothing_is_wrong() {
        check_none(&format!("{READ}p.select('amo$0unt')\n"));
    }
}
