"""The package index that pip is configured with: PyPI or another. Only the kind is kept, never a URL."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

Index = Literal["pypi", "other", "pypi and others"]

_PYPI = re.compile(r"https://pypi\.org/simple/?")
_SETTING = re.compile(r"^\s*(index-url|extra-index-url|find-links|no-index)\s*[=:]\s*(.*)$")
_VARIABLES = {
    "PIP_INDEX_URL": "index-url",
    "UV_INDEX_URL": "index-url",
    "UV_DEFAULT_INDEX": "index-url",
    "PIP_EXTRA_INDEX_URL": "extra-index-url",
    "UV_EXTRA_INDEX_URL": "extra-index-url",
    "UV_INDEX": "extra-index-url",
    "PIP_FIND_LINKS": "find-links",
    "PIP_NO_INDEX": "no-index",
}


def index_of(variables: Mapping[str, str], prefix: Path, root: Path = Path("/")) -> Index | None:
    """Return the kind of index that pip is configured with now; earlier installs may have used another.

    Args:
        variables: environment variables.
        prefix: environment of the interpreter, which may have a `pip.conf`.
        root: root of the file system; `/` except in tests.
    """
    told: dict[str, str] = {}
    for file in _files(variables, prefix, root):
        told |= dict(_settings(file))
    told |= {setting: value for name, setting in _VARIABLES.items() if (value := variables.get(name, "").strip())}
    if told.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        return "other"
    main = told.get("index-url")
    if main is not None and not _PYPI.fullmatch(main):
        return "other"
    extra = [url for url in told.get("extra-index-url", "").split() if not _PYPI.fullmatch(url)]
    return "pypi and others" if extra or told.get("find-links") else "pypi"


def _files(variables: Mapping[str, str], prefix: Path, root: Path) -> Iterator[Path]:
    """Yield the configuration files of pip, of which the last wins (https://pip.pypa.io/en/stable/topics/configuration)."""
    if variables.get("PIP_CONFIG_FILE") == os.devnull:
        return
    yield root / "etc/pip.conf"
    home = variables.get("HOME")
    if home:
        yield Path(home) / ".pip/pip.conf"
        yield Path(variables.get("XDG_CONFIG_HOME") or f"{home}/.config") / "pip/pip.conf"
    yield prefix / "pip.conf"
    if named := variables.get("PIP_CONFIG_FILE"):
        yield Path(named)


def _settings(file: Path) -> Iterator[tuple[str, str]]:
    """Yield the settings in a file that name an index; a value may continue on indented lines."""
    try:
        lines = file.read_text("utf-8", "replace").splitlines()[:500]
    except OSError:
        return
    name = ""
    value: list[str] = []
    for line in lines:
        if name and line[:1].isspace() and line.strip():
            value.append(line.strip())
            continue
        if name:
            yield name, " ".join(value).strip()
        found = _SETTING.match(line)
        name, value = (found[1], [found[2].strip()]) if found else ("", [])
    if name:
        yield name, " ".join(value).strip()
