"""What stands beside a dataset version: what it changed, what it shares with others, cases that must pass."""

from typing import Literal

from ledger.model.values import Document, ParamValue, Role

ChangeKind = Literal["added", "removed", "changed", "relabelled"]
"""What became of a sample between two versions."""

DatasetKind = Literal["truth", "fodder", "baseline"]
"""What its labels are worth: checked by people, made by the million, or made by the product in use today."""

OVERRIDES_BEFORE_WARNING = 10
"""Overrides of one dataset from which a warning is said.

A rule of our own, after Sculley et al., Hidden Technical Debt in Machine Learning Systems (NeurIPS 2015, section 6):
each rule in front of a model is a correction that the next model does not learn from.
"""

Severity = Literal["low", "medium", "high", "critical"]
"""How bad it is when a case fails."""


_JUDGED: frozenset[frozenset[Role]] = frozenset(
    {frozenset({"train", "validation"}), frozenset({"train", "test"}), frozenset({"validation", "test"})}
)
"""Roles that must share nothing. Production is where the others are taken from."""


def must_differ(one: Role, other: Role) -> bool:
    """Say whether datasets of these roles must share nothing."""
    return frozenset({one, other}) in _JUDGED


class SamplePicture(Document, frozen=True, kw_only=True):
    """A small picture of one sample that a version added, removed or changed."""

    sample: str
    """Path of the sample inside the dataset."""
    change: ChangeKind
    """What became of it."""
    label: str | None = None
    """Its label."""
    file: str
    """The picture, relative to the folder of the version."""
    hash: str
    """Hash of the picture."""


class VersionChange(Document, frozen=True, kw_only=True):
    """What a version changed against the one it grew from."""

    parent: str
    """Label of the version it is compared with."""
    added: int
    """Files that the parent does not have."""
    removed: int
    """Files that only the parent has."""
    changed: int
    """Files of one path and another content."""
    relabelled: int = 0
    """Samples of one content and another label."""
    labels: dict[str, int] = {}
    """Label to how many more samples carry it now, fewer when negative; only those that changed."""
    pictures: list[SamplePicture] = []
    """Some of these samples, where they are images."""


class Leak(Document, frozen=True, kw_only=True):
    """Content that a version shares with a dataset that is used for something else."""

    within: str = ""
    """Dataset of a run that shares it; empty on a dataset version, which speaks of itself."""
    dataset: str
    """The other version, as `name@version`."""
    role: str
    """What the other one is for."""
    files: int
    """How many files both hold."""
    examples: list[str]
    """Some of them, as they are called here."""


class Source(Document, frozen=True, kw_only=True):
    """One dataset that a preparation read."""

    path: str
    """Where it was."""
    hash: str
    """Its content hash."""


class Preparation(Document, frozen=True, kw_only=True):
    """How a dataset was made from others: one step, run once for its code, params and sources."""

    step: str
    """Name of the step: the function, or the command."""
    code: str
    """Hash of the step's code and of the project's code that it calls."""
    params: dict[str, ParamValue] = {}
    """Params of the step."""
    sources: list[Source]
    """What it read."""
    duration_seconds: float
    """How long it took, the one time that it ran."""


class CaseResult(Document, frozen=True, kw_only=True):
    """What a model made of one case that must pass."""

    case: str
    """Id of the case."""
    passed: bool
    """Whether it gave the expected answer."""
    answer: str | None = None
    """What it answered."""
