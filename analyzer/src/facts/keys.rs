//! Keys of a frame with what they rest on, and what else is known of its rows.

use contract::expr::ColumnId;

use super::Certainty;
use super::grain::names;
use crate::plan::Plan;

/// What a key rests on beyond the script.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Assumption {
    /// A contract promises it.
    Promised(String),
    /// Columns of unknown type have one that tells their values apart; nobody says so.
    Type(String),
}

impl Assumption {
    /// It in words.
    pub(crate) fn text(&self) -> &str {
        match self {
            Assumption::Promised(text) | Assumption::Type(text) => text,
        }
    }
}

/// A key with what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub columns: Vec<ColumnId>,
    pub assumptions: Vec<Assumption>,
    /// What made it.
    pub(super) reason: String,
    /// The `row_number()` that is one of the columns and numbers the rows of the others.
    pub(super) number: Option<ColumnId>,
    /// Whether a join behind what made it keeps it.
    pub(super) joined: bool,
}

impl Key {
    pub(super) fn new(columns: Vec<ColumnId>, reason: String) -> Self {
        Self { columns, assumptions: Vec::new(), reason, number: None, joined: false }
    }

    /// The same key of the rows of a join that meets none of them twice.
    pub(super) fn kept_by_join(&self, assumptions: Vec<Assumption>) -> Self {
        Self { assumptions, joined: true, ..self.clone() }
    }

    /// The key that is left of this one where its number is 1.
    pub(super) fn of_first_rows(&mut self, reason: String) {
        self.reason = reason;
        self.number = None;
    }

    /// Why it is one, in words.
    pub(crate) fn reason(&self) -> String {
        match self.joined {
            true => format!("{}, and the joins keep it", self.reason),
            false => self.reason.clone(),
        }
    }

    /// What it rests on, in words.
    pub(crate) fn assumed(&self) -> Vec<String> {
        self.assumptions.iter().map(|assumption| assumption.text().to_owned()).collect()
    }

    /// Proved, from a promise where need be, or assumed, where nobody promises what it rests on.
    pub(super) fn certainty(&self) -> Certainty {
        match self.assumptions.iter().any(|assumption| matches!(assumption, Assumption::Type(_))) {
            true => Certainty::Assumed,
            false => Certainty::Proved,
        }
    }
}

/// What is known of the rows of a frame.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    pub keys: Vec<Key>,
    /// Columns that have one value in all rows.
    pub(super) constants: Vec<ColumnId>,
    /// Pairs of columns that are equal in all rows.
    pub(super) equal: Vec<(ColumnId, ColumnId)>,
    /// Why there is no key, where there is none.
    pub(super) why_not: String,
}

/// More keys of one frame than this are not followed.
pub(super) const MAX_KEYS: usize = 6;

/// More constant columns, or pairs of equal ones, of one frame than this are not followed.
pub(super) const MAX_COLUMNS: usize = 64;

impl Keys {
    pub(super) fn of(key: Key) -> Self {
        Self { keys: vec![key], ..Self::default() }
    }

    pub(super) fn none(why_not: String) -> Self {
        Self { why_not, ..Self::default() }
    }

    pub(super) fn add(&mut self, key: Key) {
        // A key that contains another one says nothing new.
        let covered =
            |known: &Key| known.assumptions.is_empty() && known.columns.iter().all(|id| key.columns.contains(id));
        if !self.keys.iter().any(covered) && self.keys.len() < MAX_KEYS {
            self.keys.push(key);
        }
    }

    /// A column has one value in all rows: no key needs it.
    pub(super) fn fix(&mut self, column: ColumnId) {
        if self.constants.len() < MAX_COLUMNS {
            self.constants.push(column);
        }
        for key in &mut self.keys {
            key.columns.retain(|id| *id != column);
        }
    }

    /// A column has one value in all rows, if the assumption holds: each key that has it is one without it too.
    pub(super) fn fix_if(&mut self, column: ColumnId, assumption: &Assumption) {
        let shorter: Vec<Key> = self
            .keys
            .iter()
            .filter(|key| key.columns.contains(&column))
            .map(|key| {
                let mut key = key.clone();
                key.columns.retain(|id| *id != column);
                if !key.assumptions.contains(assumption) {
                    key.assumptions.push(assumption.clone());
                }
                key
            })
            .collect();
        for key in shorter {
            self.add(key);
        }
    }

    /// Each key is also one with the columns that a join has compared in place of its own, under the same assumptions.
    pub(super) fn swap(&mut self, pairs: &[(ColumnId, ColumnId)]) {
        let other = |id: &ColumnId| {
            let pair = pairs.iter().find(|(left, right)| left == id || right == id);
            pair.map_or(*id, |(left, right)| if left == id { *right } else { *left })
        };
        let swapped: Vec<Key> = self
            .keys
            .iter()
            .map(|key| Key { columns: key.columns.iter().map(other).collect(), ..key.clone() })
            .filter(|swapped| self.keys.iter().all(|key| key.columns != swapped.columns))
            .collect();
        for key in swapped {
            self.add(key);
        }
    }

    pub(super) fn are_equal(&self, a: ColumnId, b: ColumnId) -> bool {
        let mut reached = vec![a];
        let mut next = 0;
        while let Some(id) = reached.get(next).copied() {
            if id == b {
                return true;
            }
            for (x, y) in &self.equal {
                for (from, to) in [(x, y), (y, x)] {
                    if *from == id && !reached.contains(to) {
                        reached.push(*to);
                    }
                }
            }
            next += 1;
        }
        false
    }

    /// The first key that the columns contain, up to constants and equal columns.
    pub(crate) fn unique_on(&self, columns: &[ColumnId]) -> Option<&Key> {
        let contained = |id: &ColumnId| {
            self.constants.contains(id) || columns.iter().any(|column| column == id || self.are_equal(*column, *id))
        };
        self.keys.iter().filter(|key| key.columns.iter().all(contained)).min_by_key(|key| key.assumptions.len())
    }

    /// Why there is no key on these columns.
    pub(crate) fn why_not_unique(&self, plan: &Plan, columns: &[ColumnId]) -> String {
        match self.keys.first() {
            Some(key) => {
                format!("its rows are unique by {}, not by {}", names(plan, &key.columns), names(plan, columns))
            }
            None => self.why_not.clone(),
        }
    }
}
