"""Writers of one machine queue; where they cannot, compare-and-swap still holds."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.repository.history import append as append_module
from ledger.store.branch import branch as branch_module
from ledger.store.branch.branch import Branch
from ledger.store.branch.write_lock import queued
from tests.conftest import ROOT, git_in
from tests.store.branch.test_branch import entry


def test_a_writer_waits_for_its_turn(ledger: Branch) -> None:
    ledger.append(entry(1))
    done = threading.Event()
    with queued(ledger.repository.state_dir / "append.lock") as mine:
        assert mine.held

        def write() -> None:
            ledger.append(entry(2))
            done.set()

        other = threading.Thread(target=write)
        other.start()
        assert not done.wait(0.3)
    other.join(10)
    assert done.is_set()


def test_a_killed_writer_leaves_no_lock(ledger: Branch, repo: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from ledger.store.branch.write_lock import queued\n"
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


def hold_refs(repo: Path) -> Path:
    """Let git stand still with its lock taken, as long as the hook is there (githooks, reference-transaction)."""
    hook = repo / ".git" / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n[ $1 != prepared ] || exec sleep 60 <&- >&- 2>&-\n")
    hook.chmod(0o755)
    return hook


APPEND = (
    "import sys; from tests.store.branch.test_branch import entry; from ledger.store.branch.branch import Branch\n"
    "Branch.open(sys.argv[1]).append(entry(int(sys.argv[2])))"
)


def append_until_locked(repo: Path, number: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", APPEND, str(repo), str(number)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True)
    deadline = time.monotonic() + 30
    while not (lock := repo / ".git" / "refs" / "heads" / "ledger.lock").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert lock.exists()
    return process


def test_the_lock_of_a_writer_that_was_killed_with_its_git_is_freed_by_the_next(ledger: Branch, repo: Path) -> None:
    ledger.append(entry(1))
    hook = hold_refs(repo)
    process = append_until_locked(repo, 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    hook.unlink()
    assert (repo / ".git" / "refs" / "heads" / "ledger.lock").exists()
    commit = ledger.append(entry(3)).commit
    assert ledger.tip() == commit
    assert not list((repo / ".git" / "refs").rglob("*.lock"))
    assert git_in(repo, "rev-list", "--count", "ledger") == "2\n"


def test_a_git_that_outlives_its_writer_keeps_the_next_one_waiting(ledger: Branch, repo: Path) -> None:
    ledger.append(entry(1))
    hook = hold_refs(repo)
    process = append_until_locked(repo, 2)
    process.kill()
    process.wait()
    with queued(ledger.repository.state_dir / "append.lock", 0.2) as turn:
        assert not turn.held
    os.killpg(process.pid, signal.SIGKILL)
    hook.unlink()
    with queued(ledger.repository.state_dir / "append.lock") as turn:
        assert turn.held
        assert turn.died_ns is not None


def test_a_lock_is_only_freed_when_a_writer_died_after_it_began(ledger: Branch, repo: Path) -> None:
    ledger.append(entry(1))
    lock = repo / ".git" / "refs" / "heads" / "ledger.lock"
    lock.touch()
    os.utime(lock, (time.time() - 100, time.time() - 100))
    with pytest.raises(LedgerError, match="s ago"):
        ledger.append(entry(2))
    (ledger.repository.state_dir / "append.lock").write_bytes(b"busy\n")
    with pytest.raises(LedgerError, match="s ago"):
        ledger.append(entry(2))
    assert lock.exists()


def test_git_that_is_killed_under_a_writer_is_started_again(ledger: Branch, repo: Path) -> None:
    ledger.append(entry(1))
    hook = hold_refs(repo)
    process = append_until_locked(repo, 2)
    (git,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    hook.unlink()
    os.kill(int(git), signal.SIGKILL)
    assert process.wait(30) == 0
    with suppress(ProcessLookupError):  # its hook sleeps on, where it had begun
        os.killpg(process.pid, signal.SIGKILL)
    assert git_in(repo, "rev-list", "--count", "ledger") == "2\n"
    assert not list((repo / ".git" / "refs").rglob("*.lock"))


def test_without_locks_a_lost_race_is_tried_again(ledger: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(_descriptor: int, _operation: int) -> None:
        raise OSError(38, "Function not implemented")

    ledger.append(entry(1))
    raced: list[str] = []

    def somebody_is_first(*arguments: object, **options: object) -> str:
        if not raced:
            raced.append(append_module.append_commit(*arguments, **{**options, "files": entry(2).files}))  # type: ignore[arg-type]  # as given
        return append_module.append_commit(*arguments, **options)  # type: ignore[arg-type]  # as given

    monkeypatch.setattr(fcntl, "flock", no_locks)
    monkeypatch.setattr(branch_module, "append_commit", somebody_is_first)
    with queued(ledger.repository.state_dir / "append.lock") as mine:
        assert not mine.held
    last = ledger.append(entry(3)).commit
    assert ledger.tip() == last
    assert len(raced) == 1
    assert ledger.read(next(iter(entry(2).files))) is not None
