//! Types as sqlparser reads them.

use sqlparser::ast;

use crate::types::DataType;

/// The type that sqlparser's type names; `None` for types that Glue does not have.
pub(super) fn data_type(ty: &ast::DataType) -> Option<DataType> {
    use ast::DataType as D;
    Some(match ty {
        D::TinyInt(_) | D::Int8(_) => DataType::TinyInt,
        D::SmallInt(_) | D::Int2(_) => DataType::SmallInt,
        D::Int(_) | D::Integer(_) | D::Int4(_) => DataType::Int,
        D::BigInt(_) | D::Int64 => DataType::BigInt,
        D::Float(_) | D::Real | D::Float4 => DataType::Float,
        D::Double(_) | D::DoublePrecision | D::Float8 | D::Float64 => DataType::Double,
        D::Boolean | D::Bool => DataType::Boolean,
        D::Date => DataType::Date,
        D::Timestamp(..) | D::Datetime(_) | D::TimestampNtz(_) => DataType::Timestamp,
        D::String(_) | D::Text => DataType::String,
        D::Binary(_) | D::Varbinary(_) | D::Bytes(_) => DataType::Binary,
        D::Varchar(length) | D::CharacterVarying(length) | D::CharVarying(length) => match length {
            Some(ast::CharacterLength::IntegerLength { length, .. }) => DataType::Varchar(u32::try_from(*length).ok()?),
            _ => DataType::String,
        },
        D::Char(length) | D::Character(length) => match length {
            Some(ast::CharacterLength::IntegerLength { length, .. }) => DataType::Char(u32::try_from(*length).ok()?),
            _ => DataType::Char(1),
        },
        D::Decimal(info) | D::Numeric(info) | D::Dec(info) => match info {
            ast::ExactNumberInfo::None => DataType::Decimal { precision: 10, scale: 0 },
            ast::ExactNumberInfo::Precision(p) => DataType::Decimal { precision: u8::try_from(*p).ok()?, scale: 0 },
            ast::ExactNumberInfo::PrecisionAndScale(p, s) => {
                DataType::Decimal { precision: u8::try_from(*p).ok()?, scale: u8::try_from(*s).ok()? }
            }
        },
        other => return DataType::parse(&other.to_string()).ok(),
    })
}
