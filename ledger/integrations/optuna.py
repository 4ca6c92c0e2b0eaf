"""Optuna: each trial is a run, with its own start and end.

from ledger.integrations.optuna import OptunaCallback, record_failed

callback = OptunaCallback("digits")
try:
study.optimize(objective, n_trials=50, callbacks=[callback])
finally:
record_failed(study, callback)
"""

from collections.abc import Mapping
from typing import Any

from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from ledger.integrations.adapter import AdapterRun, harmless, surrounding_run
from ledger.model.values import Direction, Status
from ledger.session.run.run import run as begin

RULE = "value of the Optuna trial"
_STATUS: Mapping[TrialState, Status] = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}


class OptunaCallback:
    """Callback of `study.optimize` that records each trial, children of the run that is open around the study.

    A trial that raises reaches no callback unless `catch` names its error: see `record_failed`. An objective that
    opens runs by itself needs no callback.

    Args:
        experiment: experiment of the runs; by default the name of the study.
        metric: names of the study's values, such as `validation/loss`, one for each direction.
        options: further arguments of `ledger.run()`.
    """

    def __init__(self, experiment: str | None = None, metric: str | list[str] = "objective", **options: Any) -> None:  # noqa: ANN401  # of ledger.run
        self.ledger = AdapterRun(options)
        self._experiment = experiment
        self._metrics = [metric] if isinstance(metric, str) else list(metric)
        self.recorded: set[int] = set()
        """Numbers of the trials that were recorded."""

    @harmless
    def __call__(self, study: Study, trial: FrozenTrial) -> None:
        """Record a trial that has ended; each once."""
        status = _STATUS.get(trial.state)
        if status is None or trial.number in self.recorded or trial.datetime_start is None:
            return
        self.recorded.add(trial.number)
        outer = surrounding_run()
        run = begin(
            **{
                "experiment": self._experiment or study.study_name,
                "params": trial.params,
                "parent": outer.id if outer is not None else None,
                "started_at": trial.datetime_start,
                "output": False,
            }
            | self.ledger.options
            | {"tags": [*self.ledger.options.get("tags", ()), f"trial-{trial.number}"]}
        )
        names = (self._metrics + [f"objective-{number}" for number in range(2, 20)])[: len(study.directions)]
        for step, value in trial.intermediate_values.items():
            run.log({names[0]: value}, step=step)
        for name, direction, value in zip(names, study.directions, trial.values or (), strict=False):
            run.metric(name, value, direction=_direction(direction), evaluator=RULE)
        run.finish(status, ended_at=trial.datetime_complete)


def record_failed(study: Study, callback: OptunaCallback) -> None:
    """Record the trials that no callback was called for: those that failed. Call it when `optimize` has ended.

    Args:
        study: study that has ended, in whichever way.
        callback: callback of that study; what it has recorded is left out.
    """
    for trial in study.get_trials(deepcopy=False, states=(TrialState.FAIL,)):
        callback(study, trial)


def _direction(direction: StudyDirection) -> Direction | None:
    return {StudyDirection.MINIMIZE: "lower", StudyDirection.MAXIMIZE: "higher"}.get(direction)  # type: ignore[return-value]
