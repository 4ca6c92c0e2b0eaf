"""Signals that end a run: noticed, recorded, and passed on unchanged."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from ledger.model.values import Status
from ledger.settings import PREEMPTION_VARIABLE

ENDING = (signal.SIGTERM, signal.SIGHUP)
"""Signals whose default is to end the process without running any Python code."""


def preemption_signal() -> signal.Signals | None:
    """Return the scheduler's warning signal, where the environment names one."""
    name = os.environ.get(PREEMPTION_VARIABLE, "").upper().removeprefix("SIG")
    return signal.Signals.__members__.get(f"SIG{name}")


def status_of(number: int) -> Status:
    """Return how a run ended that a signal ended."""
    if number == preemption_signal():
        return "preempted"
    return "interrupted" if number == signal.SIGINT else "killed"


_Handler = Callable[[int, FrameType | None], object] | int | None


class Watch:
    """Handlers for the signals that end a run, in front of the existing ones.

    Args:
        warned: called at once, with the meaning of the signal; whoever handles the signal goes on.
        ended: called before the process dies of a signal that nobody else handles.
    """

    def __init__(self, warned: Callable[[Status, str], None], ended: Callable[[Status, str], None]) -> None:
        self._warned = warned
        self._ended = ended
        self._pid = os.getpid()
        self._previous: dict[int, _Handler] = {}
        self.stopped = False
        """Whether its run has ended."""

    def start(self) -> None:
        """Set the handlers; outside the main thread Python allows none, and signals are not observed."""
        if threading.current_thread() is not threading.main_thread():
            return
        warning = preemption_signal()
        for number in {*ENDING, *((warning,) if warning else ())}:  # SIGTERM may be the warning itself
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores SIGHUP on purpose
                with suppress(OSError):  # nobody can handle SIGKILL, whoever names it
                    self._previous[number] = signal.signal(number, self._notice)

    def stop(self) -> None:
        """Restore the former handlers; where another was set on top of ours, ours only passes signals on."""
        self.stopped = True
        if threading.current_thread() is not threading.main_thread():
            return
        for number in self._previous:
            if signal.getsignal(number) == self._notice:
                previous = self.behind(number)
                signal.signal(number, signal.SIG_DFL if previous is None else previous)

    def behind(self, number: int) -> _Handler:
        """Return the handler after ours; those of runs that have ended are skipped."""
        handler = self._previous.get(number)
        watch = getattr(handler, "__self__", None)
        return watch.behind(number) if isinstance(watch, Watch) and watch.stopped else handler

    def _notice(self, number: int, frame: FrameType | None) -> None:
        previous = self.behind(number)
        reason = signal.Signals(number).name
        watching = not self.stopped and os.getpid() == self._pid
        if watching:
            self._warned(status_of(number), reason)
        if callable(previous):
            previous(number, frame)
            return
        if watching:
            self._ended(status_of(number), reason)
        # Die of the signal itself, so that the parent process sees it.
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
