"""Hosts that share no folder, played on one machine: each has a clone and a name of its own."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ledger.model.entries import StoredRun
from ledger.session.spool.spool import spools
from ledger.store.branch.branch import Branch
from tests.conftest import ROOT, Finished, make_repository

SECRET = "0123456789abcdef" * 2
_NAMES = """
import os, socket
if "PLAYED_HOST" in os.environ:
    socket.gethostname = lambda: os.environ["PLAYED_HOST"]
"""

TRAIN = """
import os, sys, time, ledger
from pathlib import Path
rank, ranks = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
meet, steps = Path(os.environ["MEET"]), int(os.environ.get("STEPS", "20"))
if os.environ.get("TORCH"):
    import torch.distributed
    torch.distributed.init_process_group("gloo")

def barrier(name):
    (meet / f"{name}{rank}").touch()
    while not all((meet / f"{name}{other}").exists() for other in range(ranks)):
        time.sleep(0.01)

def hold(name):
    (meet / f"{name}{rank}").touch()
    while not (meet / f"{name}.go").exists():
        time.sleep(0.01)

with ledger.run("ddp", params={"lr": 0.1}, sample_seconds=0.2) as run:
    barrier("begun")
    for step in range(steps):
        run.log({"train/loss": 1 / (step + 1) + 10 * rank}, step)
        run.log({"accuracy": float(rank), "samples": 1.0 + rank}, step, reduce="mean")
        if step == steps // 2 and os.environ.get("HOLD"):
            hold("half")
    barrier("done")
    if os.environ.get("LAST"):
        hold("last")
"""


class Hosts:
    """Some hosts, and the ranks on them."""

    def __init__(self, folder: Path, count: int) -> None:
        self.meet = folder / "meet"
        self.meet.mkdir()
        self._started: list[subprocess.Popen[str]] = []
        self._names = folder / "names"
        self._names.mkdir()
        (self._names / "sitecustomize.py").write_text(_NAMES)
        self.folders = [make_repository(folder / f"host{number}") for number in range(count)]
        for one in self.folders:
            (one / "train.py").write_text(TRAIN)

    def environment(self, host: int, **variables: str) -> dict[str, str]:
        return os.environ | {
            "PYTHONPATH": f"{ROOT}{os.pathsep}{self._names}",
            "PLAYED_HOST": f"host{host}",
            "MEET": str(self.meet),
            **variables,
        }

    def start(self, rank: int, ranks: int, **variables: str) -> "subprocess.Popen[str]":
        """Start a rank; equally many are on each host."""
        each = ranks // len(self.folders)
        launcher = {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank % each),
            "WORLD_SIZE": str(ranks),
            "LOCAL_WORLD_SIZE": str(each),
            "MASTER_ADDR": "127.0.0.1",
        }
        process = subprocess.Popen(
            [sys.executable, "train.py"],
            cwd=self.folders[rank // each],
            env=self.environment(rank // each, **launcher, **variables),
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def close(self) -> None:
        """End what a failed test has left."""
        for process in self._started:
            process.kill()
            process.communicate()

    def train(self, ranks: int, **variables: str) -> list[str]:
        """Run all ranks and return what each printed."""
        return [ended(one) for one in [self.start(rank, ranks, **variables) for rank in range(ranks)]]

    def await_(self, name: str, ranks: int) -> None:
        """Wait until ranks have come to a point."""
        until(lambda: all((self.meet / f"{name}{rank}").exists() for rank in range(ranks)))

    def go(self, name: str) -> None:
        """Let ranks go on from a point."""
        (self.meet / f"{name}.go").touch()

    def cli(self, host: int, *arguments: str) -> Finished:
        done = subprocess.run(
            [sys.executable, "-m", "ledger", *arguments],
            cwd=self.folders[host],
            env=self.environment(host),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def runs(self, host: int) -> list[StoredRun]:
        return list(Branch.open(self.folders[host]).contents().runs)

    def spools(self, host: int) -> list[Path]:
        return spools(Branch.open(self.folders[host]).repository.state_dir)


def ended(process: "subprocess.Popen[str]", code: int = 0) -> str:
    """Return what a process printed, when it has ended."""
    _, told = process.communicate(timeout=120)
    assert process.returncode == code, told
    return told


def until(true: object, seconds: float = 60.0) -> None:
    """Wait until something is true."""
    assert callable(true)
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def free_port() -> int:
    """Return a port that nobody uses at present."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stated(port: int, key: str = SECRET) -> dict[str, str]:
    """Return the variables of a link."""
    return {"LEDGER_LINK": f"tcp://127.0.0.1:{port}", "LEDGER_LINK_KEY": key}


class Relay:
    """A network between two hosts that can be cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._open: list[socket.socket] = []
        self.carried = 0
        self.cut_off = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                one, _ = self._listening.accept()
                if self.cut_off:
                    one.close()
                    continue
                try:
                    other = socket.create_connection(("127.0.0.1", self._to))
                except OSError:
                    one.close()
                    continue
                self._open += [one, other]
                for pair in ((one, other), (other, one)):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if self.cut_off:
                    break
                target.sendall(data)
                self.carried += len(data)
        source.close()
        target.close()

    def cut(self) -> None:
        """Cut every connection; new ones are refused until it is mended."""
        self.cut_off = True
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def mend(self) -> None:
        self.cut_off = False

    def close(self) -> None:
        self.cut()
        self._listening.close()


@contextmanager
def relay_to(port: int) -> Iterator[Relay]:
    relay = Relay(port)
    try:
        yield relay
    finally:
        relay.close()
