"""The packages of a run as a requirements file for pip; those that pip cannot install are comments with the reason."""

import re

from ledger.model.boxes.machine import Environment, WorkingCopy
from ledger.model.entries import EnvironmentFile, PackageSource

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(
    r"v?(?:\d+!)?\d+(?:\.\d+)*(?:[-_.]?(?:a|b|c|rc|alpha|beta|pre|preview)[-_.]?\d*)?(?:-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?"
    r"(?:[-_.]?dev[-_.]?\d*)?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?",
    re.IGNORECASE,
)
"""A version in the form of packaging.python.org/en/latest/specifications/version-specifiers."""
_TOLD = re.compile(r"(\S+)(?: \((editable|git ([0-9a-f]{7,64}))\))?")
_URL = re.compile(r"(?:https?|ssh|git)://[^\s#'\"<>\\^`{|}]+")
_VCS = {"git", "hg", "svn", "bzr"}
_INDEX = {
    "pypi": "pip looked for packages on PyPI",
    "other": "pip looked for packages on an index other than PyPI, whose address is not kept: --index-url",
    "pypi and others": "pip looked for packages on PyPI and elsewhere; addresses are not kept: --extra-index-url",
}


def render_requirements(run: str, environment: Environment, file: EnvironmentFile) -> str:
    """Return the requirements file of a run.

    Args:
        run: id of the run.
        environment: the environment box of its record.
        file: the whole environment.
    """
    lines = [
        f"# what run {run} ran with: {file.python} on {file.os}, {file.machine}",
        f"# {_INDEX[file.index]}" if file.index else "# where pip looked for packages is unknown",
    ]
    for name, version in file.packages.items():
        lines += _lines_of(name, version, file, environment.working_copies.get(name))
    return "".join(f"{_printable(line)}\n" for line in lines)


def _lines_of(name: str, told: str, file: EnvironmentFile, copy: WorkingCopy | None) -> list[str]:
    match = _TOLD.fullmatch(told)
    version = match[1] if match else told
    source = file.sources.get(name)
    if _NAME.fullmatch(name) is None:
        return [f"# {name} {told}: no name that pip takes"]
    if source is None and match and match[2]:
        source = PackageSource(kind="editable" if match[2] == "editable" else "vcs", commit=match[3])
    if source is not None and source.kind == "editable":
        return _of_copy(name, version, copy)
    if source is not None:
        return _of_source(name, version, source)
    if _VERSION.fullmatch(version) is None:
        return [f"# {name} {told}: no version that pip takes"]
    tag = f"  # {file.tags[name]}" if name in file.tags else ""
    _, plus, build = version.partition("+")
    note = [f"# the next is a build of its maker ({build}), on no PyPI: give pip its index"] if plus else []
    return [*note, f"{name}=={version}{tag}"]


def _of_copy(name: str, version: str, copy: WorkingCopy | None) -> list[str]:
    what = f"{name} {version} was an editable install"
    if copy is None or copy.commit is None:
        return [f"# {what} of a folder in no repository that is known"]
    commit = copy.commit.partition(":")[2]
    changed = {True: ", with changes that were not committed", False: "", None: ", maybe changed"}[copy.dirty]
    if copy.remote is None or _URL.fullmatch(copy.remote) is None:
        return [f"# {what} of commit {commit}{changed}; its repository has no address that pip takes"]
    return [f"# {what}{changed}", f"{name} @ git+{copy.remote}@{commit}"]


def _of_source(name: str, version: str, source: PackageSource) -> list[str]:
    url = source.url if source.url and _URL.fullmatch(source.url) else None
    if url is None:
        at = f" at commit {source.commit}" if source.commit else ""
        kind = "repository" if source.kind == "vcs" else "folder or file"
        return [f"# {name} {version} came from a {kind}{at}, whose address is not known elsewhere"]
    if source.kind != "vcs":
        return [f"{name} @ {url}{f'#sha256={source.sha256}' if source.sha256 else ''}"]
    if source.vcs not in _VCS or source.commit is None:
        return [f"# {name} {version} came from {url}; its commit is not known"]
    below = f"#subdirectory={source.subdirectory}" if source.subdirectory else ""
    return [f"{name} @ {source.vcs}+{url}@{source.commit}{below}"]


def _printable(line: str) -> str:
    return line if line.isprintable() else ascii(line)[1:-1]
