"""Folding of this repository's own inbox into its branch: what a server does after a push.

Clones fold the inbox of a remote when they sync; a server need not wait for that. No network is used.
"""

import os

from ledger.errors import GitKilled, LedgerError, LostRace
from ledger.model.values import Document
from ledger.repository.history.append import move_branch
from ledger.store.branch.branch import Branch
from ledger.store.sync.exchange import INBOX
from ledger.store.sync.fetch_check import check_waiting
from ledger.store.sync.join import join

_RACES = 20
"""Most races that may be lost to another writer."""


class Folded(Document, frozen=True, kw_only=True):
    """The result of folding an inbox."""

    refs: tuple[str, ...] = ()
    """Refs whose entries are on the branch now; the refs are deleted."""
    added: tuple[str, ...] = ()
    """Entries that are new on the branch."""
    problems: tuple[str, ...] = ()
    """What could not be folded and remains, one line each."""


def fold_inbox(ledger: Branch) -> Folded:
    """Put all entries of the inbox on the branch; idempotent.

    Raises:
        LostRace: other writers moved the branch first too many times in a row.
        LedgerError: git cannot read or write; the inbox is unchanged.
    """
    if not _waiting(ledger):
        return Folded()
    for _ in range(_RACES):
        with ledger.writing() as turn:
            waiting = _waiting(ledger)
            before = tip = ledger.repository.resolve(ledger.ref)
            folded, problems, added = {}, [], set()
            for name, commit in waiting.items():
                try:
                    ledger.check_format(commit)
                    check_waiting(ledger.repository, commit, tip)
                    if tip is not None:
                        joined = join(ledger.repository, tip, commit)
                        tip = joined.tip
                        added.update(joined.added)
                    else:
                        tip = commit
                except LedgerError as error:
                    problems.append(f"{name} cannot be folded: {error.message}")
                    continue
                folded[name] = commit
            try:
                if tip is not None and tip != before:
                    move_branch(ledger.repository, ledger.ref, before, tip, inherited=turn.descriptor)
            except LostRace:
                continue
            except GitKilled:
                ledger.clear_dead_locks(turn.begun_ns)
                continue
        # Only now: after a crash before this line the refs remain, and folding them again changes nothing.
        for name, commit in folded.items():
            ledger.repository.git.attempt("update-ref", "-d", name, commit)
        return Folded(refs=tuple(folded), added=tuple(sorted(added)), problems=tuple(problems))
    raise LostRace("other writers moved the branch first too many times in a row")


def _waiting(ledger: Branch) -> dict[str, str]:
    """Return the refs of the inbox and their commits, oldest first: their names begin with the time."""
    out = ledger.repository.git.output("for-each-ref", "--format=%(objectname) %(refname)", INBOX)
    return {name: commit for commit, _, name in (line.partition(" ") for line in os.fsdecode(out).splitlines())}
