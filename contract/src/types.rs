//! Column types as the Glue Data Catalog spells them.

mod parse;

use std::borrow::Cow;
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

/// Why a type's text could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no Glue type: {problem}", excerpt(.text))]
pub struct TypeError {
    /// The text as given.
    pub text: String,
    /// What is wrong with it.
    pub problem: String,
}

/// As much of a text as a message has room for; the type of a nested column may have thousands of characters.
fn excerpt(text: &str) -> Cow<'_, str> {
    const SHOWN: usize = 120;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

impl DataType {
    /// Reads a type as Glue, Hive and Spark spell it: `decimal(10,2)`, `array<struct<a:int,b:string>>`, `varchar(20)`.
    /// Case and blanks do not matter; Spark's and Trino's other names for the same types (`long`, `integer`, `row(…)`
    /// excepted) are understood.
    pub fn parse(text: &str) -> Result<DataType, TypeError> {
        parse::parse(text)
    }

    /// Whether values are whole numbers.
    pub fn is_integer(&self) -> bool {
        matches!(self, DataType::TinyInt | DataType::SmallInt | DataType::Int | DataType::BigInt)
    }

    /// Whether values are IEEE 754 numbers, which may be NaN.
    pub fn is_floating(&self) -> bool {
        matches!(self, DataType::Float | DataType::Double)
    }

    /// Whether values are numbers.
    pub fn is_numeric(&self) -> bool {
        self.is_integer() || self.is_floating() || matches!(self, DataType::Decimal { .. })
    }

    /// Whether values are text, padded or not.
    pub fn is_text(&self) -> bool {
        matches!(self, DataType::String | DataType::Char(_) | DataType::Varchar(_))
    }

    /// Whether the type says nothing about values: unknown, or that of a bare NULL.
    pub fn is_open(&self) -> bool {
        matches!(self, DataType::Unknown | DataType::Null)
    }

    /// Whether every engine can compare the two with `=` and `<` after the coercions that the printers spell out:
    /// numbers with numbers, text with text, dates with timestamps, and anything with what is not known.
    pub fn is_comparable_with(&self, other: &DataType) -> bool {
        let temporal = |ty: &DataType| matches!(ty, DataType::Date | DataType::Timestamp);
        self.is_open()
            || other.is_open()
            || self == other
            || (self.is_numeric() && other.is_numeric())
            || (self.is_text() && other.is_text())
            || (temporal(self) && temporal(other))
    }

    /// The type that holds the values of both, as Spark widens them; `Unknown` where there is none.
    pub fn common(&self, other: &DataType) -> DataType {
        use DataType::*;
        match (self, other) {
            (a, b) if a == b => a.clone(),
            (Unknown, _) | (_, Unknown) => Unknown,
            (Null, ty) | (ty, Null) => ty.clone(),
            (a, b) if a.is_text() && b.is_text() => String,
            (Date, Timestamp) | (Timestamp, Date) => Timestamp,
            (a, b) if a.is_numeric() && b.is_numeric() => {
                if a.is_floating() || b.is_floating() {
                    return if matches!((a, b), (Float, Float)) { Float } else { Double };
                }
                match (a.as_decimal(), b.as_decimal()) {
                    (Some((p1, s1)), Some((p2, s2))) if !(a.is_integer() && b.is_integer()) => {
                        let scale = s1.max(s2);
                        let whole = (p1 - s1).max(p2 - s2);
                        Decimal { precision: (whole + scale).min(38), scale }
                    }
                    _ => {
                        if a.integer_rank() >= b.integer_rank() {
                            a.clone()
                        } else {
                            b.clone()
                        }
                    }
                }
            }
            (Array(a), Array(b)) => Array(Box::new(a.common(b))),
            _ => Unknown,
        }
    }

    /// Precision and scale of the decimal that holds every value of this exact number type.
    pub fn as_decimal(&self) -> Option<(u8, u8)> {
        match self {
            DataType::TinyInt => Some((3, 0)),
            DataType::SmallInt => Some((5, 0)),
            DataType::Int => Some((10, 0)),
            DataType::BigInt => Some((20, 0)),
            DataType::Decimal { precision, scale } => Some((*precision, *scale)),
            _ => None,
        }
    }

    fn integer_rank(&self) -> u8 {
        match self {
            DataType::TinyInt => 1,
            DataType::SmallInt => 2,
            DataType::Int => 3,
            DataType::BigInt => 4,
            _ => 0,
        }
    }
}
