"""Two clones and a remote, driven at random through all that can happen to them: in the end they agree."""

import os
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from hypothesis.strategies import booleans, floats, integers, sampled_from, text

from ledger.recorder.statements.notes import add_notes
from ledger.repository.blobs import blob_reader
from ledger.store.branch.branch import Branch
from ledger.store.integrity.verify import verify
from ledger.store.sync.sync import sync
from tests.conftest import git_in
from tests.faults.account import stale_locks
from tests.faults.conftest import KILLS
from tests.faults.killing import end, kill, start
from tests.faults.victim import CLONE_STEP, numbered
from tests.store.sync.remotes import added, clone, held, make_hub

EXAMPLES, STEPS = (6, 12) if KILLS < 100 else (30, 40)
WHO = sampled_from(["ada", "bob"])


class Clones(RuleBasedStateMachine):
    """What two people and a crash may do to a ledger; `self.recorded` is what the store has acknowledged."""

    @initialize(seed=integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ledger-machine-"))
        self.hub = make_hub(self.folder)
        self.ledgers = {name: clone(self.hub, self.folder / name, author=name.title()) for name in ("ada", "bob")}
        self.recorded: dict[str, set[str]] = {"ada": set(), "bob": set()}
        self.notes: dict[str, set[str]] = {"ada": set(), "bob": set()}
        self.next = {"ada": CLONE_STEP, "bob": 2 * CLONE_STEP}
        self.crashes = 0
        random.seed(seed)  # whether a sync in a hurry folds is drawn

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            try:
                self.agree()
            finally:
                shutil.rmtree(self.folder, ignore_errors=True)

    @rule(who=WHO)
    def append(self, who: str) -> None:
        entry = numbered(self.next[who])
        self.ledgers[who].append(entry)
        self.recorded[who].add(entry.id)
        self.next[who] += 1

    @rule(who=WHO)
    def append_again(self, who: str) -> None:
        if self.recorded[who]:
            tip = self.ledgers[who].append(numbered(self.next[who] - 1)).commit
            assert tip == self.ledgers[who].tip()

    @rule(who=WHO, fold=booleans(), hurry=booleans())
    def share(self, who: str, fold: bool, hurry: bool) -> None:  # noqa: FBT001  # Hypothesis passes them by name
        done = sync(self.ledgers[who], timeout_seconds=60, fold=fold, hurry=hurry)
        assert done.safe == self.hub.exists(), done

    @rule(who=WHO)
    def leave_in_the_inbox(self, who: str) -> None:
        if self.hub.exists() and self.ledgers[who].repository.resolve("refs/heads/ledger"):
            name = f"20261120-194812-{random.randrange(10**6):06d}"  # noqa: S311  # no secret
            git_in(self.folder / who, "push", "--quiet", "origin", f"ledger:refs/ledger/inbox/{name}")

    @rule(who=WHO, said=text("abc", min_size=1, max_size=5), tag=booleans())
    def note(self, who: str, said: str, tag: bool) -> None:  # noqa: FBT001  # the same
        if self.recorded[who]:
            run = min(self.recorded[who])
            made = add_notes(self.ledgers[who], run, "tag" if tag else "comment", [said])
            self.notes[who].update(note.id for note in made)

    @rule(
        who=WHO,
        work=sampled_from(["append", "sync", "index"]),
        manner=sampled_from(["everything", "parent", "git"]),
        seconds=floats(0, 0.3),
    )
    def crash(self, who: str, work: str, manner: str, seconds: float) -> None:
        self.crashes += 1
        promises = self.folder / f"promises-{self.crashes}"
        family = f"{os.getpid()}-{self.folder.name}-{self.crashes}"
        process = start(family, work, self.folder / who, self.next[who], promises)
        time.sleep(seconds)
        kill(process, family, manner)  # type: ignore[arg-type]  # one of the three
        end(process, family)
        self.next[who] += 1000
        lines = promises.read_text().split("\n")[:-1]
        self.recorded[who].update(line.split(" ")[1] for line in lines if line.startswith("appended"))

    @precondition(lambda self: self.hub.exists())
    @rule()
    def go_offline(self) -> None:
        self.hub.rename(self.hub.with_name("away.git"))

    @precondition(lambda self: not self.hub.exists())
    @rule()
    def come_back(self) -> None:
        self.hub.with_name("away.git").rename(self.hub)

    @rule(who=WHO, prune=booleans())
    def clean_up(self, who: str, prune: bool) -> None:  # noqa: FBT001  # the same
        if stale_locks(self.folder / who):
            return  # git's own housekeeping refuses to work beside a killed git's lock; our next command frees it
        options = ["--prune=now"] if prune else ["--auto"]
        subprocess.run(["git", "gc", "--quiet", *options], cwd=self.folder / who, check=True)

    @invariant()
    def what_was_acknowledged_is_here_once(self) -> None:
        for who, ids in getattr(self, "recorded", {}).items():
            here = held(self.folder / who) if ids else []
            assert ids <= set(here)
            assert len(here) == len(set(here))

    def agree(self) -> None:
        """Sync until nobody has news, and look at everything."""
        if not self.hub.exists():
            self.come_back()
        if not any(self.recorded.values()):
            return
        for who in ("ada", "bob", "ada", "bob"):
            done = sync(self.ledgers[who], timeout_seconds=60)
            assert done.safe, done
        assert {ledger.tip() for ledger in self.ledgers.values()} == {git_in(self.hub, "rev-parse", "ledger").strip()}
        assert self.recorded["ada"] | self.recorded["bob"] <= set(held(self.hub))
        assert added(self.hub) == held(self.hub)
        names = git_in(self.hub, "ls-tree", "-r", "--name-only", "ledger", "notes").split()
        assert {name.rpartition("/")[2].removesuffix(".json") for name in names} == set().union(*self.notes.values())
        assert git_in(self.hub, "for-each-ref", "refs/ledger/inbox") == ""
        for folder in (self.hub, self.folder / "ada", self.folder / "bob"):
            git_in(folder, "fsck", "--strict", "--no-dangling")
            assert stale_locks(folder) == []
        for ledger in self.ledgers.values():
            assert findings(ledger) == []


def findings(ledger: Branch) -> list[str]:
    with blob_reader(ledger.repository) as read_blob:
        return [f"{finding.path}: {finding.message}" for finding in verify(ledger, read_blob).findings]


@pytest.mark.timeout(3600)
def test_whatever_happens_two_clones_and_a_remote_agree_in_the_end() -> None:
    run_state_machine_as_test(
        Clones,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
