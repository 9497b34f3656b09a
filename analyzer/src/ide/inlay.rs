//! Hints behind calls: what a transform does to the columns and to the grain.

use contract::types::DataType;

use crate::facts::{self, Certainty, Derived};
use crate::plan::{Field, NodeId, NodeKind};
use crate::{Analysis, TextRange};

/// A text behind a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inlay {
    /// The byte offset that it stands behind.
    pub offset: u32,
    /// The text, in a few words.
    pub label: String,
}

/// More changed columns than this are counted and not named.
const MAX_NAMES: usize = 3;

/// The hints within a range, in order. `text` is the script that was analyzed.
pub fn inlays(analysis: &Analysis, text: &str, within: TextRange) -> Vec<Inlay> {
    let plan = &analysis.plan;
    let derived = Derived::new(plan);
    let mut hints: Vec<Inlay> = Vec::new();
    for (id, node) in plan.nodes() {
        let inside = within.start <= node.range.start && node.range.end <= within.end;
        if !inside || !node.range.slice(text).ends_with(')') {
            continue;
        }
        let Some(label) = label(analysis, &derived, id) else { continue };
        // One call may make several frames, of which the last is its result.
        hints.retain(|hint| hint.offset != node.range.end);
        hints.push(Inlay { offset: node.range.end, label });
    }
    hints.sort_by_key(|hint| hint.offset);
    hints
}

fn label(analysis: &Analysis, derived: &Derived, id: NodeId) -> Option<String> {
    let node = derived.node(id)?;
    if !node.schema.is_complete() {
        return None;
    }
    let mut words = match &node.kind {
        NodeKind::Scan(_) => vec![columns(node.schema.fields.len())],
        NodeKind::Project { input } => changes(analysis, *input, &node.schema.fields)?,
        NodeKind::Join { .. } | NodeKind::Union { .. } | NodeKind::Aggregate { .. } => {
            vec![columns(node.schema.fields.len())]
        }
        NodeKind::DropDuplicates { .. } | NodeKind::Distinct { .. } => Vec::new(),
        _ => return None,
    };
    if !matches!(node.kind, NodeKind::Project { .. } | NodeKind::Scan(_)) {
        let grain = facts::grain(derived, id);
        if grain.certainty != Certainty::Unknown {
            let by = if grain.columns.is_empty() { "one row".to_owned() } else { grain.columns.join(", ") };
            words.push(format!("grain {by}"));
        } else if let NodeKind::Join { left, .. } = &node.kind
            && facts::grain(derived, *left).certainty != Certainty::Unknown
        {
            words.push("grain lost".to_owned());
        }
    }
    (!words.is_empty()).then(|| words.join(" · "))
}

fn columns(count: usize) -> String {
    if count == 1 { "1 column".to_owned() } else { format!("{count} columns") }
}

fn differ(before: &DataType, after: &DataType) -> bool {
    before != after && *before != DataType::Unknown && *after != DataType::Unknown
}

/// What a projection adds, drops and gives another type; `None` where it does nothing of it.
fn changes(analysis: &Analysis, input: NodeId, fields: &[Field]) -> Option<Vec<String>> {
    let plan = &analysis.plan;
    let before = &plan.node(input)?.schema;
    if !before.is_complete() {
        return None;
    }
    let find =
        |fields: &[Field], name: &str| fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)).cloned();
    let spelled = |field: &Field| match plan.column_type(field.id) {
        DataType::Unknown => field.name.clone(),
        known => format!("{} {known}", field.name),
    };
    let mut added = Vec::new();
    let mut retyped = Vec::new();
    for field in fields {
        match find(&before.fields, &field.name) {
            None => added.push(spelled(field)),
            Some(old) if differ(&plan.column_type(old.id), &plan.column_type(field.id)) => retyped.push(spelled(field)),
            Some(_) => {}
        }
    }
    let dropped: Vec<String> =
        before.fields.iter().filter(|old| find(fields, &old.name).is_none()).map(|old| old.name.clone()).collect();
    let words: Vec<String> = [("+", added), ("−", dropped), ("→", retyped)]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(sign, names)| match names.len() {
            many if many > MAX_NAMES => format!("{sign}{}", columns(many)),
            _ => format!("{sign}{}", names.join(&format!(" {sign}"))),
        })
        .collect();
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze;
    use crate::ide::fixture::Lending;

    /// The script with each hint in brackets at its place.
    fn check(script: &str, expected: &str) {
        let hints = inlays(&analyze(script, &Lending), script, TextRange::new(0, script.len()));
        let mut shown = script.to_owned();
        for hint in hints.iter().rev() {
            shown.insert_str(hint.offset as usize, &format!("[{}]", hint.label));
        }
        assert_eq!(shown, expected);
    }

    #[test]
    fn reads_and_projections_say_what_changes() {
        check(
            "import pyspark.sql.functions as F\np = spark.table('raw_db.payments').withColumn('amount', F.col('amount').cast('double')).drop('state').withColumnRenamed('paid_on', 'day')\n",
            "import pyspark.sql.functions as F\np = spark.table('raw_db.payments')[4 columns].withColumn('amount', F.col('amount').cast('double'))[→amount double].drop('state')[−state].withColumnRenamed('paid_on', 'day')[+day string · −paid_on]\n",
        );
    }

    #[test]
    fn grain_is_shown_where_it_changes() {
        check(
            "p = spark.table('raw_db.payments').dropDuplicates(['loan_id', 'paid_on']).select('loan_id', 'paid_on', 'state')\nq = p.join(spark.table('ref_db.loans'), 'loan_id')\nr = p.groupBy('loan_id').count()\n",
            "p = spark.table('raw_db.payments')[4 columns].dropDuplicates(['loan_id', 'paid_on'])[grain loan_id, paid_on].select('loan_id', 'paid_on', 'state')[−amount]\nq = p.join(spark.table('ref_db.loans')[3 columns], 'loan_id')[5 columns · grain loan_id, paid_on]\nr = p.groupBy('loan_id').count()[2 columns · grain loan_id]\n",
        );
    }

    #[test]
    fn silence_where_columns_are_not_known() {
        let script = "p = spark.table('elsewhere.t').withColumn('x', F.lit(1))\n";
        check(script, script);
    }
}
