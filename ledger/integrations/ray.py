"""Ray Tune: each trial is a run, recorded by the driver.

from ledger.integrations.ray import RayCallback

tuner = tune.Tuner(train, run_config=tune.RunConfig(callbacks=[RayCallback("digits", metric="validation/loss")]))
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ray.tune.logger import LoggerCallback
from ray.tune.result import AUTO_RESULT_KEYS

from ledger.integrations.adapter import AdapterRun, harmless
from ledger.integrations.values import results_of
from ledger.model.directions import known_direction
from ledger.model.values import Direction
from ledger.session.run.run import run as begin

RULE = "last result of the Ray trial"
_OF_RAY = frozenset({*AUTO_RESULT_KEYS, "should_checkpoint", "checkpoint_dir_name", "config"})
"""What Ray adds to each result."""


class RayCallback(LoggerCallback):
    """Callback of the driver that records each trial when it ends, with its own start.

    The workers of Ray work in folders of their own, where there is no repository: nothing runs there. After a restore
    the points that are trained again replace the former ones. What a driver has not recorded is part of Ray's
    checkpoint of the experiment, and is recorded by the one that goes on.

    Args:
        experiment: experiment of the runs.
        metric: name of the result that matters, where its name does not tell which values are better.
        direction: which values of it are better.
        folder: folder in the repository; the current one, as it is now.
        options: further arguments of `ledger.run()`.
    """

    def __init__(
        self,
        experiment: str | None = None,
        *,
        metric: str | None = None,
        direction: Direction | None = None,
        folder: str | os.PathLike[str] = ".",
        **options: Any,  # noqa: ANN401  # of ledger.run
    ) -> None:
        self.ledger = AdapterRun({"experiment": experiment, "folder": str(Path(folder).resolve()), **options})
        self._directions: dict[str, Direction] = {metric: direction} if metric and direction else {}
        self._started: dict[str, datetime] = {}
        self._points: dict[str, dict[int, dict[str, float]]] = {}

    @harmless
    def log_trial_start(self, trial: Any) -> None:  # noqa: ANN401  # a Trial
        """Note when a trial began; one that is started again goes on."""
        self._started.setdefault(trial.trial_id, datetime.now(UTC))

    @harmless
    def log_trial_result(self, iteration: int, trial: Any, result: Mapping[str, Any]) -> None:  # noqa: ANN401, ARG002
        """Keep a point, instead of those that were trained before at this step and later ones."""
        step = int(result["training_iteration"])
        before = self._points.get(trial.trial_id, {})
        kept = {one: values for one, values in before.items() if one < step}
        values = results_of({name: value for name, value in result.items() if name not in _OF_RAY})
        self._points[trial.trial_id] = {**kept, step: values}

    @harmless
    def log_trial_end(self, trial: Any, failed: bool = False) -> None:  # noqa: ANN401, FBT001, FBT002  # of Ray
        """Record a trial."""
        now = datetime.now(UTC)
        points = self._points.pop(trial.trial_id, {})
        given = dict(self.ledger.options)
        tags = [*given.pop("tags", ()), f"trial-{trial.trial_id}"]
        params = {**(given.pop("params", None) or {}), **(trial.config or {})}
        started = self._started.pop(trial.trial_id, now)
        run = begin(**given, params=params, tags=tags, started_at=started, output=False)
        for step, values in points.items():
            run.log(values, step=step)
        for name, value in points[max(points)].items() if points else ():
            direction = self._directions.get(name) or known_direction(name.rpartition("/")[2])
            if direction is not None:
                run.metric(name, value, direction=direction, evaluator=RULE)
        run.finish("failed" if failed else "finished", _reason(trial) if failed else None, ended_at=now)

    def get_state(self) -> dict[str, Any]:
        """Return what Ray keeps in its checkpoint of the experiment."""
        return {"started": self._started, "points": self._points}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from such a checkpoint."""
        self._started, self._points = dict(state["started"]), dict(state["points"])


def _reason(trial: Any) -> str | None:  # noqa: ANN401
    """Return the last line of a trial's error: its type and text."""
    file = getattr(trial, "error_file", None)
    lines = Path(file).read_text("utf-8", "replace").strip().splitlines() if file and Path(file).is_file() else []
    return lines[-1][:300] if lines else None
