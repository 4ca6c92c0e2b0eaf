"""Final metrics, from Python, from the command line, and from files.

A file says `{"accuracy": 0.9}`, `{"validation/accuracy": 0.9}`, `{"validation": {"accuracy": 0.9}}`, the long form
`{"metrics": [{"name": …, "value": …, "split": …}]}`, or what other tools write: `ledger.formats.results`. Numbers are
taken; what is no number is named and left out.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from ledger.capture.inputs.config_files import read_mapping, type_name
from ledger.errors import InvalidDocument, LedgerError, UsageError
from ledger.formats.numbers import read_measured
from ledger.formats.results import OmittedResult, Value, read_results
from ledger.model.boxes.outputs import Metric
from ledger.model.directions import known_direction
from ledger.model.values import Direction, check_label, number, plain

__all__ = ["LAST_VALUE", "MetricsFile", "known_direction", "metric", "parse_key", "parse_metric", "read_metrics"]

LAST_VALUE = "last value of the curve"
"""Evaluator of a metric that nobody stated: it is comparable with others of its kind, never with stated ones."""

_KEYS = ("name", "value", "split", "direction", "evaluator", "step", "epoch", "dataset", "dataset_hash")
_NOT_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_SHOWN = 20
"""Most problems of one file that are reported; a file of another kind would have thousands."""
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
    """Return a checked metric; numpy and torch scalars are accepted, and certain names set the direction.

    Raises:
        LedgerError: a name is invalid, or a value is not a number.
    """
    name = check_label("metric name", _text("metric name", name))
    split, evaluator = _label("split", split), _label("evaluator", evaluator)
    dataset = _label("dataset", dataset)
    if split is not None and "/" in split:
        raise LedgerError(f"the name of a split must not hold `/`: `{split}`")
    if direction not in {None, "higher", "lower"}:
        raise LedgerError(f"the direction must be `higher` or `lower`: `{direction}`")
    return Metric(
        name=name,
        value=number(_float(f"{split}/{name}" if split else name, value)),
        split=split,
        direction=direction or known_direction(name),
        dataset=dataset,
        dataset_hash=dataset_hash,
        evaluator=evaluator,
        step=None if step is None else _step(name, step),
        epoch=None if epoch is None else _float(f"{name}, epoch", epoch),
    )


def parse_key(key: str, value: object) -> Metric:
    """Return the metric for a key `split/name` or `name` and a value.

    Raises:
        LedgerError: the name is invalid, or the value is not a number.
    """
    split, slash, name = key.strip().partition("/")
    return metric(name, value, split=split) if slash else metric(split, value)


def parse_metric(text: str) -> Metric:
    """Return the metric in a text such as `validation/accuracy=0.93`.

    Raises:
        UsageError: there is no `=`, no name, or no number.
    """
    key, equals, value = text.rpartition("=")
    why = ""
    if equals:
        try:
            said = read_measured(value)
            if said.value is not None and not said.doubtful:
                return parse_key(key, said.value)
            why = " (a comma may stand between thousands: write a point)" if said.doubtful else " (no number)"
        except LedgerError as error:
            why = f" ({error})"
    raise UsageError(
        f"a metric must be given as split/name=number{why}: `{ascii(text)[1:-1]}`",
        hint="such as --metric validation/accuracy=0.93",
    )


class MetricsFile(NamedTuple):
    """The content of a metrics file."""

    metrics: list[Metric]
    """The metrics, in the order of the file."""
    notice: str | None = None
    """Values that were left out, and unusual forms of numbers; none when there are none."""


def read_metrics(path: Path) -> MetricsFile:
    """Return the metrics in a JSON, YAML or TOML file, in its order, and what was left out.

    Raises:
        NotFound: there is no such file.
        LedgerError: it cannot be read, is malformed (with the line), or is over 5 MB.
        InvalidDocument: it is not empty, and contains no metric; every problem is named.
    """
    values = read_mapping(path, "metrics", advice="give a file of values over time with --curves instead")
    problems: list[str] = []
    notes: list[str] = []
    found: dict[tuple[object, ...], Metric] = {}
    long_form = isinstance(values.get("metrics"), list)
    made = _of_long_form(values, problems) if long_form else _of_others(values, problems, notes)
    for label, one in made:
        identity = (one.key, one.step, one.epoch, one.evaluator, one.dataset, one.dataset_hash)
        if identity in found:
            problems.append(f"`{label}` appears twice")
        else:
            found[identity] = one
    if problems and not found:
        raise InvalidDocument(
            str(path), _bounded(problems), hint='write names and numbers, such as {"validation/accuracy": 0.93}'
        )
    return MetricsFile(list(found.values()), _notice(problems, notes))


def _notice(problems: Sequence[str], notes: Sequence[str]) -> str | None:
    parts = [f"left out: {', '.join(_bounded(problems))}"] if problems else []
    return "; ".join([*parts, *_bounded(notes)]) or None


def _bounded(problems: Sequence[str]) -> list[str]:
    return [*problems[:_SHOWN], *([f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else [])]


def _of_others(values: Mapping[str, object], problems: list[str], notes: list[str]) -> Iterator[tuple[str, Metric]]:
    for found in read_results(values):
        if isinstance(found, OmittedResult):
            problems.append(f"`{_path_text(found.path)}` ({found.why})")
            continue
        try:
            made = _metric_of(found)
        except LedgerError as error:
            no_number = isinstance(found.value, bool | list | dict | None)
            problems.append(f"`{_path_text(found.path)}` ({type_name(found.value) if no_number else error.message})")
            continue
        notes += [f"`{_path_text(found.path)}` is {found.note}"] if found.note else []
        yield _path_text(found.path), made


def _path_text(path: str) -> str:
    return plain(path).replace("\n", "\\n")


def _metric_of(found: Value) -> Metric:
    made = parse_key(found.key, found.value)
    if found.last:
        made = replace(
            made,
            origin="curve",
            evaluator=LAST_VALUE,
            step=None if found.step is None else _step(found.key, found.step),
        )
    return replace(
        made,
        epoch=found.epoch,
        folds=[number(fold) for fold in found.folds],
        evaluator=made.evaluator or found.evaluator,
    )


def _of_long_form(values: Mapping[str, object], problems: list[str]) -> Iterator[tuple[str, Metric]]:
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
        if unknown or missing:
            continue
        try:
            yield label, metric(**dict(item))
        except LedgerError as error:
            problems.append(f"{label}: {error.message}")


def _unknown(key: str) -> str:
    nearest = difflib.get_close_matches(key, _KEYS, n=1)
    advice = f", did you mean `{nearest[0]}`?" if nearest else f", known are {', '.join(_KEYS)}"
    return f"unknown key `{ascii(key)[1:-1]}`{advice}"


def _label(field: str, text: str | None) -> str | None:
    return None if text is None else check_label(field, _text(field, text))


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
        except Exception:  # noqa: BLE001  # a foreign object may raise anything when it is read
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
