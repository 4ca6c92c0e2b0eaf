"""Queries on the index: filters and orders become SQL; the runs of the answer are read from git."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TypeVar

import msgspec

from ledger.analysis.hosts.day_sums import DaySums
from ledger.analysis.query.language import Condition, Every, Not, Phrase, Query, Some, metrics_named
from ledger.analysis.query.names import Names
from ledger.analysis.query.order_warnings import warn_of_filter
from ledger.analysis.query.sort_keys import ranges, read_back, sortable
from ledger.analysis.query.table import Line
from ledger.errors import LedgerError
from ledger.model.entries import Problem, StoredRun
from ledger.repository.repository import Repository
from ledger.store.index.order import Sql, order_rows, read_filter_groups, read_lines, read_numbers
from ledger.store.index.scores import Standing, count_headlines, read_standings
from ledger.store.index.spent import CostGroup, CostSum, sum_amounts, sum_costs
from ledger.store.index.update import read_runs
from ledger.store.index.watched import read_watched

T = TypeVar("T")

_FIELDS_KEPT = 64
"""Most fields with columns and indexes of their own; fields of later questions are searched without."""
_TIMES = {"started", "ended"}
_LISTS = {"tags", "dataset", "chain"}
_ASKED = 500
"""Most rows that one statement names."""


class Index:
    """The index at one commit.

    Args:
        database: open and up to date, in a transaction that keeps it unchanged.
        repository: where the records are.
        splits: returns other names of splits, called when one is queried.
    """

    def __init__(
        self,
        database: sqlite3.Connection,
        repository: Repository,
        splits: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._database = database
        self._repository = repository
        self._splits = splits
        database.create_function("says", 2, _matches, deterministic=True)
        database.create_function("fact", 2, _fact, deterministic=True)

    def is_empty(self) -> bool:
        """Return whether there is no run at all."""
        return not read_numbers(self._database, "SELECT 1 FROM runs LIMIT 1")

    @cached_property
    def names(self) -> Names:
        """The fields that names in a query can mean."""
        return Names((field for (field,) in self._database.execute("SELECT field FROM held")), self._splits())

    def problems(self) -> tuple[Problem, ...]:
        """The paths that could not be read, each with the reason."""
        rows = self._database.execute("SELECT path, message FROM problems ORDER BY path")
        return tuple(Problem(path=path, message=message) for path, message in rows)

    def matching(self, short: str) -> list[str]:
        """Return the ids that start with a text, or whose last part does, in order; all of them for the empty text."""
        short = short.encode("utf-8", "replace").decode()  # what is not text is part of no id
        end = f"{short}\U0010ffff"
        rows = self._database.execute(
            "SELECT id FROM runs WHERE (id >= ? AND id < ?)"
            " OR (substr(id, 17) >= ? AND substr(id, 17) < ?) ORDER BY id",
            (short, end, short, end),
        )
        return [run for (run,) in rows]

    def runs_of(self, ids: Sequence[str]) -> list[StoredRun]:
        """Return the runs with these whole ids, in the order given.

        Raises:
            LedgerError: git cannot read one.
        """
        asked = "SELECT number FROM runs WHERE id = ?"
        return self._read([number for run in ids for number in read_numbers(self._database, asked, [run])])

    def noted(self, experiment: str) -> list[str]:
        """Return the runs of an experiment that have notes, oldest first."""
        rows = self._database.execute(
            "SELECT DISTINCT id FROM later JOIN runs ON id = run WHERE path >= 'notes/' AND path < 'notes0'"
            " AND json_extract(facts, '$.experiment') = ? ORDER BY id",
            (sortable(experiment),),
        )
        return [run for (run,) in rows]

    def select(
        self, query: Query | None, sort: str | None, *, reverse: bool, limit: int | None
    ) -> tuple[list[StoredRun], str | None]:
        """Return the matching runs, newest first or sorted by a field, up to a limit, and a warning.

        A metric is sorted best first within each comparable group, the group with the newest run first: numbers
        measured on different dataset versions are never put into one order, and those of unknown data into that of
        time. Runs that do not count come after all that do; runs without the field come last.

        Raises:
            UsageError: no run has the metric to sort by.
            LedgerError: git cannot read a record.
        """
        numbers, warning = self._order(query, sort, reverse=reverse, limit=limit)
        return self._read(numbers), warning

    def select_parts(
        self, query: Query | None, convert: Callable[[Sequence[StoredRun]], T], size: int
    ) -> tuple[list[T], str | None]:
        """Return what a function makes of the matching runs, oldest first, some at a time, and a warning.

        Raises:
            LedgerError: git cannot read a record.
        """
        numbers, warning = self._order(query, None, reverse=True, limit=None)
        parts = [convert(self._read(numbers[start : start + size])) for start in range(0, len(numbers), size)]
        return parts, warning

    def select_lines(
        self, query: Query | None, sort: str | None, *, reverse: bool, limit: int | None
    ) -> tuple[list[Line], str | None]:
        """Return the rows of the runs that `select` would return, and its warning; git is not asked.

        Raises:
            UsageError: no run has the metric to sort by.
        """
        numbers, warning = self._order(query, sort, reverse=reverse, limit=limit)
        return read_lines(self._database, numbers), warning

    def filter_warnings(self, query: Query | None) -> list[str]:
        """Return how names in a query were interpreted, and why comparisons in it mean less than they seem to.

        Raises:
            UsageError: no field has one of its names, or several have.
        """
        if query is None or self.is_empty():
            return []
        resolved, warnings = self.names.resolve(query)
        where = self._where(resolved)
        for key in metrics_named(resolved):
            warning = warn_of_filter(key, read_filter_groups(self._database, self._column, where, key))
            warnings += [warning] if warning else []
        return warnings

    def standings(self, key: str, query: Query | None) -> list[Standing]:
        """Return the scores of the matching runs for a metric, by comparable group.

        Raises:
            UsageError: no field has a name in the query, or several have.
        """
        return list(read_standings(self._database, self._column, self._passing(query), key))

    def headlines(self, query: Query | None) -> dict[str, int]:
        """Return how many of the matching runs have each metric as their headline.

        Raises:
            UsageError: no field has a name in the query, or several have.
        """
        return count_headlines(self._database, self._passing(query))

    def costs(self, by: CostGroup, query: Query | None = None) -> list[CostSum]:
        """Return what the matching runs cost, by group and currency.

        Raises:
            UsageError: nothing has a name in the query, or several have.
        """
        return list(sum_costs(self._database, by, self._passing(query)))

    def amounts(self, by: CostGroup, only: str | None = None) -> list[CostSum]:
        """Return what all runs cost, or those of the one group that is named: amounts, and nothing else."""
        return list(sum_amounts(self._database, by, only))

    def host_days(self, first: str | None, last: str | None) -> list[DaySums]:
        """Return the days of watched hosts between two days, both included."""
        return list(read_watched(self._database, first, last))

    def fields(self, names: Sequence[str]) -> list[str]:
        """Return the fields that names mean, in the form for `field_value`; the names unchanged where there is no run.

        Raises:
            UsageError: no field has one of the names, or several have.
        """
        return list(names) if self.is_empty() else [self.names.read(name).field for name in names]

    def _order(
        self, query: Query | None, sort: str | None, *, reverse: bool, limit: int | None
    ) -> tuple[list[int], str | None]:
        if self.is_empty():
            return [], None
        where = self._passing(query)
        meaning = self.names.read(sort) if sort is not None else None
        field = meaning.field if meaning else None
        numbers, warning = order_rows(self._database, self._column, where, field, reverse=reverse, limit=limit)
        said = [meaning.warning if meaning else None, warning]
        return numbers, "; ".join(filter(None, said)) or None

    def _passing(self, query: Query | None) -> Sql:
        if query is None or self.is_empty():
            return "1", []
        return self._where(self.names.resolve(query)[0])

    def _where(self, query: Query) -> Sql:
        match query:
            case Condition():
                return self._comparison(query)
            case Phrase():
                self._index_words()
                return "number IN (SELECT rowid FROM spoken WHERE spoken MATCH ?)", [f'"{" ".join(query.words)}" *']
            case Every() | Some():
                parts = [self._where(part) for part in query.parts]
                joined = (" AND " if isinstance(query, Every) else " OR ").join(f"({text})" for text, _ in parts)
                return joined, [argument for _, arguments in parts for argument in arguments]
            case Not():
                text, arguments = self._where(query.part)
                return f"NOT coalesce(({text}), 0)", arguments

    def _comparison(self, query: Condition) -> Sql:
        column = self._column(query.field)
        if query.operator == "~":
            return f"says({column}, ?)", [query.value.lower()]
        if query.operator == "!=":
            text, arguments = self._comparison(msgspec.structs.replace(query, operator="="))
            return f"NOT coalesce(({text}), 0)", arguments
        found = ranges(query.operator, query.value, time=query.field in _TIMES)
        arguments = [end for pair in found for end in pair]
        parts = []
        if query.field not in _LISTS:
            parts += [f"({column} >= ? AND {column} < ?)"] * len(found)
        if query.field in _LISTS or query.field.startswith("params."):
            # A list is JSON in the column; no single value begins like one.
            items = f"json_each(CASE WHEN {column} >= '[' AND {column} < '\\' THEN {column} ELSE '[]' END)"
            inside = " OR ".join(["(value >= ? AND value < ?)"] * len(found))
            parts.append(f"({column} >= '[' AND {column} < '\\' AND EXISTS (SELECT 1 FROM {items} WHERE {inside}))")  # noqa: S608  # the expressions are our own
            arguments = arguments * len(parts) if len(parts) == 1 else [*arguments, *arguments]
        return " OR ".join(parts), arguments

    def _column(self, field: str) -> str:
        """Return the column of a field, created with its indexes on first use."""
        if not field.isprintable() or '"' in field or "\\" in field:  # no JSON path of SQLite can name it
            return f"fact(facts, x'{field.encode('utf-8', 'backslashreplace').hex()}')"
        row = self._database.execute("SELECT number FROM fields WHERE name = ?", (field,)).fetchone()
        if row:
            return f"f{row[0]}"
        expression = f"""json_extract(facts, '$."{field.replace("'", "''")}"')"""
        (count,) = self._database.execute("SELECT count(*) FROM fields").fetchone()
        if count >= _FIELDS_KEPT:
            return expression
        self._database.execute("SAVEPOINT making")
        try:
            column = f"f{count}"
            self._database.execute(f"ALTER TABLE runs ADD COLUMN {column} GENERATED ALWAYS AS ({expression}) VIRTUAL")
            self._database.execute(f"CREATE INDEX {column}_by_place ON runs ({column}, place)")
            if field.startswith("group."):
                value = self._column(f"metrics.{field.removeprefix('group.')}")
                self._database.execute(f"CREATE INDEX {column}_by_value ON runs ({column}, {value}, id)")
            self._database.execute("INSERT INTO fields VALUES (?, ?)", (field, count))
        except sqlite3.OperationalError as error:
            with suppress(sqlite3.OperationalError):
                self._database.execute("ROLLBACK TO making")
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_ERROR:
                raise
            return expression  # another process is writing: query without a column
        finally:
            with suppress(sqlite3.OperationalError):
                self._database.execute("RELEASE making")
        return column

    def _index_words(self) -> None:
        """Create the full-text index when words are first searched; triggers keep it up to date from then on."""
        if self._database.execute("SELECT 1 FROM sqlite_master WHERE name = 'spoken'").fetchone():
            return
        for statement in _WORDS:
            self._database.execute(statement)

    def _read(self, numbers: Sequence[int]) -> list[StoredRun]:
        found: dict[int, tuple[str, dict[str, str], list[tuple[str, str]]]] = {}
        for start in range(0, len(numbers), _ASKED):
            named = ", ".join(str(number) for number in numbers[start : start + _ASKED])
            rows = self._database.execute(f"SELECT number, id, folder, files FROM runs WHERE number IN ({named})")  # noqa: S608  # whole numbers
            for number, run, folder, files in rows.fetchall():
                later = self._database.execute("SELECT path, blob FROM later WHERE run = ? ORDER BY path", (run,))
                found[number] = folder, msgspec.json.decode(files, type=dict[str, str]), later.fetchall()
        runs = []
        for run in read_runs(self._repository, (found[number] for number in numbers)):
            if isinstance(run, Problem):
                raise LedgerError(f"a record cannot be read any more: `{run.path}`")
            runs.append(run)
        return runs


_WORDS = (
    # Words are made in Python, lower-cased and separated by spaces, so the plainest tokenizer splits them the same way.
    "CREATE VIRTUAL TABLE spoken USING fts5 (words, content = 'runs', content_rowid = 'number', tokenize = 'ascii')",
    "INSERT INTO spoken (spoken) VALUES ('rebuild')",
    (
        "CREATE TRIGGER spoken_come AFTER INSERT ON runs BEGIN"
        " INSERT INTO spoken (rowid, words) VALUES (new.number, new.words); END"
    ),
    (
        "CREATE TRIGGER spoken_go AFTER DELETE ON runs BEGIN"
        " INSERT INTO spoken (spoken, rowid, words) VALUES ('delete', old.number, old.words); END"
    ),
)
"""A full-text index without a copy of the text: https://www.sqlite.org/fts5.html#external_content_tables."""


def _fact(facts: str, field: bytes) -> str | int | None:
    value = msgspec.json.decode(facts).get(field.decode())
    return msgspec.json.encode(value).decode() if isinstance(value, list) else value


def _matches(column: str | None, wanted: str) -> bool:
    if column is None:
        return False
    if column.startswith("["):
        return any(item and wanted in read_back(item).lower() for item in msgspec.json.decode(column))
    return wanted in read_back(column).lower()
