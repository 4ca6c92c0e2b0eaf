"""The receiving end of a link: it knows every peer by its key, and hears nobody else.

Knows messages as lists of bytes, and nothing of what they say.
"""

from collections.abc import Callable, Sequence
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
        pair: its key pair.
        known: returns whether a public key is that of a peer.

    Raises:
        OSError: the address cannot be listened at.
    """

    def __init__(self, address: str, pair: KeyPair, known: Callable[[bytes], bool]) -> None:
        self._known = known
        self._context = zmq.Context()
        try:
            self._door = self._context.socket(zmq.REP)
            self._door.linger = 0
            self._door.bind(_ZAP)  # before the other socket: without it, libzmq would let everybody in
            self._socket = self._context.socket(zmq.ROUTER)
            self._socket.linger = 0
            self._socket.ipv6 = "[" in address
            self._socket.maxmsgsize = MESSAGE_BYTES
            self._socket.rcvhwm = self._socket.sndhwm = QUEUE_MESSAGES
            self._socket.backlog = _BACKLOG
            self._socket.handshake_ivl = _HANDSHAKE_MILLISECONDS
            self._socket.zap_domain = b"ledger"
            self._socket.curve_server = True
            self._socket.curve_publickey, self._socket.curve_secretkey = pair
            self._socket.bind(address)
            self._poller = zmq.Poller()
            for socket in (self._door, self._socket):
                self._poller.register(socket, zmq.POLLIN)
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
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

    def send(self, address: bytes, frames: Sequence[bytes]) -> None:
        """Send a message to a peer; it is dropped where the peer is gone or does not listen.

        Raises:
            OSError: the socket is gone.
        """
        try:
            self._socket.send_multipart([address, *frames], zmq.NOBLOCK)
        except zmq.Again:
            return
        except zmq.ZMQError as error:
            raise OSError(error.errno, error.strerror) from error

    def close(self, linger_seconds: float = 0.0) -> None:
        """Close it; what was sent may take so long to leave."""
        self._context.destroy(linger=int(linger_seconds * 1000))

    def _answer_door(self) -> None:
        """Answer libzmq whether the key of a new connection is known."""
        asked = self._door.recv_multipart(zmq.NOBLOCK)
        version, request, *_ = asked
        known = asked[5:6] == [b"CURVE"] and self._known(z85.encode(asked[6]))
        said = (b"200", b"OK") if known else (b"400", b"unknown key")
        self._door.send_multipart([version, request, *said, b"", b""])
