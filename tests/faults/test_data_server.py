"""Data servers, trainings and decoding processes killed at random moments: every batch once, whole and in order."""

import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import psutil
import pytest
from PIL import Image

from ledger.model.feed import FeedStretch
from ledger.serve.batches import Batches
from ledger.serve.order.plan import digest_of
from tests.conftest import ROOT
from tests.faults.account import Figures
from tests.faults.conftest import KILLS, SEED
from tests.faults.fed_training import Checkpoint, endless, link, open_batches
from tests.serve.test_server import Serve, Server, serve

__all__ = ["serve"]

MOST_KILLS = max(30, KILLS // 3)


@pytest.fixture
def arrays(repo: Path) -> str:
    (repo / "arrays").mkdir()
    np.save(repo / "arrays" / "x.npy", np.random.default_rng(0).integers(0, 255, (4000, 5, 5), dtype=np.uint8))
    np.save(repo / "arrays" / "label.npy", np.arange(4000) % 5)
    return "arrays"


@pytest.fixture
def pictures(repo: Path) -> str:
    for number in range(200):
        place = repo / "pictures" / str(number % 3) / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), number).save(place)
    (repo / "own.py").write_text("def twice(sample):\n    return {**sample, 'image': sample['image'] * 2}\n")
    return "pictures"


class Case(NamedTuple):
    """What is killed."""

    data: str
    listen: list[str]
    """Address of each server; `FOLDER` is one of the test."""
    options: list[str]
    manners: list[str]
    part: float
    """Part of all kills."""


CASES = {
    "arrays": Case("arrays", ["ipc://FOLDER/own/0"], [], ["server", "training", "both"], 0.5),
    "two servers": Case(
        "arrays", ["ipc://FOLDER/own/0", "ipc://FOLDER/own/1"], [], ["server", "server", "training", "both"], 0.2
    ),
    "pictures": Case(
        "pictures",
        ["tcp://127.0.0.1:*"],
        ["--transform", "own:twice", "--processes", "2", "--cache", "0"],
        ["server", "training", "both", "process", "process"],
        0.3,
    ),
}


class Campaign:
    """Kills of servers and a training, which are started again."""

    def __init__(self, case: Case, servers: list[Server], serve: Serve, checkpoint: Path) -> None:
        self.case, self.servers, self.serve, self.checkpoint = case, servers, serve, checkpoint
        self.chance = random.Random(SEED)  # noqa: S311  # which moment, no secret
        self.training = self.start()

    def start(self) -> "subprocess.Popen[str]":
        addresses = [server.address for server in self.servers]
        return subprocess.Popen(
            [sys.executable, "-m", "tests.faults.fed_training", self.case.data, str(self.checkpoint), *addresses],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )

    def kill(self, manner: str) -> None:
        """Kill as `manner` says, and start again what was killed."""
        number = self.chance.randrange(len(self.servers))
        server = self.servers[number]
        if manner == "process":
            children = psutil.Process(server.process.pid).children(recursive=True)
            with suppress(psutil.NoSuchProcess, IndexError):
                self.chance.choice(children).kill()
        if manner in {"server", "both"}:
            server.kill()
        if manner in {"training", "both"}:
            self.training.kill()
            self.end()
        if manner in {"server", "both"}:
            self.servers[number] = self.serve(self.case.data, *self.case.options, "--listen", server.address)
        if manner in {"training", "both"}:
            self.training = self.start()

    def advance(self) -> None:
        """Wait until the training has got another batch."""
        before = self.steps
        while self.steps == before:
            if self.training.poll() is not None:
                said = self.end()
                # A machine may be so busy that a server needs longer to start than a training waits for it at first.
                assert "no data server answers" in said, said
                self.training = self.start()
            threading.Event().wait(0.005)

    @property
    def steps(self) -> int:
        return self.kept.steps if self.checkpoint.exists() else 0

    @property
    def kept(self) -> Checkpoint:
        return msgspec.json.decode(self.checkpoint.read_bytes(), type=Checkpoint)

    def end(self) -> str:
        """Wait for the end of the training, and return what it said."""
        assert self.training.stderr is not None
        with self.training.stderr:
            said = self.training.stderr.read()
        self.training.wait()
        return said


@pytest.fixture
def campaign(
    request: pytest.FixtureRequest, serve: Serve, short_path: Path, tmp_path: Path
) -> Iterator[Callable[[Case], Campaign]]:
    made: list[Campaign] = []

    def start(case: Case) -> Campaign:
        request.getfixturevalue(case.data)
        listen = [address.replace("FOLDER", str(short_path)) for address in case.listen]
        servers = [serve(case.data, *case.options, "--listen", address) for address in listen]
        made.append(Campaign(case, servers, serve, tmp_path / "checkpoint"))
        return made[-1]

    yield start
    for one in made:
        one.training.kill()
        if one.training.stderr is not None and not one.training.stderr.closed:
            one.end()


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", CASES)
def test_killed_at_any_moment_a_training_gets_every_batch_once(
    name: str, campaign: Callable[[Case], Campaign], figures: Figures
) -> None:
    case = CASES[name]
    started = campaign(case)
    for _ in range(round(MOST_KILLS * case.part)):
        if started.chance.random() < 0.8:  # else while it starts
            started.advance()
        threading.Event().wait(started.chance.random() * 0.3)
        started.kill(started.chance.choice(case.manners))
        figures.kills += 1
    started.advance()
    Path(f"{started.checkpoint}.stop").touch()
    assert (started.end(), started.training.returncode) == ("", 0)
    kept = started.kept
    whole = open_batches(case.data, [started.servers[0].address] if case.options else [])
    chain, samples = "", 0
    for _, batch in zip(range(kept.steps), endless(whole), strict=False):
        chain, samples = link(chain, batch), samples + len(batch["label"])
    figures.lost += max(0, samples - kept.samples)
    figures.twice += max(0, kept.samples - samples)
    figures.damaged += chain != kept.chain
    figures.damaged += not is_proved(whole, kept.stretches)


def is_proved(batches: Batches, lives: list[list[FeedStretch]]) -> bool:
    """Return whether what was served, life after life, is the plan from its first batch on, without a gap."""
    stretches = [one for life in lives for one in life]
    digests = [one.digest for one in stretches] == [digest_of(batches.plan, one) for one in stretches]
    first = (stretches[0].epoch, stretches[0].first) == (0, 0)
    follows = [
        (after.epoch, after.first)
        == ((one.epoch, one.last + 1) if one.last + 1 < batches.plan.end(one.epoch) else (one.epoch + 1, 0))
        for one, after in pairwise(stretches)
    ]
    return digests and first and all(follows)
