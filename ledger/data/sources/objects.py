"""Samples from a map-style object of Python, such as a dataset of torch."""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.data.sources.source import LABEL, LABELS, BrokenSample, stacked
from ledger.errors import LedgerError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ledger.data.sources.source import Arrays

_NAMES = {1: ("data",), 2: ("data", "label")}
"""Names of the parts of a sample that is a tuple."""


class ObjectSource:
    """The items of an object that has a length and items by number.

    An item is a mapping of arrays and numbers, or a tuple of them: the parts of a pair are `data` and `label`, those of
    a longer tuple have numbers for names.

    Args:
        items: the object.
        name: its name, for messages.

    Raises:
        LedgerError: it has no length, or no items by number.
    """

    kind = "object"

    def __init__(self, items: Any, name: str) -> None:  # noqa: ANN401  # any object with a length and items
        if not hasattr(items, "__len__") or not hasattr(items, "__getitem__"):
            raise LedgerError(f"the object has no length and no items by number: `{name}`")
        self.items, self._name = items, name

    def __len__(self) -> int:
        return len(self.items)

    def read(self, rows: "NDArray[Any]") -> "Arrays":
        """Return the samples at some rows.

        Raises:
            BrokenSample: the object raises.
            LedgerError: the samples do not fit in one array.
        """
        numbers = rows.tolist()
        samples = []
        for row in numbers:
            try:
                samples.append(_parts(self.items[row]))
            except Exception as error:  # a foreign object may raise anything
                raise BrokenSample(
                    row, f"a sample cannot be read ({type(error).__name__}: {str(error)[:120]}): `{self._name}[{row}]`"
                ) from error
        return stacked(samples, [f"{self._name}[{row}]" for row in numbers])

    def values(self, name: str) -> Sequence[str | None] | None:
        """Return a part of each sample; labels from `targets`, as datasets of torchvision have; else all are read."""
        targets = getattr(self.items, "targets", None)
        if name == LABEL and targets is not None and len(targets) == len(self):
            return [_text(value) for value in targets]
        found = []
        for row in range(len(self)):
            parts = _parts(self.items[row])
            part = next((one for one in (LABELS if name == LABEL else (name,)) if one in parts), None)
            if part is None:
                return None
            found.append(_text(parts[part]))
        return found

    def close(self) -> None:
        """Do nothing: the object is its owner's."""


def open_object(text: str) -> ObjectSource:
    """Return the samples of what a factory makes: `package.module:factory`, called without arguments.

    The module is looked for in the current folder first, as `python -m` does.

    Raises:
        LedgerError: there is no such factory, it raises, or what it makes has no items by number.
    """
    place, _, factory = text.partition(":")
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        made = getattr(import_module(place), factory)()
    except Exception as error:
        raise LedgerError(
            f"the object cannot be made ({type(error).__name__}: {str(error)[:120]}): `{text}`",
            hint="package.module:factory, where factory() returns an object with a length and items",
        ) from error
    finally:
        sys.path.remove(here)
    return ObjectSource(made, text)


def _parts(item: object) -> dict[str, Any]:
    if isinstance(item, Mapping):
        return {str(name): _array(value) for name, value in item.items()}
    values = item if isinstance(item, tuple | list) else (item,)
    names = _NAMES.get(len(values)) or [str(place) for place in range(len(values))]
    return {name: _array(value) for name, value in zip(names, values, strict=True)}


def _text(value: Any) -> str:  # noqa: ANN401  # a number of any library
    return str(value.item() if hasattr(value, "item") else value)


def _array(value: Any) -> Any:  # noqa: ANN401  # whatever an item holds
    """Return a tensor as an array, a picture as one, and all else as it is."""
    if hasattr(value, "detach"):
        return value.detach().cpu().numpy()
    if type(value).__module__.startswith("PIL."):
        import numpy as np

        return np.asarray(value)
    return value
