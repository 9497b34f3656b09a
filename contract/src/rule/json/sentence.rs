//! What the specification's sentence about row counts says.

/// Share and window in days of a sentence such as the specification's "Row count should not deviate by more than 20%
/// from a 7-day rolling average."
pub(super) fn share_and_window(sentence: &str) -> (Option<f64>, Option<u32>) {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let mut share = None;
    let mut days = None;
    for (index, word) in words.iter().enumerate() {
        let next = words.get(index + 1).copied().unwrap_or_default();
        let number = word.trim_end_matches(|c: char| !c.is_ascii_digit());
        if share.is_none() && (word.contains('%') || next.starts_with("percent") || next.starts_with('%')) {
            share = number.parse::<f64>().ok().map(|percent| percent / 100.0);
        }
        let (count, unit) = word.split_once('-').unwrap_or((word, next));
        if days.is_none() && unit.to_lowercase().starts_with("day") {
            days = count.parse().ok();
        }
        if days.is_none() && unit.to_lowercase().starts_with("week") {
            days = count.parse::<u32>().ok().and_then(|weeks| weeks.checked_mul(7));
        }
    }
    (share, days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_of_the_specification_gives_share_and_window() {
        let sentence = "Row count should not deviate by more than 20% from a 7-day rolling average.";
        assert_eq!(share_and_window(sentence), (Some(0.2), Some(7)));
        assert_eq!(share_and_window("at most 15 percent off the 2-week mean"), (Some(0.15), Some(14)));
        assert_eq!(share_and_window("nothing to see"), (None, None));
        assert_eq!(share_and_window("within 5 % of the last 4294967295 weeks"), (Some(0.05), None));
    }
}
