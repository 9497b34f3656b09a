"""The language server in Emacs with eglot."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from conftest import told


@pytest.fixture(scope="module")
def answers(new_project) -> dict:
    """What Emacs said in one session on the demo's main script."""
    project = new_project()
    [snippet] = told("elisp")
    settings = project.home / "settings.el"
    settings.write_text(snippet)
    run = [str(Path(os.environ["EDITORS"]) / "bin" / "emacs"), "--batch", "--quick"]
    run += ["--load", str(settings), "--load", str(Path(__file__).parent / "emacs.el")]
    environment = project.environment | {"TERM": "dumb"}
    ended = subprocess.run(
        run, env=environment, cwd=project.root, timeout=150, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    written = Path(environment["ANSWERS"])
    assert written.exists(), ended.stderr
    found = json.loads(written.read_text())
    assert "error" not in found, f"{found['error']}\n{ended.stderr}"
    return found


def test_an_unknown_column_is_marked(answers: dict):
    [marked] = answers["broken"]
    assert marked["text"] == "payment_tatus"
    assert "Did you mean `payment_status`?" in marked["message"]


def test_hover_on_a_table_shows_its_columns(answers: dict):
    for expected in ["ref_db.dim_loan", "loan_id", "string"]:
        assert expected in answers["table"]


def test_a_column_is_renamed_wherever_it_is_used(answers: dict):
    before, old, new = answers["renamed"]
    assert before > 1 and old == 0 and new == before
