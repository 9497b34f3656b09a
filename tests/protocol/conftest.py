import os
from pathlib import Path

import pytest

import project
from wire import Wire

SERVER = [os.environ["DE_COPILOT_BIN"], "lsp"]


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The script of a new project."""
    return project.make(tmp_path)


@pytest.fixture
def start(script: Path):
    """Starts servers in the project; they end with the test."""
    wires: list[Wire] = []

    def start(reading: bool = True) -> Wire:
        wires.append(Wire(SERVER, script.parent.parent, reading))
        return wires[-1]

    yield start
    for wire in wires:
        wire.close()


@pytest.fixture
def wire(start, script: Path) -> Wire:
    """A server that has been initialized, has the script open and knows the tables that it reads."""
    wire = start()
    wire.initialize(script.parent.parent)
    wire.notify("textDocument/didOpen", {"textDocument": opened(script)})
    wire.wait_for(project.tells_the_unknown_column)
    return wire


def opened(script: Path) -> dict:
    """The text document item of a script as it lies on disk."""
    return {"uri": script.as_uri(), "languageId": "python", "version": 1, "text": script.read_text()}
