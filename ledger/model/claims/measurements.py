"""Rules for measurements and their data: each is there once, and on a dataset that the run used. Part of `rules.py`."""

from collections.abc import Iterator, Mapping, Sequence

from ledger.model.boxes.inputs import DatasetUse
from ledger.model.boxes.outputs import Metric, Table
from ledger.model.characters import plain
from ledger.model.claims.facts import Facts
from ledger.model.datasets import must_differ
from ledger.model.entries import Evaluation
from ledger.model.record import Record
from ledger.model.values import Role

_SHOWN = 80
_WHOLE = 100
"""Percent of a whole."""


def identity(metric: Metric) -> tuple[object, ...]:
    """Return the identity of a measurement among all those of a model."""
    where = (metric.dataset, metric.dataset_hash, metric.evaluator, metric.period)
    return (metric.key, metric.step, metric.epoch, metric.origin, metric.derived_from, *where)


def metrics_in(document: object) -> tuple[str, Sequence[Metric]]:
    """Return the metrics of a document, each with its field."""
    if isinstance(document, Record):
        return "results.metrics", document.results.metrics
    return "metrics", document.metrics if isinstance(document, Evaluation) else ()


def uses_in(document: object) -> Sequence[DatasetUse]:
    """Return the datasets that a run or an evaluation used."""
    if isinstance(document, Record):
        return document.datasets.used
    return document.datasets if isinstance(document, Evaluation) else ()


def metrics_twice(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield measurements that appear twice: a reader could take either."""
    start, metrics = metrics_in(facts.document)
    if len({metric.key for metric in metrics}) == len(metrics):
        return  # the usual case, found by a cheaper test
    first: dict[tuple[object, ...], Metric] = {}
    for position, metric in enumerate(metrics):
        before = first.get(what := identity(metric))
        if before is None:
            first[what] = metric
        else:
            said = f"{before.value} and {metric.value}"
            yield f"{start}[{position}]", f"a metric is stated twice: `{plain(metric.key[:_SHOWN])}` is {said}"


def files_twice(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield figures and tables that share a file, and tables that share a name."""
    document = facts.document
    if not isinstance(document, Record):
        return
    files = [(f"results.figures[{at}]", "file", one.file) for at, one in enumerate(document.results.figures)]
    tables = document.statistics.tables
    files += [(f"statistics.tables[{at}]", "file", one.file) for at, one in enumerate(tables)]
    files += [(f"statistics.tables[{at}]", "table", one.name) for at, one in enumerate(tables)]
    seen: set[tuple[str, str]] = set()
    for field, what, name in files:
        if (what, name) in seen:
            yield field, f"a {what} is named twice: `{plain(name[:_SHOWN])}`"
        seen.add((what, name))


def parts(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield parts that are larger than their whole."""
    document = facts.document
    if not isinstance(document, Record):
        return
    model, hardware = document.model, document.hardware
    if model.parameters is not None and model.trainable is not None and model.trainable > model.parameters:
        yield "model.trainable", f"model.trainable is {model.trainable:,} of {model.parameters:,} parameters"
    median, p99 = model.latency_seconds, model.latency_p99_seconds
    if median is not None and p99 is not None and median > p99:
        yield "model.latency_seconds", f"model.latency_seconds is {median:g}, more than its p99 of {p99:g}"
    if hardware.processes is not None and hardware.rank is not None and hardware.rank >= max(hardware.processes, 1):
        yield "hardware.rank", f"hardware.rank is {hardware.rank}, but there were {hardware.processes} processes"
    if hardware.disk_bytes is not None and (hardware.disk_free_bytes or 0) > hardware.disk_bytes:
        yield "hardware.disk_free_bytes", "hardware.disk_free_bytes is more than the disk holds"
    for at, gpu in enumerate(hardware.gpus):
        if gpu.use is not None and max((part for part in gpu.use.percent if part is not None), default=0) > _WHOLE:
            field = f"hardware.gpus[{at}].use.percent"
            yield field, f"{field} is more than {_WHOLE} % of a GPU"
    for name, series in document.statistics.series.items():
        if series.not_finite > series.count:
            field = f"statistics.series.{ascii(name)[1:-1][:_SHOWN]}"
            yield field, f"{field}: {series.not_finite} of {series.count} values are not finite"


def names_of(use: DatasetUse) -> set[str | None]:
    """Return the names by which a dataset of a run may be called."""
    stated = f"{use.name}@{use.version}" if use.name and use.version else use.name
    return {use.label, stated, use.name, use.path, use.role, use.hash}


def _off_the_data(document: object) -> Iterator[tuple[str, str, str, bool]]:
    """Yield measurements on no data of the run: field, text, data, and whether that name had other content."""
    start, metrics = metrics_in(document)
    contents: dict[str | None, set[str]] = {}
    for use in uses_in(document):
        for name in names_of(use):
            held = contents.setdefault(name, set())
            if use.hash:
                held.add(use.hash)
    for position, metric in enumerate(metrics):
        if _is_apart(metric, contents) and not (metric.period or metric.derived_from):
            yield f"{start}[{position}]", *_off_the_data_text(metric.key, metric, contents)
    for position, table in enumerate(document.statistics.tables if isinstance(document, Record) else ()):
        if _is_apart(table, contents) and not table.metric:
            yield f"statistics.tables[{position}]", *_off_the_data_text(table.name, table, contents)


def _is_apart(one: Metric | Table, contents: Mapping[str | None, set[str]]) -> bool:
    label = one.dataset or one.dataset_hash
    if not label:
        return False
    found = contents.get(label)
    return found is None or (one.dataset_hash is not None and one.dataset_hash not in found)


def _off_the_data_text(key: str, one: Metric | Table, contents: Mapping[str | None, set[str]]) -> tuple[str, str, bool]:
    label = one.dataset or one.dataset_hash or ""
    return plain(key[:_SHOWN]), plain(label[:_SHOWN]), bool(contents.get(label))


def other_content(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield measurements on a dataset that the run used, but under a different hash."""
    for field, key, label, other in facts.once(_off_the_data):
        if other:
            yield field, f"`{key}` was measured on other content than the run used under this name: `{label}`"


def unused_data(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield measurements on data that the run did not use."""
    for field, key, label, other in facts.once(_off_the_data):
        if not other:
            yield field, f"`{key}` was measured on data that the run did not use: `{label}`"


def same_data(uses: Sequence[DatasetUse]) -> Iterator[tuple[DatasetUse, DatasetUse]]:
    """Yield pairs of datasets with equal content whose roles must not overlap, the one trained on first.

    Each dataset is paired with the first of every role that it must differ from: a run may have used thousands.
    """
    order = ("train", "validation", "test", "production")
    first: dict[str, dict[Role, DatasetUse]] = {}
    for other in sorted(uses, key=lambda use: order.index(use.role)) if len(uses) > 1 else ():
        if other.hash is None:
            continue
        before = first.setdefault(other.hash, {})
        for role, one in before.items():
            if must_differ(role, other.role):
                yield one, other
        before.setdefault(other.role, other)


def same_data_text(one: DatasetUse, other: DatasetUse) -> str:
    """Return a sentence that says that two datasets of a run have equal content."""
    judged = f"{other.role} data {plain(other.label)}"
    learned = f"{one.role} data {plain(one.label)}"
    return f"the {judged} is the same data as the {learned}, so metrics on it prove nothing"


def judged_on_training(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield evaluation data that was also trained on."""
    for one, other in same_data(uses_in(facts.document)):
        yield "datasets", same_data_text(one, other)


def too_many_metrics(count: int, limit: int) -> str | None:
    """Return the message for a document with more metrics than the policy allows; none where it has no more."""
    return f"{count:,} metrics, but at most {limit:,} are allowed (limits.metrics)" if count > limit else None
