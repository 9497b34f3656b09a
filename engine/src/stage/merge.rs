//! Three-way merge of a contract: as it was generated last, as people have it now, as it is generated anew.
//!
//! The merge works on the documents as JSON, so that whatever a person wrote stays, also what this version cannot read.
//! Rules are matched by their ids. What a person changed, added or deleted wins; what nobody touched follows the
//! generator.

use contract::document::Contract;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

/// Where in a document a value stands: lists of rules and of tests are merged entry by entry.
#[derive(Clone, Copy, PartialEq)]
enum Place<'a> {
    Object,
    /// The rules of a column, or of the table.
    Rules(Option<&'a str>),
    Rule,
    Tests,
    Columns,
    Column(&'a str),
    Plain,
}

/// Merges a contract. `base` is absent where nothing was generated before; what people have then is theirs.
pub(super) fn contract(base: Option<&Json>, mine: Option<&Json>, generated: &Json) -> Json {
    merge(Place::Object, base, mine, Some(generated)).unwrap_or_default()
}

/// Merges the list of tests that no rule stands for, by name.
pub(super) fn tests(base: &[Json], mine: &[Json], generated: &[Json]) -> Vec<Json> {
    list(Place::Tests, base, mine, generated)
}

fn merge(place: Place<'_>, base: Option<&Json>, mine: Option<&Json>, theirs: Option<&Json>) -> Option<Json> {
    if mine == base {
        return theirs.cloned();
    }
    if theirs == base || mine == theirs {
        return mine.cloned();
    }
    // Both changed it.
    match (mine, theirs) {
        (Some(Json::Object(_)), Some(Json::Object(_))) if place == Place::Rule && base.is_none() => mine.cloned(),
        (Some(Json::Object(mine)), Some(Json::Object(theirs))) => {
            let empty = Map::new();
            let base = base.and_then(Json::as_object).unwrap_or(&empty);
            let keys = mine.keys().chain(theirs.keys().filter(|key| !mine.contains_key(*key)));
            let merged = keys.filter_map(|key| {
                let value = merge(within(place, key), base.get(key), mine.get(key), theirs.get(key))?;
                Some((key.clone(), value))
            });
            Some(Json::Object(merged.collect()))
        }
        (Some(Json::Array(mine)), Some(Json::Array(theirs))) if matches!(place, Place::Rules(_) | Place::Tests) => {
            let base = base.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
            Some(Json::Array(list(place, base, mine, theirs)))
        }
        (Some(mine), _) => Some(mine.clone()),
        // A person deleted it; that the generator proposes it again changes nothing.
        (None, _) if base.is_some() => None,
        (None, theirs) => theirs.cloned(),
    }
}

fn within<'a>(place: Place<'a>, key: &'a str) -> Place<'a> {
    match (place, key) {
        (Place::Object, "columns") => Place::Columns,
        (Place::Object, "table_level_checks") => Place::Rules(None),
        (Place::Object, "freshness") => Place::Plain,
        (Place::Columns, column) => Place::Column(column),
        (Place::Column(column), "rules") => Place::Rules(Some(column)),
        _ => Place::Plain,
    }
}

/// Merges lists whose entries have identities: those that people have, in their order, then the new ones.
fn list(place: Place<'_>, base: &[Json], mine: &[Json], theirs: &[Json]) -> Vec<Json> {
    let (base, mine, theirs) = (keyed(place, base), keyed(place, mine), keyed(place, theirs));
    let keys = mine.keys().chain(theirs.keys().filter(|key| !mine.contains_key(*key)));
    keys.filter_map(|key| merge(Place::Rule, base.get(key), mine.get(key), theirs.get(key))).collect()
}

fn keyed(place: Place<'_>, entries: &[Json]) -> IndexMap<String, Json> {
    let mut keyed = IndexMap::new();
    for entry in entries {
        let name = match place {
            Place::Rules(column) => rule_id(column, entry),
            _ => entry.get("name").and_then(Json::as_str).map(str::to_owned),
        };
        // What has no identity is its own.
        let name = name.unwrap_or_else(|| entry.to_string());
        let mut key = name.clone();
        let mut number = 2;
        while keyed.contains_key(&key) {
            key = format!("{name}_{number}");
            number += 1;
        }
        keyed.insert(key, entry.clone());
    }
    keyed
}

/// The id of a rule as the contract gives it: its own, else the one derived from its kind and columns.
fn rule_id(column: Option<&str>, rule: &Json) -> Option<String> {
    let document = match column {
        Some(column) => json!({"table_name": "t", "columns": {column: {"rules": [rule]}}}),
        None => json!({"table_name": "t", "table_level_checks": [rule]}),
    };
    let (contract, _) = Contract::from_value(document).ok()?;
    contract.rules().next().map(|rule| rule.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(base: Json, mine: Json, generated: Json) -> Json {
        contract(Some(&base), Some(&mine), &generated)
    }

    fn column(rules: Json) -> Json {
        json!({"columns": {"a": {"type": "int", "rules": rules}}})
    }

    #[test]
    fn what_nobody_touched_follows_the_generator() {
        let base = column(json!([{"type": "min", "value": 1}, {"type": "not_null"}]));
        let generated = column(json!([{"type": "min", "value": 0}, {"type": "max", "value": 9}]));
        assert_eq!(merged(base.clone(), base, generated.clone()), generated);
    }

    #[test]
    fn what_a_person_changed_added_or_deleted_wins() {
        let base = column(json!([{"type": "min", "value": 1}, {"type": "not_null"}, {"type": "not_empty"}]));
        let mine = json!({"owner": "me", "columns": {"a": {"type": "int", "description": "mine", "rules": [
            {"type": "min", "value": 5}, {"type": "not_null", "mode": "observe"}, {"type": "regex", "pattern": "x"}]}}});
        let generated = column(json!([{"type": "min", "value": 0, "evidence": "new"},
            {"type": "not_null", "evidence": "new"}, {"type": "not_empty", "evidence": "new"}, {"type": "unique"}]));
        let expected = json!({"owner": "me", "columns": {"a": {"type": "int", "description": "mine", "rules": [
            {"type": "min", "value": 5, "evidence": "new"},
            {"type": "not_null", "mode": "observe", "evidence": "new"},
            {"type": "regex", "pattern": "x"},
            {"type": "unique"}]}}});
        assert_eq!(merged(base, mine, generated), expected);
    }

    #[test]
    fn a_contract_that_a_person_wrote_first_is_completed_and_not_corrected() {
        let mine = json!({"table_name": "t", "table_level_checks": [
            {"type": "row_count_anomaly", "rule": "not more than 50% from a 7-day average"}, {"sparkles": true}]});
        let generated = json!({"table_name": "t", "owner": "team", "table_level_checks": [
            {"type": "row_count_anomaly", "rule": "20%", "max_deviation": 0.2, "window_days": 7},
            {"type": "grain_uniqueness", "grain": ["a"]}]});
        let expected = json!({"table_name": "t", "table_level_checks": [
            {"type": "row_count_anomaly", "rule": "not more than 50% from a 7-day average"}, {"sparkles": true},
            {"type": "grain_uniqueness", "grain": ["a"]}], "owner": "team"});
        assert_eq!(contract(None, Some(&mine), &generated), expected);
    }

    #[test]
    fn a_rule_that_the_generator_drops_goes_unless_a_person_edited_it() {
        let base = column(json!([{"type": "not_null"}, {"type": "unique"}]));
        let mine = column(json!([{"type": "not_null"}, {"type": "unique", "owner": "me"}]));
        let generated = column(json!([]));
        assert_eq!(merged(base, mine, generated), column(json!([{"type": "unique", "owner": "me"}])));
    }
}
