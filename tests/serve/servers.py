"""Data servers in processes of their own, and small data for them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from ledger.serve.batches import Batches
from tests.conftest import ROOT

ROWS = 300


@pytest.fixture
def arrays(repo: Path) -> str:
    (repo / "arrays").mkdir()
    np.save(repo / "arrays" / "x.npy", np.random.default_rng(0).integers(0, 255, (ROWS, 16, 16), dtype=np.uint8))
    np.save(repo / "arrays" / "label.npy", np.arange(ROWS) % 5)
    return "arrays"


@pytest.fixture
def pictures(repo: Path) -> str:
    return write_pictures(repo, 60)


def write_pictures(repo: Path, count: int) -> str:
    """Write grey pictures of three classes, each of the colour of its number; return their folder."""
    for number in range(count):
        place = repo / "pictures" / str(number % 3) / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), number).save(place)
    return "pictures"


class Server:
    """A data server in a process of its own."""

    def __init__(self, repo: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ledger", "serve", *arguments],
            cwd=repo,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        self.said = self.process.stderr.readline()
        assert " at " in self.said, self.said
        self.address = self.said.rpartition(" at ")[2].strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stderr is not None:
            self.process.stderr.close()

    def end(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.stderr is not None
        with self.process.stderr:
            said = self.process.stderr.read()
        assert self.process.wait(20) == 0
        return said


Serve = Callable[..., Server]


@pytest.fixture
def serve_in() -> Iterator[Serve]:
    """Start servers in any repository; none outlives the test, however that ends."""
    started: list[Server] = []

    def start(repo: Path, *arguments: str) -> Server:
        started.append(Server(repo, *arguments))
        return started[-1]

    yield start
    for server in started:
        server.kill()


@pytest.fixture
def serve(repo: Path, short_path: Path, serve_in: Serve, monkeypatch: pytest.MonkeyPatch) -> Serve:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_path))
    return partial(serve_in, repo)


def taken(batches: Batches) -> list[dict[str, bytes]]:
    return [{name: value.tobytes() for name, value in batch.items()} for batch in batches]


def decoders(server: Server) -> list[psutil.Process]:
    """Return the processes that decode for a server."""
    found = []
    for child in psutil.Process(server.process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # a zombie counts as one
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found
