//! Runs a command to its end or its time limit, with everything that it prints in a log file.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// What became of a command.
pub(crate) struct Finished {
    /// Nothing if it exited with 0; otherwise what happened, for a person.
    pub(crate) failure: Option<String>,
    /// Standard output and standard error, in the order in which they were written.
    pub(crate) output: String,
}

/// Runs `command` without standard input. `log` is replaced.
///
/// Past `limit` the command and the processes that it started are killed. Errors say what could not be started or
/// written; a command that exits with another code than 0 is no error but a [`Finished`] with a failure.
pub(crate) fn run(mut command: Command, log: &Path, limit: Duration) -> Result<Finished> {
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let mut child = command.spawn().with_context(|| format!("cannot start {program}"))?;
    let failure = wait(&mut child, limit)?;
    let output = fs::read(log).with_context(|| format!("cannot read {}", log.display()))?;
    Ok(Finished { failure, output: String::from_utf8_lossy(&output).into_owned() })
}

/// Runs `command` as [`run`] does and turns a failure into an error that shows what it printed.
pub(crate) fn require(command: Command, log: &Path, limit: Duration) -> Result<String> {
    let shown = format!("{command:?}");
    let finished = run(command, log, limit)?;
    match finished.failure {
        None => Ok(finished.output),
        Some(failure) => bail!("{shown}: {failure}\n{}", tail(&finished.output, 200)),
    }
}

/// The last `lines` lines of a text, with a note of how many were left out.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    match all.len().checked_sub(lines) {
        None | Some(0) => all.join("\n"),
        Some(left) => format!("… {left} lines before these\n{}", all.get(left..).unwrap_or_default().join("\n")),
    }
}

fn wait(child: &mut Child, limit: Duration) -> Result<Option<String>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((!status.success()).then(|| status.to_string()));
        }
        if start.elapsed() > limit {
            // Children first leave the tree only by their parent's end, so the list is read before anything is killed.
            for process in descendants(child.id()).into_iter().filter_map(|id| Pid::from_raw(id.cast_signed())) {
                let _ = kill_process(process, Signal::KILL);
            }
            child.kill()?;
            child.wait()?;
            return Ok(Some(format!("still running after {} minutes, killed", limit.as_secs() / 60)));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// The processes that a process started, directly or through others, as Linux lists them.
fn descendants(id: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<u32> = children
        .flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|id| id.parse().ok())
        .collect();
    children.into_iter().flat_map(|child| [vec![child], descendants(child)].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_streams_land_in_the_log_and_the_exit_code_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let finished = run(shell("echo out; echo err >&2; exit 3"), &log, Duration::from_secs(60)).unwrap();
        assert_eq!(finished.output, "out\nerr\n");
        assert_eq!(finished.failure.as_deref(), Some("exit status: 3"));
        assert_eq!(fs::read_to_string(log).unwrap(), "out\nerr\n");
    }

    #[test]
    fn past_the_limit_grandchildren_are_killed_too() {
        let folder = tempfile::tempdir().unwrap();
        let id = folder.path().join("id");
        let script = format!("sh -c 'echo $$ > {}; sleep 600' & wait", id.display());
        let finished = run(shell(&script), &folder.path().join("log"), Duration::from_secs(2)).unwrap();
        assert!(finished.failure.unwrap().contains("killed"));
        let grandchild = fs::read_to_string(id).unwrap();
        let is_gone = || {
            let status = fs::read_to_string(format!("/proc/{}/status", grandchild.trim()));
            status.map_or(true, |status| status.contains("State:\tZ") || status.contains("State:\tX"))
        };
        // A killed process is gone once the machine has come round to it.
        for _ in 0..600 {
            if is_gone() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the grandchild still runs");
    }

    #[test]
    fn a_missing_program_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = run(Command::new("no-such-program"), &folder.path().join("log"), Duration::from_secs(1)).err();
        assert_eq!(error.unwrap().to_string(), "cannot start no-such-program");
    }

    #[test]
    fn a_tail_says_what_it_leaves_out() {
        assert_eq!(tail("a\nb\nc", 3), "a\nb\nc");
        assert_eq!(tail("a\nb\nc", 2), "… 1 lines before these\nb\nc");
    }
}
