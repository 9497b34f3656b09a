//! SQL text with holes: an identifier stands for each hole, and every place maps back to the script.

use sqlparser::tokenizer::{Location, Span, Token, Tokenizer};

use super::dialect;
use crate::range::TextRange;
use crate::value::{Hole, Segment, Text};

/// SQL text as the parser gets it.
#[derive(Debug)]
pub(crate) struct Source {
    /// The text, each hole an identifier.
    pub sql: String,
    /// The whole string in the script.
    pub range: TextRange,
    holes: Vec<(String, Hole)>,
    places: Places,
    lines: Vec<usize>,
    /// Whether a character is a byte everywhere.
    ascii: bool,
}

impl Source {
    pub(crate) fn new(text: &Text, range: TextRange) -> Self {
        let mut sql = String::new();
        let mut holes: Vec<(String, Hole)> = Vec::new();
        let mut places = Places::default();
        for segment in &text.segments {
            match segment {
                Segment::Literal { text, at } => {
                    if let Some(at) = at {
                        places.0.push((sql.len(), sql.len() + text.len(), *at));
                    }
                    sql.push_str(text);
                }
                Segment::Hole(hole) => {
                    let name = format!("hole_{}_", holes.len());
                    sql.push_str(&name);
                    holes.push((name, hole.clone()));
                }
            }
        }
        let lines = line_starts(&sql);
        let ascii = sql.is_ascii();
        Self { sql, range, holes, places, lines, ascii }
    }

    /// A part of this text as a source of its own, with the same places.
    pub(crate) fn part(&self, start: usize, end: usize) -> Source {
        let sql = self.sql.get(start..end).unwrap_or("").to_owned();
        let places = self
            .places
            .0
            .iter()
            .filter(|(from, to, _)| *to > start && *from < end)
            .map(|(from, to, at)| {
                let skipped = start.saturating_sub(*from);
                let at = at.saturating_add(u32::try_from(skipped).unwrap_or(0));
                (from.saturating_sub(start), to.saturating_sub(start), at)
            })
            .collect();
        let lines = line_starts(&sql);
        Source { sql, range: self.range, holes: self.holes.clone(), places: Places(places), lines, ascii: self.ascii }
    }

    /// A name or text with its placeholders put back.
    pub(crate) fn restore(&self, name: &str) -> String {
        if !name.contains("hole_") {
            return name.to_owned();
        }
        self.holes.iter().fold(name.to_owned(), |name, (stand_in, hole)| name.replace(stand_in, &hole.render()))
    }

    /// A name as text with its holes.
    pub(crate) fn text(&self, name: &str) -> Text {
        let mut segments = Vec::new();
        let mut rest = name;
        while let Some((position, stand_in, hole)) = self
            .holes
            .iter()
            .filter_map(|(stand_in, hole)| rest.find(stand_in.as_str()).map(|position| (position, stand_in, hole)))
            .min_by_key(|(position, _, _)| *position)
        {
            let before = rest.get(..position).unwrap_or("");
            if !before.is_empty() {
                segments.push(Segment::Literal { text: before.to_owned(), at: None });
            }
            segments.push(Segment::Hole(hole.clone()));
            rest = rest.get(position + stand_in.len()..).unwrap_or("");
        }
        if !rest.is_empty() {
            segments.push(Segment::Literal { text: rest.to_owned(), at: None });
        }
        Text { segments }
    }

    /// The place in the script of a span of the parser, which counts lines and characters; the whole string where the
    /// span does not stand in the script letter for letter.
    pub(crate) fn range_of(&self, span: Span) -> TextRange {
        let (Some(start), Some(end)) = (self.offset(span.start), self.offset(span.end)) else { return self.range };
        self.places.range_of(start, end).unwrap_or(self.range)
    }

    /// The text alone, for those who show it.
    pub(crate) fn shown(&self) -> SqlText {
        SqlText { sql: self.sql.clone(), places: self.places.clone() }
    }

    /// Byte offset in the text of a location.
    pub(crate) fn offset(&self, location: Location) -> Option<usize> {
        offset_of(&self.sql, &self.lines, self.ascii, location)
    }
}

fn offset_of(sql: &str, lines: &[usize], ascii: bool, location: Location) -> Option<usize> {
    let line = usize::try_from(location.line).ok()?.checked_sub(1)?;
    let column = usize::try_from(location.column).ok()?.checked_sub(1)?;
    let start = *lines.get(line)?;
    let rest = sql.get(start..)?;
    if ascii {
        return Some((start + column).min(sql.len()));
    }
    let length = rest.char_indices().nth(column).map_or(rest.len(), |(position, _)| position);
    Some(start + length)
}

/// Where each line begins.
fn line_starts(sql: &str) -> Vec<usize> {
    std::iter::once(0).chain(sql.match_indices('\n').map(|(position, _)| position + 1)).collect()
}

/// Parts of a text that stand in the script letter for letter: start in the text, end, start in the script.
#[derive(Clone, Debug, Default, PartialEq)]
struct Places(Vec<(usize, usize, u32)>);

impl Places {
    /// The place in the script of a part of the text, where it stands there as a whole.
    fn range_of(&self, start: usize, end: usize) -> Option<TextRange> {
        let (from, _, at) = self.0.iter().find(|(from, to, _)| *from <= start && end <= *to && start <= end)?;
        let at = *at as usize;
        Some(TextRange::new(at + start - from, at + end - from))
    }
}

/// SQL text of a script, with identifiers in the place of what is not known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct SqlText {
    sql: String,
    places: Places,
}

impl SqlText {
    /// Its words and signs that stand in the script letter for letter, in order.
    pub(crate) fn tokens(&self) -> Vec<(TextRange, Token)> {
        let mut tokens = Vec::new();
        // What stands behind a quote that is not closed is no token.
        Tokenizer::new(&dialect::Spark, &self.sql).tokenize_with_location_into_buf(&mut tokens).ok();
        let (lines, ascii) = (line_starts(&self.sql), self.sql.is_ascii());
        let place = |span: Span| {
            let [start, end] = [span.start, span.end].map(|end| offset_of(&self.sql, &lines, ascii, end));
            self.places.range_of(start?, end?)
        };
        tokens.into_iter().filter_map(|token| Some((place(token.span)?, token.token))).collect()
    }

    /// Whether a place of the script is part of it.
    pub(crate) fn covers(&self, place: TextRange) -> bool {
        let covers = |(from, to, at): &(usize, usize, u32)| {
            *at <= place.start && place.end as usize <= *at as usize + (to - from)
        };
        self.places.0.iter().any(covers)
    }
}
