//! Rules about keys: duplicates, and references to other tables.

use super::{Check, ForeignKey, Known, NullKeys, find, predicate, true_or_false, typed};
use crate::expr::Expr;
use crate::expr::parse::{self, AnyColumn, Syntax};
use crate::rule::{AsOf, RuleKind, Verdict};
use crate::schema::TableSchema;
use crate::types::DataType;

impl Known<'_> {
    pub(super) fn key(&self, judged: Expr) -> Result<Check, String> {
        let key = |columns: &[String]| match columns {
            [] => Err("a key needs at least one column".to_owned()),
            columns => self.columns(columns),
        };
        Ok(match &self.rule.kind {
            RuleKind::Unique => {
                let columns = vec![self.column()?.1];
                Check::Duplicates { columns, nulls: self.nulls(NullKeys::Ignore), judged }
            }
            RuleKind::PrimaryKey { columns } => {
                Check::Duplicates { columns: key(columns)?, nulls: self.nulls(NullKeys::Violate), judged }
            }
            RuleKind::GrainUniqueness { grain } => {
                Check::Duplicates { columns: key(grain)?, nulls: self.nulls(NullKeys::Compare), judged }
            }
            RuleKind::DuplicateCount { columns, of, max } => {
                Check::DuplicateCount { columns: key(columns)?, of: *of, max: *max, judged }
            }
            RuleKind::ForeignKey { columns, ref_table, ref_columns, ref_where, as_of } => {
                let columns = if columns.is_empty() { vec![self.column()?.1] } else { self.columns(columns)? };
                let other = (self.others)(ref_table);
                let reference = Reference { table: ref_table, schema: other.as_ref() };
                let ref_columns =
                    ref_columns.iter().map(|name| reference.column(name)).collect::<Result<Vec<_>, _>>()?;
                for (column, referenced) in columns.iter().zip(&ref_columns) {
                    comparable(column, referenced)?;
                }
                let as_of = match as_of {
                    Some(as_of) => Some((as_of.clone(), self.as_of(as_of, &reference)?)),
                    None => None,
                };
                Check::ForeignKey(Box::new(ForeignKey {
                    columns,
                    ref_table: ref_table.clone(),
                    ref_columns,
                    ref_where: ref_where.as_deref().map(|text| reference.predicate(text)).transpose()?,
                    as_of,
                    nulls: self.nulls(NullKeys::Ignore),
                    judged,
                }))
            }
            other => return Err(format!("{} is no key", other.name())),
        })
    }

    fn nulls(&self, default: NullKeys) -> NullKeys {
        match self.rule.on_null {
            Some(Verdict::Pass) => NullKeys::Ignore,
            Some(Verdict::Violate) => NullKeys::Violate,
            None => default,
        }
    }

    /// The columns of an `as_of`: the row's own first, where it has one, then the referenced table's.
    fn as_of(&self, as_of: &AsOf, reference: &Reference) -> Result<Vec<Expr>, String> {
        let (own, others) = match as_of {
            AsOf::Newest { snapshot } => (None, vec![snapshot]),
            AsOf::Snapshot { column, snapshot } => (Some(column), vec![snapshot]),
            AsOf::Validity { column, valid_from, valid_to } => (Some(column), vec![valid_from, valid_to]),
        };
        let others = others.into_iter().map(|name| reference.column(name)).collect::<Result<Vec<_>, _>>()?;
        let own = own.map(|name| find(name, self.schema).map(typed)).transpose()?;
        if let Some(own) = &own {
            for other in &others {
                comparable(own, other).map_err(|error| format!("as_of: {error}"))?;
            }
        }
        Ok(own.into_iter().chain(others).collect())
    }
}

/// The referenced table as far as it is known.
struct Reference<'a> {
    table: &'a str,
    schema: Option<&'a TableSchema>,
}

impl Reference<'_> {
    fn column(&self, name: &str) -> Result<Expr, String> {
        match self.schema {
            Some(schema) => find(name, schema).map(typed).map_err(|error| format!("{}: {error}", self.table)),
            None => Ok(Expr::column(name, DataType::Unknown)),
        }
    }

    fn predicate(&self, text: &str) -> Result<Expr, String> {
        let parsed = match self.schema {
            Some(schema) => predicate(text, schema),
            None => parse::parse(text, Syntax::Rule, &AnyColumn)
                .map_err(|error| error.to_string())
                .and_then(|parsed| true_or_false(text, parsed)),
        };
        Ok(Expr::or_else(parsed.map_err(|error| format!("ref_where: {error}"))?, false))
    }
}

fn comparable(column: &Expr, referenced: &Expr) -> Result<(), String> {
    if column.data_type.is_comparable_with(&referenced.data_type) {
        return Ok(());
    }
    Err(format!("a {} does not compare with the {} that it refers to", column.data_type, referenced.data_type))
}
