"""Work is the same wherever it is done."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.data.version.manifest import build_manifest
from ledger.engine import open_engine
from ledger.errors import LedgerError, UsageError

ROOT = Path(__file__).parents[1]


def doubled(number: int) -> int:
    time.sleep(0.001 * (number % 3))
    return number * 2


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


@pytest.mark.parametrize("address", ["spark://x", "dask://", "here", "dask"])
def test_an_address_of_no_engine_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="no such engine"), open_engine(address):
        pass


def test_an_address_where_nobody_answers_is_told() -> None:
    with pytest.raises(LedgerError, match="nothing answers at this address"), open_engine("dask://127.0.0.1:1"):
        pass


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Dask cluster of separate processes on this machine: a scheduler and two workers."""
    folder = tmp_path_factory.mktemp("dask")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__DASHBOARD__LINK": ""}
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> Path:
        said = folder / f"{len(started)}.log"
        with said.open("wb") as log:
            command = [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]]
            started.append(subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log))
        return said

    def wait(said: Path, pattern: str, times: int = 1) -> "re.Match[str]":
        for _ in range(600):
            found = list(re.finditer(pattern, said.read_text("utf-8", "replace")))
            if len(found) >= times:
                return found[-1]
            time.sleep(0.1)
        raise AssertionError(said.read_text("utf-8", "replace"))

    try:
        log = start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
        address = wait(log, r"Scheduler at:\s+tcp://(127\.0\.0\.1:\d+)")[1]
        for _ in range(2):
            start("dask_worker", f"tcp://{address}", "--nthreads", "1", "--no-dashboard")
        wait(log, r"Register worker|Starting worker compute stream", times=2)
        yield f"dask://{address}"
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=30)


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
