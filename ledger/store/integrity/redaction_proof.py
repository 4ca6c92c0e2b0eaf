"""Proof of a tombstone: that one history is another with parts removed, and nothing else.

A tombstone is written by whoever can write to the branch, so each of its claims is checked: where
both histories are available they are compared file by file, and within a file only text under a mark may differ.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ledger.errors import LedgerError
from ledger.hashing import hash_bytes
from ledger.model import paths
from ledger.model.entries import Redaction
from ledger.model.values import Document
from ledger.repository.history.walk import PathChange, read_difference
from ledger.repository.repository import Repository
from ledger.store.integrity.redaction_plan import MARK, SHORTEST, placeholder_of

_MARK = MARK.encode()
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Unproved(Document, frozen=True, kw_only=True):
    """A difference that no redaction explains."""

    path: str
    """Path on the branch; empty for the history itself."""
    message: str
    """The difference."""


class Steps:
    """The replacements that tombstones state; chains are followed once for a whole ledger.

    Args:
        redactions: every tombstone of the ledger.
    """

    def __init__(self, redactions: Sequence[Redaction]) -> None:
        self._files = {(file.path, file.before): file.after for one in redactions for file in one.files}
        self._commits: dict[str, str] = {}
        for one in redactions:
            self._commits |= {one.before: one.after, **dict(_pairs(one))}
        self.paths = {path for path, _ in self._files}

    def now(self, path: str, stood: str) -> str:
        """Return the hash that must be at a path now, where a file with this hash was once."""
        seen = {stood}
        while (after := self._files.get((path, stood))) and after not in seen:
            stood = after
            seen.add(after)
        return stood

    def first(self) -> dict[str, str]:
        """Return the original hash of each path that a redaction replaced."""
        afters = {(path, after) for (path, _), after in self._files.items()}
        return {path: before for path, before in self._files if (path, before) not in afters}

    def last_commit(self, commit: str) -> str:
        """Return the commit that replaces another, however often it was rewritten."""
        seen = {commit}
        while (after := self._commits.get(commit)) and after not in seen:
            commit = after
            seen.add(after)
        return commit


def _pairs(redaction: Redaction) -> list[tuple[str, str]]:
    """Return the rewritten form of each commit that it names, beside its own."""
    checkpoints = [(one.before, one.after) for one in redaction.checkpoints]
    return checkpoints + [(one.before, one.after) for one in redaction.made_again]


def afters_of(redaction: Redaction) -> list[str]:
    """Return the commits that replace others, by its statement on commits beside its own."""
    return [after for _, after in _pairs(redaction)]


def wrong_with(redaction: Redaction) -> list[str]:
    """Return what is impossible in a tombstone: a thing that replaces itself, or two things."""
    wrong = [] if redaction.reason.strip() else ["it gives no reason"]
    pairs = _pairs(redaction)
    named = [redaction.before, redaction.after, *(commit for pair in pairs for commit in pair)]
    if not all(map(_COMMIT.fullmatch, named)):
        return [*wrong, "it names a commit by something that is not an object id"]
    if redaction.before == redaction.after:
        wrong.append(f"it says that commit {redaction.before[:10]} was replaced by itself")
    wrong += [f"it says that commit {before[:10]} was replaced by itself" for before, after in pairs if before == after]
    targets: dict[str, str] = {redaction.before: redaction.after}
    for before, after in pairs:
        if targets.setdefault(before, after) != after:
            wrong.append(f"it names two replacements of commit {before[:10]}")
    if not set(targets).isdisjoint(targets.values()):
        wrong.append("its replacements of commits form a circle")
    files = Counter(file.path for file in redaction.files)
    wrong += [f"it names this file twice: `{ascii(path)[1:-1]}`" for path, count in files.items() if count > 1]
    wrong += [
        f"it says that nothing was changed in this file: `{ascii(file.path)[1:-1]}`"
        for file in redaction.files
        if file.before == file.after
    ]
    return list(dict.fromkeys(wrong))


def circle_in(redactions: Sequence[Redaction]) -> bool:
    """Return whether the statements of tombstones form a cycle of commits or files."""
    commits: dict[object, object] = {}
    files: dict[object, object] = {}
    for one in redactions:
        commits |= {one.before: one.after, **dict(_pairs(one))}
        files |= {(file.path, file.before): (file.path, file.after) for file in one.files}
    return _has_circle(commits) or _has_circle(files)


def _has_circle(steps: Mapping[object, object]) -> bool:
    done: set[object] = set()
    for start in steps:
        seen: set[object] = set()
        at: object | None = start
        while at is not None and at not in done:
            if at in seen:
                return True
            seen.add(at)
            at = steps.get(at)
        done |= seen
    return False


def unproved(
    repository: Repository, before: str, tip: str, redactions: Sequence[Redaction], *, law_stands: bool = False
) -> Iterator[Unproved]:
    """Yield how `tip` differs from `before` beyond redactions and additions since.

    Args:
        repository: repository with both histories.
        before: known tip.
        tip: tip that is said to replace it.
        redactions: the tombstones of `tip`.
        law_stands: whether policy and workflows must be those of `before`; else those must be in `tip`'s history.

    Raises:
        LedgerError: git cannot read one of them.
    """
    steps = Steps(redactions)
    for change in read_difference(repository, before, tip):
        why = _why(repository, before, tip, change, steps, law_stands=law_stands)
        if why is not None:
            yield Unproved(path=change.path, message=why)
    lost = _commit_authors(repository, before) - _commit_authors(repository, tip)
    if lost:
        yield Unproved(path="", message=f"{lost.total()} of its commits have another author or time, or are missing")


def _why(
    repository: Repository, before: str, tip: str, change: PathChange, steps: Steps, *, law_stands: bool
) -> str | None:
    agreed = paths.is_agreed(change.path)
    if change.status == "A":
        return "added while history was rewritten" if agreed and law_stands else None
    if change.status == "D":
        return "it is missing; a redaction removes no file"
    was, now = repository.read_object(f"{before}:{change.path}"), repository.read_object(change.blob)
    stood = _versions(repository, tip, change.path) if agreed and not law_stands else ()
    if any(is_marked(was, one, change.path) for one in stood):
        return None
    if steps.now(change.path, hash_bytes(was)) != hash_bytes(now):
        return "it was changed, and no redaction says so"
    if not is_marked(was, now, change.path):
        return "a redaction is said to have changed it, but more was changed than parts removed"
    return None


def _versions(repository: Repository, tip: str, path: str) -> Iterator[bytes]:
    out = repository.git.output("rev-list", "--end-of-options", tip, "--", path).decode()
    for content in repository.read_objects(f"{commit}:{path}" for commit in out.split()):
        if content is not None:
            yield content


def _commit_authors(repository: Repository, commit: str) -> Counter[str]:
    """Return author and time of the commits of a history, with the number of times each occurs."""
    said = "--format=%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct"
    out = repository.git.output("log", "-z", said, "--end-of-options", commit, "--")
    fields = os.fsdecode(out).split("\0")
    return Counter("\0".join(fields[start : start + 6]) for start in range(0, len(fields) - 5, 6))


def is_marked(before: bytes, after: bytes, path: str) -> bool:
    """Return whether a file is another one with parts replaced by the mark, or with all of it removed.

    In a document, keys, numbers and booleans must be equal, only texts may differ; elsewhere the lines must remain.
    """
    if before == after:
        return True
    if after == _placeholder(path):
        return True
    lines, again = before.split(b"\n"), after.split(b"\n")
    if len(lines) != len(again) or not all(map(_is_marked_line, lines, again)):
        return False
    if not path.endswith(".json"):
        return True
    try:
        return _same_but_texts(*(json.loads(one, parse_float=_Number, parse_int=_Number) for one in (before, after)))
    except (ValueError, RecursionError):
        return False


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


def _placeholder(path: str) -> bytes | None:
    try:
        return placeholder_of(path)
    except LedgerError:
        return None


def _is_marked_line(before: bytes, after: bytes) -> bool:
    if before == after:
        return True
    first, *parts = after.split(_MARK)
    if not parts or not before.startswith(first):
        return False
    position = len(first)
    *inner, last = parts
    for part in inner:  # each mark stands for at least six characters; the leftmost fit leaves most to the next
        position = before.find(part, position + SHORTEST)
        if position < 0:
            return False
        position += len(part)
    return len(before) - len(last) >= position + SHORTEST and before.endswith(last)


def _same_but_texts(before: object, after: object) -> bool:
    if type(before) is not type(after):
        return False
    if isinstance(before, dict) and isinstance(after, dict):
        return len(before) == len(after) and all(
            _same_but_texts(key, again) and _same_but_texts(value, stands)
            for (key, value), (again, stands) in zip(before.items(), after.items(), strict=True)
        )
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_same_but_texts, before, after))
    if isinstance(before, str) and isinstance(after, str) and not isinstance(before, _Number):
        return _is_marked_line(before.encode("utf-8", "surrogatepass"), after.encode("utf-8", "surrogatepass"))
    return before == after


def shows_mark(content: bytes, path: str) -> bool:
    """Return whether something was removed from a file, judged by its present content."""
    return _MARK in content or content == _placeholder(path)
