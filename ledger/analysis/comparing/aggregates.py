"""Metrics computed from others: mean, weighted mean or worst over dataset versions, or over slices."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from ledger.analysis.comparing.comparable import agreed_direction
from ledger.hashing import hash_bytes
from ledger.model.boxes.outputs import Metric
from ledger.model.values import LABEL_LENGTH, Direction, Document, counted, number, parse_slice

_FEWEST = 2
"""Fewest parts of an aggregate."""


class Aggregate(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The definition of an aggregate in `policy.yaml`."""

    of: str
    """Metric of the parts, as `split/name`."""
    over: list[str] | Literal["slices"]
    """Dataset versions as `name@version`, or the slices of one (`accuracy[night]`, `accuracy[day]`)."""
    how: Literal["mean", "worst", "weighted"] = "mean"
    """`mean`, `worst` (lowest where higher is better, and the other way round), or `weighted` mean."""
    weights: list[float] = []
    """For `weighted`: one weight for each dataset version, in their order; above zero."""


def what_is_wrong(aggregate: Aggregate) -> str | None:
    """Return why a definition is invalid; none when it is valid."""
    over = aggregate.over
    if isinstance(over, list):
        if len(set(over)) < max(_FEWEST, len(over)):
            return "`over` takes two or more different dataset versions, or the word `slices`"
        if any(not name or not version for name, _, version in (label.partition("@") for label in over)):
            return "`over` names dataset versions as `name@version`"
    if (aggregate.how == "weighted") != bool(aggregate.weights):
        return "`weights` goes with `how: weighted`, and only with it"
    if aggregate.weights and (over == "slices" or len(aggregate.weights) != len(over)):
        return "`weights` takes one number for each dataset version in `over`"
    if any(not (math.isfinite(weight) and weight > 0) for weight in aggregate.weights):
        return "`weights` are numbers above zero"
    return None


def derive(metrics: Sequence[Metric], aggregates: Mapping[str, Aggregate]) -> list[Metric]:
    """Return every aggregate that measurements of one model complete, one for each evaluator that measured all parts.

    An aggregate is comparable only with those of the same definition over the same content: its kind, the
    content hashes and the weights are part of its `dataset_hash`. Of several measurements of a part the latest counts.

    Args:
        metrics: measurements, oldest first.
        aggregates: definition of each aggregate, by its key.
    """
    made = []
    for key, aggregate in aggregates.items():
        wholes = _by_slice(metrics, aggregate) if aggregate.over == "slices" else _by_version(metrics, aggregate)
        made += [whole for parts, label in wholes if (whole := _combine(key, aggregate, parts, label))]
    return made


_Parts = list[tuple[str, Metric]]
"""Identity of each part, with its measurement."""


def _by_version(metrics: Sequence[Metric], aggregate: Aggregate) -> Iterable[tuple[_Parts, str]]:
    measured = [metric for metric in metrics if metric.key == aggregate.of and metric.dataset_hash]
    over = [*aggregate.over]
    names = f"{aggregate.how} of {', '.join(over)}"
    label = names if len(names) <= LABEL_LENGTH else f"{aggregate.how} of {counted(len(over), 'dataset version')}"
    for evaluator in dict.fromkeys(metric.evaluator for metric in measured):
        latest = {metric.dataset: metric for metric in measured if metric.evaluator == evaluator}
        if all(version in latest for version in over):
            yield [(str(latest[version].dataset_hash), latest[version]) for version in over], label


def _by_slice(metrics: Sequence[Metric], aggregate: Aggregate) -> Iterable[tuple[_Parts, str]]:
    split, slash, wanted = aggregate.of.rpartition("/")
    groups: dict[tuple[str, str | None], dict[str, Metric]] = {}
    for metric in metrics:
        name, part = parse_slice(metric.name)
        if part is not None and name == wanted and (metric.split or "") == (split if slash else ""):
            groups.setdefault((metric.dataset_hash or "", metric.evaluator), {})[part] = metric
    for (content, _), latest in groups.items():
        if content and len(latest) >= _FEWEST:
            on = next(iter(latest.values())).dataset or content
            label = f"{aggregate.how} of {counted(len(latest), 'slice')} of {on}"[:LABEL_LENGTH]
            yield [(f"{content}[{part}]", metric) for part, metric in sorted(latest.items())], label


def _combine(key: str, aggregate: Aggregate, parts: _Parts, label: str) -> Metric | None:
    direction = agreed_direction(metric for _, metric in parts)
    if aggregate.how == "worst" and direction is None:
        return None  # without a direction there is no worst
    periods = {metric.period for _, metric in parts}
    values = [metric.number for _, metric in parts]
    weights = aggregate.weights or [1.0] * len(values)
    told = sorted((name, weight) for (name, _), weight in zip(parts, weights, strict=True))
    split, _, name = key.rpartition("/")
    return Metric(
        name=name,
        split=split or None,
        value=number(_value(values, weights, aggregate.how, direction)),
        direction=direction,
        dataset=label,
        dataset_hash=hash_bytes(msgspec.json.encode([aggregate.how, aggregate.of, told])),
        evaluator=parts[0][1].evaluator,
        period=periods.pop() if len(periods) == 1 else None,
        derived_from=aggregate.of,
        origin=next((metric.origin for _, metric in parts if metric.origin != "said"), "said"),
    )


def _value(values: Sequence[float], weights: Sequence[float], how: str, direction: Direction | None) -> float:
    if any(map(math.isnan, values)):
        return math.nan  # a part without a number is not better than the others
    if how == "worst":
        return min(values) if direction == "higher" else max(values)
    if any(map(math.isinf, values)):
        return sum(values)  # infinities of both signs add up to no number
    largest = max(weights)  # divided first: then neither weights nor values can overflow a float
    whole = math.fsum(weight / largest for weight in weights)
    return math.fsum(value * (weight / largest / whole) for value, weight in zip(values, weights, strict=True))
