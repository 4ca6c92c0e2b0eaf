"""What a Jupyter kernel prints while a run lives, appended to its log.

The kernel collects its output itself: `sys.stdout` and `sys.stderr` send messages, and what native code and children
write to the descriptors 1 and 2 is read by a thread and sent the same way. Each message is seen just before it is sent.
"""

import fcntl
import os
import struct
import sys
import termios
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from ledger.session.process.output_copy import write_all

_WAIT_SECONDS = 5.0
"""Longest wait for the thread that sends messages."""
_PAUSE_SECONDS = 0.01
"""Time that the thread which reads a descriptor needs to pass on what it has just read."""


class KernelOutput:
    """The output of a kernel, copied to a log from `start` to `stop`.

    Args:
        run: id of the run.
        log: file that the copy is appended to.
    """

    def __init__(self, run: str, log: Path) -> None:
        self._run = run
        self._path = log
        self._streams: list[Any] = []  # ipykernel's, which is not imported
        self._log = -1
        self._lost = False

    def start(self) -> str | None:
        """Begin to copy; return why that is not possible, if so. Never raises."""
        streams: list[Any] = [sys.stdout, sys.stderr]
        if not all(type(stream).__module__.startswith("ipykernel.") for stream in streams):
            return "the cell collects its own output, as `%%capture` does"
        try:
            for stream in streams:
                if any(isinstance(getattr(hook, "__self__", None), KernelOutput) for hook in stream._hooks):  # noqa: SLF001  # to see ours
                    return "an earlier run, which has not ended, keeps the output of this kernel"
                stream.flush()  # what was printed before is not of the run
            self._log = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            for stream in streams:
                self._in_sender(stream, "register_hook")
                stream.register_hook(self._copy)  # in this thread: forked children send from it
                self._streams.append(stream)
        except Exception as error:  # noqa: BLE001  # whatever it is, training goes on and the record notes it
            self._close()
            return f"the output of the kernel could not be copied: {error}"
        if any(getattr(stream, "_fid", None) is None for stream in streams):
            return "what native code and children print is not in the log: this kernel does not read its descriptors"
        return None

    def add(self, text: str) -> None:
        """Append a text that the kernel shows in another way, such as the traceback of a failed cell."""
        with suppress(Exception):
            for stream in self._streams:
                stream.flush()
            self._write(text)

    def stop(self, last: str = "") -> str | None:
        """Stop copying, and return why the log may lack something, if so. Never raises.

        Args:
            last: text that ends the log, and is not printed.
        """
        if not self._streams:
            return None
        with suppress(Exception):
            for stream in self._streams:
                _await_native(stream)
                stream.flush()
        self._write(last)
        self._close()
        return "the disk had no room for all of it" if self._lost else None

    def _in_sender(self, stream: Any, method: str) -> None:  # noqa: ANN401  # ipykernel's
        """Add or remove our hook in the thread that sends: hooks belong to threads."""
        done = threading.Event()

        def call() -> None:
            with suppress(Exception):
                getattr(stream, method)(self._copy)
            done.set()

        stream.pub_thread.schedule(call)
        done.wait(_WAIT_SECONDS)

    def _copy(self, message: Any) -> Any:  # noqa: ANN401  # a message of Jupyter
        with suppress(Exception):
            self._write(message["content"]["text"])
        return message

    def _write(self, text: str) -> None:
        if self._log < 0 or not text:
            return
        if not write_all(self._log, text.encode("utf-8", "replace")):
            self._lost = True

    def _close(self) -> None:
        streams, self._streams = self._streams, []
        for stream in streams:
            with suppress(Exception):
                self._in_sender(stream, "unregister_hook")
                stream.unregister_hook(self._copy)
        log, self._log = self._log, -1
        if log >= 0:
            os.close(log)


def _await_native(stream: Any) -> None:  # noqa: ANN401  # ipykernel's
    """Wait until what was written to a descriptor has been read."""
    number = getattr(stream, "_fid", None)
    if not isinstance(number, int):
        return
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        (waiting,) = struct.unpack("i", fcntl.ioctl(number, termios.FIONREAD, b"\0\0\0\0"))
        time.sleep(_PAUSE_SECONDS)
        if not waiting:
            return
