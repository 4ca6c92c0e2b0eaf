"""Runs in MLflow's store of files, `mlruns`: a folder for each experiment, and in it one for each run.

Format: `mlflow/store/tracking/file_store.py` (https://github.com/mlflow/mlflow), seen in 3.17. A metric is a file of
lines `timestamp value step`, whose name may have slashes; experiments that were deleted lie in `.trash`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ledger.errors import LedgerError
from ledger.formats.scalar import Scalar
from ledger.formats.stores.store_files import (
    files_below,
    files_in,
    folders_in,
    is_inside,
    read_store_bytes,
    read_store_text,
)
from ledger.formats.stores.store_values import number_in, param_in, status_of_open, text_of
from ledger.formats.trackers.foreign_run import ForeignDataset, ForeignRun
from ledger.formats.trackers.mlflow_database import (
    TAG_NAMES,
    final_values,
    free_tags,
    last_seen,
    moment_in_milliseconds,
)
from ledger.formats.yaml_file import load_yaml
from ledger.model.values import Status, counted

_META = "meta.yaml"
_MOST_META = 1 << 20
_MOST_VALUE = 1 << 20
"""Bytes of a param or tag at most."""
_STATUSES: dict[object, Status] = {
    3: "finished", 4: "failed", 5: "killed", "FINISHED": "finished", "FAILED": "failed", "KILLED": "killed",
}  # fmt: skip
"""`RunStatus` in `mlflow/protos/service.proto`; stores of before 2019 have words."""
_MILLISECONDS = 1000


class _RunFolder(NamedTuple):
    """A run's folder."""

    path: Path
    meta: dict[str, object]
    losses: list[str]


def is_mlflow_files(path: Path) -> bool:
    """Return whether a folder is a store of MLflow, or holds one named `mlruns`."""
    return any(_is_experiment(folder) for root in (path, path / "mlruns") for folder in _experiments(root))


def read_mlflow_files(path: Path) -> Iterator[ForeignRun]:
    """Yield the runs of a store of files: experiment by experiment, and in each by start.

    Raises:
        LedgerError: it is no store of MLflow.
    """
    if not is_mlflow_files(path):
        raise LedgerError(f"it is no `mlruns` folder of MLflow: `{path}`")
    root = path if any(map(_is_experiment, _experiments(path))) else path / "mlruns"
    for folder in _experiments(root):
        if _is_experiment(folder):
            yield from _runs(folder, in_trash=folder.parent != root)


def _experiments(root: Path) -> list[Path]:
    return [*(folder for folder in folders_in(root) if folder.name != ".trash"), *folders_in(root / ".trash")]


def _is_experiment(folder: Path) -> bool:
    meta = folder / _META
    try:
        return b"experiment_id" in read_store_bytes(meta, _MOST_META)
    except LedgerError:
        return False


def _runs(experiment: Path, *, in_trash: bool) -> Iterator[ForeignRun]:
    meta, _ = _read_meta(experiment)
    name = str(meta.get("name", experiment.name))
    deleted = in_trash or meta.get("lifecycle_stage") == "deleted"
    folders = [
        _RunFolder(folder, *_read_meta(folder))
        for folder in folders_in(experiment)
        if any((folder / part).exists() for part in (_META, "metrics", "params"))
        and folder.name not in {"datasets", "models", "traces"}
    ]
    for folder in sorted(folders, key=lambda found: (str(found.meta.get("start_time", "")), found.path.name)):
        yield _run(folder, experiment, name, deleted=deleted)


def _read_meta(folder: Path) -> tuple[dict[str, object], list[str]]:
    try:
        found = load_yaml(read_store_text(folder / _META, _MOST_META), _META)
    except LedgerError as error:
        return {}, [error.message.replace(str(folder / _META), _META)]
    return (found, []) if isinstance(found, dict) else ({}, [f"{_META} is no mapping"])


def _run(folder: _RunFolder, experiment: Path, name: str, *, deleted: bool) -> ForeignRun:
    losses = list(folder.losses)
    meta = folder.meta
    tags = _texts(folder.path / "tags", losses)
    scalars = list(_scalars(folder.path / "metrics", losses))
    if files_in(folder.path / "artifacts") or folders_in(folder.path / "artifacts"):
        losses.append("artifacts")
    started = moment_in_milliseconds(meta.get("start_time"))
    source = tags.get(TAG_NAMES["source"]) or text_of(meta.get("source_name"))
    return ForeignRun(
        id=folder.path.name,
        name=tags.get(TAG_NAMES["name"]) or text_of(meta.get("run_name")),
        experiment=name,
        status=_STATUSES.get(_hashable(meta.get("status"))) or status_of_open(last_seen(started, scalars)),
        started_at=started,
        ended_at=moment_in_milliseconds(meta.get("end_time")),
        author=tags.get(TAG_NAMES["user"]) or text_of(meta.get("user_id")),
        params={key: param_in(text) for key, text in _texts(folder.path / "params", losses).items()},
        scalars=scalars,
        metrics=final_values(scalars),
        datasets=list(_datasets(folder.path / "inputs", experiment / "datasets")),
        tags=free_tags(tags),
        note=tags.get(TAG_NAMES["note"]) or None,
        parent=tags.get(TAG_NAMES["parent"]) or None,
        commit=tags.get(TAG_NAMES["commit"]) or text_of(meta.get("source_version")),
        command=[source] if source else [],
        deleted=deleted or meta.get("lifecycle_stage") == "deleted",
        losses=losses,
    )


def _hashable(value: object) -> object:
    return value if isinstance(value, int | str) else None


def _texts(folder: Path, losses: list[str]) -> dict[str, str]:
    """Return what the files of a folder say, by name; a file that cannot be read is a loss."""
    found: dict[str, str] = {}
    for path in files_below(folder):
        name = path.relative_to(folder).as_posix()
        try:
            found[name] = read_store_text(path, _MOST_VALUE)
        except LedgerError as error:
            losses.append(f"{folder.name}/{name}: {error.message.partition(': `')[0]}")
    return found


def _scalars(folder: Path, losses: list[str]) -> Iterator[Scalar]:
    for path in files_below(folder):
        name = path.relative_to(folder).as_posix()
        try:
            text = read_store_text(path)
        except LedgerError as error:
            losses.append(f"metrics/{name}: {error.message.partition(': `')[0]}")
            continue
        *lines, rest = text.split("\n")  # a line that a writer has not ended may be half a number
        points = [point for line in lines if (point := _point(name, line))]
        if broken := len(lines) + bool(rest) - len(points):
            losses.append(f"{counted(broken, 'line')} of metrics/{name} without a point")
        yield from sorted(points, key=lambda point: point.time or 0)


def _point(name: str, line: str) -> Scalar | None:
    time, value, step, *_ = [*line.split(" "), "", "", ""][:3]
    seconds, number = number_in(time), number_in(value)
    place = 0 if step == "" else number_in(step)
    if seconds is None or number is None or place is None or not float(place).is_integer():
        return None
    return Scalar(name, int(place), seconds / _MILLISECONDS, number)


def _datasets(inputs: Path, datasets: Path) -> Iterator[ForeignDataset]:
    for folder in folders_in(inputs):
        given, _ = _read_meta(folder)
        source, tags = given.get("source_id"), given.get("tags")
        if not isinstance(source, str) or not is_inside(source) or "/" in source:
            continue
        dataset, _ = _read_meta(datasets / source)
        name, digest = dataset.get("name"), dataset.get("digest")
        if name is not None:
            context = tags.get(TAG_NAMES["context"]) if isinstance(tags, dict) else None
            yield ForeignDataset(
                name=str(name), digest=None if digest is None else str(digest), context=text_of(context)
            )
