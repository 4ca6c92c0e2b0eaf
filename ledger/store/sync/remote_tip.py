"""What a remote remembers of its ledger, beside the branch: so that a clone that knows nothing notices a rewind.

Whoever sends to the branch moves this ref along. It only ever follows: a branch that does not contain it was rewound
or rewritten, by somebody who forced one ref and not the other.
"""

from ledger.errors import LedgerError
from ledger.model.values import Document
from ledger.repository.history.walk import contains
from ledger.repository.hosts.remote import choose_remote, fetch, remote_refs
from ledger.store.branch.branch import Branch

REMEMBERED = "refs/ledger/remembered"
"""The ref at a remote; in a clone it stands below `refs/ledger/incoming/` for as long as it is looked at."""


class Recalled(Document, frozen=True, kw_only=True):
    """What a remote said of the ledger that it had."""

    remote: str | None = None
    """Name of the remote; none where there is none to ask."""
    commit: str | None = None
    """Commit that it remembers; none where it remembers none."""
    problem: str | None = None
    """Why it could not be asked."""


def recall(ledger: Branch, timeout_seconds: float) -> Recalled:
    """Ask the remote what it remembers, and fetch it where this clone does not have it; nothing is sent.

    Where somebody has just fetched it, as a CI job with a token does, nobody is asked.
    """
    repository, remote = ledger.repository, None
    try:
        remote = choose_remote(repository, ledger.branch)
        if remote is None:
            return Recalled()
        if (fetched := repository.resolve(f"refs/ledger/incoming/{remote}/remembered")) is not None:
            return Recalled(remote=remote, commit=fetched)
        there = remote_refs(repository, remote, [REMEMBERED], timeout_seconds=timeout_seconds)
        commit = there.get(REMEMBERED)
        if commit is not None and not repository.holds(commit, ""):
            incoming = f"refs/ledger/incoming/{remote}/remembered"
            fetch(repository, remote, [f"+{REMEMBERED}:{incoming}"], timeout_seconds=timeout_seconds)
    except LedgerError as error:
        return Recalled(remote=remote, problem=error.message)
    return Recalled(remote=remote, commit=commit)


def is_continued(ledger: Branch, tip: str | None, commit: str) -> bool:
    """Say whether a branch still contains what is remembered of it."""
    return tip is not None and contains(ledger.repository, tip, commit)
