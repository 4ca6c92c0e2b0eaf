"""The script of a run: which one a command starts, and whether the recorded repository contains it."""

import os
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ledger.capture.code.source_kinds import is_program
from ledger.errors import LedgerError
from ledger.hashing import hash_file
from ledger.model.boxes.code import InnerRepository
from ledger.repository.repository import Repository
from ledger.repository.worktree.omissions import FileOmission
from ledger.repository.worktree.snapshot import Snapshot

_PROGRAM_FOLDERS = {"bin", "sbin", "Scripts", "libexec"}
"""Folders of installed programs, which belong to the environment."""


class Script(NamedTuple):
    """What the recorded repository lacks about the script."""

    problem: str | None = None
    """Why its code is not in the record; none where it is."""
    identity: str | None = None
    """Hash that runs of the same script share, where the repository's own identity does not cover it."""
    repositories: list[InnerRepository] = []
    """The repository that contains it, where that is another one."""
    left_out: FileOmission | None = None
    """The script itself, where git ignores it."""
    certain: bool = True
    """Whether equal `identity` means equal code."""


def script_of_command(command: Sequence[str]) -> Path | None:
    """Return the script that a command starts: the first program file it names; none where there is none."""
    for place, word in enumerate(command):
        path = Path(word)
        if word.startswith("-") or not _is_file(path):
            continue
        if is_program(word) or (place == 0 and os.sep in word and path.parent.name not in _PROGRAM_FOLDERS):
            return path
    return None


def _is_file(path: Path) -> bool:
    """Return whether a file exists; a whole program, as an argument of `python -c`, is too long for a file name."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def script_of_process() -> Path | None:
    """Return the script of this process; none in an interactive one, and where an installed program runs."""
    name = getattr(sys.modules.get("__main__"), "__file__", None)
    if not isinstance(name, str) or not Path(name).is_file():
        return None
    path = Path(name).absolute()
    return path if is_own_script(path) else None


def is_own_script(path: Path) -> bool:
    """Return whether a program is somebody's own, and not one that is installed."""
    installed = {sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib", "scripts")}
    inside = any(path.is_relative_to(folder) or path.resolve().is_relative_to(folder) for folder in installed if folder)
    return not inside and path.parent.name not in _PROGRAM_FOLDERS


def look_at_script(script: Path | None, repository: Repository, snapshot: Snapshot) -> Script:
    """Return what the recorded repository lacks about the script; never raises.

    Args:
        script: file of the program.
        repository: recorded repository.
        snapshot: snapshot of it.
    """
    if script is None or repository.worktree is None:
        return Script()
    try:
        full = script.parent.resolve() / script.name
        target = script.resolve()  # a link in the repository may lead to a file outside of it
        if full.is_relative_to(repository.worktree) and not target.is_relative_to(repository.worktree.resolve()):
            return _elsewhere(target, repository.worktree)
        if full.is_relative_to(repository.worktree):
            return _within(full, full.relative_to(repository.worktree).as_posix(), repository, snapshot)
        return _elsewhere(full, repository.worktree)
    except (OSError, LedgerError) as error:
        return Script(problem=f"the script cannot be looked at: {error}")


def _within(full: Path, path: str, repository: Repository, snapshot: Snapshot) -> Script:
    if any(path.startswith(f"{one.path}/") for one in snapshot.inside) or path in snapshot.changed:
        return Script()
    if repository.git.attempt("check-ignore", "--quiet", "--", path)[0] != 0:
        return Script()
    why = "git ignores this file, which is the script that ran"
    left_out = FileOmission(path=path, why=why, exact=False)
    return Script(
        f"git ignores the script that ran, so its code is not in the record: {path}", hash_file(full), [], left_out
    )


def _elsewhere(full: Path, top: Path) -> Script:
    shown = os.path.relpath(full, top)
    try:
        other = Repository.discover(full.parent)
    except LedgerError:
        problem = f"the script is outside this repository, and in no other: {shown}"
        return Script(f"{problem}; its code is not in the record", hash_file(full))
    commit = other.resolve("HEAD")
    changed = other.git.output("status", "--porcelain", "--untracked-files=no", "-z")
    described = InnerRepository(
        path=os.path.relpath(other.worktree or other.git_dir, top),
        kind="outside",
        commit=f"git:{commit}" if commit else None,
        pushed=other.is_pushed(commit) if commit else None,
        dirty=bool(changed),
    )
    edited = ", with uncommitted changes" if changed else ""
    at = f"at commit {commit[:12]}{edited}" if commit else "without a commit"
    problem = f"the script is in another repository, {at}: {shown}; its code is not in the record"
    # Other changes there are not read, so it is unknown whether two such runs had the same code.
    beside = {line[3:] for line in os.fsdecode(changed).split("\0") if line} - {
        os.path.relpath(full, other.worktree or top)
    }
    return Script(problem, f"{commit}:{hash_file(full)}", [described], certain=not beside)
