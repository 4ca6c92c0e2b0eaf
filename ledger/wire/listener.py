"""The receiving end: it knows every peer by its key and hears nobody else, or is a socket that only its user opens.

Knows messages as lists of bytes, and nothing of what they say.
"""

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import zmq
from zmq.utils import z85

from ledger.wire.curve import KeyPair

MESSAGE_BYTES = 1 << 22
"""Largest message; the connection of whoever sends more is closed before it is read."""
QUEUE_MESSAGES = 64
"""Messages of each peer that wait at most, on either side; the sender keeps what has no room."""
_FRAMES = 4
"""Most frames of a message."""
_BACKLOG = 256
_HANDSHAKE_MILLISECONDS = 5_000
"""How long a connection may take to prove who it is."""
_ZAP = "inproc://zeromq.zap.01"
"""Where libzmq asks who may connect: https://rfc.zeromq.org/spec/27/."""


class Heard(NamedTuple):
    """A message of a peer."""

    address: bytes
    """Address of its present connection, to answer to."""
    frames: list[bytes]
    """What it says."""


class Listener:
    """A socket that accepts known keys only.

    Args:
        address: address to listen at, such as `tcp://10.0.0.1:*`.
        pair: its key pair; none where only the user can reach the address, and nothing is encrypted.
        known: returns whether a public key is that of a peer.
        message_bytes: largest message.

    Raises:
        OSError: the address cannot be listened at.
    """

    def __init__(
        self,
        address: str,
        pair: KeyPair | None,
        known: Callable[[bytes], bool] = lambda _key: False,
        *,
        message_bytes: int = MESSAGE_BYTES,
    ) -> None:
        self._known = known
        self._context = zmq.Context()
        self._closing = threading.Lock()
        self._closed = False
        self._woken, self._waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            self._door = self._context.socket(zmq.REP)
            self._door.linger = 0
            self._door.bind(_ZAP)  # before the other socket: without it, libzmq would let everybody in
            self._socket = self._context.socket(zmq.ROUTER)
            self._socket.linger = 0
            self._socket.router_mandatory = True  # who is gone is an error, instead of silence
            self._socket.ipv6 = "[" in address
            self._socket.maxmsgsize = message_bytes
            self._socket.rcvhwm = self._socket.sndhwm = QUEUE_MESSAGES
            self._socket.backlog = _BACKLOG
            self._socket.handshake_ivl = _HANDSHAKE_MILLISECONDS
            if pair is not None:
                self._socket.zap_domain = b"ledger"
                self._socket.curve_server = True
                self._socket.curve_publickey, self._socket.curve_secretkey = pair
            self._socket.bind(address)
            self._poller = zmq.Poller()
            for socket in (self._door, self._socket, self._woken):
                self._poller.register(socket, zmq.POLLIN)
        except zmq.ZMQError as error:
            self.close()
            raise OSError(error.errno, f"cannot listen: {error.strerror}", address) from error

    @property
    def address(self) -> str:
        """The address that it listens at, with its port."""
        return self._socket.getsockopt_string(zmq.LAST_ENDPOINT).rstrip("\0")

    def receive(self, seconds: float) -> Heard | None:
        """Return the next message of a known peer; none where there was none for some time.

        Raises:
            OSError: the socket is gone.
        """
        try:
            ready = dict(self._poller.poll(int(seconds * 1000)))
            if self._woken in ready:
                os.read(self._woken, 1 << 12)
            if self._door in ready:
                self._answer_door()
            if self._socket not in ready:
                return None
            address, *frames = self._socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None
        except zmq.ZMQError as error:
            raise OSError(error.errno, error.strerror) from error
        return Heard(address, frames) if len(frames) <= _FRAMES else None

    def send(self, address: bytes, frames: Sequence[bytes | memoryview]) -> bool:
        """Send a message to a peer; return false where it is gone. One that does not listen loses messages.

        Large frames are not copied: nobody may write to their memory again.

        Raises:
            OSError: the socket is gone.
        """
        try:
            self._socket.send_multipart([address, *frames], zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return True
        except zmq.ZMQError as error:
            if error.errno == zmq.EHOSTUNREACH:
                return False
            raise OSError(error.errno, error.strerror) from error
        return True

    def wake(self) -> None:
        """End the waiting of another thread; does nothing once it is closed."""
        with self._closing:
            if not self._closed:
                with suppress(BlockingIOError):  # it is being woken already
                    os.write(self._waker, b"\0")

    def close(self, linger_seconds: float = 0.0) -> None:
        """Close it; what was sent may take so long to leave."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._context.destroy(linger=int(linger_seconds * 1000))
            os.close(self._woken)
            os.close(self._waker)

    def _answer_door(self) -> None:
        """Answer libzmq whether the key of a new connection is known."""
        asked = self._door.recv_multipart(zmq.NOBLOCK)
        version, request, *_ = asked
        known = asked[5:6] == [b"CURVE"] and self._known(z85.encode(asked[6]))
        said = (b"200", b"OK") if known else (b"400", b"unknown key")
        self._door.send_multipart([version, request, *said, b"", b""])
