"""The Pareto front of settings in metric, cost, time, size and memory."""

import math
from collections.abc import Iterable, Mapping, Sequence

from ledger.analysis.judging.judgement import Tried, direction_of
from ledger.analysis.judging.means import mean
from ledger.model.entries import StoredRun
from ledger.model.values import Document


class Choice(Document, frozen=True, kw_only=True):
    """One setting as a choice: its metric and what it takes."""

    run: str
    """One of its runs."""
    metric: float
    """Mean value, with the sign that makes larger better."""
    takes: Mapping[str, float]
    """What it takes, by name with unit; smaller is better; means over its runs."""


class Front(Document, frozen=True, kw_only=True):
    """The position of one setting among all."""

    dimensions: list[str]
    """Quantities that were compared beside the metric."""
    on_front: bool
    """Whether no other setting is as good in everything and better in something."""
    dominated_by: list[str]
    """A run of each setting that dominates it."""
    front: list[str]
    """A run of each setting on the front, best metric first."""
    takes: dict[str, tuple[float, float]]
    """Quantities of the judged setting, and of the one it is judged against."""
    word: str
    """`dominated`, `on the front`, or `trade-off` where it is on the front and the other is not beaten by it."""


def takes_of(runs: Iterable[StoredRun]) -> dict[str, float]:
    """Return the quantities of runs, as means over those with known values; each currency has a name of its own."""
    return {name: mean(values) for name, values in quantities_of(runs).items()}


def quantities_of(runs: Iterable[StoredRun], *, latency: bool = False) -> dict[str, list[float]]:
    """Return the known finite values of each quantity of runs, by name with unit; that of their models if asked for."""
    found: dict[str, list[float]] = {}
    for run in runs:
        record = run.record
        usage, gpus = record.hardware.usage, record.hardware.gpus
        peaks = [gpu.memory_peak_bytes for gpu in gpus if gpu.memory_peak_bytes is not None]
        values = {
            f"cost ({record.cost.currency})": record.cost.amount,
            "duration (s)": record.timing.took,
            "model (bytes)": record.model.bytes,
            "parameters": record.model.parameters,
            "memory (bytes)": usage.memory_peak_bytes if usage else None,
            "gpu memory (bytes)": max(peaks) if peaks else None,
            "latency (s)": record.model.latency_seconds if latency else None,
        }
        for name, value in values.items():
            if value is not None and math.isfinite(value):
                found.setdefault(name, []).append(float(value))
    return found


def choices_of(tried: Tried, runs: Mapping[str, StoredRun]) -> list[Choice]:
    """Return every setting that was tried as a choice.

    Args:
        tried: what was tried.
        runs: the runs by id.

    Raises:
        UsageError: nobody stated which values are better.
    """
    sign = 1 if direction_of(tried) == "higher" else -1
    return [
        Choice(run=one.runs[0], metric=sign * one.mean, takes=takes_of(runs[name] for name in one.runs))
        for one in tried.settings
    ]


def front_of(ours: int, theirs: int, choices: Sequence[Choice], names: Sequence[str] = ()) -> Front:
    """Return the position of a setting; two settings are compared in the quantities that both have.

    Domination as Pareto defined it (Manuale di economia politica, 1906; Miettinen, Nonlinear Multiobjective
    Optimization, 1999, 2.2), on means: whether a metric's difference is noise is left to the verdict.

    Args:
        ours: position of the judged setting.
        theirs: position of the one it is judged against.
        choices: every setting.
        names: quantities to compare; all that the judged setting has when empty.
    """
    mine, other = choices[ours], choices[theirs]
    looked = [name for name in mine.takes if not names or name.partition(" ")[0] in names]
    beaten = [one.run for at, one in enumerate(choices) if at != ours and _dominates(one, mine, looked)]
    front = [one for one in choices if not any(_dominates(by, one, looked) for by in choices if by is not one)]
    gives = not _dominates(mine, other, looked)
    return Front(
        dimensions=looked,
        on_front=not beaten,
        dominated_by=beaten,
        front=[one.run for one in sorted(front, key=lambda one: -one.metric)],
        takes={name: (mine.takes[name], other.takes[name]) for name in looked if name in other.takes},
        word="dominated" if beaten else "trade-off" if gives else "on the front",
    )


def _dominates(one: Choice, other: Choice, names: Sequence[str]) -> bool:
    if any((name in one.takes) != (name in other.takes) for name in names):
        return False
    pairs = [(one.metric, other.metric)]
    pairs += [(-one.takes[name], -other.takes[name]) for name in names if name in one.takes]
    return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)
