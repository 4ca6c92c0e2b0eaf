"""Kills writers, syncs and index updates at random moments, and lets the next command go on each time."""

import random
import time
from datetime import UTC, datetime
from pathlib import Path

from ledger.errors import LedgerError
from ledger.model.ids import new_id
from ledger.store.branch.branch import Branch
from ledger.store.index.index import ask_file
from ledger.store.sync.sync import sync
from tests.conftest import git_in
from tests.faults.account import Account, Figures, stale_locks
from tests.faults.killing import Manner, end, kill, start
from tests.faults.victim import CLONE_STEP, numbered
from tests.store.sync.remotes import clone, make_hub

WINDOW_SECONDS = {"append": 0.08, "sync": 0.6, "index": 0.15}
"""How long a victim works at most before it is killed: several rounds of its work."""
_MANNERS: tuple[Manner, ...] = ("everything", "everything", "everything", "parent", "git")
_CHECKED_EVERY = 10


def campaign(work: str, kills: int, seed: int, folder: Path) -> Figures:
    """Kill a process at this work so many times, and return what became of the ledger.

    Args:
        work: `append`, `sync` or `index`.
        kills: how often.
        seed: of the moments and manners.
        folder: empty; clones and remote are made in it.
    """
    started = time.monotonic()
    chance = random.Random(seed)  # noqa: S311  # moments, no secrets
    hub = make_hub(folder)
    mine = clone(hub, folder / "mine")
    other = clone(hub, folder / "other", author="Other")
    figures = Figures(writers=1)
    account = Account(mine, folder / "mine", figures, hub if work == "sync" else None, [folder / "promises"])
    next_number = CLONE_STEP
    for number in range(1, kills + 1):
        family = f"{seed}-{work}-{number}"
        process = start(family, work, folder / "mine", next_number, folder / "promises")
        figures.writers += 1
        time.sleep(chance.uniform(0, WINDOW_SECONDS[work]))
        manner = chance.choice(_MANNERS)
        kill(process, family, manner)
        figures.kills += 1
        if manner == "git":
            time.sleep(0.05)
        elif manner == "everything":
            figures.left_locked += _count_locks(account)
        _go_on(account, work, number, chance)
        end(process, family)
        if manner != "everything":  # what they left is found by the next round's command
            figures.left_locked += _count_locks(account)
            _go_on(account, "append", -number, chance)
        next_number += 1000
        if work == "sync":
            _others_work(other, number, chance)
        if number % _CHECKED_EVERY == 0:
            account.check()
    if work == "sync":
        _agree(account, mine, other)
    account.check()
    account.compare(range(1, kills + 1))
    figures.records = len(account.promised("appended") | account.own)
    figures.seconds = time.monotonic() - started
    return figures


def _go_on(account: Account, work: str, number: int, chance: random.Random) -> None:
    """Do what a user does next; it must work without any repair."""
    ledger = Branch.open(account.folder)
    entry = numbered(number if number > 0 else 3 * CLONE_STEP - number)
    try:
        ledger.append(entry)
        account.own.add(entry.id)
    except LedgerError as error:
        print(f"after a kill: {error.message}; {error.hint}")  # noqa: T201  # with the seed, this is the finding
        account.figures.repairs += 1
    if work == "index" or chance.random() < 0.1:
        count = git_in(account.folder, "ls-tree", "-r", "--name-only", "ledger").count("/record.json\n")
        answered = ask_file(ledger, lambda index: index.select(None, None, reverse=False, limit=None)[0])
        if answered is None or len(answered) < count:
            print(f"after a kill: the index answers {answered and len(answered)} of {count}")  # noqa: T201  # the same
            account.figures.repairs += 1
    if work == "sync":
        done = sync(ledger, timeout_seconds=60)
        if account.hub is not None and _unlock_remote(account.hub, done.message):
            done = sync(ledger, timeout_seconds=60)
        if not done.safe:
            print(f"after a kill: {done.message}; {done.hint}")  # noqa: T201  # the same
            account.figures.repairs += 1


def _unlock_remote(hub: Path, message: str) -> bool:
    """Remove the locks that a sync names at the remote, as it advises; return whether it named any."""
    named = [lock for lock in stale_locks(hub) if f"remove this file there: `{lock}`" in message]
    for lock in named:
        lock.unlink()
    return bool(named)


def _others_work(other: Branch, number: int, chance: random.Random) -> None:
    """Let somebody else push, sometimes to the inbox as those do who are overtaken."""
    other.append(numbered(2 * CLONE_STEP + number))
    if chance.random() < 0.5:
        sync(other, timeout_seconds=60, fold=False)
    else:
        name = new_id(datetime.now(UTC), chance.randbytes(4))
        assert other.repository.worktree is not None
        git_in(other.repository.worktree, "push", "--quiet", "origin", f"ledger:refs/ledger/inbox/{name}")


def _agree(account: Account, mine: Branch, other: Branch) -> None:
    for ledger in (mine, other, mine, other):
        if not sync(ledger, timeout_seconds=120).safe:
            account.figures.repairs += 1
    assert account.hub is not None
    if len({mine.tip(), other.tip(), git_in(account.hub, "rev-parse", "ledger").strip()}) != 1:
        account.figures.repairs += 1


def _count_locks(account: Account) -> int:
    """Return how many locks a kill left: the next command has to cope with them."""
    return sum(len(stale_locks(folder)) for folder in filter(None, (account.folder, account.hub)))
