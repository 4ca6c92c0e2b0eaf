"""What a process prints, kept from start to end of its run: its own lines, native ones, and those of its children.

The descriptors 1 and 2 lead to a small program beside the training (`output_copy.py`), which passes everything on
and appends it to the log. Why it is a process, and no thread, stands in `.github/decisions/output.md`.
"""

import fcntl
import os
import select
import socket
import stat
import subprocess
import sys
import termios
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ledger.session.process.output_copy import DONE, PARTLY, PAUSE_SECONDS, READY, Copier, Stream, copy_size, write_all

_PROGRAM = Path(__file__).with_name("output_copy.py")
_COLLECTORS = {"_pytest": "pytest", "ipykernel": "the notebook", "idlelib": "IDLE"}
"""Packages that put streams of their own into `sys.stdout`, because they collect the output themselves."""
_LOWEST = 10
"""Lowest number of a descriptor of ours: 0 to 2 may be free, and belong to others."""
_START_SECONDS = 30.0
_STOP_SECONDS = 30.0
"""Longest wait for the log at the end; a terminal that is stopped takes nothing."""

_keepers: dict[int, str] = {}
"""The run that keeps the output of a process, by process id: descriptors are the whole process's."""
_KEEPING = threading.Lock()


class _Channel(NamedTuple):
    """One way of output."""

    numbers: list[int]
    """Standard descriptors that lead to one and the same file."""
    before: int
    """Where they led before."""
    reading: int
    writing: int
    terminal: bool


class Output:
    """The output of this process, copied to a log from `start` to `stop`.

    Args:
        run: id of the run.
        log: file that the copy is appended to.
    """

    def __init__(self, run: str, log: Path) -> None:
        self._run = run
        self._path = log
        self.mark = b"\0" + os.urandom(16).hex().encode()
        """The last bytes that the training writes; they are shown to nobody."""
        self._channels: list[_Channel] = []
        self._log = self._answers = -1
        self._files: dict[int, os.stat_result] = {}
        """What our descriptors lead to: a training that closes all it does not know gives their numbers to others."""
        self._finished = threading.Event()
        self._whole = False
        self._alone = False

    def start(self) -> str | None:
        """Begin to copy; return why that is not possible, if so. Never raises."""
        if (why := _hindrance()) is not None:
            return why
        with _KEEPING:
            if (keeper := _keepers.setdefault(os.getpid(), self._run)) != self._run:
                return f"the run {keeper} keeps the output of this process"
        try:
            self._begin()
        except Exception as error:  # noqa: BLE001  # whatever it is, training goes on and the record notes it
            self._close()
            return f"the output could not be copied: {error}"
        return None

    def add(self, text: str) -> None:
        """Do nothing: what this process shows is printed, and is in the log so."""

    def stop(self, last: str = "") -> str | None:
        """Let the process print as before, and return why the log may lack something, if so. Never raises.

        When this returns, the log has all that was printed.

        Args:
            last: text that ends the log, and is not printed.
        """
        if not self._channels:
            return None
        flush_streams()
        with suppress(Exception):
            self._restore()
            deadline = time.monotonic() + _STOP_SECONDS
            written = [self._write_mark(channel, deadline) for channel in self._channels]
            if all(written):
                self._finished.wait(max(0.0, deadline - time.monotonic()))
            if last and self._is_ours(self._log):
                write_all(self._log, last.encode("utf-8", "replace"))
        self._close()
        if self._whole:
            return None
        return "the disk had no room for all of it" if self._finished.is_set() else "its end may be missing"

    def _begin(self) -> None:
        self._log = _moved(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._channels = [_open_channel(numbers) for numbers in _outputs()]
        self._answers, answers = (_moved(number) for number in os.pipe())
        ends = (end for one in self._channels for end in (one.before, one.reading, one.writing))
        self._files = {number: os.fstat(number) for number in (self._log, self._answers, *ends)}
        try:
            self._start_program(answers)
        finally:
            os.close(answers)
        threading.Thread(target=self._watch, name="ledger-output", daemon=True).start()
        flush_streams()  # what was printed before is not of the run
        for channel in self._channels:
            for number in channel.numbers:
                os.dup2(channel.writing, number)

    def _start_program(self, answers: int) -> None:
        """Start the copying program, and return when it reads.

        Raises:
            OSError: it does not start.
        """
        ways = [f"{one.reading}:{one.before}:{int(one.terminal)}" for one in self._channels]
        # The init of a container ends after us, and the program with it: then nothing may wait.
        pause = 0.0 if os.getppid() == 1 else PAUSE_SECONDS
        arguments = [str(self._log), str(answers), self.mark.hex(), str(pause), *ways]
        handed = [self._log, answers, *(end for one in self._channels for end in (one.reading, one.before))]
        program = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_PROGRAM), *arguments],
            pass_fds=handed,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if not _readable(self._answers, _START_SECONDS) or os.read(self._answers, 1) != READY:
            program.kill()
            program.wait()
            raise OSError("the copying program does not start")
        program.wait()  # it goes on as nobody's child: a training may wait for all of its own

    def _watch(self) -> None:
        """Wait until the log is complete; where the program dies before that, go on in its place."""
        with suppress(Exception):
            said = os.read(self._answers, 1)
            if self._is_ours(self._answers):
                os.close(self._answers)
            if said in {DONE, PARTLY}:
                self._finish(said == DONE)
                return
            self._alone = True
            self._restore()
            streams = [Stream(one.reading, one.before, terminal=one.terminal) for one in self._channels]
            Copier(streams, self._log, self.mark, self._finish).run()

    def _finish(self, whole: bool) -> None:  # noqa: FBT001  # one fact, passed on
        self._whole = whole
        self._finished.set()

    def _restore(self) -> None:
        """Let the standard descriptors lead where they led before, unless somebody has changed them since."""
        for channel in self._channels:
            for number in channel.numbers:
                ours = self._is_ours(channel.before) and self._is_ours(channel.writing)
                if ours and _same_file(number, channel.writing):
                    os.dup2(channel.before, number)

    def _write_mark(self, channel: _Channel, deadline: float) -> bool:
        """Write the end of the run into a channel, and return whether that was possible."""
        if not self._is_ours(channel.writing):
            return False
        wait = select.poll()
        wait.register(channel.writing, select.POLLOUT)
        # Where there is room, a write of so little is whole, and waits for nobody.
        room = bool(wait.poll(1000 * max(0.0, deadline - time.monotonic())))
        return room and os.write(channel.writing, self.mark) > 0

    def _close(self) -> None:
        with _KEEPING:
            if _keepers.get(os.getpid()) == self._run:
                del _keepers[os.getpid()]
        channels, self._channels = self._channels, []
        ends = [one.writing for one in channels]
        if not self._alone:  # else a thread of ours still reads
            ends += [self._log, *(end for one in channels for end in (one.reading, one.before))]
        for end in ends:
            if self._is_ours(end):
                os.close(end)

    def _is_ours(self, number: int) -> bool:
        """Return whether a descriptor still leads where we opened it."""
        with suppress(OSError, KeyError):
            return os.path.samestat(self._files[number], os.fstat(number))
        return False


def _hindrance() -> str | None:
    """Return why the output of this process cannot be copied, if so."""
    for stream in (sys.stdout, sys.stderr):
        collector = _COLLECTORS.get(type(stream).__module__.partition(".")[0])
        if collector is not None:
            return f"{collector} collects the output of this process"
    if os.getpid() == 1:  # the kernel ends all others of the container with it, before they have read to the end
        return "a copy would lose what the first process of a container prints last; `ledger run` around it keeps all"
    name = Path(sys.executable or "").name.lower()
    if getattr(sys, "frozen", False) or not name.startswith(("python", "pypy")) or not _PROGRAM.is_file():
        return "there is no Python interpreter that could copy the output of this process"
    return None if _outputs() else "this process has neither stdout nor stderr"


def _outputs() -> list[list[int]]:
    """Return the standard descriptors that are an output, those of one file together, so that their order is kept."""
    found: dict[tuple[int, int], list[int]] = {}
    for number, stream in ((1, sys.__stdout__), (2, sys.__stderr__)):
        with suppress(OSError, ValueError, AttributeError):  # a daemon may have closed it, or never had it
            if stream is not None and stream.fileno() == number and _is_output(number):
                status = os.fstat(number)
                found.setdefault((status.st_dev, status.st_ino), []).append(number)
    return list(found.values())


def _is_output(number: int) -> bool:
    """Return whether a descriptor is an output, and no file of data that took a free number."""
    mode = os.fstat(number).st_mode
    if stat.S_ISREG(mode):
        return fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
    if stat.S_ISSOCK(mode):
        with socket.socket(fileno=os.dup(number)) as one:
            return one.family == socket.AF_UNIX
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def _open_channel(numbers: list[int]) -> _Channel:
    """Open a way for output that looks to the training as the one before: a terminal, or none."""
    first = numbers[0]
    terminal = os.isatty(first)
    reading, writing = (_moved(number) for number in (os.openpty() if terminal else os.pipe()))
    if terminal:
        attributes = termios.tcgetattr(first)
        attributes[1] &= ~termios.OPOST  # the real terminal does that
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(writing, termios.TCSANOW, attributes)
        copy_size(first, writing)
    return _Channel(numbers, _high(first), reading, writing, terminal)


def _high(number: int) -> int:
    """Return a second descriptor of the same file, with a number that is nobody's."""
    return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _LOWEST)


def _moved(number: int) -> int:
    """Return the descriptor with a number that is nobody's."""
    try:
        return _high(number)
    finally:
        os.close(number)


def _readable(number: int, seconds: float) -> bool:
    wait = select.poll()
    wait.register(number, select.POLLIN)
    return bool(wait.poll(1000 * seconds))


def _same_file(one: int, other: int) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.fstat(one), os.fstat(other))
    return False


def flush_streams() -> None:
    """Write out what Python and the C library hold back; never raises."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with suppress(Exception):
            stream.flush()  # type: ignore[union-attr]  # none without a console
    if (ctypes := sys.modules.get("ctypes")) is not None:  # frameworks load it; nothing else here needs it
        with suppress(Exception):
            library = ctypes.CDLL(None)
            # Only stdout: a thread that reads stdin holds its lock, and flushing all would wait for it.
            library.fflush(ctypes.c_void_p.in_dll(library, "stdout"))
