"""Runs in the databases of Trackio, one a project, read without Trackio.

Format: `trackio/sqlite_storage.py` (https://github.com/gradio-app/trackio), seen in 0.43. Rows and configs are JSON in
blobs, in which `"NaN"` and `"Infinity"` are texts; names with `_` are its own. It does not keep how a run ended.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ledger.errors import LedgerError
from ledger.formats.stores.series_rows import SeriesRows
from ledger.formats.stores.store_database import Row, StoreDatabase, id_batches, open_store_database
from ledger.formats.stores.store_files import files_in
from ledger.formats.stores.store_values import load_mapping, moment_in, step_of, text_of
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.model.values import counted

_TABLES = ("metrics", "configs")
_LOST = {
    "system_metrics": "measurements of the machine", "traces": "traces", "alerts": "alerts",
    "run_artifact_links": "artifacts",
}  # fmt: skip
"""Tables of which no record of ours has a place for the rows."""


def is_trackio_database(path: Path) -> bool:
    """Return whether a file is a database of Trackio, or a folder holds one."""
    return any(map(_is_database, _files(path)))


def read_trackio_database(path: Path) -> Iterator[ForeignRun]:
    """Yield the runs of a database of Trackio, or of all in its folder, by project and the start of their configs.

    Raises:
        LedgerError: there is none, or one is damaged or locked by a writer.
    """
    files = [file for file in _files(path) if _is_database(file)]
    if not files:
        raise LedgerError(f"it is no database of Trackio: `{path}`", hint="name its folder, which is TRACKIO_DIR")
    for file in files:
        with open_store_database(file) as database:
            yield from _runs(database, file.stem)


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [file for file in files_in(path) if file.suffix == ".db"]


def _is_database(path: Path) -> bool:
    try:
        with open_store_database(path) as database:
            return {"run_name", "metrics"} <= database.columns("metrics") and bool(database.columns("configs"))
    except LedgerError:
        return False


def _runs(database: StoreDatabase, project: str) -> Iterator[ForeignRun]:
    key = "run_id" if "run_id" in database.columns("metrics") else "run_name"
    configs = {row[0]: row for row in database.rows("configs", (key, "run_name", "config", "created_at"), order="id")}
    counts = database.counts("metrics", key)
    lost = {label: database.counts(table, key) for table, label in _LOST.items() if key in database.columns(table)}
    for batch in id_batches(dict.fromkeys([*configs, *counts]), counts):
        rows: dict[object, list[Row]] = defaultdict(list)
        for row in database.rows_of("metrics", (key, "run_name", "step", "timestamp", "metrics"), batch, "id"):
            rows[row[0]].append(row)
        for id_ in batch:
            losses = [label for label, known in lost.items() if known.get(id_)]
            yield _run(str(id_), project, configs.get(id_), rows[id_], losses)


def _run(id_: str, project: str, config: Row | None, rows: list[Row], losses: list[str]) -> ForeignRun:
    series = SeriesRows()
    broken = 0
    for _, _, step, time, values in rows:
        number, moment, found = step_of(step), moment_in(time), _mapping(values)
        if number is None or found is None:
            broken += 1
        else:
            series.add(found, number, None if moment is None else moment.timestamp())
    params = _mapping(config[2]) if config else {}
    names = [text_of(row[1]) for row in ([config] if config else []) + rows[:1]]
    group = text_of((params or {}).get("_Group"))
    return ForeignRun(
        id=id_,
        name=next((name for name in names if name), None),
        experiment=project,
        started_at=_started(params or {}, config, rows),
        author=text_of((params or {}).get("_Username")),
        params={name: value for name, value in (params or {}).items() if not name.startswith("_")},
        scalars=series.scalars,
        tags=[f"group={group}"] if group else [],
        losses=[
            *series.losses(),
            *([f"{counted(broken, 'row')} of no values"] if broken else []),
            *([] if params is not None else ["params, as they are no JSON"]),
            *losses,
            "how it ended, which Trackio does not keep",
        ],
    )


def _started(params: dict[str, object], config: Row | None, rows: list[Row]) -> datetime | None:
    times = (params.get("_Created"), *(row[3] for row in rows[:1]), config[3] if config else None)
    return next((moment for time in times if (moment := moment_in(time))), None)


def _mapping(value: object) -> dict[str, object] | None:
    try:
        return load_mapping(value, "row") if isinstance(value, str | bytes) else None
    except LedgerError:
        return None
