"""What better takes, on the page of a leaderboard: its metric against cost, duration and size, with the front."""

from collections.abc import Sequence

from markupsafe import Markup

from ledger.analysis.comparing.leaderboard import SettingBoard
from ledger.analysis.judging.trade_offs import SettingMean, Taken, TradeOff, trade_offs
from ledger.formatting import byte_size, duration, latency
from ledger.model.values import Document, counted, listed
from ledger.publish.charts.axes import LARGEST
from ledger.publish.charts.charts import LINKS_SHOWN, Dot
from ledger.publish.charts.pareto_chart import ParetoDot, render_pareto
from ledger.publish.pages import addresses
from ledger.publish.pages.page import markup
from ledger.publish.site.site_data import Atlas
from ledger.publish.text import money, one_line, short_number, visible

_SHOWN = ("cost", "duration", "latency", "parameters", "model")
"""First words of the quantities with a chart, in their order; the size of a model where its parameters are unknown."""
_MOST = 4
"""Most charts."""

_UNITS = {
    "duration (s)": ((2 * 86_400.0, 86_400.0, "days"), (2 * 3_600.0, 3_600.0, "h"), (120.0, 60.0, "min"), (0, 1, "s")),
    "latency (s)": ((1.0, 1.0, "s"), (1e-3, 1e-3, "ms"), (0, 1e-6, "\N{MICRO SIGN}s")),
    "model (bytes)": ((1e9, 1e9, "GB"), (1e6, 1e6, "MB"), (1e3, 1e3, "kB"), (0, 1, "bytes")),
}
"""Largest value from which an axis has a unit, the size of the unit, and its name."""


class TradeOffView(Document, frozen=True, kw_only=True):
    """One chart."""

    name: str
    """What settings take, in a word."""
    svg: Markup
    """The chart."""
    says: str
    """Which settings are not drawn, and why; else empty."""


def trade_off_views(board: SettingBoard, atlas: Atlas) -> list[TradeOffView]:
    """Return a chart for each quantity in which two settings of a board differ; none where that has no order."""
    if board.refused is not None or board.direction is None:
        return []
    places = [place for place in board.places if place.spread is not None and abs(place.spread.mean) < LARGEST]
    means = [SettingMean(place.runs[: place.spread.count], place.spread.mean) for place in places if place.spread]
    found: dict[str, list[TradeOff]] = {}
    for off in trade_offs(means, atlas.by_id, board.direction, below=LARGEST, words=_SHOWN):
        found.setdefault(off.quantity.partition(" ")[0], []).append(off)
    if "parameters" in found:
        found.pop("model", None)
    words = [word for word in _SHOWN if word in found][:_MOST]
    return [_view(word, found[word], means, board, atlas) for word in words]


def _view(
    word: str, offs: Sequence[TradeOff], means: Sequence[SettingMean], board: SettingBoard, atlas: Atlas
) -> TradeOffView:
    """Return the chart of a quantity; of a cost in the currency that most settings have."""
    off = max(offs, key=lambda one: (len(one.settings), one.quantity))
    shown = _drawn(off)
    largest = max(one.value for one in shown)
    scale, label = _axis(off.quantity, largest)
    key = visible(board.group.key)
    dots = [
        ParetoDot(
            dot=Dot(
                x=one.value / scale,
                y=means[one.setting].mean,
                title=_title(one, off.quantity, means[one.setting], key, atlas),
                url=addresses.link(addresses.run_page(means[one.setting].runs[0]), 1),
            ),
            on_front=one.on_front,
        )
        for one in shown
    ]
    says = f"{key} against {label}: {counted(len(shown), 'setting')}, {len(off.front)} on the front"
    svg = render_pareto(dots, x_label=label, y_label=key, says=says)
    return TradeOffView(name=word, svg=markup(svg), says=_left_out(word, off, len(shown), len(means)))


def _drawn(off: TradeOff) -> list[Taken]:
    """Return the settings of a chart: all of the front, and of the others the best, up to as many as can be links."""
    room = LINKS_SHOWN - len(off.front)
    behind = [one for one in off.settings if not one.on_front][: max(0, room)]
    return [*off.front[:LINKS_SHOWN], *behind]


def _left_out(word: str, off: TradeOff, shown: int, settings: int) -> str:
    """Return how many settings are not drawn, and why."""
    parts = []
    if more := len(off.settings) - shown:
        parts.append(f"{more:,} that others dominate")
    if off.elsewhere:
        parts.append(f"{off.elsewhere:,} whose {word} is in another currency")
    if unknown := settings - len(off.settings) - off.elsewhere:
        parts.append(f"{unknown:,} of unknown {word}")
    return f"Not drawn: {listed(parts)}." if parts else ""


def _axis(quantity: str, largest: float) -> tuple[float, str]:
    """Return what values are divided by, and the label of their axis."""
    name, _, unit = visible(quantity).partition(" (")
    for least, size, word in _UNITS.get(quantity, ()):
        if largest >= least:
            return size, f"{name}, {word}"
    return 1.0, f"{name}, {unit.removesuffix(')')}" if unit else name


def _title(one: Taken, quantity: str, of: SettingMean, key: str, atlas: Atlas) -> str:
    name = atlas.setting_names.get(of.runs[0]) or of.runs[0]
    runs = f"mean of {len(of.runs)}" if len(of.runs) > 1 else "1 run"
    known = "" if one.known == len(of.runs) else f" (known of {one.known} of {len(of.runs)} runs)"
    front = "on the front" if one.on_front else "dominated"
    return (
        f"{one_line(name, 80)}: {key} {short_number(of.mean)}, {runs}; {_amount(one.value, quantity)}{known}; {front}"
    )


def _amount(value: float, quantity: str) -> str:
    word, _, unit = quantity.partition(" (")
    if word == "cost":
        return visible(money(value, unit.removesuffix(")")))
    if word == "parameters":
        return f"{short_number(value)} parameters"
    return {"duration": duration, "latency": latency, "model": byte_size}[word](value)
