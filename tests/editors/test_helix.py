"""The language server in Helix, as somebody drives it on a terminal."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from pathlib import Path

import pyte
import pytest

from conftest import told

ESCAPE, ENTER, CLEAR = "\x1b", "\r", "\x15"


class Terminal:
    """A program on a terminal of its own, and what it shows there."""

    def __init__(self, command: list[str], environment: dict, folder: Path):
        self.screen = pyte.Screen(160, 50)
        self.stream = pyte.ByteStream(self.screen)
        self.output, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
        self.process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=inside, stdout=inside, stderr=inside, start_new_session=True
        )
        os.close(inside)

    def type(self, *keys: str):
        for key in keys:
            os.write(self.output, key.encode())
            # An escape and the key behind it would be one key.
            time.sleep(0.05)

    def shows(self, *words: str, absent: bool = False) -> str:
        """Waits until all of these words stand on the screen, or none of them does; the screen."""
        end = time.monotonic() + 30
        while True:
            shown = "\n".join(self.screen.display)
            if all((word in shown) != absent for word in words):
                return shown
            assert time.monotonic() < end, f"{words} {'stay' if absent else 'did not come'}:\n{shown}"
            if select.select([self.output], [], [], 0.1)[0]:
                self.stream.feed(os.read(self.output, 65536))

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.output)


@pytest.fixture
def helix(new_project):
    """Helix on the demo's main script, and the script."""
    project = new_project()
    [settings] = told("toml")
    folder = project.home / "config" / "helix"
    folder.mkdir(parents=True)
    (folder / "languages.toml").write_text(settings)
    program = str(Path(os.environ["EDITORS"]) / "bin" / "hx")
    environment = project.environment | {"TERM": "xterm-256color"}
    terminal = Terminal([program, str(project.script)], environment, project.root)
    yield terminal, project.script
    terminal.end()


def test_a_session(helix):
    terminal, script = helix
    terminal.shows("Loads the loan repayment fact", "NOR")

    # An unknown column is told while it is there.
    terminal.type("/", '_status"\\)\\.isin', ENTER, "i", "x", ESCAPE)
    terminal.shows("paymentx_status", "Did you mean `payment_status`?")
    terminal.type("u")
    terminal.shows("Did you mean", absent=True)

    # Hover on a table shows its columns.
    terminal.type("/", 'dim_loan"', ENTER, " ", "k")
    terminal.shows("ref_db.dim_loan", "loan_id", "string")
    terminal.type(ESCAPE)

    # A column is renamed wherever it is used.
    terminal.type("/", 'created_at"', ENTER, " ", "r")
    terminal.shows("rename-to:")
    terminal.type(CLEAR, "made_at", ENTER)
    terminal.shows("made_at")
    terminal.type(":write", ENTER)
    terminal.shows("written")
    renamed = script.read_text()
    assert "created_at" not in renamed and renamed.count("made_at") == 2
