"""Git cleans up at the same time as records are written: nothing that is new goes with it."""

import socket
import subprocess
import time
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.repository import housekeeping
from ledger.repository.housekeeping import no_pruning
from ledger.store.branch.branch import Branch
from ledger.store.sync.sync import sync
from tests.faults.account import Account, Figures, stale_locks
from tests.faults.conftest import KILLS, SEED
from tests.faults.killing import end, start
from tests.faults.victim import CLONE_STEP, numbered
from tests.store.sync.remotes import clone, make_hub

SECONDS = 4 if KILLS < 100 else 20


@pytest.mark.parametrize(
    "command", [("gc", "--quiet", "--prune=now"), ("gc", "--auto", "--quiet"), ("repack", "-a", "-d", "--quiet")]
)
def test_git_that_cleans_up_all_the_time_takes_no_record(
    command: tuple[str, ...], tmp_path: Path, figures: Figures
) -> None:
    hub = make_hub(tmp_path)
    mine = clone(hub, tmp_path / "mine")
    mine.append(numbered(0))
    assert sync(mine, timeout_seconds=60).safe
    account = Account(mine, tmp_path / "mine", figures, hub, [tmp_path / "one", tmp_path / "two"])
    families = [f"{SEED}-clean-{number}" for number in range(2)]
    writers = [
        start(family, work, tmp_path / "mine", number * CLONE_STEP, promises)
        for number, (family, work, promises) in enumerate(
            zip(families, ("append", "sync"), account.promises, strict=True), start=1
        )
    ]
    figures.writers += 2
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        # What is pushed to a remote is git's own to keep: there, only what git calls safe is done.
        for folder in (tmp_path / "mine", *([] if "--prune=now" in command else [hub])):
            settings = ("-c", "gc.auto=1", "-c", "gc.autoDetach=false")
            subprocess.run(["git", *settings, *command], cwd=folder, capture_output=True, check=False)
            figures.faults += 1
    for family, writer in zip(families, writers, strict=True):
        end(writer, family)
    figures.left_locked += len(stale_locks(tmp_path / "mine"))  # the next command frees them
    account.check_records()
    assert len(account.promised("appended")) > 2
    mine.append(numbered(1))
    assert sync(mine, timeout_seconds=60).safe
    account.check()
    figures.records += len(account.promised("appended"))


def test_no_gc_begins_while_an_entry_is_written(ledger: Branch, repo: Path) -> None:
    with no_pruning(ledger.repository):
        done = subprocess.run(["git", "gc", "--prune=now"], cwd=repo, capture_output=True, text=True, check=False)
        assert "gc is already running" in done.stderr
        with no_pruning(ledger.repository):
            pass
    assert not list((repo / ".git").glob("gc.pid*"))
    assert subprocess.run(["git", "gc", "--quiet", "--prune=now"], cwd=repo, check=False).returncode == 0


def test_a_gc_that_prunes_is_waited_for_and_named(
    ledger: Branch, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "_PATIENCE_SECONDS", 0.1)
    named = repo / ".git" / "gc.pid"
    command = ["python3", "-c", "import time; time.sleep(60)", "gc", "--prune=now"]
    with subprocess.Popen(command) as cleaning:
        named.write_text(f"{cleaning.pid} {socket.gethostname()}")
        with pytest.raises(LedgerError, match=f"`git gc --prune` is running here.*: `process {cleaning.pid}`"):
            ledger.append(numbered(0))
        cleaning.kill()
    ledger.append(numbered(0))


@pytest.mark.parametrize("said", ["1 HOST", "7 another-host", "4194305 HOST", "", "?"])
def test_what_else_a_gc_pid_may_say_stops_nobody(ledger: Branch, repo: Path, said: str) -> None:
    (repo / ".git" / "gc.pid").write_text(said.replace("HOST", socket.gethostname()))
    started = time.monotonic()
    ledger.append(numbered(0))
    assert time.monotonic() - started < 5
