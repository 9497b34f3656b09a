//! One typed expression language for rules, tests, filters and the analyzer's plan.
//!
//! Rule text, Spark SQL, Trino SQL and PySpark columns are front ends that elaborate into [`Expr`]; operators carry
//! their meaning ([`BinaryOp::DivideInteger`] and [`BinaryOp::DivideDouble`] are two operators), so that a printer
//! never has to guess. Equality ignores where in the source an expression stands.

use std::hash::{Hash, Hasher};

use crate::types::DataType;
use crate::value::Value;

/// Byte range of an expression in the text it came from. Never takes part in equality or hashing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte; equal to `start` where the place is not known.
    pub end: u32,
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Span {}

impl Hash for Span {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// Identity of a plan's column, given by the analyzer; survives renames of the frame, not recomputation of the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnId(pub u32);

/// A reference to a column.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ColumnRef {
    /// Alias or table in front of the dot, as written.
    pub qualifier: Option<String>,
    /// Name as written, without quotes.
    pub name: String,
    /// The plan column it resolves to; `None` in rules, which speak of one table.
    pub id: Option<ColumnId>,
}

/// A typed expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its type; [`DataType::Unknown`] where an operand's type is not known.
    pub data_type: DataType,
    /// Where it stands in the source text.
    pub span: Span,
}

/// The forms of an expression. `BETWEEN`, `<>`, `NOT IN`, `IS NOT NULL`, `COALESCE`-like sugar elaborate into these.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A column.
    Column(ColumnRef),
    /// A constant.
    Literal(Value),
    /// Logical negation, three-valued.
    Not(Box<Expr>),
    /// Arithmetic negation.
    Negate(Box<Expr>),
    /// An operator between two expressions of types that it accepts.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// True where the operand is NULL; never NULL itself.
    IsNull(Box<Expr>),
    /// True where the operand is a NaN; NULL operands give false.
    IsNan(Box<Expr>),
    /// Membership; three-valued as in SQL.
    InList {
        /// What is looked up.
        operand: Box<Expr>,
        /// The candidates.
        list: Vec<Expr>,
    },
    /// `LIKE` with `%` and `_`; a backslash escapes.
    Like {
        /// The text.
        operand: Box<Expr>,
        /// The pattern.
        pattern: Box<Expr>,
    },
    /// True where some part of the text matches (no implicit anchors). The pattern is a literal, checked on elaboration.
    Matches {
        /// The text.
        operand: Box<Expr>,
        /// The regular expression.
        pattern: String,
    },
    /// `CASE WHEN … THEN … ELSE … END`; the simple form elaborates into this one.
    Case {
        /// Conditions with their results, in order.
        branches: Vec<(Expr, Expr)>,
        /// The result where no condition is true; NULL where absent.
        otherwise: Option<Box<Expr>>,
    },
    /// A conversion to [`Expr::data_type`].
    Cast {
        /// What is converted.
        operand: Box<Expr>,
        /// NULL instead of an error where the value has no such form (`TRY_CAST`).
        or_null: bool,
    },
    /// A call of a scalar function of the table in [`functions`].
    Call {
        /// The function's canonical name, a key of the table.
        function: &'static str,
        /// Arguments.
        args: Vec<Expr>,
    },
    /// An aggregate over the rows of a group.
    Aggregate {
        /// The aggregate's canonical name, a key of the table; `count` without arguments is `count(*)`.
        function: &'static str,
        /// Arguments.
        args: Vec<Expr>,
        /// Whether equal arguments count once.
        distinct: bool,
    },
    /// A function over a window.
    Window {
        /// The aggregate or ranking function.
        function: Box<Expr>,
        /// Partition keys.
        partition_by: Vec<Expr>,
        /// Sort keys, each with whether it descends.
        order_by: Vec<(Expr, bool)>,
    },
    /// Something that is not understood: a UDF, a Python helper, a subquery. It reads these columns and nothing else is known.
    Opaque {
        /// Why it is not understood, for people.
        reason: String,
        /// The expressions that it reads.
        inputs: Vec<Expr>,
    },
}

/// Operators whose meaning does not depend on an engine or a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// Three-valued conjunction.
    And,
    /// Three-valued disjunction.
    Or,
    /// SQL `=`: NULL where either side is; NaN equals NaN.
    Equal,
    /// Null-safe equality, never NULL.
    NullSafeEqual,
    /// `<`; NaN is larger than every number.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// Addition of numbers; NULL on overflow.
    Add,
    /// Subtraction; NULL on overflow.
    Subtract,
    /// Multiplication; NULL on overflow.
    Multiply,
    /// Division that truncates towards zero; NULL where the divisor is zero.
    DivideInteger,
    /// Division of doubles; NULL where the divisor is zero.
    DivideDouble,
    /// Remainder with the dividend's sign; NULL where the divisor is zero.
    Remainder,
    /// Text joined; NULL where either side is.
    Concat,
}

mod build;
pub mod dates;
pub mod eval;
pub mod functions;
pub mod parse;
pub mod pattern;
pub mod print;
