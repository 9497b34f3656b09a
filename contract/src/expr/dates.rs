//! Date formats: one canonical spelling (Java's `yyyy`, `MM`, `dd`, `HH`, `mm`, `ss`) and those of the engines.

/// The canonical form of Java's pattern; `None` where it uses letters that the engines do not share.
pub fn from_java(format: &str) -> Option<String> {
    canonical(format, |rest| JAVA.iter().find(|(java, _)| rest.starts_with(java)).map(|(java, _)| (*java, java.len())))
}

/// The canonical form of MySQL's pattern, which Trino uses; `None` where it has letters that the engines do not share.
pub fn from_mysql(format: &str) -> Option<String> {
    let format = format.replace("%T", "%H:%i:%s");
    canonical(&format, |rest| {
        let found = JAVA.iter().find(|(_, mysql)| rest.starts_with(mysql)).map(|(java, mysql)| (*java, mysql.len()));
        found.or_else(|| rest.starts_with("%S").then_some(("ss", 2)))
    })
}

/// The canonical form as MySQL's pattern.
pub fn to_mysql(format: &str) -> String {
    JAVA.iter().fold(format.to_string(), |text, (java, mysql)| text.replace(java, mysql))
}

/// The canonical form as strftime's pattern.
pub fn to_strftime(format: &str) -> String {
    to_mysql(format).replace("%i", "%M").replace("%s", "%S")
}

/// Whether it has exactly one year, one month and one day, and no time.
pub fn is_whole_date(format: &str) -> bool {
    is_date_only(format) && ["yyyy", "MM", "dd"].iter().all(|part| format.matches(part).count() == 1)
}

/// Whether it has exactly one year, one month and one day, and each part of a time at most once.
pub fn parts_once(format: &str) -> bool {
    let times = |part: &str| format.matches(part).count();
    ["yyyy", "MM", "dd"].iter().all(|part| times(part) == 1) && ["HH", "mm", "ss"].iter().all(|part| times(part) <= 1)
}

/// Whether it has no time.
pub fn is_date_only(format: &str) -> bool {
    !["HH", "mm", "ss"].iter().any(|part| format.contains(part))
}

/// Where, in characters from 0, a part stands; all parts have a fixed width.
pub fn place(format: &str, part: &str) -> Option<usize> {
    format.find(part).map(|at| format[..at].chars().count())
}

/// The regular expression of the texts that have this shape.
pub fn shape(format: &str) -> String {
    shape_of(format, &[])
}

/// As [`shape`], with the hours, minutes and seconds that a day has.
pub fn strict_shape(format: &str) -> String {
    shape_of(format, &[("HH", "([01][0-9]|2[0-3])"), ("mm", "[0-5][0-9]"), ("ss", "[0-5][0-9]")])
}

/// The shape with some parts spelled out; all others are digits.
fn shape_of(format: &str, spelled: &[(&str, &str)]) -> String {
    let mut shape = String::from("^");
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        if let Some((part, pattern)) = spelled.iter().find(|(part, _)| rest.starts_with(part)) {
            shape.push_str(pattern);
            rest = &rest[part.len()..];
            continue;
        }
        match c {
            'y' | 'M' | 'd' | 'H' | 'm' | 's' => shape.push_str("[0-9]"),
            c if c.is_alphanumeric() || c == ' ' => shape.push(c),
            c => shape.extend(['\\', c]),
        }
        rest = &rest[c.len_utf8()..];
    }
    shape.push('$');
    shape
}

const JAVA: [(&str, &str); 6] = [("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%i"), ("ss", "%s")];

fn canonical(format: &str, part: impl Fn(&str) -> Option<(&'static str, usize)>) -> Option<String> {
    let mut out = String::new();
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        if let Some((java, length)) = part(rest) {
            out.push_str(java);
            rest = &rest[length..];
        } else if c == '\'' || c == '%' || c.is_alphabetic() {
            return None;
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    Some(out)
}
