//! The comments that Glue's first visual editor wrote above each call: `## @args: [database = "sales"]`. Nothing reads
//! them, so they go stale where the call is changed by hand.

use crate::ordered::IndexSet;

use crate::facts::Diagnostic;
use crate::hints::hint;
use crate::range::TextRange;
use crate::syntax::ast::{ArgKind, Block, Expr, ExprKind, StmtKind, StrPart};

/// Adds a hint for each annotation that says something else than the statement below it. Only constants are compared.
pub(crate) fn check(text: &str, script: &Block, diagnostics: &mut IndexSet<Diagnostic>) {
    let statements = script.sections().flat_map(|(offset, part)| part.iter().map(move |statement| (offset, statement)));
    for (offset, statement) in statements {
        let (target, value) = match &statement.kind {
            StmtKind::Assign { targets, value } => (targets.as_slice(), value),
            StmtKind::Expr(value) => (&[][..], value),
            _ => continue,
        };
        for (line, start) in annotations(text, statement.range.at(offset).start as usize) {
            if let Some(rest) = line.strip_prefix("## @return:") {
                let name = rest.trim();
                if let [Expr { kind: ExprKind::Name(target), .. }] = target
                    && !name.is_empty()
                    && target != name
                {
                    let message = format!("The result is called `{target}` now.");
                    diagnostics.insert(stale(line, start, name, message));
                }
            } else if let Some(rest) = line.strip_prefix("## @args:") {
                for (key, said) in constants(rest) {
                    if let Some(actual) = constant_argument(value, key).filter(|actual| *actual != said) {
                        let message = format!("`{key}` is \"{actual}\" now.");
                        diagnostics.insert(stale(line, start, said, message));
                    }
                }
            }
        }
    }
}

/// The annotations right above a place, with the offsets at which their lines start; the lowest first. The first of a
/// call names its `@type`.
fn annotations(text: &str, place: usize) -> Vec<(&str, usize)> {
    let mut end = text.get(..place).and_then(|before| before.rfind('\n')).unwrap_or(0);
    let mut lines = Vec::new();
    while end > 0 {
        let before = text.get(..end).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.get(start..).unwrap_or_default();
        if !line.starts_with("## @") {
            break;
        }
        lines.push((line, start));
        if line.starts_with("## @type:") {
            break;
        }
        end = start.saturating_sub(1);
    }
    lines
}

/// A part of an annotation that is no longer so.
fn stale(line: &str, start: usize, part: &str, message: String) -> Diagnostic {
    let at = start + (part.as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
    hint("stale-annotation", TextRange::new(at, at + part.len()), message)
}

/// The entries `key = "value"` of a list in brackets; those within further brackets are none of it.
fn constants(list: &str) -> Vec<(&str, &str)> {
    let Some(list) = list.trim().strip_prefix('[').and_then(|list| list.strip_suffix(']')) else { return Vec::new() };
    let (mut depth, mut quoted) = (0u32, false);
    let entries = list.split(|c: char| {
        match c {
            '"' => quoted = !quoted,
            '[' | '(' | '{' if !quoted => depth += 1,
            ']' | ')' | '}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0 && !quoted
    });
    entries
        .filter_map(|entry| {
            let (key, value) = entry.split_once('=')?;
            let value = value.trim().strip_prefix('"')?.strip_suffix('"')?;
            (!value.contains(['"', '\\'])).then_some((key.trim(), value))
        })
        .collect()
}

/// The constant text that a call, or the call that it is made on, is given by this keyword.
fn constant_argument<'e>(call: &'e Expr, keyword: &str) -> Option<&'e str> {
    let ExprKind::Call { function, args } = &call.kind else { return None };
    let given = args.iter().find(|arg| matches!(&arg.kind, ArgKind::Keyword { name, .. } if name == keyword));
    match (given, &function.kind) {
        (Some(arg), _) => match &arg.value.kind {
            ExprKind::Str(parts) => match parts.as_slice() {
                [StrPart::Literal { text, .. }] => Some(text),
                _ => None,
            },
            _ => None,
        },
        (None, ExprKind::Attribute { object, .. }) => constant_argument(object, keyword),
        _ => None,
    }
}
