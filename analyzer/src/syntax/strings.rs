//! String literals: prefixes, escapes, interpolations.

use tree_sitter::Node;

use super::ast::{ExprKind, StrPart};
use super::{Lowering, named_children};

impl Lowering<'_> {
    /// A `string` or `concatenated_string` node.
    pub(super) fn string(&self, node: Node, depth: usize) -> ExprKind {
        let mut parts = Vec::new();
        let mut bytes = false;
        let pieces = if node.kind() == "concatenated_string" { named_children(node) } else { vec![node] };
        for piece in pieces {
            self.string_parts(piece, depth, &mut parts, &mut bytes);
        }
        if bytes { ExprKind::Bytes } else { ExprKind::Str(parts) }
    }

    fn string_parts(&self, node: Node, depth: usize, parts: &mut Vec<StrPart>, bytes: &mut bool) {
        let children = named_children(node);
        let prefix = children
            .iter()
            .find(|child| child.kind() == "string_start")
            .map(|start| self.slice(*start).to_lowercase())
            .unwrap_or_default();
        let (raw, formatted) = (prefix.contains('r'), prefix.contains('f'));
        *bytes |= prefix.contains('b');
        for child in children {
            match child.kind() {
                "string_content" => {
                    let written = self.slice(child);
                    let text = if raw { written.to_owned() } else { unescape(written) };
                    let text = if formatted { text.replace("{{", "{").replace("}}", "}") } else { text };
                    let at = (text == written).then(|| u32::try_from(child.start_byte()).ok()).flatten();
                    parts.push(StrPart::Literal { text, at });
                }
                "interpolation" => {
                    if let Some(value) = self.field(child, "expression") {
                        let format = self
                            .field(child, "format_specifier")
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
