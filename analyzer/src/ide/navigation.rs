//! Where a name is made, and where else it stands.

use contract::expr::ColumnId;
use contract::schema::TableName;

use crate::facts::{Dataset, DatasetKind};
use crate::plan::{NodeId, NodeKind, Origin};
use crate::{Analysis, Mention, TextRange};

/// A place that a name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the script.
    Here(TextRange),
    /// A catalog table: its contract, and the jobs that write it.
    Table(TableName),
}

/// Where the name at a byte offset is made: a column by its expression, and by its table where it comes from one; a
/// frame by its call; a table by its contract and its writers. Nearest first.
pub fn definition(analysis: &Analysis, offset: usize) -> Vec<Place> {
    match mention(analysis, offset) {
        Some((_, Mention::Column { column: Some(column), .. })) => made(analysis, *column),
        Some((range, Mention::Frame(node))) => {
            let call = analysis.plan.node(*node).map(|node| node.range).filter(|call| !call.is_empty());
            call.filter(|call| *call != range).map(Place::Here).into_iter().collect()
        }
        Some((_, mention)) => dataset(analysis, mention).and_then(table_name).map(Place::Table).into_iter().collect(),
        None => Vec::new(),
    }
}

/// All places of the script where the column, frame, table or argument at a byte offset stands, in order.
pub fn references(analysis: &Analysis, offset: usize) -> Vec<TextRange> {
    let Some((_, wanted)) = mention(analysis, offset) else { return Vec::new() };
    let same = |other: &Mention| match (wanted, other) {
        (Mention::Column { column: Some(a), .. }, Mention::Column { column: Some(b), .. }) => a == b,
        (Mention::Frame(a), Mention::Frame(b)) => a == b,
        (Mention::Argument(a), Mention::Argument(b)) => a == b,
        (Mention::Source(_) | Mention::Target(_), Mention::Source(_) | Mention::Target(_)) => {
            dataset(analysis, wanted).map(|dataset| &dataset.name)
                == dataset(analysis, other).map(|dataset| &dataset.name)
        }
        _ => false,
    };
    let mut places: Vec<TextRange> =
        analysis.mentions.iter().filter(|(_, other)| same(other)).map(|(range, _)| *range).collect();
    places.sort();
    places
}

/// The table at a byte offset, for those who know who else reads and writes it.
pub fn table_at(analysis: &Analysis, offset: usize) -> Option<TableName> {
    let (_, mention) = mention(analysis, offset)?;
    table_name(dataset(analysis, mention)?)
}

/// The name of a catalog table whose every part is known.
pub fn table_name(dataset: &Dataset) -> Option<TableName> {
    match (dataset.kind, &dataset.database, &dataset.table) {
        (DatasetKind::Catalog, Some(database), Some(table)) if !dataset.name.contains('<') => {
            Some(TableName::new(database, table))
        }
        _ => None,
    }
}

/// What is mentioned at a byte offset, the narrowest first.
pub(super) fn mention(analysis: &Analysis, offset: usize) -> Option<(TextRange, &Mention)> {
    let touching = analysis.mentions.iter().filter(|(range, _)| range.touches(offset));
    touching.min_by_key(|(range, _)| range.len()).map(|(range, mention)| (*range, mention))
}

fn dataset<'a>(analysis: &'a Analysis, mention: &Mention) -> Option<&'a Dataset> {
    match mention {
        Mention::Source(node) => scanned(analysis, *node),
        Mention::Target(index) => analysis.outputs.get(*index).map(|output| &output.dataset),
        _ => None,
    }
}

fn scanned(analysis: &Analysis, node: NodeId) -> Option<&Dataset> {
    match &analysis.plan.node(node)?.kind {
        NodeKind::Scan(scan) => Some(&scan.dataset),
        _ => None,
    }
}

fn made(analysis: &Analysis, column: ColumnId) -> Vec<Place> {
    let (mut id, mut places) = (column, Vec::new());
    // A copy of a column has an earlier id than what copies it, so this ends.
    while let Some(column) = analysis.plan.column(id) {
        let here = Some(Place::Here(column.range)).filter(|_| !column.range.is_empty());
        match &column.origin {
            Origin::Same(source) if *source != id => {
                id = *source;
                continue;
            }
            Origin::Base(scan) => {
                places.extend(scanned(analysis, *scan).and_then(table_name).map(Place::Table));
                places.extend(here);
            }
            _ => places.extend(here),
        }
        break;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze;
    use crate::ide::fixture::{Lending, marked};

    fn check_definition(script: &str, expected: &[&str]) {
        let (text, offset) = marked(script);
        let places = definition(&analyze(&text, &Lending), offset);
        let found: Vec<String> = places
            .iter()
            .map(|place| match place {
                Place::Here(range) => range.slice(&text).to_owned(),
                Place::Table(name) => format!("table {name}"),
            })
            .collect();
        assert_eq!(found, expected, "in {script}");
    }

    fn check_references(script: &str, expected: &[usize]) {
        let (text, offset) = marked(script);
        let lines: Vec<usize> = references(&analyze(&text, &Lending), offset)
            .iter()
            .map(|range| crate::ide::words::line(&text, range.start))
            .collect();
        assert_eq!(lines, expected, "in {script}");
    }

    const JOB: &str = "from pyspark.sql import functions as F
payments = spark.table('raw_db.payments')
typed = payments.select('loan_id', F.upper('state').alias('status'))
";

    #[test]
    fn a_computed_column_leads_to_its_expression() {
        check_definition(&format!("{JOB}typed.filter(\"stat$0us = 'PAID'\")\n"), &["upper('state')"]);
    }

    #[test]
    fn a_column_of_a_table_leads_to_the_table_and_its_read() {
        check_definition(
            &format!("{JOB}typed.select('loan$0_id')\n"),
            &["table raw_db.payments", "table('raw_db.payments')"],
        );
    }

    #[test]
    fn a_table_leads_to_what_is_known_of_it() {
        check_definition("spark.table('raw_db.pay$0ments')\n", &["table raw_db.payments"]);
        check_definition(
            "x = spark.table('raw_db.payments')\nx.write.saveAsTable('gold.fa$0ct')\n",
            &["table gold.fact"],
        );
        check_definition("y = 1\nprint(y$0)\n", &[]);
    }

    #[test]
    fn a_frame_leads_to_the_call_that_makes_it() {
        check_definition(&format!("{JOB}print(typ$0ed)\n"), &["select('loan_id', F.upper('state').alias('status'))"]);
    }

    #[test]
    fn references_of_columns_frames_and_tables() {
        let job = format!(
            "{JOB}typed.select('loan_id').write.saveAsTable('gold.a')\nspark.table('raw_db.payments').select('loan_id')\n"
        );
        check_references(&job.replace("typed.select('loan_id')", "typed.select('loan$0_id')"), &[3, 4]);
        check_references(&job.replacen("raw_db.payments", "raw_db.pay$0ments", 1), &[2, 5]);
        check_references(&job.replace("typed.select(", "typ$0ed.select("), &[3, 4]);
    }
}
