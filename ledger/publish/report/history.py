"""History of a metric over the versions of a dataset: the best so far in steps, broken where the version changes."""

from collections.abc import Mapping, Sequence

from ledger.analysis.comparing.leaderboard import SettingBoard
from ledger.analysis.comparing.progress_steps import best_so_far
from ledger.model.entries import StoredRun
from ledger.publish.report.figure import WIDE, Drawn, drawable, label, look_of, new_figure

_FEWEST = 3
"""Fewest runs of a history."""
_ROOM = 8
"""Fewest runs of a version whose whole name has room above them; else its version stands alone."""
_GAP = 1.5
"""Distance between two versions, in runs."""


def draw_history(boards: Sequence[SettingBoard], runs: Mapping[str, StoredRun]) -> Drawn | str:
    """Return the history of one metric by one evaluator on the versions of one dataset, or why there is none.

    Args:
        boards: one for each version, oldest first.
        runs: the runs by id.
    """
    stretches = [(board, [p for p in best_so_far(board, runs.values()) if drawable(p.value)]) for board in boards]
    stretches = [(board, points) for board, points in stretches if points]
    count = sum(len(points) for _, points in stretches)
    if count < _FEWEST:
        return f"not enough runs: {count} have a value, {_FEWEST} are needed"
    figure = new_figure(WIDE, 2.9)
    axes = figure.add_subplot()
    start = 1.0
    for at, (board, points) in enumerate(stretches):
        look = look_of(at)
        places = [start + index for index in range(len(points))]
        axes.plot(
            places, [point.value for point in points], color=look.color, marker=look.marker, linestyle="none",
            markersize=3.5, alpha=0.55, markeredgewidth=0,
        )  # fmt: skip
        if board.direction:
            axes.plot(
                [*places, places[-1] + 0.5], [*(p.best for p in points), points[-1].best], color=look.color,
                linestyle="-", marker="", drawstyle="steps-post", linewidth=1.8,
            )  # fmt: skip
        if at:
            axes.axvline(places[0] - (_GAP + 1) / 2, color="#8A8A8A", linestyle=":", linewidth=0.9)
        whole = label(board.group.dataset)
        name = whole if not at or len(points) > _ROOM else f"@{whole.rpartition('@')[2]}"[:12]
        height = 1.02 + 0.06 * (at % 2 if len(stretches) > 2 else 0)  # noqa: PLR2004  # neighbours of two never meet
        axes.text(
            places[0], height, name, transform=axes.get_xaxis_transform(), fontsize=7.5, color=look.color,
            fontweight="bold", va="bottom",
        )  # fmt: skip
        start = places[-1] + 1 + _GAP
    axes.set_xticks([])
    axes.set_xlabel("runs in order of time")
    axes.set_ylabel(label(boards[0].group.key))
    broken = " The line is broken where the version changes: values of two versions are not comparable."
    versions = broken if len(stretches) > 1 else ""
    line = " The line is the best so far." if any(board.direction for board, _ in stretches) else ""
    caption = f"History of {boards[0].group.key} on {', '.join(b.group.dataset for b, _ in stretches)}.{line}{versions}"
    return Drawn(figure, caption, tuple(point.run for _, points in stretches for point in points))
