"""Decoding in processes: the same bytes, whichever of them dies."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

import ledger
from ledger.errors import LedgerError
from ledger.serve.remote import RemoteSource
from tests.conftest import Cli
from tests.serve.servers import Serve, Server, decoders, taken

_TCP = "tcp://127.0.0.1:*"
TRANSFORMS = """
import os
from pathlib import Path

def twice(sample):
    return {**sample, "image": sample["image"] * 2}

def raises(sample):
    raise KeyError(lambda: None)  # nothing that another process could read

def noted(sample):
    with Path("made").open("a") as file:
        file.write("x")
    return sample

def dies(sample):
    if sample["label"] == 1:
        os._exit(9)
    return sample

def dies_once(sample):
    if not Path("died").exists():
        Path("died").touch()
        os._exit(9)
    return sample
"""


@pytest.fixture
def serve_with(pictures: str, serve: Serve, repo: Path) -> Callable[..., Server]:
    (repo / "own.py").write_text(TRANSFORMS)

    def start(transform: str) -> Server:
        return serve(pictures, "--transform", f"own:{transform}", "--processes", "2", "--cache", "0", "--listen", _TCP)

    return start


def test_processes_give_the_bytes_that_threads_give(
    pictures: str, serve: Serve, serve_with: Callable[..., Server]
) -> None:
    threads = serve(pictures, "--transform", "own:twice")
    expected = ledger.batches(pictures, batch_size=8, server=threads.address)
    batches = ledger.batches(pictures, batch_size=8, server=serve_with("twice").address)
    assert taken(batches) == taken(expected)
    assert batches.feed().code == expected.feed().code


def test_a_decoding_process_that_is_killed_costs_no_sample(serve_with: Callable[..., Server], pictures: str) -> None:
    server = serve_with("twice")
    expected = taken(ledger.batches(pictures, batch_size=4, seed=1, server=server.address))
    batches = ledger.batches(pictures, batch_size=4, seed=1, server=server.address)
    found = []
    for number, batch in enumerate(batches):
        found.append({name: value.tobytes() for name, value in batch.items()})
        if number in {1, 6}:
            while not (alive := decoders(server)):  # they are being started again
                threading.Event().wait(0.01)
            alive[0].kill()
    assert found == expected
    once = serve_with("dies_once")
    assert len(taken(ledger.batches(pictures, batch_size=60, server=once.address))) == 1


def test_a_process_that_begins_after_the_data_changed_says_so(serve: Serve, repo: Path) -> None:
    (repo / "own.py").write_text(TRANSFORMS)
    (repo / "numbers").mkdir()
    np.save(repo / "numbers" / "label.npy", np.zeros(20, np.int64))
    server = serve("numbers", "--transform", "own:noted", "--processes", "1", "--cache", "0", "--listen", _TCP)
    source = RemoteSource([server.address])
    assert source.read(np.array([3]))["label"].tolist() == [0]
    np.save(repo / "numbers" / "label.npy", np.ones(20, np.int64))
    decoders(server)[0].kill()
    for _ in range(2):
        with pytest.raises(LedgerError, match=r"the data changed while a training read them: `.*label\.npy`"):
            source.read(np.array([4]))
    assert len(server.end().splitlines()) == 1


def test_what_a_transform_does_in_a_process_is_told(serve_with: Callable[..., Server], pictures: str) -> None:
    with pytest.raises(LedgerError, match="KeyError"):
        taken(ledger.batches(pictures, batch_size=8, server=serve_with("raises").address))
    with pytest.raises(LedgerError, match="the processes that decode die of one of these samples: rows"):
        taken(ledger.batches(pictures, batch_size=8, server=serve_with("dies").address))


def test_a_broken_sample_is_left_out_though_another_process_saw_it(serve: Serve, pictures: str, repo: Path) -> None:
    (repo / pictures / "1" / "4.png").write_bytes(b"no picture")
    server = serve(pictures, "--processes", "2")
    batches = ledger.batches(pictures, batch_size=60, broken="skip", server=server.address)
    ((batch),) = batches
    assert len(batch["image"]) == 59
    assert "1/4.png" in batches.feed().broken_named[0]


@pytest.mark.parametrize("how", ["kill", "end"])
def test_decoding_processes_end_with_their_server(how: str, serve_with: Callable[..., Server], pictures: str) -> None:
    server = serve_with("twice")
    taken(ledger.batches(pictures, batch_size=8, server=server.address))
    started = decoders(server)
    assert started
    if how == "kill":
        server.kill()
    else:
        server.end()
    gone, alive = psutil.wait_procs(started, timeout=60)
    assert (len(gone), alive) == (len(started), [])


@pytest.mark.parametrize("processes", [0, 2])
def test_a_server_with_room_on_disk_makes_each_sample_once_for_every_order_and_after_a_restart(
    processes: int, pictures: str, serve: Serve, repo: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    (repo / "own.py").write_text(TRANSFORMS)
    monkeypatch.setenv("LEDGER_CACHE", str(repo.parent / "cache"))
    expected = taken(ledger.batches(pictures, batch_size=8, seed=5))
    options = ("--transform", "own:noted", "--disk-cache", "10", "--cache", "0", "--processes", str(processes))
    for seed in (1, 5):
        server = serve(pictures, *options)
        found = taken(ledger.batches(pictures, batch_size=8, seed=seed, tail="short", server=server.address))
        assert len(found) == 8
        server.end()
    assert found[:7] == expected
    probes = 2  # a server looks at its first sample when a client says hello, and knows no form to keep before it
    assert 60 <= len((repo / "made").read_text()) <= 60 + 8 * 2 + probes
    said = cli("serve", pictures, "--disk-cache", "10", "--no-verify")
    assert (said.code, "only data that are compared" in said.err) == (2, True)
