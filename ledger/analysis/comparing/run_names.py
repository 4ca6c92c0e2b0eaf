"""Names of runs: what tells a run apart from the others of its experiment, such as `cnn · width 16 · seed 1`.

An id says when a run was made; a reader asks what it was. A name is no identity: it may change when the experiment
grows, so addresses and commands use ids, and pages show both.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from ledger.analysis.comparing.settings import is_place, is_seed
from ledger.model.entries import StoredRun
from ledger.model.values import Document, ParamValue

_PARAMS = 3
"""Most params in a name."""
_CANDIDATES = 64
"""Most params that are tried, in order of their names: a run may have thousands."""
_LENGTH = 24
"""Most characters of one value."""
_DIGITS = 10
"""Most characters of a number that is written whole."""
_DATA = ""
"""Stands for the training data among the names of params; no param has an empty name."""

_Facts = dict[str, str]


class RunName(Document, frozen=True, kw_only=True):
    """The name of a run."""

    text: str
    """Its name, which no other run of its experiment has."""
    setting: str
    """The part of it that its repeats share."""


def run_names(experiment: str, runs: Sequence[StoredRun]) -> dict[str, RunName]:
    """Return the name of each run of one experiment by its id; no two are alike.

    The fewest params that tell the settings apart come first, at most three, words before numbers; then the training
    data where it differs; then the seed where runs share the rest; then a number where nothing recorded differs.

    Args:
        experiment: its name, which is the name of runs that nothing tells apart.
        runs: its runs, oldest first, so that a number stays with its run when others follow.
    """
    given = {name for run in runs for name in run.record.params.values}
    settings = {name for name in given if name and not is_seed(name) and not is_place(name)}
    facts = [_facts(run, settings) for run in runs]
    chosen = _telling(facts)
    short = _short_names(chosen)
    labels = [" · ".join(_parts(one, chosen, short)) or experiment for one in facts]
    seeds = [_seed(run) for run in runs]
    if max(Counter(labels).values(), default=0) == 1 or len(set(seeds)) == 1:
        seeds = [""] * len(runs)
    names: dict[str, RunName] = {}
    taken: set[str] = set()
    for run, label, seed in zip(runs, labels, seeds, strict=True):
        name = text = " · ".join(filter(None, (label, seed)))
        number = 1
        while text in taken:
            number += 1
            text = f"{name} #{number}"
        taken.add(text)
        names[run.record.id] = RunName(text=text, setting=label)
    return names


def _facts(run: StoredRun, settings: Collection[str]) -> _Facts:
    """Return what was chosen for a run, as text: those of its params that are settings, and its training data."""
    params = run.record.params
    found = {
        name: _text(name, value)
        for name, value in params.values.items()
        if name in settings and name not in params.places
    }
    if trained := sorted(use.label for use in run.record.datasets.used if use.role == "train"):
        found[_DATA] = _cut(", ".join(trained))
    return found


def _telling(facts: Sequence[_Facts]) -> list[str]:
    """Return the params that split the runs most, each chosen after those before it; words first, then by name."""
    values: dict[str, set[str]] = {}
    having: Counter[str] = Counter()
    for one in facts:
        for name, text in one.items():
            values.setdefault(name, set()).add(text)
            having[name] += 1
    varied = sorted(name for name in values if len(values[name]) > 1 or having[name] < len(facts))[:_CANDIDATES]
    alone = {name: len(values[name]) + (having[name] < len(facts)) for name in varied}
    groups = [0] * len(facts)
    chosen: list[str] = []
    while varied and len(chosen) < _PARAMS:
        counts = {name: _parted(name, groups, facts) for name in varied} if chosen else alone
        # What every run has is told before what some lack; a short value before a long one.
        best = min(varied, key=lambda name: (-counts[name], -having[name], max(map(len, values[name])), name))
        if counts[best] == len(set(groups)):
            break
        numbers: dict[tuple[int, str | None], int] = {}
        groups = [
            numbers.setdefault((group, one.get(best)), len(numbers)) for group, one in zip(groups, facts, strict=True)
        ]
        chosen.append(best)
        varied.remove(best)
    words = {name for name in chosen if not any(text.startswith(("-", *"0123456789")) for text in values[name])}
    return sorted(chosen, key=lambda name: (name not in words, name == _DATA, name))


def _parted(name: str, groups: Sequence[int], facts: Sequence[_Facts]) -> int:
    """Return into how many groups a param parts the groups of runs."""
    return len({(group, one.get(name)) for group, one in zip(groups, facts, strict=True)})


def _short_names(names: Sequence[str]) -> dict[str, str]:
    """Return the last dotted part of each name, or all of it where two end alike."""
    ends = Counter(name.rpartition(".")[2] for name in names)
    return {name: end if ends[end := name.rpartition(".")[2]] == 1 else name for name in names}


def _parts(facts: _Facts, chosen: Sequence[str], short: Mapping[str, str]) -> list[str]:
    return [
        text if name == _DATA or _is_word(text) else f"{_cut(short[name])} {text}"
        for name in chosen
        if (text := facts.get(name)) is not None
    ]


def _is_word(text: str) -> bool:
    """Return whether a value speaks for itself, as `adam` does and `0.1` or `true` does not."""
    return text[:1].isalpha() and text not in {"true", "false", "none", "nan", "inf"}


def _text(name: str, value: ParamValue) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, int | float):
        return _number(value) if value else repr(value)  # zero and negative zero are equal
    return _cut(" ".join(str(value).split())) or f"no {name}"


@lru_cache(maxsize=4096, typed=True)  # runs of a sweep have the same few
def _number(value: float) -> str:
    return exact if len(exact := repr(value)) <= _DIGITS else f"{value:.6g}"


def _cut(text: str) -> str:
    return text if len(text) <= _LENGTH else f"{text[: _LENGTH - 1]}…"


def _seed(run: StoredRun) -> str:
    params = run.record.params.values
    seed = run.record.seed
    found = seed if seed is not None else next((params[name] for name in sorted(params) if is_seed(name)), None)
    return "" if found is None else f"seed {_cut(str(found))}"
