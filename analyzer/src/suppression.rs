//! Comments that silence diagnostics: `# de-copilot: ignore[code, code]` at the end of a line, or `ignore-file[code]` on
//! a line of its own for the whole script. Without brackets every code is meant.

use crate::facts::Diagnostic;

const MARK: &str = "# de-copilot: ";

/// The diagnostics that no comment silences. A comment on the first or the last line of a diagnostic's range silences it.
pub(crate) fn unsuppressed(text: &str, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if diagnostics.is_empty() || !text.contains(MARK) {
        return diagnostics;
    }
    let whole_file: Vec<&str> = text.lines().filter_map(|line| comment(line.trim_start(), "ignore-file")).collect();
    let silenced = |diagnostic: &Diagnostic| {
        let lines = [diagnostic.range.start, diagnostic.range.end].map(|offset| line_at(text, offset as usize));
        let mut comments = lines.into_iter().filter_map(|line| comment(line, "ignore"));
        comments.any(|codes| names(codes, diagnostic.code))
            || whole_file.iter().any(|codes| names(codes, diagnostic.code))
    };
    diagnostics.into_iter().filter(|diagnostic| !silenced(diagnostic)).collect()
}

/// What follows the word in a line's comment: `[a, b]`, or nothing.
fn comment<'t>(line: &'t str, word: &str) -> Option<&'t str> {
    let (_, rest) = line.split_once(MARK)?;
    let rest = rest.strip_prefix(word)?;
    (!rest.starts_with(|c: char| c.is_alphanumeric() || c == '-')).then_some(rest)
}

fn names(codes: &str, code: &str) -> bool {
    match codes.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((list, _)) => list.split(',').any(|named| named.trim() == code),
        None => true,
    }
}

fn line_at(text: &str, offset: usize) -> &str {
    let start = text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let rest = text.get(start..).unwrap_or("");
    rest.split('\n').next().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use crate::ide::fixture::Lending;

    fn codes(script: &str) -> Vec<&'static str> {
        crate::analyze(script, &Lending).diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
    }

    #[test]
    fn a_comment_silences_the_codes_that_it_names_on_its_line() {
        let script = |comment: &str| {
            format!("p = spark.table('raw_db.payments')\np.select('amont'){comment}\np.select('stat')\n")
        };
        assert_eq!(codes(&script("")), ["unknown-column", "unknown-column"]);
        assert_eq!(codes(&script("  # de-copilot: ignore[unknown-column]")), ["unknown-column"]);
        assert_eq!(codes(&script("  # de-copilot: ignore")), ["unknown-column"]);
        assert_eq!(codes(&script("  # de-copilot: ignore[contract-type, unknown-column]")), ["unknown-column"]);
        assert_eq!(codes(&script("  # de-copilot: ignore[contract-type]")), ["unknown-column", "unknown-column"]);
        assert_eq!(codes(&script("\n# de-copilot: ignore-file[unknown-column]")), [""; 0]);
        assert_eq!(codes(&script("  # de-copilot: ignored")), ["unknown-column", "unknown-column"]);
    }
}
