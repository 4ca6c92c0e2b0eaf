"""When runs of this clone lived, so that files written meanwhile are recognised as results.

One line a run, in the clone's own state: derived, disposable, and bounded.
"""

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

FILE = "lives"
_KEPT_BYTES = 1 << 16
"""Bytes that are kept, about 1,500 runs; older ones are forgotten."""


def note_life(state_dir: Path, begun: datetime, ended: datetime) -> None:
    """Store when a run lived; ignored where it cannot be written."""
    with suppress(OSError):
        state_dir.mkdir(parents=True, exist_ok=True)
        file = state_dir / FILE
        if file.exists() and file.stat().st_size > 2 * _KEPT_BYTES:
            kept = file.read_bytes()[-_KEPT_BYTES:].partition(b"\n")[2]
            scratch = file.with_name(f"{FILE}.{os.getpid()}")
            scratch.write_bytes(kept)
            scratch.replace(file)
        with file.open("ab") as lines:
            lines.write(f"{begun.timestamp():.3f} {ended.timestamp():.3f}\n".encode())


def read_lives(state_dir: Path) -> list[tuple[float, float]]:
    """Return when any run lived, as disjoint spans in seconds since 1970, in order of time.

    What cannot be read is left out.
    """
    lives = []
    with suppress(OSError):
        for line in (state_dir / FILE).read_text("ascii", "replace").splitlines():
            with suppress(ValueError):
                begun, ended = line.split()
                lives.append((float(begun), float(ended)))
    merged: list[tuple[float, float]] = []
    for first, last in sorted(lives):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        elif first <= last:
            merged.append((first, last))
    return merged
