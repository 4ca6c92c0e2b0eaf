"""Protection from `git gc --prune=now` while objects are written that no ref reaches yet.

Such a gc removes what it finds unreachable, however new: measured, it took acknowledged records with it and left a
branch that points at nothing. Git's own protocol is used: `gc.pid` in the git directory names the process and host of
a housekeeper, and no second one starts beside a living one (builtin/gc.c, lock_repo_for_gc). By itself git spares
what is younger than two weeks, so without `--prune` there is nothing to wait for.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ledger.errors import LedgerError
from ledger.repository.repository import Repository

_PATIENCE_SECONDS = 10.0
"""Longest wait for a pruning gc."""
_PAUSE_SECONDS = 0.02
_BELIEVED_SECONDS = 12 * 3600
"""How long git trusts the `gc.pid` of another host (builtin/gc.c, lock_repo_for_gc)."""


@contextmanager
def no_pruning(repository: Repository) -> Iterator[None]:
    """Prevent gc for the length of the block, after waiting for one that prunes new objects.

    Raises:
        LedgerError: such a gc runs for longer than anybody should wait.
    """
    file = repository.common_dir / "gc.pid"
    mine = _take_lock(repository, file)
    try:
        yield
    finally:
        if mine:
            with suppress(OSError):
                file.unlink()


def _take_lock(repository: Repository, file: Path) -> bool:
    """Write our `gc.pid`; return false where a harmless housekeeper has its own there.

    Raises:
        LedgerError: a gc that prunes runs for longer than anybody should wait.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            if _take(file):
                return True
        except FileExistsError:  # another process is just taking it
            pid = None
        except OSError:
            return False
        else:
            pid = _living(file)
            if pid is not None and _is_harmless(repository, pid):
                return False
        if time.monotonic() > deadline:
            if pid is None:
                return False
            raise LedgerError(
                f"`git gc --prune` is running here and would delete new records: `process {pid}`",
                hint="when it has ended: ledger recover",
            )
        time.sleep(_PAUSE_SECONDS)


def _take(file: Path) -> bool:
    """Take `gc.pid` as git does; return false while the process named in it lives.

    Raises:
        FileExistsError: somebody takes it now.
        OSError: it cannot be written.
    """
    lock = file.with_name("gc.pid.lock")
    descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, f"{os.getpid()} {socket.gethostname()}".encode())
        if _living(file) is None:
            lock.replace(file)
            return True
        lock.unlink()
    except OSError:
        lock.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    return False


def _living(file: Path) -> int | None:
    """Return the living process that a `gc.pid` names; 0 for one of another host, of the last hours."""
    try:
        number, _, host = file.read_text().strip().partition(" ")
        pid = int(number)
        if host != socket.gethostname():
            return 0 if time.time() - file.stat().st_mtime < _BELIEVED_SECONDS else None
        os.kill(pid, 0)
    except PermissionError:
        return pid
    except (OSError, ValueError):
        return None
    return pid


def _is_harmless(repository: Repository, pid: int) -> bool:
    """Return whether a living housekeeper certainly spares new objects; this is unknown for one that has just ended."""
    if pid == 0 or not Path("/proc/self/cmdline").exists():
        return True  # it cannot be known, and almost every gc does
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    if b"gc" not in words:
        return words != [b""]
    return not any(word.startswith(b"--prune") for word in words) and not repository.config(r"^gc\.pruneexpire$")
