//! Rules of one row: each becomes a predicate that is true where the row violates it.

use serde_json::Value as Json;

use super::{Check, Known, find, predicate, typed};
use crate::expr::parse;
use crate::expr::{BinaryOp, Expr, dates, functions, pattern};
use crate::rule::{Comparison, RuleKind, Verdict};
use crate::types::DataType;

impl Known<'_> {
    /// The two-valued violation of a rule of one row, without its `where`.
    pub(super) fn row_violation(&self) -> Result<Expr, String> {
        match &self.rule.kind {
            RuleKind::NotNull => {
                let (_, operand) = self.column()?;
                let nan_violates = operand.data_type.is_floating() && self.rule.on_nan == Some(Verdict::Violate);
                let nan = nan_violates.then(|| Expr::is_nan(operand.clone()));
                Ok(Expr::or_all([Expr::is_null(operand)].into_iter().chain(nan)))
            }
            RuleKind::NotEmpty => {
                let text = self.text()?;
                let blank = Expr::equal(call("trim", vec![text.clone()])?, Expr::text(""));
                Ok(self.violation(&[&text], blank, Verdict::Pass))
            }
            RuleKind::Min { value } => self.outside(Some(value), None),
            RuleKind::Max { value } => self.outside(None, Some(value)),
            RuleKind::Range { min, max } | RuleKind::RangeSoft { min, max } => self.outside(min.as_ref(), max.as_ref()),
            RuleKind::AllowedValues { values } => {
                let (operand, listed) = self.listed(values)?;
                let violation = self.violation(&[&operand], Expr::not(listed), Verdict::Violate);
                // A listed NULL is allowed, whatever `on_null` says.
                Ok(match values.contains(&Json::Null) && self.rule.on_null == Some(Verdict::Violate) {
                    true => Expr::and_all([Expr::is_not_null(operand), violation]),
                    false => violation,
                })
            }
            RuleKind::ForbiddenValues { values } => {
                let (operand, listed) = self.listed(values)?;
                let violation = self.violation(&[&operand], listed, Verdict::Pass);
                Ok(match values.contains(&Json::Null) && self.rule.on_null.is_none() {
                    true => Expr::or_all([Expr::is_null(operand), violation]),
                    false => violation,
                })
            }
            RuleKind::Regex { pattern } => {
                let text = self.text()?;
                pattern::portable(pattern).map_err(|error| error.to_string())?;
                let matched = Expr::matches(text.clone(), pattern.as_str());
                Ok(self.violation(&[&text], Expr::not(matched), Verdict::Pass))
            }
            RuleKind::Like { pattern } => {
                let text = self.text()?;
                escapes_are_whole(pattern)?;
                let matched = Expr::like(text.clone(), Expr::text(pattern.as_str()));
                Ok(self.violation(&[&text], Expr::not(matched), Verdict::Pass))
            }
            RuleKind::Length { min, max } => {
                let text = self.text()?;
                let length = call("length", vec![text.clone()])?;
                let bound = |op, bound: &Option<u64>| {
                    let bound = i64::try_from((*bound)?).unwrap_or(i64::MAX);
                    Some(Expr::binary(op, length.clone(), Expr::int(bound)))
                };
                let outside = bound(BinaryOp::Less, min).into_iter().chain(bound(BinaryOp::Greater, max));
                Ok(self.violation(&[&text], Expr::or_all(outside), Verdict::Pass))
            }
            RuleKind::DateFormat { format } => {
                let text = self.text()?;
                // A day that does not exist is no unknown: only the text itself can be NULL.
                let unreadable = Expr::not(reads_as(&text, format)?);
                let unreadable = Expr::case(vec![(Expr::is_not_null(text.clone()), unreadable)], None);
                Ok(self.violation(&[&text], unreadable, Verdict::Pass))
            }
            RuleKind::NotInFuture => {
                let (name, operand) = self.column()?;
                let now = match operand.data_type {
                    DataType::Date => functions::CURRENT_DATE,
                    DataType::Timestamp => functions::CURRENT_TIMESTAMP,
                    ref other => return Err(format!("the rule judges dates and timestamps, {name} is {other}")),
                };
                let later = Expr::binary(BinaryOp::Greater, operand.clone(), call(now, Vec::new())?);
                Ok(self.violation(&[&operand], later, Verdict::Pass))
            }
            RuleKind::OlderThanColumn { other, min_days } => {
                let (operand, other) = self.pair(other)?;
                for side in [&operand, &other] {
                    if !matches!(side.data_type, DataType::Date | DataType::Timestamp | DataType::Unknown) {
                        return Err(format!(
                            "the rule compares dates and timestamps, one of the two is {}",
                            side.data_type
                        ));
                    }
                }
                let younger = match min_days {
                    Some(days) => {
                        let day = |side: &Expr| match side.data_type {
                            DataType::Timestamp => Expr::cast(side.clone(), DataType::Date),
                            _ => side.clone(),
                        };
                        let between = call("days_between", vec![day(&other), day(&operand)])?;
                        Expr::binary(BinaryOp::Less, between, Expr::int((*days).into()))
                    }
                    None => Expr::binary(BinaryOp::Greater, operand.clone(), other.clone()),
                };
                Ok(self.violation(&[&operand, &other], younger, Verdict::Violate))
            }
            RuleKind::CompareColumns { operator, other } => {
                let (operand, other) = self.pair(other)?;
                let holds = compared(*operator, operand.clone(), other.clone());
                Ok(self.violation(&[&operand, &other], Expr::not(holds), Verdict::Violate))
            }
            RuleKind::CheckConstraint { expression } => {
                let holds = predicate(expression, self.schema)?;
                let unknown_violates = self.rule.on_null == Some(Verdict::Violate);
                Ok(Expr::not(Expr::or_else(holds, !unknown_violates)))
            }
            other => Err(format!("{} judges no single row", other.name())),
        }
    }

    /// The check of raw text: it has the type, or is blank.
    pub(super) fn raw_text(&self, stated: Option<&str>) -> Result<Check, String> {
        let (column, operand) = self.column()?;
        let data_type = match stated {
            Some(text) => DataType::parse(text).map_err(|error| error.to_string())?,
            None => operand.data_type,
        };
        let raw = Expr::column(&column, DataType::String);
        let present = Expr::not(Expr::equal(call("trim", vec![raw.clone()])?, Expr::text("")));
        let unreadable = Expr::is_null(Expr::cast(raw, data_type.clone()));
        let absent_violates = self.rule.on_null == Some(Verdict::Violate);
        let present = Expr::or_else(present, false);
        let violation = match absent_violates {
            true => Expr::or_all([Expr::not(present), unreadable]),
            false => Expr::and_all([present, unreadable]),
        };
        Ok(Check::Type { column, data_type, violation })
    }

    /// A two-valued violation: NULL as the rule says (else it passes), a NaN in an operand as the rule says (else
    /// `on_nan`).
    fn violation(&self, operands: &[&Expr], violated: Expr, on_nan: Verdict) -> Expr {
        let violated = Expr::or_else(violated, self.rule.on_null == Some(Verdict::Violate));
        let floating = operands.iter().filter(|operand| operand.data_type.is_floating());
        let nans: Vec<Expr> = floating.map(|operand| Expr::is_nan((*operand).clone())).collect();
        if nans.is_empty() {
            return violated;
        }
        match self.rule.on_nan.unwrap_or(on_nan) {
            Verdict::Violate => Expr::or_all(nans.into_iter().chain([violated])),
            Verdict::Pass => Expr::and_all(nans.into_iter().map(Expr::not).chain([violated])),
        }
    }

    /// True where the column lies outside the bounds.
    fn outside(&self, min: Option<&Json>, max: Option<&Json>) -> Result<Expr, String> {
        let (name, operand) = self.column()?;
        let bound = |op, value: &Json| {
            let bound = constant(&name, &operand.data_type, value)?;
            Ok::<_, String>(Expr::binary(op, operand.clone(), bound))
        };
        let low = min.map(|value| bound(BinaryOp::Less, value)).transpose()?;
        let high = max.map(|value| bound(BinaryOp::Greater, value)).transpose()?;
        let outside = Expr::or_all(low.into_iter().chain(high));
        Ok(self.violation(&[&operand], outside, Verdict::Violate))
    }

    /// The column, and whether its value is one of these; a null among them is left out.
    fn listed(&self, values: &[Json]) -> Result<(Expr, Expr), String> {
        let (name, operand) = self.column()?;
        let list = values.iter().filter(|value| !value.is_null());
        let list = list.map(|value| constant(&name, &operand.data_type, value)).collect::<Result<Vec<_>, _>>()?;
        Ok((operand.clone(), Expr::in_list(operand, list)))
    }

    fn text(&self) -> Result<Expr, String> {
        let (name, operand) = self.column()?;
        match operand.data_type {
            DataType::String | DataType::Char(_) | DataType::Varchar(_) | DataType::Unknown => Ok(operand),
            other => Err(format!("the rule judges text, {name} is {other}")),
        }
    }

    /// The rule's column and another one that it can be compared with.
    fn pair(&self, other: &str) -> Result<(Expr, Expr), String> {
        let (name, operand) = self.column()?;
        let other = typed(find(other, self.schema)?);
        if operand.data_type.is_comparable_with(&other.data_type) {
            return Ok((operand, other));
        }
        Err(format!("{name} is {}, which does not compare with {}", operand.data_type, other.data_type))
    }
}

fn compared(operator: Comparison, left: Expr, right: Expr) -> Expr {
    let op = match operator {
        Comparison::Equal => BinaryOp::Equal,
        Comparison::NotEqual => return Expr::not(Expr::equal(left, right)),
        Comparison::Less => BinaryOp::Less,
        Comparison::LessOrEqual => BinaryOp::LessOrEqual,
        Comparison::Greater => BinaryOp::Greater,
        Comparison::GreaterOrEqual => BinaryOp::GreaterOrEqual,
    };
    Expr::binary(op, left, right)
}

/// Whether a text is a day that exists, or such a day and a time, in a format.
fn reads_as(text: &Expr, format: &str) -> Result<Expr, String> {
    let canonical = if format.contains('%') { dates::from_mysql(format) } else { dates::from_java(format) };
    let refused = "the format needs one year, month and day (yyyy, MM, dd) and may have HH, mm and ss; \
                   other letters mean different things on different engines";
    let format = canonical.filter(|format| dates::parts_once(format)).ok_or_else(|| format!("{format}: {refused}"))?;
    let part = |name: &str| {
        let at = dates::place(&format, name).unwrap_or_default();
        let (start, length) = (Expr::int(at as i64 + 1), Expr::int(name.len() as i64));
        call("substring", vec![text.clone(), start, length])
    };
    let dash = || Expr::text("-");
    let day = call("concat", vec![part("yyyy")?, dash(), part("MM")?, dash(), part("dd")?])?;
    let exists = Expr::is_not_null(Expr::cast(day, DataType::Date));
    Ok(Expr::and_all([Expr::matches(text.clone(), dates::strict_shape(&format)), exists]))
}

/// In a LIKE pattern a backslash stands before `%`, `_` or another backslash; engines differ about every other.
fn escapes_are_whole(pattern: &str) -> Result<(), String> {
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c == '\\' && !matches!(chars.next(), Some('%' | '_' | '\\')) {
            return Err(format!(
                "{pattern}: a backslash stands before %, _ or another backslash; write \\\\ for itself"
            ));
        }
    }
    Ok(())
}

/// A constant of the document as one of the column's type.
pub(super) fn constant(column: &str, data_type: &DataType, value: &Json) -> Result<Expr, String> {
    let mismatch = || format!("{value} is no {data_type}, the type of {column}");
    let literal = match value {
        Json::String(text) => parse::beside(Expr::text(text.as_str()), data_type),
        Json::Bool(flag) => Expr::boolean(*flag),
        Json::Number(number) => {
            let text = number.to_string();
            let magnitude = parse::number(text.trim_start_matches('-')).ok_or_else(mismatch)?;
            let literal = Expr::literal(magnitude);
            let literal = if text.starts_with('-') { Expr::negate(literal) } else { literal };
            parse::beside(literal, data_type)
        }
        _ => return Err(mismatch()),
    };
    let fits = match data_type {
        DataType::Unknown => true,
        DataType::String | DataType::Char(_) | DataType::Varchar(_) => literal.data_type == DataType::String,
        DataType::Date => matches!(literal.data_type, DataType::Date | DataType::Timestamp),
        DataType::Timestamp | DataType::Boolean => literal.data_type == *data_type,
        numeric if numeric.is_numeric() => literal.data_type.is_numeric(),
        _ => false,
    };
    if fits { Ok(literal) } else { Err(mismatch()) }
}

fn call(function: &str, args: Vec<Expr>) -> Result<Expr, String> {
    Expr::call(function, args).ok_or_else(|| format!("the function table has no {function}"))
}
