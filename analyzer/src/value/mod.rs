//! The values of the abstract interpreter.
//!
//! What cannot be known is [`Value::Unknown`] with a reason and with the frames that it may hold, so that lineage
//! survives a helper that is not understood.

mod heap;
mod text;

use std::rc::Rc;
use std::sync::Arc;

use contract::expr::Expr;
use contract::types::DataType;

pub(crate) use heap::{Heap, MAX_ITEMS, Object, ObjectId, SinkBuilder, truncate};
pub(crate) use text::UNKNOWN_HOLE;
pub(crate) use text::{Hole, Segment, Text};

use crate::plan::{NodeId, Placing};
use crate::range::TextRange;
use crate::syntax::ast;

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Not known.
    Unknown(Unknown),
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Text),
    Tuple(Rc<[Value]>),
    /// A list, dict, set, instance or sink under construction.
    Object(ObjectId),
    Function(Rc<Closure>),
    Class(Rc<Class>),
    /// Something of a library, by its dotted path: `pyspark.sql.functions.col`.
    Native(Rc<str>),
    /// An attribute of a value that is called or looked into later.
    Bound(Rc<(Value, String)>),
    /// `functools.partial` and thread targets.
    Partial(Rc<Partial>),
    /// A Spark DataFrame.
    Frame(NodeId),
    /// A DynamicFrame.
    Dynamic(NodeId),
    Grouped(Rc<Grouped>),
    Column(Rc<ColumnValue>),
    Window(Rc<WindowSpec>),
    Reader(Rc<Reader>),
    Writer(Rc<Writer>),
    Merge(Rc<MergeBuilder>),
    /// A Spark SQL type.
    Type(DataType),
    /// `getResolvedOptions`'s result: every key is an argument. The dict holds the keys that the script names or sets.
    Arguments(ArgumentSource, Option<ObjectId>),
    /// One of these, by what is not known.
    Choice(Rc<[Value]>),
}

/// Why a value is not known, the frames that it may have been made from, and the one thing of the run that it was cut
/// out of: a part of `json.loads(args["config"])` is decided by the argument.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Unknown {
    pub reason: &'static str,
    pub frames: Vec<NodeId>,
    pub hole: Option<Hole>,
}

/// Where placeholders of a mapping come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArgumentSource {
    Job,
    Environment,
    Workflow,
}

/// A function with the scope that it was defined in and, for a method, its receiver.
#[derive(Debug)]
pub(crate) struct Closure {
    pub def: Arc<ast::FunctionDef>,
    pub scope: ObjectId,
    pub file: u32,
    /// Where the section begins in the file that the function stands in.
    pub section: u32,
    pub receiver: Option<Value>,
    /// The class that defines it, where `super()` starts from.
    pub owner: Option<Rc<Class>>,
    pub defaults: Vec<Option<Value>>,
}

impl Closure {
    /// The function's place in its file.
    pub(crate) fn range(&self) -> TextRange {
        self.def.range.at(self.section)
    }
}

/// A class: its attributes live in a scope object.
#[derive(Debug)]
pub(crate) struct Class {
    pub name: String,
    pub bases: Vec<Value>,
    pub scope: ObjectId,
    /// Fields in order with their defaults, where the class is a dataclass.
    pub dataclass: bool,
    pub fields: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Partial {
    pub function: Value,
    pub positional: Vec<Value>,
    pub keywords: Vec<(String, Value)>,
}

/// `groupBy(…)`, `rollup`, `cube` and `pivot` before the aggregate.
#[derive(Clone, Debug)]
pub(crate) struct Grouped {
    pub input: NodeId,
    pub keys: Vec<(String, Expr)>,
    /// Whether the result's keys or columns are not these alone (`rollup`, `cube`, `pivot`, unknown keys).
    pub pivoted: bool,
    pub keys_known: bool,
}

/// A PySpark column before it meets a frame.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ColumnValue {
    pub expr: Expr,
    /// The name that `alias` gave.
    pub name: Option<String>,
    /// Where that name stands; empty where it has none.
    pub named_at: TextRange,
    pub form: ColumnForm,
    /// Whether it sorts in descending order.
    pub descending: bool,
}

/// What a column stands for in a select list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnForm {
    /// One column.
    Plain,
    /// `*` or `alias.*`; the qualifier is the expression's column qualifier.
    Star,
    /// One column, and one row for each element.
    Explode,
    /// Columns that are not known.
    Unknown,
}

/// A window specification.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct WindowSpec {
    pub partition_by: Vec<Expr>,
    pub order_by: Vec<(Expr, bool)>,
}

/// `spark.read` with what has been set on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reader {
    pub format: Option<Value>,
    pub options: Vec<(String, Value)>,
    pub schema: Option<DataType>,
}

/// `df.write`, `df.writeTo(…)` or `df.writeStream` with what has been set on it.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    pub input: NodeId,
    pub format: Option<Value>,
    pub mode: Option<Value>,
    pub options: Vec<(String, Value)>,
    pub partition_by: Vec<String>,
    /// The table of `writeTo`.
    pub target: Option<Value>,
    pub batch: Option<Value>,
    pub placing: Placing,
}

/// The database whose query is being read.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub connection: Option<Text>,
    pub database: Option<String>,
    pub format: Option<String>,
}

/// `DeltaTable.forPath(…)` and the merge that is built on it.
#[derive(Clone, Debug)]
pub(crate) struct MergeBuilder {
    pub target: NodeId,
    pub source: Option<NodeId>,
    pub condition: Option<Expr>,
}

impl Value {
    pub(crate) fn unknown(reason: &'static str) -> Self {
        Value::Unknown(Unknown { reason, ..Unknown::default() })
    }

    /// A part of something that the run decides.
    pub(crate) fn part_of(hole: Option<Hole>, reason: &'static str) -> Self {
        Value::Unknown(Unknown { reason, frames: Vec::new(), hole })
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Value::Text(Text::literal(text.into(), None))
    }

    pub(crate) fn native(path: impl AsRef<str>) -> Self {
        Value::Native(Rc::from(path.as_ref()))
    }

    pub(crate) fn column(expr: Expr) -> Self {
        Value::Column(Rc::new(ColumnValue {
            expr,
            name: None,
            named_at: TextRange::default(),
            form: ColumnForm::Plain,
            descending: false,
        }))
    }

    /// The frame, data frame or dynamic frame alike.
    pub(crate) fn frame(&self) -> Option<NodeId> {
        match self {
            Value::Frame(node) | Value::Dynamic(node) => Some(*node),
            _ => None,
        }
    }

    /// The text, where every part of it is known.
    pub(crate) fn exact_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => text.exact(),
            _ => None,
        }
    }

    /// As Python's `bool()`; `None` where not known.
    pub(crate) fn truth(&self, heap: &Heap) -> Option<bool> {
        match self {
            Value::None => Some(false),
            Value::Bool(value) => Some(*value),
            Value::Int(value) => Some(*value != 0),
            Value::Float(value) => Some(*value != 0.0),
            Value::Text(text) => match text.exact() {
                Some(exact) => Some(!exact.is_empty()),
                None if text.has_literal() => Some(true),
                None => None,
            },
            Value::Tuple(items) => Some(!items.is_empty()),
            Value::Object(id) => match heap.get(*id) {
                Object::List { items, exact } | Object::Set { items, exact } => match (items.is_empty(), exact) {
                    (false, true) => Some(true),
                    (true, true) => Some(false),
                    _ => None,
                },
                Object::Dict { entries, exact } => match (entries.is_empty(), exact) {
                    (false, true) => Some(true),
                    (true, true) => Some(false),
                    _ => None,
                },
                _ => Some(true),
            },
            Value::Unknown(_) | Value::Choice(_) | Value::Arguments(..) | Value::Column(_) => None,
            _ => Some(true),
        }
    }

    /// Whether two values are certainly the same.
    pub(crate) fn same(&self, other: &Value) -> bool {
        self.is_same(other, 0)
    }

    fn is_same(&self, other: &Value, depth: usize) -> bool {
        match (self, other) {
            (Value::None, Value::None) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::Text(a), Value::Text(b)) => a.same_as(b),
            (Value::Object(a), Value::Object(b)) => a == b,
            (Value::Native(a), Value::Native(b)) => a == b,
            (Value::Frame(a), Value::Frame(b)) | (Value::Dynamic(a), Value::Dynamic(b)) => a == b,
            (Value::Function(a), Value::Function(b)) => Rc::ptr_eq(a, b),
            (Value::Class(a), Value::Class(b)) => Rc::ptr_eq(a, b),
            (Value::Tuple(a), Value::Tuple(b)) => Rc::ptr_eq(a, b) || all_same(a, b, depth),
            (Value::Type(a), Value::Type(b)) => a == b,
            (Value::Column(a), Value::Column(b)) => Rc::ptr_eq(a, b) || a == b,
            (Value::Arguments(a, x), Value::Arguments(b, y)) => a == b && x == y,
            (Value::Bound(a), Value::Bound(b)) => Rc::ptr_eq(a, b) || a.1 == b.1 && a.0.is_same(&b.0, depth + 1),
            (Value::Unknown(a), Value::Unknown(b)) => a.frames == b.frames && a.hole == b.hole,
            (Value::Choice(a), Value::Choice(b)) => Rc::ptr_eq(a, b) || all_same(a, b, depth),
            _ => false,
        }
    }

    /// The alternatives as parts of a name: what an argument of the job decides is not taken to be its empty default,
    /// which would name nothing.
    pub(crate) fn given(&self) -> Vec<&Value> {
        let arms = self.alternatives();
        let is_argument = |arm: &Value| match arm {
            Value::Text(text) => matches!(text.segments.as_slice(), [Segment::Hole(Hole::Arg(_) | Hole::Env(_))]),
            _ => false,
        };
        let is_empty = |arm: &Value| matches!(arm, Value::None) || arm.exact_text() == Some("");
        let given = arms.iter().any(is_argument);
        arms.iter().filter(|arm| !(given && is_empty(arm))).collect()
    }

    /// The alternatives of a choice, or the value itself.
    pub(crate) fn alternatives(&self) -> &[Value] {
        match self {
            Value::Choice(arms) => arms,
            other => std::slice::from_ref(other),
        }
    }
}

/// Whether two lists of values are certainly the same; those nested deeper than this are taken to differ.
fn all_same(a: &[Value], b: &[Value], depth: usize) -> bool {
    const MAX_NESTING: usize = 8;
    depth < MAX_NESTING && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_same(b, depth + 1))
}
