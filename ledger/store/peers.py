"""Which runs a judgement needs: the repeats, the best, and how many settings were tried; few of them are read."""

from collections.abc import Collection, Sequence

from ledger.analysis.judging import Identity
from ledger.analysis.settings import is_seed
from ledger.analysis.sortable import sortable
from ledger.model.entries import Contents, Run
from ledger.model.values import Document
from ledger.store.index import ask
from ledger.store.index_query import Fact, Index, NotInSql
from ledger.store.ledger import Ledger

MOST_REPEATS_READ = 300
"""Runs of repeated settings that are read for the noise floor, newest first: 200 degrees of freedom are plenty."""
_ENDS = 3
"""Settings with one run that are read at either end of the order, so that the best is among what was read."""
_INFINITE = {sortable(float("inf")), sortable(float("-inf")), sortable(float("nan"))}


class Peers(Document, frozen=True, kw_only=True):
    """What was tried beside a run."""

    runs: tuple[Run, ...]
    """The runs that were read, oldest first."""
    unread: dict[Identity, int]
    """Comparable group to how many more settings were tried in it."""


class _Row(Document, frozen=True, kw_only=True):
    run: str
    value: str
    identity: Identity


def read_peers(ledger: Ledger, runs: Sequence[Run], key: str, *, everything: bool = False) -> Peers:
    """Return the peers of runs in a metric, the runs and their repeats always among them.

    Args:
        ledger: where they are.
        runs: what is judged, and against what.
        key: metric and split.
        everything: read every run that has the metric.

    Raises:
        LedgerError: git cannot read the branch.
    """

    def question(index: Index) -> Peers | None:
        try:
            return _peers(index, {run.record.id for run in runs}, key)
        except NotInSql:
            return None

    found = None if everything else ask(ledger, question)
    if found is not None:
        return found
    having = (run for run in ledger.contents().runs if any(metric.key == key for metric in run.metrics()))
    return Peers(runs=tuple(having), unread={})


def read_baseline(ledger: Ledger, experiment: str) -> Run | None:
    """Return the run that an experiment is compared with, none where nobody said or it was retracted.

    Raises:
        LedgerError: git cannot read the branch.
    """

    def question(index: Index) -> Contents:
        return Contents(tip=None, runs=tuple(index.runs_of(index.spoken_of("notes", experiment))))

    contents = ask(ledger, question) or ledger.contents()
    return contents.baselines().get(experiment)


def _peers(index: Index, wanted: Collection[str], key: str) -> Peers:
    """Read what has repeats, what stands at the ends, and what was measured again; count the rest.

    Runs that differ in nothing the index knows but their seeds may still be other settings: the code that was not
    committed, the training data. So they are read, and told apart as `settings_of` does.
    """
    alike: dict[tuple[object, ...], list[_Row]] = {}
    groups = index.groups()
    again = set(index.spoken_of("evaluations"))
    for run, facts in index.facts(f"metrics.{key}"):
        number, value = facts.get(f"group.{key}"), facts.get(f"metrics.{key}")
        if facts.get("retracted") != _TRUE and isinstance(number, int) and isinstance(value, str):
            content, evaluator = groups.get(number, ("", ""))
            alike.setdefault(_choice(facts), []).append(
                _Row(run=run, value=value, identity=(key, content, evaluator)),
            )
    read: set[str] = set(wanted)
    unread: list[_Row] = []
    left = MOST_REPEATS_READ
    for rows in reversed(alike.values()):
        named = {row.run for row in rows}
        if named & again or named & read or (len(rows) > 1 and left >= len(rows)):
            left -= len(rows) if not named & read else 0
            read |= named
        else:
            unread.append(sorted(rows, key=lambda row: row.value)[len(rows) // 2])
    finite: dict[Identity, list[_Row]] = {}
    for row in unread:
        if row.value not in _INFINITE:
            finite.setdefault(row.identity, []).append(row)
    for rows in finite.values():
        rows.sort(key=lambda row: row.value)
        ends = [row.run for row in (*rows[:_ENDS], *rows[-_ENDS:])]
        read |= {row.run for whole in alike.values() if any(one.run in ends for one in whole) for row in whole}
    counted: dict[Identity, int] = {}
    for row in unread:
        if row.run not in read:
            counted[row.identity] = counted.get(row.identity, 0) + 1
    return Peers(runs=tuple(index.runs_of(sorted(read))), unread=counted)


_TRUE = sortable(True)


def _choice(facts: dict[str, Fact]) -> tuple[object, ...]:
    """Return what a person chose, as far as the index knows."""
    params = sorted(
        (name, str(value)) for name, value in facts.items() if name.startswith("params.") and not is_seed(name)
    )
    return facts.get("commit"), facts.get("dirty"), tuple(params)
