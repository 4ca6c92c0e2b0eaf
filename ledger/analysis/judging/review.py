"""The facts about a run for its reviewer: a verdict in a word, the changes, what is missing."""

from collections.abc import Mapping, Sequence
from typing import Literal

from ledger.analysis.advice.run_advice import Advice
from ledger.analysis.comparing.comparable import why_not_comparable
from ledger.analysis.comparing.compare import Comparison
from ledger.analysis.comparing.environment_difference import EnvironmentDifference
from ledger.analysis.comparing.leaderboard import latest_metrics
from ledger.analysis.data.curves import Point
from ledger.analysis.judging.judgement import Judgement, Tried
from ledger.analysis.judging.noise import measure_noise
from ledger.analysis.judging.verdict import Verdict
from ledger.formatting import number
from ledger.model.boxes.outputs import GroupId, Metric
from ledger.model.claims.measurements import same_data, same_data_text
from ledger.model.entries import StoredRun
from ledger.model.values import Direction, Document, counted

Word = Literal["better", "worse", "within noise", "not comparable", "cannot tell"]
"""A verdict in one word, for people."""

_BARS = "▁▂▃▄▅▆▇█"
_DRAWN = 24
"""Most characters of a curve: as many as fit beside a number on a phone."""


class MetricLine(Document, frozen=True, kw_only=True):
    """One metric of a run beside the runs it is compared with."""

    metric: Metric
    """Measurement of the run."""
    others: list[float | None]
    """Measurements of the runs it is compared with, in order; none where they were not measured alike."""
    noise: float | None = None
    """Spread of this metric between repeats; none where nothing was repeated."""
    why: str | None = None
    """Why it is not compared; none where it is."""


class RunReview(Document, frozen=True, kw_only=True):
    """One run of a proposal."""

    run: StoredRun
    """The run."""
    word: Word
    """The verdict in a word."""
    why: str
    """The reason, in one line."""
    mend: str | None = None
    """What would allow a verdict; none where there is one."""
    against: list[tuple[str, str]] = []
    """Runs it is compared with: `baseline` or `best`, and the id."""
    judgement: Judgement | None = None
    """The verdict with its evidence; none where there is none."""
    comparison: Comparison | None = None
    """Differences from those runs, which come first, in order."""
    surroundings: list[EnvironmentDifference] = []
    """Differences in software and machines, in the order of the comparison."""
    metrics: list[MetricLine] = []
    """Its metrics."""
    code: list[str] = []
    """Commits between the code it is compared with and its own, newest first, one line each."""
    curves: dict[str, str] = {}
    """Learning curves as rows of bars, by name of the series."""
    missing: dict[str, str] = {}
    """Boxes that could not be captured, each with the reason."""
    warnings: list[str] = []
    """Further points to look at."""
    advice: list[Advice] = []
    """What to try next."""


def proposal_title(runs: Sequence[StoredRun]) -> str:
    """Return the title of a proposal's pull request: its additions, in a line without markup."""
    if len(runs) == 1:
        record = runs[0].record
        headline = record.headline
        said = f"{headline.key} {number(headline.number)}" if headline else record.status
        return f"run {record.id}: {said}"
    experiments = {run.record.experiment for run in runs}
    of = f" of {next(iter(experiments))}" if len(experiments) == 1 else ""
    return f"{counted(len(runs), 'run')}{of}"


def word_of(verdict: Verdict) -> Word:
    """Return a verdict in a word; a difference smaller than the requested one is within noise."""
    if verdict.answer == "keep":
        return "better"
    if verdict.answer == "discard":
        return "worse" if verdict.high is not None and verdict.high < 0 else "within noise"
    return "cannot tell"


def metric_lines(run: StoredRun, others: Sequence[StoredRun], tried: Mapping[GroupId, Tried]) -> list[MetricLine]:
    """Return the metrics of a run, each beside those of the others where they are comparable."""
    latest = latest_metrics(run)
    lines = []
    for metric in latest.values():
        peers = tried.get(metric.group_id)
        noise = measure_noise(peers.settings) if peers else None
        values = [_value_of(other, metric) for other in others]
        lines.append(
            MetricLine(
                metric=metric,
                others=values,
                noise=noise.width if noise else None,
                why=None if not others or any(value is not None for value in values) else _why_not(others[0], metric),
            )
        )
    return lines


def _value_of(run: StoredRun, metric: Metric) -> float | None:
    alike = [other for other in run.metrics() if why_not_comparable(metric, other) is None]
    return alike[-1].number if alike else None


def _why_not(run: StoredRun, metric: Metric) -> str:
    same = [other for other in run.metrics() if other.key == metric.key]
    return (why_not_comparable(metric, same[-1]) or "") if same else "only this run has it"


def warnings_of(run: StoredRun) -> list[str]:
    """Return further points for a reviewer: how it ended, leaks, redactions, problems in its log."""
    record = run.record
    said = [same_data_text(one, other) for one, other in same_data(record.datasets.used)]
    if record.status != "finished":
        said.append(f"it did not finish: {record.status}{f', {record.reason}' if record.reason else ''}")
    if record.code.dirty and record.code.patch is None:
        said.append("its code was not committed, and its changes were not captured")
    if record.code.commit and record.code.pushed is False:
        said.append("its commit was on no remote branch when it ran")
    said += [f"{leak.files} files shared with {leak.dataset} ({leak.role})" for leak in record.datasets.leaks]
    logged = [*record.logs.errors.items(), *record.logs.warnings.items()]
    said += [f"log, {count} times: {text}" if count != 1 else f"log, once: {text}" for text, count in logged[:5]]
    if record.redactions:
        said.append(f"{sum(record.redactions.values())} secrets were replaced before it was stored")
    if record.seed is None:
        said.append("no seed was recorded")
    return said


def drawn(points: Sequence[Point], series: str, direction: Direction | None = None) -> str:
    """Return a learning curve as a row of bars, with its first and last value; empty where it has no two points."""
    values = [point.values[series] for point in points if series in point.values]
    finite = [value for value in values if value == value and abs(value) != float("inf")]  # noqa: PLR0124  # NaN differs from itself
    if len(finite) < 2:  # noqa: PLR2004  # a line needs two
        return ""
    step = max(1, len(values) // _DRAWN)
    low, high = min(finite), max(finite)
    shown = values[::step][: _DRAWN - 1] + values[-1:]
    bars = "".join(_bar(value, low, high) for value in shown)
    arrow = {"higher": " ↑", "lower": " ↓", None: ""}[direction]
    return f"{bars} {number(finite[0])} → {number(finite[-1])}{arrow}"


def _bar(value: float, low: float, high: float) -> str:
    if value != value or abs(value) == float("inf"):  # noqa: PLR0124  # NaN differs from itself
        return "!"
    share = value / 2 - low / 2  # halves: the difference of two floats may overflow
    whole = high / 2 - low / 2
    return _BARS[min(len(_BARS) - 1, int(share / whole * len(_BARS)))] if whole > 0 else _BARS[0]
