//! Constructors that infer types, and walks over an expression.

use super::functions::{self, ResultType};
use super::{BinaryOp, ColumnRef, Expr, ExprKind, Span};
use crate::types::DataType;
use crate::value::Value;

impl Expr {
    fn of(kind: ExprKind, data_type: DataType) -> Expr {
        Expr { kind, data_type, span: Span::default() }
    }

    /// The same expression, standing at another place.
    pub fn at(mut self, span: Span) -> Expr {
        self.span = span;
        self
    }

    /// An unqualified column of this type.
    pub fn column(name: &str, data_type: DataType) -> Expr {
        Expr::column_ref(ColumnRef { qualifier: None, name: name.to_string(), id: None }, data_type)
    }

    /// A column of this type.
    pub fn column_ref(column: ColumnRef, data_type: DataType) -> Expr {
        Expr::of(ExprKind::Column(column), data_type)
    }

    /// The name of the column that it is; `None` where it is anything else.
    pub fn column_name(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Column(column) => Some(&column.name),
            _ => None,
        }
    }

    /// A constant, of the narrowest type that holds it; whole numbers are `int` where they fit, else `bigint`.
    pub fn literal(value: Value) -> Expr {
        let data_type = literal_type(&value);
        Expr::of(ExprKind::Literal(value), data_type)
    }

    /// A text constant.
    pub fn text(text: impl Into<String>) -> Expr {
        Expr::literal(Value::String(text.into()))
    }

    /// A whole number.
    pub fn int(number: i64) -> Expr {
        Expr::literal(Value::Int(number))
    }

    /// True or false.
    pub fn boolean(value: bool) -> Expr {
        Expr::literal(Value::Boolean(value))
    }

    /// NULL.
    pub fn null() -> Expr {
        Expr::literal(Value::Null)
    }

    /// An operator between two expressions. Comparisons and logic are `boolean`; arithmetic has Spark's result types:
    /// whole numbers widen to the wider operand, decimals gain digits, anything with a `double` is a `double`.
    pub fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
        let data_type = binary_type(op, &left.data_type, &right.data_type);
        Expr::of(ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, data_type)
    }

    /// `left = right`.
    pub fn equal(left: Expr, right: Expr) -> Expr {
        Expr::binary(BinaryOp::Equal, left, right)
    }

    /// The conjunction of all; true of none.
    pub fn and_all(parts: impl IntoIterator<Item = Expr>) -> Expr {
        parts.into_iter().reduce(|l, r| Expr::binary(BinaryOp::And, l, r)).unwrap_or_else(|| Expr::boolean(true))
    }

    /// The disjunction of all; false of none.
    pub fn or_all(parts: impl IntoIterator<Item = Expr>) -> Expr {
        parts.into_iter().reduce(|l, r| Expr::binary(BinaryOp::Or, l, r)).unwrap_or_else(|| Expr::boolean(false))
    }

    /// Logical negation; of a negation, what it negates.
    #[allow(clippy::should_implement_trait)]
    pub fn not(operand: Expr) -> Expr {
        match operand.kind {
            ExprKind::Not(inner) => *inner,
            kind => {
                let operand = Expr { kind, ..operand };
                Expr::of(ExprKind::Not(Box::new(operand)), DataType::Boolean)
            }
        }
    }

    /// Arithmetic negation; a negated constant is a constant, and of NULL it is NULL.
    pub fn negate(operand: Expr) -> Expr {
        let folded = match &operand.kind {
            ExprKind::Literal(Value::Null) => Some(Value::Null),
            ExprKind::Literal(Value::Int(n)) => n.checked_neg().map(Value::Int),
            ExprKind::Literal(Value::Double(n)) => Some(Value::Double(-n)),
            ExprKind::Literal(Value::Decimal(n, scale)) => n.checked_neg().map(|n| Value::Decimal(n, *scale)),
            _ => None,
        };
        match folded {
            Some(value) => {
                let data_type = match value {
                    Value::Int(_) => literal_type(&value),
                    _ => operand.data_type,
                };
                Expr::of(ExprKind::Literal(value), data_type)
            }
            None => {
                let data_type = operand.data_type.clone();
                Expr::of(ExprKind::Negate(Box::new(operand)), data_type)
            }
        }
    }

    /// `operand IS NULL`.
    pub fn is_null(operand: Expr) -> Expr {
        Expr::of(ExprKind::IsNull(Box::new(operand)), DataType::Boolean)
    }

    /// `operand IS NOT NULL`.
    pub fn is_not_null(operand: Expr) -> Expr {
        Expr::not(Expr::is_null(operand))
    }

    /// Whether the operand is a NaN; false for NULL.
    pub fn is_nan(operand: Expr) -> Expr {
        Expr::of(ExprKind::IsNan(Box::new(operand)), DataType::Boolean)
    }

    /// `operand IN (list)`.
    pub fn in_list(operand: Expr, list: Vec<Expr>) -> Expr {
        Expr::of(ExprKind::InList { operand: Box::new(operand), list }, DataType::Boolean)
    }

    /// `operand LIKE pattern`, a backslash escapes.
    pub fn like(operand: Expr, pattern: Expr) -> Expr {
        Expr::of(ExprKind::Like { operand: Box::new(operand), pattern: Box::new(pattern) }, DataType::Boolean)
    }

    /// Whether some part of the operand matches the regular expression; see [`super::pattern`] for its grammar.
    pub fn matches(operand: Expr, pattern: impl Into<String>) -> Expr {
        let pattern = pattern.into();
        Expr::of(ExprKind::Matches { operand: Box::new(operand), pattern }, DataType::Boolean)
    }

    /// `CASE WHEN … THEN … ELSE … END`, of the common type of its results.
    pub fn case(branches: Vec<(Expr, Expr)>, otherwise: Option<Expr>) -> Expr {
        let results = branches.iter().map(|(_, result)| result).chain(otherwise.as_ref());
        let data_type = common_type(results);
        Expr::of(ExprKind::Case { branches, otherwise: otherwise.map(Box::new) }, data_type)
    }

    /// A conversion that is NULL where the value has no such form.
    pub fn cast(operand: Expr, data_type: DataType) -> Expr {
        Expr::of(ExprKind::Cast { operand: Box::new(operand), or_null: true }, data_type)
    }

    /// A call of a function of the table; `None` where the table has no scalar function of this canonical name.
    pub fn call(function: &str, args: Vec<Expr>) -> Option<Expr> {
        let function = functions::find(function)?;
        let data_type = result_type(function, &args);
        Some(Expr::of(ExprKind::Call { function: function.name, args }, data_type))
    }

    /// An aggregate of the table; `None` where the table has no aggregate of this canonical name.
    pub fn aggregate(function: &str, args: Vec<Expr>, distinct: bool) -> Option<Expr> {
        let function = functions::find(function).filter(|f| f.kind != functions::FunctionKind::Scalar)?;
        let data_type = result_type(function, &args);
        Some(Expr::of(ExprKind::Aggregate { function: function.name, args, distinct }, data_type))
    }

    /// `coalesce(operand, otherwise)`: for a predicate, its two-valued form.
    pub fn or_else(operand: Expr, otherwise: bool) -> Expr {
        let args = vec![operand, Expr::boolean(otherwise)];
        Expr::of(ExprKind::Call { function: functions::COALESCE, args }, DataType::Boolean)
    }

    /// Something that is not understood but reads these expressions.
    pub fn opaque(reason: impl Into<String>, inputs: Vec<Expr>) -> Expr {
        Expr::of(ExprKind::Opaque { reason: reason.into(), inputs }, DataType::Unknown)
    }

    /// The direct operands, in order of appearance.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Column(_) | ExprKind::Literal(_) => Vec::new(),
            ExprKind::Not(e) | ExprKind::Negate(e) | ExprKind::IsNull(e) | ExprKind::IsNan(e) => vec![e],
            ExprKind::Binary { left, right, .. } => vec![left, right],
            ExprKind::InList { operand, list } => std::iter::once(&**operand).chain(list).collect(),
            ExprKind::Like { operand, pattern } => vec![operand, pattern],
            ExprKind::Matches { operand, .. } | ExprKind::Cast { operand, .. } => vec![operand],
            ExprKind::Case { branches, otherwise } => {
                branches.iter().flat_map(|(c, r)| [c, r]).chain(otherwise.as_deref()).collect()
            }
            ExprKind::Call { args, .. } | ExprKind::Aggregate { args, .. } => args.iter().collect(),
            ExprKind::Window { function, partition_by, order_by } => {
                std::iter::once(&**function).chain(partition_by).chain(order_by.iter().map(|(e, _)| e)).collect()
            }
            ExprKind::Opaque { inputs, .. } => inputs.iter().collect(),
        }
    }

    /// The expression with each part replaced by what `change` makes of it, leaves first. Types stay as they were.
    pub fn rewrite(self, change: &mut dyn FnMut(Expr) -> Expr) -> Expr {
        let Expr { kind, data_type, span } = self;
        let boxed = |e: Box<Expr>, change: &mut dyn FnMut(Expr) -> Expr| Box::new(e.rewrite(change));
        let all = |list: Vec<Expr>, change: &mut dyn FnMut(Expr) -> Expr| -> Vec<Expr> {
            list.into_iter().map(|e| e.rewrite(change)).collect()
        };
        let kind = match kind {
            leaf @ (ExprKind::Column(_) | ExprKind::Literal(_)) => leaf,
            ExprKind::Not(e) => ExprKind::Not(boxed(e, change)),
            ExprKind::Negate(e) => ExprKind::Negate(boxed(e, change)),
            ExprKind::IsNull(e) => ExprKind::IsNull(boxed(e, change)),
            ExprKind::IsNan(e) => ExprKind::IsNan(boxed(e, change)),
            ExprKind::Binary { op, left, right } => {
                ExprKind::Binary { op, left: boxed(left, change), right: boxed(right, change) }
            }
            ExprKind::InList { operand, list } => {
                ExprKind::InList { operand: boxed(operand, change), list: all(list, change) }
            }
            ExprKind::Like { operand, pattern } => {
                ExprKind::Like { operand: boxed(operand, change), pattern: boxed(pattern, change) }
            }
            ExprKind::Matches { operand, pattern } => ExprKind::Matches { operand: boxed(operand, change), pattern },
            ExprKind::Cast { operand, or_null } => ExprKind::Cast { operand: boxed(operand, change), or_null },
            ExprKind::Case { branches, otherwise } => ExprKind::Case {
                branches: branches.into_iter().map(|(c, r)| (c.rewrite(change), r.rewrite(change))).collect(),
                otherwise: otherwise.map(|e| boxed(e, change)),
            },
            ExprKind::Call { function, args } => ExprKind::Call { function, args: all(args, change) },
            ExprKind::Aggregate { function, args, distinct } => {
                ExprKind::Aggregate { function, args: all(args, change), distinct }
            }
            ExprKind::Window { function, partition_by, order_by } => ExprKind::Window {
                function: boxed(function, change),
                partition_by: all(partition_by, change),
                order_by: order_by.into_iter().map(|(e, descending)| (e.rewrite(change), descending)).collect(),
            },
            ExprKind::Opaque { reason, inputs } => ExprKind::Opaque { reason, inputs: all(inputs, change) },
        };
        change(Expr { kind, data_type, span })
    }

    /// Visits the expression and all its parts, outermost first.
    pub fn visit<'a>(&'a self, see: &mut dyn FnMut(&'a Expr)) {
        see(self);
        for child in self.children() {
            child.visit(see);
        }
    }

    /// The columns that it reads, in order of first appearance, each once.
    pub fn columns(&self) -> Vec<&ColumnRef> {
        let mut found: Vec<&ColumnRef> = Vec::new();
        self.visit(&mut |e| {
            if let ExprKind::Column(column) = &e.kind
                && !found.contains(&column)
            {
                found.push(column);
            }
        });
        found
    }

    /// The expression with `current_timestamp` and `current_date` bound to one instant: microseconds since
    /// 1970-01-01T00:00:00 UTC. All queries of a run are bound to the same one.
    pub fn bind_now(self, micros: i64) -> Expr {
        self.rewrite(&mut |e| match e.kind {
            ExprKind::Call { function: functions::CURRENT_TIMESTAMP, .. } => {
                Expr::literal(Value::Timestamp(micros)).at(e.span)
            }
            ExprKind::Call { function: functions::CURRENT_DATE, .. } => {
                Expr::literal(Value::Date(micros.div_euclid(86_400_000_000) as i32)).at(e.span)
            }
            kind => Expr { kind, ..e },
        })
    }
}

fn literal_type(value: &Value) -> DataType {
    match value {
        Value::Null => DataType::Null,
        Value::Boolean(_) => DataType::Boolean,
        Value::Int(n) if i32::try_from(*n).is_ok() => DataType::Int,
        Value::Int(_) => DataType::BigInt,
        Value::Decimal(n, scale) => {
            let digits = n.unsigned_abs().checked_ilog10().map_or(1, |d| d as u8 + 1);
            DataType::Decimal { precision: digits.max(*scale).min(38), scale: *scale }
        }
        Value::Double(_) => DataType::Double,
        Value::String(_) => DataType::String,
        Value::Binary(_) => DataType::Binary,
        Value::Date(_) => DataType::Date,
        Value::Timestamp(_) => DataType::Timestamp,
        Value::Array(items) => DataType::Array(Box::new(items.first().map_or(DataType::Null, literal_type))),
        Value::Map(entries) => {
            let (key, value) =
                entries.first().map_or((DataType::Null, DataType::Null), |(k, v)| (literal_type(k), literal_type(v)));
            DataType::Map(Box::new(key), Box::new(value))
        }
        Value::Struct(fields) => {
            DataType::Struct(fields.iter().map(|(name, v)| (name.clone(), literal_type(v))).collect())
        }
    }
}

pub(super) fn common_type<'a>(exprs: impl Iterator<Item = &'a Expr>) -> DataType {
    exprs.fold(DataType::Null, |ty, e| ty.common(&e.data_type))
}

fn binary_type(op: BinaryOp, left: &DataType, right: &DataType) -> DataType {
    match op {
        BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Remainder => arithmetic(op, left, right),
        BinaryOp::DivideInteger => DataType::BigInt,
        BinaryOp::DivideDouble => DataType::Double,
        BinaryOp::Concat => DataType::String,
        _ => DataType::Boolean,
    }
}

/// Spark's result types of arithmetic, with `spark.sql.decimalOperations.allowPrecisionLoss` at its default.
fn arithmetic(op: BinaryOp, left: &DataType, right: &DataType) -> DataType {
    let exact = !(left.is_floating() || right.is_floating() || (left.is_integer() && right.is_integer()));
    match (left.as_decimal(), right.as_decimal()) {
        (Some((p1, s1)), Some((p2, s2))) if exact => {
            let (p1, s1, p2, s2) = (i32::from(p1), i32::from(s1), i32::from(p2), i32::from(s2));
            let (precision, scale) = match op {
                BinaryOp::Multiply => (p1 + p2 + 1, s1 + s2),
                BinaryOp::Remainder => ((p1 - s1).min(p2 - s2) + s1.max(s2), s1.max(s2)),
                _ => ((p1 - s1).max(p2 - s2) + s1.max(s2) + 1, s1.max(s2)),
            };
            let (precision, scale) = if precision > 38 {
                let whole = precision - scale;
                (38, (38 - whole).max(scale.min(6)))
            } else {
                (precision, scale)
            };
            DataType::Decimal { precision: precision as u8, scale: scale as u8 }
        }
        _ if left.is_text() || right.is_text() => DataType::Unknown,
        _ => left.common(right),
    }
}

fn result_type(function: &functions::Function, args: &[Expr]) -> DataType {
    let argument = |i: usize| args.get(i).map_or(DataType::Unknown, |e| e.data_type.clone());
    match &function.result {
        ResultType::Is(ty) => ty.clone(),
        ResultType::Argument(i) => argument(*i),
        ResultType::Common => common_type(args.iter()),
        ResultType::CommonFrom(i) => common_type(args.iter().skip(*i)),
        ResultType::Element => match argument(0) {
            DataType::Array(element) => *element,
            DataType::Map(_, value) => *value,
            _ => DataType::Unknown,
        },
        ResultType::ArrayOfArgument => DataType::Array(Box::new(argument(0))),
        ResultType::ArrayOfText => DataType::Array(Box::new(DataType::String)),
        ResultType::Keys => match argument(0) {
            DataType::Map(key, _) => DataType::Array(key),
            _ => DataType::Unknown,
        },
        ResultType::Values => match argument(0) {
            DataType::Map(_, value) => DataType::Array(value),
            _ => DataType::Unknown,
        },
        ResultType::Field => match (argument(0), args.get(1).map(|e| &e.kind)) {
            (DataType::Struct(fields), Some(ExprKind::Literal(Value::String(name)))) => fields
                .into_iter()
                .find(|(field, _)| field.eq_ignore_ascii_case(name))
                .map_or(DataType::Unknown, |(_, ty)| ty),
            _ => DataType::Unknown,
        },
        ResultType::Rounded => match (argument(0), args.get(1).map(|e| &e.kind)) {
            (DataType::Decimal { precision, scale }, digits) => {
                let digits = match digits {
                    Some(ExprKind::Literal(Value::Int(digits))) => (*digits).clamp(0, i64::from(scale)) as u8,
                    _ => 0,
                };
                DataType::Decimal { precision: (precision - scale + 1 + digits).min(38), scale: digits }
            }
            (ty, _) => ty,
        },
        ResultType::Whole => match argument(0) {
            DataType::Decimal { precision, scale } => {
                DataType::Decimal { precision: (precision - scale + 1).min(38), scale: 0 }
            }
            ty if ty.is_open() => ty,
            _ => DataType::BigInt,
        },
        ResultType::Sum => match argument(0) {
            DataType::Decimal { precision, scale } => DataType::Decimal { precision: (precision + 10).min(38), scale },
            ty if ty.is_integer() => DataType::BigInt,
            ty if ty.is_open() => ty,
            _ => DataType::Double,
        },
        ResultType::Average => match argument(0) {
            DataType::Decimal { precision, scale } => {
                let (precision, scale) = (i32::from(precision) + 4, i32::from(scale) + 4);
                let scale = if precision > 38 { (scale - (precision - 38)).max(scale.min(6)) } else { scale };
                DataType::Decimal { precision: precision.min(38) as u8, scale: scale as u8 }
            }
            ty if ty.is_open() => ty,
            _ => DataType::Double,
        },
    }
}
