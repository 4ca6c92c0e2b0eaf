"""Waiting for data: counted around every batch of a really slow loader, and kept by a run that is killed."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import ledger
from ledger.session.run.loading import LoaderWait, Loading
from ledger.store.branch.branch import Branch
from tests.conftest import Cli, run_python

SLOW = 0.02


class Slow:
    """A loader of four batches, each of which takes its time."""

    batch_size = 32

    def __init__(self, seconds: float = SLOW) -> None:
        self.seconds = seconds

    def __len__(self) -> int:
        return 4

    def __iter__(self) -> Iterator[int]:
        for number in range(4):
            time.sleep(self.seconds)
            yield number


def test_the_record_has_the_seconds_that_training_waited_and_not_those_it_worked(repo: Path, cli: Cli) -> None:
    with ledger.run("waiting") as run:
        for _ in range(2):
            for _ in run.loading(Slow()):
                time.sleep(2 * SLOW)
    (made,) = Branch.open(repo).contents().runs
    usage = made.record.hardware.usage
    assert usage is not None
    assert usage.data_wait_seconds is not None
    assert 8 * SLOW <= usage.data_wait_seconds < 16 * SLOW, "the work of each batch is twice its wait"
    assert "waited for data" in cli("show", made.record.id).out
    shown = json.loads(cli("show", made.record.id, "--json").out)["record"]["hardware"]["usage"]
    assert shown["data_wait_seconds"] == usage.data_wait_seconds


def test_a_run_without_a_wrapped_loader_says_nothing_of_waiting(repo: Path) -> None:
    with ledger.run("quiet"):
        pass
    (made,) = Branch.open(repo).contents().runs
    assert made.record.hardware.usage is None or made.record.hardware.usage.data_wait_seconds is None


def test_a_loader_that_feeds_another_counts_once_and_two_beside_each_other_add_up() -> None:
    waiting = LoaderWait(lambda _: None)
    assert list(Loading(Loading(Slow(), waiting), waiting)) == [0, 1, 2, 3]
    assert waiting.seconds is not None
    assert 4 * SLOW <= waiting.seconds < 8 * SLOW
    before = waiting.seconds
    assert len(list(Loading(Slow(), waiting))) == 4
    assert waiting.seconds - before >= 4 * SLOW


def test_errors_length_and_attributes_are_those_of_the_loader() -> None:
    def broken() -> Iterator[int]:
        yield 1
        time.sleep(SLOW)
        raise OSError("the disk is gone")

    waiting = LoaderWait(lambda _: None)
    seen: list[int] = []
    with pytest.raises(OSError, match="the disk is gone"):
        seen.extend(Loading(broken(), waiting))
    assert seen == [1]
    assert (waiting.seconds or 0) >= SLOW
    wrapped = Loading(Slow(), waiting)
    assert (len(wrapped), wrapped.batch_size) == (4, 32)
    with pytest.raises(TypeError):
        len(Loading(broken(), waiting))
    with pytest.raises(TypeError):
        list(Loading(3, waiting))  # type: ignore[arg-type]  # what is no loader
    before = waiting.seconds
    list(Loading(Slow(), waiting))
    assert (waiting.seconds or 0) > (before or 0), "an error must not stop the count"


def test_a_killed_run_keeps_what_was_counted(repo: Path, cli: Cli) -> None:
    script = """
import sys, time, ledger
run = ledger.run("killed")
def slow():
    while True:
        time.sleep(0.05)
        yield 1
for number, _ in enumerate(run.loading(slow())):
    if number == 30:
        print("ready", flush=True)
"""
    process = run_python(script, cwd=repo)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    cli("recover")
    (made,) = Branch.open(repo).contents().runs
    usage = made.record.hardware.usage
    assert made.record.status == "lost"
    assert usage is not None
    assert (usage.data_wait_seconds or 0) >= 0.5
    assert cli("site", "build", "-o", "site").code == 0
    assert "waited for data" in (repo / "site" / "runs" / f"{made.record.id}.html").read_text("utf-8")
