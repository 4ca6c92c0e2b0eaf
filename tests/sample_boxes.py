"""The boxes that sample runs are made of: plausible values, the same every time."""

import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from ledger.analysis.data.curves import Point
from ledger.hashing import hash_bytes
from ledger.model.boxes.inputs import Datasets, DatasetUse
from ledger.model.boxes.machine import Gpu, GpuTimeline, Hardware, Usage
from ledger.model.boxes.outputs import Curves, Metric, Results
from ledger.model.entries import EnvironmentFile, Evaluation
from ledger.model.ids import new_id
from ledger.model.paths import CURVES_FILE
from ledger.model.record import Author, Record, Timing
from ledger.model.values import Status, number

START = datetime(2026, 11, 3, 9, 12, 30, tzinfo=UTC)
AUTHORS = (
    Author(name="Ada Lindqvist", email="ada@example.org"),
    Author(name="Tomás Ribeiro", email="tomas@example.org"),
)
TOOL = "git-ledger 0.1.0"

TRAIN_HASH = hash_bytes(b"digits-train v1")
V1_HASH = hash_bytes(b"digits-validation v1")
V2_HASH = hash_bytes(b"digits-validation v2")

LOG = """# head of train.log, 214 lines in all
2026-11-03 09:12:31 INFO  device cpu, 2 threads
2026-11-03 09:12:31 INFO  1077 training and 360 validation samples
2026-11-03 09:12:33 INFO  epoch 1 train/loss 1.912 validation/accuracy 0.712
… 180 lines left out …
2026-11-03 09:12:58 WARNING learning rate is above the range that was tested
2026-11-03 09:13:12 INFO  epoch 30 train/loss 0.021 validation/accuracy 0.969
"""


def sample_environment() -> EnvironmentFile:
    packages = {f"package-{index:02}": f"{index % 4}.{index % 9}.{index % 5}" for index in range(58)}
    return EnvironmentFile(
        format=1, python="3.11.9 (CPython)", executable="/usr/bin/python3.11", os="Linux 6.8.0 (Debian 12)",
        machine="x86_64", container="docker", frameworks={"torch": "2.13.0", "numpy": "2.4.6"},
        packages={**packages, "numpy": "2.4.6", "torch": "2.13.0"}, variables={"OMP_NUM_THREADS": "2"},
    )  # fmt: skip


def sample_hardware() -> Hardware:
    return Hardware(
        host="laptop-7", cpu="AMD Ryzen 7 7840U", cores=16, cores_limit=2.0, memory_bytes=32_000_000_000,
        memory_limit_bytes=8_000_000_000, disk_bytes=1_000_000_000_000, disk_free_bytes=412_000_000_000,
        usage=Usage(samples=14, interval_seconds=2.0, cpu_seconds=51.2, cpu_fraction_mean=0.83,
                          memory_peak_bytes=612_000_000),
    )  # fmt: skip


def sample_gpu_hardware() -> Hardware:
    gpu = Gpu(
        name="NVIDIA L4", memory_bytes=23_034_000_000, driver="570.86", utilisation_mean=0.41,
        memory_peak_bytes=2_100_000_000, gpu_idle_fraction=0.22, energy_kwh=0.00061,
        use=GpuTimeline(stretch_seconds=4.0, percent=[0, 12, 58, 64, 61, None, 66, 3, 59, 62]),
    )  # fmt: skip
    return msgspec.structs.replace(sample_hardware(), host="node-3", gpus=[gpu])


def sample_timing(started: datetime, seconds: float) -> Timing:
    ended = started + timedelta(seconds=seconds)
    recorded = ended + timedelta(seconds=1)
    return Timing(started_at=started, ended_at=ended, duration_seconds=seconds, recorded_at=recorded)


def _metric(name: str, value: float, version: str, direction: str) -> Metric:
    return msgspec.convert(
        {"name": name, "value": number(value), "split": "validation", "direction": direction,
         "evaluator": "digits-eval 1",
         "dataset": f"digits-validation@{version}", "dataset_hash": V1_HASH if version == "v1" else V2_HASH},
        Metric,
    )  # fmt: skip


def _use(version: str) -> DatasetUse:
    content, samples = (V1_HASH, 360) if version == "v1" else (V2_HASH, 420)
    return DatasetUse(
        role="validation", split="validation", name="digits-validation", version=version, hash=content,
        path="data/val", files=1, bytes=184_320, samples=samples,
    )  # fmt: skip


def sample_datasets_used(version: str) -> Datasets:
    train = DatasetUse(
        role="train", split="train", name="digits-train", version="v1", hash=TRAIN_HASH, path="data/train", files=1,
        bytes=551_424, samples=1077,
    )  # fmt: skip
    return Datasets(used=[train, _use(version)])


def sample_curve(chance: random.Random, accuracy: float, *, epochs: int, cut: int) -> list[Point]:
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


def sample_results(
    points: Sequence[Point], accuracy: float, version: str, status: Status, files: dict[str, bytes]
) -> Results:
    metrics = [
        _metric("accuracy", accuracy, version, "higher"),
        _metric("loss", math.nan if status == "failed" else 1.1 * (1 - accuracy), version, "lower"),
        Metric(
            name="loss", split="train", value=points[-1].values["train/loss"], direction="lower", step=points[-1].step
        ),
    ]  # fmt: skip
    series = sorted(points[-1].values)
    curves = Curves(hash=hash_bytes(files[CURVES_FILE]), series=series, points=len(points), logged=len(points) * 11)
    return Results(headline="validation/accuracy", metrics=metrics, curves=curves)


def sample_evaluations(index: int, record: Record, value: float | None) -> list[Evaluation]:
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
