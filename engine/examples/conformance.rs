//! The embedded engine of `cargo xtask conformance`, whose module `engines` states the protocol.
//!
//! `conformance write REQUEST` writes the request's tables as Parquet with a catalog entry each; `conformance ask REQUEST
//! ANSWERS` asks its questions as a stage asks the lake. `cargo xtask bench suite` has it write and ask many rows.
#![allow(clippy::print_stderr, reason = "a program of the test suite says what is wrong")]

use std::error::Error;
use std::fs::{self, File};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use contract::types::DataType;
use contract::value::Value;
use datafusion::DATAFUSION_VERSION;
use datafusion::arrow::array::{ArrayRef, ListBuilder, RecordBatch, StringArray, StringBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType as Arrow, Field, Schema, TimeUnit};
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::prelude::SessionContext;
use engine::lake::Lake;
use engine::lake::local::{LocalLake, LocalLakeOptions};
use serde_json::{Map, Value as Json, json};
use tokio::runtime::Runtime;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["write", request] => write(Path::new(request)),
        ["ask", request, answers] => ask(Path::new(request), Path::new(answers)),
        _ => Err("usage: conformance write REQUEST | conformance ask REQUEST ANSWERS".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn read(path: &Path) -> Result<Json> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

fn text<'j>(json: &'j Json, key: &str) -> Result<&'j str> {
    json[key].as_str().ok_or_else(|| format!("the request has no text `{key}`").into())
}

fn list<'j>(json: &'j Json, key: &str) -> Result<&'j [Json]> {
    json[key].as_array().map(Vec::as_slice).ok_or_else(|| format!("the request has no list `{key}`").into())
}

fn write(request: &Path) -> Result<()> {
    let request = read(request)?;
    let (folder, database) = (Path::new(text(&request, "folder")?), text(&request, "database")?);
    fs::create_dir_all(folder.join("lake/_catalog"))?;
    for table in list(&request, "tables")? {
        let name = text(table, "name")?;
        let place = folder.join("lake").join(database).join(name);
        fs::create_dir_all(&place)?;
        match table["select"].as_str() {
            Some(query) => runtime()?.block_on(write_query(query, &place))?,
            None => write_rows(table, &place).map_err(|error| format!("{name}: {error}"))?,
        }
        let columns = list(table, "columns")?.iter();
        let columns = columns.map(|column| json!({"Name": column["name"], "Type": column["type"]}));
        let columns: Vec<Json> = columns.collect();
        let entry = json!({"Table": {"Name": name, "StorageDescriptor": {"Columns": columns}}});
        fs::write(folder.join(format!("lake/_catalog/{database}.{name}.json")), entry.to_string())?;
    }
    Ok(())
}

async fn write_query(query: &str, place: &Path) -> Result<()> {
    let frame = SessionContext::new().sql(query).await?;
    let place = place.to_str().ok_or("a path that is no text")?;
    frame.write_parquet(&format!("{place}/"), DataFrameWriteOptions::new(), None).await?;
    Ok(())
}

fn write_rows(table: &Json, place: &Path) -> Result<()> {
    let rows = list(table, "rows")?;
    let (mut fields, mut arrays) = (Vec::new(), Vec::<ArrayRef>::new());
    for (number, column) in list(table, "columns")?.iter().enumerate() {
        let (name, written) = (text(column, "name")?, text(column, "type")?);
        let cells: Vec<&Json> = rows.iter().map(|row| &row[number]).collect();
        let array = array(&cells, &DataType::parse(written)?).map_err(|error| format!("{name}: {error}"))?;
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    let mut writer = ArrowWriter::try_new(File::create(place.join("rows.parquet"))?, schema.clone(), None)?;
    writer.write(&RecordBatch::try_new(schema, arrays)?)?;
    writer.close()?;
    Ok(())
}

fn runtime() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(16 << 20).build()?)
}

/// The cells as Arrow casts them from text, which reads every form that a cell is written in.
fn array(cells: &[&Json], data_type: &DataType) -> Result<ArrayRef> {
    let target = arrow(data_type)?;
    let texts: ArrayRef = match data_type {
        DataType::Array(_) => {
            let mut lists = ListBuilder::new(StringBuilder::new());
            for cell in cells {
                match cell {
                    Json::Null => lists.append_null(),
                    items => {
                        items
                            .as_array()
                            .ok_or("no list")?
                            .iter()
                            .for_each(|item| lists.values().append_option(shown(item)));
                        lists.append(true);
                    }
                }
            }
            Arc::new(lists.finish())
        }
        _ => Arc::new(cells.iter().map(|cell| shown(cell)).collect::<StringArray>()),
    };
    let array = cast(&texts, &target)?;
    match array.null_count() == cells.iter().filter(|cell| cell.is_null()).count() {
        true => Ok(array),
        false => Err(format!("a cell is no {data_type}").into()),
    }
}

fn shown(cell: &Json) -> Option<String> {
    match cell {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn arrow(data_type: &DataType) -> Result<Arrow> {
    Ok(match data_type {
        DataType::Boolean => Arrow::Boolean,
        DataType::Int => Arrow::Int32,
        DataType::BigInt => Arrow::Int64,
        DataType::Float => Arrow::Float32,
        DataType::Double => Arrow::Float64,
        DataType::Decimal { precision, scale } => Arrow::Decimal128(*precision, i8::try_from(*scale)?),
        DataType::String | DataType::Char(_) | DataType::Varchar(_) => Arrow::Utf8,
        DataType::Date => Arrow::Date32,
        DataType::Timestamp => Arrow::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::Array(element) => Arrow::new_list(arrow(element)?, true),
        other => return Err(format!("no table of the suite has a column of type {other}").into()),
    })
}

fn ask(request: &Path, answers: &Path) -> Result<()> {
    let request = read(request)?;
    let folder = Path::new(text(&request, "folder")?);
    let lake = LocalLake::open(LocalLakeOptions::new(folder.join("lake"), folder.join("store")))?;
    let runtime = runtime()?;
    let ask = |question: &Json| -> Result<(String, Json, bool)> {
        let clock = Instant::now();
        let answer = runtime.block_on(lake.engine().query(text(question, "sql")?));
        let (seconds, failed) = (clock.elapsed().as_secs_f64(), answer.is_err());
        let mut answer = answer_of(answer);
        answer["seconds"] = json!(seconds);
        Ok((text(question, "id")?.to_owned(), answer, failed))
    };
    let mut answered = Map::new();
    for question in list(&request, "questions")? {
        let (id, answer, failed) = ask(question)?;
        answered.insert(id, answer);
        let parts = question["parts"].as_array().filter(|_| failed);
        for part in parts.into_iter().flatten() {
            let (id, answer, _) = ask(part)?;
            answered.insert(id, answer);
        }
    }
    let engines = json!({"engines": {"datafusion": {"version": DATAFUSION_VERSION, "answers": answered}}});
    Ok(fs::write(answers, engines.to_string())?)
}

fn answer_of(answer: engine::Result<engine::lake::QueryResult>) -> Json {
    match answer {
        Ok(result) => {
            let rows = result.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>());
            json!({"rows": rows.collect::<Vec<_>>()})
        }
        Err(error) => json!({"error": error.to_string()}),
    }
}

fn cell(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(truth) => json!(truth),
        Value::Int(number) => json!(number),
        Value::Double(number) => json!({"double": number.to_string()}),
        Value::Decimal(number, scale) => json!({"decimal": decimal(*number, usize::from(*scale))}),
        Value::Date(days) => json!({"date": days}),
        Value::Timestamp(micros) => json!({"timestamp": micros}),
        Value::String(text) => json!(text),
        other => json!(format!("{other:?}")),
    }
}

fn decimal(number: i128, scale: usize) -> String {
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if number < 0 { "-" } else { "" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
