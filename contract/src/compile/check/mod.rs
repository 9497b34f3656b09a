//! What one rule must count.
//!
//! A row rule becomes a violation predicate that is true or false for every row, never NULL: what NULL and NaN mean is
//! decided here, by the rule's `on_null` and `on_nan` or the default of its kind, and not by an engine.
//! [`crate::rule::kinds`] says what each kind means.

mod keys;
mod rows;
mod statistics;

use crate::compile::bounds::Bounds;
use crate::expr::Expr;
use crate::expr::parse::{self, Syntax};
use crate::rule::kinds::{self, Subject};
use crate::rule::{AggregateFunction, AsOf, Calendar, Duplicates, Expects, Rule, RuleKind, Stage, Verdict};
use crate::schema::{Column, TableSchema, nearest};
use crate::types::DataType;

/// What a rule must count. Columns are typed expressions, so that every printer writes them as comparisons need them.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    /// Rows for which the predicate is true violate the rule. It is never NULL, and includes the rule's `where`.
    Row {
        /// The violation.
        violation: Expr,
        /// The rows that are judged: the rule's `where`, or true.
        judged: Expr,
    },
    /// The raw text of a column must have a type. Only incoming files have raw text; a typed table passes by its schema.
    Type {
        /// The column.
        column: String,
        /// The type.
        data_type: DataType,
        /// The violation, over a column of the same name that holds the raw text.
        violation: Expr,
    },
    /// Rows that share their key with another row are surplus, all but one of each group.
    Duplicates {
        /// The key's columns.
        columns: Vec<Expr>,
        /// What a NULL in a key column means.
        nulls: NullKeys,
        /// The rows that are judged.
        judged: Expr,
    },
    /// At most so many duplicates; rows with a NULL in a key column are not compared.
    DuplicateCount {
        /// The key's columns.
        columns: Vec<Expr>,
        /// What is counted.
        of: Duplicates,
        /// Most duplicates.
        max: u64,
        /// The rows that are judged.
        judged: Expr,
    },
    /// The number of distinct values that are not NULL lies within bounds.
    DistinctCount {
        /// The column.
        column: Expr,
        /// The bounds.
        bounds: Bounds,
        /// The rows that are judged.
        judged: Expr,
    },
    /// Combinations that do not occur in another table violate the rule.
    ForeignKey(Box<ForeignKey>),
    /// The share of NULLs of a column, 0 to 1, is at most this.
    NullShare {
        /// The column.
        column: String,
        /// The bound.
        max: f64,
        /// The rows that are judged.
        judged: Expr,
    },
    /// The number of judged rows lies within bounds.
    RowCount {
        /// Fewest rows.
        min: Option<u64>,
        /// Most rows.
        max: Option<u64>,
        /// The rows that are judged.
        judged: Expr,
    },
    /// The number of rows stays near the average of the window before it.
    RowCountHistory {
        /// Largest tolerated deviation as a share of the average.
        max_deviation: f64,
        /// Days of the window.
        window_days: u32,
    },
    /// The newest value of a column is at most this old.
    Age {
        /// A date or timestamp column.
        column: Expr,
        /// Hours of the calendar.
        max_age_hours: f64,
        /// The days whose hours count.
        calendar: Calendar,
        /// The rows that are judged.
        judged: Expr,
    },
    /// A statistic of a column lies within bounds, in the table or in each group.
    Aggregate {
        /// The statistic.
        function: AggregateFunction,
        /// The column.
        column: Expr,
        /// The bounds.
        bounds: Bounds,
        /// The columns that make the groups; empty for the whole table.
        group_by: Vec<Expr>,
        /// What a group without a value is.
        no_value: Verdict,
        /// The rows that are judged.
        judged: Expr,
    },
    /// The schema has answered already; no row needs to be read.
    Columns {
        /// What is wrong with the table's columns; `None` where nothing is.
        problem: Option<String>,
    },
    /// A query of its own.
    Query {
        /// The query, as written.
        sql: String,
        /// What its result means.
        expects: Expects,
        /// The bounds of its value, where it returns one.
        bounds: Bounds,
    },
}

/// A reference to another table.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignKey {
    /// The referencing columns.
    pub columns: Vec<Expr>,
    /// The referenced table as written, `table` or `database.table`.
    pub ref_table: String,
    /// The referenced columns; their types are unknown where the referenced table is.
    pub ref_columns: Vec<Expr>,
    /// The rows that can be referenced: a predicate over the referenced table that is never NULL.
    pub ref_where: Option<Expr>,
    /// Which state of the referenced table is meant, by the names of its columns and the row's date column.
    pub as_of: Option<(AsOf, Vec<Expr>)>,
    /// What a NULL in a referencing column means: [`NullKeys::Ignore`] or [`NullKeys::Violate`].
    pub nulls: NullKeys,
    /// The rows that are judged.
    pub judged: Expr,
}

/// What a NULL in a key column means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullKeys {
    /// The row is not compared.
    Ignore,
    /// NULL is a value like any other.
    Compare,
    /// The row violates the rule.
    Violate,
}

/// Why a rule cannot be checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule {rule}: {reason}")]
pub struct RuleError {
    /// The rule's id.
    pub rule: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl Check {
    /// The stage of a rule that states none: row rules, keys and foreign keys run before the load (keys within the
    /// incoming file) and after it, all others after it.
    pub fn default_stage(&self) -> Stage {
        match self {
            Check::Row { .. } | Check::Duplicates { .. } | Check::ForeignKey(_) => Stage::Both,
            Check::Type { .. } => Stage::PreLoad,
            _ => Stage::PostLoad,
        }
    }

    /// When the rule runs.
    pub fn stage(&self, rule: &Rule) -> Stage {
        rule.stage.unwrap_or(self.default_stage())
    }
}

/// What a rule must count on a table of this schema. An error says what is wrong with the rule. Columns of other tables
/// are taken as stated.
pub fn check(rule: &Rule, schema: &TableSchema) -> Result<Check, RuleError> {
    check_among(rule, schema, &|_| None)
}

/// As [`check`], and columns of other tables are held against their schemas, where these are known.
pub fn check_among(
    rule: &Rule,
    schema: &TableSchema,
    others: &dyn Fn(&str) -> Option<TableSchema>,
) -> Result<Check, RuleError> {
    let known = Known { rule, schema, others };
    known.compile().map_err(|reason| RuleError { rule: rule.id.clone(), reason })
}

/// What a rule is compiled with.
struct Known<'a> {
    rule: &'a Rule,
    schema: &'a TableSchema,
    others: &'a dyn Fn(&str) -> Option<TableSchema>,
}

impl Known<'_> {
    fn compile(&self) -> Result<Check, String> {
        let judged = match &self.rule.filter {
            Some(text) => {
                Expr::or_else(predicate(text, self.schema).map_err(|error| format!("where: {error}"))?, false)
            }
            None => Expr::boolean(true),
        };
        if let RuleKind::Unknown { name } = &self.rule.kind {
            let names = kinds::KINDS.iter().map(|kind| kind.name);
            return Err(match nearest(name, names).first() {
                Some(kind) => format!("`{name}` is no rule type that can be run; did you mean `{kind}`?"),
                None => format!("`{name}` is no rule type that this version can run"),
            });
        }
        match kinds::find(self.rule.kind.name()).map(|kind| kind.subject) {
            Some(Subject::Value | Subject::Row) => {
                let violation = self.row_violation()?;
                let violation = match self.rule.filter {
                    Some(_) => Expr::and_all([judged.clone(), violation]),
                    None => violation,
                };
                Ok(Check::Row { violation, judged })
            }
            _ => match &self.rule.kind {
                RuleKind::Type { data_type } => self.raw_text(data_type.as_deref()),
                RuleKind::Unique
                | RuleKind::PrimaryKey { .. }
                | RuleKind::GrainUniqueness { .. }
                | RuleKind::DuplicateCount { .. }
                | RuleKind::ForeignKey { .. } => self.key(judged),
                RuleKind::CustomSql { sql, expects, min, max } => {
                    let bounds = Bounds::of_numbers(*min, *max);
                    if *expects == Expects::Value && bounds.is_open() {
                        return Err("the query returns a value: state `min` or `max`".to_owned());
                    }
                    Ok(Check::Query { sql: sql.clone(), expects: *expects, bounds })
                }
                _ => self.statistic(judged),
            },
        }
    }

    /// The rule's column, by its name in the schema.
    fn column(&self) -> Result<(String, Expr), String> {
        let name = self.rule.column.as_deref();
        let name = name.ok_or_else(|| format!("a rule of type {} needs a column", self.rule.kind.name()))?;
        let column = find(name, self.schema)?;
        Ok((column.name.clone(), typed(column)))
    }

    /// Columns of the table, by their names.
    fn columns(&self, names: &[String]) -> Result<Vec<Expr>, String> {
        names.iter().map(|name| find(name, self.schema).map(typed)).collect()
    }
}

/// Rule text as a predicate over the schema's columns.
fn predicate(text: &str, schema: &TableSchema) -> Result<Expr, String> {
    true_or_false(text, parse::parse(text, Syntax::Rule, schema).map_err(|error| error.to_string())?)
}

fn true_or_false(text: &str, predicate: Expr) -> Result<Expr, String> {
    match predicate.data_type {
        DataType::Boolean | DataType::Unknown | DataType::Null => Ok(predicate),
        other => Err(format!("`{text}` is {other}, a rule needs true or false")),
    }
}

fn typed(column: &Column) -> Expr {
    Expr::column(&column.name, column.data_type.clone())
}

fn find<'a>(name: &str, schema: &'a TableSchema) -> Result<&'a Column, String> {
    schema.column(name).ok_or_else(|| {
        let names = schema.columns.iter().map(|column| column.name.as_str());
        match nearest(name, names.clone()).first() {
            Some(near) => format!("there is no column `{name}`; did you mean `{near}`?"),
            None => format!("there is no column `{name}`; the columns are {}", names.collect::<Vec<_>>().join(", ")),
        }
    })
}

#[cfg(test)]
mod tests;
