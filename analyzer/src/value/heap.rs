//! Mutable objects, and how the states of several arms become one.
//!
//! A write inside an arm saves the object once; leaving the arm takes the changes out again, so that the next arm
//! starts from the same state. [`crate::interpret`] then joins the changes of all arms.

use std::cell::Cell;
use std::rc::Rc;

use crate::ordered::IndexMap;
use rustc_hash::FxHashMap;

use super::{Class, Value};
use crate::plan::NodeId;

/// An object of the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ObjectId(pub u32);

/// What an object holds. `exact` is false where there may be more, or fewer, than these.
#[derive(Clone, Debug)]
pub(crate) enum Object {
    List {
        items: Vec<Value>,
        exact: bool,
    },
    Set {
        items: Vec<Value>,
        exact: bool,
    },
    Dict {
        entries: Vec<(Value, Value)>,
        exact: bool,
    },
    Instance {
        class: Rc<Class>,
        attributes: IndexMap<String, Value>,
    },
    /// Variables of a module, function call or class body.
    Scope {
        names: IndexMap<String, Value>,
        parent: Option<ObjectId>,
        globals: Vec<String>,
    },
    Sink(Box<SinkBuilder>),
}

/// `glueContext.getSink(…)` with what has been set on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct SinkBuilder {
    pub connection_type: Option<Value>,
    pub path: Option<Value>,
    pub format: Option<Value>,
    pub database: Option<Value>,
    pub table: Option<Value>,
    pub partition_keys: Vec<String>,
    pub updates_catalog: Option<bool>,
    pub frame: Option<NodeId>,
}

/// All objects of a run.
#[derive(Debug, Default)]
pub(crate) struct Heap {
    objects: Vec<Rc<Object>>,
    arms: Vec<Arm>,
    /// Values that were copied since the interpreter last asked.
    copied: Cell<u64>,
}

/// A collection of more items than this is known in part.
pub(crate) const MAX_ITEMS: usize = 4096;

#[derive(Debug, Default)]
struct Arm {
    /// Objects with this index or higher were made inside the arm.
    first_new: usize,
    saved: FxHashMap<ObjectId, Rc<Object>>,
}

/// What one arm changed: the objects as the arm left them.
pub(crate) type Changes = Vec<(ObjectId, Rc<Object>)>;

impl Heap {
    pub(crate) fn add(&mut self, object: Object) -> ObjectId {
        let id = ObjectId(u32::try_from(self.objects.len()).unwrap_or(u32::MAX));
        self.objects.push(Rc::new(object));
        id
    }

    pub(crate) fn get(&self, id: ObjectId) -> &Object {
        // Ids are only made by `add`, and objects are never removed.
        &self.objects[id.0 as usize]
    }

    pub(crate) fn shared(&self, id: ObjectId) -> Rc<Object> {
        self.objects[id.0 as usize].clone()
    }

    pub(crate) fn get_mut(&mut self, id: ObjectId) -> &mut Object {
        let index = id.0 as usize;
        if let Some(arm) = self.arms.last_mut()
            && index < arm.first_new
        {
            arm.saved.entry(id).or_insert_with(|| self.objects[index].clone());
        }
        if Rc::strong_count(&self.objects[index]) > 1 {
            self.note_copies(self.objects[index].len());
        }
        Rc::make_mut(&mut self.objects[index])
    }

    fn note_copies(&self, count: usize) {
        self.copied.set(self.copied.get().saturating_add(count as u64));
    }

    /// How many values were copied since this was last asked.
    pub(crate) fn take_copied(&self) -> u64 {
        self.copied.take()
    }

    /// Starts an arm.
    pub(crate) fn enter(&mut self) {
        self.arms.push(Arm { first_new: self.objects.len(), saved: FxHashMap::default() });
    }

    /// Ends an arm: puts back what was before it and returns what it changed, in the order of the objects.
    pub(crate) fn leave(&mut self) -> Changes {
        let Some(arm) = self.arms.pop() else { return Vec::new() };
        let mut changes: Changes = arm
            .saved
            .into_iter()
            .map(|(id, before)| (id, std::mem::replace(&mut self.objects[id.0 as usize], before)))
            .collect();
        changes.sort_by_key(|(id, _)| *id);
        changes
    }

    /// Makes an object what an arm left it as.
    pub(crate) fn put(&mut self, id: ObjectId, object: Rc<Object>) {
        self.get_mut(id);
        self.objects[id.0 as usize] = object;
    }

    pub(crate) fn list(&mut self, mut items: Vec<Value>, mut exact: bool) -> Value {
        exact &= truncate(&mut items);
        Value::Object(self.add(Object::List { items, exact }))
    }

    pub(crate) fn dict(&mut self, entries: Vec<(Value, Value)>, exact: bool) -> Value {
        Value::Object(self.add(Object::Dict { entries, exact }))
    }

    pub(crate) fn scope(&mut self, parent: Option<ObjectId>) -> ObjectId {
        self.add(Object::Scope { names: IndexMap::default(), parent, globals: Vec::new() })
    }

    /// Items of a list, tuple or set, with whether they are all.
    pub(crate) fn items(&self, value: &Value) -> Option<(Vec<Value>, bool)> {
        let items = self.copy_items(value);
        self.note_copies(items.as_ref().map_or(0, |(items, _)| items.len()));
        items
    }

    fn copy_items(&self, value: &Value) -> Option<(Vec<Value>, bool)> {
        match value {
            Value::Tuple(items) => Some((items.to_vec(), true)),
            Value::Arguments(_, Some(id)) => self.copy_items(&Value::Object(*id)),
            Value::Object(id) => match self.get(*id) {
                Object::List { items, exact } | Object::Set { items, exact } => Some((items.clone(), *exact)),
                Object::Dict { entries, exact } => Some((entries.iter().map(|(key, _)| key.clone()).collect(), *exact)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Entries of a dict, with whether they are all.
    pub(crate) fn entries(&self, value: &Value) -> Option<(Vec<(Value, Value)>, bool)> {
        match value {
            Value::Arguments(_, Some(id)) => self.entries(&Value::Object(*id)),
            Value::Object(id) => match self.get(*id) {
                Object::Dict { entries, exact } => {
                    self.note_copies(entries.len());
                    Some((entries.clone(), *exact))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The value of a text key of a dict.
    pub(crate) fn entry(&self, value: &Value, key: &str) -> Option<Value> {
        let (entries, _) = self.entries(value)?;
        entries.into_iter().rev().find(|(known, _)| known.exact_text() == Some(key)).map(|(_, value)| value)
    }
}

impl Object {
    /// How many values it holds.
    fn len(&self) -> usize {
        match self {
            Object::List { items, .. } | Object::Set { items, .. } => items.len(),
            Object::Dict { entries, .. } => entries.len(),
            Object::Instance { attributes: names, .. } | Object::Scope { names, .. } => names.len(),
            Object::Sink(_) => 1,
        }
    }
}

/// Keeps as many items as are followed; whether these are all.
pub(crate) fn truncate(items: &mut Vec<Value>) -> bool {
    let all = items.len() <= MAX_ITEMS;
    items.truncate(MAX_ITEMS);
    all
}
