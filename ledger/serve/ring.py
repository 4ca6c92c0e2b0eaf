"""Memory that a server and one client on its host both map, in slots: a batch is written once, where it is used.

It is a `memfd`: it has no name, so that nothing stays behind however either side ends, and it does not shrink, so that
reading it raises no SIGBUS. Source: memfd_create(2), fcntl(2) on seals.
"""

import fcntl
import math
import mmap
import os
import secrets
import threading
import weakref
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ledger.serve.messages import ArrayForm, Ring, array_of, size_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEAD = 4096
"""Bytes before the first slot: they hold the token."""
_ALIGNED = 64
"""Arrays begin at multiples of it: a cache line."""
MOST_BYTES = 1 << 32
"""Largest ring."""


class Slot(NamedTuple):
    """A slot that is being written."""

    forms: list[ArrayForm]
    """Where its arrays are."""
    arrays: "dict[str, NDArray[Any]]"
    """The arrays, which lie in the shared memory."""


class ServerRing:
    """The server's side of a ring.

    Args:
        slots: number of slots.
        slot_bytes: size of each.

    Raises:
        OSError: there is no memory, or the system has no such files.
    """

    def __init__(self, slots: int, slot_bytes: int) -> None:
        token = secrets.token_hex(16)
        size = _HEAD + slots * slot_bytes
        self._file = os.memfd_create("ledger-batches", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(self._file, size)
            fcntl.fcntl(self._file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
            self._memory = mmap.mmap(self._file, size)
        except OSError:
            os.close(self._file)
            raise
        self._memory[: len(token)] = token.encode()
        self._lock = threading.Lock()
        self._closed = self._freed = False
        self._users = 0
        self.facts = Ring(pid=os.getpid(), descriptor=self._file, slots=slots, slot_bytes=slot_bytes, token=token)

    @contextmanager
    def opened(
        self, slot: int, shapes: "Mapping[str, tuple[np.dtype[Any], tuple[int, ...]]]"
    ) -> "Iterator[Slot | None]":
        """Hold the memory for the length of the block, and yield a slot; none where there is no room, or no such slot.

        Args:
            slot: number of the slot.
            shapes: type and shape of each array, by name.
        """
        forms, at = [], 0
        for name, (dtype, shape) in shapes.items():
            forms.append(ArrayForm(name=name, dtype=dtype.str, shape=list(shape), at=at))
            at += -(-math.prod(shape) * dtype.itemsize // _ALIGNED) * _ALIGNED
        if not (0 <= slot < self.facts.slots and at <= self.facts.slot_bytes and self._enter()):
            yield None
            return
        try:
            yield Slot(forms, {form.name: self._view(slot, form) for form in forms})
        finally:
            self._leave()

    def write(self, slot: int, arrays: "dict[str, NDArray[Any]]") -> list[ArrayForm] | None:
        """Write arrays into a slot, and return where; none where they have no room, or the slot is gone."""
        with self.opened(slot, {name: (array.dtype, array.shape) for name, array in arrays.items()}) as place:
            if place is None:
                return None
            for name, array in arrays.items():
                place.arrays[name][...] = array
            return place.forms

    def close(self) -> None:
        """Give the memory back, as soon as nobody writes to it and the client has no array in it."""
        with self._lock:
            self._closed = True
            self._free()

    def _view(self, slot: int, form: ArrayForm) -> "NDArray[Any]":
        dtype = np.dtype(form.dtype)
        count = math.prod(form.shape)
        if not count * dtype.itemsize:
            return np.empty(form.shape, dtype)
        start = _HEAD + slot * self.facts.slot_bytes + form.at
        found: NDArray[Any] = np.frombuffer(self._memory, dtype, count, start).reshape(form.shape)
        return found

    def _enter(self) -> bool:
        with self._lock:
            if self._closed:
                return False
            self._users += 1
            return True

    def _leave(self) -> None:
        with self._lock:
            self._users -= 1
            self._free()

    def _free(self) -> None:
        if self._closed and not self._users and not self._freed:
            self._freed = True
            with suppress(BufferError):  # a view is still being let go: the memory goes with it
                self._memory.close()
            os.close(self._file)


class ClientRing:
    """The client's side of a ring: a slot is free again when nobody has an array in it.

    Args:
        facts: where it is.

    Raises:
        OSError: it is on another host, in another container, or of another user.
    """

    def __init__(self, facts: Ring) -> None:
        size = _HEAD + facts.slots * facts.slot_bytes
        if not (0 < facts.slots <= 1 << 16 and facts.slot_bytes > 0 and size <= MOST_BYTES):
            raise OSError("a ring of no possible size")
        file = os.open(f"/proc/{facts.pid}/fd/{facts.descriptor}", os.O_RDWR | os.O_CLOEXEC)
        try:
            seals = fcntl.fcntl(file, fcntl.F_GET_SEALS)  # fails for any other kind of file
            if not seals & fcntl.F_SEAL_SHRINK or os.fstat(file).st_size != size:
                raise OSError("another file")
            self._memory = mmap.mmap(file, size)
        finally:
            os.close(file)
        if self._memory[: len(facts.token)] != facts.token.encode():
            self._memory.close()
            raise OSError("another file")
        self.token = facts.token
        """Name of the ring."""
        self._slot_bytes = facts.slot_bytes
        # Without a lock, as the garbage collector may release a slot while one is taken in the same thread.
        self._free = deque(range(facts.slots))

    def take(self) -> int:
        """Return a free slot, -1 where there is none."""
        try:
            return self._free.pop()
        except IndexError:
            return -1

    def release(self, slot: int) -> None:
        """Let a slot be used again."""
        self._free.append(slot)

    def arrays(self, slot: int, forms: list[ArrayForm]) -> "dict[str, NDArray[Any]]":
        """Return the arrays in a slot, which is free again when the last of them is gone.

        Raises:
            LedgerError: a form is none that is allowed, or does not fit.
        """
        start = _HEAD + slot * self._slot_bytes
        whole = np.frombuffer(self._memory, np.uint8, self._slot_bytes, start)
        weakref.finalize(whole, self.release, slot).atexit = False
        found = {}
        for form in forms:
            size = size_of(form)
            part = whole[form.at : form.at + size] if form.at >= 0 else whole[:0]
            found[form.name] = _view(part, form)
        return found


def _view(part: "NDArray[Any]", form: ArrayForm) -> "NDArray[Any]":
    checked = array_of(form, part.data)
    if not part.size:
        return checked
    # The view keeps its slot; an array of the bytes alone would not.
    viewed: NDArray[Any] = part.view(checked.dtype).reshape(form.shape)
    return viewed
