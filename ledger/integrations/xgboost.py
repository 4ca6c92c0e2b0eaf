"""XGBoost: `xgboost.train(params, …, callbacks=[XGBoostCallback("digits", params=params)])`."""

from collections.abc import Mapping
from typing import Any

from xgboost.callback import TrainingCallback

from ledger.integrations.adapter import AdapterRun, harmless
from ledger.integrations.values import results_of
from ledger.model.values import Direction

RULE = "last round of XGBoost"
BEST = "best round of XGBoost"
_LOWER = {"logloss", "mlogloss", "merror", "mphe", "poisson-nloglik", "gamma-nloglik", "cox-nloglik", "gamma-deviance"}
"""Metrics of XGBoost whose names alone do not tell that lower values are better."""


class XGBoostCallback(TrainingCallback):
    """Callback that records each training as a run; a run that is open around it is joined.

    Each round is a point; with early stopping the best round is stated as metrics, else the last one. XGBoost tells a
    callback no params: pass them.

    Args:
        experiment: experiment of the run.
        options: further arguments of `ledger.run()`, such as `params`.
    """

    def __init__(self, experiment: str | None = None, **options: Any) -> None:  # noqa: ANN401  # of ledger.run
        super().__init__()
        self.ledger = AdapterRun({"experiment": experiment, **options})
        self._history: Mapping[str, Mapping[str, list[Any]]] = {}

    def before_training(self, model: Any) -> Any:  # noqa: ANN401  # a Booster, or the folds of cv
        """Begin the run."""
        self._history = {}
        self.ledger.begin(self.ledger.options.get("params"))
        return model

    def after_iteration(self, model: object, epoch: int, evals_log: Any) -> bool:  # noqa: ANN401, ARG002  # of XGBoost
        """Log a point; the training goes on."""
        self._log(epoch, evals_log)
        return False

    @harmless
    def _log(self, epoch: int, history: Mapping[str, Mapping[str, list[Any]]]) -> None:
        self._history = history
        if self.ledger.run is not None:
            self.ledger.run.log(_at(history, -1), step=epoch)

    def after_training(self, model: Any) -> Any:  # noqa: ANN401
        """State the results; the run ends with the next training or the process."""
        self._settle(model)
        return model

    @harmless
    def _settle(self, model: Any) -> None:  # noqa: ANN401
        try:
            best = model.best_iteration
        except AttributeError:  # no early stopping
            best = None
        values = results_of(_at(self._history, -1 if best is None else best))
        lower: dict[str, Direction] = {name: "lower" for name in values if name.rpartition("/")[2] in _LOWER}
        self.ledger.state(values, RULE if best is None else BEST, lower)
        self.ledger.settle()

    def finish(self) -> None:
        """End the run now."""
        self.ledger.finish()


def _at(history: Mapping[str, Mapping[str, list[Any]]], at: int) -> dict[str, float]:
    """Return the values of one round by data and metric; of cross-validation the mean of its folds."""
    return {
        f"{data}/{metric}": float(values[at][0] if isinstance(values[at], tuple) else values[at])
        for data, metrics in history.items()
        for metric, values in metrics.items()
        if values
    }
