//! The syntax tree that the interpreter walks: Python, as far as its meaning matters here.

use std::rc::Rc;

use crate::range::TextRange;

/// A block of statements.
pub(crate) type Block = Rc<[Stmt]>;

/// A statement.
#[derive(Debug)]
pub(crate) struct Stmt {
    pub kind: StmtKind,
    pub range: TextRange,
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
        arms: Vec<(Option<Expr>, Block)>,
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
        handlers: Vec<(Option<String>, Block)>,
        otherwise: Block,
        finally: Block,
    },
    With {
        items: Vec<(Expr, Option<Expr>)>,
        body: Block,
    },
    Function(Rc<FunctionDef>),
    Class(Rc<ClassDef>),
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
    /// Arms of a `match`; patterns are not interpreted.
    Match {
        subject: Expr,
        arms: Vec<Block>,
    },
    Break,
    Continue,
    /// `pass`, `assert` and what the parser could not make sense of.
    Nothing,
}

/// A function or lambda.
#[derive(Debug)]
pub(crate) struct FunctionDef {
    pub name: String,
    pub params: Vec<Param>,
    pub body: Block,
    pub decorators: Vec<Expr>,
    pub range: TextRange,
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
    pub range: TextRange,
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
        name_range: TextRange,
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
    Lambda(Rc<FunctionDef>),
    Conditional {
        condition: Box<Expr>,
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
    /// Decoded text, and where it starts where the source spells it the same way.
    Literal { text: String, at: Option<u32> },
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
        range: TextRange,
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
