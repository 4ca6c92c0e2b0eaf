"""Real data servers in processes of their own: the same bytes as without one, whatever dies."""

import os
import signal
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import zmq

import ledger
from ledger.analysis.data.feeds import feed_facts
from ledger.errors import LedgerError
from ledger.serve import messages
from ledger.serve.addresses import default_address
from ledger.serve.batches import Batches
from ledger.serve.decoded_batches import DecodedBatches
from ledger.serve.hosting import ask_status
from ledger.serve.messages import Hello, Pong, Refused, Want, Welcome
from ledger.serve.order.plan import BatchPlan, digest_of
from ledger.serve.remote import BatchQuestion, RemoteSource
from tests.conftest import Cli
from tests.serve.servers import ROWS, Serve, taken


def until_it_differs(batches: Batches) -> None:
    for _ in range(1000):
        taken(batches)


@pytest.mark.parametrize("listen", ["ipc", "tcp"])
@pytest.mark.parametrize("kind", ["arrays", "pictures"])
def test_a_served_batch_has_the_same_bytes(
    listen: str, kind: str, serve: Serve, request: pytest.FixtureRequest
) -> None:
    data = request.getfixturevalue(kind)
    server = serve(data, *(["--listen", "tcp://127.0.0.1:*"] if listen == "tcp" else []))
    here = ledger.batches(data, batch_size=8, seed=1)
    there = ledger.batches(data, batch_size=8, seed=1, server=server.address)
    assert taken(there) == taken(here)
    assert there.plan.digest == here.plan.digest
    feed = there.feed()
    assert (feed.server, feed.source) == (listen, "arrays" if kind == "arrays" else "files")
    assert [one.digest for one in feed.stretches] == [one.digest for one in here.feed().stretches]
    kept = ledger.batches(data, batch_size=4, keep={"label": ["1"]}, server=server.address)
    assert {int(value) for batch in kept for value in batch["label"]} == {1}
    assert "served" in server.end()


def test_batches_that_a_training_holds_keep_their_values(arrays: str, serve: Serve) -> None:
    server = serve(arrays)
    served = ledger.batches(arrays, batch_size=8, server=server.address)
    held = list(served)  # more than the memory that both sides share has slots
    for batch, expected in zip(held, ledger.batches(arrays, batch_size=8), strict=True):
        assert batch["x"].tobytes() == expected["x"].tobytes()
        batch["x"] += 1  # they may be written to
    again = ledger.batches(arrays, batch_size=8, server=server.address)
    assert taken(again) == taken(ledger.batches(arrays, batch_size=8))


def test_a_training_that_leaves_its_epochs_early_keeps_the_shared_memory(arrays: str, serve: Serve) -> None:
    server = serve(arrays)
    batches = ledger.batches(arrays, batch_size=8, server=server.address)
    for _ in range(30):
        for _ in batches:
            break
    source = RemoteSource([server.address])
    for _ in range(40):
        source.begin(np.arange(8)).cancel()
    answer = source.begin(np.arange(8))
    assert len(answer()["x"]) == 8
    assert source.shares_memory
    assert taken(batches) == taken(ledger.batches(arrays, batch_size=8))


def test_a_server_that_is_killed_and_started_again_costs_no_batch(arrays: str, serve: Serve) -> None:
    expected = taken(ledger.batches(arrays, batch_size=8, seed=1))
    server = serve(arrays)
    for stop in (1, 7, 20):
        batches = ledger.batches(arrays, batch_size=8, seed=1, server=server.address)
        found = []
        for number, batch in enumerate(batches):
            found.append({name: value.tobytes() for name, value in batch.items()})
            if number == stop:
                server.kill()
                server = serve(arrays)
        assert found == expected
        feed = batches.feed()
        assert feed.reconnects >= 1
        assert [digest_of(BatchPlan(feed.plan), one) for one in feed.stretches] == [
            one.digest for one in feed.stretches
        ]


def test_a_server_of_other_data_or_code_cannot_take_the_place_of_another(
    arrays: str, pictures: str, serve: Serve, repo: Path, short_path: Path
) -> None:
    (repo / "own_code.py").write_text("def change(sample):\n    return sample\n")
    listen = ("--listen", f"ipc://{short_path}/own/socket")
    server = serve(arrays, *listen)
    source = RemoteSource([server.address])
    for other in ((pictures,), (arrays, "--transform", "own_code:change")):
        server.kill()
        server = serve(*other, *listen)
        with pytest.raises(LedgerError, match=r"^the data server serves other data than before: "):
            source.read(np.arange(3))
    server.kill()
    serve(arrays, *listen)
    assert len(source.read(np.arange(3))["x"]) == 3


def test_of_two_servers_one_may_die(arrays: str, serve: Serve, short_path: Path) -> None:
    servers = [serve(arrays, "--listen", f"ipc://{short_path}/own/{number}") for number in range(2)]
    batches = ledger.batches(arrays, batch_size=8, seed=1, server=[server.address for server in servers])
    found = []
    for number, batch in enumerate(batches):
        found.append({name: value.tobytes() for name, value in batch.items()})
        if number == 5:
            servers[0].kill()
    assert found == taken(ledger.batches(arrays, batch_size=8, seed=1))


def test_a_server_that_is_gone_for_good_is_an_error_with_its_address(arrays: str, serve: Serve) -> None:
    server = serve(arrays)
    source = RemoteSource([server.address], patience_seconds=1.0)
    assert len(source.read(np.arange(3))["x"]) == 3
    server.kill()
    with pytest.raises(LedgerError, match="no data server answers"):
        source.read(np.arange(3))
    with pytest.raises(LedgerError, match="no data server answers"):
        RemoteSource([server.address], patience_seconds=0.5)


def test_a_training_that_closes_its_batches_waits_for_nobody(arrays: str, serve: Serve) -> None:
    server = serve(arrays)
    source = RemoteSource([server.address])
    server.process.send_signal(signal.SIGSTOP)
    told: list[LedgerError] = []

    def read() -> None:
        with pytest.raises(LedgerError) as error:
            source.read(np.arange(3))
        told.append(error.value)

    thread = threading.Thread(target=read)
    thread.start()
    while source._lock.acquire(blocking=False):  # until it waits
        source._lock.release()
        threading.Event().wait(0.01)
    source.close()
    thread.join()
    server.process.send_signal(signal.SIGCONT)
    assert [error.message for error in told] == ["the connection to the data server was closed"]


def test_a_server_that_dies_before_it_answers_a_greeting_is_greeted_again(short_path: Path) -> None:
    welcome = Welcome(protocol=1, dataset_hash="blake3:0", label="data", samples=5, kind="arrays", verified=True)
    greeted: list[bytes] = []

    def play(socket: "zmq.Socket[bytes]") -> None:
        asked: object = None
        while len(greeted) < 3:
            address, header = socket.recv_multipart()
            asked, answer = messages.decode_client(header), messages.encode(Pong(known=False))
            if isinstance(asked, Hello):
                greeted.append(address)
                if len(greeted) == 2:  # as if it was killed here, and another one is there now
                    continue
                answer = messages.encode(welcome)
            socket.send_multipart([address, answer])
        while not isinstance(asked, Want):
            address, header = socket.recv_multipart()
            asked = messages.decode_client(header)
        socket.send_multipart([address, messages.encode(Refused(id=asked.id, message="as it should be"))])

    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        socket.bind(f"ipc://{short_path}/socket")
        server = threading.Thread(target=play, args=(socket,))
        server.start()
        with pytest.raises(LedgerError, match="as it should be"):
            RemoteSource([f"ipc://{short_path}/socket"]).read(np.arange(2))
        server.join()
    assert len(set(greeted)) == 1  # on one connection: else it was silence that ended the waiting


def test_four_trainings_at_once_decode_each_batch_once(pictures: str, serve: Serve) -> None:
    server = serve(pictures, "--workers", "3")
    expected = taken(ledger.batches(pictures, batch_size=10, seed=1))
    found: dict[int, list[dict[str, bytes]]] = {}
    feeds = [ledger.batches(pictures, batch_size=10, seed=1, server=server.address) for _ in range(4)]
    threads = [
        threading.Thread(target=lambda number=number, feed=feed: found.update({number: taken(feed)}))
        for number, feed in enumerate(feeds)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [found[number] for number in range(4)] == [expected] * 4
    status = ask_status(server.address, None)
    # One more, by which the server found the size of a sample.
    assert (status.batches, status.decoded) == (24, 6)
    assert sum(feed.feed().cache_hits for feed in feeds) == 18


def test_the_memory_for_decoded_batches_counts_small_ones_whole() -> None:
    held = DecodedBatches(1 << 20)
    tracemalloc.start()
    try:
        for number in range(10_000):
            rows = np.arange(number, number + 2).tobytes()
            arrays, cached = held.get((frozenset(), rows), lambda: {"x": np.zeros(2, np.uint8)})
            assert (arrays["x"].nbytes, cached) == (2, False)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < 1 << 20
    assert held.get((frozenset(), rows), dict)[1]


def test_a_picture_that_cannot_be_decoded_is_named_to_the_training(pictures: str, serve: Serve, repo: Path) -> None:
    (repo / pictures / "1" / "4.png").write_bytes(b"no picture")
    server = serve(pictures)
    batches = ledger.batches(pictures, batch_size=10, order="sequential", server=server.address)
    with pytest.raises(LedgerError, match=r"^a sample cannot be read .*1/4\.png"):
        taken(batches)
    assert len(RemoteSource([server.address]).read(np.array([0]))["image"]) == 1


FOREIGN = """
import sys
class Labels(list):
    asked = 0
    def __iter__(self):
        self.asked += 1
        return iter(["no text \\udcff"]) if self.asked == 1 else iter([sys.exit("labels exit")])
class Items(list):
    targets = Labels(range(6))
def make():
    return Items({"x": row} for row in range(6))
def change(sample):
    row = int(sample["x"])
    if row == 1:
        raise ValueError("of \\udcff")
    if row == 2:
        return {"x": 2, "\\udcff": 0}
    if row == 3:
        sys.exit("a sample exits")
    return sample
"""


def test_whatever_foreign_code_does_its_training_is_answered(serve: Serve, repo: Path) -> None:
    (repo / "foreign.py").write_text(FOREIGN)
    source = RemoteSource([serve("foreign:make", "--transform", "foreign:change").address])
    for row, why in ((1, r"ValueError: of \\udcff"), (2, "UnicodeEncodeError"), (3, "SystemExit: a sample exits")):
        with pytest.raises(LedgerError, match=f"the data server refuses: {why}"):
            source.read(np.array([row]))
    for why in ("UnicodeEncodeError", "SystemExit: labels exit"):
        with pytest.raises(LedgerError, match=f"the data server refuses: {why}"):
            source.values("label")
    assert source.read(np.array([4]))["x"].tolist() == [4]


def test_a_transform_that_begins_slowly_keeps_nobody_from_connecting(serve: Serve, repo: Path, arrays: str) -> None:
    (repo / "slow.py").write_text(
        "import pathlib, time\n"
        "def change(sample):\n"
        "    with pathlib.Path('calls').open('a') as file:\n"
        "        file.write('x')\n"
        "    time.sleep(3)\n"  # longer than a client waits for a sign of life
        "    return sample\n"
    )
    server = serve(arrays, "--transform", "slow:change")
    sources = [RemoteSource([server.address]) for _ in range(2)]
    assert all(source.shares_memory for source in sources)
    assert sources[0].read(np.array([7]))["label"].tolist() == [2]
    assert (repo / "calls").read_text() == "xx"  # once for its size, and once for who asked


def test_a_second_ctrl_c_ends_a_server_whose_transform_does_not_end(serve: Serve, repo: Path, arrays: str) -> None:
    (repo / "endless.py").write_text(
        "import pathlib, time\n"
        "def change(sample):\n"
        "    if sample['label'] == 3:\n"
        "        pathlib.Path('began').touch()\n"
        "        time.sleep(3600)\n"
        "    return sample\n"
    )
    server = serve(arrays, "--transform", "endless:change")
    source = RemoteSource([server.address])
    source.begin(np.array([3]))
    while not (repo / "began").exists():
        threading.Event().wait(0.01)
    while server.process.poll() is None:
        server.process.send_signal(signal.SIGINT)
        threading.Event().wait(0.2)
    assert server.process.returncode == -signal.SIGINT


def test_a_transform_of_the_server_is_in_the_record(pictures: str, serve: Serve, repo: Path) -> None:
    (repo / "own_transform.py").write_text("def twice(sample):\n    return {**sample, 'image': sample['image'] * 2}\n")
    server = serve(pictures, "--transform", "own_transform:twice")
    batches = ledger.batches(pictures, batch_size=10, order="sequential", server=server.address)
    assert int(next(iter(batches))["image"].max()) == 2 * int(
        next(iter(ledger.batches(pictures, batch_size=10, order="sequential")))["image"].max()
    )
    assert batches.feed().code is not None


def test_data_of_another_content_are_refused(arrays: str, pictures: str, serve: Serve, cli: Cli) -> None:
    assert cli("dataset", "add", "numbers", arrays, "--version", "v1", "--role", "train").code == 0
    server = serve("numbers@v1", "--path", arrays)
    assert len(list(ledger.batches("numbers@v1", batch_size=30, server=server.address))) == 10
    other = serve(pictures)
    with pytest.raises(LedgerError, match="whose content is not that of: `numbers@v1`"):
        ledger.batches("numbers@v1", batch_size=30, server=other.address)
    with pytest.raises(LedgerError, match="serves other data: `pictures`"):
        ledger.batches("arrays", batch_size=30, server=other.address)


def test_a_server_whose_data_are_not_the_version_stops_and_says_so(
    arrays: str, serve: Serve, cli: Cli, repo: Path
) -> None:
    assert cli("dataset", "add", "numbers", arrays, "--version", "v1", "--role", "train").code == 0
    np.save(repo / arrays / "label.npy", np.zeros(ROWS, np.int64))
    server = serve("numbers@v1", "--path", arrays)
    batches = ledger.batches("numbers@v1", batch_size=30, server=server.address)
    with pytest.raises(LedgerError, match="the data are not those of numbers@v1"):
        until_it_differs(batches)
    assert server.process.wait(30) == 1
    assert server.process.stderr is not None
    assert "the data are not those of numbers@v1: `arrays`" in server.process.stderr.read()


def test_an_address_that_is_taken_or_none_is_said_so(arrays: str, serve: Serve, cli: Cli, short_path: Path) -> None:
    server = serve(arrays, "--listen", "tcp://127.0.0.1:*")
    busy = cli("serve", arrays, "--listen", server.address)
    assert (busy.code, "cannot listen there (address already in use" in busy.err) == (1, True)
    own = f"ipc://{short_path}/own/socket"
    first = serve(arrays, "--listen", own)
    second = cli("serve", arrays, "--listen", own)
    assert (second.code, "a data server listens there already" in second.err) == (1, True)
    first.kill()  # leaves its socket behind
    assert (short_path / "own" / "socket").exists()
    assert taken(ledger.batches(arrays, batch_size=50, server=serve(arrays, "--listen", own).address))
    (short_path / "open").mkdir(mode=0o755)
    shared = cli("serve", arrays, "--listen", f"ipc://{short_path}/open/socket")
    assert (shared.code, "others may open the folder of the socket" in shared.err) == (1, True)
    (short_path / "own" / "thesis.txt").write_text("years of work")
    precious = cli("serve", arrays, "--listen", f"ipc://{short_path}/own/thesis.txt")
    assert (precious.code, "what lies there is no socket, and would be lost" in precious.err) == (1, True)
    assert (short_path / "own" / "thesis.txt").read_text() == "years of work"
    for wrong in ("http://x", "tcp://x", "ipc://", "ipc://name", "ipc://@open-to-all", f"ipc:///{'long' * 25}"):
        assert cli("serve", arrays, "--listen", wrong).code == 2
        with pytest.raises(LedgerError, match=r"not an address of a data server|longer than 100 bytes"):
            ledger.batches(arrays, batch_size=8, server=wrong)
    assert cli("serve", "--status", "tcp://127.0.0.1:1").code == 1


def test_a_long_path_of_the_run_time_folder_is_none_for_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    assert default_address("sha256:0123456789abcdefff") == "ipc:///run/user/1000/ledger-serve/0123456789abcdef"
    for useless in ("/" + "long" * 25, ""):
        monkeypatch.setenv("XDG_RUNTIME_DIR", useless)
        assert default_address("sha256:0123456789abcdefff").startswith(f"ipc:///tmp/ledger-serve-{os.getuid()}/")


def test_the_status_says_what_a_server_does(arrays: str, serve: Serve, cli: Cli) -> None:
    server = serve(arrays)
    assert server.said.startswith("serving arrays, 300 samples, at ipc://")
    list(ledger.batches(arrays, batch_size=50, server=server.address))
    shown = cli("serve", "--status", server.address)
    assert "arrays: 300 samples, compared with its hash" in shown.out
    assert "1 clients, 6 batches" in shown.out


def test_workers_of_a_loader_connect_for_themselves(arrays: str, serve: Serve) -> None:
    torch = pytest.importorskip("torch")
    server = serve(arrays)
    expected = [batch["x"].tobytes() for batch in ledger.batches(arrays, batch_size=8)]
    for method in ("fork", "spawn"):
        batches = ledger.batches(arrays, batch_size=8, as_torch=True, server=server.address)
        batches.set_epoch(0)
        loader = torch.utils.data.DataLoader(batches, batch_size=None, num_workers=2, multiprocessing_context=method)
        assert [batch["x"].numpy().tobytes() for batch in loader] == expected


def test_a_loader_may_follow_an_epoch_that_was_left(arrays: str, serve: Serve) -> None:
    torch = pytest.importorskip("torch")
    server = serve(arrays)
    expected = [batch["x"].tobytes() for batch in ledger.batches(arrays, batch_size=8)]
    batches = ledger.batches(arrays, batch_size=8, as_torch=True, server=server.address)
    loader = torch.utils.data.DataLoader(batches, batch_size=None, num_workers=2, multiprocessing_context="fork")
    source = batches._source
    assert isinstance(source, RemoteSource)

    def served() -> list[bytes]:
        batches.set_epoch(0)
        workers = iter(loader)
        server.process.send_signal(signal.SIGCONT)
        return [batch["x"].numpy().tobytes() for batch in workers]

    next(iter(batches))  # a look at the first batch: more of them were asked for
    while not source._abandoned:
        threading.Event().wait(0.01)
    assert served() == expected
    server.process.send_signal(signal.SIGSTOP)
    threading.Thread(target=lambda: next(iter(batches)), daemon=True).start()
    while source._lock.acquire(blocking=False):  # until a thread waits for its batch
        source._lock.release()
        threading.Event().wait(0.01)
    assert served() == expected


def test_memory_stays_flat_over_many_batches(arrays: str, serve: Serve) -> None:
    server = serve(arrays)
    batches = ledger.batches(arrays, batch_size=2, server=server.address)
    sizes = []
    for epoch in range(6):
        for _ in batches:
            pass
        if epoch:
            sizes.append((psutil.Process().memory_info().rss, psutil.Process(server.process.pid).memory_info().rss))
    for ours in zip(*sizes, strict=True):
        assert max(ours) - min(ours) < 24 << 20


@pytest.mark.parametrize(("prefetch", "most_bytes", "most"), [(4, 1 << 28, 4), (4, 2 * 8 * 256, 2), (1, 1 << 28, 1)])
def test_so_many_batches_are_asked_for_as_may_be_read_ahead(
    prefetch: int, most_bytes: int, most: int, arrays: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    begin, answer = RemoteSource.begin, RemoteSource.answer

    def begin_counted(self: RemoteSource, rows: Any) -> BatchQuestion:  # an array
        begun.append(1)
        return begin(self, rows)

    def answer_counted(self: RemoteSource, asked: int) -> Any:  # arrays, and whether they were decoded before
        begun.append(-1)
        return answer(self, asked)

    monkeypatch.setattr(RemoteSource, "begin", begin_counted)
    monkeypatch.setattr(RemoteSource, "answer", answer_counted)
    batches = ledger.batches(
        arrays, batch_size=8, columns=["x"], server=serve(arrays).address, prefetch=prefetch, prefetch_bytes=most_bytes
    )
    assert len(taken(batches)) == ROWS // 8
    outstanding = np.cumsum(begun)
    assert outstanding[prefetch * 4 :].max() == most
    assert outstanding.max() <= prefetch


@pytest.mark.parametrize("served", [False, True])
def test_broken_samples_end_the_training_or_are_left_out_named_and_counted(
    served: bool,  # noqa: FBT001  # one of two ways
    pictures: str,
    serve: Serve,
    repo: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("1/4.png", "2/5.png"):
        (repo / pictures / name).write_bytes(b"no picture")
    address = serve(pictures, "--no-verify").address if served else ()
    stopped = ledger.batches(pictures, batch_size=8, server=address)
    with pytest.raises(LedgerError, match=r"a sample cannot be read .*(1/4|2/5)\.png"):
        list(stopped)
    batches = ledger.batches(pictures, batch_size=8, broken="skip", tail="short", as_torch=True, server=address)
    epochs = [[batch["image"][:, 0, 0].tolist() for batch in batches] for _ in range(2)]
    for epoch in epochs:
        assert sorted(value for batch in epoch for value in batch) == [n for n in range(60) if n not in {4, 5}]
        assert len(epoch) == 8
    feed = batches.feed()
    assert (feed.broken, feed.samples, feed.unique_samples, feed.batches) == (2, 116, 58, 16)
    assert len(caplog.messages) == 2  # once for each sample
    assert any("1/4.png" in said for said in feed.broken_named)
    assert [digest_of(BatchPlan(feed.plan), one) for one in feed.stretches] == [one.digest for one in feed.stretches]
    facts = dict(feed_facts(feed, None))
    assert "and 1 more" in facts["broken samples"]
    with pytest.raises(LedgerError, match="can `fail` or `skip`"):
        ledger.batches(pictures, batch_size=8, broken="ignore", server=address)  # type: ignore[arg-type]  # wrong on purpose
