//! Statements.

use std::rc::Rc;

use super::Interpreter;
use super::fork::{Arm, ArmRunner, Arms, Fork, Returned};
use crate::condition::{Condition, Term};
use crate::hints;
use crate::range::TextRange;
use crate::syntax::ast::{Block, Expr, ExprKind, Handler, Stmt, StmtKind};
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

impl<'w> Interpreter<'w> {
    /// Executes statements; values of `return` are added to `returns`.
    pub(crate) fn block(&mut self, block: &Block, scope: ObjectId, returns: &mut Vec<Returned>) -> Flow {
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

    fn statements(&mut self, statements: &[Stmt], scope: ObjectId, returns: &mut Vec<Returned>) -> Flow {
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

    fn statement(&mut self, statement: &Stmt, scope: ObjectId, returns: &mut Vec<Returned>) -> Flow {
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
                let when = Condition::all(self.terms.get(self.outer_terms..).unwrap_or_default());
                returns.push(Returned { value, when });
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
                let mut all = Arms::default();
                for (term, block) in arms {
                    let block = block.clone();
                    all.push(term.as_ref(), move |this, returns| this.block(&block, scope, returns));
                }
                return self.arms(all.finish(), returns, self.place(statement.range));
            }
            StmtKind::Break => return Flow::Break,
            StmtKind::Continue => return Flow::Continue,
            StmtKind::Nothing => {}
        }
        Flow::Next
    }

    fn conditional(
        &mut self,
        arms: &[(Option<(Expr, Term)>, Block)],
        scope: ObjectId,
        returns: &mut Vec<Returned>,
    ) -> Flow {
        let mut undecided = Arms::default();
        let mut range = TextRange::default();
        for (condition, block) in arms {
            let truth = match condition {
                None => Some(true),
                Some((condition, _)) => {
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
                    let term = condition.as_ref().map(|(_, term)| term).filter(|_| truth.is_none());
                    let block = block.clone();
                    undecided.push(term, move |this, returns| this.block(&block, scope, returns));
                    if truth == Some(true) {
                        break;
                    }
                }
            }
        }
        if undecided.is_empty() { Flow::Next } else { self.arms(undecided.finish(), returns, range) }
    }

    fn for_loop(
        &mut self,
        target: &Expr,
        iterable: &Value,
        body: &Block,
        scope: ObjectId,
        returns: &mut Vec<Returned>,
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
        returns: &mut Vec<Returned>,
        certain: bool,
    ) -> Flow {
        if certain {
            self.assign(target, item, scope);
            return self.block(body, scope, returns);
        }
        let run = |this: &mut Self, returns: &mut Vec<Returned>| {
            this.assign(target, item, scope);
            match this.block(body, scope, returns) {
                Flow::Break | Flow::Continue => Flow::Next,
                flow => flow,
            }
        };
        self.arms(Arms::perhaps(run), returns, self.place(target.range))
    }

    fn while_loop(&mut self, condition: &Expr, body: &Block, scope: ObjectId, returns: &mut Vec<Returned>) -> Flow {
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
                    let run = |this: &mut Self, returns: &mut Vec<Returned>| match this.block(body, scope, returns) {
                        Flow::Break | Flow::Continue => Flow::Next,
                        flow => flow,
                    };
                    return self.arms(Arms::perhaps(run), returns, self.place(condition.range));
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
        handlers: &[Handler],
        otherwise: &Block,
        scope: ObjectId,
        returns: &mut Vec<Returned>,
    ) -> Flow {
        if handlers.is_empty() {
            return self.block(body, scope, returns);
        }
        self.heap.enter();
        let before = returns.len();
        // What an arm in it lets one conclude is forgotten: a handler may run before that.
        let flow = self.under(&[], |this| match this.uncertainly(|this| this.block(body, scope, returns)) {
            Flow::Next => this.block(otherwise, scope, returns),
            flow => flow,
        });
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
        let mut arms = vec![Arm { terms: vec![Term::NothingRaised], run: after_body }];
        for Handler { alias, when, body } in handlers {
            let (alias, body, changes) = (alias.clone(), body.clone(), changes.clone());
            let run: ArmRunner<'_, 'w> = Box::new(move |this, returns| {
                for (id, object) in changes {
                    let before = this.heap.shared(id);
                    let joined = this.join_objects(&before, &object, &Fork::at(range));
                    this.heap.put(id, Rc::new(joined));
                }
                if let Some(alias) = &alias {
                    this.bind(scope, alias, Value::unknown("an exception"));
                }
                this.block(&body, scope, returns)
            });
            arms.push(Arm { terms: vec![when.clone()], run });
        }
        self.arms(arms, returns, range)
    }
}

/// Reason of the value of a call that ends the script.
pub(crate) const EXITS: &str = "the script ends here";
