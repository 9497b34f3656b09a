//! Strings as lists of segments: literal slices with their place in the file, and holes.

/// How a hole is written whose origin could not be followed.
pub(crate) const UNKNOWN_HOLE: &str = "<?>";

/// A string that may be known in part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub segments: Vec<Segment>,
}

/// A part of a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Known text; `at` is the byte of the script where it starts, if it stands there letter for letter.
    Literal { text: String, at: Option<u32> },
    /// Text that the run decides.
    Hole(Hole),
}

/// What the run decides.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Hole {
    Arg(String),
    Env(String),
    WorkflowProp(String),
    /// A value of Secrets Manager.
    Secret(String),
    /// A parameter of the Systems Manager.
    Parameter(String),
    /// What is left of the key of an object that a listing of S3 names.
    Key,
    /// The date of the run, or a part of it, as text.
    RunDate,
    /// The same as an object of Python's `datetime`: certainly one with a time of the day, or maybe a day.
    Moment {
        timestamp: bool,
    },
    Unknown,
}

impl Hole {
    pub(crate) fn render(&self) -> String {
        match self {
            Hole::Arg(name) => format!("<arg:{name}>"),
            Hole::Env(name) => format!("<env:{name}>"),
            Hole::WorkflowProp(name) => format!("<workflow_prop:{name}>"),
            Hole::Secret(name) => format!("<secret:{name}>"),
            Hole::Parameter(name) => format!("<parameter:{name}>"),
            Hole::Key => "<key>".to_owned(),
            Hole::RunDate | Hole::Moment { .. } => "<run_date>".to_owned(),
            Hole::Unknown => UNKNOWN_HOLE.to_owned(),
        }
    }
}

impl Text {
    pub(crate) fn literal(text: String, at: Option<u32>) -> Self {
        Self { segments: vec![Segment::Literal { text, at }] }
    }

    pub(crate) fn hole(hole: Hole) -> Self {
        Self { segments: vec![Segment::Hole(hole)] }
    }

    /// What `str()` makes of it, where it may stand for a date.
    pub(crate) fn as_text(&self) -> Self {
        let mut text = self.clone();
        for segment in &mut text.segments {
            if matches!(segment, Segment::Hole(Hole::Moment { .. })) {
                *segment = Segment::Hole(Hole::RunDate);
            }
        }
        text
    }

    /// Whether it is no text but a date of the run, and if so whether it certainly has a time of the day.
    pub(crate) fn moment(&self) -> Option<bool> {
        match self.segments.as_slice() {
            [Segment::Hole(Hole::Moment { timestamp })] => Some(*timestamp),
            _ => None,
        }
    }

    /// The whole text where it has no hole.
    pub(crate) fn exact(&self) -> Option<&str> {
        match self.segments.as_slice() {
            [] => Some(""),
            [Segment::Literal { text, .. }] => Some(text),
            _ => None,
        }
    }

    /// The one thing of the run that decides the text, where there is just one.
    pub(crate) fn only_hole(&self) -> Option<&Hole> {
        let mut holes = self.segments.iter().filter_map(|segment| match segment {
            Segment::Hole(hole) => Some(hole),
            Segment::Literal { .. } => None,
        });
        let first = holes.next()?;
        (*first != Hole::Unknown && holes.all(|hole| hole == first)).then_some(first)
    }

    /// The bytes of its known parts, and as many for a hole as its name may have.
    pub(crate) fn length(&self) -> usize {
        let length = |segment: &Segment| match segment {
            Segment::Literal { text, .. } => text.len(),
            Segment::Hole(_) => 16,
        };
        self.segments.iter().map(length).sum()
    }

    pub(crate) fn has_literal(&self) -> bool {
        self.segments.iter().any(|segment| matches!(segment, Segment::Literal { text, .. } if !text.is_empty()))
    }

    /// The text with placeholders for holes.
    pub(crate) fn render(&self) -> String {
        self.segments
            .iter()
            .map(|segment| match segment {
                Segment::Literal { text, .. } => text.clone(),
                Segment::Hole(hole) => hole.render(),
            })
            .collect()
    }

    /// Whether both are certainly the same text; two unknown holes are not.
    pub(crate) fn same_as(&self, other: &Text) -> bool {
        !self.segments.contains(&Segment::Hole(Hole::Unknown)) && self.render() == other.render()
    }

    pub(crate) fn push(&mut self, other: &Text) {
        for segment in &other.segments {
            match (self.segments.last_mut(), segment) {
                // A literal that continues another keeps its place only where both stand side by side.
                (Some(Segment::Literal { text, at }), Segment::Literal { text: more, at: more_at }) => {
                    let joined = at
                        .zip(*more_at)
                        .is_some_and(|(at, more_at)| usize::try_from(more_at - at.min(more_at)) == Ok(text.len()));
                    if text.is_empty() {
                        *at = *more_at;
                    } else if !joined && !more.is_empty() {
                        *at = None;
                    }
                    text.push_str(more);
                }
                // Something unknown before something unknown is something unknown.
                (Some(Segment::Hole(Hole::Unknown)), Segment::Hole(Hole::Unknown)) => {}
                _ => self.segments.push(segment.clone()),
            }
        }
    }

    pub(crate) fn concat(&self, other: &Text) -> Text {
        let mut joined = self.clone();
        joined.push(other);
        joined
    }

    /// The same holes with each literal changed.
    pub(crate) fn map_literals(&self, change: impl Fn(&str) -> String) -> Text {
        let segments = self
            .segments
            .iter()
            .map(|segment| match segment {
                Segment::Literal { text, at } => {
                    let changed = change(text);
                    let at = if changed.len() == text.len() { *at } else { None };
                    Segment::Literal { text: changed, at }
                }
                hole => hole.clone(),
            })
            .collect();
        Text { segments }
    }

    /// The parts between the occurrences of a separator in the literal segments, at most `limit` cuts.
    pub(crate) fn split(&self, separator: &str, limit: usize) -> Vec<Text> {
        let mut parts = vec![Text::default()];
        if separator.is_empty() {
            return vec![self.clone()];
        }
        for segment in &self.segments {
            let Segment::Literal { text, at } = segment else {
                if let Some(last) = parts.last_mut() {
                    last.segments.push(segment.clone());
                }
                continue;
            };
            let (mut rest, mut offset) = (text.as_str(), 0usize);
            while parts.len() <= limit
                && let Some(cut) = rest.find(separator)
            {
                let (before, after) = (rest.get(..cut).unwrap_or(""), rest.get(cut + separator.len()..).unwrap_or(""));
                push_literal(&mut parts, before, *at, offset);
                parts.push(Text::default());
                offset += cut + separator.len();
                rest = after;
            }
            push_literal(&mut parts, rest, *at, offset);
        }
        parts
    }
}

fn push_literal(parts: &mut [Text], text: &str, at: Option<u32>, offset: usize) {
    if text.is_empty() {
        return;
    }
    let at = at.and_then(|at| u32::try_from(offset).ok().map(|offset| at + offset));
    if let Some(last) = parts.last_mut() {
        last.segments.push(Segment::Literal { text: text.to_owned(), at });
    }
}
