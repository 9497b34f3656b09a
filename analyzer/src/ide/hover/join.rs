//! The call of a join.

use super::View;
use crate::facts::JoinFact;
use crate::ide::words;

pub(super) fn markdown(view: &View, join: &JoinFact) -> String {
    let names = |inputs: &[String]| inputs.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let mut text =
        format!("**{} join** of {} with {}\n", join.how.name(), names(&join.left_inputs), names(&join.right_inputs));
    for (left, right) in join.left_columns.iter().zip(&join.right_columns) {
        text.push_str(&format!("\nOn `{left}` = `{right}`\n"));
    }
    let verdict = if join.fan_out { "May repeat left rows" } else { "Repeats no left row" };
    text.push_str(&format!("\n{verdict}: {}\n", join.fan_out_reason));
    for filter in &join.filters {
        let line = words::line(view.text, filter.range.start);
        let when = words::when(filter.condition.as_ref());
        text.push_str(&format!("\nOnly partners where `{}`{when} (line {line})\n", filter.predicate));
    }
    text
}
