"""LightGBM: `lightgbm.train(params, …, callbacks=[LightGBMCallback("digits")])`."""

from typing import Any

from ledger.integrations.adapter import AdapterRun, harmless
from ledger.model.values import Direction

RULE = "last round of LightGBM"
BEST = "best round of LightGBM"


class LightGBMCallback:
    """Callback that records each training as a run; a run that is open around it is joined.

    Each round is a point, the last one is stated as metrics; with early stopping the best one, when the run ends or
    `finish` is called. LightGBM says itself which values are better.

    Args:
        experiment: experiment of the run.
        options: further arguments of `ledger.run()`.
    """

    order = 20
    """After the evaluation of a round, and before early stopping ends the training."""
    before_iteration = False

    def __init__(self, experiment: str | None = None, **options: Any) -> None:  # noqa: ANN401  # of ledger.run
        self.ledger = AdapterRun({"experiment": experiment, **options}, self._conclude)
        self._rounds: dict[int, dict[str, float]] = {}
        self._directions: dict[str, Direction] = {}
        self._model: Any = None

    @harmless
    def __call__(self, env: Any) -> None:  # noqa: ANN401  # CallbackEnv
        """Log a point; state the results in the last round."""
        if env.iteration == env.begin_iteration:
            self._rounds = {}
            self.ledger.begin({name: value for name, value in env.params.items() if name != "verbose"})
        if self.ledger.run is None or not env.evaluation_result_list:
            return
        rows = [
            (f"{data}/{metric}", float(value), bigger) for data, metric, value, bigger, *_ in env.evaluation_result_list
        ]
        self._rounds[env.iteration] = {name: value for name, value, _ in rows}
        self._directions = {name: "higher" if bigger else "lower" for name, _, bigger in rows}
        self._model = env.model
        self.ledger.run.log(self._rounds[env.iteration], step=env.iteration)
        self.ledger.settle()  # nobody is told when a training ends early
        if env.iteration == env.end_iteration - 1:
            self.ledger.state(self._rounds[env.iteration], RULE, self._directions)

    def finish(self) -> None:
        """State the results, and end the run now."""
        self.ledger.finish()

    def _conclude(self) -> None:
        """State the round in which early stopping left the model."""
        best = getattr(self._model, "best_iteration", 0) - 1
        if (values := self._rounds.get(best)) is not None:
            self.ledger.state(values, BEST, self._directions)
