"""Learning curves of settings as static SVG: a line for each setting, with a band over its seeds."""

import math
from collections.abc import Sequence

from ledger.analysis.data.curve_bands import CurveBand
from ledger.model.values import Document
from ledger.publish.charts.axes import Frame, frame_of
from ledger.publish.charts.charts import COLOURS, path_data
from ledger.publish.text import escaped

PLACES = 100
"""Most places of a band: one for each eight pixels, 2 KB a setting."""


class BandLine(Document, frozen=True, kw_only=True):
    """The curves of one setting."""

    name: str
    """Name of the setting."""
    band: CurveBand
    """Mean, smallest and largest over its runs."""
    runs: int
    """Number of runs behind it; a single one has no band."""
    mark: str = ""
    """Numbers of these runs among those of the page, separated by spaces."""


def render_bands(lines: Sequence[BandLine], *, title: str, x_label: str, y_label: str) -> str:
    """Return the lines with their bands, the first in front; empty when no point can be drawn."""
    thinned = [(line, thin(line.band)) for line in lines]
    xs, ys = [], []
    for _, band in thinned:
        for x, low, high in zip(band.xs, band.low, band.high, strict=True):
            if math.isfinite(low) and math.isfinite(high):
                xs += [x, x]
                ys += [low, high]
    if not ys:
        return ""
    frame = frame_of(xs, ys, width=800, height=300)
    parts = [frame.render_grid(x_label, y_label)]
    for slot, (line, band) in reversed(list(enumerate(thinned))):
        parts.append(_line(frame, line, band, slot))
    return frame.render(f"{title}: {', '.join(line.name for line in lines)}", "".join(parts), "lg-bands")


def band_values(lines: Sequence[BandLine]) -> str:
    """Return what is drawn as text for a script: `|` between lines, `;` between columns, `,` between values.

    The columns are places, mean, smallest, largest. Places are left out where they are those of the line before, the
    last two where a line is a single run; a value that is not finite is empty.
    """
    parts, before = [], ""
    for line in lines:
        band = thin(line.band)
        places = ",".join(f"{x:.10g}" for x in band.xs)
        columns = (band.mean, band.low, band.high) if line.runs > 1 else (band.mean,)
        values = (",".join(f"{y:.5g}" if math.isfinite(y) else "" for y in column) for column in columns)
        parts.append(";".join(["" if places == before else places, *values]))
        before = places
    return "|".join(parts)


def thin(band: CurveBand) -> CurveBand:
    """Return a band at no more than `PLACES` of its places, evenly chosen, its ends among them."""
    count = len(band.xs)
    if count <= PLACES:
        return band
    kept = [round(at * (count - 1) / (PLACES - 1)) for at in range(PLACES)]
    xs, mean, low, high = ([values[at] for at in kept] for values in (band.xs, band.mean, band.low, band.high))
    return CurveBand(xs=xs, mean=mean, low=low, high=high)


def _line(frame: Frame, line: BandLine, band: CurveBand, slot: int) -> str:
    """Return one setting: a group, so that a script can dim it whole."""
    colour = slot % COLOURS
    title = f"<title>{escaped(line.name)}</title>"
    drawn = f'<path class="lg-line lg-c{colour}" d="{path_data(frame, band.xs, band.mean)}"/>'
    shade = ""
    if line.runs > 1:
        shade = "".join(f'<path class="lg-band lg-f{colour}" d="{d}"/>' for d in _areas(frame, band))
    return f'<g data-lg-runs="{escaped(line.mark)}">{title}{shade}{drawn}</g>'


def _areas(frame: Frame, band: CurveBand) -> list[str]:
    """Return the outline of each stretch of a band that has no gap."""
    stretches: list[list[tuple[float, float, float]]] = [[]]
    for x, low, high in zip(band.xs, band.low, band.high, strict=True):
        if math.isfinite(low) and math.isfinite(high):
            stretches[-1].append((frame.x.place(x), frame.y.place(low), frame.y.place(high)))
        elif stretches[-1]:
            stretches.append([])
    found = []
    for stretch in stretches:
        if len(stretch) > 1:
            there = [f"{x:.1f} {high:.1f}" for x, _, high in stretch]
            back = [f"{x:.1f} {low:.1f}" for x, low, _ in reversed(stretch)]
            found.append(f"M{'L'.join([*there, *back])}Z")
    return found
