//! Changes of a script that leave what it means: other names, helpers, a main function, SQL in the place of calls.

use std::collections::BTreeSet;
use std::ops::Range;

use analyzer::{Mention, Parsed, analyze_uncaught, ide};

use crate::facts::facts;
use crate::pages::{Tables, cases, pages};

/// Names that mean something by themselves where nothing binds them.
const WELL_KNOWN: [&str; 9] =
    ["spark", "sc", "glueContext", "glue_context", "sqlContext", "args", "job", "logger", "dbutils"];

#[test]
fn other_names_of_variables_change_nothing() {
    let changed = each_case(|script| {
        let code = Code::of(script);
        let names: Vec<String> = code.assigned().into_iter().filter(|name| code.is_renamable(name)).collect();
        (!names.is_empty()).then(|| code.renamed(&names))
    });
    assert!(changed > 40, "only {changed} cases have a variable to rename");
}

#[test]
fn a_column_that_is_renamed_and_back_is_as_before() {
    let mut renamed = 0;
    for page in pages() {
        for (title, script, tables) in cases(&std::fs::read_to_string(&page).unwrap()) {
            let rename = |text: &str, offset: usize, to: &str| -> Result<String, String> {
                Ok(ide::rename(&Parsed::new(text), &tables, offset, to)?.apply(text, to))
            };
            let analysis = analyze_uncaught(&script, &tables);
            let is_column = |mention: &&Mention| matches!(mention, Mention::Column { column: Some(_), .. });
            let mut tried = BTreeSet::new();
            for (place, _) in analysis.mentions.iter().filter(|(_, mention)| is_column(mention)) {
                let (name, offset) = (place.slice(&script), place.start as usize);
                if !tried.insert(name) {
                    continue;
                }
                let Ok(there) = rename(&script, offset, "zq_renamed") else { continue };
                // Places before this one that were renamed too have moved it.
                let moved = there.match_indices("zq_renamed").map(|(at, _)| at);
                let back = moved.filter_map(|at| rename(&there, at, name).ok()).next();
                assert_eq!(back.as_deref(), Some(script.as_str()), "{title}: {name}\n{there}");
                renamed += 1;
            }
        }
    }
    assert!(renamed > 60, "only {renamed} columns can be renamed");
}

#[test]
fn a_helper_that_makes_a_value_changes_nothing() {
    let changed = each_case(|script| {
        let mut helped = String::new();
        let mut helpers = 0;
        for statement in Code::of(script).statements() {
            match value_of(statement) {
                Some((target, value)) => {
                    let helper = format!("helper_{helpers}");
                    helped += &format!("def {helper}():\n    return {value}\n\n{target} = {helper}()\n");
                    helpers += 1;
                }
                None => helped += statement,
            }
        }
        (helpers > 0).then_some(helped)
    });
    assert!(changed > 60, "only {changed} cases have an assignment to move");
}

#[test]
fn a_main_function_around_a_script_changes_nothing() {
    let changed = each_case(|script| {
        // Indenting would change a text of several lines; a star import is no statement of a function.
        let unfit = ["\"\"\"", "'''", "import *", "\\\n", "global ", "__name__"];
        let indented = script.lines().map(|line| if line.is_empty() { line.to_owned() } else { format!("    {line}") });
        let body = indented.collect::<Vec<_>>().join("\n");
        let fits = !unfit.iter().any(|part| script.contains(part));
        fits.then(|| format!("def main():\n{body}\n\nif __name__ == \"__main__\":\n    main()\n"))
    });
    assert!(changed > 60, "only {changed} cases fit into a function");
}

#[test]
fn sql_says_what_calls_say() {
    let tables = Tables::parse(TABLES.trim());
    for (calls, sql) in PAIRS {
        let said = |frame: &str| {
            let script = format!(
                "from pyspark.sql import functions as F\nfrom pyspark.sql.window import Window\n\
                 o = spark.table(\"sales.orders\")\nc = spark.table(\"sales.customers\")\n\
                 ({frame}).write.mode(\"overwrite\").saveAsTable(\"gold.t\")\n"
            );
            let said = facts(&analyze_uncaught(&script, &tables), &script);
            // The tables are read again by the query.
            without_places(&said).lines().filter(|line| !line.starts_with("reads ")).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(said(calls), said(&format!("spark.sql(\"{sql}\")")), "{calls}\n{sql}");
    }
}

const TABLES: &str = "
sales.orders: id bigint key, customer_id bigint, status string, amount double, day string
sales.customers: customer_id bigint key, region string, name string
";

/// The same frame by calls and in SQL.
const PAIRS: [(&str, &str); 18] = [
    ("o.select('id', 'amount')", "SELECT id, amount FROM sales.orders"),
    ("o.where(\"status = 'PAID'\")", "SELECT * FROM sales.orders WHERE status = 'PAID'"),
    (
        "o.filter((F.col('amount') > 1) & F.col('day').isNotNull())",
        "SELECT * FROM sales.orders WHERE amount > 1 AND day IS NOT NULL",
    ),
    ("o.select(F.col('id').alias('order_id'))", "SELECT id AS order_id FROM sales.orders"),
    ("o.select('id', (F.col('amount') * 2).alias('twice'))", "SELECT id, amount * 2 AS twice FROM sales.orders"),
    (
        "o.groupBy('status').agg(F.sum('amount').alias('total'), F.count(F.lit(1)).alias('n'))",
        "SELECT status, sum(amount) AS total, count(1) AS n FROM sales.orders GROUP BY status",
    ),
    (
        "o.groupBy('day').agg(F.countDistinct('customer_id').alias('n'))",
        "SELECT day, count(DISTINCT customer_id) AS n FROM sales.orders GROUP BY day",
    ),
    ("o.select('status').distinct()", "SELECT DISTINCT status FROM sales.orders"),
    (
        "o.join(c, 'customer_id').select('id', 'region')",
        "SELECT id, region FROM sales.orders JOIN sales.customers USING (customer_id)",
    ),
    (
        "o.join(c, o.customer_id == c.customer_id, 'left').select(o.id, c.region)",
        "SELECT o.id, c.region FROM sales.orders o LEFT JOIN sales.customers c ON o.customer_id = c.customer_id",
    ),
    (
        "o.join(c, o.customer_id == c.customer_id, 'left_semi')",
        "SELECT * FROM sales.orders o LEFT SEMI JOIN sales.customers c ON o.customer_id = c.customer_id",
    ),
    (
        "o.join(c, o.customer_id == c.customer_id, 'left_anti')",
        "SELECT * FROM sales.orders o LEFT ANTI JOIN sales.customers c ON o.customer_id = c.customer_id",
    ),
    (
        "o.select('customer_id').unionAll(c.select('customer_id'))",
        "SELECT customer_id FROM sales.orders UNION ALL SELECT customer_id FROM sales.customers",
    ),
    (
        "o.select('id', F.when(F.col('amount') > 9, 'big').otherwise('small').alias('size'))",
        "SELECT id, CASE WHEN amount > 9 THEN 'big' ELSE 'small' END AS size FROM sales.orders",
    ),
    (
        "o.select('id', F.coalesce('status', F.lit('NEW')).alias('state'))",
        "SELECT id, coalesce(status, 'NEW') AS state FROM sales.orders",
    ),
    (
        "o.withColumn('rn', F.row_number().over(Window.partitionBy('customer_id').orderBy('day')))\
         .where('rn = 1').select('customer_id', 'day')",
        "SELECT customer_id, day FROM (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY day) AS rn \
         FROM sales.orders) WHERE rn = 1",
    ),
    ("o.select('id', F.to_date('day').alias('paid_on'))", "SELECT id, to_date(day) AS paid_on FROM sales.orders"),
    (
        "o.filter(F.col('status').isin('A', 'B')).limit(5)",
        "SELECT * FROM sales.orders WHERE status IN ('A', 'B') LIMIT 5",
    ),
];

/// Changes each script of the pages that can be changed, and holds what is said of both against each other, with the
/// tables that the page knows and with none. How many scripts were changed.
fn each_case(change: impl Fn(&str) -> Option<String>) -> usize {
    let mut changed = 0;
    let mut differences = String::new();
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a page is readable");
        for (heading, script, tables) in cases(&text) {
            let Some(other) = change(&script) else { continue };
            changed += 1;
            for world in [tables.clone(), tables.without(|_| true)] {
                let said = |script: &str| without_places(&facts(&analyze_uncaught(script, &world), script));
                let (one, two) = (said(&script), said(&other));
                if one != two {
                    differences +=
                        &format!("{}: {heading}\n{other}\n--- before\n{one}--- after\n{two}\n", page.display());
                }
            }
        }
    }
    assert!(differences.is_empty(), "{differences}");
    changed
}

/// The facts without hints, which are of what is written and not of what it means, without the text at which a diagnostic
/// stands, and without what was put behind the names of variables.
fn without_places(facts: &str) -> String {
    let line = |line: &str| {
        let place = line.find("] at `").map_or(line.len(), |place| place + 1);
        line.get(..place).unwrap_or(line).replace(RENAMED, "") + "\n"
    };
    facts.lines().filter(|line| !line.starts_with("hint[")).map(line).collect()
}

/// What is put behind a name.
const RENAMED: &str = "_renamed";

/// A script and which of its bytes are code, not text or comment.
struct Code<'s> {
    script: &'s str,
    is_code: Vec<bool>,
}

impl<'s> Code<'s> {
    fn of(script: &'s str) -> Self {
        let bytes = script.as_bytes();
        let mut is_code = vec![true; bytes.len()];
        let mut at = 0;
        while at < bytes.len() {
            let end = match bytes[at] {
                b'#' => at + script[at..].find('\n').unwrap_or(script.len() - at),
                quote @ (b'"' | b'\'') => {
                    let mark = if bytes[at..].starts_with(&[quote; 3]) { 3 } else { 1 };
                    let mut end = at + mark;
                    while end < bytes.len() && !bytes[end..].starts_with(&[quote; 3][..mark]) {
                        end += if bytes[end] == b'\\' { 2 } else { 1 };
                    }
                    (end + mark).min(bytes.len())
                }
                _ => {
                    at += 1;
                    continue;
                }
            };
            is_code[at..end].fill(false);
            at = end;
        }
        Self { script, is_code }
    }

    /// Words of the code and of its texts, each with its place.
    fn words(&self) -> Vec<(Range<usize>, &'s str)> {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut words = Vec::new();
        let mut start = None;
        for (at, c) in self.script.char_indices().chain([(self.script.len(), '\n')]) {
            match (start, is_word(c)) {
                (None, true) => start = Some(at),
                (Some(from), false) => {
                    words.push((from..at, &self.script[from..at]));
                    start = None;
                }
                _ => {}
            }
        }
        words
    }

    /// Names that a statement at the top level gives a value.
    fn assigned(&self) -> BTreeSet<String> {
        let targets = self.script.lines().filter_map(|line| line.split_once(" = "));
        let names = targets.flat_map(|(targets, _)| targets.split(", "));
        let is_name = |name: &&str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        names.filter(is_name).map(str::to_owned).collect()
    }

    /// Whether a name stands nowhere but where it means the variable.
    fn is_renamable(&self, name: &str) -> bool {
        let means_it = |place: &Range<usize>| {
            let (before, behind) = (&self.script[..place.start], self.script[place.end..].trim_start());
            let line = before.rsplit('\n').next().unwrap_or_default();
            // `name=` is a keyword of a call, unless it is a target of the statement.
            let is_keyword = behind.starts_with('=') && !behind.starts_with("==") && line.contains('(');
            let is_indented = line.trim().is_empty() && !line.is_empty() && behind.starts_with('=');
            self.is_code[place.start] && !before.trim_end().ends_with('.') && !is_keyword && !is_indented
        };
        let by_name = ["globals", "locals", "eval", "exec", "import ", "def ", "for ", "lambda "];
        let is_bound_elsewhere = by_name[4..].iter().any(|word| {
            let lines = self.script.lines().filter(|line| line.contains(word));
            lines.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_')).any(|word| word == name)
        });
        !WELL_KNOWN.contains(&name)
            && !by_name[..4].iter().any(|word| self.script.contains(word))
            && !is_bound_elsewhere
            && self.words().iter().filter(|(_, word)| *word == name).all(|(place, _)| means_it(place))
    }

    fn renamed(&self, names: &[String]) -> String {
        let mut renamed = String::new();
        let mut at = 0;
        for (place, _) in self.words().iter().filter(|(_, word)| names.iter().any(|name| name == word)) {
            renamed += &self.script[at..place.end];
            renamed += RENAMED;
            at = place.end;
        }
        renamed + &self.script[at..]
    }

    /// The statements at the top level, each with what is indented below it.
    fn statements(&self) -> Vec<&'s str> {
        let begins = |at: &usize| {
            let line = &self.script[*at..];
            let word = line.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            let continues = ["else", "elif", "except", "finally"].contains(&word);
            self.is_code[*at] && line.starts_with(|c: char| c.is_alphabetic() || c == '@' || c == '_') && !continues
        };
        let lines = self.script.match_indices('\n').map(|(at, _)| at + 1).filter(|at| *at < self.script.len());
        let mut starts: Vec<usize> = [0].into_iter().chain(lines.filter(begins)).collect();
        starts.push(self.script.len());
        starts.windows(2).map(|pair| &self.script[pair[0]..pair[1]]).collect()
    }
}

/// The name and the value of an assignment that stands on one line.
fn value_of(statement: &str) -> Option<(&str, &str)> {
    let (target, value) = statement.trim_end().split_once(" = ")?;
    let is_name = target.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !WELL_KNOWN.contains(&target);
    let closed = |open: char, close: char| value.matches(open).count() == value.matches(close).count();
    let is_whole = !value.contains(['\n', '#']) && closed('(', ')') && closed('[', ']') && closed('{', '}');
    (is_name && is_whole && !value.contains("'''") && !value.contains(" = ")).then_some((target, value))
}
