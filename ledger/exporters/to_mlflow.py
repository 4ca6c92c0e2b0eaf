"""Runs as a store of files of MLflow, `mlruns`, which MLflow's own `migrate-filestore` takes into a database.

Written without MLflow. Format: `mlflow/store/tracking/file_store.py` (https://github.com/mlflow/mlflow), seen in 3.17.
MLflow's interface cannot do this: it gives new ids, and the times of today.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, count

import msgspec

from ledger.exporters.exported_run import Exported, ExportedRun, number_of, param_text
from ledger.hashing import hash_bytes
from ledger.model.boxes.inputs import DatasetUse
from ledger.model.record import Record
from ledger.model.values import Status

_STATUSES: dict[Status, int] = {"finished": 3, "pruned": 3, "failed": 4}
"""`RunStatus` in `mlflow/protos/service.proto`; every other end is 5, KILLED."""
_KILLED = 5
_NAME = re.compile(r"[^A-Za-z0-9_\-. :/]")
_LONGEST_PARAM = 6_000
_LONGEST_NAME = 250
_LONGEST_DIGEST = 36
"""Characters at most, in `mlflow/store/tracking/__init__.py`."""


def to_mlflow(runs: Sequence[ExportedRun]) -> Exported:
    """Return runs as a store of files of MLflow; runs keep their times, and get ids made of theirs."""
    losses: dict[str, None] = {}
    files: dict[str, bytes] = {}
    for experiment in dict.fromkeys(run.record.experiment for run in runs):
        created = min(_milliseconds(run.record) for run in runs if run.record.experiment == experiment)
        files[f"mlruns/{_experiment_id(experiment)}/meta.yaml"] = _yaml({
            "artifact_location": f"mlruns/{_experiment_id(experiment)}",
            "creation_time": created,
            "experiment_id": _experiment_id(experiment),
            "last_update_time": created,
            "lifecycle_stage": "active",
            "name": experiment,
        })  # fmt: skip
    for run in runs:
        files |= _run_files(run, losses)
    return Exported(
        files=files,
        losses=list(losses),
        next="mlflow migrate-filestore --source mlruns --target sqlite:///mlflow.db",
    )


def mlflow_id(run: str) -> str:
    """Return the id that a run has in MLflow: 32 hexadecimal digits of the hash of its own."""
    return _digits(f"run {run}")


def _experiment_id(name: str) -> str:
    return str(int(_digits(f"experiment {name}")[:15], 16)).rjust(18, "1")[:18]


def _digits(text: str) -> str:
    return hash_bytes(text.encode()).partition(":")[2][:32]


def _milliseconds(record: Record) -> int:
    return round(record.timing.started_at.timestamp() * 1000)


def _run_files(run: ExportedRun, losses: dict[str, None]) -> dict[str, bytes]:
    record = run.record
    home = f"mlruns/{_experiment_id(record.experiment)}"
    folder = f"{home}/{mlflow_id(record.id)}"
    files = {f"{folder}/meta.yaml": _yaml(_meta(record, folder))}
    if record.status not in {"finished", "failed", "killed"}:
        losses["ends that MLflow does not know: interrupted, preempted, lost and pruned"] = None
    params, metrics, tags = _Names(losses), _Names(losses), _Names(losses)
    for name, value in record.params.values.items():
        text = param_text(value)
        files[f"{folder}/params/{params.of(name)}"] = text[:_LONGEST_PARAM].encode()
        if len(text) > _LONGEST_PARAM:
            losses[f"the end of params longer than {_LONGEST_PARAM:,} characters"] = None
    for name, lines in _series(run):
        files[f"{folder}/metrics/{metrics.of(name)}"] = "".join(lines).encode()
    for name, text in _tags(record):
        files[f"{folder}/tags/{tags.of(name)}"] = text.encode()
    for number, use in enumerate(record.datasets.used):
        files |= _dataset_files(home, folder, use, record, number, losses)
    if any(point.epoch is not None for point in run.points):
        losses["epochs of points"] = None
    losses["which dataset version and evaluator a metric was measured with"] = None
    losses["code patch, hardware, environment, cost, model, log, figures and tables"] = None
    losses["what was found and not stated looks like the rest"] = None
    return files


def _meta(record: Record, folder: str) -> dict[str, object]:
    ended = round(record.timing.ended_at.timestamp() * 1000)
    return {
        "artifact_uri": f"{folder}/artifacts",
        "end_time": ended,
        "entry_point_name": "",
        "experiment_id": _experiment_id(record.experiment),
        "lifecycle_stage": "active",
        "run_id": mlflow_id(record.id),
        "run_name": record.id,
        "run_uuid": mlflow_id(record.id),
        "source_name": "",
        "source_type": 4,
        "source_version": "",
        "start_time": _milliseconds(record),
        "status": _STATUSES.get(record.status, _KILLED),
        "tags": [],
        "user_id": record.author.name,
    }


def _series(run: ExportedRun) -> Iterator[tuple[str, list[str]]]:
    """Yield each series and each final value as lines of time, value and step."""
    begun, record = _milliseconds(run.record), run.record
    ended = round(record.timing.ended_at.timestamp() * 1000)
    series: dict[str, list[str]] = {}
    for place, point in enumerate(run.points):
        time = ended if point.seconds is None else begun + round(point.seconds * 1000)
        step = place if point.step is None else point.step
        for name, value in point.values.items():
            series.setdefault(name, []).append(f"{time} {value!r} {step}\n")
    for metric in record.results.metrics:
        name = metric.said or metric.key
        if metric.origin != "curve" or name not in series:
            series.setdefault(metric.key, []).append(f"{ended} {number_of(metric.value)!r} {metric.step or 0}\n")
    yield from series.items()


def _tags(record: Record) -> Iterator[tuple[str, str]]:
    yield "mlflow.runName", record.id
    yield "mlflow.user", record.author.name
    if record.note:
        yield "mlflow.note.content", record.note
    if record.code.commit:
        yield "mlflow.source.git.commit", record.code.commit.removeprefix("git:")
    if record.command:
        yield "mlflow.source.name", " ".join(record.command)
    if record.parent:
        yield "mlflow.parentRunId", mlflow_id(record.parent)
    for tag in record.tags:
        name, _, value = tag.partition("=")
        yield name, value


def _dataset_files(
    home: str, folder: str, use: DatasetUse, record: Record, number: int, losses: dict[str, None]
) -> dict[str, bytes]:
    content = (use.hash or "").rpartition(":")[2]
    if len(content) > _LONGEST_DIGEST:
        losses[f"all but {_LONGEST_DIGEST} characters of the hash of a dataset"] = None
    dataset = _digits(f"dataset {use.label} {use.hash}")
    given = _digits(f"input {record.id} {number}")
    return {
        f"{home}/datasets/{dataset}/meta.yaml": _yaml({
            "digest": content[:_LONGEST_DIGEST] or "unknown",
            "name": use.label,
            "profile": None,
            "schema": None,
            "source": "{}",
            "source_type": "local",
        }),
        f"{folder}/inputs/{given}/meta.yaml": _yaml({
            "destination_id": mlflow_id(record.id),
            "destination_type": "RUN",
            "source_id": dataset,
            "source_type": "DATASET",
            "tags": {"mlflow.data.context": use.role},
        }),
    }  # fmt: skip


class _Names:
    """Names of the files of one kind: with the characters that MLflow takes, and each a file of its own.

    Args:
        losses: receives what the names lose.
    """

    def __init__(self, losses: dict[str, None]) -> None:
        self._losses = losses
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def of(self, text: str) -> str:
        """Return the next name; none leads out of its folder."""
        safe = "/".join(part for part in _NAME.sub("_", text)[:_LONGEST_NAME].split("/") if part.strip(". "))
        if safe != text:
            self._losses["characters of names other than letters, digits, `_-. :/`, and more than 250"] = None
        flat = safe.replace("/", "_") or "unnamed"
        name = next(name for name in chain([safe or flat], (f"{flat}_{n}" for n in count(2))) if self._is_free(name))
        if name not in {safe, "unnamed"}:
            self._losses["names that would be one file there, such as `a` and `a/b`: they get a number"] = None
        self._files.add(name)
        self._folders |= _folders(name)
        return name

    def _is_free(self, name: str) -> bool:
        return name not in self._files and name not in self._folders and not _folders(name) & self._files


def _folders(name: str) -> set[str]:
    """Return the folders that a name with slashes lies in."""
    return {name[:at] for at, letter in enumerate(name) if letter == "/"}


def _yaml(values: dict[str, object]) -> bytes:
    # JSON is YAML 1.2, and every text is quoted: no name can become something else.
    lines = [f"{name}: {msgspec.json.encode(value).decode()}\n" for name, value in sorted(values.items())]
    return "".join(lines).encode()
