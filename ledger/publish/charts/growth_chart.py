"""Growth charts on the page of an experiment: error against a quantity, with the fitted law and its interval."""

from collections.abc import Sequence

from markupsafe import Markup

from ledger.analysis.advice.growth import FACTOR, Against, Growth, growth_of
from ledger.analysis.comparing.comparable import Group
from ledger.model.entries import StoredRun
from ledger.model.values import Document
from ledger.publish.charts.axes import Frame, Scale, name_at, scale_of, tick_text
from ledger.publish.charts.charts import DOTS_SHOWN, Dot, dot_title, render_dot
from ledger.publish.pages import addresses
from ledger.publish.pages.page import markup
from ledger.publish.text import short_number, visible

WORDS: dict[Against, str] = {
    "parameters": "parameters",
    "samples": "training samples",
    "duration": "seconds of training",
    "cost": "cost",
}
"""Names of the quantities, in the order of the charts."""
_CHOSEN: tuple[Against, ...] = ("parameters", "samples")
"""Quantities that people choose: too few different values are reported; time and cost always differ."""
_SAME_PRICE = 0.02
"""Relative spread of cost per second below which cost tells no more than time."""
_ROOM = 10.0
"""Ratio beyond points and prediction to which an interval is drawn: it may span many powers of ten."""
CHARTS_SHOWN = 6
"""Most charts of one experiment."""


class GrowthView(Document, frozen=True, kw_only=True):
    """One chart of growth, with the words below it."""

    svg: Markup
    """The chart."""
    group: Group
    """Comparable group of its values."""
    says: str
    """Sentence with the prediction for ten times more."""
    flattens: bool
    """Whether the line flattens, so that the prediction is too optimistic."""


class GrowthSection(Document, frozen=True, kw_only=True):
    """The section on growth of a page."""

    views: tuple[GrowthView, ...]
    """The charts."""
    why_not: tuple[str, ...]
    """Why no line can be fitted where sizes differ, one line each."""


def growth_section(runs: Sequence[StoredRun], headline: Group | None) -> GrowthSection:
    """Return the charts of growth of an experiment's headline metric, one for each comparable group and size.

    Args:
        runs: of the experiment.
        headline: the group that most headlines were measured in; none when there is none.
    """
    if headline is None:
        return GrowthSection(views=(), why_not=())
    views: list[GrowthView] = []
    why_not: list[str] = []
    try:
        for against, word in WORDS.items():
            if against == "cost" and _costs_follow_time(runs):
                continue
            for growth in growth_of(runs, headline.key, against):
                if growth.why_not is None:
                    if against in _CHOSEN or _falls(growth):
                        views.append(_view(growth, word))
                elif against in _CHOSEN and growth.group == headline and _sizes(growth) > 1:
                    why_not.append(f"{growth.group.key} against {word}: {growth.why_not}")
    except ModuleNotFoundError:  # scipy is part of the extra; without it nothing is fitted
        return GrowthSection(views=(), why_not=())
    return GrowthSection(views=tuple(views[:CHARTS_SHOWN]), why_not=tuple(why_not))


def _falls(growth: Growth) -> bool:
    """Return whether the error certainly falls with size: time and money without effect are no growth."""
    return growth.exponent_interval is not None and growth.exponent_interval[1] < 0


def _sizes(growth: Growth) -> int:
    return len({point.size for point in growth.points})


def _costs_follow_time(runs: Sequence[StoredRun]) -> bool:
    """Return whether every run has the same price per time, so that cost is time in other units."""
    paid = [(run.record.cost.amount, run.record.timing.took) for run in runs]
    prices = [amount / took for amount, took in paid if amount and took]
    return bool(prices) and max(prices) <= min(prices) * (1 + _SAME_PRICE)


def _view(growth: Growth, word: str) -> GrowthView:
    low, high = growth.expected_interval or (0.0, 0.0)
    says = (
        f"At {short_number(growth.expected_at or 0.0)} {word}, ten times the largest, {growth.group.key} of "
        f"{short_number(growth.expected or 0.0)} would be expected ({short_number(low)} to {short_number(high)}, 95 %)."
    )
    svg = markup(render_growth(growth, word))
    return GrowthView(svg=svg, group=growth.group, says=says, flattens=growth.flattens)


def render_growth(growth: Growth, word: str) -> str:
    """Return the chart of a fitted growth: runs, the law, its interval, and the prediction for ten times more.

    Both axes are logarithmic, and the vertical one is the error: how far each run is from perfect.
    """
    key = visible(growth.group.key)
    frame = _frame(growth)
    shown = growth.points[-DOTS_SHOWN:]
    dots = [
        Dot(
            x=point.size,
            y=_error(growth, point.value),
            title=dot_title(f"{point.run}, {short_number(point.size)} {word}", point.value),
            url=addresses.link(addresses.run_page(point.run), 1),
        )
        for point in shown
    ]
    body = [
        frame.render_grid(
            f"{word} (log)", f"1 \N{MINUS SIGN} {key} (log)" if growth.direction == "higher" else f"{key} (log)"
        )
    ]
    body.append(_law(growth, frame))
    body += [render_dot(dot, frame.x.place(dot.x), frame.y.place(dot.y)) for dot in dots]
    title = f"Error in {key} against {word}, {len(growth.points)} runs, with a power law and its 95 % interval"
    return frame.render(title, "".join(body), "lg-growth")


def _error(growth: Growth, value: float) -> float:
    return 1 - value if growth.direction == "higher" else value


def _frame(growth: Growth) -> Frame:
    width, height = 420, 280
    errors = [_error(growth, point.value) for point in growth.points]
    reached = [*errors, growth.band[-1].error]
    floor, ceiling = min(reached) / _ROOM, max(reached) * _ROOM
    if growth.direction == "higher":
        ceiling = min(ceiling, 1.0)  # a share of wrong answers is never larger
    lows = [max(one.low, floor) for one in growth.band]
    highs = [min(one.high, ceiling) for one in growth.band]
    xs = [growth.points[0].size, growth.band[-1].size]
    return Frame(
        width=width,
        height=height,
        x=scale_of(xs, 56, width - 14, log=True, pad=0.04),
        y=scale_of([*errors, *lows, *highs], height - 44, 26, log=True, pad=0.03),
    )


def _law(growth: Growth, frame: Frame) -> str:
    """Return the interval, the line (dashed beyond the largest run) and the prediction at its end."""
    x, y = frame.x, frame.y
    place = [
        (x.place(one.size), _within(y, one.low), _within(y, one.error), _within(y, one.high)) for one in growth.band
    ]
    over = [f"{at:.1f} {high:.1f}" for at, _, _, high in place]
    under = [f"{at:.1f} {low:.1f}" for at, low, _, _ in reversed(place)]
    line = [f"{at:.1f} {middle:.1f}" for at, _, middle, _ in place]
    largest = growth.points[-1].size
    known = [text for text, one in zip(line, growth.band, strict=True) if one.size <= largest]
    at, low, middle, high = place[-1]
    return (
        f'<path class="lg-growth-band" d="M{"L".join([*over, *under])}Z"/>'
        f'<path class="lg-line lg-c0 lg-d1" d="M{"L".join(line[len(known) - 1 :])}"/>'
        f'<path class="lg-line lg-c0" d="M{"L".join(known)}"/>'
        f'<path class="lg-growth-reach" d="M{at:.1f} {low:.1f}V{high:.1f}"/>'
        f'<circle class="lg-growth-next" cx="{at:.1f}" cy="{middle:.1f}" r="4.5"/>'
        + name_at(at, high - 6, f"{tick_text(FACTOR)} times", anchor="end", css="lg-stretch")
    )


def _within(scale: Scale, value: float) -> float:
    return scale.place(min(max(value, scale.low), scale.high))
