//! Column types as the Glue Data Catalog spells them.

use std::fmt;

/// A column's type. The vocabulary is Hive's, as the Glue Data Catalog writes it in `StorageDescriptor.Columns[].Type`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum DataType {
    /// True or false.
    Boolean,
    /// 8-bit signed integer.
    TinyInt,
    /// 16-bit signed integer.
    SmallInt,
    /// 32-bit signed integer.
    Int,
    /// 64-bit signed integer.
    BigInt,
    /// 32-bit IEEE 754 number.
    Float,
    /// 64-bit IEEE 754 number.
    Double,
    /// Exact decimal: `precision` digits in all (1 to 38), `scale` of them after the point.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// UTF-8 text of any length.
    String,
    /// Text padded with blanks to a fixed length in characters.
    Char(u32),
    /// Text of at most so many characters.
    Varchar(u32),
    /// Bytes.
    Binary,
    /// A calendar day without a zone.
    Date,
    /// An instant without a zone, as Hive stores it, in microseconds.
    Timestamp,
    /// A list of elements of one type.
    Array(Box<DataType>),
    /// Key and value types.
    Map(Box<DataType>, Box<DataType>),
    /// Named fields.
    Struct(Vec<(String, DataType)>),
    /// The type of a bare NULL.
    Null,
    /// Not known. Never an error by itself.
    #[default]
    Unknown,
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataType::Boolean => f.write_str("boolean"),
            DataType::TinyInt => f.write_str("tinyint"),
            DataType::SmallInt => f.write_str("smallint"),
            DataType::Int => f.write_str("int"),
            DataType::BigInt => f.write_str("bigint"),
            DataType::Float => f.write_str("float"),
            DataType::Double => f.write_str("double"),
            DataType::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            DataType::String => f.write_str("string"),
            DataType::Char(n) => write!(f, "char({n})"),
            DataType::Varchar(n) => write!(f, "varchar({n})"),
            DataType::Binary => f.write_str("binary"),
            DataType::Date => f.write_str("date"),
            DataType::Timestamp => f.write_str("timestamp"),
            DataType::Array(element) => write!(f, "array<{element}>"),
            DataType::Map(key, value) => write!(f, "map<{key},{value}>"),
            DataType::Struct(fields) => {
                f.write_str("struct<")?;
                for (i, (name, ty)) in fields.iter().enumerate() {
                    let comma = if i == 0 { "" } else { "," };
                    write!(f, "{comma}{name}:{ty}")?;
                }
                f.write_str(">")
            }
            DataType::Null => f.write_str("void"),
            DataType::Unknown => f.write_str("unknown"),
        }
    }
}
