"""Reports on loops that change, train, and keep or discard: how many of the kept changes chance alone explains.

Each kept run is judged against the one that the loop had kept before, by the rules of `ledger judge`. Knows only runs
in their order; who decided what stands in their tags and notes.
"""

import math
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

from ledger.analysis.comparing.settings import settings_of
from ledger.analysis.judging.noise import Noise, Repeats, measure_noise, pool
from ledger.analysis.judging.verdict import Question, Verdict, decide
from ledger.model.boxes.outputs import Metric
from ledger.model.entries import StoredRun
from ledger.model.values import Direction, Document

Decision = Literal["keep", "discard", "crash"]

_WORDS: dict[str, Decision] = {
    "keep": "keep", "kept": "keep", "accept": "keep", "accepted": "keep", "new_best": "keep", "baseline": "keep",
    "discard": "discard", "discarded": "discard", "revert": "discard", "reverted": "discard", "reject": "discard",
    "rejected": "discard", "kill": "discard", "crash": "crash", "crashed": "crash", "fail": "crash", "failed": "crash",
}  # fmt: skip
"""Words that loops use, in tags or in a line of the note such as `status: keep`."""
_LINE = re.compile(r"^(?:status|decision|correctness|verdict|outcome|result): *(?P<word>[\w-]+)", re.MULTILINE)
_STATED_FREEDOM = 1_000
"""Degrees of freedom of a noise width that somebody states: it is taken as known."""


class KeptChange(Document, frozen=True, kw_only=True):
    """A run that the loop kept, judged against the one that it had kept before."""

    run: str
    """The run."""
    before: str
    """The run that was kept before."""
    value: float
    """Its value."""
    verdict: Verdict
    """Whether the gain is beyond chance."""

    @property
    def inside(self) -> bool:
        """Whether chance alone explains the gain, or nobody can tell."""
        return self.verdict.answer != "keep"


class LoopReport(Document, frozen=True, kw_only=True):
    """What a loop did, and what of it will last."""

    metric: str
    """Metric that it improves."""
    direction: Direction
    """Which values are better."""
    runs: int
    """Number of runs."""
    first: str | None
    """The first run that it kept; none where it kept none."""
    kept: list[KeptChange]
    """The kept runs after the first, in order."""
    discarded: int
    """Number of runs that it discarded."""
    crashed: int
    """Number of runs that failed."""
    undecided: int
    """Number of runs without a decision."""
    noise: Noise | None
    """Spread of its repeats; none where no setting was repeated."""
    stated_noise: float | None = None
    """Spread that was stated instead."""
    best: str | None = None
    """The run with the best value; none where none has a value."""
    best_value: float | None = None
    """Its value."""
    best_low: float | None = None
    """Lower end of the 95 % interval of the mean of its setting; none where the noise is unknown."""
    best_high: float | None = None
    """Upper end."""
    seconds: float = 0.0
    """Time that the runs took, where it is known."""
    cost: dict[str, float] = {}
    """Cost by currency, where it is known."""
    unknown_cost: int = 0
    """Number of runs whose cost is unknown."""

    @property
    def inside(self) -> int:
        """The number of kept runs whose gain chance alone explains."""
        return sum(change.inside for change in self.kept)


def decision_of(run: StoredRun) -> Decision | None:
    """Return what the loop decided about a run: by its tags, else by a line of its note, else by how it ended."""
    for tag in reversed(run.tags):
        if (found := _WORDS.get(tag.lower())) is not None:
            return found
    for line in _LINE.finditer(run.record.note or ""):
        if (found := _WORDS.get(line["word"].lower())) is not None:
            return found
    return "crash" if run.record.status in {"failed", "killed", "lost"} else None


def loop_report(runs: Sequence[StoredRun], metric: str, direction: Direction, noise: float | None = None) -> LoopReport:
    """Return the report on a loop.

    Args:
        runs: its runs, in the order of time.
        metric: key of the metric that it improves.
        direction: which values are better.
        noise: standard deviation between repeats, where somebody knows it; that of its own repeats by default.

    Raises:
        ModuleNotFoundError: scipy is not installed.
    """
    values = {run.record.id: found for run in runs if (found := _value(run, metric)) is not None}
    settings = [
        Repeats(runs=tuple(ids), values=tuple(values[one] for one in ids))
        for setting in settings_of(runs)
        if (ids := [run.record.id for run in setting.runs if run.record.id in values])
    ]
    measured = measure_noise(settings)
    pooled = pool(settings) if noise is None else (noise * noise * _STATED_FREEDOM, _STATED_FREEDOM)
    decisions = [decision_of(run) for run in runs]
    decided = zip(runs, decisions, strict=True)
    kept = [run.record.id for run, said in decided if said == "keep" and run.record.id in values]
    question = Question(higher=direction == "higher", min_effect=0.0)
    changes = [
        KeptChange(
            run=run,
            before=before,
            value=values[run],
            verdict=decide(_single(run, values), _single(before, values), pooled, question),
        )
        for before, run in pairwise(kept)
    ]
    best = (max if direction == "higher" else min)(values, key=values.__getitem__, default=None)
    repeats = next((one for one in settings if best in one.runs), None)
    low, high = _interval(repeats, pooled) if repeats is not None else (None, None)
    cost, unknown = _cost(runs)
    return LoopReport(
        metric=metric,
        direction=direction,
        runs=len(runs),
        first=kept[0] if kept else None,
        kept=changes,
        discarded=decisions.count("discard"),
        crashed=decisions.count("crash"),
        undecided=decisions.count(None),
        noise=measured,
        stated_noise=noise,
        best=best,
        best_value=values[best] if best is not None else None,
        best_low=low,
        best_high=high,
        seconds=sum(run.record.timing.took or 0.0 for run in runs),
        cost=cost,
        unknown_cost=unknown,
    )


def _single(run: str, values: dict[str, float]) -> Repeats:
    return Repeats(runs=(run,), values=(values[run],))


def _value(run: StoredRun, metric: str) -> float | None:
    found: Metric | None = run.record.metric(metric)
    return found.number if found is not None and math.isfinite(found.number) else None


def _interval(repeats: Repeats, pooled: tuple[float, int]) -> tuple[float | None, float | None]:
    """Return the 95 % interval of the mean of a setting, by the pooled noise; none where that is unknown.

    The interval is that of Student's t (Student 1908, Biometrika 6:1).
    """
    squares, freedom = pooled
    if not freedom or not squares:
        return None, None
    from scipy.stats import t

    reach = float(t.ppf(0.975, freedom)) * math.sqrt(squares / freedom / repeats.count)
    return repeats.mean - reach, repeats.mean + reach


def _cost(runs: Iterable[StoredRun]) -> tuple[dict[str, float], int]:
    amounts: dict[str, float] = {}
    unknown = 0
    for run in runs:
        cost = run.record.cost
        if cost.amount is None:
            unknown += 1
        else:
            amounts[cost.currency or "?"] = amounts.get(cost.currency or "?", 0.0) + cost.amount
    return amounts, unknown
