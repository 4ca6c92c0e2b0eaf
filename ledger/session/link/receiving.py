"""Rank 0's end of the link: a thread that opens a port when a rank asks, and writes what it hears into spools."""

import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ledger.errors import LedgerError
from ledger.model.document import encode
from ledger.session.link import messages
from ledger.session.link.meeting import Meeting, find_meeting
from ledger.session.link.received import ReceivedSpool, load_rank_start, spool_is_here
from ledger.session.spool.events import Start
from ledger.session.spool.job import group_spools, read_recorded

if TYPE_CHECKING:
    from ledger.wire.listener import Heard, Listener

_LOG = logging.getLogger("ledger")

_LOOK_SECONDS = 1.0
_LOOK_MOST_SECONDS = 10.0
"""Time between two questions whether a rank asks for the link: at first, and in a long training."""
_POLL_SECONDS = 0.25
_CALL_SECONDS = 1.5
"""How long ranks have at the end to say that they live: one that is silent for longer counts as gone."""
_MEET_SECONDS = 5.0
"""How long the end of rank 0 waits for ranks that have not begun to speak, or send their rest."""
_LINGER_SECONDS = 0.5


class Receiving:
    """The link of rank 0, in a thread of its own; nothing here raises into training, and nobody waits for it.

    Args:
        state_dir: folder of rank 0's state.
        start: start of its spool.
    """

    def __init__(self, state_dir: Path, start: Start) -> None:
        self._state_dir, self._start = state_dir, start
        self._group = start.rank.group if start.rank and start.rank.group else ""
        self._processes = start.rank.processes or 0 if start.rank else 0
        self._pid = os.getpid()
        self._stopping, self._calling = threading.Event(), threading.Event()
        self._all_here = threading.Event()
        self._called_at: float | None = None
        self._spools: dict[str, ReceivedSpool] = {}
        self._peers: dict[bytes, ReceivedSpool] = {}
        self._shared: set[int] = set()
        self._thread = threading.Thread(target=self._run, name="ledger-link", daemon=True)
        self._thread.start()

    def call(self) -> None:
        """Ask the ranks who lives, and wait for those that have not begun to speak, or have ended and send the rest."""
        if os.getpid() != self._pid or not self._thread.is_alive():
            return
        self._calling.set()
        self._all_here.wait(_MEET_SECONDS)

    def finish(self) -> bool:
        """Return that nothing was handed to another rank."""
        return False

    def close(self) -> None:
        """Tell the ranks that the training is recorded, where it is, and close."""
        if os.getpid() != self._pid:
            return
        self._stopping.set()
        self._calling.set()
        self._thread.join(_LINGER_SECONDS * 4)

    def _run(self) -> None:
        listener: Listener | None = None
        try:
            meeting = self._await_asking()
            if meeting is None:
                return
            listener = self._open(meeting)
            while listener is not None and not self._stopping.is_set():
                heard = listener.receive(_POLL_SECONDS)
                if heard is not None:
                    self._answer(listener, heard)
                self._look_after(listener, meeting)
        except Exception as error:  # noqa: BLE001  # ranks keep their own spools, whatever broke here
            _LOG.warning("the link to the ranks of other hosts has ended: %s", error)
        finally:
            self._all_here.set()
            self._leave(listener)

    def _await_asking(self) -> Meeting | None:
        """Return how ranks meet once one of them asks; none where the run ends before."""
        pause, meeting = _LOOK_SECONDS, None
        while True:
            at_end = self._calling.is_set()
            try:
                meeting = meeting or find_meeting(self._group, leads=True, environment=os.environ)
                if meeting is not None and meeting.is_asked():
                    return meeting
            except LedgerError as error:
                _LOG.warning("no link to the ranks of other hosts: %s (hint: %s)", error.message, error.hint)
                return None
            if at_end or self._stopping.is_set():
                return None
            self._calling.wait(pause)
            pause = min(_LOOK_MOST_SECONDS, pause * 1.2)

    def _open(self, meeting: Meeting) -> "Listener | None":
        """Return the open port, told to the ranks; tries again while another run of this process has it."""
        try:
            from ledger.wire.listener import Listener
        except ImportError as error:
            _LOG.warning("no link to the ranks of other hosts: %s", error)
            return None
        said = False
        while not self._stopping.is_set():
            why: OSError | None = None
            for address in meeting.addresses():
                try:
                    listener = Listener(address, meeting.pair, meeting.knows)
                except OSError as error:
                    why = why or error
                    continue
                meeting.offer(listener.address)
                return listener
            if not said:
                _LOG.warning("the link to the ranks of other hosts waits for its port: %s", why)
                said = True
            self._stopping.wait(_LOOK_SECONDS)
        return None

    def _answer(self, listener: "Listener", heard: "Heard") -> None:
        """Answer one message; one that makes no sense is left alone, and so is a disk that is full."""
        kind, *told = heard.frames or [b""]
        spool = self._peers.get(heard.address)
        try:
            if kind == messages.START and len(told) == 1:
                spool = self._welcome(listener, heard.address, told[0])
            elif spool is None:
                listener.send(heard.address, [messages.UNKNOWN])
            elif kind == messages.EVENTS and len(told) == 3:  # noqa: PLR2004  # file, offset, data
                number, offset = (messages.load_number(one) for one in told[:2])
                here = spool.take(number, offset, told[2])
                listener.send(heard.address, [messages.GOT, told[0], messages.written_number(here)])
            elif kind == messages.HARDWARE and len(told) == 1:
                spool.write_machine(msgspec.json.decode(told[0], type=messages.RankMachine))
            elif kind == messages.BEAT and told == [messages.ENDING]:
                spool.ending = True
        except (ValueError, msgspec.DecodeError):
            return
        except OSError as error:
            _LOG.debug("not written: %s", error)
            return
        if spool is not None:
            spool.hear(time.monotonic())

    def _welcome(self, listener: "Listener", address: bytes, data: bytes) -> ReceivedSpool | None:
        start = load_rank_start(data, self._start)
        spool = self._spools.get(start.id)
        if spool is None:
            if spool_is_here(self._state_dir, start):
                self._shared.add(start.rank.rank if start.rank else 0)
                listener.send(address, [messages.SHARED])
                return None
            if len(self._spools) >= self._processes:
                return None
            spool = self._spools[start.id] = ReceivedSpool(self._state_dir, start)
        elif not spool.is_of(start):
            return None
        self._peers = {known: one for known, one in self._peers.items() if one is not spool} | {address: spool}
        listener.send(address, [messages.WELCOME])
        return spool

    def _look_after(self, listener: "Listener", meeting: Meeting) -> None:
        """Count ranks that are silent as gone; at the end, ask those that are left."""
        now = time.monotonic()
        if self._calling.is_set() and self._called_at is None:
            self._called_at = now
            for address in self._peers:
                listener.send(address, [messages.CALL])
        called = self._called_at
        for spool in self._spools.values():
            missed = called is not None and spool.heard < called <= now - _CALL_SECONDS
            if missed or spool.heard < now - messages.SILENT_SECONDS:
                spool.let_go()
        if called is None:
            return
        answered = all(one.ended or not one.alive or one.heard >= called for one in self._spools.values())
        if answered and self._are_all_here(meeting):
            self._all_here.set()

    def _are_all_here(self, meeting: Meeting) -> bool:
        """Return whether every rank that is to use the link does, and none is about to send its end."""
        if any(spool.ending and not spool.ended for spool in self._spools.values()):
            return False
        here = {one.rank for one in group_spools(self._state_dir, self._group) if one.rank > 0}
        if meeting.is_stated:
            return len(here | self._shared) >= (self._processes - 1)
        return len(self._spools) + len(self._shared) >= meeting.asked

    def _leave(self, listener: "Listener | None") -> None:
        try:
            if listener is not None:
                note = read_recorded(self._state_dir, self._group)
                if note is not None and note.run == self._start.id:
                    for address in self._peers:
                        listener.send(address, [messages.RECORDED, encode(note)])
                listener.close(_LINGER_SECONDS)
        except Exception as error:  # noqa: BLE001  # as above
            _LOG.debug("the link did not close: %s", error)
        for spool in self._spools.values():
            spool.close()
