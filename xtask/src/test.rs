//! `cargo xtask test`: sets up pieces in the background while suites run one after another, and tells the outcome.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cache::Cache;
use crate::command::{self, Finished};
use crate::counts::{self, Counting, Counts};
use crate::piece::{self, PIECES, Piece};
use crate::suite::{SUITES, Suite};
use crate::{output, repository};

/// Prints the suites; true, because listing cannot fail.
pub(crate) fn list() -> bool {
    output::table(["suite", "what it shows"], SUITES.iter().map(|suite| [suite.name.into(), suite.about.into()]));
    true
}

/// Runs the named suites, or all, with what they need. True if everything passed.
///
/// Suites run one at a time, because each one uses the whole machine; only the set-up, which mostly waits for the
/// network, runs beside them. A suite waits for its own pieces alone.
pub(crate) fn run(names: &[String]) -> Result<bool> {
    let suites = chosen(names)?;
    let cache = Cache::open()?;
    let binary = repository::binary("debug")?;
    let pieces = needed(&suites)?;
    let setups: Setups = pieces.iter().map(|piece| (piece.name, OnceLock::new())).collect();
    let mut results: Vec<(&Suite, Outcome)> = Vec::new();
    thread::scope(|scope| {
        for piece in &pieces {
            scope.spawn(|| set_up(piece, &setups, &cache));
        }
        for suite in &suites {
            let outcome = match unmet(suite, &setups, &results) {
                Some(reason) => judge(suite.counting, Err(anyhow::Error::msg(reason))),
                None => run_suite(suite, &cache, &binary),
            };
            report(suite.name, &outcome);
            results.push((suite, outcome));
        }
    });
    Ok(summarize(&setups, &results))
}

/// What became of a piece or a suite.
#[derive(Default)]
struct Outcome {
    /// Nothing if all is well, otherwise what went wrong, at length.
    failure: Option<String>,
    /// In one or two words, for the table.
    word: &'static str,
    counts: Option<Counts>,
    time: Duration,
}

/// Each piece in the making; threads and suites wait for the ones that they need.
type Setups = BTreeMap<&'static str, OnceLock<Outcome>>;

fn chosen(names: &[String]) -> Result<Vec<&'static Suite>> {
    if let Some(unknown) = names.iter().find(|name| !SUITES.iter().any(|suite| suite.name == **name)) {
        let known: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
        bail!("no suite is named {unknown}; there are {}", known.join(", "));
    }
    let named = |name: &str| names.iter().any(|wanted| wanted == name);
    let wanted = |suite: &Suite| names.is_empty() || named(suite.name);
    let is_first_step = |name: &str| SUITES.iter().any(|suite| wanted(suite) && suite.after == Some(name));
    Ok(SUITES.iter().filter(|suite| wanted(suite) || is_first_step(suite.name)).collect())
}

/// The pieces that the suites need, and those that these need, in the order of the table.
fn needed(suites: &[&Suite]) -> Result<Vec<&'static Piece>> {
    let mut names: Vec<&str> = suites.iter().flat_map(|suite| suite.needs).copied().collect();
    let mut at = 0;
    while let Some(name) = names.get(at).copied() {
        names.extend(piece::named(name)?.needs);
        at += 1;
    }
    Ok(PIECES.iter().filter(|piece| names.contains(&piece.name)).collect())
}

fn set_up(piece: &Piece, setups: &Setups, cache: &Cache) {
    let broken = piece.needs.iter().find(|need| setups.get(*need).is_some_and(|setup| setup.wait().failure.is_some()));
    let start = Instant::now();
    let done = match broken {
        Some(need) => Err(anyhow::anyhow!("{need} could not be set up")),
        None => piece::set_up(piece, cache),
    };
    let outcome = match done {
        Ok(installed) => Outcome { word: if installed { "installed" } else { "there" }, ..Outcome::default() },
        Err(error) => Outcome { word: "failed", failure: Some(format!("{error:#}")), ..Outcome::default() },
    };
    let outcome = Outcome { time: start.elapsed(), ..outcome };
    report(&format!("set-up of {}", piece.name), &outcome);
    if let Some(setup) = setups.get(piece.name) {
        let _ = setup.set(outcome);
    }
}

/// Waits for what the suite needs; the reason why it cannot run, if there is one.
fn unmet(suite: &Suite, setups: &Setups, results: &[(&Suite, Outcome)]) -> Option<String> {
    let before = results.iter().find(|(other, outcome)| suite.after == Some(other.name) && outcome.failure.is_some());
    if let Some((other, _)) = before {
        return Some(format!("not run, because {} failed", other.name));
    }
    let broken = suite.needs.iter().find(|need| setups.get(*need).is_some_and(|setup| setup.wait().failure.is_some()));
    broken.map(|need| format!("not run, because {need} could not be set up"))
}

fn run_suite(suite: &Suite, cache: &Cache, binary: &Path) -> Outcome {
    let log = cache.log(suite.name);
    output::line(&format!("{}: {} (log: {})", suite.name, suite.about, log.display()));
    let start = Instant::now();
    let finished = command_of(suite, cache).and_then(|mut command| {
        command.env("DE_COPILOT_BIN", binary).current_dir(repository::root());
        command::run(command, &log, Duration::from_secs(suite.minutes * 60))
    });
    Outcome { time: start.elapsed(), ..judge(suite.counting, finished) }
}

fn command_of(suite: &Suite, cache: &Cache) -> Result<Command> {
    let (program, arguments) = suite.command.split_first().context("the suite has no command")?;
    let program = if *program == "cargo" { repository::cargo() } else { piece::with_folders(program, cache) };
    let mut command = Command::new(program);
    command.args(arguments.iter().map(|argument| piece::with_folders(argument, cache)));
    command.envs(suite.environment.iter().map(|(name, value)| (name, piece::with_folders(value, cache))));
    Ok(command)
}

/// A suite has passed if its command exited with 0 and, where it tells numbers, ran tests of which none failed.
fn judge(counting: Counting, finished: Result<Finished>) -> Outcome {
    let (mut failure, printed) = match finished {
        Ok(Finished { failure, output }) => (failure, output),
        Err(error) => (Some(format!("{error:#}")), String::new()),
    };
    let told = counts::read(&printed, counting);
    if failure.is_none() && told.is_none() && !matches!(counting, Counting::ExitCode) {
        failure = Some("it ran no test".into());
    }
    let mut counts = told.unwrap_or_else(|| Counts::one(failure.is_none()));
    if failure.is_some() && counts.failed == 0 {
        counts.failed = 1;
    }
    Outcome {
        word: if failure.is_none() { "passed" } else { "failed" },
        failure: failure.map(|reason| format!("{}\n{reason}", command::tail(&printed, 400))),
        counts: Some(counts),
        time: Duration::ZERO,
    }
}

fn report(what: &str, outcome: &Outcome) {
    let seconds = outcome.time.as_secs_f64();
    match &outcome.failure {
        None => output::line(&format!("{what}: {} ({seconds:.1} s)", outcome.word)),
        Some(failure) => output::line(&format!("{what}: failed ({seconds:.1} s)\n{failure}\n{what}: see above")),
    }
}

/// Prints the table and the closing line. True if everything passed.
fn summarize(setups: &Setups, results: &[(&Suite, Outcome)]) -> bool {
    let number = |count: usize| if count == 0 { String::new() } else { count.to_string() };
    let row = |what: String, outcome: &Outcome| {
        let counts = outcome.counts.unwrap_or_default();
        let time = format!("{:.1} s", outcome.time.as_secs_f64());
        [what, outcome.word.into(), number(counts.passed), number(counts.failed), number(counts.skipped), time]
    };
    let pieces = setups.iter().filter_map(|(name, setup)| Some(row(format!("set-up of {name}"), setup.get()?)));
    let suites = results.iter().map(|(suite, outcome)| row(suite.name.into(), outcome));
    output::table(["what", "outcome", "passed", "failed", "skipped", "time"], pieces.chain(suites));
    let counts = results.iter().filter_map(|(_, outcome)| outcome.counts).fold(Counts::default(), Counts::plus);
    let skipped = if counts.skipped > 0 { format!(", {} skipped", counts.skipped) } else { String::new() };
    output::line(&format!("{} passed, {} failed{skipped}", counts.passed, counts.failed));
    counts.failed == 0
}
