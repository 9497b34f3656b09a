//! A script's text in sections: its top-level statements, each parsed by itself.
//!
//! What a section means depends on its text alone. So an edit costs the parsing of the section that it is in, any
//! sequence of edits gives the syntax tree of the text as it then is, and what the parser cannot make sense of spoils no
//! other section. The bodies of long compound statements are sections in turn.
//!
//! Where sections begin is told from indentation, brackets and quotes, which takes one look at each byte.

use std::ops::Range;

/// A line as Python sees it: it goes on while a bracket or a string is open.
#[derive(Clone, Copy, Debug)]
struct Line {
    start: usize,
    indent: usize,
    first: First,
    /// Whether it ends with a colon, as the header of an indented block does.
    opens_block: bool,
}

/// What a line begins with, as far as sections depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    /// Nothing, or a comment.
    Blank,
    /// A decorator, which belongs to what follows.
    Decorator,
    /// A further part of a compound statement: `else`, `elif`, `except`, `finally`.
    Continuation,
    Other,
}

/// A statement, or the comments and blank lines at the top of a script, with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// Its bytes: whole lines.
    pub range: Range<usize>,
    /// The headers of a long compound statement with the sections below each, where it is taken apart.
    pub blocks: Vec<Block>,
}

/// The indented block below a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Its bytes: whole lines.
    pub range: Range<usize>,
    /// Where its first statement begins.
    pub first: usize,
    pub sections: Vec<Section>,
}

/// A compound statement of fewer bytes is parsed as a whole.
const LONG: usize = 1024;

/// Blocks nested deeper than this are parsed with what they are in.
const MAX_NESTING: usize = 16;

/// Statements of a text that nothing closes, each of which is looked at to the end of the text.
const MAX_UNCLOSED: usize = 32;

/// Cuts a text into sections that follow each other without a gap.
pub(super) fn cut(text: &str) -> Vec<Section> {
    let lines = lines(text.as_bytes());
    sections(&lines, text.len(), 0, 0)
}

/// The sections of lines that end at `end`; each begins with a line that is not indented deeper than a level.
fn sections(lines: &[Line], end: usize, level: usize, nesting: usize) -> Vec<Section> {
    let mut starts = Vec::new();
    // Blank lines and decorators belong to what follows them.
    let mut begun = None;
    let mut decorated = false;
    for (index, line) in lines.iter().enumerate() {
        match line.first {
            First::Blank => continue,
            _ if line.indent > level => continue,
            First::Continuation if begun.is_some() => continue,
            _ => {}
        }
        if !decorated {
            starts.push(if begun.is_none() { 0 } else { index });
        }
        begun = Some(index);
        decorated = line.first == First::Decorator;
    }
    if begun.is_none() && !lines.is_empty() {
        starts.push(0);
    }
    let ends = starts.iter().skip(1).copied().chain([lines.len()]);
    let parts = starts.iter().zip(ends);
    parts
        .filter_map(|(&from, to)| {
            let part = lines.get(from..to)?;
            let range = part.first()?.start..lines.get(to).map_or(end, |next| next.start);
            let blocks = if range.len() < LONG || nesting >= MAX_NESTING {
                Vec::new()
            } else {
                blocks(part, range.end, level, nesting)
            };
            Some(Section { range, blocks })
        })
        .collect()
}

/// The indented blocks of a compound statement whose headers stand at a level; none where it is no such statement.
fn blocks(lines: &[Line], end: usize, level: usize, nesting: usize) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut index = 0;
    while let Some(line) = lines.get(index) {
        index += 1;
        if line.first == First::Blank || line.indent > level || !line.opens_block {
            continue;
        }
        let from = index;
        let is_inside = |line: &Line| line.first == First::Blank || line.indent > level;
        index += lines.get(from..).unwrap_or_default().iter().take_while(|line| is_inside(line)).count();
        let below = lines.get(from..index).unwrap_or_default();
        if let Some(top) = below.first()
            && let Some(statement) = below.iter().find(|line| line.first != First::Blank)
        {
            let range = top.start..lines.get(index).map_or(end, |next| next.start);
            let first = statement.start + statement.indent;
            let sections = sections(below, range.end, statement.indent, nesting + 1);
            blocks.push(Block { range, first, sections });
        }
    }
    blocks
}

/// The lines of a text as Python sees them.
///
/// A line whose bracket or string nothing closes, as it is while it is typed, ends before the next line that is not
/// indented deeper and begins with a word: what follows keeps its meaning.
fn lines(text: &[u8]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut at = 0;
    let mut unclosed = 0;
    while at < text.len() {
        let start = at;
        while matches!(text.get(at), Some(b' ' | b'\t' | b'\x0c')) {
            at += 1;
        }
        let indent = at - start;
        let first = first(text, at);
        let (end, opens_block) = match end_of_line(text, at) {
            Some(end) => end,
            None if unclosed < MAX_UNCLOSED => {
                unclosed += 1;
                (next_statement(text, at, indent), false)
            }
            None => (text.len(), false),
        };
        at = end;
        lines.push(Line { start, indent, first, opens_block });
    }
    lines
}

/// What stands at the beginning of a line.
fn first(text: &[u8], at: usize) -> First {
    match text.get(at) {
        None | Some(b'\n' | b'\r' | b'#') => First::Blank,
        Some(b'@') => First::Decorator,
        Some(b'e' | b'f') => {
            let rest = text.get(at..).unwrap_or_default();
            let length = rest.iter().take_while(|byte| is_word(**byte)).count();
            match rest.get(..length) {
                Some(b"else" | b"elif" | b"except" | b"finally") => First::Continuation,
                _ => First::Other,
            }
        }
        _ => First::Other,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Where the line ends that goes on at a place, and whether it ends with a colon; `None` where nothing closes it.
fn end_of_line(text: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let mut depth = 0_usize;
    let mut last = b' ';
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'\n' if depth == 0 => return Some((at, last == b':')),
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            b'#' => {
                at += text.get(at..)?.iter().take_while(|byte| **byte != b'\n').count();
                continue;
            }
            b'\\' => {
                // The line goes on behind a break that is escaped.
                at += usize::from(text.get(at) == Some(&b'\r') && text.get(at + 1) == Some(&b'\n'));
                at += usize::from(text.get(at) == Some(&b'\n'));
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' | b'\'' => at = end_of_string(text, at, byte)?,
            _ => {}
        }
        last = byte;
    }
    (depth == 0).then_some((at, last == b':'))
}

/// Where a string ends whose first quote stands before a place. One quote closes at the end of its line at the latest;
/// `None` where nothing closes three.
fn end_of_string(text: &[u8], mut at: usize, quote: u8) -> Option<usize> {
    let is_quote = |at: usize| text.get(at) == Some(&quote);
    if is_quote(at) && is_quote(at + 1) {
        at += 2;
        while let Some(&byte) = text.get(at) {
            at += 1;
            if byte == b'\\' {
                at += 1;
            } else if byte == quote && is_quote(at) && is_quote(at + 1) {
                return Some(at + 2);
            }
        }
        return None;
    }
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\n' => return Some(at),
            b'\\' => {
                at += 1;
                at += usize::from(text.get(at) == Some(&b'\r') && text.get(at + 1) == Some(&b'\n'));
                at += 1;
            }
            _ => at += 1,
        }
        if byte == quote {
            break;
        }
    }
    Some(at.min(text.len()))
}

/// The start of the next line that begins with a word or a decorator and is not indented deeper.
fn next_statement(text: &[u8], mut at: usize, indent: usize) -> usize {
    loop {
        match text.get(at..).unwrap_or_default().iter().position(|byte| *byte == b'\n') {
            Some(newline) => at += newline + 1,
            None => return text.len(),
        }
        let rest = text.get(at..).unwrap_or_default();
        let deep = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\x0c')).count();
        if deep <= indent && rest.get(deep).is_some_and(|byte| is_word(*byte) || *byte == b'@') {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sections of a text, with those of their blocks, one a line: the first line of each.
    fn check(text: &str, expected: &str) {
        let mut found = String::new();
        show(text, &cut(text), 0..text.len(), 0, &mut found);
        assert_eq!(found.trim_end(), expected.trim_matches('\n'));
    }

    fn show(text: &str, sections: &[Section], whole: Range<usize>, depth: usize, shown: &mut String) {
        let mut at = whole.start;
        for section in sections {
            assert_eq!(section.range.start, at, "sections leave nothing out");
            at = section.range.end;
            let line = text[section.range.clone()].trim().lines().next().unwrap_or_default();
            *shown += &format!("{}{line}\n", "  ".repeat(depth));
            for block in &section.blocks {
                show(text, &block.sections, block.range.clone(), depth + 1, shown);
            }
        }
        assert_eq!(at, whole.end, "sections leave nothing out");
    }

    #[test]
    fn each_top_level_statement_is_a_section() {
        check(
            "# a job\nimport sys\nx = [\n1,\n2]\n\nif x:\n    y = 1\nelse:\n    y = 2\n@udf\ndef f(\na):\n    return a\ny = \\\n2\n",
            "# a job\nx = [\nif x:\n@udf\ny = \\",
        );
        check("", "");
        check("# only a comment", "# only a comment");
        check("elsewhere = 1\nexcept_ = 2\nelse:\n  x\n", "elsewhere = 1\nexcept_ = 2");
    }

    #[test]
    fn strings_hide_what_they_hold() {
        check("a = '''\nb = 1\n\\'''\nc'''\nd = \"it's (\"\ne = 'x\\\ny'\nf\n", "a = '''\nd = \"it's (\"\ne = 'x\\\nf");
        check("a = 1 # it's (\nb = 2\n", "a = 1 # it's (\nb = 2");
    }

    #[test]
    fn what_is_not_closed_ends_at_the_next_statement() {
        check("a = df.select(\n  'x',\n\nb = 1\nc = 2\n", "a = df.select(\nb = 1\nc = 2");
        check("a = F.col('x)\nb = 1\n", "a = F.col('x)\nb = 1");
        check("a = \"\"\"SELECT\nFROM t\nb = 1\n", "a = \"\"\"SELECT\nFROM t\nb = 1");
        check("a = 1)\nb = 2\n", "a = 1)\nb = 2");
        check("def f():\n    x = g(\n    y = 1\nz = 1\n", "def f():\nz = 1");
    }

    #[test]
    fn bodies_of_long_statements_are_sections_in_turn() {
        let long = "x".repeat(LONG);
        check(
            &format!(
                "try:\n    a = '{long}'\n    # note\n    def f():\n        b\nexcept E: # no\n    c\nfinally: d\ne\n"
            ),
            &format!("try:\n  a = '{long}'\n  def f():\n  c\ne"),
        );
        check(
            &format!("@d\nclass C:\n  @p\n  def f(self):\n    x = '{long}'\n    y\n\n  z = 1\n"),
            &format!("@d\n  @p\n    x = '{long}'\n    y\n  z = 1"),
        );
    }

    #[test]
    fn a_text_of_open_brackets_is_cut_in_linear_time() {
        let text = "(\nx\n".repeat(20_000);
        assert!(cut(&text).len() > MAX_UNCLOSED);
    }
}
