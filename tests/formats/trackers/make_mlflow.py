"""Make the stores of MLflow 3.17.2, a database and files: `python -m tests.formats.trackers.make_mlflow`."""

import math
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

LONG = "x" * 5000
VALUES = [1.0, 0.5, math.nan, math.inf, -math.inf, 1e-320, 0.1]


def log_runs(uri: str) -> None:
    import mlflow  # type: ignore[import-not-found]

    mlflow.set_tracking_uri(uri)
    for name in ("digits", "Größe", "old"):
        mlflow.create_experiment(name, artifact_location=f"s3://bucket/{len(name)}")
    mlflow.set_experiment("digits")
    tags = {"team": "vision", "mlflow.source.git.commit": "c" * 40, "mlflow.source.name": "train.py"}
    with mlflow.start_run(run_name="parent", tags=tags, description="first\nnote"):
        mlflow.log_params({"lr": 0.1, "opt.name": "adam", "opt.nesterov": True, "none": None, "sha": "61e9540"})
        mlflow.log_params({"long": LONG, "ключ": "значение", "layers": [64, 64], "empty": ""})
        for step, value in enumerate(VALUES):
            mlflow.log_metric("train/loss", value, step=step, timestamp=1_700_000_000_000 + step)
        mlflow.log_metric("acc", 0.9, step=0, timestamp=1_700_000_000_100)
        mlflow.log_metric("acc", 0.8, step=0, timestamp=1_700_000_000_200)
        mlflow.log_metric("back", 0.2, step=-1, timestamp=1_700_000_000_000)
        with mlflow.start_run(run_name="child", nested=True):
            mlflow.log_metric("точность", 1.0, step=7, timestamp=1_700_000_001_000)
            log_dataset(mlflow)
    mlflow.start_run(run_name="bad", experiment_id=mlflow.get_experiment_by_name("Größe").experiment_id)
    mlflow.log_metric("loss", 3.0, timestamp=1_700_000_002_000)
    mlflow.end_run("FAILED")
    with mlflow.start_run(run_name="gone") as run:
        mlflow.log_metric("loss", 4.0, timestamp=1_700_000_003_000)
    mlflow.delete_run(run.info.run_id)
    old = mlflow.get_experiment_by_name("old").experiment_id
    with mlflow.start_run(run_name="of old", experiment_id=old):
        mlflow.log_metric("loss", 5.0, timestamp=1_700_000_004_000)
    mlflow.delete_experiment(old)


def log_dataset(mlflow: Any) -> None:  # the module
    import numpy as np

    data = mlflow.data.from_numpy(np.arange(10.0), name="val", digest="d" * 8)
    mlflow.log_input(data, context="validation")
    mlflow.log_metric("val/acc", 0.91, dataset=data, timestamp=1_700_000_001_000)


def log_killed(uri: str) -> None:
    import mlflow

    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("digits")
    mlflow.start_run(run_name="killed")
    mlflow.log_metric("loss", 0.25, step=1, timestamp=1_700_000_005_000)
    os.kill(os.getpid(), signal.SIGKILL)


def make_store(uri: str, folder: Path, name: str) -> None:
    from tests.formats.trackers.archive import LOGIN, pack

    environment = os.environ | {
        "MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true",
        "LOGNAME": LOGIN, "GIT_CEILING_DIRECTORIES": str(folder.parent),
    }  # fmt: skip
    script = folder / "train.py"
    script.write_bytes(Path(__file__).read_bytes())
    for what in ("runs", "killed"):
        subprocess.run([sys.executable, script.name, what, uri], cwd=folder, env=environment, check=what == "runs")
    script.unlink()
    pack(folder, name)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["runs", address]:
            log_runs(address)
        case ["killed", address]:
            log_killed(address)
        case _:
            with tempfile.TemporaryDirectory() as made:
                make_store("sqlite:///mlflow.db", Path(made), "mlflow_database")
            with tempfile.TemporaryDirectory() as made:
                make_store(f"file:{made}/mlruns", Path(made), "mlflow_files")
