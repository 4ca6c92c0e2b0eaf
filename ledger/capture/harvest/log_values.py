"""One line of a log as values: where in the training it is, and which metrics it reports.

A value counts under a name that means a metric (`loss`, `val_acc`, `top-1 accuracy`). Precision goes before recall: a
value without such a name, a best one so far, a sentence about a loss, and two values of one name are left out.
"""

import ast
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ledger.formats.numbers import read_measured
from ledger.model.directions import known_direction

_MOST_PAIRS = 60
_MOST_WORDS = 3
"""Most words of a name; more are a sentence."""
_LARGEST = 1e300
_LARGEST_PLACE = 1 << 53
_THOUSANDS = r"[1-9]\d{0,2}(?:(?:,\d{3})+\.\d+|(?:,\d{3}){2,})"
_NUMBER = rf"[-+]?(?:{_THOUSANDS}|\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{{1,3}})?|[-+]?(?:nan|inf(?:inity)?)\b"
"""A number; `1,234` and `0,123` are none: the comma may be one of thousands or of decimals."""
_POSITION = re.compile(
    r"(?<![a-z_.])(?P<name>global[ _]step|train(?:ing)?[ _]step|epochs?|steps?|iter(?:ation)?s?|it|update|ep"
    r"|episode)(?:\((?:train|val|valid|test)\))?[:=#\s]*[\[(]?\s*(?<![a-z)])(?P<value>\d{1,3}(?:,\d{3})+|\d{1,15}(?:\.\d+)?)"
    r"(?!\d|[,.]\d|\s*(?:epochs?|steps?|iter)\b)",
)
_TRAIN_EPOCH = re.compile(r"train(?:ing)?:\s*(?P<value>\d+)\s*\[")
"""An epoch as timm prints it: `Train: 3 [ 50/1251 ( 4%)]`."""
_BRACKETS = re.compile(r"\[(?P<epoch>\d+)(?:/\d+\]\[(?P<done>\d+)/(?P<all>\d+)\]|,\s*\d+\])")
"""Epoch and batch in brackets alone: `[0/5][50/1583]`, `[1,  2000]`."""
_ROUND = re.compile(r"\[(?P<value>\d+)\][\t ]")
"""A round of boosting: `[12]	validation_0-logloss:0.5`."""
_SHARE = re.compile(
    r"(?:(?<!ch )(?<!ch)(?<!ch:)(?<!ch: )\[\s*|(?:step|iter|iteration|batch)\s*[:=]?\s*[\[(]?\s*)(?P<done>\d+)\s*/\s*"
    r"(?P<all>\d+)\b|\|\s+(?P<done2>\d+)\s*/\s*(?P<all2>\d+)\s+batches",
)
"""How far an epoch is: `[640/60000 (1%)]` or `Step [100/600]`, but not `Epoch [1/10]`."""
_BAR = re.compile(r"(?<!\d)(?P<done>\d+)\s*/\s*(?P<all>\d+)\s*(?:\[|━|=|█|▇|\s[-\u2013])")
"""A bar of Keras or tqdm."""
_FIRST_WORD = re.compile(
    r"[\[(*\s=\-#>|]*(?:epoch\s*(?=\()|(?:epoch\s*[\[(:]?\s*\d+(?:\s*/\s*\d+)?[\])]?[\s:,\-|]*)?)\(?"
    r"(?P<word>[A-Za-z]+)(?![\w=]|:\s*[-\d.])",
    re.IGNORECASE,
)
_ALONE = re.compile(rf"(?P<name>[A-Za-z][\w/@.\- ]{{0,60}}?)\s*[:=]\s*(?:{_NUMBER})\s?%?")
_PARTS = re.compile(r"\s[-\u2013]\s|[|,;\[\]]|(?<!\d)\d+[mu]?s/\w+")
_VALUE = re.compile(
    rf"(?P<sign>[:=]+|\bis\b|\s)\s*(?P<value>{_NUMBER})(?:\s*/\s*(?P<of>\d+))?(?P<percent>\s?%)?(?:\s*±\s*[\d.]+)?"
    rf"(?:\s?\(\s?(?P<average>{_NUMBER})\s?\))?"
    r"(?![\w:]|[.,\-]\d)"
)
_LONGEST_NAME = 61
_NO_NAME = re.compile(r"[^\w@%./\- ()']")
"""Characters that end a name; looked for from the value backwards, which is linear."""
_VALUE_WORD = re.compile(r"[-+]?\d*[.,]\d|\d{3}")
"""A word that is a value itself, such as a range: what follows has no name of its own."""
_LETTER = re.compile(r"[A-Za-z]")
SPLITS = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "eval": "eval",
    "evaluation": "eval", "dev": "dev", "test": "test", "testing": "test",
}  # fmt: skip
"""Words for splits, as names of series have them."""
_FILLING = frozenset({
    "average", "avg", "mean", "running", "current", "total", "the", "set", "final", "on", "of", "epoch", "step",
    "iter", "batch", "results", "result", "metrics", "has", "is", "-", "and", "end",
})  # fmt: skip
_BEST = frozenset({
    "previous", "improved", "from", "to", "initial", "lowest", "highest", "min", "max", "patience", "prev", "last",
    "std", "improve", "scale", "number",
})  # fmt: skip
"""Words that make a value another one than that of this moment."""
_NOT_OURS = frozenset({
    "best", "target", "goal", "expected", "threshold", "baseline", "sota", "paper", "reported", "reference", "human",
    "chance",
})  # fmt: skip
"""Words, also in names such as `target_loss`, of values that this training did not just measure."""
_ELSEWHERE = re.compile(
    r"\b(?:resum(?:e|ed|ing)|restor(?:e|ed|ing)|best[ _]epoch|early[ -]?stopp(?:ed|ing)\W+(?:at|after|on)"
    r"|load(?:ed|ing) (?:(?:the|best|last|a) ){0,2}(?:checkpoint|model|weights|state))\b",
)
"""A sentence about a checkpoint, whose place and values are those of another moment."""
_OTHER_RANK = re.compile(
    r"[\[(](?:(?:local|global)[_ ])?rank[ :=_\-]?0*[1-9]\d*[\])]|\[[a-z]+[1-9]\d*\]:", re.IGNORECASE
)
"""A line of another process than the first, as torchrun and PyTorch mark it."""
_PART = re.compile(r"[\s\-*]*(?P<name>[A-Za-z][\w ]{0,40}): (?=[A-Za-z])")
"""What a line without a place is about: `Test set: …`, `class dog: …`."""
_BESIDE = frozenset({"lr", "learning_rate", "grad_norm", "gnorm", "mfu"})
"""Names that are no metrics, and that are drawn beside them."""
_ALSO = frozenset({"score", "reward", "kl"})
AXES = {
    **dict.fromkeys(("step", "steps", "_step", "global_step", "iter", "iteration", "iterations", "it"), "step"),
    **dict.fromkeys(("train_step", "training_step", "update"), "step"),
    **dict.fromkeys(("epoch", "epochs", "ep"), "epoch"),
}
"""Names in objects that say where in the training they are."""
_TIME = re.compile(
    r"[\[\s]*\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d[^\]\s]*\]?\s*|\[?\d\d:\d\d:\d\d(?:[.,]\d+)?\]?\s*"
    r"|[IWEF]\d{4} \d\d:\d\d:\d\d[.\d]*\s+\d+\s+"
)
_LOGGER = re.compile(
    r"(?:[\s\-|:]*\[?(?:INFO|DEBUG|WARNING|I|D|root|mmengine)\b\]?)+[\s\-|:]*|[\w./]+:\w*:?\d+[\s\-|\]:]+"
)


class LogPlace(NamedTuple):
    """Where in a training a line is."""

    step: int | None = None
    """Step; none where the line does not say."""
    epoch: float | None = None
    """Epoch, as it is counted there; none where the line does not say."""
    share: float | None = None
    """How much of the epoch is done, from 0 to 1; none where the line does not say."""


class LogBar(NamedTuple):
    """How far a bar is."""

    done: int
    whole: int


def message_of(line: str) -> str:
    """Return a line without time and logger before it; of blanks in a row one.

    Rows of blanks would make the search for values take their square.
    """
    start = 0
    for pattern in (_TIME, _LOGGER, _LOGGER):
        if (found := pattern.match(line, start)) is not None:
            start = found.end()
    return " ".join(line[start:].split())


def place_of(text: str) -> LogPlace:
    """Return where in the training a line says that it is."""
    step: int | None = None
    epoch: float | None = None
    lower = text.lower()  # patterns that heed the case are three times as fast
    share = _share_of(lower)
    for found in _POSITION.finditer(lower):
        name, digits = found["name"], found["value"].replace(",", "")
        value = float(digits)
        if name.startswith("ep") and name != "episode":
            epoch = value if epoch is None else epoch
        elif step is None and digits.removesuffix(".0").isdigit():
            step = int(value)
    if epoch is None and step is None:
        if (alone := _BRACKETS.match(text)) is not None:
            epoch = float(alone["epoch"])
            share = int(alone["done"]) / int(alone["all"]) if alone["all"] and int(alone["all"]) else None
        elif (named := _TRAIN_EPOCH.match(lower)) is not None:
            epoch = float(named["value"])
        elif (boosted := _ROUND.match(text)) is not None:
            step = int(boosted["value"])
    # A step that is one of an epoch is how far that is.
    return LogPlace(None if epoch is not None and share is not None else step, epoch, share)


def _share_of(text: str) -> float | None:
    found = _SHARE.search(text)
    if found is None:
        return None
    done, whole = int(found["done"] or found["done2"]), int(found["all"] or found["all2"])
    return done / whole if 0 < whole >= done else None


def bar_of(text: str) -> LogBar | None:
    """Return how far the bar in a line is; none where there is none."""
    found = _BAR.search(text)
    return LogBar(int(found["done"]), int(found["all"])) if found else None


def is_elsewhere(text: str) -> bool:
    """Return whether a line is about another moment of the training, or of another of its processes."""
    return _OTHER_RANK.match(text) is not None or _ELSEWHERE.search(text.lower()) is not None


def is_of_part(text: str) -> bool:
    """Return whether a line is about a part of the data, or another model: `dog: acc 0.3`, `Baseline: acc 0.9`."""
    found = _PART.match(text)
    if found is None:
        return False
    words = found["name"].lower().split()
    return not any(word in SPLITS or word in _FILLING or word in AXES or is_series(word) for word in words)


def split_of(text: str) -> str | None:
    """Return the split that a line begins with: `Test set: …`, `[val] …`; none where it begins with none."""
    first = _FIRST_WORD.match(text)
    return SPLITS.get(first["word"].lower()) if first else None


def values_of(text: str, split: str | None, *, averages: bool = False) -> dict[str, float]:
    """Return the values of a line by the name of their series; none of a name that comes twice.

    Args:
        text: the line.
        split: split of values whose names have none.
        averages: take what stands in parentheses behind the value of a batch, `Loss 6.9 (6.8)`, and nothing else.
    """
    found: dict[str, float] = {}
    twice: set[str] = set()
    for name, value, loose in _pairs(text, averages=averages):
        series = _series_name(name, split, loose=loose)
        if series is not None:
            twice |= {series} if series in found and found[series] != value else set()
            found[series] = value
    return {name: value for name, value in found.items() if name not in twice}


def _pairs(text: str, *, averages: bool = False) -> Iterator[tuple[str, float, bool]]:
    """Yield name and value of each pair, and whether only a blank stands between them."""
    count = end = 0
    for found in _VALUE.finditer(text):
        before = _NO_NAME.split(text[end : found.start()].rstrip()[-_LONGEST_NAME:])[-1]
        if (first := _LETTER.search(before)) is None:
            continue
        end, count = found.end(), count + 1
        if count > _MOST_PAIRS:
            return
        if averages and not found["average"]:
            continue
        digits = found["average" if averages else "value"].replace(",", "").lower().replace("infinity", "inf")
        value = float(digits)
        if found["of"]:
            whole = int(found["of"])
            if not whole or value > whole:
                continue
            value /= whole
        elif found["percent"]:
            value = float(f"{digits}e-2") if digits.strip("+-.0123456789") == "" else value / 100
        yield before[first.start() :], value, not found["sign"].strip()


def _series_name(text: str, split: str | None, *, loose: bool) -> str | None:
    """Return the name of the series that words before a value mean; none where they mean no metric of this moment."""
    words = [word.strip(".,:-|").lower() for word in re.split(r"[\s()']+", _PARTS.split(text)[-1])]
    words = [word for word in words if word]
    if (_BEST | _NOT_OURS) & set(words) or any(map(_VALUE_WORD.match, words)):
        return None
    own = next((SPLITS[word] for word in words if word in SPLITS), None) if len(words) > 1 else None
    name = [word for word in words if word not in _FILLING and (word not in SPLITS or own is None)]
    joined = "_".join(name)
    if not name or len(name) > _MOST_WORDS or not is_series(joined) or (loose and not is_series(name[-1])):
        return None
    where = own or (split if not names_split(joined) else None)
    return f"{where}/{joined}" if where and "/" not in joined else joined


def object_of(text: str) -> tuple[str, Mapping[str, object]] | None:
    """Return the object that a line ends with, in JSON or as Python prints it, and what stands before it."""
    start = text.find("{")
    if start < 0 or not text.endswith("}"):
        return None
    body = text[start:]
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        try:
            found = ast.literal_eval(body)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            return None
    named = isinstance(found, dict) and all(isinstance(name, str) for name in found)
    return (text[:start], found) if named else None


def place_in(axes: Mapping[str, float], said: LogPlace) -> LogPlace:
    """Return the place that the axes of an object name; what they do not say is that of the words before it."""
    known = {axis: value for axis, value in axes.items() if abs(value) < _LARGEST_PLACE}  # neither NaN nor infinite
    step = int(known["step"]) if known.get("step", 0.5).is_integer() else said.step
    return LogPlace(step, known.get("epoch", said.epoch))


def number_in(value: object) -> float | None:
    """Return the number that a value of an object is; Transformers prints numbers as texts."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        return read_measured(value).value if len(value) <= len("-2.2250738585072014e-308") else None
    return float(value) if not math.isfinite(value) or abs(value) < _LARGEST else None


def header_of(text: str) -> list[str] | None:
    """Return the names of the columns of a table that reports epochs, as fastai prints it; none for other lines."""
    names = text.lower().split()
    if len(names) < 3 or AXES.get(names[0]) is None or not all(re.fullmatch(r"[a-z_][\w/@.\-]*", one) for one in names):  # noqa: PLR2004
        return None
    return names if any(is_series(name) for name in names) else None


def is_summary(text: str) -> bool:
    """Return whether a line is nothing but a value of held-out data: `val_bpb: 0.9979`."""
    alone = _ALONE.fullmatch(text)
    return alone is not None and names_split(alone["name"], without_train=True)


def names_split(name: str, *, without_train: bool = False) -> bool:
    """Return whether a name says of which split a value is."""
    found = {SPLITS[word] for word in re.split(r"[/_.\- ]", name.lower()) if word in SPLITS}
    return bool(found - {"train"} if without_train else found)


def is_series(name: str) -> bool:
    """Return whether a name means a metric, or something that is drawn beside metrics."""
    bare = name.lower().rpartition("/")[2]
    if _NOT_OURS & set(re.split(r"[/_.\- ]", name.lower())):
        return False
    return bare in _BESIDE or bare in _ALSO or known_direction(name) is not None
