//! Arithmetic and order of numbers: exact for whole numbers and decimals, IEEE 754 for the rest.

use std::cmp::Ordering;

use crate::expr::BinaryOp;
use crate::types::DataType;
use crate::value::Value;

/// A number as a double, rounded to the nearest; `None` where the value is no number.
pub fn as_double(value: &Value) -> Option<f64> {
    match value {
        Value::Int(n) => Some(*n as f64),
        Value::Double(n) => Some(*n),
        // By way of its text, which rounds once.
        Value::Decimal(n, scale) => format!("{n}e-{scale}").parse().ok(),
        _ => None,
    }
}

/// The order of two numbers: exact unless one is a double; NaN is the largest and equals itself.
pub(super) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    if let (Some((l, left_scale)), Some((r, right_scale))) = (exact(left), exact(right)) {
        let scale = left_scale.max(right_scale);
        return Some(match (rescale(l, left_scale, scale), rescale(r, right_scale, scale)) {
            (Some(l), Some(r)) => l.cmp(&r),
            // The side that leaves 128 bits is the larger one in magnitude.
            (None, _) => l.cmp(&0),
            (_, None) => 0.cmp(&r),
        });
    }
    let (l, r) = (as_double(left)?, as_double(right)?);
    Some(match (l.is_nan(), r.is_nan()) {
        (false, false) => l.partial_cmp(&r)?,
        (l, r) => l.cmp(&r),
    })
}

/// The result of an operator on two numbers, in the given type; NULL on overflow and on division by zero.
pub(super) fn arithmetic(op: BinaryOp, left: &Value, right: &Value, data_type: &DataType) -> Value {
    let result = match (op, data_type) {
        (BinaryOp::DivideInteger, _) => divide_whole(left, right),
        (BinaryOp::DivideDouble, _) => floating(op, left, right),
        (_, DataType::Decimal { .. }) => exactly(op, left, right).and_then(|(n, scale)| fit(n, scale, data_type)),
        (_, DataType::Float | DataType::Double) => floating(op, left, right),
        _ => exactly(op, left, right).and_then(|(n, scale)| if scale == 0 { whole(n, data_type) } else { None }),
    };
    match (result, data_type) {
        (Some(Value::Double(n)), DataType::Float) => Value::Double(f64::from(n as f32)),
        (result, _) => result.unwrap_or(Value::Null),
    }
}

/// A number with the other sign; NULL where its type has no such number.
pub(super) fn negate(value: Value, data_type: &DataType) -> Value {
    match value {
        Value::Int(n) => whole(-i128::from(n), data_type).unwrap_or(Value::Null),
        Value::Decimal(n, scale) => n.checked_neg().map_or(Value::Null, |n| Value::Decimal(n, scale)),
        Value::Double(n) => Value::Double(-n),
        other => other,
    }
}

/// A whole number within the range of its type.
pub(super) fn whole(n: i128, data_type: &DataType) -> Option<Value> {
    let fits = match data_type {
        DataType::TinyInt => i8::try_from(n).is_ok(),
        DataType::SmallInt => i16::try_from(n).is_ok(),
        DataType::Int => i32::try_from(n).is_ok(),
        _ => true,
    };
    i64::try_from(n).ok().filter(|_| fits).map(Value::Int)
}

/// A decimal in a decimal type: rounded half away from zero to its scale, within its precision.
pub(super) fn fit(n: i128, scale: u8, data_type: &DataType) -> Option<Value> {
    let DataType::Decimal { precision, scale: wanted } = data_type else { return None };
    let n = rescale(n, scale, *wanted)?;
    (n.unsigned_abs() < 10u128.checked_pow((*precision).into())?).then_some(Value::Decimal(n, *wanted))
}

/// An unscaled number at another scale, rounded half away from zero.
pub(super) fn rescale(n: i128, from: u8, to: u8) -> Option<i128> {
    match to.checked_sub(from) {
        Some(more) => n.checked_mul(10i128.checked_pow(more.into())?),
        None => {
            let unit = 10i128.checked_pow((from - to).into())?;
            let (quotient, rest) = (n / unit, n % unit);
            let up = rest.unsigned_abs() >= unit.unsigned_abs().div_ceil(2);
            Some(if up { quotient + n.signum() } else { quotient })
        }
    }
}

/// An exact number as an unscaled integer and a scale.
pub(super) fn exact(value: &Value) -> Option<(i128, u8)> {
    match value {
        Value::Int(n) => Some((i128::from(*n), 0)),
        Value::Decimal(n, scale) => Some((*n, *scale)),
        _ => None,
    }
}

fn exactly(op: BinaryOp, left: &Value, right: &Value) -> Option<(i128, u8)> {
    let ((l, left_scale), (r, right_scale)) = (exact(left)?, exact(right)?);
    if op == BinaryOp::Multiply {
        return Some((l.checked_mul(r)?, left_scale + right_scale));
    }
    let scale = left_scale.max(right_scale);
    let (l, r) = (rescale(l, left_scale, scale)?, rescale(r, right_scale, scale)?);
    let result = match op {
        BinaryOp::Add => l.checked_add(r)?,
        BinaryOp::Subtract => l.checked_sub(r)?,
        BinaryOp::Remainder => l.checked_rem(r)?,
        _ => return None,
    };
    Some((result, scale))
}

fn floating(op: BinaryOp, left: &Value, right: &Value) -> Option<Value> {
    let (l, r) = (as_double(left)?, as_double(right)?);
    let result = match op {
        BinaryOp::Add => l + r,
        BinaryOp::Subtract => l - r,
        BinaryOp::Multiply => l * r,
        BinaryOp::DivideDouble if r != 0.0 => l / r,
        BinaryOp::Remainder if r != 0.0 => l % r,
        _ => return None,
    };
    Some(Value::Double(result))
}

fn divide_whole(left: &Value, right: &Value) -> Option<Value> {
    let quotient = match (exact(left), exact(right)) {
        (Some((l, left_scale)), Some((r, right_scale))) => {
            let scale = left_scale.max(right_scale);
            rescale(l, left_scale, scale)?.checked_div(rescale(r, right_scale, scale)?)?
        }
        _ => match floating(BinaryOp::DivideDouble, left, right)? {
            Value::Double(n) if n.abs() < 9.2e18 => n.trunc() as i128,
            _ => return None,
        },
    };
    whole(quotient, &DataType::BigInt)
}
