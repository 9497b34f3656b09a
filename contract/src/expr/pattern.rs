//! Regular expressions that mean the same on every engine.
//!
//! People write them for Java (Spark), for JONI (Trino) or for Rust (the embedded engine). [`portable`] rewrites one
//! into what all three read alike: `\d`, `\w` and `\s` are ASCII, `$` is the very end of the text (not the place before
//! a last line break), `.` is everything but `\n`. What cannot be had everywhere is refused.

/// Why a regular expression is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the regular expression {pattern} is refused: {problem}")]
pub struct PatternError {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it and what to do.
    pub problem: String,
}

/// The form of a regular expression that every engine reads alike.
pub fn portable(pattern: &str) -> Result<String, PatternError> {
    let refuse = |problem: String| PatternError { pattern: pattern.to_string(), problem };
    let (body, fold) = match pattern.strip_prefix("(?i)") {
        Some(rest) => (rest, true),
        None => (pattern, false),
    };
    let rewritten = rewrite(body, fold).map_err(refuse)?;
    let limit = 1 << 20;
    match regex::RegexBuilder::new(&rewritten).size_limit(limit).nest_limit(64).build() {
        Ok(_) => Ok(rewritten),
        Err(error) => {
            let problem = error.to_string();
            let last = problem.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
            Err(refuse(last.to_string()))
        }
    }
}

fn rewrite(pattern: &str, fold: bool) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    let mut quantified = false;
    while let Some(c) = chars.next() {
        let after_quantifier = std::mem::take(&mut quantified);
        match c {
            '\\' => {
                let escaped = chars.next().ok_or("it ends with a backslash")?;
                out.push_str(&escape(escaped, in_class)?);
            }
            '[' if in_class => return Err("a class within a class; write one class".to_string()),
            '[' => {
                in_class = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if chars.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class && chars.peek() == Some(&c) => return Err(format!("`{c}{c}` within a class")),
            c if in_class && fold => class_folded(c, &mut chars, &mut out),
            c if in_class => out.push(c),
            '$' => out.push_str("\\z"),
            '.' => out.push_str("[^\\n]"),
            '(' => {
                out.push('(');
                if chars.next_if_eq(&'?').is_some() {
                    match chars.next() {
                        Some(':') => out.push_str("?:"),
                        Some('=' | '!' | '<') => {
                            return Err(
                                "the embedded engine has no look-around; split it into several rules".to_string()
                            );
                        }
                        _ => return Err("flags stand only in front, as (?i)".to_string()),
                    }
                }
            }
            '+' if after_quantifier => return Err("possessive quantifiers are not known everywhere".to_string()),
            '*' | '+' | '?' | '}' => {
                quantified = true;
                out.push(c);
            }
            c if fold && c.is_ascii_alphabetic() => {
                out.extend(['[', c.to_ascii_lowercase(), c.to_ascii_uppercase(), ']']);
            }
            c if fold && c.is_alphabetic() => {
                return Err("(?i) folds ASCII letters only".to_string());
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

fn escape(c: char, in_class: bool) -> Result<String, String> {
    const DIGIT: &str = "0-9";
    const WORD: &str = "A-Za-z0-9_";
    const SPACE: &str = " \\t\\n\\x0B\\f\\r";
    let class = |inner: &str| if in_class { inner.to_string() } else { format!("[{inner}]") };
    let negated = |inner: &str| {
        if in_class { Err(format!("`\\{c}` within a class; write the characters")) } else { Ok(format!("[^{inner}]")) }
    };
    match c {
        'd' => Ok(class(DIGIT)),
        'w' => Ok(class(WORD)),
        's' => Ok(class(SPACE)),
        'D' => negated(DIGIT),
        'W' => negated(WORD),
        'S' => negated(SPACE),
        'z' => Ok("\\z".to_string()),
        'Z' => Err("`\\Z` allows a last line break in some engines; write `\\z`".to_string()),
        'A' => Ok("^".to_string()),
        't' | 'n' | 'r' | 'f' => Ok(format!("\\{c}")),
        'x' => Ok("\\x".to_string()),
        'b' | 'B' => Err("word boundaries differ between engines; write the characters around".to_string()),
        'p' | 'P' => Err("Unicode classes differ between engines; write the characters".to_string()),
        c if c.is_ascii_digit() => Err("references to groups are not known everywhere".to_string()),
        c if c.is_ascii_alphabetic() => Err(format!("`\\{c}` is not known everywhere")),
        c if c.is_ascii_punctuation() => Ok(format!("\\{c}")),
        c => Ok(c.to_string()),
    }
}

/// A letter or range of a class, in both cases.
fn class_folded(c: char, chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    out.push(c);
    if !c.is_ascii_alphabetic() {
        return;
    }
    let mut ahead = chars.clone();
    match (ahead.next(), ahead.next()) {
        (Some('-'), Some(end)) if end.is_ascii_alphabetic() && end.is_ascii_lowercase() == c.is_ascii_lowercase() => {
            chars.next();
            chars.next();
            out.extend(['-', end, swap(c), '-', swap(end)]);
        }
        _ => out.push(swap(c)),
    }
}

fn swap(c: char) -> char {
    if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
}
