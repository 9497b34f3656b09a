//! A line above a write.

use crate::checks::Verdict;
use crate::facts::Output;
use crate::{Analysis, ide};

/// What the contract of a written table says, and how its tests went; `None` where the table is none of the catalog.
pub fn contract_lens(analysis: &Analysis, output: &Output) -> Option<String> {
    let table = ide::table_name(&output.dataset)?;
    let Some(contract) = analysis.answers.contracts.get(&table) else {
        return Some("no contract".to_owned());
    };
    let rules = contract.rules().count();
    let mut words = vec![if rules == 1 { "contract: 1 rule".to_owned() } else { format!("contract: {rules} rules") }];
    let refuted = output.checks.iter().filter(|check| check.verdict == Verdict::Refuted).count();
    if refuted > 0 {
        words.push(format!("{refuted} refuted here"));
    }
    if let Some(run) = analysis.answers.runs.get(&table) {
        words.push(match run.failed.len() {
            0 => format!("tests of {} passed", run.date),
            failed => format!("{failed} of {} tests of {} failed", failed + run.passed, run.date),
        });
    }
    Some(words.join(" · "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze;
    use crate::ide::fixture::Lending;

    fn check(script: &str, expected: Option<&str>) {
        let analysis = analyze(script, &Lending);
        assert_eq!(contract_lens(&analysis, &analysis.outputs[0]).as_deref(), expected);
    }

    #[test]
    fn rules_refuted_ones_and_the_last_run() {
        check(
            "spark.table('raw_db.payments').write.saveAsTable('gold.fact')\n",
            Some("contract: 2 rules · 4 refuted here · 1 of 4 tests of 2026-03-01 failed"),
        );
    }

    #[test]
    fn a_table_without_a_contract_and_files() {
        check("spark.table('raw_db.payments').write.saveAsTable('gold.other')\n", Some("no contract"));
        check("spark.table('raw_db.payments').write.parquet('s3://b/t/')\n", None);
    }
}
