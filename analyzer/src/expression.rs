//! Building and walking [`Expr`]s: what both PySpark columns and SQL text need.

use contract::expr::{BinaryOp, ColumnId, ColumnRef, Expr, ExprKind, Span};
use contract::types::DataType;
use contract::value::Value;

use crate::range::TextRange;

/// A column by name, not yet resolved.
pub(crate) fn column(qualifier: Option<&str>, name: &str, range: TextRange) -> Expr {
    let reference = ColumnRef { qualifier: qualifier.map(str::to_owned), name: name.to_owned(), id: None };
    Expr { kind: ExprKind::Column(reference), data_type: DataType::Unknown, span: span(range) }
}

/// A resolved column.
pub(crate) fn resolved(name: &str, id: ColumnId, data_type: DataType, range: TextRange) -> Expr {
    let reference = ColumnRef { qualifier: None, name: name.to_owned(), id: Some(id) };
    Expr { kind: ExprKind::Column(reference), data_type, span: span(range) }
}

/// A constant.
pub(crate) fn literal(value: Value, range: TextRange) -> Expr {
    let data_type = match &value {
        Value::Null => DataType::Null,
        Value::Boolean(_) => DataType::Boolean,
        Value::Int(number) if i32::try_from(*number).is_ok() => DataType::Int,
        Value::Int(_) => DataType::BigInt,
        Value::Double(_) => DataType::Double,
        Value::String(_) => DataType::String,
        Value::Date(_) => DataType::Date,
        Value::Timestamp(_) => DataType::Timestamp,
        _ => DataType::Unknown,
    };
    Expr { kind: ExprKind::Literal(value), data_type, span: span(range) }
}

/// Something that is not understood and reads these.
pub(crate) fn opaque(reason: &str, inputs: Vec<Expr>, data_type: DataType, range: TextRange) -> Expr {
    Expr { kind: ExprKind::Opaque { reason: reason.to_owned(), inputs }, data_type, span: span(range) }
}

/// An operator between two operands, with the type that Spark gives the result.
pub(crate) fn binary(op: BinaryOp, left: Expr, right: Expr, range: TextRange) -> Expr {
    let data_type = match op {
        BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Equal
        | BinaryOp::NullSafeEqual
        | BinaryOp::Less
        | BinaryOp::LessOrEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterOrEqual => DataType::Boolean,
        BinaryOp::DivideDouble => DataType::Double,
        BinaryOp::Concat => DataType::String,
        _ => wider(&left.data_type, &right.data_type),
    };
    Expr { kind: ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, data_type, span: span(range) }
}

/// Negation.
pub(crate) fn not(operand: Expr, range: TextRange) -> Expr {
    Expr { kind: ExprKind::Not(Box::new(operand)), data_type: DataType::Boolean, span: span(range) }
}

/// The conjuncts of a predicate.
pub(crate) fn conjuncts(predicate: &Expr) -> Vec<&Expr> {
    match &predicate.kind {
        ExprKind::Binary { op: BinaryOp::And, left, right } => {
            let mut all = conjuncts(left);
            all.extend(conjuncts(right));
            all
        }
        _ => vec![predicate],
    }
}

/// The range of an expression; `None` where it has none of its own.
pub(crate) fn range_of(expr: &Expr) -> Option<TextRange> {
    (expr.span.end > expr.span.start).then_some(TextRange { start: expr.span.start, end: expr.span.end })
}

/// Calls `visit` on every column of an expression.
pub(crate) fn for_each_column(expr: &Expr, visit: &mut dyn FnMut(&ColumnRef)) {
    if let ExprKind::Column(reference) = &expr.kind {
        visit(reference);
    }
    for child in children(expr) {
        for_each_column(child, visit);
    }
}

/// The resolved columns that an expression reads, each once.
pub(crate) fn column_ids(expr: &Expr) -> Vec<ColumnId> {
    let mut ids = Vec::new();
    for_each_column(expr, &mut |reference| {
        if let Some(id) = reference.id
            && !ids.contains(&id)
        {
            ids.push(id);
        }
    });
    ids
}

/// How many parts an expression has and how deep they nest, each up to a limit.
pub(crate) fn extent(expr: &Expr, limit: usize) -> (usize, usize) {
    let (mut size, mut deepest) = (0, 0);
    let mut pending = vec![(expr, 1)];
    while let Some((part, depth)) = pending.pop() {
        size += 1;
        deepest = deepest.max(depth);
        if size >= limit || deepest >= limit {
            break;
        }
        pending.extend(children(part).into_iter().map(|child| (child, depth + 1)));
    }
    (size, deepest)
}

/// The operands of an expression, in order.
pub(crate) fn children(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Column(_) | ExprKind::Literal(_) => Vec::new(),
        ExprKind::Not(operand) | ExprKind::Negate(operand) | ExprKind::IsNull(operand) | ExprKind::IsNan(operand) => {
            vec![operand]
        }
        ExprKind::Binary { left, right, .. } => vec![left, right],
        ExprKind::InList { operand, list } => std::iter::once(operand.as_ref()).chain(list).collect(),
        ExprKind::Like { operand, pattern } => vec![operand, pattern],
        ExprKind::Matches { operand, .. } | ExprKind::Cast { operand, .. } => vec![operand],
        ExprKind::Case { branches, otherwise } => {
            branches.iter().flat_map(|(when, then)| [when, then]).chain(otherwise.as_deref()).collect()
        }
        ExprKind::Call { args, .. } | ExprKind::Aggregate { args, .. } => args.iter().collect(),
        ExprKind::Window { function, partition_by, order_by } => {
            std::iter::once(function.as_ref()).chain(partition_by).chain(order_by.iter().map(|(key, _)| key)).collect()
        }
        ExprKind::Opaque { inputs, .. } => inputs.iter().collect(),
    }
}

/// The operands of an expression, in order, to be changed in place.
pub(crate) fn children_mut(expr: &mut Expr) -> Vec<&mut Expr> {
    match &mut expr.kind {
        ExprKind::Column(_) | ExprKind::Literal(_) => Vec::new(),
        ExprKind::Not(operand) | ExprKind::Negate(operand) | ExprKind::IsNull(operand) | ExprKind::IsNan(operand) => {
            vec![operand]
        }
        ExprKind::Binary { left, right, .. } => vec![left, right],
        ExprKind::InList { operand, list } => std::iter::once(operand.as_mut()).chain(list).collect(),
        ExprKind::Like { operand, pattern } => vec![operand, pattern],
        ExprKind::Matches { operand, .. } | ExprKind::Cast { operand, .. } => vec![operand],
        ExprKind::Case { branches, otherwise } => {
            branches.iter_mut().flat_map(|(when, then)| [when, then]).chain(otherwise.as_deref_mut()).collect()
        }
        ExprKind::Call { args, .. } | ExprKind::Aggregate { args, .. } => args.iter_mut().collect(),
        ExprKind::Window { function, partition_by, order_by } => std::iter::once(function.as_mut())
            .chain(partition_by)
            .chain(order_by.iter_mut().map(|(key, _)| key))
            .collect(),
        ExprKind::Opaque { inputs, .. } => inputs.iter_mut().collect(),
    }
}

/// Spark's result type of arithmetic on two numbers; unknown for decimals, whose precision depends on the operator.
pub(crate) fn wider(left: &DataType, right: &DataType) -> DataType {
    const ORDER: [DataType; 6] =
        [DataType::TinyInt, DataType::SmallInt, DataType::Int, DataType::BigInt, DataType::Float, DataType::Double];
    let rank = |data_type: &DataType| ORDER.iter().position(|candidate| candidate == data_type);
    match (rank(left), rank(right)) {
        (Some(a), Some(b)) => ORDER.get(a.max(b)).cloned().unwrap_or_default(),
        _ => DataType::Unknown,
    }
}

pub(crate) fn span(range: TextRange) -> Span {
    Span { start: range.start, end: range.end }
}

/// Gives an operator the type that follows from its operands, once those are resolved.
pub(crate) fn retype(expr: &mut Expr) {
    expr.data_type = match &expr.kind {
        ExprKind::Binary { op, left, right } => match op {
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Remainder => {
                arithmetic(*op, &left.data_type, &right.data_type)
            }
            _ => return,
        },
        ExprKind::Negate(operand) => operand.data_type.clone(),
        ExprKind::Case { branches, otherwise } => {
            let results = branches.iter().map(|(_, then)| then).chain(otherwise.as_deref());
            common(results.map(|result| &result.data_type))
        }
        ExprKind::Window { function, .. } => function.data_type.clone(),
        ExprKind::Call { function, args } => match crate::library::result_type(function, args) {
            Some(data_type) => data_type,
            None => return,
        },
        ExprKind::Aggregate { function, args, .. } => match crate::library::result_type(function, args) {
            Some(data_type) => data_type,
            None => return,
        },
        _ => return,
    };
}

/// The one type of several results, NULLs left out; numbers widen.
pub(crate) fn common<'t>(types: impl Iterator<Item = &'t DataType>) -> DataType {
    let mut common: Option<DataType> = None;
    for data_type in types.filter(|data_type| **data_type != DataType::Null) {
        common = Some(match common {
            None => data_type.clone(),
            Some(known) if known == *data_type => known,
            Some(known) => wider(&known, data_type),
        });
    }
    common.unwrap_or(DataType::Unknown)
}

/// Spark's type of `+`, `-`, `*` and `%`.
fn arithmetic(op: BinaryOp, left: &DataType, right: &DataType) -> DataType {
    match (left, right) {
        (DataType::Date, DataType::Int | DataType::SmallInt | DataType::TinyInt) => DataType::Date,
        (DataType::Decimal { precision: p1, scale: s1 }, DataType::Decimal { precision: p2, scale: s2 }) => {
            let (p1, s1, p2, s2) = (i32::from(*p1), i32::from(*s1), i32::from(*p2), i32::from(*s2));
            let (precision, scale) = match op {
                BinaryOp::Multiply => (p1 + p2 + 1, s1 + s2),
                BinaryOp::Add | BinaryOp::Subtract => ((p1 - s1).max(p2 - s2) + s1.max(s2) + 1, s1.max(s2)),
                _ => return DataType::Unknown,
            };
            match (u8::try_from(precision), u8::try_from(scale)) {
                (Ok(precision), Ok(scale)) if precision <= 38 => DataType::Decimal { precision, scale },
                _ => DataType::Unknown,
            }
        }
        (DataType::Double | DataType::Float, DataType::Decimal { .. } | DataType::String)
        | (DataType::Decimal { .. } | DataType::String, DataType::Double | DataType::Float) => DataType::Double,
        _ => wider(left, right),
    }
}
