"""Lock files of git on refs, and the removal of those that a killed git left behind.

Git makes `<ref>.lock` with open(2), so a git that is killed leaves it, and every later git refuses to write. Only
what can be known to be ours is taken away here: see `.github/decisions/stale-locks.md`.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_WATCHED_SECONDS = 1.0
"""How long a lock must be unchanged to count as abandoned; git holds one for milliseconds."""
_PAUSE_SECONDS = 0.05


def clear_dead_locks(common_dir: Path, patterns: Sequence[str], since_ns: int) -> list[Path]:
    """Remove the locks that dead processes of this tool left on some refs, and return them.

    Only for whoever knows that a process of ours died after `since_ns`, and that none of ours is at work there.

    Args:
        common_dir: the directory that all worktrees share.
        patterns: names of refs, or patterns of `Path.glob` that match them.
        since_ns: when the one that died had begun, by the clock of this file system; older locks are not ours.
    """
    found = (path for pattern in patterns for path in common_dir.glob(f"{pattern}.lock"))
    suspects = {path: made for path in found if (made := _modified_ns(path)) is not None and made >= since_ns}
    deadline = time.monotonic() + _WATCHED_SECONDS
    while suspects and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
        suspects = {path: made for path, made in suspects.items() if _modified_ns(path) == made}
    for path in suspects:
        with suppress(OSError):  # without the permission to remove it, git reports the lock
            path.unlink()
    return sorted(suspects)


def lock_age_seconds(lock: Path) -> float | None:
    """Return the age of a lock in seconds; none when it does not exist."""
    made = _modified_ns(lock)
    return None if made is None else max(0.0, time.time() - made / 1e9)


def _modified_ns(lock: Path) -> int | None:
    try:
        return lock.stat().st_mtime_ns
    except OSError:
        return None
