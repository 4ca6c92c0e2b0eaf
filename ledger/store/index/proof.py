"""Holds the index against git: what it shows of runs, and all of it.

It is derived, and lies where whoever can write to this clone can change it. So what ranks or judges is made again from
git for the runs that are shown, and `ledger verify` makes the whole of it again.
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
"""Runs that are made again for one answer: what a screen shows, at 0.2 ms each."""

_Row = dict[str, object]


def is_proved(database: sqlite3.Connection, repository: Repository, tip: str, ids: Sequence[str]) -> bool:
    """Say whether the index says of runs what git says of them.

    Args:
        database: the index, at `tip`.
        repository: where the records are.
        tip: commit of the branch.
        ids: the runs; the first of them are looked at.

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
        later = database.execute(f"SELECT path, blob, run, kind FROM later WHERE run IN ({marks})", asked)  # noqa: S608  # question marks
        again.executemany("INSERT INTO later VALUES (?, ?, ?, ?)", later)
        write_runs(again, repository, folders)
        return _rows(database, asked) == _rows(again, asked)


def differing(ledger: Branch, tip: str) -> list[str] | None:
    """Return the runs and statements of which the index in this clone says something else than git.

    None where there is no index of this commit: it is brought up to date before it answers.

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
        return None  # a damaged one is made anew when it is asked


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
        found |= {f"{row[0]}": row for row in database.execute(f"SELECT * FROM {table}")}  # noqa: S608  # our own names
    return found


def _rows(database: sqlite3.Connection, ids: Sequence[str] | None) -> dict[str, _Row]:
    """Return what the index says of runs, by their ids, with the numbers that stand for names and groups resolved."""
    where = "" if ids is None else f" WHERE id IN ({', '.join('?' * len(ids))})"
    given = tuple(ids or ())
    groups = {number: tuple(group) for number, *group in database.execute("SELECT * FROM groups")}
    columns = "id, place, folder, files, facts, words, said, cells"
    asked = f"SELECT {columns} FROM runs LEFT JOIN names USING (named){where}"  # noqa: S608  # our own names
    rows: dict[str, _Row] = {}
    for run, place, folder, files, facts, words, said, cells in database.execute(asked, given):
        rows[run] = {
            "row": (place, folder, words, said, cells),
            "files": msgspec.json.decode(files),
            "facts": dict(_resolved(msgspec.json.decode(facts, type=dict[str, object]), groups)),
        }
    of_run = "" if ids is None else f" WHERE run IN ({', '.join('?' * len(ids))})"
    for run, *settled in database.execute(f"SELECT * FROM settled{of_run}", given):  # noqa: S608  # our own names
        rows.setdefault(run, {})["settled"] = tuple(settled)
    again: dict[str, set[tuple[object, ...]]] = {}
    for metric, run, number, value in database.execute(f"SELECT * FROM again{of_run}", given):  # noqa: S608  # our own names
        again.setdefault(run, set()).add((metric, groups.get(number), value))
    for run, measured in again.items():
        rows.setdefault(run, {})["again"] = measured
    return rows


def _resolved(facts: Mapping[str, object], groups: Mapping[int, tuple[object, ...]]) -> Iterable[tuple[str, object]]:
    for name, value in facts.items():
        yield name, groups.get(value) if name.startswith("group.") and isinstance(value, int) else value
