"""Final values in files of trainers, evaluation harnesses and people: which are metrics, and which are not.

Known formats are lm-evaluation-harness, the state of the Transformers Trainer, the summary of W&B, the classification
report of scikit-learn, its cross-validation and that of others, and the history of Keras. Everything else is read as
names and numbers, nested or not.
"""

import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ledger.formats.numbers import read_measured

_HARNESS = ("versions", "configs", "config", "n-shot", "n-samples")
"""Keys beside `results` in files of lm-evaluation-harness, at least one of which is present."""
_WANDB = {"_step", "_runtime", "_timestamp", "_wandb"}
_REPORT = {"precision", "recall", "f1-score", "support"}
_AVERAGES = ("accuracy", "macro avg", "weighted avg", "micro avg", "samples avg")
"""Averages in a classification report, in order."""
_LISTED_AXES = {"epoch", "epochs", "step", "steps"}
_TRACES = {"loss", "train_loss", "val_loss", "lr", "learning_rate", *_LISTED_AXES}
"""Names of lists with a value for each epoch, not for each fold."""
_AXES = {"step", "epoch", "global_step"}
_FOLD = re.compile(r"(?:fold|split|cv)[_ -]?\d+", re.IGNORECASE)
_OF_FOLDS = re.compile(r"fold|cv\b|cross", re.IGNORECASE)
_MOST_FOLDS = 100
_IDS = re.compile(r"version|date|time|commit|sha|hash|tag|seed|name|path|file|(?:^|_)id$|uuid", re.IGNORECASE)
"""Names whose texts are never numbers, whatever their form."""


class Value(NamedTuple):
    """One value in a file."""

    path: str
    """Full path of the value."""
    key: str
    """Key `split/name` of its metric."""
    value: object
    """The number as written."""
    folds: list[float] = []
    """Values that it is the mean of."""
    step: int | None = None
    """Step of the last value of a history."""
    epoch: float | None = None
    """Epoch of the last value of a history."""
    last: bool = False
    """Whether it is the last value of a history, and not a stated final value."""
    evaluator: str | None = None
    """Evaluator, where the file names one."""
    note: str | None = None
    """Original form, where that was not a plain number."""


class OmittedResult(NamedTuple):
    """A value in a file that is no metric."""

    path: str
    """Full path of the value."""
    why: str
    """What it is instead."""


Found = Value | OmittedResult


def read_results(values: Mapping[str, object]) -> Iterator[Found]:
    """Yield the values of a file, and what is left out with the reason; every name appears once."""
    results = values.get("results")
    if isinstance(results, Mapping) and any(key in values for key in _HARNESS):
        yield from _of_harness(values, results)
    elif isinstance(values.get("log_history"), list):
        yield from _of_trainer(values)
    else:
        yield from _walk("", "", values)


def _of_harness(values: Mapping[str, object], results: Mapping[str, object]) -> Iterator[Found]:
    versions = values.get("versions")
    tool = values.get("lm_eval_version")
    for task, measured in results.items():
        version = versions.get(task) if isinstance(versions, Mapping) else None
        said = [f"lm-evaluation-harness {tool}"] if isinstance(tool, str) else []
        said += [f"task version {version}"] if isinstance(version, int | float | str) else []
        if not isinstance(measured, Mapping):
            yield from _one(f"results/{task}", str(task), measured)
            continue
        for name, value in measured.items():
            for found in _one(f"results/{task}/{name}", f"{task}/{str(name).removesuffix(',none')}", value):
                yield found._replace(evaluator=", ".join(said) or None) if isinstance(found, Value) else found
    for name in values:
        if name != "results":
            yield OmittedResult(name, "about the evaluation")


def _of_trainer(values: Mapping[str, object]) -> Iterator[Found]:
    """Yield the last value of each series that the Trainer of Transformers logged, and the best metric."""
    last: dict[str, Value] = {}
    for entry in history_rows(values) or []:
        step, epoch = entry.get("step"), entry.get("epoch")
        for name, value in entry.items():
            if name not in _AXES and isinstance(value, int | float) and not isinstance(value, bool):
                last[name] = Value(
                    f"log_history/{name}",
                    name,
                    value,
                    step=step if isinstance(step, int) else None,
                    epoch=_float(epoch),
                    last=True,
                )
    yield from last.values()
    for name, value in values.items():
        if name == "best_metric" and value is not None:
            yield from _one(name, name, value)
        elif name != "log_history":
            yield OmittedResult(name, "about the training")


def history_rows(values: Mapping[str, object]) -> list[Mapping[str, object]] | None:
    """Return the rows of a history in a mapping: `log_history` of Transformers, or lists as Keras keeps them."""
    logged = values.get("log_history")
    if isinstance(logged, list):
        return [entry for entry in logged if isinstance(entry, Mapping)]
    inner = values.get("history")
    if isinstance(inner, Mapping):
        epochs = values.get("epoch")
        values = {"epoch": epochs, **inner} if isinstance(epochs, list) else inner
    lists = {str(name): value for name, value in values.items() if isinstance(value, list)}
    length = max((len(value) for value in lists.values()), default=0)
    if not lists:
        return None
    numbered = any(name.lower() in _LISTED_AXES for name in lists)
    rows: list[Mapping[str, object]] = []
    for index in range(length):
        row: dict[str, object] = {} if numbered else {"epoch": index}
        rows.append(row | {name: value[index] for name, value in lists.items() if index < len(value)})
    return rows


def _is_history(values: Mapping[object, object]) -> bool:
    """Return whether lists have one value per epoch, as in Keras; scikit-learn's folds come with times."""
    lists = {str(name) for name, value in values.items() if _numbers(value)}
    if "fit_time" in lists:
        return False
    return bool(lists & _TRACES) or any(f"val_{name}" in lists for name in lists)


def _walk(path: str, key: str, values: Mapping[Any, object]) -> Iterator[Found]:
    # Any: names are text at the top level, and anything below it.
    if _is_report(values):
        yield from _of_report(path, key, values)
        return
    if len(values) > 1 and all(_FOLD.fullmatch(str(name)) for name in values):
        yield from _of_folds(path, key, list(values.values()))
        return
    own = not path and bool(_WANDB & {str(name) for name in values})
    history = _is_history(values)
    for name, value in values.items():
        whole = f"{path}/{name}" if path else str(name)
        inner = f"{key}/{name}" if key else str(name)
        if own and str(name).startswith("_"):
            yield OmittedResult(whole, "of W&B itself")
        elif isinstance(value, Mapping) and "_type" in value:
            yield OmittedResult(whole, f"a {str(value['_type'])[:40]} of W&B")
        elif isinstance(value, Mapping):
            yield from _walk(whole, inner, value)
        elif history and _numbers(value) and isinstance(value, list):
            if str(name).lower() in _AXES | _LISTED_AXES:
                yield OmittedResult(whole, "an axis")
            else:
                yield Value(whole, inner, value[-1], last=True, note=f"the last of {len(value)} values")
        elif isinstance(value, list) and _OF_FOLDS.search(str(name)) and all(isinstance(one, Mapping) for one in value):
            yield from _of_folds(whole, key, value)
        else:
            yield from _one(whole, inner, value)


def _one(path: str, key: str, value: object) -> Iterator[Found]:
    """Yield one value: a number, a text that is certainly a number, a list of folds; or why it is none."""
    if isinstance(value, list):
        yield _list(path, key, value)
    elif isinstance(value, str):
        yield _text(path, key, value)
    else:
        yield Value(path, key, value)


def _list(path: str, key: str, value: Sequence[object]) -> Found:
    if not _numbers(value) or len(value) == 1:
        return OmittedResult(path, f"a list of {len(value)}" if value else "an empty list")
    if len(value) > _MOST_FOLDS:
        return OmittedResult(path, f"a list of {len(value)} numbers: values over time are given with --curves")
    folds = [fold for one in value if (fold := _float(one)) is not None]
    if len(folds) < len(value):
        return OmittedResult(path, f"a list of {len(value)}, one of them beyond every float")
    return Value(path, key, _mean(folds), folds=folds)


def _mean(values: Sequence[float]) -> float:
    if not all(map(math.isfinite, values)):
        return sum(values)  # NaN, or the infinity among them; `fsum` raises where there are both
    # Divided first, where the sum of the values exceeds the largest float.
    large = max(map(abs, values)) > sys.float_info.max / len(values)
    return math.fsum(value / len(values) for value in values) if large else math.fsum(values) / len(values)


def _float(value: object) -> float | None:
    """Return a number as a float; none where it is no number, or a whole one that no float holds."""
    try:
        return float(value) if isinstance(value, int | float) else None
    except OverflowError:
        return None


def _text(path: str, key: str, text: str) -> Found:
    if text in {"NaN", "Infinity", "-Infinity"}:
        return Value(path, key, text)
    said = read_measured(text)
    plain = not (said.unit or said.comma or "(" in text)
    # An integer in quotes may be an id; one with decimals is a formatted number.
    if said.value is None or said.doubtful or _IDS.search(key) or (plain and "." not in text):
        return OmittedResult(path, "a text")
    return Value(path, key, said.value, note=None if plain else f"written as {text.strip()[:40]}")


def _numbers(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, int | float) and not isinstance(one, bool) for one in value)
    )


def _of_folds(path: str, key: str, folds: Sequence[object]) -> Iterator[Found]:
    """Yield the combined values of folds."""
    if all(isinstance(fold, int | float) and not isinstance(fold, bool) for fold in folds):
        yield _list(path, key or "score", folds)
        return
    names: dict[str, None] = {}
    for fold in folds:
        names |= dict.fromkeys(fold) if isinstance(fold, Mapping) else {}
    for name in names:
        values = [fold.get(name) if isinstance(fold, Mapping) else None for fold in folds]
        if str(name).lower() in {"fold", "split"}:
            continue
        yield from _one(f"{path}/*/{name}" if path else f"*/{name}", f"{key}/{name}" if key else str(name), values)


def _is_report(values: Mapping[object, object]) -> bool:
    averages = [values.get(name) for name in ("macro avg", "weighted avg")]
    return any(isinstance(value, Mapping) and value.keys() >= _REPORT for value in averages)


def _of_report(path: str, key: str, values: Mapping[object, object]) -> Iterator[Found]:
    """Yield the values of a classification report: averages first, then each class as a slice."""
    places = {name: place for place, name in enumerate(_AVERAGES)}
    for name, value in sorted(values.items(), key=lambda item: places.get(str(item[0]), len(places))):
        whole = f"{path}/{name}" if path else str(name)
        if not isinstance(value, Mapping):
            yield from _one(whole, f"{key}/{name}" if key else str(name), value)
            continue
        for part, number in value.items():
            if part == "support":
                yield OmittedResult(f"{whole}/support", "a count of samples")
                continue
            label = f"{part} {name}" if name in places else f"{part}[{name}]"
            yield from _one(f"{whole}/{part}", f"{key}/{label}" if key else label, number)
