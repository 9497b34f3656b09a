//! Spark SQL types: `StringType()`, `StructType([…])`, and DDL strings.

use contract::types::DataType;

use crate::interpret::{Args, Interpreter};
use crate::value::Value;

pub(crate) fn is_type_name(name: &str) -> bool {
    name.ends_with("Type") || name == "StructField"
}

/// The call of a type's constructor.
pub(crate) fn construct(interpreter: &mut Interpreter, name: &str, args: &Args) -> Value {
    let int = |position: usize, name: &str, default: u8| match args.get(position, name) {
        Some(Value::Int(value)) => u8::try_from(*value).unwrap_or(default),
        _ => default,
    };
    let inner = |position: usize, name: &str| match args.get(position, name) {
        Some(Value::Type(data_type)) => data_type.clone(),
        _ => DataType::Unknown,
    };
    Value::Type(match name {
        "StringType" => DataType::String,
        "BooleanType" => DataType::Boolean,
        "ByteType" => DataType::TinyInt,
        "ShortType" => DataType::SmallInt,
        "IntegerType" => DataType::Int,
        "LongType" => DataType::BigInt,
        "FloatType" => DataType::Float,
        "DoubleType" => DataType::Double,
        "DecimalType" => DataType::Decimal { precision: int(0, "precision", 10), scale: int(1, "scale", 0) },
        "DateType" => DataType::Date,
        "TimestampType" => DataType::Timestamp,
        "BinaryType" => DataType::Binary,
        "NullType" => DataType::Null,
        "ArrayType" => DataType::Array(Box::new(inner(0, "elementType"))),
        "MapType" => DataType::Map(Box::new(inner(0, "keyType")), Box::new(inner(1, "valueType"))),
        // One field stands for a struct of one until it is put into one.
        "StructField" => match args.get(0, "name").and_then(Value::exact_text) {
            Some(name) => DataType::Struct(vec![(name.to_owned(), inner(1, "dataType"))]),
            None => return Value::unknown("a field whose name is not known"),
        },
        "StructType" => match args.get(0, "fields") {
            None => DataType::Struct(Vec::new()),
            Some(fields) => match interpreter.heap.items(fields) {
                Some((items, true)) => match items.into_iter().map(as_field).collect::<Option<Vec<_>>>() {
                    Some(fields) => DataType::Struct(fields),
                    None => return Value::unknown("a schema that is not known"),
                },
                _ => return Value::unknown("a schema that is not known"),
            },
        },
        _ => return Value::unknown("a type that is not known"),
    })
}

fn as_field(value: Value) -> Option<(String, DataType)> {
    match value {
        Value::Type(DataType::Struct(fields)) if fields.len() == 1 => fields.into_iter().next(),
        _ => None,
    }
}

/// A method of a type: `StructType().add(…)`, and calls of a user-defined function, which carries its result's type.
pub(crate) fn method(interpreter: &mut Interpreter, data_type: &DataType, name: &str, args: &Args) -> Value {
    let range = interpreter.here(args.range);
    if let Some(udf) = name.strip_prefix("udf ") {
        if let Some((Value::Function(closure), _)) = args.positional.first() {
            // `@udf(returnType=…)` on a function.
            interpreter.mark_called(&closure.clone());
            let name = format!("udf {}", closure.def.name);
            return Value::Bound(std::rc::Rc::new((Value::Type(data_type.clone()), name)));
        }
        let inputs =
            args.positional.iter().map(|(value, range)| super::column::to_expr(interpreter, value, *range)).collect();
        return Value::column(crate::expression::opaque(udf, inputs, data_type.clone(), range));
    }
    match (name, data_type) {
        ("add", DataType::Struct(fields)) => {
            let mut fields = fields.clone();
            match (args.get(0, "field"), args.get(1, "data_type")) {
                (Some(Value::Type(DataType::Struct(more))), None) => fields.extend(more.clone()),
                (Some(Value::Text(field)), Some(Value::Type(inner))) => fields.push((field.render(), inner.clone())),
                (Some(Value::Text(field)), Some(Value::Text(inner))) => {
                    fields.push((field.render(), inner.exact().and_then(parse).unwrap_or_default()));
                }
                _ => return Value::unknown("a schema that is not known"),
            }
            Value::Type(DataType::Struct(fields))
        }
        ("fieldNames", DataType::Struct(_)) => attribute(interpreter, data_type, "names").unwrap_or(Value::None),
        _ => Value::unknown("a method of a type"),
    }
}

pub(crate) fn attribute(interpreter: &mut Interpreter, data_type: &DataType, name: &str) -> Option<Value> {
    match (name, data_type) {
        ("names", DataType::Struct(fields)) => {
            let names = fields.iter().map(|(name, _)| Value::text(name.clone())).collect();
            Some(interpreter.heap.list(names, true))
        }
        ("fields", DataType::Struct(fields)) => {
            let fields = fields.iter().map(|field| Value::Type(DataType::Struct(vec![field.clone()]))).collect();
            Some(interpreter.heap.list(fields, true))
        }
        ("name", DataType::Struct(fields)) if fields.len() == 1 => {
            fields.first().map(|(name, _)| Value::text(name.clone()))
        }
        ("dataType", DataType::Struct(fields)) if fields.len() == 1 => {
            fields.first().map(|(_, data_type)| Value::Type(data_type.clone()))
        }
        _ => None,
    }
}

/// A type as Spark or Glue spells it; `None` where it is no type.
pub(crate) fn parse(text: &str) -> Option<DataType> {
    let text = text.trim().to_lowercase();
    Some(match text.as_str() {
        "string" | "str" => DataType::String,
        "boolean" | "bool" => DataType::Boolean,
        "byte" | "tinyint" => DataType::TinyInt,
        "short" | "smallint" => DataType::SmallInt,
        "int" | "integer" => DataType::Int,
        "long" | "bigint" => DataType::BigInt,
        "float" | "real" => DataType::Float,
        "double" => DataType::Double,
        "date" => DataType::Date,
        "timestamp" | "timestamp_ntz" | "timestamp_ltz" => DataType::Timestamp,
        "binary" => DataType::Binary,
        "void" | "null" => DataType::Null,
        "decimal" | "numeric" | "dec" => DataType::Decimal { precision: 10, scale: 0 },
        other => {
            if let Some(inner) = other.strip_prefix("decimal").or_else(|| other.strip_prefix("numeric")) {
                let inner = inner.trim().strip_prefix('(')?.strip_suffix(')')?;
                let (precision, scale) = inner.split_once(',').unwrap_or((inner, "0"));
                return Some(DataType::Decimal {
                    precision: precision.trim().parse().ok()?,
                    scale: scale.trim().parse().ok()?,
                });
            }
            if let Some(inner) = other.strip_prefix("array<").and_then(|rest| rest.strip_suffix('>')) {
                return Some(DataType::Array(Box::new(parse(inner)?)));
            }
            if let Some(inner) = other.strip_prefix("map<").and_then(|rest| rest.strip_suffix('>')) {
                let parts = split_top(inner, ',');
                let [key, value] = parts.as_slice() else { return None };
                return Some(DataType::Map(Box::new(parse(key)?), Box::new(parse(value)?)));
            }
            if let Some(inner) = other.strip_prefix("struct<").and_then(|rest| rest.strip_suffix('>')) {
                let fields = split_top(inner, ',').into_iter().map(|field| {
                    let (name, data_type) = field.split_once(':')?;
                    Some((name.trim().to_owned(), parse(data_type)?))
                });
                return fields.collect::<Option<Vec<_>>>().map(DataType::Struct);
            }
            if let Some(length) = other.strip_prefix("varchar(").and_then(|rest| rest.strip_suffix(')')) {
                return length.trim().parse().ok().map(DataType::Varchar);
            }
            if let Some(length) = other.strip_prefix("char(").and_then(|rest| rest.strip_suffix(')')) {
                return length.trim().parse().ok().map(DataType::Char);
            }
            return None;
        }
    })
}

/// `name type, name type`, as `createDataFrame` and `schema` take it.
pub(crate) fn parse_ddl(text: &str) -> Option<Vec<(String, DataType)>> {
    split_top(text, ',')
        .into_iter()
        .map(|field| {
            let field = field.trim();
            let (name, data_type) = field.split_once([' ', ':'])?;
            let data_type = data_type.trim();
            let data_type = data_type.to_lowercase().split(" not null").next().map(str::to_owned)?;
            Some((name.trim_matches('`').to_owned(), parse(&data_type)?))
        })
        .collect()
}

/// The parts between separators that stand outside brackets.
fn split_top(text: &str, separator: char) -> Vec<&str> {
    let (mut depth, mut start) = (0i32, 0usize);
    let mut parts = Vec::new();
    for (position, c) in text.char_indices() {
        match c {
            '<' | '(' => depth += 1,
            '>' | ')' => depth -= 1,
            c if c == separator && depth == 0 => {
                parts.extend(text.get(start..position));
                start = position + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts
}

/// Names given as one string, a list of strings, or columns.
pub(crate) fn names(interpreter: &Interpreter, value: &Value) -> Vec<String> {
    match value {
        Value::Text(text) => vec![text.render()],
        Value::Column(column) => vec![super::column::spark_name(column)],
        Value::Choice(arms) => arms.first().map(|arm| names(interpreter, arm)).unwrap_or_default(),
        other => match interpreter.heap.items(other) {
            Some((items, _)) => items.iter().flat_map(|item| names(interpreter, item)).collect(),
            None => Vec::new(),
        },
    }
}

/// The same, with `<?>` where there may be further names.
pub(crate) fn names_or_unknown(interpreter: &Interpreter, value: &Value) -> Vec<String> {
    let mut found = match value {
        Value::None => return Vec::new(),
        Value::Text(_) | Value::Column(_) => return names(interpreter, value),
        Value::Choice(_) => names(interpreter, value),
        other => match interpreter.heap.items(other) {
            Some((items, true)) => return items.iter().flat_map(|item| names_or_unknown(interpreter, item)).collect(),
            Some((items, false)) => items.iter().flat_map(|item| names(interpreter, item)).collect(),
            None => Vec::new(),
        },
    };
    // A choice of nothing and of names is told by its names.
    if found.is_empty() {
        found.push(crate::value::UNKNOWN_HOLE.to_owned());
    }
    found
}

/// Whether [`names`] gives all names of a value, each as it is.
pub(crate) fn names_all(interpreter: &Interpreter, value: &Value) -> bool {
    match value {
        Value::Text(text) => text.exact().is_some(),
        Value::Column(_) => true,
        Value::Choice(_) => false,
        other => interpreter
            .heap
            .items(other)
            .is_some_and(|(items, exact)| exact && items.iter().all(|item| names_all(interpreter, item))),
    }
}
