//! The keywords of the awsglue call that is being written.

use crate::{Analysis, TextRange};

/// A call whose keywords are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Its name.
    pub name: String,
    /// Its keywords, in their order.
    pub parameters: &'static [&'static str],
    /// The place among the parameters of the one under the cursor; `None` where it is none of them.
    pub active: Option<usize>,
}

/// The innermost call with known keywords whose arguments a byte offset is in. `text` is the script that was analyzed.
pub fn signature(analysis: &Analysis, text: &str, offset: usize) -> Option<Signature> {
    let inside = analysis.calls.iter().filter_map(|(range, parameters)| {
        let open = range.start as usize + range.slice(text).find('(')? + 1;
        (open <= offset && offset < range.end as usize).then_some((*range, open, *parameters))
    });
    let (range, open, parameters) = inside.min_by_key(|(range, _, _)| range.len())?;
    let name = text.get(range.start as usize..open - 1)?.rsplit('.').next()?.trim().to_owned();
    let argument = argument(text, TextRange::new(open, offset));
    let active = match argument.text.split_once('=') {
        Some((keyword, _)) => parameters.iter().position(|parameter| *parameter == keyword.trim()),
        None => {
            let written = argument.text.trim();
            let begun = parameters.iter().position(|parameter| !written.is_empty() && parameter.starts_with(written));
            begun.or(Some(argument.position).filter(|position| *position < parameters.len()))
        }
    };
    Some(Signature { name, parameters, active })
}

/// An argument as far as it is written.
struct Argument<'t> {
    position: usize,
    text: &'t str,
}

/// The last argument of a list that ends where the range does.
fn argument(text: &str, range: TextRange) -> Argument<'_> {
    let written = range.slice(text);
    let (mut depth, mut quote, mut position, mut start) = (0_usize, None, 0, 0);
    for (at, c) in written.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                position += 1;
                start = at + 1;
            }
            _ => {}
        }
    }
    Argument { position, text: written.get(start..).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze;
    use crate::ide::fixture::{Lending, marked};

    fn check(call: &str, expected: Option<(&str, Option<&str>)>) {
        let start = "from awsglue.context import GlueContext\nglueContext = GlueContext(sc)\n";
        let (text, offset) = marked(&format!("{start}{call}\n"));
        let found = signature(&analyze(&text, &Lending), &text, offset);
        let shown = found.as_ref().map(|found| {
            let active = found.active.and_then(|active| found.parameters.get(active).copied());
            (found.name.as_str(), active)
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_argument_under_the_cursor_is_named() {
        let call = |arguments: &str| format!("d = glueContext.create_dynamic_frame.from_catalog({arguments})");
        check(&call("$0"), Some(("from_catalog", Some("database"))));
        check(&call("database='a, b', table_name=$0"), Some(("from_catalog", Some("table_name"))));
        check(&call("'raw', $0"), Some(("from_catalog", Some("table_name"))));
        check(&call("'raw', pu$0"), Some(("from_catalog", Some("push_down_predicate"))));
        check(&call("nonsense=1$0"), Some(("from_catalog", None)));
        check("d = glueContext.create_dynamic_frame.from_cat$0alog(database='a')", None);
        check("d = print($0)", None);
    }
}
