"""A remote's own memory of its ledger's tip, beside the branch, so that a clone without history notices a rewind.

Every push to the branch moves this ref along. It only moves forward: a branch that does not contain it was rewound
or rewritten by somebody who forced one ref and not the other.
"""

from ledger.errors import LedgerError
from ledger.model.values import Document
from ledger.repository.history.walk import contains
from ledger.repository.hosts.remote import choose_remote, fetch, remote_refs
from ledger.store.branch.branch import Branch

REMEMBERED = "refs/ledger/remembered"
"""The ref at a remote; in a clone it is below `refs/ledger/incoming/` while it is checked."""


class Recalled(Document, frozen=True, kw_only=True):
    """The tip that a remote remembers."""

    remote: str | None = None
    """Name of the remote; none where there is no remote."""
    commit: str | None = None
    """The remembered commit; none where there is none."""
    problem: str | None = None
    """Why it is unknown."""


def recall(ledger: Branch, timeout_seconds: float) -> Recalled:
    """Return the tip that the remote remembers, fetched where this clone lacks it; nothing is sent.

    Where it was fetched a moment ago, as by a CI job with a token, the remote is not asked.
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
    """Return whether a branch still contains the remembered tip."""
    return tip is not None and contains(ledger.repository, tip, commit)
