//! What could stand at the cursor.
//!
//! The script is analyzed once more with a word of its own at the cursor's place and with what is open on the cursor's
//! line closed where that is needed. Whatever asks for that word then says what could stand there.

use contract::schema::TableName;
use contract::types::DataType;

use super::cursor::{Cursor, cursor};
use crate::facts::Dataset;
use crate::plan::{NodeId, NodeKind};
use crate::{Analysis, Mention, Parsed, TextRange, World};

/// What could stand at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The word that an item takes the place of.
    pub range: TextRange,
    /// Candidates, in the order in which they should be shown.
    pub items: Vec<Item>,
}

/// A candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The text to insert.
    pub label: String,
    /// What it is.
    pub kind: ItemKind,
    /// Its type, or where it comes from.
    pub detail: String,
}

/// What a candidate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A column of the frame that the name is looked up in.
    Column,
    /// A table of the catalog.
    Table,
    /// A database of the catalog.
    Database,
    /// A job argument.
    Argument,
    /// A keyword of the call.
    Keyword,
}

/// Stands for the word at the cursor; no script has it.
const WORD: &str = "zq0completion0qz";

/// What could stand at a byte offset of a script. `tables` are the tables of the catalog.
pub fn complete(script: &Parsed, offset: usize, world: &dyn World, tables: &[TableName]) -> Option<Completion> {
    let text = script.text();
    let cursor = cursor(text, offset);
    let with_word = |closers: &str| {
        let before = text.get(..cursor.word.start)?;
        let rest = text.get(cursor.word.end..cursor.line_end.max(cursor.word.end))?;
        let below = text.get(cursor.line_end.max(cursor.word.end)..)?;
        Some(format!("{before}{WORD}{rest}{closers}{below}"))
    };
    let range = TextRange::new(cursor.word.start, cursor.word.end);
    let mut attempts = vec![with_word("")?];
    if !cursor.closers.is_empty() {
        attempts.push(with_word(&cursor.closers)?);
    }
    attempts.into_iter().find_map(|patched| {
        let patched = script.with_text(patched);
        let items = candidates(&patched.analyze(world), patched.text(), &cursor, tables);
        (!items.is_empty()).then_some(Completion { range, items })
    })
}

fn candidates(analysis: &Analysis, text: &str, cursor: &Cursor, tables: &[TableName]) -> Vec<Item> {
    let start = cursor.word.start;
    let around = |range: &TextRange| range.start as usize <= start && start < range.end as usize;
    let mentioned = analysis
        .mentions
        .iter()
        .filter(|(range, mention)| around(range) && matches!(mention, Mention::Column { .. } | Mention::Argument(_)))
        .min_by_key(|(range, _)| range.len());
    match mentioned {
        Some((range, Mention::Column { frame, other, .. })) => {
            let before = text.get(range.start as usize..start).unwrap_or("");
            let qualifier = before.trim_end_matches('.').rsplit(['.', ' ']).next().filter(|_| before.ends_with('.'));
            let qualifier = qualifier.or_else(|| sql_qualifier(text, start));
            return columns(analysis, *frame, *other, qualifier);
        }
        Some((_, Mention::Argument(_))) => return arguments(analysis),
        _ => {}
    }
    let named = datasets(analysis).find_map(|dataset| names(dataset, tables));
    named.unwrap_or_else(|| keywords(analysis, text, cursor))
}

fn columns(analysis: &Analysis, frame: NodeId, other: Option<NodeId>, qualifier: Option<&str>) -> Vec<Item> {
    let plan = &analysis.plan;
    let mut items: Vec<Item> = Vec::new();
    for frame in [Some(frame), other].into_iter().flatten() {
        let Some(schema) = plan.node(frame).map(|node| &node.schema) else { continue };
        let fields = plan.known_fields(schema);
        let of = |field: &&crate::plan::Field| {
            qualifier.is_some_and(|wanted| field.qualifiers.iter().any(|own| own.eq_ignore_ascii_case(wanted)))
        };
        // A dot behind something else than an alias leads into a column, whose fields are not offered.
        let qualified = fields.iter().any(|field| of(&field));
        for field in fields.iter().filter(|field| !qualified || of(field)) {
            let data_type = plan.column_type(field.id);
            let detail = if data_type == DataType::Unknown { String::new() } else { data_type.to_string() };
            let label = field.name.clone();
            if label != WORD && !items.iter().any(|item| item.label == label) {
                items.push(Item { label, kind: ItemKind::Column, detail });
            }
        }
    }
    items
}

/// The alias in front of a dot in front of the word.
fn sql_qualifier(text: &str, start: usize) -> Option<&str> {
    let before = text.get(..start)?.strip_suffix('.')?;
    before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|alias| !alias.is_empty())
}

fn arguments(analysis: &Analysis) -> Vec<Item> {
    let known = analysis.arguments.iter().filter(|name| *name != WORD);
    known
        .map(|name| {
            let value = analysis.answers.arguments.get(name);
            Item { label: name.clone(), kind: ItemKind::Argument, detail: value.cloned().unwrap_or_default() }
        })
        .collect()
}

/// All datasets that the script names.
fn datasets(analysis: &Analysis) -> impl Iterator<Item = &Dataset> {
    let scans = analysis.plan.nodes().filter_map(|(_, node)| match &node.kind {
        NodeKind::Scan(scan) => Some(&scan.dataset),
        _ => None,
    });
    scans.chain(analysis.plan.sinks.iter().map(|sink| &sink.dataset))
}

/// Tables or databases, where the word is the name of one.
fn names(dataset: &Dataset, tables: &[TableName]) -> Option<Vec<Item>> {
    let is_word = |name: &Option<String>| name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(WORD));
    let table = |table: &TableName, label: String| Item {
        label,
        kind: ItemKind::Table,
        detail: format!("in {}", table.database),
    };
    let databases = || {
        let mut names: Vec<&str> = tables.iter().map(|table| table.database.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(|name| Item { label: name.to_owned(), kind: ItemKind::Database, detail: String::new() })
    };
    if is_word(&dataset.database) {
        return Some(databases().collect());
    }
    if !is_word(&dataset.table) {
        return None;
    }
    Some(match dataset.database.as_deref().filter(|database| !database.contains('<')) {
        Some(database) => {
            let of_database = tables.iter().filter(|table| table.database.eq_ignore_ascii_case(database));
            of_database.map(|name| table(name, name.table.clone())).collect()
        }
        None => databases().chain(tables.iter().map(|name| table(name, name.to_string()))).collect(),
    })
}

/// Keywords of the awsglue call that the word is an argument of.
fn keywords(analysis: &Analysis, text: &str, cursor: &Cursor) -> Vec<Item> {
    let before = text.get(..cursor.word.start).unwrap_or("").trim_end();
    if cursor.in_string || !before.ends_with(['(', ',']) {
        return Vec::new();
    }
    let called = analysis.calls.iter().find(|(range, _)| {
        let opens = range.slice(text).find('(').map(|length| range.start as usize + length);
        opens.is_some() && opens == cursor.bracket
    });
    let Some((range, keywords)) = called else { return Vec::new() };
    let call = range.slice(text);
    let name = call.split('(').next().unwrap_or("");
    let missing = keywords.iter().filter(|keyword| !call.contains(&format!("{keyword}=")));
    missing
        .map(|keyword| Item {
            label: format!("{keyword}="),
            kind: ItemKind::Keyword,
            detail: format!("argument of {name}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ide::fixture::{Lending, marked};

    fn check(script: &str, expected: &[&str]) {
        let (text, offset) = marked(script);
        let found = complete(&Parsed::new(text.as_str()), offset, &Lending, &Lending::tables());
        let labels: Vec<&str> = found.iter().flat_map(|found| &found.items).map(|item| item.label.as_str()).collect();
        assert_eq!(labels, expected, "in {script}");
    }

    const PAYMENTS: [&str; 4] = ["loan_id", "amount", "state", "paid_on"];

    #[test]
    fn columns_inside_strings() {
        check("df = spark.table('raw_db.payments')\ndf.select('lo$0')\n", &PAYMENTS);
        check("df = spark.table('raw_db.payments')\ndf.select('loan_id', '$0')\n", &PAYMENTS);
        check("df = spark.table('raw_db.payments')\ndf.dropDuplicates(['$0'])\n", &PAYMENTS);
        check("df = spark.table('raw_db.payments')\ndf.groupBy('a$0').count()\n", &PAYMENTS);
    }

    #[test]
    fn columns_of_functions_and_attributes() {
        check(
            "from pyspark.sql import functions as F\ndf = spark.table('raw_db.payments')\ndf.filter(F.col('$0') > 1)\n",
            &PAYMENTS,
        );
        check("df = spark.table('raw_db.payments')\ndf.filter(df.$0 > 1)\n", &PAYMENTS);
        check("df = spark.table('raw_db.payments')\ndf.filter(df['$0'] > 1)\n", &PAYMENTS);
    }

    #[test]
    fn columns_while_the_line_is_not_finished() {
        check("df = spark.table('raw_db.payments')\ndf.select('lo$0\n\nprint(1)\n", &PAYMENTS);
        check(
            "from pyspark.sql import functions as F\ndf = spark.table('raw_db.payments')\nx = df.filter(F.col('$0\ny = 1\n",
            &PAYMENTS,
        );
    }

    #[test]
    fn columns_of_both_sides_of_a_join() {
        let script =
            "p = spark.table('raw_db.payments').select('loan_id', 'amount')\nl = spark.table('ref_db.loans')\n";
        check(&format!("{script}p.join(l, '$0')\n"), &["loan_id", "amount", "customer_id", "product"]);
    }

    #[test]
    fn columns_in_sql_text_by_alias() {
        check(
            "spark.sql('SELECT p.$0 FROM raw_db.payments p JOIN ref_db.loans l ON p.loan_id = l.loan_id')\n",
            &PAYMENTS,
        );
        check("spark.sql(f'''SELECT loan_id\nFROM raw_db.payments\nWHERE st$0 = 'x' ''')\n", &PAYMENTS);
    }

    #[test]
    fn tables_and_databases() {
        check("spark.table('raw_db.$0')\n", &["payments"]);
        check("spark.table('$0')\n", &["raw_db", "ref_db", "raw_db.payments", "ref_db.loans"]);
        check("glueContext.create_dynamic_frame.from_catalog(database='ref_db', table_name='l$0')\n", &["loans"]);
        check(
            "glueContext.create_dynamic_frame.from_catalog(database='$0', table_name='loans')\n",
            &["raw_db", "ref_db"],
        );
        check("spark.sql('SELECT * FROM raw_db.$0')\n", &["payments"]);
    }

    #[test]
    fn job_arguments() {
        let start = "import sys\nfrom awsglue.utils import getResolvedOptions\nargs = getResolvedOptions(sys.argv, ['JOB_NAME', 'TARGET'])\n";
        check(&format!("{start}print(args['$0'])\n"), &["JOB_NAME", "TARGET"]);
    }

    #[test]
    fn keywords_of_awsglue_calls() {
        check(
            "glueContext.write_dynamic_frame.from_catalog(frame=df, data$0)\n",
            &[
                "database=",
                "table_name=",
                "redshift_tmp_dir=",
                "transformation_ctx=",
                "additional_options=",
                "catalog_id=",
                "name_space=",
            ],
        );
        check("glueContext.write_dynamic_frame.from_catalog(frame=$0)\n", &[]);
    }

    #[test]
    fn nothing_where_nothing_is_known() {
        check("df = spark.table('elsewhere.t')\ndf.select('$0')\n", &[]);
        check("# a comm$0ent\n", &[]);
        check("x = 'some te$0xt'\n", &[]);
    }
}
