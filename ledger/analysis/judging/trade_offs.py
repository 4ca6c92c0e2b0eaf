"""The metric of settings against each single quantity that they take: what a report and the site draw."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from ledger.analysis.judging.means import mean
from ledger.analysis.judging.pareto import quantities_of
from ledger.model.entries import StoredRun
from ledger.model.values import Direction, Document

QUANTITIES = ("cost", "latency", "parameters", "model", "duration", "memory", "gpu")
"""First words of quantities, those first that are chosen first."""


class SettingMean(NamedTuple):
    """One setting with a finite value."""

    runs: tuple[str, ...]
    """Runs behind the mean."""
    mean: float
    """Mean of the metric."""


class Taken(NamedTuple):
    """One setting in metric and one quantity."""

    setting: int
    """Its position among the settings that were given."""
    value: float
    """Mean of what its runs took."""
    known: int
    """Number of its runs of which that is known."""
    on_front: bool
    """Whether no other setting is as good in the mean and takes less, or better and takes no more."""


class TradeOff(Document, frozen=True, kw_only=True):
    """The settings in metric and one quantity, as means."""

    quantity: str
    """Name and unit; each currency is a quantity of its own."""
    settings: tuple[Taken, ...]
    """Those of which it is known, in the order in which they were given."""
    elsewhere: int = 0
    """Number of those of which it is known in another unit only: a cost in another currency."""

    @property
    def front(self) -> list[Taken]:
        """Return the Pareto front, what takes least first."""
        return sorted((one for one in self.settings if one.on_front), key=lambda one: one.value)


def trade_offs(
    settings: Sequence[SettingMean],
    runs: Mapping[str, StoredRun],
    direction: Direction,
    *,
    below: float = math.inf,
    words: Collection[str] = QUANTITIES,
) -> list[TradeOff]:
    """Return the quantities in which two settings differ, in the order of `QUANTITIES`.

    Args:
        settings: of one comparable group.
        runs: the runs by id.
        direction: which values of the metric are better.
        below: larger quantities are left out, since no axis can show them.
        words: first words of the quantities that are wanted.
    """
    found: dict[str, list[tuple[int, float, int]]] = {}
    for at, one in enumerate(settings):
        for name, values in quantities_of([runs[run] for run in one.runs], latency=True).items():
            taken = values[0] if len(values) == 1 else mean(values)  # most settings are one run
            if abs(taken) < below:
                found.setdefault(name, []).append((at, taken, len(values)))
    offs = []
    for name in sorted((name for name in found if _word(name) in words), key=_rank):
        takes = {at: taken for at, taken, _ in found[name]}
        if len(set(takes.values())) > 1:
            sign = 1 if direction == "higher" else -1
            front = front_on({at: (sign * settings[at].mean, value) for at, value in takes.items()})
            given = tuple(Taken(at, taken, known, at in front) for at, taken, known in found[name])
            alike = {at for other in found if _word(other) == _word(name) for at, _, _ in found[other]}
            offs.append(TradeOff(quantity=name, settings=given, elsewhere=len(alike) - len(given)))
    return offs


def front_on(choices: Mapping[int, tuple[float, float]]) -> set[int]:
    """Return which choices no other one dominates, as `front_of` does in one quantity, in one pass over their order.

    Args:
        choices: metric, larger is better, and quantity, smaller is better, of each.
    """
    front: set[int] = set()
    best, at = -math.inf, math.nan
    for name, (metric, taken) in sorted(choices.items(), key=lambda item: (item[1][1], -item[1][0])):
        if metric > best:
            best, at = metric, taken
            front.add(name)
        elif (metric, taken) == (best, at):
            front.add(name)
    return front


def _rank(name: str) -> tuple[int, str]:
    return QUANTITIES.index(_word(name)) if _word(name) in QUANTITIES else len(QUANTITIES), name


def _word(name: str) -> str:
    return name.partition(" ")[0]
