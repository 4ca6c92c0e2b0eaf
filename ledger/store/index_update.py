"""Brings the tables of the index from one commit of the branch to another: all of it, or what differs."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import msgspec

from ledger.analysis.comparable import group_of
from ledger.analysis.fields import fields_of, metrics_of
from ledger.analysis.sortable import sortable, sortable_items
from ledger.analysis.words import words_of
from ledger.errors import LedgerError
from ledger.model import paths
from ledger.model.boxes import Metric
from ledger.model.entries import Evaluation, Note, Problem, Run
from ledger.model.record import Record
from ledger.model.values import Document
from ledger.repository.repository import Repository
from ledger.repository.walk import read_difference
from ledger.store.reader import about_no_run, by_time, kind_of, load_entry, said_at, split_run

SCHEMA = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID",
    # `facts` is JSON of field to sortable text; `group.KEY` in it names the comparable group of a metric.
    (
        "CREATE TABLE runs (number INTEGER PRIMARY KEY, id TEXT UNIQUE, place TEXT, folder TEXT UNIQUE,"
        " files TEXT, facts TEXT, words TEXT)"
    ),
    "CREATE INDEX runs_by_place ON runs (place)",
    "CREATE INDEX runs_by_end ON runs (substr(id, 17))",
    "CREATE TABLE later (path TEXT PRIMARY KEY, blob TEXT, run TEXT)",
    "CREATE INDEX later_by_run ON later (run)",
    "CREATE TABLE problems (path TEXT PRIMARY KEY, run TEXT, message TEXT)",
    "CREATE INDEX problems_by_run ON problems (run)",
    "CREATE TABLE groups (number INTEGER PRIMARY KEY, said TEXT UNIQUE)",
    "CREATE TABLE fields (name TEXT PRIMARY KEY, number INTEGER)",
)
"""The tables of the index, and the indexes that every question needs."""

_FOLDERS_ASKED = 500
"""Folders of runs that are listed by name; beyond it listing the whole tree costs less than naming them."""


class _Changes(Document, frozen=True, kw_only=True):
    """What to do to the tables."""

    folders: dict[str, dict[str, str]]
    """Folder of a run that was touched to its files as they are now; none when it is gone."""
    documents: dict[str, str | None]
    """Path of another document that was touched to its blob; none when it is gone."""


def update(database: sqlite3.Connection, repository: Repository, old: str | None, new: str) -> None:
    """Bring the tables from commit `old` to `new`, inside the caller's transaction.

    Raises:
        LedgerError: git cannot read the commit.
    """
    changes = _difference(repository, old, new) if old else None
    if changes is None:
        for table in ("runs", "later", "problems"):
            database.execute(f"DELETE FROM {table}")  # noqa: S608  # one of our own names
        changes = _everything(repository, new)
    runs = _write_documents(database, repository, changes.documents)
    folders = changes.folders
    for folder in folders:
        database.execute("DELETE FROM runs WHERE folder = ?", (folder,))
        database.execute("DELETE FROM problems WHERE path = ?", (f"{folder}/{paths.RECORD_FILE}",))
        runs.add(folder.rpartition("/")[2])
    _write_runs(database, repository, folders | _stored_folders(database, runs, folders))
    _write_homeless(database, runs)


def _everything(repository: Repository, tip: str) -> _Changes:
    folders: dict[str, dict[str, str]] = {}
    documents: dict[str, str | None] = {}
    for file in repository.read_tree(tip):
        folder, name = split_run(file.path)
        if folder:
            folders.setdefault(folder, {})[name] = file.blob
        elif kind_of(file.path) is not None:
            documents[file.path] = file.blob
    return _Changes(folders=folders, documents=documents)


def _difference(repository: Repository, old: str, new: str) -> _Changes | None:
    if repository.resolve(old) is None:
        return None  # a gc took it, or the index is another clone's: all is read anew
    differing = read_difference(repository, old, new)
    touched: dict[str, dict[str, str]] = {}
    documents: dict[str, str | None] = {}
    for change in differing:
        folder, _ = split_run(change.path)
        if folder:
            touched[folder] = {}
        elif kind_of(change.path) is not None:
            documents[change.path] = None if change.status == "D" else change.blob
    if touched:
        for file in repository.read_tree(new, list(touched) if len(touched) <= _FOLDERS_ASKED else ()):
            folder, name = split_run(file.path)
            if folder in touched:
                touched[folder][name] = file.blob
    return _Changes(folders=touched, documents=documents)


def _write_documents(
    database: sqlite3.Connection, repository: Repository, documents: Mapping[str, str | None]
) -> set[str]:
    """Write what is no record, and return the runs that it is and was about."""
    about: set[str] = set()
    for path in documents:
        about.update(run for (run,) in database.execute("SELECT run FROM later WHERE path = ?", (path,)))
        database.execute("DELETE FROM later WHERE path = ?", (path,))
        database.execute("DELETE FROM problems WHERE path = ?", (path,))
    present = [(path, blob, kind) for path, blob in documents.items() if blob and (kind := kind_of(path))]
    contents = repository.read_objects(blob for _, blob, _ in present)
    for (path, blob, kind), data in zip(present, contents, strict=True):
        entry = load_entry(path, data, kind)
        if isinstance(entry, Problem):
            _write_problem(database, entry)
        elif isinstance(entry, Evaluation | Note):
            database.execute("INSERT INTO later VALUES (?, ?, ?)", (path, blob, entry.run))
            about.add(entry.run)
    return about


def _stored_folders(
    database: sqlite3.Connection, runs: Iterable[str], known: Mapping[str, object]
) -> dict[str, dict[str, str]]:
    """Return folder and files of runs whose own folder was not touched."""
    found = {}
    for run in runs:
        for folder, files in database.execute("SELECT folder, files FROM runs WHERE id = ?", (run,)).fetchall():
            if folder not in known:
                found[folder] = msgspec.json.decode(files, type=dict[str, str])
                database.execute("DELETE FROM runs WHERE folder = ?", (folder,))
    return found


def _write_runs(database: sqlite3.Connection, repository: Repository, folders: Mapping[str, Mapping[str, str]]) -> None:
    groups: dict[str, int] = dict(database.execute("SELECT said, number FROM groups"))
    insert = "INSERT INTO runs (id, place, folder, files, facts, words) VALUES (?, ?, ?, ?, ?, ?)"
    for found in read_runs(repository, _with_later(database, folders)):
        if isinstance(found, Problem):
            _write_problem(database, found)
        else:
            database.execute(insert, _row(found, groups))
    database.executemany("INSERT OR IGNORE INTO groups (said, number) VALUES (?, ?)", groups.items())


def _with_later(
    database: sqlite3.Connection, folders: Mapping[str, Mapping[str, str]]
) -> list[tuple[str, Mapping[str, str], list[tuple[str, str]]]]:
    later = "SELECT path, blob FROM later WHERE run = ?"
    (any_later,) = database.execute("SELECT EXISTS (SELECT 1 FROM later)").fetchone()
    return [
        (folder, files, database.execute(later, (folder.rpartition("/")[2],)).fetchall() if any_later else [])
        for folder, files in folders.items()
        if paths.RECORD_FILE in files
    ]


def read_runs(
    repository: Repository, wanted: Iterable[tuple[str, Mapping[str, str], list[tuple[str, str]]]]
) -> Iterator[Run | Problem]:
    """Yield the run of each folder, or what is wrong with its record.

    Args:
        repository: where the objects are.
        wanted: folder, file name to blob id, and path and blob id of each later statement.

    Raises:
        LedgerError: git fails on the way; a later statement is missing.
    """
    listed = list(wanted)
    blobs = (blob for _, files, later in listed for blob in (files[paths.RECORD_FILE], *(blob for _, blob in later)))
    contents = repository.read_objects(blobs)
    for folder, files, later in listed:
        record = load_entry(f"{folder}/{paths.RECORD_FILE}", next(contents), Record)
        said = []
        for path, _ in later:
            kind = kind_of(path)
            entry = load_entry(path, next(contents), kind) if kind else None
            if not isinstance(entry, Evaluation | Note):
                raise LedgerError(f"a statement about a run cannot be read: `{path}`")
            said.append(entry)
        if isinstance(record, Record):
            said.sort(key=said_at)
            evaluations = tuple(entry for entry in said if isinstance(entry, Evaluation))
            notes = tuple(entry for entry in said if isinstance(entry, Note))
            yield Run(record=record, path=folder, files=files, evaluations=evaluations, notes=notes)
        elif isinstance(record, Problem):
            yield record


def _row(run: Run, groups: dict[str, int]) -> tuple[str, str, str, str, str, str]:
    facts: dict[str, str | list[str] | int | None] = {
        name: sortable_items(value) if isinstance(value, list) else sortable(value)
        for name, value in fields_of(run).items()
    }
    for key, metric in metrics_of(run).items():
        said = _say_group(metric.dataset_hash, metric.evaluator, metric.dataset, metric.direction)
        facts[f"group.{key}"] = groups.setdefault(said, len(groups) + 1)
    second, started, run_id = by_time(run)
    place = f"{second} {sortable(started.timestamp())} {run_id}"
    files = msgspec.json.encode(run.files).decode()
    return run_id, place, run.path, files, msgspec.json.encode(facts).decode(), " ".join(words_of(run))


@lru_cache(maxsize=1024)
def _say_group(content: str | None, evaluator: str | None, label: str | None, direction: str | None) -> str:
    """Return a comparable group, as `group_of` makes it, as JSON: few groups stand in many runs."""
    group = group_of(Metric(name="", value=0.0, dataset=label, dataset_hash=content, evaluator=evaluator))
    return msgspec.json.encode([group.dataset_hash, group.evaluator, group.dataset, direction]).decode()


def _write_homeless(database: sqlite3.Connection, runs: Iterable[str]) -> None:
    """Write a problem for every statement about a run that is not there, and remove those of runs that came."""
    for run in runs:
        database.execute("DELETE FROM problems WHERE run = ?", (run,))
        if not database.execute("SELECT 1 FROM runs WHERE id = ?", (run,)).fetchone():
            for (path,) in database.execute("SELECT path FROM later WHERE run = ?", (run,)).fetchall():
                _write_problem(database, about_no_run(path, run), run)


def _write_problem(database: sqlite3.Connection, problem: Problem, run: str | None = None) -> None:
    database.execute("INSERT OR REPLACE INTO problems VALUES (?, ?, ?)", (problem.path, run, problem.message))
