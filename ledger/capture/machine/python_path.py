"""`PYTHONPATH`: the variable itself, and the installed modules that it shadows."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ledger.capture.secrets.redactor import Redactor

_NAME = "PYTHONPATH"
_LIMIT = 2_000
_MOST_NAMES = 10_000
"""Most entries of a folder that are read."""
_MOST_SHADOWED = 50


def python_path_of(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variable if it is set, with secrets replaced and the home folder as `~`."""
    folders = _folders(variables)
    if not folders:
        return {}
    home = os.path.expanduser("~")  # noqa: PTH111  # never raises, where `Path.home` does
    shown = []
    for folder in folders:
        inside = home not in {"/", "~"} and (folder == home or folder.startswith(f"{home}/"))
        shown.append(f"~{folder[len(home) :]}" if inside else folder)
    text = Redactor().text(os.pathsep.join(shown))[:_LIMIT]
    return {_NAME: text if text.isprintable() else ascii(text)[1:-1]}


def shadowed_by(variables: Mapping[str, str], installed: Iterable[Path]) -> dict[str, str]:
    """Return the modules that folders of the variable shadow; each is of the `standard library`, or `installed`."""
    ours = {name for folder in _folders(variables) for name in _modules(Path(folder or "."))}
    if not ours:
        return {}
    behind = dict.fromkeys(ours & sys.stdlib_module_names, "standard library")
    for folder in installed:
        if folder.name in {"site-packages", "dist-packages"}:
            behind |= dict.fromkeys(ours.intersection(_modules(folder)), "installed")
    return dict(sorted(behind.items())[:_MOST_SHADOWED])


def _folders(variables: Mapping[str, str]) -> list[str]:
    return [folder for folder in variables.get(_NAME, "").split(os.pathsep) if folder]


def _modules(folder: Path) -> Iterator[str]:
    """Yield the importable names in a folder; a folder is a module only if it is marked as one."""
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(_MOST_NAMES), entries, strict=False):
                stem, dot, ending = entry.name.partition(".")
                inside = not dot and entry.is_dir() and (Path(entry.path) / "__init__.py").is_file()
                if inside or ending.rpartition(".")[2] in {"py", "so", "pyd"}:
                    yield stem
    except OSError:
        return
