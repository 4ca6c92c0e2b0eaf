"""The runs that are open in this process, for what joins the run around it instead of making another."""

import os
import threading
import weakref
from typing import Any, Protocol


class Spanned(Protocol):
    """What knows whether a run has ended."""

    @property
    def ended(self) -> bool:
        """Whether it has."""


_OPEN: "list[tuple[int, int, weakref.ref[Any], Spanned]]" = []  # a run imports this module, so its type is not named
"""Process, thread, run and lifetime of each run, oldest first."""
_ADDING = threading.Lock()


def add_open_run(run: object, life: Spanned) -> None:
    """Note a run that has begun in this thread; those that have ended are forgotten."""
    with _ADDING:
        _OPEN[:] = [one for one in _OPEN if one[2]() is not None and not one[3].ended]
        _OPEN.append((os.getpid(), threading.get_ident(), weakref.ref(run), life))


def open_runs() -> list[Any]:
    """Return the open runs that this thread may join, the newest first.

    Those of this thread come before those of the main thread; those of other threads are their own. A forked process
    has none: it would write into its parent's.
    """
    mine, main = threading.get_ident(), threading.main_thread().ident
    living = [(thread, run()) for pid, thread, run, life in reversed(_OPEN) if pid == os.getpid() and not life.ended]
    threads = (mine,) if mine == main else (mine, main)
    return [run for wanted in threads for thread, run in living if thread == wanted and run is not None]
