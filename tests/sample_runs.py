"""Sample runs one by one: of a small study of digits, and one whose every text is hostile."""

import hashlib
import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from ledger.analysis.data.curves import render_curves, summarise
from ledger.hashing import hash_bytes
from ledger.model.boxes.code import Code, Patch
from ledger.model.boxes.cost import Cost
from ledger.model.boxes.inputs import Params
from ledger.model.boxes.machine import Environment
from ledger.model.boxes.outputs import Figure, Logs, Model, Results
from ledger.model.document import dump
from ledger.model.entries import Evaluation, StoredRun
from ledger.model.ids import new_id
from ledger.model.paths import CURVES_FILE, ENVIRONMENT_FILE, LOG_FILE, PATCH_FILE, RECORD_FILE, run_path
from ledger.model.record import Author, Link, Record
from ledger.model.values import ParamValue, Status
from tests.sample_boxes import (
    AUTHORS,
    LOG,
    START,
    TOOL,
    sample_curve,
    sample_datasets_used,
    sample_environment,
    sample_evaluations,
    sample_gpu_hardware,
    sample_hardware,
    sample_results,
    sample_timing,
)

Blobs = dict[str, bytes]

HOSTILE = "<script>alert(1)</script>\"'&\u202egnp.exe\x1b[31m{{7*7}}"

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


def blob_id(data: bytes) -> str:
    """Return the id that git gives a blob."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


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
) -> StoredRun:
    """Return one run with curves, log and environment; `evaluated` is its accuracy on v2, measured later."""
    chance = random.Random(index)  # noqa: S311  # samples, not secrets
    points = sample_curve(chance, accuracy, epochs=30, cut=12 if status in {"failed", "lost"} else 30)
    seconds = 24 + 20 * chance.random()
    files = {CURVES_FILE: render_curves(points), LOG_FILE: LOG.encode(), ENVIRONMENT_FILE: dump(sample_environment())}
    values: dict[str, object] = {
        "format": 1,
        "id": new_id(started, hashlib.sha256(str(index).encode()).digest()),
        "status": status,
        "experiment": experiment,
        "author": AUTHORS[index % 2],
        "command": ["python", "train.py", *(f"--{name}={value}" for name, value in params.items())],
        "seed": params.get("seed"),
        "timing": sample_timing(started, seconds),
        "code": Code(
            commit=f"git:{hashlib.sha1(b'code', usedforsecurity=False).hexdigest()}", branch="main", pushed=True,
            dirty=False, remote="https://example.org/vision/digits.git",
        ),
        "params": Params(values=params, sources=["params.yaml"]),
        "datasets": sample_datasets_used(dataset),
        "hardware": sample_hardware(),
        "environment": Environment(
            hash=hash_bytes(files[ENVIRONMENT_FILE]), python="3.11.9", os="Linux 6.8.0 (Debian 12)", container="docker",
            packages=len(sample_environment().packages), frameworks={"torch": "2.13.0", "numpy": "2.4.6"},
        ),
        "cost": Cost(
            amount=round(seconds / 3600 * 0.08, 6), currency="USD", device="cpu core", device_count=2.0,
            price_per_hour=0.04, catalogue="default 2026-11-01",
            unknown={"energy_kwh": "no GPU in this machine", "idle_amount": "no GPU in this machine"},
        ),
        "model": Model(
            path="model.pt", hash=hash_bytes(str(index).encode()), bytes=151_832, parameters=37_194, trainable=37_194,
            format="torch",
        ),
        "logs": Logs(hash=hash_bytes(LOG.encode()), bytes=18_204, lines=214,
                           warnings={"WARNING learning rate is above the range that was tested": 3}),
        "results": sample_results(points, accuracy, dataset, status, files),
        "statistics": summarise(points),
        "tool": TOOL,
    }  # fmt: skip
    record = msgspec.structs.replace(Record(**values), **changes)  # type: ignore[arg-type]  # one dict, many types
    return keep_beside(blobs, record, files, sample_evaluations(index, record, evaluated))


def hostile_run(blobs: Blobs) -> StoredRun:
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
        model=Model(unknown={"all": f"the file is missing: {nasty}"}),
    )
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="40"><script>alert(1)</script><rect/></svg>'
    figures = {"figures/a.svg": svg, "figures/b.png": PNG, "figures/c.html": b"<script>alert(1)</script>"}
    results = msgspec.structs.replace(
        run.record.results,
        figures=[
            Figure(file=name, title=nasty, hash=hash_bytes(data), bytes=len(data)) for name, data in figures.items()
        ],
    )
    record = msgspec.structs.replace(run.record, results=results)
    return keep_beside(blobs, record, {**files_beside(blobs, run), **figures, PATCH_FILE: PATCH}, ())


def digits_runs(blobs: Blobs) -> list[StoredRun]:
    runs: list[StoredRun] = []
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


def _failed(blobs: Blobs) -> StoredRun:
    return sample_run(
        blobs, 40, experiment="mlp-learning-rate", accuracy=0.3, status="failed", exit_code=1,
        reason="FloatingPointError: loss is NaN at step 131",
        params={"model": "mlp", "optimizer.lr": 10.0, "hidden": 128, "seed": 0, "epochs": 30},
        started=START + timedelta(days=2, hours=20), tags=["sweep", "mlp"],
        logs=Logs(hash=hash_bytes(b"x"), bytes=2_311, lines=41, errors={
            'Traceback (most recent call last):\n  File "train.py", line 88, in <module>\n    main()\n'
            "FloatingPointError: loss is NaN at step 131": 1}),
    )  # fmt: skip


def _lost(blobs: Blobs) -> StoredRun:
    unknown = {"all": "the process was gone before it could say"}
    return sample_run(
        blobs, 41, experiment="cnn-width", accuracy=0.6, status="lost", reason="the host restarted",
        params={"model": "cnn", "optimizer.lr": 0.003, "channels": 64, "seed": 0, "epochs": 30},
        started=START + timedelta(days=9, hours=1),
        model=Model(unknown=unknown), cost=Cost(unknown=unknown),
        results=Results(unknown={"metrics": "the run was lost before its last epoch"}),
    )  # fmt: skip


def _patched(blobs: Blobs) -> StoredRun:
    run = sample_run(
        blobs, 42, experiment="augmentation", accuracy=0.934, dataset="v2",
        params={"model": "cnn", "optimizer.lr": 0.003, "channels": 32, "noise": 0.05, "seed": 0, "epochs": 30},
        started=START + timedelta(days=12), tags=["cnn", "v2", "noise"],
        note="Noise on the inputs, as the hard cases of v2 have it.\nThe code is not committed yet.",
        links=[Link(url="https://example.org/tickets/311", title="Ticket 311")],
        hardware=sample_gpu_hardware(),
    )  # fmt: skip
    code = msgspec.structs.replace(
        run.record.code, dirty=True, pushed=False,
        tree=f"git:{hashlib.sha1(b'tree', usedforsecurity=False).hexdigest()}",
        patch=Patch(hash=hash_bytes(PATCH), bytes=len(PATCH), files=2, added=5, removed=1),
    )  # fmt: skip
    record = msgspec.structs.replace(run.record, code=code)
    return keep_beside(blobs, record, {**files_beside(blobs, run), PATCH_FILE: PATCH}, ())


def keep_beside(blobs: Blobs, record: Record, files: dict[str, bytes], evaluations: Sequence[Evaluation]) -> StoredRun:
    whole = {**files, RECORD_FILE: dump(record)}
    ids = {name: blob_id(data) for name, data in whole.items()}
    blobs.update({ids[name]: data for name, data in whole.items()})
    return StoredRun(record=record, path=run_path(record.id), files=ids, evaluations=tuple(evaluations))


def files_beside(blobs: Blobs, run: StoredRun) -> dict[str, bytes]:
    return {name: blobs[blob] for name, blob in run.files.items() if name != RECORD_FILE}
