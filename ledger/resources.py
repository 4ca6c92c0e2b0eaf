"""The folders that ship with the package: `site`, `templates` and `hooks`."""

from importlib.resources import files
from pathlib import Path

from ledger.errors import NotFound


def shipped(name: str) -> Path:
    """Return the installed folder `name`: from a wheel, or beside the package in a checkout.

    Raises:
        NotFound: the folder is in neither place, so the installation is damaged.
    """
    package = Path(str(files("ledger")))
    for candidate in (package / "_share" / name, package.parent / name):
        if candidate.is_dir():
            return candidate
    raise NotFound(
        f"this installation of ledger has no folder: `{name}`",
        hint="install it again: pip install --force-reinstall git-ledger",
    )
