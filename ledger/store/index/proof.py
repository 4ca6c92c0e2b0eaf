"""Comparison of the index with git: for the runs of an answer, or in full.

The index is a cache that anybody with write access to this clone can change. So an answer that ranks or judges is
checked against git for the runs that it shows, and `ledger verify` rebuilds the whole of it.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing

import msgspec

from ledger.model import paths
from ledger.model.ids import is_id
from ledger.repository.repository import Repository
from ledger.store.branch.branch import Branch
from ledger.store.branch.reader import split_run
from ledger.store.index.file import FILE, is_ours, remembered
from ledger.store.index.update import SCHEMA, update, write_runs

MOST = 100
"""Most runs that are checked for one answer: what fits on a screen, at 0.2 ms each."""

_Row = dict[str, object]


def is_proved(database: sqlite3.Connection, repository: Repository, tip: str, ids: Sequence[str]) -> bool:
    """Return whether the index agrees with git about runs.

    Args:
        database: the index, at `tip`.
        repository: where the records are.
        tip: commit of the branch.
        ids: ids of the runs; only the first of them are checked.

    Raises:
        LedgerError: git cannot read one.
    """
    asked = [run for run in dict.fromkeys(ids) if is_id(run)][:MOST]
    if not asked:
        return True
    folders: dict[str, dict[str, str]] = {paths.run_path(run): {} for run in asked}
    for file in repository.read_tree(tip, [f"{folder}/" for folder in folders]):
        folder, name = split_run(file.path)
        if folder in folders:
            folders[folder][name] = file.blob
    with closing(_in_memory()) as again:
        marks = ", ".join("?" * len(asked))
        later = database.execute(f"SELECT path, blob, run, kind FROM later WHERE run IN ({marks})", asked)  # noqa: S608  # only question marks
        again.executemany("INSERT INTO later VALUES (?, ?, ?, ?)", later)
        write_runs(again, repository, folders)
        return _rows(database, asked) == _rows(again, asked)


def differing(ledger: Branch, tip: str) -> list[str] | None:
    """Return the runs and statements about which the index of this clone contradicts git.

    None where there is no index of this commit: it is updated before it answers.

    Raises:
        LedgerError: git cannot read the branch.
    """
    file = ledger.repository.state_dir / FILE
    if not file.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database, closing(_in_memory()) as again:
            if not is_ours(database) or remembered(database, "tip") != tip:
                return None
            update(again, ledger, None, tip)
            return sorted(_unlike(_all(database), _all(again)))
    except sqlite3.Error:
        return None  # a damaged index is made anew by the next question


def _in_memory() -> sqlite3.Connection:
    database = sqlite3.connect(":memory:", isolation_level=None)
    for statement in SCHEMA:
        database.execute(statement)
    return database


def _unlike(one: Mapping[str, object], other: Mapping[str, object]) -> Iterator[str]:
    yield from (name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _all(database: sqlite3.Connection) -> dict[str, object]:
    found: dict[str, object] = dict(_rows(database, None))
    for table in ("later", "problems"):
        found |= {f"{row[0]}": row for row in database.execute(f"SELECT * FROM {table}")}  # noqa: S608  # the names are our own
    return found


def _rows(database: sqlite3.Connection, ids: Sequence[str] | None) -> dict[str, _Row]:
    """Return the content of the index on runs, by id, with ids of names and groups resolved."""
    where = "" if ids is None else f" WHERE id IN ({', '.join('?' * len(ids))})"
    given = tuple(ids or ())
    groups = {number: tuple(group) for number, *group in database.execute("SELECT * FROM groups")}
    columns = "id, place, folder, files, facts, words, said, cells"
    asked = f"SELECT {columns} FROM runs LEFT JOIN names USING (named){where}"  # noqa: S608  # the names are our own
    rows: dict[str, _Row] = {}
    for run, place, folder, files, facts, words, said, cells in database.execute(asked, given):
        rows[run] = {
            "row": (place, folder, words, said, cells),
            "files": msgspec.json.decode(files),
            "facts": dict(_resolved(msgspec.json.decode(facts, type=dict[str, object]), groups)),
        }
    of_run = "" if ids is None else f" WHERE run IN ({', '.join('?' * len(ids))})"
    for run, *settled in database.execute(f"SELECT * FROM settled{of_run}", given):  # noqa: S608  # the names are our own
        rows.setdefault(run, {})["settled"] = tuple(settled)
    for run, *spent in database.execute(f"SELECT * FROM spent{of_run}", given):  # noqa: S608  # the names are our own
        rows.setdefault(run, {})["spent"] = tuple(spent)
    again: dict[str, set[tuple[object, ...]]] = {}
    for metric, run, number, value in database.execute(f"SELECT * FROM again{of_run}", given):  # noqa: S608  # the names are our own
        again.setdefault(run, set()).add((metric, groups.get(number), value))
    for run, measured in again.items():
        rows.setdefault(run, {})["again"] = measured
    return rows


def _resolved(facts: Mapping[str, object], groups: Mapping[int, tuple[object, ...]]) -> Iterable[tuple[str, object]]:
    for name, value in facts.items():
        yield name, groups.get(value) if name.startswith("group.") and isinstance(value, int) else value
