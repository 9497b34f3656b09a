//! Hints: what a script does in vain, or says of itself that is no longer so. They are off by default.

use crate::ordered::{IndexMap, IndexSet};
use rustc_hash::FxHashMap;

use crate::facts::{Diagnostic, Severity};
use crate::interpret::Mention;
use crate::plan::{NodeId, NodeKind, Plan};
use crate::range::TextRange;
use crate::syntax::ast::{Expr, ExprKind};
use crate::value::Value;

/// Python's own ways to a variable whose name stands nowhere.
const BY_ANY_NAME: [&str; 5] = ["globals", "locals", "vars", "eval", "exec"];

/// Adds the hints of a script that writes; what another file imports from it is not known otherwise.
pub(crate) fn check(
    text: &str,
    plan: &Plan,
    mentions: &IndexMap<TextRange, Mention>,
    diagnostics: &mut IndexSet<Diagnostic>,
) {
    if plan.sinks.is_empty() {
        return;
    }
    let words = words(text);
    if BY_ANY_NAME.iter().any(|word| words.contains_key(word)) {
        return;
    }
    let assigned = mentions.iter().filter_map(|(range, mention)| match mention {
        Mention::Frame(node) if is_assigned(text, *range) => Some((*range, *node)),
        _ => None,
    });
    let assigned: Vec<(TextRange, NodeId)> = assigned.collect();
    let mut targets: FxHashMap<&str, usize> = FxHashMap::default();
    for (range, _) in &assigned {
        *targets.entry(range.slice(text)).or_default() += 1;
    }
    let unread: Vec<(TextRange, NodeId)> = assigned
        .into_iter()
        .filter(|(range, node)| {
            let name = range.slice(text);
            words.get(name) == targets.get(name)
                && !name.starts_with('_')
                && is_made_behind(plan, *node, *range)
                && !is_tried(text, *range)
        })
        .collect();
    if unread.is_empty() {
        return;
    }
    let written: IndexSet<NodeId> = plan.sinks.iter().flat_map(|sink| plan.ancestry(sink.input)).collect();
    for (range, _) in unread.into_iter().filter(|(_, node)| !written.contains(node)) {
        let message = format!("Nothing uses `{}`.", range.slice(text));
        diagnostics.insert(hint("unused-frame", range, message));
    }
}

/// A statement that is nothing but a filter: the frame that it yields is nobody's.
pub(crate) fn filter_in_vain(plan: &Plan, statement: &Expr, section: u32, value: &Value) -> Option<Diagnostic> {
    let (Value::Frame(node) | Value::Dynamic(node)) = value else { return None };
    let ExprKind::Call { function, .. } = &statement.kind else { return None };
    let ExprKind::Attribute { name, name_range, .. } = &function.kind else { return None };
    let filters = matches!(name.as_str(), "filter" | "where")
        && matches!(plan.node(*node).map(|node| &node.kind), Some(NodeKind::Filter { .. }));
    let message = format!("This `{name}` reaches no output: it returns a new frame, which nothing takes.");
    filters.then(|| hint("unused-filter", name_range.at(section), message))
}

/// A hint without further places.
pub(crate) fn hint(code: &'static str, range: TextRange, message: String) -> Diagnostic {
    Diagnostic { code, severity: Severity::Hint, range, message, suggestions: Vec::new(), related: Vec::new() }
}

/// How often each word stands in a text, comments and strings included.
fn words(text: &str) -> FxHashMap<&str, usize> {
    let mut words: FxHashMap<&str, usize> = FxHashMap::default();
    for word in text.split(|c: char| !c.is_alphanumeric() && c != '_') {
        *words.entry(word).or_default() += 1;
    }
    words
}

/// Whether a name begins its line and is given a value there.
fn is_assigned(text: &str, range: TextRange) -> bool {
    let before = text.get(..range.start as usize).unwrap_or_default();
    let behind = text.get(range.end as usize..).unwrap_or_default().trim_start_matches([' ', '\t']);
    let indent = before.rsplit('\n').next().unwrap_or_default();
    indent.trim().is_empty() && behind.starts_with('=') && !behind.starts_with("==")
}

/// Whether a statement is the first one that a `try` tries: a frame that is read there tells whether it can be read.
fn is_tried(text: &str, range: TextRange) -> bool {
    let before = text.get(..range.start as usize).unwrap_or_default();
    before.trim_end().lines().next_back().is_some_and(|line| line.trim() == "try:")
}

/// Whether a frame is made behind a place: not by a call that gives back what it was called on after it has written it.
fn is_made_behind(plan: &Plan, node: NodeId, place: TextRange) -> bool {
    plan.node(node).is_some_and(|node| {
        let understood = !matches!(
            node.kind,
            NodeKind::Opaque { .. } | NodeKind::Values | NodeKind::Choice { .. } | NodeKind::Instance { .. }
        );
        understood && node.range.start >= place.end
    })
}
