//! What names mean.

use crate::expr::ColumnRef;
use crate::schema::{TableSchema, nearest};
use crate::types::DataType;

/// Resolves names to columns.
pub trait Scope {
    /// The column of this name; `qualifier` is the alias or table in front of the dot, as written.
    fn resolve(&self, qualifier: Option<&str>, name: &str) -> Resolution;

    /// All names, for suggestions.
    fn names(&self) -> Vec<String>;
}

/// What a name resolves to.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolution {
    /// One column.
    Column(ColumnRef, DataType),
    /// None, and all columns are known.
    Missing,
    /// Several; the qualified names.
    Ambiguous(Vec<String>),
}

/// A scope where nothing is known: each name is a column of unknown type.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnyColumn;

impl Scope for AnyColumn {
    fn resolve(&self, qualifier: Option<&str>, name: &str) -> Resolution {
        let column = ColumnRef { qualifier: qualifier.map(str::to_string), name: name.to_string(), id: None };
        Resolution::Column(column, DataType::Unknown)
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The columns of one table; a qualifier is taken for the table's own name or alias.
impl Scope for TableSchema {
    fn resolve(&self, qualifier: Option<&str>, name: &str) -> Resolution {
        if qualifier.is_some_and(|q| self.column(q).is_some()) {
            return Resolution::Missing;
        }
        match self.column(name) {
            Some(column) => {
                let reference = ColumnRef { qualifier: None, name: column.name.clone(), id: None };
                Resolution::Column(reference, column.data_type.clone())
            }
            None => Resolution::Missing,
        }
    }

    fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }
}

/// A message for a name that no column has.
pub(super) fn missing(name: &str, scope: &dyn Scope) -> String {
    let names = scope.names();
    let near = nearest(name, names.iter().map(String::as_str));
    if !near.is_empty() {
        let near = near.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
        return format!("there is no column `{name}`; did you mean {near}?");
    }
    let mut shown = names.iter().take(12).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    if names.len() > 12 {
        shown.push_str(", …");
    }
    format!("there is no column `{name}`; the columns are {shown}")
}
