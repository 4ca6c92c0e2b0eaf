"""Growth: the error of a metric against data, size, time or money, on logarithmic axes, with the fitted line."""

from collections.abc import Mapping
from typing import get_args

from ledger.analysis.advice.growth import Against, Growth, growth_of
from ledger.analysis.comparing.report import ReportTable
from ledger.formatting import number
from ledger.model.entries import StoredRun
from ledger.publish.report.figure import COLUMN, Drawn, label, look_of, new_figure, plain_ticks

_WORDS: dict[Against, str] = {
    "samples": "training samples",
    "parameters": "parameters",
    "duration": "duration (s)",
    "cost": "cost",
}


def draw_growth(table: ReportTable, runs: Mapping[str, StoredRun]) -> Drawn | str:
    """Return the growth against the first quantity for which a line can be fitted, or why there is none."""
    counted = [runs[name] for row in table.rows for name in row.runs]
    reasons = []
    for against in get_args(Against):
        found = [one for one in growth_of(counted, table.group.key, against) if one.group.id == table.group.id]
        if found and found[0].band:
            return _draw(table, found[0])
        reasons.append(f"{_WORDS[against]}: {found[0].why_not if found else 'not recorded'}")
    return "; ".join(reasons[:2])


def _draw(table: ReportTable, growth: Growth) -> Drawn:
    figure = new_figure(COLUMN, 3.2)
    axes = figure.add_subplot()
    higher = growth.direction == "higher"
    errors = [1 - point.value if higher else point.value for point in growth.points]
    look = look_of(0)
    last = growth.points[-1].size
    sizes = [one.size for one in growth.band]
    axes.fill_between(
        sizes, [one.low for one in growth.band], [one.high for one in growth.band], color=look.color, alpha=0.14, lw=0
    )
    inside = [one for one in growth.band if one.size <= last * 1.0001]
    beyond = growth.band[max(len(inside) - 1, 0) :]
    axes.plot([one.size for one in inside], [one.error for one in inside], color=look.color, marker="", linestyle="-")
    axes.plot([one.size for one in beyond], [one.error for one in beyond], color=look.color, marker="", linestyle="--")
    axes.plot(
        [point.size for point in growth.points], errors, color=look.color, marker="o", linestyle="none",
        markerfacecolor="white", markeredgewidth=1.2,
    )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    plain_ticks(axes.xaxis, axes.yaxis)
    axes.set_xlabel(_WORDS[growth.against])
    axes.set_ylabel(f"1 − {label(table.group.key)}" if higher else label(table.group.key))  # noqa: RUF001  # a minus
    power = "" if growth.exponent is None else f" The error goes with size to the power {number(growth.exponent, 3)}."
    caption = (
        f"Growth of {table.group.label} with {_WORDS[growth.against]}, one point for each run.{power} Dashed: beyond"
        f" what was measured; band: 95 % interval for one run."
    )
    return Drawn(figure, caption, tuple(point.run for point in growth.points))
