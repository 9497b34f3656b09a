//! The days on which data is expected.

use chrono::{NaiveDate, Weekday};

/// Days on which data is expected. Every day, unless stated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// Days of the week without data.
    pub days_off: Vec<Weekday>,
    /// Days without data beside them.
    pub holidays: Vec<NaiveDate>,
}

const DAY_MICROS: i64 = 86_400_000_000;
const HOUR_MICROS: f64 = 3_600_000_000.0;

impl Calendar {
    /// Monday to Friday.
    pub fn weekdays() -> Self {
        Self { days_off: vec![Weekday::Sat, Weekday::Sun], holidays: Vec::new() }
    }

    /// Hours from one instant to a later one, in microseconds since 1970-01-01T00:00:00 UTC, of which those of days
    /// without data do not count. 0 where the second instant is not later.
    pub fn hours_between(&self, from: i64, to: i64) -> f64 {
        if to <= from {
            return 0.0;
        }
        let (first, last) = (from.div_euclid(DAY_MICROS), to.div_euclid(DAY_MICROS));
        if first == last {
            return if self.expects(first) { (to - from) as f64 / HOUR_MICROS } else { 0.0 };
        }
        let head = if self.expects(first) { DAY_MICROS - from.rem_euclid(DAY_MICROS) } else { 0 };
        let tail = if self.expects(last) { to.rem_euclid(DAY_MICROS) } else { 0 };
        (head + tail) as f64 / HOUR_MICROS + 24.0 * self.days_within(first + 1, last) as f64
    }

    /// Whether data is expected on a day, counted from 1970-01-01.
    fn expects(&self, day: i64) -> bool {
        !self.days_off.contains(&weekday(day)) && !self.holidays.iter().any(|holiday| days(*holiday) == day)
    }

    /// The days with data from one day up to, and without, another.
    fn days_within(&self, from: i64, to: i64) -> i64 {
        let span = (to - from).max(0);
        let (weeks, rest) = (span / 7, span % 7);
        let off = |day: i64| self.days_off.contains(&weekday(day));
        let off_in_week = (0..7).filter(|day| off(from + day)).count() as i64;
        let off_in_rest = (0..rest).filter(|day| off(from + day)).count() as i64;
        let mut holidays: Vec<i64> = self.holidays.iter().map(|holiday| days(*holiday)).collect();
        holidays.sort_unstable();
        holidays.dedup();
        let holidays = holidays.into_iter().filter(|day| (from..to).contains(day) && !off(*day)).count() as i64;
        span - weeks * off_in_week - off_in_rest - holidays
    }
}

/// 1970-01-01 was a Thursday.
fn weekday(day: i64) -> Weekday {
    const WEEK: [Weekday; 7] =
        [Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun, Weekday::Mon, Weekday::Tue, Weekday::Wed];
    WEEK[day.rem_euclid(7) as usize]
}

fn days(date: NaiveDate) -> i64 {
    (date - NaiveDate::default()).num_days()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap().and_utc().timestamp_micros()
    }

    #[test]
    fn a_weekend_does_not_age_data() {
        // 2026-11-20 is a Friday, 2026-11-23 a Monday.
        let (friday, monday) = (at("2026-11-20 18:00"), at("2026-11-23 06:00"));
        assert_eq!(Calendar::default().hours_between(friday, monday), 60.0);
        assert_eq!(Calendar::weekdays().hours_between(friday, monday), 12.0);
        assert_eq!(Calendar::weekdays().hours_between(at("2026-11-21 01:00"), at("2026-11-22 23:00")), 0.0);
        assert_eq!(Calendar::weekdays().hours_between(monday, friday), 0.0);
    }

    #[test]
    fn a_holiday_counts_once_whatever_day_it_falls_on() {
        let holidays = ["2026-12-25", "2026-12-25", "2026-12-26"].map(|day| day.parse().unwrap()).to_vec();
        let calendar = Calendar { holidays, ..Calendar::weekdays() };
        // Thursday to Monday: Friday is a holiday, Saturday both a holiday and a weekend.
        assert_eq!(calendar.hours_between(at("2026-12-24 12:00"), at("2026-12-28 12:00")), 24.0);
    }

    #[test]
    fn instants_that_lie_ages_apart_take_no_time() {
        let hours = Calendar::weekdays().hours_between(i64::MIN, i64::MAX);
        assert!(hours > 3.6e9 && hours < 3.7e9, "{hours}");
    }
}
