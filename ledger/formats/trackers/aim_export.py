"""Runs that were exported from Aim as CSV: its own store needs Aim to be read.

Aim has no export, but its SDK makes data frames, which pandas writes: `Run.dataframe()` gives a row a run, and
`Metric.dataframe(include_run=True, include_name=True, include_context=True)` a row a point
(https://github.com/aimhubio/aim, `aim/sdk/run.py` and `aim/sdk/sequences/metric.py`, seen in 3.29). An empty value is
NaN there; times of points are local, without their zone; a point overwrites an earlier one of the same step.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from ledger.errors import LedgerError
from ledger.formats.scalar import Scalar
from ledger.formats.stores.store_files import files_in
from ledger.formats.stores.store_values import (
    load_json,
    moment_in,
    moment_of,
    number_in,
    param_in,
    status_of_open,
    step_of,
)
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.formats.trackers.table_file import TableRow, read_table_text, table_rows
from ledger.model.values import counted

_POINT = {"run.hash", "metric.name", "step", "value"}
_RUN = {"hash", "creation_time", "experiment", "active"}
_PROPERTIES = {*_RUN, "name", "description", "archived", "end_time", "tags", ""}
_PARAM, _CONTEXT = "run.", "metric.context."
_FOLDER = "hparams."
"""Where Aim's own adapters keep params."""
_NOTHING = {"", "<ObjectFlag>"}
"""Cells without a value; the latter is what Aim writes for an empty mapping."""
_OF_THE_MACHINE = "__system__"
_ZONE = "the time zone of its points, which was taken from this machine"

_Cells = dict[str, str]


def is_aim_export(path: Path) -> bool:
    """Return whether a file is a table of runs or points of Aim, or a folder holds one."""
    return any(_kind(file) for file in _files(path))


def read_aim_export(path: Path) -> Iterator[ForeignRun]:
    """Yield the runs of an export, in its order: a table of runs, one of points, or a folder with both.

    Raises:
        LedgerError: it is none, or cannot be read.
    """
    kinds = [(kind, file) for file in _files(path) if (kind := _kind(file))]
    if not kinds:
        raise LedgerError(
            f"it holds no runs that were exported from Aim as CSV: `{path}`",
            hint="write Run.dataframe() and Metric.dataframe(include_run=True, include_name=True, include_context=True)"
            " to CSV, after `aim storage reindex`",
        )
    losses: list[str] = []
    runs: dict[str, _Cells] = {}
    points: dict[str, list[_Cells]] = {}
    for kind, file in kinds:
        for row in table_rows(read_table_text(file), str(file), losses):
            cells = _texts(row)
            id_ = cells.get("hash" if kind == "runs" else "run.hash", "")
            if id_ and kind == "runs":
                runs[id_] = cells
            elif id_:
                points.setdefault(id_, []).append(cells)
    for id_ in dict.fromkeys([*runs, *points]):
        yield _run(id_, runs.get(id_), points.get(id_, []), losses)


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [file for file in files_in(path) if file.suffix == ".csv"]


def _kind(file: Path) -> str | None:
    """Return `runs` or `points` for a table of Aim."""
    try:
        with file.open("rb") as opened:
            names = {name.strip('"') for name in opened.readline(1 << 20).decode("utf-8-sig").strip().split(",")}
    except (OSError, UnicodeDecodeError):
        return None
    return "points" if names >= _POINT else "runs" if names >= _RUN else None


def _texts(row: TableRow) -> _Cells:
    return {name: cell for name, cell in row.cells.items() if isinstance(cell, str)}


def _run(id_: str, run: _Cells | None, points: Sequence[_Cells], losses: Sequence[str]) -> ForeignRun:
    cells = run or {}
    own = {name: cell for name, cell in cells.items() if name not in _PROPERTIES}
    given = own or {name.removeprefix(_PARAM): cell for point in points[:1] for name, cell in point.items()
                    if name.startswith(_PARAM) and name != "run.hash"}  # fmt: skip
    scalars = [scalar for point in points if (scalar := _scalar(point)) is not None]
    machine = sum(point.get("metric.name", "").startswith(_OF_THE_MACHINE) for point in points)
    broken = len(points) - len(scalars) - machine
    ended = _moment(cells.get("end_time"))
    latest = moment_of(max((scalar.time for scalar in scalars if scalar.time is not None), default=None))
    return ForeignRun(
        id=id_,
        name=None if cells.get("name") == f"Run: {id_}" else cells.get("name") or None,
        experiment=cells.get("experiment") or None,
        status="finished" if ended is not None else status_of_open(latest or _moment(cells.get("creation_time"))),
        started_at=_moment(cells.get("creation_time")),
        ended_at=ended,
        params={name.removeprefix(_FOLDER): _param(cell) for name, cell in given.items() if cell not in _NOTHING},
        scalars=scalars,
        tags=_tags(cells.get("tags", "")),
        note=cells.get("description") or None,
        deleted=cells.get("archived") == "True",
        losses=[
            *losses,
            *([f"{counted(broken, 'row')} without a point"] if broken else []),
            *(["measurements of the machine"] if machine else []),
            *([_ZONE] if scalars else []),
        ],
    )


def _scalar(point: _Cells) -> Scalar | None:
    name, step = point.get("metric.name", ""), number_in(point.get("step", ""))
    value = number_in(point.get("value") or "nan")
    place = None if step is None else step_of(step)
    if name.startswith(_OF_THE_MACHINE) or value is None or place is None:
        return None
    moment = moment_in(point.get("time"), local=True)
    context = [cell for key, cell in sorted(point.items()) if key.startswith(_CONTEXT) and cell not in _NOTHING]
    return Scalar("/".join([*context, name]), place, None if moment is None else moment.timestamp(), value)


def _param(cell: str) -> object:
    if cell.startswith(("[", "{")):
        try:
            return load_json(cell, "param")
        except LedgerError:
            return cell
    return param_in(cell)


def _tags(cell: str) -> list[str]:
    try:
        found = load_json(cell, "tags")
    except LedgerError:
        return []
    return [str(tag) for tag in found] if isinstance(found, list) else []


def _moment(cell: str | None) -> datetime | None:
    return moment_of(number_in(cell)) if cell else None
