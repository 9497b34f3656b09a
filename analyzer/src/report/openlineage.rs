//! A script as an OpenLineage run event, for catalogs that read that format.
//!
//! The event is the one of specification 2-0-2 with the facets `schema` (1-1-1) and `columnLineage` (1-2-0). A script has no
//! run yet, so the event is a `JobEvent`, which the specification has for what is known of a job from its definition.

use serde_json::{Map, Value, json};

use crate::plan::NodeKind;
use crate::{Analysis, Dataset, DatasetKind, Output};

const PRODUCER: &str = concat!("https://github.com/de-copilot/de-copilot/tree/v", env!("CARGO_PKG_VERSION"));
const SPECIFICATION: &str = "https://openlineage.io/spec/";

/// The job event of a script. `event_time` is an RFC 3339 time that the caller takes from its clock.
pub fn openlineage(analysis: &Analysis, job_name: &str, namespace: &str, event_time: &str) -> Value {
    let inputs = analysis.inputs.iter().map(|input| {
        let mut dataset = identity(&input.dataset);
        dataset.insert("facets".to_owned(), input_facets(analysis, &input.dataset));
        Value::Object(dataset)
    });
    let outputs = analysis.outputs.iter().map(|output| {
        let mut dataset = identity(&output.dataset);
        dataset.insert("facets".to_owned(), output_facets(analysis, output));
        Value::Object(dataset)
    });
    json!({
        "eventTime": event_time,
        "producer": PRODUCER,
        "schemaURL": format!("{SPECIFICATION}2-0-2/OpenLineage.json#/$defs/JobEvent"),
        "job": { "namespace": namespace, "name": job_name },
        "inputs": inputs.collect::<Vec<_>>(),
        "outputs": outputs.collect::<Vec<_>>(),
    })
}

/// Namespace and name of a dataset, in the forms that the specification gives for each kind of store.
fn identity(dataset: &Dataset) -> Map<String, Value> {
    let (namespace, name) = match (&dataset.kind, dataset.path.as_deref()) {
        (DatasetKind::S3, Some(path)) => match path.split_once("://") {
            Some((_, rest)) => {
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                (format!("s3://{bucket}"), key.trim_end_matches('/').to_owned())
            }
            None => ("file".to_owned(), path.to_owned()),
        },
        (DatasetKind::Catalog, _) => {
            let table = dataset.table.as_deref().unwrap_or(&dataset.name);
            let database = dataset.database.as_deref().unwrap_or("default");
            ("awsglue".to_owned(), format!("table/{database}/{table}"))
        }
        _ => (dataset.kind.name().to_owned(), dataset.name.clone()),
    };
    let name = if name.is_empty() { "/".to_owned() } else { name };
    [("namespace".to_owned(), json!(namespace)), ("name".to_owned(), json!(name))].into_iter().collect()
}

fn facet(name: &str, version: &str, content: Value) -> Value {
    let mut facet = json!({
        "_producer": PRODUCER,
        "_schemaURL": format!("{SPECIFICATION}facets/{version}/{name}.json"),
    });
    if let (Some(facet), Value::Object(content)) = (facet.as_object_mut(), content) {
        facet.extend(content);
    }
    facet
}

fn schema(fields: Vec<Value>) -> Value {
    facet("SchemaDatasetFacet", "1-1-1", json!({ "fields": fields }))
}

/// The columns that the script uses of an input, or all where the table is known.
fn input_facets(analysis: &Analysis, dataset: &Dataset) -> Value {
    let mut fields: Vec<Value> = Vec::new();
    for (_, node) in analysis.plan.nodes() {
        let NodeKind::Scan(scan) = &node.kind else { continue };
        if scan.dataset != *dataset {
            continue;
        }
        for field in analysis.plan.known_fields(&node.schema) {
            let field = json!({ "name": field.name, "type": analysis.plan.column_type(field.id).to_string() });
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
    }
    if fields.is_empty() { json!({}) } else { json!({ "schema": schema(fields) }) }
}

fn output_facets(analysis: &Analysis, output: &Output) -> Value {
    let Some(columns) = &output.columns else { return json!({}) };
    let fields =
        columns.iter().map(|column| json!({ "name": column.name, "type": column.data_type.to_string() })).collect();
    let of_input = |name: &str| analysis.inputs.iter().find(|input| input.dataset.name == name);
    let mut lineage = Map::new();
    for column in columns {
        let Some(sources) = &column.sources else { continue };
        let subtype = match &column.expression {
            Some(expression) if sources.len() == 1 && sources.iter().all(|source| source.column == *expression) => {
                "IDENTITY"
            }
            _ => "TRANSFORMATION",
        };
        let inputs: Vec<Value> = sources
            .iter()
            .filter_map(|source| {
                let mut field = identity(&of_input(&source.input)?.dataset);
                field.insert("field".to_owned(), json!(source.column));
                field.insert(
                    "transformations".to_owned(),
                    json!([{ "type": "DIRECT", "subtype": subtype, "description": column.expression.clone().unwrap_or_default() }]),
                );
                Some(Value::Object(field))
            })
            .collect();
        lineage.insert(column.name.clone(), json!({ "inputFields": inputs }));
    }
    json!({
        "schema": schema(fields),
        "columnLineage": facet("ColumnLineageDatasetFacet", "1-2-0", json!({ "fields": lineage })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ide::fixture::Lending;

    #[test]
    fn a_job_event_tells_datasets_columns_and_where_they_come_from() {
        let script = "from pyspark.sql import functions as F
p = spark.table('raw_db.payments').select('loan_id', (F.col('amount') * 2).alias('twice'), F.lit(1).alias('one'))
p.write.mode('overwrite').parquet('s3://lake/gold/fact/')
";
        let event = openlineage(&crate::analyze(script, &Lending), "fact", "jobs", "2024-01-02T03:04:05Z");
        assert_eq!(event["job"], json!({ "namespace": "jobs", "name": "fact" }));
        assert_eq!(event["eventTime"], "2024-01-02T03:04:05Z");
        assert_eq!(event["inputs"][0]["namespace"], "awsglue");
        assert_eq!(event["inputs"][0]["name"], "table/raw_db/payments");
        assert_eq!(event["outputs"][0]["namespace"], "s3://lake");
        assert_eq!(event["outputs"][0]["name"], "gold/fact");
        let names = |dataset: &Value| -> Vec<String> {
            let fields = dataset["facets"]["schema"]["fields"].as_array().cloned().unwrap_or_default();
            fields.iter().map(|field| field["name"].as_str().unwrap_or_default().to_owned()).collect()
        };
        assert_eq!(names(&event["outputs"][0]), ["loan_id", "twice", "one"]);
        assert!(names(&event["inputs"][0]).contains(&"amount".to_owned()));
        let lineage = &event["outputs"][0]["facets"]["columnLineage"]["fields"];
        let field = |name: &str| lineage[name]["inputFields"][0]["field"].clone();
        assert_eq!((field("loan_id"), field("twice")), (json!("loan_id"), json!("amount")));
        assert_eq!(lineage["loan_id"]["inputFields"][0]["transformations"][0]["subtype"], "IDENTITY");
        assert_eq!(lineage["twice"]["inputFields"][0]["transformations"][0]["description"], "amount * 2");
        assert_eq!(lineage["one"]["inputFields"], json!([]));
    }
}
