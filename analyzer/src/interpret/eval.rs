//! Expressions.

use contract::expr::BinaryOp as SqlOp;

use super::{Args, Fork, Interpreter, MAX_DEPTH, Mention};
use crate::facts::Severity;
use crate::library;
use crate::range::TextRange;
use crate::syntax::ast::{
    Arg, ArgKind, BinaryOp, Clause, CompareOp, Comprehension, ComprehensionKind, Expr, ExprKind, StrPart,
};
use crate::value::{Hole, Object, ObjectId, Segment, Text, Value};

impl Interpreter<'_> {
    pub(crate) fn eval(&mut self, expr: &Expr, scope: ObjectId) -> Value {
        if !self.tick() {
            return Value::unknown("the analysis ran out of its budget");
        }
        if self.depth > MAX_DEPTH {
            return Value::unknown("nested too deeply");
        }
        self.depth += 1;
        let value = self.eval_inner(expr, scope);
        self.depth -= 1;
        value
    }

    fn eval_inner(&mut self, expr: &Expr, scope: ObjectId) -> Value {
        match &expr.kind {
            ExprKind::Name(name) => {
                let value = self.name(name, scope);
                if let Value::Frame(node) | Value::Dynamic(node) = value {
                    self.mention(self.place(expr.range), Mention::Frame(node));
                }
                value
            }
            ExprKind::Str(parts) => self.string(parts, scope),
            ExprKind::Bytes => Value::unknown("bytes"),
            ExprKind::Int(value) => Value::Int(*value),
            ExprKind::Float(value) => Value::Float(*value),
            ExprKind::Bool(value) => Value::Bool(*value),
            ExprKind::None => Value::None,
            ExprKind::Ellipsis => Value::unknown("..."),
            ExprKind::List(items) => {
                let (items, exact) = self.items(items, scope);
                self.heap.list(items, exact)
            }
            ExprKind::Set(items) => {
                let (items, exact) = self.items(items, scope);
                Value::Object(self.heap.add(Object::Set { items, exact }))
            }
            ExprKind::Tuple(items) => {
                let (items, exact) = self.items(items, scope);
                if exact { Value::Tuple(items.into()) } else { self.heap.list(items, false) }
            }
            ExprKind::Dict(entries) => self.dict(entries, scope),
            ExprKind::Comprehension(comprehension) => self.comprehension(comprehension, scope),
            ExprKind::Attribute { object, name, name_range } => {
                let object = self.eval(object, scope);
                self.attribute(&object, name, self.place(*name_range))
            }
            ExprKind::Subscript { object, index } => {
                let object = self.eval(object, scope);
                self.subscript(&object, index, self.place(expr.range), scope)
            }
            ExprKind::Slice { .. } => Value::unknown("a slice"),
            ExprKind::Call { function: callee, args } => {
                let function = self.eval(callee, scope);
                // The place of a call in a chain is its own part of the chain.
                let place = match &callee.kind {
                    ExprKind::Attribute { name_range, .. } => {
                        TextRange { start: self.place(*name_range).start, ..self.place(expr.range) }
                    }
                    _ => self.place(expr.range),
                };
                let args = self.args(args, place, scope);
                let outer = self.site;
                if self.file == 0 {
                    self.site = place;
                }
                let value = self.call(&function, args);
                self.site = outer;
                value
            }
            ExprKind::Binary { op, left, right } => {
                let left = self.eval(left, scope);
                let right = self.eval(right, scope);
                self.binary(*op, &left, &right, self.place(expr.range))
            }
            ExprKind::Compare { first, rest } => self.compare(first, rest, self.place(expr.range), scope),
            ExprKind::Logical { and, left, right } => {
                let value = self.eval(left, scope);
                if self.over_rows && matches!(value, Value::Column(_)) {
                    let op = if *and { BinaryOp::BitAnd } else { BinaryOp::BitOr };
                    let other = self.eval(right, scope);
                    return self.binary(op, &value, &other, self.place(expr.range));
                }
                self.check_condition(&value, left);
                match value.truth(&self.heap) {
                    Some(truth) if truth == *and => self.eval(right, scope),
                    Some(_) => value,
                    None => {
                        let other = self.uncertainly(|this| this.eval(right, scope));
                        match (&value, other.truth(&self.heap)) {
                            // `x or "default"` is one of both; `x and False` is false whatever x is.
                            (_, Some(false)) if *and => Value::Bool(false),
                            (_, Some(true)) if !*and && matches!(other, Value::Bool(_)) => Value::Bool(true),
                            _ => self.join(value, other, self.place(expr.range)),
                        }
                    }
                }
            }
            ExprKind::Not(operand) => {
                let value = self.eval(operand, scope);
                if let (true, Value::Column(column)) = (self.over_rows, &value) {
                    return library::column::invert(column, self.here(self.place(expr.range)));
                }
                self.check_condition(&value, operand);
                value.truth(&self.heap).map_or(Value::unknown("a condition"), |truth| Value::Bool(!truth))
            }
            ExprKind::Negate(operand) => match self.eval(operand, scope) {
                Value::Int(value) => Value::Int(value.saturating_neg()),
                Value::Float(value) => Value::Float(-value),
                Value::Column(column) => library::column::negate(&column, self.here(self.place(expr.range))),
                other => self.tainted("a number", &[&other]),
            },
            ExprKind::Invert(operand) => match self.eval(operand, scope) {
                Value::Column(column) => library::column::invert(&column, self.here(self.place(expr.range))),
                _ => Value::unknown("a number"),
            },
            ExprKind::Lambda(def) => self.function(def, scope, None),
            ExprKind::Conditional { condition, then, otherwise } => {
                let (condition, term) = condition.as_ref();
                let condition = self.eval(condition, scope);
                match condition.truth(&self.heap) {
                    Some(true) => self.eval(then, scope),
                    Some(false) => self.eval(otherwise, scope),
                    None => {
                        let terms = [term.clone(), term.negated()];
                        let [then, otherwise] = [(then, &terms[..1]), (otherwise, &terms[1..])].map(|(arm, terms)| {
                            self.under(terms, |this| this.uncertainly(|this| this.eval(arm, scope)))
                        });
                        self.join_at(then, otherwise, &Fork::by(term, self.place(expr.range)))
                    }
                }
            }
            ExprKind::Walrus { name, value } => {
                let value = self.eval(value, scope);
                self.bind(scope, name, value.clone());
                value
            }
            ExprKind::Starred(inner) | ExprKind::Wrapped(inner) => self.eval(inner, scope),
            ExprKind::Error => Value::unknown("not Python"),
        }
    }

    /// A name: a variable, a builtin, or what a star import brought.
    fn name(&mut self, name: &str, scope: ObjectId) -> Value {
        if let Some(value) = self.lookup(scope, name) {
            return value;
        }
        if let Some(value) = self.starred(name, scope) {
            return value;
        }
        if super::builtins::is_builtin(name) {
            return Value::native(format!("builtins.{name}"));
        }
        library::session::well_known(name).unwrap_or(Value::unknown("a name that is not defined"))
    }

    fn string(&mut self, parts: &[StrPart], scope: ObjectId) -> Value {
        let mut texts = vec![Text::default()];
        for part in parts {
            match part {
                StrPart::Literal { text, at } => {
                    // In another file the letters stand elsewhere.
                    let at = at.filter(|_| self.file == 0).map(|at| self.place(at).start);
                    let literal = Text::literal(text.clone(), at);
                    texts.iter_mut().for_each(|known| known.push(&literal));
                }
                StrPart::Value { value, format } => {
                    let value = self.eval(value, scope);
                    let pieces: Vec<Text> =
                        value.given().into_iter().map(|arm| self.to_text_formatted(arm, format.as_deref())).collect();
                    texts =
                        texts.iter().flat_map(|known| pieces.iter().map(|piece| known.concat(piece))).take(8).collect();
                    if texts.iter().any(|text| text.length() > super::MAX_TEXT) {
                        return self.unknown_text();
                    }
                }
            }
        }
        let length: usize = texts.iter().map(Text::length).sum();
        self.spend(length / 16);
        choice_of_texts(texts)
    }

    /// A value as `str()` or an interpolation writes it.
    pub(crate) fn to_text(&self, value: &Value) -> Text {
        self.to_text_formatted(value, None)
    }

    fn to_text_formatted(&self, value: &Value, format: Option<&str>) -> Text {
        let exact = |text: String| Text::literal(text, None);
        match value {
            Value::Text(text) => text.as_text(),
            Value::Int(number) => match format {
                None => exact(number.to_string()),
                Some(format) => match format.trim_end_matches('d').strip_prefix('0').map(str::parse::<usize>) {
                    Some(Ok(width)) => exact(format!("{number:0width$}")),
                    _ => Text::hole(Hole::Unknown),
                },
            },
            Value::Float(number) if format.is_none() => exact(format!("{number:?}")),
            Value::Bool(true) => exact("True".to_owned()),
            Value::Bool(false) => exact("False".to_owned()),
            Value::None => exact("None".to_owned()),
            other => Text::hole(self.hole_of(other).unwrap_or(Hole::Unknown)),
        }
    }

    fn items(&mut self, items: &[Expr], scope: ObjectId) -> (Vec<Value>, bool) {
        let mut values = Vec::new();
        let mut exact = true;
        for item in items {
            match &item.kind {
                ExprKind::Starred(inner) => {
                    let inner = self.eval(inner, scope);
                    let (inner, all) = self.iterate(&inner);
                    if all { values.extend(inner) } else { exact = false }
                }
                _ => values.push(self.eval(item, scope)),
            }
        }
        (values, exact)
    }

    fn dict(&mut self, entries: &[(Option<Expr>, Expr)], scope: ObjectId) -> Value {
        let mut known: Vec<(Value, Value)> = Vec::new();
        let mut exact = true;
        for (key, value) in entries {
            match key {
                Some(key) => {
                    let key = self.eval(key, scope);
                    let value = self.eval(value, scope);
                    known.retain(|(other, _)| !other.same(&key));
                    known.push((key, value));
                }
                None => {
                    let splat = self.eval(value, scope);
                    match self.heap.entries(&splat) {
                        Some((more, all)) => {
                            exact &= all;
                            known.extend(more);
                        }
                        None => exact = false,
                    }
                }
            }
        }
        self.heap.dict(known, exact)
    }

    pub(crate) fn args(&mut self, args: &[Arg], range: TextRange, scope: ObjectId) -> Args {
        let mut evaluated = Args::new(range);
        for arg in args {
            let value = self.eval(&arg.value, scope);
            match &arg.kind {
                ArgKind::Positional => evaluated.positional.push((value, self.place(arg.value.range))),
                ArgKind::Keyword { name, range } => evaluated.keywords.push(super::args::Keyword {
                    name: name.clone(),
                    name_range: self.place(*range),
                    value,
                    range: self.place(arg.value.range),
                }),
                ArgKind::Rest => {
                    let (items, exact) = self.iterate(&value);
                    let place = self.place(arg.value.range);
                    if exact {
                        evaluated.positional.extend(items.into_iter().map(|item| (item, place)));
                    } else {
                        evaluated.open = true;
                        if items.iter().any(|item| !matches!(item, Value::Unknown(_))) {
                            evaluated.positional.extend(items.into_iter().map(|item| (item, place)));
                        }
                    }
                }
                ArgKind::Keywords => match self.heap.entries(&value) {
                    Some((entries, exact)) => {
                        evaluated.open |= !exact;
                        for (key, value) in entries {
                            if let Some(name) = key.exact_text() {
                                evaluated.keywords.push(super::args::Keyword {
                                    name: name.to_owned(),
                                    name_range: TextRange::default(),
                                    value,
                                    range: self.place(arg.value.range),
                                });
                            }
                        }
                    }
                    None => evaluated.open = true,
                },
            }
        }
        evaluated
    }

    /// What iterating over a value yields, and whether that is all of it in order.
    pub(crate) fn iterate(&mut self, value: &Value) -> (Vec<Value>, bool) {
        if let Some(items) = self.heap.items(value) {
            return items;
        }
        match value {
            Value::Text(text) => match text.exact() {
                Some(exact) => (exact.chars().map(|c| Value::text(c.to_string())).collect(), true),
                None => {
                    let hole = text.only_hole().cloned().unwrap_or(Hole::Unknown);
                    (vec![Value::Text(Text::hole(hole))], false)
                }
            },
            Value::Choice(arms) => {
                let mut items = Vec::new();
                for arm in arms.iter() {
                    items.extend(self.iterate(arm).0);
                }
                (items, false)
            }
            other => {
                let item = match self.hole_of(other) {
                    Some(hole) => Value::part_of(Some(hole), "an item of an unknown collection"),
                    None => self.tainted("an item of an unknown collection", &[other]),
                };
                (vec![item], false)
            }
        }
    }

    pub(crate) fn binary(&mut self, op: BinaryOp, left: &Value, right: &Value, range: TextRange) -> Value {
        if let (Value::Column(_), _) | (_, Value::Column(_)) = (left, right) {
            return library::column::binary(self, op, left, right, range);
        }
        if matches!(left, Value::Choice(_)) || matches!(right, Value::Choice(_)) {
            let mut results = Vec::new();
            for a in left.given() {
                for b in right.given() {
                    if results.len() < 8 {
                        results.push(self.binary(op, a, b, range));
                    }
                }
            }
            return self.join_all(results, range);
        }
        match (op, left, right) {
            (BinaryOp::Add, Value::Int(a), Value::Int(b)) => Value::Int(a.saturating_add(*b)),
            (BinaryOp::Subtract, Value::Int(a), Value::Int(b)) => Value::Int(a.saturating_sub(*b)),
            (BinaryOp::Multiply, Value::Int(a), Value::Int(b)) => Value::Int(a.saturating_mul(*b)),
            (BinaryOp::FloorDivide, Value::Int(a), Value::Int(b)) if *b != 0 => Value::Int(a.div_euclid(*b)),
            (BinaryOp::Remainder, Value::Int(a), Value::Int(b)) if *b != 0 => Value::Int(a.rem_euclid(*b)),
            (BinaryOp::Remainder, Value::Text(template), values) => match self.percent(template, values) {
                Value::Text(formatted) => self.bounded(formatted),
                other => other,
            },
            (BinaryOp::Divide, Value::Text(a), Value::Text(b)) => {
                // `pathlib`'s way of joining.
                self.bounded(a.concat(&Text::literal("/".to_owned(), None)).concat(b))
            }
            (BinaryOp::Add, Value::Text(a), Value::Text(b)) => self.bounded(a.concat(b)),
            // A string plus something unknown is a string, or Python refuses it.
            (BinaryOp::Add, Value::Text(a), Value::Unknown(_) | Value::Bound(_)) => {
                self.bounded(a.concat(&self.to_text(right)))
            }
            (BinaryOp::Add, Value::Unknown(_) | Value::Bound(_), Value::Text(b)) => {
                self.bounded(self.to_text(left).concat(b))
            }
            // Date arithmetic stays a date of the run.
            (BinaryOp::Add | BinaryOp::Subtract, Value::Text(date), _) if is_run_date(date) => left.clone(),
            (BinaryOp::Add, a, b) => match (self.heap.items(a), self.heap.items(b)) {
                (Some((mut items, exact)), Some((more, all))) => {
                    items.extend(more);
                    if matches!((a, b), (Value::Tuple(_), Value::Tuple(_))) && crate::value::truncate(&mut items) {
                        return Value::Tuple(items.into());
                    }
                    self.heap.list(items, exact && all)
                }
                (Some((items, _)), None) | (None, Some((items, _))) => self.heap.list(items, false),
                _ => self.tainted("a sum", &[a, b]),
            },
            (BinaryOp::BitOr, a, b) => match (self.heap.entries(a), self.heap.entries(b)) {
                (Some((mut entries, exact)), Some((more, all))) => {
                    entries.retain(|(key, _)| !more.iter().any(|(other, _)| other.same(key)));
                    entries.extend(more);
                    self.heap.dict(entries, exact && all)
                }
                _ => self.tainted("a union", &[a, b]),
            },
            (_, a, b) => self.tainted("a computed value", &[a, b]),
        }
    }

    fn compare(&mut self, first: &Expr, rest: &[(CompareOp, Expr)], range: TextRange, scope: ObjectId) -> Value {
        let mut left = self.eval(first, scope);
        let mut result = Value::Bool(true);
        for (op, operand) in rest {
            let right = self.eval(operand, scope);
            let step = match (&left, &right) {
                (Value::Column(_), _) | (_, Value::Column(_)) => {
                    library::column::compare(self, *op, &left, &right, range)
                }
                _ => self.compare_values(*op, &left, &right).map_or(Value::unknown("a condition"), Value::Bool),
            };
            result = match (result.truth(&self.heap), &step) {
                (Some(true), _) => step,
                (Some(false), _) => return Value::Bool(false),
                (None, Value::Bool(false)) => return Value::Bool(false),
                (None, _) => Value::unknown("a condition"),
            };
            left = right;
        }
        result
    }

    fn compare_values(&self, op: CompareOp, left: &Value, right: &Value) -> Option<bool> {
        let equal = |a: &Value, b: &Value| -> Option<bool> {
            match (a, b) {
                (Value::Text(a), Value::Text(b)) => match (a.exact(), b.exact()) {
                    (Some(a), Some(b)) => Some(a == b),
                    _ => None,
                },
                (Value::Int(a), Value::Int(b)) => Some(a == b),
                (Value::Bool(a), Value::Bool(b)) => Some(a == b),
                (Value::None, Value::None) => Some(true),
                (Value::Unknown(_) | Value::Choice(_), _) | (_, Value::Unknown(_) | Value::Choice(_)) => None,
                (Value::None, _) | (_, Value::None) => Some(false),
                _ => None,
            }
        };
        match op {
            CompareOp::Equal | CompareOp::Is => equal(left, right),
            CompareOp::NotEqual | CompareOp::IsNot => equal(left, right).map(|same| !same),
            CompareOp::In | CompareOp::NotIn => {
                let found = match (left, right) {
                    (Value::Text(needle), Value::Text(hay)) => {
                        needle.exact().zip(hay.exact()).map(|(n, h)| h.contains(n))
                    }
                    _ => {
                        let (items, exact) = self.heap.items(right)?;
                        let matches: Vec<Option<bool>> = items.iter().map(|item| equal(left, item)).collect();
                        if matches.contains(&Some(true)) {
                            Some(true)
                        } else if exact && matches.iter().all(|found| *found == Some(false)) {
                            Some(false)
                        } else {
                            None
                        }
                    }
                };
                found.map(|found| found == (op == CompareOp::In))
            }
            CompareOp::Less | CompareOp::LessOrEqual | CompareOp::Greater | CompareOp::GreaterOrEqual => {
                let (Value::Int(a), Value::Int(b)) = (left, right) else { return None };
                Some(match op {
                    CompareOp::Less => a < b,
                    CompareOp::LessOrEqual => a <= b,
                    CompareOp::Greater => a > b,
                    _ => a >= b,
                })
            }
        }
    }

    fn comprehension(&mut self, comprehension: &Comprehension, scope: ObjectId) -> Value {
        let inner = self.heap.scope(Some(scope));
        let mut results = Vec::new();
        let mut exact = true;
        self.clauses(comprehension, &comprehension.clauses, inner, &mut results, &mut exact);
        match comprehension.kind {
            ComprehensionKind::List | ComprehensionKind::Generator => {
                self.heap.list(results.into_iter().map(|(element, _)| element).collect(), exact)
            }
            ComprehensionKind::Set => {
                let items = results.into_iter().map(|(element, _)| element).collect();
                Value::Object(self.heap.add(Object::Set { items, exact }))
            }
            ComprehensionKind::Dict => {
                let entries = results.into_iter().map(|(key, value)| (key, value.unwrap_or(Value::None))).collect();
                self.heap.dict(entries, exact)
            }
        }
    }

    fn clauses(
        &mut self,
        comprehension: &Comprehension,
        clauses: &[Clause],
        scope: ObjectId,
        results: &mut Vec<(Value, Option<Value>)>,
        exact: &mut bool,
    ) {
        match clauses.split_first() {
            None => {
                let element = self.eval(&comprehension.element, scope);
                let value = comprehension.value.as_ref().map(|value| self.eval(value, scope));
                results.push((element, value));
            }
            Some((Clause::If(condition), rest)) => {
                let value = self.eval(condition, scope);
                match value.truth(&self.heap) {
                    Some(true) => self.clauses(comprehension, rest, scope, results, exact),
                    Some(false) => {}
                    None => {
                        *exact = false;
                        self.uncertainly(|this| this.clauses(comprehension, rest, scope, results, exact));
                    }
                }
            }
            Some((Clause::For { target, iterable }, rest)) => {
                let iterable = self.eval(iterable, scope);
                let (items, all) = self.iterate(&iterable);
                *exact &= all;
                for item in items.into_iter().take(512) {
                    if !self.tick() {
                        break;
                    }
                    self.assign(target, item, scope);
                    self.clauses(comprehension, rest, scope, results, exact);
                }
            }
        }
    }

    fn subscript(&mut self, object: &Value, index: &Expr, range: TextRange, scope: ObjectId) -> Value {
        if let ExprKind::Slice { start, stop, step } = &index.kind {
            let mut bound = |bound: &Option<Box<Expr>>| bound.as_ref().map(|bound| self.eval(bound, scope));
            let (start, stop, step) = (bound(start), bound(stop), bound(step));
            return self.slice(object, start, stop, step);
        }
        let key = self.eval(index, scope);
        if let Value::Choice(arms) = &key {
            let results = arms.iter().map(|key| self.item(object, key, self.place(index.range), range)).collect();
            return self.join_all(results, range);
        }
        self.item(object, &key, self.place(index.range), range)
    }

    /// Reports a column where Python wants a truth value: `and`, `or`, `not` and `if` do not work on columns.
    pub(crate) fn check_condition(&mut self, value: &Value, expr: &Expr) {
        if matches!(value, Value::Column(_)) && self.is_certain() && !self.over_rows {
            let message = "Python cannot turn a column into true or false. Use `&` for and, `|` for or, `~` for not, each operand in brackets.";
            self.report(
                "column-as-condition",
                Severity::Error,
                self.place(expr.range),
                message.to_owned(),
                Vec::new(),
                Vec::new(),
            );
        }
    }

    /// The SQL operator of a comparison, where there is one.
    pub(crate) fn sql_op(op: CompareOp) -> Option<SqlOp> {
        Some(match op {
            CompareOp::Equal => SqlOp::Equal,
            CompareOp::Less => SqlOp::Less,
            CompareOp::LessOrEqual => SqlOp::LessOrEqual,
            CompareOp::Greater => SqlOp::Greater,
            CompareOp::GreaterOrEqual => SqlOp::GreaterOrEqual,
            _ => return None,
        })
    }
}

/// Whether a text is nothing but the date of the run.
pub(crate) fn is_run_date(text: &Text) -> bool {
    matches!(text.segments.as_slice(), [Segment::Hole(Hole::RunDate | Hole::Moment { .. })])
}

/// One text, or a choice of several.
pub(crate) fn choice_of_texts(mut texts: Vec<Text>) -> Value {
    texts.dedup();
    match (texts.pop(), texts.is_empty()) {
        (Some(only), true) => Value::Text(only),
        (Some(last), false) => {
            texts.push(last);
            Value::Choice(texts.into_iter().map(Value::Text).collect())
        }
        (None, _) => Value::Text(Text::default()),
    }
}
