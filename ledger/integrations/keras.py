"""Keras 3, with any backend.

from ledger.integrations.keras import KerasCallback

model.fit(x, y, validation_split=0.1, callbacks=[KerasCallback("digits")])
"""

from collections.abc import Mapping
from typing import Any

from keras.callbacks import Callback

from ledger.integrations.adapter import AdapterRun, harmless
from ledger.integrations.values import results_of, series_of

RULE = "last epoch of Keras"
_SPLITS = {"val_": "validation"}


class KerasCallback(Callback):
    """Callback that records each `fit` as a run; a run that is open around it is joined.

    Each epoch is a point, the values of the last one are stated as metrics. Params are the number of epochs, the loss,
    and what differs from the defaults of the optimizer.

    Args:
        experiment: experiment of the run.
        options: further arguments of `ledger.run()`.
    """

    def __init__(self, experiment: str | None = None, **options: Any) -> None:  # noqa: ANN401  # of ledger.run
        super().__init__()
        self.ledger = AdapterRun({"experiment": experiment, **options})
        self._last: dict[str, float] = {}

    @harmless
    def on_train_begin(self, logs: object = None) -> None:  # noqa: ARG002  # Keras passes nothing
        """Begin the run."""
        self._last = {}
        if (run := self.ledger.begin({"epochs": self.params.get("epochs"), **compiled(self.model)})) is not None:
            run.model(module=self.model)

    @harmless
    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Log a point."""
        if self.ledger.run is not None:
            self._last = series_of(logs or {}, _SPLITS, "train")
            self.ledger.run.log(self._last, step=epoch, epoch=epoch + 1)

    @harmless
    def on_train_end(self, logs: object = None) -> None:  # noqa: ARG002  # those of the last epoch again
        """State the results; the run ends with the next training or the process."""
        if self.ledger.run is not None:
            self.ledger.state(results_of(self._last), RULE)
            self.ledger.settle()

    def finish(self) -> None:
        """End the run now."""
        self.ledger.finish()


def compiled(model: Any) -> dict[str, object]:  # noqa: ANN401  # of Keras
    """Return the optimizer and the loss that a model was compiled with."""
    optimizer = model.optimizer
    config, usual = optimizer.get_config(), type(optimizer)().get_config()
    kept = {
        name: float(f"{value:.7g}") if isinstance(value, float) else value  # a float of 32 bits, as it was typed
        for name, value in config.items()
        if name == "learning_rate" or (name != "name" and value != usual.get(name))
    }
    loss = (model.get_compile_config() or {}).get("loss")
    return {"optimizer": {"name": type(optimizer).__name__, **kept}, "loss": loss}
