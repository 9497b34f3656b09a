//! Names of tables, paths and connections, from the values of a call.

use crate::facts::{Dataset, DatasetKind};
use crate::interpret::Interpreter;
use crate::value::{Hole, Segment, Text, Value};

/// The combinations of alternatives that are told apart; more are one unknown.
const MAX_VARIANTS: usize = 8;

/// The texts that a value may be.
pub(crate) fn texts(interpreter: &Interpreter, value: Option<&Value>) -> Vec<Option<Text>> {
    let Some(value) = value else { return vec![None] };
    let mut texts: Vec<Option<Text>> = Vec::new();
    for arm in value.alternatives() {
        let text = match arm {
            Value::None => None,
            // A single path in a list is that path.
            arm => match interpreter.heap.items(arm) {
                Some((items, _)) => items.first().map(|item| interpreter.to_text(item)),
                None => Some(interpreter.to_text(arm)),
            },
        };
        if !texts.contains(&text) && texts.len() < MAX_VARIANTS {
            texts.push(text);
        }
    }
    // What may also be nothing is what it is where it is something.
    let is_something = |text: &Option<Text>| text.as_ref().is_some_and(|text| text.exact() != Some(""));
    if texts.iter().any(is_something) {
        texts.retain(is_something);
    }
    // What may also be something unknown is what it is where it is known.
    let is_known =
        |text: &Option<Text>| text.as_ref().is_some_and(|text| !text.segments.contains(&Segment::Hole(Hole::Unknown)));
    if texts.iter().any(is_known) {
        texts.retain(is_known);
    }
    texts
}

/// Entries of a dict with known keys.
pub(crate) fn entries(interpreter: &Interpreter, value: &Value) -> Vec<(String, Value)> {
    value
        .alternatives()
        .iter()
        .filter_map(|arm| interpreter.heap.entries(arm))
        .flat_map(|(entries, _)| entries)
        .filter_map(|(key, value)| key.exact_text().map(|key| (key.to_owned(), value)))
        .collect()
}

/// An option by name; Spark compares them without regard to case.
pub(crate) fn option<'o>(options: &'o [(String, Value)], name: &str) -> Option<&'o Value> {
    options.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// A table of the Glue Data Catalog.
pub(crate) fn catalog(database: Option<&Text>, table: Option<&Text>) -> Dataset {
    let database = database.map(|text| fold(&text.render()));
    let table = table.map(|text| fold(&text.render()));
    let name = match (&database, &table) {
        (Some(database), Some(table)) => format!("{database}.{table}"),
        (None, Some(table)) => table.clone(),
        (Some(database), None) => format!("{database}.{}", crate::value::UNKNOWN_HOLE),
        (None, None) => crate::value::UNKNOWN_HOLE.to_owned(),
    };
    Dataset { kind: DatasetKind::Catalog, database, table, path: None, name, format: None }
}

/// A table named in one string: `table`, `database.table` or `catalog.database.table`.
pub(crate) fn named_table(text: &Text) -> Dataset {
    let parts = text.split(".", usize::MAX);
    let clean = |text: &Text| text.map_literals(|literal| literal.replace('`', ""));
    match parts.as_slice() {
        [table] => catalog(None, Some(&clean(table))),
        [.., database, table] => catalog(Some(&clean(database)), Some(&clean(table))),
        [] => catalog(None, None),
    }
}

/// Files under a path.
pub(crate) fn path(path: &Text, format: Option<String>) -> Dataset {
    let path = path.render();
    Dataset { kind: DatasetKind::S3, database: None, table: None, name: path.clone(), path: Some(path), format }
}

/// What a `format` and its options name: `spark.read.format(…).options(…).load(…)` and the write of the same kind.
pub(crate) fn by_format(
    interpreter: &Interpreter,
    format: Option<&str>,
    options: &[(String, Value)],
    target: Option<&Text>,
) -> Option<Dataset> {
    let text = |name: &str| option(options, name).map(|value| interpreter.to_text(value));
    let format = format.map(str::to_lowercase);
    let named = |kind: DatasetKind, table: Option<Text>, prefix: &str| {
        let table = table.map(|text| text.render());
        let name = match &table {
            Some(table) => format!("{prefix}{table}"),
            None => format!("{prefix}{}", crate::value::UNKNOWN_HOLE),
        };
        Dataset { kind, database: None, table, path: None, name, format: format.clone() }
    };
    Some(match format.as_deref() {
        Some(
            "jdbc"
            | "mysql"
            | "postgresql"
            | "sqlserver"
            | "oracle"
            | "redshift"
            | "snowflake"
            | "bigquery"
            | "net.snowflake.spark.snowflake"
            | "io.github.spark_redshift_community.spark.redshift"
            | "custom.jdbc"
            | "marketplace.jdbc"
            | "mongodb"
            | "documentdb"
            | "mongo",
        ) => {
            let table = ["dbtable", "collection", "table", "query", "sampleQuery"].iter().find_map(|name| text(name));
            jdbc(
                connection(interpreter, options).as_ref(),
                table.as_ref(),
                text("database").or_else(|| text("sfDatabase")).as_ref(),
                format.clone(),
            )
        }
        Some("dynamodb") => {
            let table = text("dynamodb.input.tableName")
                .or_else(|| text("dynamodb.output.tableName"))
                .or_else(|| text("dynamodb.export"))
                .or_else(|| text("tableName"));
            named(DatasetKind::DynamoDb, table, "dynamodb:")
        }
        Some("kafka") => named(
            DatasetKind::Kafka,
            text("subscribe")
                .or_else(|| text("topicName"))
                .or_else(|| text("topic"))
                .or_else(|| text("subscribePattern")),
            "kafka:",
        ),
        Some("kinesis") => named(
            DatasetKind::Kafka,
            text("streamName").or_else(|| text("streamARN")).or_else(|| text("streamArn")),
            "kinesis:",
        ),
        // An index of Elasticsearch or OpenSearch, which its connector calls a path or a resource.
        _ if option(options, "es.nodes").is_some() => {
            let index =
                ["es.resource", "es.resource.write", "es.resource.read", "path"].iter().find_map(|name| text(name));
            let index = index.or_else(|| target.cloned());
            let found = jdbc(connection(interpreter, options).as_ref(), index.as_ref(), None, format.clone());
            Dataset { kind: DatasetKind::Other, ..found }
        }
        other => {
            // Hudi and its like name their table in the options; the path is where it lies.
            let location = target.cloned().or_else(|| text("path")).or_else(|| {
                option(options, "paths").and_then(|value| texts(interpreter, Some(value)).into_iter().flatten().next())
            });
            let hudi_table = text("hoodie.datasource.hive_sync.table").or_else(|| text("hoodie.table.name"));
            let hudi_database = text("hoodie.datasource.hive_sync.database").or_else(|| text("hoodie.database.name"));
            match (other, location) {
                (Some("iceberg"), Some(table)) if !table.render().contains("//") => {
                    Dataset { format: format.clone(), ..named_table(&table) }
                }
                (_, Some(location)) => {
                    let mut dataset = path(&location, format.clone().filter(|format| !is_connector(format)));
                    if let Some(table) = hudi_table {
                        let location = dataset.path.take();
                        dataset = Dataset {
                            path: location,
                            format: Some("hudi".to_owned()),
                            ..catalog(hudi_database.as_ref(), Some(&table))
                        };
                    }
                    dataset
                }
                (_, None) => match hudi_table {
                    Some(table) => {
                        Dataset { format: Some("hudi".to_owned()), ..catalog(hudi_database.as_ref(), Some(&table)) }
                    }
                    None => return connector(interpreter, options, format),
                },
            }
        }
    })
}

/// What names the connection among the options of a database or a connector.
pub(crate) fn connection(interpreter: &Interpreter, options: &[(String, Value)]) -> Option<Text> {
    const NAMES: [&str; 6] = ["connectionName", "url", "connection.uri", "uri", "sfUrl", "es.nodes"];
    NAMES.iter().find_map(|name| option(options, name)).map(|value| interpreter.to_text(value))
}

/// What a connector of the marketplace or of an application reads: a table, an entity or an index behind a connection.
fn connector(interpreter: &Interpreter, options: &[(String, Value)], format: Option<String>) -> Option<Dataset> {
    const NAMES: [&str; 7] =
        ["dbtable", "tableName", "entityName", "ENTITY_NAME", "es.resource", "es.resource.write", "query"];
    let table = NAMES.iter().find_map(|name| option(options, name)).map(|value| interpreter.to_text(value))?;
    let database = option(options, "sfDatabase")
        .or_else(|| option(options, "database"))
        .or_else(|| option(options, "schemaName"))
        .map(|value| interpreter.to_text(value));
    let connection = connection(interpreter, options);
    let found = jdbc(connection.as_ref(), Some(&table), database.as_ref(), format);
    let kind = if option(options, "dbtable").is_some() { DatasetKind::Jdbc } else { DatasetKind::Other };
    Some(Dataset { kind, ..found })
}

/// A table of a relational database.
pub(crate) fn jdbc(
    connection: Option<&Text>,
    table: Option<&Text>,
    database: Option<&Text>,
    format: Option<String>,
) -> Dataset {
    let render = |text: &Text| text.render();
    let table = table.map(render);
    let connection = connection.map(render).filter(|connection| !connection.is_empty());
    let name = match (&connection, &table) {
        (Some(connection), Some(table)) => format!("{connection}.{table}"),
        (None, Some(table)) => table.clone(),
        (_, None) => crate::value::UNKNOWN_HOLE.to_owned(),
    };
    Dataset { kind: DatasetKind::Jdbc, database: database.map(render), table, path: None, name, format }
}

fn is_connector(format: &str) -> bool {
    matches!(format, "custom.spark" | "marketplace.spark" | "s3" | "file")
}

/// Glue folds names to lower case; placeholders keep theirs.
fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    let mut inside = 0usize;
    for c in name.trim().chars() {
        match c {
            '<' => inside += 1,
            '>' => inside = inside.saturating_sub(1),
            _ => {}
        }
        if inside == 0 { folded.extend(c.to_lowercase()) } else { folded.push(c) }
    }
    folded
}
