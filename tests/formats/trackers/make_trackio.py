"""Make a database of Trackio 0.43.0: `python -m tests.formats.trackers.make_trackio`."""

import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VALUES = [1.0, 0.5, math.nan, math.inf, -math.inf, 1e-320, 2**60 + 1, -3]
LONG = "x" * 5000


def log_runs() -> None:
    import trackio  # type: ignore[import-not-found]

    config = {"lr": 1e-3, "opt": {"name": "adam", "betas": [0.9, 0.999]}, "long": LONG, "имя": "Größe", "none": None}
    trackio.init(project="digits", name="full run", config=config, group="sweep")
    for step, value in enumerate(VALUES):
        trackio.log({"train/loss": value, "nested": {"a": step}, "text": "words", "flag": True})
    trackio.log({"acc": 0.9}, step=10)
    trackio.log({"acc": 0.8}, step=10)
    trackio.log({"table": trackio.Table(columns=["a"], data=[[1]])}, step=11)
    trackio.finish()
    trackio.init(project="digits", name="второй")
    trackio.log({"loss": 3.0})
    trackio.finish()


def log_killed() -> None:
    import trackio

    trackio.init(project="digits", name="killed")
    trackio.log({"loss": 0.25})
    time.sleep(8)
    os.kill(os.getpid(), signal.SIGKILL)


def make_store(folder: Path) -> None:
    from tests.formats.trackers.archive import LOGIN, pack

    environment = os.environ | {
        "TRACKIO_DIR": str(folder / "trackio"), "LOGNAME": LOGIN, "USER": LOGIN, "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1", "GRADIO_ANALYTICS_ENABLED": "False", "HOME": str(folder),
    }  # fmt: skip
    script = folder / "train.py"
    script.write_bytes(Path(__file__).read_bytes())
    for what in ("runs", "killed"):
        subprocess.run([sys.executable, script.name, what], cwd=folder, env=environment, check=what == "runs")
    script.unlink()
    for path in list(folder.rglob("*")):
        if path.is_file() and path.parent != folder / "trackio":
            path.unlink()
    pack(folder, "trackio_database")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["runs"]:
            log_runs()
        case ["killed"]:
            log_killed()
        case _:
            with tempfile.TemporaryDirectory() as made:
                make_store(Path(made))
