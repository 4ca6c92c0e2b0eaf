"""The sending end of a link: it speaks to the one whose key it was told, never waits, and holds little."""

import os
import threading
from collections.abc import Sequence

import zmq

from ledger.wire.curve import KeyPair
from ledger.wire.listener import MESSAGE_BYTES, QUEUE_MESSAGES

_RECONNECT_MILLISECONDS = 200
_RECONNECT_MOST_MILLISECONDS = 5_000


class Caller:
    """A socket that is connected to one listener, again and again if need be.

    Args:
        address: address of the listener.
        listener: its public key; nobody else can pretend to be it. None where nothing is encrypted.
        pair: own key pair, by which the listener knows this process.
        message_bytes: largest message.

    Raises:
        OSError: the address is none.
    """

    def __init__(
        self, address: str, listener: bytes | None, pair: KeyPair | None, *, message_bytes: int = MESSAGE_BYTES
    ) -> None:
        self._context = zmq.Context()
        self._closing = threading.Lock()
        self._closed = False
        self._woken, self._waker = os.pipe()
        try:
            self._socket = self._context.socket(zmq.DEALER)
            self._socket.linger = 0
            self._socket.ipv6 = "[" in address
            self._socket.maxmsgsize = message_bytes
            self._socket.rcvhwm = self._socket.sndhwm = QUEUE_MESSAGES
            self._socket.reconnect_ivl = _RECONNECT_MILLISECONDS
            self._socket.reconnect_ivl_max = _RECONNECT_MOST_MILLISECONDS
            if listener is not None and pair is not None:
                self._socket.curve_serverkey = listener
                self._socket.curve_publickey, self._socket.curve_secretkey = pair
            self._socket.connect(address)
            self._poller = zmq.Poller()
            self._poller.register(self._socket, zmq.POLLIN)
            self._poller.register(self._woken, zmq.POLLIN)
        except (zmq.ZMQError, ValueError) as error:
            self.close()
            raise OSError(f"cannot connect: `{address}`") from error

    def send(self, frames: Sequence[bytes]) -> bool:
        """Send a message; return false where the queue is full.

        Raises:
            OSError: the socket is gone.
        """
        try:
            self._socket.send_multipart(frames, zmq.NOBLOCK)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            raise OSError(error.errno, error.strerror) from error
        return True

    def receive(self, seconds: float) -> list[bytes] | None:
        """Return the next message; none where there was none for some time, or somebody woke this.

        Raises:
            OSError: the socket is gone.
        """
        frames = self.receive_views(seconds)
        return None if frames is None else [bytes(frame) for frame in frames]

    def receive_views(self, seconds: float) -> list[memoryview] | None:
        """Return the next message without copying it, else as `receive`.

        Raises:
            OSError: the socket is gone.
        """
        try:
            ready = dict(self._poller.poll(int(seconds * 1000)))
            if self._woken in ready:
                os.read(self._woken, 64)
            return [frame.buffer for frame in self._socket.recv_multipart(zmq.NOBLOCK, copy=False)]
        except zmq.Again:
            return None
        except zmq.ZMQError as error:
            raise OSError(error.errno, error.strerror) from error

    def wake(self) -> None:
        """End the waiting of another thread; does nothing once it is closed."""
        with self._closing:
            if not self._closed:
                os.write(self._waker, b"\0")

    def close(self) -> None:
        """Close it at once."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            # By itself: a context that is collected together with its socket no longer knows it, and waits for ever.
            if (socket := getattr(self, "_socket", None)) is not None:
                socket.close(linger=0)
            self._context.destroy(linger=0)
            os.close(self._woken)
            os.close(self._waker)
