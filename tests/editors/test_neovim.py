"""The language server in Neovim: 0.7 as Debian 12 has it, 0.10, and one that has `vim.lsp.config`."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from conftest import told

UNPACKED = Path(os.environ["EDITORS"]) / "bin"
PROGRAMS = {"debian": "nvim", "0.10": str(UNPACKED / "nvim-trixie"), "newest": str(UNPACKED / "nvim-forky")}


@pytest.fixture(scope="module", params=PROGRAMS)
def answers(request: pytest.FixtureRequest, new_project) -> dict:
    """What Neovim said in one session on the demo's main script."""
    program = PROGRAMS[request.param]
    printed = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(map(int, re.search(r"v(\d+)\.(\d+)", printed).groups()))
    new, old = told("lua")
    project = new_project()
    settings = project.home / "settings.lua"
    settings.write_text(new if version >= (0, 11) else old)
    run = [program, "--headless", "--clean", "-n"]
    run += ["-c", f"luafile {settings}", "-c", f"luafile {Path(__file__).parent / 'neovim.lua'}"]
    subprocess.run(
        run, env=project.environment, cwd=project.root, timeout=100, check=True, stdin=subprocess.DEVNULL
    )
    found = json.loads(Path(project.environment["ANSWERS"]).read_text())
    assert "error" not in found, found["error"]
    return found | {"project": str(project.root), "version": version}


def test_the_root_is_the_folder_of_the_settings(answers: dict):
    assert answers["root"] == answers["project"]


def test_an_unknown_column_is_marked_while_it_is_there(answers: dict):
    [marked] = answers["broken"]
    assert (marked["text"], marked["severity"], marked["source"]) == ("payment_tatus", 1, "de-copilot")
    assert "Did you mean `payment_status`?" in marked["message"]
    assert 'F.col("payment_status").isin(VALID_STATUSES)' in answers["line"], "undone, and no longer marked"


def test_hover_on_a_table_shows_its_columns(answers: dict):
    for expected in ["ref_db.dim_loan", "loan_id", "string"]:
        assert expected in answers["table"]


def test_hover_on_a_frame_shows_its_schema_and_grain(answers: dict):
    for expected in ["repayments", "emi_amount", "double", "loan_id, payment_date"]:
        assert expected in answers["frame"]


def test_hints_stand_behind_calls(answers: dict):
    if answers["version"] < (0, 10):
        pytest.skip("this version shows no hints")
    assert any("grain" in hint for hint in answers["hints"]), answers["hints"]


def test_a_column_is_renamed_wherever_it_is_used(answers: dict):
    before, after = answers["renamed"]
    assert before > 1 and after == 0, "every place of the old name"
