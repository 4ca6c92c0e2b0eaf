"""Series from rows of names and values, as trackers log them: numbers are points, and other values are counted."""

from collections import Counter
from collections.abc import Iterator, Mapping

from ledger.formats.scalar import Scalar
from ledger.formats.stores.store_values import number_of
from ledger.model.values import counted

_KIND = "_type"
"""Key of a mapping that is one value, such as a table or a picture."""
_OWN = "_"
"""First letter of the names that trackers give themselves: `_step`, `_runtime`."""
_LONGEST_KIND = 40


class SeriesRows:
    """Points of rows, in the order of rows."""

    def __init__(self) -> None:
        self.scalars: list[Scalar] = []
        self._others: Counter[tuple[str, str]] = Counter()

    def add(self, row: Mapping[str, object], step: int, time: float | None) -> None:
        """Add a row; names of nested values are joined by dots.

        Args:
            row: values by name.
            step: its step.
            time: when it was logged, seconds since 1970.
        """
        for name, value in leaves(row):
            number = number_of(value)
            if number is not None:
                self.scalars.append(Scalar(name, step, time, number))
            else:
                kind = str(value[_KIND])[:_LONGEST_KIND] if isinstance(value, dict) else "value"
                self._others[name, kind] += 1

    @property
    def others(self) -> set[str]:
        """Names with values that are no numbers."""
        return {name for name, _ in self._others}

    @property
    def latest(self) -> float | None:
        """Time of the latest point."""
        return max((scalar.time for scalar in self.scalars if scalar.time is not None), default=None)

    def losses(self) -> list[str]:
        """Return the values that are no numbers, as phrases."""
        return [
            f"`{name}`: {counted(count, kind)}{' without a number' if kind == 'value' else ''}"
            for (name, kind), count in self._others.items()
        ]


def leaves(values: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Yield the values of nested mappings that people logged, with dotted names."""
    kinds = {name.removesuffix(f".{_KIND}"): value for name, value in values.items() if name.endswith(f".{_KIND}")}
    for name, value in values.items():
        if name.startswith(_OWN):
            continue
        whole = next((whole for whole in _wholes(name) if whole in kinds), None) if kinds else None
        if whole is not None:  # a value that was flattened with everything else, as W&B does
            if name == f"{whole}.{_KIND}":
                yield whole, {_KIND: value}
        elif isinstance(value, dict) and _KIND not in value:
            yield from leaves({f"{name}.{inner}": found for inner, found in value.items()})
        else:
            yield name, value


def _wholes(name: str) -> Iterator[str]:
    """Yield the names that a dotted name is a part of, the outermost first."""
    place = name.find(".")
    while place >= 0:
        yield name[:place]
        place = name.find(".", place + 1)
