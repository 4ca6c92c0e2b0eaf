"""A walk over a branch, commit by commit, with the changes of each against every parent.

An end-to-end difference misses what was changed and undone, and a plain log misses what a merge dropped.
Replace refs and grafts are switched off: they show a history that is not the one others have.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence

from ledger.model.values import Document
from ledger.repository.process import Git
from ledger.repository.repository import Repository

_HEADER = "--format=%x01%H %P%x02%ct"
AS_IT_IS = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_GRAFT_FILE": os.devnull}
"""Variables with which git shows history and objects without replacements."""


class PathChange(Document, frozen=True, kw_only=True):
    """One path that one commit changed against one parent."""

    status: str
    """Git's letter: `A` added, `M` modified, `D` deleted, `T` type changed."""
    mode: str
    """Mode after the change; `000000` when it is gone."""
    blob: str
    """Object after the change."""
    path: str
    """Path inside the tree."""


class CommitStep(Document, frozen=True, kw_only=True):
    """One commit with all of its changes."""

    commit: str
    """Commit id."""
    parents: list[str]
    """Its parents' ids."""
    seconds: int
    """When it was committed, in seconds since 1970."""
    changes: list[PathChange]
    """Changes against each parent; everything, for a root."""


def contains(repository: Repository, tip: str, commit: str) -> bool:
    """Return whether the history of `tip` contains `commit`."""
    return tip == commit or repository.git.attempt("merge-base", "--is-ancestor", commit, tip)[0] == 0


def walk(repository: Repository, tip: str, since: str | None = None) -> Iterator[CommitStep]:
    """Yield every commit that leads to `tip`, newest first, without those that lead to `since`.

    Raises:
        LedgerError: an object is missing or damaged.
    """
    git = repository.git.having(AS_IT_IS)
    wanted = [tip, *(f"^{known}" for known in _exclusions(git, tip, since))] if since else [tip]
    # A merge is listed once per parent, each time with its header.
    options = ("--root", "-r", "-m", "--raw", "--no-abbrev", "--no-renames", "--no-show-signature", "-z", _HEADER)
    with tempfile.TemporaryFile() as nothing:
        arguments = ("log", *options, "--end-of-options", *wanted, "--")
        with git.streaming(*arguments, stdin=nothing) as out:
            yield from _steps(out.read().split(b"\0"))


def _exclusions(git: Git, tip: str, since: str) -> list[str]:
    """Return the commits to exclude with their ancestors: `since`, and the merge bases.

    Git walks by date, and stops looking for what it should leave out a few commits after it found the last wanted one.
    Entries keep their dates when they are put on top of newer ones, so it would let through what both have.
    """
    _, out, _ = git.attempt("merge-base", "--all", "--end-of-options", tip, since)
    return list(dict.fromkeys([since, *out.decode().split()]))


def read_difference(repository: Repository, old: str, new: str, among: Sequence[str] = ()) -> list[PathChange]:
    """Return the paths in which two commits differ end to end, related or not.

    Args:
        repository: which holds both.
        old: one commit.
        new: the other.
        among: look only at these paths and folders.

    Raises:
        LedgerError: a commit is missing, or one of its trees is.
    """
    out = repository.git.output(
        "diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--end-of-options", old, new, "--", *among
    )
    return list(_changes(out.split(b"\0")))


def _steps(fields: list[bytes]) -> Iterator[CommitStep]:
    """Yield the steps in a log, field by field: a path may hold any byte but the one that ends it."""
    step: CommitStep | None = None
    position = 0
    while position < len(fields):
        field = fields[position].lstrip(b"\n")
        position += 1
        if field.startswith(b":") and step is not None:
            step.changes.append(_change(field, fields[position]))
            position += 1
        elif field.startswith(b"\x01"):
            ids, _, seconds = field[1:].decode().strip().partition("\x02")
            commit, *parents = ids.split()
            if step is not None and step.commit == commit:
                continue
            if step is not None:
                yield step
            step = CommitStep(commit=commit, parents=parents, seconds=int(seconds or 0), changes=[])
    if step is not None:
        yield step


def _changes(fields: list[bytes]) -> Iterator[PathChange]:
    for facts, path in zip(fields[::2], fields[1::2], strict=False):
        if facts.startswith(b":"):
            yield _change(facts, path)


def _change(facts: bytes, path: bytes) -> PathChange:
    _, mode, _, blob, status = facts[1:].decode().split(" ")
    return PathChange(status=status[:1], mode=mode, blob=blob, path=os.fsdecode(path))
