//! Where a cursor stands in a script that is being typed: the word, open strings and open brackets.

use std::ops::Range;

/// The surroundings of a cursor.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The word that the cursor stands in or behind; empty where there is none.
    pub word: Range<usize>,
    /// What would close the strings and brackets that are open where the cursor's line ends, innermost first. Those
    /// that the text below closes are among them.
    pub closers: String,
    /// Where the cursor's line ends.
    pub line_end: usize,
    /// The innermost bracket that is open at the cursor.
    pub bracket: Option<usize>,
    /// Whether it stands in a string or a comment.
    pub in_string: bool,
}

/// Reads Python up to the end of the cursor's line. `offset` is a place of the text.
pub(crate) fn cursor(text: &str, offset: usize) -> Cursor {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let (before, after) = text.split_at(offset);
    let word_char = |c: char| c.is_alphanumeric() || c == '_';
    let start = offset - before.chars().rev().take_while(|c| word_char(*c)).map(char::len_utf8).sum::<usize>();
    let end = offset + after.chars().take_while(|c| word_char(*c)).map(char::len_utf8).sum::<usize>();
    let line_end = after.find(['\n', '\r']).map_or(text.len(), |length| offset + length);

    let mut lexer = Lexer::default();
    let bytes = text.as_bytes();
    lexer.run(bytes, 0, offset);
    let (bracket, in_string) = (lexer.brackets.last().map(|(_, at)| *at), lexer.string.is_some() || lexer.comment);
    let at = lexer.at;
    lexer.run(bytes, at, line_end);
    let quote = lexer.string.map(|quote| match quote {
        Quote { byte, triple: true } => String::from_utf8_lossy(&[byte; 3]).into_owned(),
        Quote { byte, triple: false } => char::from(byte).to_string(),
    });
    let brackets = lexer.brackets.iter().rev().map(|(byte, _)| char::from(*byte));
    Cursor {
        word: start..end,
        closers: quote.into_iter().flat_map(|q| q.chars().collect::<Vec<_>>()).chain(brackets).collect(),
        line_end,
        bracket,
        in_string,
    }
}

/// Strings, comments and brackets of Python, and nothing else of it.
#[derive(Default)]
pub(super) struct Lexer {
    at: usize,
    string: Option<Quote>,
    comment: bool,
    /// What closes each open bracket, and where it was opened.
    brackets: Vec<(u8, usize)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Quote {
    byte: u8,
    triple: bool,
}

impl Lexer {
    /// Where it has come to; what began before an end may reach behind it.
    pub(super) fn place(&self) -> usize {
        self.at
    }

    /// Whether a bracket or a string is open.
    pub(super) fn is_open(&self) -> bool {
        self.string.is_some() || !self.brackets.is_empty()
    }

    pub(super) fn run(&mut self, text: &[u8], from: usize, to: usize) {
        self.at = from;
        while self.at < to
            && let Some(&byte) = text.get(self.at)
        {
            self.at += self.step(text, byte);
        }
    }

    /// Takes in what starts here; how many bytes it is.
    fn step(&mut self, text: &[u8], byte: u8) -> usize {
        let triple = |byte: u8| text.get(self.at..self.at + 3) == Some(&[byte; 3]);
        match (self.string, byte) {
            _ if self.comment => self.comment = byte != b'\n',
            (Some(_), b'\\') => return 2,
            (Some(quote), _) if byte == quote.byte => {
                if !quote.triple {
                    self.string = None;
                } else if triple(byte) {
                    self.string = None;
                    return 3;
                }
            }
            // A string of one line ends with it, closed or not.
            (Some(quote), b'\n') if !quote.triple => self.string = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => {
                let triple = triple(byte);
                self.string = Some(Quote { byte, triple });
                return if triple { 3 } else { 1 };
            }
            (None, b'#') => self.comment = true,
            (None, b'(') => self.brackets.push((b')', self.at)),
            (None, b'[') => self.brackets.push((b']', self.at)),
            (None, b'{') => self.brackets.push((b'}', self.at)),
            (None, b')' | b']' | b'}') => drop(self.brackets.pop()),
            (None, _) => {}
        }
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(marked: &str) -> Cursor {
        let offset = marked.find("$0").unwrap();
        cursor(&marked.replace("$0", ""), offset)
    }

    #[test]
    fn the_word_reaches_to_both_sides() {
        assert_eq!(at("df.sel$0ect(x)").word, 3..9);
        assert_eq!(at("f('é$0')").word, 3..5);
        assert_eq!(at("f($0)").word, 2..2);
    }

    #[test]
    fn what_is_open_is_closed_from_within() {
        assert_eq!(at("df.select(F.col(\"a$0\nnext").closers, "\"))");
        assert_eq!(at("f(x)  # (\ng['$0']\n").closers, "");
        assert_eq!(at("q = \"\"\"select $0\nfrom t\"\"\"").closers, "\"\"\"");
        assert_eq!(at("a = 'it\\'s'\nf({'k': [$0").closers, "]})");
    }

    #[test]
    fn the_innermost_bracket_and_strings_are_known() {
        assert_eq!(at("f(g(1), $0)").bracket, Some(1));
        assert_eq!(at("f(g($0), 2)").bracket, Some(3));
        assert!(at("f('$0')").in_string);
        assert!(!at("f('', $0)").in_string);
    }
}
