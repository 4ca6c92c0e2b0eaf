"""Content that two datasets share which must have nothing in common: what a model learned is no test of it."""

from collections.abc import Iterable

from ledger.model.datasets import Leak
from ledger.model.entries import ManifestLine
from ledger.model.values import Role

_JUDGED: frozenset[frozenset[Role]] = frozenset(
    {frozenset({"train", "validation"}), frozenset({"train", "test"}), frozenset({"validation", "test"})}
)
"""Roles that must share nothing. Production is where the others are taken from."""
_NAMED = 5


def must_differ(one: Role, other: Role) -> bool:
    """Say whether datasets of these roles must share nothing."""
    return frozenset({one, other}) in _JUDGED


def find_leak(
    ours: Iterable[ManifestLine], theirs: Iterable[ManifestLine], *, dataset: str, role: Role, within: str = ""
) -> Leak | None:
    """Return what two datasets share by content, none when it is nothing; empty files are alike by nature.

    Args:
        ours: manifest of the one.
        theirs: manifest of the other.
        dataset: what the other is called.
        role: what the other is for.
        within: what ours is called, where that is not clear.
    """
    known = {line.hash for line in theirs if line.bytes}
    shared = [line.path for line in ours if line.bytes and line.hash in known]
    if not shared:
        return None
    return Leak(within=within, dataset=dataset, role=role, files=len(shared), examples=shared[:_NAMED])
