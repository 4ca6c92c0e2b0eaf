"""A training that lasts: memory, open files and threads of both sides stay the same. `FAULT_BATCHES` sets how long."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

import ledger
from ledger.serve.order.plan import digest_of
from ledger.serve.remote import RemoteSource
from tests.faults.conftest import KILLS
from tests.faults.fed_training import endless
from tests.faults.test_data_server import pictures
from tests.serve.servers import Serve

__all__ = ["pictures"]

BATCHES = int(os.environ.get("FAULT_BATCHES", "200000" if KILLS > 100 else "20000"))
"""Batches of two samples in all; 1000000 take some minutes."""
PARTS = 10
ROOM_BYTES = 12 << 20
"""What an allocator may take after the second part: 12 bytes a batch are found in a million."""
ROWS = 20_000


@pytest.fixture
def numbers(repo: Path) -> str:
    (repo / "numbers").mkdir()
    np.save(repo / "numbers" / "x.npy", np.arange(ROWS * 4, dtype=np.uint8).reshape(ROWS, 2, 2))
    np.save(repo / "numbers" / "label.npy", np.arange(ROWS) % 7)
    return "numbers"


def grown(stream: Iterator[dict[str, Any]], count: int, server: int) -> list[str]:
    """Take batches, look at both processes now and then, and return what of them grew."""
    sizes, taken, each = [], 0, max(500, count // PARTS)
    for _ in range(PARTS):
        taken += sum(len(batch["label"]) for batch in islice(stream, each))
        sizes.append([size_of(psutil.Process(pid)) for pid in (os.getpid(), server)])
    print(f"memory in MB, of the training and its server: {[[one[0] >> 20 for one in both] for both in sizes]}")  # noqa: T201  # for who lets it run for long
    found = [] if taken == 2 * each * PARTS else [f"{taken} samples came, not {2 * each * PARTS}"]
    for whose, (_, before, *later) in zip(("training", "server"), zip(*sizes, strict=True), strict=True):
        memory = max(memory for memory, _ in later) - before[0]
        if memory >= ROOM_BYTES:
            found.append(f"memory of the {whose} grew by {memory:,} bytes: {sizes}")
        if max(files for _, files in later) > before[1] + 4:  # a thread ends with its epoch, or a moment later
            found.append(f"files and threads of the {whose} grew: {sizes}")
    return found


def size_of(process: psutil.Process) -> tuple[int, int]:
    return process.memory_info().rss, process.num_fds() + process.num_threads()


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("transport", ["ipc", "tcp"])
def test_a_long_training_takes_no_more_than_a_short_one(transport: str, numbers: str, serve: Serve) -> None:
    server = serve(numbers, *(["--listen", "tcp://127.0.0.1:*"] if transport == "tcp" else []))
    batches = ledger.batches(numbers, batch_size=2, server=server.address)
    assert grown(endless(batches), BATCHES * 2 // 5, server.process.pid) == []
    feed = batches.feed()
    assert [one.digest for one in feed.stretches] == [digest_of(batches.plan, one) for one in feed.stretches]
    assert feed.samples == 2 * feed.batches


@pytest.mark.timeout(3600)
def test_decoding_for_long_takes_no_more_than_decoding_once(pictures: str, serve: Serve) -> None:
    server = serve(pictures, "--cache", "1")
    batches = ledger.batches(pictures, batch_size=2, server=server.address)
    assert grown(endless(batches), BATCHES // 10, server.process.pid) == []


@pytest.mark.timeout(3600)
def test_frames_for_long_take_no_more_than_frames_once(numbers: str, serve: Serve) -> None:
    server = serve(numbers, "--listen", "tcp://127.0.0.1:*")
    source = RemoteSource([server.address], shares_memory=False)
    assert grown(framed(source), BATCHES // 10, server.process.pid) == []


def framed(source: RemoteSource) -> Iterator[dict[str, Any]]:
    """Yield batches that are asked for ahead, as those of a training."""
    asked: deque[Callable[[], dict[str, Any]]] = deque()
    while True:
        asked.append(source.begin(np.array([len(asked), 7])))
        if len(asked) > 4:
            yield asked.popleft()()
