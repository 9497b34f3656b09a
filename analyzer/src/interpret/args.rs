//! Arguments of a call.

use crate::range::TextRange;
use crate::value::Value;

/// Evaluated arguments with their places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Args {
    pub positional: Vec<(Value, TextRange)>,
    pub keywords: Vec<Keyword>,
    /// Whether there may be further arguments (`*unknown`, `**unknown`).
    pub open: bool,
    /// The whole call.
    pub range: TextRange,
}

/// `name=value`.
#[derive(Clone, Debug)]
pub(crate) struct Keyword {
    pub name: String,
    pub name_range: TextRange,
    pub value: Value,
    pub range: TextRange,
}

impl Args {
    pub(crate) fn new(range: TextRange) -> Self {
        Self { range, ..Self::default() }
    }

    /// Arguments of which nothing is known.
    pub(crate) fn unknown(range: TextRange) -> Self {
        Self { range, open: true, ..Self::default() }
    }

    pub(crate) fn of(values: Vec<Value>, range: TextRange) -> Self {
        Self { positional: values.into_iter().map(|value| (value, range)).collect(), range, ..Self::default() }
    }

    /// The argument at a position or of a name.
    pub(crate) fn get(&self, position: usize, name: &str) -> Option<&Value> {
        self.find(position, name).map(|(value, _)| value)
    }

    /// The same with its place.
    pub(crate) fn find(&self, position: usize, name: &str) -> Option<(&Value, TextRange)> {
        match self.positional.get(position) {
            Some((value, range)) => Some((value, *range)),
            None => self.keyword(name).map(|keyword| (&keyword.value, keyword.range)),
        }
    }

    pub(crate) fn keyword(&self, name: &str) -> Option<&Keyword> {
        self.keywords.iter().find(|keyword| keyword.name == name)
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Value> {
        self.keyword(name).map(|keyword| &keyword.value)
    }

    /// All values, positional first.
    pub(crate) fn values(&self) -> Vec<&Value> {
        self.positional
            .iter()
            .map(|(value, _)| value)
            .chain(self.keywords.iter().map(|keyword| &keyword.value))
            .collect()
    }

    /// The same arguments without the first `count` positional ones.
    pub(crate) fn skip(&self, count: usize) -> Args {
        Args { positional: self.positional.iter().skip(count).cloned().collect(), ..self.clone() }
    }
}
