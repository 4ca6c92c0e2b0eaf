"""Many at once, with and without locks, and clocks that jump: nothing is lost and nothing is there twice."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from ledger.errors import Conflict
from ledger.model.ids import new_id
from ledger.store.branch.branch import Branch
from ledger.store.sync.sync import sync
from tests.conftest import ROOT, git_in
from tests.faults.account import Account, Figures
from tests.faults.conftest import KILLS
from tests.faults.victim import CLONE_STEP, numbered
from tests.store.branch.test_branch import NOW, entry
from tests.store.sync.remotes import clone, held, make_hub

_WITHOUT_LOCKS = (
    "import fcntl\n"
    "def flock(descriptor, operation): raise OSError(38, 'Function not implemented')\n"
    "fcntl.flock = flock\n"
)
_APPEND = (
    "import sys; from ledger.store.branch.branch import Branch; from tests.faults.victim import numbered\n"
    "for n in range(int(sys.argv[3])): Branch.open(sys.argv[1]).append(numbered(int(sys.argv[2]) * 1000 + n))"
)
_SYNC = (
    "import sys; from ledger.store.branch.branch import Branch; from ledger.store.sync.sync import sync\n"
    "from tests.faults.victim import numbered\n"
    "ledger = Branch.open(sys.argv[1])\n"
    "for n in range(int(sys.argv[3])):\n"
    "    ledger.append(numbered(int(sys.argv[2]) * 1000 + n))\n"
    "    assert sync(ledger, timeout_seconds=240, hurry=True).safe"
)


def run_all(script: str, places: list[Path], each: int) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(place), str(number), str(each)], env=environment, cwd=ROOT)
        for number, place in enumerate(places)
    ]
    assert [writer.wait(600) for writer in writers] == [0] * len(places)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("locks", [True, False], ids=["queued", "without flock"])
def test_thirty_two_processes_append_at_once(locks: bool, ledger: Branch, repo: Path, figures: Figures) -> None:  # noqa: FBT001  # a parameter of the test
    each = 2 if KILLS < 100 else 8
    run_all(_APPEND if locks else _WITHOUT_LOCKS + _APPEND, [repo] * 32, each)
    account = Account(ledger, repo, figures)
    account.own = {numbered(number * 1000 + n).id for number in range(32) for n in range(each)}
    account.check()
    account.compare(number * 1000 + n for number in range(32) for n in range(each))
    assert git_in(repo, "rev-list", "--count", "ledger") == f"{32 * each}\n"
    figures.writers += 32
    figures.records += 32 * each


@pytest.mark.timeout(1800)
def test_sixteen_clones_sync_at_once(tmp_path: Path, figures: Figures) -> None:
    clones, each = (8, 2) if KILLS < 100 else (16, 10)
    hub = make_hub(tmp_path)
    ledgers = [clone(hub, tmp_path / f"clone{number}") for number in range(clones)]
    run_all(_SYNC, [tmp_path / f"clone{number}" for number in range(clones)], each)
    for ledger in (*ledgers, *ledgers):
        assert sync(ledger, timeout_seconds=120).safe
    account = Account(ledgers[0], tmp_path / "clone0", figures, hub)
    account.own = {numbered(number * 1000 + n).id for number in range(clones) for n in range(each)}
    account.check()
    assert held(hub) == sorted(account.own)
    assert {ledger.tip() for ledger in ledgers} == {git_in(hub, "rev-parse", "ledger").strip()}
    figures.writers += clones
    figures.records += clones * each


def test_a_clock_that_goes_back_changes_no_order_and_loses_nothing(
    ledger: Branch, repo: Path, figures: Figures
) -> None:
    numbers = [CLONE_STEP + n for n in range(6)]
    account = Account(ledger, repo, figures)
    for back, number in enumerate(numbers):
        made = numbered(number)
        ledger.append(msgspec.structs.replace(made, made_at=made.made_at - timedelta(days=400 * back)))
        account.own.add(made.id)
        figures.faults += 1
    account.check()
    account.compare(numbers)
    assert git_in(repo, "rev-list", "--count", "ledger") == "6\n"
    figures.records += 6


def test_runs_of_one_microsecond_have_ids_of_their_own() -> None:
    ids = {new_id(NOW, os.urandom(4)) for _ in range(500)}
    assert len(ids) == 500


def test_an_id_drawn_twice_never_overwrites(ledger: Branch, figures: Figures) -> None:
    tip = ledger.append(entry(1, b'{"first": true}')).commit
    figures.faults += 1
    with pytest.raises(Conflict, match="already holds other content"):
        ledger.append(entry(1, b'{"second": true}'))
    assert ledger.tip() == tip
