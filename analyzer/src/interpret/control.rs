//! Statements, and the joining of states.

use std::rc::Rc;

use crate::ordered::IndexMap;

use super::Interpreter;
use crate::hints;
use crate::range::TextRange;
use crate::syntax::ast::{Block, Expr, ExprKind, Stmt, StmtKind};
use crate::value::{Object, ObjectId, Value};

/// How a statement ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    Return,
    Break,
    Continue,
    Raise,
}

/// A loop over a known collection is unrolled up to this many rounds.
const MAX_ROUNDS: usize = 256;

/// A choice of more values than this is not known.
const MAX_ARMS: usize = 8;

impl<'w> Interpreter<'w> {
    /// Executes statements; values of `return` are added to `returns`.
    pub(crate) fn block(&mut self, block: &Block, scope: ObjectId, returns: &mut Vec<Value>) -> Flow {
        let outer = self.section;
        for (offset, statements) in block.sections() {
            self.section = outer + offset;
            let flow = self.statements(statements, scope, returns);
            self.section = outer;
            if flow != Flow::Next {
                return flow;
            }
        }
        Flow::Next
    }

    fn statements(&mut self, statements: &[Stmt], scope: ObjectId, returns: &mut Vec<Value>) -> Flow {
        for statement in statements {
            if !self.tick() {
                return Flow::Next;
            }
            match self.statement(statement, scope, returns) {
                Flow::Next => {}
                flow => return flow,
            }
        }
        Flow::Next
    }

    fn statement(&mut self, statement: &Stmt, scope: ObjectId, returns: &mut Vec<Value>) -> Flow {
        match &statement.kind {
            StmtKind::Expr(expr) => {
                let value = self.eval(expr, scope);
                if matches!(&value, Value::Unknown(unknown) if unknown.reason == EXITS) {
                    return Flow::Raise;
                }
                if self.file == 0 {
                    self.diagnostics.extend(hints::filter_in_vain(&self.plan, expr, self.section, &value));
                }
            }
            StmtKind::Assign { targets, value } => {
                let value = self.eval(value, scope);
                for target in targets {
                    self.assign(target, value.clone(), scope);
                }
            }
            StmtKind::Declare { target, value } => match value {
                Some(value) => {
                    let value = self.eval(value, scope);
                    self.assign(target, value, scope);
                }
                None => self.declare(target, scope),
            },
            StmtKind::AugAssign { target, op, value } => {
                self.augment(target, *op, value, self.place(statement.range), scope)
            }
            StmtKind::If { arms } => return self.conditional(arms, scope, returns),
            StmtKind::For { target, iterable, body, otherwise } => {
                let iterable = self.eval(iterable, scope);
                let flow = self.for_loop(target, &iterable, body, scope, returns);
                if flow == Flow::Next {
                    return self.block(otherwise, scope, returns);
                }
                return flow;
            }
            StmtKind::While { condition, body } => return self.while_loop(condition, body, scope, returns),
            StmtKind::Try { body, handlers, otherwise, finally } => {
                let flow = self.attempt(body, handlers, otherwise, scope, returns);
                return match self.block(finally, scope, returns) {
                    Flow::Next => flow,
                    leaving => leaving,
                };
            }
            StmtKind::With { items, body } => {
                for (value, target) in items {
                    let value = self.eval(value, scope);
                    let entered = self.entered(value);
                    if let Some(target) = target {
                        self.assign(target, entered, scope);
                    }
                }
                return self.block(body, scope, returns);
            }
            StmtKind::Function(def) => {
                let function = self.function(def, scope, None);
                let function = self.decorated(function, &def.decorators, scope);
                self.bind(scope, &def.name, function);
            }
            StmtKind::Class(def) => {
                let class = self.class(def, scope);
                self.bind(scope, &def.name, class);
            }
            StmtKind::Return(value) => {
                let value = value.as_ref().map_or(Value::None, |value| self.eval(value, scope));
                returns.push(value);
                return Flow::Return;
            }
            StmtKind::Raise => return Flow::Raise,
            StmtKind::Import { module, alias } => self.import(module, alias.as_deref(), scope),
            StmtKind::ImportFrom { module, names } => self.import_from(module, names, scope),
            StmtKind::Global(names) => {
                if let Object::Scope { globals, .. } = self.heap.get_mut(scope) {
                    globals.extend(names.iter().cloned());
                }
            }
            StmtKind::Delete(targets) => targets.iter().for_each(|target| self.delete(target, scope)),
            StmtKind::Match { subject, arms } => {
                self.eval(subject, scope);
                let mut all: Vec<ArmRunner<'_, 'w>> = Vec::new();
                for arm in arms {
                    let arm = arm.clone();
                    all.push(Box::new(move |this, returns| this.block(&arm, scope, returns)));
                }
                return self.arms(all, returns, self.place(statement.range));
            }
            StmtKind::Break => return Flow::Break,
            StmtKind::Continue => return Flow::Continue,
            StmtKind::Nothing => {}
        }
        Flow::Next
    }

    fn conditional(&mut self, arms: &[(Option<Expr>, Block)], scope: ObjectId, returns: &mut Vec<Value>) -> Flow {
        let mut undecided: Vec<ArmRunner<'_, 'w>> = Vec::new();
        let mut range = TextRange::default();
        let mut exhaustive = false;
        for (condition, block) in arms {
            let truth = match condition {
                None => Some(true),
                Some(condition) => {
                    range = self.place(condition.range);
                    let value = self.eval(condition, scope);
                    self.check_condition(&value, condition);
                    value.truth(&self.heap)
                }
            };
            match truth {
                Some(false) => continue,
                Some(true) if undecided.is_empty() => return self.block(block, scope, returns),
                _ => {
                    let block = block.clone();
                    undecided.push(Box::new(move |this, returns| {
                        this.guards += 1;
                        let flow = this.block(&block, scope, returns);
                        this.guards -= 1;
                        flow
                    }));
                    if truth == Some(true) {
                        exhaustive = true;
                        break;
                    }
                }
            }
        }
        if undecided.is_empty() {
            return Flow::Next;
        }
        if !exhaustive {
            undecided.push(Box::new(|_, _| Flow::Next));
        }
        self.arms(undecided, returns, range)
    }

    /// Executes each arm from the same state and joins what they leave.
    fn arms(&mut self, arms: Vec<ArmRunner<'_, 'w>>, returns: &mut Vec<Value>, range: TextRange) -> Flow {
        let mut ends = Vec::new();
        let mut leaving = None;
        for run in arms {
            self.heap.enter();
            let views = self.views.clone();
            let flow = self.uncertainly(|this| run(this, returns));
            let views = std::mem::replace(&mut self.views, views);
            let changes = self.heap.leave();
            match flow {
                Flow::Next => ends.push((changes, views)),
                // Leaving a loop round keeps the state, leaving the function does not.
                Flow::Break | Flow::Continue => {
                    ends.push((changes, views));
                    leaving = leaving.or(Some(Flow::Next));
                }
                Flow::Return | Flow::Raise => leaving = leaving.or(Some(flow)),
            }
        }
        if ends.is_empty() {
            return leaving.unwrap_or(Flow::Next);
        }
        for (_, views) in &ends {
            for (name, node) in views {
                let joined = match self.views.get(name) {
                    Some(before) if before != node => self.plan.choice(vec![*before, *node], range),
                    _ => *node,
                };
                self.views.insert(name.clone(), joined);
            }
        }
        let mut states: IndexMap<ObjectId, Vec<Rc<Object>>> = IndexMap::default();
        for (changes, _) in &ends {
            for (id, _) in changes {
                states.entry(*id).or_default();
            }
        }
        for (changes, _) in &ends {
            for (id, states) in &mut states {
                let changed = changes.iter().find(|(changed, _)| changed == id);
                states.push(changed.map_or_else(|| self.heap.shared(*id), |(_, object)| object.clone()));
            }
        }
        for (id, states) in states {
            let mut states = states.into_iter();
            let Some(mut joined) = states.next() else { continue };
            for state in states {
                if !Rc::ptr_eq(&joined, &state) {
                    joined = Rc::new(self.join_objects(&joined, &state, range));
                }
            }
            self.heap.put(id, joined);
        }
        Flow::Next
    }

    /// A value that is one of two.
    pub(crate) fn join(&mut self, a: Value, b: Value, range: TextRange) -> Value {
        if a.same(&b) || is_alike(&a, &b) {
            return a;
        }
        let range = self.here(range);
        match (&a, &b) {
            (Value::Frame(x), Value::Frame(y)) => Value::Frame(self.plan.choice(vec![*x, *y], range)),
            (Value::Dynamic(x), Value::Dynamic(y) | Value::Frame(y)) | (Value::Frame(x), Value::Dynamic(y)) => {
                Value::Dynamic(self.plan.choice(vec![*x, *y], range))
            }
            (Value::Unknown(unknown), Value::Frame(node) | Value::Dynamic(node))
            | (Value::Frame(node) | Value::Dynamic(node), Value::Unknown(unknown)) => {
                let other = self.plan.opaque(unknown.frames.clone(), unknown.reason, range);
                Value::Frame(self.plan.choice(vec![*node, other], range))
            }
            // What is known of one arm is a may fact of both; but a condition on it is not decided.
            (Value::Unknown(unknown), other) | (other, Value::Unknown(unknown))
                if unknown.frames.is_empty()
                    && !matches!(
                        other,
                        Value::None
                            | Value::Bool(_)
                            | Value::Int(_)
                            | Value::Float(_)
                            | Value::Text(_)
                            | Value::Choice(_)
                            | Value::Unknown(_)
                    ) =>
            {
                other.clone()
            }
            _ => {
                let mut arms: Vec<Value> = Vec::new();
                for arm in a.alternatives().iter().chain(b.alternatives()) {
                    if !arms.iter().any(|known| known.same(arm) || is_alike(known, arm)) {
                        arms.push(arm.clone());
                    }
                }
                if arms.len() > MAX_ARMS {
                    let arms: Vec<&Value> = arms.iter().collect();
                    return self.tainted("too many possible values", &arms);
                }
                // Frames among the alternatives are one frame.
                let frames: Vec<Value> = arms.iter().filter(|arm| arm.frame().is_some()).cloned().collect();
                if frames.len() > 1 {
                    let mut rest: Vec<Value> = arms.into_iter().filter(|arm| arm.frame().is_none()).collect();
                    let nodes = frames.iter().filter_map(Value::frame).collect();
                    let node = self.plan.choice(nodes, range);
                    let dynamic = frames.iter().any(|frame| matches!(frame, Value::Dynamic(_)));
                    rest.insert(0, if dynamic { Value::Dynamic(node) } else { Value::Frame(node) });
                    return Value::Choice(rest.into());
                }
                Value::Choice(arms.into())
            }
        }
    }

    pub(crate) fn join_all(&mut self, values: Vec<Value>, range: TextRange) -> Value {
        let mut values = values.into_iter();
        let Some(mut joined) = values.next() else { return Value::None };
        for value in values {
            joined = self.join(joined, value, range);
        }
        joined
    }

    fn join_objects(&mut self, a: &Object, b: &Object, range: TextRange) -> Object {
        match (a, b) {
            (Object::Scope { names: x, parent, globals }, Object::Scope { names: y, .. }) => {
                Object::Scope { names: self.join_maps(x, y, range), parent: *parent, globals: globals.clone() }
            }
            (Object::Instance { class, attributes: x }, Object::Instance { attributes: y, .. }) => {
                Object::Instance { class: class.clone(), attributes: self.join_maps(x, y, range) }
            }
            (Object::List { items: x, exact: ex }, Object::List { items: y, exact: ey }) => {
                let (items, exact) = self.join_items(x, y, range);
                Object::List { items, exact: exact && *ex && *ey }
            }
            (Object::Set { items: x, exact: ex }, Object::Set { items: y, exact: ey }) => {
                let (items, exact) = self.join_items(x, y, range);
                Object::Set { items, exact: exact && *ex && *ey }
            }
            (Object::Dict { entries: x, exact: ex }, Object::Dict { entries: y, exact: ey }) => {
                let mut entries = x.clone();
                let mut exact = *ex && *ey;
                self.spend(x.len().saturating_mul(y.len()) / 8);
                for (key, value) in y {
                    // A key of which not all is known may be another one, but both arms know the same of it.
                    match entries.iter_mut().find(|(known, _)| known.same(key) || is_alike(known, key)) {
                        Some((_, known)) => *known = self.join(known.clone(), value.clone(), range),
                        None => {
                            exact = false;
                            entries.push((key.clone(), value.clone()));
                        }
                    }
                }
                exact &= x.len() <= y.len();
                Object::Dict { entries, exact }
            }
            (Object::Sink(x), Object::Sink(y)) => {
                let mut sink = y.clone();
                sink.path = sink.path.or_else(|| x.path.clone());
                sink.database = sink.database.or_else(|| x.database.clone());
                sink.table = sink.table.or_else(|| x.table.clone());
                sink.format = sink.format.or_else(|| x.format.clone());
                Object::Sink(sink)
            }
            (_, other) => other.clone(),
        }
    }

    fn join_maps(
        &mut self,
        a: &IndexMap<String, Value>,
        b: &IndexMap<String, Value>,
        range: TextRange,
    ) -> IndexMap<String, Value> {
        let mut joined = a.clone();
        for (name, value) in b {
            let value = match a.get(name) {
                Some(before) if before.same(value) || is_alike(before, value) => continue,
                Some(before) => self.join(before.clone(), value.clone(), range),
                None => value.clone(),
            };
            joined.insert(name.clone(), value);
        }
        joined
    }

    fn join_items(&mut self, a: &[Value], b: &[Value], range: TextRange) -> (Vec<Value>, bool) {
        let mut items = Vec::new();
        self.spend(a.len().max(b.len()) * 8);
        for position in 0..a.len().max(b.len()) {
            items.push(match (a.get(position), b.get(position)) {
                (Some(x), Some(y)) => self.join(x.clone(), y.clone(), range),
                (Some(only), None) | (None, Some(only)) => only.clone(),
                (None, None) => continue,
            });
        }
        (items, a.len() == b.len())
    }

    fn for_loop(
        &mut self,
        target: &Expr,
        iterable: &Value,
        body: &Block,
        scope: ObjectId,
        returns: &mut Vec<Value>,
    ) -> Flow {
        let (items, exact) = self.iterate(iterable);
        if !exact {
            // The rounds that are known to be possible, then one of which nothing is known.
            for item in items {
                let flow = self.round(target, item, body, scope, returns, false);
                if flow == Flow::Return || !self.tick() {
                    break;
                }
            }
            return Flow::Next;
        }
        for item in items.into_iter().take(MAX_ROUNDS) {
            if !self.tick() {
                break;
            }
            match self.round(target, item, body, scope, returns, true) {
                Flow::Break => break,
                Flow::Next | Flow::Continue => {}
                leaving => return leaving,
            }
        }
        Flow::Next
    }

    /// One round of a loop; one that is not certain to run is an arm beside none at all.
    fn round(
        &mut self,
        target: &Expr,
        item: Value,
        body: &Block,
        scope: ObjectId,
        returns: &mut Vec<Value>,
        certain: bool,
    ) -> Flow {
        if certain {
            self.assign(target, item, scope);
            return self.block(body, scope, returns);
        }
        let run = |this: &mut Self, returns: &mut Vec<Value>| {
            this.assign(target, item, scope);
            match this.block(body, scope, returns) {
                Flow::Break | Flow::Continue => Flow::Next,
                flow => flow,
            }
        };
        self.arms(vec![Box::new(run), Box::new(|_, _| Flow::Next)], returns, self.place(target.range))
    }

    fn while_loop(&mut self, condition: &Expr, body: &Block, scope: ObjectId, returns: &mut Vec<Value>) -> Flow {
        for _ in 0..MAX_ROUNDS {
            let value = self.eval(condition, scope);
            match value.truth(&self.heap) {
                Some(false) => return Flow::Next,
                // `while True` ends by a break that may depend on what is not known: one round stands for all.
                Some(true) if !matches!(condition.kind, ExprKind::Bool(_)) => match self.block(body, scope, returns) {
                    Flow::Next | Flow::Continue => {}
                    Flow::Break => return Flow::Next,
                    leaving => return leaving,
                },
                _ => {
                    let run = |this: &mut Self, returns: &mut Vec<Value>| match this.block(body, scope, returns) {
                        Flow::Break | Flow::Continue => Flow::Next,
                        flow => flow,
                    };
                    return self.arms(
                        vec![Box::new(run), Box::new(|_, _| Flow::Next)],
                        returns,
                        self.place(condition.range),
                    );
                }
            }
            if !self.tick() {
                break;
            }
        }
        Flow::Next
    }

    /// `try`: the body, and each handler from a state in which some of the body has run.
    fn attempt(
        &mut self,
        body: &Block,
        handlers: &[(Option<String>, Block)],
        otherwise: &Block,
        scope: ObjectId,
        returns: &mut Vec<Value>,
    ) -> Flow {
        if handlers.is_empty() {
            return self.block(body, scope, returns);
        }
        self.heap.enter();
        let before = returns.len();
        let mut flow = self.uncertainly(|this| this.block(body, scope, returns));
        if flow == Flow::Next {
            flow = self.block(otherwise, scope, returns);
        }
        let changes = self.heap.leave();
        let returned = returns.len() > before;
        let range = body.statements().next().map(|first| self.place(first.range)).unwrap_or_default();
        let after_body: ArmRunner<'_, 'w> = {
            let changes = changes.clone();
            Box::new(move |this, _| {
                for (id, object) in changes {
                    this.heap.put(id, object);
                }
                match flow {
                    Flow::Return if returned => Flow::Return,
                    flow => flow,
                }
            })
        };
        let mut arms = vec![after_body];
        for (alias, handler) in handlers {
            let (alias, handler, changes) = (alias.clone(), handler.clone(), changes.clone());
            arms.push(Box::new(move |this, returns| {
                for (id, object) in changes {
                    let before = this.heap.shared(id);
                    let joined = this.join_objects(&before, &object, range);
                    this.heap.put(id, Rc::new(joined));
                }
                if let Some(alias) = &alias {
                    this.bind(scope, alias, Value::unknown("an exception"));
                }
                this.block(&handler, scope, returns)
            }));
        }
        self.arms(arms, returns, range)
    }
}

/// Whether the same is known of two values, although the run may make them different.
fn is_alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Unknown(a), Value::Unknown(b)) => a == b,
        (Value::Choice(a), Value::Choice(b)) => Rc::ptr_eq(a, b),
        _ => false,
    }
}

/// Executes one arm.
type ArmRunner<'r, 'w> = Box<dyn FnOnce(&mut Interpreter<'w>, &mut Vec<Value>) -> Flow + 'r>;

/// Reason of the value of a call that ends the script.
pub(crate) const EXITS: &str = "the script ends here";
