"""The spool: the crash-safe folder that a run writes while it lives.

`start.json` is written before anything else, so that a run that dies in its first second is known.
Every event is one line and one `os.write` to a file opened for appending: what was written is there
after SIGKILL. A lock held on `alive` tells a living run from a dead one: the kernel frees it however
the process ends.
"""

import fcntl
import math
import os
import shutil
import socket
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import msgspec

from ledger.errors import InvalidDocument
from ledger.model.boxes.machine import Hardware
from ledger.model.document import encode
from ledger.model.ids import is_id
from ledger.model.values import Number, Reduction, number
from ledger.recorder.record.draft import Captured
from ledger.session.spool.events import AnyEvent, Logged, LoggedNumbers, Start
from ledger.session.spool.keeper import ALIVE, hold, read_keeper

START, CAPTURED, LOG = "start.json", "captured.json", "log.txt"
MACHINE = "machine.json"
"""Name: what the rank of another host saw of its machine."""
FIRST, CHILDREN = "joined", "children"
"""Names: the run that joined the spool, and the runs that were started beside it, one per line."""
RUN_DIR = "run"


_ENCODE = msgspec.json.Encoder().encode
_DECODER: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_DECODE = _DECODER.decode
_DECODE_POINT = msgspec.json.Decoder(Logged).decode
_DECODE_NUMBERS = msgspec.json.Decoder(LoggedNumbers).decode

POINT = b'{"is":"log",'
"""Beginning of a line that holds a point of the curves."""
_CLOSED = -1
EVENTS = "events.jsonl"
"""File with the events of the process that created the spool."""
_TAIL_BYTES = 1 << 18
"""Bytes at the end of a file of events that hold the end of a run: a node of 16 GPUs takes 5 KB."""


class Spool:
    """The writing end of one process.

    Args:
        folder: folder of the spool; it exists.
        lock: frees the lock on `alive`; none for a process that joined another's run.
    """

    def __init__(self, folder: Path, lock: Callable[[], None] | None) -> None:
        self.folder = folder
        self._unlock = lock
        # Process ids of two hosts may coincide: a few random letters keep their files apart.
        name = EVENTS if lock is not None else f"events-{os.getpid()}-{os.urandom(3).hex()}.jsonl"
        self._events = os.open(folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @classmethod
    def create(cls, state_dir: Path, start: Start) -> Self:
        """Create the spool of a new run, which counts as alive from its first moment.

        Raises:
            OSError: the folder cannot be written to.
        """
        folder = spool_dir(state_dir) / start.id
        folder.mkdir(parents=True, mode=0o700)
        try:
            lock = hold(folder)
            _write_whole(folder / START, msgspec.json.format(encode(start), indent=2))
            (folder / RUN_DIR).mkdir()
            return cls(folder, lock)
        except OSError:  # a full disk: half a spool is useless
            shutil.rmtree(folder, ignore_errors=True)
            raise

    @classmethod
    def join(cls, folder: Path) -> Self:
        """Open the spool of a run that another process leads, such as `ledger run`.

        Raises:
            OSError: it is not there or cannot be written to.
        """
        return cls(folder, None)

    @property
    def leads(self) -> bool:
        """Whether this process makes the record in the end."""
        return self._unlock is not None

    def write(self, event: AnyEvent) -> None:
        """Append one event; it survives SIGKILL once this returns.

        Raises:
            OSError: the disk is full or gone, or the spool is closed.
            TypeError: it contains a value that JSON cannot hold.
            msgspec.ValidationError: it could not be read again, since a value has another type than it should.
        """
        data = encode(event)
        _DECODE(data)
        self._append(data)

    def log(
        self,
        seconds: float,
        step: int | None,
        epoch: float | None,
        values: Mapping[str, float],
        reduce: Reduction | None = None,
    ) -> None:
        """Append one point of the learning curves.

        Raises:
            OSError: the disk is full or gone, or the spool is closed.
        """
        safe: dict[str, Number] = values  # type: ignore[assignment]  # floats are numbers, and nobody changes them
        if not math.isfinite(sum(values.values())):  # cheaper than to ask each; a sum that overflows costs time only
            safe = {name: value if math.isfinite(value) else number(value) for name, value in values.items()}
        self._append(_ENCODE(Logged(seconds=seconds, step=step, epoch=epoch, values=safe, reduce=reduce)))

    def _append(self, line: bytes) -> None:
        if self._events == _CLOSED:
            raise OSError("the run has ended")
        os.write(self._events, line + b"\n")

    @property
    def size(self) -> int:
        """Bytes written by this process: they show whether anything happened since."""
        try:
            return os.fstat(self._events).st_size
        except OSError:
            return 0

    def beat(self) -> None:
        """Leave a sign of life.

        Raises:
            OSError: the folder is gone.
        """
        os.utime(self.folder / ALIVE)

    def write_captured(self, captured: Captured) -> None:
        """Store the results of the probes at the start.

        Raises:
            OSError: the disk is full, or gone.
        """
        _write_whole(self.folder / CAPTURED, encode(captured))

    def close(self) -> None:
        """Stop writing; the spool remains, and is no longer alive."""
        # The number of a closed file is soon reused: late events must not go there.
        events, self._events = self._events, _CLOSED
        os.close(events)
        if self._unlock is not None:
            self._unlock()

    def remove(self) -> None:
        """Close and delete it: its record has been seen on the branch."""
        self.discard(self.folder)
        self.close()

    @staticmethod
    def discard(folder: Path) -> None:
        """Delete a spool, living or dead; `alive` goes last, so that nobody takes half of it for a dead run."""
        (folder / START).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


def claim_first(folder: Path, run: str) -> bool:
    """Claim the one place of a run that joins this spool; exactly one of any number of processes and threads gets it.

    Raises:
        OSError: the spool cannot be written to.
    """
    try:
        descriptor = os.open(folder / FIRST, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w") as file:
        file.write(run)
    return True


def add_child(folder: Path, run: str) -> None:
    """Note in a spool that a run with a spool of its own was started in it.

    Raises:
        OSError: the spool cannot be written to.
    """
    descriptor = os.open(folder / CHILDREN, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, f"{run}\n".encode())
    finally:
        os.close(descriptor)


def read_children(folder: Path) -> list[str]:
    """Return the runs that were started in a spool and have spools of their own, in order."""
    try:
        return [line for line in (folder / CHILDREN).read_text("utf-8", "replace").split() if is_id(line)]
    except OSError:
        return []


def spool_dir(state_dir: Path) -> Path:
    """Return the folder that holds every spool."""
    return state_dir / "spool"


def spools(state_dir: Path) -> list[Path]:
    """Return every spool, oldest first."""
    try:
        return sorted(Path(entry.path) for entry in os.scandir(spool_dir(state_dir)) if is_id(entry.name))
    except OSError:
        return []


def dead_spools(state_dir: Path, hosts: Collection[str] = ()) -> list[Path]:
    """Return the spools whose process is gone, oldest first: those of this host, and of the named ones."""
    dead = []
    for folder in spools(state_dir):
        with claimed(folder, hosts) as mine:
            if mine:
                dead.append(folder)
    return dead


ALL_HOSTS = "all"
"""Names every host."""


@contextmanager
def claimed(folder: Path, hosts: Collection[str] = ()) -> Iterator[bool]:
    """Hold a dead spool for the length of the block; yield false when its run lives or another process holds it.

    Args:
        folder: the spool.
        hosts: other hosts whose spools count, too, unless they gave a recent sign of life. Only a person can know that
            another host is gone: locks and process ids do not reach that far, and every container is a host.
    """
    try:
        start = read_start(folder)
        alive = (folder / ALIVE).open("rb+")
    except (InvalidDocument, OSError):
        yield False  # just being made or removed
        return
    with alive:
        keeper = read_keeper(folder, start)
        here = keeper.host == socket.gethostname()
        if not here and not ((start.host in hosts or ALL_HOSTS in hosts) and silence_seconds(folder) > _MOMENT_SECONDS):
            yield False
            return
        try:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        except OSError:  # a file system without locks
            yield not here or not _process_exists(keeper.pid)
        else:
            yield True


_MOMENT_SECONDS = 60.0
"""Age of a recent sign of life: living runs give one every few seconds, so such a run lives, whoever names its host."""


def silence_seconds(folder: Path) -> float:
    """Return the seconds since a run's last sign of life; without any sign, zero."""
    try:
        return time.time() - last_sign_of_life(folder).timestamp()
    except (OSError, ValueError):
        return 0.0


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def read_start(folder: Path) -> Start:
    """Return the start of a spool, written before the first step.

    Raises:
        OSError: it cannot be read.
        InvalidDocument: it is damaged.
    """
    try:
        return msgspec.json.decode((folder / START).read_bytes(), type=Start)
    except msgspec.DecodeError as error:
        raise InvalidDocument(str(folder / START), [str(error)]) from error


def read_captured(folder: Path) -> Captured | None:
    """Return the results of the probes at the start; none when the run died before they were done."""
    try:
        return msgspec.json.decode((folder / CAPTURED).read_bytes(), type=Captured)
    except (msgspec.DecodeError, OSError):
        return None


def read_machine(folder: Path) -> Hardware | None:
    """Return what the process of a spool saw of its machine; none where it did not look."""
    if (captured := read_captured(folder)) is not None:
        return captured.hardware
    try:
        return msgspec.json.decode((folder / MACHINE).read_bytes(), type=Hardware)
    except (msgspec.DecodeError, OSError):
        return None


def event_files(folder: Path) -> list[Path]:
    """Return the files of a spool that processes wrote: one for each process and run."""
    return sorted(folder.glob("events*.jsonl"))


def read_events(path: Path, *, points: bool = True) -> Iterator[AnyEvent]:
    """Yield every event of one process; a line torn by a crash or a full disk is skipped.

    Args:
        path: file that the process wrote.
        points: include the points of the curves; without them the rest is read much faster.
    """
    with path.open("rb") as lines:
        for line in lines:
            if not points and line.startswith(POINT):
                continue
            try:
                event = _DECODE(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            if points or not isinstance(event, Logged):
                yield event


def read_points(path: Path, known: Collection[str] = ()) -> Iterator[Logged]:
    """Yield every point of one process; those that hold no other series than the known ones may be left out.

    Args:
        path: file that the process wrote.
        known: names of series that nobody asks for.
    """
    boring: set[tuple[bytes, ...]] = set()
    with path.open("rb") as lines:
        for line in lines:
            if not line.startswith(POINT):
                continue
            words = None
            if known and b"\\" not in line:  # all quoted words name its series, as long as none has a quote in it
                words = tuple(line.split(b'"')[1::2])
                if words in boring:
                    continue
            try:
                event: Logged = _DECODE_NUMBERS(line)
            except msgspec.DecodeError:
                try:
                    event = _DECODE_POINT(line)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue
            except UnicodeDecodeError:
                continue
            yield event
            if words is not None and all(name in known for name in event.values):
                boring.add(words)


def load_event(line: bytes) -> AnyEvent:
    """Return the event of one line.

    Raises:
        msgspec.DecodeError: it is none.
        UnicodeDecodeError: it is no text.
    """
    return _DECODE(line)


def last_events(path: Path) -> list[AnyEvent]:
    """Return the last events of one process, none where it has written none: an end is among them, if there is one."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            lines = [line for line in file.read().split(b"\n") if line and not line.startswith(POINT)]
    except OSError:
        return []
    events = []
    for line in lines:
        with suppress(msgspec.DecodeError, UnicodeDecodeError):  # the first may be cut
            events.append(_DECODE(line))
    return events


def last_sign_of_life(folder: Path) -> datetime:
    """Return when the run last wrote anything, UTC."""
    signs = (*folder.glob("events*.jsonl"), folder / START, folder / ALIVE, folder / LOG)
    return datetime.fromtimestamp(max(path.stat().st_mtime for path in signs if path.exists()), tz=UTC)


def _write_whole(path: Path, data: bytes) -> None:
    aside = path.with_suffix(".new")
    aside.write_bytes(data)
    aside.replace(path)
