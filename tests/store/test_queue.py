"""Writers of one machine queue; where they cannot, compare-and-swap still holds."""

import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ledger.repository import append as append_module
from ledger.store import ledger as ledger_module
from ledger.store.ledger import Ledger
from ledger.store.queue import queued
from tests.conftest import ROOT, git_in
from tests.store.test_ledger import entry


def test_a_writer_waits_for_its_turn(ledger: Ledger) -> None:
    ledger.append(entry(1))
    done = threading.Event()
    with queued(ledger.repository.state_dir / "append.lock") as mine:
        assert mine

        def write() -> None:
            ledger.append(entry(2))
            done.set()

        other = threading.Thread(target=write)
        other.start()
        assert not done.wait(0.3)
    other.join(10)
    assert done.is_set()


def test_a_killed_writer_leaves_no_lock(ledger: Ledger, repo: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from ledger.store.queue import queued\n"
        "with queued(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    lock = ledger.repository.state_dir / "append.lock"
    command = [sys.executable, "-c", script, str(lock)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.kill()
    started = time.monotonic()
    ledger.append(entry(1))
    assert time.monotonic() - started < 5


def test_without_locks_a_lost_race_is_tried_again(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(_descriptor: int, _operation: int) -> None:
        raise OSError(38, "Function not implemented")

    ledger.append(entry(1))
    raced: list[str] = []

    def somebody_is_first(*arguments: object, **options: object) -> str:
        if not raced:
            raced.append(append_module.append_commit(*arguments, **{**options, "files": entry(2).files}))  # type: ignore[arg-type]  # as given
        return append_module.append_commit(*arguments, **options)  # type: ignore[arg-type]  # as given

    monkeypatch.setattr(fcntl, "flock", no_locks)
    monkeypatch.setattr(ledger_module, "append_commit", somebody_is_first)
    with queued(ledger.repository.state_dir / "append.lock") as mine:
        assert not mine
    last = ledger.append(entry(3))
    assert ledger.tip() == last
    assert len(raced) == 1
    assert ledger.read(next(iter(entry(2).files))) is not None


def test_thirty_two_processes_append_and_nothing_is_lost(ledger: Ledger, repo: Path) -> None:
    script = (
        "import sys; from tests.store.test_ledger import entry; from ledger.store.ledger import Ledger\n"
        "Ledger.open(sys.argv[1]).append(entry(int(sys.argv[2])))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(repo), str(number)], env=environment, cwd=ROOT)
        for number in range(32)
    ]
    assert [writer.wait(120) for writer in writers] == [0] * 32
    assert len(git_in(repo, "ls-tree", "-r", "--name-only", "ledger", "runs").split()) == 32
    assert git_in(repo, "rev-list", "--count", "ledger") == "32\n"
    assert not [path for path in (repo / ".git").rglob("*.lock") if path.name != "append.lock"]
