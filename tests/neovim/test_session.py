"""The language server in Neovim, with the settings that docs/editors.md tells people to use."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent
LOANS = REPOSITORY / "fixtures" / "loans"


def settings() -> str:
    """The snippet of docs/editors.md for the Neovim that is installed."""
    told = subprocess.run(["nvim", "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(map(int, re.search(r"v(\d+)\.(\d+)", told).groups()))
    new, old = re.findall(r"```lua\n(.*?)```", (REPOSITORY / "docs" / "editors.md").read_text(), re.DOTALL)
    return new if version >= (0, 11) else old


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What Neovim said in one session on the demo's main script."""
    folder = tmp_path_factory.mktemp("neovim")
    project = folder / "loans"
    shutil.copytree(LOANS / "jobs", project / "jobs")
    shutil.copytree(LOANS / "catalog", project / "lake" / "_catalog")
    shutil.copy(LOANS / "de-copilot.toml", project)
    (folder / "settings.lua").write_text(settings())
    programs = folder / "bin"
    programs.mkdir()
    (programs / "de-copilot").symlink_to(os.environ["DE_COPILOT_BIN"])

    environment = os.environ | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "SCRIPT": str(project / "jobs" / "loan_repayments_etl.py"),
        "ANSWERS": str(folder / "answers.json"),
    }
    run = ["nvim", "--headless", "--clean", "-n"]
    run += ["-c", f"luafile {folder / 'settings.lua'}", "-c", f"luafile {Path(__file__).parent / 'session.lua'}"]
    subprocess.run(run, env=environment, cwd=project, timeout=100, check=True, stdin=subprocess.DEVNULL)
    found = json.loads((folder / "answers.json").read_text())
    assert "error" not in found, found["error"]
    return found | {"project": str(project)}


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
