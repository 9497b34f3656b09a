//! The syntax tree that the interpreter walks: Python, as far as its meaning matters here.

use std::sync::Arc;

use crate::condition::Term;
use crate::range::TextRange;

/// Statements that follow each other, in the sections that they were parsed in: where each begins in the section around
/// it, or in the script, and what stands there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    sections: Sections,
}

#[derive(Clone, Debug)]
enum Sections {
    One(Arc<[Stmt]>),
    Many(Arc<[(u32, Arc<[Stmt]>)]>),
}

impl Default for Sections {
    fn default() -> Self {
        Self::Many(Arc::from([]))
    }
}

impl Block {
    pub(super) fn of(sections: Vec<(u32, Arc<[Stmt]>)>) -> Self {
        Self { sections: Sections::Many(sections.into()) }
    }

    /// The statements, by the place that their own places count from.
    pub(crate) fn sections(&self) -> impl Iterator<Item = (u32, &[Stmt])> {
        let (one, many) = match &self.sections {
            Sections::One(statements) => (Some((0, statements.as_ref())), [].as_slice()),
            Sections::Many(sections) => (None, sections.as_ref()),
        };
        one.into_iter().chain(many.iter().map(|(offset, statements)| (*offset, statements.as_ref())))
    }

    /// All statements; their places count from different ones.
    pub(crate) fn statements(&self) -> impl Iterator<Item = &Stmt> {
        self.sections().flat_map(|(_, statements)| statements)
    }
}

impl FromIterator<Stmt> for Block {
    fn from_iter<I: IntoIterator<Item = Stmt>>(statements: I) -> Self {
        Self { sections: Sections::One(statements.into_iter().collect()) }
    }
}

/// A place in a section, counted from where the section begins, so that what stands in one keeps its meaning when
/// something before it changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LocalRange(TextRange);

impl LocalRange {
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self(TextRange::new(start, end))
    }

    pub(super) fn start(self) -> u32 {
        self.0.start
    }

    /// The place in the script of a section that begins there.
    pub(crate) fn at(self, section: u32) -> TextRange {
        TextRange { start: section.saturating_add(self.0.start), end: section.saturating_add(self.0.end) }
    }
}

/// A statement.
#[derive(Debug)]
pub(crate) struct Stmt {
    pub kind: StmtKind,
    pub range: LocalRange,
}

#[derive(Debug)]
pub(crate) enum StmtKind {
    Expr(Expr),
    /// `a = b = value`, targets in order.
    Assign {
        targets: Vec<Expr>,
        value: Expr,
    },
    /// `target op= value`.
    AugAssign {
        target: Expr,
        op: BinaryOp,
        value: Expr,
    },
    /// `name: type = value`; the value may be absent.
    Declare {
        target: Expr,
        value: Option<Expr>,
    },
    /// Arms with their conditions; the last arm has none where there is an `else`.
    If {
        arms: Vec<(Option<(Expr, Term)>, Block)>,
    },
    For {
        target: Expr,
        iterable: Expr,
        body: Block,
        otherwise: Block,
    },
    While {
        condition: Expr,
        body: Block,
    },
    Try {
        body: Block,
        handlers: Vec<Handler>,
        otherwise: Block,
        finally: Block,
    },
    With {
        items: Vec<(Expr, Option<Expr>)>,
        body: Block,
    },
    Function(Arc<FunctionDef>),
    Class(Arc<ClassDef>),
    Return(Option<Expr>),
    Raise,
    Import {
        module: String,
        alias: Option<String>,
    },
    /// `from module import name as alias`; a name of `*` imports all.
    ImportFrom {
        module: String,
        names: Vec<(String, Option<String>)>,
    },
    Global(Vec<String>),
    Delete(Vec<Expr>),
    /// Arms of a `match`, with when they run; patterns are not interpreted. A last one without a term takes what is
    /// left.
    Match {
        subject: Expr,
        arms: Vec<(Option<Term>, Block)>,
    },
    Break,
    Continue,
    /// `pass`, `assert` and what the parser could not make sense of.
    Nothing,
}

/// A handler of a `try`.
#[derive(Debug)]
pub(crate) struct Handler {
    /// The name of the exception in it.
    pub alias: Option<String>,
    /// When it runs.
    pub when: Term,
    pub body: Block,
}

/// A function or lambda.
#[derive(Debug)]
pub(crate) struct FunctionDef {
    pub name: String,
    pub params: Vec<Param>,
    pub body: Block,
    pub decorators: Vec<Expr>,
    pub range: LocalRange,
}

/// A parameter.
#[derive(Debug)]
pub(crate) struct Param {
    pub name: String,
    pub kind: ParamKind,
    pub default: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParamKind {
    Plain,
    KeywordOnly,
    /// `*args`.
    Rest,
    /// `**kwargs`.
    Keywords,
}

/// A class.
#[derive(Debug)]
pub(crate) struct ClassDef {
    pub name: String,
    pub bases: Vec<Expr>,
    pub body: Block,
    pub decorators: Vec<Expr>,
}

/// An expression.
#[derive(Debug)]
pub(crate) struct Expr {
    pub kind: ExprKind,
    pub range: LocalRange,
}

#[derive(Debug)]
pub(crate) enum ExprKind {
    Name(String),
    /// Literal pieces and interpolations, adjacent literals joined.
    Str(Vec<StrPart>),
    Bytes,
    Int(i64),
    Float(f64),
    Bool(bool),
    None,
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Set(Vec<Expr>),
    /// Entries; a `None` key is a `**splat`.
    Dict(Vec<(Option<Expr>, Expr)>),
    Comprehension(Box<Comprehension>),
    Attribute {
        object: Box<Expr>,
        name: String,
        name_range: LocalRange,
    },
    Subscript {
        object: Box<Expr>,
        index: Box<Expr>,
    },
    Slice {
        start: Option<Box<Expr>>,
        stop: Option<Box<Expr>>,
        step: Option<Box<Expr>>,
    },
    Call {
        function: Box<Expr>,
        args: Vec<Arg>,
    },
    Binary {
        op: BinaryOp,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `first op operand op operand …`.
    Compare {
        first: Box<Expr>,
        rest: Vec<(CompareOp, Expr)>,
    },
    /// `and` where true, else `or`.
    Logical {
        and: bool,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Invert(Box<Expr>),
    Lambda(Arc<FunctionDef>),
    Conditional {
        condition: Box<(Expr, Term)>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    Walrus {
        name: String,
        value: Box<Expr>,
    },
    /// `*value` in a call or display.
    Starred(Box<Expr>),
    /// `yield`, `await`.
    Wrapped(Box<Expr>),
    Ellipsis,
    /// What the parser could not make sense of.
    Error,
}

/// A piece of a string.
#[derive(Debug)]
pub(crate) enum StrPart {
    /// Decoded text, and where it stands where the source spells it the same way.
    Literal { text: String, at: Option<LocalRange> },
    /// `{value:format}`; the format is kept as written.
    Value { value: Expr, format: Option<String> },
}

#[derive(Debug)]
pub(crate) struct Comprehension {
    pub kind: ComprehensionKind,
    pub element: Expr,
    /// The value of a dict comprehension, whose `element` is the key.
    pub value: Option<Expr>,
    pub clauses: Vec<Clause>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ComprehensionKind {
    List,
    Set,
    Dict,
    Generator,
}

#[derive(Debug)]
pub(crate) enum Clause {
    For { target: Expr, iterable: Expr },
    If(Expr),
}

/// An argument of a call.
#[derive(Debug)]
pub(crate) struct Arg {
    pub value: Expr,
    pub kind: ArgKind,
}

#[derive(Debug)]
pub(crate) enum ArgKind {
    Positional,
    Keyword {
        name: String,
        range: LocalRange,
    },
    /// `*args`.
    Rest,
    /// `**kwargs`.
    Keywords,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
    BitAnd,
    BitOr,
    BitXor,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CompareOp {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Is,
    IsNot,
}
