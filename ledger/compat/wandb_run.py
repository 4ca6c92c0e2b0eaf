"""The run of W&B, with its configuration and its summary, as one that writes to the ledger."""

import fnmatch
import glob
import os
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ledger.compat.media import Histogram, Image, MediaTable
from ledger.compat.nothing import Nothing, nothing, say_once
from ledger.integrations.adapter import AdapterRun, harmless
from ledger.integrations.values import LatePoints
from ledger.model.directions import known_direction
from ledger.model.values import Direction

_MODELS = {".pt", ".pth", ".ckpt", ".safetensors", ".onnx", ".h5", ".keras", ".pkl", ".joblib", ".bin"}
_MOST_PICTURES = 50
"""Most pictures of a run: a record is no album."""
_MOST_PARAMS = 60
"""Most values of a configuration that are params; a larger one, as Transformers has, is a table."""
_GOALS: Mapping[str | None, Direction] = {"minimize": "lower", "maximize": "higher", "min": "lower", "max": "higher"}


class WandbConfig(MutableMapping[str, Any]):
    """The configuration: values by name, as items and as attributes; each becomes a param.

    Args:
        ledger: run that it belongs to; none before it has begun.
    """

    ledger: AdapterRun

    def __init__(self, ledger: AdapterRun) -> None:
        self.__dict__["ledger"] = ledger
        self.__dict__["_values"] = {}

    @harmless
    def update(self, values: Any = (), /, allow_val_change: bool | None = None, **more: Any) -> None:  # noqa: ANN401, ARG002, FBT001  # W&B's
        """Add values; later ones replace earlier ones."""
        given = dict(values if isinstance(values, Mapping) else vars(values) if hasattr(values, "__dict__") else values)
        given |= more
        self._values.update(given)
        run = self.ledger.run
        if run is None:
            return
        if len(given) > _MOST_PARAMS:
            rows = [[name, str(value)] for name, value in sorted(given.items()) if "token" not in name]
            run.table("config", rows, columns=["name", "value"])
            given = _chosen(given)
        run.params(given)

    def setdefaults(self, values: Mapping[str, Any]) -> None:
        """Add values that are not there."""
        self.update({name: value for name, value in values.items() if name not in self._values})

    def as_dict(self) -> dict[str, Any]:
        """Return all values."""
        return dict(self._values)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:  # noqa: ANN401
        self.update({name: value})

    def __delitem__(self, name: str) -> None:
        del self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        try:
            return self.__dict__["_values"][name]
        except KeyError:
            raise AttributeError(f"the configuration has no value `{name}`") from None

    def __setattr__(self, name: str, value: Any) -> None:  # noqa: ANN401
        self.update({name: value})


class WandbSummary(WandbConfig):
    """The summary: each number that is set is a metric of the run."""

    def note(self, values: Mapping[str, Any]) -> None:
        """Keep the last values of what was logged, for whoever reads them; they are no metrics."""
        self._values.update(values)

    @harmless
    def update(self, values: Any = (), /, allow_val_change: bool | None = None, **more: Any) -> None:  # noqa: ANN401, ARG002, FBT001  # W&B's
        """State metrics; later ones replace earlier ones."""
        given = {**dict(values), **more}
        self._values.update(given)
        for name, value in given.items():
            number = getattr(value, "item", lambda value=value: value)()
            if isinstance(number, int | float) and not isinstance(number, bool) and self.ledger.run is not None:
                self.ledger.run.metric(name, number)


class WandbRun:
    """A run of W&B that is one of the ledger; nothing of it raises.

    Args:
        ledger: run that it writes to; one that was never begun records nothing.
        attributes: what W&B calls it: `name`, `project`, `entity`, `group`, `job_type`, `tags`, `notes`.
    """

    def __init__(self, ledger: AdapterRun, attributes: Mapping[str, Any]) -> None:
        self.ledger = ledger
        ledger.conclude = self._conclude
        self.disabled = ledger.run is None
        self.id = ledger.run.id if ledger.run is not None else "disabled"
        self.name = attributes.get("name") or self.id
        self.project = attributes.get("project") or ""
        self.entity = attributes.get("entity") or ""
        self.group = attributes.get("group") or ""
        self.job_type = attributes.get("job_type") or ""
        self.tags = tuple(attributes.get("tags") or ())
        self.notes = attributes.get("notes") or ""
        self.url = self.sweep_id = None
        self.step = 0
        self.config = WandbConfig(ledger)
        self.summary = WandbSummary(ledger)
        self._points = LatePoints(ledger.run) if ledger.run is not None else None
        self._rules: dict[str, tuple[str | None, Direction | None]] = {}
        self._series: dict[str, list[float]] = {}
        self._histograms: dict[str, Histogram] = {}
        self._pictures = 0
        self._axis: str | None = None

    @harmless
    def log(self, data: Mapping[str, Any], step: int | None = None, commit: bool | None = None, **_: object) -> None:  # noqa: FBT001  # W&B's
        """Log one row. A step before the last one is kept, which W&B drops."""
        if step is None and self._axis is not None and self._axis in data:
            data = dict(data)
            step = int(data.pop(self._axis))
        if step is not None:
            self.step = max(self.step, step)
        at = self.step if step is None else step
        numbers = {name: value for name, value in data.items() if not self._keep(str(name), value)}
        if numbers and self._points is not None:
            self._points.log(numbers, step=at)
            self.summary.note(numbers)
            self._follow(numbers)
        if step is None and commit is not False:
            self.step += 1

    def _keep(self, name: str, value: Any) -> bool:  # noqa: ANN401
        """Keep what is no number, and return whether it was that."""
        run = self.ledger.run
        if isinstance(value, list | tuple) and value and all(isinstance(one, Image) for one in value):
            return all(self._keep(f"{name} {number}", one) for number, one in enumerate(value))
        if hasattr(value, "savefig"):
            value = Image(value)
        if isinstance(value, Image):
            self._pictures += 1
            if self._pictures > _MOST_PICTURES:
                say_once("wandb.Image", f"is kept {_MOST_PICTURES} times in a run")
            elif run is not None:
                run.figure(value.drawable(), f"{name} {value.caption}" if value.caption else name)
        elif isinstance(value, MediaTable):
            if run is not None:
                run.table(name, value.cells(), columns=value.columns)
        elif isinstance(value, Histogram):
            self._histograms[name] = value
        elif isinstance(value, Nothing):
            say_once(f"wandb.log of {name}")
        else:
            return isinstance(value, str)
        return True

    def define_metric(
        self, name: str, step_metric: object = None, summary: str | None = None, goal: str | None = None, **_: object
    ) -> None:
        """State at the end the `min`, `max`, `mean` or `last` of a series, or of all that match `name`.

        With the name `*`, the series `step_metric` is the step of all.
        """
        if name == "*" and isinstance(step_metric, str):
            self._axis = step_metric
        if summary is not None or goal is not None:
            self._rules[name] = (summary, _GOALS.get(goal))

    def _follow(self, numbers: Mapping[str, Any]) -> None:
        for name in numbers:
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in self._rules):
                value = float(numbers[name])
                low, high, total, count, _ = self._series.get(name, [value, value, 0.0, 0.0, value])
                self._series[name] = [min(low, value), max(high, value), total + value, count + 1, value]

    def _conclude(self) -> None:
        """Add what is known only at the end: values by the rules of `define_metric`, and the last histograms."""
        if self._points is None or (run := self.ledger.run) is None:
            return
        self._points.flush()
        for name, histogram in self._histograms.items():
            run.table(name, histogram.cells(), columns=["from", "to", "count"])
        for name, (low, high, total, count, last) in self._series.items():
            rule, goal = next(said for pattern, said in self._rules.items() if fnmatch.fnmatchcase(name, pattern))
            goal = goal or _GOALS.get(rule) or known_direction(name.rpartition("/")[2])
            if rule == "best":
                rule = {"lower": "min", "higher": "max"}.get(goal or "", "last")
            values = {"min": low, "max": high, "mean": total / count, "last": last, None: last}
            if rule in values:
                run.metric(name, values[rule], direction=goal, evaluator=f"{rule or 'last'} of what was logged")

    @harmless
    def save(self, glob_str: str | None = None, *_: object, **__: object) -> None:
        """Record a file of a model; nothing is uploaded."""
        found = glob.glob(str(glob_str)) if glob_str else []  # noqa: PTH207  # an absolute pattern, too
        if len(found) == 1 and Path(found[0]).suffix in _MODELS and self.ledger.run is not None:
            self.ledger.run.model(found[0])
        else:
            say_once("wandb.save", "uploads nothing here")

    @property
    def dir(self) -> str:
        """Folder for files of the run."""
        folder = Path("wandb", f"run-{self.id}", "files")
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)

    def log_artifact(self, *_: object, **__: object) -> Any:  # noqa: ANN401
        """Do nothing: a record has the hash of data and models, and the files stay where they are."""
        return nothing("wandb.log_artifact")()

    def use_artifact(self, *_: object, **__: object) -> Any:  # noqa: ANN401
        """Do nothing."""
        return nothing("wandb.use_artifact")()

    def watch(self, *_: object, **__: object) -> list[object]:
        """Do nothing."""
        say_once("wandb.watch")
        return []

    def get_url(self) -> None:
        """Return none: a record has no address of its own."""

    @harmless
    def finish(self, exit_code: int | None = None, *_: object, **__: object) -> None:
        """End the run."""
        self.ledger.finish(*(("failed", f"exit code {exit_code}") if exit_code else ()))

    join = finish

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self.ledger.settled = False  # the exception being handled is the end
        self.finish()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # W&B's run has some seventy methods
        if name.startswith("__") or name == "ledger":
            raise AttributeError(name)
        return nothing(f"wandb.run.{name}")


def _chosen(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was chosen of a large configuration: of Transformers what differs from its defaults."""
    if "per_device_train_batch_size" in values:
        from ledger.integrations.transformers import changed_of

        return changed_of(values)
    return {name: value for name, value in values.items() if isinstance(value, bool | int | float | str)}


def environment(name: str) -> str | None:
    """Return a variable of W&B."""
    return os.environ.get(f"WANDB_{name}") or None
