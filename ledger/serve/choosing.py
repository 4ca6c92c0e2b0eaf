"""Which rows of a dataset a stage of the plan draws from: those with certain values, or of weighted labels."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from ledger.data.sources.source import LABEL, SampleSource
from ledger.errors import LedgerError, UsageError
from ledger.hashing import hash_bytes
from ledger.model.feed import FeedOrder, FeedStage

if TYPE_CHECKING:
    from numpy.typing import NDArray


class StageRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stage as a user asks for it."""

    order: FeedOrder = "shuffle"
    """Order of its epochs."""
    block: int | None = None
    """Rows of a block, for `blocked`."""
    keep: dict[str, list[str]] = {}
    """Values that samples may have, by property."""
    weights: dict[str, float] = {}
    """Share of the draws by label, for `weighted`."""


class ChosenStage(NamedTuple):
    """A stage, and the rows that it draws from."""

    facts: FeedStage
    rows: "NDArray[np.int64] | None"
    """Rows of the dataset, by their number within the stage; none where these are the same."""


def request_of(fields: Mapping[str, Any], where: str) -> StageRequest:
    """Return a stage from the words of a user.

    Raises:
        UsageError: a word has no meaning, or a value the wrong type.
    """
    plain = {name: value for name, value in fields.items() if value is not None}
    for name, values in dict(plain.get("keep") or {}).items():
        listed = [values] if isinstance(values, str | int) else list(values)
        plain["keep"] = {**plain["keep"], name: [str(value) for value in listed]}
    if "weights" in plain:
        plain["weights"] = {str(label): weight for label, weight in plain["weights"].items()}
    try:
        return msgspec.convert(plain, StageRequest)
    except msgspec.ValidationError as error:
        said = str(error)
        raise UsageError(f"{where} cannot be read: {said[:1].lower()}{said[1:]}") from None


def choose(source: SampleSource, request: StageRequest, from_epoch: int = 0) -> ChosenStage:
    """Return a stage with the rows that it draws from.

    Raises:
        LedgerError: the source has no such property, no sample is left, or a weighted label has no sample.
    """
    rows = np.arange(len(source), dtype=np.int64)
    for name, kept in request.keep.items():
        values = _values(source, name)
        wanted = set(kept)
        rows = rows[[values[row] in wanted for row in rows.tolist()]]
        if missing := sorted(wanted - set(values)):
            known = ", ".join(sorted({value for value in values if value is not None})[:20])
            raise LedgerError(f"no sample has this {name}: `{missing[0]}`", hint=f"one of {known}")
    groups: dict[str, int] = {}
    if request.order == "weighted":
        rows, groups = _grouped(_values(source, LABEL), rows, request.weights)
    elif request.weights:
        raise UsageError("only a weighted order has weights", hint='order="weighted"')
    whole = len(rows) == len(source) and bool((rows == np.arange(len(source))).all())
    facts = FeedStage(
        from_epoch=from_epoch,
        order=request.order,
        samples=len(rows),
        block=request.block,
        selection=None if whole else hash_bytes(rows.astype("<i8").tobytes()),
        keep=request.keep,
        weights={label: float(weight) for label, weight in request.weights.items()},
        groups=groups,
    )
    return ChosenStage(facts, None if whole else rows)


def _grouped(
    labels: Sequence[str | None], rows: "NDArray[np.int64]", weights: Mapping[str, float]
) -> "tuple[NDArray[np.int64], dict[str, int]]":
    """Return the rows of each weighted label, one label after the other, and their numbers."""
    found: dict[str, list[int]] = {label: [] for label in weights}
    for row in rows.tolist():
        if (label := labels[row]) in found:
            found[label or ""].append(row)
    if empty := [label for label, members in found.items() if not members]:
        raise LedgerError(f"no sample has the weighted label: `{empty[0]}`")
    return np.array([row for members in found.values() for row in members], dtype=np.int64), {
        label: len(members) for label, members in found.items()
    }


def _values(source: SampleSource, name: str) -> Sequence[str | None]:
    values = source.values(name)
    if values is None:
        raise LedgerError(f"the samples have no property of this name: `{name}`")
    return values
