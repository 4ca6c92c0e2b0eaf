"""Differences between a work tree and its commit, including files that the index is told to ignore."""

import os
import re
from typing import NamedTuple

from ledger.repository.process import Git

ALONE = ("-c", "core.fsmonitor=false", "-c", "core.splitIndex=false", "-c", "core.safecrlf=false")
"""No watcher is started, no half of an index is left in the user's git directory, and line ends are no error."""

_TRUSTING = ("-c", "core.trustctime=true", "-c", "core.checkStat=default")
"""Settings by which a file counts as unchanged only if all file facts in the index agree."""

_GITLINK = "160000"
_UNUSUAL = re.compile(rb"(?:\A|(?<=\0))(?:[^H] |H 160000)[^\0]*")
"""Lines of `git ls-files -v -s -z` that are no plain file in plain sight: in 100,000 lines they are found in 20 ms."""
_ATTRIBUTES = re.compile(rb"\t((?:[^\0]*/)?\.gitattributes)(?=\0)")


class Listed(NamedTuple):
    """A path of the index that needs a closer look."""

    path: str
    hidden: bool
    """Whether git is told to ignore changes of the file: skip-worktree or assume-unchanged."""
    skipped: bool
    """Whether it is skip-worktree, as all that a sparse checkout leaves out is."""
    gitlink: bool
    """Whether it is a repository of its own: a submodule."""


class WorkTreeChange(NamedTuple):
    """A path that differs from the commit."""

    path: str
    untracked: bool
    gitlink: bool = False
    """Whether it is a repository inside the repository: a submodule, or one that nobody added."""
    moved: bool = False
    """Whether a submodule stands at another commit than the one that is recorded for it."""


class State(NamedTuple):
    """What is checked out, and the differences from it."""

    commit: str | None
    branch: str | None
    changes: list[WorkTreeChange]


class Listing(NamedTuple):
    """The paths of the index that need a closer look."""

    unusual: list[Listed]
    attributes: list[str]
    """Files with attributes of others."""


def read_listing(git: Git) -> Listing:
    """Return the paths of the index that git ignores changes of, the submodules, and the attribute files.

    Raises:
        LedgerError: the index cannot be read.
    """
    out = git.output(*ALONE, "ls-files", "-v", "-s", "-z")
    found = []
    for line in (os.fsdecode(match) for match in _UNUSUAL.findall(out)):
        facts, _, path = line.partition("\t")
        tag, mode, *_ = facts.split(" ")
        # `ls-files -v`: lower case is assume-unchanged, S is skip-worktree.
        hidden = tag.islower() or tag == "S"
        found.append(Listed(path=path, hidden=hidden, skipped=tag in {"S", "s"}, gitlink=mode == _GITLINK))
    return Listing(found, [os.fsdecode(path) for path in _ATTRIBUTES.findall(out)])


def read_state(git: Git, *, filters: bool = True) -> State:
    """Return what is checked out and the differences, including submodules, whatever the user's settings are.

    Args:
        git: git, bound to the top of the work tree and to the index to compare with.
        filters: whether the clean filters run; without, a file whose filter is broken counts as changed.

    Raises:
        LedgerError: git cannot say; with filters, one that is required may have failed.
    """
    off = () if filters else filters_off(git)
    arguments = ("--porcelain=v2", "--branch", "--untracked-files=all", "--no-renames", "-z")
    out = git.output(*ALONE, *_TRUSTING, *off, "status", *arguments, "--ignore-submodules=none")
    commit = branch = None
    changes = []
    for line in os.fsdecode(out).split("\0"):
        if line.startswith("# branch.oid ") and not line.endswith("(initial)"):
            commit = line.split(" ")[2]
        elif line.startswith("# branch.head ") and not line.endswith("(detached)"):
            branch = line.split(" ", 2)[2]
        elif line[:2] in _PATH_FIELD:
            changes.append(_change(line))
    return State(commit=commit, branch=branch, changes=changes)


_PATH_FIELD = {"1 ": 8, "u ": 10, "? ": 1}
"""Number of spaces before the path in each kind of line (git-status, porcelain format version 2)."""


def _change(line: str) -> WorkTreeChange:
    facts = line.split(" ", _PATH_FIELD[line[:2]])
    path = facts[-1]
    if line.startswith("? "):
        return WorkTreeChange(path=path.rstrip("/"), untracked=True, gitlink=path.endswith("/"))
    state, modes = facts[2], facts[3:6]
    gitlink = state.startswith("S") or _GITLINK in modes
    return WorkTreeChange(
        path=path, untracked=False, gitlink=gitlink, moved=state.startswith("SC") or facts[1][0] != "."
    )


def filters_off(git: Git, *, but: str | None = None) -> tuple[str, ...]:
    """Return the settings that switch off every filter, or all but one: content is then stored unchanged."""
    _, out, _ = git.attempt("config", "-z", "--name-only", "--get-regexp", r"^filter\..*\.(clean|process|required)$")
    settings: list[str] = []
    for name in os.fsdecode(out).split("\0"):
        if name and name.split(".", 1)[1].rpartition(".")[0] != but:
            settings += ["-c", f"{name}={'false' if name.endswith('.required') else ''}"]
    return tuple(settings)
