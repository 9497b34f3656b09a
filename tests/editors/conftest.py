"""What the tests of all editors share: the demo's project, and the settings that docs/editors.md tells people to use."""

import os
import re
import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent
LOANS = REPOSITORY / "fixtures" / "loans"


def told(language: str) -> list[str]:
    """The snippets of a language in docs/editors.md, in order."""
    page = (REPOSITORY / "docs" / "editors.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


class Project:
    """The demo's scripts and catalog in a folder that is also the home of the editor."""

    def __init__(self, folder: Path):
        self.home = folder
        self.root = folder / "loans"
        shutil.copytree(LOANS / "jobs", self.root / "jobs")
        shutil.copytree(LOANS / "catalog", self.root / "lake" / "_catalog")
        shutil.copy(LOANS / "de-copilot.toml", self.root)
        self.script = self.root / "jobs" / "loan_repayments_etl.py"
        programs = folder / "bin"
        programs.mkdir()
        (programs / "de-copilot").symlink_to(os.environ["DE_COPILOT_BIN"])
        self.environment = os.environ | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "SCRIPT": str(self.script),
            "ANSWERS": str(folder / "answers.json"),
        }


@pytest.fixture(scope="module")
def new_project(tmp_path_factory: pytest.TempPathFactory):
    """Makes a project of its own for each session."""
    return lambda: Project(tmp_path_factory.mktemp("editor"))
