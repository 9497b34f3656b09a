//! The abstract interpreter: executes a script symbolically and builds its plan.
//!
//! Arms of a condition that is not known never fork the run: each is executed from the same state, and the states are
//! joined variable by variable ([`fork`]). Loops over known collections are unrolled, others run once. Calls of the
//! script's own functions are executed; calls of libraries are given their meaning by [`crate::library`].

mod args;
mod assign;
mod builtins;
mod call;
mod collections;
mod control;
mod eval;
mod fork;
mod module;
mod strings;

use std::rc::Rc;
use std::sync::Arc;

use crate::ordered::{IndexMap, IndexSet};
use contract::expr::ColumnId;
use rustc_hash::FxHashMap;

pub(crate) use args::Args;
pub(crate) use control::{EXITS, Flow};
use fork::{Fork, Returned};

use crate::condition::{Condition, Term};
use crate::facts::{Diagnostic, Related, Severity};
use crate::plan::{NodeId, Plan};
use crate::range::TextRange;
use crate::sql::{Source, SqlText};
use crate::syntax::ast::{Block, FunctionDef, LocalRange};
use crate::value::{Class, Closure, Heap, Hole, Object, ObjectId, Remote, Text, Unknown, Value};
use crate::world::Recorder;

/// A place of the script that stands for something a reader may ask about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Mention {
    /// A name bound to a frame.
    Frame(NodeId),
    /// A table's or path's name in the call that reads it.
    Source(NodeId),
    /// A table's or path's name in the call that writes it; the index of the sink.
    Target(usize),
    /// A column's name.
    Column {
        /// The column; `None` where the name is not one, or is not known to be.
        column: Option<ColumnId>,
        /// Whether it may be NULL here; `None` where not known.
        nullable: Option<bool>,
        /// The frame that the name is looked up in.
        frame: NodeId,
        /// The other side, in the condition of a join.
        other: Option<NodeId>,
        /// Whether it is asked for here, so that the script fails without it. A name that is given or dropped is not.
        needed: bool,
    },
    /// The name of a job argument.
    Argument(String),
}

/// The state of a run.
pub(crate) struct Interpreter<'w> {
    pub world: Recorder<'w>,
    pub plan: Plan,
    pub heap: Heap,
    pub diagnostics: IndexSet<Diagnostic>,
    pub mentions: IndexMap<TextRange, Mention>,
    /// Calls that take keywords, with these.
    pub calls: IndexMap<TextRange, &'static [&'static str]>,
    /// SQL texts, by the places of their strings.
    pub sql: IndexMap<TextRange, SqlText>,
    /// Names of job arguments that the script declares or reads.
    pub arguments: IndexSet<String>,
    /// Temporary views by lower-case name.
    pub views: IndexMap<String, NodeId>,
    /// Spark settings that change what a write does.
    pub settings: IndexMap<String, Value>,
    /// The database that answers the query that is being read, where it is not Spark.
    pub remote: Option<Remote>,
    fuel: u64,
    ticks: u32,
    depth: usize,
    /// The file that is executed; 0 is the script.
    file: u32,
    /// Where the section begins in its file whose statements are executed.
    section: u32,
    /// The call in the script that led into another file.
    site: TextRange,
    /// Depth of arms, handlers and loops of which it is not known whether they run.
    uncertain: u32,
    /// What is true wherever the executed statement is reached: the conditions of the arms that it stands in.
    terms: Vec<Term>,
    /// How many of them hold where the executed function is called.
    outer_terms: usize,
    /// Whether a Python function over rows is executed, with the frame's columns for the values of a row.
    pub over_rows: bool,
    modules: FxHashMap<String, Option<ObjectId>>,
    module_scope: ObjectId,
    called: IndexSet<*const FunctionDef>,
    stack: Vec<*const FunctionDef>,
    /// Functions that were handed to something that is not understood and may call them.
    pub(crate) handed: Vec<Value>,
    /// Functions of the script.
    defined: Vec<Value>,
    /// Classes of the script, and those of which there is an object or that such a class is made from.
    classes: Vec<Rc<Class>>,
    instantiated: IndexSet<*const Class>,
}

/// Expressions, and the calls inside them, nested deeper than this are not followed.
const MAX_DEPTH: usize = 1500;

/// A text longer than this, in bytes, is not followed.
const MAX_TEXT: usize = 1 << 16;

/// Calls of the script's functions nested deeper than this are not followed.
const MAX_CALLS: usize = 40;

impl<'w> Interpreter<'w> {
    pub(crate) fn new(world: Recorder<'w>, text: &str) -> Self {
        let mut heap = Heap::default();
        let module_scope = heap.scope(None);
        Self {
            world,
            plan: Plan::default(),
            heap,
            diagnostics: IndexSet::default(),
            mentions: IndexMap::default(),
            calls: IndexMap::default(),
            sql: IndexMap::default(),
            arguments: IndexSet::default(),
            views: IndexMap::default(),
            settings: IndexMap::default(),
            remote: None,
            fuel: 50_000 + 40 * text.len() as u64,
            ticks: 0,
            depth: 0,
            file: 0,
            section: 0,
            site: TextRange::default(),
            uncertain: 0,
            terms: Vec::new(),
            outer_terms: 0,
            over_rows: false,
            modules: FxHashMap::default(),
            module_scope,
            called: IndexSet::default(),
            stack: Vec::new(),
            handed: Vec::new(),
            defined: Vec::new(),
            classes: Vec::new(),
            instantiated: IndexSet::default(),
        }
    }

    /// Executes a script, then every function that nothing in it called, with parameters that are not known.
    pub(crate) fn run(&mut self, script: &Block) {
        let scope = self.module_scope;
        self.bind(scope, "__name__", Value::text("__main__"));
        self.block(script, scope, &mut Vec::new());
        self.run_all(Self::handed);
        // Where the script writes on its own, functions that nothing calls are not part of what it does.
        self.plan.end_of_run();
        for class in self.classes.clone().into_iter().rev() {
            // A class that another one extends is reached through that one, which stands behind it.
            if !self.instantiated.contains(&Rc::as_ptr(&class)) {
                self.uncertainly(|this| this.run_class(&class));
            }
        }
        self.run_all(Self::defined);
    }

    fn handed(&self) -> &[Value] {
        &self.handed
    }

    fn defined(&self) -> &[Value] {
        &self.defined
    }

    /// Spends fuel; false once it is used up or the caller has lost interest.
    pub(crate) fn tick(&mut self) -> bool {
        if self.fuel == 0 {
            return false;
        }
        // What is copied or built counts too, so that the time is linear in the fuel whatever the script builds.
        let built = self.heap.take_copied() + self.plan.take_work();
        self.fuel = self.fuel.saturating_sub(1 + built / 8);
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(256) && self.world.cancelled() {
            self.fuel = 0;
        }
        self.fuel > 0
    }

    /// Accounts for work that is as large as what is built.
    pub(crate) fn spend(&mut self, built: usize) {
        self.fuel = self.fuel.saturating_sub(built as u64 / 8);
    }

    /// A text that was built; one that only grows is not followed.
    pub(crate) fn bounded(&mut self, text: Text) -> Value {
        let length = text.length();
        self.spend(length / 16);
        if length > MAX_TEXT { self.unknown_text() } else { Value::Text(text) }
    }

    /// The place in the executed file of a part of its syntax tree.
    pub(crate) fn place(&self, range: LocalRange) -> TextRange {
        range.at(self.section)
    }

    /// The place in the script that a range of the executed file stands for.
    pub(crate) fn here(&self, range: TextRange) -> TextRange {
        if self.file == 0 { range } else { self.site }
    }

    /// Whether what is executed is certain to run and its errors are certain to surface.
    pub(crate) fn is_certain(&self) -> bool {
        self.uncertain == 0
    }

    /// Runs something that is reached only where further terms are true.
    fn under<R>(&mut self, terms: &[Term], run: impl FnOnce(&mut Self) -> R) -> R {
        let outside = self.terms.len();
        self.assume(terms);
        let result = run(self);
        self.forget(outside);
        result
    }

    /// From here on, these terms are true too.
    fn assume(&mut self, terms: &[Term]) {
        if !terms.is_empty() {
            self.terms.extend_from_slice(terms);
            self.plan.condition = Condition::all(&self.terms);
        }
    }

    /// From here on, only so many terms are known to be true.
    fn forget(&mut self, count: usize) {
        if self.terms.len() > count {
            self.terms.truncate(count);
            self.plan.condition = Condition::all(&self.terms);
        }
    }

    pub(crate) fn report(
        &mut self,
        code: &'static str,
        severity: Severity,
        range: TextRange,
        message: String,
        suggestions: Vec<String>,
        related: Vec<Related>,
    ) {
        // In another file the place would be the wrong one for a correction.
        let suggestions = if self.file == 0 { suggestions } else { Vec::new() };
        let range = self.here(range);
        self.diagnostics.insert(Diagnostic { code, severity, range, message, suggestions, related });
    }

    pub(crate) fn mention(&mut self, range: TextRange, mention: Mention) {
        if self.file == 0 && !range.is_empty() {
            self.mentions.insert(range, mention);
        }
    }

    /// Remembers a text of SQL.
    pub(crate) fn mention_sql(&mut self, source: &Source) {
        if self.file == 0 && !source.range.is_empty() {
            self.sql.entry(source.range).or_insert_with(|| source.shown());
        }
    }

    /// Remembers what keywords a call takes.
    pub(crate) fn mention_call(&mut self, range: TextRange, keywords: &'static [&'static str]) {
        if self.file == 0 && !range.is_empty() {
            self.calls.insert(range, keywords);
        }
    }

    /// The value of a name in a scope or one that encloses it.
    pub(crate) fn lookup(&self, scope: ObjectId, name: &str) -> Option<Value> {
        let mut next = Some(scope);
        while let Some(id) = next {
            let Object::Scope { names, parent, .. } = self.heap.get(id) else { return None };
            if let Some(value) = names.get(name) {
                return Some(value.clone());
            }
            next = *parent;
        }
        None
    }

    pub(crate) fn bind(&mut self, scope: ObjectId, name: &str, value: Value) {
        let target = match self.heap.get(scope) {
            Object::Scope { globals, parent: Some(_), .. } if globals.iter().any(|global| global == name) => {
                self.defining_scope(scope, name)
            }
            _ => scope,
        };
        if let Object::Scope { names, .. } = self.heap.get_mut(target) {
            names.insert(name.to_owned(), value);
        }
    }

    /// The nearest enclosing scope that has a name, else the outermost one.
    fn defining_scope(&self, scope: ObjectId, name: &str) -> ObjectId {
        let mut current = scope;
        while let Object::Scope { parent: Some(parent), .. } = self.heap.get(current) {
            current = *parent;
            if matches!(self.heap.get(current), Object::Scope { names, .. } if names.contains_key(name)) {
                break;
            }
        }
        current
    }

    /// An unknown value that may hold the frames found in these values.
    pub(crate) fn tainted(&self, reason: &'static str, values: &[&Value]) -> Value {
        let mut frames = Vec::new();
        for value in values {
            self.collect_frames(value, 0, &mut frames);
        }
        Value::Unknown(Unknown { reason, frames, hole: None })
    }

    /// The one thing of the run that decides a value, where there is just one.
    pub(crate) fn hole_of(&self, value: &Value) -> Option<Hole> {
        match value {
            Value::Unknown(unknown) => unknown.hole.clone(),
            Value::Text(text) => text.only_hole().cloned(),
            // An attribute of a value that has none that is known.
            Value::Bound(bound) if matches!(bound.0, Value::Unknown(_)) => self.hole_of(&bound.0),
            // `None` where the call fails, and then the script does.
            Value::Choice(arms) => {
                let mut holes = arms.iter().filter(|arm| !matches!(arm, Value::None)).map(|arm| self.hole_of(arm));
                let first = holes.next()??;
                holes.all(|hole| hole.as_ref() == Some(&first)).then_some(first)
            }
            other => {
                let (items, exact) = self.heap.items(other)?;
                let first = self.hole_of(items.first()?)?;
                (!exact && items.iter().all(|item| self.hole_of(item).as_ref() == Some(&first))).then_some(first)
            }
        }
    }

    fn collect_frames(&self, value: &Value, depth: usize, frames: &mut Vec<NodeId>) {
        let mut add = |node: NodeId| {
            if !frames.contains(&node) {
                frames.push(node);
            }
        };
        match value {
            Value::Frame(node) | Value::Dynamic(node) => add(*node),
            Value::Unknown(unknown) => unknown.frames.iter().copied().for_each(add),
            Value::Grouped(grouped) => add(grouped.input),
            Value::Tuple(items) | Value::Choice(items) if depth < 3 => {
                items.iter().for_each(|item| self.collect_frames(item, depth + 1, frames));
            }
            Value::Bound(bound) if depth < 3 => self.collect_frames(&bound.0, depth + 1, frames),
            Value::Object(id) if depth < 3 => match self.heap.get(*id) {
                Object::List { items, .. } | Object::Set { items, .. } => {
                    items.iter().for_each(|item| self.collect_frames(item, depth + 1, frames));
                }
                Object::Dict { entries, .. } => {
                    entries.iter().for_each(|(_, item)| self.collect_frames(item, depth + 1, frames));
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// Runs something of which it is not known whether it runs, or whose errors are caught.
    pub(crate) fn uncertainly<R>(&mut self, run: impl FnOnce(&mut Self) -> R) -> R {
        self.uncertain += 1;
        let result = run(self);
        self.uncertain -= 1;
        result
    }

    /// The same for what cannot be put into a closure.
    pub(crate) fn set_uncertain(&mut self, uncertain: bool) {
        self.uncertain = if uncertain { self.uncertain + 1 } else { self.uncertain.saturating_sub(1) };
    }

    /// A function whose body is not executed for its effects on frames, such as a user-defined function.
    pub(crate) fn mark_called(&mut self, closure: &Closure) {
        self.called.insert(Arc::as_ptr(&closure.def));
    }

    /// The frame that a value is or may hold; an opaque one where it is not understood.
    pub(crate) fn frame_of(&mut self, value: &Value, range: TextRange) -> Option<NodeId> {
        let range = self.here(range);
        match value {
            Value::Frame(node) | Value::Dynamic(node) => Some(*node),
            Value::Unknown(unknown) => Some(self.plan.opaque(unknown.frames.clone(), unknown.reason, range)),
            Value::Choice(arms) => {
                let nodes: Vec<NodeId> = arms.iter().filter_map(Value::frame).collect();
                (!nodes.is_empty()).then(|| self.plan.choice(nodes, range))
            }
            _ => None,
        }
    }

    /// Runs those functions of a list that nothing has called; the list may grow meanwhile.
    fn run_all(&mut self, list: fn(&Self) -> &[Value]) {
        let mut index = 0;
        while let Some(function) = list(self).get(index).cloned() {
            index += 1;
            let Value::Function(closure) = &function else { continue };
            if self.called.contains(&Arc::as_ptr(&closure.def)) || closure.file != 0 {
                continue;
            }
            let args = Args::unknown(closure.range());
            self.uncertainly(|this| this.call(&function, args));
        }
    }
}
