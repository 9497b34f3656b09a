//! What a script reads and writes, as an outline; and where its datasets lie.

use contract::schema::TableName;

use super::table_name;
use crate::facts::{Dataset, DatasetKind};
use crate::plan::NodeKind;
use crate::{Analysis, Mention, TextRange};

/// A dataset that a script reads or writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The dataset's name.
    pub name: String,
    /// `read`, or the mode of the write.
    pub detail: &'static str,
    /// Whether it is written.
    pub is_write: bool,
    /// The call.
    pub range: TextRange,
}

/// The inputs and outputs of a script, in the order of the text.
pub fn outline(analysis: &Analysis) -> Vec<Entry> {
    let reads = analysis.inputs.iter().map(|input| Entry {
        name: input.dataset.name.clone(),
        detail: "read",
        is_write: false,
        range: input.range,
    });
    let writes = analysis.outputs.iter().map(|output| Entry {
        name: output.dataset.name.clone(),
        detail: output.mode.name(),
        is_write: true,
        range: output.range,
    });
    let mut entries: Vec<Entry> = reads.chain(writes).filter(|entry| !entry.range.is_empty()).collect();
    entries.sort_by_key(|entry| entry.range);
    entries
}

/// Where a name in a script leads outside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A catalog table.
    Table(TableName),
    /// Files under a path of S3.
    Path(String),
}

/// The names of tables and paths that are wholly known, without their quotes, in the order of the text. `text` is the
/// script that was analyzed.
pub fn links(analysis: &Analysis, text: &str) -> Vec<(TextRange, Target)> {
    let dataset = |mention: &Mention| -> Option<&Dataset> {
        match mention {
            Mention::Source(node) => match &analysis.plan.node(*node)?.kind {
                NodeKind::Scan(scan) => Some(&scan.dataset),
                _ => None,
            },
            Mention::Target(sink) => Some(&analysis.plan.sinks.get(*sink)?.dataset),
            _ => None,
        }
    };
    let link = |(range, mention): (&TextRange, &Mention)| {
        let dataset = dataset(mention)?;
        let path = || dataset.path.as_ref().filter(|_| dataset.kind == DatasetKind::S3 && dataset.is_resolved());
        let target = table_name(dataset).map(Target::Table).or_else(|| path().cloned().map(Target::Path))?;
        Some((unquoted(text, *range), target))
    };
    let mut links: Vec<(TextRange, Target)> = analysis.mentions.iter().filter_map(link).collect();
    links.sort_by_key(|(range, _)| *range);
    links
}

/// What stands between the quotes of a string literal; another name stands as it is.
fn unquoted(text: &str, range: TextRange) -> TextRange {
    let written = range.slice(text);
    let quotes = |c: char| c == '"' || c == '\'';
    if !written.ends_with(quotes) {
        return range;
    }
    let start = range.start as usize + written.find(quotes).unwrap_or(0);
    let inner = TextRange::new(start, range.end as usize).slice(text);
    let behind = inner.len() - inner.trim_start_matches(quotes).len();
    TextRange::new(start + behind, start + behind + inner.trim_matches(quotes).len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze;
    use crate::ide::fixture::Lending;

    const SCRIPT: &str = "p = spark.table('raw_db.payments')
p.write.mode('append').parquet('s3://lake/copy/')
q = spark.read.parquet(f's3://{bucket}/x/')
q.write.mode('overwrite').saveAsTable('gold.fact')
";

    #[test]
    fn the_outline_is_what_is_read_and_written() {
        let entries = outline(&analyze(SCRIPT, &Lending));
        let shown: Vec<String> = entries.iter().map(|entry| format!("{} {}", entry.detail, entry.name)).collect();
        assert_eq!(
            shown,
            ["read raw_db.payments", "append s3://lake/copy/", "read s3://<?>/x/", "overwrite gold.fact"]
        );
    }

    #[test]
    fn names_that_are_wholly_known_lead_somewhere() {
        let links = links(&analyze(SCRIPT, &Lending), SCRIPT);
        let shown: Vec<(&str, Target)> =
            links.into_iter().map(|(range, target)| (range.slice(SCRIPT), target)).collect();
        assert_eq!(
            shown,
            [
                ("raw_db.payments", Target::Table(TableName::new("raw_db", "payments"))),
                ("s3://lake/copy/", Target::Path("s3://lake/copy/".to_owned())),
                ("gold.fact", Target::Table(TableName::new("gold", "fact"))),
            ]
        );
    }
}
