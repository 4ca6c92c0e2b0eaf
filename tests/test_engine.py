"""Work is the same wherever it is done."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger import __version__
from ledger.data.version.manifest import build_manifest
from ledger.engine import open_engine
from ledger.errors import LedgerError, UsageError

ROOT = Path(__file__).parents[1]


def doubled(number: int) -> int:
    time.sleep(0.001 * (number % 3))
    return number * 2


def slow(name: str) -> None:
    time.sleep(0.3)
    Path(name).touch()


def process_of(_: int) -> int:
    return os.getpid()


def refusing(number: int) -> int:
    if number == 3:
        raise LedgerError("three is refused", hint="four")
    return number


def test_results_come_in_the_order_of_the_items() -> None:
    with open_engine(jobs=4) as engine:
        assert list(engine.map(doubled, range(200))) == [2 * number for number in range(200)]
        assert list(engine.map(doubled, [])) == []


def test_items_are_taken_only_as_workers_become_free() -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    with open_engine(jobs=2) as engine:
        next(iter(engine.map(doubled, items())))
    assert len(taken) < 50


def test_an_error_of_one_item_ends_the_rest() -> None:
    with open_engine(jobs=2) as engine, pytest.raises(LedgerError, match="three is refused"):
        list(engine.map(refusing, range(1000)))


def dying(number: int) -> int:
    if number == 3:
        os._exit(9)
    return number


def test_processes_start_afresh_and_one_that_is_killed_is_one_line() -> None:
    with open_engine(jobs=2, processes=True) as engine:
        assert set(engine.map(process_of, range(20))) & {os.getpid()} == set()
        with pytest.raises(LedgerError, match="a process that worked for this one was killed"):
            list(engine.map(dying, range(50)))


@pytest.mark.parametrize("address", ["spark://x", "dask://", "here", "dask"])
def test_an_address_of_no_engine_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="no such engine"), open_engine(address):
        pass


def test_an_address_where_nobody_answers_is_told() -> None:
    with pytest.raises(LedgerError, match="nothing answers at this address"), open_engine("dask://127.0.0.1:1"):
        pass


class DaskCluster:
    """A Dask cluster of separate processes on this machine: a scheduler and two workers.

    Args:
        folder: where its processes work and write.
        path: where they look for packages.
    """

    def __init__(self, folder: Path, path: str) -> None:
        self._folder = folder
        self._environment = {**os.environ, "PYTHONPATH": path, "DASK_DISTRIBUTED__DASHBOARD__LINK": ""}
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self) -> str:
        """Start it and return its address."""
        log = self._start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
        address = self._wait(log, r"Scheduler at:\s+tcp://(127\.0\.0\.1:\d+)")[1]
        for _ in range(2):
            self._start("dask_worker", f"tcp://{address}", "--nthreads", "1", "--no-dashboard", "--no-nanny")
        self._wait(log, r"Register worker|Starting worker compute stream", times=2)
        return f"dask://{address}"

    def end(self, first: int = 0) -> None:
        """End its processes, from a number on: 0 is the scheduler. Idempotent."""
        for process in self._started[first:]:
            process.kill()
        for process in self._started[first:]:
            process.wait(timeout=30)

    def _start(self, *arguments: str) -> Path:
        said = self._folder / f"{len(self._started)}.log"
        with said.open("wb") as log:
            command = [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]]
            process = subprocess.Popen(command, cwd=self._folder, env=self._environment, stdout=log, stderr=log)
        self._started.append(process)
        return said

    def _wait(self, said: Path, pattern: str, times: int = 1) -> "re.Match[str]":
        for _ in range(600):
            found = list(re.finditer(pattern, said.read_text("utf-8", "replace")))
            if len(found) >= times:
                return found[-1]
            time.sleep(0.1)
        raise AssertionError(said.read_text("utf-8", "replace"))


@contextmanager
def dask_cluster(folder: Path, *path: Path) -> Iterator[tuple[str, DaskCluster]]:
    """Give the address of a cluster, and the cluster, for the length of the block."""
    made = DaskCluster(folder, os.pathsep.join(map(str, path)))
    try:
        yield made.start(), made
    finally:
        made.end()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with dask_cluster(tmp_path_factory.mktemp("dask"), ROOT) as (address, _):
        yield address


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    for number in range(1500):
        folder = tmp_path / f"{number % 7}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number} é.txt").write_text(f"content {number}")
    (tmp_path / "large.bin").write_bytes(os.urandom(20_000_000))
    return tmp_path


def test_a_cluster_of_processes_gives_the_same_bytes_as_this_process(cluster: str, dataset: Path) -> None:
    expected = build_manifest(dataset, jobs=1)
    seen: list[int] = []
    with open_engine(cluster) as engine:
        found = build_manifest(dataset, engine=engine, progress=lambda done, _: seen.append(done))
    assert found == expected
    assert found.lines.text == expected.lines.text
    assert seen[-1] == 1501


def test_what_goes_wrong_on_a_cluster_is_told_as_here(cluster: str, dataset: Path) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
    (dataset / "big.bin").write_text(pointer)
    with open_engine(cluster) as engine, pytest.raises(LedgerError, match="git-lfs pointer") as caught:
        build_manifest(dataset, engine=engine)
    assert caught.value.hint == "git lfs pull"


def test_abandoned_items_are_cancelled(cluster: str, tmp_path: Path) -> None:
    with open_engine(cluster) as engine:
        results = engine.map(slow, [str(tmp_path / str(number)) for number in range(40)])
        next(results)
        results.close()  # type: ignore[attr-defined]  # a generator
        time.sleep(1)
    assert 1 <= len(list(tmp_path.iterdir())) <= 4


@pytest.mark.parametrize("where", ["True", "'dask_worker' in sys.orig_argv[2]"])
def test_workers_without_the_package_are_told_to_install_it(tmp_path: Path, where: str) -> None:
    bare = tmp_path / "bare"
    (bare / "ledger").mkdir(parents=True)
    (bare / "ledger" / "__init__.py").write_text(BARE.format(where=where, folder=str(bare)))
    with dask_cluster(bare, bare, ROOT) as (address, _):
        with pytest.raises(LedgerError, match="they lack `ledger`") as caught, open_engine(address):
            pass
        assert caught.value.hint == f"pip install git-ledger=={__version__}, on every machine of the cluster"


BARE = """
import sys
if {where}:
    raise ModuleNotFoundError("No module named 'ledger'", name="ledger")
sys.path.remove({folder!r})
del sys.modules["ledger"]
import ledger
"""
"""A package before the real one, which is not there for some processes of a cluster."""


@pytest.mark.parametrize(("first", "said"), [(0, ""), (1, "it has had no workers for 1 s")])
def test_a_cluster_that_ends_under_way_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int, said: str
) -> None:
    monkeypatch.setattr("ledger.engine._EMPTY_SECONDS", 1)
    with dask_cluster(tmp_path, ROOT) as (address, made), open_engine(address) as engine:
        results = engine.map(time.sleep, [0.05] * 1000)
        next(results)
        made.end(first)
        with pytest.raises(LedgerError, match=f"the Dask cluster is gone: {said}") as caught:
            list(results)
    assert "\n" not in caught.value.message
    assert caught.value.hint == "start it again; what is recorded stays"
