"""The end of the link in a rank that does not see the spool of rank 0: a thread that sends on what is in its own.

The queue is the rank's own file: what is not confirmed yet stays there, and stays for good where the link is lost.
"""

import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ledger.errors import LedgerError
from ledger.model.document import encode
from ledger.session.link import messages
from ledger.session.link.meeting import LeaderAddress, Meeting, find_meeting
from ledger.session.spool.events import Start
from ledger.session.spool.job import RecordedJob, group_spools, note_recorded, read_recorded
from ledger.session.spool.spool import EVENTS, event_files, read_machine

if TYPE_CHECKING:
    from ledger.wire.caller import Caller

_LOG = logging.getLogger("ledger")

_SEE_SECONDS = 1.0
"""How long a rank looks for the spool of rank 0 in its own folder before it asks for the link."""
_ASK_SECONDS = 600.0
"""How long a rank asks: rank 0 may begin its run later than the others."""
_POLL_SECONDS = 0.25
_LOOK_MOST_SECONDS = 10.0
"""Most time between two looks for rank 0."""
_RESEND_SECONDS = 5.0
"""What is not confirmed after this time is sent again."""
FINISH_SECONDS = 2.0
"""How long the end of a run waits for rank 0 since it last confirmed anything."""
_FINISH_MOST_SECONDS = 10.0


class _File:
    """How far a file of events is sent, and how far rank 0 has it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sent = self.confirmed = 0

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def read(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.sent)
            return file.read(messages.CHUNK_BYTES)


class Sending:
    """The link of a rank other than 0, in a thread of its own; nothing here raises into training.

    Args:
        folder: spool of the rank.
        start: its start.
    """

    def __init__(self, folder: Path, start: Start) -> None:
        self._folder, self._start = folder, start
        self._group = start.rank.group if start.rank and start.rank.group else ""
        self._pid = os.getpid()
        self._began = time.monotonic()
        self._stopping = threading.Event()
        self._caller: Caller | None = None
        self._files: dict[Path, _File] = {}
        self._welcome = self._over = False
        self._machine_sent = self._ending_said = False
        self._heard = self._said = self._progress = self._began
        self.handed_over = False
        """Whether rank 0 has all of the spool, in files of its own."""
        self._thread = threading.Thread(target=self._run, name="ledger-link", daemon=True)
        self._thread.start()

    def finish(self) -> bool:
        """Send the rest and return whether rank 0 has it all; waits a few seconds at most."""
        if os.getpid() != self._pid:
            return False
        self._progress = time.monotonic()
        self._stopping.set()
        if (caller := self._caller) is not None:
            caller.wake()
        self._thread.join(_FINISH_MOST_SECONDS)
        return self.handed_over

    def call(self) -> None:
        """Do nothing: rank 0 calls."""

    def close(self) -> None:
        """Do nothing: it ended in `finish`."""

    def _run(self) -> None:
        try:
            place = self._find_leader()
            if place is None:
                return
            self._connect(*place)
            while self._caller is not None and not self._over and not self._is_late():
                self._step(self._caller)
        except Exception as error:  # noqa: BLE001  # the spool is here, whatever broke
            _LOG.debug("the link to rank 0 has ended: %s", error)
        finally:
            if self._caller is not None:
                self._caller.close()

    def _is_late(self) -> bool:
        return self._stopping.is_set() and time.monotonic() > self._progress + FINISH_SECONDS

    def _find_leader(self) -> tuple[LeaderAddress, Meeting] | None:
        """Return where rank 0 listens; none where its spool is in this folder, or nobody can say."""
        pause, meeting = _POLL_SECONDS, None
        stated = False
        while not self._is_beside_leader() and time.monotonic() < self._began + _ASK_SECONDS:
            stopping = self._stopping.is_set()
            try:
                meeting = meeting or find_meeting(self._group, leads=False, environment=os.environ)
            except LedgerError as error:
                _LOG.warning("no link to rank 0: %s (hint: %s)", error.message, error.hint)
                return None
            waited = time.monotonic() - self._began > _SEE_SECONDS
            if meeting is not None and (stopping or waited or meeting.is_stated):
                stated = True
                if (place := meeting.ask()) is not None:
                    return place, meeting
            if stopping and (not stated or self._is_late()):
                return None
            self._stopping.wait(pause) if not stopping else time.sleep(_POLL_SECONDS / 5)
            pause = min(_LOOK_MOST_SECONDS, pause * 1.2)
        return None

    def _is_beside_leader(self) -> bool:
        state_dir = self._folder.parent.parent
        leads = any(one.rank == 0 for one in group_spools(state_dir, self._group))
        return leads or read_recorded(state_dir, self._group) is not None

    def _connect(self, place: LeaderAddress, meeting: Meeting) -> None:
        from ledger.wire.caller import Caller

        self._caller = Caller(place.address, place.key, meeting.pair)
        self._greet(self._caller)

    def _greet(self, caller: "Caller") -> None:
        caller.send([messages.START, encode(messages.RankStart(start=self._start))])
        self._said = time.monotonic()

    def _step(self, caller: "Caller") -> None:
        """Hear what rank 0 says, and send what is new."""
        told = caller.receive(_POLL_SECONDS)
        while told is not None:
            self._hear(caller, told)
            told = caller.receive(0)
        now = time.monotonic()
        waiting = any(file.sent > file.confirmed for file in self._files.values())
        if (waiting or not self._welcome) and now > max(self._heard, self._said) + _RESEND_SECONDS:
            self._restart(caller)
        if self._welcome and self._stopping.is_set() and not self._ending_said:
            self._ending_said = self._say(caller, [messages.BEAT, messages.ENDING])
        if self._welcome:
            self._send_new(caller)
            if now > self._said + messages.BEAT_SECONDS:
                self._say(caller, [messages.BEAT])
        self._look_whether_done()

    def _restart(self, caller: "Caller") -> None:
        for file in self._files.values():
            file.sent = file.confirmed
        self._greet(caller)

    def _hear(self, caller: "Caller", told: list[bytes]) -> None:
        self._heard = time.monotonic()
        kind, *rest = told
        if kind == messages.WELCOME:
            self._welcome = True
        elif kind == messages.GOT and len(rest) == 2:  # noqa: PLR2004  # file, offset
            with suppress(ValueError):
                self._confirm(*(messages.load_number(one) for one in rest))
        elif kind == messages.CALL:
            self._say(caller, [messages.BEAT])
        elif kind == messages.UNKNOWN:
            self._restart(caller)
        elif kind == messages.SHARED:
            self._over = True
        elif kind == messages.RECORDED and len(rest) == 1:
            self._over = True
            with suppress(msgspec.DecodeError, OSError):
                note = msgspec.json.decode(rest[0], type=RecordedJob)
                note_recorded(self._folder.parent.parent, self._group, note)

    def _confirm(self, number: int, offset: int) -> None:
        file = next((file for place, file in enumerate(self._files.values()) if place == number), None)
        if file is None or offset > file.size:
            return
        if offset > file.confirmed:
            self._progress = self._heard
        if offset < file.sent and offset == file.confirmed:  # a part was lost on the way
            file.sent = offset
        file.confirmed = max(file.confirmed, offset)
        file.sent = max(file.sent, file.confirmed)

    def _send_new(self, caller: "Caller") -> None:
        """Send what was written since: of its own file last, so that the end of the run comes last."""
        if not self._machine_sent and (seen := read_machine(self._folder)) is not None:
            self._machine_sent = self._say(caller, [messages.HARDWARE, encode(messages.RankMachine(hardware=seen))])
        for path in [self._folder / EVENTS, *event_files(self._folder)]:
            if path not in self._files and len(self._files) < messages.FILES:
                self._files[path] = _File(path)
        for number, file in reversed(list(enumerate(self._files.values()))):
            while file.sent - file.confirmed < messages.WINDOW_BYTES and (data := file.read()):
                told = [messages.EVENTS, *map(messages.written_number, (number, file.sent)), data]
                if not self._say(caller, told):
                    return
                file.sent += len(data)

    def _say(self, caller: "Caller", told: list[bytes]) -> bool:
        if not caller.send(told):
            return False
        self._said = time.monotonic()
        return True

    def _look_whether_done(self) -> None:
        if self._stopping.is_set() and self._welcome and self._files:
            self.handed_over = self._over = all(file.confirmed >= file.size for file in self._files.values())
