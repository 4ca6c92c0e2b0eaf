"""A full disk: what is acknowledged is whole, the rest is absent or waits, and the message says what to type."""

import os
import shutil
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.store.branch.branch import Branch
from ledger.store.index.index import ask_file
from ledger.store.sync.sync import sync
from tests.conftest import Cli, git_in, make_repository
from tests.faults.account import Account, Figures
from tests.faults.conftest import KILLS
from tests.faults.victim import numbered
from tests.store.sync.remotes import clone, make_hub

LEFT_KILOBYTES = range(0, 80, 16 if KILLS < 100 else 4)


def fill(disk: Path, kilobytes: int = 0) -> Path:
    """Fill a disk but for so many kilobytes; the file returned gives them back when it is removed."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    file = disk / "filled"
    with file.open("wb") as full:
        full.write(bytes(max(0, free - kilobytes * 1024)))
    return file


def test_an_append_on_a_full_disk_is_whole_or_refused(small_disk: Path, figures: Figures) -> None:
    folder = make_repository(small_disk / "repo")
    ledger = Branch.open(folder)
    ledger.append(numbered(0))
    account = Account(ledger, folder, figures, own={numbered(0).id})
    refused = []
    for number, left in enumerate(LEFT_KILOBYTES, start=1):
        filled = fill(small_disk, left)
        figures.faults += 1
        try:
            ledger.append(numbered(number))
        except LedgerError as error:
            refused.append((error.message, error.hint))
        else:
            account.own.add(numbered(number).id)
        filled.unlink()
        account.check()
        ledger.append(numbered(number))
        account.own.add(numbered(number).id)
    assert set(refused) == {("the disk is full; nothing was written", "free some space, then: ledger recover")}
    account.compare(range(len(LEFT_KILOBYTES) + 1))
    figures.records += len(account.own)


@pytest.mark.parametrize("where", ["clone", "remote"])
def test_a_sync_on_a_full_disk_changes_nothing_and_the_next_one_goes_on(
    where: str, small_disk: Path, tmp_path: Path, figures: Figures
) -> None:
    hub = make_hub(tmp_path)
    if where == "remote":
        hub = Path(shutil.move(hub, small_disk))
    mine = clone(hub, (small_disk if where == "clone" else tmp_path) / "mine")
    other = clone(hub, tmp_path / "other", author="Other")
    assert mine.repository.worktree is not None
    mine.append(numbered(3000))
    assert sync(mine, timeout_seconds=60).safe
    account = Account(mine, mine.repository.worktree, figures, hub)
    for number, left in enumerate(LEFT_KILOBYTES):
        for ledger, own in ((mine, number), (other, 1000 + number)):
            ledger.append(numbered(own))
        account.own.add(numbered(number).id)
        if where == "clone":
            sync(other, timeout_seconds=60)
        filled = fill(small_disk, left)
        figures.faults += 1
        done = sync(mine, timeout_seconds=60)
        assert done.safe or "disk is full" in done.message, done
        assert "\n" not in done.message
        filled.unlink()
        account.check()
        assert sync(mine, timeout_seconds=60).safe
        assert sync(other, timeout_seconds=60).safe
    sync(mine, timeout_seconds=60)
    assert mine.tip() == other.tip() == git_in(hub, "rev-parse", "ledger").strip()
    account.compare([*range(len(LEFT_KILOBYTES)), *(1000 + number for number in range(len(LEFT_KILOBYTES)))])
    figures.records += 2 * len(LEFT_KILOBYTES)


def test_an_index_on_a_full_disk_is_done_without(small_disk: Path, figures: Figures) -> None:
    folder = make_repository(small_disk / "repo")
    ledger = Branch.open(folder)
    for number, left in enumerate(LEFT_KILOBYTES):
        ledger.append(numbered(number))
        filled = fill(small_disk, left)
        figures.faults += 1
        answered = ask_file(ledger, lambda index: index.select(None, None, reverse=False, limit=None)[0])
        assert answered is None or len(answered) == number + 1
        filled.unlink()
        answered = ask_file(ledger, lambda index: index.select(None, None, reverse=False, limit=None)[0])
        assert answered is not None
        assert len(answered) == number + 1
    figures.records += len(LEFT_KILOBYTES)


@pytest.mark.parametrize("way", [("record",), ("run", "--")], ids=["record", "run"])
def test_what_is_recorded_on_a_full_disk_waits_in_the_user_s_own_folder(
    way: tuple[str, ...], small_disk: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, figures: Figures
) -> None:
    folder = make_repository(small_disk / "repo")
    monkeypatch.chdir(folder)
    filled = fill(small_disk)
    figures.faults += 1
    done = cli(*way, *(["--metric", "validation/accuracy=0.5"] if way == ("record",) else ["true"]))
    assert "the disk is full; nothing was written; the record is safe in: `" in done.err
    assert "hint: free some space, then: ledger recover --homeless" in done.err
    kept = Path(done.err.split("safe in: `")[1].split("`")[0])
    assert kept.exists()
    assert not kept.is_relative_to(small_disk)
    filled.unlink()
    assert cli("recover", "--homeless").code == 0
    assert len(Branch.open(folder).contents().runs) == 1
    assert not kept.exists()
    figures.records += 1


def test_what_cannot_be_kept_anywhere_says_so(small_disk: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_repository(small_disk / "repo")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(small_disk / "state"))
    fill(small_disk)
    done = cli("record", "--metric", "validation/accuracy=0.5")
    assert done.code == 1
    assert "could not be kept anywhere else either (no space left on device)" in done.err
    assert not list((folder / ".git" / "ledger").rglob("*.new"))
