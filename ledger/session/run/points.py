"""What `run.log` was given, as numbers: of a call that holds something else too, the rest stays."""

import math
from collections.abc import Mapping

from ledger.model.values import is_plain_text
from ledger.session.spool.events import OmittedValues

_DEPTH = 10
"""Levels of nesting that are followed."""
_NAMED = 200
"""Series that are named when values of them are left out; the others are counted together."""
_OTHERS = "other series"
_SHOWN = 40
_LARGEST_STEP = 10**18
"""Steps have 18 digits at most, in the file of the curves too."""


class Points:
    """Makes numbers of what was logged, and counts what is none."""

    def __init__(self) -> None:
        self.left_out: dict[str, OmittedValues] = {}
        self.untold: set[str] = set()
        """Series of which more was left out than the spool says."""

    def numbers(self, values: object, more: Mapping[str, object]) -> dict[str, float]:
        """Return every value that is a number by the name of its series; nested mappings become `outer/inner`."""
        numbers: dict[str, float] = {}
        for given in (values, more):
            if not given:
                continue
            if not isinstance(given, Mapping):
                self._leave_out("values", given)
                continue
            for name, value in given.items():
                if type(value) is float and type(name) is str:
                    numbers[name] = value
                else:
                    self._add(numbers, str(name), value, 0)
        return numbers

    def step(self, value: object) -> int | None:
        """Return a step as the whole number that it is; any other is left out, and said."""
        if type(value) is int and -_LARGEST_STEP < value < _LARGEST_STEP:
            return value
        if value is None:
            return None
        try:
            whole = _integer(_plain(value))
        except Exception:  # noqa: BLE001  # a foreign object may do anything when it is asked
            whole = None
        if whole is None or not -_LARGEST_STEP < whole < _LARGEST_STEP:
            self._leave_out("step", value)
            return None
        return whole

    def epoch(self, value: object) -> float | None:
        """Return an epoch as a number; what is none is left out, and said."""
        if value is None or type(value) is float:
            return value if value is None or math.isfinite(value) else None
        try:
            return float(_plain(value))  # type: ignore[arg-type]  # what is no number raises
        except Exception:  # noqa: BLE001  # a foreign object may do anything when it is asked
            self._leave_out("epoch", value)
            return None

    def _add(self, numbers: dict[str, float], name: str, value: object, depth: int) -> None:
        try:
            if isinstance(value, Mapping) and depth < _DEPTH:
                for inner, held in value.items():
                    self._add(numbers, f"{name}/{inner}", held, depth + 1)
            else:
                numbers[name] = float(_plain(value))  # type: ignore[arg-type]  # what is no number raises
        except Exception:  # noqa: BLE001  # a foreign object may do anything when it is asked
            self._leave_out(name, value)

    def _leave_out(self, name: str, value: object) -> None:
        if name not in self.left_out and len(self.left_out) >= _NAMED:
            name = _OTHERS
        known = self.left_out.get(name)
        count = known.count + 1 if known else 1
        self.left_out[name] = OmittedValues(count=count, first=known.first if known else _short_text(value))
        self.untold.add(name)


def left_out_text(series: Mapping[str, OmittedValues]) -> str:
    """Return what was left out of the curves in one line: each series with its count and its first value."""
    named = ", ".join(f"{name} {left.count} times ({left.first})" for name, left in sorted(series.items()))
    return f"no numbers, so left out: {named}"


def _plain(value: object) -> object:
    """Return the number inside a scalar of numpy, torch and their like; torch warns where a gradient is asked for."""
    if isinstance(value, float | int | str):
        return value
    if (detach := getattr(value, "detach", None)) is not None:
        value = detach()
    return item() if (item := getattr(value, "item", None)) is not None else value


def _integer(plain: object) -> int | None:
    """Return a number as a whole one, exactly; none where it has a fraction."""
    if isinstance(plain, int | str):
        return int(plain)
    real = float(plain)  # type: ignore[arg-type]  # what is no number raises
    return int(real) if real.is_integer() else None


def _short_text(value: object) -> str:
    """Return a value as one recognises it, short; of foreign objects only the kind."""
    if value is None or isinstance(value, str | int | float | complex):
        text = repr(value)
        return text if len(text) <= _SHOWN and is_plain_text(text) else f"{ascii(text)[1 : _SHOWN - 1]}…"
    return f"a {type(value).__name__}"
