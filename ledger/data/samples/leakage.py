"""Leakage: content shared by two datasets that must not overlap, since training data is no test."""

from collections.abc import Sequence

from ledger.data.samples.sample_files import samples_among
from ledger.model.datasets import Leak
from ledger.model.entries import ManifestLine
from ledger.model.values import Role

_NAMED = 5


def find_leak(
    ours: Sequence[ManifestLine], theirs: Sequence[ManifestLine], *, dataset: str, role: Role, within: str = ""
) -> Leak | None:
    """Return the samples that two datasets share by content; none without any; empty files do not count.

    Licences, label files and other files that are no samples in either of them are no leak: a model learns nothing
    from them that it is judged by.

    Args:
        ours: manifest of one dataset.
        theirs: manifest of the other.
        dataset: name of the other.
        role: role of the other.
        within: name of the first, where it is not obvious.
    """
    known = {line.hash for line in theirs if line.bytes}
    alike = [line for line in ours if line.bytes and line.hash in known]
    if not alike:
        return None
    is_ours, is_theirs = samples_among(ours), samples_among(theirs)
    wanted = {line.hash for line in alike}
    held = {line.hash for line in theirs if line.hash in wanted and is_theirs(line.path)}
    shared = [line.path for line in alike if line.hash in held and is_ours(line.path)]
    if not shared:
        return None
    return Leak(within=within, dataset=dataset, role=role, files=len(shared), examples=shared[:_NAMED])
