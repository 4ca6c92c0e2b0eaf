"""Interpretation of git's write errors, as one line with a command to type.

Git has no codes for these: its words are matched, in `LC_ALL=C`.
"""

import os
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ledger.errors import LedgerError
from ledger.repository.locks import lock_age_seconds

_IN_THE_WAY = re.compile(r"'refs/heads/([^']+)' exists; cannot create")
"""Message with which git refuses `ledger` beside `ledger/x`: one name cannot be both a file and a folder."""


LOCK = re.compile(r"Unable to create '(.+\.lock)': File exists")
"""Message of git that names a lock in its way."""
FULL = ("No space left", "Out of diskspace", "quota exceeded", "Quota exceeded", "couldn't write '")
"""Messages of git and the system for a full disk; for a ref that it cannot write, git gives no reason."""
_READ_ONLY = ("ermission denied", "ead-only file system", "insufficient permission")


def explain(said: str, plain: LedgerError) -> LedgerError:
    """Return the meaning of git's error when it could not write here, and what to type; `plain` for an unknown one."""
    if any(words in said for words in FULL):
        what = "the quota is used up" if "uota" in said else "the disk is full"
        return LedgerError(f"{what}; nothing was written", hint="free some space, then: ledger recover")
    if any(words in said for words in _READ_ONLY):
        return LedgerError(
            "the repository cannot be written to; nothing was written",
            hint="check its owner and mode, then: ledger recover",
        )
    if in_the_way := _IN_THE_WAY.search(said):
        return LedgerError(
            f"git cannot keep the ledger's branch beside this one: `{in_the_way[1]}`",
            hint=f"git branch -m '{in_the_way[1]}' NEW-NAME, then: ledger recover",
        )
    if lock := LOCK.search(said):
        return _locked(Path(lock[1]))
    return plain


def is_at_work(said: str, seconds: float) -> bool:
    """Return whether a lock was in git's way that is gone, or too young to have been left by a git that died."""
    lock = LOCK.search(said)
    age = lock_age_seconds(Path(lock[1])) if lock else None
    return lock is not None and (age is None or age < seconds)


def _locked(lock: Path) -> LedgerError:
    age = lock_age_seconds(lock)
    if age is None:
        return LedgerError(f"another git process held this lock for too long: `{lock}`", hint="ledger recover")
    since = datetime.now(UTC) - timedelta(seconds=age)
    return LedgerError(
        f"a git process that died left its lock, or one still holds it, since {since:%Y-%m-%d %H:%M:%S} UTC"
        f" ({_spoken(age)}): `{lock}`",
        hint=f"when `ps -e | grep git` shows that no git is running here: rm {shlex.quote(os.fspath(lock))}"
        "; then: ledger recover",
    )


def _spoken(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
