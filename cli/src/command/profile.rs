//! `profile`: the statistics of tables.

use contract::document::{ColumnProfile, Profile, TopValue};
use engine::Result;
use engine::stage::history::record_profile;
use engine::stage::profile::{ProfileOptions, Profiled, profile};
use indicatif::{DecimalBytes, HumanCount};
use owo_colors::OwoColorize;
use serde_json::{Value as Json, json};

use crate::folder::Folder;
use crate::output::{self, Common, Format, counted};
use crate::progress::Spinner;

/// Row counts, null shares, ranges and top values of tables, in one scan each
///
/// Each profile is kept in the history of its table, in the store's stats-history/, under the date of the data.
#[derive(clap::Args)]
#[command(after_help = "Example:\n  de-copilot profile analytics_db.loan_repayment_fact --format json")]
pub(crate) struct Arguments {
    /// `table` or `database.table`; all tables where none is named
    #[arg(value_name = "TABLE")]
    tables: Vec<String>,
    #[command(flatten)]
    common: Common,
}

pub(super) async fn run(Arguments { tables, common }: Arguments) -> Result<u8> {
    let folder = Folder::open(&common.project)?;
    let tables = folder.tables(&tables).await?;
    let (mut code, mut documents) = (0, Vec::new());
    let spinner = Spinner::new();
    for table in tables {
        spinner.doing(format!("profile {table}"));
        let profiled = profile(&folder.lake, &table, &ProfileOptions::default()).await;
        // What was measured is shown where it cannot be kept, too.
        if let Ok(profiled) = &profiled
            && let Err(error) = record_profile(&folder.lake, &table, &profiled.profile).await
        {
            output::error(&error);
            code = code.max(output::exit_code(&error));
        }
        spinner.done();
        match profiled {
            // The others can still be profiled; the exit code tells that one was not.
            Err(error) => {
                output::error(&error);
                code = code.max(output::exit_code(&error));
                documents.push(json!({ "table": table.to_string(), "error": error.to_string() }));
            }
            Ok(profiled) if common.format == Format::Json => documents.push(json!({
                "table": table.to_string(),
                "profile": profiled.profile,
                "cost": profiled.cost,
            })),
            Ok(profiled) => output::print(text(&profiled)),
        }
    }
    if common.format == Format::Json {
        output::json(&documents);
    }
    Ok(code)
}

fn text(Profiled { profile, cost }: &Profiled) -> String {
    let name = format!("{}.{}", profile.database, profile.table_name);
    let mut text = format!(
        "{}  {}, {} of {}, read in {:.2} s\n",
        name.bold(),
        counted(profile.row_count, "row"),
        DecimalBytes(profile.total_bytes),
        counted(profile.file_count, "file"),
        cost.seconds
    );
    let mut table = output::table(["column", "type", "null", "distinct", "min", "max", "p95", "values"]);
    for (column, stats) in &profile.column_stats {
        table.add_row([
            column.clone(),
            stats.data_type.clone(),
            share(stats.null_pct),
            stats
                .distinct_count
                .map_or(String::new(), |n| format!("{}{}", if stats.distinct_exact { "" } else { "~" }, HumanCount(n))),
            stats.min.as_ref().map_or(String::new(), plain),
            stats.max.as_ref().map_or(String::new(), plain),
            stats.p95.map_or(String::new(), |p95| plain(&json!(p95))),
            values(profile, stats),
        ]);
    }
    text.push_str(&table.to_string());
    for unreadable in &profile.unreadable_files {
        text.push_str(&format!("\n{} {unreadable}", "not read:".yellow()));
    }
    text.push('\n');
    text
}

/// The most frequent values, each with a bar of its share; for other columns what is remarkable about them.
fn values(profile: &Profile, stats: &ColumnProfile) -> String {
    const SHOWN: usize = 5;
    let bar = |top: &TopValue| {
        let share = top.count as f64 / profile.row_count.max(1) as f64;
        format!("{} {} {}", bar(share), self::share(share * 100.0), plain(&top.value))
    };
    let mut lines: Vec<String> = stats.top_values.iter().take(SHOWN).map(bar).collect();
    if stats.top_values.len() > SHOWN {
        lines.push(format!("and {} more", stats.top_values.len() - SHOWN));
    }
    if let Some(nan) = stats.nan_pct.filter(|nan| *nan > 0.0) {
        lines.push(format!("{} NaN", share(nan)));
    }
    if let Some(blank) = stats.blank_pct.filter(|blank| *blank > 0.0) {
        lines.push(format!("{} blank", share(blank)));
    }
    if lines.is_empty()
        && let Some((shortest, longest)) = stats.length
    {
        lines.push(match shortest == longest {
            true => counted(shortest, "character"),
            false => format!("{shortest} to {}", counted(longest, "character")),
        });
    }
    lines.join("\n")
}

/// A bar of up to ten blocks.
fn bar(share: f64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * 80.0).round() as usize;
    let drawn = format!("{}{}", "█".repeat(eighths / 8), PARTS.get(eighths % 8).copied().unwrap_or_default());
    format!("{drawn:<10}")
}

/// A share in percent, with as many digits as it needs to be told from nothing and from all.
fn share(percent: f64) -> String {
    match percent {
        p if p == 0.0 || p == 100.0 => format!("{p:.0} %"),
        p if p < 0.01 => "<0.01 %".into(),
        p if (1.0..99.0).contains(&p) => format!("{p:.0} %"),
        p => format!("{p:.2} %"),
    }
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Number(number) => match number.as_f64() {
            Some(double) if !number.is_i64() => {
                format!("{double:.6}").trim_end_matches('0').trim_end_matches('.').into()
            }
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_told_from_nothing_and_from_all() {
        assert_eq!(
            [0.0, 0.0001, 0.5, 12.3, 99.97, 100.0].map(share),
            ["0 %", "<0.01 %", "0.50 %", "12 %", "99.97 %", "100 %"]
        );
    }

    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!(
            [0.0, 0.05, 0.5, 1.0].map(|share| bar(share).trim_end().to_owned()),
            ["", "▌", "█████", "██████████"]
        );
    }
}
