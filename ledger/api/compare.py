"""Selection of the runs of a comparison."""

from collections.abc import Sequence

from ledger.errors import UsageError
from ledger.model.entries import StoredRun
from ledger.store.branch.branch import Branch
from ledger.store.index.selection import find_runs


def find_compared(ledger: Branch, runs: Sequence[str]) -> list[StoredRun]:
    """Return the runs that ids name; for a single run, its baseline comes first.

    Raises:
        NotFound: no run has such an id.
        UsageError: it is one run, and its experiment has no baseline.
        LedgerError: git cannot read the branch.
    """
    found = find_runs(ledger, runs)
    if len(found) == 1:
        return [_baseline_of(ledger, found[0]), *found]
    return found


def _baseline_of(ledger: Branch, run: StoredRun) -> StoredRun:
    contents = ledger.contents()
    other = contents.run(run.record.baseline) if run.record.baseline else None
    other = other or contents.baselines().get(run.record.experiment)
    if other is None or other.record.id == run.record.id:
        raise UsageError(
            "a comparison needs two different runs, or one run whose experiment has a baseline",
            hint="ledger compare RUN RUN, or: ledger baseline RUN",
        )
    return other
