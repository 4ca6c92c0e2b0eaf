"""A run that `ledger.batches` feeds has in its record what served it, from which anybody computes the order again."""

import json
import os
import signal
from pathlib import Path

import msgspec
import numpy as np
import pytest

import ledger
from ledger.model.feed import Feed, FeedPlan, FeedStretch
from ledger.model.record import Record
from ledger.serve.order.plan import BatchPlan, digest_of
from ledger.store.branch.branch import Branch
from tests.conftest import Cli, run_python


@pytest.fixture
def data(repo: Path) -> Path:
    folder = repo / "data"
    folder.mkdir()
    np.save(folder / "x.npy", np.arange(300.0).reshape(100, 3))
    np.save(folder / "label.npy", np.arange(100) % 5)
    return folder


def only_record(repo: Path) -> Record:
    (run,) = Branch.open(repo).contents().runs
    return run.record


def proved(feed: Feed) -> bool:
    """Return whether the plan of a record gives the digests of the record."""
    plan = BatchPlan(feed.plan)
    return plan.digest == feed.plan_digest and all(digest_of(plan, one) == one.digest for one in feed.stretches)


def test_the_json_of_a_record_alone_proves_the_order(data: Path, repo: Path, cli: Cli) -> None:
    with ledger.run("fed", folder=repo) as run:
        batches = ledger.batches(data, batch_size=8, seed=3, curriculum={1: {"keep": {"label": ["2", "4"]}}})
        for _ in range(2):
            for batch in run.loading(batches):
                run.log({"loss": float(batch["x"].sum())})
    (document,) = json.loads(cli("show", run.id, "--json").out)["record"]["datasets"]["feeds"]
    plan = BatchPlan(msgspec.convert(document["plan"], FeedPlan))
    stretches = msgspec.convert(document["stretches"], list[FeedStretch])
    assert [one.batches for one in stretches] == [12, 5]
    assert [digest_of(plan, one) for one in stretches] == [one.digest for one in stretches]
    assert document["batches"] == 17
    assert document["verified"] is True


def test_what_fed_a_run_is_a_dataset_of_it_and_stands_there_once(data: Path, repo: Path) -> None:
    with ledger.run("fed", folder=repo) as run:
        run.dataset(str(data), role="train")
        batches = ledger.batches(data, batch_size=8)
        for _ in run.loading(batches):
            pass
        for _ in run.loading(ledger.batches(data, batch_size=50, role="validation", order="sequential")):
            pass
    datasets = only_record(repo).datasets
    assert [(use.role, use.files, use.bytes) for use in datasets.used] == [
        ("train", 2, datasets.used[0].bytes),
        ("validation", 2, datasets.used[0].bytes),
    ]
    assert [feed.batches for feed in datasets.feeds] == [12, 2]
    assert all(map(proved, datasets.feeds))


def test_a_loader_of_torch_around_batches_is_followed(data: Path, repo: Path) -> None:
    torch = pytest.importorskip("torch")
    with ledger.run("fed", folder=repo) as run:
        loader = torch.utils.data.DataLoader(ledger.batches(data, batch_size=8, as_torch=True), batch_size=None)
        for _ in run.loading(loader):
            pass
        for _ in run.loading([1, 2]):
            pass
    (feed,) = only_record(repo).datasets.feeds
    assert feed.batches == 12
    assert proved(feed)


def test_what_workers_of_a_loader_served_is_unknown_and_said_so(data: Path, repo: Path) -> None:
    torch = pytest.importorskip("torch")
    with ledger.run("fed", folder=repo) as run:
        batches = ledger.batches(data, batch_size=8, as_torch=True)
        batches.set_epoch(0)
        for _ in run.loading(torch.utils.data.DataLoader(batches, batch_size=None, num_workers=1)):
            pass
    datasets = only_record(repo).datasets
    assert datasets.feeds == []
    assert "workers of a DataLoader" in datasets.unknown["feeds"]
    assert len(datasets.used) == 1


KILLED = """
import sys, time, ledger
with ledger.run("fed", output=False) as run:
    batches = ledger.batches("data", batch_size=8, seed=3)
    for number, batch in enumerate(run.loading(batches)):
        if number == 6:
            batches.state_dict()
            print("ready", flush=True)
            time.sleep(60)
"""


def test_a_killed_run_keeps_what_it_was_fed_up_to_its_checkpoint(data: Path, repo: Path, cli: Cli) -> None:
    process = run_python(KILLED, cwd=repo)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert cli("recover").code == 0
    (feed,) = only_record(repo).datasets.feeds
    assert [(one.epoch, one.first, one.last) for one in feed.stretches] == [(0, 0, 6)]
    assert proved(feed)


def test_the_terminal_says_how_a_run_was_fed(data: Path, repo: Path, cli: Cli) -> None:
    with ledger.run("fed", folder=repo) as run:
        batches = ledger.batches(
            data, batch_size=8, seed=3, keep={"label": ["1", "2", "3"]}, tail="pad", skip=[(0, 1, 2)]
        )
        for _ in run.loading(batches):
            pass
    shown = cli("show", run.id).out
    assert "shuffled, label 1, 2, 3 only, 60 samples, seed 3, batches of 8" in shown
    assert "batches 1 to 2 of epoch 0" in shown
    assert "6 batches, 48 samples, 44 different, 4 of them to fill a batch; epoch 0" in shown
    assert f"batches 0 to 7, order {only_record(repo).datasets.feeds[0].stretches[0].digest[:19]}" in shown


def test_a_run_without_a_feed_loads_none(repo: Path) -> None:
    script = (
        "import sys, ledger\n"
        "with ledger.run('x', output=False) as run:\n    list(run.loading([1, 2]))\n"
        "print([name for name in sys.modules if name.startswith(('ledger.serve', 'numpy'))])\n"
    )
    done = run_python(script, cwd=repo)
    out, _ = done.communicate(timeout=60)
    assert out.splitlines()[-1] == "[]"


BROKEN = """
import os, ledger
again = os.path.exists("state")
batches = ledger.batches("arrays", batch_size=4, order="sequential", broken="skip")
with ledger.run("broken", resume="key", output=False) as run:
    if again:
        batches.load_state_dict(eval(open("state").read()))
    for number, _ in enumerate(run.loading(batches)):
        if number == 1 and not again:
            open("state", "w").write(repr(batches.state_dict()))
            os.kill(os.getpid(), 9)
"""


def test_broken_samples_of_both_attempts_are_counted_and_named_once(repo: Path) -> None:
    (repo / "arrays" / "one").mkdir(parents=True)
    for number in range(20):
        np.save(repo / "arrays" / "one" / f"{number:02}.npy", np.full(2, number))
    for number in (3, 17):  # one is read by the first attempt, both are by the second at most
        (repo / "arrays" / "one" / f"{number:02}.npy").write_bytes(b"no array")
    for code in (-signal.SIGKILL, 0):
        process = run_python(BROKEN, cwd=repo)
        _, err = process.communicate(timeout=60)
        assert process.returncode == code, err
    record = only_record(repo)
    (feed,) = record.datasets.feeds
    assert len(record.timing.attempts) == 2
    assert (feed.broken, feed.batches, feed.samples) == (2, 5, 18)
    assert sorted(said.rpartition("`")[0].rpartition("/")[2][-6:] for said in feed.broken_named) == ["03.npy", "17.npy"]
