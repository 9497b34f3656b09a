//! Glue's column types as arrow types and back, and arrow's cells as [`Value`]s.

use std::sync::Arc;

use contract::types::DataType;
use contract::value::Value;
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType as Arrow, Decimal128Type, Field, Fields, TimeUnit};
use datafusion::common::ScalarValue;

/// The arrow type in which this lake reads a Glue type. Text is read as views, instants in microseconds without a zone.
pub(crate) fn to_arrow(data_type: &DataType) -> Arrow {
    match data_type {
        DataType::Boolean => Arrow::Boolean,
        DataType::TinyInt => Arrow::Int8,
        DataType::SmallInt => Arrow::Int16,
        DataType::Int => Arrow::Int32,
        DataType::BigInt => Arrow::Int64,
        DataType::Float => Arrow::Float32,
        DataType::Double => Arrow::Float64,
        DataType::Decimal { precision, scale } => Arrow::Decimal128(*precision, i8::try_from(*scale).unwrap_or(0)),
        DataType::String | DataType::Char(_) | DataType::Varchar(_) | DataType::Null | DataType::Unknown => {
            Arrow::Utf8View
        }
        DataType::Binary => Arrow::Binary,
        DataType::Date => Arrow::Date32,
        DataType::Timestamp => Arrow::Timestamp(TimeUnit::Microsecond, None),
        DataType::Array(element) => Arrow::List(Arc::new(Field::new("element", to_arrow(element), true))),
        DataType::Map(key, value) => {
            let entries =
                Fields::from(vec![Field::new("key", to_arrow(key), false), Field::new("value", to_arrow(value), true)]);
            Arrow::Map(Arc::new(Field::new("entries", Arrow::Struct(entries), false)), false)
        }
        DataType::Struct(fields) => {
            Arrow::Struct(fields.iter().map(|(name, ty)| Field::new(name, to_arrow(ty), true)).collect())
        }
    }
}

/// The Glue type that a crawler would give a file's arrow type; [`DataType::Unknown`] where Glue has none.
pub(crate) fn from_arrow(arrow: &Arrow) -> DataType {
    match arrow {
        Arrow::Null => DataType::Null,
        Arrow::Boolean => DataType::Boolean,
        Arrow::Int8 => DataType::TinyInt,
        Arrow::Int16 | Arrow::UInt8 => DataType::SmallInt,
        Arrow::Int32 | Arrow::UInt16 => DataType::Int,
        Arrow::Int64 | Arrow::UInt32 => DataType::BigInt,
        Arrow::UInt64 => DataType::Decimal { precision: 20, scale: 0 },
        Arrow::Float16 | Arrow::Float32 => DataType::Float,
        Arrow::Float64 => DataType::Double,
        Arrow::Decimal32(p, s) | Arrow::Decimal64(p, s) | Arrow::Decimal128(p, s) => match u8::try_from(*s) {
            Ok(scale) => DataType::Decimal { precision: *p, scale },
            Err(_) => DataType::Unknown,
        },
        Arrow::Utf8 | Arrow::LargeUtf8 | Arrow::Utf8View => DataType::String,
        Arrow::Binary | Arrow::LargeBinary | Arrow::BinaryView | Arrow::FixedSizeBinary(_) => DataType::Binary,
        Arrow::Date32 | Arrow::Date64 => DataType::Date,
        Arrow::Timestamp(_, _) => DataType::Timestamp,
        Arrow::Dictionary(_, value) => from_arrow(value),
        Arrow::List(element) | Arrow::LargeList(element) | Arrow::FixedSizeList(element, _) => {
            DataType::Array(Box::new(from_arrow(element.data_type())))
        }
        Arrow::Map(entries, _) => match entries.data_type() {
            Arrow::Struct(fields) if fields.len() == 2 => {
                DataType::Map(Box::new(from_arrow(fields[0].data_type())), Box::new(from_arrow(fields[1].data_type())))
            }
            _ => DataType::Unknown,
        },
        Arrow::Struct(fields) => {
            DataType::Struct(fields.iter().map(|f| (f.name().to_lowercase(), from_arrow(f.data_type()))).collect())
        }
        _ => DataType::Unknown,
    }
}

/// The narrowest type that holds the values of both without loss; `None` where they conflict.
///
/// Integers widen to integers, integers and floats to double, decimals to decimals; a column that is NULL throughout
/// one file takes the other's type.
pub(crate) fn widen(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{BigInt, Char, Decimal, Double, Float, Int, Null, SmallInt, String, TinyInt, Varchar};
    if a == b {
        return Some(a.clone());
    }
    let integer = |ty: &DataType| match ty {
        TinyInt => Some(0),
        SmallInt => Some(1),
        Int => Some(2),
        BigInt => Some(3),
        _ => None,
    };
    match (a, b) {
        (Null, other) | (other, Null) => Some(other.clone()),
        (String | Char(_) | Varchar(_), String | Char(_) | Varchar(_)) => Some(String),
        (Decimal { precision: p1, scale: s1 }, Decimal { precision: p2, scale: s2 }) => {
            let scale = *s1.max(s2);
            let precision = (p1.saturating_sub(*s1)).max(p2.saturating_sub(*s2)).saturating_add(scale);
            (precision <= 38).then_some(Decimal { precision, scale })
        }
        (Float | Double, Float | Double) => Some(Double),
        (Float | Double, other) | (other, Float | Double) if integer(other).is_some() => Some(Double),
        _ => match (integer(a)?, integer(b)?) {
            (x, y) if x >= y => Some(a.clone()),
            _ => Some(b.clone()),
        },
    }
}

/// Whether a column that the catalog declares as `declared` can be read from a file that stores it as `stored`.
pub(crate) fn readable_as(declared: &DataType, stored: &DataType) -> bool {
    match (declared, stored) {
        (DataType::Unknown, _) | (_, DataType::Null) => true,
        (DataType::Char(_) | DataType::Varchar(_), DataType::String) => true,
        (DataType::String, DataType::Binary) => true,
        (DataType::Float, DataType::Double) => true,
        (DataType::Decimal { .. }, DataType::TinyInt | DataType::SmallInt | DataType::Int | DataType::BigInt) => true,
        (DataType::Array(_) | DataType::Map(_, _) | DataType::Struct(_), _) => {
            std::mem::discriminant(declared) == std::mem::discriminant(stored)
        }
        _ => widen(declared, stored).as_ref() == Some(declared),
    }
}

/// The cell of a column at a row. Nested cells keep their fields; what has no [`Value`] becomes its text.
pub(crate) fn value(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        Arrow::List(_) => Value::Array(elements(&array.as_list::<i32>().value(row))),
        Arrow::LargeList(_) => Value::Array(elements(&array.as_list::<i64>().value(row))),
        Arrow::Struct(fields) => Value::Struct(
            fields.iter().zip(array.as_struct().columns()).map(|(f, c)| (f.name().clone(), value(c, row))).collect(),
        ),
        Arrow::Map(_, _) => {
            let entries = array.as_map().value(row);
            let pair = |i| Some((value(entries.columns().first()?, i), value(entries.columns().get(1)?, i)));
            Value::Map((0..entries.len()).filter_map(pair).collect())
        }
        Arrow::Decimal128(_, scale) => {
            Value::Decimal(array.as_primitive::<Decimal128Type>().value(row), u8::try_from(*scale).unwrap_or(0))
        }
        _ => match ScalarValue::try_from_array(array, row) {
            Ok(scalar) => scalar_value(scalar),
            Err(error) => Value::String(error.to_string()),
        },
    }
}

fn elements(array: &ArrayRef) -> Vec<Value> {
    (0..array.len()).map(|i| value(array, i)).collect()
}

fn scalar_value(scalar: ScalarValue) -> Value {
    const MICROS_OF_MILLI: i64 = 1_000;
    match scalar {
        ScalarValue::Boolean(Some(v)) => Value::Boolean(v),
        ScalarValue::Int8(Some(v)) => Value::Int(v.into()),
        ScalarValue::Int16(Some(v)) => Value::Int(v.into()),
        ScalarValue::Int32(Some(v)) => Value::Int(v.into()),
        ScalarValue::Int64(Some(v)) => Value::Int(v),
        ScalarValue::UInt8(Some(v)) => Value::Int(v.into()),
        ScalarValue::UInt16(Some(v)) => Value::Int(v.into()),
        ScalarValue::UInt32(Some(v)) => Value::Int(v.into()),
        ScalarValue::UInt64(Some(v)) => i64::try_from(v).map_or(Value::Decimal(v.into(), 0), Value::Int),
        ScalarValue::Float32(Some(v)) => Value::Double(v.into()),
        ScalarValue::Float64(Some(v)) => Value::Double(v),
        ScalarValue::Utf8(Some(v)) | ScalarValue::LargeUtf8(Some(v)) | ScalarValue::Utf8View(Some(v)) => {
            Value::String(v)
        }
        ScalarValue::Binary(Some(v)) | ScalarValue::LargeBinary(Some(v)) | ScalarValue::BinaryView(Some(v)) => {
            Value::Binary(v)
        }
        ScalarValue::Date32(Some(v)) => Value::Date(v),
        ScalarValue::TimestampSecond(Some(v), _) => Value::Timestamp(v.saturating_mul(1_000_000)),
        ScalarValue::TimestampMillisecond(Some(v), _) => Value::Timestamp(v.saturating_mul(MICROS_OF_MILLI)),
        ScalarValue::TimestampMicrosecond(Some(v), _) => Value::Timestamp(v),
        ScalarValue::TimestampNanosecond(Some(v), _) => Value::Timestamp(v.div_euclid(1_000)),
        ScalarValue::Dictionary(_, v) => scalar_value(*v),
        other if other.is_null() => Value::Null,
        other => Value::String(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glue_types_survive_the_round_trip() {
        let types = [
            DataType::Boolean,
            DataType::TinyInt,
            DataType::BigInt,
            DataType::Float,
            DataType::Decimal { precision: 10, scale: 2 },
            DataType::String,
            DataType::Date,
            DataType::Timestamp,
            DataType::Array(Box::new(DataType::Int)),
            DataType::Map(Box::new(DataType::String), Box::new(DataType::Double)),
            DataType::Struct(vec![("a".into(), DataType::Int)]),
        ];
        for ty in types {
            assert_eq!(from_arrow(&to_arrow(&ty)), ty);
        }
    }

    #[test]
    fn types_widen_or_conflict() {
        let decimal = |precision, scale| DataType::Decimal { precision, scale };
        assert_eq!(widen(&DataType::Int, &DataType::BigInt), Some(DataType::BigInt));
        assert_eq!(widen(&DataType::BigInt, &DataType::Double), Some(DataType::Double));
        assert_eq!(widen(&decimal(10, 2), &decimal(8, 4)), Some(decimal(12, 4)));
        assert_eq!(widen(&DataType::String, &DataType::Int), None);
        assert_eq!(widen(&DataType::Date, &DataType::Timestamp), None);
        assert!(readable_as(&DataType::BigInt, &DataType::Int));
        assert!(!readable_as(&DataType::Int, &DataType::BigInt));
    }
}
