"""Runs for W&B: the data, and a script that its own package runs offline, as only that may write its files.

The format of `.wandb` files is unversioned, so the script calls `wandb.init(mode="offline")` with the original times;
`wandb sync` sends what it made.
"""

from collections.abc import Sequence

import msgspec

from ledger.exporters.exported_run import Exported, ExportedRun, number_of

_SCRIPT = '''"""Make offline runs of W&B from runs.jsonl beside this file; then: wandb sync wandb/offline-run-*"""

import json
import pathlib

import wandb

for line in (pathlib.Path(__file__).parent / "runs.jsonl").open(encoding="utf-8"):
    run = json.loads(line)
    with wandb.init(
        mode="offline", id=run["id"], name=run["id"], project=run["experiment"], config=run["params"], tags=run["tags"],
        notes=run["note"], settings=wandb.Settings(x_start_time=run["started"]),
    ) as made:
        for point in run["points"]:
            made.log(dict(point["values"], _timestamp=point["time"]), step=point["step"])
        made.summary.update(run["metrics"])
'''


def to_wandb(runs: Sequence[ExportedRun]) -> Exported:
    """Return runs as lines of JSON, and the script that makes offline runs of them."""
    lines = b"".join(msgspec.json.encode(_run(run)) + b"\n" for run in runs)
    return Exported(
        files={"runs.jsonl": lines, "make_offline_runs.py": _SCRIPT.encode()},
        losses=[
            "how a run ended: W&B knows finished and failed",
            "datasets, code patch, hardware, environment, cost, log and tables",
            "values that are not finite become texts in the summary",
        ],
        next="python make_offline_runs.py && wandb sync wandb/offline-run-*",
    )


def _run(run: ExportedRun) -> dict[str, object]:
    record = run.record
    started = record.timing.started_at.timestamp()
    return {
        "id": record.id,
        "experiment": record.experiment,
        "started": started,
        "params": record.params.values,
        "tags": record.tags,
        "note": record.note,
        "metrics": {metric.key: metric.value for metric in record.results.metrics},
        "points": [
            {
                "step": place if point.step is None else point.step,
                "time": started + (point.seconds or 0.0),
                "values": {name: _plain(value) for name, value in point.values.items()},
            }
            for place, point in enumerate(run.points)
        ],
    }


def _plain(value: float) -> float | str:
    found = number_of(value)
    return found if found == found and abs(found) != float("inf") else str(found)  # noqa: PLR0124  # NaN is not itself
