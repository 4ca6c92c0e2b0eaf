"""Learning curves on the page of an experiment: the best settings, each with a band over its seeds."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from markupsafe import Markup

from ledger.analysis.comparing.comparable import Group, counts, data_of_curve
from ledger.analysis.comparing.leaderboard import SettingBoard
from ledger.analysis.data.curve_bands import band_of
from ledger.analysis.data.curves import Point
from ledger.model.entries import StoredRun
from ledger.model.values import Document, Number, counted
from ledger.publish.charts.band_chart import BandLine, band_values, render_bands
from ledger.publish.charts.charts import COLOURS
from ledger.publish.charts.curve_panels import line_of
from ledger.publish.pages.page import markup
from ledger.publish.site.site_data import Atlas
from ledger.publish.text import visible

ReadPoints = Callable[[str], Sequence[Point]]

SETTINGS_DRAWN = COLOURS
"""Most settings in a chart of curves: as many as there are colours."""
SERIES_DRAWN = 4
"""Most series that a reader can choose from: 25 KB each, drawn and as text."""
_RUNS_DRAWN = 20
"""Most runs of a setting behind its band, the latest: reading each takes a millisecond."""
_SCHEDULES = frozenset(
    {"lr", "learning_rate", "epoch", "step", "momentum", "weight_decay", "wd", "beta", "temperature"}
)
"""Series (their last part) that somebody chose: what a schedule says was known before the training."""
_SPLITS = {"validation": 0, "val": 0, "valid": 0, "test": 1, "train": 3}
"""Order of series by their split, as leaderboards have it."""


class SettingLine(Document, frozen=True, kw_only=True):
    """One setting in the legend of a chart of curves."""

    name: str
    """Name of the setting."""
    run: str
    """Its best run, or its latest where there is no order."""
    runs: int
    """Number of runs behind the line."""
    value: Number | None
    """Mean of the headline metric; none where it was not measured."""
    mark: str
    """Numbers of its runs among those of the page, separated by spaces."""


class SeriesChart(Document, frozen=True, kw_only=True):
    """One series of the settings of an experiment."""

    series: str
    """Name of the series."""
    svg: Markup
    """The chart."""
    lines: tuple[SettingLine, ...]
    """Its settings, in the order of their colours."""
    axis: str
    """Name of the horizontal axis."""
    values: str
    """What is drawn, as `band_values` writes it."""
    says: tuple[str, ...]
    """What is drawn and what is not, one sentence each."""


def experiment_curves(
    runs: Sequence[StoredRun], headline: Group | None, board: SettingBoard | None, atlas: Atlas, points_of: ReadPoints
) -> list[SeriesChart]:
    """Return a chart of each of the series that say most, the headline's first; none where no run kept any.

    Args:
        runs: of the experiment, oldest first.
        headline: the group that most headlines were measured in.
        board: settings in that group, in the order of the leaderboard; none where there is no group.
        atlas: the whole ledger.
        points_of: points of a run by its id.
    """
    kept = [run for run in runs if run.record.results.curves is not None]
    pool = [run for run in kept if counts(run) and run.record.id not in atlas.ranks] or kept
    drawing = _Drawing(runs, pool, len(kept) - len(pool), headline, _order_of(pool, board, atlas), atlas, points_of)
    charts = (drawing.chart(series) for series in series_in_order(pool, headline))
    return list(islice(filter(None, charts), SERIES_DRAWN))


def series_in_order(runs: Sequence[StoredRun], headline: Group | None) -> list[str]:
    """Return the series of runs: the headline's, its metric on other splits, losses, other metrics, schedules last."""
    having = Counter(name for run in runs if run.record.results.curves for name in run.record.results.curves.series)
    measured = {metric.key for run in runs for metric in run.record.results.metrics}
    wanted = headline.key.rpartition("/")[2] if headline else None

    def place(series: str) -> tuple[int, int, int, str]:
        split, _, name = series.rpartition("/")
        if headline and series == headline.key:
            kind = 0
        elif name.lower() in _SCHEDULES or name.lower().startswith("lr"):
            kind = 5
        elif name == wanted:
            kind = 1
        elif name.lower().endswith("loss"):
            kind = 2
        else:
            kind = 3 if series in measured else 4
        return kind, _SPLITS.get(split.lower(), 2), -having[series], series

    return sorted(having, key=place)


class SettingOrder(NamedTuple):
    """The place of a setting among those of its experiment."""

    at: int
    """Its position, the best first where that is known."""
    mean: Number | None
    """Mean of the headline metric; none where it was not measured, or cannot be ranked."""
    runs: tuple[str, ...]
    """Its runs, best first; none where there is no order."""


def _order_of(runs: Sequence[StoredRun], board: SettingBoard | None, atlas: Atlas) -> dict[int, SettingOrder]:
    """Return the place of each setting: as on the board, then the others, that with the latest run first."""
    found: dict[int, SettingOrder] = {}
    for place in board.places if board is not None and board.refused is None else ():
        mean = place.spread.mean if place.spread else None
        found.setdefault(atlas.settings[place.runs[0]], SettingOrder(len(found), mean, place.runs))
    for run in reversed(runs):
        found.setdefault(atlas.settings[run.record.id], SettingOrder(len(found), None, ()))
    return found


class _Drawing:
    """What the charts of one experiment share."""

    def __init__(  # what is shared by all series
        self,
        runs: Sequence[StoredRun],
        pool: Sequence[StoredRun],
        aside: int,
        headline: Group | None,
        places: Mapping[int, SettingOrder],
        atlas: Atlas,
        points_of: ReadPoints,
    ) -> None:
        self.pool = pool
        self.aside = aside
        self.headline = headline
        self.places = places
        self.atlas = atlas
        self.numbers = {run.record.id: number for number, run in enumerate(runs)}
        self.points_of = points_of

    def chart(self, series: str) -> SeriesChart | None:
        """Return the chart of one series; none where nothing can be drawn."""
        having = [run for run in self.pool if run.record.results.curves and series in run.record.results.curves.series]
        label, chosen = _on_same_data(having, series, self.headline)
        members: dict[int, list[StoredRun]] = {}
        for run in chosen:
            members.setdefault(self.atlas.settings[run.record.id], []).append(run)
        order = sorted(members, key=lambda setting: self.places[setting].at)
        drawn = {setting: members[setting][-_RUNS_DRAWN:] for setting in order[:SETTINGS_DRAWN]}
        axis = _common_axis([self.points_of(run.record.id) for same in drawn.values() for run in same])
        names = _names_of(drawn, self.atlas)
        lines: list[BandLine] = []
        legend: list[SettingLine] = []
        for setting, same in drawn.items():
            mark = " ".join(str(self.numbers[run.record.id]) for run in members[setting])
            if (line := self._line(series, same, axis, names[setting], mark)) is not None:
                lines.append(line)
                mean = self.places[setting].mean
                legend.append(
                    SettingLine(name=line.name, run=self._best(setting, same), runs=line.runs, value=mean, mark=mark)
                )
        svg = render_bands(lines, title="Learning curves", x_label=axis, y_label=visible(series))
        if not svg:
            return None
        says = [*self._order_said(len(order), legend), *self._left_out(series, label, len(having) - len(chosen))]
        if any(len(members[setting]) > _RUNS_DRAWN for setting in drawn):
            says.append(f"Of a setting the latest {_RUNS_DRAWN} runs are drawn.")
        return SeriesChart(
            series=series,
            svg=markup(svg),
            lines=tuple(legend),
            axis=axis,
            values=band_values(lines),
            says=tuple(says),
        )

    def _line(self, series: str, runs: Sequence[StoredRun], axis: str, name: str, mark: str) -> BandLine | None:
        curves = []
        for run in runs:
            points = self.points_of(run.record.id)
            line = line_of(points, _places_on(points, axis), series)
            if line.xs:
                curves.append((line.xs, line.ys))
        band = band_of(curves)
        return None if band is None else BandLine(name=name, band=band, runs=len(curves), mark=mark)

    def _best(self, setting: int, same: Sequence[StoredRun]) -> str:
        """Return the best of some runs of a setting; the latest where there is no order."""
        drawn = {run.record.id for run in same}
        return next((run for run in self.places[setting].runs if run in drawn), same[-1].record.id)

    def _order_said(self, settings: int, legend: Sequence[SettingLine]) -> Iterator[str]:
        if any(line.runs > 1 for line in legend):
            yield "Lines are means over the runs of a setting, bands reach from the smallest to the largest of them."
        else:
            yield "Each line is one run: no setting was repeated, so there is no band."
        ranked = self.headline is not None and legend[0].value is not None
        by = f"best by {visible(self.headline.key)} on {visible(self.headline.dataset)}" if ranked else "latest"  # type: ignore[union-attr]  # as `ranked` says
        if settings > len(legend):
            yield f"The {len(legend)} {by} are drawn; {settings - len(legend):,} more are not drawn."
        elif settings > 1:
            yield f"The {by} come first."

    def _left_out(self, series: str, on: str | None, elsewhere: int) -> Iterator[str]:
        if elsewhere:
            where = f"on {visible(on)}" if on else "on unnamed data"
            others = f"{counted(elsewhere, 'run')} measured it on other data"
            yield f"{visible(series)} {where}. {others}: a line of theirs would answer another question."
        if self.aside:
            yield f"{counted(self.aside, 'run')} that did not finish, or do not count, are not drawn."


def _on_same_data(
    having: Sequence[StoredRun], series: str, headline: Group | None
) -> tuple[str | None, list[StoredRun]]:
    """Return the runs that measured a series on the same data, the headline's where any did, and its name."""
    uses = [(run, data_of_curve(run, series)) for run in having]
    hashes = Counter(use.hash if use else None for _, use in uses)
    if headline and series == headline.key and headline.dataset_hash in hashes:
        wanted: str | None = headline.dataset_hash
    else:
        wanted = max(hashes, key=lambda one: (hashes[one], one or ""))
    label = next((use.label for _, use in uses if use and use.hash == wanted), None)
    return label, [run for run, use in uses if (use.hash if use else None) == wanted]


def _names_of(drawn: Mapping[int, Sequence[StoredRun]], atlas: Atlas) -> dict[int, str]:
    """Return the name of each setting; where several share one, with the id of the latest run."""
    names = {setting: atlas.setting_names[same[-1].record.id] for setting, same in drawn.items()}
    again = Counter(names.values())
    return {
        setting: f"{name} ({drawn[setting][-1].record.id[16:]})" if again[name] > 1 else name
        for setting, name in names.items()
    }


def _common_axis(all_points: Sequence[Sequence[Point]]) -> str:
    """Return the first axis that all points of all runs have; their number where there is none."""
    having = [points for points in all_points if points]
    for name in ("step", "epoch", "seconds"):
        if all(getattr(point, name) is not None for points in having for point in points):
            return name
    return "point"


def _places_on(points: Sequence[Point], axis: str) -> list[float]:
    return [float(at if axis == "point" else getattr(point, axis)) for at, point in enumerate(points)]
