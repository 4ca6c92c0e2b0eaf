"""Make a folder of DVCLive 3.49.1: `python -m tests.formats.trackers.make_dvclive`."""

import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

VALUES = [1.0, 0.5, math.nan, math.inf, -math.inf, 1e-320, 2**60 + 1, -3]
LONG = "x" * 5000


def log_run() -> None:
    from dvclive import Live  # type: ignore[import-not-found]

    with Live("dvclive", save_dvc_exp=False, dvcyaml=None, monitor_system=False) as live:
        live.log_params({"lr": 1e-3, "opt": {"name": "adam", "betas": [0.9, 0.999]}, "long": LONG, "имя": "Größe"})
        live.log_param("none", "None")
        for value in VALUES:
            live.log_metric("train/loss", value)
            live.log_metric("точность", 0.5)
            live.next_step()
        live.log_metric("val/acc/top1", 0.9)
        live.log_metric("val/acc/top1", 0.8)
        live.log_metric("stamped", 0.25, timestamp=True)
        live.log_metric("final", 0.93, plot=False)
        live.summary["said"] = 0.125
        live.log_sklearn_plot("confusion_matrix", [0, 1], [1, 1])


def make_store(folder: Path) -> None:
    from tests.formats.trackers.archive import pack

    environment = os.environ | {
        "DVC_NO_ANALYTICS": "1",
        "HOME": str(folder),
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
    }
    script = folder / "train.py"
    script.write_bytes(Path(__file__).read_bytes())
    subprocess.run([sys.executable, script.name, "run"], cwd=folder, env=environment, check=True)
    script.unlink()
    pack(folder, "dvclive")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["run"]:
            log_run()
        case _:
            with tempfile.TemporaryDirectory() as made:
                make_store(Path(made))
