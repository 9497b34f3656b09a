//! The test suites: what each one needs and what it runs.

use crate::counts::Counting;

/// One row of the table that `cargo xtask test` ends with.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// The pieces that must be set up first.
    pub(crate) needs: &'static [&'static str],
    /// The suite that must have passed first, if any; choosing this one chooses that one too.
    pub(crate) after: Option<&'static str>,
    /// Program and arguments, run in the repository's root with `DE_COPILOT_BIN` naming the built binary. `{NAME}` is
    /// the folder of a piece; the program `cargo` is the one that runs xtask.
    pub(crate) command: &'static [&'static str],
    /// Environment variables, with the same placeholders.
    pub(crate) environment: &'static [(&'static str, &'static str)],
    pub(crate) counting: Counting,
    /// Past this it is killed and has failed.
    pub(crate) minutes: u64,
}

const CARGO_TEST: Counting = Counting::EachLine("test result:");

/// All suites, in the order in which they run: quick ones first, then those that compile, then those that use the
/// binary.
pub(crate) const SUITES: &[Suite] = &[
    Suite {
        name: "format",
        about: "every file is as rustfmt writes it",
        needs: &[],
        after: None,
        command: &["cargo", "fmt", "--all", "--check"],
        environment: &[],
        counting: Counting::ExitCode,
        minutes: 5,
    },
    Suite {
        name: "dependencies",
        about: "licences, duplicate versions and sources of what is linked, against deny.toml",
        needs: &["cargo-deny"],
        after: None,
        command: &["{cargo-deny}/bin/cargo-deny", "--color", "never", "check", "licenses", "bans", "sources"],
        environment: &[],
        counting: Counting::ExitCode,
        minutes: 5,
    },
    Suite {
        name: "lints",
        about: "clippy finds nothing",
        needs: &[],
        after: None,
        command: &["cargo", "clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"],
        environment: &[],
        counting: Counting::ExitCode,
        minutes: 30,
    },
    Suite {
        name: "rust",
        about: "unit, integration and documentation tests of every crate",
        needs: &[],
        after: None,
        command: &["cargo", "test", "--workspace", "--no-fail-fast"],
        environment: &[],
        counting: CARGO_TEST,
        minutes: 45,
    },
    Suite {
        name: "build",
        about: "the binary that the suites below start",
        needs: &[],
        after: None,
        command: &["cargo", "build", "--workspace"],
        environment: &[],
        counting: Counting::ExitCode,
        minutes: 30,
    },
    Suite {
        name: "scripts",
        about: "the demo's Glue scripts are Python",
        needs: &["python"],
        after: None,
        command: &[
            "python3",
            "-c",
            "import ast, pathlib\n\
             scripts = list(pathlib.Path('fixtures/loans').rglob('*.py'))\n\
             assert scripts, 'fixtures/loans holds no script'\n\
             for script in scripts: ast.parse(script.read_bytes(), script)",
        ],
        environment: &[],
        counting: Counting::ExitCode,
        minutes: 5,
    },
    Suite {
        name: "demo",
        about: "what the demo finds against what was planted, with several seeds",
        needs: &["pytest"],
        after: Some("build"),
        command: &["{pytest}/bin/python", "-m", "pytest", "--quiet", "-p", "no:cacheprovider", "tests/demo"],
        environment: &[],
        counting: Counting::LastLine,
        minutes: 20,
    },
    Suite {
        name: "protocol",
        about: "the language server over stdio: lifecycle, order, cancellation, encodings, malformed input, floods",
        needs: &["pytest"],
        after: Some("build"),
        command: &["{pytest}/bin/python", "-m", "pytest", "--quiet", "-p", "no:cacheprovider", "tests/protocol"],
        environment: &[],
        counting: Counting::LastLine,
        minutes: 15,
    },
    Suite {
        name: "editors",
        about: "sessions in Neovim, Helix and Emacs with the settings of docs/editors.md: diagnostics, hover, renaming",
        needs: &["pytest", "neovim", "editors"],
        after: Some("build"),
        command: &["{pytest}/bin/python", "-m", "pytest", "--quiet", "-p", "no:cacheprovider", "tests/editors"],
        environment: &[("EDITORS", "{editors}")],
        counting: Counting::LastLine,
        minutes: 5,
    },
    Suite {
        name: "extension",
        about: "the VS Code extension compiles, passes its linter and packages",
        needs: &["node"],
        after: None,
        command: &["bash", "-c", "cd vscode-extension && npm ci && npm run lint && npm run package"],
        environment: &[],
        counting: Counting::ExitCode,
        minutes: 5,
    },
    Suite {
        name: "vscode",
        about: "the packaged extension in VS Code: its extension host, and the window as a person drives it",
        needs: &["node", "ripgrep", "chromium", "vscode-server"],
        after: Some("build"),
        command: &["bash", "-c", "cd vscode-extension && npm ci && npm test"],
        environment: &[("VSCODE_SERVER", "{vscode-server}")],
        counting: Counting::LastLine,
        minutes: 10,
    },
    Suite {
        name: "spark",
        about: "the demo's Glue scripts run on Spark, and write the columns that the analyzer says",
        needs: &["spark"],
        after: Some("build"),
        command: &["{spark}/bin/python", "-m", "pytest", "--quiet", "-p", "no:cacheprovider", "tests/spark"],
        environment: &[],
        counting: Counting::LastLine,
        minutes: 20,
    },
    Suite {
        name: "oracle",
        about: "what the analyzer says of the specification's cases and of programs made up is what Spark does",
        needs: &["spark"],
        after: Some("build"),
        command: &["cargo", "run", "--quiet", "--package", "xtask", "--", "oracle", "--count", "150"],
        environment: &[],
        counting: Counting::LastLine,
        minutes: 20,
    },
    Suite {
        name: "conformance",
        about: "rules and expressions mean one thing on the embedded engine, Spark and Trino",
        needs: &["spark", "trino"],
        after: Some("build"),
        command: &["cargo", "run", "--quiet", "--package", "xtask", "--", "conformance"],
        environment: &[],
        counting: Counting::LastLine,
        minutes: 20,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::piece;

    #[test]
    fn every_suite_needs_pieces_that_exist_and_runs_after_one_above_it() {
        for (place, suite) in SUITES.iter().enumerate() {
            suite.needs.iter().for_each(|need| assert!(piece::named(need).is_ok(), "{}: {need}", suite.name));
            let mut above = SUITES[..place].iter();
            assert!(suite.after.is_none_or(|after| above.any(|other| other.name == after)), "{}", suite.name);
        }
    }

    #[test]
    fn a_command_uses_only_pieces_that_the_suite_needs() {
        for suite in SUITES {
            let texts = suite.command.iter().chain(suite.environment.iter().map(|(_, value)| value));
            for name in texts.filter_map(|text| text.split_once('{')?.1.split_once('}')).map(|(name, _)| name) {
                assert!(suite.needs.contains(&name), "{} uses {name}", suite.name);
            }
        }
    }
}
