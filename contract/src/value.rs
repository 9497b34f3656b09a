//! The values of cells, for the row evaluator, the conformance suite and query results.

use serde::{Deserialize, Serialize};

/// One cell. `NULL` is a value of every type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// True or false.
    Boolean(bool),
    /// Any integer type.
    Int(i64),
    /// A decimal: unscaled integer and number of digits after the point.
    Decimal(i128, u8),
    /// Float or double.
    Double(f64),
    /// Text.
    String(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00, without a zone.
    Timestamp(i64),
    /// A list.
    Array(Vec<Value>),
    /// Key and value pairs in file order.
    Map(Vec<(Value, Value)>),
    /// Fields in schema order.
    Struct(Vec<(String, Value)>),
}
