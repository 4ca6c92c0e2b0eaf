"""The files in which the code of two runs differs, and how to settle differences that may be results."""

from collections.abc import Sequence

from ledger.analysis.comparing.settings import code_key, same_but_code, setting_key
from ledger.analysis.query.language import Condition
from ledger.capture.code.source_kinds import is_configuration, is_program
from ledger.errors import LedgerError
from ledger.model.entries import StoredRun
from ledger.model.paths import PATCH_FILE, run_path
from ledger.model.values import Document
from ledger.repository.history.walk import read_difference
from ledger.repository.worktree.patch_paths import blobs_after
from ledger.store.branch.branch import Branch
from ledger.store.index.selection import select_runs

_NAMED = 5
_LOOKED_AT = 200
"""Most runs of an experiment, newest first, that are searched for runs that differ in code alone."""


class CodeDifference(Document, frozen=True, kw_only=True):
    """The difference between the code of two runs."""

    files: list[str]
    """Paths that differ, including those that only one run has."""
    perhaps_results: list[str] = []
    """Those that runs may have written: not programs, and not in the commit of either run."""
    unknown: str | None = None
    """Why the files cannot be named."""

    def told(self) -> str:
        """Return it as a sentence: the files, and how to settle it."""
        if self.unknown:
            return f"in their code ({self.unknown})"
        more = f" and {len(self.files) - _NAMED} more" if len(self.files) > _NAMED else ""
        told = f"in their code: {', '.join(self.files[:_NAMED])}{more}"
        if self.perhaps_results and set(self.files) == set(self.perhaps_results):
            named = " ".join(self.perhaps_results[:_NAMED])
            return f"{told}; if runs write that, later ones group with: ledger policy set code.ignore {named}"
        return told


def code_difference(ledger: Branch, left: StoredRun, right: StoredRun) -> CodeDifference | None:
    """Return the files in which the code of two runs differs; none where it does not, or where it is unknown.

    Args:
        ledger: ledger with their patches, whose repository has their commits.
        left: one run.
        right: the other.
    """
    ours, theirs = code_key(left), code_key(right)
    if ours is None or theirs is None or ours == theirs:
        return None
    before, after = left.record.code.commit or "", right.record.code.commit or ""
    try:
        changed_left, changed_right = _changed(ledger, left), _changed(ledger, right)
        committed = _committed(ledger, before.removeprefix("git:"), after.removeprefix("git:"))
    except LedgerError:
        return CodeDifference(files=[], unknown="their commits are not in this clone")
    apart = {*left.record.code.not_code, *right.record.code.not_code}
    files = {path for path in committed if path not in changed_left and path not in changed_right}
    files |= {
        path for path in changed_left.keys() | changed_right.keys() if changed_left.get(path) != changed_right.get(path)
    }
    named = sorted(files - apart)
    if not named:
        return CodeDifference(files=[], unknown="in files that are not in their patches")
    results = [path for path in named if path not in committed and is_configuration(path) and not is_program(path)]
    return CodeDifference(files=named, perhaps_results=results)


def _committed(ledger: Branch, before: str, after: str) -> set[str]:
    if before == after or not before or not after:
        return set()
    return {change.path for change in read_difference(ledger.repository, before, after)}


def _changed(ledger: Branch, run: StoredRun) -> dict[str, str]:
    """Return the files that differ from the commit, each with its content."""
    code = run.record.code
    patch = ledger.read(f"{run_path(run.record.id)}/{PATCH_FILE}") if code.patch else b""
    return {**blobs_after(patch or b""), **{file.path: file.hash or "?" for file in code.omitted if file.code}}


def why_no_repeats(ledger: Branch, run: StoredRun, others: Sequence[StoredRun] | None = None) -> str | None:
    """Return why runs that look like repeats of a run are none: they differ in code alone. None where there are none.

    Args:
        ledger: ledger with their code.
        run: the run.
        others: runs to search; the last runs of its experiment when none.
    """
    if others is None:
        query = Condition(field="experiment", operator="=", value=run.record.experiment)
        others = select_runs(ledger, query, limit=_LOOKED_AT).runs
    alike = [other for other in others if other.record.id != run.record.id and same_but_code(run, other)]
    alike = [other for other in alike if setting_key(other) != setting_key(run)][:_LOOKED_AT]
    if not alike:
        return None
    difference = code_difference(ledger, run, alike[0])
    if difference is None:
        return None
    first = alike[0].record.id
    told = f"run {first} has" if len(alike) == 1 else f"{len(alike)} runs, such as {first}, have"
    same = f"{told} the same params and training data as {run.record.id}"
    return f"{same}, but none of them is a repeat: they differ {difference.told()}"
