//! What is derived of each frame of a plan, once, however many outputs, joins and rules ask for it.

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;

use super::keys::Keys;
use super::{filters, grain};
use crate::condition::Condition;
use crate::plan::{NodeId, Plan};

/// What is derived so far, by frame.
type Memo<T> = RefCell<Vec<Option<Rc<T>>>>;

/// A finished plan, with what has been derived of its frames so far.
#[derive(Debug)]
pub struct Derived<'p> {
    plan: &'p Plan,
    keys: Memo<Keys>,
    mandatory: Memo<[NodeId]>,
    conditional: Memo<[(NodeId, Condition)]>,
}

impl<'p> Derived<'p> {
    /// Nothing is derived yet.
    pub fn new(plan: &'p Plan) -> Self {
        Self { plan, keys: RefCell::default(), mandatory: RefCell::default(), conditional: RefCell::default() }
    }

    /// The plan.
    pub(crate) fn plan(&self) -> &'p Plan {
        self.plan
    }

    /// The keys of a frame.
    pub(crate) fn keys(&self, node: NodeId) -> Rc<Keys> {
        self.derive(&self.keys, node, |id, of| grain::derive(self.plan, id, of))
    }

    /// The filters that all rows of a frame have passed, and the joins in which all of them have found a partner, in
    /// order of execution.
    pub(crate) fn mandatory(&self, node: NodeId) -> Rc<[NodeId]> {
        self.derive(&self.mandatory, node, |id, of| filters::derive(self.plan, id, of))
    }

    /// The same where it is so in some runs only, with when.
    pub(crate) fn conditional(&self, node: NodeId) -> Rc<[(NodeId, Condition)]> {
        self.derive(&self.conditional, node, |id, of| filters::derive_conditional(self, id, of))
    }

    /// Looks a frame up, and derives it and those it is made from where that is still to be done. Inputs have lower
    /// numbers than what is made from them, so one pass in order needs no recursion.
    fn derive<T: ?Sized>(
        &self,
        memo: &Memo<T>,
        node: NodeId,
        derive: impl Fn(NodeId, &dyn Fn(NodeId) -> Rc<T>) -> Rc<T>,
    ) -> Rc<T>
    where
        Rc<T>: Default,
    {
        let known = |id: NodeId| memo.borrow().get(id.0 as usize).cloned().flatten();
        if let Some(found) = known(node) {
            return found;
        }
        for id in self.plan.ancestry_until(node, &|id| known(id).is_some()) {
            let found = derive(id, &|input| known(input).unwrap_or_default());
            let mut memo = memo.borrow_mut();
            let index = id.0 as usize;
            if memo.len() <= index {
                memo.resize_with(index + 1, || None);
            }
            if let Some(slot) = memo.get_mut(index) {
                *slot = Some(found);
            }
        }
        known(node).unwrap_or_default()
    }
}

impl Deref for Derived<'_> {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        self.plan
    }
}
