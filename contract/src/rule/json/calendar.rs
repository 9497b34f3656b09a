//! A calendar out of its document and back.

use chrono::{NaiveDate, Weekday};
use serde_json::{Map, Value as Json, json};

use crate::document::fields::Fields;
use crate::rule::calendar::Calendar;

const WEEKDAYS: &[(&str, Weekday)] = &[
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];

impl Calendar {
    /// Reads `calendar`: `every_day`, `weekdays`, or `{"days": ["mon", …], "holidays": ["2026-12-25", …]}`.
    pub(crate) fn read(fields: &mut Fields) -> Self {
        let expected = "expected every_day, weekdays or {\"days\": [\"mon\", …], \"holidays\": [\"YYYY-MM-DD\", …]}";
        let path = fields.path_of("calendar");
        let problems = fields.problems().clone();
        match fields.take("calendar") {
            None => Calendar::default(),
            Some(Json::String(word)) if word == "every_day" => Calendar::default(),
            Some(Json::String(word)) if word == "weekdays" => Calendar::weekdays(),
            Some(value @ Json::Object(_)) => match Fields::of(value, &path, &problems) {
                Some(mut object) => Calendar { days_off: days_off(&mut object), holidays: dates(&mut object) },
                None => Calendar::default(),
            },
            Some(_) => {
                problems.add(&path, expected);
                Calendar::default()
            }
        }
    }

    /// As [`Calendar::read`] reads it; `None` for every day.
    pub(crate) fn write(&self) -> Option<Json> {
        if *self == Calendar::default() {
            return None;
        }
        if *self == Calendar::weekdays() {
            return Some(json!("weekdays"));
        }
        let days = WEEKDAYS.iter().filter(|(_, day)| !self.days_off.contains(day)).map(|(name, _)| *name);
        let mut map = Map::new();
        if !self.days_off.is_empty() {
            map.insert("days".to_owned(), json!(days.collect::<Vec<_>>()));
        }
        if !self.holidays.is_empty() {
            map.insert("holidays".to_owned(), json!(self.holidays));
        }
        Some(Json::Object(map))
    }
}

/// The days that are not listed; none where no days are.
fn days_off(fields: &mut Fields) -> Vec<Weekday> {
    let Some(listed) = fields.texts("days") else { return Vec::new() };
    let mut days = Vec::new();
    for name in listed {
        match WEEKDAYS.iter().find(|(short, _)| name.to_lowercase().starts_with(short)) {
            Some((_, day)) => days.push(*day),
            None => {
                fields.problems().add(&fields.path_of("days"), format!("`{name}` is no day of the week, such as mon"))
            }
        }
    }
    WEEKDAYS.iter().map(|(_, day)| *day).filter(|day| !days.contains(day)).collect()
}

fn dates(fields: &mut Fields) -> Vec<NaiveDate> {
    let mut dates = Vec::new();
    for text in fields.texts("holidays").unwrap_or_default() {
        match text.parse() {
            Ok(date) => dates.push(date),
            Err(_) => {
                fields.problems().add(&fields.path_of("holidays"), format!("`{text}` is no day, such as 2026-12-25"))
            }
        }
    }
    dates
}
