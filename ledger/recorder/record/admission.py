"""The check of a new record against the rules of `ledger check`: violations are refused, or left out and noted."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from ledger.errors import LedgerError
from ledger.model.boxes.outputs import Metric
from ledger.model.claims.labels import MOST_TAGS
from ledger.model.claims.measurements import identity, too_many_metrics
from ledger.model.claims.rules import Claim, claims_in, refuse_claims
from ledger.model.record import BOXES, Record
from ledger.model.values import LABEL_LENGTH

_ROUNDS = 100
"""Most rounds of removal; each removes at least one field."""
_STEP = re.compile(r"[^.\[\]]+|\[[0-9]+\]")


def standing(record: Record, *, strict: bool) -> Record:
    """Return a record without anything that `ledger check` would refuse.

    Args:
        record: new record.
        strict: refuse it instead of leaving fields out; of a run that has ended, the rest is worth keeping.

    Raises:
        LedgerError: strict, and something in it would be refused.
    """
    if strict:
        refuse_claims(record)
        return record
    for _ in range(_ROUNDS):
        wrong = next((claim for claim in claims_in(record) if claim.severity == "error"), None)
        if wrong is None:
            break
        record = _without(record, wrong)
    return record


def _without(record: Record, wrong: Claim) -> Record:
    """Return a record without one field, with the reason noted; a name is made presentable instead."""
    if wrong.field == "tags":
        return msgspec.structs.replace(record, tags=record.tags[:MOST_TAGS])
    whole = msgspec.to_builtins(record)
    steps = _STEP.findall(wrong.field)
    box = steps[0] if steps[0] in BOXES else "params"
    why = {**(whole[box].get("unknown") or {}), wrong.field.removeprefix(f"{box}."): wrong.message}
    if wrong.rule == "text":
        holder = _holder(whole, steps)
        key = _key(steps[-1])
        holder[key] = ascii(str(holder[key]).strip())[1:-1][:LABEL_LENGTH] or "unnamed"
        return msgspec.convert(whole, Record)
    while steps:
        _drop(whole, steps)
        whole[box] = {**whole.get(box, {}), "unknown": why}
        try:
            return msgspec.convert(whole, Record)
        except msgspec.ValidationError:  # a required field: its parent is removed instead
            steps = steps[:-1]
    return record


def _drop(whole: dict[str, Any], steps: Sequence[str]) -> None:  # `Any`: any value in a record
    holder = _holder(whole, steps)
    del holder[_key(steps[-1])]


def _holder(whole: Any, steps: Sequence[str]) -> Any:  # noqa: ANN401  # a list or a mapping
    for step in steps[:-1]:
        whole = whole[_key(step)]
    return whole


def _key(step: str) -> str | int:
    return int(step[1:-1]) if step.startswith("[") else step


def once(metrics: Sequence[Metric]) -> list[Metric]:
    """Return measurements without duplicates; the later of two wins."""
    return list({identity(metric): metric for metric in metrics}.values())


def few_enough(metrics: list[Metric], headline: str | None, limit: int, *, strict: bool) -> tuple[list[Metric], str]:
    """Return at most as many metrics as the policy allows, including the headline, and a message about the rest.

    Raises:
        LedgerError: strict, and there are more.
    """
    said = too_many_metrics(len(metrics), limit)
    if said is None:
        return metrics, ""
    if strict:
        raise LedgerError(said, hint="keep them in a table: --table FILE; or raise limits.metrics in policy.yaml")
    first = [metric for metric in metrics if metric.key == headline][:1]
    others = [metric for metric in metrics if metric not in first]
    return [*first, *others][:limit], said
