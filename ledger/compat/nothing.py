"""What has no counterpart here: it can be called, and says once that it does nothing."""

import logging
from collections.abc import Iterator
from typing import Any, Self

_LOG = logging.getLogger("ledger")
_TOLD: set[str] = set()
"""Names that have been warned of, in this process."""


def say_once(name: str, why: str = "does nothing here") -> None:
    """Warn of a name, once in a process."""
    if name not in _TOLD:
        _TOLD.add(name)
        _LOG.warning("%s %s", name, why)


class Nothing:
    """Stands for a class, a function or a module of another tracker: whatever is done with it has no effect."""

    _name = "this"

    def __init__(self, *_: object, **__: object) -> None:
        if type(self) is not Nothing:
            say_once(self._name)

    def __call__(self, *_: object, **__: object) -> Self:
        """Say once that it does nothing."""
        say_once(self._name)
        return self

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # anything may be asked of it
        if name.startswith("__"):
            raise AttributeError(name)
        return nothing(f"{self._name}.{name}")

    def __setattr__(self, name: str, value: object) -> None:
        """Take any attribute."""

    def __setitem__(self, name: object, value: object) -> None:
        """Take any item."""

    def __getitem__(self, name: object) -> Self:
        return self

    def __iter__(self) -> Iterator[object]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let exceptions pass."""


def nothing(name: str) -> Any:  # noqa: ANN401  # a value, or a class where it has the name of one
    """Return what a name stands for: a class of its own where it begins with a capital, else a value.

    Args:
        name: name with its module, for the warning.
    """
    last = name.rpartition(".")[2]
    if last.endswith(("Error", "Exception")):
        return type(last, (Exception,), {})
    if last[:1].isupper():
        return type(last, (Nothing,), {"_name": name})
    found = Nothing()
    found.__dict__["_name"] = name
    return found
