//! What a generator is told about a table: schema, statistics and the job that writes it, in the shape of the
//! specification's section 3.1.

use analyzer::{Certainty, ColumnSource, JoinFact, JoinKind, Output, OutputColumn};
use contract::document::context::{Constraint, ContextColumn};
use contract::document::{CodeColumn, CodeFacts, Context, Contract, JobSummary, Profile, Reference, VERSION};
use contract::rule::{Rule, RuleKind, Source};
use contract::schema::{TableName, TableSchema};

use super::analyze::{Job, Jobs};
use super::answers;
use super::artifacts::{Keys, read_text, update};
use crate::Result;
use crate::lake::Lake;
use crate::project::Project;

/// The profile of a table that has no data yet.
pub fn without_data(lake: &dyn Lake, table: &TableName) -> Profile {
    let now = lake.now();
    Profile {
        version: VERSION,
        table_name: table.table.clone(),
        database: table.database.clone(),
        date: now.format("%Y-%m-%d").to_string(),
        profiled_at: now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        ..Profile::default()
    }
}

/// Puts a table's context together and stores it as `contexts/<table>/<script-hash>.json`. Columns come from the
/// catalog; a table that the catalog does not know yet has those of its contract, else those that its job writes.
///
/// # Errors
/// A table of the lake or a contract that cannot be read, and a store that cannot be written.
pub async fn context(project: &Project, lake: &dyn Lake, jobs: &Jobs, profile: &Profile) -> Result<Context> {
    let name = TableName::new(&profile.database, &profile.table_name);
    let all = lake.catalog().tables().await?;
    let catalog = match all.contains(&name) {
        true => Some(lake.catalog().table(&name).await?),
        false => None,
    };
    let contract = answers::contract(project, lake, &name).await?;
    let writer = jobs.writer_of(&name);
    let output = writer.map(|(_, output)| output);
    let known = match (&catalog, &contract) {
        (Some(table), _) => Some(table.schema.clone()),
        (None, Some(contract)) => Some(answers::promised_schema(contract)),
        (None, None) => None,
    };
    let min_rows = project.settings.generate.min_rows;
    let schema = match known {
        Some(schema) => columns(&schema, profile, min_rows, contract.as_deref(), output),
        None => output.map(written_columns).unwrap_or_default(),
    };
    let described = contract.as_ref().and_then(|contract| contract.description.clone());
    let comment = catalog.and_then(|table| table.comment);
    let mut context = Context {
        version: VERSION,
        table_name: name.table.clone(),
        database: name.database.clone(),
        layer: project.layer(&name, writer.is_some()),
        purpose: described.or(comment).unwrap_or_else(|| purpose(&name, writer)),
        constraints: contract.as_deref().map(constraints).unwrap_or_default(),
        row_count: profile.row_count,
        column_stats: profile.column_stats.clone(),
        job_summary: writer.map(|(job, output)| job_summary(job, output)),
        script_hash: writer.map(|(job, _)| job.script.hash.clone()),
        facts: writer.map(|(job, output)| facts(job, output, jobs, &name)),
        schema,
    };
    let key = Keys::new(&name, &all).context(context.script_hash.as_deref());
    if let Some(Ok(stored)) = read_text(lake.store(), &key).await?.map(|text| Context::from_json(&text)) {
        settle(&mut context, &stored);
    }
    update(lake.store(), &key, &|_| Ok(context.to_json())).await?;
    Ok(context)
}

/// An approximate percentile and a mean of doubles depend on the order in which threads bring their parts. Where they
/// differ from the stored ones by no more than that, the stored ones stay, so that the same table has the same context.
fn settle(context: &mut Context, stored: &Context) {
    let close = |new: f64, old: f64, tolerance: f64| (new - old).abs() <= tolerance * old.abs();
    for (name, stats) in &mut context.column_stats {
        let Some(old) = stored.column_stats.get(name) else { continue };
        let same = old.min == stats.min && old.max == stats.max && old.null_pct == stats.null_pct;
        if !same || stored.row_count != context.row_count {
            continue;
        }
        for (new, old, tolerance) in [(&mut stats.p95, old.p95, 0.02), (&mut stats.mean, old.mean, 1e-9)] {
            if let (Some(value), Some(old)) = (*new, old)
                && close(value, old, tolerance)
            {
                *new = Some(old);
            }
        }
    }
}

/// The schema's columns. NULL may occur where the contract allows it; without a contract, unless the script excludes it;
/// without either, where the profile saw one or too few rows to say.
fn columns(
    schema: &TableSchema,
    profile: &Profile,
    min_rows: u64,
    contract: Option<&Contract>,
    output: Option<&Output>,
) -> Vec<ContextColumn> {
    let nullable = |name: &str| {
        let promised = contract.and_then(|contract| contract.columns.get(name)).map(|column| column.nullable);
        let written = output.and_then(|output| output_column(output, name)).and_then(|column| column.nullable);
        let stats = profile.column_stats.get(name).filter(|_| profile.row_count >= min_rows.max(1));
        let observed = stats.map(|stats| stats.null_pct > 0.0);
        promised.or(written.filter(|nullable| !nullable)).or(observed).unwrap_or(true)
    };
    let column = |column: &contract::schema::Column| ContextColumn {
        name: column.name.clone(),
        data_type: column.data_type.to_string(),
        nullable: nullable(&column.name),
        comment: column.comment.clone(),
        partition_key: column.partition_key,
    };
    schema.columns.iter().map(column).collect()
}

/// The columns of a table that nobody but its script knows, partition keys last.
fn written_columns(output: &Output) -> Vec<ContextColumn> {
    let is_key = |column: &OutputColumn| output.partition_keys.iter().any(|key| key.eq_ignore_ascii_case(&column.name));
    let columns = output.columns.iter().flatten();
    let ordered = columns.clone().filter(|column| !is_key(column)).chain(columns.filter(|column| is_key(column)));
    let column = |column: &OutputColumn| ContextColumn {
        name: column.name.to_lowercase(),
        data_type: column.data_type.to_string(),
        nullable: column.nullable.unwrap_or(true),
        comment: None,
        partition_key: is_key(column),
    };
    ordered.map(column).collect()
}

fn output_column<'a>(output: &'a Output, name: &str) -> Option<&'a OutputColumn> {
    output.columns.iter().flatten().find(|column| column.name.eq_ignore_ascii_case(name))
}

/// What the table is for, where neither its contract nor the catalog says: the first line of its script's own
/// description, else what the script does.
fn purpose(name: &TableName, writer: Option<(&Job, &Output)>) -> String {
    let Some((job, output)) = writer else { return format!("Table {name}; no script of the project writes it.") };
    if let Some(line) = docstring(&job.script.text) {
        return line;
    }
    let mut text = format!("Written by {}", job.script.job_name);
    if !output.inputs.is_empty() {
        text.push_str(&format!(" from {}", output.inputs.join(", ")));
    }
    if !output.grain.columns.is_empty() {
        text.push_str(&format!(", one row per {}", output.grain.columns.join(", ")));
    }
    text.push('.');
    text
}

/// The first line of a module's docstring.
fn docstring(script: &str) -> Option<String> {
    let code = script.lines().skip_while(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    let text = code.collect::<Vec<_>>().join("\n");
    let quote = ["\"\"\"", "'''"].into_iter().find(|quote| text.starts_with(quote))?;
    let inside = text.get(3..)?.split(quote).next()?;
    let line = inside.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.to_owned())
}

/// What people state in the contract, as predicates.
fn constraints(contract: &Contract) -> Vec<Constraint> {
    let stated = contract.rules().filter(|rule| rule.source == Source::Human);
    stated
        .filter_map(|rule| {
            let expression = predicate(rule)?;
            Some(Constraint { name: rule.id.clone(), kind: "CHECK".into(), expression })
        })
        .collect()
}

fn predicate(rule: &Rule) -> Option<String> {
    let column = rule.column.as_deref().unwrap_or_default();
    match &rule.kind {
        RuleKind::CheckConstraint { expression } => Some(expression.clone()),
        RuleKind::Min { value } => Some(format!("{column} >= {}", constant(value))),
        RuleKind::Max { value } => Some(format!("{column} <= {}", constant(value))),
        RuleKind::Range { min: Some(min), max: Some(max) } => {
            Some(format!("{column} BETWEEN {} AND {}", constant(min), constant(max)))
        }
        RuleKind::AllowedValues { values } => {
            let values: Vec<String> = values.iter().map(constant).collect();
            Some(format!("{column} IN ({})", values.join(", ")))
        }
        _ => None,
    }
}

fn constant(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        other => other.to_string(),
    }
}

/// The job's summary for one of its outputs: inputs, joins and filters are those that reach it.
fn job_summary(job: &Job, output: &Output) -> JobSummary {
    let mut summary = job.analysis.job_summary(&job.script.job_name);
    summary.output = Some(output.dataset.short_name().to_owned());
    summary.grain = output.grain.columns.clone();
    if job.analysis.outputs.len() > 1 {
        let inputs = job.analysis.inputs.iter().filter(|input| output.inputs.contains(&input.dataset.name));
        summary.inputs = inputs.map(|input| input.dataset.short_name().to_owned()).collect();
        summary.filters =
            output.certain_filters().filter(|filter| !filter.ranks).map(|filter| filter.predicate.clone()).collect();
        let reached = &summary.inputs;
        summary.join_keys.retain(|key| reached.contains(&key.left_table) && reached.contains(&key.right_table));
    }
    summary
}

/// What the script says of the table, as far as it is sure.
///
/// What one job does says nothing of the rows that another job writes into the same table: then only its columns are told.
fn facts(job: &Job, output: &Output, jobs: &Jobs, table: &TableName) -> CodeFacts {
    let writes = |other: &&Job| other.analysis.outputs.iter().any(|output| other.table(&output.dataset) == Some(table));
    let alone = jobs.jobs.iter().filter(writes).count() == 1;
    let code_column = |column: &OutputColumn| CodeColumn {
        data_type: column.data_type.to_string(),
        nullable: column.nullable,
        sources: column
            .sources
            .as_ref()
            .map(|sources| sources.iter().map(|source| format!("{}.{}", source.input, source.column)).collect()),
        expression: column.expression.clone(),
    };
    let columns = output.columns.iter().flatten();
    let filters = output.certain_filters().filter(|filter| !filter.ranks).flat_map(|filter| filter.parts.clone());
    let readers = jobs.readers_of(table).into_iter().map(|reader| reader.script.job_name.clone());
    CodeFacts {
        columns: columns.map(|column| (column.name.to_lowercase(), code_column(column))).collect(),
        columns_complete: output.columns_complete,
        grain_certainty: match alone {
            true => output.grain.certainty.name().to_owned(),
            false => Certainty::Assumed.name().to_owned(),
        },
        grain_reason: match alone {
            true => output.grain.reason.clone(),
            false => format!("{}, but other jobs write the table too", output.grain.reason),
        },
        filters: if alone { filters.collect() } else { Vec::new() },
        references: if alone { references(job, output, table) } else { Vec::new() },
        read_by: readers.collect(),
    }
}

/// Columns that a join of this output looks up in another table: the join's key on one side reaches the output as it
/// is, and the other side is a table.
fn references(job: &Job, output: &Output, table: &TableName) -> Vec<Reference> {
    let mut references: Vec<Reference> = Vec::new();
    let reached = job.analysis.plan.ancestry(output.node);
    for join in job.analysis.joins.iter().filter(|join| reached.contains(&join.node)) {
        let Some(how) = kind(join) else { continue };
        let ([left], [right]) = (join.left_inputs.as_slice(), join.right_inputs.as_slice()) else { continue };
        let ([left_column], [right_column]) = (join.left_columns.as_slice(), join.right_columns.as_slice()) else {
            continue;
        };
        let Some(referenced) = job.tables.get(right).filter(|referenced| *referenced != table) else { continue };
        let key = ColumnSource { input: left.clone(), column: left_column.clone() };
        for column in output.columns.iter().flatten().filter(|column| is_copy(column, &key)) {
            let reference = Reference {
                column: column.name.to_lowercase(),
                ref_table: match referenced.database == table.database {
                    true => referenced.table.clone(),
                    false => referenced.to_string(),
                },
                ref_column: right_column.to_lowercase(),
                how: how.to_owned(),
            };
            let same = |known: &Reference| known.column == reference.column && known.ref_table == reference.ref_table;
            if !references.iter().any(same) {
                references.push(reference);
            }
        }
    }
    references
}

fn kind(join: &JoinFact) -> Option<&'static str> {
    match join.how {
        JoinKind::Inner | JoinKind::LeftSemi => Some("inner"),
        JoinKind::Left => Some("left"),
        _ => None,
    }
}

/// Whether an output's column holds the values of a base column as they are, or cast.
fn is_copy(column: &OutputColumn, of: &ColumnSource) -> bool {
    let only = column.sources.as_deref().is_some_and(|sources| sources == std::slice::from_ref(of));
    only && column.expression.as_deref().is_some_and(|text| text == of.column || text == column.name || is_cast(text))
}

fn is_cast(expression: &str) -> bool {
    let inside = expression.strip_prefix("CAST(").or_else(|| expression.strip_prefix("TRY_CAST("));
    inside.is_some_and(|inside| !inside.contains('('))
}
