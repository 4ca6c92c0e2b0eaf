"""Runs in the `results.tsv` of loops in which an agent changes code, trains, and keeps or discards the change.

The convention is https://github.com/karpathy/autoresearch: tabs without quotes, one row a run, and a header that
decides what the columns are, since each project adds its own. The loops write zero where they have no value, so a zero
is none in a column of which lower is better, and in a row that crashed. What a loop decided is a remark and no rank.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ledger.errors import LedgerError
from ledger.formats.numbers import is_nothing, read_measured
from ledger.formats.stores.store_values import moment_in, param_in
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.formats.trackers.table_file import ResultsTable, TableIds, read_table_text, width_losses
from ledger.model.directions import known_direction
from ledger.model.values import listed, plain


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_IDS = ("run_id", "experiment", "experiment_id", "exp", "exp_id", "id", "run", "trial", "iteration", "iter")
_COMMITS = ("commit", "candidate_ref", "git_commit", "commit_hash", "sha")
_PARENTS = ("parent_ref", "parent", "parent_id", "parent_commit")
_NAMES = ("name", "run_name", "tag", "title")
_TIMES = ("timestamp", "time", "datetime", "date", "started_at", "created_at")
_STATED = ("metric_name", "metric_value", "metric_direction")
_KNOWN = {*_IDS, *_COMMITS, *_PARENTS, *_NAMES, *_TIMES, *_STATED, "failure_cause"}
_DECISIONS = _words("status decision correctness gate verdict outcome result cause agrees")
"""Words in names of columns that say how a run ended, or what the loop made of it."""
_MEASURES_OF_COST = _words(
    "memory mem vram mfu step steps params param batch time timestamp seconds sec minutes runtime budget seed tokens "
    "delta epoch epochs id index"
)
"""Words in names of numeric columns that no loop improves."""
_SETTINGS = _words("step steps params param batch budget seed depth width lr epoch epochs layers dim")
"""Words in names of numeric columns that are params."""
_CRASHES = _words("crash crashed crashes oom timeout error exception killed")
_FAILURES = _CRASHES | _words("fail failed failure diverged nan invalid blocked kill deferred aborted")
"""Words beside which a zero is no value; only those of a crash make a run with a value a failed one."""
_DIRECTIONS = {
    "max": "higher", "maximize": "higher", "higher": "higher", "min": "lower", "minimize": "lower", "lower": "lower",
}  # fmt: skip
_COMMIT = re.compile(r"[0-9a-f]{6,40}")
_WORD = re.compile(r"[a-z0-9]+")
_REMARKS = _words("description idea note notes comment hypothesis interpretation expected lesson")
_PROSE = 60
"""Characters from which a cell is prose, and its column a remark and no param."""
_SHOWN = 40
_FEWEST_COLUMNS = 3


class _Row(NamedTuple):
    line: int
    cells: dict[str, str]


class _Columns(NamedTuple):
    """What the columns of a table are."""

    metric: str | None
    """The one that the loop improves; none where each row names its own."""
    numeric: list[str]
    """The other numeric ones."""
    params: list[str]
    """Short texts."""
    remarks: list[str]
    """Decisions and prose."""


def is_results_table(path: Path) -> bool:
    """Return whether a file is a table of such a loop: a header with tabs, a run or commit, and a decision."""
    try:
        with path.open("rb") as file:
            names = file.readline(1 << 16).decode("utf-8-sig", "replace").strip().lower().split("\t")
    except OSError:
        return False
    known = any(name in names for name in (*_COMMITS, *_IDS))
    decided = any(_name_words(name) & _DECISIONS or name == "description" for name in names)
    return len(names) >= _FEWEST_COLUMNS and known and decided


def read_results_table(path: Path, metric: str | None = None) -> ResultsTable:
    """Return the runs of a table, by row.

    Args:
        path: the file.
        metric: name of the column that the loop improves; else the first numeric one that is no cost.

    Raises:
        LedgerError: it cannot be read, is no table with a header, or its metric has to be named.
    """
    names, rows, losses = _table(path)
    columns = _columns(path, names, rows, metric)
    ids = TableIds()
    known: dict[str, str] = {}
    runs = []
    for row in rows:
        id_ = ids.distinct(_first(row, _IDS) or _first(row, _COMMITS) or f"line {row.line}")
        runs.append(_run(row, id_, columns, known.get(_first(row, _PARENTS))))
        known |= {name: id_ for column in (*_IDS, *_COMMITS) if (name := row.cells.get(column))}
    return ResultsTable(runs, losses, columns.metric)


def _table(path: Path) -> tuple[list[str], list[_Row], list[str]]:
    """Return names of columns, rows, and losses."""
    text = read_table_text(path)
    lines = [(number, line.rstrip("\r")) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    header = lines[0][1] if lines else ""
    names = [_column_name(name.strip()) for name in header.lstrip("\ufeff").split("\t")]
    if len(names) < _FEWEST_COLUMNS or len(set(names)) < len(names):
        raise LedgerError(
            f"it is no results.tsv, whose first line names columns between tabs: `{path}`",
            hint="name the columns of another table: ledger import table",
        )
    rows: list[_Row] = []
    odd: list[int] = []
    for number, line in lines[1:]:
        cells = [cell.strip() for cell in line.split("\t")]
        while len(cells) > len(names) and not cells[-1]:
            cells.pop()
        if len(cells) == len(names) and line != header:
            rows.append(_Row(number, dict(zip(names, cells, strict=True))))
        elif line != header:
            odd.append(number)
    return names, rows, width_losses(odd, len(names))


def _column_name(name: str) -> str:
    """Return the name of a column, in lower case where it is one whose meaning is known."""
    return name.lower() if name.lower() in _KNOWN else name


def _columns(path: Path, names: Sequence[str], rows: Sequence[_Row], metric: str | None) -> _Columns:
    stated = set(_STATED) <= set(names)
    taken = {*_IDS, *_COMMITS, *_PARENTS, *_NAMES, *_TIMES, *(_STATED if stated else ())}
    numeric = [name for name in names if name not in taken and _is_numeric(name, rows)]
    if metric is not None and metric not in names:
        raise LedgerError(f"the table has no column `{plain(metric)}`: `{path}`", hint=f"it has: {listed(names, 30)}")
    chosen = metric
    if chosen is None and not stated:
        chosen = next((name for name in numeric if not _name_words(name) & _MEASURES_OF_COST), None)
    if chosen is None and not stated and rows:
        raise LedgerError(
            f"no column of the table is certainly its metric: `{path}`", hint=f"name one of them: {listed(names, 30)}"
        )
    texts = [name for name in names if name not in taken and name not in numeric and name != chosen]
    remarks = [name for name in texts if _name_words(name) & _DECISIONS or _is_prose(name, rows)]
    params = [name for name in texts if name not in remarks]
    return _Columns(chosen, [name for name in numeric if name != chosen], params, remarks)


def _run(row: _Row, id_: str, columns: _Columns, parent: str | None) -> ForeignRun:
    losses: list[str] = []
    failed = _is_failure(row, _FAILURES)
    metrics: dict[str, float] = {}
    params: dict[str, object] = {}
    name, cell, direction = _main_metric(row, columns)
    value = _value(name, cell, row, losses, zero_is_none=failed or direction == "lower")
    if value is not None:
        metrics[name] = value
    for other in columns.numeric:
        none = failed or value is None or known_direction(other) == "lower"
        found = _value(other, row.cells[other], row, [], zero_is_none=none)
        if found is not None and _name_words(other) & _SETTINGS:
            params[other] = param_in(row.cells[other])
        elif found is not None:
            metrics[other] = found
    params |= {text: param_in(row.cells[text]) for text in columns.params if not is_nothing(row.cells[text])}
    broken = _is_failure(row, _CRASHES) or (failed and value is None)
    commit = _first(row, _COMMITS).lower()
    return ForeignRun(
        id=id_,
        name=_first(row, _NAMES) or None,
        status="failed" if broken else "finished",
        reason=_reason(row) if broken else None,
        started_at=moment_in(_first(row, _TIMES)),
        params=params,
        metrics=metrics,
        directions=_directions(name, direction, columns),
        note=_note(row, columns),
        parent=parent,
        commit=commit if _COMMIT.fullmatch(commit) else None,
        losses=losses,
    )


def _main_metric(row: _Row, columns: _Columns) -> tuple[str, str, str | None]:
    """Return name, cell and direction of what a run was made to improve."""
    if columns.metric is not None:
        return columns.metric, row.cells[columns.metric], known_direction(columns.metric)
    name, cell, direction = (row.cells[column] for column in _STATED)
    return name, cell, _DIRECTIONS.get(direction.lower())


def _directions(name: str, direction: str | None, columns: _Columns) -> dict[str, str]:
    """Return the direction that the table states; one that only follows from a name is not stated."""
    return {name: direction} if columns.metric is None and direction else {}


def _value(name: str, cell: str, row: _Row, losses: list[str], *, zero_is_none: bool) -> float | None:
    if is_nothing(cell):
        return None
    said = read_measured(cell)
    if said.value is None or said.doubtful:
        losses.append(f"`{name}` is no number on line {row.line}: `{plain(cell[:_SHOWN])}`")
        return None
    if said.value == 0 and zero_is_none:
        losses.append(f"`{name}` is zero on line {row.line}, which stands for no value")
        return None
    return said.value


def _note(row: _Row, columns: _Columns) -> str | None:
    lines = [f"{name}: {row.cells[name]}" for name in columns.remarks if not is_nothing(row.cells[name])]
    return "\n".join(lines) or None


def _reason(row: _Row) -> str | None:
    if cause := row.cells.get("failure_cause"):
        return None if is_nothing(cause) else cause
    return next(
        (cell for name, cell in row.cells.items() if _is_decision(name) and _cell_words(cell) & _FAILURES), None
    )


def _is_failure(row: _Row, words: frozenset[str]) -> bool:
    return any(_is_decision(name) and _cell_words(cell) & words for name, cell in row.cells.items())


def _is_decision(name: str) -> bool:
    return bool(_name_words(name) & _DECISIONS)


def _is_numeric(name: str, rows: Sequence[_Row]) -> bool:
    cells = [cell for row in rows if not is_nothing(cell := row.cells[name])]
    return 2 * sum(read_measured(cell).value is not None for cell in cells) > len(cells)


def _is_prose(name: str, rows: Sequence[_Row]) -> bool:
    return bool(_name_words(name) & _REMARKS) or any(len(row.cells[name]) > _PROSE for row in rows)


def _first(row: _Row, names: Sequence[str]) -> str:
    return next((cell for name in names if not is_nothing(cell := row.cells.get(name, ""))), "")


def _name_words(name: str) -> frozenset[str]:
    return frozenset(_WORD.findall(name.lower()))


def _cell_words(cell: str) -> frozenset[str]:
    return frozenset(_WORD.findall(cell.lower()))
