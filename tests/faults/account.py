"""Keeps the account of a campaign: what was promised, what is there, and the figures that are printed."""

import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path

from ledger.store.branch.branch import Branch
from tests.conftest import git_in
from tests.faults.victim import numbered

OURS = {"append.lock", "push.lock", "index.lock"}
"""Files that the kernel's locks are held on; they stay, and hold nothing up."""


@dataclass
class Figures:
    """What was done to the store, and what became of it."""

    kills: int = 0
    faults: int = 0
    writers: int = 0
    records: int = 0
    lost: int = 0
    twice: int = 0
    damaged: int = 0
    left_locked: int = 0
    stale_locks: int = 0
    repairs: int = 0
    seconds: float = 0.0

    def add(self, other: "Figures") -> None:
        """Add the figures of another campaign."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    @property
    def clean(self) -> bool:
        """Whether nothing is lost, twice, damaged, locked, or in need of a repair."""
        return not (self.lost or self.twice or self.damaged or self.stale_locks or self.repairs)


@dataclass
class Account:
    """What was promised to the writers of one clone, compared with what its branch and the remote hold."""

    ledger: Branch
    folder: Path
    figures: Figures
    hub: Path | None = None
    promises: list[Path] = field(default_factory=list)
    own: set[str] = field(default_factory=set)

    def promised(self, word: str) -> set[str]:
        """Return the ids that were acknowledged with a word; a line that was cut short acknowledges nothing."""
        lines = [line for file in self.promises if file.exists() for line in file.read_text().split("\n")[:-1]]
        return {line.split(" ")[1] for line in lines if line.startswith(f"{word} ")}

    def check_records(self) -> None:
        """Count what is lost, there twice, or damaged, here and at the remote."""
        appended = self.promised("appended") | self.own
        here = self._held(self.folder, ["ledger"])
        self.figures.lost += len(appended - here)
        if self.hub is not None:
            refs = ["ledger", *git_in(self.hub, "for-each-ref", "--format=%(refname)", "refs/ledger/inbox").split()]
            self.figures.lost += len(self.promised("sent") - self._held(self.hub, refs))
        for folder in filter(None, (self.folder, self.hub)):
            added = Counter(_runs(git_in(folder, "log", "--format=", "--name-only", "--diff-filter=A", "ledger")))
            self.figures.twice += sum(count - 1 for count in added.values())
            self.figures.damaged += _is_damaged(folder)

    def check(self) -> None:
        """Count the same, and the locks that hold somebody up after the command that follows a kill."""
        self.check_records()
        self.figures.stale_locks += len(stale_locks(self.folder))
        if self.hub is not None:
            # A push that was killed leaves locks there, too. On a ref that never came to be they hold nobody up.
            there = {f"{name}.lock" for name in git_in(self.hub, "for-each-ref", "--format=%(refname)").split()}
            locks = {str(lock.relative_to(self.hub)) for lock in stale_locks(self.hub)}
            self.figures.stale_locks += len(locks & (there | {"packed-refs.lock"}))

    def compare(self, numbers: Iterable[int]) -> None:
        """Count the entries on the branch that are not, to the byte, what their writer made of a number."""
        wanted = {path: content for number in numbers for path, content in numbered(number).files.items()}
        found = self.ledger.repository.read_objects(f"refs/heads/ledger:{path}" for path in wanted)
        for content, there in zip(wanted.values(), found, strict=True):
            self.figures.damaged += there != content

    def _held(self, folder: Path, refs: list[str]) -> set[str]:
        return {run for ref in refs for run in _runs(git_in(folder, "ls-tree", "-r", "--name-only", ref))}


def _runs(listing: str) -> list[str]:
    return [path.split("/")[-2] for path in listing.splitlines() if path.endswith("/record.json")]


def _is_damaged(folder: Path) -> bool:
    done = subprocess.run(
        ["git", "fsck", "--strict", "--no-dangling", "--no-progress"], cwd=folder, capture_output=True, check=False
    )
    return done.returncode != 0 or b"error" in done.stderr


def stale_locks(folder: Path) -> list[Path]:
    """Return the locks that git left in a repository."""
    git_dir = Path(git_in(folder, "rev-parse", "--absolute-git-dir").strip())
    return [path for path in git_dir.rglob("*.lock") if path.name not in OURS or path.parent.name != "ledger"]
