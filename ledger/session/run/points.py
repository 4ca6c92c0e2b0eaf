"""Conversion of `run.log` arguments to numbers: values that are none do not affect the others."""

import math
from collections.abc import Mapping

from ledger.model.values import counted, is_plain_text
from ledger.session.spool.events import OmittedValues

_DEPTH = 10
"""Most levels of nesting that are followed."""
_NAMED = 200
"""Most series that are named when values of them are left out; the others are only counted."""
_OTHERS = "other series"
_SHOWN = 40
_LARGEST_STEP = 10**18
"""Steps have at most 18 digits, in the file of curves, too."""


class Points:
    """Converts logged values to numbers, and counts those that are none."""

    def __init__(self) -> None:
        self.left_out: dict[str, OmittedValues] = {}
        self.untold: set[str] = set()
        """Series with more omitted values than the spool knows."""

    def numbers(self, values: object, more: Mapping[str, object]) -> dict[str, float]:
        """Return the numbers among the values, by series; nested mappings become `outer/inner`."""
        if type(values) is dict and not more:  # plain floats, as almost every call has: nothing to convert
            for name, value in values.items():
                if type(value) is not float or type(name) is not str:
                    break
            else:
                return values
        numbers: dict[str, float] = {}
        for given in (values, more):
            if not given:
                continue
            if not isinstance(given, Mapping):
                self.leave_out("values", given)
                continue
            for name, value in given.items():
                if type(value) is float and type(name) is str:
                    numbers[name] = value
                else:
                    self._add(numbers, str(name), value, 0)
        return numbers

    def step(self, value: object) -> int | None:
        """Return a step as a whole number; any other step is left out, and counted."""
        if type(value) is int and -_LARGEST_STEP < value < _LARGEST_STEP:
            return value
        if value is None:
            return None
        try:
            whole = _integer(_plain(value))
        except Exception:  # noqa: BLE001  # a foreign object may raise anything when it is read
            whole = None
        if whole is None or not -_LARGEST_STEP < whole < _LARGEST_STEP:
            self.leave_out("step", value)
            return None
        return whole

    def epoch(self, value: object) -> float | None:
        """Return an epoch as a number; anything else is left out, and counted."""
        if value is None or type(value) is float:
            return value if value is None or math.isfinite(value) else None
        try:
            return float(_plain(value))  # type: ignore[arg-type]  # raises for anything but a number
        except Exception:  # noqa: BLE001  # a foreign object may raise anything when it is read
            self.leave_out("epoch", value)
            return None

    def _add(self, numbers: dict[str, float], name: str, value: object, depth: int) -> None:
        try:
            if isinstance(value, Mapping) and depth < _DEPTH:
                for inner, held in value.items():
                    self._add(numbers, f"{name}/{inner}", held, depth + 1)
            else:
                numbers[name] = float(_plain(value))  # type: ignore[arg-type]  # raises for anything but a number
        except Exception:  # noqa: BLE001  # a foreign object may raise anything when it is read
            self.leave_out(name, value)

    def leave_out(self, name: str, value: object) -> None:
        """Count a value that is left out."""
        if name not in self.left_out and len(self.left_out) >= _NAMED:
            name = _OTHERS
        known = self.left_out.get(name)
        count = known.count + 1 if known else 1
        self.left_out[name] = OmittedValues(count=count, first=known.first if known else _short_text(value))
        self.untold.add(name)


def left_out_text(series: Mapping[str, OmittedValues]) -> str:
    """Return in one line what was left out of the curves: each series with its count and its first value."""
    named = ", ".join(f"{name} {counted(left.count, 'time')} ({left.first})" for name, left in sorted(series.items()))
    return f"no numbers, so left out: {named}"


def _plain(value: object) -> object:
    """Return the number in a scalar of numpy, torch and the like; torch warns for one with a gradient."""
    if isinstance(value, float | int | str):
        return value
    if (detach := getattr(value, "detach", None)) is not None:
        value = detach()
    return item() if (item := getattr(value, "item", None)) is not None else value


def _integer(plain: object) -> int | None:
    """Return a number as an exact integer; none where it has a fraction."""
    if isinstance(plain, int | str):
        return int(plain)
    real = float(plain)  # type: ignore[arg-type]  # raises for anything but a number
    return int(real) if real.is_integer() else None


def _short_text(value: object) -> str:
    """Return a value in recognisable short form; of foreign objects only the type."""
    if value is None or isinstance(value, str | int | float | complex):
        text = repr(value)
        return text if len(text) <= _SHOWN and is_plain_text(text) else f"{ascii(text)[1 : _SHOWN - 1]}…"
    return f"a {type(value).__name__}"
