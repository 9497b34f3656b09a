//! A column under another name, through every transform that it passes.
//!
//! The places are found by what the analysis knows, and the script is analyzed once more with the new name: only where
//! it then does the same, its columns called anew, is the renaming offered.

use std::collections::BTreeSet;

use contract::expr::ColumnId;
use contract::schema::TableName;

use super::navigation::{self, mention};
use crate::expression;
use crate::facts::{Output, Severity};
use crate::plan::{NodeId, NodeKind, Origin, Plan};
use crate::{Analysis, Mention, Parsed, TextRange, World};

/// What a renaming changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renaming {
    /// The name as it is now.
    pub from: String,
    /// Where it stands in the script, in order.
    pub places: Vec<TextRange>,
    /// The tables that are written with the column under this name.
    pub tables: Vec<TableName>,
}

impl Renaming {
    /// The script with the new name.
    pub fn apply(&self, text: &str, to: &str) -> String {
        with_places(text, &self.places, to)
    }
}

fn with_places(text: &str, places: &[TextRange], to: &str) -> String {
    let mut edited = text.to_owned();
    for place in places.iter().rev() {
        edited.replace_range(place.start as usize..place.end as usize, to);
    }
    edited
}

/// Where the name at a byte offset stands, if it is one that can be looked for; else why it is not.
pub fn renamable(analysis: &Analysis, text: &str, offset: usize) -> Result<TextRange, String> {
    column_at(analysis, text, offset).map(|(range, _)| range)
}

/// What is to be changed so that the column at a byte offset is called `to`; an error says why that cannot be done.
pub fn rename(script: &Parsed, world: &dyn World, offset: usize, to: &str) -> Result<Renaming, String> {
    let text = script.text();
    let analysis = script.analyze(world);
    let (range, column) = column_at(&analysis, text, offset)?;
    let from = range.slice(text).to_owned();
    let is_word = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if to.is_empty() || !is_word(to) || to.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(format!("`{to}` is no name of letters, digits and underscores."));
    }
    // First with those that take its place under its name, then the column alone.
    let mut refusal = None;
    for closely in [false, true] {
        let renamed = Renamed {
            plan: &analysis.plan,
            columns: connected(&analysis.plan, column, &from, closely),
            from: &from,
            to,
        };
        match attempt(script, world, &analysis, &renamed) {
            Ok(renaming) => return Ok(renaming),
            Err(why) => refusal = refusal.or(Some(why)),
        }
    }
    Err(refusal.unwrap_or_default())
}

/// The name of a column at a place, and the column.
fn column_at(analysis: &Analysis, text: &str, offset: usize) -> Result<(TextRange, ColumnId), String> {
    let Some((range, Mention::Column { column, .. })) = mention(analysis, offset) else {
        return Err("Only columns can be renamed.".to_owned());
    };
    let name = range.slice(text);
    match column {
        Some(column) if !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_') => {
            Ok((range, *column))
        }
        _ => Err("It is not known which column this is.".to_owned()),
    }
}

/// Columns that get another name.
struct Renamed<'a> {
    plan: &'a Plan,
    columns: BTreeSet<ColumnId>,
    from: &'a str,
    to: &'a str,
}

impl Renamed<'_> {
    /// The name that a column of this name then has.
    fn name<'n>(&'n self, id: ColumnId, name: &'n str) -> &'n str {
        if name.eq_ignore_ascii_case(self.from) && self.columns.contains(&id) { self.to } else { name }
    }

    /// Whether an output has the column under this name.
    fn reaches(&self, output: &Output) -> bool {
        self.fields(output).iter().any(|(id, name)| self.name(*id, name) != name)
    }

    fn fields(&self, output: &Output) -> Vec<(ColumnId, String)> {
        let schema = self.plan.node(output.node).map(|node| self.plan.known_fields(&node.schema)).unwrap_or_default();
        schema.into_iter().map(|field| (field.id, field.name)).collect()
    }
}

/// The columns of a name that are one column to a reader: copies, and the arms of a choice or union. Not closely, also
/// those computed from it that take its name.
fn connected(plan: &Plan, column: ColumnId, name: &str, closely: bool) -> BTreeSet<ColumnId> {
    let ids = (0..u32::MAX).map(ColumnId).map_while(|id| plan.column(id).map(|column| (id, column)));
    // A column may have got the name behind where it was made.
    let fields = plan.nodes().flat_map(|(_, node)| &node.schema.fields);
    let called: BTreeSet<ColumnId> =
        fields.filter(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.id).collect();
    let is_named = |id: ColumnId, own: &str| own.eq_ignore_ascii_case(name) || called.contains(&id);
    let named: Vec<_> = ids.filter(|(id, column)| is_named(*id, &column.name)).collect();
    let mut edges: Vec<(ColumnId, ColumnId)> = Vec::new();
    for (id, column) in &named {
        match &column.origin {
            Origin::Same(source) => edges.push((*id, *source)),
            Origin::Either(sources) => edges.extend(sources.iter().map(|source| (*id, *source))),
            Origin::Computed(expr) if !closely => {
                edges.extend(expression::column_ids(expr).into_iter().map(|source| (*id, source)));
            }
            _ => {}
        }
    }
    let is_named = |id: &ColumnId| named.iter().any(|(known, _)| known == id);
    let mut found = BTreeSet::from([column]);
    let mut pending = vec![column];
    while let Some(next) = pending.pop() {
        for (a, b) in &edges {
            let other = if *a == next {
                b
            } else if *b == next {
                a
            } else {
                continue;
            };
            if is_named(other) && found.insert(*other) {
                pending.push(*other);
            }
        }
    }
    found
}

fn attempt(script: &Parsed, world: &dyn World, before: &Analysis, renamed: &Renamed) -> Result<Renaming, String> {
    let (text, from) = (script.text(), renamed.from);
    let plan = renamed.plan;
    for column in renamed.columns.iter().filter_map(|id| plan.column(*id)) {
        if !column.name.eq_ignore_ascii_case(from) {
            continue;
        }
        match column.origin {
            Origin::Base(scan) => {
                let table = plan.node(scan).and_then(|node| match &node.kind {
                    NodeKind::Scan(scan) => Some(scan.dataset.name.clone()),
                    _ => None,
                });
                let table = table.unwrap_or_default();
                return Err(format!("`{from}` is a column of {table}, which this script only reads."));
            }
            Origin::Unknown => return Err(format!("It is not known what makes `{from}`.")),
            Origin::Computed(_) | Origin::Same(_) | Origin::Either(_) => {}
        }
    }
    for (_, node) in plan.nodes() {
        let NodeKind::Opaque { inputs, reason } = &node.kind else { continue };
        let has = |input: &NodeId| {
            plan.node(*input).is_some_and(|node| {
                node.schema.fields.iter().any(|field| renamed.name(field.id, &field.name) != field.name)
            })
        };
        if inputs.iter().any(has) {
            return Err(format!(
                "On line {} `{from}` is handed on to what is not understood: {reason}.",
                super::words::line(text, node.range.start)
            ));
        }
    }
    let is_renamed = |(range, mention): (&TextRange, &Mention)| {
        let Mention::Column { column: Some(column), .. } = mention else { return None };
        (renamed.columns.contains(column) && range.slice(text).eq_ignore_ascii_case(from)).then_some(*range)
    };
    let mut places: Vec<TextRange> = before.mentions.iter().filter_map(is_renamed).collect();
    places.sort();
    if let Some(line) = unresolved(before, text, from, &places) {
        return Err(format!("On line {line} it is not known whether `{from}` is this column."));
    }
    let after = script.with_text(with_places(text, &places, renamed.to)).analyze(world);
    same_but_for_names(before, &after, renamed)?;
    let tables = before.outputs.iter().filter(|output| renamed.reaches(output));
    let mut tables: Vec<TableName> = tables.filter_map(|output| navigation::table_name(&output.dataset)).collect();
    tables.dedup();
    Ok(Renaming { from: from.to_owned(), places, tables })
}

/// The line of a name in quotes or behind a dot of which nothing is known.
fn unresolved(analysis: &Analysis, text: &str, name: &str, places: &[TextRange]) -> Option<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let in_sql = |place| analysis.sql.values().any(|sql| sql.covers(place));
    text.match_indices(name).map(|(start, _)| TextRange::new(start, start + name.len())).find_map(|place| {
        let (before, behind) = (text.get(..place.start as usize)?, text.get(place.end as usize..)?);
        let (last, next) = (before.chars().next_back().unwrap_or(' '), behind.chars().next().unwrap_or(' '));
        let stands_for_one = match last {
            '.' => !is_word(next) && next != '(',
            // In SQL, what is a column there is known; so it is of a value in Python that stands beside a comparison.
            '"' | '\'' => next == last && !in_sql(place) && !is_value(before),
            '`' => next == last,
            _ => false,
        };
        let is_known = places.contains(&place)
            || analysis
                .mentions
                .iter()
                .any(|(range, mention)| *range == place && !matches!(mention, Mention::Column { column: None, .. }));
        let line = before.rsplit('\n').next().unwrap_or(before);
        (stands_for_one && !is_known && !line.trim_start().starts_with('#'))
            .then(|| super::words::line(text, place.start))
    })
}

/// Whether the quote that a text ends in begins a value, and no name: behind a comparison or `lit(`.
fn is_value(before: &str) -> bool {
    let before = before.trim_end_matches(['"', '\'']).trim_end();
    ["==", "!=", "<", ">", "lit(", "otherwise("].iter().any(|sign| before.ends_with(sign))
}

/// Whether a script does as before, the columns called anew; an error says what it does otherwise.
fn same_but_for_names(before: &Analysis, after: &Analysis, renamed: &Renamed) -> Result<(), String> {
    let (from, to) = (renamed.from, renamed.to);
    // What a contract says of the old name, it is to say of the new one.
    let told = |analysis: &Analysis| -> Vec<&'static str> {
        let own = analysis.diagnostics.iter().filter(|diagnostic| !diagnostic.code.starts_with("contract-"));
        let mut codes: Vec<_> =
            own.filter(|diagnostic| diagnostic.severity > Severity::Hint).map(|diagnostic| diagnostic.code).collect();
        codes.sort_unstable();
        codes
    };
    if told(before) != told(after) {
        let new = after.diagnostics.iter().find(|diagnostic| {
            !before.diagnostics.iter().any(|known| known.code == diagnostic.code && known.message == diagnostic.message)
        });
        let why = new.map(|diagnostic| format!(": {}", diagnostic.message)).unwrap_or_default();
        return Err(format!("With `{to}` in place of `{from}` the script is no longer sound{why}"));
    }
    let inputs =
        |analysis: &Analysis| -> Vec<_> { analysis.inputs.iter().map(|input| input.dataset.clone()).collect() };
    let joins = |analysis: &Analysis| -> Vec<_> {
        let of = |join: &crate::JoinFact| (join.left_inputs.clone(), join.right_inputs.clone(), join.how, join.fan_out);
        analysis.joins.iter().map(of).collect()
    };
    let same =
        before.outputs.len() == after.outputs.len() && inputs(before) == inputs(after) && joins(before) == joins(after);
    if !same {
        return Err(format!("With `{to}` in place of `{from}` the script would read, join or write something else."));
    }
    for (old, new) in before.outputs.iter().zip(&after.outputs) {
        let fields = renamed.fields(old);
        let reaches = renamed.reaches(old);
        let called =
            |name: &String| if reaches && name.eq_ignore_ascii_case(from) { to.to_owned() } else { name.clone() };
        let expected: Vec<String> = fields.iter().map(|(id, name)| renamed.name(*id, name).to_owned()).collect();
        let columns = |output: &Output| -> Vec<_> {
            let of = |column: &crate::OutputColumn| (column.data_type.clone(), column.nullable, column.sources.clone());
            output.columns.iter().flatten().map(of).collect()
        };
        let names: Vec<String> = new.columns.iter().flatten().map(|column| column.name.clone()).collect();
        let keys = |keys: &[String]| -> Vec<String> { keys.iter().map(called).collect() };
        let mut grain = keys(&old.grain.columns);
        let mut new_grain = new.grain.columns.clone();
        grain.sort();
        new_grain.sort();
        let same = (&old.dataset, old.mode, old.columns_complete) == (&new.dataset, new.mode, new.columns_complete)
            && (old.columns.is_none() || expected == names && columns(old) == columns(new))
            && (keys(&old.partition_keys), keys(&old.merge_keys))
                == (new.partition_keys.clone(), new.merge_keys.clone())
            && (grain, old.grain.certainty, old.filters.len()) == (new_grain, new.grain.certainty, new.filters.len());
        if !same {
            return Err(format!("With `{to}` in place of `{from}`, {} would be written otherwise.", old.dataset.name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ide::fixture::{Lending, marked};

    fn renamed(script: &str) -> Result<(String, Vec<TableName>), String> {
        let (text, offset) = marked(script);
        let renaming = rename(&Parsed::new(text.as_str()), &Lending, offset, "renamed")?;
        Ok((renaming.apply(&text, "renamed"), renaming.tables))
    }

    fn check(script: &str, expected: &str) {
        let (edited, _) = renamed(script).unwrap_or_else(|why| panic!("{why}\n{script}"));
        assert_eq!(edited, expected);
    }

    fn check_refused(script: &str, why: &str) {
        let refusal = renamed(script).expect_err("it is refused");
        assert!(refusal.contains(why), "{refusal}");
    }

    const READ: &str = "from pyspark.sql import functions as F
p = spark.table('raw_db.payments')
";

    #[test]
    fn through_every_spelling_and_into_sql() {
        let job = |name: &str, cursor: &str| {
            format!(
                "{READ}q = p.select('loan_id', F.upper('state').alias('{cursor}'))
q = q.filter(F.col('{name}') == 'PAID').filter(\"{name} is not null\").filter(q.{name} != 'x')
q.createOrReplaceTempView('q')
r = spark.sql(\"\"\"SELECT q.{name}, count(*) AS n FROM q WHERE {name} <> 'status' GROUP BY {name}\"\"\")
r.orderBy('{name}').write.partitionBy('{name}').saveAsTable('gold.by_status')
"
            )
        };
        check(&job("status", "sta$0tus"), &job("renamed", "renamed"));
    }

    #[test]
    fn from_any_place_of_the_name() {
        let job = |alias: &str, last: &str| {
            format!("{READ}q = p.select(F.lit(1).alias('{alias}'))\nq.select('{last}').write.saveAsTable('gold.t')\n")
        };
        check(&job("one", "o$0ne"), &job("renamed", "renamed"));
        let (_, tables) = renamed(&job("o$0ne", "one")).unwrap();
        assert_eq!(tables, [TableName::new("gold", "t")]);
    }

    #[test]
    fn a_column_that_is_replaced_under_its_name_is_one_column() {
        let job = |name: &str, cursor: &str| {
            format!(
                "{READ}q = p.select(F.col('amount').alias('{name}')).withColumn('{name}', F.col('{name}').cast('double'))
q.fillna({{'{name}': 0}}).dropna(subset=['{name}']).select('{cursor}').write.saveAsTable('gold.t')
"
            )
        };
        check(&job("paid", "pa$0id"), &job("renamed", "renamed"));
    }

    #[test]
    fn both_arms_are_renamed() {
        let job = |name: &str, cursor: &str| {
            format!(
                "{READ}if flag:
    q = p.withColumn('{cursor}', F.lit('a'))
else:
    q = p.withColumn('{name}', F.lit('b'))
q.select('loan_id', '{name}').write.saveAsTable('gold.t')
"
            )
        };
        check(&job("kind", "ki$0nd"), &job("renamed", "renamed"));
    }

    #[test]
    fn renames_and_mappings_in_between() {
        let job = |name: &str, cursor: &str| {
            format!(
                "from awsglue.dynamicframe import DynamicFrame\n{READ}q = p.withColumnRenamed('state', '{name}').drop('paid_on')
d = DynamicFrame.fromDF(q, glueContext, 'd').apply_mapping([('loan_id', 'string', 'id', 'string'), ('{cursor}', 'string', 'final', 'string')])
d.toDF().write.saveAsTable('gold.t')
"
            )
        };
        check(&job("status", "sta$0tus"), &job("renamed", "renamed"));
    }

    #[test]
    fn what_another_one_has_made_is_not_renamed() {
        check_refused(
            &format!("{READ}p.select('sta$0te').write.saveAsTable('gold.t')\n"),
            "`state` is a column of raw_db.payments",
        );
        check_refused(&format!("{READ}p.select('loan_id')\npr$0int(1)\n"), "Only columns");
        check_refused("rows = helper(spark)\nrows.select('sta$0te').write.saveAsTable('gold.t')\n", "not known");
    }

    #[test]
    fn a_name_that_is_taken_or_is_none_is_refused() {
        let job = format!(
            "{READ}q = p.select('loan_id', F.lit(1).alias('one'), F.lit(2).alias('renamed'))\nq.select('o$0ne').write.saveAsTable('gold.t')\n"
        );
        check_refused(&job, "no longer sound");
        let (text, offset) = marked(&job);
        for name in ["", "a b", "1a", "a'"] {
            assert!(rename(&Parsed::new(text.as_str()), &Lending, offset, name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_place_that_is_not_understood_is_a_refusal() {
        let job = |use_of_it: &str| {
            format!(
                "{READ}q = p.select('loan_id', F.lit(1).alias('o$0ne'))\n{use_of_it}\nq.write.saveAsTable('gold.t')\n"
            )
        };
        check_refused(&job("send(q.toPandas()['one'])"), "On line 4");
        check_refused(&job("q = q.groupBy('loan_id').applyInPandas(f, s)"), "not understood");
        check_refused(&job("rows = [(row['one'], 1) for row in q.collect()]"), "On line 4");
    }

    #[test]
    fn a_name_in_a_variable_is_renamed_there() {
        let job = |name: &str, cursor: &str| {
            format!(
                "{READ}q = p.select('loan_id', F.lit(1).alias('{name}'))\nname = '{cursor}'\nq.filter((q[name] == 1) & (q.loan_id != 'one')).write.saveAsTable('gold.t')\n"
            )
        };
        check(&job("one", "o$0ne"), &job("renamed", "renamed"));
    }

    #[test]
    fn another_column_of_the_same_name_stays() {
        check(
            &format!(
                "{READ}q = p.select('loan_id', F.lit('x').alias('st$0ate'))\nq.write.saveAsTable('gold.a')\np.select('state').write.saveAsTable('gold.b')\n"
            ),
            &format!(
                "{READ}q = p.select('loan_id', F.lit('x').alias('renamed'))\nq.write.saveAsTable('gold.a')\np.select('state').write.saveAsTable('gold.b')\n"
            ),
        );
    }
}
