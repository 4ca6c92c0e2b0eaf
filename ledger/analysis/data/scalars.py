"""Points of learning curves from single values, as files of other programs hold them."""

from collections.abc import Iterable, Iterator

from ledger.analysis.data.curves import Point
from ledger.formats.scalar import Scalar


def points_of(scalars: Iterable[Scalar], begun: float | None) -> Iterator[Point]:
    """Yield a point for each step, by step; a series that has several values at a step has as many points there.

    Args:
        scalars: the values, in the order in which they were written.
        begun: start of the run in seconds since 1970; none where it is unknown, and so is the time of each point.
    """
    steps: dict[int, list[tuple[float | None, dict[str, float]]]] = {}
    for scalar in scalars:
        rows = steps.setdefault(scalar.step, [])
        for _, values in rows:
            if scalar.tag not in values:
                values[scalar.tag] = scalar.value
                break
        else:
            rows.append((scalar.time, {scalar.tag: scalar.value}))
    for step in sorted(steps):
        for time, values in steps[step]:
            seconds = max(0.0, time - begun) if time is not None and begun is not None else None
            yield Point(step=step, seconds=seconds, values=values)
