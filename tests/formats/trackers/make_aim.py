"""Make an export of Aim 3.29.1 as CSV: `python -m tests.formats.trackers.make_aim`.

A run that another process closed is found only after `aim storage reindex`.
"""

import math
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

VALUES = [1.0, 0.5, math.nan, math.inf, -math.inf, 1e-320, -3.0]
LONG = "x" * 5000


def log_run() -> None:
    import aim  # type: ignore[import-not-found]

    run = aim.Run(
        repo=".", experiment="digits", log_system_params=False, capture_terminal_logs=False, system_tracking_interval=10
    )
    run.name, run.description = "full run", "first\nnote"
    run.add_tag("a")
    run.add_tag("ß")
    run["hparams"] = {
        "lr": 1e-3, "opt": {"name": "adam", "betas": [0.9, 0.999]}, "long": LONG, "имя": "Größe", "none": None,
        "flag": True,
    }  # fmt: skip
    for step, value in enumerate(VALUES):
        run.track(value, name="loss", step=step, context={"subset": "train"})
    run.track(0.9, name="loss", step=3, context={"subset": "val"})
    run.track(0.8, name="acc", step=3)
    run.track(0.7, name="acc", step=3)
    run.close()


def log_killed() -> None:
    import time

    import aim

    run = aim.Run(
        repo=".", experiment="digits", log_system_params=False, capture_terminal_logs=False,
        system_tracking_interval=None,
    )  # fmt: skip
    run.track(0.25, name="loss", step=1)
    time.sleep(3)
    os.kill(os.getpid(), signal.SIGKILL)


def export_runs() -> None:
    import aim
    import pandas as pd

    runs = [aim.Run(name, repo=".", read_only=True) for name in aim.Repo.from_path(".").list_all_runs()]
    pd.concat([run.dataframe() for run in runs]).to_csv("runs.csv", index=False)
    points = [
        metric.dataframe(include_run=True, include_name=True, include_context=True)
        for run in runs
        for metric in run.metrics()
    ]
    pd.concat(points).to_csv("metrics.csv", index=False)


def make_store(folder: Path) -> None:
    from tests.formats.trackers.archive import pack

    environment = os.environ | {"AIM_UI_TELEMETRY_ENABLED": "0", "HOME": str(folder)}
    script = folder / "train.py"
    script.write_bytes(Path(__file__).read_bytes())
    aim = str(Path(sys.executable).with_name("aim"))
    subprocess.run([aim, "init", "--yes"], cwd=folder, env=environment, check=True)
    for what in ("run", "killed"):
        subprocess.run([sys.executable, script.name, what], cwd=folder, env=environment, check=what == "run")
    subprocess.run([aim, "storage", "--repo", ".", "reindex"], cwd=folder, env=environment, check=True, input=b"y\n")
    subprocess.run([sys.executable, script.name, "export"], cwd=folder, env=environment, check=True)
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".csv":
            path.unlink()
    pack(folder, "aim_export")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["run"]:
            log_run()
        case ["killed"]:
            log_killed()
        case ["export"]:
            export_runs()
        case _:
            with tempfile.TemporaryDirectory() as made:
                make_store(Path(made))
