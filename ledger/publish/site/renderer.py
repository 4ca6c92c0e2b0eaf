"""Keys of what renders pages: the sources of this package, the templates, and the libraries."""

from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import msgspec

from ledger import __version__
from ledger.hashing import hash_bytes
from ledger.resources import shipped

_LIBRARIES = ("jinja2", "markupsafe", "mkdocs", "mkdocs-material", "pygments", "pymdown-extensions")
"""Libraries on whose versions a page's bytes depend, besides the sources of this package."""


def renderer_folders() -> list[Path]:
    """Return the folders of sources on which the bytes of a page depend."""
    return [*(_package() / room for room in ("publish", "analysis", "model", "exporters")), shipped("templates")]


def renderer_key(repository_url: str | None) -> str:
    """Return the hash of everything that renders pages: our sources, the templates, the libraries."""
    beside = [hash_bytes(path.read_bytes()) for path in sorted(_package().glob("*.py"))]  # formatting, hashing, …
    return key_of(
        __version__, repository_url, _versions(), beside, [files_key(folder) for folder in renderer_folders()]
    )


def handbook_key(title: str, repository_url: str | None) -> str:
    """Return the hash of everything that MkDocs reads."""
    return key_of(title, repository_url, files_key(shipped("site")), _versions())


def sources_key() -> str:
    """Return the hash of everything that reads a ledger and makes its site, whatever it does there."""
    folders = (_package(), shipped("templates"), shipped("site"))
    return key_of(__version__, _versions(), [files_key(folder) for folder in folders])


def _package() -> Path:
    return Path(str(files("ledger")))


def _versions() -> list[str]:
    return [version(library) for library in _LIBRARIES]


def files_key(folder: Path) -> str:
    """Return the hash of all files below a folder, compiled ones left out."""
    found = sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts and path.is_file())
    return key_of([(path.relative_to(folder).as_posix(), hash_bytes(path.read_bytes())) for path in found])


def key_of(*parts: object) -> str:
    """Return the hash of values that JSON can hold."""
    return hash_bytes(msgspec.json.encode(parts))
