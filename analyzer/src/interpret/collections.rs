//! Lists, dicts, sets and tuples.

use super::{Args, Interpreter};
use crate::library;
use crate::range::TextRange;
use crate::value::{Hole, Object, ObjectId, Text, Value};

impl Interpreter<'_> {
    /// `object[key]`.
    pub(crate) fn item(&mut self, object: &Value, key: &Value, key_range: TextRange, range: TextRange) -> Value {
        match object {
            Value::Arguments(source, known) => {
                let (entries, _) = known.and_then(|id| self.heap.entries(&Value::Object(id))).unwrap_or_default();
                match entries.into_iter().rev().find(|(known, _)| known.same(key)) {
                    Some((_, value)) => {
                        library::session::mention(self, *source, key);
                        value
                    }
                    None => library::session::argument(self, *source, key),
                }
            }
            Value::Object(id) => match self.heap.get(*id) {
                Object::Dict { entries, .. } => {
                    let found = entries.iter().rev().find(|(known, _)| known.same(key)).map(|(_, value)| value.clone());
                    match found {
                        Some(value) => value,
                        None => {
                            let known: Vec<Value> = entries.iter().map(|(_, value)| value.clone()).collect();
                            if matches!(key, Value::Unknown(_)) && !known.is_empty() && known.len() <= 8 {
                                return self.join_all(known, range);
                            }
                            self.tainted("an entry that is not in the script", &[object])
                        }
                    }
                }
                Object::List { .. } | Object::Set { .. } => self.element(object, key, range),
                _ => Value::unknown("an item"),
            },
            Value::Tuple(_) => self.element(object, key, range),
            Value::Choice(arms) => {
                let arms: Vec<Value> = arms.iter().filter(|arm| !matches!(arm, Value::None)).cloned().collect();
                let results = arms.iter().map(|arm| self.item(arm, key, key_range, range)).collect();
                self.join_all(results, range)
            }
            Value::Text(text) => match (text.exact(), key) {
                (Some(exact), Value::Int(index)) => {
                    let count = exact.chars().count();
                    match resolve_index(*index, count).and_then(|index| exact.chars().nth(index)) {
                        Some(c) => Value::text(c.to_string()),
                        None => Value::Text(Text::hole(Hole::Unknown)),
                    }
                }
                _ => Value::Text(Text::hole(text.only_hole().cloned().unwrap_or(Hole::Unknown))),
            },
            other => library::item(self, other, key, key_range, range),
        }
    }

    fn element(&mut self, object: &Value, key: &Value, range: TextRange) -> Value {
        let Some((items, exact)) = self.heap.items(object) else { return Value::unknown("an item") };
        let ordered = !matches!(object, Value::Object(id) if matches!(self.heap.get(*id), Object::Set { .. }));
        match key {
            Value::Int(_) if !ordered => self.unknown_element(object),
            Value::Int(index) if exact || *index >= 0 => {
                match resolve_index(*index, items.len()).and_then(|index| items.get(index)) {
                    Some(item) => item.clone(),
                    None => self.unknown_element(object),
                }
            }
            Value::Int(_) => self.unknown_element(object),
            _ if items.len() <= 8 && !items.is_empty() => self.join_all(items, range),
            _ => self.unknown_element(object),
        }
    }

    fn unknown_element(&self, list: &Value) -> Value {
        const REASON: &str = "an item of an unknown list";
        match self.hole_of(list) {
            Some(hole) => Value::part_of(Some(hole), REASON),
            None => self.tainted(REASON, &[list]),
        }
    }

    pub(super) fn slice(
        &mut self,
        object: &Value,
        start: Option<Value>,
        stop: Option<Value>,
        step: Option<Value>,
    ) -> Value {
        let bound = |value: &Option<Value>, absent: i64| match value {
            None | Some(Value::None) => Some(absent),
            Some(Value::Int(bound)) => Some(*bound),
            _ => None,
        };
        let (Some(start), Some(stop), None) = (bound(&start, 0), bound(&stop, i64::MAX), step) else {
            return match object {
                Value::Text(_) => Value::Text(Text::hole(Hole::Unknown)),
                other => self.tainted("a slice", &[other]),
            };
        };
        let clamp = |bound: i64, len: usize| {
            let len = i64::try_from(len).unwrap_or(i64::MAX);
            let bound = if bound < 0 { (len + bound).max(0) } else { bound.min(len) };
            usize::try_from(bound).unwrap_or(0)
        };
        match object {
            Value::Text(text) => match text.exact() {
                Some(exact) => {
                    let chars: Vec<char> = exact.chars().collect();
                    let (from, to) = (clamp(start, chars.len()), clamp(stop, chars.len()));
                    Value::text(chars.get(from..to.max(from)).unwrap_or_default().iter().collect::<String>())
                }
                None => Value::Text(Text::hole(text.only_hole().cloned().unwrap_or(Hole::Unknown))),
            },
            other => match self.heap.items(other) {
                Some((items, true)) => {
                    let (from, to) = (clamp(start, items.len()), clamp(stop, items.len()));
                    let part = items.get(from..to.max(from)).unwrap_or_default().to_vec();
                    match other {
                        Value::Tuple(_) => Value::Tuple(part.into()),
                        _ => self.heap.list(part, true),
                    }
                }
                Some((items, false)) => self.heap.list(items, false),
                None => self.tainted("a slice", &[other]),
            },
        }
    }

    pub(crate) fn collection_method(&mut self, receiver: &Value, name: &str, args: &Args) -> Value {
        let first = args.positional.first().map(|(value, _)| value.clone());
        let Value::Object(id) = receiver else {
            return self.tainted("a position", &[receiver]);
        };
        match self.heap.get(*id) {
            Object::Dict { .. } => self.dict_method(*id, receiver, name, first, args),
            _ => self.list_method(*id, receiver, name, first),
        }
    }

    fn list_method(&mut self, id: ObjectId, receiver: &Value, name: &str, first: Option<Value>) -> Value {
        let more = match (name, &first) {
            ("extend" | "update" | "union", Some(other)) => Some(self.iterate(other)),
            _ => None,
        };
        let copy = self.heap.items(receiver).unwrap_or_default();
        if matches!(name, "copy" | "union") {
            let (mut items, exact) = copy;
            let (added, all) = more.unwrap_or((Vec::new(), true));
            items.extend(added);
            return self.heap.list(items, exact && all);
        }
        let (Object::List { items, exact } | Object::Set { items, exact }) = self.heap.get_mut(id) else {
            return Value::unknown("a method");
        };
        match (name, first) {
            ("append", Some(value)) => items.push(value),
            ("add", Some(value)) => {
                if !items.iter().any(|item| item.same(&value)) {
                    items.push(value);
                }
            }
            ("extend" | "update", _) => {
                if let Some((added, all)) = more {
                    items.extend(added);
                    *exact &= all;
                }
            }
            ("insert", _) => *exact = false,
            ("remove" | "discard", Some(value)) => {
                let before = items.len();
                items.retain(|item| !item.same(&value));
                *exact &= items.len() + 1 == before;
            }
            ("pop", None) if *exact => {
                return items.pop().unwrap_or(Value::unknown("an item"));
            }
            ("pop", Some(Value::Int(index))) if *exact => {
                return match resolve_index(index, items.len()) {
                    Some(index) => items.remove(index),
                    None => Value::unknown("an item"),
                };
            }
            ("pop", _) => {
                *exact = false;
                let receiver = receiver.clone();
                return self.tainted("an item", &[&receiver]);
            }
            ("clear", _) => {
                items.clear();
                *exact = true;
            }
            ("reverse", _) => items.reverse(),
            ("sort", _) => {}
            _ => return Value::unknown("a method of a list"),
        }
        Value::None
    }

    fn dict_method(&mut self, id: ObjectId, receiver: &Value, name: &str, first: Option<Value>, args: &Args) -> Value {
        let (entries, exact) = self.heap.entries(receiver).unwrap_or_default();
        match (name, first) {
            ("get" | "pop" | "setdefault", Some(key)) => {
                let default = args.get(1, "default").cloned().unwrap_or(Value::None);
                let found = entries.iter().rev().find(|(known, _)| known.same(&key)).map(|(_, value)| value.clone());
                match (found, exact && !matches!(key, Value::Unknown(_))) {
                    (Some(value), _) => value,
                    (None, true) => {
                        if name == "setdefault" {
                            self.set_item(receiver, key, default.clone());
                        }
                        default
                    }
                    (None, false) => {
                        let entry = self.item(receiver, &key, args.range, args.range);
                        if matches!(default, Value::None) { entry } else { self.join(entry, default, args.range) }
                    }
                }
            }
            ("items", _) => {
                let pairs = entries.into_iter().map(|(key, value)| Value::Tuple([key, value].into())).collect();
                self.heap.list(pairs, exact)
            }
            ("keys", _) => {
                let keys = entries.into_iter().map(|(key, _)| key).collect();
                self.heap.list(keys, exact)
            }
            ("values", _) => {
                let values = entries.into_iter().map(|(_, value)| value).collect();
                self.heap.list(values, exact)
            }
            ("copy", _) => self.heap.dict(entries, exact),
            ("update", other) => {
                let more = other.as_ref().and_then(|other| self.heap.entries(other));
                let keywords: Vec<(Value, Value)> = args
                    .keywords
                    .iter()
                    .map(|keyword| (Value::text(keyword.name.clone()), keyword.value.clone()))
                    .collect();
                match more {
                    Some((more, all)) => {
                        more.into_iter().chain(keywords).for_each(|(key, value)| self.set_item(receiver, key, value));
                        if !all {
                            self.make_inexact(id);
                        }
                    }
                    None => {
                        keywords.into_iter().for_each(|(key, value)| self.set_item(receiver, key, value));
                        if other.is_some() {
                            self.make_inexact(id);
                        }
                    }
                }
                Value::None
            }
            _ => Value::unknown("a method of a dict"),
        }
    }

    fn make_inexact(&mut self, id: ObjectId) {
        if let Object::Dict { exact, .. } = self.heap.get_mut(id) {
            *exact = false;
        }
    }
}

fn resolve_index(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add(i64::try_from(len).ok()?)? } else { index };
    usize::try_from(index).ok().filter(|index| *index < len)
}
