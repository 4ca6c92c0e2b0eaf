"""The parts of a dataset version's document: its change, leaks, preparation, and cases that must pass."""

from typing import Literal

from ledger.model.values import Document, ParamValue, Role

ChangeKind = Literal["added", "removed", "changed", "relabelled"]
"""Kind of a change to a sample between two versions."""

DatasetKind = Literal["truth", "fodder", "baseline"]
"""Origin of its labels: checked by people, generated in bulk, or taken from the product in use today."""

OVERRIDES_BEFORE_WARNING = 10
"""Number of overrides on one dataset from which on a warning is shown.

Our own threshold, after Sculley et al., Hidden Technical Debt in Machine Learning Systems (NeurIPS 2015, section 6):
each rule in front of a model is a correction that the next model does not learn from.
"""

Severity = Literal["low", "medium", "high", "critical"]
"""How serious a failed case is."""


_JUDGED: frozenset[frozenset[Role]] = frozenset(
    {frozenset({"train", "validation"}), frozenset({"train", "test"}), frozenset({"validation", "test"})}
)
"""Roles whose datasets must not overlap. Production is left out: the others are drawn from it."""


def must_differ(one: Role, other: Role) -> bool:
    """Return whether datasets of these roles must not overlap."""
    return frozenset({one, other}) in _JUDGED


class SamplePicture(Document, frozen=True, kw_only=True):
    """A small picture of one sample that a version added, removed or changed."""

    sample: str
    """Path of the sample inside the dataset."""
    change: ChangeKind
    """Whether the version added, removed or changed it."""
    label: str | None = None
    """Its label."""
    file: str
    """File of the picture, relative to the folder of the version."""
    hash: str
    """Hash of the picture."""


class VersionChange(Document, frozen=True, kw_only=True):
    """The differences between a version and its parent."""

    parent: str
    """Label of the parent version."""
    added: int
    """Files that the parent does not have."""
    removed: int
    """Files that only the parent has."""
    changed: int
    """Files with the same path and different content."""
    relabelled: int = 0
    """Samples with the same content and a different label."""
    labels: dict[str, int] = {}
    """Change in the number of samples, by label; only labels whose number changed."""
    pictures: list[SamplePicture] = []
    """Some of these samples, where they are images."""


class Leak(Document, frozen=True, kw_only=True):
    """Content that a version shares with a dataset of another role."""

    within: str = ""
    """Dataset of the run that shares it; empty on a dataset version, which can only mean itself."""
    dataset: str
    """The other version, as `name@version`."""
    role: str
    """Role of the other dataset."""
    files: int
    """Number of files that both hold."""
    examples: list[str]
    """Some of the shared files, by their names in this dataset."""


class Source(Document, frozen=True, kw_only=True):
    """One dataset that a preparation step read."""

    path: str
    """Path it was read from."""
    hash: str
    """Its content hash."""


class Preparation(Document, frozen=True, kw_only=True):
    """How a dataset was made from others: one step, run once for each combination of code, params and sources."""

    step: str
    """Name of the step: the function, or the command."""
    code: str
    """Hash of the step's code and of the project's code that it calls."""
    params: dict[str, ParamValue] = {}
    """Params of the step."""
    sources: list[Source]
    """Datasets that the step read."""
    duration_seconds: float
    """Duration of the one time that it ran, in seconds."""


class CaseResult(Document, frozen=True, kw_only=True):
    """The result of a model on one case that must pass."""

    case: str
    """Id of the case."""
    passed: bool
    """Whether the model gave the expected answer."""
    answer: str | None = None
    """Answer that the model gave."""
