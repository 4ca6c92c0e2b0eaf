"""Transformers, and TRL, whose trainers are trainers of Transformers.

from ledger.integrations.transformers import TransformersCallback

trainer = Trainer(model, arguments, callbacks=[TransformersCallback("digits")])
"""

import dataclasses
import enum
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainingArguments
from transformers.trainer_pt_utils import AcceleratorConfig

from ledger.analysis.comparing.settings import is_place
from ledger.integrations.adapter import AdapterRun, harmless
from ledger.integrations.values import results_of, series_of
from ledger.model.values import Direction

RULE = "last evaluation of the Trainer"
BEST = "evaluation of the Trainer's best checkpoint"
ALWAYS = ("learning_rate", "num_train_epochs", "per_device_train_batch_size", "seed")
"""Arguments that are params although nobody has changed them."""
_OUTPUTS = {"report_to", "disable_tqdm", "log_level", "logging_steps", "logging_strategy", "save_steps"}
"""Arguments that say what is shown and kept, and set nothing."""
_SPLITS = {"eval_": "validation", "test_": "test"}


class TransformersCallback(TrainerCallback):
    """Callback that records each training as a run; a run that is open around it is joined.

    Arguments that differ from their defaults are params, all of them are a table. The last evaluation is stated as
    metrics, or that of the best checkpoint where the trainer loads it at the end.

    Args:
        experiment: experiment of the run.
        options: further arguments of `ledger.run()`.
    """

    def __init__(self, experiment: str | None = None, **options: Any) -> None:  # noqa: ANN401  # of ledger.run
        self.ledger = AdapterRun({"experiment": experiment, **options})
        self._last: dict[str, float] = {}

    @harmless
    def on_train_begin(self, args: Any, state: Any, control: object, model: object = None, **_: object) -> None:  # noqa: ANN401, ARG002  # of Transformers
        """Begin the run."""
        if not state.is_world_process_zero:
            return
        self._last = {}
        params = {**changed(args), **(state.trial_params or {})}
        run = self.ledger.begin(params, total_steps=state.max_steps if state.max_steps > 0 else None)
        if run is not None:
            run.model(module=model)
            run.table("training arguments", [[name, str(value)] for name, value in sorted(args.to_dict().items())],
                      columns=["argument", "value"])  # fmt: skip

    @harmless
    def on_log(self, args: object, state: Any, control: object, logs: Any = None, **_: object) -> None:  # noqa: ANN401, ARG002
        """Log a point; the summary at the end of a training is none."""
        if self.ledger.run is not None and logs and "train_runtime" not in logs:
            self.ledger.run.log(series_of(logs, _SPLITS, "train"), step=state.global_step, epoch=state.epoch)

    @harmless
    def on_evaluate(self, args: object, state: object, control: object, metrics: Any = None, **_: object) -> None:  # noqa: ANN401, ARG002
        """Keep the results of an evaluation; after the training, state them."""
        if self.ledger.run is not None and metrics:
            self._last |= evaluated(metrics)
            if self.ledger.settled:
                self.ledger.state(evaluated(metrics), RULE)

    @harmless
    def on_predict(self, args: object, state: object, control: object, metrics: Any = None, **_: object) -> None:  # noqa: ANN401, ARG002
        """State the results on a test set."""
        if self.ledger.run is not None and metrics:
            self.ledger.state(evaluated(metrics), RULE)

    @harmless
    def on_train_end(self, args: Any, state: Any, control: object, model: object = None, **_: object) -> None:  # noqa: ANN401, ARG002
        """State the results; the run ends with the next training or the process."""
        if self.ledger.run is None:
            return
        monitored: dict[str, Direction] = {}
        if args.metric_for_best_model is not None:
            name = f"validation/{args.metric_for_best_model.removeprefix('eval_')}"
            monitored[name] = "higher" if args.greater_is_better else "lower"
        if best := _best(args, state):
            self.ledger.state(best, BEST, monitored)
        else:
            self.ledger.state(self._last, RULE, monitored)
        folder = state.best_model_checkpoint or Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if (weights := Path(folder) / "model.safetensors").is_file():
            self.ledger.run.model(weights, model)
        self.ledger.settle()

    def finish(self) -> None:
        """End the run now."""
        self.ledger.finish()


def changed(arguments: Any) -> dict[str, object]:  # noqa: ANN401  # a dataclass, made by Transformers or TRL
    """Return the arguments that differ from their defaults, those that say where something goes left out."""
    given = {field.name: getattr(arguments, field.name) for field in dataclasses.fields(arguments)}
    return changed_of(given, type(arguments))


def changed_of(values: Mapping[str, object], kind: Any = TrainingArguments) -> dict[str, object]:  # noqa: ANN401
    """Return those values that are arguments and differ from their defaults.

    Args:
        values: arguments by name; what is none of them is left out.
        kind: dataclass of the arguments.
    """
    return {
        name: value
        for name, value, default in _fields(values, kind)
        if name in ALWAYS or not (_same(value, default) or is_place(name) or name in _OUTPUTS or "token" in name)
    }


def evaluated(metrics: Mapping[str, object]) -> dict[str, float]:
    """Return results by name, `validation/loss` for `eval_loss`."""
    return results_of(series_of(metrics, _SPLITS, "validation"))


def _fields(values: Mapping[str, object], kind: Any) -> Iterator[tuple[str, object, object]]:  # noqa: ANN401
    for field in dataclasses.fields(kind):
        make = field.default_factory
        default = field.default if make is dataclasses.MISSING else make()
        if field.name in values:
            yield field.name, _plain(values[field.name]), default


def _same(value: object, default: object) -> bool:
    """Return whether a value is the default, or what Transformers itself makes of it."""
    if default is None and isinstance(value, AcceleratorConfig | dict):
        made = vars(AcceleratorConfig())
        given = value if isinstance(value, dict) else vars(value)
        return all(name in made and made[name] == one for name, one in given.items())
    return value == _plain(default) or (not value and default in {None, "", "none"})


def _plain(value: object) -> object:
    return value.value if isinstance(value, enum.Enum) else value


def _best(args: Any, state: Any) -> dict[str, float]:  # noqa: ANN401
    """Return the evaluation of the checkpoint that the trainer has loaded at the end; empty where it has not."""
    step = getattr(state, "best_global_step", None)
    if not args.load_best_model_at_end or step is None:
        return {}
    rows = [row for row in state.log_history if row.get("step") == step and any(n.startswith("eval_") for n in row)]
    return {name: value for row in rows for name, value in evaluated(_only_eval(row)).items()}


def _only_eval(row: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name.startswith("eval_")}
