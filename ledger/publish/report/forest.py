"""The forest plot: the mean of each setting with its interval, on one scale."""

from ledger.analysis.comparing.report import ReportTable
from ledger.formatting import typeset
from ledger.publish.report.figure import (
    MOST_SETTINGS,
    MUTED,
    WIDE,
    Drawn,
    drawable,
    label,
    look_of,
    new_figure,
    rows_drawn,
    short_names,
)
from ledger.publish.report.table_text import cells


def draw_forest(table: ReportTable) -> Drawn | str:
    """Return the forest plot of a table, or why there is none."""
    shown, more = rows_drawn(table.rows, MOST_SETTINGS)
    if not shown:
        return "no setting has a value that can be drawn"
    figure = new_figure(WIDE, 0.85 + 0.24 * max(len(shown), 2))
    axes = figure.add_subplot()
    for at, (_, row) in enumerate(shown):
        mean = row.mean or 0.0
        color = look_of(0).color if row.leading else MUTED
        if row.interval and all(map(drawable, row.interval)):
            axes.plot(row.interval, (at, at), color=color, linestyle="-", marker="|", markersize=5, linewidth=1.4)
        axes.plot(
            [mean], [at], color=color, marker="o", linestyle="none", markersize=5.5,
            markerfacecolor=color if row.leading else "white", markeredgewidth=1.3, zorder=3,
        )  # fmt: skip
        axes.text(
            1.015, at, typeset(f"{cells(row)[0]}  n={row.n}"), transform=axes.get_yaxis_transform(), va="center",
            fontsize=7.5, fontweight="bold" if row.leading else "normal",
        )  # fmt: skip
    axes.set_yticks(range(len(shown)), short_names([row for _, row in shown]))
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    better = f" ({table.direction} is better)" if table.direction else ""
    axes.set_xlabel(label(table.group.key) + better)
    for tick, (_, row) in zip(axes.get_yticklabels(), shown, strict=True):
        tick.set_fontweight("bold" if row.leading else "normal")
    interval = "Bars are 95 % intervals of the mean, from the noise pooled over all settings."
    if not any(row.interval for _, row in shown):
        interval = f"No intervals: {table.unranked or 'the noise is unknown'}."
    stars = " Filled and bold: may be the best, at 95 %." if any(row.leading for _, row in shown) else ""
    caption = f"Mean of {table.group.label} for each setting. {interval}{stars}{more}"
    return Drawn(figure, caption, tuple(run for _, row in shown for run in row.runs))
