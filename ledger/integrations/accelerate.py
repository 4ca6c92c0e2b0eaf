"""Accelerate: importing this makes `Accelerator(log_with="ledger")` work.

import ledger.integrations.accelerate

accelerator = Accelerator(log_with="ledger")
accelerator.init_trackers("digits", config={"lr": 0.1})
"""

from collections.abc import Mapping
from typing import Any

from accelerate.tracking import GeneralTracker, on_main_process, register_tracker_class

from ledger.integrations.adapter import AdapterRun, harmless
from ledger.integrations.values import LatePoints


class AccelerateTracker(GeneralTracker):
    """Tracker that records a training as a run; a run that is open around it is joined.

    Args:
        run_name: experiment of the run: what `init_trackers` calls the project.
        options: further arguments of `ledger.run()`: `init_trackers(init_kwargs={"ledger": {…}})`.
    """

    name = "ledger"
    requires_logging_directory = False
    main_process_only = True

    def __init__(self, run_name: str | None = None, **options: Any) -> None:  # noqa: ANN401  # of ledger.run
        super().__init__()
        self.ledger = AdapterRun({"experiment": run_name, **options}, self._flush, around=True)
        self._points: LatePoints | None = None

    @property
    def tracker(self) -> Any:  # noqa: ANN401  # a Run on the main process, none elsewhere
        """The run."""
        return self.ledger.run

    @on_main_process
    @harmless
    def start(self) -> None:
        """Begin the run."""
        if (run := self.ledger.begin()) is not None:
            self._points = LatePoints(run)

    @on_main_process
    @harmless
    def store_init_configuration(self, values: Mapping[str, object]) -> None:
        """Take the configuration as params."""
        if self.ledger.run is not None:
            self.ledger.run.params(values)

    @on_main_process
    @harmless
    def log(self, values: Mapping[str, object], step: int | None = None, **_: object) -> None:
        """Log a point."""
        if self._points is not None:
            self._points.log(values, step=step)

    @on_main_process
    @harmless
    def finish(self) -> None:
        """End the run; the last value of each series is a result."""
        self.ledger.settle()
        self.ledger.finish()

    def _flush(self) -> None:
        if self._points is not None:
            self._points.flush()


register_tracker_class(AccelerateTracker)
