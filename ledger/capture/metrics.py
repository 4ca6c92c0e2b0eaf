"""Final metrics: made from Python, from the command line, and from files in three forms.

A file says `{"accuracy": 0.9}`, `{"validation/accuracy": 0.9}`, `{"validation": {"accuracy": 0.9}}`, or
the long form `{"metrics": [{"name": …, "value": …, "split": …}]}`.
"""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path

from ledger.capture.directions import known_direction
from ledger.capture.structured import read_mapping, type_name
from ledger.errors import InvalidDocument, LedgerError, UsageError
from ledger.model.boxes import Metric
from ledger.model.values import Direction, check_label, number

__all__ = ["known_direction", "metric", "parse_key", "parse_metric", "read_metrics"]

_KEYS = ("name", "value", "split", "direction", "evaluator", "step", "epoch", "dataset", "dataset_hash")
_NOT_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_SHOWN = 20
"""Problems of one file that are told; a file of another kind would have thousands."""
_STEP_LIMIT = 1 << 63


def metric(  # the fields of a metric in their order
    name: str,
    value: object,
    split: str | None = None,
    direction: Direction | None = None,
    evaluator: str | None = None,
    step: int | None = None,
    epoch: float | None = None,
    dataset: str | None = None,
    dataset_hash: str | None = None,
) -> Metric:
    """Return a checked metric; a scalar of numpy or torch is taken, and a certain name sets the direction.

    Raises:
        LedgerError: a name cannot be shown, or a number is none.
    """
    for field, label in (("split", split), ("evaluator", evaluator), ("dataset", dataset)):
        if label is not None:
            check_label(field, _text(field, label))
    check_label("metric name", _text("metric name", name))
    if split is not None and "/" in split:
        raise LedgerError(f"a split must not hold `/`: `{split}`")
    if direction not in {None, "higher", "lower"}:
        raise LedgerError(f"direction is `higher` or `lower`: `{direction}`")
    return Metric(
        name=name,
        value=number(_float(name, value)),
        split=split,
        direction=direction or known_direction(name),
        dataset=dataset,
        dataset_hash=dataset_hash,
        evaluator=evaluator,
        step=None if step is None else _step(name, step),
        epoch=None if epoch is None else _float(f"{name}, epoch", epoch),
    )


def parse_key(key: str, value: object) -> Metric:
    """Return the metric that `split/name` or `name` and a value make.

    Raises:
        LedgerError: the name cannot be shown, or the value is no number.
    """
    split, slash, name = key.strip().partition("/")
    return metric(name, value, split=split) if slash else metric(split, value)


def parse_metric(text: str) -> Metric:
    """Return the metric that `validation/accuracy=0.93` says.

    Raises:
        UsageError: there is no `=`, no name, or no number.
    """
    key, equals, value = text.rpartition("=")
    why = ""
    if equals:
        try:
            return parse_key(key, float(value))
        except LedgerError as error:
            why = f" ({error})"
        except ValueError:
            why = " (no number)"
    raise UsageError(
        f"a metric is given as split/name=number{why}: `{ascii(text)[1:-1]}`",
        hint="such as --metric validation/accuracy=0.93",
    )


def read_metrics(path: Path) -> list[Metric]:
    """Return the metrics that a JSON, YAML or TOML file holds, in its order.

    Raises:
        NotFound: there is no such file.
        LedgerError: it cannot be read, is malformed (with the line), or is over 5 MB.
        InvalidDocument: values are no numbers or keys are unknown; every problem is told.
    """
    values = read_mapping(path, "metrics", advice="give a file of values over time with --curves instead")
    problems: list[str] = []
    found: list[Metric] = []
    seen: set[tuple[object, ...]] = set()
    long_form = isinstance(values.get("metrics"), list)
    for label, read in _long_form(values, problems) if long_form else _short_form("", values):
        try:
            made = metric(**read) if long_form else parse_key(label, read["value"])  # type: ignore[arg-type]  # `metric` checks each
        except LedgerError as error:
            problems.append(f"{label}: {error}" if long_form else str(error))
            continue
        identity = (made.key, made.step, made.epoch, made.evaluator, made.dataset, made.dataset_hash)
        if identity in seen:
            problems.append(f"{label}: stands twice")
        seen.add(identity)
        found.append(made)
    if problems:
        more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise InvalidDocument(
            str(path),
            [*problems[:_SHOWN], *more],
            hint='write names and numbers, such as {"validation/accuracy": 0.93}',
        )
    return found


def _short_form(prefix: str, values: Mapping[str, object]) -> Iterator[tuple[str, dict[str, object]]]:
    for name, value in values.items():
        key = f"{prefix}/{name}" if prefix else str(name)
        if isinstance(value, Mapping):
            yield from _short_form(key, value)
        else:
            yield key, {"value": value}


def _long_form(values: Mapping[str, object], problems: list[str]) -> Iterator[tuple[str, dict[str, object]]]:
    problems += [f"{key}: unknown beside `metrics`" for key in values if key != "metrics"]
    items = values["metrics"]
    for position, item in enumerate(items if isinstance(items, list) else []):
        label = f"metrics[{position}]"
        if not isinstance(item, Mapping):
            problems.append(f"{label}: a mapping expected, not {type_name(item)}")
            continue
        unknown = [str(key) for key in item if key not in _KEYS]
        problems += [f"{label}: {_unknown(key)}" for key in unknown]
        missing = [key for key in ("name", "value") if key not in item]
        problems += [f"{label}: `{key}` is missing" for key in missing]
        if not unknown and not missing:
            yield label, dict(item)


def _unknown(key: str) -> str:
    nearest = difflib.get_close_matches(key, _KEYS, n=1)
    advice = f", did you mean `{nearest[0]}`?" if nearest else f", known are {', '.join(_KEYS)}"
    return f"unknown key `{ascii(key)[1:-1]}`{advice}"


def _text(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise LedgerError(f"{field} must be a text, not {type_name(value)}")
    return value


def _float(name: str, value: object) -> float:
    if isinstance(value, str) and value in _NOT_FINITE:
        return _NOT_FINITE[value]
    plain = value
    if not isinstance(value, bool | int | float | str | list | dict | None):
        try:
            plain = value.item()  # type: ignore[attr-defined]  # numpy and torch scalars have it, others are refused
        except Exception:  # noqa: BLE001  # a foreign object may do anything when it is asked
            raise LedgerError(f"`{name}` must be a number, not {type_name(value)}") from None
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        raise LedgerError(f"`{name}` must be a number, not {type_name(plain)}")
    try:
        return float(plain)
    except OverflowError:
        raise LedgerError(f"`{name}` is too large a number") from None


def _step(name: str, value: object) -> int:
    step = _float(f"{name}, step", value)
    if step != step or not -_STEP_LIMIT < step < _STEP_LIMIT or int(step) != step:  # noqa: PLR0124  # NaN is not itself
        raise LedgerError(f"`{name}, step` must be a whole number: `{step:g}`")
    return int(step)
