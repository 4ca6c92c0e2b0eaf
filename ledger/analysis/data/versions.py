"""Dataset versions: lookup by name, the runs that used them, and the results on them."""

import re
from collections.abc import Iterable, Sequence

from ledger.analysis.comparing.comparable import Leaderboard, leaderboards
from ledger.errors import NotFound
from ledger.model.entries import Contents, DatasetVersion, Note, StoredRun
from ledger.model.values import Document

_NUMBERED = re.compile(r"v(\d{1,9})")


class VersionFacts(Document, frozen=True, kw_only=True):
    """A dataset version with its use and its results."""

    version: DatasetVersion
    """The version."""
    judged: list[str]
    """Runs that were evaluated on it, oldest first."""
    trained: list[str]
    """Runs that were trained on it, oldest first."""
    best: list[Leaderboard]
    """One leaderboard for each metric that was measured on it."""
    retired: Note | None = None
    """Why it was retired."""


def versions_of(contents: Contents, name: str) -> list[DatasetVersion]:
    """Return the versions of a dataset, oldest first.

    Raises:
        NotFound: there is no such dataset; the hint names the existing ones.
    """
    known = [version for version in contents.datasets if version.name == name]
    if not known:
        names = sorted({version.name for version in contents.datasets})
        hint = f"known: {', '.join(names[:20])}" if names else "ledger dataset add NAME PATH --role validation"
        raise NotFound(f"no such dataset: `{ascii(name)[1:-1]}`", hint=hint)
    return known


def find_version(contents: Contents, label: str) -> DatasetVersion:
    """Return the version `name@version`; for a name alone, the latest that is not retired.

    Raises:
        NotFound: there is none; the hint names the existing ones.
    """
    name, at, wanted = label.partition("@")
    known = versions_of(contents, name)
    if at:
        found = [version for version in known if version.version == wanted]
    else:
        found = [version for version in known if contents.retirement(version.label) is None] or known
    if not found:
        raise NotFound(
            f"no such dataset version: `{ascii(label)[1:-1]}`",
            hint=f"one of {', '.join(version.label for version in known[-20:])}",
        )
    return found[-1]


def next_label(taken: Iterable[str]) -> str:
    """Return the next label: `v` and one more than the largest number so far."""
    return f"v{max((int(match[1]) for label in taken if (match := _NUMBERED.fullmatch(label))), default=0) + 1}"


def facts_of(contents: Contents, versions: Sequence[DatasetVersion]) -> list[VersionFacts]:
    """Return use and results of each version; runs that do not count are on no board."""
    measured: dict[str, list[str]] = {}
    trained: dict[str, list[str]] = {}
    for run in contents.runs:
        for content in _datasets_measured(run):
            measured.setdefault(content, []).append(run.record.id)
        for content in {use.hash for use in run.record.datasets.used if use.hash and use.role == "train"}:
            trained.setdefault(content, []).append(run.record.id)
    boards = leaderboards(contents.runs)
    return [
        VersionFacts(
            version=version,
            judged=measured.get(version.hash, []),
            trained=trained.get(version.hash, []),
            best=[board for board in boards if board.group.dataset_hash == version.hash],
            retired=contents.retirement(version.label),
        )
        for version in versions
    ]


def _datasets_measured(run: StoredRun) -> set[str]:
    return {metric.dataset_hash for metric in run.metrics() if metric.dataset_hash}
