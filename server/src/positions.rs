//! LSP positions and byte offsets: the only place that converts between them.
//!
//! A position is a line and a count of code units within it, in the encoding that client and server agreed on. Lines
//! end with `\n`, `\r\n` or `\r` and nothing else, which is what ropey counts with its feature `cr_lines` alone.
//! Whatever a client sends lands on a character boundary inside the text: behind a line's end on the line's end,
//! behind the last line on the text's end, inside a character on the character's start.

use std::ops;

use analyzer::TextRange;
use ropey::{Rope, RopeSlice};
use tower_lsp::ls_types::{Position, PositionEncodingKind, Range};

/// The unit in which positions count within a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Bytes.
    Utf8,
    /// UTF-16 code units, which every client understands.
    #[default]
    Utf16,
    /// Unicode scalar values.
    Utf32,
}

impl Encoding {
    /// The encoding to use with a client that offers these: bytes where it can, as they cost nothing to convert.
    pub(crate) fn negotiate(offered: Option<&[PositionEncodingKind]>) -> Self {
        let offers = |kind: PositionEncodingKind| offered.is_some_and(|offered| offered.contains(&kind));
        if offers(PositionEncodingKind::UTF8) {
            Self::Utf8
        } else if offers(PositionEncodingKind::UTF32) && !offers(PositionEncodingKind::UTF16) {
            Self::Utf32
        } else {
            Self::Utf16
        }
    }

    /// How the protocol names it.
    pub(crate) fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
            Self::Utf32 => PositionEncodingKind::UTF32,
        }
    }
}

/// Byte offset of a position.
pub(crate) fn to_offset(text: &Rope, position: Position, encoding: Encoding) -> usize {
    let line_index = usize::try_from(position.line).unwrap_or(usize::MAX);
    if line_index >= text.len_lines() {
        return text.len_bytes();
    }
    let line = text.line(line_index);
    let end = line.len_chars() - break_chars(line);
    let units = usize::try_from(position.character).unwrap_or(usize::MAX);
    let chars = match encoding {
        Encoding::Utf8 => line.byte_to_char(units.min(line.len_bytes())),
        Encoding::Utf16 => line.utf16_cu_to_char(units.min(line.len_utf16_cu())),
        Encoding::Utf32 => units,
    };
    text.line_to_byte(line_index) + line.char_to_byte(chars.min(end))
}

/// Position of a byte offset.
pub(crate) fn to_position(text: &Rope, offset: usize, encoding: Encoding) -> Position {
    let offset = offset.min(text.len_bytes());
    let line_index = text.byte_to_line(offset);
    let line = text.line(line_index);
    let end = line.len_chars() - break_chars(line);
    let chars = line.byte_to_char(offset - text.line_to_byte(line_index)).min(end);
    let units = match encoding {
        Encoding::Utf8 => line.char_to_byte(chars),
        Encoding::Utf16 => line.char_to_utf16_cu(chars),
        Encoding::Utf32 => chars,
    };
    Position { line: saturating_u32(line_index), character: saturating_u32(units) }
}

/// Byte offsets of a range, its start first even where the client sent them swapped.
pub(crate) fn to_offsets(text: &Rope, range: Range, encoding: Encoding) -> ops::Range<usize> {
    let (one, other) = (to_offset(text, range.start, encoding), to_offset(text, range.end, encoding));
    one.min(other)..one.max(other)
}

/// Range of an analyzer's range.
pub(crate) fn to_range(text: &Rope, range: TextRange, encoding: Encoding) -> Range {
    let position = |offset: u32| to_position(text, usize::try_from(offset).unwrap_or(usize::MAX), encoding);
    Range { start: position(range.start), end: position(range.end) }
}

/// Range of an analyzer's range, of a text of which only that is asked.
pub(crate) fn range_in(text: &str, range: TextRange, encoding: Encoding) -> Range {
    // From the start of the line that it begins on to the end of the one that it ends on.
    let start = text.get(..range.start as usize).and_then(|before| before.rfind(['\n', '\r'])).map_or(0, |at| at + 1);
    let rest = text.get(range.end as usize..).unwrap_or_default();
    let end = text.len() - rest.len() + rest.find(['\n', '\r']).unwrap_or(rest.len());
    let lines = Rope::from_str(text.get(start..end).unwrap_or_default());
    let above = saturating_u32(text.get(..start).map_or(0, line_breaks));
    let local = TextRange::new(range.start as usize - start, range.end as usize - start);
    let mut found = to_range(&lines, local, encoding);
    found.start.line += above;
    found.end.line += above;
    found
}

/// Line breaks of a text that ends with one, or is empty.
fn line_breaks(text: &str) -> usize {
    let bytes = text.as_bytes();
    let breaks = bytes
        .iter()
        .enumerate()
        .filter(|(at, byte)| **byte == b'\n' || (**byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')));
    breaks.count()
}

/// Characters of the line break that a line ends with: 0, 1 or 2.
fn break_chars(line: RopeSlice<'_>) -> usize {
    let mut backwards = line.chars_at(line.len_chars()).reversed();
    match (backwards.next(), backwards.next()) {
        (Some('\n'), Some('\r')) => 2,
        (Some('\n' | '\r'), _) => 1,
        _ => 0,
    }
}

fn saturating_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row: a text, and for each of its characters and its end the expected line and units in UTF-8, 16 and 32.
    #[test]
    fn every_character_has_its_position_in_each_encoding() {
        // An emoji is two UTF-16 units and four bytes; the accent of a decomposed é is a character of its own.
        let text = Rope::from_str("a😀e\u{301}\nb");
        let expected = [
            (0, (0, 0), (0, 0), (0, 0)),
            (1, (0, 1), (0, 1), (0, 1)),
            (5, (0, 5), (0, 3), (0, 2)),
            (6, (0, 6), (0, 4), (0, 3)),
            (8, (0, 8), (0, 5), (0, 4)),
            (9, (1, 0), (1, 0), (1, 0)),
            (10, (1, 1), (1, 1), (1, 1)),
        ];
        for (offset, utf8, utf16, utf32) in expected {
            for (encoding, (line, character)) in
                [(Encoding::Utf8, utf8), (Encoding::Utf16, utf16), (Encoding::Utf32, utf32)]
            {
                let position = Position { line, character };
                assert_eq!(to_position(&text, offset, encoding), position, "{encoding:?} of byte {offset}");
                assert_eq!(to_offset(&text, position, encoding), offset, "{encoding:?} at {line}:{character}");
            }
        }
    }

    #[test]
    fn positions_outside_the_text_land_inside_it() {
        let text = Rope::from_str("ab\r\n😀\r\n");
        let offset = |line, character| to_offset(&text, Position { line, character }, Encoding::Utf16);
        assert_eq!(offset(0, 99), 2, "behind a line's end: before its line break");
        assert_eq!(offset(1, 1), 4, "inside a surrogate pair: before the character");
        assert_eq!(offset(1, u32::MAX), 8);
        assert_eq!(offset(2, 0), 10);
        assert_eq!(offset(u32::MAX, u32::MAX), 10, "behind the last line: the end");
        assert_eq!(to_offset(&text, Position { line: 1, character: 2 }, Encoding::Utf8), 4, "inside a character");
    }

    #[test]
    fn only_the_line_breaks_of_the_protocol_break_lines() {
        let text = Rope::from_str("a\u{2028}b\u{b}c\u{85}d\re\nf");
        assert_eq!(text.len_lines(), 3);
        assert_eq!(to_position(&text, text.len_bytes(), Encoding::Utf16), Position { line: 2, character: 1 });
    }

    #[test]
    fn a_range_is_the_same_without_the_rope() {
        let text = "a😀e\u{301}\nb\r\n\r\nc\u{2028}d\re\n\nf";
        let rope = Rope::from_str(text);
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let places = places.into_iter().filter(|at| !(text[..*at].ends_with('\r') && text[*at..].starts_with('\n')));
        let places: Vec<usize> = places.collect();
        for (index, start) in places.iter().enumerate() {
            for end in &places[index..] {
                let range = TextRange::new(*start, *end);
                assert_eq!(
                    range_in(text, range, Encoding::Utf16),
                    to_range(&rope, range, Encoding::Utf16),
                    "{range:?}"
                );
            }
        }
    }

    #[test]
    fn swapped_ends_of_a_range_are_put_in_order() {
        let text = Rope::from_str("abc");
        let at = |character| Position { line: 0, character };
        assert_eq!(to_offsets(&text, Range { start: at(2), end: at(1) }, Encoding::Utf16), 1..2);
    }

    #[test]
    fn bytes_are_agreed_on_only_where_the_client_offers_them() {
        let (utf8, utf16, utf32) =
            (PositionEncodingKind::UTF8, PositionEncodingKind::UTF16, PositionEncodingKind::UTF32);
        assert_eq!(Encoding::negotiate(None), Encoding::Utf16);
        assert_eq!(Encoding::negotiate(Some(&[])), Encoding::Utf16);
        assert_eq!(Encoding::negotiate(Some(std::slice::from_ref(&utf32))), Encoding::Utf32);
        assert_eq!(Encoding::negotiate(Some(&[utf16.clone(), utf32])), Encoding::Utf16);
        assert_eq!(Encoding::negotiate(Some(&[utf16, utf8])), Encoding::Utf8);
    }
}
