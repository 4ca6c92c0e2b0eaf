"""Copies what a training prints to where it went before, and to a log; a small program beside the training.

`output.py` starts this file by its path, with the standard library alone: it must import nothing of the package.
"""

import errno
import fcntl
import os
import select
import signal
import sys
import termios
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

READY, DONE, PARTLY = b"r", b"d", b"p"
"""Answers to the training: the copy has begun; everything up to the mark is in the log, or the log could not grow."""

_CHUNK = 1 << 16
_FULL = 2048
"""Bytes of one read from which more is likely to be there already: a terminal gives at most 4,095 at a time."""
PAUSE_SECONDS = 0.002
"""Lines that come faster are taken together: to read each by itself costs more than all the rest."""
_SIZE_MILLISECONDS = 500
_HELD_MILLISECONDS = 50


class Stream:
    """One way of output: from a pipe or a pseudo-terminal to where the training printed before.

    Args:
        source: descriptor that is read.
        target: descriptor that it is passed on to.
        terminal: whether both are terminals, whose sizes must agree.
    """

    def __init__(self, source: int, target: int, *, terminal: bool) -> None:
        self.source = source
        self.target = target
        self.terminal = terminal
        self.held = b""
        """Bytes that may be the beginning of the mark."""
        self.logged = True
        """Whether what comes is still of the run."""


class Copier:
    """Passes streams on until nobody writes to them, and keeps what comes before the mark in the log.

    Args:
        streams: what is copied.
        log: descriptor of the log; a full disk ends it, never the copy to the target.
        mark: bytes that the training writes last; they are passed on to nobody.
        done: called once, when the log has all that it will have, with whether that is everything.
        pause: seconds that lines are taken together.
    """

    def __init__(
        self,
        streams: Sequence[Stream],
        log: int,
        mark: bytes,
        done: Callable[[bool], None],
        pause: float = PAUSE_SECONDS,
    ) -> None:
        self._streams = {stream.source: stream for stream in streams}
        self._log: int | None = log
        self._mark = mark
        self._done = done
        self._pause = pause
        self._poll = select.poll()
        self._terminals = any(stream.terminal for stream in streams)
        for stream in streams:
            self._poll.register(stream.source, select.POLLIN)

    def run(self) -> None:
        """Copy until the last writer is gone."""
        while self._streams:
            ready = self._poll.poll(self._patience())
            for stream in list(self._streams.values()):
                if stream.terminal:
                    copy_size(stream.target, stream.source)
                if stream.held and not ready:
                    self._pass(stream, stream.held)
                    stream.held = b""
            read = [self._copy(self._streams[source]) for source, _ in ready]
            if self._pause and read and max(read) < _FULL:
                time.sleep(self._pause)

    def _patience(self) -> int | None:
        if any(stream.held for stream in self._streams.values()):
            return _HELD_MILLISECONDS
        return _SIZE_MILLISECONDS if self._terminals else None

    def _copy(self, stream: Stream) -> int:
        """Pass on what is there, and return how many bytes that was."""
        try:
            data = os.read(stream.source, _CHUNK)
        except OSError:  # EIO: how Linux reports that the other end of a terminal is closed
            data = b""
        if not data:
            self._pass(stream, stream.held)
            self._poll.unregister(stream.source)
            del self._streams[stream.source]
            os.close(stream.source)
            self._end(stream)
            return 0
        if stream.logged:
            self._look_for_mark(stream, stream.held + data)
        else:
            self._pass(stream, data)
        return len(data)

    def _look_for_mark(self, stream: Stream, data: bytes) -> None:
        at = data.find(self._mark)
        if at >= 0:
            self._pass(stream, data[:at])
            self._end(stream)
            self._pass(stream, data[at + len(self._mark) :])
            return
        start = data.rfind(self._mark[:1], max(0, len(data) - len(self._mark)))
        cut = start if start >= 0 and self._mark.startswith(data[start:]) else len(data)
        stream.held = data[cut:]
        self._pass(stream, data[:cut])

    def _pass(self, stream: Stream, data: bytes) -> None:
        if not data:
            return
        if stream.logged and self._log is not None and not write_all(self._log, data):
            self._log = None
        write_all(stream.target, data)

    def _end(self, stream: Stream) -> None:
        """Note that the run has ended for one stream; when it has for all, the log is complete."""
        if stream.logged:
            stream.held, stream.logged = b"", False
            if not any(other.logged for other in self._streams.values()):
                self._done(self._log is not None)


def copy_size(source: int, target: int) -> None:
    """Give a terminal the size of another one; nothing where either is none."""
    with suppress(OSError):
        size = fcntl.ioctl(source, termios.TIOCGWINSZ, b"\0" * 8)
        if fcntl.ioctl(target, termios.TIOCGWINSZ, b"\0" * 8) != size:
            fcntl.ioctl(target, termios.TIOCSWINSZ, size)


def write_all(descriptor: int, data: bytes) -> bool:
    """Write everything and return whether that succeeded: no closed reader and no full disk may end the training."""
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except OSError as error:
            if error.errno != errno.EAGAIN:
                return False
            wait = select.poll()  # set to non-blocking by another user of the stream
            wait.register(descriptor, select.POLLOUT)
            wait.poll()
    return True


def main(arguments: Sequence[str]) -> None:
    """Become a process that no signal to the training reaches and that nobody waits for, and copy to the end.

    Args:
        arguments: descriptors of the log and of the answers, the mark in hexadecimal, the pause in seconds, then
            `source:target:terminal` for each stream.
    """
    for number in signal.valid_signals():
        with suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    if os.fork():
        os._exit(0)
    os.chdir("/")
    log, answers, mark = int(arguments[0]), int(arguments[1]), bytes.fromhex(arguments[2])
    streams = []
    for text in arguments[4:]:
        source, target, terminal = text.split(":")
        streams.append(Stream(int(source), int(target), terminal=terminal == "1"))

    def done(whole: bool) -> None:  # noqa: FBT001  # one fact, passed on
        os.close(log)
        with suppress(OSError):
            os.write(answers, DONE if whole else PARTLY)
        os.close(answers)

    os.write(answers, READY)
    Copier(streams, log, mark, done, float(arguments[3])).run()


if __name__ == "__main__":
    main(sys.argv[1:])
