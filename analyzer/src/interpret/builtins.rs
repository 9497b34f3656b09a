//! Python's built-in functions.

use super::{Args, Interpreter};
use crate::value::{Hole, Object, Text, Value};

/// Whether a bare name is a builtin that is given a meaning here.
pub(super) fn is_builtin(name: &str) -> bool {
    const NAMES: [&str; 36] = [
        "eval",
        "str",
        "int",
        "float",
        "bool",
        "len",
        "list",
        "tuple",
        "dict",
        "set",
        "frozenset",
        "range",
        "zip",
        "enumerate",
        "sorted",
        "reversed",
        "map",
        "filter",
        "any",
        "all",
        "sum",
        "min",
        "max",
        "abs",
        "round",
        "print",
        "isinstance",
        "getattr",
        "setattr",
        "hasattr",
        "super",
        "next",
        "iter",
        "exit",
        "quit",
        "vars",
    ];
    NAMES.contains(&name)
}

impl Interpreter<'_> {
    pub(crate) fn builtin(&mut self, name: &str, args: &Args) -> Value {
        let first = args.positional.first().map(|(value, _)| value.clone());
        let second = args.positional.get(1).map(|(value, _)| value.clone());
        match (name, first) {
            ("str", Some(value)) => {
                let texts: Vec<Value> = value.alternatives().iter().map(|arm| Value::Text(self.to_text(arm))).collect();
                self.join_all(texts, args.range)
            }
            ("str", None) => Value::text(""),
            ("int", Some(Value::Int(number))) => Value::Int(number),
            ("int", Some(Value::Text(text))) => match text.exact().and_then(|exact| exact.trim().parse().ok()) {
                Some(number) => Value::Int(number),
                None if text.exact().is_none() => Value::Text(text),
                None => Value::unknown("a number"),
            },
            ("bool", Some(value)) => value.truth(&self.heap).map_or(Value::unknown("a condition"), Value::Bool),
            ("len", Some(value)) => match (&value, self.heap.items(&value)) {
                (_, Some((items, true))) => Value::Int(i64::try_from(items.len()).unwrap_or(i64::MAX)),
                (Value::Text(text), _) if text.exact().is_some() => {
                    Value::Int(text.exact().map_or(0, |exact| i64::try_from(exact.chars().count()).unwrap_or(0)))
                }
                _ => Value::unknown("a length"),
            },
            ("list" | "sorted" | "reversed" | "iter", Some(value)) => {
                let (mut items, exact) = self.iterate(&value);
                match name {
                    "reversed" => items.reverse(),
                    "sorted" if items.iter().all(|item| item.exact_text().is_some()) => {
                        items.sort_by(|a, b| a.exact_text().cmp(&b.exact_text()));
                    }
                    _ => {}
                }
                self.heap.list(items, exact)
            }
            ("tuple", Some(value)) => match self.iterate(&value) {
                (items, true) => Value::Tuple(items.into()),
                (items, false) => self.heap.list(items, false),
            },
            ("set" | "frozenset", Some(value)) => {
                let (items, exact) = self.iterate(&value);
                let mut unique: Vec<Value> = Vec::new();
                for item in items {
                    if !unique.iter().any(|known| known.same(&item)) {
                        unique.push(item);
                    }
                }
                Value::Object(self.heap.add(Object::Set { items: unique, exact }))
            }
            ("set" | "frozenset", None) => Value::Object(self.heap.add(Object::Set { items: Vec::new(), exact: true })),
            ("list", None) => self.heap.list(Vec::new(), true),
            ("dict", first) => self.new_dict(first, args),
            ("range", Some(first)) => self.range(&first, second.as_ref()),
            ("zip", Some(_)) => self.zip(args),
            ("enumerate", Some(value)) => {
                let (items, exact) = self.iterate(&value);
                let start = match args.get(1, "start") {
                    Some(Value::Int(start)) => *start,
                    _ => 0,
                };
                let pairs = (start..)
                    .zip(items)
                    .map(|(index, item)| {
                        let index = if exact { Value::Int(index) } else { Value::unknown("a position") };
                        Value::Tuple([index, item].into())
                    })
                    .collect();
                self.heap.list(pairs, exact)
            }
            ("map", Some(function)) => {
                let (items, exact) = second.as_ref().map(|items| self.iterate(items)).unwrap_or_default();
                let mut results = Vec::new();
                for item in items {
                    results.push(self.call(&function, Args::of(vec![item], args.range)));
                }
                self.heap.list(results, exact)
            }
            ("filter", Some(function)) => {
                let (items, mut exact) = second.as_ref().map(|items| self.iterate(items)).unwrap_or_default();
                let mut kept = Vec::new();
                for item in items {
                    let verdict = self.call(&function, Args::of(vec![item.clone()], args.range));
                    match verdict.truth(&self.heap) {
                        Some(true) => kept.push(item),
                        Some(false) => {}
                        None => {
                            kept.push(item);
                            exact = false;
                        }
                    }
                }
                self.heap.list(kept, exact)
            }
            ("any" | "all", Some(value)) => {
                let (items, exact) = self.iterate(&value);
                let verdicts: Vec<Option<bool>> = items.iter().map(|item| item.truth(&self.heap)).collect();
                let deciding = Some(name == "any");
                if verdicts.contains(&deciding) {
                    Value::Bool(name == "any")
                } else if exact && !verdicts.contains(&None) {
                    Value::Bool(name != "any")
                } else {
                    Value::unknown("a condition")
                }
            }
            ("isinstance", Some(value)) => self.is_instance(&value, second.as_ref()),
            ("getattr", Some(object)) => match second.as_ref().and_then(Value::exact_text) {
                Some(name) => self.attribute(&object, name, args.range),
                None => self.tainted("an attribute", &[&object]),
            },
            // The attributes of `argparse`'s namespace are the job's arguments.
            ("vars", Some(value @ Value::Arguments(..))) => value,
            ("vars", Some(value)) => self.attribute(&value, "__dict__", args.range),
            ("hasattr", Some(_)) => Value::unknown("a condition"),
            ("next", Some(value)) => {
                let (items, exact) = self.iterate(&value);
                match (items.into_iter().next(), exact) {
                    (Some(item), true) => item,
                    (Some(item), false) => match second {
                        Some(default) => self.join(item, default, args.range),
                        None => item,
                    },
                    (None, _) => second.unwrap_or(Value::unknown("an item")),
                }
            }
            ("min" | "max", Some(Value::Int(a))) => match second {
                Some(Value::Int(b)) => Value::Int(if name == "min" { a.min(b) } else { a.max(b) }),
                _ => Value::unknown("a number"),
            },
            ("eval", Some(text @ Value::Text(_))) => crate::library::parsed(self, &text),
            ("exit" | "quit", _) => Value::unknown(super::control::EXITS),
            ("print" | "setattr", _) => Value::None,
            _ => self.tainted("a computed value", &args.values()),
        }
    }

    fn new_dict(&mut self, first: Option<Value>, args: &Args) -> Value {
        let (mut entries, mut exact) = match &first {
            None => (Vec::new(), true),
            Some(value) => match self.heap.entries(value) {
                Some(known) => known,
                None => {
                    let (items, exact) = self.iterate(value);
                    let pairs = items.iter().map(|item| match self.heap.items(item) {
                        Some((pair, true)) => match pair.as_slice() {
                            [key, value] => Some((key.clone(), value.clone())),
                            _ => None,
                        },
                        _ => None,
                    });
                    match pairs.collect::<Option<Vec<_>>>() {
                        Some(pairs) => (pairs, exact),
                        None => (Vec::new(), false),
                    }
                }
            },
        };
        exact &= !args.open;
        entries.extend(args.keywords.iter().map(|keyword| (Value::text(keyword.name.clone()), keyword.value.clone())));
        self.heap.dict(entries, exact)
    }

    fn range(&mut self, first: &Value, second: Option<&Value>) -> Value {
        let (start, stop) = match (first, second) {
            (Value::Int(stop), None) => (0, *stop),
            (Value::Int(start), Some(Value::Int(stop))) => (*start, *stop),
            _ => return self.heap.list(vec![Value::unknown("a number")], false),
        };
        if stop - start > 256 {
            return self.heap.list(vec![Value::unknown("a number")], false);
        }
        self.heap.list((start..stop).map(Value::Int).collect(), true)
    }

    fn zip(&mut self, args: &Args) -> Value {
        let mut exact = !args.open;
        let mut columns = Vec::new();
        for (value, _) in &args.positional {
            let (items, all) = self.iterate(value);
            exact &= all;
            columns.push(items);
        }
        let rows = columns.iter().map(Vec::len).min().unwrap_or(0);
        let tuples = (0..rows)
            .map(|row| Value::Tuple(columns.iter().filter_map(|column| column.get(row).cloned()).collect()))
            .collect();
        self.heap.list(tuples, exact)
    }

    fn is_instance(&self, value: &Value, class: Option<&Value>) -> Value {
        let Some(Value::Native(path)) = class else { return Value::unknown("a condition") };
        let verdict = match (path.as_ref(), value) {
            (_, Value::Unknown(_) | Value::Choice(_) | Value::Arguments(..)) => return Value::unknown("a condition"),
            ("builtins.str", value) => matches!(value, Value::Text(_)),
            ("builtins.int", value) => matches!(value, Value::Int(_)),
            ("builtins.bool", value) => matches!(value, Value::Bool(_)),
            ("builtins.float", value) => matches!(value, Value::Float(_)),
            ("builtins.tuple", value) => matches!(value, Value::Tuple(_)),
            ("builtins.list", Value::Object(id)) => matches!(self.heap.get(*id), Object::List { .. }),
            ("builtins.dict", Value::Object(id)) => matches!(self.heap.get(*id), Object::Dict { .. }),
            ("builtins.list" | "builtins.dict", _) => false,
            (path, value) if path.ends_with("DynamicFrame") => matches!(value, Value::Dynamic(_)),
            (path, value) if path.ends_with("DataFrame") => matches!(value, Value::Frame(_)),
            _ => return Value::unknown("a condition"),
        };
        Value::Bool(verdict)
    }

    /// A text that the run decides.
    pub(crate) fn unknown_text(&self) -> Value {
        Value::Text(Text::hole(Hole::Unknown))
    }
}
