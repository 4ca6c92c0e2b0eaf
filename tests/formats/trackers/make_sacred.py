"""Make a folder of Sacred 0.8.7 with its FileStorageObserver: `python -m tests.formats.trackers.make_sacred`."""

import math
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

VALUES = [1.0, 0.5, math.nan, math.inf, -math.inf, 1e-320, -3]
LONG = "x" * 5000


def run_experiment(what: str) -> None:
    from sacred import Experiment  # type: ignore[import-not-found]
    from sacred.observers import FileStorageObserver  # type: ignore[import-not-found]

    experiment = Experiment("digits", save_git_info=False)
    experiment.observers.append(FileStorageObserver("runs"))
    experiment.add_config(
        {"lr": 1e-3, "opt": {"name": "adam", "betas": [0.9, 0.999]}, "long": LONG, "имя": "Größe", "none": None}
    )

    def main(_run: object) -> float:
        for step, value in enumerate(VALUES):
            experiment.log_scalar("train.loss", value, step)
        experiment.log_scalar("acc", 0.9, 3)
        experiment.log_scalar("acc", 0.8, 3)
        experiment.info["words"] = "some"
        if what == "failed":
            raise ValueError("boom")
        if what == "killed":
            import time

            time.sleep(12)
            os.kill(os.getpid(), signal.SIGKILL)
        return 0.93

    experiment.main(main)
    experiment.run(options={"--comment": "a note"}, config_updates={"seed": 7})


def make_store(folder: Path) -> None:
    from tests.formats.trackers.archive import LOGIN, pack

    environment = os.environ | {"LOGNAME": LOGIN, "USER": LOGIN, "HOME": str(folder)}
    script = folder / "train.py"
    script.write_bytes(Path(__file__).read_bytes())
    for what in ("run", "failed", "killed"):
        subprocess.run([sys.executable, script.name, what], cwd=folder, env=environment, check=what == "run")
    script.unlink()
    for path in folder.rglob("run.json"):
        path.write_text(re.sub(r'"hostname": "[^"]*"', '"hostname": "box"', path.read_text()))
    pack(folder, "sacred_folder")


if __name__ == "__main__":
    match sys.argv[1:]:
        case [what]:
            run_experiment(what)
        case _:
            with tempfile.TemporaryDirectory() as made:
                make_store(Path(made))
