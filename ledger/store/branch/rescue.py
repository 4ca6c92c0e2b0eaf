"""Repair of a branch from which a commit made by hand removed entries, policy or workflows, without any loss.

Nothing is undone in place: every commit that added something is made again on the last history that only grew, and
the former branch is kept under a ref of its own.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from ledger.errors import LedgerError, NotFound
from ledger.model import paths
from ledger.model.values import Document
from ledger.repository.history.append import move_branch
from ledger.repository.history.replay import Replayed, replay
from ledger.repository.history.walk import CommitStep, contains
from ledger.store.branch.branch import Branch
from ledger.store.integrity.verify.last_verified import follow
from ledger.store.sync.join import entries_in, oldest_first

_BEFORE = "refs/ledger/before/"


class Rescued(Document, frozen=True, kw_only=True):
    """The result of a rescue."""

    commits: list[str]
    """Commits of this clone that removed or changed entries."""
    entries: list[str]
    """Entries that are on the branch again."""
    before: str | None = None
    """Ref that keeps the former branch; none when nothing was wrong."""


def rescue_branch(ledger: Branch) -> Rescued:
    """Rebuild the branch so that it only ever grew; idempotent.

    Raises:
        NotFound: there is no ledger here.
        LedgerError: git cannot read or write.
    """
    with ledger.writing() as turn:
        tip = ledger.repository.resolve(ledger.ref)
        if tip is None:
            raise NotFound(f"there is no ledger in this clone: `{ledger.branch}`", hint="ledger init")
        steps = oldest_first(ledger.repository, None, tip)
        wrong = [step for step in steps if any(is_wrong(change.status, change.path) for change in step.changes)]
        if not wrong:
            return Rescued(commits=[], entries=[])
        base = _base(ledger, wrong[0])
        lost = _lost(ledger, tip, wrong)
        made = replay(ledger.repository, base, _again(ledger, base, steps))
        before = f"{_BEFORE}{datetime.now(UTC):%Y%m%d-%H%M%S}"
        move_branch(ledger.repository, before, None, tip)
        move_branch(ledger.repository, ledger.ref, tip, made, inherited=turn.descriptor)
    follow(ledger, made)
    return Rescued(commits=[step.commit for step in wrong], entries=entries_in(lost), before=before)


def is_wrong(status: str, path: str) -> bool:
    """Return whether a change removes something from the branch, or changes something immutable."""
    return status != "A" and not (status == "M" and paths.is_agreed(path))


def _base(ledger: Branch, first: CommitStep) -> str:
    """Return the history to build on: the remote's where it is sound, else what was there before."""
    known = ledger.repository.git.output(
        "for-each-ref", "--format=%(objectname)", f"refs/remotes/*/{ledger.branch}", "refs/ledger/seen"
    )
    for commit in known.decode().split():
        if not contains(ledger.repository, commit, first.commit) and _shares_beginning(ledger, commit, first):
            return commit
    if not first.parents:
        raise LedgerError(
            "the branch is damaged from its first commit on, so there is nothing to restore it from",
            hint="ledger verify",
        )
    return first.parents[0]


def _shares_beginning(ledger: Branch, commit: str, first: CommitStep) -> bool:
    return bool(first.parents) and ledger.repository.git.attempt("merge-base", commit, first.parents[0])[0] == 0


def _lost(ledger: Branch, tip: str, wrong: Sequence[CommitStep]) -> list[str]:
    there = {file.path for file in ledger.repository.read_tree(tip)}
    return [
        change.path for step in wrong for change in step.changes if change.status == "D" and change.path not in there
    ]


def _again(ledger: Branch, base: str, steps: Sequence[CommitStep]) -> list[Replayed]:
    """Return what each commit added that the base lacks: first form of entries, last form of policy and workflows."""
    held = {file.path: file.blob for file in ledger.repository.read_tree(base)}
    commits = []
    for step in steps:
        if contains(ledger.repository, base, step.commit):
            continue
        files = {}
        for change in step.changes:
            agreed = paths.is_agreed(change.path) and change.status in "AM"
            if (change.status == "A" and change.path not in held) or (agreed and held.get(change.path) != change.blob):
                files[change.path] = held[change.path] = change.blob
        if files:
            commits.append(Replayed(commit=step.commit, files=files))
    return commits
