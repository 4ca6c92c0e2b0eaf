"""What comes over a data server's socket: hostile and strange messages, strangers, arrays that cannot be."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import zmq

import ledger
from ledger.errors import LedgerError
from ledger.serve import messages
from ledger.serve.addresses import Keys, load_pair
from ledger.serve.hosting import ask_status, listen, open_served
from ledger.serve.messages import ArrayForm, Want, array_of
from ledger.serve.remote import RemoteSource
from ledger.serve.ring import ClientRing, ServerRing
from ledger.serve.server import DataServer
from tests.conftest import Cli
from tests.serve.servers import ROWS, Serve, taken

HOSTILE: list[list[bytes]] = [
    [b""],
    [b"garbage"],
    [b"\xff\xfe\x00"],
    [b"{}"],
    [b'{"is":"want"}'],
    [b'{"is":"pickle","data":"gASV"}'],
    [b"[" * 100_000],
    [b'{"a":' * 50_000],
    [b'{"is":"want","id":1,"rows":[' + b"1," * 2_000_000 + b"1]}"],
    [b'{"is":"want","id":1,"rows":[-1]}'],
    [b'{"is":"want","id":1,"rows":[99999999999999999999]}'],
    [b'{"is":"want","id":1,"rows":[0],"slot":99}'],
    [b'{"is":"hello","protocol":1,"columns":["nothing"]}'],
    [b'{"is":"hello","protocol":99}'],
    [b'{"is":"property","id":1,"name":"../../etc/passwd"}'],
    [b"x"] * 200,
    [b"y" * (1 << 24)],
    [b"", b'{"is":"status"}'],
]


def test_hostile_messages_change_nothing_for_the_others(arrays: str, serve: Serve) -> None:
    server = serve(arrays)
    batches = ledger.batches(arrays, batch_size=8, server=server.address)
    expected = taken(ledger.batches(arrays, batch_size=8))
    assert taken(batches) == expected
    before = psutil.Process(server.process.pid).memory_info().rss
    with zmq.Context() as context:
        for frames in HOSTILE * 3:
            with context.socket(zmq.DEALER) as socket:
                socket.linger = 200
                socket.connect(server.address)
                socket.send(b'{"is":"hello","protocol":1}')
                socket.send_multipart(frames)
        with context.socket(zmq.STREAM) if server.address.startswith("tcp") else context.socket(zmq.DEALER) as socket:
            socket.linger = 0
            socket.connect(server.address)  # and says nothing
    batches.set_epoch(0)
    assert taken(batches) == expected
    assert psutil.Process(server.process.pid).memory_info().rss < before + (64 << 20)
    complaints = server.end().count("a message that is none")
    assert complaints <= 1


@pytest.mark.parametrize(
    ("hello", "said"),
    [
        ('{"is":"hello","protocol":99}', "this server speaks protocol 1, and the client 99"),
        ('{"is":"hello","protocol":2,"codec":"zstd"}', "this server speaks protocol 1, and the client 2"),
        (
            '{"is":"hello","protocol":1,"columns":[' + ",".join(f'"{number}"' for number in range(20_000)) + "]}",
            "the names of the columns are longer than 65536 bytes",
        ),
    ],
)
def test_a_greeting_that_is_not_taken_is_refused_in_one_line(
    hello: str, said: str, arrays: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(arrays)
    monkeypatch.setattr("ledger.serve.remote.messages.encode", lambda _: hello.encode())
    with pytest.raises(LedgerError, match=f"^the data server refuses: {said}$"):
        RemoteSource([server.address])


def test_clients_that_were_killed_make_room_for_others(arrays: str, serve: Serve) -> None:
    server = serve(arrays, "--clients", "3")
    living = RemoteSource([server.address])
    with zmq.Context() as context:
        for _ in range(2):
            with context.socket(zmq.DEALER) as socket:
                socket.linger = 0
                socket.connect(server.address)
                socket.send(b'{"is":"hello","protocol":1,"shares_memory":true}')
                assert b"welcome" in socket.recv()
    others = [RemoteSource([server.address]) for _ in range(2)]
    with pytest.raises(LedgerError, match="the data server refuses: this server has 3 clients already"):
        RemoteSource([server.address])
    for source in (living, *others):
        assert len(source.read(np.arange(5))["x"]) == 5
    assert ask_status(server.address, None).clients == 3


def test_a_question_beyond_the_data_is_refused(arrays: str, serve: Serve) -> None:
    source = RemoteSource([serve(arrays).address])
    for rows in ([-1], [ROWS], []):
        with pytest.raises(LedgerError, match="rows are numbers from 0 to 299"):
            source.read(np.array(rows, dtype=np.int64))
    with pytest.raises(LedgerError, match="no such array: `nothing`"):
        RemoteSource([serve(arrays, "--listen", "tcp://127.0.0.1:*").address], columns=["nothing"]).read(np.array([0]))


def test_a_batch_that_no_client_would_take_is_refused(arrays: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MESSAGE_BYTES", 1000)
    listeners = listen(["tcp://127.0.0.1:*"], None, None)
    server = DataServer(open_served(arrays, path=None), listeners)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        source = RemoteSource([listeners[0].address], shares_memory=False)
        assert len(source.read(np.arange(2))["x"]) == 2
        with pytest.raises(LedgerError, match="a batch is larger than 1000 bytes: `2112`"):
            source.read(np.arange(8))
        source.close()
    finally:
        server.stop()
        thread.join()


def test_over_the_network_only_known_keys_are_served(arrays: str, serve: Serve, tmp_path: Path, cli: Cli) -> None:
    keys = {name: tmp_path / name for name in ("server", "client", "stranger")}
    public = {name: cli("serve", "--keygen", str(path)).out.strip() for name, path in keys.items()}
    assert keys["server"].stat().st_mode & 0o777 == 0o600
    (tmp_path / "allowed").write_text(f"# who may read\n{public['client']} the training\n")
    for path in (keys["client"], keys["stranger"]):
        path.write_text(f"{path.read_text()}server {public['server']}\n")
    own = ("--key", str(keys["server"]), "--allow", str(tmp_path / "allowed"))
    refused = cli("serve", arrays, "--listen", "tcp://0.0.0.0:0")
    assert refused.code == 2
    assert "others could reach this address, so it needs keys" in refused.err
    server = serve(arrays, "--listen", "tcp://127.0.0.1:*", *own)
    batches = ledger.batches(arrays, batch_size=8, server=server.address, server_key=keys["client"])
    assert taken(batches) == taken(ledger.batches(arrays, batch_size=8))
    pair = load_pair(keys["stranger"])
    with pytest.raises(LedgerError, match="no data server answers"):
        RemoteSource([server.address], keys=Keys(public["server"].encode(), pair), patience_seconds=1.0)
    with pytest.raises(LedgerError, match="no data server answers"):
        RemoteSource([server.address], patience_seconds=1.0)
    keys["client"].chmod(0o644)
    with pytest.raises(LedgerError, match="others may read the secret key"):
        load_pair(keys["client"])


def test_shared_memory_has_no_name_and_only_its_token_opens_it() -> None:
    named = Path("/dev/shm")  # noqa: S108  # where memory with a name would be
    before = set(named.iterdir())
    ring = ServerRing(2, 4096)
    assert set(named.iterdir()) == before
    client = ClientRing(ring.facts)
    slot = client.take()
    forms = ring.write(slot, {"x": np.arange(5), "y": np.array(["a", "bc"])})
    assert forms is not None
    found = client.arrays(slot, forms)
    assert found["x"].tolist() == [0, 1, 2, 3, 4]
    assert found["y"].tolist() == ["a", "bc"]
    assert client.take() != slot
    assert client.take() == -1
    ring.close()
    assert found["x"].sum() == 10  # the memory lives as long as somebody uses it
    del found
    assert client.take() == slot
    assert ring.write(0, {"x": np.zeros(1)}) is None
    other = ServerRing(2, 4096)
    facts = other.facts
    for wrong in ({"token": "0" * 32}, {"slot_bytes": 1 << 40}, {"descriptor": 0}, {"slots": 3}):
        with pytest.raises(OSError, match=r"another file|no possible size|Invalid argument|No such"):
            ClientRing(type(facts)(**{name: getattr(facts, name) for name in facts.__struct_fields__} | wrong))
    assert other.write(0, {"x": np.zeros(5000)}) is None
    other.close()


@pytest.mark.parametrize(
    "form",
    [
        ArrayForm(name="x", dtype="O", shape=[1]),
        ArrayForm(name="x", dtype="M8[s]", shape=[1]),
        ArrayForm(name="x", dtype="no type", shape=[1]),
        ArrayForm(name="x", dtype="<f8", shape=[513]),
        ArrayForm(name="x", dtype="<f8", shape=[-1]),
        ArrayForm(name="x", dtype="|u1", shape=[1] * 20),
        ArrayForm(name="x", dtype="|u1", shape=[1 << 40, 1 << 40]),
        ArrayForm(name="x", dtype="|u1", shape=[-1, -8]),
        ArrayForm(name="x", dtype="|u1", shape=[0, 1 << 62, 1 << 62]),
        ArrayForm(name="x", dtype="|u1", shape=[10**30]),
        ArrayForm(name="x", dtype="<U0", shape=[1 << 32]),
        ArrayForm(name="x", dtype="((", shape=[]),
        ArrayForm(name="x", dtype="<f3", shape=[]),
        ArrayForm(name="x", dtype="<f4,<f4", shape=[1]),
        ArrayForm(name="x", dtype="|u1", shape=[8], at=1 << 80),
    ],
)
def test_an_array_of_another_type_or_size_is_refused(form: ArrayForm) -> None:
    if not form.at:
        with pytest.raises(LedgerError, match="a server sent an array"):
            array_of(form, memoryview(bytes(8 if form.shape[:1] != [0] else 0)))
    ring = ServerRing(1, 4096)
    client = ClientRing(ring.facts)
    with pytest.raises(LedgerError, match="a server sent an array"):
        client.arrays(client.take(), [form])
    assert client.take() == 0  # it is free again
    ring.close()


def test_a_message_comes_back_as_it_was_sent() -> None:
    want: Any = Want(id=3, rows=[1, 2], slot=4, ring="x")
    assert messages.decode_client(messages.encode(want)) == want
