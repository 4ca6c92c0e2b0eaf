"""Weak points of a run: the run to compare with, the tables of both, and what to change next."""

from collections.abc import Sequence

from msgspec.structs import replace

from ledger.analysis.comparing.comparable import counts
from ledger.analysis.data.cases import case_stories
from ledger.analysis.judging.judgement import best_other, gather
from ledger.analysis.weak.find import MOST, Reference, find_weak_points, versions_until
from ledger.analysis.weak.metric_tables import choose_group, read_metric_tables
from ledger.analysis.weak.next_changes import with_guesses
from ledger.analysis.weak.weak_points import WeakPoints
from ledger.errors import LedgerError, NotFound, UsageError
from ledger.model.boxes.outputs import GroupId
from ledger.model.entries import Contents, StoredRun
from ledger.store.branch.branch import Branch
from ledger.store.index.peers import read_peers
from ledger.store.index.selection import find_runs


def weak_points_of(
    ledger: Branch,
    contents: Contents,
    run: StoredRun,
    against: str | None = None,
    *,
    metric: str | None = None,
    most: int = MOST,
) -> WeakPoints:
    """Return where the model of a run is weak, what changed against another run, and what to change next.

    Args:
        ledger: ledger of both.
        contents: everything on it.
        run: the run.
        against: run to compare with: an id or a part of it, `baseline`, `parent` or `best`; by default the first of
            these three that there is.
        metric: metric and split; by default the headline if it has tables.
        most: most entries of each list.

    Raises:
        NotFound: the run kept no tables of single predictions, or no run has the id to compare with.
        UsageError: there is no such run to compare with.
        LedgerError: git cannot read the branch.
    """
    group = choose_group(run, metric)
    tables = read_metric_tables(run, ledger.read_blob, group) if group else None
    if group is None or tables is None:
        what = f" of `{metric}`" if metric else ""
        raise NotFound(
            f"this run kept no tables of single predictions{what}: `{run.record.id}`",
            hint="in its script: run.predictions(truth, predicted, confidence=…, slices=…, samples=ids)",
        )
    other, word = _reference(ledger, contents, run, group, against)
    theirs = read_metric_tables(other, ledger.read_blob, group) if other and group.dataset_hash else None
    reference = Reference(other, word, theirs) if other else None
    versions = versions_until(contents.datasets, group.dataset_hash)
    baseline = contents.baselines().get(run.record.experiment)
    points = find_weak_points(
        run, tables, reference, versions, baseline=baseline.record.id if baseline else None, most=most
    )
    names = {version.name for version in versions}
    stories = case_stories([case for case in contents.cases if case.dataset in names], contents.runs)
    broken = [story.case.id for story in stories if run.record.id in story.broken_by]
    return with_guesses(run, replace(points, cases=broken[:most]), contents.datasets)


def weak_points_of_id(
    ledger: Branch, short: str, against: str | None = None, *, metric: str | None = None, most: int = MOST
) -> WeakPoints:
    """Return the weak points of the run that an id, or a part of it, names; as `weak_points_of`.

    Raises:
        NotFound: no run has such an id, or it kept no tables of single predictions.
        UsageError: there is no such run to compare with.
        LedgerError: git cannot read the branch.
    """
    (run,) = find_runs(ledger, [short])
    return weak_points_of(ledger, ledger.contents(), run, against, metric=metric, most=most)


def _reference(
    ledger: Branch, contents: Contents, run: StoredRun, group: GroupId, against: str | None
) -> tuple[StoredRun | None, str]:
    """Return the run to compare with, and what it is; none by default where there is none.

    Raises:
        UsageError: the one that was named does not exist, or is the run itself.
    """
    if against not in {None, "baseline", "parent", "best"}:
        (other,) = find_runs(ledger, [against or ""])
        if other.record.id == run.record.id:
            raise UsageError(f"a run cannot be compared with itself: `{run.record.id}`", hint="--against another RUN")
        return other, "given"
    for word in ("baseline", "parent", "best") if against is None else (against,):
        found = _named(ledger, contents, run, group, word)
        if found is not None and found.record.id != run.record.id:
            return found, word
    if against is None:
        return None, ""
    raise UsageError(f"this run has no {against} to compare with: `{run.record.id}`", hint="--against RUN")


def _named(ledger: Branch, contents: Contents, run: StoredRun, group: GroupId, word: str) -> StoredRun | None:
    record = run.record
    if word == "parent":
        return contents.run(record.parent) if record.parent else None
    if word == "baseline":
        named = contents.run(record.baseline) if record.baseline else None
        return named or contents.baselines().get(record.experiment)
    return _best(read_peers(ledger, [run], group.key).runs, run, group) if counts(run) else None


def _best(runs: Sequence[StoredRun], run: StoredRun, group: GroupId) -> StoredRun | None:
    tried = gather(runs, only={group}).get(group)
    if tried is None:
        return None
    try:
        best = best_other(run.record.id, tried)
    except LedgerError:
        return None
    return next((one for one in runs if one.record.id == best), None)
