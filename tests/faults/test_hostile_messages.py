"""Whatever a client says to a data server: the server stays, its memory too, and it says one line a minute at most."""

import random
import socket
import struct
import time

import psutil
import pytest
import zmq

import ledger
from ledger.serve.hosting import ask_status
from tests.faults.conftest import SEED
from tests.serve.servers import Serve, arrays, taken
from tests.serve.test_messages import HOSTILE

__all__ = ["arrays"]

ROUNDS = 5
ROOM_BYTES = 48 << 20
"""What an allocator may keep: a message is 8 MB, and ten times that when it is decoded."""

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16) + b"\x00" + bytes(31)
"""What both sides of ZMTP 3.0 say first (https://rfc.zeromq.org/spec/23/): version, mechanism, role."""
READY = b"\x05READY" + b"\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER" + b"\x08Identity" + struct.pack(">I", 0)
HANDSHAKE = GREETING + struct.pack("BB", 4, len(READY)) + READY
HELLO = b'{"is":"hello","protocol":1,"shares_memory":true}'
CHANCE = random.Random(SEED)  # noqa: S311  # of garbage, no secret

MESSAGES: list[list[bytes]] = [
    *HOSTILE,
    *([CHANCE.randbytes(length)] for length in (1, 7, 100, 10_000, 1 << 20)),
    [b'{"is":"hello"}'],
    [b'{"is":"hello","protocol":null}'],
    [b'{"is":"hello","protocol":1e400}'],
    [b'{"is":"hello","protocol":' + b"9" * 5000 + b"}"],
    [b'{"is":"hello","protocol":-1}'],
    [b'{"is":"hello","protocol":1,"columns":[' + b'"x",' * 1_000_000 + b'"x"]}'],
    [b'{"is":"hello","protocol":1,"columns":["' + b"x" * (1 << 22) + b'"]}'],
    [b'{"is":"hello","protocol":1,"columns":["\\ud800"]}'],
    [b'{"is":"hello","protocol":1,"columns":{"x":1}}'],
    [b'{"is":"want","id":1,"rows":[]}'],
    [b'{"is":"want","id":1,"rows":[0.5]}'],
    [b'{"is":"want","id":1,"rows":["0"]}'],
    [b'{"is":"want","id":1,"rows":[true]}'],
    [b'{"is":"want","id":1,"rows":[300]}'],
    [b'{"is":"want","id":1,"rows":[0,-9223372036854775808]}'],
    [b'{"is":"want","id":1,"rows":[18446744073709551616]}'],
    [b'{"is":"want","id":1,"rows":[' + b"0," * 524_288 + b"0]}"],
    [b'{"is":"want","id":1e30,"rows":[0]}'],
    [b'{"is":"want","id":99999999999999999999999999,"rows":[0]}'],
    [b'{"is":"want","id":1,"rows":[0],"slot":-9}'],
    [b'{"is":"want","id":1,"rows":[0],"slot":0,"ring":"' + b"0" * 32 + b'"}'],
    [b'{"is":"want","id":1,"rows":[0],"slot":99999999999999999999999999}'],
    [b'{"is":"property","id":1,"name":"\\ud800"}'],
    [b'{"is":"property","id":1,"name":"' + b"folder:" * 100_000 + b'"}'],
    [b'{"is":"property","id":1,"name":"folder:-1"}'],
    [b'{"is":"welcome","protocol":1}'],
    [b'{"is":"batch","id":1,"arrays":[]}'],
    [b'{"is":"pong","known":true}'],
    [b'{"is":["want"],"id":1,"rows":[0]}'],
    [b'["is","want"]'],
    [b"null"],
    [b'"' + b"\\u0000" * 100_000 + b'"'],
    [b"\x80\x04\x95.", b"", b""],
    [b""] * 4,
    [b""] * 5,
    [b"x" * (1 << 22)] * 4,
    [b"x" * (1 << 20)] * 200,
]

HALVES: dict[str, bytes] = {
    "nothing": b"",
    "another protocol": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "half a greeting": GREETING[:20],
    "a greeting and nothing": GREETING,
    "an older version": b"\x01\x00",
    "another mechanism": GREETING.replace(b"NULL", b"EVIL"),
    "half a handshake": HANDSHAKE[:-5],
    "a handshake of another kind": HANDSHAKE.replace(b"DEALER", b"HACKER"),
    "a command of another length": GREETING + b"\x06" + struct.pack(">Q", 1 << 62),
    "half a message": HANDSHAKE + b"\x02" + struct.pack(">Q", 1 << 20) + b"x" * 1000,
    "a message of any length": HANDSHAKE + b"\x02" + struct.pack(">Q", 1 << 62),
    "one byte too many": HANDSHAKE + b"\x02" + struct.pack(">Q", (1 << 23) + 1),
    "frames without an end": HANDSHAKE + b"\x01\x01x" * 5000,
    "garbage behind a handshake": HANDSHAKE + CHANCE.randbytes(10_000),
}
"""What is said over a bare socket, before it is closed or left open."""


def bare(address: str) -> socket.socket:
    """Return a connection without ZeroMQ."""
    if address.startswith("ipc://"):
        made = socket.socket(socket.AF_UNIX)
        made.connect(address.removeprefix("ipc://"))
        return made
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    return socket.create_connection((host, int(port)))


def say_all(address: str, left_open: list[socket.socket]) -> None:
    """Say everything, with and without having said hello."""
    with zmq.Context() as context:
        for number, frames in enumerate(MESSAGES):
            with context.socket(zmq.DEALER) as peer:
                peer.linger = 5000
                peer.connect(address)
                if number % 2:
                    peer.send(HELLO)
                peer.send_multipart(frames)
    for number, said in enumerate(HALVES.values()):
        peer_socket = bare(address)
        try:
            peer_socket.sendall(said)
        except OSError:  # it was closed in the middle, rightly
            peer_socket.close()
            continue
        if number % 2:
            peer_socket.close()
        else:
            left_open.append(peer_socket)


@pytest.mark.parametrize("listen", ["ipc", "tcp"])
def test_hostile_messages_change_nothing(listen: str, arrays: str, serve: Serve) -> None:
    assert len(MESSAGES) + len(HALVES) >= 50
    began = time.monotonic()
    server = serve(arrays, "--clients", "8", *(["--listen", "tcp://127.0.0.1:*"] if listen == "tcp" else []))
    process = psutil.Process(server.process.pid)
    batches = ledger.batches(arrays, batch_size=8, server=server.address)
    expected = taken(ledger.batches(arrays, batch_size=8))
    left_open: list[socket.socket] = []
    sizes = []
    for _ in range(ROUNDS):
        say_all(server.address, left_open)
        batches.set_epoch(0)
        assert taken(batches) == expected
        assert ask_status(server.address, None).samples == 300
        sizes.append(process.memory_info().rss)
    del sizes[0]  # the first round fills what every later one uses again
    for one in left_open:
        one.close()
    assert max(sizes) - sizes[0] < ROOM_BYTES, [size >> 20 for size in sizes]
    said = server.end().splitlines()
    minutes = int(time.monotonic() - began) // 60 + 1
    assert said[-1].startswith("served ")
    assert len(said) - 1 <= minutes
    assert all(line.startswith("the data server got a message that is none: ") for line in said[:-1])


def test_who_asks_and_does_not_listen_holds_nobody_up(arrays: str, serve: Serve) -> None:
    server = serve(arrays)
    process = psutil.Process(server.process.pid)
    batches = ledger.batches(arrays, batch_size=8, server=server.address)
    expected = taken(batches)
    sizes = []
    with zmq.Context() as context, context.socket(zmq.DEALER) as peer:
        peer.linger = 0
        peer.connect(server.address)
        peer.send(HELLO)
        for _ in range(4):
            for asked in range(2000):
                peer.send(b'{"is":"want","id":%d,"rows":[1,2,3]}' % asked)
                peer.send(b'{"is":"property","id":%d,"name":"label"}' % asked)
                peer.send(b'{"is":"status"}')
            batches.set_epoch(0)
            assert taken(batches) == expected
            sizes.append(process.memory_info().rss)
    assert max(sizes) - sizes[0] < ROOM_BYTES, [size >> 20 for size in sizes]


def test_connections_that_say_nothing_are_no_clients(arrays: str, serve: Serve) -> None:
    server = serve(arrays, "--listen", "tcp://127.0.0.1:*", "--clients", "2")
    held = [bare(server.address) for _ in range(300)]
    for number, one in enumerate(held):
        one.sendall(HANDSHAKE[: number % len(HANDSHAKE)])
    assert taken(ledger.batches(arrays, batch_size=8, server=server.address)) == taken(
        ledger.batches(arrays, batch_size=8)
    )
    for one in held:
        one.close()
    assert server.end().startswith("served ")
