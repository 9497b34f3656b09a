//! Column types of text files, told from a bounded sample of each file.
//!
//! A type is taken only if every value of the sample has it in the embedded engine's own cast, and if casting loses
//! nothing that a person would miss: `007` stays text, so does a number of twenty digits.

use std::sync::Arc;

use contract::types::DataType;
use datafusion::arrow::array::{Array, ArrayRef, StringViewArray};
use datafusion::arrow::compute::{CastOptions, cast_with_options};

use super::types::to_arrow;

/// The types that are tried, the most telling first; text is what remains.
const CANDIDATES: [DataType; 5] =
    [DataType::Boolean, DataType::BigInt, DataType::Double, DataType::Date, DataType::Timestamp];

/// Most digits of a whole number that surely fits 64 bits.
const SAFE_DIGITS: usize = 18;

/// The type of a column's sampled values; [`DataType::Null`] where all are NULL.
pub(crate) fn infer(values: &[Option<String>]) -> DataType {
    let present: Vec<&str> = values.iter().flatten().map(String::as_str).collect();
    if present.is_empty() {
        return DataType::Null;
    }
    let fits =
        |candidate: &&DataType| present.iter().all(|text| plausible(candidate, text)) && casts(candidate, &present);
    CANDIDATES.iter().find(fits).cloned().unwrap_or(DataType::String)
}

/// The type of a partition key's values, as Spark tells it from paths: date, bigint or string.
pub(crate) fn infer_partition<'a>(values: impl Iterator<Item = &'a Option<String>>) -> DataType {
    let present: Vec<&str> = values.flatten().map(String::as_str).collect();
    let is_date = |text: &&str| text.len() == 10 && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok();
    match present.as_slice() {
        [] => DataType::String,
        all if all.iter().all(|text| text.parse::<i64>().is_ok()) => DataType::BigInt,
        all if all.iter().all(is_date) => DataType::Date,
        _ => DataType::String,
    }
}

/// The type for a column that is `a` in one sample and `b` in another; text holds everything.
pub(crate) fn merge(a: &DataType, b: &DataType) -> DataType {
    super::types::widen(a, b).unwrap_or(DataType::String)
}

/// Raw text as a column of a type; what has no such form becomes NULL (`TRY_CAST`).
pub(crate) fn try_cast(
    raw: &ArrayRef,
    data_type: &datafusion::arrow::datatypes::DataType,
) -> datafusion::error::Result<ArrayRef> {
    let options = CastOptions { safe: true, ..CastOptions::default() };
    Ok(cast_with_options(raw, data_type, &options)?)
}

fn casts(candidate: &DataType, present: &[&str]) -> bool {
    let raw: ArrayRef = Arc::new(StringViewArray::from_iter_values(present));
    try_cast(&raw, &to_arrow(candidate)).is_ok_and(|cast| cast.null_count() == 0)
}

fn plausible(candidate: &DataType, text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    match candidate {
        DataType::Boolean => text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false"),
        DataType::BigInt | DataType::Double => {
            let code =
                digits.len() > 1 && digits.starts_with('0') && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
            let too_long = digits.len() > SAFE_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
            !code && !too_long && !text.starts_with('+')
        }
        DataType::Date => text.len() == 10,
        DataType::Timestamp => text.len() > 10 && text.as_bytes().get(4) == Some(&b'-'),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> DataType {
        infer(&values.iter().map(|v| (!v.is_empty()).then(|| (*v).to_owned())).collect::<Vec<_>>())
    }

    #[test]
    fn types_are_told_only_where_nothing_is_lost() {
        assert_eq!(of(&["1", "", "-22"]), DataType::BigInt);
        assert_eq!(of(&["1", "2.5", "1e3"]), DataType::Double);
        assert_eq!(of(&["true", "FALSE"]), DataType::Boolean);
        assert_eq!(of(&["2024-01-31", "2024-02-01"]), DataType::Date);
        assert_eq!(of(&["2024-01-31 10:00:00", "2024-02-01T00:00:00.5"]), DataType::Timestamp);
        assert_eq!(of(&["", ""]), DataType::Null);
        for text in ["007", "12345678901234567890", "2024-13-01", "n/a", "yes", "2024-02-30 10:00:00"] {
            assert_eq!(of(&[text]), DataType::String, "{text}");
        }
        assert_eq!(of(&["1", "n/a"]), DataType::String);
    }

    #[test]
    fn partition_values_are_typed_as_spark_does() {
        let of =
            |values: &[&str]| infer_partition(values.iter().map(|v| Some((*v).to_owned())).collect::<Vec<_>>().iter());
        assert_eq!(of(&["01", "12"]), DataType::BigInt);
        assert_eq!(of(&["2024-01-01"]), DataType::Date);
        assert_eq!(of(&["2024-01-01", "x"]), DataType::String);
    }
}
