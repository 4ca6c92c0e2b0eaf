"""Runs in an export of Neptune, whose servers are gone: folders of Parquet files that neptune-exporter wrote.

Format: "Data layout on disk" in the README of https://github.com/neptune-ai/neptune-exporter: a folder a project, and
in it `RUN_part_N.parquet` with a row for each value. Part 0 is named last, so a run without it was not exported whole.
pyarrow reads them; it is an extra.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ledger.errors import LedgerError
from ledger.formats.scalar import Scalar
from ledger.formats.stores.store_files import files_in, folders_in
from ledger.formats.stores.store_values import moment_in, number_of, status_of_open, step_of, text_of
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.model.values import Status, counted, plain

_PART = re.compile(r"(?P<run>.+)_part_(?P<part>\d{1,6})\.parquet")
_MAGIC = b"PAR1"
_COLUMNS = (
    "project_id", "run_id", "attribute_path", "attribute_type", "step", "timestamp", "int_value", "float_value",
    "string_value", "bool_value", "datetime_value", "string_set_value",
)  # fmt: skip
_NEEDED = {"run_id", "attribute_path", "attribute_type"}
_ROWS_AT_ONCE = 50_000
_MOST_ROWS = 100_000_000
_MOST_BYTES = 8 << 30
"""Bytes that a file claims to have when unpacked, at most."""
_SERIES = "float_series"
_VALUES = {"float", "int", "string", "bool", "datetime", "string_set"}
_PARAMS = re.compile(r"(?:params|parameters|config|configs|hparams|hyperparameters|hyperparams|args)/(?P<name>.+)")
"""Names of folders in which people keep params."""
_OF_THE_MACHINE = ("monitoring/", "source_code/")

_Row = dict[str, object]


def is_neptune_export(path: Path) -> bool:
    """Return whether a folder is an export of Neptune, or a project of one."""
    return bool(_runs(path))


def read_neptune_export(path: Path) -> Iterator[ForeignRun]:
    """Yield the runs of an export, by project and run.

    Raises:
        LedgerError: it is none, pyarrow is missing, or a file is damaged.
    """
    runs = _runs(path)
    if not runs:
        raise LedgerError(f"it is no export of Neptune: `{path}`", hint="make one: neptune-exporter export")
    for parts in runs.values():
        yield _read([part for _, part in sorted(parts)])


def _runs(path: Path) -> dict[tuple[str, str], list[tuple[int, Path]]]:
    """Return the parts of runs, by folder and name of the run."""
    found: dict[tuple[str, str], list[tuple[int, Path]]] = {}
    for folder in (path, *folders_in(path), *folders_in(path / "data")):
        for file in files_in(folder):
            if (name := _PART.fullmatch(file.name)) and _has_magic(file):
                found.setdefault((str(folder), name["run"]), []).append((int(name["part"]), file))
    return found


def _has_magic(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def _read(parts: Sequence[Path]) -> ForeignRun:
    run = _Attributes()
    losses: list[str] = []
    for number, part in enumerate(parts):
        try:
            for row in _rows(part):
                run.add(row)
        except LedgerError as error:
            if number == 0:
                raise
            losses.append(error.message.replace(str(part), part.name))
    first = _PART.fullmatch(parts[0].name)
    if first is None or first["part"] != "0":
        losses.append("parts that were not exported")
    return run.run(first["run"] if first else parts[0].stem, losses)


def _rows(file: Path) -> Iterator[_Row]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise LedgerError(
            f"exports of Neptune need pyarrow, which is not installed: `{file}`",
            hint="pip install 'git-ledger[export]'",
        ) from None
    try:
        with parquet.ParquetFile(file, page_checksum_verification=True) as opened:
            names = set(opened.schema_arrow.names)
            metadata = opened.metadata
            claimed = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
            if not names >= _NEEDED or metadata.num_rows > _MOST_ROWS or claimed > _MOST_BYTES:
                raise LedgerError(f"it is no export of Neptune, or one too large to be read: `{file}`")
            columns = [name for name in _COLUMNS if name in names]
            for batch in opened.iter_batches(_ROWS_AT_ONCE, columns=columns, use_threads=False):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        said = plain(" ".join(str(error)[:120].split()))
        raise LedgerError(f"the file is damaged ({said}): `{file}`") from None


class _Attributes:
    """The attributes of a run, as its rows tell them."""

    def __init__(self) -> None:
        self._ids: tuple[str | None, str | None] = (None, None)
        self._values: dict[str, object] = {}
        self._scalars: list[Scalar] = []
        self._lost: Counter[tuple[str, str]] = Counter()

    def add(self, row: _Row) -> None:
        """Add a row."""
        path, kind = row.get("attribute_path"), row.get("attribute_type")
        if not isinstance(path, str) or not isinstance(kind, str):
            return
        self._ids = (text_of(row.get("project_id")) or self._ids[0], text_of(row.get("run_id")) or self._ids[1])
        if path.startswith(_OF_THE_MACHINE):
            self._lost[path.partition("/")[0], "value"] += 1
        elif kind == _SERIES:
            self._add_point(path, row)
        elif kind in _VALUES:
            self._values[path] = _value(row, kind)
        else:
            self._lost[path, kind] += 1

    def _add_point(self, path: str, row: _Row) -> None:
        value, step, time = number_of(row.get("float_value")), _step(row.get("step")), row.get("timestamp")
        if value is None or step is None:
            self._lost[path, "point between two steps" if value is not None else "point"] += 1
            return
        self._scalars.append(Scalar(path, step, _seconds(time), value))

    def run(self, name: str, losses: list[str]) -> ForeignRun:
        """Return the run.

        Args:
            name: its name in the export, where no row says its id.
            losses: what could not be read.
        """
        system = {path.removeprefix("sys/"): value for path, value in self._values.items() if path.startswith("sys/")}
        params, metrics = _divided(self._values)
        project, id_ = self._ids
        return ForeignRun(
            id=id_ or name,
            name=text_of(system.get("name")),
            experiment=project,
            status=_status(system),
            started_at=moment_in(system.get("creation_time")),
            author=text_of(system.get("owner")),
            params=params,
            scalars=sorted(self._scalars, key=lambda point: (point.tag, point.time or 0)),
            metrics=metrics,
            tags=[str(tag) for key in ("tags", "group_tags") for tag in _list(system.get(key))],
            note=text_of(system.get("description")),
            deleted=system.get("trashed") is True,
            losses=[
                *losses,
                *(f"`{path}`: {counted(count, kind.replace('_', ' '))}" for (path, kind), count in self._lost.items()),
            ],
        )


def _divided(values: dict[str, object]) -> tuple[dict[str, object], dict[str, float]]:
    """Return params and final values: Neptune has one kind of value, and only folders tell them apart."""
    params: dict[str, object] = {}
    metrics: dict[str, float] = {}
    for path, value in values.items():
        if path.startswith("sys/"):
            continue
        if found := _PARAMS.fullmatch(path):
            params[found["name"].replace("/", ".")] = value
        elif isinstance(value, float):
            metrics[path] = value
        else:
            params[path.replace("/", ".")] = value
    return params, metrics


def _status(system: dict[str, object]) -> Status:
    if system.get("failed") is True:
        return "failed"
    if str(system.get("state", "")).lower() in {"running", "active"}:
        return status_of_open(moment_in(system.get("ping_time")))
    return "finished"


def _value(row: _Row, kind: str) -> object:
    value = row.get(f"{kind}_value")
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC).isoformat()
    return [str(part) for part in value] if isinstance(value, list) else value


def _step(value: object) -> int | None:
    """Return a step; it is a decimal there, and none where it lies between two whole ones."""
    try:
        return step_of(float(value)) if value is not None else None  # type: ignore[arg-type]  # a decimal, or caught
    except (TypeError, ValueError, OverflowError):
        return None


def _seconds(time: object) -> float | None:
    return time.replace(tzinfo=time.tzinfo or UTC).timestamp() if isinstance(time, datetime) else None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
