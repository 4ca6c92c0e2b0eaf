"""The process whose lock says that a run lives: its own, or rank 0 where the spool came over a link."""

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from ledger.model.document import encode
from ledger.model.values import Document
from ledger.session.spool.events import Start

ALIVE = "alive"
"""File whose lock a living run holds."""
_RECEIVED = "received.json"


class Keeper(Document, frozen=True, kw_only=True):
    """The process that writes a spool."""

    host: str
    """Its host."""
    pid: int
    """Its process id on that host."""


def read_keeper(folder: Path, start: Start) -> Keeper:
    """Return the process that writes a spool: that of the run, or the rank 0 that receives it."""
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode((folder / _RECEIVED).read_bytes(), type=Keeper)
    return Keeper(host=start.host, pid=start.pid)


def is_received(folder: Path) -> bool:
    """Return whether a spool came over a link."""
    return (folder / _RECEIVED).exists()


def mark_received(folder: Path, host: str) -> None:
    """Note that this process writes the spool for a rank on another host.

    Raises:
        OSError: it cannot be written.
    """
    (folder / _RECEIVED).write_bytes(encode(Keeper(host=host, pid=os.getpid())))


def hold(folder: Path) -> Callable[[], None]:
    """Lock a spool as that of a living run, and return what frees it; on a file system without locks nothing is held.

    Raises:
        OSError: it is gone.
    """
    lock = os.open(folder / ALIVE, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with suppress(OSError):  # without locks only the process id tells
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lambda: os.close(lock)
