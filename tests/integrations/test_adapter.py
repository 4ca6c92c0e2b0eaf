"""What adapters share, without any framework: whose run it is, what is stated, and what is never raised."""

import contextlib
import copy
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import ledger
from ledger.integrations.adapter import AdapterRun, harmless
from ledger.model.record import Record
from ledger.session.run.open_runs import open_runs
from ledger.store.branch.branch import Branch

OPTIONS = {"output": False, "experiment": "own"}


def records() -> list[Record]:
    return [run.record for run in Branch.open(Path()).contents().runs]


def test_a_training_has_a_run_of_its_own_which_stays_open_for_its_evaluation(repo: Path) -> None:
    adapter = AdapterRun(OPTIONS)
    run = adapter.begin({"lr": 0.1})
    assert run is not None
    adapter.settle()
    assert records() == []
    run.log({"test/loss": 0.5})
    adapter.finish()
    (record,) = records()
    assert (record.status, record.params.values) == ("finished", {"lr": 0.1})
    assert "test/loss" in record.statistics.series


def test_the_next_training_ends_the_run_of_one_that_is_over(repo: Path) -> None:
    first, second = AdapterRun(OPTIONS), AdapterRun(OPTIONS)
    first.begin()
    first.settle()
    second.begin()
    assert [record.status for record in records()] == ["finished"]
    second.settle()
    second.finish()
    assert len(records()) == 2


def test_a_training_never_joins_one_that_has_not_ended(repo: Path) -> None:
    first, second = AdapterRun(OPTIONS), AdapterRun(OPTIONS)
    assert first.begin() is not second.begin()
    second.finish()
    first.begin()  # once more, by the same callback
    assert [(record.status, record.reason) for record in records()] == [
        ("failed", "the training did not reach its end")
    ] * 2
    first.settle()
    first.finish()


def test_a_run_around_the_training_is_joined_and_left_open(repo: Path) -> None:
    adapter = AdapterRun(OPTIONS)
    with ledger.run("outer", params={"seed": 1}, output=False) as run:
        assert adapter.begin({"lr": 0.1}) is run
        adapter.finish()
        assert records() == []
    (record,) = records()
    assert record.params.values == {"seed": 1, "lr": 0.1}


def test_a_run_that_is_made_for_others_is_joined(repo: Path) -> None:
    job, training = AdapterRun(OPTIONS, around=True), AdapterRun(OPTIONS)
    assert job.begin() is training.begin()
    training.finish()
    job.settle()
    job.finish()
    assert len(records()) == 1


def test_the_run_of_another_training_is_skipped_for_the_one_around_both(repo: Path) -> None:
    job, first, second = AdapterRun(OPTIONS, around=True), AdapterRun(OPTIONS), AdapterRun(OPTIONS)
    first.begin()
    run = job.begin()
    assert run is not first.run
    assert second.begin() is run
    for one in (first, job):
        one.settle()
        one.finish()


def test_a_run_that_has_ended_is_joined_by_nobody(repo: Path) -> None:
    with ledger.run(output=False):
        assert len(open_runs()) == 1
    assert open_runs() == []


def test_a_thread_joins_its_own_run_or_that_of_the_main_thread(repo: Path) -> None:
    found: dict[str, list[str]] = {}
    opened, looked = threading.Event(), threading.Event()

    def own() -> None:
        with ledger.run("thread", output=False) as run:
            found["own"] = [run.id, *(one.id for one in open_runs())]
            opened.set()
            looked.wait(10)

    def other() -> None:
        opened.wait(10)
        found["other"] = [one.id for one in open_runs()]
        looked.set()

    with ledger.run("main", output=False) as run:
        threads = [threading.Thread(target=own), threading.Thread(target=other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found["own"] == [found["own"][0], found["own"][0], run.id]
    assert found["other"] == [run.id]


def test_an_argument_that_no_run_can_have_is_a_warning(repo: Path, caplog: pytest.LogCaptureFixture) -> None:
    adapter = AdapterRun({"experiment": "a\nb"})
    assert adapter.begin() is None
    adapter.state({"loss": 1.0}, "last")
    adapter.finish()
    assert "no run was begun" in caplog.text


def test_values_of_which_nobody_knows_what_is_better_are_not_stated(repo: Path) -> None:
    adapter = AdapterRun(OPTIONS)
    adapter.begin()
    adapter.state({"validation/loss": 1.0, "validation/wobble": 2.0, "score": 3.0}, "last", {"score": "higher"})
    adapter.state({"validation/loss": 0.5}, "last")
    adapter.settle()
    adapter.finish()
    (record,) = records()
    assert {metric.key: (metric.number, metric.evaluator) for metric in record.results.metrics} == {
        "validation/loss": (0.5, "last"),
        "score": (3.0, "last"),
    }


@pytest.fixture
def _ctrl_c() -> Iterator[None]:
    """Let SIGINT raise as for a user: a suite in the background starts with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_ctrl_c")
def test_what_the_handled_exception_means_is_the_end_of_the_run(repo: Path) -> None:
    adapter = AdapterRun(OPTIONS)
    adapter.begin()
    with contextlib.suppress(KeyboardInterrupt):
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            adapter.finish()
    assert [record.status for record in records()] == ["interrupted"]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])  # noqa: S301  # ours
def test_a_copy_of_an_adapter_begins_without_its_run(repo: Path, copied: Callable[[AdapterRun], AdapterRun]) -> None:
    adapter = AdapterRun(OPTIONS)
    adapter.begin()
    twin = copied(adapter)
    assert twin.run is None
    assert twin.options == OPTIONS
    adapter.settle()
    adapter.finish()


class Broken:
    def __init__(self) -> None:
        self.ledger = AdapterRun({})

    @harmless
    def hook(self, value: int) -> float:
        """Divide."""
        return 1 / value


def test_a_hook_that_raises_warns_once(caplog: pytest.LogCaptureFixture) -> None:
    broken = Broken()
    assert [broken.hook(0), broken.hook(0), broken.hook(2)] == [None, None, 0.5]
    assert caplog.text.count("Broken.hook: division by zero; the training goes on") == 1
    assert broken.hook.__doc__ == "Divide."


def test_an_end_that_cannot_be_added_is_a_warning(repo: Path, caplog: pytest.LogCaptureFixture) -> None:
    adapter = AdapterRun(OPTIONS, lambda: 1 / 0)
    adapter.begin()
    adapter.settle()
    adapter.finish()
    assert [record.status for record in records()] == ["finished"]
    assert "division by zero" in caplog.text
