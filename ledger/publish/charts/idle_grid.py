"""Hours of GPUs as a grid: a row for a host or a day, a column for each hour, the darker the more was held idle."""

from collections.abc import Sequence

from ledger.analysis.hosts.day_sums import Minutes
from ledger.formatting import share
from ledger.model.hosts import HOURS
from ledger.publish.charts.axes import name_at, picture
from ledger.publish.text import escaped, one_line

_CELL, _GAP, _LEFT, _TOP = 15, 2, 100, 18
_TICKS = (0, 6, 12, 18)
_NAME = 15
"""Most characters of the name of a row."""


def render_idle_grid(rows: Sequence[tuple[str, Sequence[Minutes]]], title: str) -> str:
    """Return the grid; an hour that nobody watched is an empty frame.

    Args:
        rows: name of each row, and the minutes of GPUs in each hour of the day, UTC.
        title: for screen readers.
    """
    width, height = _LEFT + HOURS * _CELL, _TOP + len(rows) * _CELL
    ticks = "".join(f'<text x="{_LEFT + hour * _CELL}" y="11">{hour:02}:00</text>' for hour in _TICKS)
    names: list[str] = []
    cells: list[str] = []
    for row, (said, hours) in enumerate(rows):
        name, y = one_line(said, _NAME), _TOP + row * _CELL
        names.append(name_at(_LEFT - 8, y + 11, name, anchor="end"))
        cells += (_cell(name, hour, minutes, y) for hour, minutes in enumerate(hours))
    body = f'<g class="lg-axis">{ticks}{"".join(names)}</g>{"".join(cells)}'
    return picture(width, height, title, body, "lg-idle-grid")


def _cell(name: str, hour: int, minutes: Minutes, y: int) -> str:
    x, size = _LEFT + hour * _CELL, _CELL - _GAP
    where = f'x="{x}" y="{y}" width="{size}" height="{size}" rx="2"'
    if not sum(minutes):
        return f'<rect class="lg-day lg-unwatched" {where}/>'
    words = f"{name}, {hour:02}:00 to {hour + 1:02}:00: {_words(minutes)}"
    css = f"lg-w{level_of(minutes)}" if minutes.known else "lg-unclear"
    return f'<rect class="lg-day {css}" {where}><title>{escaped(words)}</title></rect>'


def level_of(minutes: Minutes) -> int:
    """Return how dark a cell is: 0 where nothing was held idle, 4 from three quarters of the known time."""
    if not minutes.held:
        return 0
    return min(4, 1 + int(4 * minutes.held / minutes.known))


def _words(minutes: Minutes) -> str:
    whole = sum(minutes)
    said = zip(("held idle", "busy", "free", "held, use unknown", "no answer"), _in_order(minutes), strict=True)
    return ", ".join(f"{share(part / whole)} {name}" for name, part in said if part)


def _in_order(minutes: Minutes) -> tuple[int, ...]:
    return minutes.held, minutes.busy, minutes.free, minutes.unclear, minutes.missing
