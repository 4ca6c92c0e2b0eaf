"""Optional packages for reading data, and what to type where they are missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from ledger.errors import LedgerError

HINT = "pip install 'git-ledger[data]'"
_PACKAGES = ("numpy", "PIL", "pyarrow")


def missing_package() -> str | None:
    """Return the missing package without which data cannot be read; none when all are installed."""
    return next((name for name in _PACKAGES if find_spec(name) is None), None)


@contextmanager
def needing(what: str) -> Iterator[None]:
    """Raise with the command to install when the block imports a missing package.

    Raises:
        LedgerError: a package is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise LedgerError(f"{what} needs a package: `{error.name}`", hint=HINT) from None
