"""Data servers, trainings and decoding processes killed at random moments: every batch once, whole and in order."""

import os
import random
import signal
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

from ledger.model.feed import FeedStretch
from ledger.serve.batches import Batches
from ledger.serve.order.plan import digest_of
from tests.conftest import ROOT
from tests.faults.account import Figures
from tests.faults.conftest import KILLS, SEED
from tests.faults.fed_training import Checkpoint, endless, link, open_batches, twice
from tests.serve.servers import Serve, Server, decoders, write_pictures

MOST_KILLS = max(30, KILLS // 3)


@pytest.fixture
def arrays(repo: Path) -> str:
    (repo / "arrays").mkdir()
    np.save(repo / "arrays" / "x.npy", np.random.default_rng(0).integers(0, 255, (4000, 5, 5), dtype=np.uint8))
    np.save(repo / "arrays" / "label.npy", np.arange(4000) % 5)
    return "arrays"


@pytest.fixture
def pictures(repo: Path) -> str:
    return write_pictures(repo, 200)


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
    "arrays": Case("arrays", ["ipc://FOLDER/own/0"], [], ["server", "training", "both"], 0.4),
    "two servers": Case(
        "arrays", ["ipc://FOLDER/own/0", "ipc://FOLDER/own/1"], [], ["server", "server", "training", "both"], 0.2
    ),
    "pictures": Case(
        "pictures",
        ["tcp://127.0.0.1:*"],
        ["--transform", "tests.faults.fed_training:twice", "--processes", "2", "--cache", "0"],
        ["server", "training", "both", "process", "process"],
        0.2,
    ),
    "kept on disk": Case(
        "pictures",
        ["ipc://FOLDER/own/0"],
        ["--transform", "tests.faults.fed_training:twice", "--disk-cache", "1", "--cache", "0"],
        ["server", "both"],
        0.2,
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
            with suppress(psutil.NoSuchProcess, IndexError):
                self.chance.choice(decoders(server)).kill()
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

    def finish(self) -> tuple[Checkpoint, Batches]:
        """Let the training get another batch and end; return what it kept, and the batches of one without a fault."""
        self.advance()
        Path(f"{self.checkpoint}.stop").touch()
        assert (self.end(), self.training.returncode) == ("", 0)
        return self.kept, open_batches(self.case.data, [], twice if self.case.options else None)

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
    kept, whole = started.finish()
    figures.lost += max(0, 8 * kept.steps - kept.samples)
    figures.twice += max(0, kept.samples - 8 * kept.steps)
    figures.damaged += kept.chain != chain_of(whole, kept.steps)
    figures.damaged += not is_proved(whole, kept.stretches)
    assert figures.clean, figures


@pytest.mark.parametrize("state", ["serves", "stands still", "is gone"])
def test_ctrl_c_ends_a_training_whatever_its_server_does(state: str, campaign: Callable[[Case], Campaign]) -> None:
    started = campaign(CASES["arrays"])
    started.advance()
    server = started.servers[0]
    if state == "stands still":
        server.process.send_signal(signal.SIGSTOP)
    if state == "is gone":
        server.kill()
    threading.Event().wait(0.3)
    while started.training.poll() is None:  # again, where it came into a finalizer, which loses it
        started.training.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            started.training.wait(1)
    assert started.training.returncode == -signal.SIGINT
    assert "KeyboardInterrupt\n" in started.end()
    if state == "is gone":
        started.servers[0] = started.serve("arrays", "--listen", server.address)
    server.process.send_signal(signal.SIGCONT)
    started.training = started.start()
    finish(started)


def test_ctrl_c_ends_a_server_and_the_training_waits_for_the_next(campaign: Callable[[Case], Campaign]) -> None:
    started = campaign(CASES["arrays"])
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGSTOP):
        started.advance()
        server = started.servers[0]
        server.process.send_signal(how)
        if how == signal.SIGSTOP:
            threading.Event().wait(2.5)  # longer than a server may be silent
            server.process.send_signal(signal.SIGCONT)
            continue
        assert server.process.wait() == 0
        assert not Path(server.address.removeprefix("ipc://")).exists()
        started.servers[0] = started.serve("arrays", "--listen", server.address)
    finish(started)


def finish(started: Campaign) -> None:
    """Let a training end, and compare it with one that reads its data itself."""
    kept, whole = started.finish()
    assert (kept.samples, kept.chain) == (8 * kept.steps, chain_of(whole, kept.steps))
    assert is_proved(whole, kept.stretches)


FULL_SHM = """
import subprocess, sys, ledger
serve = [sys.executable, "-m", "ledger", "serve", "arrays"]
with subprocess.Popen(serve, stderr=subprocess.PIPE, text=True) as server:
    address = server.stderr.readline().rpartition(" at ")[2].strip()
    batches = ledger.batches("arrays", batch_size=8, server=address)
    print(len(list(batches)), batches._source.shares_memory)
    server.terminate()
print(subprocess.run([*serve, "--processes", "1"], stderr=subprocess.PIPE, text=True).stderr)
"""


def test_where_shared_memory_is_full_batches_go_through_memory_all_the_same(
    arrays: str, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_path))
    fill = "mount -t tmpfs -o size=64k tmpfs /dev/shm || exit 77; head -c 65536 /dev/zero > /dev/shm/full"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f'{fill}; exec "$0" -c "$1"', sys.executable, FULL_SHM],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("only root may mount a file system")
    assert done.stdout.splitlines()[:2] == [
        "500 True",
        "error: the processes that decode cannot be started (no space left on device)",
    ]


def chain_of(batches: Batches, steps: int) -> str:
    """Return what a training has learned after some steps."""
    chain = ""
    for _, batch in zip(range(steps), endless(batches), strict=False):
        chain = link(chain, batch)
    return chain


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
