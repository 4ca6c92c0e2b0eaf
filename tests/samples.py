"""A realistic ledger for tests: seeded, the same every time, with hostile strings in one corner."""

import hashlib
import math
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from ledger.analysis.curves import Point, render_curves, summarise
from ledger.hashing import hash_bytes
from ledger.model import boxes
from ledger.model.document import dump
from ledger.model.entries import (
    Contents,
    DatasetVersion,
    EnvironmentFile,
    Evaluation,
    LogEntry,
    Run,
)
from ledger.model.ids import new_id
from ledger.model.paths import CURVES_FILE, ENVIRONMENT_FILE, LOG_FILE, PATCH_FILE, RECORD_FILE, run_path
from ledger.model.record import Author, Link, Record, Timing
from ledger.model.values import ParamValue, Status, number

START = datetime(2026, 11, 3, 9, 12, 30, tzinfo=UTC)
AUTHORS = (
    Author(name="Ada Lindqvist", email="ada@example.org"),
    Author(name="Tomás Ribeiro", email="tomas@example.org"),
)
HOSTILE = "<script>alert(1)</script>\"'&\u202egnp.exe\x1b[31m{{7*7}}"
TOOL = "git-ledger 0.1.0"

TRAIN_HASH = hash_bytes(b"digits-train v1")
V1_HASH = hash_bytes(b"digits-validation v1")
V2_HASH = hash_bytes(b"digits-validation v2")

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63f8cfc0f01f0005000"
    "1ff89993d1d0000000049454e44ae426082"
)

PATCH = b"""diff --git a/train.py b/train.py
index 3f1a2b4..9d0c1e7 100644
--- a/train.py
+++ b/train.py
@@ -21,7 +21,9 @@ def train(model, loader, epochs):
     for epoch in range(epochs):
         for images, labels in loader:
             optimizer.zero_grad()
-            loss = criterion(model(images), labels)
+            logits = model(images + 0.05 * torch.randn_like(images))
+            loss = criterion(logits, labels)
+            # <script>alert("patch")</script>
             loss.backward()
             optimizer.step()
diff --git a/notes/todo.txt b/notes/todo.txt
new file mode 100644
index 0000000..8c7e5a6
--- /dev/null
+++ b/notes/todo.txt
@@ -0,0 +1,2 @@
+try label smoothing
+try cosine schedule
"""

LOG = """# head of train.log, 214 lines in all
2026-11-03 09:12:31 INFO  device cpu, 2 threads
2026-11-03 09:12:31 INFO  1077 training and 360 validation samples
2026-11-03 09:12:33 INFO  epoch 1 train/loss 1.912 validation/accuracy 0.712
… 180 lines left out …
2026-11-03 09:12:58 WARNING learning rate is above the range that was tested
2026-11-03 09:13:12 INFO  epoch 30 train/loss 0.021 validation/accuracy 0.969
"""

Blobs = dict[str, bytes]


def blob_id(data: bytes) -> str:
    """Return the id that git gives a blob."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def sample_ledger() -> tuple[Contents, Blobs]:
    """Return eighteen runs in three experiments on two versions of a validation set, and the files beside them."""
    blobs: Blobs = {}
    runs = _digits_runs(blobs)
    hostile = hostile_run(blobs)
    return Contents(tip="5" * 40, runs=(*runs, hostile), datasets=sample_datasets()), blobs


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


def sample_datasets() -> tuple[DatasetVersion, ...]:
    """Return a training set and two versions of a validation set."""
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
             "source": "scikit-learn load_digits", "added_at": START},
            DatasetVersion,
        ),
        msgspec.convert(
            {**common, "name": "digits-validation", "version": "v2", "role": "validation", "hash": V2_HASH, "files": 2,
             "bytes": 215_040, "samples": 420, "parent": "v1",
             "reason": "60 hard cases added: shifted and noisy digits that most models of v1 got wrong",
             "source": "scikit-learn load_digits", "added_at": START + timedelta(days=11)},
            DatasetVersion,
        ),
    )  # fmt: skip


def sample_run(
    blobs: Blobs,
    index: int,
    *,
    experiment: str,
    params: dict[str, ParamValue],
    accuracy: float,
    started: datetime,
    status: Status = "finished",
    dataset: str = "v1",
    evaluated: float | None = None,
    **changes: object,
) -> Run:
    """Return one run with curves, log and environment; `evaluated` is its accuracy on v2, measured later."""
    chance = random.Random(index)  # noqa: S311  # samples, not secrets
    points = _curve(chance, accuracy, epochs=30, cut=12 if status in {"failed", "lost"} else 30)
    seconds = 24 + 20 * chance.random()
    files = {CURVES_FILE: render_curves(points), LOG_FILE: LOG.encode(), ENVIRONMENT_FILE: dump(_environment())}
    values: dict[str, object] = {
        "format": 1,
        "id": new_id(started, hashlib.sha256(str(index).encode()).digest()),
        "status": status,
        "experiment": experiment,
        "author": AUTHORS[index % 2],
        "command": ["python", "train.py", *(f"--{name}={value}" for name, value in params.items())],
        "seed": params.get("seed"),
        "timing": _timing(started, seconds),
        "code": boxes.Code(
            commit=f"git:{hashlib.sha1(b'code', usedforsecurity=False).hexdigest()}", branch="main", pushed=True,
            dirty=False, remote="https://example.org/vision/digits.git",
        ),
        "params": boxes.Params(values=params, sources=["params.yaml"]),
        "datasets": _datasets(dataset),
        "hardware": _hardware(),
        "environment": boxes.Environment(
            hash=hash_bytes(files[ENVIRONMENT_FILE]), python="3.11.9", os="Linux 6.8.0 (Debian 12)", container="docker",
            packages=len(_environment().packages), frameworks={"torch": "2.13.0", "numpy": "2.4.6"},
        ),
        "cost": boxes.Cost(
            amount=round(seconds / 3600 * 0.08, 6), currency="USD", device="cpu core", device_count=2.0,
            price_per_hour=0.04, catalogue="default 2026-11-01",
            unknown={"energy_kwh": "no GPU in this machine", "idle_amount": "no GPU in this machine"},
        ),
        "model": boxes.Model(
            path="model.pt", hash=hash_bytes(str(index).encode()), bytes=151_832, parameters=37_194, trainable=37_194,
            format="torch",
        ),
        "logs": boxes.Logs(hash=hash_bytes(LOG.encode()), bytes=18_204, lines=214,
                           warnings={"WARNING learning rate is above the range that was tested": 3}),
        "results": _results(points, accuracy, dataset, status, files),
        "statistics": summarise(points),
        "tool": TOOL,
    }  # fmt: skip
    record = msgspec.structs.replace(Record(**values), **changes)  # type: ignore[arg-type]  # one dict, many types
    return _beside(blobs, record, files, _evaluations(index, record, evaluated))


def hostile_run(blobs: Blobs) -> Run:
    """Return a run whose every text tries to be markup, to reorder itself or to break a layout."""
    nasty = HOSTILE
    run = sample_run(
        blobs,
        666,
        experiment=nasty,
        params={nasty: nasty, "lr": 0.5, "a" * 180: "b" * 2000},
        accuracy=0.41,
        started=START + timedelta(days=12, hours=3),
        status="failed",
        reason=f"RuntimeError: {nasty}",
        exit_code=1,
        tags=[nasty, "javascript:alert(1)"],
        note=f"{nasty}\nsecond line\t<b>bold</b> [link](javascript:alert(1))",
        author=Author(name=nasty, email="x@example.org"),
        command=["python", nasty],
        links=[
            Link(url="javascript:alert(1)", title=nasty),
            Link(url="https://example.org/paper?a=1&b=<2>", title="paper <1>"),
            Link(url="mailto:team@example.org"),
        ],
        model=boxes.Model(unknown={"all": f"the file is missing: {nasty}"}),
    )
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="40"><script>alert(1)</script><rect/></svg>'
    figures = {"figures/a.svg": svg, "figures/b.png": PNG, "figures/c.html": b"<script>alert(1)</script>"}
    results = msgspec.structs.replace(
        run.record.results,
        figures=[
            boxes.Figure(file=name, title=nasty, hash=hash_bytes(data), bytes=len(data))
            for name, data in figures.items()
        ],
    )
    record = msgspec.structs.replace(run.record, results=results)
    return _beside(blobs, record, {**_files(blobs, run), **figures, PATCH_FILE: PATCH}, ())


def many_runs(count: int, *, params: int = 20, metrics: int = 10, experiments: int = 20) -> tuple[Contents, Blobs]:
    """Return a large ledger for benchmarks: `count` runs that share the files beside them."""
    blobs: Blobs = {}
    base = sample_run(blobs, 1, experiment="base", params={"lr": 0.1}, accuracy=0.9, started=START)
    runs = [_many(base, index, params, metrics, experiments) for index in range(count)]
    return Contents(tip="6" * 40, runs=tuple(runs), datasets=sample_datasets()), blobs


def _many(base: Run, index: int, params: int, metrics: int, experiments: int) -> Run:
    chance = random.Random(index)  # noqa: S311  # samples, not secrets
    started = START + timedelta(minutes=7 * index)
    values: dict[str, ParamValue] = {
        f"optimizer.option_{n}": chance.choice([0.1, 0.01, 0.001, 0.5]) for n in range(params)
    }
    dataset, content = ("v1", V1_HASH) if index % 2 else ("v2", V2_HASH)
    measured = [
        boxes.Metric(name=f"metric_{n}", split="validation", value=chance.random(), direction="higher",
                     dataset=f"digits-validation@{dataset}", dataset_hash=content)
        for n in range(metrics)
    ]  # fmt: skip
    record = msgspec.structs.replace(
        base.record,
        id=new_id(started, hashlib.sha256(str(index).encode()).digest()),
        experiment=f"experiment-{index % experiments}",
        params=boxes.Params(values=values),
        tags=[f"tag-{index % 7}"],
        results=msgspec.structs.replace(base.record.results, headline="validation/metric_0", metrics=measured),
        timing=_timing(started, 30.0),
    )
    files = {**base.files, RECORD_FILE: hashlib.sha1(record.id.encode(), usedforsecurity=False).hexdigest()}
    return Run(record=record, path=run_path(record.id), files=files)


def _digits_runs(blobs: Blobs) -> list[Run]:
    runs: list[Run] = []
    for index, (lr, seed) in enumerate((lr, seed) for lr in (0.001, 0.01, 0.1) for seed in (0, 1, 2)):
        accuracy = {0.001: 0.921, 0.01: 0.958, 0.1: 0.936}[lr] + 0.006 * seed - 0.004
        runs.append(
            sample_run(
                blobs, index, experiment="mlp-learning-rate", accuracy=accuracy, evaluated=accuracy - 0.087,
                params={"model": "mlp", "optimizer.lr": lr, "hidden": 128, "seed": seed, "epochs": 30},
                started=START + timedelta(hours=5 * index), tags=["sweep", "mlp"],
                note="Which learning rate suits the small MLP?" if index == 0 else None,
            )
        )  # fmt: skip
    baseline = runs[4].record.id
    for index, channels in enumerate((8, 16, 32), start=20):
        accuracy = 0.962 + 0.006 * (index - 20)
        runs.append(
            sample_run(
                blobs, index, experiment="cnn-width", accuracy=accuracy,
                evaluated=accuracy - 0.055 if index > 20 else None,
                params={"model": "cnn", "optimizer.lr": 0.003, "channels": channels, "seed": 0, "epochs": 30},
                started=START + timedelta(days=4, hours=9 * (index - 20)), tags=["cnn"], baseline=baseline,
            )
        )  # fmt: skip
    for index, dropout in enumerate((0.0, 0.1, 0.3), start=30):
        runs.append(
            sample_run(
                blobs, index, experiment="cnn-width", accuracy=0.921 + 0.008 * (index - 30), dataset="v2",
                params={"model": "cnn", "optimizer.lr": 0.003, "channels": 32, "dropout": dropout, "seed": 0},
                started=START + timedelta(days=11, hours=4 + 3 * (index - 30)), tags=["cnn", "v2"], baseline=baseline,
            )
        )  # fmt: skip
    return [*runs, _failed(blobs), _lost(blobs), _patched(blobs)]


def _failed(blobs: Blobs) -> Run:
    return sample_run(
        blobs, 40, experiment="mlp-learning-rate", accuracy=0.3, status="failed", exit_code=1,
        reason="FloatingPointError: loss is NaN at step 131",
        params={"model": "mlp", "optimizer.lr": 10.0, "hidden": 128, "seed": 0, "epochs": 30},
        started=START + timedelta(days=2, hours=20), tags=["sweep", "mlp"],
        logs=boxes.Logs(hash=hash_bytes(b"x"), bytes=2_311, lines=41, errors={
            'Traceback (most recent call last):\n  File "train.py", line 88, in <module>\n    main()\n'
            "FloatingPointError: loss is NaN at step 131": 1}),
    )  # fmt: skip


def _lost(blobs: Blobs) -> Run:
    unknown = {"all": "the process was gone before it could say"}
    return sample_run(
        blobs, 41, experiment="cnn-width", accuracy=0.6, status="lost", reason="the host restarted",
        params={"model": "cnn", "optimizer.lr": 0.003, "channels": 64, "seed": 0, "epochs": 30},
        started=START + timedelta(days=9, hours=1),
        model=boxes.Model(unknown=unknown), cost=boxes.Cost(unknown=unknown),
        results=boxes.Results(unknown={"metrics": "the run was lost before its last epoch"}),
    )  # fmt: skip


def _patched(blobs: Blobs) -> Run:
    run = sample_run(
        blobs, 42, experiment="augmentation", accuracy=0.934, dataset="v2",
        params={"model": "cnn", "optimizer.lr": 0.003, "channels": 32, "noise": 0.05, "seed": 0, "epochs": 30},
        started=START + timedelta(days=12), tags=["cnn", "v2", "noise"],
        note="Noise on the inputs, as the hard cases of v2 have it.\nThe code is not committed yet.",
        links=[Link(url="https://example.org/tickets/311", title="Ticket 311")],
        hardware=_gpu_hardware(),
    )  # fmt: skip
    code = msgspec.structs.replace(
        run.record.code, dirty=True, pushed=False,
        tree=f"git:{hashlib.sha1(b'tree', usedforsecurity=False).hexdigest()}",
        patch=boxes.Patch(hash=hash_bytes(PATCH), bytes=len(PATCH), files=2, added=5, removed=1),
    )  # fmt: skip
    record = msgspec.structs.replace(run.record, code=code)
    return _beside(blobs, record, {**_files(blobs, run), PATCH_FILE: PATCH}, ())


def _beside(blobs: Blobs, record: Record, files: dict[str, bytes], evaluations: Sequence[Evaluation]) -> Run:
    whole = {**files, RECORD_FILE: dump(record)}
    ids = {name: blob_id(data) for name, data in whole.items()}
    blobs.update({ids[name]: data for name, data in whole.items()})
    return Run(record=record, path=run_path(record.id), files=ids, evaluations=tuple(evaluations))


def _files(blobs: Blobs, run: Run) -> dict[str, bytes]:
    return {name: blobs[blob] for name, blob in run.files.items() if name != RECORD_FILE}


def _evaluations(index: int, record: Record, value: float | None) -> list[Evaluation]:
    if value is None:
        return []
    at = START + timedelta(days=11, hours=1, minutes=index)
    return [
        Evaluation(
            format=1, id=new_id(at, bytes([index, 7, 7, 7])), run=record.id, author=AUTHORS[0], evaluated_at=at,
            tool=TOOL, note="re-evaluated when v2 was added", datasets=[_use("v2")],
            metrics=[_metric("accuracy", value, "v2", "higher"), _metric("loss", 1.2 * (1 - value), "v2", "lower")],
        )
    ]  # fmt: skip


def _curve(chance: random.Random, accuracy: float, *, epochs: int, cut: int) -> list[Point]:
    points = []
    for epoch in range(1, cut + 1):
        rise = 1 - math.exp(-epoch / 5)
        values = {
            "train/loss": 2.3 * math.exp(-epoch / 6) + 0.02 * chance.random(),
            "validation/loss": 2.3 * math.exp(-epoch / 6) + 0.1 + 0.03 * chance.random(),
            "train/accuracy": min(1.0, 0.1 + 0.9 * rise + 0.005 * chance.random()),
            "validation/accuracy": accuracy * (0.1 + 0.9 * rise) + 0.008 * chance.random(),
            "lr": 0.01 * 0.5 * (1 + math.cos(math.pi * epoch / epochs)),
        }
        points.append(Point(step=epoch * 11, epoch=float(epoch), seconds=round(epoch * 0.9, 3), values=values))
    return points


def _timing(started: datetime, seconds: float) -> Timing:
    ended = started + timedelta(seconds=seconds)
    recorded = ended + timedelta(seconds=1)
    return Timing(started_at=started, ended_at=ended, duration_seconds=seconds, recorded_at=recorded)


def _metric(name: str, value: float, version: str, direction: str) -> boxes.Metric:
    return msgspec.convert(
        {"name": name, "value": number(value), "split": "validation", "direction": direction,
         "evaluator": "digits-eval 1",
         "dataset": f"digits-validation@{version}", "dataset_hash": V1_HASH if version == "v1" else V2_HASH},
        boxes.Metric,
    )  # fmt: skip


def _results(
    points: Sequence[Point], accuracy: float, version: str, status: Status, files: dict[str, bytes]
) -> boxes.Results:
    metrics = [
        _metric("accuracy", accuracy, version, "higher"),
        _metric("loss", math.nan if status == "failed" else 1.1 * (1 - accuracy), version, "lower"),
        boxes.Metric(
            name="loss", split="train", value=points[-1].values["train/loss"], direction="lower", step=points[-1].step
        ),
    ]  # fmt: skip
    series = sorted(points[-1].values)
    curves = boxes.Curves(
        hash=hash_bytes(files[CURVES_FILE]), series=series, points=len(points), logged=len(points) * 11
    )
    return boxes.Results(headline="validation/accuracy", metrics=metrics, curves=curves)


def _use(version: str) -> boxes.DatasetUse:
    content, samples = (V1_HASH, 360) if version == "v1" else (V2_HASH, 420)
    return boxes.DatasetUse(
        role="validation", split="validation", name="digits-validation", version=version, hash=content,
        path="data/val", files=1, bytes=184_320, samples=samples,
    )  # fmt: skip


def _datasets(version: str) -> boxes.Datasets:
    train = boxes.DatasetUse(
        role="train", split="train", name="digits-train", version="v1", hash=TRAIN_HASH, path="data/train", files=1,
        bytes=551_424, samples=1077,
    )  # fmt: skip
    return boxes.Datasets(used=[train, _use(version)])


def _hardware() -> boxes.Hardware:
    return boxes.Hardware(
        host="laptop-7", cpu="AMD Ryzen 7 7840U", cores=16, cores_limit=2.0, memory_bytes=32_000_000_000,
        memory_limit_bytes=8_000_000_000, disk_bytes=1_000_000_000_000, disk_free_bytes=412_000_000_000,
        usage=boxes.Usage(samples=14, interval_seconds=2.0, cpu_seconds=51.2, cpu_fraction_mean=0.83,
                          memory_peak_bytes=612_000_000),
    )  # fmt: skip


def _gpu_hardware() -> boxes.Hardware:
    gpu = boxes.Gpu(
        name="NVIDIA L4", memory_bytes=23_034_000_000, driver="570.86", utilisation_mean=0.41,
        memory_peak_bytes=2_100_000_000, gpu_idle_fraction=0.22, energy_kwh=0.00061,
    )  # fmt: skip
    return msgspec.structs.replace(_hardware(), host="node-3", gpus=[gpu])


def _environment() -> EnvironmentFile:
    packages = {f"package-{index:02}": f"{index % 4}.{index % 9}.{index % 5}" for index in range(58)}
    return EnvironmentFile(
        format=1, python="3.11.9 (CPython)", executable="/usr/bin/python3.11", os="Linux 6.8.0 (Debian 12)",
        machine="x86_64", container="docker", frameworks={"torch": "2.13.0", "numpy": "2.4.6"},
        packages={**packages, "numpy": "2.4.6", "torch": "2.13.0"}, variables={"OMP_NUM_THREADS": "2"},
    )  # fmt: skip
