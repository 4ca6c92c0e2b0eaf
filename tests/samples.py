"""A realistic ledger for tests: seeded, the same every time, with hostile strings in one corner."""

import hashlib
import random
from collections.abc import Callable
from datetime import timedelta

import msgspec

from ledger.model.boxes.inputs import Params
from ledger.model.boxes.outputs import Metric
from ledger.model.entries import Contents, DatasetVersion, LogEntry, Note, StoredRun
from ledger.model.hosts import GpuDay, Holder, HostDay
from ledger.model.ids import new_id
from ledger.model.paths import RECORD_FILE, run_path
from ledger.model.values import ParamValue
from tests.sample_boxes import AUTHORS, START, TOOL, TRAIN_HASH, V1_HASH, V2_HASH, sample_timing
from tests.sample_runs import HOSTILE, Blobs, digits_runs, hostile_run, keep_beside, sample_run
from tests.sample_tables import hostile_tables, sample_tables, with_tables
from tests.sample_versions import sample_answers, sample_cases, sample_leaks, sample_retirement, version_1, version_2

__all__ = [
    "AUTHORS",
    "HOSTILE",
    "START",
    "V2_HASH",
    "Blobs",
    "hostile_run",
    "keep_beside",
    "many_runs",
    "sample_datasets",
    "sample_ledger",
    "sample_log",
    "sample_reader",
    "sample_run",
]


def sample_ledger() -> tuple[Contents, Blobs]:
    """Return eighteen runs in three experiments on two versions of a validation set, and the files beside them."""
    blobs: Blobs = {}
    runs = [_with_answers(run, number) for number, run in enumerate(digits_runs(blobs))]
    runs[-1] = with_tables(blobs, runs[-1], sample_tables())
    runs[9] = _evidence(runs[9], 3, "better than the rules that production used")
    runs[11] = _evidence(runs[11], 5, "the widest is the best on both versions")
    hostile = _evidence(with_tables(blobs, hostile_run(blobs), hostile_tables()), 1, HOSTILE, HOSTILE)
    pictures = version_2()[3]
    blobs |= {hashlib.sha1(content, usedforsecurity=False).hexdigest(): content for content in pictures.values()}
    contents = Contents(
        tip="5" * 40,
        runs=(*runs, hostile),
        datasets=sample_datasets(),
        said=(sample_retirement(),),
        cases=sample_cases(),
        pictures={path: hashlib.sha1(data, usedforsecurity=False).hexdigest() for path, data in pictures.items()},
    )
    return contents, blobs


def _with_answers(run: StoredRun, number: int) -> StoredRun:
    """Return a run whose evaluations, where it has any, say what its model made of the cases."""
    evaluations = [msgspec.structs.replace(one, cases=sample_answers(number)) for one in run.evaluations]
    return msgspec.structs.replace(run, evaluations=tuple(evaluations))


def _evidence(run: StoredRun, stage: int, text: str, model: str | None = None) -> StoredRun:
    """Return a run that somebody named as evidence of a milestone."""
    noted_at = run.record.timing.recorded_at + timedelta(days=1)
    note = Note(
        format=1, id=new_id(noted_at, bytes(4)), run=run.record.id, kind="milestone", stage=stage, model=model,
        text=text, author=AUTHORS[1], noted_at=noted_at, tool=TOOL,
    )  # fmt: skip
    return msgspec.structs.replace(run, notes=(*run.notes, note))


def sample_reader(blobs: Blobs) -> Callable[[str], bytes]:
    """Return the function that reads a blob."""
    return blobs.__getitem__


def sample_log(contents: Contents) -> list[LogEntry]:
    """Return one commit per run, newest first."""
    return [
        LogEntry(
            commit=hashlib.sha1(run.record.id.encode(), usedforsecurity=False).hexdigest(),
            time=run.record.timing.recorded_at,
            author=run.record.author,
            subject=f"Record {run.record.id}: {run.record.experiment[:40]} {run.record.status}",
        )
        for run in reversed(contents.runs)
    ]


def sample_host_day() -> HostDay:
    """Return a day of a host with two GPUs, one of which was held idle."""
    return HostDay(
        format=1,
        id=f"{START:%Y%m%d}-000000-hst7d2",
        host="gpu01",
        source="watch",
        started_at=START.replace(hour=0, minute=0, second=0),
        ended_at=START.replace(hour=12, minute=0, second=0),
        watched="60*12 0*12",
        gpus=[
            GpuDay(name="NVIDIA L4", uuid="GPU-0", busy="60*8 0*16", held="0*8 30*4 0*12"),
            GpuDay(name="NVIDIA L4", uuid="GPU-1", unclear="0*23 0", missing="10 0*23"),
        ],
        holders=[Holder(user="ada", job="slurm 7", gpu="NVIDIA L4", busy_minutes=480, held_minutes=120)],
        unknown={"use": "the mean of a whole job"},
        author=AUTHORS[0],
        tool=TOOL,
    )


def sample_datasets() -> tuple[DatasetVersion, ...]:
    """Return a training set and two versions of a validation set."""
    statistics, change, drift, _ = version_2()
    common = {"format": 1, "author": AUTHORS[0], "tool": TOOL}
    return (
        msgspec.convert(
            {**common, "name": "digits-train", "version": "v1", "role": "train", "hash": TRAIN_HASH, "files": 1,
             "bytes": 551_424, "samples": 1077, "reason": "the first training split", "added_at": START,
             "source": "https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits"},
            DatasetVersion,
        ),
        msgspec.convert(
            {**common, "name": "digits-validation", "version": "v1", "role": "validation", "hash": V1_HASH, "files": 1,
             "bytes": 184_320, "samples": 360, "reason": "the first validation split: 20 % of each class",
             "source": "scikit-learn load_digits", "added_at": START, "statistics": msgspec.to_builtins(version_1())},
            DatasetVersion,
        ),
        msgspec.convert(
            {**common, "name": "digits-validation", "version": "v2", "role": "validation", "hash": V2_HASH, "files": 2,
             "bytes": 215_040, "samples": 420, "parent": "v1",
             "reason": "60 hard cases added: shifted and noisy digits that most models of v1 got wrong",
             "source": "scikit-learn load_digits", "added_at": START + timedelta(days=11), "kind": "truth",
             "statistics": msgspec.to_builtins(statistics), "change": msgspec.to_builtins(change),
             "drift": msgspec.to_builtins(drift), "leaks": msgspec.to_builtins(sample_leaks()),
             "cases": [case.id for case in sample_cases()]},
            DatasetVersion,
        ),
    )  # fmt: skip


def many_runs(count: int, *, params: int = 20, metrics: int = 10, experiments: int = 20) -> tuple[Contents, Blobs]:
    """Return a large ledger for benchmarks: `count` runs that share the files beside them."""
    blobs: Blobs = {}
    base = sample_run(blobs, 1, experiment="base", params={"lr": 0.1}, accuracy=0.9, started=START)
    runs = [_many(base, index, params, metrics, experiments) for index in range(count)]
    return Contents(tip="6" * 40, runs=tuple(runs), datasets=sample_datasets()), blobs


def _many(base: StoredRun, index: int, params: int, metrics: int, experiments: int) -> StoredRun:
    chance = random.Random(index)  # noqa: S311  # samples, not secrets
    started = START + timedelta(minutes=7 * index)
    values: dict[str, ParamValue] = {
        f"optimizer.option_{n}": chance.choice([0.1, 0.01, 0.001, 0.5]) for n in range(params)
    }
    dataset, content = ("v1", V1_HASH) if index % 2 else ("v2", V2_HASH)
    measured = [
        Metric(name=f"metric_{n}", split="validation", value=chance.random(), direction="higher",
                     dataset=f"digits-validation@{dataset}", dataset_hash=content)
        for n in range(metrics)
    ]  # fmt: skip
    record = msgspec.structs.replace(
        base.record,
        id=new_id(started, hashlib.sha256(str(index).encode()).digest()),
        experiment=f"experiment-{index % experiments}",
        params=Params(values=values),
        tags=[f"tag-{index % 7}"],
        results=msgspec.structs.replace(base.record.results, headline="validation/metric_0", metrics=measured),
        timing=sample_timing(started, 30.0),
    )
    files = {**base.files, RECORD_FILE: hashlib.sha1(record.id.encode(), usedforsecurity=False).hexdigest()}
    return StoredRun(record=record, path=run_path(record.id), files=files)
