"""Curves of a resumed training: the file goes back to an earlier step, and the later values count."""

from collections.abc import Sequence

from ledger.analysis.data.curves import Point
from ledger.model.values import counted

_APART = {"fold", "seed", "trial", "run", "rank", "worker", "member", "stage", "phase"}
"""Series that mark the parts of a file, each of which begins at its first step."""

_Key = tuple[float, float]


def without_repeats(points: Sequence[Point]) -> tuple[list[Point], list[str]]:
    """Return the points in the order of their steps, without duplicates, and a notice about that.

    A step within an epoch counts from the beginning of that epoch, as loggers of iterations write it.
    """
    keys = _keys(points)
    parts = _parts(keys)
    if not parts or parts[-1] == 0:
        return list(points), []
    if any(name.lower() in _APART for point in points for name in point.values):
        return list(points), []
    later: dict[tuple[_Key, str], int] = {}
    for point, key, part in zip(points, keys, parts, strict=True):
        later |= {(key, name): part for name in point.values}
    kept: list[tuple[_Key, Point]] = []
    repeated = 0
    for point, key, part in zip(points, keys, parts, strict=True):
        values = {name: value for name, value in point.values.items() if later[key, name] == part}
        repeated += len(values) < len(point.values)
        if values or not point.values:
            kept.append((key, Point(step=point.step, epoch=point.epoch, seconds=point.seconds, values=values)))
    kept.sort(key=lambda pair: pair[0])
    times = counted(parts[-1], "time")
    said = f"it goes back {times}, as of a training that was resumed"
    return [point for _, point in kept], [f"{said}: {counted(repeated, 'point')} came again, and the later ones stand"]


def _keys(points: Sequence[Point]) -> list[_Key]:
    """Return epoch and step of each point; a missing one is that of the point before."""
    keys: list[_Key] = []
    epoch = step = 0.0
    for point in points:
        epoch = epoch if point.epoch is None else point.epoch
        step = step if point.step is None else float(point.step)
        keys.append((epoch, step))
    return keys


def _parts(keys: Sequence[_Key]) -> list[int]:
    """Return for each point how often the file has gone back before it."""
    parts: list[int] = []
    part = 0
    for number, key in enumerate(keys):
        part += number > 0 and key < keys[number - 1]
        parts.append(part)
    return parts
