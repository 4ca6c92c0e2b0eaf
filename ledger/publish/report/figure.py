"""What all figures of a report share: the style sheet, one look for each setting, and the same bytes each time."""

import io
import math
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ledger.analysis.comparing.report import ReportRow
from ledger.analysis.data.curve_bands import LARGEST
from ledger.formatting import tick, typeset
from ledger.publish.text import one_line
from ledger.resources import shipped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

Format = Literal["pdf", "svg", "png"]

COLUMN, WIDE = 5.0, 7.0
"""Widths in inches: one and a half columns, and the whole width of a page (A4 or letter, with margins)."""
MOST_SETTINGS = 20
"""Most settings of a figure or a table; a page has no room for more."""
MOST_LINES = 8
"""Most lines of a figure: as many as there are colours that are told apart."""
_NAME = 44
"""Most characters of a setting in a figure."""
MUTED = "#6E6E6E"
"""Grey of what is not in the foreground."""
_NO_DATE: dict[str, dict[str, Any]] = {  # `Any`: matplotlib takes any value of metadata
    "pdf": {"CreationDate": None, "Producer": None, "Creator": "ledger"},
    "svg": {"Date": None, "Creator": "ledger"},
    "png": {"Software": None},
}


class Drawn(NamedTuple):
    """A figure with what its caption says."""

    figure: "Figure"
    """The figure."""
    caption: str
    """What it shows."""
    runs: tuple[str, ...]
    """Ids of the runs that are drawn."""


class Look(NamedTuple):
    """How a setting looks, in every figure of a group."""

    color: str
    """Colour."""
    marker: str
    """Marker, by which it is known in grey."""
    dash: str
    """Line style."""


@contextmanager
def style() -> Iterator[None]:
    """Draw in the style of reports, whatever the user's own settings of matplotlib are.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    import matplotlib as mpl

    sheet = mpl.rc_params_from_file(str(shipped("templates") / "report.mplstyle"), use_default_template=True)
    stated: dict[Any, Any] = {
        name: value for name, value in sheet.items() if name != "backend"
    }  # `Any`: names are literals
    with mpl.rc_context(stated), warnings.catch_warnings():
        # A name may have letters that the font lacks: a box stands for each in a PNG, the text stays in an SVG.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        yield


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure, in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def look_of(place: int) -> Look:
    """Return the look of the setting at this place of its board; after eight they begin again, with other dashes."""
    import matplotlib as mpl

    looks = mpl.rcParams["axes.prop_cycle"].by_key()
    return Look(*(looks[key][place % len(looks[key])] for key in ("color", "marker", "linestyle")))


def render(figure: "Figure", kind: Format) -> bytes:
    """Return the bytes of a figure: the same for the same figure, fonts embedded in a PDF, text as text in an SVG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, metadata=_NO_DATE[kind])
    return buffer.getvalue()


def short_names(rows: Sequence[ReportRow], limit: int = _NAME) -> list[str]:
    """Return the names of settings for a figure, no two equal; matplotlib hides what begins with `_`, so a blank leads.

    Args:
        rows: the settings.
        limit: most characters of a name.
    """
    names = [_cut(row.setting, limit) for row in rows]
    again = {name for name in names if names.count(name) > 1}
    names = [f"{name[: limit - 6]} (#{at})" if name in again else name for at, name in enumerate(names, start=1)]
    return [f" {name}" if name.startswith("_") else name for name in names]


def _cut(text: str, limit: int) -> str:
    """Return one line that is as wide as `limit` Latin letters; letters of East Asia and emoji are twice as wide."""
    line = one_line(text, limit)
    while sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in line) > limit:
        line = f"{line[:-2]}…"
    return line


def label(text: str) -> str:
    """Return a text of a record as one line of an axis."""
    return one_line(text, 60)


def drawable(value: float | None) -> bool:
    """Return whether an axis can show a value."""
    return value is not None and math.isfinite(value) and abs(value) < LARGEST


def rows_drawn(rows: tuple[ReportRow, ...], most: int) -> tuple[list[tuple[int, ReportRow]], str]:
    """Return the first rows with a value that can be drawn, with their places, and a sentence on the others."""
    usable = [(place, row) for place, row in enumerate(rows) if drawable(row.mean)]
    beyond = len(usable) - most
    said = f" The best {most} of {len(usable)} settings are shown; {beyond} more in report.json." if beyond > 0 else ""
    if missing := len(rows) - len(usable):
        said += f" Without a value that can be drawn: {missing} of {len(rows)} settings."
    return usable[:most], said


def direct_labels(axes: "Axes", ends: list[tuple[float, str, str]]) -> None:
    """Write names at the right edge of a chart, in the colour of their lines and moved apart where they meet.

    Args:
        axes: the chart, with its limits fixed.
        ends: for each line its last value, name and colour.
    """
    low, high = axes.get_ylim()
    step = (high - low) * 0.062
    places: list[float] = []
    ordered = sorted(ends)
    for value, _, _ in ordered:
        places.append(max(value, places[-1] + step) if places else value)
    over = places[-1] - high if places else 0
    if over > 0:
        places = [place - over for place in places]
        for index in range(len(places) - 2, -1, -1):
            places[index] = min(places[index], places[index + 1] - step)
        places = [max(place, low - 4 * step) for place in places]
    for (value, name, color), place in zip(ordered, places, strict=True):
        axes.annotate(
            name,
            xy=(1, value),
            xycoords=("axes fraction", "data"),
            xytext=(1.035, place),
            textcoords=("axes fraction", "data"),
            color=color,
            fontsize=7.5,
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": color,
                "linewidth": 0.6,
                "shrinkA": 0,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            },
        )


def plain_ticks(*scales: "Axis") -> None:
    """Write the numbers of axes as everywhere in the ledger: `20 k`, `1e-05`; few, so that they never meet."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    for scale in scales:
        logarithmic = scale.get_scale() == "log"
        scale.set_major_locator(LogLocator(numticks=5) if logarithmic else MaxNLocator(4))
        scale.set_major_formatter(FuncFormatter(lambda value, _: typeset(tick(value))))
        scale.set_minor_formatter(NullFormatter())


ReadBlob = Callable[[str], bytes]
"""Returns the content of a git blob."""
