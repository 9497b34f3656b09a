//! String literals: prefixes, escapes, interpolations.

use super::ast::{ExprKind, StrPart};
use super::node::{Children, Field, Kind, Node};
use super::{Lowering, range};

impl Lowering<'_> {
    /// A string, or several side by side.
    pub(super) fn string(&self, node: Node, children: &Children, depth: usize) -> ExprKind {
        let mut parts = Vec::new();
        let mut bytes = false;
        if node.kind == Kind::ConcatenatedString {
            for piece in children.named() {
                self.string_parts(&piece.children(), depth, &mut parts, &mut bytes);
            }
        } else {
            self.string_parts(children, depth, &mut parts, &mut bytes);
        }
        if bytes { ExprKind::Bytes } else { ExprKind::Str(parts) }
    }

    fn string_parts(&self, children: &Children, depth: usize, parts: &mut Vec<StrPart>, bytes: &mut bool) {
        let start = children.named().find(|child| child.kind == Kind::StringStart);
        let prefix = start.map(|start| self.slice(start).to_lowercase()).unwrap_or_default();
        let (raw, formatted) = (prefix.contains('r'), prefix.contains('f'));
        *bytes |= prefix.contains('b');
        for child in children.named() {
            match child.kind {
                Kind::StringContent => {
                    let written = self.slice(child);
                    let text = if raw { written.to_owned() } else { unescape(written) };
                    let text = if formatted { text.replace("{{", "{").replace("}}", "}") } else { text };
                    let at = (text == written).then(|| range(child));
                    parts.push(StrPart::Literal { text, at });
                }
                Kind::Interpolation => {
                    let interpolation = child.children();
                    if let Some(value) = interpolation.field(Field::Expression) {
                        let format = interpolation
                            .field(Field::FormatSpecifier)
                            .map(|format| self.slice(format).trim_start_matches(':').to_owned());
                        parts.push(StrPart::Value { value: self.expr(value, depth + 1), format });
                    }
                }
                _ => {}
            }
        }
    }
}

/// Python's escape sequences; an unknown one stays as it is written.
fn unescape(written: &str) -> String {
    if !written.contains('\\') {
        return written.to_owned();
    }
    let mut text = String::with_capacity(written.len());
    let mut chars = written.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('0') => text.push('\0'),
            Some(quote @ ('\\' | '\'' | '"')) => text.push(quote),
            Some('\n') => {}
            Some(digits @ ('x' | 'u')) => {
                let count = if digits == 'x' { 2 } else { 4 };
                let code: String = chars.clone().take(count).collect();
                match u32::from_str_radix(&code, 16).ok().and_then(char::from_u32) {
                    Some(decoded) if code.len() == count => {
                        text.push(decoded);
                        for _ in 0..count {
                            chars.next();
                        }
                    }
                    _ => text.extend(['\\', digits]),
                }
            }
            Some(other) => text.extend(['\\', other]),
            None => text.push('\\'),
        }
    }
    text
}
