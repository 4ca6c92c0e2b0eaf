"""Nothing of a record controls the terminal it is read in: every verb, as text, JSON and CSV, piped or not."""

import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.model.document import dump
from ledger.model.entries import Evaluation, Note
from ledger.model.paths import evaluation_path, note_path, run_path
from ledger.model.record import Record
from tests.conftest import ROOT, git_in
from tests.store.integrity.check.forge import good_ledger

pytestmark = pytest.mark.timeout(300)

EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m\r\u202etxet\u2066\u200b\U000e0041\x08\x85x"
_OURS = re.compile("\x1b\\[[0-9;?]*[a-zA-Z]")
"""Colours and the cursor, as click and rich write them in a terminal."""
_BAD = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)


def _evil(value: Any) -> Any:
    """Put hostile characters into every text that may hold any."""
    kept = {"id", "run", "status", "file", "hash", "direction", "role", "commit", "tree", "currency", "dataset_hash"}
    kept |= {"headline", "kind", "started_at", "ended_at", "recorded_at", "noted_at", "evaluated_at", "source"}
    if isinstance(value, dict):
        return {name: item if name in kept else _evil(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_evil(item) for item in value]
    return f"{value}{EVIL}" if isinstance(value, str) else value


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A ledger with two hostile runs, a note and an evaluation, put there past every check; and the id of a run."""
    forge = good_ledger()
    files: dict[str, bytes] = {f"runs/{EVIL[:8]}": b"x", "runs/\udcff.json": b"x", "runs/\u202egnp": b"x"}
    ids = []
    for number in range(2):
        record = _evil(json.loads(next(iter(forge.run().values()))))
        record["params"]["values"] = {f"p{EVIL}": f"v{EVIL}", "lr": number + 0.5}
        record["logs"] = {"warnings": {f"w{EVIL}": 2}, "errors": {f"e{EVIL}": 1}}
        record |= {"tags": [f"t{EVIL}"], "reason": EVIL, "command": ["train.py", EVIL], "folder": f"f{EVIL}"}
        record["links"] = [{"url": f"https://x.y/{EVIL}", "title": EVIL}]
        made = msgspec.convert(record, Record)
        files |= {f"{run_path(made.id)}/record.json": dump(made)}
        files[f"{run_path(made.id)}/environment.json"] = forge.environment()
        files[f"{run_path(made.id)}/{EVIL[:6]}"] = b"x"
        ids.append(made.id)
    (data,) = forge.note(lambda one: one.update(run=ids[0], text=f"n{EVIL}")).values()
    note = msgspec.convert(_evil(json.loads(data)), Note)
    (data,) = forge.evaluation(lambda one: one.update(run=ids[0], note=EVIL)).values()
    later = msgspec.convert(_evil(json.loads(data)), Evaluation)
    files |= {note_path(note.id): dump(note), evaluation_path(later.id): dump(later)}
    tip = forge.put(files)
    folder = tmp_path_factory.mktemp("hostile") / "repo"
    shutil.copytree(forge.folder, folder)
    said = git_in(folder, "commit-tree", f"{tip}^{{tree}}", "-p", tip, "-m", f"run {EVIL[:12]}").strip()
    git_in(folder, "update-ref", "refs/heads/ledger", said)
    return folder, ids[0]


VERBS = [
    "list", "list --csv", "list --json", "list --columns params", "show RUN", "show RUN --json", "show RUN --history",
    "show RUN --file record.json", "leaderboard validation/accuracy", "leaderboard validation/accuracy --json",
    "leaderboard --csv", "compare RUN RUN2", "compare RUN RUN2 --json", "compare RUN RUN2 --csv", "log", "log --json",
    "check", "check --json", "check --format sarif", "check --format github", "check --format gitlab", "verify",
    "verify --json", "export --format csv", "export --format jsonl", "review RUN", "review RUN --format markdown",
    "review RUN --json", "advise RUN", "judge RUN --against RUN2", "milestone", "milestone --json", "dataset list",
    "dataset show digits@v1", "dataset history digits", "dataset check data.txt", "matrix", "matrix --json",
    "matrix --csv",
    "growth validation/accuracy params.lr", "align", "policy show", "baseline", "tag RUN good", "note RUN x",
    "show nope",
    "list 'note = x'", "site build",
]  # fmt: skip


def spoken(folder: Path, arguments: list[str], *, terminal: bool) -> str:
    """Return all that a command prints, in a pipe or in a terminal."""
    command = [sys.executable, "-m", "ledger", *arguments]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100", "HOME": str(folder.parent)}
    if not terminal:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, check=False, timeout=120)
        return (done.stdout + done.stderr).decode("utf-8", "replace")
    outer, inner = pty.openpty()
    with subprocess.Popen(
        command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=inner, stderr=inner
    ) as process:
        os.close(inner)
        said = b""
        while True:
            try:
                part = os.read(outer, 1 << 16)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            said += part
        process.wait(timeout=120)
    os.close(outer)
    return said.decode("utf-8", "replace").replace("\r\n", "\n")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
def test_nothing_of_a_record_controls_a_terminal(hostile: tuple[Path, str], verb: str, *, terminal: bool) -> None:
    folder, run = hostile
    other = next(name for name in _runs(folder) if name != run)
    words = [{"RUN": run, "RUN2": other}.get(word, word) for word in shlex.split(verb)]
    if "--file" in words and not terminal:
        return  # to a pipe or a file, a file goes as it is
    said = spoken(folder, words, terminal=terminal)
    assert "this is a bug" not in said, said
    assert said.strip()
    found = _BAD.search(_OURS.sub("", said) if terminal else said)
    assert found is None, repr(said[max(0, found.start() - 60) : found.end() + 60])


def _runs(folder: Path) -> list[str]:
    names = git_in(folder, "ls-tree", "-r", "--name-only", "ledger", "runs/").splitlines()
    return [name.split("/")[4] for name in names if name.endswith("/record.json")]


def test_what_we_commit_says_nothing_that_controls_a_terminal(hostile: tuple[Path, str]) -> None:
    folder, run = hostile
    spoken(folder, ["tag", run, "good"], terminal=False)
    said = git_in(folder, "log", "-1", "--format=%B%an", "ledger")
    assert "good" in said
    assert not _BAD.search(said.replace("\n", ""))
