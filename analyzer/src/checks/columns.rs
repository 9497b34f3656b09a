//! Columns and their types.

use contract::types::DataType;

use crate::plan::Placing;

use super::{Check, Job, Verdict, proved};

pub(super) fn check(job: &Job) -> Vec<Check> {
    if job.contract.columns.is_empty() {
        return Vec::new();
    }
    let mut checks: Vec<Check> = job.contract.columns.keys().map(|name| presence(job, name)).collect();
    checks.extend(job.contract.columns.iter().filter_map(|(name, column)| data_type(job, name, &column.data_type)));
    if job.output.columns_complete {
        checks.extend(surplus(job));
    }
    checks
}

fn presence(job: &Job, name: &str) -> Check {
    let (verdict, reason) = match job.column(name) {
        Some(column) if column.field.condition.is_none() => (proved(&[]), format!("column `{name}` is written")),
        None if job.plan.node(job.output.node).is_some_and(|node| node.schema.is_complete()) => {
            (Verdict::Refuted, format!("column `{name}` is promised and not written here."))
        }
        _ => (Verdict::MustBeTested, format!("it is not known from the script whether `{name}` is written")),
    };
    Check { column: Some(name.to_owned()), ..job.check("contract-column-missing", verdict, reason) }
}

/// Columns that the contract does not know.
fn surplus(job: &Job) -> impl Iterator<Item = Check> {
    let known = |name: &str| job.contract.columns.keys().any(|known| known.eq_ignore_ascii_case(name));
    job.columns.iter().filter(move |column| !known(&column.name)).map(|column| {
        let reason = format!("column `{}` is written and not in the contract.", column.name);
        let check = job.check("contract-column-surplus", Verdict::Refuted, reason);
        Check { column: Some(column.name.clone()), range: job.place(column.field.id), ..check }
    })
}

fn data_type(job: &Job, name: &str, promised: &str) -> Option<Check> {
    let promised = DataType::parse(promised).ok()?;
    let column = job.column(name)?;
    let written = job.plan.column_type(column.field.id);
    let (verdict, reason) = match agree(&written, &promised) {
        Some(true) => (proved(&[]), format!("`{name}` is {written}")),
        Some(false) if job.sink.placing == Placing::AsTheyAre => (
            Verdict::Refuted,
            format!("column `{name}` is promised as {promised} and written as {written}; cast it to {promised}."),
        ),
        _ => (Verdict::MustBeTested, format!("it is not known from the script whether `{name}` is {promised}")),
    };
    let check = job.check("contract-type", verdict, reason);
    Some(Check { column: Some(name.to_owned()), range: job.place(column.field.id), ..check })
}

/// Whether a written type can be read as the promised one; `None` where that is not known. A narrower number is read
/// as a wider one by Spark and by Athena.
fn agree(written: &DataType, promised: &DataType) -> Option<bool> {
    const WIDTH: [DataType; 4] = [DataType::TinyInt, DataType::SmallInt, DataType::Int, DataType::BigInt];
    let width = |data_type: &DataType| WIDTH.iter().position(|known| known == data_type);
    match (written, promised) {
        (DataType::Unknown | DataType::Null, _) | (_, DataType::Unknown) => None,
        (a, b) if a == b => Some(true),
        (a, b) if a.is_text() && b.is_text() => Some(true),
        (DataType::Float, DataType::Double) => Some(true),
        (DataType::Decimal { precision: a, scale: s }, DataType::Decimal { precision: b, scale: t }) => {
            Some(a <= b && s == t)
        }
        (DataType::Array(a), DataType::Array(b)) => agree(a, b),
        // Nested fields differ in order and case between what writes and what reads them; only a test tells.
        (DataType::Struct(_), DataType::Struct(_)) | (DataType::Map(..), DataType::Map(..)) => None,
        (a, b) => Some(matches!((width(a), width(b)), (Some(a), Some(b)) if a <= b)),
    }
}
