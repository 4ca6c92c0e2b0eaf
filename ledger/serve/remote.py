"""The samples of a data server, as a source like any other; several addresses are one server that does not die."""

import itertools
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from ledger.data.sources.source import BrokenSample
from ledger.errors import LedgerError
from ledger.serve import messages
from ledger.serve.addresses import Keys, is_own_host
from ledger.serve.messages import BatchReply, Hello, Message, Ping, Pong, Properties, Refused, Values, Want, Welcome
from ledger.serve.ring import ClientRing
from ledger.wire.caller import Caller

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ledger.data.sources.source import Arrays

_POLL_SECONDS = 0.25
_SILENT_SECONDS = 2.0
"""How long a server may say nothing while something is asked of it; then another address is tried."""
_FIRST_SECONDS = 15.0
"""How long a server may take to answer the first time: it may be starting, or the address may be wrong."""
PATIENCE_SECONDS = 60.0
"""How long all addresses may be silent before a training ends."""


class BatchQuestion:
    """A question to a data server that was asked and not answered yet.

    Args:
        source: who asked it.
        number: its number.
    """

    def __init__(self, source: "RemoteSource", number: int) -> None:
        self._source, self._number = source, number
        self.cached = False
        """Whether the server had decoded the batch before, once it has answered."""

    def __call__(self) -> "Arrays":
        """Wait for the answer, and return it.

        Raises:
            LedgerError: no server answers any more, or one cannot read the samples.
        """
        arrays, self.cached = self._source.answer(self._number)
        return arrays

    def cancel(self) -> None:
        """Do not wait for it."""
        self._source.abandon(self._number)


class RemoteSource:
    """The samples of a data server.

    Args:
        addresses: where it, or several of one dataset, are; they are tried in order.
        columns: arrays that are wanted; all by default.
        keys: keys, where the connection is encrypted.
        patience_seconds: how long all addresses may be silent.
        shares_memory: take batches through memory that both sides map, where the server is on the same host.

    Raises:
        LedgerError: no server answers, or it refuses the client.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        *,
        columns: Sequence[str] = (),
        keys: Keys | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
        shares_memory: bool = True,
    ) -> None:
        own = [is_own_host(address) for address in addresses]  # raises for each that is no address
        self._local = any(own)
        self._addresses, self._columns, self._keys = list(addresses), list(columns), keys
        self._patience, self._may_share = patience_seconds, shares_memory
        self._pid = os.getpid()
        self._turn = itertools.cycle(range(len(self._addresses)))
        self._lock = threading.RLock()
        self._caller: Caller | None = None
        self._ring: ClientRing | None = None
        self._ids = itertools.count(1)
        self._waiting: dict[int, Message] = {}
        self._abandoned: set[int] = set()
        self._answers: dict[int, tuple[Message, list[memoryview], ClientRing | None]] = {}
        self._heard = self._spoke = 0.0
        self._greeted = 0.0
        self._greeting = self._closed = False
        self.reconnects = -1
        """How often the connection was made again."""
        self.verified = False
        """Whether the server knows that its content is that of the version."""
        self.welcome: Welcome
        """What the server serves."""
        self._connect(time.monotonic() + min(_FIRST_SECONDS, patience_seconds))
        self.kind = self.welcome.kind

    @property
    def shares_memory(self) -> bool:
        """Whether batches come through memory that both sides map."""
        return self._ring is not None

    def __len__(self) -> int:
        return self.welcome.samples

    def read(self, rows: "NDArray[Any]") -> "Arrays":
        """Return the samples at some rows.

        Raises:
            LedgerError: no server answers any more, or one cannot read them.
        """
        return self.begin(rows)()

    def begin(self, rows: "NDArray[Any]") -> "BatchQuestion":
        """Ask for the samples at some rows, and return the question: several may be asked at once.

        Raises:
            LedgerError: no server answers any more.
        """
        self._after_fork()
        with self._lock:
            asked = next(self._ids)
            want = self._waiting[asked] = self._with_slot(Want(id=asked, rows=rows.tolist()))
            self._say(want)
        return BatchQuestion(self, asked)

    def values(self, name: str) -> Sequence[str | None] | None:
        """Return a property of each sample; none where the samples have no such property.

        Raises:
            LedgerError: no server answers, or it cannot read it.
        """
        with self._lock:
            asked = next(self._ids)
            question = self._waiting[asked] = Properties(id=asked, name=name)
            self._say(question)
        answer, *_ = self._await(asked)
        return answer.values if isinstance(answer, Values) else None

    def close(self) -> None:
        """Close the connection; a thread that waits for an answer is told so."""
        self._closed = True
        with self._lock:
            if self._caller is not None and os.getpid() == self._pid:  # a forked process has only a copy of it
                self._caller.close()
            self._caller = None

    def __del__(self) -> None:
        with suppress(Exception):  # half made, or the interpreter is shutting down
            self.close()

    def __reduce__(self) -> "tuple[Callable[..., RemoteSource], tuple[object, ...]]":
        """Connect anew in another process."""
        return _connected, (self._addresses, self._columns, self._keys, self._patience, self._may_share)

    def abandon(self, asked: int) -> None:
        """Let go of a question whose answer nobody wants any more."""
        with self._lock:
            if asked in self._answers:
                answer, _, ring = self._answers.pop(asked)
                if isinstance(answer, BatchReply) and answer.slot >= 0 and ring is not None:
                    ring.release(answer.slot)
            elif asked in self._waiting:
                self._abandoned.add(asked)

    def answer(self, asked: int) -> "tuple[Arrays, bool]":
        """Return the samples that a question asked for, and whether the server had decoded them before.

        Raises:
            LedgerError: no server answers any more, or one cannot read them.
        """
        answer, frames, ring = self._await(asked)
        if not isinstance(answer, BatchReply):
            raise LedgerError("a data server answered another question than the one asked")
        messages.check_forms(answer.arrays)
        self.verified = self.verified or answer.verified
        if answer.slot >= 0 and ring is not None:
            return ring.arrays(answer.slot, answer.arrays), answer.cached
        if len(frames) != len(answer.arrays):
            raise LedgerError("a data server sent another number of arrays than it said")
        arrays = {}
        for form, frame in zip(answer.arrays, frames, strict=True):
            array = messages.array_of(form, frame)
            arrays[form.name] = array if array.flags.writeable else array.copy()  # trainings write to their batches
        return arrays, answer.cached

    def _await(self, asked: int) -> "tuple[Message, list[memoryview], ClientRing | None]":
        """Return the answer to a question, asking again, and elsewhere, as long as nobody answers."""
        with self._lock:
            began = time.monotonic()  # training may have said nothing for long, which is no silence of the server
            deadline = again_at = began + self._patience
            while asked not in self._answers:
                self._check_open()
                if self._hear():
                    deadline = time.monotonic() + self._patience
                now = time.monotonic()
                if now - max(self._heard, began) > _SILENT_SECONDS or now > again_at:
                    # Again on a new connection: late answers to this one must not count.
                    again_at = now + self._patience
                    self._connect(deadline)
                elif now - self._spoke > _POLL_SECONDS:
                    self._say(Ping())
            answer, frames, ring = self._answers.pop(asked)
        if isinstance(answer, Refused):
            if answer.row is not None:
                raise BrokenSample(answer.row, answer.message, hint=answer.hint)
            raise LedgerError(f"the data server refuses: {answer.message}", hint=answer.hint)
        return answer, frames, ring

    def _check_open(self) -> None:
        if self._closed:
            raise LedgerError("the connection to the data server was closed")

    def _hear(self) -> bool:
        """Take the next message; return whether there was one."""
        if self._caller is None:
            return False
        try:
            told = self._caller.receive_views(_POLL_SECONDS)
        except OSError:
            return False
        if not told:
            return False
        message = self._decoded(told[0])
        self._heard = time.monotonic()
        match message:
            case Pong(known=False) if not self._greeting or self._heard - self._greeted > _SILENT_SECONDS:
                self._greet()  # again, where the server that was greeted died before it answered
            case Welcome():
                self._welcomed(message)
            case BatchReply() | Values() | Refused() if message.id in self._waiting:
                self._answered(message.id or 0, message, told[1:])
            case Refused(id=None):
                raise LedgerError(f"the data server refuses: {message.message}", hint=message.hint)
        return True

    def _answered(self, asked: int, answer: BatchReply | Values | Refused, frames: list[memoryview]) -> None:
        """Take an answer; one in the memory of an earlier connection is none, since the question was asked again."""
        question = self._waiting[asked]
        if isinstance(question, Want) and isinstance(answer, BatchReply) and answer.slot >= 0:
            if self._ring is None or (answer.slot, answer.ring) != (question.slot, self._ring.token):
                return
        elif isinstance(question, Want) and question.slot >= 0 and self._ring is not None:
            self._ring.release(question.slot)
        del self._waiting[asked]
        self._answers[asked] = (answer, frames, self._ring)
        if asked in self._abandoned:
            self._abandoned.remove(asked)
            self.abandon(asked)

    def _with_slot(self, want: Want) -> Want:
        """Return a question with a free slot of the present ring, where there is one."""
        slot = self._ring.take() if self._ring is not None else -1
        ring = self._ring.token if self._ring is not None and slot >= 0 else ""
        return msgspec.structs.replace(want, slot=slot, ring=ring)

    def _decoded(self, header: memoryview) -> Message:
        try:
            message: Message = messages.decode_server(header)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise LedgerError(
                "a data server sent a message that is none", hint="install the same version of git-ledger on both sides"
            ) from None
        return message

    def _connect(self, deadline: float) -> None:
        """Connect to the next address that answers.

        Raises:
            LedgerError: none does until the deadline, or one refuses.
        """
        while True:
            if time.monotonic() > deadline:
                raise LedgerError(
                    f"no data server answers: `{', '.join(self._addresses)}`", hint="ledger serve NAME@VERSION --path …"
                )
            address = self._addresses[next(self._turn)]
            if self._caller is not None:
                self._caller.close()
            try:
                keys = self._keys
                self._caller = Caller(
                    address,
                    keys.server if keys else None,
                    keys.own if keys else None,
                    message_bytes=messages.MESSAGE_BYTES,
                )
            except OSError as error:
                raise LedgerError(f"no data server can be reached there: `{address}` ({error})") from None
            self._greet()
            until = min(deadline, time.monotonic() + _SILENT_SECONDS)
            while time.monotonic() < until:
                self._check_open()
                self._hear()
                if not self._greeting:
                    return

    def _greet(self) -> None:
        local = self._may_share and self._local
        self._greeting, self._greeted = True, time.monotonic()
        self._say(Hello(protocol=messages.PROTOCOL, columns=self._columns, shares_memory=local))

    def _welcomed(self, welcome: Welcome) -> None:
        """Take a server as the one to ask, and ask it again what nobody has answered."""
        known: Welcome = getattr(self, "welcome", welcome)
        if _identity(known) != _identity(welcome):
            raise LedgerError(
                f"the data server serves other data than before: `{welcome.label}`",
                hint="serve the same version with the same transform",
            )
        self.welcome, self._greeting = welcome, False
        self.reconnects += 1
        self._ring = None
        if welcome.ring is not None:
            try:
                self._ring = ClientRing(welcome.ring)
            except OSError:
                self._ring = None  # another container, or another user: batches come as frames
        for asked in self._abandoned:
            del self._waiting[asked]
        self._abandoned.clear()
        for asked, question in list(self._waiting.items()):
            if isinstance(question, Want):
                question = self._waiting[asked] = self._with_slot(question)  # noqa: PLW2901  # a slot of the new ring
            self._say(question)

    def _say(self, message: Message) -> None:
        if self._caller is not None:
            self._spoke = time.monotonic()
            self._caller.send([messages.encode(message)])

    def _after_fork(self) -> None:
        """Make a connection of our own in a forked process: sockets of ZeroMQ do not survive a fork."""
        if os.getpid() != self._pid:
            self._pid = os.getpid()
            self._lock = threading.RLock()  # a thread that only the parent has may hold the other one
            self._caller, self._ring, self._waiting, self._answers, self._abandoned = None, None, {}, {}, set()
            with self._lock:
                self._connect(time.monotonic() + self._patience)


def _identity(welcome: Welcome) -> tuple[str, str | None, int]:
    """Return what must be the same on every server of one training."""
    return welcome.dataset_hash, welcome.code, welcome.samples


def _connected(
    addresses: Sequence[str],
    columns: Sequence[str],
    keys: Keys | None,
    patience_seconds: float,
    shares_memory: bool,  # noqa: FBT001  # as `__reduce__` returns it
) -> RemoteSource:
    return RemoteSource(
        addresses, columns=columns, keys=keys, patience_seconds=patience_seconds, shares_memory=shares_memory
    )
