"""The data server: it reads, decodes and transforms samples once, and hands them to every training that asks.

It holds no order: a client asks for rows, and the same rows are the same batch whoever asks, so that several servers
serve one plan without knowing of each other, and one that was started again goes on at once.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from ledger.data.sources.columns import ColumnSource
from ledger.data.sources.source import BrokenSample, Reader, SampleSource
from ledger.errors import LedgerError
from ledger.serve import messages
from ledger.serve.decoded_batches import DecodedBatches, size_of
from ledger.serve.messages import BatchReply, Hello, Message, Ping, Pong, Properties, Refused, Status, StatusReply
from ledger.serve.ring import MOST_BYTES, ServerRing
from ledger.serve.version_check import VersionCheck
from ledger.wire.listener import Heard, Listener

if TYPE_CHECKING:
    from ledger.data.sources.source import Arrays

_LOG = logging.getLogger("ledger")
_POLL_SECONDS = 0.5
_SILENT_SECONDS = 60.0
"""How long a client may say nothing before it counts as gone."""
_PROBE_SECONDS = 2.0
"""How often clients are looked for that are gone, where there is no room for another one."""
_MOST_ASKED = 64
"""Most questions of a client at once; a client of ours asks 16."""
_TELLING_SECONDS = 3.0
"""How long a server whose data turned out to be others still says so to its clients."""
_SLOTS = 16
"""Slots of a ring: batches that wait in a client, and those that its training holds."""
_LEAST_SLOT = 1 << 20
_COMPLAINTS_SECONDS = 60.0
"""At most one line about bad messages is logged in this time."""
_NO_MESSAGE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding a frame raises that holds no message."""
CLIENTS = 64
"""Most clients at once by default."""
CACHE_BYTES = 1 << 30
"""Memory for decoded batches by default."""


class ServedData(NamedTuple):
    """What a server serves."""

    source: SampleSource
    label: str
    """Name of the dataset version, or path."""
    check: VersionCheck
    decoder: Reader
    code: str | None = None
    """Hash of the code of the transform."""


class _Client:
    """One connection that said hello."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = frozenset(columns)
        self.seen = time.monotonic()
        self.ring: ServerRing | None = None
        self.room = threading.BoundedSemaphore(_MOST_ASKED)
        """Room for questions that are not answered yet."""

    def close(self) -> None:
        if self.ring is not None:
            self.ring.close()
            self.ring = None


class DataServer:
    """One served dataset at some addresses.

    Args:
        served: what is served.
        listeners: where.
        workers: threads that read and decode.
        cache_bytes: memory for decoded batches.
        clients: most clients at once.
    """

    def __init__(
        self,
        served: ServedData,
        listeners: Sequence[Listener],
        *,
        workers: int = 2,
        cache_bytes: int = CACHE_BYTES,
        clients: int = CLIENTS,
    ) -> None:
        self._served, self._listeners = served, listeners
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="ledger-serve")
        self._clients: dict[tuple[int, bytes], _Client] = {}
        self._sample: dict[str, int] = {}
        """Bytes of each array of a sample; empty where the first sample cannot be read."""
        self._most_clients = clients
        self._cache = DecodedBatches(cache_bytes if self._decodes else 0)
        self._began = time.monotonic()
        self._complained = self._probed = 0.0
        self._stopping = threading.Event()
        self._asked_to_stop: SimpleQueue[None] = SimpleQueue()
        self._counting = threading.Lock()
        self.batches = self.bytes = 0

    @property
    def _decodes(self) -> bool:
        """Whether making a batch costs more than reading it again."""
        return self._served.code is not None or self._served.source.kind not in {"arrays", "table", "memory"}

    def run(self) -> None:
        """Serve until `stop`; raises when the content turns out not to be that of the version.

        Raises:
            LedgerError: it is not.
        """
        self._sample = self._measured()
        threads = [
            threading.Thread(target=self._listen, args=(number, listener), name=f"ledger-serve-{number}")
            for number, listener in enumerate(self._listeners)
        ]
        for thread in threads:
            thread.start()
        try:
            while not self._stopped(_POLL_SECONDS):
                self._served.check.check()
        except LedgerError:
            self._stopped(_TELLING_SECONDS)
            raise
        finally:
            self._stopping.set()
            for listener in self._listeners:
                listener.wake()
            for thread in threads:
                thread.join()
            self._pool.shutdown(cancel_futures=True)
            for client in self._clients.values():
                client.close()
            self._served.decoder.close()
            self._served.source.close()

    def stop(self) -> None:
        """End `run`; may be called from a signal's handler, which may hold no lock: `run` waits with one."""
        self._asked_to_stop.put(None)

    def _stopped(self, seconds: float) -> bool:
        """Wait, and return whether somebody asked to stop."""
        try:
            self._asked_to_stop.get(timeout=seconds)
        except Empty:
            return False
        return True

    def _listen(self, number: int, listener: Listener) -> None:
        answers: deque[tuple[bytes, list[bytes | memoryview]]] = deque()
        while not self._stopping.is_set():
            try:
                heard = listener.receive(_POLL_SECONDS)
                while answers:
                    address, frames = answers.popleft()
                    if not listener.send(address, frames):
                        self._forget((number, address))
                if heard is not None:
                    self._hear(number, listener, heard, answers)
            except OSError as error:
                _LOG.warning("the data server lost a socket: %s", error)
                break
            except Exception:  # noqa: BLE001  # one message must not end the service of all
                _LOG.exception("the data server could not answer a message")
            self._forget_silent(number)
        listener.close(1.0)

    def _hear(
        self, number: int, listener: Listener, heard: Heard, answers: "deque[tuple[bytes, list[bytes | memoryview]]]"
    ) -> None:
        key = (number, heard.address)

        def answer(message: Message, frames: Sequence[memoryview] = ()) -> None:
            answers.append((heard.address, [messages.encode(message), *frames]))
            listener.wake()

        try:
            if len(heard.frames) != 1 or len(heard.frames[0]) > messages.HEADER_BYTES:
                raise msgspec.ValidationError("a message is one frame of bounded size")
            asked = messages.decode_client(heard.frames[0])
        except _NO_MESSAGE as error:
            self._misunderstood(heard.frames, str(error), answer)
            return
        if isinstance(asked, Status):
            answer(self.status())
        elif isinstance(asked, Hello) and len(heard.frames[0]) > messages.GREETING_BYTES:
            answer(Refused(message=f"the names of the columns are longer than {messages.GREETING_BYTES} bytes"))
        elif isinstance(asked, Hello):
            if len(self._clients) >= self._most_clients:
                self._forget_gone(number, listener)
            answer(self._welcome(key, asked))
        elif (client := self._clients.get(key)) is None:
            answer(Pong(known=False))
        else:
            client.seen = time.monotonic()
            self._question(client, asked, answer)

    def _question(self, client: _Client, asked: Ping | Properties | messages.Want, answer: Callable[..., None]) -> None:
        if isinstance(asked, Ping):
            answer(Pong(known=True))
        elif isinstance(asked, messages.Want) and (refusal := self._refusal(asked)) is not None:
            answer(refusal)
        elif not client.room.acquire(blocking=False):
            answer(Refused(id=asked.id, message=f"{_MOST_ASKED} questions at once are the most"))
        else:
            self._pool.submit(self._answer_in_turn, client, asked, answer)

    def status(self) -> StatusReply:
        """Return what the server does."""
        served = self._served
        return StatusReply(
            label=served.label,
            dataset_hash=served.check.expected,
            samples=len(served.source),
            verified=served.check.done,
            clients=len(self._clients),
            batches=self.batches,
            decoded=self._cache.decoded,
            bytes=self.bytes,
            seconds=round(time.monotonic() - self._began, 1),
        )

    def _welcome(self, key: tuple[int, bytes], hello: Hello) -> Message:
        if hello.protocol != messages.PROTOCOL:
            return _other_protocol(hello.protocol)
        if key not in self._clients and len(self._clients) >= self._most_clients:
            return Refused(message=f"this server has {self._most_clients} clients already", hint="start another one")
        self._forget(key)
        client = self._clients[key] = _Client(hello.columns)
        served = self._served
        if hello.shares_memory:
            client.ring = self._ring(client)
        return messages.Welcome(
            protocol=messages.PROTOCOL,
            dataset_hash=served.check.expected,
            label=served.label,
            samples=len(served.source),
            kind=served.source.kind,
            verified=served.check.done,
            code=served.code,
            ring=client.ring.facts if client.ring is not None else None,
        )

    def _ring(self, client: _Client) -> ServerRing | None:
        """Return memory for the batches of a client; none where it is not to be had, so that it gets frames."""
        if not self._sample or client.columns - self._sample.keys():
            return None
        sizes = [size for name, size in self._sample.items() if not client.columns or name in client.columns]
        slot = max(_LEAST_SLOT, 1 << (sum(size + 64 for size in sizes) * 512 - 1).bit_length())
        while slot > _LEAST_SLOT and slot * _SLOTS > MOST_BYTES // 2:
            slot //= 2
        with suppress(Exception):  # no memory, or a system without such files
            return ServerRing(_SLOTS, slot)
        return None

    def _measured(self) -> dict[str, int]:
        """Return the bytes of each array of a sample.

        Once, and before anybody is heard: the first call of a transform may take seconds, in which no sign of life is
        answered.
        """
        with suppress(Exception, SystemExit):  # foreign code; whoever asks for the sample is told
            return {name: array.nbytes for name, array in self._served.decoder.read(np.zeros(1, np.int64)).items()}
        return {}

    def _refusal(self, want: messages.Want) -> Refused | None:
        """Return why a question has no answer; none where it may have one."""
        samples = len(self._served.source)
        rows = want.rows
        if not rows or len(rows) > messages.ROWS or min(rows) < 0 or max(rows) >= samples:
            return Refused(id=want.id, message=f"rows are numbers from 0 to {samples - 1}, {messages.ROWS} at most")
        try:
            self._served.check.check()
        except LedgerError as error:
            return Refused(id=want.id, message=error.message, hint=error.hint)
        return None

    def _answer_in_turn(self, client: _Client, asked: Properties | messages.Want, answer: Callable[..., None]) -> None:
        """Answer whatever happens: a client that hears nothing waits for ever, since the server lives."""
        try:
            if isinstance(asked, Properties):
                self._answer_properties(asked, answer)
            else:
                self._answer_want(client, asked, answer)
        except LedgerError as error:
            row = error.row if isinstance(error, BrokenSample) else None
            answer(Refused(id=asked.id, message=error.message, hint=error.hint, row=row))
        except BaseException as error:  # noqa: BLE001  # foreign code may raise anything, and even exit
            answer(Refused(id=asked.id, message=f"{type(error).__name__}: {str(error)[:200]}"))
        finally:
            client.room.release()

    def _answer_want(self, client: _Client, want: messages.Want, answer: Callable[..., None]) -> None:
        rows = np.array(want.rows, dtype=np.int64)
        if (placed := self._placed(client, want, rows)) is not None:
            answer(placed)
            return
        arrays, cached = self._cache.get(
            (client.columns, rows.tobytes()), lambda: self._served.decoder.read(rows, client.columns)
        )
        ring = client.ring
        forms = ring.write(want.slot, arrays) if ring is not None and ring.facts.token == want.ring else None
        if forms is None:
            _check_size(arrays)
        self._count(arrays)
        if forms is not None:
            done = self._served.check.done
            answer(BatchReply(id=want.id, arrays=forms, slot=want.slot, ring=want.ring, cached=cached, verified=done))
            return
        plain = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        forms = [
            messages.ArrayForm(name=name, dtype=array.dtype.str, shape=list(array.shape))
            for name, array in plain.items()
        ]
        frames = [array.reshape(-1).view(np.uint8).data for array in plain.values()]
        answer(BatchReply(id=want.id, arrays=forms, cached=cached, verified=self._served.check.done), frames)

    def _placed(self, client: _Client, want: messages.Want, rows: "np.ndarray[Any, Any]") -> BatchReply | None:
        """Read rows of arrays right into the memory of a client; none where they take another way."""
        source, ring = self._served.source, client.ring
        if not isinstance(source, ColumnSource) or self._decodes or ring is None or ring.facts.token != want.ring:
            return None
        forms = source.forms()
        if client.columns - forms.keys():
            return None
        shapes = {
            name: (dtype, (len(rows), *shape))
            for name, (dtype, shape) in forms.items()
            if not client.columns or name in client.columns
        }
        with ring.opened(want.slot, shapes) as slot:
            if slot is None:
                return None
            source.read(rows, slot.arrays)
            self._count(slot.arrays)
            done = self._served.check.done
            return BatchReply(id=want.id, arrays=slot.forms, slot=want.slot, ring=want.ring, verified=done)

    def _count(self, arrays: "Arrays") -> None:
        with self._counting:
            self.batches += 1
            self.bytes += size_of(arrays)

    def _answer_properties(self, asked: Properties, answer: Callable[..., None]) -> None:
        values = self._served.source.values(asked.name)
        answer(messages.Values(id=asked.id, values=None if values is None else list(values)))

    def _forget_silent(self, number: int) -> None:
        now = time.monotonic()
        gone = [
            key for key, one in list(self._clients.items()) if key[0] == number and now - one.seen > _SILENT_SECONDS
        ]
        for key in gone:
            self._forget(key)

    def _forget_gone(self, number: int, listener: Listener) -> None:
        """Forget clients that were killed; a sign of life, by which they are found, harms none that lives."""
        now = time.monotonic()
        if now - self._probed < _PROBE_SECONDS:  # each waits in a client that reads none, and its queue is bounded
            return
        self._probed = now
        for key in [key for key in list(self._clients) if key[0] == number]:
            if not listener.send(key[1], [messages.encode(Pong(known=True))]):
                self._forget(key)

    def _forget(self, key: tuple[int, bytes]) -> None:
        if (client := self._clients.pop(key, None)) is not None:
            client.close()

    def _misunderstood(self, frames: Sequence[bytes], why: str, answer: Callable[..., None]) -> None:
        """Refuse a client of another protocol, whose `hello` may have other fields, and complain of all else."""
        with suppress(*_NO_MESSAGE):
            if len(frames) == 1 and len(frames[0]) <= messages.GREETING_BYTES:
                protocol = messages.decode_greeting(frames[0]).protocol
                if protocol != messages.PROTOCOL:
                    answer(_other_protocol(protocol))
                    return
        self._complain(why)

    def _complain(self, why: str) -> None:
        now = time.monotonic()
        if now - self._complained > _COMPLAINTS_SECONDS or not self._complained:
            self._complained = now
            _LOG.warning("the data server got a message that is none: %s", why[:200])


def _check_size(arrays: "Arrays") -> None:
    """Refuse what no client takes: it would close the connection, come back, and ask again, for ever.

    Raises:
        LedgerError: a batch is too large for a message.
    """
    if (size := size_of(arrays)) > messages.MESSAGE_BYTES:
        raise LedgerError(
            f"a batch is larger than {messages.MESSAGE_BYTES} bytes: `{size}`", hint="a smaller batch_size"
        )


def _other_protocol(protocol: int) -> Refused:
    return Refused(
        message=f"this server speaks protocol {messages.PROTOCOL}, and the client {protocol}",
        hint="install the same version of git-ledger on both sides",
    )
