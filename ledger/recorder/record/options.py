"""The options of a command line: read, checked, and added to a draft."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from ledger.analysis.comparing.settings import is_seed
from ledger.analysis.data.curves import Point, gather
from ledger.capture.code.code_rules import Named
from ledger.capture.code.source_kinds import is_program
from ledger.capture.inputs.params import parse_assignment, read_params
from ledger.capture.outputs.metrics import parse_metric, read_metrics
from ledger.errors import LedgerError, UsageError
from ledger.model.boxes.outputs import Metric
from ledger.model.record import Link, RunFields
from ledger.model.tables import KINDS
from ledger.model.values import ParamValue, Role, check_label, plain
from ledger.recorder.record.draft import CaptureProblem, Dataset, Draft, FigureSource, TableSource

T = TypeVar("T")

_CLOCK_STEP = 2
"""Seconds in whose steps file systems may store times (FAT): what is older by more is certainly older."""
_LABEL = re.compile(r"[a-z0-9][a-z0-9._-]*@[a-z0-9][a-z0-9._-]*")

ROLES: tuple[Role, ...] = ("train", "validation", "test", "production")
OTHER_ROLES: dict[str, Role] = {
    "training": "train", "val": "validation", "valid": "validation", "dev": "validation", "eval": "validation",
    "testing": "test", "prod": "production",
}  # fmt: skip
"""Common synonyms of roles."""


class Given(RunFields, frozen=True, kw_only=True):
    """The options that `ledger record` and `ledger run` share, as typed."""

    params_files: list[str] = []
    """Files with params: YAML, JSON or TOML."""
    params: list[str] = []
    """`name=value` for each param."""
    metrics_files: list[str] = []
    """Files with metrics."""
    metrics: list[str] = []
    """`split/name=value` for each metric."""
    directions: list[str] = []
    """`split/name=higher` or `name=lower` for each direction."""
    datasets: list[str] = []
    """`role=path` or `role:name@version=path` for each dataset."""
    curves: list[str] = []
    """Files with learning curves: CSV, JSON lines, event files of TensorBoard or folders of them."""
    figures: list[str] = []
    """`path` or `title=path` for each figure."""
    tables: list[str] = []
    """`kind:split/metric=path`, `name=path` or `path` for each table."""
    log: str | None = None
    """The training log."""
    model: str | None = None
    """File or folder of the trained model."""
    links: list[str] = []  # type: ignore[assignment]  # as they are typed
    """URLs."""
    headline: str | None = None
    """Key of the headline metric."""


def read_given(given: Given, draft: Draft, *, newer_than: float | None = None, strict: bool = True) -> Draft:
    """Return the draft with everything that the options name.

    Args:
        given: the options.
        draft: what is known already.
        newer_than: a results file older than this (seconds since 1970) is another run's, and is refused.
        strict: raise on the first problem instead of noting it and continuing.

    Raises:
        LedgerError: strict, and a file is missing, malformed or stale, or an option is invalid.
    """
    reading = _Reading(strict=strict)
    params: dict[str, ParamValue] = dict(draft.params)
    nothing: dict[str, ParamValue] = {}
    for name in given.params_files:
        params |= reading.attempt("params", _params_in, name, nothing)
    for text in given.params:
        params |= reading.attempt("params", _param, text, nothing)
    metrics: list[Metric] = list(draft.metrics)
    points: list[Point] = []
    for name in given.metrics_files:
        metrics += reading.attempt("metrics", lambda name: _metrics(reading, _fresh(name, newer_than)), name, [])
    for text in given.metrics:
        metrics += reading.attempt("metrics", lambda text: [parse_metric(text)], text, [])
    for text in given.directions:
        metrics = reading.attempt("metrics", partial(_with_direction, metrics), text, metrics)
    for name in given.curves:
        points += reading.attempt("curves", lambda name: _curves(reading, name, newer_than), name, [])
    tables: list[TableSource] = []
    for text in given.tables:
        tables += reading.attempt("tables", lambda text: [_fresh_table(text, newer_than)], text, [])
    datasets: list[Dataset] = []
    for text in given.datasets:
        datasets += reading.attempt("datasets", lambda text: [parse_dataset(text)], text, [])
    log = reading.attempt("logs", _log, given.log, None) if given.log else None
    seed = given.seed if given.seed is not None else draft.seed
    return msgspec.structs.replace(
        draft,
        params=params,
        param_sources=[*draft.param_sources, *given.params_files],
        result_files=[*draft.result_files, *_result_files(given)],
        metrics=_unique(metrics),
        curves=gather([*(draft.curves.points if draft.curves else ()), *points]) if points else draft.curves,
        datasets=[*draft.datasets, *datasets],
        figures=[*draft.figures, *(_figure(text) for text in given.figures)],
        tables=[*draft.tables, *tables],
        log=log or draft.log,
        model_path=given.model or draft.model_path,
        tags=list(dict.fromkeys([*draft.tags, *(check_label("tag", tag) for tag in given.tags)])),
        note="\n\n".join(note for note in (draft.note, given.note) if note) or None,
        seed=seed_of(seed, params),
        parent=given.parent or draft.parent,
        baseline=given.baseline or draft.baseline,
        links=list(dict.fromkeys([*draft.links, *(_link(url) for url in given.links)])),
        headline=given.headline or draft.headline,
        problems=[*draft.problems, *reading.problems],
    )


def named_files(draft: Draft) -> Named:
    """Return the files that the options of a run name: those of params, of results, and its data."""
    drawn = [*(one.path for one in draft.figures), *(one.path for one in draft.tables)]
    results = [*draft.result_files, *drawn, draft.log, draft.model_path]
    data = [one.path for one in draft.datasets if _is_data(one.path)]
    return Named(
        inputs=[_absolute(name) for name in draft.param_sources],
        results=[_absolute(name) for name in (*results, *data) if name],
        folders=[_absolute(name) for name in (*data, draft.model_path) if name and Path(name).is_dir()],
    )


def named_options(given: Given) -> Named:
    """Return the files that options name, before the start of the run that writes them."""
    data = [path for text in given.datasets if _is_data(path := text.partition("=")[2])]
    tables = [text.rpartition("=")[2] for text in given.tables]
    results = [*_result_files(given), *tables, given.log, given.model]
    return Named(
        inputs=[_absolute(name) for name in given.params_files],
        results=[_absolute(name) for name in (*results, *data) if name],
        folders=[_absolute(name) for name in (*data, given.model) if name and Path(name).is_dir()],
    )


def _is_data(path: str) -> bool:
    """Return whether a dataset is an existing file or folder, and not a program."""
    return bool(path) and "://" not in path and not is_program(path)


def _result_files(given: Given) -> list[str]:
    return [*given.metrics_files, *given.curves, *(_figure(text).path for text in given.figures)]


def _absolute(name: str) -> str:
    """Return an absolute path with the links of its folder resolved, comparable with the top of a repository."""
    path = Path(name)
    return str(path.parent.resolve() / path.name)


def parse_dataset(text: str) -> Dataset:
    """Return the dataset that `role=path`, `role:name@version=path` or `role=name@version` names.

    Raises:
        UsageError: it has another form, or the role is unknown.
    """
    left, equals, path = text.partition("=")
    role, colon, label = left.partition(":")
    name, at, version = label.partition("@")
    if not equals or not path or not role or (colon and not name) or (at and not version):
        raise UsageError(
            f"a dataset is given as ROLE=PATH or ROLE:NAME@VERSION=PATH: `{text}`",
            hint="such as --dataset validation:digits@v1=data/val",
        )
    known = check_role(role, text)
    return by_label(Dataset(role=known, split=known, path=path, name=name or None, version=version or None))


def check_role(role: str, text: str = "") -> Role:
    """Return the role that a word means: one of the four, or a synonym of one.

    Args:
        role: the word.
        text: what it stands in, for the message.

    Raises:
        UsageError: it means none.
    """
    if role in ROLES:
        return role
    if role.lower() in OTHER_ROLES:
        return OTHER_ROLES[role.lower()]
    where = f" in `{text}`" if text else ""
    raise UsageError(f"no such dataset role: `{role}`{where}", hint=f"one of {', '.join(ROLES)}")


def by_label(dataset: Dataset) -> Dataset:
    """Return a dataset with `name@version` for a path as that version on the ledger."""
    if dataset.name is not None or not _LABEL.fullmatch(dataset.path) or Path(dataset.path).exists():
        return dataset
    name, _, version = dataset.path.partition("@")
    return msgspec.structs.replace(dataset, path="", name=name, version=version)


def with_directions(metrics: Sequence[Metric], texts: Sequence[str]) -> list[Metric]:
    """Return metrics with the directions that `split/name=higher` or `name=lower` states.

    Raises:
        UsageError: one has another form, or no metric has that name.
    """
    found = list(metrics)
    for text in texts:
        found = _with_direction(found, text)
    return found


def _with_direction(metrics: Sequence[Metric], text: str) -> list[Metric]:
    name, _, direction = text.rpartition("=")
    if direction not in {"higher", "lower"}:
        raise UsageError(
            f"a direction is given as SPLIT/NAME=higher or =lower: `{plain(text)}`",
            hint="such as --direction validation/score=higher",
        )
    if not any(name in {metric.key, metric.name} for metric in metrics):
        raise UsageError(f"no metric of that name is given: `{plain(name)}`")
    return [
        msgspec.structs.replace(metric, direction=direction) if name in {metric.key, metric.name} else metric
        for metric in metrics
    ]


def parse_table(text: str) -> TableSource:
    """Return the table that `kind:split/metric=path`, `name=path`, `kind:path` or `path` names.

    Raises:
        UsageError: the kind is unknown.
        LedgerError: the name cannot stand in a record.
    """
    left, equals, path = text.partition("=")
    if Path(text).exists() or not equals:
        left, path = "", text
    if not equals and not Path(text).exists() and text.partition(":")[0] in KINDS:
        left, _, path = text.partition(":")
        left = f"{left}:{Path(path).stem}"
    first, colon, name = left.partition(":")
    kind = next((known for known in KINDS if first == known), None) if colon else None
    if colon and kind is None:
        raise UsageError(
            f"no such kind of table: `{plain(first)}` in `{plain(text)}`", hint=f"one of {', '.join(KINDS)}"
        )
    name = (name if colon else left) or Path(path).stem
    name = check_label("table name", name)
    metric = name if "/" in name else None
    if metric and kind:
        name = f"{kind} {metric}"
    return TableSource(name=check_label("table name", name), path=path, kind=kind, metric=metric)


class _Reading:
    """Reads the files and values that options name; strict raises, lenient notes a problem and continues."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self.problems: list[CaptureProblem] = []

    def attempt(self, field: str, read: Callable[[str], T], name: str, otherwise: T) -> T:
        try:
            return read(name)
        except LedgerError as error:
            if self._strict:
                raise
            self.note(field, name, error.message)
            return otherwise

    def note(self, field: str, name: str, message: str) -> None:
        """Note in the record what was not read from a file, which is no reason to refuse the rest."""
        self.problems.append(CaptureProblem(field=f"{field}.{name}"[:200], message=message))


def _fresh(name: str, newer_than: float | None) -> Path:
    path = Path(name)
    if newer_than is not None and path.exists() and path.stat().st_mtime < newer_than - _CLOCK_STEP:
        raise LedgerError(f"this file is older than the run, so it is another run's result: `{name}`")
    return path


def _fresh_table(text: str, newer_than: float | None) -> TableSource:
    source = parse_table(text)
    if not _fresh(source.path, newer_than).is_file():
        raise LedgerError(f"no such table file: `{plain(source.path)}`", hint="such as --table results.csv")
    return source


def _params_in(name: str) -> dict[str, ParamValue]:
    return read_params(Path(name))


def _param(text: str) -> dict[str, ParamValue]:
    return dict([parse_assignment(text)])


def _metrics(reading: _Reading, path: Path) -> list[Metric]:
    found = read_metrics(path)
    if found.notice is not None:
        reading.note("metrics", str(path), found.notice)
    return found.metrics


def _curves(reading: _Reading, name: str, newer_than: float | None) -> list[Point]:
    from ledger.capture.outputs.curves import read_curves

    # A folder may be older than what lies in it.
    path = Path(name) if Path(name).is_dir() else _fresh(name, newer_than)
    found = read_curves(path, None if newer_than is None else newer_than - _CLOCK_STEP)
    if found.notice is not None:
        reading.note("curves", str(path), found.notice)
    return found.points


def _log(name: str) -> str | None:
    if not Path(name).is_file():
        raise LedgerError(f"no such log file: `{name}`")
    return name


def _figure(text: str) -> FigureSource:
    title, equals, path = text.partition("=")
    if equals and not Path(text).exists():
        return FigureSource(title=check_label("figure title", title), path=path)
    return FigureSource(title=check_label("figure title", Path(text).stem), path=text)


def _link(url: str) -> Link:
    if not url.startswith(("http://", "https://", "mailto:")):
        raise UsageError(f"a link must start with http://, https:// or mailto: `{url}`")
    return Link(url=check_label("link", url))


def _unique(metrics: Sequence[Metric]) -> list[Metric]:
    """Return measurements without duplicates, the later one winning: an option overrides a file."""
    return list({(metric.key, metric.dataset, metric.step): metric for metric in metrics}.values())


def seed_of(seed: int | None, params: Mapping[str, ParamValue]) -> int | None:
    """Return the seed, or the param that chooses it when no seed was given."""
    others = (value for name, value in params.items() if "." not in name and is_seed(name))
    found = params.get("seed", next(others, None))
    # A param of more than 64 bits, as numpy draws them, stays a param but is no seed.
    fits = isinstance(found, int) and not isinstance(found, bool) and -(1 << 63) <= found < 1 << 63
    return found if seed is None and isinstance(found, int) and fits else seed
