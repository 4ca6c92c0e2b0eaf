"""The charts of the site as static SVG: curves, scatter, calendar and the history of a validation set."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from ledger.formatting import exact_number
from ledger.model.values import Document
from ledger.publish.charts.axes import Frame, frame_of, name_at, picture
from ledger.publish.text import escaped, short_number

COLOURS = 8
"""Number of line colours in the style sheet; beyond it colours repeat with another dash."""

DOTS_SHOWN = 300
"""Most points of runs or measurements in a chart, the latest."""

LINKS_SHOWN = 120
"""Most points that are links with a title; more are drawn as one path, since each link costs a browser three nodes."""

FEW_PLACES = 12
"""Different values of a param up to which many points are set apart sideways."""
_APART = 18.0
"""Pixels over which they are."""

_LOG_FROM = 50.0
"""Ratio of largest to smallest param from which a scatter chart has a logarithmic axis."""


_WEEKS = 52
"""Whole weeks of the calendar before the one of its last day."""

_NAME_ROOM = 18
"""Pixels between the label of an axis and its end, where the name of the best stands."""
_LETTER, _WIDE_LETTER = 6.6, 6.9
"""Widths of a character of a chart, in pixels, and of a bold one: the widest that was measured at 11 px, on average."""
_DAYS_APART = 150.0
"""Pixels between two days that stand side by side."""


class Line(Document, frozen=True, kw_only=True):
    """One named line; points whose value is not finite break it."""

    name: str
    """What the line shows."""
    xs: Sequence[float]
    """Horizontal values, rising."""
    ys: Sequence[float]
    """Vertical values."""


class Dot(Document, frozen=True, kw_only=True):
    """One point that links to a page."""

    x: float
    """Horizontal value."""
    y: float
    """Vertical value."""
    title: str
    """Text of the point."""
    url: str
    """Page that it links to."""
    slot: int = 0
    """Index of its colour."""
    name: str = ""
    """Short name that may stand beside it."""
    run: int | None = None
    """Number of its run among those of the page, for scripts; none where they need none."""


class Stretch(Document, frozen=True, kw_only=True):
    """The measurements on one version of a dataset, which no line leaves."""

    label: str
    """Version."""
    dots: Sequence[Dot]
    """Measurements; `x` is seconds since 1970."""


def render_lines(lines: Sequence[Line], *, title: str, x_label: str, y_label: str, width: int = 420) -> str:
    """Return the lines with axes; empty when no point can be drawn."""
    drawable = [(x, y) for line in lines for x, y in zip(line.xs, line.ys, strict=True) if math.isfinite(y)]
    if not drawable:
        return ""
    frame = frame_of([x for x, _ in drawable], [y for _, y in drawable], width=width, height=max(230, width * 3 // 8))
    paths = []
    for slot, line in enumerate(lines):
        data = path_data(frame, line.xs, line.ys)
        if data:
            style = f"lg-line lg-c{slot % COLOURS} lg-d{slot // COLOURS % 3}"
            paths.append(f'<path class="{style}" d="{data}"><title>{escaped(line.name)}</title></path>')
    names = ", ".join(line.name for line in lines)
    return frame.render(f"{title}: {names}", frame.render_grid(x_label, y_label) + "".join(paths))


def path_data(frame: Frame, xs: Sequence[float], ys: Sequence[float]) -> str:
    """Return the path through the points, broken where a value is not finite; a lone point is a dot."""
    x_scale, y_scale = frame.x, frame.y
    x_factor = (x_scale.end - x_scale.start) / (x_scale.high - x_scale.low)
    y_factor = (y_scale.end - y_scale.start) / (y_scale.high - y_scale.low)
    x_low, x_start, y_low, y_start = x_scale.low, x_scale.start, y_scale.low, y_scale.start
    if all(map(math.isfinite, ys)):
        points = zip(xs, ys, strict=True)
        places = [f"{x_start + (x - x_low) * x_factor:.1f} {y_start + (y - y_low) * y_factor:.1f}" for x, y in points]
        return f"M{'L'.join(places)}{'h.1' if len(places) == 1 else ''}" if places else ""
    stretches: list[list[str]] = [[]]
    for x, y in zip(xs, ys, strict=True):
        if math.isfinite(y):
            px, py = x_start + (x - x_low) * x_factor, y_start + (y - y_low) * y_factor
            stretches[-1].append(f"{px:.1f} {py:.1f}")
        elif stretches[-1]:
            stretches.append([])
    return "".join(f"M{'L'.join(one)}{'h.1' if len(one) == 1 else ''}" for one in stretches if one)


def render_scatter(dots: Sequence[Dot], *, x_label: str, y_label: str) -> str:
    """Return one point per run, each a link; the axis of a param that spans decades is logarithmic."""
    xs, ys = [dot.x for dot in dots], [dot.y for dot in dots]
    log = min(xs) > 0 and max(xs) / min(xs) >= _LOG_FROM
    frame = frame_of(xs, ys, width=420, height=260, x_log=log)
    label = f"{x_label} (log)" if log else x_label
    body = [frame.render_grid(label, y_label)]
    places = [(dot, frame.x.place(dot.x), frame.y.place(dot.y)) for dot in dots]
    body += [render_dot(*place) for place in places] if len(dots) <= LINKS_SHOWN else [_render_many(places)]
    return frame.render(f"{y_label} by {x_label}, {len(dots)} runs", "".join(body), "lg-scatter")


def _render_many(places: Sequence[tuple[Dot, float, float]]) -> str:
    """Return all points as one path of round ends: a browser draws thousands at once, and none of them is a link.

    Of a param with few values points are set apart sideways, or they would be one bar.
    """
    runs = " ".join(str(dot.run) for dot, _, _ in places if dot.run is not None)
    few = len({x for _, x, _ in places}) <= FEW_PLACES
    apart = [(at * 0.618034 % 1 - 0.5) * _APART if few else 0.0 for at in range(len(places))]  # the golden ratio
    data = "".join(f"M{x + move:.1f} {y:.1f}h0" for move, (_, x, y) in zip(apart, places, strict=True))
    return f'<path class="lg-many lg-c0" data-lg-runs="{runs}" d="{data}"/>'


def render_dot(dot: Dot, x: float, y: float) -> str:
    """Return the point of a run, a link with a title on hover."""
    title = escaped(dot.title)
    run = "" if dot.run is None else f' data-lg-run="{dot.run}"'
    return (
        f'<a href="{escaped(dot.url)}" aria-label="{title}"{run}><circle class="lg-dot lg-c{dot.slot % COLOURS}" '
        f'cx="{x:.1f}" cy="{y:.1f}" r="4.5"><title>{title}</title></circle></a>'
    )


def render_history(
    stretches: Sequence[Stretch], *, title: str, y_label: str, direction: str | None, joined: bool = True
) -> str:
    """Return a metric over time in one stretch per dataset version; the line breaks between them.

    Within a stretch the line is the best so far where the direction is known: a step where a run was better. Else it
    joins the measurements; there is none where these are not `joined`, and then their places are no times either.
    Measurements stand at equal distances in order of time: runs come in bursts.
    """
    dots = [dot for stretch in stretches for dot in stretch.dots]
    width, gap = 760, 34.0
    frame = frame_of([0.0, 1.0], [dot.y for dot in dots], width=width, height=270 + _NAME_ROOM)
    frame = replace(frame, y=replace(frame.y, end=frame.y.end + _NAME_ROOM))
    left, right = frame.x.start + 12, frame.x.end - 8
    pitch = (right - left - gap * (len(stretches) - 1)) / max(1, len(dots) - 1 or 1)
    body, x, free = [frame.render_grid("", y_label, above=8.0 + _NAME_ROOM)], left, 0.0
    for slot, stretch in enumerate(stretches):
        if slot:
            edge = x - pitch / 2 + gap / 2 if len(dots) > 1 else x
            body.append(f'<path class="lg-break" d="M{edge:.1f} {frame.y.end - 4:.0f}V{frame.y.start:.0f}"/>')
            x += gap
        places = [x + pitch * index for index in range(len(stretch.dots))]
        body.append(_best_so_far(frame, stretch, places, slot, direction) if joined else "")
        body.append(_dots(frame, stretch, places))
        if joined:
            days, free = _days(frame, stretch, places, free)
            body.append(days)
        x = places[-1] + pitch
    return frame.render(title, "".join(body), "lg-history")


def _best_so_far(frame: Frame, stretch: Stretch, places: Sequence[float], slot: int, direction: str | None) -> str:
    if len(stretch.dots) < 2:  # noqa: PLR2004  # a line needs two
        return ""
    css = f"lg-line lg-c{slot % COLOURS}"
    better = {"higher": max, "lower": min}.get(direction or "")
    if better is None:
        line = " ".join(f"{x:.1f},{frame.y.place(dot.y):.1f}" for x, dot in zip(places, stretch.dots, strict=True))
        return f'<polyline class="{css}" points="{line}"/>'
    best, leader = stretch.dots[0].y, 0
    parts = [f"M{places[0]:.1f} {frame.y.place(best):.1f}"]
    for at, dot in enumerate(stretch.dots):
        if better(best, dot.y) != best:
            best, leader = dot.y, at
            parts.append(f"H{places[at]:.1f}V{frame.y.place(best):.1f}")
    parts.append(f"H{places[-1]:.1f}")
    name = _leader(frame, stretch.dots[leader], places, places[leader], lower=direction == "lower")
    return f'<path class="{css}" d="{"".join(parts)}"/>{name}'


def _leader(frame: Frame, dot: Dot, places: Sequence[float], x: float, *, lower: bool) -> str:
    """Return the name of the best of a stretch on that side of its dot where no other one is, within its stretch."""
    if not dot.name:
        return ""
    width = _WIDE_LETTER * len(dot.name)
    start = min(max(x - width / 2, places[0] - 6), frame.width - 4 - width)
    y = frame.y.place(dot.y) + (17 if lower else -9)
    return name_at(max(start, frame.x.start), y, dot.name, css="lg-leader")


def _days(frame: Frame, stretch: Stretch, places: Sequence[float], free: float) -> tuple[str, float]:
    """Return the days of the first and the last measurement that have room from `free` on, and where they end."""
    first, last = (f"{datetime.fromtimestamp(dot.x, UTC):%Y-%m-%d}" for dot in (stretch.dots[0], stretch.dots[-1]))
    width = _LETTER * len(first)
    wanted = [((places[0] + places[-1] - width) / 2, first)]
    if first != last and places[-1] - places[0] >= _DAYS_APART:
        wanted = [(places[0], first), (places[-1] - width, last)]
    parts = []
    for at, text in wanted:
        start = min(at, frame.width - 4 - width)
        if start >= free:
            parts.append(name_at(start, frame.y.start + 34, text, css="lg-day-name"))
            free = start + width + _LETTER
    return "".join(parts), free


def _dots(frame: Frame, stretch: Stretch, places: Sequence[float]) -> str:
    dots = "".join(render_dot(dot, x, frame.y.place(dot.y)) for dot, x in zip(stretch.dots, places, strict=True))
    half = _WIDE_LETTER * len(stretch.label) / 2
    middle = max(min((places[0] + places[-1]) / 2, frame.width - 4 - half), half)
    label = name_at(middle, frame.y.start + 20, stretch.label, anchor="middle", css="lg-stretch")
    return dots + label


def render_calendar(counts: Mapping[str, tuple[int, int]], last: date) -> str:
    """Return a year of days up to `last`: the darker, the more runs; days are `YYYY-MM-DD` to (runs, not finished)."""
    first = date.fromordinal(max(1, last.toordinal() - last.weekday() - _WEEKS * 7))  # day 1 is a Monday as well
    most = max((runs for runs, _ in counts.values()), default=1)
    cells, months, shown = [], [], 0
    for offset in range((last - first).days + 1):
        at = first + timedelta(days=offset)
        week, weekday = divmod(offset, 7)
        runs, bad = counts.get(at.isoformat(), (0, 0))
        level = 0 if not runs else 1 + min(3, math.floor(3.999 * math.log1p(runs) / math.log1p(most) - 0.001))
        shown += runs
        x, y = 30 + week * 14, 18 + weekday * 14
        words = f"{at.isoformat()}: {runs} run{'s' * (runs != 1)}" + (f", {bad} not finished" if bad else "")
        title = f"<title>{words}</title>" if runs else ""
        cells.append(f'<rect class="lg-day lg-l{level}" x="{x}" y="{y}" width="11" height="11" rx="2">{title}</rect>')
        if at.day == 1 and week < _WEEKS:
            months.append(f'<text x="{x}" y="11">{at:%b}</text>')
    names = ((0, "Mon"), (2, "Wed"), (4, "Fri"))
    days = "".join(f'<text x="0" y="{27 + row * 14}">{name}</text>' for row, name in names)
    label = f"Runs per day in the year up to {last.isoformat()}: {shown} runs"
    body = f'<g class="lg-axis">{"".join(months)}{days}</g>{"".join(cells)}'
    return picture(776, 120, label, body, "lg-calendar")


def dot_title(label: str, value: float) -> str:
    """Return the title of a point."""
    return f"{label}: {short_number(value)} ({exact_number(value)})"
