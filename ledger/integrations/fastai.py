"""fastai: `Learner(dls, model, cbs=[FastaiCallback("digits")])`."""

from typing import Any

from fastai.callback.core import Callback
from fastai.torch_core import rank_distrib

from ledger.integrations.adapter import AdapterRun, harmless
from ledger.integrations.values import LatePoints, results_of

RULE = "last epoch of fastai"
_NAMES = {"train_loss": "train/loss", "valid_loss": "validation/loss"}


class FastaiCallback(Callback):
    """Callback that records the trainings of a learner as a run; a run that is open around it is joined.

    A learner that is fitted again, as `fine_tune` does, goes on with its model, and so does its run. The loss of each
    batch and what the recorder shows of each epoch are points, the last epoch is stated as metrics.

    Args:
        experiment: experiment of the run.
        options: further arguments of `ledger.run()`.
    """

    order = 65
    """After the recorder, whose values it reads."""

    def __init__(self, experiment: str | None = None, **options: Any) -> None:  # noqa: ANN401  # of ledger.run
        super().__init__()
        self.ledger = AdapterRun({"experiment": experiment, **options})
        self._points: LatePoints | None = None
        self._steps = self._epochs = 0

    @harmless
    def before_fit(self) -> None:
        """Begin the run, or go on; the search for a learning rate and predictions are no training."""
        self._points = None
        if hasattr(self.learn, "lr_finder") or hasattr(self.learn, "gather_preds") or rank_distrib() > 0:
            return
        run = self.ledger.run
        if run is None or not self.ledger.settled:
            self._steps = self._epochs = 0
            run = self.ledger.begin()
        self.ledger.settled = False
        if run is not None:
            run.params(
                {
                    "epochs": self._epochs + self.learn.n_epoch,
                    "lr": self.learn.opt.hypers[-1]["lr"],
                    "batch_size": getattr(self.learn.dls, "bs", None),
                    "optimizer": getattr(self.learn.opt_func, "__name__", str(self.learn.opt_func)),
                }
            )
            run.model(module=self.learn.model)
            self._points = LatePoints(run)

    @harmless
    def after_batch(self) -> None:
        """Log the loss of a batch."""
        if self._points is not None and self.learn.training:
            self._points.log({"train/batch_loss": self.learn.loss}, step=self._steps + self.learn.train_iter)

    @harmless
    def after_epoch(self) -> None:
        """Log what the recorder shows."""
        if self._points is not None:
            values = self._values()
            step, epoch = self._steps + self.learn.train_iter, self._epochs + self.learn.epoch + 1
            self._points.log(values, step=step, epoch=epoch)

    @harmless
    def after_fit(self) -> None:
        """State the results; the run ends with the next training or the process."""
        if self._points is not None:
            self._points.flush()
            self._points = None
            self._steps, self._epochs = self._steps + self.learn.train_iter, self._epochs + self.learn.n_epoch
            self.ledger.state(results_of(self._values()), RULE)
            self.ledger.settle()

    def finish(self) -> None:
        """End the run now."""
        self.ledger.finish()

    def _values(self) -> dict[str, float]:
        recorder = self.learn.recorder
        named = dict(zip(recorder.metric_names, recorder.log, strict=False))
        return {
            _NAMES.get(name, f"validation/{name}"): float(value)
            for name, value in named.items()
            if name not in {"epoch", "time"} and value is not None
        }
