"""No test leaves a process behind, and a suite that runs in the background tests what one in a terminal does."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

import psutil
import pytest

_GRACE_SECONDS = 5
"""How long a process may take to end after the last test: machines are busy at times."""
_OWN = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
"""What Python itself keeps beside a process as long as it lives."""

_left: list[str] = []
_folders: list[Path] = []


@pytest.fixture(scope="session", autouse=True)
def _folder_of_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Remember where the tests of this process work: what they start has its home there."""
    _folders.append(tmp_path_factory.getbasetemp())


def pytest_configure(config: pytest.Config) -> None:
    """Let the processes that tests start answer signals, whatever this one was started to ignore.

    A job in the background ignores Ctrl-C, `nohup` a closed terminal, and children inherit both. A handler that does
    nothing goes on ignoring here, and is no handler any more in a child. The main process of a distributed suite
    starts only workers, and leaves it to them.
    """
    if config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput"):
        return
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, _ignore)


def _ignore(_: int, __: FrameType | None) -> None:
    pass


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail when a process is left that a test started."""
    if hasattr(session.config, "workerinput"):
        session.config.workeroutput["left"] = _leftovers()  # type: ignore[attr-defined]  # xdist's, told to the main process
        return
    if session.config.getoption("dist", "no") == "no":
        _left.extend(_leftovers())
    if _left:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take what a worker tells of its own."""
    _left.extend(getattr(node, "workeroutput", {}).get("left", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was left, and who left it."""
    if _left:
        terminalreporter.section("processes that tests left behind", red=True)
        for line in _left:
            terminalreporter.write_line(line)


def _leftovers() -> list[str]:
    """Return the processes of our tests that still live: children, and those that have lost their parent."""
    _, alive = psutil.wait_procs(list(_started_here()), timeout=_GRACE_SECONDS)
    return [_told(process) for process in alive]


def _started_here() -> Iterator[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    for process in children:
        with suppress(psutil.Error):  # gone meanwhile
            kept = any(own in word for word in process.cmdline() for own in _OWN)
            if process.status() != psutil.STATUS_ZOMBIE and not kept:
                yield process
    known = {child.pid for child in children}  # two looks at one process may differ in when it began
    yield from (process for process in at_work_in(_folders) if process.pid not in known)


def at_work_in(folders: Sequence[Path]) -> Iterator[psutil.Process]:
    """Yield the other processes that have their home in one of the folders, or work there."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # gone meanwhile, or somebody else's
            places = [Path(process.environ().get("HOME", "")), Path(process.cwd())]
            if process.pid != os.getpid() and any(
                place.is_relative_to(folder) for place in places for folder in folders
            ):
                yield process


def _told(process: psutil.Process) -> str:
    try:
        test = process.environ().get("PYTEST_CURRENT_TEST", "a test that is not known").partition(" (")[0]
        return f"{test}: {' '.join(process.cmdline())} (process {process.pid})"
    except psutil.Error:
        return f"process {process.pid}, of which nothing more can be read"
