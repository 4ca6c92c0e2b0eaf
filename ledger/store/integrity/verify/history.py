"""The check that the branch only ever added entries: every commit against every parent."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from ledger.model import paths
from ledger.repository.history.walk import CommitStep, PathChange
from ledger.store.integrity.findings import Finding
from ledger.store.integrity.path_rules import wrong_mode, wrong_path


def check_history(steps: Sequence[CommitStep], *, whole: bool) -> Iterator[Finding]:
    """Yield changes that no commit may make.

    Args:
        steps: commits, newest first.
        whole: whether they reach back to the first commit.
    """
    roots = [step for step in steps if not step.parents]
    for extra in roots[:-1] if whole else roots:
        yield Finding(
            rule="history",
            commit=extra.commit,
            message="a second beginning: two histories were joined",
            hint="ledger sync puts what a clone has on top of the ledger's own history",
        )
    for step in steps:
        for change in step.changes:
            if found := _wrong_with(change):
                rule, message, hint = found
                yield Finding(rule=rule, path=change.path, commit=step.commit, message=message, hint=hint)


def dates_of(steps: Sequence[CommitStep]) -> dict[str, datetime]:
    """Return the commit time of each path."""
    dates: dict[str, datetime] = {}
    for step in steps:
        moment = moment_of(step.seconds)
        dates.update((change.path, moment) for change in step.changes if change.status == "A")
    return dates


def moment_of(seconds: int) -> datetime:
    """Return the time of a commit, limited to the years 1 to 9998."""
    return datetime.fromtimestamp(min(max(seconds, _FIRST), _LAST), tz=UTC)


_FIRST, _LAST = -62_135_596_800, 253_370_764_799
"""The years 1 to 9998 in seconds since 1970: a day more or less is still a date (`datetime.MAXYEAR`)."""


_NEVER = "undo the commit; correct it with a new entry: ledger note, ledger retract, ledger redact"


def _wrong_with(change: PathChange) -> tuple[str, str, str | None] | None:
    """Return rule, message and fix for a forbidden change."""
    if change.status == "D":
        return "history", "removed; entries are never removed, a correction is a new entry", _NEVER
    if change.status != "A" and not paths.is_agreed(change.path):
        return "history", "changed after it was added; entries never change, a correction is a new entry", _NEVER
    why = wrong_mode(change.mode) or wrong_path(change.path)
    return ("tree", why, "remove the file from the commit; only ledger adds entries") if why else None
