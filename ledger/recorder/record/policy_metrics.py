"""What a team agreed on about its metrics, put into new measurements: directions, and what they complete."""

from collections.abc import Sequence

from msgspec.structs import replace

from ledger.analysis.comparing.aggregates import derive
from ledger.model.boxes import Metric
from ledger.model.values import parse_slice
from ledger.store.branch.policy import Policy


def complete(made: Sequence[Metric], policy: Policy, *, before: Sequence[Metric] = ()) -> list[Metric]:
    """Return new measurements of a model with the team's directions, and the aggregates that they complete.

    Args:
        made: the new measurements, each with the dataset version it was made on.
        policy: what the team agreed on.
        before: what is known of the model already, oldest first.
    """
    directed = [_directed(metric, policy) for metric in made]
    return [*directed, *missing_aggregates([*before, *directed], policy)]


def missing_aggregates(metrics: Sequence[Metric], policy: Policy) -> list[Metric]:
    """Return the aggregates that all measurements of a model complete, and that are not among them."""
    known = {_identity(metric) for metric in metrics}
    return [metric for metric in derive(metrics, policy.aggregates) if _identity(metric) not in known]


def _identity(metric: Metric) -> tuple[object, ...]:
    return metric.key, metric.dataset_hash, metric.evaluator, metric.value


def _directed(metric: Metric, policy: Policy) -> Metric:
    said = policy.directions
    bare, part = parse_slice(metric.name)
    names = [metric.key, metric.name]
    if part is not None:  # what is better on the whole is better on a part
        names += [f"{metric.split}/{bare}" if metric.split else bare, bare]
    direction = next((said[name] for name in names if name in said), metric.direction)
    return replace(metric, direction=direction)
