//! When something holds that does not hold in every run, in the script's own words.

use std::fmt;
use std::sync::Arc;

/// What must be true for something to hold: all of its terms.
///
/// It reads as Python, such as `mode == "full" and not backfill`; `<?>` stands for what cannot be said, such as how
/// often a loop runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Condition(Arc<[Term]>);

/// One thing that must be true.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Term {
    /// An expression of the script is true.
    True(Arc<str>),
    /// It is false.
    False(Arc<str>),
    /// A handler runs, as its `except` says.
    Raised(Arc<str>),
    /// No handler runs.
    NothingRaised,
    /// It cannot be said.
    Unknown,
}

/// A condition longer than this, in bytes, is cut.
const MAX_TEXT: usize = 160;

/// A condition of more terms than this is not followed further.
pub(crate) const MAX_TERMS: usize = 8;

impl Term {
    /// The term that an expression of this text is true; `negated` where the text stands behind a `not`.
    pub(crate) fn of(written: &str, negated: bool) -> Self {
        let text = one_line(written);
        if negated { Term::False(text) } else { Term::True(text) }
    }

    /// The term that a handler runs, from the text between `except` and its colon.
    pub(crate) fn raised(caught: &str) -> Self {
        Term::Raised(one_line(format!("except {caught}").trim()))
    }

    /// What is true where this is not.
    pub(crate) fn negated(&self) -> Self {
        match self {
            Term::True(text) => Term::False(text.clone()),
            Term::False(text) => Term::True(text.clone()),
            Term::Raised(_) => Term::NothingRaised,
            Term::NothingRaised | Term::Unknown => Term::Unknown,
        }
    }
}

impl Condition {
    /// All of these terms are true; `None` where there are none.
    pub(crate) fn all(terms: &[Term]) -> Option<Self> {
        let mut kept: Vec<Term> = Vec::new();
        for term in terms.iter().take(2 * MAX_TERMS) {
            if !kept.contains(term) {
                kept.push(term.clone());
            }
        }
        if kept.len() > MAX_TERMS || terms.len() > 2 * MAX_TERMS {
            kept.truncate(MAX_TERMS - 1);
            kept.push(Term::Unknown);
        }
        (!kept.is_empty()).then(|| Self(kept.into()))
    }

    /// One that cannot be said.
    pub(crate) fn unknown() -> Self {
        Self([Term::Unknown].into())
    }

    /// Both are true.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let terms: Vec<Term> = self.0.iter().chain(other.0.iter()).cloned().collect();
        Self::all(&terms).unwrap_or_else(Self::unknown)
    }

    /// One of them is true; `None` where that is certain.
    pub(crate) fn or(&self, other: &Self) -> Option<Self> {
        let shared: Vec<Term> = self.0.iter().filter(|term| other.0.contains(term)).cloned().collect();
        let rest = |of: &Self| -> Vec<Term> { of.0.iter().filter(|term| !shared.contains(term)).cloned().collect() };
        match (rest(self).as_slice(), rest(other).as_slice()) {
            ([], _) | (_, []) => Self::all(&shared),
            ([one], [another]) if one.negated() == *another && *another != Term::Unknown => Self::all(&shared),
            _ => Some(Self::all(&[shared.as_slice(), &[Term::Unknown]].concat()).unwrap_or_else(Self::unknown)),
        }
    }

    /// [`Condition::or`] of facts that may hold always.
    pub(crate) fn either(a: Option<&Self>, b: Option<&Self>) -> Option<Self> {
        a?.or(b?)
    }

    /// [`Condition::and`] of facts that may hold always.
    pub(crate) fn both(a: Option<&Self>, b: Option<&Self>) -> Option<Self> {
        match (a, b) {
            (Some(a), Some(b)) => Some(a.and(b)),
            (only, None) | (None, only) => only.cloned(),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, term) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(" and ")?;
            }
            match term {
                Term::True(text) if self.0.len() > 1 && binds_weakly(text) => write!(f, "({text})")?,
                Term::True(text) | Term::Raised(text) => f.write_str(text)?,
                Term::False(text) if text.contains(' ') => write!(f, "not ({text})")?,
                Term::False(text) => write!(f, "not {text}")?,
                Term::NothingRaised => f.write_str("no exception")?,
                Term::Unknown => f.write_str("<?>")?,
            }
        }
        Ok(())
    }
}

/// Whether an expression needs parentheses beside an `and`.
fn binds_weakly(text: &str) -> bool {
    [" or ", " if ", ":=", "lambda"].iter().any(|weak| text.contains(weak))
}

/// A text of the script on one line, without comments.
fn one_line(written: &str) -> Arc<str> {
    let mut text = String::new();
    for line in written.lines() {
        // A sign behind an opened quote is part of a text.
        let is_closed = |code: &str| ['"', '\''].iter().all(|quote| code.matches(*quote).count().is_multiple_of(2));
        let code = match line.split_once('#') {
            Some((code, _)) if is_closed(code) => code,
            _ => line,
        };
        for word in code.split_whitespace() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
        if text.len() > MAX_TEXT {
            let end = (0..=MAX_TEXT).rev().find(|end| text.is_char_boundary(*end));
            text.truncate(end.unwrap_or_default());
            text.push('…');
            break;
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(terms: &[Term]) -> Condition {
        Condition::all(terms).unwrap()
    }

    #[test]
    fn reads_as_python() {
        let full = Term::of("mode  ==\n  \"full\"  # all of it", false);
        let dry = Term::of("dry_run", true);
        let either = Term::of("a or b", false);
        assert_eq!(
            condition(&[full.clone(), dry.clone(), either]).to_string(),
            "mode == \"full\" and not dry_run and (a or b)"
        );
        assert_eq!(condition(&[full.negated(), dry.negated()]).to_string(), "not (mode == \"full\") and dry_run");
        assert_eq!(condition(&[Term::raised("KeyError as e")]).to_string(), "except KeyError as e");
        assert_eq!(condition(&[Term::raised("")]).to_string(), "except");
    }

    #[test]
    fn either_of_two_arms_is_certain() {
        let [a, b] = ["a", "b"].map(|text| Term::of(text, false));
        let [yes, no] = [condition(std::slice::from_ref(&a)), condition(&[a.negated()])];
        assert_eq!(yes.or(&no), None);
        assert_eq!(
            condition(&[b.clone(), a.clone()]).or(&condition(&[b.clone(), a.negated()])),
            Some(condition(std::slice::from_ref(&b)))
        );
        assert_eq!(yes.or(&condition(&[b])).unwrap().to_string(), "<?>");
        assert_eq!(yes.and(&yes), yes);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let text = condition(&[Term::of(&"é".repeat(500), false)]).to_string();
        assert!(text.ends_with('…') && text.len() <= MAX_TEXT + 4, "{text}");
    }
}
