"""Hydra: each job is a run, without a line in the script.

hydra:
callbacks:
ledger:
_target_: ledger.integrations.hydra.HydraCallback
experiment: digits
"""

from typing import Any

from hydra.core.utils import JobStatus
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, open_dict

from ledger.integrations.adapter import AdapterRun, harmless

RULE = "return value of the Hydra job"


class HydraCallback(Callback):
    """Callback that records each job as a run, which other adapters in the job join.

    The configuration is the params, without that of Hydra itself. A number that the job returns is the metric
    `objective`.

    Args:
        experiment: experiment of the runs.
        direction: which objectives are better: `higher` or `lower`.
        options: further arguments of `ledger.run()`.
    """

    def __init__(self, experiment: str | None = None, direction: Any = None, **options: Any) -> None:  # noqa: ANN401  # of ledger.run
        self.ledger = AdapterRun({"experiment": experiment, **options}, around=True)
        self._direction = direction

    @harmless
    def on_job_start(self, config: DictConfig, **_: object) -> None:
        """Begin the run."""
        self.ledger.begin()
        if (run := self.ledger.run) is None:
            return
        own = config.copy()
        with open_dict(own):
            hydra = own.pop("hydra", None)
        run.params(OmegaConf.to_container(own, resolve=True, throw_on_missing=False))
        if hydra is not None and (overrides := OmegaConf.select(hydra, "overrides.task")):
            run.note(f"overrides: {' '.join(overrides)}")

    @harmless
    def on_job_end(self, config: DictConfig, job_return: Any, **_: object) -> None:  # noqa: ANN401, ARG002  # of Hydra
        """State the objective, and end the run as the job ended."""
        run = self.ledger.run
        if run is None:
            return
        if job_return.status != JobStatus.COMPLETED:
            error = job_return._return_value  # noqa: SLF001  # the public name raises it
            self.ledger.finish("failed", f"{type(error).__name__}: {error}"[:300])
            return
        value = job_return.return_value
        if isinstance(value, int | float) and not isinstance(value, bool):
            run.metric("objective", value, direction=self._direction, evaluator=RULE)
        self.ledger.settle()
        self.ledger.finish()
