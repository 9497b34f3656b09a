//! The reader of type texts.

use super::{DataType, TypeError, excerpt};

/// Nesting beyond this is refused, so that no text can exhaust the stack.
const MAX_DEPTH: usize = 64;

pub(super) fn parse(text: &str) -> Result<DataType, TypeError> {
    let mut reader = Reader { rest: text, depth: 0 };
    let parsed = reader.data_type().and_then(|ty| {
        reader.skip_blanks();
        if reader.rest.is_empty() { Ok(ty) } else { Err(format!("`{}` is left over", excerpt(reader.rest))) }
    });
    parsed.map_err(|problem| TypeError { text: text.to_string(), problem })
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn data_type(&mut self) -> Result<DataType, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH}"));
        }
        let name = self.word()?.to_ascii_lowercase();
        let ty = match name.as_str() {
            "boolean" | "bool" => DataType::Boolean,
            "tinyint" | "byte" => DataType::TinyInt,
            "smallint" | "short" => DataType::SmallInt,
            "int" | "integer" => DataType::Int,
            "bigint" | "long" => DataType::BigInt,
            "float" | "real" => DataType::Float,
            "double" => DataType::Double,
            "string" => DataType::String,
            "binary" | "varbinary" => DataType::Binary,
            "date" => DataType::Date,
            "timestamp" | "timestamp_ntz" => DataType::Timestamp,
            "void" | "null" => DataType::Null,
            "decimal" | "numeric" | "dec" => self.decimal()?,
            "char" => DataType::Char(self.length()?.unwrap_or(1)),
            "varchar" => self.length()?.map_or(DataType::String, DataType::Varchar),
            "array" => {
                self.expect('<')?;
                let element = self.data_type()?;
                self.expect('>')?;
                DataType::Array(Box::new(element))
            }
            "map" => {
                self.expect('<')?;
                let key = self.data_type()?;
                self.expect(',')?;
                let value = self.data_type()?;
                self.expect('>')?;
                DataType::Map(Box::new(key), Box::new(value))
            }
            "struct" => self.fields()?,
            other => return Err(nearest(other)),
        };
        self.depth -= 1;
        Ok(ty)
    }

    fn decimal(&mut self) -> Result<DataType, String> {
        if !self.accept('(') {
            return Ok(DataType::Decimal { precision: 10, scale: 0 });
        }
        let precision = self.number()?;
        let scale = if self.accept(',') { self.number()? } else { 0 };
        self.expect(')')?;
        if !(1..=38).contains(&precision) || scale > precision {
            return Err("a decimal has 1 to 38 digits, and no more of them after the point than in all".to_string());
        }
        Ok(DataType::Decimal { precision: precision as u8, scale: scale as u8 })
    }

    fn length(&mut self) -> Result<Option<u32>, String> {
        if !self.accept('(') {
            return Ok(None);
        }
        let length = self.number()?;
        self.expect(')')?;
        Ok(Some(length))
    }

    fn fields(&mut self) -> Result<DataType, String> {
        self.expect('<')?;
        let mut fields = Vec::new();
        if self.accept('>') {
            return Ok(DataType::Struct(fields));
        }
        loop {
            let name = self.field_name()?;
            self.expect(':')?;
            fields.push((name, self.data_type()?));
            if self.accept('>') {
                return Ok(DataType::Struct(fields));
            }
            self.expect(',')?;
        }
    }

    /// A field's name is all up to the colon: Glue quotes nothing.
    fn field_name(&mut self) -> Result<String, String> {
        let end = self.rest.find(':').ok_or("a struct field is written name:type")?;
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(name.trim().trim_matches('`').to_string())
    }

    fn word(&mut self) -> Result<String, String> {
        self.skip_blanks();
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        if word.is_empty() { Err("a type name is missing".to_string()) } else { Ok(word.to_string()) }
    }

    fn number(&mut self) -> Result<u32, String> {
        self.word()?.parse().map_err(|_| "a length or precision is a number".to_string())
    }

    fn accept(&mut self, c: char) -> bool {
        self.skip_blanks();
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, c: char) -> Result<(), String> {
        if self.accept(c) { Ok(()) } else { Err(format!("`{c}` is missing")) }
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }
}

fn nearest(name: &str) -> String {
    const NAMES: [&str; 17] = [
        "boolean",
        "tinyint",
        "smallint",
        "int",
        "bigint",
        "float",
        "double",
        "decimal",
        "string",
        "char",
        "varchar",
        "binary",
        "date",
        "timestamp",
        "array",
        "map",
        "struct",
    ];
    let found = NAMES.iter().find(|known| strsim::damerau_levenshtein(known, name) <= 2);
    match found {
        Some(known) => format!("there is no type `{name}`; did you mean `{known}`?"),
        None => format!("there is no type `{}`", excerpt(name)),
    }
}
