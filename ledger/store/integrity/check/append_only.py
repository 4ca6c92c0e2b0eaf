"""The rules of the branch: it only grows, has one first commit, and adds complete entries."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from ledger.errors import LedgerError
from ledger.model import paths
from ledger.model.entries import Redaction
from ledger.model.values import plain
from ledger.repository.blobs import read_facts
from ledger.repository.history.walk import CommitStep
from ledger.store.branch.branch import FORMAT
from ledger.store.integrity.check.additions import ProposedChange, owner_of
from ledger.store.integrity.findings import Finding
from ledger.store.integrity.path_rules import is_device
from ledger.store.integrity.signatures import is_signature
from ledger.store.integrity.tombstones import explain_difference
from ledger.store.integrity.tree_rules import odd_entries
from ledger.store.integrity.verify.history import check_history, moment_of

SKEW = timedelta(days=1)
"""Largest difference between the clocks of two honest machines."""


def check_growth(proposal: ProposedChange, now: datetime) -> Iterator[Finding]:
    """Yield changes of the branch that no commit may make."""
    redacted = _redacted(proposal)
    taken_out = {file.path for one in redacted for file in one.files}
    # A redaction may have rewritten even the first commit.
    yield from check_history(proposal.steps, whole=proposal.since is None or bool(redacted))
    yield from check_future(proposal.steps, now)
    yield from _of_format(proposal)
    yield from _of_redactions(proposal, redacted)
    yield from check_tree(proposal)
    yield from check_owners(proposal, taken_out)
    yield from _of_collisions(proposal, taken_out)


def check_contained(proposal: ProposedChange, ref: str, *, proposed: bool) -> Iterator[Finding]:
    """Yield findings on a tip that does not contain the commit known to be good.

    Args:
        proposal: commits of the tip.
        ref: the branch.
        proposed: whether it need not contain it; a redaction behind it is reported all the same.
    """
    if _redacted(proposal):
        yield Finding(
            rule="history",
            severity="warning" if proposed else "error",
            path=ref,
            commit=proposal.tip,
            message=f"a redaction rewrote the history (the branch was at {str(proposal.since)[:10]})",
            hint="look at what it took out, then: git push --no-verify; on a server of your own, there: git update-ref",
        )
    elif not proposed:
        yield Finding(
            rule="history",
            path=ref,
            commit=proposal.tip,
            message="the branch no longer contains what it held: it was rewound or rewritten"
            f" (the branch was at {str(proposal.since)[:10]})",
            hint="ledger sync puts your entries on top of theirs",
        )


def _redacted(proposal: ProposedChange) -> list[Redaction]:
    """Return the tombstones that explain every difference from the known good commit; none if one is unexplained."""
    if proposal.since is None or not proposal.elsewhere or not _tombstones(proposal):
        return []
    try:
        explained = explain_difference(proposal.repository, proposal.since, proposal.tip)
    except LedgerError:
        return []
    return list(explained.redactions) if explained.proved else []


def _tombstones(proposal: ProposedChange) -> list[str]:
    return [path for path in proposal.added if path.startswith("redactions/") and not is_signature(path)]


def _of_redactions(proposal: ProposedChange, redacted: Sequence[Redaction]) -> Iterator[Finding]:
    """Yield tombstones in a mere append, where the history that they speak of is unchanged."""
    if proposal.since is None or redacted:
        return
    for path in _tombstones(proposal):
        yield Finding(
            rule="redaction",
            path=path,
            commit=proposal.added[path].commit,
            message="it claims that history was rewritten, but this change only appends: what it names is still there",
            hint="only ledger redact writes a tombstone, on the history that it rewrote",
        )


def _of_format(proposal: ProposedChange) -> Iterator[Finding]:
    (content,) = proposal.repository.read_objects([f"{proposal.tip}:{paths.FORMAT_FILE}"])
    if content is None:
        yield Finding(
            rule="history",
            path=paths.FORMAT_FILE,
            commit=proposal.tip,
            message="this branch is not a ledger: it has no file `format`",
            hint="ledger init begins one",
        )
    elif content.strip() != FORMAT.strip():
        shown = plain(content[:20].decode("utf-8", "backslashreplace")).replace("\n", " ")
        yield Finding(
            rule="history",
            path=paths.FORMAT_FILE,
            commit=proposal.tip,
            message=f"the ledger has a format that this version does not read: `{shown}`",
            hint="pip install --upgrade git-ledger",
        )


def check_future(steps: Sequence[CommitStep], now: datetime) -> Iterator[Finding]:
    """Yield commits with times in the future."""
    latest = now + SKEW
    for step in steps:
        if moment_of(step.seconds) > latest:
            yield Finding(
                rule="history",
                commit=step.commit,
                message=f"committed in the future: {moment_of(step.seconds):%Y-%m-%d}",
                hint="set the clock, then commit again",
            )


def check_tree(proposal: ProposedChange) -> Iterator[Finding]:
    """Yield files that not everybody can reach by their listed path: names with a `/` in them, or duplicate names."""
    for odd in odd_entries(proposal.repository, proposal.tip, proposal.since):
        yield Finding(rule="tree", path=odd.path or "/", commit=proposal.tip, message=odd.why, hint="git fsck")
    for one in proposal.added.values():
        if is_device(one.path):
            yield Finding(
                rule="tree",
                severity="warning",
                path=one.path,
                commit=one.commit,
                message="this cannot be checked out on Windows: the name stands for a device there",
                hint="give it another name",
            )


def check_owners(proposal: ProposedChange, taken_out: AbstractSet[str]) -> Iterator[Finding]:
    """Yield files added to an entry that exists already, or to none."""
    owned = {path: owner for path in proposal.added if path not in taken_out and (owner := owner_of(path))}
    outside = {path: owner for path, owner in owned.items() if owner not in proposal.added}
    standing = proposal.standing(outside.values())
    for path, owner in owned.items():
        with_it = proposal.added.get(owner)
        if with_it is not None and with_it.commit == proposal.added[path].commit:
            continue
        if with_it is None and owner not in standing:
            said = f"it belongs to no entry, as there is no `{owner}`"
        elif is_signature(path):
            continue
        else:
            said = "added to an existing entry; entries never change"
        yield Finding(
            rule="history",
            path=path,
            commit=proposal.added[path].commit,
            message=said,
            hint="remove the file; the files of a run are recorded with it",
        )


def _of_collisions(proposal: ProposedChange, taken_out: AbstractSet[str]) -> Iterator[Finding]:
    """Yield paths at which the ledger holds something else, where the proposal is not based on its tip."""
    for commit in proposal.elsewhere:
        names = [path for path in proposal.added if path not in taken_out]
        facts = read_facts(proposal.repository, (f"{commit}:{path}" for path in names))
        for path, fact in zip(names, facts, strict=True):
            if fact is not None:
                yield Finding(
                    rule="history",
                    path=path,
                    commit=proposal.added[path].commit,
                    message="the ledger already holds something else at this path",
                    hint="give it another id or version",
                )
