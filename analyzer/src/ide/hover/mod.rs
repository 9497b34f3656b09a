//! What is shown when the pointer rests on a name.

mod column;
mod frame;
mod join;
mod table;

use crate::{Analysis, Mention, TextRange};

/// A text for a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// The name that it is about.
    pub range: TextRange,
    /// Markdown.
    pub markdown: String,
}

/// What is known of the name at a byte offset: a frame, a column, a table or path in a read or write, a job argument,
/// or the call of a join or write. `text` is the script that was analyzed.
pub fn hover(analysis: &Analysis, text: &str, offset: usize) -> Option<Hover> {
    let view = View { analysis, text };
    let mentioned = analysis
        .mentions
        .iter()
        .filter(|(range, _)| range.touches(offset))
        .min_by_key(|(range, _)| range.len())
        // The whole call stands for the table where the table has no name of its own in it.
        .filter(|(range, mention)| !matches!(mention, Mention::Target(_)) || !is_call(text, **range));
    if let Some((range, mention)) = mentioned
        && let Some(markdown) = of_mention(&view, *range, mention)
    {
        return Some(Hover { range: *range, markdown });
    }
    let at_name = |range: TextRange| called_name(text, range).filter(|name| name.touches(offset));
    for join in &analysis.joins {
        if let Some(range) = at_name(join.range) {
            return Some(Hover { range, markdown: join::markdown(&view, join) });
        }
    }
    for output in &analysis.outputs {
        if let Some(range) = at_name(output.range) {
            return Some(Hover { range, markdown: table::target(&view, output) });
        }
    }
    None
}

/// What the texts are made from.
struct View<'a> {
    analysis: &'a Analysis,
    text: &'a str,
}

fn of_mention(view: &View, range: TextRange, mention: &Mention) -> Option<String> {
    match mention {
        Mention::Frame(node) => Some(frame::markdown(view, range.slice(view.text), *node)),
        Mention::Source(node) => table::source(view, *node),
        Mention::Target(index) => view.analysis.outputs.get(*index).map(|output| table::target(view, output)),
        Mention::Column { column: Some(column), nullable, .. } => {
            Some(column::markdown(view, range.slice(view.text), *column, *nullable))
        }
        Mention::Column { column: None, .. } => None,
        Mention::Argument(name) => Some(argument(view, name)),
    }
}

fn argument(view: &View, name: &str) -> String {
    match view.analysis.answers.arguments.get(name) {
        Some(value) => format!("**`{name}`** · job argument\n\n`{value}` in the chosen environment\n"),
        None => format!("**`{name}`** · job argument\n\nIts value is not known; `de-copilot.toml` can give it.\n"),
    }
}

fn is_call(text: &str, range: TextRange) -> bool {
    range.slice(text).ends_with(')')
}

/// The name of the function that is called at a place.
fn called_name(text: &str, call: TextRange) -> Option<TextRange> {
    let slice = call.slice(text);
    let length = slice.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    (is_call(text, call) && length > 0).then(|| TextRange::new(call.start as usize, call.start as usize + length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze;
    use crate::ide::fixture::{Lending, marked};

    /// Holds the hover at `$0` against words that it must contain, in this order.
    fn check(script: &str, expected: &[&str]) {
        let (text, offset) = marked(script);
        let found = hover(&analyze(&text, &Lending), &text, offset).expect("a hover");
        let mut rest = found.markdown.as_str();
        for words in expected {
            let at = rest.find(words).unwrap_or_else(|| panic!("{words} is missing in\n{}", found.markdown));
            rest = &rest[at + words.len()..];
        }
    }

    fn check_silent(script: &str) {
        let (text, offset) = marked(script);
        assert_eq!(hover(&analyze(&text, &Lending), &text, offset), None);
    }

    const JOB: &str = "from pyspark.sql import functions as F
payments = spark.table('raw_db.payments').filter(F.col('state') == 'PAID')
typed = payments.select('loan_id', F.col('amount').cast('double').alias('amount'), F.col('state').alias('status'))
";

    #[test]
    fn a_frame_with_its_filters_and_where_they_stand() {
        check(
            &format!("{JOB}print(ty$0ped)\n"),
            &[
                "`typed`",
                "`loan_id` | string",
                "`amount` | double",
                "raw_db.payments.amount",
                "Grain unknown",
                "`raw_db.payments`",
                "`state = 'PAID'` (line 2)",
            ],
        );
    }

    #[test]
    fn a_column_with_its_history_comment_and_place() {
        check(
            &format!("{JOB}typed.select('amo$0unt')\n"),
            &[
                "`amount`",
                "double",
                "`CAST(amount AS double)` (line 3)",
                "From `raw_db.payments`.`amount`",
                "Amount in rupees",
            ],
        );
    }

    #[test]
    fn a_column_with_statistics_and_a_histogram() {
        check(
            &format!("{JOB}typed.select('sta$0tus')\n"),
            &[
                "`status`",
                "never NULL",
                "In `raw_db.payments` on 2026-03-01: 2.5 % NULL, 2 distinct",
                "\"PAID\" ████████████████████ 1 200",
                "\"OPEN\" █████ 300",
            ],
        );
    }

    #[test]
    fn a_column_in_sql_text() {
        check("spark.sql('SELECT p.amo$0unt FROM raw_db.payments p')\n", &["`amount`", "string", "Amount in rupees"]);
    }

    #[test]
    fn a_column_with_the_rules_that_hold_where_it_is_written() {
        let job = format!("{JOB}typed.select('loan_id', 'sta$0tus').write.saveAsTable('gold.fact')\n");
        check(&job, &["`allowed_values_status` of `gold.fact`: proved here, a filter keeps other values out"]);
    }

    #[test]
    fn a_table_with_contract_profile_and_last_run() {
        check(
            "spark.table('raw_db.pay$0ments')\n",
            &["catalog table", "`loan_id`", "Profile of 2026-03-01: 1 540 rows"],
        );
        check("spark.table('ref_db.lo$0ans')\n", &["Primary key by contract: loan_id", "**Contract**"]);
        check(
            &format!("{JOB}typed.write.mode('overwrite').saveAsTable('gold.f$0act')\n"),
            &[
                "`gold.fact`",
                "written, overwrite",
                "A second run",
                "refutes 2",
                "**Contract** of lending: 2 rules",
                "3 passed, failed: not_null_loan_id",
            ],
        );
    }

    #[test]
    fn a_join_by_its_name_with_a_verdict() {
        let join = format!("{JOB}x = typed.jo$0in(spark.table('ref_db.loans'), 'loan_id', 'left')\n");
        check(
            &join,
            &["**left join** of `raw_db.payments` with `ref_db.loans`", "`loan_id` = `loan_id`", "Repeats no left row"],
        );
        let other = format!("{JOB}x = spark.table('ref_db.loans').jo$0in(typed, 'loan_id')\n");
        check(&other, &["May repeat left rows: nothing says which columns of `payments` are unique"]);
    }

    #[test]
    fn a_job_argument_with_its_value() {
        let start = "import sys\nfrom awsglue.utils import getResolvedOptions\nargs = getResolvedOptions(sys.argv, ['TARGET', 'DAY'])\n";
        check(
            &format!("{start}print(args['TAR$0GET'])\n"),
            &["`TARGET`", "job argument", "`gold` in the chosen environment"],
        );
        check(&format!("{start}print(args['D$0AY'])\n"), &["`DAY`", "not known"]);
    }

    #[test]
    fn silence_on_what_is_no_name_of_data() {
        check_silent("x = 1\nprint($0x)\n");
        check_silent("df = spark.table('raw_db.payments')\ndf.select('no_such_col$0umn')\n");
    }
}
