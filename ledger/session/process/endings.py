"""Ends of runs that no call of `finish` marks: exceptions, exit codes, failed cells of a notebook.

Python reports the exit code of a process only when it is too late, so it is observed where the interpreter reads it.
Hooks that others had set before remain, and are called as before.
"""

import atexit
import contextlib
import gc
import signal
import sys
import threading
from collections.abc import Callable
from traceback import walk_tb
from types import CodeType, FrameType, TracebackType
from typing import Any, NamedTuple, NoReturn

from ledger.capture.outputs.failing_layer import failing_layer
from ledger.model.values import Status
from ledger.session.process.signals import status_of

_STOPS = {("optuna", "TrialPruned"), ("fastai", "CancelFitException")}
"""Package and class of exceptions that mean a training was stopped on purpose."""


_SUPPRESSED = contextlib.suppress.__exit__.__code__


class Ending(NamedTuple):
    """How a run ended."""

    status: Status
    reason: str | None = None
    exit_code: int | None = None


def ending_of(error: BaseException | None) -> Ending:
    """Return how a run ended that was left with this exception, or none."""
    if error is None:
        return Ending("finished")
    if isinstance(error, KeyboardInterrupt):
        status = status_of(signal.SIGINT)
        return Ending(status, "Ctrl-C" if status == "interrupted" else "SIGINT")
    said = str(error).strip().splitlines()
    reason = f"{type(error).__name__}: {said[0][:300]}" if said else type(error).__name__
    if _is_stop(error):
        return Ending("pruned", reason)
    if isinstance(error, SystemExit):
        return _of_code(error.code)
    layer = failing_layer(error)
    return Ending("failed", f"{reason}; {layer}" if layer else reason)


def _of_code(said: object) -> Ending:
    """Return how a process ended that passed this to `sys.exit`."""
    # The system keeps the lowest byte of it; `sys.exit(not ok)` passes a bool.
    code = int(said) & 0xFF if isinstance(said, int) else int(said is not None)
    return Ending("failed", f"exit code {code}", code) if code else Ending("finished", None, 0)


def _is_stop(error: BaseException) -> bool:
    """Return whether a framework stopped the training on purpose, judged by class names: none is imported."""
    names = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(error).__mro__}
    if names & _STOPS:
        return True
    if not isinstance(error, SystemExit) or error.code:
        return False
    # Ray ends the thread of a trial that its scheduler stopped by SystemExit from its own session.
    modules = [str(frame.f_globals.get("__name__")) for frame, _ in walk_tb(error.__traceback__)]
    raised = next((module for module in reversed(modules) if module != __name__), "")  # past our own `sys.exit`
    return raised.partition(".")[0] == "ray"


class EndWatch:
    """Watches for the end of the process, and for failing cells of a notebook.

    Args:
        end: called with the end of the run when the process ends in an orderly way.
        said: returns a number that grows with every event of the run.
    """

    def __init__(self, end: Callable[[Ending], None], said: Callable[[], int]) -> None:
        self._end = end
        self._said = said
        self._seen: Ending | None = None
        self._last_before = getattr(sys, "last_value", None)
        self._watching = False
        self._cell: tuple[BaseException, int] | None = None
        self._excepthook_before = sys.excepthook
        self._unwatch: Callable[[], None] = lambda: None
        self._cells: Any = None  # events of an IPython shell, which is not imported

    def start(self) -> None:
        """Start watching; never raises."""
        self._watching = True
        self._excepthook_before = sys.excepthook
        sys.excepthook = self._on_exception
        with contextlib.suppress(Exception):  # an interpreter of another kind: `with` still works
            self._unwatch = _watch_exit_code(self._on_code)
        with contextlib.suppress(Exception):  # a shell that only looks like IPython's
            self._watch_cells()
        atexit.register(self._at_exit)

    def stop(self) -> None:
        """Restore the former hooks, unless somebody has set another on top of ours."""
        self._watching = False
        atexit.unregister(self._at_exit)
        if sys.excepthook == self._on_exception:
            sys.excepthook = self._excepthook_before
        self._unwatch()
        if self._cells is not None:
            with contextlib.suppress(Exception):
                self._cells.unregister("post_run_cell", self._on_cell)

    def let_go(self, frame: FrameType) -> None:
        """Watch the next event in a frame: the script no longer holds its run, and may call `sys.exit`.

        In `sys.exit(main())` Python 3.11 has looked up `sys.exit` before the run began, and the original makes no
        exception that can be read, unless a trace function asks for it. This one removes itself at the first event.
        """
        if sys.version_info >= (3, 12) or not self._watching or sys.gettrace() is not None:
            return
        if threading.current_thread() is threading.main_thread():

            def once(seen: FrameType, _: str, __: object) -> None:
                # The next line, the next call of a function in Python (but for the way out of here), or what
                # `sys.exit` raises.
                if seen.f_code is not _SUPPRESSED:
                    sys.settrace(None)
                    frame.f_trace = None

            frame.f_trace = once
            sys.settrace(once)

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        self._seen = ending_of(error)
        self._excepthook_before(kind, error, trace)

    def _on_code(self, said: object) -> None:
        self._seen = _of_code(said)

    def _watch_cells(self) -> None:
        shell = sys.modules.get("IPython")
        found = shell.get_ipython() if shell is not None else None
        if found is not None:
            found.events.register("post_run_cell", self._on_cell)
            self._cells = found.events

    def _on_cell(self, result: Any) -> None:  # noqa: ANN401  # IPython's ExecutionResult
        error = getattr(result, "error_before_exec", None) or getattr(result, "error_in_exec", None)
        if isinstance(error, BaseException):
            self._cell = error, self._said()

    def _at_exit(self) -> None:
        if self._seen is None and self._cell is not None and self._cell[1] == self._said():
            # A run with events after a failed cell went on; one without ended there.
            self._seen = ending_of(self._cell[0])
        last = getattr(sys, "last_value", None)
        if self._seen is None and last is not None and last is not self._last_before and self._cells is None:
            # Python stores the exception that ended a script here, whoever has replaced our hook since.
            self._seen = ending_of(last)
        self._end(self._seen or Ending("finished"))


def _watch_exit_code(tell: Callable[[object], None]) -> Callable[[], None]:
    """Call back with the content of `SystemExit` when it leaves the whole program; return a function to stop that."""
    if sys.version_info >= (3, 12):
        return _watch_unwinding(tell)
    return _watch_code_attribute(tell)


if sys.version_info >= (3, 12):

    def _watch_unwinding(tell: Callable[[object], None]) -> Callable[[], None]:
        """Watch exceptions that leave the outermost frame; code that raises none pays nothing (PEP 669)."""
        monitoring = sys.monitoring
        tool = next(number for number in (4, 3) if monitoring.get_tool(number) is None)

        def unwind(_: CodeType, __: int, error: BaseException) -> None:
            if isinstance(error, SystemExit) and threading.current_thread() is threading.main_thread():
                frame = sys._getframe(1)  # noqa: SLF001  # the frame that the exception leaves
                if frame.f_back is None:
                    tell(error.code)

        def stop() -> None:
            monitoring.set_events(tool, 0)
            monitoring.free_tool_id(tool)

        monitoring.use_tool_id(tool, "ledger")
        monitoring.register_callback(tool, monitoring.events.PY_UNWIND, unwind)
        monitoring.set_events(tool, monitoring.events.PY_UNWIND)
        return stop

else:

    def _watch_code_attribute(tell: Callable[[object], None]) -> Callable[[], None]:
        """Watch reads of `SystemExit.code`: the interpreter reads it at the end of the program, with no frame below.

        Python 3.11 offers no other moment: `raise SystemExit(main())` calls no hook, and `sys.exit` may be caught.
        Reads, writes and deletions behave as before.
        """
        import ctypes

        (namespace,) = gc.get_referents(SystemExit.__dict__)
        before = namespace["code"]

        def read(error: SystemExit) -> object:
            code = before.__get__(error, SystemExit)
            try:
                sys._getframe(1)  # noqa: SLF001  # without it there is no frame
            except ValueError:
                tell(code)
            return code

        exit_before = sys.exit

        def leave(status: object = None, /) -> NoReturn:
            # Python's own exit makes the exception only when somebody asks for it, and the interpreter does not.
            raise SystemExit(status)

        ours = property(read, before.__set__, before.__delete__)

        def put(attribute: object) -> None:
            namespace["code"] = attribute
            ctypes.pythonapi.PyType_Modified(ctypes.py_object(SystemExit))

        def stop() -> None:
            if namespace["code"] is ours:
                put(before)
            if sys.exit is leave:
                sys.exit = exit_before

        put(ours)
        sys.exit = leave
        return stop
