//! Targets of assignments.

use super::{Interpreter, Mention};
use crate::range::TextRange;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind};
use crate::value::{Object, ObjectId, Value};

impl Interpreter<'_> {
    pub(crate) fn assign(&mut self, target: &Expr, value: Value, scope: ObjectId) {
        match &target.kind {
            ExprKind::Name(name) => {
                if let Value::Frame(node) | Value::Dynamic(node) = value {
                    self.mention(self.place(target.range), Mention::Frame(node));
                }
                self.bind(scope, name, value);
            }
            ExprKind::Tuple(targets) | ExprKind::List(targets) => self.unpack(targets, &value, scope),
            ExprKind::Starred(inner) => self.assign(inner, value, scope),
            ExprKind::Attribute { object, name, .. } => {
                let object = self.eval(object, scope);
                self.set_attribute(&object, name, value);
            }
            ExprKind::Subscript { object, index } => {
                let object = self.eval(object, scope);
                let key = self.eval(index, scope);
                self.set_item(&object, key, value);
            }
            _ => {}
        }
    }

    /// `name: type` without a value: a dataclass field.
    pub(super) fn declare(&mut self, target: &Expr, scope: ObjectId) {
        if let ExprKind::Name(name) = &target.kind {
            self.bind(scope, name, Value::unknown(FIELD));
        }
    }

    pub(super) fn augment(&mut self, target: &Expr, op: BinaryOp, value: &Expr, range: TextRange, scope: ObjectId) {
        let before = self.eval(target, scope);
        let value = self.eval(value, scope);
        // `list += more` changes the list itself.
        if op == BinaryOp::Add
            && let Value::Object(id) = before
            && matches!(self.heap.get(id), Object::List { .. })
        {
            let (more, all) = self.iterate(&value);
            if let Object::List { items, exact } = self.heap.get_mut(id) {
                items.extend(more);
                *exact &= all;
            }
            return;
        }
        let result = self.binary(op, &before, &value, range);
        self.assign(target, result, scope);
    }

    pub(super) fn delete(&mut self, target: &Expr, scope: ObjectId) {
        match &target.kind {
            ExprKind::Name(name) => {
                if let Object::Scope { names, .. } = self.heap.get_mut(scope) {
                    names.shift_remove(name);
                }
            }
            ExprKind::Subscript { object, index } => {
                let object = self.eval(object, scope);
                let key = self.eval(index, scope);
                if let Value::Object(id) = object
                    && let Object::Dict { entries, .. } = self.heap.get_mut(id)
                {
                    entries.retain(|(known, _)| !known.same(&key));
                }
            }
            _ => {}
        }
    }

    fn unpack(&mut self, targets: &[Expr], value: &Value, scope: ObjectId) {
        let (items, exact) = self.iterate(value);
        let star = targets.iter().position(|target| matches!(target.kind, ExprKind::Starred(_)));
        for (position, target) in targets.iter().enumerate() {
            let item = match (exact, star) {
                (true, None) => items.get(position).cloned(),
                (true, Some(star)) if position < star => items.get(position).cloned(),
                (true, Some(star)) if position == star => {
                    let behind = targets.len() - star - 1;
                    let rest = items.get(star..items.len().saturating_sub(behind)).unwrap_or_default().to_vec();
                    Some(self.heap.list(rest, true))
                }
                (true, Some(_)) => items.get((items.len() + position).saturating_sub(targets.len())).cloned(),
                (false, _) => None,
            };
            const REASON: &str = "a part of an unknown collection";
            let item = item.unwrap_or_else(|| match self.hole_of(value) {
                Some(hole) => Value::part_of(Some(hole), REASON),
                None => self.tainted(REASON, &[value]),
            });
            self.assign(target, item, scope);
        }
    }

    fn set_attribute(&mut self, object: &Value, name: &str, value: Value) {
        match object {
            Value::Object(id) => {
                if let Object::Instance { attributes, .. } = self.heap.get_mut(*id) {
                    attributes.insert(name.to_owned(), value);
                }
            }
            Value::Class(class) => {
                let scope = class.scope;
                self.bind(scope, name, value);
            }
            _ => {}
        }
    }

    pub(crate) fn set_item(&mut self, object: &Value, key: Value, value: Value) {
        let (Value::Object(id) | Value::Arguments(_, Some(id))) = object else { return };
        let known = !matches!(key, Value::Unknown(_) | Value::Choice(_));
        match self.heap.get_mut(*id) {
            Object::Dict { entries, exact } => {
                *exact &= known;
                let searched = entries.len();
                match entries.iter_mut().find(|(existing, _)| existing.same(&key)) {
                    Some((_, existing)) => *existing = value,
                    None if searched < crate::value::MAX_ITEMS => entries.push((key, value)),
                    None => *exact = false,
                }
                self.spend(searched);
            }
            Object::List { items, exact } => match key {
                Value::Int(index) => {
                    if let Some(item) = usize::try_from(index).ok().and_then(|index| items.get_mut(index)) {
                        *item = value;
                    }
                }
                _ => *exact = false,
            },
            _ => {}
        }
    }
}

/// Reason of the value of a class attribute that is declared without a value.
pub(crate) const FIELD: &str = "a field that is set later";
