"""The Python environment of a training: its version, and the folders of its packages."""

import os
import platform
import re
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

_TIMEOUT_SECONDS = 5.0
_ASK = """
import platform, sys
print(platform.python_implementation(), platform.python_version())
print(*sys.path, sep=chr(10))
"""


class Interpreter(NamedTuple):
    """A Python environment."""

    executable: str
    """Its interpreter."""
    version: str | None
    """Implementation and version; none when unknown."""
    folders: tuple[Path, ...]
    """Folders of its packages, in the order of imports."""


def find_interpreter(python: Path | None, variables: Mapping[str, str]) -> Interpreter:
    """Return the environment of the given interpreter, else the active one, else that of this process.

    The active one is that of `VIRTUAL_ENV` or `CONDA_PREFIX`: ledger may be installed outside of it.
    """
    if python is None:
        active = variables.get("VIRTUAL_ENV") or variables.get("CONDA_PREFIX")
        if not active or _same(Path(active), Path(sys.prefix)) or not (Path(active) / "bin" / "python").exists():
            return _ours()
        python = Path(active) / "bin" / "python"
    # The prefix and not the resolved file: every virtual environment links to the same interpreter
    if _same(python.parent.parent, Path(sys.prefix)) and _same(python, Path(sys.executable)):
        return _ours()
    return _virtual(python) or _query_interpreter(python)


def _ours() -> Interpreter:
    known = dict.fromkeys(Path(path) for path in (*sysconfig.get_paths().values(), *sys.path) if path)
    folders = tuple(path for path in known if path.name in {"site-packages", "dist-packages"} and path.is_dir())
    # Legacy `setup.py develop` and plain source folders have their metadata beside the code
    sources = tuple(path for path in known if path not in folders and path.is_dir() and not _is_library(path))
    version = f"{platform.python_implementation()} {platform.python_version()}"
    return Interpreter(sys.executable, version, folders + sources)


def _is_library(path: Path) -> bool:
    return path == Path(sysconfig.get_path("stdlib")) or path.name in {"bin", "include", "lib-dynload"}


def _virtual(python: Path) -> Interpreter | None:
    """Return a virtual environment from its own files, which costs nothing compared with starting it."""
    prefix = python.parent.parent
    try:
        text = (prefix / "pyvenv.cfg").read_text("utf-8", "replace")
    except OSError:
        return None
    settings = {
        name.strip().lower(): value.strip()
        for name, equals, value in (line.partition("=") for line in text.splitlines())
        if equals
    }
    version = settings.get("version") or settings.get("version_info", "")
    if settings.get("include-system-site-packages", "").lower() == "true" or not re.match(r"\d+\.\d+", version):
        return None
    folders = tuple(sorted(path for path in prefix.glob("lib*/python*/site-packages") if path.is_dir()))
    number = re.match(r"[0-9.]*[0-9]", version)
    implementation = settings.get("implementation", "CPython")
    return (
        Interpreter(str(python), f"{implementation} {number[0] if number else version}", folders) if folders else None
    )


def _query_interpreter(python: Path) -> Interpreter:
    try:
        answer = subprocess.run(
            [str(python), "-I", "-c", _ASK], capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return Interpreter(str(python), None, ())
    version, *paths = answer.stdout.splitlines()
    folders = tuple(Path(path) for path in paths if path.endswith(("site-packages", "dist-packages")))
    return Interpreter(str(python), version, folders)


def _same(left: Path, right: Path) -> bool:
    """Return whether two paths are the same; the last part is not resolved, as interpreters are links."""
    try:
        return os.path.realpath(left.parent) == os.path.realpath(right.parent) and left.name == right.name
    except OSError:
        return False
