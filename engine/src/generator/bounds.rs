//! Bounds that statistics suggest, in as many digits as people read.

use serde_json::Value as Json;

/// Digits that a bound of a double keeps.
const DIGITS: i32 = 9;

/// A lower bound from the smallest value seen: rounded down where it has many digits.
pub(crate) fn low(min: &Json) -> Json {
    outward(min, f64::floor)
}

/// An upper bound from the largest value seen: rounded up where it has many digits.
pub(crate) fn high(max: &Json) -> Json {
    outward(max, f64::ceil)
}

fn outward(bound: &Json, round: fn(f64) -> f64) -> Json {
    let Some(value) = bound.as_f64().filter(|value| bound.is_f64() && *value != 0.0) else { return bound.clone() };
    let digits = DIGITS - 1 - value.abs().log10().floor() as i32;
    let scale = 10f64.powi(digits.abs());
    let scaled = if digits >= 0 { value * scale } else { value / scale };
    // A value of few digits is its own bound, whatever the last bit of its scaled form says.
    let near = scaled.round();
    let rounded = if (scaled - near).abs() < 1e-6 { near } else { round(scaled) };
    let bound = if digits >= 0 { rounded / scale } else { rounded * scale };
    if bound.is_finite() { Json::from(bound) } else { Json::from(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_short_and_let_through_what_was_seen() {
        for value in [500.0, 20000.0, 0.1, 18480.926548821542, -31.41592653589793, 1.0 / 3.0, 1e-7 / 3.0, 1e300 / 7.0] {
            let json = Json::from(value);
            let (low, high) = (low(&json).as_f64().unwrap(), high(&json).as_f64().unwrap());
            assert!(low <= value && value <= high, "{low} {value} {high}");
            assert!((high - low).abs() <= value.abs() * 1e-7, "{low} {high}");
            assert!(
                low.to_string().trim_matches(['-', '0', '.']).len() <= 11 || !(1e-6..1e9).contains(&value),
                "{low}"
            );
        }
        assert_eq!((low(&Json::from(500.0)), high(&Json::from(7))), (Json::from(500.0), Json::from(7)));
    }
}
