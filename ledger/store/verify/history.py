"""The branch only ever added entries: every commit against every parent."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from ledger.model import paths
from ledger.repository.walk import Change, Step
from ledger.store.verify.findings import Finding

_DATED = r"\d{4}/\d\d/\d\d/[0-9a-z-]{22}"
_SIGNED = r"(\.[0-9a-f]{16}\.sig)?"
_SHAPES = tuple(
    re.compile(shape)
    for shape in (
        r"format",
        r"policy\.yaml",
        rf"runs/{_DATED}/(record\.json{_SIGNED}|environment\.json|curves\.csv|log\.txt|code\.patch)",
        rf"runs/{_DATED}/figures/[a-z0-9._-]+\.(png|svg)",
        rf"runs/{_DATED}/tables/[a-z0-9._-]+\.csv",
        rf"datasets/[a-z0-9._-]+/[a-z0-9._-]+/(dataset\.json{_SIGNED}|manifest\.jsonl|pictures/[a-z0-9._-]+\.png)",
        r"manifests/[a-z0-9._-]+/[a-z0-9._-]+/[0-9a-f]+/[0-9a-f]+\.jsonl",
        rf"cases/[a-z0-9._-]+/[0-9a-z-]{{22}}\.json{_SIGNED}",
        rf"(notes|evaluations|redactions)/{_DATED}\.json{_SIGNED}",
    )
)
"""Every path that an entry may have."""

_REGULAR = "100644"


def check_history(steps: Sequence[Step], *, whole: bool) -> Iterator[Finding]:
    """Yield what some commit did that none may do.

    Args:
        steps: commits, newest first.
        whole: whether they reach back to the first one.
    """
    roots = [step for step in steps if not step.parents]
    for extra in roots[:-1] if whole else roots:
        yield Finding(path="", commit=extra.commit, message="a second beginning: two histories were joined")
    for step in steps:
        for change in step.changes:
            if message := _wrong_with(change):
                yield Finding(path=change.path, commit=step.commit, message=message)


def dates_of(steps: Sequence[Step]) -> dict[str, datetime]:
    """Return when each path was committed."""
    return {
        change.path: datetime.fromtimestamp(step.seconds, tz=UTC)
        for step in steps
        for change in step.changes
        if change.status == "A"
    }


def _wrong_with(change: Change) -> str | None:
    if change.status == "D":
        return "removed; entries are never removed, a correction is a new entry"
    if change.status != "A" and change.path != paths.POLICY_FILE:
        return "changed after it was added; entries never change, a correction is a new entry"
    if change.mode != _REGULAR:
        return f"not a regular file (mode {change.mode})"
    if not any(shape.fullmatch(change.path) for shape in _SHAPES):
        return "no entry has a path like this"
    return None
