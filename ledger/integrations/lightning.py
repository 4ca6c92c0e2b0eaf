"""Lightning: `Trainer(logger=LightningLogger())`, for `lightning` and `pytorch_lightning` alike.

from ledger.integrations.lightning import LightningLogger

trainer = Trainer(logger=LightningLogger("digits"))
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ledger.integrations.adapter import AdapterRun, harmless
from ledger.integrations.values import results_of
from ledger.model.values import Direction

if "pytorch_lightning" in sys.modules and "lightning.pytorch" not in sys.modules:
    from pytorch_lightning.loggers.logger import DummyExperiment, Logger, rank_zero_experiment
    from pytorch_lightning.utilities import rank_zero_only
else:
    from lightning.pytorch.loggers.logger import DummyExperiment, Logger, rank_zero_experiment
    from lightning.pytorch.utilities import rank_zero_only

RULE = "last value that Lightning logged"
BEST = "best value of Lightning's checkpoint"


class LightningLogger(Logger):
    """Logger that records each training as a run; a run that is open around it is joined.

    The last value of what was logged is stated as a metric, of what a checkpoint monitors its best. The best
    checkpoint is the model.

    Args:
        experiment: experiment of the run.
        options: further arguments of `ledger.run()`.
    """

    def __init__(self, experiment: str | None = None, **options: Any) -> None:  # noqa: ANN401  # of ledger.run
        super().__init__()
        self.ledger = AdapterRun({"experiment": experiment, **options})
        self._last: dict[str, float] = {}
        self._checkpoints: Any = None  # a callback of Lightning, or its weak proxy

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:  # noqa: ANN401  # a Run, or what Lightning has on other ranks
        """The run."""
        seed = os.environ.get("PL_GLOBAL_SEED")  # where `seed_everything` leaves it
        return self.ledger.run or self.ledger.begin(seed=seed) or DummyExperiment()

    @property
    def name(self) -> str:
        """Name of the folder that Lightning makes for checkpoints: its usual one, which is no code."""
        return "lightning_logs"

    @property
    def version(self) -> str:
        """Run id; `0` before the run has begun."""
        return self.ledger.run.id if self.ledger.run else "0"

    @rank_zero_only
    @harmless
    def log_hyperparams(self, params: object, *_: object, **__: object) -> None:
        """Take what `save_hyperparameters` found as params."""
        self.experiment.params(params if isinstance(params, Mapping) else vars(params))

    @rank_zero_only
    @harmless
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log what the module logged."""
        values = dict(metrics)
        epoch = values.pop("epoch", None)
        after = self.ledger.settled  # what `test` measures; the epoch that Lightning then names was never trained
        self.experiment.log(values, step=step, epoch=None if after else epoch)
        self._last |= results_of(values)
        if after:
            self._state(results_of(values))

    @rank_zero_only
    @harmless
    def after_save_checkpoint(self, checkpoint_callback: object) -> None:
        """Remember whose checkpoints they are."""
        self._checkpoints = checkpoint_callback

    @rank_zero_only
    @harmless
    def finalize(self, status: str) -> None:
        """State results at the end of `fit`, `validate` and `test`; the run ends with the next training or process."""
        if self.ledger.run is None or self.ledger.settled:
            return
        if status == "failed":
            self.ledger.finish()
            return
        self._state(self._last)
        if self._checkpoints is not None and (path := self._checkpoints.best_model_path) and Path(path).exists():
            self.ledger.run.model(os.path.relpath(path))
        self.ledger.settle()

    def finish(self) -> None:
        """End the run now."""
        self.ledger.finish()

    def _state(self, values: Mapping[str, float]) -> None:
        last = {name: value for name, value in values.items() if not name.endswith("_step")}
        best, chosen = self._checkpoints, getattr(self._checkpoints, "monitor", None)
        if chosen in last and best.best_model_score is not None:
            del last[chosen]
            direction: Direction = "lower" if best.mode == "min" else "higher"
            self.ledger.state({chosen: float(best.best_model_score)}, BEST, {chosen: direction})
        self.ledger.state(last, RULE)
