//! Forks: arms that are executed from one state, and the joining of the states that they leave.

use std::rc::Rc;

use super::{Flow, Interpreter};
use crate::condition::{Condition, MAX_TERMS, Term};
use crate::ordered::IndexMap;
use crate::plan::{NodeId, NodeKind};
use crate::range::TextRange;
use crate::value::{Object, ObjectId, Value};

/// A choice of more values than this is not known.
const MAX_ARMS: usize = 8;

/// A choice of one fork has up to this many frames; with more, one of them is a choice again.
const MAX_FLAT: usize = 16;

/// A value that a function returns, and when, as far as that can be said.
pub(crate) struct Returned {
    pub value: Value,
    pub when: Option<Condition>,
}

/// Where one of several things has happened.
pub(super) struct Fork {
    range: TextRange,
    /// Choices from here on were made by this fork.
    since: NodeId,
    /// When it is what is joined so far.
    before: Option<Condition>,
    /// When it is what is joined to it.
    after: Condition,
}

impl Fork {
    /// One of which nothing is known.
    pub(super) fn at(range: TextRange) -> Self {
        Self { range, since: NodeId(u32::MAX), before: None, after: Condition::unknown() }
    }

    /// One by whether a term is true.
    pub(super) fn by(term: &Term, range: TextRange) -> Self {
        let when = |term| Condition::all(&[term]);
        let after = when(term.negated()).unwrap_or_else(Condition::unknown);
        Self { before: when(term.clone()), after, ..Self::at(range) }
    }
}

/// One way to go, and what is true where it is taken.
pub(super) struct Arm<'r, 'w> {
    pub terms: Vec<Term>,
    pub run: ArmRunner<'r, 'w>,
}

/// Arms of which the first is taken whose condition is true.
#[derive(Default)]
pub(super) struct Arms<'r, 'w> {
    arms: Vec<Arm<'r, 'w>>,
    /// The conditions of all of them, denied.
    refused: Vec<Term>,
    is_exhaustive: bool,
}

impl<'r, 'w> Arms<'r, 'w> {
    /// Adds an arm; one without a condition takes what is left.
    pub(super) fn push(
        &mut self,
        condition: Option<&Term>,
        run: impl FnOnce(&mut Interpreter<'w>, &mut Vec<Returned>) -> Flow + 'r,
    ) {
        let mut terms = self.refused.clone();
        terms.extend(condition.cloned());
        self.is_exhaustive |= condition.is_none();
        // Of a long chain, what its first arms deny is enough: no condition has more terms.
        if self.refused.len() <= 2 * MAX_TERMS {
            self.refused.extend(condition.map(Term::negated));
        }
        self.arms.push(Arm { terms, run: Box::new(run) });
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.arms.is_empty()
    }

    /// All of them, with one that does nothing where that may happen.
    pub(super) fn finish(mut self) -> Vec<Arm<'r, 'w>> {
        if !self.is_exhaustive {
            self.push(None, |_, _| Flow::Next);
        }
        self.arms
    }

    /// One that may be taken or not.
    pub(super) fn perhaps(run: impl FnOnce(&mut Interpreter<'w>, &mut Vec<Returned>) -> Flow + 'r) -> Vec<Arm<'r, 'w>> {
        let nothing: ArmRunner<'r, 'w> = Box::new(|_, _| Flow::Next);
        let runs: [ArmRunner<'r, 'w>; 2] = [Box::new(run), nothing];
        runs.into_iter().map(|run| Arm { terms: Vec::new(), run }).collect()
    }
}

/// What an arm leaves of the objects that it changed, and of the temporary views.
type Changes = Vec<(ObjectId, Rc<Object>)>;
type Views = IndexMap<String, NodeId>;

/// Executes one arm.
pub(super) type ArmRunner<'r, 'w> = Box<dyn FnOnce(&mut Interpreter<'w>, &mut Vec<Returned>) -> Flow + 'r>;

impl<'w> Interpreter<'w> {
    /// Executes each arm from the same state and joins what they leave.
    pub(super) fn arms(&mut self, arms: Vec<Arm<'_, 'w>>, returns: &mut Vec<Returned>, range: TextRange) -> Flow {
        let mut ends = Vec::new();
        let mut leaving = None;
        let mut has_returned = false;
        let mut remaining: Option<Vec<Term>> = None;
        for Arm { terms, run } in arms {
            self.heap.enter();
            let views = self.views.clone();
            let flow = self.under(&terms, |this| this.uncertainly(|this| run(this, returns)));
            let views = std::mem::replace(&mut self.views, views);
            let changes = self.heap.leave();
            match flow {
                // Leaving a loop round keeps the state, leaving the function does not.
                Flow::Next | Flow::Break | Flow::Continue => {
                    match &mut remaining {
                        None => remaining = Some(terms.clone()),
                        Some(shared) => shared.retain(|term| terms.contains(term)),
                    }
                    ends.push((changes, views, Condition::all(&terms).unwrap_or_else(Condition::unknown)));
                    if flow != Flow::Next {
                        leaving = leaving.or(Some(Flow::Next));
                    }
                }
                Flow::Return | Flow::Raise => {
                    has_returned |= flow == Flow::Return;
                    leaving = leaving.or(Some(flow));
                }
            }
        }
        if ends.is_empty() {
            return leaving.unwrap_or(Flow::Next);
        }
        let since = self.plan.next();
        self.join_views(&ends, range);
        let mut states: IndexMap<ObjectId, Vec<Rc<Object>>> = IndexMap::default();
        for (changes, ..) in &ends {
            for (id, _) in changes {
                states.entry(*id).or_default();
            }
        }
        for (changes, ..) in &ends {
            for (id, states) in &mut states {
                let changed = changes.iter().find(|(changed, _)| changed == id);
                states.push(changed.map_or_else(|| self.heap.shared(*id), |(_, object)| object.clone()));
            }
        }
        for (id, states) in states {
            let mut states = states.into_iter().zip(ends.iter().map(|(_, _, when)| when));
            let Some((mut joined, when)) = states.next() else { continue };
            let mut fork = Fork { range, since, before: Some(when.clone()), after: Condition::unknown() };
            for (state, when) in states {
                fork.after = when.clone();
                if !Rc::ptr_eq(&joined, &state) {
                    joined = Rc::new(self.join_objects(&joined, &state, &fork));
                }
                fork.before = fork.before.and_then(|before| before.or(when));
            }
            self.heap.put(id, joined);
        }
        // Behind an arm that has returned, what is still to come happens only where another one was taken.
        if has_returned {
            self.assume(&remaining.unwrap_or_default());
        }
        Flow::Next
    }

    /// Joins the temporary views that arms leave.
    fn join_views(&mut self, ends: &[(Changes, Views, Condition)], range: TextRange) {
        let since = self.plan.next();
        for (_, views, when) in ends {
            for (name, node) in views {
                let joined = match self.views.get(name) {
                    Some(before) if before != node => {
                        let fork = Fork { range, since, before: None, after: when.clone() };
                        self.choice(*before, *node, &fork)
                    }
                    _ => *node,
                };
                self.views.insert(name.clone(), joined);
            }
        }
    }

    /// A value that is one of two; it cannot be said when it is which.
    pub(crate) fn join(&mut self, a: Value, b: Value, range: TextRange) -> Value {
        self.join_at(a, b, &Fork::at(range))
    }

    /// A frame that is one of two. Those of one fork make one choice.
    fn choice(&mut self, a: NodeId, b: NodeId, fork: &Fork) -> NodeId {
        let when = fork.before.clone().unwrap_or_else(Condition::unknown);
        let mut arms = match self.plan.node(a).map(|node| &node.kind) {
            Some(NodeKind::Choice { inputs, conditions }) if a >= fork.since && inputs.len() < MAX_FLAT => {
                inputs.iter().copied().zip(conditions.iter().cloned()).collect()
            }
            _ => vec![(a, when)],
        };
        arms.push((b, fork.after.clone()));
        self.plan.choice_when(arms, self.here(fork.range))
    }

    /// A value that is one of two.
    pub(super) fn join_at(&mut self, a: Value, b: Value, fork: &Fork) -> Value {
        if a.same(&b) || is_alike(&a, &b) {
            return a;
        }
        let range = self.here(fork.range);
        match (&a, &b) {
            (Value::Frame(x), Value::Frame(y)) => Value::Frame(self.choice(*x, *y, fork)),
            (Value::Dynamic(x), Value::Dynamic(y) | Value::Frame(y)) | (Value::Frame(x), Value::Dynamic(y)) => {
                Value::Dynamic(self.choice(*x, *y, fork))
            }
            (Value::Unknown(unknown), Value::Frame(node) | Value::Dynamic(node)) => {
                let other = self.plan.opaque(unknown.frames.clone(), unknown.reason, range);
                Value::Frame(self.choice(other, *node, fork))
            }
            (Value::Frame(node) | Value::Dynamic(node), Value::Unknown(unknown)) => {
                let other = self.plan.opaque(unknown.frames.clone(), unknown.reason, range);
                Value::Frame(self.choice(*node, other, fork))
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

    /// What a function gives back: one of the values that it returns.
    pub(super) fn join_returns(&mut self, returns: Vec<Returned>, range: TextRange) -> Value {
        let mut returns = returns.into_iter();
        let Some(Returned { value: mut joined, when }) = returns.next() else { return Value::None };
        let mut fork = Fork { before: when, ..Fork::at(range) };
        fork.since = self.plan.next();
        for Returned { value, when } in returns {
            fork.after = when.unwrap_or_else(Condition::unknown);
            joined = self.join_at(joined, value, &fork);
            fork.before = fork.before.and_then(|before| before.or(&fork.after));
        }
        joined
    }

    pub(super) fn join_objects(&mut self, a: &Object, b: &Object, fork: &Fork) -> Object {
        match (a, b) {
            (Object::Scope { names: x, parent, globals }, Object::Scope { names: y, .. }) => {
                Object::Scope { names: self.join_maps(x, y, fork), parent: *parent, globals: globals.clone() }
            }
            (Object::Instance { class, attributes: x }, Object::Instance { attributes: y, .. }) => {
                Object::Instance { class: class.clone(), attributes: self.join_maps(x, y, fork) }
            }
            (Object::List { items: x, exact: ex }, Object::List { items: y, exact: ey }) => {
                let (items, exact) = self.join_items(x, y, fork);
                Object::List { items, exact: exact && *ex && *ey }
            }
            (Object::Set { items: x, exact: ex }, Object::Set { items: y, exact: ey }) => {
                let (items, exact) = self.join_items(x, y, fork);
                Object::Set { items, exact: exact && *ex && *ey }
            }
            (Object::Dict { entries: x, exact: ex }, Object::Dict { entries: y, exact: ey }) => {
                let mut entries = x.clone();
                let mut exact = *ex && *ey;
                self.spend(x.len().saturating_mul(y.len()) / 8);
                for (key, value) in y {
                    // A key of which not all is known may be another one, but both arms know the same of it.
                    match entries.iter_mut().find(|(known, _)| known.same(key) || is_alike(known, key)) {
                        Some((_, known)) => *known = self.join_at(known.clone(), value.clone(), fork),
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
        fork: &Fork,
    ) -> IndexMap<String, Value> {
        let mut joined = a.clone();
        for (name, value) in b {
            let value = match a.get(name) {
                Some(before) if before.same(value) || is_alike(before, value) => continue,
                Some(before) => self.join_at(before.clone(), value.clone(), fork),
                None => value.clone(),
            };
            joined.insert(name.clone(), value);
        }
        joined
    }

    fn join_items(&mut self, a: &[Value], b: &[Value], fork: &Fork) -> (Vec<Value>, bool) {
        let mut items = Vec::new();
        self.spend(a.len().max(b.len()) * 8);
        for position in 0..a.len().max(b.len()) {
            items.push(match (a.get(position), b.get(position)) {
                (Some(x), Some(y)) => self.join_at(x.clone(), y.clone(), fork),
                (Some(only), None) | (None, Some(only)) => only.clone(),
                (None, None) => continue,
            });
        }
        (items, a.len() == b.len())
    }
}

/// Whether the same is known of two values, although the run may make them different.
pub(super) fn is_alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Unknown(a), Value::Unknown(b)) => a == b,
        (Value::Choice(a), Value::Choice(b)) => Rc::ptr_eq(a, b),
        _ => false,
    }
}
