"""Where the packages of real trainings are: an environment of their own, named by REAL_PYTHON (`make real`)."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ledger.model.entries import Contents
from ledger.model.record import Record
from ledger.store.branch.branch import Branch
from tests.conftest import git_in

PYTHON = os.environ.get("REAL_PYTHON", "")
SCRIPTS = Path(__file__).parent / "scripts"

collect_ignore_glob = [] if PYTHON else ["test_*.py"]


class Project:
    """A repository with a training script, and what became of running it.

    Args:
        folder: the repository.
        python: interpreter of the environment that it runs in.
    """

    def __init__(self, folder: Path, python: str = PYTHON) -> None:
        self.folder = folder
        self.python = python

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text of a script."""
        text = (self.folder / name).read_text("utf-8")
        assert old in text
        (self.folder / name).write_text(text.replace(old, new), "utf-8")

    def run(self, *command: str, fails: bool = False, state: Path | None = None) -> str:
        """Run a command in the project, its environment first on PATH; return what it printed."""
        variables = {} if state is None else {"XDG_STATE_HOME": str(state)}
        path = f"{Path(self.python).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            list(command),
            cwd=self.folder,
            env={
                **os.environ,
                "PATH": path,
                "TOKENIZERS_PARALLELISM": "false",
                "CUDA_VISIBLE_DEVICES": "",
                "KERAS_BACKEND": "torch",
                **variables,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
        assert bool(done.returncode) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def wrapped(self, *command: str, options: Sequence[str] = (), fails: bool = False) -> str:
        """Run a command inside `ledger run`."""
        return self.run("ledger", "run", *options, "--", *command, fails=fails)

    def contents(self) -> Contents:
        return Branch.open(self.folder).contents()

    def records(self) -> list[Record]:
        """Return the records, oldest first."""
        return [run.record for run in self.contents().runs]

    def file(self, record: Record, name: str) -> str:
        """Return a file that stands beside a record."""
        content = Branch.open(self.folder).read(
            f"runs/{record.id[:4]}/{record.id[4:6]}/{record.id[6:8]}/{record.id}/{name}"
        )
        assert content is not None, name
        return content.decode()

    def verified(self) -> None:
        """Check the whole ledger, and that nothing of the project's own was touched."""
        assert "nothing is wrong" in self.run("ledger", "verify")
        assert git_in(self.folder, "diff", "--stat") == ""


def make_project(folder: Path, *names: str, python: str = PYTHON) -> Project:
    """Make a repository that holds some of the scripts, and a small dataset that git ignores."""
    folder.mkdir()
    git_in(folder, "init", "--quiet")
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SCRIPTS / name, target)
    (folder / ".gitignore").write_text("/data/\n__pycache__/\n")
    for split in ("train", "validation"):
        (folder / "data" / split).mkdir(parents=True)
        for number in range(4):
            (folder / "data" / split / f"{number}.txt").write_text(f"{split} {number}\n")
    git_in(folder, "add", ".")
    git_in(folder, "commit", "--quiet", "--message", "Train")
    return Project(folder, python)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Project]:
    """Make a project of some of the scripts, and work in it."""

    def make(*names: str) -> Project:
        made = make_project(tmp_path / "project", *names)
        monkeypatch.chdir(made.folder)
        return made

    return make


def check_common(record: Record) -> None:
    """Check the boxes that every run fills by itself: code, hardware, environment, cost."""
    assert record.code.commit is not None
    assert record.code.tree == record.code.identity, "nothing that the run wrote counts as code"
    assert "tree" not in record.code.unknown
    assert (record.hardware.cores or 0) > 0
    assert (record.hardware.memory_bytes or 0) > 0
    assert record.environment.packages is not None
    assert "torch" in record.environment.frameworks
    assert record.cost.amount is not None
    assert record.timing.duration_seconds is not None


def json_of(text: str) -> Any:
    """Return the JSON in the last such line of what a script printed: what it knows to be true."""
    return json.loads([line for line in text.splitlines() if line.startswith("{")][-1])
