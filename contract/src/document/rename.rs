//! A column of a table under another name, wherever a contract speaks of it.

use serde_json::{Map, Value as Json};

use super::Contract;
use crate::expr::ExprKind;
use crate::expr::parse::{AnyColumn, Syntax, parse};
use crate::rule::kinds::{self, Form, MODIFIERS};

impl Contract {
    /// The contract in which a column is called `to`: its entry, the keys, and every rule that names it. Ids that
    /// were given stay. An error is what cannot be changed so, a sentence each.
    pub fn with_column_renamed(&self, from: &str, to: &str) -> Result<Contract, Vec<String>> {
        let renaming = Renaming { from, to };
        let mut problems = Vec::new();
        let has = |name: &str| self.columns.keys().any(|column| column.eq_ignore_ascii_case(name));
        if has(from) && has(to) {
            problems.push(format!("the contract has a column `{to}` already"));
        }
        let mut document = self.to_value();
        if let Some(key) = document.get_mut("primary_key") {
            renaming.names(key);
        }
        if let Some(column) = document.get_mut("freshness").and_then(|freshness| freshness.get_mut("column")) {
            renaming.names(column);
        }
        if let Some(columns) = document.get_mut("columns").and_then(Json::as_object_mut) {
            for (name, mut column) in std::mem::take(columns) {
                renaming.rules(column.get_mut("rules"), &mut problems);
                columns.insert(if renaming.is_meant(&name) { to.to_owned() } else { name }, column);
            }
        }
        renaming.rules(document.get_mut("table_level_checks"), &mut problems);
        match Contract::from_value(document) {
            Ok((contract, _)) if problems.is_empty() => Ok(contract),
            Ok(_) => Err(problems),
            Err(error) => Err(vec![error.to_string()]),
        }
    }
}

struct Renaming<'a> {
    from: &'a str,
    to: &'a str,
}

impl Renaming<'_> {
    fn is_meant(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(self.from)
    }

    /// The name in a text, or each in a list of texts.
    fn names(&self, value: &mut Json) {
        match value {
            Json::String(name) if self.is_meant(name) => *name = self.to.to_owned(),
            Json::Array(names) => names.iter_mut().for_each(|name| self.names(name)),
            _ => {}
        }
    }

    fn rules(&self, rules: Option<&mut Json>, problems: &mut Vec<String>) {
        for rule in rules.and_then(Json::as_array_mut).into_iter().flatten().filter_map(Json::as_object_mut) {
            self.rule(rule, problems);
        }
    }

    fn rule(&self, rule: &mut Map<String, Json>, problems: &mut Vec<String>) {
        let text =
            |rule: &Map<String, Json>, key: &str| rule.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        let (id, kind) = (text(rule, "id"), text(rule, "type"));
        let own = kinds::find(&kind).map(|kind| kind.keys).unwrap_or_default();
        for key in MODIFIERS.iter().chain(own) {
            let Some(value) = rule.get_mut(key.name) else { continue };
            match key.form {
                Form::Column | Form::Columns => self.names(value),
                Form::Predicate => match value.as_str().map(|text| self.predicate(text)) {
                    Some(Ok(renamed)) => *value = Json::String(renamed),
                    Some(Err(why)) => problems.push(format!("rule {id}: {why}")),
                    None => {}
                },
                Form::Query if value.as_str().is_some_and(|query| self.may_read(query)) => {
                    problems.push(format!("rule {id}: its query may read `{}`; change it by hand", self.from));
                }
                _ => {}
            }
        }
    }

    /// Rule text in which the column is called anew; the rest stays as written.
    fn predicate(&self, text: &str) -> Result<String, String> {
        if !self.may_read(text) {
            return Ok(text.to_owned());
        }
        let expr = parse(text, Syntax::Rule, &AnyColumn).map_err(|error| error.message)?;
        let mut places: Vec<(usize, usize)> = Vec::new();
        expr.visit(&mut |part| {
            if let ExprKind::Column(column) = &part.kind
                && self.is_meant(&column.name)
            {
                places.push((part.span.start as usize, part.span.end as usize));
            }
        });
        places.sort_unstable();
        places.dedup();
        let mut renamed = text.to_owned();
        for (start, end) in places.into_iter().rev() {
            let range = start..end;
            let Some(written) = text.get(range.clone()).filter(|written| self.is_meant(written.trim_matches('"')))
            else {
                return Err(format!("`{}` in it cannot be changed; change it by hand", self.from));
            };
            renamed.replace_range(range, &written.replace(written.trim_matches('"'), self.to));
        }
        Ok(renamed)
    }

    /// Whether a text has the name as a word.
    fn may_read(&self, text: &str) -> bool {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.into_iter().any(|word| self.is_meant(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contract(rules: &str, checks: &str) -> Contract {
        let text = format!(
            r#"{{"table_name": "loans", "primary_key": ["loan_id", "status"], "freshness": {{"frequency": "daily", "column": "status"}},
            "columns": {{"loan_id": {{"type": "string", "nullable": false, "rules": []}},
                "status": {{"type": "string", "nullable": true, "rules": [{rules}]}}}}, "table_level_checks": [{checks}]}}"#
        );
        let (contract, problems) = Contract::from_json(&text).unwrap();
        assert_eq!(problems, []);
        contract
    }

    #[test]
    fn every_key_that_names_a_column_follows() {
        let before = contract(
            r#"{"id": "mine_of_status", "type": "not_null", "where": "status <> 'status' OR Status IS NULL"},
               {"type": "allowed_values", "values": ["status", "PAID"]}"#,
            r#"{"type": "primary_key", "columns": ["loan_id", "status"]},
               {"type": "check_constraint", "expression": "upper(status) = 'PAID' AND loan_id <> \"status\""}"#,
        );
        let after = before.with_column_renamed("status", "state").unwrap();
        assert_eq!(after.primary_key, ["loan_id", "state"]);
        assert_eq!(after.columns.keys().collect::<Vec<_>>(), ["loan_id", "state"]);
        let json = after.to_json();
        assert!(json.contains(r#""id": "mine_of_status""#), "{json}");
        assert!(json.contains(r#""where": "state <> 'status' OR state IS NULL""#), "{json}");
        assert!(json.contains(r#"upper(state) = 'PAID' AND loan_id <> \"state\""#), "{json}");
        assert!(json.contains(r#""column": "state""#), "{json}");
        assert!(json.matches("\"status\"").count() == 1, "only the allowed value stays: {json}");
        assert_eq!(after.with_column_renamed("state", "status").unwrap(), {
            // The one name that was written otherwise is as all others now.
            Contract::from_json(&before.to_json().replace("Status IS", "status IS")).unwrap().0
        });
    }

    #[test]
    fn what_cannot_be_renamed_is_told() {
        let before = contract("", r#"{"id": "mine", "type": "custom_sql", "sql": "SELECT status FROM loans"}"#);
        let problems = before.with_column_renamed("status", "state").unwrap_err();
        assert_eq!(problems, ["rule mine: its query may read `status`; change it by hand"]);
        assert!(before.with_column_renamed("amount", "sum").is_ok(), "another column");
        let taken = contract("", "").with_column_renamed("status", "loan_id").unwrap_err();
        assert_eq!(taken, ["the contract has a column `loan_id` already"]);
        let other = contract("", "");
        assert_eq!(other.with_column_renamed("amount", "status").as_ref(), Ok(&other), "it speaks of no such column");
    }
}
