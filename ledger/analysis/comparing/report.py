"""What a report says of the settings of each comparable group: a mean, an interval, and the runs behind them.

The order and the stars are those of the leaderboard; nothing here decides which setting may be the best.
"""

from collections.abc import Mapping, Sequence

from ledger.analysis.comparing.comparable import Group
from ledger.analysis.comparing.leaderboard import Place, SettingBoard, Withdrawn, mean_interval, mean_noise
from ledger.analysis.comparing.settings import is_place, is_seed
from ledger.analysis.query.fields import params_that_differ, show_value
from ledger.model.entries import StoredRun
from ledger.model.values import Direction, Document, ParamValue

REPORT_FORMAT = 1


class ReportRow(Document, frozen=True, kw_only=True):
    """One setting of a table."""

    setting: str
    """What distinguishes it, as `lr=0.1, width=16`."""
    params: dict[str, ParamValue] = {}
    """The params that distinguish it."""
    rank: int | None = None
    """Its rank on the board; none where that cannot be ranked."""
    leading: bool = False
    """Whether the leaderboard stars it: it may be the best."""
    mean: float | None = None
    """Arithmetic mean over its runs; none without a finite value."""
    deviation: float | None = None
    """Sample standard deviation of its runs (n - 1); none below two."""
    interval: tuple[float, float] | None = None
    """95 % interval of the mean, from the noise pooled over all settings of the table; none where that is unknown."""
    n: int = 0
    """Number of runs behind the mean."""
    runs: tuple[str, ...] = ()
    """Ids of these runs, best first."""
    uncounted: tuple[str, ...] = ()
    """Runs of the setting without a finite value, and other ranks of the same trainings."""


class ReportTable(Document, frozen=True, kw_only=True):
    """The settings of one comparable group."""

    name: str
    """Name of the group in file names."""
    group: Group
    """Metric, dataset version and evaluator that all values share."""
    direction: Direction | None
    """Which values are better."""
    rows: tuple[ReportRow, ...]
    """All settings, best first where that is known."""
    noise: float | None = None
    """Pooled standard deviation between runs of one setting; none where nothing was repeated."""
    unranked: str | None = None
    """Why there is no order, or why no setting is marked."""
    withdrawn: tuple[Withdrawn, ...] = ()
    """Runs that do not count, and why: retracted, unfinished, outside of the range."""


class ReportFigure(Document, frozen=True, kw_only=True):
    """One figure."""

    name: str
    """Name of its files without their ending."""
    caption: str
    """What it shows, in full sentences."""
    files: tuple[str, ...]
    """Its files."""
    runs: tuple[str, ...]
    """Ids of the runs that are drawn."""


class MissingFigure(Document, frozen=True, kw_only=True):
    """A figure that has not enough data."""

    figure: str
    """Kind of figure, and the group."""
    why: str
    """What is missing."""


class Report(Document, frozen=True, kw_only=True):
    """A report: tables and figures of the runs of one question."""

    format: int
    """Format of this document."""
    about: str
    """Experiment or query that the runs were selected by; empty for all."""
    metric: str
    """Metric and split."""
    tables: tuple[ReportTable, ...]
    """One table for each comparable group; values of two tables are never compared."""
    figures: tuple[ReportFigure, ...] = ()
    """The figures."""
    left_out: tuple[MissingFigure, ...] = ()
    """Figures that could not be drawn."""
    warnings: tuple[str, ...] = ()
    """How the question was interpreted."""
    files: tuple[str, ...] = ()
    """Every file of the report beside this one."""


def report_table(board: SettingBoard, runs: Mapping[str, StoredRun], name: str) -> ReportTable:
    """Return the table of a board.

    Args:
        board: settings of one comparable group, in the order of the leaderboard.
        runs: its runs by id.
        name: name of the group in file names.
    """
    labels = _labels([runs[place.runs[0]] for place in board.places])
    noise, reach = mean_noise(board)
    return ReportTable(
        name=name,
        group=board.group,
        direction=board.direction,
        rows=tuple(_row(place, *label, reach) for place, label in zip(board.places, labels, strict=True)),
        noise=noise,
        unranked=board.refused or board.unmarked,
        withdrawn=(*board.withdrawn, *board.outside),
    )


def _row(place: Place, setting: str, params: dict[str, ParamValue], reach: float | None) -> ReportRow:
    spread = place.spread
    count = spread.count if spread else 0
    return ReportRow(
        setting=setting,
        params=params,
        rank=place.rank,
        leading=place.leading,
        mean=spread.mean if spread else None,
        deviation=place.deviation,
        interval=mean_interval(spread, reach) if spread and reach is not None else None,
        n=count,
        runs=place.runs[:count],
        uncounted=place.runs[count:],
    )


def _labels(runs: Sequence[StoredRun]) -> list[tuple[str, dict[str, ParamValue]]]:
    """Return for each setting what distinguishes it; settings of equal params are told apart by code, then by run."""
    told = [name for name in params_that_differ(runs) if not is_seed(name) and not is_place(name)]
    values = {name: {repr(run.record.params.values.get(name)) for run in runs} for name in told}
    told.sort(key=lambda name: (-len(values[name]), name))  # what distinguishes most comes first: names are cut
    params = [
        {name: run.record.params.values[name] for name in told if name in run.record.params.values} for run in runs
    ]
    labels = [", ".join(f"{name}={show_value(value)}" for name, value in one.items()) for one in params]
    labels = [label or run.record.experiment for label, run in zip(labels, runs, strict=True)]
    for more in (lambda run: f"code {(run.record.code.commit or 'unknown').removeprefix('git:')[:7]}", _short_id):
        again = {label for label in labels if labels.count(label) > 1}
        labels = [
            f"{label} ({more(run)})" if label in again else label for label, run in zip(labels, runs, strict=True)
        ]
    return list(zip(labels, params, strict=True))


def _short_id(run: StoredRun) -> str:
    return f"run {run.record.id.rpartition('-')[2]}"
