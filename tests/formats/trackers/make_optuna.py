"""Make storages of Optuna 5.0.0, a database and a journal: `python -m tests.formats.trackers.make_optuna`."""

import math
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

LONG = "x" * 500


def storage(kind: str) -> Any:  # of a library without types here
    import optuna

    if kind == "database":
        return optuna.storages.RDBStorage("sqlite:///study.db")
    return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend("journal.log"))


def objective(trial: Any) -> Any:  # the same
    import optuna

    trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    trial.suggest_int("layers", 1, 9, step=2)
    trial.suggest_categorical("opt", ["adam", "sgd", None, True, 3, 0.5])
    trial.suggest_float("momentum", 0.0, 1.0, step=0.25)
    trial.set_user_attr("имя", "Größe")
    trial.set_user_attr("nested", {"long": LONG})
    for step, value in enumerate([1.0, 0.5, math.inf, -math.inf, 1e-320]):
        trial.report(value, step)
    if trial.number == 1:
        trial.report(math.nan, 9)
        raise optuna.TrialPruned
    if trial.number == 2:
        raise ValueError("boom")
    return math.inf if trial.number == 3 else 0.25


def log_trials(kind: str) -> None:
    import optuna

    study = optuna.create_study(storage=storage(kind), study_name="digits", direction="maximize")
    study.set_user_attr("team", "vision")
    study.enqueue_trial({"lr": 0.01, "layers": 3, "opt": None, "momentum": 0.5})
    study.optimize(objective, n_trials=4, catch=(ValueError,))
    study.enqueue_trial({"lr": 0.5}, user_attrs={"why": "waits"})
    two = optuna.create_study(storage=storage(kind), study_name="zwei", directions=["minimize", "maximize"])
    two.set_metric_names(["loss", "acc"])
    two.optimize(lambda trial: (trial.suggest_float("x", 0, 1) * 0 + 0.5, -math.inf), n_trials=1)
    gone = optuna.create_study(storage=storage(kind), study_name="gone")
    gone.optimize(lambda _: 1.0, n_trials=1)
    optuna.delete_study(study_name="gone", storage=storage(kind))


def log_killed(kind: str) -> None:
    import optuna

    def stop(trial: Any) -> float:  # the same
        trial.suggest_float("lr", 1e-5, 1e-1, log=True)
        trial.report(0.125, 0)
        os.kill(os.getpid(), signal.SIGKILL)
        return 0.0

    optuna.create_study(storage=storage(kind), study_name="killed").optimize(stop, n_trials=1)


def make_store(folder: Path) -> None:
    from tests.formats.trackers.archive import pack

    script = folder / "train.py"
    script.write_bytes(Path(__file__).read_bytes())
    for kind in ("database", "journal"):
        for what in ("trials", "killed"):
            subprocess.run([sys.executable, script.name, what, kind], cwd=folder, check=what == "trials")
    script.unlink()
    pack(folder, "optuna_storage")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["trials", given]:
            log_trials(given)
        case ["killed", given]:
            log_killed(given)
        case _:
            with tempfile.TemporaryDirectory() as made:
                make_store(Path(made))
