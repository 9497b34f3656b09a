//! How many tests ran, read from what test runners print at their end.

/// How a suite tells its numbers.
#[derive(Clone, Copy)]
pub(crate) enum Counting {
    /// It tells none: the command is one check, judged by its exit code.
    ExitCode,
    /// Every line that begins with this, once per test binary, as in `test result: ok. 3 passed; 0 failed; 1 ignored`.
    EachLine(&'static str),
    /// The last line with a number of passed or failed tests, as in `2 failed, 31 passed in 4.2s`.
    LastLine,
}

/// Tests by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl Counts {
    /// One check, judged by an exit code.
    pub(crate) fn one(passed: bool) -> Counts {
        Counts { passed: usize::from(passed), failed: usize::from(!passed), skipped: 0 }
    }

    /// The sum of two.
    pub(crate) fn plus(self, other: Counts) -> Counts {
        Counts {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

/// The numbers in what a suite printed, or nothing if it tells none.
pub(crate) fn read(output: &str, counting: Counting) -> Option<Counts> {
    let lines = output.lines().map(str::trim);
    match counting {
        Counting::ExitCode => None,
        Counting::EachLine(start) => {
            lines.filter(|line| line.starts_with(start)).filter_map(numbers).reduce(Counts::plus)
        }
        Counting::LastLine => lines.rev().find_map(numbers),
    }
}

/// The numbers before the words of one line: `31 passed, 2 failed`.
fn numbers(line: &str) -> Option<Counts> {
    let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut counts = Counts::default();
    let mut told = false;
    for pair in words.windows(2) {
        let &[number, word] = pair else { continue };
        let Ok(number) = number.parse::<usize>() else { continue };
        match word {
            "passed" | "passing" => (counts.passed, told) = (number, true),
            "failed" | "failing" => (counts.failed, told) = (number, true),
            "error" | "errors" => counts.failed += number,
            "ignored" | "skipped" | "pending" => counts.skipped = number,
            _ => {}
        }
    }
    told.then_some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_tells_each_test_binary() {
        let output = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                      test a ... FAILED\n\
                      test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        let counts = read(output, Counting::EachLine("test result:"));
        assert_eq!(counts, Some(Counts { passed: 7, failed: 2, skipped: 1 }));
    }

    #[test]
    fn pytest_tells_on_its_last_line() {
        let output = "tests/a.py::b 1 passed\n==== 2 failed, 31 passed, 3 skipped, 1 error in 4.20s ====\n";
        assert_eq!(read(output, Counting::LastLine), Some(Counts { passed: 31, failed: 3, skipped: 3 }));
    }

    #[test]
    fn a_runner_that_ran_nothing_tells_no_numbers() {
        assert_eq!(read("no tests ran in 0.01s\n", Counting::LastLine), None);
        assert_eq!(read("error: could not compile `contract`\n", Counting::EachLine("test result:")), None);
    }
}
