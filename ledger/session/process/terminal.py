"""Runs a command with its terminal intact and keeps a copy of everything it prints.

On a terminal the command gets a pseudo-terminal of its own, so that progress bars, colours and
line editing work as without it; elsewhere its two streams are passed on one by one.
"""

import contextlib
import errno
import fcntl
import os
import pty
import select
import selectors
import signal
import struct
import subprocess
import termios
import tty
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from ledger.errors import NotFound

_CHUNK = 1 << 16
_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)

Notice = Callable[[int], None]
"""Receives every signal that reached this process while the command ran."""


def run_command(
    command: Sequence[str], log: Path, *, environment: Mapping[str, str], started: Callable[[int], None], notice: Notice
) -> int:
    """Run a command to its end and return its exit code; negative for the signal that ended it.

    Args:
        command: program and arguments.
        log: file for a copy of all output, as long as it can be written.
        environment: whole environment of the command.
        started: called with the process id.
        notice: called with signals that reached this process and were passed on.

    Raises:
        NotFound: there is no such program, or it cannot be executed.
    """
    run = _on_terminal if _has_terminal() else _on_pipes
    with contextlib.closing(_Copy(log)) as copy:
        return run(command, copy, environment, started, notice)


class _Copy:
    """The copy of all output; a full disk ends the copy, never the command."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO | None = None
        with contextlib.suppress(OSError):
            self._file = path.open("ab")

    def write(self, data: bytes) -> None:
        if self._file is not None and not _write_all(self._file.fileno(), data):
            self.close()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _has_terminal() -> bool:
    """Return whether this process may take the terminal over: the kernel stops background jobs that try."""
    if not (os.isatty(0) and os.isatty(1)):
        return False
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:  # a terminal, but not the controlling one
        return True


def _on_pipes(
    command: Sequence[str],
    log: _Copy,
    environment: Mapping[str, str],
    started: Callable[[int], None],
    notice: Notice,
) -> int:
    with _process(command, environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        started(process.pid)
        if process.stdout is None or process.stderr is None:
            raise AssertionError("both streams were asked for")
        streams = {process.stdout.fileno(): 1, process.stderr.fileno(): 2}
        with _passing_on(process, notice, terminal=False), selectors.DefaultSelector() as selector:
            for stream in streams:
                selector.register(stream, selectors.EVENT_READ)
            while selector.get_map():
                for key, _ in selector.select():
                    data = os.read(key.fd, _CHUNK)
                    if data:
                        log.write(data)
                        _write_all(streams[key.fd], data)
                    else:
                        selector.unregister(key.fd)
            return process.wait()


def _on_terminal(
    command: Sequence[str],
    log: _Copy,
    environment: Mapping[str, str],
    started: Callable[[int], None],
    notice: Notice,
) -> int:
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, fcntl.ioctl(0, termios.TIOCGWINSZ, b"\0" * 8))
    with (
        contextlib.closing(os.fdopen(leader, "rb", buffering=0)),
        _process(
            command,
            environment,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
            # Ctrl-C and job control must act on the pseudo-terminal.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0) and None,
        ) as process,
    ):
        os.close(follower)
        started(process.pid)
        with _passing_on(process, notice, terminal=True), _raw_terminal(), _following_size(leader):
            _copy_both_ways(leader, log)
        return process.wait()


def _copy_both_ways(leader: int, log: _Copy) -> None:
    """Copy keys to the command and its output to our terminal, until the command closes its own; ours may go first."""
    with selectors.DefaultSelector() as selector:
        selector.register(leader, selectors.EVENT_READ)
        selector.register(0, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                try:
                    data = os.read(key.fd, _CHUNK)
                except OSError as error:
                    if error.errno != errno.EIO:  # how Linux reports that the other end is closed
                        raise
                    data = b""
                if key.fd == leader:
                    if not data:
                        return
                    log.write(data)
                    _write_all(1, data)
                elif data:
                    _write_all(leader, data)
                else:
                    selector.unregister(0)
                    _write_all(leader, b"\x04")


def _process(command: Sequence[str], environment: Mapping[str, str], **options: object) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(command, env=dict(environment), **options)  # type: ignore[call-overload,no-any-return]  # options of Popen
    except FileNotFoundError as error:
        raise NotFound(f"no such program: `{command[0]}`") from error
    except (OSError, ValueError) as error:  # no permission, not executable, arguments too long or with a NUL
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise NotFound(f"this program cannot be run ({why}): `{command[0]}`") from error


@contextlib.contextmanager
def _passing_on(process: "subprocess.Popen[bytes]", notice: Notice, *, terminal: bool) -> Iterator[None]:
    """Pass signals on to the command; where it shares our terminal, a Ctrl-C reaches it by itself.

    Signals that this process was started to ignore, as by `nohup` and a shell's `&`, the command ignores as well.
    """

    def forward(number: int, _: FrameType | None) -> None:
        notice(number)
        if number != signal.SIGINT or terminal:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)

    heard = [number for number in (*_FORWARDED, signal.SIGINT) if signal.getsignal(number) != signal.SIG_IGN]
    previous = {number: signal.signal(number, forward) for number in heard}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _raw_terminal() -> Iterator[None]:
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # the terminal may be gone: a closed window, a lost connection
            termios.tcsetattr(0, termios.TCSAFLUSH, before)


@contextlib.contextmanager
def _following_size(leader: int) -> Iterator[None]:
    def resize(_: int, __: FrameType | None) -> None:
        with contextlib.suppress(OSError):
            size = fcntl.ioctl(0, termios.TIOCGWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
            fcntl.ioctl(leader, termios.TIOCSWINSZ, size)

    before = signal.signal(signal.SIGWINCH, resize)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


def _write_all(descriptor: int, data: bytes) -> bool:
    """Write everything and return whether that succeeded: no closed reader and no full disk may end the training."""
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:  # set to non-blocking by another user of the stream
            select.select([], [descriptor], [])
        except OSError:
            return False
    return True
