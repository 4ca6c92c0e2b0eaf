"""The branch only grows, from one beginning, by what belongs to whole entries."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from ledger.errors import LedgerError
from ledger.model import paths
from ledger.model.entries import Redaction
from ledger.model.values import plain
from ledger.repository.blobs import read_facts
from ledger.store.check.proposal import Proposal, owner_of
from ledger.store.findings import Finding
from ledger.store.ledger import FORMAT
from ledger.store.redactions import explain_difference
from ledger.store.shapes import is_device
from ledger.store.signatures import is_signature
from ledger.store.verify.history import check_history, moment_of

SKEW = timedelta(days=1)
"""How far the clocks of two honest machines may be apart."""


def check_growth(proposal: Proposal, now: datetime) -> Iterator[Finding]:
    """Yield what commits do to the branch that none may do."""
    redacted = _redacted(proposal)
    taken_out = {file.path for one in redacted for file in one.files}
    # A redaction may have made the very first commit again.
    yield from check_history(proposal.steps, whole=proposal.since is None or bool(redacted))
    for step in proposal.steps:
        if moment_of(step.seconds) > now + SKEW:
            yield Finding(
                rule="history",
                commit=step.commit,
                message=f"committed in the future: {moment_of(step.seconds):%Y-%m-%d}",
                hint="set the clock, then commit again",
            )
    yield from _of_format(proposal)
    yield from _of_redactions(proposal, redacted)
    yield from _of_tree(proposal)
    yield from _of_owners(proposal, taken_out)
    yield from _of_collisions(proposal, taken_out)


def check_contained(proposal: Proposal, ref: str, *, proposed: bool) -> Iterator[Finding]:
    """Yield what is said of a tip that does not contain what is known to be good.

    Args:
        proposal: what is to stand there.
        ref: the branch.
        proposed: whether it need not contain it; that a redaction stands behind it is told all the same.
    """
    if _redacted(proposal):
        yield Finding(
            rule="history",
            severity="warning" if proposed else "error",
            path=ref,
            commit=proposal.tip,
            message=f"a redaction made the history again (it was at {str(proposal.since)[:10]})",
            hint="look at what it took out, then: git push --no-verify; on a server of your own, there: git update-ref",
        )
    elif not proposed:
        yield Finding(
            rule="history",
            path=ref,
            commit=proposal.tip,
            message="the branch no longer contains what it held: it was rewound or rewritten"
            f" (it was at {str(proposal.since)[:10]})",
            hint="ledger sync puts your entries on top of theirs",
        )


def _redacted(proposal: Proposal) -> list[Redaction]:
    """Return the tombstones that explain every difference from what is known to be good; none when one is not."""
    if proposal.since is None or not proposal.elsewhere or not _tombstones(proposal):
        return []
    try:
        explained = explain_difference(proposal.repository, proposal.since, proposal.tip)
    except LedgerError:
        return []
    return list(explained.redactions) if explained.proved else []


def _tombstones(proposal: Proposal) -> list[str]:
    return [path for path in proposal.added if path.startswith("redactions/") and not is_signature(path)]


def _of_redactions(proposal: Proposal, redacted: Sequence[Redaction]) -> Iterator[Finding]:
    """Yield tombstones that come with an append: the history that they speak of stands as it was."""
    if proposal.since is None or redacted:
        return
    for path in _tombstones(proposal):
        yield Finding(
            rule="redaction",
            path=path,
            commit=proposal.added[path].commit,
            message="it says that history was made again, and comes with an append: what it speaks of stands",
            hint="only ledger redact writes a tombstone, on the history that it made again",
        )


def _of_format(proposal: Proposal) -> Iterator[Finding]:
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


def _of_tree(proposal: Proposal) -> Iterator[Finding]:
    """Yield files that are listed and not to be reached alike by everybody: names with a `/` in them, or twice."""
    gone = {change.path for step in proposal.steps for change in step.changes if change.status != "A"}
    looked = [one for one in proposal.added.values() if one.path not in gone]
    facts = read_facts(proposal.repository, (f"{proposal.tip}:{one.path}" for one in looked))
    malformed = _malformed(proposal, [one.path for one in looked])
    for one, fact in zip(looked, facts, strict=True):
        if fact is None or fact.id != one.blob or not malformed.isdisjoint(_folders(one.path)):
            yield Finding(
                rule="tree",
                path=one.path,
                commit=one.commit,
                message="the tree is malformed: this path does not lead to the file that is listed there",
                hint="git fsck",
            )
        elif is_device(one.path):
            yield Finding(
                rule="tree",
                severity="warning",
                path=one.path,
                commit=one.commit,
                message="nobody on Windows can check this out: the name stands for a device there",
                hint="give it another name",
            )


def _folders(path: str) -> list[str]:
    """Return the folders that a path lies in, the top included."""
    parts = path.split("/")[:-1]
    return ["", *("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))]


def _malformed(proposal: Proposal, files: list[str]) -> set[str]:
    """Return the folders of files whose trees are none that git would write."""
    folders = sorted({folder for path in files for folder in _folders(path)})
    if not folders:
        return set()
    trees = proposal.repository.read_objects(f"{proposal.tip}:{folder}" for folder in folders)
    wide = len(proposal.tip) // 2
    return {folder for folder, tree in zip(folders, trees, strict=True) if tree is None or not _is_sound(tree, wide)}


def _is_sound(tree: bytes, wide: int) -> bool:
    """Say whether each name in a tree stands once and is one name.

    Args:
        tree: its content, as git keeps it: mode, name, object id, again and again.
        wide: bytes of an object id.
    """
    names: set[bytes] = set()
    position = 0
    while position < len(tree):
        end = tree.find(b"\0", position)
        name = tree[position:end].partition(b" ")[2]
        if end < 0 or name in names or b"/" in name or not name:
            return False
        names.add(name)
        position = end + 1 + wide
    return True


def _of_owners(proposal: Proposal, taken_out: AbstractSet[str]) -> Iterator[Finding]:
    """Yield files that are added to an entry which stands already, or to none."""
    files = [path for path in proposal.added if path not in taken_out]
    owners = {path: owner for path in files if (owner := owner_of(path)) and owner not in proposal.added}
    standing = proposal.standing(owners.values())
    for path, owner in owners.items():
        if owner in standing and not is_signature(path):
            said = "added to an entry that stood already; entries never change"
        elif owner not in standing:
            said = f"it belongs to no entry: there is no `{owner}`"
        else:
            continue
        yield Finding(
            rule="history",
            path=path,
            commit=proposal.added[path].commit,
            message=said,
            hint="take the file out; what a run kept is recorded with it",
        )


def _of_collisions(proposal: Proposal, taken_out: AbstractSet[str]) -> Iterator[Finding]:
    """Yield paths at which the ledger holds something else, where the proposal does not stand on its tip."""
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
