"""The policy's part in new measurements: directions, and aggregates."""

from collections.abc import Sequence

from msgspec.structs import replace

from ledger.analysis.comparing.aggregates import derive
from ledger.model.boxes.outputs import Metric
from ledger.model.values import parse_slice
from ledger.store.branch.policy import Policy


def complete(made: Sequence[Metric], policy: Policy, *, before: Sequence[Metric] = ()) -> list[Metric]:
    """Return new measurements of a model with the policy's directions, and the aggregates that they complete.

    Args:
        made: new measurements, each with its dataset version.
        policy: policy of the team.
        before: earlier measurements of the model, oldest first.
    """
    directed = [_directed(metric, policy) for metric in made]
    return [*directed, *missing_aggregates([*before, *directed], policy)]


def missing_aggregates(metrics: Sequence[Metric], policy: Policy) -> list[Metric]:
    """Return the aggregates whose parts have all been measured and that are missing."""
    known = {_identity(metric) for metric in metrics}
    return [metric for metric in derive(metrics, policy.aggregates) if _identity(metric) not in known]


def _identity(metric: Metric) -> tuple[object, ...]:
    return metric.key, metric.dataset_hash, metric.evaluator, metric.value


def _directed(metric: Metric, policy: Policy) -> Metric:
    said = policy.directions
    bare, part = parse_slice(metric.name)
    names = [metric.key, metric.name]
    if part is not None:  # the direction of the parts is that of the whole
        names += [f"{metric.split}/{bare}" if metric.split else bare, bare]
    direction = next((said[name] for name in names if name in said), metric.direction)
    return replace(metric, direction=direction)
