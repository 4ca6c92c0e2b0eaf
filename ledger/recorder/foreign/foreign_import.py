"""The import of a store: its runs become records, many in one commit; those that are here already stay as they are."""

import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from ledger.errors import LedgerError
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.model.values import Document, counted, plain
from ledger.recorder.foreign.foreign_draft import content_of, foreign_draft
from ledger.recorder.message import TOOL
from ledger.recorder.record.draft import Draft
from ledger.recorder.record.recorder import build_entry
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry

_MOST_RUNS = 1_000
"""Most runs of one commit."""
_COMMIT = re.compile(r"[0-9a-f]{4,64}")
_IDS = 1 << 30
"""Ids of one second."""
_MOST_BYTES = 32 << 20
"""Most bytes of one commit."""

Progress = Callable[[int], None]
"""Receives how many runs are imported."""


class Import(Document, frozen=True, kw_only=True):
    """The result of an import."""

    added: list[str] = []
    """Ids here of the runs that were added."""
    known: int = 0
    """Number of runs that were here already."""
    changed: list[str] = []
    """Ids there of runs that were here already in another state: both are kept."""
    commits: list[str] = []
    """Commits that hold them."""
    deleted: int = 0
    """Number of runs that were deleted there and left out."""
    running: int = 0
    """Number of runs that may still be going on there, and were left out."""
    losses: dict[str, int] = {}
    """What could not be kept, with the number of runs that it concerns."""
    left_out: list[str] = []
    """What of the store is no run."""


def known_imports(ledger: Branch) -> dict[tuple[str, str], dict[str, str]]:
    """Return the runs that were imported before: by tracker and id there, the id here of each content."""
    known: dict[tuple[str, str], dict[str, str]] = {}
    for run in ledger.contents().runs:
        if (origin := run.record.imported) is not None:
            known.setdefault((origin.tracker, origin.id), {})[origin.content] = run.record.id
    return known


def drafts_of(
    ledger: Branch,
    runs: Iterable[ForeignRun],
    *,
    tracker: str,
    store: str,
    experiment: str | None = None,
    parents: dict[str, str] | None = None,
) -> Iterator[Draft]:
    """Yield the draft of each run; a parent comes to its children by the id that it has here.

    Args:
        ledger: ledger whose repository may hold the commits that runs name.
        runs: the runs as they were read.
        tracker: kind of their store.
        store: name of their store.
        experiment: experiment of all of them; that of the store by default.
        parents: ids here of runs that were imported before, by their ids there.
    """
    now = datetime.now(UTC)
    parents = dict(parents or {})
    asked: set[str] = set()
    commits: dict[str, str] = {}
    first = secrets.randbits(29)
    for place, run in enumerate(runs):
        if run.commit and run.commit not in asked and _COMMIT.fullmatch(run.commit):
            asked.add(run.commit)
            if (whole := ledger.repository.resolve(f"{run.commit}^{{commit}}")) is not None:
                commits[run.commit] = whole
        # Runs without a time keep the order of their store: their ids and moments here do.
        ordered = ((first + place) % _IDS << 2).to_bytes(4, "big") if run.started_at is None else b""
        made = foreign_draft(
            run,
            tracker=tracker,
            store=store,
            now=now + timedelta(microseconds=place),
            experiment=experiment,
            entropy=ordered,
            parents=parents,
            commits=commits,
        )
        parents[run.id] = made.id
        yield made


def import_runs(
    ledger: Branch,
    runs: Iterable[ForeignRun],
    *,
    tracker: str,
    store: Path,
    experiment: str | None = None,
    deleted: bool = False,
    progress: Progress | None = None,
) -> Import:
    """Add the runs of a store to the ledger; those that were imported before are left as they are.

    Args:
        ledger: ledger to append to.
        runs: the runs as they were read.
        tracker: kind of the store.
        store: path of the store.
        experiment: experiment of all of them; that of the store by default.
        deleted: take runs that were deleted there, too.
        progress: receives how many are done.

    Raises:
        LedgerError: the branch cannot be written; what was added before remains, and a further import goes on.
    """
    return _Importer(ledger, tracker, store, deleted=deleted, progress=progress).add(runs, experiment)


class _Importer:
    """One import, batch by batch."""

    def __init__(self, ledger: Branch, tracker: str, store: Path, *, deleted: bool, progress: Progress | None) -> None:
        self._ledger, self._tracker, self._store = ledger, tracker, store
        self._progress, self._takes_deleted = progress, deleted
        self._imported = known_imports(ledger)
        self._batch: list[Entry] = []
        self._bytes = self._known = self._deleted = self._running = 0
        self._added: list[str] = []
        self._changed: list[str] = []
        self._commits: list[str] = []
        self._losses: Counter[str] = Counter()

    def add(self, runs: Iterable[ForeignRun], experiment: str | None) -> Import:
        """Add the runs that are not here."""
        author = self._ledger.author()
        drafts = drafts_of(
            self._ledger,
            self._new(runs),
            tracker=self._tracker,
            store=self._store.name,
            experiment=experiment,
            parents={
                there: next(iter(here.values()))
                for (kind, there), here in self._imported.items()
                if kind == self._tracker
            },
        )
        for draft in drafts:
            entry, record = build_entry(self._ledger, draft, strict=False, author=author)
            self._batch.append(entry)
            self._bytes += sum(map(len, entry.files.values()))
            self._losses.update(set(record.imported.losses if record.imported else ()))
            if len(self._batch) == _MOST_RUNS or self._bytes > _MOST_BYTES:
                self._append()
        self._append()
        return Import(
            added=self._added,
            known=self._known,
            changed=self._changed,
            commits=self._commits,
            deleted=self._deleted,
            running=self._running,
            losses=dict(self._losses),
        )

    def _new(self, runs: Iterable[ForeignRun]) -> Iterator[ForeignRun]:
        """Yield the runs that are not here; count the others."""
        for run in runs:
            if run.deleted and not self._takes_deleted:
                self._deleted += 1
                continue
            if run.status == "running":  # its end is not known yet, and its content changes
                self._running += 1
                continue
            contents = self._imported.setdefault((self._tracker, run.id), {})
            content = content_of(run)
            if content in contents:
                self._known += 1
                continue
            self._changed += [run.id] if contents else []
            contents[content] = ""
            yield run

    def _append(self) -> None:
        """Add the runs so far in one commit."""
        if not self._batch:
            return
        files = {path: data for entry in self._batch for path, data in entry.files.items()}
        entry = msgspec.structs.replace(self._batch[0], files=files, message=self._message())
        try:
            self._commits.append(self._ledger.append(entry).commit)
        except LedgerError as error:
            done = f"{counted(len(self._added), 'run')} were added before" if self._added else "nothing was added"
            raise LedgerError(f"{error.message}; {done}", hint=error.hint or "run the import again") from error
        self._added += [one.id for one in self._batch]
        self._batch, self._bytes = [], 0
        if self._progress is not None:
            self._progress(len(self._added))

    def _message(self) -> str:
        if len(self._batch) == 1:
            return self._batch[0].message
        ids = sorted(entry.id for entry in self._batch)
        subject = f"import {counted(len(ids), 'run')} of {self._tracker}: {plain(self._store.name)}"
        return f"{subject}\n\nfrom {ids[0]} to {ids[-1]}\n\nLedger-Tool: {TOOL}\n"
