//! Calls: the script's functions and classes are executed, libraries get their meaning from [`crate::library`].

use std::rc::Rc;
use std::sync::Arc;

use crate::ordered::IndexMap;

use super::assign::FIELD;
use super::{Args, Interpreter, MAX_CALLS, Returned};
use crate::library;
use crate::range::TextRange;
use crate::syntax::ast::{ClassDef, Expr, ExprKind, FunctionDef, ParamKind, StmtKind};
use crate::value::{Class, Closure, Object, ObjectId, Partial, Value};

impl Interpreter<'_> {
    pub(crate) fn call(&mut self, function: &Value, args: Args) -> Value {
        match function {
            Value::Function(closure) => self.call_function(closure, args),
            Value::Class(class) => self.instantiate(class, args),
            Value::Partial(partial) => {
                let mut all = Args::new(args.range);
                all.positional = partial.positional.iter().map(|value| (value.clone(), args.range)).collect();
                all.positional.extend(args.positional);
                all.keywords = args.keywords;
                for (name, value) in &partial.keywords {
                    if all.keyword(name).is_none() {
                        all.keywords.push(super::args::Keyword {
                            name: name.clone(),
                            name_range: TextRange::default(),
                            value: value.clone(),
                            range: args.range,
                        });
                    }
                }
                all.open = args.open;
                self.call(&partial.function.clone(), all)
            }
            // `super()` is an object of its own, whose attributes are those of the base class.
            Value::Bound(bound) if bound.1 == SUPER => function.clone(),
            Value::Bound(bound) => match &bound.0 {
                choice @ Value::Choice(_) => {
                    let mut results = Vec::new();
                    for arm in choice.given() {
                        // An arm that has no such method would raise, so it is not the one that runs.
                        if matches!(arm, Value::None) {
                            continue;
                        }
                        let method = self.attribute(arm, &bound.1, args.range);
                        results.push(self.call(&method, args.clone()));
                    }
                    self.join_all(results, args.range)
                }
                receiver => self.method(&receiver.clone(), &bound.1, args),
            },
            Value::Native(path) => library::call(self, &path.clone(), args),
            Value::Choice(arms) => {
                let mut results = Vec::new();
                for arm in arms.iter().filter(|arm| !matches!(arm, Value::None)) {
                    results.push(self.call(arm, args.clone()));
                }
                self.join_all(results, args.range)
            }
            other => {
                self.call_arguments(&args);
                let mut values = args.values();
                values.push(other);
                self.tainted("the result of a helper that is not in the script", &values)
            }
        }
    }

    /// Functions that are handed to something that is not understood run at some time with arguments not known.
    pub(crate) fn call_arguments(&mut self, args: &Args) {
        for value in args.values() {
            if let Value::Function(_) = value {
                self.handed.push(value.clone());
            }
        }
    }

    /// A method of a value.
    fn method(&mut self, receiver: &Value, name: &str, args: Args) -> Value {
        match receiver {
            Value::Text(text) => self.text_method(text, name, &args),
            Value::Tuple(_) => self.collection_method(receiver, name, &args),
            Value::Object(id) => match self.heap.get(*id) {
                Object::Sink(_) => library::sink::method(self, *id, name, &args),
                Object::Instance { .. } | Object::Scope { .. } => {
                    let values = args.values();
                    self.tainted("a method that is not in the script", &values)
                }
                _ => self.collection_method(receiver, name, &args),
            },
            other => library::method(self, other, name, args),
        }
    }

    /// `object.name`.
    pub(crate) fn attribute(&mut self, object: &Value, name: &str, range: TextRange) -> Value {
        match object {
            Value::Object(id) => match self.heap.shared(*id).as_ref() {
                Object::Instance { class, attributes } => match attributes.get(name) {
                    Some(value) => value.clone(),
                    None => self.class_attribute(class, name, Some(object)).unwrap_or_else(|| {
                        if name == "__dict__" {
                            let entries = attributes
                                .iter()
                                .map(|(key, value)| (Value::text(key.clone()), value.clone()))
                                .collect();
                            return self.heap.dict(entries, true);
                        }
                        Value::unknown("an attribute that is not set in the script")
                    }),
                },
                Object::Scope { .. } => {
                    self.lookup(*id, name).unwrap_or(Value::unknown("a name that its module does not define"))
                }
                _ => Value::Bound(Rc::new((object.clone(), name.to_owned()))),
            },
            Value::Class(class) => match name {
                "__name__" => Value::text(class.name.clone()),
                _ => self.class_attribute(class, name, None).unwrap_or(Value::unknown("an attribute of a class")),
            },
            Value::Bound(bound) if bound.1 == SUPER => {
                self.super_method(object, name).unwrap_or(Value::unknown("an attribute of a base class"))
            }
            Value::Function(closure) if name == "__name__" => Value::text(closure.def.name.clone()),
            Value::Choice(arms) if library::is_data_attribute(name) => {
                let values = arms.iter().map(|arm| self.attribute(arm, name, range)).collect();
                self.join_all(values, range)
            }
            _ => library::attribute(self, object, name, range)
                .unwrap_or_else(|| Value::Bound(Rc::new((object.clone(), name.to_owned())))),
        }
    }

    /// An attribute of a class or its bases; a function becomes a method of the receiver.
    fn class_attribute(&mut self, class: &Rc<Class>, name: &str, receiver: Option<&Value>) -> Option<Value> {
        if let Object::Scope { names, .. } = self.heap.get(class.scope)
            && let Some(value) = names.get(name).cloned()
        {
            return Some(self.bind_method(class, value, receiver));
        }
        class.bases.iter().find_map(|base| match base {
            Value::Class(base) => self.class_attribute(base, name, receiver),
            _ => None,
        })
    }

    fn bind_method(&mut self, class: &Rc<Class>, value: Value, receiver: Option<&Value>) -> Value {
        let Value::Function(closure) = &value else { return value };
        let decorator = |wanted: &str| {
            closure
                .def
                .decorators
                .iter()
                .any(|decorator| matches!(&decorator.kind, ExprKind::Name(name) if name == wanted))
        };
        if decorator("staticmethod") {
            return value;
        }
        let receiver = if decorator("classmethod") { Some(Value::Class(class.clone())) } else { receiver.cloned() };
        let bound = Value::Function(Rc::new(Closure {
            def: closure.def.clone(),
            scope: closure.scope,
            file: closure.file,
            section: closure.section,
            receiver: receiver.clone(),
            owner: Some(class.clone()),
            defaults: closure.defaults.clone(),
        }));
        if receiver.is_some() && (decorator("property") || decorator("cached_property")) {
            return self.call(&bound, Args::new(closure.range()));
        }
        bound
    }

    fn call_function(&mut self, closure: &Rc<Closure>, args: Args) -> Value {
        let def = &closure.def;
        let identity = Arc::as_ptr(def);
        self.called.insert(identity);
        if self.stack.len() >= MAX_CALLS || self.stack.iter().filter(|running| **running == identity).count() >= 2 {
            return self.tainted("recursion", &args.values());
        }
        let scope = self.heap.scope(Some(closure.scope));
        self.bind_params(closure, &args, scope);
        if let (Some(owner), Some(receiver)) = (&closure.owner, &closure.receiver) {
            let parent = owner.bases.first().cloned().unwrap_or(Value::None);
            self.bind(
                scope,
                "super",
                Value::Bound(Rc::new((Value::Tuple(Rc::from([parent, receiver.clone()])), SUPER.to_owned()))),
            );
        }
        let file = std::mem::replace(&mut self.file, closure.file);
        let section = std::mem::replace(&mut self.section, closure.section);
        self.stack.push(identity);
        let outer_terms = std::mem::replace(&mut self.outer_terms, self.terms.len());
        let mut returns = Vec::new();
        let flow = self.block(&def.body, scope, &mut returns);
        self.forget(self.outer_terms);
        self.outer_terms = outer_terms;
        self.stack.pop();
        self.file = file;
        self.section = section;
        if is_abstract(def) {
            return self.tainted("a method that another class defines", &args.values());
        }
        if flow == super::Flow::Next && !returns.is_empty() {
            // Some arm returned and another one fell through; a frame returned is the likelier meaning of the call.
            if !returns.iter().any(|returned| returned.value.frame().is_some()) {
                returns.push(Returned { value: Value::None, when: None });
            }
        }
        self.join_returns(returns, closure.range())
    }

    fn bind_params(&mut self, closure: &Closure, args: &Args, scope: ObjectId) {
        let mut positional =
            closure.receiver.iter().cloned().chain(args.positional.iter().map(|(value, _)| value.clone()));
        let mut used: Vec<&str> = Vec::new();
        for (param, default) in closure.def.params.iter().zip(&closure.defaults) {
            let value = match param.kind {
                ParamKind::Plain | ParamKind::KeywordOnly => {
                    let by_position = if param.kind == ParamKind::Plain { positional.next() } else { None };
                    used.push(&param.name);
                    by_position
                        .or_else(|| args.named(&param.name).cloned())
                        .or_else(|| default.clone().filter(|_| !args.open))
                        .or_else(|| library::session::well_known(&param.name))
                        .or_else(|| default.clone())
                        .unwrap_or(Value::unknown("a parameter that no call in the script gives"))
                }
                ParamKind::Rest => {
                    let rest: Vec<Value> = positional.by_ref().collect();
                    self.heap.list(rest, !args.open)
                }
                ParamKind::Keywords => {
                    let rest = args
                        .keywords
                        .iter()
                        .filter(|keyword| !used.contains(&keyword.name.as_str()))
                        .map(|keyword| (Value::text(keyword.name.clone()), keyword.value.clone()))
                        .collect();
                    self.heap.dict(rest, !args.open)
                }
            };
            self.bind(scope, &param.name, value);
        }
    }

    pub(super) fn function(&mut self, def: &Arc<FunctionDef>, scope: ObjectId, owner: Option<Rc<Class>>) -> Value {
        let defaults =
            def.params.iter().map(|param| param.default.as_ref().map(|value| self.eval(value, scope))).collect();
        let closure = Closure {
            def: def.clone(),
            scope,
            file: self.file,
            section: self.section,
            receiver: None,
            owner,
            defaults,
        };
        let function = Value::Function(Rc::new(closure));
        if self.file == 0 && def.name != "<lambda>" {
            self.defined.push(function.clone());
        }
        function
    }

    /// What decorators make of a function: those that are not known are taken to keep its meaning.
    pub(super) fn decorated(&mut self, function: Value, decorators: &[Expr], scope: ObjectId) -> Value {
        let mut function = function;
        for decorator in decorators.iter().rev() {
            let value = self.eval(decorator, scope);
            let args = Args::of(vec![function.clone()], self.place(decorator.range));
            match &value {
                Value::Native(path) if library::is_udf(path) => function = self.call(&value, args),
                Value::Bound(_) | Value::Partial(_) => {
                    let result = self.call(&value, args);
                    if matches!(result, Value::Bound(_) | Value::Native(_)) {
                        function = result;
                    }
                }
                _ => {}
            }
        }
        function
    }

    pub(super) fn class(&mut self, def: &Arc<ClassDef>, scope: ObjectId) -> Value {
        let bases = def.bases.iter().map(|base| self.eval(base, scope)).collect();
        let body = self.heap.scope(Some(scope));
        self.block(&def.body, body, &mut Vec::new());
        let is_record = |base: &Expr| {
            matches!(&base.kind, ExprKind::Name(name) | ExprKind::Attribute { name, .. }
                if matches!(name.as_str(), "BaseModel" | "BaseSettings" | "NamedTuple"))
        };
        let dataclass = def.bases.iter().any(is_record)
            || def.decorators.iter().any(|decorator| {
                let named = match &decorator.kind {
                    ExprKind::Call { function, .. } => &function.kind,
                    kind => kind,
                };
                matches!(named, ExprKind::Name(name) | ExprKind::Attribute { name, .. } if name == "dataclass")
            });
        let fields = def
            .body
            .statements()
            .filter_map(|statement| match &statement.kind {
                StmtKind::Declare { target, .. } => match &target.kind {
                    ExprKind::Name(name) => Some(name.clone()),
                    _ => None,
                },
                _ => None,
            })
            .collect();
        let class = Rc::new(Class { name: def.name.clone(), bases, scope: body, dataclass, fields });
        if self.file == 0 {
            self.classes.push(class.clone());
        }
        Value::Class(class)
    }

    /// Makes an object of a class and calls the methods that nothing has called, with arguments that are not known.
    pub(super) fn run_class(&mut self, class: &Rc<Class>) {
        let range = TextRange::default();
        let object = self.instantiate(class, Args::unknown(range));
        let Object::Scope { names, .. } = self.heap.shared(class.scope).as_ref().clone() else { return };
        for (name, value) in names {
            let Value::Function(closure) = &value else { continue };
            if self.called.contains(&Arc::as_ptr(&closure.def)) || name.starts_with("__") {
                continue;
            }
            let method = self.attribute(&object, &name, closure.range());
            self.call(&method, Args::unknown(closure.range()));
        }
    }

    fn mark_instantiated(&mut self, class: &Rc<Class>) {
        if self.instantiated.insert(Rc::as_ptr(class)) {
            for base in &class.bases {
                if let Value::Class(base) = base {
                    self.mark_instantiated(base);
                }
            }
        }
    }

    fn instantiate(&mut self, class: &Rc<Class>, args: Args) -> Value {
        self.mark_instantiated(class);
        let instance = self.heap.add(Object::Instance { class: class.clone(), attributes: IndexMap::default() });
        let receiver = Value::Object(instance);
        match self.class_attribute(class, "__init__", Some(&receiver)) {
            Some(init) => {
                self.call(&init, args);
            }
            None if class.dataclass => {
                for (position, field) in class.fields.iter().enumerate() {
                    let value = args.get(position, field).cloned().or_else(|| self.class_attribute(class, field, None));
                    let value = value.unwrap_or(Value::unknown(FIELD));
                    if let Object::Instance { attributes, .. } = self.heap.get_mut(instance) {
                        attributes.insert(field.clone(), value);
                    }
                }
            }
            None => {}
        }
        receiver
    }

    /// `super()` and its methods.
    pub(super) fn super_method(&mut self, receiver: &Value, name: &str) -> Option<Value> {
        let Value::Bound(bound) = receiver else { return None };
        let Value::Tuple(parts) = &bound.0 else { return None };
        match (bound.1 == SUPER, parts.as_ref()) {
            (true, [Value::Class(parent), object]) => self.class_attribute(parent, name, Some(object)),
            _ => None,
        }
    }

    pub(crate) fn partial(&self, args: &Args) -> Value {
        match args.positional.split_first() {
            Some(((function, _), rest)) => Value::Partial(Rc::new(Partial {
                function: function.clone(),
                positional: rest.iter().map(|(value, _)| value.clone()).collect(),
                keywords: args.keywords.iter().map(|keyword| (keyword.name.clone(), keyword.value.clone())).collect(),
            })),
            None => Value::unknown("a partial call of nothing"),
        }
    }

    /// What `with value as target` binds.
    pub(super) fn entered(&mut self, value: Value) -> Value {
        let Value::Object(id) = &value else { return value };
        let Object::Instance { class, .. } = self.heap.shared(*id).as_ref().clone() else { return value };
        match self.class_attribute(&class, "__enter__", Some(&value)) {
            Some(enter) => self.call(&enter, Args::new(TextRange::default())),
            None => value,
        }
    }
}

/// Whether a method is there to be defined by a class that extends this one.
fn is_abstract(def: &FunctionDef) -> bool {
    def.decorators.iter().any(|decorator| {
        matches!(&decorator.kind, ExprKind::Name(name) | ExprKind::Attribute { name, .. } if name == "abstractmethod")
    })
}

const SUPER: &str = "<super>";
